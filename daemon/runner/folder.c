// SPDX-License-Identifier: MIT
// folder: the run folder: one instance at a time, and whether it is the first one of this boot.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"

/* Opens the folder; others must not be able to put anything into it. */
static int open_folder(const char *path) {
        struct stat st;

        if (mkdir(path, 0755) < 0 && errno != EEXIST) {
                fprintf(stderr, "chimed-runner: %s: %s\n", path, strerror(errno));
                return -errno;
        }
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &st) < 0) {
                fprintf(stderr, "chimed-runner: %s: %s\n", path, strerror(errno));
                util_close(fd);
                return -errno;
        }
        if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH))) {
                fprintf(stderr, "chimed-runner: %s: refused, because others can write there; give a folder of your own\n",
                        path);
                util_close(fd);
                return -EPERM;
        }
        return fd;
}

static int write_small(int fd, const char *text) {
        size_t size = strlen(text);

        if (ftruncate(fd, 0) < 0)
                return -errno;
        ssize_t n = pwrite(fd, text, size, 0);
        return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}

static int lock(int folder_fd, const char *path) {
        /* who can open it can lock it, so nobody else can */
        int fd = openat(folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        char text[32] = "";

        if (fd < 0 || fchmod(fd, 0600) < 0) {
                fprintf(stderr, "chimed-runner: %s/lock: %s\n", path, strerror(errno));
                util_close(fd);
                return -EACCES;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
                text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
                fprintf(stderr, "chimed: another instance uses %s (pid %s)\n", path, text[0] ? text : "unknown");
                util_close(fd);
                return -EBUSY;
        }
        snprintf(text, sizeof(text), "%d\n", (int)getpid());
        int r = write_small(fd, text);
        if (r < 0) {
                fprintf(stderr, "chimed-runner: %s/lock: %s\n", path, strerror(-r));
                util_close(fd);
                return r;
        }
        return fd;
}

/* 1 where the stamp is of another boot or missing, and then it is of this one. */
static int stamp(int folder_fd, const char *boot_id) {
        char text[64] = "";
        _cleanup_close_ int fd = openat(folder_fd, "boot", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0) {
                text[strcspn(text, "\n")] = '\0';
                if (strcmp(text, boot_id) == 0)
                        return 0;
        }
        _cleanup_close_ int new = openat(folder_fd, "boot.new", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        snprintf(text, sizeof(text), "%s\n", boot_id);
        int r = new < 0 ? -errno : write_small(new, text);
        if (r == 0 && renameat(folder_fd, "boot.new", folder_fd, "boot") < 0)
                r = -errno;
        return r < 0 ? r : 1;
}

int folder_enter(const char *folder, const char *boot_id, int *ret_lock_fd, bool *ret_is_first_of_boot) {
        _cleanup_close_ int folder_fd = open_folder(folder);

        if (folder_fd < 0)
                return folder_fd;
        int lock_fd = lock(folder_fd, folder);
        if (lock_fd < 0)
                return lock_fd;
        int r = stamp(folder_fd, boot_id);
        if (r < 0) {
                fprintf(stderr, "chimed-runner: %s/boot: %s\n", folder, strerror(-r));
                util_close(lock_fd);
                return r;
        }
        *ret_lock_fd = lock_fd;
        *ret_is_first_of_boot = r > 0;
        return 0;
}

void folder_leave(int lock_fd) {
        if (lock_fd >= 0 && ftruncate(lock_fd, 0) < 0)
                fprintf(stderr, "chimed-runner: lock: %s\n", strerror(errno));
        util_close(lock_fd);
}
