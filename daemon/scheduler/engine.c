// SPDX-License-Identifier: MIT
// engine: definitions, runs, actions. Plans are in segments.c, what becomes of their slots is in slots.c.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ACTIONS_KEPT (8 * ENGINE_BATCH)

int engine_new(const struct wire_hello *hello, struct engine **ret) {
        struct engine *e = calloc(1, sizeof(*e));
        if (!e)
                return -ENOMEM;
        registry_init(&e->jobs);
        e->gone = INDEX_NONE;
        claims_lower(e);
        memcpy(e->instance, hello->instance, sizeof(e->instance));
        memcpy(e->seed, hello->instance, sizeof(e->seed));
        e->next_run = hello->next_run;
        e->boot_bt_us = hello->boot_bt_us;
        e->is_first_of_boot = hello->is_first_of_boot;
        e->is_clock_trusted = hello->is_synchronised;
        e->trust_bt_us = INT64_MAX;
        e->next_group_bt_us = INT64_MAX;
        e->is_first_scheduler = hello->epoch == 0;
        *ret = e;
        return 0;
}

void engine_set_machine(struct engine *e, const uint8_t machine[static 16]) {
        memcpy(e->machine, machine, sizeof(e->machine));
}

struct engine *engine_free(struct engine *e) {
        if (!e)
                return NULL;
        registry_done(&e->jobs);
        schedule_done(&e->boot_wake);
        schedule_done(&e->real_wake);
        schedule_done(&e->parked);
        schedule_done(&e->at_boot);
        schedule_done(&e->at_wake);
        schedule_done(&e->at_delay);
        schedule_done(&e->holds);
        schedule_done(&e->retries);
        schedule_done(&e->expects);
        index_done(&e->by_run);
        beside_done(&e->beside);
        groups_done(&e->groups);
        places_done(&e->places);
        chains_done(e);
        parcels_done(&e->parcels);
        free(e->touched);
        free(e->actions);
        free(e);
        return NULL;
}

/* ---- actions ---- */

struct action *engine_emit(struct engine *e, enum action_kind kind, uint32_t job) {
        if (e->n_actions == e->allocated_actions) {
                size_t n = e->allocated_actions * 2 + 64;
                struct action *p = realloc(e->actions, n * sizeof(*p));
                if (!p) {
                        e->has_failed = true;
                        e->lost = (struct action){.kind = kind, .job = job};
                        return &e->lost;
                }
                e->actions = p;
                e->allocated_actions = n;
        }
        struct action *a = &e->actions[e->n_actions++];
        memset(a, 0, sizeof(*a));
        a->kind = kind;
        a->job = job;
        return a;
}

const struct action *engine_next_action(struct engine *e) {
        if (e->gone != INDEX_NONE) {
                parcels_forget(&e->parcels, e->gone);
                registry_drop(&e->jobs, e->gone);
                e->gone = INDEX_NONE;
        }
        (void)chains_drain(e);
        if (e->next_action < e->n_actions) {
                const struct action *a = &e->actions[e->next_action++];
                if (a->kind == ACTION_GONE)
                        e->gone = a->job;
                return a;
        }
        if (e->parcels.is_stale)
                passing_sweep(e);
        e->n_actions = e->next_action = 0;
        if (e->allocated_actions > ACTIONS_KEPT) { /* a burst or a great reload is no reason to stay large */
                free(e->actions);
                e->actions = NULL;
                e->allocated_actions = 0;
        }
        return NULL;
}

bool engine_has_failed(const struct engine *e) {
        return e->has_failed;
}

/* ---- what all parts ask ---- */

static uint64_t name_hash(const struct engine *e, const uint8_t seed[static 16], const struct job_row *row) {
        const char *name = registry_name(&e->jobs, row);
        return hash_64(seed, name, strlen(name));
}

static uint64_t draw_stream(const struct engine *e, const struct job_row *row) {
        return name_hash(e, e->seed, row) + row->segment;
}

