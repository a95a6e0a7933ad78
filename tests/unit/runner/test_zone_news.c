// SPDX-License-Identifier: MIT
// Zones that are others than before are told by name, a few of them; what only one reading knows is no news.

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "daemon/runner/zone_news.h"
#include "tests/unit/run_suite.h"

static const struct {
        const char *what;
        const char *before[6], *after[6];
        const char *why;
        bool is_back;
} rows[] = {
        {"nothing", {"/ UTC 1", "A/B A/B 2"}, {"/ UTC 1", "A/B A/B 2"}, "", false},
        {"first reading", {NULL}, {"/ UTC 1", "A/B A/B 2"}, "", false},
        {"no longer asked for", {"A/B A/B 2"}, {NULL}, "", false},
        {"other order", {"A A 1", "B B 2"}, {"B B 2", "A A 1"}, "", false},
        {"data", {"A/B A/B 2"}, {"A/B A/B 3"}, "zone data of A/B changed", false},
        {"name that begins as another", {"A/Bc A/Bc 1", "A/B A/B 2"}, {"A/B A/B 2", "A/Bc A/Bc 1"}, "", false},
        {"gone", {"A/B A/B 2"}, {"A/B / 0"}, "zone data of A/B changed", false},
        {"back", {"A/B / 0"}, {"A/B A/B 2"}, "zone data of A/B changed", true},
        {"still gone", {"A/B / 0"}, {"A/B / 0"}, "", false},
        {"two", {"A A 1", "B B 1"}, {"A A 2", "B B 2"}, "zone data of A and B changed", false},
        {"three", {"A A 1", "B B 1", "C C 1"}, {"A A 2", "B B 2", "C C 2"}, "zone data of A, B and C changed", false},
        {"five",
         {"A A 1", "B B 1", "C C 1", "D D 1", "E E 1"},
         {"A A 2", "B B 2", "C C 2", "D D 2", "E E 2"},
         "zone data of A, B, C and 2 more changed",
         false},
        {"machine", {"/ UTC 1"}, {"/ A/B 2"}, "the machine's time zone is A/B", false},
        {"machine, same data", {"/ UTC 1"}, {"/ A/B 1"}, "the machine's time zone is A/B", false},
        {"machine's data", {"/ A/B 1"}, {"/ A/B 2"}, "zone data of A/B changed", false},
        {"machine's data, asked for by name, too",
         {"/ A/B 1", "A/B A/B 1"},
         {"/ A/B 2", "A/B A/B 2"},
         "zone data of A/B changed",
         false},
        {"machine gone", {"/ A/B 1"}, {"/ / 0"}, "zone data of A/B changed", false},
        {"machine back", {"/ / 0"}, {"/ A/B 1"}, "the machine's time zone is A/B", true},
        {"both",
         {"/ UTC 1", "A/B A/B 1"},
         {"/ C 2", "A/B A/B 2"},
         "the machine's time zone is C; zone data of A/B changed",
         false},
};

static size_t count(const char *const *lines) {
        size_t n = 0;

        while (n < 6 && lines[n])
                n++;
        return n;
}

START_TEST(what_has_changed_is_told) {
        char why[WIRE_WHY_MAX];
        bool is_back = zone_news(rows[_i].before, count(rows[_i].before), rows[_i].after, count(rows[_i].after), why);

        ck_assert_msg(strcmp(why, rows[_i].why) == 0, "%s: %s", rows[_i].what, why);
        ck_assert_msg(is_back == rows[_i].is_back, "%s: is_back %d", rows[_i].what, is_back);
}
END_TEST

START_TEST(long_names_fit) {
        char name[ZONE_NAME_MAX + 1] = "", lines[2][5][ZONE_LINE_MAX], why[WIRE_WHY_MAX];
        const char *texts[2][5];

        memset(name, 'x', ZONE_NAME_MAX);
        for (int i = 0; i < 5; i++) {
                name[0] = i == 0 ? '/' : (char)('A' + i);
                for (int k = 0; k < 2; k++) {
                        snprintf(lines[k][i], ZONE_LINE_MAX, "%s %s %d", i == 0 ? "/" : name, i == 0 && k == 0 ? "UTC" : name,
                                 k);
                        texts[k][i] = lines[k][i];
                }
        }
        zone_news(texts[0], 5, texts[1], 5, why);
        ck_assert_ptr_nonnull(strstr(why, "and 1 more changed"));
}
END_TEST

START_TEST(a_zone_has_a_line) {
        char line[ZONE_LINE_MAX];
        struct zone *utc;

        zone_line_print("A/B", NULL, line);
        ck_assert_str_eq(line, "A/B / 00000000000000000000000000000000");
        ck_assert_int_eq(zone_open(NULL, "UTC", &utc), 0);
        zone_line_print(NULL, utc, line);
        ck_assert_int_eq(strncmp(line, "/ UTC ", 6), 0);
        ck_assert_uint_eq(strlen(line), 6 + 32);
        ck_assert_str_ne(line + 6, "00000000000000000000000000000000");
        zone_unref(utc);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("zone_news");
        TCase *tcase = tcase_create("zone_news");

        tcase_add_loop_test(tcase, what_has_changed_is_told, 0, sizeof(rows) / sizeof(rows[0]));
        tcase_add_test(tcase, long_names_fit);
        tcase_add_test(tcase, a_zone_has_a_line);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
