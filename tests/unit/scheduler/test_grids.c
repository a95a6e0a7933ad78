// SPDX-License-Identifier: MIT
// grids: Every= on the clock of a zone: timelines V3, V4 and V6 with Align= in Europe/Berlin; and beside calendars in one row of slots.

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/calendar_timeline.h"

#define RATE "Mode=fixed-rate\n"

/* ---- V3, V4 ---- */

START_TEST(v3_a_grid_of_a_zone_is_caught_up_once) {
        begin_on("2026-03-20 10:15");
        define(calendar("Every=1h\n" RATE "Align=2026-01-05 09:10"));
        go_to("2026-03-20 11:59:40");
        expect_ran_at(0, "2026-03-20 11:10", 0);
        world_crash(&w, when_is("2026-03-20 14:00:20") - w.now.rt_us);
        expect(1, SLOT_MERGED, SLOT_REASON_DOWN, when_is("2026-03-20 12:10"), when_is("2026-03-20 12:10"), 1);
        expect_ran_at(2, "2026-03-20 13:10", 50 * MIN + 20 * SEC);
        go_to("2026-03-20 14:10");
        expect_ran_at(3, "2026-03-20 14:10", 0);
        ck_assert_uint_eq(w.n_entries, 4);
}
END_TEST

START_TEST(v3_a_grid_under_an_hour_does_not_catch_up) {
        begin_on("2026-03-20 11:58:30");
        define(calendar("Every=1min\n" RATE "Align=hour"));
        go_to("2026-03-20 11:59:40");
        world_crash(&w, when_is("2026-03-20 14:00:20") - w.now.rt_us);
        go_to("2026-03-20 14:01");
        expect(1, SLOT_MISSED, SLOT_REASON_DOWN, when_is("2026-03-20 12:00"), when_is("2026-03-20 14:00"), 121);
        expect_ran_at(2, "2026-03-20 14:01", 0);
}
END_TEST

START_TEST(v4_another_interval_is_another_grid_through_the_same_time) {
        struct job_when when = calendar("Every=10min\n" RATE "Align=hour");
        begin_on("2026-03-20 10:15");
        define(when);
        go_to("2026-03-20 10:25");
        expect_ran_at(0, "2026-03-20 10:20", 0);
        when.log = JOB_LOG_FAILURES;
        define(when);
        go_to("2026-03-20 10:30");
        expect_ran_at(1, "2026-03-20 10:30", 0);
        ck_assert_uint_eq(world_find(&w, "job")->segment.number, 1);
        define(calendar("Every=15min\n" RATE "Align=hour"));
        go_to("2026-03-20 10:45");
        expect_ran_at(2, "2026-03-20 10:45", 0);
        ck_assert_int_eq(world_set_interval(&w, "job", 2 * MIN), 1);
        go_to("2026-03-20 10:46");
        expect_ran_at(3, "2026-03-20 10:46", 0);
        ck_assert_uint_eq(w.n_entries, 4);
}
END_TEST

START_TEST(v4_an_interval_goes_on_from_the_last_slot_of_a_grid_of_a_zone) {
        begin_on("2026-03-20 10:15");
        define(calendar("Every=10min\n" RATE "Align=hour"));
        go_to("2026-03-20 10:25");
        define(every(15 * MIN, JOB_MODE_FIXED_RATE));
        go_to("2026-03-20 10:35");
        ck_assert_uint_eq(w.n_entries, 2);
        expect_ran_at(1, "2026-03-20 10:35", 0);
}
END_TEST

/* ---- V6 ---- */

