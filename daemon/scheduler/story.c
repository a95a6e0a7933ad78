// SPDX-License-Identifier: MIT
// story: one function a record. What is held back for a job is a few counters, made when there is something to hold.

#include "daemon/scheduler/story.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "config/timestamp.h"
#include "daemon/scheduler/control_words.h"
#include "daemon/scheduler/schedule.h"

#define HOLD_US       USEC_PER_MINUTE
#define SUMMARY_US    USEC_PER_HOUR
#define LAST_LINE_MAX 200
#define CHANGES_MAX   6 /* of a job's result are told at once in HOLD_US; a job that flaps is summed up like other trouble */
#define COMMANDS_MAX                                                                                                           \
        20 /* that were given to a job are told in HOLD_US; who may control one job can't bury the records of others */
#define FLUSH_BATCH 1024 /* jobs */

struct untold {
        uint64_t n;
        int64_t first_rt_us, last_rt_us;
};

/* What is told at once only so often in HOLD_US. */
struct often {
        int64_t since_bt_us;
        uint8_t n;
};

/* What was not told yet of a job. */
struct held {
        uint32_t job;
        bool is_change_untold;
        struct often changes, commands;
        uint64_t commands_untold;
        enum run_result last_result;
        struct untold missed[SLOT_REASON_MAX];
        uint64_t runs, failures; /* since the last summary */
        uint64_t failures_untold;
        int64_t told_bt_us;    /* trouble was last told */
        int64_t summary_bt_us; /* when runs is to be told */
};

struct story {
        struct journal *journal;
        char instance[33];
        struct held *held;
        size_t n_held, allocated_held;
        struct index by_job;
        struct schedule due;
        struct often group_commands;
        uint64_t group_commands_untold;
        uint64_t unclaimed; /* starts since they were last told */
        int64_t unclaimed_told_bt_us;
        int64_t clock_told_bt_us;
        uint64_t steps; /* of the wall clock since they were last told, and how far they went together */
        int64_t step_us;
        bool is_first_sync_untold, is_time_line_untold; /* were among them */
};

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
        if (s->steps > 0 && s->clock_told_bt_us + HOLD_US < at_us)
                at_us = s->clock_told_bt_us + HOLD_US;
        return at_us;
}

/* ---- records ---- */

static void field_slot(struct journal_record *r, const char *name, int64_t rt_us) {
        char buf[40];
        journal_field(r, name, "%s", timestamp_print_utc(rt_us, buf));
}

static struct journal_record begin(const struct story *s, enum event_kind kind, const char *job) {
        struct journal_record r = journal_begin(s->journal, kind);
        journal_field(&r, "CHIMED_JOB", "%s", job);
        return r;
}

static void fields_run(const struct story *s, struct journal_record *r, const struct job_run *run) {
        journal_field(r, "CHIMED_RUN_ID", "%s-%" PRIu64, s->instance, run->run);
        if (run->item != WIRE_ITEM_TRIGGER) {
                field_slot(r, "CHIMED_SLOT", run->slot_rt_us);
                journal_field_i64(r, "CHIMED_SLOT_USEC", run->slot_rt_us);
        }
        journal_field(r, "CHIMED_CAUSE", "%s", run_cause_to_string(run->cause));
        journal_field_i64(r, "CHIMED_ATTEMPT", run->attempt > 0 ? run->attempt : 1);
        journal_field_i64(r, "CHIMED_LAG_USEC", run->lag_us);
        if (run->pid > 0)
                journal_field_i64(r, "OBJECT_PID", run->pid);
}

static void tell_started(const struct story *s, const char *job, const struct job_run *run) {
        char slot[40];
        struct journal_record r = begin(s, EVENT_STARTED, job);
        fields_run(s, &r, run);
        if (run->item == WIRE_ITEM_TRIGGER)
                journal_send(&r, "%s: run %" PRIu64 " started by a trigger", job, run->run);
        else if (run->parent.event != RUN_EVENT_NONE && run->item == WIRE_ITEM_CHAIN)
                journal_send(&r, "%s: run %" PRIu64 " started by %s (%s)", job, run->run, run->parent.job,
                             run_event_to_string(run->parent.event));
        else
                journal_send(&r, "%s: run %" PRIu64 " started for %s", job, run->run,
                             timestamp_print_utc(run->slot_rt_us, slot));
}

