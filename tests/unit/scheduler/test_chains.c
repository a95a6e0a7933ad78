// SPDX-License-Identifier: MIT
// Jobs that follow others: which ends make a slot of which job, once, whatever dies in between. The job "job" follows "a".

#include "tests/sim/calendars.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

/* "a" has a slot at 12:00 and each hour after it, whose runs take a minute; what follows runs for run_us. */
static enum run_result parent_result;

static void run_of(void *userdata, struct world *world, struct world_job *job, int64_t *ret_duration_us,
                   struct run_end *ret_end) {
        bool is_parent = strcmp(job->name, "a") == 0;
        (void)userdata, (void)world;
        *ret_duration_us = is_parent ? MIN : run_us;
        ret_end->result = is_parent ? parent_result : run_result;
        ret_end->exit_code = is_parent && parent_result == RUN_RESULT_FAILED ? 3 : -1;
}

static void define_named(const char *name, const char *text) {
        struct job_when when = sim_when(text);
        world_define(&w, name, &when);
}

static void begin_chain(const char *parent, const char *child) {
        begin_at(11, 59, 0);
        w.run_of = run_of;
        parent_result = RUN_RESULT_SUCCESS;
        define_named("a", parent);
        define_named("job", child);
        world_commit(&w);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

#define HOURLY "Every=1h\nMode=fixed-rate\nAlign=1970-01-01 00:00:00 UTC\n"

static void expect_chain(size_t i, int64_t end_us) {
        expect_ran(i, end_us, 0);
        ck_assert_int_eq(w.entries[i].item, WIRE_ITEM_CHAIN);
        ck_assert_int_eq(w.entries[i].cause, RUN_CAUSE_CHAIN);
}

/* Which results of the parent make a slot of the child, by the tie between them. */
static const struct {
        const char *parent, *child;
        const char *results; /* of a's runs: by result_of() */
        const char *runs;    /* x: the child runs after it */
} ends[] = {
        {"", "OnSuccessOf=a\n", "sfskcicts", "x.x.....x"},
        {"OnSuccess=job\n", "", "sfskcicts", "x.x.....x"},
        {"OnFailure=job\n", "", "sfskcicts", ".x.....x."},
        {"", "OnFailureOf=a\n", "sfskcicts", ".x.....x."},
        {"OnEnd=job\n", "", "sfskcicts", "xxx....xx"},
        {"", "OnEndOf=a\n", "sfskcicts", "xxx....xx"},
        {"OnRecovery=job\n", "", "sfsffsts", "..x..x.x"},
        {"OnSuccess=job\nOnEnd=job\n", "OnEndOf=a\n", "sfs", "xxx"},
        {"OnMissed=job\n", "", "sfs", "..."},
};

static enum run_result result_of(char c) {
        switch (c) {
        case 's':
                return RUN_RESULT_SUCCESS;
        case 'f':
                return RUN_RESULT_FAILED;
        case 'k':
                return RUN_RESULT_SKIPPED;
        case 'c':
                return RUN_RESULT_CANCELLED;
        case 'i':
                return RUN_RESULT_INTERRUPTED;
        case 't':
                return RUN_RESULT_TIMEOUT;
        default:
                return RUN_RESULT_CONDITION;
        }
}

START_TEST(an_end_makes_a_slot_of_those_who_listen_to_it) {
        char parent[200];
        snprintf(parent, sizeof(parent), HOURLY "%s", ends[_i].parent);
        begin_chain(parent, ends[_i].child);
        for (int i = 0; ends[_i].results[i]; i++) {
                size_t n = w.n_entries;
                parent_result = result_of(ends[_i].results[i]);
                run_to(12 + i, 1, 0);
                bool has_run = ends[_i].runs[i] == 'x';
                ck_assert_msg(w.n_entries == n + has_run, "%s%s: %zu slots after %.*s", ends[_i].parent, ends[_i].child,
                              w.n_entries, i + 1, ends[_i].results);
                if (has_run)
                        expect_chain(n, at(12 + i, 1, 0));
        }
}
END_TEST

START_TEST(the_child_is_told_of_its_parent) {
        begin_chain(HOURLY "OnFailure=job\n", "");
        parent_result = RUN_RESULT_FAILED;
        run_to(12, 1, 0);
        const struct run_parent *parent = &world_find(&w, "job")->start.parent;
        ck_assert_int_eq(parent->event, RUN_EVENT_FAILURE);
        ck_assert_str_eq(parent->job, "a");
        ck_assert_uint_eq(parent->run, world_find(&w, "a")->start.run);
        ck_assert_int_eq(parent->result, RUN_RESULT_FAILED);
        ck_assert_int_eq(parent->exit_code, 3);
        ck_assert_int_eq(parent->slot_rt_us, at(12, 0, 0));
}
END_TEST

START_TEST(triggers_of_the_parent_count_and_its_paused_slots_do_not) {
        uint64_t run;
        begin_chain(HOURLY "OnSuccess=job\n", "");
        run_to(12, 30, 0);
        world_trigger(&w, "a", &(struct engine_trigger){0}, &run);
        world_pause(&w, "a", INT64_MAX);
        run_to(14, 30, 0);
        expect_chain(0, at(12, 1, 0));
        expect_chain(1, at(12, 31, 0));
        ck_assert_uint_eq(w.n_entries, 2);
}
END_TEST

START_TEST(a_hold_of_the_child_withholds_its_slots) {
        begin_chain(HOURLY "OnSuccess=job\n", "");
        world_pause(&w, "job", INT64_MAX);
        run_to(12, 30, 0);
        world_resume(&w, "job");
        run_to(13, 30, 0);
        world_cancel(&w, "job", false);
        run_to(14, 30, 0);
        world_start(&w, "job");
        run_to(15, 30, 0);
        expect(0, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(12, 1, 0), at(12, 1, 0), 1);
        expect_chain(1, at(13, 1, 0));
        expect(2, SLOT_WITHHELD, SLOT_REASON_CANCELLED, at(14, 1, 0), at(14, 1, 0), 1);
        expect_chain(3, at(15, 1, 0));
        ck_assert_uint_eq(w.n_entries, 4);
}
END_TEST

START_TEST(overlap_of_the_child_bounds_its_runs) {
        begin_chain(HOURLY "OnSuccess=job\n", "");
        run_us = 90 * MIN;
        run_to(15, 30, 0);
        expect_chain(0, at(12, 1, 0));
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(13, 1, 0), at(13, 1, 0), 1);
        expect_chain(2, at(14, 1, 0));
        expect(3, SLOT_MISSED, SLOT_REASON_OVERLAP, at(15, 1, 0), at(15, 1, 0), 1);
        ck_assert_uint_eq(w.n_entries, 4);
}
END_TEST

