// SPDX-License-Identifier: MIT
// ledger_query: the text is made for each question, so that only conditions stand in it that are asked for: that is how SQLite finds
// the right index. One row of the table for each kind of question.

#include "daemon/scheduler/ledger_query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/memory_stream.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/ledger_schema.h"
#include "daemon/scheduler/ledger_sql.h"

#define ANSWER_MAX (4 * 1024 * 1024) /* bytes after which an answer ends before its limit: values are large */

static const struct {
        enum ledger_row_kind kind;
        const char *columns, *from;
        const char *id, *since, *until; /* the instants that are compared; NULL: not at all */
        bool is_oldest_first;
} questions[] = {
        [LEDGER_RUNS] = {LEDGER_ROW_RUN, LEDGER_SQL_RUN, "run JOIN job ON job.id = run.job", "run.run",
                         "CASE WHEN run.start_rt THEN run.start_rt ELSE run.slot_rt END",
                         "CASE WHEN run.start_rt THEN run.start_rt ELSE run.slot_rt END", false},
        [LEDGER_RANGES] = {LEDGER_ROW_RANGE, LEDGER_SQL_RANGE, "slots JOIN job ON job.id = slots.job", "slots.id",
                           "slots.last_rt", "slots.first_rt", false},
        [LEDGER_SEGMENTS] = {LEDGER_ROW_SEGMENT, LEDGER_SQL_SEGMENT,
                             "segment JOIN job ON job.id = segment.job JOIN policy ON policy.id = segment.policy", "segment.id",
                             NULL, "segment.begun_rt", true},
        [LEDGER_JOBS] = {LEDGER_ROW_JOB, LEDGER_SQL_JOB, "job LEFT JOIN policy ON policy.id = job.policy", "job.id", NULL, NULL,
                         true},
        [LEDGER_CLOCKS] = {LEDGER_ROW_CLOCK, LEDGER_SQL_CLOCK, "clock", "clock.id", "clock.rt", "clock.rt", true},
};

enum { AT_JOB = 1, AT_SINCE, AT_UNTIL, AT_BEFORE, AT_RUN, AT_LIMIT };

static bool is_of_job(const struct ledger_query *q) {
        return q->job && q->question != LEDGER_CLOCKS;
}

static void print_conditions(FILE *f, const struct ledger_query *q) {
        static const char *const job_columns[] = {[LEDGER_RUNS] = "run.job",
                                                  [LEDGER_RANGES] = "slots.job",
                                                  [LEDGER_SEGMENTS] = "segment.job",
                                                  [LEDGER_JOBS] = "job.id"};
        const char *id = questions[q->question].id;

        fputs(" WHERE 1", f);
        if (is_of_job(q))
                fprintf(f, " AND %s = ?%d", job_columns[q->question], AT_JOB);
        if (q->since_rt_us != INT64_MIN && questions[q->question].since)
                fprintf(f, " AND %s >= ?%d", questions[q->question].since, AT_SINCE);
        if (q->until_rt_us != INT64_MAX && questions[q->question].until)
                fprintf(f, " AND %s <= ?%d", questions[q->question].until, AT_UNTIL);
        if (q->before != 0)
                fprintf(f, " AND %s %s ?%d", id, questions[q->question].is_oldest_first ? ">" : "<", AT_BEFORE);
        if (q->question == LEDGER_RANGES && !q->with_ran) /* as the indices have it */
                fputs(q->with_routine ? " AND (slots.outcome <> 0 OR slots.result <> 0)" : " AND slots.outcome <> 0", f);
        if (q->question != LEDGER_RUNS)
                return;
        if (q->run != 0)
                fprintf(f, " AND run.run = ?%d", AT_RUN);
        if (q->is_failed_only) {
                fputs(" AND run.result IN (", f);
                for (int k = 0, n = 0; k < RUN_RESULT_MAX; k++)
                        if (run_result_is_failure((enum run_result)k))
                                fprintf(f, n++ > 0 ? ", %d" : "%d", k);
                fputs(")", f);
        }
}

