// SPDX-License-Identifier: MIT
// control_words_now: how a job stands: what it does, what keeps it, what last went wrong, and how it goes on.

#include "daemon/scheduler/control_words_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/duration.h"
#include "config/timestamp.h"
#include "daemon/scheduler/plan.h"

/* What stands behind the run in flight. */
static void say_line(const struct words_facts *f, struct words_answer *answer) {
        char slot[40], rest[64] = "", trigger[64] = "";
        const struct job_view *v = &f->view;
        if (v->n_line > 1)
                snprintf(rest, sizeof(rest), ", with %u behind it (QueueMax=%u)", v->n_line - 1, f->when->queue_max);
        if (v->pending_run > 0)
                snprintf(trigger, sizeof(trigger), ", as run %" PRIu64 " with a trigger", v->pending_run);
        if (v->n_line > 0)
                words_say(answer, "The slot of %s waits for its end%s%s.", timestamp_print_utc(v->line_slot_rt_us, slot),
                          trigger, rest);
        else if (v->pending_run > 0)
                words_say(answer, "Run %" PRIu64 " waits for its end, for a trigger.", v->pending_run);
        if (v->n_line == 0 && v->is_pending_slot)
                words_say(answer, "Slots that passed wait for its end, to be caught up.");
}

static void say_run(const struct words_facts *f, struct words_answer *answer) {
        char instant[40], span[96];
        const struct job_run *run = f->view.run;
        if (!run)
                return;
        if (f->view.n_beside > 0)
                words_say(answer, "%u runs are in flight; Overlap=parallel lets %u be.", f->view.n_beside + 1,
                          f->when->max_parallel);
        if (run->start_rt_us > 0)
                words_say(answer, "Run %" PRIu64 " is in flight since %s, for %s (%s).", run->run,
                          timestamp_print_utc(run->start_rt_us, instant), words_about(f->now.bt_us - run->start_bt_us, span),
                          run_cause_to_string(run->cause));
        else
                words_say(answer, "Run %" PRIu64 " is being started (%s)%s.", run->run, run_cause_to_string(run->cause),
                          run->is_asked ? ", its conditions are being asked" : "");
        if (*f->host)
                words_say(answer, "%s", f->host);
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
        words_about(retry->at_bt_us - f->now.bt_us, in);
        if (retry->is_short)
                words_say(answer,
                          "Run %" PRIu64
                          " could not be started for lack of processes, memory or descriptors: it is tried again at %s, "
                          "in %s.",
                          retry->run, at, in);
        else if (retry->refused_bt_us != 0)
                words_say(answer, "Run %" PRIu64 " failed (%s): attempt %u of %u waits for %s. They are asked again in %s.",
                          retry->run, words_how_it_ended(&end, how), retry->attempt, f->when->retries + 1,
                          f->condition ? f->condition : "its conditions", in);
        else
                words_say(answer, "Run %" PRIu64 " failed (%s): attempt %u of %u comes at %s, in %s.", retry->run,
                          words_how_it_ended(&end, how), retry->attempt, f->when->retries + 1, at, in);
}

/* ", by backup and mirror", ", by backup, mirror and others". */
static const char *who_runs(const struct words_place *p, char buf[static 200]) {
        size_t n = p->place.n_runners;
        bool has_others = p->place.pool.n_running > n;
        buf[0] = '\0';
        for (size_t i = 0; i < n; i++)
                words_append(buf, 200, i == 0 ? ", by %s" : i + 1 < n || has_others ? ", %s" : " and %s", p->runners[i]);
        if (n > 0 && has_others)
                words_append(buf, 200, " and others");
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
        words_say(answer, "%s waits for a place %s, where %u of %u places (MaxRunning=) are taken%s.",
                  f->view.is_pending_slot ? "A slot"
                  : f->view.retry         ? "An attempt"
                                          : "A trigger",
                  where, place->pool.n_running, place->pool.max_running, who_runs(&f->place, who));
        if (!place->is_full)
                words_say(answer, "The free place is kept for a job that is before it and needs one in another group, too.");
        int64_t until_us = place->until_bt_us < INT64_MAX ? f->now.rt_us + place->until_bt_us - f->now.bt_us : INT64_MAX;
        if (until_us < INT64_MAX)
                snprintf(until, sizeof(until), ", and waits until %s at most",
                         timestamp_print_utc(until_us - until_us % USEC_PER_SEC, instant));
        words_about(f->now.bt_us - place->since_bt_us, since);
        if (place->n_before > 0)
                words_say(answer, "It is number %zu of those who wait, for %s so far%s.", place->n_before + 1, since, until);
        else
                words_say(answer, "Its turn is next; it has waited for %s%s.", since, until);
}

