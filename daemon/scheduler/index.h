// SPDX-License-Identifier: MIT
// index: a hash index of 32-bit numbers (rows of a table the caller keeps): 4 bytes a bucket, linear probing.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE UINT32_MAX

/* Zero-initialise. */
struct index {
        uint32_t *bucket; /* row + 1; 0: empty */
        size_t n, n_buckets;
};

/* The hash of a number, for rows that are found by one. */
static inline uint64_t index_hash_number(uint64_t n) {
        return n * UINT64_C(0x9E3779B97F4A7C15);
}

/* The hash of a row that is in the index. */
typedef uint64_t (*index_hash_fn)(const void *table, uint32_t row);
/* True if the row is the one looked for. */
typedef bool (*index_equal_fn)(const void *table, uint32_t row, const void *wanted);

void index_done(struct index *x);
/* The row for which equal holds among those of that hash, or INDEX_NONE. */
uint32_t index_find(const struct index *x, uint64_t hash, index_equal_fn equal, const void *table, const void *wanted);
/* Adds a row that is not in it. 0, -ENOMEM. */
int index_add(struct index *x, uint64_t hash, uint32_t row, index_hash_fn hash_of, const void *table);
/* Removes a row; nothing happens if it is not in it. */
void index_remove(struct index *x, uint64_t hash, uint32_t row, index_hash_fn hash_of, const void *table);
