// SPDX-License-Identifier: MIT
// restore: jobs as the ledger has them, and what became of them while nobody wrote. The ledger knows what was committed; the runner,
// where it is the same, knows every run whose result was not: a run that neither knows never started.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>
#include <string.h>

void engine_set_past(struct engine *e, const struct engine_past *past) {
        memcpy(e->seed, past->seed, sizeof(e->seed));
        memcpy(e->boot_id, past->boot_id, sizeof(e->boot_id));
        e->has_ledger = true;
        e->is_same_runner = past->is_same_runner;
        e->past_horizon = past->horizon;
        memcpy(e->past_boot_id, past->horizon_boot_id, sizeof(e->past_boot_id));
        e->last_rt_us = past->last.rt_us;
        e->last_offset_us = past->last.rt_us - past->last.bt_us;
        memcpy(e->last_boot_id, past->last_boot_id, sizeof(e->last_boot_id));
}

uint64_t engine_take_run(struct engine *e) {
        return engine_take_run_number(e);
}

void engine_trust_host(struct engine *e, const char *name) {
        uint32_t job = registry_find(&e->jobs, name);
        if (job != INDEX_NONE)
                engine_row(e, job)->is_unsure = false;
}

void engine_skip_runs(struct engine *e, uint64_t next_run) {
        if (e->next_run < next_run)
                e->next_run = next_run;
}

/* ---- to the ledger ---- */

/* The first slot without an outcome, and its instant: what is open and waits to be told has none. */
static void put_first_open(const struct job_row *row, const struct job_cold *cold, struct job_image *image) {
        bool is_open = cold && cold->missed.is_open && cold->missed.segment == row->segment;
        image->key = is_open ? cold->missed.first : row->key;
        image->next_us = is_open ? cold->missed.first_us : row->next_us;
}

/* Those that wait behind the first, before the mark; the runs beside that in flight; and parameters. 0, -ENOMEM. */
static int put_others(const struct engine *e, uint32_t job, const struct job_cold *cold, struct job_image *image) {
        int r = image->waiting.is_slot ? image_copy_line(cold->line, UINT32_MAX, &image->line) : 0;
        for (uint32_t i = 0; r == 0 && image->line && i < image->line->n; i++) {
                const struct job_waiting *slot = &image->line->slots[i];
                if (slot->item == WIRE_ITEM_SCHEDULE && slot->segment == image->segment && slot->key >= image->key)
                        break;
                image->n_line = i + 1;
        }
        if (r == 0 && e->parcels.n > 0)
                r = parcels_list(&e->parcels, job, &image->parcels, &image->n_parcels);
        return r < 0 ? r : beside_list(e, cold, &image->beside, &image->n_beside);
}

