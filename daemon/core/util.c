// SPDX-License-Identifier: MIT
// util: the few helpers that every file of the daemon shares.

#include "daemon/core/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

int util_close(int fd) {
        if (fd >= 0) {
                int saved = errno;
                /* not tried again after EINTR: on Linux the descriptor is gone then too */
                (void)close(fd);
                errno = saved;
        }
        return -1;
}

int util_set_nonblocking(int fd) {
        int flags = fcntl(fd, F_GETFL);

        return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

void util_close_from(int first) {
        if (syscall(SYS_close_range, first, ~0U, 0) == 0)
                return;
        DIR *folder = opendir("/proc/self/fd"); /* before 5.9 */
        for (const struct dirent *entry; folder && (entry = readdir(folder));) {
                int fd = (int)strtol(entry->d_name, NULL, 10);
                if (fd >= first && fd != dirfd(folder))
                        close(fd);
        }
        if (folder)
                closedir(folder);
}

bool util_is_protected(const struct stat *st) {
        return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}
