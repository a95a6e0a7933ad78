// SPDX-License-Identifier: MIT
// Attempts of a slot: Retries= and its delays, starts that fail for lack of resources, StopAfterFailures=, ExpectWithin=.

#include <check.h>
#include <errno.h>

#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

#define ATTEMPTS_MAX 16

/* What becomes of the runs, one after the other; the last row is that of all others. */
struct attempt {
        int64_t duration_us;
        enum run_result result;
        int error;
};

static const struct attempt *script;
static size_t n_script, n_starts;
static int64_t started_at[ATTEMPTS_MAX];

static void scripted_run(void *userdata, struct world *world, struct world_job *job, int64_t *ret_duration_us,
                         struct run_end *ret_end) {
        (void)userdata;
        const struct attempt *now = &script[n_starts < n_script ? n_starts : n_script - 1];
        if (n_starts < ATTEMPTS_MAX)
                started_at[n_starts] = world->now.rt_us;
        n_starts++;
        (void)job;
        *ret_duration_us = now->duration_us;
        ret_end->result = now->result;
        ret_end->error = now->error;
        ret_end->step = now->error ? RUN_STEP_CLONE : RUN_STEP_NONE;
}

static void play(const struct attempt *rows, size_t n) {
        w.run_of = scripted_run;
        script = rows;
        n_script = n;
        n_starts = 0;
}
#define PLAY(...) play((const struct attempt[]){__VA_ARGS__}, ARRAY_SIZE(((const struct attempt[]){__VA_ARGS__})))

#define FAILS(minutes)                                                                                                         \
        { (minutes) * MIN, RUN_RESULT_FAILED, 0 }
#define GOOD                                                                                                                   \
        { 0, RUN_RESULT_SUCCESS, 0 }
#define NO_PROCESS                                                                                                             \
        { 0, RUN_RESULT_START_FAILED, EAGAIN }

static void expect_starts(size_t n, const int64_t *starts) {
        for (size_t i = 0; i < n && i < n_starts; i++)
                ck_assert_msg(started_at[i] == starts[i], "start %zu was %lld s off", i,
                              (long long)(started_at[i] - starts[i]) / SEC);
        ck_assert_uint_eq(n_starts, n);
}
#define EXPECT_STARTS(...) expect_starts(ARRAY_SIZE(((const int64_t[]){__VA_ARGS__})), (const int64_t[]){__VA_ARGS__})

static struct job_view view(void) {
        struct job_view v;
        engine_view(w.engine, w.now, engine_find_job(w.engine, "job"), &v);
        return v;
}

static struct job_when hourly(uint32_t retries, int64_t delay_us) {
        struct job_when when = wall_grid(HOUR, 0);
        when.retries = retries;
        when.retry_delay_us = delay_us;
        return when;
}

/* V8 */
START_TEST(attempts_of_a_slot_end_before_the_next_one) {
        begin_at(10, 0, 0);
        PLAY(FAILS(5), {10 * MIN + 10 * SEC, RUN_RESULT_TIMEOUT, 0}, {50 * SEC, RUN_RESULT_FAILED, 0}, GOOD);
        define(hourly(3, 20 * MIN));
        run_to(10, 56, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 25, 0), at(10, 55, 10));
        ck_assert_uint_eq(w.jobs[0].start.attempt, 3);
        ck_assert(!view().retry); /* a fourth would come after 11:00 */
        ck_assert_int_eq(view().status, JOB_STATUS_WAITING);
        run_to(11, 30, 0);
        expect_ran(0, at(10, 0, 0), 0);
        expect_ran(1, at(11, 0, 0), 0);
        ck_assert_uint_eq(w.n_entries, 2);
}
END_TEST

START_TEST(a_last_attempt_that_lasts_overlaps_the_next_slot) {
        begin_at(10, 0, 0);
        PLAY(FAILS(5), FAILS(5), FAILS(15), GOOD);
        define(hourly(3, 20 * MIN));
        run_to(12, 30, 0);
        expect_ran(0, at(10, 0, 0), 0);
        expect(1, SLOT_MISSED, SLOT_REASON_OVERLAP, at(11, 0, 0), at(11, 0, 0), 1);
        expect_ran(2, at(12, 0, 0), 0);
}
END_TEST

