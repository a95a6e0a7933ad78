// SPDX-License-Identifier: MIT
// Hosts of plugins and coprocesses, seen from the scheduler: the runner is a shell that writes down what is asked of it, the host the
// other end of a socket, which says what it likes.

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "config/duration.h"
#include "daemon/core/channel.h"
#include "daemon/core/tick.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/hosts.h"
#include "tests/unit/run_suite.h"

#define RECORDS_MAX 64

static struct loop *loop;
static struct journal *journal;
static struct hosts *hosts;

/* What was asked of the runner, and told of ticks. */
static struct {
        unsigned n_clocks, n_starts, n_loads, n_kills, n_ended, n_begun, n_known, n_synced;
        struct wire_start start;
        struct wire_host_load load;
        uint64_t killed, next_run, known;
        struct wire_ended ended[RECORDS_MAX];
        char value[64];
        int start_error;
} seen;

/* The host's end, and what came there. */
static struct {
        struct channel *channel;
        struct tick_page *page;
        unsigned n, n_closed;
        uint8_t types[RECORDS_MAX];
        struct tick_run runs[RECORDS_MAX];
        struct tick_cancel cancel;
        uint64_t acknowledged;
        uint32_t unloaded;
        char parameters[64]; /* of the latest tick */
        size_t n_parameters;
} host;

static int read_clock(void *userdata, struct clock_sample *ret) {
        (void)userdata;
        seen.n_clocks++;
        *ret = clock_now();
        return 0;
}

static int do_start(void *userdata, const struct wire_start *start) {
        (void)userdata;
        seen.n_starts++;
        seen.start = *start;
        return seen.start_error;
}

static int do_load(void *userdata, const struct wire_host_load *load) {
        (void)userdata;
        seen.n_loads++;
        seen.load = *load;
        return 0;
}

static int do_kill(void *userdata, uint64_t run) {
        (void)userdata;
        seen.n_kills++;
        seen.killed = run;
        return 0;
}

static uint64_t take_run(void *userdata) {
        (void)userdata;
        return ++seen.next_run;
}

static int on_known(void *userdata, struct clock_sample now, const struct wire_run *run) {
        (void)userdata;
        (void)now;
        seen.n_known++;
        seen.known = run->start.run;
        return 0;
}

static int on_begun(void *userdata, struct clock_sample now, const struct wire_started *started) {
        (void)userdata;
        (void)now;
        (void)started;
        seen.n_begun++;
        return 0;
}

static int on_ended(void *userdata, struct clock_sample now, const struct wire_ended *ended, const void *value,
                    size_t value_size) {
        (void)userdata;
        (void)now;
        ck_assert_uint_lt(seen.n_ended, RECORDS_MAX);
        seen.ended[seen.n_ended++] = *ended;
        snprintf(seen.value, sizeof(seen.value), "%.*s", (int)value_size, value ? (const char *)value : "");
        return 0;
}

static int on_synced(void *userdata) {
        (void)userdata;
        seen.n_synced++;
        return 0;
}

static int host_on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        (void)userdata;
        ck_assert_uint_lt(host.n, RECORDS_MAX);
        if (type == TICK_RUN) {
                ck_assert_int_eq(tick_get_run(payload, size, &host.runs[host.n]), 0);
                host.n_parameters = host.runs[host.n].parameters_size;
                ck_assert_uint_le(host.n_parameters, sizeof(host.parameters));
                if (host.n_parameters > 0)
                        memcpy(host.parameters, host.runs[host.n].parameters, host.n_parameters);
        }
        if (type == TICK_CANCEL)
                ck_assert_int_eq(tick_get_cancel(payload, size, &host.cancel), 0);
        else if (type == TICK_ACK)
                ck_assert_int_eq(wire_get_number(payload, size, &host.acknowledged), 0);
        else if (type == TICK_UNLOAD)
                ck_assert_int_eq(tick_get_handle(payload, size, &host.unloaded), 0);
        host.types[host.n++] = type;
        return 0;
}

static int host_on_closed_end(void *userdata, int error) {
        (void)userdata;
        (void)error;
        host.n_closed++;
        host.channel = channel_free(host.channel);
        return 0;
}

static void setup_at_start(void) {
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
        memset(&seen, 0, sizeof(seen));
        memset(&host, 0, sizeof(host));
        seen.next_run = 1000;
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(journal_new(NULL, JOURNAL_LOGFMT, "test", NULL, &journal), 0);
        ck_assert_int_eq(hosts_new(loop, journal, &shell, NULL, &hosts), 0);
}

/* The runner had none before us. */
static void setup(void) {
        setup_at_start();
        ck_assert(hosts_sync(hosts, clock_now()));
}

static void teardown(void) {
        hosts = hosts_free(hosts);
        host.channel = channel_free(host.channel);
        if (host.page)
                munmap(host.page, sizeof(*host.page));
        journal = journal_free(journal);
        loop = loop_free(loop);
}

