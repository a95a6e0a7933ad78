// SPDX-License-Identifier: MIT
// Where schedules begin and end: NotBefore=, Until=, MaxRuns=; the slots of resumes; delays that stay the same.

#include <check.h>

#include "tests/sim/calendars.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

/* Each kind of schedule has its slots from the first to the last instant, both included, and is finished then. */
static const struct {
        const char *name;
        int64_t every_us;
        enum job_mode mode;
        enum job_align align;
        const char *calendar;
        int first_m, n; /* minutes after noon; slots until 12:30 */
} kinds[] = {
        {"fixed delay", 10 * MIN, JOB_MODE_FIXED_DELAY, JOB_ALIGN_START, NULL, 7, 3},
        {"start grid", 10 * MIN, JOB_MODE_FIXED_RATE, JOB_ALIGN_START, NULL, 7, 3},
        {"wall grid", 10 * MIN, JOB_MODE_FIXED_RATE, JOB_ALIGN_WALL, NULL, 10, 3},
        {"calendar", 0, JOB_MODE_FIXED_DELAY, JOB_ALIGN_START, "OnCalendar=*:0/10\n", 10, 3},
};

START_TEST(slots_lie_between_the_borders) {
        begin_at(12, 0, 0);
        struct job_when when = kinds[_i].calendar ? sim_when(kinds[_i].calendar) : every(kinds[_i].every_us, kinds[_i].mode);
        when.align = (uint8_t)kinds[_i].align;
        when.not_before_us = at(12, 7, 0);
        when.until_us = at(12, 30, 0);
        define(when);
        run_before(12, kinds[_i].first_m, 0);
        ck_assert_uint_eq(w.n_entries, 0);
        for (int i = 0; i < kinds[_i].n; i++)
                expect_next_at(12, kinds[_i].first_m + 10 * i, 0);
        run_to(14, 0, 0);
        ck_assert_msg(w.n_entries == (size_t)kinds[_i].n, "%s: %zu outcomes", kinds[_i].name, w.n_entries);
        ck_assert(w.jobs[0].is_finished);
        ck_assert_int_eq(world_start(&w, "job"), ENGINE_REFUSED_FINISHED);
}
END_TEST

START_TEST(an_outage_over_the_end_leaves_only_slots_before_it) {
        begin_at(12, 0, 0);
        struct job_when when = wall_grid(10 * MIN, 0);
        when.until_us = at(12, 35, 0);
        define(when);
        run_to(12, 5, 0);
        world_crash(&w, 2 * HOUR);
        expect_ran(0, at(12, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_DOWN, at(12, 10, 0), at(12, 30, 0), 3);
        ck_assert_uint_eq(w.n_entries, 2);
        ck_assert(w.jobs[0].is_finished);
}
END_TEST

START_TEST(scheduled_runs_are_counted_and_triggers_are_not) {
        uint64_t run;
        begin_at(12, 0, 0);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.max_runs = 3;
        define(when);
        run_to(12, 5, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_to(12, 20, 0);
        ck_assert_uint_eq(w.n_entries, 3);
        ck_assert(w.jobs[0].is_finished);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_NOT_ARMED);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.is_forced = true}, &run), TRIGGER_STARTED);
        run_to(13, 0, 0);
        ck_assert_uint_eq(w.n_entries, 3);
        ck_assert_int_eq(world_start(&w, "job"), 1); /* with a fresh count */
        run_to(14, 0, 0);
        ck_assert_uint_eq(w.n_entries, 6);
        ck_assert(w.jobs[0].is_finished);
}
END_TEST

START_TEST(the_last_run_goes_on_and_what_comes_behind_it_is_no_slot) {
        begin_at(12, 0, 0);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.max_runs = 2;
        when.overlap = JOB_OVERLAP_QUEUE;
        run_us = 25 * MIN;
        define(when);
        run_to(15, 0, 0);
        expect_ran(0, at(12, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 20, 0), at(12, 20, 0), 1);
        expect_ran(2, at(12, 10, 0), 15 * MIN);
        ck_assert_uint_eq(w.n_entries, 3);
        ck_assert(w.jobs[0].is_finished && !w.jobs[0].is_running);
}
END_TEST

START_TEST(an_end_survives_a_power_cut_and_another_end_arms_again) {
        begin_at(12, 0, 0);
        world_begin_ledger(&w);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.max_runs = 2;
        define(when);
        run_to(12, 15, 0);
        ck_assert(w.jobs[0].is_finished);
        world_power_cut(&w, HOUR, true);
        ck_assert(w.jobs[0].is_finished);
        run_to(14, 0, 0);
        ck_assert_uint_eq(w.jobs[0].totals.started, 2);
        when.max_runs = 4; /* counted on */
        define(when);
        run_to(16, 0, 0);
        ck_assert_uint_eq(w.jobs[0].totals.started, 4);
        ck_assert(w.jobs[0].is_finished);
}
END_TEST

