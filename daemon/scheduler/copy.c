// SPDX-License-Identifier: MIT
// copy: a second engine that goes on as the first one would: jobs with their plans, holds, open ranges and runs in flight. It has no
// ledger behind it, so nothing of it waits for one. Rows and cold states are copied whole; a queue more needs a line in copy_queues().

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>
#include <string.h>

static int copy_limits(const struct engine *e, struct engine *copy) {
        int r = group_holds_copy(e, copy);
        if (r < 0)
                return r;
        copy->max_running = copy->next_max_running = e->max_running;
        return pools_begin_commit(copy) < 0 ? -ENOMEM : pools_end_commit(copy);
}

int engine_new_copy(const struct engine *e, struct engine **ret) {
        struct wire_hello hello = {.next_run = e->next_run, .is_synchronised = true, .epoch = 1};
        struct engine *copy;
        memcpy(hello.instance, e->instance, sizeof(hello.instance));
        int r = engine_new(&hello, &copy);
        if (r < 0)
                return r;
        memcpy(copy->seed, e->seed, sizeof(copy->seed));
        memcpy(copy->machine, e->machine, sizeof(copy->machine));
        copy->resumed = e->resumed;
        copy->asleep = e->asleep;
        copy->woken = e->woken;
        copy->stepped_from_us = e->stepped_from_us;
        copy->stepped_to_us = e->stepped_to_us;
        copy->offset_us = e->offset_us;
        r = copy_limits(e, copy);
        if (r < 0) {
                engine_free(copy);
                return r;
        }
        *ret = copy;
        return 0;
}

/* The policies of the row and, where another interval was set, of its definition. */
static int copy_policies(const struct engine *e, const struct job_row *from, struct engine *copy, struct job_row *to,
                         struct job_cold *cold) {
        uint32_t policy;
        int r = registry_intern(&copy->jobs, engine_policy(e, from), &to->when);
        if (r < 0 || !cold || cold->defined == 0)
                return r;
        r = registry_intern(&copy->jobs, registry_when(&e->jobs, cold->defined - 1), &policy);
        cold->defined = r == 0 ? policy + 1 : 0;
        return r;
}

static int copy_entry(const struct schedule *from, uint32_t job, struct schedule *to, uint32_t number) {
        int r = schedule_has(from, job) ? schedule_reserve(to, number) : 0;
        if (r == 0 && schedule_has(from, job))
                schedule_set(to, number, schedule_at(from, job));
        return r;
}

/* What it is told at an instant; the run in flight is found by its number. */
static int copy_queues(const struct engine *e, uint32_t job, struct engine *copy, uint32_t number, const struct job_run *run) {
        int r = engine_reserve(copy, number, engine_policy(copy, engine_row(copy, number)));
        if (r == 0)
                r = schedule_reserve(&copy->holds, number);
        if (r == 0)
                r = copy_entry(&e->at_boot, job, &copy->at_boot, number);
        if (r == 0)
                r = copy_entry(&e->at_wake, job, &copy->at_wake, number);
        if (r == 0)
                r = copy_entry(&e->retries, job, &copy->retries, number);
        if (r == 0 && run->run > 0)
                r = engine_begin_run(copy, number, run);
        if (r < 0)
                return r;
        commands_arm_hold(copy, number);
        slots_arm(copy, number);
        return 0;
}

void engine_copy_ties(struct engine *copy) {
        chains_commit(copy);
}

int engine_copy_job(const struct engine *e, uint32_t job, struct engine *copy, uint32_t *ret) {
        const struct job_row *from = &e->jobs.rows[job];
        const struct job_cold *cold = registry_cold(&e->jobs, from);
        struct job_run run = {0};
        uint32_t number;
        int r = registry_add(&copy->jobs, registry_name(&e->jobs, from), &number);
        if (r < 0)
                return r;
        struct job_row *to = engine_row(copy, number);
        uint32_t name = to->name;
        *to = *from;
        to->name = name;
        to->when = to->was = INDEX_NONE;
        to->cold = 0;
        to->is_touched = to->is_removing = to->is_parent = to->is_child = false;
        struct job_cold *copied = cold ? registry_warm(&copy->jobs, to) : NULL;
        if (cold && !copied)
                return -ENOMEM;
        if (cold) {
                run = cold->run;
                *copied = *cold;
                copied->run = (struct job_run){0};
                copied->line = NULL;
                copied->beside = copied->n_beside = 0;
                copied->condition = NULL;
                r = image_copy_line(cold->line, UINT32_MAX, &copied->line);
                copied->place = 0; /* it queues there when it is looked at */
        }
        if (r == 0)
                r = copy_policies(e, from, copy, to, copied);
        for (const struct beside_row *row = cold ? beside_walk(e, cold->beside) : NULL; r == 0 && row;
             row = beside_walk(e, row->next))
                r = beside_add(copy, number, &row->run);
        if (r == 0)
                r = copy_queues(e, job, copy, number, &run);
        if (r == 0)
                *ret = number;
        return r;
}
