// SPDX-License-Identifier: MIT
// The texts of /proc and of cgroups, honest and not; texts that are built into a fixed size.

#include "daemon/plugins/proc_text.h"
#include "daemon/plugins/text.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/run_suite.h"

#define REST " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"

static const struct {
        const char *text;
        int r;
        const char *comm;
        char state;
        int64_t cpu, threads, start, rss;
} stats[] = {
        {"1 (init) S 0 1 1 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 6 0 33 1000 250 18446744073709551615", 0, "init", 'S', 200, 6,
         33, 250},
        {"2 (a) b) (c) R" REST, 0, "a) b) (c", 'R', 23, 17, 19, 21},
        {"3 () Z" REST, 0, "", 'Z', 23, 17, 19, 21},
        {"4 (x\ny) D" REST, 0, "x\ny", 'D', 23, 17, 19, 21},
        {"5 (x) S 1 2 3 4 5 6 7 8 9 10 99999999999999999999 1 1 1 1 1 1 1 1 1 1 1", 0, "x", 'S', INT64_MAX, 1, 1, 1},
        {"", -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6", -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6 (x", -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6 )x( S" REST, -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6 (x)", -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6 (x) ", -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6 (x) S", -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6 (x) S 1 2 3", -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6 (x) S 1 2 3 4 5 6 7 8 9 10 - 12 13 14 15 16 17 18 19 20 21 22", -EBADMSG, NULL, 0, 0, 0, 0, 0},
        {"6 (x) \x80" REST, -EBADMSG, NULL, 0, 0, 0, 0, 0},
};

START_TEST(a_stat_is_read_behind_its_name) {
        struct proc_stat stat = {.state = '?'};
        int r = proc_parse_stat(stats[_i].text, &stat);

        ck_assert_msg(r == stats[_i].r, "'%s': %d", stats[_i].text, r);
        ck_assert_msg(stat.state == (r == 0 ? stats[_i].state : '?'), "'%s': state %c", stats[_i].text, stat.state);
        if (r < 0)
                return;
        ck_assert_str_eq(stat.comm, stats[_i].comm);
        ck_assert_int_eq(stat.cpu_ticks, stats[_i].cpu);
        ck_assert_int_eq(stat.threads, stats[_i].threads);
        ck_assert_int_eq(stat.start_ticks, stats[_i].start);
        ck_assert_int_eq(stat.rss_pages, stats[_i].rss);
}
END_TEST

START_TEST(a_long_name_is_cut) {
        char text[400] = "1 (";
        struct proc_stat stat;

        memset(text + 3, 'x', 200);
        strcpy(text + 203, ") S" REST);
        ck_assert_int_eq(proc_parse_stat(text, &stat), 0);
        ck_assert_uint_eq(strlen(stat.comm), PROC_COMM_MAX);
}
END_TEST

static const struct {
        const char *text, *name;
        int r;
        int64_t value;
} fields[] = {
        {"Rss:    12 kB\nPss:  7 kB\n", "Pss", 0, 7168},
        {"rchar: 1\nread_bytes: 4096\n", "read_bytes", 0, 4096},
        {"usage_usec 5\nuser_usec 3", "user_usec", 0, 3},
        {"oom 1\noom_kill 2\n", "oom_kill", 0, 2},
        {"anon_thp 1\nanon 2\n", "anon", 0, 2},
        {"a 99999999999999999999\n", "a", 0, INT64_MAX},
        {"a: 9223372036854775807 kB", "a", 0, INT64_MAX},
        {"xPss: 1\n", "Pss", -ENOENT, 0},
        {"Pss: \n", "Pss", -ENOENT, 0},
        {"Pss: -1 kB\n", "Pss", -ENOENT, 0},
        {"Pss:", "Pss", -ENOENT, 0},
        {"Pss", "Pss", -ENOENT, 0},
        {"\n\n\n", "Pss", -ENOENT, 0},
        {"", "Pss", -ENOENT, 0},
};

START_TEST(a_field_is_found_by_its_whole_name) {
        int64_t value = -7;
        int r = proc_parse_field(fields[_i].text, fields[_i].name, &value);

        ck_assert_msg(r == fields[_i].r, "'%s': %d", fields[_i].text, r);
        ck_assert_msg(value == (r == 0 ? fields[_i].value : -7), "'%s': %lld", fields[_i].text, (long long)value);
}
END_TEST

