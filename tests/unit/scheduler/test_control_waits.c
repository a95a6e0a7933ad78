// SPDX-License-Identifier: MIT
// Calls that wait, and what they wait for: triggered runs, ends, counts, commits, the runner's answers. Who goes is forgotten.

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/control_fixture.h"

static struct peer a, b;

static void setup_two(void) {
        setup();
        a = dial();
        b = dial();
}

/* Whatever a test leaves open, nothing of it stays. */
static void teardown_two(void) {
        hang_up(&a);
        hang_up(&b);
        settle();
        ck_assert_uint_eq(control->n_clients, 0);
        ck_assert_ptr_null(control->waits);
        ck_assert_ptr_null(control->users);
        ck_assert_uint_eq(control->bytes, 0);
        ck_assert_uint_eq(control->n_output_wanted, 0);
        ck_assert_uint_eq(control->n_feeds, 0);
        ck_assert_uint_eq(control->n_watches, 0);
        teardown();
}

static void silent(struct peer *p) {
        const char *reply = hear(p);
        ck_assert_msg(!reply, "%s", reply);
}

/* ---- Trigger ---- */

START_TEST(a_plain_trigger_names_the_run_that_does_it) {
        says(ask(&a, "Trigger", "{\"job\":\"job\"}"),
             "\"kind\":\"accepted\",\"job\":\"job\",\"runId\":1,\"outcome\":\"started\",\"behindRunId\":null,\"state\":null");
        ck_assert_uint_eq(told.run, 1);
        ck_assert_int_eq(told.start.item, WIRE_ITEM_TRIGGER);
        ck_assert(!told.start.is_watched);
        says(ask(&b, "Trigger", "{\"job\":\"job\"}"), "\"runId\":1,\"outcome\":\"joined\"");
        says(ask(&b, "Trigger", "{\"job\":\"job\",\"ifRunning\":\"reject\"}"),
             "{\"error\":\"io.chimed.AlreadyRunning\",\"parameters\":{\"job\":\"job\",\"runId\":1}}");
        says(ask(&b, "Trigger", "{\"job\":\"job\",\"ifRunning\":\"queue\"}"),
             "\"runId\":2,\"outcome\":\"queued\",\"behindRunId\":1");
        says(ask(&b, "ListJobs", "{\"jobs\":[\"job\"]}"), "\"state\":\"pending\"");
        says(ask(&b, "Trigger", "{\"job\":\"job\",\"ifRunning\":\"replace\"}"), "\"runId\":2,\"outcome\":\"replacing\"");
        settle();
        ck_assert_uint_eq(told.killed, 1);
        ck_assert_uint_eq(told.n_starts, 1);
        run_ended(1, RUN_RESULT_CANCELLED, NULL);
        settle();
        ck_assert_uint_eq(told.run, 2);
        run_ended(2, RUN_RESULT_SUCCESS, NULL);
}
END_TEST

START_TEST(a_trigger_passes_what_the_job_accepts) {
        static const char differ[] = "{\"error\":\"io.chimed.ParametersDiffer\",\"parameters\":{\"job\":\"job\",\"runId\":";
        says(ask(&a, "Trigger", "{\"job\":\"job\",\"parameters\":{\"TO\":\"x\",\"PATH\":\"/\"}}"),
             "{\"error\":\"io.chimed.NotAccepted\",\"parameters\":{\"job\":\"job\",\"name\":\"PATH\",\"accepted\":[\"FROM\","
             "\"TO\"]}}");
        says(ask(&a, "Trigger", "{\"job\":\"job\",\"parameters\":{\"TO\":1}}"), "{\"parameter\":\"parameters\"}");
        settle();
        ck_assert_uint_eq(told.n_starts, 0);
        says(ask(&a, "Trigger", "{\"job\":\"job\",\"parameters\":{\"TO\":\"x y\",\"FROM\":\"\"}}"),
             "\"runId\":1,\"outcome\":\"started\"");
        ck_assert_uint_eq(told.start.parameters_size, 13);
        ck_assert_mem_eq(told.parameters, "FROM=\0TO=x y", 13);
        says(ask(&b, "Trigger", "{\"job\":\"job\",\"parameters\":{\"FROM\":\"\",\"TO\":\"x y\"}}"),
             "\"runId\":1,\"outcome\":\"joined\"");
        says(ask(&b, "Trigger", "{\"job\":\"job\"}"), differ);
        says(ask(&b, "Trigger", "{\"job\":\"job\",\"parameters\":{\"FROM\":\"\"}}"), differ);
        says(ask(&b, "Trigger", "{\"job\":\"job\",\"ifRunning\":\"queue\"}"), "\"runId\":2,\"outcome\":\"queued\"");
        says(ask(&b, "Trigger", "{\"job\":\"job\",\"ifRunning\":\"queue\",\"parameters\":{\"TO\":\"x\"}}"), differ);
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
        settle();
        ck_assert_uint_eq(told.run, 2);
        ck_assert_uint_eq(told.start.parameters_size, 0);
        run_ended(2, RUN_RESULT_SUCCESS, NULL);
}
END_TEST

