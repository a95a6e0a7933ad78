// SPDX-License-Identifier: MIT
// ledger_trim: what may not stay goes in short transactions between the commits; a job that has too much first, then, once an hour,
// what is too old, and at any time the oldest where the file is too large. They are not synced: what a power cut undoes is
// done again. Runs whose values are kept stay, and the latest range of each job.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/clock.h"
#include "daemon/scheduler/ledger_schema.h"
#include "daemon/scheduler/ledger_sql.h"
#include "daemon/scheduler/ledger_store.h"

#define CROWD_STEP 64 /* rows of a job that go at once */
#define PASS_US    USEC_PER_HOUR

void ledger_store_history(const struct ledger_limits *limits, const char *when, uint32_t *ret_runs, int64_t *ret_age_us) {
        struct job_when policy;
        char *description = NULL;
        job_when_init(&policy);
        if (when && job_when_parse(when, strlen(when), NULL, &policy, &description) == 0)
                free(description);
        *ret_runs = policy.history_runs == JOB_HISTORY_RUNS_DEFAULT ? limits->runs : policy.history_runs;
        *ret_age_us = policy.history_us == JOB_HISTORY_DEFAULT_US ? limits->days * USEC_PER_DAY : policy.history_us;
}

static int note_trimmed(struct ledger_store *s, int64_t job, int64_t n_runs, int64_t n_slots) {
        if (n_runs == 0 && n_slots == 0)
                return 0;
        LEDGER_SQL_BIND(s->statements[STORE_JOB_TRIMMED], 1, job, n_runs, n_slots);
        return ledger_sql_run(s->statements[STORE_JOB_TRIMMED]);
}

/* ---- jobs with too many rows ---- */

static uint32_t excess(uint32_t n, uint32_t limit) {
        uint32_t over = n > limit ? n - limit : 0;
        return over < CROWD_STEP ? over : CROWD_STEP;
}

static int trim_runs(struct ledger_store *s, struct ledger_entry *entry) {
        sqlite3_stmt *count = s->statements[STORE_JOB_COUNTS], *trim = s->statements[STORE_CROWD_RUNS];

        LEDGER_SQL_BIND(count, 1, entry->id);
        if (sqlite3_step(count) == SQLITE_ROW)
                entry->n_runs = (uint32_t)sqlite3_column_int64(count, 0);
        (void)sqlite3_reset(count);
        if (entry->n_runs <= entry->keep_runs)
                return 0;
        LEDGER_SQL_BIND(trim, 1, entry->id, (int64_t)entry->old_pins[0], (int64_t)entry->old_pins[1],
                        (int64_t)entry->old_pins[2], excess(entry->n_runs, entry->keep_runs));
        int r = ledger_sql_run(trim);
        if (r < 0)
                return r;
        int n = sqlite3_changes(s->file.db);
        entry->n_runs = n > 0 ? entry->n_runs - (uint32_t)n : 0; /* none could go: do not try again before more have come */
        return note_trimmed(s, entry->id, n, 0);
}

static int trim_slots(struct ledger_store *s, struct ledger_entry *entry) {
        sqlite3_stmt *sum = s->statements[STORE_CROWD_SLOTS_SUM], *trim = s->statements[STORE_CROWD_SLOTS];
        int64_t n_slots = 0, last = 0;

        if (entry->n_slots <= s->limits.slots)
                return 0;
        LEDGER_SQL_BIND(sum, 1, entry->id, excess(entry->n_slots, s->limits.slots));
        if (sqlite3_step(sum) == SQLITE_ROW) {
                n_slots = sqlite3_column_int64(sum, 0);
                last = sqlite3_column_int64(sum, 1);
        }
        (void)sqlite3_reset(sum);
        LEDGER_SQL_BIND(trim, 1, entry->id, last);
        int r = ledger_sql_run(trim);
        if (r < 0)
                return r;
        int n = sqlite3_changes(s->file.db);
        entry->n_slots = n > 0 ? entry->n_slots - (uint32_t)n : 0;
        return note_trimmed(s, entry->id, 0, n_slots);
}

static int trim_segments(struct ledger_store *s, struct ledger_entry *entry) {
        sqlite3_stmt *trim = s->statements[STORE_CROWD_SEGMENTS];
        uint32_t n = excess(entry->n_segments, s->limits.plans);
        if (n == 0)
                return 0;
        LEDGER_SQL_BIND(trim, 1, entry->id, n);
        entry->n_segments -= n;
        return ledger_sql_run(trim);
}

