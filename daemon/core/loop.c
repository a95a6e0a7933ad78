// SPDX-License-Identifier: MIT
// loop: level-triggered epoll. One timerfd a timer: the kernel orders them, no heap here, and none has timer slack.
// A freed source leaves epoll at once, but its memory stays until the outermost pass has handled its batch, since a later
// event of the batch may point to it.

#include "daemon/core/loop.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"

#define EVENTS_MAX  320 /* of one wait: as many as clients and what else there is, so that no timer waits for a second batch */
#define SIGNALS_MAX 32  /* of one pass; the rest stays pending */

enum source_kind { SOURCE_IO, SOURCE_TIMER, SOURCE_SIGNALS };

struct loop_source {
        struct loop *loop;
        struct loop_source *previous, *next; /* in the loop's list; next also in its list of the dead */
        enum source_kind kind;
        bool is_dead;
        int fd; /* an io source's is the caller's */
        void *userdata;
        loop_io_fn on_io;
        loop_timer_fn on_timer;
        loop_signal_fn on_signal;
        /* timers */
        enum loop_clock clock;
        int64_t at_us;
        bool is_armed_anew;    /* since the callback began */
        bool is_change_untold; /* the clock change was swallowed by an arming */
        int64_t fired_us;      /* the instant it fired for last */
        int64_t second;        /* of BOOTTIME, and how often it fired therein without advancing */
        unsigned n_stuck;
};

struct loop {
        int epoll_fd;
        struct loop_source *sources, *dead;
        unsigned depth; /* of passes */
        int (*on_flush)(void *userdata);
        void *flush_userdata;
        bool is_exiting;
        int status;
};

int loop_new(struct loop **ret) {
        struct loop *loop = calloc(1, sizeof(*loop));
        if (!loop)
                return -ENOMEM;
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (loop->epoll_fd < 0) {
                int r = -errno;
                free(loop);
                return r;
        }
        *ret = loop;
        return 0;
}

static void bury(struct loop *loop) {
        while (loop->dead) {
                struct loop_source *source = loop->dead;
                loop->dead = source->next;
                free(source);
        }
}

struct loop *loop_free(struct loop *loop) {
        if (!loop)
                return NULL;
        while (loop->sources)
                loop_source_free(loop->sources);
        bury(loop);
        util_close(loop->epoll_fd);
        free(loop);
        return NULL;
}

static int source_new(struct loop *loop, enum source_kind kind, int fd, uint32_t events, void *userdata,
                      struct loop_source **ret) {
        struct loop_source *source = calloc(1, sizeof(*source));
        if (!source)
                return -ENOMEM;
        *source = (struct loop_source){.loop = loop, .kind = kind, .fd = fd, .userdata = userdata};
        struct epoll_event event = {.events = events, .data.ptr = source};
        if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
                int r = -errno;
                free(source);
                return r;
        }
        source->next = loop->sources;
        if (source->next)
                source->next->previous = source;
        loop->sources = source;
        *ret = source;
        return 0;
}

struct loop_source *loop_source_free(struct loop_source *source) {
        if (!source || source->is_dead)
                return NULL;
        struct loop *loop = source->loop;
        /* close() alone would leave the registration alive while another process holds the same open file */
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
        if (source->kind != SOURCE_IO)
                util_close(source->fd);
        if (source->previous)
                source->previous->next = source->next;
        else
                loop->sources = source->next;
        if (source->next)
                source->next->previous = source->previous;
        if (loop->depth == 0) {
                free(source);
                return NULL;
        }
        source->is_dead = true;
        source->next = loop->dead;
        loop->dead = source;
        return NULL;
}

int loop_add_io(struct loop *loop, int fd, uint32_t events, loop_io_fn fn, void *userdata, struct loop_source **ret) {
        struct loop_source *source = NULL;
        int r = source_new(loop, SOURCE_IO, fd, events, userdata, &source);
        if (r < 0)
                return r;
        source->on_io = fn;
        *ret = source;
        return 0;
}

int loop_set_events(struct loop_source *source, uint32_t events) {
        struct epoll_event event = {.events = events, .data.ptr = source};
        return epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno : 0;
}

