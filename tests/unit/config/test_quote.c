// SPDX-License-Identifier: MIT
// A command as text: Command= reads it back as the same list, and a cut one is whole characters.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "config/utf8.h"
#include "tests/unit/run_suite.h"

/* Argument lists (words that are separated by '|') and how Command= would write them. */
static const struct {
        const char *words, *text;
} quotings[] = {
        {"/bin/true", "/bin/true"},
        {"date|+%F|$x;", "date +%F $x;"},
        {"a|two words|", "a \"two words\" \"\""},
        {"a|it's", "a \"it's\""},
        {"a|say \"hi\"", "a 'say \"hi\"'"},
        {"a|\"it's\"", "a \"\\\"it's\\\"\""},
        {"a|C:\\x", "a \"C:\\\\x\""},
        {"/bin/sh|-c|set -e\n\techo \"$x\"\n", "/bin/sh -c 'set -e\\n\\techo \"$x\"\\n'"},
        {"a|\x1b[31m\x7f", "a \\x1b[31m\\x7f"},
        {"a|\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "a \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a|\xff\xc3|\xc0\x80", "a \\xff\\xc3 \\xc0\\x80"},
};

START_TEST(a_command_is_printed_as_it_would_be_written) {
        char words[100], *argv[8], *printed, *rest = words;
        struct diags diags = {};
        struct job *job = NULL;
        size_t n = 0;

        snprintf(words, sizeof(words), "%s", quotings[_i].words);
        while (rest && n < 7)
                argv[n++] = strsep(&rest, "|");
        argv[n] = NULL;
        ck_assert_int_eq(job_command_print(argv, 1000, &printed), 0);
        ck_assert_msg(strcmp(printed, quotings[_i].text) == 0, "%s", printed);
        struct job_setting setting = {.key = "Command", .value = printed, .file = "f"};
        ck_assert_int_eq(job_build("j", "f", 1, &setting, 1, NULL, &diags, &job), 0);
        for (size_t i = 0; i <= n; i++)
                ck_assert_msg(i < n ? strcmp(job->what.argv[i], argv[i]) == 0 : !job->what.argv[i], "%s: word %zu", printed, i);
        for (size_t max = 3; max < strlen(printed); max++) {
                char *cut;
                ck_assert_int_eq(job_command_print(argv, max, &cut), 0);
                ck_assert_uint_le(strlen(cut), max);
                ck_assert_msg(strcmp(cut + strlen(cut) - 3, "\xe2\x80\xa6") == 0, "%s", cut);
                ck_assert_uint_eq(utf8_find_bad(cut, strlen(cut)), strlen(cut));
                free(cut);
        }
        free(printed);
        job_free(job);
        diags_done(&diags);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("quote");
        tcase_add_loop_test(tcase, a_command_is_printed_as_it_would_be_written, 0, sizeof(quotings) / sizeof(quotings[0]));
        Suite *suite = suite_create("quote");
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
