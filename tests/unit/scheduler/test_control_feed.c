// SPDX-License-Identifier: MIT
// Subscriptions: how each job stands first, then every event in order; a slow reader loses its oldest ones and is told how many.

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/control_fixture.h"

static struct peer root, reader;

static void setup_two(void) {
        setup();
        root = dial();
        reader = dial();
}

static void teardown_two(void) {
        hang_up(&root);
        hang_up(&reader);
        settle();
        ck_assert_uint_eq(control->n_clients, 0);
        ck_assert_uint_eq(control->n_feeds, 0);
        ck_assert_uint_eq(control->bytes, 0);
        ck_assert_uint_eq(control->n_output_wanted, 0);
        ck_assert_uint_eq(control->n_watches, 0);
        teardown();
}

static void subscribe(const char *parameters) {
        say_more(&reader, "Subscribe", parameters, MORE);
}

/* The next event; its kind, and its other members by event_int() and event_text(). */
static json_t *event;

static const char *next_event(void) {
        json_decref(event);
        event = NULL;
        const char *reply = hear(&reader);
        if (!reply)
                return "(silence)";
        json_t *message = json_loads(reply, 0, NULL);
        ck_assert_msg(json_is_true(json_object_get(message, "continues")), "%s", reply);
        event = json_incref(json_object_get(message, "parameters"));
        json_decref(message);
        ck_assert_msg(json_is_object(event), "%s", reply);
        return json_string_value(json_object_get(event, "kind"));
}

static int64_t event_int(const char *name) {
        return json_integer_value(json_object_get(event, name));
}

static const char *event_text(const char *name) {
        const char *text = json_string_value(json_object_get(event, name));
        return text ? text : "";
}

static void run_once(const char *value) {
        says(ask(&root, "Trigger", "{\"job\":\"job\"}"), "\"outcome\":\"started\"");
        settle();
        run_ended(told.run, RUN_RESULT_SUCCESS, value);
        settle();
}

START_TEST(the_state_of_each_job_comes_first) {
        says(ask(&root, "Pause", "{\"job\":\"other\",\"reason\":\"why not\"}"), "true");
        says(ask(&root, "Trigger", "{\"job\":\"delay\"}"), "started");
        settle();
        subscribe("{}");
        static const char *const wanted[][2] = {
                {"job", "waiting"}, {"other", "paused"}, {"manual", "manual"}, {"off", "disabled"}, {"delay", "running"}};
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
                ck_assert_str_eq(next_event(), "state");
                ck_assert_int_eq(event_int("seq"), (int64_t)i + 1);
                ck_assert_str_eq(event_text("job"), wanted[i][0]);
                ck_assert_str_eq(event_text("state"), wanted[i][1]);
                ck_assert(json_is_object(json_object_get(event, "hold")) == (i == 1));
                ck_assert_uint_eq(json_array_size(json_object_get(event, "runningRunIds")), i == 4);
        }
        ck_assert_str_eq(next_event(), "(silence)");
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
        ck_assert_str_eq(next_event(), "ended");
        ck_assert_int_eq(event_int("seq"), 6);
}
END_TEST

