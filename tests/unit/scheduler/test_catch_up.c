// SPDX-License-Identifier: MIT
// Slots that passed while nothing could run, as timelines: what runs late, in which order, and what becomes of the rest.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

#define NO_LIMIT INT64_MAX

static struct job_when all_of(int64_t every_us, uint32_t max) {
        struct job_when when = wall_grid(every_us, 0);
        when.catch_up = JOB_CATCH_UP_ALL;
        when.is_catch_up_set = true;
        when.catch_up_max = max;
        return when;
}

static void expect_caught_up(size_t i, int64_t slot_us, int64_t lag_us) {
        expect_ran(i, slot_us, lag_us);
        ck_assert_int_eq(w.entries[i].cause, RUN_CAUSE_CATCH_UP);
}

static void expect_on_time(size_t i, int64_t slot_us) {
        expect_ran(i, slot_us, 0);
        ck_assert_int_eq(w.entries[i].cause, RUN_CAUSE_SCHEDULE);
}

static void down(int64_t from_us, int64_t to_us) {
        world_run_to(&w, w.now.bt_us + from_us - w.now.rt_us);
        world_crash(&w, to_us - from_us);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

static void set_clock(int64_t by_us) {
        world_step_clock(&w, by_us);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

/* Hourly, each run takes 25 min; up at 07:20 with the slots from 05:00 on to be caught up. */
static void begin_v5(void) {
        begin_at(1, 0, 0);
        run_us = 25 * MIN;
        define(all_of(HOUR, 3));
        down(at(1, 30, 0), at(7, 20, 0));
        expect_on_time(0, at(1, 0, 0));
        expect(1, SLOT_MISSED, SLOT_REASON_DOWN, at(2, 0, 0), at(4, 0, 0), 3);
        expect_caught_up(2, at(5, 0, 0), 2 * HOUR + 20 * MIN);
        ck_assert_uint_eq(w.n_entries, 3);
}

START_TEST(v5_all_run_late_oldest_first_one_at_a_time) {
        begin_v5();
        run_to(7, 44, 59);
        ck_assert_uint_eq(w.n_entries, 3);
        run_to(8, 59, 59);
        expect_caught_up(3, at(6, 0, 0), HOUR + 45 * MIN);
        expect_caught_up(4, at(7, 0, 0), HOUR + 10 * MIN);
        expect_caught_up(5, at(8, 0, 0), 35 * MIN);
        ck_assert_uint_eq(w.n_entries, 6);
        run_to(9, 0, 0);
        expect_on_time(6, at(9, 0, 0));
        run_to(10, 0, 0);
        expect_on_time(7, at(10, 0, 0));
        ck_assert_uint_eq(w.jobs[0].totals.missed, 3);
}
END_TEST

START_TEST(a_job_that_catches_up_is_pending_until_the_last) {
        struct job_view view;
        begin_v5();
        engine_view(w.engine, w.now, engine_find_job(w.engine, "job"), &view);
        ck_assert_int_eq(view.status, JOB_STATUS_PENDING);
        ck_assert(view.is_pending_slot);
        ck_assert_int_eq(view.next_slot_rt_us, at(8, 0, 0));
        run_to(8, 40, 0);
        engine_view(w.engine, w.now, engine_find_job(w.engine, "job"), &view);
        ck_assert_int_eq(view.status, JOB_STATUS_RUNNING);
}
END_TEST

START_TEST(what_waits_outlives_another_death) {
        begin_v5();
        down(at(7, 30, 0), at(7, 31, 0));
        run_to(9, 0, 0);
        expect_caught_up(3, at(6, 0, 0), HOUR + 45 * MIN);
        expect_caught_up(5, at(8, 0, 0), 35 * MIN);
        expect_on_time(6, at(9, 0, 0));
        ck_assert_uint_eq(w.n_entries, 7);
}
END_TEST

START_TEST(a_run_that_hangs_keeps_the_newest_only) {
        begin_v5();
        w.jobs[0].end_bt_us += 5 * HOUR; /* 12:45 */
        run_to(12, 45, 0);
        for (int h = 6; h < 10; h++)
                expect((size_t)(h - 3), SLOT_MISSED, h < 8 ? SLOT_REASON_DOWN : SLOT_REASON_OVERLAP, at(h, 0, 0), at(h, 0, 0),
                       1);
        expect_caught_up(7, at(10, 0, 0), 2 * HOUR + 45 * MIN);
        ck_assert_uint_eq(w.n_entries, 8);
}
END_TEST

START_TEST(too_many_that_wait_are_told_while_a_run_hangs) {
        begin_v5();
        w.jobs[0].end_bt_us += 5 * HOUR;
        run_to(9, 1, 0);
        expect(3, SLOT_MISSED, SLOT_REASON_DOWN, at(6, 0, 0), at(6, 0, 0), 1);
        ck_assert_uint_eq(w.n_entries, 4);
}
END_TEST

START_TEST(each_slot_has_its_own_deadline) {
        begin_at(1, 0, 0);
        struct job_when when = all_of(HOUR, 100);
        when.start_deadline_us = HOUR + 20 * MIN; /* to the microsecond */
        run_us = 25 * MIN;
        define(when);
        down(at(1, 30, 0), at(7, 20, 0));
        expect(1, SLOT_MISSED, SLOT_REASON_DEADLINE, at(2, 0, 0), at(5, 0, 0), 4);
        expect_caught_up(2, at(6, 0, 0), HOUR + 20 * MIN);
        run_to(7, 45, 0);
        expect_caught_up(3, at(7, 0, 0), 45 * MIN);
}
END_TEST

START_TEST(a_pause_withholds_what_waits) {
        begin_v5();
        run_to(7, 30, 0);
        ck_assert_int_eq(world_pause(&w, "job", NO_LIMIT), 1);
        expect(3, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(6, 0, 0), at(7, 0, 0), 2);
        run_to(8, 30, 0);
        ck_assert_int_eq(world_resume(&w, "job"), 1);
        expect(4, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(8, 0, 0), at(8, 0, 0), 1);
        run_to(9, 0, 0);
        expect_on_time(5, at(9, 0, 0));
        ck_assert_uint_eq(w.n_entries, 6);
}
END_TEST

/* Row 0: with the schedule; row 1: the run only. */
START_TEST(a_cancel_withholds_what_waits) {
        begin_v5();
        run_to(7, 30, 0);
        ck_assert_int_eq(world_cancel(&w, "job", _i == 1), 1);
        expect(3, SLOT_WITHHELD, SLOT_REASON_CANCELLED, at(6, 0, 0), at(7, 0, 0), 2);
        run_to(8, 0, 0);
        ck_assert_uint_eq(w.n_entries, _i == 1 ? 5 : 4);
        if (_i == 1)
                expect_on_time(4, at(8, 0, 0));
}
END_TEST

START_TEST(a_definition_that_goes_withholds_what_waits) {
        begin_v5();
        run_to(7, 30, 0);
        struct job_when when = all_of(HOUR, 3);
        when.is_enabled = false;
        if (_i == 0)
                define(when);
        else {
                world_remove(&w, "job");
                world_commit(&w);
        }
        expect(3, SLOT_WITHHELD, _i == 0 ? SLOT_REASON_DISABLED : SLOT_REASON_REMOVED, at(6, 0, 0), at(7, 0, 0), 2);
}
END_TEST

/* Row 0: another Every= by command; row 1: by reload. */
START_TEST(another_plan_ends_what_waits_of_the_old_one) {
        begin_v5();
        run_to(7, 30, 0);
        if (_i == 0)
                ck_assert_int_eq(world_set_interval(&w, "job", 2 * HOUR), 1);
        else
                define(all_of(2 * HOUR, 3));
        expect(3, SLOT_MISSED, SLOT_REASON_DOWN, at(6, 0, 0), at(7, 0, 0), 2);
        run_to(8, 0, 0);
        expect_on_time(4, at(8, 0, 0));
}
END_TEST

START_TEST(a_reload_that_changes_no_plan_leaves_what_waits) {
        begin_v5();
        run_to(7, 30, 0);
        struct job_when when = all_of(HOUR, 3);
        when.log = JOB_LOG_FAILURES;
        define(when);
        run_to(7, 45, 0);
        expect_caught_up(3, at(6, 0, 0), HOUR + 45 * MIN);
}
END_TEST

START_TEST(a_trigger_behind_the_run_is_done_by_the_next_that_waits) {
        begin_v5();
        uint64_t run = 0;
        run_to(7, 30, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.if_running = TRIGGER_QUEUE}, &run), TRIGGER_QUEUED);
        run_to(7, 45, 0);
        expect_caught_up(3, at(6, 0, 0), HOUR + 45 * MIN);
        ck_assert_uint_eq(w.entries[3].run, run);
        run_to(8, 10, 0);
        expect_caught_up(4, at(7, 0, 0), HOUR + 10 * MIN);
}
END_TEST

