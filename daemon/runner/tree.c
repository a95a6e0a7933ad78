// SPDX-License-Identifier: MIT
// tree: all processes of a run.
// A process is signalled through a pidfd, opened after the pass and checked by its start time, so a number that was used again
// meanwhile is never hit. A process that forks away from a pass is found by the next: the caller repeats until none is left.

#include "daemon/runner/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/util.h"

#define ENVIRON_MAX  (256 * 1024) /* bytes of a process's environment that are looked at */
#define RUN_ID       "CHIMED_RUN_ID="
#define JOIN_SECONDS 2
#define MEMBERS_MAX  16384 /* processes that are remembered between passes, of all runs */

struct request {
        struct request *next;
        struct tree_run run; /* number 0: zombies only, or a cgroup to be removed; the descriptors are owned, -1: none */
        int signal;
        bool is_answered;
        char cgroup[CGROUP_NAME_MAX]; /* to be removed */
        /* the result */
        uint32_t n;
        char names[TREE_NAMES_MAX]; /* "" where a cgroup has told */
};

#define NO_RUN ((struct request){.run = {.main_pidfd = -1, .cgroup_fd = -1}})

struct process {
        pid_t pid, parent, group, session;
        char state;
        char name[16];
        bool is_member;
        uint64_t start_time;
        size_t parent_index;          /* SIZE_MAX: not in the pass */
        char run_id[TREE_RUN_ID_MAX]; /* of our own children only */
};

struct pass {
        struct process *list;
        size_t n, allocated;
        char *environ_buffer;
};

/* A process that a pass found to be of a run: when its parent has ended meanwhile, nothing else may tell. */
struct member {
        uint64_t run, start_time;
        pid_t pid;
};

struct tree {
        struct tree_callbacks callbacks;
        void *userdata;
        const struct cgroups *cgroups;
        int event_fd, proc_fd;
        int children_fd; /* our first thread's children: the others' are those that we have started; -1: the kernel does not tell */
        struct loop_source *source;
        pthread_t thread;
        pid_t own_pid;
        struct member *members; /* the thread's own */
        size_t n_members, allocated_members;
        unsigned n_under_way; /* requests; of the loop's thread */

        pthread_mutex_t mutex; /* guards what is below */
        pthread_cond_t has_work;
        struct request *asked, **asked_end;
        struct request *answered;
        pid_t zombies[256];
        size_t n_zombies;
        bool is_stopping;
};

