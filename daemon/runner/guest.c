// SPDX-License-Identifier: MIT
// guest: whoever connects is nobody until the kernel has said as whom it did.

#include "daemon/runner/guest.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "daemon/core/descriptors.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"

static bool is_of_user(int fd, uid_t uid) {
        struct ucred peer;
        socklen_t size = sizeof(peer);
        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof(peer) && peer.uid == uid;
}

int guest_admit(int listen_fd, uid_t uid, gid_t admin_gid, struct guest *ret) {
        struct wire_welcome welcome = {.version = WIRE_VERSION, .admin_gid = admin_gid};
        _cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? 1 : -errno;
        if (!is_of_user(fd, uid))
                return 1;
        int output[2] = {-1, -1}, hosts[2] = {-1, -1};
        int r = descriptors_pair(&output[0], &output[1]);
        if (r == 0)
                r = descriptors_pair(&hosts[0], &hosts[1]);
        if (r == 0 && descriptors_send(fd, &welcome, sizeof(welcome), (int[]){output[1], hosts[1]}, 2) < 0)
                r = 1; /* it has gone while it waited */
        util_close(output[1]);
        util_close(hosts[1]);
        if (r != 0) {
                util_close(output[0]);
                util_close(hosts[0]);
                return r;
        }
        *ret = (struct guest){.control_fd = fd, .output_fd = output[0], .hosts_fd = hosts[0]};
        fd = -1; /* given */
        return 0;
}
