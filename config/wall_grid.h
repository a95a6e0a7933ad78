// SPDX-License-Identifier: MIT
// wall_grid: instants at even distances, counted in UTC or on the civil clock of a zone: "every 2 weeks from 2026-01-05 09:00".
// Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/wall.h"

struct wall_grid {
        int64_t every_us;  /* 0: there is none */
        int64_t anchor_us; /* one of its instants; of a civil one, one of its civil times */
        bool is_civil; /* counted on the clock of the wall's zone, which shows its times; gap and fold are for distances of a day or
                            * more, shorter ones follow real time (see wall_source) */
};

/* The first instant of a grid after after_us (microseconds since 1970, UTC), or PATTERN_NEVER. */
int64_t wall_grid_next(const struct wall_grid *g, const struct wall *w, int64_t after_us);
/* The last instant of one that is not civil, at or before at_us. */
int64_t wall_grid_last(const struct wall_grid *g, int64_t at_us);
/* How many instants, as many as can be told without a look at each, follow at exactly its distance upon first_us, which is one, up to
 * until_us. */
int64_t wall_grid_count(const struct wall_grid *g, const struct wall *w, int64_t first_us, int64_t until_us);