static const struct {
        const char *keys, *from, *until;
        size_t n;
        const char *slots[3]; /* the first ones */
} days[] = {
        {"Every=2w\n" RATE "Align=2026-03-16 09:00",
         "2026-03-15 00:00",
         "2026-04-13 06:59",
         2,
         {"2026-03-16 08:00", "2026-03-30 07:00"}},
        {"Every=1d\n" RATE "Align=2026-01-01 02:30", "2026-03-28 23:00", "2026-03-29 22:00", 1, {"2026-03-29 01:00"}},
        {"Every=1d\n" RATE "Align=2026-01-01 02:30\nGap=skip", "2026-03-28 23:00", "2026-03-29 22:00", 0, {NULL}},
        {"Every=1d\n" RATE "Align=2026-01-01 02:30", "2026-10-24 22:00", "2026-10-25 23:00", 1, {"2026-10-25 00:30"}},
        {"Every=1d\n" RATE "Align=2026-01-01 02:30\nFold=second",
         "2026-10-24 22:00",
         "2026-10-25 23:00",
         1,
         {"2026-10-25 01:30"}},
        {"Every=30min\n" RATE "Align=hour",
         "2026-03-28 22:59",
         "2026-03-29 21:59",
         46,
         {"2026-03-28 23:00", "2026-03-28 23:30"}},
        {"Every=30min\n" RATE "Align=hour",
         "2026-10-24 21:59",
         "2026-10-25 22:59",
         50,
         {"2026-10-24 22:00", "2026-10-24 22:30"}},
        {"Every=1d\n" RATE "Align=day", "2026-03-28 22:00", "2026-03-30 22:00", 3, {"2026-03-28 23:00", "2026-03-29 22:00"}},
        /* the first slot comes after the delay */
        {"Every=6h\n" RATE "Align=day\nInitialDelay=7h", "2026-03-20 10:00", "2026-03-20 22:30", 1, {"2026-03-20 17:00"}},
};

START_TEST(v6_a_grid_stays_on_the_clock_of_its_zone) {
        begin_on(days[_i].from);
        define(calendar(days[_i].keys));
        go_to(days[_i].until);
        ck_assert_uint_eq(w.n_entries, days[_i].n);
        for (size_t k = 0; k < 3 && days[_i].slots[k]; k++)
                expect_ran_at(k, days[_i].slots[k], 0);
}
END_TEST

/* ---- beside calendars ---- */

static const struct {
        const char *keys, *from, *until;
        size_t n;
        const char *slots[6];
} mixes[] = {
        /* equal instants are one slot */
        {"Every=1h\n" RATE "Align=hour\nOnCalendar=09:30\nOnCalendar=11:00",
         "2026-03-20 08:15",
         "2026-03-20 10:45",
         3,
         {"2026-03-20 08:30", "2026-03-20 09:00", "2026-03-20 10:00"}},
        {"Every=1d\n" RATE "Align=2026-01-01 02:30\nCron=30 * * * *",
         "2026-03-28 23:45",
         "2026-03-29 02:00",
         3,
         {"2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30"}},
        {"Every=1h\n" RATE "Align=epoch\nOnCalendar=10:30 UTC",
         "2026-03-20 10:15",
         "2026-03-20 11:15",
         2,
         {"2026-03-20 10:30", "2026-03-20 11:00"}},
        /* a grid from the job's first slot */
        {"Every=20min\n" RATE "OnCalendar=*:30",
         "2026-03-20 10:15:20",
         "2026-03-20 11:00",
         4,
         {"2026-03-20 10:15:20", "2026-03-20 10:30", "2026-03-20 10:35:20", "2026-03-20 10:55:20"}},
        /* only the interval's first slot is delayed */
        {"Every=20min\n" RATE "InitialDelay=10min\nOnCalendar=*:20,45",
         "2026-03-20 10:15",
         "2026-03-20 11:06",
         4,
         {"2026-03-20 10:20", "2026-03-20 10:25", "2026-03-20 10:45", "2026-03-20 11:05"}},
        {"Every=1d\n" RATE "OnCalendar=02:30",
         "2026-03-20 10:15",
         "2026-03-21 10:15",
         3,
         {"2026-03-20 10:15", "2026-03-21 01:30"}},
};

START_TEST(an_interval_and_calendars_are_one_row_of_slots) {
        begin_on(mixes[_i].from);
        define(calendar(mixes[_i].keys));
        go_to(mixes[_i].until);
        ck_assert_uint_eq(w.n_entries, mixes[_i].n);
        for (size_t k = 0; k < 6 && mixes[_i].slots[k]; k++)
                expect_ran_at(k, mixes[_i].slots[k], 0);
}
END_TEST

