// SPDX-License-Identifier: MIT
// retry: the next attempt of a slot whose last one failed, and what a slot comes to in the end. An attempt never lives beyond the
// next slot of the plan. A run that no process could be made for is tried again by a back-off of its own, which counts as no attempt.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>

#define SHORT_FIRST_US USEC_PER_SEC /* after a start that failed for lack of resources, doubled up to */
#define SHORT_LAST_US  USEC_PER_MINUTE

bool engine_is_busy(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && (cold->run.run > 0 || cold->retry.is_waiting);
}

/* ---- when ---- */

/* The next slot that will run, on the clock of the plan; INT64_MAX: no attempt meets one. */
static int64_t next_slot(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        if (!engine_had_plan(row) || row->is_paused || !plan_is_grid(when) || row->segment == 0 ||
            segments_have_all_run(e, row))
                return INT64_MAX;
        struct plan_grid grid = engine_grid(e, row, when);
        if (row->next_us > grid.until_us || row->next_us == PATTERN_NEVER)
                return INT64_MAX;
        return closed_is_at(e, when, row->next_us) ? closed_open_after(e, when, &grid, row->next_us)
                                                   : plan_due(&grid, row->key);
}

static bool is_over_at(const struct engine *e, struct clock_sample now, const struct job_row *row, int64_t at_bt_us) {
        int64_t slot_us = next_slot(e, row);
        return slot_us < INT64_MAX && engine_slot_now(engine_policy(e, row), now) + (at_bt_us - now.bt_us) >= slot_us;
}

/* RetryDelay= x RetryBackoff= ^ n, at most RetryMaxDelay=. */
static int64_t retry_delay(const struct job_when *when, unsigned n) {
        int64_t delay_us = when->retry_delay_us;
        for (unsigned i = 0; i < n && delay_us < when->retry_max_delay_us && when->retry_backoff_ppm > JOB_BACKOFF_ONE_PPM; i++)
                delay_us = (int64_t)((__int128)delay_us * when->retry_backoff_ppm / JOB_BACKOFF_ONE_PPM);
        return delay_us < when->retry_max_delay_us ? delay_us : when->retry_max_delay_us;
}

int64_t retry_short_delay(unsigned n) {
        int64_t delay_us = SHORT_FIRST_US << (n < 6 ? n : 6);
        return delay_us < SHORT_LAST_US ? delay_us : SHORT_LAST_US;
}

bool retry_is_short(const struct run_end *end) {
        return end->result == RUN_RESULT_START_FAILED &&
               (end->error == EAGAIN || end->error == ENOMEM || end->error == ENFILE || end->error == EMFILE);
}

/* ---- one more ---- */

/* What is known of the slot of the run in flight. */
static struct job_retry retry_of(const struct job_cold *cold, int64_t end_bt_us) {
        const struct job_run *run = &cold->run;
        struct job_retry retry = {
                .attempt = run->attempt > 0 ? run->attempt : 1,
                .due_bt_us = (run->begun_bt_us > 0 ? run->begun_bt_us : end_bt_us) - run->lag_us,
                .segment = run->segment,
                .key = run->key,
                .slot_rt_us = run->slot_rt_us,
                .run = run->run,
                .parent = run->parent,
        };
        if (run->item == WIRE_ITEM_RETRY && cold->retry.attempt == retry.attempt) {
                retry.due_bt_us = cold->retry.due_bt_us;
                retry.n_short = cold->retry.n_short;
        }
        return retry;
}

/* A first attempt that can't start is late as any other start would be. */
static bool is_past_deadline(const struct job_when *when, const struct job_run *run, const struct job_retry *retry) {
        bool is_first = retry->attempt == 1 && run->item != WIRE_ITEM_TRIGGER;
        return is_first && when->start_deadline_us != JOB_DEADLINE_NEXT && when->start_deadline_us <= DURATION_MAX &&
               retry->at_bt_us - retry->due_bt_us > when->start_deadline_us;
}