static const struct {
        uint32_t backoff_ppm;
        int64_t max_us;
        int minutes[5]; /* at which attempts begin */
} delays[] = {
        {1000000, HOUR, {0, 1, 2, 3, 4}}, {2000000, HOUR, {0, 1, 3, 7, 15}},       {2000000, 3 * MIN, {0, 1, 3, 6, 9}},
        {3000000, 0, {0, 0, 0, 0, 0}},    {100000000, 5 * MIN, {0, 1, 6, 11, 16}},
};

START_TEST(the_delay_grows_by_its_factor_up_to_its_end) {
        begin_at(10, 0, 0);
        PLAY(FAILS(0));
        struct job_when when = every(HOUR, JOB_MODE_FIXED_RATE);
        when.retries = 4;
        when.retry_delay_us = MIN;
        when.retry_backoff_ppm = delays[_i].backoff_ppm;
        when.retry_max_delay_us = delays[_i].max_us;
        define(when);
        run_to(10, 59, 0);
        ck_assert_uint_eq(n_starts, 5);
        for (int i = 0; i < 5; i++)
                ck_assert_msg(started_at[i] == at(10, delays[_i].minutes[i], 0), "row %d: attempt %d began %lld s later", _i, i,
                              (long long)(started_at[i] - at(10, 0, 0)) / SEC);
}
END_TEST

START_TEST(a_good_attempt_is_the_last) {
        begin_at(10, 0, 0);
        PLAY(FAILS(0), GOOD);
        define(hourly(3, MIN));
        run_to(10, 0, 30);
        ck_assert_int_eq(view().status, JOB_STATUS_PENDING);
        ck_assert_uint_eq(view().retry->attempt, 2);
        run_to(10, 59, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 1, 0));
        ck_assert_int_eq(w.jobs[0].start.cause, RUN_CAUSE_RETRY);
        ck_assert_int_eq(w.jobs[0].start.item, WIRE_ITEM_RETRY);
        ck_assert_int_eq(w.jobs[0].start.slot_rt_us, at(10, 0, 0));
}
END_TEST

START_TEST(a_fixed_delay_counts_from_the_last_attempt) {
        begin_at(10, 0, 0);
        PLAY(FAILS(1), FAILS(1), GOOD);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_DELAY);
        when.retries = 1;
        when.retry_delay_us = 20 * MIN;
        define(when);
        run_to(10, 40, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 21, 0), at(10, 32, 0));
}
END_TEST

START_TEST(the_run_of_a_trigger_is_tried_again_too) {
        uint64_t run;
        begin_at(10, 30, 0);
        PLAY(FAILS(0), FAILS(0), GOOD);
        define(hourly(5, 20 * MIN));
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        run_to(11, 1, 0);
        EXPECT_STARTS(at(10, 30, 0), at(10, 50, 0), at(11, 0, 0));
}
END_TEST

START_TEST(a_trigger_starts_the_attempt_that_waits) {
        uint64_t run;
        begin_at(10, 0, 0);
        PLAY(FAILS(1), GOOD);
        define(hourly(3, 20 * MIN));
        run_to(10, 10, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_STARTED);
        ck_assert_uint_eq(w.jobs[0].start.run, run);
        ck_assert_uint_eq(w.jobs[0].start.attempt, 2);
        run_to(10, 59, 0);
        ck_assert_uint_eq(n_starts, 2);
}
END_TEST

START_TEST(a_trigger_that_waits_for_the_run_is_its_next_attempt) {
        uint64_t run;
        begin_at(10, 0, 0);
        PLAY(FAILS(5), GOOD);
        define(hourly(3, 20 * MIN));
        run_to(10, 1, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.if_running = TRIGGER_QUEUE}, &run), TRIGGER_QUEUED);
        run_to(10, 59, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 5, 0));
        ck_assert_uint_eq(w.jobs[0].start.run, run);
        ck_assert_uint_eq(w.jobs[0].start.attempt, 2);
}
END_TEST

