// SPDX-License-Identifier: MIT
// pattern_words: expressions and what they mean, to the letter.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/cron.h"
#include "config/pattern_words.h"
#include "tests/unit/config/check_pattern.h"
#include "tests/unit/run_suite.h"

static int read_cron(const char *text, struct pattern **ret, struct pattern_error *ret_error) {
        return cron_parse(text, false, ret, ret_error);
}

static const struct {
        const char *text, *words;
} calendars[] = {
        {"Mon..Fri 02:30", "at 02:30 on Monday to Friday"},
        {"02:30", "at 02:30 every day"},
        {"daily", "at 00:00 every day"},
        {"weekly", "at 00:00 on Mondays"},
        {"monthly", "at 00:00 on the 1st of every month"},
        {"quarterly", "at 00:00 on the 1st of January, April, July and October"},
        {"semiannually", "at 00:00 on the 1st of January and July"},
        {"yearly", "at 00:00 on the 1st of January"},
        {"hourly", "every hour"},
        {"minutely", "every minute"},
        {"*:*:*", "every second"},
        {"*:*:0/10", "every 10 seconds"},
        {"*:*:30", "at second 30 of every minute"},
        {"*:*:0/0.5", "every 0.5 seconds"},
        {"*:*:5,10..20", "at the seconds 5 and 10 to 20 of every minute"},
        {"*:0/15", "every 15 minutes"},
        {"*:05/15", "at the minutes 5, 20, 35 and 50 of every hour"},
        {"*:0/7", "at the minutes 0, 7, 14 ... 56 of every hour"},
        {"9..17:0/15", "every 15 minutes from 09:00 to 17:45"},
        {"9..17:05", "every hour from 09:05 to 17:05"},
        {"9,12,15:0/15", "every 15 minutes of the hours 9, 12 and 15"},
        {"0/2:30", "every 2 hours from 00:30 to 22:30"},
        {"0/6:00", "at 00:00, 06:00, 12:00 and 18:00 every day"},
        {"1/5:0..4", "at the minutes 0 to 4 of the hours 1, 6, 11, 16 and 21"},
        {"02:30:15.25", "at 02:30:15.25 every day"},
        {"8..9:0,20,40:10", "at 08:00:10, 08:20:10, 08:40:10, 09:00:10, 09:20:10 and 09:40:10 every day"},
        {"8..11:0,20,40:10", "at second 10 of the minutes 0, 20 and 40 of the hours 8 to 11"},
        {"8..11:*:0/10", "every 10 seconds of the hours 8 to 11"},
        {"Sat,Sun 10:00", "at 10:00 on Saturdays and Sundays"},
        {"Mon,Wed..Fri,Sun 10:00", "at 10:00 on Monday, Wednesday to Friday and Sunday"},
        {"Sun 2026-*-* 10:00", "at 10:00 on Sundays in 2026"},
        {"Mon *-*-1..7 03:00", "at 03:00 on the 1st to 7th of every month if that is a Monday"},
        {"Fri *-*-13 13:13", "at 13:13 on the 13th of every month if that is a Friday"},
        {"Mon..Fri *-*~1 18:00", "at 18:00 on the last day of every month if that is Monday to Friday"},
        {"Sat,Sun *-1,7-1 18:00", "at 18:00 on the 1st of January and July if that is a Saturday or Sunday"},
        {"*-*~1 23:00", "at 23:00 on the last day of every month"},
        {"*-*~3 23:00", "at 23:00 on the 3rd last day of every month"},
        {"*-*~7/1 23:00", "at 23:00 on the last 7 days of every month"},
        {"*-*~1,3 23:00", "at 23:00 on the last and 3rd last day of every month"},
        {"*-02-29", "at 00:00 on the 29th of February"},
        {"2026-12-24 18:00", "at 18:00 on the 24th of December 2026"},
        {"2026..2030-12-24 18:00", "at 18:00 on the 24th of December in 2026 to 2030"},
        {"2026/2-12-24 18:00", "at 18:00 on the 24th of December in 2026, 2028, 2030 ... 2198"},
        {"2030/1-12-24,31 18:00", "at 18:00 on the 24th and 31st of December from 2030 on"},
        {"*-*-1/2 00:00", "at 00:00 on the 1st, 3rd, 5th ... 31st of every month"},
        {"*-6..8-* *:0/30", "every 30 minutes in June to August"},
        {"@1795257700", "at 10:41:40 on the 21st of November 2026"},
};

static const struct {
        const char *text, *words;
} crons[] = {
        {"30 2 * * 1-5", "at 02:30 on Monday to Friday"},
        {"0 0 1,15 * 1", "at 00:00 on the 1st and 15th of every month, and on Mondays"},
        {"0 0 13 6 5", "at 00:00 on the 13th of June, and on Fridays in June"},
        {"0 0 */2 * 1", "at 00:00 on the 1st, 3rd, 5th ... 31st of every month if that is a Monday"},
        {"0 0 1-31 * 1", "at 00:00 every day"},
        {"0 12 L * *", "at 12:00 on the last day of every month"},
        {"0 12 L,1,15W * *", "at 12:00 on the 1st and the last day and the working day nearest to the 15th of every month"},
        {"0 12 LW * *", "at 12:00 on the last working day of every month"},
        {"0 12 * * 5L", "at 12:00 on the last Friday of every month"},
        {"0 12 * 1 1#1,1#3", "at 12:00 on the first Monday and the third Monday of January"},
        {"0 12 * * 1,5L", "at 12:00 on Mondays and the last Friday of every month"},
        {"0 12 * * FRI-SUN", "at 12:00 on Friday to Sunday"},
        {"*/10 9-17 * * *", "every 10 minutes from 09:00 to 17:50"},
        {"5 4 * * sun", "at 04:05 on Sundays"},
        {"15 * * * *", "every hour at minute 15"},
        {"*/2147483647 1 * 1 * 5", "every hour at minute 1 on the 1st of every month, and on Fridays"},
        {"30 */5 0 * * *", "at second 30 of the minutes 0, 5, 10 ... 55 of hour 0"},
        {"0 */2 * * *", "every 2 hours from 00:00 to 22:00"},
        {"0 22,23,0-4 * * *", "at minute 0 of the hours 0 to 4, 22 and 23"},
        {"0 0 11,12,13,21,22,23 * *", "at 00:00 on the 11th to 13th and 21st to 23rd of every month"},
};

static void check_words(struct pattern *p, const char *text, const char *wanted) {
        char words[PATTERN_WORDS_MAX];

        ck_assert_msg(strcmp(pattern_words(p, words), wanted) == 0, "\"%s\": %s", text, words);
        pattern_free(p);
}

START_TEST(calendar_is_told_in_words) {
        check_words(must_read(calendar_parse, calendars[_i].text), calendars[_i].text, calendars[_i].words);
}
END_TEST

START_TEST(cron_is_told_in_words) {
        check_words(must_read(read_cron, crons[_i].text), crons[_i].text, crons[_i].words);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("pattern_words");
        TCase *tables = tcase_create("tables");

        tcase_add_loop_test(tables, calendar_is_told_in_words, 0, sizeof(calendars) / sizeof(calendars[0]));
        tcase_add_loop_test(tables, cron_is_told_in_words, 0, sizeof(crons) / sizeof(crons[0]));
        suite_add_tcase(suite, tables);
        return run_suite(suite);
}
