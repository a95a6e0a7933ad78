// SPDX-License-Identifier: MIT
// fake_host: a host that answers each tick with what it was given, once it has had as many orders as the tick's key says; and what
// fake_scheduler.h does with hosts, in the modes whose names begin with "host".
#pragma once

#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/core/descriptors.h"
#include "daemon/core/tick.h"
#include "daemon/scheduler/chimed.h"
#include "tests/unit/runner/fake.h"

#define MANY_LOADS 3000

/* ---- the host ---- */

struct fake_host {
        struct loop *loop;
        struct channel *ticks, *orders;
        int64_t n_loads, n_wanted;
        bool is_in_order;
        uint64_t run; /* of the tick that is not answered */
        char last[JOB_NAME_MAX + 1];
};

static struct fake_host fake_host;

/* "0 1 2 3 4 5": those that it was started with. */
static void print_descriptors(char *text, size_t size) {
        text[0] = '\0';
        for (int fd = 0; fd < 1000; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        snprintf(text + strlen(text), size - strlen(text), "%s%d", fd ? " " : "", fd);
}

static void answer_if_ready(void) {
        struct fake_host *h = &fake_host;
        struct pack p = {};
        char text[200];

        if (h->run == 0 || h->n_loads < h->n_wanted)
                return;
        snprintf(text, sizeof(text), "%s %lld %s loads, last of %s", getenv("CHIMED_JOB"), (long long)h->n_loads,
                 h->is_in_order ? "ordered" : "mixed", h->last);
        tick_put_answer(&p, &(struct tick_answer){.run = h->run,
                                                  .result = RUN_RESULT_SUCCESS,
                                                  .exit_code = -1,
                                                  .value = text,
                                                  .value_size = strlen(text)});
        channel_send(h->ticks, TICK_ANSWER, p.data, p.size);
        channel_flush(h->ticks);
        pack_done(&p);
        h->run = 0;
}

static int on_order(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct fake_host *h = userdata;
        struct order_load load;
        struct job_what what;

        if (type != ORDER_LOAD || order_get_load(payload, size, &load) < 0 || load.owner != getuid())
                _exit(3);
        if (job_what_decode(load.what, load.what_size, &what) < 0 || what.work != JOB_WORK_COPROCESS)
                _exit(4);
        job_what_done(&what);
        h->is_in_order &= load.handle == ++h->n_loads;
        snprintf(h->last, sizeof(h->last), "%s", load.name);
        order_load_done(&load);
        answer_if_ready();
        return 0;
}

static int on_host_closed(void *userdata, int error) {
        (void)userdata, (void)error;
        _exit(5);
}

static int begin_orders(struct fake_host *h) {
        static const struct channel_callbacks orders = {.on_record = on_order, .on_closed = on_host_closed};

        return h->orders ? 0 : channel_new(h->loop, ORDERS_FD, CHANNEL_MESSAGE_MAX, &orders, h, &h->orders);
}

/* Never while the runner lives. */
static int on_ticks_closed(void *userdata, int error) {
        (void)userdata, (void)error;
        _exit(6);
}

static int on_tick(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct fake_host *h = userdata;
        struct tick_run run;

        if (type == TICK_QUIT)
                _exit(0);
        if (type != TICK_RUN || tick_get_run(payload, size, &run) < 0)
                _exit(7);
        h->run = run.start.run;
        h->n_wanted = run.start.key;
        answer_if_ready();
        return begin_orders(h);
}

/* A page is of its size for good, but can be written. */
static bool is_page_good(void) {
        struct stat st;
        int seals = fcntl(PAGE_FD, F_GET_SEALS);
        void *page = mmap(NULL, sizeof(struct tick_page), PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_FD, 0);

        if (page == MAP_FAILED || fstat(PAGE_FD, &st) < 0 || st.st_size != sizeof(struct tick_page))
                return false;
        ((struct tick_page *)page)->noted = 77;
        return seals == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) && ftruncate(PAGE_FD, 1) < 0;
}

/* One of the job "deaf" reads no orders before its first tick. */
static int be_host(const char *name) {
        static const struct channel_callbacks ticks = {.on_record = on_tick, .on_closed = on_ticks_closed};
        struct fake_host *h = &fake_host;
        char fds[128];

        print_descriptors(fds, sizeof(fds));
        if (strcmp(fds, "0 1 2 3 4 5") != 0 || !is_page_good() || getenv("CHIMED_SLOT"))
                return 8;
        h->is_in_order = true;
        if (loop_new(&h->loop) < 0 || channel_new(h->loop, TICK_FD, CHANNEL_MESSAGE_MAX, &ticks, h, &h->ticks) < 0 ||
            (strcmp(name, "deaf") != 0 && begin_orders(h) < 0))
                return 9;
        return loop_run(h->loop) < 0;
}

/* ---- the scheduler's part ---- */

static uint32_t n_loads(const struct fake *f) {
        return is_mode(f, "host-deaf") ? MANY_LOADS : is_mode(f, "host-two") ? 2 : 1;
}

static int send_host_start(struct fake *f, uint64_t run, struct hash128 hash, bool is_host) {
        wire_put_start(&f->pack, &(struct wire_start){.run = run, .hash = hash, .attempt = 1, .is_host = is_host});
        return put(f, WIRE_START);
}