bool retry_plan(struct engine *e, struct clock_sample now, uint32_t job, const struct run_end *end, int64_t end_bt_us) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        bool is_other = passing_clashes(e, job, cold->run.run, cold->waiting.run); /* a trigger with other parameters waits */
        bool is_wanted = !is_other && !cold->waiting.is_slot && !cold->retry.is_waiting && !row->is_cancelled &&
                         !row->is_failed && (row->state == JOB_STATE_ARMED || row->is_restored);
        if (!is_wanted)
                return false;
        struct job_retry retry = retry_of(cold, end_bt_us);
        retry.is_short = retry_is_short(end);
        retry.result = end->result;
        retry.exit_code = end->exit_code;
        retry.signal = end->signal;
        if (retry.is_short) {
                retry.at_bt_us = end_bt_us + retry_short_delay(retry.n_short);
                retry.n_short += retry.n_short < UINT16_MAX;
        } else {
                retry.at_bt_us = end_bt_us + retry_delay(when, retry.attempt - 1u);
                retry.n_short = 0;
                if (retry.attempt++ > when->retries)
                        return false;
        }
        if (is_over_at(e, now, row, retry.at_bt_us) || (retry.is_short && is_past_deadline(when, &cold->run, &retry)))
                return false;
        if (schedule_reserve(&e->retries, job) < 0) {
                e->has_failed = true;
                return false;
        }
        retry.is_waiting = true;
        cold->retry = retry;
        return true;
}

void retry_arm(struct engine *e, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        bool is_next = cold && cold->retry.is_waiting && !row->is_restored && !pools_is_queued(e, cold);
        if (is_next && !(cold->retry.is_claimed && schedule_has(&e->parked, job))) {
                bool has_come = cold->place > 0 || cold->retry.is_claimed;
                schedule_set(&e->retries, job, has_come ? 0 : cold->retry.at_bt_us);
        } else
                schedule_remove(&e->retries, job);
}

int retry_start(struct engine *e, struct clock_sample now, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        struct job_retry *retry = &registry_cold(&e->jobs, row)->retry;
        if (!pools_admit(e, now, job) || !claims_take_attempt(e, now, job))
                return 0;
        retry->is_waiting = false;
        schedule_remove(&e->retries, job);
        int r = slots_start(e, now, job,
                            &(struct occasion){
                                    .item = WIRE_ITEM_RETRY,
                                    .cause = RUN_CAUSE_RETRY,
                                    .attempt = retry->attempt,
                                    .segment = retry->segment,
                                    .anchor_us = row->anchor_us,
                                    .key = retry->key,
                                    .slot_us = engine_from_rt(e, engine_policy(e, row), retry->slot_rt_us),
                                    .slot_rt_us = retry->slot_rt_us,
                                    .parent = retry->parent,
                                    .was_refused = retry->refused_bt_us != 0,
                            });
        if (r == 0)
                passing_follow(e, job, retry->run, registry_cold(&e->jobs, row)->run.run);
        return r;
}

bool retry_is_of(const struct job_cold *cold, const struct job_run *run) {
        const struct job_retry *retry = &cold->retry;
        return run->item == WIRE_ITEM_RETRY && !retry->is_waiting && retry->attempt == run->attempt &&
               retry->segment == run->segment && retry->key == run->key;
}

bool retry_take_up(struct job_cold *cold, int64_t end_bt_us) {
        if (cold->run.item != WIRE_ITEM_RETRY || cold->retry.is_waiting)
                return false;
        if (retry_is_of(cold, &cold->run))
                return true;
        cold->retry = retry_of(cold, end_bt_us);
        cold->retry.result = RUN_RESULT_FAILED;
        return true;
}

void retry_put_back(struct engine *e, uint32_t job, int64_t since_bt_us, int64_t at_bt_us) {
        struct job_retry *retry = &registry_cold(&e->jobs, engine_row(e, job))->retry;
        if (schedule_reserve(&e->retries, job) < 0) {
                e->has_failed = true;
                return;
        }
        retry->is_waiting = true;
        retry->is_claimed = false;
        retry->refused_bt_us = since_bt_us;
        retry->at_bt_us = at_bt_us;
        slots_note_late(e, job);
}