static void say_overdue(const struct words_facts *f, struct words_answer *answer) {
        char since[40], ago[96], within[96];
        if (!f->view.is_overdue)
                return;
        if (!answer->reason)
                answer->reason = "overdue";
        words_say(answer, "It is overdue: no good run since %s, for %s, and ExpectWithin= says %s.",
                  timestamp_print_utc(f->view.good_rt_us, since), words_about(f->now.rt_us - f->view.good_rt_us, ago),
                  duration_print(f->when->expect_within_us, within));
}

static void say_waiting(const struct words_facts *f, struct words_answer *answer) {
        char slot[40], next[96], until[40];
        const struct job_waiting *waiting = f->view.waiting;
        if (!waiting)
                return;
        if (waiting->awaits == JOB_AWAITS_RETRY) {
                answer->reason = "retry";
                words_say(answer,
                          "The slot of %s could not be started for lack of processes, memory or descriptors: it is tried again "
                          "in %s.",
                          timestamp_print_utc(waiting->slot_rt_us, slot),
                          words_about(waiting->from_bt_us - f->now.bt_us, next));
                return;
        }
        int64_t offset_us = f->now.rt_us - f->now.bt_us;
        answer->reason = "condition";
        words_say(answer, "%s %s waits for %s.", waiting->item == WIRE_ITEM_TRIGGER ? "The trigger of" : "The slot of",
                  timestamp_print_utc(waiting->slot_rt_us, slot), f->condition ? f->condition : "its conditions");
        words_say(answer, "They are asked again in %s, until %s.", words_about(waiting->from_bt_us - f->now.bt_us, next),
                  timestamp_print_utc(waiting->until_bt_us + offset_us, until));
        words_say(answer, "To start it without them: chimectl trigger --force %s", f->job);
}

/* "It was paused by ops at ..., until ...: reason." */
static void say_holder(const char *what, const char *verb, const char *by, const char *reason, int64_t at_rt_us,
                       int64_t until_rt_us, struct words_answer *answer) {
        char at[40], instant[40], until[64] = "";
        if (until_rt_us != INT64_MAX)
                snprintf(until, sizeof(until), ", until %s", timestamp_print_utc(until_rt_us, instant));
        words_say(answer, "%s was %s by %s at %s%s%s%s.", what, verb, by, timestamp_print_utc(at_rt_us, at), until,
                  reason ? ": " : "", reason ? reason : "");
}

/* A job that is paused by itself too goes on when both holds are over. */
static void say_group_hold(const struct words_facts *f, struct words_answer *answer) {
        const struct group_hold *hold = &f->group->hold;
        char what[JOB_NAME_MAX + 16];
        snprintf(what, sizeof(what), "Its group %s", f->group->name);
        say_holder(what, "paused", hold->by, hold->reason, hold->at_rt_us,
                   hold->until_bt_us < INT64_MAX ? hold->until_bt_us + f->now.rt_us - f->now.bt_us : INT64_MAX, answer);
        words_say(answer, "%s with: chimectl resume @%s", f->view.is_held ? "That hold ends" : "It goes on", f->group->name);
        answer->reason = "paused";
}

void words_say_hold(const struct words_facts *f, struct words_answer *answer) {
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
                words_say(answer, "It is %s.", verb);
        words_say(answer,
                  f->view.is_cancelled ? "It will not run again until: chimectl start %s"
                                       : "It goes on with: chimectl resume %s",
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
                words_say(answer, "Its schedule is over: it has had as many runs as MaxRuns=%u allows.", f->when->max_runs);
                break;
        case JOB_END_RUN:
                if (last && last->end.result == RUN_RESULT_FINISHED)
                        words_say(answer, "Its schedule is over, by run %" PRIu64 ": %s.", last->run.run,
                                  words_how_it_ended(&last->end, how));
                else
                        words_say(answer, "Its schedule is over, by the end of a run.");
                break;
        case JOB_END_UNTIL:
                words_say(answer, "Its schedule is over: no slot is left before Until=, %s.",
                          timestamp_print_utc(f->when->until_us / USEC_PER_SEC * USEC_PER_SEC, until));
                break;
        case JOB_END_CALENDAR:
                words_say(answer, "Its schedule is over: no instant of its calendar is left.");
                break;
        }
        bool can_start = f->view.end == JOB_END_RUNS || f->view.end == JOB_END_RUN;
        if (can_start && f->when->until_us >= f->now.rt_us)
                words_say(answer, "It will not run again until: chimectl start %s", f->job);
        else
                words_say(answer,
                          "It will not run again until its definition plans more slots; once, now: chimectl trigger --force %s",
                          f->job);
}

