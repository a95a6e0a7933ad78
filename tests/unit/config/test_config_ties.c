// SPDX-License-Identifier: MIT
// config_ties: jobs of all files may name jobs of all files, and none may follow itself; the canonical text says what they come to.

#include <errno.h>

#include "tests/unit/config/config_fixture.h"
#include "tests/unit/run_suite.h"

static const char *text_of(const char *job) {
        for (size_t i = 0; i < config->n_jobs; i++)
                if (strcmp(config->jobs[i]->name, job) == 0)
                        return config->jobs[i]->when.ties ? config->jobs[i]->when.ties->text : "none";
        return "no such job";
}

START_TEST(jobs_of_all_files_may_name_jobs_of_all_files) {
        put("etc/a.ini", JOB("a") "OnSuccess=z b\nOnFailure=z\nOnSuccess=c b\nMemberOf=y x\n" JOB("b"));
        put("run/z.ini", JOB("z") "OnEndOf=b\n" JOB("c") "[group x]\n[group y]\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a b c z");
        ck_assert_str_eq(text_of("a"), "MemberOf=y x\nOnSuccess=b c z\nOnFailure=z\n");
        ck_assert_str_eq(text_of("b"), "none");
        ck_assert_str_eq(text_of("z"), "OnEndOf=b\n");
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(a_name_that_is_not_there_costs_the_job_that_wrote_it) {
        put("conf", "[defaults]\nOnFailure=pager\n");
        put("etc/a.ini", JOB("a") JOB("b") "OnFailure=\nOnSuccess=nobody\n" JOB("page") "OnFailure=\n" JOB("c"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "page ! a b c");
        ck_assert_str_eq(diag(0), "conf:2:11: there is no job pager; did you mean page?");
        ck_assert_str_eq(diag(1), "etc/a.ini:8:11: there is no job nobody");
        ck_assert_uint_eq(diags.n, 2); /* a default is told once */
}
END_TEST

START_TEST(a_name_that_may_be_in_an_unread_file_is_a_warning) {
        put("etc/a.ini", JOB("a") "OnFailure=page\n");
        put("etc/b.ini", "");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a ! etc/b.ini");
        ck_assert_str_eq(text_of("a"), "OnFailure=page\n");
        ck_assert_str_eq(diag(0), "etc/a.ini:4:11: warning: there is no job page in the files that could be read");
}
END_TEST

START_TEST(a_broken_job_may_be_named) {
        put("etc/a.ini", JOB("a") "OnFailure=page\n" JOB("page") "Evry=1\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a ! page");
}
END_TEST

/* Jobs a to d, each with one line more; which are left, and what is told at first. */
static const struct {
        const char *lines[4], *names, *diag;
} circles[] = {
        {{"OnSuccess=b", "OnSuccess=c", "OnSuccess=d", ""}, "a b c d", "none"},
        {{"OnSuccess=a", "", "", ""}, "b c d ! a", "etc/j.ini:4:11: jobs can't follow themselves: a -> a"},
        {{"OnSuccess=b", "OnMissed=a", "", ""}, "c d ! a b", "etc/j.ini:8:10: jobs can't follow themselves: a -> b -> a"},
        {{"OnSuccess=b", "OnFinished=c", "", "OnEndOf=c\nOnEnd=a"},
         "c ! a b d",
         "etc/j.ini:17:7: jobs can't follow themselves: a -> b -> c -> d -> a"},
        {{"OnSuccess=b", "OnFailureOf=c", "OnFailureOf=b", "OnEndOf=a"},
         "a d ! b c",
         "etc/j.ini:8:13: jobs can't follow themselves: b -> c -> b"},
        {{"OnSuccess=b b\nOnFailure=b", "OnEndOf=a", "OnEndOf=b", "OnEndOf=a b c"}, "a b c d", "none"},
};

START_TEST(jobs_cannot_follow_themselves) {
        char text[1000] = "";

        for (int i = 0; i < 4; i++)
                sprintf(text + strlen(text), "[job %c]\nCommand=/bin/true\nEvery=1h\n%s\n", 'a' + i, circles[_i].lines[i]);
        put("etc/j.ini", text);
        ck_assert_int_eq(load(), 0);
        ck_assert_msg(strcmp(names(), circles[_i].names) == 0, "%s\nleaves %s", text, names());
        ck_assert_str_eq(diag(0), circles[_i].diag);
}
END_TEST

START_TEST(a_hook_that_defaults_name_does_not_follow_itself) {
        put("etc/a.ini", "[defaults]\nOnFailure=page log\nOnSuccess=log\n" JOB("a") JOB("page") JOB("log") "OnEnd=page\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a log page");
        ck_assert_str_eq(text_of("a"), "OnSuccess=log\nOnFailure=log page\n");
        ck_assert_str_eq(text_of("page"), "none");
        ck_assert_str_eq(text_of("log"), "OnEnd=page\n");
}
END_TEST

START_TEST(the_names_of_one_job_have_a_bound) {
        char text[1000] = JOB("a") "OnEnd=";

        for (int i = 0; i <= TIES_MAX; i++)
                sprintf(text + strlen(text), "j%d ", i);
        put("etc/a.ini", text);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "! a");
        ck_assert_str_eq(diag(0), "etc/a.ini:4:253: more than 64 names in MemberOf=, OnSuccess= and their kin");
}
END_TEST

/* ---- when-texts ---- */

START_TEST(a_when_text_reads_back_as_itself) {
        static const char in[] = "Every=1h\nOnFailure=z a\nMemberOf=y x\nOnFailure=a b\nOnSuccessOf=p\n";
        static const char out[] = "Every=1h\nMemberOf=y x\nOnFailure=a b z\nOnSuccessOf=p\n";
        struct agendas agendas = {};
        struct job_when when, again;
        char *description, *text;

        ck_assert_int_eq(job_when_parse(in, strlen(in), &agendas, &when, &description), 0);
        ck_assert_int_eq(job_when_print(&when, NULL, &text), 0);
        ck_assert_str_eq(text, out);
        ck_assert_int_eq(job_when_parse(out, strlen(out), &agendas, &again, &description), 0);
        ck_assert_mem_eq(&when, &again, sizeof(when)); /* the same pointer */
        ck_assert_uint_eq(when.ties->n, 6);
        ck_assert_str_eq(when.ties->list[5].name, "p");
        job_when_done(&when);
        job_when_done(&again);
        ck_assert_uint_eq(agendas.ties.n, 0);
        ck_assert_int_eq(job_when_parse("OnEnd=a/b\n", 10, &agendas, &when, &description), -EBADMSG);
        ck_assert_int_eq(job_when_parse(in, strlen(in), NULL, &when, &description), 0);
        ck_assert_ptr_null(when.ties);
        free(text);
        agendas_done(&agendas);
}
END_TEST

int main(void) {
        Suite *s = suite_create("config_ties");
        TCase *t = tcase_create("config_ties");
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_test(t, jobs_of_all_files_may_name_jobs_of_all_files);
        tcase_add_test(t, a_name_that_is_not_there_costs_the_job_that_wrote_it);
        tcase_add_test(t, a_name_that_may_be_in_an_unread_file_is_a_warning);
        tcase_add_test(t, a_broken_job_may_be_named);
        tcase_add_loop_test(t, jobs_cannot_follow_themselves, 0, sizeof(circles) / sizeof(circles[0]));
        tcase_add_test(t, a_hook_that_defaults_name_does_not_follow_itself);
        tcase_add_test(t, the_names_of_one_job_have_a_bound);
        tcase_add_test(t, a_when_text_reads_back_as_itself);
        suite_add_tcase(s, t);
        return run_suite(s);
}