static void settle(void) {
        int r;
        ck_assert_int_eq(hosts_flush(hosts), 0);
        for (unsigned i = 0; i < 1000; i++) {
                if (host.channel)
                        (void)channel_flush(host.channel);
                ck_assert_int_eq(hosts_flush(hosts), 0);
                r = loop_run_once(loop, 0);
                ck_assert_int_ge(r, 0);
                if (r == 0)
                        return;
        }
}

static void define_in(const char *name, uint64_t version, uint64_t host_hash, int64_t timeout_us) {
        struct wire_define define = {
                .hash = {{version, 7}},
                .name = name,
                .host = host_hash > 0 ? "shared" : "",
                .host_hash = {{host_hash, 9}},
                .host_timeout_us = timeout_us,
                .host_grace_us = USEC_PER_SEC,
                .host_capture_max = 16,
        };
        ck_assert_int_eq(hosts_define(hosts, &define), 0);
}

static void define(const char *name, uint64_t version, uint64_t host_hash) {
        define_in(name, version, host_hash, DURATION_INFINITY);
        hosts_commit(hosts);
}

static struct wire_start start_of(uint64_t run, uint64_t version) {
        return (struct wire_start){.run = run,
                                   .hash = {{version, 7}},
                                   .attempt = 1,
                                   .item = WIRE_ITEM_SCHEDULE,
                                   .cause = RUN_CAUSE_SCHEDULE,
                                   .key = 3};
}

static void tick(uint64_t run, uint64_t version) {
        struct wire_start start = start_of(run, version);
        ck_assert_int_eq(hosts_tick(hosts, clock_now(), (uint32_t)version % 16, &start), 0);
}

