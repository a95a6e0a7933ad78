// SPDX-License-Identifier: MIT
// ledger_sql: rows of the ledger to and from SQL: the columns that are asked for, and how they become a struct.
#pragma once

#include <sqlite3.h>

#include "daemon/scheduler/ledger_row.h"

/* What a SELECT names for a row of each kind, joined with job; ledger_sql_get() reads them. Their first column is the rowid. */
#define LEDGER_SQL_JOB                                                                                                         \
        "job.id, job.name, policy.text, job.plan, job.runs, job.successes, job.failures, job.failures_in_row, job.triggered,"  \
        " job.interrupted, job.missed, job.withheld, job.merged, job.hold_by, job.hold_reason, job.hold_at, job.hold_until"
#define LEDGER_SQL_RUN                                                                                                         \
        "run.run, job.name, run.item, run.cause, run.segment, run.key, run.slot_rt, run.lag, run.begun_bt, run.start_rt,"      \
        " run.start_bt, run.pid, run.missed, run.result, run.exit_code, run.signal, run.step, run.error, run.end_rt,"          \
        " run.end_bt, run.cpu, run.attempt, run.unclaimed, run.parent, run.memory"
#define LEDGER_SQL_RANGE                                                                                                       \
        "slots.id, job.name, slots.item, slots.segment, slots.outcome, slots.reason, slots.first, slots.last, slots.n,"        \
        " slots.first_rt, slots.last_rt, slots.run, slots.lag, slots.told_rt, slots.result"
#define LEDGER_SQL_SEGMENT                                                                                                     \
        "segment.id, job.name, segment.segment, policy.text, segment.anchor, segment.first_key, segment.offset,"               \
        " segment.begun_rt, segment.boot, segment.calendar"
#define LEDGER_SQL_GROUP "name, by_whom, reason, at, until"
#define LEDGER_SQL_CLOCK "clock.id, clock.kind, clock.rt, clock.bt, clock.by_us, clock.boot"

/* Reads the columns above of the row that a statement stands on; the value of a run is in the column behind, if there is one. Texts
 * are borrowed until the next step. 0; -EUCLEAN where a number is out of range. */
int ledger_sql_get(sqlite3_stmt *statement, enum ledger_row_kind kind, struct ledger_row *ret);

/* Binds n integers from parameter `first` on. */
void ledger_sql_bind(sqlite3_stmt *statement, int first, const int64_t *values, size_t n);
/* The same with the numbers in the call. */
#define LEDGER_SQL_BIND(statement, first, ...)                                                                                 \
        ledger_sql_bind(statement, first, (const int64_t[]){__VA_ARGS__},                                                      \
                        sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
/* Binds bytes that stay until the step. */
void ledger_sql_bind_bytes(sqlite3_stmt *statement, int at, const void *data, size_t size);
/* Steps a statement that gives no row, and makes it ready for the next time. 0 or a negative errno. */
int ledger_sql_run(sqlite3_stmt *statement);
