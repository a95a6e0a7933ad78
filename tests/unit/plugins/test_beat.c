// SPDX-License-Identifier: MIT
// What a heartbeat says and where it is sent; the small parts of an HTTP check.

#include "daemon/plugins/beat.h"
#include "daemon/plugins/http.h"
#include "daemon/plugins/send.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/run_suite.h"

static const struct {
        enum beat_format format;
        const char *text;
} beats[] = {
        {BEAT_PAIRS, "TIME=1970-01-01T00:00:02Z\nSLOT=1970-01-01T00:00:01.500000Z\nRUN=7\nJOB=pulse\nHOST=a\"b\n"},
        {BEAT_JSON, "{\"time\":\"1970-01-01T00:00:02Z\",\"slot\":\"1970-01-01T00:00:01.500000Z\",\"run\":7,\"job\":\"pulse\","
                    "\"host\":\"a\\\"b\"}\n"},
        {BEAT_NOTIFY, "WATCHDOG=1\nSTATUS=job pulse, run 7 at 1970-01-01T00:00:02Z\n"},
};

START_TEST(a_beat_has_three_forms) {
        const struct beat beat = {.job = "pulse", .host = "a\"b", .run = 7, .now_rt_us = 2000000, .slot_rt_us = 1500000};
        char memory[512];
        struct text text = TEXT_IN(memory);

        beat_write(&beat, beats[_i].format, &text);
        ck_assert_str_eq(text.to, beats[_i].text);
}
END_TEST

#define LONG_107 "/2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"

static const struct {
        const char *text;
        int r;
} addresses[] = {
        {"/run/x", 0},
        {"@x", 0},
        {"udp:127.0.0.1:53", 0},
        {"udp:[::1]:53", 0},
        {LONG_107, 0},
        {LONG_107 "x", -ENAMETOOLONG},
        {"", -EINVAL},
        {"/", -EINVAL},
        {"@", -EINVAL},
        {"run/x", -EINVAL},
        {"udp:", -EINVAL},
        {"udp:1.2.3.4", -EINVAL},
        {"udp::53", -EINVAL},
        {"udp:localhost:53", -EINVAL},
        {"udp:::1:53", -EINVAL},
        {"udp:1.2.3.4:x", -EINVAL},
        {"udp:1.2.3.4:99999", -EINVAL},
        {"tcp:1.2.3.4:5", -EINVAL},
};

START_TEST(an_address_is_a_local_socket_or_a_numeric_one) {
        struct send_address address = {.size = 77};
        int r = send_parse(addresses[_i].text, &address);

        ck_assert_msg(r == addresses[_i].r, "'%s': %d", addresses[_i].text, r);
        ck_assert_msg((address.size == 77) == (r < 0), "'%s'", addresses[_i].text);
}
END_TEST

static void listen_at(const char *path, int type, int *ret_fd) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};

        strcpy(name.sun_path, path);
        *ret_fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(*ret_fd, (struct sockaddr *)&name, sizeof(name)), 0);
        ck_assert(type != SOCK_STREAM || listen(*ret_fd, 1) == 0);
}

START_TEST(a_message_reaches_both_kinds_of_socket_and_waits_for_none) {
        char folder[] = "/tmp/chimed-send.XXXXXX", path[64], got[16] = "";
        struct send_address to;
        int fd, r;

        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/s", folder);
        ck_assert_int_eq(send_parse(path, &to), 0);
        ck_assert_int_eq(send_message(&to, "x\n", 2), -ENOENT);
        listen_at(path, SOCK_DGRAM, &fd);
        ck_assert_int_eq(send_message(&to, "x\n", 2), 0);
        ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 2);
        do
                r = send_message(&to, "x\n", 2);
        while (r == 0);
        ck_assert_int_eq(r, -EAGAIN);
        close(fd);
        ck_assert_int_eq(send_message(&to, "x\n", 2), -ECONNREFUSED);
        unlink(path);
        listen_at(path, SOCK_STREAM, &fd);
        ck_assert_int_eq(send_message(&to, "x\n", 2), 0);
        int peer = accept(fd, NULL, NULL);
        ck_assert_int_eq(read(peer, got, sizeof(got)), 2);
        close(peer);
        do
                r = send_message(&to, "x\n", 2);
        while (r == 0);
        ck_assert_int_eq(r, -EAGAIN);
        close(fd);
        unlink(path);
        rmdir(folder);
}
END_TEST

