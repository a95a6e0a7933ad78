// SPDX-License-Identifier: MIT
// control_fixture: the control socket with a real engine behind it and a runner that the test plays, all in one loop without sleeps.
#pragma once

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/core/channel.h"
#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "daemon/scheduler/control_client.h"
#include "daemon/scheduler/control_feed.h"
#include "daemon/scheduler/control_internal.h"
#include "daemon/scheduler/control_wait.h"

static char folder[] = "/tmp/test-control-XXXXXX";
static struct sockaddr_un journal_address = {.sun_family = AF_UNIX}, control_address = {.sun_family = AF_UNIX};
static int journald, runner, runner_output;
static struct loop *loop;
static struct journal *journal;
static struct link *link_;
static struct control *control;
static struct pack pack;

/* What the runner was told last. */
static struct {
        uint64_t n_starts, run, killed, reload, described, watched;
        struct wire_start start;
        char described_job[80];
        bool is_watch_on;
        struct hash128 hash;
        char parameters[64];
} told;
static bool is_runner_started; /* it answers each START with STARTED */

/* ---- the runner ---- */

__attribute__((unused)) static void runner_say(enum wire_type type) {
        ck_assert_int_eq(link_handle_record(link_, (uint8_t)type, pack.data, pack.size), 0);
        pack_clear(&pack);
}

__attribute__((unused)) static void define_job(const char *name, const char *when) {
        static uint64_t n;
        struct clock_sample now = clock_now();
        wire_put_define(&pack, &(struct wire_define){.hash = {{1, ++n}},
                                                     .since_rt_us = now.rt_us,
                                                     .since_bt_us = now.bt_us,
                                                     .name = name,
                                                     .when = when,
                                                     .when_size = strlen(when),
                                                     .accepted = "FROM TO"});
        runner_say(WIRE_DEFINE);
}

__attribute__((unused)) static void remove_job(const char *name) {
        wire_put_text(&pack, name);
        runner_say(WIRE_REMOVE);
}

__attribute__((unused)) static void commit_asked(uint64_t asked, uint32_t n_jobs) {
        static uint64_t generation;
        generation++;
        wire_put_commit(&pack, &(struct wire_commit){.generation = generation, .asked = asked, .n_jobs = n_jobs, .n_added = 1});
        runner_say(WIRE_COMMIT);
}

__attribute__((unused)) static void hello(void) {
        wire_put_hello(&pack, &(struct wire_hello){.version = WIRE_VERSION, .next_run = 1, .is_first_of_boot = true});
        runner_say(WIRE_HELLO);
}

/* A run's program has begun. */
__attribute__((unused)) static void run_started(uint64_t run) {
        struct clock_sample now = clock_now();
        wire_put_started(&pack,
                         &(struct wire_started){.run = run, .pid = 7, .start_rt_us = now.rt_us, .start_bt_us = now.bt_us});
        runner_say(WIRE_STARTED);
}

__attribute__((unused)) static void run_ended(uint64_t run, enum run_result result, const char *value) {
        struct clock_sample now = clock_now();
        if (value) {
                wire_put_bytes(&pack, &(struct wire_bytes){.run = run, .data = value, .size = strlen(value)});
                runner_say(WIRE_VALUE);
        }
        struct run_end end = {
                .result = result,
                .exit_code = result == RUN_RESULT_SUCCESS  ? 0
                             : result == RUN_RESULT_FAILED ? 1
                                                           : -1,
                .signal = result == RUN_RESULT_CANCELLED ? 15 : 0,
                .start_rt_us = now.rt_us - 2000,
                .start_bt_us = now.bt_us - 2000,
                .end_rt_us = now.rt_us,
                .end_bt_us = now.bt_us,
        };
        wire_put_ended(&pack, &(struct wire_ended){.run = run, .end = end});
        runner_say(WIRE_ENDED);
}

__attribute__((unused)) static void run_output(uint64_t run, uint8_t stream, const char *text, size_t size) {
        struct channel *ch;
        static const struct channel_callbacks none = {0};
        int fd = dup(runner_output);
        wire_put_bytes(&pack, &(struct wire_bytes){.run = run, .stream = stream, .data = text, .size = size});
        ck_assert_int_eq(channel_new(loop, fd, 1 << 20, &none, NULL, &ch), 0);
        ck_assert_int_eq(channel_send(ch, WIRE_OUTPUT, pack.data, pack.size), 0);
        ck_assert_int_eq(channel_flush(ch), 0);
        channel_free(ch);
        pack_clear(&pack);
}

