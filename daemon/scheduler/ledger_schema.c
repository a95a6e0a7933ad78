// SPDX-License-Identifier: MIT
// ledger_schema: SQL of 3.34 (no RETURNING, STRICT, ->>). Instants are microseconds. The tables are for chimed and may change with
// the schema's number; the views are for people and stay. Names of jobs and texts of policies are stored once.

#include "daemon/scheduler/ledger_schema.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/memory_stream.h"
#include "daemon/core/run.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/ledger.h"

/* meta.seq counts the commits of this file over all times: an older or foreign write-ahead log is known by it.
 * job.last, good, failed are the runs whose values are kept. slots: one row a range. */
static const char schema_1[] =
        "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1), uuid BLOB NOT NULL, seq INTEGER NOT NULL,"
        " epoch INTEGER NOT NULL, next_run INTEGER NOT NULL, instance BLOB NOT NULL, boot BLOB NOT NULL, stopped INTEGER NOT "
        "NULL,"
        " horizon_boot BLOB NOT NULL, horizon_bt INTEGER NOT NULL, horizon_rt INTEGER NOT NULL,"
        " last_rt INTEGER NOT NULL, last_bt INTEGER NOT NULL);"
        "CREATE TABLE policy(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
        "CREATE TABLE job(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, is_put INTEGER NOT NULL DEFAULT 0, policy "
        "INTEGER, plan BLOB,"
        " runs INTEGER NOT NULL DEFAULT 0, successes INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,"
        " failures_in_row INTEGER NOT NULL DEFAULT 0, triggered INTEGER NOT NULL DEFAULT 0, interrupted INTEGER NOT NULL "
        "DEFAULT 0,"
        " missed INTEGER NOT NULL DEFAULT 0, withheld INTEGER NOT NULL DEFAULT 0, merged INTEGER NOT NULL DEFAULT 0,"
        " hold_by TEXT, hold_reason TEXT, hold_at INTEGER, hold_until INTEGER,"
        " last INTEGER NOT NULL DEFAULT 0, good INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,"
        " trimmed_runs INTEGER NOT NULL DEFAULT 0, trimmed_slots INTEGER NOT NULL DEFAULT 0);"
        "CREATE TABLE run(run INTEGER PRIMARY KEY, job INTEGER NOT NULL, item INTEGER, cause INTEGER, segment INTEGER, key "
        "INTEGER,"
        " slot_rt INTEGER, lag INTEGER, begun_bt INTEGER, start_rt INTEGER, start_bt INTEGER, pid INTEGER, missed INTEGER,"
        " result INTEGER NOT NULL, exit_code INTEGER, signal INTEGER, step INTEGER, error INTEGER, end_rt INTEGER, end_bt "
        "INTEGER,"
        " cpu INTEGER);"
        "CREATE INDEX run_job ON run(job);"
        "CREATE INDEX run_open ON run(run) WHERE result = 0;"
        "CREATE TABLE value(run INTEGER PRIMARY KEY, data BLOB NOT NULL);"
        "CREATE TABLE slots(id INTEGER PRIMARY KEY, job INTEGER NOT NULL, item INTEGER, segment INTEGER, outcome INTEGER NOT "
        "NULL,"
        " reason INTEGER, first INTEGER, last INTEGER, n INTEGER, first_rt INTEGER, last_rt INTEGER, run INTEGER, lag INTEGER,"
        " told_rt INTEGER);"
        "CREATE INDEX slots_job ON slots(job);"
        "CREATE INDEX slots_job_not_ran ON slots(job) WHERE outcome <> 0;"
        "CREATE INDEX slots_not_ran ON slots(id) WHERE outcome <> 0;"
        "CREATE TABLE segment(id INTEGER PRIMARY KEY, job INTEGER NOT NULL, segment INTEGER, policy INTEGER, anchor INTEGER,"
        " first_key INTEGER, offset INTEGER, begun_rt INTEGER, boot BLOB);"
        "CREATE INDEX segment_job ON segment(job);"
        "CREATE TABLE clock(id INTEGER PRIMARY KEY, kind INTEGER, rt INTEGER, bt INTEGER, by_us INTEGER, boot BLOB);"
        "INSERT INTO meta VALUES(1, randomblob(16), 0, 0, 1, zeroblob(16), zeroblob(16), 0, zeroblob(16), 0, 0, 0, 0);";

static const char schema_2[] = "ALTER TABLE run ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;"
                               "ALTER TABLE run ADD COLUMN unclaimed INTEGER NOT NULL DEFAULT 0;";

