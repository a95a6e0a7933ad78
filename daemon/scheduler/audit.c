// SPDX-License-Identifier: MIT
// audit: rows are gathered, put into the order of slots, and judged plan by plan. What the ledger can't know is no fault: slots that
// retention took, slots that wait, and how a plan ended that the job was cancelled under. Numbers from the file are not trusted.

#include "daemon/scheduler/audit_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"

static const char *const words[AUDIT_FAULT_MAX] = {
        [AUDIT_GAP] = "gap",         [AUDIT_DOUBLE] = "double",   [AUDIT_BEYOND] = "beyond", [AUDIT_COUNT] = "count",
        [AUDIT_INSTANT] = "instant", [AUDIT_NO_PLAN] = "no-plan", [AUDIT_NO_RUN] = "no-run", [AUDIT_NO_SLOT] = "no-slot",
};

const char *audit_fault_to_string(enum audit_fault_kind kind) {
        return (unsigned)kind < AUDIT_FAULT_MAX ? words[kind] : "invalid";
}

/* ---- rows ---- */

int audit_new(struct agendas *agendas, struct audit **ret) {
        struct audit *a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->agendas = agendas;
        *ret = a;
        return 0;
}

struct audit *audit_free(struct audit *a) {
        if (!a)
                return NULL;
        audit_reset(a);
        free(a->plans);
        free(a->ranges);
        free(a->runs);
        free(a->numbers);
        free(a->clocks);
        free(a);
        return NULL;
}

void audit_reset(struct audit *a) {
        for (size_t i = 0; i < a->n_plans; i++)
                job_when_done(&a->plans[i].when);
        a->n_plans = a->n_ranges = a->n_scheduled = a->n_runs = 0;
}

/* Room for one more. The array as it is now, or NULL without memory: then the old one stays. */
static void *grow(void *array, size_t n, size_t *allocated, size_t size) {
        if (n < *allocated)
                return array;
        void *bigger = reallocarray(array, *allocated * 2 + 64, size);
        if (bigger)
                *allocated = *allocated * 2 + 64;
        return bigger;
}

static bool is_by_other_data(const struct ledger_segment *segment, const struct job_when *when) {
        static const uint8_t unknown[sizeof(segment->calendar)];
        if (!when->agenda || memcmp(segment->calendar, unknown, sizeof(unknown)) == 0)
                return false;
        struct hash128 hash = agenda_hash(when->agenda);
        return memcmp(&hash, segment->calendar, sizeof(hash)) != 0;
}

int audit_add_segment(struct audit *a, const struct ledger_segment *segment) {
        struct audit_plan *plans = grow(a->plans, a->n_plans, &a->allocated_plans, sizeof(*plans));
        char *description = NULL;
        if (!plans)
                return -ENOMEM;
        a->plans = plans;
        struct audit_plan *p = &plans[a->n_plans++];
        *p = (struct audit_plan){
                .segment = segment->segment,
                .anchor_us = audit_tame(segment->anchor_us),
                .first_key = audit_tame(segment->first_key),
                .offset_us = audit_tame(segment->offset_us),
        };
        int r = segment->when ? job_when_parse(segment->when, strlen(segment->when), a->agendas, &p->when, &description)
                              : -EBADMSG;
        free(description);
        p->is_readable = r == 0 && plan_exists(&p->when);
        p->has_other_data = p->is_readable && is_by_other_data(segment, &p->when);
        p->at.us = p->anchor_us;
        return r == -ENOMEM ? r : 0;
}

int audit_add_range(struct audit *a, const struct ledger_range *range) {
        struct ledger_range *ranges = grow(a->ranges, a->n_ranges, &a->allocated_ranges, sizeof(*ranges));
        if (!ranges)
                return -ENOMEM;
        a->ranges = ranges;
        struct ledger_range *r = &ranges[a->n_ranges++];
        *r = *range;
        r->job = NULL;
        r->first = audit_tame(r->first);
        r->last = audit_tame(r->last);
        r->first_rt_us = audit_tame(r->first_rt_us);
        r->last_rt_us = audit_tame(r->last_rt_us);
        r->told_rt_us = audit_tame(r->told_rt_us);
        a->oldest_told_rt_us = r->told_rt_us;
        return 0;
}

