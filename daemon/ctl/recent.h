// SPDX-License-Identifier: MIT
// recent: the latest slots of a job one by one, out of rows that have many of them.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECENT_MEMBER "latestSlots" /* of a job, where chimectl puts them */
#define RECENT_SLOTS  5             /* that are shown, */
#define RECENT_ROWS                                                                                                            \
        10 /* out of so many rows: newest first in the order in which they became known, which is nearly that of slots */

struct recent_slot {
        int64_t us;
        const char *outcome; /* borrowed */
        int64_t lag_us;
};

/* The latest slots of an array of Missed that has all outcomes, oldest first. Returns how many. */
size_t recent_collect(const json_t *rows, struct recent_slot ret[static RECENT_SLOTS]);
/* How many of these were missed. */
size_t recent_missed(const json_t *rows, size_t *ret_n);
