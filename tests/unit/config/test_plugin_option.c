// SPDX-License-Identifier: MIT
// Options that plugins declare: which texts are values of which, and the lines that tell of them.

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/plugin_option.h"
#include "tests/unit/run_suite.h"

#define OPTION(t, ...)                                                                                                         \
        { .name = "o", .type = PLUGIN_OPTION_##t, .choices = "", .default_text = "", .help = "", __VA_ARGS__ }
#define CHOICE(words)                                                                                                          \
        { .name = "o", .type = PLUGIN_OPTION_CHOICE, .choices = words, .default_text = "", .help = "" }

static const struct {
        struct plugin_option option;
        const char *text;
        int64_t value;
        const char *why; /* NULL: it is a value */
} values[] = {
        {OPTION(STRING), "", 0, NULL},
        {OPTION(STRING), "abc", 3, NULL},
        {OPTION(STRING, .min = 1, .max = 4), "abcd", 4, NULL},
        {OPTION(STRING, .min = 1, .max = 4), "", 0, "has 0 bytes, give 1 to 4"},
        {OPTION(INTEGER), "-9223372036854775808", INT64_MIN, NULL},
        {OPTION(INTEGER), "+7", 7, NULL},
        {OPTION(INTEGER), "9223372036854775808", 0, "is out of range of a integer"},
        {OPTION(INTEGER), "", 0, "is not of type integer"},
        {OPTION(INTEGER), " 7", 0, "is not of type integer"},
        {OPTION(INTEGER), "+-7", 0, "is not of type integer"},
        {OPTION(INTEGER), "7x", 0, "is not of type integer"},
        {OPTION(INTEGER, .min = -3, .max = 3), "-3", -3, NULL},
        {OPTION(INTEGER, .min = -3, .max = 3), "4", 0, "give -3 to 3"},
        {OPTION(BOOL), "yes", 1, NULL},
        {OPTION(BOOL), "OFF", 0, NULL},
        {OPTION(BOOL), "1", 1, NULL},
        {OPTION(BOOL), "2", 0, "is neither yes nor no"},
        {OPTION(DURATION), "1min 30s", 90000000, NULL},
        {OPTION(DURATION), "infinity", INT64_MAX, NULL},
        {OPTION(DURATION), "soon", 0, "is not of type duration"},
        {OPTION(DURATION, .min = 1000, .max = 60000000), "2min", 0, "give 1ms to 1min"},
        {OPTION(SIZE), "64K", 65536, NULL},
        {OPTION(SIZE), "-1", 0, "is not of type size"},
        {OPTION(SIZE, .min = 1, .max = 1024), "2K", 0, "give 1 to 1024"},
        {CHOICE("get head post"), "get", 0, NULL},
        {CHOICE("get head post"), "post", 2, NULL},
        {CHOICE("get head post"), "he", 0, "give one of: get head post"},
        {CHOICE("get head post"), "", 0, "give one of: get head post"},
        {CHOICE("get head post"), "get head", 0, "give one of: get head post"},
};

START_TEST(a_text_is_a_value_or_told_why_not) {
        char why[160] = "";
        int64_t value = -99;
        int r = plugin_option_parse(&values[_i].option, values[_i].text, &value, why);

        ck_assert_msg(r == (values[_i].why ? -EINVAL : 0), "row %d: %d, %s", _i, r, why);
        ck_assert_str_eq(why, values[_i].why ? values[_i].why : "");
        ck_assert_msg(value == (r < 0 ? -99 : values[_i].value), "row %d: %" PRId64, _i, value);
}
END_TEST

START_TEST(a_value_has_a_bound) {
        static char text[PLUGIN_VALUE_MAX + 2];
        struct plugin_option option = OPTION(STRING);
        char why[160] = "";
        int64_t value;

        memset(text, 'x', PLUGIN_VALUE_MAX);
        ck_assert_int_eq(plugin_option_parse(&option, text, &value, why), 0);
        text[PLUGIN_VALUE_MAX] = 'x';
        ck_assert_int_eq(plugin_option_parse(&option, text, &value, why), -EINVAL);
}
END_TEST

#define SIXTEEN "0123456789abcdef"

/* What a plugin may say, in lines; what is no description is refused. */
static const struct {
        const char *text;
        int result;
} lines[] = {
        {"plugin\tp\t\n", 0},
        {"plugin\tp\tdoes it", 0},
        {"plugin\tp\tdoes it\noption\to\tstring\toptional\t0\t0\t\t\t\n", 0},
        {"plugin\tp\tdoes it\noption\to\tinteger\trequired\t-5\t7\t\t7\thow many\n"
         "option\tO_2-x\tchoice\toptional\t0\t0\ta b\tb\twhich\n",
         0},
        {"", -EBADMSG},
        {"option\to\tstring\toptional\t0\t0\t\t\t\n", -EBADMSG},
        {"plugin\t\tno name\n", -EBADMSG},
        {"plugin\tp\n", -EBADMSG},
        {"plugin\tp\tx\ty\n", -EBADMSG},
        {"plugin\tp\t\xff\n", -EBADMSG},
        {"plugin\tp\t\x1b[31mred\n", -EBADMSG},
        {"plugin\tp\x7f\t\n", -EBADMSG},
        {"plugin\tp\t\xc2\x9b"
         "31mred\n",
         -EBADMSG},
        {"plugin\tp\t\xc3\x9b and \xc2\xa0\n", 0},
        {"plugin\t" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "\t\n", 0},
        {"plugin\t" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "7\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tstring\toptional\t0\t0\t\t\thelp\r\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tstring\toptional\t0\t0\t\t\b\thelp\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tchoice\toptional\t0\t0\ta \x1b\t\thelp\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tstring\toptional\t0\t0\t\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tstring\toptional\t0\t0\t\t\t\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to o\tstring\toptional\t0\t0\t\t\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\ttext\toptional\t0\t0\t\t\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tstring\toptional\tx\t0\t\t\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tinteger\toptional\t5\t4\t\t\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tinteger\toptional\t0\t4\t\t5\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tchoice\toptional\t0\t0\t\t\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tstring\toptional\t0\t0\ta\t\t\n", -EBADMSG},
        {"plugin\tp\t\noption\to\tbool\toptional\t0\t0\t\t\t\noption\to\tbool\toptional\t0\t0\t\t\t\n", -EBADMSG},
};

START_TEST(a_description_reads_back_or_is_refused) {
        struct plugin_description d = {};
        char *again = NULL;
        int r = plugin_description_parse(lines[_i].text, strlen(lines[_i].text), &d);

        ck_assert_msg(r == lines[_i].result, "row %d: %d", _i, r);
        if (r < 0)
                return;
        ck_assert_int_eq(plugin_description_print(&d, &again), 0);
        size_t n = strlen(lines[_i].text);
        ck_assert_msg(strncmp(again, lines[_i].text, n) == 0 && strlen(again + n) <= 1, "row %d: %s", _i, again);
        free(again);
        plugin_description_done(&d);
        plugin_description_done(&d);
}
END_TEST

START_TEST(no_more_options_than_the_bound) {
        static char text[PLUGIN_OPTIONS_MAX * 64];
        struct plugin_description d;
        size_t at = (size_t)sprintf(text, "plugin\tp\t\n");

        for (unsigned i = 0; i < PLUGIN_OPTIONS_MAX; i++)
                at += (size_t)sprintf(text + at, "option\to%u\tbool\toptional\t0\t0\t\t\t\n", i);
        ck_assert_int_eq(plugin_description_parse(text, at, &d), 0);
        ck_assert_uint_eq(d.n_options, PLUGIN_OPTIONS_MAX);
        ck_assert_ptr_nonnull(plugin_option_find(&d, "o63"));
        ck_assert_ptr_null(plugin_option_find(&d, "o64"));
        plugin_description_done(&d);
        at += (size_t)sprintf(text + at, "option\tlast\tbool\toptional\t0\t0\t\t\t\n");
        ck_assert_int_eq(plugin_description_parse(text, at, &d), -EBADMSG);
}
END_TEST

START_TEST(what_a_plugin_says_cannot_break_the_lines) {
        struct plugin_option option = OPTION(STRING);
        struct plugin_description d = {.name = "p\tq", .description = "\n", .options = &option, .n_options = 1}, back;
        char *text;

        option.help = "a\tb\nc";
        ck_assert_int_eq(plugin_description_print(&d, &text), 0);
        ck_assert_int_eq(plugin_description_parse(text, strlen(text), &back), 0);
        ck_assert_str_eq(back.name, "p q");
        ck_assert_str_eq(back.options[0].help, "a b c");
        plugin_description_done(&back);
        free(text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("plugin_option");
        TCase *tc = tcase_create("options");
        tcase_add_loop_test(tc, a_text_is_a_value_or_told_why_not, 0, sizeof(values) / sizeof(values[0]));
        tcase_add_test(tc, a_value_has_a_bound);
        tcase_add_loop_test(tc, a_description_reads_back_or_is_refused, 0, sizeof(lines) / sizeof(lines[0]));
        tcase_add_test(tc, no_more_options_than_the_bound);
        tcase_add_test(tc, what_a_plugin_says_cannot_break_the_lines);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
