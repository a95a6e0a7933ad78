// SPDX-License-Identifier: MIT
// text and times: what reaches a terminal is harmless, fits, and says times as people do.

#include <check.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/duration.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/times.h"
#include "tests/unit/run_suite.h"

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))
#define NOW      (INT64_C(1795178460) * USEC_PER_SEC) /* Fri 2026-11-20 12:41:00 CET */

static void set_up(void) {
        setlocale(LC_CTYPE, "C.UTF-8");
        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
}

static const struct {
        const char *text, *clean, *clean_lines;
} cleans[] = {
        {"plain", "plain", "plain"},
        {"\033[31mred", ".[31mred", ".[31mred"},
        {"a\nb\tc\rd", "a.b.c.d", "a\nb\tc.d"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x95\x90", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x95\x90",
         "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x95\x90"},
        {"csi \xc2\x9b"
         "31m",
         "csi .31m", "csi .31m"},
        {"bad \xff\xc3", "bad ..", "bad .."},
        {"\x7f", ".", "."},
        {"cut \xe2\x82", "cut ..", "cut .."},
};

START_TEST(nothing_that_a_terminal_obeys_remains) {
        char text[100];

        strcpy(text, cleans[_i].text);
        text_clean(text, false);
        ck_assert_str_eq(text, cleans[_i].clean);
        strcpy(text, cleans[_i].text);
        text_clean(text, true);
        ck_assert_str_eq(text, cleans[_i].clean_lines);
}
END_TEST

static const struct {
        const char *text;
        size_t width;
        const char *ascii, *utf8;
} cuts[] = {
        {"backup", 6, "backup", "backup"},
        {"backups", 6, "ba..ps", "bac\xe2\x80\xa6ps"},
        {"a-long-name", 8, "a-l..ame",
         "a-lo\xe2\x80\xa6"
         "ame"},
        {"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc", 5, "\xc3\xa4\xc3\xb6..\xc3\xbc",
         "\xc3\xa4\xc3\xb6\xe2\x80\xa6\xc3\xb6\xc3\xbc"},
        {"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97", 5, "\xe6\xbc\xa2..", "\xe6\xbc\xa2\xe2\x80\xa6\xe5\xad\x97"},
        {"abc", 1, "a", "\x61"},
        {"", 5, "", ""},
};

START_TEST(long_names_are_cut_in_the_middle) {
        char *ascii = text_ellipsize(cuts[_i].text, cuts[_i].width, false);
        char *utf8 = text_ellipsize(cuts[_i].text, cuts[_i].width, true);

        ck_assert_str_eq(ascii, cuts[_i].ascii);
        ck_assert_str_eq(utf8, cuts[_i].utf8);
        ck_assert_uint_le(text_width(ascii), cuts[_i].width);
        ck_assert_uint_le(text_width(utf8), cuts[_i].width);
        free(ascii);
        free(utf8);
}
END_TEST

static const struct {
        const char *text;
        size_t at, indent, width;
        const char *wrapped;
} wraps[] = {
        {"one two three", 0, 0, 80, "one two three\n"},
        {"one two three", 0, 2, 8, "one two\n  three\n"},
        {"  one   two ", 3, 3, 80, "one two\n"},
        {"longerthanwide b", 0, 1, 5, "longerthanwide\n b\n"},
        {"", 0, 0, 80, "\n"},
};

START_TEST(words_are_wrapped_and_never_cut) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        text_wrap(out, wraps[_i].text, wraps[_i].at, wraps[_i].indent, wraps[_i].width);
        fclose(out);
        ck_assert_str_eq(text, wraps[_i].wrapped);
        free(text);
}
END_TEST