/* The end is heard of late: the next slot is due by then, and the trigger that waits goes with that. */
START_TEST(a_trigger_and_a_slot_that_is_due_leave_no_attempt) {
        uint64_t run;
        begin_at(10, 0, 0);
        PLAY(FAILS(5), GOOD);
        define(hourly(3, 20 * MIN));
        run_to(10, 1, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.if_running = TRIGGER_QUEUE}, &run), TRIGGER_QUEUED);
        world_stall(&w, 64 * MIN);
        ck_assert_msg(!w.error[0], "%s", w.error);
        EXPECT_STARTS(at(10, 0, 0), at(11, 5, 0));
        ck_assert(!view().retry);
        expect_ran(1, at(11, 0, 0), 5 * MIN);
}
END_TEST

/* The same of a fixed delay, which is over by then: it counts from the attempt. */
START_TEST(a_trigger_and_a_delay_that_is_over_are_one_attempt) {
        uint64_t run;
        begin_at(10, 0, 0);
        PLAY(FAILS(5), GOOD);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_DELAY);
        when.retries = 1;
        when.retry_delay_us = MIN;
        define(when);
        run_to(10, 1, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.if_running = TRIGGER_QUEUE}, &run), TRIGGER_QUEUED);
        world_stall(&w, 30 * MIN);
        ck_assert_msg(!w.error[0], "%s", w.error);
        EXPECT_STARTS(at(10, 0, 0), at(10, 31, 0));
        ck_assert_uint_eq(w.jobs[0].start.attempt, 2);
        ck_assert(!view().retry);
}
END_TEST

START_TEST(a_cancel_drops_the_attempt) {
        begin_at(10, 0, 0);
        PLAY(FAILS(1), GOOD);
        define(hourly(3, 20 * MIN));
        run_to(10, 10, 0);
        ck_assert_int_eq(world_cancel(&w, "job", _i == 0), 1);
        run_to(10, 59, 0);
        ck_assert_uint_eq(n_starts, 1);
        run_to(11, 30, 0);
        ck_assert_uint_eq(n_starts, _i == 0 ? 2 : 1);
}
END_TEST

/* It is part of a slot that ran. */
START_TEST(an_attempt_comes_in_a_pause) {
        begin_at(10, 0, 0);
        PLAY(FAILS(1), GOOD);
        define(hourly(3, 20 * MIN));
        run_to(10, 10, 0);
        world_pause(&w, "job", INT64_MAX);
        run_to(12, 30, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 21, 0));
        world_resume(&w, "job");
        expect(1, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(11, 0, 0), at(12, 0, 0), 2);
}
END_TEST

/* The clock is set so far forward that the next slot comes before it. */
START_TEST(a_slot_that_comes_after_all_goes_before_the_attempt) {
        begin_at(10, 0, 0);
        PLAY(FAILS(0), GOOD);
        define(hourly(3, 20 * MIN));
        run_to(10, 10, 0);
        world_step_clock(&w, 45 * MIN);
        ck_assert(view().retry);
        run_to(11, 0, 0);
        ck_assert(!view().retry);
        EXPECT_STARTS(at(10, 0, 0), at(11, 0, 0));
        expect_ran(1, at(11, 0, 0), 0);
}
END_TEST

START_TEST(another_schedule_may_end_the_wait) {
        begin_at(10, 0, 0);
        PLAY(FAILS(0), GOOD);
        define(hourly(3, 20 * MIN));
        run_to(10, 2, 0);
        struct job_when when = hourly(3, 20 * MIN);
        job_when_set_every(&when, 15 * MIN);
        define(when);
        run_to(10, 20, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 15, 0));
        ck_assert(!view().retry);
}
END_TEST

