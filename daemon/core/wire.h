// SPDX-License-Identifier: MIT
// wire: the records on the link between scheduler and runner: their layout, and encode and decode for each.
// Pure. The runner treats every byte it decodes as hostile.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/hash.h"
#include "config/pack.h"
#include "daemon/core/run.h"

#define WIRE_VERSION     12
#define WIRE_VALUE_CHUNK (32 * 1024)

/* R: sent by the runner, S: by the scheduler. Order of a connection: both HELLO; R: DEFINE for every job, RUN (and what is known of
 * it: STARTED, VALUE, ENDED) for every run not acknowledged, COMMIT; S: COMMITTED; from then on all others. */
enum wire_type {
        WIRE_HELLO = 1,     /* R, S */
        WIRE_DEFINE,        /* R: a new or changed definition, by its when half */
        WIRE_REMOVE,        /* R: a name is no longer defined */
        WIRE_DIAG,          /* R: one diagnostic of the reading that the next COMMIT ends */
        WIRE_COMMIT,        /* R: the generation is complete */
        WIRE_COMMITTED,     /* S: swapped; older definitions without runs may go */
        WIRE_START,         /* S */
        WIRE_RUN,           /* R: a run that a new scheduler must learn of: its START as it was */
        WIRE_STARTED,       /* R: exec was reached */
        WIRE_VALUE,         /* R: a piece of the output's tail, before ENDED */
        WIRE_ENDED,         /* R: kept until ACK */
        WIRE_ACK,           /* S: the result is safe */
        WIRE_KILL,          /* S */
        WIRE_RELOAD,        /* S: read the files now; a number that the COMMIT of that reading gives back */
        WIRE_STOPPING,      /* R: start nothing more */
        WIRE_OUTPUT,        /* R, on the output socket */
        WIRE_FILES,         /* R, behind its HELLO: one text, the settings file and each folder of jobs in a line of its own */
        WIRE_WATCH,         /* S: pass a run's output on, or no more */
        WIRE_DESCRIBE,      /* S: what is a job, for people? */
        WIRE_DESCRIBED,     /* R: the answer */
        WIRE_SYNCED,        /* R: the wall clock was synchronised, for the first time in this boot */
        WIRE_GROUP,         /* R: a group; before each COMMIT all of its generation are told */
        WIRE_HOST_LOAD,     /* S: a definition that a host is to have */
        WIRE_HOST_UNLOADED, /* R: that could not be done */
        WIRE_LEAVE,         /* R: exit in order; another one is to be served. For a scheduler that the runner has not started */
        WIRE_TYPE_MAX
};

struct wire_hello {
        uint16_t version;
        uint8_t boot_id[16];
        uint8_t instance[16]; /* random, for the life of the runner; keys the draws and names the runs */
        uint8_t secret
                [16]; /* random, too, and for the scheduler's eyes only: it knows by it what an earlier one has given to a host */
        uint64_t epoch;        /* R: the last scheduler's; S: its own, higher */
        uint64_t next_run;     /* R: lowest run number not used yet */
        int64_t boot_bt_us;    /* R: when this boot began: 0, or later where it is that of a container */
        bool is_first_of_boot; /* R: no runner of this run folder was up before in this boot */
        bool is_synchronised;  /* R: the wall clock is in step with a time server */
};

/* What the runner remembers of a job's plan for the next scheduler: its latest START and end. */
struct wire_trail {
        bool has_schedule; /* the next five are of the latest scheduled slot */
        uint32_t segment;
        int64_t anchor_us;
        int64_t key;
        int64_t slot_us;   /* nominal instant on the schedule's clock */
        bool is_boot_done; /* the OnBoot= slot was started */
        uint64_t run;      /* the latest */
        enum run_result last_result;
        int64_t end_bt_us; /* of the latest end; 0: none */
};

struct wire_define {
        struct hash128 hash;
        int64_t since_rt_us, since_bt_us; /* when this name was first committed */
        bool has_trail;
        struct wire_trail trail;
        const char *name; /* borrowed in encode; decode gives fresh copies, freed by wire_define_done() */
        const char *when; /* canonical text, see job_when_parse() */
        size_t when_size;
        const char
                *accepted; /* names of the parameters that a trigger may pass, with a blank between them; "": none. As name */
        /* of one whose work is done by a host; else all is 0 */
        const char *host;          /* its name for people; "": none. As name */
        struct hash128 host_hash;  /* where it is equal they may have one process; another one takes a new process */
        int64_t host_timeout_us;   /* of a tick; may be DURATION_INFINITY */
        int64_t host_grace_us;     /* behind it, until its host is killed */
        uint32_t host_capture_max; /* bytes of a value */
};

