// SPDX-License-Identifier: MIT
// due: what is done with a job whose instant has come: its plan's slots, slots of boots and resumes, what waited. What becomes of the slots
// themselves is in slots.c.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>

#include "daemon/core/util.h"

#define CATCH_UP_NEAR_US                                                                                                       \
        (10 * USEC_PER_MINUTE) /* a next slot so near, and within a tenth of the distance, takes the catch-up in */

/* A slot of no plan: of a boot or a resume, or of a fixed delay beside calendars. */
struct event {
        enum wire_item item;
        int64_t slot_us; /* BOOTTIME */
        bool is_late;    /* it passed while nobody was there */
        bool may_recur;  /* after a death, unless the ledger has it */
        struct run_parent parent;
};

static enum run_cause event_cause(enum wire_item item) {
        return item == WIRE_ITEM_BOOT    ? RUN_CAUSE_BOOT
               : item == WIRE_ITEM_WAKE  ? RUN_CAUSE_WAKE
               : item == WIRE_ITEM_CHAIN ? RUN_CAUSE_CHAIN
                                         : RUN_CAUSE_SCHEDULE;
}

static struct schedule *event_queue(struct engine *e, enum wire_item item) {
        return item == WIRE_ITEM_BOOT ? &e->at_boot : item == WIRE_ITEM_WAKE ? &e->at_wake : &e->at_delay;
}

static int64_t event_rt(const struct event *event, struct clock_sample now) {
        return now.rt_us - (now.bt_us - event->slot_us);
}

static int start_event(struct engine *e, struct clock_sample now, uint32_t job, const struct event *event) {
        return slots_start(e, now, job,
                           &(struct occasion){
                                   .item = event->item,
                                   .cause = event->is_late ? RUN_CAUSE_CATCH_UP : event_cause(event->item),
                                   .slot_us = event->slot_us,
                                   .slot_rt_us = event_rt(event, now),
                                   .lag_us = now.bt_us - event->slot_us,
                                   .parent = event->parent,
                           });
}

static int start_triggered(struct engine *e, struct clock_sample now, uint32_t job) {
        struct occasion o = {
                .item = WIRE_ITEM_TRIGGER,
                .cause = RUN_CAUSE_TRIGGER,
                .slot_us = now.bt_us,
                .slot_rt_us = now.rt_us,
        };
        return slots_start(e, now, job, &o);
}

static bool is_too_late(const struct job_when *when, int64_t lag_us) {
        return when->start_deadline_us != JOB_DEADLINE_NEXT && lag_us > when->start_deadline_us;
}

/* A fixed delay that is over on a day that is left out: one slot, and the next one when such a day ends. */
static int delay_closed(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        if (!registry_warm(&e->jobs, row))
                return -ENOMEM;
        slots_tell(e, job, SLOT_WITHHELD, SLOT_REASON_CALENDAR, row->segment, row->key, row->key,
                   engine_slot_rt(e, when, row->next_us, now));
        row->key++;
        row->next_us = closed_opens_at(e, when, now.bt_us);
        return 0;
}

static int delay_due(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        int64_t lag_us = now.bt_us - row->next_us;
        if (lag_us < 0)
                return 0;
        if (closed_is_at(e, when, row->next_us))
                return delay_closed(e, now, job);
        bool was_down = row->is_resumed && row->next_us < e->resumed.bt_us;
        bool is_caught_up = was_down || engine_has_slept_at(e, when, row->next_us);
        bool is_given_up = is_caught_up && when->catch_up == JOB_CATCH_UP_NONE;
        if (!is_given_up && !is_too_late(when, lag_us)) {
                if (is_caught_up && catch_up_waits(e, now, job, row->key, INT64_MAX))
                        return 0;
                if (!claims_permit(e, now, job, row->key))
                        return 0;
                return slots_start_next(e, now, job, is_caught_up ? RUN_CAUSE_CATCH_UP : RUN_CAUSE_SCHEDULE, lag_us);
        }
        if (!registry_warm(&e->jobs, row))
                return -ENOMEM;
        enum slot_reason reason = !is_given_up ? SLOT_REASON_DEADLINE : was_down ? SLOT_REASON_DOWN : SLOT_REASON_SUSPENDED;
        slots_tell(e, job, SLOT_MISSED, reason, row->segment, row->key, row->key, engine_slot_rt(e, when, row->next_us, now));
        row->key++;
        row->next_us = engine_next_delay(e, row, when, now.bt_us);
        return 0;
}