/* The runner has the host's process. */
static void arrive_as(uint64_t run, uint64_t host_hash) {
        static const struct channel_callbacks callbacks = {.on_record = host_on_record, .on_closed = host_on_closed_end};
        int fds[2], page = memfd_create("page", MFD_CLOEXEC);
        host.channel = channel_free(host.channel);
        if (host.page)
                munmap(host.page, sizeof(*host.page));
        host.n = 0;
        ck_assert_int_ge(page, 0);
        ck_assert_int_eq(ftruncate(page, sizeof(struct tick_page)), 0);
        host.page = mmap(NULL, sizeof(*host.page), PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
        ck_assert_ptr_ne(host.page, MAP_FAILED);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
        ck_assert_int_eq(channel_new(loop, fds[0], 1 << 20, &callbacks, NULL, &host.channel), 0);
        struct hash128 hash = {{host_hash, 9}};
        ck_assert_int_eq(hosts_on_descriptors(hosts, clock_now(), run, &hash, fds[1], page), 0);
        settle();
}

static void arrive(void) {
        arrive_as(seen.start.run, 1);
}

static void say(enum tick_type type, struct pack *pack) {
        ck_assert_int_eq(pack_result(pack), 0);
        ck_assert_int_eq(channel_send(host.channel, type, pack->data, pack->size), 0);
        pack_done(pack);
}

static void put_answer(uint64_t run, enum run_result result, const char *value) {
        struct pack pack = {0};
        host.page->noted++;
        tick_put_answer(&pack, &(struct tick_answer){.run = run,
                                                     .result = result,
                                                     .exit_code = -1,
                                                     .begin_bt_us = clock_now().bt_us,
                                                     .duration_us = 5,
                                                     .value = value,
                                                     .value_size = strlen(value)});
        say(TICK_ANSWER, &pack);
}

static void answer(uint64_t run, enum run_result result, const char *value) {
        put_answer(run, result, value);
        settle();
}

static void begin(uint64_t run) {
        struct pack pack = {0};
        host.page->noted++;
        tick_put_begun(&pack, &(struct tick_begun){.run = run, .begin_bt_us = clock_now().bt_us});
        say(TICK_BEGUN, &pack);
        settle();
}

static void die(enum run_result result, int exit_code, int sig) {
        struct wire_ended ended = {.run = seen.start.run};
        host.channel = channel_free(host.channel);
        ended.end = (struct run_end){.result = result, .exit_code = exit_code, .signal = sig};
        ck_assert_int_eq(hosts_on_ended(hosts, clock_now(), &ended), 0);
        settle();
}

static const struct run_end *last_end(uint64_t run) {
        ck_assert_uint_gt(seen.n_ended, 0);
        ck_assert_uint_eq(seen.ended[seen.n_ended - 1].run, run);
        return &seen.ended[seen.n_ended - 1].end;
}

START_TEST(a_tick_goes_to_its_host_and_back) {
        define("a", 1, 1);
        define("plain", 5, 0);
        ck_assert(hosts_has(hosts, &(struct hash128){{1, 7}}));
        ck_assert(!hosts_has(hosts, &(struct hash128){{5, 7}}));
        tick(10, 1);
        ck_assert_uint_eq(seen.n_starts, 1);
        ck_assert(seen.start.is_host);
        ck_assert_uint_eq(seen.start.hash.word[0], 1);
        ck_assert_uint_eq(seen.n_loads, 0);
        ck_assert(hosts_owns(hosts, seen.start.run));
        arrive();
        ck_assert_uint_eq(seen.n_loads, 1);
        ck_assert_uint_eq(seen.load.run, seen.start.run);
        ck_assert_uint_eq(host.n, 2);
        ck_assert_uint_eq(host.types[0], TICK_HELLO);
        ck_assert_uint_eq(host.runs[1].start.run, 10);
        ck_assert_int_eq(host.runs[1].start.key, 3);
        ck_assert_uint_eq(host.runs[1].handle, seen.load.handle);
        answer(10, RUN_RESULT_SUCCESS, "a value that is longer than it may be");
        ck_assert_int_eq(last_end(10)->result, RUN_RESULT_SUCCESS);
        ck_assert_str_eq(seen.value, "r than it may be");
        ck_assert_int_gt(last_end(10)->start_bt_us, 0);
        tick(11, 1);
        settle();
        ck_assert_uint_eq(seen.n_loads, 1);
        answer(11, RUN_RESULT_FINISHED, "");
        ck_assert_int_eq(last_end(11)->result, RUN_RESULT_FINISHED);
        ck_assert_uint_eq(host.unloaded, seen.load.handle); /* begun anew, it is loaded anew */
        tick(12, 1);
        settle();
        ck_assert_uint_eq(seen.n_loads, 2);
        ck_assert_uint_ne(host.unloaded, seen.load.handle);
}
END_TEST

START_TEST(what_comes_together_is_of_one_instant) {
        define("a", 1, 1);
        define("b", 2, 1);
        define("c", 3, 1);
        for (uint64_t i = 0; i < 3; i++)
                tick(10 + i, 1 + i);
        arrive();
        unsigned n = seen.n_clocks;
        for (uint64_t i = 0; i < 3; i++)
                put_answer(10 + i, RUN_RESULT_SUCCESS, "");
        settle();
        ck_assert_uint_eq(seen.n_ended, 3);
        ck_assert_uint_eq(seen.n_clocks, n + 1);
}
END_TEST

START_TEST(the_definition_of_a_job_is_the_one_of_the_start) {
        define("a", 1, 1);
        tick(10, 1);
        arrive();
        uint32_t handle = host.runs[1].handle;
        answer(10, RUN_RESULT_SUCCESS, "");
        define("a", 17, 1); /* of the same job's number here */
        tick(11, 17);
        settle();
        ck_assert_uint_eq(host.runs[host.n - 1].start.run, 11);
        ck_assert_uint_ne(host.runs[host.n - 1].handle, handle);
        ck_assert_uint_eq(seen.load.hash.word[0], 17);
        answer(11, RUN_RESULT_SUCCESS, "");
        define("b", 1, 1); /* its place is taken by another's */
        tick(12, 17);
        settle();
        ck_assert_uint_eq(host.runs[host.n - 1].start.run, 12);
        ck_assert_uint_eq(seen.load.hash.word[0], 17);
}
END_TEST

START_TEST(what_a_host_says_is_not_believed) {
        define("a", 1, 1);
        define("b", 2, 2);
        tick(10, 1);
        arrive();
        tick(20, 2); /* of another host */
        answer(20, RUN_RESULT_SUCCESS, "");
        answer(99, RUN_RESULT_SUCCESS, "");
        ck_assert_uint_eq(seen.n_ended, 0);
        struct pack pack = {0};
        tick_put_answer(
                &pack,
                &(struct tick_answer){.run = 10, .result = RUN_RESULT_OOM, .begin_bt_us = INT64_MAX, .duration_us = INT64_MAX});
        say(TICK_ANSWER, &pack);
        settle();
        ck_assert_int_eq(last_end(10)->result, RUN_RESULT_FAILED);
        ck_assert_int_le(last_end(10)->end_bt_us, clock_now().bt_us);
        tick_put_run(&pack, &(struct tick_run){.handle = 1, .start = start_of(99, 1)});
        seen.n_kills = 0;
        say(TICK_RUN, &pack); /* nobody has asked */
        settle();
        ck_assert_uint_eq(seen.n_kills, 1);
}
END_TEST

START_TEST(a_death_costs_the_run_whose_code_it_was) {
        uint64_t first_host;
        for (uint64_t i = 1; i <= 5; i++)
                define((char[]){(char)('a' + i), 0}, i, 1);
        for (uint64_t i = 1; i <= 5; i++)
                tick(10 + i, i);
        arrive();
        first_host = seen.start.run;
        ck_assert_uint_eq(host.n, 6);
        answer(11, RUN_RESULT_SUCCESS, "");
        begin(12);
        /* one was answered and one begun, which nobody has heard of */
        host.page->noted += 2;
        host.page->ring[3 % TICK_RING].run = 13;
        host.page->ring[3 % TICK_RING].result = RUN_RESULT_FAILED;
        host.page->ring[4 % TICK_RING].run = 12;
        host.page->ring[4 % TICK_RING].result = RUN_RESULT_NONE;
        host.page->phase = TICK_PHASE_RUN;
        host.page->current = 14;
        host.page->noted = UINT64_MAX - 1; /* no less nonsense than anything else */
        host.page->ring[(UINT64_MAX - 1) % TICK_RING].run = 13;
        die(RUN_RESULT_SIGNAL, -1, SIGSEGV);
        ck_assert_uint_eq(seen.n_ended, 4);
        static const struct {
                uint64_t run;
                enum run_result result;
                int sig;
        } ends[] = {{11, RUN_RESULT_SUCCESS, 0},
                    {13, RUN_RESULT_FAILED, 0},
                    {12, RUN_RESULT_INTERRUPTED, 0},
                    {14, RUN_RESULT_SIGNAL, SIGSEGV}};
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                ck_assert_uint_eq(seen.ended[i].run, ends[i].run);
                ck_assert_int_eq(seen.ended[i].end.result, ends[i].result);
                ck_assert_int_eq(seen.ended[i].end.signal, ends[i].sig);
        }
        /* the one that was not begun goes to the next host, which is started at once */
        ck_assert_uint_ne(seen.start.run, first_host);
        arrive();
        ck_assert_uint_eq(host.n, 2);
        ck_assert_uint_eq(host.runs[1].start.run, 15);
        answer(15, RUN_RESULT_SUCCESS, "");
        ck_assert_int_eq(last_end(15)->result, RUN_RESULT_SUCCESS);
}
END_TEST

