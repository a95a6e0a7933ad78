// SPDX-License-Identifier: MIT
// registry: the scheduler's table of jobs: one flat row a job, policies and texts interned, cold state from the first event on.
// Pure. Rows are named by number; a number is reused after registry_drop().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/hash.h"
#include "config/job.h"
#include "daemon/core/run.h"
#include "daemon/core/wire.h"
#include "daemon/scheduler/index.h"

enum job_state {
        JOB_STATE_FREE,     /* row not in use */
        JOB_STATE_NEW,      /* defined, not planned yet */
        JOB_STATE_ARMED,    /* its slots come */
        JOB_STATE_DISABLED, /* Enabled=no */
        JOB_STATE_REMOVED,  /* no longer defined; kept for its phase and its run in flight */
};

/* 72 bytes: a million jobs must fit. Instants are on the clock of the job's grid: REALTIME for a wall grid, else BOOTTIME. */
struct job_row {
        struct hash128 hash; /* of the definition in force */
        int64_t anchor_us;   /* grid, calendar: the instant of key 0 */
        int64_t next_us;     /* nominal instant of the slot `key`, or PATTERN_NEVER; fixed-delay in flight: meaningless */
        int64_t key;         /* the first slot that has no outcome yet */
        int64_t since_us;    /* when the name was first committed (BOOTTIME) */
        uint32_t name;       /* offset into the texts; the description is behind it */
        uint32_t when;       /* row of the interned policies */
        uint32_t was;        /* before the commit: the policy that the plan was made under, INDEX_NONE: none */
        uint32_t cold;       /* row + 1 of the cold state; 0: none yet */
        uint32_t segment;
        uint8_t state;
        bool is_touched : 1;     /* defined or removed since the last commit */
        bool is_removing : 1;    /* the next commit removes it */
        bool is_parent : 1;      /* others follow it, */
        bool is_child : 1;       /* it follows others */
        bool is_boot_done : 1;   /* its OnBoot= slot has an outcome or is not wanted */
        bool is_resumed : 1;     /* the plan comes from the runner's memory: passed slots were missed while down */
        bool is_held : 1;        /* paused by itself; holds belong to the name, whatever its definition says */
        bool is_paused : 1;      /* so, or by one of its groups */
        bool is_cancelled : 1;   /* it has no plan, */
        bool is_finished : 1;    /* nor now, */
        bool is_failed : 1;      /* nor now: StopAfterFailures= has stopped it */
        bool is_written : 1;     /* the ledger has what it must know of the job before its next slot may start */
        bool is_restored : 1;    /* from the ledger, and no commit has judged its plan yet */
        bool was_planned : 1;    /* restored: its slots came */
        bool is_moved : 1;       /* restored: from another boot */
        bool has_other_data : 1; /* restored: the data of its zones were others */
        bool is_hosted : 1;      /* its work is done by a host */
        bool is_unsure : 1;      /* restored: only its host knows what was started, and has not told it */
};

/* A run in flight. */
struct job_run {
        uint64_t run; /* 0: none */
        enum wire_item item;
        enum run_cause cause;
        uint32_t segment;
        int64_t key;
        uint16_t attempt;  /* of the slot, from 1 */
        bool is_unclaimed; /* the ledger took too long: it started without */
        int64_t slot_rt_us;
        int64_t lag_us;
        int64_t begun_bt_us; /* when the START was decided; 0: adopted */
        int64_t start_rt_us, start_bt_us;
        int32_t pid;
        uint64_t missed;            /* slots missed since the run before */
        bool is_ending;             /* its end was asked for */
        bool is_told;               /* its start was an action: the ledger has its slot */
        bool is_known;              /* the runner that is connected has it */
        bool is_asked;              /* its conditions are being asked */
        bool is_open;               /* its slot has no outcome yet: it may still be undone */
        bool was_refused;           /* they did not hold when they were asked before */
        bool is_promised;           /* a trigger was told its number */
        bool is_hosted;             /* a host does it: the runner does not know of it */
        uint16_t n_short;           /* starts of its slot in a row before it that lacked processes, memory or descriptors */
        int64_t anchor_us, slot_us; /* of its slot, on the clock of the job's slots */
        struct run_parent parent;
};

