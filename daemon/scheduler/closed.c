// SPDX-License-Identifier: MIT
// closed: slots on days that Only= and Except= leave out. They are slots like others, but they never run: whatever else happens to them,
// they are withheld. So they pass through the same hands as others, and are told apart where an outcome is told, in stretches.

#include "daemon/scheduler/engine_internal.h"

#define STRETCHES_MAX 4000 /* that are looked at for an open day in one go: some years of weekends */

static int64_t to_rt(const struct engine *e, const struct job_when *when, int64_t slot_us) {
        return plan_is_wall(when) ? slot_us : slot_us + e->offset_us;
}

bool closed_is_at_rt(const struct job_when *when, int64_t rt_us) {
        int64_t until_us;
        return when->days && !days_is_open(when->days, rt_us, &until_us);
}

bool closed_is_at(const struct engine *e, const struct job_when *when, int64_t slot_us) {
        return when->days && slot_us != PATTERN_NEVER && closed_is_at_rt(when, to_rt(e, when, slot_us));
}

struct closed_stretch closed_stretch(const struct engine *e, const struct job_when *when, struct plan_grid *grid, int64_t key,
                                     int64_t last) {
        int64_t until_rt_us;
        plan_seek(grid, key);
        struct closed_stretch stretch = {.first = key, .last = last, .first_us = plan_nominal(grid, key)};
        if (stretch.first_us == PATTERN_NEVER)
                return stretch;
        stretch.is_closed = !days_is_open(when->days, to_rt(e, when, stretch.first_us), &until_rt_us);
        int64_t until_us = until_rt_us < DAYS_NEVER ? engine_from_rt(e, when, until_rt_us) : INT64_MAX;
        if (last > key && plan_nominal(grid, last) >= until_us) { /* never farther than to `last` */
                int64_t next = plan_first_after(grid, until_us - 1);
                stretch.last = next > key ? next - 1 : key;
        }
        return stretch;
}

int64_t closed_first_open(const struct engine *e, const struct job_when *when, struct plan_grid *grid, int64_t key,
                          int64_t last) {
        while (key <= last) {
                struct closed_stretch stretch = closed_stretch(e, when, grid, key, last);
                if (!stretch.is_closed)
                        return key;
                key = stretch.last + 1;
        }
        return key;
}

int64_t closed_open_after(const struct engine *e, const struct job_when *when, const struct plan_grid *grid, int64_t slot_us) {
        int64_t until_us;
        for (int i = 0; i < STRETCHES_MAX && slot_us <= grid->until_us && slot_us < PATTERN_NEVER; i++) {
                if (!when->days || days_is_open(when->days, to_rt(e, when, slot_us), &until_us))
                        return slot_us;
                if (until_us == DAYS_NEVER)
                        return INT64_MAX;
                slot_us = plan_instant_after(grid, engine_from_rt(e, when, until_us) - 1);
        }
        return INT64_MAX;
}

int64_t closed_last_open(const struct engine *e, const struct job_row *row, int64_t last) {
        const struct job_when *when = engine_policy(e, row);
        if (!when->days)
                return last;
        struct plan_grid grid = engine_grid(e, row, when);
        int64_t open = row->key - 1;
        for (int64_t key = row->key; key <= last;) {
                struct closed_stretch stretch = closed_stretch(e, when, &grid, key, last);
                if (!stretch.is_closed)
                        open = stretch.last;
                key = stretch.last + 1;
        }
        return open;
}

uint64_t closed_count_open(const struct engine *e, const struct job_row *row, const struct job_range *range) {
        const struct job_when *when = engine_policy(e, row);
        uint64_t n = 0;
        if (!when->days || !plan_is_grid(when))
                return (uint64_t)(range->last - range->first) + 1;
        struct plan_grid grid = closed_grid(e, row, range);
        for (int64_t key = range->first; key <= range->last;) {
                struct closed_stretch stretch = closed_stretch(e, when, &grid, key, range->last);
                if (!stretch.is_closed)
                        n += (uint64_t)(stretch.last - stretch.first) + 1;
                key = stretch.last + 1;
        }
        return n;
}

struct plan_grid closed_grid(const struct engine *e, const struct job_row *row, const struct job_range *range) {
        struct plan_grid grid = engine_grid(e, row, engine_policy(e, row));
        grid.at = (struct agenda_slot){.key = range->first, .us = range->first_us};
        return grid;
}

int64_t closed_opens_at(const struct engine *e, const struct job_when *when, int64_t slot_us) {
        int64_t rt_us = to_rt(e, when, slot_us), until_us;
        for (int i = 0; i < STRETCHES_MAX; i++) {
                if (!when->days || days_is_open(when->days, rt_us, &until_us))
                        return engine_from_rt(e, when, rt_us);
                if (until_us == DAYS_NEVER)
                        return INT64_MAX;
                rt_us = until_us;
        }
        return INT64_MAX;
}
