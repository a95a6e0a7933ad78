// SPDX-License-Identifier: MIT
// A scheduler that ends is always heard of, also where its end could not be watched for at once.

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/runner/upkeep.h"
#include "tests/unit/runner/harness.h"
#include "tests/unit/run_suite.h"

static struct loop *loop;
static struct launch_pool *pool;
static struct upkeep *upkeep;
static int n_starts, n_ends;
static char first_end[128];
static int n_to_refuse; /* of a process, before one is watched */

static bool is_process(int fd) {
        char path[64], target[PATH_MAX];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        return strstr(target, "pidfd") != NULL;
}

int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event) {
        if (n_to_refuse > 0 && operation == EPOLL_CTL_ADD && is_process(fd)) {
                n_to_refuse--;
                errno = ENOSPC;
                return -1;
        }
        return (int)syscall(SYS_epoll_ctl, epoll_fd, operation, fd, event);
}

static void on_start(void *userdata) {
        (void)userdata;
        n_starts++;
}

static int on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        (void)userdata, (void)type, (void)payload, (void)size;
        return -EBADMSG;
}

static void on_room(void *userdata) {
        (void)userdata;
}

static void on_end(void *userdata, int64_t delay_us, const char *why) {
        (void)userdata;
        ck_assert_int_lt(delay_us, LOOP_NEVER);
        if (n_ends++ == 0)
                snprintf(first_end, sizeof(first_end), "%s", why);
}

static void begin(void) {
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(launch_pool_new(loop, &(struct launch_settings){.time_us = HARNESS_LIMIT_US}, &pool), 0);
        n_starts = n_ends = n_to_refuse = 0;
}

static void end(void) {
        upkeep_stop(upkeep);
        wait_until(loop, upkeep_is_gone(upkeep));
        upkeep = upkeep_free(upkeep);
        pool = launch_pool_free(pool);
        loop = loop_free(loop);
}

/* With a program that ends at once. */
static void begin_upkeep(void) {
        static const struct upkeep_settings settings = {.program = "/bin/true", .log = "json", .listen_fd = -1, .link_fd = -1};
        static const struct upkeep_callbacks callbacks = {
                .on_start = on_start, .on_record = on_record, .on_room = on_room, .on_end = on_end};
        ck_assert_int_eq(upkeep_new(loop, pool, &settings, &callbacks, NULL, &upkeep), 0);
}

START_TEST(one_that_ends_is_followed_by_the_next) {
        begin_upkeep();
        wait_until(loop, n_starts >= 2);
        ck_assert_str_eq(first_end, "exit status 0");
}
END_TEST

START_TEST(one_that_could_not_be_watched_is_heard_of_all_the_same) {
        n_to_refuse = 2;
        begin_upkeep();
        wait_until(loop, n_starts >= 2);
        ck_assert_int_eq(n_to_refuse, 0);
        ck_assert_str_eq(first_end, "exit status 0");
}
END_TEST

START_TEST(one_that_could_not_be_watched_is_gone_at_a_stop) {
        begin_upkeep();
        n_to_refuse = 2;
        wait_until(loop, n_to_refuse == 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("upkeep");
        TCase *tcase = tcase_create("upkeep");

        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, begin, end);
        tcase_add_test(tcase, one_that_ends_is_followed_by_the_next);
        tcase_add_test(tcase, one_that_could_not_be_watched_is_heard_of_all_the_same);
        tcase_add_test(tcase, one_that_could_not_be_watched_is_gone_at_a_stop);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