START_TEST(what_happens_is_told_in_order) {
        subscribe("{\"jobs\":[\"job\"]}");
        ck_assert_str_eq(next_event(), "state");
        says(ask(&root, "Trigger", "{\"job\":\"other\"}"), "started"); /* not asked for */
        run_once("text");
        ck_assert_str_eq(next_event(), "started");
        ck_assert_str_eq(event_text("cause"), "trigger");
        ck_assert_int_eq(event_int("runId"), 2);
        ck_assert_str_eq(next_event(), "ended");
        ck_assert_str_eq(event_text("result"), "success");
        ck_assert_str_eq(event_text("value"), "text");
        says(ask(&root, "Pause", "{\"job\":\"job\",\"reason\":\"so\"}"), "true");
        ck_assert_str_eq(next_event(), "state");
        ck_assert_str_eq(event_text("state"), "paused");
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(event, "hold"), "reason")), "so");
        says(ask(&root, "Resume", "{\"job\":\"job\"}"), "true");
        ck_assert_str_eq(next_event(), "armed");
        ck_assert_int_gt(event_int("nextSlotUsec"), 0);
        ck_assert_str_ne(event_text("by"), "");
        says(ask(&root, "SetInterval", "{\"job\":\"job\",\"everyUsec\":7200000000}"), "true");
        ck_assert_str_eq(next_event(), "armed");
        says(ask(&root, "Cancel", "{\"job\":\"job\"}"), "true");
        ck_assert_str_eq(next_event(), "end");
        ck_assert_str_eq(event_text("reason"), "cancelled");
        says(ask(&root, "Start", "{\"job\":\"job\"}"), "true");
        ck_assert_str_eq(next_event(), "armed");
        ck_assert_str_eq(event_text("state"), "waiting");
        define_job("job", "Every=1h\nEnabled=no\n");
        commit_asked(0, 5);
        ck_assert_str_eq(next_event(), "end");
        ck_assert_str_eq(event_text("reason"), "disabled");
        ck_assert_str_eq(next_event(), "reload");
        ck_assert_int_eq(event_int("added"), 1);
        remove_job("job");
        commit_asked(0, 4);
        ck_assert_str_eq(next_event(), "end");
        ck_assert_str_eq(event_text("reason"), "removed");
        ck_assert_str_eq(next_event(), "reload");
        ck_assert_str_eq(next_event(), "(silence)");
        ck_assert_int_eq(control->waits->feed != NULL, 1);
}
END_TEST

START_TEST(slots_that_do_not_run_are_told) {
        define_job("fast", "Every=1ms\nMode=fixed-rate\n");
        commit_asked(0, 6);
        settle();
        subscribe("{\"jobs\":[\"fast\"],\"kinds\":[\"withheld\",\"missed\"]}");
        settle();
        usleep(5000); /* slots pass: it is time that is tested */
        run_ended(told.run, RUN_RESULT_SUCCESS, NULL);
        ck_assert_str_eq(next_event(), "missed");
        ck_assert_str_eq(event_text("reason"), "overlap");
        ck_assert_int_gt(event_int("count"), 0);
        ck_assert_int_ge(event_int("lastSlotUsec"), event_int("firstSlotUsec"));
}
END_TEST

START_TEST(only_the_kinds_that_are_asked_for_come) {
        subscribe("{\"kinds\":[\"ended\"]}");
        run_once(NULL);
        ck_assert_str_eq(next_event(), "ended");
        ck_assert_int_eq(event_int("seq"), 1);
        ck_assert_str_eq(next_event(), "(silence)");
}
END_TEST

static const struct {
        const char *parameters, *reply;
} bad[] = {
        {"{\"kinds\":[\"nope\"]}", "{\"parameter\":\"kinds\"}"}, {"{\"kinds\":[]}", "{\"parameter\":\"kinds\"}"},
        {"{\"queue\":0}", "{\"parameter\":\"queue\"}"},          {"{\"queue\":4097}", "{\"parameter\":\"queue\"}"},
        {"{\"jobs\":[\"nope\"]}", "io.chimed.NoSuchJob"},        {"{\"jobs\":\"job\"}", "{\"parameter\":\"jobs\"}"},
};

START_TEST(a_bad_subscription_is_refused) {
        subscribe(bad[_i].parameters);
        says(hear(&reader), bad[_i].reply);
        ck_assert_uint_eq(control->n_feeds, 0);
        says(ask(&reader, "GetStatus", "{}"), "\"subscriptions\":0");
}
END_TEST