int64_t engine_from_rt(const struct engine *e, const struct job_when *when, int64_t rt_us) {
        return plan_is_wall(when) ? rt_us : rt_us - e->offset_us;
}

int64_t engine_until(const struct engine *e, const struct job_when *when) {
        return when->until_us < INT64_MAX && e->is_clock_trusted ? engine_from_rt(e, when, when->until_us) : INT64_MAX;
}

struct plan_grid engine_grid(const struct engine *e, const struct job_row *row, const struct job_when *when) {
        bool is_drawn = when->random_delay_us > 0 || when->random_delay_ppm > 0;
        int64_t bound_us = is_drawn ? plan_draw_bound(when) : 0;
        struct plan_grid grid = {
                .grid = plan_wall_grid(when, row->anchor_us),
                .agenda = when->agenda,
                .at = {.key = row->key, .us = row->next_us},
                .draw_bound_us = bound_us,
                .draw_ppm = when->random_delay_ppm,
                .seed = e->seed,
                .until_us = engine_until(e, when),
        };
        if (bound_us > 0 && when->is_delay_fixed) {
                grid.seed = e->machine;
                grid.stream = name_hash(e, e->machine, row);
                grid.is_draw_fixed = true;
        } else if (bound_us > 0)
                grid.stream = draw_stream(e, row);
        return grid;
}

int64_t engine_next_delay(const struct engine *e, const struct job_row *row, const struct job_when *when, int64_t from_us) {
        int64_t next_us = from_us + engine_wait(e, row, when);
        int64_t first_us = when->not_before_us > 0 ? engine_from_rt(e, when, when->not_before_us) : INT64_MIN;
        return next_us > first_us ? next_us : first_us;
}

int64_t engine_wait(const struct engine *e, const struct job_row *row, const struct job_when *when) {
        return plan_wait(when, e->seed, when->jitter_ppm > 0 ? draw_stream(e, row) : 0, row->key);
}

int64_t engine_spread(const struct engine *e, const struct job_row *row, const struct job_when *when, int64_t key) {
        return when->catch_up_spread_us > 0 ? plan_spread(when, e->seed, draw_stream(e, row), key) : 0;
}

int64_t engine_slot_now(const struct job_when *when, struct clock_sample now) {
        return plan_is_wall(when) ? now.rt_us : now.bt_us;
}

bool engine_has_slept_at(const struct engine *e, const struct job_when *when, int64_t slot_us) {
        return slot_us > engine_slot_now(when, e->asleep) && slot_us <= engine_slot_now(when, e->woken);
}

void engine_note_offset(struct engine *e, struct clock_sample now) {
        e->now = now;
        int64_t offset_us = now.rt_us - now.bt_us, off_us = offset_us - e->offset_us;
        if (off_us > ENGINE_OFFSET_SLACK_US || off_us < -ENGINE_OFFSET_SLACK_US)
                e->offset_us = offset_us;
}

int64_t engine_slot_rt(struct engine *e, const struct job_when *when, int64_t slot_us, struct clock_sample now) {
        if (plan_is_wall(when))
                return slot_us;
        engine_note_offset(e, now);
        return engine_rt_of(when, slot_us, e->offset_us);
}

int64_t engine_rt_of(const struct job_when *when, int64_t slot_us, int64_t offset_us) {
        int64_t rt_us = slot_us + offset_us, early_us = when->not_before_us - rt_us;
        return early_us > 0 && early_us <= ENGINE_OFFSET_SLACK_US ? when->not_before_us : rt_us;
}

bool engine_is_in_flight(const struct engine *e, const struct job_row *row) {
        const struct job_cold *cold = registry_cold(&e->jobs, row);
        return cold && (cold->run.run > 0 || cold->beside > 0);
}

/* ---- definitions ---- */

static int touch(struct engine *e, uint32_t job) {
        struct job_row *row = engine_row(e, job);
        if (row->is_touched)
                return 0;
        if (e->n_touched == e->allocated_touched) {
                size_t n = e->allocated_touched + e->allocated_touched / 2 + 64;
                uint32_t *p = realloc(e->touched, n * sizeof(*p));
                if (!p)
                        return -ENOMEM;
                e->touched = p;
                e->allocated_touched = n;
        }
        e->touched[e->n_touched++] = job;
        row->is_touched = true;
        return 0;
}

