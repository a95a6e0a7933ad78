// SPDX-License-Identifier: MIT
// ledger_fold: rows that stay are copied as they are, from where they were last seen; only ranges and counts are made anew. What comes
// out grows with the number of jobs, not with that of their runs.

#include "daemon/scheduler/ledger_fold.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/util.h"

/* Where a row stands in its batch. */
struct place {
        const uint8_t *at;
        size_t size;
        uint64_t run; /* runs: its number */
};

struct fold_range {
        struct ledger_range range;
        uint32_t next; /* of the same job, + 1; 0: none */
};

struct fold_job {
        struct place job, routine, pins[LEDGER_PIN_MAX];
        bool is_over; /* the latest run is */
        uint64_t n_ended, n_folded;
        uint32_t ranges; /* first + 1 */
};

struct fold {
        struct ledger_jobs names;
        struct fold_job *jobs; /* one each */
        size_t allocated_jobs;
        struct fold_range *ranges;
        size_t n_ranges, allocated_ranges;
        struct place life, horizon;
        struct pack out;
        uint64_t n_runs;
};

static int find_job(struct fold *f, const char *name, struct fold_job **ret) {
        uint32_t at = ledger_jobs_find(&f->names, name);
        if (at == INDEX_NONE) {
                int r = ledger_jobs_add(&f->names, name, &at);
                if (r < 0)
                        return r;
                if (at >= f->allocated_jobs) {
                        size_t n = f->allocated_jobs * 2 + 64;
                        struct fold_job *bigger = reallocarray(f->jobs, n, sizeof(*bigger));
                        if (!bigger)
                                return -ENOMEM;
                        f->jobs = bigger;
                        f->allocated_jobs = n;
                }
                f->jobs[at] = (struct fold_job){};
        }
        *ret = &f->jobs[at];
        return 0;
}

static int add_range(struct fold *f, struct fold_job *job, const struct ledger_range *range) {
        if (f->n_ranges == f->allocated_ranges) {
                size_t n = f->allocated_ranges * 2 + 64;
                struct fold_range *bigger = reallocarray(f->ranges, n, sizeof(*bigger));
                if (!bigger)
                        return -ENOMEM;
                f->ranges = bigger;
                f->allocated_ranges = n;
        }
        f->ranges[f->n_ranges] = (struct fold_range){.range = *range, .next = job->ranges};
        job->ranges = (uint32_t)++f->n_ranges;
        return 0;
}

static int fold_range(struct fold *f, struct fold_job *job, const struct ledger_range *range) {
        for (uint32_t k = job->ranges; k != 0; k = f->ranges[k - 1].next) {
                struct ledger_range *old = &f->ranges[k - 1].range;
                if (old->item != range->item || old->segment != range->segment || old->outcome != range->outcome ||
                    old->reason != range->reason || old->result != range->result)
                        continue;
                ledger_range_join(old, range);
                return 0;
        }
        return add_range(f, job, range);
}

static void fold_run(struct fold_job *job, const struct ledger_run *run, struct place place) {
        place.run = run->run.run;
        bool is_over = run->end.result != RUN_RESULT_NONE;
        job->n_ended += is_over;
        if (place.run >= job->pins[LEDGER_PIN_LAST].run) {
                job->pins[LEDGER_PIN_LAST] = place;
                job->is_over = is_over;
        }
        if (run_result_is_good(run->end.result) && place.run >= job->pins[LEDGER_PIN_GOOD].run)
                job->pins[LEDGER_PIN_GOOD] = place;
        if (run_result_is_failure(run->end.result) && place.run >= job->pins[LEDGER_PIN_FAILED].run)
                job->pins[LEDGER_PIN_FAILED] = place;
}

