// SPDX-License-Identifier: MIT
// ledger_sql: a run's start stands in one pair of columns: in flight it is what was told of the start, afterwards what the end says
// of it. Numbers from the file are checked before they become an enum: the file may be damaged.

#include "daemon/scheduler/ledger_sql.h"

#include <errno.h>
#include <string.h>

#include "daemon/scheduler/ledger_schema.h"

void ledger_sql_bind(sqlite3_stmt *statement, int first, const int64_t *values, size_t n) {
        for (size_t k = 0; k < n; k++)
                (void)sqlite3_bind_int64(statement, first + (int)k, values[k]);
}

void ledger_sql_bind_bytes(sqlite3_stmt *statement, int at, const void *data, size_t size) {
        (void)sqlite3_bind_blob64(statement, at, data, size, SQLITE_STATIC);
}

int ledger_sql_run(sqlite3_stmt *statement) {
        int r = sqlite3_step(statement);
        int error = r == SQLITE_DONE || r == SQLITE_ROW ? 0 : ledger_errno(sqlite3_db_handle(statement));
        (void)sqlite3_reset(statement);
        return error;
}

/* A number of an enum; *bad is set where it is none. */
static int word(sqlite3_stmt *s, int column, int max, bool *bad) {
        int64_t v = sqlite3_column_int64(s, column);
        *bad = *bad || v < 0 || v >= max;
        return *bad ? 0 : (int)v;
}

static uint64_t number(sqlite3_stmt *s, int column) {
        return (uint64_t)sqlite3_column_int64(s, column);
}

static const char *text(sqlite3_stmt *s, int column) {
        return (const char *)sqlite3_column_text(s, column);
}

static void get_id(sqlite3_stmt *s, int column, uint8_t ret[static 16], bool *bad) {
        if (sqlite3_column_bytes(s, column) == 16)
                memcpy(ret, sqlite3_column_blob(s, column), 16);
        else
                *bad = true;
}

static void get_job(sqlite3_stmt *s, struct ledger_job *ret, bool *bad) {
        *ret = (struct ledger_job){.name = text(s, 1), .when = text(s, 2), .plan = sqlite3_column_blob(s, 3)};
        ret->plan_size = (size_t)sqlite3_column_bytes(s, 3);
        ret->counts = (struct book_counts){number(s, 4), number(s, 5),  number(s, 6),  number(s, 7), number(s, 8),
                                           number(s, 9), number(s, 10), number(s, 11), number(s, 12)};
        ret->hold.by = (char *)text(s, 13);
        ret->hold.reason = (char *)text(s, 14);
        ret->hold.at_rt_us = sqlite3_column_int64(s, 15);
        ret->hold.until_rt_us = sqlite3_column_int64(s, 16);
        *bad = *bad || !ret->name;
}

static void get_run(sqlite3_stmt *s, struct ledger_run *ret, bool *bad) {
        struct job_run *run = &ret->run;
        struct run_end *end = &ret->end;

        *ret = (struct ledger_run){.job = text(s, 1)};
        run->run = number(s, 0);
        run->item = (enum wire_item)word(s, 2, WIRE_ITEM_MAX, bad);
        run->cause = (enum run_cause)word(s, 3, RUN_CAUSE_MAX, bad);
        run->segment = (uint32_t)number(s, 4);
        run->key = sqlite3_column_int64(s, 5);
        run->slot_rt_us = sqlite3_column_int64(s, 6);
        run->lag_us = sqlite3_column_int64(s, 7);
        run->begun_bt_us = sqlite3_column_int64(s, 8);
        run->start_rt_us = sqlite3_column_int64(s, 9);
        run->start_bt_us = sqlite3_column_int64(s, 10);
        run->pid = sqlite3_column_int(s, 11);
        run->missed = number(s, 12);
        end->result = (enum run_result)word(s, 13, RUN_RESULT_MAX, bad);
        end->exit_code = sqlite3_column_int(s, 14);
        end->signal = sqlite3_column_int(s, 15);
        end->step = (enum run_step)word(s, 16, RUN_STEP_MAX, bad);
        end->error = sqlite3_column_int(s, 17);
        if (end->result != RUN_RESULT_NONE) {
                end->start_rt_us = run->start_rt_us;
                end->start_bt_us = run->start_bt_us;
        }
        end->end_rt_us = sqlite3_column_int64(s, 18);
        end->end_bt_us = sqlite3_column_int64(s, 19);
        end->cpu_us = sqlite3_column_int64(s, 20);
        run->attempt = (uint16_t)sqlite3_column_int(s, 21);
        run->is_unclaimed = sqlite3_column_int(s, 22) != 0;
        run->parent.run = number(s, 23);
        end->memory_peak = sqlite3_column_int64(s, 24);
        if (sqlite3_column_count(s) > 25 && sqlite3_column_type(s, 25) == SQLITE_BLOB) {
                ret->value_size = (size_t)sqlite3_column_bytes(s, 25);
                ret->value = ret->value_size > 0 ? sqlite3_column_blob(s, 25) : "";
        }
        *bad = *bad || !ret->job;
}

