// SPDX-License-Identifier: MIT
// Slots that come while a run is in flight: some wait in a line, one takes the place of the run, or they run beside it.

#include <check.h>

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

static struct job_when queue(uint32_t queue_max) {
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_QUEUE;
        when.queue_max = queue_max;
        return when;
}

/* One long run, then short ones: what waits runs in its order, as soon as it can. */
START_TEST(a_line_holds_so_many_and_the_arriving_one_is_missed) {
        begin_at(12, 0, 0);
        run_us = 45 * MIN;
        define(queue(2));
        run_to(12, 44, 0);
        run_us = 1 * MIN;
        run_to(13, 0, 0);
        expect_ran(0, at(12, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 30, 0), at(12, 30, 0), 1);
        expect(2, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 40, 0), at(12, 40, 0), 1);
        expect_ran(3, at(12, 10, 0), 35 * MIN);
        expect_ran(4, at(12, 20, 0), 26 * MIN);
        expect_ran(5, at(12, 50, 0), 0);
        ck_assert_uint_eq(w.n_entries, 7);
}
END_TEST

START_TEST(a_pause_withholds_the_whole_line) {
        begin_at(12, 0, 0);
        run_us = 45 * MIN;
        define(queue(3));
        run_to(12, 35, 0);
        ck_assert_int_eq(world_pause(&w, "job", INT64_MAX), 1);
        expect_ran(0, at(12, 0, 0), 0);
        for (size_t i = 1; i <= 3; i++)
                expect(i, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(12, 10 * (int)i, 0), at(12, 10 * (int)i, 0), 1);
        run_to(12, 44, 0);
        ck_assert_uint_eq(w.n_entries, 4);
}
END_TEST

START_TEST(a_cancelled_run_takes_the_line_with_it) {
        begin_at(12, 0, 0);
        run_us = 45 * MIN;
        define(queue(5));
        run_to(12, 25, 0);
        world_cancel(&w, "job", true);
        run_us = 1 * MIN;
        run_to(12, 35, 0);
        expect(1, SLOT_WITHHELD, SLOT_REASON_CANCELLED, at(12, 10, 0), at(12, 10, 0), 1);
        expect(2, SLOT_WITHHELD, SLOT_REASON_CANCELLED, at(12, 20, 0), at(12, 20, 0), 1);
        expect_ran(3, at(12, 30, 0), 0);
}
END_TEST

START_TEST(a_trigger_runs_with_the_first_of_the_line) {
        uint64_t run;
        begin_at(12, 0, 0);
        run_us = 25 * MIN;
        define(queue(2));
        run_to(12, 22, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.if_running = TRIGGER_QUEUE}, &run), TRIGGER_QUEUED);
        run_us = 1 * MIN;
        run_to(12, 29, 0);
        expect_ran(1, at(12, 10, 0), 15 * MIN);
        ck_assert_uint_eq(w.entries[1].run, run);
        expect_ran(2, at(12, 20, 0), 6 * MIN);
        ck_assert_uint_eq(w.n_entries, 3);
}
END_TEST

START_TEST(a_deadline_holds_for_each_of_the_line) {
        begin_at(12, 0, 0);
        struct job_when when = queue(5);
        when.start_deadline_us = 20 * MIN;
        run_us = 45 * MIN;
        define(when);
        run_to(12, 44, 0);
        run_us = 1 * MIN;
        run_to(12, 49, 0);
        expect(1, SLOT_MISSED, SLOT_REASON_DEADLINE, at(12, 10, 0), at(12, 10, 0), 1);
        expect(2, SLOT_MISSED, SLOT_REASON_DEADLINE, at(12, 20, 0), at(12, 20, 0), 1);
        expect_ran(3, at(12, 30, 0), 15 * MIN);
        expect_ran(4, at(12, 40, 0), 6 * MIN);
}
END_TEST

START_TEST(the_last_runs_are_counted_in_the_line) {
        begin_at(12, 0, 0);
        struct job_when when = queue(5);
        when.max_runs = 3;
        run_us = 45 * MIN;
        define(when);
        run_to(12, 44, 0);
        run_us = 1 * MIN;
        run_to(13, 30, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ran, 3);
        ck_assert_uint_eq(w.jobs[0].totals.by_reason[SLOT_REASON_OVERLAP], w.n_entries - 3);
        ck_assert(w.jobs[0].is_finished);
}
END_TEST

