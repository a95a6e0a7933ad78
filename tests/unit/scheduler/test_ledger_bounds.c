// SPDX-License-Identifier: MIT
// What may not stay goes, counted; what can't be written waits, and over its bound the runs become counts: nothing is lost from them.

#include "daemon/scheduler/ledger_fold.h"
#include "tests/unit/scheduler/ledger_rig.h"

static struct ledger_limits limits(void) {
        return rig_limits;
}

static void open_limited(struct ledger_limits l) {
        rig_begin(&l);
        rig_until(rig.is_open);
}

START_TEST(job_keeps_so_many_runs) {
        struct ledger_limits l = limits();
        l.runs = 20;
        open_limited(l);
        rig_put_run("a", 1, RUN_RESULT_SUCCESS, "good one");
        rig_put_run("a", 2, RUN_RESULT_NONE, NULL); /* its end never comes */
        for (uint64_t k = 3; k < 500; k++) {
                rig_put_run("a", k, RUN_RESULT_FAILED, "v");
                if (k % 50 == 0)
                        rig_commit();
        }
        rig_put_run("b", 600, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        struct ledger_query query = {.question = LEDGER_RUNS, .job = "a"};
        rig_until(rig_ask(query) <= 20 + 2);
        ck_assert_uint_ge(rig.answer.n, 20);
        ck_assert_uint_eq(rig.answer.n + rig.answer.n_trimmed, 499);
        ck_assert_uint_eq(rig.answer_runs[0].run.run, 499);
        ck_assert_uint_eq(rig.answer_runs[rig.answer.n - 2].run.run, 2);
        ck_assert_uint_eq(rig.answer_runs[rig.answer.n - 1].run.run, 1); /* the latest good one stays */
        ck_assert_int_eq(rig_sql("SELECT count(*) FROM value"), 2);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "b"}), 1);
}
END_TEST

START_TEST(job_keeps_so_many_ranges_and_segments) {
        struct ledger_limits l = limits();
        l.slots = 30;
        l.plans = 10;
        open_limited(l);
        for (int64_t k = 0; k < 400; k++) {
                rig_put_range("a", k % 2 ? SLOT_MISSED : SLOT_RAN, 3 * k, 3);
                ledger_put_segment(rig.ledger,
                                   &(struct ledger_segment){.job = "a", .segment = (uint32_t)k, .when = "Every=1s\n"});
                if (k % 40 == 39)
                        rig_commit();
        }
        struct ledger_query query = {.question = LEDGER_RANGES, .job = "a", .with_ran = true};
        rig_until(rig_ask(query) <= 30 + 16);
        uint64_t n = rig.answer.n_trimmed;
        for (size_t k = 0; k < rig.answer.n; k++)
                n += rig.answer_ranges[k].n;
        ck_assert_uint_eq(n, 1200);
        ck_assert_int_eq(rig.answer_ranges[0].last, 1199);
        ck_assert_uint_le(rig_ask((struct ledger_query){.question = LEDGER_SEGMENTS, .job = "a"}), 10 + 16);
        ck_assert_uint_eq(rig.answer_segments[rig.answer.n - 1].segment, 399);
}
END_TEST

START_TEST(texts_that_nobody_has_go) {
        struct ledger_limits l = limits();
        l.plans = 10;
        open_limited(l);
        for (uint32_t k = 0; k < 12000; k++) {
                char when[32];
                snprintf(when, sizeof(when), "Every=%uus\n", k);
                ledger_put_segment(rig.ledger, &(struct ledger_segment){.job = "a", .segment = k, .when = when});
                if (k % 1000 == 999)
                        rig_commit();
        }
        rig_close();
        open_limited(l);
        ck_assert_int_eq(rig_sql("SELECT count(*) FROM policy"), 12000);
        for (int64_t n; (n = rig_sql("SELECT count(*) FROM policy")) > 100;) {
                /* each commit takes what fits in a slice of time: a loaded machine needs more of them */
                for (int i = 0; i < 50; i++) {
                        rig_put_run("a", 1, RUN_RESULT_SUCCESS, NULL);
                        rig_commit();
                }
                ck_assert_int_lt(rig_sql("SELECT count(*) FROM policy"), n);
        }
        ledger_put_segment(rig.ledger, &(struct ledger_segment){.job = "a", .segment = 12000, .when = "Every=5us\n"});
        rig_commit();
        size_t n = rig_ask((struct ledger_query){.question = LEDGER_SEGMENTS, .job = "a"});
        ck_assert_uint_ge(n, 10);
        ck_assert_str_eq(rig.answer_texts[n - 1][1], "Every=5us\n");
}
END_TEST

