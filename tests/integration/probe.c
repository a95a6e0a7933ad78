// SPDX-License-Identifier: MIT
// probe: a job that tells what it was given, one property a line, and asks the kernel for it by calls, so that it can tell it in an empty
// root, too. Linked statically, without a sanitizer, which would give it threads and handlers.

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define DESCRIPTORS 4096
#define GROUPS      1024

extern char **environ;

static void tell_descriptors(void) {
        static const char *const access[] = {"read", "write", "both", "?"};

        for (int fd = 0; fd < DESCRIPTORS; fd++) {
                int flags = fcntl(fd, F_GETFL), own = fcntl(fd, F_GETFD);
                struct stat st;
                if (flags < 0 || fstat(fd, &st) < 0)
                        continue;
                const char *kind = S_ISFIFO(st.st_mode)                                 ? "pipe"
                                   : S_ISREG(st.st_mode)                                ? "file"
                                   : S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) ? "null"
                                                                                        : "other";
                printf("descriptor %d %s %s%s%s%s\n", fd, kind, access[flags & O_ACCMODE], flags & O_APPEND ? " append" : "",
                       flags & O_NONBLOCK ? " nonblock" : "", own ? " cloexec" : "");
        }
}

static uint64_t bits(const sigset_t *set) {
        uint64_t mask = 0;

        for (int i = 1; i <= 64; i++)
                mask |= (uint64_t)(sigismember(set, i) == 1) << (i - 1);
        return mask;
}

static void tell_signals(void) {
        sigset_t blocked, pending;
        struct {
                unsigned long words[8];
        } action;
        uint64_t handled = 0;

        sigprocmask(SIG_SETMASK, NULL, &blocked);
        sigpending(&pending);
        for (int i = 1; i <= 64; i++)
                if (syscall(SYS_rt_sigaction, i, NULL, &action, sizeof(uint64_t)) == 0 && action.words[0] != 0)
                        handled |= UINT64_C(1) << (i - 1);
        printf("signals blocked %llx pending %llx not default %llx\n", (unsigned long long)bits(&blocked),
               (unsigned long long)bits(&pending), (unsigned long long)handled);
        for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
                struct itimerval timer;
                getitimer((__itimer_which_t)which, &timer);
                printf("timer %d %ld\n", which, (long)(timer.it_value.tv_sec + timer.it_value.tv_usec));
        }
}

static void tell_identity(void) {
        uid_t uid[3];
        gid_t gid[3], groups[GROUPS];
        int n = getgroups(GROUPS, groups);

        getresuid(&uid[0], &uid[1], &uid[2]);
        getresgid(&gid[0], &gid[1], &gid[2]);
        printf("user %u %u %u\ngroup %u %u %u\ngroups", uid[0], uid[1], uid[2], gid[0], gid[1], gid[2]);
        for (int i = 0; i < n; i++)
                printf(" %u", groups[i]);
        printf("\nsecure %lu\n", getauxval(AT_SECURE));
}

static void tell_capabilities(void) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {};
        int n_bounding = 0, n_ambient = 0;

        syscall(SYS_capget, &header, data);
        for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++) {
                n_bounding += prctl(PR_CAPBSET_READ, i) == 1;
                n_ambient += prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1;
        }
        int n_effective = __builtin_popcount(data[0].effective) + __builtin_popcount(data[1].effective);
        printf("capabilities effective %s inheritable %x%08x ambient %d\n",
               n_effective == 0            ? "none"
               : n_effective == n_bounding ? "all"
                                           : "some",
               data[1].inheritable, data[0].inheritable, n_ambient);
        printf("securebits %d\nno new privileges %d\ndumpable %d\nparent's death %d\nsubreaper %d\n", prctl(PR_GET_SECUREBITS),
               prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE), (prctl(PR_GET_PDEATHSIG, &n_ambient), n_ambient),
               (prctl(PR_GET_CHILD_SUBREAPER, &n_ambient), n_ambient));
}

static void tell_keyring(void) {
        char text[256] = "";
        long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1);

        if (n < 0)
                printf("keyring %s\n", strerrorname_np(errno));
        else
                printf("keyring %s keys %ld\n", strrchr(text, ';') + 1,
                       syscall(SYS_keyctl, KEYCTL_READ, KEY_SPEC_SESSION_KEYRING, NULL, 0) / (long)sizeof(int32_t));
}

static void tell_priorities(void) {
        struct sched_param param = {.sched_priority = -1};

        sched_getparam(0, &param);
        errno = 0;
        printf("nice %d\npolicy %d %d\ndisk %lx\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0), param.sched_priority,
               syscall(SYS_ioprio_get, 1, 0));
        printf("timer slack %d\npersonality %x\n", prctl(PR_GET_TIMERSLACK), personality(0xffffffff));
}

static void tell_limits(void) {
        for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
                struct rlimit limit = {};
                getrlimit((__rlimit_resource_t)i, &limit);
                printf("limit %d %lld %lld\n", i, (long long)limit.rlim_cur, (long long)limit.rlim_max);
        }
}

static void tell_places(void) {
        char path[4096];
        struct stat st;
        mode_t mask = umask(0);

        printf("umask %04o\nfolder %s\n", mask, getcwd(path, sizeof(path)) ? path : "?");
        stat("/", &st);
        printf("root %llu\n", (unsigned long long)st.st_ino);
        printf("terminal %s\n", open("/dev/tty", O_RDWR | O_CLOEXEC) < 0 ? "none" : "one");
        printf("session %s\nprocess group %s\nparent %d\n", getsid(0) == getpid() ? "own" : "other",
               getpgid(0) == getpid() ? "own" : "other", getppid());
}

/* A file of one line, where there is one. */
static void tell_file(const char *name, const char *path) {
        FILE *file = fopen(path, "re");
        char line[4096];

        if (file && fgets(line, sizeof(line), file))
                printf("%s %s", name, line);
        if (file)
                fclose(file);
}

int main(void) {
        tell_descriptors();
        tell_signals();
        tell_identity();
        tell_capabilities();
        tell_keyring();
        tell_priorities();
        tell_limits();
        tell_places();
        tell_file("oom score", "/proc/self/oom_score_adj");
        for (char **variable = environ; *variable; variable++)
                printf("variable %s\n", *variable);
        return fflush(stdout) == 0 ? 0 : 1;
}