/* The last line of the output that says something, for the one who reads of a failure. */
static int last_line(const void *value, size_t size, const char **ret) {
        const char *text = value ? value : "";
        while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == ' ' || text[size - 1] == '\r'))
                size--;
        size_t from = size;
        while (from > 0 && text[from - 1] != '\n' && size - from < LAST_LINE_MAX)
                from--;
        for (size_t i = from; i < size; i++)
                if ((unsigned char)text[i] < ' ' && text[i] != '\t')
                        size = i;
        *ret = text + from;
        return (int)(size - from);
}

static char *print_rounded(int64_t us, char buf[static 96]) {
        int64_t unit = us >= 10 * USEC_PER_SEC ? USEC_PER_SEC : us >= 10 * USEC_PER_MSEC ? USEC_PER_MSEC : 1;
        return duration_print(us / unit * unit, buf);
}

/* "failed with exit status 1 after 3s" */
static void print_end(const struct run_end *end, char *buf, size_t size) {
        char took[96], how[200] = "", name[160];
        if (end->result == RUN_RESULT_START_FAILED) {
                const char *error = run_start_error(end);
                snprintf(buf, size, "could not start: %s%s%s", run_step_to_string(end->step), error ? ": " : "",
                         error ? error : "");
                return;
        }
        if (end->result == RUN_RESULT_FINISHED && end->start_bt_us == 0) {
                snprintf(buf, size, "was not executed: what StopWhenPathExists= names is there");
                return;
        }
        if (end->result == RUN_RESULT_CONDITION) {
                snprintf(buf, size, "was not executed: its conditions did not hold");
                return;
        }
        bool is_good = run_result_is_good(end->result);
        if (end->result == RUN_RESULT_FAILED)
                snprintf(how, sizeof(how), " with exit status %d", end->exit_code);
        else if (is_good && end->exit_code > 0)
                snprintf(how, sizeof(how), " (exit status %d)", end->exit_code);
        else if (end->signal > 0 && (is_good || end->result == RUN_RESULT_SIGNAL))
                snprintf(how, sizeof(how), is_good ? " (%s)" : ": killed by %s", words_signal(end->signal, name));
        const char *verb = end->result == RUN_RESULT_SUCCESS     ? "succeeded"
                           : end->result == RUN_RESULT_TIMEOUT   ? "timed out"
                           : end->result == RUN_RESULT_CANCELLED ? "was cancelled"
                           : end->result == RUN_RESULT_FINISHED  ? "finished"
                           : end->result == RUN_RESULT_SKIPPED   ? "had nothing to do"
                                                                 : "failed";
        if (end->step == RUN_STEP_CONDITION)
                snprintf(buf, size, "%s%s while its conditions were asked", verb, how);
        else
                snprintf(buf, size, "%s%s after %s", verb, how, print_rounded(end->end_bt_us - end->start_bt_us, took));
}

static void fields_end(struct journal_record *r, const struct run_end *end) {
        char name[160];

        journal_field(r, "CHIMED_RESULT", "%s", run_result_to_string(end->result));
        if (end->start_bt_us > 0)
                journal_field_i64(r, "CHIMED_DURATION_USEC", end->end_bt_us - end->start_bt_us);
        if (end->result == RUN_RESULT_START_FAILED) {
                journal_field(r, "CHIMED_STEP", "%s", run_step_to_string(end->step));
                journal_field_i64(r, "ERRNO", end->error);
        } else if (end->signal > 0) {
                journal_field(r, "EXIT_CODE", "killed");
                words_signal(end->signal, name);
                journal_field(r, "EXIT_STATUS", "%s", name + (strncmp(name, "SIG", 3) == 0 ? 3 : 0)); /* as systemd's */
        } else if (end->exit_code >= 0) {
                journal_field(r, "EXIT_CODE", "exited");
                journal_field_i64(r, "EXIT_STATUS", end->exit_code);
        }
}

static enum event_kind end_kind(const struct run_end *end, bool is_final) {
        if (run_result_is_failure(end->result) && !is_final)
                return EVENT_RETRY;
        if (end->result == RUN_RESULT_TIMEOUT)
                return EVENT_TIMED_OUT;
        if (end->result == RUN_RESULT_INTERRUPTED)
                return EVENT_INTERRUPTED;
        return run_result_is_failure(end->result) ? EVENT_FAILED : EVENT_ENDED;
}

