// SPDX-License-Identifier: MIT
// schedule: a timer queue: a 4-ary heap of (instant, id) with a position per id, 20 bytes an entry.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule_entry {
        int64_t at_us;
        uint32_t id;
};

/* Zero-initialise; ids should be small, dense numbers (the position table grows to the largest). */
struct schedule {
        struct schedule_entry *heap;
        size_t n, allocated;
        uint32_t *position; /* by id: index in heap + 1; 0: not queued */
        size_t n_positions;
};

void schedule_done(struct schedule *s);
/* Makes room for id, so that a later schedule_set() of it can't fail. 0, -ENOMEM. */
int schedule_reserve(struct schedule *s, uint32_t id);
/* Queues id for an instant, or moves it there. Its room was reserved. */
void schedule_set(struct schedule *s, uint32_t id, int64_t at_us);
/* Takes id out; nothing happens if it is not queued. */
void schedule_remove(struct schedule *s, uint32_t id);
bool schedule_has(const struct schedule *s, uint32_t id);
/* The instant of a queued id. */
int64_t schedule_at(const struct schedule *s, uint32_t id);
/* The earliest entry, borrowed until the next change; NULL if empty. */
const struct schedule_entry *schedule_first(const struct schedule *s);
