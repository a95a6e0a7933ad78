// SPDX-License-Identifier: MIT
// slots: what becomes of slots at their instant and after it. While a run is in flight its job sleeps: the slots that pass
// meanwhile are counted when it ends, or once a minute, never one by one.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>

static void emit_range(struct engine *e, struct clock_sample now, uint32_t job, enum slot_outcome outcome,
                       const struct job_range *range, uint64_t run, bool is_more) {
        const struct job_when *when = engine_policy(e, engine_row(e, job));
        struct action *a = engine_emit(e, ACTION_OUTCOME, job);
        a->outcome.segment = range->segment;
        a->outcome.outcome = outcome;
        a->outcome.reason = (enum slot_reason)range->reason;
        a->outcome.first = range->first;
        a->outcome.last = range->last;
        a->outcome.n = (uint64_t)(range->last - range->first) + 1;
        a->outcome.first_rt_us = engine_slot_rt(e, when, range->first_us, now);
        a->outcome.last_rt_us = engine_slot_rt(e, when, range->last_us, now);
        a->outcome.run = run;
        a->outcome.is_more = is_more;
        a->outcome.is_again = e->is_retelling;
        chains_missed(e, job, a);
}

/* The outcome of a range; those of its slots that are closed are withheld. */
static void emit_outcome(struct engine *e, struct clock_sample now, uint32_t job, enum slot_outcome outcome,
                         const struct job_range *range, uint64_t run, bool is_more) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        bool is_of_plan = plan_is_grid(when) && range->segment == row->segment; /* of another it is not known any more */
        if (!when->days || !is_of_plan || range->reason == SLOT_REASON_CALENDAR) {
                emit_range(e, now, job, outcome, range, run, is_more);
                return;
        }
        struct plan_grid grid = closed_grid(e, row, range);
        for (int64_t key = range->first; key <= range->last;) {
                struct closed_stretch stretch = closed_stretch(e, when, &grid, key, range->last);
                struct job_range part = *range;
                part.first = stretch.first;
                part.first_us = stretch.first_us;
                part.last = stretch.last;
                plan_seek(&grid, stretch.last);
                part.last_us = plan_nominal(&grid, stretch.last);
                if (stretch.is_closed)
                        part.reason = SLOT_REASON_CALENDAR;
                emit_range(e, now, job, stretch.is_closed ? SLOT_WITHHELD : outcome, &part, stretch.is_closed ? 0 : run,
                           is_more);
                key = stretch.last + 1;
        }
}

void slots_tell_missed(struct engine *e, struct clock_sample now, uint32_t job, bool is_more) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        cold->missed.is_open = false;
        emit_outcome(e, now, job, slot_outcome_of(cold->missed.reason), &cold->missed, 0, is_more);
}

void slots_flush_merging(struct engine *e, struct clock_sample now, uint32_t job, uint64_t run) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (!cold || !cold->merging.is_open || (run > 0 && cold->run.is_open))
                return;
        cold->merging.is_open = false;
        if (run == 0)
                cold->missed_since_run += closed_count_open(e, engine_row(e, job), &cold->merging);
        emit_outcome(e, now, job, run > 0 ? SLOT_MERGED : SLOT_MISSED, &cold->merging, run, false);
}

/* Takes the slots from the row's key to last off its grid, as a range of a reason. */
static struct job_range take_slots(struct engine *e, struct clock_sample now, uint32_t job, int64_t last,
                                   enum slot_reason reason) {
        struct job_row *row = engine_row(e, job);
        struct plan_grid grid = engine_grid(e, row, engine_policy(e, row));
        struct job_range taken = {
                .is_open = true,
                .reason = (uint8_t)reason,
                .segment = row->segment,
                .first = row->key,
                .last = last,
                .first_us = plan_nominal(&grid, row->key),
                .open_us = now.bt_us,
        };
        plan_seek(&grid, last);
        taken.last_us = plan_nominal(&grid, last);
        row->key = last + 1;
        row->next_us = plan_nominal(&grid, row->key);
        return taken;
}

