// SPDX-License-Identifier: MIT
// control_json: members that are null are written: whoever reads finds every member of the interface.

#include "daemon/scheduler/control_json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/ties.h"
#include "daemon/scheduler/control_words.h"
#include "daemon/varlink/text.h"

/* ---- members ---- */

void control_put(json_t **object, const char *name, json_t *value) {
        if (!*object) {
                json_decref(value);
                return;
        }
        if (json_object_set_new_nocheck(*object, name, value) < 0) {
                json_decref(*object);
                *object = NULL;
        }
}

void control_put_int(json_t **object, const char *name, int64_t value) {
        control_put(object, name, json_integer(value));
}

void control_put_known(json_t **object, const char *name, bool is_known, int64_t value) {
        control_put(object, name, is_known ? json_integer(value) : json_null());
}

void control_put_bool(json_t **object, const char *name, bool value) {
        control_put(object, name, json_boolean(value));
}

json_t *control_json_text(const char *text) {
        if (!text)
                return json_null();
        if (text_is_utf8(text, strlen(text)))
                return json_string_nocheck(text);
        struct pack p = {0};
        text_put_utf8(&p, NULL, text, strlen(text), true);
        json_t *value = pack_result(&p) < 0 ? NULL : json_stringn_nocheck((const char *)p.data, p.size);
        pack_done(&p);
        return value;
}

void control_put_text(json_t **object, const char *name, const char *text) {
        control_put(object, name, control_json_text(text));
}

void control_append(json_t **list, json_t *value) {
        if (!*list) {
                json_decref(value);
                return;
        }
        if (json_array_append_new(*list, value) < 0) {
                json_decref(*list);
                *list = NULL;
        }
}

json_t *control_json_lines(const char *text) {
        json_t *list = json_array();
        char *copy = strdup(text), *rest = copy, *line;
        if (!copy) {
                json_decref(list);
                return NULL;
        }
        while ((line = strsep(&rest, "\n")))
                if (*line)
                        control_append(&list, control_json_text(line));
        free(copy);
        return list;
}

void control_put_value(json_t **object, const void *data, size_t size) {
        bool is_text = data && text_is_utf8(data, size);
        control_put(object, "value", is_text ? json_stringn_nocheck(data, size) : json_null());
        if (!data || is_text) {
                control_put(object, "valueBase64", json_null());
                return;
        }
        struct pack p = {0};
        text_put_base64(&p, data, size);
        control_put(object, "valueBase64", pack_result(&p) < 0 ? NULL : json_stringn_nocheck((const char *)p.data, p.size));
        pack_done(&p);
}

/* ---- runs ---- */

void control_put_run(json_t **object, const char *job, const struct job_run *run, const struct run_end *end) {
        char buf[160];
        bool is_over = end->result != RUN_RESULT_NONE, has_slot = run->item != WIRE_ITEM_TRIGGER;
        int64_t start_us = is_over ? end->start_rt_us : run->start_rt_us;
        control_put_int(object, "runId", (int64_t)run->run);
        control_put_text(object, "job", job);
        control_put_known(object, "slotUsec", has_slot, run->slot_rt_us);
        control_put_text(object, "cause", run_cause_to_string(run->cause));
        control_put_int(object, "attempt", run->attempt > 0 ? run->attempt : 1);
        control_put_known(object, "startUsec", start_us > 0, start_us);
        control_put_known(object, "endUsec", is_over, end->end_rt_us);
        control_put_known(object, "lagUsec", has_slot, run->lag_us);
        control_put_text(object, "result", is_over ? run_result_to_string(end->result) : NULL);
        control_put_known(object, "exitCode", is_over && end->exit_code >= 0, end->exit_code);
        control_put_text(object, "signal", is_over && end->signal > 0 ? words_signal(end->signal, buf) : NULL);
        control_put_text(object, "error", is_over ? words_start_error(end, buf) : NULL);
        control_put_known(object, "cpuUsec", is_over && end->cpu_us > 0, end->cpu_us);
        control_put_known(object, "memoryPeak", is_over && end->memory_peak > 0, end->memory_peak);
        control_put_known(object, "parentRunId", run->parent.run > 0, (int64_t)run->parent.run);
}

json_t *control_json_run(const char *job, const struct book_run *run, bool may_control) {
        if (!run)
                return json_null();
        json_t *object = json_object();
        control_put_run(&object, job, &run->run, &run->end);
        control_put_value(&object, may_control ? run->value.data : NULL, run->value.size);
        return object;
}

const struct book_run *control_last_ended(const struct book_job *book) {
        if (!book || !book->last)
                return NULL;
        if (book->last->end.result != RUN_RESULT_NONE)
                return book->last;
        const struct book_run *good = book->last_good, *failed = book->last_failure;
        return good && (!failed || good->run.run > failed->run.run) ? good : failed;
}

/* ---- slots and holds ---- */

json_t *control_json_range(const char *job, const struct book_range *range, int64_t lag_us) {
        json_t *object = json_object();
        control_put_text(&object, "job", job);
        control_put_int(&object, "firstSlotUsec", range->first_rt_us);
        control_put_int(&object, "lastSlotUsec", range->last_rt_us);
        control_put_int(&object, "count", (int64_t)range->n);
        control_put_text(&object, "outcome", slot_outcome_to_string(range->outcome));
        control_put_text(&object, "reason", slot_reason_to_string(range->reason));
        control_put_known(&object, "runId", range->run > 0, (int64_t)range->run);
        control_put_known(&object, "lagUsec", lag_us > 0, lag_us);
        return object;
}

