// SPDX-License-Identifier: MIT
// The plugin memsample as a host sees it.

#include "tests/unit/plugins/fake_host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/run_suite.h"

static char file[64], pid[16];

static void set_up(void) {
        strcpy(file, "/tmp/chimed-memsample.XXXXXX");
        int fd = mkstemp(file);
        ck_assert_int_ge(fd, 0);
        close(fd);
        snprintf(pid, sizeof(pid), "%d", (int)getpid());
}

static void tear_down(void) {
        unlink(file);
}

/* Lines of the file that begin with these bytes. */
static int count_lines(const char *beginning) {
        char line[512];
        FILE *f = fopen(file, "r");
        int n = 0;

        while (fgets(line, sizeof(line), f))
                n += strncmp(line, beginning, strlen(beginning)) == 0;
        fclose(f);
        return n;
}

START_TEST(each_sample_is_a_value_and_a_line) {
        const struct fake_option options[] = {{"pid", pid}, {"file", file}, {}};

        ck_assert_int_eq(fake_load(options), 0);
        for (int i = 0; i < 3; i++) {
                ck_assert_msg(fake_tick()->result == CHIMED_SUCCESS, "%s", fake_run()->message);
                ck_assert_ptr_eq(strstr(fake_run()->value, "{\"processes\":1,"), fake_run()->value);
        }
        ck_assert_int_eq(count_lines("time,processes,"), 1);
        ck_assert_int_eq(count_lines("2"), 3);
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

START_TEST(all_of_a_name_are_one_sample) {
        const struct fake_option options[] = {{"name", "test_memsample"}, {"format", "pairs"}, {"pss", "no"}, {}};

        ck_assert_int_eq(fake_load(options), 0);
        ck_assert_int_eq(fake_tick()->result, CHIMED_SUCCESS);
        ck_assert_ptr_eq(strstr(fake_run()->value, "processes="), fake_run()->value);
        ck_assert_ptr_null(strstr(fake_run()->value, "pss_bytes"));
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

static const struct {
        const char *option, *value, *missing;
        int result;
        const char *message;
} nothing[] = {
        {"pid", "4194304", "fail", CHIMED_FAILED, "4194304: there is no such process"},
        {"pid", "4194304", "skip", CHIMED_SKIPPED, ""},
        {"name", "no such name", "fail", CHIMED_FAILED, "no such name: there is no such process"},
        {"exe", "/no/such", "skip", CHIMED_SKIPPED, ""},
        {"pid-file", "/no/such", "fail", CHIMED_FAILED, "/no/such: there is no such process"},
        {"pid-file", "/etc/passwd", "skip", CHIMED_FAILED, "/etc/passwd: there is no process number in it"},
        {"cgroup", "/no/such", "fail", CHIMED_FAILED, "/no/such: there is no such cgroup"},
        {"cgroup", "no/such", "skip", CHIMED_SKIPPED, ""},
        {"cgroup", "/tmp", "skip", CHIMED_FAILED, "/tmp: this is no cgroup of version 2"},
};

START_TEST(what_is_not_there_fails_or_is_skipped) {
        const struct fake_option options[] = {{nothing[_i].option, nothing[_i].value}, {"missing", nothing[_i].missing}, {}};

        ck_assert_int_eq(fake_load(options), 0);
        int result = fake_tick()->result;
        ck_assert_msg(result == nothing[_i].result, "%s: %d %s", nothing[_i].value, result, fake_run()->message);
        ck_assert_str_eq(fake_run()->message, nothing[_i].message);
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_fails_the_sample) {
        const struct fake_option options[] = {{"pid", pid}, {"file", "/no/such/file"}, {}};

        ck_assert_int_eq(fake_load(options), 0);
        ck_assert_int_eq(fake_tick()->result, CHIMED_FAILED);
        ck_assert_str_eq(fake_run()->message, "/no/such/file could not be opened: No such file or directory");
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

START_TEST(there_is_one_target) {
        const struct fake_option none[] = {{}}, two[] = {{"pid", pid}, {"name", "x"}, {}};

        ck_assert_int_ne(fake_load(none), 0);
        ck_assert_str_eq(fake_run()->message, "exactly one of the options pid, pid-file, name, exe and cgroup is needed");
        ck_assert_int_ne(fake_load(two), 0);
        ck_assert_int_eq(fake_count_bad_options(), 0);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void) {
        Suite *suite = suite_create("memsample");
        TCase *c = tcase_create("samples");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_test(c, each_sample_is_a_value_and_a_line);
        tcase_add_test(c, all_of_a_name_are_one_sample);
        tcase_add_loop_test(c, what_is_not_there_fails_or_is_skipped, 0, COUNT(nothing));
        tcase_add_test(c, a_file_that_cannot_be_written_fails_the_sample);
        tcase_add_test(c, there_is_one_target);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
