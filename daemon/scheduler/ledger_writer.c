// SPDX-License-Identifier: MIT
// ledger_writer: the thread that commits. What waits behind a slow sync becomes one transaction. A batch is let go only when it is
// durable: a full disk or another's lock is waited out, after any other failure the file is opened anew, and its count of
// commits tells whether the batch is in it. If it is (a sync failed behind it), it is believed only after all of the log was read
// into the file and synced there: the kernel reports a lost page of the log once, and a second sync of it would lie.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/clock.h"
#include "daemon/scheduler/ledger_internal.h"

#define TRANSACTION_MAX (4 * 1024 * 1024) /* bytes of batches that become one */
#define TRIM_US         5000
#define RETRY_MIN_US    (50 * USEC_PER_MSEC)
#define RETRY_MAX_US    (5 * USEC_PER_SEC)
#define TELL_US         (60 * USEC_PER_SEC)
#define RENEW_US        USEC_PER_SEC       /* a file that is lost again so soon is not begun anew at once */
#define QUIET_US        (2 * USEC_PER_SEC) /* another's lock is told only after this */
#define WAL_MAX_PAGES   16384              /* of the log, over which readers are waited for */

struct writer {
        struct ledger *l;
        struct ledger_store store;
        bool is_open, was_open;
        bool is_lost; /* the file that was in use is gone or damaged */
        bool has_trim_work;
        bool is_damaged;              /* says the reader */
        struct ledger_batch *batches; /* being written */
        size_t size;
        uint8_t uuid[16];
        int64_t seq;       /* commits that are known to be in the file */
        int64_t maybe_seq; /* the count of commits if the latest failed one is in the file all the same; 0: none failed */
        char aside[64];
        /* trouble */
        int64_t retry_us, retry_at_us, failing_since_us, told_us, lost_us;
};

/* ---- trouble ---- */

static const char *describe(int error) {
        switch (error) {
        case -EBUSY:
                return "another program holds the ledger locked";
        case -ENOSPC:
                return "no space left for the ledger";
        case -EROFS:
                return "the ledger can't be written";
        case -ENOTSUP:
                return "the ledger was made by a newer version";
        case -EPERM:
                return "the ledger's folder is not the caller's alone";
        case -EUCLEAN:
                return "the ledger is damaged";
        default:
                return strerrordesc_np(-error);
        }
}

static void say(struct writer *w, enum ledger_note_kind kind, int error) {
        struct ledger_note *note = calloc(1, sizeof(*note));
        if (!note)
                return;
        note->kind = kind;
        note->error = error;
        snprintf(note->text, sizeof(note->text), "%s", error < 0 ? describe(error) : "the ledger is written again");
        ledger_notify(w->l, note);
}

static void note_failure(struct writer *w, int error) {
        int64_t now_us = clock_awake_us();
        if (w->failing_since_us == 0)
                w->failing_since_us = now_us;
        w->retry_us = w->retry_us == 0 ? RETRY_MIN_US : w->retry_us * 2 > RETRY_MAX_US ? RETRY_MAX_US : w->retry_us * 2;
        if (error == -EBUSY) /* SQLite has waited itself */
                w->retry_us = RETRY_MIN_US;
        w->retry_at_us = now_us + w->retry_us;
        bool is_quiet = error == -EBUSY && now_us - w->failing_since_us < QUIET_US;
        if (is_quiet || (w->told_us != 0 && now_us - w->told_us < TELL_US))
                return;
        w->told_us = now_us;
        say(w, w->was_open ? LEDGER_NOTE_TROUBLE : LEDGER_NOTE_OPENED, error);
}

static void note_success(struct writer *w) {
        if (w->told_us != 0 && w->was_open)
                say(w, LEDGER_NOTE_TROUBLE, 0);
        w->failing_since_us = w->told_us = w->retry_us = w->retry_at_us = 0;
}

/* ---- opening ---- */

struct loading {
        struct writer *w;
        struct ledger_note *note;
};