START_TEST(slots_under_a_step_of_the_clock_are_caught_up) {
        begin_at(1, 0, 0);
        run_us = 10 * MIN;
        define(all_of(HOUR, 2));
        run_to(1, 30, 0);
        set_clock(3 * HOUR); /* 04:30 */
        expect(1, SLOT_MISSED, SLOT_REASON_CLOCK_STEP, at(2, 0, 0), at(2, 0, 0), 1);
        expect_caught_up(2, at(3, 0, 0), HOUR + 30 * MIN);
        run_to(4, 40, 0);
        expect_caught_up(3, at(4, 0, 0), 40 * MIN);
        run_to(5, 0, 0);
        expect_on_time(4, at(5, 0, 0));
}
END_TEST

START_TEST(a_new_time_line_ends_what_waits) {
        begin_v5();
        run_to(7, 30, 0);
        set_clock(-24 * HOUR);
        expect(3, SLOT_MISSED, SLOT_REASON_DOWN, at(6, 0, 0), at(7, 0, 0), 2);
        run_to(8 - 24, 0, 0);
        ck_assert_uint_eq(w.n_entries, 5);
        expect_on_time(4, at(8 - 24, 0, 0));
}
END_TEST

START_TEST(v11_a_stop_leaves_what_waits_to_the_next_scheduler) {
        begin_v5();
        run_to(7, 30, 0);
        world_stop(&w);
        run_to(7, 50, 0);
        ck_assert_uint_eq(w.n_entries, 3);
        world_crash(&w, MIN);
        expect_caught_up(3, at(6, 0, 0), HOUR + 51 * MIN);
}
END_TEST

