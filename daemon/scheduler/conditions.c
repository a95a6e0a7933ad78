// SPDX-License-Identifier: MIT
// conditions: runs whose conditions the runner is asked about. Until it says that the program was reached, the slot has no outcome and
// nothing was merged into it; where a condition does not hold, the start is undone, and the slot is withheld or waits to be asked again.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ASK_FIRST_US USEC_PER_SEC /* the wait doubles with the time that has passed, */
#define ASK_LAST_US  USEC_PER_MINUTE

bool conditions_are_asked(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return engine_policy(e, row)->has_conditions && !(cold && cold->waiting.is_forced);
}

static bool has_slot(const struct job_run *run) {
        return wire_item_is_slot(run->item);
}

void conditions_hold(struct engine *e, struct clock_sample now, uint32_t job, struct job_run *run) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (run->is_asked) {
                free(cold->condition);
                cold->condition = NULL;
        }
        bool was_open = run->is_open;
        run->is_asked = run->is_open = false;
        if (!was_open)
                return;
        if (cold->merging.is_open)
                slots_flush_merging(e, now, job, run->run);
        slots_tell_ran(e, job, run);
}

/* ---- one that does not hold ---- */

static void remember(struct job_cold *cold, const char *condition) {
        free(cold->condition);
        cold->condition = *condition ? strdup(condition) : NULL; /* without memory it is not named */
}

/* When its slot was due; of a run that an earlier scheduler began, without the delay drawn. */
static int64_t due_at(const struct job_when *when, const struct job_run *run, struct clock_sample now) {
        if (run->begun_bt_us > 0)
                return run->begun_bt_us - run->lag_us;
        bool is_wall = run->item == WIRE_ITEM_SCHEDULE && plan_is_wall(when);
        bool is_known = !is_wall && run->slot_us <= now.bt_us; /* else its plan was another then, on the wall clock */
        return is_known ? run->slot_us : now.bt_us - (now.rt_us - run->slot_rt_us);
}

/* ConditionWait= of the run in flight counts from here: of an attempt after the first, from when it was first asked for. */
static int64_t waits_since(const struct job_when *when, const struct job_cold *cold, struct clock_sample now) {
        const struct job_run *run = &cold->run;
        if (!retry_is_of(cold, run))
                return due_at(when, run, now);
        return cold->retry.refused_bt_us != 0 ? cold->retry.refused_bt_us : run->begun_bt_us > 0 ? run->begun_bt_us : now.bt_us;
}

/* A job that was restored has no definition until the first commit. */
static bool is_gone(const struct job_row *row) {
        return row->state == JOB_STATE_REMOVED && !row->is_restored;
}

bool conditions_undo(const struct job_run *run, const struct run_end *end) {
        if (end->result == RUN_RESULT_CONDITION)
                return run->is_asked;
        return run->is_open && run->attempt <= 1 && !run->is_ending && retry_is_short(end);
}

/* Why the run in flight will not be asked again; NONE: it will. A pause does not keep an attempt of a slot that has run. */
static enum slot_reason find_reason(const struct engine *e, struct clock_sample now, uint32_t job, bool is_short) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        const struct job_when *when = engine_policy(e, row);
        bool is_attempt = retry_is_of(cold, &cold->run), is_of_slot = is_attempt || has_slot(&cold->run);
        if (is_gone(row) || row->is_removing)
                return SLOT_REASON_REMOVED;
        /* a trigger with other parameters waits, and takes none along that has its own */
        bool has_own = is_attempt || cold->run.is_promised || parcels_find(&e->parcels, job, cold->run.run);
        if (has_own && passing_clashes(e, job, cold->run.run, cold->waiting.run))
                return is_short ? SLOT_REASON_RESOURCES : SLOT_REASON_CONDITION;
        if (cold->waiting.is_forced)
                return SLOT_REASON_NONE;
        if (cold->run.item == WIRE_ITEM_RETRY && (!is_attempt || cold->waiting.is_slot)) /* something else waits */
                return SLOT_REASON_DEADLINE;
        if (cold->run.is_ending) /* by a command, or a later slot takes its place */
                return when->overlap == JOB_OVERLAP_REPLACE && cold->waiting.is_slot ? SLOT_REASON_OVERLAP
                                                                                     : SLOT_REASON_CANCELLED;
        if (is_of_slot && row->state == JOB_STATE_DISABLED)
                return SLOT_REASON_DISABLED;
        if (is_of_slot && row->is_cancelled)
                return SLOT_REASON_CANCELLED;
        if (has_slot(&cold->run) && row->is_paused)
                return SLOT_REASON_PAUSED;
        if (is_short)
                return SLOT_REASON_NONE;
        if (when->condition_wait_us == 0)
                return SLOT_REASON_CONDITION;
        return now.bt_us - waits_since(when, cold, now) >= when->condition_wait_us ? SLOT_REASON_CONDITION_WAIT
                                                                                   : SLOT_REASON_NONE;
}

/* When they are asked again. */
static int64_t next_asking(int64_t since_bt_us, struct clock_sample now) {
        int64_t wait_us = now.bt_us - since_bt_us;
        if (wait_us < ASK_FIRST_US)
                wait_us = ASK_FIRST_US;
        if (wait_us > ASK_LAST_US)
                wait_us = ASK_LAST_US;
        return now.bt_us + wait_us;
}

