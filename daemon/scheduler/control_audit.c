// SPDX-License-Identifier: MIT
// control_audit: Audit: the rows of a job are read page by page, then judged. The job with its mark is read first: whatever is committed
// between the pages is behind that mark, and asked for by nobody.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_history.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_wait.h"
#include "daemon/scheduler/control_methods.h"
#include "daemon/scheduler/vault.h"

#define RUNS_MAX 20000 /* of a job that are read; with more of them runs are not looked at */

static void ask_job(struct control_history *h);

/* ---- the verdict ---- */

static json_t *json_instant(int64_t us) {
        return us > INT64_MIN && us < INT64_MAX ? json_integer(us) : json_null();
}

static json_t *json_fault(const struct audit_fault *f) {
        json_t *o = json_object();
        control_put_text(&o, "kind", audit_fault_to_string(f->kind));
        control_put(&o, "firstSlotUsec", json_instant(f->first_rt_us));
        control_put(&o, "lastSlotUsec", json_instant(f->last_rt_us));
        control_put_int(&o, "count", (int64_t)f->n);
        control_put_int(&o, "segment", f->segment);
        control_put_int(&o, "firstKey", f->first);
        control_put_int(&o, "lastKey", f->last);
        control_put_known(&o, "runId", f->run > 0, (int64_t)f->run);
        return o;
}

static json_t *json_verdict(const char *job, const struct audit_verdict *v) {
        json_t *o = json_object(), *faults = json_array();
        control_put_text(&o, "job", job);
        for (int k = 0; k < SLOT_OUTCOME_MAX; k++)
                control_put_int(&o, slot_outcome_to_string((enum slot_outcome)k), (int64_t)v->slots[k]);
        control_put_int(&o, "open", (int64_t)v->n_open);
        control_put_int(&o, "runs", (int64_t)v->n_runs);
        control_put_int(&o, "plans", (int64_t)v->n_segments);
        control_put_int(&o, "trimmed", (int64_t)v->n_trimmed);
        control_put_int(&o, "unchecked", (int64_t)v->n_unchecked);
        control_put(&o, "firstSlotUsec", json_instant(v->first_rt_us));
        control_put(&o, "lastSlotUsec", json_instant(v->last_rt_us));
        for (size_t i = 0; i < v->n_listed; i++)
                control_append(&faults, json_fault(&v->faults[i]));
        control_put(&o, "faults", faults);
        control_put_int(&o, "faultsLeftOut", (int64_t)(v->n_faults - v->n_listed));
        return o;
}

static void reply(struct control_history *h, const struct audit_verdict *v, const char *job) {
        json_t *o = json_verdict(job, v);
        bool is_last = h->is_single || h->after == 0;
        control_put_known(&o, "after", !h->is_single && h->after > 0, (int64_t)h->after);
        if (!h->is_more || is_last) {
                control_history_reply(h, o);
                return;
        }
        control_send(h->wait->client, o, true);
        h->is_room_wanted = true; /* the next one when this is on its way */
        control_client_touch(h->wait->client);
}

static void judge(struct control_history *h) {
        struct audit_verdict *v = malloc(sizeof(*v));
        if (!v) {
                control_history_fail(h, -ENOMEM);
                return;
        }
        audit_finish(h->audit, &h->terms, v);
        reply(h, v, h->job);
        free(v);
}

void control_audit_room(struct control_history *h) {
        if (!h->is_room_wanted || control_client_waiting(h->wait->client) > CONTROL_STREAM_MARK)
                return;
        h->is_room_wanted = false;
        ask_job(h);
}

/* ---- the rows of a job, one kind after the other ---- */

static void on_rows(void *userdata, const struct ledger_answer *answer);

static void ask_rows(struct control_history *h, enum ledger_question question) {
        h->query = (struct ledger_query){
                .question = question,
                .job = question == LEDGER_CLOCKS ? NULL : h->job,
                .since_rt_us = question == LEDGER_RANGES ? h->terms.since_rt_us : INT64_MIN,
                .until_rt_us = INT64_MAX,
                .with_ran = true,
                .limit = LEDGER_QUERY_LIMIT,
        };
        h->n_rows = 0;
        control_history_ask(h, &h->query, on_rows);
}