/* The run is not executed: a condition does not hold. */
static void run_refused(uint64_t run) {
        struct clock_sample now = clock_now();
        struct run_end end = {.result = RUN_RESULT_CONDITION, .exit_code = -1, .end_rt_us = now.rt_us, .end_bt_us = now.bt_us};
        wire_put_ended(&pack, &(struct wire_ended){.run = run, .end = end});
        runner_say(WIRE_ENDED);
        settle();
}

START_TEST(with_more_the_run_is_followed_to_its_end) {
        say_more(&a, "Trigger", "{\"job\":\"job\",\"output\":true}", MORE);
        says(hear(&a), "\"kind\":\"accepted\"");
        says(hear(&a), "\"kind\":\"started\",\"job\":\"job\",\"runId\":1");
        ck_assert(told.start.is_watched);
        run_output(1, 1, "one\xE2", 4);
        says(hear(&a), "\"stream\":1,\"text\":\"one\",\"dropped\":null},\"continues\":true}");
        run_output(1, 1, "\x82\xAC", 2);
        says(hear(&a), "\"stream\":1,\"text\":\"\xE2\x82\xAC\"");
        run_output(1, 2, "bad\xFF", 4);
        says(hear(&a), "\"stream\":2,\"text\":\"bad\xEF\xBF\xBD\"");
        silent(&a);
        say(&a, "org.varlink.service.GetInfo", "{}"); /* waits behind it */
        silent(&a);
        run_output(1, 1, "cut\xC3", 4);
        run_ended(1, RUN_RESULT_FAILED, "the value");
        says(hear(&a), "\"text\":\"cut\"");
        says(hear(&a), "\"text\":\"\xEF\xBF\xBD\"");
        const char *end = hear(&a);
        says(end, "\"kind\":\"ended\"");
        says(end, "\"result\":\"failed\",\"exitCode\":1");
        says(end, "\"value\":\"the value\"");
        ck_assert_ptr_null(strstr(end, "continues"));
        says(hear(&a), "\"vendor\"");
}
END_TEST

START_TEST(who_joins_is_told_of_the_start_at_once) {
        says(ask(&a, "Trigger", "{\"job\":\"job\"}"), "\"outcome\":\"started\"");
        settle();
        say_more(&b, "Trigger", "{\"job\":\"job\",\"output\":true}", MORE);
        says(hear(&b), "\"outcome\":\"joined\"");
        says(hear(&b), "\"kind\":\"started\",\"job\":\"job\",\"runId\":1");
        settle();
        ck_assert_uint_eq(told.watched, 1);
        ck_assert(told.is_watch_on);
        run_output(1, 1, "x", 1);
        says(hear(&b), "\"text\":\"x\"");
        hang_up(&b);
        settle();
        ck_assert(!told.is_watch_on);
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
}
END_TEST

/* The slot is followed, not the run: each attempt with its output, up to the last one's result. */
START_TEST(what_is_tried_again_is_followed_to_its_last_attempt) {
        define_job("tries", "Retries=2\nRetryDelay=10ms\n");
        commit_asked(0, 6);
        settle();
        say_more(&a, "Trigger", "{\"job\":\"tries\",\"output\":true}", MORE);
        says(hear(&a), "\"kind\":\"accepted\",\"job\":\"tries\",\"runId\":1,");
        says(hear(&a), "\"kind\":\"started\",\"job\":\"tries\",\"runId\":1,");
        run_ended(1, RUN_RESULT_FAILED, "first");
        const char *reply = hear(&a);
        says(reply, "\"kind\":\"retry\",\"job\":\"tries\",\"runId\":1,");
        says(reply, "\"attempt\":2,\"attemptUsec\":");
        says(reply, "\"result\":\"failed\",\"exitCode\":1,");
        says(reply, "\"value\":\"first\"");
        says(reply, "\"continues\":true");
        says(hear_later(&a), "\"kind\":\"started\",\"job\":\"tries\",\"runId\":2,");
        ck_assert(told.start.is_watched);
        run_output(2, 1, "two", 3);
        says(hear(&a), "\"runId\":2,\"atUsec\":");
        run_ended(2, RUN_RESULT_FAILED, NULL);
        says(hear(&a), "\"attempt\":3,");
        says(hear_later(&a), "\"kind\":\"started\",\"job\":\"tries\",\"runId\":3,");
        run_ended(3, RUN_RESULT_SUCCESS, NULL);
        reply = hear(&a);
        says(reply, "\"kind\":\"ended\",\"job\":\"tries\",\"runId\":3,");
        says(reply, "\"attempt\":3,");
        says(reply, "\"result\":\"success\"");
        ck_assert_ptr_null(strstr(reply, "continues"));
}
END_TEST

