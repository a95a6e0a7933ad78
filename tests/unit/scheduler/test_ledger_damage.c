// SPDX-License-Identifier: MIT
// ST7, ST9, ST10, ST13: whatever lies in the place of the ledger, it opens, or the file is put aside and a new one begun, told; nothing
// of another file gets in. CHIMED_LEDGER_SWEEP=500 makes the sweeps longer.

#include "daemon/scheduler/ledger_schema.h"
#include "tests/unit/scheduler/ledger_rig.h"

#define N_RUNS 400

static char *good;
static size_t good_size;

static int sweep_length(void) {
        const char *text = getenv("CHIMED_LEDGER_SWEEP");
        return text ? atoi(text) : 8;
}

static void read_file(const char *path, char **ret, size_t *ret_size) {
        FILE *f = fopen(path, "r");
        ck_assert_ptr_nonnull(f);
        *ret = malloc(4 * 1024 * 1024);
        *ret_size = fread(*ret, 1, 4 * 1024 * 1024, f);
        fclose(f);
}

static void write_file(const char *name, const char *data, size_t size) {
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", rig.folder, name);
        FILE *f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(data, 1, size, f), size);
        fclose(f);
}

static void fill(uint64_t first) {
        for (uint64_t k = first; k < first + N_RUNS; k++) {
                char name[16];
                snprintf(name, sizeof(name), "job%lu", (unsigned long)k % 40);
                struct ledger_job job = {.name = name, .when = "Every=1s\n", .plan = "plan", .plan_size = 4};
                ledger_put_job(rig.ledger, &job);
                rig_put_run(name, k, RUN_RESULT_SUCCESS, "some output of a run");
                rig_put_range(name, SLOT_MISSED, (int64_t)k * 2, 1);
        }
        rig_commit();
}

static void make_good(void) {
        rig_setup();
        rig_open();
        fill(1);
        rig_close();
        read_file(rig.file, &good, &good_size);
}

static void end_good(void) {
        rig_teardown();
        free(good);
}

/* Opens what is there; it works, and holds the good rows or says that it does not. */
static void check_opens(const char *what, size_t at) {
        size_t found = 0;
        rig.trouble = 0;
        rig.n_lost = 0;
        rig_open();
        ck_assert_msg(rig.state.is_new == (rig.state.aside[0] != 0), "%s at %zu: new %d, aside '%s'", what, at,
                      rig.state.is_new, rig.state.aside);
        if (rig.state.is_new)
                ck_assert_msg(rig_count_files(rig.state.aside) > 0, "%s at %zu: no file %s", what, at, rig.state.aside);
        else
                ck_assert_msg(rig.n_jobs == 40, "%s at %zu: %zu jobs", what, at, rig.n_jobs);
        fill(10000);
        size_t n = rig_ask((struct ledger_query){.question = LEDGER_RUNS});
        for (size_t k = 0; k < n && rig.n_lost == 0; k++) /* a number of the old rows may be a great one now */
                found += rig.answer_runs[k].run.run >= 10000 && rig.answer_runs[k].run.run < 10000 + N_RUNS;
        ck_assert_msg(found == N_RUNS || rig.n_lost > 0, "%s at %zu: %zu runs", what, at, found);
        rig_close();
        rig_empty();
        ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
}

START_TEST(cut_short_at_any_length) {
        int n = sweep_length();
        for (int k = 0; k < n; k++) {
                size_t size = good_size * (size_t)k / (size_t)n + (k % 3 == 1 ? 17 : 0);
                rig_empty();
                ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
                if (size == 0) /* nothing is in it that could be put aside */
                        continue;
                write_file(LEDGER_FILE, good, size);
                check_opens("cut", size);
        }
}
END_TEST

START_TEST(bytes_flipped_anywhere) {
        int n = sweep_length();
        char *bad = malloc(good_size);
        srandom(4711);
        for (int k = 0; k < n; k++) {
                size_t at = k < 100 && n > 200 ? (size_t)k : (size_t)random() % good_size;
                if (at >= 60 && at < 64) /* the schema's number: a newer one, see newer_schema_is_left_alone */
                        continue;
                memcpy(bad, good, good_size);
                bad[at] ^= (char)(1 << random() % 8);
                rig_empty();
                ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
                write_file(LEDGER_FILE, bad, good_size);
                check_opens("flip", at);
        }
        free(bad);
}
END_TEST

START_TEST(no_database_at_all) {
        static const struct {
                const char *what;
                int byte; /* of which all is made; -1: random */
                size_t size;
        } rows[] = {{"zeroes", 0, 8192}, {"one zero", 0, 1}, {"ones", 255, 100000}, {"random", -1, 40960}};
        char *data = malloc(100000);
        for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
                for (size_t i = 0; i < rows[k].size; i++)
                        data[i] = (char)(rows[k].byte < 0 ? (int)random() : rows[k].byte);
                rig_empty();
                ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
                write_file(LEDGER_FILE, data, rows[k].size);
                check_opens(rows[k].what, k);
        }
        free(data);
}
END_TEST

