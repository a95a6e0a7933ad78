// SPDX-License-Identifier: MIT
// launch_child: what a started process does before exec, step by step as run.h names them.
// It shares all memory with the runner while the launching thread waits: so no allocation, no locks, nothing that glibc applies
// to all threads (its setuid family does), only system calls. What it writes to its own struct tells how far it came.

#include "daemon/runner/launch_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIMER_SLACK_NS 50000 /* the kernel's default */

/* 0; another launch_verdict: nothing is executed; a negative error. */
typedef int (*step_fn)(struct launch_child *c);

/* The kernel's struct sigaction, of which all zero is the default action; large enough for every machine. */
struct kernel_sigaction {
        unsigned long words[8];
};

/* Without the wrappers' cancellation points, and unseen by a sanitizer that would take the child for its parent. */
static int sys_open(const char *path, int flags, mode_t mode) {
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

static int sys_dup(int fd, int number) {
        return (int)syscall(SYS_dup3, fd, number, 0);
}

static int start_session(struct launch_child *c) {
        umask(c->launch->what.umask);
        if ((c->settings->resets & LAUNCH_RESET_PERSONALITY) && !c->launch->is_own_program && personality(PER_LINUX) < 0)
                return -errno;
        return setsid() < 0 ? -errno : 0;
}

/* While we have the right to. "0" is whoever writes. */
static int enter_cgroup(struct launch_child *c) {
        return c->procs_fd >= 0 && syscall(SYS_write, c->procs_fd, "0", 1) < 0 ? -errno : 0;
}

static int default_signals(struct launch_child *c) {
        static const struct kernel_sigaction default_action;

        for (int signal = 1; signal <= 64; signal++)
                if (*c->ignored & UINT64_C(1) << (signal - 1) &&
                    syscall(SYS_rt_sigaction, signal, &default_action, NULL, sizeof(uint64_t)) < 0)
                        return -errno;
        return 0;
}

static int default_timer_slack(struct launch_child *c) {
        (void)c;
        return prctl(PR_SET_TIMERSLACK, (unsigned long)TIMER_SLACK_NS, 0, 0, 0) < 0 ? -errno : 0;
}

/* As its user, who may see less than we do. What can't be looked at may be there: that is an error. */
static int look_for_stop_path(struct launch_child *c) {
        const char *path = c->launch->what.stop_path;

        if (!path)
                return 0;
        if (syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0)
                return LAUNCH_FINISHED;
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

/* What can't be looked at neither is there nor is not. */
static int look_at_paths(struct launch_child *c) {
        const struct job_what *what = &c->launch->what;

        for (size_t i = 0; c->launch->asks_paths && i < what->n_conditions; i++) {
                const struct job_condition *condition = &what->conditions[i];
                if (condition->kind != JOB_CONDITION_PATH_EXISTS)
                        continue;
                int error = syscall(SYS_faccessat, AT_FDCWD, condition->argv[0], F_OK) == 0 ? 0 : errno;
                bool is_known = error == 0 || error == ENOENT || error == ENOTDIR;
                if (is_known && (error == 0) != condition->is_negated)
                        continue;
                c->condition = i;
                c->error = error;
                return LAUNCH_REFUSED;
        }
        return 0;
}

/* Moves fd to number without close-on-exec. */
static int move_fd(int fd, int number) {
        if (fd == number)
                return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
        return sys_dup(fd, number) < 0 ? -errno : 0;
}

/* 0 for what can be written to without a partner that might not read; -ENOTSUP for a FIFO, a socket, a disk. */
static int check_type(int fd) {
        struct statx st;

        if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
                return -errno;
        return S_ISREG(st.stx_mode) || S_ISCHR(st.stx_mode) ? 0 : -ENOTSUP;
}

static int open_as(const char *path, int flags, int number) {
        int fd = sys_open(path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);
        int r = fd < 0 ? -errno : 0;

        if (r == 0 && flags & O_CREAT)
                r = check_type(fd);
        /* non-blocking only for the open, so that a FIFO without reader fails instead of hanging */
        if (r == 0 && fcntl(fd, F_SETFL, flags & O_APPEND) < 0)
                r = -errno;
        return r < 0 ? r : move_fd(fd, number);
}

/* A job's file: its last part is no link, whoever put it there. */
static int open_file(const char *path, int flags, int number) {
        return open_as(path, O_WRONLY | O_CREAT | O_NOFOLLOW | flags, number);
}

static int set_stdin(struct launch_child *c) {
        (void)c;
        return open_as("/dev/null", O_RDONLY, STDIN_FILENO);
}

static int set_output(const struct launch_child *c, const struct job_output *output, int given_fd, int number) {
        if (c->launch->is_own_program)
                return number == STDOUT_FILENO ? move_fd(STDERR_FILENO, STDOUT_FILENO) : 0;
        switch (output->kind) {
        case JOB_OUTPUT_JOURNAL:
        case JOB_OUTPUT_JOURNAL_DIRECT:
                return move_fd(given_fd, number);
        case JOB_OUTPUT_NULL:
                return c->null_fd >= 0 ? move_fd(c->null_fd, number) : open_as("/dev/null", O_WRONLY, number);
        case JOB_OUTPUT_INHERIT:
                return move_fd(STDOUT_FILENO, number);
        case JOB_OUTPUT_FILE:
                return open_file(output->path, 0, number);
        case JOB_OUTPUT_APPEND:
                return open_file(output->path, O_APPEND, number);
        case JOB_OUTPUT_TRUNCATE:
                return open_file(output->path, O_TRUNC, number);
        case JOB_OUTPUT_MAX:
                break;
        }
        return -EINVAL;
}

static int set_stdout(struct launch_child *c) {
        return set_output(c, &c->launch->what.output, c->output_fd[0], STDOUT_FILENO);
}

static int set_stderr(struct launch_child *c) {
        return set_output(c, &c->launch->what.error, c->output_fd[1], STDERR_FILENO);
}

/* All descriptors are close-on-exec from birth; this is for those of libraries that are not. */
static int close_from(unsigned first, int program_fd) {
        if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
                return 0;
        /* before 5.11 they can only be closed, of which exec has no need but for the program */
        if (errno == EINVAL && program_fd >= (int)first) {
                if (program_fd > (int)first && syscall(SYS_close_range, first, program_fd - 1, 0) < 0)
                        return -errno;
                first = (unsigned)program_fd + 1;
                errno = EINVAL;
        }
        return errno == EINVAL && syscall(SYS_close_range, first, ~0U, 0) == 0 ? 0 : -errno;
}

static int set_descriptors(struct launch_child *c) {
        int pass[LAUNCH_PASS_MAX];
        unsigned n = 0;

        /* first out of the way of the numbers they are to have */
        if (c->program_fd >= 0 && c->program_fd < 3 + LAUNCH_PASS_MAX &&
            (c->program_fd = fcntl(c->program_fd, F_DUPFD_CLOEXEC, 3 + LAUNCH_PASS_MAX)) < 0)
                return -errno;
        for (; n < LAUNCH_PASS_MAX && c->launch->pass[n] >= 0; n++)
                if ((pass[n] = fcntl(c->launch->pass[n], F_DUPFD_CLOEXEC, 3 + LAUNCH_PASS_MAX)) < 0)
                        return -errno;
        for (unsigned i = 0; i < n; i++)
                if (sys_dup(pass[i], (int)(3 + i)) < 0)
                        return -errno;
        int r = close_from(3 + n, c->program_fd);
        return r < 0 ? r : launch_set_descriptor_limit(c);
}

const char *launch_directory(const struct job_what *what) {
        const char *home = what->home && what->home[0] == '/' ? what->home : "/";

        if (!what->working_directory)
                return what->has_identity ? home : "/";
        return strcmp(what->working_directory, "~") == 0 ? home : what->working_directory;
}

static int set_directory(struct launch_child *c) {
        const struct job_what *what = &c->launch->what;

        if (chdir(launch_directory(what)) == 0)
                return 0;
        /* a user whose home does not exist may run jobs all the same, where none was asked for */
        if (what->is_working_directory_optional || (!what->working_directory && errno == ENOENT))
                return chdir("/") < 0 ? -errno : 0;
        return -errno;
}

/* Returns only on failure, with the error that tells most. */
static int execute(struct launch_child *c) {
        uint64_t none = 0;
        int error = ENOENT;

        if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) < 0)
                return -errno;
        if (c->program_fd >= 0) {
                syscall(SYS_execveat, c->program_fd, "", c->launch->what.argv, c->environment, AT_EMPTY_PATH);
                if (errno != ENOENT) /* a script: it needs its path */
                        return -errno;
        }
        for (char **program = c->programs; *program; program++) {
                execve(*program, c->launch->what.argv, c->environment);
                if (errno == EACCES)
                        error = EACCES;
                else if (errno != ENOENT && errno != ENOTDIR)
                        return -errno;
        }
        return -error;
}