bool words_is_never_open(const struct words_facts *f) {
        return f->when->days && plan_exists(f->when) && f->next_slot_rt_us == INT64_MAX && !f->view.is_clock_awaited &&
               f->view.status == JOB_STATUS_WAITING;
}

static void say_standing(const struct words_facts *f, struct words_answer *answer) {
        if (f->view.status == JOB_STATUS_DISABLED) {
                answer->reason = "disabled";
                words_say(answer,
                          "It never runs by itself: its definition says Enabled=no. Once, now: chimectl trigger --force %s",
                          f->job);
        } else if (f->view.is_failed) {
                answer->reason = "failed";
                words_say(answer, "It was stopped: it failed in %u slots in a row, as many as StopAfterFailures= allows.",
                          f->when->stop_after_failures);
                words_say(answer, "When the cause is gone: chimectl start %s", f->job);
        } else if (f->view.end != JOB_END_NONE) {
                answer->reason = "finished";
                say_end(f, answer);
        } else if (!job_when_has_schedule(f->when) && f->n_parents == 0 && !f->has_place) {
                answer->reason = "manual";
                words_say(answer, "It runs on demand only: chimectl trigger %s", f->job);
        } else if (words_is_never_open(f)) {
                answer->reason = "calendar";
                words_say(answer, "No slot is planned: all that would come are left out (%s).", days_words(f->when->days));
        } else if (f->when->days && days_which(f->when->days, f->now.rt_us)) {
                answer->reason = "calendar";
                words_say(answer, "The calendar %s leaves out this day: its slots are withheld.",
                          days_which(f->when->days, f->now.rt_us));
        }
        words_say_hold(f, answer);
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
                words_append(buf, 160, "%s%s", !buf[0] ? "" : events ? ", " : " and ", words[event]);
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
                words_say(answer, "The slot of %s of %s was %s, so no run came of it: %s.", parent->job,
                          timestamp_print_utc(passed->last_rt_us, instant), slot_outcome_to_string(passed->outcome),
                          words_of_reason(passed->reason));
                return;
        }
        if (!is_run_last)
                return;
        bool is_good = run_result_is_good(last->end.result) && last->end.result != RUN_RESULT_SKIPPED;
        uint32_t events = is_good                                   ? 1U << RUN_EVENT_SUCCESS | 1U << RUN_EVENT_END
                          : run_result_is_failure(last->end.result) ? 1U << RUN_EVENT_FAILURE | 1U << RUN_EVENT_END
                                                                    : 0;
        if (last->end.result == RUN_RESULT_NONE)
                words_say(answer, "Run %" PRIu64 " of %s is in flight: its end decides.", last->run.run, parent->job);
        else if (f->book && f->book->last && f->book->last->run.parent.run == last->run.run)
                words_say(answer, "Run %" PRIu64 " came of run %" PRIu64 " of %s.", f->book->last->run.run, last->run.run,
                          parent->job);
        else if (!(events & parent->events))
                words_say(answer, "Run %" PRIu64 " of %s ended at %s: %s; no run comes of that.", last->run.run, parent->job,
                          timestamp_print_utc(last->end.end_rt_us, instant), words_how_it_ended(&last->end, how));
}

static void say_parents(const struct words_facts *f, struct words_answer *answer) {
        char what[160];
        for (size_t i = 0; i < f->n_parents && i < WORDS_PARENTS; i++) {
                words_say(answer, "It follows %s: a slot comes of %s.", f->parents[i].job,
                          what_of_parent(&f->parents[i], what));
                say_parent_last(f, &f->parents[i], answer);
        }
        if (f->n_parents > WORDS_PARENTS)
                words_say(answer, "It follows %zu more job%s.", f->n_parents - WORDS_PARENTS,
                          f->n_parents - WORDS_PARENTS == 1 ? "" : "s");
}

/* An overlap, by what the job lets be. */
static const char *why_of(const struct words_facts *f, enum slot_reason reason) {
        if (reason == SLOT_REASON_OVERLAP && f->when->overlap == JOB_OVERLAP_QUEUE)
                return "as many slots waited for the run in flight as QueueMax= lets";
        if (reason == SLOT_REASON_OVERLAP && f->when->overlap == JOB_OVERLAP_PARALLEL)
                return "as many runs were in flight as MaxParallel= lets";
        return words_of_reason(reason);
}

