// SPDX-License-Identifier: MIT
// upkeep: keeps a scheduler running.
// A scheduler has ended when its process is reaped and what was in its control channel is handled: so what it said before it died
// is served, and "the runner does not know this run" proves "not started" to the next one.

#include "daemon/runner/upkeep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/descriptors.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "daemon/runner/environment.h"
#include "daemon/runner/guest.h"

#define PAUSE_US (5 * USEC_PER_MSEC)

struct upkeep {
        struct loop *loop;
        struct launch_pool *pool;
        struct upkeep_settings settings;
        struct upkeep_callbacks callbacks;
        void *userdata;
        struct channel *control, *output;
        int hosts_fd; /* -1: no scheduler is there, or it has closed its end */
        struct loop_source *timer, *pidfd_source, *pause_timer;
        struct loop_source *guests; /* NULL: we start them ourselves */
        bool is_pausing;
        int pidfd;
        pid_t pid;
        bool is_launching, is_running, is_stopping, is_held, is_kill_wanted;
        bool is_heard, has_committed; /* the one that is there */
        int64_t start_bt_us;
        int64_t delay_us; /* before the next start after a short life */
        char why[128];    /* it ended */
};

static int spawn(struct upkeep *upkeep);

/* The next one is let in when the one before is gone: until then it waits in the socket's queue. */
static void await_guest(struct upkeep *upkeep) {
        bool is_wanted = upkeep_is_idle(upkeep) && !upkeep->is_held && !upkeep->is_stopping;

        if (upkeep->guests && loop_set_events(upkeep->guests, is_wanted ? EPOLLIN : 0) < 0)
                loop_arm_timer(upkeep->timer, clock_now().bt_us + UPKEEP_BACKOFF_MIN);
}

static void forget_hosts(struct upkeep *upkeep) {
        upkeep->hosts_fd = util_close(upkeep->hosts_fd);
        upkeep->is_pausing = false;
}

/* Until the next one: longer each time, as long as each lives but a moment. */
static int64_t next_delay(struct upkeep *upkeep, int64_t now_bt_us) {
        if (now_bt_us - upkeep->start_bt_us >= UPKEEP_SETTLED_US)
                upkeep->delay_us = 0;
        int64_t delay_us = upkeep->delay_us;
        upkeep->delay_us = delay_us == 0 ? UPKEEP_BACKOFF_MIN : 2 * delay_us;
        if (upkeep->delay_us > UPKEEP_BACKOFF_MAX)
                upkeep->delay_us = UPKEEP_BACKOFF_MAX;
        return delay_us;
}

static void end(struct upkeep *upkeep) {
        int64_t now_bt_us = clock_now().bt_us;

        if (!upkeep_is_idle(upkeep))
                return;
        upkeep->output = channel_free(upkeep->output);
        forget_hosts(upkeep);
        if (upkeep->is_stopping)
                return;
        if (upkeep->is_held) {
                upkeep->callbacks.on_end(upkeep->userdata, LOOP_NEVER, upkeep->why);
                return;
        }
        /* in order: the next one may be there already */
        bool has_left = upkeep->guests && upkeep->has_committed && !upkeep->why[0];
        int64_t delay_us = has_left ? 0 : next_delay(upkeep, now_bt_us);
        loop_arm_timer(upkeep->timer, now_bt_us + delay_us);
        upkeep->callbacks.on_end(upkeep->userdata, delay_us, upkeep->why);
}

static int on_control_closed(void *userdata, int error) {
        struct upkeep *upkeep = userdata;

        if (error < 0)
                snprintf(upkeep->why, sizeof(upkeep->why), "its link was closed: %s", strerror(-error));
        upkeep->control = channel_free(upkeep->control);
        bool is_leaving = upkeep->is_stopping || upkeep->is_held; /* it has still to write its ledger */
        if (!upkeep->guests && !is_leaving)
                upkeep_kill(upkeep); /* without a link it is of no use */
        end(upkeep);
        return 0;
}

