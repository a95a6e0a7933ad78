// SPDX-License-Identifier: MIT
// control_words: a sentence says one thing. What is not known is said to be so: nothing is guessed.

#include "daemon/scheduler/control_words.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/duration.h"
#include "config/timestamp.h"
#include "daemon/scheduler/plan.h"

#define WORDS_DELAY_MAX 212                /* bytes for what is behind a calendar */
#define LATE_US         (1 * USEC_PER_SEC) /* a smaller lag is none */

/* ---- schedule ---- */

__attribute__((format(printf, 3, 4))) static void append(char *buf, size_t size, const char *format, ...) {
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
                append(buf, size, " from %s", when->align_us == 0 ? "the epoch" : timestamp_print_utc(when->align_us, instant));
                return;
        case JOB_ALIGN_CIVIL: {
                const char *zone = when->agenda ? agenda_grid_zone(when->agenda) : NULL;
                append(buf, size, " from %s",
                       when->align_us == 0 ? "midnight" : timestamp_print_civil(when->align_us, instant));
                append(buf, size, " %s", zone && strcmp(zone, "localtime") != 0 ? zone : "local time");
        }
        }
}

static void put_every(const struct job_when *when, char *buf, size_t size) {
        char span[96];
        append(buf, size, "%severy %s", buf[0] ? ", " : "", duration_print(when->every_us, span));
        if (when->mode == JOB_MODE_FIXED_RATE) {
                append(buf, size, ", fixed rate");
                put_align(when, buf, size);
        }
        if (when->jitter_ppm > 0)
                append(buf, size, " ± %g%%", when->jitter_ppm / 10000.0);
}

/* More than there is room for, but for spare bytes, ends with an ellipsis. */
static void put_long(const char *separator, const char *words, char *buf, size_t size, size_t spare) {
        if (!*words)
                return;
        size_t used = strlen(buf) + spare, room = used < size ? size - used : 0;
        append(buf, size, "%s%.*s%s", buf[0] ? separator : "", (int)room, words, strlen(words) > room ? "..." : "");
}

static void put_random_delay(const struct job_when *when, char *buf, size_t size) {
        char span[96];
        if (when->random_delay_us > 0)
                append(buf, size, ", up to %s late", duration_print(when->random_delay_us, span));
        else if (when->random_delay_ppm > 0)
                append(buf, size, ", up to %g%% late", when->random_delay_ppm / 10000.0);
}

static void put_borders(const struct job_when *when, char *buf, size_t size) {
        char instant[40];
        if (when->not_before_us > 0)
                append(buf, size, ", from %s", timestamp_print_utc(when->not_before_us, instant));
        if (when->until_us < INT64_MAX) /* to the second: a day's end is told as its last one */
                append(buf, size, ", until %s", timestamp_print_utc(when->until_us / USEC_PER_SEC * USEC_PER_SEC, instant));
        if (when->max_runs > 0)
                append(buf, size, ", %u run%s", when->max_runs, when->max_runs == 1 ? "" : "s");
}

char *words_schedule(const struct job_when *when, char buf[static WORDS_SCHEDULE_MAX]) {
        char span[96];
        buf[0] = '\0';
        if (when->on_boot_us == 0)
                append(buf, WORDS_SCHEDULE_MAX, "at boot");
        else if (when->on_boot_us > 0)
                append(buf, WORDS_SCHEDULE_MAX, "%s after boot", duration_print(when->on_boot_us, span));
        if (when->is_on_wake)
                append(buf, WORDS_SCHEDULE_MAX, "%sat wake", buf[0] ? ", " : "");
        if (when->every_us > 0)
                put_every(when, buf, WORDS_SCHEDULE_MAX);
        if (when->agenda)
                put_long(", ", agenda_words(when->agenda), buf, WORDS_SCHEDULE_MAX, WORDS_DELAY_MAX);
        put_random_delay(when, buf, WORDS_SCHEDULE_MAX);
        put_borders(when, buf, WORDS_SCHEDULE_MAX);
        if (!buf[0])
                append(buf, WORDS_SCHEDULE_MAX, "on demand");
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
                return "its last slot waits for its conditions";
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
        snprintf(buf, 160, "%s: %s", run_step_to_string(end->step), why ? why : "for an unknown reason");
        return buf;
}

