// SPDX-License-Identifier: MIT
// host_ticks: the socket of ticks. What the scheduler does not read is kept: an answer waits in the list of answers, a resync goes on
// where it stood. Meanwhile no tick begins, so that what is kept has a bound.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/host/host_internal.h"

/* Sends what h->record holds. False: not now. */
static bool send_record(struct host *h, enum tick_type type) {
        int r = pack_result(&h->record);

        if (r == 0)
                r = channel_send(h->ticks_channel, (uint8_t)type, h->record.data, h->record.size);
        if (r == -ENOBUFS)
                h->is_behind = true;
        return r == 0;
}

static bool send_answer(struct host *h, const struct tick *tick) {
        pack_clear(&h->record);
        tick_put_answer(&h->record, &tick->answer);
        return send_record(h, TICK_ANSWER);
}

/* Notes in the page what was begun or answered. The entry is there before it counts. */
static void note(struct host *h, uint64_t run, enum run_result result, uint64_t duration_us) {
        uint64_t number = h->page->noted + 1;
        size_t place = number % TICK_RING;

        h->page->ring[place].run = run;
        h->page->ring[place].result = (uint32_t)result;
        h->page->ring[place].duration_us = duration_us < UINT32_MAX ? (uint32_t)duration_us : UINT32_MAX;
        __atomic_store_n(&h->page->noted, number, __ATOMIC_RELEASE);
        if (++h->n_notes >= HOST_FLUSH_NOTES) {
                h->n_notes = 0;
                (void)channel_flush(h->ticks_channel);
        }
}

void host_answer(struct host *h, struct tick *tick, struct tick_answer *answer) {
        answer->run = tick->run;
        note(h, answer->run, answer->result, answer->duration_us);
        bool is_in_turn = !h->is_behind && h->resync == RESYNC_NONE;
        ticks_answer(&h->ticks, tick, answer);
        if (is_in_turn && send_answer(h, tick))
                h->ticks.n_sent = h->ticks.n_answered;
        else if (!h->unsent)
                h->unsent = tick;
}

static bool send_begun(struct host *h, struct tick *tick) {
        pack_clear(&h->record);
        tick_put_begun(&h->record, &(struct tick_begun){tick->run, tick->begin_bt_us});
        tick->is_begun_told = send_record(h, TICK_BEGUN);
        return tick->is_begun_told;
}

void host_tell_begun(struct host *h, struct tick *tick) {
        tick->is_begun = true;
        note(h, tick->run, RUN_RESULT_NONE, 0);
        if (h->is_behind || h->resync != RESYNC_NONE)
                return; /* with the resync, or not at all: the page has it */
        if (tick->job->what.timeout_us < HOST_TIMEOUT_MIN)
                (void)send_begun(h, tick);
        else if (!h->is_tell_armed)
                h->is_tell_armed = loop_arm_timer(h->tell_timer, tick->begin_bt_us + HOST_TELL_US) == 0;
}

int host_on_tell_time(void *userdata, bool is_clock_change) {
        struct host *h = userdata;
        int64_t first_us = INT64_MAX;

        (void)is_clock_change;
        for (struct tick *tick = h->ticks.open_first; tick && !h->is_behind; tick = tick->next)
                if (tick->is_begun && !tick->is_begun_told && tick->begin_bt_us + HOST_TELL_US <= host_now(h))
                        (void)send_begun(h, tick);
                else if (tick->is_begun && !tick->is_begun_told && tick->begin_bt_us < first_us)
                        first_us = tick->begin_bt_us;
        h->is_tell_armed = first_us < INT64_MAX;
        return h->is_tell_armed ? loop_arm_timer(h->tell_timer, first_us + HOST_TELL_US) : 0;
}

/* A tick that waits or is under way, as a new scheduler learns of it. */
static bool tell_open(struct host *h, struct tick *tick) {
        pack_clear(&h->record);
        pack_raw(&h->record, tick->record, tick->record_size);
        if (!send_record(h, TICK_RUN))
                return false;
        if (tick->is_begun && !send_begun(h, tick)) /* both again, then */
                return false;
        tick->told = h->n_resync;
        return true;
}

static int compare_jobs(const void *a, const void *b) {
        uint32_t x = (*(struct chimed_job *const *)a)->handle, y = (*(struct chimed_job *const *)b)->handle;

        return (x > y) - (x < y);
}

