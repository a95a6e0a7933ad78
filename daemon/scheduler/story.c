// SPDX-License-Identifier: MIT
// story: what is told at once, and what is held back, by Log=. What is held back for a job is a few counters, made when there is something to
// hold.

#include "daemon/scheduler/story_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SUMMARY_US USEC_PER_HOUR
#define CHANGES_MAX                                                                                                            \
        6 /* of a job's result are told at once in STORY_HOLD_US; a job that flaps is summed up like other trouble */
#define FLUSH_BATCH 1024 /* jobs */

int story_new(struct journal *journal, const uint8_t instance[static 16], struct story **ret) {
        struct story *s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->journal = journal;
        s->clock_told_bt_us = s->unclaimed_told_bt_us = INT64_MIN / 2;
        for (int i = 0; i < 16; i++)
                snprintf(s->instance + i * 2, 3, "%02x", instance[i]);
        *ret = s;
        return 0;
}

struct story *story_free(struct story *s) {
        if (!s)
                return NULL;
        free(s->held);
        index_done(&s->by_job);
        schedule_done(&s->due);
        free(s);
        return NULL;
}

/* ---- what is held back ---- */

static uint64_t held_hash(const void *table, uint32_t row) {
        const struct story *s = table;
        return index_hash_number(s->held[row].job);
}

static bool held_equal(const void *table, uint32_t row, const void *wanted) {
        const struct story *s = table;
        return s->held[row].job == *(const uint32_t *)wanted;
}

static struct held *held_find(const struct story *s, uint32_t job) {
        uint32_t row = index_find(&s->by_job, index_hash_number(job), held_equal, s, &job);
        return row == INDEX_NONE ? NULL : &s->held[row];
}

/* The job's counters, made if need be; NULL without memory. */
static struct held *held_get(struct story *s, uint32_t job) {
        struct held *held = held_find(s, job);
        if (held)
                return held;
        if (s->n_held == s->allocated_held) {
                size_t n = s->allocated_held + s->allocated_held / 2 + 16;
                struct held *p = realloc(s->held, n * sizeof(*p));
                if (!p)
                        return NULL;
                s->held = p;
                s->allocated_held = n;
        }
        uint32_t row = (uint32_t)s->n_held;
        if (schedule_reserve(&s->due, row) < 0)
                return NULL;
        s->held[row] = (struct held){.job = job, .told_bt_us = INT64_MIN / 2};
        if (index_add(&s->by_job, held_hash(s, row), row, held_hash, s) < 0)
                return NULL;
        s->n_held++;
        return &s->held[row];
}

/* Gives the counters back; the last ones take their place. */
static void held_drop(struct story *s, struct held *held) {
        uint32_t row = (uint32_t)(held - s->held), last = (uint32_t)s->n_held - 1;
        schedule_remove(&s->due, row);
        index_remove(&s->by_job, held_hash(s, row), row, held_hash, s);
        if (row != last) {
                int64_t at_us = schedule_has(&s->due, last) ? schedule_at(&s->due, last) : INT64_MAX;
                schedule_remove(&s->due, last);
                index_remove(&s->by_job, held_hash(s, last), last, held_hash, s);
                s->held[row] = s->held[last];
                /* room was freed a moment ago: this can't fail */
                (void)index_add(&s->by_job, held_hash(s, row), row, held_hash, s);
                if (at_us != INT64_MAX)
                        schedule_set(&s->due, row, at_us);
        }
        s->n_held--;
}

static void hold_until(struct story *s, struct held *held, int64_t at_bt_us) {
        uint32_t row = (uint32_t)(held - s->held);
        if (!schedule_has(&s->due, row) || schedule_at(&s->due, row) > at_bt_us)
                schedule_set(&s->due, row, at_bt_us);
}

int64_t story_next_flush(const struct story *s) {
        const struct schedule_entry *first = schedule_first(&s->due);
        int64_t at_us = first ? first->at_us : INT64_MAX;
        if (s->steps > 0 && s->clock_told_bt_us + STORY_HOLD_US < at_us)
                at_us = s->clock_told_bt_us + STORY_HOLD_US;
        return at_us;
}

bool story_may_tell(struct often *often, struct clock_sample now, uint8_t max) {
        if (often->n == 0 || now.bt_us - often->since_bt_us >= STORY_HOLD_US)
                *often = (struct often){.since_bt_us = now.bt_us};
        if (often->n == max)
                return false;
        often->n++;
        return true;
}

/* ---- Log= ---- */

