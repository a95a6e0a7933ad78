// SPDX-License-Identifier: MIT
// options and verbs: the command line, and that the tables fit together: each verb's methods and options, each error, each event.

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/errors.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/verbs.h"
#include "tests/unit/run_suite.h"

#define COUNT(a)  (int)(sizeof(a) / sizeof((a)[0]))
#define MAX_WORDS 8

/* What is told goes nowhere. */
static void set_up(void) {
        int fd = open("/dev/null", O_WRONLY);

        dup2(fd, STDERR_FILENO);
        dup2(fd, STDOUT_FILENO);
        close(fd);
        setenv("CHIMED_SOCKET", "/nonexistent/io.chimed", 1);
}

/* Splits at blanks into argv with the program's name; returns argc. */
static int split(char *line, char **argv) {
        int argc = 1;

        argv[0] = (char *)"chimectl";
        for (char *word; (word = strsep(&line, " ")) && argc < MAX_WORDS;)
                if (*word)
                        argv[argc++] = word;
        argv[argc] = NULL;
        return argc;
}

static const struct {
        const char *line;
        enum ctl_option option;
        const char *text;
        int64_t number;
        const char *words; /* what is left, joined by blanks; NULL: it is refused */
} values[] = {
        {"list", OPTION_MAX, NULL, 0, "list"},
        {"", OPTION_MAX, NULL, 0, ""},
        {"--json list", OPTION_JSON, NULL, JSON_FORM_PRETTY, "list"},
        {"list --json=short a", OPTION_JSON, "short", JSON_FORM_SHORT, "list a"},
        {"--json=off", OPTION_JSON, "off", JSON_FORM_OFF, ""},
        {"--json=xml", OPTION_JSON, NULL, 0, NULL},
        {"next -n 5 a", OPTION_NUMBER, "5", 5, "next a"},
        {"next a -n5", OPTION_NUMBER, "5", 5, "next a"},
        {"next --number=0", OPTION_NUMBER, NULL, 0, NULL},
        {"next -n -1", OPTION_NUMBER, NULL, 0, NULL},
        {"next -n 99999999999999999999", OPTION_NUMBER, NULL, 0, NULL},
        {"next -n", OPTION_NUMBER, NULL, 0, NULL},
        {"pause a --for=90min", OPTION_FOR, "90min", INT64_C(5400000000), "pause a"},
        {"pause a --for=infinity", OPTION_FOR, NULL, 0, NULL},
        {"pause a --for=-5", OPTION_FOR, NULL, 0, NULL},
        {"cancel --run a", OPTION_RUN, NULL, 0, "cancel a"},
        {"cancel --run=812 a", OPTION_RUN, "812", 812, "cancel a"},
        {"cancel --run=x a", OPTION_RUN, NULL, 0, NULL},
        {"trigger --if-running=replace a", OPTION_IF_RUNNING, "replace", 3, "trigger a"},
        {"trigger --if-running=re a", OPTION_IF_RUNNING, NULL, 0, NULL},
        {"trigger --if-running= a", OPTION_IF_RUNNING, NULL, 0, NULL},
        {"why --at=@1700000000 a", OPTION_AT, "@1700000000", INT64_C(1700000000000000), "why a"},
        {"why --at=2026-11-20T01:30:00Z a", OPTION_AT, "2026-11-20T01:30:00Z", INT64_C(1795138200000000), "why a"},
        {"why --at=sometime a", OPTION_AT, NULL, 0, NULL},
        {"history --since=@1700000000", OPTION_SINCE, "@1700000000", INT64_C(1700000000000000), "history"},
        {"log a -f -n 3", OPTION_FOLLOW, NULL, 0, "log a"},
        {"-q cancel a", OPTION_QUIET, NULL, 0, "cancel a"},
        {"--nonsense", OPTION_MAX, NULL, 0, NULL},
        {"-x", OPTION_MAX, NULL, 0, NULL},
        {"show -- -a", OPTION_MAX, NULL, 0, "show -a"},
};

START_TEST(options_are_read_wherever_they_stand) {
        char line[200], words[200] = "", *argv[MAX_WORDS + 1];
        struct options o;

        strcpy(line, values[_i].line);
        int r = options_parse(split(line, argv), argv, &o);
        ck_assert_msg((r != 0) == !values[_i].words, "%s: %d", values[_i].line, r);
        if (r != 0)
                return;
        for (size_t i = 0; i < o.n_words; i++) {
                strcat(words, i > 0 ? " " : "");
                strcat(words, o.words[i]);
        }
        ck_assert_str_eq(words, values[_i].words);
        if (values[_i].option == OPTION_MAX)
                return;
        const struct option_value *value = &o.values[values[_i].option];
        ck_assert(value->is_set);
        ck_assert_int_eq(value->number, values[_i].number);
        ck_assert_pstr_eq(value->text, values[_i].text);
}
END_TEST