int loop_add_timer(struct loop *loop, enum loop_clock clock, loop_timer_fn fn, void *userdata, struct loop_source **ret) {
        struct loop_source *source = NULL;
        int fd = timerfd_create(clock == LOOP_CLOCK_REAL ? CLOCK_REALTIME : CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        if (fd < 0)
                return -errno;
        int r = source_new(loop, SOURCE_TIMER, fd, EPOLLIN, userdata, &source);
        if (r < 0) {
                util_close(fd);
                return r;
        }
        source->clock = clock;
        source->on_timer = fn;
        r = loop_arm_timer(source, LOOP_NEVER);
        if (r < 0) {
                loop_source_free(source);
                return r;
        }
        *ret = source;
        return 0;
}

/* Sets the timerfd. Where the wall clock was set since it was last read, the kernel arms it, but reports the change here and
 * never again: then it is made due at once, so that the callback hears of it. */
static int timer_set(struct loop_source *timer, int64_t at_us) {
        bool is_real = timer->clock == LOOP_CLOCK_REAL;
        struct itimerspec spec = {};
        if (at_us == LOOP_NEVER)
                spec.it_value.tv_sec = is_real ? at_us : 0; /* only an armed one hears of clock changes */
        else if (at_us <= 0)
                spec.it_value.tv_nsec = 1; /* 0 would disarm it */
        else
                spec.it_value = (struct timespec){.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
        int flags = TFD_TIMER_ABSTIME | (is_real ? TFD_TIMER_CANCEL_ON_SET : 0);
        if (timerfd_settime(timer->fd, flags, &spec, NULL) >= 0)
                return 0;
        if (errno != ECANCELED)
                return -errno;
        timer->is_change_untold = true;
        spec.it_value = (struct timespec){.tv_nsec = 1};
        return timerfd_settime(timer->fd, flags, &spec, NULL) < 0 && errno != ECANCELED ? -errno : 0;
}

int loop_arm_timer(struct loop_source *timer, int64_t at_us) {
        timer->at_us = at_us;
        timer->is_armed_anew = true;
        /* still to be told: it stays due at once, and is set for at_us after the callback */
        return timer->is_change_untold ? 0 : timer_set(timer, at_us);
}

int loop_add_signals(struct loop *loop, const sigset_t *set, loop_signal_fn fn, void *userdata, struct loop_source **ret) {
        struct loop_source *source = NULL;
        int r = pthread_sigmask(SIG_BLOCK, set, NULL);
        if (r > 0)
                return -r;
        int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return -errno;
        r = source_new(loop, SOURCE_SIGNALS, fd, EPOLLIN, userdata, &source);
        if (r < 0) {
                util_close(fd);
                return r;
        }
        source->on_signal = fn;
        *ret = source;
        return 0;
}

void loop_set_flush(struct loop *loop, int (*fn)(void *userdata), void *userdata) {
        loop->on_flush = fn;
        loop->flush_userdata = userdata;
}

/* True where the timer fires again and again for instants that do not advance. Load, however heavy, makes them advance; a
 * plain count a second would depend on how fast the machine is. */
static bool timer_is_runaway(struct loop_source *timer) {
        int64_t second = clock_now().bt_us / 1000000;
        if (timer->at_us > timer->fired_us || timer->second != second)
                timer->n_stuck = 0;
        timer->second = second;
        timer->fired_us = timer->at_us;
        return ++timer->n_stuck > LOOP_RUNAWAY_LIMIT;
}

static int dispatch_timer(struct loop_source *timer) {
        uint64_t n;
        bool is_clock_change = timer->is_change_untold;
        if (read(timer->fd, &n, sizeof(n)) < 0) {
                if (errno == EAGAIN || errno == EINTR) /* armed anew after epoll had seen it due */
                        return 0;
                if (errno != ECANCELED)
                        return -errno;
                is_clock_change = true;
        }
        if (!is_clock_change) {
                if (timer_is_runaway(timer))
                        return -ELOOP;
                timer->at_us = LOOP_NEVER;
        }
        timer->is_change_untold = false;
        timer->is_armed_anew = false;
        int r = timer->on_timer(timer->userdata, is_clock_change);
        if (r < 0 || timer->is_dead || timer->is_armed_anew)
                return r;
        return timer_set(timer, timer->at_us);
}

static int dispatch_signals(struct loop_source *source) {
        struct signalfd_siginfo info[SIGNALS_MAX];
        ssize_t size = read(source->fd, info, sizeof(info));
        if (size < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        for (size_t i = 0; i < (size_t)size / sizeof(info[0]) && !source->is_dead; i++) {
                int r = source->on_signal(source->userdata, &info[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int dispatch(struct loop_source *source, uint32_t events) {
        if (source->is_dead)
                return 0;
        switch (source->kind) {
        case SOURCE_IO:
                return source->on_io(source->userdata, events);
        case SOURCE_TIMER:
                return dispatch_timer(source);
        case SOURCE_SIGNALS:
                return dispatch_signals(source);
        }
        return 0;
}

static int timeout_to_ms(int64_t timeout_us) {
        if (timeout_us < 0)
                return -1;
        return timeout_us >= INT64_C(1000) * INT32_MAX ? INT32_MAX : (int)((timeout_us + 999) / 1000);
}

int loop_run_once(struct loop *loop, int64_t timeout_us) {
        struct epoll_event events[EVENTS_MAX];
        int n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, timeout_to_ms(timeout_us));
        if (n < 0) {
                if (errno != EINTR)
                        return -errno;
                n = 0;
        }
        int r = 0;
        loop->depth++;
        for (int i = 0; i < n && r >= 0; i++)
                r = dispatch(events[i].data.ptr, events[i].events);
        if (r >= 0 && loop->on_flush)
                r = loop->on_flush(loop->flush_userdata);
        if (--loop->depth == 0)
                bury(loop);
        return r < 0 ? r : n > 0;
}

int loop_run(struct loop *loop) {
        /* what was batched before the first pass */
        int r = loop->on_flush ? loop->on_flush(loop->flush_userdata) : 0;
        while (r >= 0 && !loop->is_exiting)
                r = loop_run_once(loop, -1);
        if (r >= 0)
                r = loop->status;
        loop->is_exiting = false;
        return r;
}

void loop_exit(struct loop *loop, int status) {
        loop->is_exiting = true;
        loop->status = status;
}