static int add_rows(struct control_history *h, const struct ledger_answer *answer) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < answer->n; i++)
                switch (h->query.question) {
                case LEDGER_RUNS:
                        r = audit_add_run(h->audit, &answer->runs[i]);
                        break;
                case LEDGER_RANGES:
                        r = audit_add_range(h->audit, &answer->ranges[i]);
                        break;
                case LEDGER_SEGMENTS:
                        r = audit_add_segment(h->audit, &answer->segments[i]);
                        break;
                case LEDGER_CLOCKS:
                        r = audit_add_clock(h->audit, &answer->clocks[i]);
                        break;
                case LEDGER_JOBS:
                        break;
                }
        return r;
}

/* All rows of a kind are here. Slots come before plans and runs: a row that is read later knows at least as much. */
static void go_on(struct control_history *h, const struct ledger_answer *answer) {
        switch (h->query.question) {
        case LEDGER_CLOCKS:
                ask_job(h);
                break;
        case LEDGER_JOBS:
                break;
        case LEDGER_RANGES:
                h->terms.trimmed_slots = answer->n_trimmed;
                ask_rows(h, LEDGER_SEGMENTS);
                break;
        case LEDGER_SEGMENTS:
                ask_rows(h, LEDGER_RUNS);
                break;
        case LEDGER_RUNS:
                h->terms.trimmed_runs = answer->n_trimmed;
                h->terms.has_all_runs = answer->cursor == 0;
                judge(h);
                break;
        }
}

static void on_rows(void *userdata, const struct ledger_answer *answer) {
        struct control_history *h = userdata;
        if (!control_history_hear(h, answer))
                return;
        int r = add_rows(h, answer);
        h->n_rows += answer->n;
        if (r < 0)
                control_history_fail(h, r);
        else if (answer->cursor > 0 && (h->query.question != LEDGER_RUNS || h->n_rows < RUNS_MAX)) {
                h->query.before = answer->cursor;
                control_history_ask(h, &h->query, on_rows);
        } else
                go_on(h, answer);
}

/* ---- jobs ---- */

static void begin_job(struct control_history *h, const struct ledger_job *job) {
        image_done(&h->image);
        audit_reset(h->audit);
        h->terms.image = job->plan_size > 0 && image_decode(job->plan, job->plan_size, &h->image) == 0 ? &h->image : NULL;
        h->terms.now_rt_us = clock_now().rt_us;
        ask_rows(h, LEDGER_RANGES);
}

/* There is no more of them: of one that has no event yet nothing can be wrong. */
static void reply_nothing(struct control_history *h) {
        static const struct audit_verdict nothing = {.first_rt_us = INT64_MAX, .last_rt_us = INT64_MIN};
        const struct engine *e = link_engine(h->wait->client->control->link);
        h->after = 0;
        if (h->is_single && engine_find_job(e, h->job) == INDEX_NONE)
                control_history_no_such_job(h);
        else
                reply(h, &nothing, h->is_single ? h->job : NULL);
}

static void on_job(void *userdata, const struct ledger_answer *answer) {
        struct control_history *h = userdata;
        if (!control_history_hear(h, answer))
                return;
        if (answer->n == 0) {
                reply_nothing(h);
                return;
        }
        if (!h->is_single) {
                free(h->job);
                h->job = strdup(answer->jobs[0].name);
        }
        h->after = answer->cursor;
        if (h->job)
                begin_job(h, &answer->jobs[0]);
        else
                control_history_fail(h, -ENOMEM);
}

static void ask_job(struct control_history *h) {
        struct ledger_query query = {
                .question = LEDGER_JOBS,
                .job = h->is_single ? h->job : NULL,
                .since_rt_us = INT64_MIN,
                .until_rt_us = INT64_MAX,
                .before = h->after,
                .limit = 1,
        };
        control_history_ask(h, &query, on_job);
}

int control_do_audit(struct control_call *call) {
        int64_t since_us = message_get_int(call->message, "sinceUsec", 0), after = message_get_int(call->message, "after", 0);
        if (since_us < 0 || after < 0) {
                control_invalid(call, since_us < 0 ? "sinceUsec" : "after");
                return 0;
        }
        struct control_history *h = control_history_begin(call);
        if (!h)
                return 0;
        h->is_single = h->job;
        h->after = (uint64_t)after;
        h->has_asked = after > 0; /* the page before has waited */
        h->terms.since_rt_us = since_us > 0 ? since_us : INT64_MIN;
        if (audit_new(link_agendas(h->wait->client->control->link), &h->audit) < 0)
                control_history_fail(h, -ENOMEM);
        else
                ask_rows(h, LEDGER_CLOCKS);
        return 0;
}