static bool is_continued(const struct job_range *range, const struct job_range *by) {
        return range->is_open && range->reason == by->reason && range->segment == by->segment && range->last + 1 == by->first;
}

static void range_add(struct job_range *range, const struct job_range *taken) {
        if (is_continued(range, taken)) {
                range->last = taken->last;
                range->last_us = taken->last_us;
        } else
                *range = *taken;
}

int slots_miss(struct engine *e, struct clock_sample now, uint32_t job, int64_t last, enum slot_reason reason) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_warm(&e->jobs, row);
        if (!cold)
                return -ENOMEM;
        if (last < row->key)
                return 0;
        struct job_range taken = take_slots(e, now, job, last, reason);
        if (slot_outcome_of(reason) == SLOT_MISSED)
                cold->missed_since_run += closed_count_open(e, row, &taken);
        if (!is_continued(&cold->missed, &taken))
                slots_flush_missed(e, now, job, false);
        range_add(&cold->missed, &taken);
        return 0;
}

void slots_miss_waiting(struct engine *e, struct clock_sample now, uint32_t job, enum slot_reason reason) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        const struct job_waiting *slot = &cold->waiting;
        struct job_range taken = {
                .is_open = true,
                .reason = (uint8_t)reason,
                .segment = slot->segment,
                .first = slot->key,
                .last = slot->key,
                .first_us = slot->slot_us,
                .last_us = slot->slot_us,
                .open_us = now.bt_us,
        };
        waiting_take(e, job);
        slots_drop_promise(e, job, reason);
        cold->missed_since_run++;
        if (!is_continued(&cold->missed, &taken))
                slots_flush_missed(e, now, job, false);
        range_add(&cold->missed, &taken);
}

bool slots_are_gathered(const struct engine *e, struct clock_sample now, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && cold->missed.is_open && cold->missed.reason == SLOT_REASON_POOL && pools_is_queued(e, cold) &&
               now.bt_us - cold->missed.open_us < ENGINE_TELL_US;
}

void slots_pass_closed(struct engine *e, struct clock_sample now, uint32_t job, int64_t last) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        if (!when->days || last < row->key || !closed_is_at(e, when, row->next_us))
                return;
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t open = closed_first_open(e, when, &grid, row->key, last);
        (void)slots_miss(e, now, job, open <= last ? open - 1 : last, SLOT_REASON_CALENDAR);
}

void slots_interrupt(struct engine *e, struct clock_sample now, uint32_t job, int64_t last) {
        if (last < engine_row(e, job)->key)
                return;
        struct job_range taken = take_slots(e, now, job, last, SLOT_REASON_NONE);
        emit_outcome(e, now, job, SLOT_INTERRUPTED, &taken, 0, false);
}

struct action *slots_tell(struct engine *e, uint32_t job, enum slot_outcome outcome, enum slot_reason reason, uint32_t segment,
                          int64_t first, int64_t last, int64_t slot_rt_us) {
        struct action *a = engine_emit(e, ACTION_OUTCOME, job);
        a->outcome.segment = segment;
        a->outcome.outcome = outcome;
        a->outcome.reason = reason;
        a->outcome.first = first;
        a->outcome.last = last;
        a->outcome.n = (uint64_t)(last - first) + 1;
        a->outcome.first_rt_us = a->outcome.last_rt_us = slot_rt_us;
        a->outcome.is_again = e->is_retelling;
        if (outcome == SLOT_MISSED)
                registry_cold(&e->jobs, engine_row(e, job))->missed_since_run += a->outcome.n;
        chains_missed(e, job, a);
        return a;
}

