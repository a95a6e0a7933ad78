// SPDX-License-Identifier: MIT
// story_runs: the records of runs and slots, one function each.

#include "daemon/scheduler/story_internal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "config/timestamp.h"
#include "daemon/scheduler/control_words.h"

#define LAST_LINE_MAX 200

static void field_slot(struct journal_record *r, const char *name, int64_t rt_us) {
        char buf[40];
        journal_field(r, name, "%s", timestamp_print_utc(rt_us, buf));
}

struct journal_record story_begin(const struct story *s, enum event_kind kind, const char *job) {
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

void story_tell_started(const struct story *s, const char *job, const struct job_run *run) {
        char slot[40];
        struct journal_record r = story_begin(s, EVENT_STARTED, job);
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

char *story_print_rounded(int64_t us, char buf[static 96]) {
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
        if (end->result == RUN_RESULT_FAILED && end->exit_code >= 0)
                snprintf(how, sizeof(how), " with exit status %d", end->exit_code);
        else if (is_good && end->exit_code > 0)
                snprintf(how, sizeof(how), " (exit status %d)", end->exit_code);
        else if (end->signal > 0 && (is_good || end->result == RUN_RESULT_SIGNAL))
                snprintf(how, sizeof(how), is_good ? " (%s)" : ": killed by %s", words_signal(end->signal, name));
        else if (end->result == RUN_RESULT_OOM)
                snprintf(how, sizeof(how), ": the kernel killed for lack of memory");
        const char *verb = end->result == RUN_RESULT_SUCCESS     ? "succeeded"
                           : end->result == RUN_RESULT_TIMEOUT   ? "timed out"
                           : end->result == RUN_RESULT_CANCELLED ? "was cancelled"
                           : end->result == RUN_RESULT_FINISHED  ? "finished"
                           : end->result == RUN_RESULT_SKIPPED   ? "had nothing to do"
                                                                 : "failed";
        if (end->step == RUN_STEP_CONDITION)
                snprintf(buf, size, "%s%s while its conditions were asked", verb, how);
        else
                snprintf(buf, size, "%s%s after %s", verb, how, story_print_rounded(end->end_bt_us - end->start_bt_us, took));
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
        if (end->start_bt_us > 0 && end->cpu_us > 0) /* of ticks it is not known */
                journal_field_i64(r, "CHIMED_CPU_USEC", end->cpu_us);
        if (end->memory_peak > 0)
                journal_field_i64(r, "CHIMED_MEMORY_PEAK", end->memory_peak);
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
                snprintf(buf, size, "; it is tried again, first in %s", story_print_rounded(a->run.retry_us, in));
        else if (is_failure && !a->run.is_final)
                snprintf(buf, size, "%sattempt %u of %u in %s", lead, attempt + 1, of,
                         story_print_rounded(a->run.retry_us, in));
        else if (is_failure && attempt < of && of > 1)
                snprintf(buf, size, "%sattempt %u of %u would come too late: the next slot is due before it", lead, attempt + 1,
                         of);
        else if (attempt > 1)
                snprintf(buf, size, "%sit was attempt %u of %u", lead, attempt, of > attempt ? of : attempt);
}

void story_tell_ended(const struct story *s, const struct engine *e, const char *job, const struct action *a, uint64_t failures,
                      const void *value, size_t value_size) {
        char how[256], more[64] = "", attempt[160];
        const char *line = "";
        int n = 0;
        struct journal_record r = story_begin(s, end_kind(&a->run.end, a->run.is_final), job);
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

void story_tell_refused(const struct story *s, const char *job, const struct job_run *run, const char *condition) {
        struct journal_record r = story_begin(s, EVENT_ENDED, job);
        fields_run(s, &r, run);
        journal_field(&r, "CHIMED_RESULT", "%s", run_result_to_string(RUN_RESULT_CONDITION));
        journal_field(&r, "CHIMED_CONDITION", "%s", condition);
        journal_send(&r, "%s: run %" PRIu64 " was not executed: its conditions did not hold: %s", job, run->run, condition);
}

void story_tell_pending(const struct story *s, const char *job, const struct job_run *run, const char *condition) {
        char slot[40], attempt[32] = "";
        struct journal_record r = story_begin(s, EVENT_PENDING, job);
        field_slot(&r, "CHIMED_SLOT", run->slot_rt_us);
        journal_field(&r, "CHIMED_CONDITION", "%s", condition);
        if (run->attempt > 1)
                snprintf(attempt, sizeof(attempt), "attempt %u of ", run->attempt);
        journal_send(&r, "%s: %sthe slot of %s waits for %s", job, attempt, timestamp_print_utc(run->slot_rt_us, slot),
                     *condition ? condition : "its conditions");
}

void story_tell_short(const struct story *s, const char *job, const struct action *a) {
        char slot[40], how[256];
        struct journal_record r = story_begin(s, EVENT_RETRY, job);
        fields_run(s, &r, &a->run.run);
        fields_end(&r, &a->run.end);
        print_end(&a->run.end, how, sizeof(how));
        journal_send(&r, "%s: the slot of %s %s; it is tried again", job, timestamp_print_utc(a->run.run.slot_rt_us, slot),
                     how);
}

void story_tell_dropped(const struct story *s, const char *job, uint64_t run, enum run_result result) {
        const char *text = result == RUN_RESULT_CONDITION     ? "was not executed: its conditions did not hold in time"
                           : result == RUN_RESULT_INTERRUPTED ? "is not known to have started: chimed went down while it waited"
                                                              : "was cancelled before it started";
        struct journal_record r = story_begin(s, result == RUN_RESULT_INTERRUPTED ? EVENT_INTERRUPTED : EVENT_ENDED, job);
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

void story_tell_given_up(const struct story *s, const char *job, const struct action *a, const char *condition) {
        const struct job_retry *retry = &a->given_up.retry;
        bool is_interrupted = a->given_up.reason == SLOT_REASON_NONE;
        struct journal_record r = story_begin(s,
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

void story_tell_overdue(const struct story *s, const struct engine *e, struct clock_sample now, const char *job,
                        const struct action *a) {
        char since[40], within[96], span[96];
        struct journal_record r = story_begin(s, EVENT_OVERDUE, job);
        field_slot(&r, "CHIMED_SINCE", a->overdue.since_rt_us);
        journal_field(&r, "CHIMED_REASON", "%s", a->overdue.is_over ? "over" : a->overdue.is_again ? "reminder" : "overdue");
        timestamp_print_utc(a->overdue.since_rt_us, since);
        duration_print(engine_job_when(e, a->job)->expect_within_us, within);
        if (a->overdue.is_over)
                journal_send(&r, "%s: no longer overdue: it had a good run, the first since %s", job, since);
        else
                journal_send(&r, "%s: %soverdue: no good run since %s, for %s, and one is expected within %s", job,
                             a->overdue.is_again ? "still " : "", since,
                             story_print_rounded(now.rt_us - a->overdue.since_rt_us, span), within);
}

void story_tell_missed(const struct story *s, const char *job, enum slot_reason reason, const struct untold *slots,
                       const char *condition) {
        char first[40], last[40];
        bool is_withheld = slot_outcome_of(reason) == SLOT_WITHHELD, is_interrupted = reason == SLOT_REASON_NONE;
        const char *verb = is_withheld ? "withheld" : is_interrupted ? "interrupted in" : "missed";
        struct journal_record r = story_begin(s,
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

bool story_tell_missed_held(const struct story *s, const char *job, struct held *held) {
        bool is_any = false;
        for (enum slot_reason reason = 0; reason < SLOT_REASON_MAX; reason++) {
                if (held->missed[reason].n == 0)
                        continue;
                story_tell_missed(s, job, reason, &held->missed[reason], "");
                held->missed[reason] = (struct untold){0};
                is_any = true;
        }
        return is_any;
}

void story_tell_failures_held(const struct story *s, const char *job, struct held *held) {
        bool is_failure = run_result_is_failure(held->last_result);
        struct journal_record r = story_begin(s, is_failure ? EVENT_FAILED : EVENT_ENDED, job);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, held->failures_untold);
        journal_field(&r, "CHIMED_RESULT", "%s", run_result_to_string(held->last_result));
        journal_send(&r, "%s: %" PRIu64 " failures since last told; the last run %s", job, held->failures_untold,
                     is_failure ? "failed" : "was good");
        held->failures_untold = 0;
        held->is_change_untold = false;
}

void story_tell_merged(const struct story *s, const char *job, const struct action *a) {
        struct journal_record r = story_begin(s, EVENT_MERGED, job);
        journal_field(&r, "CHIMED_RUN_ID", "%s-%" PRIu64, s->instance, a->outcome.run);
        if (a->outcome.reason != SLOT_REASON_NONE)
                journal_field(&r, "CHIMED_REASON", "%s", slot_reason_to_string(a->outcome.reason));
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, a->outcome.n);
        field_slot(&r, "CHIMED_FIRST_SLOT", a->outcome.first_rt_us);
        field_slot(&r, "CHIMED_LAST_SLOT", a->outcome.last_rt_us);
        journal_send(&r, "%s: %" PRIu64 " earlier slot%s merged into run %" PRIu64, job, a->outcome.n,
                     a->outcome.n == 1 ? "" : "s", a->outcome.run);
}

void story_tell_caught_up(const struct story *s, const char *job, const struct job_run *run) {
        char slot[40], late[96];
        struct journal_record r = story_begin(s, EVENT_CAUGHT_UP, job);
        fields_run(s, &r, run);
        journal_send(&r, "%s: run %" PRIu64 " catches up the slot of %s, %s late", job, run->run,
                     timestamp_print_utc(run->slot_rt_us, slot), story_print_rounded(run->lag_us, late));
}
