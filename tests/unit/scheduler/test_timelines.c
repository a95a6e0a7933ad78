// SPDX-License-Identifier: MIT
// The semantics of the schedule as timelines: a definition, events, and the ledger that must come of them.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

START_TEST(v1_slots_under_a_run_are_missed_in_one_range) {
        begin_at(12, 0, 0);
        run_us = 25 * SEC;
        define(every(10 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 30);
        expect_ran(0, at(12, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 0, 10), at(12, 0, 20), 2);
        expect_ran(2, at(12, 0, 30), 0);
        ck_assert_uint_eq(w.n_entries, 3);
        run_before(13, 0, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ran, 120);
        ck_assert_uint_eq(w.jobs[0].totals.missed, 240);
}
END_TEST

START_TEST(v1_an_end_comes_before_the_slot_of_its_instant) {
        begin_at(12, 0, 0);
        run_us = 20 * SEC;
        define(every(10 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 20);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 0, 10), at(12, 0, 10), 1);
        expect_ran(2, at(12, 0, 20), 0);
}
END_TEST

START_TEST(v2_a_fixed_delay_counts_from_the_end) {
        begin_at(12, 0, 0);
        run_us = 5 * SEC;
        define(every(60 * SEC, JOB_MODE_FIXED_DELAY));
        run_to(12, 0, 0);
        expect_ran(0, at(12, 0, 0), 0);
        expect_next_at(12, 1, 5);
        run_us = 90 * SEC;
        expect_next_at(12, 2, 10);
        run_us = 5 * SEC;
        expect_next_at(12, 4, 40);
        ck_assert_uint_eq(w.jobs[0].totals.missed, 0);
}
END_TEST

START_TEST(v3_a_delay_that_is_over_is_due_at_once_once) {
        begin_at(11, 25, 0);
        run_us = 5 * MIN;
        define(every(HOUR, JOB_MODE_FIXED_DELAY));
        run_to(11, 59, 40);
        world_crash(&w, at(14, 0, 20) - at(11, 59, 40));
        ck_assert_uint_eq(w.n_entries, 2);
        expect_ran(1, at(12, 30, 0), HOUR + 30 * MIN + 20 * SEC);
        ck_assert_int_eq(w.entries[1].cause, RUN_CAUSE_CATCH_UP);
        expect_next_at(15, 5, 20);
}
END_TEST

START_TEST(v3_the_latest_slot_is_caught_up_and_takes_in_the_older) {
        begin_at(11, 10, 0);
        define(wall_grid(HOUR, 10 * MIN));
        run_to(11, 59, 40);
        world_crash(&w, at(14, 0, 20) - at(11, 59, 40));
        expect_ran(0, at(11, 10, 0), 0);
        expect(1, SLOT_MERGED, SLOT_REASON_DOWN, at(12, 10, 0), at(12, 10, 0), 1);
        expect_ran(2, at(13, 10, 0), 50 * MIN + 20 * SEC);
        ck_assert_uint_eq(w.n_entries, 3);
        expect_next_at(14, 10, 0);
}
END_TEST

START_TEST(v3_a_near_next_slot_takes_the_catch_up_in) {
        begin_at(11, 10, 0);
        define(wall_grid(HOUR, 10 * MIN));
        run_to(11, 59, 40);
        world_crash(&w, at(14, 5, 0) - at(11, 59, 40));
        ck_assert_uint_eq(w.n_entries, 1);
        run_to(14, 10, 0);
        expect(1, SLOT_MERGED, SLOT_REASON_DOWN, at(12, 10, 0), at(13, 10, 0), 2);
        expect_ran(2, at(14, 10, 0), 0);
        ck_assert_uint_eq(w.entries[1].run, w.entries[2].run);
}
END_TEST

