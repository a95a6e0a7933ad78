// SPDX-License-Identifier: MIT
// world: the fake runner keeps what the real one keeps (definitions, trails, runs until acknowledged), so that a new engine
// learns from it what a new scheduler would.

#include "tests/sim/world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scheduler/plan.h"
#include "tests/sim/chains.h"
#include "tests/sim/holds.h"
#include "tests/sim/passed.h"
#include "tests/sim/pools.h"
#include "tests/sim/refusals.h"

#define WALK_MAX 50000 /* slots of a calendar */

void world_fail(struct world *w, const char *format, ...) {
        if (w->error[0])
                return;
        va_list ap;
        va_start(ap, format);
        vsnprintf(w->error, sizeof(w->error), format, ap);
        va_end(ap);
}

static void new_engine(struct world *w) {
        w->chains.is_syncing = true;
        passed_crash(w);
        if (engine_new(&w->hello, &w->engine) < 0)
                abort();
        w->hello.epoch++;
}

void world_init(struct world *w, int64_t rt_us, int64_t bt_us) {
        *w = (struct world){.now = {rt_us, bt_us}};
        memset(w->hello.instance, 7, sizeof(w->hello.instance));
        w->hello.next_run = 1;
        w->hello.is_first_of_boot = true;
        w->hello.is_synchronised = true;
        new_engine(w);
}

void world_done(struct world *w) {
        engine_free(w->engine);
        keeper_free(w->keeper);
        book_free(w->book);
        if (w->store)
                store_done(w->store);
        free(w->store);
        free(w->entries);
}

struct world_job *world_find(struct world *w, const char *name) {
        for (size_t i = 0; i < w->n_jobs; i++)
                if (strcmp(w->jobs[i].name, name) == 0)
                        return &w->jobs[i];
        return NULL;
}

/* ---- the ledger ---- */

/* However long the way is. */
static struct agenda_slot walk_calendar(const struct world_job *job, struct agenda_slot slot, int64_t until_key,
                                        int64_t until_us) {
        struct wall_grid grid = plan_wall_grid(&job->when, job->segment.anchor_us);
        for (int64_t before = slot.key - 1; slot.key > before;) {
                before = slot.key;
                agenda_advance(job->when.agenda, &grid, &slot, until_key, until_us);
        }
        return slot;
}

static int64_t slot_instant(const struct world_job *job, int64_t key) {
        if (!job->when.agenda)
                return job->segment.anchor_us + key * job->when.every_us;
        return walk_calendar(job, (struct agenda_slot){.us = job->segment.anchor_us}, key, INT64_MAX).us;
}

static void account_in(struct world *w, const struct world_job *job, struct world_segment *s, int64_t first, int64_t last) {
        if (first < s->first_key)
                world_fail(w, "%s: slot %lld before its segment's first", job->name, (long long)first);
        size_t at = 0;
        while (at < s->n_ranges && s->ranges[at].last < first)
                at++;
        if (at < s->n_ranges && s->ranges[at].first <= last) {
                world_fail(w, "%s: slots %lld..%lld of segment %u have two outcomes", job->name, (long long)first,
                           (long long)last, s->number);
                return;
        }
        if (at > 0 && s->ranges[at - 1].last + 1 == first) {
                s->ranges[--at].last = last;
        } else {
                if (s->n_ranges == WORLD_RANGES) {
                        world_fail(w, "%s: too many gaps in the account", job->name);
                        return;
                }
                memmove(&s->ranges[at + 1], &s->ranges[at], (s->n_ranges - at) * sizeof(s->ranges[0]));
                s->ranges[at] = (struct world_range){first, last};
                s->n_ranges++;
        }
        if (at + 1 < s->n_ranges && s->ranges[at].last + 1 == s->ranges[at + 1].first) {
                s->ranges[at].last = s->ranges[at + 1].last;
                memmove(&s->ranges[at + 1], &s->ranges[at + 2], (s->n_ranges - at - 2) * sizeof(s->ranges[0]));
                s->n_ranges--;
        }
}

static void account(struct world *w, struct world_job *job, int64_t first, int64_t last) {
        account_in(w, job, &job->segment, first, last);
}

/* What BOOTTIME plus this is, is on the clock of the job's slots. */
static int64_t slot_clock_offset(const struct world *w, const struct world_job *job) {
        return plan_is_wall(&job->when) ? w->now.rt_us - w->now.bt_us : 0;
}

/* When the run began that a slot may have come under, which waited since. */
static int64_t queued_from(const struct world_job *job) {
        return job->runs_before[job->queue_max - 1].from_us;
}

/* A slot withheld by a pause must lie within it; a drawn delay moves it later, by less than an interval. */
static void check_paused(struct world *w, const struct world_job *job, int64_t first, int64_t last) {
        if (plan_is_wall(&job->when) && (w->stepped_bt_us >= job->pause.from_us || job->may_wait ||
                                         (job->may_queue && w->stepped_bt_us >= queued_from(job))))
                return;
        int64_t offset_us = slot_clock_offset(w, job), bound_us = job->draw_bound_us;
        int64_t from_us = slot_instant(job, first) - offset_us, to_us = slot_instant(job, last) - offset_us;
        /* what waited when the pause began is withheld too */
        bool was_waiting = first == last && job->may_queue && from_us >= queued_from(job) - bound_us;
        was_waiting |= job->may_catch_up || job->may_await_place || job->may_wait;
        if ((from_us + bound_us < job->pause.from_us && !was_waiting && !w->store) || to_us > job->pause.to_us)
                world_fail(w, "%s: slots %lld..%lld withheld by a pause, but that was %lld..%lld and the slots %lld..%lld",
                           job->name, (long long)first, (long long)last, (long long)job->pause.from_us,
                           (long long)job->pause.to_us, (long long)from_us, (long long)to_us);
}

/* Without a ledger the keys of a calendar go on from the runner's word, whatever calendar they were counted by. */
static bool is_calendar_of_trail(const struct world *w, const struct world_job *job) {
        return job->when.agenda && !w->store;
}

/* A slot is missed by overlap only where as many runs as may be were in flight. */
static void check_full(struct world *w, const struct world_job *job, int64_t key) {
        int64_t at_us = slot_instant(job, key) - slot_clock_offset(w, job), bound_us = job->draw_bound_us;
        size_t n = 0;
        if (job->when.overlap != JOB_OVERLAP_PARALLEL || job->when.max_parallel < job->max_parallel || job->may_queue ||
            w->store || w->n_sleeps > 0 || (plan_is_wall(&job->when) && w->n_steps > 0))
                return;
        for (size_t i = 0; i <= WORLD_QUEUE; i++) {
                const struct world_span *run = i == 0 ? &job->last_run : &job->runs_before[i - 1];
                n += run->from_us <= at_us + bound_us && run->to_us >= at_us && run->to_us < w->now.bt_us;
        }
        for (size_t i = 0; i < job->n_others; i++)
                n += job->others[i].begun_bt_us <= at_us + bound_us;
        n += job->is_running && job->begun_bt_us <= at_us + bound_us;
        n++; /* that which has just ended */
        if (n < job->when.max_parallel)
                world_fail(w, "%s: slot %lld missed by overlap, and only %zu of %u runs were in flight", job->name,
                           (long long)key, n, job->when.max_parallel);
}

/* An overlapped slot must lie within a run that the world knows of; a drawn delay moves it later, by less than an interval. */
static void check_overlap(struct world *w, const struct world_job *job, int64_t first, int64_t last) {
        if (job->max_parallel > 0) {
                check_full(w, job, first);
                check_full(w, job, last);
                return;
        }
        struct world_span run = job->last_run;
        if (job->may_queue) /* one run follows upon the other, as soon as the end is heard of */
                run.from_us = queued_from(job);
        if (w->store) /* what was before them in the row may have waited for the ledger */
                run.from_us -= ENGINE_CLAIM_WAIT_US + ENGINE_CLAIM_GAP_US;
        if (plan_is_wall(&job->when) && w->stepped_bt_us >= run.from_us)
                return;
        int64_t offset_us = slot_clock_offset(w, job), bound_us = job->draw_bound_us;
        int64_t from_us = slot_instant(job, first) - offset_us, to_us = slot_instant(job, last) - offset_us;
        if (from_us + bound_us < run.from_us || to_us > run.to_us ||
            (to_us == run.to_us && job->last_run.from_us < run.to_us && !job->is_running && !job->is_killed))
                world_fail(w, "%s: slots %lld..%lld missed by overlap, but the run was %lld..%lld and the slots %lld..%lld",
                           job->name, (long long)first, (long long)last, (long long)run.from_us, (long long)run.to_us,
                           (long long)from_us, (long long)to_us);
}

static void check_down(struct world *w, const struct world_job *job, int64_t first, int64_t last) {
        if (job->is_moved || (plan_is_wall(&job->when) && (w->store || w->stepped_bt_us >= w->down.from_us)))
                return;
        if (slot_instant(job, last) > (plan_is_wall(&job->when) ? w->down_to_rt_us : w->down.to_us))
                world_fail(w, "%s: slots %lld..%lld missed while down, but they came after", job->name, (long long)first,
                           (long long)last);
}

static void check_suspended(struct world *w, const struct world_job *job, int64_t first, int64_t last) {
        int64_t ago_us = (plan_is_wall(&job->when) ? w->woken_rt_us : w->slept.to_us) - slot_instant(job, last);
        bool is_of_latest = w->n_sleeps == 1 && w->n_steps == 0; /* else it may be told of an earlier one, by another time */
        if (ago_us < 0 || (is_of_latest && ago_us - plan_draw_bound(&job->when) > w->slept.to_us - w->slept.from_us))
                world_fail(w, "%s: slots %lld..%lld missed in a sleep of %lld us, but that ended %lld us after them", job->name,
                           (long long)first, (long long)last, (long long)(w->slept.to_us - w->slept.from_us),
                           (long long)ago_us);
}

/* Slots that no scheduler was up for are not late: they have a reason of their own. */
static void check_late(struct world *w, const struct world_job *job, int64_t first, int64_t last) {
        int64_t from_us = slot_instant(job, first), to_us = slot_instant(job, last);
        if (job->when.start_deadline_us != JOB_DEADLINE_NEXT || plan_draw_bound(&job->when) > 0 || job->may_wait)
                return;
        if (plan_is_wall(&job->when)) {
                if (from_us <= w->stepped.to_us && to_us > w->stepped.from_us)
                        world_fail(w, "%s: slots %lld..%lld too late, but the clock was set over them", job->name,
                                   (long long)first, (long long)last);
        } else if (!job->when.is_interrupted_retried && from_us < w->down.to_us && to_us > w->down.from_us)
                world_fail(w, "%s: slots %lld..%lld too late, but chimed was down", job->name, (long long)first,
                           (long long)last);
        else if (!w->store && from_us < w->slept.to_us && to_us > w->slept.from_us) /* a crash may have forgotten it */
                world_fail(w, "%s: slots %lld..%lld too late, but the machine slept", job->name, (long long)first,
                           (long long)last);
}

static void check_stepped(struct world *w, const struct world_job *job, int64_t first, int64_t last) {
        int64_t to_us = slot_instant(job, last);
        if (is_calendar_of_trail(w, job))
                return;
        if (!plan_is_wall(&job->when) || to_us > w->stepped.to_us || to_us + plan_draw_bound(&job->when) <= w->stepped.from_us)
                world_fail(w, "%s: slots %lld..%lld under a step of the clock, but it was set from %lld to %lld", job->name,
                           (long long)first, (long long)last, (long long)w->stepped.from_us, (long long)w->stepped.to_us);
}

static void check_missed(struct world *w, const struct world_job *job, const struct action *a) {
        static void (*const checks[SLOT_REASON_MAX])(struct world *, const struct world_job *, int64_t, int64_t) = {
                [SLOT_REASON_OVERLAP] = check_overlap,    [SLOT_REASON_DOWN] = check_down,
                [SLOT_REASON_CLOCK_STEP] = check_stepped, [SLOT_REASON_DEADLINE] = check_late,
                [SLOT_REASON_PAUSED] = check_paused,      [SLOT_REASON_SUSPENDED] = check_suspended,
        };
        bool is_withheld = a->outcome.outcome == SLOT_WITHHELD;
        if (a->outcome.outcome != slot_outcome_of(a->outcome.reason))
                world_fail(w, "%s: %s for the reason %s", job->name, slot_outcome_to_string(a->outcome.outcome),
                           slot_reason_to_string(a->outcome.reason));
        bool is_plain = job->when.catch_up == JOB_CATCH_UP_NONE && !job->may_catch_up;
        /* those that wait for each other are told late: what else happened meanwhile is not known here */
        is_plain |= job->when.catch_up == JOB_CATCH_UP_ALL && a->outcome.reason == SLOT_REASON_DOWN;
        bool is_far = job->when.agenda && a->outcome.last > WALK_MAX; /* they would be walked one by one */
        if (checks[a->outcome.reason] && plan_is_grid(&job->when) && (is_plain || is_withheld) && !is_far)
                checks[a->outcome.reason](w, job, a->outcome.first, a->outcome.last);
}

/* A slot that waited for a run to end may have done so over a step of the clock or into a new plan. */
static bool may_have_waited(const struct world *w, const struct world_job *job, const struct wire_start *start) {
        bool is_restored = w->store && w->n_steps > 0; /* and the clock was set back since */
        if (start->attempt > 1 || start->item == WIRE_ITEM_RETRY || start->item == WIRE_ITEM_CHAIN)
                return true; /* an end may be heard of long after it came */
        if (start->item == WIRE_ITEM_SCHEDULE && (is_restored || start->segment != job->segment.number))
                return true;
        return start->item != WIRE_ITEM_TRIGGER && (job->may_queue || job->may_await_place || job->may_wait);
}

