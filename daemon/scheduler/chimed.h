// SPDX-License-Identifier: MIT
// chimed: the scheduler process: loop, link and timers wired together.
#pragma once

#include "daemon/core/journal.h"

/* The descriptors that the runner hands to the scheduler it starts. */
#define CHIMED_CONTROL_FD 3
#define CHIMED_OUTPUT_FD  4

/* Runs the scheduler on the inherited link until the runner closes it or SIGTERM comes. Returns the exit status. */
int chimed_run(enum journal_target target);
