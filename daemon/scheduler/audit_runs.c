// SPDX-License-Identifier: MIT
// audit_runs: a slot that ran has its run, a run its slot, and merged slots the run that took them in. Retention takes runs and slots each
// by its own measure: how many are missing is compared with how many it took.

#include "daemon/scheduler/audit_internal.h"

/* The place of the first run for a slot from this key on. */
static size_t find_run(const struct audit *a, uint32_t segment, int64_t key) {
        size_t from = 0, to = a->n_runs;
        while (from < to) {
                size_t middle = from + (to - from) / 2;
                const struct audit_run *r = &a->runs[middle];
                if (r->has_slot && (r->segment < segment || (r->segment == segment && r->key < key)))
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

static void find_fault(struct audit *a, enum audit_fault_kind kind, const struct ledger_range *r, uint64_t n) {
        audit_fault(a, &(struct audit_fault){.kind = kind,
                                             .segment = r->segment,
                                             .first = r->first,
                                             .last = r->last,
                                             .n = n,
                                             .first_rt_us = r->first_rt_us,
                                             .last_rt_us = r->last_rt_us,
                                             .run = r->run});
}

/* ---- slots without their run ---- */

static uint64_t count_missing(const struct audit *a, const struct ledger_range *r) {
        uint64_t n_there = find_run(a, r->segment, r->last + 1) - find_run(a, r->segment, r->first);
        return r->outcome == SLOT_RAN && r->result == RUN_RESULT_NONE && n_there < r->n ? r->n - n_there : 0;
}

/* As many may be missing as retention took; which ones it does not say, but that the oldest went first. */
static void judge_ran(struct audit *a) {
        uint64_t n_missing = 0;
        for (size_t i = 0; i < a->n_scheduled; i++)
                n_missing += count_missing(a, &a->ranges[i]);
        if (n_missing <= a->terms->trimmed_runs)
                return;
        n_missing -= a->terms->trimmed_runs;
        for (size_t i = a->n_scheduled; i > 0 && n_missing > 0; i--) {
                const struct ledger_range *r = &a->ranges[i - 1];
                uint64_t n = count_missing(a, r);
                n = n < n_missing ? n : n_missing;
                if (n > 0)
                        find_fault(a, AUDIT_NO_RUN, r, n);
                n_missing -= n;
        }
}

/* ---- merged slots ---- */

/* The slot behind merged ones is that of the run that took them in. Where it did not run, or in a later run, that one was lost on its way. */
static bool was_lost(const struct audit *a, const struct ledger_range *merged) {
        size_t at = audit_find_range(a, merged->segment, merged->last + 1);
        const struct ledger_range *r = at < a->n_scheduled ? &a->ranges[at] : NULL;
        if (!r || r->segment != merged->segment || r->first > merged->last + 1 || r->outcome != SLOT_RAN ||
            r->result != RUN_RESULT_NONE) /* nor is any run of those known */
                return true;
        size_t run = find_run(a, merged->segment, merged->last + 1);
        bool is_there = run < a->n_runs && a->runs[run].segment == merged->segment && a->runs[run].key == merged->last + 1;
        return is_there && a->runs[run].run > merged->run;
}

static void judge_merged(struct audit *a) {
        const struct job_image *image = a->terms->image;
        uint64_t latest = a->n_runs > 0 ? a->numbers[a->n_runs - 1] : 0;
        for (size_t i = 0; i < a->n_ranges; i++) {
                const struct ledger_range *r = &a->ranges[i];
                bool is_known =
                        r->outcome != SLOT_MERGED || (image && image_has_run(image, r->run)) || audit_has_run(a, r->run);
                if (!is_known && !was_lost(a, r) && !(a->terms->trimmed_runs > 0 && r->run <= latest))
                        find_fault(a, AUDIT_NO_RUN, r, r->n);
        }
}

/* ---- runs without their slot ---- */

static bool has_ran(const struct audit *a, const struct audit_run *run) {
        size_t at = audit_find_range(a, run->segment, run->key);
        const struct ledger_range *r = at < a->n_scheduled ? &a->ranges[at] : NULL;
        return r && r->segment == run->segment && r->first <= run->key && r->outcome == SLOT_RAN;
}

/* Of what is behind the mark nothing is said: it may have been written since. */
static bool is_asked_for(const struct audit *a, const struct audit_run *run) {
        const struct job_image *image = a->terms->image;
        return run->has_slot && image && audit_find_plan(a, run->segment) &&
               (run->segment < image->segment || run->key < image->key) &&
               audit_count_open(a, run->segment, run->key, run->key) == 0 && run->slot_rt_us >= a->terms->since_rt_us &&
               !audit_is_trimmed(a, run->slot_rt_us);
}

static bool is_folded(const struct ledger_range *r) {
        return r->n != (uint64_t)r->last - (uint64_t)r->first + 1;
}

void audit_runs(struct audit *a) {
        for (size_t i = 0; i < a->n_scheduled; i++)
                if (is_folded(&a->ranges[i])) /* which slots ran is not known, nor which runs were written */
                        return;
        judge_ran(a);
        judge_merged(a);
        for (size_t i = 0; i < a->n_runs; i++) {
                const struct audit_run *run = &a->runs[i];
                if (is_asked_for(a, run) && !has_ran(a, run))
                        audit_fault(a, &(struct audit_fault){.kind = AUDIT_NO_SLOT,
                                                             .segment = run->segment,
                                                             .first = run->key,
                                                             .last = run->key,
                                                             .n = 1,
                                                             .first_rt_us = run->slot_rt_us,
                                                             .last_rt_us = run->slot_rt_us,
                                                             .run = run->run});
        }
}