/* "exit status 3", "killed by SIGSEGV", "working-directory: No such file or directory", "success". */
static const char *how_it_ended(const struct run_end *end, char buf[static 160]) {
        static const char *const words[RUN_RESULT_MAX] = {
                [RUN_RESULT_NONE] = "in flight",
                [RUN_RESULT_SUCCESS] = "success",
                [RUN_RESULT_FAILED] = "failed",
                [RUN_RESULT_TIMEOUT] = "ended by its Timeout=",
                [RUN_RESULT_SIGNAL] = "killed",
                [RUN_RESULT_START_FAILED] = "not started",
                [RUN_RESULT_CANCELLED] = "ended by a command, or as chimed was stopped",
                [RUN_RESULT_INTERRUPTED] = "interrupted, as the machine or the runner died",
                [RUN_RESULT_FINISHED] = "done for good (FinishExitStatus=)",
                [RUN_RESULT_SKIPPED] = "nothing to do (SkipExitStatus=)",
                [RUN_RESULT_CONDITION] = "not executed, for its conditions did not hold",
        };
        char name[160];
        if (end->result == RUN_RESULT_START_FAILED) {
                snprintf(buf, 160, "could not start: %.140s", words_start_error(end, name));
                return buf;
        }
        if (end->result == RUN_RESULT_FINISHED && end->start_bt_us == 0)
                return "not executed, for what StopWhenPathExists= names was there";
        if (end->result == RUN_RESULT_SIGNAL)
                snprintf(buf, 160, "killed by %s", words_signal(end->signal, name));
        else if (end->result == RUN_RESULT_FAILED)
                snprintf(buf, 160, "exit status %d", end->exit_code);
        else
                return words[end->result];
        return buf;
}

/* ---- sentences ---- */

__attribute__((format(printf, 2, 3))) static void say(struct words_answer *answer, const char *format, ...) {
        if (answer->n == WORDS_SENTENCES)
                return;
        va_list ap;
        va_start(ap, format);
        vsnprintf(answer->sentences[answer->n++], WORDS_SENTENCE_MAX, format, ap);
        va_end(ap);
}

/* A span without its small parts. */
static char *about(int64_t us, char buf[static 96]) {
        if (us < 0)
                us = 0;
        int64_t unit = us >= USEC_PER_DAY    ? USEC_PER_HOUR
                       : us >= USEC_PER_HOUR ? USEC_PER_MINUTE
                       : us >= USEC_PER_SEC  ? USEC_PER_SEC
                       : us >= USEC_PER_MSEC ? USEC_PER_MSEC
                                             : 1;
        return duration_print(us - us % unit, buf);
}