/* In the order of handles, by which the scheduler finds them. Without memory they are told in a later pass. */
static bool tell_jobs(struct host *h) {
        struct chimed_job **jobs = calloc(h->n_jobs + 1, sizeof(struct chimed_job *));
        size_t n = 0, i;

        if (!jobs)
                return false;
        for (i = 0; i < h->n_slots; i++)
                for (struct chimed_job *job = h->jobs[i]; job; job = job->next)
                        if (job->told != h->n_resync)
                                jobs[n++] = job;
        qsort(jobs, n, sizeof(struct chimed_job *), compare_jobs);
        for (i = 0; i < n; i++) {
                pack_clear(&h->record);
                tick_put_loaded(&h->record, &(struct tick_loaded){jobs[i]->handle, jobs[i]->hash});
                if (!send_record(h, TICK_LOADED))
                        break;
                jobs[i]->told = h->n_resync;
        }
        free(jobs);
        return i == n;
}

static bool tell_open_ones(struct host *h) {
        for (struct tick *tick = h->ticks.open_first; tick; tick = tick->next)
                if (tick->told != h->n_resync && !tell_open(h, tick))
                        return false;
        return true;
}

/* From unsent on: each with its RUN where a resync has not told it. */
static bool tell_answered(struct host *h) {
        while (h->unsent) {
                struct tick *tick = h->unsent;
                if (h->resync != RESYNC_NONE && tick->told != h->n_resync) {
                        pack_clear(&h->record);
                        pack_raw(&h->record, tick->record, tick->record_size);
                        if (!send_record(h, TICK_RUN))
                                return false;
                        tick->told = h->n_resync;
                }
                if (!send_answer(h, tick))
                        return false;
                h->unsent = tick->next;
                h->ticks.n_sent++;
        }
        return true;
}

/* One stage of a resync; false: the rest when there is room. */
static bool resync_stage(struct host *h) {
        struct tick_hello hello = {.version = TICK_VERSION, .epoch = h->epoch, .answered = h->ticks.n_forgotten};

        switch (h->resync) {
        case RESYNC_NONE:
                return true;
        case RESYNC_HELLO:
                pack_clear(&h->record);
                tick_put_hello(&h->record, &hello);
                return send_record(h, TICK_HELLO);
        case RESYNC_LOADED:
                return tell_jobs(h);
        case RESYNC_ANSWERED:
                return tell_answered(h);
        case RESYNC_OPEN:
                return tell_open_ones(h);
        case RESYNC_SYNCED:
                if (!tell_answered(h)) /* what was answered meanwhile */
                        return false;
                pack_clear(&h->record);
                return send_record(h, TICK_SYNCED);
        }
        return false;
}

static void list_waiting(struct host *h) {
        for (size_t i = 0; i < h->n_slots; i++)
                for (struct chimed_job *job = h->jobs[i]; job; job = job->next)
                        if (job->waiting_first)
                                host_list(job);
}

void host_send_on(struct host *h) {
        if (h->is_behind || (h->resync == RESYNC_NONE && !h->unsent))
                return;
        for (; h->resync != RESYNC_NONE; h->resync = h->resync == RESYNC_SYNCED ? RESYNC_NONE : h->resync + 1)
                if (!resync_stage(h))
                        return;
        if (tell_answered(h))
                list_waiting(h);
}

int host_on_room(void *userdata) {
        struct host *h = userdata;

        h->is_behind = false;
        host_send_on(h);
        if (!h->is_behind)
                list_waiting(h);
        return 0;
}

/* A new scheduler. What an earlier one has left unread comes before, and means nothing to it. */
static void begin_resync(struct host *h, const struct tick_hello *hello) {
        h->n_resync++;
        h->epoch = hello->epoch;
        h->resync = RESYNC_HELLO;
        h->unsent = h->ticks.answered_first;
        /* so that none is forgotten between HELLO and its turn */
        h->ticks.n_sent = h->ticks.n_forgotten;
        host_send_on(h);
}

static void end_homeless(struct host *h, struct tick *tick, enum run_result result) {
        static const char why[] = "the host was not given its definition";
        struct tick_answer answer = {.result = result, .exit_code = -1};

        if (result == RUN_RESULT_START_FAILED) {
                answer.step = RUN_STEP_DEFINITION;
                answer.value = why;
                answer.value_size = strlen(why);
        }
        tick->begin_bt_us = 0;
        host_answer(h, tick, &answer);
}

static struct tick *take_homeless(struct host *h, struct tick *tick, struct tick *previous) {
        if (previous)
                previous->next_waiting = tick->next_waiting;
        else
                h->homeless_first = tick->next_waiting;
        if (h->homeless_last == tick)
                h->homeless_last = previous;
        tick->next_waiting = NULL;
        return tick;
}

