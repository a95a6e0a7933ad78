// SPDX-License-Identifier: MIT
// memory_stream: what is written is the text, whatever its size; what could not be written is told.

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/core/memory_stream.h"
#include "tests/unit/run_suite.h"

static char *text;
static size_t size;
static FILE *stream;

static void open_stream(void) {
        stream = memory_stream_open(&text, &size);
        ck_assert_ptr_nonnull(stream);
}

START_TEST(nothing_is_an_empty_text) {
        open_stream();
        ck_assert_ptr_eq(memory_stream_finish(stream, &text), text);
        ck_assert_str_eq(text, "");
        ck_assert_uint_eq(size, 0);
        free(text);
}
END_TEST

START_TEST(all_that_is_written_is_there_in_its_order) {
        char line[16];
        size_t at = 0;

        open_stream();
        for (int i = 0; i < 20000; i++)
                fprintf(stream, "%d\n", i);
        ck_assert_ptr_nonnull(memory_stream_finish(stream, &text));
        for (int i = 0; i < 20000; i++, at += strlen(line)) {
                snprintf(line, sizeof(line), "%d\n", i);
                ck_assert_int_eq(strncmp(text + at, line, strlen(line)), 0);
        }
        ck_assert_uint_eq(at, size);
        ck_assert_uint_eq(strlen(text), size);
        free(text);
}
END_TEST

START_TEST(it_can_begin_anew_with_nothing) {
        open_stream();
        fputs("something long", stream);
        ck_assert_int_eq(fflush(stream), 0);
        ck_assert_str_eq(text, "something long");
        ck_assert_int_eq(fseek(stream, 0, SEEK_SET), 0);
        ck_assert_uint_eq(size, 0);
        fputs("short", stream);
        ck_assert_ptr_nonnull(memory_stream_finish(stream, &text));
        ck_assert_str_eq(text, "short");
        free(text);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW true /* in an address space that has no limit */
#elif defined(__has_feature)
#define HAS_SHADOW (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define HAS_SHADOW false
#endif

START_TEST(what_has_no_room_is_told_and_no_text_is_given) {
        static char block[1 << 20];
        const struct rlimit limit = {256 << 20, 256 << 20};

        if (HAS_SHADOW)
                return;
        ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
        memset(block, 'x', sizeof(block));
        open_stream();
        for (int i = 0; i < 512; i++)
                fwrite(block, 1, sizeof(block), stream);
        ck_assert_int_ne(ferror(stream), 0);
        ck_assert_ptr_null(memory_stream_finish(stream, &text));
        ck_assert_ptr_null(text);
}
END_TEST

START_TEST(no_stream_has_no_text) {
        ck_assert_ptr_null(memory_stream_finish(NULL, &text));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("memory_stream");

        tcase_add_test(t, nothing_is_an_empty_text);
        tcase_add_test(t, all_that_is_written_is_there_in_its_order);
        tcase_add_test(t, it_can_begin_anew_with_nothing);
        tcase_add_test(t, what_has_no_room_is_told_and_no_text_is_given);
        tcase_add_test(t, no_stream_has_no_text);
        Suite *suite = suite_create("memory_stream");
        suite_add_tcase(suite, t);
        return run_suite(suite);
}
