// SPDX-License-Identifier: MIT
// host: keeps a scheduler running.
// A scheduler has ended when its process is reaped and what was in its control channel is handled: so what it said before it died
// is served, and "the runner does not know this run" proves "not started" to the next one.

#include "daemon/runner/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/runner/environment.h"

struct host {
        struct loop *loop;
        struct launch_pool *pool;
        struct host_settings settings;
        struct host_callbacks callbacks;
        void *userdata;
        struct channel *control, *output;
        struct loop_source *timer, *pidfd_source;
        int pidfd;
        pid_t pid;
        bool is_launching, is_running, is_stopping, is_held, is_kill_wanted;
        int64_t start_bt_us;
        int64_t delay_us; /* before the next start after a short life */
        char why[128];    /* it ended */
};

static int spawn(struct host *host);

static void end(struct host *host) {
        int64_t now_bt_us = clock_now().bt_us, delay_us;

        if (!host_is_idle(host))
                return;
        host->output = channel_free(host->output);
        if (host->is_stopping)
                return;
        if (host->is_held) {
                host->callbacks.on_end(host->userdata, LOOP_NEVER, host->why);
                return;
        }
        if (now_bt_us - host->start_bt_us >= HOST_SETTLED_US)
                host->delay_us = 0;
        delay_us = host->delay_us;
        host->delay_us = delay_us == 0 ? HOST_BACKOFF_MIN : 2 * delay_us;
        if (host->delay_us > HOST_BACKOFF_MAX)
                host->delay_us = HOST_BACKOFF_MAX;
        host->callbacks.on_end(host->userdata, delay_us, host->why);
        loop_arm_timer(host->timer, now_bt_us + delay_us);
}

static int on_control_closed(void *userdata, int error) {
        struct host *host = userdata;

        if (error < 0)
                snprintf(host->why, sizeof(host->why), "its link was closed: %s", strerror(-error));
        host->control = channel_free(host->control);
        if (!host->is_stopping && !host->is_held) /* one that was asked to leave has still to write its ledger */
                host_kill(host);                  /* without a link it is of no use */
        end(host);
        return 0;
}

/* The output socket may go at any time; runs go on. */
static int on_output_closed(void *userdata, int error) {
        struct host *host = userdata;

        (void)error;
        host->output = channel_free(host->output);
        return 0;
}

static int on_output_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        (void)userdata, (void)type, (void)payload, (void)size;
        return -EBADMSG; /* nothing comes this way */
}

static int on_control_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct host *host = userdata;

        return host->callbacks.on_record(host->userdata, type, payload, size);
}

static int on_control_room(void *userdata) {
        struct host *host = userdata;

        host->callbacks.on_room(host->userdata);
        return 0;
}

static int on_exit_ready(void *userdata, uint32_t events) {
        struct host *host = userdata;
        siginfo_t info = {};

        (void)events;
        if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)host->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
                return 0;
        if (!host->why[0])
                snprintf(host->why, sizeof(host->why), info.si_code == CLD_EXITED ? "exit status %d" : "signal %d",
                         info.si_status);
        host->pidfd_source = loop_source_free(host->pidfd_source);
        host->pidfd = util_close(host->pidfd);
        host->pid = 0;
        /* what it had said is served; nobody else speaks for it, even if a child of its holds the socket */
        if (host->control)
                channel_poll(host->control);
        host->control = channel_free(host->control);
        host->is_running = false;
        end(host);
        return 0;
}

static void ask_to_leave(const struct host *host) {
        if (host->pidfd >= 0)
                syscall(SYS_pidfd_send_signal, host->pidfd, SIGTERM, NULL, 0);
}

/* Where the end can't be watched for it is tried again: until then a scheduler that has ended counts as running. */
static void watch_exit(struct host *host) {
        if (loop_add_io(host->loop, host->pidfd, EPOLLIN, on_exit_ready, host, &host->pidfd_source) < 0)
                loop_arm_timer(host->timer, clock_now().bt_us + HOST_BACKOFF_MIN);
}

static void on_launched(void *userdata, struct launch *l) {
        struct host *host = userdata;

        host->is_launching = false;
        if (l->step == RUN_STEP_NONE) {
                host->is_running = true;
                host->pid = l->pid;
                host->pidfd = l->pidfd;
                l->pidfd = -1; /* taken */
                watch_exit(host);
        } else
                snprintf(host->why, sizeof(host->why), "%s: %s", run_step_to_string(l->step), strerror(l->error));
        launch_free(l); /* with it go our copies of the scheduler's ends */
        if (host->is_kill_wanted)
                host_kill(host);
        else if (host->is_held)
                ask_to_leave(host);
        end(host);
}

