// SPDX-License-Identifier: MIT
// segments: a job's plan from one definition, command or clock to the next. A plan is changed only where Every=, Mode= or Align=
// changed; a new plan is a new segment.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>
#include <stdlib.h>

#define FAR_US (INT64_MAX / 4) /* the anchor of a grid that has no plan yet: nothing is due */

struct action *segments_begin(struct engine *e, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        row->segment++;
        row->is_resumed = row->is_written = false;
        struct action *a = engine_emit(e, ACTION_SEGMENT, job);
        a->segment.segment = row->segment;
        a->segment.anchor_us = row->anchor_us;
        a->segment.first_key = row->key;
        return a;
}

/* A grid beside a calendar, through an instant of the wall clock. Key 0 is one of its slots, so that the anchor tells where it lies: the
 * latest before the plan's first slot, if that is none itself. */
static void plan_phase_from(struct job_row *row, const struct job_when *when, int64_t phase_us, int64_t after_us) {
        struct wall_grid grid = plan_wall_grid(when, phase_us);
        struct agenda_slot at = {.us = wall_grid_last(&grid, after_us)};
        row->key = 0;
        row->anchor_us = row->next_us = agenda_next(when->agenda, &grid, after_us);
        if (wall_grid_last(&grid, row->next_us) == row->next_us)
                return;
        int64_t anchor_us = at.us;
        agenda_advance(when->agenda, &grid, &at, INT64_MAX, after_us);
        if (agenda_next(when->agenda, &grid, at.us) <= after_us)
                return; /* too many slots of the calendar within one interval to count: the grid begins with the next of them */
        row->key = at.key + 1;
        row->anchor_us = anchor_us;
}

/* after_us is not earlier than NotBefore= lets it be. */
static void plan_grid_from(const struct engine *e, struct job_row *row, const struct job_when *when, int64_t anchor_us,
                           int64_t after_us) {
        if (when->not_before_us > 0 && after_us < engine_from_rt(e, when, when->not_before_us) - 1)
                after_us = engine_from_rt(e, when, when->not_before_us) - 1;
        if (plan_has_phase(when)) {
                plan_phase_from(row, when, anchor_us, after_us);
                return;
        }
        if (when->agenda) {
                row->key = 0;
                row->anchor_us = row->next_us = plan_next(when, anchor_us, after_us);
                return;
        }
        struct plan_grid grid = {.grid = plan_wall_grid(when, anchor_us), .until_us = INT64_MAX};
        row->anchor_us = anchor_us;
        row->key = plan_first_after(&grid, after_us);
        row->next_us = plan_nominal(&grid, row->key);
}

static int64_t rt_of(struct clock_sample now, int64_t bt_us) {
        return now.rt_us - (now.bt_us - bt_us);
}

static int64_t bt_of(struct clock_sample now, int64_t rt_us) {
        return now.bt_us - (now.rt_us - rt_us);
}

/* From when the name became known: so a second scheduler makes the same plan. */
void segments_plan_first(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *when, bool is_resync) {
        struct job_row *row = engine_row(e, job);
        if (row->segment == 0 && when->not_before_us > 0 && !e->is_clock_trusted) { /* when that is, is not known yet */
                row->key = 0;
                row->next_us = INT64_MAX;
                row->anchor_us = FAR_US;
                return;
        }
        int64_t first_us = row->since_us + (plan_has_delay(when) ? 0 : when->initial_delay_us);
        int64_t begin_us = when->not_before_us > 0 ? engine_from_rt(e, when, when->not_before_us) : INT64_MIN;
        if (!plan_is_wall(when) && first_us < begin_us)
                first_us = begin_us;
        if (plan_has_phase(when)) {
                int64_t phase_us = rt_of(now, first_us);
                plan_grid_from(e, row, when, phase_us > begin_us ? phase_us : begin_us, rt_of(now, row->since_us) - 1);
        } else if (plan_is_wall(when))
                plan_grid_from(e, row, when, when->align_us, rt_of(now, first_us) - 1);
        else {
                row->anchor_us = row->next_us = first_us;
                row->key = 0;
        }
        segments_begin(e, job);
        row->is_resumed = is_resync && !e->is_first_scheduler;
}