static const struct {
        enum job_catch_up catch_up;
        int at_min;
        int64_t down_us;
} lines[] = {
        {JOB_CATCH_UP_ONE, 35, 10 * SEC},
        {JOB_CATCH_UP_NONE, 35, 10 * SEC},
        {JOB_CATCH_UP_NONE, 44, 2 * MIN},
};

/* With a ledger the line is there again after any death of the scheduler, whatever becomes of slots that pass meanwhile; after the end
 * of the run, too. */
START_TEST(a_line_outlives_the_scheduler) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        struct job_when when = queue(4);
        when.catch_up = lines[_i].catch_up;
        when.is_catch_up_set = true;
        run_us = 45 * MIN;
        define(when);
        run_to(12, lines[_i].at_min, 0);
        run_us = 30 * SEC;
        world_crash(&w, lines[_i].down_us);
        run_to(12, 49, 0);
        expect_ran(0, at(12, 0, 0), 0);
        for (int i = 1; i <= 4; i++)
                ck_assert_int_eq(w.entries[i].outcome, SLOT_RAN);
        for (int i = 1; i <= 4; i++)
                ck_assert_int_eq(w.entries[i].first_rt_us, at(12, 10 * i, 0));
        ck_assert_uint_eq(w.n_entries, 5);
}
END_TEST

/* An orderly stop: what waits goes on waiting, and none of it may have been started, whatever dies then. The trigger beside it is told. */
static const struct {
        bool is_power_cut, is_reboot, is_claimed;
} stops[] = {
        {false, false, false}, {true, false, false}, {true, true, false}, {false, false, true}, {true, true, true},
};

START_TEST(a_line_outlives_an_orderly_stop) {
        uint64_t run;
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        struct job_when when = queue(4);
        when.catch_up = stops[_i].is_claimed ? JOB_CATCH_UP_ONE : JOB_CATCH_UP_NONE;
        run_us = 25 * MIN;
        define(when);
        run_to(12, 21, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.if_running = TRIGGER_QUEUE}, &run), TRIGGER_QUEUED);
        run_to(12, 22, 0);
        world_stop(&w);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_uint_eq(w.jobs[0].totals.dropped, 1);
        ck_assert_uint_eq(w.jobs[0].promised, 0);
        run_us = 30 * SEC;
        run_to(12, 26, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        if (stops[_i].is_power_cut)
                world_power_cut(&w, 2 * MIN, stops[_i].is_reboot);
        else
                world_crash(&w, 2 * MIN);
        run_to(12, 29, 30);
        expect(1, SLOT_RAN, SLOT_REASON_NONE, at(12, 10, 0), at(12, 10, 0), 1);
        expect(2, SLOT_RAN, SLOT_REASON_NONE, at(12, 20, 0), at(12, 20, 0), 1);
        ck_assert_uint_eq(w.n_entries, 3);
        ck_assert(world_check(&w));
}
END_TEST

START_TEST(without_a_ledger_a_stop_ends_the_wait) {
        begin_at(12, 0, 0);
        run_us = 25 * MIN;
        define(queue(4));
        run_to(12, 22, 0);
        world_stop(&w);
        expect(1, SLOT_MISSED, SLOT_REASON_DOWN, at(12, 10, 0), at(12, 10, 0), 1);
        expect(2, SLOT_MISSED, SLOT_REASON_DOWN, at(12, 20, 0), at(12, 20, 0), 1);
}
END_TEST

static struct job_when replace(void) {
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_REPLACE;
        return when;
}

START_TEST(a_slot_ends_the_run_in_flight) {
        begin_at(12, 0, 0);
        run_us = 25 * MIN;
        define(replace());
        run_to(12, 25, 0);
        for (int i = 0; i < 3; i++)
                expect_ran((size_t)i, at(12, 10 * i, 0), 0);
        ck_assert_uint_eq(w.n_entries, 3);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 2);
        ck_assert_uint_eq(w.jobs[0].totals.missed, 0);
}
END_TEST

