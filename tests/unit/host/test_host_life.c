// SPDX-License-Identifier: MIT
// A host process from its first HELLO to its end: schedulers that come and go, answers that nobody has acknowledged, ends of each kind.

#include <sys/stat.h>

#include "tests/unit/host/host_rig.h"

static struct rig *rig;

static void setup(void) {
        rig = rig_new();
}

static void teardown(void) {
        rig = rig_free(rig);
}

/* The number of records when the last SYNCED came; 0: none came behind `from`. */
static size_t synced_after(size_t from) {
        for (size_t i = from; i < rig->n; i++)
                if (rig->records[i].type == TICK_SYNCED)
                        return i + 1;
        return 0;
}

/* A new scheduler that says HELLO; gives the number of the first record behind the HELLO that answers it. */
static size_t resync(uint64_t epoch) {
        size_t from = rig->n;

        ck_assert_int_eq(channel_flush(rig->ticks), 0); /* the old one's last words */
        rig_new_scheduler(rig);
        rig_hello(rig, epoch);
        RIG_UNTIL(rig, synced_after(from));
        while (rig->records[from].type != TICK_HELLO)
                from++;
        return from + 1;
}

START_TEST(a_new_scheduler_hears_what_is_known) {
        RIG_PLUGIN(rig, 1, "hostile", "do=count");
        RIG_PLUGIN(rig, 2, "hostile", "do=later", "delay=1min");
        rig_hello(rig, 1);
        RIG_UNTIL(rig, synced_after(0));
        for (uint64_t run = 1; run <= 5; run++)
                rig_tick(rig, run, 1);
        rig_tick(rig, 6, 2);
        rig_tick(rig, 7, 2);
        rig_tick(rig, 8, 3); /* whose definition never comes */
        rig_expect(rig, 5, RUN_RESULT_SUCCESS, "5");
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 6));
        rig_acknowledge(rig, 2);

        static const struct {
                uint8_t type;
                uint64_t run;
        } said[] = {{TICK_RUN, 3}, {TICK_ANSWER, 3}, {TICK_RUN, 4}, {TICK_ANSWER, 4}, {TICK_RUN, 5},   {TICK_ANSWER, 5},
                    {TICK_RUN, 6}, {TICK_BEGUN, 6},  {TICK_RUN, 7}, {TICK_RUN, 8},    {TICK_SYNCED, 0}};
        for (uint64_t epoch = 2; epoch < 4; epoch++) { /* and so does the one after it */
                size_t at = resync(epoch);
                ck_assert_uint_eq(rig->records[at - 1].number, 2);
                ck_assert_uint_eq(rig->records[at].type, TICK_LOADED);
                ck_assert_uint_eq(rig->records[at + 1].type, TICK_LOADED);
                ck_assert_uint_eq(rig->records[at].run + rig->records[at + 1].run, 1 + 2);
                ck_assert_uint_eq(rig->n, at + 2 + ARRAY_SIZE(said));
                for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
                        ck_assert_msg(rig->records[at + 2 + i].type == said[i].type &&
                                              rig->records[at + 2 + i].run == said[i].run,
                                      "record %zu: %s of %llu", i, tick_type_to_string(rig->records[at + 2 + i].type),
                                      (unsigned long long)rig->records[at + 2 + i].run);
                }
        }
        ck_assert_uint_eq(rig_find(rig, TICK_ANSWER, 5)->number, 5);
        ck_assert_str_eq(rig_find(rig, TICK_ANSWER, 4)->text, "4");
        rig_tick(rig, 9, 1);
        rig_expect(rig, 9, RUN_RESULT_SUCCESS, "6");
        ck_assert_uint_eq(rig_find(rig, TICK_ANSWER, 9)->number, 6);
}
END_TEST

START_TEST(definitions_are_told_in_the_order_of_handles) {
        static const uint32_t handles[] = {33, 1, 18, 2, 17, 400, 3};
        uint64_t last = 0;

        for (size_t i = 0; i < ARRAY_SIZE(handles); i++)
                RIG_PLUGIN(rig, handles[i], "noop", NULL);
        rig_tick(rig, 1, 3); /* which is there last */
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "");
        size_t at = resync(2);
        for (size_t i = 0; i < ARRAY_SIZE(handles); i++, at++) {
                ck_assert_uint_eq(rig->records[at].type, TICK_LOADED);
                ck_assert_uint_gt(rig->records[at].run, last);
                last = rig->records[at].run;
        }
}
END_TEST