void segments_begin_known(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *when) {
        struct job_row *row = engine_row(e, job);
        row->since_us = now.bt_us;
        if (!plan_is_wall(when) && when->initial_delay_us < when->every_us)
                row->since_us += when->every_us - when->initial_delay_us;
}

/* The latest slot of the plan at hand as a BOOTTIME instant; false if it has had none. */
static bool find_last_slot(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old,
                           int64_t *ret_bt_us) {
        struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!plan_exists(old) && cold && cold->last_slot_us > 0)
                *ret_bt_us = cold->last_slot_us;
        else if (plan_has_phase(old)) {
                struct wall_grid grid = plan_wall_grid(old, row->anchor_us);
                *ret_bt_us = bt_of(now, wall_grid_last(&grid, now.rt_us));
        } else if (old->agenda) /* one that has none yet counts from now */
                *ret_bt_us = cold && cold->last_slot_us > 0 ? bt_of(now, cold->last_slot_us) : now.bt_us;
        else if (plan_is_wall(old))
                *ret_bt_us = bt_of(now, row->next_us - old->every_us);
        else if (plan_is_grid(old) && row->key > 0)
                *ret_bt_us = row->next_us - old->every_us;
        else if (!plan_is_grid(old) && engine_is_running(e, row))
                *ret_bt_us = cold->run.begun_bt_us > 0 ? cold->run.begun_bt_us : cold->run.start_bt_us;
        else if (!plan_is_grid(old) && cold && cold->end_bt_us > 0)
                *ret_bt_us = cold->end_bt_us;
        else
                return false;
        return true;
}

/* A plan that goes on from the last slot of another. */
static void plan_from(struct engine *e, struct clock_sample now, uint32_t job, bool has_last, int64_t last_bt_us,
                      const struct job_when *when) {
        struct job_row *row = engine_row(e, job);
        int64_t anchor_us = has_last ? last_bt_us : row->next_us;
        if (anchor_us > now.bt_us && (has_last || anchor_us == INT64_MAX))
                anchor_us = now.bt_us;
        if (plan_is_wall(when))
                plan_grid_from(e, row, when, plan_has_phase(when) ? rt_of(now, anchor_us) : when->align_us, now.rt_us);
        else if (has_last || anchor_us <= now.bt_us)
                plan_grid_from(e, row, when, anchor_us, now.bt_us);
        else {
                int64_t begin_us = when->not_before_us > 0 ? engine_from_rt(e, when, when->not_before_us) : anchor_us;
                row->anchor_us = row->next_us = anchor_us > begin_us ? anchor_us : begin_us;
                row->key = 0;
        }
        if (!plan_is_grid(when))
                row->key = 0;
        segments_begin(e, job);
}

void segments_plan_next(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old,
                        const struct job_when *when) {
        int64_t last_us = 0;
        bool has_last = find_last_slot(e, now, job, old, &last_us);
        if (!has_last && !plan_exists(old)) { /* what the row has is of a plan before that */
                has_last = true;
                last_us = now.bt_us;
        }
        plan_from(e, now, job, has_last, last_us, when);
}

void segments_rebase(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        segments_close(e, now, job);
        catch_up_drop(e, now, job, now.bt_us, SLOT_REASON_NONE);
        plan_grid_from(e, row, engine_policy(e, row), now.bt_us, now.bt_us);
        segments_begin(e, job);
}

/* True if a policy plans the row's key for an instant. */
static bool is_planned(const struct engine *e, const struct job_row *row, const struct job_when *when, int64_t slot_us) {
        if (when->not_before_us > 0 && slot_us < engine_from_rt(e, when, when->not_before_us))
                return false;
        if (when->agenda)
                return plan_has_slot(when, row->anchor_us, row->key, slot_us);
        int64_t anchor_us = plan_is_wall(when) ? when->align_us : row->anchor_us;
        struct plan_grid grid = {.grid = plan_wall_grid(when, anchor_us), .until_us = INT64_MAX};
        return row->anchor_us == anchor_us && plan_first_after(&grid, slot_us) == row->key + 1 &&
               plan_nominal(&grid, row->key) == slot_us;
}