void engine_take_image(struct engine *e, struct clock_sample now, uint32_t job, struct job_image *ret,
                       const struct job_when **ret_when) {
        const struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        *ret = (struct job_image){
                .offset_us = now.rt_us - now.bt_us,
                .segment = row->segment,
                .anchor_us = row->anchor_us,
                .since_us = row->since_us,
                .is_planned = engine_had_plan(row),
                .is_boot_done = row->is_boot_done,
                .is_paused = row->is_held,
                .is_cancelled = row->is_cancelled,
                .is_finished = row->is_finished,
                .is_failed = row->is_failed,
                .paused_until_rt_us = INT64_MAX,
        };
        put_first_open(row, cold, ret);
        memcpy(ret->boot_id, e->boot_id, sizeof(ret->boot_id));
        *ret_when = engine_policy(e, row);
        if ((*ret_when)->agenda)
                ret->calendar = agenda_hash((*ret_when)->agenda);
        if (plan_is_delay(*ret_when) && engine_is_busy(e, row))
                ret->next_us = INT64_MAX;
        if (!cold)
                return;
        if (cold->defined) {
                ret->every_us = (*ret_when)->every_us;
                *ret_when = registry_when(&e->jobs, cold->defined - 1);
        }
        if (row->is_held && cold->paused_until_bt_us < INT64_MAX)
                ret->paused_until_rt_us = cold->paused_until_bt_us + ret->offset_us;
        ret->run = cold->run;
        ret->waiting = cold->waiting;
        bool is_slot_waiting = ret->waiting.item == WIRE_ITEM_SCHEDULE && ret->waiting.segment == ret->segment;
        if (is_slot_waiting && ret->waiting.key >= ret->key)
                ret->waiting.is_slot = false; /* it is behind the mark, with those before it */
        if (put_others(e, job, cold, ret) < 0)
                e->has_failed = true;
        ret->is_late = slots_are_late(e, row);
        ret->late_key = !ret->is_late ? 0 : row->is_restored ? cold->claimed_key : claims_last_key(e, job);
        ret->merging = cold->merging;
        ret->missed_since_run = cold->missed_since_run;
        ret->n_scheduled = cold->n_scheduled;
        ret->ended_run = cold->ended_run;
        ret->end_bt_us = cold->end_bt_us;
        ret->delay_bt_us = cold->delay_bt_us;
        ret->last_slot_us = cold->last_slot_us;
        ret->last_result = cold->last_result;
        ret->retry = cold->retry;
        if (e->is_stopping && ret->retry.is_waiting)
                ret->retry.is_claimed = false; /* it does not start any more */
        ret->n_failed = cold->n_failed;
        ret->good_bt_us = cold->good_bt_us;
        ret->overdue_bt_us = cold->overdue_bt_us;
}

/* ---- from the ledger ---- */

static void restore_cold(struct job_cold *cold, struct clock_sample now, const struct job_image *image) {
        cold->waiting = image->waiting;
        cold->merging = image->merging;
        cold->missed_since_run = image->missed_since_run;
        cold->n_scheduled = image->n_scheduled;
        cold->ended_run = image->ended_run;
        cold->end_bt_us = image->end_bt_us;
        cold->delay_bt_us = image->delay_bt_us;
        cold->last_slot_us = image->last_slot_us;
        cold->last_result = image->last_result;
        cold->retry = image->retry;
        cold->n_failed = image->n_failed;
        cold->good_bt_us = image->good_bt_us;
        cold->overdue_bt_us = image->overdue_bt_us;
        cold->paused_until_bt_us =
                image->paused_until_rt_us < INT64_MAX ? image->paused_until_rt_us - (now.rt_us - now.bt_us) : INT64_MAX;
        cold->remind_bt_us = now.bt_us + ENGINE_REMIND_US;
}

static void restore_row(struct job_row *row, const struct job_image *image, bool is_moved) {
        row->segment = image->segment;
        row->anchor_us = image->anchor_us;
        row->key = image->key;
        row->next_us = image->next_us;
        row->since_us = image->since_us;
        row->is_boot_done = image->is_boot_done && !is_moved;
        row->is_held = row->is_paused = image->is_paused;
        row->is_cancelled = image->is_cancelled;
        row->is_finished = image->is_finished;
        row->is_failed = image->is_failed;
        row->is_restored = true;
        row->was_planned = image->is_planned;
        row->is_moved = is_moved;
        row->is_resumed = true;
        row->state = JOB_STATE_REMOVED;
}

/* Whether the plan counted by a calendar that has come to another, by the same words. */
static bool has_other_data(const struct job_when *when, const struct job_image *image) {
        static const struct hash128 none;
        struct hash128 hash = when->agenda ? agenda_hash(when->agenda) : none;
        return memcmp(&image->calendar, &none, sizeof(none)) != 0 && memcmp(&image->calendar, &hash, sizeof(hash)) != 0;
}

/* The policy in force, with one use: the definition's, or that with another interval, which keeps the definition's too. */
static int restore_policy(struct engine *e, struct job_row *row, struct job_cold *cold, const struct job_when *when,
                          int64_t every_us) {
        uint32_t policy;
        int r = registry_intern(&e->jobs, when, &row->when);
        if (r < 0 || every_us == 0)
                return r;
        struct job_when other = *when;
        job_when_set_every(&other, every_us);
        r = registry_intern(&e->jobs, &other, &policy);
        if (r < 0)
                return r;
        cold->defined = row->when + 1;
        row->when = policy;
        return 0;
}

