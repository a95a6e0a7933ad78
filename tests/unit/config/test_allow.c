// SPDX-License-Identifier: MIT
// Allow=: names become numbers in the reader, the scheduler's text has only those, and without it User= may trigger.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/identity.h"
#include "config/job.h"
#include "tests/unit/run_suite.h"

#define SETTINGS_MAX 10
#define LARGEST      "4294967294"

/* Builds and resolves a job of these "Key=value" lines. Gives what identity_resolve() returned. */
static int resolve(const char *text, struct diags *diags, struct job **ret) {
        struct job_setting settings[SETTINGS_MAX] = {{.key = "Command", .value = "/bin/true", .file = "f"},
                                                     {.key = "Every", .value = "1h", .file = "f"}};
        struct identity_cache cache = {};
        char *copy = strdup(text), *rest = copy;
        size_t n = 2;

        for (char *line; (line = strsep(&rest, "\n")) && *line; n++) {
                char *equals = strchr(line, '=');
                *equals = 0;
                settings[n] = (struct job_setting){.key = line,
                                                   .value = equals + 1,
                                                   .file = "f",
                                                   .line = (unsigned)n,
                                                   .column = (unsigned)(equals - line) + 2};
        }
        ck_assert_msg(job_build("j", "f", 1, settings, n, NULL, diags, ret) == 0, "%s", text);
        int r = identity_resolve(&cache, *ret, diags);
        identity_cache_done(&cache);
        free(copy);
        return r;
}

/* Settings and the rights that they come to. */
static const struct {
        const char *text, *rights;
        bool needs_root; /* to run as another user */
} meanings[] = {
        {"Allow=trigger:1000\n", "trigger:1000", false},
        {"Allow=control:%27 trigger:1000\n", "control:%27 trigger:1000", false},
        {"Allow=  trigger:1 \t control:2  \n", "trigger:1 control:2", false},
        {"Allow=trigger:1\nAllow=trigger:%2\n", "trigger:1 trigger:%2", false},
        {"Allow=trigger:1 trigger:1\n", "trigger:1", false},
        {"Allow=trigger:1 control:1\n", "control:1", false},
        {"Allow=control:1 trigger:1\n", "control:1", false},
        {"Allow=trigger:1 trigger:%1\n", "trigger:1 trigger:%1", false},
        {"Allow=trigger:%0 trigger:%root\n", "trigger:%0", false},
        {"Allow=trigger:root control:0\n", "", false},
        {"Allow=trigger:root control:5\n", "control:5", false},
        {"Allow=\n", "", false},
        {"Allow=trigger:1\nAllow=\n", "", false},
        {"Allow=trigger:1\nAllow=\nAllow=trigger:2\n", "trigger:2", false},
        {"Allow=control:%" LARGEST " control:%4294967293 control:%4294967292 control:%4294967291 control:%4294967290 "
         "control:%4294967289 control:%4294967288 control:%4294967287\n",
         "control:%" LARGEST " control:%4294967293 control:%4294967292 control:%4294967291 control:%4294967290 "
         "control:%4294967289 control:%4294967288 control:%4294967287",
         false},
        {"", "", false},
        {"User=1234\nGroup=1234\n", "trigger:1234", true},
        {"User=1234\nGroup=1234\nAllow=\n", "", true},
        {"User=1234\nGroup=1234\nAllow=control:%7\n", "control:%7", true},
        {"User=root\n", "", true},
        {"Group=1234\n", "", true},
};

START_TEST(rights_come_to_the_expected_numbers_and_back) {
        struct diags diags = {};
        struct job *job = NULL;
        struct job_when back;
        char *text = NULL, *description = NULL, expected[300];

        if (meanings[_i].needs_root && geteuid() != 0)
                return;
        int r = resolve(meanings[_i].text, &diags, &job);
        ck_assert_msg(r == 0 && diags.n_errors == 0, "%s: %d", meanings[_i].text, r);
        ck_assert_int_eq(job_when_print(&job->when, NULL, &text), 0);
        snprintf(expected, sizeof(expected), "Every=1h\n%s%s%s", *meanings[_i].rights ? "Allow=" : "", meanings[_i].rights,
                 *meanings[_i].rights ? "\n" : "");
        ck_assert_msg(strcmp(text, expected) == 0, "%s gave\n%s", meanings[_i].text, text);
        ck_assert_int_eq(job_when_parse(text, strlen(text), NULL, &back, &description), 0);
        ck_assert_msg(memcmp(&back, &job->when, sizeof(back)) == 0, "%s", text);
        free(text);
        job_free(job);
        diags_done(&diags);
}
END_TEST

/* Rights whose names lead nowhere: all are told, each at its place. */
START_TEST(an_unknown_name_is_told_at_its_place) {
        struct diags diags = {};
        struct job *job = NULL;

        ck_assert_int_eq(resolve("Allow=trigger:no-such-user trigger:1\nAllow=control:%no-such-group\n", &diags, &job), 1);
        ck_assert_uint_eq(diags.n_errors, 2);
        ck_assert_str_eq(diags.list[0].text, "user no-such-user is not known; write a user, %GROUP for a group, or a number");
        ck_assert_uint_eq(diags.list[0].line, 2);
        ck_assert_uint_eq(diags.list[0].column, 7);
        ck_assert_str_eq(diags.list[1].text, "group no-such-group is not known; write a user, %GROUP for a group, or a number");
        ck_assert_uint_eq(diags.list[1].line, 3);
        job_free(job);
        diags_done(&diags);
}
END_TEST

START_TEST(a_policy_holds_a_bounded_number_of_rights) {
        struct job_when when;

        job_when_init(&when);
        for (uint32_t i = 0; i < JOB_ALLOW_MAX; i++)
                ck_assert(job_when_allow(&when, JOB_ALLOW_TRIGGER, i));
        ck_assert(!job_when_allow(&when, JOB_ALLOW_TRIGGER, 1000));
        ck_assert(!job_when_allow(&when, JOB_ALLOW_TRIGGER | JOB_ALLOW_GROUP, 3));
        ck_assert(job_when_allow(&when, JOB_ALLOW_CONTROL, 3));
        ck_assert_int_eq(when.allow_kinds[3], JOB_ALLOW_TRIGGER | JOB_ALLOW_CONTROL);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("allow");
        tcase_add_loop_test(tcase, rights_come_to_the_expected_numbers_and_back, 0, sizeof(meanings) / sizeof(meanings[0]));
        tcase_add_test(tcase, an_unknown_name_is_told_at_its_place);
        tcase_add_test(tcase, a_policy_holds_a_bounded_number_of_rights);
        Suite *suite = suite_create("allow");
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
