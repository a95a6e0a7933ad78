// SPDX-License-Identifier: MIT
// simulate: what the jobs of files would do in a period, were all of them new.
#pragma once

#include "config/config.h"
#include "daemon/scheduler/simulation.h"

struct simulate_wish {
        int64_t from_us, to_us; /* realtime; from_us <= to_us */
        /* How long a run of the job takes, 0 or more; Timeout= ends it. */
        int64_t (*took)(void *userdata, const char *job);
        simulation_row_fn row;
        void *userdata;
};

/* Runs the period. It begins as if the definitions were new, on a machine that has been up for long and stays up, with a clock that is
 * right. Returns 0, what row() returned, or -ENOMEM. */
int simulate(const struct config *config, const struct simulate_wish *wish);
