// SPDX-License-Identifier: MIT
// event: the kinds of records that chimed writes to the journal: one row each with name, MESSAGE_ID and priority.
// systemd/chimed.catalog explains each id; a test compares.
#pragma once

#include <stddef.h>

enum event_kind {
        EVENT_STARTED,
        EVENT_ENDED,
        EVENT_FAILED,
        EVENT_TIMED_OUT,
        EVENT_RETRY, /* an attempt failed, and another is to come */
        EVENT_MISSED,
        EVENT_WITHHELD,
        EVENT_PENDING, /* a slot waits for its conditions */
        EVENT_MERGED,
        EVENT_CAUGHT_UP,
        EVENT_INTERRUPTED,
        EVENT_HELD,        /* paused or cancelled; again once a day while it lasts */
        EVENT_ARMED,       /* a hold is over, or another interval was set */
        EVENT_JOB_STOPPED, /* its schedule has come to its end */
        EVENT_JOB_FAILED,  /* StopAfterFailures= has stopped it */
        EVENT_OVERDUE,     /* no good run within ExpectWithin=; again once a day while it lasts, and when it is over */
        EVENT_CLOCK_STEP,
        EVENT_RESUMED,
        EVENT_RELOAD,
        EVENT_CONFIG_ERROR,
        EVENT_CONFIG_WARNING,
        EVENT_DEGRADED,
        EVENT_LEFT_BEHIND,
        EVENT_READY,       /* scheduling has begun */
        EVENT_STOPPED,     /* scheduling has ended */
        EVENT_RE_EXECUTED, /* the runner goes on in another program, with its runs */
        EVENT_KIND_MAX
};

struct event_row {
        enum event_kind kind;
        const char *name;       /* CHIMED_EVENT=, lower case with hyphens */
        const char *message_id; /* 32 hex digits */
        int priority;           /* syslog's, 0..7 */
};

/* The row of a kind. */
const struct event_row *event_row(enum event_kind kind);