/* The output socket may go at any time; runs go on. */
static int on_output_closed(void *userdata, int error) {
        struct upkeep *upkeep = userdata;

        (void)error;
        upkeep->output = channel_free(upkeep->output);
        return 0;
}

static int on_output_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        (void)userdata, (void)type, (void)payload, (void)size;
        return -EBADMSG; /* nothing comes this way */
}

static int on_control_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct upkeep *upkeep = userdata;

        int r = upkeep->callbacks.on_record(upkeep->userdata, type, payload, size);
        upkeep->is_heard |= r >= 0;
        upkeep->has_committed |= r >= 0 && type == WIRE_COMMITTED;
        return r;
}

static int on_control_room(void *userdata) {
        struct upkeep *upkeep = userdata;

        upkeep->callbacks.on_room(upkeep->userdata);
        return 0;
}

static int on_exit_ready(void *userdata, uint32_t events) {
        struct upkeep *upkeep = userdata;
        siginfo_t info = {};

        (void)events;
        if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)upkeep->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
                return 0;
        if (!upkeep->why[0])
                snprintf(upkeep->why, sizeof(upkeep->why), info.si_code == CLD_EXITED ? "exit status %d" : "signal %d",
                         info.si_status);
        upkeep->pidfd_source = loop_source_free(upkeep->pidfd_source);
        upkeep->pidfd = util_close(upkeep->pidfd);
        upkeep->pid = 0;
        /* what it had said is served; nobody else speaks for it, even if a child of its holds the socket */
        if (upkeep->control)
                channel_poll(upkeep->control);
        upkeep->control = channel_free(upkeep->control);
        upkeep->is_running = false;
        end(upkeep);
        return 0;
}

static void ask_to_leave(const struct upkeep *upkeep) {
        if (upkeep->guests && upkeep->control)
                channel_send(upkeep->control, WIRE_LEAVE, "", 0); /* where that fails it is heard no more in a while */
        else if (upkeep->pidfd >= 0)
                syscall(SYS_pidfd_send_signal, upkeep->pidfd, SIGTERM, NULL, 0);
}

/* Where the end can't be watched for it is tried again: until then a scheduler that has ended counts as running. */
static void watch_exit(struct upkeep *upkeep) {
        if (loop_add_io(upkeep->loop, upkeep->pidfd, EPOLLIN, on_exit_ready, upkeep, &upkeep->pidfd_source) < 0)
                loop_arm_timer(upkeep->timer, clock_now().bt_us + UPKEEP_BACKOFF_MIN);
}