/* The last slot of a grid that has come, but for one that may still draw its delay. */
static int64_t last_passed(const struct world *w, const struct world_job *job) {
        int64_t offset_us = plan_is_wall(&job->when) ? 0 : w->now.rt_us - w->now.bt_us;
        int64_t slot_now_us = (plan_is_wall(&job->when) ? w->now.rt_us : w->now.bt_us);
        if (job->when.until_us < INT64_MAX && slot_now_us > job->when.until_us - offset_us)
                slot_now_us = job->when.until_us - offset_us;
        if (!job->when.agenda)
                return (slot_now_us - job->segment.anchor_us) / job->when.every_us - (plan_draw_bound(&job->when) > 0);
        struct agenda_slot before = {.key = -1, .us = job->segment.anchor_us - 1};
        return walk_calendar(job, before, INT64_MAX, slot_now_us).key - (plan_draw_bound(&job->when) > 0);
}

/* Passed slots that all get their run: the oldest first, with the newest kept, and told as what they are. */
static void check_caught_up(struct world *w, const struct world_job *job, const struct action *a) {
        if (a->outcome.item != WIRE_ITEM_SCHEDULE || !plan_is_grid(&job->when) || job->when.catch_up != JOB_CATCH_UP_ALL ||
            job->start.attempt > 1 || job->may_queue || job->may_wait || job->may_await_place ||
            a->outcome.segment != job->segment.number || job->when.days) /* those on days that are left out don't count */
                return;
        if (is_calendar_of_trail(w, job))
                return;
        int64_t n_left = last_passed(w, job) - a->outcome.first + 1;
        bool is_late = job->start.cause == RUN_CAUSE_CATCH_UP;
        if (job->segment.n_ranges != 1)
                world_fail(w, "%s: slot %lld runs before an older one has its outcome", job->name, (long long)a->outcome.first);
        /* and those that came while it waited for the ledger */
        int64_t wait_us = w->store ? ENGINE_CLAIM_WAIT_US + ENGINE_CLAIM_GAP_US : 0, n_come = 0;
        if (wait_us > 0 && job->when.every_us > 0)
                n_come += wait_us / job->when.every_us + 1;
        if (wait_us > 0 && job->when.agenda)
                n_come += wait_us / USEC_PER_SEC + 1; /* no calendar here has more */
        if (n_left > (int64_t)job->when.catch_up_max + n_come)
                world_fail(w, "%s: slot %lld runs with %lld passed ones, but the newest %u are kept", job->name,
                           (long long)a->outcome.first, (long long)n_left, job->when.catch_up_max);
        if (is_late ? a->outcome.lag_us == 0 : n_left > 1)
                world_fail(w, "%s: slot %lld, %lld us late, is %s catch-up", job->name, (long long)a->outcome.first,
                           (long long)a->outcome.lag_us, is_late ? "a" : "no");
}

/* The start that this outcome tells of: how late it is said to be, and how many slots it says were missed before. */
static void check_ran(struct world *w, struct world_job *job, const struct action *a) {
        if (a->outcome.run == job->ending.run &&
            a->outcome.run != job->start.run) /* it could not be started, beside that one */
                return;
        bool is_wall = a->outcome.item == WIRE_ITEM_SCHEDULE && job->start.slot_us == job->start.slot_rt_us;
        int64_t at_bt_us = job->begun_bt_us;
        int64_t late_us = at_bt_us + (is_wall ? w->now.rt_us - w->now.bt_us : 0) - job->start.slot_us;
        int64_t bound_us = a->outcome.item != WIRE_ITEM_SCHEDULE ? 0 : job->draw_bound_us;
        bool is_stepped = plan_is_wall(&job->when) && w->stepped_bt_us >= job->begun_bt_us;
        bool is_of_before = a->outcome.item == WIRE_ITEM_SCHEDULE && a->outcome.segment != job->segment.number;
        if (may_have_waited(w, job, &job->start) || is_stepped || is_of_before || a->outcome.is_again)
                late_us = bound_us = a->outcome.lag_us;
        if (a->outcome.run != job->start.run || a->outcome.lag_us > late_us || a->outcome.lag_us < late_us - bound_us ||
            a->outcome.lag_us < 0)
                world_fail(w, "%s: run %llu (%llu) said to be %lld us late, not %lld", job->name,
                           (unsigned long long)a->outcome.run, (unsigned long long)job->start.run, (long long)a->outcome.lag_us,
                           (long long)late_us);
        if (refusals_are_refused(job) && a->outcome.run == job->start.run)
                world_fail(w, "%s: run %llu has run, and its conditions do not hold", job->name,
                           (unsigned long long)a->outcome.run);
        if (!job->start.asks_conditions && job->begun_bt_us == w->now.bt_us)
                check_caught_up(w, job, a);
}

static void note(struct world *w, const struct world_entry *entry) {
        if (w->n_entries == w->allocated_entries) {
                w->allocated_entries = w->allocated_entries * 2 + 64;
                w->entries = realloc(w->entries, w->allocated_entries * sizeof(*w->entries));
                if (!w->entries)
                        abort();
        }
        w->entries[w->n_entries++] = *entry;
}

/* True if the slots belong to a segment that is over and still owed them. */
static bool pay_debt(struct world *w, struct world_job *job, const struct action *a) {
        bool is_before = a->outcome.segment == job->before.number;
        if (w->store && is_before)
                account_in(w, job, &job->before, a->outcome.first, a->outcome.last);
        if (w->store && a->outcome.segment < job->segment.number) /* the store looks after older ones */
                return true;
        for (size_t i = 0; i < job->n_debts; i++) {
                struct world_debt *d = &job->debts[i];
                if (d->segment != a->outcome.segment || d->first != a->outcome.first || d->last != a->outcome.last)
                        continue;
                *d = job->debts[--job->n_debts];
                return true;
        }
        if (is_before && job->is_segment_new) /* what waited is told behind the segment that follows, by the same event */
                account_in(w, job, &job->before, a->outcome.first, a->outcome.last);
        return is_before && job->is_segment_new;
}

/* Slots on days that are left out are withheld, and no others for that. */
static void check_day(struct world *w, const struct world_job *job, const struct action *a) {
        int64_t until_us;
        if (a->outcome.segment != job->segment.number && a->outcome.item == WIRE_ITEM_SCHEDULE)
                return;
        bool has_begun = a->outcome.reason == SLOT_REASON_CONDITION; /* by the days of then */
        if (!job->when.days || a->outcome.outcome == SLOT_INTERRUPTED || has_begun ||
            (plan_is_delay(&job->when) && a->outcome.outcome != SLOT_RAN))
                return;
        bool may_have_waited = job->may_queue || job->may_await_place || job->may_wait;
        if ((a->outcome.outcome == SLOT_RAN || a->outcome.item != WIRE_ITEM_SCHEDULE) &&
            may_have_waited) /* over a change of its days */
                return;
        if (!plan_is_wall(&job->when) && w->n_steps > 0) /* it was another day when it passed */
                return;
        bool is_closed = !days_is_open(job->when.days, a->outcome.first_rt_us, &until_us) ||
                         !days_is_open(job->when.days, a->outcome.last_rt_us, &until_us);
        if (is_closed != (a->outcome.reason == SLOT_REASON_CALENDAR))
                world_fail(w, "%s: slots %lld..%lld are %s, on days that are %s", job->name, (long long)a->outcome.first,
                           (long long)a->outcome.last, slot_reason_to_string(a->outcome.reason), is_closed ? "closed" : "open");
}

static void on_outcome(struct world *w, struct world_job *job, const struct action *a) {
        int64_t last = a->outcome.last;
        if (a->outcome.outcome == SLOT_RAN && a->outcome.is_again && w->store) /* its start tells of it */
                return;
        refusals_check_outcome(w, job, a);
        if (!a->outcome.is_again) /* by a plan that may have changed since */
                check_day(w, job, a);
        if (w->planted == 3 && a->outcome.outcome == SLOT_MISSED && a->outcome.n > 1)
                last--; /* an off-by-one in the count */
        if (a->outcome.item == WIRE_ITEM_SCHEDULE && a->outcome.segment != job->segment.number && pay_debt(w, job, a))
                ;
        else if (a->outcome.item == WIRE_ITEM_SCHEDULE) {
                if (a->outcome.segment != job->segment.number)
                        world_fail(w, "%s: outcome for segment %u in segment %u", job->name, a->outcome.segment,
                                   job->segment.number);
                if (a->outcome.n != (uint64_t)(a->outcome.last - a->outcome.first) + 1)
                        world_fail(w, "%s: %llu slots in a range of others", job->name, (unsigned long long)a->outcome.n);
                if (w->planted != 1 || a->outcome.outcome != SLOT_RAN)
                        account(w, job, a->outcome.first, last);
                bool is_told_again = a->outcome.is_again; /* by a plan that may have changed since */
                if (!is_told_again && (a->outcome.outcome == SLOT_MISSED || a->outcome.outcome == SLOT_WITHHELD))
                        check_missed(w, job, a);
        }
        if (a->outcome.outcome == SLOT_MISSED)
                job->missed_since_run += a->outcome.n;
        else if (a->outcome.outcome == SLOT_RAN)
                check_ran(w, job, a);
        if (a->outcome.outcome == SLOT_RAN && a->outcome.is_again) /* it was counted before */
                return;
        job->totals.by_reason[a->outcome.reason] += a->outcome.n;
        if (a->outcome.outcome == SLOT_RAN)
                job->totals.ran += a->outcome.n;
        else if (a->outcome.outcome == SLOT_MISSED)
                job->totals.missed += a->outcome.n;
        else if (a->outcome.outcome == SLOT_WITHHELD)
                job->totals.withheld += a->outcome.n;
        else if (a->outcome.outcome == SLOT_INTERRUPTED)
                job->totals.interrupted += a->outcome.n;
        else
                job->totals.merged += a->outcome.n;
        if (w->watched && strcmp(w->watched, job->name) == 0)
                note(w, &(struct world_entry){
                                .outcome = a->outcome.outcome,
                                .reason = a->outcome.reason,
                                .item = a->outcome.item,
                                .first_rt_us = a->outcome.first_rt_us,
                                .last_rt_us = a->outcome.last_rt_us,
                                .n = a->outcome.n,
                                .start_rt_us = w->now.rt_us,
                                .lag_us = a->outcome.lag_us,
                                .cause = job->start.cause,
                                .run = a->outcome.run,
                        });
}

static void owe(struct world *w, struct world_job *job, uint32_t segment, int64_t first, int64_t last) {
        if (segment != job->segment.number)
                return;
        account(w, job, first, last);
        if (job->n_debts == WORLD_DEBTS)
                world_fail(w, "%s: too many slots of segments that are over", job->name);
        else
                job->debts[job->n_debts++] = (struct world_debt){segment, first, last};
}

/* Those that wait, the first at 0; NULL: there are no more. */
static const struct job_waiting *waiting_at(const struct job_cold *cold, uint32_t i) {
        if (i == 0)
                return cold->waiting.is_slot ? &cold->waiting : NULL;
        return cold->line && i <= cold->line->n ? &cold->line->slots[i - 1] : NULL;
}

/* A slot whose conditions are being asked has no outcome yet. */
static bool is_asking(const struct wire_start *start, bool is_started_told, uint32_t segment) {
        return !is_started_told && start->item == WIRE_ITEM_SCHEDULE && start->segment == segment;
}

static int64_t waiting_slots(const struct world_job *job, const struct job_cold *cold, uint32_t segment) {
        const struct job_waiting *slot;
        int64_t n = job->is_running && is_asking(&job->start, job->is_started_told, segment);
        for (size_t i = 0; i < job->n_others; i++)
                n += is_asking(&job->others[i].start, job->others[i].is_started_told, segment);
        for (uint32_t i = 0; (slot = waiting_at(cold, i)); i++)
                n += slot->item == WIRE_ITEM_SCHEDULE && slot->segment == segment;
        return n;
}

/* What the engine still holds of the segment that ends. */
static void owe_open(struct world *w, struct world_job *job, uint32_t row) {
        const struct registry *g = engine_registry(w->engine);
        const struct job_cold *cold = registry_cold(g, &g->rows[row]);
        const struct job_waiting *slot;
        for (uint32_t i = 0; cold && (slot = waiting_at(cold, i)); i++) {
                if (slot->item == WIRE_ITEM_SCHEDULE)
                        owe(w, job, slot->segment, slot->key, slot->key);
        }
        if (job->is_running && is_asking(&job->start, job->is_started_told, job->segment.number))
                owe(w, job, job->start.segment, job->start.key, job->start.key);
        for (size_t i = 0; i < job->n_others; i++)
                if (is_asking(&job->others[i].start, job->others[i].is_started_told, job->segment.number))
                        owe(w, job, job->others[i].start.segment, job->others[i].start.key, job->others[i].start.key);
        if (cold && cold->merging.is_open)
                owe(w, job, cold->merging.segment, cold->merging.first, cold->merging.last);
}

/* The policy that the engine should be working by. */
static struct job_when effective(const struct world_job *job) {
        struct job_when when = job->committed;
        if (job->interval_us > 0)
                job_when_set_every(&when, job->interval_us);
        return when;
}

