// SPDX-License-Identifier: MIT
// trial_host: one tick of a plugin or coprocess in the terminal: what a scheduler says to a host, for one run.
#pragma once

#include "config/job.h"
#include "daemon/core/run.h"
#include "daemon/core/wire.h"
#include "daemon/runner/trial.h"

struct runner;
struct run;
struct trial_host;

/* Has the host that run has begun load the job and do a tick of it; what it yields goes to standard output, and then it is to leave. `what` is
 * borrowed for the call. 0 or a negative error. */
int trial_host_new(struct runner *runner, struct run *run, const struct trial_order *order, const struct job_what *what,
                   struct trial_host **ret);
struct trial_host *trial_host_free(struct trial_host *host);
/* Once the host has ended as *end says: how the tick has, and what it says of a failure, borrowed; NULL: nothing. */
const char *trial_host_judge(const struct trial_host *host, struct run_end *end);
