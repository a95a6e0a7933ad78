// SPDX-License-Identifier: MIT
// Sets of parameters have one form, and what is not in it is none.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parameters.h"
#include "tests/unit/run_suite.h"

#define SET(text) text, sizeof(text)

static const struct {
        const char *data; /* with the NUL that C adds */
        size_t size;
        bool is_valid;
} sets[] = {
        {"", 0, true},
        {SET("A=1"), true},
        {SET("A="), true},
        {SET("A=1\0B=x=y\n"), true},
        {SET("A=1\0AB=2\0A_=3\0_=4\0a=5"), true},
        {SET("A=\xc3\xa4"), true},
        {"", 1, false},
        {"A=1", 3, false},
        {SET("A"), false},
        {SET("=1"), false},
        {SET("1A=1"), false},
        {SET("A-B=1"), false},
        {SET("A=1\0"), false},
        {SET("B=1\0A=1"), false},
        {SET("AB=1\0A=1"), false},
        {SET("A=1\0A=2"), false},
        {SET("A=\xff"), false},
};

START_TEST(a_set_has_one_form) {
        bool is_valid = parameters_are_valid(sets[_i].data, sets[_i].size);

        ck_assert_msg(is_valid == sets[_i].is_valid, "set %d", _i);
}
END_TEST

static const struct {
        const char *texts[4];
        size_t n;
        int r;
        size_t bad;
} made[] = {
        {{NULL}, 0, 0, 0},
        {{"B=2", "A=1", "AB="}, 3, 0, 0},
        {{"A=1", "B"}, 2, -EINVAL, 1},
        {{"A=1", "PATH =x"}, 2, -EINVAL, 1},
        {{"A=1", "B=\xc0\x80"}, 2, -EILSEQ, 1},
        {{"A=1", "B=2", "A=1"}, 3, -EEXIST, 2},
};

START_TEST(a_set_is_made_of_texts_in_any_order) {
        char *set = NULL;
        size_t size = 0, bad = 0;

        ck_assert_int_eq(parameters_make(made[_i].texts, made[_i].n, &set, &size, &bad), made[_i].r);
        ck_assert_uint_eq(bad, made[_i].bad);
        ck_assert(parameters_are_valid(set, size));
        if (made[_i].n == 3 && made[_i].r == 0)
                ck_assert_mem_eq(set, "A=1\0AB=\0B=2", size);
        free(set);
}
END_TEST

START_TEST(a_set_is_walked) {
        static const char set[] = "A=1\0BC=x=y";
        char b[] = "B", bc[] = "BC", *accepted[] = {b, bc, NULL};
        struct parameter p;
        size_t at = 0;

        ck_assert(parameters_next(set, sizeof(set), &at, &p));
        ck_assert_str_eq(p.value, "1");
        ck_assert(!parameter_is_accepted(&p, accepted) && !parameter_is_accepted(&p, NULL));
        ck_assert(parameters_next(set, sizeof(set), &at, &p));
        ck_assert_uint_eq(p.name_size, 2);
        ck_assert_str_eq(p.value, "x=y");
        ck_assert(parameter_is_accepted(&p, accepted));
        ck_assert(!parameters_next(set, sizeof(set), &at, &p));
}
END_TEST

START_TEST(bounds_are_kept) {
        static char big[PARAMETERS_MAX + 1], names[PARAMETERS_N_MAX + 1][8];
        char long_name[PARAMETER_NAME_MAX + 2];
        const char *texts[PARAMETERS_N_MAX + 1], *one = big;
        char *set = NULL;
        size_t size = 0;

        memset(big, 'x', sizeof(big) - 1);
        memcpy(big, "A=", 2);
        ck_assert_int_eq(parameters_make(&one, 1, &set, &size, NULL), -E2BIG);
        ck_assert(!parameters_are_valid(big, sizeof(big)));
        big[PARAMETERS_MAX - 1] = 0;
        ck_assert_int_eq(parameters_make(&one, 1, &set, &size, NULL), 0);
        ck_assert(size == PARAMETERS_MAX && parameters_are_valid(set, size));
        free(set);
        for (int i = 0; i <= PARAMETERS_N_MAX; i++) {
                snprintf(names[i], sizeof(names[i]), "N%02d=", i);
                texts[i] = names[i];
        }
        ck_assert_int_eq(parameters_make(texts, PARAMETERS_N_MAX + 1, &set, &size, NULL), -E2BIG);
        ck_assert_int_eq(parameters_make(texts, PARAMETERS_N_MAX, &set, &size, NULL), 0);
        free(set);
        memset(long_name, 'N', sizeof(long_name));
        ck_assert(parameter_name_is_valid(long_name, PARAMETER_NAME_MAX));
        ck_assert(!parameter_name_is_valid(long_name, PARAMETER_NAME_MAX + 1) && !parameter_name_is_valid("", 0));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("parameters");
        TCase *tc = tcase_create("parameters");

        tcase_add_loop_test(tc, a_set_has_one_form, 0, sizeof(sets) / sizeof(sets[0]));
        tcase_add_loop_test(tc, a_set_is_made_of_texts_in_any_order, 0, sizeof(made) / sizeof(made[0]));
        tcase_add_test(tc, a_set_is_walked);
        tcase_add_test(tc, bounds_are_kept);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