START_TEST(other_programs_database_is_put_aside) {
        rig_empty();
        ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
        sqlite3 *db;
        ck_assert_int_eq(sqlite3_open(rig.file, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE meta(uuid, seq)", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        check_opens("other", 0);
        /* ours by its header, with a table gone */
        write_file(LEDGER_FILE, good, good_size);
        rig_sql("DROP TABLE segment");
        check_opens("table", 0);
}
END_TEST

/* The log as it stands while a ledger is in use. */
static void take_log(char **ret, size_t *ret_size) {
        char path[256];
        snprintf(path, sizeof(path), "%s-wal", rig.file);
        read_file(path, ret, ret_size);
        ck_assert_uint_gt(*ret_size, 0);
}

START_TEST(log_of_another_file_is_not_read) {
        char *log;
        size_t size;
        rig_empty();
        rig_open(); /* another ledger */
        rig_put_run("stranger", 77777, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        take_log(&log, &size);
        rig_close();
        rig_empty();
        ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
        write_file(LEDGER_FILE, good, good_size);
        write_file(LEDGER_FILE "-wal", log, size);
        rig_open();
        ck_assert(!rig.state.is_new);
        ck_assert_int_eq(rig_count_files("-wal"), 2); /* its own by now, and the one put aside */
        ck_assert_ptr_nonnull(strstr(rig.state.aside, "-wal"));
        ck_assert_uint_eq(rig.n_jobs, 40);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "stranger"}), 0);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS}), N_RUNS);
        free(log);
}
END_TEST

START_TEST(older_log_of_the_same_file_is_not_read) {
        char *log;
        size_t size;
        rig_open();
        rig_put_run("early", 5000, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        take_log(&log, &size);
        rig_put_run("late", 5001, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        rig_close(); /* all is in the file */
        write_file(LEDGER_FILE "-wal", log, size);
        rig_open();
        ck_assert(!rig.state.is_new);
        ck_assert_ptr_nonnull(strstr(rig.state.aside, "-wal"));
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "late"}), 1);
        free(log);
}
END_TEST

START_TEST(log_without_its_file_is_put_aside) {
        char *log;
        size_t size;
        rig_open();
        rig_put_run("a", 5000, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        take_log(&log, &size);
        rig_close();
        for (int is_empty = 0; is_empty < 2; is_empty++) {
                rig_empty();
                ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
                write_file(LEDGER_FILE "-wal", log, size);
                if (is_empty)
                        write_file(LEDGER_FILE, "", 0);
                rig_open();
                ck_assert(rig.state.is_new);
                ck_assert_int_ge(rig_count_files("corrupt"), 1);
                rig_close();
        }
        free(log);
}
END_TEST

START_TEST(file_that_vanishes_is_begun_anew) {
        rig_open();
        ck_assert_int_eq(unlink(rig.file), 0);
        rig_put_run("a", 9000, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        rig_until(rig.n_lost == 1);
        ck_assert(rig.state.is_new);
        rig_reopen();
        ck_assert_uint_eq(rig.n_runs, 1);
        ck_assert_uint_eq(rig.runs[0].run.run, 9000);
}
END_TEST

START_TEST(damage_met_later_is_put_aside_then) {
        rig_open();
        rig_put_run("job1", 9000, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        rig_ask((struct ledger_query){.question = LEDGER_RUNS});
        int fd = open(rig.file, O_WRONLY | O_CLOEXEC);
        char rubbish[4096];
        memset(rubbish, 0xa5, sizeof(rubbish));
        for (off_t at = 4096; at < (off_t)good_size; at += 4096)
                ck_assert_int_eq(pwrite(fd, rubbish, sizeof(rubbish), at), sizeof(rubbish));
        close(fd);
        struct ledger_query query = {
                .question = LEDGER_RUNS, .since_rt_us = INT64_MIN, .until_rt_us = INT64_MAX, .limit = 1000};
        uint64_t ticket;
        rig_put_run("job2", 9001, RUN_RESULT_SUCCESS, NULL); /* the reader's memory of the file is not up to date any more */
        rig_commit();
        rig.is_answered = false;
        ck_assert_int_eq(ledger_ask(rig.ledger, &query, rig_on_answer, &query.question, &ticket), 0);
        rig_until(rig.is_answered);
        ck_assert_int_eq(rig.answer.error, -EUCLEAN);
        rig_until(rig.n_lost == 1);
        ck_assert_str_ne(rig.state.aside, "");
        rig_put_run("after", 20000, RUN_RESULT_SUCCESS, NULL);
        rig_commit();
        rig_reopen();
        ck_assert(!rig.state.is_new);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "after"}), 1);
}
END_TEST

