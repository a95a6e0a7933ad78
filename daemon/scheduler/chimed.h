// SPDX-License-Identifier: MIT
// chimed: the scheduler process: loop, link and timers wired together.
#pragma once

#include <sys/types.h>

#include "daemon/core/journal.h"

/* The descriptors that the runner hands to the scheduler it starts. */
#define CHIMED_CONTROL_FD 3
#define CHIMED_OUTPUT_FD  4
#define CHIMED_LISTEN_FD  5 /* the control socket; where it is no listening socket, there is no control */
#define CHIMED_HOSTS_FD   6 /* for descriptors_receive(): struct wire_host_arrival and two descriptors */

/* Runs the scheduler on the inherited link until the runner closes it or SIGTERM comes. admin_gid: of the group that may do everything,
 * (gid_t)-1 for none. Returns the exit status. */
int chimed_run(enum journal_target target, gid_t admin_gid, const char *state);
