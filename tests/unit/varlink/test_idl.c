// SPDX-License-Identifier: MIT
// The interface's text has every member of the table, each under its comment, and names that Varlink allows.

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/varlink/api.h"
#include "tests/unit/run_suite.h"

static char *idl;

static void setup(void) {
        ck_assert_int_eq(api_print_idl(&idl), 0);
}

static void teardown(void) {
        free(idl);
}

static bool is_type(const char *name) {
        size_t n;
        const struct api_row *types = api_types(&n);
        for (size_t i = 0; i < n; i++)
                if (strcmp(types[i].name, name) == 0)
                        return true;
        return false;
}

static void check_fields(const char *of, const struct api_field *fields, size_t n) {
        for (size_t i = 0; i < n; i++) {
                char text[1024];
                ck_assert_msg(islower((unsigned char)fields[i].name[0]), "%s.%s", of, fields[i].name);
                for (const char *c = fields[i].name; *c; c++)
                        ck_assert_msg(isalnum((unsigned char)*c), "%s.%s", of, fields[i].name);
                bool is_object = fields[i].type == API_OBJECT || fields[i].type == API_OBJECTS;
                ck_assert_msg(is_object == (fields[i].of && is_type(fields[i].of)), "%s.%s", of, fields[i].name);
                for (size_t k = 0; k < i; k++)
                        ck_assert_str_ne(fields[k].name, fields[i].name);
                snprintf(text, sizeof(text), "# %s\n        %s: ", fields[i].help, fields[i].name);
                ck_assert_msg(strstr(idl, text) != NULL, "%s.%s", of, fields[i].name);
        }
}

static void check_row(const char *keyword, const struct api_row *row) {
        char text[1024];
        ck_assert_msg(isupper((unsigned char)row->name[0]), "%s", row->name);
        snprintf(text, sizeof(text), "\n%s %s", keyword, row->name);
        ck_assert_msg(strstr(idl, text) != NULL, "%s", row->name);
        check_fields(row->name, row->in, row->n_in);
        check_fields(row->name, row->out, row->n_out);
}

START_TEST(every_member_is_there_under_its_comment) {
        size_t n;
        const struct api_row *types = api_types(&n);
        for (size_t i = 0; i < n; i++)
                check_row("type", &types[i]);
        for (size_t i = 0; i < API_METHOD_MAX; i++)
                check_row("method", &api_methods()[i]);
        for (size_t i = 0; i < API_ERROR_MAX; i++)
                check_row("error", &api_errors()[i]);
}
END_TEST

START_TEST(no_line_is_neither_comment_nor_member) {
        char *save = NULL;
        int depth = 0;
        for (char *line = strtok_r(idl, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (line[strspn(line, " ")] == '#')
                        continue;
                for (char *c = line; *c; c++)
                        depth += (*c == '(') - (*c == ')');
                ck_assert_msg(depth == 0 || depth == 1, "%s", line);
                ck_assert_msg(!strchr(line, '#'), "%s", line);
        }
        ck_assert_int_eq(depth, 0);
}
END_TEST

START_TEST(types_are_written_as_varlink_has_them) {
        ck_assert_ptr_nonnull(strstr(idl, "\ninterface io.chimed\n"));
        ck_assert_ptr_nonnull(strstr(idl, " jobs: ?[]string"));
        ck_assert_ptr_nonnull(strstr(idl, " jobs: []Job"));
        ck_assert_ptr_nonnull(strstr(idl, " hold: ?Hold"));
        ck_assert_ptr_nonnull(strstr(idl, "\nmethod GetStatus() -> ("));
        ck_assert_ptr_nonnull(strstr(idl, "\nerror NotReady ()\n"));
        ck_assert_ptr_null(strstr(idl, ": any"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("idl");
        TCase *tc = tcase_create("idl");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, every_member_is_there_under_its_comment);
        tcase_add_test(tc, no_line_is_neither_comment_nor_member);
        tcase_add_test(tc, types_are_written_as_varlink_has_them);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