/* Which attempt it was, and what comes of it. */
static void print_attempt(const struct engine *e, const struct action *a, char *buf, size_t size) {
        char in[96];
        uint32_t job = a->job;
        unsigned attempt = a->run.run.attempt, of = engine_job_when(e, job)->retries + 1;
        bool is_failure = run_result_is_failure(a->run.end.result);
        const char *lead = "; ";
        buf[0] = '\0';
        if (is_failure && !a->run.is_final && a->run.is_short)
                snprintf(buf, size, "; it is tried again, first in %s", print_rounded(a->run.retry_us, in));
        else if (is_failure && !a->run.is_final)
                snprintf(buf, size, "%sattempt %u of %u in %s", lead, attempt + 1, of, print_rounded(a->run.retry_us, in));
        else if (is_failure && attempt < of && of > 1)
                snprintf(buf, size, "%sattempt %u of %u would come too late: the next slot is due before it", lead, attempt + 1,
                         of);
        else if (attempt > 1)
                snprintf(buf, size, "%sit was attempt %u of %u", lead, attempt, of > attempt ? of : attempt);
}

/* failures: how many of the same kind are told with this one (1: just this). */
static void tell_ended(const struct story *s, const struct engine *e, const char *job, const struct action *a,
                       uint64_t failures, const void *value, size_t value_size) {
        char how[256], more[64] = "", attempt[160];
        const char *line = "";
        int n = 0;
        struct journal_record r = begin(s, end_kind(&a->run.end, a->run.is_final), job);
        fields_run(s, &r, &a->run.run);
        fields_end(&r, &a->run.end);
        if (failures > 1) {
                journal_field(&r, "CHIMED_COUNT", "%" PRIu64, failures);
                snprintf(more, sizeof(more), " (%" PRIu64 " failures since last told)", failures);
        }
        print_end(&a->run.end, how, sizeof(how));
        print_attempt(e, a, attempt, sizeof(attempt));
        if (run_result_is_failure(a->run.end.result))
                n = last_line(value, value_size, &line);
        journal_send(&r, "%s: run %" PRIu64 " %s%s%s%s%.*s", job, a->run.run.run, how, attempt, more, n > 0 ? ": " : "", n,
                     line);
}

/* A run of which no slot tells. */
static void tell_refused(const struct story *s, const char *job, const struct job_run *run, const char *condition) {
        struct journal_record r = begin(s, EVENT_ENDED, job);
        fields_run(s, &r, run);
        journal_field(&r, "CHIMED_RESULT", "%s", run_result_to_string(RUN_RESULT_CONDITION));
        journal_field(&r, "CHIMED_CONDITION", "%s", condition);
        journal_send(&r, "%s: run %" PRIu64 " was not executed: its conditions did not hold: %s", job, run->run, condition);
}

static void tell_pending(const struct story *s, const char *job, const struct job_run *run, const char *condition) {
        char slot[40], attempt[32] = "";
        struct journal_record r = begin(s, EVENT_PENDING, job);
        field_slot(&r, "CHIMED_SLOT", run->slot_rt_us);
        journal_field(&r, "CHIMED_CONDITION", "%s", condition);
        if (run->attempt > 1)
                snprintf(attempt, sizeof(attempt), "attempt %u of ", run->attempt);
        journal_send(&r, "%s: %sthe slot of %s waits for %s", job, attempt, timestamp_print_utc(run->slot_rt_us, slot),
                     *condition ? condition : "its conditions");
}

/* A number that a trigger was told and that the journal has named never stays without its end. */
static void tell_dropped(const struct story *s, const char *job, uint64_t run, enum run_result result) {
        const char *text = result == RUN_RESULT_CONDITION     ? "was not executed: its conditions did not hold in time"
                           : result == RUN_RESULT_INTERRUPTED ? "is not known to have started: chimed went down while it waited"
                                                              : "was cancelled before it started";
        struct journal_record r = begin(s, result == RUN_RESULT_INTERRUPTED ? EVENT_INTERRUPTED : EVENT_ENDED, job);
        fields_run(s, &r, &(struct job_run){.run = run, .item = WIRE_ITEM_TRIGGER, .cause = RUN_CAUSE_TRIGGER});
        journal_field(&r, "CHIMED_RESULT", "%s",
                      run_result_to_string(result != RUN_RESULT_NONE ? result : RUN_RESULT_CANCELLED));
        journal_send(&r, "%s: run %" PRIu64 " %s", job, run, text);
}

