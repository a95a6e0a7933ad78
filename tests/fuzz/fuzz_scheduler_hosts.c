// SPDX-License-Identifier: MIT
// Whatever hosts say, and however they and the runner die, each tick ends exactly once: bytes as a course of events.

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/tick.h"
#include "daemon/scheduler/hosts_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define JOBS 4
#define RUNS 256

static struct {
        struct hosts *hosts;
        struct clock_sample now;
        uint64_t next_run, host_runs[JOBS * RUNS];
        size_t n_host_runs;
        uint8_t state[RUNS]; /* of a tick's run: 0 not begun, 1 in flight, 2 ended */
        uint64_t busy[JOBS]; /* the run in flight of a job */
} fuzz;

static int read_clock(void *userdata, struct clock_sample *ret) {
        (void)userdata;
        *ret = fuzz.now;
        return 0;
}

static int do_start(void *userdata, const struct wire_start *start) {
        (void)userdata;
        if (fuzz.n_host_runs == JOBS * RUNS)
                return -ENOBUFS;
        fuzz.host_runs[fuzz.n_host_runs++] = start->run;
        return start->run % 16 == 15 ? -ENOBUFS : 0;
}

static int do_load(void *userdata, const struct wire_host_load *load) {
        (void)userdata;
        return load->handle % 16 == 15 ? -ENOBUFS : 0;
}

static int do_kill(void *userdata, uint64_t run) {
        (void)userdata;
        (void)run;
        return 0;
}

static uint64_t take_run(void *userdata) {
        (void)userdata;
        return fuzz.next_run++;
}

static int on_known(void *userdata, struct clock_sample now, const struct wire_run *run) {
        (void)userdata;
        (void)now;
        if (run->start.run >= RUNS || fuzz.state[run->start.run] == 2) /* the engine has its end */
                return 0;
        fuzz.state[run->start.run] = 1;
        return 0;
}

static int on_begun(void *userdata, struct clock_sample now, const struct wire_started *started) {
        (void)userdata;
        (void)now;
        if (started->run < RUNS && fuzz.state[started->run] != 1)
                abort();
        return 0;
}

static int on_ended(void *userdata, struct clock_sample now, const struct wire_ended *ended, const void *value,
                    size_t value_size) {
        (void)userdata;
        (void)now;
        if (value_size > 0 && (value_size > 64 || !value))
                abort();
        if (ended->end.end_bt_us > clock_now().bt_us + USEC_PER_DAY || ended->end.result == RUN_RESULT_NONE)
                abort();
        if (ended->run >= RUNS)
                return 0;
        if (fuzz.state[ended->run] == 0)
                abort();
        fuzz.state[ended->run] = 2;
        for (size_t i = 0; i < JOBS; i++)
                if (fuzz.busy[i] == ended->run)
                        fuzz.busy[i] = 0;
        return 0;
}

static int on_synced(void *userdata) {
        (void)userdata;
        return 0;
}

static void define(unsigned job, uint8_t version) {
        char name[] = {'j', (char)('0' + job), '\0'};
        struct wire_define define = {
                .hash = {{job * 256 + version % 4, 1}},
                .name = name,
                .host = version & 64 ? "" : "host",
                .host_hash = {{version & 128 ? job + 10 : 1, 2}},
                .host_timeout_us = version & 32 ? USEC_PER_SEC : DURATION_INFINITY,
                .host_grace_us = USEC_PER_SEC,
                .host_capture_max = 64,
        };
        if (hosts_define(fuzz.hosts, &define) < 0)
                abort();
}

