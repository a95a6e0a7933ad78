// SPDX-License-Identifier: MIT
// Messages with descriptors: what was sent is received, and of any other message no descriptor is left open.

#include <check.h>
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/descriptors.h"
#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"

static int both[2], pipes[8];

static void setup(void) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both), 0);
        for (size_t i = 0; i < ARRAY_SIZE(pipes); i += 2)
                ck_assert_int_eq(pipe2(pipes + i, O_CLOEXEC), 0);
}

static void teardown(void) {
        for (size_t i = 0; i < ARRAY_SIZE(both); i++)
                both[i] = util_close(both[i]);
        for (size_t i = 0; i < ARRAY_SIZE(pipes); i++)
                pipes[i] = util_close(pipes[i]);
}

static size_t count_open(void) {
        DIR *folder = opendir("/proc/self/fd");
        size_t n = 0;

        ck_assert_ptr_nonnull(folder);
        while (readdir(folder))
                n++;
        closedir(folder);
        return n;
}

START_TEST(what_was_sent_is_received) {
        int fds[2];
        uint64_t number = 0;
        char c;

        ck_assert_int_eq(descriptors_send(both[0], &(uint64_t){812}, sizeof(uint64_t), (int[]){pipes[0], pipes[3]}, 2), 0);
        ck_assert_int_eq(descriptors_receive(both[1], &number, sizeof(number), fds, 2), 0);
        ck_assert_uint_eq(number, 812);
        for (int i = 0; i < 2; i++)
                ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(write(pipes[1], "a", 1), 1);
        ck_assert_int_eq(read(fds[0], &c, 1), 1);
        ck_assert_int_eq(c, 'a');
        ck_assert_int_eq(write(fds[1], "b", 1), 1);
        ck_assert_int_eq(read(pipes[2], &c, 1), 1);
        ck_assert_int_eq(c, 'b');
        util_close(fds[0]);
        util_close(fds[1]);
}
END_TEST

START_TEST(nothing_there_and_the_end_are_told_apart) {
        int fds[2];
        uint64_t number;

        ck_assert_int_eq(descriptors_receive(both[1], &number, sizeof(number), fds, 2), -EAGAIN);
        both[0] = util_close(both[0]);
        ck_assert_int_eq(descriptors_receive(both[1], &number, sizeof(number), fds, 2), 1);
        ck_assert_int_eq(descriptors_send(both[1], "x", 1, pipes, 1), -EPIPE);
}
END_TEST

START_TEST(who_does_not_read_blocks_nobody) {
        int r = 0, n = 0;

        while (r == 0 && n++ < 100000)
                r = descriptors_send(both[0], "12345678", 8, pipes, 2);
        ck_assert_msg(r == -EAGAIN || r == -ETOOMANYREFS, "%d", r);
}
END_TEST

/* A whole message is two descriptors with eight bytes. */
static const struct {
        const char *what;
        size_t size, n;
} wrong[] = {
        {"short", 7, 2},
        {"long", 9, 2},
        {"one descriptor", 8, 1},
        {"three descriptors", 8, 3},
        {"more descriptors than any message has", 8, DESCRIPTORS_MAX + 2},
        {"no descriptor", 8, 0},
        {"no bytes", 0, 2},
        {"more of both", 100, DESCRIPTORS_MAX},
};

/* Any number of bytes and descriptors, as somebody else might send them. */
static void send_anything(size_t size, size_t n) {
        char data[100] = {}, control[CMSG_SPACE(sizeof(pipes))] = {};
        struct iovec piece = {.iov_base = data, .iov_len = size};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

        if (n > 0) {
                message.msg_control = control;
                message.msg_controllen = CMSG_SPACE(n * sizeof(int));
                struct cmsghdr *head = CMSG_FIRSTHDR(&message);
                *head = (struct cmsghdr){
                        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int))};
                memcpy(CMSG_DATA(head), pipes, n * sizeof(int));
        }
        ck_assert_int_eq(sendmsg(both[0], &message, 0), (ssize_t)size);
}

START_TEST(of_another_message_nothing_is_kept) {
        size_t n_open = count_open();
        int fds[2] = {-7, -8};
        uint64_t number;

        send_anything(wrong[_i].size, wrong[_i].n);
        int r = descriptors_receive(both[1], &number, sizeof(number), fds, 2);
        ck_assert_msg(r == -EBADMSG, "%s: %d", wrong[_i].what, r);
        ck_assert_msg(fds[0] == -7 && fds[1] == -8, "%s: touched", wrong[_i].what);
        ck_assert_msg(count_open() == n_open, "%s: %zu descriptors, before %zu", wrong[_i].what, count_open(), n_open);
        /* the next one is unharmed */
        ck_assert_int_eq(descriptors_send(both[0], &number, sizeof(number), pipes, 2), 0);
        ck_assert_int_eq(descriptors_receive(both[1], &number, sizeof(number), fds, 2), 0);
        util_close(fds[0]);
        util_close(fds[1]);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("descriptors");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, what_was_sent_is_received);
        tcase_add_test(tcase, nothing_there_and_the_end_are_told_apart);
        tcase_add_test(tcase, who_does_not_read_blocks_nobody);
        tcase_add_loop_test(tcase, of_another_message_nothing_is_kept, 0, ARRAY_SIZE(wrong));
        Suite *suite = suite_create("descriptors");
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