/* It takes its time to end: the latest slot runs then, those that came between are missed. */
START_TEST(the_latest_slot_replaces_a_run_that_ends_slowly) {
        begin_at(12, 0, 0);
        w.kill_us = 25 * MIN;
        run_us = 60 * MIN;
        define(replace());
        run_to(12, 34, 0);
        run_us = 1 * MIN;
        run_to(12, 36, 0);
        expect_ran(0, at(12, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 10, 0), at(12, 10, 0), 1);
        expect(2, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 20, 0), at(12, 20, 0), 1);
        expect_ran(3, at(12, 30, 0), 5 * MIN);
        ck_assert_uint_eq(w.n_entries, 4);
}
END_TEST

static struct job_when parallel(uint32_t max_parallel) {
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_PARALLEL;
        when.max_parallel = max_parallel;
        return when;
}

START_TEST(so_many_runs_are_in_flight_and_no_more) {
        begin_at(12, 0, 0);
        run_us = 35 * MIN;
        define(parallel(3));
        run_to(12, 40, 30);
        for (int i = 0; i < 3; i++)
                expect_ran((size_t)i, at(12, 10 * i, 0), 0);
        expect(3, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 30, 0), at(12, 30, 0), 1); /* at 12:30 three were */
        expect_ran(4, at(12, 40, 0), 0);
        ck_assert_uint_eq(w.jobs[0].n_others, 2);
        run_to(14, 0, 0);
        ck_assert_uint_eq(w.jobs[0].totals.by_reason[SLOT_REASON_OVERLAP], 3);
}
END_TEST

START_TEST(a_cancel_ends_them_all) {
        begin_at(12, 0, 0);
        run_us = 60 * MIN;
        define(parallel(4));
        run_to(12, 25, 0);
        ck_assert_uint_eq(w.jobs[0].n_others, 2);
        world_cancel(&w, "job", false);
        run_to(12, 26, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 3);
        ck_assert(!w.jobs[0].is_running);
}
END_TEST

START_TEST(a_trigger_joins_the_latest_of_them) {
        uint64_t run;
        begin_at(12, 0, 0);
        run_us = 60 * MIN;
        define(parallel(4));
        run_to(12, 25, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_JOINED);
        ck_assert_uint_eq(run, w.jobs[0].start.run);
}
END_TEST

START_TEST(a_trigger_begins_beside_them_while_there_is_room) {
        const struct engine_trigger beside = {.if_running = TRIGGER_PARALLEL};
        uint64_t run;
        begin_at(12, 0, 0);
        run_us = 60 * MIN;
        define(parallel(3));
        run_to(12, 15, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &beside, &run), TRIGGER_STARTED);
        ck_assert_uint_eq(w.jobs[0].n_others, 2);
        ck_assert_uint_eq(run, w.jobs[0].start.run);
        ck_assert_int_eq(world_trigger(&w, "job", &beside, &run), TRIGGER_QUEUED);
        uint64_t runs[ENGINE_RUNS_MAX];
        ck_assert_uint_eq(engine_list_runs(w.engine, 0, runs), 3);
        ck_assert(runs[0] < runs[1] && runs[1] < runs[2]);
}
END_TEST

/* Removed with runs of two plans in flight: the runner knows which plan was the last. */
START_TEST(a_name_that_comes_back_goes_on_from_its_latest_plan) {
        begin_at(12, 0, 0);
        run_us = 60 * MIN;
        define(parallel(3));
        run_to(12, 5, 0);
        struct job_when when = parallel(3);
        when.every_us = 7 * MIN;
        run_us = 5 * MIN;
        define(when);
        run_to(12, 10, 0);
        world_remove(&w, "job");
        world_commit(&w);
        world_crash(&w, SEC);
        define(parallel(3));
        ck_assert_uint_eq(w.jobs[0].segment.number, 3);
}
END_TEST

/* With a ledger and without one. */
START_TEST(they_outlive_the_scheduler) {
        begin_at(12, 0, 0);
        if (_i > 0)
                world_begin_ledger(&w);
        run_us = 35 * MIN;
        define(parallel(3));
        run_to(12, 25, 0);
        world_crash(&w, 12 * MIN); /* over the end of the first, and over a slot */
        run_to(12, 39, 0);
        ck_assert_uint_eq(w.jobs[0].n_others, 1);
        run_to(12, 41, 0);
        ck_assert_uint_eq(w.jobs[0].n_others, 2);
        run_to(13, 20, 0);
        ck_assert_uint_eq(w.jobs[0].totals.by_reason[SLOT_REASON_DOWN], 1);
}
END_TEST