/* Where none comes any more the last failure is the result, whoever gave the next attempt up. */
START_TEST(an_attempt_that_is_given_up_ends_what_is_followed) {
        define_job("tries", "Retries=2\nRetryDelay=1h\n");
        commit_asked(0, 6);
        settle();
        say_more(&a, "Trigger", "{\"job\":\"tries\"}", MORE);
        says(hear(&a), "accepted");
        says(hear(&a), "started");
        run_ended(1, RUN_RESULT_FAILED, NULL);
        says(hear(&a), "\"kind\":\"retry\"");
        silent(&a);
        says(ask(&b, "Cancel", "{\"job\":\"tries\",\"what\":\"run\"}"), "\"droppedAttempt\":2");
        const char *reply = hear(&a);
        says(reply, "\"kind\":\"ended\",\"job\":\"tries\",\"runId\":1,");
        says(reply, "\"result\":\"failed\",\"exitCode\":1,");
        ck_assert_ptr_null(strstr(reply, "continues"));
        /* the next attempt is asked whether its conditions hold */
        define_job("tries", "Retries=2\nRetryDelay=0\nConditionWait=1h\n");
        commit_asked(0, 6);
        settle();
        say_more(&a, "Trigger", "{\"job\":\"tries\"}", MORE);
        says(hear(&a), "accepted");
        says(hear(&a), "started");
        is_runner_started = false;
        run_ended(2, RUN_RESULT_FAILED, NULL);
        says(hear(&a), "\"kind\":\"retry\"");
        settle();
        ck_assert_uint_eq(told.run, 3);
        run_refused(3);
        silent(&a);
        is_runner_started = true;
        says(ask(&b, "Trigger", "{\"job\":\"tries\",\"force\":true}"), "\"runId\":4,");
        says(hear(&a), "\"kind\":\"started\",\"job\":\"tries\",\"runId\":4,");
        run_ended(4, RUN_RESULT_SUCCESS, NULL);
        reply = hear(&a);
        says(reply, "\"kind\":\"ended\",\"job\":\"tries\",\"runId\":4,");
}
END_TEST

static void define_group(const char *name) {
        wire_put_group(&pack, &(struct wire_group){.name = name, .description = ""});
        runner_say(WIRE_GROUP);
}

START_TEST(a_group_is_followed_until_the_last_member_has_ended) {
        define_job("x", "MemberOf=g\n");
        define_job("y", "MemberOf=g\nRetries=1\nRetryDelay=0\n");
        define_group("g");
        commit_asked(0, 7);
        settle();
        say_more(&a, "Trigger", "{\"job\":\"@g\",\"output\":true}", MORE);
        says(hear(&a), "{\"job\":\"@g\",\"kind\":\"accepted\",\"accepted\":[{\"job\":\"x\",\"runId\":1,\"outcome\":\"started\","
                       "\"behindRunId\":null},{\"job\":\"y\",\"runId\":2,");
        says(hear(&a), "\"kind\":\"started\",\"job\":\"y\",\"runId\":2,");
        run_started(1);
        says(hear(&a), "\"kind\":\"started\",\"job\":\"x\",\"runId\":1,");
        run_output(2, 1, "of y", 4);
        says(hear(&a), "\"text\":\"of y\"");
        run_ended(2, RUN_RESULT_FAILED, NULL);
        says(hear(&a), "\"kind\":\"retry\",\"job\":\"y\",");
        says(hear(&a), "\"kind\":\"started\",\"job\":\"y\",\"runId\":3,");
        run_ended(3, RUN_RESULT_FAILED, NULL);
        const char *reply = hear(&a);
        says(reply, "\"kind\":\"ended\",\"job\":\"y\",\"runId\":3,");
        says(reply, "\"continues\":true");
        silent(&a);
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
        reply = hear(&a);
        says(reply, "\"kind\":\"ended\",\"job\":\"x\",\"runId\":1,");
        ck_assert_ptr_null(strstr(reply, "continues"));
        /* all or none */
        says(ask(&a, "Cancel", "{\"job\":\"y\"}"), "\"changed\":true");
        uint64_t n_starts = told.n_starts;
        say_more(&a, "Trigger", "{\"job\":\"@g\"}", MORE);
        says(hear(&a), "{\"error\":\"io.chimed.NotArmed\",\"parameters\":{\"job\":\"y\",");
        ck_assert_uint_eq(told.n_starts, n_starts);
        /* a group of nobody is at its end */
        define_group("g");
        define_group("none");
        commit_asked(0, 7);
        say_more(&a, "Trigger", "{\"job\":\"@none\"}", MORE);
        reply = hear(&a);
        says(reply, "\"accepted\":[],");
        ck_assert_ptr_null(strstr(reply, "continues"));
}
END_TEST