static void on_segment(struct world *w, struct world_job *job, const struct action *a) {
        if (a->segment.segment <= job->segment.number)
                world_fail(w, "%s: segment %u after %u", job->name, a->segment.segment, job->segment.number);
        job->when = effective(job);
        job->is_moved = job->is_finished = false;
        if (!w->store)
                owe_open(w, job, a->job);
        job->before = job->segment;
        job->is_segment_new = true;
        job->segment = (struct world_segment){
                .number = a->segment.segment,
                .anchor_us = a->segment.anchor_us,
                .first_key = a->segment.first_key,
        };
}

/* ---- the fake runner ---- */

/* No phantom run: a slot's run starts only where nobody holds the job, a run without slot only where a trigger asked for it. */
static void check_allowed(struct world *w, const struct world_job *job, const struct wire_start *start) {
        bool is_asked = start->run == job->promised || w->is_triggering;
        if (job->promised > 0 && start->run != job->promised)
                world_fail(w, "%s: run %llu started where run %llu was promised", job->name, (unsigned long long)start->run,
                           (unsigned long long)job->promised);
        if (start->item == WIRE_ITEM_TRIGGER && !is_asked)
                world_fail(w, "%s: run %llu started, and nobody asked for it", job->name, (unsigned long long)start->run);
        const struct job_row *row = &engine_registry(w->engine)->rows[registry_find(engine_registry(w->engine), job->name)];
        const struct job_cold *cold = registry_cold(engine_registry(w->engine), row);
        if (job->when.max_runs > 0 && cold->n_scheduled > job->when.max_runs && start->item != WIRE_ITEM_TRIGGER &&
            start->item != WIRE_ITEM_RETRY)
                world_fail(w, "%s: run %llu is one more than MaxRuns=%u", job->name, (unsigned long long)start->run,
                           job->when.max_runs);
        if (start->item == WIRE_ITEM_SCHEDULE && plan_is_wall(&job->when) && start->segment == job->segment.number &&
            start->attempt == 1 && (start->slot_us < job->when.not_before_us || start->slot_us > job->when.until_us))
                world_fail(w, "%s: slot %lld is outside of its schedule", job->name, (long long)start->slot_us);
        if (job->is_finished && start->item != WIRE_ITEM_TRIGGER && !may_have_waited(w, job, start))
                world_fail(w, "%s: run %llu started, and its schedule is over", job->name, (unsigned long long)start->run);
        if (start->item != WIRE_ITEM_TRIGGER && ((job->is_paused && start->item != WIRE_ITEM_RETRY) || job->is_cancelled))
                world_fail(w, "%s: run %llu started, and the job is %s", job->name, (unsigned long long)start->run,
                           job->is_paused ? "paused" : "cancelled");
        if (job->is_cancelled && start->run != job->promised && !w->is_forcing)
                world_fail(w, "%s: run %llu of a cancelled job started without force", job->name,
                           (unsigned long long)start->run);
}

/* The claim that is on its way has been so for longer than a slot waits. */
static bool is_claim_overdue(const struct world *w) {
        return w->n_horizons > 0 && w->now.bt_us - w->horizons[0].asked_bt_us >= ENGINE_CLAIM_WAIT_US;
}

/* By the policy at hand, and by the one that a commit is about to put in force. */
static bool is_claimed(const struct world_job *job) {
        return plan_is_claimed(&job->when) && plan_is_claimed(&job->committed);
}

bool world_starts_unclaimed(const struct world *w, const struct world_job *job) {
        return w->store && (!is_claimed(job) || is_claim_overdue(w));
}

/* Wall grids run: the clock is right, or they have waited long enough. */
static bool is_clock_trusted(const struct world *w) {
        return w->hello.is_synchronised || w->now.bt_us >= w->sync_wait_us;
}

/* Nothing starts that a power cut in this instant would start again: what is durable says that it may have been started. */
static void check_claimed(struct world *w, const struct world_job *job, const struct wire_start *start) {
        if (start->attempt > 1) /* it may run twice */
                return;
        if (!w->store || start->item != WIRE_ITEM_SCHEDULE || !is_claimed(job) || is_claim_overdue(w))
                return;
        const struct store_job *kept = store_find(w->store, job->name);
        if (!kept || !kept->has_image || w->store->boot != w->hello.boot_id[0]) {
                world_fail(w, "%s: a slot starts, and the ledger does not have its %s", job->name, kept ? "horizon" : "job");
                return;
        }
        int64_t horizon_us = plan_is_wall(&job->when) ? w->store->horizon.rt_us : w->store->horizon.bt_us;
        if (kept->image.is_late ? start->key > kept->image.late_key
                                : start->segment == job->segment.number && start->slot_us > horizon_us)
                world_fail(w, "%s: slot %lld of segment %u starts, which is not claimed: at %lld, claimed %s %lld", job->name,
                           (long long)start->key, start->segment, (long long)start->slot_us,
                           kept->image.is_late ? "up to slot" : "until",
                           (long long)(kept->image.is_late ? kept->image.late_key : horizon_us));
}

/* Whatever was forgotten: no slot is started twice, unless it had to do without the ledger. */
static void check_once(struct world *w, struct world_job *job, const struct wire_start *start) {
        if (!w->store || start->item != WIRE_ITEM_SCHEDULE || start->attempt > 1)
                return;
        if (job->started_slot_rt_us > 0 && job->started_steps == w->n_steps && !job->was_unclaimed && !job->may_queue &&
            !job->may_wait &&
            start->slot_rt_us < job->started_slot_rt_us + (start->segment != job->started_segment ? 0
                                                           : job->max_parallel > 0                ? 1
                                                                                                  : USEC_PER_MSEC))
                world_fail(w, "%s: the slot of %lld was started again, or one before it: %lld", job->name,
                           (long long)job->started_slot_rt_us, (long long)start->slot_rt_us);
        bool is_stepped = job->may_await_place && start->slot_rt_us > w->now.rt_us;
        if (is_stepped || start->segment != job->segment.number) /* it has waited, perhaps over a step */
                return;
        /* one of before a step has its time by the clock as it was */
        bool is_of_before = !plan_is_wall(&job->when) && start->slot_us < w->stepped_bt_us;
        job->started_slot_rt_us = is_of_before ? 0 : start->slot_rt_us;
        job->started_segment = start->segment;
        job->started_steps = w->n_steps;
        int64_t horizon_us = plan_is_wall(&job->when) ? w->store->horizon.rt_us : w->store->horizon.bt_us;
        /* what counts is the instant with its drawn delay, which is not known here: it may be later by so much */
        int64_t due_us = start->slot_us + job->draw_bound_us;
        job->was_unclaimed = is_claim_overdue(w) || w->store->boot != w->hello.boot_id[0] || due_us > horizon_us;
}

/* ---- runs of a job at the same time: the latest stands in the job itself ---- */

static struct world_flight take_flight(struct world_job *job) {
        job->is_running = false;
        return (struct world_flight){job->start,       job->is_started_told, job->is_killed,
                                     job->begun_bt_us, job->end_bt_us,       job->end};
}

static void put_flight(struct world_job *job, struct world_flight f) {
        job->is_running = true;
        job->start = f.start;
        job->is_started_told = f.is_started_told;
        job->is_killed = f.is_killed;
        job->begun_bt_us = f.begun_bt_us;
        job->end_bt_us = f.end_bt_us;
        job->end = f.end;
}

/* Another one stands in the job for a while. */
static void swap_flight(struct world_job *job, size_t i) {
        struct world_flight f = job->others[i];
        job->others[i] = take_flight(job);
        put_flight(job, f);
}

static void settle_flights(struct world_job *job) {
        size_t latest = 0;
        for (size_t i = 1; i < job->n_others; i++)
                if (job->others[i].start.run > job->others[latest].start.run)
                        latest = i;
        if (job->n_others == 0)
                return;
        if (!job->is_running) {
                put_flight(job, job->others[latest]);
                job->others[latest] = job->others[--job->n_others];
        } else if (job->others[latest].start.run > job->start.run)
                swap_flight(job, latest);
}

static void on_kill(struct world *w, struct world_job *job, uint64_t run) {
        for (size_t i = 0; i < job->n_others; i++)
                if (job->others[i].start.run == run)
                        swap_flight(job, i);
        if (!job->is_running || job->start.run != run)
                world_fail(w, "%s: run %llu is to be ended, but is not in flight", job->name, (unsigned long long)run);
        if (job->is_killed)
                world_fail(w, "%s: run %llu is to be ended twice", job->name, (unsigned long long)run);
        job->is_killed = true;
        job->end.result = RUN_RESULT_CANCELLED;
        if (job->end_bt_us > w->now.bt_us + w->kill_us)
                job->end_bt_us = w->now.bt_us + w->kill_us;
        if (job->n_others == 0)
                job->last_run.to_us = job->end_bt_us;
        settle_flights(job);
}

static void on_dropped(struct world *w, struct world_job *job, uint64_t run) {
        if (run != job->promised)
                world_fail(w, "%s: run %llu is dropped, which nobody was promised", job->name, (unsigned long long)run);
        job->promised = 0;
        refusals_drop_trigger(job);
        job->totals.dropped++;
}

/* A schedule that is over has no slot to come. */
static void check_finished(struct world *w, const struct world_job *job) {
        const struct job_row *row = &engine_registry(w->engine)->rows[registry_find(engine_registry(w->engine), job->name)];
        const struct job_cold *cold = registry_cold(engine_registry(w->engine), row);
        const struct job_when *when = &job->when;
        if (job->is_finished)
                world_fail(w, "%s: its schedule ends twice", job->name);
        if (when->max_runs > 0 && cold && cold->n_scheduled >= when->max_runs)
                return;
        if (cold && cold->last_result == RUN_RESULT_FINISHED)
                return;
        if (when->until_us == INT64_MAX && !when->agenda)
                world_fail(w, "%s: its schedule ends, and it has no end", job->name);
        else if (plan_is_wall(when) && row->next_us <= when->until_us && row->next_us != PATTERN_NEVER)
                world_fail(w, "%s: its schedule ends before its last slot, at %lld", job->name, (long long)row->next_us);
}

static void on_hold(struct world *w, struct world_job *job, enum hold_change change) {
        switch (change) {
        case HOLD_EXPIRED:
                if (!job->is_held || w->now.bt_us < job->pause_until_us)
                        world_fail(w, "%s: a pause ends that was none, or too early", job->name);
                job->is_held = false;
                holds_expired(w, job->pause_until_us);
                break;
        case HOLD_INTERVAL_RESET:
                job->interval_us = 0;
                break;
        case HOLD_REMINDER:
                if (!job->is_held && !job->is_cancelled && !job->is_failed)
                        world_fail(w, "%s: reminded of a hold that is none", job->name);
                break;
        case HOLD_FINISHED:
                check_finished(w, job);
                job->is_finished = true;
                job->is_held = job->is_paused = false;
                break;
        case HOLD_FAILED:
                if (job->when.stop_after_failures == 0 || job->failed_in_row < job->when.stop_after_failures)
                        world_fail(w, "%s: stopped after %u failures", job->name, job->failed_in_row);
                job->is_failed = true;
                job->is_held = job->is_paused = false;
                break;
        case HOLD_PAUSED:
        case HOLD_RESUMED:
        case HOLD_CANCELLED:
        case HOLD_STARTED:
        case HOLD_INTERVAL_SET:
        case HOLD_CHANGE_MAX:
                break;
        }
}

/* ---- attempts ---- */

/* RetryDelay= x RetryBackoff= ^ n, in numbers that can't run over. */
static int64_t attempt_delay(const struct job_when *when, unsigned n) {
        double delay_us = (double)when->retry_delay_us;
        for (unsigned i = 0; i < n && delay_us < (double)when->retry_max_delay_us; i++)
                delay_us = (double)(int64_t)(delay_us * (double)when->retry_backoff_ppm / JOB_BACKOFF_ONE_PPM);
        return delay_us < (double)when->retry_max_delay_us ? (int64_t)delay_us : when->retry_max_delay_us;
}

static void note_failed(struct world_job *job) {
        job->failed_in_row++;
        job->owes_stop = job->when.stop_after_failures > 0 && job->failed_in_row >= job->when.stop_after_failures;
}

/* Its next slot leaves no time for another attempt, or may do so, as far as the world knows. */
static bool may_be_last(const struct world *w, const struct world_job *job, const struct job_row *row, int64_t at_bt_us) {
        const struct job_cold *cold = registry_cold(engine_registry(w->engine), row);
        if (row->state != JOB_STATE_ARMED || cold->run.run > 0 || cold->waiting.is_slot || job->may_queue ||
            job->may_catch_up || job->max_parallel > 0)
                return true;
        if (row->is_cancelled || row->is_failed) /* what had passed is off its plan */
                return true;
        if (!plan_is_grid(&job->when) || row->is_finished || row->is_paused)
                return false;
        return at_bt_us + slot_clock_offset(w, job) >= row->next_us;
}

