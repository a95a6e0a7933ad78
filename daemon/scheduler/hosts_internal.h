// SPDX-License-Identifier: MIT
// hosts_internal: the tables of hosts, for the files that they are written in.
#pragma once

#include "daemon/core/channel.h"
#include "daemon/core/tick.h"
#include "daemon/scheduler/hosts.h"
#include "daemon/scheduler/index.h"

enum host_state {
        HOST_DOWN,     /* no process */
        HOST_STARTING, /* the runner was asked; its descriptors are awaited */
        HOST_SYNC,     /* it tells what it knows from the scheduler before */
        HOST_UP,
        HOST_LEAVING, /* it was told to quit, or closed its end, or is being killed: its end is awaited */
};

/* A definition whose runs are ticks. */
struct hosted {
        struct hash128 hash;
        char *name;
        uint32_t host;       /* row */
        uint32_t handle;     /* at its host: of that process only, */
        uint64_t loaded_run; /* which has this run; 0: none has heard of it */
        uint32_t n_ticks;
        uint32_t capture_max;
        int64_t timeout_us, grace_us;
        bool is_gone; /* replaced or removed; freed with its last tick */
};

struct host {
        struct hosts *hosts;
        uint32_t row;
        struct hash128 hash;
        char *name; /* for people */
        enum host_state state;
        uint64_t run; /* of the process; 0: none */
        struct channel *ticks;
        const struct tick_page *page; /* mapped; NULL: none */
        uint32_t first, last;         /* ticks, in the order in which they were or will be sent */
        uint32_t n_hosted;            /* definitions */
        uint32_t last_handle;
        uint64_t answered;         /* number of the latest answer read, */
        uint64_t marked, mark_era; /* up to which number they are of which era; 0: none is awaited */
        uint64_t acknowledged;
        int64_t up_bt_us;
        int64_t not_before_bt_us; /* of the next start */
        int64_t kill_bt_us;       /* it has closed its end: it is killed then, if it is not dead; 0: it has not */
        int64_t told_bt_us;
        uint32_t *by_handle; /* while it tells what it knows: rows of definitions, INDEX_NONE for others */
        size_t n_by_handle;
        uint32_t n_deaths; /* in a row */
        bool is_dirty;     /* has something to flush */
        bool is_greeted;   /* what comes now is its answer to us */
        bool is_late;      /* what it knows of before comes too late */
        bool is_stuck;     /* something waits although it is up */
        bool is_killed;    /* by us */
};

enum tick_state {
        TICK_STATE_FREE,
        TICK_STATE_WAITS, /* for its host */
        TICK_STATE_SENT,
        TICK_STATE_BEGUN,
};

struct tick {
        enum tick_state state;
        uint8_t n_sends;
        bool is_cancelled;
        bool is_adopted;        /* an earlier scheduler has sent it */
        enum run_result cancel; /* TIMEOUT or CANCELLED */
        uint32_t hosted, host;  /* rows */
        uint32_t next, previous;
        int64_t sent_bt_us;
        int64_t deadline_bt_us;  /* of its Timeout=, or once cancelled of the grace; INT64_MAX: none */
        uint64_t noted;          /* by its host when the deadline was set */
        struct wire_start start; /* its parameters are owned */
};

struct hosts {
        struct loop *loop;
        struct journal *journal;
        struct hosts_shell shell;
        void *userdata;
        uint64_t epoch;
        uint8_t secret[16];
        struct hosted *hosted;
        size_t n_hosted, allocated_hosted;
        uint32_t free_hosted; /* chained by `host`; INDEX_NONE: none */
        struct index by_definition, by_name;
        uint32_t *by_job; /* where the definition of a job's latest tick was found */
        size_t n_by_job;
        uint32_t *going; /* those that the commit takes away */
        size_t n_going;
        struct host **list; /* NULL: a free row */
        size_t n_hosts, allocated_hosts;
        struct index by_hash, by_run;
        struct tick *ticks;
        size_t n_ticks, allocated_ticks;
        uint32_t free_tick; /* chained by `next` */
        struct index by_tick;
        uint32_t *dirty; /* rows of hosts; room for all */
        size_t n_dirty;
        uint64_t *expected; /* runs of hosts of before, whose descriptors are still to come */
        size_t n_expected;
        struct pack pack;          /* for the record in the making */
        struct clock_sample heard; /* when the message came whose records are handled */
        int64_t look_bt_us;        /* when something may be due */
        int64_t sync_bt_us;        /* until then hosts of before may speak; 0: nothing is awaited */
        uint64_t n_sent;
        bool is_paced;
        bool is_quitting;
        bool is_synced; /* hosts of before are no longer awaited */
};

