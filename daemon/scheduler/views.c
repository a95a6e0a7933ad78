// SPDX-License-Identifier: MIT
// views: what the engine says of jobs to those who ask, and the words for it. Nothing here changes anything.

#include "daemon/scheduler/engine_internal.h"

static const char *const outcome_words[SLOT_OUTCOME_MAX] = {
        [SLOT_RAN] = "ran",       [SLOT_MISSED] = "missed",           [SLOT_WITHHELD] = "withheld",
        [SLOT_MERGED] = "merged", [SLOT_INTERRUPTED] = "interrupted",
};

static const char *const reason_words[SLOT_REASON_MAX] = {
        [SLOT_REASON_NONE] = "",
        [SLOT_REASON_OVERLAP] = "overlap",
        [SLOT_REASON_DOWN] = "down",
        [SLOT_REASON_SUSPENDED] = "suspended",
        [SLOT_REASON_CLOCK_STEP] = "clock-step",
        [SLOT_REASON_DEADLINE] = "deadline",
        [SLOT_REASON_PAUSED] = "paused",
        [SLOT_REASON_CANCELLED] = "cancelled",
        [SLOT_REASON_DISABLED] = "disabled",
        [SLOT_REASON_REMOVED] = "removed",
        [SLOT_REASON_CALENDAR] = "calendar",
        [SLOT_REASON_POOL] = "pool",
        [SLOT_REASON_CONDITION_WAIT] = "condition",
        [SLOT_REASON_RESOURCES] = "resources",
        [SLOT_REASON_CONDITION] = "condition",
        [SLOT_REASON_FAILED] = "failed",
};

const char *slot_outcome_to_string(enum slot_outcome outcome) {
        return (unsigned)outcome < SLOT_OUTCOME_MAX ? outcome_words[outcome] : "invalid";
}

const char *slot_reason_to_string(enum slot_reason reason) {
        return (unsigned)reason < SLOT_REASON_MAX ? reason_words[reason] : "invalid";
}

static const char *const hold_words[HOLD_CHANGE_MAX] = {
        [HOLD_PAUSED] = "paused",
        [HOLD_RESUMED] = "resumed",
        [HOLD_EXPIRED] = "expired",
        [HOLD_CANCELLED] = "cancelled",
        [HOLD_STARTED] = "started",
        [HOLD_INTERVAL_SET] = "interval-set",
        [HOLD_INTERVAL_RESET] = "interval-reset",
        [HOLD_FINISHED] = "finished",
        [HOLD_FAILED] = "failed",
        [HOLD_REMINDER] = "reminder",
};

static const char *const status_words[JOB_STATUS_MAX] = {
        [JOB_STATUS_WAITING] = "waiting", [JOB_STATUS_RUNNING] = "running",     [JOB_STATUS_PENDING] = "pending",
        [JOB_STATUS_PAUSED] = "paused",   [JOB_STATUS_CANCELLED] = "cancelled", [JOB_STATUS_FINISHED] = "finished",
        [JOB_STATUS_FAILED] = "failed",   [JOB_STATUS_MANUAL] = "manual",       [JOB_STATUS_DISABLED] = "disabled",
};

const char *hold_change_to_string(enum hold_change change) {
        return (unsigned)change < HOLD_CHANGE_MAX ? hold_words[change] : "invalid";
}

const char *job_status_to_string(enum job_status status) {
        return (unsigned)status < JOB_STATUS_MAX ? status_words[status] : "invalid";
}

const char *engine_job_name(const struct engine *e, uint32_t job) {
        return registry_name(&e->jobs, &e->jobs.rows[job]);
}

const struct job_when *engine_job_when(const struct engine *e, uint32_t job) {
        return registry_when(&e->jobs, e->jobs.rows[job].when);
}

const struct job_when *engine_plan_when(const struct engine *e, uint32_t job) {
        return engine_policy(e, &e->jobs.rows[job]);
}

const struct registry *engine_registry(const struct engine *e) {
        return &e->jobs;
}

const char *engine_job_description(const struct engine *e, uint32_t job) {
        return registry_description(&e->jobs, &e->jobs.rows[job]);
}

/* Defined by a commit; or removed, and its last run is still in flight. */
static bool is_visible(const struct engine *e, const struct job_row *row) {
        return row->state == JOB_STATE_ARMED || row->state == JOB_STATE_DISABLED ||
               (row->state == JOB_STATE_REMOVED && engine_is_in_flight(e, row));
}

