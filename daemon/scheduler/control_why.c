// SPDX-License-Identifier: MIT
// control_why: Why: how a job stands is in memory; what became of a slot is in the ledger: its row, then the run, then the time in
// which it passed.

#include <stdlib.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_history.h"
#include "daemon/scheduler/control_json.h"
#include "daemon/scheduler/control_methods.h"

#define ROWS        64                  /* of slots that are looked at for the last one before an instant */
#define STARTING_US (60 * USEC_PER_SEC) /* a run begins at most so long after it was decided */

/* ---- the reply ---- */

static json_t *sentences(const struct words_answer *answer) {
        json_t *list = json_array();
        for (size_t i = 0; i < answer->n; i++)
                control_append(&list,
                               control_json_text(answer->sentences[i])); /* one that was cut may end within a character */
        return list;
}

static json_t *reasons(const struct words_facts *facts) {
        const char *words[WORDS_REASONS];
        size_t n = words_reasons(facts, words);
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++)
                control_append(&list, control_json_text(words[i]));
        return list;
}

/* What something waits for, and how long it will. */
static void put_wait(json_t **o, const struct words_facts *facts) {
        const struct job_waiting *waiting = facts->view.waiting;
        const struct engine_place *place = facts->has_place ? &facts->place.place : NULL;
        int64_t until_us = place ? place->until_bt_us : waiting ? waiting->until_bt_us : INT64_MAX;
        bool has_end = until_us < INT64_MAX;
        control_put_text(o, "condition", facts->condition);
        control_put_text(o, "placeGroup", place ? place->group : NULL);
        control_put_known(o, "placesBefore", place, place ? (int64_t)place->n_before : 0);
        control_put_known(o, "waitsUntilUsec", has_end, has_end ? facts->now.rt_us + until_us - facts->now.bt_us : 0);
}

/* What both kinds of answers have; slot and run are taken. */
static json_t *make_reply(const struct words_facts *facts, const struct words_answer *answer, json_t *slot, json_t *run) {
        json_t *o = json_object();
        control_put_text(&o, "job", facts->job);
        control_put_text(&o, "state", job_status_to_string(facts->view.status));
        control_put(&o, "sentences", sentences(answer));
        control_put_text(&o, "reason", answer->reason);
        control_put(&o, "reasons", reasons(facts));
        put_wait(&o, facts);
        control_put(&o, "slot", slot);
        control_put(&o, "run", run);
        control_put_known(&o, "nextSlotUsec", facts->next_slot_rt_us != INT64_MAX, facts->next_slot_rt_us);
        return o;
}

static void put_slot(json_t **object, const struct words_past *past) {
        control_put_text(object, "outcome", past ? slot_outcome_to_string(past->range->outcome) : NULL);
        control_put_known(object, "slotUsec", past, past ? past->slot_rt_us : 0);
}

struct words_facts words_find_facts(struct engine *e, const struct book *b, struct clock_sample now, uint32_t job) {
        struct words_facts facts = {
                .job = engine_job_name(e, job),
                .now = now,
                .when = engine_job_when(e, job),
                .book = book_find(b, job),
                .condition = engine_condition(e, job),
        };
        engine_view(e, now, job, &facts.view);
        facts.next_slot_rt_us = facts.view.next_slot_rt_us;
        if (facts.view.group != INDEX_NONE)
                facts.group = &engine_groups(e)->list[facts.view.group];
        facts.has_place = engine_view_place(e, job, &facts.place.place);
        for (size_t i = 0; facts.has_place && i < facts.place.place.n_runners; i++)
                facts.place.runners[i] = engine_job_name(e, facts.place.place.runners[i]);
        size_t at = 0;
        uint32_t parent, events;
        while ((parent = engine_walk_parents(e, job, &at, &events)) != INDEX_NONE) {
                if (facts.n_parents < WORDS_PARENTS)
                        facts.parents[facts.n_parents] =
                                (struct words_parent){engine_job_name(e, parent), events, book_find(b, parent)};
                facts.n_parents++;
        }
        return facts;
}

/* With what only the link knows. */
static struct words_facts find_facts(struct link *link, struct clock_sample now, uint32_t job) {
        struct words_facts facts = words_find_facts(link_engine(link), link_book(link), now, job);
        link_explain_host(link, now, facts.job, facts.host, sizeof(facts.host));
        return facts;
}

/* ---- from memory ---- */

/* The latest slot at an instant or before it that is in memory; the instant where none is. */
static int64_t find_known_slot(const struct words_facts *facts, int64_t at_us) {
        const struct book_job *book = facts->book;
        int64_t found_us = facts->next_slot_rt_us <= at_us ? facts->next_slot_rt_us : INT64_MIN;
        const struct book_run *const runs[] = {book ? book->last : NULL, book ? book->last_good : NULL,
                                               book ? book->last_failure : NULL};
        for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
                if (runs[i] && runs[i]->run.item != WIRE_ITEM_TRIGGER && runs[i]->run.slot_rt_us <= at_us &&
                    runs[i]->run.slot_rt_us > found_us)
                        found_us = runs[i]->run.slot_rt_us;
        for (size_t i = 0; book && i < book->n_recent; i++) {
                int64_t last_us =
                        book->recent[i].last_rt_us <= at_us ? book->recent[i].last_rt_us : book->recent[i].first_rt_us;
                if (last_us <= at_us && last_us > found_us)
                        found_us = last_us;
        }
        return found_us > INT64_MIN ? found_us : at_us;
}