START_TEST(v3_slots_of_a_short_grid_are_one_range_of_missed) {
        begin_at(11, 59, 0);
        define(wall_grid(MIN, 0));
        run_to(11, 59, 40);
        world_crash(&w, at(14, 0, 20) - at(11, 59, 40));
        expect_ran(0, at(11, 59, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_DOWN, at(12, 0, 0), at(14, 0, 0), 121);
        ck_assert_uint_eq(w.n_entries, 2);
        expect_next_at(14, 1, 0);
}
END_TEST

/* A grid of 10 min whose last slot is 10:20, and a reload at 10:25. */
static void begin_v4(void) {
        begin_at(10, 0, 0);
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        run_to(10, 25, 0);
        ck_assert_uint_eq(w.n_entries, 3);
}

START_TEST(v4_a_longer_interval_goes_on_from_the_last_slot) {
        begin_v4();
        define(every(15 * MIN, JOB_MODE_FIXED_RATE));
        expect_next_at(10, 35, 0);
        expect_next_at(10, 50, 0);
}
END_TEST

START_TEST(v4_a_shorter_interval_fires_nothing_at_the_reload) {
        begin_v4();
        define(every(2 * MIN, JOB_MODE_FIXED_RATE));
        expect_next_at(10, 26, 0);
        expect_next_at(10, 28, 0);
}
END_TEST

START_TEST(v4_what_is_no_schedule_key_changes_no_plan) {
        begin_v4();
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.log = JOB_LOG_FAILURES;
        define(when);
        expect_next_at(10, 30, 0);
        ck_assert_uint_eq(w.jobs[0].segment.number, 1);
}
END_TEST

START_TEST(v4_a_new_name_runs_at_once) {
        begin_at(10, 25, 0);
        define(every(HOUR, JOB_MODE_FIXED_RATE));
        expect_ran(0, at(10, 25, 0), 0);
}
END_TEST

START_TEST(v4_a_file_that_was_gone_keeps_its_phase) {
        begin_v4();
        run_to(10, 40, 0);
        world_remove(&w, "job");
        world_commit(&w);
        size_t n = w.n_entries;
        run_to(10, 55, 0);
        ck_assert_uint_eq(w.n_entries, n);
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        expect_next_at(11, 0, 0);
}
END_TEST

/* Row 0: the boot run is in flight when the scheduler dies and says nothing of the schedule; row 1: no run is. */
START_TEST(a_file_that_was_gone_over_a_crash_keeps_its_phase) {
        begin_at(10, 0, 0);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.on_boot_us = BOOTED + 25 * MIN;
        define(when);
        run_to(10, 21, 0);
        run_us = _i ? 0 : 20 * MIN;
        run_to(10, 26, 0);
        world_remove(&w, "job");
        world_commit(&w);
        world_crash(&w, SEC);
        run_to(10, 55, 0);
        run_us = 0;
        size_t n = w.n_entries;
        define(when);
        ck_assert_msg(w.n_entries == n, "fired by the return of its file");
        expect_next_at(11, 0, 0);
}
END_TEST

START_TEST(v4_a_shorter_delay_fires_nothing_at_the_reload) {
        begin_at(10, 0, 0);
        define(every(HOUR, JOB_MODE_FIXED_DELAY));
        run_to(10, 25, 0);
        define(every(2 * MIN, JOB_MODE_FIXED_DELAY));
        expect_next_at(10, 26, 0);
}
END_TEST

START_TEST(v7_a_small_step_forward_over_a_slot_runs_it_late) {
        begin_at(12, 0, 0);
        define(wall_grid(24 * HOUR, 14 * HOUR + 30 * MIN)); /* daily at 14:30 */
        run_to(14, 29, 55);
        world_step_clock(&w, 10 * SEC);
        expect_ran(0, at(14, 30, 0), 5 * SEC);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(v7_a_step_back_repeats_no_slot) {
        begin_at(12, 0, 0);
        define(wall_grid(24 * HOUR, 14 * HOUR + 30 * MIN));
        run_to(14, 30, 5);
        ck_assert_uint_eq(w.n_entries, 1);
        world_step_clock(&w, -HOUR);
        run_to(15, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(v7_a_step_back_of_days_begins_a_new_time_line) {
        begin_at(12, 0, 0);
        define(wall_grid(24 * HOUR, 14 * HOUR + 30 * MIN));
        run_to(14, 30, 5);
        world_step_clock(&w, -48 * HOUR);
        run_to(14 - 24, 30, 0);
        ck_assert_uint_eq(w.n_entries, 2);
        expect_ran(1, at(14 - 24, 30, 0), 0);
}
END_TEST

START_TEST(v7_slots_of_a_short_grid_are_missed_under_a_step) {
        begin_at(12, 0, 30);
        define(wall_grid(MIN, 0));
        world_step_clock(&w, 10 * MIN);
        expect(0, SLOT_MISSED, SLOT_REASON_CLOCK_STEP, at(12, 1, 0), at(12, 10, 0), 10);
        ck_assert_uint_eq(w.n_entries, 1);
        expect_next_at(12, 11, 0);
}
END_TEST

START_TEST(intervals_on_boot_time_notice_no_step) {
        begin_at(12, 0, 0);
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        run_to(12, 5, 0);
        world_step_clock(&w, 2 * HOUR);
        ck_assert_uint_eq(w.n_entries, 1);
        expect_next_at(14, 10, 0);
}
END_TEST

START_TEST(a_start_deadline_turns_a_late_start_into_missed) {
        begin_at(12, 0, 0);
        struct job_when when = every(HOUR, JOB_MODE_FIXED_RATE);
        when.start_deadline_us = MIN;
        define(when);
        run_to(12, 30, 0);
        world_stall(&w, 32 * MIN); /* 13:02 */
        expect(1, SLOT_MISSED, SLOT_REASON_DEADLINE, at(13, 0, 0), at(13, 0, 0), 1);
        ck_assert_uint_eq(w.n_entries, 2);
}
END_TEST

START_TEST(a_stalled_scheduler_runs_the_latest_slot_only) {
        begin_at(12, 0, 0);
        define(every(10 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 5);
        world_stall(&w, 40 * SEC); /* 12:00:45 */
        expect(1, SLOT_MISSED, SLOT_REASON_DEADLINE, at(12, 0, 10), at(12, 0, 30), 3);
        expect_ran(2, at(12, 0, 40), 5 * SEC);
        ck_assert_uint_eq(w.n_entries, 3);
}
END_TEST

START_TEST(a_lasting_overlap_is_told_once_a_minute) {
        begin_at(12, 0, 0);
        run_us = 150 * SEC;
        define(every(10 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 2, 30);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 0, 10), at(12, 1, 10), 7);
        expect(2, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 1, 20), at(12, 2, 20), 7);
        expect_ran(3, at(12, 2, 30), 0);
}
END_TEST

START_TEST(a_disabled_job_has_no_slots_and_keeps_its_phase) {
        begin_v4();
        struct job_when off = every(10 * MIN, JOB_MODE_FIXED_RATE);
        off.is_enabled = 0;
        define(off);
        run_to(10, 45, 0);
        ck_assert_uint_eq(w.n_entries, 3);
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        expect_next_at(10, 50, 0);
}
END_TEST

START_TEST(a_crash_makes_no_slot_run_twice_and_keeps_the_run_in_flight) {
        begin_at(12, 0, 0);
        run_us = 15 * SEC;
        define(every(10 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 5);
        world_crash(&w, SEC);
        run_to(12, 0, 20);
        expect_ran(0, at(12, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 0, 10), at(12, 0, 10), 1);
        expect_ran(2, at(12, 0, 20), 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
}
END_TEST

START_TEST(the_boot_slot_runs_once_a_boot) {
        begin_at(12, 0, 0);
        struct job_when when;
        job_when_init(&when);
        when.on_boot_us = 0;
        define(when);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_int_eq(w.entries[0].item, WIRE_ITEM_BOOT);
        ck_assert_int_eq(w.entries[0].cause, RUN_CAUSE_BOOT);
        run_to(12, 1, 0);
        world_crash(&w, SEC);
        run_to(13, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(a_reload_fires_no_boot_slot_that_has_passed) {
        begin_at(12, 0, 0);
        define(every(HOUR, JOB_MODE_FIXED_RATE));
        struct job_when when;
        job_when_init(&when);
        when.on_boot_us = 0;
        world_define(&w, "late", &when);
        world_commit(&w);
        ck_assert_uint_eq(world_find(&w, "late")->totals.started, 0);
        when.on_boot_us = BOOTED + HOUR;
        world_define(&w, "coming", &when);
        world_commit(&w);
        run_to(13, 30, 0);
        ck_assert_uint_eq(world_find(&w, "coming")->totals.started, 1);
}
END_TEST

START_TEST(a_drawn_delay_is_late_only_and_the_same_after_a_crash) {
        int64_t starts[2];
        for (int crashed = 0; crashed < 2; crashed++) {
                begin_at(12, 0, 0);
                struct job_when when = wall_grid(HOUR, 0);
                when.random_delay_us = 30 * MIN;
                define(when);
                run_to(12, 59, 0); /* past the first slot's own start */
                if (crashed)
                        world_crash(&w, SEC);
                size_t n = w.n_entries;
                run_to(13, 59, 0);
                ck_assert_uint_eq(w.n_entries, n + 1);
                expect_ran(n, at(13, 0, 0), 0);
                starts[crashed] = w.entries[n].start_rt_us;
                ck_assert_int_ge(starts[crashed], at(13, 0, 0));
                ck_assert_int_le(starts[crashed], at(13, 30, 0));
                world_done(&w);
        }
        ck_assert_int_eq(starts[0], starts[1]);
        begin_at(12, 0, 0); /* for the teardown */
}
END_TEST

START_TEST(a_slot_of_the_instant_of_a_reload_is_not_lost) {
        begin_v4();
        world_reach_wake(&w); /* 10:30:00, not done yet */
        define(every(7 * MIN, JOB_MODE_FIXED_RATE));
        expect_ran(3, at(10, 30, 0), 0);
        expect_next_at(10, 37, 0);
        world_reach_wake(&w);
        world_remove(&w, "job");
        world_commit(&w);
        expect_ran(5, at(10, 44, 0), 0);
        ck_assert_uint_eq(w.n_entries, 6);
}
END_TEST

START_TEST(a_boot_slot_of_the_instant_of_a_reload_is_not_lost) {
        begin_at(12, 0, 0);
        struct job_when when;
        job_when_init(&when);
        when.on_boot_us = BOOTED + HOUR;
        define(when);
        world_reach_wake(&w);
        when.log = JOB_LOG_FAILURES;
        define(when);
        ck_assert_uint_eq(w.n_entries, 1);
        expect_ran(0, at(13, 0, 0), 0);
}
END_TEST

START_TEST(what_was_missed_while_down_is_told_from_what_is_merely_late) {
        begin_at(11, 59, 0);
        define(wall_grid(MIN, 0));
        run_to(11, 59, 40);
        w.slow_us = 2 * SEC; /* up at 12:59:59, the first look at 13:00:01 */
        world_crash(&w, at(12, 59, 59) - at(11, 59, 40));
        expect(1, SLOT_MISSED, SLOT_REASON_DOWN, at(12, 0, 0), at(12, 59, 0), 60);
        expect_ran(2, at(13, 0, 0), SEC);
        ck_assert_int_eq(w.entries[2].cause, RUN_CAUSE_SCHEDULE);
}
END_TEST

START_TEST(slots_under_a_step_are_missed_by_it_whenever_they_are_looked_at) {
        begin_at(12, 0, 30);
        define(wall_grid(MIN, 0));
        w.slow_us = 31 * SEC;
        world_step_clock(&w, 10 * MIN); /* 12:10:30, the first look at 12:11:01 */
        expect(0, SLOT_MISSED, SLOT_REASON_CLOCK_STEP, at(12, 1, 0), at(12, 10, 0), 10);
        expect_ran(1, at(12, 11, 0), SEC);
}
END_TEST

START_TEST(a_step_forward_after_one_back_is_told_from_lateness_too) {
        begin_at(12, 0, 30);
        define(wall_grid(MIN, 0));
        world_step_clock(&w, 10 * MIN);
        world_step_clock(&w, -10 * HOUR); /* 2:10:30 */
        size_t n = w.n_entries;
        w.slow_us = 31 * SEC;
        world_step_clock(&w, 10 * MIN); /* 2:20:30, the first look at 2:21:01 */
        expect(n, SLOT_MISSED, SLOT_REASON_CLOCK_STEP, at(2, 11, 0), at(2, 20, 0), 10);
        expect_ran(n + 1, at(2, 21, 0), SEC);
}
END_TEST

START_TEST(a_step_back_of_days_that_nobody_saw_begins_a_new_time_line) {
        begin_at(12, 0, 0);
        define(wall_grid(24 * HOUR, 14 * HOUR + 30 * MIN));
        run_to(14, 30, 5);
        world_crash_and_step(&w, SEC, -48 * HOUR);
        run_to(14 - 24, 30, 0);
        ck_assert_uint_eq(w.n_entries, 2);
        expect_ran(1, at(14 - 24, 30, 0), 0);
}
END_TEST

START_TEST(a_small_step_back_that_nobody_saw_repeats_no_slot) {
        begin_at(12, 0, 0);
        define(wall_grid(24 * HOUR, 14 * HOUR + 30 * MIN));
        run_to(14, 30, 5);
        world_crash_and_step(&w, SEC, -HOUR);
        run_to(15, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(a_result_that_changed_while_down_is_a_change) {
        begin_at(12, 0, 0);
        run_us = 5 * SEC;
        define(every(MIN, JOB_MODE_FIXED_RATE));
        run_result = RUN_RESULT_FAILED;
        run_to(12, 1, 2);
        world_crash(&w, 10 * SEC); /* the world compares what is said of the end with the result before it */
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_uint_eq(w.jobs[0].totals.failed, 1);
}
END_TEST

START_TEST(what_came_and_went_between_two_commits_is_gone) {
        begin_v4();
        world_remove(&w, "job");
        world_commit(&w);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        world_define(&w, "job", &when);
        world_remove(&w, "job");
        world_commit(&w);
        run_to(11, 0, 0);
        ck_assert_uint_eq(w.n_entries, 3);
}
END_TEST

START_TEST(what_went_and_came_between_two_commits_was_never_away) {
        begin_v4();
        world_remove(&w, "job");
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        expect_next_at(10, 30, 0);
        ck_assert_uint_eq(w.jobs[0].segment.number, 1);
}
END_TEST

static const struct {
        bool is_old_wall, is_old_delay, is_new_wall, is_new_delay;
        int h, m,
                s; /* the first slot after a change at 10:25 that makes 10 min 4 min, last slot 10:20 (at 10:20:00 to 10:21:00) */
} changes[] = {
        {false, false, true, false, 10, 28, 0}, {false, false, false, true, 10, 28, 0}, {true, false, false, false, 10, 28, 0},
        {true, false, false, true, 10, 28, 0},  {true, false, true, false, 10, 28, 0},  {false, true, false, false, 10, 29, 0},
        {false, true, true, false, 10, 28, 0},  {false, true, false, true, 10, 29, 0},
};

static struct job_when kind(bool is_wall, bool is_delay, int64_t every_us) {
        return is_wall ? wall_grid(every_us, 0) : every(every_us, is_delay ? JOB_MODE_FIXED_DELAY : JOB_MODE_FIXED_RATE);
}

START_TEST(an_interval_of_any_kind_becomes_one_of_any_other_without_a_slot_of_its_own) {
        begin_at(10, 20, 0);
        run_us = MIN;
        define(kind(changes[_i].is_old_wall, changes[_i].is_old_delay, 20 * MIN));
        run_to(10, 25, 0);
        size_t n = w.n_entries;
        define(kind(changes[_i].is_new_wall, changes[_i].is_new_delay, 4 * MIN));
        ck_assert_msg(w.n_entries == n, "row %d: the change fired", _i);
        run_before(changes[_i].h, changes[_i].m, changes[_i].s);
        ck_assert_msg(w.n_entries == n, "row %d: a slot too early", _i);
        run_to(changes[_i].h, changes[_i].m, changes[_i].s);
        ck_assert_msg(w.n_entries == n + 1, "row %d: no slot", _i);
}
END_TEST

START_TEST(a_change_under_a_run_goes_on_from_the_slot_of_that_run) {
        begin_at(10, 0, 0);
        run_us = MIN;
        define(every(10 * MIN, JOB_MODE_FIXED_DELAY)); /* 10:00, 10:11, 10:22 */
        run_to(10, 22, 30);
        define(every(4 * MIN, JOB_MODE_FIXED_RATE));
        expect_next_at(10, 26, 0);
}
END_TEST

START_TEST(a_millisecond_is_an_interval_like_any_other) {
        begin_at(12, 0, 0);
        run_us = 3500;
        define(every(USEC_PER_MSEC, JOB_MODE_FIXED_RATE));
        for (int i = 0; i < 100; i++) {
                world_run_to(&w, w.now.bt_us + 90 * USEC_PER_MSEC);
                world_stall(&w, 10 * USEC_PER_MSEC);
        }
        ck_assert_msg(!w.error[0], "%s", w.error);
        const struct world_totals *t = &w.jobs[0].totals;
        ck_assert_uint_ge(t->ran + t->missed, 9990);
        ck_assert_uint_ge(t->ran, 2200);
}
END_TEST

START_TEST(the_longest_spans_on_the_youngest_clocks_do_not_wrap) {
        world_init(&w, SEC, 1);
        w.run_of = fixed_run;
        w.watched = "job";
        run_us = run_result = 0;
        struct job_when when = kind(_i & 1, _i & 2, DURATION_MAX);
        when.initial_delay_us = _i & 4 ? DURATION_MAX : 0;
        when.jitter_ppm = when.random_delay_ppm = 1000000;
        define(when);
        world_step_clock(&w, 2 * DURATION_MAX);
        world_run_to(&w, w.now.bt_us + 3 * DURATION_MAX);
        world_crash_and_step(&w, DURATION_MAX, -DURATION_MAX);
        world_run_to(&w, w.now.bt_us + 3 * DURATION_MAX);
        ck_assert_msg(!w.error[0], "row %d: %s", _i, w.error);
        ck_assert_uint_ge(w.n_entries, 2);
}
END_TEST

START_TEST(a_stop_tells_what_waited_to_be_merged) {
        begin_at(11, 10, 0);
        define(wall_grid(HOUR, 10 * MIN));
        run_to(11, 59, 40);
        world_crash(&w, at(14, 5, 0) - at(11, 59, 40));
        ck_assert_uint_eq(w.n_entries, 1);
        engine_stop(w.engine, w.now);
        const struct action *a = engine_next_action(w.engine);
        ck_assert_ptr_nonnull(a);
        ck_assert_int_eq(a->kind, ACTION_OUTCOME);
        ck_assert_int_eq(a->outcome.outcome, SLOT_MISSED);
        ck_assert_uint_eq(a->outcome.n, 2);
}
END_TEST

START_TEST(the_runners_word_may_come_in_any_order_and_twice) {
        begin_at(12, 0, 0);
        run_us = MIN;
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        uint64_t run = w.jobs[0].start.run;
        struct wire_ended ended = {.run = run, .end = {.result = RUN_RESULT_SUCCESS, .end_bt_us = -5}};
        struct wire_started started = {.run = run, .pid = 7};
        engine_started(w.engine, w.now, &(struct wire_started){.run = run + 1});
        ck_assert_ptr_null(engine_next_action(w.engine));
        ck_assert_int_eq(engine_ended(w.engine, w.now, &ended), 0);
        while (engine_next_action(w.engine))
                ;
        engine_started(w.engine, w.now, &started);
        ck_assert_ptr_null(engine_next_action(w.engine));
        ck_assert_int_eq(engine_ended(w.engine, w.now, &ended), 1);
        ck_assert_int_eq(engine_ended(w.engine, w.now, &(struct wire_ended){.run = run + 1}), 1);
        ck_assert_ptr_null(engine_next_action(w.engine));
}
END_TEST

/* An engine of its own with many jobs, in the boot that began then; each name once. */
static struct engine *many(uint32_t jobs, const struct job_when *when, struct clock_sample now, int64_t boot_bt_us) {
        struct wire_hello hello = {.next_run = 1, .is_first_of_boot = true, .boot_bt_us = boot_bt_us};
        struct engine *e;
        ck_assert_int_eq(engine_new(&hello, &e), 0);
        for (uint32_t i = 0; i < jobs; i++) {
                char name[32];
                snprintf(name, sizeof(name), "job%u", i);
                struct wire_define d = {.name = name, .since_rt_us = now.rt_us, .since_bt_us = now.bt_us};
                ck_assert_int_eq(engine_define(e, &d, when, NULL), 0);
        }
        ck_assert_int_eq(engine_commit(e, now, &(struct wire_commit){.generation = 1}), 0);
        return e;
}

START_TEST(a_boot_run_takes_in_the_slot_of_its_instant_however_many_there_are) {
        begin_at(12, 0, 0); /* for the teardown */
        struct job_when when = every(MIN, JOB_MODE_FIXED_RATE);
        when.on_boot_us = 0;
        struct engine *e = many(3 * ENGINE_BATCH, &when, w.now, 0);
        uint64_t ran = 0, merged = 0, others = 0;
        for (int more = 1; more > 0; w.now.bt_us++) {
                more = engine_advance(e, w.now);
                for (const struct action *a; (a = engine_next_action(e));) {
                        if (a->kind == ACTION_START)
                                engine_started(e, w.now, &(struct wire_started){.run = a->start.run});
                        if (a->kind != ACTION_OUTCOME)
                                continue;
                        ran += a->outcome.outcome == SLOT_RAN;
                        merged += a->outcome.outcome == SLOT_MERGED;
                        others += a->outcome.outcome == SLOT_MISSED;
                }
        }
        engine_free(e);
        ck_assert_uint_eq(ran, 3 * ENGINE_BATCH);
        ck_assert_uint_eq(merged, 3 * ENGINE_BATCH);
        ck_assert_uint_eq(others, 0);
}
END_TEST

START_TEST(a_boot_slot_counts_from_the_start_of_a_container) {
        begin_at(12, 0, 0); /* for the teardown */
        struct job_when when;
        job_when_init(&when);
        when.on_boot_us = 10 * SEC;
        struct engine *e = many(1, &when, w.now, w.now.bt_us - 4 * SEC);
        const int64_t slot_rt_us = w.now.rt_us + 6 * SEC;
        int64_t started_rt_us = 0;
        for (int i = 0; i < 10; i++, w.now.bt_us += SEC, w.now.rt_us += SEC) {
                ck_assert_int_ge(engine_advance(e, w.now), 0);
                for (const struct action *a; (a = engine_next_action(e));)
                        if (a->kind == ACTION_START) {
                                ck_assert_int_eq(started_rt_us, 0);
                                started_rt_us = w.now.rt_us;
                                ck_assert_int_eq(a->start.slot_rt_us, slot_rt_us);
                        }
        }
        engine_free(e);
        ck_assert_int_eq(started_rt_us, slot_rt_us);
}
END_TEST

START_TEST(names_that_were_removed_under_a_run_are_not_remembered_without_bound) {
        begin_at(12, 0, 0); /* for the teardown */
        const uint32_t n = ENGINE_REMOVED_MAX + 500;
        struct job_when when = every(MIN, JOB_MODE_FIXED_RATE);
        struct engine *e = many(n, &when, w.now, 0);
        while (engine_advance(e, w.now) > 0)
                ;
        uint64_t last = 0;
        for (const struct action *a; (a = engine_next_action(e));)
                if (a->kind == ACTION_START)
                        last = a->start.run;
        ck_assert_uint_eq(last, n);
        for (uint32_t i = 0; i < n; i++) {
                char name[32];
                snprintf(name, sizeof(name), "job%u", i);
                engine_remove(e, name);
        }
        ck_assert_int_eq(engine_commit(e, w.now, &(struct wire_commit){.generation = 2}), 0);
        for (uint64_t run = 1; run <= last; run++) {
                struct wire_ended ended = {.run = run, .end = {.result = RUN_RESULT_SUCCESS, .end_bt_us = w.now.bt_us}};
                ck_assert_int_eq(engine_ended(e, w.now, &ended), 0);
                while (engine_next_action(e))
                        ;
        }
        ck_assert_uint_eq(engine_registry(e)->n_jobs, ENGINE_REMOVED_MAX);
        engine_free(e);
}
END_TEST

/* Where the ledger knows of more names than are remembered. */
START_TEST(a_run_that_ends_before_the_commit_does_not_take_its_job_along) {
        begin_at(12, 0, 0); /* for the teardown */
        struct job_when when = every(MIN, JOB_MODE_FIXED_RATE);
        struct wire_hello hello = {.next_run = 9, .is_synchronised = true};
        struct job_image image = {.segment = 1, .anchor_us = w.now.bt_us, .next_us = w.now.bt_us + MIN, .is_planned = true};
        struct engine *e = NULL;
        image.paused_until_rt_us = INT64_MAX;
        ck_assert_int_eq(engine_new(&hello, &e), 0);
        engine_set_past(e, &(struct engine_past){.is_same_runner = true, .last = w.now, .horizon = w.now});
        for (uint32_t i = 0; i <= ENGINE_REMOVED_MAX; i++) {
                char name[32];
                snprintf(name, sizeof(name), "gone%u", i);
                ck_assert_int_eq(engine_restore(e, w.now, name, &when, &image), 0);
        }
        image.run = (struct job_run){.run = 5, .item = WIRE_ITEM_TRIGGER, .is_told = true, .attempt = 1};
        ck_assert_int_eq(engine_restore(e, w.now, "job", &when, &image), 0);
        ck_assert_int_eq(engine_define(e, &(struct wire_define){.name = (char *)"job"}, &when, NULL), 0);
        struct wire_ended ended = {.run = 5, .end = {.result = RUN_RESULT_SUCCESS, .end_bt_us = w.now.bt_us}};
        if (_i == 0) /* else nobody knows it, and it is interrupted */
                ck_assert_int_eq(engine_ended(e, w.now, &ended), 0);
        ck_assert_int_eq(engine_commit(e, w.now, &(struct wire_commit){.generation = 1, .is_resync = true}), 0);
        uint32_t job = engine_find_job(e, "job");
        ck_assert_uint_ne(job, INDEX_NONE);
        ck_assert_int_eq(engine_registry(e)->rows[job].state, JOB_STATE_ARMED);
        for (const struct action *a; (a = engine_next_action(e));)
                ck_assert(a->kind != ACTION_GONE || a->job != job);
        engine_free(e);
}
END_TEST

static void teardown(void) {
        world_done(&w);
}

/* Nothing is claimed of a job that catches nothing up: whether what waited has begun is not known. */
START_TEST(queued_slot_that_may_have_begun_is_interrupted) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        run_us = 15 * MIN;
        struct job_when when = wall_grid(10 * MIN, 0);
        when.overlap = JOB_OVERLAP_QUEUE;
        define(when);
        run_to(12, 20, 30); /* 12:20 waits for the run of 12:10, and the ledger knows it */
        world_slow_disk(&w, 100);
        run_to(12, 25, 1);
        world_power_cut(&w, 30 * SEC, false);
        ck_assert_msg(!w.error[0], "%s", w.error);
        enum slot_outcome outcome = SLOT_OUTCOME_MAX;
        for (size_t i = 0; i < w.n_entries; i++)
                if (w.entries[i].first_rt_us <= at(12, 20, 0) && w.entries[i].last_rt_us >= at(12, 20, 0))
                        outcome = w.entries[i].outcome; /* the last word */
        ck_assert_int_eq(outcome, SLOT_INTERRUPTED);
}
END_TEST

/* Its slot waited for the ledger when the clock was set back. */
START_TEST(a_job_that_goes_before_it_ran_does_not_come_back_with_a_plan_that_the_ledger_has) {
        struct job_when when = wall_grid(10 * MIN, 0);
        when.catch_up = JOB_CATCH_UP_ONE;
        begin_at(12, 5, 0);
        world_begin_ledger(&w);
        world_slow_disk(&w, 1);
        define(when);
        run_to(12, 10, 0);
        ck_assert_uint_eq(w.n_entries, 0);
        world_step_clock(&w, -HOUR);
        world_slow_disk(&w, 0);
        world_remove(&w, "job");
        world_commit(&w);
        define(when);
        world_run_to(&w, w.now.bt_us + 11 * MIN);
        ck_assert_msg(world_check(&w), "%s", w.error);
        ck_assert_uint_eq(world_find(&w, "job")->segment.number, 2);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("timelines");
        TCase *tc = tcase_create("engine");
        tcase_add_checked_fixture(tc, NULL, teardown);
        tcase_add_test(tc, v1_slots_under_a_run_are_missed_in_one_range);
        tcase_add_test(tc, v1_an_end_comes_before_the_slot_of_its_instant);
        tcase_add_test(tc, v2_a_fixed_delay_counts_from_the_end);
        tcase_add_test(tc, v3_a_delay_that_is_over_is_due_at_once_once);
        tcase_add_test(tc, v3_the_latest_slot_is_caught_up_and_takes_in_the_older);
        tcase_add_test(tc, v3_a_near_next_slot_takes_the_catch_up_in);
        tcase_add_test(tc, v3_slots_of_a_short_grid_are_one_range_of_missed);
        tcase_add_test(tc, v4_a_longer_interval_goes_on_from_the_last_slot);
        tcase_add_test(tc, v4_a_shorter_interval_fires_nothing_at_the_reload);
        tcase_add_test(tc, v4_what_is_no_schedule_key_changes_no_plan);
        tcase_add_test(tc, v4_a_new_name_runs_at_once);
        tcase_add_test(tc, v4_a_file_that_was_gone_keeps_its_phase);
        tcase_add_loop_test(tc, a_file_that_was_gone_over_a_crash_keeps_its_phase, 0, 2);
        tcase_add_test(tc, v4_a_shorter_delay_fires_nothing_at_the_reload);
        tcase_add_test(tc, v7_a_small_step_forward_over_a_slot_runs_it_late);
        tcase_add_test(tc, v7_a_step_back_repeats_no_slot);
        tcase_add_test(tc, v7_a_step_back_of_days_begins_a_new_time_line);
        tcase_add_test(tc, v7_slots_of_a_short_grid_are_missed_under_a_step);
        tcase_add_test(tc, intervals_on_boot_time_notice_no_step);
        tcase_add_test(tc, a_start_deadline_turns_a_late_start_into_missed);
        tcase_add_test(tc, a_stalled_scheduler_runs_the_latest_slot_only);
        tcase_add_test(tc, a_lasting_overlap_is_told_once_a_minute);
        tcase_add_test(tc, a_job_that_goes_before_it_ran_does_not_come_back_with_a_plan_that_the_ledger_has);
        tcase_add_test(tc, a_disabled_job_has_no_slots_and_keeps_its_phase);
        tcase_add_test(tc, a_crash_makes_no_slot_run_twice_and_keeps_the_run_in_flight);
        tcase_add_test(tc, the_boot_slot_runs_once_a_boot);
        tcase_add_test(tc, a_reload_fires_no_boot_slot_that_has_passed);
        tcase_add_test(tc, a_drawn_delay_is_late_only_and_the_same_after_a_crash);
        tcase_add_test(tc, a_slot_of_the_instant_of_a_reload_is_not_lost);
        tcase_add_test(tc, a_boot_slot_of_the_instant_of_a_reload_is_not_lost);
        tcase_add_test(tc, what_was_missed_while_down_is_told_from_what_is_merely_late);
        tcase_add_test(tc, slots_under_a_step_are_missed_by_it_whenever_they_are_looked_at);
        tcase_add_test(tc, a_step_forward_after_one_back_is_told_from_lateness_too);
        tcase_add_test(tc, a_step_back_of_days_that_nobody_saw_begins_a_new_time_line);
        tcase_add_test(tc, a_small_step_back_that_nobody_saw_repeats_no_slot);
        tcase_add_test(tc, a_result_that_changed_while_down_is_a_change);
        tcase_add_test(tc, what_came_and_went_between_two_commits_is_gone);
        tcase_add_test(tc, what_went_and_came_between_two_commits_was_never_away);
        tcase_add_loop_test(tc, an_interval_of_any_kind_becomes_one_of_any_other_without_a_slot_of_its_own, 0,
                            sizeof(changes) / sizeof(changes[0]));
        tcase_add_test(tc, a_change_under_a_run_goes_on_from_the_slot_of_that_run);
        tcase_add_test(tc, a_millisecond_is_an_interval_like_any_other);
        tcase_add_loop_test(tc, the_longest_spans_on_the_youngest_clocks_do_not_wrap, 0, 8);
        tcase_add_test(tc, a_stop_tells_what_waited_to_be_merged);
        tcase_add_test(tc, the_runners_word_may_come_in_any_order_and_twice);
        tcase_add_test(tc, a_boot_slot_counts_from_the_start_of_a_container);
        tcase_add_test(tc, a_boot_run_takes_in_the_slot_of_its_instant_however_many_there_are);
        tcase_add_test(tc, names_that_were_removed_under_a_run_are_not_remembered_without_bound);
        tcase_add_loop_test(tc, a_run_that_ends_before_the_commit_does_not_take_its_job_along, 0, 2);
        tcase_add_test(tc, queued_slot_that_may_have_begun_is_interrupted);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
