// SPDX-License-Identifier: MIT
// limits: resource limits of a job's processes: the keys, their values, and what is in force where nothing is said.
// Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LIMITS_MAX     16 /* limits that the kernel has */
#define LIMIT_INFINITY UINT64_MAX

struct limit {
        uint64_t soft, hard;
};

/* Limits by their RLIMIT_ number. */
struct limits {
        uint32_t set; /* bit N: of[N] is set */
        struct limit of[LIMITS_MAX];
};

enum limit_unit {
        LIMIT_SECONDS,
        LIMIT_MICROSECONDS,
        LIMIT_BYTES,
        LIMIT_NUMBER,
        LIMIT_NICE, /* 20 less the lowest nice level */
};

/* One of the keys Limit*=. */
struct limit_row {
        const char *key;
        unsigned resource; /* its RLIMIT_ number */
        enum limit_unit unit;
        uint64_t soft; /* of jobs that say nothing, at most the hard limit */
};

/* The rows, in the manual's order; static. */
const struct limit_row *limit_rows(size_t *ret_n);
/* The row of a key, or NULL. */
const struct limit_row *limit_find(const char *key);
/* Reads "VALUE" or "SOFT:HARD" as systemd.exec(5) has it. 0; -EINVAL with what would be right in *ret_why (static) and where the value is
 * wrong in *ret_at. */
int limit_parse(const struct limit_row *row, const char *text, struct limit *ret, const char **ret_why, size_t *ret_at);
