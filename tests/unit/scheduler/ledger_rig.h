// SPDX-License-Identifier: MIT
// ledger_rig: a ledger in a temporary folder with a loop, what it said, and rows to put; for the tests of the ledger.
#pragma once

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/ledger_internal.h"
#include "tests/unit/run_suite.h"

#define RIG_T0   INT64_C(1774008000000000)
#define RIG_JOBS 512

static struct rig {
        char folder[64], file[128];
        struct loop *loop;
        struct ledger *ledger;
        struct ledger_state state;
        bool is_open;
        int n_lost, open_error, trouble;
        int n_troubles[2]; /* all, and those of the queue's bound */
        char trouble_text[160];
        size_t n_jobs, n_runs;
        struct ledger_run runs[RIG_JOBS];
        char values[RIG_JOBS][32];
        struct ledger_job jobs[RIG_JOBS];
        char names[RIG_JOBS][JOB_NAME_MAX + 1], plans[RIG_JOBS][64], bys[RIG_JOBS][32], whens[RIG_JOBS][64];
        char groups[200];
        int64_t group_until_rt_us;
        bool is_answered;
        struct ledger_answer answer;
        struct ledger_run answer_runs[LEDGER_QUERY_LIMIT];
        struct ledger_range answer_ranges[LEDGER_QUERY_LIMIT];
        struct ledger_segment answer_segments[LEDGER_QUERY_LIMIT];
        struct ledger_clock answer_clocks[LEDGER_QUERY_LIMIT];
        char answer_texts[LEDGER_QUERY_LIMIT][2][64];
        char answer_value[64];
} rig;

static inline void rig_on_open(void *userdata, int error, const struct ledger_state *state) {
        (void)userdata;
        rig.open_error = error;
        rig.is_open = error == 0;
        if (state)
                rig.state = *state;
}

static inline void rig_on_job(void *userdata, const struct ledger_job *job) {
        (void)userdata;
        size_t n = rig.n_jobs++;
        if (n >= RIG_JOBS)
                return;
        rig.jobs[n] = *job;
        snprintf(rig.names[n], sizeof(rig.names[n]), "%s", job->name);
        snprintf(rig.whens[n], sizeof(rig.whens[n]), "%s", job->when);
        snprintf(rig.bys[n], sizeof(rig.bys[n]), "%s", job->hold.by ? job->hold.by : "");
        if (job->plan_size > 0)
                memcpy(rig.plans[n], job->plan, job->plan_size < 64 ? job->plan_size : 64);
}

static inline void rig_on_run(void *userdata, const struct ledger_run *run) {
        (void)userdata;
        size_t n = rig.n_runs++;
        if (n >= RIG_JOBS)
                return;
        rig.runs[n] = *run;
        memset(rig.values[n], 0, sizeof(rig.values[n]));
        if (run->value)
                memcpy(rig.values[n], run->value, run->value_size < 32 ? run->value_size : 32);
}

static inline void rig_on_committed(void *userdata, uint64_t number) {
        (void)userdata;
        (void)number;
}

static inline void rig_on_trouble(void *userdata, int error, const char *text) {
        (void)userdata;
        rig.trouble = error;
        rig.n_troubles[error == -ENOBUFS]++;
        snprintf(rig.trouble_text, sizeof(rig.trouble_text), "%s", text);
}

static inline void rig_on_lost(void *userdata, const struct ledger_state *state) {
        (void)userdata;
        rig.n_lost++;
        rig.state = *state;
}

/* "NAME by BY: REASON" for each. */
static inline void rig_on_group(void *userdata, const struct ledger_group *group) {
        (void)userdata;
        size_t size = strlen(rig.groups);
        snprintf(rig.groups + size, sizeof(rig.groups) - size, "%s by %s: %s\n", group->name, group->hold.by,
                 group->hold.reason ? group->hold.reason : "-");
        rig.group_until_rt_us = group->hold.until_rt_us;
}

static const struct ledger_callbacks rig_callbacks = {
        .on_open = rig_on_open,
        .on_job = rig_on_job,
        .on_run = rig_on_run,
        .on_group = rig_on_group,
        .on_committed = rig_on_committed,
        .on_trouble = rig_on_trouble,
        .on_lost = rig_on_lost,
};

