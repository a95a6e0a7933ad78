// SPDX-License-Identifier: MIT
// audit_slots: the ranges of one plan, from its first key to its mark. Ranges that overlap are looked at together: rows that were folded
// when the disk did not take them say only how many of the slots between their ends they have.

#include <stdlib.h>

#include "daemon/scheduler/audit_internal.h"

/* A plan while its ranges are walked. */
struct walk {
        struct audit *a;
        struct audit_plan *p;
        bool has_end; /* slots below `end` must have an outcome: the plan is in force. How one before it ended is not recorded: its job
                       * may have been cancelled, disabled or removed for a while */
        int64_t end;
        int64_t at;         /* the first key that was not looked at */
        int64_t last_rt_us; /* instant of the slot before it */
};

static uint64_t span(int64_t first, int64_t last) {
        return (uint64_t)last - (uint64_t)first + 1;
}

/* The instants may be INT64_MAX: those of the plan are taken, or of a fixed delay the slot's before. */
static void find_fault(struct walk *w, enum audit_fault_kind kind, int64_t first, int64_t last, uint64_t n, int64_t first_rt_us,
                       int64_t last_rt_us) {
        struct audit_fault fault = {.kind = kind, .segment = w->p->segment, .first = first, .last = last, .n = n};
        fault.first_rt_us = first_rt_us != INT64_MAX ? first_rt_us : audit_nominal_rt(w->a, w->p, first);
        fault.last_rt_us = last_rt_us != INT64_MAX ? last_rt_us : audit_nominal_rt(w->a, w->p, last);
        if (fault.first_rt_us == INT64_MAX && w->last_rt_us != INT64_MIN)
                fault.first_rt_us = w->last_rt_us;
        if (fault.last_rt_us == INT64_MAX)
                fault.last_rt_us = fault.first_rt_us;
        audit_fault(w->a, &fault);
}

/* ---- from where, and up to where ---- */

static void find_end(struct walk *w) {
        const struct job_image *image = w->a->terms->image;
        w->has_end = image && image->segment == w->p->segment;
        w->end = w->has_end ? image->key : 0;
}

/* The first key that is asked for. */
static void find_lower(struct walk *w, size_t from, size_t to) {
        int64_t since_us = w->a->terms->since_rt_us, key = w->p->first_key;
        if (since_us > INT64_MIN && plan_is_grid(&w->p->when) && !w->p->has_other_data) {
                struct plan_grid grid = {.grid = plan_wall_grid(&w->p->when, w->p->anchor_us),
                                         .agenda = w->p->when.agenda,
                                         .at = {.us = w->p->anchor_us},
                                         .until_us = INT64_MAX};
                int64_t before_us = plan_is_wall(&w->p->when) ? 1 : w->p->offset_us - w->a->set_us - AUDIT_SLACK_US;
                key = plan_first_after(&grid, audit_tame(audit_tame(since_us) - before_us));
        } else if (since_us > INT64_MIN && from < to)
                key = w->a->ranges[from].first;
        else if (since_us > INT64_MIN)
                w->has_end = false;
        w->at = key > w->p->first_key ? key : w->p->first_key;
}

/* ---- gaps ---- */

/* The slots first..last have no outcome: next is the range behind them, NULL where there is none. */
static void judge_gap(struct walk *w, int64_t first, int64_t last, const struct ledger_range *next) {
        uint64_t n = span(first, last), n_open = audit_count_open(w->a, w->p->segment, first, last);
        int64_t last_rt_us = audit_nominal_rt(w->a, w->p, last);
        if (last_rt_us == INT64_MAX)
                last_rt_us = next ? next->first_rt_us : w->last_rt_us;
        if (n_open >= n || audit_is_trimmed(w->a, last_rt_us))
                return;
        find_fault(w, AUDIT_GAP, first, last, n - n_open, INT64_MAX, last_rt_us);
}

/* ---- one range ---- */

/* The fault says which instant the row has, then which is the plan's. */
static void judge_instant(struct walk *w, int64_t key, int64_t rt_us) {
        const struct audit_plan *p = w->p;
        int64_t nominal_us = audit_nominal_rt(w->a, w->p, key);
        bool is_right = false;
        if (nominal_us == INT64_MAX && audit_takes(w->a, w->p, key, rt_us)) {
                w->a->verdict->n_unchecked++;
                return;
        }
        if (nominal_us != INT64_MAX && plan_is_wall(&p->when))
                is_right = nominal_us == rt_us;
        else if (nominal_us != INT64_MAX)
                is_right = llabs(rt_us - nominal_us) <= w->a->set_us + AUDIT_SLACK_US;
        if (!is_right)
                find_fault(w, AUDIT_INSTANT, key, key, 1, rt_us, nominal_us);
}

/* The shortest wait of a fixed delay. */
static int64_t shortest_wait(const struct job_when *when) {
        return when->every_us - when->every_us / 1000000 * when->jitter_ppm -
               when->every_us % 1000000 * when->jitter_ppm / 1000000;
}