START_TEST(a_late_slot_without_company_is_no_catch_up) {
        begin_at(12, 0, 0);
        define(all_of(HOUR, 3));
        run_to(12, 30, 0);
        world_stall(&w, 31 * MIN); /* 13:01 */
        expect_ran(1, at(13, 0, 0), MIN);
        ck_assert_int_eq(w.entries[1].cause, RUN_CAUSE_SCHEDULE);
}
END_TEST

START_TEST(several_late_slots_are_caught_up) {
        begin_at(12, 0, 0);
        define(all_of(10 * SEC, 3));
        run_to(12, 0, 5);
        world_stall(&w, 40 * SEC); /* 12:00:45 */
        run_to(12, 0, 45);
        expect(1, SLOT_MISSED, SLOT_REASON_DEADLINE, at(12, 0, 10), at(12, 0, 10), 1);
        expect_caught_up(2, at(12, 0, 20), 25 * SEC);
        expect_caught_up(4, at(12, 0, 40), 5 * SEC);
        run_to(12, 0, 50);
        expect_on_time(5, at(12, 0, 50));
}
END_TEST

START_TEST(an_overlapped_slot_is_not_caught_up) {
        begin_at(12, 0, 0);
        run_us = 90 * MIN;
        define(all_of(HOUR, 3));
        run_to(14, 0, 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(13, 0, 0), at(13, 0, 0), 1);
        expect_on_time(2, at(14, 0, 0));
}
END_TEST