static const char schema_3[] =
        "ALTER TABLE segment ADD COLUMN calendar BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';";

static const char schema_4[] = "CREATE TABLE group_hold(name TEXT PRIMARY KEY, by_whom TEXT NOT NULL, reason TEXT, at INTEGER "
                               "NOT NULL, until INTEGER NOT "
                               "NULL);";

static const char schema_5[] = "ALTER TABLE run ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;";

static const char schema_6[] = "ALTER TABLE run ADD COLUMN memory INTEGER NOT NULL DEFAULT 0;";

/* slots.result: of all runs of a range, which have no rows; latest: of those the job's latest, with the columns of run. */
static const char schema_7[] =
        "ALTER TABLE slots ADD COLUMN result INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX slots_job_told ON slots(job) WHERE outcome <> 0 OR result <> 0;"
        "CREATE INDEX slots_told ON slots(id) WHERE outcome <> 0 OR result <> 0;"
        "CREATE TABLE latest(run INTEGER NOT NULL, job INTEGER PRIMARY KEY, item INTEGER, cause INTEGER, segment INTEGER, key "
        "INTEGER,"
        " slot_rt INTEGER, lag INTEGER, begun_bt INTEGER, start_rt INTEGER, start_bt INTEGER, pid INTEGER, missed INTEGER,"
        " result INTEGER NOT NULL, exit_code INTEGER, signal INTEGER, step INTEGER, error INTEGER, end_rt INTEGER, end_bt "
        "INTEGER,"
        " cpu INTEGER, attempt INTEGER NOT NULL, unclaimed INTEGER NOT NULL, parent INTEGER NOT NULL, memory INTEGER NOT NULL,"
        " data BLOB);";

const char *const *ledger_schema_steps(size_t *ret_n) {
        static const char *const steps[] = {schema_1, schema_2, schema_3, schema_4, schema_5, schema_6, schema_7};
        _Static_assert(ARRAY_SIZE(steps) == LEDGER_SCHEMA, "LEDGER_SCHEMA counts the steps");
        *ret_n = ARRAY_SIZE(steps);
        return steps;
}

int ledger_errno(sqlite3 *db) {
        int system;
        switch (sqlite3_errcode(db) & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
                return 0;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_ERROR: /* our statements are right: then the tables are not ours */
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
        case SQLITE_SCHEMA:
                return -EUCLEAN;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_READONLY:
                return -EROFS;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_INTERRUPT:
                return -ETIME;
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return -EACCES;
        case SQLITE_CANTOPEN:
                system = sqlite3_system_errno(db);
                return system > 0 ? -system : -EACCES;
        case SQLITE_IOERR:
                system = sqlite3_system_errno(db);
                return system == ENOSPC || system == EDQUOT ? -ENOSPC : -EIO;
        default:
                return -EIO;
        }
}

int ledger_damage(sqlite3 *db) {
        int r = ledger_errno(db);
        return r < 0 ? r : -EUCLEAN;
}

int ledger_exec(sqlite3 *db, const char *sql) {
        return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ledger_errno(db);
}

int ledger_pragma(sqlite3 *db, const char *name, int64_t *ret) {
        char sql[64];
        sqlite3_stmt *statement = NULL;

        snprintf(sql, sizeof(sql), "PRAGMA %s", name);
        int r = 0;
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW) {
                r = ledger_damage(db);
        } else
                *ret = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        return r;
}

