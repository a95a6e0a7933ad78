// SPDX-License-Identifier: MIT
// What the book remembers is what the actions said, for each job by itself, within its bounds.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scheduler/book.h"
#include "tests/unit/run_suite.h"

static struct engine *engine;
static struct book *book;
static const struct clock_sample now = {.rt_us = INT64_C(1774008000000000), .bt_us = USEC_PER_DAY};

static void setup(void) {
        struct wire_hello hello = {.next_run = 1};
        ck_assert_int_eq(engine_new(&hello, &engine), 0);
        ck_assert_int_eq(book_new(&book), 0);
}

static void teardown(void) {
        book_free(book);
        engine_free(engine);
}

static void note_end(uint32_t job, uint64_t run, enum run_result result, enum run_cause cause, const char *value) {
        struct action a = {.kind = ACTION_ENDED, .job = job};
        a.run.run = (struct job_run){.run = run, .cause = cause};
        a.run.end = (struct run_end){.result = result, .exit_code = result == RUN_RESULT_FAILED};
        a.run.is_final = true;
        book_note(book, engine, now, &a, value, value ? strlen(value) : 0);
}

static void note_slots(uint32_t job, enum slot_outcome outcome, enum slot_reason reason, int64_t first, uint64_t n,
                       bool is_more) {
        struct action a = {.kind = ACTION_OUTCOME, .job = job};
        a.outcome.outcome = outcome;
        a.outcome.reason = reason;
        a.outcome.n = n;
        a.outcome.first_rt_us = first;
        a.outcome.last_rt_us = first + (int64_t)n - 1;
        a.outcome.is_more = is_more;
        book_note(book, engine, now, &a, NULL, 0);
}

START_TEST(ends_are_counted_by_their_result) {
        note_end(1, 1, RUN_RESULT_SUCCESS, RUN_CAUSE_SCHEDULE, "one");
        note_end(1, 2, RUN_RESULT_FAILED, RUN_CAUSE_TRIGGER, "two");
        note_end(1, 3, RUN_RESULT_TIMEOUT, RUN_CAUSE_SCHEDULE, NULL);
        note_end(1, 4, RUN_RESULT_CANCELLED, RUN_CAUSE_SCHEDULE, "four");
        note_end(2, 5, RUN_RESULT_INTERRUPTED, RUN_CAUSE_SCHEDULE, NULL);
        const struct book_job *j = book_find(book, 1);
        ck_assert_uint_eq(j->counts.runs, 4);
        ck_assert_uint_eq(j->counts.successes, 1);
        ck_assert_uint_eq(j->counts.failures, 2);
        ck_assert_uint_eq(j->counts.failures_in_row, 2);
        ck_assert_uint_eq(j->counts.triggered, 1);
        ck_assert_uint_eq(j->last->run.run, 4);
        ck_assert_uint_eq(j->last_good->run.run, 1);
        ck_assert_uint_eq(j->last_failure->run.run, 3);
        ck_assert_mem_eq(j->last_good->value.data, "one", 3);
        ck_assert_uint_eq(j->last_failure->value.size, 0);
        ck_assert_uint_eq(book_totals(book)->n_failing, 1);
        ck_assert_uint_eq(book_find(book, 2)->counts.interrupted, 1);
        note_end(1, 6, RUN_RESULT_SUCCESS, RUN_CAUSE_SCHEDULE, NULL);
        ck_assert_uint_eq(book_find(book, 1)->counts.failures_in_row, 0);
        ck_assert_uint_eq(book_totals(book)->n_failing, 0);
        ck_assert_ptr_null(book_find(book, 3));
}
END_TEST

START_TEST(a_job_that_never_failed_has_no_last_failure) {
        note_end(1, 1, RUN_RESULT_SUCCESS, RUN_CAUSE_SCHEDULE, "x");
        ck_assert_ptr_eq(book_find(book, 1)->last, book_find(book, 1)->last_good);
        ck_assert_ptr_null(book_find(book, 1)->last_failure);
}
END_TEST

START_TEST(slots_are_counted_and_the_latest_ranges_kept) {
        for (int i = 0; i < BOOK_RECENT + 3; i++)
                note_slots(1, SLOT_MISSED, SLOT_REASON_DOWN, 100 * i, 2, false);
        note_slots(1, SLOT_WITHHELD, SLOT_REASON_PAUSED, 5000, 7, false);
        note_slots(1, SLOT_MERGED, SLOT_REASON_DOWN, 6000, 1, false);
        note_slots(1, SLOT_RAN, SLOT_REASON_NONE, 7000, 1, false);
        const struct book_job *j = book_find(book, 1);
        ck_assert_uint_eq(j->counts.missed, 2 * (BOOK_RECENT + 3));
        ck_assert_uint_eq(j->counts.withheld, 7);
        ck_assert_uint_eq(j->counts.merged, 1);
        ck_assert_uint_eq(j->n_recent, BOOK_RECENT);
        ck_assert_int_eq(j->recent[0].outcome, SLOT_MERGED);
        ck_assert_int_eq(j->recent[1].outcome, SLOT_WITHHELD);
        ck_assert_int_eq(j->recent[2].first_rt_us, 100 * (BOOK_RECENT + 2));
        ck_assert_uint_eq(book_totals(book)->n_slots_missed, 2 * (BOOK_RECENT + 3));
}
END_TEST