START_TEST(the_boot_run_goes_first) {
        begin_at(1, 0, 0);
        struct job_when when = all_of(HOUR, 3);
        when.on_boot_us = BOOTED + 3 * HOUR; /* 04:00 */
        run_us = 25 * MIN;
        define(when);
        down(at(1, 30, 0), at(3, 50, 0));
        run_to(4, 50, 0);
        expect_caught_up(1, at(2, 0, 0), HOUR + 50 * MIN);
        /* its slot comes while the first catch-up is in flight */
        ck_assert_int_eq(w.entries[2].item, WIRE_ITEM_BOOT);
        expect_caught_up(3, at(3, 0, 0), HOUR + 15 * MIN);
        expect_caught_up(4, at(4, 0, 0), 40 * MIN);
}
END_TEST

START_TEST(a_fixed_delay_that_does_not_catch_up_begins_anew) {
        begin_at(11, 25, 0);
        run_us = 5 * MIN;
        struct job_when when = every(HOUR, JOB_MODE_FIXED_DELAY);
        when.catch_up = JOB_CATCH_UP_NONE;
        when.is_catch_up_set = true;
        define(when);
        down(at(11, 59, 40), at(14, 0, 20));
        expect(1, SLOT_MISSED, SLOT_REASON_DOWN, at(12, 30, 0), at(12, 30, 0), 1);
        expect_next_at(15, 0, 20);
}
END_TEST

/* ---- sleep ---- */