/* What makes its instants wall-clock ones: the clock may have been set after it was written. */
static int64_t offset_of(const struct engine *e, const struct job_image *image) {
        int64_t later_us = e->last_offset_us - image->offset_us;
        bool is_stepped = later_us >= CLOCKSTEP_MIN_US || later_us <= -CLOCKSTEP_MIN_US;
        bool is_of_last_boot = memcmp(image->boot_id, e->last_boot_id, sizeof(e->last_boot_id)) == 0;
        return is_stepped && is_of_last_boot ? e->last_offset_us : image->offset_us;
}

static void mark_past(struct job_waiting *slot, bool is_moved) {
        slot->is_past = is_moved && (slot->item == WIRE_ITEM_BOOT || slot->item == WIRE_ITEM_WAKE);
}

/* The same, with a copy of the image that is moved to this boot. */
static int restore_job(struct engine *e, struct clock_sample now, const char *name, const struct job_when *when,
                       const struct job_image *image, struct job_image *moved) {
        bool is_moved = memcmp(image->boot_id, e->boot_id, sizeof(e->boot_id)) != 0;
        uint32_t job;
        if (registry_find(&e->jobs, name) != INDEX_NONE)
                return -EEXIST;
        engine_note_offset(e, now);
        struct clock_sample later =
                now; /* than it wrote: where the clock begins long ago, no interval waits until it is right */
        if (is_moved && now.rt_us < e->last_rt_us)
                later.rt_us = e->last_rt_us;
        int64_t shift_us = is_moved ? offset_of(e, image) - (later.rt_us - later.bt_us) : 0;
        if (is_moved)
                image_shift(moved, plan_is_wall(when), shift_us);
        int r = registry_add(&e->jobs, name, &job);
        struct job_cold *cold = r == 0 ? registry_warm(&e->jobs, engine_row(e, job)) : NULL;
        if (r == 0)
                r = cold ? schedule_reserve(&e->holds, job) : -ENOMEM;
        if (r == 0 && image->retry.is_waiting)
                r = schedule_reserve(&e->retries, job);
        if (r == 0)
                r = restore_policy(e, engine_row(e, job), cold, when, image->every_us);
        if (r < 0)
                return r;
        restore_row(engine_row(e, job), moved, is_moved);
        if (!image->is_cancelled && !image->is_finished && !image->is_failed && group_holds_are_on(e, engine_row(e, job)))
                engine_row(e, job)->is_paused = true;
        engine_row(e, job)->has_other_data = has_other_data(when, image);
        r = image_copy_line(moved->line, moved->n_line, &cold->line);
        if (r < 0)
                return r;
        restore_cold(cold, e->is_clock_trusted ? now : later, moved);
        mark_past(&cold->waiting, is_moved);
        for (uint32_t i = 0; i < moved->n_line; i++)
                mark_past(&cold->line->slots[i], is_moved);
        cold->claimed_key = image->is_late ? image->late_key : INT64_MAX;
        cold->claimed_us = e->past_horizon.rt_us;
        if (!plan_is_wall(when) && memcmp(image->boot_id, e->past_boot_id, sizeof(e->past_boot_id)) == 0)
                cold->claimed_us = e->past_horizon.bt_us + shift_us;
        else if (!plan_is_wall(when))
                cold->claimed_us -= later.rt_us - later.bt_us;
        if (moved->run.run > 0) {
                moved->run.is_known = false;
                moved->run.is_ending = false;
                r = engine_begin_run(e, job, &moved->run);
        }
        engine_skip_runs(e, moved->run.run + 1);
        engine_skip_runs(e, moved->waiting.run + 1);
        for (uint32_t i = 0; r == 0 && i < moved->n_beside; i++) {
                struct job_run run = moved->beside[i];
                run.is_known = run.is_ending = false;
                r = beside_add(e, job, &run);
                engine_skip_runs(e, run.run + 1);
        }
        for (uint32_t i = 0; r == 0 && i < moved->n_parcels; i++) {
                r = parcels_add(&e->parcels, job, moved->parcels[i].run, parcel_use(moved->parcels[i].parcel));
                if (r < 0)
                        parcel_drop(moved->parcels[i].parcel);
        }
        e->n_removed++;
        e->n_restored++;
        commands_arm_hold(e, job);
        return r;
}

