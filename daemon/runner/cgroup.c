// SPDX-License-Identifier: MIT
// cgroup: a part of the cgroup v2 tree that was given to us.
// A cgroup with processes may have no children with controllers, so we are in one leaf and the runs in others: runner/, jobs/JOB@N.
// A process is signalled through a pidfd that was opened between two readings of the list which both name its number: then it was
// a member's when the pidfd was opened, or that process is gone.

#include "daemon/runner/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"

#define DEPTH_MAX  32   /* of cgroups that a job makes below its own */
#define ROUNDS_MAX 8    /* of signals to what forks meanwhile */
#define PROCS_MAX  4096 /* members of one cgroup that a round signals */
#define BATCH      64   /* of descriptors */

struct cgroups {
        int dir_fd, jobs_fd;
        int lock_fd; /* locked: nobody else has jobs/ */
};

/* ---- small files ---- */

/* Reads a file of the kernel's as text. 0 or a negative error. */
static int read_text(int dir_fd, const char *path, char *buf, size_t size) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

        if (n < 0)
                return -errno;
        buf[n] = '\0';
        return 0;
}

static int write_text(int dir_fd, const char *path, const char *text) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* The number behind a key in lines of "KEY NUMBER". 0, or -EBADMSG: it is not there. */
static int find_number(const char *text, const char *key, uint64_t *ret) {
        size_t size = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, key, size) == 0 && line[size] == ' ') {
                        *ret = strtoull(line + size + 1, NULL, 10);
                        return 0;
                }
        return -EBADMSG;
}

