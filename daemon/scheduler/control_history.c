// SPDX-License-Identifier: MIT
// control_history: the way of a question to the ledger and back, and the lists.

#include "daemon/scheduler/control_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/vault.h"

#define ROUTINE (1u << (SLOT_OUTCOME_MAX + 1)) /* beside the outcomes: those that ran whose runs have no rows */

/* ---- life ---- */

static struct link *link_of(const struct control_history *h) {
        return h->wait->client->control->link;
}

struct control_history *control_history_begin(struct control_call *call) {
        const char *job = message_get_text(call->message, "job", NULL);
        if (!link_vault(call->control->link)) {
                control_error(call, API_ERROR_NO_LEDGER, NULL);
                return NULL;
        }
        if (!control_wait_is_free(call))
                return NULL;
        struct control_history *h = calloc(1, sizeof(*h));
        char *copy = job && h ? strdup(job) : NULL;
        bool has_memory = h && (!job || copy);
        struct control_wait *wait = has_memory ? control_wait_begin(call, CONTROL_WAIT_LEDGER, INT64_MAX) : NULL;
        if (!has_memory)
                control_client_close(call->client);
        if (!wait) { /* or nobody waits for the answer */
                free(copy);
                free(h);
                return NULL;
        }
        h->wait = wait;
        h->job = copy;
        h->is_more = call->message->is_more;
        wait->job = INDEX_NONE; /* its job may go and come meanwhile */
        wait->history = h;
        return h;
}

struct control_history *control_history_free(struct control_history *h) {
        if (!h)
                return NULL;
        if (h->ticket > 0)
                vault_forget(link_vault(link_of(h)), h->ticket);
        image_done(&h->image);
        audit_free(h->audit);
        free(h->job);
        free(h);
        return NULL;
}

/* ---- questions ---- */

void control_history_fail(struct control_history *h, int error) {
        json_t *o = json_object();
        if (error == -EBUSY) {
                control_put_text(&o, "what", "questions to the ledger");
                control_put_int(&o, "limit", VAULT_ASK_MAX);
                control_client_error(h->wait->client, API_ERROR_LIMIT_REACHED, o);
        } else {
                const char *why = strerrordesc_np(-error);
                control_put_text(&o, "reason",
                                 error == -ENOTCONN || error == -EAGAIN ? "it could not be opened; the journal says why"
                                 : error == -ETIME                      ? "it did not answer in time"
                                 : why                                  ? why
                                                                        : "it can't be read");
                control_client_error(h->wait->client, API_ERROR_LEDGER_FAILED, o);
        }
        control_wait_end(h->wait);
}

void control_history_ask(struct control_history *h, const struct ledger_query *query, ledger_answer_fn fn) {
        struct clock_sample now = clock_now();
        int r = vault_ask(link_vault(link_of(h)), now, query, h->has_asked, fn, h, &h->ticket);
        h->has_asked = true;
        if (r < 0) {
                control_history_fail(h, r);
                return;
        }
        h->wait->deadline_bt_us = now.bt_us + CONTROL_HISTORY_US;
        control_wake_at(h->wait->client->control, h->wait->deadline_bt_us);
}

bool control_history_hear(struct control_history *h, const struct ledger_answer *answer) {
        h->ticket = 0;
        h->wait->deadline_bt_us = INT64_MAX;
        if (answer->error < 0) {
                control_history_fail(h, answer->error);
                return false;
        }
        if (link_engine(link_of(h)))
                return true;
        control_client_error(h->wait->client, API_ERROR_NOT_READY, NULL);
        control_wait_end(h->wait);
        return false;
}

void control_history_reply(struct control_history *h, json_t *parameters) {
        control_send(h->wait->client, parameters, false);
        control_wait_end(h->wait);
}

void control_history_no_such_job(struct control_history *h) {
        json_t *o = json_object();
        control_put_text(&o, "job", h->job);
        control_client_error(h->wait->client, API_ERROR_NO_SUCH_JOB, o);
        control_wait_end(h->wait);
}

bool control_history_may_control(const struct control_history *h, const char *job) {
        const struct engine *e = link_engine(link_of(h));
        return control_client_right(h->wait->client, e, engine_find_job(e, job)) >= API_RIGHT_CONTROL;
}

/* ---- rows ---- */

json_t *control_history_range(const struct ledger_range *range) {
        const struct book_range same = {
                .outcome = range->outcome,
                .reason = range->reason,
                .n = range->n,
                .first_rt_us = range->first_rt_us,
                .last_rt_us = range->last_rt_us,
                .run = range->run,
        };
        json_t *o = control_json_range(range->job, &same, range->lag_us);
        if (range->result != RUN_RESULT_NONE)
                control_put_text(&o, "result", run_result_to_string(range->result));
        return o;
}

