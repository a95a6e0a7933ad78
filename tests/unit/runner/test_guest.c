// SPDX-License-Identifier: MIT
// Schedulers that somebody else starts are served one after the other, and only those of the right user.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/core/descriptors.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "daemon/runner/upkeep.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/runner/harness.h"

#define RECORD 7
#define GUESTS 3

static struct loop *loop;
static struct launch_pool *pool;
static struct upkeep *upkeep;
static int listen_fd;
static int guests[GUESTS]; /* their ends */
static struct wire_welcome welcomes[GUESTS];
static int n_starts, n_ends, n_records;
static int64_t last_delay_us;
static char last_end[128];
static int64_t first_word_us;

static void on_start(void *userdata) {
        (void)userdata;
        n_starts++;
}

static int on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        (void)userdata, (void)payload, (void)size;
        ck_assert_int_eq(n_starts, n_ends + 1); /* nobody is heard before the one before has gone */
        n_records += type == RECORD;
        return type == RECORD || type == WIRE_COMMITTED ? 0 : -EBADMSG;
}

static void on_room(void *userdata) {
        (void)userdata;
}

static void on_end(void *userdata, int64_t delay_us, const char *why) {
        (void)userdata;
        n_ends++;
        last_delay_us = delay_us;
        snprintf(last_end, sizeof(last_end), "%s", why);
}

static void begin(void) {
        struct sockaddr_un any = {.sun_family = AF_UNIX};

        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(launch_pool_new(loop, &(struct launch_settings){.time_us = HARNESS_LIMIT_US}, &pool), 0);
        listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(bind(listen_fd, (struct sockaddr *)&any, sizeof(sa_family_t)), 0); /* an abstract name of its own */
        ck_assert_int_eq(listen(listen_fd, 16), 0);
        n_starts = n_ends = n_records = 0;
        first_word_us = HARNESS_LIMIT_US;
        for (size_t i = 0; i < GUESTS; i++)
                guests[i] = -1;
}

static void end(void) {
        upkeep_stop(upkeep);
        wait_until(loop, upkeep_is_gone(upkeep));
        upkeep = upkeep_free(upkeep);
        for (size_t i = 0; i < GUESTS; i++)
                guests[i] = util_close(guests[i]);
        listen_fd = util_close(listen_fd);
        pool = launch_pool_free(pool);
        loop = loop_free(loop);
}

static void begin_upkeep(uid_t uid) {
        static const struct upkeep_callbacks callbacks = {
                .on_start = on_start, .on_record = on_record, .on_room = on_room, .on_end = on_end};
        const struct upkeep_settings settings = {.program = "/bin/true",
                                                 .log = "json",
                                                 .has_identity = true,
                                                 .uid = uid,
                                                 .has_admins = true,
                                                 .admin_gid = 4711,
                                                 .listen_fd = -1,
                                                 .link_fd = listen_fd,
                                                 .first_word_us = first_word_us};

        ck_assert_int_eq(upkeep_new(loop, pool, &settings, &callbacks, NULL, &upkeep), 0);
}

static void come(size_t i) {
        struct sockaddr_un name;
        socklen_t size = sizeof(name);

        guests[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(getsockname(listen_fd, (struct sockaddr *)&name, &size), 0);
        ck_assert_int_eq(connect(guests[i], (struct sockaddr *)&name, size), 0);
}

static int receive_welcome(size_t i) {
        int fds[2];
        int r = descriptors_receive(guests[i], &welcomes[i], sizeof(welcomes[i]), fds, 2);

        for (size_t k = 0; r == 0 && k < 2; k++)
                util_close(fds[k]);
        return r;
}

static bool has_end(size_t i) {
        char c;
        return recv(guests[i], &c, 1, MSG_DONTWAIT) == 0;
}

START_TEST(one_is_welcome) {
        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_starts == 1);
        ck_assert_int_eq(receive_welcome(0), 0);
        ck_assert_uint_eq(welcomes[0].version, WIRE_VERSION);
        ck_assert_uint_eq(welcomes[0].admin_gid, 4711);
        ck_assert(!upkeep_is_idle(upkeep));
}
END_TEST

START_TEST(one_of_another_user_is_not) {
        begin_upkeep(getuid() + 1);
        come(0);
        wait_until(loop, has_end(0));
        ck_assert_int_eq(n_starts, 0);
        ck_assert(upkeep_is_idle(upkeep));
}
END_TEST