static void recall_schedule(struct job_row *row, struct job_cold *cold, const struct wire_trail *trail) {
        row->segment = trail->segment;
        row->anchor_us = trail->anchor_us;
        row->key = trail->key;
        cold->last_slot_us = trail->slot_us;
        row->is_resumed = true;
}

/* The runner remembers a later slot than the row has, of a job that a run brought back. */
static bool is_newer(const struct job_row *row, const struct wire_trail *trail) {
        bool is_later = trail->segment > row->segment || (trail->segment == row->segment && trail->key > row->key);
        return trail->has_schedule && is_later && row->cold;
}

/* What the runner remembers: the plan that the last scheduler had. Judged at the commit. */
static int recall(struct engine *e, struct job_row *row, const struct wire_trail *trail) {
        struct job_cold *cold = registry_warm(&e->jobs, row);
        if (!cold)
                return -ENOMEM;
        cold->last_result = trail->last_result;
        cold->end_bt_us = trail->end_bt_us;
        row->is_boot_done = trail->is_boot_done;
        if (e->has_ledger) { /* what the ledger has not heard of, the runner tells run by run */
                row->is_restored = true;
                e->n_restored++;
        } else if (trail->has_schedule)
                recall_schedule(row, cold, trail);
        return 0;
}

int engine_reserve(struct engine *e, uint32_t job, const struct job_when *when) {
        int r = schedule_reserve(&e->boot_wake, job);
        if (r == 0 && plan_is_wall(when))
                r = schedule_reserve(&e->real_wake, job);
        if (r == 0 && e->has_ledger && plan_is_claimed(when))
                r = schedule_reserve(&e->parked, job);
        if (r == 0 && when->on_boot_us >= 0)
                r = schedule_reserve(&e->at_boot, job);
        if (r == 0 && plan_has_delay(when))
                r = schedule_reserve(&e->at_delay, job);
        if (r == 0 && when->is_on_wake)
                r = schedule_reserve(&e->at_wake, job);
        if (r == 0 && when->expect_within_us > 0)
                r = schedule_reserve(&e->expects, job);
        return r;
}

int engine_define(struct engine *e, const struct wire_define *define, const struct job_when *when, const char *description) {
        uint32_t job = registry_find(&e->jobs, define->name), policy;
        int r;
        if (job == INDEX_NONE) {
                r = registry_add(&e->jobs, define->name, &job);
                if (r < 0)
                        return r;
                engine_row(e, job)->since_us = define->since_bt_us;
                if (e->offset_us == 0)
                        e->offset_us = define->since_rt_us - define->since_bt_us;
                if (define->has_trail) {
                        r = recall(e, engine_row(e, job), &define->trail);
                        if (r < 0)
                                return r;
                }
        } else if (!e->has_ledger && define->has_trail && is_newer(engine_row(e, job), &define->trail))
                /* adopted without a definition, by runs that say nothing of its latest slot */
                recall_schedule(engine_row(e, job), registry_cold(&e->jobs, engine_row(e, job)), &define->trail);
        r = engine_reserve(e, job, when);
        if (r == 0)
                r = registry_describe(&e->jobs, job, description, define->accepted);
        if (r == 0)
                r = touch(e, job);
        if (r == 0)
                r = registry_intern(&e->jobs, when, &policy);
        if (r < 0)
                return r;

        struct job_row *row = engine_row(e, job);
        if (row->was == INDEX_NONE)
                row->was = row->when;
        else
                registry_release(&e->jobs, row->when);
        row->when = policy;
        row->hash = define->hash;
        row->is_hosted = define->host && *define->host;
        row->is_unsure = row->is_hosted && row->is_restored;
        row->is_removing = false;
        return 0;
}