static const char *reason_text(enum slot_reason reason) {
        switch (reason) {
        case SLOT_REASON_OVERLAP:
                return "the run before was still in flight";
        case SLOT_REASON_DOWN:
                return "chimed was not running";
        case SLOT_REASON_SUSPENDED:
                return "the machine slept";
        case SLOT_REASON_CLOCK_STEP:
                return "the clock was set over it";
        case SLOT_REASON_DEADLINE:
                return "it was too late to start";
        case SLOT_REASON_PAUSED:
                return "the job was paused";
        case SLOT_REASON_CANCELLED:
                return "the job was cancelled";
        case SLOT_REASON_DISABLED:
                return "the job was disabled";
        case SLOT_REASON_REMOVED:
                return "the job was removed";
        case SLOT_REASON_CALENDAR:
                return "its day is left out by Only= or Except=";
        case SLOT_REASON_POOL:
                return "all places of its groups were taken";
        case SLOT_REASON_CONDITION_WAIT:
                return "its conditions did not hold in time";
        case SLOT_REASON_RESOURCES:
                return "no process could be made";
        case SLOT_REASON_CONDITION:
                return "its conditions did not hold";
        case SLOT_REASON_FAILED:
                return "it had failed too often in a row";
        case SLOT_REASON_NONE:
                return "it cannot be known whether it ran";
        case SLOT_REASON_MAX:
                break;
        }
        return "";
}

/* The last word on a slot, whose next attempt was announced. */
static void tell_given_up(const struct story *s, const char *job, const struct action *a, const char *condition) {
        const struct job_retry *retry = &a->given_up.retry;
        bool is_interrupted = a->given_up.reason == SLOT_REASON_NONE;
        struct journal_record r = begin(s,
                                        is_interrupted         ? EVENT_INTERRUPTED
                                        : a->given_up.is_final ? EVENT_FAILED
                                                               : EVENT_ENDED,
                                        job);
        fields_run(s, &r,
                   &(struct job_run){
                           .run = retry->run,
                           .item = WIRE_ITEM_RETRY,
                           .cause = RUN_CAUSE_RETRY,
                           .attempt = retry->attempt,
                           .slot_rt_us = retry->slot_rt_us,
                   });
        journal_field(&r, "CHIMED_RESULT", "%s", run_result_to_string(retry->result));
        if (is_interrupted) {
                journal_send(&r, "%s: attempt %u after run %" PRIu64 " is interrupted: %s", job, retry->attempt, retry->run,
                             reason_text(SLOT_REASON_NONE));
                return;
        }
        bool is_refused = a->given_up.reason == SLOT_REASON_CONDITION || a->given_up.reason == SLOT_REASON_CONDITION_WAIT;
        bool is_told = is_refused && *condition;
        journal_field(&r, "CHIMED_REASON", "%s", slot_reason_to_string(a->given_up.reason));
        if (is_told)
                journal_field(&r, "CHIMED_CONDITION", "%s", condition);
        journal_send(&r, "%s: attempt %u after run %" PRIu64 " does not come: %s%s%s", job, retry->attempt, retry->run,
                     a->given_up.reason == SLOT_REASON_DEADLINE ? "the next slot is due" : reason_text(a->given_up.reason),
                     is_told ? ": " : "", is_told ? condition : "");
}

static void tell_overdue(const struct story *s, const struct engine *e, struct clock_sample now, const char *job,
                         const struct action *a) {
        char since[40], within[96], span[96];
        struct journal_record r = begin(s, EVENT_OVERDUE, job);
        field_slot(&r, "CHIMED_SINCE", a->overdue.since_rt_us);
        journal_field(&r, "CHIMED_REASON", "%s", a->overdue.is_over ? "over" : a->overdue.is_again ? "reminder" : "overdue");
        timestamp_print_utc(a->overdue.since_rt_us, since);
        duration_print(engine_job_when(e, a->job)->expect_within_us, within);
        if (a->overdue.is_over)
                journal_send(&r, "%s: no longer overdue: it had a good run, the first since %s", job, since);
        else
                journal_send(&r, "%s: %soverdue: no good run since %s, for %s, and one is expected within %s", job,
                             a->overdue.is_again ? "still " : "", since,
                             print_rounded(now.rt_us - a->overdue.since_rt_us, span), within);
}