/* What an end says of the attempts of its slot. */
static void check_attempts(struct world *w, struct world_job *job, const struct action *a) {
        const struct job_row *row = &engine_registry(w->engine)->rows[a->job];
        bool is_failure = run_result_is_failure(a->run.end.result), is_short = a->run.end.error == EAGAIN;
        unsigned attempt = a->run.run.attempt;
        int64_t at_us = a->run.end.end_bt_us + attempt_delay(&job->when, attempt - 1);
        if (job->max_parallel == 0) /* else another run's attempt may be awaited */
                job->next_attempt = 0;
        if (a->run.is_final && run_result_is_good(a->run.end.result))
                job->failed_in_row = 0;
        else if (a->run.is_final && is_failure) {
                note_failed(job);
                if (!is_short && attempt <= job->when.retries && !job->is_killed && !may_be_last(w, job, row, at_us) &&
                    !passed_clash(w, job, a->run.run.run))
                        world_fail(w, "%s: run %llu was attempt %u of %u, and there is none after it", job->name,
                                   (unsigned long long)a->run.run.run, attempt, job->when.retries + 1);
        }
        if (a->run.is_final)
                return;
        int64_t wait_us = w->now.bt_us + a->run.retry_us - at_us;
        if (!is_failure || a->run.is_short != is_short)
                world_fail(w, "%s: run %llu is to be tried again, but it was %s", job->name, (unsigned long long)a->run.run.run,
                           run_result_to_string(a->run.end.result));
        if (!is_short && attempt > job->when.retries)
                world_fail(w, "%s: run %llu was attempt %u, and another is to come", job->name,
                           (unsigned long long)a->run.run.run, attempt);
        if (!is_short && wait_us != 0 && (wait_us < 0 || a->run.retry_us > 0))
                world_fail(w, "%s: attempt %u comes %lld us off its time", job->name, attempt + 1, (long long)wait_us);
        job->next_attempt = (uint16_t)(attempt + !is_short);
        job->next_attempt_us = w->now.bt_us + a->run.retry_us;
        job->attempt_after = a->run.run.run;
}

/* An attempt was announced and comes in its time; and nothing else comes while it is awaited. */
static void check_attempt(struct world *w, struct world_job *job, const struct wire_start *start) {
        uint16_t next = job->next_attempt;
        bool is_asked = start->run == job->promised || w->is_triggering;
        job->next_attempt = 0;
        if (start->item != WIRE_ITEM_RETRY && next > 0)
                world_fail(w, "%s: run %llu started, and attempt %u was to come", job->name, (unsigned long long)start->run,
                           next);
        if (start->item != WIRE_ITEM_RETRY || job->may_repeat)
                return;
        if (start->attempt != next)
                world_fail(w, "%s: run %llu is attempt %u, but %u was to come", job->name, (unsigned long long)start->run,
                           start->attempt, next);
        if (w->now.bt_us < job->next_attempt_us && !is_asked)
                world_fail(w, "%s: attempt %u comes too early", job->name, next);
        const struct registry *g = engine_registry(w->engine);
        const struct job_row *row = &g->rows[registry_find(g, job->name)];
        if (plan_is_grid(&job->when) && row->segment == job->segment.number && row->state == JOB_STATE_ARMED &&
            !row->is_paused && !row->is_finished && !row->is_failed && !job->when.days && row->next_us < job->when.until_us &&
            row->next_us + job->draw_bound_us <= w->now.bt_us + slot_clock_offset(w, job))
                world_fail(w, "%s: attempt %u comes when the next slot has come", job->name, next);
}

static void on_given_up(struct world *w, struct world_job *job, const struct action *a) {
        bool was_begun = a->given_up.reason == SLOT_REASON_NONE && job->next_attempt == 0;
        if (a->given_up.retry.attempt != job->next_attempt && !was_begun && job->max_parallel == 0) /* else there are several */
                world_fail(w, "%s: attempt %u is given up, but %u was to come", job->name, a->given_up.retry.attempt,
                           job->next_attempt);
        job->next_attempt = 0;
        refusals_drop_attempt(job, &a->given_up.retry);
        if (a->given_up.reason == SLOT_REASON_NONE)
                job->told_result = a->given_up.retry.result;
        if (a->given_up.is_final)
                note_failed(job);
}

/* What had to follow upon the failures of a job. */
static void check_stopped(struct world *w, struct world_job *job) {
        const struct registry *g = engine_registry(w->engine);
        uint32_t number = job->owes_stop ? registry_find(g, job->name) : INDEX_NONE;
        job->owes_stop = false;
        if (number == INDEX_NONE)
                return;
        const struct job_row *row = &g->rows[number];
        if (row->state == JOB_STATE_ARMED && !row->is_cancelled && !row->is_finished && !row->is_failed)
                world_fail(w, "%s: %u slots have failed, and it is not stopped", job->name, job->failed_in_row);
}

/* A segment that ended has all its slots accounted for, as soon as the event that ended it is told. */
static void check_before(struct world *w, struct world_job *job) {
        if (job->is_segment_new && job->before.n_ranges > 1 && !w->store)
                world_fail(w, "%s: segment %u ended with a gap", job->name, job->before.number);
        job->is_segment_new = false;
}

static void on_start(struct world *w, struct world_job *job, const struct wire_start *start) {
        if (job->is_running && job->n_others + 1 >= job->max_parallel)
                world_fail(w, "%s: run %llu started beside run %llu", job->name, (unsigned long long)start->run,
                           (unsigned long long)job->start.run);
        else if (job->is_running)
                job->others[job->n_others++] = take_flight(job);
        if (w->is_stopping)
                world_fail(w, "%s: run %llu started after the stop", job->name, (unsigned long long)start->run);
        check_allowed(w, job, start);
        check_attempt(w, job, start);
        if (start->item == WIRE_ITEM_SCHEDULE && start->attempt == 1 && start->segment == job->segment.number &&
            plan_is_wall(&job->when) && !is_clock_trusted(w) && start->slot_us > w->now.rt_us - w->now.bt_us &&
            !may_have_waited(w, job, start))
                world_fail(w, "%s: slot %lld started before the clock was right", job->name, (long long)start->key);
        check_claimed(w, job, start);
        check_once(w, job, start);
        if (start->run < w->hello.next_run && start->run != job->promised)
                world_fail(w, "%s: run number %llu used twice", job->name, (unsigned long long)start->run);
        if (start->item == WIRE_ITEM_SCHEDULE && start->attempt == 1 && job->trail.has_schedule &&
            start->segment == job->trail.segment && start->key <= job->trail.key && !refusals_have(job, start))
                world_fail(w, "%s: slot %lld of segment %u started again", job->name, (long long)start->key, start->segment);
        if (start->item == WIRE_ITEM_BOOT && start->attempt == 1 && job->is_boot_started)
                world_fail(w, "%s: boot slot started twice", job->name);
        int64_t slot_now_us = plan_is_wall(&job->when) && start->item == WIRE_ITEM_SCHEDULE ? w->now.rt_us : w->now.bt_us;
        if (start->slot_us > slot_now_us && !may_have_waited(w, job, start))
                world_fail(w, "%s: slot %lld started %lld us early", job->name, (long long)start->key,
                           (long long)(start->slot_us - slot_now_us));

        if (start->run >= w->hello.next_run)
                w->hello.next_run = start->run + 1;
        refusals_check_start(w, job, start);
        if (start->run == job->promised)
                job->promised = 0;
        if (start->missed != job->missed_since_run)
                world_fail(w, "%s: run %llu says that %llu slots were missed before it, not %llu", job->name,
                           (unsigned long long)start->run, (unsigned long long)start->missed,
                           (unsigned long long)job->missed_since_run);
        job->missed_since_run = 0;
        job->is_killed = false;
        bool was_refused = refusals_are_next(job); /* that was no run which others came under */
        job->start = *start;
        job->is_running = true;
        job->is_started_told = false;
        job->begun_bt_us = w->now.bt_us;
        job->totals.started++;
        pools_check_start(w, job);
        if (start->item == WIRE_ITEM_BOOT)
                job->is_boot_started = !is_claim_overdue(w); /* else nothing durable may speak for it */
        int64_t duration_us = 0;
        job->end = (struct run_end){.result = RUN_RESULT_SUCCESS};
        w->run_of(w->userdata, w, job, &duration_us, &job->end);
        job->end_bt_us = w->now.bt_us + duration_us;
        if (!was_refused) {
                memmove(&job->runs_before[1], &job->runs_before[0], sizeof(job->runs_before) - sizeof(job->runs_before[0]));
                job->runs_before[0] = job->last_run;
        }
        job->last_run = (struct world_span){w->now.bt_us, job->end_bt_us};

        job->has_trail = true;
        job->trail.run = start->run;
        if (start->item == WIRE_ITEM_BOOT)
                job->trail.is_boot_done = true;
        else if (start->item == WIRE_ITEM_SCHEDULE) {
                job->trail.has_schedule = true;
                job->trail.segment = start->segment;
                job->trail.anchor_us = start->anchor_us;
                job->trail.key = start->key;
                job->trail.slot_us = start->slot_us;
        }
}

/* ---- the ledger's side ---- */

/* What was missed before the next run, as far as it is told. */
static uint64_t missed_as_told(const struct world *w, const struct world_job *job) {
        const struct registry *g = engine_registry(w->engine);
        const struct job_cold *cold = registry_cold(g, &g->rows[registry_find(g, job->name)]);
        const struct job_range *open = &cold->missed;
        bool is_counted = open->is_open && !job->when.days && slot_outcome_of(open->reason) == SLOT_MISSED;
        uint64_t n_open = is_counted ? (uint64_t)(open->last - open->first) + 1 : 0;
        return cold->missed_since_run > n_open ? cold->missed_since_run - n_open : 0;
}

/* A run of which the ledger had not heard: its slot has run. */
static void on_heard(struct world *w, struct world_job *job, const struct action *a) {
        if (!w->store)
                return;
        job->missed_since_run = missed_as_told(w, job);
        if (a->run.run.item != WIRE_ITEM_SCHEDULE)
                return;
        if (a->run.run.segment == job->segment.number)
                account(w, job, a->run.run.key, a->run.run.key);
        else if (a->run.run.segment == job->before.number)
                account_in(w, job, &job->before, a->run.run.key, a->run.run.key);
        else if (a->run.run.segment > job->segment.number) /* older ones: the store has their account */
                world_fail(w, "%s: heard of run %llu of segment %u", job->name, (unsigned long long)a->run.run.run,
                           a->run.run.segment);
}

/* Every third of the adversary's jobs has a host, which keeps its results until their era is durable. */
static bool is_hosted(const struct world_job *job) {
        return strncmp(job->name, "job", 3) == 0 && atoi(job->name + 3) % 3 == 1;
}

/* All results of a job were noted by now. */
static void mark_results(struct world *w, struct world_job *job) {
        for (size_t k = 0; w->store && k < job->n_unacked; k++)
                if (is_hosted(job) && job->unacked[k].era == 0)
                        job->unacked[k].era = keeper_era(w->keeper) + 1;
}

static void acknowledge_hosts(struct world *w) {
        uint64_t era = keeper_kept_era(w->keeper, w->store->committed);
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                size_t n = 0;
                for (size_t k = 0; k < job->n_unacked; k++)
                        if (job->unacked[k].era == 0 || job->unacked[k].era > era)
                                job->unacked[n++] = job->unacked[k];
                job->n_unacked = n;
        }
}

static void on_durable(struct world *w) {
        uint64_t run;
        chains_check_durable(w, false);
        while (keeper_next_ack(w->keeper, w->store->committed, &run))
                for (size_t i = 0; i < w->n_jobs; i++)
                        for (size_t k = 0; k < w->jobs[i].n_unacked; k++)
                                if (w->jobs[i].unacked[k].start.run == run) {
                                        w->jobs[i].n_unacked--;
                                        memmove(&w->jobs[i].unacked[k], &w->jobs[i].unacked[k + 1],
                                                (w->jobs[i].n_unacked - k) * sizeof(w->jobs[i].unacked[0]));
                                        break;
                                }
        acknowledge_hosts(w);
        size_t n = 0;
        while (n < w->n_horizons && w->horizons[n].number <= w->store->committed)
                engine_claimed(w->engine, w->now, w->horizons[n++].at);
        memmove(w->horizons, w->horizons + n, (w->n_horizons - n) * sizeof(w->horizons[0]));
        w->n_horizons -= n;
        if (w->store->error[0])
                world_fail(w, "%s", w->store->error);
}

/* An acknowledgement that comes before the commit. */
static void acknowledge_all(struct world *w) {
        for (size_t i = 0; i < w->n_jobs; i++)
                w->jobs[i].n_unacked = 0;
}

static void flush(struct world *w, bool is_forced) {
        if (!w->store)
                return;
        if (w->planted == 9)
                acknowledge_all(w);
        w->store->planted = w->planted;
        w->store->now = w->now;
        w->store->now_boot = w->hello.boot_id[0];
        keeper_flush(w->keeper, w->engine, w->book, w->now, is_forced);
        if (w->store->number > w->store_lag)
                store_sync(w->store, w->store->number - w->store_lag);
        on_durable(w);
}

static void note_action(struct world *w, const struct action *a) {
        book_note(w->book, w->engine, w->now, a, NULL, 0);
        keeper_note(w->keeper, w->engine, w->book, w->now, a, NULL, 0);
        bool is_over = a->kind == ACTION_ENDED || a->kind == ACTION_REFUSED;
        if (is_over && !a->run.run.is_hosted && keeper_ended(w->keeper, w->now, a->run.run.run) < 0)
                abort();
        if (a->kind != ACTION_HORIZON)
                return;
        store_put_horizon(w->store, a->horizon, w->hello.boot_id[0]);
        if (w->n_horizons == 64)
                abort();
        w->horizons[w->n_horizons].at = a->horizon;
        w->horizons[w->n_horizons].asked_bt_us = w->asked_bt_us = w->now.bt_us;
        w->horizons[w->n_horizons++].number = w->store->number + 1;
        w->is_flush_wanted = true;
}

