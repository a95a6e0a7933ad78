// SPDX-License-Identifier: MIT
// ledger_cost: what the ledger costs: CPU of all threads a run, syncs; then a full file: one question, opening.
//
//   ledger_cost RUNS JOBS BATCH          a run and its slot each, a commit every BATCH: CPU of all threads, ns a run
//   ledger_cost --floor RUNS BATCH        the same number of narrow rows through one prepared INSERT
//   ledger_cost --full RUNS JOBS FOLDER   fills FOLDER if it is empty; us to open, us of the slowest of 100 histories
//

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/ledger_internal.h"

static struct loop *loop;
static struct ledger *ledger;
static bool is_open, is_answered;
static size_t n_rows;

static void on_open(void *userdata, int error, const struct ledger_state *state) {
        (void)userdata;
        (void)state;
        if (error < 0) {
                fprintf(stderr, "ledger_cost: %s\n", strerror(-error));
                exit(1);
        }
        is_open = true;
}

static void on_job(void *userdata, const struct ledger_job *job) {
        (void)userdata;
        (void)job;
}

static void on_run(void *userdata, const struct ledger_run *run) {
        (void)userdata;
        (void)run;
}

static void on_committed(void *userdata, uint64_t number) {
        (void)userdata;
        (void)number;
}

static void on_trouble(void *userdata, int error, const char *text) {
        (void)userdata;
        fprintf(stderr, "ledger_cost: %d %s\n", error, text);
}

static void on_answer(void *userdata, const struct ledger_answer *answer) {
        (void)userdata;
        n_rows = answer->error < 0 ? 0 : answer->n;
        is_answered = true;
}

static void pass_until(const bool *is_done) {
        while (!*is_done)
                (void)loop_run_once(loop, -1);
}

static void begin(const char *folder, const struct ledger_limits *limits) {
        static const struct ledger_callbacks callbacks = {on_open, on_job, on_run, NULL, on_committed, on_trouble, NULL};
        is_open = false;
        if (ledger_new_limited(loop, folder, limits, &callbacks, NULL, &ledger) < 0)
                exit(1);
        pass_until(&is_open);
}

static int64_t cpu_ns(void) {
        struct rusage usage;
        (void)getrusage(RUSAGE_SELF, &usage);
        return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000000) +
               (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * INT64_C(1000);
}

static struct ledger_run make_run(const char *job, uint64_t k, int64_t key, int64_t base_rt_us) {
        int64_t at_us = base_rt_us + (int64_t)k * 1000;
        return (struct ledger_run){
                .job = job,
                .run = {.run = k,
                        .segment = 1,
                        .key = key,
                        .slot_rt_us = at_us,
                        .start_rt_us = at_us + 300,
                        .start_bt_us = at_us,
                        .pid = 1000},
                .end = {.result = RUN_RESULT_SUCCESS,
                        .start_rt_us = at_us + 300,
                        .end_rt_us = at_us + 900,
                        .end_bt_us = at_us + 600},
        };
}

/* Runs and slots of jobs in turn. */
static void write_runs(uint64_t n, uint64_t n_jobs, uint64_t batch) {
        int64_t base_rt_us = clock_now().rt_us;
        for (uint64_t k = 1; k <= n; k++) {
                char name[24];
                snprintf(name, sizeof(name), "job%lu", (unsigned long)(k % n_jobs));
                struct ledger_run run = make_run(name, k, (int64_t)(k / n_jobs), base_rt_us);
                struct ledger_range range = {.job = name,
                                             .segment = 1,
                                             .first = run.run.key,
                                             .last = run.run.key,
                                             .n = 1,
                                             .first_rt_us = run.run.slot_rt_us,
                                             .last_rt_us = run.run.slot_rt_us,
                                             .run = k,
                                             .told_rt_us = run.run.slot_rt_us};
                ledger_put_run(ledger, &run);
                ledger_put_range(ledger, &range);
                if (k % batch != 0 && k != n)
                        continue;
                for (uint64_t i = 0; i < n_jobs && i < batch; i++) { /* each job's state once a commit */
                        snprintf(name, sizeof(name), "job%lu", (unsigned long)((k - i) % n_jobs));
                        ledger_put_job(ledger,
                                       &(struct ledger_job){.name = name, .when = "Every=1s\n", .plan = name, .plan_size = 24});
                }
                uint64_t number = ledger_commit(ledger);
                while (ledger_committed(ledger) + 3 < number)
                        (void)loop_run_once(loop, -1);
        }
        while (ledger_committed(ledger) < ledger_commit(ledger))
                (void)loop_run_once(loop, -1);
}

