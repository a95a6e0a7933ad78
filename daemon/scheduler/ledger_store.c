// SPDX-License-Identifier: MIT
// ledger_store: one transaction a commit, however many rows: what costs is the sync. Of a job and of its open range of slots only the
// newest state in a transaction is written, at its end. A value is written only if no later run of the transaction replaces it,
// so the rows are walked twice: first to see which runs are the latest, then to write.

#include "daemon/scheduler/ledger_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/ledger_schema.h"
#include "daemon/scheduler/ledger_sql.h"

#define RUN_VALUES                                                                                                             \
        "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25"

static const char *const statement_texts[STORE_MAX] = {
        [STORE_BEGIN] = "BEGIN IMMEDIATE",
        [STORE_COMMIT] = "COMMIT",
        [STORE_META] = "UPDATE meta SET seq = ?1, last_rt = ?2, last_bt = ?3",
        [STORE_LIFE] = "UPDATE meta SET epoch = ?1, next_run = ?2, instance = ?3, boot = ?4, stopped = 0",
        [STORE_HORIZON] = "UPDATE meta SET horizon_bt = ?1, horizon_rt = ?2, horizon_boot = ?3",
        [STORE_STOPPED] = "UPDATE meta SET stopped = ?1",
        [STORE_CLOCK] = "INSERT INTO clock(kind, rt, bt, by_us, boot) VALUES(?1, ?2, ?3, ?4, ?5)",
        [STORE_CLOCK_TRIM] = "DELETE FROM clock WHERE id <= ?1",
        [STORE_GROUP_HOLD] = "INSERT OR REPLACE INTO group_hold(" LEDGER_SQL_GROUP ") VALUES(?1, ?2, ?3, ?4, ?5)",
        [STORE_GROUP_FREE] = "DELETE FROM group_hold WHERE name = ?1",
        [STORE_JOB_FIND] =
                "SELECT job.id, last, good, failed, name, policy.text FROM job LEFT JOIN policy ON policy.id = job.policy"
                " WHERE name = ?1",
        [STORE_JOB_COUNTS] = "SELECT (SELECT count(*) FROM run WHERE job = ?1), (SELECT count(*) FROM slots WHERE job = ?1),"
                             " (SELECT count(*) FROM segment WHERE job = ?1)",
        [STORE_JOB_TAIL] = "SELECT " LEDGER_SQL_RANGE " FROM slots JOIN job ON job.id = slots.job WHERE slots.job = ?1"
                           " ORDER BY slots.id DESC LIMIT 1",
        [STORE_JOB_ADD] = "INSERT INTO job(name) VALUES(?1)",
        [STORE_JOB] =
                "UPDATE job SET is_put = 1, policy = ?2, runs = ?3, successes = ?4, failures = ?5, failures_in_row = ?6, "
                "triggered = ?7,"
                " interrupted = ?8, missed = ?9, withheld = ?10, merged = ?11, hold_at = ?12, hold_until = ?13, hold_by = ?14,"
                " hold_reason = ?15, plan = ?16 WHERE id = ?1",
        [STORE_JOB_PINS] = "UPDATE job SET last = ?2, good = ?3, failed = ?4 WHERE id = ?1",
        [STORE_JOB_TRIMMED] =
                "UPDATE job SET trimmed_runs = trimmed_runs + ?2, trimmed_slots = trimmed_slots + ?3 WHERE id = ?1",
        [STORE_POLICY_FIND] = "SELECT id FROM policy WHERE text = ?1",
        [STORE_POLICY_ADD] = "INSERT INTO policy(text) VALUES(?1)",
        [STORE_RUN] = "INSERT INTO run VALUES(" RUN_VALUES ")",
        [STORE_RUN_AGAIN] = "INSERT OR REPLACE INTO run VALUES(" RUN_VALUES ")",
        [STORE_LATEST] = "INSERT OR REPLACE INTO latest VALUES(" RUN_VALUES ", ?26)",
        [STORE_VALUE] = "INSERT OR REPLACE INTO value VALUES(?1, ?2)",
        [STORE_VALUE_DROP] = "DELETE FROM value WHERE run = ?1",
        [STORE_SLOTS] =
                "INSERT INTO slots VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT(id) "
                "DO UPDATE SET"
                " last = excluded.last, n = excluded.n, last_rt = excluded.last_rt, lag = excluded.lag, told_rt = "
                "excluded.told_rt",
        [STORE_SEGMENT] = "INSERT INTO segment(job, segment, policy, anchor, first_key, offset, begun_rt, boot, calendar)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        [STORE_CROWD_RUNS] =
                "DELETE FROM run WHERE run IN (SELECT run FROM run WHERE job = ?1 AND result <> 0 AND run NOT IN (?2, ?3, ?4)"
                " ORDER BY run LIMIT ?5)",
        [STORE_CROWD_SLOTS_SUM] = "SELECT sum(n), max(id) FROM (SELECT n, id FROM slots WHERE job = ?1 ORDER BY id LIMIT ?2)",
        [STORE_CROWD_SLOTS] = "DELETE FROM slots WHERE job = ?1 AND id <= ?2",
        [STORE_CROWD_SEGMENTS] = "DELETE FROM segment WHERE id IN (SELECT id FROM segment WHERE job = ?1 ORDER BY id LIMIT ?2)",
        [STORE_AGE_JOB] = "SELECT job.id, policy.text FROM job LEFT JOIN policy ON policy.id = job.policy WHERE job.id >= ?1"
                          " ORDER BY job.id LIMIT 1",
        [STORE_AGE_RUNS] = "SELECT run, job, result, end_rt FROM run WHERE job = ?2 AND run > ?1 ORDER BY run LIMIT 64",
        [STORE_AGE_SLOTS] =
                "SELECT id, job, n, max(last_rt, told_rt) FROM slots WHERE job = ?2 AND id > ?1 ORDER BY id LIMIT 64",
        [STORE_OLD_RUNS] = "SELECT run, job, result, end_rt FROM run WHERE run > ?1 ORDER BY run LIMIT 64",
        [STORE_OLD_RUN] = "DELETE FROM run WHERE run = ?1 AND NOT EXISTS (SELECT 1 FROM job WHERE id = ?2 AND ?1 IN (last, "
                          "good, failed))",
        [STORE_OLD_SLOTS] = "SELECT id, job, n, max(last_rt, told_rt) FROM slots WHERE id > ?1 ORDER BY id LIMIT 64",
        [STORE_OLD_SLOT] = "DELETE FROM slots WHERE id = ?1 AND EXISTS (SELECT 1 FROM slots WHERE job = ?2 AND id > ?1)",
};