static int make_environment(char ***ret) {
        static const char *const kept[] = {"LANG", "TZ", "TZDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"};
        struct environment e = {};
        int r = environment_set(&e, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");

        for (size_t i = 0; i < ARRAY_SIZE(kept) && r == 0; i++)
                if (getenv(kept[i]))
                        r = environment_set_value(&e, kept[i], getenv(kept[i]));
        if (r == 0)
                *ret = e.list; /* given */
        else
                environment_done(&e);
        return r;
}

static int make_order(struct host *host, struct launch *l) {
        struct job_what *what = &l->what;

        job_what_init(what);
        what->argv = calloc(6, sizeof(*what->argv));
        if (!what->argv || !(what->argv[0] = strdup(host->settings.program)) || !(what->argv[1] = strdup("--scheduler")) ||
            asprintf(&what->argv[2], "--log=%s", host->settings.log) < 0)
                return -ENOMEM;
        size_t n = 3;
        if (host->settings.state && asprintf(&what->argv[n++], "--state=%s", host->settings.state) < 0)
                return -ENOMEM;
        if (host->settings.has_admins && asprintf(&what->argv[n], "--admin-gid=%u", host->settings.admin_gid) < 0)
                return -ENOMEM;
        what->has_identity = host->settings.has_identity;
        what->uid = host->settings.uid;
        what->gid = host->settings.gid;
        if (!(what->working_directory = strdup("/")))
                return -ENOMEM;
        l->is_own_program = what->has_no_new_privs = true;
        l->on_done = on_launched;
        l->userdata = host;
        return make_environment(&l->base);
}

/* A channel on our end, the other end in *ret_peer. */
static int make_channel(struct host *host, size_t limit, const struct channel_callbacks *callbacks, struct channel **ret,
                        int *ret_peer) {
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -errno;
        int r = channel_new(host->loop, fds[0], limit, callbacks, host, ret);
        if (r < 0)
                util_close(fds[1]);
        else
                *ret_peer = fds[1];
        return r;
}

static int spawn(struct host *host) {
        static const struct channel_callbacks control = {
                .on_record = on_control_record, .on_closed = on_control_closed, .on_room = on_control_room};
        static const struct channel_callbacks output = {.on_record = on_output_record, .on_closed = on_output_closed};
        struct launch *l = launch_new();
        int r = l ? make_order(host, l) : -ENOMEM;

        host->why[0] = '\0';
        host->is_kill_wanted = false;
        host->start_bt_us = clock_now().bt_us;
        if (r == 0)
                r = make_channel(host, HOST_CONTROL_QUEUE, &control, &host->control, &l->pass[0]);
        if (r == 0)
                r = make_channel(host, HOST_OUTPUT_QUEUE, &output, &host->output, &l->pass[1]);
        if (r == 0)
                r = (l->pass[2] = fcntl(host->settings.listen_fd, F_DUPFD_CLOEXEC, 3)) < 0 ? -errno : 0;
        if (r == 0)
                r = launch_submit(host->pool, l);
        if (r < 0) {
                launch_free(l);
                host->control = channel_free(host->control);
                host->output = channel_free(host->output);
                return r;
        }
        host->is_launching = true;
        host->callbacks.on_start(host->userdata);
        return 0;
}

/* The next one is to be started, or the end of the one that is there still to be watched for. */
static int on_timer(void *userdata, bool is_clock_change) {
        struct host *host = userdata;

        (void)is_clock_change;
        if (host->is_running) {
                watch_exit(host);
                return 0;
        }
        if (host->is_stopping || host->is_held)
                return 0;
        int r = spawn(host);
        if (r < 0) {
                snprintf(host->why, sizeof(host->why), "%s", strerror(-r));
                end(host);
        }
        return 0;
}

int host_new(struct loop *loop, struct launch_pool *pool, const struct host_settings *settings,
             const struct host_callbacks *callbacks, void *userdata, struct host **ret) {
        struct host *host = calloc(1, sizeof(*host));
        int r;

        if (!host)
                return -ENOMEM;
        *host = (struct host){
                .loop = loop, .pool = pool, .settings = *settings, .callbacks = *callbacks, .userdata = userdata, .pidfd = -1};
        r = loop_add_timer(loop, LOOP_CLOCK_BOOT, on_timer, host, &host->timer);
        if (r == 0)
                r = loop_arm_timer(host->timer, 0);
        if (r < 0) {
                host_free(host);
                return r;
        }
        *ret = host;
        return 0;
}

struct host *host_free(struct host *host) {
        if (!host)
                return NULL;
        channel_free(host->control);
        channel_free(host->output);
        loop_source_free(host->timer);
        loop_source_free(host->pidfd_source);
        util_close(host->pidfd);
        free(host);
        return NULL;
}

struct channel *host_control(const struct host *host) {
        return host ? host->control : NULL;
}

struct channel *host_output(const struct host *host) {
        return host ? host->output : NULL;
}

void host_flush(struct host *host) {
        if (host->output) /* first: when a run's end arrives, its last output must be there */
                channel_flush(host->output);
        if (host->control)
                channel_flush(host->control);
}

void host_hold(struct host *host) {
        host->is_held = true;
        ask_to_leave(host);
}

void host_release(struct host *host) {
        host->is_held = false;
        if (host_is_idle(host))
                loop_arm_timer(host->timer, 0);
}

bool host_is_idle(const struct host *host) {
        return !host->is_launching && !host->is_running && !host->control;
}

void host_stop(struct host *host) {
        host->is_stopping = true;
        host_flush(host);
        host->control = channel_free(host->control);
        host->output = channel_free(host->output);
}

bool host_is_gone(const struct host *host) {
        return !host->is_launching && !host->is_running;
}

void host_kill(struct host *host) {
        host->is_kill_wanted = true;
        if (host->pidfd >= 0)
                syscall(SYS_pidfd_send_signal, host->pidfd, SIGKILL, NULL, 0);
}

bool host_owns_pid(const struct host *host, pid_t pid) {
        return host && host->pid == pid && pid > 0;
}
