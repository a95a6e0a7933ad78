// SPDX-License-Identifier: MIT
// timeline: a row of a thousand slots is no loop of a thousand steps: how many of them are in a cell is arithmetic.

#include "daemon/ctl/timeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
        const char *word;
        char sign;
} marks[TIMELINE_MARK_MAX] = {
        [TIMELINE_RAN] = {"ran", '+'},           [TIMELINE_MERGED] = {"merged", '~'},
        [TIMELINE_WITHHELD] = {"withheld", '='}, [TIMELINE_INTERRUPTED] = {"interrupted", '?'},
        [TIMELINE_MISSED] = {"missed", '!'},     [TIMELINE_FAILED] = {"failed", 'x'},
};

const char *timeline_mark_word(enum timeline_mark mark) {
        return marks[mark].word;
}

char timeline_mark_sign(enum timeline_mark mark) {
        return marks[mark].sign;
}

bool timeline_mark_find(const char *word, enum timeline_mark *ret) {
        int mark = 0;

        while (mark < TIMELINE_MARK_MAX && strcmp(marks[mark].word, word) != 0)
                mark++;
        if (mark == TIMELINE_MARK_MAX)
                return false;
        *ret = (enum timeline_mark)mark;
        return true;
}

/* ---- cells ---- */

size_t timeline_cell_of(const struct timeline *t, int64_t us) {
        if (us <= t->from_us)
                return 0;
        if (us >= t->to_us)
                return t->n_cells - 1;
        return (size_t)((__int128)(us - t->from_us) * (int64_t)t->n_cells / (t->to_us - t->from_us));
}

int64_t timeline_cell_begin(const struct timeline *t, size_t cell) {
        int64_t n = (int64_t)t->n_cells;

        /* rounded up: the first instant that is in the cell */
        return t->from_us + (int64_t)(((__int128)(t->to_us - t->from_us) * (int64_t)cell + n - 1) / n);
}

uint64_t timeline_cell_worst(const struct timeline_cell *cell, enum timeline_mark *ret) {
        uint64_t n = 0;

        for (int mark = 0; mark < TIMELINE_MARK_MAX; mark++) {
                n += cell->n[mark];
                if (cell->n[mark] > 0)
                        *ret = (enum timeline_mark)mark;
        }
        return n;
}

static void count(struct timeline *t, struct timeline_job *job, size_t cell, enum timeline_mark mark, uint64_t n) {
        uint32_t *sum = &job->cells[cell].n[mark];

        *sum = n > UINT32_MAX - *sum ? UINT32_MAX : *sum + (uint32_t)n;
        t->n[mark] += n;
}

/* How many slots of a row come before an instant; they are equally far apart. */
static uint64_t slots_before(const struct timeline_span *span, int64_t us) {
        if (us <= span->from_us)
                return 0;
        if (us > span->to_us)
                return span->n;
        __int128 length_us = span->to_us - span->from_us;
        return (uint64_t)(((__int128)(us - span->from_us) * (int64_t)(span->n - 1) + length_us - 1) / length_us);
}

static void add_slots(struct timeline *t, struct timeline_job *job, const struct timeline_span *span) {
        size_t first = timeline_cell_of(t, span->from_us), last = timeline_cell_of(t, span->to_us);
        uint64_t n, before = slots_before(span, t->from_us);

        for (size_t cell = first; cell <= last; cell++, before += n) {
                /* the end belongs to the period */
                int64_t end_us = cell + 1 == t->n_cells ? t->to_us + 1 : timeline_cell_begin(t, cell + 1);
                n = slots_before(span, end_us) - before;
                count(t, job, cell, span->mark, n);
        }
}

static void add_run(struct timeline *t, struct timeline_job *job, const struct timeline_span *span) {
        size_t last = timeline_cell_of(t, span->to_us);

        for (size_t cell = timeline_cell_of(t, span->from_us); cell <= last; cell++)
                job->cells[cell].is_busy = true;
        if (span->from_us >= t->from_us)
                count(t, job, timeline_cell_of(t, span->from_us), span->mark, 1);
}

/* ---- spans ---- */