START_TEST(a_resync_begins_anew_for_the_next_scheduler) {
        enum { N = 100 };
        size_t n = 0;

        RIG_PLUGIN(rig, 1, "hostile", "do=big");
        RIG_PLUGIN(rig, 2, "hostile", "do=never");
        rig_tick(rig, 1000, 2);
        for (uint64_t run = 1; run <= N; run++)
                rig_tick(rig, run, 1);
        (void)rig_answer(rig, N);
        for (uint64_t epoch = 2; epoch < 5; epoch++) { /* 6 MB each, which nobody reads */
                rig_hello(rig, epoch);
                ck_assert_int_eq(channel_flush(rig->ticks), 0);
                usleep(50000);
        }
        RIG_UNTIL(rig, rig_find(rig, TICK_HELLO, 4) && synced_after((size_t)(rig_find(rig, TICK_HELLO, 4) - rig->records)));
        const struct rig_record *at = rig_find(rig, TICK_HELLO, 4), *end = rig->records + rig->n;
        ck_assert_uint_eq(at->number, 0);
        ck_assert_uint_eq(at[1].type, TICK_LOADED);
        ck_assert_uint_eq(at[2].type, TICK_LOADED);
        for (at += 3; at + 1 < end && at[1].type == TICK_ANSWER; at += 2, n++) {
                ck_assert_uint_eq(at->type, TICK_RUN);
                ck_assert_uint_eq(at[1].run, n + 1);
        }
        ck_assert_uint_eq(n, N);
        ck_assert_uint_eq(at[0].run, 1000); /* behind what is answered, for it may be of the same job */
        ck_assert_uint_eq(at[1].type, TICK_BEGUN);
        ck_assert_uint_eq(at[2].type, TICK_SYNCED);
}
END_TEST

START_TEST(a_run_is_executed_once) {
        RIG_PLUGIN(rig, 1, "hostile", "do=count");
        rig_tick(rig, 1, 1);
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "1");
        (void)resync(2);
        rig_tick(rig, 1, 1); /* the new scheduler did not know that it was told */
        rig_tick(rig, 2, 1);
        rig_expect(rig, 2, RUN_RESULT_SUCCESS, "2");
        ck_assert_uint_eq(rig_count(rig, TICK_ANSWER, 1), 2); /* in the resync */
}
END_TEST

START_TEST(what_nobody_reads_is_kept_within_bounds) {
        enum { N = 800 };
        uint64_t run;

        RIG_PLUGIN(rig, 1, "hostile", "do=big");
        rig_hello(rig, 1);
        RIG_UNTIL(rig, synced_after(0));
        /* 48 MB of values that nobody acknowledges: all arrive, only the last are kept */
        for (run = 1; run <= N; run++) {
                rig_tick(rig, run, 1);
                rig_pass(rig);
        }
        for (run = 1; run <= N; run++)
                ck_assert_uint_eq(rig_answer(rig, run)->answer.value_size, TICK_VALUE_MAX);
        size_t at = resync(2), n = 0, n_values = 0;
        ck_assert_uint_eq(rig->records[at - 1].number, 0);
        for (; at < rig->n; at++) {
                n += rig->records[at].type == TICK_ANSWER;
                n_values += rig->records[at].type == TICK_ANSWER && rig->records[at].answer.value_size > 0;
        }
        ck_assert_uint_eq(n, N); /* none is forgotten, most have lost their value */
        ck_assert_uint_gt(n_values, 450);
        ck_assert_uint_lt(n_values, 600);
}
END_TEST

START_TEST(a_scheduler_that_does_not_read_stops_the_ticks) {
        enum { N = 200 };
        uint64_t run, answered = 0;

        RIG_PLUGIN(rig, 1, "hostile", "do=big");
        for (run = 1; run <= N; run++) {
                rig_tick(rig, run, 1);
                (void)channel_flush(rig->ticks); /* never reads */
        }
        int64_t end_us = clock_now().bt_us + RIG_WAIT_US;
        while (answered < 10 || rig->page->noted != answered) { /* until it gets no further */
                answered = rig->page->noted;
                usleep(50000);
                ck_assert(clock_now().bt_us < end_us);
        }
        ck_assert_uint_lt(answered, 60); /* the queue and the socket's buffer */
        for (run = 1; run <= N; run++)   /* and reads again */
                ck_assert_uint_eq(rig_answer(rig, run)->answer.value_size, TICK_VALUE_MAX);
}
END_TEST