int slots_merge(struct engine *e, struct clock_sample now, uint32_t job, int64_t last, enum slot_reason reason) {
        struct job_cold *cold = registry_warm(&e->jobs, engine_row(e, job));
        if (!cold)
                return -ENOMEM;
        if (cold->missed.is_open && cold->missed.reason == SLOT_REASON_POOL) /* they come before it */
                slots_flush_missed(e, now, job, false);
        struct job_range taken = take_slots(e, now, job, last, reason);
        if (cold->merging.is_open)
                taken.reason = cold->merging.reason; /* one run takes them all in: the first reason stands for them */
        if (!is_continued(&cold->merging, &taken))
                slots_flush_merging(e, now, job, 0);
        range_add(&cold->merging, &taken);
        return 0;
}

/* When the run in flight began, on the clock of the job's slots; of an adopted one, when the runner started it. */
static int64_t run_began(const struct engine *e, struct clock_sample now, const struct job_row *row) {
        const struct job_run *run = &registry_cold(&e->jobs, row)->run;
        int64_t began_bt_us = run->begun_bt_us > 0 ? run->begun_bt_us : run->start_bt_us;
        int64_t until_bt_us = row->is_resumed ? e->resumed.bt_us : now.bt_us;
        int64_t ago_us = began_bt_us > 0 && began_bt_us < until_bt_us ? until_bt_us - began_bt_us : 0;
        return engine_slot_now(engine_policy(e, row), row->is_resumed ? e->resumed : now) - ago_us;
}

/* A run overlaps only what came after its start: slots before it passed while nobody was there, or while it waited to start. */
static int miss_before_run(struct engine *e, struct clock_sample now, uint32_t job, int64_t last) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        bool may_have_waited = e->has_ledger && !plan_is_wall(when) && when->catch_up != JOB_CATCH_UP_ALL;
        if (!row->is_resumed && !may_have_waited)
                return 0;
        int64_t began_us = run_began(e, now, row);
        if (row->next_us >= began_us)
                return 0;
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t before = plan_last_due(&grid, began_us - !row->is_resumed);
        if (row->is_resumed && when->catch_up == JOB_CATCH_UP_ALL && before >= row->key && !row->is_paused) {
                cold->catch_up_bt_us = now.bt_us;
                return 0;
        }
        return slots_miss(e, now, job, before < last ? before : last,
                          row->is_resumed ? SLOT_REASON_DOWN : SLOT_REASON_DEADLINE);
}

void slots_note_late(struct engine *e, uint32_t job) {
        engine_row(e, job)->is_written = false;
        if (e->has_ledger)
                engine_emit(e, ACTION_WRITE, job);
}

void slots_let_wait(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t due_us = plan_is_grid(when) ? plan_due(&grid, row->key) : row->next_us;
        waiting_put(e, job,
                    &(struct job_waiting){
                            .item = WIRE_ITEM_SCHEDULE,
                            .segment = row->segment,
                            .anchor_us = row->anchor_us,
                            .key = row->key,
                            .slot_us = row->next_us,
                            .slot_rt_us = engine_slot_rt(e, when, row->next_us, now),
                            .due_bt_us = now.bt_us - (engine_slot_now(when, now) - due_us),
                    });
        row->key++;
        if (plan_is_grid(when))
                row->next_us = plan_nominal(&grid, row->key);
}

/* A fixed delay that was over in a pause: one slot, then there is no plan until the job goes on. */
static void pass_paused_delay(struct engine *e, struct clock_sample now, uint32_t job, int64_t until_us) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        if (!plan_exists(when) || engine_is_running(e, row) || row->next_us > until_us)
                return;
        struct job_range passed = {
                .reason = SLOT_REASON_PAUSED,
                .segment = row->segment,
                .first = row->key,
                .last = row->key,
                .first_us = row->next_us,
                .last_us = row->next_us,
        };
        emit_outcome(e, now, job, SLOT_WITHHELD, &passed, 0, false);
        row->key++;
        row->next_us = INT64_MAX;
}

void slots_give_way(struct engine *e, uint32_t job) {
        const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        while (cold->waiting.is_slot)
                slots_tell_waiting(e, job, SLOT_MISSED, SLOT_REASON_OVERLAP);
}

