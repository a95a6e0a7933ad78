// SPDX-License-Identifier: MIT
// Files that plugins write: lines with rotation and what power cuts leave of them, files that are touched and replaced.

#include "daemon/plugins/csv_file.h"
#include "daemon/plugins/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/run_suite.h"

#define HEADER "time,value"

static char folder[64], path[128];
static struct csv_file csv;

static void set_up(void) {
        strcpy(folder, "/tmp/chimed-csv.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/f", folder);
        csv = (struct csv_file){.path = path, .header = HEADER, .size_max = CSV_SIZE_MIN, .keep = 2};
}

static void tear_down(void) {
        static const char *const names[] = {"f", "f.1", "f.2", "f.3", "f.new", "target"};
        char name[160];

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
                if (unlink(name) < 0)
                        (void)rmdir(name);
        }
        ck_assert_int_eq(rmdir(folder), 0);
}

static const char *name_of(const char *suffix) {
        static char name[160];

        snprintf(name, sizeof(name), "%s%s", path, suffix);
        return name;
}

static void put(const char *text) {
        FILE *f = fopen(path, "w");

        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(text, 1, strlen(text), f), strlen(text));
        fclose(f);
}

static const char *content(const char *suffix) {
        static char text[16384];
        FILE *f = fopen(name_of(suffix), "r");

        if (!f)
                return NULL;
        text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
        fclose(f);
        return text;
}

static void append(const char *line) {
        enum csv_step step = CSV_OPEN;
        int r = csv_append(&csv, line, &step);

        ck_assert_msg(r == 0, "%s: %s", csv_step_to_string(step), strerror(-r));
}

static void assert_refused(int wanted_error, enum csv_step wanted_step) {
        enum csv_step step = CSV_OPEN;
        int r = csv_append(&csv, "1,1", &step);

        ck_assert_int_eq(r, wanted_error);
        ck_assert_int_eq(step, wanted_step);
}

static const struct {
        const char *before, *after, *old; /* old: what was renamed to f.1 */
} befores[] = {
        {NULL, HEADER "\n1,2\n", NULL},
        {"", HEADER "\n1,2\n", NULL},
        {HEADER "\n", HEADER "\n1,2\n", NULL},
        {HEADER "\n0,1\n", HEADER "\n0,1\n1,2\n", NULL},
        {HEADER "\n0,1\n5,", HEADER "\n0,1\n1,2\n", NULL}, /* a torn line */
        {HEADER "\n5", HEADER "\n1,2\n", NULL},
        {HEADER, HEADER "\n1,2\n", NULL}, /* a torn header */
        {"tim", HEADER "\n1,2\n", NULL},
        {"time,other\n0,1\n", HEADER "\n1,2\n", "time,other\n0,1\n"}, /* other columns */
        {"time,values\n0,1", HEADER "\n1,2\n", "time,values\n0,1"},
};

START_TEST(a_line_is_added_to_whatever_was_left) {
        if (befores[_i].before)
                put(befores[_i].before);
        append("1,2");
        ck_assert_str_eq(content(""), befores[_i].after);
        const char *old = content(".1");
        if (befores[_i].old)
                ck_assert_str_eq(old, befores[_i].old);
        else
                ck_assert_ptr_null(old);
}
END_TEST

static const char *const foreign[] = {"root:x:0:0\n", "x", "Time,value\n", "\n", "timer\n"};

START_TEST(a_file_of_somebody_else_stays_as_it_is) {
        put(foreign[_i]);
        csv.keep = 0;
        assert_refused(-EEXIST, CSV_FOREIGN);
        ck_assert_str_eq(content(""), foreign[_i]);
}
END_TEST

START_TEST(a_full_file_is_renamed_and_the_oldest_goes) {
        char line[1200];

        memset(line, 'x', sizeof(line) - 1);
        line[sizeof(line) - 1] = '\0';
        for (char c = 'a'; c < 'a' + 12; c++) { /* three a file */
                line[0] = c;
                append(line);
        }
        ck_assert_int_eq(content("")[strlen(HEADER) + 1], 'j');
        ck_assert_int_eq(content(".1")[strlen(HEADER) + 1], 'g');
        ck_assert_int_eq(content(".2")[strlen(HEADER) + 1], 'd');
        ck_assert_ptr_null(content(".3"));
        ck_assert_uint_le(strlen(content(".1")), CSV_SIZE_MIN);
}
END_TEST