/* Slots up to `last` have passed, none of them can run at its instant. The policy decides about the latest and the rest. */
static int grid_passed(struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last,
                       enum slot_reason reason) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        int64_t now_us = engine_slot_now(when, now), lag_us = now_us - plan_due(grid, last);

        if (when->catch_up == JOB_CATCH_UP_NONE && reason != SLOT_REASON_DEADLINE && lag_us > 0)
                return slots_miss(e, now, job, last, reason);
        if (is_too_late(when, lag_us)) {
                int r = slots_miss(e, now, job, last - 1, reason);
                return r < 0 ? r : slots_miss(e, now, job, last, SLOT_REASON_DEADLINE);
        }
        struct plan_grid at_last = *grid;
        plan_seek(&at_last, last);
        int64_t next_us = plan_nominal(&at_last, last + 1), to_next_us = next_us - now_us;
        bool is_catch_up = when->catch_up == JOB_CATCH_UP_ONE;
        if (is_catch_up && lag_us > 0 && reason != SLOT_REASON_DEADLINE && to_next_us <= CATCH_UP_NEAR_US &&
            !closed_is_at(e, when, next_us) && to_next_us <= (next_us - plan_nominal(&at_last, last)) / 10)
                return slots_merge(e, now, job, last, reason);
        bool is_late = lag_us > 0 && reason != SLOT_REASON_DEADLINE;
        if (is_late && catch_up_waits(e, now, job, last, to_next_us))
                return 0;
        if (last > row->key) {
                int r = is_catch_up ? slots_merge(e, now, job, last - 1, reason) : slots_miss(e, now, job, last - 1, reason);
                if (r < 0)
                        return r;
        }
        if (!claims_permit(e, now, job, row->key))
                return 0;
        return slots_start_next(e, now, job, is_late ? RUN_CAUSE_CATCH_UP : RUN_CAUSE_SCHEDULE, lag_us);
}

/* The slots up to `kept` could not run at their instant. The latest of all is left to be decided about, with the reason given;
 * where a newer one has come, it goes by CatchUp= like the older ones. */
static int pass_kept(struct engine *e, struct clock_sample now, uint32_t job, int64_t kept, int64_t last,
                     enum slot_reason reason, enum slot_reason *reason_of_last) {
        struct job_row *row = engine_row(e, job);
        if (kept < row->key)
                return 0;
        if (kept >= last) {
                *reason_of_last = reason;
                return 0;
        }
        bool is_catch_up = engine_policy(e, row)->catch_up == JOB_CATCH_UP_ONE;
        return is_catch_up ? slots_merge(e, now, job, kept, reason) : slots_miss(e, now, job, kept, reason);
}

/* Tells the slots that no scheduler was up for, that the machine slept through, and that the clock was set over, from those that are
 * merely late. */
static int grid_sort_out(struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last,
                         enum slot_reason *ret_reason) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        int r = 0;
        *ret_reason = SLOT_REASON_DEADLINE;
        if (row->is_resumed)
                r = pass_kept(e, now, job, plan_last_due(grid, engine_slot_now(when, e->resumed) - 1), last, SLOT_REASON_DOWN,
                              ret_reason);
        if (r == 0 && *ret_reason == SLOT_REASON_DEADLINE && row->next_us <= engine_slot_now(when, e->woken)) {
                int64_t slept = plan_last_due(grid, engine_slot_now(when, e->woken));
                if (engine_has_slept_at(e, when, plan_due(grid, slept)))
                        r = pass_kept(e, now, job, slept, last, SLOT_REASON_SUSPENDED, ret_reason);
        }
        if (r < 0 || *ret_reason != SLOT_REASON_DEADLINE || !plan_is_wall(when) || row->next_us > e->stepped_to_us)
                return r;
        int64_t stepped = plan_last_due(grid, e->stepped_to_us);
        if (plan_due(grid, stepped) > e->stepped_from_us)
                r = pass_kept(e, now, job, stepped, last, SLOT_REASON_CLOCK_STEP, ret_reason);
        return r;
}

/* Slots are due while a run is in flight. */
static int grid_overlapped(struct engine *e, struct clock_sample now, uint32_t job) {
        slots_pass(e, now, job, engine_slot_now(engine_policy(e, engine_row(e, job)), now));
        const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (cold->missed.is_open && now.bt_us - cold->missed.open_us >= ENGINE_TELL_US)
                slots_flush_missed(e, now, job, true);
        return 0;
}

