// SPDX-License-Identifier: MIT
// file: a file that only says "now", or a few lines that are replaced whole.

#include "daemon/plugins/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

int file_touch(const char *path) {
        int fd = open(path, OPEN_FLAGS, 0644);

        if (fd < 0)
                return -errno;
        int r = futimens(fd, NULL) < 0 ? -errno : 0;
        close(fd);
        return r;
}

int file_replace(const char *path, const void *bytes, size_t size) {
        char new[PATH_MAX + 16];

        snprintf(new, sizeof(new), "%s.new", path);
        if (unlink(new) < 0 && errno != ENOENT) /* of one that was killed here */
                return -errno;
        int fd = open(new, OPEN_FLAGS | O_EXCL, 0644);
        if (fd < 0)
                return -errno;
        ssize_t n = write(fd, bytes, size);
        int r = n < 0 ? -errno : n < (ssize_t)size ? -ENOSPC : 0;
        if (close(fd) < 0 && r == 0)
                r = -errno;
        if (r == 0 && rename(new, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(new);
        return r;
}

int file_age(const char *path, int64_t now_rt_us, int64_t *ret_us) {
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        *ret_us = now_rt_us - (st.st_mtim.tv_sec * INT64_C(1000000) + st.st_mtim.tv_nsec / 1000);
        return 0;
}