/* The latest slot up to `last` takes the place of the run in flight, and of one that waits to do so. */
static void replace_run(struct engine *e, struct clock_sample now, uint32_t job, int64_t last) {
        struct job_row *row = engine_row(e, job);
        if (segments_have_all_run(e, row))
                return;
        last = closed_last_open(e, row, last);
        if (last < row->key)
                return;
        slots_give_way(e, job);
        (void)slots_miss(e, now, job, last - 1, SLOT_REASON_OVERLAP);
        slots_flush_missed(e, now, job, false); /* they come before it */
        slots_let_wait(e, now, job);
        engine_end_run(e, job);
}

/* Slots that come while an older one waits, which is not given up for them, come as if that ran; NONE: none waits so. */
static enum slot_reason waiting_reason(const struct engine *e, const struct job_row *row) {
        static const enum slot_reason reasons[JOB_AWAITS_MAX] = {
                [JOB_AWAITS_RUN] = SLOT_REASON_NONE,
                [JOB_AWAITS_RETRY] = SLOT_REASON_RESOURCES,
                [JOB_AWAITS_CONDITION] = SLOT_REASON_DEADLINE,
                [JOB_AWAITS_POOL] = SLOT_REASON_POOL,
        };
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && cold->waiting.is_slot ? reasons[cold->waiting.awaits] : SLOT_REASON_NONE;
}

/* A job with a run in flight or a hold has its cold state: missing slots can't fail here. */
void slots_pass(struct engine *e, struct clock_sample now, uint32_t job, int64_t until_us) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        enum slot_reason kept_by = waiting_reason(e, row);
        bool is_running = engine_is_running(e, row), is_waiting = !is_running && kept_by != SLOT_REASON_NONE;
        if (!engine_has_plan(row) || (!is_running && !is_waiting && !row->is_paused) ||
            (plan_is_wall(when) && !e->is_clock_trusted))
                return;
        if (!plan_is_grid(when)) {
                if (row->is_paused)
                        pass_paused_delay(e, now, job, until_us);
                return;
        }
        if (row->next_us > until_us && (when->catch_up != JOB_CATCH_UP_ALL || !catch_up_is_open(e, row))) /* none has passed */
                return;
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t last = plan_last_due(&grid, until_us);
        if (is_running)
                (void)miss_before_run(e, now, job, last);
        if (row->is_paused) {
                (void)slots_miss(e, now, job, last, SLOT_REASON_PAUSED);
                return;
        }
        if (catch_up_joins(e, now, job, &grid, last))
                return;
        while (when->overlap == JOB_OVERLAP_QUEUE && last >= row->key && waiting_has_room(e, row) &&
               !segments_have_all_run(e, row)) {
                slots_pass_closed(e, now, job, last);
                if (last >= row->key)
                        slots_let_wait(e, now, job);
        }
        if (when->overlap == JOB_OVERLAP_REPLACE && is_running)
                replace_run(e, now, job, last);
        (void)slots_miss(e, now, job, last, is_waiting ? kept_by : SLOT_REASON_OVERLAP);
}

void slots_pass_waiting(struct engine *e, struct clock_sample now, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        if (waiting_reason(e, row) == SLOT_REASON_NONE)
                return;
        slots_pass(e, now, job, engine_slot_now(engine_policy(e, row), now) - 1);
        slots_flush_missed(e, now, job, false);
}

bool slots_are_late(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && (cold->waiting.is_slot || cold->catch_up_bt_us > 0 || catch_up_is_open(e, row));
}

