// SPDX-License-Identifier: MIT
// ini: events and diagnostics of texts, good and bad; values arrive whole and literal.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/ini.h"
#include "tests/unit/run_suite.h"

/* What was called, as text: "S1 kind|name" "K2:5 key|value" "B3", each ended by '\n'. */
struct record {
        char *text;
        size_t size;
        FILE *stream;
};

static void on_section(void *userdata, unsigned line, const char *kind, const char *name) {
        fprintf(((struct record *)userdata)->stream, "S%u %s|%s\n", line, kind, name);
}

static void on_key(void *userdata, unsigned line, unsigned column, const char *key, const char *value) {
        fprintf(((struct record *)userdata)->stream, "K%u:%u %s|%s\n", line, column, key, value);
}

static void on_broken(void *userdata, unsigned line) {
        fprintf(((struct record *)userdata)->stream, "B%u\n", line);
}

static const struct ini_events events = {.header = "[h NAME]", .section = on_section, .key = on_key, .broken = on_broken};

/* Parses a copy of exactly size bytes; gives the calls and the first diagnostic ("" for none). */
static char *parse(const char *text, size_t size, struct diags *diags) {
        struct record record = {};
        char *copy = malloc(size + !size);

        memcpy(copy, text, size);
        record.stream = open_memstream(&record.text, &record.size);
        ck_assert_int_eq(ini_parse_text("f", copy, size, &events, &record, diags), 0);
        fclose(record.stream);
        free(copy);
        return record.text;
}

static const struct {
        const char *text, *calls, *diag;
} rows[] = {
        {"", "", NULL},
        {"\n\n", "", NULL},
        {"[job x]\nA=b\n", "S1 job|x\nK2:3 A|b\n", NULL},
        {"[job x]\nA=b", "S1 job|x\nK2:3 A|b\n", NULL},
        {"[job x]\r\nA=b\r\n", "S1 job|x\nK2:3 A|b\n", NULL},
        {"\xef\xbb\xbf[job x]\nA=b\n", "S1 job|x\nK2:3 A|b\n", NULL},
        {"[ job   x y ] \t\nA = b c \n", "S1 job|x y\nK2:5 A|b c\n", NULL},
        {"[defaults]\n", "S1 defaults|\n", NULL},
        {"# c\n;c\n[a]\n#c=d\nA=1\n", "S3 a|\nK5:3 A|1\n", NULL},
        /* values are literal */
        {"[a]\nA=x ; y # z\n", "S1 a|\nK2:3 A|x ; y # z\n", NULL},
        {"[a]\nA=;\nB=#\n", "S1 a|\nK2:3 A|;\nK3:3 B|#\n", NULL},
        {"[a]\nA=\"q\" 'r' \\\n", "S1 a|\nK2:3 A|\"q\" 'r' \\\n", NULL},
        {"[a]\nA=b=c:d\n", "S1 a|\nK2:3 A|b=c:d\n", NULL},
        {"[a]\nA=\n", "S1 a|\nK2:3 A|\n", NULL},
        {"[a]\nA=[b]\n", "S1 a|\nK2:3 A|[b]\n", NULL},
        {"[a]\nA=${HOME}\n", "S1 a|\nK2:3 A|${HOME}\n", NULL},
        {"[a]\nA=\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n", "S1 a|\nK2:3 A|\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n", NULL},
        /* continuation lines */
        {"[a]\nA=b\n c ; d\n", "S1 a|\nK2:3 A|b\nc ; d\n", NULL},
        {"[a]\nA=\n  x\n    y\n  z\nB=1\n", "S1 a|\nK2:3 A|x\n  y\nz\nK6:3 B|1\n", NULL},
        {"[a]\nA=\n\tx\n\t\ty\n", "S1 a|\nK2:3 A|x\n\ty\n", NULL},
        {"[a]\nA=\n  x\n\ty\n", "S1 a|\nK2:3 A|x\n\ty\n", NULL},
        {"[a]\nA=b\n#c\n  d\n", "S1 a|\nK2:3 A|b\nd\n", NULL},
        {"[a]\nA=b\n\n   \n  d\n\nB=1\n", "S1 a|\nK2:3 A|b\n\n\nd\nK7:3 B|1\n", NULL},
        {"[a]\nA=b\n  # c\n", "S1 a|\nK2:3 A|b\n# c\n", NULL},
        {"[a]\nA=b\n  B=c\n", "S1 a|\nK2:3 A|b\nB=c\n", NULL},
        {"[a]\nA=b\n [c]\n", "S1 a|\nK2:3 A|b\n[c]\n", NULL},
        /* errors */
        {"A=b\n", "B1\n", "f:1:1: A= stands before any section; begin with [h NAME]"},
        {"[a]\nhello\nA=1\n", "S1 a|\nB2\nK3:3 A|1\n",
         "f:2:1: neither [section], KEY=VALUE nor a comment; a line that continues a value is indented"},
        {"[a]\nA b=1\n", "S1 a|\nB2\n", "f:2:3: the key before = may hold only letters and digits"},
        {"[a]\n=1\n", "S1 a|\nB2\n", "f:2:1: the key before = may hold only letters and digits"},
        {"[a]\n  A=1\n", "S1 a|\nB2\n",
         "f:2:1: an indented line, but no value before it that it could continue; keys begin in column 1"},
        {"[a]\nA=1\nhello\n  more\nB=2\n", "S1 a|\nK2:3 A|1\nB3\nK5:3 B|2\n",
         "f:3:1: neither [section], KEY=VALUE nor a comment; a line that continues a value is indented"},
        {"[a] b\nA=1\n", "S1 |\nK2:3 A|1\n", "f:1:5: text after the closing ] of the section header"},
        {"[a]]\n", "S1 |\n", "f:1:4: text after the closing ] of the section header"},
        {"[a\nA=1\n", "S1 |\nK2:3 A|1\n", "f:1:2: the section header has no closing ]"},
        {"[]\n", "S1 |\n", "f:1:1: the section header is empty; write [h NAME]"},
        {"[ ]\n", "S1 |\n", "f:1:1: the section header is empty; write [h NAME]"},
        {"[\n", "S1 |\n", "f:1:1: the section header has no closing ]"},
        {"]\n", "B1\n", "f:1:1: neither [section], KEY=VALUE nor a comment; a line that continues a value is indented"},
        {"[a]\nA=x\x01y\n", "S1 a|\nB2\n", "f:2:4: control character 0x01; only text and tabs are allowed"},
        {"[a]\nA=x\ry\n", "S1 a|\nB2\n", "f:2:4: control character 0x0d; only text and tabs are allowed"},
        {"[a]\nA=\xff\n", "S1 a|\nB2\n", "f:2:3: byte 0xff is not UTF-8; write the file in UTF-8"},
        {"[a]\nA=\xc0\x80\n", "S1 a|\nB2\n", "f:2:3: byte 0xc0 is not UTF-8; write the file in UTF-8"},
        {"[a]\nA=\xe0\x80\x80\n", "S1 a|\nB2\n", "f:2:3: byte 0xe0 is not UTF-8; write the file in UTF-8"},
        {"[a]\nA=\xed\xa0\x80\n", "S1 a|\nB2\n", "f:2:3: byte 0xed is not UTF-8; write the file in UTF-8"},
        {"[a]\nA=\xf4\x90\x80\x80\n", "S1 a|\nB2\n", "f:2:3: byte 0xf4 is not UTF-8; write the file in UTF-8"},
        {"[a]\nA=\xc3\n", "S1 a|\nB2\n", "f:2:3: byte 0xc3 is not UTF-8; write the file in UTF-8"},
        {"[a]\nA=\xf0\x9f\x98", "S1 a|\nB2\n", "f:2:3: byte 0xf0 is not UTF-8; write the file in UTF-8"},
};

