// SPDX-License-Identifier: MIT
// Output: bytes to lines however they are cut, and the tail that is kept.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/runner/output.h"
#include "tests/unit/run_suite.h"

static char seen[65536];
static size_t seen_size;

/* Marks each line with '|', what is cut with '+' on both sides, a last one without its end with '$'. */
static void on_line(void *userdata, struct output_stream *stream, const char *line, size_t size, enum output_end end) {
        (void)userdata;
        if (stream->is_continued)
                seen[seen_size++] = '+';
        ck_assert_uint_le(size, OUTPUT_LINE_MAX);
        memcpy(seen + seen_size, line, size);
        seen[seen_size + size] = end == OUTPUT_END_NEWLINE ? '|' : end == OUTPUT_END_CUT ? '+' : '$';
        seen_size += size + 1;
        seen[seen_size] = '\0';
}

static const struct {
        const char *text, *expected;
} texts[] = {
        {"", ""},    {"one\n", "one|"},    {"one\ntwo\n", "one|two|"}, {"one", "one$"}, {"one\n\ntwo", "one||two$"},
        {"\n", "|"}, {"a\r\nb", "a\r|b$"},
};

START_TEST(lines_are_the_same_however_the_bytes_come) {
        size_t size = strlen(texts[_i].text);

        for (size_t piece = 1; piece <= size + 1; piece++) {
                struct output_stream stream = {.fd = -1};
                seen_size = 0;
                seen[0] = '\0';
                for (size_t at = 0; at < size; at += piece)
                        output_split(&stream, texts[_i].text + at, size - at < piece ? size - at : piece, on_line, NULL);
                output_flush(&stream, on_line, NULL);
                ck_assert_msg(strcmp(seen, texts[_i].expected) == 0, "row %d in pieces of %zu: <%s>", _i, piece, seen);
        }
}
END_TEST

START_TEST(nul_bytes_pass) {
        struct output_stream stream = {.fd = -1};

        seen_size = 0;
        output_split(&stream, "a\0b\nc\0", 6, on_line, NULL);
        output_flush(&stream, on_line, NULL);
        ck_assert_uint_eq(seen_size, 7);
        ck_assert_mem_eq(seen, "a\0b|c\0$", 7);
}
END_TEST

static const size_t piece_sizes[] = {1, 100, 8191, 8192, 8193, 20000, 50000};

START_TEST(a_long_line_is_cut_and_nothing_of_it_is_lost) {
        static char line[20001];
        struct output_stream stream = {.fd = -1};
        size_t piece = piece_sizes[_i];

        memset(line, 'x', sizeof(line));
        line[20000] = '\n';
        seen_size = 0;
        for (size_t at = 0; at < sizeof(line); at += piece)
                output_split(&stream, line + at, sizeof(line) - at < piece ? sizeof(line) - at : piece, on_line, NULL);
        ck_assert_uint_eq(seen_size, 20005);
        ck_assert_mem_eq(seen + OUTPUT_LINE_MAX, "++", 2);
        ck_assert_mem_eq(seen + 2 * OUTPUT_LINE_MAX + 2, "++", 2);
        ck_assert_int_eq(seen[20004], '|');
        ck_assert_ptr_null(stream.partial);
}
END_TEST

/* Each row: what a line of one character over and over is made of, and where it is first cut. */
static const struct {
        const char *character;
        size_t cut;
} characters[] = {
        {"x", 8192}, {"\xc3\xa4", 8192}, {"\xe2\x82\xac", 8190}, {"\xf0\x9f\x99\x82", 8192}, {"\x80", 8192}, {"\xff", 8191},
};

START_TEST(no_character_is_cut) {
        static char line[12000];
        size_t length = strlen(characters[_i].character);

        for (size_t i = 0; i < sizeof(line); i++)
                line[i] = characters[_i].character[i % length];
        for (size_t piece = 1; piece <= sizeof(line); piece = 3 * piece + 2) {
                struct output_stream stream = {.fd = -1};
                seen_size = 0;
                for (size_t at = 0; at < sizeof(line); at += piece)
                        output_split(&stream, line + at, sizeof(line) - at < piece ? sizeof(line) - at : piece, on_line, NULL);
                output_flush(&stream, on_line, NULL);
                ck_assert_uint_eq(seen_size, sizeof(line) + 3);
                ck_assert_mem_eq(seen, line, characters[_i].cut);
                ck_assert_mem_eq(seen + characters[_i].cut, "++", 2);
                ck_assert_mem_eq(seen + characters[_i].cut + 2, line + characters[_i].cut, sizeof(line) - characters[_i].cut);
                ck_assert_int_eq(seen[seen_size - 1], '$');
        }
}
END_TEST