/* The same for the slots of a grid; false: there are no more. */
static bool look_at_grid(const struct engine *e, const struct job_row *row, bool is_running, int64_t *ret_at_us) {
        const struct job_when *when = engine_policy(e, row);
        bool is_drawn = when->random_delay_us > 0 || when->random_delay_ppm > 0;
        bool may_gather = is_running && when->catch_up == JOB_CATCH_UP_ALL;
        *ret_at_us = row->next_us;
        if (!when->agenda && !when->days && !is_drawn && !may_gather) /* as most are */
                return row->next_us <= engine_until(e, when);
        struct plan_grid grid = engine_grid(e, row, when);
        if (!is_running && closed_is_at(e, when, row->next_us)) { /* they are passed together */
                int64_t open_us = closed_open_after(e, when, &grid, row->next_us), due_us = plan_due(&grid, row->key);
                *ret_at_us = duration_lower(row->next_us + ENGINE_TELL_US, open_us);
                if (*ret_at_us < due_us)
                        *ret_at_us = due_us;
                return true;
        }
        /* while passed slots wait, the next thing to do is when they get too many */
        int64_t n_waiting = may_gather && catch_up_is_open(e, row) ? catch_up_room(e, row, &grid) : 0;
        *ret_at_us = plan_due(&grid, row->key + n_waiting);
        return row->next_us <= grid.until_us && (n_waiting == 0 || *ret_at_us <= grid.until_us);
}

/* When a job is to be looked at again, and in which queue; NULL: when something else has happened. */
static struct schedule *next_look(struct engine *e, uint32_t job, int64_t *ret_at_us) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        bool is_running = cold && cold->run.run > 0;
        *ret_at_us = 0;
        bool is_busy = is_running || (cold && cold->retry.is_waiting);
        if (cold && !is_busy && !row->is_restored && (cold->waiting.is_slot || cold->waiting.is_trigger)) {
                *ret_at_us = waiting_wake(e, job);
                return *ret_at_us < INT64_MAX ? &e->boot_wake : NULL;
        }
        if (!engine_has_plan(row))
                return NULL;
        if (plan_may_end(when) && segments_are_over(e, row)) {
                *ret_at_us = 0;
                return &e->boot_wake;
        }
        if (row->segment == 0 && segments_await_clock(e, row)) {
                *ret_at_us = e->is_clock_trusted ? 0 : e->trust_bt_us;
                return &e->boot_wake;
        }
        if (row->is_paused || !plan_exists(when) || (is_busy && !plan_is_grid(when)))
                return NULL;
        *ret_at_us = row->next_us;
        if (is_running && cold->missed.is_open) {
                *ret_at_us = cold->missed.open_us + ENGINE_TELL_US;
                return &e->boot_wake;
        }
        if (!is_running && cold && cold->catch_up_bt_us > 0 && !pools_is_queued(e, cold)) {
                bool is_held = plan_is_wall(when) && !e->is_clock_trusted && cold->catch_up_bt_us < e->trust_bt_us;
                *ret_at_us = is_held ? e->trust_bt_us : cold->catch_up_bt_us;
                return &e->boot_wake;
        }
        if (plan_is_grid(when) && !look_at_grid(e, row, is_running, ret_at_us))
                return NULL;
        return plan_is_wall(when) ? &e->real_wake : &e->boot_wake;
}

void slots_leave_events(struct engine *e, uint32_t job) {
        schedule_remove(&e->at_boot, job);
        schedule_remove(&e->at_wake, job);
        schedule_remove(&e->at_delay, job);
        if (registry_cold(&e->jobs, engine_row(e, job)))
                registry_cold(&e->jobs, engine_row(e, job))->delay_bt_us = 0;
}

void slots_arm(struct engine *e, uint32_t job) {
        int64_t at_us;
        if (e->places.n_used > 0)
                pools_leave_idle(e, job);
        if (e->beside.by_run.n > 0)
                beside_settle(e, job);
        if (e->parcels.n > 0)
                parcels_mark(&e->parcels, job);
        struct schedule *queue = next_look(e, job, &at_us);
        if (e->parked.n > 0) {
                const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
                bool is_asleep = !queue && !delay_is_awaited(e, engine_row(e, job)) && !(cold && cold->retry.is_waiting);
                if (is_asleep || engine_is_running(e, engine_row(e, job)))
                        schedule_remove(&e->parked, job);
                if (schedule_has(&e->parked, job))
                        queue = NULL;
        }
        if (queue != &e->boot_wake)
                schedule_remove(&e->boot_wake, job);
        if (queue != &e->real_wake)
                schedule_remove(&e->real_wake, job);
        if (queue)
                schedule_set(queue, job, at_us);
        if (e->at_delay.allocated > 0) /* some job may have one */
                delay_arm(e, job);
        if (e->retries.allocated > 0)
                retry_arm(e, job);
        if (e->expects.allocated > 0)
                expect_arm(e, job);
}

