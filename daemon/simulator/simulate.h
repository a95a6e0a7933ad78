// SPDX-License-Identifier: MIT
// simulate: the engine on a clock of its own: what real definitions would do in a period, were each run to take so long.
// Nothing is run, asked or written.
#pragma once

#include <stdint.h>

#include "config/config.h"
#include "daemon/scheduler/engine.h"

/* What the ledger would get: a run that is over (or in flight at the end), or slots that did not run. */
struct simulate_row {
        const char *job;                           /* borrowed for the call */
        uint64_t run;                              /* of a run; else into which run a slot was merged, 0: none */
        enum run_cause cause;                      /* of a run, as the rest up to result */
        int64_t slot_us, start_us, end_us, lag_us; /* end_us: -1 while it is in flight */
        enum run_result result;
        enum slot_outcome outcome; /* SLOT_RAN: this is a run; else of slots, as the rest */
        enum slot_reason reason;
        int64_t first_us, last_us;
        uint64_t n;
};

struct simulate_wish {
        int64_t from_us, to_us; /* realtime; from_us <= to_us */
        /* How long a run of the job takes, 0 or more; Timeout= ends it. */
        int64_t (*took)(void *userdata, const char *job);
        /* Takes the rows in the order in which they come to be. Other than 0 ends the simulation. */
        int (*row)(void *userdata, const struct simulate_row *row);
        void *userdata;
};

/* Runs the period. It begins as if the definitions were new, on a machine that has been up for long and stays up, with a clock that is
 * right. Returns 0, what row() returned, or -ENOMEM. */
int simulate(const struct config *config, const struct simulate_wish *wish);
