// SPDX-License-Identifier: MIT
// commands: what people ask of a job: run it now, end it, hold it, let it go on, another interval.
// A hold belongs to the job's name; its bit is in the row, its times are in the cold state.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>

/* ---- holds ---- */

static bool has_hold(const struct job_row *row) {
        return row->is_held || row->is_cancelled || row->is_failed;
}

static void emit_hold(struct engine *e, uint32_t job, enum hold_change change) {
        engine_emit(e, ACTION_HOLD, job)->hold = change;
}

void commands_arm_hold(struct engine *e, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!has_hold(row)) {
                schedule_remove(&e->holds, job);
                return;
        }
        bool ends_first = row->is_held && cold->paused_until_bt_us < cold->remind_bt_us;
        schedule_set(&e->holds, job, ends_first ? cold->paused_until_bt_us : cold->remind_bt_us);
}

/* Room for the job's hold. 0, -ENOMEM. */
static int prepare_hold(struct engine *e, uint32_t job) {
        if (!registry_warm(&e->jobs, engine_row(e, job)))
                return -ENOMEM;
        return schedule_reserve(&e->holds, job);
}

/* A fixed delay that was over in the pause begins anew: nothing is made up. What comes after the instant is late, not withheld. */
void commands_go_on(struct engine *e, struct clock_sample now, uint32_t job, int64_t since_bt_us) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        slots_pass(e, now, job, engine_slot_now(when, now) - (now.bt_us - since_bt_us));
        slots_flush_missed(e, now, job, false);
        row->is_paused = false;
        if (plan_is_delay(when) && row->next_us == INT64_MAX)
                row->next_us = engine_next_delay(e, row, when, since_bt_us);
        expect_begin(e, now, job);
        if (plan_has_delay(when) && !engine_is_busy(e, row) && registry_cold(&e->jobs, row)->delay_bt_us == 0)
                delay_begin(e, job, since_bt_us);
        slots_arm(e, job);
}

/* A pause that ended by itself did so at its instant, however late that is seen. */
static void lift_hold(struct engine *e, struct clock_sample now, uint32_t job, enum hold_change change) {
        struct job_row *row = engine_row(e, job);
        int64_t since_bt_us = change == HOLD_EXPIRED ? registry_cold(&e->jobs, row)->paused_until_bt_us : now.bt_us;
        row->is_held = false;
        if (!engine_has_plan(row) || !group_holds_are_on(e, row))
                commands_go_on(e, now, job, since_bt_us);
        emit_hold(e, job, change);
        commands_arm_hold(e, job);
}

void commands_hold_due(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (row->is_held && cold->paused_until_bt_us <= now.bt_us) {
                group_holds_due(e, now, cold->paused_until_bt_us);
                lift_hold(e, now, job, HOLD_EXPIRED);
                return;
        }
        cold->remind_bt_us = now.bt_us + ENGINE_REMIND_US;
        segments_close(e, now, job);
        if (row->state != JOB_STATE_REMOVED)
                emit_hold(e, job, HOLD_REMINDER);
        commands_arm_hold(e, job);
}

void commands_settle_hold(struct engine *e, struct clock_sample now, uint32_t job) {
        if (!e->is_stopping && e->next_group_bt_us <= now.bt_us)
                group_holds_due(e, now, now.bt_us);
        if (!e->is_stopping && schedule_has(&e->holds, job) && schedule_at(&e->holds, job) <= now.bt_us)
                commands_hold_due(e, now, job);
}

/* 0, or why there is nothing to pause or to resume. */
static int refuse_hold(const struct engine *e, const struct job_row *row) {
        if (e->is_stopping)
                return ENGINE_REFUSED_STOPPING;
        if (row->state != JOB_STATE_ARMED)
                return ENGINE_REFUSED_DISABLED;
        return row->is_cancelled  ? ENGINE_REFUSED_CANCELLED
               : row->is_failed   ? ENGINE_REFUSED_FAILED
               : row->is_finished ? ENGINE_REFUSED_FINISHED
                                  : 0;
}

void commands_stop_slots(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        segments_close(e, now, job);
        catch_up_drop(e, now, job, engine_slot_now(engine_policy(e, row), now), SLOT_REASON_PAUSED);
        while (cold->waiting.is_slot)
                slots_tell_waiting(e, job, SLOT_WITHHELD, SLOT_REASON_PAUSED);
        row->is_paused = true;
        slots_arm(e, job);
}