static void emit_start(struct engine *e, uint32_t job, const struct occasion *o) {
        const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        struct action *a = engine_emit(e, ACTION_START, job);
        a->start = (struct wire_start){
                .run = cold->run.run,
                .hash = engine_row(e, job)->hash,
                .item = o->item,
                .segment = o->segment,
                .anchor_us = o->anchor_us,
                .key = o->key,
                .slot_us = o->slot_us,
                .slot_rt_us = o->slot_rt_us,
                .cause = o->cause,
                .attempt = cold->run.attempt,
                .missed = cold->run.missed,
                .last_result = cold->last_result,
                .parent = cold->run.parent,
                .asks_conditions = cold->run.is_asked,
        };
}

void slots_tell_ran(struct engine *e, uint32_t job, const struct job_run *run) {
        struct action *a = engine_emit(e, ACTION_OUTCOME, job);
        a->outcome.item = run->item;
        a->outcome.segment = run->segment;
        a->outcome.outcome = SLOT_RAN;
        a->outcome.first = a->outcome.last = run->key;
        a->outcome.n = 1;
        a->outcome.first_rt_us = a->outcome.last_rt_us = run->slot_rt_us;
        a->outcome.run = run->run;
        a->outcome.lag_us = run->lag_us;
        a->outcome.is_again = run->is_known;
}

int slots_start(struct engine *e, struct clock_sample now, uint32_t job, const struct occasion *o) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_warm(&e->jobs, row);
        if (!cold)
                return -ENOMEM;
        struct job_run run = {
                .run = cold->waiting.run > 0 ? cold->waiting.run : e->next_run,
                .item = o->item,
                .cause = o->cause,
                .attempt = o->attempt > 0 ? o->attempt : 1,
                .is_unclaimed = o->has_waited ? o->is_unclaimed
                                              : o->item == WIRE_ITEM_SCHEDULE && o->cause != RUN_CAUSE_RETRY &&
                                                        claims_is_without(e, now, job, o->key),
                .segment = o->segment,
                .key = o->key,
                .slot_rt_us = o->slot_rt_us,
                .lag_us = o->lag_us,
                .begun_bt_us = now.bt_us,
                .missed = cold->missed_since_run,
                .parent = o->parent,
                .is_asked = conditions_are_asked(e, row),
                .is_open = wire_item_is_slot(o->item),
                .was_refused = o->was_refused,
                .n_short = o->n_short,
                .is_promised = cold->waiting.run > 0 || o->item == WIRE_ITEM_TRIGGER,
                .anchor_us = o->anchor_us,
                .slot_us = o->slot_us,
                .is_hosted = row->is_hosted,
        };
        const struct job_when *when = engine_policy(e, row);
        if (!pools_admit(e, now, job))
                return pools_let_wait(e, now, job, o);
        if (when->days && plan_is_grid(when) && engine_has_plan(row) &&
            !row->is_paused) { /* they did not pass under this run */
                struct plan_grid grid = engine_grid(e, row, when);
                slots_pass_closed(e, now, job, plan_last_due(&grid, engine_slot_now(when, now)));
        }
        int r = engine_begin_run(e, job, &run);
        if (r < 0)
                return r;
        if (o->item == WIRE_ITEM_RETRY && o->has_waited)
                passing_follow(e, job, PARCEL_OF_WAITING, run.run);
        while (cold->waiting.run > 0 && cold->waiting.is_slot && waiting_remove(e, job, WIRE_ITEM_TRIGGER, 0, 0))
                ; /* this is what it waited for */
        if (cold->waiting.run == 0)
                engine_take_run_number(e);
        cold->waiting.is_trigger = cold->waiting.is_forced = false;
        cold->waiting.run = 0;
        cold->missed_since_run = 0;
        cold->delay_bt_us = 0;
        cold->n_scheduled += cold->run.is_open;
        cold->catch_up_bt_us = 0;
        if (e->has_ledger && claims_are_own(e, row)) /* from now on */
                row->is_written = false;
        slots_flush_missed(e, now, job,
                           false); /* of its own slot, and of those that are merged into it, is told once it has begun */
        emit_start(e, job, o);
        return 0;
}

