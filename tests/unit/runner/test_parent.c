// SPDX-License-Identifier: MIT
// CHIMED_PARENT_*: all of them where there is a parent, none where there is none.

#include <check.h>
#include <string.h>

#include "daemon/runner/parent.h"
#include "tests/unit/run_suite.h"

START_TEST(a_run_without_parent_hears_nothing) {
        struct environment e = {};
        ck_assert_int_eq(parent_set(&e, "x", &(struct wire_start){}), 0);
        ck_assert_uint_eq(e.n, 0);
        environment_done(&e);
}
END_TEST

static const struct {
        const char *name, *failed, *missed;
} variables[] = {
        {"CHIMED_PARENT_JOB", "backup", "backup"},
        {"CHIMED_PARENT_EVENT", "failure", "missed"},
        {"CHIMED_PARENT_RUN_ID", "abc-12", ""},
        {"CHIMED_PARENT_RESULT", "signal", ""},
        {"CHIMED_PARENT_EXIT_STATUS", "", ""},
        {"CHIMED_PARENT_SIGNAL", "SEGV", ""},
        {"CHIMED_PARENT_SLOT", "2025-11-21T02:40:00Z", ""},
        {"CHIMED_PARENT_SLOT_USEC", "1763692800000000", ""},
        {"CHIMED_PARENT_ATTEMPT", "2", ""},
        {"CHIMED_PARENT_MISSED", "0", "3"},
        {"CHIMED_PARENT_REASON", "", "overlap"},
        {"CHIMED_PARENT_OUTPUT", "a?b", ""},
};

START_TEST(a_run_hears_of_its_parent) {
        struct wire_start failed = {
                .parent = {RUN_EVENT_FAILURE, RUN_RESULT_SIGNAL, -1, 11, 2, 12, 1763692800000000, 0, "", "backup"},
                .parent_output = "a\0b\n",
                .parent_output_size = 4,
        };
        struct wire_start missed = {.parent = {RUN_EVENT_MISSED, 0, -1, 0, 0, 0, 0, 3, "overlap", "backup"}};
        struct environment of_failed = {}, of_missed = {};
        ck_assert_int_eq(parent_set(&of_failed, "abc", &failed), 0);
        ck_assert_int_eq(parent_set(&of_missed, "abc", &missed), 0);
        ck_assert_uint_eq(of_failed.n, sizeof(variables) / sizeof(variables[0]));
        for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
                ck_assert_str_eq(environment_get(&of_failed, variables[i].name), variables[i].failed);
                ck_assert_str_eq(environment_get(&of_missed, variables[i].name), variables[i].missed);
        }
        environment_done(&of_failed);
        environment_done(&of_missed);
}
END_TEST

int main(void) {
        Suite *s = suite_create("parent");
        TCase *t = tcase_create("parent");
        tcase_add_test(t, a_run_without_parent_hears_nothing);
        tcase_add_test(t, a_run_hears_of_its_parent);
        suite_add_tcase(s, t);
        return run_suite(s);
}
