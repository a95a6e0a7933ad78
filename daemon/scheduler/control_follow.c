// SPDX-License-Identifier: MIT
// control_follow: a slot, or a trigger, is followed and not only a run: where an attempt fails and another one is to come, that is told, and the
// stream goes on with it. It ends with the last attempt of the last job.

#include "daemon/scheduler/control_follow.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/control_watch.h"

struct followed {
        uint32_t job;
        bool is_over;
        uint64_t run;          /* 0: the next attempt is to come */
        uint64_t lost;         /* bytes of output that were not told */
        struct job_run failed; /* the latest attempt; its run is 0: none has failed yet */
        struct run_end failed_end;
        uint16_t next_attempt; /* its number */
};

struct control_follow {
        size_t n, n_left;
        struct followed list[]; /* by job */
};

void control_follow_free(struct control_follow *follow) {
        free(follow);
}

static struct followed *find(const struct control_wait *wait, uint32_t job) {
        struct control_follow *follow = wait->follow;
        size_t first = 0, end = follow->n;
        while (first < end) {
                size_t middle = first + (end - first) / 2;
                if (follow->list[middle].job < job)
                        first = middle + 1;
                else
                        end = middle;
        }
        return first < follow->n && follow->list[first].job == job && !follow->list[first].is_over ? &follow->list[first]
                                                                                                   : NULL;
}

static const struct engine *engine_of(const struct control_wait *wait) {
        return link_engine(wait->client->control->link);
}

static bool may_control(const struct control_wait *wait, const struct followed *f) {
        return control_client_right(wait->client, engine_of(wait), f->job) >= API_RIGHT_CONTROL;
}

/* ---- what is told ---- */

static json_t *event(const struct control_wait *wait, const struct followed *f, const char *kind, uint64_t run, int64_t at_us) {
        json_t *o = json_object();
        control_put_text(&o, "kind", kind);
        control_put_text(&o, "job", engine_job_name(engine_of(wait), f->job));
        control_put_known(&o, "runId", run > 0, (int64_t)run);
        control_put_int(&o, "atUsec", at_us);
        return o;
}

/* Who does not read is not told each step, but how it ends. */
static bool has_room(const struct control_wait *wait) {
        return control_client_waiting(wait->client) <= CONTROL_LOST_MARK;
}

static void send_step(const struct control_wait *wait, json_t *o) {
        if (has_room(wait))
                control_send(wait->client, o, true);
        else
                json_decref(o);
}

static void send_started(const struct control_wait *wait, const struct followed *f, const struct job_run *run) {
        send_step(wait, event(wait, f, "started", run->run, run->start_rt_us));
}

static void send_output(struct control_wait *wait, struct clock_sample now, const struct followed *f, uint8_t stream,
                        const char *text, uint64_t dropped) {
        json_t *o = event(wait, f, "output", f->run, now.rt_us);
        control_put_int(&o, "stream", stream);
        control_put_text(&o, "text", text);
        control_put_known(&o, "dropped", dropped > 0, (int64_t)dropped);
        control_send(wait->client, o, true);
}

/* The book has the value, too. */
static json_t *run_json(const struct control_wait *wait, const struct followed *f, const struct job_run *run,
                        const struct run_end *end) {
        const char *name = engine_job_name(engine_of(wait), f->job);
        const struct book_job *book = book_find(link_book(wait->client->control->link), f->job);
        if (book && book->last && book->last->run.run == run->run && end->result != RUN_RESULT_CONDITION)
                return control_json_run(name, book->last, may_control(wait, f) && has_room(wait));
        json_t *o = json_object();
        control_put_run(&o, name, run, end);
        return o;
}

/* run is what there is to tell of its end; it is taken. */
static void finish(struct control_wait *wait, struct clock_sample now, struct followed *f, uint64_t number, json_t *run) {
        if (f->lost > 0)
                send_output(wait, now, f, 1, "", f->lost);
        json_t *o = event(wait, f, "ended", number, now.rt_us);
        control_put(&o, "run", run);
        f->is_over = true;
        bool is_last = --wait->follow->n_left == 0;
        control_send(wait->client, o, !is_last);
        if (is_last)
                control_wait_end(wait);
}

/* No attempt comes after the one that has failed. */
static void finish_failed(struct control_wait *wait, struct clock_sample now, struct followed *f) {
        finish(wait, now, f, f->failed.run, run_json(wait, f, &f->failed, &f->failed_end));
}

/* ---- what happens ---- */

static void await_next(struct control_wait *wait, struct clock_sample now, struct followed *f, const struct action *a) {
        uint16_t attempt = a->run.run.attempt > 0 ? a->run.run.attempt : 1;
        if (f->lost > 0)
                send_output(wait, now, f, 1, "", f->lost);
        f->lost = 0;
        f->run = 0;
        f->failed = a->run.run;
        f->failed_end = a->run.end;
        f->next_attempt = a->run.is_short ? attempt : (uint16_t)(attempt + 1);
        json_t *o = event(wait, f, "retry", f->failed.run, now.rt_us);
        control_put_int(&o, "attempt", f->next_attempt);
        control_put_int(&o, "attemptUsec", now.rt_us + a->run.retry_us);
        control_put(&o, "run", run_json(wait, f, &f->failed, &f->failed_end));
        send_step(wait, o);
}

