// SPDX-License-Identifier: MIT
// delay: a fixed delay beside calendars. The calendars are the job's plan; the delay is one instant more, which each run moves: it is
// a slot once it has come, and leaves no trace else. Alone, a fixed delay is the plan itself and not looked at here.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>

/* A wall-clock instant on the delay's clock. */
static int64_t to_bt(const struct engine *e, int64_t rt_us) {
        return rt_us - e->offset_us;
}

/* Sets it, but for what lies before NotBefore=. */
static void set_delay(const struct engine *e, struct job_cold *cold, const struct job_when *when, int64_t at_us) {
        int64_t first_us = when->not_before_us > 0 ? to_bt(e, when->not_before_us) : at_us;
        cold->delay_bt_us = at_us > first_us ? at_us : first_us;
        if (cold->delay_bt_us == 0) /* means none; before this boot it is negative */
                cold->delay_bt_us = 1;
}

void delay_begin(struct engine *e, uint32_t job, int64_t from_bt_us) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (plan_has_delay(when) && cold)
                set_delay(e, cold, when, from_bt_us + engine_wait(e, row, when));
}

void delay_reopen(struct engine *e, struct clock_sample now, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        int64_t open_rt_us = closed_opens_at(e, engine_policy(e, row), now.rt_us);
        registry_cold(&e->jobs, row)->delay_bt_us = open_rt_us == INT64_MAX ? 0 : to_bt(e, open_rt_us);
}

/* It goes on if its interval has not changed, counts from the last end else, and nothing is due because of that; a name that was never
 * seen begins. */
int delay_plan(struct engine *e, struct clock_sample now, uint32_t job, const struct job_when *old, enum delay_past past) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        bool is_planned = plan_has_delay(when) && engine_has_plan(row);
        if (!is_planned && cold)
                cold->delay_bt_us = 0;
        if (!is_planned)
                return 0;
        cold = registry_warm(&e->jobs, engine_row(e, job));
        if (!cold)
                return -ENOMEM;
        bool is_same = old && plan_has_delay(old) && old->every_us == when->every_us;
        if (engine_is_busy(e, row) || (is_same && (cold->delay_bt_us != 0 || row->is_paused)))
                return 0;
        if (is_same && past == DELAY_PAST_RESTORED) { /* its run was lost */
                delay_begin(e, job, now.bt_us);
                return 0;
        }
        int64_t next_us = cold->end_bt_us > 0 ? cold->end_bt_us + when->every_us : row->since_us + when->initial_delay_us;
        bool may_be_due = past == DELAY_PAST_NEW || (is_same && past == DELAY_PAST_RECALLED);
        if (next_us <= now.bt_us && !may_be_due)
                next_us += ((now.bt_us - next_us) / when->every_us + 1) * when->every_us;
        set_delay(e, cold, when, next_us);
        return 0;
}

bool delay_is_awaited(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && cold->delay_bt_us != 0 && cold->run.run == 0 && engine_has_plan(row) && !row->is_restored;
}

void delay_arm(struct engine *e, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        if (delay_is_awaited(e, row) && !schedule_has(&e->parked, job))
                schedule_set(&e->at_delay, job, registry_cold(&e->jobs, row)->delay_bt_us);
        else if (e->at_delay.n > 0)
                schedule_remove(&e->at_delay, job);
}

bool delay_is_over(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!plan_has_delay(when))
                return true;
        if (engine_is_running(e, row) || !cold || !e->is_clock_trusted)
                return false;
        return when->until_us < INT64_MAX && cold->delay_bt_us > to_bt(e, when->until_us);
}

/* The runner did not survive, and the delay was over below the horizon: it may have been started. */
void delay_restore(struct engine *e, struct clock_sample now, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (engine_knows_starts(e, row) || !plan_has_delay(when) || cold->delay_bt_us == 0 || row->is_paused ||
            !row->was_planned)
                return;
        int64_t slot_rt_us = cold->delay_bt_us + e->offset_us;
        if (slot_rt_us > cold->claimed_us || cold->delay_bt_us > now.bt_us)
                return;
        slots_tell(e, job, SLOT_INTERRUPTED, SLOT_REASON_NONE, 0, 0, 0, slot_rt_us)->outcome.item = WIRE_ITEM_DELAY;
        delay_begin(e, job, now.bt_us);
}
