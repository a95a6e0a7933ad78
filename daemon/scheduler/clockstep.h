// SPDX-License-Identifier: MIT
// clockstep: what happened to the clocks between two readings, in named kinds. Pure; who acts on it is the shell and the engine.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/duration.h"

#define CLOCKSTEP_MIN_US   USEC_PER_MSEC       /* a smaller change of the wall clock is no step: clocks can't be read at once */
#define CLOCKSTEP_LIMIT_US (3 * USEC_PER_HOUR) /* a larger step back begins a new time line */
#define CLOCKSTEP_SLEEP_US (100 * USEC_PER_MSEC) /* a shorter sleep is none */

/* What to do differs from kind to kind, which is why they have names (the thought is Vixie cron's: small, medium, large, negative). */
enum clockstep_kind {
        CLOCKSTEP_NONE,
        CLOCKSTEP_SLEW,          /* below CLOCKSTEP_MIN_US: the new difference is taken over, nothing else */
        CLOCKSTEP_FORWARD,       /* wall-clock slots were left out: as if chimed had been down */
        CLOCKSTEP_BACK,          /* wall-clock instants come anew: no slot runs a second time */
        CLOCKSTEP_NEW_TIME_LINE, /* too far back to wait for: wall-clock slots begin anew, loudly */
        CLOCKSTEP_SUSPEND,       /* the machine slept, and the wall clock went on in the sleep */
        CLOCKSTEP_SYNC, /* the clock was synchronised, for the first time: what it left out was never real; step_us may be 0 */
        CLOCKSTEP_MAX
};

const char *clockstep_kind_to_string(enum clockstep_kind kind);

/* The clocks at one instant, read close together. */
struct clockstep_reading {
        int64_t rt_us;    /* CLOCK_REALTIME */
        int64_t bt_us;    /* CLOCK_BOOTTIME */
        int64_t awake_us; /* CLOCK_MONOTONIC: BOOTTIME without the time asleep */
        bool is_synchronised;
};

struct clockstep {
        enum clockstep_kind kind;
        int64_t step_us;  /* how far the wall clock was set, positive: forward; of every kind */
        int64_t slept_us; /* how long the machine slept, 0: it did not; beside a step too, where it was set on waking */
};

/* Compares two readings of one boot, the earlier one first. Of what coincides, the kind is the one that changes most: a new time line,
 * then the first synchronisation, then a step, then a sleep. */
struct clockstep clockstep_compare(const struct clockstep_reading *before, const struct clockstep_reading *after);