static void sleep_for(int64_t us) {
        world_suspend(&w, us);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

START_TEST(slots_of_a_short_grid_that_the_machine_slept_through_are_one_range) {
        begin_at(12, 0, 30);
        define(_i == 0 ? wall_grid(MIN, 0) : every(MIN, JOB_MODE_FIXED_RATE));
        size_t n = w.n_entries;
        run_to(12, 0, 31);
        sleep_for(10 * MIN);
        int64_t second_us = _i == 0 ? 0 : 30 * SEC;
        expect(n, SLOT_MISSED, SLOT_REASON_SUSPENDED, at(12, 1, 0) + second_us, at(12, 10, 0) + second_us, 10);
        ck_assert_uint_eq(w.n_entries, n + 1);
        expect_next_at(12, 11, _i == 0 ? 0 : 30);
}
END_TEST

START_TEST(the_latest_slot_of_a_sleep_is_caught_up) {
        begin_at(12, 0, 0);
        define(wall_grid(HOUR, 0));
        run_to(12, 30, 0);
        sleep_for(3 * HOUR);
        expect(1, SLOT_MERGED, SLOT_REASON_SUSPENDED, at(13, 0, 0), at(14, 0, 0), 2);
        expect_caught_up(2, at(15, 0, 0), 30 * MIN);
}
END_TEST

START_TEST(all_slots_of_a_sleep_are_caught_up_but_the_oldest) {
        begin_at(12, 0, 0);
        define(all_of(HOUR, 2));
        run_to(12, 30, 0);
        sleep_for(3 * HOUR);
        expect(1, SLOT_MISSED, SLOT_REASON_SUSPENDED, at(13, 0, 0), at(13, 0, 0), 1);
        expect_caught_up(2, at(14, 0, 0), HOUR + 30 * MIN);
}
END_TEST

/* Row 0: CatchUp=none; row 1: one. */
START_TEST(a_fixed_delay_that_was_over_in_a_sleep_goes_by_catch_up) {
        begin_at(12, 0, 0);
        struct job_when when = every(HOUR, JOB_MODE_FIXED_DELAY);
        when.catch_up = _i == 0 ? JOB_CATCH_UP_NONE : JOB_CATCH_UP_ONE;
        when.is_catch_up_set = true;
        define(when);
        run_to(12, 30, 0);
        sleep_for(3 * HOUR);
        if (_i == 0)
                expect(1, SLOT_MISSED, SLOT_REASON_SUSPENDED, at(13, 0, 0), at(13, 0, 0), 1);
        else
                expect_caught_up(1, at(13, 0, 0), 2 * HOUR + 30 * MIN);
        expect_next_at(16, 30, 0);
}
END_TEST

/* ---- V7 on the wall clock ---- */

static void begin_daily(enum job_catch_up catch_up, int h) {
        begin_at(h, 0, 0);
        struct job_when when = wall_grid(24 * HOUR, 2 * HOUR + 30 * MIN);
        when.catch_up = (uint8_t)catch_up;
        when.is_catch_up_set = true;
        define(when);
}

START_TEST(v7_a_large_step_over_a_slot_is_decided_by_catch_up) {
        begin_daily((enum job_catch_up)_i, 2);
        set_clock(HOUR);
        ck_assert_uint_eq(w.n_entries, 1);
        if (_i == JOB_CATCH_UP_NONE)
                expect(0, SLOT_MISSED, SLOT_REASON_CLOCK_STEP, at(2, 30, 0), at(2, 30, 0), 1);
        else
                expect_caught_up(0, at(2, 30, 0), 30 * MIN);
}
END_TEST

START_TEST(v7_a_weekend_without_power_comes_to_one_run) {
        begin_daily(JOB_CATCH_UP_ONE, 20);
        down(at(20, 0, 0), at(24 + 24 + 24 + 8, 0, 0)); /* Friday evening to Monday morning */
        expect(0, SLOT_MERGED, SLOT_REASON_DOWN, at(26, 30, 0), at(50, 30, 0), 2);
        expect_caught_up(1, at(74, 30, 0), 5 * HOUR + 30 * MIN);
        ck_assert_uint_eq(w.entries[0].run, w.entries[1].run);
}
END_TEST

/* A machine without a clock of its own: off on Friday evening, and it is still Friday evening when it is on again. */
static void boot_without_clock(enum job_catch_up catch_up) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        w.sync_wait_us = 90 * SEC;
        struct job_when when = wall_grid(24 * HOUR, 2 * HOUR + 30 * MIN);
        when.catch_up = (uint8_t)catch_up;
        when.is_catch_up_set = true;
        define(when);
        run_to(26, 30, 1);
        ck_assert_uint_eq(w.n_entries, 1);
        run_to(44, 0, 0);
        w.hello.is_synchronised = false;
        world_power_cut(&w, 0, true);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

START_TEST(v7_at_the_first_right_time_a_weekend_comes_to_one_run) {
        boot_without_clock(JOB_CATCH_UP_ONE);
        world_run_to(&w, w.now.bt_us + 30 * SEC);
        ck_assert_uint_eq(w.n_entries, 1);
        world_synchronise(&w, 60 * HOUR); /* Monday morning */
        ck_assert_msg(!w.error[0], "%s", w.error);
        expect(1, SLOT_MERGED, SLOT_REASON_DOWN, at(50, 30, 0), at(74, 30, 0), 2);
        expect_caught_up(2, at(98, 30, 0), 5 * HOUR + 30 * MIN + 30 * SEC);
}
END_TEST

START_TEST(wall_grids_wait_for_the_clock_no_longer_than_they_are_told) {
        boot_without_clock(JOB_CATCH_UP_NONE);
        world_step_clock(&w, 6 * HOUR + 29 * MIN + 30 * SEC); /* set by hand, to 30 s before the slot */
        world_run_to(&w, 80 * SEC);
        ck_assert_uint_eq(w.n_entries, 1);
        world_run_to(&w, 91 * SEC);
        ck_assert_uint_eq(w.n_entries, 2);
        ck_assert_int_eq(w.entries[1].outcome, SLOT_RAN);
        ck_assert_int_eq(w.entries[1].first_rt_us, at(50, 30, 0));
}
END_TEST

START_TEST(a_clock_days_ahead_leaves_no_plan_in_the_future) {
        boot_without_clock(JOB_CATCH_UP_ONE);
        world_step_clock(&w, 72 * HOUR);
        world_run_to(&w, 30 * SEC);
        world_synchronise(&w, -71 * HOUR); /* an hour after it went off */
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_uint_eq(w.n_entries, 1);
        expect_next_at(50, 30, 0);
}
END_TEST

START_TEST(intervals_go_on_where_the_clock_begins_long_ago) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        w.sync_wait_us = 90 * SEC;
        define(every(MIN, (enum job_mode)_i));
        run_to(12, 10, 30);
        size_t n = w.n_entries;
        w.hello.is_synchronised = false;
        w.n_steps++;
        w.now.rt_us = 10 * SEC; /* 1970 */
        world_power_cut(&w, 0, true);
        world_run_to(&w, w.now.bt_us + 2 * MIN);
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_msg(w.n_entries >= n + 2, "%zu runs since", w.n_entries - n);
        world_synchronise(&w, at(14, 0, 0) - w.now.rt_us);
        n = w.n_entries;
        world_run_to(&w, w.now.bt_us + 2 * MIN);
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_uint_eq(w.n_entries, n + 2);
}
END_TEST