START_TEST(lock_of_another_program_delays_only) {
        sqlite3 *db;
        rig_open();
        ck_assert_int_eq(sqlite3_open(rig.file, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
        rig_put_run("a", 9000, RUN_RESULT_SUCCESS, NULL);
        uint64_t number = ledger_commit(rig.ledger);
        int64_t worst_us = 0;
        rig_until(({
                int64_t began_us = clock_awake_us();
                loop_run_once(rig.loop, 0);
                began_us = clock_awake_us() - began_us;
                worst_us = began_us > worst_us ? began_us : worst_us;
                rig.trouble == -EBUSY;
        }));
        ck_assert_int_lt(worst_us, 50000);
        ck_assert_uint_lt(ledger_committed(rig.ledger), number);
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "job1"}), 10); /* readers go on */
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        rig_until(ledger_committed(rig.ledger) == number);
        rig_until(rig.trouble == 0);
        sqlite3_close(db);
}
END_TEST

/* A scheduler whose runner has died still writes what it knows, while the next one begins. */
START_TEST(second_writer_waits_for_the_first) {
        rig_open();
        struct ledger *first = rig.ledger;
        rig_put_run("a", 1000, RUN_RESULT_SUCCESS, NULL);
        rig_begin(&rig_limits);
        for (int64_t until_us = clock_awake_us() + 200000; clock_awake_us() < until_us;) {
                (void)loop_run_once(rig.loop, 50000);
                ck_assert(!rig.is_open);
        }
        ledger_free(first, 10 * USEC_PER_SEC);
        rig_until(rig.is_open);
        ck_assert_uint_eq(rig.state.next_run, 1001);
}
END_TEST

START_TEST(folder_that_is_not_ours_alone_is_refused) {
        ck_assert_int_eq(chmod(rig.folder, 0777), 0);
        rig_begin(NULL);
        rig_until(rig.open_error == -EPERM);
        ck_assert_int_eq(chmod(rig.folder, 0700), 0);
        rig_until(rig.is_open); /* it is tried again */
        ck_assert_uint_eq(rig.n_jobs, 40);
}
END_TEST

START_TEST(newer_schema_is_left_alone) {
        rig_sql("PRAGMA user_version = 99");
        rig_begin(NULL);
        rig_until(rig.open_error == -ENOTSUP);
        rig_close();
        ck_assert_int_eq(rig_sql("PRAGMA user_version"), 99);
        ck_assert_int_eq(rig_count_files("corrupt"), 0);
}
END_TEST

START_TEST(older_schema_is_brought_here) {
        size_t n;
        const char *first = ledger_schema_steps(&n)[0];
        const char *const steps[] = {"CREATE TABLE old(a); INSERT INTO old VALUES(42)", first,
                                     "INSERT INTO policy(text) SELECT a FROM old; DROP TABLE old"};
        const char *const broken[] = {steps[0], first,
                                      "INSERT INTO policy(text) VALUES('half'); INSERT INTO nowhere VALUES(1)"};
        sqlite3 *db;
        ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
        int64_t v = 0;
        ck_assert_int_eq(ledger_schema_migrate(db, steps, 1), 0);
        ck_assert_int_eq(ledger_schema_migrate(db, steps, 1), 1);
        ck_assert_int_lt(ledger_schema_migrate(db, broken, 3), 0); /* all or nothing */
        ck_assert_int_eq(ledger_pragma(db, "user_version", &v), 0);
        ck_assert_int_eq(v, 1);
        ck_assert_int_eq(ledger_schema_migrate(db, steps, 3), 0);
        ck_assert_int_eq(ledger_pragma(db, "user_version", &v), 0);
        ck_assert_int_eq(v, 3);
        sqlite3_stmt *s;
        ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT text FROM policy", -1, &s, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
        ck_assert_int_eq(sqlite3_column_int(s, 0), 42);
        sqlite3_finalize(s);
        ck_assert_int_eq(ledger_schema_migrate(db, steps, 2), -ENOTSUP);
        sqlite3_close(db);
        /* a file of schema 0: our header, no tables yet */
        rig_empty();
        ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
        ck_assert_int_eq(sqlite3_open(rig.file, &db), SQLITE_OK);
        ck_assert_int_eq(ledger_exec(db, "PRAGMA application_id = 0x43484d44; CREATE TABLE x(a)"), 0);
        sqlite3_close(db);
        rig_open();
        ck_assert_str_eq(rig.state.aside, "");
        ck_assert_int_eq(rig_sql("PRAGMA user_version"), LEDGER_SCHEMA);
}
END_TEST