START_TEST(old_rows_go) {
        struct ledger_limits l = limits();
        int64_t age_us = clock_now().rt_us - RIG_T0;
        rig_open();
        for (uint64_t k = 1; k <= 300; k++) {
                rig_put_run("a", k, RUN_RESULT_SUCCESS, NULL);
                rig_put_range("a", SLOT_MISSED, 2 * (int64_t)k, 1);
        }
        rig_put_run("b", 301, RUN_RESULT_FAILED, "kept");
        rig_commit();
        rig_close();
        l.days = (uint32_t)(age_us / USEC_PER_DAY) - 1;
        open_limited(l);
        ledger_put_clock(rig.ledger, &(struct ledger_clock){.kind = LEDGER_CLOCK_START});
        rig_commit();
        struct ledger_query query = {.question = LEDGER_RUNS, .job = "a"};
        rig_until(rig_ask(query) == 1); /* its latest */
        ck_assert_uint_eq(rig.answer.n_trimmed, 299);
        query.question = LEDGER_RANGES;
        rig_until(rig_ask(query) == 1);
        ck_assert_uint_eq(rig.answer.n_trimmed, 299);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "b", .with_values = true}), 1);
        ck_assert_str_eq(rig.answer_value, "kept");
}
END_TEST

static void put_history(const char *job, uint64_t first, uint64_t n, const char *when) {
        ledger_put_job(rig.ledger, &(struct ledger_job){.name = job, .when = when});
        for (uint64_t k = first; k < first + n; k++)
                rig_put_run(job, k, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
}

static size_t runs_of(const char *job) {
        return rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = job});
}

START_TEST(history_is_each_jobs_own) {
        struct ledger_limits l = limits();
        l.runs = 50;
        open_limited(l);
        put_history("few", 1, 200, "Every=1s\nHistory=5\n");
        put_history("many", 201, 200, "Every=1s\nHistory=150\n");
        put_history("plain", 401, 200, "Every=1s\n");
        put_history("hour", 601, 10, "Every=1s\nHistory=1h\n"); /* all runs of the rig are older */
        put_history("ever", 611, 10, "Every=1s\nHistory=infinity\n");
        rig_until(runs_of("few") == 5);
        rig_until(runs_of("many") == 150);
        rig_until(runs_of("plain") == 50);
        rig_until(runs_of("ever") == 10);
        rig_close(); /* what an opened file knows of a job stands in it */
        open_limited(l);
        for (uint64_t k = 0; k < 40; k++)
                rig_put_run("few", 701 + k, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        rig_until(runs_of("few") == 5);
        rig_until(runs_of("hour") == 1); /* its latest */
        ck_assert_uint_eq(runs_of("ever"), 10);
        ck_assert_uint_eq(runs_of("many"), 150);
        put_history("many", 801, 1, "Every=1s\nHistory=7\n");
        rig_until(runs_of("many") == 7);
}
END_TEST

START_TEST(file_stays_below_its_size) {
        struct ledger_limits l = limits();
        l.bytes = _i == 0 ? 1024 * 1024 : LEDGER_SIZE_MAX;
        l.runs = 1000000;
        open_limited(l);
        if (_i == 1)
                ledger_set_size(rig.ledger, 1024 * 1024);
        for (uint64_t k = 1; k <= 40000; k++) {
                rig_put_run(k % 2 ? "a" : "b", k, RUN_RESULT_SUCCESS, NULL);
                if (k % 2000 == 0)
                        rig_commit();
        }
        int64_t pages = 0;
        for (int k = 0; k < 200 && (k == 0 || pages > 256 + 32); k++) {
                rig_put_run("c", 50000, RUN_RESULT_SUCCESS, NULL);
                rig_commit();
                pages = rig_sql("SELECT (SELECT page_count FROM pragma_page_count()) - (SELECT freelist_count FROM "
                                "pragma_freelist_count())");
        }
        ck_assert_int_le(pages, 256 + 32);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "a", .limit = 1}), 1);
        ck_assert_uint_eq(rig.answer_runs[0].run.run, 39999);
        ck_assert_int_eq(rig_sql("SELECT sum(trimmed_runs) + (SELECT count(*) FROM run) FROM job"), 40001);
}
END_TEST

