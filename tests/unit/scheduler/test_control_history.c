// SPDX-License-Identifier: MIT
// Calls that the ledger answers, with a real one behind the socket: runs, slots that did not run, why, audit; rights, pages, and clients
// that go before the answer comes.

#include <sys/stat.h>

#include "daemon/core/clock.h"
#include "daemon/scheduler/control_history.h"
#include "daemon/scheduler/vault.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/control_fixture.h"

static char state[] = "/tmp/test-history-XXXXXX";
static struct peer a, b;

static const char *ask_later(struct peer *p, const char *method, const char *parameters) {
        say(p, method, parameters);
        return hear_later(p);
}

/* The jobs of setup(), and `tick`, of which a slot comes every 20 ms. */
static void begin(void) {
        hello();
        pass_until(vault_is_on(link_vault(link_)));
        define_job("job", HOURLY "Allow=trigger:1000 control:1001\n");
        define_job("manual", "");
        define_job("tick", "Every=20ms\nMode=fixed-rate\n");
        commit_asked(0, 3);
        settle();
        a = dial();
        b = dial();
}

static void setup_ledger(void) {
        setup_without_jobs();
        strcpy(state + strlen(state) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(state));
        ck_assert_int_eq(link_keep(link_, state), 0);
        begin();
}

static void teardown_ledger(void) {
        char command[64];
        hang_up(&a);
        hang_up(&b);
        settle();
        ck_assert_uint_eq(control->n_clients, 0);
        ck_assert_ptr_null(control->waits);
        teardown();
        snprintf(command, sizeof(command), "rm -rf '%s'", state);
        ck_assert_int_eq(system(command), 0);
}

/* A run of a job by trigger, to its end. Returns its number. */
static uint64_t run(struct peer *p, const char *job, enum run_result result, const char *value) {
        char parameters[64];
        uint64_t before = told.run;
        snprintf(parameters, sizeof(parameters), "{\"job\":\"%s\",\"ifRunning\":\"reject\"}", job);
        says(ask(p, "Trigger", parameters), "\"outcome\":\"started\"");
        settle();
        ck_assert_uint_gt(told.run, before);
        uint64_t number = told.run;
        run_ended(number, result, value);
        settle();
        return number;
}

START_TEST(without_a_ledger_it_is_said) {
        a = dial();
        says(ask(&a, "ListRuns", "{}"), "{\"error\":\"io.chimed.NoLedger\",\"parameters\":{}}");
        says(ask(&a, "ListMissed", "{\"job\":\"job\"}"), "NoLedger");
        says(ask(&a, "Audit", "{}"), "NoLedger");
        says(ask(&a, "Why", "{\"job\":\"job\",\"atUsec\":1}"), "Nothing is known of that slot");
        hang_up(&a);
}
END_TEST

/* Within the time that a test has, which is shorter than the patience with a ledger that may open yet. */
START_TEST(a_ledger_that_can_not_open_is_not_waited_for) {
        char record[4096], wanted[64];
        bool is_told = false;
        strcpy(state + strlen(state) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(state));
        ck_assert_int_eq(chmod(state, 0777), 0); /* not ours alone */
        snprintf(wanted, sizeof(wanted), "The ledger in %s does not open, ", state);
        ck_assert_int_eq(link_keep(link_, state), 0);
        pass_until(vault_is_settled(link_vault(link_)));
        for (ssize_t n; (n = recv(journald, record, sizeof(record) - 1, 0)) > 0;) {
                record[n] = '\0';
                is_told = is_told || strstr(record, wanted);
        }
        ck_assert(is_told);
        ck_assert_int_eq(rmdir(state), 0);
}
END_TEST

