// SPDX-License-Identifier: MIT
// launch: starts programs on threads of its own.
// A thread sleeps in clone() until the child has reached exec or failed (vfork). The child's pid is in the worker before the child
// runs (CLONE_CHILD_SETTID in shared memory), its pidfd too, so a start that hangs can be ended from outside.

#include "daemon/runner/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/runner/conditions.h"
#include "daemon/runner/environment.h"
#include "daemon/runner/journal_stream.h"
#include "daemon/runner/launch_steps.h"

#define STACK_SIZE   (256 * 1024)
#define TICK_US      (250 * USEC_PER_MSEC)
#define JOIN_SECONDS 2  /* for starts that are under way at the end */
#define PATH_MAX_N   64 /* folders of PATH= that are searched */
#define TELL_MAX     16 /* results are told to the loop together while more starts wait, so many at most */

/* The sanitizer takes every clone() for a fork(); glibc's other name for it passes by. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
int __clone(int (*fn)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#endif
#endif

struct worker {
        struct launch_pool *pool;
        pthread_t thread;
        char *stack;            /* of the child, a guard page below */
        struct launch *current; /* NULL: idle */
        int64_t since_bt_us;
        pid_t pid; /* written by the kernel in the child */
        int pidfd; /* written by the kernel in clone() */
};

struct launch_pool {
        struct loop *loop;
        struct launch_settings settings;
        uint64_t ignored;
        int event_fd;
        struct loop_source *event_source, *timer;
        bool is_ticking;

        pthread_mutex_t mutex; /* guards what is below */
        pthread_cond_t has_work;
        struct launch *waiting, **waiting_end;
        struct launch *done, **done_end;
        struct worker workers[LAUNCH_THREADS_MAX];
        unsigned n_workers, n_idle, n_untold;
        bool is_stopping;
};

struct launch *launch_new(void) {
        struct launch *l = calloc(1, sizeof(*l));

        if (!l)
                return NULL;
        for (size_t i = 0; i < LAUNCH_PASS_MAX; i++)
                l->pass[i] = -1;
        l->pidfd = l->output_fd[0] = l->output_fd[1] = -1;
        l->cgroup_open = CGROUP_NONE;
        return l;
}

static void list_free(char **list) {
        for (char **item = list; item && *item; item++)
                free(*item);
        free(list);
}

struct launch *launch_free(struct launch *l) {
        if (!l)
                return NULL;
        job_what_done(&l->what);
        list_free(l->base);
        list_free(l->fixed);
        free(l->program);
        for (size_t i = 0; i < LAUNCH_PASS_MAX; i++)
                util_close(l->pass[i]);
        for (size_t i = 0; i < 2; i++)
                util_close(l->output_fd[i]);
        util_close(l->pidfd);
        cgroup_close(&l->cgroup_open);
        free(l);
        return NULL;
}

static int reap(int pidfd) {
        siginfo_t info;
        int r;

        do
                r = waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &info, WEXITED);
        while (r < 0 && errno == EINTR);
        return r;
}

