// SPDX-License-Identifier: MIT
// config_mail: MailTo= makes a job that sends the mails, and nothing but addresses gets into it.

#include "config/config_mail.h"
#include "tests/unit/config/config_fixture.h"
#include "tests/unit/run_suite.h"

static const struct job *find(const char *name) {
        for (size_t i = 0; i < config->n_jobs; i++)
                if (strcmp(config->jobs[i]->name, name) == 0)
                        return config->jobs[i];
        ck_abort_msg("no job %s", name);
}

/* With a sendmail that is there. */
static void begin(const char *text) {
        put("conf", "[chimed]\nSendmail=/bin/true\n");
        put("etc/a.ini", text);
        ck_assert_int_eq(load(), 0);
}

START_TEST(a_job_sends_the_mails_of_another) {
        begin(JOB("a") "MailTo=root,ops@example.org\nMailTo=me\nUser=root\n" JOB("b") "MailTo=root\nMailOn=always\n");
        ck_assert_str_eq(names(), "a a.mail b b.mail");
        ck_assert_uint_eq(diags.n, 0);
        const struct job *mailer = find("a.mail");
        ck_assert_str_eq(mailer->when.ties->text, "OnFailureOf=a\n");
        ck_assert_str_eq(mailer->what.user, "root");
        ck_assert_ptr_nonnull(
                strstr(mailer->what.argv[2], "to='root, ops@example.org, me'\nfor sendmail in '/bin/true'; do\n"));
        ck_assert_int_eq(mailer->when.overlap, JOB_OVERLAP_QUEUE);
        ck_assert_str_eq(find("b.mail")->when.ties->text, "OnEndOf=b\n");
        ck_assert_ptr_null(find("a")->when.ties);
}
END_TEST

/* Else who runs the job could send its mails where Allow= keeps him from running it. */
START_TEST(a_mail_job_gives_no_rights) {
        static const char *const rights[] = {"", "Allow=trigger:65532\n", "Allow=control:65532\n"};
        char text[100];

        for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
                snprintf(text, sizeof(text), JOB("a") "MailTo=root\nUser=65533\nGroup=65533\n%s", rights[i]);
                begin(text);
                ck_assert_str_eq(names(), "a a.mail");
                ck_assert_uint_ne(find("a")->when.allow_kinds[0], 0);
                ck_assert_str_eq(find("a.mail")->what.user, "65533");
                ck_assert_uint_eq(find("a.mail")->when.allow_kinds[0], 0);
        }
}
END_TEST

START_TEST(defaults_may_say_whom_to_mail) {
        begin("[defaults]\nMailTo=root\n" JOB("a") JOB("b") "MailTo=\n" JOB("c") "MailTo=ops\n");
        ck_assert_str_eq(names(), "a a.mail b c c.mail");
        ck_assert_ptr_nonnull(strstr(find("c.mail")->what.argv[2], "to='root, ops'\n"));
}
END_TEST

START_TEST(a_name_that_is_taken_or_too_long_is_refused) {
        begin(JOB("a") "MailTo=root\n" JOB("a.mail")
                      JOB("a123456789b123456789c123456789d123456789e123456789f123456789") "MailTo=root\n");
        ck_assert_str_eq(names(), "a.mail ! a a123456789b123456789c123456789d123456789e123456789f123456789");
        ck_assert_str_eq(
                diag(0),
                "etc/a.ini:4:8: the mails of a are sent by a job a.mail, and there is one of this name at etc/a.ini:5");
        ck_assert_ptr_nonnull(strstr(diag(1), "a name has at most 64 bytes: the job's own must be shorter"));
}
END_TEST

/* Each becomes part of a header and of a script. */
START_TEST(what_is_no_address_is_refused) {
        static const char *const values[] = {"-oQ/tmp", "a;b",  "a'b", "a\"b", "a$b",     "a`b",
                                             "@b",      "a<b>", "a:b", "a\\b", "\xc3\xa4"};
        char text[300];

        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                snprintf(text, sizeof(text), JOB("a") "MailTo=root %s\n", values[i]);
                begin(text);
                ck_assert_msg(strcmp(names(), "! a") == 0, "%s: %s", values[i], names());
                ck_assert_ptr_nonnull(strstr(diag(0), "etc/a.ini:4:13: \""));
        }
}
END_TEST

START_TEST(the_addresses_have_a_bound) {
        char text[1000] = JOB("a") "MailTo=";

        for (int i = 0; i <= JOB_MAIL_MAX; i++)
                strcat(text, "root ");
        begin(text);
        ck_assert_str_eq(names(), "! a");
}
END_TEST

START_TEST(where_there_is_no_sendmail_a_warning_says_so) {
        put("conf", "[chimed]\nSendmail=/nowhere/sendmail\n");
        put("etc/a.ini", JOB("a") "MailTo=root\n" JOB("b") "MailTo=root\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a a.mail b b.mail");
        ck_assert_uint_eq(diags.n, 1);
        ck_assert_ptr_nonnull(strstr(diag(0), "etc/a.ini:4:8: warning: no mail can be sent: there is no sendmail"));
}
END_TEST

START_TEST(the_path_of_sendmail_needs_no_quoting) {
        static const char *const values[] = {"sendmail", "/bin/a b", "/bin/a'b", "/bin/a\\b"};
        char text[100];

        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                snprintf(text, sizeof(text), "[chimed]\nSendmail=%s\n", values[i]);
                put("conf", text);
                ck_assert_int_eq(load(), 0);
                ck_assert_uint_eq(diags.n_errors, 1);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("config_mail");
        TCase *t = tcase_create("config_mail");
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_test(t, a_job_sends_the_mails_of_another);
        tcase_add_test(t, a_mail_job_gives_no_rights);
        tcase_add_test(t, defaults_may_say_whom_to_mail);
        tcase_add_test(t, a_name_that_is_taken_or_too_long_is_refused);
        tcase_add_test(t, what_is_no_address_is_refused);
        tcase_add_test(t, the_addresses_have_a_bound);
        tcase_add_test(t, where_there_is_no_sendmail_a_warning_says_so);
        tcase_add_test(t, the_path_of_sendmail_needs_no_quoting);
        suite_add_tcase(s, t);
        return run_suite(s);
}