START_TEST(what_waits_in_the_queue_leaves_no_time_for_an_attempt) {
        begin_at(10, 0, 0);
        PLAY(FAILS(65), GOOD);
        struct job_when when = hourly(3, MIN);
        when.overlap = JOB_OVERLAP_QUEUE;
        define(when);
        run_to(11, 30, 0);
        EXPECT_STARTS(at(10, 0, 0), at(11, 5, 0));
        expect_ran(1, at(11, 0, 0), 5 * MIN);
}
END_TEST

/* ---- deaths ---- */

static const struct {
        const char *name;
        int64_t down_us;
        bool is_power_cut, is_reboot;
        bool is_in_time;
} deaths[] = {
        {"a crash", 5 * MIN, false, false, true},
        {"a long crash", HOUR, false, false, false},
        {"a power cut", 5 * MIN, true, false, true},
        {"a reboot", 5 * MIN, true, true, true},
        {"a long reboot", HOUR, true, true, false},
        {"a crash over its instant", 30 * MIN, false, false, true},
        {"a reboot over its instant", 30 * MIN, true, true, true},
};

START_TEST(an_attempt_outlives_what_does_not_last_to_the_next_slot) {
        begin_at(10, 0, 0);
        world_begin_ledger(&w);
        PLAY(FAILS(1), GOOD);
        struct job_when when = hourly(3, 20 * MIN);
        when.catch_up = JOB_CATCH_UP_NONE;
        define(when);
        run_to(10, 10, 0);
        ck_assert_uint_eq(n_starts, 1);
        if (deaths[_i].is_power_cut)
                world_power_cut(&w, deaths[_i].down_us, deaths[_i].is_reboot);
        else
                world_crash(&w, deaths[_i].down_us);
        run_to(11, 30, 0);
        bool is_over_it = deaths[_i].down_us > 11 * MIN;
        ck_assert_msg(!w.error[0], "%s: %s", deaths[_i].name, w.error);
        if (deaths[_i].is_in_time) {
                ck_assert_uint_eq(n_starts, 3);
                ck_assert_int_eq(started_at[1], is_over_it ? at(10, 40, 0) : at(10, 21, 0));
                ck_assert_int_eq(started_at[2], at(11, 0, 0));
        } else
                ck_assert_msg(n_starts == 1, "%s: %zu starts", deaths[_i].name, n_starts);
}
END_TEST

/* ---- starts that fail for lack of resources ---- */

START_TEST(a_start_without_resources_is_tried_again_and_does_not_count) {
        begin_at(10, 0, 0);
        PLAY(NO_PROCESS, NO_PROCESS, NO_PROCESS, FAILS(0), NO_PROCESS, GOOD);
        define(hourly(1, MIN));
        run_to(10, 59, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 0, 1), at(10, 0, 3), at(10, 0, 7), at(10, 1, 7), at(10, 1, 8));
        expect_ran(0, at(10, 0, 0), 7 * SEC);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert_uint_eq(w.jobs[0].start.attempt, 2);
}
END_TEST

START_TEST(its_delay_ends_at_a_minute_and_its_tries_at_the_next_slot) {
        begin_at(10, 0, 0);
        PLAY(NO_PROCESS);
        define(hourly(0, 0));
        run_to(10, 59, 59);
        ck_assert_uint_eq(n_starts, 7 + 58); /* 0, 1, 3, 7, 15, 31, 63 s, then once a minute */
        ck_assert_uint_eq(w.n_entries, 0);
        ck_assert_int_eq(view().status, JOB_STATUS_PENDING);
        run_to(11, 0, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_RESOURCES, at(10, 0, 0), at(10, 0, 0), 1);
        ck_assert_uint_eq(n_starts, 7 + 59);
        ck_assert_uint_eq(w.jobs[0].totals.ended, 0);
        ck_assert_uint_eq(w.jobs[0].failed_in_row, 0);
}
END_TEST

