// SPDX-License-Identifier: MIT
// catch_up: passed slots that run late. They are not listed anywhere: they are those from the row's key on, whose plan stands still
// until the oldest has started. So the row of them costs nothing, survives a restart, and new slots join it by becoming due.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>

static bool is_all(const struct job_when *when) {
        return plan_is_grid(when) && when->catch_up == JOB_CATCH_UP_ALL;
}

bool catch_up_is_open(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!cold || !is_all(engine_policy(e, row)))
                return false;
        bool is_late_run = cold->run.run > 0 && cold->run.cause == RUN_CAUSE_CATCH_UP;
        bool is_late_slot = cold->waiting.is_slot && cold->waiting.is_caught_up;
        return is_late_run || is_late_slot || cold->catch_up_bt_us > 0;
}

/* The keys that passed while no scheduler was up, while the machine slept, and under a step of the clock. */
struct passed {
        int64_t down_last;
        int64_t slept_first, slept_last;
        int64_t stepped_first, stepped_last;
};

static struct passed sort_out(const struct engine *e, const struct job_row *row, const struct plan_grid *grid) {
        const struct job_when *when = engine_policy(e, row);
        struct passed p = {
                .down_last = row->key - 1,
                .slept_first = row->key,
                .slept_last = row->key - 1,
                .stepped_first = row->key,
                .stepped_last = row->key - 1,
        };
        if (row->is_resumed)
                p.down_last = plan_last_due(grid, engine_slot_now(when, e->resumed) - 1);
        if (engine_slot_now(when, e->woken) > engine_slot_now(when, e->asleep)) {
                p.slept_first = plan_last_due(grid, engine_slot_now(when, e->asleep)) + 1;
                p.slept_last = plan_last_due(grid, engine_slot_now(when, e->woken));
        }
        if (plan_is_wall(when) && e->stepped_to_us > e->stepped_from_us) {
                p.stepped_first = plan_last_due(grid, e->stepped_from_us) + 1;
                p.stepped_last = plan_last_due(grid, e->stepped_to_us);
        }
        return p;
}

/* The slots of a span, as far as `last`, are missed for a reason; those before it for `rest`. */
static int miss_span(struct engine *e, struct clock_sample now, uint32_t job, int64_t from, int64_t to, int64_t last,
                     enum slot_reason reason, enum slot_reason rest) {
        if (from > to)
                return 0;
        int r = slots_miss(e, now, job, duration_lower(from - 1, last), rest);
        return r < 0 ? r : slots_miss(e, now, job, duration_lower(to, last), reason);
}

/* The slots up to `last` are missed, each for what kept it; the others for `rest`. */
static int miss_passed(struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last,
                       enum slot_reason rest) {
        struct passed p = sort_out(e, engine_row(e, job), grid);
        int r = slots_miss(e, now, job, duration_lower(p.down_last, last), SLOT_REASON_DOWN);
        if (r == 0)
                r = miss_span(e, now, job, p.slept_first, p.slept_last, last, SLOT_REASON_SUSPENDED, rest);
        if (r == 0)
                r = miss_span(e, now, job, p.stepped_first, p.stepped_last, last, SLOT_REASON_CLOCK_STEP, rest);
        return r < 0 ? r : slots_miss(e, now, job, last, rest);
}

/* True if the ledger has it that the oldest of them may have been started. */
static bool is_oldest_claimed(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return e->has_ledger && row->is_written && cold && cold->is_claim_own && cold->claimed_key == row->key;
}

int64_t catch_up_room(const struct engine *e, const struct job_row *row, const struct plan_grid *grid) {
        int64_t room = (int64_t)engine_policy(e, row)->catch_up_max;
        return is_oldest_claimed(e, row) ? room + plan_count_before(grid, row->key + room, ENGINE_CLAIM_WAIT_US) + 1 : room;
}

/* Of the slots up to `last` the newest stay, as many as CatchUpMax= says; but the one that was claimed is not given up for those that
 * have come meanwhile. */
