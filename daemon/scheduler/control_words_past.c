// SPDX-License-Identifier: MIT
// control_words_past: what became of one slot.

#include "daemon/scheduler/control_words_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/duration.h"
#include "config/timestamp.h"

#define LATE_US (1 * USEC_PER_SEC) /* a smaller lag is none */

/* ---- from memory ---- */

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
                words_say(answer, "Run %" PRIu64 ", which is in flight, runs for it.", run->run.run);
                return;
        }
        if (run->run.lag_us < LATE_US)
                snprintf(late, sizeof(late), "at its time");
        else
                snprintf(late, sizeof(late), "%s late", words_about(run->run.lag_us, lag));
        if (run->run.attempt > 1)
                snprintf(attempt, sizeof(attempt), ", attempt %u of its slot,", run->run.attempt);
        words_say(answer, "Run %" PRIu64 "%s %s for it %s; it ended at %s: %s.", run->run.run, attempt,
                  run->end.start_rt_us > 0 ? "ran" : "was to run", late, timestamp_print_utc(run->end.end_rt_us, instant),
                  words_how_it_ended(&run->end, how));
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
                words_say_slots(facts, range, ret);
                if (range->reason != SLOT_REASON_NONE)
                        ret->reason = slot_reason_to_string(range->reason);
                return;
        }
        if (slot_rt_us == facts->next_slot_rt_us)
                words_say(ret, "It has not come yet: it is the next slot.");
        else if (slot_rt_us > facts->now.rt_us)
                words_say(ret, "%s has not come yet.", timestamp_print_utc(slot_rt_us, instant));
        else
                words_say(ret, "Nothing is known of that slot: chimed keeps the latest %d ranges since it was started.",
                          BOOK_RECENT);
}

/* ---- from the ledger ---- */

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
                snprintf(buf, 200, ": %s", words_how_it_ended(&run->end, how));
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
                words_say(answer, "The wall clock was set forward by %s at %s, over it.", words_about(by_us, span),
                          timestamp_print_utc(clock->at.rt_us - by_us, from));
        else if (clock->kind == LEDGER_CLOCK_RESUME)
                words_say(answer, "The machine slept from %s to %s (%s).", from, timestamp_print_utc(clock->at.rt_us, to),
                          words_about(by_us, span));
        else if (past->booted_rt_us < INT64_MAX)
                words_say(answer, "The machine was last heard of at %s and came up at %s (%s later).", from,
                          timestamp_print_utc(past->booted_rt_us, to),
                          words_about(past->booted_rt_us - clock->at.rt_us + by_us, span));
        else
                words_say(answer, "chimed was last heard of at %s and was back at %s (%s later).", from,
                          timestamp_print_utc(clock->at.rt_us, to), words_about(by_us, span));
}

/* What kept it from its time. */
static void say_why_not(const struct words_past *past, struct words_answer *answer) {
        char from[40], to[40];
        enum slot_reason reason = past->range->reason;
        const struct ledger_run *run = past->run;
        if (past->clock)
                say_time_out(past, answer);
        else if (reason == SLOT_REASON_OVERLAP && run && is_over(run))
                words_say(answer, "Run %" PRIu64 " was in flight, from %s to %s.", run->run.run,
                          timestamp_print_utc(start_of(run), from), timestamp_print_utc(run->end.end_rt_us, to));
        else if (reason == SLOT_REASON_OVERLAP && run)
                words_say(answer, "Run %" PRIu64 " was in flight since %s, and still is.", run->run.run,
                          timestamp_print_utc(start_of(run), from));
        else if (reason != SLOT_REASON_NONE)
                words_say(answer, "The reason: %s.", words_of_reason(reason));
}

static void say_late(const struct words_past *past, struct words_answer *answer) {
        char when[64], how[200], lag[96];
        const struct ledger_run *run = past->run;
        if (past->clock)
                say_time_out(past, answer);
        if (!run)
                words_say(answer, "It ran late, in a run whose record is no longer kept.");
        else
                words_say(answer, "%s run %" PRIu64 "%s, %s late%s.",
                          run->run.cause == RUN_CAUSE_CATCH_UP ? "It was caught up in" : "It ran in", run->run.run,
                          when_it_started(run, when), words_about(run->run.lag_us, lag), what_it_came_to(run, how));
}