/* Slots on days that are left out have passed, and the next one is another: they are told together, once a day at least. */
static bool is_closed_for_long(const struct engine *e, struct clock_sample now, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && cold->missed.is_open && cold->missed.reason == SLOT_REASON_CALENDAR &&
               now.bt_us - cold->missed.open_us < ENGINE_REMIND_US && closed_is_at(e, engine_policy(e, row), row->next_us);
}

static int grid_due(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        enum slot_reason reason;
        if (engine_is_running(e, row))
                return grid_overlapped(e, now, job);
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t last_of_all = plan_last_due(&grid, engine_slot_now(when, now));
        if (last_of_all < row->key)
                return 0;
        bool is_retried = retry_holds(e, now, job); /* no slot is due then but on days that are left out */
        if (!engine_has_plan(row))
                return 0;
        int64_t last = last_of_all;
        if (when->days) {
                if (!registry_warm(&e->jobs, row))
                        return -ENOMEM;
                slots_pass_closed(e, now, job, last_of_all);
                last = closed_last_open(e, row, last_of_all);
                grid = engine_grid(e, row, when);
        }
        int r = 0;
        if (last >= row->key && !is_retried) {
                if (catch_up_takes(e, now, job, &grid, last))
                        r = catch_up_due(e, now, job, &grid, last);
                else {
                        r = grid_sort_out(e, now, job, &grid, last, &reason);
                        if (r == 0)
                                r = grid_passed(e, now, job, &grid, last, reason);
                }
        }
        if (r == 0 && last_of_all > last && row->key > last) /* those behind it, which never run */
                r = slots_miss(e, now, job, last_of_all, SLOT_REASON_CALENDAR);
        if (r == 0 && !(when->days && is_closed_for_long(e, now, row)) && !slots_are_gathered(e, now, row))
                slots_flush_missed(e, now, job, false);
        return r;
}

/* The run that a boot or a resume began just now takes in the grid's slot that is due. */
static int grid_meets_event(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t last = plan_last_due(&grid, engine_slot_now(when, now));
        enum slot_reason reason;
        if (last < row->key)
                return 0;
        if (catch_up_takes(e, now, job, &grid, last)) { /* each has a run of its own, after this one */
                registry_cold(&e->jobs, row)->catch_up_bt_us = now.bt_us;
                return 0;
        }
        int r = grid_sort_out(e, now, job, &grid, last, &reason);
        if (r == 0 && reason == SLOT_REASON_DEADLINE) {
                reason = SLOT_REASON_NONE;
                r = when->catch_up == JOB_CATCH_UP_NONE ? slots_miss(e, now, job, last - 1, SLOT_REASON_DEADLINE) : 0;
        }
        if (r == 0 && when->catch_up == JOB_CATCH_UP_NONE && reason != SLOT_REASON_NONE)
                r = slots_miss(e, now, job, last, reason);
        else if (r == 0)
                r = slots_merge(e, now, job, last, reason);
        slots_flush_missed(e, now, job, false);
        if (engine_is_running(e, row)) /* else they wait with it */
                slots_flush_merging(e, now, job, registry_cold(&e->jobs, row)->run.run);
        return r;
}

