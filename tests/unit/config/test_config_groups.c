// SPDX-License-Identifier: MIT
// config_groups: what groups of all files say holds for their members in all files, between the settings file and the file's own defaults.

#include "config/config_origins.h"
#include "tests/unit/config/config_fixture.h"
#include "tests/unit/run_suite.h"

#define SEC INT64_C(1000000)

static const struct job *job_of(const char *name) {
        for (size_t i = 0; i < config->n_jobs; i++)
                if (strcmp(config->jobs[i]->name, name) == 0)
                        return config->jobs[i];
        ck_abort_msg("no job %s", name);
        return NULL;
}

static const char *groups(void) {
        static char text[1000];
        size_t n = 0;

        text[0] = 0;
        for (size_t i = 0; i < config->n_groups; i++)
                n += (size_t)sprintf(text + n, "%s%s=%u%s%s%s", n ? " " : "", config->groups[i].name,
                                     config->groups[i].max_running, config->groups[i].description ? ":" : "",
                                     config->groups[i].description ? config->groups[i].description : "",
                                     config->groups[i].is_broken ? "!" : "");
        return text;
}

/* Each later layer says one thing less: the value shows which one won. */
START_TEST(the_last_layer_that_says_something_wins) {
        static const struct {
                const char *conf, *group, *other, *file, *job;
                int64_t timeout_s;
        } rows[] = {
                {"Timeout=1s\n", "", "", "", "", 1},
                {"Timeout=1s\n", "Timeout=2s\n", "", "", "", 2},
                {"Timeout=1s\n", "", "Timeout=3s\n", "", "", 3},
                {"Timeout=1s\n", "Timeout=2s\n", "Timeout=2s\n", "", "", 2},
                {"Timeout=1s\n", "Timeout=2s\n", "", "Timeout=4s\n", "", 4},
                {"Timeout=1s\n", "Timeout=2s\n", "", "Timeout=4s\n", "Timeout=5s\n", 5},
        };
        char text[1000];

        snprintf(text, sizeof(text), "[defaults]\n%s[group o]\n%s", rows[_i].conf, rows[_i].other);
        put("conf", text);
        snprintf(text, sizeof(text), "[defaults]\n%s" JOB("a") "MemberOf=g o\n%s", rows[_i].file, rows[_i].job);
        put("etc/a.ini", text);
        snprintf(text, sizeof(text), "[group g]\n%s", rows[_i].group);
        put("run/z.ini", text);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a");
        ck_assert_int_eq(job_of("a")->what.timeout_us, rows[_i].timeout_s * SEC);
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(lists_append_in_the_order_of_the_groups) {
        put("etc/a.ini", "[group a]\nEnvironment=A=a\n[group b]\nEnvironment=A=b B=b\n" JOB("x") "MemberOf=b a\n" JOB(
                                 "y") "MemberOf=b\nMemberOf=a b\nEnvironment=\nEnvironment=A=own\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "x y");
        ck_assert_str_eq(job_of("x")->what.environment[0], "A=b");
        ck_assert_str_eq(job_of("x")->what.environment[2], "A=a");
        ck_assert_str_eq(job_of("y")->what.environment[0], "A=own");
        ck_assert_str_eq(job_of("y")->when.ties->text, "MemberOf=b a\n");
}
END_TEST

START_TEST(a_group_has_a_description_and_places_of_its_own) {
        put("etc/a.ini", "[group g]\nDescription=all of\n  them\nMaxRunning=3\n[group empty]\n" JOB("a") "MemberOf=g\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(groups(), "empty=0 g=3:all of them");
        ck_assert_ptr_null(job_of("a")->description);
}
END_TEST

START_TEST(a_misspelt_key_of_a_group_is_answered) {
        put("etc/a.ini", "[group g]\nMaxrunning=3\nTimout=1s\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(diag(0), "etc/a.ini:2:1: unknown key Maxrunning=; did you mean MaxRunning=?");
        ck_assert_str_eq(diag(1), "etc/a.ini:3:1: unknown key Timout=; did you mean Timeout=?");
        ck_assert_uint_eq(diags.n, 2);
}
END_TEST

START_TEST(a_drop_in_adds_to_a_group_and_to_a_job) {
        put("etc/a.ini", "[group g]\nTimeout=1s\nMaxRunning=3\n" JOB("a"));
        mkdir("etc/a.ini.d", 0755);
        put("etc/a.ini.d/b.conf", "[group g]\nTimeout=2s\nMaxRunning=\n[job a]\nMemberOf=g\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a");
        ck_assert_int_eq(job_of("a")->what.timeout_us, 2 * SEC);
        ck_assert_str_eq(groups(), "g=0");
        put("etc/a.ini.d/b.conf", "[group other]\nTimeout=2s\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(diag(0), "etc/a.ini.d/b.conf:1: there is no group other that this could add to");
}
END_TEST

START_TEST(groups_that_say_different_things_are_an_error_that_names_both_places) {
        put("etc/a.ini", "[group g]\nTimeout=1s\n" JOB("a") "MemberOf=g h\n" JOB("b") "MemberOf=h\n");
        put("run/z.ini", "[group h]\n\nTimeout=2s\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "b ! a");
        ck_assert_str_eq(diag(0), "etc/a.ini:6:10: groups g and h don't agree on Timeout= (etc/a.ini:2, run/z.ini:3)");
        ck_assert_uint_eq(diags.n, 1);
}
END_TEST

START_TEST(a_group_with_an_error_costs_its_members) {
        put("etc/a.ini", "[group bad]\nTimeout=1x\n[group good]\n" JOB("a") "MemberOf=good\n" JOB("b") "MemberOf=bad good\n");
        put("etc/b.ini", JOB("c") "MemberOf=bad\n" JOB("d"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a d ! b c");
        ck_assert_str_eq(groups(), "bad=0! good=0");
        ck_assert_str_eq(diag(2), "etc/b.ini:4:10: group bad at etc/a.ini:1 has errors");
        chmod("etc/a.ini", 0666);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "d ! etc/a.ini c");
        ck_assert_str_eq(groups(), "");
}
END_TEST

START_TEST(of_two_groups_of_one_name_neither_is_taken) {
        put("etc/a.ini", "[group g]\n" JOB("a") "MemberOf=g\n" JOB("good"));
        put("run/b.ini", "\n[group g]\n[group a]\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "good ! a");
        ck_assert_str_eq(groups(), "a=0 g=0!");
        ck_assert_str_eq(diag(1), "run/b.ini:2: group g is defined at etc/a.ini:1, too; neither is taken");
}
END_TEST

START_TEST(a_job_has_a_bounded_number_of_groups) {
        char text[2000] = JOB("a") "MemberOf=";

        for (int i = 0; i <= JOB_GROUPS_MAX; i++)
                sprintf(text + strlen(text), " g%d", i);
        for (int i = 0; i <= JOB_GROUPS_MAX; i++)
                sprintf(text + strlen(text), "\n[group g%d]", i);
        strcat(text, "\n");
        put("etc/a.ini", text);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "! a");
        ck_assert_str_eq(diag(0), "etc/a.ini:4:65: a job is a member of at most 16 groups");
}
END_TEST

START_TEST(the_origin_of_a_value_is_its_group) {
        static const char *const folders[] = {"etc"};
        struct config_paths paths = {.folders = folders, .n_folders = 1};
        struct config_origins origins;
        const struct config_origin *found = NULL;

        put("etc/a.ini", JOB("a") "MemberOf=g\nKillGrace=1s\n[group g]\nTimeout=3s\nKillGrace=2s\n");
        ck_assert_int_eq(config_load_origins(&paths, "a", &diags, &origins), 0);
        ck_assert(origins.is_found && !origins.is_broken);
        for (size_t i = 0; i < origins.n; i++) {
                if (origins.list[i].group)
                        found = &origins.list[i];
                ck_assert(!origins.list[i].group || found == &origins.list[i]);
        }
        ck_assert_ptr_nonnull(found);
        ck_assert_str_eq(found->key, "Timeout");
        ck_assert_str_eq(found->group, "g");
        ck_assert_uint_eq(found->line, 7);
        config_origins_done(&origins);
}
END_TEST

int main(void) {
        Suite *s = suite_create("config_groups");
        TCase *t = tcase_create("config_groups");
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_loop_test(t, the_last_layer_that_says_something_wins, 0, 6);
        tcase_add_test(t, lists_append_in_the_order_of_the_groups);
        tcase_add_test(t, a_group_has_a_description_and_places_of_its_own);
        tcase_add_test(t, a_misspelt_key_of_a_group_is_answered);
        tcase_add_test(t, a_drop_in_adds_to_a_group_and_to_a_job);
        tcase_add_test(t, groups_that_say_different_things_are_an_error_that_names_both_places);
        tcase_add_test(t, a_group_with_an_error_costs_its_members);
        tcase_add_test(t, of_two_groups_of_one_name_neither_is_taken);
        tcase_add_test(t, a_job_has_a_bounded_number_of_groups);
        tcase_add_test(t, the_origin_of_a_value_is_its_group);
        suite_add_tcase(s, t);
        return run_suite(s);
}
