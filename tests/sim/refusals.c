// SPDX-License-Identifier: MIT
// refusals: the world knows from the start of a run whether it will be refused; what was refused is kept here until it is asked again or told.

#include "tests/sim/refusals.h"

#include <errno.h>
#include <string.h>

#include "daemon/scheduler/plan.h"

#define ASK_FIRST_US USEC_PER_SEC
#define ASK_LAST_US  USEC_PER_MINUTE

bool refusals_are_refused(const struct world_job *job) {
        return job->start.asks_conditions && job->end.result == RUN_RESULT_CONDITION;
}

bool refusals_are_next(const struct world_job *job) {
        return refusals_are_refused(job) || job->end.result == RUN_RESULT_START_FAILED;
}

/* ---- what waits ---- */

static bool is_same(const struct wire_start *a, const struct wire_start *b) {
        return a->item == b->item && a->segment == b->segment && a->key == b->key && a->parent.run == b->parent.run &&
               (a->item == WIRE_ITEM_SCHEDULE || a->slot_rt_us == b->slot_rt_us);
}

static struct world_pending *find(struct world_job *job, const struct wire_start *start) {
        for (size_t i = 0; i < job->n_pending; i++)
                if (is_same(&job->pending[i].start, start))
                        return &job->pending[i];
        return NULL;
}

static void drop(struct world_job *job, struct world_pending *pending) {
        size_t at = (size_t)(pending - job->pending);
        memmove(pending, pending + 1, (--job->n_pending - at) * sizeof(*pending));
}

bool refusals_have(const struct world_job *job, const struct wire_start *start) {
        return find((struct world_job *)job, start);
}

void refusals_adopt(struct world_job *job, const struct wire_start *start) {
        struct world_pending *pending = find(job, start);
        if (pending)
                drop(job, pending);
}

void refusals_forget(struct world_job *job) {
        job->n_pending = 0;
}

void refusals_drop_trigger(struct world_job *job) {
        for (size_t i = job->n_pending; i > 0; i--)
                if (job->pending[i - 1].start.item == WIRE_ITEM_TRIGGER)
                        drop(job, &job->pending[i - 1]);
}

void refusals_drop_attempt(struct world_job *job, const struct job_retry *retry) {
        struct world_pending *pending = find(job, &(struct wire_start){
                                                          .item = WIRE_ITEM_RETRY,
                                                          .segment = retry->segment,
                                                          .key = retry->key,
                                                          .slot_rt_us = retry->slot_rt_us,
                                                          .parent = retry->parent,
                                                  });
        if (pending)
                drop(job, pending);
}

/* ---- starts ---- */

void refusals_check_start(struct world *w, struct world_job *job, const struct wire_start *start) {
        struct world_pending *pending = find(job, start);
        unsigned long long run = start->run;
        /* within a commit it is not known here which definition is in force */
        bool may_ask = job->when.has_conditions || job->committed.has_conditions;
        bool must_ask = job->when.has_conditions && job->committed.has_conditions && !job->is_forced;
        if (start->asks_conditions && !may_ask)
                world_fail(w, "%s: run %llu asks for conditions that there are not", job->name, run);
        if (!start->asks_conditions && must_ask)
                world_fail(w, "%s: run %llu does not ask for its conditions", job->name, run);
        bool is_hurried = w->is_triggering || start->run == job->promised || job->is_forced;
        if (pending && w->now.bt_us < pending->from_us && !is_hurried)
                world_fail(w, "%s: run %llu asks again %lld us too early", job->name, run,
                           (long long)(pending->from_us - w->now.bt_us));
        if (pending)
                drop(job, pending);
        job->is_forced = false;
}

/* ---- refusals ---- */

static void let_wait(struct world *w, struct world_job *job, const struct wire_start *start, int64_t from_us,
                     bool is_condition) {
        if (job->n_pending == WORLD_PENDING) {
                world_fail(w, "%s: too much waits for its conditions", job->name);
                return;
        }
        memmove(&job->pending[1], &job->pending[0], job->n_pending++ * sizeof(job->pending[0]));
        job->pending[0] = (struct world_pending){*start, from_us, w->now.bt_us + ASK_LAST_US, is_condition};
}

/* A trigger goes with a death, what came of an event with a boot. */
static void recall(struct world *w, struct world_job *job, const struct job_waiting *slot) {
        bool is_past = slot->item == WIRE_ITEM_TRIGGER || (job->is_moved && slot->item != WIRE_ITEM_SCHEDULE);
        if (!slot->is_slot || slot->until_reason == SLOT_REASON_NONE || is_past)
                return;
        struct wire_start start = {
                .item = slot->item,
                .segment = slot->segment,
                .key = slot->key,
                .slot_rt_us = slot->slot_rt_us,
                .parent = slot->parent,
        };
        let_wait(w, job, &start, INT64_MIN, slot->until_reason == SLOT_REASON_CONDITION_WAIT);
}

