// SPDX-License-Identifier: MIT
// What the keeper writes of hosted jobs: ranges of what is routine, rows of all else, and what is safe by when.

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/keeper.h"
#include "daemon/scheduler/ledger_row.h"
#include "tests/unit/run_suite.h"

#define EVERY_US (50 * USEC_PER_MSEC)
#define JOBS     100
#define KEPT     4096

static struct engine *engine;
static struct book *book;
static struct keeper *keeper;
static struct clock_sample now;
static enum run_result result;
static uint64_t n_commits;
static int64_t takes_us; /* a run, the only one; 0: none takes any time */
static struct wire_ended in_flight;
/* as the sink got them */
static struct ledger_range ranges[KEPT];
static struct ledger_run runs[KEPT];
static size_t n_ranges, n_runs, n_jobs;

static void take_job(void *userdata, const struct ledger_job *job) {
        (void)userdata;
        (void)job;
        n_jobs++;
}

static void take_run(void *userdata, const struct ledger_run *run) {
        (void)userdata;
        ck_assert_uint_lt(n_runs, KEPT);
        runs[n_runs++] = *run;
}

static void take_range(void *userdata, const struct ledger_range *range) {
        (void)userdata;
        struct ledger_range *before = n_ranges > 0 ? &ranges[n_ranges - 1] : NULL;
        if (before && before->job == range->job && ledger_range_is_joined(before, range)) { /* as the writer does */
                ledger_range_join(before, range);
                return;
        }
        ck_assert_uint_lt(n_ranges, KEPT);
        ranges[n_ranges++] = *range;
}

static void take_segment(void *userdata, const struct ledger_segment *segment) {
        (void)userdata;
        (void)segment;
}

static uint64_t take_commit(void *userdata) {
        (void)userdata;
        return ++n_commits;
}

/* Jobs of which each has its phase. */
static void begin(uint32_t n, bool is_hosted, enum job_log log, int64_t every_us) {
        static const struct keeper_sink sink = {
                .job = take_job, .run = take_run, .range = take_range, .segment = take_segment, .commit = take_commit};
        struct wire_hello hello = {.next_run = 1, .is_synchronised = true};
        now = (struct clock_sample){.rt_us = INT64_C(1774008000000000), .bt_us = USEC_PER_DAY};
        n_ranges = n_runs = n_jobs = 0;
        n_commits = 0;
        result = RUN_RESULT_SUCCESS;
        takes_us = 0;
        in_flight.run = 0;
        ck_assert_int_eq(engine_new(&hello, &engine), 0);
        ck_assert_int_eq(book_new(&book), 0);
        ck_assert_int_eq(keeper_new(&sink, NULL, hello.boot_id, &keeper), 0);
        for (uint32_t i = 0; i < n; i++) {
                char name[16];
                struct job_when when;
                snprintf(name, sizeof(name), "job%u", i);
                job_when_init(&when);
                when.every_us = every_us;
                when.mode = JOB_MODE_FIXED_RATE;
                when.catch_up = JOB_CATCH_UP_NONE;
                when.log = log;
                struct wire_define define = {.name = name,
                                             .since_rt_us = now.rt_us + 1 + i,
                                             .since_bt_us = now.bt_us + 1 + i,
                                             .host = is_hosted ? "host" : NULL};
                ck_assert_int_eq(engine_define(engine, &define, &when, NULL), 0);
        }
        ck_assert_int_eq(engine_commit(engine, now, &(struct wire_commit){.generation = 1}), 0);
}

static void end(void) {
        keeper_free(keeper);
        book_free(book);
        engine_free(engine);
}

