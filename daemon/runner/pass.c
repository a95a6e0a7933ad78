// SPDX-License-Identifier: MIT
// pass: one look at all processes of the machine.
// A process is signalled through a pidfd, opened after the pass and checked by its start time, so a number that was used again
// meanwhile is never hit.

#include "daemon/runner/pass.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/core/util.h"

#define ENVIRON_MAX (256 * 1024) /* bytes of a process's environment that are looked at */
#define RUN_ID      "CHIMED_RUN_ID="

/* Reads /proc/PID/NAME; bytes read or a negative error. */
static ssize_t read_proc(int proc_fd, pid_t pid, const char *name, char *buffer, size_t size) {
        char path[64];
        size_t n = 0;

        snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
        _cleanup_close_ int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        while (n < size) {
                ssize_t got = read(fd, buffer + n, size - n);
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t)got;
        }
        return (ssize_t)n;
}

/* The name in a stat line may hold anything, so it is read from its last parenthesis on. */
static int read_stat(int proc_fd, pid_t pid, struct process *ret) {
        char buffer[1024];
        ssize_t n = read_proc(proc_fd, pid, "stat", buffer, sizeof(buffer) - 1);
        struct process p = {.pid = pid, .parent_index = SIZE_MAX};
        unsigned long long start_time;
        int n_threads;
        char state;

        if (n < 0)
                return (int)n;
        buffer[n] = '\0';
        const char *at = strrchr(buffer, ')');
        if (!at || sscanf(at + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d %*d %llu", &state,
                          &p.parent, &p.group, &p.session, &n_threads, &start_time) != 6)
                return -EBADMSG;
        p.is_dead = state == 'X' || (state == 'Z' && n_threads <= 1);
        p.start_time = start_time;
        const char *name = strchr(buffer, '(');
        if (name && ++name < at)
                memcpy(p.name, name, (size_t)(at - name) < sizeof(p.name) ? (size_t)(at - name) : sizeof(p.name) - 1);
        *ret = p;
        return 0;
}

uid_t pass_user(const struct pass *pass, pid_t pid) {
        char buffer[1024];
        ssize_t n = read_proc(pass->proc_fd, pid, "status", buffer, sizeof(buffer) - 1);
        unsigned user = (unsigned)-1;

        buffer[n > 0 ? n : 0] = '\0';
        const char *at = strstr(buffer, "\nUid:");
        return at && sscanf(at, "\nUid: %u", &user) == 1 ? (uid_t)user : (uid_t)-1;
}

bool pass_is_in_cgroup(const struct pass *pass, pid_t pid, const char *cgroup) {
        char buffer[8192] = "\n";
        ssize_t n = read_proc(pass->proc_fd, pid, "cgroup", buffer + 1, sizeof(buffer) - 2);
        size_t size = strcmp(cgroup, "/") == 0 ? 0 : strlen(cgroup);

        buffer[n > 0 ? n + 1 : 0] = '\0';
        const char *at = strstr(buffer, "\n0::");
        return at && strncmp(at + strlen("\n0::"), cgroup, size) == 0 && strchr("/\n", at[strlen("\n0::") + size]);
}

static void read_run_id(struct pass *pass, struct process *p) {
        ssize_t size;

        if (!pass->environ_buffer && !(pass->environ_buffer = malloc(ENVIRON_MAX + 1)))
                return;
        size = read_proc(pass->proc_fd, p->pid, "environ", pass->environ_buffer, ENVIRON_MAX);
        if (size <= 0)
                return;
        pass->environ_buffer[size] = '\0';
        for (const char *at = pass->environ_buffer, *end = at + size; at < end; at += strlen(at) + 1)
                if (strncmp(at, RUN_ID, strlen(RUN_ID)) == 0) {
                        snprintf(p->run_id, sizeof(p->run_id), "%s", at + strlen(RUN_ID));
                        return;
                }
}

static int compare_processes(const void *a, const void *b) {
        const struct process *x = a, *y = b;
        return (x->pid > y->pid) - (x->pid < y->pid);
}

struct process *pass_find(const struct pass *pass, pid_t pid) {
        struct process key = {.pid = pid};

        return pass->n ? bsearch(&key, pass->list, pass->n, sizeof(key), compare_processes) : NULL;
}

static int add_process(struct pass *pass, const struct process *p) {
        if (pass->n == pass->allocated) {
                size_t allocated = pass->allocated ? 2 * pass->allocated : 256;
                struct process *list = reallocarray(pass->list, allocated, sizeof(*list));
                if (!list)
                        return -ENOMEM;
                pass->list = list;
                pass->allocated = allocated;
        }
        pass->list[pass->n++] = *p;
        return 0;
}

int pass_read(struct pass *pass) {
        int fd = openat(pass->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *entry;
        int r = folder ? 0 : -errno;

        if (!folder) {
                util_close(fd);
                return r;
        }
        pass->n = 0;
        while (r == 0 && (entry = readdir(folder))) {
                struct process p;
                pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
                r = pid > 0 ? read_stat(pass->proc_fd, pid, &p) : -ESRCH;
                if (r == -ENOENT || r == -ESRCH) {
                        r = 0;
                        continue;
                }
                if (r == 0 && (pass->reads_all_ids || p.parent == pass->own_pid) && !p.is_dead)
                        read_run_id(pass, &p);
                if (r == 0)
                        r = add_process(pass, &p);
        }
        closedir(folder);
        if (r < 0)
                return r;
        qsort(pass->list, pass->n, sizeof(*pass->list), compare_processes);
        for (size_t i = 0; i < pass->n; i++) {
                struct process *parent = pass_find(pass, pass->list[i].parent);
                if (parent)
                        pass->list[i].parent_index = (size_t)(parent - pass->list);
        }
        return 0;
}

void pass_signal(const struct pass *pass, const struct process *p, int signal) {
        _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
        struct process now;

        if (pidfd < 0 || read_stat(pass->proc_fd, p->pid, &now) < 0 || now.start_time != p->start_time)
                return;
        syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
        if (signal != SIGKILL)
                syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
}

void pass_done(struct pass *pass) {
        free(pass->list);
        free(pass->environ_buffer);
        pass->list = NULL;
        pass->environ_buffer = NULL;
        pass->n = pass->allocated = 0;
}
