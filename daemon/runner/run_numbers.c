// SPDX-License-Identifier: MIT
// run_numbers: a sorted row of ranges below the next number. A well-behaved scheduler skips one number for each job that has a run
// in flight and a trigger behind it; what it skips for good is forgotten from below.

#include "daemon/runner/run_numbers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MAX (UINT64_C(1) << 32)
#define LAST_MAX (UINT64_C(1) << 62)

/* Takes the ranges from `at` to before `to` out. */
static void cut(struct run_numbers *n, size_t at, size_t to) {
        memmove(&n->skipped[at], &n->skipped[to], (n->n_skipped - to) * sizeof(n->skipped[0]));
        n->n_skipped -= to - at;
}

/* Room for one range more; without memory the oldest half is forgotten, as over the bound. False where there is none at all. */
static bool make_room(struct run_numbers *n) {
        if (n->n_skipped < n->allocated_skipped)
                return true;
        size_t allocated = n->allocated_skipped ? 2 * n->allocated_skipped : 16;
        struct run_number_range *p = NULL;
        if (allocated <= RUN_NUMBERS_RANGES_MAX)
                p = reallocarray(n->skipped, allocated, sizeof(*p));
        if (p) {
                n->skipped = p;
                n->allocated_skipped = allocated;
        } else
                cut(n, 0, n->n_skipped / 2);
        return n->n_skipped < n->allocated_skipped;
}

static void skip(struct run_numbers *n, uint64_t first, uint64_t last) {
        if (first <= last && make_room(n))
                n->skipped[n->n_skipped++] = (struct run_number_range){first, last};
}

/* The range that holds a number, or n_skipped. */
static size_t find(const struct run_numbers *n, uint64_t number) {
        size_t low = 0, high = n->n_skipped;
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (n->skipped[middle].last < number)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < n->n_skipped && n->skipped[low].first <= number ? low : n->n_skipped;
}

/* Takes a number out of the range it is in. */
static void use_skipped(struct run_numbers *n, size_t at, uint64_t number) {
        struct run_number_range *range = &n->skipped[at];
        if (range->first == range->last)
                cut(n, at, at + 1);
        else if (number == range->first)
                range->first++;
        else if (number == range->last)
                range->last--;
        else {
                uint64_t last = range->last;
                range->last = number - 1;
                if (!make_room(n))
                        return;
                at = find(n, number - 1); /* the oldest may have gone */
                at = at < n->n_skipped ? at + 1 : 0;
                memmove(&n->skipped[at + 1], &n->skipped[at], (n->n_skipped - at) * sizeof(n->skipped[0]));
                n->skipped[at] = (struct run_number_range){number + 1, last};
                n->n_skipped++;
        }
}

int run_numbers_use(struct run_numbers *n, uint64_t number) {
        if (number >= n->next) {
                if (number - n->next > STEP_MAX || number > LAST_MAX)
                        return -EPROTO;
                if (number > n->next)
                        skip(n, n->next, number - 1);
                n->next = number + 1;
                return 0;
        }
        size_t at = find(n, number);
        if (at == n->n_skipped)
                return -EPROTO;
        use_skipped(n, at, number);
        return 0;
}

void run_numbers_forget_skipped(struct run_numbers *n) {
        n->n_skipped = 0;
}

void run_numbers_done(struct run_numbers *n) {
        free(n->skipped);
        n->skipped = NULL;
        n->n_skipped = n->allocated_skipped = 0;
}
