// SPDX-License-Identifier: MIT
// ledger_reader: the thread that answers questions, over a connection of its own that can't write. A question that takes too long
// is ended: it would keep the log from being read into the file.

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/clock.h"
#include "daemon/scheduler/ledger_fold.h"
#include "daemon/scheduler/ledger_internal.h"
#include "daemon/scheduler/ledger_schema.h"

#define QUESTION_US (2 * USEC_PER_SEC)
#define BUSY_MS     500
#define STEPS       10000 /* of SQLite's machine between looks at the time */

struct reader {
        struct ledger *l;
        sqlite3 *db;
        unsigned generation; /* of the file that is open */
        int64_t until_us;
};

static int is_too_long(void *userdata) {
        const struct reader *r = userdata;
        return atomic_load(&r->l->is_closing) || clock_awake_us() > r->until_us;
}

static int open_db(struct reader *r, unsigned generation) {
        char path[LEDGER_PATH_MAX];

        sqlite3_close(r->db);
        r->db = NULL;
        if (generation == 0)
                return -EAGAIN;
        snprintf(path, sizeof(path), "%s/%s", r->l->folder, LEDGER_FILE);
        int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
        int error = sqlite3_open_v2(path, &r->db, flags, NULL) == SQLITE_OK ? 0 : r->db ? ledger_errno(r->db) : -ENOMEM;
        if (error >= 0)
                error = ledger_file_configure(r->db, BUSY_MS);
        if (error < 0) {
                sqlite3_close(r->db);
                r->db = NULL;
                return error;
        }
        sqlite3_progress_handler(r->db, STEPS, is_too_long, r);
        r->generation = generation;
        return 0;
}

/* The writer may not meet it for long: it reads little. */
static void report_damage(struct reader *r) {
        pthread_mutex_lock(&r->l->lock);
        r->l->damaged = r->generation;
        pthread_cond_signal(&r->l->for_writer);
        pthread_mutex_unlock(&r->l->lock);
}

static void answer(struct reader *r, struct ledger_asked *asked, unsigned generation) {
        struct ledger_note *note = asked->note;
        asked->note = NULL; /* given */
        note->kind = LEDGER_NOTE_ANSWER;
        note->ticket = asked->ticket;
        if (!r->db || r->generation != generation)
                note->error = open_db(r, generation);
        r->until_us = clock_awake_us() + QUESTION_US;
        if (note->error >= 0)
                note->error = ledger_query_run(r->db, &asked->query, &note->found);
        if (note->error == -EUCLEAN && r->db)
                report_damage(r);
        ledger_notify(r->l, note);
}

/* ---- folding ---- */

static void tell_folded(struct ledger *l, uint64_t n_runs) {
        int64_t now_us = clock_awake_us();
        if (n_runs == 0 || (l->folded_told_us != 0 && now_us - l->folded_told_us < LEDGER_FOLD_TELL_US))
                return;
        struct ledger_note *note = calloc(1, sizeof(*note));
        if (!note)
                return;
        note->kind = LEDGER_NOTE_TROUBLE;
        note->error = -ENOBUFS;
        snprintf(note->text, sizeof(note->text), "too much waits to be written: %" PRIu64 " runs are kept as counts only",
                 n_runs);
        l->folded_told_us = now_us;
        ledger_notify(l, note);
}

/* Folds a list of batches (taken) into one; without memory they stay. */
static struct ledger_batch *fold_list(struct ledger *l, struct ledger_batch *list) {
        struct ledger_batch *folded = NULL;
        uint64_t n_runs = 0;
        if (ledger_fold(list, &folded, &n_runs) < 0)
                return list;
        while (list) {
                struct ledger_batch *batch = list;
                list = batch->next;
                ledger_batch_free(batch);
        }
        tell_folded(l, n_runs);
        return folded;
}

static size_t sum_of(const struct ledger_batch *batch) {
        size_t size = 0;
        for (; batch; batch = batch->next)
                size += batch->rows.size;
        return size;
}

/* Takes what waits, and puts what is left of it before what came meanwhile; called and left with the lock held. */
static void fold_queue(struct ledger *l) {
        struct ledger_batch *list = l->first;
        size_t before = sum_of(list);
        l->first = NULL;
        l->end = &l->first;
        l->is_folding = true;
        pthread_mutex_unlock(&l->lock);
        list = fold_list(l, list);
        size_t after = sum_of(list);
        pthread_mutex_lock(&l->lock);
        struct ledger_batch **end = &list;
        while (*end)
                end = &(*end)->next;
        *end = l->first;
        if (!l->first)
                l->end = end == &list ? &l->first : end;
        l->first = list;
        l->queued = l->queued - before + after;
        l->is_folding = false;
        size_t least = l->limits.queue > 0 ? l->limits.queue : LEDGER_QUEUE_MAX;
        l->fold_over = 2 * after > least ? 2 * after : least; /* many jobs need much: not again before as much has come */
        pthread_cond_signal(&l->for_writer);
}

void *ledger_reader_main(void *userdata) {
        struct reader r = {.l = userdata};
        struct ledger *l = r.l;

        pthread_setname_np(pthread_self(), "ledger-read");
        pthread_mutex_lock(&l->lock);
        while (!atomic_load(&l->is_closing)) {
                struct ledger_asked *asked = l->asked;
                if (l->queued > l->fold_over) {
                        fold_queue(l);
                        continue;
                }
                if (!asked) {
                        ledger_wait(l, &l->for_reader, INT64_MAX);
                        continue;
                }
                l->asked = asked->next;
                if (!l->asked)
                        l->asked_end = &l->asked;
                unsigned generation = l->generation;
                pthread_mutex_unlock(&l->lock);
                answer(&r, asked, generation);
                ledger_asked_free(asked);
                pthread_mutex_lock(&l->lock);
        }
        pthread_mutex_unlock(&l->lock);
        sqlite3_close(r.db);
        ledger_leave(l);
        return NULL;
}
