// SPDX-License-Identifier: MIT
// pack: what is written is read back; what is not there is never read.

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/pack.h"
#include "tests/unit/run_suite.h"

static struct pack sample(void) {
        struct pack p = {};
        pack_u8(&p, 0xfe);
        pack_u16(&p, 0xfedc);
        pack_u32(&p, 0xfedcba98);
        pack_u64(&p, UINT64_MAX - 1);
        pack_i64(&p, INT64_MIN);
        pack_string(&p, "text");
        pack_string(&p, NULL);
        pack_bytes(&p, "a\0b", 3);
        pack_raw(&p, "raw", 3);
        return p;
}

START_TEST(reads_back_what_was_written) {
        struct pack p = sample();
        struct unpack u = unpack_from(p.data, p.size);
        char *text = NULL, *empty = NULL;
        size_t size;

        ck_assert_int_eq(pack_result(&p), 0);
        ck_assert_uint_eq(unpack_u8(&u), 0xfe);
        ck_assert_uint_eq(unpack_u16(&u), 0xfedc);
        ck_assert_uint_eq(unpack_u32(&u), 0xfedcba98);
        ck_assert_uint_eq(unpack_u64(&u), UINT64_MAX - 1);
        ck_assert_int_eq(unpack_i64(&u), INT64_MIN);
        ck_assert_int_eq(unpack_string(&u, &text), 0);
        ck_assert_str_eq(text, "text");
        ck_assert_int_eq(unpack_string(&u, &empty), 0);
        ck_assert_str_eq(empty, "");
        ck_assert_mem_eq(unpack_bytes(&u, &size), "a\0b", 3);
        ck_assert_uint_eq(size, 3);
        ck_assert_int_eq(unpack_finish(&u), -EBADMSG);
        ck_assert_mem_eq(unpack_raw(&u, 3), "raw", 3);
        ck_assert_int_eq(unpack_finish(&u), 0);
        free(text);
        free(empty);
        pack_done(&p);
}
END_TEST

START_TEST(any_cut_is_bad_and_stays_bad) {
        struct pack p = sample();

        for (size_t size = 0; size < p.size; size++) {
                /* a copy of exactly that size, so that a sanitizer sees a read beyond it */
                uint8_t *cut = malloc(size + !size);
                memcpy(cut, p.data, size);
                struct unpack u = unpack_from(cut, size);
                char *text = NULL;
                size_t n;
                unpack_u8(&u), unpack_u16(&u), unpack_u32(&u), unpack_u64(&u), unpack_i64(&u);
                for (int i = 0; i < 2; i++) {
                        if (unpack_string(&u, &text) == 0)
                                free(text);
                }
                unpack_bytes(&u, &n);
                unpack_raw(&u, 3);
                ck_assert_msg(u.bad, "cut at %zu of %zu", size, p.size);
                ck_assert_uint_eq(unpack_u64(&u), 0);
                ck_assert_int_eq(unpack_finish(&u), -EBADMSG);
                free(cut);
        }
        pack_done(&p);
}
END_TEST

START_TEST(text_with_a_nul_is_bad) {
        struct pack p = {};
        char *text = NULL;

        pack_bytes(&p, "a\0b", 3);
        struct unpack u = unpack_from(p.data, p.size);
        ck_assert_int_eq(unpack_string(&u, &text), -EBADMSG);
        ck_assert_ptr_null(text);
        pack_done(&p);
}
END_TEST

START_TEST(the_limit_holds_and_the_error_sticks) {
        struct pack p = {.limit = 8};

        pack_u64(&p, 1);
        ck_assert_int_eq(pack_result(&p), 0);
        pack_u8(&p, 1);
        ck_assert_int_eq(pack_result(&p), -EMSGSIZE);
        ck_assert_uint_eq(p.size, 8);
        pack_clear(&p);
        ck_assert_int_eq(pack_result(&p), 0);
        pack_u32(&p, 1);
        ck_assert_uint_eq(p.size, 4);
        pack_done(&p);
        pack_done(NULL);
}
END_TEST

START_TEST(a_text_over_64_KiB_is_refused) {
        static char big[65537];
        struct pack p = {};

        memset(big, 'x', sizeof(big) - 1);
        pack_string(&p, big);
        ck_assert_int_eq(pack_result(&p), -EMSGSIZE);
        pack_clear(&p);
        big[65535] = 0;
        pack_string(&p, big);
        ck_assert_int_eq(pack_result(&p), 0);
        ck_assert_uint_eq(p.size, 65537);
        pack_done(&p);
}
END_TEST

START_TEST(nothing_reads_as_nothing) {
        struct unpack u = unpack_from(NULL, 0);

        ck_assert_ptr_nonnull(unpack_raw(&u, 0));
        ck_assert_int_eq(unpack_finish(&u), 0);
        ck_assert_uint_eq(unpack_u8(&u), 0);
        ck_assert_int_eq(unpack_finish(&u), -EBADMSG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("pack");
        TCase *tcase = tcase_create("pack");

        tcase_add_test(tcase, reads_back_what_was_written);
        tcase_add_test(tcase, any_cut_is_bad_and_stays_bad);
        tcase_add_test(tcase, text_with_a_nul_is_bad);
        tcase_add_test(tcase, the_limit_holds_and_the_error_sticks);
        tcase_add_test(tcase, a_text_over_64_KiB_is_refused);
        tcase_add_test(tcase, nothing_reads_as_nothing);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