START_TEST(a_death_behind_the_note_costs_nothing) {
        define("a", 1, 1);
        tick(11, 1);
        tick(12, 1);
        arrive();
        host.page->phase = TICK_PHASE_RUN; /* it was to say next that it has left the code */
        host.page->current = 11;
        host.page->handle = seen.load.handle;
        host.page->ring[1].run = 11;
        host.page->ring[1].result = RUN_RESULT_SUCCESS;
        host.page->noted = 1;
        die(RUN_RESULT_SIGNAL, -1, SIGKILL);
        ck_assert_uint_eq(seen.n_ended, 1);
        ck_assert_int_eq(last_end(11)->result, RUN_RESULT_SUCCESS);
        arrive();
        answer(12, RUN_RESULT_SUCCESS, "");
        ck_assert_int_eq(last_end(12)->result, RUN_RESULT_SUCCESS);
}
END_TEST

START_TEST(deaths_in_a_row_are_spaced) {
        struct clock_sample now = clock_now();
        define("a", 1, 1);
        for (unsigned i = 0; i < 3; i++) {
                tick(10 + i, 1);
                if (i == 2) { /* it waits for a second, then */
                        char text[200];
                        ck_assert_uint_eq(seen.n_starts, 2);
                        hosts_explain(hosts, clock_now(), "a", text, sizeof(text));
                        ck_assert_ptr_nonnull(strstr(text, "2 times in a row"));
                        ck_assert_int_le(hosts_next_wake(hosts), clock_now().bt_us + HOSTS_BACKOFF_US);
                        now = clock_now();
                        now.bt_us += HOSTS_BACKOFF_US + 1;
                        ck_assert_int_eq(hosts_advance(hosts, now), 0);
                }
                ck_assert_uint_eq(seen.n_starts, i + 1);
                arrive();
                host.page->phase = TICK_PHASE_LOAD;
                host.page->handle = seen.load.handle;
                die(RUN_RESULT_FAILED, 3, 0);
                ck_assert_int_eq(last_end(10 + i)->result, RUN_RESULT_FAILED);
                ck_assert_int_eq(last_end(10 + i)->exit_code, 3);
        }
}
END_TEST

START_TEST(a_tick_is_not_given_to_hosts_for_ever) {
        define("a", 1, 1);
        tick(10, 1);
        for (unsigned i = 0; i < HOSTS_SENDS_MAX; i++) {
                struct clock_sample now = clock_now();
                now.bt_us += HOSTS_BACKOFF_MAX * 2;
                ck_assert_int_eq(hosts_advance(hosts, now), 0);
                ck_assert_uint_eq(seen.n_starts, i + 1);
                ck_assert_uint_eq(seen.n_ended, 0);
                arrive();
                die(RUN_RESULT_SUCCESS, 0, 0); /* says that it has begun nothing */
        }
        ck_assert_int_eq(last_end(10)->result, RUN_RESULT_FAILED);
}
END_TEST

START_TEST(a_host_that_can_not_start) {
        define("a", 1, 1);
        tick(10, 1);
        struct wire_ended ended = {.run = seen.start.run};
        ended.end = (struct run_end){.result = RUN_RESULT_START_FAILED, .exit_code = -1, .step = RUN_STEP_USER, .error = EPERM};
        ck_assert_int_eq(hosts_on_ended(hosts, clock_now(), &ended), 0);
        ck_assert_int_eq(last_end(10)->result, RUN_RESULT_START_FAILED);
        ck_assert_int_eq(last_end(10)->step, RUN_STEP_USER);
        ck_assert_int_eq(last_end(10)->error, EPERM);
}
END_TEST