static void answer_from_memory(const struct control_call *call, const struct words_facts *facts, const int64_t *slot_us) {
        static struct words_answer answer;
        if (slot_us)
                words_why_slot(facts, *slot_us, &answer);
        else
                words_why(facts, &answer);
        json_t *o = make_reply(facts, &answer, answer.slots ? control_json_range(facts->job, answer.slots, 0) : json_null(),
                               control_json_run(facts->job, answer.run, call->right >= API_RIGHT_CONTROL));
        put_slot(&o, NULL);
        control_reply(call, o);
}

/* ---- from the ledger ---- */

static void answer_from_ledger(struct control_history *h) {
        static struct words_answer answer;
        struct control *c = h->wait->client->control;
        struct engine *e = link_engine(c->link);
        uint32_t job = engine_find_job(e, h->job);
        if (job == INDEX_NONE) {
                control_history_no_such_job(h);
                return;
        }
        struct words_facts facts = find_facts(c->link, clock_now(), job);
        words_why_past(&facts, &h->past, &answer);
        h->range.job = h->run.job = h->job;
        bool has_row = h->past.range && h->past.range->outcome != SLOT_RAN && !h->past.beside;
        json_t *o = make_reply(&facts, &answer, has_row ? control_history_range(h->past.range) : json_null(),
                               h->past.run ? control_history_run(h, h->past.run) : json_null());
        put_slot(&o, h->past.range ? &h->past : NULL);
        control_history_reply(h, o);
}

/* The time out in which the slot passed: what ended it came first after the slot. */
static void on_clocks(void *userdata, const struct ledger_answer *answer) {
        struct control_history *h = userdata;
        struct words_past *past = &h->past;
        if (!control_history_hear(h, answer))
                return;
        for (size_t i = 0; !past->clock && i < answer->n; i++) {
                const struct ledger_clock *c = &answer->clocks[i];
                if (c->kind == LEDGER_CLOCK_BOOT)
                        past->booted_rt_us = c->at.rt_us - c->at.bt_us;
                bool is_out = c->kind == LEDGER_CLOCK_START || c->kind == LEDGER_CLOCK_RESUME || c->kind == LEDGER_CLOCK_STEP;
                if (!is_out || c->by_us <= 0 || c->at.rt_us - c->by_us > past->slot_rt_us)
                        continue;
                h->clock = *c;
                past->clock = &h->clock;
        }
        answer_from_ledger(h);
}

static void ask_clocks(struct control_history *h) {
        enum slot_reason reason = h->past.range->reason;
        bool is_late = h->past.run && h->past.range->outcome == SLOT_RAN && h->past.run->run.cause == RUN_CAUSE_CATCH_UP;
        bool is_out = reason == SLOT_REASON_DOWN || reason == SLOT_REASON_SUSPENDED || reason == SLOT_REASON_CLOCK_STEP;
        if (!is_late && !is_out && h->past.range->outcome != SLOT_INTERRUPTED) {
                answer_from_ledger(h);
                return;
        }
        h->query = (struct ledger_query){
                .question = LEDGER_CLOCKS,
                .since_rt_us = h->past.slot_rt_us,
                .until_rt_us = INT64_MAX,
                .limit = ROWS,
        };
        control_history_ask(h, &h->query, on_clocks);
}

/* Whether it is the run that the answer speaks of. */
static bool is_meant(const struct words_past *past, const struct ledger_run *run) {
        const struct ledger_range *r = past->range;
        if (r->outcome == SLOT_MERGED)
                return true;
        if (r->outcome != SLOT_RAN) /* it was in flight */
                return run->end.result == RUN_RESULT_NONE || run->end.end_rt_us >= past->slot_rt_us;
        return run->run.item == r->item && run->run.segment == r->segment &&
               (r->item != WIRE_ITEM_SCHEDULE ? run->run.run == r->run : run->run.key == past->key);
}

static void on_runs(void *userdata, const struct ledger_answer *answer) {
        struct control_history *h = userdata;
        if (!control_history_hear(h, answer))
                return;
        for (size_t i = 0; !h->past.run && i < answer->n; i++)
                if (is_meant(&h->past, &answer->runs[i])) {
                        h->run = answer->runs[i];
                        h->run.value = NULL; /* it is valid for this call only */
                        h->past.run = &h->run;
                }
        ask_clocks(h);
}

