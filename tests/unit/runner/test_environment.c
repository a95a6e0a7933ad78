// SPDX-License-Identifier: MIT
// A job's environment, and EnvironmentFile= in systemd's syntax.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/runner/environment.h"
#include "tests/unit/run_suite.h"

static const struct {
        const char *text;
        int result;
        const char *expected; /* the list, joined by '|' */
} texts[] = {
        {"", 0, ""},
        {"A=1", 0, "A=1"},
        {"A=1\nB=2\n", 0, "A=1|B=2"},
        {"A=1\nA=2\n", 0, "A=2"},
        {"# A=1\n; B=2\n\n  \nC=3\n", 0, "C=3"},
        {"A=\n", 0, "A="},
        {"  A = b c  \n", 0, "A=b c"},
        {"A=\"b  \"  \n", 0, "A=b  "},
        {"A='x \"y\" \\n'\n", 0, "A=x \"y\" \\n"},
        {"A=\"x \\\"y\\\" \\$Z \\q\"\n", 0, "A=x \"y\" $Z \\q"},
        {"A=one\\\ntwo\n", 0, "A=onetwo"},
        {"A=\"one\\\ntwo\nthree\"\nB=2\n", 0, "A=onetwo\nthree|B=2"},
        {"A=b\\ c\\\\\n", 0, "A=b c\\"},
        {"A=a'b c'\"d e\"f\n", 0, "A=ab cd ef"},
        {"A=x=y\n", 0, "A=x=y"},
        {"A=1\r\nB=2\r\n", 0, "A=1|B=2"},
        {"no assignment\nA=1\n", 0, "A=1"},
        {"1A=1\nA-B=2\n=3\nB=4\n", 0, "B=4"},
        {"export A=1\nB=2\n", 0, "B=2"},
        {"A=\"not closed\nB=2\n", -EINVAL, NULL},
        {"A='not closed", -EINVAL, NULL},
        {"A=\\", 0, "A=\\"},
        {"A=\xff\xfe\n", 0, "A=\xff\xfe"},
};

static void join(const struct environment *e, char *buffer, size_t size) {
        buffer[0] = '\0';
        for (size_t i = 0; i < e->n; i++)
                snprintf(buffer + strlen(buffer), size - strlen(buffer), "%s%s", i > 0 ? "|" : "", e->list[i]);
}

START_TEST(a_text_is_read_as_systemd_reads_it) {
        struct environment e = {};
        char joined[1024];
        int r = environment_parse(&e, texts[_i].text, strlen(texts[_i].text));

        ck_assert_msg(r == texts[_i].result, "row %d: result %d instead of %d", _i, r, texts[_i].result);
        join(&e, joined, sizeof(joined));
        ck_assert_msg(r < 0 || strcmp(joined, texts[_i].expected) == 0, "row %d: <%s> instead of <%s>", _i, joined,
                      texts[_i].expected);
        environment_done(&e);
}
END_TEST

START_TEST(a_nul_byte_is_refused) {
        struct environment e = {};
        ck_assert_int_eq(environment_parse(&e, "A=1\0B=2\n", 8), -EINVAL);
        environment_done(&e);
}
END_TEST

START_TEST(too_many_variables_are_refused) {
        struct environment e = {};
        char name[32];
        int r = 0;

        for (int i = 0; i <= ENVIRONMENT_MAX && r == 0; i++) {
                snprintf(name, sizeof(name), "V%d", i);
                r = environment_set_value(&e, name, "x");
        }
        ck_assert_int_eq(r, -E2BIG);
        ck_assert_uint_eq(e.n, ENVIRONMENT_MAX);
        environment_done(&e);
}
END_TEST

static char folder[64];

static void make_folder(void) {
        strcpy(folder, "/tmp/test-environment-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
}

static char *path_of(const char *name) {
        static char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return path;
}

static void write_file(const char *name, const char *text, size_t size) {
        FILE *file = fopen(path_of(name), "w");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(text, 1, size, file), size);
        fclose(file);
}

START_TEST(only_a_bounded_regular_file_is_read) {
        static char big[ENVIRONMENT_FILE_MAX + 1];
        struct environment e = {};

        make_folder();
        memset(big, '#', sizeof(big));
        write_file("big", big, sizeof(big));
        write_file("full", big, ENVIRONMENT_FILE_MAX);
        ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
        ck_assert_int_eq(environment_read_file(&e, path_of("big")), -EFBIG);
        ck_assert_int_eq(environment_read_file(&e, path_of("full")), 0);
        ck_assert_int_eq(environment_read_file(&e, path_of("fifo")), -EINVAL);
        ck_assert_int_eq(environment_read_file(&e, path_of("absent")), -ENOENT);
        ck_assert_int_eq(environment_read_file(&e, "/dev/zero"), -EINVAL);
        ck_assert_int_eq(environment_read_file(&e, folder), -EINVAL);
        ck_assert_uint_eq(e.n, 0);
        unlink(path_of("big"));
        unlink(path_of("full"));
        unlink(path_of("fifo"));
        rmdir(folder);
}
END_TEST