START_TEST(its_tries_end_with_the_deadline) {
        begin_at(10, 0, 0);
        PLAY(NO_PROCESS);
        struct job_when when = hourly(0, 0);
        when.start_deadline_us = 10 * SEC;
        define(when);
        run_to(10, 59, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 0, 1), at(10, 0, 3), at(10, 0, 7));
        expect(0, SLOT_MISSED, SLOT_REASON_RESOURCES, at(10, 0, 0), at(10, 0, 0), 1);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(a_slot_without_resources_outlives_a_death) {
        begin_at(10, 0, 0);
        world_begin_ledger(&w);
        PLAY(NO_PROCESS);
        struct job_when when = hourly(0, 0);
        when.catch_up = _i & 2 ? JOB_CATCH_UP_ONE : JOB_CATCH_UP_NONE;
        define(when);
        run_to(10, 10, 0);
        if (_i & 1)
                world_crash(&w, MIN);
        else
                world_power_cut(&w, MIN, false);
        run_to(10, 20, 0);
        PLAY(GOOD);
        run_to(10, 22, 0);
        bool is_lost = _i == 0; /* it claims nothing: the try at hand may have begun */
        ck_assert_uint_eq(n_starts, !is_lost);
        expect(0, is_lost ? SLOT_INTERRUPTED : SLOT_RAN, SLOT_REASON_NONE, at(10, 0, 0), at(10, 0, 0), 1);
        ck_assert_uint_eq(w.n_entries, 1);
        ck_assert(world_check(&w));
}
END_TEST

START_TEST(slots_that_pass_before_the_next_try_lack_resources_too) {
        begin_at(10, 0, 0);
        PLAY(NO_PROCESS, {200 * USEC_PER_MSEC, RUN_RESULT_SUCCESS, 0});
        struct job_when when = every(100 * USEC_PER_MSEC, JOB_MODE_FIXED_RATE);
        when.start_deadline_us = MIN;
        define(when);
        run_to(10, 0, 2);
        expect(0, SLOT_MISSED, SLOT_REASON_RESOURCES, at(10, 0, 0) + 100 * USEC_PER_MSEC, at(10, 0, 1) - 100 * USEC_PER_MSEC,
               9);
        expect(1, SLOT_RAN, SLOT_REASON_NONE, at(10, 0, 0), at(10, 0, 0), 1);
        expect(2, SLOT_MISSED, SLOT_REASON_OVERLAP, at(10, 0, 1), at(10, 0, 1) + 100 * USEC_PER_MSEC, 2);
}
END_TEST

START_TEST(a_pause_withholds_a_slot_without_resources) {
        begin_at(10, 0, 0);
        PLAY(NO_PROCESS);
        define(hourly(3, 0));
        run_to(10, 10, 0);
        ck_assert_int_eq(world_pause(&w, "job", INT64_MAX), 1);
        expect(0, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(10, 0, 0), at(10, 0, 0), 1);
}
END_TEST

/* What was to be merged into it is missed for what kept it. */
START_TEST(a_slot_without_resources_takes_the_others_in_once_it_has_begun) {
        begin_at(10, 0, 0);
        PLAY(GOOD, NO_PROCESS, NO_PROCESS, GOOD);
        define(hourly(0, 0));
        world_crash(&w, 3 * HOUR + 30 * MIN);
        ck_assert_uint_eq(w.jobs[0].totals.merged, 0);
        run_to(13, 40, 0);
        ck_assert_uint_eq(w.jobs[0].totals.merged, 2);
        expect(w.n_entries - 1, SLOT_RAN, SLOT_REASON_NONE, at(13, 0, 0), at(13, 0, 0), 1);
        PLAY(NO_PROCESS);
        world_crash(&w, 3 * HOUR);
        run_to(17, 0, 0);
        ck_assert_uint_eq(w.jobs[0].totals.merged, 2);
        ck_assert_uint_eq(w.jobs[0].totals.by_reason[SLOT_REASON_RESOURCES], 1);
        ck_assert_uint_eq(w.jobs[0].totals.by_reason[SLOT_REASON_DOWN], 2); /* the others wait for the next one */
}
END_TEST

