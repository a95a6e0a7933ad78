// SPDX-License-Identifier: MIT
// plan: the arithmetic of slots: grids counted by division, calendars by walking, delays with jitter, drawn start delays.
// Pure functions of numbers; instants are on the clock of the grid.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/job.h"

/* A row of slots: key k is due at the grid's anchor_us + k * every_us, plus a drawn delay in [0, draw_bound_us]. Those of a calendar are
 * counted from where its plan stands: of earlier keys nothing is known but that they are earlier. */
struct plan_grid {
        struct wall_grid grid;       /* beside a calendar: see plan_wall_grid() */
        const struct agenda *agenda; /* a calendar's, borrowed; NULL: a grid, the next is not looked at */
        struct agenda_slot at;       /* where it stands */
        int64_t draw_bound_us;       /* below every_us; of a calendar kept below the next slot */
        uint32_t draw_ppm;           /* of a calendar, the bound as a share of that distance; 0: draw_bound_us */
        const uint8_t *seed;         /* 16 bytes, keys the draw; borrowed */
        uint64_t stream;             /* tells jobs and segments apart in the draw */
        int64_t until_us;            /* no slot is later; INT64_MAX: any may be */
        bool is_draw_fixed;          /* the draw is the same for each key */
};

/* True for jobs that have slots of their own, but for those of boots. */
static inline bool plan_exists(const struct job_when *when) {
        return when->every_us > 0 || when->agenda;
}
/* True for fixed-rate jobs and calendars: their slots do not depend on runs. */
static inline bool plan_is_grid(const struct job_when *when) {
        return (when->every_us > 0 && when->mode == JOB_MODE_FIXED_RATE) || when->agenda;
}
/* True for the others. */
static inline bool plan_is_delay(const struct job_when *when) {
        return when->every_us > 0 && when->mode == JOB_MODE_FIXED_DELAY && !when->agenda;
}
/* True where a fixed delay stands beside calendars. */
static inline bool plan_has_delay(const struct job_when *when) {
        return when->agenda && when->every_us > 0 && when->mode == JOB_MODE_FIXED_DELAY;
}
/* True for jobs whose slots lie on CLOCK_REALTIME. */
static inline bool plan_is_wall(const struct job_when *when) {
        return when->agenda || (plan_is_grid(when) && when->align == JOB_ALIGN_WALL);
}
/* True for policies whose slots could run again after a power cut: they start only when that is claimed durably. */
static inline bool plan_is_claimed(const struct job_when *when) {
        return when->durability == JOB_DURABILITY_AUTO ? when->catch_up != JOB_CATCH_UP_NONE
                                                       : when->durability == JOB_DURABILITY_FULL;
}
/* True for policies that may come to an end; most don't, and need not be asked more. */
static inline bool plan_may_end(const struct job_when *when) {
        return when->agenda || when->until_us < INT64_MAX || when->max_runs > 0;
}
/* True if a and b plan the same slots: a reload from one to the other leaves the plan alone. */
bool plan_is_same(const struct job_when *a, const struct job_when *b);
/* The largest drawn delay of a grid: RandomizedDelay=, kept below Every=; of a calendar not more than the span, and
 * unknown where it is a share of distances (DURATION_MAX). */
int64_t plan_draw_bound(const struct job_when *when);

/* True for a grid beside a calendar that lies where the plan began: key 0, at the plan's anchor, is one of its instants. */
static inline bool plan_has_phase(const struct job_when *when) {
        return when->agenda && when->every_us > 0 && when->mode == JOB_MODE_FIXED_RATE && when->align == JOB_ALIGN_START;
}
/* The interval's grid in a plan with an anchor; every_us 0: there is none. */
static inline struct wall_grid plan_wall_grid(const struct job_when *when, int64_t anchor_us) {
        return (struct wall_grid){
                .every_us = when->agenda && when->mode != JOB_MODE_FIXED_RATE ? 0 : when->every_us,
                .anchor_us = when->agenda && when->align != JOB_ALIGN_START ? when->align_us : anchor_us,
                .is_civil = when->align == JOB_ALIGN_CIVIL,
        };
}
/* The first slot of a calendar after an instant, in a plan with an anchor; PATTERN_NEVER: there is none. */
static inline int64_t plan_next(const struct job_when *when, int64_t anchor_us, int64_t after_us) {
        struct wall_grid grid = plan_wall_grid(when, anchor_us);
        return agenda_next(when->agenda, &grid, after_us);
}
/* The nominal instant of the slot behind one at an instant; PATTERN_NEVER: there is none. */
static inline int64_t plan_follow(const struct job_when *when, int64_t anchor_us, int64_t nominal_us) {
        return when->agenda ? plan_next(when, anchor_us, nominal_us) : nominal_us + when->every_us;
}

/* The nominal instant of a key; of a calendar PATTERN_NEVER behind its last slot, and not of a key before the one it stands at. */
int64_t plan_nominal(const struct plan_grid *g, int64_t key);
/* The instant at which it should start: nominal and drawn delay (a keyed hash: the same each time it is asked). */
int64_t plan_due(const struct plan_grid *g, int64_t key);
/* The last key that is due at an instant, of those that are not after until_us (INT64_MIN for none is never returned: keys go back below the anchor; of a calendar all
 * that are earlier than where it stands are told as the one before that). */
int64_t plan_last_due(const struct plan_grid *g, int64_t at_us);
/* The first key whose nominal instant is after an instant; of a calendar as above. */
int64_t plan_first_after(const struct plan_grid *g, int64_t at_us);
/* The first nominal instant after an instant, whatever its key; PATTERN_NEVER: there is none. */
int64_t plan_instant_after(const struct plan_grid *g, int64_t at_us);
/* How many slots there are from us before a key's nominal instant to the key. */
int64_t plan_count_before(const struct plan_grid *g, int64_t key, int64_t us);
/* Whether a calendar whose key 0 is at an anchor has a key at an instant. */
bool plan_has_slot(const struct job_when *when, int64_t anchor_us, int64_t key, int64_t slot_us);
/* Lets a calendar stand at a later key, so that what is asked from there on costs no walk. */
void plan_seek(struct plan_grid *g, int64_t key);

/* How much later catching up begins, in [0, CatchUpSpread=], drawn for a slot; not what RandomizedDelay= draws for it. */
int64_t plan_spread(const struct job_when *when, const uint8_t seed[static 16], uint64_t stream, int64_t key);
/* A fixed delay's wait: every_us times (1 +- jitter), uniform, drawn from seed, stream and key. */
int64_t plan_wait(const struct job_when *when, const uint8_t seed[static 16], uint64_t stream, int64_t key);