static int keep_newest(struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last,
                       enum slot_reason rest) {
        const struct job_row *row = engine_row(e, job);
        int64_t oldest = last - (int64_t)engine_policy(e, row)->catch_up_max;
        if (is_oldest_claimed(e, row))
                oldest -= plan_count_before(grid, last, ENGINE_CLAIM_WAIT_US);
        return oldest < row->key ? 0 : miss_passed(e, now, job, grid, oldest, rest);
}

bool catch_up_joins(struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last) {
        const struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!catch_up_is_open(e, row))
                return false;
        if (cold->catch_up_bt_us == 0)
                cold->catch_up_bt_us = now.bt_us; /* so it is known when the run has ended */
        (void)keep_newest(e, now, job, grid, last, SLOT_REASON_OVERLAP);
        return true;
}

bool catch_up_takes(const struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_when *when = engine_policy(e, row);
        if (!is_all(when))
                return false;
        if (last > row->key)
                return true;
        struct passed p = sort_out(e, row, grid);
        bool is_kept = last <= p.down_last || (last >= p.slept_first && last <= p.slept_last) ||
                       (last >= p.stepped_first && last <= p.stepped_last);
        return plan_due(grid, last) < engine_slot_now(when, now) && (is_kept || catch_up_is_open(e, row));
}

bool catch_up_waits(struct engine *e, struct clock_sample now, uint32_t job, int64_t key, int64_t longest_us) {
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = when->catch_up_spread_us > 0 ? registry_warm(&e->jobs, row) : registry_cold(&e->jobs, row);
        if (when->catch_up_spread_us > 0 && !cold)
                e->has_failed = true;
        if (!cold)
                return false;
        if (cold->catch_up_bt_us == 0) {
                cold->catch_up_bt_us = now.bt_us + duration_lower(engine_spread(e, row, when, key), longest_us);
                if (cold->catch_up_bt_us > now.bt_us)
                        slots_note_late(e, job);
        }
        return cold->catch_up_bt_us > now.bt_us;
}

void catch_up_change(struct engine *e, uint32_t job, const struct job_when *old, const struct job_when *when) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        bool is_same = old->catch_up == when->catch_up && old->catch_up_spread_us == when->catch_up_spread_us;
        if (!is_same && cold && cold->run.run == 0)
                cold->catch_up_bt_us = 0;
}

int catch_up_due(struct engine *e, struct clock_sample now, uint32_t job, const struct plan_grid *grid, int64_t last) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        int64_t now_us = engine_slot_now(when, now);
        int r = keep_newest(e, now, job, grid, last, SLOT_REASON_DEADLINE);
        if (r == 0 && when->start_deadline_us != JOB_DEADLINE_NEXT && when->start_deadline_us <= DURATION_MAX)
                r = slots_miss(e, now, job, duration_lower(plan_last_due(grid, now_us - when->start_deadline_us - 1), last),
                               SLOT_REASON_DEADLINE);
        if (r == 0)
                slots_pass_closed(e, now, job, last);
        if (r < 0 || row->key > last)
                return r;
        int64_t lag_us = now_us - plan_due(grid, row->key); /* 0: all others were too late */
        if (lag_us > 0 && catch_up_waits(e, now, job, row->key, INT64_MAX))
                return 0;
        if (!claims_permit(e, now, job, row->key))
                return 0;
        return slots_start_next(e, now, job, lag_us > 0 ? RUN_CAUSE_CATCH_UP : RUN_CAUSE_SCHEDULE, lag_us);
}

void catch_up_drop(struct engine *e, struct clock_sample now, uint32_t job, int64_t until_us, enum slot_reason reason) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!engine_has_plan(row) || row->is_paused || !cold)
                return;
        bool is_waiting = catch_up_is_open(e, row) || cold->catch_up_bt_us > 0;
        cold->catch_up_bt_us = 0;
        if (!is_waiting || !plan_is_grid(engine_policy(e, row)))
                return;
        struct plan_grid grid = engine_grid(e, row, engine_policy(e, row));
        int64_t last = plan_last_due(&grid, until_us);
        if (reason != SLOT_REASON_NONE)
                (void)slots_miss(e, now, job, last, reason);
        else
                (void)miss_passed(e, now, job, &grid, last, cold->run.run > 0 ? SLOT_REASON_OVERLAP : SLOT_REASON_DEADLINE);
        slots_flush_missed(e, now, job, false);
}