/* ---- V11: power cuts over a grid of a minute, runs of 30 s ---- */

enum v11 { V11_BEFORE_START, V11_AFTER_START, V11_START_RECORDED, V11_MAX };

/* The power goes at 10:05, comes back at 10:07:30. Returns how many outcomes had been told until then. */
static size_t cut_v11(enum v11 when_cut, bool is_retried, int64_t deadline_us) {
        begin_at(10, 0, 30);
        world_begin_ledger(&w);
        run_us = 30 * SEC;
        struct job_when when = wall_grid(MIN, 0);
        when.is_interrupted_retried = is_retried;
        when.start_deadline_us = deadline_us;
        define(when);
        run_to(10, 4, 40);
        int64_t slot_bt_us = w.now.bt_us + at(10, 5, 0) - w.now.rt_us;
        world_run_to(&w, slot_bt_us - 1); /* the horizon is over it */
        if (when_cut == V11_AFTER_START)
                world_slow_disk(&w, 1000); /* nothing more gets there */
        if (when_cut != V11_BEFORE_START)
                world_run_to(&w, slot_bt_us);
        if (when_cut == V11_START_RECORDED)
                world_run_to(&w, slot_bt_us + 10 * SEC);
        size_t n = w.n_entries;
        world_power_cut(&w, at(10, 7, 30) - w.now.rt_us, true);
        ck_assert_msg(!w.error[0], "%s", w.error);
        return n;
}

/* Even rows: once at most; odd rows: RetryInterrupted=yes. */
START_TEST(v11_the_slot_of_a_power_cut_is_interrupted_unless_it_may_run_twice) {
        enum v11 when_cut = (enum v11)(_i / 2);
        bool is_retried = _i % 2, is_recorded = when_cut == V11_START_RECORDED;
        size_t i = cut_v11(when_cut, is_retried, JOB_DEADLINE_NEXT);
        world_slow_disk(&w, 0);
        run_to(10, 7, 59);
        if (!is_recorded && !is_retried)
                expect(i++, SLOT_INTERRUPTED, SLOT_REASON_NONE, at(10, 5, 0), at(10, 5, 0), 1);
        if (!is_recorded && is_retried) {
                expect_ran(i, at(10, 5, 0), 2 * MIN + 30 * SEC);
                ck_assert_int_eq(w.entries[i++].cause, RUN_CAUSE_RETRY);
        }
        run_to(10, 9, 0);
        expect(i++, SLOT_MISSED, SLOT_REASON_DOWN, at(10, 6, 0), at(10, 7, 0), 2);
        expect_ran(i++, at(10, 8, 0), 0);
        if (is_retried)
                ck_assert_uint_eq(w.jobs[0].totals.started, when_cut == V11_BEFORE_START ? 7 : 8); /* 1 to 5, again, 8, 9 */
        else
                ck_assert_uint_eq(w.jobs[0].totals.started, when_cut == V11_BEFORE_START ? 6 : 7);
}
END_TEST

START_TEST(what_may_have_run_and_is_too_late_for_another_attempt_is_interrupted) {
        size_t i = cut_v11((enum v11)_i, true, 10 * SEC);
        world_slow_disk(&w, 0);
        run_to(10, 7, 59);
        expect(i, SLOT_INTERRUPTED, SLOT_REASON_NONE, at(10, 5, 0), at(10, 5, 0), 1);
        for (i++; i < w.n_entries; i++)
                ck_assert_int_ge(w.entries[i].first_rt_us, at(10, 6, 0));
}
END_TEST

