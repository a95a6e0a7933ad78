// SPDX-License-Identifier: MIT
// control_wait: what a call waits for comes as an action of the engine, a commit, an answer of the runner, or the deadline. Those who
// wait are one list, walked for each: it is as long as the bounds on clients allow, and mostly empty.

#include "daemon/scheduler/control_wait.h"

#include <errno.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_commands.h"
#include "daemon/scheduler/control_feed.h"
#include "daemon/scheduler/control_follow.h"
#include "daemon/scheduler/control_history.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/control_simulate.h"

/* ---- life ---- */

bool control_wait_is_free(const struct control_call *call) {
        if (call->client->user->n_waits < CONTROL_STREAMS_UID_MAX)
                return true;
        json_t *o = json_object();
        control_put_text(&o, "what", "streams and calls that wait");
        control_put_int(&o, "limit", CONTROL_STREAMS_UID_MAX);
        control_error(call, API_ERROR_LIMIT_REACHED, o);
        return false;
}

struct control_wait *control_wait_begin(struct control_call *call, enum control_wait_kind kind, int64_t deadline_bt_us) {
        struct control_client *client = call->client;
        struct control *c = call->control;
        if (call->message->is_oneway)
                return NULL;
        client->wait = (struct control_wait){
                .kind = kind,
                .client = client,
                .next = c->waits,
                .job = call->job,
                .deadline_bt_us = deadline_bt_us,
        };
        if (c->waits)
                c->waits->previous = &client->wait;
        c->waits = &client->wait;
        client->user->n_waits++;
        control_wake_at(c, deadline_bt_us);
        control_client_touch(client);
        return &client->wait;
}

void control_wait_end(struct control_wait *wait) {
        struct control_client *client = wait->client;
        struct control *c = client->control;
        if (wait->previous)
                wait->previous->next = wait->next;
        else
                c->waits = wait->next;
        if (wait->next)
                wait->next->previous = wait->previous;
        client->user->n_waits--;
        if (wait->is_output_wanted) {
                c->n_output_wanted--;
                c->is_watch_stale = true;
        }
        if (wait->kind == CONTROL_WAIT_FEED)
                c->n_feeds--;
        control_feed_free(wait->feed);
        control_follow_free(wait->follow);
        control_history_free(wait->history);
        control_simulate_free(wait->simulate);
        control_rows_done(&wait->rows);
        *wait = (struct control_wait){0};
        control_client_touch(client);
}

/* The last word of a call that waits. */
static void answer(struct control_wait *wait, json_t *parameters) {
        control_send(wait->client, parameters, false);
        control_wait_end(wait);
}

static void answer_error(struct control_wait *wait, enum api_error error, json_t *parameters) {
        control_client_error(wait->client, error, parameters);
        control_wait_end(wait);
}

static const struct engine *engine_of(const struct control_wait *wait) {
        return link_engine(wait->client->control->link);
}

static const struct book_job *book_of(const struct control_wait *wait) {
        return book_find(link_book(wait->client->control->link), wait->job);
}

static json_t *about_job(const struct control_wait *wait) {
        json_t *o = json_object();
        control_put_text(&o, "job", engine_job_name(engine_of(wait), wait->job));
        return o;
}

static bool may_control(const struct control_wait *wait) {
        return control_client_right(wait->client, engine_of(wait), wait->job) >= API_RIGHT_CONTROL;
}

/* ---- Cancel ---- */

static void cancelled(struct control_wait *wait, struct clock_sample now, const struct action *a) {
        struct job_view view;
        uint64_t runs[ENGINE_RUNS_MAX];
        if ((a->kind != ACTION_ENDED && a->kind != ACTION_REFUSED) || a->run.run.run != wait->run)
                return;
        if (engine_list_runs(engine_of(wait), wait->job, runs) > 0 && runs[0] < wait->run) {
                wait->run = runs[0]; /* it was in flight beside that one */
                return;
        }
        const struct book_job *book = book_of(wait);
        engine_view(engine_of(wait), now, wait->job, &view);
        json_t *o = about_job(wait);
        bool is_in_book = book && book->last && book->last->run.run == wait->run;
        json_t *run = control_json_run(engine_job_name(engine_of(wait), wait->job), is_in_book ? book->last : NULL,
                                       may_control(wait));
        control_put_cancelled(&o, wait->has_changed, &view, run, &wait->dropped);
        answer(wait, o);
}

/* ---- Wait ---- */

/* What a Wait asks for, and where the job stands. */
static bool is_fulfilled(const struct control_wait *wait, const struct job_view *view, const struct book_counts *counts) {
        if (wait->is_until_finished)
                return !view->run && view->pending_run == 0 && !view->retry && view->n_waiting == 0;
        return counts->runs >= wait->runs || counts->successes >= wait->successes;
}

