// SPDX-License-Identifier: MIT
// What may be run: generations of definitions, what is kept of broken files, and what is told as changed.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/runner/definitions.h"
#include "tests/unit/run_suite.h"

#define NOW   ((struct clock_sample){.rt_us = 1000, .bt_us = 10})
#define LATER ((struct clock_sample){.rt_us = 2000, .bt_us = 20})

static struct hash128 hash_of(unsigned n) {
        return (struct hash128){.word = {n, ~(uint64_t)n}};
}

static int add(struct definitions *d, unsigned hash, const char *file, const char *name) {
        struct hash128 h = hash_of(hash);
        struct definition_text text = {.hash = h,
                                       .name = name,
                                       .file = file,
                                       .line = hash,
                                       .when = "Every=1s\n",
                                       .when_size = 9,
                                       .what = "what",
                                       .what_size = 4};
        return definitions_add(d, &text);
}

static struct definitions_delta swap(struct definitions *d, struct clock_sample now) {
        struct definitions_delta delta;
        ck_assert_int_eq(definitions_swap(d, now, &delta), 0);
        return delta;
}

static struct definition *by_hash(struct definitions *d, unsigned hash) {
        struct hash128 h = hash_of(hash);
        return definitions_by_hash(d, &h);
}

START_TEST(nothing_can_be_run_before_the_swap) {
        struct definitions d;

        definitions_init(&d);
        ck_assert_int_eq(add(&d, 1, "a.ini", "a"), 0);
        ck_assert_ptr_null(by_hash(&d, 1));
        ck_assert_ptr_null(definitions_by_name(&d, "a"));
        struct definitions_delta delta = swap(&d, NOW);
        ck_assert_uint_eq(delta.n_added, 1);
        ck_assert_ptr_eq(by_hash(&d, 1), definitions_by_name(&d, "a"));
        ck_assert_str_eq(definition_name(by_hash(&d, 1)), "a");
        ck_assert_mem_eq(by_hash(&d, 1)->when->data, "Every=1s\n", 9);
        ck_assert_str_eq(definition_file(by_hash(&d, 1)), "a.ini");
        ck_assert_uint_eq(by_hash(&d, 1)->line, 1);
        struct pack what = {};
        definition_put_what(by_hash(&d, 1), &what);
        ck_assert_uint_eq(what.size, 4);
        ck_assert_mem_eq(what.data, "what", 4);
        pack_done(&what);
        definitions_done(&d);
}
END_TEST

/* The same definition in another file, or on another line, is no change, but what is said of it follows. */
START_TEST(a_definition_that_moved_is_the_same_at_its_new_place) {
        struct definitions d;

        definitions_init(&d);
        add(&d, 1, "a.ini", "a");
        swap(&d, NOW);
        add(&d, 1, "b.ini", "a");
        struct definitions_delta delta = swap(&d, LATER);
        ck_assert_uint_eq(delta.n_added + delta.n_changed + delta.n_removed, 0);
        ck_assert_str_eq(definition_file(by_hash(&d, 1)), "b.ini");
        ck_assert_int_eq(definitions_add_broken(&d, definitions_file_key("b.ini")), 0);
        delta = swap(&d, LATER);
        ck_assert_uint_eq(delta.n_removed, 0);
        definitions_done(&d);
        ck_assert_uint_eq(d.shared.n, 0);
}
END_TEST

START_TEST(a_change_keeps_since_and_trail_of_its_name) {
        struct definitions d;

        definitions_init(&d);
        add(&d, 1, "a.ini", "a");
        swap(&d, NOW);
        struct wire_trail *trail = definitions_trail(&d, by_hash(&d, 1));
        ck_assert_ptr_nonnull(trail);
        trail->run = 77;
        add(&d, 2, "a.ini", "a");
        struct definitions_delta delta = swap(&d, LATER);
        ck_assert_uint_eq(delta.n_changed, 1);
        ck_assert_uint_eq(delta.n_added + delta.n_removed, 0);
        struct definition *new = definitions_by_name(&d, "a");
        ck_assert_ptr_eq(new, by_hash(&d, 2));
        ck_assert(new->is_unsent);
        ck_assert_int_eq(new->since_rt_us, 1000);
        ck_assert_int_eq(new->since_bt_us, 10);
        ck_assert_uint_eq(definitions_trail(&d, new)->run, 77);
        definitions_done(&d);
}
END_TEST

START_TEST(an_old_definition_can_be_run_until_it_is_purged) {
        struct definitions d;

        definitions_init(&d);
        add(&d, 1, "a.ini", "a");
        add(&d, 2, "a.ini", "b");
        swap(&d, NOW);
        by_hash(&d, 2)->n_uses = 1; /* a run holds it */
        struct definitions_delta delta = swap(&d, LATER);
        ck_assert_uint_eq(delta.n_removed, 2);
        ck_assert_ptr_null(definitions_by_name(&d, "a"));
        ck_assert_ptr_nonnull(by_hash(&d, 1));
        ck_assert(by_hash(&d, 1)->is_removed && by_hash(&d, 1)->is_unsent);
        definitions_purge(&d);
        ck_assert_ptr_null(by_hash(&d, 1));
        ck_assert_ptr_nonnull(by_hash(&d, 2));
        by_hash(&d, 2)->n_uses = 0;
        definitions_purge(&d);
        ck_assert_ptr_null(by_hash(&d, 2));
        ck_assert_uint_eq(d.by_hash.n, 0);
        definitions_done(&d);
}
END_TEST