/* Starts the slot that waited, unless it is too late for it, or too early. */
static int start_waiting_slot(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        struct job_waiting waited = cold->waiting, *waiting = &waited;
        int64_t lag_us = now.bt_us > waiting->due_bt_us ? now.bt_us - waiting->due_bt_us : 0; /* the clock was set back */
        bool is_retry = waiting->attempt > 1 || waiting->item == WIRE_ITEM_RETRY, is_slot = waiting->item != WIRE_ITEM_TRIGGER;
        if (waiting->from_bt_us > now.bt_us && !waiting->is_trigger)
                return 0;
        if (!pools_admit(e, now, job)) {
                cold->waiting.awaits = JOB_AWAITS_POOL;
                return 0;
        }
        if (!is_retry && is_slot && !claims_permit(e, now, job, waiting->key))
                return 0;
        if (is_too_late(engine_policy(e, engine_row(e, job)), lag_us)) {
                slots_tell_waiting(e, job, SLOT_MISSED, waiting_late_reason(waiting));
                waiting_go_without(e, now, job);
                return 0;
        }
        bool is_unclaimed = !is_retry && waiting->item == WIRE_ITEM_SCHEDULE && claims_is_without(e, now, job, waiting->key);
        slots_pass_waiting(e, now, job);
        waiting_take(e, job);
        if (waiting->item == WIRE_ITEM_SCHEDULE)
                cold->last_slot_us = waiting->slot_us;
        return slots_start(e, now, job,
                           &(struct occasion){
                                   .item = waiting->item,
                                   .cause = is_retry                ? RUN_CAUSE_RETRY
                                            : waiting->is_caught_up ? RUN_CAUSE_CATCH_UP
                                            : is_slot               ? event_cause(waiting->item)
                                                                    : RUN_CAUSE_TRIGGER,
                                   .was_refused = waiting->until_reason == SLOT_REASON_CONDITION_WAIT,
                                   .n_short = waiting->n_short,
                                   .attempt = waiting->attempt,
                                   .segment = waiting->segment,
                                   .anchor_us = waiting->anchor_us,
                                   .key = waiting->key,
                                   .slot_us = waiting->slot_us,
                                   .slot_rt_us = waiting->slot_rt_us,
                                   .lag_us = lag_us,
                                   .parent = waiting->parent,
                                   .has_waited = true,
                                   .is_unclaimed = is_unclaimed,
                           });
}

static int plan_due_now(struct engine *e, struct clock_sample now, uint32_t job) {
        return plan_is_grid(engine_policy(e, engine_row(e, job))) ? grid_due(e, now, job) : delay_due(e, now, job);
}

/* True if the plan at hand is looked at: nobody holds it, and its clock is right. */
static bool is_plan_seen(const struct engine *e, const struct job_row *row) {
        return engine_has_plan(row) && !row->is_paused && (e->is_clock_trusted || !plan_is_wall(engine_policy(e, row)));
}

/* True if it may start a run, too. */
static bool is_plan_open(const struct engine *e, const struct job_row *row) {
        return is_plan_seen(e, row) && (engine_policy(e, row)->max_runs == 0 || !segments_have_all_run(e, row));
}

/* True if the plan at hand has a slot to be looked at. */
static bool is_plan_due(const struct engine *e, struct clock_sample now, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        if (!is_plan_open(e, row) || !plan_exists(when))
                return false;
        if (!plan_is_grid(when))
                return row->next_us <= now.bt_us;
        struct plan_grid grid = engine_grid(e, row, when);
        return plan_due(&grid, row->key) <= engine_slot_now(when, now);
}

/* True while passed slots of the plan at hand wait to be caught up, and need not wait longer. */
static bool is_catch_up_due(const struct engine *e, struct clock_sample now, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && cold->catch_up_bt_us > 0 && cold->catch_up_bt_us <= now.bt_us && is_plan_open(e, row);
}

/* A trigger ends the wait of what is to be caught up: one run does both. */
int due_start_triggered(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (cold && cold->catch_up_bt_us > now.bt_us)
                cold->catch_up_bt_us = now.bt_us;
        if (schedule_has(&e->parked, job))
                return registry_warm(&e->jobs, row) ? 0 : -ENOMEM;
        if (retry_holds(e, now, job))
                return retry_start(e, now, job);
        if (is_catch_up_due(e, now, row)) {
                int r = plan_due_now(e, now, job);
                if (r < 0 || engine_is_running(e, row) || schedule_has(&e->parked, job))
                        return r;
        }
        return start_triggered(e, now, job);
}

/* A slot that has become due since the end of the run goes before a trigger: one run does both. */
int due_start_waiting(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (e->is_stopping) {
                slots_keep_waiting(e, now, job);
                return 0;
        }
        if (!cold->waiting.is_slot && !cold->waiting.is_trigger && !cold->retry.is_waiting && cold->catch_up_bt_us == 0)
                return 0;
        if (retry_holds(e, now, job)) /* a trigger starts it, and is done by it */
                return cold->waiting.is_trigger ? due_start_triggered(e, now, job) : 0;
        if (cold->waiting.item != WIRE_ITEM_RETRY && segments_have_all_run(e, row)) /* they came behind the last run */
                slots_give_way(e, job);
        bool is_plan_first = is_catch_up_due(e, now, row) || (cold->waiting.is_trigger && is_plan_due(e, now, row));
        int r = cold->waiting.is_slot ? start_waiting_slot(e, now, job) : 0;
        if (r == 0 && is_plan_first && !cold->waiting.is_slot && !engine_is_running(e, row))
                r = plan_due_now(e, now, job);
        if (r < 0 || !cold->waiting.is_trigger || engine_is_running(e, row) || schedule_has(&e->parked, job))
                return r;
        return due_start_triggered(e, now, job);
}

