// SPDX-License-Identifier: MIT
// A fixed delay beside calendars: one job, two reasons to run, and each run moves the delay.

#include <check.h>

#include "tests/sim/calendars.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

/* Each run takes 5 min; the delay counts from the end of any. */
static struct job_when both(void) {
        return sim_when("Every=1h\nOnCalendar=14:00\nTimeZone=UTC\n");
}

START_TEST(the_delay_counts_from_the_end_of_any_run) {
        uint64_t run;
        begin_at(12, 0, 0);
        run_us = 5 * MIN;
        define(both());
        run_to(12, 0, 0);
        expect_ran(0, at(12, 0, 0), 0); /* a name that was never seen begins at once */
        ck_assert_int_eq(w.entries[0].item, WIRE_ITEM_DELAY);
        expect_next_at(13, 5, 0);
        expect_next_at(14, 0, 0); /* the calendar's, which moves the delay of 14:10 */
        ck_assert_int_eq(w.entries[2].item, WIRE_ITEM_SCHEDULE);
        expect_next_at(15, 5, 0);
        run_to(15, 30, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        expect_next_at(16, 35, 0);
        ck_assert_uint_eq(w.n_entries, 5);
}
END_TEST

START_TEST(two_slots_of_one_instant_are_one_run) {
        begin_at(12, 55, 0);
        run_us = 5 * MIN;
        define(both());
        run_to(14, 30, 0); /* over at 14:00, the calendar's instant */
        ck_assert_uint_eq(w.jobs[0].totals.started, 2);
        ck_assert_uint_eq(w.jobs[0].totals.ran, 2);
        ck_assert_uint_eq(w.jobs[0].totals.merged, 0);
        ck_assert_uint_eq(w.jobs[0].totals.missed, 0);
}
END_TEST

START_TEST(a_calendar_slot_under_a_run_is_missed_and_the_delay_waits_for_its_end) {
        begin_at(13, 0, 0);
        run_us = 2 * HOUR;
        define(both());
        run_to(16, 0, 0);
        expect_ran(0, at(13, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(14, 0, 0), at(14, 0, 0), 1);
        expect_ran(2, at(16, 0, 0), 0);
        ck_assert_uint_eq(w.n_entries, 3);
}
END_TEST

START_TEST(a_delay_that_is_over_while_nobody_is_up_is_due_at_once_once) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        run_us = 5 * MIN;
        define(both());
        run_to(12, 30, 0);
        world_power_cut(&w, HOUR, _i);
        run_to(13, 40, 0);
        expect_ran(0, at(12, 0, 0), 0);
        expect_ran(1, at(13, 5, 0), 25 * MIN);
        ck_assert_int_eq(w.entries[1].cause, RUN_CAUSE_CATCH_UP);
        expect_next_at(14, 0, 0);
}
END_TEST

/* Runs may be beside each other, and the ledger has heard nothing of the one that the runner has. */
START_TEST(a_delay_whose_run_the_runner_knows_is_over) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        run_us = 59 * MIN + 50 * SEC;
        struct job_when when = both();
        when.overlap = JOB_OVERLAP_PARALLEL;
        when.max_parallel = 3;
        define(when);
        run_to(13, 59, 0);
        run_us = 40 * MIN;
        world_slow_disk(&w, 1);
        for (int ms = 0; ms < 70000 && w.jobs[0].totals.started < 2; ms++)
                world_run_to(&w, w.now.bt_us + USEC_PER_MSEC);
        w.n_actions &= ~UINT64_C(1); /* what is on its way is lost */
        world_crash(&w, 30 * SEC);   /* over the calendar's slot, which may run beside it */
        run_to(14, 20, 0);
        ck_assert_uint_le(w.jobs[0].totals.started, 3);
        ck_assert_int_ne(w.jobs[0].start.item, WIRE_ITEM_DELAY);
}
END_TEST

START_TEST(a_pause_withholds_it_once) {
        begin_at(12, 0, 0);
        run_us = 5 * MIN;
        define(both());
        run_to(12, 30, 0);
        world_pause(&w, "job", INT64_MAX);
        run_to(13, 30, 0);
        expect(1, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(13, 5, 0), at(13, 5, 0), 1);
        world_resume(&w, "job");
        expect_next_at(14, 0, 0);
        world_pause(&w, "job", INT64_MAX);
        world_resume(&w, "job");
        expect_next_at(15, 5, 0);
}
END_TEST

START_TEST(a_reload_fires_nothing_and_an_interval_goes_on_from_the_last_end) {
        struct job_when when = both();
        begin_at(12, 0, 0);
        run_us = 5 * MIN;
        define(when);
        run_to(12, 50, 0);
        when.log = JOB_LOG_FAILURES;
        define(when);
        ck_assert_uint_eq(w.n_entries, 1);
        when.every_us = 20 * MIN; /* 12:25, 12:45 have passed */
        define(when);
        ck_assert_uint_eq(w.n_entries, 1);
        expect_next_at(13, 5, 0);
        expect_next_at(13, 30, 0);
        world_set_interval(&w, "job", 10 * MIN);
        run_to(13, 35, 0);
        expect_next_at(13, 45, 0);
}
END_TEST

START_TEST(until_ends_both) {
        struct job_when when = both();
        begin_at(12, 0, 0);
        run_us = 5 * MIN;
        when.until_us = at(14, 30, 0);
        define(when);
        run_to(18, 0, 0);
        ck_assert_uint_eq(w.n_entries, 3); /* 12:00, 13:05, 14:00 */
        ck_assert(w.jobs[0].is_finished);
        world_done(&w);
        begin_at(15, 0, 0);
        when.until_us = at(17, 30, 0); /* the next calendar slot is tomorrow */
        define(when);
        run_to(20, 0, 0);
        ck_assert_uint_eq(w.n_entries, 3); /* 15:00, 16:05, 17:10 */
        ck_assert(w.jobs[0].is_finished);
}
END_TEST

START_TEST(a_run_that_says_so_is_the_last) {
        begin_at(12, 0, 0);
        run_us = 5 * MIN;
        define(both());
        run_to(13, 0, 0);
        run_result = RUN_RESULT_FINISHED;
        run_to(20, 0, 0);
        ck_assert_uint_eq(w.n_entries, 2);
        ck_assert(w.jobs[0].is_finished);
        run_result = RUN_RESULT_SUCCESS;
        ck_assert_int_eq(world_start(&w, "job"), 1);
        run_to(20, 1, 0);
        ck_assert_uint_eq(w.n_entries, 3);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("beside");
        TCase *tc = tcase_create("beside");
        tcase_add_test(tc, the_delay_counts_from_the_end_of_any_run);
        tcase_add_test(tc, two_slots_of_one_instant_are_one_run);
        tcase_add_test(tc, a_calendar_slot_under_a_run_is_missed_and_the_delay_waits_for_its_end);
        tcase_add_loop_test(tc, a_delay_that_is_over_while_nobody_is_up_is_due_at_once_once, 0, 2);
        tcase_add_test(tc, a_delay_whose_run_the_runner_knows_is_over);
        tcase_add_test(tc, a_pause_withholds_it_once);
        tcase_add_test(tc, a_reload_fires_nothing_and_an_interval_goes_on_from_the_last_end);
        tcase_add_test(tc, until_ends_both);
        tcase_add_test(tc, a_run_that_says_so_is_the_last);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