static int open_folder(int dir_fd, const char *name) {
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

/* ---- children ---- */

/* Calls fn for each child, with its name. The first error ends it. */
static int for_each_child(int dir_fd, int (*fn)(int dir_fd, const char *name, void *userdata), void *userdata) {
        int fd = open_folder(dir_fd, "."), r = 0;
        DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *entry;

        if (!stream) {
                r = fd < 0 ? fd : -errno;
                util_close(fd);
                return r;
        }
        while (r == 0 && (entry = readdir(stream)))
                if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
                        r = fn(dir_fd, entry->d_name, userdata);
        closedir(stream);
        return r;
}

static int remove_tree(int dir_fd, const char *name, void *depth) {
        unsigned below = *(unsigned *)depth + 1;

        if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        if (errno != EBUSY || below > DEPTH_MAX)
                return -errno;
        _cleanup_close_ int fd = open_folder(dir_fd, name);
        int r = fd < 0 ? fd : for_each_child(fd, remove_tree, &below);
        if (r < 0)
                return r;
        return unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

int cgroup_remove(const struct cgroups *cgroups, const char *name) {
        unsigned depth = 0;

        return remove_tree(cgroups->jobs_fd, name, &depth);
}

/* ---- one cgroup ---- */

int cgroup_make(const struct cgroups *cgroups, const char *name, bool is_fresh) {
        if (is_fresh) {
                int r = cgroup_remove(cgroups, name);
                if (r < 0)
                        return r;
        }
        if (mkdirat(cgroups->jobs_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        return open_folder(cgroups->jobs_fd, name);
}

int cgroup_look(int dir_fd, struct cgroup_state *ret) {
        char text[1024];
        uint64_t populated, frozen = 0, cpu_us;
        int r = read_text(dir_fd, "cgroup.events", text, sizeof(text));

        if (r == 0)
                r = find_number(text, "populated", &populated);
        if (r == 0)
                find_number(text, "frozen", &frozen); /* since 5.2 */
        if (r == 0)
                r = read_text(dir_fd, "cpu.stat", text, sizeof(text));
        if (r == 0)
                r = find_number(text, "usage_usec", &cpu_us);
        if (r < 0)
                return r;
        *ret = (struct cgroup_state){.has_processes = populated > 0, .is_frozen = frozen > 0, .cpu_us = (int64_t)cpu_us};
        return 0;
}

/* The members of one cgroup, without those of its children: at most max. How many there are in pids, or a negative error. */
static int read_members(int dir_fd, pid_t *pids, int max) {
        _cleanup_close_ int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;
        int n = 0, pid;

        if (!f)
                return -errno;
        fd = -1; /* given */
        while (n < max && fscanf(f, "%d", &pid) == 1)
                if (pid > 0) /* 0: of a namespace that is not below ours */
                        pids[n++] = pid;
        fclose(f);
        return n;
}

struct round {
        pid_t *pids, *again;
        unsigned depth;
        pid_t main_pid;
        bool has_main;
        int signal, n;
};

static bool has_pid(const pid_t *pids, int n, pid_t pid) {
        for (int i = 0; i < n; i++)
                if (pids[i] == pid)
                        return true;
        return false;
}

static void send_signal(int pidfd, int signal) {
        syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
        if (signal != SIGKILL)
                syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
}

static void signal_some(int dir_fd, const struct round *round, const pid_t *pids, int n) {
        int pidfds[BATCH];

        for (int i = 0; i < n; i++)
                pidfds[i] = (int)syscall(SYS_pidfd_open, pids[i], 0);
        int n_again = read_members(dir_fd, round->again, PROCS_MAX);
        for (int i = 0; i < n; i++) {
                if (pidfds[i] >= 0 && has_pid(round->again, n_again, pids[i]))
                        send_signal(pidfds[i], round->signal);
                util_close(pidfds[i]);
        }
}

static int signal_members(int dir_fd, struct round *round) {
        int n = read_members(dir_fd, round->pids, PROCS_MAX);

        if (n < 0)
                return n;
        round->n += n;
        round->has_main |= has_pid(round->pids, n, round->main_pid);
        for (int i = 0; round->signal > 0 && i < n; i += BATCH)
                signal_some(dir_fd, round, round->pids + i, n - i < BATCH ? n - i : BATCH);
        return 0;
}

static int signal_tree(int dir_fd, const char *name, void *userdata) {
        struct round *round = userdata;
        _cleanup_close_ int fd = open_folder(dir_fd, name);

        if (fd < 0)
                return fd == -ENOENT && round->depth > 0 ? 0 : fd;
        if (round->depth > DEPTH_MAX)
                return 0;
        round->depth++;
        int r = signal_members(fd, round);
        if (r == 0)
                r = for_each_child(fd, signal_tree, round);
        round->depth--;
        return r == -ENODEV ? 0 : r; /* it was taken away meanwhile */
}

/* Before 5.14: nothing forks while it is frozen, and what is frozen can be killed. */
static int kill_frozen(int dir_fd, const char *name, struct round *round) {
        _cleanup_close_ int fd = open_folder(dir_fd, name);
        int r = fd < 0 ? fd : write_text(fd, "cgroup.freeze", "1");

        round->signal = SIGKILL;
        for (int i = 0; r == 0 && i < ROUNDS_MAX; i++) {
                round->n = 0;
                r = signal_tree(dir_fd, name, round);
                if (round->n == 0)
                        break;
        }
        if (r == 0 && round->n == 0)
                r = write_text(fd, "cgroup.freeze", "0");
        return r;
}

static int signal_all(int dir_fd, const char *name, int signal, struct round *round) {
        char path[CGROUP_NAME_MAX + sizeof("/cgroup.kill")];
        int r;

        if (signal != SIGKILL) {
                round->signal = signal;
                return signal_tree(dir_fd, name, round);
        }
        r = signal_tree(dir_fd, name, round); /* to count them */
        snprintf(path, sizeof(path), "%.*s/cgroup.kill", CGROUP_NAME_MAX, name);
        if (r == 0 && round->n > 0)
                r = write_text(dir_fd, path, "1");
        return r == -ENOENT ? kill_frozen(dir_fd, name, round) : r;
}

int cgroup_signal(const struct cgroups *cgroups, const char *name, pid_t main_pid, int signal) {
        _cleanup_free_ pid_t *pids = calloc(2 * PROCS_MAX, sizeof(*pids));
        struct round round = {.pids = pids, .again = pids ? pids + PROCS_MAX : NULL, .main_pid = main_pid};
        int r = pids ? signal_all(cgroups->jobs_fd, name, signal, &round) : -ENOMEM;

        if (main_pid > 0 && signal > 0 && !round.has_main) {
                _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, main_pid, 0);
                if (pidfd >= 0)
                        send_signal(pidfd, signal);
        }
        return r < 0 ? r : round.n;
}

/* ---- what a runner before us has left ---- */

struct emptying {
        const struct cgroups *cgroups;
        int64_t until_bt_us;
        unsigned n, n_left;
};

static int kill_one(int dir_fd, const char *name, void *userdata) {
        struct emptying *emptying = userdata;
        int n = cgroup_signal(emptying->cgroups, name, 0, SIGKILL);

        (void)dir_fd;
        emptying->n += n > 0 ? (unsigned)n : 0;
        return 0;
}

/* Waits until nobody is in it: the kernel tells changes of cgroup.events. */
static void wait_empty(int dir_fd, int64_t until_bt_us) {
        _cleanup_close_ int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct pollfd poll_fd = {.fd = fd, .events = POLLPRI};
        char text[256];
        int64_t left_us;

        while (fd >= 0 && (left_us = until_bt_us - clock_now().bt_us) > 0) {
                uint64_t populated;
                ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
                if (n < 0)
                        return;
                text[n] = '\0';
                if (find_number(text, "populated", &populated) < 0 || populated == 0)
                        return;
                poll(&poll_fd, 1, (int)(left_us / 1000) + 1);
        }
}

static int finish_one(int dir_fd, const char *name, void *userdata) {
        struct emptying *emptying = userdata;
        _cleanup_close_ int fd = open_folder(dir_fd, name);

        if (fd >= 0)
                wait_empty(fd, emptying->until_bt_us);
        if (cgroup_remove(emptying->cgroups, name) < 0)
                emptying->n_left++;
        return 0;
}

unsigned cgroups_empty(struct cgroups *cgroups, int64_t patience_us, unsigned *ret_n_left) {
        struct emptying emptying = {.cgroups = cgroups, .until_bt_us = clock_now().bt_us + patience_us};

        for_each_child(cgroups->jobs_fd, kill_one, &emptying);
        for_each_child(cgroups->jobs_fd, finish_one, &emptying);
        *ret_n_left = emptying.n_left;
        return emptying.n;
}

int cgroups_each(const struct cgroups *cgroups, int (*fn)(int dir_fd, const char *name, void *userdata), void *userdata) {
        return for_each_child(cgroups->jobs_fd, fn, userdata);
}

/* ---- what was given to us ---- */

/* Where the cgroup v2 is mounted, and which part of it is seen there: the first such line of mountinfo. */
static int find_mount(char mount[static PATH_MAX], char root[static PATH_MAX]) {
        FILE *f = fopen("/proc/self/mountinfo", "re");
        _cleanup_free_ char *line = NULL;
        size_t allocated = 0;
        int r = -ENOENT;

        if (!f)
                return -errno;
        while (r < 0 && getline(&line, &allocated, f) >= 0) {
                const char *behind = strstr(line, " - cgroup2 ");
                if (behind && sscanf(line, "%*d %*d %*s %4095s %4095s", root, mount) == 2)
                        r = 0;
        }
        fclose(f);
        return r;
}

/* The folder of our own cgroup. */
static int find_own(char path[static PATH_MAX]) {
        char text[PATH_MAX], mount[PATH_MAX], root[PATH_MAX];
        int r = read_text(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
        const char *own = r < 0 ? NULL : strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");

        if (r == 0)
                r = own ? find_mount(mount, root) : -ENOENT;
        if (r < 0)
                return r;
        own += *own == '\n' ? strlen("\n0::") : strlen("0::");
        size_t size = strcspn(own, "\n"), root_size = strcmp(root, "/") == 0 ? 0 : strlen(root);
        if (size < root_size || strncmp(own, root, root_size) != 0)
                return -ENOENT; /* ours is not seen there */
        int n = snprintf(path, PATH_MAX, "%s%.*s", mount, (int)(size - root_size), own + root_size);
        return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool is_delegated(int dir_fd) {
        char value = 0;

        return (fgetxattr(dir_fd, "user.delegate", &value, 1) == 1 && value == '1') ||
               (fgetxattr(dir_fd, "trusted.delegate", &value, 1) == 1 && value == '1');
}

static bool is_alone(int dir_fd) {
        pid_t pids[2];

        return read_members(dir_fd, pids, 2) == 1 && pids[0] == getpid();
}

/* Our own cgroup, or, where we are a runner that was executed anew, the one that has our leaf. -ENOENT: there is none to have. */
static int open_own(char why[static CGROUP_WHY_MAX]) {
        char path[PATH_MAX];
        int r = find_own(path), fd;

        if (r < 0) {
                snprintf(why, CGROUP_WHY_MAX, "there is no cgroup v2 for us: %s", strerror(-r));
                return r;
        }
        char *last = strrchr(path, '/');
        if (last && last > path && strcmp(last, "/runner") == 0)
                *last = '\0';
        if ((fd = open_folder(AT_FDCWD, path)) < 0)
                snprintf(why, CGROUP_WHY_MAX, "%.400s: %s", path, strerror(-fd));
        else if (!is_delegated(fd))
                snprintf(why, CGROUP_WHY_MAX, "%.400s is not delegated to us (Delegate=yes)", path);
        else if (!*last || is_alone(fd))
                return fd;
        else
                snprintf(why, CGROUP_WHY_MAX, "%.400s is delegated, but not to us alone", path);
        util_close(fd);
        return -ENOENT;
}

static int open_named(const char *path, char why[static CGROUP_WHY_MAX]) {
        struct statfs fs;
        int fd = *path == '/' ? open_folder(AT_FDCWD, path) : -EINVAL;
        int r = fd < 0 ? fd : fstatfs(fd, &fs) < 0 ? -errno : fs.f_type == CGROUP2_SUPER_MAGIC ? 0 : -ENOTSUP;

        if (r == 0)
                return fd;
        snprintf(why, CGROUP_WHY_MAX, "%.400s: %s", path,
                 r == -ENOTSUP  ? "no folder of a cgroup v2"
                 : r == -EINVAL ? "give auto, none or the whole path of a cgroup v2"
                                : strerror(-r));
        util_close(fd);
        return r;
}

static int make_child(int dir_fd, const char *name) {
        return mkdirat(dir_fd, name, 0755) < 0 && errno != EEXIST ? -errno : open_folder(dir_fd, name);
}

/* As of a process, so that a child that has not come to its program holds nothing. */
static int lock_jobs(int jobs_fd) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = openat(jobs_fd, "cgroup.procs", O_RDWR | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || fcntl(fd, F_SETLK, &whole) == 0)
                return fd < 0 ? -errno : fd;
        int r = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
        util_close(fd);
        return r;
}

/* Makes both children, locks one and enters the other. */
static int settle(struct cgroups *cgroups, char why[static CGROUP_WHY_MAX]) {
        const char *step = "jobs";
        int r = cgroups->jobs_fd = make_child(cgroups->dir_fd, "jobs");

        if (r >= 0)
                r = cgroups->lock_fd = lock_jobs(cgroups->jobs_fd);
        if (r >= 0) {
                step = "runner";
                _cleanup_close_ int fd = r = make_child(cgroups->dir_fd, "runner");
                r = r < 0 ? r : write_text(fd, "cgroup.procs", "0");
        }
        if (r < 0)
                snprintf(why, CGROUP_WHY_MAX, "%s/ in our cgroup: %s", step,
                         r == -EBUSY ? "another instance has it" : strerror(-r));
        return r;
}

int cgroups_open(const char *option, struct cgroups **ret, char why[static CGROUP_WHY_MAX]) {
        bool is_auto = !option || strcmp(option, "auto") == 0;

        *why = '\0';
        if (option && strcmp(option, "none") == 0)
                return 1;
        int fd = is_auto ? open_own(why) : open_named(option, why);
        if (fd < 0)
                return is_auto && fd == -ENOENT ? 1 : fd;
        struct cgroups *cgroups = malloc(sizeof(*cgroups));
        if (!cgroups) {
                util_close(fd);
                return -ENOMEM;
        }
        *cgroups = (struct cgroups){.dir_fd = fd, .jobs_fd = -1, .lock_fd = -1};
        int r = settle(cgroups, why);
        if (r < 0) {
                cgroups_free(cgroups);
                return r;
        }
        *ret = cgroups;
        return 0;
}

struct cgroups *cgroups_free(struct cgroups *cgroups) {
        if (!cgroups)
                return NULL;
        util_close(cgroups->lock_fd);
        util_close(cgroups->jobs_fd);
        util_close(cgroups->dir_fd);
        free(cgroups);
        return NULL;
}