START_TEST(time_limits) {
        define_in("a", 1, 1, USEC_PER_SEC);
        define_in("b", 2, 1, USEC_PER_SEC);
        hosts_commit(hosts);
        tick(10, 1);
        tick(20, 2);
        arrive();
        host.page->phase = TICK_PHASE_RUN;
        host.page->current = 10;
        struct clock_sample now = clock_now();
        ck_assert_int_le(hosts_next_wake(hosts), now.bt_us + USEC_PER_SEC);
        begin(20); /* it did something meanwhile: the limit is not that of the other */
        now.bt_us += USEC_PER_SEC + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        settle();
        ck_assert_int_eq(host.cancel.result, RUN_RESULT_TIMEOUT);
        ck_assert_uint_eq(seen.n_kills, 0);
        now.bt_us += USEC_PER_SEC + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.n_kills, 1);
        ck_assert_uint_eq(seen.killed, seen.start.run);
        die(RUN_RESULT_CANCELLED, -1, SIGKILL);
        for (unsigned i = 0; i < seen.n_ended; i++)
                ck_assert_int_eq(seen.ended[i].end.result, RUN_RESULT_TIMEOUT);
        ck_assert_uint_eq(seen.n_ended, 2);
}
END_TEST

START_TEST(a_neighbour_that_works_is_not_killed) {
        define_in("slow", 1, 1, 10 * USEC_PER_SEC);
        define_in("quick", 2, 1, USEC_PER_SEC);
        hosts_commit(hosts);
        tick(10, 1);
        tick(20, 2);
        arrive();
        host.page->phase = TICK_PHASE_RUN;
        host.page->current = 10;
        struct clock_sample now = clock_now();
        for (unsigned i = 0; i < 8; i++) {
                now.bt_us += USEC_PER_SEC + 1;
                ck_assert_int_eq(hosts_advance(hosts, now), 0);
        }
        settle();
        ck_assert_int_eq(host.cancel.run, 0);
        now.bt_us += 3 * USEC_PER_SEC; /* now it has taken too long itself */
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        settle();
        ck_assert_int_eq(host.cancel.run, 10);
}
END_TEST

START_TEST(a_host_that_does_not_leave) {
        define("a", 1, 1);
        tick(10, 1);
        arrive();
        answer(10, RUN_RESULT_SUCCESS, "");
        ck_assert_int_eq(hosts_remove(hosts, "a"), 0);
        hosts_commit(hosts);
        settle();
        ck_assert_uint_eq(host.types[host.n - 1], TICK_QUIT);
        ck_assert_uint_eq(seen.n_kills, 0);
        struct clock_sample now = clock_now();
        now.bt_us += HOSTS_QUIT_US + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.n_kills, 1);
}
END_TEST

START_TEST(a_tick_is_cancelled) {
        define("a", 1, 1);
        ck_assert_int_eq(hosts_cancel(hosts, clock_now(), 10), 1);
        tick(10, 1);
        ck_assert_int_eq(hosts_cancel(hosts, clock_now(), 10), 0); /* before there is a host */
        ck_assert_int_eq(last_end(10)->result, RUN_RESULT_CANCELLED);
        arrive();
        tick(11, 1);
        settle();
        begin(11);
        ck_assert_uint_eq(seen.n_begun, 1);
        ck_assert_int_eq(hosts_cancel(hosts, clock_now(), 11), 0);
        settle();
        ck_assert_uint_eq(host.cancel.run, 11);
        answer(11, RUN_RESULT_CANCELLED, "");
        ck_assert_int_eq(last_end(11)->result, RUN_RESULT_CANCELLED);
        tick(12, 1);
        settle();
        answer(12, RUN_RESULT_CANCELLED, ""); /* nobody has asked for it */
        ck_assert_int_eq(last_end(12)->result, RUN_RESULT_FAILED);
}
END_TEST

/* What a scheduler has given to a host as runs 10 and 11; then there is another one. */
static struct tick_run given[2];

static void give(void) {
        define("a", 1, 1);
        tick(11, 1);
        arrive();
        given[1] = host.runs[1];
        answer(11, RUN_RESULT_SUCCESS, "");
        tick(10, 1);
        settle();
        given[0] = host.runs[host.n - 1];
        ck_assert_uint_eq(given[0].start.run, 10);
        ck_assert_uint_ne(given[0].seal, given[1].seal);
        teardown();
        setup_at_start();
        define("b", 2, 1);
        define("a", 1, 1);
}

static void tell_run(const struct tick_run *run, uint32_t handle) {
        struct pack pack = {0};
        struct tick_run told = *run;
        told.handle = handle;
        tick_put_run(&pack, &told);
        say(TICK_RUN, &pack);
}

