// SPDX-License-Identifier: MIT
// Slots on days that Only= and Except= leave out are withheld, whatever else would have become of them; all others are as ever.

#include <check.h>

#include "tests/sim/calendars.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

#define WEEKEND "Except=weekend: Sat Sun\nTimeZone=UTC\n"
#define DAY     (24 * HOUR)

/* The world begins on a Friday at noon. */
static void run_days(int64_t us) {
        world_run_to(&w, w.now.bt_us + us);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

static struct job_when hourly(void) {
        return sim_when("Every=1h\nMode=fixed-rate\nAlign=epoch\n" WEEKEND);
}

START_TEST(a_weekend_is_one_range_of_withheld) {
        begin_at(12, 0, 0);
        define(sim_when("OnCalendar=02:30\n" WEEKEND));
        run_days(4 * DAY);
        expect(0, SLOT_WITHHELD, SLOT_REASON_CALENDAR, at(26, 30, 0), at(50, 30, 0), 2);
        expect_ran(1, at(74, 30, 0), 0);
        expect_ran(2, at(98, 30, 0), 0);
        ck_assert_uint_eq(w.n_entries, 3);
}
END_TEST

/* By a fixed rate on either clock; often, and rarely. */
static const struct {
        const char *text;
        uint64_t ran, withheld;
} rates[] = {
        {"Every=1h\nMode=fixed-rate\n", 12 + 25, 48},
        {"Every=1h\nMode=fixed-rate\nAlign=epoch\n", 12 + 25, 48},
        {"Every=1s\nMode=fixed-rate\n", 12 * 3600 + 24 * 3600 + 1, 48 * 3600},
        {"OnCalendar=*:*:0/10\n", 12 * 360 + 24 * 360 + 1, 48 * 360},
        {"Cron=0 0 1 1 *\n", 0, 0},
};

START_TEST(each_slot_has_the_outcome_of_its_day) {
        char text[200];
        begin_at(12, 0, 0);
        snprintf(text, sizeof(text), "%s" WEEKEND, rates[_i].text);
        define(sim_when(text));
        run_days(3 * DAY + 12 * HOUR);
        ck_assert_uint_eq(w.jobs[0].totals.ran, rates[_i].ran);
        ck_assert_uint_eq(w.jobs[0].totals.withheld, rates[_i].withheld);
        ck_assert_uint_eq(w.jobs[0].totals.missed, 0);
}
END_TEST

START_TEST(an_outage_over_a_closed_day_catches_up_the_latest_open_slot) {
        begin_at(12, 0, 0);
        define(hourly());
        run_to(20, 30, 0);
        world_crash(&w, 40 * HOUR); /* until Sunday, 12:30 */
        expect(9, SLOT_MERGED, SLOT_REASON_DOWN, at(21, 0, 0), at(22, 0, 0), 2);
        expect_ran(10, at(23, 0, 0), 37 * HOUR + 30 * MIN);
        ck_assert_uint_eq(w.jobs[0].totals.missed, 0);
        run_days(12 * HOUR);
        expect(11, SLOT_WITHHELD, SLOT_REASON_CALENDAR, at(24, 0, 0), at(60, 0, 0), 37); /* told with the run's end */
        expect(12, SLOT_WITHHELD, SLOT_REASON_CALENDAR, at(61, 0, 0), at(71, 0, 0), 11);
        expect_ran(13, at(72, 0, 0), 0);
}
END_TEST

START_TEST(what_is_missed_and_what_is_closed_are_told_apart) {
        begin_at(12, 0, 0);
        struct job_when when = hourly();
        when.catch_up = JOB_CATCH_UP_NONE;
        run_us = 62 * HOUR; /* over the weekend, until Monday 02:00 */
        define(when);
        run_days(62 * HOUR);
        expect_ran(0, at(12, 0, 0), 0);
        expect(w.n_entries - 1, SLOT_RAN, SLOT_REASON_NONE, at(74, 0, 0), at(74, 0, 0), 1);
        ck_assert_uint_eq(w.jobs[0].totals.by_reason[SLOT_REASON_OVERLAP], 11 + 2);
        ck_assert_uint_eq(w.jobs[0].totals.by_reason[SLOT_REASON_CALENDAR], 48);
}
END_TEST

START_TEST(only_an_open_slot_waits_for_a_run) {
        begin_at(12, 0, 0);
        struct job_when when = hourly();
        when.overlap = JOB_OVERLAP_QUEUE;
        run_us = 62 * HOUR + 30 * MIN;
        define(when);
        world_run_to(&w, w.now.bt_us + 12 * HOUR + 30 * MIN); /* 13:00 waits */
        run_days(50 * HOUR);
        ck_assert_int_eq(w.entries[w.n_entries - 1].first_rt_us, at(13, 0, 0));
        world_done(&w);
        begin_at(22, 30, 0);
        run_us = 26 * HOUR; /* until Sunday, 01:00 */
        define(when);
        run_days(50 * HOUR);
        ck_assert_uint_eq(w.jobs[0].totals.ran, 2); /* the second one on Monday */
        ck_assert_uint_eq(w.jobs[0].totals.withheld, 48);
        ck_assert_int_eq(w.entries[w.n_entries - 1].first_rt_us, at(72, 0, 0));
}
END_TEST

START_TEST(a_fixed_delay_goes_on_when_the_days_are_over) {
        begin_at(12, 0, 0);
        run_us = MIN;
        define(sim_when("Every=5h\n" WEEKEND));
        run_days(2 * DAY + 13 * HOUR);
        expect_ran(2, at(22, 2, 0), 0);
        expect(3, SLOT_WITHHELD, SLOT_REASON_CALENDAR, at(27, 3, 0), at(27, 3, 0), 1);
        expect_ran(4, at(72, 0, 0), 0);
        ck_assert_uint_eq(w.n_entries, 5);
}
END_TEST

START_TEST(slots_of_boots_and_resumes_have_days_too) {
        begin_at(12, 0, 0);
        define(sim_when("OnWake=yes\n" WEEKEND));
        run_to(13, 0, 0);
        world_suspend(&w, HOUR);
        run_days(12 * HOUR);
        world_suspend(&w, HOUR);
        run_days(HOUR);
        expect_ran(0, at(14, 0, 0), 0);
        expect(1, SLOT_WITHHELD, SLOT_REASON_CALENDAR, at(27, 0, 0), at(27, 0, 0), 1);
        ck_assert_int_eq(w.entries[1].item, WIRE_ITEM_WAKE);
}
END_TEST

START_TEST(the_next_slots_are_those_that_may_run) {
        int64_t slot_us[4], start_us[4];
        begin_at(12, 0, 0);
        define(sim_when("OnCalendar=02:30\nRandomizedDelay=1h\n" WEEKEND));
        uint32_t job = engine_find_job(w.engine, "job");
        ck_assert_uint_eq(engine_next_slots(w.engine, w.now, job, w.now.rt_us, 4, slot_us, start_us), 4);
        for (int i = 0; i < 4; i++) {
                ck_assert_int_eq(slot_us[i], at(74 + 24 * i, 30, 0));
                ck_assert(start_us[i] >= slot_us[i] && start_us[i] <= slot_us[i] + HOUR);
        }
        run_days(3 * DAY + 12 * HOUR); /* what was said comes so */
        ck_assert_int_eq(w.entries[1].start_rt_us, start_us[0]);
        define(sim_when("OnCalendar=*-*-1..5 12:00\nOnly=never: 2020-01-01\nTimeZone=UTC\n"));
        ck_assert_uint_eq(engine_next_slots(w.engine, w.now, job, w.now.rt_us, 4, slot_us, start_us), 0);
}
END_TEST

START_TEST(an_interrupted_slot_was_an_open_one) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        struct job_when when = hourly();
        when.is_interrupted_retried = true;
        define(when);
        run_to(23, 59, 59);
        world_power_cut(&w, 2 * HOUR, true);
        run_days(DAY);
        ck_assert_uint_eq(w.jobs[0].totals.interrupted, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ran, 12);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("closed");
        TCase *tc = tcase_create("closed");
        tcase_add_test(tc, a_weekend_is_one_range_of_withheld);
        tcase_add_loop_test(tc, each_slot_has_the_outcome_of_its_day, 0, sizeof(rates) / sizeof(rates[0]));
        tcase_add_test(tc, an_outage_over_a_closed_day_catches_up_the_latest_open_slot);
        tcase_add_test(tc, what_is_missed_and_what_is_closed_are_told_apart);
        tcase_add_test(tc, only_an_open_slot_waits_for_a_run);
        tcase_add_test(tc, a_fixed_delay_goes_on_when_the_days_are_over);
        tcase_add_test(tc, slots_of_boots_and_resumes_have_days_too);
        tcase_add_test(tc, the_next_slots_are_those_that_may_run);
        tcase_add_test(tc, an_interrupted_slot_was_an_open_one);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
