// SPDX-License-Identifier: MIT
// ledger: the loop's side. Rows are packed into a buffer, which a commit hands over whole; what the threads have to say comes back as
// a list of notes behind an eventfd. The lock is only ever held for a few assignments, by anybody.

#include "daemon/scheduler/ledger.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/ledger_internal.h"

/* ---- what loop and threads share ---- */

struct ledger_batch *ledger_batch_free(struct ledger_batch *batch) {
        if (batch)
                pack_done(&batch->rows);
        free(batch);
        return NULL;
}

struct ledger_note *ledger_note_free(struct ledger_note *note) {
        if (note) {
                pack_done(&note->rows);
                pack_done(&note->found.rows);
        }
        free(note);
        return NULL;
}

struct ledger_asked *ledger_asked_free(struct ledger_asked *asked) {
        if (asked) {
                ledger_note_free(asked->note);
                free(asked->job);
        }
        free(asked);
        return NULL;
}

static void wake_loop(struct ledger *l) {
        uint64_t one = 1;
        ssize_t n = write(l->event_fd, &one, sizeof(one)); /* can only fail when it is full, and then it wakes */
        (void)n;
}

void ledger_notify(struct ledger *l, struct ledger_note *note) {
        pthread_mutex_lock(&l->lock);
        *l->notes_end = note;
        l->notes_end = &note->next;
        if (note->kind == LEDGER_NOTE_ROWS)
                l->n_loading++;
        pthread_mutex_unlock(&l->lock);
        wake_loop(l);
}

void ledger_wait(struct ledger *l, pthread_cond_t *condition, int64_t until_us) {
        struct timespec until = {.tv_sec = until_us / USEC_PER_SEC, .tv_nsec = until_us % USEC_PER_SEC * 1000};
        if (until_us == INT64_MAX)
                pthread_cond_wait(condition, &l->lock);
        else
                pthread_cond_timedwait(condition, &l->lock, &until);
}

static void destroy(struct ledger *l) {
        while (l->first) {
                struct ledger_batch *batch = l->first;
                l->first = batch->next;
                ledger_batch_free(batch);
        }
        while (l->notes) {
                struct ledger_note *note = l->notes;
                l->notes = note->next;
                ledger_note_free(note);
        }
        while (l->asked) {
                struct ledger_asked *asked = l->asked;
                l->asked = asked->next;
                ledger_asked_free(asked);
        }
        pthread_cond_destroy(&l->for_writer);
        pthread_cond_destroy(&l->for_reader);
        pthread_cond_destroy(&l->for_loop);
        pthread_mutex_destroy(&l->lock);
        util_close(l->event_fd);
        free(l->folder);
        free(l);
}

void ledger_leave(struct ledger *l) {
        pthread_mutex_lock(&l->lock);
        bool is_last = --l->n_threads == 0 && l->is_abandoned;
        pthread_cond_signal(&l->for_loop);
        pthread_mutex_unlock(&l->lock);
        if (is_last)
                destroy(l);
}

/* ---- what the threads say ---- */

static void tell_rows(struct ledger *l, const struct pack *rows) {
        struct unpack u = unpack_from(rows->data, rows->size);
        struct ledger_row row;
        while (ledger_row_get(&u, &row) == 1)
                if (row.kind == LEDGER_ROW_JOB)
                        l->callbacks.on_job(l->userdata, &row.job);
                else if (row.kind == LEDGER_ROW_RUN)
                        l->callbacks.on_run(l->userdata, &row.run);
                else if (row.kind == LEDGER_ROW_GROUP && l->callbacks.on_group)
                        l->callbacks.on_group(l->userdata, &row.group);
}

/* The rows of an answer in the array of their kind. */
static int unpack_answer(const struct ledger_found *found, void **ret_array, struct ledger_answer *answer) {
        struct unpack u = unpack_from(found->rows.data, found->rows.size);
        struct ledger_row row;
        union ledger_any {
                struct ledger_run run;
                struct ledger_range range;
                struct ledger_segment segment;
                struct ledger_clock clock;
                struct ledger_job job;
        };
        void *array = calloc(found->n + 1, sizeof(union ledger_any));
        if (!array)
                return -ENOMEM;
        for (size_t n = 0; ledger_row_get(&u, &row) == 1 && n < found->n; n++)
                if (row.kind == LEDGER_ROW_RUN)
                        ((struct ledger_run *)array)[n] = row.run;
                else if (row.kind == LEDGER_ROW_RANGE)
                        ((struct ledger_range *)array)[n] = row.range;
                else if (row.kind == LEDGER_ROW_SEGMENT)
                        ((struct ledger_segment *)array)[n] = row.segment;
                else if (row.kind == LEDGER_ROW_CLOCK)
                        ((struct ledger_clock *)array)[n] = row.clock;
                else if (row.kind == LEDGER_ROW_JOB)
                        ((struct ledger_job *)array)[n] = row.job;
        *answer = (struct ledger_answer){
                .n = found->n,
                .is_known = found->is_known,
                .runs = array,
                .ranges = array,
                .segments = array,
                .clocks = array,
                .jobs = array,
                .cursor = found->cursor,
                .n_trimmed = found->n_trimmed,
        };
        *ret_array = array;
        return 0;
}