START_TEST(a_group_of_too_many_is_not_followed) {
        char name[16];
        for (int i = 0; i < 300; i++) {
                snprintf(name, sizeof(name), "m%d", i);
                define_job(name, "MemberOf=g\n");
        }
        define_group("g");
        commit_asked(0, 305);
        settle();
        say_more(&a, "Trigger", "{\"job\":\"@g\"}", MORE);
        says(hear(&a), "LimitReached");
        ck_assert_uint_eq(told.n_starts, 0);
}
END_TEST

START_TEST(a_promised_run_that_is_cancelled_ends_without_run) {
        says(ask(&a, "Trigger", "{\"job\":\"job\"}"), "\"runId\":1");
        say_more(&b, "Trigger", "{\"job\":\"job\",\"ifRunning\":\"queue\"}", MORE);
        says(hear(&b), "\"runId\":2,\"outcome\":\"queued\"");
        silent(&b);
        say(&a, "Cancel", "{\"job\":\"job\"}");
        says(hear(&b), "\"kind\":\"ended\",\"job\":\"job\",\"runId\":2");
        run_ended(1, RUN_RESULT_CANCELLED, NULL);
        says(hear(&a), "\"changed\":true,\"state\":\"cancelled\",\"run\":{\"runId\":1");
}
END_TEST

START_TEST(a_paused_job_runs_and_says_so) {
        says(ask(&a, "Pause", "{\"job\":\"job\"}"), "\"changed\":true");
        says(ask(&a, "Trigger", "{\"job\":\"job\"}"), "\"outcome\":\"started\",\"behindRunId\":null,\"state\":\"paused\"");
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
}
END_TEST

START_TEST(force_runs_what_is_cancelled_or_disabled) {
        says(ask(&a, "Cancel", "{\"job\":\"job\"}"), "\"changed\":true");
        says(ask(&a, "Trigger", "{\"job\":\"job\",\"force\":true}"),
             "\"runId\":1,\"outcome\":\"started\",\"behindRunId\":null,\"state\":\"cancelled\"");
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
        says(ask(&a, "Trigger", "{\"job\":\"off\",\"force\":true}"), "\"outcome\":\"started\"");
        run_ended(told.run, RUN_RESULT_SUCCESS, NULL);
}
END_TEST

START_TEST(who_loses_the_right_hears_no_more) {
        become(1001);
        say_more(&b, "Trigger", "{\"job\":\"job\",\"output\":true}", MORE);
        says(hear(&b), "\"kind\":\"accepted\"");
        says(hear(&b), "\"kind\":\"started\"");
        run_output(1, 1, "open", 4);
        says(hear(&b), "\"text\":\"open\"");
        define_job("job", HOURLY "Allow=trigger:1001\n");
        commit_asked(0, 5);
        settle();
        run_output(1, 1, "secret", 6);
        silent(&b);
        run_ended(1, RUN_RESULT_SUCCESS, "secret");
        says(hear(&b), "\"value\":null");
}
END_TEST

START_TEST(output_that_is_not_read_is_lost_and_counted) {
        static char piece[16 * 1024];
        memset(piece, 'x', sizeof(piece));
        say_more(&a, "Trigger", "{\"job\":\"job\",\"output\":true}", MORE);
        says(hear(&a), "accepted");
        says(hear(&a), "started");
        for (int i = 0; i < 400; i++) {
                run_output(1, 1, piece, sizeof(piece));
                pass();
                ck_assert_uint_lt(control->bytes, 4 * CONTROL_LOST_MARK);
        }
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
        uint64_t n = 0, dropped = 0;
        for (const char *reply; (reply = hear(&a));) {
                json_t *message = json_loads(reply, 0, NULL), *out = json_object_get(message, "parameters");
                n += json_string_length(json_object_get(out, "text"));
                dropped += (uint64_t)json_integer_value(json_object_get(out, "dropped"));
                bool is_last = !json_object_get(message, "continues");
                json_decref(message);
                if (is_last)
                        break;
        }
        ck_assert_uint_gt(dropped, 0);
        ck_assert_uint_eq(n + dropped, 400 * sizeof(piece));
}
END_TEST

/* ---- Cancel ---- */

