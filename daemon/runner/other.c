// SPDX-License-Identifier: MIT
// other: the runner is who holds the lock: the kernel says its number, and forgets it when it is gone. The lock's file is touched when a
// re-execution is over, and a file beside it says why it was refused.

#include "daemon/runner/other.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"

#define RE_EXECUTE_US (60 * USEC_PER_SEC) /* longer than the runner takes for all that it waits for */
#define LOOK_MS       20
#define REFUSAL_MAX   1024

/* Who holds it; 0: nobody. Or a negative error. */
static pid_t find_holder(int fd) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        if (fcntl(fd, F_GETLK, &whole) < 0)
                return -errno;
        return whole.l_type == F_UNLCK ? 0 : whole.l_pid;
}

/* A descriptor of the holder, which can't become another process's. -ESRCH: there is none; or another negative error. */
static int open_holder(int lock_fd) {
        for (;;) {
                pid_t pid = find_holder(lock_fd);
                if (pid <= 0)
                        return pid < 0 ? pid : -ESRCH;
                int fd = (int)syscall(SYS_pidfd_open, pid, 0);
                int r = fd < 0 ? -errno : 0;
                if (r == 0 && find_holder(lock_fd) == pid)
                        return fd;
                util_close(fd);
                if (r < 0 && r != -ESRCH)
                        return r;
        }
}

static bool has_ended(int pidfd, int wait_ms) {
        return poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, wait_ms) > 0;
}

static int wait_for_touch(int lock_fd, int pidfd, const struct stat *before) {
        int64_t until_bt_us = clock_now().bt_us + RE_EXECUTE_US;
        struct stat now;

        while (!has_ended(pidfd, LOOK_MS)) {
                if (fstat(lock_fd, &now) < 0)
                        return -errno;
                if (now.st_mtim.tv_sec != before->st_mtim.tv_sec || now.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
                        return 0;
                if (clock_now().bt_us >= until_bt_us)
                        return -ETIMEDOUT;
        }
        return -ESRCH;
}

static int give(int lock_fd, enum other_order order) {
        _cleanup_close_ int pidfd = open_holder(lock_fd);
        struct stat before;

        if (pidfd < 0)
                return pidfd;
        if (fstat(lock_fd, &before) < 0 ||
            syscall(SYS_pidfd_send_signal, pidfd, order == OTHER_STOP ? SIGTERM : SIGUSR2, NULL, 0) < 0)
                return -errno;
        if (order == OTHER_RE_EXECUTE)
                return wait_for_touch(lock_fd, pidfd, &before);
        while (!has_ended(pidfd, -1))
                ;
        return 0;
}

/* The exit status of a re-execution that is over. */
static int tell_refusal(const char *run_folder) {
        char path[PATH_MAX], why[REFUSAL_MAX];

        snprintf(path, sizeof(path), "%s/" FOLDER_REFUSAL, run_folder);
        folder_read(AT_FDCWD, path, why, sizeof(why));
        if (why[0])
                fprintf(stderr, "chimed-runner: it is not re-executed and goes on as it was: %s\n", why);
        return why[0] ? 1 : 0;
}

int other_main(const char *run_folder, enum other_order order) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/lock", run_folder);
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        int r = fd < 0 ? -errno : give(fd, order);
        if (r == 0 && order == OTHER_RE_EXECUTE)
                return tell_refusal(run_folder);
        if (r == 0 || r == -ENOENT || r == -ESRCH)
                return 0;
        fprintf(stderr, "chimed-runner: %s: %s\n", path, strerror(-r));
        return 1;
}
