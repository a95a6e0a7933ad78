// SPDX-License-Identifier: MIT
// group_list: what files say replaces what was in force, but for what they say with errors.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/runner/group_list.h"
#include "tests/unit/run_suite.h"

static struct definitions definitions;
static struct group_list current;

/* "NAME=PLACES" of the file FILE, broken with ! at the end; separated by blanks. */
static void read_into(struct group_list *list, const char *file, const char *text) {
        char *copy = strdup(text), *rest = copy, *word;
        while ((word = strsep(&rest, " "))) {
                unsigned places = 0;
                char name[16], mark = 0;
                if (sscanf(word, "%15[^=]=%u%c", name, &places, &mark) < 2)
                        continue;
                struct group_text group = {.name = strdup(name),
                                           .description = strdup(""),
                                           .file = strdup(file),
                                           .max_running = places,
                                           .is_broken = mark == '!'};
                ck_assert_int_eq(group_list_take(list, &group), 0);
        }
        free(copy);
}

static const char *text_of(const struct group_list *list) {
        static char text[200];
        text[0] = 0;
        for (size_t i = 0; i < list->n; i++)
                sprintf(text + strlen(text), "%s%s=%u", i > 0 ? " " : "", list->list[i].name, list->list[i].max_running);
        return text;
}

START_TEST(what_is_read_takes_effect_but_for_what_is_broken) {
        static const struct {
                const char *read, *result;
                bool is_file_broken, has_changed;
        } rows[] = {
                {"a=1 b=2 c=3", "a=1 b=2 c=3", false, false},
                {"a=1 c=4", "a=1 c=4", false, true},
                {"a=1 b=0! c=3", "a=1 b=2 c=3", false, false},
                {"a=1 aa=7! c=3", "a=1 c=3", false, true},
                {"", "", false, true},
                {"", "a=1 b=2 c=3", true, false},
                {"b=5 d=1", "a=1 b=5 c=3 d=1", true, true},
        };
        struct group_list read = {};
        bool has_changed;

        definitions_init(&definitions);
        read_into(&current, "one.ini", "a=1 b=2 c=3");
        read_into(&read, "two.ini", rows[_i].read);
        if (rows[_i].is_file_broken)
                ck_assert_int_eq(definitions_add_broken(&definitions, definitions_file_key("one.ini")), 0);
        ck_assert_int_eq(group_list_swap(&current, &read, &definitions, &has_changed), 0);
        ck_assert_str_eq(text_of(&current), rows[_i].result);
        ck_assert_int_eq(has_changed, rows[_i].has_changed);
        group_list_done(&read);
        group_list_done(&current);
        definitions_done(&definitions);
}
END_TEST

START_TEST(names_come_in_order) {
        struct group_list list = {};
        struct group_text again = {.name = strdup("b"), .description = strdup(""), .file = strdup("")};
        struct group_text bad = {.name = strdup("-x"), .description = strdup(""), .file = strdup("")};

        read_into(&list, "f", "b=1");
        ck_assert_int_eq(group_list_take(&list, &again), -EINVAL);
        ck_assert_int_eq(group_list_take(&list, &bad), -EINVAL);
        ck_assert_uint_eq(list.n, 1);
        group_list_done(&list);
}
END_TEST

int main(void) {
        Suite *s = suite_create("group_list");
        TCase *t = tcase_create("group_list");
        tcase_add_loop_test(t, what_is_read_takes_effect_but_for_what_is_broken, 0, 7);
        tcase_add_test(t, names_come_in_order);
        suite_add_tcase(s, t);
        return run_suite(s);
}
