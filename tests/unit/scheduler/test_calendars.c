// SPDX-License-Identifier: MIT
// calendars: timelines V4, V6 and V7 with OnCalendar= and Cron= in Europe/Berlin, and what is different where slots have no interval.

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/calendar_timeline.h"

/* ---- V4 ---- */

START_TEST(v4_a_changed_calendar_counts_from_now) {
        begin_on("2026-03-20 08:00"); /* 09:00 in Berlin */
        define(calendar("OnCalendar=11:00"));
        go_to("2026-03-20 09:25");
        define(calendar("OnCalendar=09:00"));
        go_to("2026-03-21 07:59:59");
        ck_assert_uint_eq(w.n_entries, 0);
        go_to("2026-03-21 08:00");
        expect_ran_at(0, "2026-03-21 08:00", 0);
}
END_TEST

START_TEST(v4_what_is_no_schedule_key_changes_no_calendar) {
        struct job_when when = calendar("OnCalendar=11:00");
        begin_on("2026-03-20 08:00");
        define(when);
        go_to("2026-03-20 09:25");
        when.log = JOB_LOG_FAILURES;
        define(when);
        go_to("2026-03-20 10:00");
        ck_assert_uint_eq(w.n_entries, 1);
        expect_ran_at(0, "2026-03-20 10:00", 0);
        ck_assert_uint_eq(world_find(&w, "job")->segment.number, 1);
}
END_TEST

START_TEST(v4_a_calendar_that_was_gone_has_no_slots_meanwhile) {
        begin_on("2026-03-20 09:00");
        define(calendar("OnCalendar=*:0/10"));
        go_to("2026-03-20 09:39:59");
        world_remove(&w, "job");
        world_commit(&w);
        go_to("2026-03-20 09:55");
        size_t n = w.n_entries;
        define(calendar("OnCalendar=*:0/10"));
        go_to("2026-03-20 10:00");
        ck_assert_uint_eq(w.n_entries, n + 1);
        expect_ran_at(n, "2026-03-20 10:00", 0);
}
END_TEST

START_TEST(a_calendar_becomes_an_interval_and_back_without_a_slot_of_its_own) {
        begin_on("2026-03-20 09:00");
        define(calendar("OnCalendar=*:20"));
        go_to("2026-03-20 09:25");
        expect_ran_at(0, "2026-03-20 09:20", 0);
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        go_to("2026-03-20 09:31"); /* 09:20 + n * 10 min */
        ck_assert_uint_eq(w.n_entries, 2);
        expect_ran_at(1, "2026-03-20 09:30", 0);
        define(calendar("OnCalendar=*:45"));
        go_to("2026-03-20 09:45");
        ck_assert_uint_eq(w.n_entries, 3);
        expect_ran_at(2, "2026-03-20 09:45", 0);
        define(every(10 * MIN, JOB_MODE_FIXED_DELAY));
        go_to("2026-03-20 09:55");
        ck_assert_uint_eq(w.n_entries, 4);
        expect_ran_at(3, "2026-03-20 09:55", 0);
}
END_TEST

START_TEST(a_calendar_without_a_slot_yet_becomes_an_interval_from_now) {
        begin_on("2026-03-20 09:00");
        define(calendar("OnCalendar=11:20"));
        go_to("2026-03-20 09:25");
        define(every(10 * MIN, JOB_MODE_FIXED_RATE));
        go_to("2026-03-20 09:35");
        ck_assert_uint_eq(w.n_entries, 1);
        expect_ran_at(0, "2026-03-20 09:35", 0);
}
END_TEST

/* ---- V6 ---- */

