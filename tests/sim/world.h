// SPDX-License-Identifier: MIT
// world: the engine on a simulated clock, with a fake runner behind it and a ledger that checks every action.
// Whatever the engine claims is compared with what the world knows to be true.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/clock.h"
#include "daemon/scheduler/engine.h"
#include "tests/sim/store.h"

#define WORLD_ENDS     1024
#define WORLD_CHAINED  4096
#define WORLD_JOBS     64
#define WORLD_DEBTS    64  /* slots of segments that are over, which still wait for their outcome */
#define WORLD_QUEUE    8   /* slots that wait for the run in flight, at most */
#define WORLD_PARALLEL 8   /* runs of a job in flight */
#define WORLD_PENDING  16  /* slots and triggers of a job that wait for their conditions */
#define WORLD_UNACKED  256 /* results of one job that the runner keeps */
#define WORLD_RANGES   64  /* accounted ranges of a segment that are not contiguous */

/* A span of BOOTTIME in which something was so. */
struct world_span {
        int64_t from_us, to_us;
};

struct world_range {
        int64_t first, last;
};

/* What is accounted for in one segment of one job. */
struct world_segment {
        uint32_t number; /* 0: none yet */
        int64_t anchor_us, first_key;
        struct world_range ranges[WORLD_RANGES]; /* sorted, apart */
        size_t n_ranges;
};

/* Slots that a closed segment still owes. */
struct world_debt {
        uint32_t segment;
        int64_t first, last;
};

struct world_totals {
        uint64_t ran, missed, merged, withheld, dropped, interrupted, by_reason[SLOT_REASON_MAX];
        uint64_t started, ended, failed;
};

/* The latest outcomes, for timelines. */
struct world_entry {
        enum slot_outcome outcome;
        enum slot_reason reason;
        enum wire_item item;
        int64_t first_rt_us, last_rt_us;
        uint64_t n;
        int64_t start_rt_us; /* ran: when it was started */
        int64_t lag_us;
        enum run_cause cause;
        uint64_t run;
};

/* A run that is over, whose result is not acknowledged yet. */
struct world_result {
        struct wire_start start;
        int64_t begun_bt_us, end_bt_us;
        struct run_end end;
        uint64_t era; /* of a host: the keeper's in which it may be acknowledged; 0: when the keeper says so */
};

/* A run in flight beside another one. */
struct world_flight {
        struct wire_start start;
        bool is_started_told, is_killed;
        int64_t begun_bt_us, end_bt_us;
        struct run_end end;
};

/* What waits for its conditions, which did not hold. */
struct world_pending {
        struct wire_start start;
        int64_t from_us, until_us; /* it is to be asked again between these (BOOTTIME) */
        bool is_condition;         /* that did not hold; else it lacked resources */
};

struct world_job {
        char name[32];
        struct job_when when;      /* that the plan at hand was made under */
        struct job_when committed; /* in force */
        struct job_when defined;   /* in force with the next commit */
        bool is_committed, is_defined;
        struct hash128 hash;
        int64_t since_rt_us, since_bt_us;
        struct wire_trail trail;
        bool has_trail;
        /* the run in flight or not acknowledged */
        struct wire_start start;
        bool is_running, is_started_told;
        struct world_flight others[WORLD_PARALLEL]; /* beside it: those that began before */
        size_t n_others;
        uint32_t max_parallel; /* the largest that it ever had; 0: none */
        struct world_result unacked[WORLD_UNACKED];
        size_t n_unacked;
        int64_t started_slot_rt_us; /* of the latest slot that was started, whatever anybody remembers; 0: none */
        uint32_t started_segment;
        uint64_t started_steps; /* clock steps then */
        bool was_unclaimed;     /* it started above the durable horizon */
        int64_t begun_bt_us, end_bt_us;
        struct run_end end;
        struct world_span last_run;                 /* decided to end */
        struct world_span runs_before[WORLD_QUEUE]; /* and those before it, the latest first */
        uint32_t queue_max;                         /* the largest that it ever had, from 1 */
        struct world_segment segment, before;       /* the plan at hand, and the one before it */
        bool is_segment_new;                        /* it began by the event at hand */
        struct world_totals totals;
        bool is_boot_started;
        struct world_debt debts[WORLD_DEBTS];
        size_t n_debts;
        /* holds and commands */
        bool is_held; /* paused by itself */
        bool is_paused, is_cancelled, is_finished, is_failed;
        struct world_span pause; /* the latest; INT64_MAX: not over */
        int64_t pause_until_us;  /* when it is to end by itself */
        int64_t interval_us;     /* set by command; 0: not */
        int64_t draw_bound_us;   /* the largest it ever had: a changed one moves what is drawn already */
        bool is_moved;           /* its plan is of another boot, until a new one begins */
        bool may_catch_up;       /* it had CatchUp=all once: passed slots may wait for their runs */
        int64_t spread_us;       /* the largest CatchUpSpread= it ever had */
        bool may_queue;          /* it had Overlap=queue once: what waited then may still do */
        uint64_t promised;       /* to a trigger; 0: none is */
        bool may_repeat;         /* it had RetryInterrupted= once: attempts come unannounced */
        uint16_t next_attempt;   /* that was announced; 0: none */
        int64_t next_attempt_us; /* not before (BOOTTIME) */
        uint64_t attempt_after;  /* the run before it */
        uint32_t failed_in_row;  /* slots */
        bool owes_stop;          /* they are as many as StopAfterFailures= says */
        bool may_wait;           /* it had ConditionWait= once */
        size_t n_overdue, n_overdue_again, n_overdue_over;
        bool is_killed;                              /* the run in flight */
        struct world_pending pending[WORLD_PENDING]; /* the latest stands first */
        size_t n_pending;
        int64_t wait_bound_us;     /* the largest ConditionWait= that it ever had */
        struct wire_start ending;  /* whose end is being told; run 0: none */
        bool is_forced;            /* a trigger of the run that comes next says so */
        uint64_t missed_since_run; /* as told */
        enum run_result told_result;
        int64_t waits_since_us; /* for a place; INT64_MIN: it does not */
        bool may_await_place;   /* it belonged to a pool once */
};

