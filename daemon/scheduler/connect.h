// SPDX-License-Identifier: MIT
// connect: a scheduler that the service manager has started finds its runner.
#pragma once

#include <sys/types.h>

#include "daemon/scheduler/chimed.h"

/* Connects to the runner's socket, waits until the runner has done with the scheduler before, and takes what it gives: all of *ret are the
 * caller's, the control socket as the manager has handed it over. 0, or 1 with the error on standard error. */
int connect_runner(const char *path, struct chimed_ends *ret, gid_t *ret_admin_gid);
