// SPDX-License-Identifier: MIT
// The plugin heartbeat as a host sees it.

#include "tests/unit/plugins/fake_host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/run_suite.h"

static char folder[64], touched[96], written[96], address[96];

static void set_up(void) {
        strcpy(folder, "/tmp/chimed-heartbeat.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(touched, sizeof(touched), "%s/touched", folder);
        snprintf(written, sizeof(written), "%s/written", folder);
        snprintf(address, sizeof(address), "%s/socket", folder);
}

static void tear_down(void) {
        unlink(touched);
        unlink(written);
        unlink(address);
        ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(one_beat_goes_to_all_that_are_named) {
        const struct fake_option options[] = {
                {"touch", touched}, {"write", written}, {"send", address}, {"format", "json"}, {}};
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        char sent[1024] = "", found[1024] = "";
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct stat st;

        strcpy(name.sun_path, address);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
        ck_assert_int_eq(fake_load(options), 0);
        for (int i = 0; i < 2; i++) {
                ck_assert_msg(fake_tick()->result == CHIMED_SUCCESS, "%s", fake_run()->message);
                ck_assert_int_gt(recv(fd, sent, sizeof(sent) - 1, 0), 0);
        }
        ck_assert_ptr_nonnull(strstr(sent, "\"slot\":\"1970-01-01T00:00:01.500000Z\",\"run\":2,\"job\":\"fake\",\"host\":\""));
        FILE *f = fopen(written, "r");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_gt(fread(found, 1, sizeof(found) - 1, f), 0);
        fclose(f);
        ck_assert_str_eq(found, sent);
        sent[strlen(sent) - 1] = '\0';
        ck_assert_str_eq(fake_run()->value, sent);
        ck_assert_int_eq(stat(touched, &st), 0);
        ck_assert_int_eq(fake_unload(), 0);
        close(fd);
}
END_TEST

START_TEST(there_is_no_beat_while_another_heart_stands_still) {
        const struct fake_option options[] = {{"touch", touched}, {"watch", written}, {"max-age", "1h"}, {}};
        const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

        ck_assert_int_eq(fake_load(options), 0);
        ck_assert_int_eq(fake_tick()->result, CHIMED_FAILED);
        ck_assert_ptr_nonnull(strstr(fake_run()->message, "written: No such file"));
        close(open(written, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        ck_assert_int_eq(utimensat(AT_FDCWD, written, old, 0), 0);
        ck_assert_int_eq(fake_tick()->result, CHIMED_FAILED);
        ck_assert_ptr_nonnull(strstr(fake_run()->message, "s ago, which is too long"));
        ck_assert_int_lt(access(touched, F_OK), 0);
        ck_assert_int_eq(utimensat(AT_FDCWD, written, NULL, 0), 0);
        ck_assert_int_eq(fake_tick()->result, CHIMED_SUCCESS);
        ck_assert_int_eq(access(touched, F_OK), 0);
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

static const struct {
        const char *option, *value, *message;
} failures[] = {
        {"touch", "/no/such/file", "/no/such/file could not be touched: No such file or directory"},
        {"write", "/no/such/file", "/no/such/file could not be written: No such file or directory"},
        {"send", "/no/such/socket", "the beat could not be sent: No such file or directory"},
        {"send", "@chimed-no-such-socket", "the beat could not be sent: Connection refused"},
};

START_TEST(what_could_not_be_done_is_told) {
        const struct fake_option options[] = {{failures[_i].option, failures[_i].value}, {}};

        ck_assert_int_eq(fake_load(options), 0);
        ck_assert_int_eq(fake_tick()->result, CHIMED_FAILED);
        ck_assert_str_eq(fake_run()->message, failures[_i].message);
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

START_TEST(options_that_make_no_sense_are_told_at_load) {
        const struct fake_option none[] = {{}}, nowhere[] = {{"send", "localhost:53"}, {}};

        ck_assert_int_ne(fake_load(none), 0);
        ck_assert_str_eq(fake_run()->message, "one of the options touch, write, send and watch is needed");
        ck_assert_int_ne(fake_load(nowhere), 0);
        ck_assert_ptr_nonnull(strstr(fake_run()->message, "neither /PATH, @NAME nor udp:ADDRESS:PORT"));
        ck_assert_int_eq(fake_count_bad_options(), 0);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void) {
        Suite *suite = suite_create("heartbeat");
        TCase *c = tcase_create("beats");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_test(c, one_beat_goes_to_all_that_are_named);
        tcase_add_test(c, there_is_no_beat_while_another_heart_stands_still);
        tcase_add_loop_test(c, what_could_not_be_done_is_told, 0, COUNT(failures));
        tcase_add_test(c, options_that_make_no_sense_are_told_at_load);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