static const struct book_counts *counts_of(const struct control_wait *wait) {
        static const struct book_counts none;
        const struct book_job *book = book_of(wait);
        return book ? &book->counts : &none;
}

static void answer_runs(struct control_wait *wait, const struct job_view *view) {
        const struct book_job *book = book_of(wait);
        json_t *o = about_job(wait);
        control_put_int(&o, "runs", (int64_t)counts_of(wait)->runs);
        control_put_int(&o, "successes", (int64_t)counts_of(wait)->successes);
        control_put_text(&o, "state", job_status_to_string(view->status));
        const struct book_run *last = control_last_ended(book);
        control_put(&o, "lastRun", control_json_run(engine_job_name(engine_of(wait), wait->job), last, may_control(wait)));
        answer(wait, o);
}

/* Answers a Wait that is fulfilled or never will be. */
static void look_at_runs(struct control_wait *wait, struct clock_sample now) {
        struct job_view view;
        engine_view(engine_of(wait), now, wait->job, &view);
        if (is_fulfilled(wait, &view, counts_of(wait))) {
                answer_runs(wait, &view);
                return;
        }
        const char *state = control_unarmed_state(&view);
        if (!state || view.run || view.pending_run > 0)
                return; /* the run in flight may fulfil it */
        json_t *o = about_job(wait);
        control_put_text(&o, "state", state);
        answer_error(wait, API_ERROR_NOT_ARMED, o);
}

/* The counts that are waited for. False where the call is answered. */
static bool get_counts(const struct control_call *call, struct control_wait *ret) {
        static const char *const names[] = {"more", "runs", "successes"};
        size_t n = message_get_bool(call->message, "finished");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const json_t *value = message_get(call->message, names[i]);
                n += value != NULL;
                /* `more` of a billion is a mistake, and can't overflow */
                if (n > 1 || (value && (json_integer_value(value) < 0 || json_integer_value(value) > INT64_MAX / 2))) {
                        control_invalid(call, names[i]);
                        return false;
                }
        }
        const struct book_job *book = book_find(call->book, call->job);
        uint64_t more = (uint64_t)message_get_int(call->message, "more", 1), ended = book ? book->counts.runs : 0;
        ret->is_until_finished = message_get_bool(call->message, "finished");
        ret->runs = ret->is_until_finished || message_get(call->message, "successes")
                            ? UINT64_MAX
                            : (uint64_t)message_get_int(call->message, "runs", (int64_t)(ended + more));
        ret->successes = (uint64_t)message_get_int(call->message, "successes", -1);
        return true;
}

int control_do_wait(struct control_call *call) {
        struct control_wait wanted = {0};
        int64_t for_us = message_get_int(call->message, "forUsec", DURATION_MAX);
        if (for_us < 0 || for_us > DURATION_MAX) {
                control_invalid(call, "forUsec");
                return 0;
        }
        if (!get_counts(call, &wanted) || !control_wait_is_free(call))
                return 0;
        bool has_end = message_get(call->message, "forUsec");
        struct control_wait *wait = control_wait_begin(call, CONTROL_WAIT_RUNS, has_end ? call->now.bt_us + for_us : INT64_MAX);
        if (!wait)
                return 0;
        wait->runs = wanted.runs;
        wait->successes = wanted.successes;
        wait->is_until_finished = wanted.is_until_finished;
        look_at_runs(wait, call->now);
        return 0;
}

/* ---- Reload ---- */

static void reloaded(struct control_wait *wait, const struct wire_commit *commit) {
        const struct control *c = wait->client->control;
        if (commit->asked < wait->number)
                return;
        json_t *o = json_object(), *diags = json_array();
        for (size_t i = 0; i < c->n_diags; i++)
                control_append(&diags, control_json_text(c->diags[i]));
        control_put_int(&o, "generation", (int64_t)commit->generation);
        control_put_int(&o, "jobs", commit->n_jobs);
        control_put_int(&o, "files", commit->n_files);
        control_put_int(&o, "added", commit->n_added);
        control_put_int(&o, "changed", commit->n_changed);
        control_put_int(&o, "removed", commit->n_removed);
        control_put_int(&o, "errors", commit->n_errors);
        control_put_int(&o, "warnings", commit->n_warnings);
        control_put(&o, "diagnostics", diags);
        control_put_int(&o, "diagnosticsLeftOut", (int64_t)c->n_diags_left_out);
        answer(wait, o);
}

/* ---- what happens ---- */

/* The job is no longer defined. */
static void gone(struct control_wait *wait) {
        answer_error(wait, API_ERROR_NO_SUCH_JOB, about_job(wait));
}