/* Passes of the loop until something is so; 20 s at most. */
#define rig_until(condition)                                                                                                   \
        do {                                                                                                                   \
                int64_t rig_end_us = clock_awake_us() + 20 * USEC_PER_SEC;                                                     \
                while (!(condition)) {                                                                                         \
                        ck_assert_msg(clock_awake_us() < rig_end_us, "waited in vain for " #condition " (%s, %d)",             \
                                      rig.trouble_text, rig.open_error);                                                       \
                        ck_assert_int_ge(loop_run_once(rig.loop, 100000), 0);                                                  \
                }                                                                                                              \
        } while (false)

static inline void rig_begin(const struct ledger_limits *limits) {
        rig.is_open = false;
        rig.n_jobs = rig.n_runs = 0;
        rig.groups[0] = 0;
        ck_assert_int_eq(ledger_new_limited(rig.loop, rig.folder, limits, &rig_callbacks, NULL, &rig.ledger), 0);
}

/* The rows of the tests are of a certain day: they are never too old. */
static const struct ledger_limits rig_limits = {LEDGER_SIZE_MAX,  LEDGER_QUEUE_MAX, LEDGER_RUNS_MAX,  100000,
                                                LEDGER_SLOTS_MAX, LEDGER_PLANS_MAX, LEDGER_CLOCKS_MAX};

static inline void rig_open(void) {
        rig_begin(&rig_limits);
        rig_until(rig.is_open);
}

static inline void rig_close(void) {
        rig.ledger = ledger_free(rig.ledger, 10 * USEC_PER_SEC);
}

static inline void rig_reopen(void) {
        rig_close();
        rig_open();
}

static inline void rig_commit(void) {
        uint64_t number = ledger_commit(rig.ledger);
        rig_until(ledger_committed(rig.ledger) >= number);
}