START_TEST(cancel_replies_when_the_processes_are_gone) {
        says(ask(&a, "Trigger", "{\"job\":\"job\"}"), "\"runId\":1");
        settle();
        says(ask(&b, "Cancel", "{\"job\":\"job\",\"what\":\"run\",\"runId\":2}"), "NoSuchRun");
        say(&a, "Cancel", "{\"job\":\"job\",\"what\":\"run\",\"runId\":1}");
        say(&b, "Cancel", "{\"job\":\"job\"}");
        silent(&a);
        silent(&b);
        ck_assert_uint_eq(told.killed, 1);
        run_ended(1, RUN_RESULT_CANCELLED, NULL);
        says(hear(&a), "\"changed\":true,\"state\":\"cancelled\",\"run\":{\"runId\":1,");
        const char *reply = hear(&b);
        says(reply, "\"result\":\"cancelled\"");
        says(reply, "\"signal\":\"SIGTERM\"");
}
END_TEST

START_TEST(a_cancelled_job_s_cancelled_run_is_named) {
        says(ask(&a, "Trigger", "{\"job\":\"manual\"}"), "\"runId\":1");
        say(&a, "Cancel", "{\"job\":\"manual\",\"what\":\"run\"}");
        silent(&a);
        run_ended(1, RUN_RESULT_CANCELLED, NULL);
        says(hear(&a), "\"changed\":true,\"state\":\"manual\",\"run\":{\"runId\":1");
        says(ask(&a, "Cancel", "{\"job\":\"manual\",\"what\":\"run\"}"), "NotRunning");
}
END_TEST

START_TEST(cancel_says_what_else_it_drops) {
        define_job("tries", "OnEndOf=job\nRetries=3\nRetryDelay=1h\n");
        define_job("asks", "OnEndOf=job\nConditionWait=1h\n");
        define_job("line", "OnEndOf=job\nOverlap=queue\nQueueMax=5\n");
        commit_asked(0, 8);
        is_runner_started = false;
        for (int i = 0; i < 3; i++) {
                uint64_t n_starts = told.n_starts;
                says(ask(&a, "Trigger", "{\"job\":\"job\"}"), "\"outcome\":\"started\"");
                settle();
                ck_assert_uint_eq(told.n_starts, n_starts + 1);
                run_ended(told.run, RUN_RESULT_SUCCESS, NULL);
                settle();
                if (i > 0)
                        continue;
                ck_assert_uint_eq(told.n_starts, n_starts + 4); /* the three, in the order of their definitions */
                run_ended(told.run - 2, RUN_RESULT_FAILED, NULL);
                run_refused(told.run - 1);
        }
        /* the attempt that is to come, and nothing else */
        says(ask(&a, "Cancel", "{\"job\":\"tries\",\"what\":\"run\",\"runId\":77}"), "NoSuchRun");
        says(ask(&a, "Cancel", "{\"job\":\"tries\",\"what\":\"run\"}"),
             "\"changed\":true,\"state\":\"waiting\",\"run\":null,\"droppedAttempt\":2,\"droppedSlots\":0,\"droppedRunId\":"
             "null");
        says(ask(&a, "Cancel", "{\"job\":\"tries\",\"what\":\"run\"}"), "NotRunning");
        /* the slot that waits for its conditions */
        says(ask(&a, "Cancel", "{\"job\":\"asks\",\"what\":\"run\"}"),
             "\"changed\":true,\"state\":\"waiting\",\"run\":null,\"droppedAttempt\":null,\"droppedSlots\":1,"
             "\"droppedRunId\":");
        says(ask(&a, "Cancel", "{\"job\":\"asks\",\"what\":\"run\"}"), "NotRunning");
        /* slots in line are counted, and go with the run before them */
        const char *listed = ask(&a, "ListJobs", "{\"jobs\":[\"line\"]}");
        says(listed, "\"schedule\":\"after other jobs\"");
        says(listed, "\"pending\":2,");
        say(&a, "Cancel", "{\"job\":\"line\",\"what\":\"run\"}");
        silent(&a);
        run_ended(told.killed, RUN_RESULT_CANCELLED, NULL);
        says(hear(&a), "\"droppedAttempt\":null,\"droppedSlots\":2,\"droppedRunId\":null");
        says(ask(&a, "Cancel", "{\"job\":\"line\"}"), "\"changed\":true,\"state\":\"cancelled\",\"run\":null,"
                                                      "\"droppedAttempt\":null,\"droppedSlots\":0,\"droppedRunId\":null");
}
END_TEST

/* ---- Wait ---- */

static void run_once(enum run_result result) {
        says(ask(&a, "Trigger", "{\"job\":\"job\"}"), "\"outcome\":\"started\"");
        settle();
        run_ended(told.run, result, NULL);
}