/* 1 where the job still has too much. */
static int trim_job(struct ledger_store *s, struct ledger_entry *entry) {
        int r = trim_runs(s, entry);
        if (r >= 0)
                r = trim_slots(s, entry);
        if (r >= 0)
                r = trim_segments(s, entry);
        if (r < 0)
                return r;
        return entry->n_runs > entry->keep_runs || entry->n_slots > s->limits.slots || entry->n_segments > s->limits.plans;
}

/* 1 where there is more. */
static int trim_crowded(struct ledger_store *s, int64_t until_us) {
        while (s->jobs.n_crowded > 0) {
                if (clock_awake_us() >= until_us)
                        return 1;
                struct ledger_entry *entry = &s->jobs.entries[s->jobs.crowded[s->jobs.n_crowded - 1]];
                int r = trim_job(s, entry);
                if (r < 0)
                        return r;
                if (r == 0) {
                        entry->is_crowded = false;
                        s->jobs.n_crowded--;
                }
        }
        return 0;
}

/* ---- old rows ---- */

struct old_row {
        int64_t id, job, n, at_rt_us;
        bool is_run;
};

/* Up to 64 rows behind the cursor, of a job or (0) of all, read before any of them goes. How many, or a negative errno. */
static int read_rows(struct ledger_store *s, bool is_run, int64_t cursor, int64_t job, struct old_row rows[static 64]) {
        static const enum store_statement statements[2][2] = {{STORE_OLD_SLOTS, STORE_AGE_SLOTS},
                                                              {STORE_OLD_RUNS, STORE_AGE_RUNS}};
        sqlite3_stmt *find = s->statements[statements[is_run][job != 0]];
        int n = 0, step = SQLITE_ROW;

        LEDGER_SQL_BIND(find, 1, cursor, job); /* that of all has no second one: no harm */
        while (n < 64 && (step = sqlite3_step(find)) == SQLITE_ROW) {
                rows[n] = (struct old_row){
                        .id = sqlite3_column_int64(find, 0),
                        .job = sqlite3_column_int64(find, 1),
                        .n = is_run ? 1 : sqlite3_column_int64(find, 2),
                        .at_rt_us = sqlite3_column_int64(find, 3),
                        .is_run = is_run,
                };
                if (is_run && sqlite3_column_int64(find, 2) == RUN_RESULT_NONE) /* nobody knows yet when it ends */
                        rows[n].at_rt_us = INT64_MAX;
                n++;
        }
        int r = step == SQLITE_ROW || step == SQLITE_DONE ? n : ledger_errno(s->file.db);
        (void)sqlite3_reset(find);
        return r;
}

static int drop_row(struct ledger_store *s, const struct old_row *row) {
        sqlite3_stmt *drop = s->statements[row->is_run ? STORE_OLD_RUN : STORE_OLD_SLOT];
        LEDGER_SQL_BIND(drop, 1, row->id, row->job);
        int r = ledger_sql_run(drop);
        if (r < 0 || sqlite3_changes(s->file.db) == 0)
                return r;
        return note_trimmed(s, row->job, row->is_run ? row->n : 0, row->is_run ? 0 : row->n);
}

/* Drops rows of a pass that are before an instant. 1 where it has not come to a younger one, 0 at the end. */
static int trim_old(struct ledger_store *s, bool is_run, struct ledger_pass *pass, int64_t before_rt_us, int64_t until_us) {
        int64_t *cursor = is_run ? &pass->run : &pass->slots;
        struct old_row rows[64];

        for (;;) {
                int n = read_rows(s, is_run, *cursor, pass->job, rows);
                if (n < 0)
                        return n;
                for (int k = 0; k < n; k++) {
                        if (rows[k].at_rt_us >= before_rt_us && rows[k].at_rt_us != INT64_MAX)
                                return 0;
                        int r = rows[k].at_rt_us == INT64_MAX ? 0 : drop_row(s, &rows[k]);
                        if (r < 0)
                                return r;
                        *cursor = rows[k].id;
                        if (clock_awake_us() >= until_us)
                                return 1;
                }
                if (n < 64)
                        return 0;
        }
}

static int trim_pass(struct ledger_store *s, struct ledger_pass *pass, int64_t before_rt_us, int64_t until_us) {
        int r = trim_old(s, true, pass, before_rt_us, until_us);
        return r == 0 ? trim_old(s, false, pass, before_rt_us, until_us) : r;
}