static const struct {
        enum run_step step;
        step_fn fn;
} steps[] = {
        {RUN_STEP_CGROUP, enter_cgroup},
        {RUN_STEP_SESSION, start_session},
        {RUN_STEP_SIGNALS, default_signals},
        {RUN_STEP_OOM_SCORE, launch_set_oom_score},
        {RUN_STEP_TIMER_SLACK, default_timer_slack},
        {RUN_STEP_STDIN, set_stdin},
        {RUN_STEP_LIMITS, launch_set_limits},
        {RUN_STEP_SCHEDULING, launch_set_scheduling},
        {RUN_STEP_KEYRING, launch_set_keyring},
        {RUN_STEP_CAPABILITIES, launch_set_capabilities},
        /* from here on paths are those of the job */
        {RUN_STEP_ROOT_DIRECTORY, launch_set_root},
        {RUN_STEP_GROUPS, launch_set_groups},
        {RUN_STEP_GROUP, launch_set_group},
        {RUN_STEP_USER, launch_set_user},
        /* from here on all is done as the job's user */
        {RUN_STEP_NO_NEW_PRIVILEGES, launch_set_no_new_privileges},
        {RUN_STEP_STOP_PATH, look_for_stop_path},
        {RUN_STEP_CONDITION, look_at_paths},
        {RUN_STEP_STDOUT, set_stdout},
        {RUN_STEP_STDERR, set_stderr},
        {RUN_STEP_DESCRIPTORS, set_descriptors},
        {RUN_STEP_WORKING_DIRECTORY, set_directory},
        {RUN_STEP_EXEC, execute},
};

int launch_child_main(void *child) {
        struct launch_child *c = child;

        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                c->step = steps[i].step;
                int r = steps[i].fn(c);
                if (r < 0)
                        c->error = -r;
                if (r > 0)
                        c->verdict = (enum launch_verdict)r;
                if (r != 0)
                        break;
        }
        for (;;)
                syscall(SYS_exit_group, 127);
}
