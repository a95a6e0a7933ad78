// SPDX-License-Identifier: MIT
// story_internal: what the files of story share: what was not told yet, and the records.
#pragma once

#include "daemon/core/journal.h"
#include "daemon/scheduler/schedule.h"
#include "daemon/scheduler/story.h"

#define STORY_HOLD_US USEC_PER_MINUTE
#define STORY_COMMANDS_MAX                                                                                                     \
        20 /* that were given to a job are told in STORY_HOLD_US; who may control one job can't bury the records of others */

struct untold {
        uint64_t n;
        int64_t first_rt_us, last_rt_us;
};

/* What is told at once only so often in STORY_HOLD_US. */
struct often {
        int64_t since_bt_us;
        uint8_t n;
};

/* What was not told yet of a job. */
struct held {
        uint32_t job;
        bool is_change_untold;
        struct often changes, commands;
        uint64_t commands_untold;
        enum run_result last_result;
        struct untold missed[SLOT_REASON_MAX];
        uint64_t runs, failures; /* since the last summary */
        uint64_t failures_untold;
        int64_t told_bt_us;    /* trouble was last told */
        int64_t summary_bt_us; /* when runs is to be told */
};

struct story {
        struct journal *journal;
        char instance[33];
        struct held *held;
        size_t n_held, allocated_held;
        struct index by_job;
        struct schedule due;
        struct often group_commands;
        uint64_t group_commands_untold;
        uint64_t unclaimed; /* starts since they were last told */
        int64_t unclaimed_told_bt_us;
        int64_t clock_told_bt_us;
        uint64_t steps; /* of the wall clock since they were last told, and how far they went together */
        int64_t step_us;
        bool is_first_sync_untold, is_time_line_untold; /* were among them */
};

/* True if one more may be told at once in STORY_HOLD_US; else the caller counts it. */
bool story_may_tell(struct often *often, struct clock_sample now, uint8_t max);

/* ---- runs and slots ---- */

/* A record of a job begins. */
struct journal_record story_begin(const struct story *s, enum event_kind kind, const char *job);
void story_tell_started(const struct story *s, const char *job, const struct job_run *run);
/* A span without its small parts. Prints into buf, returns it. */
char *story_print_rounded(int64_t us, char buf[static 96]);
/* failures: how many of the same kind are told with this one (1: just this). */
void story_tell_ended(const struct story *s, const struct engine *e, const char *job, const struct action *a, uint64_t failures,
                      const void *value, size_t value_size);
/* A run of which no slot tells. */
void story_tell_refused(const struct story *s, const char *job, const struct job_run *run, const char *condition);
/* A slot that could not be started for lack of resources, and is tried again. */
void story_tell_short(const struct story *s, const char *job, const struct action *a);
void story_tell_pending(const struct story *s, const char *job, const struct job_run *run, const char *condition);
/* A number that a trigger was told and that the journal has named never stays without its end. */
void story_tell_dropped(const struct story *s, const char *job, uint64_t run, enum run_result result);
/* The last word on a slot, whose next attempt was announced. */
void story_tell_given_up(const struct story *s, const char *job, const struct action *a, const char *condition);
void story_tell_overdue(const struct story *s, const struct engine *e, struct clock_sample now, const char *job,
                        const struct action *a);
/* Slots that were missed or withheld, or, without a reason, interrupted. */
void story_tell_missed(const struct story *s, const char *job, enum slot_reason reason, const struct untold *slots,
                       const char *condition);
/* Tells all missed slots that are held, one record a reason. True if there were any. */
bool story_tell_missed_held(const struct story *s, const char *job, struct held *held);
/* Tells the failures that are held, and how it stands now. */
void story_tell_failures_held(const struct story *s, const char *job, struct held *held);
void story_tell_merged(const struct story *s, const char *job, const struct action *a);
void story_tell_caught_up(const struct story *s, const char *job, const struct job_run *run);

/* ---- holds, clocks, the ledger ---- */

/* "paused by root since ...: reason" and the like. Who let it go on is for the caller of the command to know. */
void story_tell_hold(const struct story *s, const struct engine *e, const struct book *b, struct clock_sample now,
                     const struct action *a);
/* What became of the hold of a group, for all of its members. */
void story_tell_group_hold(struct story *s, const struct engine *e, struct clock_sample now, const struct action *a);
/* All that was done to the wall clock since it was last told, in one record. */
void story_tell_steps(struct story *s, struct clock_sample now);
void story_tell_clock(struct story *s, struct clock_sample now, const struct clockstep *change);
/* A slot started though the ledger does not have it: after a power cut it could run again. */
void story_tell_unclaimed(struct story *s, struct clock_sample now, const char *job);