/* Batches of runs and slots of jobs that take turns. */
static struct ledger_batch *make_batches(int n_batches, int n_rows, int n_jobs) {
        struct ledger_batch *first = NULL, **end = &first;
        uint64_t run = 1;
        for (int k = 0; k < n_batches; k++) {
                struct ledger_batch *batch = calloc(1, sizeof(*batch));
                batch->number = (uint64_t)k + 1;
                for (int i = 0; i < n_rows; i++, run++) {
                        char name[16];
                        snprintf(name, sizeof(name), "j%d", (int)(run % (uint64_t)n_jobs));
                        struct ledger_row row = {.kind = LEDGER_ROW_RUN};
                        row.run = rig_run(name, run, run % 3 ? RUN_RESULT_SUCCESS : RUN_RESULT_FAILED);
                        ledger_row_put(&batch->rows, &row);
                        row = (struct ledger_row){.kind = LEDGER_ROW_RANGE,
                                                  .range = rig_range(name, i % 2 ? SLOT_MISSED : SLOT_RAN, (int64_t)run, 1)};
                        ledger_row_put(&batch->rows, &row);
                        row = (struct ledger_row){.kind = LEDGER_ROW_JOB,
                                                  .job = {.name = name, .when = "w", .counts.runs = run}};
                        ledger_row_put(&batch->rows, &row);
                }
                *end = batch;
                end = &batch->next;
        }
        return first;
}

START_TEST(folded_batches_keep_counts_and_newest) {
        struct ledger_batch *list = make_batches(10, 70, 7), *folded = NULL;
        uint64_t n_runs = 0, n_kept = 0, n_slots = 0, n_jobs = 0, n_folded = 0;
        struct ledger_row row;

        ck_assert_int_eq(ledger_fold(list, &folded, &n_runs), 0);
        ck_assert_uint_eq(folded->number, 10);
        struct unpack u = unpack_from(folded->rows.data, folded->rows.size);
        while (ledger_row_get(&u, &row) == 1)
                if (row.kind == LEDGER_ROW_RUN)
                        n_kept++;
                else if (row.kind == LEDGER_ROW_RANGE)
                        n_slots += row.range.n;
                else if (row.kind == LEDGER_ROW_FOLDED)
                        n_folded += row.folded.n_runs;
                else if (row.kind == LEDGER_ROW_JOB) {
                        n_jobs++;
                        ck_assert_uint_gt(row.job.counts.runs, 693);
                }
        ck_assert_uint_eq(n_jobs, 7);
        ck_assert_uint_eq(n_kept, 14); /* latest and good, or latest and failed */
        ck_assert_uint_eq(n_kept + n_folded, 700);
        ck_assert_uint_eq(n_runs, n_folded);
        ck_assert_uint_eq(n_slots, 700);
        ck_assert(!u.bad);
        while (list) {
                struct ledger_batch *batch = list;
                list = list->next;
                ledger_batch_free(batch);
        }
        ledger_batch_free(folded);
}
END_TEST

static bool is_queue_small(size_t size) {
        pthread_mutex_lock(&rig.ledger->lock);
        bool is_small = rig.ledger->queued < size && !rig.ledger->is_folding;
        pthread_mutex_unlock(&rig.ledger->lock);
        return is_small;
}

START_TEST(queue_is_bounded_while_nothing_is_written) {
        struct ledger_limits l = limits();
        sqlite3 *db;
        l.queue = 100000;
        open_limited(l);
        ck_assert_int_eq(sqlite3_open(rig.file, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
        uint64_t number = 0;
        for (uint64_t k = 1; k <= 50000; k++) {
                char name[16];
                snprintf(name, sizeof(name), "j%lu", (unsigned long)k % 10);
                rig_put_run(name, k, RUN_RESULT_SUCCESS, NULL);
                rig_put_range(name, SLOT_RAN, (int64_t)k, 1);
                if (k % 100 == 0) {
                        number = ledger_commit(rig.ledger);
                        rig_until(is_queue_small(300000));
                }
        }
        rig_until(rig.trouble == -ENOBUFS || rig.n_troubles[1] > 0);
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        sqlite3_close(db);
        rig_until(ledger_committed(rig.ledger) == number);
        ck_assert_int_eq(rig_sql("SELECT sum(n) FROM slots"), 50000);
        ck_assert_int_eq(rig_sql("SELECT (SELECT sum(trimmed_runs) FROM job) + (SELECT count(*) FROM run)"), 50000);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .limit = 1}), 1);
        ck_assert_uint_eq(rig.answer_runs[0].run.run, 50000);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ledger-bounds");
        TCase *tcase = tcase_create("bounds");
        suite_add_tcase(suite, tcase);
        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
        tcase_add_test(tcase, job_keeps_so_many_runs);
        tcase_add_test(tcase, job_keeps_so_many_ranges_and_segments);
        tcase_add_test(tcase, texts_that_nobody_has_go);
        tcase_add_test(tcase, old_rows_go);
        tcase_add_test(tcase, history_is_each_jobs_own);
        tcase_add_loop_test(tcase, file_stays_below_its_size, 0, 2);
        tcase_add_test(tcase, folded_batches_keep_counts_and_newest);
        tcase_add_test(tcase, queue_is_bounded_while_nothing_is_written);
        return run_suite(suite);
}