static void arrive(uint64_t run, uint64_t host_hash, const uint8_t *data, size_t size) {
        struct tick_page page = {0};
        struct hash128 hash = {{host_hash, 2}};
        int fds[2], fd = memfd_create("page", MFD_CLOEXEC);
        memcpy(&page, data, size < sizeof(page) ? size : sizeof(page));
        if (fd < 0 || write(fd, &page, sizeof(page)) != (ssize_t)sizeof(page) ||
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                abort();
        if (hosts_on_descriptors(fuzz.hosts, fuzz.now, run, &hash, fds[0], fd) < 0)
                abort();
        close(fds[1]);
}

static void die(uint64_t run, uint8_t how) {
        struct wire_ended ended = {.run = run};
        ended.end = (struct run_end){.result = how % RUN_RESULT_MAX, .exit_code = how % 3 - 1, .signal = how & 1 ? 11 : 0};
        if (hosts_on_ended(fuzz.hosts, fuzz.now, &ended) < 0)
                abort();
}

/* What a host says; where it may not, its channel would be closed. */
static void say(uint8_t which, uint8_t type, const uint8_t *data, size_t size) {
        size_t n = fuzz.hosts->n_hosts;
        struct host *host = n > 0 ? fuzz.hosts->list[which % n] : NULL;
        if (host && host->ticks && (ticks_on_message(host) < 0 || ticks_on_record(host, type, data, size) < 0))
                (void)host_on_closed(host, -EBADMSG);
}

static void begin_tick(unsigned job, uint8_t version, uint8_t run) {
        struct wire_start start = {.run = run, .attempt = 1, .hash = {{job * 256 + version % 4, 1}}};
        if (run == 0 || fuzz.state[run] != 0 || fuzz.busy[job] > 0 || !hosts_has(fuzz.hosts, &start.hash))
                return;
        fuzz.state[run] = 1;
        fuzz.busy[job] = run;
        if (hosts_tick(fuzz.hosts, fuzz.now, job, &start) < 0)
                abort();
}

static void do_event(uint8_t op, uint8_t a, uint8_t b, const uint8_t *data, size_t size) {
        uint64_t run = fuzz.n_host_runs > 0 ? fuzz.host_runs[a % fuzz.n_host_runs] : 0;
        switch (op % 12) {
        case 0:
                define(a % JOBS, b);
                break;
        case 1:
                hosts_commit(fuzz.hosts);
                break;
        case 2:
                begin_tick(a % JOBS, a / JOBS, b);
                break;
        case 3:
                if (run > 0 && hosts_owns(fuzz.hosts, run))
                        arrive(run, b, data, size);
                break;
        case 4:
                if (run > 0)
                        die(run, b);
                break;
        case 5:
                say(a, b % (TICK_TYPE_MAX + 1), data, size);
                break;
        case 6:
                (void)hosts_cancel(fuzz.hosts, fuzz.now, b);
                break;
        case 7:
                fuzz.now.bt_us += (int64_t)a * 100 * USEC_PER_MSEC;
                fuzz.now.rt_us += (int64_t)a * 100 * USEC_PER_MSEC;
                if (hosts_advance(fuzz.hosts, fuzz.now) < 0)
                        abort();
                break;
        case 8: { /* a host of before */
                struct wire_run of = {.start = {.run = 100000 + b, .is_host = true}, .name = "j0"};
                if (hosts_on_run(fuzz.hosts, &of) < 0)
                        abort();
                if (a & 1)
                        arrive(of.start.run, 1, data, size);
                (void)hosts_sync(fuzz.hosts, fuzz.now);
                if (fuzz.n_host_runs < JOBS * RUNS)
                        fuzz.host_runs[fuzz.n_host_runs++] = of.start.run;
                break;
        }
        case 9:
                hosts_mark(fuzz.hosts, a);
                hosts_acknowledge(fuzz.hosts, b);
                break;
        case 10:
                (void)hosts_flush(fuzz.hosts);
                break;
        case 11: {
                struct wire_host_unloaded unloaded = {.run = run, .handle = b, .error = 11};
                if (hosts_on_unloaded(fuzz.hosts, fuzz.now, &unloaded) < 0)
                        abort();
                break;
        }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const struct hosts_shell shell = {
                .read_clock = read_clock,
                .start = do_start,
                .load = do_load,
                .kill = do_kill,
                .take_run = take_run,
                .on_known = on_known,
                .on_begun = on_begun,
                .on_ended = on_ended,
                .on_synced = on_synced,
        };
        struct loop *loop = NULL;
        struct journal *journal = NULL;
        memset(&fuzz, 0, sizeof(fuzz));
        fuzz.next_run = 1000;
        fuzz.now = clock_now();
        if (loop_new(&loop) < 0 || journal_new(NULL, JOURNAL_LOGFMT, "fuzz", NULL, &journal) < 0 ||
            hosts_new(loop, journal, &shell, NULL, &fuzz.hosts) < 0)
                abort();
        if (size > 0 && data[0] & 1)
                (void)hosts_sync(fuzz.hosts, fuzz.now);
        for (unsigned i = 0; i < JOBS; i++)
                define(i, 0);
        hosts_commit(fuzz.hosts);
        for (size_t n; size >= 4; data += n, size -= n) { /* each event: four bytes, payload */
                n = data[3] < size - 4 ? data[3] : size - 4;
                do_event(data[0], data[1], data[2], data + 4, n);
                n += 4;
        }
        /* all dies: nothing may be left in flight */
        (void)hosts_sync(fuzz.hosts, fuzz.now);
        fuzz.now.bt_us += HOSTS_SYNC_US + 1;
        (void)hosts_sync(fuzz.hosts, fuzz.now);
        hosts_quit(fuzz.hosts);
        for (unsigned round = 0; round < 2; round++) {
                for (size_t i = 0; i < fuzz.n_host_runs; i++)
                        die(fuzz.host_runs[i], 3);
                fuzz.now.bt_us += HOSTS_BACKOFF_MAX * 2;
                for (size_t i = 0; i < JOBS * RUNS; i++) {
                        fuzz.now.bt_us += USEC_PER_SEC;
                        if (hosts_advance(fuzz.hosts, fuzz.now) < 0)
                                abort();
                        if (fuzz.hosts->look_bt_us == INT64_MAX)
                                break;
                }
        }
        for (size_t i = 0; i < RUNS; i++)
                if (fuzz.state[i] == 1)
                        abort();
        hosts_free(fuzz.hosts);
        journal_free(journal);
        loop_free(loop);
        return 0;
}