static const struct {
        int64_t us;
        const char *full, *exact, *near;
} instants[] = {
        {NOW, "Fri 2026-11-20 13:41:00 CET", "Fri 2026-11-20 13:41:00 CET", "Fri 13:41:00"},
        {NOW + 5 * USEC_PER_DAY, "Wed 2026-11-25 13:41:00 CET", "Wed 2026-11-25 13:41:00 CET", "Wed 13:41:00"},
        {NOW - 5 * USEC_PER_DAY, "Sun 2026-11-15 13:41:00 CET", "Sun 2026-11-15 13:41:00 CET", "Sun 13:41:00"},
        {NOW + 6 * USEC_PER_DAY, "Thu 2026-11-26 13:41:00 CET", "Thu 2026-11-26 13:41:00 CET", "2026-11-26 13:41"},
        {NOW + 57433, "Fri 2026-11-20 13:41:00 CET", "Fri 2026-11-20 13:41:00.057 CET", "Fri 13:41:00"},
        {INT64_C(1785000000) * USEC_PER_SEC, "Sat 2026-07-25 19:20:00 CEST", "Sat 2026-07-25 19:20:00 CEST",
         "2026-07-25 19:20"},
        {-1, "-", "-", "-"},
        {INT64_MAX, "-", "-", "-"},
};

START_TEST(instants_are_local) {
        char buf[TIMES_SIZE];

        ck_assert_str_eq(times_full(instants[_i].us, buf), instants[_i].full);
        ck_assert_str_eq(times_exact(instants[_i].us, buf), instants[_i].exact);
        ck_assert_str_eq(times_short(NOW, instants[_i].us, buf), instants[_i].near);
}
END_TEST

static const struct {
        int64_t us;
        const char *span, *about;
} spans[] = {
        {0, "0s", "0s"},
        {-5, "0s", "0s"},
        {7, "7us", "7us"},
        {350000, "350ms", "350ms"},
        {4 * USEC_PER_SEC, "4s", "4s"},
        {4210000, "4.2s", "4s"},
        {4 * USEC_PER_SEC + 50000, "4s", "4s"},
        {59999999, "59s", "59s"},
        {2463 * USEC_PER_SEC, "41min 3s", "41min"},
        {18 * USEC_PER_MINUTE, "18min", "18min"},
        {3 * USEC_PER_HOUR, "3h", "3h"},
        {3 * USEC_PER_HOUR + 5 * USEC_PER_MINUTE + 9, "3h 5min", "3h 5min"},
        {38 * USEC_PER_HOUR, "1d 14h", "1d 14h"},
        {56 * USEC_PER_HOUR + 90, "2d 8h", "2d 8h"},
        {120 * USEC_PER_DAY + USEC_PER_HOUR, "120d 1h", "120d"},
};

START_TEST(spans_have_two_units) {
        char buf[TIMES_SIZE];

        ck_assert_str_eq(times_span(spans[_i].us, buf), spans[_i].span);
        ck_assert_str_eq(times_about(spans[_i].us, buf), spans[_i].about);
}
END_TEST

static const struct {
        const char *sentence, *full, *near;
} sentences[] = {
        {"2026-11-20T01:30:00Z did not run.", "Fri 2026-11-20 02:30:00 CET did not run.", "Fri 02:30:00 did not run."},
        {"from 2026-11-18T21:41:07Z to 2026-11-21T06:11:52.5Z.",
         "from Wed 2026-11-18 22:41:07 CET to Sat 2026-11-21 07:11:52 CET.", "from Wed 22:41:07 to Sat 07:11:52."},
        {"2026-11-20 is no instant, 2026-11-20T01:30:00 neither, 2026-13-20T01:30:00Z even less",
         "2026-11-20 is no instant, 2026-11-20T01:30:00 neither, 2026-13-20T01:30:00Z even less", NULL},
        {"", "", ""},
};

START_TEST(instants_in_sentences_become_local) {
        char *full = times_localize(NOW, sentences[_i].sentence, true),
             *near = times_localize(NOW, sentences[_i].sentence, false);

        ck_assert_str_eq(full, sentences[_i].full);
        ck_assert_str_eq(near, sentences[_i].near ? sentences[_i].near : sentences[_i].full);
        free(full);
        free(near);
}
END_TEST