START_TEST(text_gives_the_expected_calls_and_diagnostic) {
        struct diags diags = {};
        char *calls = parse(rows[_i].text, strlen(rows[_i].text), &diags);
        char *diag = diags.n > 0 ? diag_print(&diags.list[0]) : NULL;

        ck_assert_msg(strcmp(calls, rows[_i].calls) == 0, "\"%s\" gave\n%s", rows[_i].text, calls);
        if (rows[_i].diag)
                ck_assert_msg(diag && strcmp(diag, rows[_i].diag) == 0, "\"%s\": %s", rows[_i].text, diag);
        else
                ck_assert_msg(!diag, "\"%s\": %s", rows[_i].text, diag);
        ck_assert_uint_le(diags.n, 1);
        free(diag);
        free(calls);
        diags_done(&diags);
}
END_TEST

START_TEST(a_nul_byte_is_told_at_its_place) {
        static const char text[] = "[a]\nA=x\0y\nB=1\n";
        struct diags diags = {};
        char *calls = parse(text, sizeof(text) - 1, &diags);

        ck_assert_str_eq(calls, "S1 a|\nB2\nK3:3 B|1\n");
        ck_assert_uint_eq(diags.n, 1);
        ck_assert_uint_eq(diags.list[0].column, 4);
        free(calls);
        diags_done(&diags);
}
END_TEST

START_TEST(a_nul_byte_in_a_comment_is_told) {
        struct diags diags = {};
        char *calls = parse("# \0\n", 4, &diags);

        ck_assert_uint_eq(diags.n_errors, 1);
        free(calls);
        diags_done(&diags);
}
END_TEST

/* Lengths around what inih cuts at (49, 199) and around our own bound. */
static const size_t lengths[] = {
        48, 49, 50, 51, 197, 198, 199, 200, 201, 1000, 5000, INI_LINE_MAX - 3, INI_LINE_MAX - 2, INI_LINE_MAX - 1};