/* False where an instant that the runner remembers, which is of this boot, was one of another clock than that of a policy whose grid may lie
 * anywhere on its own. */
static bool is_of_clock(const struct job_when *when, struct clock_sample now, int64_t slot_us) {
        if (plan_is_wall(when))
                return !plan_has_phase(when) || slot_us >= rt_of(now, 0);
        return slot_us <= now.bt_us;
}

/* The plan that an earlier scheduler had, as the runner remembers it: goes on if it is of the policy in force. */
static void plan_resumed(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *when) {
        struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!plan_is_grid(when)) {
                row->key++;
                int64_t from_us = cold->end_bt_us > 0 ? cold->end_bt_us : now.bt_us;
                row->next_us = engine_next_delay(e, row, when, from_us);
                return;
        }
        bool is_old_time_line = plan_is_wall(when) && cold->last_slot_us > now.rt_us + ENGINE_STEP_LIMIT_US;
        if (!is_old_time_line && is_of_clock(when, now, cold->last_slot_us) && is_planned(e, row, when, cold->last_slot_us)) {
                row->key++;
                row->next_us = plan_follow(when, row->anchor_us, cold->last_slot_us);
        } else
                plan_from(e, now, job, true, cold->last_slot_us, when);
}

void segments_plan_boot_slot(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *when,
                             uint64_t generation) {
        struct job_row *row = engine_row(e, job);
        if (!engine_has_plan(row) || when->on_boot_us < 0 || row->is_boot_done) {
                schedule_remove(&e->at_boot, job);
                return;
        }
        int64_t slot_bt_us = e->boot_bt_us + when->on_boot_us;
        /* a passed one is due only where this is the start that the boot made, not for a job that a reload brought */
        if (slot_bt_us <= now.bt_us && !(e->is_first_of_boot && generation == 1))
                row->is_boot_done = true;
        else
                schedule_set(&e->at_boot, job, slot_bt_us);
}

void segments_close(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        if (!engine_has_plan(row))
                return;
        if (due_let_wait(e, now, job) < 0)
                e->has_failed = true;
        slots_pass(e, now, job, engine_slot_now(engine_policy(e, row), now));
        slots_flush_missed(e, now, job, false);
}

void segments_end(struct engine *e, struct clock_sample now, uint32_t job, enum slot_reason reason) {
        segments_close(e, now, job);
        catch_up_drop(e, now, job, engine_slot_now(engine_policy(e, engine_row(e, job)), now), reason);
        slots_flush_merging(e, now, job, 0);
        if (reason == SLOT_REASON_NONE)
                return;
        slots_drop_waiting(e, now, job, reason);
        retry_drop(e, now, job, reason);
}

bool segments_await_clock(const struct engine *e, const struct job_row *row) {
        return row->segment == 0 && plan_exists(engine_policy(e, row)) && engine_policy(e, row)->not_before_us > 0;
}

bool segments_have_all_run(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return when->max_runs > 0 && cold && cold->n_scheduled >= when->max_runs;
}

bool segments_are_over(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        if (segments_have_all_run(e, row))
                return true;
        if (!plan_exists(when) || row->segment == 0)
                return false;
        if (when->agenda && row->next_us == PATTERN_NEVER)
                return e->is_clock_trusted && when->on_boot_us < 0 && !when->is_on_wake && delay_is_over(e, row);
        bool is_planned_now = !plan_is_delay(when) || (!engine_is_running(e, row) && row->next_us < INT64_MAX);
        return is_planned_now && row->next_us > engine_until(e, when) && delay_is_over(e, row);
}

void segments_finish(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        segments_end(e, now, job, SLOT_REASON_NONE);
        bool is_last_done = segments_have_all_run(e, row) || (cold && cold->last_result == RUN_RESULT_FINISHED);
        if (cold && is_last_done) /* they came behind the last run */
                slots_give_way(e, job);
        row->is_finished = true;
        row->is_held = row->is_paused = false;
        slots_leave_events(e, job);
        engine_emit(e, ACTION_HOLD, job)->hold = HOLD_FINISHED;
        chains_event(e, now, job, RUN_EVENT_FINISHED);
        commands_arm_hold(e, job);
}