int due_let_wait(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        if (e->is_stopping || !schedule_has(&e->parked, job) || !is_plan_due(e, now, row))
                return 0;
        if (!registry_warm(&e->jobs, row))
                return -ENOMEM;
        if (slots_are_late(e, row))
                return 0; /* it waits already, or is caught up by its own rules */
        if (!plan_is_grid(when)) {
                slots_let_wait(e, now, job);
                return 0;
        }
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t last = plan_last_due(&grid, engine_slot_now(when, now));
        slots_pass_closed(e, now, job, last);
        last = closed_last_open(e, row, last);
        if (last < row->key)
                return 0;
        enum slot_reason reason;
        grid = engine_grid(e, row, when);
        int r = grid_sort_out(e, now, job, &grid, last, &reason);
        if (r == 0 && last > row->key)
                r = when->catch_up == JOB_CATCH_UP_ONE ? slots_merge(e, now, job, last - 1, reason)
                                                       : slots_miss(e, now, job, last - 1, reason);
        if (r == 0)
                slots_let_wait(e, now, job);
        slots_flush_missed(e, now, job, false);
        return r;
}

/* What was due is done; but for what waits to be caught up, whose reason must be known until then. */
static void end_resume(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (cold && !engine_is_running(e, row) && cold->place == 0 && cold->catch_up_bt_us <= now.bt_us)
                cold->catch_up_bt_us = 0;
        row->is_resumed = row->is_resumed && (catch_up_is_open(e, row) || (cold && cold->catch_up_bt_us > 0));
}

/* A slot is due that may run beside the run in flight. */
static bool is_parallel_due(const struct engine *e, struct clock_sample now, const struct job_row *row) {
        return engine_is_running(e, row) && beside_has_room(e, row) && is_plan_due(e, now, row);
}

static int wake(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        const struct job_when *when = engine_policy(e, row);
        int r = 0;
        bool has_plan = engine_has_plan(row), is_over = has_plan && plan_may_end(when) && segments_are_over(e, row);
        bool awaits_clock = has_plan && row->segment == 0 && segments_await_clock(e, row);
        if (!e->is_clock_trusted && cold && (cold->waiting.is_slot || cold->waiting.is_trigger))
                awaits_clock = false; /* this does not wait for it */
        if (is_over || awaits_clock) {
                if (is_over)
                        segments_finish(e, now, job);
                else if (e->is_clock_trusted) {
                        row->since_us = now.bt_us;
                        segments_plan_first(e, now, job, when, false);
                }
                slots_arm(e, job);
                return 0;
        }
        if (is_parallel_due(e, now, row) && beside_put(e, job) < 0)
                return -ENOMEM;
        if (engine_is_running(e, row))
                r = plan_is_grid(when) ? grid_overlapped(e, now, job) : 0;
        else if (retry_holds(e, now, job))
                r = plan_is_grid(when) ? grid_due(e, now, job) : 0;
        else {
                if (cold && cold->waiting.is_slot)
                        waiting_give_up(e, now, job);
                if (cold && (cold->waiting.is_slot || cold->waiting.is_trigger))
                        r = due_start_waiting(e, now, job);
                else if (is_plan_seen(e, row) && plan_exists(when)) /* else what waited is given up, and that is all */
                        r = plan_due_now(e, now, job);
        }
        if (r < 0)
                return r;
        if (!schedule_has(&e->parked, job))
                end_resume(e, now, job);
        slots_arm(e, job);
        return 0;
}

static void let_event_wait(struct engine *e, struct clock_sample now, uint32_t job, const struct event *event) {
        waiting_put(e, job,
                    &(struct job_waiting){
                            .item = event->item,
                            .slot_us = event->slot_us,
                            .due_bt_us = event->slot_us,
                            .slot_rt_us = event_rt(event, now),
                            .parent = event->parent,
                    });
}

/* Outside of the schedule's borders there is no slot. */
static bool is_outside(const struct job_when *when, int64_t slot_rt_us) {
        return slot_rt_us < when->not_before_us || slot_rt_us > when->until_us;
}

