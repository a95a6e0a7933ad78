// SPDX-License-Identifier: MIT
// inherited: what the runner was started with and its jobs are not to have.

#include "daemon/runner/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/core/util.h"

#define IOPRIO_WHO_PROCESS 1
#define PERSONALITY_ASK    0xffffffffUL

#define OWN_OOM_SCORE (-500)

struct rights {
        uint64_t effective, inheritable;
};

static struct rights read_rights(void) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

        if (syscall(SYS_capget, &header, data) < 0)
                return (struct rights){};
        return (struct rights){.effective = (uint64_t)data[1].effective << 32 | data[0].effective,
                               .inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable};
}

static bool has(const struct rights *rights, unsigned capability) {
        return rights->effective >> capability & 1;
}

static int read_oom_score(void) {
        _cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
        char text[16] = "";

        return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? atoi(text) : 0;
}

/* Jobs have the soft limits of limits.c; the hard ones are those that we were given. */
static void find_limits(struct limits *limits) {
        size_t n;
        const struct limit_row *rows = limit_rows(&n);

        for (size_t i = 0; i < n; i++) {
                struct rlimit64 has;
                if (syscall(SYS_prlimit64, 0, rows[i].resource, NULL, &has) < 0)
                        continue;
                uint64_t soft = rows[i].soft < has.rlim_max ? rows[i].soft : has.rlim_max;
                if (has.rlim_cur == soft && rows[i].resource != RLIMIT_NOFILE)
                        continue;
                limits->set |= UINT32_C(1) << rows[i].resource;
                limits->of[rows[i].resource] = (struct limit){.soft = soft, .hard = has.rlim_max};
        }
}

static void raise_descriptors(const struct limits *limits) {
        struct rlimit64 all = {.rlim_cur = limits->of[RLIMIT_NOFILE].hard, .rlim_max = limits->of[RLIMIT_NOFILE].hard};

        if (limits->set >> RLIMIT_NOFILE & 1)
                syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &all, NULL);
}

static unsigned find_scheduling(const struct rights *rights) {
        unsigned found = 0;

        if (!has(rights, CAP_SYS_NICE))
                return 0;
        if (sched_getscheduler(0) > SCHED_OTHER)
                found |= LAUNCH_RESET_CPU_POLICY;
        if (getpriority(PRIO_PROCESS, 0) != 0)
                found |= LAUNCH_RESET_NICE;
        return found;
}

/* Where keys may not be asked for at all, nobody else's can be. In a user's own instance they are the user's. */
static bool has_keyrings(void) {
        return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) >= 0 ||
               (errno != ENOSYS && errno != EPERM && errno != EACCES);
}

bool inherited_may_change_user(void) {
        const struct rights rights = read_rights();

        return has(&rights, CAP_SETUID) && has(&rights, CAP_SETGID);
}

void inherited_lower_oom_score(void) {
        if (read_oom_score() <= OWN_OOM_SCORE)
                return;
        _cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
                dprintf(fd, "%d", OWN_OOM_SCORE); /* as a user: EACCES */
}

void inherited_find(struct launch_settings *settings) {
        const struct rights rights = read_rights();
        int score = read_oom_score();
        unsigned resets = find_scheduling(&rights);

        find_limits(&settings->limits);
        raise_descriptors(&settings->limits);
        if (score < 0 || (score > 0 && has(&rights, CAP_SYS_RESOURCE)))
                resets |= LAUNCH_RESET_OOM_SCORE;
        if (syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) > 0)
                resets |= LAUNCH_RESET_IO_PRIORITY;
        if (personality(PERSONALITY_ASK) > 0)
                resets |= LAUNCH_RESET_PERSONALITY;
        if (prctl(PR_GET_SECUREBITS) > 0)
                resets |= LAUNCH_RESET_SECUREBITS;
        if (rights.inheritable)
                resets |= LAUNCH_RESET_CAPABILITIES;
        if (geteuid() == 0 && has_keyrings())
                resets |= LAUNCH_RESET_KEYRING;
        if (geteuid() == 0 && has(&rights, CAP_SETGID) && (getegid() != 0 || getgroups(0, NULL) > 0))
                resets |= LAUNCH_RESET_GROUPS;
        settings->resets = resets;
}
