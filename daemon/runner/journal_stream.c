// SPDX-License-Identifier: MIT
// journal_stream: a stream of a job's own to journald.
// Why not sd_journal_stream_fd(): it waits for a place where journald is stopped, and a start would wait with it.

#include "daemon/runner/journal_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "config/job.h"
#include "daemon/core/util.h"

int journal_stream_open(const char *identifier) {
        static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/stdout"};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        char header[JOB_NAME_MAX + 32];

        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || shutdown(fd, SHUT_RD) < 0)
                return -errno;
        /* identifier, unit, level, whether lines may have one, and whether to pass them on to syslog, kernel log and console */
        int size = snprintf(header, sizeof(header), "%.*s\n\n%d\n1\n0\n0\n0\n", JOB_NAME_MAX, identifier, LOG_INFO);
        if (send(fd, header, (size_t)size, MSG_NOSIGNAL) != size || fcntl(fd, F_SETFL, 0) < 0)
                return errno ? -errno : -EIO;
        int result = fd;
        fd = -1; /* given */
        return result;
}