/* Whether the process of this host has heard of the definition. */
static inline bool hosted_is_loaded(const struct hosted *hosted, const struct host *host) {
        return hosted->loaded_run > 0 && hosted->loaded_run == host->run;
}

static inline struct host *hosts_row(const struct hosts *hosts, uint32_t row) {
        return hosts->list[row];
}

/* Something may be due then. */
static inline void hosts_look_by(struct hosts *hosts, int64_t at_bt_us) {
        if (at_bt_us < hosts->look_bt_us)
                hosts->look_bt_us = at_bt_us;
}

/* ---- hosts.c ---- */

/* The last use of a definition may be over. */
void hosts_release(struct hosts *hosts, uint32_t hosted);
/* The definition of this hash, or INDEX_NONE. */
uint32_t hosts_find_definition(const struct hosts *hosts, const struct hash128 *hash);
/* The longest Timeout= of its jobs. */
int64_t hosts_longest(const struct hosts *hosts, const struct host *host);
struct host *hosts_find_by_run(const struct hosts *hosts, uint64_t run);
struct host *hosts_find_by_hash(const struct hosts *hosts, const struct hash128 *hash);
/* A host without a process. NULL without memory. */
struct host *hosts_add(struct hosts *hosts, const struct hash128 *hash, const char *name);
/* It has no process, no definitions and no ticks: it is freed. */
void host_release(struct host *host);
int host_index_run(struct host *host, uint64_t run);

/* ---- host_ticks.c ---- */

/* The tick of this run, or INDEX_NONE. */
uint32_t ticks_find(const struct hosts *hosts, uint64_t run);
/* A tick of this definition, waiting, at the end of its host's. INDEX_NONE without memory. */
uint32_t ticks_add(struct hosts *hosts, uint32_t hosted, const struct wire_start *start);
/* Ends it: it is gone when this returns. */
int ticks_end(struct hosts *hosts, uint32_t tick, struct clock_sample now, struct wire_ended *ended, const void *value,
              size_t value_size);
/* Without the host's word: with a result, and where it could not be started with step and error. */
int ticks_fail(struct hosts *hosts, uint32_t tick, struct clock_sample now, enum run_result result, enum run_step step,
               int error);
/* Gives one that waits to its host, which is up. 0 or the shell's error. */
int ticks_send(struct hosts *hosts, uint32_t tick, struct clock_sample now);
/* A message from a host, and one record of it, as the channel hands them over. */
int ticks_on_message(void *host);
int ticks_on_record(void *host, uint8_t type, const void *payload, size_t size);
/* Looks at time limits. *ret_next_bt_us is when the next may be over. */
int ticks_check(struct hosts *hosts, struct clock_sample now, int64_t *ret_next_bt_us);
/* Ends one that is wanted no more, or whose time is over. */
int ticks_cancel(struct hosts *hosts, uint32_t tick, struct clock_sample now, enum run_result result);

/* ---- host_life.c ---- */

/* Sends a record; it is flushed at the end of the pass. 0, -ENOBUFS, -EPIPE (it has no process that hears), -ENOMEM. */
int host_send(struct host *host, enum tick_type type);
/* Tells it that it may forget a definition, if it has heard of it. */
void host_unload(struct host *host, struct hosted *hosted);
/* It has said all that it knows. 0 or the shell's error. */
int host_synced(struct host *host, struct clock_sample now);

/* Has it started where it is not up and something waits for it. 0 or the shell's error. */
int host_want(struct host *host, struct clock_sample now);
/* Does what its time has come for. 0 or the shell's error. */
int host_look(struct host *host, struct clock_sample now);
/* Has it killed; the runner will tell its end. */
int host_kill(struct host *host);
/* It is to leave when its ticks have ended. */
void host_quit(struct host *host);
/* It has something to flush. */
void host_dirty(struct host *host);
int host_on_closed(void *host, int error);