void words_say_slots(const struct words_facts *f, const struct book_range *range, struct words_answer *answer) {
        char first[40], last[40];
        timestamp_print_utc(range->first_rt_us, first);
        timestamp_print_utc(range->last_rt_us, last);
        const char *between = range->reason != SLOT_REASON_NONE ? ": " : "";
        const char *reason = range->reason != SLOT_REASON_NONE ? why_of(f, range->reason) : "";
        if (range->outcome == SLOT_MERGED && range->n == 1)
                words_say(answer, "The slot of %s went into run %" PRIu64 "%s%s.", first, range->run, between, reason);
        else if (range->outcome == SLOT_MERGED)
                words_say(answer, "%" PRIu64 " slots from %s to %s went into run %" PRIu64 "%s%s.", range->n, first, last,
                          range->run, between, reason);
        else if (range->n == 1)
                words_say(answer, "The slot of %s was %s: %s.", first, slot_outcome_to_string(range->outcome),
                          why_of(f, range->reason));
        else
                words_say(answer, "%" PRIu64 " slots from %s to %s were %s: %s.", range->n, first, last,
                          slot_outcome_to_string(range->outcome), why_of(f, range->reason));
        answer->slots = range;
}

static const struct book_range *last_missed(const struct book_job *book) {
        for (size_t i = 0; book && i < book->n_recent; i++)
                if (book->recent[i].outcome == SLOT_MISSED)
                        return &book->recent[i];
        return NULL;
}

static const struct book_range *latest_range(const struct words_facts *f) {
        return f->book && f->book->n_recent > 0 ? &f->book->recent[0] : NULL;
}

static bool is_of_condition(const struct book_range *range) {
        return range && (range->reason == SLOT_REASON_CONDITION || range->reason == SLOT_REASON_CONDITION_WAIT);
}

bool words_awaits_condition(const struct words_facts *f) {
        return (f->view.waiting && f->view.waiting->awaits != JOB_AWAITS_RETRY) ||
               (f->view.retry && f->view.retry->refused_bt_us != 0);
}

bool words_is_refused(const struct words_facts *f) {
        return !words_awaits_condition(f) && !f->view.run && (f->condition || is_of_condition(latest_range(f)));
}

static void say_refusal(const struct words_facts *f, const struct book_range *missed, struct words_answer *answer) {
        const struct book_range *latest = latest_range(f);
        if (!words_is_refused(f))
                return;
        if (is_of_condition(latest) && latest != missed)
                words_say_slots(f, latest, answer);
        if (f->condition)
                words_say(answer, "When it was last to start, this did not hold: %s.", f->condition);
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
        words_say(answer, "Run %" PRIu64 " failed at %s: %s.", failed->run.run,
                  timestamp_print_utc(failed->end.end_rt_us, instant), words_how_it_ended(&failed->end, how));
        if (book->last_good && book->last_good->run.run > failed->run.run)
                words_say(answer, "Run %" PRIu64 " after it was good.", book->last_good->run.run);
        else if (book->counts.failures_in_row > 1 && !f->view.is_failed)
                words_say(answer, "It has failed %" PRIu64 " times in a row.", book->counts.failures_in_row);
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
                words_say(answer, "%sNext: %s after the end of the run in flight.", lead,
                          duration_print(f->when->every_us, span));
        else if (event && !answer->reason)
                words_say(answer, "%sNext: %s.", lead, event);
        else if (*lead && f->n_parents == 0)
                words_say(answer, "%sNo slot is planned.", lead);
}

void words_say_next(const struct words_facts *f, struct words_answer *answer) {
        char instant[40], span[96];
        bool is_well = !answer->reason && !is_failing(f->book);
        const char *lead = is_well ? "Nothing is wrong now. " : "";
        if (f->view.is_claim_awaited && !f->view.run)
                words_say(answer, "Its slot has come, and starts as soon as the ledger has it on the disk.");
        if (f->view.is_clock_awaited && !answer->reason) {
                answer->reason = "clock";
                words_say(answer,
                          "The clock has not been synchronised since the boot: slots wait for that, for TimeSyncWait= of "
                          "chimed.conf at most.");
        } else if (f->next_slot_rt_us != INT64_MAX)
                words_say(answer, "%sNext: %s, in %s.", lead, timestamp_print_utc(f->next_slot_rt_us, instant),
                          words_about(f->next_slot_rt_us - f->now.rt_us, span));
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
                words_say_slots(facts, missed, ret);
        else if (facts->book && facts->book->counts.missed > 0) /* by another scheduler, or so many others came behind them */
                words_say(ret, "%" PRIu64 " of its slots %s missed so far: chimectl history %s", facts->book->counts.missed,
                          facts->book->counts.missed == 1 ? "was" : "were", facts->job);
        say_refusal(facts, missed, ret);
        say_failure(facts, ret);
        words_say_next(facts, ret);
}
