// SPDX-License-Identifier: MIT
// calendar: events read as systemd reads them, print normalized, and every refusal says where and what would be right.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/civil.h"
#include "tests/unit/config/check_pattern.h"
#include "tests/unit/run_suite.h"

#define USEC_PER_SEC INT64_C(1000000)

static const struct {
        const char *text, *normalized;
        bool is_fixed;
} events[] = {
        {"Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00", true},
        {"Mon,Sun 12-*-* 2,1:23", "Mon,Sun 2012-*-* 01,02:23:00", true},
        {"Wed *-1", "Wed *-*-01 00:00:00", true},
        {"Wed..Wed,Wed *-1", "Wed *-*-01 00:00:00", true},
        {"Wed, 17:48", "Wed *-*-* 17:48:00", true},
        {"Wed..Sat,Tue 12-10-16 1:2:3", "Tue..Sat 2012-10-16 01:02:03", true},
        {"*-*-7 0:0:0", "*-*-07 00:00:00", true},
        {"10-15", "*-10-15 00:00:00", true},
        {"monday *-12-* 17:00", "Mon *-12-* 17:00:00", true},
        {"Mon,Fri *-*-3,1,2 *:30:45", "Mon,Fri *-*-01,02,03 *:30:45", false},
        {"12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00", true},
        {"12..14:10,20,30", "*-*-* 12..14:10,20,30:00", true},
        {"mon,fri *-1/2-1,3 *:30:45", "Mon,Fri *-01/2-01,03 *:30:45", false},
        {"03-05 08:05:40", "*-03-05 08:05:40", true},
        {"05:40", "*-*-* 05:40:00", true},
        {"2003-03-05 05:40", "2003-03-05 05:40:00", true},
        {"05:40:23.4200004/3.1700005", "*-*-* 05:40:23.420000/3.170001", true},
        {"2003-02..04-05", "2003-02..04-05 00:00:00", true},
        {"2003-03-05 05:40 UTC", "2003-03-05 05:40:00 UTC", true},
        {"weekly Pacific/Auckland", "Mon *-*-* 00:00:00 Pacific/Auckland", true},
        {"*:2/3", "*-*-* *:02/3:00", false},
        {"minutely", "*-*-* *:*:00", false},
        {"hourly", "*-*-* *:00:00", false},
        {"daily utc", "*-*-* 00:00:00 UTC", true},
        {"monthly", "*-*-01 00:00:00", true},
        {"quarterly", "*-01,04,07,10-01 00:00:00", true},
        {"SemiAnnually", "*-01,07-01 00:00:00", true},
        {"bi-annually", "*-01,07-01 00:00:00", true},
        {"yearly", "*-01-01 00:00:00", true},
        {"annually", "*-01-01 00:00:00", true},
        {" Mon   10:00\t", "Mon *-*-* 10:00:00", true},
        {"Mon-Wed", "Mon..Wed *-*-* 00:00:00", true},
        {"Mon..Sun", "*-*-* 00:00:00", true},
        {"Mon..Thu,Sat,Sun,Fri 10:00", "*-*-* 10:00:00", true},
        {"*-02~03", "*-02~03 00:00:00", true},
        {"Mon *-05~07/1", "Mon *-05~07/1 00:00:00", true},
        {"*-*~*", "*-*-* 00:00:00", true},
        {"*~1..7/4", "*-*~01..05/4 00:00:00", true},
        {"@1700000000", "2023-11-14 22:13:20 UTC", true},
        {"@1700000000 Europe/Berlin", "2023-11-14 22:13:20 UTC", true},
        {"Tue @1700000000 UTC", "Tue 2023-11-14 22:13:20 UTC", true},
        {"70-1-1 0:0:0.5", "1970-01-01 00:00:00.500000", true},
        {"69-1-1", "2069-01-01 00:00:00", true},
        {"1..5,2,2,1..5:00", "*-*-* 01..05,02:00:00", true},
        {"8..8/2:8..18/20", "*-*-* 08:08:00", true},
        {"*:*:0.5..3.2/0.7", "*-*-* *:*:00.500000..02.600000/0.700000", false},
        {"08..18/2:00", "*-*-* 08..18/2:00:00", false},
        {"2..3:*", "*-*-* 02..03:*:00", false},
        {"2:30:*", "*-*-* 02:30:*", true},
        {"*-*-* 10:00 Etc/GMT+5", "*-*-* 10:00:00 Etc/GMT+5", true},
        {"Mon Europe/Berlin", "Mon *-*-* 00:00:00 Europe/Berlin", true},
};

