// SPDX-License-Identifier: MIT
// ledger_write: one transaction of the store, see ledger_store.c for its order.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scheduler/ledger_schema.h"
#include "daemon/scheduler/ledger_sql.h"
#include "daemon/scheduler/ledger_store.h"

#define CROWD_SLACK 16 /* rows over the limit before some go, so that they go together */
#define CLOCK_SLACK 64

/* ---- jobs ---- */

static int add_job(struct ledger_store *s, const char *name, int64_t *ret_id) {
        sqlite3_stmt *add = s->statements[STORE_JOB_ADD];
        sqlite3_bind_text(add, 1, name, -1, SQLITE_STATIC);
        int r = ledger_sql_run(add);
        if (r >= 0)
                *ret_id = sqlite3_last_insert_rowid(s->file.db);
        return r;
}

static int read_tail(struct ledger_store *s, struct ledger_entry *entry) {
        sqlite3_stmt *find = s->statements[STORE_JOB_TAIL];
        struct ledger_row row;
        int r = 0;

        LEDGER_SQL_BIND(find, 1, entry->id);
        int step = sqlite3_step(find);
        if (step == SQLITE_ROW) {
                r = ledger_sql_get(find, LEDGER_ROW_RANGE, &row);
                if (r >= 0) {
                        entry->tail_id = sqlite3_column_int64(find, 0);
                        entry->tail = row.range;
                        entry->tail.job = NULL;
                }
        } else if (step != SQLITE_DONE)
                r = ledger_errno(s->file.db);
        (void)sqlite3_reset(find);
        return r;
}

static int read_counts(struct ledger_store *s, struct ledger_entry *entry) {
        sqlite3_stmt *count = s->statements[STORE_JOB_COUNTS];
        int r = 0;

        LEDGER_SQL_BIND(count, 1, entry->id);
        if (sqlite3_step(count) == SQLITE_ROW) {
                entry->n_runs = (uint32_t)sqlite3_column_int64(count, 0);
                entry->n_slots = (uint32_t)sqlite3_column_int64(count, 1);
                entry->n_segments = (uint32_t)sqlite3_column_int64(count, 2);
        } else
                r = ledger_errno(s->file.db);
        (void)sqlite3_reset(count);
        return r;
}

/* Fills an entry from the file, or with a new row of it. */
static int read_job(struct ledger_store *s, struct ledger_entry *entry) {
        sqlite3_stmt *find = s->statements[STORE_JOB_FIND];
        sqlite3_bind_text(find, 1, entry->name, -1, SQLITE_STATIC);
        int step = sqlite3_step(find), r = 0;
        ledger_store_history(&s->limits, (const char *)sqlite3_column_text(find, 5), &entry->keep_runs, &(int64_t){0});
        const char *name = (const char *)sqlite3_column_text(find, 4);
        if (step == SQLITE_ROW && (!name || strcmp(name, entry->name) != 0))
                r = ledger_damage(s->file.db); /* the index leads to another row */
        else if (step == SQLITE_ROW) {
                entry->id = sqlite3_column_int64(find, 0);
                for (int k = 0; k < LEDGER_PIN_MAX; k++)
                        entry->pins[k] = entry->old_pins[k] = (uint64_t)sqlite3_column_int64(find, 1 + k);
        } else if (step != SQLITE_DONE)
                r = ledger_errno(s->file.db);
        (void)sqlite3_reset(find);
        if (r < 0 || step == SQLITE_DONE)
                return r < 0 ? r : add_job(s, entry->name, &entry->id);
        r = read_tail(s, entry);
        return r < 0 ? r : read_counts(s, entry);
}

/* The entry of a job, made if there is none; it is in the list of this transaction. */
static int warm(struct ledger_store *s, const char *name, uint32_t *ret) {
        uint32_t at = ledger_jobs_find(&s->jobs, name);
        int r = 0;
        if (at == INDEX_NONE) {
                r = ledger_jobs_add(&s->jobs, name, &at);
                if (r >= 0)
                        r = read_job(s, &s->jobs.entries[at]);
        }
        if (r < 0)
                return r;
        ledger_jobs_touch(&s->jobs, at);
        *ret = at;
        return 0;
}

