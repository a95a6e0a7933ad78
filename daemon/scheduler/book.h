// SPDX-License-Identifier: MIT
// book: what is remembered of each job for those who ask: counts, latest runs with their values, latest slots that did not run,
// who holds it. Fed with the engine's actions; pure. Nothing here decides anything.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/engine.h"

#define BOOK_RECENT   8   /* ranges of slots that did not run, a job */
#define BOOK_TEXT_MAX 200 /* bytes of a hold's reason */
#define BOOK_VALUES_LIMIT                                                                                                      \
        (64 * 1024 * 1024) /* bytes of values in all; over it the values of the jobs that ended longest ago go */

/* Bytes of a run's output. */
struct book_value {
        char *data; /* owned by the book; NULL: none was kept */
        size_t size;
};

/* A run that is over, or in flight (end.result is RUN_RESULT_NONE). */
struct book_run {
        struct job_run run;
        struct run_end end;
        struct book_value value;
};

struct book_range {
        enum slot_outcome outcome; /* missed, withheld, merged */
        enum slot_reason reason;
        uint64_t n;
        int64_t first_rt_us, last_rt_us;
        uint64_t run;       /* merged: into which */
        int64_t told_rt_us; /* when it was known */
        bool is_more;       /* the trouble lasts */
};

struct book_hold {
        char *by, *reason;             /* by is NULL where there is no hold; reason may be */
        int64_t at_rt_us, until_rt_us; /* INT64_MAX: no end */
};

struct book_counts {
        uint64_t runs, successes, failures, failures_in_row, triggered, interrupted; /* ends of runs */
        uint64_t missed, withheld, merged;                                           /* slots */
};

struct book_job {
        uint32_t job;
        struct book_counts counts;
        const struct book_run *last;                     /* begun last, also in flight; NULL: none, as the next two */
        const struct book_run *last_good, *last_failure; /* over; that may be the same */
        struct book_range *recent;                       /* newest first; a range that goes on grows */
        size_t n_recent;
        struct book_hold hold;
};

struct book_totals {
        uint32_t n_failing; /* jobs whose latest run that has ended failed */
        uint64_t n_slots_missed;
};

struct book;

int book_new(struct book **ret);
struct book *book_free(struct book *b);
/* What the ledger has of a job; hold.by may be NULL. Texts are copied. */
void book_restore(struct book *b, uint32_t job, const struct book_counts *counts, const struct book_hold *hold);
/* One of its latest runs, by number the latest, the latest good, the latest failed. */
void book_restore_run(struct book *b, uint32_t job, const struct job_run *run, const struct run_end *end, const void *value,
                      size_t value_size);
/* Takes in the runs in flight that an earlier scheduler began. */
void book_adopt(struct book *b, const struct engine *e);
/* Takes an action over; value is the run's output (ENDED). Without memory something is not remembered: the engine is right. */
void book_note(struct book *b, const struct engine *e, struct clock_sample now, const struct action *a, const void *value,
               size_t value_size);
/* Who is about to pause or cancel; said before the engine is told. reason may be NULL. Copied; cut at BOOK_TEXT_MAX. 0, -ENOMEM. */
int book_sign(struct book *b, uint32_t job, struct clock_sample now, const char *by, const char *reason, int64_t until_rt_us);
/* What is known of a job; NULL where nothing ever happened. Borrowed until the next book call. */
const struct book_job *book_find(const struct book *b, uint32_t job);
const struct book_totals *book_totals(const struct book *b);