void segments_finish_by_run(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        if (row->is_restored && !row->is_cancelled && !row->is_finished && !row->is_failed) { /* judged at the commit */
                row->is_finished = true;
                engine_emit(e, ACTION_HOLD, job)->hold = HOLD_FINISHED;
                chains_event(e, now, job, RUN_EVENT_FINISHED);
        } else if (engine_has_plan(row))
                segments_finish(e, now, job);
}

/* Where another interval was set it stays, unless the definition's own schedule has changed. */
static void carry_interval_over(struct engine *e, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        uint32_t policy;
        if (!cold || !cold->defined)
                return;
        struct job_when when = *registry_when(&e->jobs, row->when);
        bool is_same = plan_is_same(registry_when(&e->jobs, cold->defined - 1), &when);
        registry_release(&e->jobs, cold->defined - 1);
        cold->defined = 0;
        if (is_same) {
                job_when_set_every(&when, engine_policy(e, row)->every_us);
                if (engine_reserve(e, job, &when) == 0 && registry_intern(&e->jobs, &when, &policy) == 0) {
                        cold->defined = row->when + 1;
                        row->when = policy;
                        return;
                }
        }
        engine_emit(e, ACTION_HOLD, job)->hold = HOLD_INTERVAL_RESET;
}

/* The plan of a job that has none, or whose old one is over. */
static void make_plan(struct engine *e, struct clock_sample now, uint32_t job, enum job_state before,
                      const struct job_when *old, const struct wire_commit *commit) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = registry_when(&e->jobs, row->when);
        if (row->is_restored) {
                restore_plan(e, now, job, old, when);
                return;
        }
        row->is_finished = false; /* this is another schedule */
        if (row->is_cancelled || row->is_failed || !plan_exists(when))
                return;
        if (row->segment > 0 && before == JOB_STATE_NEW && commit->is_resync)
                plan_resumed(e, now, job, when);
        else if (row->segment > 0 && before == JOB_STATE_NEW)
                plan_from(e, now, job, true, registry_cold(&e->jobs, row)->last_slot_us, when);
        else if (row->segment > 0)
                segments_plan_next(e, now, job, old, when);
        else {
                if (before != JOB_STATE_NEW)
                        segments_begin_known(e, now, job, when);
                segments_plan_first(e, now, job, when, commit->is_resync);
        }
}

static void commit_plan(struct engine *e, struct clock_sample now, uint32_t job, const struct wire_commit *commit) {
        struct job_row *row = engine_row(e, job);
        carry_interval_over(e, job);
        const struct job_when *when = registry_when(&e->jobs, row->when), *old = engine_policy(e, row);
        enum job_state before = row->state;
        bool is_restored = row->is_restored;
        bool goes_on = before == JOB_STATE_ARMED || is_restored || commit->is_resync;
        enum delay_past past = is_restored                                    ? DELAY_PAST_RESTORED
                               : commit->is_resync                            ? DELAY_PAST_RECALLED
                               : before == JOB_STATE_NEW && row->segment == 0 ? DELAY_PAST_NEW
                                                                              : DELAY_PAST_KNOWN;
        struct job_when before_when = *old; /* its own may be gone when the delay is planned */

        if (!when->is_enabled) {
                if (is_restored)
                        restore_close(e, now, job, old);
                /* of a job that was disabled before, only what was forced can wait */
                segments_end(e, now, job, before == JOB_STATE_ARMED ? SLOT_REASON_DISABLED : SLOT_REASON_NONE);
                row->state = JOB_STATE_DISABLED;
                if (before == JOB_STATE_ARMED)
                        engine_emit(e, ACTION_CLOSED, job)->unplanned = SLOT_REASON_DISABLED;
        } else if (before != JOB_STATE_ARMED || !plan_is_same(old, when)) {
                if (!is_restored)
                        segments_end(e, now, job, SLOT_REASON_NONE);
                row->state = JOB_STATE_ARMED;
                make_plan(e, now, job, before, old, commit);
        }
        catch_up_change(e, job, old, when);
        registry_release(&e->jobs, row->was);
        row->was = INDEX_NONE;
        segments_plan_boot_slot(e, now, job, when, commit->generation);
        if (delay_plan(e, now, job, goes_on ? &before_when : NULL, past) < 0)
                e->has_failed = true;
        if (is_restored && restore_waiting(e, now, job) < 0)
                e->has_failed = true;
        slots_arm(e, job);
}