int engine_restore(struct engine *e, struct clock_sample now, const char *name, const struct job_when *when,
                   const struct job_image *image) {
        struct job_image moved;
        int r = image_copy(image, &moved);
        if (r < 0)
                return r;
        r = restore_job(e, now, name, when, image, &moved);
        image_done(&moved);
        return r;
}

/* ---- what the runner says ---- */

/* The slots of the plan up to an instant passed while nobody was there to start them. */
static int pass_down(struct engine *e, struct clock_sample now, uint32_t job, int64_t last_key) {
        int r = slots_miss(e, now, job, last_key, engine_row(e, job)->is_paused ? SLOT_REASON_PAUSED : SLOT_REASON_DOWN);
        slots_flush_missed(e, now, job, false);
        return r;
}

/* Whether a policy plans the slot that a run was started for. */
static bool has_planned(const struct job_when *when, const struct job_row *row, const struct wire_start *start) {
        if (!plan_exists(when) || memcmp(&start->hash, &row->hash, sizeof(row->hash)) != 0)
                return false;
        if (when->agenda)
                return plan_has_slot(when, start->anchor_us, start->key, start->slot_us);
        if (plan_is_wall(when) && start->anchor_us != when->align_us)
                return false; /* started in the instant of its definition, by the plan before */
        return !plan_is_grid(when) || start->anchor_us + start->key * when->every_us == start->slot_us;
}

/* A run of a plan that the ledger has not heard of: it began after the one that it knows. */
static int adopt_segment(struct engine *e, struct clock_sample now, uint32_t job, const struct wire_start *start) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        int r = 0;
        int64_t at_us = plan_is_wall(when)            ? start->slot_rt_us
                        : start->slot_us <= now.bt_us ? start->slot_us
                                                      : now.bt_us - (now.rt_us - start->slot_rt_us);
        if (row->was_planned && plan_is_grid(when)) {
                struct plan_grid grid = engine_grid(e, row, when);
                r = pass_down(e, now, job, plan_first_after(&grid, at_us - 1) - 1);
        }
        slots_flush_merging(e, now, job, 0);
        slots_drop_waiting(e, now, job, SLOT_REASON_DOWN);
        bool is_of_definition = has_planned(registry_when(&e->jobs, row->when), row, start);
        if (is_of_definition) { /* the plan is its definition's, not the one that the ledger knew */
                registry_release(&e->jobs, row->was);
                row->was = INDEX_NONE;
        }
        row->is_finished = false; /* else there would be no plan after the one that was over */
        row->segment = start->segment - 1;
        row->anchor_us = start->anchor_us;
        row->key = start->key;
        segments_begin(e, job)->segment.is_unknown = !is_of_definition;
        row->is_resumed = true;
        row->was_planned = is_of_definition;
        return r;
}

/* A start of which the runner never heard: another has come since, for the same slot or, where no other run may be beside it, at all. */
static void end_replaced(struct engine *e, struct clock_sample now, uint32_t job, const struct wire_start *start) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        bool is_alone = cold->beside == 0 && engine_policy(e, engine_row(e, job))->overlap != JOB_OVERLAP_PARALLEL;
        uint64_t other = start->item == WIRE_ITEM_SCHEDULE ? beside_of_slot(e, cold, start->segment, start->key) : 0;
        if (other > 0 && beside_bring(e, job, other) < 0) {
                e->has_failed = true;
                return;
        }
        const struct job_run *run = &cold->run;
        bool is_of_slot = run->item == start->item && run->segment == start->segment && run->key == start->key;
        if (run->run > 0 && !run->is_known && (is_alone || is_of_slot))
                restore_end_unknown(e, now, job);
}

