// SPDX-License-Identifier: MIT
// ledger_internal: what the loop and the two threads of the ledger share. Only the files ledger*.c include it.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "daemon/scheduler/ledger_query.h"
#include "daemon/scheduler/ledger_store.h"

#define LEDGER_FOLD_TELL_US (60 * USEC_PER_SEC)
#define LEDGER_TICKETS_MAX  64
#define LEDGER_LOADING_MAX  4 /* notes of rows that the loop has not taken yet, while the file is read at the start */
#define LEDGER_LOAD_SIZE    (128 * 1024) /* bytes of one */

enum ledger_note_kind {
        LEDGER_NOTE_ROWS,    /* of jobs and runs, before OPENED */
        LEDGER_NOTE_OPENED,  /* error, or state */
        LEDGER_NOTE_LOST,    /* state */
        LEDGER_NOTE_TROUBLE, /* error, text */
        LEDGER_NOTE_ANSWER,  /* ticket, error or found */
};

/* What a thread has to say to the loop. */
struct ledger_note {
        struct ledger_note *next;
        enum ledger_note_kind kind;
        int error;
        char text[160];
        struct ledger_state state;
        struct pack rows;
        uint64_t ticket;
        struct ledger_found found;
};

/* A question on its way to the reader. */
struct ledger_asked {
        struct ledger_asked *next;
        uint64_t ticket;
        struct ledger_query query;
        char *job;                /* owned */
        struct ledger_note *note; /* for the answer, owned: where it could not be made, nobody would hear of it */
};

/* Who waits for which answer; the loop's alone. */
struct ledger_ticket {
        struct ledger_ticket *next;
        uint64_t number;
        ledger_answer_fn fn;
        void *userdata;
};

struct ledger {
        /* the loop's */
        struct loop *loop;
        struct loop_source *io;
        struct ledger_callbacks callbacks;
        void *userdata;
        struct pack making;
        bool has_rows; /* were put since the latest commit */
        uint64_t number, told, n_tickets_ever;
        struct ledger_ticket *tickets;
        size_t n_tickets;
        pthread_t writer, reader;
        /* set before the threads are made */
        char *folder;
        int event_fd;
        struct ledger_limits limits;
        /* under the lock */
        pthread_mutex_t lock;
        pthread_cond_t for_writer, for_reader, for_loop;
        struct ledger_batch *first, **end;
        size_t queued;          /* bytes that wait or are being written */
        size_t fold_over;       /* bytes over which what waits is folded */
        bool is_folding;        /* what waited is with the reader thread: it goes before what waits by now */
        int64_t folded_told_us; /* the reader thread's */
        uint64_t durable;
        struct ledger_note *notes, **notes_end;
        unsigned n_loading;
        struct ledger_asked *asked, **asked_end;
        unsigned generation; /* of the file: counts openings; 0: none yet */
        unsigned damaged;    /* the one in which a question met damage; 0: none */
        unsigned n_threads;
        bool is_abandoned; /* the loop does not wait for the threads any more: the last one frees */
        int64_t close_by_us;
        /* read by all */
        atomic_bool is_closing;
        atomic_llong size_max; /* of rows, in bytes; 0: as limits say */
};

/* Threads; userdata is the ledger. */
void *ledger_writer_main(void *userdata);
void *ledger_reader_main(void *userdata);

/* Says something to the loop; takes the note. */
void ledger_notify(struct ledger *l, struct ledger_note *note);
/* Waits on a condition with the lock held until an instant of clock_awake_us(), INT64_MAX for ever. */
void ledger_wait(struct ledger *l, pthread_cond_t *condition, int64_t until_us);
/* What each thread ends with. */
void ledger_leave(struct ledger *l);
struct ledger_batch *ledger_batch_free(struct ledger_batch *batch);
struct ledger_note *ledger_note_free(struct ledger_note *note);
struct ledger_asked *ledger_asked_free(struct ledger_asked *asked);
/* ledger_new() with limits of a test. */
int ledger_new_limited(struct loop *loop, const char *folder, const struct ledger_limits *limits,
                       const struct ledger_callbacks *callbacks, void *userdata, struct ledger **ret);