static void new_keeper(struct world *w) {
        if (keeper_new(&store_sink, w->store, w->hello.boot_id, &w->keeper) < 0 || book_new(&w->book) < 0)
                abort();
        w->n_horizons = 0;
        w->asked_bt_us = INT64_MIN / 2;
        store_put_life(w->store, w->hello.instance);
        store_put_start(w->store, w->now, w->hello.boot_id);
}

void world_begin_ledger(struct world *w) {
        w->store = calloc(1, sizeof(*w->store));
        if (!w->store)
                abort();
        memset(w->hello.boot_id, 1, sizeof(w->hello.boot_id));
        w->store->horizon = w->now;
        struct engine_past past = {.is_same_runner = true};
        memcpy(past.boot_id, w->hello.boot_id, sizeof(past.boot_id));
        memset(past.seed, 9, sizeof(past.seed));
        engine_set_past(w->engine, &past);
        new_keeper(w);
}

/* What the engine says of the job that is traced. */
static void trace(const struct world *w, const struct action *a, const char *name) {
        if (!w->traced || strcmp(w->traced, name) != 0)
                return;
        printf("  bt %lld rt %lld %s: ", (long long)w->now.bt_us, (long long)w->now.rt_us, name);
        if (a->kind == ACTION_START)
                printf("start run %llu, slot %lld of segment %u at %lld, item %d, cause %d\n", (unsigned long long)a->start.run,
                       (long long)a->start.key, a->start.segment, (long long)a->start.slot_rt_us, (int)a->start.item,
                       (int)a->start.cause);
        else if (a->kind == ACTION_OUTCOME)
                printf("%s %s slots %lld..%lld of segment %u from %lld, item %d, run %llu\n",
                       slot_outcome_to_string(a->outcome.outcome), slot_reason_to_string(a->outcome.reason),
                       (long long)a->outcome.first, (long long)a->outcome.last, a->outcome.segment,
                       (long long)a->outcome.first_rt_us, (int)a->outcome.item, (unsigned long long)a->outcome.run);
        else if (a->kind == ACTION_STARTED || a->kind == ACTION_ENDED)
                printf("run %llu %s\n", (unsigned long long)a->run.run.run, a->kind == ACTION_STARTED ? "started" : "ended");
        else if (a->kind == ACTION_REFUSED)
                printf("run %llu refused, %s, next run %llu\n", (unsigned long long)a->run.run.run,
                       a->run.is_asked_again ? "asked again" : "for good", (unsigned long long)a->run.next_run);
        else if (a->kind == ACTION_SEGMENT)
                printf("segment %u from slot %lld\n", a->segment.segment, (long long)a->segment.first_key);
        else
                printf("action %d %s\n", (int)a->kind, a->kind == ACTION_HOLD ? hold_change_to_string(a->hold) : "");
}

void world_take_actions(struct world *w) {
        const struct action *a;
        while ((a = engine_next_action(w->engine))) {
                w->n_actions++;
                if (w->store)
                        note_action(w, a);
                if (a->kind == ACTION_GROUP_HOLD)
                        holds_take_action(w, a);
                if (a->job == INDEX_NONE)
                        continue;
                struct world_job *job = world_find(w, engine_job_name(w->engine, a->job));
                if (!job) {
                        world_fail(w, "an action for a job that nobody defined");
                        continue;
                }
                trace(w, a, job->name);
                chains_note(w, job, a);
                if (a->kind == ACTION_START) {
                        struct wire_start start = passed_check_start(w, job, a->job, &a->start);
                        on_start(w, job, &start);
                        if (w->planted == 2 && a->start.key % 7 == 3)
                                on_start(w, job, &a->start); /* a double start */
                } else if (a->kind == ACTION_GONE) {
                        refusals_forget(job);
                        job->segment = (struct world_segment){0};
                        job->failed_in_row = 0;
                        job->n_debts = 0;
                } else if (a->kind == ACTION_KILL)
                        on_kill(w, job, a->kill_run);
                else if (a->kind == ACTION_REFUSED) {
                        passed_note_refused(w, job, a);
                        refusals_note(w, job, a);
                } else if (a->kind == ACTION_DROPPED && w->planted != 5) /* a cancel that forgets what waits */
                        on_dropped(w, job, a->run.run.run);
                else if (a->kind == ACTION_HOLD) {
                        on_hold(w, job, a->hold);
                        if (w->planted == 7 && a->hold == HOLD_EXPIRED && !job->is_running) /* a run that nobody asked for */
                                on_start(w, job, &(struct wire_start){.run = w->hello.next_run, .item = WIRE_ITEM_TRIGGER});
                } else if (a->kind == ACTION_SEGMENT)
                        on_segment(w, job, a);
                else if (a->kind == ACTION_OUTCOME) {
                        on_outcome(w, job, a);
                        if (w->planted == 13 && a->outcome.reason == SLOT_REASON_CONDITION) /* withheld twice */
                                on_outcome(w, job, a);
                } else if (a->kind == ACTION_OVERDUE) {
                        job->n_overdue += !a->overdue.is_again && !a->overdue.is_over;
                        job->n_overdue_again += a->overdue.is_again && !a->overdue.is_over;
                        job->n_overdue_over += a->overdue.is_over;
                } else if (a->kind == ACTION_GIVEN_UP)
                        on_given_up(w, job, a);
                else if (a->kind == ACTION_STARTED && a->run.is_again)
                        on_heard(w, job, a);
                else if (a->kind == ACTION_ENDED) {
                        if (a->run.run.is_known && !a->run.run.is_told) /* it could not be started */
                                on_heard(w, job, a);
                        bool is_failure = run_result_is_failure(a->run.end.result);
                        bool is_known = job->max_parallel == 0 || w->hello.epoch == 1; /* else the order of ends may be lost */
                        if (is_known && a->run.has_changed != (job->told_result == RUN_RESULT_NONE ||
                                                               run_result_is_failure(job->told_result) != is_failure))
                                world_fail(w, "%s: run %llu: a change of the result is said to be none, or the reverse",
                                           job->name, (unsigned long long)a->run.run.run);
                        job->told_result = a->run.end.result;
                        check_attempts(w, job, a);
                        job->totals.ended++;
                        job->totals.failed += is_failure;
                }
        }
        for (size_t i = 0; i < w->n_jobs; i++) {
                check_stopped(w, &w->jobs[i]);
                check_before(w, &w->jobs[i]);
        }
        if (!w->chains.is_syncing)
                chains_check(w);
        if (engine_has_failed(w->engine))
                world_fail(w, "the engine ran out of memory");
        bool is_wanted = w->is_flush_wanted;
        w->is_flush_wanted = false;
        if (is_wanted)
                flush(w, true);
}

/* What is to be caught up waits for its draw, never longer than that can be. */
static bool is_spreading(struct world *w, const struct world_job *job, const struct job_cold *cold) {
        if (!cold || cold->catch_up_bt_us == 0)
                return false;
        if (cold->catch_up_bt_us - w->now.bt_us > job->spread_us)
                world_fail(w, "%s: catching up waits for %lld us", job->name, (long long)(cold->catch_up_bt_us - w->now.bt_us));
        return cold->catch_up_bt_us > w->now.bt_us;
}

/* The engine wants to be called in this instant. */
static bool is_wake_due(const struct world *w) {
        int64_t bt_us, rt_us;
        engine_next_wake(w->engine, &bt_us, &rt_us);
        return bt_us <= w->now.bt_us || rt_us <= w->now.rt_us;
}

static bool is_claim_awaited(const struct world *w, uint32_t job) {
        return engine_awaits_claim(w->engine, job);
}

/* A claim is on its way to the disk, or the next one is to travel together with others. */
static bool waits_for_ledger(const struct world *w) {
        return w->store && (w->n_horizons > 0 || w->now.bt_us < w->asked_bt_us + ENGINE_CLAIM_GAP_US);
}

/* A plan that begins with NotBefore= is made when the clock is right. */
static bool awaits_clock(const struct world *w, const struct world_job *job, const struct job_row *row) {
        return row->segment == 0 && job->when.not_before_us > 0 && !is_clock_trusted(w);
}

/* The job's next slot is on a day that is left out, and none has come since that may run: nobody need look at it. */
static bool is_closed(const struct world *w, const struct world_job *job, int64_t next_us) {
        int64_t rt_us = next_us + (plan_is_wall(&job->when) ? 0 : w->now.rt_us - w->now.bt_us), until_us;
        if (!job->when.days || days_is_open(job->when.days, rt_us, &until_us))
                return false;
        while (until_us < DAYS_NEVER && !days_is_open(job->when.days, rt_us, &until_us))
                rt_us = until_us;
        int64_t distance_us = job->when.every_us > 0 ? job->when.every_us : 2 * USEC_PER_DAY;
        return w->now.rt_us < rt_us || w->now.rt_us - rt_us <= distance_us || plan_draw_bound(&job->when) > 0;
}

/* Nothing that is due may wait for another event: each job has a run in flight or its next slot to come. */
static void check_settled(struct world *w, const struct world_job *job) {
        const struct registry *g = engine_registry(w->engine);
        uint32_t number = registry_find(g, job->name);
        if (w->is_stopping)
                return;
        if (waits_for_ledger(w) || (plan_is_wall(&job->when) && !is_clock_trusted(w)))
                return;
        if (pools_are_awaited(w, job->name))
                return;
        if (!job->is_running && refusals_are_awaited(w, job))
                return;
        if (job->promised > 0 && !job->is_running)
                world_fail(w, "%s: idle, and run %llu was promised", job->name, (unsigned long long)job->promised);
        if (number == INDEX_NONE || g->rows[number].state != JOB_STATE_ARMED || job->is_running || !plan_exists(&job->when) ||
            job->is_paused || job->is_cancelled || job->is_finished || job->is_failed ||
            awaits_clock(w, job, &g->rows[number]) || is_spreading(w, job, registry_cold(g, &g->rows[number])))
                return;
        const struct job_cold *cold = registry_cold(g, &g->rows[number]);
        if (cold && cold->retry.is_waiting && cold->retry.at_bt_us <= w->now.bt_us)
                world_fail(w, "%s: idle, and attempt %u is left over", job->name, cold->retry.attempt);
        if (cold && cold->retry.is_waiting && plan_is_delay(&job->when))
                return;
        if (plan_has_delay(&job->when) && !cold->retry.is_waiting &&
            (cold->delay_bt_us == 0 || cold->delay_bt_us <= w->now.bt_us) && w->now.rt_us <= job->when.until_us &&
            !(job->when.days && cold->delay_bt_us == 0))
                world_fail(w, "%s: idle, and its delay, which is over since %lld, is left over", job->name,
                           (long long)cold->delay_bt_us);
        if (is_closed(w, job, g->rows[number].next_us))
                return;
        if (plan_has_delay(&job->when) && g->rows[number].next_us > job->when.until_us) /* no slot; the delay goes on */
                return;
        int64_t next_us = g->rows[number].next_us - slot_clock_offset(w, job) + plan_draw_bound(&job->when);
        if (next_us <= w->now.bt_us)
                world_fail(w, "%s: idle, and a slot that was due %lld us ago is left over", job->name,
                           (long long)(w->now.bt_us - next_us));
}

static void next_wake(const struct world *w, int64_t *ret_bt_us, int64_t *ret_rt_us) {
        engine_next_wake(w->engine, ret_bt_us, ret_rt_us);
        if (w->store && keeper_next_flush(w->keeper) < *ret_bt_us)
                *ret_bt_us = keeper_next_flush(w->keeper);
}

/* Of the run that stands in the job. */
static void tell_started(struct world *w, struct world_job *job) {
        if (!job->is_running || job->is_started_told || refusals_are_next(job))
                return;
        job->is_started_told = true;
        engine_started(w->engine, w->now,
                       &(struct wire_started){
                               .run = job->start.run,
                               .pid = 1,
                               .start_bt_us = job->begun_bt_us,
                               .start_rt_us = w->now.rt_us - (w->now.bt_us - job->begun_bt_us),
                       });
        world_take_actions(w);
}

static void tell_all_started(struct world *w, struct world_job *job) {
        tell_started(w, job);
        for (size_t i = 0; i < job->n_others; i++) {
                swap_flight(job, i);
                tell_started(w, job);
        }
        settle_flights(job);
}

static void advance(struct world *w) {
        int r;
        do {
                uint64_t committed = w->store ? w->store->committed : 0;
                r = engine_advance(w->engine, w->now);
                world_take_actions(w);
                for (size_t i = 0; i < w->n_jobs && !w->holds_started; i++)
                        tell_all_started(w, &w->jobs[i]);
                flush(w, false);
                if (w->store && w->store->committed != committed)
                        r = 1; /* what waited for it may start */
        } while (r > 0 && !w->error[0]);
        for (size_t i = 0; i < w->n_jobs; i++)
                check_settled(w, &w->jobs[i]);
        if (!w->is_stopping && !waits_for_ledger(w))
                pools_check_waiting(w);
        int64_t bt_us, rt_us;
        next_wake(w, &bt_us, &rt_us);
        if (bt_us <= w->now.bt_us || rt_us <= w->now.rt_us)
                world_fail(w, "the engine wants to be woken at once again");
}