static int is_too_large(struct ledger_store *s) {
        int64_t pages = 0, unused = 0, size = 0;
        int r = ledger_pragma(s->file.db, "page_count", &pages);
        if (r >= 0)
                r = ledger_pragma(s->file.db, "freelist_count", &unused);
        if (r >= 0)
                r = ledger_pragma(s->file.db, "page_size", &size);
        return r < 0 ? r : (pages - unused) * size > s->limits.bytes;
}

static int trim_by_size(struct ledger_store *s, int64_t until_us) {
        int r = is_too_large(s);
        if (r <= 0)
                return r;
        r = trim_pass(s, &s->by_size, INT64_MAX - 1, until_us);
        if (r == 0)
                s->by_size = (struct ledger_pass){};
        return r;
}

/* The job that a pass is at, or the next one, and how old its rows may be. 1, 0 at the end, or a negative errno. */
static int find_job(struct ledger_store *s, struct ledger_pass *pass, int64_t *ret_age_us) {
        sqlite3_stmt *find = s->statements[STORE_AGE_JOB];
        LEDGER_SQL_BIND(find, 1, pass->job);
        int step = sqlite3_step(find);
        int r = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : ledger_errno(s->file.db);
        if (r == 1) {
                int64_t job = sqlite3_column_int64(find, 0);
                if (job != pass->job)
                        *pass = (struct ledger_pass){.job = job};
                ledger_store_history(&s->limits, (const char *)sqlite3_column_text(find, 1), &(uint32_t){0}, ret_age_us);
        }
        (void)sqlite3_reset(find);
        return r;
}

/* Job by job: of each only what is too old is looked at. */
static int trim_by_age(struct ledger_store *s, int64_t now_rt_us, int64_t until_us) {
        int64_t age_us = 0;
        int r = 0;
        while (s->is_trimming_by_age && (r = find_job(s, &s->by_age, &age_us)) == 1) {
                r = age_us == DURATION_INFINITY ? 0 : trim_pass(s, &s->by_age, now_rt_us - age_us, until_us);
                if (r != 0)
                        return r;
                s->by_age = (struct ledger_pass){.job = s->by_age.job + 1};
                if (clock_awake_us() >= until_us)
                        return 1;
        }
        if (r == 0)
                s->is_trimming_by_age = false;
        return r;
}

/* A text that nobody has comes from an interval that was set by command and is forgotten. All at once: it is rare. */
static int trim_policies(struct ledger_store *s) {
        int r = ledger_exec(
                s->file.db,
                "DELETE FROM policy WHERE (SELECT count(*) FROM policy) > " LEDGER_POLICIES_MAX
                " AND id NOT IN (SELECT policy FROM job WHERE policy IS NOT NULL UNION SELECT policy FROM segment)");
        if (r >= 0 && sqlite3_changes(s->file.db) > 0)
                ledger_jobs_done(&s->jobs); /* it knows their numbers */
        s->is_sweeping = false;
        return r;
}

/* ---- a slice ---- */

static bool has_work(struct ledger_store *s, int64_t now_rt_us) {
        if (now_rt_us >= s->next_pass_rt_us || now_rt_us < s->next_pass_rt_us - 2 * PASS_US) {
                s->next_pass_rt_us = now_rt_us + PASS_US;
                s->is_trimming_by_age = s->is_sweeping = true;
                s->by_age = (struct ledger_pass){.job = 1};
        }
        return s->jobs.n_crowded > 0 || s->is_trimming_by_age || is_too_large(s) > 0;
}

static int trim_slice(struct ledger_store *s, int64_t now_rt_us, int64_t budget_us) {
        int64_t until_us = clock_awake_us() + budget_us;
        int r = ledger_store_begin(s);
        if (r < 0)
                return r;
        r = s->is_sweeping ? trim_policies(s) : 0;
        if (r >= 0)
                r = trim_crowded(s, until_us);
        if (r == 0)
                r = trim_by_size(s, until_us);
        if (r == 0)
                r = trim_by_age(s, now_rt_us, until_us);
        if (r >= 0) {
                int error = ledger_sql_run(s->statements[STORE_COMMIT]);
                r = error < 0 ? error : r;
        }
        return r;
}

int ledger_store_trim(struct ledger_store *s, int64_t now_rt_us, int64_t budget_us) {
        if (!has_work(s, now_rt_us))
                return 0;
        int r = ledger_exec(s->file.db, "PRAGMA synchronous = NORMAL");
        if (r >= 0)
                r = trim_slice(s, now_rt_us, budget_us);
        if (r < 0)
                ledger_store_rollback(s);
        int error = ledger_exec(s->file.db, "PRAGMA synchronous = FULL");
        return r < 0 ? r : error < 0 ? error : r;
}