/* ---- CatchUpSpread= ---- */

/* Instants at which the job caught up; the same each time for one slot. */
START_TEST(a_spread_delays_the_catch_up_by_a_draw) {
        int64_t first_us = 0;
        for (int i = 0; i < 2; i++) {
                if (i > 0)
                        world_done(&w);
                begin_at(11, 0, 0);
                struct job_when when = _i == 0 ? wall_grid(HOUR, 0) : all_of(HOUR, 3);
                when.catch_up_spread_us = 20 * MIN;
                define(when);
                down(at(11, 30, 0), at(14, 10, 0));
                ck_assert_uint_eq(w.jobs[0].totals.ran, 1);
                run_to(14, 31, 0);
                const struct world_entry *e = &w.entries[_i == 0 ? 2 : 1];
                ck_assert_int_eq(e->cause, RUN_CAUSE_CATCH_UP);
                ck_assert_int_gt(e->start_rt_us, at(14, 10, 0));
                ck_assert_int_le(e->start_rt_us, at(14, 30, 0));
                ck_assert(first_us == 0 || first_us == e->start_rt_us);
                first_us = e->start_rt_us;
                ck_assert_uint_eq(w.jobs[0].totals.ran, _i == 0 ? 2 : 4); /* but for the first they don't wait again */
                run_to(15, 0, 0);
                expect_on_time(w.n_entries - 1, at(15, 0, 0));
        }
}
END_TEST

START_TEST(the_next_slot_takes_a_catch_up_in_that_still_waits) {
        begin_at(11, 0, 0);
        struct job_when when = wall_grid(HOUR, 0);
        when.catch_up_spread_us = 1000 * HOUR;
        define(when);
        down(at(11, 30, 0), at(14, 10, 0));
        run_to(14, 59, 59);
        ck_assert_uint_eq(w.jobs[0].totals.ran, 1);
        run_to(15, 0, 0);
        expect(1, SLOT_MERGED, SLOT_REASON_DOWN, at(12, 0, 0), at(14, 0, 0), 3);
        expect_on_time(2, at(15, 0, 0));
}
END_TEST

START_TEST(a_trigger_ends_the_wait) {
        uint64_t run = 0;
        begin_at(11, 0, 0);
        struct job_when when = _i == 0 ? wall_grid(HOUR, 0) : every(HOUR, JOB_MODE_FIXED_DELAY);
        when.catch_up_spread_us = 1000 * HOUR;
        define(when);
        down(at(11, 30, 0), at(13, 10, 0));
        run_to(13, 11, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ran, 1);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        expect_caught_up(w.n_entries - 1, _i == 0 ? at(13, 0, 0) : at(12, 0, 0), _i == 0 ? 11 * MIN : 71 * MIN);
        ck_assert_uint_eq(w.entries[w.n_entries - 1].run, run);
}
END_TEST

START_TEST(a_boot_run_ends_the_wait_of_a_fixed_delay) {
        begin_at(11, 0, 0);
        struct job_when when = every(HOUR, JOB_MODE_FIXED_DELAY);
        when.catch_up_spread_us = 1000 * HOUR;
        when.on_boot_us = BOOTED + 3 * HOUR;
        define(when);
        down(at(11, 30, 0), at(13, 10, 0));
        run_to(14, 0, 0);
        ck_assert_int_eq(w.entries[1].item, WIRE_ITEM_BOOT);
        ck_assert_uint_eq(w.n_entries, 2);
        expect_next_at(15, 0, 0);
}
END_TEST

START_TEST(a_pause_withholds_what_waits_for_its_draw) {
        begin_at(11, 0, 0);
        struct job_when when = wall_grid(HOUR, 0);
        when.catch_up_spread_us = 1000 * HOUR;
        define(when);
        down(at(11, 30, 0), at(13, 10, 0));
        ck_assert_int_eq(world_pause(&w, "job", NO_LIMIT), 1);
        expect(1, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(12, 0, 0), at(13, 0, 0), 2);
}
END_TEST

