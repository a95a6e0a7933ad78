// SPDX-License-Identifier: MIT
// host: orders come before ticks, since a tick needs its definition; foreign code is bracketed, so that the page tells what a
// dead host died in; the end comes when nothing is under way any more.

#include "daemon/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/host/coprocess.h"
#include "daemon/host/host_internal.h"

#define SLOTS_MIN 16
#define JOBS_MAX  (64 * 1024)

int64_t host_now(struct host *h) {
        if (h->now_us == 0)
                h->now_us = clock_now().bt_us;
        return h->now_us;
}

/* Writes to the page so that whoever reads it after our death sees the stores in their order. */
#define PAGE_SET(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

void host_enter(struct host *h, enum tick_phase phase, struct chimed_job *job) {
        PAGE_SET(h->page->handle, job->handle);
        PAGE_SET(h->page->current, job->current ? job->current->run : 0);
        PAGE_SET(h->page->phase, (uint32_t)phase);
}

/* The process can't go on; what was answered is sent. */
__attribute__((noreturn)) static void die(struct host *h, const struct chimed_job *job, const char *what) {
        host_log(h, job, 3, "%s: the plugin has taken %s away; its process ends", job->name, what);
        (void)channel_flush(h->ticks_channel);
        _exit(EXIT_FAILURE);
}

static void check_process(struct host *h, struct chimed_job *job) {
        const char *what;

        switch (guard_check(&h->guard, &what)) {
        case GUARD_CLEAN:
                break;
        case GUARD_PUT_BACK:
                host_log(h, job, 4, "%s: the plugin has changed %s; it is put back", job->name, what);
                job->n_untrusted = HOST_TRUST;
                break;
        case GUARD_LOST:
                die(h, job, what);
        }
}

void host_judge(struct host *h, struct chimed_job *job) {
        if (guard_is_child(&h->guard)) /* of a plugin that forks and returns twice */
                _exit(EXIT_FAILURE);
        h->now_us = clock_now().bt_us;
        if (job->n_untrusted > 0) {
                job->n_untrusted--;
                check_process(h, job);
        } else
                h->unchecked = job;
}

void host_rest(struct host *h) {
        PAGE_SET(h->page->phase, (uint32_t)TICK_PHASE_IDLE);
        PAGE_SET(h->page->current, (uint64_t)0);
}

void host_leave(struct host *h, struct chimed_job *job) {
        host_judge(h, job);
        host_rest(h);
}

struct chimed_job *host_find_job(const struct host *h, uint32_t handle) {
        struct chimed_job *job = h->n_slots > 0 ? h->jobs[handle & (h->n_slots - 1)] : NULL;

        while (job && job->handle != handle)
                job = job->next;
        return job;
}

static int make_slots(struct host *h) {
        size_t n = h->n_slots ? h->n_slots * 2 : SLOTS_MIN;

        if (h->n_jobs < h->n_slots)
                return 0;
        struct chimed_job **slots = calloc(n, sizeof(struct chimed_job *));
        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < h->n_slots; i++)
                for (struct chimed_job *job = h->jobs[i], *next; job; job = next) {
                        next = job->next;
                        job->next = slots[job->handle & (n - 1)];
                        slots[job->handle & (n - 1)] = job;
                }
        free(h->jobs);
        h->jobs = slots;
        h->n_slots = n;
        return 0;
}

static int add_job(struct host *h, const struct order_load *order) {
        struct chimed_job *job = NULL;

        if (host_find_job(h, order->handle))
                return 0;
        int r = h->n_jobs < JOBS_MAX ? make_slots(h) : -ENOSPC;
        if (r == 0)
                r = hosted_new(h, order, &job);
        if (r < 0) {
                host_log(h, NULL, 3, "the definition of %s can't be taken: %s", order->name, strerror(-r));
                return r == -ENOMEM || r == -ENOSPC ? 0 : r;
        }
        struct chimed_job **slot = &h->jobs[order->handle & (h->n_slots - 1)];
        job->next = *slot;
        *slot = job;
        h->n_jobs++;
        host_settle_homeless(h);
        return 0;
}

