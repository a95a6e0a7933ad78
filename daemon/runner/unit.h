// SPDX-License-Identifier: MIT
// unit: jobs that are a systemd unit. A process of ours starts it, waits for it and ends as it did; so the unit is a run like any other, and
// nothing of systemd ever holds up the runner. What an exit status can't tell is in the last line that the process prints, which is
// the run's value, too: "Result=oom-kill InvocationID=…".
#pragma once

#include <stdbool.h>

#include "config/exit_status.h"
#include "config/job.h"
#include "config/unit_state.h"
#include "daemon/core/run.h"
#include "daemon/runner/output.h"

/* By TERM the process is asked to stop the unit; by this one to kill what is left of it, for which it has so long before its own KILL. */
#define UNIT_KILL_SIGNAL SIGINT
#define UNIT_KILL_US     (3 * USEC_PER_SEC)
#define UNIT_LINE_MAX    128

/* How the process is to end. */
struct unit_end {
        char line[UNIT_LINE_MAX];
        struct exit_status how;
};

/* The line for a unit that can't be started, as job_unit_error_to_string() takes it; shown: as systemctl has shown it, NULL: not at all. */
struct unit_end unit_refuse(int error, const struct unit_state *shown);
/* What a start has come to; has_failed: in the eyes of systemctl. */
struct unit_end unit_judge(const struct unit_state *before, const struct unit_state *after, bool has_failed);

/* Makes of a job's what that of the process. 0, -ENOMEM. */
int unit_make_process(struct job_what *what, bool is_user_manager);
/* Puts into the end of the process what its last line says; the step is RUN_STEP_UNIT then. */
void unit_take_end(const struct output_tail *tail, struct run_end *end);

/* The process. Returns its exit status, or ends by a signal. */
int unit_child_main(const char *unit, bool is_user_manager);
