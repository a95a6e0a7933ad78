// SPDX-License-Identifier: MIT
// expect: ExpectWithin=: a job that had no good run for so long is overdue, and that is told once a day until it has one. Nobody is
// expected of a job that is held or over.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>

/* The last good end, or since when the job is there or goes on again. */
static int64_t counts_from(const struct job_row *row, const struct job_cold *cold) {
        bool is_known = cold && cold->good_bt_us != 0;
        return is_known && cold->good_bt_us > row->since_us ? cold->good_bt_us : row->since_us;
}

static bool is_expected(const struct engine *e, const struct job_row *row) {
        return engine_policy(e, row)->expect_within_us > 0 && engine_has_plan(row) && !row->is_paused && !row->is_restored;
}

bool expect_is_overdue(const struct engine *e, const struct job_row *row, int64_t *ret_since_bt_us) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        *ret_since_bt_us = counts_from(row, cold);
        return is_expected(e, row) && cold && cold->overdue_bt_us != 0;
}

void expect_arm(struct engine *e, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!is_expected(e, row)) {
                schedule_remove(&e->expects, job);
                return;
        }
        int64_t at_us = counts_from(row, cold) + engine_policy(e, row)->expect_within_us;
        if (cold && cold->overdue_bt_us != 0 && at_us > cold->overdue_bt_us) /* another span: then it was not */
                cold->overdue_bt_us = 0;
        if (cold && cold->overdue_bt_us != 0)
                at_us = cold->overdue_bt_us + ENGINE_REMIND_US;
        schedule_set(&e->expects, job, at_us);
}

/* What is told of the job's ExpectWithin=; for what the caller has to add. */
static struct action *emit_overdue(struct engine *e, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        struct action *a = engine_emit(e, ACTION_OVERDUE, job);
        a->overdue.since_rt_us = counts_from(row, cold) + e->offset_us;
        a->overdue.is_again = cold->overdue_bt_us != 0;
        return a;
}

int expect_due(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_cold *cold = registry_warm(&e->jobs, engine_row(e, job));
        if (!cold)
                return -ENOMEM;
        emit_overdue(e, job);
        if (cold->overdue_bt_us == 0)
                chains_event(e, now, job, RUN_EVENT_OVERDUE);
        cold->overdue_bt_us = now.bt_us;
        expect_arm(e, job);
        return 0;
}

void expect_good(struct engine *e, uint32_t job, int64_t end_bt_us) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (cold->overdue_bt_us != 0)
                emit_overdue(e, job)->overdue.is_over = true;
        cold->overdue_bt_us = 0;
        cold->good_bt_us = end_bt_us;
}

void expect_begin(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (!cold)
                return;
        cold->good_bt_us = now.bt_us;
        cold->overdue_bt_us = 0;
}