START_TEST(a_queue_of_the_child_keeps_what_it_is_told) {
        begin_chain(HOURLY "OnSuccess=job\n", "Overlap=queue\n");
        run_us = 90 * MIN;
        run_to(13, 30, 0);
        uint64_t second = world_find(&w, "a")->start.run;
        run_to(14, 30, 0);
        expect_chain(0, at(12, 1, 0));
        expect_ran(1, at(13, 1, 0), 30 * MIN);
        ck_assert_uint_eq(world_find(&w, "job")->start.parent.run, second);
}
END_TEST

START_TEST(missed_slots_are_told_once_for_those_that_are_told_together) {
        begin_chain(HOURLY "OnMissed=job\n", "");
        world_crash(&w, 4 * HOUR);
        run_to(16, 30, 0);
        ck_assert_uint_eq(w.n_entries, 0); /* older ones were merged */
        world_done(&w);
        begin_chain(HOURLY "OnMissed=job\nCatchUp=none\n", "");
        world_crash(&w, 4 * HOUR);
        run_to(16, 30, 0);
        const struct run_parent *parent = &world_find(&w, "job")->start.parent;
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_int_eq(parent->event, RUN_EVENT_MISSED);
        ck_assert_uint_eq(parent->missed, 4);
        ck_assert_str_eq(parent->reason, "down");
        ck_assert_uint_eq(parent->run, 0);
}
END_TEST