int restore_adopted(struct engine *e, struct clock_sample now, uint32_t job, const struct wire_start *start) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        int r = 0;
        if (start->run == cold->waiting.run) /* it was promised */
                cold->waiting.run = 0;
        end_replaced(e, now, job, start);
        bool has_waited = waiting_remove(e, job, start->item, start->segment, start->key);
        if (!has_waited && cold->waiting.is_slot && start->item == WIRE_ITEM_SCHEDULE) /* and so what waited has not run */
                slots_drop_waiting(e, now, job, SLOT_REASON_DOWN);
        if (start->item == WIRE_ITEM_RETRY)
                cold->retry.is_waiting = false; /* this is it */
        else
                retry_drop(e, now, job, SLOT_REASON_DEADLINE);
        if (start->item == WIRE_ITEM_BOOT)
                row->is_boot_done = true;
        cold->n_scheduled += start->item != WIRE_ITEM_TRIGGER && start->item != WIRE_ITEM_RETRY;
        cold->delay_bt_us = 0; /* it is that run, or counts from its end */
        if (start->item != WIRE_ITEM_SCHEDULE) {
                cold->missed_since_run = 0;
                return 0;
        }
        if (!has_waited && start->segment > row->segment)
                r = adopt_segment(e, now, job, start);
        if (!has_waited && start->segment == row->segment && start->key >= row->key) {
                if (r == 0 && plan_is_grid(engine_policy(e, row)))
                        r = pass_down(e, now, job, start->key - 1);
                else if (start->key > row->key)
                        slots_tell(e, job, SLOT_MISSED, SLOT_REASON_DOWN, row->segment, row->key, start->key - 1,
                                   start->slot_rt_us);
                row->key = start->key + 1;
                if (plan_is_grid(engine_policy(e, row)))
                        row->next_us = plan_follow(engine_policy(e, row), row->anchor_us, start->slot_us);
        }
        cold->missed_since_run = 0;
        cold->last_slot_us = start->slot_us;
        return r;
}

/* The slot of a run waits for another start. */
static void let_run_wait(struct engine *e, struct clock_sample now, uint32_t job, const struct job_run *run,
                         enum wire_item item, uint16_t attempt) {
        waiting_put_back(e, job,
                         &(struct job_waiting){
                                 .is_caught_up = run->cause == RUN_CAUSE_CATCH_UP,
                                 .item = item,
                                 .attempt = attempt,
                                 .segment = run->segment,
                                 .anchor_us = engine_row(e, job)->anchor_us,
                                 .key = run->key,
                                 .slot_us = registry_cold(&e->jobs, engine_row(e, job))->last_slot_us,
                                 .slot_rt_us = run->slot_rt_us,
                                 .due_bt_us = now.bt_us - (now.rt_us - run->slot_rt_us),
                                 .parent = run->parent,
                         });
        if (item == WIRE_ITEM_RETRY &&
            run->item == WIRE_ITEM_RETRY) /* a slot runs by itself: its trigger ended with the scheduler */
                passing_follow(e, job, run->run, PARCEL_OF_WAITING);
}

static void end_interrupted(struct engine *e, struct clock_sample now, const struct job_run *run) {
        struct wire_ended ended = {.run = run->run};
        ended.end = (struct run_end){
                .result = RUN_RESULT_INTERRUPTED,
                .exit_code = -1,
                .start_rt_us = run->start_rt_us,
                .start_bt_us = run->start_bt_us,
                .end_rt_us = now.rt_us,
                .end_bt_us = now.bt_us,
        };
        engine_ended(e, now, &ended);
}

/* The runner that is there does not know it: it has started and its end is not known; or it may have started; or, where the runner
 * would know, it never did, and its slot waits anew. */