static const struct {
        const char *keys, *from, *until;
        size_t n;
        const char *slots[3]; /* the first ones */
} days[] = {
        {"OnCalendar=02:30", "2026-03-28 23:00", "2026-03-29 22:00", 1, {"2026-03-29 01:00"}},
        {"OnCalendar=02:30\nGap=skip", "2026-03-28 23:00", "2026-03-29 22:00", 0, {NULL}},
        {"OnCalendar=02,03:00", "2026-03-28 23:00", "2026-03-29 22:00", 1, {"2026-03-29 01:00"}},
        {"OnCalendar=*:0/30", "2026-03-28 22:59", "2026-03-29 21:59", 46, {"2026-03-28 23:00", "2026-03-28 23:30"}},
        {"OnCalendar=02:30", "2026-10-24 22:00", "2026-10-25 23:00", 1, {"2026-10-25 00:30"}},
        {"OnCalendar=02:30\nFold=second", "2026-10-24 22:00", "2026-10-25 23:00", 1, {"2026-10-25 01:30"}},
        {"OnCalendar=02:30\nFold=both", "2026-10-24 22:00", "2026-10-25 23:00", 2, {"2026-10-25 00:30", "2026-10-25 01:30"}},
        {"OnCalendar=*:0/30", "2026-10-24 21:59", "2026-10-25 22:59", 50, {"2026-10-24 22:00", "2026-10-24 22:30"}},
        {"Cron=*/30 2 * * *",
         "2026-10-24 22:00",
         "2026-10-25 23:00",
         4,
         {"2026-10-25 00:00", "2026-10-25 00:30", "2026-10-25 01:00"}},
        {"Cron=30 2 * * *", "2026-03-28 23:00", "2026-03-29 22:00", 1, {"2026-03-29 01:00"}},
        {"OnCalendar=12:00 America/New_York\nCron=0 17 * * *", "2026-03-27 23:00", "2026-03-28 22:00", 1, {"2026-03-28 16:00"}},
        {"OnCalendar=12:00 America/New_York\nCron=0 18 * * *", "2026-03-28 22:30", "2026-03-29 22:00", 1, {"2026-03-29 16:00"}},
};

START_TEST(v6_a_day_of_gap_or_fold_has_its_slots) {
        begin_on(days[_i].from);
        define(calendar(days[_i].keys));
        go_to(days[_i].until);
        ck_assert_uint_eq(w.n_entries, days[_i].n);
        for (size_t k = 0; k < 3 && days[_i].slots[k]; k++)
                expect_ran_at(k, days[_i].slots[k], 0);
}
END_TEST

/* ---- V7: daily at 02:30 ---- */

static struct job_when nightly(enum job_catch_up catch_up) {
        struct job_when when = calendar("OnCalendar=02:30");
        when.catch_up = (uint8_t)catch_up;
        return when;
}

START_TEST(v7_a_small_step_over_the_slot_runs_it_late) {
        begin_on("2026-03-20 01:29:55"); /* 02:29:55 in Berlin */
        define(nightly(JOB_CATCH_UP_ONE));
        world_step_clock(&w, 10 * SEC);
        expect_ran_at(0, "2026-03-20 01:30", 5 * SEC);
}
END_TEST

START_TEST(v7_a_step_over_the_slot_is_caught_up) {
        begin_on("2026-03-20 01:00");
        define(nightly(JOB_CATCH_UP_ONE));
        world_step_clock(&w, HOUR);
        expect_ran_at(0, "2026-03-20 01:30", 30 * MIN);
        ck_assert_int_eq(w.entries[0].cause, RUN_CAUSE_CATCH_UP);
}
END_TEST

START_TEST(v7_a_step_over_the_slot_misses_it_where_nothing_is_caught_up) {
        begin_on("2026-03-20 01:00");
        define(nightly(JOB_CATCH_UP_NONE));
        world_step_clock(&w, HOUR);
        expect(0, SLOT_MISSED, SLOT_REASON_CLOCK_STEP, when_is("2026-03-20 01:30"), when_is("2026-03-20 01:30"), 1);
}
END_TEST