START_TEST(the_end_of_a_schedule_is_told) {
        begin_chain(HOURLY "MaxRuns=2\nOnFinished=job\n", "");
        run_to(18, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_int_eq(world_find(&w, "job")->start.parent.event, RUN_EVENT_FINISHED);
}
END_TEST

START_TEST(chains_go_on) {
        begin_chain(HOURLY "OnSuccess=b\n", "OnSuccessOf=b\n");
        define_named("b", "");
        world_commit(&w);
        run_us = 5 * MIN;
        run_to(12, 30, 0);
        expect_chain(0, at(12, 6, 0));
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(a_circle_of_old_and_new_definitions_is_broken) {
        begin_chain(HOURLY "OnSuccess=job\n", "OnSuccess=a\n");
        run_to(13, 30, 0);
        ck_assert_uint_eq(world_find(&w, "a")->totals.started, 2);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 2);
}
END_TEST

/* It has no schedule that could be looked at instead. */
START_TEST(a_slot_that_waits_for_a_place_is_given_up_alone) {
        uint64_t run;
        begin_chain(HOURLY "OnSuccess=job\n", "StartDeadline=5min\n");
        w.next_max_running = 1;
        define_named("b", "");
        world_commit(&w);
        run_us = 30 * MIN;
        run_to(12, 0, 30);
        world_trigger(&w, "b", &(struct engine_trigger){0}, &run);
        run_to(12, 50, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_DEADLINE, at(12, 1, 0), at(12, 1, 0), 1);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 0);
}
END_TEST