/* Slots that were missed or withheld, or, without a reason, interrupted. */
static void tell_missed(const struct story *s, const char *job, enum slot_reason reason, const struct untold *slots,
                        const char *condition) {
        char first[40], last[40];
        bool is_withheld = slot_outcome_of(reason) == SLOT_WITHHELD, is_interrupted = reason == SLOT_REASON_NONE;
        const char *verb = is_withheld ? "withheld" : is_interrupted ? "interrupted in" : "missed";
        struct journal_record r = begin(s,
                                        is_withheld      ? EVENT_WITHHELD
                                        : is_interrupted ? EVENT_INTERRUPTED
                                                         : EVENT_MISSED,
                                        job);
        if (!is_interrupted)
                journal_field(&r, "CHIMED_REASON", "%s", slot_reason_to_string(reason));
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, slots->n);
        field_slot(&r, "CHIMED_FIRST_SLOT", slots->first_rt_us);
        field_slot(&r, "CHIMED_LAST_SLOT", slots->last_rt_us);
        timestamp_print_utc(slots->first_rt_us, first);
        timestamp_print_utc(slots->last_rt_us, last);
        if (*condition)
                journal_field(&r, "CHIMED_CONDITION", "%s", condition);
        if (slots->n == 1)
                journal_send(&r, "%s: %s the slot of %s: %s%s%s", job, verb, first, reason_text(reason), *condition ? ": " : "",
                             condition);
        else
                journal_send(&r, "%s: %s %" PRIu64 " slots, %s to %s: %s", job, verb, slots->n, first, last,
                             reason_text(reason));
}

/* Tells all missed slots that are held, one record a reason. True if there were any. */
static bool tell_missed_held(const struct story *s, const char *job, struct held *held) {
        bool is_any = false;
        for (enum slot_reason reason = 0; reason < SLOT_REASON_MAX; reason++) {
                if (held->missed[reason].n == 0)
                        continue;
                tell_missed(s, job, reason, &held->missed[reason], "");
                held->missed[reason] = (struct untold){0};
                is_any = true;
        }
        return is_any;
}

/* Tells the failures that are held, and how it stands now. */
static void tell_failures_held(const struct story *s, const char *job, struct held *held) {
        bool is_failure = run_result_is_failure(held->last_result);
        struct journal_record r = begin(s, is_failure ? EVENT_FAILED : EVENT_ENDED, job);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, held->failures_untold);
        journal_field(&r, "CHIMED_RESULT", "%s", run_result_to_string(held->last_result));
        journal_send(&r, "%s: %" PRIu64 " failures since last told; the last run %s", job, held->failures_untold,
                     is_failure ? "failed" : "was good");
        held->failures_untold = 0;
        held->is_change_untold = false;
}

static void tell_merged(const struct story *s, const char *job, const struct action *a) {
        struct journal_record r = begin(s, EVENT_MERGED, job);
        journal_field(&r, "CHIMED_RUN_ID", "%s-%" PRIu64, s->instance, a->outcome.run);
        if (a->outcome.reason != SLOT_REASON_NONE)
                journal_field(&r, "CHIMED_REASON", "%s", slot_reason_to_string(a->outcome.reason));
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, a->outcome.n);
        field_slot(&r, "CHIMED_FIRST_SLOT", a->outcome.first_rt_us);
        field_slot(&r, "CHIMED_LAST_SLOT", a->outcome.last_rt_us);
        journal_send(&r, "%s: %" PRIu64 " earlier slot%s merged into run %" PRIu64, job, a->outcome.n,
                     a->outcome.n == 1 ? "" : "s", a->outcome.run);
}

static void tell_caught_up(const struct story *s, const char *job, const struct job_run *run) {
        char slot[40], late[96];
        struct journal_record r = begin(s, EVENT_CAUGHT_UP, job);
        fields_run(s, &r, run);
        journal_send(&r, "%s: run %" PRIu64 " catches up the slot of %s, %s late", job, run->run,
                     timestamp_print_utc(run->slot_rt_us, slot), print_rounded(run->lag_us, late));
}

/* True if one more may be told at once. */
static bool may_tell(struct often *often, struct clock_sample now, uint8_t max) {
        if (often->n == 0 || now.bt_us - often->since_bt_us >= HOLD_US)
                *often = (struct often){.since_bt_us = now.bt_us};
        if (often->n == max)
                return false;
        often->n++;
        return true;
}

static enum event_kind hold_kind(enum hold_change change) {
        if (change == HOLD_FINISHED)
                return EVENT_JOB_STOPPED;
        if (change == HOLD_FAILED)
                return EVENT_JOB_FAILED;
        return change == HOLD_PAUSED || change == HOLD_CANCELLED || change == HOLD_REMINDER ? EVENT_HELD : EVENT_ARMED;
}