START_TEST(an_old_definition_comes_back_into_force) {
        struct definitions d;

        definitions_init(&d);
        add(&d, 1, "a.ini", "a");
        swap(&d, NOW);
        by_hash(&d, 1)->n_uses = 1;
        add(&d, 2, "a.ini", "a");
        swap(&d, NOW);
        definitions_purge(&d);
        add(&d, 1, "a.ini", "a");
        by_hash(&d, 1)->n_uses = 0;
        definitions_purge(&d); /* it is wanted by the next generation */
        struct definitions_delta delta = swap(&d, LATER);
        ck_assert_uint_eq(delta.n_changed, 1);
        definitions_purge(&d);
        ck_assert_ptr_eq(definitions_by_name(&d, "a"), by_hash(&d, 1));
        ck_assert_ptr_null(by_hash(&d, 2));
        definitions_done(&d);
}
END_TEST

START_TEST(what_is_broken_keeps_its_last_good_jobs) {
        struct definitions d;

        definitions_init(&d);
        add(&d, 1, "broken.ini", "a");
        add(&d, 2, "broken.ini", "b");
        add(&d, 3, "good.ini", "c");
        add(&d, 4, "good.ini", "d");
        add(&d, 5, "gone.ini", "e");
        swap(&d, NOW);
        ck_assert_int_eq(add(&d, 6, "other.ini", "b"), 0); /* defined anew elsewhere */
        ck_assert_int_eq(definitions_add_broken(&d, definitions_file_key("broken.ini")), 0);
        ck_assert_int_eq(definitions_add_broken(&d, definitions_name_key("c")), 0);
        struct definitions_delta delta = swap(&d, LATER);
        ck_assert_ptr_eq(definitions_by_name(&d, "a"), by_hash(&d, 1));
        ck_assert_ptr_eq(definitions_by_name(&d, "b"), by_hash(&d, 6));
        ck_assert_ptr_eq(definitions_by_name(&d, "c"), by_hash(&d, 3));
        ck_assert_ptr_null(definitions_by_name(&d, "d"));
        ck_assert_ptr_null(definitions_by_name(&d, "e"));
        ck_assert_uint_eq(delta.n_changed, 1);
        ck_assert_uint_eq(delta.n_removed, 2);
        definitions_done(&d);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
        struct definitions d;
        struct hash128 h = hash_of(9);
        static char big[JOB_WHAT_MAX + 1];

        definitions_init(&d);
        ck_assert_int_eq(add(&d, 1, "a.ini", "a"), 0);
        ck_assert_int_eq(add(&d, 2, "a.ini", "a"), -EEXIST);
        ck_assert_int_eq(add(&d, 1, "a.ini", "b"), -EINVAL);
        ck_assert_int_eq(add(&d, 3, "a.ini", "../x"), -EINVAL);
        ck_assert_int_eq(add(&d, 3, "a.ini", ""), -EINVAL);
        struct definition_text text = {.hash = h, .name = "x", .file = "", .when = "", .what = big, .what_size = sizeof(big)};
        ck_assert_int_eq(definitions_add(&d, &text), -EMSGSIZE);
        text = (struct definition_text){
                .hash = h, .name = "x", .file = "", .when = big, .when_size = JOB_WHEN_TEXT_MAX + 1, .what = ""};
        ck_assert_int_eq(definitions_add(&d, &text), -EMSGSIZE);
        definitions_abandon(&d);
        ck_assert_uint_eq(d.by_hash.n, 0);
        definitions_done(&d);
}
END_TEST

START_TEST(thousands_are_found_walked_and_removed) {
        struct definitions d;
        size_t cursor = 0, n = 0;
        char name[32];

        definitions_init(&d);
        for (unsigned i = 0; i < 5000; i++) {
                snprintf(name, sizeof(name), "job-%u", i);
                ck_assert_int_eq(add(&d, i % 7 * 1024 + i * 8192, "a.ini", name), 0);
        }
        swap(&d, NOW);
        while (definitions_walk(&d, &cursor))
                n++;
        ck_assert_uint_eq(n, 5000);
        for (unsigned i = 0; i < 5000; i += 2) {
                snprintf(name, sizeof(name), "job-%u", i);
                ck_assert_int_eq(add(&d, i % 7 * 1024 + i * 8192, "a.ini", name), 0);
        }
        struct definitions_delta delta = swap(&d, LATER);
        ck_assert_uint_eq(delta.n_removed, 2500);
        definitions_purge(&d);
        for (unsigned i = 0; i < 5000; i++) {
                snprintf(name, sizeof(name), "job-%u", i);
                ck_assert_msg((definitions_by_name(&d, name) != NULL) == (i % 2 == 0), "job %u by name", i);
                ck_assert_msg((by_hash(&d, i % 7 * 1024 + i * 8192) != NULL) == (i % 2 == 0), "job %u by hash", i);
        }
        definitions_done(&d);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("definitions");
        TCase *tcase = tcase_create("definitions");

        tcase_add_test(tcase, nothing_can_be_run_before_the_swap);
        tcase_add_test(tcase, a_definition_that_moved_is_the_same_at_its_new_place);
        tcase_add_test(tcase, a_change_keeps_since_and_trail_of_its_name);
        tcase_add_test(tcase, an_old_definition_can_be_run_until_it_is_purged);
        tcase_add_test(tcase, an_old_definition_comes_back_into_force);
        tcase_add_test(tcase, what_is_broken_keeps_its_last_good_jobs);
        tcase_add_test(tcase, what_does_not_fit_is_refused);
        tcase_add_test(tcase, thousands_are_found_walked_and_removed);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