static void on_outcome(struct story *s, struct clock_sample now, const char *job, enum job_log log, const struct action *a,
                       const char *condition) {
        if (a->outcome.outcome == SLOT_MERGED) {
                if (log == JOB_LOG_ALL || a->outcome.reason != SLOT_REASON_NONE)
                        story_tell_merged(s, job, a);
                return;
        }
        struct untold slots = {.n = a->outcome.n, .first_rt_us = a->outcome.first_rt_us, .last_rt_us = a->outcome.last_rt_us};
        struct held *held = log == JOB_LOG_ALL ? NULL : held_get(s, a->job);
        if (!held) {
                bool is_condition =
                        a->outcome.reason == SLOT_REASON_CONDITION || a->outcome.reason == SLOT_REASON_CONDITION_WAIT;
                story_tell_missed(s, job, a->outcome.reason, &slots, is_condition ? condition : "");
                return;
        }
        struct untold *of_reason = &held->missed[a->outcome.reason];
        if (of_reason->n == 0)
                of_reason->first_rt_us = slots.first_rt_us;
        of_reason->last_rt_us = slots.last_rt_us;
        of_reason->n += slots.n;
        if (now.bt_us - held->told_bt_us < STORY_HOLD_US) {
                hold_until(s, held, held->told_bt_us + STORY_HOLD_US);
                return;
        }
        story_tell_missed_held(s, job, held);
        held->told_bt_us = now.bt_us;
}

/* True if what a command did to the job is told at once; else it is counted. */
static bool may_tell_command(struct story *s, struct clock_sample now, uint32_t job) {
        struct held *held = held_get(s, job);
        if (!held || story_may_tell(&held->commands, now, STORY_COMMANDS_MAX))
                return true;
        held->commands_untold++;
        hold_until(s, held, held->commands.since_bt_us + STORY_HOLD_US);
        return false;
}

/* Counts an end of a job that does not tell all. True if it is told now. */
static bool hold_end(struct story *s, struct clock_sample now, struct held *held, enum job_log log, const struct action *a,
                     bool is_change) {
        bool is_failure = run_result_is_failure(a->run.end.result);
        held->last_result = a->run.end.result;
        held->failures += is_failure;
        if (log == JOB_LOG_SUMMARY) {
                if (held->runs++ == 0)
                        held->summary_bt_us = now.bt_us + SUMMARY_US;
                hold_until(s, held, held->summary_bt_us);
        }
        if (is_change && story_may_tell(&held->changes, now, CHANGES_MAX))
                return true;
        if (is_change) {
                held->is_change_untold = true;
                hold_until(s, held, held->changes.since_bt_us + STORY_HOLD_US);
        }
        if (!is_failure)
                return false;
        if (now.bt_us - held->told_bt_us >= STORY_HOLD_US)
                return true;
        held->failures_untold++;
        hold_until(s, held, held->told_bt_us + STORY_HOLD_US);
        return false;
}

static void on_ended(struct story *s, const struct engine *e, struct clock_sample now, const char *job, enum job_log log,
                     const struct action *a, const void *value, size_t value_size) {
        if (a->run.is_routine && log != JOB_LOG_SUMMARY) /* as good as the one before */
                return;
        bool is_failure = run_result_is_failure(a->run.end.result);
        bool is_change = a->run.has_changed && (is_failure || log != JOB_LOG_FAILURES);
        struct held *held = log == JOB_LOG_ALL                     ? NULL
                            : is_failure || log == JOB_LOG_SUMMARY ? held_get(s, a->job)
                                                                   : held_find(s, a->job);
        if (held ? !hold_end(s, now, held, log, a, is_change) : log != JOB_LOG_ALL && !is_failure && !is_change)
                return;
        story_tell_ended(s, e, job, a, is_failure && held ? held->failures_untold + 1 : 1, value, value_size);
        if (held)
                held->is_change_untold = false;
        if (held && is_failure) {
                held->failures_untold = 0;
                held->told_bt_us = now.bt_us;
        }
}

/* How the job stands after the commands that were not told. */
static void tell_commands_held(const struct story *s, const struct engine *e, struct clock_sample now, struct held *held) {
        const char *job = engine_job_name(e, held->job);
        struct job_view view;
        engine_view(e, now, held->job, &view);
        bool is_held = view.is_paused || view.is_cancelled || view.is_failed;
        struct journal_record r = story_begin(s, is_held ? EVENT_HELD : EVENT_ARMED, job);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, held->commands_untold);
        journal_send(&r, "%s: %" PRIu64 " more commands since last told; it is %s now", job, held->commands_untold,
                     view.is_cancelled  ? "cancelled"
                     : view.is_failed   ? "stopped, for it failed too often"
                     : view.is_finished ? "finished"
                     : view.is_paused   ? "paused"
                                        : "neither paused nor cancelled");
        held->commands_untold = 0;
}

