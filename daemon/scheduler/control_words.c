// SPDX-License-Identifier: MIT
// control_words: a sentence says one thing. What is not known is said to be so: nothing is guessed.

#include "daemon/scheduler/control_words_internal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/duration.h"
#include "config/timestamp.h"
#include "daemon/scheduler/plan.h"

#define WORDS_DELAY_MAX 212 /* bytes for what is behind a calendar */

/* ---- schedule ---- */

void words_append(char *buf, size_t size, const char *format, ...) {
        size_t at = strlen(buf);
        va_list ap;
        va_start(ap, format);
        vsnprintf(buf + at, size - at, format, ap);
        va_end(ap);
}

static void put_align(const struct job_when *when, char *buf, size_t size) {
        char instant[40];
        switch ((enum job_align)when->align) {
        case JOB_ALIGN_START:
                return;
        case JOB_ALIGN_WALL:
                words_append(buf, size, " from %s",
                             when->align_us == 0 ? "the epoch" : timestamp_print_utc(when->align_us, instant));
                return;
        case JOB_ALIGN_CIVIL: {
                const char *zone = when->agenda ? agenda_grid_zone(when->agenda) : NULL;
                words_append(buf, size, " from %s",
                             when->align_us == 0 ? "midnight" : timestamp_print_civil(when->align_us, instant));
                words_append(buf, size, " %s", zone && strcmp(zone, "localtime") != 0 ? zone : "local time");
        }
        }
}

static void put_every(const struct job_when *when, char *buf, size_t size) {
        char span[96];
        words_append(buf, size, "%severy %s", buf[0] ? ", " : "", duration_print(when->every_us, span));
        if (when->mode == JOB_MODE_FIXED_RATE) {
                words_append(buf, size, ", fixed rate");
                put_align(when, buf, size);
        }
        if (when->jitter_ppm > 0)
                words_append(buf, size, " ± %g%%", when->jitter_ppm / 10000.0);
}

/* More than there is room for, but for spare bytes, ends with an ellipsis. */
static void put_long(const char *separator, const char *words, char *buf, size_t size, size_t spare) {
        if (!*words)
                return;
        size_t used = strlen(buf) + spare, room = used < size ? size - used : 0;
        words_append(buf, size, "%s%.*s%s", buf[0] ? separator : "", (int)room, words, strlen(words) > room ? "..." : "");
}

static void put_random_delay(const struct job_when *when, char *buf, size_t size) {
        char span[96];
        if (when->random_delay_us > 0)
                words_append(buf, size, ", up to %s late", duration_print(when->random_delay_us, span));
        else if (when->random_delay_ppm > 0)
                words_append(buf, size, ", up to %g%% late", when->random_delay_ppm / 10000.0);
}

static void put_borders(const struct job_when *when, char *buf, size_t size) {
        char instant[40];
        if (when->not_before_us > 0)
                words_append(buf, size, ", from %s", timestamp_print_utc(when->not_before_us, instant));
        if (when->until_us < INT64_MAX) /* to the second: a day's end is told as its last one */
                words_append(buf, size, ", until %s",
                             timestamp_print_utc(when->until_us / USEC_PER_SEC * USEC_PER_SEC, instant));
        if (when->max_runs > 0)
                words_append(buf, size, ", %u run%s", when->max_runs, when->max_runs == 1 ? "" : "s");
}

char *words_schedule(const struct job_when *when, char buf[static WORDS_SCHEDULE_MAX]) {
        char span[96];
        buf[0] = '\0';
        if (when->on_boot_us == 0)
                words_append(buf, WORDS_SCHEDULE_MAX, "at boot");
        else if (when->on_boot_us > 0)
                words_append(buf, WORDS_SCHEDULE_MAX, "%s after boot", duration_print(when->on_boot_us, span));
        if (when->is_on_wake)
                words_append(buf, WORDS_SCHEDULE_MAX, "%sat wake", buf[0] ? ", " : "");
        if (when->every_us > 0)
                put_every(when, buf, WORDS_SCHEDULE_MAX);
        if (when->agenda)
                put_long(", ", agenda_words(when->agenda), buf, WORDS_SCHEDULE_MAX, WORDS_DELAY_MAX);
        put_random_delay(when, buf, WORDS_SCHEDULE_MAX);
        put_borders(when, buf, WORDS_SCHEDULE_MAX);
        if (!buf[0])
                words_append(buf, WORDS_SCHEDULE_MAX, "on demand");
        else if (when->days)
                put_long("; ", days_words(when->days), buf, WORDS_SCHEDULE_MAX, sizeof("; ..."));
        return buf;
}