START_TEST(more_answers_than_are_noted_arrive) {
        enum { N = 5000 };

        RIG_PLUGIN(rig, 1, "noop", NULL);
        rig_hello(rig, 1);
        for (uint64_t run = 1; run <= N; run++) {
                rig_tick(rig, run, 1);
                if (run % 1000 == 0)
                        rig_acknowledge(rig, rig->n_answers);
                if (run % 100 == 0)
                        rig_pass(rig);
        }
        (void)rig_answer(rig, N);
        ck_assert_uint_eq(rig->n_answers, N);
        ck_assert_uint_eq(rig->page->noted, N);
        ck_assert_uint_eq(rig->page->ring[N % TICK_RING].run, N);
}
END_TEST

START_TEST(quit_answers_what_is_under_way) {
        RIG_PLUGIN(rig, 1, "hostile", "do=later", "delay=200ms");
        rig_tick(rig, 1, 1);
        rig_tick(rig, 2, 1);
        rig_tick(rig, 3, 9);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        rig_send(rig, TICK_QUIT, NULL);
        rig_tick(rig, 4, 1);
        ck_assert_int_eq(rig_end(rig), 0);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "later 1");
        rig_expect(rig, 2, RUN_RESULT_CANCELLED, "");
        rig_expect(rig, 3, RUN_RESULT_CANCELLED, "");
        ck_assert_ptr_null(rig_find(rig, TICK_ANSWER, 4));
        ck_assert_uint_eq(rig->page->phase, TICK_PHASE_IDLE);
}
END_TEST

START_TEST(a_tick_behind_quit_can_be_cancelled) {
        RIG_PLUGIN(rig, 1, "hostile", "do=later", "delay=1min");
        rig_tick(rig, 1, 1);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        rig_send(rig, TICK_QUIT, NULL);
        rig_tick(rig, 2, 1);
        rig_tick(rig, 3, 9);
        rig_tick(rig, 4, 1);
        rig_cancel(rig, 2, RUN_RESULT_TIMEOUT);
        rig_cancel(rig, 3, RUN_RESULT_CANCELLED);
        rig_expect(rig, 2, RUN_RESULT_TIMEOUT, "");
        rig_expect(rig, 3, RUN_RESULT_CANCELLED, "");
        ck_assert_int_eq(rig_answer(rig, 2)->answer.begin_bt_us, 0);
        rig_cancel(rig, 1, RUN_RESULT_CANCELLED);
        ck_assert_int_eq(rig_end(rig), 0);
        rig_expect(rig, 1, RUN_RESULT_CANCELLED, "");
        ck_assert_ptr_null(rig_find(rig, TICK_ANSWER, 4));
}
END_TEST

START_TEST(sigterm_cancels_what_is_under_way) {
        RIG_PLUGIN(rig, 1, "hostile", "do=later", "delay=1min");
        rig_tick(rig, 1, 1);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        kill(rig->pid, SIGTERM);
        ck_assert_int_eq(rig_end(rig), 0);
        rig_expect(rig, 1, RUN_RESULT_CANCELLED, "");
}
END_TEST

START_TEST(without_a_runner_it_ends) {
        RIG_PLUGIN(rig, 1, "hostile", "do=later", "delay=1min");
        rig_tick(rig, 1, 1);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        rig->orders = channel_free(rig->orders);
        ck_assert_int_eq(rig_end(rig), 0);
}
END_TEST

START_TEST(without_a_runner_it_ends_whatever_does_not) {
        RIG_PLUGIN(rig, 1, "hostile", "do=never");
        rig_tick(rig, 1, 1);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        rig->orders = channel_free(rig->orders);
        ck_assert_int_eq(rig_end(rig), 1);
}
END_TEST

START_TEST(what_makes_no_sense_ends_it) {
        struct pack p = {};

        pack_u32(&p, 7);
        if (_i == 0)
                rig_send(rig, TICK_RUN, &p);
        else if (_i == 1)
                rig_send(rig, TICK_ANSWER, &p);
        else
                ck_assert_int_eq(channel_send(rig->orders, (uint8_t)(_i == 2 ? ORDER_LOAD : 99), p.data, p.size), 0);
        pack_done(&p);
        ck_assert_int_eq(rig_end(rig), 0);
        ck_assert(rig_has_told(rig, "what came makes no sense"));
}
END_TEST

START_TEST(an_unloaded_job_leaves) {
        RIG_PLUGIN(rig, 1, "hostile", "do=later", "delay=1min");
        RIG_PLUGIN(rig, 2, "hostile", "do=count");
        rig_tick(rig, 1, 1);
        rig_tick(rig, 2, 1);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1));
        rig_unload(rig, 1);
        rig_unload(rig, 77);
        rig_expect(rig, 1, RUN_RESULT_CANCELLED, "");
        rig_expect(rig, 2, RUN_RESULT_CANCELLED, "");
        RIG_PLUGIN(rig, 1, "hostile", "do=count"); /* the handle may mean something else now */
        rig_tick(rig, 3, 1);
        rig_expect(rig, 3, RUN_RESULT_SUCCESS, "1");
}
END_TEST

