// SPDX-License-Identifier: MIT
// plugin_look: what a plugin's file is, and what the plugin says of itself.
// To load a plugin is to run code of it. So the process that does it has nothing: another user, no descriptors but the plugin and two pipes,
// no environment, little time, and what it says is bounded and read as hostile.

#include "config/plugin_look.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/utf8.h"

#define CPU_SECONDS 5
#define NOBODY      65534
#define MEMORY_MAX  (UINT64_C(2) << 30) /* of address space */
#define FILES_MAX   64

/* Where the process has what it needs. */
enum { PLUGIN_FD = 3, HOST_FD, FIRST_FREE_FD };

static int refuse(char why[static PLUGIN_LOOK_WHY], const char *path, const char *reason) {
        snprintf(why, PLUGIN_LOOK_WHY, "%.120s: %.120s", path, reason);
        return 1;
}

/* ---- the file ---- */

static const char *distrust(const struct stat *st) {
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return geteuid() == 0 ? "it must belong to root" : "it must belong to root or to you";
        return st->st_mode & (S_IWGRP | S_IWOTH) ? "others than its owner can write there" : NULL;
}

/* Gives a descriptor of the file in *ret. */
static int open_plugin(const char *path, int *ret, char why[static PLUGIN_LOOK_WHY]) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        char folder[4096];
        struct stat st;

        if (fd < 0)
                return refuse(why, path, strerror(errno));
        snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
        const char *reason = fstat(fd, &st) < 0     ? strerror(errno)
                             : !S_ISREG(st.st_mode) ? "it is no regular file"
                                                    : distrust(&st);
        if (!reason) {
                *ret = fd;
                path = folder;
                reason = stat(folder, &st) < 0 ? strerror(errno) : distrust(&st);
        }
        if (!reason)
                return 0;
        close(fd);
        return refuse(why, path, reason);
}

/* ---- in the process ---- */

static bool limit(__rlimit_resource_t resource, uint64_t max) {
        return setrlimit(resource, &(struct rlimit){.rlim_cur = max, .rlim_max = max}) == 0;
}

static bool enter_limits(void) {
#ifndef CHIMED_SANITIZED /* which takes all of the address space for itself */
        if (!limit(RLIMIT_AS, MEMORY_MAX))
                return false;
#endif
        return limit(RLIMIT_CPU, CPU_SECONDS) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) &&
               limit(RLIMIT_NOFILE, FILES_MAX);
}

static bool leave_rights(void) {
        bool is_root = geteuid() == 0;

        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               (!is_root ||
                (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0));
}

/* Puts each of the descriptors to its place; none of them is there by chance. */
static bool place(const int *fds, int n) {
        int moved[FIRST_FREE_FD];

        for (int i = 0; i < n; i++)
                moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
        for (int i = 0; i < n; i++)
                if (moved[i] < 0 || dup2(moved[i], i) < 0)
                        return false;
        return syscall(SYS_close_range, (unsigned)n, ~0U, 0) == 0 && fcntl(HOST_FD, F_SETFD, FD_CLOEXEC) == 0;
}

__attribute__((noreturn)) static void describe(const int *fds) {
        char option[] = "--describe=/proc/self/fd/3";
        char *const argv[] = {(char[]){"chimed-host"}, option, NULL}, *const environment[] = {NULL};
        sigset_t none;

        sigemptyset(&none);
        setsid();
        if (place(fds, FIRST_FREE_FD) && enter_limits() && leave_rights() && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
            chdir("/") == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0) {
                signal(SIGPIPE, SIG_DFL);
                execveat(HOST_FD, "", argv, environment, AT_EMPTY_PATH);
        }
        dprintf(STDERR_FILENO, "chimed-host can't be started: %s\n", strerror(errno));
        _exit(1);
}

/* ---- on the other side ---- */

struct heard {
        char text[PLUGIN_DESCRIPTION_MAX + 1]; /* one byte more than there may be */
        size_t size;
};

/* Reads what both pipes give until their ends and that of the process. False: it takes too long. What is too much is not kept. */
static bool hear(int timer, int process, const int *pipes, struct heard *const *heard) {
        struct pollfd polled[4] = {{timer, POLLIN, 0}, {pipes[0], POLLIN, 0}, {pipes[1], POLLIN, 0}, {process, POLLIN, 0}};

        while (polled[1].fd >= 0 || polled[2].fd >= 0 || polled[3].fd >= 0) {
                if (poll(polled, 4, -1) < 0) {
                        if (errno != EINTR)
                                return false;
                        continue; /* nothing is known */
                }
                if (polled[0].revents)
                        return false;
                if (polled[3].revents)
                        polled[3].fd = -1;
                for (int i = 0; i < 2; i++) {
                        char rest[4096];
                        struct heard *h = heard[i];
                        size_t room = sizeof(h->text) - h->size;
                        if (!polled[i + 1].revents)
                                continue;
                        ssize_t n = room > 0 ? read(pipes[i], h->text + h->size, room) : read(pipes[i], rest, sizeof(rest));
                        if (n <= 0)
                                polled[i + 1].fd = -1;
                        else if (room > 0)
                                h->size += (size_t)n;
                }
        }
        return true;
}