/* A slot of a fixed delay comes a wait after the end of the run before, at the earliest. */
static void judge_chain(struct walk *w, const struct ledger_range *r) {
        const struct audit_plan *p = w->p;
        int64_t wait_us = shortest_wait(&p->when), slack_us = AUDIT_SLACK_US + w->a->set_us, least_us;
        uint64_t n = span(r->first, r->last) - 1;
        if (r->outcome != SLOT_RAN || n > INT32_MAX || __builtin_mul_overflow((int64_t)n, wait_us, &least_us))
                return;
        if (r->last_rt_us - r->first_rt_us < least_us - slack_us)
                find_fault(w, AUDIT_INSTANT, r->first, r->last, r->n, r->first_rt_us, r->last_rt_us);
        const struct ledger_range *before = r > w->a->ranges ? r - 1 : NULL;
        bool is_next = before && before->segment == r->segment && before->outcome == SLOT_RAN && before->last + 1 == r->first;
        if (is_next && r->first_rt_us - before->last_rt_us < wait_us - slack_us)
                find_fault(w, AUDIT_INSTANT, before->last, r->first, 2, before->last_rt_us, r->first_rt_us);
}

static void judge_range(struct walk *w, const struct ledger_range *r) {
        const struct audit_plan *p = w->p;
        bool is_grid = plan_is_grid(&p->when);
        if (r->first < p->first_key || r->last_rt_us > w->a->latest_rt_us + w->a->set_us + AUDIT_SLACK_US)
                find_fault(w, AUDIT_BEYOND, r->first, r->last, r->n, r->first_rt_us, r->last_rt_us);
        if (!is_grid)
                judge_chain(w, r);
        else if (p->has_other_data)
                w->a->verdict->n_unchecked += r->n;
        else {
                judge_instant(w, r->first, r->first_rt_us);
                if (r->last != r->first)
                        judge_instant(w, r->last, r->last_rt_us);
        }
}

/* ---- ranges together ---- */

/* Ranges [from, to) overlap, or are one, and reach from `first` to `last`. */
static void judge_cluster(struct walk *w, size_t from, size_t to, int64_t first, int64_t last) {
        const struct ledger_range *r = &w->a->ranges[from];
        uint64_t n = 0, n_span = span(first, last), n_open = audit_count_open(w->a, w->p->segment, first, last);
        bool is_folded = false;
        for (size_t i = from; i < to; i++) {
                n += w->a->ranges[i].n;
                is_folded = is_folded || w->a->ranges[i].n < span(w->a->ranges[i].first, w->a->ranges[i].last);
        }
        int64_t last_rt_us = w->a->ranges[to - 1].last_rt_us;
        if (to - from == 1 && (last < r->first || n > n_span || n < n_span - n_open))
                find_fault(w, AUDIT_COUNT, first, last, n, r->first_rt_us, r->last_rt_us);
        else if (to - from > 1 && (!is_folded || n > n_span)) {
                int64_t again = w->a->ranges[from + 1].first;
                int64_t end = r->last < w->a->ranges[from + 1].last ? r->last : w->a->ranges[from + 1].last;
                find_fault(w, AUDIT_DOUBLE, is_folded ? first : again, is_folded ? last : end, n > n_span ? n - n_span : 1,
                           is_folded ? r->first_rt_us : INT64_MAX, is_folded ? last_rt_us : INT64_MAX);
        } else if (to - from > 1 && n < n_span - n_open)
                find_fault(w, AUDIT_GAP, first, last, n_span - n_open - n, r->first_rt_us, last_rt_us);
}

static void walk_ranges(struct walk *w, size_t from, size_t to) {
        const struct ledger_range *ranges = w->a->ranges;
        for (size_t i = from, n; i < to; i = n) {
                int64_t first = ranges[i].first, last = ranges[i].last;
                for (n = i + 1; n < to && ranges[n].first <= last; n++)
                        last = ranges[n].last > last ? ranges[n].last : last;
                int64_t end =
                        w->has_end && w->end < first ? w->end : first; /* behind the mark: rows that came after it was read */
                if (end > w->at)
                        judge_gap(w, w->at, end - 1, &ranges[i]);
                for (size_t k = i; k < n; k++)
                        judge_range(w, &ranges[k]);
                judge_cluster(w, i, n, first, last);
                if (last >= w->at)
                        w->at = last < INT64_MAX ? last + 1 : last;
                w->last_rt_us = ranges[n - 1].last_rt_us;
        }
}

void audit_slots(struct audit *a, struct audit_plan *p, size_t from, size_t to) {
        struct walk w = {.a = a, .p = p, .last_rt_us = INT64_MIN};
        if (!p->is_readable) {
                for (; from < to; from++)
                        a->verdict->n_unchecked += a->ranges[from].n;
                return;
        }
        find_end(&w);
        find_lower(&w, from, to);
        walk_ranges(&w, from, to);
        if (w.has_end && w.at < w.end)
                judge_gap(&w, w.at, w.end - 1, NULL);
}
