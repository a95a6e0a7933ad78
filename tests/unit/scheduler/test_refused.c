// SPDX-License-Identifier: MIT
// Conditions that do not hold when a run is to start: the slot is withheld, or waits and is asked again; what a trigger makes of that;
// what a death leaves of it.

#include <check.h>

#include "tests/sim/calendars.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

static int64_t holds_from_us, holds_to_us; /* wall-clock instants between which the condition holds */
static size_t n_asked;
static int64_t answer_us; /* a condition that does not hold says so after this */

static void conditional_run(void *userdata, struct world *world, struct world_job *job, int64_t *ret_duration_us,
                            struct run_end *ret_end) {
        bool holds = world->now.rt_us >= holds_from_us && world->now.rt_us < holds_to_us;
        fixed_run(userdata, world, job, ret_duration_us, ret_end);
        n_asked += job->start.asks_conditions;
        if (!job->start.asks_conditions || holds)
                return;
        *ret_duration_us = answer_us;
        ret_end->result = RUN_RESULT_CONDITION;
}

static void begin_asking(int h, int m, int s) {
        begin_at(h, m, s);
        w.run_of = conditional_run;
        holds_from_us = INT64_MAX;
        holds_to_us = INT64_MAX;
        n_asked = 0;
        answer_us = 0;
}

/* Each day at 14:30, with conditions. */
static struct job_when daily(int64_t condition_wait_us) {
        struct job_when when = wall_grid(24 * HOUR, at(14, 30, 0));
        when.has_conditions = true;
        when.condition_wait_us = condition_wait_us;
        return when;
}

START_TEST(v12_without_a_wait_the_slot_is_withheld) {
        begin_asking(14, 0, 0);
        define(daily(0));
        run_to(20, 0, 0);
        expect(0, SLOT_WITHHELD, SLOT_REASON_CONDITION, at(14, 30, 0), at(14, 30, 0), 1);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_uint_eq(n_asked, 1);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 0);
}
END_TEST

