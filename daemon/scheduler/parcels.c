// SPDX-License-Identifier: MIT
// parcels: one sorted array: it is short, and jobs without parameters need not be in any index.

#include "daemon/scheduler/parcels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parcel *parcel_new(const void *data, size_t size) {
        struct parcel *parcel = malloc(sizeof(*parcel) + size);
        if (!parcel)
                return NULL;
        *parcel = (struct parcel){.uses = 1, .size = (uint32_t)size};
        memcpy(parcel->data, data, size);
        return parcel;
}

struct parcel *parcel_drop(struct parcel *parcel) {
        if (parcel && --parcel->uses == 0)
                free(parcel);
        return NULL;
}

bool parcel_is_same(const struct parcel *a, const void *data, size_t size) {
        return size == (a ? a->size : 0) && (size == 0 || memcmp(a->data, data, size) == 0);
}

void parcels_done(struct parcels *p) {
        for (size_t i = 0; i < p->n; i++)
                parcel_drop(p->rows[i].of.parcel);
        free(p->rows);
        *p = (struct parcels){0};
}

/* Where that row is, or would be. */
static size_t place_of(const struct parcels *p, uint32_t job, uint64_t run) {
        size_t low = 0, high = p->n;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const struct parcels_row *row = &p->rows[middle];
                if (row->job < job || (row->job == job && row->of.run < run))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct parcel *parcels_find(const struct parcels *p, uint32_t job, uint64_t run) {
        size_t at = place_of(p, job, run);
        bool is_there = at < p->n && p->rows[at].job == job && p->rows[at].of.run == run;
        return is_there ? p->rows[at].of.parcel : NULL;
}

bool parcels_are_same(const struct parcels *p, uint32_t job, uint64_t run, const void *data, size_t size) {
        return parcel_is_same(parcels_find(p, job, run), data, size);
}

bool parcels_have_room(const struct parcels *p, size_t size) {
        return p->n < PARCELS_MAX && p->size + size <= PARCELS_SIZE_MAX;
}

int parcels_add(struct parcels *p, uint32_t job, uint64_t run, struct parcel *parcel) {
        size_t at = place_of(p, job, run);
        if (p->n == p->allocated) {
                size_t n = p->allocated * 2 + 8;
                struct parcels_row *rows = realloc(p->rows, n * sizeof(*rows));
                if (!rows)
                        return -ENOMEM;
                p->rows = rows;
                p->allocated = n;
        }
        memmove(&p->rows[at + 1], &p->rows[at], (p->n - at) * sizeof(*p->rows));
        p->rows[at] = (struct parcels_row){.job = job, .of = {.run = run, .parcel = parcel}};
        p->n++;
        p->size += parcel->size;
        return 0;
}

int parcels_pass(struct parcels *p, uint32_t job, uint64_t from, uint64_t to) {
        struct parcel *parcel = p->n > 0 ? parcels_find(p, job, from) : NULL;
        if (!parcel || parcels_find(p, job, to))
                return 0;
        int r = parcels_add(p, job, to, parcel_use(parcel));
        if (r < 0)
                parcel_drop(parcel);
        return r;
}

int parcels_list(const struct parcels *p, uint32_t job, struct parcel_of **ret, uint32_t *ret_n) {
        size_t at = place_of(p, job, 0), n = 0;
        while (n < PARCELS_OF_JOB_MAX && at + n < p->n && p->rows[at + n].job == job)
                n++;
        struct parcel_of *list = n > 0 ? malloc(n * sizeof(*list)) : NULL;
        if (n > 0 && !list)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                list[i] = (struct parcel_of){p->rows[at + i].of.run, parcel_use(p->rows[at + i].of.parcel)};
        *ret = list;
        *ret_n = (uint32_t)n;
        return 0;
}

void parcels_mark(struct parcels *p, uint32_t job) {
        size_t at = place_of(p, job, 0);
        if (at < p->n && p->rows[at].job == job)
                p->rows[at].is_stale = p->is_stale = true;
}

uint32_t parcels_next_stale(struct parcels *p, uint32_t after) {
        for (size_t at = after == INDEX_NONE ? 0 : place_of(p, after, UINT64_MAX); at < p->n; at++)
                if (p->rows[at].is_stale) {
                        p->rows[at].is_stale = false;
                        return p->rows[at].job;
                }
        p->is_stale = false;
        return INDEX_NONE;
}

static bool is_never_needed(const void *userdata, uint64_t run) {
        (void)userdata;
        (void)run;
        return false;
}

void parcels_forget(struct parcels *p, uint32_t job) {
        if (p->n > 0)
                parcels_keep(p, job, is_never_needed, NULL);
}

void parcels_keep(struct parcels *p, uint32_t job, bool (*is_needed)(const void *userdata, uint64_t run),
                  const void *userdata) {
        size_t first = place_of(p, job, 0), at = first, to = first;
        for (; at < p->n && p->rows[at].job == job; at++) {
                if (is_needed(userdata, p->rows[at].of.run)) {
                        p->rows[to++] = p->rows[at];
                        continue;
                }
                p->size -= p->rows[at].of.parcel->size;
                parcel_drop(p->rows[at].of.parcel);
        }
        if (to == at)
                return;
        memmove(&p->rows[to], &p->rows[at], (p->n - at) * sizeof(*p->rows));
        p->n -= at - to;
        if (p->n == 0)
                parcels_done(p);
}
