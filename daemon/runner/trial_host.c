// SPDX-License-Identifier: MIT
// trial_host: one tick of a plugin or coprocess in the terminal.

#include "daemon/runner/trial_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/channel.h"
#include "daemon/core/tick.h"
#include "daemon/runner/runner_internal.h"
#include "daemon/runner/terminal.h"

#define HANDLE      1
#define QUEUE_LIMIT (2 * CHANNEL_MESSAGE_MAX)

struct trial_host {
        struct runner *runner;
        uint64_t run;
        struct channel *channel;
        struct loop_source *timer;
        int64_t kill_grace_us;
        bool is_cancelled; /* for its time limit */
        bool is_answered;
        struct run_end end;
        char *message; /* of a failure; NULL: none */
};

static int send(struct trial_host *host, enum tick_type type, struct pack *p) {
        int r = pack_result(p);

        if (r == 0)
                r = channel_send(host->channel, (uint8_t)type, p->data, p->size);
        pack_done(p);
        return r;
}

static void leave(struct trial_host *host) {
        struct pack none = {};

        host->timer = loop_source_free(host->timer);
        if (send(host, TICK_QUIT, &none) == 0)
                (void)channel_flush(host->channel);
}

static int take_answer(struct trial_host *host, const void *payload, size_t size) {
        struct tick_answer a;
        int r = tick_get_answer(payload, size, &a);

        if (r < 0 || a.run != host->run || host->is_answered)
                return r;
        host->is_answered = true;
        host->end = (struct run_end){.result = a.result,
                                     .exit_code = a.exit_code,
                                     .signal = a.signal,
                                     .step = a.step,
                                     .error = (int)a.error,
                                     .start_bt_us = a.begin_bt_us,
                                     .end_bt_us = a.begin_bt_us + (int64_t)a.duration_us};
        if (run_result_is_good(a.result) && a.value_size > 0) {
                terminal_write(host->runner->terminal, STDOUT_FILENO, a.value, a.value_size);
                terminal_write(host->runner->terminal, STDOUT_FILENO, "\n", 1);
        } else if (a.value_size > 0)
                host->message = strndup(a.value, a.value_size);
        leave(host);
        return 0;
}

static int on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        return type == TICK_ANSWER ? take_answer(userdata, payload, size) : 0;
}

/* It dies, or has: its end says how. */
static int on_closed(void *userdata, int error) {
        (void)userdata, (void)error;
        return 0;
}

static int on_time(void *userdata, bool is_clock_change) {
        struct trial_host *host = userdata;
        struct run *run = run_table_find(&host->runner->runs, host->run);
        struct pack p = {};

        (void)is_clock_change;
        if (host->is_cancelled && run) {
                runs_stop(host->runner, run, RUN_RESULT_TIMEOUT, true, 0);
                return 0;
        }
        host->is_cancelled = true;
        tick_put_cancel(&p, &(struct tick_cancel){.run = host->run, .result = RUN_RESULT_TIMEOUT});
        if (send(host, TICK_CANCEL, &p) == 0)
                (void)channel_flush(host->channel);
        return loop_arm_timer(host->timer, clock_now().bt_us + host->kill_grace_us);
}

/* All that a scheduler would say. */
static int ask(struct trial_host *host, const struct run *run, const struct trial_order *order) {
        struct pack p = {};

        hosts_load(host->runner, &(struct wire_host_load){.run = host->run, .handle = HANDLE, .hash = run->start.hash});
        tick_put_hello(&p, &(struct tick_hello){.version = TICK_VERSION, .epoch = 1});
        int r = send(host, TICK_HELLO, &p);
        if (r < 0)
                return r;
        tick_put_run(&p, &(struct tick_run){.handle = HANDLE,
                                            .start = run->start,
                                            .parameters = order->parameters,
                                            .parameters_size = order->parameters_size});
        r = send(host, TICK_RUN, &p);
        return r < 0 ? r : channel_flush(host->channel);
}

int trial_host_new(struct runner *runner, struct run *run, const struct trial_order *order, const struct job_what *what,
                   struct trial_host **ret) {
        static const struct channel_callbacks callbacks = {.on_record = on_record, .on_closed = on_closed};
        struct trial_host *host = calloc(1, sizeof(*host));
        int fd = host ? fcntl(run->host->ticks_fd, F_DUPFD_CLOEXEC, 3) : -1, r = !host ? -ENOMEM : fd < 0 ? -errno : 0;

        if (r == 0) {
                *host = (struct trial_host){.runner = runner, .run = run->start.run, .kill_grace_us = what->kill_grace_us};
                r = channel_new(runner->loop, fd, QUEUE_LIMIT, &callbacks, host, &host->channel);
        }
        if (r == 0)
                r = ask(host, run, order);
        if (r == 0 && what->timeout_us <= DURATION_MAX)
                r = loop_add_timer(runner->loop, LOOP_CLOCK_BOOT, on_time, host, &host->timer);
        if (r == 0 && host->timer)
                r = loop_arm_timer(host->timer, clock_now().bt_us + what->timeout_us);
        if (r < 0) {
                trial_host_free(host);
                return r;
        }
        *ret = host;
        return 0;
}

struct trial_host *trial_host_free(struct trial_host *host) {
        if (!host)
                return NULL;
        loop_source_free(host->timer);
        channel_free(host->channel);
        free(host->message);
        free(host);
        return NULL;
}

const char *trial_host_judge(const struct trial_host *host, struct run_end *end) {
        if (host->is_answered)
                *end = host->end;
        else if (end->result == RUN_RESULT_SUCCESS) {
                end->result = RUN_RESULT_FAILED;
                end->exit_code = -1;
                return "its host has left without an answer";
        }
        return host->message;
}
