// SPDX-License-Identifier: MIT
// runner: chimed-runner as a whole: starts the jobs that the scheduler asks for, out of the definitions that it has read.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/core/journal.h"
#include "daemon/runner/reader.h"

struct runner_options {
        const char *scheduler; /* program */
        bool is_listening;     /* schedulers connect to the socket that the service manager has handed over */
        const char *host;      /* program that does the work of hosted jobs */
        const char *run_folder;
        const char *state_folder; /* NULL: no ledger is kept */
        const char *cgroup;       /* as in cgroups_open() */
        struct reader_paths paths;
        enum journal_target log;
        char **argv;   /* what the program was called with; borrowed */
        int resume_fd; /* what it handed over to itself; 0: nothing */
};

/* Runs until SIGTERM or SIGINT. Returns the exit status; errors are on standard error. */
int runner_run(const struct runner_options *options);