/* Hands over what was collected, when the loop has taken enough of what was before. */
static void send_loaded(struct loading *loading) {
        struct ledger *l = loading->w->l;
        if (!loading->note)
                return;
        pthread_mutex_lock(&l->lock);
        while (l->n_loading >= LEDGER_LOADING_MAX && !atomic_load(&l->is_closing))
                ledger_wait(l, &l->for_writer, INT64_MAX);
        pthread_mutex_unlock(&l->lock);
        ledger_notify(l, loading->note);
        loading->note = NULL;
}

static int load_row(void *userdata, const struct ledger_row *row) {
        struct loading *loading = userdata;
        if (atomic_load(&loading->w->l->is_closing))
                return -ECANCELED;
        if (!loading->note) {
                loading->note = calloc(1, sizeof(*loading->note));
                if (!loading->note)
                        return -ENOMEM;
                loading->note->kind = LEDGER_NOTE_ROWS;
        }
        ledger_row_put(&loading->note->rows, row);
        int r = pack_result(&loading->note->rows);
        if (r >= 0 && loading->note->rows.size >= LEDGER_LOAD_SIZE)
                send_loaded(loading);
        return r;
}

/* Everything that must be known at the start, then the state. Of a file that another one has made place for, only the state. */
static int introduce(struct writer *w) {
        struct loading loading = {.w = w};
        struct ledger_state state;

        int r = ledger_store_state(&w->store, &state);
        if (r >= 0 && !w->was_open)
                r = ledger_store_load(&w->store, load_row, &loading);
        if (r < 0) {
                ledger_note_free(loading.note);
                return r;
        }
        struct ledger_note *note = calloc(1, sizeof(*note));
        send_loaded(&loading);
        if (!note)
                return -ENOMEM;
        note->kind = w->was_open ? LEDGER_NOTE_LOST : LEDGER_NOTE_OPENED;
        note->state = state;
        if (w->aside[0])
                memcpy(note->state.aside, w->aside, sizeof(w->aside));
        ledger_notify(w->l, note);
        return 0;
}

/* The reader opens it when it is next asked; said before the loop hears of the file, which may ask at once. */
static void publish(struct writer *w) {
        pthread_mutex_lock(&w->l->lock);
        w->l->generation++;
        pthread_mutex_unlock(&w->l->lock);
}

static void remember(struct writer *w) {
        w->is_open = true;
        w->is_lost = false;
        w->was_open = true;
        w->aside[0] = 0;
        memcpy(w->uuid, w->store.file.uuid, sizeof(w->uuid));
        w->seq = w->store.file.seq;
}

static void let_go(struct writer *w);

/* Opens the file for the first time or again. */
static int open_store(struct writer *w) {
        int64_t now_rt_us = clock_now().rt_us;
        int r = w->is_lost ? ledger_file_put_aside(w->l->folder, now_rt_us, w->aside) : 0;
        if (r >= 0)
                r = ledger_store_open(&w->store, w->l->folder, now_rt_us);
        if (r < 0)
                return r;
        w->is_lost = false;
        if (w->store.file.aside[0])
                memcpy(w->aside, w->store.file.aside, sizeof(w->aside));
        bool is_same = w->was_open && memcmp(w->uuid, w->store.file.uuid, sizeof(w->uuid)) == 0 && w->store.file.seq >= w->seq;
        bool is_in = is_same && w->maybe_seq != 0 && w->store.file.seq >= w->maybe_seq;
        if (is_in)
                r = ledger_store_checkpoint(&w->store, true);
        if (r >= 0)
                publish(w);
        if (r >= 0 && !is_same)
                r = introduce(w);
        if (r < 0) {
                ledger_store_close(&w->store, false);
                w->is_lost = r == -EUCLEAN;
                return r;
        }
        remember(w);
        w->maybe_seq = 0;
        if (is_in)
                let_go(w);
        return 0;
}

/* ---- writing ---- */

/* The batches that were taken are durable. */
static void let_go(struct writer *w) {
        uint64_t number = 0, one = 1;
        while (w->batches) {
                struct ledger_batch *batch = w->batches;
                w->batches = batch->next;
                number = batch->number;
                ledger_batch_free(batch);
        }
        pthread_mutex_lock(&w->l->lock);
        w->l->durable = number;
        pthread_mutex_unlock(&w->l->lock);
        w->size = 0;
        ssize_t n = write(w->l->event_fd, &one, sizeof(one));
        (void)n;
}