START_TEST(what_is_left_out_is_counted) {
        struct output_stream stream = {.fd = -1};
        struct output_budget budget = {};

        ck_assert(!output_budget_begin(&budget, 1000));
        for (unsigned i = 0; i < OUTPUT_STRETCH_LINES_MAX; i++)
                ck_assert(output_budget_take(&budget, 10));
        ck_assert(output_budget_is_spent(&budget));
        ck_assert(!output_budget_take(&budget, 7));
        ck_assert_uint_eq(budget.n_lines_out, 1);
        ck_assert_uint_eq(budget.n_bytes_out, 7);
        ck_assert(!output_budget_begin(&budget, 1000 + OUTPUT_STRETCH_US - 1));
        ck_assert(output_budget_is_spent(&budget));
        ck_assert(output_budget_begin(&budget, 1000 + OUTPUT_STRETCH_US));
        ck_assert(!output_budget_is_spent(&budget));
        for (unsigned i = 0; i < OUTPUT_STRETCH_BYTES_MAX / OUTPUT_LINE_MAX; i++)
                ck_assert(output_budget_take(&budget, OUTPUT_LINE_MAX));
        ck_assert(!output_budget_take(&budget, 1));

        /* a line of which the beginning was left out goes on as one */
        seen_size = 0;
        output_split(&stream, "abc", 3, on_line, NULL);
        ck_assert_uint_eq(output_skip(&stream, "d\ne\nf", 5), 2);
        output_split(&stream, "g\nh\n", 4, on_line, NULL);
        seen[seen_size] = '\0';
        ck_assert_str_eq(seen, "+g|h|");
        ck_assert_uint_eq(output_skip(&stream, "i\n", 2), 1);
        static char newlines[1000];
        memset(newlines, '\n', sizeof(newlines));
        for (size_t size = 0; size <= sizeof(newlines); size += 37)
                ck_assert_uint_eq(output_skip(&stream, newlines, size), size);
        ck_assert(!stream.is_continued);
}
END_TEST

static const struct {
        const char *line;
        int level;
        const char *rest;
} levels[] = {
        {"plain", 6, "plain"}, {"<3>bad", 3, "bad"}, {"<0>", 0, ""}, {"<8>x", 6, "<8>x"}, {"<>x", 6, "<>x"}, {"<3", 6, "<3"},
};

START_TEST(a_level_is_taken_off) {
        const char *line = levels[_i].line;
        size_t size = strlen(line);

        ck_assert_msg(output_level(&line, &size, 6) == levels[_i].level, "row %d: level", _i);
        ck_assert_msg(size == strlen(levels[_i].rest) && memcmp(line, levels[_i].rest, size) == 0, "row %d: rest", _i);
}
END_TEST

static const size_t limits[] = {0, 1, 5, 511, 512, 513, 1000, 65536};

START_TEST(the_tail_is_the_last_bytes) {
        static char all[100000], got[100000];
        size_t limit = limits[_i], n = 0;

        srand(1);
        for (size_t i = 0; i < sizeof(all); i++)
                all[i] = (char)rand();
        for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
                struct output_tail tail = {.limit = limit};
                for (size_t at = 0; at < sizeof(all); at += piece) {
                        size_t size = sizeof(all) - at < piece ? sizeof(all) - at : piece;
                        output_tail_add(&tail, all + at, size);
                }
                ck_assert_uint_le(tail.allocated, limit);
                const char *data;
                size_t wanted = limit < sizeof(all) ? limit : sizeof(all), offset = 0;
                while ((n = output_tail_read(&tail, offset, 700, &data)) > 0) {
                        memcpy(got + offset, data, n);
                        offset += n;
                }
                ck_assert_msg(offset == wanted && memcmp(got, all + sizeof(all) - wanted, wanted) == 0,
                              "limit %zu in pieces of %zu", limit, piece);
                output_tail_done(&tail);
        }
}
END_TEST

START_TEST(a_quiet_run_costs_no_tail) {
        struct output_tail tail = {.limit = 65536};

        ck_assert_ptr_null(tail.data);
        output_tail_add(&tail, "hello\n", 6);
        ck_assert_uint_le(tail.allocated, 512);
        output_tail_done(&tail);
        ck_assert_uint_eq(tail.limit, 65536);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("output");
        TCase *tcase = tcase_create("output");

        tcase_add_loop_test(tcase, lines_are_the_same_however_the_bytes_come, 0, sizeof(texts) / sizeof(texts[0]));
        tcase_add_test(tcase, nul_bytes_pass);
        tcase_add_loop_test(tcase, no_character_is_cut, 0, sizeof(characters) / sizeof(characters[0]));
        tcase_add_test(tcase, what_is_left_out_is_counted);
        tcase_add_loop_test(tcase, a_long_line_is_cut_and_nothing_of_it_is_lost, 0,
                            sizeof(piece_sizes) / sizeof(piece_sizes[0]));
        tcase_add_loop_test(tcase, a_level_is_taken_off, 0, sizeof(levels) / sizeof(levels[0]));
        tcase_add_loop_test(tcase, the_tail_is_the_last_bytes, 0, sizeof(limits) / sizeof(limits[0]));
        tcase_add_test(tcase, a_quiet_run_costs_no_tail);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