/* Handle 4 is what it has of definition 1; run 10 is under way, 11 was answered. */
static void tell_all(bool is_whole) {
        struct pack pack = {0};
        tick_put_answer(&pack, &(struct tick_answer){.run = 10, .result = RUN_RESULT_FAILED}); /* to the scheduler before */
        say(TICK_ANSWER, &pack);
        tick_put_hello(&pack, &(struct tick_hello){.version = TICK_VERSION, .epoch = 77, .answered = 7});
        say(TICK_HELLO, &pack);
        say(TICK_SYNCED, &pack);
        tick_put_hello(&pack, &(struct tick_hello){.version = TICK_VERSION, .answered = 100});
        say(TICK_HELLO, &pack);
        tick_put_loaded(&pack, &(struct tick_loaded){.handle = 14, .hash = {{2, 7}}});
        say(TICK_LOADED, &pack);
        tick_put_loaded(&pack, &(struct tick_loaded){.handle = 4, .hash = {{1, 7}}}); /* in whatever order */
        say(TICK_LOADED, &pack);
        tick_put_loaded(&pack, &(struct tick_loaded){.handle = 5, .hash = {{77, 7}}}); /* nobody knows it any more */
        say(TICK_LOADED, &pack);
        tell_run(&given[1], 4);
        tick_put_answer(&pack, &(struct tick_answer){.run = 11, .result = RUN_RESULT_SUCCESS, .exit_code = -1});
        say(TICK_ANSWER, &pack);
        tell_run(&given[0], 4);
        if (is_whole)
                say(TICK_SYNCED, &pack);
        settle();
}

START_TEST(a_host_of_before_tells_what_it_knows) {
        struct wire_run run = {.start = {.run = 500, .is_host = true, .hash = {{1, 7}}}, .name = "a"};
        give();
        ck_assert_int_eq(hosts_on_run(hosts, &run), 0);
        ck_assert(hosts_owns(hosts, 500));
        arrive_as(500, 1);
        ck_assert_uint_eq(host.n, 0); /* it is not asked before the runner has told all */
        ck_assert(!hosts_sync(hosts, clock_now()));
        settle();
        ck_assert_uint_eq(host.types[0], TICK_HELLO);
        tell_all(true);
        ck_assert_uint_eq(seen.n_known, 2);
        ck_assert_int_eq(last_end(11)->result, RUN_RESULT_SUCCESS);
        ck_assert_uint_eq(seen.n_synced, 1);
        ck_assert_uint_eq(host.unloaded, 5);
        answer(10, RUN_RESULT_SUCCESS, "");
        last_end(10);
        size_t cursor = 0;
        ck_assert_ptr_nonnull(hosts_walk_known(hosts, &cursor));
        tick(12, 1);
        settle();
        ck_assert_uint_eq(seen.n_starts, 0);
        ck_assert_uint_eq(seen.n_loads, 0); /* it has it */
        /* acknowledged are the answers that a commit has, once it is durable */
        hosts_mark(hosts, 7);
        answer(12, RUN_RESULT_SUCCESS, "");
        hosts_acknowledge(hosts, 6);
        settle();
        ck_assert_uint_eq(host.acknowledged, 0);
        hosts_acknowledge(hosts, 7);
        settle();
        ck_assert_uint_eq(host.acknowledged, 102);
}
END_TEST

START_TEST(a_host_can_not_have_what_it_was_not_given) {
        struct wire_run run = {.start = {.run = 500, .is_host = true, .hash = {{1, 7}}}, .name = "a"};
        struct tick_run forged;
        for (int i = 0; i < 4; i++) {
                give();
                forged = given[0];
                if (i == 0)
                        forged.start.run = 99;
                else if (i == 1)
                        forged.start.key++;
                else if (i == 2)
                        forged.seal = 0;
                ck_assert_int_eq(hosts_on_run(hosts, &run), 0);
                arrive_as(500, 1);
                ck_assert(!hosts_sync(hosts, clock_now()));
                struct pack pack = {0};
                tick_put_hello(&pack, &(struct tick_hello){.version = TICK_VERSION});
                say(TICK_HELLO, &pack);
                tick_put_loaded(&pack,
                                &(struct tick_loaded){.handle = 4, .hash = {{i < 3 ? 1 : 2, 7}}}); /* or of another job */
                say(TICK_LOADED, &pack);
                tell_run(&forged, 4);
                settle();
                ck_assert_uint_eq(seen.n_known, 0);
                ck_assert_uint_eq(seen.n_kills, 1);
                teardown();
                setup();
        }
}
END_TEST

START_TEST(a_host_of_before_that_says_nothing) {
        struct wire_run run = {.start = {.run = 500, .is_host = true, .hash = {{1, 7}}}, .name = "a"};
        struct clock_sample now = clock_now();
        give();
        ck_assert_int_eq(hosts_on_run(hosts, &run), 0);
        run.start.run = 501; /* its descriptors never come */
        ck_assert_int_eq(hosts_on_run(hosts, &run), 0);
        arrive_as(500, 1);
        ck_assert(!hosts_sync(hosts, now));
        tick(12, 2);
        now.bt_us += HOSTS_SYNC_US + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.n_synced, 1);
        ck_assert_uint_eq(seen.n_kills, 1);
        ck_assert_uint_eq(seen.killed, 501);
        struct wire_ended ended = {.run = 501};
        ck_assert_int_eq(hosts_on_ended(hosts, now, &ended), 0);
        ck_assert(!hosts_owns(hosts, 501));
        tell_all(true); /* it was busy: what it knows comes too late, but it goes on */
        ck_assert_uint_eq(seen.n_known, 0);
        ck_assert_uint_eq(seen.n_ended, 0);
        ck_assert_uint_eq(host.runs[host.n - 1].start.run, 12);
        answer(12, RUN_RESULT_SUCCESS, "");
        last_end(12);
        now.bt_us += HOSTS_LATE_US + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.n_kills, 1);
}
END_TEST

