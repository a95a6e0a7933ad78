// SPDX-License-Identifier: MIT
// import: names, commands and unit files by table; what is imported fires when the original did.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/cron.h"
#include "config/wall.h"
#include "daemon/ctl/import.h"
#include "tests/unit/run_suite.h"

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))
#define INSTANTS 200
#define FROM_US  (INT64_C(1795257700) * 1000000)

static const struct {
        const char *command, *name;
        bool is_plain;
} commands[] = {
        {"/usr/local/bin/backup --all", "backup", true},
        {"backup.sh -v 3", "backup", true},
        {"cd / && run-parts --report /etc/cron.daily", "cron.daily", false},
        {"test -x /usr/sbin/anacron || ( cd / && run-parts /etc/cron.weekly )", "cron.weekly", false},
        {"[ -x /a/b ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi", "sessionclean", false},
        {"LANG=C nice -n 10 /opt/x.py", "x", false},
        {"perl -e 'sleep int(rand(43200))' && certbot -q renew", "certbot", false},
        {"/usr/bin/flock -n /tmp/lock timeout 30 poll", "poll", true},
        {"(sleep 5; date)", "date", false},
        {"date >/dev/null", "date", false},
        {"echo $HOME", "echo", false},
        {"~/bin/x", "x", false},
        {"./x", "x", false},
        {"A=1", "job", false},
        {"umask", "job", false},
        {"", "job", false},
        {"sh", "job", true},
        {"a=b c", "c", false},
        {"*", "*", false},
};

START_TEST(a_command_gets_a_name_and_a_shell_if_it_needs_one) {
        char *name = import_command_name(commands[_i].command);

        ck_assert_str_eq(name, commands[_i].name);
        ck_assert_msg(import_command_is_plain(commands[_i].command) == commands[_i].is_plain, "%s", commands[_i].command);
        free(name);
}
END_TEST

