// SPDX-License-Identifier: MIT
// host_rig: a host process between a scheduler and a runner that the test is: sends orders and ticks, gathers what comes back.
#pragma once

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/duration.h"
#include "config/job.h"
#include "daemon/core/channel.h"
#include "daemon/core/clock.h"
#include "daemon/core/loop.h"
#include "daemon/core/tick.h"
#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"

#define RIG_RECORDS_MAX 20000
#define RIG_WAIT_US     (30 * USEC_PER_SEC) /* for what must come */

struct rig_record {
        uint8_t type;
        uint64_t run;    /* or the handle of LOADED, the epoch of HELLO */
        uint64_t number; /* of an ANSWER; of HELLO its answered */
        struct tick_answer answer;
        char *text; /* of an ANSWER, ended by a NUL; owned */
};

struct rig {
        struct loop *loop;
        struct channel *ticks, *orders;
        int ticks_fd; /* kept for the next scheduler */
        struct tick_page *page;
        pid_t pid;
        bool is_over; /* waited for */
        int status;
        int error_fd; /* what it printed */
        struct rig_record *records;
        size_t n;
        uint64_t n_answers;
        bool is_closed;
};

static int rig_on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct rig *rig = userdata;
        struct rig_record record = {.type = type};
        struct tick_hello hello;
        struct tick_loaded loaded;
        struct tick_run run;
        struct tick_begun begun;
        int r = -EBADMSG;

        switch ((enum tick_type)type) {
        case TICK_HELLO:
                r = tick_get_hello(payload, size, &hello);
                record.number = rig->n_answers = hello.answered;
                record.run = hello.epoch;
                break;
        case TICK_LOADED:
                r = tick_get_loaded(payload, size, &loaded);
                record.run = loaded.handle;
                break;
        case TICK_RUN:
                r = tick_get_run(payload, size, &run);
                record.run = run.start.run;
                break;
        case TICK_BEGUN:
                r = tick_get_begun(payload, size, &begun);
                record.run = begun.run;
                break;
        case TICK_ANSWER:
                r = tick_get_answer(payload, size, &record.answer);
                record.run = record.answer.run;
                record.number = ++rig->n_answers;
                record.text = strndup(record.answer.value ? record.answer.value : "", record.answer.value_size);
                break;
        case TICK_SYNCED:
                r = size == 0 ? 0 : -EBADMSG;
                break;
        case TICK_ACK:
        case TICK_CANCEL:
        case TICK_UNLOAD:
        case TICK_QUIT:
        case TICK_TYPE_MAX:
                break;
        }
        ck_assert_int_eq(r, 0);
        ck_assert_uint_lt(rig->n, RIG_RECORDS_MAX);
        rig->records[rig->n++] = record;
        return 0;
}

static int rig_on_closed(void *userdata, int error) {
        struct rig *rig = userdata;

        ck_assert_int_eq(error, 0);
        rig->is_closed = true;
        return 0;
}

static int rig_on_order(void *userdata, uint8_t type, const void *payload, size_t size) {
        (void)userdata;
        (void)type;
        (void)payload;
        (void)size;
        ck_abort_msg("a host gives no orders");
        return 0;
}

static int rig_on_orders_closed(void *userdata, int error) {
        (void)userdata;
        (void)error;
        return 0;
}

/* Descriptors of the host to their places, beyond which there are none. */
static inline void rig_execute(const int fds[4]) {
        int high[4];

        for (int i = 0; i < 4; i++)
                high[i] = fcntl(fds[i], F_DUPFD, 64);
        dup2(high[0], TICK_FD);
        dup2(high[1], ORDERS_FD);
        dup2(high[2], PAGE_FD);
        dup2(high[3], STDERR_FILENO);
        dup2(high[3], STDOUT_FILENO);
        util_close_from(PAGE_FD + 1);
        setenv("CHIMED_RUN_ID", "0123456789abcdef0123456789abcdef-1", 1);
        execl(HOST_PROGRAM, "chimed-host", "test", NULL);
        _exit(127);
}

static inline void rig_new_scheduler(struct rig *rig) {
        static const struct channel_callbacks callbacks = {.on_record = rig_on_record, .on_closed = rig_on_closed};

        channel_free(rig->ticks);
        ck_assert_int_eq(
                channel_new(rig->loop, fcntl(rig->ticks_fd, F_DUPFD_CLOEXEC, 3), 1024 * 1024, &callbacks, rig, &rig->ticks), 0);
}