uint32_t engine_find_job(const struct engine *e, const char *name) {
        uint32_t job = registry_find(&e->jobs, name);
        return job != INDEX_NONE && is_visible(e, &e->jobs.rows[job]) ? job : INDEX_NONE;
}

uint32_t engine_walk_jobs(const struct engine *e, uint32_t from) {
        for (uint32_t job = from; job < e->jobs.n_rows; job++)
                if (is_visible(e, &e->jobs.rows[job]))
                        return job;
        return INDEX_NONE;
}

/* Wall-clock time of an instant of the policy's clock, by the same offset as the outcomes. */
static int64_t slot_rt(const struct engine *e, const struct job_when *when, int64_t slot_us, struct clock_sample now) {
        if (plan_is_wall(when))
                return slot_us;
        int64_t offset_us = now.rt_us - now.bt_us, off_us = offset_us - e->offset_us;
        bool is_off = off_us > ENGINE_OFFSET_SLACK_US || off_us < -ENGINE_OFFSET_SLACK_US;
        return engine_rt_of(when, slot_us, is_off ? offset_us : e->offset_us);
}

/* A slot waits for the run in flight: by Overlap=queue, or to be caught up after it. */
static bool has_pending_slot(const struct engine *e, const struct job_row *row, struct clock_sample now) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        const struct job_when *when = engine_policy(e, row);
        if (!cold || cold->run.run == 0 || cold->waiting.is_slot || row->is_paused || !engine_has_plan(row) ||
            !catch_up_is_open(e, row))
                return cold && cold->waiting.is_slot;
        struct plan_grid grid = engine_grid(e, row, when);
        return plan_last_due(&grid, engine_slot_now(when, now)) >= row->key;
}

static bool is_calendar_over(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        return engine_has_plan(row) && when->agenda && row->next_us == PATTERN_NEVER && !segments_await_clock(e, row) &&
               when->on_boot_us < 0 && !when->is_on_wake;
}

static enum job_end job_end(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!row->is_finished)
                return is_calendar_over(e, row) ? JOB_END_CALENDAR : JOB_END_NONE;
        return segments_have_all_run(e, row)                      ? JOB_END_RUNS
               : cold && cold->last_result == RUN_RESULT_FINISHED ? JOB_END_RUN
               : engine_policy(e, row)->until_us < INT64_MAX      ? JOB_END_UNTIL
                                                                  : JOB_END_CALENDAR;
}

/* Its slot was to start, and is asked for again. */
static bool awaits_another_try(const struct job_cold *cold) {
        const struct job_waiting *first = &cold->waiting;
        return first->is_slot && (first->awaits == JOB_AWAITS_CONDITION || first->awaits == JOB_AWAITS_RETRY);
}

static enum job_status job_status(const struct engine *e, const struct job_row *row, bool has_slot) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        const struct job_when *when = engine_policy(e, row);
        if (engine_is_in_flight(e, row))
                return has_slot || cold->waiting.is_trigger ? JOB_STATUS_PENDING : JOB_STATUS_RUNNING;
        if (cold && (cold->retry.is_waiting || cold->place > 0 || awaits_another_try(cold)))
                return JOB_STATUS_PENDING;
        if (row->state == JOB_STATE_DISABLED)
                return JOB_STATUS_DISABLED;
        if (row->is_cancelled)
                return JOB_STATUS_CANCELLED;
        if (row->is_failed)
                return JOB_STATUS_FAILED;
        if (row->is_finished || is_calendar_over(e, row))
                return JOB_STATUS_FINISHED;
        if (row->is_paused)
                return JOB_STATUS_PAUSED;
        return job_when_has_schedule(when) || row->is_child ? JOB_STATUS_WAITING : JOB_STATUS_MANUAL;
}

/* Keys of a grid that come after both the plan's past and an instant of its clock. */
static int64_t first_key_after(const struct plan_grid *grid, const struct job_row *row, int64_t after_us) {
        int64_t key = plan_last_due(grid, after_us) + 1;
        return key > row->key ? key : row->key;
}

