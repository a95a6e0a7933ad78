// SPDX-License-Identifier: MIT
// run_table: the runs that the scheduler has not acknowledged yet: flat records and descriptors, found by number, with the
// instants at which they want to be looked at, and the one versioned form in which they go to a re-executed runner.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/job.h"
#include "config/pack.h"
#include "daemon/core/loop.h"
#include "daemon/core/run.h"
#include "daemon/core/wire.h"
#include "daemon/runner/cgroup.h"
#include "daemon/runner/definitions.h"
#include "daemon/runner/output.h"
#include "daemon/runner/run_host.h"
#include "daemon/runner/run_numbers.h"

#define RUN_TABLE_IN_FLIGHT_MAX  10000              /* runs that have not ended */
#define RUN_TABLE_MAX            20000              /* with those not acknowledged */
#define RUN_TABLE_TAILS_MAX      (64 * 1024 * 1024) /* bytes of output kept; beyond, the oldest ended runs lose theirs */
#define RUN_TABLE_PARAMETERS_MAX (64 * 1024 * 1024) /* bytes of parameters; beyond, no run with any begins */
/* Once it was released, the next version reads it, too: an upgrade ends no run. */
#define RUN_TABLE_VERSION 8

enum run_phase {
        RUN_PHASE_LAUNCHING, /* with a launching thread */
        RUN_PHASE_RUNNING,
        RUN_PHASE_ENDED, /* waits for its acknowledgement */
        RUN_PHASE_MAX
};

/* How far the ending of a run by us has come. */
enum run_stop {
        RUN_STOP_NONE,
        RUN_STOP_ASKED,  /* KillSignal sent, KillGrace runs */
        RUN_STOP_KILLED, /* KILL sent, and again until nothing is left */
        RUN_STOP_MAX
};

struct run {
        /* flat: written and read as it is */
        struct wire_start start; /* start.run is its number */
        char name[JOB_NAME_MAX + 1];
        enum run_phase phase;
        int32_t pid; /* of the main process; it is reaped last, so that the number stays ours */
        int64_t start_rt_us, start_bt_us;
        int64_t start_awake_us; /* Timeout= counts the time awake */
        int64_t timeout_us, kill_grace_us;
        int32_t kill_signal;
        enum run_stop stop;
        enum run_result stop_result; /* timeout or cancelled */
        int64_t stop_bt_us;          /* when the stage of stop began */
        int64_t deadline_bt_us;      /* when its stage is over; LOOP_NEVER */
        uint8_t n_questions;         /* conditions that a process of the run is asked about before the program */
        uint8_t n_answered; /* of these, how many hold; the next one is on its way or in flight, or the program itself */
        bool is_unit;       /* its process is that of a systemd unit */
        bool is_main_gone;
        char cgroup[CGROUP_NAME_MAX]; /* "": none */
        int64_t cgroup_cpu_us;        /* what was used in it before */
        uint64_t cgroup_oom_kills;    /* how many were killed in it before */
        struct run_end end;
        char condition[WIRE_CONDITION_MAX]; /* which one did not hold, as in wire_ended */
        struct exit_classes exits;          /* last: the test that looks for forgotten members can't see behind it */

        /* descriptors, and what is behind them */
        int pidfd;
        struct loop_source *pidfd_source;
        struct run_host *host;           /* owned; NULL: it is none */
        struct output_stream streams[2]; /* stdout, stderr */
        struct output_tail tail;
        struct output_budget budget;
        uint32_t n_output_dropped; /* bytes that a watcher did not get */

        /* of this process only */
        void *owner;                   /* for the callbacks of its sources */
        struct definition *definition; /* held, NULL where the hash is unknown */
        int64_t look_interval_us;      /* between looks at a tree that is being ended */
        unsigned n_looks;              /* requests to the tree under way */
        bool are_leftovers_told;
        bool is_unwatched;   /* no memory to hear of its end or its output: it is looked at */
        uint8_t owed_signal; /* that not all its processes have had, for lack of memory; 0: none */
        bool is_handed_over; /* its process was started by the program before this one */
        bool tells_run, tells_host, tells_started, tells_end;
        bool is_telling;    /* in the list of those with something to tell */
        size_t n_tail_told; /* bytes of the tail that are sent */
        struct run *next_telling;
        struct run *next_ended, *previous_ended;
        struct run *next;  /* of its bucket */
        size_t heap_index; /* from 1; 0: not armed */
        int64_t due_bt_us;
};

/* True if its program is being started or runs, and no condition is asked before it. */
static inline bool run_is_answered(const struct run *run) {
        return run->n_answered >= run->n_questions;
}

/* What its output goes by in the journal. */
static inline const char *run_title(const struct run *run) {
        return run->host ? run->host->name : run->name;
}

#define RUN_TABLE_BUCKETS 4096

struct run_table {
        struct run *buckets[RUN_TABLE_BUCKETS];
        size_t n, n_in_flight;
        struct run_numbers numbers;
        struct run **heap;
        size_t n_heap, allocated_heap;
        struct run *oldest_ended, *newest_ended;
        size_t tails_size;      /* bytes of output held by all, */
        size_t parameters_size; /* and of parameters */
        uint64_t n_tails_dropped;
};

void run_table_init(struct run_table *t);
/* Frees all runs, closes their descriptors. */
void run_table_done(struct run_table *t);
/* A new run with this START, whose number run_numbers_use() has allowed. Gives it back through ret; -ENOMEM. */
int run_table_add(struct run_table *t, const struct wire_start *start, const char *name, struct run **ret);
struct run *run_table_find(const struct run_table *t, uint64_t number);
/* Forgets its parameters; a new scheduler will not hear of them. */
void run_table_drop_parameters(struct run_table *t, struct run *run);
/* The first run (after NULL) or the one after `after`, in no order; NULL at the end. The table may not grow meanwhile. */
struct run *run_table_walk(const struct run_table *t, const struct run *after);
/* Forgets and frees it. */
void run_table_remove(struct run_table *t, struct run *run);
/* It has ended: counts it out of those in flight, last in the row that loses tails first. */
void run_table_end(struct run_table *t, struct run *run);
/* Adds output to the run's tail, within the bounds. */
void run_table_add_tail(struct run_table *t, struct run *run, const void *data, size_t size);

/* When the run wants to be looked at (BOOTTIME); LOOP_NEVER: not. Room for every run is kept, so it never fails. */
void run_table_set_due(struct run_table *t, struct run *run, int64_t due_bt_us);
/* The run that is due first, or NULL. */
struct run *run_table_first_due(const struct run_table *t);

/* Appends the ENDED of a run that has. */
void run_put_ended(const struct run *run, struct pack *p);
/* Appends all runs, none of which may be launching: -EBUSY. Descriptors go by number and stay open. Errors are also in the writer. */
int run_table_write(const struct run_table *t, struct pack *p);
/* Reads them into an initialised empty table; the descriptors become the table's. Sources and definitions are the caller's to make.
 * 0; -EPROTONOSUPPORT: another version, of the table or of the link's records in it; -EBADMSG; -ENOMEM; on error the table is empty and
 * no descriptor was touched. */
int run_table_read(struct run_table *t, const void *data, size_t size);
/* Whether the descriptors of all runs stay open when another program is executed. 0; -EBADF: one is not open. */
int run_table_keep(const struct run_table *t, bool is_kept);