int audit_add_run(struct audit *a, const struct ledger_run *run) {
        struct audit_run *runs = grow(a->runs, a->n_runs, &a->allocated_runs, sizeof(*runs));
        a->runs = runs ? runs : a->runs;
        uint64_t *numbers = runs ? grow(a->numbers, a->n_runs, &a->allocated_numbers, sizeof(*numbers)) : NULL;
        if (!numbers)
                return -ENOMEM;
        a->numbers = numbers;
        numbers[a->n_runs] = run->run.run;
        runs[a->n_runs++] = (struct audit_run){
                .run = run->run.run,
                .segment = run->run.segment,
                .key = audit_tame(run->run.key),
                .slot_rt_us = run->run.slot_rt_us,
                .has_slot = run->run.item == WIRE_ITEM_SCHEDULE,
        };
        return 0;
}

int audit_add_clock(struct audit *a, const struct ledger_clock *clock) {
        struct ledger_clock *clocks = grow(a->clocks, a->n_clocks, &a->allocated_clocks, sizeof(*clocks));
        if (!clocks)
                return -ENOMEM;
        a->clocks = clocks;
        struct ledger_clock *c = &clocks[a->n_clocks++];
        *c = *clock;
        c->at.rt_us = audit_tame(c->at.rt_us);
        c->at.bt_us = audit_tame(c->at.bt_us);
        c->by_us = audit_tame(c->by_us);
        return 0;
}

/* ---- order ---- */

static int compare_numbers(int64_t a, int64_t b) {
        return (a > b) - (a < b);
}

static int compare_plans(const void *a, const void *b) {
        const struct audit_plan *x = a, *y = b;
        return compare_numbers(x->segment, y->segment);
}

static int compare_ranges(const void *a, const void *b) {
        const struct ledger_range *x = a, *y = b;
        int order = compare_numbers(x->item, y->item);
        order = order != 0 ? order : compare_numbers(x->segment, y->segment);
        order = order != 0 ? order : compare_numbers(x->first, y->first);
        order = order != 0 ? order : compare_numbers(x->last, y->last);
        order = order != 0 ? order : compare_numbers(x->first_rt_us, y->first_rt_us);
        return order != 0 ? order : (x->run > y->run) - (x->run < y->run);
}

static int compare_runs(const void *a, const void *b) {
        const struct audit_run *x = a, *y = b;
        int order = compare_numbers(!x->has_slot, !y->has_slot);
        order = order != 0 ? order : compare_numbers(x->segment, y->segment);
        return order != 0 ? order : compare_numbers(x->key, y->key);
}

static int compare_run_numbers(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
        return (x > y) - (x < y);
}

static int compare_clocks(const void *a, const void *b) {
        const struct ledger_clock *x = a, *y = b;
        int order = memcmp(x->boot_id, y->boot_id, sizeof(x->boot_id));
        return order != 0 ? order : compare_numbers(x->at.bt_us, y->at.bt_us);
}

static void sort(void *array, size_t n, size_t size, int (*compare)(const void *a, const void *b)) {
        if (n > 1)
                qsort(array, n, size, compare);
}

static int64_t offset_of(const struct ledger_clock *c) {
        return audit_tame(c->at.rt_us - c->at.bt_us);
}

/* How far the wall clock was set, and the latest instant that anybody has lived through: also what it had come to before it was set
 * back. */
static void look_at_clocks(struct audit *a) {
        a->latest_rt_us = a->terms->now_rt_us;
        a->set_us = 0;
        sort(a->clocks, a->n_clocks, sizeof(*a->clocks), compare_clocks);
        for (size_t i = 0; i < a->n_ranges; i++)
                a->latest_rt_us = a->ranges[i].told_rt_us > a->latest_rt_us ? a->ranges[i].told_rt_us : a->latest_rt_us;
        for (size_t i = 0; i < a->n_clocks; i++) {
                const struct ledger_clock *c = &a->clocks[i], *next = i + 1 < a->n_clocks ? c + 1 : NULL;
                bool is_same_boot = next && memcmp(c->boot_id, next->boot_id, sizeof(c->boot_id)) == 0;
                int64_t lived_us = c->at.rt_us;
                if (is_same_boot) /* as one expression gcc 14 without optimisation reads what is not there */
                        lived_us += next->at.bt_us - c->at.bt_us;
                a->latest_rt_us = lived_us > a->latest_rt_us ? lived_us : a->latest_rt_us;
                bool is_first = i == 0 || memcmp(c->boot_id, c[-1].boot_id, sizeof(c->boot_id)) != 0;
                bool is_set = c->kind == LEDGER_CLOCK_STEP || c->kind == LEDGER_CLOCK_SYNC;
                int64_t step_us = is_first && is_set ? llabs(c->by_us) : 0;
                if (is_same_boot) /* a step that nobody was there to see shows in the next reading of both clocks */
                        step_us += llabs(offset_of(next) - offset_of(c));
                a->set_us = audit_tame(a->set_us + step_us);
        }
}