/* The one slot of a job that is on no grid: OnBoot=, or the end of a fixed delay; INT64_MAX: none after an instant. */
static int64_t single_slot(const struct engine *e, uint32_t job, int64_t after_bt_us) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_when *when = engine_policy(e, row);
        int64_t slot_us = schedule_has(&e->at_boot, job) ? schedule_at(&e->at_boot, job) : INT64_MAX;
        if (schedule_has(&e->at_delay, job) && schedule_at(&e->at_delay, job) < slot_us)
                slot_us = schedule_at(&e->at_delay, job);
        bool is_delay = plan_is_delay(when) && !engine_is_busy(e, row);
        if (is_delay && row->next_us < slot_us)
                slot_us = closed_is_at(e, when, row->next_us) ? closed_opens_at(e, when, row->next_us) : row->next_us;
        return slot_us > after_bt_us ? slot_us : INT64_MAX;
}

/* The first slot of a grid from a key on that may run: its instant and that of its start, as wall-clock time; INT64_MAX: there is none.
 * Returns the key behind it, and lets a calendar stand at it. */
static int64_t next_open_slot(const struct engine *e, const struct job_when *when, struct clock_sample now,
                              struct plan_grid *grid, int64_t key, int64_t *ret_slot_rt_us, int64_t *ret_start_rt_us) {
        plan_seek(grid, key);
        int64_t nominal_us = plan_nominal(grid, key), slot_us = closed_open_after(e, when, grid, nominal_us);
        *ret_slot_rt_us = *ret_start_rt_us = INT64_MAX;
        if (slot_us == INT64_MAX)
                return key;
        /* what is drawn for it goes by its key; of slots that come many a minute too many would have to be counted */
        bool is_fast = grid->agenda &&
                       (agenda_is_fast(grid->agenda) || (grid->grid.every_us > 0 && grid->grid.every_us < USEC_PER_MINUTE));
        bool is_counted = grid->draw_bound_us > 0 && !is_fast;
        if (slot_us != nominal_us && (is_counted || !grid->agenda))
                key = plan_first_after(grid, slot_us - 1);
        if (grid->agenda)
                grid->at = (struct agenda_slot){.key = key, .us = slot_us};
        *ret_slot_rt_us = slot_rt(e, when, slot_us, now);
        *ret_start_rt_us = slot_rt(e, when, plan_due(grid, key), now);
        return key + 1;
}

size_t engine_next_slots(const struct engine *e, struct clock_sample now, uint32_t job, int64_t from_rt_us, size_t n,
                         int64_t *ret_slot_rt_us, int64_t *ret_start_rt_us) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_when *when = engine_policy(e, row);
        if (!engine_has_plan(row) || row->is_paused || n == 0)
                return 0;
        if (from_rt_us < now.rt_us)
                from_rt_us = now.rt_us;
        int64_t from_bt_us = from_rt_us - (now.rt_us - now.bt_us);
        int64_t single_us = single_slot(e, job, from_bt_us);
        if (single_us != INT64_MAX)
                single_us += now.rt_us - now.bt_us;
        if (!plan_is_grid(when) || segments_await_clock(e, row)) {
                *ret_slot_rt_us = *ret_start_rt_us = single_us;
                return single_us != INT64_MAX;
        }
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t key = first_key_after(&grid, row, plan_is_wall(when) ? from_rt_us : from_bt_us);
        for (size_t i = 0; i < n; i++) {
                struct plan_grid before = grid;
                int64_t next = next_open_slot(e, when, now, &grid, key, &ret_slot_rt_us[i], &ret_start_rt_us[i]);
                if (single_us < ret_slot_rt_us[i]) {
                        ret_slot_rt_us[i] = ret_start_rt_us[i] = single_us;
                        single_us = INT64_MAX;
                        grid = before;
                } else if (ret_slot_rt_us[i] == INT64_MAX)
                        return i;
                else
                        key = next;
        }
        return n;
}

static bool is_in_line(const struct job_waiting *first) {
        return first->is_slot && first->awaits == JOB_AWAITS_RUN;
}

static bool awaits_clock(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        return engine_has_plan(row) &&
               (segments_await_clock(e, row) || (!e->is_clock_trusted && plan_exists(when) && plan_is_wall(when)));
}

