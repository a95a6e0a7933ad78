// SPDX-License-Identifier: MIT
// Which cgroups of runs there are: runs of one job at once are apart, those that were used last are kept, jobs that are gone go.

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "daemon/runner/cgroup_names.h"
#include "tests/unit/run_suite.h"

static struct cgroup_entry *take(struct cgroup_names *names, const char *job) {
        struct cgroup_entry *e;

        ck_assert_int_eq(cgroup_names_take(names, job, &e), 0);
        return e;
}

START_TEST(runs_at_once_are_apart_and_the_first_free_one_is_next) {
        struct cgroup_names names = {};
        struct cgroup_entry *first = take(&names, "a"), *second = take(&names, "a"), *third = take(&names, "a");

        ck_assert_str_eq(first->name, "a@1");
        ck_assert_str_eq(second->name, "a@2");
        ck_assert_str_eq(third->name, "a@3");
        ck_assert_str_eq(take(&names, "a@")->name, "a@@1"); /* no job is called so */
        second->cgroup.cpu_us = 7;
        cgroup_names_give(&names, third);
        cgroup_names_give(&names, second);
        ck_assert_ptr_eq(take(&names, "a"), second);
        ck_assert_int_eq(second->cgroup.cpu_us, 7);
        ck_assert_ptr_eq(cgroup_names_find(&names, "a@3"), third);
        ck_assert_ptr_null(cgroup_names_find(&names, "a@4"));
        cgroup_names_done(&names);
}
END_TEST

START_TEST(the_longest_name_has_room) {
        struct cgroup_names names = {};
        char job[JOB_NAME_MAX + 1], wanted[CGROUP_NAME_MAX];

        memset(job, 'x', JOB_NAME_MAX);
        job[JOB_NAME_MAX] = '\0';
        snprintf(wanted, sizeof(wanted), "%s@1", job);
        ck_assert_str_eq(take(&names, job)->name, wanted);
        cgroup_names_done(&names);
}
END_TEST

START_TEST(those_used_last_are_kept) {
        struct cgroup_names names = {};
        struct cgroup_entry *used[CGROUP_KEPT_MAX + 3];
        char job[24], name[CGROUP_NAME_MAX];

        for (int i = 0; i < CGROUP_KEPT_MAX + 3; i++) {
                snprintf(job, sizeof(job), "job-%d", i);
                used[i] = take(&names, job);
        }
        ck_assert(!cgroup_names_drop(&names, NULL, NULL, name));
        for (int i = 2; i < CGROUP_KEPT_MAX + 3; i++)
                cgroup_names_give(&names, used[i]);
        cgroup_names_give(&names, used[1]);
        ck_assert(cgroup_names_drop(&names, NULL, NULL, name));
        ck_assert_str_eq(name, "job-2@1");
        ck_assert(cgroup_names_drop(&names, NULL, NULL, name));
        ck_assert_str_eq(name, "job-3@1");
        ck_assert(!cgroup_names_drop(&names, NULL, NULL, name));
        ck_assert_ptr_null(cgroup_names_find(&names, "job-2@1"));
        ck_assert_ptr_nonnull(cgroup_names_find(&names, "job-1@1"));
        cgroup_names_done(&names);
}
END_TEST

static bool is_there(void *userdata, const char *job) {
        return strcmp(job, userdata) == 0;
}

START_TEST(those_of_jobs_that_are_gone_go_when_no_run_uses_them) {
        struct cgroup_names names = {};
        struct cgroup_entry *stays = take(&names, "stays"), *goes = take(&names, "goes"), *runs = take(&names, "goes");
        char name[CGROUP_NAME_MAX], job[] = "stays";

        cgroup_names_give(&names, stays);
        cgroup_names_give(&names, goes);
        ck_assert(cgroup_names_drop(&names, is_there, job, name));
        ck_assert_str_eq(name, "goes@1");
        ck_assert(!cgroup_names_drop(&names, is_there, job, name));
        cgroup_names_give(&names, runs);
        ck_assert(cgroup_names_drop(&names, is_there, job, name));
        ck_assert_str_eq(name, "goes@2");
        cgroup_names_done(&names);
}
END_TEST

START_TEST(one_that_nobody_can_look_at_is_not_free_after_a_start_that_was_given_up) {
        struct cgroup_names names = {};
        struct cgroup_entry *first = take(&names, "a");

        first->is_suspect = true; /* its folder is still with that start */
        cgroup_names_give(&names, first);
        ck_assert_str_eq(take(&names, "a")->name, "a@2");
        cgroup_names_done(&names);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("cgroup_names");
        TCase *tcase = tcase_create("names");
        tcase_add_test(tcase, runs_at_once_are_apart_and_the_first_free_one_is_next);
        tcase_add_test(tcase, the_longest_name_has_room);
        tcase_add_test(tcase, those_used_last_are_kept);
        tcase_add_test(tcase, those_of_jobs_that_are_gone_go_when_no_run_uses_them);
        tcase_add_test(tcase, one_that_nobody_can_look_at_is_not_free_after_a_start_that_was_given_up);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
