// SPDX-License-Identifier: MIT
// Simulate: as a stream, from the state that jobs are in, without changing it; with bounds, and for clients that go.

#include "daemon/scheduler/control_simulate.h"
#include "daemon/scheduler/vault.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/control_fixture.h"

#define DAY_US (24 * USEC_PER_HOUR)

static struct peer p;

static void set_up(void) {
        setup();
        p = dial();
}

static void tear_down(void) {
        hang_up(&p);
        settle();
        ck_assert_uint_eq(control->n_clients, 0);
        ck_assert_ptr_null(control->waits);
        teardown();
}

/* A call with its end so far from now. */
static void say_simulate(struct peer *peer, const char *members, int64_t until_us, const char *rest) {
        char parameters[400];
        snprintf(parameters, sizeof(parameters), "{\"untilUsec\":%lld%s}", (long long)(clock_now().rt_us + until_us), members);
        say_more(peer, "Simulate", parameters, rest);
}

/* All replies of a stream, or the only one. */
struct story {
        size_t n_replies, n_runs, n_missed, n_over;
        int64_t n_slots, jobs, measured;
        bool is_cut;
        char reason[32];
};

static struct story hear_story(struct peer *peer) {
        struct story story = {0};
        bool has_more = true;

        while (has_more) {
                const char *text = hear(peer);
                ck_assert_ptr_nonnull(text);
                json_t *reply = json_loads(text, 0, NULL), *out = json_object_get(reply, "parameters"), *row;
                size_t i;
                ck_assert_msg(!json_object_get(reply, "error"), "%s", text);
                json_array_foreach(json_object_get(out, "runs"), i, row) {
                        story.n_over += json_object_get(row, "endUsec") != NULL;
                }
                json_array_foreach(json_object_get(out, "missed"), i, row) {
                        story.n_slots += json_integer_value(json_object_get(row, "count"));
                        snprintf(story.reason, sizeof(story.reason), "%s", json_string_value(json_object_get(row, "reason")));
                }
                story.n_replies++;
                story.n_runs += json_array_size(json_object_get(out, "runs"));
                story.n_missed += json_array_size(json_object_get(out, "missed"));
                story.jobs = json_integer_value(json_object_get(out, "jobs"));
                story.measured = json_integer_value(json_object_get(out, "measured"));
                story.is_cut = json_is_true(json_object_get(out, "isCut"));
                has_more = json_is_true(json_object_get(reply, "continues"));
                json_decref(reply);
        }
        return story;
}

START_TEST(a_stream_comes_page_by_page) {
        say_simulate(&p, ",\"jobs\":[\"job\",\"other\"]", 365 * DAY_US, MORE);
        struct story story = hear_story(&p);
        ck_assert_uint_eq(story.n_runs, 2 * 365 * 24);
        ck_assert_uint_eq(story.n_replies, 2 * 365 * 24 / CONTROL_PAGE + 1);
        ck_assert_int_eq(story.jobs, 2);
        ck_assert(!story.is_cut);
        ck_assert_uint_eq(told.n_starts, 0);
        says(ask(&p, "ListJobs", "{\"jobs\":[\"job\"]}"), "\"runs\":0");
}
END_TEST

START_TEST(it_goes_on_from_the_state_that_jobs_are_in) {
        ask(&p, "Pause", "{\"job\":\"job\",\"forUsec\":9000000000}"); /* 2 h 30 min */
        ask(&p, "Cancel", "{\"job\":\"other\"}");
        ask(&p, "Trigger", "{\"job\":\"manual\"}");
        say_simulate(&p, ",\"jobs\":[\"job\",\"other\",\"manual\",\"off\"],\"tookUsec\":60000000",
                     4 * USEC_PER_HOUR + USEC_PER_HOUR / 2, "");
        struct story story = hear_story(&p);
        ck_assert_int_eq(story.n_slots, 2);
        ck_assert_str_eq(story.reason, "paused");
        ck_assert_uint_eq(story.n_runs, 1 + 2);
        ck_assert_uint_eq(story.n_over, 1 + 2);
        ck_assert_int_eq(story.jobs, 4);
}
END_TEST

START_TEST(runs_take_as_long_as_the_latest_one) {
        ask(&p, "Trigger", "{\"job\":\"manual\"}");
        run_ended(told.run, RUN_RESULT_SUCCESS, NULL);
        settle();
        say_simulate(&p, ",\"jobs\":[\"manual\",\"other\"]", USEC_PER_HOUR, "");
        ck_assert_int_eq(hear_story(&p).measured, 1);
}
END_TEST

START_TEST(what_is_too_much_is_cut) {
        define_job("tick", "Every=1ms\nMode=fixed-rate\n");
        commit_asked(0, 6);
        say_simulate(&p, ",\"jobs\":[\"tick\"],\"limit\":2500", DAY_US, MORE);
        struct story story = hear_story(&p);
        ck_assert(story.is_cut);
        ck_assert_uint_eq(story.n_runs + story.n_missed, 2500);
        /* slots that make no row make no end: the time does */
        say_simulate(&p, ",\"jobs\":[\"tick\"],\"tookUsec\":3155760000000000", 36525 * DAY_US - USEC_PER_HOUR, MORE);
        pass();
        ck_assert_ptr_nonnull(control->waits);
        if (control->waits->kind == CONTROL_WAIT_SIMULATE)
                control_simulate_cut(control->waits);
        hear_story(&p);
        says(ask(&p, "GetStatus", "{}"), "\"connections\":1");
}
END_TEST

