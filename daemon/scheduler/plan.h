// SPDX-License-Identifier: MIT
// plan: the arithmetic of slots: grids counted by division, delays with jitter, drawn start delays.
// Pure functions of numbers; instants are on the clock of the grid.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/job.h"

/* A row of slots: key k is due at anchor_us + k * every_us, plus a drawn delay in [0, draw_bound_us]. */
struct plan_grid {
        int64_t anchor_us;
        int64_t every_us;
        int64_t draw_bound_us; /* below every_us */
        const uint8_t *seed;   /* 16 bytes, keys the draw; borrowed */
        uint64_t stream;       /* tells jobs and segments apart in the draw */
};

/* True for fixed-rate jobs. */
static inline bool plan_is_grid(const struct job_when *when) {
        return when->every_us > 0 && when->mode == JOB_MODE_FIXED_RATE;
}
/* True for jobs whose slots lie on CLOCK_REALTIME. */
static inline bool plan_is_wall(const struct job_when *when) {
        return plan_is_grid(when) && when->align == JOB_ALIGN_WALL;
}
/* True for policies whose slots could run again after a power cut: they start only when that is claimed durably. */
static inline bool plan_is_claimed(const struct job_when *when) {
        return when->durability == JOB_DURABILITY_AUTO ? when->catch_up != JOB_CATCH_UP_NONE
                                                       : when->durability == JOB_DURABILITY_FULL;
}
/* True if a and b plan the same slots: a reload from one to the other leaves the plan alone. */
bool plan_is_same(const struct job_when *a, const struct job_when *b);
/* The largest drawn delay of a grid: RandomizedDelay=, kept below Every=. */
int64_t plan_draw_bound(const struct job_when *when);

/* The nominal instant of a key. */
int64_t plan_nominal(const struct plan_grid *g, int64_t key);
/* The instant at which it should start: nominal and drawn delay (a keyed hash: the same each time it is asked). */
int64_t plan_due(const struct plan_grid *g, int64_t key);
/* The last key that is due at an instant (INT64_MIN for none is never returned: keys go back below the anchor). By division. */
int64_t plan_last_due(const struct plan_grid *g, int64_t at_us);
/* The first key whose nominal instant is after an instant. By division. */
int64_t plan_first_after(const struct plan_grid *g, int64_t at_us);

/* How much later catching up begins, in [0, CatchUpSpread=], drawn for a slot; not what RandomizedDelay= draws for it. */
int64_t plan_spread(const struct job_when *when, const uint8_t seed[static 16], uint64_t stream, int64_t key);
/* A fixed delay's wait: every_us times (1 +- jitter), uniform, drawn from seed, stream and key. */
int64_t plan_wait(const struct job_when *when, const uint8_t seed[static 16], uint64_t stream, int64_t key);