START_TEST(v4_beside_a_calendar_an_interval_goes_on_from_the_last_slot_of_its_grid) {
        begin_on("2026-03-20 10:10");
        define(calendar("Every=10min\n" RATE "OnCalendar=*:23,07"));
        go_to("2026-03-20 10:25");
        expect_ran_at(2, "2026-03-20 10:23", 0);
        define(calendar("Every=15min\n" RATE "OnCalendar=*:23,07"));
        go_to("2026-03-20 10:35");
        ck_assert_uint_eq(w.n_entries, 4);
        expect_ran_at(3, "2026-03-20 10:35", 0);
        go_to("2026-03-20 10:40");
        ck_assert_int_eq(world_set_interval(&w, "job", 2 * MIN), 1);
        go_to("2026-03-20 10:41");
        expect_ran_at(4, "2026-03-20 10:41", 0);
        ck_assert_int_eq(world_set_interval(&w, "job", 0), 1);
        go_to("2026-03-20 11:11");
        ck_assert_uint_eq(w.n_entries, 8);
        expect_ran_at(5, "2026-03-20 10:56", 0);
        expect_ran_at(6, "2026-03-20 11:07", 0);
        expect_ran_at(7, "2026-03-20 11:11", 0);
}
END_TEST

START_TEST(a_calendar_comes_to_a_grid_and_goes_again_without_a_slot_of_its_own) {
        begin_on("2026-03-20 10:10");
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        go_to("2026-03-20 10:25");
        define(calendar("Every=10min\n" RATE "OnCalendar=*:27"));
        go_to("2026-03-20 10:35");
        ck_assert_uint_eq(w.n_entries, 4);
        expect_ran_at(2, "2026-03-20 10:27", 0);
        expect_ran_at(3, "2026-03-20 10:30", 0);
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        go_to("2026-03-20 10:40");
        ck_assert_uint_eq(w.n_entries, 5);
        expect_ran_at(4, "2026-03-20 10:40", 0);
        define(calendar("OnCalendar=*:27"));
        go_to("2026-03-20 11:27");
        ck_assert_uint_eq(w.n_entries, 6);
        expect_ran_at(5, "2026-03-20 11:27", 0);
}
END_TEST

/* What the runner remembers is of the schedule before, on another clock. */
START_TEST(a_crash_after_an_interval_got_or_lost_its_calendar_does_not_take_up_the_other_clock) {
        struct job_when alone = every(10 * MIN, JOB_MODE_FIXED_RATE), beside = calendar("Every=10min\n" RATE "OnCalendar=*:27");
        begin_on("2026-03-20 10:10");
        define(_i == 0 ? alone : beside);
        define(_i == 0 ? beside : alone);
        ck_assert_uint_eq(w.n_entries, 1);
        world_crash(&w, MIN);
        go_to("2026-03-20 10:22");
        ck_assert_uint_eq(w.n_entries, 2);
        ck_assert_int_eq(w.entries[1].outcome, SLOT_RAN);
        ck_assert_int_gt(w.entries[1].first_rt_us, when_is("2026-03-20 10:19"));
}
END_TEST

START_TEST(a_step_of_the_clock_is_time_off_for_both) {
        begin_on("2026-03-20 10:15");
        define(calendar("Every=1h\n" RATE "OnCalendar=10:30 UTC"));
        go_to("2026-03-20 10:20");
        world_step_clock(&w, HOUR); /* over 10:30 and 11:15 */
        expect(1, SLOT_MERGED, SLOT_REASON_CLOCK_STEP, when_is("2026-03-20 10:30"), when_is("2026-03-20 10:30"), 1);
        expect_ran_at(2, "2026-03-20 11:15", 5 * MIN);
        go_to("2026-03-20 12:15");
        expect_ran_at(3, "2026-03-20 12:15", 0);
        world_step_clock(&w, -48 * HOUR); /* a new time line, the same grid */
        go_to("2026-03-18 13:15");
        expect_ran_at(4, "2026-03-18 13:15", 0);
}
END_TEST

START_TEST(more_slots_of_a_calendar_in_an_interval_than_are_counted_let_the_grid_begin_anew) {
        begin_on("2026-03-20 10:15");
        define(calendar("Every=60d\n" RATE "InitialDelay=30d\nOnCalendar=*:*:*\nOnCalendar=*:*:30"));
        struct world_job *job = world_find(&w, "job");
        ck_assert_int_eq(job->segment.first_key, 0);
        ck_assert_int_eq(job->segment.anchor_us, when_is("2026-03-20 10:15"));
}
END_TEST