START_TEST(without_their_runner_all_are_interrupted) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        run_us = 35 * MIN;
        define(parallel(3));
        run_to(12, 25, 0);
        world_power_cut(&w, 1 * MIN, false);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 3);
        run_to(12, 31, 0);
        ck_assert(w.jobs[0].is_running);
}
END_TEST

/* Its first slots wait behind that of a resume when it is written: its plan begins with them. */
START_TEST(the_ledger_knows_the_first_slots_wherever_they_wait) {
        uint64_t run;
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        struct job_when when = queue(4);
        when.initial_delay_us = 10 * MIN;
        when.is_on_wake = true;
        run_us = 45 * MIN;
        define(when);
        world_trigger(&w, "job", &(struct engine_trigger){0}, &run);
        world_suspend(&w, 25 * MIN);
        run_to(12, 40, 0);
        ck_assert_uint_gt(store_find(w.store, "job")->image.n_line, 0);
        ck_assert_int_eq(store_find(w.store, "job")->first_key, 0);
}
END_TEST

/* Behind the next attempt of a run that a power cut took: what came of an event of the boot that is over is, too; else it may have been
 * started. */
START_TEST(what_waits_behind_an_attempt_is_judged_after_a_power_cut) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        run_us = 45 * MIN;
        struct job_when when = wall_grid(HOUR, 0);
        when.overlap = JOB_OVERLAP_QUEUE;
        when.queue_max = 3;
        when.is_on_wake = true;
        when.is_interrupted_retried = true;
        when.durability = _i > 0 ? JOB_DURABILITY_FULL : JOB_DURABILITY_NORMAL; /* then nothing is claimed */
        define(when);
        run_to(12, 5, 0);
        world_suspend(&w, MIN);
        run_to(12, 20, 0);
        run_us = MIN;
        world_power_cut(&w, 10 * MIN, _i > 0);
        run_to(12, 40, 0);
        ck_assert_uint_eq(w.jobs[0].start.attempt, 2);
        ck_assert_uint_eq(w.jobs[0].totals.started, _i > 0 ? 2 : 3);
        if (_i > 0)
                expect(w.n_entries - 1, SLOT_MISSED, SLOT_REASON_DOWN, at(12, 6, 0), at(12, 6, 0), 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("overlap");
        TCase *tc = tcase_create("overlap");
        tcase_add_test(tc, a_line_holds_so_many_and_the_arriving_one_is_missed);
        tcase_add_test(tc, a_pause_withholds_the_whole_line);
        tcase_add_test(tc, a_cancelled_run_takes_the_line_with_it);
        tcase_add_test(tc, a_trigger_runs_with_the_first_of_the_line);
        tcase_add_test(tc, a_deadline_holds_for_each_of_the_line);
        tcase_add_test(tc, the_last_runs_are_counted_in_the_line);
        tcase_add_loop_test(tc, a_line_outlives_the_scheduler, 0, 3);
        tcase_add_loop_test(tc, a_line_outlives_an_orderly_stop, 0, sizeof(stops) / sizeof(stops[0]));
        tcase_add_test(tc, without_a_ledger_a_stop_ends_the_wait);
        tcase_add_loop_test(tc, what_waits_behind_an_attempt_is_judged_after_a_power_cut, 0, 2);
        tcase_add_test(tc, the_ledger_knows_the_first_slots_wherever_they_wait);
        tcase_add_test(tc, a_slot_ends_the_run_in_flight);
        tcase_add_test(tc, the_latest_slot_replaces_a_run_that_ends_slowly);
        tcase_add_test(tc, so_many_runs_are_in_flight_and_no_more);
        tcase_add_test(tc, a_cancel_ends_them_all);
        tcase_add_test(tc, a_trigger_joins_the_latest_of_them);
        tcase_add_test(tc, a_trigger_begins_beside_them_while_there_is_room);
        tcase_add_test(tc, a_name_that_comes_back_goes_on_from_its_latest_plan);
        tcase_add_loop_test(tc, they_outlive_the_scheduler, 0, 2);
        tcase_add_test(tc, without_their_runner_all_are_interrupted);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