int engine_define_group(struct engine *e, const char *name, const char *description, uint32_t max_running) {
        return groups_announce(&e->groups, name, description, max_running);
}

void engine_set_max_running(struct engine *e, uint32_t n) {
        e->next_max_running = n;
}

void engine_remove(struct engine *e, const char *name) {
        uint32_t job = registry_find(&e->jobs, name);
        if (job == INDEX_NONE || (engine_row(e, job)->state == JOB_STATE_REMOVED && !engine_row(e, job)->is_touched))
                return;
        if (touch(e, job) < 0)
                e->has_failed = true;
        engine_row(e, job)->is_removing = true;
}

/* ---- runs ---- */

static uint64_t run_hash(const void *table, uint32_t job) {
        const struct registry *g = table;
        return index_hash_number(registry_cold(g, &g->rows[job])->run.run);
}

static bool run_equal(const void *table, uint32_t job, const void *wanted) {
        const struct registry *g = table;
        return registry_cold(g, &g->rows[job])->run.run == *(const uint64_t *)wanted;
}

int engine_put_run(struct engine *e, uint32_t job, const struct job_run *run) {
        struct job_cold *cold = registry_warm(&e->jobs, engine_row(e, job));
        if (!cold)
                return -ENOMEM;
        cold->run = *run;
        int r = index_add(&e->by_run, run_hash(&e->jobs, job), job, run_hash, &e->jobs);
        if (r < 0)
                cold->run.run = 0;
        return r;
}

void engine_lift_run(struct engine *e, uint32_t job) {
        index_remove(&e->by_run, run_hash(&e->jobs, job), job, run_hash, &e->jobs);
        registry_cold(&e->jobs, engine_row(e, job))->run = (struct job_run){0};
}

int engine_begin_run(struct engine *e, uint32_t job, const struct job_run *run) {
        int r = engine_put_run(e, job, run);
        if (r == 0 && e->places.n_pools > 0)
                pools_begin_run(e, job);
        return r;
}

void engine_drop_run(struct engine *e, uint32_t job) {
        engine_lift_run(e, job);
        if (e->places.n_pools > 0)
                pools_end_run(e, job);
}

static uint32_t find_run(const struct engine *e, uint64_t run) {
        return index_find(&e->by_run, index_hash_number(run), run_equal, &e->jobs, &run);
}

/* They stay where the run does. */
static int adopt_parameters(struct engine *e, uint32_t job, const struct wire_start *start) {
        if (start->parameters_size == 0 || parcels_find(&e->parcels, job, start->run))
                return 0;
        struct parcel *parcel = parcel_new(start->parameters, start->parameters_size);
        int r = parcel ? parcels_add(&e->parcels, job, start->run, parcel) : -ENOMEM;
        if (r < 0)
                parcel_drop(parcel);
        return r;
}

