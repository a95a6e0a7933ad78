// SPDX-License-Identifier: MIT
// nearest: what a misspelt name may have meant.

#include <check.h>
#include <string.h>

#include "config/nearest.h"
#include "tests/unit/run_suite.h"

static const struct {
        const char *name, *found;
} rows[] = {
        {"bakup", "backup"},
        {"lits", "list"},
        {"bcakup", "backup"},
        {"tsil", NULL},
        {"BACKUP", "backup"},
        {"db-dunp", "db-dump"},
        {"reindx", "reindex"},
        {"mirror2", "mirror"},
        {"x", NULL},
        {"", NULL},
        {"entirely-else", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
};

START_TEST(nearest_name_is_found) {
        static const char *const known[] = {
                "backup", "db-dump", "reindex",
                "mirror", "list",    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
        struct nearest nearest = nearest_begin(rows[_i].name);

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                nearest_offer(&nearest, known[i]);
        if (rows[_i].found)
                ck_assert_msg(nearest.found && strcmp(nearest.found, rows[_i].found) == 0, "%s: %s", rows[_i].name,
                              nearest.found ? nearest.found : "nothing");
        else
                ck_assert_msg(!nearest.found, "%s: %s", rows[_i].name, nearest.found);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("nearest");
        TCase *tcase = tcase_create("names");
        tcase_add_loop_test(tcase, nearest_name_is_found, 0, sizeof(rows) / sizeof(rows[0]));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