START_TEST(wait_is_answered_by_the_very_end_that_fulfils_it) {
        say(&b, "Wait", "{\"job\":\"job\",\"more\":2}");
        run_once(RUN_RESULT_SUCCESS);
        silent(&b);
        run_once(RUN_RESULT_FAILED);
        says(hear(&b), "{\"job\":\"job\",\"runs\":2,\"successes\":1,\"state\":\"waiting\",\"lastRun\":{\"runId\":2");
        says(ask(&b, "Wait", "{\"job\":\"job\",\"runs\":2}"), "\"runs\":2");
        says(ask(&b, "Wait", "{\"job\":\"job\",\"successes\":1}"), "\"successes\":1");
        say(&b, "Wait", "{\"job\":\"job\",\"successes\":2}");
        run_once(RUN_RESULT_FAILED);
        silent(&b);
        run_once(RUN_RESULT_SUCCESS);
        says(hear(&b), "\"runs\":4,\"successes\":2");
}
END_TEST

START_TEST(wait_until_nothing_is_in_flight) {
        says(ask(&a, "Trigger", "{\"job\":\"job\"}"), "\"runId\":1");
        says(ask(&a, "Trigger", "{\"job\":\"job\",\"ifRunning\":\"queue\"}"), "\"runId\":2");
        say(&b, "Wait", "{\"job\":\"job\",\"finished\":true}");
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
        silent(&b);
        settle();
        run_ended(2, RUN_RESULT_SUCCESS, NULL);
        says(hear(&b), "\"runs\":2");
}
END_TEST

START_TEST(wait_until_nothing_is_to_come) {
        define_job("tries", "Retries=2\nRetryDelay=1h\n");
        commit_asked(0, 6);
        settle();
        says(ask(&a, "Trigger", "{\"job\":\"tries\"}"), "\"runId\":1");
        say(&b, "Wait", "{\"job\":\"tries\",\"finished\":true}");
        run_ended(1, RUN_RESULT_FAILED, NULL);
        silent(&b); /* an attempt is to come */
        says(ask(&a, "Cancel", "{\"job\":\"tries\",\"what\":\"run\"}"), "\"changed\":true");
        says(hear(&b), "\"runs\":1");
}
END_TEST

START_TEST(wait_ends_in_time) {
        say(&b, "Wait", "{\"job\":\"job\",\"forUsec\":3600000000}");
        silent(&b);
        int64_t at_us = control_next_wake(control);
        ck_assert_int_le(at_us, clock_now().bt_us + 3600000000);
        ck_assert_int_eq(control_advance(control, (struct clock_sample){.bt_us = at_us}), 0);
        says(hear(&b), "io.chimed.TimedOut");
        says(ask(&b, "GetStatus", "{}"), "version");
}
END_TEST

START_TEST(wait_ends_with_the_job_s_schedule) {
        struct peer c = dial();
        say(&b, "Wait", "{\"job\":\"job\"}");
        say(&c, "Wait", "{\"job\":\"other\"}");
        settle();
        says(ask(&a, "Cancel", "{\"job\":\"job\"}"), "\"changed\":true");
        says(hear(&b), "{\"error\":\"io.chimed.NotArmed\",\"parameters\":{\"job\":\"job\",\"state\":\"cancelled\"}}");
        remove_job("other");
        commit_asked(0, 4);
        says(hear(&c), "{\"error\":\"io.chimed.NoSuchJob\",\"parameters\":{\"job\":\"other\"}}");
        say(&b, "Wait", "{\"job\":\"delay\"}");
        settle();
        define_job("delay", "Every=1h\nEnabled=no\n");
        commit_asked(0, 4);
        says(hear(&b), "{\"job\":\"delay\",\"state\":\"disabled\"}");
        hang_up(&c);
}
END_TEST

/* ---- Reload, ShowJob ---- */

START_TEST(reload_is_answered_by_the_commit_of_its_reading) {
        say(&a, "Reload", "{}");
        settle();
        ck_assert_uint_eq(told.reload, 1);
        say(&b, "Reload", "{}");
        settle();
        ck_assert_uint_eq(told.reload, 2);
        wire_put_text(&pack, "<3>a.ini:1:2: wrong");
        runner_say(WIRE_DIAG);
        commit_asked(0, 5); /* a reading that nobody asked for */
        silent(&a);
        wire_put_text(&pack, "<4>b.ini:3: warning: odd \xFF");
        runner_say(WIRE_DIAG);
        commit_asked(1, 5);
        says(hear(&a), "\"diagnostics\":[\"b.ini:3: warning: odd \xEF\xBF\xBD\"],\"diagnosticsLeftOut\":0");
        silent(&b);
        commit_asked(2, 5);
        says(hear(&b),
             "\"jobs\":5,\"files\":0,\"added\":1,\"changed\":0,\"removed\":0,\"errors\":0,\"warnings\":0,\"diagnostics\":[]");
}
END_TEST