struct world_job *world_define(struct world *w, const char *name, const struct job_when *when) {
        struct world_job *job = world_find(w, name);
        if (!job) {
                if (w->n_jobs == WORLD_JOBS)
                        abort();
                job = &w->jobs[w->n_jobs++];
                snprintf(job->name, sizeof(job->name), "%s", name);
        }
        if (!job->is_defined) {
                job->is_defined = true;
                job->since_rt_us = w->now.rt_us;
                job->since_bt_us = w->now.bt_us;
        }
        job->defined = *when;
        if (job->draw_bound_us < plan_draw_bound(when))
                job->draw_bound_us = plan_draw_bound(when);
        if (when->overlap == JOB_OVERLAP_QUEUE && job->queue_max < when->queue_max)
                job->queue_max = when->queue_max;
        if (job->queue_max == 0)
                job->queue_max = 1;
        job->may_await_place |= when->ties || w->max_running > 0;
        job->may_repeat |= when->is_interrupted_retried;
        if (when->overlap == JOB_OVERLAP_PARALLEL && job->max_parallel < when->max_parallel)
                job->max_parallel = when->max_parallel;
        job->may_wait |= when->condition_wait_us > 0;
        if (job->wait_bound_us < when->condition_wait_us)
                job->wait_bound_us = when->condition_wait_us;
        job->may_queue |= when->overlap == JOB_OVERLAP_QUEUE || when->overlap == JOB_OVERLAP_REPLACE;
        job->may_catch_up |= when->catch_up == JOB_CATCH_UP_ALL || when->catch_up_spread_us > 0;
        if (job->spread_us < when->catch_up_spread_us)
                job->spread_us = when->catch_up_spread_us;
        job->hash.word[0]++;
        struct wire_define define = {
                .hash = job->hash,
                .since_rt_us = job->since_rt_us,
                .since_bt_us = job->since_bt_us,
                .has_trail = job->has_trail,
                .trail = job->trail,
                .name = job->name,
                .host = is_hosted(job) ? "host" : NULL,
        };
        if (engine_define(w->engine, &define, when, NULL) < 0)
                abort();
        return job;
}

void world_remove(struct world *w, const char *name) {
        struct world_job *job = world_find(w, name);
        job->is_defined = false;
        engine_remove(w->engine, name);
}

static void put_in_force(struct world_job *job) {
        if (job->committed.on_boot_us !=
            job->defined.on_boot_us) /* another slot; both may die before anybody knows of the first */
                job->is_boot_started = false;
        job->committed = job->defined;
        job->is_committed = job->is_defined;
}

/* Another schedule arms a job again whose old one was over; no action tells of it. */
static void note_armed(struct world *w) {
        const struct registry *g = engine_registry(w->engine);
        for (size_t i = 0; i < w->n_jobs; i++) {
                uint32_t number = registry_find(g, w->jobs[i].name);
                w->jobs[i].is_finished = w->jobs[i].is_finished && number != INDEX_NONE && g->rows[number].is_finished;
        }
}

void world_commit(struct world *w) {
        for (size_t i = 0; i < w->n_jobs; i++)
                put_in_force(&w->jobs[i]);
        pools_tell(w);
        pools_put_in_force(w);
        w->is_reordered = w->is_committing = true;
        w->chains.is_syncing = false;
        holds_foresee(w);
        engine_commit(w->engine, w->now,
                      &(struct wire_commit){.generation = ++w->generation, .time_sync_wait_us = w->sync_wait_us});
        world_take_actions(w);
        w->is_committing = false;
        note_armed(w);
        holds_settle(w, w->now.bt_us);
        for (size_t i = 0; i < w->n_jobs; i++)
                w->jobs[i].when = effective(&w->jobs[i]);
        advance(w);
}

/* The runner remembers an end when it sees it, told or not. */
static void note_end(struct world_job *job) {
        if (job->end.result == RUN_RESULT_CONDITION) /* it counts for nothing */
                return;
        job->trail.end_bt_us = job->end_bt_us;
        job->trail.last_result = job->end.result;
}

/* A short tick of a host is told with its end only. */
static bool is_told_at_end(const struct world_job *job) {
        return (job->start.run % 4 == 0) != is_hosted(job) && !job->start.asks_conditions;
}

static void deliver_end(struct world *w, struct world_job *job) {
        struct wire_ended ended = {.run = job->start.run, .end = job->end};
        ended.end.end_bt_us = job->end_bt_us;
        ended.end.end_rt_us = w->now.rt_us - (w->now.bt_us - job->end_bt_us);
        if (!is_told_at_end(job))
                tell_started(w, job);
        job->ending = job->start;
        job->is_running = false;
        note_end(job);
        if (w->store) {
                if (job->n_unacked == WORLD_UNACKED)
                        abort();
                job->unacked[job->n_unacked++] =
                        (struct world_result){job->start, job->begun_bt_us, job->end_bt_us, job->end, 0};
        }
        settle_flights(job);
        if (w->planted == 4 && ended.run % 5 == 0)
                return; /* a result that never arrives */
        if (engine_ended(w->engine, w->now, &ended) != 0)
                world_fail(w, "%s: the engine does not know run %llu", job->name, (unsigned long long)ended.run);
        world_take_actions(w);
        mark_results(w, job);
        job->ending.run = 0;
        if (!w->holds_started)
                tell_all_started(w, job);
        flush(w, false);
}

/* The run of a job that ends first stands in the job. */
static void bring_first_end(struct world_job *job) {
        for (size_t i = 0; i < job->n_others; i++)
                if (job->others[i].end_bt_us < job->end_bt_us)
                        swap_flight(job, i);
}

/* The job of the first end up to an instant; that run stands in it, to be delivered. */
static struct world_job *next_end(struct world *w, int64_t until_us) {
        struct world_job *first = NULL;
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                bring_first_end(job);
                if (job->is_running && job->end_bt_us <= until_us && (!first || job->end_bt_us < first->end_bt_us)) {
                        if (first)
                                settle_flights(first);
                        first = job;
                } else
                        settle_flights(job);
        }
        return first;
}

static void set_time(struct world *w, int64_t bt_us) {
        w->now.rt_us += bt_us - w->now.bt_us;
        w->now.bt_us = bt_us;
}

static void set_wall_clock(struct world *w, int64_t by_us) {
        w->now.rt_us += by_us;
        w->n_steps++;
        w->stepped_bt_us = w->now.bt_us;
        if (w->stepped.to_us > w->now.rt_us) /* what was left out comes after all */
                w->stepped.to_us = w->now.rt_us;
}

void world_run_to(struct world *w, int64_t bt_us) {
        while (!w->error[0]) {
                int64_t boot_us, real_us;
                next_wake(w, &boot_us, &real_us);
                if (real_us != INT64_MAX && real_us - (w->now.rt_us - w->now.bt_us) < boot_us)
                        boot_us = real_us - (w->now.rt_us - w->now.bt_us);
                int64_t at_us = boot_us < bt_us ? boot_us : bt_us;
                if (at_us < w->now.bt_us)
                        at_us = w->now.bt_us;
                struct world_job *job = next_end(w, at_us);
                if (job) {
                        if (job->end_bt_us > w->now.bt_us)
                                set_time(w, job->end_bt_us);
                        deliver_end(w, job);
                        world_check(w);
                        continue;
                }
                set_time(w, at_us);
                if (boot_us > bt_us)
                        return;
                advance(w);
                world_check(w);
        }
}

void world_stall(struct world *w, int64_t us) {
        int64_t until_us = w->now.bt_us + us;
        struct world_job *job;
        set_time(w, until_us);
        while ((job = next_end(w, until_us)))
                deliver_end(w, job);
        advance(w);
        world_check(w);
}

void world_reach_wake(struct world *w) {
        int64_t boot_us, real_us, offset_us = w->now.rt_us - w->now.bt_us;
        struct world_job *job;
        next_wake(w, &boot_us, &real_us);
        if (real_us != INT64_MAX && real_us - offset_us < boot_us)
                boot_us = real_us - offset_us;
        if (boot_us > w->now.bt_us + USEC_PER_DAY)
                return;
        while ((job = next_end(w, boot_us)) && !w->error[0]) {
                if (job->end_bt_us > w->now.bt_us)
                        set_time(w, job->end_bt_us);
                deliver_end(w, job);
        }
        set_time(w, boot_us);
}

static void get_round(struct world *w) {
        world_stall(w, w->slow_us);
}

/* The runs in flight, the latest at 0; NULL: none. */
static const struct wire_start *flight_at(const struct world_job *job, size_t i) {
        if (i == 0)
                return job->is_running ? &job->start : NULL;
        return &job->others[i - 1].start;
}

static void unaccount(struct world_segment *s, int64_t key) {
        size_t at = 0;
        while (at < s->n_ranges && s->ranges[at].last < key)
                at++;
        if (at == s->n_ranges)
                return;
        struct world_range before = {s->ranges[at].first, key - 1}, after = {key + 1, s->ranges[at].last}, kept[2];
        size_t n = 0;
        if (before.first <= before.last)
                kept[n++] = before;
        if (after.first <= after.last)
                kept[n++] = after;
        memmove(&s->ranges[at + n], &s->ranges[at + 1], (s->n_ranges - at - 1) * sizeof(s->ranges[0]));
        memcpy(&s->ranges[at], kept, n * sizeof(kept[0]));
        s->n_ranges += n - 1;
}

/* The slots of runs in flight have no outcome for a new scheduler: whether their conditions hold is told anew. */
static void forget_asked(struct world_job *job) {
        struct world_segment *s = &job->segment;
        const struct wire_start *asked[WORLD_PARALLEL + 1];
        size_t n = 0;
        for (size_t i = 0; i <= job->n_others; i++) {
                const struct wire_start *start = flight_at(job, i);
                if (start && start->item == WIRE_ITEM_SCHEDULE)
                        asked[n++] = start;
        }
        for (size_t i = 0; i < n; i++)
                if (asked[i]->segment == s->number && asked[i]->key < s->first_key) /* those behind it are told by nobody */
                        s->ranges[0].first = s->first_key = asked[i]->key;
        for (size_t i = 0; i < n; i++)
                if (asked[i]->segment == s->number)
                        unaccount(s, asked[i]->key);
                else
                        job->debts[job->n_debts++] = (struct world_debt){asked[i]->segment, asked[i]->key, asked[i]->key};
}

/* A new scheduler's account goes on where the runner's memory ends: what the old one told beyond it is told again. */
static void forget_untold(struct world_job *job) {
        struct world_segment *s = &job->segment;
        if (!job->trail.has_schedule || job->trail.segment != s->number) {
                uint32_t number = job->trail.has_schedule ? job->trail.segment : 0;
                *s = (struct world_segment){.number = number};
                if (number > 0) {
                        s->anchor_us = job->trail.anchor_us;
                        s->first_key = job->trail.key;
                        s->ranges[s->n_ranges++] = (struct world_range){job->trail.key, job->trail.key};
                }
                return;
        }
        s->n_ranges = 1;
        s->ranges[0] = (struct world_range){s->first_key, job->trail.key};
}

void world_crash(struct world *w, int64_t down_us) {
        world_crash_and_step(w, down_us, 0);
}

static void define_all(struct world *w) {
        pools_begin_anew(w);
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                if (!job->is_defined)
                        continue;
                struct wire_define define = {
                        .hash = job->hash,
                        .since_rt_us = job->since_rt_us,
                        .since_bt_us = job->since_bt_us,
                        .has_trail = job->has_trail,
                        .trail = job->trail,
                        .name = job->name,
                        .host = is_hosted(job) ? "host" : NULL,
                };
                if (engine_define(w->engine, &define, &job->defined, NULL) < 0)
                        abort();
        }
}

/* The runner tells of a run, and that it has started unless its conditions have not held, or will not. */
static void adopt(struct world *w, struct world_job *job, const struct wire_start *start, enum run_result result,
                  int64_t begun_bt_us) {
        struct wire_run run = {.start = *start, .name = job->name};
        const struct store_job *kept = w->store ? store_find(w->store, job->name) : NULL;
        /* the ledger knows what came of it */
        bool is_over = kept && kept->has_image && start->run <= kept->image.ended_run && start->run != kept->image.run.run;
        if (!is_over)
                refusals_adopt(job, start);
        if (start->item == WIRE_ITEM_RETRY && start->run > job->attempt_after && !is_over &&
            start->attempt == job->next_attempt) /* it has come */
                job->next_attempt = 0;
        if (engine_adopt(w->engine, w->now, &run) < 0)
                world_fail(w, "%s: run %llu not adopted", job->name, (unsigned long long)start->run);
        struct wire_started started = {
                .run = start->run, .start_bt_us = begun_bt_us, .start_rt_us = w->now.rt_us - (w->now.bt_us - begun_bt_us)};
        if (result != RUN_RESULT_START_FAILED && (!start->asks_conditions || result != RUN_RESULT_CONDITION))
                engine_started(w->engine, w->now, &started);
        world_take_actions(w);
        if (w->store &&
            (start->asks_conditions || wire_item_is_slot(start->item))) /* it has taken over what was missed before it */
                job->missed_since_run = missed_as_told(w, job);
}

/* A run whose result was not acknowledged. */
static void tell_result(struct world *w, struct world_job *job, const struct world_result *r) {
        adopt(w, job, &r->start, r->end.result, r->begun_bt_us);
        struct wire_ended ended = {.run = r->start.run, .end = r->end};
        ended.end.end_bt_us = r->end_bt_us;
        job->ending = r->start;
        engine_ended(w->engine, w->now, &ended);
        world_take_actions(w);
        job->ending.run = 0;
}

/* One in flight, or that has ended meanwhile. */
static void tell_flight(struct world *w, struct world_job *job, uint64_t run) {
        for (size_t i = 0; i < job->n_others && job->start.run != run; i++)
                if (job->others[i].start.run == run)
                        swap_flight(job, i);
        adopt(w, job, &job->start, job->end.result, job->begun_bt_us);
        job->is_started_told = !refusals_are_next(job);
        if (job->end_bt_us <= w->now.bt_us)
                deliver_end(w, job);
        settle_flights(job);
}