int engine_adopt(struct engine *e, struct clock_sample now, const struct wire_run *run) {
        uint32_t job = registry_find(&e->jobs, run->name);
        if (job == INDEX_NONE) {
                /* its definition is gone: the row is kept for its end, and for its phase if it comes back */
                struct job_when none;
                job_when_init(&none);
                struct wire_define define = {.name = run->name, .hash = run->start.hash, .has_trail = true};
                define.trail = (struct wire_trail){
                        .has_schedule = run->start.item == WIRE_ITEM_SCHEDULE,
                        .segment = run->start.segment,
                        .anchor_us = run->start.anchor_us,
                        .key = run->start.key,
                        .slot_us = run->start.slot_us,
                        .is_boot_done = run->start.item == WIRE_ITEM_BOOT,
                };
                int r = engine_define(e, &define, &none, NULL);
                if (r < 0)
                        return r;
                engine_remove(e, run->name);
                job = registry_find(&e->jobs, run->name);
        }
        struct job_row *row = engine_row(e, job);
        struct job_cold *cold = registry_warm(&e->jobs, row);
        if (!cold)
                return -ENOMEM;
        if (adopt_parameters(e, job, &run->start) < 0)
                return -ENOMEM;
        uint32_t other;
        struct job_run *known = cold->run.run == run->start.run ? &cold->run : beside_find(e, run->start.run, &other);
        if (known) { /* the ledger has it too */
                known->is_known = true;
                known->is_asked = run->start.asks_conditions && !known->is_told;
                known->is_open = wire_item_is_slot(run->start.item) && !known->is_told;
                known->is_promised = known->item == WIRE_ITEM_TRIGGER;
                known->anchor_us = run->start.anchor_us;
                known->slot_us = run->start.slot_us;
                known->is_hosted = row->is_hosted;
                return chains_note_served(e, job, &run->start.parent);
        }
        if (run->start.run <= cold->ended_run) /* the ledger has its result: only the acknowledgement was lost */
                return 0;
        if (engine_is_running(e, row) && cold->n_beside >= JOB_PARALLEL_MAX)
                return -EEXIST;
        if (chains_note_served(e, job, &run->start.parent) < 0)
                return -ENOMEM;
        if (run->start.run >= e->next_run)
                e->next_run = run->start.run + 1;
        cold->last_result = run->start.last_result; /* the trail may have this run's already */
        e->is_retelling = true;                     /* what came before a start was told before it */
        int r = row->is_restored ? restore_adopted(e, now, job, &run->start) : 0;
        e->is_retelling = false;
        if (r == 0 && engine_is_running(e, row))
                r = beside_put(e, job);
        return r < 0 ? r
                     : engine_begin_run(e, job,
                                        &(struct job_run){
                                                .run = run->start.run,
                                                .item = run->start.item,
                                                .cause = run->start.cause,
                                                .attempt = run->start.attempt,
                                                .segment = run->start.segment,
                                                .key = run->start.key,
                                                .slot_rt_us = run->start.slot_rt_us,
                                                .missed = run->start.missed,
                                                .is_known = true,
                                                .parent = run->start.parent,
                                                .is_asked = run->start.asks_conditions,
                                                .is_open = wire_item_is_slot(run->start.item),
                                                .is_promised = run->start.item == WIRE_ITEM_TRIGGER,
                                                .anchor_us = run->start.anchor_us,
                                                .slot_us = run->start.slot_us,
                                                .is_hosted = row->is_hosted,
                                        });
}

/* Whether a run that ends like those before it is routine: of a hosted job that runs often, for a slot at its time. Followed and following
 * jobs are left out: what they say of each other is written together. */
static bool may_be_routine(const struct job_row *row, const struct job_when *when, const struct job_run *run) {
        if (!run->is_hosted || row->is_parent || row->is_child || when->log == JOB_LOG_ALL)
                return false;
        bool is_plain = run->item == WIRE_ITEM_SCHEDULE && run->cause == RUN_CAUSE_SCHEDULE && run->attempt == 1 &&
                        !run->is_told && !run->is_unclaimed && run->lag_us < ENGINE_LATE_US;
        int64_t next_us = when->agenda ? row->next_us - run->slot_us : when->every_us;
        return is_plain && next_us > 0 && next_us < ENGINE_ROUTINE_US;
}

/* The same good end once more. */
static bool is_routine(const struct job_row *row, const struct job_when *when, const struct job_cold *cold,
                       enum run_result result) {
        bool is_same = result == cold->last_result && (result == RUN_RESULT_SUCCESS || result == RUN_RESULT_SKIPPED);
        return is_same && may_be_routine(row, when, &cold->run);
}

void engine_started(struct engine *e, struct clock_sample now, const struct wire_started *started) {
        uint32_t job = find_run(e, started->run);
        struct job_run *run =
                job != INDEX_NONE ? &registry_cold(&e->jobs, engine_row(e, job))->run : beside_find(e, started->run, &job);
        if (!run)
                return;
        conditions_decided(e, now, job, run);
        run->start_rt_us = started->start_rt_us;
        run->start_bt_us = started->start_bt_us;
        run->pid = started->pid;
        const struct job_row *row = engine_row(e, job);
        if (run->is_told || (!run->is_known && may_be_routine(row, engine_policy(e, row), run))) /* of that its end tells */
                return;
        run->is_told = true;
        bool is_again = run->is_known; /* an earlier scheduler has seen it start */
        struct action *a = engine_emit(e, ACTION_STARTED, job);
        a->run.run = *run;
        a->run.is_again = is_again;
}