/* Each plan once, and none of those that have begun since the mark was set. */
static void put_into_order(struct audit *a) {
        const struct job_image *image = a->terms->image;
        size_t n = 0;
        sort(a->ranges, a->n_ranges, sizeof(*a->ranges), compare_ranges);
        sort(a->runs, a->n_runs, sizeof(*a->runs), compare_runs);
        sort(a->numbers, a->n_runs, sizeof(*a->numbers), compare_run_numbers);
        sort(a->plans, a->n_plans, sizeof(*a->plans), compare_plans);
        for (size_t i = 0; i < a->n_plans; i++) {
                if ((n > 0 && a->plans[n - 1].segment == a->plans[i].segment) ||
                    (image && a->plans[i].segment > image->segment)) {
                        job_when_done(&a->plans[i].when);
                        continue;
                }
                a->plans[n++] = a->plans[i];
        }
        a->n_plans = n;
        a->n_scheduled = 0;
        while (a->n_scheduled < a->n_ranges && a->ranges[a->n_scheduled].item == WIRE_ITEM_SCHEDULE)
                a->n_scheduled++;
}

/* ---- what the files of the audit share ---- */

void audit_fault(struct audit *a, const struct audit_fault *fault) {
        struct audit_verdict *v = a->verdict;
        if (v->n_listed < AUDIT_FAULTS_MAX)
                v->faults[v->n_listed++] = *fault;
        v->n_faults++;
}

/* Rows come in the order of their keys: the walk goes on from the one that was asked for last, and no further than anybody has lived. */
static int64_t calendar_nominal(const struct audit *a, struct audit_plan *p, int64_t key) {
        if (key < p->at.key)
                p->at = (struct agenda_slot){.us = p->anchor_us};
        struct wall_grid grid = plan_wall_grid(&p->when, p->anchor_us);
        agenda_advance(p->when.agenda, &grid, &p->at, key, a->latest_rt_us + AUDIT_SLACK_US);
        return p->at.key == key ? p->at.us : INT64_MAX;
}

int64_t audit_nominal_rt(const struct audit *a, struct audit_plan *p, int64_t key) {
        int64_t us;
        if (p->has_other_data)
                return INT64_MAX;
        if (p->when.agenda)
                return calendar_nominal(a, p, key);
        if (!plan_is_grid(&p->when) || __builtin_mul_overflow(key, p->when.every_us, &us) ||
            __builtin_add_overflow(us, p->anchor_us, &us) ||
            (!plan_is_wall(&p->when) && __builtin_add_overflow(us, p->offset_us, &us)) || us != audit_tame(us))
                return INT64_MAX;
        return us;
}

bool audit_takes(const struct audit *a, struct audit_plan *p, int64_t key, int64_t rt_us) {
        int64_t limit_us = a->latest_rt_us + AUDIT_SLACK_US;
        if (!p->when.agenda || p->has_other_data || key <= p->at.key || rt_us <= p->at.us || rt_us > limit_us)
                return false;
        bool is_given_up = plan_next(&p->when, p->anchor_us, p->at.us) <= limit_us;
        if (!is_given_up || plan_next(&p->when, p->anchor_us, rt_us - 1) != rt_us)
                return false;
        p->at = (struct agenda_slot){.key = key, .us = rt_us};
        return true;
}

const struct audit_plan *audit_find_plan(const struct audit *a, uint32_t segment) {
        const struct audit_plan key = {.segment = segment};
        return a->n_plans > 0 ? bsearch(&key, a->plans, a->n_plans, sizeof(key), compare_plans) : NULL;
}

bool audit_has_run(const struct audit *a, uint64_t run) {
        return a->n_runs > 0 && bsearch(&run, a->numbers, a->n_runs, sizeof(run), compare_run_numbers);
}

