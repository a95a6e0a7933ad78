// SPDX-License-Identifier: MIT
// wall_change: what the next gap or fold of a zone does to a pattern, and what one did to a slot.

#include "config/wall_change.h"

#include "config/civil.h"

#define USEC_PER_SEC INT64_C(1000000)
#define ALL_HOURS    UINT32_C(0xffffff)

static int64_t offset_us(const struct wall *w, int64_t utc_s) {
        return zone_offset(w->zone, utc_s, NULL, NULL) * USEC_PER_SEC;
}

/* The change at an instant of which it is known that there is one; false: it meets no time of the pattern. */
static bool meet(const struct wall *w, const struct pattern *p, int64_t utc_s, struct wall_change *ret) {
        struct wall_change c = {.at_us = utc_s * USEC_PER_SEC};

        c.from_civil_us = c.at_us + offset_us(w, utc_s - 1);
        c.to_civil_us = c.at_us + offset_us(w, utc_s);
        int64_t begin_us = c.from_civil_us, end_us = c.to_civil_us;
        if (end_us < begin_us) {
                begin_us = c.to_civil_us;
                end_us = c.from_civil_us;
        }
        c.first_civil_us = pattern_next_civil(p, begin_us);
        for (int64_t us = c.first_civil_us; us < end_us && c.n < WALL_TIMES_MAX; us = pattern_next_civil(p, us + 1)) {
                c.last_civil_us = us;
                c.n++;
        }
        if (c.n > 0)
                *ret = c;
        return c.n > 0;
}

enum wall_note wall_note_of_pattern(const struct wall *w, const struct pattern *p, int64_t slot_us) {
        struct wall_change change;
        int64_t utc_s = slot_us / USEC_PER_SEC;

        if (!w->zone)
                return WALL_NOTE_NONE;
        if (p->is_fixed && w->gap == WALL_GAP_RUN_AFTER && slot_us % USEC_PER_SEC == 0 &&
            zone_next_change(w->zone, utc_s - 1) == utc_s && meet(w, p, utc_s, &change) &&
            change.from_civil_us < change.to_civil_us)
                return WALL_NOTE_AFTER_GAP;
        struct zone_instants shown = zone_resolve(w->zone, utc_s + offset_us(w, utc_s) / USEC_PER_SEC);
        if (shown.n < 2)
                return WALL_NOTE_NONE;
        return shown.utc_s[0] == utc_s ? WALL_NOTE_FOLD_FIRST : WALL_NOTE_FOLD_SECOND;
}

bool wall_find_change(const struct wall *w, const struct pattern *p, int64_t after_us, struct wall_change *ret) {
        int64_t end_s = civil_days(PATTERN_YEAR_LAST + 1, 1, 1) * CIVIL_DAY_S, utc_s = after_us / USEC_PER_SEC;

        if (!w->zone || (!p->is_fixed && p->hours == ALL_HOURS))
                return false;
        for (utc_s = zone_next_change(w->zone, utc_s); utc_s < end_s; utc_s = zone_next_change(w->zone, utc_s))
                if (meet(w, p, utc_s, ret))
                        return true;
        return false;
}
