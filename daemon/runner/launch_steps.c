// SPDX-License-Identifier: MIT
// launch_steps: a child takes the rights, priorities and limits of its job. What a job does not ask for, and the runner does not have
// either, costs no call.

#include "daemon/runner/launch_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/core/util.h"

#define MAX_DESCRIPTORS    "/proc/sys/fs/nr_open"
#define IOPRIO_WHO_PROCESS 1

/* -1 sets errno; as the step's result. */
static int result(long r) {
        return r < 0 ? -errno : 0;
}

/* Whether a job is to be given back what the runner was started with; our own programs keep it. */
static bool resets(const struct launch_child *c, enum launch_reset what) {
        return (c->settings->resets & what) && !c->launch->is_own_program;
}

int launch_set_oom_score(struct launch_child *c) {
        if (c->launch->what.oom_score == 0 && !resets(c, LAUNCH_RESET_OOM_SCORE))
                return 0;
        int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = result(syscall(SYS_write, fd, c->oom_score, strlen(c->oom_score)));
        syscall(SYS_close, fd);
        return r;
}

/* The limit of this number that the child is to get; NULL: the one it has. */
static const struct limit *limit_of(const struct launch_child *c, unsigned resource) {
        const struct limits *asked = c->launch->what.limits, *standard = &c->settings->limits;
        bool is_job = !c->launch->is_own_program || resource == RLIMIT_NOFILE;

        if (asked && asked->set >> resource & 1)
                return &asked->of[resource];
        return is_job && standard->set >> resource & 1 ? &standard->of[resource] : NULL;
}

static int set_limit(unsigned resource, const struct limit *limit) {
        const struct rlimit64 value = {.rlim_cur = limit->soft, .rlim_max = limit->hard};

        return result(syscall(SYS_prlimit64, 0, resource, &value, NULL));
}

int launch_set_limits(struct launch_child *c) {
        const struct limit *descriptors = limit_of(c, RLIMIT_NOFILE);
        struct rlimit64 has;
        int r = 0;

        for (unsigned i = 0; i < RLIM_NLIMITS && r == 0; i++) {
                const struct limit *limit = i == RLIMIT_NOFILE ? NULL : limit_of(c, i);
                if (limit)
                        r = set_limit(i, limit);
        }
        if (r < 0 || !descriptors || !c->launch->what.limits)
                return r;
        /* lowered later, as anybody may; raised now, as only root may */
        r = result(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &has));
        if (r < 0 || descriptors->hard <= has.rlim_max)
                return r;
        return set_limit(RLIMIT_NOFILE, &(struct limit){.soft = has.rlim_cur, .hard = descriptors->hard});
}

int launch_set_descriptor_limit(struct launch_child *c) {
        const struct limit *limit = limit_of(c, RLIMIT_NOFILE);

        return limit ? set_limit(RLIMIT_NOFILE, limit) : 0;
}

int launch_set_scheduling(struct launch_child *c) {
        const struct job_what *what = &c->launch->what;
        const int priority = what->cpu_priority; /* all that struct sched_param is */
        int r = 0;

        if (what->cpu_policy != 0 || resets(c, LAUNCH_RESET_CPU_POLICY))
                r = result(syscall(SYS_sched_setscheduler, 0, what->cpu_policy, &priority));
        if (r == 0 && (what->nice != 0 || resets(c, LAUNCH_RESET_NICE)))
                r = result(syscall(SYS_setpriority, PRIO_PROCESS, 0, what->nice));
        if (r == 0 && (what->io_priority != 0 || resets(c, LAUNCH_RESET_IO_PRIORITY)))
                r = result(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, what->io_priority));
        return r;
}

/* As root, whose keyrings are many; a user's are few. */
int launch_set_keyring(struct launch_child *c) {
        if (!(c->settings->resets & LAUNCH_RESET_KEYRING))
                return 0;
        return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}

int launch_set_capabilities(struct launch_child *c) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if ((c->settings->resets & LAUNCH_RESET_SECUREBITS) && prctl(PR_SET_SECUREBITS, SECUREBITS_DEFAULT, 0, 0, 0) < 0)
                return -errno;
        if (!(c->settings->resets & LAUNCH_RESET_CAPABILITIES))
                return 0;
        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        data[0].inheritable = data[1].inheritable = 0; /* the ambient ones go with them */
        return result(syscall(SYS_capset, &header, data));
}

int launch_set_root(struct launch_child *c) {
        const struct job_what *what = &c->launch->what;

        if (!what->root_directory)
                return 0;
        /* there need not be one in there */
        if (what->output.kind == JOB_OUTPUT_NULL || what->error.kind == JOB_OUTPUT_NULL) {
                c->null_fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY | O_NOCTTY | O_CLOEXEC);
                if (c->null_fd < 0)
                        return -errno;
        }
        int r = result(syscall(SYS_chroot, what->root_directory));
        return r == 0 ? result(syscall(SYS_chdir, "/")) : r;
}

int launch_set_groups(struct launch_child *c) {
        const struct job_what *what = &c->launch->what;

        if (!what->has_identity && !resets(c, LAUNCH_RESET_GROUPS))
                return 0;
        if (syscall(SYS_setgroups, what->n_groups, what->groups) == 0)
                return 0;
        /* a user's own instance has no right to, and nothing to change */
        return errno == EPERM && geteuid() != 0 && what->uid == geteuid() ? 0 : -errno;
}

int launch_set_group(struct launch_child *c) {
        gid_t gid = c->launch->what.gid; /* 0, root's, without an identity */

        if (!c->launch->what.has_identity && !resets(c, LAUNCH_RESET_GROUPS))
                return 0;
        return result(syscall(SYS_setresgid, gid, gid, gid));
}

int launch_set_user(struct launch_child *c) {
        uid_t uid = c->launch->what.uid;

        return c->launch->what.has_identity ? result(syscall(SYS_setresuid, uid, uid, uid)) : 0;
}

int launch_set_no_new_privileges(struct launch_child *c) {
        return c->launch->what.has_no_new_privs ? result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) : 0;
}

int launch_resolve_limits(struct limits *limits) {
        struct limit *descriptors = limits ? &limits->of[RLIMIT_NOFILE] : NULL;
        char text[32] = "";

        if (!limits || !(limits->set >> RLIMIT_NOFILE & 1) || descriptors->hard != LIMIT_INFINITY)
                return 0;
        /* there is no such thing, but a highest number */
        _cleanup_close_ int fd = open(MAX_DESCRIPTORS, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
                return -errno;
        descriptors->hard = strtoull(text, NULL, 10);
        if (descriptors->soft > descriptors->hard)
                descriptors->soft = descriptors->hard;
        return 0;
}