int retry_due(struct engine *e, struct clock_sample now, uint32_t job) {
        int r = retry_holds(e, now, job) ? retry_start(e, now, job) : 0;
        schedule_remove(&e->retries, job);
        slots_arm(e, job);
        return r;
}

/* ---- or none ---- */

void retry_drop(struct engine *e, struct clock_sample now, uint32_t job, enum slot_reason reason) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!cold || !cold->retry.is_waiting)
                return;
        cold->retry.is_waiting = false;
        schedule_remove(&e->retries, job);
        struct action *a = engine_emit(e, ACTION_GIVEN_UP, job);
        bool is_final =
                reason != SLOT_REASON_NONE && (slot_outcome_of(reason) == SLOT_MISSED || reason == SLOT_REASON_CONDITION);
        a->given_up.retry = cold->retry;
        a->given_up.reason = reason;
        a->given_up.is_final = is_final;
        slots_drop_promise(e, job, reason);
        if (plan_is_delay(when)) /* it goes on from here */
                row->next_us = engine_next_delay(e, row, when, now.bt_us);
        delay_begin(e, job, now.bt_us);
        if (is_final)
                chains_given_up(e, now, job, &cold->retry);
        if (is_final)
                retry_settle(e, now, job, cold->retry.result);
}

bool retry_outlasts(struct engine *e, struct clock_sample now, uint32_t job) {
        if (!is_over_at(e, now, engine_row(e, job), now.bt_us))
                return true;
        retry_drop(e, now, job, SLOT_REASON_DEADLINE);
        return false;
}

void retry_interrupt(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        cold->retry.is_waiting = true;
        cold->retry.result = cold->last_result = RUN_RESULT_INTERRUPTED;
        cold->retry.exit_code = -1;
        cold->retry.signal = 0;
        retry_drop(e, now, job, SLOT_REASON_NONE);
}

void retry_restore(struct engine *e, struct clock_sample now, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        struct job_retry *retry = &registry_cold(&e->jobs, row)->retry;
        bool may_have_begun = retry->is_waiting && retry->is_claimed && !engine_knows_starts(e, row);
        retry->is_claimed = false; /* it comes in its time, whoever wanted it before */
        if (may_have_begun && !engine_policy(e, row)->is_interrupted_retried)
                retry_interrupt(e, now, job);
        else if (is_over_at(e, now, row, now.bt_us))
                retry_drop(e, now, job, SLOT_REASON_DOWN);
}

/* ---- in the end ---- */

/* Slots that are due in this instant don't come either. */
static void stop_failed(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        if (schedule_reserve(&e->holds, job) < 0)
                e->has_failed = true;
        if (!row->is_restored) {
                if (plan_is_grid(when) && !row->is_paused && (e->is_clock_trusted || !plan_is_wall(when))) {
                        struct plan_grid grid = engine_grid(e, row, when);
                        (void)slots_miss(e, now, job, plan_last_due(&grid, engine_slot_now(when, now)), SLOT_REASON_FAILED);
                }
                segments_end(e, now, job, SLOT_REASON_FAILED);
                slots_leave_events(e, job);
                row->is_paused = false;
        }
        row->is_held = false;
        row->is_failed = true;
        registry_cold(&e->jobs, row)->remind_bt_us = now.bt_us + ENGINE_REMIND_US;
        engine_emit(e, ACTION_HOLD, job)->hold = HOLD_FAILED;
        if (!e->has_failed)
                commands_arm_hold(e, job);
}

void retry_settle(struct engine *e, struct clock_sample now, uint32_t job, enum run_result result) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!run_result_is_failure(result)) {
                cold->n_failed = run_result_is_good(result) ? 0 : cold->n_failed;
                return;
        }
        cold->n_failed += cold->n_failed < UINT32_MAX;
        bool is_armed =
                engine_has_plan(row) || (row->is_restored && !row->is_cancelled && !row->is_finished && !row->is_failed);
        if (when->stop_after_failures > 0 && cold->n_failed >= when->stop_after_failures && is_armed)
                stop_failed(e, now, job);
}
