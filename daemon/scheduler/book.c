// SPDX-License-Identifier: MIT
// book: entries lie in one table, found by job; the last takes the place of one that is given back. Values are the one thing that can
// grow: the jobs with values are a ring by their latest end, and the oldest give theirs up.

#include "daemon/scheduler/book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"

#define SPARE_MAX 256 /* runs that many jobs may begin before one of them has ended */

struct book {
        struct book_job *jobs;
        size_t n, allocated;
        struct index by_job;
        struct book_totals totals;
        size_t values_size;
        size_t hand;                       /* of the clock that looks for values to give up */
        struct book_run *spare[SPARE_MAX]; /* let go last: a job that runs on and on needs one for each run */
        size_t n_spare;
};

int book_new(struct book **ret) {
        struct book *b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;
        *ret = b;
        return 0;
}

/* ---- runs and their values ---- */

static void value_drop(struct book *b, struct book_value *value) {
        b->values_size -= value->size;
        free(value->data);
        *value = (struct book_value){0};
}

/* A run goes with the last of the places that name it; which these are is told by the places: it lies elsewhere, and is not looked at for
 * that. */
static void run_release(struct book *b, const struct book_job *j, const struct book_run **place) {
        struct book_run *run = (struct book_run *)*place;
        *place = NULL;
        if (!run || run == j->last || run == j->last_good || run == j->last_failure)
                return;
        value_drop(b, &run->value);
        if (b->n_spare < SPARE_MAX)
                b->spare[b->n_spare++] = run;
        else
                free(run);
}

static void run_hold(struct book *b, const struct book_job *j, const struct book_run **place, const struct book_run *run) {
        if (*place == run)
                return;
        run_release(b, j, place);
        *place = run;
}

/* Goes round the jobs and gives values up until so much more fits. */
static void make_room(struct book *b, size_t size) {
        for (size_t i = 0; i < b->n && b->values_size + size > BOOK_VALUES_LIMIT; i++) {
                b->hand = (b->hand + 1) % b->n;
                const struct book_run *const runs[] = {b->jobs[b->hand].last, b->jobs[b->hand].last_good,
                                                       b->jobs[b->hand].last_failure};
                for (size_t k = 0; k < ARRAY_SIZE(runs); k++)
                        if (runs[k])
                                value_drop(b, &((struct book_run *)runs[k])->value);
        }
}

static void value_set(struct book *b, struct book_value *to, const void *data, size_t size) {
        if (size == 0)
                return;
        make_room(b, size);
        char *copy = malloc(size);
        if (!copy)
                return;
        memcpy(copy, data, size);
        *to = (struct book_value){.data = copy, .size = size};
        b->values_size += size;
}

/* The job's latest run from now on; NULL without memory, and then none is known. */
static struct book_run *run_new(struct book *b, struct book_job *j, const struct job_run *run) {
        struct book_run *new = (struct book_run *)j->last;
        if (new &&new != j->last_good &&new != j->last_failure)
                value_drop(b, &new->value); /* in its place */
        else
                new = b->n_spare > 0 ? b->spare[--b->n_spare] : malloc(sizeof(*new));
        j->last = new;
        if (new)
                *new = (struct book_run){.run = *run, .end.exit_code = -1};
        return new;
}

/* ---- entries ---- */

static uint64_t entry_hash(const void *table, uint32_t row) {
        const struct book *b = table;
        return index_hash_number(b->jobs[row].job);
}

static bool entry_equal(const void *table, uint32_t row, const void *wanted) {
        const struct book *b = table;
        return b->jobs[row].job == *(const uint32_t *)wanted;
}

static struct book_job *find(const struct book *b, uint32_t job) {
        uint32_t row = index_find(&b->by_job, index_hash_number(job), entry_equal, b, &job);
        return row == INDEX_NONE ? NULL : &b->jobs[row];
}

const struct book_job *book_find(const struct book *b, uint32_t job) {
        return find(b, job);
}