START_TEST(a_run_is_there_as_soon_as_it_has_ended) {
        run(&a, "manual", RUN_RESULT_SUCCESS, "first");
        run(&a, "manual", RUN_RESULT_FAILED, "second");
        const char *reply = ask_later(&a, "ListRuns", "{\"job\":\"manual\"}");
        says(reply, "{\"parameters\":{\"runs\":[{\"runId\":");
        says(reply, "\"result\":\"failed\",\"exitCode\":1");
        says(reply, "\"value\":\"second\"");
        says(reply, "\"value\":\"first\"");
        says(reply, "],\"trimmed\":0,\"after\":null}");
        ck_assert(strstr(reply, "second") < strstr(reply, "first"));
        reply = ask_later(&a, "ListRuns", "{\"job\":\"manual\",\"failed\":true}");
        says(reply, "second");
        ck_assert_ptr_null(strstr(reply, "first"));
        says(ask_later(&a, "ListRuns", "{\"job\":\"manual\",\"sinceUsec\":9000000000000000}"), "\"runs\":[]");
        says(ask_later(&a, "ListRuns", "{\"job\":\"manual\",\"untilUsec\":5}"), "\"runs\":[]");
        says(ask_later(&a, "ListRuns", "{\"job\":\"job\"}"), "\"runs\":[]"); /* it has had no event yet */
}
END_TEST

START_TEST(pages_go_on_where_the_one_before_ended) {
        char parameters[128];
        uint64_t first = run(&a, "manual", RUN_RESULT_SUCCESS, NULL), second = run(&a, "manual", RUN_RESULT_SUCCESS, NULL);
        snprintf(parameters, sizeof(parameters), "\"after\":%d}", (int)second);
        says(ask_later(&a, "ListRuns", "{\"job\":\"manual\",\"limit\":1}"), parameters);
        snprintf(parameters, sizeof(parameters), "{\"job\":\"manual\",\"limit\":1,\"after\":%d}", (int)second);
        const char *reply = ask_later(&a, "ListRuns", parameters);
        snprintf(parameters, sizeof(parameters), "[{\"runId\":%d,", (int)first);
        says(reply, parameters);
        snprintf(parameters, sizeof(parameters), "{\"runId\":%d}", (int)first);
        says(ask_later(&a, "ListRuns", parameters), "\"runs\":[{");
}
END_TEST

START_TEST(slots_that_did_not_run_are_there) {
        pass_until(told.start.item == WIRE_ITEM_SCHEDULE);
        struct clock_sample start = clock_now(), end;
        int64_t until_us = start.rt_us + 70000;
        pass_until(clock_now().rt_us > until_us); /* three more slots pass under the run */
        end = clock_now();
        wire_put_ended(&pack, &(struct wire_ended){.run = told.run,
                                                   .end = {.result = RUN_RESULT_SUCCESS,
                                                           .start_rt_us = start.rt_us,
                                                           .start_bt_us = start.bt_us,
                                                           .end_rt_us = end.rt_us,
                                                           .end_bt_us = end.bt_us}});
        runner_say(WIRE_ENDED);
        settle();
        const char *reply = ask_later(&a, "ListMissed", "{\"job\":\"tick\"}");
        says(reply, "\"outcome\":\"missed\",\"reason\":\"overlap\",\"runId\":null,\"lagUsec\":null}");
        ck_assert_ptr_null(strstr(reply, "\"ran\""));
        reply = ask_later(&a, "ListMissed", "{\"job\":\"tick\",\"outcomes\":[\"ran\"]}");
        says(reply, "\"outcome\":\"ran\",\"reason\":\"\",\"runId\":1");
        ck_assert_ptr_null(strstr(reply, "\"missed\",\"reason\""));
        says(ask_later(&a, "ListMissed", "{\"outcomes\":[\"withheld\",\"merged\",\"interrupted\"]}"), "\"missed\":[]");
        char parameters[96];
        snprintf(parameters, sizeof(parameters), "{\"job\":\"tick\",\"atUsec\":%lld}", (long long)until_us - 10000);
        reply = ask_later(&a, "Why", parameters);
        says(reply, "did not run at its time.\",\"Run 1 was in flight, from ");
        says(reply, "\"reason\":\"overlap\"");
        says(reply, "\"outcome\":\"missed\"");
        snprintf(parameters, sizeof(parameters), "{\"job\":\"tick\",\"atUsec\":%lld}", (long long)told.start.slot_rt_us + 5);
        says(ask_later(&a, "Why", parameters), "ran at its time.");
        says(ask_later(&a, "Why", "{\"job\":\"tick\",\"atUsec\":5}"), "Nothing is known of a slot at");
        says(ask(&a, "Why", "{\"job\":\"job\",\"atUsec\":9000000000000000}"), "It has not come yet");
}
END_TEST