static int send_signal(int pidfd, int signal) {
        return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

static void programs_free(char ***programs) {
        list_free(*programs);
}

/* What to execute: the path itself, or the bare name in each folder of PATH. */
static int find_programs(const char *name, const char *path, char ***ret) {
        size_t n = 0;
        char **programs = calloc(PATH_MAX_N + 1, sizeof(*programs));

        if (!programs)
                return -ENOMEM;
        if (strchr(name, '/')) {
                programs[0] = strdup(name);
                n = 1;
        } else
                for (const char *at = path ? path : ""; *at && n < PATH_MAX_N; at += *at == ':') {
                        size_t size = strcspn(at, ":");
                        if (size > 0 && asprintf(&programs[n], "%.*s/%s", (int)size, at, name) < 0)
                                programs[n] = NULL;
                        if (size > 0 && !programs[n++])
                                break;
                        at += size;
                }
        if (n > 0 && !programs[n - 1]) {
                list_free(programs);
                return -ENOMEM;
        }
        *ret = programs;
        return 0;
}

static int make_pipe(int *ret_ours, int *ret_childs) {
        int both[2];

        if (pipe2(both, O_CLOEXEC) < 0)
                return -errno;
        *ret_ours = both[0];
        *ret_childs = both[1];
        return fcntl(both[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* For each stream that goes to the journal the child's end to fd[]: a pipe, of which our end goes to the launch, or a socket. Where
 * journald takes no stream a pipe serves as well: a run is worth more than how its output travels. */
static int open_outputs(struct launch *l, const struct environment *e, int fd[static 2]) {
        const struct job_output *outputs[2] = {&l->what.output, &l->what.error};
        const char *job = environment_get(e, "CHIMED_JOB");
        int r = 0;

        for (int i = 0; i < 2 && r == 0 && !l->is_own_program; i++) {
                if (outputs[i]->kind == JOB_OUTPUT_JOURNAL_DIRECT)
                        fd[i] = journal_stream_open(job ? job : "");
                else if (outputs[i]->kind != JOB_OUTPUT_JOURNAL)
                        continue;
                if (fd[i] < 0)
                        r = make_pipe(&l->output_fd[i], &fd[i]);
        }
        return r;
}

static void fail(struct launch *l, enum run_step step, int error) {
        l->step = step;
        l->error = error;
}

static pid_t clone_here(struct worker *w, struct launch_child *child) {
        const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CHILD_SETTID | SIGCHLD;
        pid_t pid = clone(launch_child_main, w->stack + STACK_SIZE, flags, child, &w->pidfd, NULL, &w->pid);

        return pid < 0 ? -errno : pid;
}

/* One that was taken away, or in which its last run has made what runs can't begin in, is made anew. */
static pid_t clone_into_cgroup(struct worker *w, struct launch *l, struct launch_child *child) {
        pid_t pid = -ENODEV;

        for (int i = 0; i < 2 && (pid == -ENODEV || pid == -EBUSY || pid == -EOPNOTSUPP); i++) {
                int r = cgroup_prepare(l->cgroups, l->cgroup, &l->what, l->is_cgroup_fresh || i > 0, &l->cgroup_open);
                if (r < 0) {
                        child->step = RUN_STEP_CGROUP;
                        return r;
                }
                pid = cgroup_clone(l->cgroup_open.dir_fd, launch_child_main, child, w->stack, STACK_SIZE, &w->pidfd, &w->pid);
        }
        if (pid != -ENOSYS)
                return pid;
        child->procs_fd = openat(l->cgroup_open.dir_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (child->procs_fd < 0) {
                child->step = RUN_STEP_CGROUP;
                return -errno;
        }
        pid = clone_here(w, child);
        util_close(child->procs_fd);
        return pid;
}

/* Clones and waits for exec. */
static void clone_child(struct worker *w, struct launch *l, struct launch_child *child) {
        pid_t pid = l->cgroups ? clone_into_cgroup(w, l, child) : clone_here(w, child);

        if (pid < 0) {
                fail(l, child->step == RUN_STEP_CGROUP ? RUN_STEP_CGROUP : RUN_STEP_CLONE, -pid);
                /* at a limit of processes the kernel has written a number, and closed it again */
                __atomic_store_n(&w->pidfd, -1, __ATOMIC_RELAXED);
                return;
        }
        struct clock_sample now = clock_now();
        if (child->step == RUN_STEP_EXEC && child->error == 0) {
                l->pid = pid;
                l->start_rt_us = now.rt_us;
                l->start_bt_us = now.bt_us;
                return;
        }
        l->is_finished = child->verdict == LAUNCH_FINISHED;
        l->is_refused = child->verdict == LAUNCH_REFUSED;
        if (l->is_refused)
                conditions_tell_path(&l->what.conditions[child->condition], child->error, l->condition);
        if (child->verdict != LAUNCH_GOES_ON)
                fail(l, child->step, 0);
        else /* without an error somebody killed it on its way */
                fail(l, child->step != RUN_STEP_NONE ? child->step : RUN_STEP_CLONE, child->error ? child->error : ECANCELED);
        reap(w->pidfd);
}

static void start(struct worker *w, struct launch *l) {
        struct environment environment = {};
        _cleanup_(programs_free) char **programs = NULL;
        char *none[] = {NULL};
        struct launch_child child = {.launch = l,
                                     .settings = &w->pool->settings,
                                     .ignored = &w->pool->ignored,
                                     .output_fd = {-1, -1},
                                     .procs_fd = -1,
                                     .program_fd = -1,
                                     .null_fd = -1};

        l->is_refused = l->asks_machine && !conditions_hold_here(&l->what, l->condition);
        if (l->is_refused) {
                fail(l, RUN_STEP_CONDITION, 0);
                return;
        }
        int r = environment_build(&environment, l->base, &l->what, l->fixed);
        if (r == 0)
                r = find_programs(l->program ? l->program : l->what.argv[0], environment_get(&environment, "PATH"), &programs);
        if (r < 0)
                fail(l, RUN_STEP_ENVIRONMENT, -r);
        if (r == 0 && (r = open_outputs(l, &environment, child.output_fd)) < 0)
                fail(l, RUN_STEP_PIPE, -r);
        if (r == 0 && (r = launch_resolve_limits(l->what.limits)) < 0)
                fail(l, RUN_STEP_LIMITS, -r);
        snprintf(child.oom_score, sizeof(child.oom_score), "%d", l->what.oom_score);
        child.environment = environment.list ? environment.list : none;
        child.programs = programs;
        if (r == 0 && (l->is_own_program || l->program))
                child.program_fd = open(programs[0], O_PATH | O_CLOEXEC);
        pthread_mutex_lock(&w->pool->mutex);
        bool is_abandoned = l->is_abandoned;
        pthread_mutex_unlock(&w->pool->mutex);
        if (r == 0 && !is_abandoned)
                clone_child(w, l, &child);
        util_close(child.output_fd[0]);
        util_close(child.output_fd[1]);
        util_close(child.program_fd);
        environment_done(&environment);
}

/* Nobody waits for it any more: what was started ends. */
static void bury(struct worker *w, struct launch *l) {
        int pidfd = __atomic_exchange_n(&w->pidfd, -1, __ATOMIC_RELAXED); /* launch_pool_free() looks at it */
        if (l->step == RUN_STEP_NONE && pidfd >= 0) {
                send_signal(pidfd, SIGKILL);
                reap(pidfd);
        }
        util_close(pidfd);
        launch_free(l);
}

/* Hands the result over, under the mutex. */
static void hand_over(struct worker *w, struct launch *l) {
        struct launch_pool *pool = w->pool;
        uint64_t one = 1;

        if (l->step == RUN_STEP_NONE)
                l->pidfd = w->pidfd;
        else
                util_close(w->pidfd);
        w->pidfd = -1;
        l->next = NULL;
        *pool->done_end = l;
        pool->done_end = &l->next;
        if (pool->waiting && ++pool->n_untold < TELL_MAX)
                return; /* with the next: each waking of the loop costs as much as a start. Should that hang, the tick tells it */
        pool->n_untold = 0;
        if (write(pool->event_fd, &one, sizeof(one)) < 0)
                return; /* only where the counter is full: then it is readable as well */
}

static void *work(void *userdata) {
        struct worker *w = userdata;
        struct launch_pool *pool = w->pool;

        pthread_mutex_lock(&pool->mutex);
        for (;;) {
                while (!pool->waiting && !pool->is_stopping)
                        pthread_cond_wait(&pool->has_work, &pool->mutex);
                if (pool->is_stopping)
                        break;
                struct launch *l = pool->waiting;
                pool->waiting = l->next;
                if (!pool->waiting)
                        pool->waiting_end = &pool->waiting;
                w->current = l;
                w->since_bt_us = clock_now().bt_us;
                w->pidfd = -1;
                w->pid = 0;
                pool->n_idle--;
                pthread_mutex_unlock(&pool->mutex);
                start(w, l);
                pthread_mutex_lock(&pool->mutex);
                if (!l->is_abandoned)
                        hand_over(w, l);
                else {
                        pthread_mutex_unlock(&pool->mutex);
                        bury(w, l);
                        pthread_mutex_lock(&pool->mutex);
                }
                w->current = NULL;
                w->pid = 0;
                pool->n_idle++;
        }
        pthread_mutex_unlock(&pool->mutex);
        return NULL;
}

/* One more thread, its signals all blocked. Under the mutex. 0, -ENOMEM, -EAGAIN. */
static int add_worker(struct launch_pool *pool) {
        struct worker *w = &pool->workers[pool->n_workers];
        sigset_t all, old;

        *w = (struct worker){.pool = pool, .pidfd = -1};
        w->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (w->stack == MAP_FAILED)
                return -ENOMEM;
        if (mprotect(w->stack, 4096, PROT_NONE) < 0) {
                munmap(w->stack, STACK_SIZE);
                return -ENOMEM;
        }
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        int r = pthread_create(&w->thread, NULL, work, w);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r != 0) {
                munmap(w->stack, STACK_SIZE);
                return -r;
        }
        pool->n_workers++;
        pool->n_idle++;
        return 0;
}

/* Takes the first of the results, or NULL. */
static struct launch *next_done(struct launch_pool *pool) {
        pthread_mutex_lock(&pool->mutex);
        struct launch *l = pool->done;
        if (l) {
                pool->done = l->next;
                if (!pool->done)
                        pool->done_end = &pool->done;
        }
        pthread_mutex_unlock(&pool->mutex);
        return l;
}

static int on_event(void *userdata, uint32_t events) {
        struct launch_pool *pool = userdata;
        uint64_t count;
        struct launch *l;

        (void)events;
        if (read(pool->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
                return -errno;
        while ((l = next_done(pool)))
                l->on_done(l->userdata, l);
        return 0;
}

/* The result of a start whose thread does not come back: a stand-in that goes the usual way. Under the mutex. */
static void give_up(struct launch_pool *pool, struct launch *l, int pidfd) {
        struct launch *stand_in = launch_new();
        uint64_t one = 1;

        if (!stand_in)
                return; /* the next tick tries again */
        stand_in->on_done = l->on_done;
        stand_in->userdata = l->userdata;
        stand_in->run = l->run;
        fail(stand_in, RUN_STEP_TIME, ETIMEDOUT);
        *pool->done_end = stand_in;
        pool->done_end = &stand_in->next;
        l->is_abandoned = true;
        if (pidfd >= 0)
                send_signal(pidfd, SIGKILL);
        if (write(pool->event_fd, &one, sizeof(one)) < 0)
                return;
}

/* Starts that hang end; where all threads hang, there is one more. Returns whether there is anything left to watch. */
static bool check(struct launch_pool *pool, int64_t now_bt_us) {
        bool are_all_stuck = pool->waiting != NULL && pool->n_idle == 0;
        bool is_busy = pool->waiting != NULL;

        for (unsigned i = 0; i < pool->n_workers; i++) {
                struct worker *w = &pool->workers[i];
                if (!w->current || now_bt_us - w->since_bt_us < LAUNCH_STUCK_US)
                        are_all_stuck = false;
                if (!w->current)
                        continue;
                is_busy = true;
                if (!w->current->is_abandoned && now_bt_us - w->current->asked_bt_us >= pool->settings.time_us)
                        give_up(pool, w->current, __atomic_load_n(&w->pidfd, __ATOMIC_RELAXED));
        }
        if (are_all_stuck && pool->n_workers < LAUNCH_THREADS_MAX)
                add_worker(pool);
        while (pool->waiting && now_bt_us - pool->waiting->asked_bt_us >= pool->settings.time_us) {
                struct launch *l = pool->waiting;
                pool->waiting = l->next;
                if (!pool->waiting)
                        pool->waiting_end = &pool->waiting;
                fail(l, RUN_STEP_TIME, ETIMEDOUT);
                l->next = NULL;
                *pool->done_end = l;
                pool->done_end = &l->next;
        }
        return is_busy;
}

static int on_tick(void *userdata, bool is_clock_change) {
        struct launch_pool *pool = userdata;
        int64_t now_bt_us = clock_now().bt_us;
        struct launch *l;

        (void)is_clock_change;
        pthread_mutex_lock(&pool->mutex);
        pool->is_ticking = check(pool, now_bt_us);
        pthread_mutex_unlock(&pool->mutex);
        while ((l = next_done(pool)))
                l->on_done(l->userdata, l);
        return pool->is_ticking ? loop_arm_timer(pool->timer, now_bt_us + TICK_US) : 0;
}

static uint64_t find_ignored(void) {
        uint64_t ignored = 0;

        for (int signal = 1; signal <= 64; signal++) {
                struct sigaction action;
                if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
                        ignored |= UINT64_C(1) << (signal - 1);
        }
        return ignored;
}

int launch_pool_new(struct loop *loop, const struct launch_settings *settings, struct launch_pool **ret) {
        struct launch_pool *pool = calloc(1, sizeof(*pool));
        int r = 0;

        if (!pool)
                return -ENOMEM;
        pool->loop = loop;
        pool->settings = *settings;
        if (settings->time_us == 0)
                pool->settings.time_us = LAUNCH_TIME_US;
        pool->ignored = find_ignored();
        pool->waiting_end = &pool->waiting;
        pool->done_end = &pool->done;
        pthread_mutex_init(&pool->mutex, NULL);
        pthread_cond_init(&pool->has_work, NULL);
        pool->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (pool->event_fd < 0)
                r = -errno;
        if (r == 0)
                r = loop_add_io(loop, pool->event_fd, EPOLLIN, on_event, pool, &pool->event_source);
        if (r == 0)
                r = loop_add_timer(loop, LOOP_CLOCK_BOOT, on_tick, pool, &pool->timer);
        pthread_mutex_lock(&pool->mutex);
        while (r == 0 && pool->n_workers < LAUNCH_THREADS_MIN)
                r = add_worker(pool);
        pthread_mutex_unlock(&pool->mutex);
        if (r < 0) {
                launch_pool_free(pool);
                return r;
        }
        *ret = pool;
        return 0;
}

static void free_all(struct launch *list) {
        while (list) {
                struct launch *next = list->next;
                launch_free(list);
                list = next;
        }
}

struct launch_pool *launch_pool_free(struct launch_pool *pool) {
        struct timespec limit = {.tv_sec = clock_now().rt_us / USEC_PER_SEC + JOIN_SECONDS};

        if (!pool)
                return NULL;
        pool->event_source = loop_source_free(pool->event_source);
        pool->timer = loop_source_free(pool->timer);
        pthread_mutex_lock(&pool->mutex);
        pool->is_stopping = true;
        pthread_cond_broadcast(&pool->has_work);
        for (unsigned i = 0; i < pool->n_workers; i++) {
                int pidfd = __atomic_load_n(&pool->workers[i].pidfd, __ATOMIC_RELAXED);
                if (pool->workers[i].current && pidfd >= 0)
                        send_signal(pidfd, SIGKILL);
        }
        pthread_mutex_unlock(&pool->mutex);
        for (unsigned i = 0; i < pool->n_workers; i++) {
                if (pthread_timedjoin_np(pool->workers[i].thread, NULL, &limit) != 0)
                        return NULL; /* a start hangs: left behind with the threads */
                munmap(pool->workers[i].stack, STACK_SIZE);
        }
        free_all(pool->waiting);
        free_all(pool->done);
        util_close(pool->event_fd);
        pthread_cond_destroy(&pool->has_work);
        pthread_mutex_destroy(&pool->mutex);
        free(pool);
        return NULL;
}

int launch_submit(struct launch_pool *pool, struct launch *l) {
        l->asked_bt_us = clock_now().bt_us;
        l->next = NULL;
        if (!pool->is_ticking) {
                int r = loop_arm_timer(pool->timer, l->asked_bt_us + TICK_US);
                if (r < 0)
                        return r;
                pool->is_ticking = true;
        }
        pthread_mutex_lock(&pool->mutex);
        *pool->waiting_end = l;
        pool->waiting_end = &l->next;
        pthread_cond_signal(&pool->has_work);
        pthread_mutex_unlock(&pool->mutex);
        return 0;
}

bool launch_owns_pid(struct launch_pool *pool, pid_t pid) {
        bool is_ours = false;

        pthread_mutex_lock(&pool->mutex);
        for (unsigned i = 0; i < pool->n_workers; i++)
                is_ours |= pool->workers[i].current && __atomic_load_n(&pool->workers[i].pid, __ATOMIC_RELAXED) == pid;
        for (struct launch *l = pool->done; l; l = l->next)
                is_ours |= l->pid == pid;
        pthread_mutex_unlock(&pool->mutex);
        return is_ours;
}

bool launch_is_idle(struct launch_pool *pool) {
        pthread_mutex_lock(&pool->mutex);
        bool is_idle = !pool->waiting && !pool->done && pool->n_idle == pool->n_workers;
        pthread_mutex_unlock(&pool->mutex);
        return is_idle;
}

bool launch_hangs(struct launch_pool *pool) {
        bool hangs = false;

        pthread_mutex_lock(&pool->mutex);
        for (unsigned i = 0; i < pool->n_workers; i++)
                hangs |= pool->workers[i].current && pool->workers[i].current->is_abandoned;
        pthread_mutex_unlock(&pool->mutex);
        return hangs;
}

unsigned launch_n_threads(struct launch_pool *pool) {
        pthread_mutex_lock(&pool->mutex);
        unsigned n = pool->n_workers;
        pthread_mutex_unlock(&pool->mutex);
        return n;
}