static int measure_cost(uint64_t n, uint64_t n_jobs, uint64_t batch) {
        char folder[] = "/tmp/chimed-bench-ledger-XXXXXX", command[80];
        if (!mkdtemp(folder))
                return 1;
        begin(folder, NULL);
        write_runs(batch, n_jobs, batch);
        int64_t before = cpu_ns();
        write_runs(n, n_jobs, batch);
        int64_t cost = cpu_ns() - before;
        ledger_free(ledger, 60 * USEC_PER_SEC);
        printf("%ld\n", (long)(cost / (int64_t)n));
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        return system(command) != 0;
}

static int measure_floor(uint64_t n, uint64_t batch) {
        char folder[] = "/tmp/chimed-bench-ledger-XXXXXX", path[64], command[80];
        sqlite3 *db;
        sqlite3_stmt *insert;
        if (!mkdtemp(folder))
                return 1;
        snprintf(path, sizeof(path), "%s/floor.db", folder);
        if (sqlite3_open(path, &db) != SQLITE_OK ||
            sqlite3_exec(db,
                         "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE run(run INTEGER PRIMARY KEY, job, "
                         "slot, start, stop)",
                         NULL, NULL, NULL) != SQLITE_OK ||
            sqlite3_prepare_v2(db, "INSERT INTO run VALUES(?1, ?2, ?3, ?4, ?5)", -1, &insert, NULL) != SQLITE_OK)
                return 1;
        int64_t before = cpu_ns();
        for (uint64_t k = 1; k <= n; k++) {
                if (k % batch == 1 || batch == 1)
                        sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
                for (int i = 1; i <= 5; i++)
                        sqlite3_bind_int64(insert, i, i == 1 ? (int64_t)k : (int64_t)(k * 1000000));
                sqlite3_step(insert);
                sqlite3_reset(insert);
                if (k % batch == 0 || k == n)
                        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        }
        printf("%ld\n", (long)((cpu_ns() - before) / (int64_t)n));
        sqlite3_finalize(insert);
        sqlite3_close(db);
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        return system(command) != 0;
}

static int64_t ask_us(const char *job) {
        struct ledger_query query = {.question = LEDGER_RUNS,
                                     .job = job,
                                     .since_rt_us = INT64_MIN,
                                     .until_rt_us = INT64_MAX,
                                     .limit = 100,
                                     .with_values = true};
        uint64_t ticket;
        int64_t began_us = clock_awake_us();
        is_answered = false;
        if (ledger_ask(ledger, &query, on_answer, NULL, &ticket) < 0)
                exit(1);
        pass_until(&is_answered);
        return clock_awake_us() - began_us;
}

static int measure_full(uint64_t n, uint64_t n_jobs, const char *folder) {
        struct ledger_limits limits = {INT64_C(1) << 40, LEDGER_QUEUE_MAX, UINT32_MAX / 2, 100000, 1000000, 1000, 1000};
        char path[256];
        struct stat st;
        snprintf(path, sizeof(path), "%s/%s", folder, LEDGER_FILE);
        if (stat(path, &st) < 0) {
                begin(folder, &limits);
                write_runs(n, n_jobs, 5000);
                ledger_free(ledger, 600 * USEC_PER_SEC);
        }
        int64_t began_us = clock_awake_us();
        begin(folder, &limits);
        int64_t opened_us = clock_awake_us() - began_us, worst_us = 0;
        for (int k = 0; k < 100; k++) {
                char name[24];
                snprintf(name, sizeof(name), "job%d", (int)((uint64_t)k * 7919 % n_jobs));
                int64_t us = ask_us(name);
                worst_us = us > worst_us ? us : worst_us;
                if (n_rows == 0)
                        return 1;
        }
        printf("%ld %ld\n", (long)opened_us, (long)worst_us);
        ledger_free(ledger, 60 * USEC_PER_SEC);
        return 0;
}

static uint64_t number(const char *text) {
        return strtoull(text, NULL, 10);
}

int main(int argc, char **argv) {
        if (loop_new(&loop) < 0)
                return 1;
        int r = 2;
        if (argc == 5 && strcmp(argv[1], "--full") == 0)
                r = measure_full(number(argv[2]), number(argv[3]), argv[4]);
        else if (argc == 4 && strcmp(argv[1], "--floor") == 0)
                r = measure_floor(number(argv[2]), number(argv[3]));
        else if (argc == 4)
                r = measure_cost(number(argv[1]), number(argv[2]), number(argv[3]));
        else
                fprintf(stderr, "usage: ledger_cost [--floor] RUNS [JOBS] BATCH | --full RUNS JOBS FOLDER\n");
        loop_free(loop);
        return r;
}