static int on_order(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct wire_kill_run kill_run;
        struct wire_watch_run watch;
        struct wire_describe describe;
        (void)userdata;
        switch (type) {
        case WIRE_START:
                ck_assert_int_eq(wire_get_start(payload, size, &told.start), 0);
                told.run = told.start.run;
                ck_assert_uint_le(told.start.parameters_size, sizeof(told.parameters));
                if (told.start.parameters_size > 0)
                        memcpy(told.parameters, told.start.parameters, told.start.parameters_size);
                told.n_starts++;
                break;
        case WIRE_KILL:
                ck_assert_int_eq(wire_get_kill(payload, size, &kill_run), 0);
                told.killed = kill_run.run;
                break;
        case WIRE_RELOAD:
                ck_assert_int_eq(wire_get_number(payload, size, &told.reload), 0);
                break;
        case WIRE_WATCH:
                ck_assert_int_eq(wire_get_watch(payload, size, &watch), 0);
                told.watched = watch.run;
                told.is_watch_on = watch.is_on;
                break;
        case WIRE_DESCRIBE:
                ck_assert_int_eq(wire_get_describe(payload, size, &describe), 0);
                told.described = describe.number;
                snprintf(told.described_job, sizeof(told.described_job), "%s", describe.name);
                wire_describe_done(&describe);
                break;
        default:
                break;
        }
        return 0;
}

/* The runner reads its orders. */
static void read_orders(void) {
        static uint8_t buf[CHANNEL_MESSAGE_MAX];
        ssize_t n;
        while (runner >= 0 && (n = recv(runner, buf, sizeof(buf), 0)) > 0) {
                uint64_t before = told.run;
                ck_assert_int_eq(channel_split(buf, (size_t)n, on_order, NULL), 0);
                if (is_runner_started && told.run != before)
                        run_started(told.run);
        }
}

/* ---- the scheduler ---- */

/* A pass of the loop as chimed does it. */
static bool pass(void) {
        int64_t bt_us, rt_us;
        int r = loop_run_once(loop, 0);
        ck_assert_int_ge(r, 0);
        link_next_wake(link_, &bt_us, &rt_us);
        struct clock_sample now = clock_now();
        if (bt_us <= now.bt_us || rt_us <= now.rt_us)
                ck_assert_int_eq(link_advance(link_), 0);
        if (control_next_wake(control) <= now.bt_us)
                ck_assert_int_eq(control_advance(control, now), 0);
        ck_assert_int_eq(control_flush(control), 0);
        ck_assert_int_eq(link_flush(link_), 0);
        read_orders();
        return r > 0;
}

/* Passes until nothing happens any more. */
__attribute__((unused)) static void settle(void) {
        for (int idle = 0, i = 0; idle < 3; i++) {
                ck_assert_int_lt(i, 100000);
                idle = pass() ? 0 : idle + 1;
        }
}

/* ---- clients ---- */

struct peer {
        int fd;
        char *buf;
        size_t size;
};

__attribute__((unused)) static struct peer dial(void) {
        struct peer p = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        ck_assert_int_ge(p.fd, 0);
        ck_assert_int_eq(connect(p.fd, (struct sockaddr *)&control_address, sizeof(control_address)), 0);
        pass();
        return p;
}

static struct control_user *user_of(uid_t uid) {
        struct control_user *user = control->users;
        while (user && user->uid != uid)
                user = user->next;
        if (user)
                return user;
        user = calloc(1, sizeof(*user));
        ck_assert_ptr_nonnull(user);
        *user = (struct control_user){.next = control->users, .uid = uid};
        return control->users = user;
}

/* The client that dialled last, and has done nothing yet, is somebody else. */
__attribute__((unused)) static void become(uid_t uid) {
        struct control_client *client = control->clients;
        struct control_user *before = client->user, **at = &control->users;
        client->is_admin = false;
        client->peer = (struct control_peer){.uid = uid, .gid = uid};
        client->user = user_of(uid);
        client->user->n_clients++;
        client->user->bytes += client->charged;
        before->bytes -= client->charged;
        if (--before->n_clients > 0)
                return;
        while (*at != before)
                at = &(*at)->next;
        *at = before->next;
        free(before);
}

__attribute__((unused)) static void hang_up(struct peer *p) {
        util_close(p->fd);
        free(p->buf);
        *p = (struct peer){.fd = -1};
}