START_TEST(diagnostics_are_bounded) {
        say(&a, "Reload", "{}");
        settle();
        for (int i = 0; i < 1000; i++) {
                wire_put_text(&pack, "<3>a.ini:1:2: something that is not right, and somewhat long");
                runner_say(WIRE_DIAG);
        }
        commit_asked(1, 5);
        says(hear(&a), "\"diagnosticsLeftOut\":800}");
        ck_assert_uint_eq(control->n_diags, 0);
}
END_TEST

static void describe(uint64_t number, const char *command) {
        wire_put_described(&pack, &(struct wire_described){.number = number,
                                                           .is_known = true,
                                                           .line = 3,
                                                           .command = command,
                                                           .user = "",
                                                           .file = "/etc/x.ini",
                                                           .stop_path = "/stop",
                                                           .conditions = "ConditionPathExists=/a\nConditionACPower=yes",
                                                           .timeout_us = 7 * USEC_PER_SEC});
        runner_say(WIRE_DESCRIBED);
}

START_TEST(show_asks_the_runner) {
        say(&a, "ShowJob", "{\"job\":\"job\"}");
        say(&b, "ShowJob", "{\"job\":\"other\"}");
        silent(&a);
        ck_assert_uint_eq(told.described, 2);
        describe(2, "two");
        describe(7, "nobody asked");
        silent(&a);
        says(hear(&b), "\"command\":\"two\",\"unit\":null,\"user\":null,\"stopPath\":\"/"
                       "stop\",\"accepted\":[\"FROM\",\"TO\"],\"conditions\":[\"ConditionPathExists=/a\","
                       "\"ConditionACPower=yes\"],\"timeoutUsec\":7000000,\"file\":\"/etc/x.ini\",\"line\":3}}");
        describe(1, "one");
        says(hear(&a), "\"command\":\"one\"");
        describe(1, "one");
}
END_TEST

START_TEST(show_tells_by_which_rules_a_job_runs) {
        wire_put_group(&pack, &(struct wire_group){.name = "g", .description = "", .max_running = 2});
        runner_say(WIRE_GROUP);
        define_job("child", "OnSuccessOf=job\nOverlap=queue\nQueueMax=5\nRetries=3\nRetryDelay=10s\nRetryBackoff="
                            "2\nStartDeadline=infinity\n"
                            "StopAfterFailures=4\nExpectWithin=26h\nConditionWait=2h\nPriority=10\nMemberOf=g\nOnEnd=manual\n");
        define_job("job", HOURLY "CatchUp=all\nStartDeadline=10min\nOnMissed=child\nOverlap=parallel\nMaxParallel=4\n");
        commit_asked(0, 6);
        settle();
        say(&a, "ShowJob", "{\"job\":\"child\"}");
        settle();
        describe(told.described, "c");
        says(hear(&a),
             "\"policy\":{\"overlap\":\"queue\",\"queueMax\":5,\"maxParallel\":null,\"catchUp\":null,\"catchUpMax\":null,"
             "\"startDeadlineUsec\":-1,\"retries\":3,\"retryDelayUsec\":10000000,\"retryBackoffPpm\":2000000,"
             "\"retryMaxDelayUsec\":3600000000,\"isInterruptedRetried\":false,\"stopAfterFailures\":4,"
             "\"expectWithinUsec\":93600000000,\"hasConditions\":true,\"conditionWaitUsec\":7200000000,\"priority\":10},"
             "\"pools\":[{\"group\":\"g\",\"maxRunning\":2,\"running\":0,\"waiting\":0}],"
             "\"follows\":[{\"job\":\"job\",\"events\":[\"success\",\"missed\",\"overdue\"]}],\"followsLeftOut\":0,"
             "\"starts\":[{\"job\":\"manual\",\"events\":[\"end\"]}],\"startsLeftOut\":0");
        say(&a, "ShowJob", "{\"job\":\"job\"}");
        settle();
        describe(told.described, "c");
        says(hear(&a),
             "\"policy\":{\"overlap\":\"parallel\",\"queueMax\":null,\"maxParallel\":4,\"catchUp\":\"all\",\"catchUpMax\":100,"
             "\"startDeadlineUsec\":600000000,\"retries\":0,\"retryDelayUsec\":null,");
}
END_TEST

/* A page must not grow with those who follow. */
START_TEST(show_names_a_bounded_number_of_those_who_follow) {
        char name[16];
        for (int i = 0; i < 150; i++) {
                snprintf(name, sizeof(name), "child-%d", i);
                define_job(name, "OnEndOf=job\n");
        }
        commit_asked(0, 155);
        settle();
        say(&a, "ShowJob", "{\"job\":\"job\"}");
        settle();
        describe(told.described, "c");
        const char *reply = hear(&a);
        says(reply, "{\"job\":\"child-99\",\"events\":[\"end\"]}],\"startsLeftOut\":50,");
        ck_assert(!strstr(reply, "child-100"));
}
END_TEST