/* What keeps a slot from starting. */
enum job_awaits {
        JOB_AWAITS_RUN,       /* the run in flight, or the ledger */
        JOB_AWAITS_RETRY,     /* the next try of a start that lacked processes, memory or descriptors */
        JOB_AWAITS_CONDITION, /* conditions that did not hold */
        JOB_AWAITS_POOL,      /* a place in its groups */
        JOB_AWAITS_MAX
};

/* What waits: a slot, a trigger, or one run for both. */
struct job_waiting {
        bool is_slot, is_trigger;
        bool is_forced; /* the trigger's: conditions are not asked */
        uint64_t run;   /* the number that a trigger was promised; 0: none was */
        /* the slot's */
        enum job_awaits awaits;
        int64_t from_bt_us; /* it is not started before, unless a trigger comes; 0: at once; INT64_MAX: until it is asked for */
        int64_t until_bt_us; /* then it is missed; 0: not for this */
        uint8_t until_reason;
        enum wire_item item;
        uint16_t attempt;  /* 0: the first */
        uint16_t n_short;  /* as in job_run; begins anew with the scheduler */
        bool is_past;      /* BOOT, WAKE: of another boot, it is too late for it */
        bool is_caught_up; /* it was late already when it began to wait */
        uint32_t segment;
        int64_t anchor_us, key;
        int64_t slot_us, slot_rt_us;
        int64_t due_bt_us; /* nominal instant and drawn delay */
        struct run_parent parent;
};

/* Those that wait behind the first one, in their order. */
struct job_line {
        uint32_t n, allocated;
        struct job_waiting slots[];
};

/* One more attempt of the slot whose last one failed. */
struct job_retry {
        bool is_waiting; /* else it is in flight, or over: the rest is that of the latest */
        bool is_claimed; /* its turn has come: it starts once the ledger has this, and may have begun where only the ledger is left */
        bool is_short;    /* the last could not be started for lack of processes, memory or descriptors: it does not count */
        uint16_t attempt; /* that is to come */
        uint16_t n_short; /* tries in a row that could not be started for that */
        int64_t at_bt_us; /* when it is to be started */
        int64_t refused_bt_us; /* ConditionWait= counts from here: its conditions did not hold; 0: they were not asked, or held */
        int64_t due_bt_us;     /* the slot's instant and drawn delay */
        uint32_t segment;
        int64_t key, slot_rt_us;
        uint64_t run;           /* that has failed, */
        enum run_result result; /* so, */
        int exit_code, signal;  /* as in struct run_end */
        struct run_parent parent;
};

/* Slots that have an outcome that is not told yet, of one reason: keys first..last of a segment. */
struct job_range {
        bool is_open;
        uint8_t reason; /* enum slot_reason */
        uint32_t segment;
        int64_t first, last;
        int64_t first_us, last_us; /* their nominal instants on the grid's clock */
        int64_t open_us;           /* since when (BOOTTIME) */
};