const struct book_totals *book_totals(const struct book *b) {
        return &b->totals;
}

/* The job's entry, made if need be; NULL without memory. */
static struct book_job *get(struct book *b, uint32_t job) {
        struct book_job *j = find(b, job);
        if (j)
                return j;
        if (b->n == b->allocated) {
                size_t n = b->allocated + b->allocated / 4 + 16;
                struct book_job *p = realloc(b->jobs, n * sizeof(*p));
                if (!p)
                        return NULL;
                b->jobs = p;
                b->allocated = n;
        }
        b->jobs[b->n] = (struct book_job){.job = job};
        if (index_add(&b->by_job, index_hash_number(job), (uint32_t)b->n, entry_hash, b) < 0)
                return NULL;
        return &b->jobs[b->n++];
}

static void hold_drop(struct book_hold *hold) {
        free(hold->by);
        free(hold->reason);
        *hold = (struct book_hold){0};
}

/* Frees what an entry holds. */
static void done(struct book *b, struct book_job *j) {
        run_release(b, j, &j->last);
        run_release(b, j, &j->last_good);
        run_release(b, j, &j->last_failure);
        free(j->recent);
        hold_drop(&j->hold);
}

static bool is_failing(const struct book_job *j) {
        return j->counts.failures_in_row > 0;
}

static void drop(struct book *b, struct book_job *j) {
        uint32_t row = (uint32_t)(j - b->jobs), last = (uint32_t)b->n - 1;
        done(b, j);
        b->totals.n_failing -= is_failing(j);
        index_remove(&b->by_job, index_hash_number(j->job), row, entry_hash, b);
        if (row != last) {
                index_remove(&b->by_job, index_hash_number(b->jobs[last].job), last, entry_hash, b);
                b->jobs[row] = b->jobs[last];
                /* room was freed a moment ago: this can't fail */
                (void)index_add(&b->by_job, index_hash_number(b->jobs[row].job), row, entry_hash, b);
        }
        b->n--;
        if (b->hand >= b->n)
                b->hand = 0;
}

struct book *book_free(struct book *b) {
        if (!b)
                return NULL;
        for (size_t i = 0; i < b->n; i++)
                done(b, &b->jobs[i]);
        while (b->n_spare > 0)
                free(b->spare[--b->n_spare]);
        free(b->jobs);
        index_done(&b->by_job);
        free(b);
        return NULL;
}

/* ---- what happens ---- */

static bool is_continued(const struct book_range *range, const struct action *a) {
        return range->outcome == a->outcome.outcome && range->reason == a->outcome.reason && range->is_more &&
               range->last_rt_us < a->outcome.first_rt_us;
}

static void note_range(struct book_job *j, struct clock_sample now, const struct action *a) {
        struct book_range *newest = j->recent;
        if (j->n_recent > 0 && is_continued(newest, a)) {
                newest->n += a->outcome.n;
                newest->last_rt_us = a->outcome.last_rt_us;
                newest->told_rt_us = now.rt_us;
                newest->is_more = a->outcome.is_more;
                return;
        }
        if (!j->recent)
                j->recent = malloc(BOOK_RECENT * sizeof(*j->recent));
        if (!j->recent)
                return;
        if (j->n_recent < BOOK_RECENT)
                j->n_recent++;
        memmove(&j->recent[1], &j->recent[0], (j->n_recent - 1) * sizeof(j->recent[0]));
        j->recent[0] = (struct book_range){
                .outcome = a->outcome.outcome,
                .reason = a->outcome.reason,
                .n = a->outcome.n,
                .first_rt_us = a->outcome.first_rt_us,
                .last_rt_us = a->outcome.last_rt_us,
                .run = a->outcome.run,
                .told_rt_us = now.rt_us,
                .is_more = a->outcome.is_more,
        };
}