int engine_pause(struct engine *e, struct clock_sample now, uint32_t job, int64_t until_bt_us) {
        struct job_row *row = engine_row(e, job);
        int r = refuse_hold(e, row);
        if (r == 0)
                r = due_settle(e, now, job);
        if (r == 0)
                r = prepare_hold(e, job);
        if (r != 0)
                return r;
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (row->is_held && cold->paused_until_bt_us == until_bt_us)
                return 0;
        commands_stop_slots(e, now, job);
        row->is_held = true;
        cold->paused_until_bt_us = until_bt_us;
        cold->remind_bt_us = now.bt_us + ENGINE_REMIND_US;
        emit_hold(e, job, HOLD_PAUSED);
        commands_arm_hold(e, job);
        return 1;
}

int engine_resume(struct engine *e, struct clock_sample now, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        int r = refuse_hold(e, row);
        if (r == 0)
                r = due_settle(e, now, job); /* the pause may just have ended by itself */
        if (r != 0)
                return r;
        if (!row->is_held)
                return 0;
        lift_hold(e, now, job, HOLD_RESUMED);
        return 1;
}

int commands_refuse_start(const struct engine *e, struct clock_sample now, uint32_t job) {
        const struct job_row *row = &e->jobs.rows[job];
        if (e->is_stopping)
                return ENGINE_REFUSED_STOPPING;
        if (row->state != JOB_STATE_ARMED)
                return ENGINE_REFUSED_DISABLED;
        bool is_off = row->is_cancelled || row->is_finished || row->is_failed;
        return is_off && engine_policy(e, row)->until_us < now.rt_us ? ENGINE_REFUSED_FINISHED : 0;
}

int engine_start(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        int r = commands_refuse_start(e, now, job);
        if (r != 0 || (!row->is_cancelled && !row->is_finished && !row->is_failed))
                return r;
        row->is_cancelled = row->is_finished = row->is_failed = false;
        row->since_us = now.bt_us;
        if (registry_cold(&e->jobs, row))
                registry_cold(&e->jobs, row)->n_scheduled = registry_cold(&e->jobs, row)->n_failed = 0;
        expect_begin(e, now, job);
        if (plan_exists(when))
                segments_plan_first(e, now, job, when, false);
        segments_plan_boot_slot(e, now, job, when, 0);
        if (plan_has_delay(when)) {
                struct job_cold *cold = registry_cold(&e->jobs, row);
                cold->delay_bt_us = engine_is_busy(e, row) ? 0 : now.bt_us + when->initial_delay_us;
        }
        emit_hold(e, job, HOLD_STARTED);
        slots_arm(e, job);
        group_holds_judge(e, now, job);
        commands_arm_hold(e, job);
        return 1;
}

/* ---- the run in flight ---- */

/* Asks once for the end of a run. */
static void end_run(struct engine *e, uint32_t job, struct job_run *run) {
        if (run->is_ending || run->run == 0)
                return;
        run->is_ending = true;
        engine_emit(e, ACTION_KILL, job)->kill_run = run->run;
}

void engine_end_run(struct engine *e, uint32_t job) {
        end_run(e, job, &registry_cold(&e->jobs, engine_row(e, job))->run);
}

static void end_all_runs(struct engine *e, uint32_t job) {
        engine_end_run(e, job);
        for (uint32_t at = registry_cold(&e->jobs, engine_row(e, job))->beside; at > 0; at = e->beside.rows[at - 1].next)
                end_run(e, job, &e->beside.rows[at - 1].run);
}

static void cancel_schedule(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        segments_end(e, now, job, SLOT_REASON_CANCELLED);
        row->is_cancelled = true;
        row->is_held = row->is_paused = false;
        registry_cold(&e->jobs, row)->remind_bt_us = now.bt_us + ENGINE_REMIND_US;
        emit_hold(e, job, HOLD_CANCELLED);
        slots_leave_events(e, job);
        slots_arm(e, job);
        commands_arm_hold(e, job);
}