static bool has_changed(enum run_result last, enum run_result result) {
        return last == RUN_RESULT_NONE || run_result_is_failure(last) != run_result_is_failure(result);
}

/* The instant of the end as the runner saw it, kept within what can be: not before the START, not after now. */
static int64_t end_instant(int64_t reported_us, int64_t begun_us, int64_t now_us) {
        return reported_us < begun_us || reported_us > now_us ? now_us : reported_us;
}

int engine_ended(struct engine *e, struct clock_sample now, const struct wire_ended *ended) {
        uint32_t job = find_run(e, ended->run);
        if (job == INDEX_NONE && !beside_find(e, ended->run, &job))
                return 1;
        if (registry_cold(&e->jobs, engine_row(e, job))->run.run != ended->run && beside_bring(e, job, ended->run) < 0)
                e->has_failed = true;
        struct job_row *row = engine_row(e, job);
        const struct job_when *when = engine_policy(e, row);
        struct job_cold *cold = registry_cold(&e->jobs, row);
        int64_t end_bt_us = end_instant(ended->end.end_bt_us, cold->run.begun_bt_us, now.bt_us);
        if (conditions_undo(&cold->run, &ended->end))
                return conditions_refused(e, now, job, ended, end_bt_us);
        conditions_decided(e, now, job, &cold->run);
        int64_t end_us = plan_is_wall(when) ? now.rt_us - (now.bt_us - end_bt_us) : end_bt_us;

        engine_note_offset(e, now);
        bool was_ending = cold->run.is_ending;
        cold->run.is_ending = true;
        commands_settle_hold(e, now, job);
        /* slots of the very instant of the end are not overlapped: ends come before slots */
        if (row->is_paused || !beside_has_room(e, row))
                slots_pass(e, now, job, end_us - 1);
        slots_flush_missed(e, now, job, false);

        bool is_failure = run_result_is_failure(ended->end.result);
        bool is_retried = is_failure && !was_ending && retry_plan(e, now, job, &ended->end, end_bt_us);
        struct action *a = engine_emit(e, ACTION_ENDED, job);
        a->run.run = cold->run;
        a->run.end = ended->end;
        a->run.has_changed = has_changed(cold->last_result, ended->end.result);
        a->run.is_final = !is_retried;
        a->run.is_routine = is_routine(row, when, cold, ended->end.result);
        if (is_retried) {
                a->run.retry_us = cold->retry.at_bt_us > now.bt_us ? cold->retry.at_bt_us - now.bt_us : 0;
                a->run.is_short = cold->retry.is_short;
                a->run.is_quiet = cold->retry.is_short && cold->retry.n_short > 1;
        } else
                chains_ended(e, now, job, &ended->end, end_bt_us);

        engine_drop_run(e, job);
        if (cold->ended_run < ended->run)
                cold->ended_run = ended->run;
        cold->end_bt_us = end_bt_us;
        cold->last_result = ended->end.result;
        if (plan_is_delay(when) && (row->state != JOB_STATE_NEW || row->is_restored))
                row->next_us = engine_next_delay(e, row, when, end_bt_us);
        if (!is_retried)
                delay_begin(e, job, end_bt_us);
        if (run_result_is_good(ended->end.result))
                expect_good(e, job, end_bt_us);
        if (!is_retried)
                retry_settle(e, now, job, ended->end.result);
        if (ended->end.result == RUN_RESULT_FINISHED)
                segments_finish_by_run(e, now, job);
        if (!row->is_restored && due_start_waiting(e, now, job) < 0)
                e->has_failed = true;
        slots_arm(e, job);
        if (row->state == JOB_STATE_REMOVED)
                segments_forget_removed(e, job);
        return 0;
}