START_TEST(a_thousand_names_are_enough) {
        struct pack call = {0};
        static const char begin[] = "{\"method\":\"io.chimed.Subscribe\",\"more\":true,\"parameters\":{\"jobs\":[\"job\"";
        pack_raw(&call, begin, strlen(begin));
        for (int i = 0; i < CONTROL_NAMES_MAX; i++)
                pack_raw(&call, ",\"job\"", 6);
        pack_raw(&call, "]}}", 4);
        say_bytes(&reader, call.data, call.size);
        says(hear(&reader), "LimitReached");
        pack_done(&call);
}
END_TEST

/* ---- output ---- */

START_TEST(output_comes_to_those_in_control) {
        struct peer stranger = dial();
        become(1000);
        say_more(&stranger, "Subscribe", "{\"kinds\":[\"output\",\"ended\"]}", MORE);
        says(ask(&root, "Trigger", "{\"job\":\"other\"}"), "started"); /* in flight before */
        settle();
        ck_assert(!told.start.is_watched);
        subscribe("{\"kinds\":[\"output\"]}");
        settle();
        ck_assert_uint_eq(told.watched, 1);
        says(ask(&root, "Trigger", "{\"job\":\"job\"}"), "started");
        settle();
        ck_assert(told.start.is_watched);
        run_output(2, 1, "new\n", 4);
        ck_assert_str_eq(next_event(), "output");
        ck_assert_str_eq(event_text("text"), "new\n");
        ck_assert_int_eq(event_int("runId"), 2);
        run_output(1, 2, "old\n", 4);
        ck_assert_str_eq(next_event(), "output");
        ck_assert_int_eq(event_int("stream"), 2);
        run_ended(2, RUN_RESULT_SUCCESS, "secret");
        settle();
        const char *reply = hear(&stranger);
        says(reply, "\"kind\":\"ended\"");
        ck_assert_ptr_null(strstr(reply, "secret"));
        ck_assert_ptr_null(strstr(reply, "\"value\":\""));
        ck_assert_ptr_null(hear(&stranger));
        hang_up(&reader);
        settle();
        ck_assert(!told.is_watch_on);
        hang_up(&stranger);
        run_ended(1, RUN_RESULT_SUCCESS, NULL);
}
END_TEST

/* ---- slow readers ---- */

/* Fills the reader's sockets and queue: events beyond are dropped. */
static void flood(int n) {
        static char value[8192];
        memset(value, 'x', sizeof(value) - 1);
        for (int i = 0; i < n; i++)
                run_once(value);
}

START_TEST(a_slow_reader_loses_its_oldest_events_and_is_told) {
        subscribe("{\"jobs\":[\"job\"],\"queue\":4}");
        settle();
        flood(200);
        says(ask(&root, "Cancel", "{\"job\":\"job\"}"), "true"); /* its end is not dropped */
        says(ask(&root, "Start", "{\"job\":\"job\"}"), "true");
        flood(10);
        int64_t seq = 0, dropped = 0, ends = 0;
        const char *kind;
        while (strcmp(kind = next_event(), "(silence)") != 0) {
                if (strcmp(kind, "dropped") == 0) {
                        dropped += event_int("count");
                        ck_assert_int_gt(event_int("seq"), seq);
                } else if (strcmp(kind, "end") == 0)
                        ends++;
                else
                        ck_assert_int_gt(event_int("seq"), seq);
                seq = event_int("seq");
        }
        ck_assert_int_gt(dropped, 0);
        ck_assert_int_eq(ends, 1);
        ck_assert_int_eq(seq, 1 + 210 * 2 + 2);
        ck_assert_uint_eq(control->n_events_dropped, (uint64_t)dropped);
        says(ask(&root, "GetStatus", "{}"), "\"eventsDropped\":");
        flood(1); /* it goes on */
        ck_assert_str_eq(next_event(), "started");
        ck_assert_int_eq(event_int("seq"), seq + 1);
}
END_TEST