struct wire_group {
        uint32_t max_running; /* 0: no limit */
        /* borrowed in encode; decode gives fresh copies, freed by wire_group_done() */
        const char *name;
        const char *description; /* "": none */
};

enum wire_item {
        WIRE_ITEM_SCHEDULE,
        WIRE_ITEM_BOOT,
        WIRE_ITEM_TRIGGER, /* no slot: segment, anchor and key are 0, the instants are those of the trigger */
        WIRE_ITEM_RETRY,   /* one more attempt of a slot that has its outcome */
        WIRE_ITEM_WAKE,    /* OnWake=: segment, anchor and key are 0, as of boots; the slot is the instant of the resume */
        WIRE_ITEM_DELAY, /* Every= with Mode=fixed-delay beside a calendar: as of boots; the slot is the instant at which it was over */
        WIRE_ITEM_CHAIN, /* a hook of another job: as of boots; the slot is the instant of the end that it follows */
        WIRE_ITEM_MAX
};

/* True where a run for it is that of a slot: not of a trigger, nor a further attempt. */
static inline bool wire_item_is_slot(enum wire_item item) {
        return item != WIRE_ITEM_TRIGGER && item != WIRE_ITEM_RETRY;
}

struct wire_start {
        uint64_t run;
        struct hash128 hash;
        enum wire_item item;
        uint32_t segment;
        int64_t anchor_us;
        int64_t key;
        int64_t slot_us;    /* nominal instant on the schedule's clock */
        int64_t slot_rt_us; /* the same as wall-clock time, for CHIMED_SLOT */
        enum run_cause cause;
        uint16_t attempt; /* from 1 */
        uint64_t missed;  /* slots missed since the last run */
        enum run_result last_result;
        bool is_watched;      /* pass its output on */
        bool asks_conditions; /* it is executed only where its conditions hold; else it ends with the result condition */
        bool is_host;         /* not what it runs is started but the host of it */
        struct run_parent parent;
        const void *parent_output; /* the end of its output; borrowed in both directions. A RUN has none */
        size_t parent_output_size;
        const void *parameters; /* a set of what its trigger has passed (config/parameters.h); borrowed in both directions */
        size_t parameters_size;
};
#define WIRE_PARENT_OUTPUT_MAX (8 * 1024)

struct wire_run {
        struct wire_start start;
        const char *name; /* of the job; as wire_define.name */
};

struct wire_started {
        uint64_t run;
        int32_t pid;
        int64_t start_rt_us, start_bt_us;
};

#define WIRE_CONDITION_MAX 192 /* bytes of it, with the end */
struct wire_ended {
        uint64_t run;
        struct run_end end;
        char condition[WIRE_CONDITION_MAX]; /* which one did not hold or failed, in words for people; "": none */
};

struct wire_bytes { /* VALUE, OUTPUT */
        uint64_t run;
        uint8_t stream;   /* 1, 2; 0 in a VALUE: both, in the order in which they arrived */
        uint32_t dropped; /* OUTPUT: bytes dropped before this piece */
        const void *data; /* borrowed in both directions */
        size_t size;
};

enum wire_kill {
        WIRE_KILL_ASK,   /* KillSignal, KillGrace, KILL */
        WIRE_KILL_FORCE, /* KILL at once */
        WIRE_KILL_MAX
};

struct wire_kill_run {
        uint64_t run;
        enum wire_kill how;
};

#define WIRE_WHY_MAX 400 /* bytes of it, with the end */
struct wire_commit {
        uint64_t generation;
        uint64_t ledger_max_size; /* LedgerMaxSize=, bytes */
        bool is_resync;           /* to a new scheduler: nothing was read anew */
        uint64_t asked;           /* the latest RELOAD whose reading this is; 0: none of this connection */
        uint32_t n_jobs, n_files, n_errors, n_warnings, n_added, n_changed, n_removed;
        bool holds_slots;          /* OnLedgerFailure=hold */
        uint32_t max_running;      /* MaxRunning= of chimed.conf; 0: no limit */
        int64_t time_sync_wait_us; /* TimeSyncWait=: so long after boot wall grids wait for the clock; INT64_MAX: for ever */
        char why[WIRE_WHY_MAX];    /* what changed beside the files, in words for people; "": nothing */
};

struct wire_watch_run {
        uint64_t run;
        bool is_on;
};

/* Bytes of the first message to a scheduler that has connected, as they are, with its ends of the sockets of output and of hosts. */
struct wire_welcome {
        uint32_t version;   /* as in the HELLO */
        uint32_t admin_gid; /* whose members may do everything; (gid_t)-1: none */
};

/* Bytes of a message on the socket of hosts, as they are: its descriptors are the scheduler's end of its ticks, and its page. */
struct wire_host_arrival {
        uint64_t run; /* of the host */
        struct hash128 host_hash;
};