/* Copies a file over another: in place, or as a new one under its name. */
static void copy_file(const char *from, const char *to, bool is_renamed) {
        char command[700];

        snprintf(command, sizeof(command), is_renamed ? "cp '%s' '%s.new' && mv '%s.new' '%s'" : "cat '%s' >'%s'", from, to, to,
                 to);
        ck_assert_int_eq(system(command), 0);
}

START_TEST(a_file_that_was_overwritten_is_not_loaded_again) {
        char folder[] = "/tmp/chimed-host-XXXXXX", path[300];

        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/p.so", folder);
        copy_file(PLUGIN_FOLDER "/noop.so", path, true);
        chmod(path, 0755);
        const char *const argv[] = {path, NULL};
        rig_load(rig, 1, JOB_WORK_PLUGIN, argv, NULL, NULL);
        rig_tick(rig, 1, 1);
        rig_expect(rig, 1, RUN_RESULT_SUCCESS, "");
        copy_file(PLUGIN_FOLDER "/hostile.so", path, _i == 0);
        rig_load(rig, 2, JOB_WORK_PLUGIN, argv, (const char *const[]){"do=count", NULL}, NULL);
        rig_tick(rig, 2, 2);
        ck_assert_int_eq(rig_end(rig), 0);
        ck_assert_uint_eq(rig->page->phase, TICK_PHASE_RENEW);
        ck_assert_ptr_null(rig_find(rig, TICK_ANSWER, 2));
        unlink(path);
        rmdir(folder);
}
END_TEST

START_TEST(a_changed_file_takes_another_process) {
        char folder[] = "/tmp/chimed-host-XXXXXX", path[300];
        uint64_t run = 2000;

        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/p.so", folder);
        copy_file(PLUGIN_FOLDER "/hostile.so", path, true);
        chmod(path, 0755);
        const char *const argv[] = {path, NULL};
        rig_load(rig, 1, JOB_WORK_PLUGIN, argv, (const char *const[]){"do=count", NULL}, NULL);
        rig_load(rig, 2, JOB_WORK_PLUGIN, argv, (const char *const[]){"do=later", "delay=300ms", NULL}, NULL);
        rig_tick(rig, run, 1);
        rig_expect(rig, run, RUN_RESULT_SUCCESS, "1");
        rig_tick(rig, 1000, 2);
        RIG_UNTIL(rig, rig_find(rig, TICK_BEGUN, 1000));
        copy_file(PLUGIN_FOLDER "/noop.so", path, true);
        /* it is looked at once a second, when a tick comes */
        while (!rig->is_over) {
                if (rig_find(rig, TICK_ANSWER, run) && !rig->is_closed)
                        rig_tick(rig, ++run, 1);
                usleep(5000);
                rig_pass(rig);
        }
        ck_assert_int_eq(rig_end(rig), 0);
        ck_assert_uint_eq(rig->page->phase, TICK_PHASE_RENEW);
        rig_expect(rig, 1000, RUN_RESULT_SUCCESS, "later 1");
        ck_assert_ptr_null(rig_find(rig, TICK_ANSWER, run)); /* the next host's */
        unlink(path);
        rmdir(folder);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("host_life");
        TCase *tc = tcase_create("life");
        tcase_set_timeout(tc, 60);
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, a_new_scheduler_hears_what_is_known);
        tcase_add_test(tc, definitions_are_told_in_the_order_of_handles);
        tcase_add_test(tc, a_resync_begins_anew_for_the_next_scheduler);
        tcase_add_test(tc, a_run_is_executed_once);
        tcase_add_test(tc, what_nobody_reads_is_kept_within_bounds);
        tcase_add_test(tc, a_scheduler_that_does_not_read_stops_the_ticks);
        tcase_add_test(tc, more_answers_than_are_noted_arrive);
        tcase_add_test(tc, quit_answers_what_is_under_way);
        tcase_add_test(tc, a_tick_behind_quit_can_be_cancelled);
        tcase_add_test(tc, sigterm_cancels_what_is_under_way);
        tcase_add_test(tc, without_a_runner_it_ends);
        tcase_add_test(tc, without_a_runner_it_ends_whatever_does_not);
        tcase_add_loop_test(tc, what_makes_no_sense_ends_it, 0, 4);
        tcase_add_test(tc, an_unloaded_job_leaves);
        tcase_add_loop_test(tc, a_file_that_was_overwritten_is_not_loaded_again, 0, 2);
        tcase_add_test(tc, a_changed_file_takes_another_process);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