static uint64_t next_number(const struct world_job *job, uint64_t after, const struct world_result **ret_result) {
        uint64_t next = UINT64_MAX;
        *ret_result = NULL;
        for (size_t k = 0; k < job->n_unacked; k++)
                if (job->unacked[k].start.run > after && job->unacked[k].start.run < next) {
                        next = job->unacked[k].start.run;
                        *ret_result = &job->unacked[k];
                }
        if (job->is_running && job->start.run > after && job->start.run < next) {
                next = job->start.run;
                *ret_result = NULL;
        }
        for (size_t i = 0; i < job->n_others; i++)
                if (job->others[i].start.run > after && job->others[i].start.run < next) {
                        next = job->others[i].start.run;
                        *ret_result = NULL;
                }
        return next;
}

/* The runner tells of every run that was not acknowledged, by their numbers. */
static void tell_runs(struct world *w) {
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                const struct world_result *result;
                for (uint64_t run = 0; (run = next_number(job, run, &result)) < UINT64_MAX;)
                        if (result)
                                tell_result(w, job, result);
                        else
                                tell_flight(w, job, run);
        }
}

/* Of slots that the ledger knows by their number only those are open whose run is in flight. */
static void recall_loose(struct world *w, struct world_job *job, const struct store_job *kept) {
        const struct job_image *image = &kept->image;
        int64_t first = kept->loose.first, last = kept->loose.last;
        uint64_t n_open = 0;
        if (kept->n_loose == 0)
                return;
        account(w, job, first, last);
        for (size_t i = 0; i <= image->n_beside; i++) {
                const struct job_run *run = i == 0 ? &image->run : &image->beside[i - 1];
                if (run->run == 0 || run->segment != kept->segment || run->item != WIRE_ITEM_SCHEDULE || run->key < first ||
                    run->key > last)
                        continue;
                unaccount(&job->segment, run->key);
                n_open++;
        }
        if (kept->n_loose + n_open != (uint64_t)(last - first) + 1)
                world_fail(w, "%s: slots %lld..%lld: %llu have an outcome, %llu a run in flight", job->name, (long long)first,
                           (long long)last, (unsigned long long)kept->n_loose, (unsigned long long)n_open);
}

/* The world's account of a job becomes what is durable of it. */
static void recall_job(struct world *w, struct world_job *job) {
        put_in_force(job);
        const struct store_job *kept = store_find(w->store, job->name);
        const struct world_result *result;
        job->is_held = job->is_paused = job->is_cancelled = job->is_finished = job->is_failed = job->is_killed = false;
        for (size_t i = 0; i < job->n_others; i++)
                job->others[i].is_killed = false;
        job->promised = 0;
        job->interval_us = 0;
        job->next_attempt = 0;
        job->failed_in_row = 0;
        job->n_debts = 0;
        job->missed_since_run = 0;
        refusals_forget(job);
        job->when = job->defined;
        job->segment = job->before = (struct world_segment){0};
        size_t first = 0; /* result that is not in the ledger yet */
        while (kept && kept->has_image && first < job->n_unacked && job->unacked[first].start.run <= kept->image.ended_run)
                first++;
        job->told_result = first < job->n_unacked    ? job->unacked[first].start.last_result
                           : job->is_running         ? job->start.last_result
                           : kept && kept->has_image ? kept->image.last_result
                                                     : RUN_RESULT_NONE;
        if (!kept || !kept->has_image)
                return;
        if (kept->image.waiting.run > 0 && next_number(job, kept->image.waiting.run - 1, &result) != kept->image.waiting.run)
                job->promised = kept->image.waiting.run; /* it is to be told that it will not come */
        job->is_moved = memcmp(kept->image.boot_id, w->hello.boot_id, sizeof(w->hello.boot_id)) != 0;
        job->is_held = kept->image.is_paused;
        job->is_paused = job->is_held || (holds_are_on(w, &kept->when) && !kept->image.is_cancelled &&
                                          !kept->image.is_finished && !kept->image.is_failed);
        job->pause_until_us = kept->image.paused_until_rt_us < INT64_MAX
                                      ? kept->image.paused_until_rt_us - (w->now.rt_us - w->now.bt_us)
                                      : INT64_MAX;
        if (job->is_paused)
                job->pause = (struct world_span){INT64_MIN / 2, INT64_MAX};
        job->is_cancelled = kept->image.is_cancelled;
        job->is_finished = kept->image.is_finished;
        job->is_failed = kept->image.is_failed;
        job->failed_in_row = kept->image.n_failed;
        bool is_in_flight = kept->image.run.run > 0 && kept->image.run.item == WIRE_ITEM_RETRY &&
                            memcmp(w->store->instance, w->hello.instance, sizeof(w->store->instance)) == 0;
        job->next_attempt = kept->image.retry.is_waiting ? kept->image.retry.attempt
                            : is_in_flight               ? kept->image.run.attempt
                                                         : 0;
        job->attempt_after = !kept->image.retry.is_waiting && is_in_flight ? kept->image.run.run - 1 : kept->image.retry.run;
        job->next_attempt_us = kept->image.retry.is_waiting && !job->is_moved ? kept->image.retry.at_bt_us : INT64_MIN;
        job->interval_us = kept->image.every_us;
        job->missed_since_run = kept->image.missed_since_run;
        refusals_recall(w, job, &kept->image);
        job->when = kept->when;
        if (!job->is_defined) /* its run in flight belongs to what the ledger remembers */
                job->committed = kept->when;
        if (job->interval_us > 0)
                job_when_set_every(&job->when, job->interval_us);
        job->segment.number = kept->segment;
        job->segment.anchor_us = kept->anchor_us;
        job->segment.first_key = kept->first_key;
        job->segment.n_ranges = kept->n_ranges;
        memcpy(job->segment.ranges, kept->ranges, kept->n_ranges * sizeof(kept->ranges[0]));
        recall_loose(w, job, kept);
        /* of plans before only what is still open matters */
        job->before.number =
                kept->image.waiting.is_slot && kept->image.waiting.segment != kept->segment   ? kept->image.waiting.segment
                : kept->image.merging.is_open && kept->image.merging.segment != kept->segment ? kept->image.merging.segment
                                                                                              : kept->image.run.segment;
        if (job->before.number == job->segment.number)
                job->before.number = 0;
        job->before.first_key = INT64_MIN;
}

/* A new scheduler, which learns from the ledger and from the runner. */
static void begin_anew(struct world *w, bool is_resync) {
        bool is_same_runner = memcmp(w->store->instance, w->hello.instance, sizeof(w->store->instance)) == 0;
        new_engine(w);
        new_keeper(w);
        for (size_t i = 0; i < w->n_jobs; i++)
                for (size_t k = 0; k < w->jobs[i].n_unacked; k++)
                        w->jobs[i].unacked[k].era = 0;
        struct engine_past past = {.is_same_runner = is_same_runner, .horizon = w->store->horizon};
        memset(past.horizon_boot_id, 1, sizeof(past.horizon_boot_id));
        past.horizon_boot_id[0] = w->store->boot;
        past.last = w->store->last;
        memset(past.last_boot_id, 1, sizeof(past.last_boot_id));
        past.last_boot_id[0] = w->store->last_boot;
        memcpy(past.boot_id, w->hello.boot_id, sizeof(past.boot_id));
        memset(past.seed, 9, sizeof(past.seed));
        engine_set_past(w->engine, &past);
        holds_begin_anew(w);
        for (size_t i = 0; i < w->n_jobs; i++) {
                recall_job(w, &w->jobs[i]);
                const struct store_job *kept = store_find(w->store, w->jobs[i].name);
                if (!kept || !kept->has_image)
                        continue;
                if (engine_restore(w->engine, w->now, kept->name, &kept->when, &kept->image) < 0)
                        abort();
                if (kept->segment > 0)
                        keeper_has(w->keeper, registry_find(engine_registry(w->engine), kept->name));
        }
        world_take_actions(w);
        define_all(w);
        tell_runs(w);
        for (size_t i = 0; i < w->n_jobs; i++) /* hosts do not die here */
                if (is_hosted(&w->jobs[i]))
                        engine_trust_host(w->engine, w->jobs[i].name);
        w->chains.is_syncing = false;
        holds_foresee(w);
        engine_commit(w->engine, w->now,
                      &(struct wire_commit){
                              .generation = w->generation, .is_resync = is_resync, .time_sync_wait_us = w->sync_wait_us});
        world_take_actions(w);
        for (size_t i = 0; i < w->n_jobs; i++)
                mark_results(w, &w->jobs[i]);
        note_armed(w);
        holds_settle(w, w->now.bt_us);
        for (size_t i = 0; i < w->n_jobs; i++)
                w->jobs[i].when = effective(&w->jobs[i]);
}

/* The writer gets some of what is queued to the disk. */
static void cut(struct world *w) {
        w->engine = engine_free(w->engine);
        w->keeper = keeper_free(w->keeper);
        w->book = book_free(w->book);
        uint64_t n = w->store->number - w->store->committed;
        store_sync(w->store, w->store->committed + (n > 0 ? w->n_actions % (n + 1) : 0));
        chains_check_durable(w, true);
        store_cut(w->store);
}

/* Those that came while no scheduler was up, as the runner remembers them: the latest. */
static void note_ends(const struct world *w, struct world_job *job) {
        for (size_t i = 0; i < job->n_others; i++)
                if (job->others[i].end_bt_us <= w->now.bt_us && job->others[i].end.result != RUN_RESULT_CONDITION)
                        job->trail.last_result = job->others[i].end.result;
        if (job->is_running && job->end_bt_us <= w->now.bt_us)
                note_end(job);
}

void world_crash_and_step(struct world *w, int64_t down_us, int64_t by_us) {
        if (w->store)
                cut(w);
        w->engine = engine_free(w->engine);
        w->down = (struct world_span){w->now.bt_us, w->now.bt_us + down_us};
        set_time(w, w->down.to_us);
        if (by_us != 0)
                set_wall_clock(w, by_us);
        w->down_to_rt_us = w->now.rt_us;
        w->is_stopping = false;
        for (size_t i = 0; i < w->n_jobs; i++)
                note_ends(w, &w->jobs[i]);
        if (w->store) {
                begin_anew(w, true);
                get_round(w);
                world_check(w);
                return;
        }
        new_engine(w);
        holds_begin_anew(w);
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                if (job->has_trail && !job->is_running && job->n_others == 0)
                        job->told_result = job->trail.last_result;
                forget_untold(job);
                refusals_forget(job);
                job->missed_since_run = 0;
                job->n_debts = 0;
                forget_asked(job);
                job->is_held = job->is_paused = job->is_cancelled = job->is_finished = job->is_failed =
                        false;          /* nobody remembers */
                job->is_killed = false; /* the new one does not know, and may ask again */
                for (size_t k = 0; k < job->n_others; k++)
                        job->others[k].is_killed = false;
                job->promised = 0;
                job->interval_us = 0;
                job->next_attempt = 0;
                job->failed_in_row = 0;
                put_in_force(job);
                job->when = job->defined;
        }
        define_all(w);
        tell_runs(w);
        w->chains.is_syncing = false;
        engine_commit(
                w->engine, w->now,
                &(struct wire_commit){.generation = w->generation, .is_resync = true, .time_sync_wait_us = w->sync_wait_us});
        world_take_actions(w);
        note_armed(w);
        get_round(w);
        world_check(w);
}

void world_slow_disk(struct world *w, uint64_t lag) {
        w->store_lag = lag;
        flush(w, false);
        world_stall(w, 0);
}

void world_power_cut(struct world *w, int64_t down_us, bool is_reboot) {
        cut(w);
        w->is_stopping = false;
        w->down = (struct world_span){w->now.bt_us, w->now.bt_us + down_us};
        set_time(w, w->down.to_us);
        if (is_reboot) {
                w->now.bt_us = w->n_actions % USEC_PER_HOUR;
                w->down = (struct world_span){INT64_MIN / 2, w->now.bt_us};
                w->hello.boot_id[0]++;
        }
        w->down_to_rt_us = w->now.rt_us;
        w->hello.instance[0]++;
        w->hello.epoch = 0;
        w->hello.is_first_of_boot = is_reboot;
        w->generation = 1;
        for (size_t i = 0; i < w->n_jobs; i++) {
                struct world_job *job = &w->jobs[i];
                job->is_running = false;
                job->n_others = 0;
                job->n_unacked = 0;
                job->has_trail = false;
                job->trail = (struct wire_trail){0};
                job->since_rt_us = w->now.rt_us;
                job->since_bt_us = w->now.bt_us;
                job->last_run = (struct world_span){0};
                memset(job->runs_before, 0, sizeof(job->runs_before));
                job->pause = (struct world_span){INT64_MIN / 2, INT64_MAX};
                if (is_reboot)
                        job->is_boot_started = false;
                job->is_moved = is_reboot;
        }
        w->stepped = (struct world_span){0};
        begin_anew(w, false);
        get_round(w);
        world_check(w);
}

void world_stop(struct world *w) {
        w->is_stopping = true;
        w->down = (struct world_span){w->now.bt_us, INT64_MAX};
        w->down_to_rt_us = INT64_MAX;
        engine_stop(w->engine, w->now);
        world_take_actions(w);
        world_check(w);
}