START_TEST(what_comes_and_what_is_dropped_make_the_whole) {
        subscribe("{\"jobs\":[\"job\"],\"queue\":3,\"kinds\":[\"started\",\"ended\"]}");
        settle();
        int64_t n = 0;
        for (int round = 0; round < 4; round++) {
                flood(60);
                const char *kind;
                for (int i = 0; i < 25 * (round + 1) && strcmp(kind = next_event(), "(silence)") != 0; i++) {
                        n += strcmp(kind, "dropped") == 0 ? event_int("count") : 1;
                        ck_assert_int_eq(event_int("seq"), n);
                }
        }
        while (strcmp(next_event(), "(silence)") != 0) {
                n += strcmp(event_text("kind"), "dropped") == 0 ? event_int("count") : 1;
                ck_assert_int_eq(event_int("seq"), n);
        }
        ck_assert_int_eq(n, 4 * 60 * 2);
}
END_TEST

START_TEST(the_bytes_of_a_subscriber_are_bounded) {
        subscribe("{\"jobs\":[\"job\"],\"queue\":4096}");
        settle();
        static char value[30000];
        memset(value, 'x', sizeof(value) - 1);
        for (int i = 0; i < 100; i++) {
                run_once(value);
                ck_assert_uint_lt(control->bytes, 2 * CONTROL_QUEUE_SIZE);
        }
        ck_assert_uint_gt(control->n_events_dropped, 0);
}
END_TEST

START_TEST(a_reader_with_too_many_ends_is_closed) {
        subscribe("{\"kinds\":[\"end\"],\"queue\":1}");
        settle();
        for (int i = 0; i < 40 * CONTROL_QUEUE_MAX && control->n_feeds > 0; i++) {
                say_more(&root, "Cancel", "{\"job\":\"manual\"}", ONEWAY);
                say_more(&root, "Start", "{\"job\":\"manual\"}", ONEWAY);
                pass();
        }
        ck_assert_uint_eq(control->n_feeds, 0);
        hang_up(&root);
        root = dial();
        says(ask(&root, "GetStatus", "{}"), "\"subscriptions\":0");
}
END_TEST

START_TEST(many_states_come_in_bounded_steps) {
        for (int i = 0; i < 2000; i++) {
                char name[32];
                snprintf(name, sizeof(name), "many%d", i);
                define_job(name, HOURLY);
        }
        commit_asked(0, 2005);
        subscribe("{}");
        for (int i = 0; i < 20; i++) {
                pass();
                ck_assert_uint_lt(control->bytes, 128 * 1024);
        }
        run_once(NULL);
        int states = 0, others = 0;
        int64_t seq = 0;
        const char *kind;
        while (strcmp(kind = next_event(), "(silence)") != 0) {
                states += strcmp(kind, "state") == 0;
                others += strcmp(kind, "state") != 0;
                ck_assert_int_eq(event_int("seq"), ++seq);
        }
        ck_assert_int_eq(states, 2005);
        ck_assert_int_eq(others, 2);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("control feed");
        TCase *tc = tcase_create("control feed");
        tcase_add_checked_fixture(tc, setup_two, teardown_two);
        tcase_set_timeout(tc, 30);
        tcase_add_test(tc, the_state_of_each_job_comes_first);
        tcase_add_test(tc, what_happens_is_told_in_order);
        tcase_add_test(tc, slots_that_do_not_run_are_told);
        tcase_add_test(tc, only_the_kinds_that_are_asked_for_come);
        tcase_add_loop_test(tc, a_bad_subscription_is_refused, 0, ARRAY_SIZE(bad));
        tcase_add_test(tc, a_thousand_names_are_enough);
        tcase_add_test(tc, output_comes_to_those_in_control);
        tcase_add_test(tc, a_slow_reader_loses_its_oldest_events_and_is_told);
        tcase_add_test(tc, what_comes_and_what_is_dropped_make_the_whole);
        tcase_add_test(tc, the_bytes_of_a_subscriber_are_bounded);
        tcase_add_test(tc, a_reader_with_too_many_ends_is_closed);
        tcase_add_test(tc, many_states_come_in_bounded_steps);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
