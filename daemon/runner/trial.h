// SPDX-License-Identifier: MIT
// trial: one job in the terminal, without a scheduler: what chimectl try and env do. Reader, definitions, variables, conditions, launch,
// time limit and the end of the process tree are those of a scheduled run.
#pragma once

#include "config/job.h"
#include "daemon/runner/runner.h"

/* Exit statuses beside those that the job gives. */
enum trial_exit {
        TRIAL_EXIT_FAILED = 1,
        TRIAL_EXIT_NO_SUCH_JOB = 4,
        TRIAL_EXIT_TIMEOUT = 124,
        TRIAL_EXIT_NOT_RUN = 125,
};

enum trial_kind {
        TRIAL_NONE,
        TRIAL_RUN,
        TRIAL_SHOW, /* what the run would get, to standard output: "KEY=VALUE" with a NUL behind, see trial_show.c */
};

struct trial_order {
        enum trial_kind kind;
        const char *job;
        bool is_quiet;          /* how it ended is not told */
        const char *parameters; /* of a run: a set (config/parameters.h); borrowed */
        size_t parameters_size;
};

/* Reads the files, and runs or shows the job. INT, TERM, QUIT and HUP end the run, a second one at once. Returns the exit status; what is
 * wrong is on standard error. */
int trial_main(const struct runner_options *options, const struct trial_order *order);
