// SPDX-License-Identifier: MIT
// control_internal: what the files of the control socket share: clients with their buffers, calls, what waits, subscriptions.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/scheduler/book.h"
#include "daemon/scheduler/control.h"
#include "daemon/scheduler/control_rights.h"
#include "daemon/varlink/message.h"
#include "daemon/varlink/text.h"

#define CONTROL_OUT_MARK      (64 * 1024)       /* bytes of replies: while more wait, no call is read */
#define CONTROL_STREAM_MARK   (8 * 1024)        /* the same for what a stream has more of */
#define CONTROL_LOST_MARK     (256 * 1024)      /* a job's output that its follower has not read: beyond it is lost */
#define CONTROL_BUFFERS_UID   (2 * 1024 * 1024) /* bytes of one user's clients; */
#define CONTROL_BUFFERS_ROOT  (1024 * 1024)     /* of CONTROL_BUFFERS_MAX those that only admins get */
#define CONTROL_CALLS_A_TURN  16                /* of one client, before others have theirs */
#define CONTROL_BUSY_US       2000              /* of a pass for calls and streams: then slots have their turn */
#define CONTROL_HOLD_US       (5 * USEC_PER_SEC) /* how long an answer waits for its commit: then the disk is sick, which is told */
#define CONTROL_PAGE          100                /* jobs of one reply */
#define CONTROL_NAMES_MAX     1000               /* jobs named in a call */
#define CONTROL_DESCRIBE_US   (5 * USEC_PER_SEC) /* how long the runner may take to describe a job */
#define CONTROL_DIAGS_MAX     200                /* lines of diagnostics kept for Reload, */
#define CONTROL_DIAGS_SIZE    (32 * 1024)        /* and their bytes */
#define CONTROL_QUEUE_SIZE    (512 * 1024)       /* bytes of events that wait for one subscriber */
#define CONTROL_QUEUE_DEFAULT 256                /* events; */
#define CONTROL_QUEUE_MAX     4096               /* at most */

/* What all connections of one user have together. */
struct control_user {
        struct control_user *next;
        uid_t uid;
        size_t n_clients, n_waits, bytes;
        struct control_client *turns; /* those of its clients that have something to do, in the order of their turns */
};

/* Jobs that a call is about: all, or some by row. A row is forgotten when its job is gone. */
struct control_rows {
        bool is_some;
        uint32_t *list; /* owned; rising */
        size_t n;
};

/* Brings the list into order, each row once. */
void control_rows_sort(struct control_rows *rows);

void control_rows_done(struct control_rows *rows);
bool control_rows_has(const struct control_rows *rows, uint32_t job);
/* The next one from place *at on that is defined, and *at behind it; INDEX_NONE at the end. */
uint32_t control_rows_walk(const struct control_rows *rows, const struct engine *e, uint32_t *at);
/* The job's number will be another's. *at is a place as of control_rows_walk(), and keeps what it means. */
void control_rows_forget(struct control_rows *rows, uint32_t job, uint32_t *at);

enum control_wait_kind {
        CONTROL_WAIT_NONE,
        CONTROL_WAIT_PAGES,    /* ListJobs: the rest of the stream */
        CONTROL_WAIT_TRIGGER,  /* how the runs go on */
        CONTROL_WAIT_CANCEL,   /* the end of the run */
        CONTROL_WAIT_RUNS,     /* Wait */
        CONTROL_WAIT_RELOAD,   /* a commit */
        CONTROL_WAIT_DESCRIBE, /* ShowJob: the runner's answer */
        CONTROL_WAIT_FEED,     /* Subscribe */
        CONTROL_WAIT_LEDGER,   /* what the ledger answers */
        CONTROL_WAIT_SIMULATE, /* its turns */
};

/* What waited to run when it was cancelled, and will not. */
struct control_dropped {
        uint32_t attempt; /* of its last slot; 0: none was to come */
        uint32_t n_slots;
        uint64_t run; /* that was promised to a trigger; 0: none was */
};