#define SATURDAY (INT64_C(1795257700) * USEC_PER_SEC) /* 2026-11-21 11:41:40 CET */

/* As of that instant, in seconds from it. */
static const struct {
        const char *text;
        int64_t off_s; /* INT64_MIN: refused */
} times[] = {
        {"now", 0},
        {"today", -42100},
        {"yesterday", -42100 - 86400},
        {"tomorrow", -42100 + 86400},
        {"-2h", -7200},
        {"+5min", 300},
        {"2h ago", -7200},
        {"1h 30min ago", -5400},
        {"11:41", -40},
        {"11:41:39", -1},
        {"23:00", 40700},
        {"Fri 2026-11-20 11:41:40", -86400},
        {"Friday 2026-11-20 11:41:40", -86400},
        {"Sat 11:41:40", 0},
        {"Sat 11:41:41", 1 - 7 * 86400},
        {"Fri 11:41:40", -86400},
        {"sun 11:41:40", -6 * 86400},
        {"2026-11-21 11:41:41", 1},
        {"@1795257701", 1},
        {"", INT64_MIN},
        {"ago", INT64_MIN},
        {" ago", INT64_MIN},
        {"-", INT64_MIN},
        {"-infinity", INT64_MIN},
        {"+infinity", INT64_MIN},
        {"-100y", INT64_MIN},
        {"-2 moons", INT64_MIN},
        {"25:00", INT64_MIN},
        {"Fri", INT64_MIN},
        {"Fri tomorrow", INT64_MIN},
        {"Moon 11:41:40", INT64_MIN},
        {"11:41:40:40", INT64_MIN},
        {"11:41:40.1234567890123456789", INT64_MIN},
        {"sometime", INT64_MIN},
};

START_TEST(instants_are_read_as_people_write_them) {
        const char *why = NULL;
        int64_t us = -1;
        int r = times_parse(times[_i].text, SATURDAY, &us, &why);

        if (times[_i].off_s == INT64_MIN)
                ck_assert_msg(r < 0 && why, "%s: %lld", times[_i].text, (long long)us);
        else
                ck_assert_msg(r == 0 && us == SATURDAY + times[_i].off_s * USEC_PER_SEC, "%s: %d, %lld s off", times[_i].text,
                              r, (long long)((us - SATURDAY) / USEC_PER_SEC - times[_i].off_s));
}
END_TEST

static const struct {
        int64_t apart_us;
        const char *text;
} shorts[] = {{0, "11:41:40"}, {USEC_PER_MINUTE, "11:41"}, {23 * USEC_PER_HOUR, "Sat"}, {7 * USEC_PER_DAY, "2026-11-21"}};

START_TEST(an_instant_is_as_short_as_its_neighbours_allow) {
        char buf[TIMES_SIZE];

        ck_assert_str_eq(times_among(SATURDAY, shorts[_i].apart_us, buf), shorts[_i].text);
        ck_assert_str_eq(times_among(INT64_MAX, shorts[_i].apart_us, buf), "-");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("text");
        TCase *tcase = tcase_create("text and times");
        tcase_add_checked_fixture(tcase, set_up, NULL);
        tcase_add_loop_test(tcase, nothing_that_a_terminal_obeys_remains, 0, COUNT(cleans));
        tcase_add_loop_test(tcase, long_names_are_cut_in_the_middle, 0, COUNT(cuts));
        tcase_add_loop_test(tcase, words_are_wrapped_and_never_cut, 0, COUNT(wraps));
        tcase_add_loop_test(tcase, instants_are_local, 0, COUNT(instants));
        tcase_add_loop_test(tcase, spans_have_two_units, 0, COUNT(spans));
        tcase_add_loop_test(tcase, instants_in_sentences_become_local, 0, COUNT(sentences));
        tcase_add_loop_test(tcase, instants_are_read_as_people_write_them, 0, COUNT(times));
        tcase_add_loop_test(tcase, an_instant_is_as_short_as_its_neighbours_allow, 0, COUNT(shorts));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
