// SPDX-License-Identifier: MIT
// routine: a list, and for each job its place in it: each of many thousand runs a second is found there.

#include "daemon/scheduler/routine.h"

#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/scheduler/ledger_row.h"

void routines_done(struct routines *r) {
        free(r->list);
        free(r->places);
        *r = (struct routines){0};
}

struct routine *routines_find(const struct routines *r, uint32_t job) {
        return job < r->n_places && r->places[job] > 0 ? &r->list[r->places[job] - 1] : NULL;
}

static bool reserve(struct routines *r, uint32_t job) {
        if (job >= r->n_places) {
                size_t n = (size_t)job + job / 4 + 64;
                uint32_t *p = realloc(r->places, n * sizeof(*p));
                if (!p)
                        return false;
                memset(p + r->n_places, 0, (n - r->n_places) * sizeof(*p));
                r->places = p;
                r->n_places = n;
        }
        if (r->n == r->allocated) {
                size_t n = r->allocated + r->allocated / 2 + 64;
                struct routine *p = realloc(r->list, n * sizeof(*p));
                if (!p)
                        return false;
                r->list = p;
                r->allocated = n;
        }
        return true;
}

struct routine *routines_get(struct routines *r, uint32_t job, uint64_t era) {
        struct routine *t = routines_find(r, job);
        if (t)
                return t;
        if (!reserve(r, job))
                return NULL;
        t = &r->list[r->n++];
        *t = (struct routine){.job = job, .era = era, .first_key = INT64_MAX};
        r->places[job] = (uint32_t)r->n;
        return t;
}

bool routines_take(struct routines *r, uint32_t job, struct routine *ret) {
        struct routine *t = routines_find(r, job);
        if (!t)
                return false;
        *ret = *t;
        r->places[job] = 0;
        if (t != &r->list[--r->n]) {
                *t = r->list[r->n];
                r->places[t->job] = (uint32_t)(t - r->list) + 1;
        }
        return true;
}

/* Whether slots can be added to a range: they go on where it ends; or with the other's there is none between the first and the last of
 * all that neither has, but for the one whose run is in flight. */
static bool goes_on(const struct ledger_range *range, const struct ledger_range *other, const struct ledger_range *one) {
        if (other->n == 0)
                return range->n == 0 || ledger_range_is_joined(range, one);
        if (other->segment != one->segment ||
            (range->n > 0 && (!ledger_range_is_alike(range, one) || one->first <= range->last)))
                return false;
        int64_t first = duration_lower(duration_lower(range->n > 0 ? range->first : one->first, other->first), one->first);
        int64_t last = one->last > other->last ? one->last : other->last;
        return (uint64_t)(last - first) + 1 <= range->n + other->n + one->n + 1;
}

bool routine_add(struct routine *t, const struct ledger_range *one) {
        bool has_run = one->outcome == SLOT_RAN;
        struct ledger_range *range = has_run ? &t->ran : &t->missed;
        if (!goes_on(range, has_run ? &t->missed : &t->ran, one))
                return false;
        if (range->n > 0)
                ledger_range_join(range, one);
        else
                *range = *one;
        if (has_run)
                t->last_run = one->run;
        return true;
}
