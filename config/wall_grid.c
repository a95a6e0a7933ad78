// SPDX-License-Identifier: MIT
// wall_grid: what repeats on a clock is its civil times; where no change of the clock is near, both clocks go alike.

#include "config/wall_grid.h"

#include "config/civil.h"

#define USEC_PER_SEC INT64_C(1000000)
#define USEC_PER_DAY (CIVIL_DAY_S * USEC_PER_SEC)
#define MARGIN_US    (3 * USEC_PER_DAY) /* before a change: more than what a fold repeats of it */

static int64_t floor_div(int64_t a, int64_t b) {
        return a / b - (a % b < 0);
}

static bool is_fixed(const struct wall_grid *g) {
        return g->every_us >= USEC_PER_DAY;
}

/* The first point of the bare grid at or after an instant of its clock. */
static int64_t point_at(const struct wall_grid *g, int64_t from_us) {
        return g->anchor_us + (floor_div(from_us - g->anchor_us - 1, g->every_us) + 1) * g->every_us;
}

static int64_t next_civil(const void *userdata, int64_t from_us) {
        return point_at(userdata, from_us);
}

int64_t wall_grid_next(const struct wall_grid *g, const struct wall *w, int64_t after_us) {
        if (g->is_civil)
                return wall_next(w, &(struct wall_source){.next = next_civil, .userdata = g, .is_fixed = is_fixed(g)},
                                 after_us);
        return after_us < WALL_LAST_US ? point_at(g, after_us + 1) : PATTERN_NEVER;
}

int64_t wall_grid_last(const struct wall_grid *g, int64_t at_us) {
        return g->anchor_us + floor_div(at_us - g->anchor_us, g->every_us) * g->every_us;
}

int64_t wall_grid_count(const struct wall_grid *g, const struct wall *w, int64_t first_us, int64_t until_us) {
        int64_t end_us = WALL_LAST_US;

        if (g->is_civil && w->zone) {
                int64_t utc_s = floor_div(first_us, USEC_PER_SEC), change_s = zone_next_change(w->zone, utc_s);
                int64_t civil_us = first_us + zone_offset(w->zone, utc_s, NULL, NULL) * USEC_PER_SEC;
                if ((civil_us - g->anchor_us) % g->every_us != 0) /* it came at the end of a gap */
                        return 0;
                if (change_s < WALL_LAST_US / USEC_PER_SEC)
                        end_us = change_s * USEC_PER_SEC - (is_fixed(g) ? MARGIN_US : 0);
        }
        if (until_us >= end_us)
                until_us = end_us - 1;
        return until_us > first_us ? (until_us - first_us) / g->every_us : 0;
}