__attribute__((unused)) static void say_bytes(struct peer *p, const void *data, size_t size) {
        ck_assert_int_eq(send(p->fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* {"method":"io.chimed.METHOD","parameters":PARAMETERS REST}, with its NUL. */
__attribute__((unused)) static void say_more(struct peer *p, const char *method, const char *parameters, const char *rest) {
        char text[8192];
        int n = snprintf(text, sizeof(text), "{\"method\":\"%s%s\",\"parameters\":%s%s}",
                         strchr(method, '.') ? "" : "io.chimed.", method, parameters, rest);
        ck_assert_int_lt(n, (int)sizeof(text));
        say_bytes(p, text, (size_t)n + 1);
}

__attribute__((unused)) static void say(struct peer *p, const char *method, const char *parameters) {
        say_more(p, method, parameters, "");
}

#define MORE   ",\"more\":true"
#define ONEWAY ",\"oneway\":true"

/* Reads what is there. False at the end. */
static bool fill(struct peer *p) {
        char buf[65536];
        ssize_t n;
        while ((n = recv(p->fd, buf, sizeof(buf), 0)) > 0) {
                p->buf = realloc(p->buf, p->size + (size_t)n);
                ck_assert_ptr_nonnull(p->buf);
                memcpy(p->buf + p->size, buf, (size_t)n);
                p->size += (size_t)n;
        }
        return n < 0 && errno == EAGAIN;
}

/* The next reply, static until the next call; NULL where none comes. */
__attribute__((unused)) static const char *hear(struct peer *p) {
        static char text[4 * 1024 * 1024];
        for (int idle = 0; idle < 4;) {
                fill(p);
                char *nul = p->size > 0 ? memchr(p->buf, '\0', p->size) : NULL;
                if (nul) {
                        size_t n = (size_t)(nul - p->buf) + 1;
                        ck_assert_uint_lt(n, sizeof(text));
                        memcpy(text, p->buf, n);
                        memmove(p->buf, nul + 1, p->size - n);
                        p->size -= n;
                        return text;
                }
                idle = pass() ? 0 : idle + 1;
        }
        return NULL;
}

/* The threads of the ledger answer when they do: passes until then. */
__attribute__((unused)) static const char *hear_later(struct peer *p) {
        int64_t until_us = clock_awake_us() + 5 * USEC_PER_SEC;
        const char *reply;
        while (!(reply = hear(p))) {
                if (clock_awake_us() > until_us)
                        ck_abort_msg("no reply");
                ck_assert_int_ge(loop_run_once(loop, USEC_PER_MSEC), 0);
        }
        return reply;
}

__attribute__((unused)) static const char *ask(struct peer *p, const char *method, const char *parameters) {
        say(p, method, parameters);
        const char *reply = hear(p);
        return reply ? reply : "(silence)";
}

__attribute__((unused)) static bool is_closed(struct peer *p) {
        settle();
        return !fill(p) && p->size == 0;
}

/* The same for what is told nobody. */
#define pass_until(condition)                                                                                                  \
        for (int64_t until_ = clock_awake_us() + 5 * USEC_PER_SEC; !(condition);) {                                            \
                if (clock_awake_us() > until_)                                                                                 \
                        ck_abort_msg("not in time: %s", #condition);                                                           \
                pass();                                                                                                        \
                ck_assert_int_ge(loop_run_once(loop, USEC_PER_MSEC), 0);                                                       \
        }

/* The reply says this. */
#define says(reply, what)                                                                                                      \
        do {                                                                                                                   \
                const char *said_ = (reply);                                                                                   \
                ck_assert_msg(said_ &&strstr(said_, (what)), "wanted %s in: %s", (what), said_ ? said_ : "(silence)");         \
        } while (0)

/* ---- life ---- */

__attribute__((unused)) static void setup_without_jobs(void) {
        int to_runner[2], output[2];
        strcpy(folder + strlen(folder) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(journal_address.sun_path, sizeof(journal_address.sun_path), "%s/journal", folder);
        snprintf(control_address.sun_path, sizeof(control_address.sun_path), "%s/io.chimed", folder);
        journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(bind(journald, (struct sockaddr *)&journal_address, sizeof(journal_address)), 0);
        int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(bind(listen_fd, (struct sockaddr *)&control_address, sizeof(control_address)), 0);
        ck_assert_int_eq(listen(listen_fd, 128), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, to_runner), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, output), 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(journal_new(NULL, JOURNAL_JOURNAL, "chimed", journal_address.sun_path, &journal), 0);
        ck_assert_int_eq(link_new(loop, journal, to_runner[0], output[0], -1, &link_), 0);
        struct control_settings settings = {.listen_fd = listen_fd, .admin_gid = (gid_t)-1};
        ck_assert_int_eq(control_new(loop, journal, link_, &settings, &control), 0);
        runner = to_runner[1];
        runner_output = output[1];
        memset(&told, 0, sizeof(told));
        is_runner_started = true;
}

#define HOURLY "Every=1h\nMode=fixed-rate\nInitialDelay=1h\n"

/* Jobs: `job` (hourly, first in an hour; uid 1000 may trigger, 1001 control it), `other` (the same), `manual`, `off` (disabled),
 * `delay` (a fixed delay). */
__attribute__((unused)) static void setup(void) {
        setup_without_jobs();
        hello();
        define_job("job", HOURLY "Allow=trigger:1000 control:1001\n");
        define_job("other", HOURLY);
        define_job("manual", "");
        define_job("off", "Every=1h\nEnabled=no\n");
        define_job("delay", "Every=1h\nInitialDelay=1h\n");
        commit_asked(0, 5);
        settle();
}

__attribute__((unused)) static void teardown(void) {
        control = control_free(control);
        link_ = link_free(link_);
        journal_free(journal);
        loop_free(loop);
        pack_done(&pack);
        if (runner >= 0)
                close(runner);
        close(runner_output);
        close(journald);
        unlink(journal_address.sun_path);
        unlink(control_address.sun_path);
        rmdir(folder);
}