START_TEST(event_prints_normalized_and_reads_back) {
        check_printed(calendar_parse, events[_i].text, events[_i].normalized, events[_i].is_fixed);
}
END_TEST

static const struct refusal refusals[] = {
        {"", 0, "empty"},
        {"  ", 0, "empty"},
        {"a b c d e", 8, "too many words"},
        {"tomorrow", 0, "is no weekday"},
        {"10", 0, "is no weekday"},
        {"utc", 0, "is no weekday"},
        {"daily 10:00", 0, "is no weekday"},
        {"Monn 10:00", 0, "is no weekday"},
        {",mon", 0, "is no weekday"},
        {"Mon,,Tue", 4, "is no weekday"},
        {"Mon,Tux", 4, "\"Tux\" is no weekday"},
        {"Mon.Tue", 3, "Mon..Fri"},
        {"Mon..", 5, "is no weekday"},
        {"Sun..Mon", 0, "Sun..Mon goes backwards"},
        {"Mon Tue 10:00", 4, "one list"},
        {"Mon Tue", 4, "one list"},
        {"10:00 Mon", 6, "stand before"},
        {"10:00 2026-01-01", 6, "is no weekday"},
        {"2026-01-01T10:00", 0, "two words"},
        {"10:75", 3, "minute 75 is out of range 0..59"},
        {"24:00", 0, "hour 24 is out of range 0..23"},
        {"0:0:59.9999999", 4, "second 59.9999999 is out of range 0..59"},
        {"99999999999999999999:0", 0, "out of range 0..23"},
        {"1969-1-1", 0, "year 1969 is out of range 1970..2199"},
        {"*-13-01", 2, "month 13"},
        {"*-1-32", 4, "day 32"},
        {"*-*~29", 4, "1..28"},
        {"2026~01~01", 7, "a date is written"},
        {"2026~01-01", 7, "a date is written"},
        {"1-2-3-4", 5, "a date is written"},
        {"1-", 2, "the day is missing"},
        {"1:", 2, "the minute is missing"},
        {"10:0:0:0", 6, "does not belong to the second"},
        {"10:0:1.", 6, "does not belong"},
        {"0x5:00", 1, "does not belong to the hour"},
        {"+5:00", 0, "is no hour"},
        {"5..3:00", 0, "the range 5..3 goes backwards"},
        {"5..:00", 3, "is no hour"},
        {"*:*/15", 2, "write 0/15"},
        {"*:*,5", 2, "every minute"},
        {"*:5,*", 4, "every minute"},
        {"0/0:00", 2, "a step of 0"},
        {"0/x:00", 2, "a step is a number"},
        {"0/24:00", 0, "leads out of 0..23"},
        {"3/21:0", 0, "leads out of 0..23"},
        {"*-*~7/8", 4, "leads out of 1..28"},
        {"*-02-30", 0, "can never match"},
        {"2023-02-29", 0, "can never match"},
        {"Mon 2026-11-22", 0, "can never match"},
        {"@", 0, "@SECONDS"},
        {"@1.5", 0, "@SECONDS"},
        {"@99999999999", 0, "@SECONDS"},
        {"10:00 Europe/Ber\\lin", 6, "no name of a time zone"},
};

START_TEST(refusal_says_where_and_what_would_be_right) {
        check_refusal(calendar_parse, &refusals[_i]);
}
END_TEST

START_TEST(long_input_is_refused) {
        char text[3000];
        struct pattern *p = NULL;
        struct pattern_error error;

        memset(text, '1', sizeof(text));
        text[sizeof(text) - 1] = 0;
        ck_assert_int_eq(calendar_parse(text, &p, &error), -EINVAL);
        ck_assert_uint_eq(error.at, PATTERN_TEXT_MAX);
        for (size_t i = 1; i < 200; i += 2)
                text[i] = ',';
        strcpy(text + 201, ":00");
        ck_assert_int_eq(calendar_parse(text, &p, &error), -EINVAL);
        ck_assert_msg(strstr(error.text, "at most 64 values"), "%s", error.text);
        strcpy(text, "*:*:");
        for (int i = 0; i < 50; i++)
                sprintf(text + strlen(text), "%s%d.1..59/0.7", i ? "," : "", i);
        ck_assert_int_eq(calendar_parse(text, &p, &error), -EINVAL);
        ck_assert_msg(strstr(error.text, "once it is normalized"), "%s", error.text);
}
END_TEST