START_TEST(another_start_that_fails_is_a_failure) {
        begin_at(10, 0, 0);
        PLAY({0, RUN_RESULT_START_FAILED, ENOENT});
        define(hourly(1, MIN));
        run_to(10, 59, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 1, 0));
}
END_TEST

/* ---- StopAfterFailures= ---- */

START_TEST(failures_in_a_row_stop_the_job) {
        uint64_t run;
        begin_at(10, 0, 0);
        PLAY(FAILS(0), FAILS(0), GOOD, FAILS(0), FAILS(0), FAILS(0), FAILS(0), GOOD);
        struct job_when when = hourly(1, MIN);
        when.stop_after_failures = 2;
        define(when);
        run_to(11, 30, 0); /* failed in the end; good */
        ck_assert(!w.jobs[0].is_failed);
        run_to(13, 0, 30);
        ck_assert(!w.jobs[0].is_failed);
        run_to(13, 1, 0);
        ck_assert(w.jobs[0].is_failed);
        ck_assert_int_eq(view().status, JOB_STATUS_FAILED);
        run_to(15, 0, 0);
        ck_assert_uint_eq(n_starts, 7);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_NOT_ARMED);
        ck_assert_int_eq(world_pause(&w, "job", INT64_MAX), ENGINE_REFUSED_FAILED);
        ck_assert_int_eq(world_start(&w, "job"), 1);
        ck_assert_int_eq(world_start(&w, "job"), 0);
        run_to(15, 30, 0);
        ck_assert_uint_eq(n_starts, 8);
}
END_TEST

START_TEST(what_waits_for_the_last_failure_is_withheld) {
        begin_at(10, 0, 0);
        PLAY(FAILS(65));
        struct job_when when = hourly(0, 0);
        when.stop_after_failures = 1;
        when.overlap = JOB_OVERLAP_QUEUE;
        define(when);
        run_to(13, 0, 0);
        expect_ran(0, at(10, 0, 0), 0);
        expect(1, SLOT_WITHHELD, SLOT_REASON_FAILED, at(11, 0, 0), at(11, 0, 0), 1);
        ck_assert_uint_eq(w.n_entries, 2);
}
END_TEST

START_TEST(a_stopped_job_stays_so_over_a_death_and_a_reload) {
        begin_at(10, 0, 0);
        world_begin_ledger(&w);
        PLAY(FAILS(0));
        struct job_when when = hourly(0, 0);
        when.stop_after_failures = 2;
        define(when);
        run_to(10, 30, 0);
        world_power_cut(&w, MIN, true); /* the first one is not forgotten */
        run_to(11, 30, 0);
        ck_assert(w.jobs[0].is_failed);
        world_power_cut(&w, MIN, true);
        when.every_us = 20 * MIN;
        define(when);
        run_to(13, 0, 0);
        ck_assert_uint_eq(n_starts, 2);
        ck_assert_int_eq(view().status, JOB_STATUS_FAILED);
}
END_TEST

/* ---- ExpectWithin= ---- */

static size_t n_overdue, n_overdue_again, n_overdue_over;

/* The world has no use for them: they are looked at here. */
static void count_overdue(void) {
        n_overdue = w.jobs[0].n_overdue;
        n_overdue_again = w.jobs[0].n_overdue_again;
        n_overdue_over = w.jobs[0].n_overdue_over;
}

START_TEST(a_job_without_a_good_run_is_overdue_until_it_has_one) {
        begin_at(10, 0, 0);
        PLAY(GOOD, FAILS(0));
        struct job_when when = hourly(0, 0);
        when.expect_within_us = 2 * HOUR + 30 * MIN;
        define(when);
        run_to(12, 29, 59);
        ck_assert(!view().is_overdue);
        run_to(12, 30, 0);
        ck_assert(view().is_overdue);
        ck_assert_int_eq(view().good_rt_us, at(10, 0, 0));
        run_to(36, 29, 59);
        count_overdue();
        ck_assert_uint_eq(n_overdue, 1);
        ck_assert_uint_eq(n_overdue_again, 0);
        run_to(36, 30, 0);
        count_overdue();
        ck_assert_uint_eq(n_overdue_again, 1);
        PLAY(GOOD);
        run_to(37, 0, 0);
        count_overdue();
        ck_assert_uint_eq(n_overdue_over, 1);
        ck_assert(!view().is_overdue);
}
END_TEST