void restore_end_unknown(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_run run = registry_cold(&e->jobs, engine_row(e, job))->run;
        const struct job_row *row = engine_row(e, job);
        bool is_past =
                run.item == WIRE_ITEM_TRIGGER || (run.item == WIRE_ITEM_BOOT && row->is_moved); /* this boot has its own */
        bool is_again = engine_policy(e, row)->is_interrupted_retried && !is_past;
        uint16_t next = run.attempt < UINT16_MAX ? run.attempt + 1 : run.attempt;
        if (run.is_told) {
                end_interrupted(e, now, &run);
                if (is_again)
                        let_run_wait(e, now, job, &run, WIRE_ITEM_RETRY, next);
                return;
        }
        engine_drop_run(e, job);
        if (run.item != WIRE_ITEM_TRIGGER && engine_knows_starts(e, row))
                let_run_wait(e, now, job, &run, run.item, run.attempt);
        else if (is_again)
                let_run_wait(e, now, job, &run, run.item, next);
        else if (run.item != WIRE_ITEM_TRIGGER && run.item != WIRE_ITEM_RETRY)
                slots_tell(e, job, SLOT_INTERRUPTED, SLOT_REASON_NONE, run.segment, run.key, run.key, run.slot_rt_us)
                        ->outcome.item = run.item;
        else if (run.item == WIRE_ITEM_RETRY && registry_cold(&e->jobs, row)->retry.attempt == run.attempt)
                retry_interrupt(e, now, job);
}

/* The first slot that waits may have been started by a runner that is gone. */
static bool is_maybe_started(const struct engine *e, const struct job_row *row, const struct job_cold *cold) {
        return !engine_knows_starts(e, row) && cold->waiting.attempt <= 1 && cold->waiting.key <= cold->claimed_key;
}

/* Of all that wait: what may have been started is interrupted, or gets its next attempt; and what came of an event of another boot is over. */
static void judge_line(struct engine *e, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        for (uint32_t n = waiting_count(cold); n > 0; n--) {
                struct job_waiting first = cold->waiting;
                bool is_maybe = is_maybe_started(e, row, cold);
                if (is_maybe && (first.is_past || !engine_policy(e, row)->is_interrupted_retried))
                        slots_tell_waiting(e, job, SLOT_INTERRUPTED, SLOT_REASON_NONE);
                else if (first.is_past)
                        slots_tell_waiting(e, job, SLOT_MISSED, SLOT_REASON_DOWN);
                else {
                        waiting_take(e, job);
                        first.attempt = is_maybe ? 2 : first.attempt;
                        waiting_put(e, job, &first);
                }
        }
}

int restore_waiting(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        judge_line(e, job);
        if (!cold->waiting.is_slot || engine_is_running(e, row))
                return 0;
        if (engine_has_plan(row) && !row->is_paused) /* its time had come while we were there: CatchUp= is not about it */
                return due_start_waiting(e, now, job);
        slots_drop_waiting(e, now, job,
                           row->is_paused      ? SLOT_REASON_PAUSED
                           : row->is_cancelled ? SLOT_REASON_CANCELLED
                                               : SLOT_REASON_DOWN);
        return 0;
}

/* The row's next slot may have been started, and starts once more. */
static void let_start_again(struct engine *e, struct clock_sample now, uint32_t job) {
        slots_let_wait(e, now, job);
        registry_cold(&e->jobs, engine_row(e, job))->waiting.attempt = 2;
}

/* Slots that may have been started before a death that the runner did not survive. */
static void pass_claimed(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *when) {
        struct job_row *row = engine_row(e, job);
        delay_restore(e, now, job);
        if (engine_knows_starts(e, row) || !row->was_planned || row->is_paused || !plan_exists(when))
                return;
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        int64_t now_us = engine_slot_now(when, now), until_us = cold->claimed_us;
        if (until_us > now_us)
                until_us = now_us;
        if (plan_is_grid(when)) {
                struct plan_grid grid = engine_grid(e, row, when);
                int64_t last = plan_last_due(&grid, until_us);
                if (last > cold->claimed_key)
                        last = cold->claimed_key;
                int64_t open = closed_last_open(e, row, last);
                bool is_again = when->is_interrupted_retried && open >= row->key && !cold->waiting.is_slot;
                slots_interrupt(e, now, job, is_again ? open - 1 : last);
                if (is_again)
                        let_start_again(e, now, job);
        } else if (row->next_us <= until_us && row->key <= cold->claimed_key) {
                if (when->is_interrupted_retried && !cold->waiting.is_slot)
                        let_start_again(e, now, job);
                else {
                        slots_tell(e, job, SLOT_INTERRUPTED, SLOT_REASON_NONE, row->segment, row->key, row->key,
                                   engine_slot_rt(e, when, row->next_us, now));
                        row->key++;
                }
                row->next_us = engine_next_delay(e, row, when, now.bt_us);
        }
}