START_TEST(values_are_for_those_who_may_control) {
        static const struct {
                uid_t uid;
                bool sees;
        } rows[] = {{1000, false}, {1001, true}, {1002, false}};
        run(&a, "job", RUN_RESULT_SUCCESS, "secret");
        hang_up(&b);
        settle();
        b = dial();
        become(rows[_i].uid);
        const char *reply = ask_later(&b, "ListRuns", "{\"job\":\"job\"}");
        says(reply, "\"result\":\"success\"");
        ck_assert_int_eq(strstr(reply, "secret") != NULL, rows[_i].sees);
}
END_TEST

START_TEST(a_job_that_has_gone_still_has_its_history) {
        run(&a, "manual", RUN_RESULT_SUCCESS, "kept");
        remove_job("manual");
        commit_asked(0, 2);
        settle();
        says(ask(&a, "ShowJob", "{\"job\":\"manual\"}"), "NoSuchJob");
        says(ask_later(&a, "ListRuns", "{\"job\":\"manual\"}"), "\"value\":\"kept\"");
        says(ask_later(&a, "ListMissed", "{\"job\":\"manual\"}"), "\"missed\":[]"); /* it never had a slot */
        says(ask_later(&a, "Audit", "{\"job\":\"manual\"}"), "\"job\":\"manual\"");
        says(ask_later(&a, "ListRuns", "{\"job\":\"never\"}"),
             "{\"error\":\"io.chimed.NoSuchJob\",\"parameters\":{\"job\":\"never\"}}");
        says(ask_later(&a, "ListMissed", "{\"job\":\"never\"}"), "NoSuchJob");
        says(ask_later(&a, "Audit", "{\"job\":\"never\"}"), "NoSuchJob");
        says(ask(&a, "Why", "{\"job\":\"never\",\"atUsec\":1}"), "NoSuchJob");
}
END_TEST

static const struct {
        const char *method, *parameters, *wrong;
} wrong[] = {
        {"ListRuns", "{\"limit\":0}", "limit"},
        {"ListRuns", "{\"limit\":101}", "limit"},
        {"ListRuns", "{\"sinceUsec\":-1}", "sinceUsec"},
        {"ListRuns", "{\"untilUsec\":\"x\"}", "untilUsec"},
        {"ListRuns", "{\"after\":-7}", "after"},
        {"ListRuns", "{\"runId\":-7}", "runId"},
        {"ListRuns", "{\"outcomes\":[]}", "outcomes"},
        {"ListMissed", "{\"outcomes\":[]}", "outcomes"},
        {"ListMissed", "{\"outcomes\":[\"missed\",\"lost\"]}", "outcomes"},
        {"ListMissed", "{\"outcomes\":\"missed\"}", "outcomes"},
        {"Audit", "{\"sinceUsec\":-1}", "sinceUsec"},
        {"Audit", "{\"after\":-1}", "after"},
        {"Why", "{\"job\":\"job\",\"atUsec\":-1}", "atUsec"},
        {"Why", "{\"job\":\"job\",\"atUsec\":1,\"slotUsec\":1}", "atUsec"},
};

START_TEST(what_does_not_fit_is_named) {
        char error[160];
        snprintf(error, sizeof(error),
                 "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"%s\"}}", wrong[_i].wrong);
        says(ask(&a, wrong[_i].method, wrong[_i].parameters), error);
}
END_TEST

