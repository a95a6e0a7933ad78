// SPDX-License-Identifier: MIT
// chimed: the scheduler process: loop, link and timers wired together.
#pragma once

#include <sys/types.h>

#include "daemon/core/journal.h"

/* What connects it with the others. */
struct chimed_ends {
        int control_fd, output_fd; /* of the link */
        int listen_fd;             /* the control socket; where it is no listening socket, there is no control */
        int hosts_fd; /* for descriptors_receive(): struct wire_host_arrival and two descriptors; -1: there are none */
};

/* The descriptors that the runner hands to the scheduler it starts. */
#define CHIMED_CONTROL_FD 3
#define CHIMED_OUTPUT_FD  4
#define CHIMED_LISTEN_FD  5
#define CHIMED_HOSTS_FD   6

/* Takes the ends and runs the scheduler on them until the runner closes it or SIGTERM comes. admin_gid: of the group that may do everything,
 * (gid_t)-1 for none. Returns the exit status. */
int chimed_run(const struct chimed_ends *ends, enum journal_target target, gid_t admin_gid, const char *state);
