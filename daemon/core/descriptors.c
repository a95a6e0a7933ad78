// SPDX-License-Identifier: MIT
// descriptors: a message with open descriptors.
// The buffer for them is as long as DESCRIPTORS_MAX take, so what comes beyond is closed by the kernel, and what comes besides is by us.

#include "daemon/core/descriptors.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/util.h"

union control {
        struct cmsghdr head; /* for its alignment */
        char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

int descriptors_pair(int *ret, int *ret_peer) {
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -errno;
        *ret = fds[0];
        *ret_peer = fds[1];
        return 0;
}

int descriptors_send(int socket, const void *data, size_t size, const int *fds, size_t n) {
        struct iovec piece = {.iov_base = (void *)data, .iov_len = size};
        union control control = {};
        struct msghdr message = {
                .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(n * sizeof(int))};
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);

        assert(size > 0 && n > 0 && n <= DESCRIPTORS_MAX);
        *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int))};
        memcpy(CMSG_DATA(head), fds, n * sizeof(int));
        return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* All descriptors of the message; returns how many. */
static size_t take(struct msghdr *message, int fds[static DESCRIPTORS_MAX]) {
        size_t n = 0;

        for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
                if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
                        continue;
                size_t size = head->cmsg_len - CMSG_LEN(0);
                memcpy(fds + n, CMSG_DATA(head), size);
                n += size / sizeof(int);
        }
        return n;
}

int descriptors_receive(int socket, void *data, size_t size, int *ret_fds, size_t n) {
        struct iovec piece = {.iov_base = data, .iov_len = size};
        union control control = {};
        struct msghdr message = {
                .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        int fds[DESCRIPTORS_MAX];

        assert(n > 0 && n <= DESCRIPTORS_MAX);
        ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0)
                return -errno;
        size_t n_got = take(&message, fds);
        if ((size_t)got == size && n_got == n && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
                memcpy(ret_fds, fds, n * sizeof(int));
                return 0;
        }
        for (size_t i = 0; i < n_got; i++)
                util_close(fds[i]);
        return got == 0 && n_got == 0 ? 1 : -EBADMSG;
}