/* Takes the ticket out of the list; NULL if it was forgotten. */
static struct ledger_ticket *take_ticket(struct ledger *l, uint64_t number) {
        for (struct ledger_ticket **at = &l->tickets; *at; at = &(*at)->next)
                if ((*at)->number == number) {
                        struct ledger_ticket *ticket = *at;
                        *at = ticket->next;
                        l->n_tickets--;
                        return ticket;
                }
        return NULL;
}

static void tell_answer(struct ledger *l, const struct ledger_note *note) {
        struct ledger_answer answer = {.error = note->error};
        _cleanup_free_ void *array = NULL;
        _cleanup_free_ struct ledger_ticket *ticket = take_ticket(l, note->ticket);
        if (!ticket)
                return;
        if (answer.error >= 0) {
                int r = unpack_answer(&note->found, &array, &answer);
                if (r < 0)
                        answer.error = r;
        }
        ticket->fn(ticket->userdata, &answer);
}

static void tell(struct ledger *l, const struct ledger_note *note) {
        switch (note->kind) {
        case LEDGER_NOTE_ROWS:
                tell_rows(l, &note->rows);
                break;
        case LEDGER_NOTE_OPENED:
                l->callbacks.on_open(l->userdata, note->error, note->error < 0 ? NULL : &note->state);
                break;
        case LEDGER_NOTE_LOST:
                if (l->callbacks.on_lost)
                        l->callbacks.on_lost(l->userdata, &note->state);
                break;
        case LEDGER_NOTE_TROUBLE:
                l->callbacks.on_trouble(l->userdata, note->error, note->text);
                break;
        case LEDGER_NOTE_ANSWER:
                tell_answer(l, note);
                break;
        }
}

static struct ledger_note *take_note(struct ledger *l) {
        pthread_mutex_lock(&l->lock);
        struct ledger_note *note = l->notes;
        if (note) {
                l->notes = note->next;
                if (!l->notes)
                        l->notes_end = &l->notes;
                if (note->kind == LEDGER_NOTE_ROWS && l->n_loading-- == LEDGER_LOADING_MAX)
                        pthread_cond_signal(&l->for_writer);
        }
        pthread_mutex_unlock(&l->lock);
        return note;
}

static int on_event(void *userdata, uint32_t events) {
        struct ledger *l = userdata;
        struct ledger_note *note;
        uint64_t count;

        (void)events;
        ssize_t n = read(l->event_fd, &count, sizeof(count));
        (void)n;
        pthread_mutex_lock(&l->lock);
        uint64_t durable = l->durable;
        pthread_mutex_unlock(&l->lock);
        while ((note = take_note(l))) {
                bool is_long = note->kind == LEDGER_NOTE_ROWS;
                tell(l, note);
                ledger_note_free(note);
                if (is_long) { /* others of the loop first */
                        wake_loop(l);
                        return 0;
                }
        }
        if (durable > l->told) {
                l->told = durable;
                l->callbacks.on_committed(l->userdata, durable);
        }
        return 0;
}

/* ---- begin and end ---- */

static int init_locks(struct ledger *l) {
        pthread_condattr_t attributes;
        int r = -pthread_mutex_init(&l->lock, NULL);
        if (r < 0)
                return r;
        pthread_condattr_init(&attributes);
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&l->for_writer, &attributes);
        pthread_cond_init(&l->for_reader, &attributes);
        pthread_cond_init(&l->for_loop, &attributes);
        pthread_condattr_destroy(&attributes);
        return 0;
}