static const struct warning warnings[] = {
        {"*:0/7", "the step 7 does not divide 60 minutes: after 56 follows 0, a step of 4"},
        {"*:0/15", NULL},
        {"*:5/15", NULL},
        {"0/5:00", "the step 5 does not divide 24 hours: after 20 follows 0, a step of 4"},
        {"9/2:00", NULL},
        {"8..18/3:00", NULL},
        {"*-*-1/2", "the step 2 does not divide 31 days: after 31 follows 1, a step of 1"},
        {"*-1/5-1", "the step 5 does not divide 12 months: after 11 follows 1, a step of 2"},
        {"*:*:0/2.5", NULL},
        {"*:*:0/0.7", "the step 0.700000 does not divide 60 seconds: after 59.500000 follows 0, a step of 0.500000"},
        {"2000/7-1-1", NULL},
        {"*-*~7/1", NULL},
};

START_TEST(short_step_is_warned_of) {
        check_warning(calendar_parse, &warnings[_i]);
}
END_TEST

static const struct {
        const char *text;
        struct civil from;
        int64_t us;
        struct civil next;
        int64_t next_us; /* -1: nothing any more */
} walks[] = {
        {"*-*-* 02:30", {2026, 1, 1, 2, 30, 0}, 0, {2026, 1, 1, 2, 30, 0}, 0},
        {"*-*-* 02:30", {2026, 1, 1, 2, 30, 0}, 1, {2026, 1, 2, 2, 30, 0}, 0},
        {"*-*-* 02:30", {2026, 12, 31, 3, 0, 0}, 0, {2027, 1, 1, 2, 30, 0}, 0},
        {"Mon *-02-29", {2026, 1, 1, 0, 0, 0}, 0, {2044, 2, 29, 0, 0, 0}, 0},
        {"Mon *-02-29", {2072, 3, 1, 0, 0, 0}, 0, {2112, 2, 29, 0, 0, 0}, 0}, /* 2100 has none: 40 years */
        {"*-02~1", {2028, 2, 10, 0, 0, 0}, 0, {2028, 2, 29, 0, 0, 0}, 0},
        {"*-02~1", {2100, 2, 10, 0, 0, 0}, 0, {2100, 2, 28, 0, 0, 0}, 0},
        {"Mon *-05~07/1", {2026, 1, 1, 0, 0, 0}, 0, {2026, 5, 25, 0, 0, 0}, 0},
        {"*-*~1..3/2 12:00", {2026, 4, 29, 0, 0, 0}, 0, {2026, 4, 30, 12, 0, 0}, 0},
        {"*:*:0.25/0.5", {2026, 1, 1, 23, 59, 59}, 750000, {2026, 1, 1, 23, 59, 59}, 750000},
        {"*:*:0.25/0.5", {2026, 1, 1, 23, 59, 59}, 750001, {2026, 1, 2, 0, 0, 0}, 250000},
        {"05:40:23.42/3.17", {2026, 1, 1, 5, 40, 24}, 0, {2026, 1, 1, 5, 40, 26}, 590000},
        {"2020-*-*", {2026, 1, 1, 0, 0, 0}, 0, {}, -1},
        {"2199-12-31 23:59:59", {2026, 1, 1, 0, 0, 0}, 0, {2199, 12, 31, 23, 59, 59}, 0},
        {"minutely", {2199, 12, 31, 23, 59, 0}, 1, {}, -1},
        {"minutely", {1960, 1, 1, 0, 0, 0}, 0, {1970, 1, 1, 0, 0, 0}, 0},
        {"minutely", {9999, 1, 1, 0, 0, 0}, 0, {}, -1},
};

START_TEST(walk_finds_the_next_civil_time) {
        struct pattern *p = must_read(calendar_parse, walks[_i].text);
        int64_t wanted_us = PATTERN_NEVER;

        if (walks[_i].next_us >= 0)
                wanted_us = civil_seconds(&walks[_i].next) * USEC_PER_SEC + walks[_i].next_us;
        int64_t found_us = pattern_next_civil(p, civil_seconds(&walks[_i].from) * USEC_PER_SEC + walks[_i].us);
        ck_assert_msg(found_us == wanted_us, "%s: %lld instead of %lld", walks[_i].text, (long long)found_us,
                      (long long)wanted_us);
        pattern_free(p);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(table[0]))

int main(void) {
        Suite *suite = suite_create("calendar");
        TCase *tcase = tcase_create("calendar");

        tcase_add_loop_test(tcase, event_prints_normalized_and_reads_back, 0, ROWS(events));
        tcase_add_loop_test(tcase, refusal_says_where_and_what_would_be_right, 0, ROWS(refusals));
        tcase_add_test(tcase, long_input_is_refused);
        tcase_add_loop_test(tcase, short_step_is_warned_of, 0, ROWS(warnings));
        tcase_add_loop_test(tcase, walk_finds_the_next_civil_time, 0, ROWS(walks));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
