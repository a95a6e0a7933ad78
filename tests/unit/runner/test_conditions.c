// SPDX-License-Identifier: MIT
// Conditions as the runner sees them: what the machine says, which process asks, and what its end means.

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/job_draft.h"
#include "daemon/core/util.h"
#include "daemon/runner/conditions.h"
#include "tests/unit/run_suite.h"

/* Power supplies as "NAME ATTRIBUTE=VALUE ...", one a line. */
static const struct {
        const char *supplies;
        bool is_on_mains;
} machines[] = {
        {"", true},
        {"AC type=Mains online=1\n", true},
        {"AC type=Mains online=0\n", false},
        {"AC type=Mains online=0\nBAT0 type=Battery status=Discharging\n", false},
        {"AC type=Mains online=1\nBAT0 type=Battery status=Discharging\n", true},
        {"BAT0 type=Battery status=Discharging\n", false},
        {"BAT0 type=Battery status=Full\n", true},
        {"AC type=Mains online=0\nucsi type=USB_C online=1\n", true},
        {"mouse type=Battery status=Discharging scope=Device\n", true},
        {"AC type=Mains\n", true}, /* it says nothing */
};

static void make_supply(const char *folder, char *line) {
        char path[256], *at, *name = strtok_r(line, " ", &at), *word;

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        while ((word = strtok_r(NULL, " ", &at))) {
                char *equals = strchr(word, '=');
                *equals = '\0';
                snprintf(path, sizeof(path), "%s/%s/%s", folder, name, word);
                FILE *file = fopen(path, "we");
                fprintf(file, "%s\n", equals + 1);
                fclose(file);
        }
}