static int send_load(struct fake *f, uint64_t run, uint32_t handle, struct hash128 hash) {
        wire_put_host_load(&f->pack, &(struct wire_host_load){.run = run, .handle = handle, .hash = hash});
        return put(f, WIRE_HOST_LOAD);
}

static int send_tick(struct fake *f, uint64_t run, int64_t n_wanted) {
        tick_put_run(&f->pack, &(struct tick_run){.handle = 1, .start = {.run = run, .attempt = 1, .key = n_wanted}});
        int r = channel_send(f->ticks, TICK_RUN, f->pack.data, f->pack.size);
        pack_clear(&f->pack);
        return r == 0 ? channel_flush(f->ticks) : r;
}

static int on_answer(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct fake *f = userdata;
        struct tick_answer answer;

        if (type != TICK_ANSWER || tick_get_answer(payload, size, &answer) < 0)
                return -EBADMSG;
        note(f, "answer %llu %.*s\n", (unsigned long long)answer.run, (int)answer.value_size, (const char *)answer.value);
        if (is_mode(f, "host-quit"))
                return channel_send(f->ticks, TICK_QUIT, NULL, 0) < 0 ? -EPIPE : channel_flush(f->ticks);
        wire_put_kill(&f->pack, &(struct wire_kill_run){.run = f->host_run});
        return put(f, WIRE_KILL);
}

static int on_answers_end(void *userdata, int error) {
        struct fake *f = userdata;

        (void)error;
        f->ticks = channel_free(f->ticks);
        note(f, "hung up\n");
        return 0;
}

static int on_arrival(void *userdata, uint32_t events) {
        static const struct channel_callbacks ticks = {.on_record = on_answer, .on_closed = on_answers_end};
        struct fake *f = userdata;
        struct wire_host_arrival arrival;
        struct tick_page page;
        int fds[2];

        (void)events;
        int r = descriptors_receive(CHIMED_HOSTS_FD, &arrival, sizeof(arrival), fds, 2);
        if (r != 0)
                return r == -EAGAIN ? 0 : -EPIPE;
        if (memcmp(&arrival.host_hash, &f->host_hash, sizeof(arrival.host_hash)) != 0 ||
            pread(fds[1], &page, sizeof(page), 0) != sizeof(page))
                return -EBADMSG;
        f->host_run = arrival.run;
        note(f, "arrived %llu\n", (unsigned long long)arrival.run);
        close(fds[1]);
        r = channel_new(f->loop, fds[0], CHANNEL_MESSAGE_MAX, &ticks, f, &f->ticks);
        if (r == 0 && f->n_lives == 1)
                r = send_tick(f, 1000, n_loads(f));
        if (is_mode(f, "host-dies") && f->n_lives == 1)
                kill(getpid(), SIGKILL);
        return r;
}

/* What the modes do once they may start runs. */
static int begin_hosts(struct fake *f) {
        static struct loop_source *source;
        int r = loop_add_io(f->loop, CHIMED_HOSTS_FD, EPOLLIN, on_arrival, f, &source);

        if (r < 0 || f->n_lives > 1)
                return r;
        if (is_mode(f, "host-not")) {
                r = send_host_start(f, f->run, f->hash, true);
                return r == 0 ? send_host_start(f, f->run + 1, f->hosted, false) : r;
        }
        bool is_deaf = is_mode(f, "host-deaf");
        struct hash128 last = is_deaf ? f->deaf : is_mode(f, "host-two") ? f->second : f->hosted;
        r = send_host_start(f, f->run, is_deaf ? f->deaf : f->hosted, true);
        if (is_mode(f, "host-wrong")) {
                send_load(f, f->run, 7, f->deaf);
                send_load(f, f->run, 8, f->hash);
                send_load(f, f->run, 9, (struct hash128){{1, 2}});
                send_load(f, f->run + 1, 10, f->hosted);
        }
        uint32_t n = n_loads(f);
        for (uint32_t i = 1; i < n; i++)
                send_load(f, f->run, i, is_deaf ? f->deaf : f->hosted);
        return r == 0 ? send_load(f, f->run, n, last) : r;
}

/* Which jobs have hosts, by their names; both "hosted" and "second" share one. */
static void note_hosted(struct fake *f, const struct wire_define *define) {
        bool is_shared = strcmp(define->name, "hosted") == 0 || strcmp(define->name, "second") == 0;

        if (define->host[0])
                note(f, "%s has host %s\n", define->name, define->host);
        if (strcmp(define->name, "hosted") == 0)
                f->hosted = define->hash;
        if (strcmp(define->name, "second") == 0)
                f->second = define->hash;
        if (strcmp(define->name, "deaf") == 0)
                f->deaf = define->hash;
        if (is_mode(f, "host-deaf") ? strcmp(define->name, "deaf") == 0 : is_shared)
                f->host_hash = define->host_hash;
}

static int on_unloaded(struct fake *f, const void *payload, size_t size) {
        struct wire_host_unloaded unloaded;

        if (wire_get_host_unloaded(payload, size, &unloaded) < 0)
                return -EBADMSG;
        note(f, "unloaded %u %s\n", unloaded.handle, strerrorname_np(unloaded.error));
        return 0;
}
