// SPDX-License-Identifier: MIT
// The scheduler's end of the link against a runner that the test plays: slow, gone, or out of its mind.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/core/channel.h"
#include "daemon/core/wire.h"
#include "daemon/scheduler/link.h"
#include "tests/unit/run_suite.h"

static char folder[] = "/tmp/test-link-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int journald, runner, runner_output;
static struct loop *loop;
static struct journal *journal;
static struct link *link_;
static struct pack pack;
static uint64_t n_starts, n_kills, n_acks, last_run;

static void setup(void) {
        int control[2], output[2];
        strcpy(folder + strlen(folder) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
        journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(journald, 0);
        ck_assert_int_eq(bind(journald, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, output), 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(journal_new(NULL, JOURNAL_JOURNAL, "chimed", address.sun_path, &journal), 0);
        ck_assert_int_eq(link_new(loop, journal, control[0], output[0], -1, &link_), 0);
        runner = control[1];
        runner_output = output[1];
        n_starts = n_kills = n_acks = last_run = 0;
}

static void teardown(void) {
        link_ = link_free(link_);
        journal_free(journal);
        loop_free(loop);
        pack_done(&pack);
        if (runner >= 0)
                close(runner);
        close(runner_output);
        close(journald);
        unlink(address.sun_path);
        rmdir(folder);
}

/* Hands the record over that was packed. */
static void say(enum wire_type type) {
        ck_assert_int_eq(link_handle_record(link_, (uint8_t)type, pack.data, pack.size), 0);
        pack_clear(&pack);
}

static void begin(int jobs) {
        static const char when[] = "Every=1h\nMode=fixed-rate\n";
        struct clock_sample now = clock_now();
        wire_put_hello(&pack, &(struct wire_hello){.version = WIRE_VERSION, .next_run = 1, .is_first_of_boot = true});
        say(WIRE_HELLO);
        for (int i = 0; i < jobs; i++) {
                char name[32];
                snprintf(name, sizeof(name), "job%d", i);
                wire_put_define(&pack, &(struct wire_define){.hash = {{1, (uint64_t)i}},
                                                             .since_rt_us = now.rt_us,
                                                             .since_bt_us = now.bt_us,
                                                             .name = name,
                                                             .when = when,
                                                             .when_size = strlen(when)});
                say(WIRE_DEFINE);
        }
        wire_put_commit(&pack, &(struct wire_commit){.generation = 1, .n_jobs = (uint32_t)jobs});
        say(WIRE_COMMIT);
}

/* How many records of an event are in the journal; takes them all out. */
static int count_records(const char *event) {
        char buf[8192], field[64];
        int n = 0;
        ssize_t size;
        snprintf(field, sizeof(field), "CHIMED_EVENT=%s\n", event);
        while ((size = recv(journald, buf, sizeof(buf) - 1, 0)) >= 0) {
                buf[size] = '\0';
                n += strstr(buf, field) != NULL;
        }
        return n;
}

/* One pass of the scheduler's loop. True if it wants another at once. */
static bool pass(void) {
        int64_t bt_us, rt_us;
        ck_assert_int_ge(loop_run_once(loop, 0), 0);
        ck_assert_int_eq(link_flush(link_), 0);
        link_next_wake(link_, &bt_us, &rt_us);
        if (bt_us > clock_now().bt_us)
                return false;
        ck_assert_int_eq(link_advance(link_), 0);
        return true;
}

static int on_order(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct wire_start start;
        (void)userdata;
        n_acks += type == WIRE_ACK;
        n_kills += type == WIRE_KILL;
        if (type != WIRE_START)
                return 0;
        ck_assert_int_eq(wire_get_start(payload, size, &start), 0);
        ck_assert_uint_eq(start.run, last_run + 1);
        last_run = start.run;
        n_starts++;
        return 0;
}

/* The runner reads one message; false if there is none. */
static bool read_orders(void) {
        static uint8_t buf[CHANNEL_MESSAGE_MAX];
        ssize_t n = recv(runner, buf, sizeof(buf), 0);
        if (n > 0)
                ck_assert_int_eq(channel_split(buf, (size_t)n, on_order, NULL), 0);
        return n > 0;
}

START_TEST(a_runner_that_is_slow_gets_every_start_in_the_end) {
        const int jobs = 30000;
        int passes = 0;
        begin(jobs);
        while (pass())
                ck_assert_int_lt(passes++, 1000); /* and no pass asks for another while it can do nothing */
        for (int idle = 0; idle < 3; idle++)
                for (passes = 0; read_orders() || pass(); idle = 0)
                        ck_assert_int_lt(passes++, 10000);
        ck_assert_uint_eq(n_starts, (uint64_t)jobs);
        ck_assert_int_eq(count_records("failed"), 0);
}
END_TEST

START_TEST(an_end_is_acknowledged_though_starts_wait) {
        begin(30000);
        while (pass())
                ;
        for (uint64_t run = 1; run <= 100; run++) {
                wire_put_ended(&pack, &(struct wire_ended){.run = run, .end = {.result = RUN_RESULT_SUCCESS, .exit_code = 0}});
                say(WIRE_ENDED);
        }
        while (read_orders() || pass())
                ;
        ck_assert_uint_eq(n_acks, 100);
}
END_TEST

START_TEST(what_is_to_end_waits_for_room) {
        enum { JOBS = 50 };
        static char text[CHANNEL_RECORD_MAX / 2];
        begin(JOBS);
        for (int passes = 0; n_starts < JOBS && passes < 10000; passes++)
                if (!read_orders())
                        pass();
        ck_assert_uint_eq(n_starts, JOBS);
        memset(text, 'x', sizeof(text) - 1);
        while (link_describe(link_, 1, text) == 0)
                ;
        while (link_describe(link_, 1, "") == 0)
                ;
        struct clock_sample now;
        ck_assert_int_eq(link_now(link_, &now), 0);
        for (uint32_t job = 0; job < JOBS; job++) {
                uint64_t run;
                ck_assert_int_eq(engine_cancel(link_engine(link_), now, job, true, &run), 1);
        }
        ck_assert_int_eq(link_settle(link_, now), 0);
        pass();
        ck_assert_uint_eq(n_kills, 0);
        for (int passes = 0; n_kills < JOBS && passes < 10000; passes++)
                if (!read_orders())
                        pass();
        ck_assert_uint_eq(n_kills, JOBS);
}
END_TEST

START_TEST(nothing_is_decided_when_the_runner_is_gone) {
        begin(10);
        close(runner);
        runner = -1;
        count_records("ready");
        ck_assert_int_eq(link_advance(link_), 0);
        ck_assert_int_eq(link_flush(link_), 0);
        ck_assert_int_eq(count_records("failed") + count_records("degraded"), 0);
        int64_t bt_us, rt_us;
        link_next_wake(link_, &bt_us, &rt_us);
        ck_assert_int_eq(bt_us, INT64_MAX);
        ck_assert_int_eq(rt_us, INT64_MAX);
}
END_TEST

START_TEST(after_stopping_nothing_is_started) {
        begin(10);
        ck_assert_int_eq(link_handle_record(link_, WIRE_STOPPING, NULL, 0), 0);
        while (pass())
                ;
        while (read_orders())
                ;
        ck_assert_uint_eq(n_starts, 0);
}
END_TEST

START_TEST(a_word_out_of_its_phase_is_refused) {
        wire_put_number(&pack, 1);
        ck_assert_int_lt(link_handle_record(link_, WIRE_COMMITTED, pack.data, pack.size), 0);
        ck_assert_int_lt(link_handle_record(link_, WIRE_ENDED, pack.data, pack.size), 0);
        ck_assert_int_lt(link_handle_record(link_, WIRE_TYPE_MAX, NULL, 0), 0);
        pack_clear(&pack);
        begin(1);
        wire_put_hello(&pack, &(struct wire_hello){.version = WIRE_VERSION});
        ck_assert_int_lt(link_handle_record(link_, WIRE_HELLO, pack.data, pack.size), 0);
}
END_TEST

/* ---- time zones ---- */

#define NOON "OnCalendar=*-*-* 12:00:00\nTimeZone=Town\n"

static const char *zone_path_of_test(void) {
        static char path[128];
        snprintf(path, sizeof(path), "%s/Town", folder);
        setenv("TZDIR", folder, 1);
        return path;
}

/* A zone that is so many hours east for ever. */
static void write_zone(int hours) {
        char data[54] = {'T', 'Z', 'i', 'f', [39] = 1, [43] = 4, [50] = 'T', 'W', 'N', 0};
        int seconds = hours * 3600;
        for (int i = 0; i < 4; i++)
                data[44 + i] = (char)(seconds >> (24 - 8 * i));
        FILE *f = fopen(zone_path_of_test(), "w");
        ck_assert(f && fwrite(data, 1, sizeof(data), f) == sizeof(data) && fclose(f) == 0);
}

static void define_noon(uint64_t generation) {
        struct clock_sample now = clock_now();
        wire_put_define(&pack, &(struct wire_define){.hash = {{2, generation}},
                                                     .since_rt_us = now.rt_us,
                                                     .since_bt_us = now.bt_us,
                                                     .name = "noon",
                                                     .when = NOON,
                                                     .when_size = strlen(NOON)});
        say(WIRE_DEFINE);
        wire_put_commit(&pack, &(struct wire_commit){.generation = generation, .n_jobs = 1});
        say(WIRE_COMMIT);
}

/* The hour of the job's slots in UTC, -1: it has no plan. */
static int hour_of_noon(void) {
        uint32_t job = engine_find_job(link_engine(link_), "noon");
        ck_assert_uint_ne(job, INDEX_NONE);
        const struct job_when *when = engine_plan_when(link_engine(link_), job);
        return when->agenda ? (int)(agenda_next(when->agenda, NULL, 0) / USEC_PER_HOUR % 24) : -1;
}

static void begin_noon(void) {
        wire_put_hello(&pack, &(struct wire_hello){.version = WIRE_VERSION, .next_run = 1, .is_first_of_boot = true});
        say(WIRE_HELLO);
        define_noon(1);
}

START_TEST(a_definition_is_read_with_the_data_of_now) {
        struct job_when when;
        char *description;
        write_zone(1);
        begin_noon();
        ck_assert_int_eq(hour_of_noon(), 11);
        /* as an audit does it */
        ck_assert_int_eq(job_when_parse(NOON, strlen(NOON), link_agendas(link_), &when, &description), 0);
        job_when_done(&when);
        free(description);
        write_zone(2);
        define_noon(2);
        ck_assert_int_eq(hour_of_noon(), 10);
        unlink(zone_path_of_test());
}
END_TEST

START_TEST(a_job_without_its_zone_is_there_all_the_same) {
        zone_path_of_test();
        begin_noon();
        ck_assert_int_eq(hour_of_noon(), -1);
        ck_assert_int_eq(count_records("config-error"), 1);
        write_zone(1);
        define_noon(2);
        ck_assert_int_eq(hour_of_noon(), 11);
        ck_assert_int_eq(count_records("config-error"), 0);
        unlink(zone_path_of_test());
        define_noon(3);
        ck_assert_int_eq(hour_of_noon(), 11);
        ck_assert_int_eq(count_records("config-error"), 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("link");
        TCase *tc = tcase_create("link");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, a_runner_that_is_slow_gets_every_start_in_the_end);
        tcase_add_test(tc, an_end_is_acknowledged_though_starts_wait);
        tcase_add_test(tc, what_is_to_end_waits_for_room);
        tcase_add_test(tc, nothing_is_decided_when_the_runner_is_gone);
        tcase_add_test(tc, after_stopping_nothing_is_started);
        tcase_add_test(tc, a_word_out_of_its_phase_is_refused);
        tcase_add_test(tc, a_definition_is_read_with_the_data_of_now);
        tcase_add_test(tc, a_job_without_its_zone_is_there_all_the_same);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
