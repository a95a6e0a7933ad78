// SPDX-License-Identifier: MIT
// Whatever a scheduler and a runner send in whatever order, a host calls a plugin once for each run, one tick of a job at a time, and
// answers each run once. Each two bytes are a step: what, and of which run or job; some steps are any record.

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/host/api.h"
#include "daemon/host/host.h"
#include "daemon/host/host_internal.h"

#define JOBS     4
#define RUNS     1024
#define MAX_SIZE 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct host *host;
static struct loop *loop; /* of the other ends */
static struct channel *ticks, *orders;
static uint8_t begun[RUNS], answered[RUNS];
static uint64_t under_way[JOBS]; /* by handle */
static uint64_t next_run, n_answers;
static bool is_closed, is_acknowledged; /* a run that is may be forgotten: it would be a new one */

#define CHECK(condition)                                                                                                       \
        do {                                                                                                                   \
                if (!(condition)) {                                                                                            \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                        \
                        abort();                                                                                               \
                }                                                                                                              \
        } while (0)

/* By its run: at once, with a value, later, or wrong. */
static int tick(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        (void)data;
        CHECK(tick->run < RUNS && begun[tick->run]++ == 0);
        CHECK(under_way[job->handle] == 0);
        if (tick->run % 4 == 1)
                chimed_value_printf(job, tick->run, "value of %s", chimed_job_name(job));
        if (tick->run % 4 == 2) {
                under_way[job->handle] = tick->run;
                return CHIMED_LATER;
        }
        return tick->run % 4 == 3 ? chimed_fail(job, tick->run, "why") : CHIMED_SUCCESS;
}

static void cancel(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        (void)data;
        CHECK(under_way[job->handle] == tick->run);
        under_way[job->handle] = 0;
        CHECK(chimed_answer(job, tick->run, CHIMED_SUCCESS) == 0);
}

static const struct chimed_plugin plugin = {.tick = tick, .cancel = cancel, .name = "fuzz", .description = ""};

/* As if this very program had been loaded as a plugin. */
static void add_file(struct host *h) {
        struct plugin_file *file = calloc(1, sizeof(*file));
        struct stat st;

        CHECK(file && stat("/proc/self/exe", &st) == 0);
        *file = (struct plugin_file){.path = strdup("/proc/self/exe"),
                                     .fd = -1,
                                     .dev = st.st_dev,
                                     .ino = st.st_ino,
                                     .size = st.st_size,
                                     .mtime_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
                                     .plugin = &plugin,
                                     .description = {.name = "fuzz", .description = ""}};
        h->files.first = file;
        h->files.n = 1;
}

static int on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct tick_answer answer;
        struct tick_hello hello;

        (void)userdata;
        if (type == TICK_HELLO) {
                CHECK(tick_get_hello(payload, size, &hello) == 0);
                n_answers = hello.answered; /* what follows is told again */
                memset(answered, 0, sizeof(answered));
        }
        if (type == TICK_ANSWER) {
                CHECK(tick_get_answer(payload, size, &answer) == 0);
                CHECK(answer.run >= RUNS || answered[answer.run]++ == 0);
                n_answers++;
        }
        return 0;
}

static int on_closed(void *userdata, int error) {
        (void)error;
        *(bool *)userdata = true;
        return 0;
}

static void begin(void) {
        static const struct channel_callbacks callbacks = {.on_record = on_record, .on_closed = on_closed};
        static bool is_closed_orders;
        int a[2], b[2], page = memfd_create("page", 0), high[3];

        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, a) == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b) == 0);
        CHECK(page >= 0 && ftruncate(page, sizeof(struct tick_page)) == 0 && loop_new(&loop) == 0);
        high[0] = fcntl(a[1], F_DUPFD, 100);
        high[1] = fcntl(b[1], F_DUPFD, 100);
        high[2] = fcntl(page, F_DUPFD, 100);
        int ticks_fd = fcntl(a[0], F_DUPFD, 100), orders_fd = fcntl(b[0], F_DUPFD, 100);
        for (int i = 0; i < 2; i++) {
                close(a[i]);
                close(b[i]);
        }
        close(page);
        for (int i = 0; i < 3; i++) {
                CHECK(dup2(high[i], TICK_FD + i) == TICK_FD + i);
                close(high[i]);
        }
        CHECK(channel_new(loop, ticks_fd, 1024 * 1024, &callbacks, &is_closed, &ticks) == 0);
        CHECK(channel_new(loop, orders_fd, 1024 * 1024, &callbacks, &is_closed_orders, &orders) == 0);
        CHECK(host_new(&host) == 0);
        add_file(host);
        memset(begun, 0, sizeof(begun));
        memset(answered, 0, sizeof(answered));
        memset(under_way, 0, sizeof(under_way));
        next_run = 1;
        n_answers = 0;
        is_closed = is_acknowledged = false;
}