size_t audit_find_range(const struct audit *a, uint32_t segment, int64_t key) {
        size_t from = 0, to = a->n_scheduled;
        while (from < to) {
                size_t middle = from + (to - from) / 2;
                const struct ledger_range *r = &a->ranges[middle];
                if (r->segment < segment || (r->segment == segment && r->last < key))
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

/* The slots that a..b and c..d have in common. */
static uint64_t common(int64_t a, int64_t b, int64_t c, int64_t d) {
        int64_t first = a > c ? a : c, last = b < d ? b : d;
        return first <= last ? (uint64_t)last - (uint64_t)first + 1 : 0;
}

uint64_t audit_count_open(const struct audit *a, uint32_t segment, int64_t first, int64_t last) {
        const struct job_image *i = a->terms->image;
        if (!i)
                return 0;
        uint64_t n = image_count_open(i, segment, first, last);
        if (i->merging.is_open && i->merging.segment == segment)
                n += common(first, last, i->merging.first, i->merging.last);
        return n;
}

bool audit_is_trimmed(const struct audit *a, int64_t rt_us) {
        return a->terms->trimmed_slots > 0 && rt_us <= a->oldest_told_rt_us + a->set_us + AUDIT_SLACK_US;
}

/* ---- the verdict ---- */

static void count(struct audit *a, const struct ledger_range *r, uint64_t n) {
        struct audit_verdict *v = a->verdict;
        v->slots[r->outcome] += n;
        v->first_rt_us = r->first_rt_us < v->first_rt_us ? r->first_rt_us : v->first_rt_us;
        v->last_rt_us = r->last_rt_us > v->last_rt_us ? r->last_rt_us : v->last_rt_us;
}

/* Outcomes of a segment that has no plan here: retention takes plans, too, and a first plan that was over before its first slot was
 * written never had a row. */
static void judge_planless(struct audit *a, size_t from, size_t to) {
        const struct ledger_range *r = &a->ranges[from];
        const struct job_image *image = a->terms->image;
        bool is_later = image && r->segment > image->segment;
        bool is_before = a->n_plans == 0 || r->segment < a->plans[0].segment;
        for (; from < to && !is_later; from++) {
                r = &a->ranges[from];
                a->verdict->n_unchecked += r->n;
                if (!is_before)
                        audit_fault(a, &(struct audit_fault){.kind = AUDIT_NO_PLAN,
                                                             .segment = r->segment,
                                                             .first = r->first,
                                                             .last = r->last,
                                                             .n = r->n,
                                                             .first_rt_us = r->first_rt_us,
                                                             .last_rt_us = r->last_rt_us});
        }
}

static void judge_scheduled(struct audit *a) {
        size_t from = 0, to, i = 0;
        while (from < a->n_scheduled || i < a->n_plans) {
                bool is_plan = i < a->n_plans && (from == a->n_scheduled || a->plans[i].segment <= a->ranges[from].segment);
                uint32_t segment = is_plan ? a->plans[i].segment : a->ranges[from].segment;
                for (to = from; to < a->n_scheduled && a->ranges[to].segment == segment; to++)
                        count(a, &a->ranges[to], a->ranges[to].n);
                if (is_plan)
                        audit_slots(a, &a->plans[i], from, to);
                else
                        judge_planless(a, from, to);
                i += is_plan;
                from = to;
        }
}

/* Of slots without a key, each a row of its own. The machine may sleep again at once, and several parents may end in one instant. */
static bool is_told_twice(const struct ledger_range *r, const struct ledger_range *before) {
        int64_t later_us = r->first_rt_us - before->first_rt_us;
        if (r->item != before->item)
                return false;
        if (r->item == WIRE_ITEM_CHAIN)
                return later_us == 0 && r->run > 0 && r->run == before->run;
        return later_us < (r->item == WIRE_ITEM_BOOT ? AUDIT_SLACK_US : 1);
}

static void judge_boots(struct audit *a) {
        for (size_t i = a->n_scheduled; i < a->n_ranges; i++) {
                const struct ledger_range *r = &a->ranges[i];
                bool is_double = i > a->n_scheduled && is_told_twice(r, &r[-1]);
                count(a, r, r->n);
                if (is_double || r->n != 1)
                        audit_fault(a, &(struct audit_fault){.kind = is_double ? AUDIT_DOUBLE : AUDIT_COUNT,
                                                             .n = r->n,
                                                             .first_rt_us = r->first_rt_us,
                                                             .last_rt_us = r->last_rt_us,
                                                             .run = r->run});
        }
}

void audit_finish(struct audit *a, const struct audit_terms *terms, struct audit_verdict *ret) {
        *ret = (struct audit_verdict){.n_trimmed = terms->trimmed_slots, .first_rt_us = INT64_MAX, .last_rt_us = INT64_MIN};
        a->terms = terms;
        a->verdict = ret;
        look_at_clocks(a);
        put_into_order(a);
        judge_scheduled(a);
        judge_boots(a);
        if (terms->has_all_runs)
                audit_runs(a);
        for (size_t i = 0; i < a->n_plans; i++)
                ret->n_open += audit_count_open(a, a->plans[i].segment, INT64_MIN, INT64_MAX);
        ret->n_runs = a->n_runs;
        ret->n_segments = a->n_plans;
}
