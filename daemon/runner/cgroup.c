// SPDX-License-Identifier: MIT
// cgroup: what is done to the cgroup of a run: made, limited, asked, signalled, removed.
// A process is signalled through a pidfd that was opened between two readings of the list which both name its number: then it was
// a member's when the pidfd was opened, or that process is gone.

#include "daemon/runner/cgroup_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "config/amount.h"
#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/util.h"

#define ROUNDS_MAX 8    /* of signals to what forks meanwhile */
#define PROCS_MAX  4096 /* members of one cgroup that a round signals */
#define BATCH      64   /* of descriptors */

#define CPU_PERIOD_US     (100 * USEC_PER_MSEC)
#define CPU_PERIOD_MAX_US USEC_PER_SEC
#define CPU_QUOTA_MIN_US  USEC_PER_MSEC

/* ---- small files ---- */

int cgroup_read_text(int dir_fd, const char *path, char *buf, size_t size) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

        if (n < 0)
                return -errno;
        buf[n] = '\0';
        return 0;
}

int cgroup_write_text(int dir_fd, const char *path, const char *text) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int cgroup_find_number(const char *text, const char *key, uint64_t *ret) {
        size_t size = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, key, size) == 0 && line[size] == ' ') {
                        *ret = strtoull(line + size + 1, NULL, 10);
                        return 0;
                }
        return -EBADMSG;
}

