// SPDX-License-Identifier: MIT
// cgroups: the part of the cgroup v2 tree that was given to us.
// A cgroup with processes may have no children with controllers, so we are in one leaf and the runs in others: runner/, jobs/JOB@N.

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
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/runner/cgroup_internal.h"

#define FOREIGN "is another user's, or others can write there"

/* ---- what a runner before us has left ---- */

struct emptying {
        const struct cgroups *cgroups;
        int64_t until_bt_us;
        unsigned n, n_left;
};

static int kill_one(int dir_fd, const char *name, void *userdata) {
        struct emptying *emptying = userdata;
        _cleanup_close_ int fd = cgroup_open_folder(dir_fd, name);
        int n = fd < 0 ? fd : cgroup_signal(fd, 0, -1, SIGKILL);

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
                if (cgroup_find_number(text, "populated", &populated) < 0 || populated == 0)
                        return;
                poll(&poll_fd, 1, (int)(left_us / 1000) + 1);
        }
}

static int finish_one(int dir_fd, const char *name, void *userdata) {
        struct emptying *emptying = userdata;
        _cleanup_close_ int fd = cgroup_open_folder(dir_fd, name);

        if (fd >= 0)
                wait_empty(fd, emptying->until_bt_us);
        if (cgroup_remove(emptying->cgroups, name) < 0)
                emptying->n_left++;
        return 0;
}

struct visit {
        int (*fn)(int dir_fd, const char *name, void *userdata);
        void *userdata;
};

/* No job's name has the sign: what else is there is not ours. */
static int visit_run(int dir_fd, const char *name, void *userdata) {
        const struct visit *visit = userdata;
        return strchr(name, '@') ? visit->fn(dir_fd, name, visit->userdata) : 0;
}

int cgroups_each(const struct cgroups *cgroups, int (*fn)(int dir_fd, const char *name, void *userdata), void *userdata) {
        return cgroup_for_each_child(cgroups->jobs_fd, visit_run, &(struct visit){.fn = fn, .userdata = userdata});
}

