// SPDX-License-Identifier: MIT
// guest: a scheduler that somebody else has started comes to the runner's socket: who it must be, and what it is given.
#pragma once

#include <sys/types.h>

struct guest {
        int control_fd, output_fd, hosts_fd; /* our ends */
};

/* Takes one connection off a listening SOCK_SEQPACKET socket. Where it is of a process of that user, the process is given the sockets of a
 * scheduler, and struct wire_welcome with this group; nothing is taken from it. Any other is closed.
 * 0: *ret is the caller's to close; 1: nobody came who may; or a negative error (-EMFILE, say). */
int guest_admit(int listen_fd, uid_t uid, gid_t admin_gid, struct guest *ret);