json_t *control_json_group_hold(const struct group *group, struct clock_sample now) {
        const struct group_hold *hold = &group->hold;
        if (!hold->is_on)
                return json_null();
        json_t *object = json_object();
        control_put_text(&object, "by", hold->by);
        control_put_int(&object, "atUsec", hold->at_rt_us);
        bool has_end = hold->until_bt_us != INT64_MAX;
        control_put_known(&object, "untilUsec", has_end, has_end ? hold->until_bt_us + now.rt_us - now.bt_us : 0);
        control_put_text(&object, "reason", hold->reason);
        control_put_text(&object, "group", group->name);
        return object;
}

json_t *control_json_hold(const struct engine *e, struct clock_sample now, const struct job_view *view,
                          const struct book_job *book) {
        if (view->is_paused && !view->is_held && view->group != INDEX_NONE)
                return control_json_group_hold(&engine_groups(e)->list[view->group], now);
        if (!book || !book->hold.by || !(view->is_held || view->is_cancelled))
                return json_null();
        const struct book_hold *hold = &book->hold;
        json_t *object = json_object();
        control_put_text(&object, "by", hold->by);
        control_put_int(&object, "atUsec", hold->at_rt_us);
        control_put_known(&object, "untilUsec", !view->is_cancelled && hold->until_rt_us != INT64_MAX, hold->until_rt_us);
        control_put_text(&object, "reason", hold->reason);
        control_put_text(&object, "group", NULL);
        return object;
}

/* ---- jobs ---- */

static void put_counts(json_t **object, const struct book_counts *counts) {
        const struct {
                const char *name;
                uint64_t n;
        } rows[] = {
                {"runs", counts->runs},
                {"successes", counts->successes},
                {"failures", counts->failures},
                {"failuresInRow", counts->failures_in_row},
                {"triggered", counts->triggered},
                {"missed", counts->missed},
                {"withheld", counts->withheld},
                {"merged", counts->merged},
                {"interrupted", counts->interrupted},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                control_put_int(object, rows[i].name, (int64_t)rows[i].n);
}

int64_t control_last_duration(const struct book_job *book) {
        const struct book_run *ended = control_last_ended(book);
        return ended && ended->end.start_bt_us > 0 ? ended->end.end_bt_us - ended->end.start_bt_us : -1;
}

static void put_latest(json_t **object, const struct book_job *book) {
        const struct book_run *last = book ? book->last : NULL, *ended = control_last_ended(book);
        bool is_over = last && last->end.result != RUN_RESULT_NONE;
        int64_t start_us = !last ? 0 : is_over ? last->end.start_rt_us : last->run.start_rt_us;
        control_put_known(object, "lastSlotUsec", last && last->run.item != WIRE_ITEM_TRIGGER, last ? last->run.slot_rt_us : 0);
        control_put_known(object, "lastStartUsec", start_us > 0, start_us);
        control_put_text(object, "lastResult", ended ? run_result_to_string(ended->end.result) : NULL);
        control_put_known(object, "lastDurationUsec", control_last_duration(book) >= 0, control_last_duration(book));
}

static json_t *groups_json(const struct ties *ties) {
        json_t *list = json_array();
        for (size_t i = 0; ties && i < ties->n && ties->list[i].kind == TIE_MEMBER; i++)
                control_append(&list, control_json_text(ties->list[i].name));
        return list;
}

json_t *control_json_running(const struct engine *e, uint32_t job) {
        uint64_t runs[ENGINE_RUNS_MAX];
        json_t *running = json_array();
        size_t n = engine_list_runs(e, job, runs);
        for (size_t i = 0; i < n; i++)
                control_append(&running, json_integer((int64_t)runs[i]));
        return running;
}

json_t *control_json_job(const struct engine *e, const struct book *b, struct clock_sample now, uint32_t job) {
        static const struct book_counts no_counts;
        struct job_view view;
        char buf[WORDS_SCHEDULE_MAX];
        engine_view(e, now, job, &view);
        const struct book_job *book = book_find(b, job);
        const char *description = engine_job_description(e, job);
        json_t *object = json_object();
        control_put_text(&object, "name", engine_job_name(e, job));
        control_put_text(&object, "state", job_status_to_string(view.status));
        control_put_text(&object, "description", description[0] ? description : NULL);
        bool is_child_only = view.is_child && !job_when_has_schedule(engine_job_when(e, job));
        control_put_text(&object, "schedule",
                         is_child_only ? "after other jobs" : words_schedule(engine_job_when(e, job), buf));
        control_put_known(&object, "nextSlotUsec", view.next_slot_rt_us != INT64_MAX, view.next_slot_rt_us);
        control_put_known(&object, "nextStartUsec", view.next_start_rt_us != INT64_MAX, view.next_start_rt_us);
        control_put_text(&object, "nextReason", words_next_reason(&view, engine_job_when(e, job), buf));
        put_latest(&object, book);
        control_put(&object, "runningRunIds", control_json_running(e, job));
        control_put_int(&object, "pending", view.n_line > 0 ? view.n_line : view.pending_run > 0);
        put_counts(&object, book ? &book->counts : &no_counts);
        control_put(&object, "groups", groups_json(engine_job_when(e, job)->ties));
        control_put_known(&object, "attempt", view.retry, view.retry ? view.retry->attempt : 0);
        control_put_known(&object, "attemptUsec", view.retry, view.retry ? now.rt_us + view.retry->at_bt_us - now.bt_us : 0);
        control_put_known(&object, "overdueSinceUsec", view.is_overdue, view.good_rt_us);
        control_put(&object, "hold", control_json_hold(e, now, &view, book));
        return object;
}
