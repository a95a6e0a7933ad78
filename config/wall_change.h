// SPDX-License-Identifier: MIT
// wall_change: what the next gap or fold of a zone does to a pattern, and what one did to a slot: for those who want to be told.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/wall.h"

#define WALL_TIMES_MAX 10000 /* of a gap or fold that are counted */

enum wall_note {
        WALL_NOTE_NONE,
        WALL_NOTE_AFTER_GAP,   /* its time is not shown: it runs as the gap ends */
        WALL_NOTE_FOLD_FIRST,  /* its time is shown twice, this is the first */
        WALL_NOTE_FOLD_SECOND, /* the second */
};

/* A change of the clock that skips or repeats times of a pattern. */
struct wall_change {
        int64_t at_us; /* the instant */
        int64_t from_civil_us,
                to_civil_us; /* what the clock would show then, and what it shows: forward is a gap, back a fold */
        int64_t first_civil_us, last_civil_us; /* of the pattern's times in it */
        size_t n;                              /* how many, at most WALL_TIMES_MAX; 1 or more */
};

/* What a change of the clock did to a slot that wall_next_of_pattern() gave. */
enum wall_note wall_note_of_pattern(const struct wall *w, const struct pattern *p, int64_t slot_us);
/* The first change after an instant that skips or repeats times of the pattern, looked for up to PATTERN_YEAR_LAST. A pattern that runs in
 * every hour and is not fixed is met by none: it follows real time. Returns whether there is one. */
bool wall_find_change(const struct wall *w, const struct pattern *p, int64_t after_us, struct wall_change *ret);