size_t engine_list_runs(const struct engine *e, uint32_t job, uint64_t ret[static ENGINE_RUNS_MAX]) {
        const struct job_cold *cold = registry_cold(&e->jobs, &e->jobs.rows[job]);
        size_t n = 0;
        if (!cold)
                return 0;
        if (cold->run.run > 0)
                ret[n++] = cold->run.run;
        for (const struct beside_row *row = beside_walk(e, cold->beside); row && n < ENGINE_RUNS_MAX;
             row = beside_walk(e, row->next)) {
                size_t at = n++;
                for (; at > 0 && ret[at - 1] > row->run.run; at--)
                        ret[at] = ret[at - 1];
                ret[at] = row->run.run;
        }
        return n;
}

bool engine_awaits_claim(const struct engine *e, uint32_t job) {
        return schedule_has(&e->parked, job);
}

void engine_view(const struct engine *e, struct clock_sample now, uint32_t job, struct job_view *ret) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        bool has_slot = has_pending_slot(e, row, now);
        struct job_view v = {
                .status = job_status(e, row, has_slot),
                .is_paused = row->is_paused,
                .is_held = row->is_held,
                .group = row->is_paused ? engine_holding_group(e, job) : INDEX_NONE,
                .is_cancelled = row->is_cancelled,
                .is_finished = row->is_finished,
                .is_failed = row->is_failed,
                .is_child = row->is_child,
                .is_disabled = row->state != JOB_STATE_ARMED,
                .is_claim_awaited = engine_awaits_claim(e, job),
                .paused_until_bt_us = INT64_MAX,
                .next_slot_rt_us = INT64_MAX,
                .next_start_rt_us = INT64_MAX,
                .end = job_end(e, row),
                .is_clock_awaited = awaits_clock(e, row),
        };
        if (cold) {
                if (row->is_held)
                        v.paused_until_bt_us = cold->paused_until_bt_us;
                v.run = cold->run.run > 0 ? &cold->run : NULL;
                v.pending_run = cold->waiting.run;
                bool is_kept = cold->run.run == 0 && awaits_another_try(cold);
                v.waiting = is_kept ? &cold->waiting : NULL;
                v.is_pending_slot = has_slot;
                v.is_interval_set = cold->defined > 0;
                v.retry = cold->retry.is_waiting ? &cold->retry : NULL;
                v.n_beside = cold->n_beside;
                v.is_place_awaited = pools_is_queued(e, cold);
                v.n_waiting = waiting_count(cold);
                v.n_line = is_in_line(&cold->waiting) ? waiting_count(cold) : 0;
                v.line_slot_rt_us = cold->waiting.slot_rt_us;
        }
        int64_t good_bt_us;
        v.is_overdue = expect_is_overdue(e, row, &good_bt_us);
        v.good_rt_us = good_bt_us + e->offset_us;
        engine_next_slots(e, now, job, now.rt_us, 1, &v.next_slot_rt_us, &v.next_start_rt_us);
        *ret = v;
}

uint32_t engine_next_job(const struct engine *e, struct clock_sample now, int64_t *ret_start_rt_us) {
        const struct schedule_entry *first[] = {schedule_first(&e->boot_wake), schedule_first(&e->real_wake)};
        uint32_t job = INDEX_NONE;
        int64_t at_rt_us = INT64_MAX;
        for (size_t i = 0; i < 2; i++) {
                struct job_view view;
                if (!first[i])
                        continue;
                engine_view(e, now, first[i]->id, &view);
                if (view.next_start_rt_us >= at_rt_us)
                        continue;
                job = first[i]->id;
                at_rt_us = view.next_start_rt_us;
        }
        if (job != INDEX_NONE)
                *ret_start_rt_us = at_rt_us;
        return job;
}

void engine_count(const struct engine *e, struct engine_totals *ret) {
        struct engine_totals totals = {.n_running = e->by_run.n + e->beside.by_run.n};
        for (size_t i = 0; i < e->holds.n; i++) {
                const struct job_row *row = &e->jobs.rows[e->holds.heap[i].id];
                if (row->state == JOB_STATE_REMOVED)
                        continue;
                totals.n_paused += row->is_held;
                totals.n_cancelled += row->is_cancelled;
        }
        for (uint32_t job = 0; e->groups.n_held > 0 && job < e->jobs.n_rows; job++) {
                const struct job_row *row = &e->jobs.rows[job];
                totals.n_paused += row->is_paused && !row->is_held && row->state == JOB_STATE_ARMED;
        }
        *ret = totals;
}
