// SPDX-License-Identifier: MIT
// hash: the published vectors of SipHash-2-4 (key 00..0f, input 00, 01, 02 ...).

#include <check.h>
#include <stdlib.h>

#include "config/hash.h"
#include "tests/unit/run_suite.h"

static const struct {
        size_t size;
        uint64_t expected;
} vectors_64[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},
        {1, UINT64_C(0x74f839c593dc67fd)},
        {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)}, /* the one of the paper */
};

/* As bytes in the order of the reference implementation. */
static const struct {
        size_t size;
        uint8_t expected[16];
} vectors_128[] = {
        {0, {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93}},
        {1, {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45}},
};

static uint8_t key[16], input[64];

static void fill(void) {
        for (size_t i = 0; i < sizeof(input); i++)
                input[i] = (uint8_t)i;
        for (size_t i = 0; i < sizeof(key); i++)
                key[i] = (uint8_t)i;
}

START_TEST(equals_the_64_bit_vector) {
        fill();
        uint64_t is = hash_64(key, input, vectors_64[_i].size);
        ck_assert_msg(is == vectors_64[_i].expected, "%zu bytes: %016llx", vectors_64[_i].size, (unsigned long long)is);
}
END_TEST

START_TEST(equals_the_128_bit_vector) {
        fill();
        struct hash128 is = hash_128(key, input, vectors_128[_i].size);
        for (size_t i = 0; i < 16; i++)
                ck_assert_msg((uint8_t)(is.word[i / 8] >> (8 * (i % 8))) == vectors_128[_i].expected[i], "%zu bytes, byte %zu",
                              vectors_128[_i].size, i);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("hash");
        TCase *tcase = tcase_create("hash");

        tcase_add_loop_test(tcase, equals_the_64_bit_vector, 0, sizeof(vectors_64) / sizeof(vectors_64[0]));
        tcase_add_loop_test(tcase, equals_the_128_bit_vector, 0, sizeof(vectors_128) / sizeof(vectors_128[0]));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