START_TEST(a_trouble_that_lasts_is_one_range) {
        note_slots(1, SLOT_MISSED, SLOT_REASON_OVERLAP, 0, 10, true);
        note_slots(1, SLOT_MISSED, SLOT_REASON_OVERLAP, 10, 10, true);
        note_slots(1, SLOT_MISSED, SLOT_REASON_OVERLAP, 20, 1, false);
        const struct book_job *j = book_find(book, 1);
        ck_assert_uint_eq(j->n_recent, 1);
        ck_assert_uint_eq(j->recent[0].n, 21);
        ck_assert_int_eq(j->recent[0].last_rt_us, 20);
        note_slots(1, SLOT_MISSED, SLOT_REASON_OVERLAP, 40, 1, false);
        ck_assert_uint_eq(book_find(book, 1)->n_recent, 2);
}
END_TEST

START_TEST(a_hold_is_signed_until_it_is_over) {
        static const enum hold_change ends[] = {HOLD_RESUMED, HOLD_EXPIRED, HOLD_STARTED};
        static const enum hold_change stays[] = {HOLD_PAUSED, HOLD_CANCELLED, HOLD_REMINDER, HOLD_INTERVAL_SET,
                                                 HOLD_INTERVAL_RESET};
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
                ck_assert_int_eq(book_sign(book, 1, now, "root", "why not", INT64_MAX), 0);
                for (size_t k = 0; k < sizeof(stays) / sizeof(stays[0]); k++)
                        book_note(book, engine, now, &(struct action){.kind = ACTION_HOLD, .job = 1, .hold = stays[k]}, NULL,
                                  0);
                ck_assert_str_eq(book_find(book, 1)->hold.by, "root");
                ck_assert_str_eq(book_find(book, 1)->hold.reason, "why not");
                book_note(book, engine, now, &(struct action){.kind = ACTION_HOLD, .job = 1, .hold = ends[i]}, NULL, 0);
                ck_assert_ptr_null(book_find(book, 1)->hold.by);
        }
        ck_assert_int_eq(book_sign(book, 1, now, "root", NULL, INT64_MAX), 0);
        ck_assert_ptr_null(book_find(book, 1)->hold.reason);
}
END_TEST

START_TEST(values_are_bounded_and_the_numbers_stay) {
        size_t size = 64 * 1024, n = BOOK_VALUES_LIMIT / size + 50, kept = 0;
        char *value = malloc(size + 1);
        memset(value, 'v', size);
        value[size] = '\0';
        for (uint32_t job = 0; job < n; job++)
                note_end(job, job + 1, RUN_RESULT_SUCCESS, RUN_CAUSE_SCHEDULE, value);
        for (uint32_t job = 0; job < n; job++) {
                const struct book_job *j = book_find(book, job);
                ck_assert_uint_eq(j->last->run.run, job + 1);
                kept += j->last->value.size;
        }
        ck_assert_uint_le(kept, BOOK_VALUES_LIMIT);
        ck_assert_uint_ge(kept, BOOK_VALUES_LIMIT - size);
        ck_assert_uint_eq(book_find(book, (uint32_t)n - 1)->last->value.size, size);
        free(value);
}
END_TEST

START_TEST(what_is_gone_is_forgotten_and_the_others_stay) {
        for (uint32_t job = 0; job < 100; job++)
                note_end(job, job + 1, job % 2 ? RUN_RESULT_FAILED : RUN_RESULT_SUCCESS, RUN_CAUSE_SCHEDULE, "x");
        for (uint32_t job = 0; job < 100; job += 3)
                book_note(book, engine, now, &(struct action){.kind = ACTION_GONE, .job = job}, NULL, 0);
        uint32_t failing = 0;
        for (uint32_t job = 0; job < 100; job++) {
                const struct book_job *j = book_find(book, job);
                ck_assert_int_eq(j != NULL, job % 3 != 0);
                if (j)
                        ck_assert_uint_eq(j->last->run.run, job + 1);
                failing += j && job % 2;
        }
        ck_assert_uint_eq(book_totals(book)->n_failing, failing);
}
END_TEST

START_TEST(a_run_that_an_earlier_scheduler_began_is_the_latest) {
        struct wire_run run = {.name = "job", .start = {.run = 7, .item = WIRE_ITEM_TRIGGER, .cause = RUN_CAUSE_TRIGGER}};
        ck_assert_int_eq(engine_adopt(engine, now, &run), 0);
        engine_started(engine, now, &(struct wire_started){.run = 7, .start_rt_us = 5, .start_bt_us = 5});
        book_adopt(book, engine);
        const struct book_job *j = book_find(book, 0);
        ck_assert_ptr_nonnull(j);
        ck_assert_uint_eq(j->last->run.run, 7);
        ck_assert_int_eq(j->last->run.start_rt_us, 5);
        ck_assert_int_eq(j->last->end.result, RUN_RESULT_NONE);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("book");
        TCase *tc = tcase_create("book");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, ends_are_counted_by_their_result);
        tcase_add_test(tc, a_job_that_never_failed_has_no_last_failure);
        tcase_add_test(tc, slots_are_counted_and_the_latest_ranges_kept);
        tcase_add_test(tc, a_trouble_that_lasts_is_one_range);
        tcase_add_test(tc, a_hold_is_signed_until_it_is_over);
        tcase_add_test(tc, values_are_bounded_and_the_numbers_stay);
        tcase_add_test(tc, what_is_gone_is_forgotten_and_the_others_stay);
        tcase_add_test(tc, a_run_that_an_earlier_scheduler_began_is_the_latest);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