START_TEST(a_host_of_before_that_is_at_work) {
        struct wire_run run = {.start = {.run = 500, .is_host = true, .hash = {{1, 7}}}, .name = "a"};
        struct clock_sample now = clock_now();
        size_t cursor = 0;
        teardown();
        setup_at_start();
        define_in("a", 1, 1, 10 * USEC_PER_MINUTE);
        hosts_commit(hosts);
        ck_assert_int_eq(hosts_on_run(hosts, &run), 0);
        arrive_as(500, 1);
        host.page->current = 10;
        ck_assert(!hosts_sync(hosts, now));
        now.bt_us += HOSTS_BUSY_US;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.n_synced, 1); /* others do not wait for it */
        ck_assert_ptr_null(hosts_walk_known(hosts, &cursor));
        for (unsigned i = 0; i < 10; i++) {
                now.bt_us += HOSTS_LATE_US;
                ck_assert_int_eq(hosts_advance(hosts, now), 0);
        }
        ck_assert_uint_eq(seen.n_kills, 0);
        now.bt_us += HOSTS_LATE_US * 3; /* longer than it may */
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.killed, 500);
}
END_TEST

START_TEST(a_host_of_before_that_says_nothing_for_long) {
        struct wire_run run = {.start = {.run = 500, .is_host = true, .hash = {{1, 7}}}, .name = "a"};
        struct clock_sample now = clock_now();
        teardown();
        setup_at_start();
        define("a", 1, 1);
        ck_assert_int_eq(hosts_on_run(hosts, &run), 0);
        arrive_as(500, 1);
        ck_assert(!hosts_sync(hosts, now));
        tick(12, 1);
        now.bt_us += HOSTS_SYNC_US + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        now.bt_us += HOSTS_LATE_US + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.killed, 500);
        now.bt_us += HOSTS_LATE_US * 2; /* its end is not told either */
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.n_starts, 1);
        ck_assert(!hosts_owns(hosts, 500));
}
END_TEST

START_TEST(definitions_come_and_go) {
        define("a", 1, 1);
        define("b", 2, 1);
        tick(10, 1);
        arrive();
        uint32_t handle = seen.load.handle;
        define_in("a", 3, 1, DURATION_INFINITY);                /* another of the same host */
        ck_assert(hosts_has(hosts, &(struct hash128){{1, 7}})); /* until the commit */
        hosts_commit(hosts);
        ck_assert(hosts_has(hosts, &(struct hash128){{1, 7}})); /* it has a tick */
        answer(10, RUN_RESULT_SUCCESS, "");
        ck_assert(!hosts_has(hosts, &(struct hash128){{1, 7}}));
        settle();
        ck_assert_uint_eq(host.unloaded, handle);
        ck_assert_uint_ne(host.types[host.n - 1], TICK_QUIT);
        define("a", 4, 2); /* to another host */
        ck_assert_int_eq(hosts_remove(hosts, "b"), 0);
        hosts_commit(hosts);
        settle();
        ck_assert_uint_eq(host.types[host.n - 1], TICK_QUIT);
        die(RUN_RESULT_SUCCESS, 0, 0);
        ck_assert(!hosts_owns(hosts, seen.start.run));
        define("b", 2, 1); /* and back */
        tick(20, 2);
        ck_assert_uint_eq(seen.n_starts, 2);
}
END_TEST

START_TEST(nothing_starts_behind_the_end) {
        define("a", 1, 1);
        tick(10, 1);
        arrive();
        hosts_quit(hosts);
        settle();
        ck_assert_uint_eq(host.types[host.n - 1], TICK_QUIT);
        answer(10, RUN_RESULT_SUCCESS, ""); /* what is under way ends */
        ck_assert_int_eq(last_end(10)->result, RUN_RESULT_SUCCESS);
        die(RUN_RESULT_CANCELLED, 0, 0); /* the runner has asked for it, too */
        tick(11, 1);
        ck_assert_int_eq(last_end(11)->result, RUN_RESULT_START_FAILED);
        ck_assert_uint_eq(seen.n_starts, 1);
}
END_TEST

START_TEST(a_definition_that_the_host_does_not_get) {
        define("a", 1, 1);
        tick(10, 1);
        arrive();
        struct wire_host_unloaded unloaded = {.run = seen.start.run, .handle = seen.load.handle, .error = EAGAIN};
        ck_assert_int_eq(hosts_on_unloaded(hosts, clock_now(), &unloaded), 0);
        ck_assert_int_eq(last_end(10)->result, RUN_RESULT_START_FAILED);
        ck_assert_int_eq(last_end(10)->step, RUN_STEP_DEFINITION);
        tick(11, 1);
        ck_assert_uint_eq(seen.n_loads, 2);
}
END_TEST