static void on_launched(void *userdata, struct launch *l) {
        struct upkeep *upkeep = userdata;

        upkeep->is_launching = false;
        if (l->step == RUN_STEP_NONE) {
                upkeep->is_running = true;
                upkeep->pid = l->pid;
                upkeep->pidfd = l->pidfd;
                l->pidfd = -1; /* taken */
                watch_exit(upkeep);
        } else
                snprintf(upkeep->why, sizeof(upkeep->why), "%s: %s", run_step_to_string(l->step), strerror(l->error));
        launch_free(l); /* with it go our copies of the scheduler's ends */
        if (upkeep->is_kill_wanted)
                upkeep_kill(upkeep);
        else if (upkeep->is_held)
                ask_to_leave(upkeep);
        end(upkeep);
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

static int make_order(struct upkeep *upkeep, struct launch *l) {
        struct job_what *what = &l->what;

        job_what_init(what);
        what->argv = calloc(6, sizeof(*what->argv));
        if (!what->argv || !(what->argv[0] = strdup(upkeep->settings.program)) || !(what->argv[1] = strdup("--scheduler")) ||
            asprintf(&what->argv[2], "--log=%s", upkeep->settings.log) < 0)
                return -ENOMEM;
        size_t n = 3;
        if (upkeep->settings.state && asprintf(&what->argv[n++], "--state=%s", upkeep->settings.state) < 0)
                return -ENOMEM;
        if (upkeep->settings.has_admins && asprintf(&what->argv[n], "--admin-gid=%u", upkeep->settings.admin_gid) < 0)
                return -ENOMEM;
        what->has_identity = upkeep->settings.has_identity;
        what->uid = upkeep->settings.uid;
        what->gid = upkeep->settings.gid;
        if (!(what->working_directory = strdup("/")))
                return -ENOMEM;
        l->is_own_program = what->has_no_new_privs = true;
        l->on_done = on_launched;
        l->userdata = upkeep;
        return make_environment(&l->base);
}

/* A channel on our end, the other end in *ret_peer. */
static int make_channel(struct upkeep *upkeep, size_t limit, const struct channel_callbacks *callbacks, struct channel **ret,
                        int *ret_peer) {
        int fd = -1, r = descriptors_pair(&fd, ret_peer);

        return r == 0 ? channel_new(upkeep->loop, fd, limit, callbacks, upkeep, ret) : r;
}

/* For the scheduler to have. */
static int open_listener(const struct upkeep *upkeep) {
        return upkeep->settings.listen_fd >= 0 ? fcntl(upkeep->settings.listen_fd, F_DUPFD_CLOEXEC, 3)
                                               : open("/dev/null", O_RDWR | O_CLOEXEC);
}

static const struct channel_callbacks control_callbacks = {
        .on_record = on_control_record, .on_closed = on_control_closed, .on_room = on_control_room};
static const struct channel_callbacks output_callbacks = {.on_record = on_output_record, .on_closed = on_output_closed};

static int spawn(struct upkeep *upkeep) {
        struct launch *l = launch_new();
        int r = l ? make_order(upkeep, l) : -ENOMEM;

        upkeep->why[0] = '\0';
        upkeep->is_kill_wanted = false;
        upkeep->start_bt_us = clock_now().bt_us;
        if (r == 0)
                r = make_channel(upkeep, UPKEEP_CONTROL_QUEUE, &control_callbacks, &upkeep->control, &l->pass[0]);
        if (r == 0)
                r = make_channel(upkeep, UPKEEP_OUTPUT_QUEUE, &output_callbacks, &upkeep->output, &l->pass[1]);
        if (r == 0)
                r = (l->pass[2] = open_listener(upkeep)) < 0 ? -errno : 0;
        if (r == 0)
                r = descriptors_pair(&upkeep->hosts_fd, &l->pass[3]);
        if (r == 0)
                r = launch_submit(upkeep->pool, l);
        if (r < 0) {
                launch_free(l);
                upkeep->control = channel_free(upkeep->control);
                upkeep->output = channel_free(upkeep->output);
                forget_hosts(upkeep);
                return r;
        }
        upkeep->is_launching = true;
        upkeep->callbacks.on_start(upkeep->userdata);
        return 0;
}

/* ---- one that somebody else has started ---- */

static int take_in(struct upkeep *upkeep, struct guest *guest) {
        int r = channel_new(upkeep->loop, guest->control_fd, UPKEEP_CONTROL_QUEUE, &control_callbacks, upkeep,
                            &upkeep->control);

        if (r == 0)
                r = channel_new(upkeep->loop, guest->output_fd, UPKEEP_OUTPUT_QUEUE, &output_callbacks, upkeep,
                                &upkeep->output);
        else
                util_close(guest->output_fd);
        if (r < 0) {
                upkeep->control = channel_free(upkeep->control);
                util_close(guest->hosts_fd);
                return r;
        }
        upkeep->hosts_fd = guest->hosts_fd;
        return 0;
}

static int on_guest(void *userdata, uint32_t events) {
        struct upkeep *upkeep = userdata;
        const struct upkeep_settings *settings = &upkeep->settings;
        struct guest guest;

        (void)events;
        int r = guest_admit(settings->link_fd, settings->has_identity ? settings->uid : geteuid(),
                            settings->has_admins ? settings->admin_gid : (gid_t)-1, &guest);
        if (r == 0)
                r = take_in(upkeep, &guest);
        if (r == 1)
                return 0; /* none of ours, or it has gone while it waited */
        loop_set_events(upkeep->guests, 0);
        if (r < 0) { /* no descriptor is left, say */
                loop_arm_timer(upkeep->timer, clock_now().bt_us + UPKEEP_BACKOFF_MIN);
                return 0;
        }
        upkeep->start_bt_us = clock_now().bt_us;
        loop_arm_timer(upkeep->timer, upkeep->start_bt_us + settings->first_word_us);
        upkeep->why[0] = '\0';
        upkeep->is_kill_wanted = upkeep->is_heard = upkeep->has_committed = false;
        upkeep->callbacks.on_start(upkeep->userdata);
        return 0;
}

/* What it had said is served, and no more. */
static void dismiss(struct upkeep *upkeep) {
        channel_poll(upkeep->control);
        if (!upkeep->control || (upkeep->is_heard && !upkeep->is_kill_wanted))
                return; /* that was its end, or it has spoken just now */
        upkeep->control = channel_free(upkeep->control);
        snprintf(upkeep->why, sizeof(upkeep->why), "%s", upkeep->is_kill_wanted ? "its link was closed" : "it says nothing");
        end(upkeep);
}

/* The next one is to be started, or the end of the one that is there still to be watched for. */
static int on_timer(void *userdata, bool is_clock_change) {
        struct upkeep *upkeep = userdata;

        (void)is_clock_change;
        if (upkeep->guests) {
                if (!upkeep->control)
                        await_guest(upkeep);
                else if (upkeep->is_kill_wanted || !upkeep->is_heard)
                        dismiss(upkeep);
                return 0;
        }
        if (upkeep->is_running) {
                watch_exit(upkeep);
                return 0;
        }
        if (upkeep->is_stopping || upkeep->is_held)
                return 0;
        int r = spawn(upkeep);
        if (r < 0) {
                snprintf(upkeep->why, sizeof(upkeep->why), "%s", strerror(-r));
                end(upkeep);
        }
        return 0;
}

static int on_pause_over(void *userdata, bool is_clock_change) {
        struct upkeep *upkeep = userdata;

        (void)is_clock_change;
        if (!upkeep->is_pausing)
                return 0;
        upkeep->is_pausing = false;
        upkeep->callbacks.on_room(upkeep->userdata);
        return 0;
}

int upkeep_new(struct loop *loop, struct launch_pool *pool, const struct upkeep_settings *settings,
               const struct upkeep_callbacks *callbacks, void *userdata, struct upkeep **ret) {
        struct upkeep *upkeep = calloc(1, sizeof(*upkeep));
        int r;

        if (!upkeep)
                return -ENOMEM;
        *upkeep = (struct upkeep){.loop = loop,
                                  .pool = pool,
                                  .settings = *settings,
                                  .callbacks = *callbacks,
                                  .userdata = userdata,
                                  .pidfd = -1,
                                  .hosts_fd = -1};
        r = loop_add_timer(loop, LOOP_CLOCK_BOOT, on_timer, upkeep, &upkeep->timer);
        if (r == 0)
                r = loop_add_timer(loop, LOOP_CLOCK_BOOT, on_pause_over, upkeep, &upkeep->pause_timer);
        if (r == 0 && settings->link_fd >= 0)
                r = loop_add_io(loop, settings->link_fd, EPOLLIN, on_guest, upkeep, &upkeep->guests);
        else if (r == 0)
                r = loop_arm_timer(upkeep->timer, 0);
        if (r < 0) {
                upkeep_free(upkeep);
                return r;
        }
        *ret = upkeep;
        return 0;
}

struct upkeep *upkeep_free(struct upkeep *upkeep) {
        if (!upkeep)
                return NULL;
        channel_free(upkeep->control);
        channel_free(upkeep->output);
        loop_source_free(upkeep->timer);
        loop_source_free(upkeep->pause_timer);
        loop_source_free(upkeep->guests);
        util_close(upkeep->hosts_fd);
        loop_source_free(upkeep->pidfd_source);
        util_close(upkeep->pidfd);
        free(upkeep);
        return NULL;
}

struct channel *upkeep_control(const struct upkeep *upkeep) {
        return upkeep ? upkeep->control : NULL;
}

struct channel *upkeep_output(const struct upkeep *upkeep) {
        return upkeep ? upkeep->output : NULL;
}

int upkeep_give_host(struct upkeep *upkeep, const struct wire_host_arrival *arrival, int ticks_fd, int page_fd) {
        if (upkeep->hosts_fd < 0)
                return -EPIPE;
        int r = descriptors_send(upkeep->hosts_fd, arrival, sizeof(*arrival), (int[]){ticks_fd, page_fd}, 2);
        if (r != -EAGAIN && r != -ETOOMANYREFS && r != -ENOBUFS && r != -ENOMEM)
                return r < 0 ? -EPIPE : 0;
        upkeep_pause(upkeep); /* the socket says when it has room for bytes, but not when for descriptors */
        return -EAGAIN;
}

void upkeep_pause(struct upkeep *upkeep) {
        upkeep->is_pausing = true;
        loop_arm_timer(upkeep->pause_timer, clock_now().bt_us + PAUSE_US);
}

bool upkeep_is_pausing(const struct upkeep *upkeep) {
        return upkeep->is_pausing;
}

void upkeep_flush(struct upkeep *upkeep) {
        if (upkeep->output) /* first: when a run's end arrives, its last output must be there */
                channel_flush(upkeep->output);
        if (upkeep->control)
                channel_flush(upkeep->control);
}

void upkeep_hold(struct upkeep *upkeep) {
        upkeep->is_held = true;
        await_guest(upkeep);
        ask_to_leave(upkeep);
}

void upkeep_release(struct upkeep *upkeep) {
        upkeep->is_held = false;
        if (upkeep_is_idle(upkeep))
                loop_arm_timer(upkeep->timer, 0);
}

bool upkeep_begin_own(struct upkeep *upkeep) {
        if (!upkeep->guests)
                return false;
        if (upkeep->control && !upkeep->has_committed)
                upkeep_kill(upkeep);
        if (!upkeep_is_idle(upkeep))
                return false;
        upkeep->guests = loop_source_free(upkeep->guests);
        loop_arm_timer(upkeep->timer, 0);
        return true;
}

bool upkeep_is_idle(const struct upkeep *upkeep) {
        return !upkeep->is_launching && !upkeep->is_running && !upkeep->control;
}

void upkeep_stop(struct upkeep *upkeep) {
        upkeep->is_stopping = true;
        upkeep_flush(upkeep);
        upkeep->control = channel_free(upkeep->control);
        upkeep->output = channel_free(upkeep->output);
        forget_hosts(upkeep);
        await_guest(upkeep);
}

bool upkeep_is_gone(const struct upkeep *upkeep) {
        return !upkeep->is_launching && !upkeep->is_running;
}

void upkeep_kill(struct upkeep *upkeep) {
        upkeep->is_kill_wanted = true;
        if (upkeep->guests) /* whoever wants it may be in the middle of a record */
                loop_arm_timer(upkeep->timer, 0);
        if (upkeep->pidfd >= 0)
                syscall(SYS_pidfd_send_signal, upkeep->pidfd, SIGKILL, NULL, 0);
}

bool upkeep_owns_pid(const struct upkeep *upkeep, pid_t pid) {
        return upkeep && upkeep->pid == pid && pid > 0;
}