/* What keeps a boot's or a resume's slot from running now. */
static enum slot_reason judge_event(const struct engine *e, struct clock_sample now, const struct job_row *row,
                                    const struct event *event) {
        const struct job_when *when = engine_policy(e, row);
        if (closed_is_at_rt(when, event_rt(event, now)))
                return SLOT_REASON_CALENDAR;
        if (row->is_paused)
                return SLOT_REASON_PAUSED;
        if (engine_is_busy(e, row))
                return SLOT_REASON_OVERLAP;
        return is_too_late(when, now.bt_us - event->slot_us) ? SLOT_REASON_DEADLINE : SLOT_REASON_NONE;
}

/* The slot has come: it runs, waits, or gets its outcome. */
static int event_come(struct engine *e, struct clock_sample now, uint32_t job, const struct event *event,
                      enum slot_reason reason) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        bool is_replacing = when->overlap == JOB_OVERLAP_REPLACE;
        if (reason == SLOT_REASON_OVERLAP && is_replacing) {
                slots_give_way(e, job);
                engine_end_run(e, job);
        }
        if (reason == SLOT_REASON_OVERLAP &&
            (is_replacing || (when->overlap == JOB_OVERLAP_QUEUE && waiting_has_room(e, row)))) {
                let_event_wait(e, now, job, event);
                return 0;
        }
        if (reason == SLOT_REASON_NONE && event->may_recur && e->has_ledger && plan_is_claimed(when)) {
                let_event_wait(e, now, job, event);
                slots_arm(e, job);
                return 0;
        }
        if (reason == SLOT_REASON_NONE) {
                int r = start_event(e, now, job, event);
                if (r == 0 && plan_is_grid(when) && is_plan_seen(e, row))
                        r = grid_meets_event(e, now, job);
                if (r < 0)
                        return r;
                end_resume(e, now, job);
                slots_arm(e, job);
                return 0;
        }
        slots_tell(e, job, slot_outcome_of(reason), reason, 0, 0, 0, event_rt(event, now))->outcome.item = event->item;
        beside_settle(e, job);
        return 0;
}

/* False where there is no slot: the schedule is over, or has not begun. */
static bool event_is_wanted(struct engine *e, struct clock_sample now, uint32_t job, const struct event *event) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        if (segments_have_all_run(e, row))
                return false;
        if (!is_outside(when, event_rt(event, now))) {
                if (when->overlap == JOB_OVERLAP_REPLACE)
                        retry_drop(e, now, job, SLOT_REASON_DEADLINE);
                bool is_beside = engine_is_running(e, row) && beside_has_room(e, row) && !row->is_paused;
                if (is_beside && beside_put(e, job) < 0)
                        e->has_failed = true;
                return true;
        }
        if (event_rt(event, now) > when->until_us && !plan_exists(when) && e->is_clock_trusted)
                segments_finish(e, now, job);
        return false;
}

static int event_due(struct engine *e, struct clock_sample now, uint32_t job, enum wire_item item) {
        struct job_row *row = engine_row(e, job);
        struct schedule *queue = event_queue(e, item);
        struct event event = {.item = item, .slot_us = schedule_at(queue, job)};
        schedule_remove(queue, job);
        row->is_boot_done = row->is_boot_done || item == WIRE_ITEM_BOOT;
        if (!event_is_wanted(e, now, job, &event))
                return 0;
        return registry_warm(&e->jobs, row) ? event_come(e, now, job, &event, judge_event(e, now, row, &event)) : -ENOMEM;
}

/* Why a delay that is over does not make a run; or the run may be late. */
static enum slot_reason judge_delay(const struct engine *e, struct clock_sample now, const struct job_row *row,
                                    struct event *event) {
        const struct job_when *when = engine_policy(e, row);
        bool was_down = event->slot_us < e->resumed.bt_us;
        bool has_slept = event->slot_us > e->asleep.bt_us && event->slot_us <= e->woken.bt_us;
        enum slot_reason reason = judge_event(e, now, row, event);
        event->is_late = was_down || has_slept;
        if (reason != SLOT_REASON_NONE || !event->is_late || when->catch_up != JOB_CATCH_UP_NONE)
                return reason;
        return was_down ? SLOT_REASON_DOWN : SLOT_REASON_SUSPENDED;
}