/* "paused by root since ...: reason" and the like. Who let it go on is for the caller of the command to know. */
static void tell_hold(const struct story *s, const struct engine *e, const struct book *b, struct clock_sample now,
                      const struct action *a) {
        const struct book_job *known = book_find(b, a->job);
        const struct book_hold *hold = known && known->hold.by ? &known->hold : NULL;
        const char *job = engine_job_name(e, a->job);
        char until[40] = "", every[96];
        struct job_view view;
        engine_view(e, now, a->job, &view);
        struct journal_record r = begin(s, hold_kind(a->hold), job);
        journal_field(&r, "CHIMED_REASON", "%s", hold_change_to_string(a->hold));
        if (hold)
                journal_field(&r, "CHIMED_BY", "%s", hold->by);
        if (a->hold == HOLD_INTERVAL_SET || a->hold == HOLD_INTERVAL_RESET) {
                duration_print(engine_job_when(e, a->job)->every_us, every);
                journal_send(&r, "%s: the interval is now %s%s", job, every,
                             a->hold == HOLD_INTERVAL_RESET ? ", as its definition says" : "");
                return;
        }
        if (a->hold == HOLD_FAILED) {
                journal_field(&r, "CHIMED_COUNT", "%u", engine_job_when(e, a->job)->stop_after_failures);
                journal_send(&r, "%s: stopped, its runs have failed in %u slots in a row; chimectl start %s arms it again", job,
                             engine_job_when(e, a->job)->stop_after_failures, job);
                return;
        }
        if (hold_kind(a->hold) == EVENT_ARMED) {
                journal_send(&r, "%s: %s", job, a->hold == HOLD_STARTED ? "armed again" : "the pause is over");
                return;
        }
        if (a->hold == HOLD_FINISHED) {
                journal_send(&r, "%s: its schedule is over; chimectl start %s arms it again", job, job);
                return;
        }
        if (hold && hold->until_rt_us < INT64_MAX)
                timestamp_print_utc(hold->until_rt_us, until);
        journal_send(&r, "%s: %s%s%s%s%s%s%s%s", job, a->hold == HOLD_REMINDER ? "still " : "",
                     view.is_cancelled ? "cancelled"
                     : view.is_failed  ? "stopped, for it failed too often"
                                       : "paused",
                     hold ? " by " : "", hold ? hold->by : "", *until ? " until " : "", until, hold && hold->reason ? ": " : "",
                     hold && hold->reason ? hold->reason : "");
}

/* What became of the hold of a group, for all of its members. */
static void tell_group_hold(struct story *s, const struct engine *e, struct clock_sample now, const struct action *a) {
        const struct group *group = &engine_groups(e)->list[a->group_hold.group];
        const struct group_hold *hold = &group->hold;
        enum hold_change change = a->group_hold.change;
        char until[40] = "";
        if (!may_tell(&s->group_commands, now, COMMANDS_MAX)) {
                s->group_commands_untold++;
                return;
        }
        char name[JOB_NAME_MAX + 2];
        snprintf(name, sizeof(name), "@%s", group->name);
        struct journal_record r = begin(s, hold_kind(change), name);
        journal_field(&r, "CHIMED_REASON", "%s", hold_change_to_string(change));
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, s->group_commands_untold + 1);
        s->group_commands_untold = 0;
        if (!hold->is_on) {
                journal_send(&r, "%s: the pause is over", name);
                return;
        }
        journal_field(&r, "CHIMED_BY", "%s", hold->by);
        if (hold->until_bt_us < INT64_MAX)
                timestamp_print_utc(hold->until_bt_us + now.rt_us - now.bt_us, until);
        journal_send(&r, "%s: %spaused by %s%s%s%s%s", name, change == HOLD_REMINDER ? "still " : "", hold->by,
                     *until ? " until " : "", until, hold->reason ? ": " : "", hold->reason ? hold->reason : "");
}

static void tell_sleep(struct story *s, int64_t slept_us) {
        char span[96];
        struct journal_record r = journal_begin(s->journal, EVENT_RESUMED);
        journal_field_i64(&r, "CHIMED_DURATION_USEC", slept_us);
        journal_send(&r, "The machine was suspended for %s", print_rounded(slept_us, span));
}