/* What each run of many jobs touches stands in front: a cache line is dearer than an instruction there. */
struct job_cold {
        struct job_run run;
        uint32_t beside, n_beside; /* other runs: the row + 1 of the first, 0: none; how many */
        uint64_t ended_run;        /* the latest that has ended */
        uint64_t missed_since_run;
        uint32_t n_scheduled; /* runs that the schedule has made since the job was armed */
        uint32_t n_failed;    /* slots in a row whose last attempt failed */
        enum run_result last_result;
        uint32_t place;           /* number + 1 in the queue for places; 0: it waits for none */
        int64_t end_bt_us;        /* of the latest end; 0: none */
        int64_t catch_up_bt_us;   /* passed slots wait and go on then; 0: none does, or the run in flight is one of them */
        int64_t delay_bt_us;      /* a fixed delay beside calendars: when it is over; 0: a run is in flight, or there is none */
        int64_t last_slot_us;     /* fixed-delay: nominal instant of the latest slot */
        int64_t good_bt_us;       /* ExpectWithin= counts from here: the last good end, or when a hold ended; 0: neither */
        int64_t overdue_bt_us;    /* when it was last told that it is over; 0: it is not */
        struct job_range missed;  /* or withheld; while a run is in flight or the job is paused: grows until that ends */
        struct job_range merging; /* waits for the next slot's run */
        struct job_retry retry;
        struct job_waiting waiting; /* the first */
        struct job_line *line;      /* owned; NULL: no other waits */
        char *condition;            /* owned: the one that did not hold when they were last asked; NULL: none, or not known */
        int64_t claimed_us;         /* restored: slots up to here may have been started; on the grid's clock; */
        int64_t claimed_key;        /* but none after this one; later: of the slot that starts late, if that is */
        bool is_claim_own;          /* claimed on its own */
        uint32_t defined;           /* policy + 1 of the definition, where another interval was set; 0: none was */
        int64_t paused_until_bt_us; /* INT64_MAX: no end */
        int64_t remind_bt_us;       /* when a hold is told again */
};

/* An interned policy. */
struct registry_policy {
        struct job_when when;
        uint32_t uses; /* 0: free, and next_free is valid */
        uint32_t next_free;
};

struct registry {
        struct job_row *rows;
        size_t n_rows, allocated_rows;
        uint32_t free_row; /* list through .name; INDEX_NONE: none */
        struct index by_name;
        char *texts;
        size_t texts_size, texts_allocated, texts_garbage;
        struct registry_policy *policies;
        size_t n_policies, allocated_policies;
        uint32_t free_policy;
        struct index by_policy;
        struct job_cold *colds;
        size_t n_colds, allocated_colds;
        uint32_t free_cold;
        size_t n_jobs;
};

void registry_init(struct registry *g);
void registry_done(struct registry *g);
/* The row of a name, or INDEX_NONE. */
uint32_t registry_find(const struct registry *g, const char *name);
/* A fresh row (state NEW) for a name that has none. 0, -ENOMEM, -ENOSPC (over four thousand million bytes of text). */
int registry_add(struct registry *g, const char *name, uint32_t *ret_row);
/* Gives the row a description, and the names of the parameters that it accepts, with a blank between them (NULL: none); neither lies among
 * the registry's texts. 0, -ENOMEM, -ENOSPC. */
int registry_describe(struct registry *g, uint32_t row, const char *description, const char *accepted);
/* Gives the row back. */
void registry_drop(struct registry *g, uint32_t row);
/* Row of the policy table with one use more: an equal one, or a new one, which has a use of its agenda, days and ties. */
int registry_intern(struct registry *g, const struct job_when *when, uint32_t *ret_policy);
/* One use less. Takes INDEX_NONE. */
void registry_release(struct registry *g, uint32_t policy);
/* The job's name; borrowed until the next registry_add(). */
const char *registry_name(const struct registry *g, const struct job_row *row);
/* "" where it has none; borrowed as the name. */
const char *registry_description(const struct registry *g, const struct job_row *row);
const char *registry_accepted(const struct registry *g, const struct job_row *row);
static inline const struct job_when *registry_when(const struct registry *g, uint32_t policy) {
        return &g->policies[policy].when;
}
/* The job's cold state, made zeroed if it has none; NULL without memory. Borrowed until the next call. */
struct job_cold *registry_warm(struct registry *g, struct job_row *row);
/* The job's cold state or NULL. */
static inline struct job_cold *registry_cold(const struct registry *g, const struct job_row *row) {
        return row->cold ? &g->colds[row->cold - 1] : NULL;
}