static inline struct rig *rig_new(void) {
        static const struct channel_callbacks callbacks = {.on_record = rig_on_order, .on_closed = rig_on_orders_closed};
        struct rig *rig = calloc(1, sizeof(*rig));
        int ticks[2], orders[2], output[2];

        ck_assert_ptr_nonnull(rig);
        rig->records = calloc(RIG_RECORDS_MAX, sizeof(*rig->records));
        int page = memfd_create("page", MFD_CLOEXEC);
        ck_assert_int_eq(ftruncate(page, sizeof(struct tick_page)), 0);
        rig->page = mmap(NULL, sizeof(struct tick_page), PROT_READ, MAP_SHARED, page, 0);
        ck_assert_ptr_ne(rig->page, MAP_FAILED);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ticks), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders), 0);
        ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
        rig->pid = fork();
        if (rig->pid == 0)
                rig_execute((const int[]){ticks[1], orders[1], page, output[1]});
        ck_assert_int_gt(rig->pid, 0);
        util_close(ticks[1]);
        util_close(orders[1]);
        util_close(output[1]);
        util_close(page);
        rig->error_fd = output[0];
        fcntl(rig->error_fd, F_SETFL, O_NONBLOCK);
        rig->ticks_fd = ticks[0];
        ck_assert_int_eq(loop_new(&rig->loop), 0);
        ck_assert_int_eq(channel_new(rig->loop, orders[0], 1024 * 1024, &callbacks, rig, &rig->orders), 0);
        rig_new_scheduler(rig);
        return rig;
}

/* One pass. */
static inline void rig_pass(struct rig *rig) {
        if (rig->ticks && !rig->is_closed)
                (void)channel_flush(rig->ticks);
        if (rig->orders)
                (void)channel_flush(rig->orders);
        ck_assert_int_ge(loop_run_once(rig->loop, 10000), 0);
        if (!rig->is_over && waitpid(rig->pid, &rig->status, WNOHANG) == rig->pid)
                rig->is_over = true;
}