static void ask_runs(struct control_history *h) {
        const struct ledger_range *r = h->past.range;
        bool is_of_slot = r->outcome == SLOT_RAN, is_overlap = r->reason == SLOT_REASON_OVERLAP && r->outcome == SLOT_MISSED;
        if (!is_of_slot && !is_overlap && r->outcome != SLOT_MERGED) {
                ask_clocks(h);
                return;
        }
        h->query = (struct ledger_query){
                .question = LEDGER_RUNS,
                .job = h->job,
                .since_rt_us = is_of_slot ? h->past.slot_rt_us - USEC_PER_SEC : INT64_MIN,
                .until_rt_us = is_of_slot   ? h->past.slot_rt_us + r->lag_us + STARTING_US
                               : is_overlap ? h->past.slot_rt_us
                                            : INT64_MAX,
                .run = r->outcome == SLOT_MERGED ? r->run : 0,
                .limit = is_overlap ? 1 : LEDGER_QUERY_LIMIT,
        };
        control_history_ask(h, &h->query, on_runs);
}

/* The last slot of a row at an instant or before it: they are as far apart as the row's ends say. */
static int64_t find_slot(const struct ledger_range *r, int64_t at_us, int64_t *ret_key) {
        *ret_key = r->last;
        if (r->last_rt_us <= at_us || r->last <= r->first)
                return r->last_rt_us;
        int64_t step_us = (r->last_rt_us - r->first_rt_us) / (r->last - r->first);
        int64_t n = step_us > 0 ? (at_us - r->first_rt_us) / step_us : 0;
        *ret_key = r->first + n;
        return r->first_rt_us + n * step_us;
}

/* Whether the slot may be of a row that leaves some out between its ends, which are of it in any case. */
static bool may_have(const struct ledger_range *r, int64_t key) {
        return r->n < (uint64_t)(r->last - r->first) + 1 && r->first < key && key < r->last;
}

static bool is_end(const struct ledger_range *r, int64_t key) {
        return key == r->first || key == r->last;
}

/* What a job that can't keep up did in turn, ran and missed, are two rows of one time. The slot is of the one of which it is an end;
 * else it may be of either. */
static void look_beside(struct control_history *h, const struct ledger_answer *answer) {
        struct words_past *past = &h->past;
        for (size_t i = 0; may_have(past->range, past->key) && i < answer->n; i++) {
                const struct ledger_range *r = &answer->ranges[i];
                if (r->segment != past->range->segment || r->item != past->range->item || r->outcome == past->range->outcome)
                        continue;
                if (is_end(r, past->key)) {
                        h->range = *r;
                        past->beside = NULL;
                        return;
                }
                if (may_have(r, past->key)) {
                        h->beside = *r;
                        past->beside = &h->beside;
                }
        }
}

static void on_ranges(void *userdata, const struct ledger_answer *answer) {
        struct control_history *h = userdata;
        struct words_past *past = &h->past;
        if (!control_history_hear(h, answer))
                return;
        past->is_trimmed = answer->n_trimmed > 0;
        for (size_t i = 0; i < answer->n; i++) {
                int64_t key, slot_us = find_slot(&answer->ranges[i], past->at_rt_us, &key);
                if (past->range && slot_us <= past->slot_rt_us)
                        continue;
                h->range = answer->ranges[i];
                past->range = &h->range;
                past->slot_rt_us = slot_us;
                past->key = key;
        }
        if (past->range)
                look_beside(h, answer);
        if (!past->range || past->beside) {
                answer_from_ledger(h);
                return;
        }
        for (size_t i = 0; i < answer->n && past->range->outcome == SLOT_RAN; i++)
                if (answer->ranges[i].outcome == SLOT_MERGED && answer->ranges[i].segment == past->range->segment &&
                    answer->ranges[i].last == past->key - 1) {
                        h->merged = answer->ranges[i];
                        past->merged = &h->merged;
                }
        ask_runs(h);
}

int control_do_why(struct control_call *call) {
        struct words_facts facts = find_facts(call->client->control->link, call->now, call->job);
        int64_t at_us = message_get_int(call->message, "atUsec", -1), slot_us = message_get_int(call->message, "slotUsec", -1);
        bool has_at = message_get(call->message, "atUsec"), has_slot = message_get(call->message, "slotUsec");
        if ((has_at && (at_us < 0 || has_slot))) {
                control_invalid(call, "atUsec");
                return 0;
        }
        if (!has_at || at_us > call->now.rt_us || !link_vault(call->control->link)) {
                if (has_at)
                        slot_us = find_known_slot(&facts, at_us);
                answer_from_memory(call, &facts, has_at || has_slot ? &slot_us : NULL);
                return 0;
        }
        struct control_history *h = control_history_begin(call);
        if (!h)
                return 0;
        h->past = (struct words_past){.at_rt_us = at_us, .booted_rt_us = INT64_MAX};
        h->query = (struct ledger_query){
                .question = LEDGER_RANGES,
                .job = h->job,
                .since_rt_us = INT64_MIN,
                .until_rt_us = at_us,
                .with_ran = true,
                .limit = ROWS,
        };
        control_history_ask(h, &h->query, on_ranges);
        return 0;
}