#define WORLD_PASSED 2048

/* The parameters of a run, or of one that a trigger was told of. */
struct world_passed {
        uint64_t run;
        unsigned set; /* see passed.h */
        bool is_promised, is_started;
};

#define WORLD_GROUPS 4

struct world_group {
        const char *name;
        uint32_t max_running, next_max; /* in force, and with the next commit; 0: no limit */
        bool is_held;
        int64_t until_us; /* BOOTTIME */
};

/* The end of a slot or a trigger, whose children are to have their slots. */
struct world_chain_end {
        char job[32];
        uint64_t run;
        int64_t at_bt_us;
        bool is_good;
};

/* What the ledger owes to the end of a parent. */
struct world_chain_debt {
        char child[32];
        uint64_t run;
        int64_t at_rt_us; /* its instant */
        uint64_t number;  /* of the batch that must have it */
};

struct world_chains {
        struct world_chain_end ends[WORLD_ENDS]; /* of the event at hand; before the first commit, until then */
        size_t n_ends;
        char outcomes[WORLD_ENDS][32]; /* children that got an outcome in it */
        size_t n_outcomes;
        struct {
                char job[32];
                uint64_t run;
                bool may_repeat;  /* nothing durable spoke for it */
        } started[WORLD_CHAINED]; /* children, and the run that they follow; the oldest goes */
        size_t next_started;
        struct world_chain_debt debts[WORLD_ENDS];
        size_t n_debts;
        bool is_syncing; /* a new scheduler has not committed yet */
};

struct world {
        struct clock_sample now;
        struct engine *engine;
        struct wire_hello hello;
        struct world_job jobs[WORLD_JOBS];
        size_t n_jobs;
        uint64_t generation;
        struct world_span down;  /* the latest time without a scheduler */
        int64_t down_to_rt_us;   /* its end as wall-clock time */
        struct world_span slept; /* the latest sleep of the machine */
        uint64_t n_sleeps;
        int64_t woken_rt_us;       /* its end as wall-clock time */
        struct world_span stepped; /* wall-clock instants that the latest step forward left out */
        int64_t stepped_bt_us;     /* when the wall clock was last set */
        /* how long a run of a job takes and how it ends; set by the test */
        void (*run_of)(void *userdata, struct world *w, struct world_job *job, int64_t *ret_duration_us,
                       struct run_end *ret_end);
        void *userdata;
        struct world_entry *entries; /* of the job that is watched */
        size_t n_entries, allocated_entries;
        struct world_chains chains;
        const char *watched;
        const char *traced; /* a job whose actions are printed; NULL: none */
        uint64_t n_actions;
        /* the ledger; NULL: there is none */
        struct store *store;
        struct keeper *keeper;
        struct book *book;
        bool is_flush_wanted;
        uint64_t store_lag; /* so many commits are on their way to the disk */
        bool holds_started; /* the runner's word of a start is late */
        struct {
                uint64_t number;
                struct clock_sample at;
                int64_t asked_bt_us;
        } horizons[64];
        size_t n_horizons;
        int64_t asked_bt_us; /* when the engine last asked for one */
        uint64_t n_steps;
        int64_t sync_wait_us;           /* so long after boot wall grids wait for a synchronised clock */
        int64_t kill_us;                /* so long a run lives on when it is to be ended */
        bool is_stopping;               /* the scheduler may start nothing more */
        bool is_triggering, is_forcing; /* inside a trigger */
        int64_t slow_us;                /* so long after a resume or a step the scheduler gets round to what is due */
        int planted;                    /* a bug for the world to find; 0: none */
        char error[256];                /* what went wrong first; empty: nothing */
        struct world_passed passed[WORLD_PASSED];
        struct world_group groups[WORLD_GROUPS];
        size_t n_groups;
        bool is_foreseen;                       /* who is paused by a group is settled when the event at hand is over */
        uint32_t max_running, next_max_running; /* of all jobs */
        bool is_reordered;                      /* a commit has changed whose turn it is */
        bool is_committing;                     /* what is due starts by the definitions of before */
        int64_t settled_us;                     /* when it was last seen who waits for a place */
};

