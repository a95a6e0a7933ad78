// SPDX-License-Identifier: MIT
// link_internal: the state of the link, for the files that it is written in.
#pragma once

#include "config/pack.h"
#include "daemon/scheduler/book.h"
#include "daemon/scheduler/hosts.h"
#include "daemon/scheduler/link.h"
#include "daemon/scheduler/story.h"
#include "daemon/scheduler/vault.h"

enum link_phase {
        LINK_PHASE_HELLO = 1 << 0, /* nothing said yet */
        LINK_PHASE_SYNC = 1 << 1,  /* until the first COMMIT */
        LINK_PHASE_UP = 1 << 2,
        LINK_PHASE_OVER = 1 << 3, /* the runner is gone: nothing more is decided */
};

struct link {
        struct zones zones;
        struct agendas agendas; /* those of the engine, the vault and audits */
        struct loop *loop;
        struct journal *journal;
        struct channel *control, *output;
        enum link_phase phase;
        struct engine *engine;
        struct story *story;
        struct book *book;
        struct vault *vault; /* NULL: no ledger is kept */
        struct hosts *hosts;
        int hosts_fd;
        struct loop_source *hosts_source; /* their descriptors come there; NULL: no more do */
        struct wire_hello hello;          /* that waits for it to open */
        bool is_hello_waiting;
        bool is_commit_waiting; /* the first one, for what hosts of before have to tell */
        bool is_taking;         /* actions: what ends now is only told to the engine */
        bool is_defining;       /* a generation is being told */
        struct link_listener listener;
        void *listener_data;
        uint8_t instance[16];
        char *files;               /* what the runner reads */
        struct wire_commit commit; /* or the one that waits */
        uint64_t *kills; /* runs whose end waits for room: at most those in flight, for the engine asks once for each */
        size_t n_kills, allocated_kills;
        struct pack pack;                 /* for the record in the making */
        struct clockstep_reading reading; /* of the clocks, when last looked at */
        bool is_synchronised;
        int64_t advanced_bt_us; /* when it was last begun to look at slots, */
        bool is_paced;          /* and are at set times */
        int64_t pace_bt_us;     /* when ticks were last counted, */
        uint64_t pace_n;        /* and how many there had been */
        bool has_more;          /* the engine has more to do in this instant */
        bool has_answers;       /* of hosts that are not acknowledged */
        bool is_unwritten;      /* actions were taken, and the ledger was not given its time since */
        bool has_heard;         /* the runner has spoken in this pass */
        int64_t behind_bt_us;   /* since when it has not read what it was sent; 0: it has */
        bool is_behind_told;
        uint64_t reloads;           /* asked for so far */
        uint64_t marked_era;        /* of the vault: the latest that hosts know of */
        int64_t acknowledged_bt_us; /* without a ledger: when hosts were told that their answers are taken */
        uint64_t value_run;         /* whose output's tail is in value */
        struct pack value;
};

/* Takes what the engine has decided. 0 or a negative error. */
int link_take_actions(struct link *link, struct clock_sample now);
/* The same, where more comes soon: the ledger has it at the end of the pass. */
int link_take_some(struct link *link, struct clock_sample now);
/* Reads the clocks; what happened to them is told to the engine first, whoever comes upon it first. */
int link_read_clock(struct link *link, struct clock_sample *ret);
/* Sends the record in the making, and one that is a number. 0; -ENOBUFS; -ENOMEM. */
int link_send(struct link *link, enum wire_type type);
int link_send_number(struct link *link, enum wire_type type, uint64_t number);

/* ---- link_records.c ---- */

/* Answers the runner's HELLO: it tells what there is from now on. 0 or a negative error. */
int link_begin_sync(struct link *link);
/* The generation is in force. 0 or a negative error. */
int link_commit_now(struct link *link);

/* ---- link_hosts.c ---- */

/* Takes the descriptor over which theirs come; -1: there are none. 0 or a negative error. */
int link_hosts_new(struct link *link, int fd);
void link_hosts_done(struct link *link);
/* Ends are in the ledger, or need not be. */
void link_hosts_settle(struct link *link, struct clock_sample now);