static void close_store(struct writer *w, int error) {
        bool is_gone = error == -EUCLEAN || error == -ESTALE;
        w->maybe_seq = is_gone ? 0 : w->store.file.seq + 1;
        ledger_store_close(&w->store, false);
        w->is_open = false;
        w->is_lost = error == -EUCLEAN;
}

static void handle_failure(struct writer *w, int error) {
        if (error != -ENOSPC && error != -EBUSY && error != -ENOMEM)
                close_store(w, error);
        if (error == -EUCLEAN || error == -ESTALE) { /* a new one at once, which is told */
                w->retry_at_us = w->lost_us == 0 ? 0 : w->lost_us + RENEW_US;
                w->lost_us = clock_awake_us();
                return;
        }
        note_failure(w, error);
}

static void tidy(struct writer *w) {
        long long size_max = atomic_load(&w->l->size_max);
        if (size_max > 0)
                w->store.limits.bytes = size_max;
        int r = ledger_store_trim(&w->store, clock_now().rt_us, TRIM_US);
        w->has_trim_work = r == 1;
        if (r >= 0 && w->store.wal_pages >= LEDGER_WAL_PAGES)
                r = ledger_store_checkpoint(&w->store, w->store.wal_pages >= WAL_MAX_PAGES);
        if (r < 0 && r != -EBUSY)
                handle_failure(w, r);
}

static void write_batches(struct writer *w) {
        int r = ledger_store_write(&w->store, w->batches);
        if (r < 0) {
                handle_failure(w, r);
                return;
        }
        w->seq = w->store.file.seq;
        let_go(w);
        note_success(w);
        tidy(w);
}

/* Takes what waits, up to what may become one transaction; with the lock held. */
static void take_batches(struct writer *w) {
        struct ledger *l = w->l;
        struct ledger_batch **end = &w->batches;

        if (w->batches || l->is_folding)
                return;
        while (l->first && (w->size == 0 || w->size + l->first->rows.size <= TRANSACTION_MAX)) {
                *end = l->first;
                w->size += l->first->rows.size;
                l->queued -= l->first->rows.size;
                end = &l->first->next;
                l->first = l->first->next;
        }
        *end = NULL;
        if (!l->first)
                l->end = &l->first;
}

/* Waits until something is to be done; false when it is time to end. */
static bool wait_for_work(struct writer *w) {
        struct ledger *l = w->l;
        bool is_going_on;

        pthread_mutex_lock(&l->lock);
        for (;;) {
                int64_t now_us = clock_awake_us();
                take_batches(w);
                bool is_closing = atomic_load(&l->is_closing);
                is_going_on = !is_closing || ((w->batches || l->is_folding) && now_us < l->close_by_us);
                w->is_damaged = w->is_open && l->damaged == l->generation;
                bool has_work = !w->is_open || w->is_damaged || w->batches || w->has_trim_work;
                if (!is_going_on || (has_work && now_us >= w->retry_at_us))
                        break;
                int64_t until_us = has_work ? w->retry_at_us : INT64_MAX;
                if (is_closing && until_us > l->close_by_us)
                        until_us = l->close_by_us;
                ledger_wait(l, &l->for_writer, until_us);
        }
        pthread_mutex_unlock(&l->lock);
        return is_going_on;
}

void *ledger_writer_main(void *userdata) {
        struct writer w = {.l = userdata};
        w.store.limits = w.l->limits;

        pthread_setname_np(pthread_self(), "ledger-write");
        while (wait_for_work(&w)) {
                if (!w.is_open) {
                        int r = open_store(&w);
                        if (r < 0)
                                note_failure(&w, r);
                        else if (!w.batches)
                                note_success(&w);
                } else if (w.is_damaged)
                        handle_failure(&w, -EUCLEAN);
                else if (w.batches)
                        write_batches(&w);
                else
                        tidy(&w);
        }
        ledger_store_close(&w.store, true);
        while (w.batches) {
                struct ledger_batch *batch = w.batches;
                w.batches = batch->next;
                ledger_batch_free(batch);
        }
        ledger_leave(w.l);
        return NULL;
}