int due_chain(struct engine *e, struct clock_sample now, uint32_t job, const struct run_parent *parent, int64_t slot_us,
              bool may_recur) {
        struct job_row *row = engine_row(e, job);
        struct event event = {.item = WIRE_ITEM_CHAIN, .slot_us = slot_us, .may_recur = may_recur, .parent = *parent};
        if (row->state != JOB_STATE_ARMED || row->is_finished)
                return 0;
        commands_settle_hold(e, now, job);
        if (!event_is_wanted(e, now, job, &event))
                return 0;
        if (!registry_warm(&e->jobs, row))
                return -ENOMEM;
        enum slot_reason reason = judge_delay(e, now, row, &event);
        if (reason != SLOT_REASON_CALENDAR)
                reason = row->is_cancelled ? SLOT_REASON_CANCELLED
                         : row->is_failed  ? SLOT_REASON_FAILED
                         : e->is_stopping  ? SLOT_REASON_DOWN
                                           : reason;
        event.is_late = false; /* its cause is the parent */
        if (reason == SLOT_REASON_DOWN && e->is_stopping && e->has_ledger && waiting_has_room(e, row)) {
                let_event_wait(e, now, job, &event);
                return 0;
        }
        bool is_second = reason == SLOT_REASON_NONE && registry_cold(&e->jobs, row)->waiting.is_slot;
        if (is_second &&
            engine_policy(e, row)->overlap == JOB_OVERLAP_REPLACE) { /* there is no run whose place it could take */
                slots_tell(e, job, SLOT_MISSED, SLOT_REASON_OVERLAP, 0, 0, 0, event_rt(&event, now))->outcome.item = event.item;
                return 0;
        }
        if (is_second) /* the one that waits has its turn before */
                reason = SLOT_REASON_OVERLAP;
        return event_come(e, now, job, &event, reason);
}

/* The calendar has a slot at the instant at which the delay is over. */
static bool is_calendar_of_instant(const struct engine *e, struct clock_sample now, const struct job_row *row, int64_t rt_us) {
        int64_t distance_us = row->next_us - rt_us;
        bool is_same = distance_us <= ENGINE_OFFSET_SLACK_US && distance_us >= -ENGINE_OFFSET_SLACK_US;
        return is_same && is_plan_open(e, row) && row->next_us <= now.rt_us;
}

/* A fixed delay beside calendars is over. */
static int delay_event_due(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        struct event event = {.item = WIRE_ITEM_DELAY, .slot_us = cold->delay_bt_us};
        schedule_remove(&e->at_delay, job);
        if (!engine_has_plan(row) || engine_is_running(e, row) || segments_have_all_run(e, row))
                return 0;
        if (is_outside(when, event_rt(&event, now))) {
                bool is_early = event_rt(&event, now) < when->not_before_us; /* the clock was set back */
                if (is_early)
                        delay_begin(e, job, event.slot_us - when->every_us);
                slots_arm(e, job);
                if (!is_early)
                        schedule_remove(&e->at_delay, job);
                return 0;
        }
        if (claims_are_own(e, row)) { /* a run that starts late will do it */
                cold->delay_bt_us = (cold->catch_up_bt_us > now.bt_us ? cold->catch_up_bt_us : now.bt_us) + USEC_PER_SEC;
                slots_arm(e, job);
                return 0;
        }
        if (is_calendar_of_instant(e, now, row,
                                   event_rt(&event, now))) { /* one slot, the calendar's; its run moves the delay */
                int r = plan_due_now(e, now, job);
                if (r < 0 || engine_is_running(e, row) || schedule_has(&e->parked, job)) {
                        slots_arm(e, job);
                        return r;
                }
        }
        enum slot_reason reason = judge_delay(e, now, row, &event);
        if (reason == SLOT_REASON_NONE && !claims_permit(e, now, job, row->key)) {
                slots_arm(e, job);
                return 0;
        }
        if (reason == SLOT_REASON_NONE) {
                int r = start_event(e, now, job, &event);
                if (r == 0 && is_plan_seen(e, row))
                        r = grid_meets_event(e, now, job);
                if (r < 0)
                        return r;
                end_resume(e, now, job);
        } else {
                slots_tell(e, job, slot_outcome_of(reason), reason, 0, 0, 0, event_rt(&event, now))->outcome.item = event.item;
                if (reason == SLOT_REASON_PAUSED) /* it begins anew when the job goes on */
                        cold->delay_bt_us = 0;
                else if (reason == SLOT_REASON_CALENDAR)
                        delay_reopen(e, now, job);
                else
                        delay_begin(e, job, now.bt_us);
        }
        slots_arm(e, job);
        return 0;
}