START_TEST(v7_a_step_back_repeats_no_slot) {
        begin_on("2026-03-20 01:00");
        define(nightly(JOB_CATCH_UP_ONE));
        go_to("2026-03-20 01:35");
        ck_assert_uint_eq(w.n_entries, 1);
        world_step_clock(&w, -HOUR);
        go_to("2026-03-21 01:00");
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(v7_a_step_back_of_days_begins_a_new_time_line) {
        begin_on("2026-03-20 01:00");
        define(nightly(JOB_CATCH_UP_ONE));
        go_to("2026-03-20 01:35");
        world_step_clock(&w, -48 * HOUR);
        ck_assert_uint_eq(world_find(&w, "job")->segment.number, 2);
        go_to("2026-03-19 01:30");
        ck_assert_uint_eq(w.n_entries, 2);
        expect_ran_at(1, "2026-03-19 01:30", 0);
}
END_TEST

START_TEST(v7_without_a_clock_a_weekend_is_caught_up_at_the_first_synchronisation) {
        begin_on("2026-03-20 12:00"); /* a Friday */
        world_begin_ledger(&w);
        define(nightly(JOB_CATCH_UP_ONE));
        go_to("2026-03-20 19:00");
        w.hello.is_synchronised = false;
        world_power_cut(&w, 0, true);
        size_t n = w.n_entries;
        world_synchronise(&w, when_is("2026-03-23 07:00") - w.now.rt_us);
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_uint_eq(w.n_entries, n + 2);
        expect(n, SLOT_MERGED, SLOT_REASON_DOWN, when_is("2026-03-21 01:30"), when_is("2026-03-22 01:30"), 2);
        ck_assert_int_eq(w.entries[n + 1].first_rt_us, when_is("2026-03-23 01:30"));
        ck_assert_int_eq(w.entries[n + 1].outcome, SLOT_RAN);
}
END_TEST

/* ---- catching up, delays, the end ---- */

static const struct {
        const char *keys, *off, *up;
        enum slot_outcome first;
} outages[] = {
        /* the next slot is near: within ten minutes and a tenth of the way to it */
        {"OnCalendar=*:0", "2026-03-20 09:30", "2026-03-20 10:55", SLOT_MERGED},
        {"OnCalendar=*:0", "2026-03-20 09:30", "2026-03-20 10:53", SLOT_RAN},
        {"OnCalendar=*:0,20", "2026-03-20 09:50", "2026-03-20 10:18:30", SLOT_MERGED},
        {"OnCalendar=*:0,20", "2026-03-20 10:10", "2026-03-20 10:56:30", SLOT_MERGED}, /* of 40 minutes */
        {"OnCalendar=*:0,20", "2026-03-20 09:50", "2026-03-20 10:17:30", SLOT_RAN},
        {"OnCalendar=Mon 11:00", "2026-03-20 09:30", "2026-03-23 09:59", SLOT_OUTCOME_MAX},
};

START_TEST(a_near_next_slot_takes_the_catch_up_in) {
        begin_on("2026-03-20 08:35");
        define(calendar(outages[_i].keys));
        go_to(outages[_i].off);
        size_t n = w.n_entries;
        world_crash(&w, when_is(outages[_i].up) - when_is(outages[_i].off));
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_int_eq(w.n_entries > n ? w.entries[n].outcome : SLOT_OUTCOME_MAX,
                         outages[_i].first == SLOT_MERGED ? SLOT_OUTCOME_MAX : outages[_i].first);
        if (outages[_i].first != SLOT_MERGED)
                return;
        world_run_to(&w, w.now.bt_us + 6 * MIN);
        ck_assert_uint_gt(w.n_entries, n);
        ck_assert_int_eq(w.entries[n].outcome, SLOT_MERGED);
}
END_TEST

START_TEST(catch_up_all_runs_each_slot_of_a_calendar) {
        struct job_when when = calendar("OnCalendar=*:0,20");
        when.catch_up = JOB_CATCH_UP_ALL;
        when.is_catch_up_set = true;
        when.catch_up_max = 3;
        begin_on("2026-03-20 08:50");
        run_us = 5 * MIN;
        define(when);
        go_to("2026-03-20 08:55");
        world_crash(&w, when_is("2026-03-20 11:10") - when_is("2026-03-20 08:55"));
        go_to("2026-03-20 11:30");
        expect(0, SLOT_MISSED, SLOT_REASON_DOWN, when_is("2026-03-20 09:00"), when_is("2026-03-20 09:20"), 2);
        expect_ran_at(1, "2026-03-20 10:00", 70 * MIN);
        expect_ran_at(2, "2026-03-20 10:20", 55 * MIN);
        expect_ran_at(3, "2026-03-20 11:00", 20 * MIN);
        expect_ran_at(4, "2026-03-20 11:20", 5 * MIN);
        ck_assert_uint_eq(w.n_entries, 5);
}
END_TEST

START_TEST(an_outage_of_a_year_is_one_range_per_second) {
        struct job_when when = calendar("OnCalendar=*:*:*");
        when.catch_up = JOB_CATCH_UP_NONE;
        begin_on("2026-01-01 00:00");
        define(when);
        go_to("2026-01-01 00:00:10");
        size_t n = w.n_entries;
        world_crash(&w, 365 * 24 * HOUR);
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_int_eq(w.entries[n].reason, SLOT_REASON_DOWN);
        ck_assert_uint_eq(w.entries[n].n, 365 * 24 * 3600 - 1);
}
END_TEST

START_TEST(a_drawn_delay_stays_below_the_next_slot_and_is_not_rerolled) {
        struct job_when when = calendar("OnCalendar=*:0,1,20");
        int64_t lags[6];
        when.random_delay_us = 30 * MIN;
        begin_on("2026-03-20 08:50");
        define(when);
        go_to("2026-03-20 10:50");
        ck_assert_uint_eq(w.n_entries, 6);
        for (size_t i = 0; i < 6; i++) {
                const struct world_entry *e = &w.entries[i];
                int64_t room_us = i % 3 == 0 ? MIN : i % 3 == 1 ? 19 * MIN : 40 * MIN;
                lags[i] = e->start_rt_us - e->first_rt_us;
                ck_assert_int_eq(e->outcome, SLOT_RAN);
                ck_assert_int_lt(lags[i], room_us);
                ck_assert_int_le(lags[i], 30 * MIN);
        }
        world_done(&w);
        begin_on("2026-03-20 08:50");
        define(when);
        go_to("2026-03-20 08:55");
        world_crash(&w, SEC);
        go_to("2026-03-20 10:50");
        for (size_t i = 0; i < 6; i++)
                ck_assert_int_eq(lags[i], w.entries[i].start_rt_us - w.entries[i].first_rt_us);
}
END_TEST

START_TEST(a_delay_in_percent_is_of_the_distance) {
        struct job_when when = calendar("OnCalendar=*:0,1,20");
        when.random_delay_ppm = 500000;
        begin_on("2026-03-20 08:50");
        define(when);
        go_to("2026-03-20 19:50");
        int64_t longest[3] = {0};
        for (size_t i = 0; i < w.n_entries; i++)
                if (longest[i % 3] < w.entries[i].start_rt_us - w.entries[i].first_rt_us)
                        longest[i % 3] = w.entries[i].start_rt_us - w.entries[i].first_rt_us;
        ck_assert_int_le(longest[0], 30 * SEC);
        ck_assert(longest[1] > 4 * MIN && longest[1] <= 570 * SEC);
        ck_assert(longest[2] > 10 * MIN && longest[2] <= 20 * MIN);
}
END_TEST

START_TEST(overlapped_slots_of_a_calendar_are_one_range) {
        begin_on("2026-03-20 08:59");
        run_us = 25 * SEC;
        define(calendar("OnCalendar=*:*:0/10"));
        go_to("2026-03-20 09:00");
        expect_ran_at(0, "2026-03-20 08:59:00", 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, when_is("2026-03-20 08:59:10"), when_is("2026-03-20 08:59:20"), 2);
        expect_ran_at(2, "2026-03-20 08:59:30", 0);
}
END_TEST

START_TEST(a_calendar_that_is_over_has_no_next_slot) {
        struct job_view view;
        begin_on("2026-12-24 16:00");
        define(calendar("OnCalendar=2026-12-24 18:00"));
        go_to("2026-12-24 17:00");
        expect_ran_at(0, "2026-12-24 17:00", 0);
        engine_view(w.engine, w.now, engine_find_job(w.engine, "job"), &view);
        ck_assert_int_eq(view.next_slot_rt_us, INT64_MAX);
        ck_assert_int_eq(view.status, JOB_STATUS_FINISHED);
        world_crash(&w, 400 * 24 * HOUR);
        world_run_to(&w, w.now.bt_us + 24 * HOUR);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_msg(world_check(&w), "%s", w.error);
}
END_TEST

/* A run of the plan before is in flight: its slot is one of the calendar's, too, but not of that plan. */
START_TEST(a_crash_after_a_grid_became_a_calendar_does_not_take_up_the_grids_keys) {
        begin_on("2026-03-20 08:59:30");
        run_us = 10 * MIN;
        define(wall_grid(HOUR, 0));
        go_to("2026-03-20 09:01");
        expect_ran_at(0, "2026-03-20 09:00", 0);
        define(calendar("OnCalendar=*:0/5\nTimeZone=UTC"));
        world_crash(&w, SEC);
        go_to("2026-03-20 09:15");
        ck_assert_msg(world_check(&w), "%s", w.error);
        ck_assert_uint_gt(world_find(&w, "job")->segment.number, 1);
        ck_assert_int_eq(world_find(&w, "job")->segment.first_key, 0);
}
END_TEST

START_TEST(the_next_slots_of_a_calendar_follow_its_zone) {
        static const char *const slots[] = {"2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30", "2026-10-27 01:30"};
        int64_t slot_us[4], start_us[4];
        begin_on("2026-10-23 12:00");
        define(calendar("OnCalendar=02:30"));
        ck_assert_uint_eq(
                engine_next_slots(w.engine, w.now, engine_find_job(w.engine, "job"), w.now.rt_us, 4, slot_us, start_us), 4);
        for (size_t i = 0; i < 4; i++)
                ck_assert_int_eq(slot_us[i], when_is(slots[i]));
}
END_TEST

START_TEST(a_ledger_brings_the_plan_back_in_another_boot) {
        begin_on("2026-03-20 08:50");
        world_begin_ledger(&w);
        run_us = MIN;
        define(calendar("OnCalendar=*:0,20"));
        go_to("2026-03-20 09:30");
        size_t n = w.n_entries;
        world_power_cut(&w, 2 * HOUR, true); /* 11:30 */
        go_to("2026-03-20 12:10");
        ck_assert_msg(world_check(&w), "%s", w.error);
        expect(n, SLOT_MERGED, SLOT_REASON_DOWN, when_is("2026-03-20 10:00"), when_is("2026-03-20 11:00"), 3);
        ck_assert_int_eq(w.entries[n + 1].first_rt_us, when_is("2026-03-20 11:20"));
        expect_ran_at(n + 2, "2026-03-20 12:00", 0);
        ck_assert_uint_eq(world_find(&w, "job")->segment.number, 1);
}
END_TEST

START_TEST(a_plan_that_was_made_with_other_data_of_its_zone_begins_anew) {
        struct job_when when = calendar("OnCalendar=02:30");
        struct clock_sample now = {.rt_us = when_is("2026-07-10 12:00"), .bt_us = BOOTED};
        struct engine *e = NULL;
        struct wire_hello hello = {.next_run = 9, .is_synchronised = true};
        struct job_image image = {.segment = 3, .key = 40, .is_planned = true, .paused_until_rt_us = INT64_MAX};
        image.anchor_us = when_is("2026-06-01 01:30");
        image.next_us = _i != 1 ? when_is("2026-07-11 00:30")
                                : when_is("2026-07-11 01:30"); /* before the country gave up summer time */
        if (_i >= 2)                                           /* the country has said what it will do next year */
                image.calendar = agenda_hash(when.agenda);
        image.calendar.word[0] += _i == 2;
        ck_assert_int_eq(engine_new(&hello, &e), 0);
        engine_set_past(e, &(struct engine_past){.is_same_runner = true, .last = now, .horizon = now});
        ck_assert_int_eq(engine_restore(e, now, "job", &when, &image), 0);
        ck_assert_int_eq(engine_define(e, &(struct wire_define){.name = (char *)"job"}, &when, NULL), 0);
        ck_assert_int_eq(engine_commit(e, now, &(struct wire_commit){.generation = 1, .is_resync = true}), 0);
        const struct job_row *row = &engine_registry(e)->rows[0];
        ck_assert_int_eq(row->next_us, when_is("2026-07-11 00:30"));
        ck_assert_uint_eq(row->segment, _i == 0 || _i == 3 ? 3 : 4);
        ck_assert_int_eq(row->key, _i == 0 || _i == 3 ? 40 : 0);
        engine_free(e);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void) {
        Suite *suite = suite_create("calendars");
        TCase *tcase = tcase_create("calendars");
        tcase_add_test(tcase, v4_a_changed_calendar_counts_from_now);
        tcase_add_test(tcase, v4_what_is_no_schedule_key_changes_no_calendar);
        tcase_add_test(tcase, v4_a_calendar_that_was_gone_has_no_slots_meanwhile);
        tcase_add_test(tcase, a_calendar_becomes_an_interval_and_back_without_a_slot_of_its_own);
        tcase_add_test(tcase, a_calendar_without_a_slot_yet_becomes_an_interval_from_now);
        tcase_add_loop_test(tcase, v6_a_day_of_gap_or_fold_has_its_slots, 0, ROWS(days));
        tcase_add_test(tcase, v7_a_small_step_over_the_slot_runs_it_late);
        tcase_add_test(tcase, v7_a_step_over_the_slot_is_caught_up);
        tcase_add_test(tcase, v7_a_step_over_the_slot_misses_it_where_nothing_is_caught_up);
        tcase_add_test(tcase, v7_a_step_back_repeats_no_slot);
        tcase_add_test(tcase, v7_a_step_back_of_days_begins_a_new_time_line);
        tcase_add_test(tcase, v7_without_a_clock_a_weekend_is_caught_up_at_the_first_synchronisation);
        tcase_add_loop_test(tcase, a_near_next_slot_takes_the_catch_up_in, 0, ROWS(outages));
        tcase_add_test(tcase, catch_up_all_runs_each_slot_of_a_calendar);
        tcase_add_test(tcase, an_outage_of_a_year_is_one_range_per_second);
        tcase_add_test(tcase, a_drawn_delay_stays_below_the_next_slot_and_is_not_rerolled);
        tcase_add_test(tcase, a_delay_in_percent_is_of_the_distance);
        tcase_add_test(tcase, overlapped_slots_of_a_calendar_are_one_range);
        tcase_add_test(tcase, a_calendar_that_is_over_has_no_next_slot);
        tcase_add_test(tcase, a_crash_after_a_grid_became_a_calendar_does_not_take_up_the_grids_keys);
        tcase_add_test(tcase, the_next_slots_of_a_calendar_follow_its_zone);
        tcase_add_test(tcase, a_ledger_brings_the_plan_back_in_another_boot);
        tcase_add_loop_test(tcase, a_plan_that_was_made_with_other_data_of_its_zone_begins_anew, 0, 4);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
