// SPDX-License-Identifier: MIT
// timeline: runs and slots of many jobs over a period, as cells of equal length and, where they are few, one by one.
// Pure: what is drawn of it, and how, is for screen_timeline and picture.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMELINE_CELLS_MAX 1024
#define TIMELINE_JOBS_MAX  10000 /* more are only counted */
#define TIMELINE_NOTE      40    /* bytes */

/* What became of a slot: the later, the more it matters. */
enum timeline_mark {
        TIMELINE_RAN, /* or a run that is in flight, or was cancelled */
        TIMELINE_MERGED,
        TIMELINE_WITHHELD,
        TIMELINE_INTERRUPTED,
        TIMELINE_MISSED,
        TIMELINE_FAILED,
        TIMELINE_MARK_MAX
};

/* A run, or slots in a row that did not run. */
struct timeline_span {
        int64_t from_us, to_us; /* a run: its start and its end; else the first and the last slot */
        uint64_t n;             /* of slots; a run: 1 */
        enum timeline_mark mark;
        bool is_run;
        char note[TIMELINE_NOTE]; /* a run: how it ended; else why it did not run; "": nothing to say */
};

struct timeline_cell {
        uint32_t n[TIMELINE_MARK_MAX]; /* slots that are in it, runs by their start */
        bool is_busy;                  /* a run goes on in it */
};

struct timeline_job {
        char *name;
        struct timeline_cell *cells;
        struct timeline_span *spans; /* in the order in which they came; none where there were too many */
        size_t n_spans, allocated_spans;
        bool is_dense; /* there were */
};

struct timeline {
        int64_t from_us, to_us;     /* from_us < to_us */
        size_t n_cells;             /* of each job, 1 to TIMELINE_CELLS_MAX */
        size_t spans_max;           /* of each job */
        struct timeline_job **jobs; /* by name */
        size_t n_jobs, allocated_jobs;
        uint64_t n[TIMELINE_MARK_MAX]; /* slots in the period, */
        uint64_t n_left_out;           /* and those of jobs that there were too many of */
};

/* "ran", "merged", ...; '+', '~', ... */
const char *timeline_mark_word(enum timeline_mark mark);
char timeline_mark_sign(enum timeline_mark mark);
/* False for another word. */
bool timeline_mark_find(const char *word, enum timeline_mark *ret);
/* A job that may have nothing in the period; the name is copied. 0, -ENOMEM. */
int timeline_add_job(struct timeline *t, const char *name);
/* Adds what lies in the period, at least in part. 0, -ENOMEM. */
int timeline_add(struct timeline *t, const char *job, const struct timeline_span *span);
/* The cell of an instant; one outside the period belongs to the first or the last. */
size_t timeline_cell_of(const struct timeline *t, int64_t us);
/* The instant at which a cell begins; of n_cells the end of the period. */
int64_t timeline_cell_begin(const struct timeline *t, size_t cell);
/* What matters most of a cell, and how many slots it has in all; 0: none. */
uint64_t timeline_cell_worst(const struct timeline_cell *cell, enum timeline_mark *ret);
#define TIMELINE_SUMS 256
/* "3 jobs: 120 runs, 3 failed; slots missed: 4." Returns buf. */
char *timeline_sums(const struct timeline *t, char buf[static TIMELINE_SUMS]);
/* Frees what it has; it may be half-built. */
void timeline_done(struct timeline *t);