static void look_at_action(struct control_wait *wait, struct clock_sample now, const struct action *a) {
        if (a->kind == ACTION_GONE)
                control_rows_forget(&wait->rows, a->job, &wait->at);
        if (wait->kind == CONTROL_WAIT_TRIGGER) {
                control_follow_action(wait, now, a);
                return;
        }
        if (wait->job != a->job)
                return;
        switch (wait->kind) {
        case CONTROL_WAIT_CANCEL:
                cancelled(wait, now, a);
                break;
        case CONTROL_WAIT_RUNS:
                if (a->kind == ACTION_CLOSED && a->unplanned == SLOT_REASON_REMOVED)
                        gone(wait);
                else if (a->kind == ACTION_ENDED || a->kind == ACTION_REFUSED || a->kind == ACTION_DROPPED ||
                         a->kind == ACTION_HOLD || a->kind == ACTION_CLOSED || a->kind == ACTION_GIVEN_UP ||
                         a->kind == ACTION_OUTCOME)
                        look_at_runs(wait, now);
                break;
        case CONTROL_WAIT_DESCRIBE:
                if (a->kind == ACTION_CLOSED && a->unplanned == SLOT_REASON_REMOVED)
                        gone(wait);
                break;
        case CONTROL_WAIT_NONE:
        case CONTROL_WAIT_TRIGGER:
        case CONTROL_WAIT_PAGES:
        case CONTROL_WAIT_RELOAD:
        case CONTROL_WAIT_FEED:
        case CONTROL_WAIT_LEDGER:
        case CONTROL_WAIT_SIMULATE:
                break;
        }
        if (a->kind == ACTION_GONE && wait->kind != CONTROL_WAIT_NONE && wait->job == a->job)
                gone(wait);
}

void control_wait_action(struct control *c, struct clock_sample now, const struct action *a) {
        for (struct control_wait *wait = c->waits, *next; wait; wait = next) {
                next = wait->next;
                look_at_action(wait, now, a);
        }
}

void control_wait_commit(struct control *c, const struct wire_commit *commit) {
        for (struct control_wait *wait = c->waits, *next; wait; wait = next) {
                next = wait->next;
                if (wait->kind == CONTROL_WAIT_RELOAD)
                        reloaded(wait, commit);
        }
}

void control_wait_described(struct control *c, struct clock_sample now, const struct wire_described *described) {
        for (struct control_wait *wait = c->waits; wait; wait = wait->next)
                if (wait->kind == CONTROL_WAIT_DESCRIBE && wait->number == described->number) {
                        control_show(wait->client, now, wait->job, described);
                        control_wait_end(wait);
                        return;
                }
}

void control_wait_output(struct control *c, struct clock_sample now, uint32_t job, const struct wire_bytes *piece,
                         const char *text) {
        for (struct control_wait *wait = c->waits; wait; wait = wait->next)
                if (wait->kind == CONTROL_WAIT_TRIGGER)
                        control_follow_output(wait, now, job, piece, text);
}

void control_wait_expired(struct control_wait *wait, struct clock_sample now) {
        if (!engine_of(wait))
                answer_error(wait, API_ERROR_NOT_READY, NULL);
        else if (wait->kind == CONTROL_WAIT_LEDGER)
                control_history_fail(wait->history, -ETIME);
        else if (wait->kind == CONTROL_WAIT_SIMULATE)
                control_simulate_cut(wait);
        else if (wait->kind == CONTROL_WAIT_DESCRIBE) {
                control_show(wait->client, now, wait->job, NULL);
                control_wait_end(wait);
        } else
                answer_error(wait, API_ERROR_TIMED_OUT, about_job(wait));
}

/* The next page, once most of what was written before is gone. */
static void send_page(struct control_wait *wait, struct clock_sample now) {
        bool is_last;
        if (control_client_waiting(wait->client) > CONTROL_STREAM_MARK)
                return;
        if (!engine_of(wait)) {
                answer_error(wait, API_ERROR_NOT_READY, NULL);
                return;
        }
        json_t *page = control_list_page(wait->client->control, wait->client, now, &wait->rows, &wait->at, &is_last);
        if (is_last)
                answer(wait, page);
        else
                control_send(wait->client, page, true);
}

void control_wait_room(struct control_wait *wait, struct clock_sample now) {
        if (wait->kind == CONTROL_WAIT_PAGES)
                send_page(wait, now);
        else if (wait->kind == CONTROL_WAIT_FEED)
                control_feed_room(wait, now);
        else if (wait->kind == CONTROL_WAIT_LEDGER)
                control_audit_room(wait->history);
        else if (wait->kind == CONTROL_WAIT_SIMULATE)
                control_simulate_room(wait);
}

void control_wait_abandon(struct control *c) {
        while (c->waits)
                answer_error(c->waits, API_ERROR_NOT_READY, NULL);
}