START_TEST(a_reload_fires_nothing_whatever_it_brings) {
        struct job_when none;
        job_when_init(&none);
        begin_at(12, 0, 0);
        define(none);
        run_to(12, 10, 0);
        define(every(30 * MIN, _i ? JOB_MODE_FIXED_RATE : JOB_MODE_FIXED_DELAY)); /* a known name gets an interval */
        expect_next_at(12, 40, 0);
        define(sim_when("OnCalendar=Mon 10:00\nTimeZone=UTC\n")); /* which never runs, */
        define(none);
        define(every(30 * MIN, _i ? JOB_MODE_FIXED_RATE : JOB_MODE_FIXED_DELAY)); /* and is no instant of an interval */
        expect_next_at(13, 10, 0);
        struct job_when later = every(8 * MIN, _i ? JOB_MODE_FIXED_RATE : JOB_MODE_FIXED_DELAY);
        later.initial_delay_us = 5 * MIN;
        world_define(&w, "other", &later);
        world_commit(&w);
        later.not_before_us = at(15, 0, 0); /* before it has run */
        world_define(&w, "other", &later);
        world_commit(&w);
        run_to(14, 59, 0);
        ck_assert_uint_eq(world_find(&w, "other")->totals.started, 0);
        run_to(15, 0, 0);
        ck_assert_uint_eq(world_find(&w, "other")->totals.started, 1);
}
END_TEST

START_TEST(a_calendar_that_is_over_finishes_its_job) {
        begin_at(12, 0, 0);
        define(sim_when("OnCalendar=2026-03-20 12:10\nTimeZone=UTC\n"));
        expect_next_at(12, 10, 0);
        ck_assert(w.jobs[0].is_finished);
        define(sim_when("OnCalendar=2026-03-20 12:20\nTimeZone=UTC\n"));
        expect_next_at(12, 20, 0);
        ck_assert(w.jobs[0].is_finished);
}
END_TEST

START_TEST(each_resume_is_a_slot) {
        begin_at(12, 0, 0);
        struct job_when when;
        job_when_init(&when);
        when.is_on_wake = true;
        define(when);
        run_to(12, 10, 0);
        ck_assert_uint_eq(w.n_entries, 0);
        world_suspend(&w, HOUR);
        run_to(13, 11, 0);
        expect_ran(0, at(13, 10, 0), 0);
        ck_assert_int_eq(w.entries[0].item, WIRE_ITEM_WAKE);
        ck_assert_int_eq(w.entries[0].cause, RUN_CAUSE_WAKE);
        run_us = 2 * HOUR;
        world_suspend(&w, HOUR);
        run_to(14, 20, 0);
        world_suspend(&w, HOUR); /* while that run is in flight */
        run_to(15, 30, 0);
        expect_ran(1, at(14, 11, 0), 0);
        expect(2, SLOT_MISSED, SLOT_REASON_OVERLAP, at(15, 20, 0), at(15, 20, 0), 1);
        ck_assert_uint_eq(w.n_entries, 3);
}
END_TEST

START_TEST(a_resume_and_the_slot_of_its_instant_are_one_run) {
        begin_at(12, 0, 0);
        struct job_when when = wall_grid(HOUR, 0);
        when.is_on_wake = true;
        define(when);
        run_to(12, 10, 0);
        world_suspend(&w, 2 * HOUR);
        run_to(14, 11, 0);
        expect_ran(0, at(12, 0, 0), 0);
        ck_assert_uint_eq(w.jobs[0].totals.started, 2);
        ck_assert_uint_eq(w.jobs[0].totals.merged, 2); /* 13:00 and 14:00 into the run of 14:10 */
}
END_TEST

START_TEST(a_fixed_delay_is_drawn_once) {
        int64_t delay_us[3][3];
        for (int i = 0; i < 3; i++) { /* the same machine twice, and another */
                begin_at(12, 0, 30);
                engine_set_machine(w.engine, (const uint8_t[16]){i < 2 ? 1 : 2});
                struct job_when when = wall_grid(HOUR, 0);
                when.random_delay_us = 30 * MIN;
                when.is_delay_fixed = true;
                define(when);
                run_to(15, 59, 0);
                ck_assert_uint_eq(w.n_entries, 3);
                for (int k = 0; k < 3; k++)
                        delay_us[i][k] = w.entries[k].start_rt_us - w.entries[k].first_rt_us;
                ck_assert(delay_us[i][0] == delay_us[i][1] && delay_us[i][1] == delay_us[i][2]);
                ck_assert(delay_us[i][0] > 0 && delay_us[i][0] <= 30 * MIN);
                world_done(&w);
        }
        ck_assert(delay_us[0][0] == delay_us[1][0] && delay_us[1][0] != delay_us[2][0]);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("borders");
        TCase *tc = tcase_create("borders");
        tcase_add_loop_test(tc, slots_lie_between_the_borders, 0, sizeof(kinds) / sizeof(kinds[0]));
        tcase_add_test(tc, an_outage_over_the_end_leaves_only_slots_before_it);
        tcase_add_test(tc, scheduled_runs_are_counted_and_triggers_are_not);
        tcase_add_test(tc, the_last_run_goes_on_and_what_comes_behind_it_is_no_slot);
        tcase_add_test(tc, an_end_survives_a_power_cut_and_another_end_arms_again);
        tcase_add_loop_test(tc, a_reload_fires_nothing_whatever_it_brings, 0, 2);
        tcase_add_test(tc, a_calendar_that_is_over_finishes_its_job);
        tcase_add_test(tc, each_resume_is_a_slot);
        tcase_add_test(tc, a_resume_and_the_slot_of_its_instant_are_one_run);
        tcase_add_test(tc, a_fixed_delay_is_drawn_once);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