static void flush_one(struct story *s, const struct engine *e, struct clock_sample now, struct held *held) {
        const char *job = engine_job_name(e, held->job);
        bool is_told = story_tell_missed_held(s, job, held);
        if (held->failures_untold > 0 || held->is_change_untold) {
                story_tell_failures_held(s, job, held);
                is_told = true;
        }
        if (is_told)
                held->told_bt_us = now.bt_us;
        if (held->commands_untold > 0)
                tell_commands_held(s, e, now, held);
        if (held->runs == 0)
                return;
        if (now.bt_us < held->summary_bt_us) {
                hold_until(s, held, held->summary_bt_us);
                return;
        }
        struct journal_record r = story_begin(s, EVENT_ENDED, job);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, held->runs);
        journal_send(&r, "%s: %" PRIu64 " runs, %" PRIu64 " failed, since last told", job, held->runs, held->failures);
        held->runs = held->failures = 0;
}

static const char *condition_of(const struct engine *e, const struct action *a) {
        const char *condition = engine_condition(e, a->job);
        return condition ? condition : "";
}

void story_tell(struct story *s, const struct engine *e, const struct book *b, struct clock_sample now, const struct action *a,
                const void *value, size_t value_size) {
        if (a->kind == ACTION_CLOCK) {
                story_tell_clock(s, now, &a->clock);
                return;
        }
        if (a->kind == ACTION_GROUP_HOLD) {
                story_tell_group_hold(s, e, now, a);
                return;
        }
        if (a->kind == ACTION_GONE) {
                struct held *held = held_find(s, a->job);
                if (held) {
                        flush_one(s, e, (struct clock_sample){.bt_us = INT64_MAX}, held);
                        held_drop(s, held);
                }
                return;
        }
        if (a->kind == ACTION_START || (a->kind == ACTION_OUTCOME && a->outcome.outcome == SLOT_RAN))
                return; /* told by started and ended */
        const char *job = engine_job_name(e, a->job);
        enum job_log log = engine_job_when(e, a->job)->log;
        switch (a->kind) {
        case ACTION_OUTCOME:
                if (a->outcome.is_again)
                        break;
                on_outcome(s, now, job, log, a, condition_of(e, a));
                break;
        case ACTION_STARTED:
                if (a->run.is_again)
                        break;
                if (a->run.run.is_unclaimed)
                        story_tell_unclaimed(s, now, job);
                if (a->run.run.cause == RUN_CAUSE_CATCH_UP)
                        story_tell_caught_up(s, job, &a->run.run);
                if (log == JOB_LOG_ALL)
                        story_tell_started(s, job, &a->run.run);
                break;
        case ACTION_ENDED:
                if (!a->run.is_quiet)
                        on_ended(s, e, now, job, log, a, value, value_size);
                break;
        case ACTION_GIVEN_UP:
                story_tell_given_up(s, job, a, condition_of(e, a));
                break;
        case ACTION_OVERDUE:
                story_tell_overdue(s, e, now, job, a);
                break;
        case ACTION_HOLD:
                if (may_tell_command(s, now, a->job))
                        story_tell_hold(s, e, b, now, a);
                break;
        case ACTION_REFUSED:
                if (a->run.is_short && a->run.is_asked_again && !a->run.is_quiet)
                        story_tell_short(s, job, a);
                else if (a->run.is_asked_again && !a->run.is_short && !a->run.run.was_refused && log == JOB_LOG_ALL)
                        story_tell_pending(s, job, &a->run.run, condition_of(e, a));
                else if (a->run.is_final && may_tell_command(s, now, a->job))
                        story_tell_refused(s, job, &a->run.run, condition_of(e, a));
                break;
        case ACTION_DROPPED:
                if (may_tell_command(s, now, a->job))
                        story_tell_dropped(s, job, a->run.run.run, a->run.end.result);
                break;
        case ACTION_START:
        case ACTION_SEGMENT:
        case ACTION_KILL:
        case ACTION_HORIZON:
        case ACTION_WRITE:
        case ACTION_CLOCK:
        case ACTION_CLOSED:
        case ACTION_GONE:
        case ACTION_GROUP_HOLD:
                break;
        }
}

void story_flush(struct story *s, const struct engine *e, struct clock_sample now) {
        const struct schedule_entry *first;
        if (s->steps > 0 && now.bt_us >= s->clock_told_bt_us + STORY_HOLD_US)
                story_tell_steps(s, now);
        for (int i = 0; i < FLUSH_BATCH && (first = schedule_first(&s->due)) && first->at_us <= now.bt_us; i++) {
                uint32_t row = first->id;
                schedule_remove(&s->due, row);
                flush_one(s, e, now, &s->held[row]);
        }
}

void story_finish(struct story *s, const struct engine *e) {
        if (s->steps > 0)
                story_tell_steps(s, (struct clock_sample){.bt_us = INT64_MAX});
        while (schedule_first(&s->due))
                story_flush(s, e, (struct clock_sample){.bt_us = INT64_MAX});
}
