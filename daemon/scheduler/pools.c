// SPDX-License-Identifier: MIT
// pools: MaxRunning= of groups and of all jobs together. A run takes its places when it begins, a job that needs one which is not there
// waits in the queue of places.c; its slot, or a trigger, waits in its cold state as behind a run. When places become free the next
// ones are granted theirs, which are their own from then on, however long the ledger takes to hear of the start. Newer slots of a job
// that waits take its turn over.
//
// A job's pools are those that its policy names, looked up when they are needed: nothing is kept of jobs that neither run nor wait.

#include "daemon/scheduler/engine_internal.h"

#define POOL_OF_ALL          0
#define POOL_OF_GROUP(group) ((group) + 1) /* a number of the table of groups */

/* Adds a pool to those before it, in their order. */
static size_t add_pool(const struct engine *e, uint32_t *pools, size_t n, uint32_t pool, bool is_limited) {
        size_t at = n;
        if (pool >= e->places.n_pools || (is_limited && e->places.pools[pool].max == 0))
                return n;
        for (; at > 0 && pools[at - 1] > pool; at--)
                pools[at] = pools[at - 1];
        pools[at] = pool;
        return n + 1;
}

/* The pools of a job, ascending: all, or those with a limit. */
static size_t find_pools(const struct engine *e, const struct job_row *row, bool is_limited,
                         uint32_t pools[static PLACES_POOLS_MAX]) {
        const struct ties *ties = engine_policy(e, row)->ties;
        size_t n = add_pool(e, pools, 0, POOL_OF_ALL, is_limited);
        for (size_t i = 0; ties && i < ties->n && ties->list[i].kind == TIE_MEMBER; i++) {
                uint32_t group = groups_find(&e->groups, ties->list[i].name);
                if (group != INDEX_NONE)
                        n = add_pool(e, pools, n, POOL_OF_GROUP(group), is_limited);
        }
        return n;
}

static struct places_waiter *waiter_of(const struct engine *e, const struct job_cold *cold) {
        return &e->places.waiters[cold->place - 1];
}

bool pools_is_queued(const struct engine *e, const struct job_cold *cold) {
        return cold->place > 0 && !waiter_of(e, cold)->is_granted;
}

/* Whoever's turn it is goes on; but for one job, which is being looked at. */
static void grant(struct engine *e, uint32_t self) {
        uint32_t waiter;
        while (!e->is_stopping && !e->holds_places && (waiter = places_grant(&e->places)) != INDEX_NONE)
                if (e->places.waiters[waiter].job != self)
                        slots_arm(e, e->places.waiters[waiter].job);
}

static void leave(struct engine *e, uint32_t job) {
        struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        uint32_t pools[PLACES_POOLS_MAX];
        if (waiter_of(e, cold)->is_granted)
                places_give(&e->places, pools, find_pools(e, engine_row(e, job), true, pools));
        places_leave(&e->places, cold->place - 1);
        cold->place = 0;
}

bool pools_queue(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_warm(&e->jobs, row);
        uint32_t pools[PLACES_POOLS_MAX], waiter;
        if (!cold) {
                e->has_failed = true;
                return true;
        }
        if (cold->place > 0)
                return waiter_of(e, cold)->is_granted;
        size_t n = find_pools(e, row, true, pools);
        if (n == 0)
                return true;
        /* one that an earlier scheduler let wait is as old as its slot */
        bool is_restored = e->holds_places && cold->waiting.is_slot && cold->waiting.awaits == JOB_AWAITS_POOL;
        int64_t since_us = is_restored && cold->waiting.due_bt_us < now.bt_us ? cold->waiting.due_bt_us : now.bt_us;
        if (places_wait(&e->places, job, pools, n, engine_policy(e, row)->priority, since_us, &waiter) < 0) {
                e->has_failed = true;
                return true;
        }
        cold->place = waiter + 1;
        grant(e, job);
        return waiter_of(e, cold)->is_granted;
}

int pools_let_wait(struct engine *e, struct clock_sample now, uint32_t job, const struct occasion *o) {
        const struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        if (o->item == WIRE_ITEM_TRIGGER)
                return 0;
        if (!waiting_has_room(e, row)) {
                slots_tell(e, job, SLOT_MISSED, SLOT_REASON_POOL, o->segment, o->key, o->key, o->slot_rt_us)->outcome.item =
                        o->item;
                return 0;
        }
        waiting_put(e, job,
                    &(struct job_waiting){
                            .awaits = JOB_AWAITS_POOL,
                            .item = o->item,
                            .attempt = o->attempt,
                            .is_caught_up = o->cause == RUN_CAUSE_CATCH_UP,
                            .segment = o->segment,
                            .anchor_us = o->anchor_us,
                            .key = o->key,
                            .slot_us = o->slot_us,
                            .slot_rt_us = o->slot_rt_us,
                            .due_bt_us = now.bt_us - o->lag_us,
                            .parent = o->parent,
                    });
        cold->delay_bt_us = 0; /* it counts from the run, or from when there will be none */
        return 0;
}

void pools_leave_idle(struct engine *e, uint32_t job) {
        const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        if (!cold || cold->place == 0)
                return;
        bool has_slot = cold->waiting.is_slot && cold->waiting.awaits == JOB_AWAITS_POOL;
        bool has_trigger = cold->waiting.is_trigger && cold->run.run == 0;
        if (has_slot || has_trigger || cold->retry.is_waiting)
                return;
        leave(e, job);
        grant(e, INDEX_NONE);
}