static void remove_job(struct host *h, struct chimed_job *job) {
        struct chimed_job **at = &h->jobs[job->handle & (h->n_slots - 1)];

        while (*at != job)
                at = &(*at)->next;
        *at = job->next;
        h->n_jobs--;
        job->n_untrusted = 1; /* unload() is followed by a check */
        hosted_free(job);
        if (h->unchecked == job)
                h->unchecked = NULL;
}

static int on_order(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct host *h = userdata;
        struct order_load order;

        if (type != ORDER_LOAD)
                return -EBADMSG;
        int r = order_get_load(payload, size, &order);
        if (r < 0)
                return r;
        r = add_job(h, &order);
        order_load_done(&order);
        return r;
}

void host_list(struct chimed_job *job) {
        if (job->is_listed)
                return;
        job->is_listed = true;
        job->next_listed = job->host->listed;
        job->host->listed = job;
}

/* Calls fn for each job. */
static void for_each_job(struct host *h, void (*fn)(struct chimed_job *job)) {
        for (size_t i = 0; i < h->n_slots; i++)
                for (struct chimed_job *job = h->jobs[i], *next; job; job = next) {
                        next = job->next;
                        fn(job);
                }
}

static void cancel_waiting(struct chimed_job *job) {
        hosted_cancel_all(job, false);
}

static void cancel_everything(struct chimed_job *job) {
        hosted_cancel_all(job, true);
}

void host_begin_end(struct host *h, enum host_end end) {
        if (end <= h->end)
                return;
        h->end = end;
        if (end != HOST_END_RENEW) {
                for_each_job(h, end == HOST_END_QUIT ? cancel_waiting : cancel_everything);
                host_cancel_homeless(h);
        }
        for_each_job(h, hosted_stop_work);
}

/* Nobody is there any more whom it could be for. */
static int on_closed(void *userdata, int error) {
        struct host *h = userdata;

        if (error < 0)
                host_log(h, NULL, 3, "what came makes no sense: %s; the host ends", strerror(-error));
        h->is_deserted = true; /* else the runner would see to it that it ends */
        (void)loop_arm_timer(h->timer, host_now(h) + HOST_DYING_US);
        host_begin_end(h, HOST_END_DYING);
        return 0;
}

static int on_signal(void *userdata, const struct signalfd_siginfo *info) {
        (void)info;
        host_begin_end(userdata, HOST_END_DYING);
        return 0;
}

static int on_timer(void *userdata, bool is_clock_change) {
        struct host *h = userdata;

        (void)is_clock_change;
        if (h->is_deserted) {
                host_log(h, NULL, 4, "a tick does not end; the host does");
                loop_exit(h->loop, EXIT_FAILURE);
        } else
                host_settle_homeless(h);
        return 0;
}

/* Whether all is done that an end waits for. */
static bool is_ended(struct host *h) {
        if (h->end == HOST_END_NONE)
                return false;
        for (size_t i = 0; i < h->n_slots; i++)
                for (struct chimed_job *job = h->jobs[i]; job; job = job->next)
                        if (!hosted_is_idle(job))
                                return false;
        return true;
}

static void remove_all(struct host *h) {
        for (size_t i = 0; i < h->n_slots; i++)
                while (h->jobs[i])
                        remove_job(h, h->jobs[i]);
}

static void serve_listed(struct host *h) {
        for (struct chimed_job *job; (job = h->listed);) {
                h->listed = job->next_listed;
                job->is_listed = false;
                hosted_go_on(job);
                if (job->is_leaving || h->end != HOST_END_NONE)
                        hosted_stop_work(job);
                if (job->is_leaving && hosted_is_idle(job)) {
                        cancel_waiting(job);
                        remove_job(h, job);
                }
        }
}