static void end(void) {
        host_free(host);
        close(PAGE_FD);
        channel_free(ticks);
        channel_free(orders);
        loop_free(loop);
}

static void send_record(struct channel *channel, uint8_t type, struct pack *p) {
        (void)channel_send(channel, type, p->data, p->size);
        pack_done(p);
}

static void load(uint32_t handle) {
        static char *argv[] = {(char *)"/proc/self/exe", NULL};
        struct pack p = {}, blob = {};
        struct job_what what;
        struct stat st;

        CHECK(stat("/proc/self/exe", &st) == 0);
        job_what_init(&what);
        what.work = JOB_WORK_PLUGIN;
        what.argv = argv;
        what.capture_max = 1000;
        job_what_encode(&what, &blob);
        what.argv = NULL;
        job_what_done(&what);
        order_put_load(&p,
                       &(struct order_load){
                               .handle = handle, .owner = st.st_uid, .name = "job", .what = blob.data, .what_size = blob.size});
        pack_done(&blob);
        send_record(orders, ORDER_LOAD, &p);
}

static void send_run(uint64_t run, uint32_t handle) {
        struct pack p = {};

        tick_put_run(&p, &(struct tick_run){.handle = handle, .start = {.run = run, .attempt = 1}});
        send_record(ticks, TICK_RUN, &p);
}

/* A plugin's own event: the tick under way is answered; or one that is not. */
static void answer(uint32_t handle, bool is_wrong) {
        struct chimed_job *job = host_find_job(host, handle);
        uint64_t run = under_way[handle];

        if (!job || !job->file || (run == 0 && !is_wrong))
                return;
        if (is_wrong) {
                CHECK(chimed_answer(job, RUNS, CHIMED_SUCCESS) < 0);
                return;
        }
        under_way[handle] = 0;
        CHECK(chimed_answer(job, run, CHIMED_SKIPPED) == 0);
}

/* Any record but a good RUN. Gives how many bytes it took. */
static size_t send_any(const uint8_t *data, size_t size) {
        size_t n = size > 2 ? data[1] : 0;

        if (size < 2)
                return 0;
        if (n > size - 2)
                n = size - 2;
        if (data[0] == TICK_RUN && n > 60)
                n = 60;
        is_acknowledged = true;
        (void)channel_send(data[0] & 0x80 ? orders : ticks, data[0] & 0x7f, data + 2, n);
        return n;
}

static void step(uint8_t what, uint8_t which) {
        uint32_t handle = which % JOBS;
        uint64_t run = next_run > which % 16 ? next_run - which % 16 : 1;
        struct pack p = {};

        switch (what % 12) {
        case 0:
        case 1:
                if (next_run < RUNS - 1)
                        send_run(next_run++, handle);
                break;
        case 2: /* once more */
                if (run < next_run && !is_acknowledged)
                        send_run(run, handle);
                break;
        case 3:
                load(handle);
                break;
        case 4:
                tick_put_cancel(&p, &(struct tick_cancel){run, which & 1 ? RUN_RESULT_TIMEOUT : RUN_RESULT_CANCELLED});
                send_record(ticks, TICK_CANCEL, &p);
                break;
        case 5:
                is_acknowledged = true;
                wire_put_number(&p, n_answers);
                send_record(ticks, TICK_ACK, &p);
                break;
        case 6:
                tick_put_handle(&p, handle);
                send_record(ticks, TICK_UNLOAD, &p);
                break;
        case 7:
                tick_put_hello(&p, &(struct tick_hello){.version = TICK_VERSION, .epoch = which});
                send_record(ticks, TICK_HELLO, &p);
                break;
        case 8:
                answer(handle, which & 128);
                break;
        case 9:
                (void)channel_flush(ticks);
                break;
        case 10:
                (void)channel_flush(orders);
                break;
        default:
                if (which == 255)
                        (void)channel_send(ticks, TICK_QUIT, NULL, 0);
        }
}

static bool pass(void) {
        (void)channel_flush(ticks);
        (void)channel_flush(orders);
        for (int i = 0; i < 4; i++) {
                if (loop_run_once(host->loop, 0) < 0 || (host->end != HOST_END_NONE && host->n_jobs == 0))
                        return false;
                if (loop_run_once(loop, 0) < 0)
                        return false;
        }
        return !is_closed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        api_link();
        if (size > MAX_SIZE)
                return 0;
        begin();
        for (bool goes_on = true; goes_on && size >= 2;) {
                size_t n = 2;
                if (data[0] >= 0xf0)
                        n += send_any(data + 1, size - 1) + 1;
                else
                        step(data[0], data[1]);
                n = n < size ? n : size;
                goes_on = data[0] % 3 != 0 || pass();
                data += n;
                size -= n;
        }
        if (!is_closed && host->end == HOST_END_NONE && pass() && host->resync == RESYNC_NONE)
                CHECK(n_answers == host->ticks.n_answered);
        end();
        return 0;
}