START_TEST(without_old_files_the_full_one_is_begun_anew) {
        char line[2500];

        memset(line, 'x', sizeof(line) - 1);
        line[sizeof(line) - 1] = '\0';
        csv.keep = 0;
        append(line);
        append(line);
        ck_assert_uint_eq(strlen(content("")), strlen(HEADER) + 1 + strlen(line) + 1);
        ck_assert_ptr_null(content(".1"));
}
END_TEST

START_TEST(only_a_regular_file_is_written) {
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        assert_refused(-EINVAL, CSV_OPEN);
        unlink(path);
        ck_assert_int_eq(symlink("target", path), 0);
        assert_refused(-ELOOP, CSV_OPEN);
        unlink(path);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        assert_refused(-EISDIR, CSV_OPEN);
}
END_TEST

START_TEST(what_could_not_be_renamed_is_told) {
        put("time,other\n");
        ck_assert_int_eq(mkdir(name_of(".2"), 0700), 0);
        ck_assert_int_eq(close(open(name_of(".1"), O_CREAT | O_WRONLY, 0600)), 0);
        assert_refused(-EISDIR, CSV_ROTATE);
        ck_assert_str_eq(content(""), "time,other\n");
}
END_TEST

START_TEST(a_line_that_was_written_in_part_is_taken_back) {
        const struct rlimit limit = {25, RLIM_INFINITY};

        append("1,2");
        append("3,4");
        ck_assert_ptr_ne(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        enum csv_step step = CSV_OPEN;
        ck_assert_int_eq(csv_append(&csv, "12345678,9", &step), -ENOSPC);
        ck_assert_int_eq(step, CSV_WRITE);
        ck_assert_str_eq(content(""), HEADER "\n1,2\n3,4\n");
}
END_TEST

START_TEST(a_file_is_replaced_whole) {
        ck_assert_int_eq(file_replace(path, "one\n", 4), 0);
        put("x");
        ck_assert_int_eq(symlink("target", name_of(".new")), 0); /* somebody's trap, or a rest */
        ck_assert_int_eq(file_replace(path, "two\n", 4), 0);
        ck_assert_str_eq(content(""), "two\n");
        ck_assert_ptr_null(content(".new"));
        ck_assert_int_eq(file_replace("/proc/no/such", "x", 1), -ENOENT);
}
END_TEST

START_TEST(a_touched_file_is_young) {
        const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
        struct timespec now;
        int64_t age_us;

        ck_assert_int_eq(file_age(path, 0, &age_us), -ENOENT);
        ck_assert_int_eq(file_touch(path), 0);
        ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
        ck_assert_int_eq(file_age(path, 1003 * INT64_C(1000000), &age_us), 0);
        ck_assert_int_eq(age_us, 3000000);
        ck_assert_int_eq(file_touch(path), 0);
        clock_gettime(CLOCK_REALTIME, &now);
        ck_assert_int_eq(file_age(path, now.tv_sec * INT64_C(1000000), &age_us), 0);
        ck_assert_int_lt(age_us, 60 * 1000000);
        unlink(path);
        ck_assert_int_eq(mkfifo(path, 0600), 0); /* nobody reads it */
        ck_assert_int_eq(file_touch(path), -ENXIO);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void) {
        Suite *suite = suite_create("csv_file");
        TCase *c = tcase_create("files");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_loop_test(c, a_line_is_added_to_whatever_was_left, 0, COUNT(befores));
        tcase_add_loop_test(c, a_file_of_somebody_else_stays_as_it_is, 0, COUNT(foreign));
        tcase_add_test(c, a_full_file_is_renamed_and_the_oldest_goes);
        tcase_add_test(c, without_old_files_the_full_one_is_begun_anew);
        tcase_add_test(c, only_a_regular_file_is_written);
        tcase_add_test(c, what_could_not_be_renamed_is_told);
        tcase_add_test(c, a_line_that_was_written_in_part_is_taken_back);
        tcase_add_test(c, a_file_is_replaced_whole);
        tcase_add_test(c, a_touched_file_is_young);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