void refusals_recall(struct world *w, struct world_job *job, const struct job_image *image) {
        for (uint32_t i = image->n_line; i > 0; i--)
                recall(w, job, &image->line->slots[i - 1]);
        recall(w, job, &image->waiting);
}

/* As if the engine had forgotten what it is to ask for again. */
static void plant_loss(struct world *w, uint32_t job) {
        const struct registry *g = engine_registry(w->engine);
        struct job_cold *cold = registry_cold(g, &g->rows[job]);
        if (cold->waiting.is_slot && cold->waiting.awaits == JOB_AWAITS_CONDITION)
                cold->waiting.is_slot = false;
}

void refusals_note(struct world *w, struct world_job *job, const struct action *a) {
        const struct job_run *run = &a->run.run;
        unsigned long long number = run->run;
        bool is_right = a->run.is_short ? a->run.end.error == EAGAIN && wire_item_is_slot(run->item)
                                        : job->ending.asks_conditions && a->run.end.result == RUN_RESULT_CONDITION;
        if (job->ending.run != run->run || !is_right)
                world_fail(w, "%s: run %llu is undone, and was not refused", job->name, number);
        job->missed_since_run += run->missed;
        if (run->item == WIRE_ITEM_BOOT)
                job->is_boot_started = false;
        job->started_slot_rt_us = 0;
        if (run->item == WIRE_ITEM_RETRY && !a->run.is_final) { /* it is still to come, or is given up now */
                job->next_attempt = run->attempt;
                job->next_attempt_us = w->now.bt_us;
        }
        if (!a->run.is_asked_again)
                return;
        if (a->run.is_short) /* it may have begun late, and wait as long as its deadline says */
                job->may_wait = true;
        if (job->when.condition_wait_us == 0 && !job->is_forced && !a->run.is_short)
                world_fail(w, "%s: run %llu waits for its conditions, without ConditionWait=", job->name, number);
        /* an attempt is asked for once more at the end of its time */
        let_wait(w, job, &job->ending, w->now.bt_us + (run->item == WIRE_ITEM_RETRY ? 0 : ASK_FIRST_US), !a->run.is_short);
        if (a->run.next_run > 0)
                job->promised = a->run.next_run;
        else if (run->item == WIRE_ITEM_TRIGGER)
                world_fail(w, "%s: a trigger waits, and was promised nothing", job->name);
        if (w->planted == 15)
                plant_loss(w, a->job);
}

/* ---- outcomes ---- */

/* Withheld or missed for a condition: one has just been refused, and there was a wait or none. */
static void check_reason(struct world *w, const struct world_job *job, const struct action *a) {
        long long first = a->outcome.first;
        bool is_wait = a->outcome.reason == SLOT_REASON_CONDITION_WAIT;
        if ((a->outcome.reason != SLOT_REASON_CONDITION && !is_wait) || a->outcome.is_again)
                return;
        bool is_refused = job->ending.run > 0 && job->ending.item == a->outcome.item && job->ending.key == first;
        if (a->outcome.n != 1)
                world_fail(w, "%s: slots %lld..%lld lack a condition", job->name, first, (long long)a->outcome.last);
        if (!is_wait && (!is_refused || job->when.condition_wait_us > 0))
                world_fail(w, "%s: slot %lld is withheld, and was not refused, or may wait", job->name, first);
        int64_t late_us = w->now.rt_us - a->outcome.first_rt_us;
        bool is_next_due = plan_is_grid(&job->when) && job->when.start_deadline_us == JOB_DEADLINE_NEXT;
        if (is_wait && w->n_steps == 0 && !is_next_due && late_us < job->when.condition_wait_us)
                world_fail(w, "%s: slot %lld is given up after %lld us", job->name, first, (long long)late_us);
}

void refusals_check_outcome(struct world *w, struct world_job *job, const struct action *a) {
        check_reason(w, job, a);
        for (size_t i = job->n_pending; i > 0; i--) {
                const struct wire_start *start = &job->pending[i - 1].start;
                bool is_plan = start->item == WIRE_ITEM_SCHEDULE;
                if (start->item == a->outcome.item && start->segment == a->outcome.segment &&
                    (is_plan ? start->key >= a->outcome.first && start->key <= a->outcome.last
                             : start->slot_rt_us == a->outcome.first_rt_us))
                        drop(job, &job->pending[i - 1]);
        }
}

bool refusals_are_awaited(struct world *w, const struct world_job *job) {
        if (job->n_pending == 0)
                return false;
        const struct world_pending *first = &job->pending[0];
        int64_t late_us = w->now.rt_us - first->start.slot_rt_us;
        if (w->now.bt_us > first->until_us)
                world_fail(w, "%s: slot %lld, whose conditions did not hold, is not asked again", job->name,
                           (long long)first->start.key);
        if (w->n_steps == 0 && first->is_condition && first->start.item != WIRE_ITEM_RETRY &&
            late_us > job->wait_bound_us + job->draw_bound_us)
                world_fail(w, "%s: slot %lld waits for its conditions for %lld us", job->name, (long long)first->start.key,
                           (long long)late_us);
        return true;
}