int ledger_schema_migrate(sqlite3 *db, const char *const *steps, size_t n) {
        int64_t version = 0;
        int r = ledger_pragma(db, "user_version", &version);
        if (r < 0)
                return r;
        if (version < 0)
                return -EUCLEAN;
        if ((uint64_t)version > n)
                return -ENOTSUP;
        if ((uint64_t)version == n)
                return 1;
        r = ledger_exec(db, "BEGIN IMMEDIATE");
        for (size_t k = (size_t)version; r >= 0 && k < n; k++)
                r = ledger_exec(db, steps[k]);
        char sql[128];
        snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %zu; COMMIT", LEDGER_APPLICATION, n);
        if (r >= 0)
                r = ledger_exec(db, sql);
        if (r < 0 && !sqlite3_get_autocommit(db))
                (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return r;
}

/* ---- views ---- */

static void print_words(FILE *f, const char *column, const char *(*word)(int), int n) {
        fprintf(f, "CASE %s", column);
        for (int k = 0; k < n; k++)
                fprintf(f, " WHEN %d THEN '%s'", k, word(k));
        fputs(" END", f);
}

static void print_instant(FILE *f, const char *column, const char *name) {
        fprintf(f, "strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', nullif(%s, 0) / 1000000.0, 'unixepoch') AS %s, ", column, name);
}

static const char *result_word(int k) {
        return k == RUN_RESULT_NONE ? "running" : run_result_to_string((enum run_result)k);
}

static const char *cause_word(int k) {
        return run_cause_to_string((enum run_cause)k);
}

static const char *outcome_word(int k) {
        return slot_outcome_to_string((enum slot_outcome)k);
}

static const char *reason_word(int k) {
        return slot_reason_to_string((enum slot_reason)k);
}

static void print_runs(FILE *f) {
        fputs("CREATE VIEW runs AS SELECT run.run AS run, job.name AS job, ", f);
        print_words(f, "run.cause", cause_word, RUN_CAUSE_MAX);
        fputs(" AS cause, ", f);
        print_instant(f, "run.slot_rt", "slot");
        print_instant(f, "run.start_rt", "start");
        print_instant(f, "run.end_rt", "\"end\"");
        print_words(f, "run.result", result_word, RUN_RESULT_MAX);
        fputs(" AS result, CASE WHEN run.result <> 0 AND run.start_rt <> 0 THEN (run.end_bt - run.start_bt) / 1000000.0 END AS "
              "seconds,"
              " CASE WHEN run.exit_code >= 0 AND run.result <> 0 THEN run.exit_code END AS exit_code, nullif(run.signal, 0) AS "
              "signal,"
              " run.lag / 1000000.0 AS lag, run.cpu / 1000000.0 AS cpu, nullif(run.memory, 0) AS memory, run.attempt AS "
              "attempt, run.unclaimed AS unclaimed,"
              " nullif(run.parent, 0) AS parent FROM run JOIN job ON job.id = "
              "run.job",
              f);
}

static void print_missed(FILE *f) {
        fputs("CREATE VIEW missed AS SELECT job.name AS job, ", f);
        print_words(f, "slots.outcome", outcome_word, SLOT_OUTCOME_MAX);
        fputs(" AS outcome, ", f);
        print_words(f, "slots.reason", reason_word, SLOT_REASON_MAX);
        fputs(" AS reason, slots.n AS n, ", f);
        print_instant(f, "slots.first_rt", "first");
        print_instant(f, "slots.last_rt", "last");
        print_instant(f, "slots.told_rt", "told");
        fputs("nullif(slots.run, 0) AS run FROM slots JOIN job ON job.id = slots.job WHERE slots.outcome <> 0", f);
}

static void print_routine(FILE *f) {
        fputs("CREATE VIEW routine AS SELECT job.name AS job, ", f);
        print_words(f, "slots.result", result_word, RUN_RESULT_MAX);
        fputs(" AS result, slots.n AS n, ", f);
        print_instant(f, "slots.first_rt", "first");
        print_instant(f, "slots.last_rt", "last");
        fputs("slots.lag / 1000000.0 AS lag FROM slots JOIN job ON job.id = slots.job WHERE slots.result <> 0", f);
}

static bool has_view(sqlite3 *db, const char *name, const char *sql) {
        sqlite3_stmt *statement = NULL;
        bool is_same = false;

        if (sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?1 AND sql = ?2", -1, &statement,
                               NULL) == SQLITE_OK) {
                sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
                sqlite3_bind_text(statement, 2, sql, -1, SQLITE_STATIC);
                is_same = sqlite3_step(statement) == SQLITE_ROW;
        }
        sqlite3_finalize(statement);
        return is_same;
}

int ledger_schema_views(sqlite3 *db) {
        static const struct {
                const char *name, *drop;
                void (*print)(FILE *f);
        } views[] = {
                {"runs", "DROP VIEW IF EXISTS runs", print_runs},
                {"missed", "DROP VIEW IF EXISTS missed", print_missed},
                {"routine", "DROP VIEW IF EXISTS routine", print_routine},
        };
        for (size_t k = 0; k < ARRAY_SIZE(views); k++) {
                _cleanup_free_ char *sql = NULL;
                size_t size = 0;
                FILE *f = memory_stream_open(&sql, &size);
                if (!f)
                        return -ENOMEM;
                views[k].print(f);
                if (!memory_stream_finish(f, &sql))
                        return -ENOMEM;
                if (has_view(db, views[k].name, sql))
                        continue;
                int r = ledger_exec(db, views[k].drop);
                if (r >= 0)
                        r = ledger_exec(db, sql);
                if (r < 0)
                        return r;
        }
        return 0;
}
