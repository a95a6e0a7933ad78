// SPDX-License-Identifier: MIT
// conditions: what must hold before a job's program is executed, as far as the runner can see without a process; and the words for what
// does not hold.
#pragma once

#include <stdbool.h>

#include "config/job.h"
#include "daemon/core/run.h"
#include "daemon/core/wire.h"

#define CONDITIONS_POWER_FOLDER "/sys/class/power_supply"

/* Asks those about the whole machine: the power, the load. May block on a driver: for launching threads. True where all hold; else the
 * first that does not is in ret. */
bool conditions_hold_here(const struct job_what *what, char ret[static WIRE_CONDITION_MAX]);
/* Whether the machine is on mains power, or has no battery, as a folder of power supplies says. */
bool conditions_on_mains(const char *folder);
/* What the condition of a path does not hold for: the error of looking at it, 0 where the path is there. */
void conditions_tell_path(const struct job_condition *condition, int error, char ret[static WIRE_CONDITION_MAX]);

/* How many take a process to ask. */
unsigned conditions_n_processes(const struct job_what *what);
/* How many of them, the first, are about units, and run as the runner's own user. */
unsigned conditions_n_units(const struct job_what *what);
/* Makes of a job's what that of the process that asks the condition number n of those. 0, -ENOMEM. */
int conditions_make_process(struct job_what *what, unsigned n, bool is_user_manager);

enum conditions_answer {
        CONDITIONS_HOLD,
        CONDITIONS_DO_NOT_HOLD, /* told in ret */
        CONDITIONS_FAILED,      /* the question itself: the start has failed; told in ret, too */
};
/* What the end of such a process, or of an attempt to start it (START_FAILED with step and error), says. */
enum conditions_answer conditions_judge(const struct job_what *what, unsigned n, const struct run_end *end,
                                        char ret[static WIRE_CONDITION_MAX]);
