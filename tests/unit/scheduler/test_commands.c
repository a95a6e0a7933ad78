// SPDX-License-Identifier: MIT
// What commands do to slots and runs, as timelines: trigger, cancel, start, pause, resume, set-interval, and what waits.

#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

static const struct engine_trigger join = {.if_running = TRIGGER_JOIN};

static uint64_t trigger(const struct engine_trigger *how, enum trigger_outcome outcome) {
        uint64_t run = 0;
        int r = world_trigger(&w, "job", how, &run);
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_int_eq(r, outcome);
        return run;
}

static void do_ok(int r, int expected) {
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_int_eq(r, expected);
}

/* The wall-clock instant at which a run starts that no slot asked for. */
static void expect_triggered_run(uint64_t number, int64_t rt_us) {
        const struct world_job *job = world_find(&w, "job");
        ck_assert_uint_eq(job->start.run, number);
        ck_assert_int_eq(job->start.item, WIRE_ITEM_TRIGGER);
        ck_assert_int_eq(job->start.cause, RUN_CAUSE_TRIGGER);
        ck_assert_int_eq(job->start.slot_rt_us, rt_us);
}

/* The slots from first on, step apart, whose outcomes in order are these: '+' ran, 'o' missed overlap, 'p' withheld paused, 'c'
 * withheld cancelled. The account must hold them and no others, whatever order they were told in. */
static void expect_slots(int64_t first_us, int64_t step_us, const char *wanted) {
        size_t n = 0;
        for (size_t i = 0; i < w.n_entries; i++) {
                const struct world_entry *e = &w.entries[i];
                char sign = e->outcome == SLOT_RAN               ? '+'
                            : e->reason == SLOT_REASON_OVERLAP   ? 'o'
                            : e->reason == SLOT_REASON_PAUSED    ? 'p'
                            : e->reason == SLOT_REASON_CANCELLED ? 'c'
                                                                 : '?';
                for (int64_t slot_us = e->first_rt_us; slot_us <= e->last_rt_us; slot_us += step_us, n++) {
                        int64_t k = (slot_us - first_us) / step_us;
                        ck_assert_msg((slot_us - first_us) % step_us == 0 && k >= 0 && k < (int64_t)strlen(wanted) &&
                                              wanted[k] == sign,
                                      "slot %lld is '%c' in \"%s\"", (long long)k, sign, wanted);
                }
        }
        ck_assert_uint_eq(n, strlen(wanted));
}

START_TEST(v2_a_trigger_joins_the_run_in_flight_and_moves_a_fixed_delay) {
        begin_at(12, 0, 0);
        run_us = 5 * SEC;
        define(every(60 * SEC, JOB_MODE_FIXED_DELAY));
        run_to(12, 0, 3);
        uint64_t first = trigger(&join, TRIGGER_JOINED);
        ck_assert_uint_eq(first, w.entries[0].run);
        run_to(12, 0, 30);
        uint64_t second = trigger(&join, TRIGGER_STARTED);
        expect_triggered_run(second, at(12, 0, 30));
        run_to(12, 1, 34);
        ck_assert_uint_eq(w.n_entries, 1);
        run_to(12, 1, 35);
        expect_ran(1, at(12, 1, 35), 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 3);
        ck_assert_uint_eq(world_find(&w, "job")->totals.missed, 0);
}
END_TEST

static void begin_v10(void) {
        begin_at(10, 0, 0);
        run_us = 15 * MIN;
        struct job_when when = wall_grid(10 * MIN, 0);
        when.overlap = JOB_OVERLAP_QUEUE;
        define(when);
        run_to(10, 12, 0);
        do_ok(world_pause(&w, "job", INT64_MAX), 1);
        run_to(10, 22, 0);
        uint64_t run = trigger(&join, TRIGGER_STARTED);
        expect_triggered_run(run, at(10, 22, 0));
        run_to(10, 35, 0);
        do_ok(world_resume(&w, "job"), 1);
        expect_slots(at(10, 0, 0), 10 * MIN, "+ppp");
        run_to(10, 52, 0);
        expect_slots(at(10, 0, 0), 10 * MIN, "+ppp+");
        expect_ran(w.n_entries - 1, at(10, 40, 0), 0);
}

