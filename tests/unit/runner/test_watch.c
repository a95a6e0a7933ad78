// SPDX-License-Identifier: MIT
// Changes of job files are told once they have settled; what does not matter is not.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/runner/watch.h"
#include "tests/unit/runner/harness.h"
#include "tests/unit/run_suite.h"

#define SETTLE_US 60000

static struct loop *loop;
static struct watch *watch;
static char folder[64];
static int n_changes;

static void on_change(void *userdata) {
        (void)userdata;
        n_changes++;
}

static char *path_of(const char *name) {
        static char paths[4][128];
        static int next;
        char *path = paths[next++ % 4];
        snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
        return path;
}

static void touch(const char *name) {
        int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, "x", 1), 1);
        close(fd);
}

static void begin(void) {
        n_changes = 0;
        strcpy(folder, "/tmp/test-watch-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        ck_assert_int_eq(mkdir(path_of("jobs"), 0755), 0);
        touch("jobs/old.ini");
        touch("old.conf");
        ck_assert_int_eq(symlink("old.conf", path_of("link")), 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(watch_new(loop, SETTLE_US, on_change, NULL, &watch), 0);
        ck_assert_int_eq(watch_folder(watch, path_of("jobs")), 1);
        ck_assert_int_eq(watch_folder(watch, path_of("jobs")), 0);
        ck_assert_int_eq(watch_folder(watch, path_of("missing/below")), 1);
        ck_assert_int_eq(watch_file(watch, path_of("old.conf")), 1);
        ck_assert_int_eq(watch_name(watch, path_of("link")), 1);
        ck_assert_int_eq(watch_name(watch, path_of("link")), 0);
}

static void end(void) {
        char command[128];

        watch_free(watch);
        loop_free(loop);
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        ck_assert_int_eq(system(command), 0);
}

static void rename_in(void) {
        touch("new.ini");
        ck_assert_int_eq(rename(path_of("new.ini"), path_of("jobs/new.ini")), 0);
}

static void many(void) {
        char name[32];
        for (int i = 0; i < 50; i++) {
                snprintf(name, sizeof(name), "jobs/%d.ini", i);
                touch(name);
        }
}

static void write_new(void) {
        touch("jobs/new.ini");
}

static void write_old(void) {
        touch("jobs/old.ini");
}

static void remove_old(void) {
        ck_assert_int_eq(unlink(path_of("jobs/old.ini")), 0);
}

static void change_mode(void) {
        ck_assert_int_eq(chmod(path_of("jobs/old.ini"), 0600), 0);
}

static void write_settings(void) {
        touch("old.conf");
}

static void make_missing(void) {
        ck_assert_int_eq(mkdir(path_of("missing"), 0755), 0);
}

static void move_folder(void) {
        ck_assert_int_eq(rename(path_of("jobs"), path_of("elsewhere")), 0);
}

static void write_hidden(void) {
        touch("jobs/.old.ini.swp");
}

static void swap_config_map(void) {
        ck_assert_int_eq(symlink("..2", path_of("jobs/..data_tmp")), 0);
        ck_assert_int_eq(rename(path_of("jobs/..data_tmp"), path_of("jobs/..data")), 0);
}

static void replace_link(void) {
        ck_assert_int_eq(symlink("nowhere", path_of("link.new")), 0);
        ck_assert_int_eq(rename(path_of("link.new"), path_of("link")), 0);
}

static void write_beside(void) {
        touch("unrelated");
}

static const struct {
        const char *what;
        void (*change)(void);
        int n;
} changes[] = {
        {"a new file", write_new, 1},
        {"a changed file", write_old, 1},
        {"a removed file", remove_old, 1},
        {"a file moved in", rename_in, 1},
        {"other rights", change_mode, 1},
        {"many files at once", many, 1},
        {"the settings file", write_settings, 1},
        {"the way to a missing folder", make_missing, 1},
        {"a folder that is moved away", move_folder, 1},
        {"another link in the place of one", replace_link, 1},
        {"an editor's hidden file", write_hidden, 0},
        {"what the files of a config map are links to", swap_config_map, 1},
        {"another file beside the settings", write_beside, 0},
};

START_TEST(a_settings_file_that_is_none_is_not_watched) {
        ck_assert_int_eq(watch_file(watch, "/dev/null"), 0);
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        close(fd);
        int64_t until_us = clock_now().bt_us + 3 * SETTLE_US;
        while (clock_now().bt_us < until_us)
                ck_assert_int_ge(loop_run_once(loop, SETTLE_US / 4), 0);
        ck_assert_int_eq(n_changes, 0);
}
END_TEST

START_TEST(a_burst_of_changes_is_told_once) {
        int64_t limit_bt_us = clock_now().bt_us + 10 * USEC_PER_SEC;

        changes[_i].change();
        while (n_changes < changes[_i].n && clock_now().bt_us < limit_bt_us)
                ck_assert_int_ge(loop_run_once(loop, 10000), 0);
        /* and not once more */
        int64_t until_bt_us = clock_now().bt_us + SETTLE_US + 40000;
        while (clock_now().bt_us < until_bt_us)
                ck_assert_int_ge(loop_run_once(loop, 10000), 0);
        ck_assert_msg(n_changes == changes[_i].n, "%s: told %d times", changes[_i].what, n_changes);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("watch");
        TCase *tcase = tcase_create("watch");

        tcase_add_checked_fixture(tcase, begin, end);
        tcase_add_test(tcase, a_settings_file_that_is_none_is_not_watched);
        tcase_add_loop_test(tcase, a_burst_of_changes_is_told_once, 0, ARRAY_SIZE(changes));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
