// SPDX-License-Identifier: MIT
// group_holds: what holds a group, and commands for all of its members in one step. Nothing of a group is kept in its members but that they
// are paused: who they are is asked of their policies, which takes as long as there are jobs, and commands are rare.

#include <errno.h>
#include <string.h>

#include "config/ties.h"
#include "daemon/scheduler/engine_internal.h"

static bool is_member(const struct engine *e, const struct job_row *row, const char *group) {
        const struct ties *ties = engine_policy(e, row)->ties;
        for (size_t i = 0; ties && i < ties->n && ties->list[i].kind == TIE_MEMBER; i++)
                if (strcmp(ties->list[i].name, group) == 0)
                        return true;
        return false;
}

static uint32_t holding_group(const struct engine *e, const struct job_row *row) {
        const struct ties *ties = e->groups.n_held > 0 ? engine_policy(e, row)->ties : NULL;
        for (size_t i = 0; ties && i < ties->n && ties->list[i].kind == TIE_MEMBER; i++) {
                uint32_t group = groups_find(&e->groups, ties->list[i].name);
                if (group != INDEX_NONE && e->groups.list[group].hold.is_on)
                        return group;
        }
        return INDEX_NONE;
}

bool group_holds_are_on(const struct engine *e, const struct job_row *row) {
        return holding_group(e, row) != INDEX_NONE;
}

uint32_t engine_holding_group(const struct engine *e, uint32_t job) {
        return holding_group(e, &e->jobs.rows[job]);
}

const struct groups *engine_groups(const struct engine *e) {
        return &e->groups;
}

uint32_t engine_find_group(const struct engine *e, const char *name) {
        uint32_t group = groups_find(&e->groups, name);
        bool is_there = group != INDEX_NONE && (e->groups.list[group].is_defined || e->groups.list[group].hold.is_on);
        return is_there ? group : INDEX_NONE;
}

uint32_t engine_walk_members(const struct engine *e, uint32_t group, uint32_t from) {
        uint32_t job = engine_walk_jobs(e, from);
        while (job != INDEX_NONE && !is_member(e, &e->jobs.rows[job], e->groups.list[group].name))
                job = engine_walk_jobs(e, job + 1);
        return job;
}

/* ---- holds ---- */

static void emit_hold(struct engine *e, uint32_t group, enum hold_change change) {
        struct action *a = engine_emit(e, ACTION_GROUP_HOLD, INDEX_NONE);
        a->group_hold.group = group;
        a->group_hold.change = change;
}

static int64_t due_at(const struct group_hold *hold) {
        if (!hold->is_on)
                return INT64_MAX;
        return hold->until_bt_us < hold->remind_bt_us ? hold->until_bt_us : hold->remind_bt_us;
}

static void arm(struct engine *e) {
        e->next_group_bt_us = INT64_MAX;
        for (size_t i = 0; i < e->groups.n; i++)
                if (due_at(&e->groups.list[i].hold) < e->next_group_bt_us)
                        e->next_group_bt_us = due_at(&e->groups.list[i].hold);
}

/* The ledger is to have what has changed with the hold. */
static void note(struct engine *e, uint32_t job) {
        engine_emit(e, ACTION_WRITE, job);
}

static void stop_member(struct engine *e, struct clock_sample now, uint32_t job) {
        if (!registry_warm(&e->jobs, engine_row(e, job))) {
                e->has_failed = true;
                return;
        }
        commands_stop_slots(e, now, job);
        note(e, job);
}

/* Pauses of members by themselves that were over before an instant end, while the group still holds them. */
static void expire_own(struct engine *e, struct clock_sample now, const char *name, int64_t before_bt_us) {
        for (uint32_t job = 0; job < e->jobs.n_rows; job++) {
                const struct job_row *row = engine_row(e, job);
                if (row->is_held && registry_cold(&e->jobs, row)->paused_until_bt_us < before_bt_us && is_member(e, row, name))
                        commands_hold_due(e, now, job);
        }
}

/* Members that nothing else holds go on since an instant. */
static void lift(struct engine *e, struct clock_sample now, uint32_t group, int64_t since_bt_us, enum hold_change change) {
        const char *name = e->groups.list[group].name;
        expire_own(e, now, name, since_bt_us);
        groups_release(&e->groups, group);
        arm(e);
        for (uint32_t job = 0; job < e->jobs.n_rows; job++) {
                const struct job_row *row = engine_row(e, job);
                if (!row->is_paused || row->is_held || !is_member(e, row, name) || group_holds_are_on(e, row))
                        continue;
                commands_go_on(e, now, job, since_bt_us);
                note(e, job);
        }
        emit_hold(e, group, change);
}

static void remind(struct engine *e, struct clock_sample now, uint32_t group) {
        struct group *g = &e->groups.list[group];
        g->hold.remind_bt_us = now.bt_us + ENGINE_REMIND_US;
        arm(e);
        for (uint32_t job = 0; job < e->jobs.n_rows; job++)
                if (engine_row(e, job)->is_paused && is_member(e, engine_row(e, job), g->name))
                        segments_close(e, now, job);
        emit_hold(e, group, HOLD_REMINDER);
}