/* Nothing here reaches a chimed. */
static const struct {
        const char *line;
        int status;
} lines[] = {
        {"--help", 0},
        {"help", 0},
        {"help trigger", 0},
        {"trigger --help", 0},
        {"help nothing", 2},
        {"--version", 0},
        {"lits", 2},
        {"backup", 2},
        {"show", 2},
        {"list --force", 2},
        {"trigger a --timeout=5s", 2},
        {"trigger @a/b", 4},
        {"trigger @group", 1},
        {"list --groups a", 2},
        {"wait a b", 2},
        {"wait a --runs=3 --finished", 2},
        {"set-interval a", 2},
        {"set-interval a 5s --reset", 2},
        {"set-interval a 0", 2},
        {"set-interval a soon", 2},
        {"watch --kinds=started,nothing", 2},
        {"check a", 2},
        {"show a/b", 4},
        {"show a", 1},
        {"list", 1},
        {"trigger --wait a", 1},
        {"watch", 1},
};

START_TEST(wrong_command_lines_are_refused_before_anything_is_done) {
        char line[200], *argv[MAX_WORDS + 1];

        strcpy(line, lines[_i].line);
        int status = ctl_run(split(line, argv), argv);
        ck_assert_msg(status == lines[_i].status, "%s: %d", lines[_i].line, status);
}
END_TEST

START_TEST(tables_fit_together) {
        size_t n;
        const struct verb *rows = verbs(&n);
        uint64_t options = 0, methods = 0;

        for (size_t i = 0; i < n; i++) {
                options |= rows[i].options;
                methods |= rows[i].methods;
                ck_assert_ptr_eq(verb_find(rows[i].name), &rows[i]);
                ck_assert(!rows[i].alias || verb_find(rows[i].alias) == &rows[i]);
                ck_assert_msg((rows[i].options & (OPTION_BIT(OPTION_GLOBAL_END) - 1)) == 0, "%s", rows[i].name);
        }
        for (int i = OPTION_GLOBAL_END; i < OPTION_MAX; i++)
                ck_assert_msg(options & OPTION_BIT(i), "no verb takes --%s", option_row((enum ctl_option)i)->name);
        for (int i = 0; i < API_METHOD_MAX; i++)
                ck_assert_msg(methods & OPTION_BIT(i), "no verb calls %s", api_methods()[i].name);
        for (const char *const *kind = api_event_kinds(); *kind; kind++)
                ck_assert_msg(screen_knows_event(*kind), "no words for %s", *kind);
        for (int a = 0; a < OPTION_MAX; a++)
                for (int b = a + 1; b < OPTION_MAX; b++)
                        ck_assert_str_ne(option_row((enum ctl_option)a)->name, option_row((enum ctl_option)b)->name);
}
END_TEST

static const struct {
        const char *error;
        int status;
} errors[] = {
        {"io.chimed.NoSuchJob", 4},
        {"io.chimed.NoSuchRun", 3},
        {"io.chimed.NotArmed", 3},
        {"io.chimed.AlreadyRunning", 1},
        {"io.chimed.NotRunning", 3},
        {"io.chimed.NotPossible", 1},
        {"io.chimed.NotAccepted", 1},
        {"io.chimed.ParametersDiffer", 1},
        {"io.chimed.TimedOut", 124},
        {"io.chimed.LimitReached", 1},
        {"io.chimed.NotReady", 1},
        {"io.chimed.NoLedger", 1},
        {"io.chimed.LedgerFailed", 1},
        {"io.chimed.Unheard", 1},
        {"NoSuchJob", 1},
        {"org.varlink.service.InvalidParameter", 2},
        {"org.varlink.service.PermissionDenied", 1},
};

START_TEST(each_error_has_its_exit_status) {
        ck_assert_msg(errors_status(errors[_i].error) == errors[_i].status, "%s: %d", errors[_i].error,
                      errors_status(errors[_i].error));
}
END_TEST

START_TEST(no_error_is_forgotten) {
        for (int i = 0; i < API_ERROR_MAX; i++) {
                char name[64];
                int found = 0;
                snprintf(name, sizeof(name), "io.chimed.%s", api_errors()[i].name);
                for (int k = 0; k < COUNT(errors); k++)
                        found += strcmp(errors[k].error, name) == 0;
                ck_assert_msg(found == 1, "%s", name);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("options");
        TCase *tcase = tcase_create("command line");
        tcase_add_checked_fixture(tcase, set_up, NULL);
        tcase_add_loop_test(tcase, options_are_read_wherever_they_stand, 0, COUNT(values));
        tcase_add_loop_test(tcase, wrong_command_lines_are_refused_before_anything_is_done, 0, COUNT(lines));
        tcase_add_test(tcase, tables_fit_together);
        tcase_add_loop_test(tcase, each_error_has_its_exit_status, 0, COUNT(errors));
        tcase_add_test(tcase, no_error_is_forgotten);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