START_TEST(a_host_that_closes_its_end) {
        define("a", 1, 1);
        tick(10, 1);
        arrive();
        host.channel = channel_free(host.channel);
        settle();
        ck_assert_uint_eq(seen.n_kills, 0); /* most likely it is dead */
        struct clock_sample now = clock_now();
        now.bt_us += HOSTS_CLOSED_US + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.n_kills, 1);
        host.page->current = 10;
        host.page->phase = TICK_PHASE_RUN;
        die(RUN_RESULT_CANCELLED, -1, SIGKILL);
        ck_assert_int_eq(last_end(10)->result, RUN_RESULT_FAILED);
}
END_TEST

START_TEST(parameters_go_with_their_tick) {
        static const char parameters[] = "A=1\0B=two";
        char gone[sizeof(parameters)];
        define("a", 1, 1);
        struct wire_start start = start_of(10, 1);
        memcpy(gone, parameters, sizeof(gone));
        start.parameters = gone;
        start.parameters_size = sizeof(gone);
        ck_assert_int_eq(hosts_tick(hosts, clock_now(), (uint32_t)start.hash.word[0] % 16, &start), 0);
        memset(gone, 'x', sizeof(gone));
        arrive();
        ck_assert_uint_eq(host.n_parameters, sizeof(parameters));
        ck_assert_mem_eq(host.parameters, parameters, sizeof(parameters));
}
END_TEST

START_TEST(many_ticks_are_taken_at_set_times) {
        define("a", 1, 1);
        define("b", 2, 2);
        tick(10, 1);
        arrive();
        ck_assert_uint_eq(hosts_sent(hosts), 1);
        ck_assert(hosts_is_busy(hosts));
        hosts_pace(hosts, true);
        answer(10, RUN_RESULT_SUCCESS, "");
        ck_assert_uint_eq(seen.n_ended, 0);
        ck_assert_int_eq(hosts_take(hosts), 0);
        last_end(10);
        ck_assert(!hosts_is_busy(hosts));
        tick(11, 1);
        settle();
        answer(11, RUN_RESULT_SUCCESS, "");
        ck_assert_uint_eq(seen.n_ended, 1);
        hosts_pace(hosts, false);
        settle();
        last_end(11);
}
END_TEST

START_TEST(a_runner_without_room) {
        define("a", 1, 1);
        seen.start_error = -ENOBUFS;
        tick(10, 1);
        ck_assert_uint_eq(seen.n_starts, 1);
        ck_assert_uint_eq(seen.n_ended, 0);
        seen.start_error = 0;
        struct clock_sample now = clock_now();
        now.bt_us += HOSTS_BACKOFF_US + 1;
        ck_assert_int_eq(hosts_advance(hosts, now), 0);
        ck_assert_uint_eq(seen.n_starts, 2);
        arrive();
        answer(10, RUN_RESULT_SUCCESS, "");
        last_end(10);
}
END_TEST

int main(void) {
        Suite *s = suite_create("hosts");
        TCase *t = tcase_create("hosts");
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, a_tick_goes_to_its_host_and_back);
        tcase_add_test(t, what_comes_together_is_of_one_instant);
        tcase_add_test(t, the_definition_of_a_job_is_the_one_of_the_start);
        tcase_add_test(t, what_a_host_says_is_not_believed);
        tcase_add_test(t, a_death_costs_the_run_whose_code_it_was);
        tcase_add_test(t, a_death_behind_the_note_costs_nothing);
        tcase_add_test(t, deaths_in_a_row_are_spaced);
        tcase_add_test(t, a_tick_is_not_given_to_hosts_for_ever);
        tcase_add_test(t, a_host_that_can_not_start);
        tcase_add_test(t, time_limits);
        tcase_add_test(t, a_tick_is_cancelled);
        tcase_add_test(t, a_host_of_before_tells_what_it_knows);
        tcase_add_test(t, a_host_of_before_that_says_nothing);
        tcase_add_test(t, a_host_of_before_that_says_nothing_for_long);
        tcase_add_test(t, a_host_of_before_that_is_at_work);
        tcase_add_test(t, a_host_can_not_have_what_it_was_not_given);
        tcase_add_test(t, a_neighbour_that_works_is_not_killed);
        tcase_add_test(t, a_host_that_does_not_leave);
        tcase_add_test(t, definitions_come_and_go);
        tcase_add_test(t, nothing_starts_behind_the_end);
        tcase_add_test(t, a_definition_that_the_host_does_not_get);
        tcase_add_test(t, a_host_that_closes_its_end);
        tcase_add_test(t, parameters_go_with_their_tick);
        tcase_add_test(t, many_ticks_are_taken_at_set_times);
        tcase_add_test(t, a_runner_without_room);
        suite_add_tcase(s, t);
        return run_suite(s);
}