/* As each version before this one has written it: what it knew is known, what it did not know is nothing. */
START_TEST(what_a_file_of_an_older_schema_knows_is_known) {
        static const char rows[] =
                "INSERT INTO policy VALUES(1, 'Every=1s'); INSERT INTO value VALUES(7, x'6869'); UPDATE meta SET next_run = 8;"
                "INSERT INTO job(id, name, is_put, policy, plan, runs, successes, last, good)"
                " VALUES(1, 'old', 1, 1, x'00', 7, 6, 7, 7);"
                "INSERT INTO run(run, job, item, cause, segment, key, slot_rt, lag, begun_bt, start_rt, start_bt, pid, missed, "
                "result,"
                " exit_code, signal, step, error, end_rt, end_bt, cpu)"
                " VALUES(7, 1, 0, 0, 3, 7, 1000, 0, 1, 1000, 1, 4321, 0, 1, 0, 0, 0, 0, 2000, 1001, 55);";
        size_t n;
        const char *const *steps = ledger_schema_steps(&n);
        sqlite3 *db;

        rig_empty();
        ck_assert_int_eq(mkdir(rig.folder, 0700), 0);
        ck_assert_int_eq(sqlite3_open(rig.file, &db), SQLITE_OK);
        ck_assert_int_eq(ledger_schema_migrate(db, steps, (size_t)_i), 0);
        ck_assert_int_eq(ledger_exec(db, rows), 0);
        sqlite3_close(db);
        rig_open();
        ck_assert_str_eq(rig.state.aside, "");
        ck_assert_int_eq(rig_sql("PRAGMA user_version"), LEDGER_SCHEMA);
        ck_assert_uint_eq(rig.state.next_run, 8);
        ck_assert_uint_eq(rig.n_jobs, 1);
        ck_assert_str_eq(rig.names[0], "old");
        ck_assert_str_eq(rig.whens[0], "Every=1s");
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "old"}), 1);
        const struct ledger_run *run = &rig.answer_runs[0];
        ck_assert_int_eq(run->end.cpu_us, 55);
        ck_assert_uint_eq(run->run.attempt, 1);
        ck_assert_uint_eq(run->run.parent.run, 0);
        ck_assert_int_eq(run->end.memory_peak, 0);
        ck_assert_int_eq(rig_sql("SELECT memory IS NULL FROM runs"), 1);
        /* and what it is to learn it can hold */
        rig_put_run("old", 8, RUN_RESULT_SUCCESS, "value");
        rig_commit();
        rig_reopen();
        ck_assert_uint_eq(rig_ask((struct ledger_query){.question = LEDGER_RUNS, .job = "old"}), 2);
        ck_assert_int_eq(rig_sql("SELECT max(memory) FROM runs"), INT64_C(1) << 40);
}
END_TEST

START_TEST(few_damaged_files_are_kept) {
        for (int k = 0; k < LEDGER_ASIDE_MAX + 3; k++) {
                write_file(LEDGER_FILE, "rubbish", 7);
                rig_open();
                rig_close();
        }
        ck_assert_int_eq(rig_count_files("corrupt"), LEDGER_ASIDE_MAX);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ledger-damage");
        TCase *tcase = tcase_create("damage");
        suite_add_tcase(suite, tcase);
        tcase_set_timeout(tcase, 300);
        tcase_add_checked_fixture(tcase, make_good, end_good);
        tcase_add_test(tcase, cut_short_at_any_length);
        tcase_add_test(tcase, bytes_flipped_anywhere);
        tcase_add_test(tcase, no_database_at_all);
        tcase_add_test(tcase, other_programs_database_is_put_aside);
        tcase_add_test(tcase, log_of_another_file_is_not_read);
        tcase_add_test(tcase, older_log_of_the_same_file_is_not_read);
        tcase_add_test(tcase, log_without_its_file_is_put_aside);
        tcase_add_test(tcase, file_that_vanishes_is_begun_anew);
        tcase_add_test(tcase, damage_met_later_is_put_aside_then);
        tcase_add_test(tcase, lock_of_another_program_delays_only);
        tcase_add_test(tcase, second_writer_waits_for_the_first);
        tcase_add_test(tcase, folder_that_is_not_ours_alone_is_refused);
        tcase_add_test(tcase, newer_schema_is_left_alone);
        tcase_add_test(tcase, older_schema_is_brought_here);
        tcase_add_loop_test(tcase, what_a_file_of_an_older_schema_knows_is_known, 1, LEDGER_SCHEMA);
        tcase_add_test(tcase, few_damaged_files_are_kept);
        return run_suite(suite);
}