START_TEST(only_so_many_are_made_at_a_time) {
        struct peer peers[CONTROL_SIMULATIONS + 1];
        for (int i = 0; i <= CONTROL_SIMULATIONS; i++) {
                peers[i] = dial();
                if (i >= CONTROL_SIMULATIONS_ANY && i < CONTROL_SIMULATIONS) {
                        struct peer other = dial();
                        become(1000);
                        say_simulate(&other, "", DAY_US, "");
                        says(hear(&other),
                             "{\"error\":\"io.chimed.LimitReached\",\"parameters\":{\"what\":\"simulations at a time\"");
                        hang_up(&other);
                }
                /* its replies are not read: it does not come to its end */
                if (i < CONTROL_SIMULATIONS)
                        say_simulate(&peers[i], "", 36524 * DAY_US, MORE);
                for (int k = 0; k < 20; k++)
                        pass();
        }
        say_simulate(&peers[CONTROL_SIMULATIONS], "", DAY_US, "");
        says(hear(&peers[CONTROL_SIMULATIONS]), "\"limit\":4");
        for (int i = 0; i <= CONTROL_SIMULATIONS; i++)
                hang_up(&peers[i]);
        settle();
        say_simulate(&p, "", DAY_US, "");
        ck_assert_uint_eq(hear_story(&p).n_replies, 1);
}
END_TEST

START_TEST(too_many_jobs_are_refused) {
        for (int i = 0; i < CONTROL_SIMULATE_JOBS; i++) {
                char name[32];
                snprintf(name, sizeof(name), "many%d", i);
                define_job(name, HOURLY);
        }
        commit_asked(0, CONTROL_SIMULATE_JOBS + 5);
        settle();
        say_simulate(&p, "", USEC_PER_HOUR, "");
        says(hear(&p), "{\"what\":\"jobs in a simulation\",\"limit\":10000}");
}
END_TEST

/* What is removed meanwhile, and a client that goes. */
START_TEST(it_may_end_at_any_time) {
        for (int passes = 0; passes < 6; passes++) {
                struct peer other = dial();
                say_simulate(&other, "", 36524 * DAY_US, MORE);
                for (int i = 0; i < passes; i++)
                        pass();
                if (passes == 3) {
                        remove_job("delay");
                        commit_asked(0, 4);
                }
                hang_up(&other);
                settle();
                ck_assert_ptr_null(control->waits);
        }
}
END_TEST

/* ---- with a ledger ---- */

static char state[] = "/tmp/test-simulate-XXXXXX";

static void set_up_ledger(void) {
        setup_without_jobs();
        strcpy(state + strlen(state) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(state));
        ck_assert_int_eq(link_keep(link_, state), 0);
        hello();
        pass_until(vault_is_on(link_vault(link_)));
        define_job("job", HOURLY);
        define_job("manual", "");
        commit_asked(0, 2);
        settle();
        p = dial();
}

static void tear_down_ledger(void) {
        char command[64];
        tear_down();
        snprintf(command, sizeof(command), "rm -rf '%s'", state);
        ck_assert_int_eq(system(command), 0);
}

/* The first run of the story, which takes so long. */
static int64_t first_run_us(const char *text) {
        json_t *reply = json_loads(text, 0, NULL);
        const json_t *run = json_array_get(json_object_get(json_object_get(reply, "parameters"), "runs"), 0);
        int64_t us =
                json_integer_value(json_object_get(run, "endUsec")) - json_integer_value(json_object_get(run, "startUsec"));
        json_decref(reply);
        return us;
}

START_TEST(durations_come_from_the_ledger) {
        for (int i = 0; i < 3; i++) {
                says(ask(&p, "Trigger", "{\"job\":\"job\"}"), "started");
                run_ended(told.run, i < 2 ? RUN_RESULT_SUCCESS : RUN_RESULT_FAILED, NULL);
                settle();
        }
        say_simulate(&p, ",\"jobs\":[\"job\"]", 90 * USEC_PER_MINUTE, "");
        const char *text = hear_later(&p);
        says(text, "\"measured\":1");
        ck_assert_int_eq(first_run_us(text), 2000);
        says(ask(&p, "Trigger", "{\"job\":\"manual\"}"), "started"); /* it is not answered: it has none that has ended */
        say_simulate(&p, ",\"jobs\":[\"manual\"]", 90 * USEC_PER_MINUTE, "");
        says(hear_later(&p), "\"measured\":0");
}
END_TEST

START_TEST(a_client_goes_before_the_ledger_answers) {
        for (int passes = 0; passes < 6; passes++) {
                struct peer other = dial();
                says(ask(&p, "Trigger", "{\"job\":\"manual\"}"), "{\"parameters\":"); /* something is to be committed */
                say_simulate(&other, "", DAY_US, MORE);
                for (int i = 0; i < passes; i++)
                        pass();
                hang_up(&other);
                settle();
                ck_assert_ptr_null(control->waits);
                if (told.run > 0)
                        run_ended(told.run, RUN_RESULT_SUCCESS, NULL);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("control_simulate");
        TCase *tcase = tcase_create("simulate");
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, a_stream_comes_page_by_page);
        tcase_add_test(tcase, it_goes_on_from_the_state_that_jobs_are_in);
        tcase_add_test(tcase, runs_take_as_long_as_the_latest_one);
        tcase_add_test(tcase, what_is_too_much_is_cut);
        tcase_add_test(tcase, only_so_many_are_made_at_a_time);
        tcase_add_test(tcase, too_many_jobs_are_refused);
        tcase_add_test(tcase, it_may_end_at_any_time);
        suite_add_tcase(suite, tcase);
        tcase = tcase_create("ledger");
        tcase_add_checked_fixture(tcase, set_up_ledger, tear_down_ledger);
        tcase_add_test(tcase, durations_come_from_the_ledger);
        tcase_add_test(tcase, a_client_goes_before_the_ledger_answers);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