/* All that was done to the wall clock since it was last told, in one record. */
static void tell_steps(struct story *s, struct clock_sample now) {
        char by[96], times[48] = "";
        int64_t by_us = s->step_us;
        struct journal_record r = journal_begin(s->journal, EVENT_CLOCK_STEP);
        journal_field_i64(&r, "CHIMED_STEP_USEC", by_us);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, s->steps);
        if (s->steps > 1)
                snprintf(times, sizeof(times), " %" PRIu64 " times, in all", s->steps);
        print_rounded(by_us > 0 ? by_us : -by_us, by);
        journal_send(&r, "The wall clock %s%s %s by %s%s",
                     s->is_first_sync_untold ? "is synchronised since now: it was set" : "was set", times,
                     by_us > 0 ? "forward" : "back", by,
                     s->is_time_line_untold ? ": a new time line, schedules on it begin anew" : "");
        s->steps = 0;
        s->step_us = 0;
        s->is_first_sync_untold = s->is_time_line_untold = false;
        s->clock_told_bt_us = now.bt_us;
}

static void tell_clock(struct story *s, struct clock_sample now, const struct clockstep *change) {
        if (change->slept_us > 0)
                tell_sleep(s, change->slept_us);
        if (change->step_us < CLOCKSTEP_MIN_US && change->step_us > -CLOCKSTEP_MIN_US)
                return;
        s->steps++;
        s->step_us += change->step_us;
        s->is_first_sync_untold = s->is_first_sync_untold || change->kind == CLOCKSTEP_SYNC;
        s->is_time_line_untold = s->is_time_line_untold || change->step_us < -CLOCKSTEP_LIMIT_US;
        if (now.bt_us - s->clock_told_bt_us >= HOLD_US)
                tell_steps(s, now);
}

/* A slot started though the ledger does not have it: after a power cut it could run again. */
static void tell_unclaimed(struct story *s, struct clock_sample now, const char *job) {
        s->unclaimed++;
        if (now.bt_us - s->unclaimed_told_bt_us < HOLD_US)
                return;
        struct journal_record r = journal_begin(s->journal, EVENT_DEGRADED);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, s->unclaimed);
        if (s->unclaimed > 1)
                journal_send(&r, "The ledger takes too long: %" PRIu64 " slots started without it, the latest of job %s",
                             s->unclaimed, job);
        else
                journal_send(&r, "The ledger takes too long: a slot of job %s started without it", job);
        s->unclaimed = 0;
        s->unclaimed_told_bt_us = now.bt_us;
}

/* ---- Log= ---- */

static void on_outcome(struct story *s, struct clock_sample now, const char *job, enum job_log log, const struct action *a,
                       const char *condition) {
        if (a->outcome.outcome == SLOT_RAN)
                return; /* told by started and ended */
        if (a->outcome.outcome == SLOT_MERGED) {
                if (log == JOB_LOG_ALL || a->outcome.reason != SLOT_REASON_NONE)
                        tell_merged(s, job, a);
                return;
        }
        struct untold slots = {.n = a->outcome.n, .first_rt_us = a->outcome.first_rt_us, .last_rt_us = a->outcome.last_rt_us};
        struct held *held = log == JOB_LOG_ALL ? NULL : held_get(s, a->job);
        if (!held) {
                bool is_condition =
                        a->outcome.reason == SLOT_REASON_CONDITION || a->outcome.reason == SLOT_REASON_CONDITION_WAIT;
                tell_missed(s, job, a->outcome.reason, &slots, is_condition ? condition : "");
                return;
        }
        struct untold *of_reason = &held->missed[a->outcome.reason];
        if (of_reason->n == 0)
                of_reason->first_rt_us = slots.first_rt_us;
        of_reason->last_rt_us = slots.last_rt_us;
        of_reason->n += slots.n;
        if (now.bt_us - held->told_bt_us < HOLD_US) {
                hold_until(s, held, held->told_bt_us + HOLD_US);
                return;
        }
        tell_missed_held(s, job, held);
        held->told_bt_us = now.bt_us;
}

/* True if what a command did to the job is told at once; else it is counted. */
static bool may_tell_command(struct story *s, struct clock_sample now, uint32_t job) {
        struct held *held = held_get(s, job);
        if (!held || may_tell(&held->commands, now, COMMANDS_MAX))
                return true;
        held->commands_untold++;
        hold_until(s, held, held->commands.since_bt_us + HOLD_US);
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
        if (is_change && may_tell(&held->changes, now, CHANGES_MAX))
                return true;
        if (is_change) {
                held->is_change_untold = true;
                hold_until(s, held, held->changes.since_bt_us + HOLD_US);
        }
        if (!is_failure)
                return false;
        if (now.bt_us - held->told_bt_us >= HOLD_US)
                return true;
        held->failures_untold++;
        hold_until(s, held, held->told_bt_us + HOLD_US);
        return false;
}