static int fold_row(struct fold *f, const struct ledger_row *row, struct place place) {
        struct fold_job *job = NULL;
        const char *name = ledger_row_job(row);
        int r = name ? find_job(f, name, &job) : 0;
        if (r < 0)
                return r;
        switch (row->kind) {
        case LEDGER_ROW_JOB:
                job->job = place;
                return 0;
        case LEDGER_ROW_RUN:
                if (row->run.is_routine) /* it has no row to be left out */
                        job->routine = place;
                else
                        fold_run(job, &row->run, place);
                return 0;
        case LEDGER_ROW_RANGE:
                return fold_range(f, job, &row->range);
        case LEDGER_ROW_FOLDED:
                job->n_folded += row->folded.n_runs;
                return 0;
        case LEDGER_ROW_HORIZON:
                f->horizon = place;
                return 0;
        case LEDGER_ROW_LIFE:
                f->life = place;
                return 0;
        case LEDGER_ROW_SEGMENT:
        case LEDGER_ROW_CLOCK:
        case LEDGER_ROW_GROUP:
                pack_raw(&f->out, place.at, place.size);
                return 0;
        case LEDGER_ROW_MAX:
                break;
        }
        return 0;
}

static int walk(struct fold *f, const struct ledger_batch *batch) {
        struct unpack u = unpack_from(batch->rows.data, batch->rows.size);
        struct ledger_row row;
        int r = 0;
        for (const uint8_t *at = u.at; r >= 0 && ledger_row_get(&u, &row) == 1; at = u.at)
                r = fold_row(f, &row, (struct place){.at = at, .size = (size_t)(u.at - at)});
        return r;
}

static void copy(struct fold *f, const struct place *place) {
        if (place->size > 0)
                pack_raw(&f->out, place->at, place->size);
}

static void print_job(struct fold *f, const char *name, const struct fold_job *job) {
        const struct place *pins = job->pins;
        uint64_t n_kept = 0;

        copy(f, &job->job);
        copy(f, &job->routine);
        for (int k = 0; k < LEDGER_PIN_MAX; k++) {
                if (pins[k].run == 0 || (k != LEDGER_PIN_LAST && pins[k].run == pins[LEDGER_PIN_LAST].run))
                        continue;
                copy(f, &pins[k]);
                n_kept += k != LEDGER_PIN_LAST || job->is_over;
        }
        for (uint32_t k = job->ranges; k != 0; k = f->ranges[k - 1].next) {
                struct ledger_range range = f->ranges[k - 1].range;
                range.job = name;
                ledger_row_put(&f->out, &(struct ledger_row){.kind = LEDGER_ROW_RANGE, .range = range});
        }
        struct ledger_folded folded = {.job = name, .n_runs = job->n_folded + job->n_ended - n_kept};
        f->n_runs += job->n_ended - n_kept;
        if (folded.n_runs > 0)
                ledger_row_put(&f->out, &(struct ledger_row){.kind = LEDGER_ROW_FOLDED, .folded = folded});
}

static void done(struct fold *f) {
        ledger_jobs_done(&f->names);
        free(f->jobs);
        free(f->ranges);
        pack_done(&f->out);
}

int ledger_fold(const struct ledger_batch *batches, struct ledger_batch **ret, uint64_t *ret_n_runs) {
        _cleanup_(done) struct fold f = {};
        struct ledger_batch *batch = calloc(1, sizeof(*batch));
        int r = batch ? 0 : -ENOMEM;

        for (; r >= 0 && batches; batches = batches->next) {
                r = walk(&f, batches);
                batch->number = batches->number;
                batch->at = batches->at;
        }
        copy(&f, &f.life);
        copy(&f, &f.horizon);
        for (uint32_t k = 0; r >= 0 && k < f.names.n; k++)
                print_job(&f, f.names.entries[k].name, &f.jobs[k]);
        if (r >= 0)
                r = pack_result(&f.out);
        if (r < 0) {
                free(batch);
                return r;
        }
        batch->rows = f.out;
        f.out = (struct pack){};
        *ret = batch;
        *ret_n_runs = f.n_runs;
        return 0;
}