/* Signals are the loop's: the threads are born with all of them blocked. */
static int start_threads(struct ledger *l) {
        sigset_t all, old;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        l->n_threads = 2;
        int r = -pthread_create(&l->writer, NULL, ledger_writer_main, l);
        bool is_writing = r >= 0;
        if (r < 0)
                l->n_threads = 0;
        else
                r = -pthread_create(&l->reader, NULL, ledger_reader_main, l);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r < 0 && is_writing) {
                pthread_mutex_lock(&l->lock);
                l->n_threads = 1;
                atomic_store(&l->is_closing, true);
                pthread_cond_broadcast(&l->for_writer);
                pthread_mutex_unlock(&l->lock);
                pthread_join(l->writer, NULL);
        }
        return r;
}

int ledger_new_limited(struct loop *loop, const char *folder, const struct ledger_limits *limits,
                       const struct ledger_callbacks *callbacks, void *userdata, struct ledger **ret) {
        struct ledger *l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->loop = loop;
        l->callbacks = *callbacks;
        l->userdata = userdata;
        l->end = &l->first;
        l->notes_end = &l->notes;
        l->asked_end = &l->asked;
        l->fold_over = limits ? limits->queue : LEDGER_QUEUE_MAX;
        if (limits)
                l->limits = *limits;
        l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        int r = l->event_fd < 0 ? -errno : init_locks(l);
        if (r < 0) {
                util_close(l->event_fd);
                free(l);
                return r;
        }
        l->folder = strdup(folder);
        r = l->folder ? loop_add_io(loop, l->event_fd, EPOLLIN, on_event, l, &l->io) : -ENOMEM;
        if (r >= 0)
                r = start_threads(l);
        if (r < 0) {
                loop_source_free(l->io);
                destroy(l);
                return r;
        }
        *ret = l;
        return 0;
}

int ledger_new(struct loop *loop, const char *folder, const struct ledger_callbacks *callbacks, void *userdata,
               struct ledger **ret) {
        return ledger_new_limited(loop, folder, NULL, callbacks, userdata, ret);
}

void ledger_set_size(struct ledger *l, uint64_t bytes) {
        if (bytes > 0)
                atomic_store(&l->size_max, (long long)bytes);
}

/* True when both threads have ended in time; else they are left to themselves. */
static bool wait_for_threads(struct ledger *l, int64_t patience_us) {
        int64_t until_us = clock_awake_us() + patience_us;
        pthread_mutex_lock(&l->lock);
        l->close_by_us = until_us;
        atomic_store(&l->is_closing, true);
        pthread_cond_broadcast(&l->for_writer);
        pthread_cond_broadcast(&l->for_reader);
        /* they have a second more to close than to commit */
        while (l->n_threads > 0 && clock_awake_us() < until_us + USEC_PER_SEC)
                ledger_wait(l, &l->for_loop, until_us + USEC_PER_SEC);
        bool is_over = l->n_threads == 0;
        l->is_abandoned = !is_over;
        pthread_mutex_unlock(&l->lock);
        return is_over;
}

struct ledger *ledger_free(struct ledger *l, int64_t patience_us) {
        if (!l)
                return NULL;
        ledger_commit(l);
        loop_source_free(l->io);
        while (l->tickets)
                free(take_ticket(l, l->tickets->number));
        pack_done(&l->making);
        pthread_t writer = l->writer, reader = l->reader; /* an abandoned ledger may be gone at any time */
        if (wait_for_threads(l, patience_us)) {
                pthread_join(writer, NULL);
                pthread_join(reader, NULL);
                destroy(l);
        } else {
                pthread_detach(writer);
                pthread_detach(reader);
        }
        return NULL;
}

/* ---- writing ---- */

static void put(struct ledger *l, const struct ledger_row *row) {
        ledger_row_put(&l->making, row);
        l->has_rows = true;
}

void ledger_put_job(struct ledger *l, const struct ledger_job *job) {
        put(l, &(struct ledger_row){.kind = LEDGER_ROW_JOB, .job = *job});
}

void ledger_put_run(struct ledger *l, const struct ledger_run *run) {
        put(l, &(struct ledger_row){.kind = LEDGER_ROW_RUN, .run = *run});
}

void ledger_put_range(struct ledger *l, const struct ledger_range *range) {
        put(l, &(struct ledger_row){.kind = LEDGER_ROW_RANGE, .range = *range});
}

void ledger_put_segment(struct ledger *l, const struct ledger_segment *segment) {
        put(l, &(struct ledger_row){.kind = LEDGER_ROW_SEGMENT, .segment = *segment});
}

void ledger_put_clock(struct ledger *l, const struct ledger_clock *clock) {
        put(l, &(struct ledger_row){.kind = LEDGER_ROW_CLOCK, .clock = *clock});
}

