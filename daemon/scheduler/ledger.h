// SPDX-License-Identifier: MIT
// ledger: the store of what became of each slot and run: SQLite behind a writer thread and a reader thread. The loop only queues and
// hears; it makes no store call. What is committed survives a power cut.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/journal.h"
#include "daemon/core/loop.h"
#include "daemon/scheduler/book.h"
#include "daemon/scheduler/engine.h"

#define LEDGER_FILE   "ledger.db" /* in the state folder */
#define LEDGER_SCHEMA 7
#define LEDGER_QUEUE_MAX                                                                                                       \
        (16 * 1024 * 1024)      /* bytes that wait for the writer; beyond, rows of runs are folded into counts, told */
#define LEDGER_RUNS_MAX    100  /* History= by default: runs a job, */
#define LEDGER_DAYS_MAX    90   /* and days */
#define LEDGER_QUERY_LIMIT 1000 /* rows of one answer */

struct ledger;

/* A job as the ledger keeps it. Texts are borrowed in both directions, for the call. */
struct ledger_job {
        const char *name;
        const char *when; /* canonical text of the definition that the plan is of */
        const void *plan; /* the engine's image, see image.h */
        size_t plan_size;
        struct book_counts counts;
        struct book_hold hold; /* by NULL: none */
};

/* A run as the ledger keeps it; result RUN_RESULT_NONE: not known to have ended. Its start is kept once (run's in flight, end's after
 * that), is_ending not at all. */
struct ledger_run {
        const char *job;
        struct job_run run;
        struct run_end end;
        const void *value; /* of the latest, the latest good and the latest failed run of a job; else not kept */
        size_t value_size;
        bool is_routine; /* its slots' range speaks for it and others: of a job only the latest is kept, to be known at the start */
};

/* Slots in a row with one outcome. */
struct ledger_range {
        const char *job;
        enum wire_item item;
        uint32_t segment;
        enum slot_outcome outcome;
        enum slot_reason reason;
        int64_t first, last; /* keys */
        uint64_t n;
        int64_t first_rt_us, last_rt_us;
        uint64_t
                run; /* ran, merged, interrupted: which; 0: none. In an answer ranges of a day that go on one another are one row: `ran`
                       * has the first run then, the others are in the rows of runs; */
        int64_t lag_us; /* the longest; n < last - first + 1 where outcomes in turn were folded over the bound */
        int64_t told_rt_us;
        enum run_result result; /* ran: how all of its runs ended, which have no rows of their own; NONE: each has one */
};

/* A plan from an instant on. */
struct ledger_segment {
        const char *job;
        uint32_t segment;
        const char *when; /* canonical text of the policy, the interval set by command included; "": nobody knows it */
        int64_t anchor_us, first_key;
        int64_t offset_us; /* REALTIME minus BOOTTIME then: makes BOOTTIME instants of this boot wall-clock ones */
        int64_t begun_rt_us;
        uint8_t boot_id[16];
        uint8_t calendar
                [16]; /* agenda_hash() of what it is counted by: the data of its zones, too; zeros: no calendar, or not known */
};

enum ledger_clock_kind {
        LEDGER_CLOCK_BOOT,  /* of the machine, before the START that noticed it */
        LEDGER_CLOCK_START, /* of a scheduler */
        LEDGER_CLOCK_STOP,  /* in order */
        LEDGER_CLOCK_STEP,
        LEDGER_CLOCK_RESUME,
        LEDGER_CLOCK_SYNC,
        LEDGER_CLOCK_MAX
};

struct ledger_clock {
        enum ledger_clock_kind kind;
        struct clock_sample at;
        int64_t by_us; /* step: how far; resume: how long it slept; start: how long nobody was there; boot: how
                       * much of that until the machine came up */
        uint8_t boot_id[16];
};

/* The hold of a group. */
struct ledger_group {
        const char *name;
        struct book_hold hold; /* by NULL: none any more */
};

/* Slots up to here may have been started without a word of it in the ledger; none beyond it was. */
struct ledger_horizon {
        uint8_t boot_id[16];
        int64_t bt_us, rt_us;
};

/* What the ledger is as a whole, when it has been opened. */
struct ledger_state {
        bool is_new;
        bool is_volatile; /* the folder is in memory: a reboot forgets it */
        char aside[64];   /* name under which a damaged one was put away, "" if none was */
        uint8_t uuid[16];
        uint64_t epoch;       /* of the last scheduler */
        uint64_t next_run;    /* lowest number that no run has */
        uint8_t instance[16]; /* the last runner's */
        uint8_t boot_id[16];  /* the last scheduler's boot */
        bool was_stopped;     /* it ended in order */
        struct ledger_horizon horizon;
        struct clock_sample last; /* latest instant known to have been lived through */
};