static void note_outcome(struct book *b, struct book_job *j, struct clock_sample now, const struct action *a) {
        switch (a->outcome.outcome) {
        case SLOT_RAN:
        case SLOT_OUTCOME_MAX:
                return;
        case SLOT_MISSED:
                j->counts.missed += a->outcome.n;
                b->totals.n_slots_missed += a->outcome.n;
                break;
        case SLOT_WITHHELD:
                j->counts.withheld += a->outcome.n;
                break;
        case SLOT_MERGED:
                j->counts.merged += a->outcome.n;
                break;
        case SLOT_INTERRUPTED:
                j->counts.interrupted += a->outcome.n;
                break;
        }
        note_range(j, now, a);
}

static void count_end(struct book *b, struct book_job *j, const struct action *a) {
        enum run_result result = a->run.end.result;
        bool was_failing = is_failing(j);
        if (a->run.is_quiet) /* the same as the one before it, which counts for both */
                return;
        j->counts.runs++;
        j->counts.triggered += a->run.run.cause == RUN_CAUSE_TRIGGER;
        j->counts.interrupted += result == RUN_RESULT_INTERRUPTED;
        if (run_result_is_good(result)) {
                j->counts.successes++;
                j->counts.failures_in_row = 0;
        } else if (run_result_is_failure(result)) {
                j->counts.failures++;
                j->counts.failures_in_row += a->run.is_final;
        }
        b->totals.n_failing += is_failing(j);
        b->totals.n_failing -= was_failing;
}

static void note_end(struct book *b, struct book_job *j, const struct action *a, const void *value, size_t value_size) {
        enum run_result result = a->run.end.result;
        count_end(b, j, a);
        struct book_run *run = run_new(b, j, &a->run.run);
        if (!run)
                return;
        run->end = a->run.end;
        value_set(b, &run->value, value, value_size);
        if (run_result_is_good(result))
                run_hold(b, j, &j->last_good, run);
        else if (run_result_is_failure(result))
                run_hold(b, j, &j->last_failure, run);
}

/* It was in flight, and counts for nothing. */
static void note_undone(struct book_job *j, const struct action *a) {
        if (j->last && j->last->run.run == a->run.run.run)
                ((struct book_run *)j->last)->end = a->run.end;
}

/* The failure before it was the last of its slot after all. */
static void note_given_up(struct book *b, struct book_job *j, const struct action *a) {
        if (!a->given_up.is_final)
                return;
        b->totals.n_failing += !is_failing(j);
        j->counts.failures_in_row++;
}

static void note_hold(struct book_job *j, enum hold_change change) {
        switch (change) {
        case HOLD_RESUMED:
        case HOLD_EXPIRED:
        case HOLD_STARTED:
        case HOLD_FINISHED:
                hold_drop(&j->hold);
                break;
        case HOLD_PAUSED:
        case HOLD_CANCELLED:
        case HOLD_INTERVAL_SET:
        case HOLD_INTERVAL_RESET:
        case HOLD_FAILED:
        case HOLD_REMINDER:
        case HOLD_CHANGE_MAX:
                break;
        }
}

/* The run in flight of a job, as the engine has it. */
static const struct job_run *run_in_flight(const struct engine *e, uint32_t job) {
        const struct registry *g = engine_registry(e);
        const struct job_cold *cold = registry_cold(g, &g->rows[job]);
        return cold && cold->run.run > 0 ? &cold->run : NULL;
}

void book_restore(struct book *b, uint32_t job, const struct book_counts *counts, const struct book_hold *hold) {
        struct book_job *j = get(b, job);
        if (!j)
                return;
        b->totals.n_failing -= is_failing(j);
        j->counts = *counts;
        b->totals.n_failing += is_failing(j);
        b->totals.n_slots_missed += counts->missed;
        if (!hold->by)
                return;
        hold_drop(&j->hold);
        j->hold = *hold;
        j->hold.by = strdup(hold->by);
        j->hold.reason = hold->reason ? strdup(hold->reason) : NULL;
}

static bool is_newer(const struct book_run *known, const struct job_run *run) {
        return !known || known->run.run < run->run;
}