json_t *control_history_run(const struct control_history *h, const struct ledger_run *run) {
        json_t *o = json_object();
        bool may_control = run->value && control_history_may_control(h, run->job);
        control_put_run(&o, run->job, &run->run, &run->end);
        control_put_value(&o, may_control ? run->value : NULL, run->value_size);
        return o;
}

/* ---- lists ---- */

/* Instants, page and size that the lists take alike. False where the call is answered with an error. */
static bool get_query(const struct control_call *call, struct ledger_query *ret) {
        static const char *const names[] = {"sinceUsec", "untilUsec", "limit", "after", "runId"};
        static const int64_t defaults[] = {INT64_MIN, INT64_MAX, CONTROL_PAGE, 0, 0};
        int64_t values[ARRAY_SIZE(names)];
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                values[i] = message_get_int(call->message, names[i], defaults[i]);
                bool is_given = message_get(call->message, names[i]);
                if (is_given && (values[i] < 0 || (i == 2 && (values[i] < 1 || values[i] > CONTROL_PAGE)))) {
                        control_invalid(call, names[i]);
                        return false;
                }
        }
        *ret = (struct ledger_query){
                .job = message_get_text(call->message, "job", NULL),
                .since_rt_us = values[0],
                .until_rt_us = values[1],
                .limit = (size_t)values[2],
                .before = (uint64_t)values[3],
                .run = (uint64_t)values[4],
        };
        return true;
}

/* Ends a page; a job that nobody knows is an error. */
static void reply_page(struct control_history *h, const struct ledger_answer *answer, const char *name, json_t *list) {
        if (h->job && !answer->is_known && engine_find_job(link_engine(link_of(h)), h->job) == INDEX_NONE) {
                json_decref(list);
                control_history_no_such_job(h);
                return;
        }
        json_t *o = json_object();
        control_put(&o, name, list);
        control_put_int(&o, "trimmed", (int64_t)answer->n_trimmed);
        control_put_known(&o, "after", answer->cursor > 0, (int64_t)answer->cursor);
        control_history_reply(h, o);
}

static void on_runs(void *userdata, const struct ledger_answer *answer) {
        struct control_history *h = userdata;
        if (!control_history_hear(h, answer))
                return;
        json_t *list = json_array();
        for (size_t i = 0; i < answer->n; i++)
                control_append(&list, control_history_run(h, &answer->runs[i]));
        reply_page(h, answer, "runs", list);
}

int control_do_list_runs(struct control_call *call) {
        struct ledger_query query;
        if (!get_query(call, &query))
                return 0;
        struct control_history *h = control_history_begin(call);
        if (!h)
                return 0;
        query.question = LEDGER_RUNS;
        query.is_failed_only = message_get_bool(call->message, "failed");
        query.with_values = query.job || query.run > 0; /* of one job they are three at most */
        control_history_ask(h, &query, on_runs);
        return 0;
}

static void on_missed(void *userdata, const struct ledger_answer *answer) {
        struct control_history *h = userdata;
        if (!control_history_hear(h, answer))
                return;
        json_t *list = json_array();
        for (size_t i = 0; i < answer->n; i++)
                if (h->outcomes & 1u << answer->ranges[i].outcome ||
                    (h->outcomes & ROUTINE && answer->ranges[i].result != RUN_RESULT_NONE))
                        control_append(&list, control_history_range(&answer->ranges[i]));
        reply_page(h, answer, "missed", list);
}

/* The outcomes that are asked for, as bits; 0 where one is unknown (answered). */
static uint32_t get_outcomes(const struct control_call *call) {
        const json_t *names = message_get(call->message, "outcomes");
        uint32_t bits = 0;
        size_t i;
        json_t *name;
        if (!names)
                return 1u << SLOT_MISSED;
        json_array_foreach(names, i, name) {
                int k = 0;
                if (strcmp(json_string_value(name), "routine") == 0) {
                        bits |= ROUTINE;
                        continue;
                }
                while (k < SLOT_OUTCOME_MAX &&
                       strcmp(slot_outcome_to_string((enum slot_outcome)k), json_string_value(name)) != 0)
                        k++;
                bits |= 1u << k;
        }
        if (bits != 0 && !(bits & 1u << SLOT_OUTCOME_MAX))
                return bits;
        control_invalid(call, "outcomes");
        return 0;
}

int control_do_list_missed(struct control_call *call) {
        struct ledger_query query;
        uint32_t outcomes = get_outcomes(call);
        if (outcomes == 0 || !get_query(call, &query))
                return 0;
        struct control_history *h = control_history_begin(call);
        if (!h)
                return 0;
        h->outcomes = outcomes;
        query.question = LEDGER_RANGES;
        query.with_ran = outcomes & 1u << SLOT_RAN;
        query.with_routine = outcomes & ROUTINE;
        control_history_ask(h, &query, on_missed);
        return 0;
}