static void get_range(sqlite3_stmt *s, struct ledger_range *ret, bool *bad) {
        *ret = (struct ledger_range){
                .job = text(s, 1),
                .item = (enum wire_item)word(s, 2, WIRE_ITEM_MAX, bad),
                .segment = (uint32_t)number(s, 3),
                .outcome = (enum slot_outcome)word(s, 4, SLOT_OUTCOME_MAX, bad),
                .reason = (enum slot_reason)word(s, 5, SLOT_REASON_MAX, bad),
                .first = sqlite3_column_int64(s, 6),
                .last = sqlite3_column_int64(s, 7),
                .n = number(s, 8),
                .first_rt_us = sqlite3_column_int64(s, 9),
                .last_rt_us = sqlite3_column_int64(s, 10),
                .run = number(s, 11),
                .lag_us = sqlite3_column_int64(s, 12),
                .told_rt_us = sqlite3_column_int64(s, 13),
                .result = (enum run_result)word(s, 14, RUN_RESULT_MAX, bad),
        };
        *bad = *bad || !ret->job;
}

static void get_segment(sqlite3_stmt *s, struct ledger_segment *ret, bool *bad) {
        *ret = (struct ledger_segment){
                .job = text(s, 1),
                .segment = (uint32_t)number(s, 2),
                .when = text(s, 3),
                .anchor_us = sqlite3_column_int64(s, 4),
                .first_key = sqlite3_column_int64(s, 5),
                .offset_us = sqlite3_column_int64(s, 6),
                .begun_rt_us = sqlite3_column_int64(s, 7),
        };
        get_id(s, 8, ret->boot_id, bad);
        get_id(s, 9, ret->calendar, bad);
        *bad = *bad || !ret->job;
}

static void get_clock(sqlite3_stmt *s, struct ledger_clock *ret, bool *bad) {
        *ret = (struct ledger_clock){
                .kind = (enum ledger_clock_kind)word(s, 1, LEDGER_CLOCK_MAX, bad),
                .at = {.rt_us = sqlite3_column_int64(s, 2), .bt_us = sqlite3_column_int64(s, 3)},
                .by_us = sqlite3_column_int64(s, 4),
        };
        get_id(s, 5, ret->boot_id, bad);
}

static void get_group(sqlite3_stmt *s, struct ledger_group *ret, bool *bad) {
        *ret = (struct ledger_group){
                .name = text(s, 0),
                .hold = {.by = (char *)text(s, 1),
                         .reason = (char *)text(s, 2),
                         .at_rt_us = sqlite3_column_int64(s, 3),
                         .until_rt_us = sqlite3_column_int64(s, 4)},
        };
        *bad = *bad || !ret->name || !ret->hold.by;
}

int ledger_sql_get(sqlite3_stmt *statement, enum ledger_row_kind kind, struct ledger_row *ret) {
        struct ledger_row row = {.kind = kind};
        bool bad = false;

        switch (kind) {
        case LEDGER_ROW_JOB:
                get_job(statement, &row.job, &bad);
                break;
        case LEDGER_ROW_RUN:
                get_run(statement, &row.run, &bad);
                break;
        case LEDGER_ROW_RANGE:
                get_range(statement, &row.range, &bad);
                break;
        case LEDGER_ROW_SEGMENT:
                get_segment(statement, &row.segment, &bad);
                break;
        case LEDGER_ROW_CLOCK:
                get_clock(statement, &row.clock, &bad);
                break;
        case LEDGER_ROW_GROUP:
                get_group(statement, &row.group, &bad);
                break;
        case LEDGER_ROW_HORIZON:
        case LEDGER_ROW_LIFE:
        case LEDGER_ROW_FOLDED:
        case LEDGER_ROW_MAX:
                bad = true;
                break;
        }
        sqlite3 *db = sqlite3_db_handle(statement);
        if (bad || (sqlite3_errcode(db) & 0xff) == SQLITE_NOMEM) /* of a text, which looks as if there were none */
                return ledger_damage(db);
        *ret = row;
        return 0;
}