int engine_cancel(struct engine *e, struct clock_sample now, uint32_t job, bool is_run_only, uint64_t *ret_run) {
        struct job_row *row = engine_row(e, job);
        if (e->is_stopping && !is_run_only)
                return ENGINE_REFUSED_STOPPING;
        int r = due_settle(e, now, job);
        if (r == 0)
                r = prepare_hold(e, job);
        if (r < 0)
                return r;
        struct job_cold *cold = registry_cold(&e->jobs, row);
        bool cancels_schedule = !is_run_only && engine_has_plan(row);
        bool is_anything = cancels_schedule || cold->run.run > 0 || cold->waiting.is_slot || cold->waiting.is_trigger ||
                           cold->waiting.run > 0 || cold->retry.is_waiting;
        if (cancels_schedule)
                cancel_schedule(e, now, job);
        else {
                segments_close(e, now, job);
                catch_up_drop(e, now, job, engine_slot_now(engine_policy(e, row), now), SLOT_REASON_CANCELLED);
                slots_drop_waiting(e, now, job, SLOT_REASON_CANCELLED);
                retry_drop(e, now, job, SLOT_REASON_CANCELLED);
                slots_arm(e, job);
        }
        beside_show(e, job);
        *ret_run = cold->run.run;
        end_all_runs(e, job);
        return is_anything;
}

/* The run behind the one in flight that will do it, alone or with the slot that waits. */
static uint64_t promise_run(struct engine *e, uint32_t job, const struct engine_trigger *trigger) {
        struct job_waiting *waiting = &registry_cold(&e->jobs, engine_row(e, job))->waiting;
        if (waiting->run == 0) {
                waiting->run = engine_take_run_number(e);
                if (e->has_ledger)
                        engine_emit(e, ACTION_WRITE, job);
        }
        waiting->is_trigger = true;
        waiting->is_forced |= trigger->is_forced;
        passing_promise(e, job, waiting->run, trigger);
        return waiting->run;
}

/* Where it is forced, the conditions of the run that it joins are not asked again. */
static enum trigger_outcome join_run(struct engine *e, uint32_t job, bool is_forced) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        cold->run.is_promised = cold->run.is_promised || !cold->run.is_told;
        if (cold->run.is_asked)
                cold->waiting.is_forced |= is_forced;
        return TRIGGER_JOINED;
}

static enum trigger_outcome meet_run(struct engine *e, struct clock_sample now, uint32_t job,
                                     const struct engine_trigger *trigger, uint64_t *ret_run) {
        const struct job_run *run = &registry_cold(&e->jobs, engine_row(e, job))->run;
        enum trigger_if_running what = trigger->if_running;
        *ret_run = run->run;
        if (what == TRIGGER_JOIN && !run->is_ending)
                return join_run(e, job, trigger->is_forced);
        slots_pass(e, now, job, engine_slot_now(engine_policy(e, engine_row(e, job)), now));
        *ret_run = promise_run(e, job, trigger);
        if (what != TRIGGER_REPLACE)
                return TRIGGER_QUEUED;
        engine_end_run(e, job);
        return TRIGGER_REPLACING;
}

/* No run is in flight. A slot that waits for the ledger, for its conditions or for a place takes the trigger in, or the attempt that is to
 * come. TRIGGER_STARTED, TRIGGER_QUEUED, -ENOMEM. */
static int start_triggered(struct engine *e, struct clock_sample now, uint32_t job, const struct engine_trigger *trigger,
                           uint64_t *ret_run) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_warm(&e->jobs, row);
        if (!cold)
                return -ENOMEM;
        bool is_any = cold->retry.is_waiting || (cold->waiting.is_slot && cold->waiting.awaits != JOB_AWAITS_RUN);
        bool is_taken_in = is_any && !schedule_has(&e->parked, job);
        if (is_taken_in || trigger->parameters_size > 0)
                promise_run(e, job, trigger);
        cold->waiting.is_forced |= trigger->is_forced;
        int r = is_taken_in ? due_start_waiting(e, now, job) : due_start_triggered(e, now, job);
        if (r < 0)
                return r;
        bool is_started = engine_is_running(e, row);
        *ret_run = is_started ? cold->run.run : promise_run(e, job, trigger);
        return is_started ? TRIGGER_STARTED : TRIGGER_QUEUED;
}

enum trigger_outcome commands_refuse_trigger(const struct engine *e, uint32_t job, const struct engine_trigger *trigger) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_when *when = engine_policy(e, row);
        if (e->is_stopping)
                return TRIGGER_STOPPING;
        if (row->state == JOB_STATE_REMOVED || (!trigger->is_forced && !engine_has_plan(row)))
                return TRIGGER_NOT_ARMED;
        if (trigger->is_rebase && (!engine_has_plan(row) || when->every_us == 0 || plan_is_wall(when)))
                return TRIGGER_NOT_A_GRID;
        if (trigger->if_running == TRIGGER_PARALLEL && when->overlap != JOB_OVERLAP_PARALLEL)
                return TRIGGER_NOT_PARALLEL;
        if (engine_is_running(e, row) && trigger->if_running == TRIGGER_REJECT)
                return TRIGGER_REJECTED;
        return passing_refuse(e, job, trigger);
}