void pools_begin_run(struct engine *e, uint32_t job) {
        const struct job_row *row = engine_row(e, job);
        uint32_t pools[PLACES_POOLS_MAX];
        if (registry_cold(&e->jobs, row)->place > 0)
                leave(e, job);
        places_take(&e->places, pools, find_pools(e, row, false, pools));
}

void pools_end_run(struct engine *e, uint32_t job) {
        uint32_t pools[PLACES_POOLS_MAX];
        places_give(&e->places, pools, find_pools(e, engine_row(e, job), false, pools));
        grant(e, job);
}

/* ---- what a commit changes ---- */

static int set_limits(struct engine *e) {
        bool is_any = e->max_running > 0 || e->groups.by_name.n > 0;
        int r = is_any ? places_reserve(&e->places, (uint32_t)e->groups.n + 1) : 0;
        for (size_t i = 0; r == 0 && i < e->places.n_pools; i++) {
                const struct group *group = i > 0 && i <= e->groups.n ? &e->groups.list[i - 1] : NULL;
                e->places.pools[i].max = i == POOL_OF_ALL             ? e->max_running
                                         : group && group->is_defined ? group->max_running
                                                                      : 0;
        }
        return r;
}

/* Only runs in flight hold places, whoever started them, and be it more than there are. */
static void count_runs(struct engine *e) {
        uint32_t pools[PLACES_POOLS_MAX];
        for (size_t i = 0; i < e->places.n_pools; i++)
                e->places.pools[i].n_taken = 0;
        for (size_t i = 0; i < e->by_run.n_buckets; i++)
                if (e->by_run.bucket[i] > 0)
                        places_take(&e->places, pools, find_pools(e, engine_row(e, e->by_run.bucket[i] - 1), false, pools));
        for (uint32_t i = 0; i < e->beside.n; i++)
                if (e->beside.rows[i].run.run > 0)
                        places_take(&e->places, pools, find_pools(e, engine_row(e, e->beside.rows[i].job), false, pools));
}

static int move_waiters(struct engine *e) {
        uint32_t pools[PLACES_POOLS_MAX];
        int r = 0;
        for (uint32_t i = 0; r == 0 && i < e->places.n_waiters; i++) {
                const struct places_waiter *waiter = &e->places.waiters[i];
                if (waiter->job == INDEX_NONE)
                        continue;
                const struct job_row *row = engine_row(e, waiter->job);
                size_t n = find_pools(e, row, true, pools);
                r = places_move(&e->places, i, pools, n, engine_policy(e, row)->priority);
        }
        return r;
}

int pools_begin_commit(struct engine *e) {
        e->holds_places = true;
        return set_limits(e);
}

int pools_end_commit(struct engine *e) {
        count_runs(e);
        int r = move_waiters(e);
        e->holds_places = false;
        grant(e, INDEX_NONE);
        return r;
}

/* ---- what is asked ---- */

void engine_view_pool(const struct engine *e, uint32_t group, struct engine_pool *ret) {
        uint32_t pool = group == INDEX_NONE ? POOL_OF_ALL : POOL_OF_GROUP(group);
        *ret = (struct engine_pool){0};
        if (pool >= e->places.n_pools)
                return;
        ret->max_running = e->places.pools[pool].max;
        ret->n_running = e->places.pools[pool].n_taken;
        ret->n_waiting = places_count_waiting(&e->places, pool);
}

/* One of the pools that a job waits for is full; if none is, its first: a place of that is kept for another. */
static uint32_t find_full(const struct engine *e, const uint32_t *pools, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (e->places.pools[pools[i]].n_taken >= e->places.pools[pools[i]].max)
                        return pools[i];
        return pools[0];
}

/* Some of those who run in a pool. */
static void find_runners(const struct engine *e, uint32_t pool, struct engine_place *place) {
        uint32_t pools[PLACES_POOLS_MAX];
        for (size_t i = 0; i < e->by_run.n_buckets && place->n_runners < ENGINE_RUNNERS_TOLD; i++) {
                if (e->by_run.bucket[i] == 0)
                        continue;
                uint32_t job = e->by_run.bucket[i] - 1;
                size_t n = find_pools(e, &e->jobs.rows[job], true, pools);
                for (size_t k = 0; k < n; k++)
                        if (pools[k] == pool)
                                place->runners[place->n_runners++] = job;
        }
}

bool engine_view_place(const struct engine *e, uint32_t job, struct engine_place *ret) {
        const struct job_row *row = &e->jobs.rows[job];
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        uint32_t pools[PLACES_POOLS_MAX];
        if (!cold || !pools_is_queued(e, cold))
                return false;
        size_t n = find_pools(e, row, true, pools);
        if (n == 0)
                return false;
        uint32_t pool = find_full(e, pools, n);
        struct engine_place place = {
                .group = pool == POOL_OF_ALL ? NULL : e->groups.list[pool - 1].name,
                .is_full = e->places.pools[pool].n_taken >= e->places.pools[pool].max,
                .n_before = places_count_before(&e->places, cold->place - 1),
                .since_bt_us = waiter_of(e, cold)->since_us,
                .until_bt_us = cold->waiting.is_slot ? waiting_wake(e, job) : INT64_MAX,
        };
        engine_view_pool(e, pool == POOL_OF_ALL ? INDEX_NONE : pool - 1, &place.pool);
        find_runners(e, pool, &place);
        *ret = place;
        return true;
}