int slots_start_next(struct engine *e, struct clock_sample now, uint32_t job, enum run_cause cause, int64_t lag_us) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct occasion o = {
                .item = WIRE_ITEM_SCHEDULE,
                .cause = cause,
                .segment = row->segment,
                .anchor_us = row->anchor_us,
                .key = row->key,
                .slot_us = row->next_us,
                .slot_rt_us = engine_slot_rt(e, when, row->next_us, now),
                .lag_us = lag_us,
        };
        int r = slots_start(e, now, job, &o);
        if (r < 0)
                return r;
        registry_cold(&e->jobs, row)->last_slot_us = o.slot_us;
        row->key++;
        if (plan_is_grid(when))
                row->next_us = plan_follow(when, row->anchor_us, row->next_us);
        else if (!engine_is_running(e, row)) /* it waits */
                row->next_us = INT64_MAX;
        return 0;
}

void slots_drop_promise(struct engine *e, uint32_t job, enum slot_reason reason) {
        struct job_waiting *waiting = &registry_cold(&e->jobs, engine_row(e, job))->waiting;
        if (waiting->run == 0 || waiting->is_trigger)
                return;
        struct action *a = engine_emit(e, ACTION_DROPPED, job);
        a->run.run.run = waiting->run;
        a->run.end.result = reason == SLOT_REASON_CONDITION_WAIT ? RUN_RESULT_CONDITION
                            : reason == SLOT_REASON_DOWN         ? RUN_RESULT_INTERRUPTED
                                                                 : RUN_RESULT_NONE;
        waiting->run = 0;
}

void slots_tell_waiting(struct engine *e, uint32_t job, enum slot_outcome outcome, enum slot_reason reason) {
        struct job_waiting waiting = registry_cold(&e->jobs, engine_row(e, job))->waiting;
        waiting_take(e, job);
        slots_drop_promise(e, job, reason);
        if (waiting.item == WIRE_ITEM_RETRY || waiting.item == WIRE_ITEM_TRIGGER)
                return;            /* the slot has its outcome, or there is none */
        if (waiting.attempt > 1) { /* it may have run before */
                outcome = SLOT_INTERRUPTED;
                reason = SLOT_REASON_NONE;
        }
        slots_tell(e, job, outcome, reason, waiting.segment, waiting.key, waiting.key, waiting.slot_rt_us)->outcome.item =
                waiting.item;
}

void slots_keep_waiting(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (!cold)
                return;
        if (!e->has_ledger) {
                slots_flush_merging(e, now, job, 0);
                slots_drop_waiting(e, now, job, SLOT_REASON_DOWN);
                return;
        }
        slots_flush_missed(e, now, job, false);
        cold->waiting.is_trigger = cold->waiting.is_forced = false;
        slots_drop_promise(e, job, SLOT_REASON_DOWN);
        if (cold->waiting.is_slot)
                slots_note_late(e, job);
}

void slots_drop_waiting(struct engine *e, struct clock_sample now, uint32_t job, enum slot_reason reason) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (!cold)
                return;
        slots_flush_missed(e, now, job, false);
        while (cold->waiting.is_slot)
                slots_tell_waiting(e, job, slot_outcome_of(reason), reason);
        if (cold->waiting.is_trigger)
                engine_emit(e, ACTION_DROPPED, job)->run.run.run = cold->waiting.run;
        else
                slots_drop_promise(e, job, reason);
        cold->waiting = (struct job_waiting){0};
        waiting_go_without(e, now, job);
}