/* The call of a client that is not answered, or not to its end. While there is one, the client's next calls wait. */
struct control_wait {
        enum control_wait_kind kind;
        struct control_wait *next, *previous; /* of all that wait */
        struct control_client *client;
        uint32_t job; /* row; INDEX_NONE: no one job */
        int64_t deadline_bt_us;
        struct control_rows rows; /* pages, feed, simulate */
        uint32_t at;              /* the next of them */
        uint64_t run;             /* cancel */
        bool has_changed;         /* cancel, */
        struct control_dropped dropped;
        bool is_output_wanted;    /* trigger, feed */
        uint64_t number;          /* reload, describe */
        uint64_t runs, successes; /* runs: counts that are waited for; UINT64_MAX: not */
        bool is_until_finished;   /* runs */
        struct control_feed *feed;
        struct control_follow *follow; /* trigger */
        struct control_history *history;
        struct control_simulate *simulate;
};

struct control_client {
        struct control *control; /* borrowed */
        struct control_client *next, *previous;
        struct control_client *next_touched, *next_turn;
        bool is_touched, has_turn;
        int fd;
        struct loop_source *source;
        uint32_t events; /* what source watches for */
        struct control_user *user;
        struct control_peer peer;
        gid_t *groups; /* peer.groups */
        bool is_admin;
        struct message_input in;
        struct pack out;
        size_t out_sent;       /* of out */
        size_t charged;        /* bytes, in user and control */
        bool is_at_end;        /* the peer sends nothing more */
        bool is_deaf;          /* the peer takes nothing more */
        bool is_dead;          /* freed at the end of the pass */
        int64_t partial_bt_us; /* a call that has begun must be whole by then; INT64_MAX: none has */
        uint64_t held_number;  /* what it is told waits until this commit is durable; 0: it does not, */
        int64_t held_bt_us;    /* no longer than until then */
        struct control_wait wait;
};

/* A run whose output somebody wants. */
struct control_watch {
        uint64_t run; /* 0: the row is free */
        uint32_t job;
        struct text_carry carry[2];
};

struct control {
        struct loop *loop;
        struct journal *journal;
        struct link *link;
        int listen_fd;
        struct loop_source *listener;
        int64_t listen_again_bt_us; /* no descriptor was left to accept with; INT64_MAX: all is well */
        uid_t own_uid;
        gid_t admin_gid;
        int64_t since_rt_us;
        struct control_client *clients, *touched, *dead;
        size_t n_clients;
        struct control_user *users;
        size_t bytes;
        struct control_wait *waits;
        int64_t wake_bt_us; /* the next deadline is not before this */
        int64_t busy_bt_us; /* until then clients have turns in this pass */
        bool is_stopping;
        uint32_t command_job; /* whose command is under way: its hold is told, not its segment */
        const char *command_by;
        /* subscriptions */
        size_t n_feeds, n_output_wanted;
        uint64_t n_events_dropped;
        /* watched runs */
        struct control_watch *watches;
        size_t n_watches, allocated_watches;
        struct index by_run;
        bool is_watch_stale; /* somebody left who may have been the last to want an output */
        /* the diagnostics of the reading under way */
        char *diags[CONTROL_DIAGS_MAX];
        size_t n_diags, diags_size;
        uint64_t n_diags_left_out;
        uint64_t descriptions; /* asked for so far */
        /* what is told at most so often */
        int64_t refused_told_bt_us;
        uint64_t n_refused;
        struct {
                int64_t since_bt_us;
                uint64_t n_told, n_untold;
        } told[2]; /* done, denied */
};

/* A call at hand. */
struct control_call {
        struct control *control;
        struct control_client *client;
        const struct message_call *message;
        const struct api_row *row;
        struct engine *engine;
        struct book *book;
        struct clock_sample now;
        uint32_t job;         /* of the parameter "job"; INDEX_NONE where the method has none, */
        uint32_t group;       /* or that is a group's "@NAME"; else INDEX_NONE */
        enum api_right right; /* the caller's, on that job */
};

/* Of control.c. */

/* The deadline counts from now on. */
void control_wake_at(struct control *c, int64_t bt_us);
/* One line of the journal about what a client did, or was denied; at most so many of each a minute, the rest is counted. */
void control_tell(struct control *c, struct clock_sample now, bool is_denied, const char *job, const char *format, ...)
        __attribute__((format(printf, 5, 6)));
/* A connection was refused: told at most once a minute, with a count. */
void control_tell_refused(struct control *c, struct clock_sample now, uid_t uid, const char *why);
/* "root", or "uid 1000". */
const char *control_by(const struct control_client *client, char buf[static 32]);