static const char *reason_words(enum slot_reason reason) {
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

/* What stands behind the run in flight. */
static void say_line(const struct words_facts *f, struct words_answer *answer) {
        char slot[40], rest[64] = "", trigger[64] = "";
        const struct job_view *v = &f->view;
        if (v->n_line > 1)
                snprintf(rest, sizeof(rest), ", with %u behind it (QueueMax=%u)", v->n_line - 1, f->when->queue_max);
        if (v->pending_run > 0)
                snprintf(trigger, sizeof(trigger), ", as run %" PRIu64 " with a trigger", v->pending_run);
        if (v->n_line > 0)
                say(answer, "The slot of %s waits for its end%s%s.", timestamp_print_utc(v->line_slot_rt_us, slot), trigger,
                    rest);
        else if (v->pending_run > 0)
                say(answer, "Run %" PRIu64 " waits for its end, for a trigger.", v->pending_run);
        if (v->n_line == 0 && v->is_pending_slot)
                say(answer, "Slots that passed wait for its end, to be caught up.");
}

static void say_run(const struct words_facts *f, struct words_answer *answer) {
        char instant[40], span[96];
        const struct job_run *run = f->view.run;
        if (!run)
                return;
        if (f->view.n_beside > 0)
                say(answer, "%u runs are in flight; Overlap=parallel lets %u be.", f->view.n_beside + 1, f->when->max_parallel);
        if (run->start_rt_us > 0)
                say(answer, "Run %" PRIu64 " is in flight since %s, for %s (%s).", run->run,
                    timestamp_print_utc(run->start_rt_us, instant), about(f->now.bt_us - run->start_bt_us, span),
                    run_cause_to_string(run->cause));
        else
                say(answer, "Run %" PRIu64 " is being started (%s)%s.", run->run, run_cause_to_string(run->cause),
                    run->is_asked ? ", its conditions are being asked" : "");
        say_line(f, answer);
        answer->run = f->book && f->book->last && f->book->last->run.run == run->run ? f->book->last : NULL;
}

static void say_retry(const struct words_facts *f, struct words_answer *answer) {
        char at[40], in[96], how[160];
        const struct job_retry *retry = f->view.retry;
        if (!retry || f->has_place) /* its time has come */
                return;
        const struct book_run *last = f->book ? f->book->last_failure : NULL;
        struct run_end end = {.result = retry->result, .exit_code = retry->exit_code, .signal = retry->signal};
        if (last && last->run.run == retry->run)
                end = last->end; /* it knows the step that failed, too */
        answer->reason = "retry";
        timestamp_print_utc(f->now.rt_us + retry->at_bt_us - f->now.bt_us, at);
        about(retry->at_bt_us - f->now.bt_us, in);
        if (retry->is_short)
                say(answer,
                    "Run %" PRIu64
                    " could not be started for lack of processes, memory or descriptors: it is tried again at %s, "
                    "in %s.",
                    retry->run, at, in);
        else if (retry->refused_bt_us != 0)
                say(answer, "Run %" PRIu64 " failed (%s): attempt %u of %u waits for %s. They are asked again in %s.",
                    retry->run, how_it_ended(&end, how), retry->attempt, f->when->retries + 1,
                    f->condition ? f->condition : "its conditions", in);
        else
                say(answer, "Run %" PRIu64 " failed (%s): attempt %u of %u comes at %s, in %s.", retry->run,
                    how_it_ended(&end, how), retry->attempt, f->when->retries + 1, at, in);
}

/* ", by backup and mirror", ", by backup, mirror and others". */
static const char *who_runs(const struct words_place *p, char buf[static 200]) {
        size_t n = p->place.n_runners;
        bool has_others = p->place.pool.n_running > n;
        buf[0] = '\0';
        for (size_t i = 0; i < n; i++)
                append(buf, 200, i == 0 ? ", by %s" : i + 1 < n || has_others ? ", %s" : " and %s", p->runners[i]);
        if (n > 0 && has_others)
                append(buf, 200, " and others");
        return buf;
}

static void say_place(const struct words_facts *f, struct words_answer *answer) {
        char who[200], since[96], until[64] = "", instant[40], where[120] = "among all jobs";
        const struct engine_place *place = &f->place.place;
        if (!f->has_place)
                return;
        answer->reason = "pool";
        if (place->group)
                snprintf(where, sizeof(where), "in the group %s", place->group);
        say(answer, "%s waits for a place %s, where %u of %u places (MaxRunning=) are taken%s.",
            f->view.is_pending_slot ? "A slot"
            : f->view.retry         ? "An attempt"
                                    : "A trigger",
            where, place->pool.n_running, place->pool.max_running, who_runs(&f->place, who));
        if (!place->is_full)
                say(answer, "The free place is kept for a job that is before it and needs one in another group, too.");
        int64_t until_us = place->until_bt_us < INT64_MAX ? f->now.rt_us + place->until_bt_us - f->now.bt_us : INT64_MAX;
        if (until_us < INT64_MAX)
                snprintf(until, sizeof(until), ", and waits until %s at most",
                         timestamp_print_utc(until_us - until_us % USEC_PER_SEC, instant));
        about(f->now.bt_us - place->since_bt_us, since);
        if (place->n_before > 0)
                say(answer, "It is number %zu of those who wait, for %s so far%s.", place->n_before + 1, since, until);
        else
                say(answer, "Its turn is next; it has waited for %s%s.", since, until);
}

static void say_overdue(const struct words_facts *f, struct words_answer *answer) {
        char since[40], ago[96], within[96];
        if (!f->view.is_overdue)
                return;
        if (!answer->reason)
                answer->reason = "overdue";
        say(answer, "It is overdue: no good run since %s, for %s, and ExpectWithin= says %s.",
            timestamp_print_utc(f->view.good_rt_us, since), about(f->now.rt_us - f->view.good_rt_us, ago),
            duration_print(f->when->expect_within_us, within));
}

static void say_waiting(const struct words_facts *f, struct words_answer *answer) {
        char slot[40], next[96], until[40];
        const struct job_waiting *waiting = f->view.waiting;
        if (!waiting)
                return;
        int64_t offset_us = f->now.rt_us - f->now.bt_us;
        answer->reason = "condition";
        say(answer, "%s %s waits for %s.", waiting->item == WIRE_ITEM_TRIGGER ? "The trigger of" : "The slot of",
            timestamp_print_utc(waiting->slot_rt_us, slot), f->condition ? f->condition : "its conditions");
        say(answer, "They are asked again in %s, until %s.", about(waiting->from_bt_us - f->now.bt_us, next),
            timestamp_print_utc(waiting->until_bt_us + offset_us, until));
        say(answer, "To start it without them: chimectl trigger --force %s", f->job);
}

/* "It was paused by ops at ..., until ...: reason." */
static void say_holder(const char *what, const char *verb, const char *by, const char *reason, int64_t at_rt_us,
                       int64_t until_rt_us, struct words_answer *answer) {
        char at[40], instant[40], until[64] = "";
        if (until_rt_us != INT64_MAX)
                snprintf(until, sizeof(until), ", until %s", timestamp_print_utc(until_rt_us, instant));
        say(answer, "%s was %s by %s at %s%s%s%s.", what, verb, by, timestamp_print_utc(at_rt_us, at), until,
            reason ? ": " : "", reason ? reason : "");
}

/* A job that is paused by itself too goes on when both holds are over. */
static void say_group_hold(const struct words_facts *f, struct words_answer *answer) {
        const struct group_hold *hold = &f->group->hold;
        char what[JOB_NAME_MAX + 16];
        snprintf(what, sizeof(what), "Its group %s", f->group->name);
        say_holder(what, "paused", hold->by, hold->reason, hold->at_rt_us,
                   hold->until_bt_us < INT64_MAX ? hold->until_bt_us + f->now.rt_us - f->now.bt_us : INT64_MAX, answer);
        say(answer, "%s with: chimectl resume @%s", f->view.is_held ? "That hold ends" : "It goes on", f->group->name);
        answer->reason = "paused";
}

static void say_hold(const struct words_facts *f, struct words_answer *answer) {
        const char *verb = f->view.is_cancelled ? "cancelled" : "paused";
        const struct book_hold *hold = f->book && f->book->hold.by ? &f->book->hold : NULL;
        if (f->group)
                say_group_hold(f, answer);
        if (!f->view.is_cancelled && (!f->view.is_paused || (f->group && !f->view.is_held)))
                return;
        answer->reason = verb;
        if (hold)
                say_holder("It", verb, hold->by, hold->reason, hold->at_rt_us,
                           f->view.is_cancelled ? INT64_MAX : hold->until_rt_us, answer);
        else
                say(answer, "It is %s.", verb);
        say(answer,
            f->view.is_cancelled ? "It will not run again until: chimectl start %s" : "It goes on with: chimectl resume %s",
            f->job);
}

/* Which border its schedule has come to; and what leads over it. */
static void say_end(const struct words_facts *f, struct words_answer *answer) {
        char until[40], how[160];
        const struct book_run *last = f->book ? f->book->last : NULL;
        switch (f->view.end) {
        case JOB_END_NONE:
        case JOB_END_MAX:
                return;
        case JOB_END_RUNS:
                say(answer, "Its schedule is over: it has had as many runs as MaxRuns=%u allows.", f->when->max_runs);
                break;
        case JOB_END_RUN:
                if (last && last->end.result == RUN_RESULT_FINISHED)
                        say(answer, "Its schedule is over, by run %" PRIu64 ": %s.", last->run.run,
                            how_it_ended(&last->end, how));
                else
                        say(answer, "Its schedule is over, by the end of a run.");
                break;
        case JOB_END_UNTIL:
                say(answer, "Its schedule is over: no slot is left before Until=, %s.",
                    timestamp_print_utc(f->when->until_us / USEC_PER_SEC * USEC_PER_SEC, until));
                break;
        case JOB_END_CALENDAR:
                say(answer, "Its schedule is over: no instant of its calendar is left.");
                break;
        }
        bool can_start = f->view.end == JOB_END_RUNS || f->view.end == JOB_END_RUN;
        if (can_start && f->when->until_us >= f->now.rt_us)
                say(answer, "It will not run again until: chimectl start %s", f->job);
        else
                say(answer,
                    "It will not run again until its definition plans more slots; once, now: chimectl trigger --force %s",
                    f->job);
}

/* Only= and Except= leave nothing of the schedule. */
static bool is_never_open(const struct words_facts *f) {
        return f->when->days && plan_exists(f->when) && f->next_slot_rt_us == INT64_MAX && !f->view.is_clock_awaited &&
               f->view.status == JOB_STATUS_WAITING;
}

static void say_standing(const struct words_facts *f, struct words_answer *answer) {
        if (f->view.status == JOB_STATUS_DISABLED) {
                answer->reason = "disabled";
                say(answer, "It never runs by itself: its definition says Enabled=no. Once, now: chimectl trigger --force %s",
                    f->job);
        } else if (f->view.is_failed) {
                answer->reason = "failed";
                say(answer, "It was stopped: it failed in %u slots in a row, as many as StopAfterFailures= allows.",
                    f->when->stop_after_failures);
                say(answer, "When the cause is gone: chimectl start %s", f->job);
        } else if (f->view.end != JOB_END_NONE) {
                answer->reason = "finished";
                say_end(f, answer);
        } else if (!job_when_has_schedule(f->when) && f->n_parents == 0 && !f->has_place) {
                answer->reason = "manual";
                say(answer, "It runs on demand only: chimectl trigger %s", f->job);
        } else if (is_never_open(f)) {
                answer->reason = "calendar";
                say(answer, "No slot is planned: all that would come are left out (%s).", days_words(f->when->days));
        } else if (f->when->days && days_which(f->when->days, f->now.rt_us)) {
                answer->reason = "calendar";
                say(answer, "The calendar %s leaves out this day: its slots are withheld.",
                    days_which(f->when->days, f->now.rt_us));
        }
        say_hold(f, answer);
}

/* What of it makes a run: "each failure and missed slots". */
static const char *what_of_parent(const struct words_parent *parent, char buf[static 160]) {
        static const char *const words[RUN_EVENT_MAX] = {
                [RUN_EVENT_NONE] = "",
                [RUN_EVENT_RECOVERY] = "the first good end after failures",
                [RUN_EVENT_SUCCESS] = "each good end",
                [RUN_EVENT_FAILURE] = "each failure",
                [RUN_EVENT_END] = "each end",
                [RUN_EVENT_MISSED] = "missed slots",
                [RUN_EVENT_OVERDUE] = "being overdue",
                [RUN_EVENT_FINISHED] = "the end of the schedule",
        };
        static const uint32_t of_success = 1U << RUN_EVENT_RECOVERY,
                              of_end = of_success | 1U << RUN_EVENT_SUCCESS | 1U << RUN_EVENT_FAILURE;
        uint32_t events = parent->events;
        events &= events & 1U << RUN_EVENT_END ? ~of_end : events & 1U << RUN_EVENT_SUCCESS ? ~of_success : UINT32_MAX;
        buf[0] = '\0';
        for (int event = RUN_EVENT_RECOVERY; event < RUN_EVENT_MAX; event++) {
                if (!(events >> event & 1))
                        continue;
                events &= ~(1U << event);
                append(buf, 160, "%s%s", !buf[0] ? "" : events ? ", " : " and ", words[event]);
        }
        return buf;
}

/* Why nothing has come of the latest that is known of a parent: of its latest run, or of slots that did not run after that. */
static void say_parent_last(const struct words_facts *f, const struct words_parent *parent, struct words_answer *answer) {
        const struct book_run *last = parent->book ? parent->book->last : NULL;
        const struct book_range *passed = parent->book && parent->book->n_recent > 0 ? &parent->book->recent[0] : NULL;
        char instant[40], how[160];
        bool is_run_last = last && (!passed || passed->last_rt_us < last->run.slot_rt_us);
        if (!is_run_last && passed && passed->outcome != SLOT_MERGED && !(parent->events & 1U << RUN_EVENT_MISSED)) {
                say(answer, "The slot of %s of %s was %s, so no run came of it: %s.", parent->job,
                    timestamp_print_utc(passed->last_rt_us, instant), slot_outcome_to_string(passed->outcome),
                    reason_words(passed->reason));
                return;
        }
        if (!is_run_last)
                return;
        bool is_good = run_result_is_good(last->end.result) && last->end.result != RUN_RESULT_SKIPPED;
        uint32_t events = is_good                                   ? 1U << RUN_EVENT_SUCCESS | 1U << RUN_EVENT_END
                          : run_result_is_failure(last->end.result) ? 1U << RUN_EVENT_FAILURE | 1U << RUN_EVENT_END
                                                                    : 0;
        if (last->end.result == RUN_RESULT_NONE)
                say(answer, "Run %" PRIu64 " of %s is in flight: its end decides.", last->run.run, parent->job);
        else if (f->book && f->book->last && f->book->last->run.parent.run == last->run.run)
                say(answer, "Run %" PRIu64 " came of run %" PRIu64 " of %s.", f->book->last->run.run, last->run.run,
                    parent->job);
        else if (!(events & parent->events))
                say(answer, "Run %" PRIu64 " of %s ended at %s: %s; no run comes of that.", last->run.run, parent->job,
                    timestamp_print_utc(last->end.end_rt_us, instant), how_it_ended(&last->end, how));
}

static void say_parents(const struct words_facts *f, struct words_answer *answer) {
        char what[160];
        for (size_t i = 0; i < f->n_parents && i < WORDS_PARENTS; i++) {
                say(answer, "It follows %s: a slot comes of %s.", f->parents[i].job, what_of_parent(&f->parents[i], what));
                say_parent_last(f, &f->parents[i], answer);
        }
        if (f->n_parents > WORDS_PARENTS)
                say(answer, "It follows %zu more job%s.", f->n_parents - WORDS_PARENTS,
                    f->n_parents - WORDS_PARENTS == 1 ? "" : "s");
}

static void say_slots(const char *job, const struct book_range *range, struct words_answer *answer) {
        char first[40], last[40];
        (void)job;
        timestamp_print_utc(range->first_rt_us, first);
        timestamp_print_utc(range->last_rt_us, last);
        const char *between = range->reason != SLOT_REASON_NONE ? ": " : "";
        const char *reason = range->reason != SLOT_REASON_NONE ? reason_words(range->reason) : "";
        if (range->outcome == SLOT_MERGED && range->n == 1)
                say(answer, "The slot of %s went into run %" PRIu64 "%s%s.", first, range->run, between, reason);
        else if (range->outcome == SLOT_MERGED)
                say(answer, "%" PRIu64 " slots from %s to %s went into run %" PRIu64 "%s%s.", range->n, first, last, range->run,
                    between, reason);
        else if (range->n == 1)
                say(answer, "The slot of %s was %s: %s.", first, slot_outcome_to_string(range->outcome),
                    reason_words(range->reason));
        else
                say(answer, "%" PRIu64 " slots from %s to %s were %s: %s.", range->n, first, last,
                    slot_outcome_to_string(range->outcome), reason_words(range->reason));
        answer->slots = range;
}

static const struct book_range *last_missed(const struct book_job *book) {
        for (size_t i = 0; book && i < book->n_recent; i++)
                if (book->recent[i].outcome == SLOT_MISSED)
                        return &book->recent[i];
        return NULL;
}

/* It was to start, and a condition did not hold; it has not started since. */
static void say_refusal(const struct words_facts *f, const struct book_range *missed, struct words_answer *answer) {
        const struct book_range *latest = f->book && f->book->n_recent > 0 ? &f->book->recent[0] : NULL;
        bool is_slot = latest && (latest->reason == SLOT_REASON_CONDITION || latest->reason == SLOT_REASON_CONDITION_WAIT);
        bool is_said = f->view.waiting || (f->view.retry && f->view.retry->refused_bt_us != 0);
        if (is_said || f->view.run || (!f->condition && !is_slot))
                return;
        if (is_slot && latest != missed)
                say_slots(f->job, latest, answer);
        if (f->condition)
                say(answer, "When it was last to start, this did not hold: %s.", f->condition);
        answer->reason = "condition";
}

static void say_failure(const struct words_facts *f, struct words_answer *answer) {
        char instant[40], how[160];
        const struct book_job *book = f->book;
        if (!book || !book->last_failure)
                return;
        const struct book_run *failed = book->last_failure;
        if (f->view.retry && !f->has_place && f->view.retry->run == failed->run.run) { /* that has been said */
                answer->run = answer->run ? answer->run : failed;
                return;
        }
        say(answer, "Run %" PRIu64 " failed at %s: %s.", failed->run.run, timestamp_print_utc(failed->end.end_rt_us, instant),
            how_it_ended(&failed->end, how));
        if (book->last_good && book->last_good->run.run > failed->run.run)
                say(answer, "Run %" PRIu64 " after it was good.", book->last_good->run.run);
        else if (book->counts.failures_in_row > 1 && !f->view.is_failed)
                say(answer, "It has failed %" PRIu64 " times in a row.", book->counts.failures_in_row);
        if (!answer->run)
                answer->run = failed;
}

static bool is_failing(const struct book_job *book) {
        return book && book->last_failure && book->counts.failures_in_row > 0;
}

/* What an event makes that no plan knows of. */
static const char *words_event(const struct job_when *when) {
        return when->on_boot_us >= 0 && when->is_on_wake ? "at the next boot, or when the machine wakes"
               : when->on_boot_us >= 0                   ? "at the next boot"
               : when->is_on_wake                        ? "when the machine wakes"
                                                         : NULL;
}

/* Why there is none. */
static void say_no_next(const struct words_facts *f, const char *lead, struct words_answer *answer) {
        char span[96];
        bool is_planned = plan_exists(f->when) && !answer->reason;
        const char *event = words_event(f->when);
        if (f->view.run && f->when->every_us > 0 && is_planned)
                say(answer, "%sNext: %s after the end of the run in flight.", lead, duration_print(f->when->every_us, span));
        else if (event && !answer->reason)
                say(answer, "%sNext: %s.", lead, event);
        else if (*lead && f->n_parents == 0)
                say(answer, "%sNo slot is planned.", lead);
}

static void say_next(const struct words_facts *f, struct words_answer *answer) {
        char instant[40], span[96];
        bool is_well = !answer->reason && !is_failing(f->book);
        const char *lead = is_well ? "Nothing is wrong now. " : "";
        if (f->view.is_claim_awaited && !f->view.run)
                say(answer, "Its slot has come, and starts as soon as the ledger has it on the disk.");
        if (f->view.is_clock_awaited && !answer->reason) {
                answer->reason = "clock";
                say(answer, "The clock has not been synchronised since the boot: slots wait for that, for TimeSyncWait= of "
                            "chimed.conf at most.");
        } else if (f->next_slot_rt_us != INT64_MAX)
                say(answer, "%sNext: %s, in %s.", lead, timestamp_print_utc(f->next_slot_rt_us, instant),
                    about(f->next_slot_rt_us - f->now.rt_us, span));
        else
                say_no_next(f, lead, answer);
}

void words_why(const struct words_facts *facts, struct words_answer *ret) {
        *ret = (struct words_answer){0};
        say_run(facts, ret);
        say_retry(facts, ret);
        say_place(facts, ret);
        say_waiting(facts, ret);
        say_standing(facts, ret);
        say_parents(facts, ret);
        say_overdue(facts, ret);
        const struct book_range *missed = last_missed(facts->book);
        if (missed)
                say_slots(facts->job, missed, ret);
        else if (facts->book && facts->book->counts.missed > 0) /* by another scheduler, or so many others came behind them */
                say(ret, "%" PRIu64 " of its slots %s missed so far: chimectl history %s", facts->book->counts.missed,
                    facts->book->counts.missed == 1 ? "was" : "were", facts->job);
        say_refusal(facts, missed, ret);
        say_failure(facts, ret);
        say_next(facts, ret);
}

/* ---- one slot ---- */

static const struct book_run *run_of_slot(const struct book_job *book, int64_t slot_rt_us) {
        const struct book_run *const runs[] = {book->last, book->last_good, book->last_failure};
        for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
                if (runs[i] && runs[i]->run.item != WIRE_ITEM_TRIGGER && runs[i]->run.slot_rt_us == slot_rt_us)
                        return runs[i];
        return NULL;
}

static void say_slot_ran(const struct book_run *run, struct words_answer *answer) {
        char instant[40], how[160], lag[96], late[112], attempt[40] = "";
        answer->run = run;
        if (run->end.result == RUN_RESULT_NONE) {
                say(answer, "Run %" PRIu64 ", which is in flight, runs for it.", run->run.run);
                return;
        }
        if (run->run.lag_us < LATE_US)
                snprintf(late, sizeof(late), "at its time");
        else
                snprintf(late, sizeof(late), "%s late", about(run->run.lag_us, lag));
        if (run->run.attempt > 1)
                snprintf(attempt, sizeof(attempt), ", attempt %u of its slot,", run->run.attempt);
        say(answer, "Run %" PRIu64 "%s %s for it %s; it ended at %s: %s.", run->run.run, attempt,
            run->end.start_rt_us > 0 ? "ran" : "was to run", late, timestamp_print_utc(run->end.end_rt_us, instant),
            how_it_ended(&run->end, how));
}

void words_why_slot(const struct words_facts *facts, int64_t slot_rt_us, struct words_answer *ret) {
        char instant[40];
        *ret = (struct words_answer){0};
        const struct book_job *book = facts->book;
        const struct book_run *run = book ? run_of_slot(book, slot_rt_us) : NULL;
        if (run) {
                say_slot_ran(run, ret);
                return;
        }
        for (size_t i = 0; book && i < book->n_recent; i++) {
                const struct book_range *range = &book->recent[i];
                if (slot_rt_us < range->first_rt_us || slot_rt_us > range->last_rt_us)
                        continue;
                say_slots(facts->job, range, ret);
                if (range->reason != SLOT_REASON_NONE)
                        ret->reason = slot_reason_to_string(range->reason);
                return;
        }
        if (slot_rt_us == facts->next_slot_rt_us)
                say(ret, "It has not come yet: it is the next slot.");
        else if (slot_rt_us > facts->now.rt_us)
                say(ret, "%s has not come yet.", timestamp_print_utc(slot_rt_us, instant));
        else
                say(ret, "Nothing is known of that slot: chimed keeps the latest %d ranges since it was started.", BOOK_RECENT);
}

/* ---- one slot of the ledger ---- */

static bool is_over(const struct ledger_run *run) {
        return run->end.result != RUN_RESULT_NONE;
}

static int64_t start_of(const struct ledger_run *run) {
        return is_over(run) ? run->end.start_rt_us : run->run.start_rt_us;
}

/* ", at 2026-11-21T06:12:40Z", " (its record is no longer kept)". */
static const char *when_it_started(const struct ledger_run *run, char buf[static 64]) {
        char instant[40];
        if (run && start_of(run) > 0)
                snprintf(buf, 64, " at %s", timestamp_print_utc(start_of(run), instant));
        else
                snprintf(buf, 64, run ? ", which never began" : ", whose record is no longer kept");
        return buf;
}

/* ": success", " and is in flight", "". */
static const char *what_it_came_to(const struct ledger_run *run, char buf[static 200]) {
        char how[160];
        if (run && is_over(run))
                snprintf(buf, 200, ": %s", how_it_ended(&run->end, how));
        else
                snprintf(buf, 200, "%s", run ? "; it is in flight" : "");
        return buf;
}

static void say_time_out(const struct words_past *past, struct words_answer *answer) {
        char from[40], to[40], span[96];
        const struct ledger_clock *clock = past->clock;
        int64_t by_us = clock->by_us;
        timestamp_print_utc(clock->at.rt_us - by_us, from);
        if (clock->kind == LEDGER_CLOCK_STEP)
                say(answer, "The wall clock was set forward by %s at %s, over it.", about(by_us, span),
                    timestamp_print_utc(clock->at.rt_us - by_us, from));
        else if (clock->kind == LEDGER_CLOCK_RESUME)
                say(answer, "The machine slept from %s to %s (%s).", from, timestamp_print_utc(clock->at.rt_us, to),
                    about(by_us, span));
        else if (past->booted_rt_us < INT64_MAX)
                say(answer, "The machine was last heard of at %s and came up at %s (%s later).", from,
                    timestamp_print_utc(past->booted_rt_us, to), about(past->booted_rt_us - clock->at.rt_us + by_us, span));
        else
                say(answer, "chimed was last heard of at %s and was back at %s (%s later).", from,
                    timestamp_print_utc(clock->at.rt_us, to), about(by_us, span));
}

/* What kept it from its time. */
static void say_why_not(const struct words_past *past, struct words_answer *answer) {
        char from[40], to[40];
        enum slot_reason reason = past->range->reason;
        const struct ledger_run *run = past->run;
        if (past->clock)
                say_time_out(past, answer);
        else if (reason == SLOT_REASON_OVERLAP && run && is_over(run))
                say(answer, "Run %" PRIu64 " was in flight, from %s to %s.", run->run.run,
                    timestamp_print_utc(start_of(run), from), timestamp_print_utc(run->end.end_rt_us, to));
        else if (reason == SLOT_REASON_OVERLAP && run)
                say(answer, "Run %" PRIu64 " was in flight since %s, and still is.", run->run.run,
                    timestamp_print_utc(start_of(run), from));
        else if (reason != SLOT_REASON_NONE)
                say(answer, "The reason: %s.", reason_words(reason));
}

static void say_late(const struct words_past *past, struct words_answer *answer) {
        char when[64], how[200], lag[96];
        const struct ledger_run *run = past->run;
        if (past->clock)
                say_time_out(past, answer);
        if (!run)
                say(answer, "It ran late, in a run whose record is no longer kept.");
        else
                say(answer, "%s run %" PRIu64 "%s, %s late%s.",
                    run->run.cause == RUN_CAUSE_CATCH_UP ? "It was caught up in" : "It ran in", run->run.run,
                    when_it_started(run, when), about(run->run.lag_us, lag), what_it_came_to(run, how));
}

/* Those that had the same fate in the same time. */
static void say_others(const struct words_past *past, struct words_answer *answer) {
        char first[40], last[40];
        const struct ledger_range *r = past->merged ? past->merged : past->range;
        if (r->n == 1 && past->merged)
                say(answer, "The slot of %s passed before it and went into the same run.",
                    timestamp_print_utc(r->first_rt_us, first));
        else if (past->merged)
                say(answer, "%" PRIu64 " slots before it, from %s to %s, went into the same run.", r->n,
                    timestamp_print_utc(r->first_rt_us, first), timestamp_print_utc(r->last_rt_us, last));
        else if (r->n > 1 && r->outcome != SLOT_RAN)
                say(answer, "So it was with all %" PRIu64 " slots from %s to %s.", r->n,
                    timestamp_print_utc(r->first_rt_us, first), timestamp_print_utc(r->last_rt_us, last));
}

static void say_past(const struct words_past *past, const char *subject, struct words_answer *answer) {
        char when[64], how[200];
        const struct ledger_range *r = past->range;
        const struct ledger_run *run = past->run;
        int64_t lag_us = run ? run->run.lag_us : r->lag_us;
        if (r->outcome == SLOT_RAN && lag_us < LATE_US)
                say(answer, "%s ran at its time.", subject);
        else
                say(answer, r->outcome == SLOT_INTERRUPTED ? "Whether %s ran is not known." : "%s did not run at its time.",
                    subject);
        switch (r->outcome) {
        case SLOT_RAN:
                if (lag_us >= LATE_US)
                        say_late(past, answer);
                else if (run)
                        say(answer, "Run %" PRIu64 " began%s%s.", run->run.run, when_it_started(run, when),
                            what_it_came_to(run, how));
                break;
        case SLOT_MERGED:
                say_why_not(past, answer);
                say(answer, "It was merged into run %" PRIu64 "%s%s.", r->run, when_it_started(run, when),
                    what_it_came_to(run, how));
                break;
        case SLOT_INTERRUPTED:
                say(answer, "It was to start, and chimed and its runner died before the ledger had it.");
                if (past->clock)
                        say_time_out(past, answer);
                break;
        case SLOT_MISSED:
        case SLOT_WITHHELD:
        case SLOT_OUTCOME_MAX:
                say_why_not(past, answer);
                break;
        }
        say_others(past, answer);
        answer->reason = r->reason != SLOT_REASON_NONE ? slot_reason_to_string(r->reason) : NULL;
}

void words_why_past(const struct words_facts *facts, const struct words_past *past, struct words_answer *ret) {
        char at[40], slot[40];
        *ret = (struct words_answer){0};
        timestamp_print_utc(past->at_rt_us, at);
        if (!past->range) {
                say(ret, "Nothing is known of a slot at %s or before it%s.", at,
                    past->is_trimmed ? ": the oldest are no longer kept" : "");
                return;
        }
        bool is_meant = past->at_rt_us - past->slot_rt_us < USEC_PER_SEC;
        timestamp_print_utc(past->slot_rt_us, slot);
        if (!is_meant)
                say(ret, "The last slot before %s was that of %s.", at, slot);
        say_past(past, is_meant ? slot : past->range->outcome == SLOT_INTERRUPTED ? "it" : "It", ret);
        const char *reason = ret->reason;
        ret->reason = NULL;
        say_hold(facts, ret); /* slots that pass in it are told when it ends */
        say_next(facts, ret);
        ret->reason = reason ? reason : ret->reason;
}