/* At the end of each pass. */
static int on_flush(void *userdata) {
        struct host *h = userdata;

        host_send_on(h);
        serve_listed(h);
        if (h->unchecked) {
                struct chimed_job *job = h->unchecked;
                h->unchecked = NULL;
                check_process(h, job);
        }
        if (is_ended(h))
                remove_all(h);
        int r = channel_flush(h->ticks_channel);
        h->n_notes = 0;
        h->now_us = 0;
        bool is_sent = r == -EPIPE || h->is_deserted || (!h->is_behind && channel_queued(h->ticks_channel) == 0);
        if (h->end != HOST_END_NONE && h->n_jobs == 0 && is_sent) {
                if (h->end == HOST_END_RENEW)
                        PAGE_SET(h->page->phase, (uint32_t)TICK_PHASE_RENEW);
                loop_exit(h->loop, 0);
        }
        return r == -EPIPE || r >= 0 ? 0 : r;
}

static int open_page(struct host *h) {
        struct stat st;

        if (fstat(PAGE_FD, &st) < 0 || fcntl(PAGE_FD, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        if (st.st_size < (off_t)sizeof(struct tick_page))
                return -EINVAL;
        h->page = mmap(NULL, sizeof(struct tick_page), PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_FD, 0);
        if (h->page == MAP_FAILED) {
                h->page = NULL;
                return -errno;
        }
        return 0;
}

/* "INSTANCE-" of the host run's own id. */
static void find_instance(struct host *h) {
        const char *id = getenv("CHIMED_RUN_ID");
        const char *dash = id ? strrchr(id, '-') : NULL;

        if (dash && dash - id < (ptrdiff_t)sizeof(h->instance))
                snprintf(h->instance, sizeof(h->instance), "%.*s", (int)(dash - id), id);
}

static int open_all(struct host *h) {
        static const struct channel_callbacks ticks = {.on_record = host_on_tick_record,
                                                       .on_closed = on_closed,
                                                       .on_room = host_on_room},
                                              orders = {.on_record = on_order, .on_closed = on_closed};
        sigset_t set;
        int r;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        r = loop_new(&h->loop);
        if (r == 0)
                r = open_page(h);
        if (r == 0)
                r = loop_add_signals(h->loop, &set, on_signal, h, &h->signals);
        if (r == 0)
                r = loop_add_timer(h->loop, LOOP_CLOCK_BOOT, on_timer, h, &h->timer);
        if (r == 0)
                r = loop_add_timer(h->loop, LOOP_CLOCK_BOOT, host_on_tell_time, h, &h->tell_timer);
        if (r == 0)
                r = channel_new(h->loop, ORDERS_FD, HOST_QUEUE, &orders, h, &h->orders_channel);
        if (r == 0)
                r = channel_new(h->loop, TICK_FD, HOST_QUEUE, &ticks, h, &h->ticks_channel);
        if (r == 0)
                r = guard_init(&h->guard);
        return r;
}

int host_new(struct host **ret) {
        struct host *h = calloc(1, sizeof(*h));

        if (!h)
                return -ENOMEM;
        h->guard.cwd_fd = -1;
        find_instance(h);
        int r = open_all(h);
        if (r < 0) {
                host_free(h);
                return r;
        }
        (void)journal_new(h->loop, JOURNAL_JOURNAL, "chimed-host", NULL, &h->journal);
        loop_set_flush(h->loop, on_flush, h);
        *ret = h;
        return 0;
}

struct host *host_free(struct host *h) {
        if (!h)
                return NULL;
        remove_all(h);
        free(h->jobs);
        plugin_files_done(&h->files);
        ticks_done(&h->ticks);
        pack_done(&h->record);
        channel_free(h->ticks_channel);
        channel_free(h->orders_channel);
        loop_source_free(h->signals);
        loop_source_free(h->timer);
        loop_source_free(h->tell_timer);
        journal_free(h->journal);
        if (h->page)
                munmap(h->page, sizeof(*h->page));
        guard_done(&h->guard);
        loop_free(h->loop);
        free(h);
        return NULL;
}

int host_run(struct host *h) {
        return loop_run(h->loop);
}