/* A world at a wall-clock instant, some time after boot, without jobs; the scheduler is up. */
void world_init(struct world *w, int64_t rt_us, int64_t bt_us);
void world_done(struct world *w);
/* Defines or changes a job; in force after world_commit(). */
struct world_job *world_define(struct world *w, const char *name, const struct job_when *when);
void world_remove(struct world *w, const char *name);
/* Defines or changes a group; in force after world_commit(). The name is borrowed. */
void world_group(struct world *w, const char *name, uint32_t max_running);
void world_commit(struct world *w);
struct world_job *world_find(struct world *w, const char *name);
/* Lets time pass to an instant of BOOTTIME: ends, wakes, in their order; ends before slots of the same instant. */
void world_run_to(struct world *w, int64_t bt_us);
/* The scheduler's next wake comes late: the clock passes on by itself, ends arrive, then it looks. */
void world_stall(struct world *w, int64_t us);
/* Time passes to the next wake, ends included; what is due then is still to be done when the next event comes. */
void world_reach_wake(struct world *w);
/* The scheduler dies; runs go on; a new one is up after some time. */
void world_crash(struct world *w, int64_t down_us);
/* The same, and nobody saw the wall clock being set meanwhile. */
void world_crash_and_step(struct world *w, int64_t down_us, int64_t by_us);
/* The scheduler is to end: it goes on hearing of ends, and starts nothing more. */
void world_stop(struct world *w);
/* The machine sleeps, and its runs with it. */
void world_suspend(struct world *w, int64_t us);
/* The wall clock is synchronised, for the first time in this boot, and set by so much. */
void world_synchronise(struct world *w, int64_t by_us);
/* The wall clock is set. */
void world_step_clock(struct world *w, int64_t by_us);
/* Commands: what the engine answers, after it was compared with what the world knows; -1 where there is no such job. */
int world_trigger(struct world *w, const char *name, const struct engine_trigger *trigger, uint64_t *ret_run);
int world_cancel(struct world *w, const char *name, bool is_run_only);
int world_start(struct world *w, const char *name);
int world_pause(struct world *w, const char *name, int64_t until_bt_us);
int world_resume(struct world *w, const char *name);
int world_pause_group(struct world *w, const char *name, int64_t until_bt_us);
int world_resume_group(struct world *w, const char *name);
/* What a command ends with, in another file: what the engine has decided is done; it goes on, and is checked. Returns r. */
void world_take_actions(struct world *w);
int world_finish(struct world *w, int r);
int world_set_interval(struct world *w, const char *name, int64_t every_us);
/* From now on there is a ledger; before the first definition. */
void world_begin_ledger(struct world *w);
/* So many commits are on their way to the disk from now on. */
void world_slow_disk(struct world *w, uint64_t lag);
/* All dies but the disk: runs, runner, scheduler; a reboot, or only both programs anew. */
void world_power_cut(struct world *w, int64_t down_us, bool is_reboot);
/* A start now does without the ledger: it takes too long, or the policy does not ask for a claim. */
bool world_starts_unclaimed(const struct world *w, const struct world_job *job);
/* Keeps what a job does that it must not do; only the first is kept. */
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Everything that must hold between two events, for every job. False: w->error says what. */
bool world_check(struct world *w);