static const struct {
        const char *text;
        long status;
        int r;
        bool has;
} statuses[] = {
        {"200-299", 200, 0, true},
        {"200-299", 299, 0, true},
        {"200-299", 300, 0, false},
        {"200 404, 500-599", 404, 0, true},
        {" 200 ,", 200, 0, true},
        {"200", 0, 0, false},
        {"", 0, -EINVAL, false},
        {" ", 0, -EINVAL, false},
        {"20", 0, -EINVAL, false},
        {"2000", 0, -EINVAL, false},
        {"099", 0, -EINVAL, false},
        {"600", 0, -EINVAL, false},
        {"299-200", 0, -EINVAL, false},
        {"200-", 0, -EINVAL, false},
        {"2xx", 0, -EINVAL, false},
        {"-200", 0, -EINVAL, false},
        {"200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200", 200, 0, true},
        {"200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200", 0, -EINVAL, false},
};

START_TEST(statuses_are_numbers_and_ranges) {
        struct http_statuses parsed = {};
        int r = http_parse_statuses(statuses[_i].text, &parsed);

        ck_assert_msg(r == statuses[_i].r, "'%s': %d", statuses[_i].text, r);
        ck_assert_msg(http_has_status(&parsed, statuses[_i].status) == statuses[_i].has, "'%s'", statuses[_i].text);
}
END_TEST

static const struct {
        const char *body, *text;
        bool is_found;
} finds[] = {
        {"hello world", "world", true},  {"hello world", "hello", true},
        {"hello world", "o w", true},    {"hello world", "x", false},
        {"hello world", "d", true},      {"aaaaab", "aab", true},
        {"ababac", "abac", true},        {"", "x", false},
        {"hello", "hello world", false}, {"xhelloxhelloy", "helloy", true},
        {"wor-ld", "world", false},
};

START_TEST(a_text_is_found_however_the_body_is_cut) {
        const char *body = finds[_i].body;
        size_t size = strlen(body);

        for (size_t step = 1; step <= size + 1; step++) {
                for (size_t first = 0; first <= size; first++) {
                        struct http_find find = {.text = finds[_i].text};
                        http_find(&find, body, first);
                        for (size_t i = first; i < size; i += step)
                                http_find(&find, body + i, size - i < step ? size - i : step);
                        ck_assert_msg(find.is_found == finds[_i].is_found, "'%s' in '%s', %zu then %zu at a time",
                                      finds[_i].text, body, first, step);
                }
        }
}
END_TEST

static const struct {
        const char *text, *lines; /* lines with a bar between; a bad one ends with "!" */
} headers[] = {
        {"", ""},           {"A: b\n", "A: b|"},    {"# x\n\nA: b\r\nC:d", "A: b|C:d|"}, {"A b\n", "A b!|"},
        {": b\n", ": b!|"}, {"A : b\n", "A : b!|"}, {"A: b\rX: y\n", "A: b\rX: y!|"},    {"A: \x01\nB: c\n", "A: \x01!|B: c|"},
};

START_TEST(headers_are_lines_with_a_name) {
        char text[64], memory[128], *from = text;
        struct text lines = TEXT_IN(memory);
        bool is_bad = false;

        strcpy(text, headers[_i].text);
        for (const char *line; (line = http_next_header(&from, &is_bad));)
                text_add(&lines, "%s%s|", line, is_bad ? "!" : "");
        ck_assert_str_eq(lines.to, headers[_i].lines);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void) {
        Suite *suite = suite_create("beat");
        TCase *c = tcase_create("beats and checks");

        tcase_add_loop_test(c, a_beat_has_three_forms, 0, COUNT(beats));
        tcase_add_loop_test(c, an_address_is_a_local_socket_or_a_numeric_one, 0, COUNT(addresses));
        tcase_add_test(c, a_message_reaches_both_kinds_of_socket_and_waits_for_none);
        tcase_add_loop_test(c, statuses_are_numbers_and_ranges, 0, COUNT(statuses));
        tcase_add_loop_test(c, a_text_is_found_however_the_body_is_cut, 0, COUNT(finds));
        tcase_add_loop_test(c, headers_are_lines_with_a_name, 0, COUNT(headers));
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
