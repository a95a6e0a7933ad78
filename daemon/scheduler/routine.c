// SPDX-License-Identifier: MIT
// routine: a list, and for each job its place in it: each of many thousand runs a second is found there.

#include "daemon/scheduler/routine.h"

#include <stdlib.h>
#include <string.h>

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

bool routine_add(struct routine *t, const struct ledger_range *one) {
        if (t->range.n > 0 && !ledger_range_is_joined(&t->range, one))
                return false;
        if (t->range.n > 0)
                ledger_range_join(&t->range, one);
        else
                t->range = *one;
        t->last_run = one->run;
        return true;
}
