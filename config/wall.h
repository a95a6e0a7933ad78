// SPDX-License-Identifier: MIT
// wall: from civil times to instants: what a zone's gaps and folds, with Gap= and Fold=, make of whatever repeats on a wall clock.
// Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/pattern.h"
#include "config/zone.h"

#define WALL_LAST_US (INT64_MAX / 4) /* beyond it nothing is due */

enum wall_gap { WALL_GAP_RUN_AFTER, WALL_GAP_SKIP };
enum wall_fold { WALL_FOLD_FIRST, WALL_FOLD_SECOND, WALL_FOLD_BOTH };

struct wall {
        const struct zone *zone; /* borrowed; NULL: UTC */
        enum wall_gap gap;
        enum wall_fold fold;
};

/* What repeats on the wall clock. */
struct wall_source {
        /* The first civil time at or after from_us that is one of it, in microseconds; PATTERN_NEVER: there is none. */
        int64_t (*next)(const void *userdata, int64_t from_us);
        const void *userdata;
        /* Fixed times: gap and fold of the wall apply. Others follow real time: each instant at which the clock shows such a time,
         * so both passes of a fold, and nothing for a gap. */
        bool is_fixed;
};

/* The first instant after after_us (microseconds since 1970, UTC) at which the source is due, or PATTERN_NEVER.
 * A fixed time in a gap: at the gap's end, all of one gap together (WALL_GAP_RUN_AFTER; not if it is a day or longer), or never.
 * In a fold: the first time, the second, or both. */
int64_t wall_next(const struct wall *w, const struct wall_source *source, int64_t after_us);
/* The same of a pattern. */
int64_t wall_next_of_pattern(const struct wall *w, const struct pattern *p, int64_t after_us);