START_TEST(a_second_waits_until_all_is_heard_of_the_first) {
        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_starts == 1);
        come(1);
        for (int i = 0; i < 5; i++)
                ck_assert_int_eq(channel_send_alone(guests[0], RECORD, "x", 1), 0);
        for (int i = 0; i < 10; i++)
                loop_run_once(loop, 0);
        ck_assert_int_eq(receive_welcome(1), -EAGAIN);
        for (int i = 0; i < 5; i++)
                ck_assert_int_eq(channel_send_alone(guests[0], RECORD, "x", 1), 0);
        guests[0] = util_close(guests[0]);
        wait_until(loop, n_starts == 2);
        ck_assert_int_eq(n_records, 10);
        ck_assert_int_eq(n_ends, 1);
        ck_assert_str_eq(last_end, ""); /* as it wished */
        ck_assert_int_eq(receive_welcome(1), 0);
}
END_TEST

START_TEST(one_that_has_gone_while_it_waited_is_passed_over) {
        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_starts == 1);
        come(1);
        come(2);
        guests[1] = util_close(guests[1]);
        guests[0] = util_close(guests[0]);
        wait_until(loop, receive_welcome(2) == 0);
}
END_TEST

START_TEST(one_that_speaks_nonsense_is_heard_no_more) {
        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_starts == 1);
        ck_assert_int_eq(receive_welcome(0), 0);
        ck_assert_int_eq(channel_send_alone(guests[0], RECORD + 1, "x", 1), 0);
        wait_until(loop, n_ends == 1);
        ck_assert(has_end(0));
        ck_assert_ptr_nonnull(strstr(last_end, strerror(EBADMSG)));
}
END_TEST

static void come_and_speak(size_t i, uint8_t type) {
        int n = n_starts;

        come(i);
        wait_until(loop, n_starts == n + 1);
        ck_assert_int_eq(channel_send_alone(guests[i], type, "x", 1), 0);
        guests[i] = util_close(guests[i]);
        wait_until(loop, n_ends == n + 1);
}

START_TEST(the_next_has_to_wait_where_they_speak_nonsense) {
        begin_upkeep(getuid());
        for (size_t i = 0; i < GUESTS; i++) {
                come_and_speak(i, RECORD + 1);
                ck_assert_int_eq(last_delay_us, i == 0 ? 0 : UPKEEP_BACKOFF_MIN << (i - 1));
        }
}
END_TEST

START_TEST(the_next_has_to_wait_where_they_leave_before_they_have_committed) {
        begin_upkeep(getuid());
        for (size_t i = 0; i < GUESTS; i++) {
                come_and_speak(i, RECORD);
                ck_assert_int_eq(last_delay_us, i == 0 ? 0 : UPKEEP_BACKOFF_MIN << (i - 1));
        }
}
END_TEST

START_TEST(who_leaves_in_order_is_followed_at_once) {
        begin_upkeep(getuid());
        for (size_t i = 0; i < GUESTS; i++) {
                come_and_speak(i, WIRE_COMMITTED);
                ck_assert_int_eq(last_delay_us, 0);
        }
}
END_TEST

START_TEST(one_that_says_nothing_makes_room) {
        first_word_us = USEC_PER_MSEC;
        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_ends == 1);
        ck_assert_str_eq(last_end, "it says nothing");
        ck_assert_int_eq(receive_welcome(0), 0);
        ck_assert(has_end(0));
}
END_TEST

START_TEST(one_that_has_spoken_stays) {
        first_word_us = USEC_PER_MSEC;
        begin_upkeep(getuid());
        come(0);
        ck_assert_int_eq(channel_send_alone(guests[0], RECORD, "x", 1), 0);
        for (int i = 0; i < 10; i++)
                loop_run_once(loop, first_word_us);
        ck_assert_int_eq(n_ends, 0);
}
END_TEST