void group_holds_due(struct engine *e, struct clock_sample now, int64_t until_bt_us) {
        while (e->next_group_bt_us <= until_bt_us)
                for (uint32_t group = 0; group < e->groups.n; group++) {
                        const struct group_hold *hold = &e->groups.list[group].hold;
                        if (due_at(hold) != e->next_group_bt_us)
                                continue;
                        if (hold->until_bt_us <= e->next_group_bt_us)
                                lift(e, now, group, hold->until_bt_us, HOLD_EXPIRED);
                        else
                                remind(e, now, group);
                        break;
                }
}

void group_holds_judge(struct engine *e, struct clock_sample now, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        bool is_by_group = engine_has_plan(row) && group_holds_are_on(e, row);
        if (is_by_group && !row->is_paused)
                stop_member(e, now, job);
        else if (row->is_paused && !row->is_held && !is_by_group) {
                commands_go_on(e, now, job, now.bt_us);
                note(e, job);
        }
}

int engine_restore_group(struct engine *e, struct clock_sample now, const char *name, const char *by, const char *reason,
                         int64_t at_rt_us, int64_t until_rt_us) {
        uint32_t group;
        int r = groups_add(&e->groups, name, &group);
        if (r == 0)
                r = groups_hold(&e->groups, group, by, reason, at_rt_us,
                                until_rt_us < INT64_MAX ? until_rt_us - (now.rt_us - now.bt_us) : INT64_MAX,
                                now.bt_us + ENGINE_REMIND_US);
        if (r == 0)
                arm(e);
        return r;
}

int group_holds_copy(const struct engine *e, struct engine *copy) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < e->groups.n; i++) {
                const struct group *from = &e->groups.list[i];
                const struct group_hold *hold = &from->hold;
                uint32_t group;
                if (from->name && from->is_defined)
                        r = groups_announce(&copy->groups, from->name, from->description, from->max_running);
                if (r == 0 && hold->is_on)
                        r = groups_add(&copy->groups, from->name, &group);
                if (r == 0 && hold->is_on)
                        r = groups_hold(&copy->groups, group, hold->by, hold->reason, hold->at_rt_us, hold->until_bt_us,
                                        hold->remind_bt_us);
        }
        groups_commit(&copy->groups);
        arm(copy);
        return r;
}

/* ---- commands ---- */

/* What is due of each member is done first. 0, -ENOMEM. */
static int settle(struct engine *e, struct clock_sample now, uint32_t group) {
        int r = 0;
        for (uint32_t job = engine_walk_members(e, group, 0); r == 0 && job != INDEX_NONE;
             job = engine_walk_members(e, group, job + 1)) {
                r = due_settle(e, now, job);
                if (r == 0 && !registry_warm(&e->jobs, engine_row(e, job)))
                        r = -ENOMEM;
        }
        return r;
}

int engine_pause_group(struct engine *e, struct clock_sample now, uint32_t group, const char *by, const char *reason,
                       int64_t until_bt_us) {
        if (e->is_stopping)
                return ENGINE_REFUSED_STOPPING;
        group_holds_due(e, now, now.bt_us);
        if (e->groups.list[group].hold.is_on && e->groups.list[group].hold.until_bt_us == until_bt_us)
                return 0;
        int r = settle(e, now, group);
        if (r == 0)
                r = groups_hold(&e->groups, group, by, reason, now.rt_us, until_bt_us, now.bt_us + ENGINE_REMIND_US);
        if (r < 0)
                return r;
        arm(e);
        for (uint32_t job = engine_walk_members(e, group, 0); job != INDEX_NONE; job = engine_walk_members(e, group, job + 1))
                group_holds_judge(e, now, job);
        emit_hold(e, group, HOLD_PAUSED);
        return 1;
}

int engine_resume_group(struct engine *e, struct clock_sample now, uint32_t group) {
        if (e->is_stopping)
                return ENGINE_REFUSED_STOPPING;
        group_holds_due(e, now, now.bt_us); /* it may just have ended by itself */
        if (!e->groups.list[group].hold.is_on)
                return 0;
        int r = settle(e, now, group);
        if (r < 0)
                return r;
        lift(e, now, group, now.bt_us, HOLD_RESUMED);
        return 1;
}

int engine_start_group(struct engine *e, struct clock_sample now, uint32_t group, uint32_t *ret_job) {
        int result = 0;
        for (uint32_t job = engine_walk_members(e, group, 0); job != INDEX_NONE; job = engine_walk_members(e, group, job + 1)) {
                int r = commands_refuse_start(e, now, job);
                if (r != 0) {
                        *ret_job = job;
                        return r;
                }
        }
        for (uint32_t job = engine_walk_members(e, group, 0); job != INDEX_NONE; job = engine_walk_members(e, group, job + 1)) {
                int r = engine_start(e, now, job);
                if (r < 0)
                        return r;
                result |= r;
        }
        return result;
}

int engine_check_trigger(struct engine *e, struct clock_sample now, uint32_t group, const struct engine_trigger *trigger,
                         uint32_t *ret_job) {
        int r = settle(e, now, group);
        for (uint32_t job = engine_walk_members(e, group, 0); r == 0 && job != INDEX_NONE;
             job = engine_walk_members(e, group, job + 1)) {
                enum trigger_outcome outcome = commands_refuse_trigger(e, job, trigger);
                if (outcome != TRIGGER_STARTED) {
                        *ret_job = job;
                        return (int)outcome;
                }
        }
        return r < 0 ? r : (int)TRIGGER_STARTED;
}
