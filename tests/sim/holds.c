// SPDX-License-Identifier: MIT

#include "tests/sim/holds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/ties.h"

static void fail(struct world *w, const char *what, const char *group) {
        world_fail(w, "group %s: %s", group, what);
}

static struct world_group *find(struct world *w, const char *name) {
        for (size_t i = 0; i < w->n_groups; i++)
                if (strcmp(w->groups[i].name, name) == 0)
                        return &w->groups[i];
        return NULL;
}

static const struct world_group *next_held(const struct world *w, const struct job_when *when, size_t *at) {
        for (; when->ties && *at < when->ties->n; ++*at) {
                const struct tie *tie = &when->ties->list[*at];
                const struct world_group *group = tie->kind == TIE_MEMBER ? find((struct world *)w, tie->name) : NULL;
                if (!group || !group->is_held)
                        continue;
                ++*at;
                return group;
        }
        return NULL;
}

bool holds_are_on(const struct world *w, const struct job_when *when) {
        size_t at = 0;
        return next_held(w, when, &at);
}

int64_t holds_end(const struct world *w, const struct world_job *job) {
        int64_t end_us = job->is_held ? job->pause_until_us : INT64_MIN;
        size_t at = 0;
        for (const struct world_group *group; (group = next_held(w, &job->committed, &at));)
                if (group->until_us > end_us)
                        end_us = group->until_us;
        return end_us;
}

void holds_foresee(struct world *w) {
        w->is_foreseen = true;
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                if (!job->is_paused && (holds_are_on(w, &job->committed) || holds_are_on(w, &job->defined)))
                        job->pause = (struct world_span){w->now.bt_us, INT64_MAX};
        }
}

void holds_settle(struct world *w, int64_t since_bt_us) {
        w->is_foreseen = false;
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                bool has_plan = job->is_committed && job->committed.is_enabled && !job->is_cancelled && !job->is_finished &&
                                !job->is_failed;
                bool is_paused = job->is_held || (has_plan && holds_are_on(w, &job->committed));
                if (!is_paused && job->pause.to_us == INT64_MAX)
                        job->pause.to_us = since_bt_us;
                job->is_paused = is_paused;
        }
}

/* Within a commit it is not known here by which definition a job is judged: it may start, and may have been paused until now. */
void holds_expired(struct world *w, int64_t until_us) {
        if (!w->is_foreseen) {
                holds_settle(w, until_us);
                return;
        }
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                job->is_paused = job->is_paused && (job->is_held || holds_are_on(w, &job->committed));
        }
}

void holds_take_action(struct world *w, const struct action *a) {
        const char *name = engine_groups(w->engine)->list[a->group_hold.group].name;
        struct world_group *group = find(w, name);
        bool is_by_command = a->group_hold.change == HOLD_PAUSED || a->group_hold.change == HOLD_RESUMED;
        if (!is_by_command && (!group || !group->is_held))
                fail(w, "a hold that is none", name);
        if (!group || a->group_hold.change != HOLD_EXPIRED)
                return;
        if (w->now.bt_us < group->until_us)
                fail(w, "its pause ends too early", name);
        group->is_held = false;
        holds_expired(w, group->until_us);
}

void holds_begin_anew(struct world *w) {
        for (size_t i = 0; i < w->n_groups; i++)
                w->groups[i].is_held = false;
        for (size_t i = 0; w->store && i < w->store->n_groups; i++) {
                const struct store_group *kept = &w->store->groups[i];
                struct world_group *group = find(w, kept->name);
                if (!group || !kept->is_held)
                        continue;
                group->is_held = true;
                group->until_us = kept->until_rt_us < INT64_MAX ? kept->until_rt_us - (w->now.rt_us - w->now.bt_us) : INT64_MAX;
                if (w->planted != 12 && /* a hold that nobody remembers */
                    engine_restore_group(w->engine, w->now, group->name, "sim", NULL, 0, kept->until_rt_us) < 0)
                        abort();
        }
}

/* -1 where there is no such group. */
static uint32_t number_of(struct world *w, const char *name) {
        return find(w, name) ? engine_find_group(w->engine, name) : INDEX_NONE;
}

int world_pause_group(struct world *w, const char *name, int64_t until_bt_us) {
        uint32_t number = number_of(w, name);
        if (number == INDEX_NONE)
                return -1;
        struct world_group *group = find(w, name);
        bool was_held = group->is_held;
        int64_t was_until_us = group->until_us;
        group->is_held = true; /* for who is withheld by the command itself */
        holds_foresee(w);
        group->is_held = was_held;
        int r = engine_pause_group(w->engine, w->now, number, "sim", NULL, until_bt_us);
        bool is_same = was_held && was_until_us > w->now.bt_us && was_until_us == until_bt_us;
        if (r != ENGINE_REFUSED_STOPPING && r != !is_same)
                fail(w, "a pause has a wrong answer", name);
        world_take_actions(w); /* the hold before may have ended meanwhile */
        if (r == 1) {
                group->is_held = true;
                group->until_us = until_bt_us;
        }
        holds_settle(w, w->now.bt_us);
        return world_finish(w, r);
}

int world_resume_group(struct world *w, const char *name) {
        uint32_t number = number_of(w, name);
        if (number == INDEX_NONE)
                return -1;
        struct world_group *group = find(w, name);
        bool is_on = group->is_held && group->until_us > w->now.bt_us;
        int r = engine_resume_group(w->engine, w->now, number);
        if (r != ENGINE_REFUSED_STOPPING && r != is_on)
                fail(w, "a resume has a wrong answer", name);
        world_take_actions(w);
        if (r == 1)
                group->is_held = false;
        holds_settle(w, w->now.bt_us);
        return world_finish(w, r);
}