/* ---- the ledger ---- */

START_TEST(a_ledger_brings_a_grid_beside_a_calendar_back_in_another_boot) {
        begin_on("2026-10-23 12:00");
        world_begin_ledger(&w);
        define(calendar("Every=7h\n" RATE "InitialDelay=3h\nOnCalendar=02:30\nOnCalendar=15:00"));
        go_to("2026-10-24 13:00");
        expect_ran_at(0, "2026-10-23 13:00", 0);
        expect_ran_at(1, "2026-10-23 15:00", 0);
        expect_ran_at(2, "2026-10-23 22:00", 0);
        size_t n = w.n_entries;
        world_power_cut(&w, 24 * HOUR, true);
        ck_assert_int_eq(world_set_interval(&w, "job", 5 * HOUR), 1);
        go_to("2026-10-26 01:30");
        ck_assert_msg(world_check(&w), "%s", w.error);
        ck_assert_uint_gt(w.n_entries, n + 2);
        ck_assert_uint_gt(store_audit(w.store, w.now), 0);
        ck_assert_str_eq(w.store->error, "");
}
END_TEST

START_TEST(a_ledger_brings_the_grid_back_in_another_boot) {
        begin_on("2026-10-23 12:00");
        world_begin_ledger(&w);
        define(calendar("Every=1d\n" RATE "Align=2026-01-01 02:30"));
        go_to("2026-10-24 13:00");
        expect_ran_at(0, "2026-10-24 00:30", 0);
        world_power_cut(&w, 24 * HOUR, true);
        go_to("2026-10-26 01:30");
        ck_assert_msg(world_check(&w), "%s", w.error);
        ck_assert_uint_eq(w.n_entries, 3);
        ck_assert_int_eq(w.entries[1].first_rt_us, when_is("2026-10-25 00:30"));
        expect_ran_at(2, "2026-10-26 01:30", 0);
        ck_assert_uint_eq(world_find(&w, "job")->segment.number, 1);
        ck_assert_uint_gt(store_audit(w.store, w.now), 0);
        ck_assert_str_eq(w.store->error, "");
}
END_TEST

static void end_world(void) {
        world_done(&w);
}

int main(void) {
        Suite *suite = suite_create("grids");
        TCase *tcase = tcase_create("grids");

        tcase_add_checked_fixture(tcase, NULL, end_world);
        tcase_add_test(tcase, v3_a_grid_of_a_zone_is_caught_up_once);
        tcase_add_test(tcase, v3_a_grid_under_an_hour_does_not_catch_up);
        tcase_add_test(tcase, v4_another_interval_is_another_grid_through_the_same_time);
        tcase_add_test(tcase, v4_an_interval_goes_on_from_the_last_slot_of_a_grid_of_a_zone);
        tcase_add_loop_test(tcase, v6_a_grid_stays_on_the_clock_of_its_zone, 0, (int)(sizeof(days) / sizeof(days[0])));
        tcase_add_loop_test(tcase, an_interval_and_calendars_are_one_row_of_slots, 0, (int)(sizeof(mixes) / sizeof(mixes[0])));
        tcase_add_test(tcase, v4_beside_a_calendar_an_interval_goes_on_from_the_last_slot_of_its_grid);
        tcase_add_test(tcase, a_calendar_comes_to_a_grid_and_goes_again_without_a_slot_of_its_own);
        tcase_add_loop_test(tcase, a_crash_after_an_interval_got_or_lost_its_calendar_does_not_take_up_the_other_clock, 0, 2);
        tcase_add_test(tcase, a_step_of_the_clock_is_time_off_for_both);
        tcase_add_test(tcase, more_slots_of_a_calendar_in_an_interval_than_are_counted_let_the_grid_begin_anew);
        tcase_add_test(tcase, a_ledger_brings_the_grid_back_in_another_boot);
        tcase_add_test(tcase, a_ledger_brings_a_grid_beside_a_calendar_back_in_another_boot);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
