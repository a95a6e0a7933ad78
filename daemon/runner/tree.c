// SPDX-License-Identifier: MIT
// tree: all processes of a run.
// A process that forks away from a pass is found by the next: the caller repeats until none is left.

#include "daemon/runner/tree.h"

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
#include "daemon/runner/pass.h"

#define JOIN_SECONDS 2

enum request_kind {
        REQUEST_RUN,     /* signals a run */
        REQUEST_DEAD,    /* kills what is of dead runners */
        REQUEST_CGROUP,  /* removes one */
        REQUEST_ZOMBIES, /* asks for no more than these */
};

struct request {
        struct request *next;
        enum request_kind kind;
        struct tree_run run; /* its descriptors are owned, -1: none; number 0: not REQUEST_RUN */
        int signal;
        bool is_answered;
        char *dead; /* owned: ids of runners, a line each */
        char cgroup[CGROUP_NAME_MAX];
        /* the result */
        uint32_t n;
        char names[TREE_NAMES_MAX]; /* "" where a cgroup has told */
};

#define REQUEST(what) ((struct request){.kind = (what), .run = {.main_pidfd = -1, .cgroup_fd = -1}})

struct tree {
        struct tree_callbacks callbacks;
        void *userdata;
        const struct cgroups *cgroups;
        int event_fd, proc_fd;
        int children_fd; /* our first thread's children: the others' are those that we have started; -1: the kernel does not tell */
        struct loop_source *source;
        pthread_t thread;
        pid_t own_pid;
        struct tree_members members; /* the thread's own */
        unsigned n_under_way;        /* requests; of the loop's thread */

        pthread_mutex_t mutex; /* guards what is below */
        pthread_cond_t has_work;
        struct request *asked, **asked_end;
        struct request *answered;
        pid_t zombies[256];
        size_t n_zombies;
        bool is_stopping;
};

/* Whether an orphan is of the run whose id it bears. Anyone can write any id, but only root can be of another user's run. */
static bool bears_id(const struct pass *pass, const struct process *p, const struct request *q) {
        if (strcmp(p->run_id, q->run.id) != 0)
                return false;
        uid_t user = pass_user(pass, p->pid), runs_user = pass_user(pass, q->run.main_pid);
        return user == 0 || runs_user == 0 || user == runs_user;
}

static void mark_remembered(const struct tree *tree, struct pass *pass, uint64_t run) {
        for (size_t i = 0; i < tree->members.n; i++) {
                const struct tree_member *m = &tree->members.list[i];
                struct process *p = m->run == run ? pass_find(pass, m->pid) : NULL;
                if (p && p->start_time == m->start_time)
                        p->is_member = true;
        }
}

static void forget_members(struct tree_members *members, uint64_t run) {
        size_t n = 0;

        for (size_t i = 0; i < members->n; i++)
                if (members->list[i].run != run)
                        members->list[n++] = members->list[i];
        members->n = n;
}

/* In place of those of the pass before; without memory, or over the bound, fewer. */
static void remember_members(struct tree_members *members, const struct pass *pass, uint64_t run) {
        forget_members(members, run);
        for (size_t i = 0; i < pass->n && members->n < TREE_MEMBERS_MAX; i++) {
                const struct process *p = &pass->list[i];
                if (!p->is_member || p->is_dead)
                        continue;
                if (members->n == members->allocated) {
                        size_t allocated = members->n > 0 ? 2 * members->n : 64;
                        struct tree_member *list = reallocarray(members->list, allocated, sizeof(*list));
                        if (!list)
                                return;
                        members->list = list;
                        members->allocated = allocated;
                }
                members->list[members->n++] = (struct tree_member){.run = run, .start_time = p->start_time, .pid = p->pid};
        }
}

static bool has_same_user(const struct pass *pass, const struct process *p, const struct process *parent) {
        uid_t user = pass_user(pass, parent->pid);
        return user == 0 || user == pass_user(pass, p->pid);
}

/* Whether a process is where the runs of one of these runners were; needs_id: and bears the id of such a run. */
static bool is_of_dead(const struct pass *pass, const struct process *p, const char *dead, bool needs_id) {
        for (size_t n; *dead; dead += n + (dead[n] == '\n')) {
                char cgroup[TREE_DEAD_LINE_MAX];
                size_t id = strcspn(dead, " \n");
                n = strcspn(dead, "\n");
                if (needs_id && (id == 0 || strncmp(p->run_id, dead, id) != 0 || p->run_id[id] != '-'))
                        continue;
                if (id == n)
                        return true; /* nobody knows where */
                snprintf(cgroup, sizeof(cgroup), "%.*s", (int)(n - id - 1), dead + id + 1);
                if (pass_is_in_cgroup(pass, p->pid, cgroup))
                        return true;
        }
        return false;
}

/* To the descendants of members: all of them, or, with runners that are dead, only to those which are theirs and which a member could
 * have ended itself. */
static void spread(const struct tree *tree, struct pass *pass, const char *dead) {
        bool has_grown = true;

        while (has_grown) {
                has_grown = false;
                for (size_t i = 0; i < pass->n; i++) {
                        struct process *p = &pass->list[i];
                        if (p->is_member || p->parent_index == SIZE_MAX || p->pid == tree->own_pid)
                                continue;
                        const struct process *parent = &pass->list[p->parent_index];
                        if (!parent->is_member)
                                continue;
                        if (!dead || is_of_dead(pass, p, dead, !has_same_user(pass, p, parent)))
                                p->is_member = has_grown = true;
                }
        }
}

