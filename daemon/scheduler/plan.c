// SPDX-License-Identifier: MIT
// plan: of a grid nothing here steps from slot to slot, so an outage of a year costs what one of a second costs.

#include "daemon/scheduler/plan.h"

#include "config/hash.h"

#define PPM INT64_C(1000000)

bool plan_is_same(const struct job_when *a, const struct job_when *b) {
        return a->agenda == b->agenda && a->every_us == b->every_us && a->mode == b->mode && a->align == b->align &&
               a->align_us == b->align_us && a->not_before_us == b->not_before_us && a->until_us == b->until_us &&
               a->max_runs == b->max_runs && a->days == b->days;
}

/* us * ppm / 10^6 without overflow for us up to DURATION_MAX. */
static int64_t share(int64_t us, int64_t ppm) {
        return us / PPM * ppm + us % PPM * ppm / PPM;
}

int64_t plan_draw_bound(const struct job_when *when) {
        int64_t bound = when->random_delay_us;
        if (when->agenda)
                return when->random_delay_ppm > 0 ? DURATION_MAX : bound;
        if (when->random_delay_ppm > 0)
                bound = share(when->every_us, when->random_delay_ppm);
        if (bound >= when->every_us)
                bound = when->every_us - 1;
        return bound > 0 ? bound : 0;
}

/* A uniform number in [0, bound]: the high half of a product maps the hash without a modulo's bias. */
static int64_t draw(const uint8_t seed[static 16], uint64_t stream, int64_t key, int64_t bound) {
        uint64_t words[2] = {stream, (uint64_t)key};
        uint64_t h = hash_64(seed, words, sizeof(words));
        return (int64_t)(((unsigned __int128)h * (uint64_t)(bound + 1)) >> 64);
}

/* ---- calendars: apart, so that grids don't pay for their frames ---- */

__attribute__((noinline)) static struct agenda_slot find_slot(const struct plan_grid *g, int64_t key, int64_t until_us) {
        struct agenda_slot slot = g->at;
        agenda_advance(g->agenda, &g->grid, &slot, key, until_us);
        return slot;
}

static int64_t draw_of(const struct plan_grid *g, int64_t key, int64_t bound) {
        return draw(g->seed, g->stream, g->is_draw_fixed ? 0 : key, bound);
}

static int64_t slot_due(const struct plan_grid *g, struct agenda_slot slot) {
        if (g->draw_bound_us == 0 || slot.us == PATTERN_NEVER)
                return slot.us;
        int64_t next_us = agenda_next(g->agenda, &g->grid, slot.us), distance_us = next_us - slot.us,
                bound_us = g->draw_bound_us;
        if (g->draw_ppm > 0)
                bound_us = next_us == PATTERN_NEVER ? 0 : share(distance_us, g->draw_ppm);
        return slot.us + draw_of(g, slot.key, bound_us < distance_us ? bound_us : distance_us - 1);
}

__attribute__((noinline)) static int64_t calendar_nominal(const struct plan_grid *g, int64_t key) {
        return find_slot(g, key, INT64_MAX).us;
}

__attribute__((noinline)) static int64_t calendar_due(const struct plan_grid *g, int64_t key) {
        return slot_due(g, find_slot(g, key, INT64_MAX));
}

__attribute__((noinline)) static int64_t calendar_last_due(const struct plan_grid *g, int64_t at_us) {
        int64_t to_us = at_us < g->until_us ? at_us : g->until_us;
        if (to_us < g->at.us)
                return g->at.key - 1;
        struct agenda_slot slot = find_slot(g, INT64_MAX, to_us);
        return slot_due(g, slot) <= at_us ? slot.key : slot.key - 1;
}

__attribute__((noinline)) static int64_t calendar_first_after(const struct plan_grid *g, int64_t at_us) {
        if (at_us < g->at.us)
                return agenda_next(g->agenda, &g->grid, at_us) < g->at.us ? g->at.key - 1 : g->at.key;
        return find_slot(g, INT64_MAX, at_us).key + 1;
}

bool plan_has_slot(const struct job_when *when, int64_t anchor_us, int64_t key, int64_t slot_us) {
        struct wall_grid grid = plan_wall_grid(when, anchor_us);
        struct agenda_slot at = {.us = anchor_us};
        agenda_advance(when->agenda, &grid, &at, key, slot_us);
        return at.key == key && at.us == slot_us && agenda_next(when->agenda, &grid, anchor_us - 1) == anchor_us;
}

void plan_seek(struct plan_grid *g, int64_t key) {
        if (g->agenda && key > g->at.key)
                g->at = find_slot(g, key, INT64_MAX);
}

/* ---- both ---- */

int64_t plan_nominal(const struct plan_grid *g, int64_t key) {
        return g->agenda ? calendar_nominal(g, key) : g->grid.anchor_us + key * g->grid.every_us;
}

__attribute__((noinline)) static int64_t drawn_due(const struct plan_grid *g, int64_t key) {
        return plan_nominal(g, key) + draw_of(g, key, g->draw_bound_us);
}

int64_t plan_due(const struct plan_grid *g, int64_t key) {
        if (g->agenda)
                return calendar_due(g, key);
        return g->draw_bound_us > 0 ? drawn_due(g, key) : g->grid.anchor_us + key * g->grid.every_us;
}

static int64_t floor_div(int64_t a, int64_t b) {
        int64_t q = a / b;
        return a % b < 0 ? q - 1 : q;
}

int64_t plan_last_due(const struct plan_grid *g, int64_t at_us) {
        if (g->agenda)
                return calendar_last_due(g, at_us);
        int64_t key = floor_div((at_us < g->until_us ? at_us : g->until_us) - g->grid.anchor_us, g->grid.every_us);
        /* the draw is below Every=, so only the latest nominal slot can still be waiting for its start */
        return plan_due(g, key) <= at_us ? key : key - 1;
}

int64_t plan_first_after(const struct plan_grid *g, int64_t at_us) {
        if (g->agenda)
                return calendar_first_after(g, at_us);
        return floor_div(at_us - g->grid.anchor_us, g->grid.every_us) + 1;
}

int64_t plan_instant_after(const struct plan_grid *g, int64_t at_us) {
        return g->agenda ? agenda_next(g->agenda, &g->grid, at_us) : plan_nominal(g, plan_first_after(g, at_us));
}

int64_t plan_count_before(const struct plan_grid *g, int64_t key, int64_t us) {
        if (!g->agenda)
                return us / g->grid.every_us + 1;
        int64_t before_us = calendar_nominal(g, key) - us - 1;
        return key - (before_us < g->at.us ? g->at.key - 1 : find_slot(g, key, before_us).key);
}

int64_t plan_wait(const struct job_when *when, const uint8_t seed[static 16], uint64_t stream, int64_t key) {
        int64_t spread = share(when->every_us, when->jitter_ppm);
        if (spread == 0)
                return when->every_us;
        return when->every_us - spread + draw(seed, stream, key, 2 * spread);
}

int64_t plan_spread(const struct job_when *when, const uint8_t seed[static 16], uint64_t stream, int64_t key) {
        return draw(seed, ~stream, key, when->catch_up_spread_us);
}