START_TEST(one_is_asked_to_leave_and_none_comes_before_the_release) {
        uint8_t message[64];

        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_starts == 1);
        ck_assert_int_eq(receive_welcome(0), 0);
        upkeep_hold(upkeep);
        upkeep_flush(upkeep);
        ck_assert_int_gt(recv(guests[0], message, sizeof(message), MSG_DONTWAIT), 8);
        ck_assert_uint_eq(message[8], WIRE_LEAVE);
        come(1);
        guests[0] = util_close(guests[0]);
        wait_until(loop, n_ends == 1);
        ck_assert(last_delay_us == LOOP_NEVER);
        for (int i = 0; i < 10; i++)
                loop_run_once(loop, 0);
        ck_assert_int_eq(receive_welcome(1), -EAGAIN);
        upkeep_release(upkeep);
        wait_until(loop, receive_welcome(1) == 0);
}
END_TEST

START_TEST(one_that_does_not_leave_is_heard_no_more) {
        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_starts == 1);
        ck_assert_int_eq(receive_welcome(0), 0);
        ck_assert_int_eq(channel_send_alone(guests[0], RECORD, "x", 1), 0);
        upkeep_kill(upkeep);
        wait_until(loop, n_ends == 1);
        ck_assert_int_eq(n_records, 1); /* what it had said */
        ck_assert(has_end(0));
}
END_TEST

START_TEST(one_that_leaves_before_it_is_not_heard_has_ended_once) {
        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_starts == 1);
        ck_assert(!upkeep_begin_own(upkeep)); /* not while it is there */
        upkeep_kill(upkeep);
        guests[0] = util_close(guests[0]);
        wait_until(loop, n_ends >= 1);
        for (int i = 0; i < 10; i++)
                loop_run_once(loop, 0);
        ck_assert_int_eq(n_ends, 1);
}
END_TEST

START_TEST(where_none_is_there_we_can_start_one) {
        begin_upkeep(getuid());
        ck_assert(upkeep_begin_own(upkeep));
        wait_until(loop, n_ends >= 1);
        ck_assert_str_eq(last_end, "exit status 0");
        come(0);
        for (int i = 0; i < 10; i++)
                loop_run_once(loop, 0);
        ck_assert_int_eq(receive_welcome(0), -EAGAIN);
}
END_TEST

START_TEST(where_one_has_not_committed_we_can_start_one) {
        begin_upkeep(getuid());
        come(0);
        wait_until(loop, n_starts == 1);
        upkeep_begin_own(upkeep);
        wait_until(loop, n_ends == 1);
        ck_assert_int_eq(receive_welcome(0), 0);
        ck_assert(has_end(0));
        upkeep_begin_own(upkeep);
        wait_until(loop, n_ends == 2);
        ck_assert_str_eq(last_end, "exit status 0");
}
END_TEST

START_TEST(where_one_has_committed_it_stays) {
        begin_upkeep(getuid());
        come(0);
        ck_assert_int_eq(channel_send_alone(guests[0], WIRE_COMMITTED, "x", 1), 0);
        ck_assert_int_eq(channel_send_alone(guests[0], RECORD, "x", 1), 0);
        wait_until(loop, n_records == 1);
        upkeep_begin_own(upkeep);
        for (int i = 0; i < 10; i++)
                loop_run_once(loop, 0);
        ck_assert_int_eq(n_ends, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("guest");
        TCase *tcase = tcase_create("guest");

        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, begin, end);
        tcase_add_test(tcase, one_is_welcome);
        tcase_add_test(tcase, one_of_another_user_is_not);
        tcase_add_test(tcase, a_second_waits_until_all_is_heard_of_the_first);
        tcase_add_test(tcase, one_that_has_gone_while_it_waited_is_passed_over);
        tcase_add_test(tcase, one_that_speaks_nonsense_is_heard_no_more);
        tcase_add_test(tcase, one_is_asked_to_leave_and_none_comes_before_the_release);
        tcase_add_test(tcase, one_that_does_not_leave_is_heard_no_more);
        tcase_add_test(tcase, one_that_leaves_before_it_is_not_heard_has_ended_once);
        tcase_add_test(tcase, the_next_has_to_wait_where_they_speak_nonsense);
        tcase_add_test(tcase, the_next_has_to_wait_where_they_leave_before_they_have_committed);
        tcase_add_test(tcase, who_leaves_in_order_is_followed_at_once);
        tcase_add_test(tcase, one_that_says_nothing_makes_room);
        tcase_add_test(tcase, one_that_has_spoken_stays);
        tcase_add_test(tcase, where_none_is_there_we_can_start_one);
        tcase_add_test(tcase, where_one_has_not_committed_we_can_start_one);
        tcase_add_test(tcase, where_one_has_committed_it_stays);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