int cgroup_open_folder(int dir_fd, const char *name) {
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

/* ---- children ---- */

int cgroup_for_each_child(int dir_fd, int (*fn)(int dir_fd, const char *name, void *userdata), void *userdata) {
        int fd = cgroup_open_folder(dir_fd, "."), r = 0;
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
        if (errno != EBUSY || below > CGROUP_DEPTH_MAX)
                return -errno;
        _cleanup_close_ int fd = cgroup_open_folder(dir_fd, name);
        int r = fd < 0 ? fd : cgroup_for_each_child(fd, remove_tree, &below);
        if (r < 0)
                return r;
        return unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

int cgroup_remove(const struct cgroups *cgroups, const char *name) {
        unsigned depth = 0;

        return remove_tree(cgroups->jobs_fd, name, &depth);
}

/* ---- one cgroup ---- */

/* How much there is of what is limited. */
static uint64_t machine_memory(void) {
        struct sysinfo info;

        return sysinfo(&info) < 0 ? UINT64_MAX : (uint64_t)info.totalram * info.mem_unit;
}

static uint64_t machine_tasks(void) {
        uint64_t least = UINT64_MAX;
        char text[32];

        if (cgroup_read_text(AT_FDCWD, "/proc/sys/kernel/pid_max", text, sizeof(text)) == 0)
                least = strtoull(text, NULL, 10);
        if (cgroup_read_text(AT_FDCWD, "/proc/sys/kernel/threads-max", text, sizeof(text)) == 0 &&
            strtoull(text, NULL, 10) < least)
                least = strtoull(text, NULL, 10);
        return least;
}

/* Writes a limit; 0: none, which it is already in a cgroup that had none before. */
static int limit_number(const struct cgroup *cgroup, const char *path, uint64_t n) {
        char text[24] = "max";

        if (n == 0 && !cgroup->has_limits)
                return 0;
        if (n > 0)
                snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
        return cgroup_write_text(cgroup->dir_fd, path, text);
}

/* Below a hundredth of a processor the period is longer, for the kernel counts in milliseconds. */
static int limit_cpu(const struct cgroup *cgroup, uint64_t quota) {
        uint64_t period_us = quota < AMOUNT_SHARE_ONE / 100 ? CPU_PERIOD_MAX_US : CPU_PERIOD_US;
        uint64_t quota_us = quota * period_us / AMOUNT_SHARE_ONE;
        char text[48] = "max";

        if (quota == 0 && !cgroup->has_limits)
                return 0;
        if (quota > 0)
                snprintf(text, sizeof(text), "%llu %llu",
                         (unsigned long long)(quota_us < CPU_QUOTA_MIN_US ? CPU_QUOTA_MIN_US : quota_us),
                         (unsigned long long)period_us);
        return cgroup_write_text(cgroup->dir_fd, "cpu.max", text);
}

static int limit(const struct cgroups *cgroups, const struct job_what *what, struct cgroup *cgroup) {
        bool has_limits = what->memory_max.n > 0 || what->tasks_max.n > 0 || what->cpu_quota > 0;
        uint64_t memory = what->memory_max.is_share ? machine_memory() : 0,
                 tasks = what->tasks_max.is_share ? machine_tasks() : 0;
        int r = 0;

        if (!has_limits && !cgroup->has_limits)
                return 0;
        if (cgroups->controllers & CGROUP_MEMORY)
                r = limit_number(cgroup, "memory.max", amount_of(&what->memory_max, memory));
        if (r == 0 && cgroups->controllers & CGROUP_PIDS)
                r = limit_number(cgroup, "pids.max", amount_of(&what->tasks_max, tasks));
        if (r == 0 && cgroups->controllers & CGROUP_CPU)
                r = limit_cpu(cgroup, what->cpu_quota);
        cgroup->has_limits = has_limits;
        return r;
}

void cgroup_close(struct cgroup *cgroup) {
        util_close(cgroup->dir_fd);
        util_close(cgroup->peak_fd);
        *cgroup = CGROUP_NONE;
}

int cgroup_open(const struct cgroups *cgroups, const char *name, struct cgroup *cgroup) {
        struct cgroup_state state;
        bool is_new = mkdirat(cgroups->jobs_fd, name, 0755) == 0;
        if (!is_new && errno != EEXIST)
                return -errno;
        cgroup->dir_fd = cgroup_open_folder(cgroups->jobs_fd, name);
        if (cgroup->dir_fd < 0)
                return cgroup->dir_fd;
        if (!is_new) {
                int r = cgroup_look(cgroups, cgroup, &state);
                if (r < 0)
                        return r;
                cgroup->cpu_us = state.cpu_us;
                cgroup->oom_kills = state.oom_kills;
                cgroup->has_limits = true; /* who knows */
        }
        cgroup->has_own_peak = is_new;
        if (cgroups->controllers & CGROUP_MEMORY)
                cgroup->peak_fd = openat(cgroup->dir_fd, "memory.peak", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        return 0;
}

int cgroup_prepare(const struct cgroups *cgroups, const char *name, const struct job_what *what, bool is_fresh,
                   struct cgroup *cgroup) {
        bool is_worn = cgroups->controllers & CGROUP_MEMORY && cgroup->dir_fd >= 0 && cgroup->peak_fd < 0;
        int r = 0;

        if (is_fresh || is_worn) {
                cgroup_close(cgroup);
                r = cgroup_remove(cgroups, name);
        }
        if (r == 0 && cgroup->dir_fd < 0)
                r = cgroup_open(cgroups, name, cgroup);
        if (cgroup->peak_fd >= 0 && write(cgroup->peak_fd, "reset", strlen("reset")) > 0)
                cgroup->has_own_peak = true;
        else
                cgroup->peak_fd = util_close(cgroup->peak_fd); /* it can since 6.12 */
        return r == 0 ? limit(cgroups, what, cgroup) : r;
}

/* 0 where it is not known. */
static uint64_t read_peak(const struct cgroup *cgroup) {
        char text[32] = "";

        if (!cgroup->has_own_peak)
                return 0;
        if (cgroup->peak_fd < 0)
                return cgroup_read_text(cgroup->dir_fd, "memory.peak", text, sizeof(text)) == 0 ? strtoull(text, NULL, 10) : 0;
        return pread(cgroup->peak_fd, text, sizeof(text) - 1, 0) > 0 ? strtoull(text, NULL, 10) : 0;
}

bool cgroup_is_empty(const struct cgroup *cgroup) {
        char text[256];
        uint64_t populated;
        int r = cgroup_read_text(cgroup->dir_fd, "cgroup.events", text, sizeof(text));

        if (r < 0)
                return r == -ENOENT || r == -ENODEV; /* it was taken away; else who knows */
        return cgroup_find_number(text, "populated", &populated) < 0 || populated == 0;
}

int cgroup_look(const struct cgroups *cgroups, const struct cgroup *cgroup, struct cgroup_state *ret) {
        char text[2048];
        uint64_t populated, frozen = 0, cpu_us;
        struct cgroup_state state = {};
        int r = cgroup_read_text(cgroup->dir_fd, "cgroup.events", text, sizeof(text));

        if (r == 0)
                r = cgroup_find_number(text, "populated", &populated);
        if (r == 0)
                cgroup_find_number(text, "frozen", &frozen); /* since 5.2 */
        if (r == 0)
                r = cgroup_read_text(cgroup->dir_fd, "cpu.stat", text, sizeof(text));
        if (r == 0)
                r = cgroup_find_number(text, "usage_usec", &cpu_us);
        if (r == 0 && cgroups->controllers & CGROUP_MEMORY) {
                state.memory_peak = read_peak(cgroup);
                r = cgroup_read_text(cgroup->dir_fd, "memory.events", text, sizeof(text));
                if (r == 0)
                        r = cgroup_find_number(text, "oom_kill", &state.oom_kills);
        }
        if (r < 0)
                return r;
        state.has_processes = populated > 0;
        state.is_frozen = frozen > 0;
        state.cpu_us = (int64_t)cpu_us;
        *ret = state;
        return 0;
}

int cgroup_read_members(int dir_fd, pid_t *pids, int max) {
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
        int n_again = cgroup_read_members(dir_fd, round->again, PROCS_MAX);
        for (int i = 0; i < n; i++) {
                if (pidfds[i] >= 0 && has_pid(round->again, n_again, pids[i]))
                        send_signal(pidfds[i], round->signal);
                util_close(pidfds[i]);
        }
}

static int signal_members(int dir_fd, struct round *round) {
        int n = cgroup_read_members(dir_fd, round->pids, PROCS_MAX);

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
        _cleanup_close_ int fd = cgroup_open_folder(dir_fd, name);

        if (fd < 0)
                return fd == -ENOENT && round->depth > 0 ? 0 : fd;
        if (round->depth > CGROUP_DEPTH_MAX)
                return 0;
        round->depth++;
        int r = signal_members(fd, round);
        if (r == 0)
                r = cgroup_for_each_child(fd, signal_tree, round);
        round->depth--;
        return r == -ENODEV ? 0 : r; /* it was taken away meanwhile */
}

/* What is in none of the lists counts as one: in a cgroup too deep, or whose processes are told where nobody looks (threaded). */
static int signal_and_count(int dir_fd, struct round *round) {
        int r = signal_tree(dir_fd, ".", round);

        if (r == 0 && round->n == 0 && !cgroup_is_empty(&(struct cgroup){.dir_fd = dir_fd}))
                round->n = 1;
        return r;
}

/* Before 5.14: nothing forks while it is frozen, and what is frozen can be killed. */
static int kill_frozen(int dir_fd, struct round *round) {
        int r = cgroup_write_text(dir_fd, "cgroup.freeze", "1");

        round->signal = SIGKILL;
        for (int i = 0; r == 0 && i < ROUNDS_MAX; i++) {
                round->n = 0;
                r = signal_and_count(dir_fd, round);
                if (round->n == 0)
                        break;
        }
        if (r == 0 && round->n == 0)
                r = cgroup_write_text(dir_fd, "cgroup.freeze", "0");
        return r;
}

static int signal_all(int dir_fd, int signal, struct round *round) {
        int r;

        if (signal != SIGKILL) {
                round->signal = signal;
                return signal_and_count(dir_fd, round);
        }
        r = signal_and_count(dir_fd, round);
        if (r == 0 && round->n > 0)
                r = cgroup_write_text(dir_fd, "cgroup.kill", "1");
        return r == -ENOENT ? kill_frozen(dir_fd, round) : r;
}

int cgroup_signal(int dir_fd, pid_t main_pid, int main_pidfd, int signal) {
        _cleanup_free_ pid_t *pids = calloc(2 * PROCS_MAX, sizeof(*pids));
        struct round round = {.pids = pids, .again = pids ? pids + PROCS_MAX : NULL, .main_pid = main_pid};
        int r = pids ? signal_all(dir_fd, signal, &round) : -ENOMEM;

        if (main_pidfd >= 0 && signal > 0 && !round.has_main)
                send_signal(main_pidfd, signal);
        return r < 0 ? r : round.n;
}