sqlite3_stmt *ledger_store_statement(struct ledger_store *s, enum store_statement which) {
        return s->statements[which];
}

int ledger_store_begin(struct ledger_store *s) {
        return ledger_sql_run(s->statements[STORE_BEGIN]);
}

void ledger_store_rollback(struct ledger_store *s) {
        if (!sqlite3_get_autocommit(s->file.db))
                (void)sqlite3_exec(s->file.db, "ROLLBACK", NULL, NULL, NULL);
        ledger_jobs_done(&s->jobs);
}

/* ---- opening ---- */

static int on_wal(void *userdata, sqlite3 *db, const char *name, int n_pages) {
        struct ledger_store *s = userdata;
        (void)db;
        (void)name;
        s->wal_pages = n_pages;
        return SQLITE_OK;
}

static int prepare(struct ledger_store *s) {
        for (size_t k = 0; k < STORE_MAX; k++)
                if (sqlite3_prepare_v3(s->file.db, statement_texts[k], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[k],
                                       NULL) != SQLITE_OK)
                        return ledger_errno(s->file.db);
        return 0;
}

static int find_newest(struct ledger_store *s) {
        sqlite3_stmt *statement = NULL;
        int r = 0;
        if (sqlite3_prepare_v2(s->file.db, "SELECT ifnull(max(id), 0) + 1, (SELECT ifnull(max(run), 0) FROM run) FROM slots",
                               -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW) {
                s->next_slots_id = sqlite3_column_int64(statement, 0);
                s->newest_run = (uint64_t)sqlite3_column_int64(statement, 1);
        } else
                r = ledger_damage(s->file.db);
        sqlite3_finalize(statement);
        return r;
}

static const struct ledger_limits default_limits = {
        .bytes = LEDGER_SIZE_MAX,
        .queue = LEDGER_QUEUE_MAX,
        .runs = LEDGER_RUNS_MAX,
        .days = LEDGER_DAYS_MAX,
        .slots = LEDGER_SLOTS_MAX,
        .plans = LEDGER_PLANS_MAX,
        .clocks = LEDGER_CLOCKS_MAX,
};

static int open_and_prepare(struct ledger_store *s, const char *folder, int64_t now_rt_us) {
        int r = ledger_file_open(folder, now_rt_us, &s->file);
        if (r >= 0)
                r = prepare(s);
        if (r >= 0)
                r = find_newest(s);
        if (r >= 0)
                (void)sqlite3_wal_hook(s->file.db, on_wal, s);
        return r;
}

int ledger_store_open(struct ledger_store *s, const char *folder, int64_t now_rt_us) {
        *s = (struct ledger_store){.limits = s->limits.bytes > 0 ? s->limits : default_limits};
        int r = open_and_prepare(s, folder, now_rt_us);
        if (r < 0)
                ledger_store_close(s, false);
        if (r != -EUCLEAN)
                return r;
        /* the header is ours, the tables are not */
        char aside[64];
        r = ledger_file_put_aside(folder, now_rt_us, aside);
        if (r >= 0)
                r = open_and_prepare(s, folder, now_rt_us);
        if (r < 0)
                ledger_store_close(s, false);
        else
                memcpy(s->file.aside, aside, sizeof(aside));
        return r;
}

void ledger_store_close(struct ledger_store *s, bool is_clean) {
        for (size_t k = 0; k < STORE_MAX; k++)
                sqlite3_finalize(s->statements[k]);
        ledger_jobs_done(&s->jobs);
        free(s->ended);
        if (s->file.db && !is_clean)
                (void)sqlite3_db_config(s->file.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_close(s->file.db);
        if (s->file.db)
                util_close(s->file.lock_fd);
        *s = (struct ledger_store){.limits = s->limits};
}

/* ---- reading at the start ---- */

static void get_id(sqlite3_stmt *statement, int column, uint8_t ret[static 16]) {
        if (sqlite3_column_bytes(statement, column) == 16)
                memcpy(ret, sqlite3_column_blob(statement, column), 16);
}

int ledger_store_state(struct ledger_store *s, struct ledger_state *ret) {
        static const char sql[] =
                "SELECT uuid, epoch, next_run, instance, boot, stopped, horizon_boot, horizon_bt, horizon_rt, last_rt, last_bt,"
                " (SELECT max(run) FROM run) FROM meta";
        struct ledger_state state = {.is_new = s->file.is_new, .is_volatile = s->file.is_volatile};
        sqlite3_stmt *statement = NULL;

        memcpy(state.aside, s->file.aside, sizeof(state.aside));
        int r = sqlite3_prepare_v2(s->file.db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW
                        ? 0
                        : ledger_errno(s->file.db);
        if (r >= 0) {
                get_id(statement, 0, state.uuid);
                state.epoch = (uint64_t)sqlite3_column_int64(statement, 1);
                state.next_run = (uint64_t)sqlite3_column_int64(statement, 2);
                get_id(statement, 3, state.instance);
                get_id(statement, 4, state.boot_id);
                state.was_stopped = sqlite3_column_int(statement, 5) == 1;
                get_id(statement, 6, state.horizon.boot_id);
                state.horizon.bt_us = sqlite3_column_int64(statement, 7);
                state.horizon.rt_us = sqlite3_column_int64(statement, 8);
                state.last.rt_us = sqlite3_column_int64(statement, 9);
                state.last.bt_us = sqlite3_column_int64(statement, 10);
                if ((uint64_t)sqlite3_column_int64(statement, 11) >= state.next_run)
                        state.next_run = (uint64_t)sqlite3_column_int64(statement, 11) + 1;
                *ret = state;
        }
        sqlite3_finalize(statement);
        return r;
}

int ledger_store_load(struct ledger_store *s, int (*fn)(void *userdata, const struct ledger_row *row), void *userdata) {
        static const struct {
                enum ledger_row_kind kind;
                const char *sql;
        } questions[] = {
                {LEDGER_ROW_JOB,
                 "SELECT " LEDGER_SQL_JOB " FROM job LEFT JOIN policy ON policy.id = job.policy WHERE job.is_put = 1"},
                {LEDGER_ROW_RUN,
                 "SELECT " LEDGER_SQL_RUN ", value.data FROM job CROSS JOIN run ON run.run IN (job.last, job.good, job.failed)"
                 " LEFT JOIN value ON value.run = run.run"},
                {LEDGER_ROW_RUN,
                 "SELECT " LEDGER_SQL_RUN " FROM run JOIN job ON job.id = run.job WHERE run.result = 0 AND run.run NOT IN"
                 " (job.last, job.good, job.failed)"},
                {LEDGER_ROW_RUN, "SELECT " LEDGER_SQL_RUN ", run.data FROM latest AS run JOIN job ON job.id = run.job"},
                {LEDGER_ROW_GROUP, "SELECT " LEDGER_SQL_GROUP " FROM group_hold"},
        };
        int r = 0;
        for (size_t k = 0; r == 0 && k < ARRAY_SIZE(questions); k++) {
                sqlite3_stmt *statement = NULL;
                struct ledger_row row;
                int step = sqlite3_prepare_v2(s->file.db, questions[k].sql, -1, &statement, NULL);
                while (r == 0 && (step == SQLITE_OK || step == SQLITE_ROW) && (step = sqlite3_step(statement)) == SQLITE_ROW) {
                        r = ledger_sql_get(statement, questions[k].kind, &row);
                        if (r == 0)
                                r = fn(userdata, &row);
                }
                if (r == 0 && step != SQLITE_DONE)
                        r = ledger_errno(s->file.db);
                sqlite3_finalize(statement);
        }
        return r;
}

int ledger_store_checkpoint(struct ledger_store *s, bool is_all) {
        int mode = is_all ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
        int n_log = 0, n_done = 0;
        int r = sqlite3_wal_checkpoint_v2(s->file.db, NULL, mode, &n_log, &n_done);
        if (r != SQLITE_OK)
                return ledger_errno(s->file.db);
        s->wal_pages = n_log - n_done;
        return 0;
}
