// SPDX-License-Identifier: MIT
// axis: the round times of a period that are written beside it, in local time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AXIS_TICKS_MAX 64
#define AXIS_LABEL     16 /* bytes */

struct axis_tick {
        int64_t us;
        char label[AXIS_LABEL]; /* "21:00", at midnight "Sun 22"; "Nov 22"; "2027" */
};

/* The ticks of a period in order, at most max (1 to AXIS_TICKS_MAX). Equal times of the wall clock lie between them, but for the hours
 * that a change of the clock leaves out or repeats. Returns how many. */
size_t axis_ticks(int64_t from_us, int64_t to_us, size_t max, struct axis_tick ret[static AXIS_TICKS_MAX]);