/* Reads /proc/PID/NAME; bytes read or a negative error. */
static ssize_t read_proc(const struct tree *tree, pid_t pid, const char *name, char *buffer, size_t size) {
        char path[64];
        size_t n = 0;

        snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
        _cleanup_close_ int fd = openat(tree->proc_fd, path, O_RDONLY | O_CLOEXEC);
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
static int read_stat(const struct tree *tree, pid_t pid, struct process *ret) {
        char buffer[1024];
        ssize_t n = read_proc(tree, pid, "stat", buffer, sizeof(buffer) - 1);
        struct process p = {.pid = pid, .parent_index = SIZE_MAX};
        unsigned long long start_time;

        if (n < 0)
                return (int)n;
        buffer[n] = '\0';
        const char *at = strrchr(buffer, ')');
        if (!at || sscanf(at + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &p.state,
                          &p.parent, &p.group, &p.session, &start_time) != 5)
                return -EBADMSG;
        p.start_time = start_time;
        const char *name = strchr(buffer, '(');
        if (name && ++name < at)
                memcpy(p.name, name, (size_t)(at - name) < sizeof(p.name) ? (size_t)(at - name) : sizeof(p.name) - 1);
        *ret = p;
        return 0;
}

/* The real user: a program with its owner's rights is still of whoever started it. (uid_t)-1 where there is none to know. */
static uid_t read_user(const struct tree *tree, pid_t pid) {
        char buffer[1024];
        ssize_t n = read_proc(tree, pid, "status", buffer, sizeof(buffer) - 1);
        unsigned user = (unsigned)-1;

        buffer[n > 0 ? n : 0] = '\0';
        const char *at = strstr(buffer, "\nUid:");
        return at && sscanf(at, "\nUid: %u", &user) == 1 ? (uid_t)user : (uid_t)-1;
}

static void read_run_id(const struct tree *tree, struct pass *pass, struct process *p) {
        ssize_t size;

        if (!pass->environ_buffer && !(pass->environ_buffer = malloc(ENVIRON_MAX + 1)))
                return;
        size = read_proc(tree, p->pid, "environ", pass->environ_buffer, ENVIRON_MAX);
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

static struct process *find_process(const struct pass *pass, pid_t pid) {
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

/* All processes of the machine, by number. */
static int read_all(const struct tree *tree, struct pass *pass) {
        int fd = openat(tree->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *entry;
        int r = folder ? 0 : -errno;

        if (!folder) {
                util_close(fd);
                return r;
        }
        while (r == 0 && (entry = readdir(folder))) {
                struct process p;
                pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
                r = pid > 0 ? read_stat(tree, pid, &p) : -ESRCH;
                if (r == -ENOENT || r == -ESRCH) {
                        r = 0;
                        continue;
                }
                if (r == 0 && p.parent == tree->own_pid && p.state != 'Z')
                        read_run_id(tree, pass, &p);
                if (r == 0)
                        r = add_process(pass, &p);
        }
        closedir(folder);
        if (r < 0)
                return r;
        qsort(pass->list, pass->n, sizeof(*pass->list), compare_processes);
        for (size_t i = 0; i < pass->n; i++) {
                struct process *parent = find_process(pass, pass->list[i].parent);
                if (parent)
                        pass->list[i].parent_index = (size_t)(parent - pass->list);
        }
        return 0;
}

/* Whether an orphan is of the run whose id it bears. Anyone can write any id, but only root can be of another user's run. */
static bool bears_id(const struct tree *tree, const struct process *p, const struct request *q) {
        if (strcmp(p->run_id, q->run.id) != 0)
                return false;
        uid_t user = read_user(tree, p->pid), runs_user = read_user(tree, q->run.main_pid);
        return user == 0 || runs_user == 0 || user == runs_user;
}

static void mark_remembered(const struct tree *tree, struct pass *pass, uint64_t run) {
        for (size_t i = 0; i < tree->n_members; i++) {
                const struct member *m = &tree->members[i];
                struct process *p = m->run == run ? find_process(pass, m->pid) : NULL;
                if (p && p->start_time == m->start_time)
                        p->is_member = true;
        }
}

static void forget_members(struct tree *tree, uint64_t run) {
        size_t n = 0;

        for (size_t i = 0; i < tree->n_members; i++)
                if (tree->members[i].run != run)
                        tree->members[n++] = tree->members[i];
        tree->n_members = n;
}

/* In place of those of the pass before; without memory, or over the bound, fewer. */
static void remember_members(struct tree *tree, const struct pass *pass, uint64_t run) {
        forget_members(tree, run);
        size_t n = tree->n_members;
        for (size_t i = 0; i < pass->n && n < MEMBERS_MAX; i++) {
                const struct process *p = &pass->list[i];
                if (!p->is_member || p->state == 'Z')
                        continue;
                if (n == tree->allocated_members) {
                        size_t allocated = n > 0 ? 2 * n : 64;
                        struct member *members = reallocarray(tree->members, allocated, sizeof(*members));
                        if (!members)
                                break;
                        tree->members = members;
                        tree->allocated_members = allocated;
                }
                tree->members[n++] = (struct member){.run = run, .start_time = p->start_time, .pid = p->pid};
        }
        tree->n_members = n;
}

static void mark_members(const struct tree *tree, struct pass *pass, const struct request *q) {
        pid_t main_pid = q->run.main_pid;
        bool has_grown = true;

        for (size_t i = 0; i < pass->n; i++) {
                struct process *p = &pass->list[i];
                p->is_member = p->pid == main_pid || p->session == main_pid || p->group == main_pid ||
                               (p->run_id[0] && bears_id(tree, p, q));
        }
        mark_remembered(tree, pass, q->run.number);
        while (has_grown) {
                has_grown = false;
                for (size_t i = 0; i < pass->n; i++) {
                        struct process *p = &pass->list[i];
                        if (p->is_member || p->parent_index == SIZE_MAX || !pass->list[p->parent_index].is_member)
                                continue;
                        p->is_member = has_grown = true;
                }
        }
}

static void signal_process(const struct tree *tree, const struct process *p, int signal) {
        _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
        struct process now;

        if (pidfd < 0 || read_stat(tree, p->pid, &now) < 0 || now.start_time != p->start_time)
                return;
        syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
        if (signal != SIGKILL)
                syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
}

/* Puts a name behind the others, or nothing where it does not fit. */
static void add_name(struct request *q, const char *name) {
        size_t size = strlen(q->names);
        char *end = q->names + size;

        if (size + strlen(name) + 3 > sizeof(q->names))
                return;
        for (const char *s = size > 0 ? ", " : ""; *s; s++)
                *end++ = *s;
        for (; *name; name++)
                *end++ = *name >= ' ' && *name < 0x7f ? *name : '?';
}

/* Whether the main process was not reaped, and so its number is still its own. */
static bool has_number(const struct request *q) {
        return syscall(SYS_pidfd_send_signal, q->run.main_pidfd, 0, NULL, 0) == 0 || errno != ESRCH;
}

static void answer(struct tree *tree, struct pass *pass, struct request *q) {
        mark_members(tree, pass, q);
        if (!has_number(q)) { /* asked behind what was marked: that may be another's */
                forget_members(tree, q->run.number);
                return;
        }
        remember_members(tree, pass, q->run.number);
        for (size_t i = 0; i < pass->n; i++) {
                const struct process *p = &pass->list[i];
                if (!p->is_member || p->state == 'Z' || p->state == 'X' || p->pid == tree->own_pid)
                        continue;
                q->n++;
                add_name(q, p->name);
                if (q->signal > 0)
                        signal_process(tree, p, q->signal);
        }
}

/* Without /proc: the process group is all that is known. */
static void answer_blindly(struct request *q) {
        if (q->run.number == 0 || !has_number(q))
                return;
        q->n = kill(-q->run.main_pid, q->signal) == 0 && q->signal != SIGKILL;
        if (q->signal > 0 && q->signal != SIGKILL)
                kill(-q->run.main_pid, SIGCONT);
}

/* False where /proc has to be asked. */
static bool answer_by_cgroup(const struct tree *tree, struct request *q) {
        int n = 0;

        if (q->cgroup[0])
                cgroup_remove(tree->cgroups, q->cgroup);
        else if (q->run.cgroup_fd >= 0)
                n = cgroup_signal(q->run.cgroup_fd, q->run.main_pid, q->run.main_pidfd, q->signal);
        else
                return false;
        q->n = n > 0 ? (uint32_t)n : 0;
        q->is_answered = n >= 0;
        return q->is_answered;
}

/* Looks once at all processes. True where that left a request with none. */
static bool answer_by_processes(struct tree *tree, struct pass *pass, struct request *list) {
        bool is_read = read_all(tree, pass) == 0, has_none = false;

        for (struct request *q = list; q; q = q->next) {
                if (q->is_answered)
                        continue;
                if (!is_read)
                        answer_blindly(q);
                else if (q->run.number > 0)
                        answer(tree, pass, q);
                q->is_answered = q->run.number == 0 || q->n > 0;
                has_none |= !q->is_answered;
        }
        return has_none;
}

/* The list of processes is older than what is read of each: one that has ended meanwhile may have left another, which is not in it.
 * So that there is none is only said after a second look. */
static void make_pass(struct tree *tree, struct request *list) {
        struct pass pass = {};
        bool is_needed = false;

        for (struct request *q = list; q; q = q->next)
                is_needed |= !answer_by_cgroup(tree, q);
        if (is_needed && answer_by_processes(tree, &pass, list)) {
                pass.n = 0;
                answer_by_processes(tree, &pass, list);
        }
        pthread_mutex_lock(&tree->mutex);
        tree->n_zombies = 0;
        for (size_t i = 0; i < pass.n && tree->n_zombies < ARRAY_SIZE(tree->zombies); i++)
                if (pass.list[i].state == 'Z' && pass.list[i].parent == tree->own_pid)
                        tree->zombies[tree->n_zombies++] = pass.list[i].pid;
        pthread_mutex_unlock(&tree->mutex);
        free(pass.list);
        free(pass.environ_buffer);
}

static void *work(void *userdata) {
        struct tree *tree = userdata;
        uint64_t one = 1;

        pthread_mutex_lock(&tree->mutex);
        for (;;) {
                while (!tree->asked && !tree->is_stopping)
                        pthread_cond_wait(&tree->has_work, &tree->mutex);
                if (tree->is_stopping)
                        break;
                struct request *list = tree->asked;
                tree->asked = NULL;
                tree->asked_end = &tree->asked;
                pthread_mutex_unlock(&tree->mutex);
                make_pass(tree, list);
                pthread_mutex_lock(&tree->mutex);
                struct request **end = &tree->answered;
                while (*end)
                        end = &(*end)->next;
                *end = list;
                if (write(tree->event_fd, &one, sizeof(one)) < 0)
                        continue; /* its counter is full: readable as well */
        }
        pthread_mutex_unlock(&tree->mutex);
        return NULL;
}

static void request_free(struct request *q) {
        util_close(q->run.main_pidfd);
        util_close(q->run.cgroup_fd);
        free(q);
}

static int on_event(void *userdata, uint32_t events) {
        struct tree *tree = userdata;
        pid_t zombies[ARRAY_SIZE(tree->zombies)];
        uint64_t count;

        (void)events;
        if (read(tree->event_fd, &count, sizeof(count)) < 0)
                return errno == EAGAIN ? 0 : -errno;
        pthread_mutex_lock(&tree->mutex);
        struct request *list = tree->answered;
        size_t n_zombies = tree->n_zombies;
        memcpy(zombies, tree->zombies, n_zombies * sizeof(zombies[0]));
        tree->answered = NULL;
        tree->n_zombies = 0;
        pthread_mutex_unlock(&tree->mutex);
        for (size_t i = 0; i < n_zombies; i++)
                tree->callbacks.on_zombie(tree->userdata, zombies[i]);
        while (list) {
                struct request *next = list->next;
                if (list->run.number > 0)
                        tree->callbacks.on_result(tree->userdata, list->run.number, list->n, list->names);
                request_free(list);
                tree->n_under_way--;
                list = next;
        }
        return 0;
}

static int start_thread(struct tree *tree) {
        sigset_t all, old;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        int r = pthread_create(&tree->thread, NULL, work, tree);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return -r;
}

static int open_children(const struct tree *tree) {
        char path[64];

        snprintf(path, sizeof(path), "self/task/%d/children", (int)tree->own_pid);
        return openat(tree->proc_fd, path, O_RDONLY | O_CLOEXEC);
}

int tree_new(struct loop *loop, const struct cgroups *cgroups, const struct tree_callbacks *callbacks, void *userdata,
             struct tree **ret) {
        struct tree *tree = calloc(1, sizeof(*tree));
        int r = 0;

        if (!tree)
                return -ENOMEM;
        tree->callbacks = *callbacks;
        tree->userdata = userdata;
        tree->cgroups = cgroups;
        tree->own_pid = getpid();
        tree->asked_end = &tree->asked;
        tree->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        tree->children_fd = open_children(tree);
        tree->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (tree->event_fd < 0)
                r = -errno;
        if (r == 0)
                r = loop_add_io(loop, tree->event_fd, EPOLLIN, on_event, tree, &tree->source);
        pthread_mutex_init(&tree->mutex, NULL);
        pthread_cond_init(&tree->has_work, NULL);
        if (r == 0)
                r = start_thread(tree);
        if (r < 0) {
                loop_source_free(tree->source);
                util_close(tree->event_fd);
                util_close(tree->proc_fd);
                util_close(tree->children_fd);
                free(tree);
                return r;
        }
        *ret = tree;
        return 0;
}

static void free_all(struct request *list) {
        while (list) {
                struct request *next = list->next;
                request_free(list);
                list = next;
        }
}

struct tree *tree_free(struct tree *tree) {
        struct timespec limit = {.tv_sec = clock_now().rt_us / USEC_PER_SEC + JOIN_SECONDS};

        if (!tree)
                return NULL;
        pthread_mutex_lock(&tree->mutex);
        tree->is_stopping = true;
        pthread_cond_signal(&tree->has_work);
        pthread_mutex_unlock(&tree->mutex);
        loop_source_free(tree->source);
        if (pthread_timedjoin_np(tree->thread, NULL, &limit) != 0)
                return NULL; /* /proc hangs: left behind with the thread */
        free_all(tree->asked);
        free_all(tree->answered);
        util_close(tree->event_fd);
        util_close(tree->proc_fd);
        util_close(tree->children_fd);
        free(tree->members);
        pthread_cond_destroy(&tree->has_work);
        pthread_mutex_destroy(&tree->mutex);
        free(tree);
        return NULL;
}

static int ask(struct tree *tree, const struct request *request) {
        struct request *q = malloc(sizeof(*q));

        if (!q)
                return -ENOMEM;
        *q = *request;
        tree->n_under_way++;
        pthread_mutex_lock(&tree->mutex);
        *tree->asked_end = q;
        tree->asked_end = &q->next;
        pthread_cond_signal(&tree->has_work);
        pthread_mutex_unlock(&tree->mutex);
        return 0;
}

bool tree_is_idle(const struct tree *tree) {
        return tree->n_under_way == 0;
}

int tree_signal(struct tree *tree, const struct tree_run *run, int signal) {
        struct request q = {.run = *run, .signal = signal};
        int r = 0;

        q.run.main_pidfd = fcntl(run->main_pidfd, F_DUPFD_CLOEXEC, 3);
        q.run.cgroup_fd = run->cgroup_fd < 0 ? -1 : fcntl(run->cgroup_fd, F_DUPFD_CLOEXEC, 3);
        if (q.run.main_pidfd < 0 || (q.run.cgroup_fd < 0 && run->cgroup_fd >= 0))
                r = -errno;
        if (r == 0)
                r = ask(tree, &q); /* given */
        if (r < 0) {
                util_close(q.run.main_pidfd);
                util_close(q.run.cgroup_fd);
        }
        return r;
}

int tree_remove_cgroup(struct tree *tree, const char *cgroup) {
        struct request q = NO_RUN;

        snprintf(q.cgroup, sizeof(q.cgroup), "%s", cgroup);
        return ask(tree, &q);
}

bool tree_has_orphans(const struct tree *tree, size_t n_known) {
        char buffer[4096];
        size_t n_children = 0;
        ssize_t n;

        if (tree->children_fd < 0)
                return true;
        for (off_t at = 0; (n = pread(tree->children_fd, buffer, sizeof(buffer), at)) > 0 && n_children <= n_known; at += n)
                for (ssize_t i = 0; i < n; i++)
                        n_children += buffer[i] == ' '; /* behind each */
        return n < 0 || n_children > n_known;
}

int tree_find_zombies(struct tree *tree) {
        return ask(tree, &NO_RUN);
}