/* Passes until the condition holds. */
#define RIG_UNTIL(rig, condition)                                                                                              \
        do {                                                                                                                   \
                int64_t rig_end_us = clock_now().bt_us + RIG_WAIT_US;                                                          \
                while (!(condition)) {                                                                                         \
                        ck_assert_msg(clock_now().bt_us < rig_end_us, "never: %s", #condition);                                \
                        rig_pass(rig);                                                                                         \
                }                                                                                                              \
        } while (0)

/* The last record of this kind of this run, or NULL. */
static inline const struct rig_record *rig_find(const struct rig *rig, uint8_t type, uint64_t run) {
        for (size_t i = rig->n; i > 0; i--)
                if (rig->records[i - 1].type == type && rig->records[i - 1].run == run)
                        return &rig->records[i - 1];
        return NULL;
}

static inline size_t rig_count(const struct rig *rig, uint8_t type, uint64_t run) {
        size_t n = 0;

        for (size_t i = 0; i < rig->n; i++)
                n += rig->records[i].type == type && rig->records[i].run == run;
        return n;
}

/* A definition under a handle: kind, argv and options end with NULL. change, if any, sets what else is asked for. */
static inline void rig_load(struct rig *rig, uint32_t handle, enum job_work work, const char *const *argv,
                            const char *const *options, void (*change)(struct job_what *what)) {
        struct job_what what;
        struct pack blob = {}, order = {};
        char name[32];

        job_what_init(&what);
        what.work = work;
        what.argv = (char **)argv;
        what.options = (char **)options;
        what.capture_max = 64 * 1024;
        what.accepted = (char *[]){(char[]){"A"}, (char[]){"B"}, (char[]){"C"}, NULL};
        if (change)
                change(&what);
        job_what_encode(&what, &blob);
        what.argv = what.options = what.accepted = NULL;
        snprintf(name, sizeof(name), "job-%u", handle);
        order_put_load(&order, &(struct order_load){.handle = handle,
                                                    .hash = {{handle, 7}},
                                                    .owner = geteuid(),
                                                    .name = name,
                                                    .what = blob.data,
                                                    .what_size = blob.size});
        ck_assert_int_eq(pack_result(&order), 0);
        ck_assert_int_eq(channel_send(rig->orders, ORDER_LOAD, order.data, order.size), 0);
        ck_assert_int_eq(channel_flush(rig->orders), 0);
        pack_done(&order);
        pack_done(&blob);
        job_what_done(&what);
}

/* A plugin of the tests, with options. */
#define RIG_PLUGIN(rig, handle, name, ...)                                                                                     \
        rig_load(rig, handle, JOB_WORK_PLUGIN, (const char *const[]){PLUGIN_FOLDER "/" name ".so", NULL},                      \
                 (const char *const[]){__VA_ARGS__, NULL}, NULL)

static inline void rig_send_tick(struct rig *rig, uint64_t run, uint32_t handle, const char *parameters, size_t size) {
        struct pack p = {};
        struct tick_run tick = {.handle = handle,
                                .start = {.run = run,
                                          .slot_us = 5,
                                          .slot_rt_us = 1763694000000000,
                                          .cause = RUN_CAUSE_RETRY,
                                          .attempt = 2,
                                          .missed = 3},
                                .parameters = parameters,
                                .parameters_size = size};

        tick_put_run(&p, &tick);
        ck_assert_int_eq(channel_send(rig->ticks, TICK_RUN, p.data, p.size), 0);
        pack_done(&p);
}

static inline void rig_tick(struct rig *rig, uint64_t run, uint32_t handle) {
        rig_send_tick(rig, run, handle, NULL, 0);
}

static inline void rig_send(struct rig *rig, enum tick_type type, const struct pack *p) {
        int r = channel_send(rig->ticks, (uint8_t)type, p ? p->data : NULL, p ? p->size : 0);

        ck_assert(r == 0 || r == -EPIPE);
}

static inline void rig_hello(struct rig *rig, uint64_t epoch) {
        struct pack p = {};

        tick_put_hello(&p, &(struct tick_hello){.version = TICK_VERSION, .epoch = epoch});
        rig_send(rig, TICK_HELLO, &p);
        pack_done(&p);
}

static inline void rig_cancel(struct rig *rig, uint64_t run, enum run_result result) {
        struct pack p = {};

        tick_put_cancel(&p, &(struct tick_cancel){run, result});
        rig_send(rig, TICK_CANCEL, &p);
        pack_done(&p);
}

static inline void rig_acknowledge(struct rig *rig, uint64_t number) {
        struct pack p = {};

        wire_put_number(&p, number);
        rig_send(rig, TICK_ACK, &p);
        pack_done(&p);
}

static inline void rig_unload(struct rig *rig, uint32_t handle) {
        struct pack p = {};

        tick_put_handle(&p, handle);
        rig_send(rig, TICK_UNLOAD, &p);
        pack_done(&p);
}

/* The answer to a run, awaited. */
static inline const struct rig_record *rig_answer(struct rig *rig, uint64_t run) {
        RIG_UNTIL(rig, rig_find(rig, TICK_ANSWER, run) || rig->is_over);
        const struct rig_record *record = rig_find(rig, TICK_ANSWER, run);
        ck_assert_msg(record != NULL, "the host has ended with status %x without an answer", rig->status);
        return record;
}

static inline void rig_expect(struct rig *rig, uint64_t run, enum run_result result, const char *text) {
        const struct rig_record *record = rig_answer(rig, run);

        ck_assert_msg(record->answer.result == result, "run %llu: %s (%s), not %s", (unsigned long long)run,
                      run_result_to_string(record->answer.result), record->text, run_result_to_string(result));
        if (text)
                ck_assert_str_eq(record->text, text);
}

/* What it has printed, up to now or to its end. Static. */
static inline const char *rig_output(const struct rig *rig) {
        static char text[256 * 1024];
        static size_t n;
        ssize_t size;

        while (n < sizeof(text) - 1 && (size = read(rig->error_fd, text + n, sizeof(text) - 1 - n)) > 0)
                n += (size_t)size;
        text[n] = '\0';
        return text;
}

/* Whether it has told this; where there is a journald, that has it. */
static inline bool rig_has_told(const struct rig *rig, const char *text) {
        return access("/run/systemd/journal/socket", F_OK) == 0 || strstr(rig_output(rig), text);
}

/* Waits for the end: its exit status, or the negative signal. */
static inline int rig_end(struct rig *rig) {
        RIG_UNTIL(rig, rig->is_over);
        while (loop_run_once(rig->loop, 0) > 0)
                ;
        return WIFEXITED(rig->status) ? WEXITSTATUS(rig->status) : -WTERMSIG(rig->status);
}

static inline struct rig *rig_free(struct rig *rig) {
        if (!rig->is_over) {
                kill(rig->pid, SIGKILL);
                waitpid(rig->pid, &rig->status, 0);
        }
        channel_free(rig->ticks);
        channel_free(rig->orders);
        util_close(rig->ticks_fd);
        util_close(rig->error_fd);
        munmap(rig->page, sizeof(*rig->page));
        for (size_t i = 0; i < rig->n; i++)
                free(rig->records[i].text);
        free(rig->records);
        loop_free(rig->loop);
        free(rig);
        return NULL;
}
