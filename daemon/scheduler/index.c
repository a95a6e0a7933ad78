// SPDX-License-Identifier: MIT
// index: rows are removed by shifting their followers back (Knuth 6.4 R), so there are no tombstones to collect.

#include "daemon/scheduler/index.h"

#include <errno.h>
#include <stdlib.h>

/* By the high bits, which a multiplication brings down without a division (Lemire, "Fast random integer generation in an interval"). */
static size_t home_of(const struct index *x, uint64_t hash) {
        return (size_t)(((unsigned __int128)hash * x->n_buckets) >> 64);
}

static size_t next_of(const struct index *x, size_t i) {
        return i + 1 < x->n_buckets ? i + 1 : 0;
}

void index_done(struct index *x) {
        free(x->bucket);
        *x = (struct index){0};
}

uint32_t index_find(const struct index *x, uint64_t hash, index_equal_fn equal, const void *table, const void *wanted) {
        if (x->n_buckets == 0)
                return INDEX_NONE;
        for (size_t i = home_of(x, hash); x->bucket[i]; i = next_of(x, i))
                if (equal(table, x->bucket[i] - 1, wanted))
                        return x->bucket[i] - 1;
        return INDEX_NONE;
}

static void insert(struct index *x, uint64_t hash, uint32_t row) {
        size_t i = home_of(x, hash);
        while (x->bucket[i])
                i = next_of(x, i);
        x->bucket[i] = row + 1;
}

static int grow(struct index *x, index_hash_fn hash_of, const void *table) {
        struct index bigger = {.n = x->n, .n_buckets = x->n_buckets + x->n_buckets / 2 + 64};
        bigger.bucket = calloc(bigger.n_buckets, sizeof(*bigger.bucket));
        if (!bigger.bucket)
                return -ENOMEM;
        for (size_t i = 0; i < x->n_buckets; i++)
                if (x->bucket[i])
                        insert(&bigger, hash_of(table, x->bucket[i] - 1), x->bucket[i] - 1);
        free(x->bucket);
        *x = bigger;
        return 0;
}

int index_add(struct index *x, uint64_t hash, uint32_t row, index_hash_fn hash_of, const void *table) {
        /* at most 4/5 full */
        if ((x->n + 1) * 5 > x->n_buckets * 4) {
                int r = grow(x, hash_of, table);
                if (r < 0)
                        return r;
        }
        insert(x, hash, row);
        x->n++;
        return 0;
}

/* True if home lies cyclically in (hole, at]: the row at `at` may not move before its home bucket. */
static bool is_reachable(size_t hole, size_t home, size_t at) {
        return hole < at ? hole < home && home <= at : hole < home || home <= at;
}

void index_remove(struct index *x, uint64_t hash, uint32_t row, index_hash_fn hash_of, const void *table) {
        if (x->n_buckets == 0)
                return;
        size_t hole = home_of(x, hash);
        while (x->bucket[hole] != row + 1) {
                if (!x->bucket[hole])
                        return;
                hole = next_of(x, hole);
        }
        for (size_t at = next_of(x, hole); x->bucket[at]; at = next_of(x, at)) {
                size_t home = home_of(x, hash_of(table, x->bucket[at] - 1));
                if (is_reachable(hole, home, at))
                        continue;
                x->bucket[hole] = x->bucket[at];
                hole = at;
        }
        x->bucket[hole] = 0;
        x->n--;
}
