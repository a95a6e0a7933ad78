// SPDX-License-Identifier: MIT
// connect: it may wait, for nothing else is there yet to be served: no ledger is open, so that two schedulers never have one.

#include "daemon/scheduler/connect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "daemon/core/descriptors.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"

static int reach(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        int r = -errno;
        util_close(fd);
        return r;
}

/* 1: it does not want us. */
static int await_welcome(int fd, struct wire_welcome *welcome, int fds[static 2]) {
        int r;

        do {
                if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1) < 0 && errno != EINTR)
                        return -errno;
                r = descriptors_receive(fd, welcome, sizeof(*welcome), fds, 2);
        } while (r == -EAGAIN);
        return r == 0 && welcome->version != WIRE_VERSION ? -EPROTONOSUPPORT : r;
}

int connect_runner(const char *path, struct chimed_ends *ret, gid_t *ret_admin_gid) {
        struct wire_welcome welcome;
        int fds[2] = {-1, -1};
        int listen_fd = sd_listen_fds(1) > 0 ? SD_LISTEN_FDS_START : -1;
        int fd = reach(path), r = fd < 0 ? fd : await_welcome(fd, &welcome, fds);

        if (r == 0 && listen_fd >= 0)
                r = util_set_nonblocking(listen_fd);
        if (r == 0) {
                *ret = (struct chimed_ends){.control_fd = fd, .output_fd = fds[0], .listen_fd = listen_fd, .hosts_fd = fds[1]};
                *ret_admin_gid = welcome.admin_gid;
                return 0;
        }
        fprintf(stderr, "chimed: %s: %s\n", path, r == 1 ? "the runner serves no scheduler of this user" : strerror(-r));
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                util_close(fds[i]);
        util_close(fd);
        return 1;
}
