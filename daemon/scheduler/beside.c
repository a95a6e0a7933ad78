// SPDX-License-Identifier: MIT
// beside: runs of Overlap=parallel. The plan looks at one run of its job, the latest; those before it are put aside here until they end.
// An end makes its run the one that is looked at, for the moment: all that follows from an end is written once.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t row_hash(const void *table, uint32_t row) {
        const struct beside *b = table;
        return index_hash_number(b->rows[row].run.run);
}

static bool row_equal(const void *table, uint32_t row, const void *wanted) {
        const struct beside *b = table;
        return b->rows[row].run.run == *(const uint64_t *)wanted;
}

void beside_done(struct beside *b) {
        free(b->rows);
        index_done(&b->by_run);
        *b = (struct beside){0};
}

const struct beside_row *beside_walk(const struct engine *e, uint32_t at) {
        return at > 0 ? &e->beside.rows[at - 1] : NULL;
}

bool beside_has_room(const struct engine *e, const struct job_row *row) {
        const struct job_when *when = engine_policy(e, row);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return when->overlap == JOB_OVERLAP_PARALLEL && cold && cold->n_beside + 1 < when->max_parallel &&
               !catch_up_is_open(e, row);
}

/* Room for one more, as row + 1 in b->free. 0, -ENOMEM. */
static int reserve_row(struct beside *b) {
        if (b->free > 0)
                return 0;
        if (b->n == b->allocated) {
                uint32_t n = b->allocated * 2 + 16;
                struct beside_row *rows = realloc(b->rows, n * sizeof(*rows));
                if (!rows)
                        return -ENOMEM;
                b->rows = rows;
                b->allocated = n;
        }
        b->rows[b->n] = (struct beside_row){0};
        b->free = ++b->n;
        return 0;
}

int beside_add(struct engine *e, uint32_t job, const struct job_run *run) {
        struct beside *b = &e->beside;
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        int r = reserve_row(b);
        if (r < 0)
                return r;
        uint32_t at = b->free - 1, free_after = b->rows[at].next;
        b->rows[at] = (struct beside_row){.job = job, .next = cold->beside, .run = *run};
        r = index_add(&b->by_run, index_hash_number(run->run), at, row_hash, b);
        if (r < 0) {
                b->rows[at] = (struct beside_row){.next = free_after};
                return r;
        }
        b->free = free_after;
        cold->beside = at + 1;
        cold->n_beside++;
        return 0;
}

int beside_put(struct engine *e, uint32_t job) {
        struct job_run run = registry_cold(&e->jobs, engine_row(e, job))->run;
        int r = beside_add(e, job, &run);
        if (r == 0)
                engine_lift_run(e, job);
        return r;
}

struct job_run *beside_find(struct engine *e, uint64_t run, uint32_t *ret_job) {
        uint32_t at = e->beside.by_run.n > 0
                              ? index_find(&e->beside.by_run, index_hash_number(run), row_equal, &e->beside, &run)
                              : INDEX_NONE;
        if (at == INDEX_NONE)
                return NULL;
        *ret_job = e->beside.rows[at].job;
        return &e->beside.rows[at].run;
}

/* Takes a run out of those that are aside. */
static struct job_run take(struct engine *e, uint64_t number) {
        struct beside *b = &e->beside;
        uint32_t at = index_find(&b->by_run, index_hash_number(number), row_equal, b, &number);
        struct job_run run = b->rows[at].run;
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, b->rows[at].job));
        uint32_t *link = &cold->beside;
        index_remove(&b->by_run, index_hash_number(number), at, row_hash, b);
        while (*link != at + 1)
                link = &b->rows[*link - 1].next;
        *link = b->rows[at].next;
        cold->n_beside--;
        b->rows[at] = (struct beside_row){.next = b->free};
        b->free = at + 1;
        return run;
}

int beside_bring(struct engine *e, uint32_t job, uint64_t number) {
        const struct job_row *row = engine_row(e, job);
        struct job_run run = take(e, number); /* its place is free for the other */
        int r = engine_is_running(e, row) ? beside_put(e, job) : 0;
        return r < 0 ? r : engine_put_run(e, job, &run);
}

void beside_settle(struct engine *e, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        if (!cold || cold->beside == 0 || cold->run.run > 0)
                return;
        if (cold->waiting.is_slot || cold->retry.is_waiting || cold->catch_up_bt_us > 0 || schedule_has(&e->parked, job))
                return; /* the plan waits for something else */
        beside_show(e, job);
}

void beside_show(struct engine *e, uint32_t job) {
        const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (cold->beside == 0 || cold->run.run > 0)
                return;
        uint32_t at = cold->beside; /* of the latest */
        for (uint32_t i = at; i > 0; i = e->beside.rows[i - 1].next)
                if (e->beside.rows[i - 1].run.run > e->beside.rows[at - 1].run.run)
                        at = i;
        if (beside_bring(e, job, e->beside.rows[at - 1].run.run) < 0)
                e->has_failed = true;
}

int beside_list(const struct engine *e, const struct job_cold *cold, struct job_run **ret, uint32_t *ret_n) {
        struct job_run *list = cold->n_beside > 0 ? malloc(cold->n_beside * sizeof(*list)) : NULL;
        uint32_t n = 0;
        if (cold->n_beside > 0 && !list)
                return -ENOMEM;
        for (const struct beside_row *row = beside_walk(e, cold->beside); row; row = beside_walk(e, row->next))
                list[n++] = row->run;
        *ret = list;
        *ret_n = n;
        return 0;
}

uint64_t beside_unknown(const struct engine *e, const struct job_cold *cold) {
        for (const struct beside_row *row = beside_walk(e, cold->beside); row; row = beside_walk(e, row->next))
                if (!row->run.is_known)
                        return row->run.run;
        return 0;
}

uint64_t beside_of_slot(const struct engine *e, const struct job_cold *cold, uint32_t segment, int64_t key) {
        for (const struct beside_row *row = beside_walk(e, cold->beside); row; row = beside_walk(e, row->next))
                if (!row->run.is_known && row->run.item == WIRE_ITEM_SCHEDULE && row->run.segment == segment &&
                    row->run.key == key)
                        return row->run.run;
        return 0;
}