void segments_forget_removed(struct engine *e, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        bool has_phase = row->cold || (e->has_ledger && row->segment > 0); /* there the numbers of segments go on */
        if (row->is_touched || row->is_restored) /* a definition of it has come, or can still come: the commit judges */
                return;
        if (engine_is_in_flight(e, row) || (has_phase && e->n_removed <= ENGINE_REMOVED_MAX))
                return;
        schedule_remove(&e->holds, job);
        schedule_remove(&e->retries, job);
        schedule_remove(&e->expects, job);
        engine_emit(e, ACTION_GONE, job);
        e->n_removed--;
}

static void commit_removal(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        segments_end(e, now, job, SLOT_REASON_REMOVED);
        registry_release(&e->jobs, row->was);
        row->was = INDEX_NONE;
        row->state = JOB_STATE_REMOVED;
        engine_emit(e, ACTION_CLOSED, job)->unplanned = SLOT_REASON_REMOVED;
        slots_arm(e, job);
        slots_leave_events(e, job);
        row->is_removing = false;
        e->n_removed++;
        segments_forget_removed(e, job);
}

int engine_commit(struct engine *e, struct clock_sample now, const struct wire_commit *commit) {
        e->holds_slots = commit->holds_slots;
        e->trust_bt_us = commit->time_sync_wait_us;
        e->max_running = e->next_max_running;
        groups_commit(&e->groups);
        if (pools_begin_commit(e) < 0)
                return -ENOMEM;
        engine_note_offset(e, now);
        chains_commit(e);
        if (commit->is_resync || e->n_restored > 0)
                e->resumed = now;
        if (e->n_restored > 0)
                restore_settle(e, now);
        e->n_restored = 0;
        for (size_t i = 0; i < e->n_touched; i++) {
                uint32_t job = e->touched[i];
                struct job_row *row = engine_row(e, job);
                row->is_touched = false;
                int r = due_settle(e, now, job);
                if (r < 0)
                        return r;
                if (row->state == JOB_STATE_REMOVED)
                        e->n_removed--;
                if (row->is_removing)
                        commit_removal(e, now, job);
                else
                        commit_plan(e, now, job, commit);
                group_holds_judge(e, now, job);
        }
        free(e->touched);
        e->touched = NULL;
        e->n_touched = e->allocated_touched = 0;
        if (pools_end_commit(e) < 0)
                return -ENOMEM;
        return e->has_failed ? -ENOMEM : 0;
}

/* A second step forward before anything was done after the first continues it; what is stepped back to comes anew. */
static void note_step(struct engine *e, int64_t from_us, int64_t to_us) {
        bool is_empty = e->stepped_from_us >= e->stepped_to_us;
        if (to_us > from_us && (is_empty || from_us > e->stepped_to_us))
                e->stepped_from_us = from_us;
        if (to_us > from_us || e->stepped_to_us > to_us)
                e->stepped_to_us = to_us;
        if (e->woken.rt_us > to_us)
                e->woken.rt_us = to_us;
}

static void note_sleep(struct engine *e, struct clock_sample now, int64_t slept_us) {
        e->asleep = (struct clock_sample){.rt_us = now.rt_us - slept_us, .bt_us = now.bt_us - slept_us};
        e->woken = now;
        claims_sleep(e, slept_us);
}

/* The OnWake= slots of this resume. */
static void plan_wake_slots(struct engine *e, struct clock_sample now) {
        for (uint32_t job = 0; job < e->jobs.n_rows; job++) {
                const struct job_row *row = engine_row(e, job);
                if (engine_has_plan(row) && engine_policy(e, row)->is_on_wake)
                        schedule_set(&e->at_wake, job, now.bt_us);
        }
}