START_TEST(v10_pause_withholds_trigger_runs_cancel_ends_start_begins_anew) {
        begin_v10();
        do_ok(world_cancel(&w, "job", false), 1);
        expect_slots(at(10, 0, 0), 10 * MIN, "+ppp+c");
        ck_assert_int_eq(world_find(&w, "job")->end.result, RUN_RESULT_CANCELLED);
        run_to(11, 25, 0);
        expect_slots(at(10, 0, 0), 10 * MIN, "+ppp+c");
        do_ok(world_start(&w, "job"), 1);
        expect_next_at(11, 30, 0);
}
END_TEST

START_TEST(v10_cancel_of_the_run_alone_leaves_the_schedule) {
        begin_v10();
        do_ok(world_cancel(&w, "job", true), 1);
        expect_slots(at(10, 0, 0), 10 * MIN, "+ppp+c");
        expect_next_at(11, 0, 0);
}
END_TEST

START_TEST(a_slot_that_waits_runs_at_the_end_and_the_next_ones_are_missed) {
        begin_at(12, 0, 0);
        run_us = 35 * SEC;
        struct job_when when = every(10 * SEC, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_QUEUE;
        define(when);
        run_to(12, 0, 35);
        expect_ran(0, at(12, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(12, 0, 20), at(12, 0, 30), 2);
        expect_ran(2, at(12, 0, 10), 25 * SEC);
        run_to(12, 1, 10);
        expect_ran(4, at(12, 0, 40), 30 * SEC);
}
END_TEST

START_TEST(a_slot_that_waited_too_long_is_missed) {
        begin_at(12, 0, 0);
        run_us = 35 * SEC;
        struct job_when when = every(30 * SEC, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_QUEUE;
        when.start_deadline_us = 4 * SEC;
        define(when);
        run_to(12, 0, 35);
        expect(1, SLOT_MISSED, SLOT_REASON_DEADLINE, at(12, 0, 30), at(12, 0, 30), 1);
        expect_next_at(12, 1, 0);
}
END_TEST

START_TEST(queued_triggers_are_one_run_under_the_promised_number) {
        begin_at(12, 0, 0);
        run_us = 25 * SEC;
        define(every(60 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 5);
        struct engine_trigger queue = {.if_running = TRIGGER_QUEUE};
        uint64_t promised = trigger(&queue, TRIGGER_QUEUED);
        ck_assert_uint_eq(trigger(&queue, TRIGGER_QUEUED), promised);
        run_to(12, 0, 25);
        expect_triggered_run(promised, at(12, 0, 25));
        run_to(12, 1, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 3);
        ck_assert_uint_eq(world_find(&w, "job")->totals.missed, 0);
}
END_TEST

START_TEST(a_queued_trigger_and_a_slot_that_waits_are_one_run) {
        begin_at(12, 0, 0);
        run_us = 25 * SEC;
        struct job_when when = every(20 * SEC, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_QUEUE;
        define(when);
        run_to(12, 0, 5);
        uint64_t promised = trigger(&(struct engine_trigger){.if_running = TRIGGER_QUEUE}, TRIGGER_QUEUED);
        run_to(12, 0, 25);
        expect_ran(1, at(12, 0, 20), 5 * SEC);
        ck_assert_uint_eq(w.entries[1].run, promised);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 2);
}
END_TEST

START_TEST(replace_ends_the_run_and_starts_its_own) {
        begin_at(12, 0, 0);
        run_us = 50 * SEC;
        define(every(60 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 5);
        w.kill_us = 2 * SEC;
        uint64_t promised = trigger(&(struct engine_trigger){.if_running = TRIGGER_REPLACE}, TRIGGER_REPLACING);
        ck_assert_uint_eq(trigger(&join, TRIGGER_QUEUED), promised); /* what is being ended does nobody's work */
        run_to(12, 0, 7);
        expect_triggered_run(promised, at(12, 0, 7));
}
END_TEST

START_TEST(reject_names_the_run_in_flight_and_does_nothing) {
        begin_at(12, 0, 0);
        run_us = 50 * SEC;
        define(every(60 * SEC, JOB_MODE_FIXED_RATE));
        ck_assert_uint_eq(trigger(&(struct engine_trigger){.if_running = TRIGGER_REJECT}, TRIGGER_REJECTED), w.entries[0].run);
        run_to(12, 0, 59);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 1);
}
END_TEST

START_TEST(a_trigger_leaves_a_grid_alone_unless_it_rebases_it) {
        begin_at(12, 0, 0);
        run_us = SEC;
        define(every(60 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 20);
        trigger(&join, TRIGGER_STARTED);
        expect_next_at(12, 1, 0);
        run_to(12, 1, 20);
        trigger(&(struct engine_trigger){.is_rebase = true}, TRIGGER_STARTED);
        expect_next_at(12, 2, 20);
        ck_assert_uint_eq(world_find(&w, "job")->totals.missed, 0);
}
END_TEST

START_TEST(a_wall_clock_grid_cannot_be_rebased) {
        begin_at(12, 0, 20);
        define(wall_grid(60 * SEC, 0));
        trigger(&(struct engine_trigger){.is_rebase = true}, TRIGGER_NOT_A_GRID);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 0);
}
END_TEST

START_TEST(cancelled_or_disabled_a_job_runs_only_by_force) {
        begin_at(12, 0, 0);
        define(every(60 * SEC, JOB_MODE_FIXED_RATE));
        do_ok(world_cancel(&w, "job", false), 1);
        run_to(12, 0, 1);
        do_ok(world_cancel(&w, "job", false), 0);
        trigger(&join, TRIGGER_NOT_ARMED);
        trigger(&(struct engine_trigger){.is_forced = true}, TRIGGER_STARTED);
        run_to(12, 5, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 2);
        struct job_when disabled = every(60 * SEC, JOB_MODE_FIXED_RATE);
        disabled.is_enabled = false;
        define(disabled);
        trigger(&join, TRIGGER_NOT_ARMED);
        do_ok(world_cancel(&w, "job", false), 0);
        do_ok(world_start(&w, "job"), ENGINE_REFUSED_DISABLED);
        do_ok(world_pause(&w, "job", INT64_MAX), ENGINE_REFUSED_DISABLED);
}
END_TEST

START_TEST(a_cancel_stays_over_a_reload_and_a_start_is_a_first_run) {
        begin_at(12, 0, 0);
        struct job_when when = every(60 * SEC, JOB_MODE_FIXED_RATE);
        when.initial_delay_us = 10 * SEC;
        define(when);
        run_to(12, 0, 30);
        do_ok(world_cancel(&w, "job", false), 1);
        when.every_us = 30 * SEC;
        define(when);
        run_to(12, 5, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 1);
        do_ok(world_start(&w, "job"), 1);
        do_ok(world_start(&w, "job"), 0);
        expect_next_at(12, 5, 10);
        expect_next_at(12, 5, 40);
}
END_TEST

START_TEST(a_pause_ends_by_itself_without_backlog) {
        begin_at(12, 0, 0);
        define(every(60 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 30);
        do_ok(world_pause(&w, "job", w.now.bt_us + 5 * MIN), 1);
        do_ok(world_pause(&w, "job", w.now.bt_us + 5 * MIN), 0);
        do_ok(world_pause(&w, "job", w.now.bt_us + 3 * MIN), 1);
        run_to(12, 3, 30);
        expect(1, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(12, 1, 0), at(12, 3, 0), 3);
        expect_next_at(12, 4, 0);
        do_ok(world_resume(&w, "job"), 0);
}
END_TEST

START_TEST(a_fixed_delay_that_is_over_in_a_pause_begins_anew_at_its_end) {
        begin_at(12, 0, 0);
        define(every(60 * SEC, JOB_MODE_FIXED_DELAY));
        run_to(12, 0, 30);
        do_ok(world_pause(&w, "job", INT64_MAX), 1);
        run_to(12, 10, 0);
        do_ok(world_resume(&w, "job"), 1);
        expect(1, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(12, 1, 0), at(12, 1, 0), 1);
        expect_next_at(12, 11, 0);
}
END_TEST

START_TEST(a_fixed_delay_that_is_not_over_keeps_its_instant_over_a_pause) {
        begin_at(12, 0, 0);
        define(every(60 * SEC, JOB_MODE_FIXED_DELAY));
        run_to(12, 0, 30);
        do_ok(world_pause(&w, "job", INT64_MAX), 1);
        run_to(12, 0, 40);
        do_ok(world_resume(&w, "job"), 1);
        expect_next_at(12, 1, 0);
}
END_TEST

START_TEST(a_new_interval_goes_on_from_the_last_slot_and_misses_nothing) {
        begin_at(10, 0, 0);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        define(when);
        run_to(10, 25, 0);
        do_ok(world_set_interval(&w, "job", 15 * MIN), 1);
        do_ok(world_set_interval(&w, "job", 15 * MIN), 0);
        expect_next_at(10, 35, 0);
        run_to(10, 36, 0);
        do_ok(world_set_interval(&w, "job", 2 * MIN), 1);
        expect_next_at(10, 37, 0);
        do_ok(world_set_interval(&w, "job", 0), 1);
        expect_next_at(10, 47, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.missed, 0);
}
END_TEST

START_TEST(a_new_interval_lasts_until_the_schedule_is_changed) {
        begin_at(10, 0, 0);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        define(when);
        do_ok(world_set_interval(&w, "job", 3 * MIN), 1);
        when.log = JOB_LOG_FAILURES;
        define(when);
        expect_next_at(10, 3, 0);
        when.every_us = 20 * MIN;
        define(when);
        expect_next_at(10, 23, 0);
}
END_TEST

START_TEST(a_job_without_interval_gets_none) {
        struct job_when when;
        begin_at(10, 0, 0);
        job_when_init(&when);
        define(when);
        do_ok(world_set_interval(&w, "job", MIN), ENGINE_REFUSED_NO_INTERVAL);
        trigger(&join, TRIGGER_STARTED);
        run_to(10, 0, 1);
        do_ok(world_cancel(&w, "job", true), 0);
        do_ok(world_trigger(&w, "nobody", &join, &(uint64_t){0}), -1);
}
END_TEST

START_TEST(a_hold_is_told_again_after_a_day) {
        begin_at(10, 0, 0);
        define(every(6 * HOUR, JOB_MODE_FIXED_RATE));
        run_to(11, 0, 0);
        do_ok(world_pause(&w, "job", INT64_MAX), 1);
        run_to(34, 59, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        run_to(35, 0, 0);
        expect(1, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(16, 0, 0), at(34, 0, 0), 4);
}
END_TEST

START_TEST(a_slot_due_in_a_pause_is_withheld_though_a_trigger_moves_the_next) {
        begin_at(12, 0, 0);
        run_us = 5 * SEC;
        define(every(60 * SEC, JOB_MODE_FIXED_DELAY));
        run_to(12, 0, 30);
        do_ok(world_pause(&w, "job", INT64_MAX), 1);
        run_to(12, 5, 0);
        trigger(&join, TRIGGER_STARTED);
        run_to(12, 5, 30);
        do_ok(world_resume(&w, "job"), 1);
        expect(1, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(12, 1, 5), at(12, 1, 5), 1);
        expect_next_at(12, 6, 5);
}
END_TEST

START_TEST(what_comes_after_the_end_of_a_pause_is_only_late) {
        begin_at(12, 30, 0);
        struct job_when when = wall_grid(HOUR, 0);
        define(when);
        do_ok(world_pause(&w, "job", w.now.bt_us + HOUR), 1);
        world_stall(&w, 3 * HOUR); /* asleep from 12:30 to 15:30 */
        expect(0, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(13, 0, 0), at(13, 0, 0), 1);
        expect(1, SLOT_MERGED, SLOT_REASON_DEADLINE, at(14, 0, 0), at(14, 0, 0), 1);
        expect_ran(2, at(15, 0, 0), 30 * MIN);
}
END_TEST

START_TEST(a_delay_that_is_over_after_the_end_of_a_pause_is_due_at_once) {
        begin_at(12, 0, 0);
        define(every(HOUR, JOB_MODE_FIXED_DELAY));
        run_to(12, 0, 30);
        do_ok(world_pause(&w, "job", w.now.bt_us + 5 * MIN), 1);
        world_stall(&w, 3 * HOUR);
        expect_ran(1, at(13, 0, 0), 2 * HOUR + 30 * SEC);
}
END_TEST

START_TEST(a_pause_that_is_over_when_a_run_ends_does_not_make_the_next_run_overlap) {
        begin_at(12, 0, 0);
        run_us = 5 * MIN;
        define(wall_grid(HOUR, 30 * MIN));
        trigger(&join, TRIGGER_STARTED);
        uint64_t promised = trigger(&(struct engine_trigger){.if_running = TRIGGER_QUEUE}, TRIGGER_QUEUED);
        do_ok(world_pause(&w, "job", w.now.bt_us + HOUR), 1);
        world_stall(&w, 3 * HOUR); /* asleep to 15:00: the end of the run is heard of first */
        expect(0, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(12, 30, 0), at(12, 30, 0), 1);
        expect(1, SLOT_MERGED, SLOT_REASON_DEADLINE, at(13, 30, 0), at(13, 30, 0), 1);
        expect_ran(2, at(14, 30, 0), 30 * MIN);
        ck_assert_uint_eq(w.entries[2].run, promised);
}
END_TEST

START_TEST(a_promised_run_of_a_disabled_job_comes_over_a_reload) {
        begin_at(12, 0, 0);
        run_us = 50 * SEC;
        struct job_when when = every(60 * SEC, JOB_MODE_FIXED_RATE);
        when.is_enabled = false;
        define(when);
        trigger(&(struct engine_trigger){.is_forced = true}, TRIGGER_STARTED);
        uint64_t promised = trigger(&(struct engine_trigger){.is_forced = true, .if_running = TRIGGER_QUEUE}, TRIGGER_QUEUED);
        when.log = JOB_LOG_FAILURES;
        define(when);
        run_to(12, 0, 50);
        expect_triggered_run(promised, at(12, 0, 50));
}
END_TEST

START_TEST(nothing_that_comes_to_wait_is_started_after_a_stop) {
        begin_at(12, 0, 0);
        run_us = 35 * SEC;
        struct job_when when = every(10 * SEC, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_QUEUE;
        define(when);
        run_to(12, 0, 5);
        world_stop(&w);
        do_ok(world_pause(&w, "job", INT64_MAX), ENGINE_REFUSED_STOPPING);
        do_ok(world_cancel(&w, "job", false), ENGINE_REFUSED_STOPPING);
        run_to(12, 0, 50);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 1);
}
END_TEST

START_TEST(a_boot_slot_waits_for_the_run_in_flight_too) {
        begin_at(12, 0, 0);
        run_us = 30 * SEC;
        struct job_when when = every(HOUR, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_QUEUE;
        when.on_boot_us = w.now.bt_us + 10 * SEC;
        define(when);
        run_to(12, 0, 30);
        ck_assert_uint_eq(world_find(&w, "job")->totals.started, 2);
        ck_assert_uint_eq(world_find(&w, "job")->totals.missed, 0);
        ck_assert_int_eq(world_find(&w, "job")->start.item, WIRE_ITEM_BOOT);
}
END_TEST

/* ---- views ---- */

static struct job_view view(void) {
        struct job_view v;
        engine_view(w.engine, w.now, engine_find_job(w.engine, "job"), &v);
        return v;
}

START_TEST(a_view_says_how_a_job_stands) {
        begin_at(12, 0, 0);
        run_us = 5 * SEC;
        define(every(60 * SEC, JOB_MODE_FIXED_RATE));
        run_to(12, 0, 1);
        ck_assert_int_eq(view().status, JOB_STATUS_RUNNING);
        ck_assert_int_eq(view().next_slot_rt_us, at(12, 1, 0));
        trigger(&(struct engine_trigger){.if_running = TRIGGER_QUEUE}, TRIGGER_QUEUED);
        ck_assert_int_eq(view().status, JOB_STATUS_PENDING);
        run_to(12, 0, 20);
        ck_assert_int_eq(view().status, JOB_STATUS_WAITING);
        do_ok(world_pause(&w, "job", INT64_MAX), 1);
        ck_assert_int_eq(view().status, JOB_STATUS_PAUSED);
        ck_assert_int_eq(view().next_slot_rt_us, INT64_MAX);
        do_ok(world_cancel(&w, "job", false), 1);
        ck_assert_int_eq(view().status, JOB_STATUS_CANCELLED);
        world_remove(&w, "job");
        world_commit(&w);
        ck_assert_uint_eq(engine_find_job(w.engine, "job"), INDEX_NONE);
}
END_TEST

START_TEST(next_slots_are_those_that_come) {
        int64_t slots[4], starts[4];
        begin_at(12, 0, 0);
        struct job_when when = every(60 * SEC, JOB_MODE_FIXED_RATE);
        when.random_delay_us = 30 * SEC;
        define(when);
        run_to(12, 5, 40);
        size_t n = engine_next_slots(w.engine, w.now, engine_find_job(w.engine, "job"), 0, 4, slots, starts);
        ck_assert_uint_eq(n, 4);
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(slots[i], at(12, 6 + (int)i, 0));
                size_t before = w.n_entries;
                world_run_to(&w, w.now.bt_us + starts[i] - w.now.rt_us - 1);
                ck_assert_uint_eq(w.n_entries, before);
                world_run_to(&w, w.now.bt_us + 1);
                ck_assert_uint_eq(w.n_entries, before + 1);
        }
        n = engine_next_slots(w.engine, w.now, engine_find_job(w.engine, "job"), at(13, 0, 0), 1, slots, starts);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_ge(starts[0], at(13, 0, 0));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("commands");
        TCase *runs = tcase_create("trigger and cancel"), *holds = tcase_create("holds"), *views = tcase_create("views");
        tcase_add_test(runs, v2_a_trigger_joins_the_run_in_flight_and_moves_a_fixed_delay);
        tcase_add_test(runs, a_slot_that_waits_runs_at_the_end_and_the_next_ones_are_missed);
        tcase_add_test(runs, a_slot_that_waited_too_long_is_missed);
        tcase_add_test(runs, queued_triggers_are_one_run_under_the_promised_number);
        tcase_add_test(runs, a_queued_trigger_and_a_slot_that_waits_are_one_run);
        tcase_add_test(runs, replace_ends_the_run_and_starts_its_own);
        tcase_add_test(runs, reject_names_the_run_in_flight_and_does_nothing);
        tcase_add_test(runs, a_trigger_leaves_a_grid_alone_unless_it_rebases_it);
        tcase_add_test(runs, a_wall_clock_grid_cannot_be_rebased);
        tcase_add_test(runs, cancelled_or_disabled_a_job_runs_only_by_force);
        tcase_add_test(holds, v10_pause_withholds_trigger_runs_cancel_ends_start_begins_anew);
        tcase_add_test(holds, v10_cancel_of_the_run_alone_leaves_the_schedule);
        tcase_add_test(holds, a_cancel_stays_over_a_reload_and_a_start_is_a_first_run);
        tcase_add_test(holds, a_pause_ends_by_itself_without_backlog);
        tcase_add_test(holds, a_fixed_delay_that_is_over_in_a_pause_begins_anew_at_its_end);
        tcase_add_test(holds, a_fixed_delay_that_is_not_over_keeps_its_instant_over_a_pause);
        tcase_add_test(holds, a_new_interval_goes_on_from_the_last_slot_and_misses_nothing);
        tcase_add_test(holds, a_new_interval_lasts_until_the_schedule_is_changed);
        tcase_add_test(holds, a_job_without_interval_gets_none);
        tcase_add_test(holds, a_hold_is_told_again_after_a_day);
        tcase_add_test(holds, a_slot_due_in_a_pause_is_withheld_though_a_trigger_moves_the_next);
        tcase_add_test(holds, what_comes_after_the_end_of_a_pause_is_only_late);
        tcase_add_test(holds, a_delay_that_is_over_after_the_end_of_a_pause_is_due_at_once);
        tcase_add_test(holds, a_pause_that_is_over_when_a_run_ends_does_not_make_the_next_run_overlap);
        tcase_add_test(holds, a_promised_run_of_a_disabled_job_comes_over_a_reload);
        tcase_add_test(holds, nothing_that_comes_to_wait_is_started_after_a_stop);
        tcase_add_test(holds, a_boot_slot_waits_for_the_run_in_flight_too);
        tcase_add_test(views, a_view_says_how_a_job_stands);
        tcase_add_test(views, next_slots_are_those_that_come);
        suite_add_tcase(suite, runs);
        suite_add_tcase(suite, holds);
        suite_add_tcase(suite, views);
        return run_suite(suite);
}