static int intern_policy(struct ledger_store *s, const char *text, int64_t *ret_id) {
        sqlite3_stmt *find = s->statements[STORE_POLICY_FIND], *add = s->statements[STORE_POLICY_ADD];
        sqlite3_bind_text(find, 1, text, -1, SQLITE_STATIC);
        int step = sqlite3_step(find);
        int r = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : ledger_errno(s->file.db);
        if (step == SQLITE_ROW)
                *ret_id = sqlite3_column_int64(find, 0);
        (void)sqlite3_reset(find);
        if (step != SQLITE_DONE)
                return r;
        sqlite3_bind_text(add, 1, text, -1, SQLITE_STATIC);
        r = ledger_sql_run(add);
        if (r >= 0)
                *ret_id = sqlite3_last_insert_rowid(s->file.db);
        return r;
}

/* The number of a job's policy; asked of the file only when the text is another than last time. */
static int find_policy(struct ledger_store *s, uint32_t at, const char *text, int64_t *ret_id) {
        struct ledger_entry *entry = &s->jobs.entries[at];
        struct hash128 hash = ledger_jobs_hash(text ? text : "");
        if (entry->policy == 0 || memcmp(&hash, &entry->policy_hash, sizeof(hash)) != 0) {
                int r = intern_policy(s, text ? text : "", &entry->policy);
                if (r < 0)
                        return r;
                entry->policy_hash = hash;
                ledger_store_history(&s->limits, text, &entry->keep_runs, &(int64_t){0});
                if (entry->n_runs > entry->keep_runs)
                        ledger_jobs_crowd(&s->jobs, at);
        }
        *ret_id = entry->policy;
        return 0;
}

static int write_job(struct ledger_store *s, uint32_t at, const struct ledger_job *job) {
        struct ledger_entry *entry = &s->jobs.entries[at];
        sqlite3_stmt *update = s->statements[STORE_JOB];
        const struct book_counts *c = &job->counts;
        int64_t policy = 0;

        int r = find_policy(s, at, job->when, &policy);
        if (r < 0)
                return r;
        LEDGER_SQL_BIND(update, 1, entry->id, policy, (int64_t)c->runs, (int64_t)c->successes, (int64_t)c->failures,
                        (int64_t)c->failures_in_row, (int64_t)c->triggered, (int64_t)c->interrupted, (int64_t)c->missed,
                        (int64_t)c->withheld, (int64_t)c->merged, job->hold.at_rt_us, job->hold.until_rt_us);
        sqlite3_bind_text(update, 14, job->hold.by, -1, SQLITE_STATIC);
        sqlite3_bind_text(update, 15, job->hold.reason, -1, SQLITE_STATIC);
        ledger_sql_bind_bytes(update, 16, job->plan, job->plan_size);
        return ledger_sql_run(update);
}

/* ---- runs ---- */

static bool is_pinned(const uint64_t pins[static LEDGER_PIN_MAX], uint64_t run) {
        return run != 0 && (run == pins[LEDGER_PIN_LAST] || run == pins[LEDGER_PIN_GOOD] || run == pins[LEDGER_PIN_FAILED]);
}

static void pin(struct ledger_entry *entry, const struct ledger_run *run) {
        uint64_t number = run->run.run;
        if (number > entry->pins[LEDGER_PIN_LAST])
                entry->pins[LEDGER_PIN_LAST] = number;
        if (run_result_is_good(run->end.result) && number > entry->pins[LEDGER_PIN_GOOD])
                entry->pins[LEDGER_PIN_GOOD] = number;
        if (run_result_is_failure(run->end.result) && number > entry->pins[LEDGER_PIN_FAILED])
                entry->pins[LEDGER_PIN_FAILED] = number;
}

static int write_pins(struct ledger_store *s, struct ledger_entry *entry) {
        sqlite3_stmt *update = s->statements[STORE_JOB_PINS], *drop = s->statements[STORE_VALUE_DROP];
        int r = 0;

        if (memcmp(entry->pins, entry->old_pins, sizeof(entry->pins)) == 0)
                return 0;
        LEDGER_SQL_BIND(update, 1, entry->id, (int64_t)entry->pins[LEDGER_PIN_LAST], (int64_t)entry->pins[LEDGER_PIN_GOOD],
                        (int64_t)entry->pins[LEDGER_PIN_FAILED]);
        r = ledger_sql_run(update);
        for (int k = 0; r >= 0 && k < LEDGER_PIN_MAX; k++)
                if (entry->old_pins[k] != 0 && !is_pinned(entry->pins, entry->old_pins[k])) {
                        LEDGER_SQL_BIND(drop, 1, (int64_t)entry->old_pins[k]);
                        r = ledger_sql_run(drop);
                }
        memcpy(entry->old_pins, entry->pins, sizeof(entry->pins));
        return r;
}