static void on_ended(struct story *s, const struct engine *e, struct clock_sample now, const char *job, enum job_log log,
                     const struct action *a, const void *value, size_t value_size) {
        bool is_failure = run_result_is_failure(a->run.end.result);
        bool is_change = a->run.has_changed && (is_failure || log != JOB_LOG_FAILURES);
        struct held *held = log == JOB_LOG_ALL                     ? NULL
                            : is_failure || log == JOB_LOG_SUMMARY ? held_get(s, a->job)
                                                                   : held_find(s, a->job);
        if (held ? !hold_end(s, now, held, log, a, is_change) : log != JOB_LOG_ALL && !is_failure && !is_change)
                return;
        tell_ended(s, e, job, a, is_failure && held ? held->failures_untold + 1 : 1, value, value_size);
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
        struct journal_record r = begin(s, is_held ? EVENT_HELD : EVENT_ARMED, job);
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
        bool is_told = tell_missed_held(s, job, held);
        if (held->failures_untold > 0 || held->is_change_untold) {
                tell_failures_held(s, job, held);
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
        struct journal_record r = begin(s, EVENT_ENDED, job);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, held->runs);
        journal_send(&r, "%s: %" PRIu64 " runs, %" PRIu64 " failed, since last told", job, held->runs, held->failures);
        held->runs = held->failures = 0;
}

void story_tell(struct story *s, const struct engine *e, const struct book *b, struct clock_sample now, const struct action *a,
                const void *value, size_t value_size) {
        if (a->kind == ACTION_CLOCK) {
                tell_clock(s, now, &a->clock);
                return;
        }
        if (a->kind == ACTION_GROUP_HOLD) {
                tell_group_hold(s, e, now, a);
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
        const char *job = engine_job_name(e, a->job), *condition = engine_condition(e, a->job);
        enum job_log log = engine_job_when(e, a->job)->log;
        condition = condition ? condition : "";
        switch (a->kind) {
        case ACTION_OUTCOME:
                if (a->outcome.is_again)
                        break;
                on_outcome(s, now, job, log, a, condition);
                break;
        case ACTION_STARTED:
                if (a->run.is_again)
                        break;
                if (a->run.run.is_unclaimed)
                        tell_unclaimed(s, now, job);
                if (a->run.run.cause == RUN_CAUSE_CATCH_UP)
                        tell_caught_up(s, job, &a->run.run);
                if (log == JOB_LOG_ALL)
                        tell_started(s, job, &a->run.run);
                break;
        case ACTION_ENDED:
                if (!a->run.is_quiet)
                        on_ended(s, e, now, job, log, a, value, value_size);
                break;
        case ACTION_GIVEN_UP:
                tell_given_up(s, job, a, condition);
                break;
        case ACTION_OVERDUE:
                tell_overdue(s, e, now, job, a);
                break;
        case ACTION_HOLD:
                if (may_tell_command(s, now, a->job))
                        tell_hold(s, e, b, now, a);
                break;
        case ACTION_REFUSED:
                if (a->run.is_asked_again && !a->run.run.was_refused && log == JOB_LOG_ALL)
                        tell_pending(s, job, &a->run.run, condition);
                else if (a->run.is_final && may_tell_command(s, now, a->job))
                        tell_refused(s, job, &a->run.run, condition);
                break;
        case ACTION_DROPPED:
                if (may_tell_command(s, now, a->job))
                        tell_dropped(s, job, a->run.run.run, a->run.end.result);
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
        if (s->steps > 0 && now.bt_us >= s->clock_told_bt_us + HOLD_US)
                tell_steps(s, now);
        for (int i = 0; i < FLUSH_BATCH && (first = schedule_first(&s->due)) && first->at_us <= now.bt_us; i++) {
                uint32_t row = first->id;
                schedule_remove(&s->due, row);
                flush_one(s, e, now, &s->held[row]);
        }
}

void story_finish(struct story *s, const struct engine *e) {
        if (s->steps > 0)
                tell_steps(s, (struct clock_sample){.bt_us = INT64_MAX});
        while (schedule_first(&s->due))
                story_flush(s, e, (struct clock_sample){.bt_us = INT64_MAX});
}
