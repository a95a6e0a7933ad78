// SPDX-License-Identifier: MIT
// ledger_store: the writing connection: batches become transactions, old rows go, the log is read into the file.
// Blocks; called by the writer thread only. After a failure that is not said to be harmless the store is to be closed and opened anew.
#pragma once

#include "daemon/scheduler/ledger_file.h"
#include "daemon/scheduler/ledger_jobs.h"
#include "daemon/scheduler/ledger_row.h"

#define LEDGER_SIZE_MAX     (INT64_C(1024) * 1024 * 1024) /* bytes that rows may take */
#define LEDGER_SLOTS_MAX    10000                         /* rows of ranges that a job keeps */
#define LEDGER_PLANS_MAX    1000                          /* segments that a job keeps */
#define LEDGER_POLICIES_MAX "10000"                       /* texts, over which those that no job or segment has go */
#define LEDGER_CLOCKS_MAX   10000                         /* rows of clock */
#define LEDGER_WAL_PAGES    1000                          /* of the log, after which it is read into the file */

/* Rows that were put until one commit. */
struct ledger_batch {
        struct ledger_batch *next;
        uint64_t number;
        struct clock_sample at; /* when it was handed over */
        struct pack rows;
};

/* What may stay; the constants above and in ledger.h unless a test has others. Runs and days are of jobs without History=. */
struct ledger_limits {
        int64_t bytes; /* 0: as by default, all of them */
        size_t queue;  /* bytes, see LEDGER_QUEUE_MAX */
        uint32_t runs, days, slots, plans, clocks;
};

enum store_statement {
        STORE_BEGIN,
        STORE_COMMIT,
        STORE_META,
        STORE_LIFE,
        STORE_HORIZON,
        STORE_STOPPED,
        STORE_CLOCK,
        STORE_CLOCK_TRIM,
        STORE_GROUP_HOLD,
        STORE_GROUP_FREE,
        STORE_JOB_FIND,
        STORE_JOB_COUNTS,
        STORE_JOB_TAIL,
        STORE_JOB_ADD,
        STORE_JOB,
        STORE_JOB_PINS,
        STORE_JOB_TRIMMED,
        STORE_POLICY_FIND,
        STORE_POLICY_ADD,
        STORE_RUN,
        STORE_RUN_AGAIN,
        STORE_LATEST,
        STORE_VALUE,
        STORE_VALUE_DROP,
        STORE_SLOTS,
        STORE_SEGMENT,
        STORE_CROWD_RUNS,
        STORE_CROWD_SLOTS_SUM,
        STORE_CROWD_SLOTS,
        STORE_CROWD_SEGMENTS,
        STORE_AGE_JOB,
        STORE_AGE_RUNS,
        STORE_AGE_SLOTS,
        STORE_OLD_RUNS,
        STORE_OLD_RUN,
        STORE_OLD_SLOTS,
        STORE_OLD_SLOT,
        STORE_MAX
};

/* How far a pass through old rows has come. */
struct ledger_pass {
        int64_t job; /* the one that it is at */
        int64_t run, slots;
};

struct ledger_store {
        struct ledger_file file;
        struct ledger_limits limits;
        sqlite3_stmt *statements[STORE_MAX];
        struct ledger_jobs jobs;
        int64_t next_slots_id;
        uint64_t newest_run; /* no row of runs has a higher number */
        uint64_t *ended;     /* runs whose end is in the transaction, in their order: their start is not written */
        size_t n_ended, allocated_ended;
        int wal_pages;           /* in the log */
        uint64_t n_pages;        /* written since the start: a figure for tests */
        bool is_sweeping;        /* texts are to be looked through */
        bool is_trimming_by_age; /* a pass through old rows is under way */
        struct ledger_pass by_age, by_size;
        int64_t next_pass_rt_us; /* when the next one by age begins */
};

/* Opens the file, see ledger_file_open(); s is zeroed or was closed, its limits stay. 0 or a negative errno. */
int ledger_store_open(struct ledger_store *s, const char *folder, int64_t now_rt_us);
/* Closes; is_clean: the log is read into the file first, if nobody else has it open. Takes zeroed ones. */
void ledger_store_close(struct ledger_store *s, bool is_clean);
/* What it says of itself. 0 or a negative errno. */
int ledger_store_state(struct ledger_store *s, struct ledger_state *ret);
/* Calls fn with every job, then with every run that must be known; ends with its result if that is not 0. 0 or a negative errno. */
int ledger_store_load(struct ledger_store *s, int (*fn)(void *userdata, const struct ledger_row *row), void *userdata);
/* Writes the batches of a list in one transaction and syncs it. 0; else nothing of them is in the file, but after an -EIO they may
 * be: then file.seq, when it is opened anew, tells. */
int ledger_store_write(struct ledger_store *s, const struct ledger_batch *batches);
/* Reads the log into the file as far as no reader needs it; is_all: all of it and empties it, or fails. 0 or a negative errno. */
int ledger_store_checkpoint(struct ledger_store *s, bool is_all);
/* Takes away what may not stay, for about budget_us. 1 where there may be more, 0, or a negative errno. */
int ledger_store_trim(struct ledger_store *s, int64_t now_rt_us, int64_t budget_us);

/* What History= of a policy's text says, the limits where it says nothing; *ret_age_us may be DURATION_INFINITY. */
void ledger_store_history(const struct ledger_limits *limits, const char *when, uint32_t *ret_runs, int64_t *ret_age_us);
/* The statement, ready to be bound. */
sqlite3_stmt *ledger_store_statement(struct ledger_store *s, enum store_statement which);
/* Undoes the open transaction and forgets what is remembered of jobs. */
void ledger_store_rollback(struct ledger_store *s);
/* Begins a transaction. 0 or a negative errno. */
int ledger_store_begin(struct ledger_store *s);
