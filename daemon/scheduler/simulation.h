// SPDX-License-Identifier: MIT
// simulation: an engine on a clock of its own: what its jobs would do up to an instant, were each run to take so long. Step by step, so
// that others have their turns. Nothing is run, asked or written. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/scheduler/engine.h"

/* What the ledger would get: a run that is over (or in flight at the end), or slots that did not run. */
struct simulation_row {
        const char *job;      /* borrowed for the call */
        uint64_t run;         /* of a run; else into which run a slot was merged, 0: none */
        enum run_cause cause; /* of a run, as the rest up to result */
        uint16_t attempt;
        int64_t slot_us, start_us, end_us, lag_us; /* slot_us 0: it has none; end_us -1: it is in flight */
        enum run_result result;
        enum slot_outcome outcome; /* SLOT_RAN: this is a run; else of slots, as the rest */
        enum slot_reason reason;
        int64_t first_us, last_us;
        uint64_t n;
};

/* Takes the rows in the order in which they come to be. 0, or a negative error that ends the simulation. */
typedef int (*simulation_row_fn)(void *userdata, const struct simulation_row *row);

struct simulation;

/* Begins at an instant with an engine, which is taken, also on failure; what it has still to say is heard first. 0, -ENOMEM. */
int simulation_new(struct engine *engine, struct clock_sample now, int64_t to_rt_us, simulation_row_fn row, void *userdata,
                   struct simulation **ret);
struct simulation *simulation_free(struct simulation *s);
/* For each job before the first step: how long its runs take (0 or more), and after how long Timeout= ends them (INT64_MAX: never).
 * What is in flight ends so long after its start, at once where that is over. 0, -ENOMEM. */
int simulation_add(struct simulation *s, uint32_t job, int64_t took_us, int64_t limit_us);
/* Does some of what is due, or else goes on to the next instant at which something is. 1; 0: the period is over, and what is in flight was told; what row()
 * returned; -ENOMEM. To be called again only after 1. */
int simulation_step(struct simulation *s);