START_TEST(show_does_not_wait_for_long) {
        say(&a, "ShowJob", "{\"job\":\"job\"}");
        silent(&a);
        int64_t at_us = control_next_wake(control);
        ck_assert_int_le(at_us, clock_now().bt_us + CONTROL_DESCRIBE_US);
        ck_assert_int_eq(control_advance(control, (struct clock_sample){.bt_us = at_us, .rt_us = 1}), 0);
        says(hear(&a), "\"command\":null");
}
END_TEST

/* ---- the end of a client, and of all ---- */

START_TEST(who_goes_while_waiting_is_forgotten) {
        static const char *const calls[][3] = {
                {"Wait", "{\"job\":\"job\"}", ""},
                {"Reload", "{}", ""},
                {"Trigger", "{\"job\":\"job\",\"output\":true}", MORE},
                {"Cancel", "{\"job\":\"job\"}", ""},
                {"ShowJob", "{\"job\":\"other\"}", ""},
                {"Subscribe", "{\"kinds\":[\"output\",\"ended\"]}", MORE},
                {"ListJobs", "{}", MORE},
        };
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                struct peer p = dial();
                say_more(&p, calls[i][0], calls[i][1], calls[i][2]);
                say(&p, "org.varlink.service.GetInfo", "{}");
                settle();
                hang_up(&p);
                settle();
                ck_assert_msg(!control->waits, "%s", calls[i][0]);
        }
        ck_assert_uint_eq(control->n_clients, 2);
        run_ended(1, RUN_RESULT_CANCELLED, NULL);
        commit_asked(told.reload, 5);
        settle();
}
END_TEST

START_TEST(at_the_end_all_are_answered) {
        say(&a, "Wait", "{\"job\":\"job\"}");
        say_more(&b, "Subscribe", "{}", MORE);
        while (hear(&b))
                ;
        control = control_free(control);
        fill(&a);
        fill(&b);
        says(a.buf, "io.chimed.NotReady");
        says(b.buf, "\"kind\":\"end\"");
        says(b.buf, "\"reason\":\"stopping\"");
        ck_assert_ptr_null(strstr(b.buf, "continues"));
        ck_assert(!fill(&a) && !fill(&b));
        teardown();
        setup();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("control waits");
        TCase *tc = tcase_create("control waits");
        tcase_add_checked_fixture(tc, setup_two, teardown_two);
        tcase_add_test(tc, a_plain_trigger_names_the_run_that_does_it);
        tcase_add_test(tc, a_trigger_passes_what_the_job_accepts);
        tcase_add_test(tc, with_more_the_run_is_followed_to_its_end);
        tcase_add_test(tc, who_joins_is_told_of_the_start_at_once);
        tcase_add_test(tc, what_is_tried_again_is_followed_to_its_last_attempt);
        tcase_add_test(tc, an_attempt_that_is_given_up_ends_what_is_followed);
        tcase_add_test(tc, a_group_is_followed_until_the_last_member_has_ended);
        tcase_add_test(tc, a_group_of_too_many_is_not_followed);
        tcase_add_test(tc, a_promised_run_that_is_cancelled_ends_without_run);
        tcase_add_test(tc, a_paused_job_runs_and_says_so);
        tcase_add_test(tc, force_runs_what_is_cancelled_or_disabled);
        tcase_add_test(tc, who_loses_the_right_hears_no_more);
        tcase_add_test(tc, output_that_is_not_read_is_lost_and_counted);
        tcase_add_test(tc, cancel_replies_when_the_processes_are_gone);
        tcase_add_test(tc, a_cancelled_job_s_cancelled_run_is_named);
        tcase_add_test(tc, cancel_says_what_else_it_drops);
        tcase_add_test(tc, wait_is_answered_by_the_very_end_that_fulfils_it);
        tcase_add_test(tc, wait_until_nothing_is_in_flight);
        tcase_add_test(tc, wait_until_nothing_is_to_come);
        tcase_add_test(tc, wait_ends_in_time);
        tcase_add_test(tc, wait_ends_with_the_job_s_schedule);
        tcase_add_test(tc, reload_is_answered_by_the_commit_of_its_reading);
        tcase_add_test(tc, diagnostics_are_bounded);
        tcase_add_test(tc, show_asks_the_runner);
        tcase_add_test(tc, show_does_not_wait_for_long);
        tcase_add_test(tc, show_tells_by_which_rules_a_job_runs);
        tcase_add_test(tc, show_names_a_bounded_number_of_those_who_follow);
        tcase_add_test(tc, who_goes_while_waiting_is_forgotten);
        tcase_add_test(tc, at_the_end_all_are_answered);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