START_TEST(a_reload_changes_who_follows) {
        begin_chain(HOURLY "OnSuccess=job\n", "");
        run_to(12, 30, 0);
        define_named("a", HOURLY);
        world_commit(&w);
        run_to(13, 30, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        define_named("job", "OnEndOf=a\n");
        world_commit(&w);
        run_to(14, 30, 0);
        ck_assert_uint_eq(w.n_entries, 2);
        world_remove(&w, "a");
        world_commit(&w);
        define_named("a", HOURLY);
        world_commit(&w);
        run_to(15, 30, 0);
        ck_assert_uint_eq(w.n_entries, 3);
}
END_TEST

/* Its parent's run ends when nothing is to start any more. */
START_TEST(a_child_of_an_end_after_the_stop_runs_with_the_next_scheduler) {
        begin_at(11, 59, 0);
        w.run_of = run_of;
        parent_result = RUN_RESULT_SUCCESS;
        world_begin_ledger(&w);
        define_named("a", HOURLY "OnSuccess=job\n");
        define_named("job", "");
        world_commit(&w);
        run_to(12, 0, 30);
        world_stop(&w);
        run_to(12, 2, 0);
        ck_assert_uint_eq(w.n_entries, 0);
        if (_i > 0)
                world_power_cut(&w, MIN, false);
        else
                world_crash(&w, MIN);
        run_to(12, 30, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        expect_ran(0, at(12, 1, 0), 2 * MIN);
        ck_assert_int_eq(w.entries[0].item, WIRE_ITEM_CHAIN);
        ck_assert(world_check(&w));
}
END_TEST

/* The scheduler dies before, and at once after, the end of a run; with a ledger or without, whose commits take their time. */
START_TEST(a_crash_makes_no_slot_and_loses_none) {
        begin_at(11, 59, 0);
        w.run_of = run_of;
        parent_result = RUN_RESULT_SUCCESS;
        run_us = _i & 4 ? 20 * MIN : 0;
        if (_i & 1)
                world_begin_ledger(&w);
        if (_i & 2)
                world_slow_disk(&w, 3);
        define_named("a", HOURLY "OnSuccess=job\n");
        define_named("job", _i & 8 ? "Overlap=queue\n" : "");
        world_commit(&w);
        run_to(12, 0, 30);
        world_crash(&w, 5 * MIN); /* the end is told when the next one is there */
        run_to(12, 59, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 1);
        run_to(13, 1, 0);
        world_crash(&w, 5 * MIN);
        ck_assert_msg(!w.error[0], "%s", w.error);
        run_to(13, 59, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 2);
        run_to(14, 1, 30);
        world_crash(&w, 5 * MIN);
        run_to(14, 59, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 3);
}
END_TEST

START_TEST(a_power_cut_interrupts_the_parent_and_nothing_follows) {
        begin_at(11, 59, 0);
        w.run_of = run_of;
        world_begin_ledger(&w);
        define_named("a", HOURLY "OnEnd=job\n");
        define_named("job", "");
        world_commit(&w);
        run_to(12, 0, 30);
        world_power_cut(&w, 5 * MIN, true);
        run_to(12, 59, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 0);
}
END_TEST

/* An attempt of the parent is given up when its next slot has come while nobody was there: whoever comes next would find the same. */
START_TEST(what_follows_from_an_attempt_that_is_given_up_runs_once) {
        begin_at(11, 59, 0);
        w.run_of = run_of;
        world_begin_ledger(&w);
        parent_result = RUN_RESULT_FAILED;
        run_us = 10 * MIN;
        define_named("a", HOURLY "CatchUp=none\nRetries=1\nRetryDelay=50min\nOnFailure=job\n");
        define_named("job", "Durability=full\n");
        world_commit(&w);
        run_to(12, 10, 0);
        world_power_cut(&w, HOUR, _i > 0);
        for (int ms = 0; ms < 5000 && world_find(&w, "job")->totals.started == 0; ms++)
                world_run_to(&w, w.now.bt_us + USEC_PER_MSEC);
        world_power_cut(&w, MIN, _i > 0);
        run_to(13, 59, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 1);
        ck_assert_uint_eq(world_find(&w, "job")->totals.interrupted, 1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("chains");
        TCase *t = tcase_create("chains");
        tcase_add_loop_test(t, an_end_makes_a_slot_of_those_who_listen_to_it, 0, sizeof(ends) / sizeof(ends[0]));
        tcase_add_test(t, the_child_is_told_of_its_parent);
        tcase_add_test(t, triggers_of_the_parent_count_and_its_paused_slots_do_not);
        tcase_add_test(t, a_hold_of_the_child_withholds_its_slots);
        tcase_add_test(t, overlap_of_the_child_bounds_its_runs);
        tcase_add_test(t, a_queue_of_the_child_keeps_what_it_is_told);
        tcase_add_test(t, missed_slots_are_told_once_for_those_that_are_told_together);
        tcase_add_test(t, the_end_of_a_schedule_is_told);
        tcase_add_test(t, chains_go_on);
        tcase_add_test(t, a_circle_of_old_and_new_definitions_is_broken);
        tcase_add_test(t, a_slot_that_waits_for_a_place_is_given_up_alone);
        tcase_add_test(t, a_reload_changes_who_follows);
        tcase_add_loop_test(t, a_child_of_an_end_after_the_stop_runs_with_the_next_scheduler, 0, 2);
        tcase_add_loop_test(t, a_crash_makes_no_slot_and_loses_none, 0, 16);
        tcase_add_test(t, a_power_cut_interrupts_the_parent_and_nothing_follows);
        tcase_add_loop_test(t, what_follows_from_an_attempt_that_is_given_up_runs_once, 0, 2);
        suite_add_tcase(s, t);
        return run_suite(s);
}
