// SPDX-License-Identifier: MIT

#include "tests/sim/pools.h"

#include <stdlib.h>
#include <string.h>

void world_group(struct world *w, const char *name, uint32_t max_running) {
        for (size_t i = 0; i < w->n_groups; i++)
                if (strcmp(w->groups[i].name, name) == 0) {
                        w->groups[i].next_max = max_running;
                        return;
                }
        if (w->n_groups == WORLD_GROUPS)
                abort();
        w->groups[w->n_groups++] = (struct world_group){.name = name, .next_max = max_running};
}

void pools_tell(struct world *w) {
        engine_set_max_running(w->engine, w->next_max_running);
        for (size_t i = 0; i < w->n_groups; i++)
                if (engine_define_group(w->engine, w->groups[i].name, NULL, w->groups[i].next_max) < 0)
                        abort();
}

void pools_put_in_force(struct world *w) {
        w->max_running = w->next_max_running;
        for (size_t i = 0; i < w->n_jobs; i++)
                w->jobs[i].may_await_place |= w->max_running > 0;
        for (size_t i = 0; i < w->n_groups; i++)
                w->groups[i].max_running = w->groups[i].next_max;
}

void pools_begin_anew(struct world *w) {
        pools_tell(w);
        pools_put_in_force(w);
        w->settled_us = INT64_MIN / 2;
        for (size_t i = 0; i < w->n_jobs; i++)
                w->jobs[i].waits_since_us = INT64_MIN;
}

/* Pool 0 is that of all jobs, the others are groups. */
static uint32_t limit_of(const struct world *w, size_t pool) {
        return pool == 0 ? w->max_running : w->groups[pool - 1].max_running;
}

static bool is_in(const struct world *w, const struct world_job *job, size_t pool) {
        const struct ties *ties = job->committed.ties;
        if (pool == 0 || limit_of(w, pool) == 0)
                return limit_of(w, pool) > 0;
        for (size_t i = 0; ties && i < ties->n; i++)
                if (ties->list[i].kind == TIE_MEMBER && strcmp(ties->list[i].name, w->groups[pool - 1].name) == 0)
                        return true;
        return false;
}

/* Of removed jobs nobody may remember where they belonged. */
static uint32_t count_running(const struct world *w, size_t pool, bool has_removed) {
        uint32_t n = 0;
        for (size_t i = 0; i < w->n_jobs; i++)
                if ((has_removed || w->jobs[i].is_committed) && is_in(w, &w->jobs[i], pool))
                        n += w->jobs[i].is_running + (uint32_t)w->jobs[i].n_others;
        return n;
}

static bool get_place(const struct world *w, const struct world_job *job, struct engine_place *ret) {
        uint32_t number = engine_find_job(w->engine, job->name);
        return number != INDEX_NONE && engine_view_place(w->engine, number, ret);
}

bool pools_are_awaited(const struct world *w, const char *name) {
        struct engine_place place;
        uint32_t number = engine_find_job(w->engine, name);
        return number != INDEX_NONE && engine_view_place(w->engine, number, &place);
}

/* True if all pools of one are pools of the other. */
static bool is_within(const struct world *w, const struct world_job *one, const struct world_job *other) {
        for (size_t pool = 0; pool <= w->n_groups; pool++)
                if (is_in(w, one, pool) && !is_in(w, other, pool))
                        return false;
        return true;
}

/* Who waits for no other place than one that starts, and for longer, or is more urgent, would have been the one to start. */
static void check_order(struct world *w, const struct world_job *job) {
        int64_t ledger_us = w->store ? ENGINE_CLAIM_WAIT_US + ENGINE_CLAIM_GAP_US : 0; /* its turn may have come before */
        int64_t before_us = w->settled_us - ledger_us; /* who came later may have come after that */
        int64_t since_us = job->waits_since_us > INT64_MIN ? job->waits_since_us : before_us;
        if (w->now.bt_us - w->down.to_us <= w->slow_us + ledger_us) /* they queue anew, each for as long as its slot is late */
                return;
        for (size_t i = 0; i < w->n_jobs; i++) {
                const struct world_job *other = &w->jobs[i];
                struct engine_place place;
                if (other == job || !get_place(w, other, &place) || !is_within(w, other, job) || w->is_reordered)
                        continue;
                bool is_urgent = other->committed.priority > job->committed.priority && place.since_bt_us < before_us;
                bool is_older = other->committed.priority == job->committed.priority && place.since_bt_us < since_us;
                if (is_urgent || is_older)
                        world_fail(w, "%s: %s", job->name,
                                   is_urgent ? "starts before one of a higher priority" : "starts out of turn");
        }
}

void pools_check_start(struct world *w, const struct world_job *job) {
        bool is_limited = false;
        for (size_t pool = 0; pool <= w->n_groups; pool++) {
                if (!is_in(w, job, pool))
                        continue;
                is_limited = true;
                if (!w->is_committing && count_running(w, pool, false) > limit_of(w, pool))
                        world_fail(w, "%s: starts, and there is no place for it", job->name);
        }
        if (is_limited)
                check_order(w, job);
}

/* True if another one waits for a place in the pool that wants others too, or fewer: one may be kept for it. */
static bool may_be_kept(const struct world *w, const struct world_job *job, size_t pool) {
        for (size_t i = 0; i < w->n_jobs; i++) {
                const struct world_job *other = &w->jobs[i];
                bool is_same = is_within(w, job, other) && is_within(w, other, job);
                if (other != job && !is_same && is_in(w, other, pool) && pools_are_awaited(w, other->name))
                        return true;
        }
        return false;
}

void pools_check_waiting(struct world *w) {
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                struct engine_place place;
                bool is_kept = false;
                job->waits_since_us = INT64_MIN;
                if (!get_place(w, job, &place))
                        continue;
                job->waits_since_us = place.since_bt_us;
                for (size_t pool = 0; pool <= w->n_groups && !is_kept; pool++)
                        is_kept = is_in(w, job, pool) &&
                                  limit_of(w, pool) <= count_running(w, pool, true) + may_be_kept(w, job, pool);
                if (!is_kept)
                        world_fail(w, "%s: waits for a place, and all its places are free", job->name);
        }
        w->is_reordered = false;
        w->settled_us = w->now.bt_us;
}