START_TEST(nobody_expects_a_run_of_a_job_that_is_held) {
        begin_at(10, 0, 0);
        PLAY(FAILS(0));
        struct job_when when = hourly(0, 0);
        when.expect_within_us = 90 * MIN;
        define(when);
        run_to(11, 10, 0);
        if (_i == 0)
                world_pause(&w, "job", INT64_MAX);
        else
                world_cancel(&w, "job", false);
        run_to(14, 0, 0);
        ck_assert(!view().is_overdue);
        if (_i == 0)
                world_resume(&w, "job");
        else
                world_start(&w, "job");
        run_to(15, 29, 59); /* it counts from then on */
        ck_assert(!view().is_overdue);
        run_to(15, 30, 0);
        ck_assert(view().is_overdue);
        count_overdue();
        ck_assert_uint_eq(n_overdue, 1);
}
END_TEST

START_TEST(the_last_good_run_is_known_after_a_reboot) {
        begin_at(10, 0, 0);
        world_begin_ledger(&w);
        PLAY(GOOD, FAILS(0));
        struct job_when when = hourly(0, 0);
        when.expect_within_us = 6 * HOUR;
        define(when);
        run_to(11, 10, 0);
        world_power_cut(&w, 4 * HOUR, true);
        run_to(15, 59, 59);
        ck_assert(!view().is_overdue);
        run_to(16, 0, 1);
        ck_assert(view().is_overdue);
        world_power_cut(&w, HOUR, true);
        ck_assert(view().is_overdue);
        count_overdue();
        ck_assert_uint_eq(n_overdue, 1); /* it was told */
}
END_TEST

/* The programs die when the ledger has heard nothing of the attempt that has just begun. */
START_TEST(an_attempt_that_may_have_begun_does_not_begin_again) {
        begin_at(10, 0, 0);
        world_begin_ledger(&w);
        PLAY(FAILS(0), {HOUR, RUN_RESULT_SUCCESS, 0});
        struct job_when when = hourly(1, MIN);
        when.durability = JOB_DURABILITY_FULL;
        when.is_interrupted_retried = _i == 1;
        when.stop_after_failures = 1; /* that is none */
        define(when);
        while (n_starts < 2 && w.now.rt_us < at(10, 2, 0))
                world_run_to(&w, w.now.bt_us + USEC_PER_MSEC);
        ck_assert_int_le(w.now.rt_us, at(10, 1, 1));
        world_power_cut(&w, MIN, false);
        run_to(10, 50, 0);
        ck_assert_uint_eq(n_starts, _i == 1 ? 3 : 2);
        ck_assert(!view().retry);
        ck_assert(world_check(&w));
}
END_TEST

START_TEST(an_attempt_that_had_not_come_by_a_death_comes) {
        begin_at(10, 0, 0);
        world_begin_ledger(&w);
        PLAY(FAILS(0), GOOD);
        struct job_when when = hourly(1, 20 * MIN);
        when.durability = JOB_DURABILITY_FULL;
        define(when);
        run_to(10, 10, 0);
        world_power_cut(&w, MIN, _i == 1);
        run_to(10, 50, 0);
        ck_assert_uint_eq(n_starts, 2);
        ck_assert(world_check(&w));
}
END_TEST