static bool is_next(const struct followed *f, const struct wire_start *start) {
        return f->run == 0 && start->item == WIRE_ITEM_RETRY && start->attempt == f->next_attempt &&
               start->segment == f->failed.segment && start->key == f->failed.key && start->slot_rt_us == f->failed.slot_rt_us;
}

/* Its conditions did not hold: it is asked for again, perhaps under another number, or given up, which is told next. */
static void refused(struct control_wait *wait, struct clock_sample now, struct followed *f, const struct action *a) {
        if (a->run.is_asked_again && a->run.next_run > 0)
                f->run = a->run.next_run;
        else if (f->failed.run > 0)
                f->run = 0;
        else
                finish(wait, now, f, a->run.run.run, run_json(wait, f, &a->run.run, &a->run.end));
}

/* A promised run will not be. */
static void dropped(struct control_wait *wait, struct clock_sample now, struct followed *f, const struct action *a) {
        bool has_run = a->run.end.result == RUN_RESULT_CONDITION;
        if (f->failed.run > 0)
                finish_failed(wait, now, f);
        else
                finish(wait, now, f, f->run, has_run ? run_json(wait, f, &a->run.run, &a->run.end) : json_null());
}

void control_follow_action(struct control_wait *wait, struct clock_sample now, const struct action *a) {
        struct followed *f = find(wait, a->job);
        if (!f)
                return;
        bool is_of_run =
                a->kind == ACTION_STARTED || a->kind == ACTION_ENDED || a->kind == ACTION_REFUSED || a->kind == ACTION_DROPPED;
        if (is_of_run && (f->run == 0 || a->run.run.run != f->run))
                return;
        if (a->kind == ACTION_START && is_next(f, &a->start))
                f->run = a->start.run;
        else if (a->kind == ACTION_STARTED)
                send_started(wait, f, &a->run.run);
        else if (a->kind == ACTION_REFUSED)
                refused(wait, now, f, a);
        else if (a->kind == ACTION_DROPPED)
                dropped(wait, now, f, a);
        else if (a->kind == ACTION_ENDED && run_result_is_failure(a->run.end.result) && !a->run.is_final)
                await_next(wait, now, f, a);
        else if (a->kind == ACTION_ENDED)
                finish(wait, now, f, f->run, run_json(wait, f, &a->run.run, &a->run.end));
        else if (a->kind == ACTION_GIVEN_UP && f->failed.run > 0 && a->given_up.retry.run == f->failed.run)
                finish_failed(wait, now, f);
        else if (a->kind == ACTION_GONE)
                finish(wait, now, f, f->run, json_null());
}

void control_follow_output(struct control_wait *wait, struct clock_sample now, uint32_t job, const struct wire_bytes *piece,
                           const char *text) {
        struct followed *f = find(wait, job);
        if (!f || !wait->is_output_wanted || f->run != piece->run || !may_control(wait, f))
                return; /* rights may have changed with the definition */
        f->lost += piece->dropped;
        if (!has_room(wait)) { /* the job does not wait for a reader */
                f->lost += piece->size;
                return;
        }
        send_output(wait, now, f, piece->stream, text, f->lost);
        f->lost = 0;
}

bool control_follow_wants_output(const struct control_wait *wait, uint32_t job, uint64_t run) {
        const struct followed *f = wait->is_output_wanted ? find(wait, job) : NULL;
        return f && (f->run == run || f->run == 0);
}

/* ---- begin ---- */

/* What it has missed of a run that was in flight before. */
static int join(struct control_wait *wait, const struct control_call *call, const struct followed *f) {
        struct job_view view;
        engine_view(call->engine, call->now, f->job, &view);
        if (view.run && view.run->run == f->run && view.run->start_rt_us > 0)
                send_started(wait, f, view.run);
        return wait->is_output_wanted ? control_watch_begin(call->control, f->job, f->run, false) : 0;
}

int control_follow_begin(struct control_call *call, const struct control_follow_run *list, size_t n) {
        struct control_follow *follow = calloc(1, sizeof(*follow) + n * sizeof(follow->list[0]));
        struct control_wait *wait = follow ? control_wait_begin(call, CONTROL_WAIT_TRIGGER, INT64_MAX) : NULL;
        int r = 0;
        if (!wait) {
                free(follow);
                return -ENOMEM;
        }
        wait->follow = follow; /* taken */
        wait->is_output_wanted = message_get_bool(call->message, "output");
        call->control->n_output_wanted += wait->is_output_wanted;
        follow->n = follow->n_left = n;
        for (size_t i = 0; i < n; i++)
                follow->list[i] = (struct followed){.job = list[i].job, .run = list[i].run};
        for (size_t i = 0; r == 0 && i < n; i++)
                if (list[i].outcome == TRIGGER_JOINED)
                        r = join(wait, call, &follow->list[i]);
        return r;
}