struct wire_host_load {
        uint64_t run;    /* of the host */
        uint32_t handle; /* for the definition, between host and scheduler */
        struct hash128 hash;
};

struct wire_host_unloaded {
        uint64_t run;
        uint32_t handle;
        int32_t error; /* positive errno */
};

struct wire_describe {
        uint64_t number;  /* of the question; the answer gives it back */
        const char *name; /* of the job; as wire_define.name */
};

struct wire_described {
        uint64_t number;
        bool is_known;
        bool is_unit; /* its command is the service of Unit= */
        uint32_t line;
        /* borrowed in encode; decode gives fresh copies, freed by wire_described_done() */
        const char *command; /* the argument list as Command= would write it, cut at WIRE_COMMAND_MAX */
        const char *user;    /* as written; "": not set */
        const char *file;
        const char *stop_path;  /* StopWhenPathExists=; "": not set */
        const char *conditions; /* as they would be written, a line each, cut at WIRE_CONDITIONS_MAX */
        int64_t timeout_us;     /* Timeout=, may be DURATION_INFINITY */
};
#define WIRE_COMMAND_MAX    4096
#define WIRE_CONDITIONS_MAX 4096

/* Each wire_put_X() appends the payload; errors are in the writer. Each wire_get_X() reads a whole payload: 0, -EBADMSG where it
 * is too short, too long or out of range, -ENOMEM; *ret is untouched on error. */
void wire_put_hello(struct pack *p, const struct wire_hello *v);
int wire_get_hello(const void *data, size_t size, struct wire_hello *ret);
/* The version of a HELLO: it begins with it whatever else it has in another version. 0, -EBADMSG. */
int wire_get_hello_version(const void *data, size_t size, uint16_t *ret);
void wire_put_define(struct pack *p, const struct wire_define *v);
int wire_get_define(const void *data, size_t size, struct wire_define *ret);
void wire_define_done(struct wire_define *v);
void wire_put_group(struct pack *p, const struct wire_group *v);
int wire_get_group(const void *data, size_t size, struct wire_group *ret);
void wire_group_done(struct wire_group *v);
void wire_put_start(struct pack *p, const struct wire_start *v);
int wire_get_start(const void *data, size_t size, struct wire_start *ret);
void wire_put_run(struct pack *p, const struct wire_run *v);
int wire_get_run(const void *data, size_t size, struct wire_run *ret);
void wire_run_done(struct wire_run *v);
void wire_put_started(struct pack *p, const struct wire_started *v);
int wire_get_started(const void *data, size_t size, struct wire_started *ret);
void wire_put_ended(struct pack *p, const struct wire_ended *v);
int wire_get_ended(const void *data, size_t size, struct wire_ended *ret);
void wire_put_bytes(struct pack *p, const struct wire_bytes *v);
int wire_get_bytes(const void *data, size_t size, struct wire_bytes *ret);
void wire_put_kill(struct pack *p, const struct wire_kill_run *v);
int wire_get_kill(const void *data, size_t size, struct wire_kill_run *ret);
void wire_put_commit(struct pack *p, const struct wire_commit *v);
int wire_get_commit(const void *data, size_t size, struct wire_commit *ret);
void wire_put_watch(struct pack *p, const struct wire_watch_run *v);
int wire_get_watch(const void *data, size_t size, struct wire_watch_run *ret);
void wire_put_host_load(struct pack *p, const struct wire_host_load *v);
int wire_get_host_load(const void *data, size_t size, struct wire_host_load *ret);
void wire_put_host_unloaded(struct pack *p, const struct wire_host_unloaded *v);
int wire_get_host_unloaded(const void *data, size_t size, struct wire_host_unloaded *ret);
void wire_put_describe(struct pack *p, const struct wire_describe *v);
int wire_get_describe(const void *data, size_t size, struct wire_describe *ret);
void wire_describe_done(struct wire_describe *v);
void wire_put_described(struct pack *p, const struct wire_described *v);
int wire_get_described(const void *data, size_t size, struct wire_described *ret);
void wire_described_done(struct wire_described *v);
/* ACK, COMMITTED, RELOAD: one number. */
void wire_put_number(struct pack *p, uint64_t v);
int wire_get_number(const void *data, size_t size, uint64_t *ret);
/* REMOVE (a job's name), DIAG (one printed line behind its severity, "<3>" error or "<4>" warning), FILES: one text, given to
 * the caller. */
void wire_put_text(struct pack *p, const char *text);
int wire_get_text(const void *data, size_t size, char **ret);
/* STOPPING and SYNCED have no payload. */
/* The record's name for messages ("START"), "?" for an unknown type. */
const char *wire_type_to_string(uint8_t type);