const char *words_next_reason(const struct job_view *view, const struct job_when *when, char buf[static WORDS_SCHEDULE_MAX]) {
        static const char *const ends[JOB_END_MAX] = {
                [JOB_END_RUNS] = "finished: it has had its MaxRuns=",
                [JOB_END_RUN] = "finished: its last run said so",
                [JOB_END_UNTIL] = "finished: no slot is left before Until=",
                [JOB_END_CALENDAR] = "finished: no instant of its calendar is left",
        };
        if (view->status == JOB_STATUS_DISABLED)
                return "disabled: its definition says Enabled=no";
        if (view->is_cancelled)
                return "cancelled";
        if (view->is_failed)
                return "failed: it was stopped, by StopAfterFailures=";
        if (view->end != JOB_END_NONE)
                return ends[view->end];
        if (view->retry) {
                snprintf(buf, WORDS_SCHEDULE_MAX, "attempt %u of its last slot %s", view->retry->attempt,
                         view->retry->refused_bt_us != 0 ? "waits for its conditions" : "is to come");
                return buf;
        }
        if (view->is_paused)
                return view->is_held || view->group == INDEX_NONE ? "paused" : "its group is paused";
        if (view->pending_run > 0) {
                snprintf(buf, WORDS_SCHEDULE_MAX, "run %" PRIu64 " waits for the end of the run in flight", view->pending_run);
                return buf;
        }
        if (view->n_line > 0)
                return "a slot waits for the end of the run in flight";
        if (view->waiting)
                return view->waiting->awaits == JOB_AWAITS_RETRY ? "its last slot could not be started, and is tried again"
                                                                 : "its last slot waits for its conditions";
        if (view->is_place_awaited)
                return "waits for a place in its groups";
        if (view->is_clock_awaited)
                return "waits for the clock to be synchronised";
        if (!plan_exists(when))
                return view->is_child                       ? "follows other jobs"
                       : !job_when_has_schedule(when)       ? "on demand only"
                       : view->next_slot_rt_us != INT64_MAX ? NULL
                       : !when->is_on_wake                  ? "at boot only"
                       : when->on_boot_us < 0               ? "at wake only"
                                                            : "at boot and wake only";
        if (view->next_slot_rt_us == INT64_MAX && view->run)
                return "counts from the end of the run in flight";
        return view->is_interval_set ? "its interval was set by command" : NULL;
}

/* ---- runs ---- */

const char *words_signal(int signal, char buf[static 160]) {
        const char *name = sigabbrev_np(signal);
        if (name)
                snprintf(buf, 160, "SIG%s", name);
        else if (signal >= SIGRTMIN && signal <= SIGRTMAX)
                snprintf(buf, 160, "SIGRTMIN+%d", signal - SIGRTMIN);
        else
                snprintf(buf, 160, "%d", signal);
        return buf;
}

const char *words_start_error(const struct run_end *end, char buf[static 160]) {
        if (end->result != RUN_RESULT_START_FAILED)
                return NULL;
        const char *why = run_start_error(end);
        if (!why && end->step == RUN_STEP_PLUGIN)
                why = "its value says why";
        snprintf(buf, 160, "%s: %s", run_step_to_string(end->step), why ? why : "for an unknown reason");
        return buf;
}