void restore_close(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old) {
        struct job_row *row = engine_row(e, job);
        pass_claimed(e, now, job, old);
        if (row->was_planned && plan_is_grid(old)) {
                struct plan_grid grid = engine_grid(e, row, old);
                (void)pass_down(e, now, job, plan_last_due(&grid, engine_slot_now(old, now)));
        }
        slots_flush_merging(e, now, job, 0);
        row->is_restored = row->was_planned = row->is_moved = false;
}

void restore_settle(struct engine *e, struct clock_sample now) {
        for (uint32_t job = 0; job < e->jobs.n_rows; job++) {
                struct job_row *row = engine_row(e, job);
                if (!row->is_restored)
                        continue;
                const struct job_cold *cold = registry_cold(&e->jobs, row);
                while (waiting_remove(e, job, WIRE_ITEM_TRIGGER, 0, 0)) /* it goes with its promise */
                        ;
                slots_drop_promise(e, job, SLOT_REASON_DOWN);
                uint64_t unknown;
                while ((unknown = beside_unknown(e, cold)) > 0) {
                        if (beside_bring(e, job, unknown) < 0)
                                e->has_failed = true;
                        restore_end_unknown(e, now, job);
                }
                if (cold->run.run > 0 && !cold->run.is_known)
                        restore_end_unknown(e, now, job);
                retry_restore(e, now, job);
                if (!row->is_touched || row->is_removing) { /* its definition went while nobody looked */
                        restore_close(e, now, job, engine_policy(e, row));
                        row->is_paused = row->is_held; /* a group holds nobody who is gone */
                        slots_drop_waiting(e, now, job, SLOT_REASON_REMOVED);
                        retry_drop(e, now, job, SLOT_REASON_REMOVED);
                }
        }
}

/* ---- the plan ---- */

/* False where the data of its zone are others than those that the plan at hand was made with. */
static bool is_on_calendar(const struct job_row *row, const struct job_when *when) {
        return !when->agenda || (!row->has_other_data && (row->next_us == PATTERN_NEVER ||
                                                          plan_next(when, row->anchor_us, row->next_us - 1) == row->next_us));
}

void restore_plan(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old,
                  const struct job_when *when) {
        struct job_row *row = engine_row(e, job);
        bool is_moved = row->is_moved && !plan_is_wall(when), was_planned = row->was_planned;
        bool is_same = plan_is_same(old, when);
        if (!was_planned || !is_same || row->is_failed || !is_on_calendar(row, when)) {
                restore_close(e, now, job, old);
                if (row->is_failed)
                        row->is_held = row->is_paused = false;
                row->is_finished = row->is_finished && is_same;
                if (row->is_cancelled || row->is_finished || row->is_failed || !plan_exists(when))
                        return;
                if (row->segment == 0 && row->was != INDEX_NONE) /* it got its schedule while nobody looked */
                        segments_begin_known(e, now, job, when);
                if (row->segment == 0) {
                        segments_plan_first(e, now, job, when, false);
                        row->is_resumed = true;
                } else
                        segments_plan_next(e, now, job, old, when);
                return;
        }
        if (plan_is_grid(when) && !when->agenda)
                row->next_us = row->anchor_us + row->key * when->every_us;
        pass_claimed(e, now, job, when); /* before its delays are drawn anew */
        if (plan_exists(when) && is_moved)
                segments_begin(e, job);
        row->is_restored = row->was_planned = row->is_moved = false;
        row->is_resumed = true;
        if (plan_is_delay(when) && !engine_is_running(e, row) && row->next_us == INT64_MAX)
                row->next_us = engine_next_delay(e, row, when, now.bt_us);
}