static void let_wait(struct engine *e, struct clock_sample now, uint32_t job, const struct job_run *run, bool is_short) {
        const struct job_when *when = engine_policy(e, engine_row(e, job));
        int64_t due_bt_us = due_at(when, run, now);
        waiting_put_back(
                e, job,
                &(struct job_waiting){
                        .awaits = is_short ? JOB_AWAITS_RETRY : JOB_AWAITS_CONDITION,
                        .from_bt_us = is_short ? now.bt_us + retry_short_delay(run->n_short) : next_asking(due_bt_us, now),
                        .until_bt_us = is_short ? 0 : due_bt_us + when->condition_wait_us,
                        .until_reason = is_short ? SLOT_REASON_RESOURCES : SLOT_REASON_CONDITION_WAIT,
                        .n_short = (uint16_t)(is_short ? run->n_short + 1 : 0),
                        .is_caught_up = run->cause == RUN_CAUSE_CATCH_UP,
                        .item = run->item,
                        .attempt = run->attempt,
                        .segment = run->segment,
                        .anchor_us = run->anchor_us,
                        .key = run->key,
                        .slot_us = run->slot_us,
                        .slot_rt_us = run->slot_rt_us,
                        .due_bt_us = due_bt_us,
                        .parent = run->parent,
                });
}

/* The same for an attempt after the first; at the end of its time it is asked for once more. */
static void let_attempt_wait(struct engine *e, struct clock_sample now, uint32_t job, int64_t since_bt_us) {
        int64_t at_us = next_asking(since_bt_us, now);
        int64_t last_us = since_bt_us + engine_policy(e, engine_row(e, job))->condition_wait_us;
        retry_put_back(e, job, since_bt_us, at_us < last_us ? at_us : last_us);
}

/* Who was told of a run that will be asked for again is told of that. */
static void keep_promise(struct engine *e, uint32_t job, const struct job_run *run) {
        struct job_waiting *waiting = &registry_cold(&e->jobs, engine_row(e, job))->waiting;
        bool has_own = parcels_find(&e->parcels, job, run->run);
        if ((run->is_promised || has_own) && waiting->run == 0)
                waiting->run = engine_take_run_number(e);
        passing_follow(e, job, run->run, waiting->run);
        waiting->is_trigger = waiting->is_trigger || waiting->is_forced;
}

/* What the start had taken over is given back. */
static void undo_start(struct job_cold *cold) {
        cold->missed_since_run += cold->run.missed;
        cold->n_scheduled -= has_slot(&cold->run) && cold->n_scheduled > 0;
}

int conditions_refused(struct engine *e, struct clock_sample now, uint32_t job, const struct wire_ended *ended,
                       int64_t end_bt_us) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        engine_note_offset(e, now);
        commands_settle_hold(e, now, job);
        remember(cold, ended->condition);
        undo_start(cold);
        struct job_run run = cold->run;
        bool is_attempt = retry_take_up(cold, end_bt_us), is_short = ended->end.result != RUN_RESULT_CONDITION;
        enum slot_reason reason = find_reason(e, now, job, is_short);
        bool is_asked_again = reason == SLOT_REASON_NONE;
        int64_t since_bt_us = waits_since(when, cold, now);
        cold->run.is_ending = true;
        if (!is_asked_again && has_slot(&run))
                slots_tell(e, job, slot_outcome_of(reason), reason, run.segment, run.key, run.key, run.slot_rt_us)
                        ->outcome.item = run.item;
        if (row->is_paused || !beside_has_room(e, row))
                slots_pass(e, now, job, engine_slot_now(when, now) - (now.bt_us - end_bt_us) - 1);
        slots_flush_missed(e, now, job, false);
        if (!is_asked_again && !is_attempt)
                slots_flush_merging(e, now, job, 0);
        engine_drop_run(e, job);
        if (cold->ended_run < ended->run)
                cold->ended_run = ended->run;
        if (plan_is_delay(when) && (row->state != JOB_STATE_NEW || row->is_restored))
                row->next_us = is_asked_again ? INT64_MAX : engine_next_delay(e, row, when, end_bt_us);
        if (is_attempt) {
                let_attempt_wait(e, now, job, since_bt_us);
                passing_follow(e, job, run.run, cold->retry.run);
        } else if (is_asked_again)
                let_wait(e, now, job, &run, is_short);
        if (is_asked_again) /* delays count from its run, or from when it is given up */
                keep_promise(e, job, &run);
        else
                delay_begin(e, job, end_bt_us);
        struct action *a = engine_emit(e, ACTION_REFUSED, job);
        a->run.run = run;
        a->run.end = ended->end;
        a->run.is_final = !is_asked_again && !has_slot(&run) && !is_attempt;
        a->run.is_asked_again = is_asked_again;
        a->run.is_short = is_short;
        a->run.is_quiet = is_short && run.n_short > 0;
        a->run.next_run = is_asked_again ? cold->waiting.run : 0;
        if (is_attempt && !is_asked_again)
                retry_drop(e, now, job, reason);
        if (!row->is_restored && !e->is_stopping && due_start_waiting(e, now, job) < 0)
                e->has_failed = true;
        slots_arm(e, job);
        if (is_gone(row))
                segments_forget_removed(e, job);
        return 0;
}

const char *engine_condition(const struct engine *e, uint32_t job) {
        const struct job_cold *cold = registry_cold(&e->jobs, &e->jobs.rows[job]);
        return cold ? cold->condition : NULL;
}