START_TEST(a_value_of_any_length_arrives_whole_or_is_refused) {
        static char value[INI_LINE_MAX], text[INI_LINE_MAX + 100], expected[INI_LINE_MAX + 100];
        size_t length = lengths[_i];
        struct diags diags = {};

        for (size_t i = 0; i < length; i++)
                value[i] = i + 1 < length ? "x;y#z =\"user=evil "[i % 18] : 'e';
        value[length] = 0;
        int n = sprintf(text, "[a]\nA=%s\nB=1\n", value);
        char *calls = parse(text, (size_t)n, &diags);
        if (length + 2 <= INI_LINE_MAX)
                sprintf(expected, "S1 a|\nK2:3 A|%s\nK3:3 B|1\n", value);
        else
                sprintf(expected, "S1 a|\nB2\nK3:3 B|1\n");
        ck_assert_msg(strcmp(calls, expected) == 0, "%zu bytes", length);
        ck_assert_uint_eq(diags.n_errors, length + 2 > INI_LINE_MAX);
        free(calls);
        diags_done(&diags);
}
END_TEST

START_TEST(a_long_continuation_is_one_value_and_never_a_key) {
        struct diags diags = {};
        char text[1200], *calls;
        int n = sprintf(text, "[a]\nA=1\n %0250d User=evil\n", 0);

        calls = parse(text, (size_t)n, &diags);
        ck_assert_ptr_nonnull(strstr(calls, "0 User=evil"));
        ck_assert_ptr_null(strstr(calls, "User|"));
        ck_assert_uint_eq(diags.n, 0);
        free(calls);
        diags_done(&diags);
}
END_TEST

START_TEST(every_error_is_told_and_their_number_is_bounded) {
        struct diags diags = {};
        char *text = malloc(6 * 3000 + 4);

        strcpy(text, "[a]\n");
        for (int i = 0; i < 3000; i++)
                memcpy(text + 4 + 6 * i, "wrong\n", 6);
        free(parse(text, 4 + 6 * 3000, &diags));
        ck_assert_uint_eq(diags.n, DIAGS_MAX);
        ck_assert_uint_eq(diags.n_errors, 3000);
        ck_assert_uint_eq(diags.list[DIAGS_MAX - 1].line, DIAGS_MAX + 1);
        free(text);
        diags_done(&diags);
}
END_TEST

START_TEST(diagnostics_sort_by_place_and_keep_their_order_there) {
        struct diags diags = {};

        diags_add(&diags, false, "b", 1, 0, "1");
        diags_add(&diags, false, "a", 2, 5, "2");
        diags_add(&diags, true, "a", 2, 5, "3");
        diags_add(&diags, false, "a", 2, 1, "4\nx");
        diags_add(&diags, false, "a", 0, 0, "5");
        diags_sort(&diags);
        char order[6] = "";
        for (size_t i = 0; i < 5; i++)
                order[i] = diags.list[i].text[0];
        ck_assert_str_eq(order, "54231");
        ck_assert_str_eq(diags.list[1].text, "4 x");
        ck_assert_uint_eq(diags.n_errors, 4);
        ck_assert_uint_eq(diags.n_warnings, 1);
        diags_done(&diags);
}
END_TEST

START_TEST(random_bytes_give_only_lines_that_are_there) {
        static const char alphabet[] = "[]=ab \t\n\n\n;#\r\xc3\xa4\xff";
        uint32_t state = 1;

        for (int round = 0; round < 3000; round++) {
                char text[200];
                struct diags diags = {};
                unsigned lines = 1;
                for (size_t i = 0; i < sizeof(text); i++) {
                        state = state * 1664525 + 1013904223;
                        text[i] = alphabet[(state >> 16) % (sizeof(alphabet) - 1)];
                        lines += text[i] == '\n';
                }
                free(parse(text, sizeof(text), &diags));
                for (size_t i = 0; i < diags.n; i++)
                        ck_assert_msg(diags.list[i].line >= 1 && diags.list[i].line <= lines, "round %d: line %u of %u", round,
                                      diags.list[i].line, lines);
                diags_done(&diags);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ini");
        TCase *tcase = tcase_create("ini");

        tcase_add_loop_test(tcase, text_gives_the_expected_calls_and_diagnostic, 0, sizeof(rows) / sizeof(rows[0]));
        tcase_add_test(tcase, a_nul_byte_is_told_at_its_place);
        tcase_add_test(tcase, a_nul_byte_in_a_comment_is_told);
        tcase_add_loop_test(tcase, a_value_of_any_length_arrives_whole_or_is_refused, 0, sizeof(lengths) / sizeof(lengths[0]));
        tcase_add_test(tcase, a_long_continuation_is_one_value_and_never_a_key);
        tcase_add_test(tcase, every_error_is_told_and_their_number_is_bounded);
        tcase_add_test(tcase, diagnostics_sort_by_place_and_keep_their_order_there);
        tcase_add_test(tcase, random_bytes_give_only_lines_that_are_there);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