/* Notes what there is. Each run ends at once, or is in flight. */
static void take(void) {
        const struct action *a;
        uint64_t started[2 * JOBS];
        size_t n = 0;
        while ((a = engine_next_action(engine))) {
                book_note(book, engine, now, a, "value", a->kind == ACTION_ENDED ? 5 : 0);
                keeper_note(keeper, engine, book, now, a, NULL, 0);
                if (a->kind == ACTION_START)
                        started[n++] = a->start.run;
        }
        for (size_t i = 0; i < n; i++) {
                struct wire_ended ended = {.run = started[i],
                                           .end = {.result = result, .exit_code = -1, .end_bt_us = now.bt_us + takes_us}};
                if (takes_us > 0) {
                        ck_assert_uint_eq(in_flight.run, 0);
                        in_flight = ended;
                        continue;
                }
                ck_assert_int_eq(engine_ended(engine, now, &ended), 0);
        }
        if (n > 0)
                take();
}

static void pass(int64_t us) {
        for (int64_t until_us = now.bt_us + us; now.bt_us < until_us;) {
                now.bt_us += USEC_PER_MSEC;
                now.rt_us += USEC_PER_MSEC;
                if (in_flight.run > 0 && now.bt_us >= in_flight.end.end_bt_us) {
                        ck_assert_int_eq(engine_ended(engine, now, &in_flight), 0);
                        in_flight.run = 0;
                        take();
                }
                while (engine_advance(engine, now) > 0)
                        take();
                take();
                (void)keeper_flush(keeper, engine, book, now, false);
        }
}

static void flush_all(void) {
        keeper_settle(keeper);
        ck_assert_uint_gt(keeper_flush(keeper, engine, book, now, true), 0);
        ck_assert_int_eq(keeper_next_flush(keeper), INT64_MAX);
}

static uint64_t count_rows(bool is_routine) {
        uint64_t n = 0;
        for (size_t i = 0; i < n_runs; i++)
                n += runs[i].is_routine == is_routine;
        return n;
}

/* Of a job: all from the first on, each once, in their order. */
static uint64_t count_slots(const char *job) {
        uint64_t n = 0;
        int64_t next = 0;
        for (size_t i = 0; i < n_ranges; i++)
                if (strcmp(ranges[i].job, job) == 0) {
                        ck_assert_int_eq(ranges[i].first, next);
                        next = ranges[i].last + 1;
                        ck_assert_uint_eq(ranges[i].n, (uint64_t)(next - ranges[i].first));
                        n += ranges[i].n;
                }
        return n;
}

START_TEST(routine_runs_are_a_range) {
        begin(1, true, JOB_LOG_CHANGES, EVERY_US);
        pass(USEC_PER_MINUTE);
        flush_all();
        ck_assert_uint_eq(book_find(book, 0)->counts.runs, USEC_PER_MINUTE / EVERY_US);
        ck_assert_uint_eq(count_slots("job0"), USEC_PER_MINUTE / EVERY_US);
        ck_assert_uint_eq(count_rows(false), 1); /* the first, which was a change */
        ck_assert_uint_le(n_commits, USEC_PER_MINUTE / KEEPER_ROUTINE_US + 3);
        ck_assert_uint_eq(n_ranges, 2);
        ck_assert_int_eq(ranges[0].result, RUN_RESULT_NONE);
        ck_assert_int_eq(ranges[1].result, RUN_RESULT_SUCCESS);
        const struct ledger_run *latest = &runs[n_runs - 1];
        ck_assert(latest->is_routine);
        ck_assert_uint_eq(latest->run.run, USEC_PER_MINUTE / EVERY_US);
        ck_assert_uint_eq(latest->value_size, 5);
        end();
}
END_TEST

static const struct {
        const char *what;
        bool is_hosted;
        enum job_log log;
        int64_t every_us;
} plain[] = {{"a command", false, JOB_LOG_CHANGES, EVERY_US},
             {"a job that tells all", true, JOB_LOG_ALL, EVERY_US},
             {"a job that runs seldom", true, JOB_LOG_CHANGES, ENGINE_ROUTINE_US}};