unsigned cgroups_empty(struct cgroups *cgroups, int64_t patience_us, unsigned *ret_n_left) {
        struct emptying emptying = {.cgroups = cgroups, .until_bt_us = clock_now().bt_us + patience_us};

        cgroups_each(cgroups, kill_one, &emptying);
        cgroups_each(cgroups, finish_one, &emptying);
        *ret_n_left = emptying.n_left;
        return emptying.n;
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

/* Our own cgroup, by its path in the cgroup v2. */
static int read_own(char own[static PATH_MAX]) {
        char text[PATH_MAX];
        int r = cgroup_read_text(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
        const char *at = r < 0 ? NULL : strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");

        if (!at)
                return r < 0 ? r : -ENOENT;
        at += *at == '\n' ? strlen("\n0::") : strlen("0::");
        snprintf(own, PATH_MAX, "%.*s", (int)strcspn(at, "\n"), at);
        return 0;
}

int cgroups_own(const struct cgroups *cgroups, char *path, size_t size) {
        char own[PATH_MAX];
        int r = read_own(own);

        if (r < 0)
                return r;
        char *leaf = cgroups ? strrchr(own, '/') : NULL; /* "runner" */
        if (leaf)
                leaf[leaf == own] = '\0';
        int n = snprintf(path, size, "%s", own);
        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* The folder of our own cgroup. */
static int find_own(char path[static PATH_MAX]) {
        char own[PATH_MAX], mount[PATH_MAX], root[PATH_MAX];
        int r = read_own(own);

        if (r == 0)
                r = find_mount(mount, root);
        if (r < 0)
                return r;
        size_t root_size = strcmp(root, "/") == 0 ? 0 : strlen(root);
        if (strncmp(own, root, root_size) != 0)
                return -ENOENT; /* ours is not seen there */
        int n = snprintf(path, PATH_MAX, "%s%s", mount, own + root_size);
        return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool is_delegated(int dir_fd) {
        char value = 0;

        return (fgetxattr(dir_fd, "user.delegate", &value, 1) == 1 && value == '1') ||
               (fgetxattr(dir_fd, "trusted.delegate", &value, 1) == 1 && value == '1');
}

/* Who else could write there could move our processes, and put his own in. */
static bool is_ours(int dir_fd) {
        struct stat st;

        return fstat(dir_fd, &st) == 0 && util_is_protected(&st);
}

static bool is_alone(int dir_fd) {
        pid_t pids[2];

        return cgroup_read_members(dir_fd, pids, 2) == 1 && pids[0] == getpid();
}

/* Our own cgroup, or, where we are a runner that was executed anew, the one that has our leaf. -ENOENT: there is none to have; one without
 * systemd's mark of delegation is only where is_marked is not asked for. */
static int open_own(bool is_marked, char why[static CGROUP_WHY_MAX]) {
        char path[PATH_MAX];
        int r = find_own(path), fd;

        if (r < 0) {
                snprintf(why, CGROUP_WHY_MAX, "there is no cgroup v2 for us: %s", strerror(-r));
                return r;
        }
        char *last = strrchr(path, '/');
        if (last && last > path && strcmp(last, "/runner") == 0)
                *last = '\0';
        if ((fd = cgroup_open_folder(AT_FDCWD, path)) < 0)
                snprintf(why, CGROUP_WHY_MAX, "%.400s: %s", path, strerror(-fd));
        else if (is_marked && !is_delegated(fd))
                snprintf(why, CGROUP_WHY_MAX, "%.400s is not delegated to us (Delegate=yes)", path);
        else if (!is_ours(fd))
                snprintf(why, CGROUP_WHY_MAX, "%.400s: " FOREIGN, path);
        else if (!*last || is_alone(fd))
                return fd;
        else
                snprintf(why, CGROUP_WHY_MAX, "%.400s is delegated, but not to us alone", path);
        util_close(fd);
        return -ENOENT;
}

static int open_named(const char *path, char why[static CGROUP_WHY_MAX]) {
        struct statfs fs;
        int fd = *path == '/' ? cgroup_open_folder(AT_FDCWD, path) : -EINVAL;
        int r = fd < 0 ? fd : fstatfs(fd, &fs) < 0 ? -errno : fs.f_type == CGROUP2_SUPER_MAGIC ? 0 : -ENOTSUP;

        if (r == 0 && !is_ours(fd))
                r = -EPERM;
        if (r == 0)
                return fd;
        snprintf(why, CGROUP_WHY_MAX, "%.400s: %s", path,
                 r == -EPERM     ? FOREIGN
                 : r == -ENOTSUP ? "no folder of a cgroup v2"
                 : r == -EINVAL  ? "give auto, own, none or the whole path of a cgroup v2"
                                 : strerror(-r));
        util_close(fd);
        return r;
}

static int make_child(int dir_fd, const char *name) {
        return mkdirat(dir_fd, name, 0755) < 0 && errno != EEXIST ? -errno : cgroup_open_folder(dir_fd, name);
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

static const struct {
        const char *word;
        enum cgroup_controller controller;
} controllers[] = {{"cpu", CGROUP_CPU}, {"memory", CGROUP_MEMORY}, {"pids", CGROUP_PIDS}};

/* Each alone, for what one can't have the others may. */
static void enable_controllers(struct cgroups *cgroups) {
        for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
                char text[16];
                snprintf(text, sizeof(text), "+%s", controllers[i].word);
                if (cgroup_write_text(cgroups->dir_fd, "cgroup.subtree_control", text) == 0 &&
                    cgroup_write_text(cgroups->jobs_fd, "cgroup.subtree_control", text) == 0)
                        cgroups->controllers |= controllers[i].controller;
        }
}

unsigned cgroups_possible(void) {
        char mount[PATH_MAX], root[PATH_MAX], text[256], *rest = text;
        unsigned possible = 0;
        _cleanup_close_ int fd = find_mount(mount, root) == 0 ? cgroup_open_folder(AT_FDCWD, mount) : -1;

        if (fd < 0 || cgroup_read_text(fd, "cgroup.controllers", text, sizeof(text)) < 0)
                return 0;
        for (const char *word; (word = strsep(&rest, " \n"));)
                for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
                        if (strcmp(word, controllers[i].word) == 0)
                                possible |= controllers[i].controller;
        return possible;
}

unsigned cgroups_controllers(const struct cgroups *cgroups) {
        return cgroups ? cgroups->controllers : 0;
}

/* Makes both children, locks one and enters the other. */
static int settle(struct cgroups *cgroups, char why[static CGROUP_WHY_MAX]) {
        const char *step = "jobs";
        char depth[16];
        int r = cgroups->jobs_fd = make_child(cgroups->dir_fd, "jobs");

        if (r >= 0)
                r = cgroups->lock_fd = lock_jobs(cgroups->jobs_fd);
        if (r >= 0) {
                /* so that all of a run is found and can be taken away; what can't be limited is root's own doing */
                snprintf(depth, sizeof(depth), "%d", 1 + CGROUP_DEPTH_MAX);
                cgroup_write_text(cgroups->jobs_fd, "cgroup.max.depth", depth);
                step = "runner";
                _cleanup_close_ int fd = r = make_child(cgroups->dir_fd, "runner");
                r = r < 0 ? r : cgroup_write_text(fd, "cgroup.procs", "0");
        }
        if (r < 0)
                snprintf(why, CGROUP_WHY_MAX, "%s/ in our cgroup: %s", step,
                         r == -EBUSY ? "another instance has it" : strerror(-r));
        return r;
}

int cgroups_open(const char *option, struct cgroups **ret, char why[static CGROUP_WHY_MAX]) {
        bool is_auto = !option || strcmp(option, "auto") == 0, is_own = option && strcmp(option, "own") == 0;

        *why = '\0';
        if (option && strcmp(option, "none") == 0)
                return 1;
        int fd = is_auto || is_own ? open_own(is_auto, why) : open_named(option, why);
        if (fd < 0)
                return (is_auto || is_own) && fd == -ENOENT ? 1 : fd;
        struct cgroups *cgroups = malloc(sizeof(*cgroups));
        if (!cgroups) {
                util_close(fd);
                return -ENOMEM;
        }
        *cgroups = (struct cgroups){.dir_fd = fd, .jobs_fd = -1, .lock_fd = -1};
        int r = settle(cgroups, why);
        if (r < 0) {
                cgroups_free(cgroups);
                return is_own && (r == -EACCES || r == -EPERM || r == -EROFS) ? 1 : r; /* it was not given to us after all */
        }
        enable_controllers(cgroups);
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