void world_suspend(struct world *w, int64_t us) {
        w->slept = (struct world_span){w->now.bt_us, w->now.bt_us + us};
        w->n_sleeps++;
        for (size_t i = 0; i < w->n_horizons; i++)
                w->horizons[i].asked_bt_us += us;
        for (size_t i = 0; i < w->n_jobs; i++)
                if (w->jobs[i].is_running && w->jobs[i].end_bt_us > w->now.bt_us) {
                        w->jobs[i].end_bt_us += us;
                        w->jobs[i].last_run.to_us = w->jobs[i].end_bt_us;
                        for (size_t k = 0; k < w->jobs[i].n_others; k++)
                                w->jobs[i].others[k].end_bt_us += us;
                }
        set_time(w, w->slept.to_us);
        w->woken_rt_us = w->now.rt_us;
        engine_clock_change(w->engine, w->now, &(struct clockstep){.kind = CLOCKSTEP_SUSPEND, .slept_us = us});
        world_take_actions(w);
        get_round(w);
        world_check(w);
}

void world_step_clock(struct world *w, int64_t by_us) {
        if (by_us > 0)
                w->stepped = (struct world_span){w->now.rt_us, w->now.rt_us + by_us};
        set_wall_clock(w, by_us);
        struct clockstep change = {
                .kind = by_us < -CLOCKSTEP_LIMIT_US ? CLOCKSTEP_NEW_TIME_LINE
                        : by_us < 0                 ? CLOCKSTEP_BACK
                                                    : CLOCKSTEP_FORWARD,
                .step_us = by_us,
        };
        engine_clock_change(w->engine, w->now, &change);
        world_take_actions(w);
        get_round(w);
        world_check(w);
}

void world_synchronise(struct world *w, int64_t by_us) {
        set_wall_clock(w, by_us);
        w->hello.is_synchronised = true;
        w->down_to_rt_us = w->now.rt_us;
        engine_clock_change(w->engine, w->now, &(struct clockstep){.kind = CLOCKSTEP_SYNC, .step_us = by_us});
        world_take_actions(w);
        get_round(w);
        world_check(w);
}

/* ---- commands ---- */

static uint32_t number_of(struct world *w, const char *name, struct world_job **ret) {
        *ret = world_find(w, name);
        return engine_find_job(w->engine, name);
}

int world_finish(struct world *w, int r) {
        world_take_actions(w);
        advance(w);
        world_check(w);
        return r;
}

/* What a trigger says must be so: the run that it names does it, and there is no other. */
static void check_trigger(struct world *w, const struct world_job *job, uint64_t before, bool was_killed, int outcome,
                          uint64_t run) {
        bool is_right = true;
        switch ((enum trigger_outcome)outcome) {
        case TRIGGER_STARTED:
                is_right = before != run && job->is_running && job->start.run == run &&
                           (job->start.cause == RUN_CAUSE_TRIGGER || job->start.item == WIRE_ITEM_RETRY || job->may_catch_up ||
                            job->may_wait) &&
                           job->begun_bt_us == w->now.bt_us;
                break;
        case TRIGGER_JOINED:
                is_right = job->is_running && job->start.run == run && !was_killed && !job->is_killed;
                break;
        case TRIGGER_REJECTED:
                is_right = job->is_running && job->start.run == run;
                break;
        case TRIGGER_QUEUED:
        case TRIGGER_REPLACING:
                is_right = (!job->is_running && (w->store || pools_are_awaited(w, job->name))) ||
                           (job->is_running && job->start.run < run && (outcome == TRIGGER_QUEUED || job->is_killed));
                break;
        case TRIGGER_NOT_ARMED:
                is_right = job->is_cancelled || job->is_finished || job->is_failed || !job->committed.is_enabled ||
                           !job->is_committed;
                break;
        case TRIGGER_NOT_PARALLEL:
                is_right = job->committed.overlap != JOB_OVERLAP_PARALLEL;
                break;
        case TRIGGER_NOT_A_GRID:
                is_right = job->is_cancelled || job->is_finished || job->is_failed || !job->committed.is_enabled ||
                           !plan_exists(&job->when) || plan_is_wall(&job->when);
                break;
        case TRIGGER_PARAMETERS_DIFFER:
                is_right = run > 0;
                break;
        case TRIGGER_PARAMETERS_FULL:
                is_right = false;
                break;
        case TRIGGER_STOPPING:
                is_right = w->is_stopping;
                break;
        case TRIGGER_OUTCOME_MAX:
                is_right = false;
        }
        if (!is_right)
                world_fail(w, "%s: a trigger's answer %d with run %llu is not so", job->name, outcome, (unsigned long long)run);
}

/* A fixed delay was over in the pause: that is a slot, and no run may move it away. */
static bool owes_paused_delay(const struct world *w, const struct world_job *job, uint32_t number) {
        const struct job_row *row = &engine_registry(w->engine)->rows[number];
        return row->state == JOB_STATE_ARMED && job->is_paused && !job->is_running && job->when.every_us > 0 &&
               !plan_is_grid(&job->when) && row->next_us <= w->now.bt_us && row->next_us <= holds_end(w, job);
}

int world_trigger(struct world *w, const char *name, const struct engine_trigger *trigger, uint64_t *ret_run) {
        struct world_job *job;
        uint32_t number = number_of(w, name, &job);
        if (number == INDEX_NONE)
                return -1;
        uint64_t before = job->is_running ? job->start.run : 0, promised = job->promised;
        bool was_killed = job->is_running && job->is_killed, owes = owes_paused_delay(w, job, number);
        uint64_t withheld = job->totals.withheld;
        w->is_triggering = true;
        w->is_forcing = trigger->is_forced;
        bool was_forced = job->is_forced;
        job->is_forced |= trigger->is_forced;
        int r = engine_trigger(w->engine, w->now, number, trigger, ret_run);
        bool is_promise = r == TRIGGER_QUEUED || r == TRIGGER_REPLACING;
        world_take_actions(w);
        if (r == TRIGGER_JOINED || is_promise) /* what was due may have started just before */
                job->is_forced = was_forced || trigger->is_forced;
        else if (r != TRIGGER_STARTED)
                job->is_forced = was_forced;
        w->is_triggering = w->is_forcing = false;
        if (w->planted == 6 && r == TRIGGER_QUEUED)
                ++*ret_run; /* not the run that will do it */
        if (is_promise && promised > 0 && job->promised == promised && *ret_run != promised)
                world_fail(w, "%s: two runs are promised", job->name);
        if (is_promise)
                job->promised = *ret_run;
        check_trigger(w, job, before, was_killed, r, *ret_run);
        passed_check_trigger(w, job, trigger, r, *ret_run);
        if (owes && r == TRIGGER_STARTED && job->totals.withheld == withheld)
                world_fail(w, "%s: a slot that was due in a pause has gone with a trigger", job->name);
        return world_finish(w, r);
}

int world_cancel(struct world *w, const char *name, bool is_run_only) {
        struct world_job *job;
        uint64_t run;
        uint32_t number = number_of(w, name, &job);
        if (number == INDEX_NONE)
                return -1;
        int r = engine_cancel(w->engine, w->now, number, is_run_only, &run);
        world_take_actions(w);
        if (r == ENGINE_REFUSED_STOPPING)
                return world_finish(w, r);
        if (!is_run_only && job->is_committed && job->committed.is_enabled && !job->is_finished && !job->is_failed) {
                job->is_cancelled = true;
                job->is_held = job->is_paused = false;
        }
        if (run != (job->is_running ? job->start.run : 0) || (job->is_running && !job->is_killed))
                world_fail(w, "%s: a cancel says that run %llu is ended", job->name, (unsigned long long)run);
        if (job->promised > 0)
                world_fail(w, "%s: cancelled, and run %llu is still promised", job->name, (unsigned long long)job->promised);
        return world_finish(w, r);
}

int world_start(struct world *w, const char *name) {
        struct world_job *job;
        uint32_t number = number_of(w, name, &job);
        if (number == INDEX_NONE)
                return -1;
        holds_foresee(w);
        int r = engine_start(w->engine, w->now, number);
        if (r == 1)
                job->is_cancelled = job->is_finished = job->is_failed = false;
        if (r == 1)
                job->failed_in_row = 0;
        world_take_actions(w);
        holds_settle(w, w->now.bt_us);
        return world_finish(w, r);
}

int world_pause(struct world *w, const char *name, int64_t until_bt_us) {
        struct world_job *job;
        uint32_t number = number_of(w, name, &job);
        if (number == INDEX_NONE)
                return -1;
        bool was_paused = job->is_paused;
        if (!was_paused)
                job->pause = (struct world_span){w->now.bt_us, INT64_MAX};
        int r = engine_pause(w->engine, w->now, number, until_bt_us);
        world_take_actions(w);
        if (r == 1) {
                job->is_held = job->is_paused = true;
                job->pause_until_us = until_bt_us;
        } else if (!was_paused)
                job->pause = (struct world_span){0};
        return world_finish(w, r);
}

int world_resume(struct world *w, const char *name) {
        struct world_job *job;
        uint32_t number = number_of(w, name, &job);
        if (number == INDEX_NONE)
                return -1;
        int r = engine_resume(w->engine, w->now, number);
        world_take_actions(w);
        if (r == 1)
                job->is_held = false;
        holds_settle(w, w->now.bt_us);
        return world_finish(w, r);
}

int world_set_interval(struct world *w, const char *name, int64_t every_us) {
        struct world_job *job;
        uint32_t number = number_of(w, name, &job);
        if (number == INDEX_NONE)
                return -1;
        int64_t before_us = job->interval_us;
        job->interval_us = every_us == job->committed.every_us ? 0 : every_us;
        int r = engine_set_interval(w->engine, w->now, number, every_us);
        if (r != 1)
                job->interval_us = before_us;
        world_take_actions(w);
        job->when = effective(job);
        return world_finish(w, r);
}

/* ---- what must hold ---- */

static int64_t open_slots(const struct job_range *range, uint32_t segment) {
        return range->is_open && range->segment == segment ? range->last - range->first + 1 : 0;
}

static void check_job(struct world *w, const struct world_job *job) {
        const struct registry *g = engine_registry(w->engine);
        uint32_t number = registry_find(g, job->name);
        if (number == INDEX_NONE) {
                if (job->is_committed)
                        world_fail(w, "%s: defined, but the engine does not know it", job->name);
                return;
        }
        const struct job_row *row = &g->rows[number];
        if (row->state == JOB_STATE_NEW)
                return;
        if (job->is_committed == (row->state == JOB_STATE_REMOVED))
                world_fail(w, "%s: %s, but the engine thinks otherwise", job->name, job->is_committed ? "defined" : "removed");
        const struct job_cold *cold = registry_cold(g, row);
        size_t n_running = cold ? (cold->run.run > 0) + cold->n_beside : 0;
        if (job->is_running + job->n_others != n_running)
                world_fail(w, "%s: the engine %s a run in flight, the runner %s", job->name,
                           job->is_running ? "misses" : "believes in", job->is_running ? "has it" : "has none");
        if (row->is_paused != job->is_paused || row->is_cancelled != job->is_cancelled)
                world_fail(w, "%s: %s, but the engine thinks otherwise", job->name,
                           job->is_paused      ? "paused"
                           : job->is_cancelled ? "cancelled"
                                               : "not held");
        if (row->is_failed != job->is_failed)
                world_fail(w, "%s: %sstopped for its failures, but the engine thinks otherwise", job->name,
                           job->is_failed ? "" : "not ");
        if (row->is_finished && !job->is_finished)
                world_fail(w, "%s: its schedule is over, and nobody was told", job->name);
        if (cold && cold->waiting.run != job->promised)
                world_fail(w, "%s: run %llu waits, but run %llu was promised", job->name, (unsigned long long)cold->waiting.run,
                           (unsigned long long)job->promised);
        if (row->state != JOB_STATE_ARMED || job->is_cancelled || row->is_finished || row->is_failed ||
            !plan_exists(&job->when) || row->segment != job->segment.number)
                return;
        int64_t accounted = 0;
        for (size_t i = 0; i < job->segment.n_ranges; i++)
                accounted += job->segment.ranges[i].last - job->segment.ranges[i].first + 1;
        if (cold)
                accounted += open_slots(&cold->missed, row->segment) + open_slots(&cold->merging, row->segment) +
                             waiting_slots(job, cold, row->segment);
        if (accounted != row->key - job->segment.first_key)
                world_fail(w, "%s: segment %u: %lld slots up to slot %lld, %lld accounted for", job->name, row->segment,
                           (long long)(row->key - job->segment.first_key), (long long)row->key, (long long)accounted);
        if (plan_is_wall(&job->when) && !is_clock_trusted(w))
                return;
        if (!plan_is_grid(&job->when) || job->is_running || job->is_paused || w->is_stopping || is_claim_awaited(w, number) ||
            awaits_clock(w, job, row) || is_wake_due(w) || pools_are_awaited(w, job->name) || refusals_are_awaited(w, job) ||
            (cold && cold->catch_up_bt_us >= w->now.bt_us)) /* due this instant: it is still to be woken */
                return;
        if (is_closed(w, job, row->next_us))
                return;
        if (plan_has_delay(&job->when) && row->next_us > job->when.until_us)
                return;
        int64_t slot_now_us = plan_is_wall(&job->when) ? w->now.rt_us : w->now.bt_us;
        if (plan_follow(&job->when, row->anchor_us, row->next_us) <= slot_now_us)
                world_fail(w, "%s: idle, and a slot passed %lld us ago without an outcome", job->name,
                           (long long)(slot_now_us - row->next_us));
}

bool world_check(struct world *w) {
        for (size_t i = 0; i < w->n_jobs && !w->error[0]; i++)
                check_job(w, &w->jobs[i]);
        return !w->error[0];
}
