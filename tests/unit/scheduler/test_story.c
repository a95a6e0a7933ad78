// SPDX-License-Identifier: MIT
// What is told of a job under each Log=, read from a journald of our own: a datagram socket.

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/story.h"
#include "tests/unit/run_suite.h"

static char folder[] = "/tmp/test-story-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int journald;
static struct journal *journal;
static struct engine *engine;
static struct story *story;
static struct book *book;
static struct clock_sample now;

static void setup(void) {
        strcpy(folder + strlen(folder) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
        journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(journald, 0);
        ck_assert_int_eq(bind(journald, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(journal_new(NULL, JOURNAL_JOURNAL, "chimed", address.sun_path, &journal), 0);
        struct wire_hello hello = {.next_run = 1, .instance = {0xab}};
        ck_assert_int_eq(engine_new(&hello, &engine), 0);
        ck_assert_int_eq(story_new(journal, hello.instance, &story), 0);
        ck_assert_int_eq(book_new(&book), 0);
        now = (struct clock_sample){.rt_us = INT64_C(1774008000000000), .bt_us = USEC_PER_DAY};
}

static void teardown(void) {
        story_free(story);
        book_free(book);
        engine_free(engine);
        journal_free(journal);
        close(journald);
        unlink(address.sun_path);
        rmdir(folder);
}

/* The next record as text, "" if there is none. */
static const char *next_record(void) {
        static char buf[8192];
        ssize_t n = recv(journald, buf, sizeof(buf) - 1, 0);
        buf[n > 0 ? n : 0] = '\0';
        return buf;
}

static void expect_record(const char *event, const char *message) {
        const char *record = next_record();
        char field[64];
        snprintf(field, sizeof(field), "CHIMED_EVENT=%s\n", event);
        ck_assert_msg(strstr(record, field) != NULL, "not %s: %s", event, record);
        ck_assert_msg(strstr(record, message) != NULL, "no '%s' in: %s", message, record);
}

static void expect_nothing(void) {
        ck_assert_str_eq(next_record(), "");
}

static void define_with(enum job_log log, uint32_t retries, uint32_t stop_after) {
        struct job_when when;
        job_when_init(&when);
        when.retries = retries;
        when.stop_after_failures = stop_after;
        when.expect_within_us = USEC_PER_DAY;
        when.every_us = USEC_PER_SEC;
        when.mode = JOB_MODE_FIXED_RATE;
        when.log = (uint8_t)log;
        when.initial_delay_us = USEC_PER_DAY;
        struct wire_define d = {.name = "job", .since_bt_us = now.bt_us, .since_rt_us = now.rt_us};
        ck_assert_int_eq(engine_define(engine, &d, &when, NULL), 0);
        ck_assert_int_eq(engine_commit(engine, now, &(struct wire_commit){.generation = 1}), 0);
        while (engine_next_action(engine))
                ;
}

static void define(enum job_log log) {
        define_with(log, 0, 0);
}

static void tell(const struct action *a, const char *value) {
        book_note(book, engine, now, a, value, strlen(value));
        story_tell(story, engine, book, now, a, value, strlen(value));
}

static void tell_started(uint64_t run, enum run_cause cause) {
        struct action a = {.kind = ACTION_STARTED};
        a.run.run =
                (struct job_run){.run = run, .cause = cause, .slot_rt_us = now.rt_us, .lag_us = 5 * USEC_PER_SEC, .pid = 42};
        tell(&a, "");
}

static void tell_ended(uint64_t run, enum run_result result, bool has_changed, const char *value) {
        struct action a = {.kind = ACTION_ENDED};
        a.run.run = (struct job_run){.run = run, .slot_rt_us = now.rt_us};
        a.run.end = (struct run_end){.result = result, .exit_code = result == RUN_RESULT_FAILED ? 3 : 0};
        a.run.end.start_bt_us = now.bt_us - 2 * USEC_PER_SEC;
        a.run.end.end_bt_us = now.bt_us;
        a.run.has_changed = has_changed;
        a.run.is_final = true;
        tell(&a, value);
}

static void tell_missed_for(enum slot_reason reason, uint64_t n) {
        struct action a = {.kind = ACTION_OUTCOME};
        a.outcome.outcome = SLOT_MISSED;
        a.outcome.reason = reason;
        a.outcome.n = n;
        a.outcome.first_rt_us = now.rt_us;
        a.outcome.last_rt_us = now.rt_us + (int64_t)(n - 1) * USEC_PER_SEC;
        tell(&a, "");
}

static void tell_missed(uint64_t n) {
        tell_missed_for(SLOT_REASON_OVERLAP, n);
}

static void pass(int64_t us) {
        now.bt_us += us;
        now.rt_us += us;
        if (story_next_flush(story) <= now.bt_us)
                story_flush(story, engine, now);
}

START_TEST(all_tells_each_start_end_and_missed_range) {
        define(JOB_LOG_ALL);
        tell_started(7, RUN_CAUSE_SCHEDULE);
        expect_record("started", "CHIMED_RUN_ID=ab000000000000000000000000000000-7\n");
        tell_ended(7, RUN_RESULT_SUCCESS, false, "");
        expect_record("ended", "succeeded after 2s");
        tell_missed(2);
        expect_record("missed", "CHIMED_COUNT=2\n");
        tell_missed(1);
        expect_record("missed", "MESSAGE=job: missed the slot of 2026-03-20T12:00:00Z: the run before was still in flight\n");
        expect_nothing();
}
END_TEST

START_TEST(a_failure_says_how_and_its_last_words) {
        define(JOB_LOG_ALL);
        tell_ended(8, RUN_RESULT_FAILED, true, "first line\nno space left\n\n");
        expect_record("failed", "run 8 failed with exit status 3 after 2s: no space left");
        struct action a = {.kind = ACTION_ENDED};
        a.run.end = (struct run_end){.result = RUN_RESULT_START_FAILED, .step = RUN_STEP_EXEC, .error = 2, .exit_code = -1};
        a.run.is_final = true;
        tell(&a, "");
        expect_record("failed", "could not start: exec: No such file or directory");
        tell_ended(9, RUN_RESULT_TIMEOUT, false, "");
        expect_record("timed-out", "timed out after 2s");
        a.run.end = (struct run_end){.result = RUN_RESULT_SIGNAL, .signal = SIGRTMIN + 1, .exit_code = -1};
        tell(&a, "");
        expect_record("failed", "EXIT_STATUS=RTMIN+1\n");
}
END_TEST

START_TEST(a_good_end_says_by_which_status_it_was) {
        struct action a = {.kind = ACTION_ENDED};

        define(JOB_LOG_ALL);
        a.run.end = (struct run_end){.result = RUN_RESULT_SKIPPED, .exit_code = 75, .start_bt_us = 1, .end_bt_us = 2000001};
        tell(&a, "");
        expect_record("ended", "had nothing to do (exit status 75) after 2s");
        a.run.end = (struct run_end){.result = RUN_RESULT_FINISHED, .exit_code = 0, .start_bt_us = 1, .end_bt_us = 2000001};
        tell(&a, "");
        expect_record("ended", "run 0 finished after 2s");
        a.run.end = (struct run_end){.result = RUN_RESULT_SUCCESS, .signal = SIGUSR1, .start_bt_us = 1, .end_bt_us = 2000001};
        tell(&a, "");
        expect_record("ended", "succeeded (SIGUSR1) after 2s");
}
END_TEST

START_TEST(a_catch_up_is_told_whatever_log_says) {
        define(JOB_LOG_FAILURES);
        tell_started(7, RUN_CAUSE_CATCH_UP);
        expect_record("caught-up", "5s late");
        expect_nothing();
}
END_TEST

START_TEST(changes_tells_the_first_result_the_first_failure_and_the_recovery) {
        define(JOB_LOG_CHANGES);
        tell_started(1, RUN_CAUSE_SCHEDULE);
        expect_nothing();
        tell_ended(1, RUN_RESULT_SUCCESS, true, "");
        expect_record("ended", "run 1 succeeded");
        tell_ended(2, RUN_RESULT_SUCCESS, false, "");
        expect_nothing();
        tell_ended(3, RUN_RESULT_FAILED, true, "");
        expect_record("failed", "run 3");
        for (int i = 0; i < 5; i++)
                tell_ended(4, RUN_RESULT_FAILED, false, "");
        pass(USEC_PER_MINUTE);
        tell_ended(9, RUN_RESULT_FAILED, false, "");
        expect_record("failed", "CHIMED_COUNT=");
        expect_nothing();
        tell_ended(10, RUN_RESULT_SUCCESS, true, "");
        expect_record("ended", "run 10 succeeded");
}
END_TEST

START_TEST(missed_slots_of_a_quiet_job_are_told_once_a_minute_and_add_up) {
        define(JOB_LOG_CHANGES);
        tell_missed(2);
        expect_record("missed", "CHIMED_COUNT=2\n");
        for (int i = 0; i < 10; i++) {
                pass(USEC_PER_SEC);
                tell_missed(3);
        }
        expect_nothing();
        pass(USEC_PER_MINUTE);
        expect_record("missed", "CHIMED_COUNT=30\n");
        expect_nothing();
        ck_assert_int_eq(story_next_flush(story), INT64_MAX);
}
END_TEST

START_TEST(slots_missed_for_alternating_reasons_are_held_all_the_same) {
        define(JOB_LOG_CHANGES);
        tell_missed(1);
        expect_record("missed", "CHIMED_COUNT=1\n");
        for (int i = 0; i < 50; i++) {
                tell_missed(2);
                tell_missed_for(SLOT_REASON_DEADLINE, 3);
        }
        expect_nothing();
        pass(USEC_PER_MINUTE);
        expect_record("missed", "CHIMED_COUNT=100\n");
        expect_record("missed", "CHIMED_COUNT=150\n");
        expect_nothing();
}
END_TEST

START_TEST(a_job_that_flaps_is_summed_up_and_its_last_state_told) {
        define(JOB_LOG_CHANGES);
        for (uint64_t run = 1; run <= 1000; run++)
                tell_ended(run, run % 2 ? RUN_RESULT_FAILED : RUN_RESULT_SUCCESS, true, "");
        int n = 0;
        while (*next_record())
                n++;
        ck_assert_int_le(n, 10);
        pass(USEC_PER_MINUTE);
        expect_record("ended", "failures since last told; the last run was good");
        expect_nothing();
}
END_TEST

START_TEST(failures_that_stop_are_told_even_so) {
        define(JOB_LOG_FAILURES);
        for (int i = 0; i < 5; i++)
                tell_ended(4, RUN_RESULT_FAILED, i == 0, "");
        expect_record("failed", "run 4");
        expect_nothing();
        pass(USEC_PER_MINUTE);
        expect_record("failed", "CHIMED_COUNT=4\n");
}
END_TEST

START_TEST(a_summary_does_not_hold_missed_slots_for_an_hour) {
        define(JOB_LOG_SUMMARY);
        tell_ended(1, RUN_RESULT_SUCCESS, false, "");
        tell_missed(1);
        expect_record("missed", "CHIMED_COUNT=1\n");
        tell_missed(4);
        pass(USEC_PER_MINUTE);
        expect_record("missed", "CHIMED_COUNT=4\n");
        expect_nothing();
        pass(USEC_PER_HOUR);
        expect_record("ended", "1 runs, 0 failed");
}
END_TEST

START_TEST(the_end_tells_what_was_held) {
        define(JOB_LOG_SUMMARY);
        tell_ended(1, RUN_RESULT_SUCCESS, false, "");
        tell_missed(1);
        tell_missed(4);
        expect_record("missed", "CHIMED_COUNT=1\n");
        if (_i == 0)
                story_finish(story, engine);
        else
                tell(&(struct action){.kind = ACTION_GONE}, "");
        expect_record("missed", "CHIMED_COUNT=4\n");
        expect_record("ended", "1 runs, 0 failed");
        ck_assert_int_eq(story_next_flush(story), INT64_MAX);
}
END_TEST

START_TEST(a_run_with_nothing_to_do_is_told_as_a_success_is) {
        for (int log = JOB_LOG_CHANGES; log <= JOB_LOG_FAILURES; log++) {
                define((enum job_log)log);
                tell_ended(1, RUN_RESULT_SKIPPED, false, "");
                expect_nothing();
                tell_ended(2, RUN_RESULT_SKIPPED, true, "");
                if (log == JOB_LOG_CHANGES)
                        expect_record("ended", "had nothing to do");
                expect_nothing();
        }
}
END_TEST

START_TEST(failures_tells_no_success) {
        define(JOB_LOG_FAILURES);
        tell_ended(1, RUN_RESULT_SUCCESS, true, "");
        expect_nothing();
        tell_ended(2, RUN_RESULT_FAILED, true, "");
        expect_record("failed", "run 2");
}
END_TEST

START_TEST(summary_counts_an_hour) {
        define(JOB_LOG_SUMMARY);
        for (int i = 0; i < 9; i++)
                tell_ended(1, RUN_RESULT_SUCCESS, false, "");
        expect_nothing();
        pass(USEC_PER_HOUR);
        expect_record("ended", "9 runs, 0 failed");
        pass(2 * USEC_PER_HOUR);
        expect_nothing();
}
END_TEST

START_TEST(a_triggered_run_has_no_slot) {
        define(JOB_LOG_ALL);
        struct action a = {.kind = ACTION_STARTED};
        a.run.run = (struct job_run){.run = 4, .item = WIRE_ITEM_TRIGGER, .cause = RUN_CAUSE_TRIGGER, .slot_rt_us = now.rt_us};
        story_tell(story, engine, book, now, &a, "", 0);
        const char *record = next_record();
        ck_assert_ptr_nonnull(strstr(record, "run 4 started by a trigger"));
        ck_assert_ptr_nonnull(strstr(record, "CHIMED_CAUSE=trigger\n"));
        ck_assert_ptr_null(strstr(record, "CHIMED_SLOT"));
}
END_TEST

START_TEST(withheld_slots_are_no_missed_ones) {
        define(JOB_LOG_ALL);
        struct action a = {.kind = ACTION_OUTCOME};
        a.outcome.outcome = SLOT_WITHHELD;
        a.outcome.reason = SLOT_REASON_PAUSED;
        a.outcome.n = 3;
        a.outcome.first_rt_us = now.rt_us;
        a.outcome.last_rt_us = now.rt_us + 2 * USEC_PER_SEC;
        tell(&a, "");
        expect_record("withheld", "withheld 3 slots, 2026-03-20T12:00:00Z to 2026-03-20T12:00:02Z: the job was paused");
}
END_TEST

static void tell_change(enum hold_change change) {
        tell(&(struct action){.kind = ACTION_HOLD, .hold = change}, "");
}

START_TEST(a_hold_is_told_with_who_and_why) {
        define(JOB_LOG_SUMMARY);
        ck_assert_int_eq(book_sign(book, 0, now, "root", "disk is full", now.rt_us + 60 * USEC_PER_SEC), 0);
        ck_assert_int_eq(engine_pause(engine, now, 0, now.bt_us + 60 * USEC_PER_SEC), 1);
        while (engine_next_action(engine))
                ;
        tell_change(HOLD_PAUSED);
        expect_record("held", "job: paused by root until 2026-03-20T12:01:00Z: disk is full");
        tell_change(HOLD_REMINDER);
        expect_record("held", "CHIMED_BY=root\n");
        tell_change(HOLD_RESUMED);
        expect_record("armed", "job: the pause is over");
        tell_change(HOLD_INTERVAL_SET);
        expect_record("armed", "job: the interval is now 1s");
        tell_change(HOLD_STARTED);
        expect_record("armed", "job: armed again");
}
END_TEST

START_TEST(a_promised_run_that_will_not_come_is_told) {
        define(JOB_LOG_SUMMARY);
        struct action a = {.kind = ACTION_DROPPED};
        a.run.run.run = 63;
        tell(&a, "");
        expect_record("ended", "job: run 63 was cancelled before it started");
        tell(&a, "");
        expect_record("ended", "CHIMED_RESULT=cancelled\n");
        a.run.end.result = RUN_RESULT_INTERRUPTED;
        tell(&a, "");
        expect_record("interrupted", "job: run 63 is not known to have started: chimed went down while it waited");
}
END_TEST

START_TEST(a_flood_of_commands_is_summed_up_and_how_the_job_stands_told) {
        define(JOB_LOG_ALL);
        int n = 0;
        for (int i = 0; i < 1000; i++) {
                tell_change(i % 2 ? HOLD_RESUMED : HOLD_PAUSED);
                n += *next_record() != '\0';
        }
        tell(&(struct action){.kind = ACTION_DROPPED}, "");
        ck_assert_int_eq(engine_pause(engine, now, 0, INT64_MAX), 1);
        while (engine_next_action(engine))
                ;
        ck_assert_int_eq(n, 20);
        pass(USEC_PER_MINUTE);
        expect_record("held", "job: 981 more commands since last told; it is paused now");
        expect_nothing();
        tell_change(HOLD_RESUMED);
        expect_record("armed", "job: the pause is over");
}
END_TEST

START_TEST(starts_without_the_ledger_are_told_once_a_minute_with_their_number) {
        struct action a = {.kind = ACTION_STARTED, .run = {.run = {.run = 1, .attempt = 1, .is_unclaimed = true}}};
        define(JOB_LOG_ALL);
        tell(&a, "");
        expect_record("degraded", "a slot of job job started without it");
        expect_record("started", "CHIMED_ATTEMPT=1\n");
        for (int i = 0; i < 5; i++) {
                tell(&a, "");
                expect_record("started", "");
        }
        pass(USEC_PER_MINUTE);
        tell(&a, "");
        expect_record("degraded", "CHIMED_COUNT=6\n");
}
END_TEST

static void tell_step(enum clockstep_kind kind, int64_t step_us) {
        tell(&(struct action){.kind = ACTION_CLOCK, .job = INDEX_NONE, .clock = {.kind = kind, .step_us = step_us}}, "");
}

START_TEST(clock_steps_are_told_once_a_minute_with_their_number) {
        tell_step(CLOCKSTEP_BACK, -USEC_PER_HOUR);
        expect_record("clock-step", "The wall clock was set back by 1h\n");
        for (int i = 0; i < 6; i++)
                tell_step(CLOCKSTEP_BACK, -USEC_PER_HOUR);
        expect_nothing();
        pass(USEC_PER_MINUTE);
        expect_record("clock-step", "The wall clock was set 6 times, in all back by 6h\n");
        pass(USEC_PER_MINUTE);
        expect_nothing();
}
END_TEST

START_TEST(a_new_time_line_is_told_also_right_after_another_step) {
        tell_step(CLOCKSTEP_FORWARD, USEC_PER_HOUR);
        expect_record("clock-step", "set forward by 1h\n");
        tell_step(CLOCKSTEP_NEW_TIME_LINE, -2 * USEC_PER_DAY);
        pass(USEC_PER_MINUTE);
        expect_record("clock-step", "set back by 2d: a new time line, schedules on it begin anew\n");
        tell_step(CLOCKSTEP_FORWARD, USEC_PER_HOUR);
        story_finish(story, engine);
        expect_record("clock-step", "set forward by 1h\n");
        story_finish(story, engine);
        expect_nothing();
}
END_TEST

/* What is told of an end of an attempt, and what comes of it. */
static const struct {
        enum run_result result;
        uint16_t attempt;
        bool is_final, is_short, is_quiet;
        const char *event, *words; /* NULL: nothing is told */
} attempts[] = {
        {RUN_RESULT_FAILED, 1, false, false, false, "retry",
         "failed with exit status 3 after 2s; attempt 2 of 4 in 5min: no space"},
        {RUN_RESULT_TIMEOUT, 3, false, false, false, "retry", "timed out after 2s; attempt 4 of 4 in 5min"},
        {RUN_RESULT_FAILED, 2, true, false, false, "failed",
         "; attempt 3 of 4 would come too late: the next slot is due before it"},
        {RUN_RESULT_TIMEOUT, 4, true, false, false, "timed-out", "; it was attempt 4 of 4"},
        {RUN_RESULT_SUCCESS, 2, true, false, false, "ended", "succeeded after 2s; it was attempt 2 of 4"},
        {RUN_RESULT_SUCCESS, 1, true, false, false, "ended", "succeeded after 2s\n"},
        {RUN_RESULT_START_FAILED, 1, false, true, false, "retry", "; it is tried again, first in 5min"},
        {RUN_RESULT_START_FAILED, 1, false, true, true, NULL, NULL},
};

START_TEST(each_attempt_is_told_with_what_comes_after_it) {
        define_with(JOB_LOG_ALL, 3, 0);
        struct action a = {.kind = ACTION_ENDED};
        a.run.run = (struct job_run){.run = 7, .attempt = attempts[_i].attempt};
        a.run.end = (struct run_end){.result = attempts[_i].result, .end_bt_us = 2 * USEC_PER_SEC, .error = 11};
        a.run.end.exit_code = attempts[_i].result == RUN_RESULT_FAILED ? 3 : 0;
        a.run.is_final = attempts[_i].is_final;
        a.run.is_short = attempts[_i].is_short;
        a.run.is_quiet = attempts[_i].is_quiet;
        a.run.retry_us = 5 * USEC_PER_MINUTE;
        tell(&a, "no space");
        if (attempts[_i].event)
                expect_record(attempts[_i].event, attempts[_i].words);
        expect_nothing();
}
END_TEST

START_TEST(an_attempt_that_was_announced_never_stays_without_its_end) {
        define_with(JOB_LOG_SUMMARY, 3, 0);
        struct action a = {.kind = ACTION_GIVEN_UP};
        a.given_up.retry = (struct job_retry){.attempt = 3, .run = 12, .result = RUN_RESULT_FAILED};
        a.given_up.reason = SLOT_REASON_DEADLINE;
        a.given_up.is_final = true;
        tell(&a, "");
        expect_record("failed", "attempt 3 after run 12 does not come: the next slot is due");
        a.given_up.reason = SLOT_REASON_CANCELLED;
        a.given_up.is_final = false;
        tell(&a, "");
        expect_record("ended", "attempt 3 after run 12 does not come: the job was cancelled");
        a.given_up.reason = SLOT_REASON_NONE;
        tell(&a, "");
        expect_record("interrupted", "attempt 3 after run 12 is interrupted: it cannot be known whether it ran");
}
END_TEST

START_TEST(a_job_that_is_stopped_or_overdue_is_told_whatever_log_says) {
        define_with(JOB_LOG_SUMMARY, 0, 3);
        struct action a = {.kind = ACTION_HOLD, .hold = HOLD_FAILED};
        tell(&a, "");
        expect_record("job-failed", "stopped, its runs have failed in 3 slots in a row; chimectl start job arms it again");
        a = (struct action){.kind = ACTION_OVERDUE};
        a.overdue.since_rt_us = now.rt_us - 26 * USEC_PER_HOUR;
        tell(&a, "");
        expect_record("overdue", "job: overdue: no good run since ");
        a.overdue.is_again = true;
        tell(&a, "");
        expect_record("overdue", "job: still overdue");
        a.overdue.is_over = true;
        tell(&a, "");
        expect_record("overdue", "no longer overdue");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("story");
        TCase *tc = tcase_create("story");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, all_tells_each_start_end_and_missed_range);
        tcase_add_test(tc, a_failure_says_how_and_its_last_words);
        tcase_add_test(tc, a_good_end_says_by_which_status_it_was);
        tcase_add_test(tc, a_catch_up_is_told_whatever_log_says);
        tcase_add_test(tc, changes_tells_the_first_result_the_first_failure_and_the_recovery);
        tcase_add_test(tc, missed_slots_of_a_quiet_job_are_told_once_a_minute_and_add_up);
        tcase_add_test(tc, a_run_with_nothing_to_do_is_told_as_a_success_is);
        tcase_add_test(tc, failures_tells_no_success);
        tcase_add_test(tc, summary_counts_an_hour);
        tcase_add_test(tc, starts_without_the_ledger_are_told_once_a_minute_with_their_number);
        tcase_add_test(tc, clock_steps_are_told_once_a_minute_with_their_number);
        tcase_add_test(tc, a_new_time_line_is_told_also_right_after_another_step);
        tcase_add_test(tc, a_triggered_run_has_no_slot);
        tcase_add_test(tc, withheld_slots_are_no_missed_ones);
        tcase_add_test(tc, a_hold_is_told_with_who_and_why);
        tcase_add_test(tc, a_promised_run_that_will_not_come_is_told);
        tcase_add_test(tc, a_flood_of_commands_is_summed_up_and_how_the_job_stands_told);
        tcase_add_test(tc, slots_missed_for_alternating_reasons_are_held_all_the_same);
        tcase_add_test(tc, a_job_that_flaps_is_summed_up_and_its_last_state_told);
        tcase_add_test(tc, failures_that_stop_are_told_even_so);
        tcase_add_test(tc, a_summary_does_not_hold_missed_slots_for_an_hour);
        tcase_add_loop_test(tc, the_end_tells_what_was_held, 0, 2);
        tcase_add_loop_test(tc, each_attempt_is_told_with_what_comes_after_it, 0, ARRAY_SIZE(attempts));
        tcase_add_test(tc, an_attempt_that_was_announced_never_stays_without_its_end);
        tcase_add_test(tc, a_job_that_is_stopped_or_overdue_is_told_whatever_log_says);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