static int boot_due(struct engine *e, struct clock_sample now, uint32_t job) {
        return event_due(e, now, job, WIRE_ITEM_BOOT);
}

static int wake_due(struct engine *e, struct clock_sample now, uint32_t job) {
        return event_due(e, now, job, WIRE_ITEM_WAKE);
}

static bool is_due(const struct schedule *s, int64_t now_us, uint32_t *ret_job) {
        const struct schedule_entry *first = schedule_first(s);
        if (!first || first->at_us > now_us)
                return false;
        *ret_job = first->id;
        return true;
}

int due_settle(struct engine *e, struct clock_sample now, uint32_t job) {
        int r = 0;
        if (e->is_stopping)
                return 0;
        const struct {
                const struct schedule *queue;
                int64_t until_us;
                int (*done)(struct engine *e, struct clock_sample now, uint32_t job);
        } rows[] = {
                {&e->at_boot, now.bt_us, boot_due},
                {&e->at_wake, now.bt_us, wake_due},
                {&e->at_delay, now.bt_us, delay_event_due},
                {&e->retries, now.bt_us, retry_due},
                {&e->expects, now.bt_us, expect_due},
                {&e->boot_wake, now.bt_us, wake},
                {&e->real_wake, e->is_clock_trusted ? now.rt_us : INT64_MIN, wake},
        };
        commands_settle_hold(e, now, job);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++)
                if (schedule_has(rows[i].queue, job) && schedule_at(rows[i].queue, job) <= rows[i].until_us)
                        r = rows[i].done(e, now, job);
        return r;
}

int engine_advance(struct engine *e, struct clock_sample now) {
        engine_note_offset(e, now);
        claims_release_overdue(e, now);
        if (now.bt_us >= e->trust_bt_us)
                e->is_clock_trusted = true;
        int64_t until_rt_us = e->is_clock_trusted ? now.rt_us : INT64_MIN;
        for (int i = 0; i < ENGINE_BATCH; i++) {
                uint32_t job;
                int r = 0;
                if (e->is_stopping)
                        return 0;
                if (e->next_group_bt_us <= now.bt_us)
                        group_holds_due(e, now, now.bt_us);
                else if (is_due(&e->holds, now.bt_us, &job))
                        commands_hold_due(e, now, job);
                else if (is_due(&e->at_boot, now.bt_us, &job))
                        r = boot_due(e, now, job);
                else if (is_due(&e->at_wake, now.bt_us, &job))
                        r = wake_due(e, now, job);
                else if (is_due(&e->at_delay, now.bt_us, &job))
                        r = delay_event_due(e, now, job);
                else if (is_due(&e->retries, now.bt_us, &job))
                        r = retry_due(e, now, job);
                else if (is_due(&e->expects, now.bt_us, &job))
                        r = expect_due(e, now, job);
                else if (is_due(&e->boot_wake, now.bt_us, &job) || is_due(&e->real_wake, until_rt_us, &job))
                        r = wake(e, now, job);
                else if (chains_drain(e))
                        continue; /* what came of it may be due now */
                else {
                        claims_ask(e, now);
                        return 0;
                }
                if (r < 0)
                        return r;
        }
        return 1;
}

static int64_t first_at(const struct schedule *queue) {
        const struct schedule_entry *first = schedule_first(queue);
        return first ? first->at_us : INT64_MAX;
}

void engine_next_wake(const struct engine *e, int64_t *ret_bt_us, int64_t *ret_rt_us) {
        int64_t bt_us = duration_lower(first_at(&e->boot_wake),
                                       duration_lower(duration_lower(first_at(&e->at_boot), first_at(&e->at_wake)),
                                                      duration_lower(first_at(&e->at_delay), first_at(&e->holds))));
        bt_us = duration_lower(bt_us, duration_lower(first_at(&e->retries), first_at(&e->expects)));
        int64_t rt_us = first_at(&e->real_wake);
        bt_us = duration_lower(bt_us, e->next_group_bt_us);
        claims_next_wake(e, &bt_us, &rt_us);
        if (!e->is_clock_trusted && rt_us < INT64_MAX) { /* what it will be then is not known */
                bt_us = duration_lower(bt_us, e->trust_bt_us);
                rt_us = INT64_MAX;
        }
        *ret_bt_us = e->is_stopping ? INT64_MAX : bt_us;
        *ret_rt_us = e->is_stopping ? INT64_MAX : rt_us;
}