void ledger_put_group(struct ledger *l, const struct ledger_group *group) {
        put(l, &(struct ledger_row){.kind = LEDGER_ROW_GROUP, .group = *group});
}

void ledger_put_horizon(struct ledger *l, const struct ledger_horizon *horizon) {
        put(l, &(struct ledger_row){.kind = LEDGER_ROW_HORIZON, .horizon = *horizon});
}

void ledger_put_life(struct ledger *l, uint64_t epoch, const uint8_t instance[static 16], const uint8_t boot_id[static 16],
                     uint64_t next_run) {
        struct ledger_row row = {.kind = LEDGER_ROW_LIFE, .life = {.epoch = epoch, .next_run = next_run}};
        memcpy(row.life.instance, instance, 16);
        memcpy(row.life.boot_id, boot_id, 16);
        put(l, &row);
}

void ledger_give_up(struct ledger *l) {
        if (pack_result(&l->making) == 0)
                l->making.error = -ENOMEM;
}

bool ledger_has_lost(const struct ledger *l) {
        return pack_result(&l->making) < 0;
}

uint64_t ledger_commit(struct ledger *l) {
        if (!l->has_rows)
                return l->number;
        struct ledger_batch *batch = ledger_has_lost(l) ? NULL : calloc(1, sizeof(*batch));
        if (!batch) { /* rows that stayed would wait for others: nobody asks for this commit again */
                ledger_give_up(l);
                return l->number + 1;
        }
        *batch = (struct ledger_batch){.number = ++l->number, .at = clock_now(), .rows = l->making};
        l->making = (struct pack){};
        l->has_rows = false;
        pthread_mutex_lock(&l->lock);
        *l->end = batch;
        l->end = &batch->next;
        l->queued += batch->rows.size;
        pthread_cond_signal(&l->for_writer);
        if (l->queued > l->fold_over)
                pthread_cond_signal(&l->for_reader);
        pthread_mutex_unlock(&l->lock); /* the batch may be gone by now */
        return l->number;
}

uint64_t ledger_committed(const struct ledger *l) {
        return l->told;
}

/* ---- questions ---- */

static struct ledger_asked *copy_query(const struct ledger_query *query, uint64_t ticket) {
        struct ledger_asked *asked = calloc(1, sizeof(*asked));
        if (!asked)
                return NULL;
        *asked = (struct ledger_asked){.ticket = ticket,
                                       .query = *query,
                                       .job = query->job ? strdup(query->job) : NULL,
                                       .note = calloc(1, sizeof(*asked->note))};
        if (!asked->note || (query->job && !asked->job))
                return ledger_asked_free(asked);
        asked->query.job = asked->job;
        if (asked->query.limit < 1 || asked->query.limit > LEDGER_QUERY_LIMIT)
                asked->query.limit = LEDGER_QUERY_LIMIT;
        return asked;
}

int ledger_ask(struct ledger *l, const struct ledger_query *query, ledger_answer_fn fn, void *userdata, uint64_t *ret_ticket) {
        if (l->n_tickets >= LEDGER_TICKETS_MAX)
                return -EBUSY;
        struct ledger_ticket *ticket = calloc(1, sizeof(*ticket));
        struct ledger_asked *asked = ticket ? copy_query(query, l->n_tickets_ever + 1) : NULL;
        if (!asked) {
                free(ticket);
                return -ENOMEM;
        }
        *ticket = (struct ledger_ticket){.next = l->tickets, .number = ++l->n_tickets_ever, .fn = fn, .userdata = userdata};
        l->tickets = ticket;
        l->n_tickets++;
        *ret_ticket = ticket->number;
        pthread_mutex_lock(&l->lock);
        *l->asked_end = asked;
        l->asked_end = &asked->next;
        pthread_cond_signal(&l->for_reader);
        pthread_mutex_unlock(&l->lock);
        return 0;
}

void ledger_forget(struct ledger *l, uint64_t number) {
        struct ledger_ticket *ticket = take_ticket(l, number);
        free(ticket);
        if (!ticket)
                return;
        pthread_mutex_lock(&l->lock);
        for (struct ledger_asked **at = &l->asked; *at; at = &(*at)->next)
                if ((*at)->ticket == number) {
                        struct ledger_asked *asked = *at;
                        *at = asked->next;
                        if (!*at)
                                l->asked_end = at;
                        ledger_asked_free(asked);
                        break;
                }
        pthread_mutex_unlock(&l->lock);
}