void book_restore_run(struct book *b, uint32_t job, const struct job_run *run, const struct run_end *end, const void *value,
                      size_t value_size) {
        struct book_job *j = get(b, job);
        bool is_good = run_result_is_good(end->result), is_failure = run_result_is_failure(end->result);
        if (!j)
                return;
        bool is_last = is_newer(j->last, run), is_last_good = is_good && is_newer(j->last_good, run);
        bool is_last_failure = is_failure && is_newer(j->last_failure, run);
        if (!is_last && !is_last_good && !is_last_failure)
                return;
        const struct book_run *before = is_last ? NULL : j->last;
        if (before)
                j->last = NULL; /* for a moment */
        struct book_run *restored = run_new(b, j, run);
        if (!restored) {
                j->last = before;
                return;
        }
        restored->end = *end;
        value_set(b, &restored->value, value, value_size);
        if (is_last_good)
                run_hold(b, j, &j->last_good, restored);
        if (is_last_failure)
                run_hold(b, j, &j->last_failure, restored);
        if (before)
                j->last = before;
}

void book_adopt(struct book *b, const struct engine *e) {
        for (uint32_t job = 0; job < engine_registry(e)->n_rows; job++) {
                const struct job_run *run = run_in_flight(e, job);
                struct book_job *j = run ? get(b, job) : NULL;
                if (j)
                        (void)run_new(b, j, run);
        }
}

void book_note(struct book *b, const struct engine *e, struct clock_sample now, const struct action *a, const void *value,
               size_t value_size) {
        bool is_event = a->kind == ACTION_START || a->kind == ACTION_STARTED || a->kind == ACTION_ENDED ||
                        a->kind == ACTION_HOLD || a->kind == ACTION_GIVEN_UP || a->kind == ACTION_REFUSED ||
                        (a->kind == ACTION_OUTCOME && a->outcome.outcome != SLOT_RAN);
        struct book_job *j = is_event ? get(b, a->job) : a->kind == ACTION_GONE ? find(b, a->job) : NULL;
        const struct job_run *run;
        if (!j)
                return;
        switch (a->kind) {
        case ACTION_START:
                run = run_in_flight(e, a->job);
                if (run && run->run == a->start.run && !run->is_asked) /* else once it is known to have started */
                        (void)run_new(b, j, run);
                break;
        case ACTION_STARTED:
                (void)run_new(b, j, &a->run.run);
                break;
        case ACTION_ENDED:
                note_end(b, j, a, value, value_size);
                break;
        case ACTION_OUTCOME:
                note_outcome(b, j, now, a);
                break;
        case ACTION_HOLD:
                note_hold(j, a->hold);
                break;
        case ACTION_GIVEN_UP:
                note_given_up(b, j, a);
                break;
        case ACTION_GONE:
                drop(b, j);
                break;
        case ACTION_REFUSED:
                note_undone(j, a);
                break;
        case ACTION_SEGMENT:
        case ACTION_KILL:
        case ACTION_DROPPED:
        case ACTION_HORIZON:
        case ACTION_WRITE:
        case ACTION_CLOSED:
        case ACTION_CLOCK:
        case ACTION_OVERDUE:
        case ACTION_GROUP_HOLD:
                break;
        }
}

int book_sign(struct book *b, uint32_t job, struct clock_sample now, const char *by, const char *reason, int64_t until_rt_us) {
        struct book_job *j = get(b, job);
        char *by_copy = j ? strndup(by, BOOK_TEXT_MAX) : NULL;
        char *reason_copy = by_copy && reason && *reason ? strndup(reason, BOOK_TEXT_MAX) : NULL;
        if (!by_copy || (reason && *reason && !reason_copy)) {
                free(by_copy);
                return -ENOMEM;
        }
        hold_drop(&j->hold);
        j->hold = (struct book_hold){.by = by_copy, .reason = reason_copy, .at_rt_us = now.rt_us, .until_rt_us = until_rt_us};
        return 0;
}
