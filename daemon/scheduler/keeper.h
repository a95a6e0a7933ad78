// SPDX-License-Identifier: MIT
// keeper: keeps the ledger in step with the engine: actions become rows, changed jobs are written as images, results are acknowledged
// to the runner only when they are committed. Pure: it writes through a sink.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/book.h"
#include "daemon/scheduler/engine.h"
#include "daemon/scheduler/ledger.h"

#define KEEPER_RESULT_US (200 * USEC_PER_MSEC) /* a result is committed so soon: until then the runner keeps it, too */
#define KEEPER_IDLE_US   (5 * USEC_PER_SEC)    /* and everything else */
#define KEEPER_ROUTINE_US                                                                                                      \
        (2 * USEC_PER_SEC) /* so often what is routine begins to be written; nobody waits for it but the hosts, */
#define KEEPER_STEP_US  (1 * USEC_PER_MSEC) /* in small steps, so often, */
#define KEEPER_STEP_MIN 32                  /* of so many jobs at least, */
#define KEEPER_STEPS    256                 /* so many at most */

/* Where rows go; see ledger_put_X() and ledger_commit(). */
struct keeper_sink {
        void (*job)(void *userdata, const struct ledger_job *job);
        void (*run)(void *userdata, const struct ledger_run *run);
        void (*range)(void *userdata, const struct ledger_range *range);
        void (*segment)(void *userdata, const struct ledger_segment *segment);
        void (*clock)(void *userdata, const struct ledger_clock *clock);
        void (*group)(void *userdata, const struct ledger_group *group);
        uint64_t (*commit)(void *userdata);
};

struct keeper;

int keeper_new(const struct keeper_sink *sink, void *userdata, const uint8_t boot_id[static 16], struct keeper **ret);
struct keeper *keeper_free(struct keeper *k);

/* The ledger has this job's plan already: it was restored. */
void keeper_has(struct keeper *k, uint32_t job);
/* Takes an action over, after the book has it. Without memory the job is written at once. What a hosted job does day in, day out is
 * gathered, and written without a row for each run. */
void keeper_note(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now, const struct action *a,
                 const void *value, size_t value_size);
/* A run has ended: keeper_next_ack() gives it when that is committed. 0, -ENOMEM. */
int keeper_ended(struct keeper *k, struct clock_sample now, uint64_t run);
/* Writes what has changed and commits, where it is time or forced. Returns the commit's number, 0 where nothing was done. */
uint64_t keeper_flush(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now, bool is_forced);
/* The ledger has begun anew: puts all that is known of every job that it had, for the next flush, which is due at once. */
void keeper_put_all(struct keeper *k, struct engine *e, const struct book *b, struct clock_sample now);
/* What is routine goes with the next flush as a whole. */
void keeper_settle(struct keeper *k);
/* What was noted until this had risen to a number is durable once keeper_kept_era() has come to it. Asked
 * behind keeper_flush(). */
uint64_t keeper_era(const struct keeper *k);
/* The era that is durable when a commit of this number is; 0: none. */
uint64_t keeper_kept_era(struct keeper *k, uint64_t committed);
/* When keeper_flush() wants to be called (BOOTTIME), INT64_MAX for never. */
int64_t keeper_next_flush(const struct keeper *k);
/* Whether something could not be put for lack of memory: there are no more commits. */
bool keeper_has_failed(const struct keeper *k);
/* The next run that may be acknowledged now that a commit of this number is durable; false where there is none. */
bool keeper_next_ack(struct keeper *k, uint64_t committed, uint64_t *ret_run);