static inline void rig_setup(void) {
        memset(&rig, 0, sizeof(rig));
        strcpy(rig.folder, "/tmp/chimed-ledger-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(rig.folder));
        snprintf(rig.file, sizeof(rig.file), "%s/" LEDGER_FILE, rig.folder);
        ck_assert_int_eq(loop_new(&rig.loop), 0);
}

static inline void rig_empty(void) {
        char command[128];
        snprintf(command, sizeof(command), "rm -rf '%s'", rig.folder);
        ck_assert_int_eq(system(command), 0);
}

static inline void rig_teardown(void) {
        rig_close();
        rig.loop = loop_free(rig.loop);
        rig_empty();
}

static inline void rig_on_answer(void *userdata, const struct ledger_answer *answer) {
        (void)userdata;
        rig.is_answered = true;
        rig.answer = *answer;
        for (size_t k = 0; answer->error >= 0 && k < answer->n; k++) {
                const char *job = "", *when = "";
                rig.answer_runs[k] = answer->runs[k];
                rig.answer_ranges[k] = answer->ranges[k];
                rig.answer_segments[k] = answer->segments[k];
                rig.answer_clocks[k] = answer->clocks[k];
                switch (*(enum ledger_question *)userdata) {
                case LEDGER_RUNS:
                        job = answer->runs[k].job;
                        if (k == 0 && answer->runs[k].value)
                                memcpy(rig.answer_value, answer->runs[k].value, answer->runs[k].value_size);
                        break;
                case LEDGER_RANGES:
                        job = answer->ranges[k].job;
                        break;
                case LEDGER_SEGMENTS:
                        job = answer->segments[k].job;
                        when = answer->segments[k].when;
                        break;
                case LEDGER_JOBS:
                        job = answer->jobs[k].name;
                        when = answer->jobs[k].when ? answer->jobs[k].when : "";
                        break;
                case LEDGER_CLOCKS:
                        break;
                }
                snprintf(rig.answer_texts[k][0], 64, "%s", job);
                snprintf(rig.answer_texts[k][1], 64, "%s", when);
        }
}

/* Asks and waits; the answer is in rig.answer. */
static inline size_t rig_ask(struct ledger_query query) {
        uint64_t ticket;
        if (query.since_rt_us == 0)
                query.since_rt_us = INT64_MIN;
        if (query.until_rt_us == 0)
                query.until_rt_us = INT64_MAX;
        if (query.limit == 0)
                query.limit = LEDGER_QUERY_LIMIT;
        rig.is_answered = false;
        ck_assert_int_eq(ledger_ask(rig.ledger, &query, rig_on_answer, &query.question, &ticket), 0);
        rig_until(rig.is_answered);
        ck_assert_int_eq(rig.answer.error, 0);
        return rig.answer.n;
}

/* A run that began in second k and took half a second. */
static inline struct ledger_run rig_run(const char *job, uint64_t number, enum run_result result) {
        int64_t at_us = (int64_t)number * USEC_PER_SEC;
        struct ledger_run run = {
                .job = job,
                .run = {.run = number,
                        .item = WIRE_ITEM_SCHEDULE,
                        .cause = RUN_CAUSE_SCHEDULE,
                        .segment = 3,
                        .key = (int64_t)number,
                        .slot_rt_us = RIG_T0 + at_us,
                        .lag_us = 77,
                        .begun_bt_us = at_us + 1,
                        .start_rt_us = RIG_T0 + at_us + 2,
                        .start_bt_us = at_us + 3,
                        .pid = 4321,
                        .missed = 5},
                .end = {.result = result, .exit_code = -1},
        };
        if (result != RUN_RESULT_NONE)
                run.end = (struct run_end){.result = result,
                                           .exit_code = result == RUN_RESULT_FAILED ? 9 : 0,
                                           .start_rt_us = run.run.start_rt_us,
                                           .start_bt_us = run.run.start_bt_us,
                                           .end_rt_us = RIG_T0 + at_us + USEC_PER_SEC / 2,
                                           .end_bt_us = at_us + USEC_PER_SEC / 2,
                                           .cpu_us = 1234,
                                           .memory_peak = INT64_C(1) << 40};
        return run;
}

static inline void rig_put_run(const char *job, uint64_t number, enum run_result result, const char *value) {
        struct ledger_run run = rig_run(job, number, result);
        run.value = value;
        run.value_size = value ? strlen(value) : 0;
        ledger_put_run(rig.ledger, &run);
}

/* n slots a second apart from key first on. */
static inline struct ledger_range rig_range(const char *job, enum slot_outcome outcome, int64_t first, uint64_t n) {
        return (struct ledger_range){
                .job = job,
                .item = WIRE_ITEM_SCHEDULE,
                .segment = 3,
                .outcome = outcome,
                .reason = outcome == SLOT_RAN ? SLOT_REASON_NONE : SLOT_REASON_OVERLAP,
                .first = first,
                .last = first + (int64_t)n - 1,
                .n = n,
                .first_rt_us = RIG_T0 + first * USEC_PER_SEC,
                .last_rt_us = RIG_T0 + (first + (int64_t)n - 1) * USEC_PER_SEC,
                .run = outcome == SLOT_RAN ? (uint64_t)first : 0,
                .lag_us = first,
                .told_rt_us = RIG_T0 + first * USEC_PER_SEC + 1,
        };
}

static inline void rig_put_range(const char *job, enum slot_outcome outcome, int64_t first, uint64_t n) {
        struct ledger_range range = rig_range(job, outcome, first, n);
        ledger_put_range(rig.ledger, &range);
}

/* Runs SQL on the file over a connection of the test's own; the first number of the first row, or -1. */
static inline int64_t rig_sql(const char *sql) {
        sqlite3 *db = NULL;
        sqlite3_stmt *statement = NULL;
        int64_t v = -1;
        ck_assert_int_eq(sqlite3_open_v2(rig.file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
        sqlite3_busy_timeout(db, 5000);
        ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
        int step = sqlite3_step(statement);
        ck_assert_msg(step == SQLITE_ROW || step == SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(db));
        if (step == SQLITE_ROW)
                v = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(db);
        return v;
}

/* How many files of the folder have such a piece in their names. */
static inline int rig_count_files(const char *piece) {
        DIR *dir = opendir(rig.folder);
        int n = 0;
        for (struct dirent *entry; (entry = readdir(dir));)
                n += strstr(entry->d_name, piece) != NULL;
        closedir(dir);
        return n;
}