START_TEST(v12_power_comes_within_the_wait) {
        begin_asking(14, 0, 0);
        holds_from_us = at(15, 10, 0);
        define(daily(2 * HOUR));
        run_to(15, 9, 59);
        ck_assert_uint_eq(w.n_entries, 0);
        run_to(15, 11, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        expect(0, SLOT_RAN, SLOT_REASON_NONE, at(14, 30, 0), at(14, 30, 0), 1);
        ck_assert_int_ge(w.entries[0].lag_us, 40 * MIN);
        ck_assert_int_le(w.entries[0].lag_us, 41 * MIN);
        /* 1, 1, 2, 4 ... 32 s, then once a minute */
        ck_assert_uint_ge(n_asked, 45);
        ck_assert_uint_le(n_asked, 50);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
        run_to(36, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(v12_no_power_at_all_is_a_missed_condition) {
        begin_asking(14, 0, 0);
        define(daily(2 * HOUR));
        run_before(16, 30, 0);
        ck_assert_uint_eq(w.n_entries, 0);
        run_to(16, 30, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_CONDITION_WAIT, at(14, 30, 0), at(14, 30, 0), 1);
        run_to(20, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(v12_a_trigger_joins_the_slot_that_waits) {
        uint64_t run;
        begin_asking(14, 0, 0);
        holds_from_us = at(15, 10, 0);
        define(daily(2 * HOUR));
        run_to(15, 0, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_to(15, 12, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        expect(0, SLOT_RAN, SLOT_REASON_NONE, at(14, 30, 0), at(14, 30, 0), 1);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
        ck_assert_uint_eq(w.jobs[0].promised, 0);
}
END_TEST

START_TEST(v12_a_trigger_with_force_starts_it) {
        uint64_t run;
        begin_asking(14, 0, 0);
        define(daily(2 * HOUR));
        run_to(15, 0, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.is_forced = true}, &run), TRIGGER_STARTED);
        ck_assert_uint_eq(w.n_entries, 1);
        expect_ran(0, at(14, 30, 0), 30 * MIN);
        ck_assert_uint_eq(w.entries[0].run, run);
        run_to(20, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
}
END_TEST

/* V12 as it stands: 02:30, a pool that is busy until 03:40, ConditionWait=2h where there is one. */
static const struct {
        const char *name;
        int64_t wait_us;
        int power_h, power_m; /* 0: none comes */
        int trigger;          /* at 03:00: 1; 2: with force */
        enum slot_outcome outcome;
        enum slot_reason reason;
        int told_h, told_m; /* when it is known */
        size_t n_asked;     /* where it is one */
} v12[] = {
        {"power in the wait for the pool", 2 * HOUR, 3, 10, 0, SLOT_RAN, SLOT_REASON_NONE, 3, 40, 1},
        {"no power", 2 * HOUR, 0, 0, 0, SLOT_MISSED, SLOT_REASON_CONDITION_WAIT, 4, 30, 0},
        {"no wait, no power", 0, 0, 0, 0, SLOT_WITHHELD, SLOT_REASON_CONDITION, 3, 40, 1}, /* when it could have started */
        {"a trigger joins", 2 * HOUR, 3, 10, 1, SLOT_RAN, SLOT_REASON_NONE, 3, 40, 1},
        {"a trigger with force", 2 * HOUR, 0, 0, 2, SLOT_RAN, SLOT_REASON_NONE, 3, 40, 0},
};

START_TEST(v12_a_pool_and_conditions_keep_a_slot) {
        uint64_t run = 0;
        begin_asking(2, 0, 0);
        holds_from_us = v12[_i].power_h > 0 ? at(v12[_i].power_h, v12[_i].power_m, 0) : INT64_MAX;
        world_group(&w, "heavy", 1);
        struct job_when busy, when = wall_grid(24 * HOUR, at(2, 30, 0));
        job_when_init(&busy);
        sim_join(&busy, "heavy");
        run_us = 100 * MIN;
        world_define(&w, "busy", &busy);
        world_commit(&w);
        ck_assert_int_eq(world_trigger(&w, "busy", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_us = 0;
        when.has_conditions = true;
        when.condition_wait_us = v12[_i].wait_us;
        sim_join(&when, "heavy");
        define(when);
        run_to(3, 0, 0);
        if (v12[_i].trigger > 0)
                ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.is_forced = v12[_i].trigger == 2}, &run),
                                 TRIGGER_QUEUED);
        run_before(v12[_i].told_h, v12[_i].told_m, 0);
        ck_assert_msg(w.n_entries == 0, "%s", v12[_i].name);
        run_to(v12[_i].told_h, v12[_i].told_m, 0);
        expect(0, v12[_i].outcome, v12[_i].reason, at(2, 30, 0), at(2, 30, 0), 1);
        if (v12[_i].outcome == SLOT_RAN)
                expect_ran(0, at(2, 30, 0), HOUR + 10 * MIN);
        if (v12[_i].trigger > 0)
                ck_assert_uint_eq(w.entries[0].run, run);
        if (v12[_i].n_asked > 0 || v12[_i].trigger == 2)
                ck_assert_uint_eq(n_asked, v12[_i].n_asked);
        run_to(20, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_uint_eq(world_find(&w, "job")->totals.ended, v12[_i].outcome == SLOT_RAN);
}
END_TEST

START_TEST(a_trigger_without_a_slot_waits_too_and_is_dropped_in_the_end) {
        uint64_t run;
        begin_asking(12, 0, 0);
        define(daily(10 * MIN));
        run_to(12, 1, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_to(12, 5, 0);
        ck_assert_uint_ne(w.jobs[0].promised, 0);
        run_to(12, 12, 0);
        ck_assert_uint_eq(w.jobs[0].promised, 0);
        ck_assert_uint_eq(w.jobs[0].totals.dropped, 1);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        holds_from_us = at(12, 15, 0);
        run_to(12, 17, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
        ck_assert_uint_eq(w.n_entries, 0);
}
END_TEST

/* Refused once, it waits for its place; the next slot, a minute later, takes what was promised with it. */
START_TEST(a_promise_ends_with_the_slot_that_a_pool_kept) {
        uint64_t run;
        begin_asking(14, 0, 0);
        answer_us = 2 * SEC;
        world_group(&w, "heavy", 1);
        struct job_when busy, when = every(30 * SEC, JOB_MODE_FIXED_RATE);
        job_when_init(&busy);
        sim_join(&busy, "heavy");
        run_us = HOUR;
        world_define(&w, "busy", &busy);
        when.has_conditions = true;
        when.condition_wait_us = HOUR;
        sim_join(&when, "heavy");
        define(when);
        run_to(14, 0, 1);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_JOINED);
        ck_assert_int_eq(world_trigger(&w, "busy", &(struct engine_trigger){0}, &run), TRIGGER_QUEUED);
        run_to(14, 0, 2);
        ck_assert_uint_eq(world_find(&w, "busy")->totals.started, 1);
        ck_assert_uint_ne(world_find(&w, "job")->promised, 0);
        run_to(14, 1, 10);
        ck_assert_uint_eq(world_find(&w, "job")->promised, 0);
        ck_assert_uint_eq(world_find(&w, "job")->totals.dropped, 1);
        run_to(14, 5, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_POOL, at(14, 0, 0), at(14, 1, 0), 3);
}
END_TEST

/* A job without a schedule, and one whose schedule is paused: nothing comes in its stead. */
START_TEST(a_trigger_that_is_given_up_starts_nothing) {
        uint64_t run;
        begin_asking(14, 0, 0);
        struct job_when when;
        job_when_init(&when);
        if (_i > 0)
                when = every(HOUR, JOB_MODE_FIXED_RATE);
        when.initial_delay_us = _i > 0 ? 30 * MIN : 0;
        when.has_conditions = true;
        when.condition_wait_us = HOUR;
        define(when);
        world_pause(&w, "job", _i > 0 ? INT64_MAX : w.now.bt_us);
        world_trigger(&w, "job", &(struct engine_trigger){0}, &run);
        run_to(14, 59, 59);
        holds_from_us = w.now.rt_us;
        uint64_t n_started = w.jobs[0].totals.started;
        run_to(15, 20, 0);
        ck_assert_uint_eq(w.jobs[0].totals.started, n_started);
        ck_assert_uint_eq(w.jobs[0].totals.dropped, 1);
        ck_assert_uint_eq(w.jobs[0].totals.ran, 0);
}
END_TEST

START_TEST(the_next_slot_takes_the_place_of_one_that_waits) {
        begin_asking(12, 0, 0);
        struct job_when when = wall_grid(HOUR, at(12, 0, 0));
        when.has_conditions = true;
        when.condition_wait_us = 3 * HOUR;
        holds_from_us = at(13, 0, 0);
        define(when);
        run_to(13, 30, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_CONDITION_WAIT, at(12, 0, 0), at(12, 0, 0), 1);
        expect_ran(1, at(13, 0, 0), 0);
}
END_TEST

START_TEST(a_start_deadline_ends_the_wait) {
        begin_asking(14, 0, 0);
        struct job_when when = daily(2 * HOUR);
        when.start_deadline_us = 5 * MIN;
        define(when);
        run_to(14, 40, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_DEADLINE, at(14, 30, 0), at(14, 30, 0), 1);
}
END_TEST

START_TEST(a_pause_withholds_a_slot_that_waits) {
        begin_asking(14, 0, 0);
        define(daily(2 * HOUR));
        run_to(14, 40, 0);
        ck_assert_int_eq(world_pause(&w, "job", INT64_MAX), 1);
        expect(0, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(14, 30, 0), at(14, 30, 0), 1);
        run_to(20, 0, 0);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(what_is_withheld_counts_neither_as_a_run_nor_as_the_last_result) {
        begin_asking(12, 0, 0);
        struct job_when when = wall_grid(HOUR, at(12, 0, 0));
        when.has_conditions = true;
        when.max_runs = 2;
        holds_from_us = at(14, 0, 0);
        define(when);
        run_to(20, 0, 0);
        expect(0, SLOT_WITHHELD, SLOT_REASON_CONDITION, at(12, 0, 0), at(12, 0, 0), 1);
        expect(1, SLOT_WITHHELD, SLOT_REASON_CONDITION, at(13, 0, 0), at(13, 0, 0), 1);
        expect_ran(2, at(14, 0, 0), 0);
        expect_ran(3, at(15, 0, 0), 0);
        ck_assert_uint_eq(w.n_entries, 4);
        ck_assert(w.jobs[0].is_finished);
}
END_TEST

/* A fixed delay counts on from when it was refused, or given up. */
START_TEST(a_fixed_delay_goes_on_behind_a_slot_that_is_withheld) {
        begin_asking(12, 0, 0);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_DELAY);
        when.has_conditions = true;
        holds_from_us = at(12, 15, 0);
        run_us = 1 * MIN;
        define(when);
        run_to(12, 32, 0);
        expect(0, SLOT_WITHHELD, SLOT_REASON_CONDITION, at(12, 0, 0), at(12, 0, 0), 1);
        expect(1, SLOT_WITHHELD, SLOT_REASON_CONDITION, at(12, 10, 0), at(12, 10, 0), 1);
        expect_ran(2, at(12, 20, 0), 0);
        expect_ran(3, at(12, 31, 0), 0);
        ck_assert_uint_eq(w.n_entries, 4);
}
END_TEST

START_TEST(a_fixed_delay_waits_and_goes_on_when_it_was_given_up) {
        begin_asking(12, 0, 0);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_DELAY);
        when.has_conditions = true;
        when.condition_wait_us = 30 * MIN;
        define(when);
        run_to(12, 39, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_CONDITION_WAIT, at(12, 0, 0), at(12, 0, 0), 1);
        ck_assert_uint_eq(w.n_entries, 1);
        holds_from_us = at(12, 39, 0);
        run_to(12, 41, 0);
        expect_ran(1, at(12, 40, 0), 0);
}
END_TEST

static const struct { bool is_power_cut, is_reboot; } deaths[] = {{false, false}, {true, false}, {true, true}};

START_TEST(a_slot_that_waits_outlives_any_death) {
        begin_asking(14, 0, 0);
        holds_from_us = at(15, 10, 0);
        world_begin_ledger(&w);
        define(daily(2 * HOUR));
        run_to(14, 50, 30);
        if (deaths[_i].is_power_cut)
                world_power_cut(&w, 2 * MIN, deaths[_i].is_reboot);
        else
                world_crash(&w, 2 * MIN);
        run_to(15, 12, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        expect(0, SLOT_RAN, SLOT_REASON_NONE, at(14, 30, 0), at(14, 30, 0), 1);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
        ck_assert(world_check(&w));
}
END_TEST

/* The next scheduler hears that it does not hold when the ledger has told of the job, and before its definition is in force. */
START_TEST(a_slot_that_is_refused_while_nobody_is_there_waits) {
        begin_asking(14, 0, 0);
        answer_us = 10 * SEC;
        holds_from_us = at(15, 10, 0);
        world_begin_ledger(&w);
        define(daily(2 * HOUR));
        run_to(14, 30, 5);
        world_crash(&w, 2 * MIN);
        ck_assert_uint_eq(w.n_entries, 0);
        run_to(15, 12, 0);
        ck_assert_uint_eq(w.n_entries, 1);
        expect(0, SLOT_RAN, SLOT_REASON_NONE, at(14, 30, 0), at(14, 30, 0), 1);
        ck_assert(world_check(&w));
}
END_TEST

/* The ledger has the end of the parent: so it has the slot of the child, whose conditions are being asked. */
START_TEST(a_child_that_is_asked_is_not_forgotten_by_a_power_cut) {
        begin_asking(12, 0, 0);
        answer_us = 10 * SEC;
        world_begin_ledger(&w);
        struct job_when parent = wall_grid(24 * HOUR, at(12, 5, 0)), child;
        world_define(&w, "parent", &parent);
        job_when_init(&child);
        child.has_conditions = true;
        child.is_interrupted_retried = _i == 1;
        sim_tie(&child, "OnSuccessOf=parent\n");
        define(child);
        run_to(12, 5, 9);
        ck_assert_uint_eq(n_asked, 1);
        world_power_cut(&w, MIN, false);
        run_to(12, 10, 0);
        ck_assert_uint_eq(n_asked, _i == 1 ? 2 : 1);
        ck_assert_uint_eq(w.n_entries, 1);
        if (_i == 0)
                ck_assert_int_eq(w.entries[0].outcome, SLOT_INTERRUPTED);
        else
                ck_assert_int_eq(w.entries[0].reason, SLOT_REASON_CONDITION);
}
END_TEST

/* An interval's slot is as old as BOOTTIME says, whatever was done to the wall clock. */
START_TEST(the_wait_of_an_interval_is_not_longer_after_a_crash_and_a_step) {
        begin_asking(12, 0, 0);
        answer_us = 10 * SEC;
        int64_t begun_us = w.now.bt_us;
        struct job_when when = every(HOUR, JOB_MODE_FIXED_RATE);
        when.has_conditions = true;
        when.condition_wait_us = 30 * MIN;
        define(when);
        world_crash_and_step(&w, 2 * SEC, -20 * MIN);
        world_run_to(&w, begun_us + 29 * MIN);
        ck_assert_uint_eq(w.n_entries, 0);
        world_run_to(&w, begun_us + 30 * MIN + SEC);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_int_eq(w.entries[0].reason, SLOT_REASON_CONDITION_WAIT);
}
END_TEST

/* ---- attempts after the first ---- */

/* Each hour, with conditions; each run fails after a minute, and gets three attempts more, ten minutes apart. */
static struct job_when hourly_attempts(int64_t condition_wait_us) {
        struct job_when when = wall_grid(HOUR, at(12, 0, 0));
        when.has_conditions = true;
        when.condition_wait_us = condition_wait_us;
        when.retries = 3;
        when.retry_delay_us = 10 * MIN;
        return when;
}

static void begin_failing(int64_t condition_wait_us, int64_t until_us) {
        begin_asking(12, 0, 0);
        holds_from_us = 0;
        holds_to_us = until_us;
        run_us = MIN;
        run_result = RUN_RESULT_FAILED;
        define(hourly_attempts(condition_wait_us));
}

static const struct job_retry *awaited(void) {
        static struct job_view view;
        engine_view(w.engine, w.now, engine_find_job(w.engine, "job"), &view);
        return view.retry;
}

START_TEST(an_attempt_whose_conditions_do_not_hold_is_the_last_word) {
        begin_failing(0, at(12, 5, 0));
        run_to(12, 11, 0);
        ck_assert_uint_eq(n_asked, 2);
        ck_assert(!awaited());
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
        ck_assert_uint_eq(w.jobs[0].failed_in_row, 1);
        ck_assert_uint_eq(w.jobs[0].next_attempt, 0);
        run_to(12, 59, 0);
        ck_assert_uint_eq(n_asked, 2);
        expect_ran(0, at(12, 0, 0), 0);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(an_attempt_waits_for_its_conditions_within_their_time) {
        begin_failing(30 * MIN, at(12, 5, 0));
        run_to(12, 20, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
        ck_assert_uint_eq(awaited()->attempt, 2);
        /* at 11:00, then 1, 1, 2, 4 ... 32 s, then once a minute */
        ck_assert_uint_ge(n_asked, 14);
        ck_assert_uint_le(n_asked, 17);
        holds_to_us = INT64_MAX;
        run_to(12, 22, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 2);
        ck_assert_uint_eq(awaited()->attempt, 3); /* ten minutes after its end, and it asks, too */
        size_t n = n_asked;
        run_to(12, 33, 0);
        ck_assert_uint_eq(n_asked, n + 1);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 3);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(an_attempt_does_not_wait_beyond_its_time) {
        begin_failing(5 * MIN, at(12, 5, 0));
        run_to(12, 15, 59);
        ck_assert(awaited());
        ck_assert_uint_eq(w.jobs[0].failed_in_row, 0);
        run_to(12, 16, 0);
        ck_assert(!awaited());
        ck_assert_uint_eq(w.jobs[0].failed_in_row, 1);
        size_t n = n_asked;
        run_to(12, 59, 0);
        ck_assert_uint_eq(n_asked, n);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
}
END_TEST

START_TEST(an_attempt_that_waits_for_its_conditions_gives_way_to_the_next_slot) {
        begin_failing(3 * HOUR, at(12, 5, 0));
        run_to(12, 59, 59);
        ck_assert(awaited());
        run_to(13, 0, 0);
        ck_assert(!awaited());
        ck_assert_uint_eq(w.jobs[0].failed_in_row, 1);
        run_to(16, 5, 0);
        expect_ran(0, at(12, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_CONDITION_WAIT, at(13, 0, 0), at(13, 0, 0), 1);
}
END_TEST

START_TEST(a_trigger_asks_for_the_attempt_that_waits_or_with_force_does_not) {
        uint64_t run;
        begin_failing(30 * MIN, at(12, 5, 0));
        run_to(12, 14, 0);
        size_t n = n_asked;
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.is_forced = _i == 1}, &run), TRIGGER_STARTED);
        run_to(12, 16, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, _i == 1 ? 2 : 1);
        ck_assert_uint_eq(awaited()->attempt, _i == 1 ? 3 : 2);
        ck_assert_uint_ge(n_asked, _i == 1 ? n : n + 2);
        if (_i == 1)
                return;
        ck_assert_uint_ne(w.jobs[0].promised, 0);
        holds_to_us = INT64_MAX;
        run_to(12, 18, 30);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 2);
        ck_assert_uint_eq(w.jobs[0].promised, 0);
}
END_TEST

START_TEST(the_trigger_of_an_attempt_that_does_not_come_is_dropped) {
        uint64_t run;
        begin_failing(3 * HOUR, at(12, 5, 0));
        run_to(12, 58, 30);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_to(12, 59, 0);
        ck_assert_uint_ne(w.jobs[0].promised, 0);
        run_to(13, 0, 0);
        ck_assert(!awaited());
        ck_assert_uint_eq(w.jobs[0].totals.dropped, 1);
        ck_assert_uint_eq(w.jobs[0].promised, 0);
}
END_TEST

START_TEST(a_fixed_delay_counts_from_an_attempt_that_does_not_come) {
        begin_asking(12, 0, 0);
        holds_from_us = 0;
        holds_to_us = at(12, 5, 0);
        run_us = MIN;
        run_result = RUN_RESULT_FAILED;
        struct job_when when = every(20 * MIN, JOB_MODE_FIXED_DELAY);
        when.has_conditions = true;
        when.condition_wait_us = _i * 5 * MIN;
        when.retries = 1;
        when.retry_delay_us = 10 * MIN;
        define(when);
        run_to(12, 11 + 5 * _i, 0);
        ck_assert(!awaited());
        holds_to_us = INT64_MAX;
        run_to(12, 31 + 5 * _i, 0);
        expect_ran(0, at(12, 0, 0), 0);
        expect_ran(1, at(12, 31 + 5 * _i, 0), 0);
}
END_TEST

START_TEST(an_attempt_that_waits_for_its_conditions_outlives_any_death) {
        begin_asking(12, 0, 0);
        world_begin_ledger(&w);
        holds_from_us = 0;
        holds_to_us = at(12, 5, 0);
        run_us = MIN;
        run_result = RUN_RESULT_FAILED;
        define(hourly_attempts(30 * MIN));
        run_to(12, 15, 0);
        if (deaths[_i].is_power_cut)
                world_power_cut(&w, 2 * MIN, deaths[_i].is_reboot);
        else
                world_crash(&w, 2 * MIN);
        run_to(12, 40, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
        ck_assert(awaited());
        run_to(12, 41, 30);
        ck_assert(!awaited());
        ck_assert_uint_eq(w.jobs[0].failed_in_row, 1);
        ck_assert(world_check(&w));
}
END_TEST

/* The next scheduler hears of it. */
START_TEST(an_attempt_that_is_refused_while_nobody_is_there_waits) {
        begin_asking(12, 0, 0);
        world_begin_ledger(&w);
        answer_us = 10 * SEC;
        holds_from_us = 0;
        holds_to_us = at(12, 5, 0);
        run_us = MIN;
        run_result = RUN_RESULT_FAILED;
        define(hourly_attempts(30 * MIN));
        run_to(12, 11, 5);
        world_crash(&w, 2 * MIN);
        run_to(12, 15, 0);
        ck_assert(awaited());
        ck_assert_uint_eq(awaited()->attempt, 2);
        holds_to_us = INT64_MAX;
        run_to(12, 20, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 2);
        ck_assert(world_check(&w));
}
END_TEST

/* Without a ledger the next scheduler knows of the attempt what the runner tells of its run. */
START_TEST(an_attempt_that_is_refused_after_a_crash_waits_and_is_given_up) {
        begin_failing(30 * MIN, at(12, 5, 0));
        answer_us = 10 * SEC;
        run_to(12, 11, 5);
        world_crash(&w, 2 * SEC);
        run_to(12, 20, 0);
        ck_assert_ptr_nonnull(awaited());
        ck_assert_uint_eq(awaited()->attempt, 2);
        run_to(12, 50, 0);
        ck_assert(!awaited());
        ck_assert_uint_eq(w.jobs[0].failed_in_row, 1);
        ck_assert_uint_eq(w.jobs[0].next_attempt, 0);
}
END_TEST

/* The machine wakes while a trigger waits: one run does both. */
START_TEST(a_slot_that_comes_takes_the_trigger_in) {
        uint64_t run;
        begin_asking(12, 0, 0);
        struct job_when when;
        job_when_init(&when);
        when.is_on_wake = true;
        when.has_conditions = true;
        when.condition_wait_us = 3 * HOUR;
        define(when);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_to(12, 10, 0);
        ck_assert_uint_ne(w.jobs[0].promised, 0);
        holds_from_us = at(12, 30, 0);
        world_suspend(&w, HOUR);
        run_to(14, 0, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 1);
        ck_assert_uint_eq(w.jobs[0].promised, 0);
        expect(0, SLOT_RAN, SLOT_REASON_NONE, at(13, 10, 0), at(13, 10, 0), 1);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

/* Who gave it is told that its run will not be: so there is none. */
START_TEST(a_trigger_that_waits_is_dropped_by_any_death) {
        uint64_t run;
        begin_asking(12, 0, 0);
        holds_from_us = at(12, 20, 0);
        world_begin_ledger(&w);
        define(daily(HOUR));
        run_to(12, 1, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_to(12, 10, 0);
        ck_assert_uint_ne(w.jobs[0].promised, 0);
        if (deaths[_i].is_power_cut)
                world_power_cut(&w, 2 * MIN, deaths[_i].is_reboot);
        else
                world_crash(&w, 2 * MIN);
        ck_assert_uint_eq(w.jobs[0].promised, 0);
        ck_assert_uint_eq(w.jobs[0].totals.dropped, 1);
        run_to(13, 30, 0);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 0);
        ck_assert(world_check(&w));
}
END_TEST

/* Whoever waits for the trigger's run has heard its number from a scheduler that is gone. */
START_TEST(a_trigger_that_is_refused_after_a_crash_is_promised_another_run) {
        uint64_t run;
        begin_asking(12, 0, 0);
        answer_us = 10 * SEC;
        if (_i == 1)
                world_begin_ledger(&w);
        define(daily(10 * MIN));
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_to(12, 0, 5);
        ck_assert_int_eq(world_pause(&w, "job", INT64_MAX), 1); /* the ledger has heard of the run */
        world_crash(&w, 2 * SEC);
        run_to(12, 0, 11);
        ck_assert_uint_gt(w.jobs[0].promised, run);
        run_to(12, 12, 0);
        ck_assert_uint_eq(w.jobs[0].promised, 0);
        ck_assert_uint_eq(w.jobs[0].totals.dropped, 1);
}
END_TEST

START_TEST(slots_that_are_caught_up_go_on_behind_one_that_was_refused) {
        struct job_when when = wall_grid(HOUR, 0);
        when.has_conditions = true;
        when.condition_wait_us = 6 * HOUR;
        when.catch_up = JOB_CATCH_UP_ALL;
        when.is_catch_up_set = true;
        when.catch_up_max = 10;
        begin_asking(1, 30, 0);
        run_us = 5 * MIN;
        define(when);
        run_to(1, 45, 0);
        holds_from_us = at(4, 21, 0);
        world_crash(&w, at(4, 20, 0) - w.now.rt_us);
        run_to(4, 59, 0);
        ck_assert_uint_eq(w.n_entries, 3);
        for (int i = 0; i < 3; i++) {
                expect(i, SLOT_RAN, SLOT_REASON_NONE, at(2 + i, 0, 0), at(2 + i, 0, 0), 1);
                ck_assert_int_eq(w.entries[i].cause, RUN_CAUSE_CATCH_UP);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("refused");
        TCase *tcase = tcase_create("refused");

        tcase_add_loop_test(tcase, v12_a_pool_and_conditions_keep_a_slot, 0, sizeof(v12) / sizeof(v12[0]));
        tcase_add_test(tcase, v12_without_a_wait_the_slot_is_withheld);
        tcase_add_test(tcase, v12_power_comes_within_the_wait);
        tcase_add_test(tcase, v12_no_power_at_all_is_a_missed_condition);
        tcase_add_test(tcase, v12_a_trigger_joins_the_slot_that_waits);
        tcase_add_test(tcase, v12_a_trigger_with_force_starts_it);
        tcase_add_test(tcase, a_promise_ends_with_the_slot_that_a_pool_kept);
        tcase_add_test(tcase, a_trigger_without_a_slot_waits_too_and_is_dropped_in_the_end);
        tcase_add_loop_test(tcase, a_trigger_that_is_given_up_starts_nothing, 0, 2);
        tcase_add_test(tcase, the_next_slot_takes_the_place_of_one_that_waits);
        tcase_add_test(tcase, a_start_deadline_ends_the_wait);
        tcase_add_test(tcase, a_pause_withholds_a_slot_that_waits);
        tcase_add_test(tcase, what_is_withheld_counts_neither_as_a_run_nor_as_the_last_result);
        tcase_add_test(tcase, a_fixed_delay_goes_on_behind_a_slot_that_is_withheld);
        tcase_add_test(tcase, a_fixed_delay_waits_and_goes_on_when_it_was_given_up);
        tcase_add_loop_test(tcase, a_slot_that_waits_outlives_any_death, 0, sizeof(deaths) / sizeof(deaths[0]));
        tcase_add_test(tcase, a_slot_that_is_refused_while_nobody_is_there_waits);
        tcase_add_test(tcase, an_attempt_whose_conditions_do_not_hold_is_the_last_word);
        tcase_add_test(tcase, an_attempt_waits_for_its_conditions_within_their_time);
        tcase_add_test(tcase, an_attempt_does_not_wait_beyond_its_time);
        tcase_add_test(tcase, an_attempt_that_waits_for_its_conditions_gives_way_to_the_next_slot);
        tcase_add_loop_test(tcase, a_trigger_asks_for_the_attempt_that_waits_or_with_force_does_not, 0, 2);
        tcase_add_test(tcase, the_trigger_of_an_attempt_that_does_not_come_is_dropped);
        tcase_add_loop_test(tcase, a_fixed_delay_counts_from_an_attempt_that_does_not_come, 0, 2);
        tcase_add_loop_test(tcase, an_attempt_that_waits_for_its_conditions_outlives_any_death, 0,
                            sizeof(deaths) / sizeof(deaths[0]));
        tcase_add_test(tcase, an_attempt_that_is_refused_while_nobody_is_there_waits);
        tcase_add_loop_test(tcase, a_child_that_is_asked_is_not_forgotten_by_a_power_cut, 0, 2);
        tcase_add_test(tcase, the_wait_of_an_interval_is_not_longer_after_a_crash_and_a_step);
        tcase_add_test(tcase, an_attempt_that_is_refused_after_a_crash_waits_and_is_given_up);
        tcase_add_test(tcase, a_slot_that_comes_takes_the_trigger_in);
        tcase_add_loop_test(tcase, a_trigger_that_waits_is_dropped_by_any_death, 0, sizeof(deaths) / sizeof(deaths[0]));
        tcase_add_loop_test(tcase, a_trigger_that_is_refused_after_a_crash_is_promised_another_run, 0, 2);
        tcase_add_test(tcase, slots_that_are_caught_up_go_on_behind_one_that_was_refused);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