/* What the wall clock left out until it was right for the first time was never real: nobody was there. */
static void note_first_sync(struct engine *e, struct clock_sample now) {
        e->is_clock_trusted = true;
        if (e->resumed.rt_us < now.rt_us)
                e->resumed.rt_us = now.rt_us;
        for (uint32_t job = 0; job < e->jobs.n_rows; job++) {
                struct job_row *row = engine_row(e, job);
                if (!engine_has_plan(row) || (!plan_is_wall(engine_policy(e, row)) && !segments_await_clock(e, row)))
                        continue;
                row->is_resumed = row->segment > 0;
                slots_arm(e, job); /* what waited to be caught up waited for this */
        }
}

/* Plans of wall grids that lie in the future since the clock was set far back begin anew; one that waits for the first right time
 * may not have come so far. */
static void begin_time_line(struct engine *e, struct clock_sample now, int64_t step_us) {
        struct clock_sample before = {.rt_us = now.rt_us - step_us, .bt_us = now.bt_us};
        for (uint32_t job = 0; job < e->jobs.n_rows; job++) {
                struct job_row *row = engine_row(e, job);
                if (!engine_has_plan(row) || !plan_is_wall(engine_policy(e, row)))
                        continue;
                struct plan_grid grid = engine_grid(e, row, engine_policy(e, row));
                if (row->key <= plan_first_after(&grid, now.rt_us))
                        continue;
                if (due_let_wait(e, before, job) < 0)
                        e->has_failed = true;
                catch_up_drop(e, now, job, now.rt_us - step_us, SLOT_REASON_NONE); /* they had passed on the old time line */
                segments_end(e, now, job, SLOT_REASON_NONE);
                plan_grid_from(e, row, engine_policy(e, row), row->anchor_us, now.rt_us);
                segments_begin(e, job);
                slots_arm(e, job);
        }
}

static bool is_interval_on_days(const struct engine *e, const struct job_row *row) {
        return engine_has_plan(row) && engine_policy(e, row)->days && !plan_is_wall(engine_policy(e, row));
}

/* Intervals don't notice a step, but it will be another day: what has passed is told by the day that it was. */
static void leave_days(struct engine *e, struct clock_sample now) {
        struct clock_sample before = {.rt_us = now.bt_us + e->offset_us, .bt_us = now.bt_us};
        for (uint32_t job = 0; job < e->jobs.n_rows; job++)
                if (is_interval_on_days(e, engine_row(e, job)))
                        slots_flush_missed(e, before, job, false);
}

/* Slots that give way to the next one of a wall grid give way at another instant now. */
static void look_again(struct engine *e) {
        for (uint32_t job = 0; job < e->jobs.n_rows; job++) {
                const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
                if (is_interval_on_days(e, engine_row(e, job)) || (cold && cold->waiting.is_slot))
                        slots_arm(e, job);
        }
}

int engine_clock_change(struct engine *e, struct clock_sample now, const struct clockstep *change) {
        if (change->kind == CLOCKSTEP_NONE || change->kind == CLOCKSTEP_SLEW)
                return 0;
        engine_emit(e, ACTION_CLOCK, INDEX_NONE)->clock = *change;
        if (change->step_us != 0)
                leave_days(e, now);
        engine_note_offset(e, now);
        if (change->slept_us > 0) {
                note_sleep(e, now, change->slept_us);
                plan_wake_slots(e, now);
        }
        if (change->kind == CLOCKSTEP_SYNC)
                note_first_sync(e, now);
        if (change->step_us < 0 || (change->kind != CLOCKSTEP_SYNC && change->step_us > 0))
                note_step(e, now.rt_us - change->step_us, now.rt_us);
        if (change->step_us < 0) /* it is lowered: slots up to the old one come anew */
                claims_lower(e);
        if (change->step_us < -ENGINE_STEP_LIMIT_US)
                begin_time_line(e, now, change->step_us);
        if (change->step_us != 0)
                look_again(e);
        return e->has_failed ? -ENOMEM : 0;
}

void engine_stop(struct engine *e, struct clock_sample now) {
        e->is_stopping = true;
        for (uint32_t job = 0; job < e->jobs.n_rows; job++) {
                if (engine_row(e, job)->state == JOB_STATE_FREE)
                        continue;
                if (engine_row(e, job)->is_paused)
                        segments_close(e, now, job);
                slots_keep_waiting(e, now, job);
                pools_leave_idle(e, job);
        }
}
