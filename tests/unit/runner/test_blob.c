// SPDX-License-Identifier: MIT
// Shared bytes are kept once, and as long as somebody uses them.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/runner/blob.h"
#include "tests/unit/run_suite.h"

#define KINDS 300

START_TEST(equal_bytes_are_one_blob_and_the_last_use_frees_it) {
        struct blobs b = {0};
        struct blob *one = blobs_take(&b, "abc", 3), *two = blobs_take(&b, "abc", 3), *other = blobs_take(&b, "abd", 3);
        ck_assert_ptr_nonnull(one);
        ck_assert_ptr_eq(one, two);
        ck_assert_ptr_ne(one, other);
        blobs_give(&b, one);
        ck_assert_uint_eq(b.n, 2);
        ck_assert_mem_eq(two->data, "abc", 3);
        blobs_give(&b, two);
        ck_assert_uint_eq(b.n, 1);
        blobs_give(&b, other);
        blobs_give(&b, NULL);
        ck_assert_ptr_null(b.slots);
}
END_TEST

START_TEST(the_empty_string_is_a_blob) {
        struct blobs b = {0};
        struct blob *empty = blobs_take(&b, NULL, 0);
        ck_assert_ptr_nonnull(empty);
        ck_assert_ptr_eq(empty, blobs_take(&b, "", 0));
        blobs_give(&b, empty);
        blobs_give(&b, empty);
        ck_assert_uint_eq(b.n, 0);
}
END_TEST

START_TEST(churn_leaves_the_rest_to_be_found) {
        struct blobs b = {0};
        struct blob *held[KINDS] = {0};
        uint32_t state = 7;
        for (int step = 0; step < 30000; step++) {
                state = state * 1664525 + 1013904223;
                uint32_t kind = (state >> 8) % KINDS;
                char text[32];
                size_t size = (size_t)snprintf(text, sizeof(text), "text %u", kind);
                if (held[kind]) {
                        ck_assert_mem_eq(held[kind]->data, text, size);
                        ck_assert_uint_eq(held[kind]->n_uses, 1);
                        blobs_give(&b, held[kind]);
                        held[kind] = NULL;
                } else
                        held[kind] = blobs_take(&b, text, size);
        }
        size_t n = 0;
        for (int kind = 0; kind < KINDS; kind++)
                n += held[kind] != NULL;
        ck_assert_uint_eq(b.n, n);
        for (int kind = 0; kind < KINDS; kind++)
                blobs_give(&b, held[kind]);
        ck_assert_ptr_null(b.slots);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("blob");
        TCase *tc = tcase_create("blob");
        tcase_add_test(tc, equal_bytes_are_one_blob_and_the_last_use_frees_it);
        tcase_add_test(tc, the_empty_string_is_a_blob);
        tcase_add_test(tc, churn_leaves_the_rest_to_be_found);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