void host_settle_homeless(struct host *h) {
        for (struct tick *tick = h->homeless_first, *previous = NULL, *next; tick; tick = next) {
                struct chimed_job *job = host_find_job(h, tick->handle);
                bool is_late = tick->begin_bt_us + HOST_LOAD_WAIT_US <= host_now(h);
                next = tick->next_waiting;
                if (!job && !is_late) {
                        previous = tick;
                        continue;
                }
                take_homeless(h, tick, previous);
                tick->begin_bt_us = 0;
                if (job) {
                        struct tick_run run = tick_read(tick);
                        hosted_take(job, tick, &run);
                } else
                        end_homeless(h, tick, RUN_RESULT_START_FAILED);
        }
        (void)loop_arm_timer(h->timer, h->homeless_first ? h->homeless_first->begin_bt_us + HOST_LOAD_WAIT_US : LOOP_NEVER);
}

void host_cancel_homeless(struct host *h) {
        while (h->homeless_first)
                end_homeless(h, take_homeless(h, h->homeless_first, NULL), RUN_RESULT_CANCELLED);
}

static void wait_for_definition(struct host *h, struct tick *tick) {
        tick->begin_bt_us = host_now(h);
        if (h->homeless_last)
                h->homeless_last->next_waiting = tick;
        else
                h->homeless_first = tick;
        h->homeless_last = tick;
        if (h->homeless_first == tick)
                (void)loop_arm_timer(h->timer, tick->begin_bt_us + HOST_LOAD_WAIT_US);
}

static int on_run(struct host *h, const void *payload, size_t size) {
        struct tick_run run;
        struct tick *tick;
        int r = tick_get_run(payload, size, &run);

        if (r < 0)
                return r;
        r = ticks_add(&h->ticks, &run, payload, size, &tick);
        if (r != 0)
                return r == 1 ? 0 : r; /* without memory there is no way to answer it: the next host does */
        if (h->end != HOST_END_NONE)
                return 0; /* the next host's, if it is not cancelled before */
        struct chimed_job *job = host_find_job(h, run.handle);
        if (!job) { /* its definition may be on the way */
                r = channel_poll(h->orders_channel);
                job = host_find_job(h, run.handle);
        }
        if (job)
                hosted_take(job, tick, &run);
        else
                wait_for_definition(h, tick);
        return r;
}

static int on_cancel(struct host *h, const void *payload, size_t size) {
        struct tick_cancel cancel;
        int r = tick_get_cancel(payload, size, &cancel);

        if (r < 0)
                return r;
        struct tick *tick = ticks_find(&h->ticks, cancel.run);
        if (!tick || tick->answer.run != 0)
                return 0; /* answered meanwhile */
        if (tick->job) {
                hosted_cancel(tick->job, tick, cancel.result);
                return 0;
        }
        for (struct tick *at = h->homeless_first, *previous = NULL; at; previous = at, at = at->next_waiting)
                if (at == tick) {
                        take_homeless(h, tick, previous);
                        break;
                }
        end_homeless(h, tick, cancel.result);
        return 0;
}

static int on_unload(struct host *h, const void *payload, size_t size) {
        uint32_t handle;
        int r = tick_get_handle(payload, size, &handle);
        struct chimed_job *job = r == 0 ? host_find_job(h, handle) : NULL;

        if (!job)
                return r;
        job->is_leaving = true;
        hosted_cancel_all(job, true);
        hosted_stop_work(job);
        host_list(job);
        return 0;
}

int host_on_tick_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct host *h = userdata;
        struct tick_hello hello;
        uint64_t number;
        int r = -EBADMSG;

        switch ((enum tick_type)type) {
        case TICK_HELLO:
                r = tick_get_hello(payload, size, &hello);
                if (r == 0 && hello.version != TICK_VERSION)
                        r = -EPROTO;
                if (r == 0)
                        begin_resync(h, &hello);
                return r;
        case TICK_RUN:
                return on_run(h, payload, size);
        case TICK_ACK:
                r = wire_get_number(payload, size, &number);
                if (r == 0)
                        ticks_acknowledge(&h->ticks, number);
                return r;
        case TICK_CANCEL:
                return on_cancel(h, payload, size);
        case TICK_UNLOAD:
                return on_unload(h, payload, size);
        case TICK_QUIT:
                host_begin_end(h, HOST_END_QUIT);
                return 0;
        case TICK_LOADED:
        case TICK_BEGUN:
        case TICK_ANSWER:
        case TICK_SYNCED:
        case TICK_TYPE_MAX:
                break;
        }
        return r;
}