static void teardown(void) {
        world_done(&w);
}

int main(void) {
        Suite *suite = suite_create("catch-up");
        TCase *tc = tcase_create("timelines");
        tcase_add_checked_fixture(tc, NULL, teardown);
        tcase_add_test(tc, v5_all_run_late_oldest_first_one_at_a_time);
        tcase_add_test(tc, a_job_that_catches_up_is_pending_until_the_last);
        tcase_add_test(tc, what_waits_outlives_another_death);
        tcase_add_test(tc, a_run_that_hangs_keeps_the_newest_only);
        tcase_add_test(tc, too_many_that_wait_are_told_while_a_run_hangs);
        tcase_add_test(tc, each_slot_has_its_own_deadline);
        tcase_add_test(tc, a_pause_withholds_what_waits);
        tcase_add_loop_test(tc, a_cancel_withholds_what_waits, 0, 2);
        tcase_add_loop_test(tc, a_definition_that_goes_withholds_what_waits, 0, 2);
        tcase_add_loop_test(tc, another_plan_ends_what_waits_of_the_old_one, 0, 2);
        tcase_add_test(tc, a_reload_that_changes_no_plan_leaves_what_waits);
        tcase_add_test(tc, a_trigger_behind_the_run_is_done_by_the_next_that_waits);
        tcase_add_test(tc, slots_under_a_step_of_the_clock_are_caught_up);
        tcase_add_test(tc, a_new_time_line_ends_what_waits);
        tcase_add_test(tc, v11_a_stop_leaves_what_waits_to_the_next_scheduler);
        tcase_add_test(tc, a_late_slot_without_company_is_no_catch_up);
        tcase_add_test(tc, several_late_slots_are_caught_up);
        tcase_add_test(tc, a_boot_run_ends_the_wait_of_a_fixed_delay);
        tcase_add_test(tc, an_overlapped_slot_is_not_caught_up);
        tcase_add_test(tc, the_boot_run_goes_first);
        tcase_add_test(tc, a_fixed_delay_that_does_not_catch_up_begins_anew);
        tcase_add_loop_test(tc, slots_of_a_short_grid_that_the_machine_slept_through_are_one_range, 0, 2);
        tcase_add_test(tc, the_latest_slot_of_a_sleep_is_caught_up);
        tcase_add_test(tc, all_slots_of_a_sleep_are_caught_up_but_the_oldest);
        tcase_add_loop_test(tc, a_fixed_delay_that_was_over_in_a_sleep_goes_by_catch_up, 0, 2);
        tcase_add_loop_test(tc, v7_a_large_step_over_a_slot_is_decided_by_catch_up, JOB_CATCH_UP_NONE, JOB_CATCH_UP_ALL + 1);
        tcase_add_test(tc, v7_a_weekend_without_power_comes_to_one_run);
        tcase_add_loop_test(tc, what_may_have_run_and_is_too_late_for_another_attempt_is_interrupted, 0, V11_START_RECORDED);
        tcase_add_loop_test(tc, v11_the_slot_of_a_power_cut_is_interrupted_unless_it_may_run_twice, 0, 2 * V11_MAX);
        tcase_add_test(tc, v7_at_the_first_right_time_a_weekend_comes_to_one_run);
        tcase_add_test(tc, wall_grids_wait_for_the_clock_no_longer_than_they_are_told);
        tcase_add_test(tc, a_clock_days_ahead_leaves_no_plan_in_the_future);
        tcase_add_loop_test(tc, intervals_go_on_where_the_clock_begins_long_ago, JOB_MODE_FIXED_DELAY, JOB_MODE_FIXED_RATE + 1);
        tcase_add_loop_test(tc, a_spread_delays_the_catch_up_by_a_draw, 0, 2);
        tcase_add_test(tc, the_next_slot_takes_a_catch_up_in_that_still_waits);
        tcase_add_loop_test(tc, a_trigger_ends_the_wait, 0, 2);
        tcase_add_test(tc, a_pause_withholds_what_waits_for_its_draw);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