/* Those that had the same fate in the same time. */
static void say_others(const struct words_past *past, struct words_answer *answer) {
        char first[40], last[40];
        const struct ledger_range *r = past->merged ? past->merged : past->range;
        if (r->n == 1 && past->merged)
                words_say(answer, "The slot of %s passed before it and went into the same run.",
                          timestamp_print_utc(r->first_rt_us, first));
        else if (past->merged)
                words_say(answer, "%" PRIu64 " slots before it, from %s to %s, went into the same run.", r->n,
                          timestamp_print_utc(r->first_rt_us, first), timestamp_print_utc(r->last_rt_us, last));
        else if (r->n > 1 && r->outcome != SLOT_RAN)
                words_say(answer, "So it was with all %" PRIu64 " slots from %s to %s.", r->n,
                          timestamp_print_utc(r->first_rt_us, first), timestamp_print_utc(r->last_rt_us, last));
}

static void say_either(const struct words_past *past, struct words_answer *answer) {
        char first[40], last[40];
        bool has_run = past->range->outcome == SLOT_RAN;
        const struct ledger_range *ran = has_run ? past->range : past->beside, *missed = has_run ? past->beside : past->range;
        int64_t first_us = duration_lower(ran->first_rt_us, missed->first_rt_us);
        int64_t last_us = ran->last_rt_us > missed->last_rt_us ? ran->last_rt_us : missed->last_rt_us;
        words_say(answer,
                  "Of the %" PRIu64 " slots from %s to %s %" PRIu64 " ran and %" PRIu64 " were missed, and which was not kept.",
                  ran->n + missed->n, timestamp_print_utc(first_us, first), timestamp_print_utc(last_us, last), ran->n,
                  missed->n);
        words_say(answer, "The reason: %s.", words_of_reason(missed->reason));
        answer->reason = slot_reason_to_string(missed->reason);
}

static void say_past(const struct words_past *past, const char *subject, struct words_answer *answer) {
        char when[64], how[200];
        const struct ledger_range *r = past->range;
        const struct ledger_run *run = past->run;
        int64_t lag_us = run ? run->run.lag_us : r->lag_us;
        if (r->outcome == SLOT_RAN && lag_us < LATE_US)
                words_say(answer, "%s ran at its time.", subject);
        else
                words_say(answer,
                          r->outcome == SLOT_INTERRUPTED ? "Whether %s ran is not known." : "%s did not run at its time.",
                          subject);
        switch (r->outcome) {
        case SLOT_RAN:
                if (lag_us >= LATE_US)
                        say_late(past, answer);
                else if (run)
                        words_say(answer, "Run %" PRIu64 " began%s%s.", run->run.run, when_it_started(run, when),
                                  what_it_came_to(run, how));
                break;
        case SLOT_MERGED:
                say_why_not(past, answer);
                words_say(answer, "It was merged into run %" PRIu64 "%s%s.", r->run, when_it_started(run, when),
                          what_it_came_to(run, how));
                break;
        case SLOT_INTERRUPTED:
                words_say(answer, "It was to start, and chimed and its runner died before the ledger had it.");
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
                words_say(ret, "Nothing is known of a slot at %s or before it%s.", at,
                          past->is_trimmed ? ": the oldest are no longer kept" : "");
                return;
        }
        bool is_meant = past->at_rt_us - past->slot_rt_us < USEC_PER_SEC;
        timestamp_print_utc(past->slot_rt_us, slot);
        if (!is_meant)
                words_say(ret, "The last slot before %s was that of %s.", at, slot);
        if (past->beside)
                say_either(past, ret);
        else
                say_past(past, is_meant ? slot : past->range->outcome == SLOT_INTERRUPTED ? "it" : "It", ret);
        const char *reason = ret->reason;
        ret->reason = NULL;
        words_say_hold(facts, ret); /* slots that pass in it are told when it ends */
        words_say_next(facts, ret);
        ret->reason = reason ? reason : ret->reason;
}