/* The first line that it wrote on standard error, as text; else how it ended. */
static void tell(const struct heard *heard, int status, char why[static PLUGIN_LOOK_WHY]) {
        size_t size = heard->size < PLUGIN_LOOK_WHY - 1 ? heard->size : PLUGIN_LOOK_WHY - 1;
        const char *end = memchr(heard->text, '\n', size);

        size = utf8_find_bad(heard->text, end ? (size_t)(end - heard->text) : size);
        memcpy(why, heard->text, size);
        why[size] = '\0';
        utf8_make_one_line(why);
        if (size == 0 && WIFSIGNALED(status))
                snprintf(why, PLUGIN_LOOK_WHY, "loading it ended with signal %d (%s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
        else if (size == 0)
                snprintf(why, PLUGIN_LOOK_WHY, "loading it ended with exit status %d", WEXITSTATUS(status));
}

static int judge(bool is_whole, int status, struct heard *const *heard, struct plugin_description *ret,
                 char why[static PLUGIN_LOOK_WHY]) {
        if (!is_whole) {
                snprintf(why, PLUGIN_LOOK_WHY, "loading it takes too long");
                return 1;
        }
        if (status != 0) {
                tell(heard[1], status, why);
                return 1;
        }
        int r = plugin_description_parse(heard[0]->text, heard[0]->size, ret);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                snprintf(why, PLUGIN_LOOK_WHY, "what it says of itself can't be read");
        return r < 0 ? 1 : 0;
}

/* Has it described by a process of its own. Descriptors are borrowed; pipes are two, each with its end to read and that to write. */
static int ask(int plugin, int host, int null, int timer, int pipes[2][2], struct plugin_description *ret,
               char why[static PLUGIN_LOOK_WHY]) {
        struct heard *heard[2] = {calloc(1, sizeof(**heard)), calloc(1, sizeof(**heard))};
        int result = -ENOMEM, status = 0;

        pid_t pid = heard[0] && heard[1] ? fork() : -1;
        if (pid == 0)
                describe((const int[]){null, pipes[0][1], pipes[1][1], plugin, host});
        for (int i = 0; i < 2; i++) {
                close(pipes[i][1]);
                pipes[i][1] = -1;
        }
        if (pid > 0) {
                int process = (int)syscall(SYS_pidfd_open, pid, 0);
                bool is_whole = process >= 0 && hear(timer, process, (const int[]){pipes[0][0], pipes[1][0]}, heard);
                kill(-pid, SIGKILL); /* what it may have started */
                kill(pid, SIGKILL);  /* it may not have got that far; what has ended does not mind */
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
                if (process >= 0) {
                        close(process);
                        result = judge(is_whole, status, heard, ret, why);
                }
        }
        free(heard[0]);
        free(heard[1]);
        return result;
}

int plugin_look(const char *host, const char *path, int time_ms, struct plugin_description *ret,
                char why[static PLUGIN_LOOK_WHY]) {
        const struct itimerspec limit = {.it_value = {time_ms / 1000, time_ms % 1000 * 1000000L}};
        int plugin = -1, pipes[2][2] = {{-1, -1}, {-1, -1}};
        int r = open_plugin(path, &plugin, why);

        if (r)
                return r;
        int program = open(host, O_PATH | O_CLOEXEC), null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (program < 0)
                r = refuse(why, host, strerror(errno));
        else if (null < 0 || timer < 0 || timerfd_settime(timer, 0, &limit, NULL) < 0 || pipe2(pipes[0], O_CLOEXEC) < 0 ||
                 pipe2(pipes[1], O_CLOEXEC) < 0)
                r = refuse(why, path, strerror(errno));
        else
                r = ask(plugin, program, null, timer, pipes, ret, why);
        const int fds[] = {plugin, program, null, timer, pipes[0][0], pipes[0][1], pipes[1][0], pipes[1][1]};
        for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
                if (fds[i] >= 0)
                        close(fds[i]);
        return r;
}