static const struct {
        const char *text;
        int r;
        int64_t value;
} numbers[] = {
        {"42\n", 0, 42},        {" 7 ", 0, 7},       {"0", 0, 0},           {"18446744073709551615\n", 0, INT64_MAX},
        {"max\n", -EBADMSG, 0}, {"", -EBADMSG, 0},   {"-1\n", -EBADMSG, 0}, {"1 2\n", -EBADMSG, 0},
        {"12x", -EBADMSG, 0},   {"\n", -EBADMSG, 0},
};

START_TEST(a_number_stands_alone) {
        int64_t value = -7;
        int r = proc_parse_number(numbers[_i].text, &value);

        ck_assert_msg(r == numbers[_i].r, "'%s': %d", numbers[_i].text, r);
        ck_assert_msg(value == (r == 0 ? numbers[_i].value : -7), "'%s': %lld", numbers[_i].text, (long long)value);
}
END_TEST

START_TEST(the_devices_of_a_cgroup_are_added_up) {
        const char *text = "8:0 rbytes=10 wbytes=1 rios=7\n8:16 rbytes=32 wbytes=2 xrbytes=5\n254:0\n9:1 rbytes= wbytes=x\n";

        ck_assert_int_eq(proc_sum_pairs(text, "rbytes"), 42);
        ck_assert_int_eq(proc_sum_pairs(text, "wbytes"), 3);
        ck_assert_int_eq(proc_sum_pairs("", "rbytes"), 0);
        ck_assert_int_eq(proc_sum_pairs("x rbytes=9223372036854775807\ny rbytes=1", "rbytes"), INT64_MAX);
}
END_TEST

START_TEST(a_piece_that_does_not_fit_is_left_out_whole) {
        char memory[8];
        struct text t = TEXT_IN(memory);

        text_add(&t, "abc");
        text_add(&t, "%s", "12345");
        ck_assert_str_eq(t.to, "abc");
        ck_assert(t.is_cut);
        text_add(&t, "%d", 1234);
        ck_assert_str_eq(t.to, "abc1234");
}
END_TEST

static const struct {
        const char *string, *json;
} jsons[] = {
        {"", "\"\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\nb\x01\x7f", "\"a\\u000ab\\u0001\\u007f\""},
        {"h\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\"h\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"\xc3", "\"\xef\xbf\xbd\""},
        {"\xff.\xc0\x80", "\"\xef\xbf\xbd.\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

START_TEST(a_json_string_is_valid_whatever_it_is_made_of) {
        char memory[64];
        struct text t = TEXT_IN(memory);

        text_add_json(&t, jsons[_i].string);
        ck_assert_str_eq(t.to, jsons[_i].json);
}
END_TEST

static const struct {
        int64_t us;
        const char *text;
} times[] = {
        {0, "1970-01-01T00:00:00Z"},
        {INT64_C(1795332562123456), "2026-11-22T07:29:22.123456Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(253402300799000000), "9999-12-31T23:59:59Z"},
        {INT64_C(253402300800000000), "253402300800000000"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
};

START_TEST(an_instant_is_written_in_full) {
        char memory[64];
        struct text t = TEXT_IN(memory);

        text_add_time(&t, times[_i].us);
        ck_assert_str_eq(t.to, times[_i].text);
}
END_TEST

START_TEST(words_of_strangers_are_tamed) {
        char words[] = "a\x1b[31mb\n\xc3\xa4~";

        text_tame(words);
        ck_assert_str_eq(words, "a?[31mb???~");
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void) {
        Suite *suite = suite_create("proc_text");
        TCase *c = tcase_create("texts");

        tcase_add_loop_test(c, a_stat_is_read_behind_its_name, 0, COUNT(stats));
        tcase_add_test(c, a_long_name_is_cut);
        tcase_add_loop_test(c, a_field_is_found_by_its_whole_name, 0, COUNT(fields));
        tcase_add_loop_test(c, a_number_stands_alone, 0, COUNT(numbers));
        tcase_add_test(c, the_devices_of_a_cgroup_are_added_up);
        tcase_add_test(c, a_piece_that_does_not_fit_is_left_out_whole);
        tcase_add_loop_test(c, a_json_string_is_valid_whatever_it_is_made_of, 0, COUNT(jsons));
        tcase_add_loop_test(c, an_instant_is_written_in_full, 0, COUNT(times));
        tcase_add_test(c, words_of_strangers_are_tamed);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