START_TEST(the_audit_of_all_jobs_is_a_stream) {
        run(&a, "manual", RUN_RESULT_SUCCESS, NULL);
        run(&a, "job", RUN_RESULT_SUCCESS, NULL);
        say_more(&a, "Audit", "{}", MORE);
        bool is_last = false;
        int n = 0;
        for (; !is_last; n++) {
                const char *reply = hear_later(&a);
                is_last = !strstr(reply, "\"continues\":true");
                ck_assert_msg(strstr(reply, "\"faults\":[]") != NULL, "%s", reply);
                ck_assert_int_eq(strstr(reply, "\"job\":null") != NULL, is_last);
        }
        ck_assert_int_ge(n, 3);
        says(ask_later(&a, "Audit", "{}"), "\"after\":1"); /* without more one job at a time */
        says(ask_later(&a, "Audit", "{\"after\":99}"), "\"job\":null");
        says(ask_later(&a, "Audit", "{\"job\":\"manual\"}"), "\"job\":\"manual\",\"ran\":0");
        says(ask(&a, "ListJobs", "{}"), "\"jobs\""); /* the connection goes on */
}
END_TEST

START_TEST(who_goes_takes_his_question_along) {
        static const char *const calls[][2] = {
                {"ListRuns", "{}"}, {"ListMissed", "{}"}, {"Audit", "{}"}, {"Why", "{\"job\":\"manual\",\"atUsec\":99}"}};
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                for (int passes = 0; passes < 4; passes++) {
                        struct peer gone = dial();
                        say_more(&gone, calls[i][0], calls[i][1], i == 2 ? MORE : "");
                        for (int k = 0; k < passes; k++)
                                pass();
                        hang_up(&gone);
                        settle();
                }
        pass_until(!control->waits);
        says(ask_later(&a, "ListRuns", "{}"), "\"runs\"");
        say(&a, "Audit", "{}"); /* and one stays open to the end */
        pass();
}
END_TEST

START_TEST(a_user_may_have_so_many_questions_open) {
        struct peer peers[CONTROL_STREAMS_UID_MAX + 1];
        int n_limited = 0;
        run(&a, "manual", RUN_RESULT_SUCCESS, NULL); /* something that is to be committed first */
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
                peers[i] = dial();
                say(&peers[i], "ListRuns", "{\"job\":\"manual\"}");
        }
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
                const char *reply = hear_later(&peers[i]);
                if (strstr(reply, "LimitReached"))
                        n_limited++;
                else
                        ck_assert_msg(strstr(reply, "\"runs\":[{") != NULL, "%s", reply);
        }
        ck_assert_int_le(n_limited, 1);
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                hang_up(&peers[i]);
}
END_TEST

START_TEST(nobody_waits_for_the_answer_of_a_call_without_reply) {
        say_more(&a, "ListRuns", "{}", ONEWAY);
        say_more(&a, "Audit", "{}", ONEWAY);
        says(ask(&a, "ListJobs", "{}"), "\"jobs\"");
        ck_assert_ptr_null(control->waits);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("control history");
        TCase *tc = tcase_create("ledger");
        tcase_add_checked_fixture(tc, setup_ledger, teardown_ledger);
        tcase_add_test(tc, a_run_is_there_as_soon_as_it_has_ended);
        tcase_add_test(tc, pages_go_on_where_the_one_before_ended);
        tcase_add_test(tc, slots_that_did_not_run_are_there);
        tcase_add_loop_test(tc, values_are_for_those_who_may_control, 0, 3);
        tcase_add_test(tc, a_job_that_has_gone_still_has_its_history);
        tcase_add_loop_test(tc, what_does_not_fit_is_named, 0, ARRAY_SIZE(wrong));
        tcase_add_test(tc, the_audit_of_all_jobs_is_a_stream);
        tcase_add_test(tc, who_goes_takes_his_question_along);
        tcase_add_test(tc, a_user_may_have_so_many_questions_open);
        tcase_add_test(tc, nobody_waits_for_the_answer_of_a_call_without_reply);
        suite_add_tcase(suite, tc);
        tc = tcase_create("none");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, without_a_ledger_it_is_said);
        suite_add_tcase(suite, tc);
        tc = tcase_create("refused");
        tcase_add_checked_fixture(tc, setup_without_jobs, teardown);
        tcase_add_test(tc, a_ledger_that_can_not_open_is_not_waited_for);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