const char *words_how_it_ended(const struct run_end *end, char buf[static 160]) {
        static const char *const words[RUN_RESULT_MAX] = {
                [RUN_RESULT_NONE] = "in flight",
                [RUN_RESULT_SUCCESS] = "success",
                [RUN_RESULT_FAILED] = "failed",
                [RUN_RESULT_TIMEOUT] = "ended by its Timeout=",
                [RUN_RESULT_SIGNAL] = "killed",
                [RUN_RESULT_START_FAILED] = "not started",
                [RUN_RESULT_CANCELLED] = "ended by a command, or as chimed was stopped",
                [RUN_RESULT_INTERRUPTED] = "interrupted, as the machine, the runner or its host died",
                [RUN_RESULT_FINISHED] = "done for good (FinishExitStatus=)",
                [RUN_RESULT_SKIPPED] = "nothing to do (SkipExitStatus=)",
                [RUN_RESULT_CONDITION] = "not executed, for its conditions did not hold",
                [RUN_RESULT_OOM] = "the kernel killed for lack of memory",
        };
        char name[160];
        if (end->result == RUN_RESULT_START_FAILED) {
                snprintf(buf, 160, "could not start: %.140s", words_start_error(end, name));
                return buf;
        }
        if (end->result == RUN_RESULT_FINISHED && end->start_bt_us == 0)
                return "not executed, for what StopWhenPathExists= names was there";
        if (end->step == RUN_STEP_UNIT && end->result == RUN_RESULT_TIMEOUT)
                return "ended by a time limit of its unit";
        if (end->step == RUN_STEP_UNIT && end->result == RUN_RESULT_SKIPPED)
                return "nothing to do (a condition of its unit did not hold)";
        if (end->exit_code < 0 && end->signal == 0) { /* a plugin or a coprocess has answered */
                if (end->result == RUN_RESULT_FAILED)
                        return "by its own word, its value says why";
                if (end->result == RUN_RESULT_FINISHED || end->result == RUN_RESULT_SKIPPED)
                        return end->result == RUN_RESULT_FINISHED ? "done for good, by its own word"
                                                                  : "nothing to do, by its own word";
        }
        if (end->result == RUN_RESULT_SIGNAL)
                snprintf(buf, 160, "killed by %s", words_signal(end->signal, name));
        else if (end->result == RUN_RESULT_FAILED)
                snprintf(buf, 160, "exit status %d", end->exit_code);
        else
                return words[end->result];
        return buf;
}

/* ---- sentences ---- */

void words_say(struct words_answer *answer, const char *format, ...) {
        if (answer->n == WORDS_SENTENCES)
                return;
        va_list ap;
        va_start(ap, format);
        vsnprintf(answer->sentences[answer->n++], WORDS_SENTENCE_MAX, format, ap);
        va_end(ap);
}

char *words_about(int64_t us, char buf[static 96]) {
        if (us < 0)
                us = 0;
        int64_t unit = us >= USEC_PER_DAY    ? USEC_PER_HOUR
                       : us >= USEC_PER_HOUR ? USEC_PER_MINUTE
                       : us >= USEC_PER_SEC  ? USEC_PER_SEC
                       : us >= USEC_PER_MSEC ? USEC_PER_MSEC
                                             : 1;
        return duration_print(us - us % unit, buf);
}

const char *words_of_reason(enum slot_reason reason) {
        static const char *const words[SLOT_REASON_MAX] = {
                [SLOT_REASON_NONE] = "for no reason that is known",
                [SLOT_REASON_OVERLAP] = "the run before was still in flight",
                [SLOT_REASON_DOWN] = "chimed was not running",
                [SLOT_REASON_SUSPENDED] = "the machine slept",
                [SLOT_REASON_CLOCK_STEP] = "the wall clock was set over it",
                [SLOT_REASON_DEADLINE] = "it could not start before its StartDeadline=, or before the next slot was due",
                [SLOT_REASON_PAUSED] = "the job or a group of it was paused",
                [SLOT_REASON_CANCELLED] = "the job was cancelled",
                [SLOT_REASON_DISABLED] = "its definition said Enabled=no",
                [SLOT_REASON_REMOVED] = "its definition was gone",
                [SLOT_REASON_CALENDAR] = "its day is left out by Only= or Except=",
                [SLOT_REASON_POOL] = "no place was free in its groups (MaxRunning=) before it was too late",
                [SLOT_REASON_CONDITION_WAIT] = "its conditions did not hold within ConditionWait=",
                [SLOT_REASON_RESOURCES] = "processes, memory or descriptors ran short until it was too late",
                [SLOT_REASON_CONDITION] = "its conditions did not hold",
                [SLOT_REASON_FAILED] = "StopAfterFailures= had stopped the job",
        };
        return words[reason];
}
