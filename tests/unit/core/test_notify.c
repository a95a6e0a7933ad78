// SPDX-License-Identifier: MIT
// The service manager hears what it is to hear, also one that does not read for a while.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/duration.h"
#include "daemon/core/clock.h"
#include "daemon/core/notify.h"
#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"

#define LIMIT_US (10 * USEC_PER_SEC)

static struct loop *loop;
static struct notify *notify;
static int manager;
static const char *status;

static void print_status(void *userdata, char text[static NOTIFY_STATUS_MAX]) {
        (void)userdata;
        snprintf(text, NOTIFY_STATUS_MAX, "%s", status);
}

static void begin(void) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        socklen_t size = sizeof(name);
        char path[sizeof(name.sun_path) + 1] = "@";

        ck_assert_int_eq(loop_new(&loop), 0);
        manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(bind(manager, (struct sockaddr *)&name, sizeof(sa_family_t)), 0); /* an abstract name of its own */
        ck_assert_int_eq(getsockname(manager, (struct sockaddr *)&name, &size), 0);
        memcpy(path + 1, name.sun_path + 1, size - sizeof(sa_family_t) - 1);
        setenv("NOTIFY_SOCKET", path, 1);
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        status = "at work";
}

static void end(void) {
        notify = notify_free(notify);
        loop = loop_free(loop);
        manager = util_close(manager);
}

/* The next message that comes in time. */
static const char *next_message(void) {
        static char text[1024];
        int64_t limit_bt_us = clock_now().bt_us + LIMIT_US;
        ssize_t n;

        while ((n = recv(manager, text, sizeof(text) - 1, 0)) < 0) {
                ck_assert_int_eq(errno, EAGAIN);
                ck_assert_msg(clock_now().bt_us < limit_bt_us, "nothing comes");
                ck_assert_int_ge(loop_run_once(loop, 50000), 0);
        }
        text[n] = '\0';
        return text;
}

START_TEST(ready_and_status_are_told) {
        ck_assert_int_eq(notify_new(loop, print_status, NULL, &notify), 0);
        notify_ready(notify);
        ck_assert_str_eq(next_message(), "READY=1\nSTATUS=at work\n");
        status = "at rest";
        notify_stopping(notify);
        ck_assert_str_eq(next_message(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=60000000\nSTATUS=at rest\n");
}
END_TEST

START_TEST(the_watchdog_is_fed) {
        setenv("WATCHDOG_USEC", "100000", 1);
        ck_assert_int_eq(notify_new(loop, print_status, NULL, &notify), 0);
        ck_assert_str_eq(next_message(), "WATCHDOG=1\nSTATUS=at work\n");
        for (int i = 0; i < 3; i++)
                ck_assert_str_eq(next_message(), "WATCHDOG=1\n");
}
END_TEST

START_TEST(the_watchdog_of_another_process_is_not_ours) {
        setenv("WATCHDOG_USEC", "1000", 1);
        setenv("WATCHDOG_PID", "1", 1);
        ck_assert_int_eq(notify_new(loop, print_status, NULL, &notify), 0);
        notify_ready(notify);
        ck_assert_str_eq(next_message(), "READY=1\nSTATUS=at work\n");
}
END_TEST

START_TEST(what_is_not_read_is_told_later) {
        int n = 0;

        ck_assert_int_eq(notify_new(loop, print_status, NULL, &notify), 0);
        int filler = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_un name;
        socklen_t size = sizeof(name);
        ck_assert_int_eq(getsockname(manager, (struct sockaddr *)&name, &size), 0);
        while (sendto(filler, "x", 1, 0, (struct sockaddr *)&name, size) == 1)
                n++;
        notify_ready(notify);
        for (; n > 0; n--)
                ck_assert_str_eq(next_message(), "x");
        ck_assert_str_eq(next_message(), "READY=1\nSTATUS=at work\n");
        close(filler);
}
END_TEST

START_TEST(where_nobody_listens_nothing_is_done) {
        unsetenv("NOTIFY_SOCKET");
        ck_assert_int_eq(notify_new(loop, print_status, NULL, &notify), 0);
        ck_assert_ptr_null(notify);
        notify_ready(notify);
        notify_stopping(notify);
        setenv("NOTIFY_SOCKET", "nonsense", 1);
        ck_assert_int_eq(notify_new(loop, print_status, NULL, &notify), 0);
        ck_assert_ptr_null(notify);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("notify");
        TCase *tcase = tcase_create("notify");

        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, begin, end);
        tcase_add_test(tcase, ready_and_status_are_told);
        tcase_add_test(tcase, the_watchdog_is_fed);
        tcase_add_test(tcase, the_watchdog_of_another_process_is_not_ours);
        tcase_add_test(tcase, what_is_not_read_is_told_later);
        tcase_add_test(tcase, where_nobody_listens_nothing_is_done);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