static char *make_text(const struct ledger_query *q) {
        char *text = NULL;
        size_t size = 0;
        bool with_values = q->question == LEDGER_RUNS && q->with_values;
        FILE *f = memory_stream_open(&text, &size);

        if (!f)
                return NULL;
        fprintf(f, "SELECT %s%s FROM %s%s", questions[q->question].columns, with_values ? ", value.data" : "",
                questions[q->question].from, with_values ? " LEFT JOIN value ON value.run = run.run" : "");
        print_conditions(f, q);
        fprintf(f, " ORDER BY %s %s LIMIT ?%d", questions[q->question].id,
                questions[q->question].is_oldest_first ? "ASC" : "DESC", AT_LIMIT);
        return memory_stream_finish(f, &text);
}

/* The job's number and what it has lost. 1, 0 where it is unknown, or a negative errno. */
static int find_job(sqlite3 *db, const struct ledger_query *q, int64_t *ret_id, uint64_t *ret_trimmed) {
        sqlite3_stmt *find = NULL;
        if (sqlite3_prepare_v2(db, "SELECT id, trimmed_runs, trimmed_slots FROM job WHERE name = ?1", -1, &find, NULL) !=
            SQLITE_OK)
                return ledger_errno(db);
        sqlite3_bind_text(find, 1, q->job, -1, SQLITE_STATIC);
        int step = sqlite3_step(find);
        int r = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : ledger_errno(db);
        if (r == 1) {
                *ret_id = sqlite3_column_int64(find, 0);
                *ret_trimmed = q->question == LEDGER_RUNS     ? (uint64_t)sqlite3_column_int64(find, 1)
                               : q->question == LEDGER_RANGES ? (uint64_t)sqlite3_column_int64(find, 2)
                                                              : 0;
        }
        sqlite3_finalize(find);
        return r;
}

static void bind(sqlite3_stmt *statement, const struct ledger_query *q, int64_t job) {
        const struct {
                int at;
                int64_t value;
        } values[] = {{AT_JOB, job},
                      {AT_SINCE, q->since_rt_us},
                      {AT_UNTIL, q->until_rt_us},
                      {AT_BEFORE, (int64_t)q->before},
                      {AT_RUN, (int64_t)q->run},
                      {AT_LIMIT, (int64_t)q->limit}};
        for (size_t k = 0; k < ARRAY_SIZE(values); k++) /* those that are not in the text are out of range: no harm */
                (void)sqlite3_bind_int64(statement, values[k].at, values[k].value);
}

static int collect(sqlite3 *db, sqlite3_stmt *statement, const struct ledger_query *q, struct ledger_found *found) {
        struct ledger_row row;
        int step = SQLITE_ROW, r = 0;

        while (r >= 0 && found->rows.size < ANSWER_MAX && (step = sqlite3_step(statement)) == SQLITE_ROW) {
                r = ledger_sql_get(statement, questions[q->question].kind, &row);
                if (r >= 0) {
                        ledger_row_put(&found->rows, &row);
                        found->n++;
                        found->cursor = (uint64_t)sqlite3_column_int64(statement, 0);
                        r = pack_result(&found->rows);
                }
        }
        if (r >= 0 && step != SQLITE_DONE && step != SQLITE_ROW)
                r = ledger_errno(db);
        if (step == SQLITE_DONE && found->n < q->limit)
                found->cursor = 0;
        return r;
}

static int ask(sqlite3 *db, const struct ledger_query *q, struct ledger_found *found) {
        int64_t job = 0;
        int r = is_of_job(q) ? find_job(db, q, &job, &found->n_trimmed) : 1;
        if (r <= 0)
                return r;
        found->is_known = true;
        _cleanup_free_ char *text = make_text(q);
        sqlite3_stmt *statement = NULL;
        if (!text)
                return -ENOMEM;
        if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK)
                return ledger_errno(db);
        bind(statement, q, job);
        r = collect(db, statement, q, found);
        sqlite3_finalize(statement);
        return r;
}

int ledger_query_run(sqlite3 *db, const struct ledger_query *query, struct ledger_found *ret) {
        struct ledger_found found = {};
        /* both statements see one state of the file */
        int r = ledger_exec(db, "BEGIN");
        if (r >= 0)
                r = ask(db, query, &found);
        int code = sqlite3_errcode(db) & 0xff;
        if (r == -EUCLEAN && code != SQLITE_CORRUPT &&
            code != SQLITE_NOTADB) /* a file is not given up for a number out of range */
                r = -EBADMSG;
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        if (r < 0) {
                pack_done(&found.rows);
                return r;
        }
        *ret = found;
        return 0;
}