static void mark_members(const struct tree *tree, struct pass *pass, const struct request *q) {
        pid_t main_pid = q->run.main_pid;

        for (size_t i = 0; i < pass->n; i++) {
                struct process *p = &pass->list[i];
                p->is_member = p->pid == main_pid || p->session == main_pid || p->group == main_pid ||
                               (p->run_id[0] && bears_id(pass, p, q));
        }
        mark_remembered(tree, pass, q->run.number);
        spread(tree, pass, NULL);
}

/* Whether the process has no parent but one that gets those of others which died: we, or one of our ancestors. */
static bool is_orphan(const struct pass *pass, const struct process *p) {
        const struct process *heir = pass_find(pass, pass->own_pid);

        if (p->parent_index == SIZE_MAX || p->parent == 1)
                return true;
        for (size_t depth = 0; heir && heir->pid != p->parent && depth < pass->n; depth++)
                heir = heir->parent_index == SIZE_MAX ? NULL : &pass->list[heir->parent_index];
        return heir && heir->pid == p->parent;
}

/* Nothing but the environment tells, which outlives the run in what at, batch or a service manager starts for it, and whoever writes
 * such an id into his own is to end no more than his own with it. */
static void mark_dead(const struct tree *tree, struct pass *pass, const char *dead) {
        for (size_t i = 0; i < pass->n; i++) {
                struct process *p = &pass->list[i];
                p->is_member = p->pid != tree->own_pid && is_of_dead(pass, p, dead, true) && is_orphan(pass, p);
        }
        mark_remembered(tree, pass, 0);
        spread(tree, pass, dead);
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
        if (q->kind == REQUEST_DEAD)
                mark_dead(tree, pass, q->dead);
        else
                mark_members(tree, pass, q);
        if (q->kind == REQUEST_RUN && !has_number(q)) { /* asked behind what was marked: that may be another's */
                forget_members(&tree->members, q->run.number);
                return;
        }
        remember_members(&tree->members, pass, q->run.number);
        for (size_t i = 0; i < pass->n; i++) {
                const struct process *p = &pass->list[i];
                if (!p->is_member || p->is_dead || p->pid == tree->own_pid)
                        continue;
                q->n++;
                add_name(q, p->name);
                if (q->signal > 0)
                        pass_signal(pass, p, q->signal);
        }
}

/* Without /proc: the process group is all that is known. */
static void answer_blindly(struct request *q) {
        if (q->kind != REQUEST_RUN || !has_number(q))
                return;
        q->n = kill(-q->run.main_pid, q->signal) == 0 && q->signal != SIGKILL;
        if (q->signal > 0 && q->signal != SIGKILL)
                kill(-q->run.main_pid, SIGCONT);
}

/* False where /proc has to be asked. */
static bool answer_by_cgroup(const struct tree *tree, struct request *q) {
        int n = 0;

        if (q->kind == REQUEST_CGROUP)
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
        bool is_read = pass_read(pass) == 0, has_none = false;

        for (struct request *q = list; q; q = q->next) {
                if (q->is_answered)
                        continue;
                bool is_asked = q->kind == REQUEST_RUN || q->kind == REQUEST_DEAD;
                if (!is_read)
                        answer_blindly(q);
                else if (is_asked)
                        answer(tree, pass, q);
                q->is_answered = !is_asked || q->n > 0;
                has_none |= !q->is_answered;
        }
        return has_none;
}

/* The list of processes is older than what is read of each: one that has ended meanwhile may have left another, which is not in it.
 * So that there is none is only said after a second look. */
static void make_pass(struct tree *tree, struct request *list) {
        struct pass pass = {.proc_fd = tree->proc_fd, .own_pid = tree->own_pid};
        bool is_needed = false;

        for (struct request *q = list; q; q = q->next) {
                is_needed |= !answer_by_cgroup(tree, q);
                pass.reads_all_ids |= q->kind == REQUEST_DEAD;
        }
        if (is_needed && answer_by_processes(tree, &pass, list))
                answer_by_processes(tree, &pass, list);
        pthread_mutex_lock(&tree->mutex);
        tree->n_zombies = 0;
        for (size_t i = 0; i < pass.n && tree->n_zombies < ARRAY_SIZE(tree->zombies); i++)
                if (pass.list[i].is_dead && pass.list[i].parent == tree->own_pid)
                        tree->zombies[tree->n_zombies++] = pass.list[i].pid;
        pthread_mutex_unlock(&tree->mutex);
        pass_done(&pass);
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
        free(q->dead);
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
                if (list->kind == REQUEST_RUN)
                        tree->callbacks.on_result(tree->userdata, list->run.number, list->n, list->names);
                if (list->kind == REQUEST_DEAD)
                        tree->callbacks.on_dead(tree->userdata, list->n, list->names);
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
        free(tree->members.list);
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

const struct tree_members *tree_members(const struct tree *tree) {
        return &tree->members;
}

void tree_remember(struct tree *tree, struct tree_members *members) {
        free(tree->members.list);
        tree->members = *members; /* taken */
        *members = (struct tree_members){};
}

bool tree_is_idle(const struct tree *tree) {
        return tree->n_under_way == 0;
}

int tree_signal(struct tree *tree, const struct tree_run *run, int signal) {
        struct request q = {.kind = REQUEST_RUN, .run = *run, .signal = signal};
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

int tree_kill_dead(struct tree *tree, const char *runners) {
        struct request q = REQUEST(REQUEST_DEAD);

        q.signal = SIGKILL;
        q.dead = strdup(runners);
        int r = q.dead ? ask(tree, &q) : -ENOMEM; /* given */
        if (r < 0)
                free(q.dead);
        return r;
}

int tree_remove_cgroup(struct tree *tree, const char *cgroup) {
        struct request q = REQUEST(REQUEST_CGROUP);

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
        return ask(tree, &REQUEST(REQUEST_ZOMBIES));
}