START_TEST(all_others_have_a_row_for_each_run) {
        begin(1, plain[_i].is_hosted, plain[_i].log, plain[_i].every_us);
        pass(20 * plain[_i].every_us);
        flush_all();
        ck_assert_msg(count_rows(false) == 20 && count_rows(true) == 0, "%s: %zu runs", plain[_i].what, n_runs);
        ck_assert_uint_eq(count_slots("job0"), 20);
        for (size_t i = 0; i < n_ranges; i++)
                ck_assert_int_eq(ranges[i].result, RUN_RESULT_NONE);
        end();
}
END_TEST

START_TEST(what_differs_has_its_row_behind_what_came_before) {
        begin(1, true, JOB_LOG_CHANGES, EVERY_US);
        pass(500 * USEC_PER_MSEC);
        result = RUN_RESULT_FAILED;
        pass(100 * USEC_PER_MSEC);
        result = RUN_RESULT_SUCCESS;
        pass(200 * USEC_PER_MSEC);
        result = RUN_RESULT_SKIPPED; /* as good, and another */
        pass(100 * USEC_PER_MSEC);
        flush_all();
        static const struct {
                uint64_t n;
                enum run_result result;
        } rows[] = {{1, RUN_RESULT_NONE},    {9, RUN_RESULT_SUCCESS}, {3, RUN_RESULT_NONE},
                    {3, RUN_RESULT_SUCCESS}, {1, RUN_RESULT_NONE},    {1, RUN_RESULT_SKIPPED}};
        ck_assert_uint_eq(n_ranges, ARRAY_SIZE(rows));
        ck_assert_uint_eq(count_slots("job0"), 18);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                ck_assert_msg(ranges[i].n == rows[i].n && ranges[i].result == rows[i].result, "row %zu: %lu, %d", i,
                              (unsigned long)ranges[i].n, ranges[i].result);
        ck_assert_uint_eq(count_rows(false), 5);
        ck_assert_int_eq(runs[n_runs - 1].end.result, RUN_RESULT_SKIPPED);
        end();
}
END_TEST

/* Every second slot is missed. What is written grows with the time, not with the slots. */
START_TEST(a_job_that_cannot_keep_up_is_two_ranges) {
        uint64_t n_ran = 0, n_missed = 0;
        begin(1, true, JOB_LOG_CHANGES, EVERY_US);
        takes_us = EVERY_US + EVERY_US / 2;
        pass(USEC_PER_MINUTE);
        flush_all();
        for (size_t i = 0; i < n_ranges; i++)
                *(ranges[i].outcome == SLOT_RAN ? &n_ran : &n_missed) += ranges[i].n;
        ck_assert_uint_eq(n_ran, book_find(book, 0)->counts.runs);
        ck_assert_uint_eq(n_missed, book_find(book, 0)->counts.missed);
        ck_assert_uint_ge(n_ran + n_missed, USEC_PER_MINUTE / EVERY_US - 2);
        ck_assert_uint_ge(n_missed, USEC_PER_MINUTE / EVERY_US / 2 - 2);
        uint64_t n_writings = USEC_PER_MINUTE / KEEPER_ROUTINE_US + 3;
        ck_assert_uint_le(n_ranges, 2 * n_writings);
        ck_assert_uint_le(n_jobs, n_writings);
        ck_assert_uint_eq(count_rows(false), 1);
        end();
}
END_TEST

START_TEST(what_differs_among_what_was_missed_has_its_row) {
        begin(1, true, JOB_LOG_CHANGES, EVERY_US);
        takes_us = EVERY_US + EVERY_US / 2;
        pass(500 * USEC_PER_MSEC);
        result = RUN_RESULT_FAILED;
        pass(100 * USEC_PER_MSEC);
        result = RUN_RESULT_SUCCESS;
        pass(500 * USEC_PER_MSEC);
        takes_us = 0;
        pass(500 * USEC_PER_MSEC);
        flush_all();
        uint64_t n = 0, n_all = book_find(book, 0)->counts.runs + book_find(book, 0)->counts.missed;
        for (size_t i = 0; i < n_ranges; i++)
                n += ranges[i].n;
        ck_assert_uint_eq(n, n_all);
        ck_assert_uint_eq(count_rows(false), 3); /* the first, the failure, and the recovery */
        end();
}
END_TEST