struct ledger_callbacks {
        /* The store is open, or can't be (error < 0, state NULL: it is tried again; what is put meanwhile waits; -ENOTSUP: a newer chimed made
         * it). Before it, on_job, on_run and on_group were called for all that must be known at the start: every job, its latest, latest good and
         * latest failed run with their values, every run that is not known to have ended, and every group that is held. */
        void (*on_open)(void *userdata, int error, const struct ledger_state *state);
        void (*on_job)(void *userdata, const struct ledger_job *job);
        void (*on_run)(void *userdata, const struct ledger_run *run);
        void (*on_group)(void *userdata, const struct ledger_group *group);
        /* Everything put before the commit of this number is durable. */
        void (*on_committed)(void *userdata, uint64_t number);
        /* Writing fails (error < 0; at most once a minute while it lasts) or works again (0). Nothing is lost meanwhile but by the bound:
         * -ENOBUFS says what went over it. */
        void (*on_trouble)(void *userdata, int error, const char *text);
        /* The file was damaged or taken away while it was in use, and a new one has begun, with other uuid; what was put and not yet
         * committed is in it. All else that is known is to be put again. aside: name of the damaged one, "" if there is none. May be
         * NULL. */
        void (*on_lost)(void *userdata, const struct ledger_state *state);
};

/* Opens or makes the store in a folder (made 0700 if missing; must be the caller's own) in the background. A file that is damaged is put
 * aside as ledger.db.corrupt-TIME with its -wal, and a new one begun. 0 or a negative errno (threads, memory). */
int ledger_new(struct loop *loop, const char *folder, const struct ledger_callbacks *callbacks, void *userdata,
               struct ledger **ret);
/* How many bytes rows may take before the oldest go (LEDGER_SIZE_MAX by default); 0 changes nothing. */
void ledger_set_size(struct ledger *l, uint64_t bytes);
/* Commits what is queued, as far as the disk takes it within patience_us, and closes; a thread that hangs in the disk is left behind.
 * Not from inside a callback. Takes NULL, returns NULL. */
struct ledger *ledger_free(struct ledger *l, int64_t patience_us);

/* Each puts one row (or, for jobs, runs and the horizon, its newest state) into the batch in the making. Never block: over LEDGER_QUEUE_MAX
 * the oldest rows of runs that are over are folded into counts, which is told. Without memory the batch has lost a row. */
void ledger_put_job(struct ledger *l, const struct ledger_job *job);
void ledger_put_run(struct ledger *l, const struct ledger_run *run);
void ledger_put_range(struct ledger *l, const struct ledger_range *range);
void ledger_put_segment(struct ledger *l, const struct ledger_segment *segment);
void ledger_put_clock(struct ledger *l, const struct ledger_clock *clock);
void ledger_put_group(struct ledger *l, const struct ledger_group *group);
void ledger_put_horizon(struct ledger *l, const struct ledger_horizon *horizon);
/* What the runner that is connected and the next run's number are. */
void ledger_put_life(struct ledger *l, uint64_t epoch, const uint8_t instance[static 16], const uint8_t boot_id[static 16],
                     uint64_t next_run);
/* Hands the batch to the writer, one transaction with a sync. Returns its number; if nothing was put, the latest number. One that has lost
 * a row is never handed over, nor is anything behind it; without memory to hand it over it is lost. */
uint64_t ledger_commit(struct ledger *l);
/* The batch in the making has lost a row; it is said to have. */
bool ledger_has_lost(const struct ledger *l);
void ledger_give_up(struct ledger *l);
/* The latest number that on_committed was called with. */
uint64_t ledger_committed(const struct ledger *l);

/* ---- questions, answered by the reader thread from what is committed ---- */

enum ledger_question {
        LEDGER_RUNS,     /* newest first */
        LEDGER_RANGES,   /* of slots, newest first, `ran` included only if asked for */
        LEDGER_SEGMENTS, /* oldest first */
        LEDGER_CLOCKS,   /* oldest first */
        LEDGER_JOBS,     /* that it has rows of, in the order in which they came */
};

struct ledger_query {
        enum ledger_question question;
        const char *job; /* NULL: all */
        int64_t since_rt_us,
                until_rt_us; /* INT64_MIN, INT64_MAX: no bound. Of a run its start or else its slot; of a range what it spans; of a
                                           * segment only until its begin */
        uint64_t run;        /* runs: only this one; 0: all */
        bool is_failed_only; /* runs */
        bool with_ran;       /* ranges: all, or */
        bool with_routine;   /* those that have a result */
        bool with_values;    /* runs: those that are kept */
        uint64_t before; /* a page: only rows older (segments, clocks, jobs: newer) than this `cursor`; 0: from the beginning */
        size_t limit;    /* 1..LEDGER_QUERY_LIMIT */
};

/* Rows of one kind; valid for the call. */
struct ledger_answer {
        int error; /* negative errno; nothing else is valid then. -EAGAIN: the store is not open; -ETIME: it took over two seconds */
        size_t n;
        bool is_known; /* the job that was asked for has, or had, rows of some kind */
        const struct ledger_run *runs;
        const struct ledger_range *ranges;
        const struct ledger_segment *segments;
        const struct ledger_clock *clocks;
        const struct ledger_job *jobs; /* when and plan are NULL and empty where only rows of others name it */
        uint64_t cursor;               /* of the last row, to go on with as `before`; 0: that was all */
        uint64_t n_trimmed;            /* runs or slots of this job that retention has taken away so far */
};

typedef void (*ledger_answer_fn)(void *userdata, const struct ledger_answer *answer);

/* Asks; fn is called once by the loop, never inside this. *ret_ticket names the question. 0; -EBUSY over 64 open questions; -ENOMEM. */
int ledger_ask(struct ledger *l, const struct ledger_query *query, ledger_answer_fn fn, void *userdata, uint64_t *ret_ticket);
/* The answer is no longer wanted. */
void ledger_forget(struct ledger *l, uint64_t ticket);