START_TEST(the_power_supplies_say_where_the_power_comes_from) {
        char folder[] = "/tmp/test-conditions-XXXXXX", text[256], *at, command[64];

        ck_assert_ptr_nonnull(mkdtemp(folder));
        strcpy(text, machines[_i].supplies);
        for (char *line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
                make_supply(folder, line);
        ck_assert_msg(conditions_on_mains(folder) == machines[_i].is_on_mains, "%s", machines[_i].supplies);
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(a_machine_without_such_a_folder_is_on_mains) {
        ck_assert(conditions_on_mains("/nonexistent/power_supply"));
}
END_TEST

static char **words(const char *first, const char *second) {
        char **list = NULL;

        ck_assert_int_eq(strv_take(&list, 0, strdup(first)), 0);
        if (second)
                ck_assert_int_eq(strv_take(&list, 1, strdup(second)), 0);
        return list;
}

/* A job with one condition of each kind. */
static struct job_what make_what(void) {
        struct job_what what;

        job_what_init(&what);
        what.argv = words("/bin/program", NULL);
        what.has_identity = true;
        what.uid = 4711;
        what.timeout_us = 7;
        what.n_conditions = 5;
        what.conditions = calloc(what.n_conditions, sizeof(*what.conditions));
        what.conditions[0] = (struct job_condition){.kind = JOB_CONDITION_PATH_EXISTS, .argv = words("/a", NULL)};
        what.conditions[1] = (struct job_condition){.kind = JOB_CONDITION_LOAD_BELOW, .load_milli = 1000000000};
        what.conditions[2] = (struct job_condition){.kind = JOB_CONDITION_UNIT_ACTIVE, .argv = words("x.service", NULL)};
        what.conditions[3] = (struct job_condition){.kind = JOB_CONDITION_EXEC, .argv = words("/bin/ask", "a b")};
        what.conditions[4] = (struct job_condition){.kind = JOB_CONDITION_EXEC, .argv = words("true", NULL)};
        return what;
}

START_TEST(a_load_is_below_what_none_reaches) {
        struct job_what what = make_what();
        char text[WIRE_CONDITION_MAX] = "";

        ck_assert(conditions_hold_here(&what, text));
        what.conditions[1].load_milli = 0; /* not even an idle machine is below */
        ck_assert(!conditions_hold_here(&what, text));
        ck_assert_msg(strncmp(text, "ConditionLoadBelow=0 (the load is ", 34) == 0, "%s", text);
        job_what_done(&what);
}
END_TEST

START_TEST(units_are_asked_first_and_as_nobody_but_ourselves) {
        struct job_what what = make_what();

        ck_assert_uint_eq(conditions_n_processes(&what), 3);
        ck_assert_uint_eq(conditions_n_units(&what), 1);
        ck_assert_int_eq(conditions_make_process(&what, 0, false), 0);
        ck_assert_str_eq(what.argv[0], "systemctl");
        ck_assert_str_eq(what.argv[1], "--system");
        ck_assert_str_eq(what.argv[4], "x.service");
        ck_assert(!what.has_identity);
        ck_assert_int_eq(what.timeout_us, 7);
        job_what_done(&what);

        what = make_what();
        ck_assert_int_eq(conditions_make_process(&what, 1, false), 0);
        ck_assert_str_eq(what.argv[0], "/bin/ask");
        ck_assert_str_eq(what.argv[1], "a b");
        ck_assert(what.has_identity && what.uid == 4711);
        job_what_done(&what);
}
END_TEST

static const struct {
        unsigned n; /* 0: of the unit, 1: of the command */
        struct run_end end;
        enum conditions_answer answer;
        const char *text;
} ends[] = {
        {0, {.exit_code = 0}, CONDITIONS_HOLD, ""},
        {0, {.exit_code = 3}, CONDITIONS_DO_NOT_HOLD, "ConditionUnitActive=x.service (it is not active)"},
        {0, {.exit_code = 4}, CONDITIONS_DO_NOT_HOLD, "ConditionUnitActive=x.service (there is no such unit)"},
        {0,
         {.exit_code = 1},
         CONDITIONS_DO_NOT_HOLD,
         "ConditionUnitActive=x.service (systemctl can't tell; is systemd running?)"},
        {0,
         {.exit_code = -1, .step = RUN_STEP_EXEC, .error = ENOENT},
         CONDITIONS_DO_NOT_HOLD,
         "ConditionUnitActive=x.service (systemctl can't tell; is systemd running?)"},
        {1, {.exit_code = 0}, CONDITIONS_HOLD, ""},
        {1, {.exit_code = 1}, CONDITIONS_DO_NOT_HOLD, "ExecCondition=/bin/ask \"a b\" (exit 1)"},
        {1, {.exit_code = 254}, CONDITIONS_DO_NOT_HOLD, "ExecCondition=/bin/ask \"a b\" (exit 254)"},
        {1, {.exit_code = 255}, CONDITIONS_FAILED, "ExecCondition=/bin/ask \"a b\" (exit 255)"},
        {1, {.exit_code = -1, .signal = SIGSEGV}, CONDITIONS_FAILED, "ExecCondition=/bin/ask \"a b\" (ended by signal 11)"},
        {1,
         {.exit_code = -1, .step = RUN_STEP_EXEC, .error = ENOENT},
         CONDITIONS_FAILED,
         "ExecCondition=/bin/ask \"a b\" (No such file or directory)"},
};

START_TEST(the_end_of_a_question_is_judged_as_systemd_does) {
        struct job_what what = make_what();
        char text[WIRE_CONDITION_MAX] = "";

        ck_assert_int_eq(conditions_judge(&what, ends[_i].n, &ends[_i].end, text), ends[_i].answer);
        ck_assert_str_eq(text, ends[_i].text);
        job_what_done(&what);
}
END_TEST

START_TEST(a_long_condition_is_cut_before_what_is_wrong) {
        struct job_what what = make_what();
        char text[WIRE_CONDITION_MAX], path[1000] = "/";

        memset(path + 1, 'x', sizeof(path) - 2);
        path[sizeof(path) - 1] = '\0';
        free(what.conditions[0].argv[0]);
        what.conditions[0].argv[0] = strdup(path);
        conditions_tell_path(&what.conditions[0], EACCES, text);
        ck_assert_msg(strstr(text, "xx (Permission denied)"), "%s", text);
        job_what_done(&what);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("conditions");
        TCase *tcase = tcase_create("conditions");

        tcase_add_loop_test(tcase, the_power_supplies_say_where_the_power_comes_from, 0, ARRAY_SIZE(machines));
        tcase_add_test(tcase, a_machine_without_such_a_folder_is_on_mains);
        tcase_add_test(tcase, a_load_is_below_what_none_reaches);
        tcase_add_test(tcase, units_are_asked_first_and_as_nobody_but_ourselves);
        tcase_add_loop_test(tcase, the_end_of_a_question_is_judged_as_systemd_does, 0, ARRAY_SIZE(ends));
        tcase_add_test(tcase, a_long_condition_is_cut_before_what_is_wrong);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
