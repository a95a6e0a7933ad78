// SPDX-License-Identifier: MIT
// amount: how much of something a job may have: a number, a share of what the machine has, or no limit.
// Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define AMOUNT_SHARE_ONE 10000 /* parts of 100 % */

struct amount {
        uint64_t n;    /* 0: no limit */
        bool is_share; /* n of AMOUNT_SHARE_ONE */
};

/* Reads "50%" or "12.5%" into parts of AMOUNT_SHARE_ONE, above 0 and at most max. 0, -EINVAL, -ERANGE. */
int amount_parse_share(const char *text, uint64_t max, uint64_t *ret);
/* Reads a number (with is_size one of bytes: "512M"), a share of at most 100 %, or "infinity". 0; -EINVAL: it is none of these; -ERANGE: it is
 * 0 or too large. */
int amount_parse(const char *text, bool is_size, struct amount *ret);
/* How much that is where the machine has so much: at least 1; 0: no limit. */
uint64_t amount_of(const struct amount *amount, uint64_t whole);