START_TEST(names_are_valid_and_unlike_each_other) {
        static const char *const given[] = {"a", "a", "a", "-x/y z", "", "***", NULL};
        static const char *const wanted[] = {"a", "a-2", "a-3", "x-y-z", "job", "job-2"};
        char longest[200];
        struct import i;

        memset(longest, 'n', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        ck_assert_int_eq(import_begin(&i), 0);
        for (int k = 0; given[k]; k++) {
                import_section(&i, given[k]);
                ck_assert_str_eq(i.jobs[k].name, wanted[k]);
        }
        import_section(&i, longest);
        import_section(&i, longest);
        ck_assert(strlen(i.jobs[i.n - 1].name) <= JOB_NAME_MAX && strcmp(i.jobs[i.n - 1].name, i.jobs[i.n - 2].name) != 0);
        ck_assert_int_eq(import_finish(&i), 0);
        import_done(&i);
}
END_TEST

START_TEST(a_unit_is_read_as_systemd_reads_it) {
        static const char text[] = "; comment\n"
                                   "[Timer]\n"
                                   "OnCalendar = daily \n"
                                   "OnCalendar=Mon \\\n"
                                   "# comment within\n"
                                   "  02:30\n"
                                   "Persistent=On\n"
                                   "no setting\n"
                                   "[Service]\r\n"
                                   "ExecStart=a\n"
                                   "ExecStart=\n"
                                   "ExecStart=b = c\n"
                                   "Last=x\\";
        struct unit_file u;

        ck_assert_int_eq(unit_file_parse(text, &u), 0);
        ck_assert_uint_eq(u.n, 5);
        ck_assert_uint_eq(unit_file_count(&u, "Timer", "OnCalendar"), 2);
        ck_assert_str_eq(unit_file_get(&u, "Timer", "OnCalendar"), "Mon    02:30");
        ck_assert(unit_file_is(&u, "Timer", "Persistent"));
        ck_assert(!unit_file_is(&u, "Timer", "WakeSystem"));
        ck_assert_str_eq(unit_file_get(&u, "Service", "ExecStart"), "b = c");
        ck_assert_ptr_null(unit_file_get(&u, "Timer", "ExecStart"));
        unit_file_done(&u);
}
END_TEST

static bool is_account(const char *name) {
        return strcmp(name, "root") == 0 || strcmp(name, "backup") == 0;
}

static bool is_program(const char *name) {
        return strcmp(name, "backup") == 0 || strcmp(name, "tar") == 0;
}

static const struct {
        const char *text;
        enum import_users users;
} crontabs[] = {
        {"* * * * * root /bin/true\n@daily backup x\n", IMPORT_USERS_ALL},
        {"* * * * * root /bin/true\n@daily other x\n", IMPORT_USERS_UNSURE},
        {"* * * * * root /bin/true\n@daily tar x\n", IMPORT_USERS_NONE},
        {"* * * * * root /bin/true\n@daily /bin/true x\n", IMPORT_USERS_NONE},
        {"* * * * * root /bin/true\n@daily cd /srv && x\n", IMPORT_USERS_NONE},
        {"* * * * * root /bin/true\n@daily A=1 x\n", IMPORT_USERS_NONE},
        {"* * * * * other x\n", IMPORT_USERS_NONE},
        {"* * * * * backup --all\n", IMPORT_USERS_NONE},
        {"* * * * * backup\n", IMPORT_USERS_NONE},
        {"# m h dom mon dow user\tcommand\n1 2 3 4 5 nobody x\n", IMPORT_USERS_ALL},
        {"# m h dom mon dow command\n", IMPORT_USERS_NONE},
        {"", IMPORT_USERS_NONE},
        {"A=root root\n-*/5 * * * * root /bin/true\n", IMPORT_USERS_ALL},
};

START_TEST(users_in_the_lines_are_noticed) {
        ck_assert_int_eq(import_crontab_find_users(crontabs[_i].text, is_account, is_program), crontabs[_i].users);
}
END_TEST

/* The value of the n-th setting of a key in a text of one line a setting, given to the caller; NULL: there are fewer. */
static char *find_value(const char *text, const char *key, int n) {
        char begin[64];

        snprintf(begin, sizeof(begin), "\n%s=", key);
        for (; (text = strstr(text, begin)); n--) {
                text += strlen(begin);
                if (n == 0)
                        return strndup(text, strcspn(text, "\n"));
        }
        return NULL;
}

static void check_instants(const struct pattern *a, const struct pattern *b, const char *text) {
        struct wall wall = {};
        int64_t from_us = FROM_US;

        for (int i = 0; i < INSTANTS && from_us != PATTERN_NEVER; i++) {
                int64_t next_us = wall_next_of_pattern(&wall, a, from_us);
                if (wall_next_of_pattern(&wall, b, from_us) != next_us)
                        ck_abort_msg("%s: after %lld", text, (long long)from_us);
                from_us = next_us;
        }
}

START_TEST(an_imported_crontab_fires_when_it_did) {
        static const char *const times[] = {
                "* * * * *",    "*/15\t* * * *", "17 *  * * *",      "0 0 1,15 * 1",   "30 2 */2 * fri", "0 4 L * *",
                "0 0 * * 5#2",  "@daily",        "@Weekly",          "0 9-17/2 * * *", "5 4 * * 0-7",    "@monthly",
                "0 0 13 * FRI", "0 0 15W * *",   "*/7 8-18 * * 1-5", "59 23 31 12 *",  "@hourly",
        };
        struct import_crontab how = {.origin = "a test", .has_users = true};
        char crontab[4096] = "";
        struct import i;

        for (int k = 0; k < COUNT(times); k++)
                sprintf(crontab + strlen(crontab), "%s%s root /bin/true %d\n", k % 2 ? "-" : "", times[k], k);
        ck_assert_int_eq(import_begin(&i), 0);
        import_crontab(&i, crontab, &how);
        ck_assert_int_eq(import_finish(&i), 0);
        ck_assert_uint_eq(i.n, sizeof(times) / sizeof(times[0]));
        ck_assert_uint_eq(i.n_lost, 0);
        for (int k = 0; k < COUNT(times); k++) {
                char *value = find_value(i.text, "Cron", k);
                struct pattern *was, *is;
                struct pattern_error error;
                ck_assert_int_eq(cron_parse(times[k], false, &was, &error), 0);
                ck_assert_msg(value && cron_parse(value, false, &is, &error) == 0, "%s: %s", times[k], value);
                check_instants(was, is, times[k]);
                pattern_free(was);
                pattern_free(is);
                free(value);
        }
        import_done(&i);
}
END_TEST

START_TEST(an_imported_timer_fires_when_it_did) {
        static const char *const events[] = {"daily", "Mon..Fri  02:30", "*-*~1 23:00 UTC", "*:0/7", "Sat *-*-1..7 18:00:30"};
        char text[1024] = "[Timer]\n";
        struct unit_file timer;
        struct import i;

        for (int k = 0; k < COUNT(events); k++)
                sprintf(text + strlen(text), "OnCalendar=%s\n", events[k]);
        ck_assert_int_eq(unit_file_parse(text, &timer), 0);
        ck_assert_int_eq(import_begin(&i), 0);
        import_timer(&i, "t", &timer, NULL);
        ck_assert_int_eq(import_finish(&i), 0);
        for (int k = 0; k < COUNT(events); k++) {
                char *value = find_value(i.text, "OnCalendar", k);
                struct pattern *was, *is;
                struct pattern_error error;
                ck_assert_int_eq(calendar_parse(events[k], &was, &error), 0);
                ck_assert_msg(value && calendar_parse(value, &is, &error) == 0, "%s: %s", events[k], value);
                check_instants(was, is, events[k]);
                pattern_free(was);
                pattern_free(is);
                free(value);
        }
        unit_file_done(&timer);
        import_done(&i);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("import");
        TCase *tcase = tcase_create("tables");

        tcase_add_loop_test(tcase, a_command_gets_a_name_and_a_shell_if_it_needs_one, 0, COUNT(commands));
        tcase_add_test(tcase, names_are_valid_and_unlike_each_other);
        tcase_add_test(tcase, a_unit_is_read_as_systemd_reads_it);
        tcase_add_loop_test(tcase, users_in_the_lines_are_noticed, 0, COUNT(crontabs));
        tcase_add_test(tcase, an_imported_crontab_fires_when_it_did);
        tcase_add_test(tcase, an_imported_timer_fires_when_it_did);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
