// SPDX-License-Identifier: MIT
// control_history: calls that the ledger answers: ListRuns, ListMissed, Why of an instant, Audit. The reader thread answers later; a
// client that has gone by then has taken its question along.
#pragma once

#include "daemon/scheduler/audit.h"
#include "daemon/scheduler/control_internal.h"
#include "daemon/scheduler/control_words.h"
#include "daemon/scheduler/ledger.h"

#define CONTROL_HISTORY_US (10 * USEC_PER_SEC) /* how long the ledger may take to answer a question */

/* A call that asks the ledger, maybe several questions one after the other. */
struct control_history {
        struct control_wait *wait;
        uint64_t ticket;           /* 0: nothing is asked now */
        bool has_asked;            /* the first question waited for what was decided until then */
        struct ledger_query query; /* the latest */
        char *job;                 /* NULL: all; Audit: the one at hand */
        bool is_more;              /* a stream */
        uint32_t outcomes;         /* ListMissed: bits by enum slot_outcome */
        /* Why: the rows that the answer speaks of */
        struct words_past past;
        struct ledger_range range, merged, beside;
        struct ledger_run run;
        struct ledger_clock clock;
        /* Audit */
        struct audit *audit;
        struct audit_terms terms;
        struct job_image image;
        uint64_t after;      /* the job that was looked at last */
        bool is_single;      /* only the one that was named */
        bool is_room_wanted; /* the next job is to be looked at when the reply before is on its way */
        size_t n_rows;       /* that were read of a kind */
};

/* The call waits for the ledger from now on. NULL where it is answered with an error: there is none. */
struct control_history *control_history_begin(struct control_call *call);
/* Takes NULL, returns NULL. */
struct control_history *control_history_free(struct control_history *h);
/* Asks; fn gets h as userdata. Where that fails the call is answered. */
void control_history_ask(struct control_history *h, const struct ledger_query *query, ledger_answer_fn fn);
/* For each answer first: false where it is none, and the call is answered with an error. */
bool control_history_hear(struct control_history *h, const struct ledger_answer *answer);
/* The last words: a reply; that the ledger could not answer, for a negative errno; */
void control_history_reply(struct control_history *h, json_t *parameters);
void control_history_fail(struct control_history *h, int error);
/* that the job is not known, neither to the engine nor to the ledger. */
void control_history_no_such_job(struct control_history *h);
/* Whether the caller may control a job, also one that is no longer defined. */
bool control_history_may_control(const struct control_history *h, const char *job);
/* A row as Missed, a run as Run with its value if that may be seen. */
json_t *control_history_range(const struct ledger_range *range);
json_t *control_history_run(const struct control_history *h, const struct ledger_run *run);

/* Methods. */
int control_do_list_runs(struct control_call *call);
int control_do_list_missed(struct control_call *call);
int control_do_audit(struct control_call *call);
/* Of an instant from the ledger, else from memory. */
int control_do_why(struct control_call *call);

/* Audit: there is room for the next job. */
void control_audit_room(struct control_history *h);