/* To open a device may already do things: what is no regular file is not opened. */
START_TEST(what_is_no_regular_file_is_not_opened) {
        struct environment e = {};
        char event[256];

        make_folder();
        ck_assert_int_eq(mkfifo(path_of("fifo"), 0644), 0);
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        ck_assert_int_ge(inotify_add_watch(fd, path_of("fifo"), IN_OPEN), 0);
        ck_assert_int_eq(environment_read_file(&e, path_of("fifo")), -EINVAL);
        ck_assert_int_lt(read(fd, event, sizeof(event)), 0);
        ck_assert_int_eq(errno, EAGAIN);
        close(fd);
        unlink(path_of("fifo"));
        rmdir(folder);
}
END_TEST

/* The words, and what comes of A=own, B_1=own of the job with those of chimed below. */
static const struct {
        const char *words[4];
        const char *expected;
} passes[] = {
        {{NULL}, "A=own|B_1=own"},
        {{"C"}, "A=own|B_1=own|C=c"},
        {{"A"}, "A=a|B_1=own"},
        {{"B", "D_"}, "A=own|B_1=own"},
        {{"B_*"}, "A=own|B_1=own|B_2=b2"},
        {{"B_1", "B_*"}, "A=own|B_1=b1|B_2=b2"},
        {{"B_*", "B_1"}, "A=own|B_1=b1|B_2=b2"},
        {{"*"}, "A=own|B_1=own|B_2=b2|C=c|LISTEN_ADDRESS=x"},
        {{"LISTEN_*", "E"}, "A=own|B_1=own|LISTEN_ADDRESS=x"},
};

START_TEST(what_is_named_is_passed_and_a_pattern_replaces_nothing) {
        static const char *const from[] = {"A=a",
                                           "B_1=b1",
                                           "B_2=b2",
                                           "C=c",
                                           "CHIMED_JOB=x",
                                           "LISTEN_FDS=3",
                                           "LISTEN_ADDRESS=x",
                                           "NOTIFY_SOCKET=/x",
                                           "WATCHDOG_USEC=1",
                                           NULL};
        struct environment e = {};
        char joined[1024];

        ck_assert(environment_set(&e, "A=own") == 0 && environment_set(&e, "B_1=own") == 0);
        ck_assert_int_eq(environment_pass(&e, (char *const *)passes[_i].words, (char *const *)from), 0);
        join(&e, joined, sizeof(joined));
        ck_assert_msg(strcmp(joined, passes[_i].expected) == 0, "row %d: <%s>", _i, joined);
        ck_assert_int_eq(environment_pass(&e, NULL, (char *const *)from), 0);
        environment_done(&e);
}
END_TEST

START_TEST(the_later_one_wins_and_ours_cannot_be_overridden) {
        char path[128], optional[] = "-/nonexistent/file", lang[] = "LANG=C", home[] = "HOME=/h", mine[] = "CHIMED_JOB=x",
                        set_lang[] = "LANG=de", evil[] = "CHIMED_JOB=y";
        char *files[] = {optional, path, NULL}, *set[] = {set_lang, evil, NULL}, *base[] = {home, lang, NULL},
             *fixed[] = {mine, NULL};
        struct job_what what = {.environment = set, .environment_files = files};
        struct environment e = {};
        char joined[256];

        make_folder();
        write_file("env", "HOME=/file\nLANG=fr\nCHIMED_JOB=z\n", 32);
        snprintf(path, sizeof(path), "%s", path_of("env"));
        ck_assert_int_eq(environment_build(&e, base, &what, fixed), 0);
        join(&e, joined, sizeof(joined));
        ck_assert_str_eq(joined, "HOME=/file|LANG=de|CHIMED_JOB=x");
        ck_assert_str_eq(environment_get(&e, "LANG"), "de");
        ck_assert_ptr_null(environment_get(&e, "LAN"));
        environment_done(&e);
        files[0] = optional + 1;
        ck_assert_int_eq(environment_build(&e, base, &what, fixed), -ENOENT);
        environment_done(&e);
        unlink(path);
        rmdir(folder);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("environment");
        TCase *tcase = tcase_create("environment");

        tcase_add_loop_test(tcase, a_text_is_read_as_systemd_reads_it, 0, sizeof(texts) / sizeof(texts[0]));
        tcase_add_test(tcase, a_nul_byte_is_refused);
        tcase_add_test(tcase, too_many_variables_are_refused);
        tcase_add_test(tcase, only_a_bounded_regular_file_is_read);
        tcase_add_test(tcase, what_is_no_regular_file_is_not_opened);
        tcase_add_loop_test(tcase, what_is_named_is_passed_and_a_pattern_replaces_nothing, 0,
                            sizeof(passes) / sizeof(passes[0]));
        tcase_add_test(tcase, the_later_one_wins_and_ours_cannot_be_overridden);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