static int note_ended(struct ledger_store *s, uint64_t run) {
        if (s->n_ended == s->allocated_ended) {
                size_t n = s->allocated_ended * 2 + 64;
                uint64_t *bigger = reallocarray(s->ended, n, sizeof(*bigger));
                if (!bigger)
                        return -ENOMEM;
                s->ended = bigger;
                s->allocated_ended = n;
        }
        s->ended[s->n_ended++] = run;
        return 0;
}

static int by_number(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

static void bind_run(sqlite3_stmt *insert, const struct ledger_entry *entry, const struct ledger_run *row) {
        const struct job_run *run = &row->run;
        const struct run_end *end = &row->end;
        bool is_over = end->result != RUN_RESULT_NONE;
        LEDGER_SQL_BIND(insert, 1, (int64_t)run->run, entry->id, run->item, run->cause, run->segment, run->key, run->slot_rt_us,
                        run->lag_us, run->begun_bt_us, is_over ? end->start_rt_us : run->start_rt_us,
                        is_over ? end->start_bt_us : run->start_bt_us, run->pid, (int64_t)run->missed, end->result,
                        end->exit_code, end->signal, end->step, end->error, end->end_rt_us, end->end_bt_us, end->cpu_us,
                        run->attempt, run->is_unclaimed, (int64_t)run->parent.run, end->memory_peak);
}

static int write_latest(struct ledger_store *s, const struct ledger_entry *entry, const struct ledger_run *row) {
        sqlite3_stmt *insert = s->statements[STORE_LATEST];
        bind_run(insert, entry, row);
        ledger_sql_bind_bytes(insert, 26, row->value, row->value_size); /* none is NULL */
        return ledger_sql_run(insert);
}

static int write_run(struct ledger_store *s, uint32_t at, const struct ledger_run *row) {
        struct ledger_entry *entry = &s->jobs.entries[at];
        const struct job_run *run = &row->run;
        bool is_over = row->end.result != RUN_RESULT_NONE, is_new = run->run > s->newest_run;
        sqlite3_stmt *insert = s->statements[is_new ? STORE_RUN : STORE_RUN_AGAIN], *value = s->statements[STORE_VALUE];

        if (row->is_routine)
                return write_latest(s, entry, row);
        if (!is_over && s->n_ended > 0 && bsearch(&run->run, s->ended, s->n_ended, sizeof(run->run), by_number))
                return 0;
        bind_run(insert, entry, row);
        int r = ledger_sql_run(insert);
        if (r < 0)
                return r;
        if (is_new)
                s->newest_run = run->run;
        if (++entry->n_runs > entry->keep_runs + CROWD_SLACK)
                ledger_jobs_crowd(&s->jobs, at);
        if (!row->value || !is_pinned(entry->pins, run->run))
                return 0;
        LEDGER_SQL_BIND(value, 1, (int64_t)run->run);
        ledger_sql_bind_bytes(value, 2, row->value, row->value_size);
        return ledger_sql_run(value);
}

/* ---- slots ---- */

static int write_tail(struct ledger_store *s, struct ledger_entry *entry) {
        const struct ledger_range *range = &entry->tail;
        sqlite3_stmt *upsert = s->statements[STORE_SLOTS];

        if (!entry->is_tail_dirty)
                return 0;
        LEDGER_SQL_BIND(upsert, 1, entry->tail_id, entry->id, range->item, range->segment, range->outcome, range->reason,
                        range->first, range->last, (int64_t)range->n, range->first_rt_us, range->last_rt_us,
                        (int64_t)range->run, range->lag_us, range->told_rt_us, range->result);
        entry->is_tail_dirty = false;
        return ledger_sql_run(upsert);
}

static int write_range(struct ledger_store *s, uint32_t at, const struct ledger_range *range) {
        struct ledger_entry *entry = &s->jobs.entries[at];

        if (entry->tail_id != 0 && ledger_range_is_joined(&entry->tail, range)) {
                ledger_range_join(&entry->tail, range);
        } else {
                int r = write_tail(s, entry);
                if (r < 0)
                        return r;
                entry->tail = *range;
                entry->tail.job = NULL;
                entry->tail_id = s->next_slots_id++;
                if (++entry->n_slots > s->limits.slots + CROWD_SLACK)
                        ledger_jobs_crowd(&s->jobs, at);
        }
        entry->is_tail_dirty = true;
        return 0;
}

/* ---- the rest ---- */

static int write_segment(struct ledger_store *s, uint32_t at, const struct ledger_segment *segment) {
        struct ledger_entry *entry = &s->jobs.entries[at];
        sqlite3_stmt *insert = s->statements[STORE_SEGMENT];
        int64_t policy = 0;

        int r = find_policy(s, at, segment->when, &policy);
        if (r < 0)
                return r;
        LEDGER_SQL_BIND(insert, 1, entry->id, segment->segment, policy, segment->anchor_us, segment->first_key,
                        segment->offset_us, segment->begun_rt_us);
        ledger_sql_bind_bytes(insert, 8, segment->boot_id, 16);
        ledger_sql_bind_bytes(insert, 9, segment->calendar, 16);
        if (++entry->n_segments > s->limits.plans + CROWD_SLACK)
                ledger_jobs_crowd(&s->jobs, at);
        return ledger_sql_run(insert);
}

static int write_clock(struct ledger_store *s, const struct ledger_clock *clock) {
        sqlite3_stmt *insert = s->statements[STORE_CLOCK], *trim = s->statements[STORE_CLOCK_TRIM];
        LEDGER_SQL_BIND(insert, 1, clock->kind, clock->at.rt_us, clock->at.bt_us, clock->by_us);
        ledger_sql_bind_bytes(insert, 5, clock->boot_id, 16);
        int r = ledger_sql_run(insert);
        int64_t id = sqlite3_last_insert_rowid(s->file.db);
        if (r >= 0 && (clock->kind == LEDGER_CLOCK_STOP || clock->kind == LEDGER_CLOCK_START)) {
                LEDGER_SQL_BIND(s->statements[STORE_STOPPED], 1, clock->kind == LEDGER_CLOCK_STOP);
                r = ledger_sql_run(s->statements[STORE_STOPPED]);
        }
        if (r >= 0 && id % CLOCK_SLACK == 0) {
                LEDGER_SQL_BIND(trim, 1, id - s->limits.clocks);
                r = ledger_sql_run(trim);
        }
        return r;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text) {
        if (text)
                (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
        else
                (void)sqlite3_bind_null(statement, at);
}

static int write_group(struct ledger_store *s, const struct ledger_group *group) {
        const struct book_hold *hold = &group->hold;
        sqlite3_stmt *statement = s->statements[hold->by ? STORE_GROUP_HOLD : STORE_GROUP_FREE];
        bind_text(statement, 1, group->name);
        if (hold->by) {
                bind_text(statement, 2, hold->by);
                bind_text(statement, 3, hold->reason);
                LEDGER_SQL_BIND(statement, 4, hold->at_rt_us, hold->until_rt_us);
        }
        return ledger_sql_run(statement);
}

static int write_life(struct ledger_store *s, const struct ledger_life *life) {
        sqlite3_stmt *update = s->statements[STORE_LIFE];
        LEDGER_SQL_BIND(update, 1, (int64_t)life->epoch, (int64_t)life->next_run);
        ledger_sql_bind_bytes(update, 3, life->instance, 16);
        ledger_sql_bind_bytes(update, 4, life->boot_id, 16);
        return ledger_sql_run(update);
}

static int write_horizon(struct ledger_store *s, const struct ledger_horizon *horizon) {
        sqlite3_stmt *update = s->statements[STORE_HORIZON];
        LEDGER_SQL_BIND(update, 1, horizon->bt_us, horizon->rt_us);
        ledger_sql_bind_bytes(update, 3, horizon->boot_id, 16);
        return ledger_sql_run(update);
}

static int write_folded(struct ledger_store *s, uint32_t at, const struct ledger_folded *folded) {
        sqlite3_stmt *update = s->statements[STORE_JOB_TRIMMED];
        LEDGER_SQL_BIND(update, 1, s->jobs.entries[at].id, (int64_t)folded->n_runs, 0);
        return ledger_sql_run(update);
}

static int write_row(struct ledger_store *s, uint32_t at, const struct ledger_row *row) {
        switch (row->kind) {
        case LEDGER_ROW_JOB: /* its newest, at the end */
                return 0;
        case LEDGER_ROW_RUN:
                return write_run(s, at, &row->run);
        case LEDGER_ROW_RANGE:
                return write_range(s, at, &row->range);
        case LEDGER_ROW_SEGMENT:
                return write_segment(s, at, &row->segment);
        case LEDGER_ROW_CLOCK:
                return write_clock(s, &row->clock);
        case LEDGER_ROW_HORIZON:
                return write_horizon(s, &row->horizon);
        case LEDGER_ROW_LIFE:
                return write_life(s, &row->life);
        case LEDGER_ROW_FOLDED:
                return write_folded(s, at, &row->folded);
        case LEDGER_ROW_GROUP:
                return write_group(s, &row->group);
        case LEDGER_ROW_MAX:
                break;
        }
        return -EINVAL;
}

/* ---- the transaction ---- */

/* First walk: which jobs, which of their rows is the newest, which runs are the latest. */
static int foresee(struct ledger_store *s, const struct ledger_batch *batch) {
        struct unpack u = unpack_from(batch->rows.data, batch->rows.size);
        struct ledger_row row;
        int r = 0;

        for (const uint8_t *at = u.at; r >= 0 && ledger_row_get(&u, &row) == 1; at = u.at) {
                const char *name = ledger_row_job(&row);
                uint32_t entry;
                if (!name)
                        continue;
                r = warm(s, name, &entry);
                if (r >= 0 && row.kind == LEDGER_ROW_JOB)
                        s->jobs.entries[entry].latest = at;
                if (r < 0 || row.kind != LEDGER_ROW_RUN || row.run.is_routine)
                        continue;
                pin(&s->jobs.entries[entry], &row.run);
                if (row.run.end.result != RUN_RESULT_NONE)
                        r = note_ended(s, row.run.run.run);
        }
        return r;
}

/* Second walk. */
static int write_batch(struct ledger_store *s, const struct ledger_batch *batch) {
        struct unpack u = unpack_from(batch->rows.data, batch->rows.size);
        struct ledger_row row;
        int r = 0;

        for (const uint8_t *start = u.at; r >= 0 && ledger_row_get(&u, &row) == 1; start = u.at) {
                const char *name = ledger_row_job(&row);
                uint32_t at = name ? ledger_jobs_find(&s->jobs, name) : INDEX_NONE;
                r = write_row(s, at, &row);
                if (r >= 0 && row.kind == LEDGER_ROW_JOB && s->jobs.entries[at].latest == start)
                        r = write_job(s, at, &row.job);
        }
        return r;
}

static int finish(struct ledger_store *s) {
        int r = 0;
        for (size_t k = 0; r >= 0 && k < s->jobs.n_touched; k++) {
                struct ledger_entry *entry = &s->jobs.entries[s->jobs.touched[k]];
                entry->is_touched = false;
                entry->latest = NULL;
                r = write_tail(s, entry);
                if (r >= 0)
                        r = write_pins(s, entry);
        }
        s->jobs.n_touched = 0;
        return r;
}

static int write_all(struct ledger_store *s, const struct ledger_batch *batches) {
        const struct ledger_batch *batch;
        struct clock_sample at = {};
        int r = ledger_store_begin(s);

        s->n_ended = 0;
        for (batch = batches; r >= 0 && batch; batch = batch->next)
                r = foresee(s, batch);
        if (s->n_ended > 0)
                qsort(s->ended, s->n_ended, sizeof(*s->ended), by_number);
        for (batch = batches; r >= 0 && batch; batch = batch->next) {
                r = write_batch(s, batch);
                at = batch->at;
        }
        if (r >= 0)
                r = finish(s);
        if (r < 0)
                return r;
        LEDGER_SQL_BIND(s->statements[STORE_META], 1, s->file.seq + 1, at.rt_us, at.bt_us);
        r = ledger_sql_run(s->statements[STORE_META]);
        return r < 0 ? r : ledger_sql_run(s->statements[STORE_COMMIT]);
}

int ledger_store_write(struct ledger_store *s, const struct ledger_batch *batches) {
        if (ledger_file_has_moved(s->file.db))
                return -ESTALE;
        if (s->jobs.n > LEDGER_JOBS_MAX)
                ledger_jobs_done(&s->jobs);
        int64_t next_slots_id = s->next_slots_id;
        int r = write_all(s, batches);
        if (r < 0) {
                ledger_store_rollback(s);
                s->next_slots_id = next_slots_id;
                return r;
        }
        s->file.seq++;
        return 0;
}
