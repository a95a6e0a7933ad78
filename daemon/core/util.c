// SPDX-License-Identifier: MIT
// util: the few helpers that every file of the daemon shares.

#include "daemon/core/util.h"

#include <errno.h>

int util_close(int fd) {
        if (fd >= 0) {
                int saved = errno;
                /* not tried again after EINTR: on Linux the descriptor is gone then too */
                (void)close(fd);
                errno = saved;
        }
        return -1;
}