int engine_trigger(struct engine *e, struct clock_sample now, uint32_t job, const struct engine_trigger *trigger,
                   uint64_t *ret_run) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        int r = due_settle(e, now, job);
        if (r < 0)
                return r;
        enum trigger_outcome outcome = commands_refuse_trigger(e, job, trigger);
        if (outcome == TRIGGER_REJECTED)
                *ret_run = registry_cold(&e->jobs, row)->run.run;
        if (outcome == TRIGGER_PARAMETERS_DIFFER)
                *ret_run = engine_trigger_meets(e, job, trigger);
        if (outcome != TRIGGER_STARTED)
                return (int)outcome;
        bool is_beside = trigger->if_running == TRIGGER_PARALLEL && engine_is_running(e, row) && beside_has_room(e, row);
        if (is_beside && beside_put(e, job) < 0)
                return -ENOMEM;
        if (engine_is_running(e, row))
                outcome = meet_run(e, now, job, trigger, ret_run);
        else {
                slots_pass(e, now, job, engine_slot_now(when, now)); /* the run moves a fixed delay that was over in a pause */
                r = start_triggered(e, now, job, trigger, ret_run);
                if (r < 0)
                        return r;
                outcome = (enum trigger_outcome)r;
        }
        /* a fixed delay counts from the end of any run: there is nothing to move */
        if (trigger->is_rebase && plan_is_grid(when))
                segments_rebase(e, now, job);
        slots_arm(e, job);
        return (int)outcome;
}

/* ---- the interval ---- */

static void set_policy(struct job_row *row, uint32_t policy) {
        if (row->was != INDEX_NONE)
                row->was = policy;
        else
                row->when = policy;
}

/* The policy of the interval, with one use; *ret_is_set: it is not the definition's own. 0, -ENOMEM. */
static int make_policy(struct engine *e, const struct job_cold *cold, const struct job_row *row, int64_t every_us,
                       uint32_t *ret_policy, bool *ret_is_set) {
        struct job_when when = cold->defined ? *registry_when(&e->jobs, cold->defined - 1) : *engine_policy(e, row);
        *ret_is_set = every_us > 0 && every_us != when.every_us;
        if (*ret_is_set)
                job_when_set_every(&when, every_us);
        return registry_intern(&e->jobs, &when, ret_policy);
}

int engine_set_interval(struct engine *e, struct clock_sample now, uint32_t job, int64_t every_us) {
        struct job_row *row = engine_row(e, job);
        struct job_when before = *engine_policy(e, row);
        uint32_t policy, old = row->was != INDEX_NONE ? row->was : row->when;
        bool is_set = false;
        if (e->is_stopping)
                return ENGINE_REFUSED_STOPPING;
        if (before.every_us == 0)
                return ENGINE_REFUSED_NO_INTERVAL;
        int r = due_settle(e, now, job);
        struct job_cold *cold = r == 0 ? registry_warm(&e->jobs, row) : NULL;
        if (r == 0)
                r = cold ? make_policy(e, cold, row, every_us, &policy, &is_set) : -ENOMEM;
        if (r == 0)
                r = engine_reserve(e, job, registry_when(&e->jobs, policy));
        if (r < 0)
                return r;
        if (registry_when(&e->jobs, policy)->every_us == before.every_us) {
                registry_release(&e->jobs, policy);
                return 0;
        }
        segments_close(e, now, job);
        catch_up_drop(e, now, job, engine_slot_now(&before, now), SLOT_REASON_NONE);
        if (before.days) /* what waits to be merged is told by its days, which are counted by its own interval */
                slots_flush_merging(e, now, job, 0);
        set_policy(row, policy);
        if (is_set && !cold->defined)
                cold->defined = old + 1; /* its use goes over */
        else
                registry_release(&e->jobs, old);
        if (!is_set && cold->defined) {
                registry_release(&e->jobs, cold->defined - 1);
                cold->defined = 0;
        }
        if (engine_has_plan(row))
                segments_plan_next(e, now, job, &before, registry_when(&e->jobs, policy));
        if (engine_has_plan(row) && delay_plan(e, now, job, &before, DELAY_PAST_KNOWN) < 0)
                e->has_failed = true;
        emit_hold(e, job, is_set ? HOLD_INTERVAL_SET : HOLD_INTERVAL_RESET);
        slots_arm(e, job);
        return 1;
}
