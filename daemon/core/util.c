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

bool util_is_protected(const struct stat *st) {
        return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}