static int keep(struct timeline *t, struct timeline_job *job, const struct timeline_span *span) {
        if (job->n_spans == t->spans_max) {
                job->is_dense = true;
                free(job->spans);
                job->spans = NULL;
                job->n_spans = job->allocated_spans = 0;
        }
        if (job->is_dense)
                return 0;
        if (job->n_spans == job->allocated_spans) {
                size_t n = job->allocated_spans * 2 + 8;
                struct timeline_span *spans = reallocarray(job->spans, n, sizeof(*spans));
                if (!spans)
                        return -ENOMEM;
                job->spans = spans;
                job->allocated_spans = n;
        }
        job->spans[job->n_spans++] = *span;
        return 0;
}

/* ---- jobs ---- */

static void free_job(struct timeline_job *job) {
        if (!job)
                return;
        free(job->name);
        free(job->cells);
        free(job->spans);
        free(job);
}

static struct timeline_job *new_job(const struct timeline *t, const char *name) {
        struct timeline_job *job = calloc(1, sizeof(*job));

        if (!job)
                return NULL;
        job->name = strdup(name);
        job->cells = calloc(t->n_cells, sizeof(*job->cells));
        if (job->name && job->cells)
                return job;
        free_job(job);
        return NULL;
}

/* Where the job is, or is to be put in. */
static size_t find_place(const struct timeline *t, const char *name) {
        size_t low = 0, high = t->n_jobs;

        while (low < high) {
                size_t middle = (low + high) / 2;
                if (strcmp(t->jobs[middle]->name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* 0, 1: there are too many of them, -ENOMEM. */
static int find_job(struct timeline *t, const char *name, struct timeline_job **ret) {
        size_t at = find_place(t, name);

        if (at < t->n_jobs && strcmp(t->jobs[at]->name, name) == 0) {
                *ret = t->jobs[at];
                return 0;
        }
        if (t->n_jobs == TIMELINE_JOBS_MAX)
                return 1;
        if (t->n_jobs == t->allocated_jobs) {
                struct timeline_job **jobs = reallocarray(t->jobs, t->allocated_jobs * 2 + 16, sizeof(struct timeline_job *));
                if (!jobs)
                        return -ENOMEM;
                t->jobs = jobs;
                t->allocated_jobs = t->allocated_jobs * 2 + 16;
        }
        struct timeline_job *job = new_job(t, name);
        if (!job)
                return -ENOMEM;
        memmove(&t->jobs[at + 1], &t->jobs[at], (t->n_jobs - at) * sizeof(struct timeline_job *));
        t->jobs[at] = *ret = job;
        t->n_jobs++;
        return 0;
}

int timeline_add_job(struct timeline *t, const char *name) {
        struct timeline_job *job;
        int r = find_job(t, name, &job);

        return r < 0 ? r : 0;
}

int timeline_add(struct timeline *t, const char *name, const struct timeline_span *span) {
        struct timeline_job *job;

        if (span->from_us > t->to_us || span->to_us < t->from_us || span->to_us < span->from_us || span->n == 0)
                return 0;
        int r = find_job(t, name, &job);
        if (r == 1)
                t->n_left_out += span->n;
        if (r != 0)
                return r < 0 ? r : 0;
        if (span->is_run)
                add_run(t, job, span);
        else
                add_slots(t, job, span);
        return t->spans_max > 0 ? keep(t, job, span) : 0;
}

char *timeline_sums(const struct timeline *t, char buf[static TIMELINE_SUMS]) {
        unsigned long long n_failed = t->n[TIMELINE_FAILED], n_runs = t->n[TIMELINE_RAN] + n_failed;
        const char *between = "; slots ";
        int at = snprintf(buf, TIMELINE_SUMS, "%zu job%s: %llu run%s, %llu failed", t->n_jobs, t->n_jobs == 1 ? "" : "s",
                          n_runs, n_runs == 1 ? "" : "s", n_failed);

        for (int mark = TIMELINE_MERGED; mark < TIMELINE_FAILED; mark++)
                if (t->n[mark] > 0) {
                        at += snprintf(buf + at, TIMELINE_SUMS - (size_t)at, "%s%s: %llu", between,
                                       timeline_mark_word((enum timeline_mark)mark), (unsigned long long)t->n[mark]);
                        between = ", ";
                }
        snprintf(buf + at, TIMELINE_SUMS - (size_t)at, ".");
        return buf;
}

void timeline_done(struct timeline *t) {
        for (size_t i = 0; i < t->n_jobs; i++)
                free_job(t->jobs[i]);
        free(t->jobs);
        t->jobs = NULL;
        t->n_jobs = t->allocated_jobs = 0;
}
