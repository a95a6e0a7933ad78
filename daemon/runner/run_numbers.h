// SPDX-License-Identifier: MIT
// run_numbers: which run numbers may still be used. Each is used once, so a replayed START never starts anything.
// They grow, but a number that was promised to a waiting trigger comes after later ones: what is skipped may be used still.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RUN_NUMBERS_RANGES_MAX 16384 /* ranges of skipped numbers that are remembered; the oldest goes first */

struct run_number_range {
        uint64_t first, last;
};

struct run_numbers {
        uint64_t next;                    /* this one and all above were never used; 1 at first */
        struct run_number_range *skipped; /* below it and not used yet: sorted, apart */
        size_t n_skipped, allocated_skipped;
};

/* Uses a number up. 0; -EPROTO: it was used, is forgotten, or is so high that a hostile scheduler could use all up for the ones
 * after it. */
int run_numbers_use(struct run_numbers *n, uint64_t number);
/* What was skipped so far is used up. */
void run_numbers_forget_skipped(struct run_numbers *n);
void run_numbers_done(struct run_numbers *n);