START_TEST(days_are_not_joined) {
        begin(1, true, JOB_LOG_CHANGES, EVERY_US);
        now.rt_us += USEC_PER_DAY - now.rt_us % USEC_PER_DAY - USEC_PER_SEC; /* nothing was decided by the clock before */
        pass(3 * USEC_PER_SEC);
        flush_all();
        ck_assert_uint_eq(count_slots("job0"), 60);
        for (size_t i = 0; i < n_ranges; i++)
                ck_assert_int_eq(ranges[i].first_rt_us / USEC_PER_DAY, ranges[i].last_rt_us / USEC_PER_DAY);
        end();
}
END_TEST

/* What was noted before an era is in the rows by the commit with which that is kept; few jobs are written in a pass. */
START_TEST(an_era_that_is_kept_is_written) {
        uint64_t n_ended[64] = {0}, kept = 0;
        begin(JOBS, true, JOB_LOG_CHANGES, EVERY_US);
        for (int i = 0; i < 10000; i++) {
                size_t before = n_jobs;
                uint64_t commits = n_commits, era = keeper_era(keeper);
                pass(USEC_PER_MSEC);
                if (commits == n_commits)
                        ck_assert_uint_le(n_jobs - before, KEEPER_STEP_MIN);
                ck_assert_uint_lt(keeper_era(keeper), ARRAY_SIZE(n_ended));
                uint64_t n = 0, n_written = 0;
                for (uint32_t job = 0; job < JOBS; job++)
                        n += book_find(book, job) ? book_find(book, job)->counts.runs : 0;
                for (; era < keeper_era(keeper); era++)
                        n_ended[era + 1] = n;
                if (keeper_kept_era(keeper, n_commits) == kept)
                        continue;
                kept = keeper_kept_era(keeper, n_commits);
                for (size_t k = 0; k < n_ranges; k++)
                        n_written += ranges[k].n;
                ck_assert_uint_ge(n_written, n_ended[kept]);
        }
        ck_assert_uint_ge(kept, 3);
        ck_assert_uint_eq(keeper_kept_era(keeper, 0), kept); /* it does not go back */
        end();
}
END_TEST

START_TEST(a_commit_in_a_hurry_leaves_out_what_is_routine) {
        begin(JOBS, true, JOB_LOG_CHANGES, EVERY_US);
        pass(USEC_PER_SEC);
        size_t before = n_jobs;
        ck_assert_uint_gt(keeper_flush(keeper, engine, book, now, true), 0);
        ck_assert_uint_eq(n_jobs, before);
        flush_all();
        ck_assert_uint_eq(n_jobs, before + JOBS);
        end();
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("keeper");
        TCase *tcase = tcase_create("routine");
        tcase_add_test(tcase, routine_runs_are_a_range);
        tcase_add_loop_test(tcase, all_others_have_a_row_for_each_run, 0, ARRAY_SIZE(plain));
        tcase_add_test(tcase, what_differs_has_its_row_behind_what_came_before);
        tcase_add_test(tcase, a_job_that_cannot_keep_up_is_two_ranges);
        tcase_add_test(tcase, what_differs_among_what_was_missed_has_its_row);
        tcase_add_test(tcase, days_are_not_joined);
        tcase_add_test(tcase, an_era_that_is_kept_is_written);
        tcase_add_test(tcase, a_commit_in_a_hurry_leaves_out_what_is_routine);
        suite_add_tcase(s, tcase);
        return s;
}

int main(void) {
        return run_suite(suite());
}