/* A trigger asked for it, and waited for the ledger when the scheduler died: the promise ends, and the runner has heard of no start. */
START_TEST(an_attempt_that_was_to_begin_early_comes_in_its_time) {
        uint64_t run;
        begin_at(10, 0, 0);
        world_begin_ledger(&w);
        PLAY(FAILS(0), GOOD);
        struct job_when when = hourly(1, 20 * MIN);
        when.durability = JOB_DURABILITY_FULL;
        define(when);
        run_to(10, 10, 0);
        world_slow_disk(&w, 1);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){0}, &run), TRIGGER_QUEUED);
        w.n_actions |= 1; /* what is on its way gets to the disk */
        world_crash(&w, SEC);
        world_slow_disk(&w, 0);
        run_to(10, 50, 0);
        EXPECT_STARTS(at(10, 0, 0), at(10, 20, 0));
}
END_TEST

static void teardown(void) {
        world_done(&w);
}

int main(void) {
        Suite *suite = suite_create("retry");
        TCase *tc = tcase_create("retry");
        tcase_add_checked_fixture(tc, NULL, teardown);
        tcase_add_test(tc, attempts_of_a_slot_end_before_the_next_one);
        tcase_add_test(tc, a_last_attempt_that_lasts_overlaps_the_next_slot);
        tcase_add_loop_test(tc, the_delay_grows_by_its_factor_up_to_its_end, 0, ARRAY_SIZE(delays));
        tcase_add_test(tc, a_good_attempt_is_the_last);
        tcase_add_test(tc, a_fixed_delay_counts_from_the_last_attempt);
        tcase_add_test(tc, the_run_of_a_trigger_is_tried_again_too);
        tcase_add_test(tc, a_trigger_starts_the_attempt_that_waits);
        tcase_add_test(tc, a_trigger_that_waits_for_the_run_is_its_next_attempt);
        tcase_add_test(tc, a_trigger_and_a_slot_that_is_due_leave_no_attempt);
        tcase_add_test(tc, a_trigger_and_a_delay_that_is_over_are_one_attempt);
        tcase_add_loop_test(tc, a_cancel_drops_the_attempt, 0, 2);
        tcase_add_test(tc, an_attempt_comes_in_a_pause);
        tcase_add_test(tc, a_slot_that_comes_after_all_goes_before_the_attempt);
        tcase_add_test(tc, another_schedule_may_end_the_wait);
        tcase_add_test(tc, what_waits_in_the_queue_leaves_no_time_for_an_attempt);
        tcase_add_loop_test(tc, an_attempt_outlives_what_does_not_last_to_the_next_slot, 0, ARRAY_SIZE(deaths));
        tcase_add_test(tc, a_start_without_resources_is_tried_again_and_does_not_count);
        tcase_add_test(tc, its_delay_ends_at_a_minute_and_its_tries_at_the_next_slot);
        tcase_add_test(tc, its_tries_end_with_the_deadline);
        tcase_add_loop_test(tc, a_slot_without_resources_outlives_a_death, 0, 4);
        tcase_add_test(tc, slots_that_pass_before_the_next_try_lack_resources_too);
        tcase_add_test(tc, a_pause_withholds_a_slot_without_resources);
        tcase_add_test(tc, a_slot_without_resources_takes_the_others_in_once_it_has_begun);
        tcase_add_test(tc, another_start_that_fails_is_a_failure);
        tcase_add_test(tc, failures_in_a_row_stop_the_job);
        tcase_add_test(tc, what_waits_for_the_last_failure_is_withheld);
        tcase_add_test(tc, a_stopped_job_stays_so_over_a_death_and_a_reload);
        tcase_add_test(tc, a_job_without_a_good_run_is_overdue_until_it_has_one);
        tcase_add_loop_test(tc, nobody_expects_a_run_of_a_job_that_is_held, 0, 2);
        tcase_add_test(tc, the_last_good_run_is_known_after_a_reboot);
        tcase_add_loop_test(tc, an_attempt_that_may_have_begun_does_not_begin_again, 0, 2);
        tcase_add_loop_test(tc, an_attempt_that_had_not_come_by_a_death_comes, 0, 2);
        tcase_add_test(tc, an_attempt_that_was_to_begin_early_comes_in_its_time);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
