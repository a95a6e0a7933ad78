// SPDX-License-Identifier: MIT
// zones: each zone is read once, a wrong name is answered with what is wrong, and old ones make room.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/zones.h"
#include "tests/unit/config/zone_folder.h"
#include "tests/unit/run_suite.h"

/* A zone without changes. */
static const char good[50 + 4] = {'T', 'Z', 'i', 'f', [39] = 1, [43] = 4, [50] = 'X', 'Y', 'Z', 0};

static void make_files(void) {
        char leaps[sizeof(good) + 8] = {};

        memcpy(leaps, good, sizeof(good));
        leaps[31] = 1;
        folder_make();
        folder_write("Good", good, sizeof(good));
        folder_write("Damaged", good, sizeof(good) - 1);
        folder_write("Leaps", leaps, sizeof(leaps));
        folder_write("tzdata.zi", "Z Europe/Berlin 1 - CET\n", 24);
        ck_assert_int_eq(chdir(folder), 0);
}

static const struct {
        const char *name, *why;
} wrong[] = {
        {"Berlin", "\"Berlin\" is no time zone; did you mean Europe/Berlin?"},
        {"europe/berlin", "\"europe/berlin\" is no time zone; did you mean Europe/Berlin?"},
        {"Atlantis", "\"Atlantis\" is no time zone, such as Europe/Berlin or UTC"},
        {"../Good", "\"../Good\" is no time zone, such as Europe/Berlin or UTC"},
        {"", "\"\" is no time zone, such as Europe/Berlin or UTC"},
        {"Damaged", "the data of the time zone Damaged are damaged (./Damaged)"},
        {"Leaps", "the time zone Leaps counts leap seconds, which the clock does not (./Leaps)"},
        {"Europe/Berlin", "the data of the time zone Europe/Berlin are missing: there is no ./Europe/Berlin"},
};

START_TEST(wrong_name_is_explained) {
        struct zones zones = {.folder = "."};
        struct zone *z = NULL;
        char why[ZONE_WHY_MAX];

        for (int i = 0; i < 2; i++) { /* the second time it is remembered */
                strcpy(why, "");
                ck_assert_int_eq(zones_find(&zones, wrong[_i].name, &z, why), 1);
                ck_assert_str_eq(why, wrong[_i].why);
                ck_assert_ptr_null(z);
                remove(folder_path("tzdata.zi"));
        }
        zones_done(&zones);
}
END_TEST

START_TEST(missing_zone_data_are_told) {
        struct zones zones = {.folder = "/nowhere"};
        struct zone *z;
        char why[ZONE_WHY_MAX];

        ck_assert_int_eq(zones_find(&zones, "Europe/Berlin", &z, why), 1);
        ck_assert_ptr_nonnull(strstr(why, "is tzdata installed?"));
        zones_done(&zones);
}
END_TEST

START_TEST(zone_is_read_once_and_outlives_the_memory) {
        struct zones zones = {.folder = folder};
        struct zone *first, *again, *machine;
        char why[ZONE_WHY_MAX];

        ck_assert_int_eq(zones_find(&zones, "Good", &first, why), 0);
        ck_assert_int_eq(zones_find(&zones, NULL, &machine, why), 0);
        remove(folder_path("Good"));
        ck_assert_int_eq(zones_find(&zones, "Good", &again, why), 0);
        ck_assert_ptr_eq(first, again);
        ck_assert_ptr_ne(first, machine);
        zones_done(&zones);
        ck_assert_str_eq(zone_name(first), "Good");
        zone_unref(first);
        zone_unref(again);
        zone_unref(machine);
}
END_TEST

static int ask(struct zones *zones, const char *name) {
        struct zone *z = NULL;
        char why[ZONE_WHY_MAX];
        int r = zones_find(zones, name, &z, why);

        zone_unref(z);
        return r;
}

static void ask_for_strangers(struct zones *zones, int n) {
        static int number;
        char name[16];

        while (n-- > 0) {
                snprintf(name, sizeof(name), "None%d", number++);
                ck_assert_int_eq(ask(zones, name), 1);
        }
}

START_TEST(oldest_ones_are_forgotten) {
        struct zones zones = {.folder = folder};

        folder_write("Other", good, sizeof(good));
        ck_assert_int_eq(ask(&zones, "Good"), 0);
        ck_assert_int_eq(ask(&zones, "Other"), 0);
        remove(folder_path("Good"));
        remove(folder_path("Other"));
        ask_for_strangers(&zones, ZONES_MAX - 2);
        ck_assert_int_eq(ask(&zones, "Good"), 0);
        ask_for_strangers(&zones, 1); /* in the place of the first */
        ck_assert_int_eq(ask(&zones, "Other"), 0);
        ask_for_strangers(&zones, 1);
        ck_assert_int_eq(ask(&zones, "Other"), 1);
        ck_assert_int_eq(ask(&zones, "Good"), 1);
        ck_assert_uint_eq(zones.n, ZONES_MAX);
        zones_done(&zones);
}
END_TEST

START_TEST(what_was_asked_for_is_listed) {
        struct zones zones = {.folder = folder};
        const struct zone *z;

        ck_assert_int_eq(ask(&zones, "Good"), 0);
        ck_assert_int_eq(ask(&zones, "Good"), 0);
        ck_assert_int_eq(ask(&zones, NULL), 0);
        ck_assert_int_eq(ask(&zones, "Damaged"), 1);
        ck_assert_uint_eq(zones.n, 3);
        ck_assert_str_eq(zones_get(&zones, 0, &z), "Good");
        ck_assert_str_eq(zone_name(z), "Good");
        ck_assert_ptr_null(zones_get(&zones, 1, &z));
        ck_assert_ptr_nonnull(z);
        ck_assert_str_eq(zones_get(&zones, 2, &z), "Damaged");
        ck_assert_ptr_null(z);
        zones_done(&zones);
}
END_TEST

START_TEST(lack_of_descriptors_says_nothing_of_a_zone) {
        struct zones zones = {.folder = folder};
        struct zone *z;
        char why[ZONE_WHY_MAX];
        struct rlimit limit, none;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
        ck_assert_int_eq(zones_find(&zones, "Good", &z, why), -EMFILE);
        ck_assert_uint_eq(zones.n, 0);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_int_eq(zones_find(&zones, "Good", &z, why), 0);
        zone_unref(z);
        zones_done(&zones);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("zones");
        TCase *tcase = tcase_create("zones");

        tcase_add_checked_fixture(tcase, make_files, folder_remove);
        tcase_add_loop_test(tcase, wrong_name_is_explained, 0, sizeof(wrong) / sizeof(wrong[0]));
        tcase_add_test(tcase, missing_zone_data_are_told);
        tcase_add_test(tcase, zone_is_read_once_and_outlives_the_memory);
        tcase_add_test(tcase, oldest_ones_are_forgotten);
        tcase_add_test(tcase, what_was_asked_for_is_listed);
        tcase_add_test(tcase, lack_of_descriptors_says_nothing_of_a_zone);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
