// SPDX-License-Identifier: MIT
// explain: what an expression means and when it comes, to the letter at 80 columns, and as JSON.

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/duration.h"
#include "daemon/ctl/screens.h"
#include "tests/unit/run_suite.h"

#define COUNT(a)   (int)(sizeof(a) / sizeof((a)[0]))
#define NOW        (INT64_C(1795257700) * USEC_PER_SEC) /* Sat 2026-11-21 11:41:40 CET */
#define MARCH_27   (INT64_C(1806102000) * USEC_PER_SEC) /* Sat 2027-03-27 00:00:00 CET */
#define OCTOBER_30 (INT64_C(1824847200) * USEC_PER_SEC) /* Sat 2027-10-30 00:00:00 CEST */

static const struct row {
        const char *expression;
        struct explain_wish wish;
        const char *local; /* the screen's zone */
        bool is_short;
        const char *screen;
} rows[] = {
        {"Mon..Fri 02:30 Europe/Berlin",
         {.from_us = NOW, .n = 3},
         "CET-1CEST,M3.5.0,M10.5.0/3",
         false,
         "Mon..Fri 02:30 Europe/Berlin\n"
         "  Normalized Mon..Fri *-*-* 02:30:00 Europe/Berlin\n"
         "  Meaning    at 02:30 on Monday to Friday, Europe/Berlin\n"
         "  Clock      it never goes forward or back over these times\n"
         "Europe/Berlin                UTC                      IN\n"
         "Mon 2026-11-23 02:30:00 CET  Mon 2026-11-23 01:30:00  1d 14h\n"
         "Tue 2026-11-24 02:30:00 CET  Tue 2026-11-24 01:30:00  2d 14h\n"
         "Wed 2026-11-25 02:30:00 CET  Wed 2026-11-25 01:30:00  3d 14h\n"},
        {"02:30",
         {.zone = "Europe/Berlin", .from_us = MARCH_27, .n = 2},
         "UTC0",
         false,
         "02:30\n"
         "  Normalized *-*-* 02:30:00\n"
         "  Meaning    at 02:30 every day, Europe/Berlin\n"
         "  Clock      the clock goes forward on Sun 2027-03-28 from 02:00 to 03:00: 02:30\n"
         "             is skipped; it runs right after (Gap=run-after)\n"
         "Europe/Berlin                LOCAL                       IN       NOTE\n"
         "Sat 2027-03-27 02:30:00 CET  Sat 2027-03-27 01:30:00 UTC 125d 14h\n"
         "Sun 2027-03-28 03:00:00 CEST Sun 2027-03-28 01:00:00 UTC 126d 14h after the gap\n"},
        {"2:0/20 Europe/Berlin",
         {.from_us = MARCH_27, .n = 1},
         "UTC0",
         false,
         "2:0/20 Europe/Berlin\n"
         "  Normalized *-*-* 02:00/20:00 Europe/Berlin\n"
         "  Meaning    at 02:00, 02:20 and 02:40 every day, Europe/Berlin\n"
         "  Clock      the clock goes forward on Sun 2027-03-28 from 02:00 to 03:00: 02:00\n"
         "             to 02:40 (3 times) are skipped; it does not run, as what holds * or\n"
         "             / follows real time\n"
         "Europe/Berlin                LOCAL                        IN\n"
         "Sat 2027-03-27 02:00:00 CET  Sat 2027-03-27 01:00:00 UTC  125d 14h\n"},
        {"02:00,30",
         {.zone = "Europe/Berlin", .gap = WALL_GAP_SKIP, .from_us = MARCH_27, .n = 1},
         "UTC0",
         false,
         "02:00,30\n"
         "  Normalized *-*-* 02:00,30:00\n"
         "  Meaning    at 02:00 and 02:30 every day, Europe/Berlin\n"
         "  Clock      the clock goes forward on Sun 2027-03-28 from 02:00 to 03:00: 02:00\n"
         "             to 02:30 (2 times) are skipped; it does not run (Gap=skip)\n"
         "Europe/Berlin                LOCAL                        IN\n"
         "Sat 2027-03-27 02:00:00 CET  Sat 2027-03-27 01:00:00 UTC  125d 14h\n"},
        {"02:30",
         {.zone = "Europe/Berlin", .fold = WALL_FOLD_BOTH, .from_us = OCTOBER_30, .n = 3},
         "UTC0",
         false,
         "02:30\n"
         "  Normalized *-*-* 02:30:00\n"
         "  Meaning    at 02:30 every day, Europe/Berlin\n"
         "  Clock      the clock goes back on Sun 2027-10-31 from 03:00 to 02:00: 02:30\n"
         "             comes twice; it runs both times (Fold=both)\n"
         "Europe/Berlin                 LOCAL                        IN        NOTE\n"
         "Sat 2027-10-30 02:30:00 CEST  Sat 2027-10-30 00:30:00 UTC  342d 13h\n"
         "Sun 2027-10-31 02:30:00 CEST  Sun 2027-10-31 00:30:00 UTC  343d 13h  first time\n"
         "Sun 2027-10-31 02:30:00 CET   Sun 2027-10-31 01:30:00 UTC  343d 14h  second time\n"},
        {"*/7 * * * *",
         {.zone = "UTC", .from_us = NOW, .n = 2},
         "UTC0",
         false,
         "*/7 * * * *\n"
         "  Normalized */7 * * * *\n"
         "  Meaning    at the minutes 0, 7, 14 ... 56 of every hour, UTC\n"
         "  Warning    the step 7 does not divide 60 minutes: after 56 follows 0, a step\n"
         "             of 4\n"
         "UTC                          IN\n"
         "Sat 2026-11-21 10:42:00 UTC  20s\n"
         "Sat 2026-11-21 10:49:00 UTC  7min 20s\n"},
        {"0 9 * * 1-5",
         {.zone = "America/New_York", .from_us = NOW, .n = 2},
         "CET-1CEST,M3.5.0,M10.5.0/3",
         false,
         "0 9 * * 1-5\n"
         "  Normalized 0 9 * * 1-5\n"
         "  Meaning    at 09:00 on Monday to Friday, America/New_York\n"
         "  Clock      it never goes forward or back over these times\n"
         "America/New_York             LOCAL                        IN\n"
         "Mon 2026-11-23 09:00:00 EST  Mon 2026-11-23 15:00:00 CET  2d 3h\n"
         "Tue 2026-11-24 09:00:00 EST  Tue 2026-11-24 15:00:00 CET  3d 3h\n"},
        {"2026-11-21 11:00 UTC",
         {.from_us = NOW - 3600 * USEC_PER_SEC, .n = 5},
         "UTC0",
         true,
         "2026-11-21 11:00 UTC\n"
         "UTC                          IN\n"
         "Sat 2026-11-21 11:00:00 UTC  18min 20s\n"},
        {"2020-01-01",
         {.zone = "UTC", .from_us = NOW, .n = 5},
         "UTC0",
         true,
         "2020-01-01\n"
         "It never comes again.\n"},
        {"*:0/15",
         {.zone = "Europe/Berlin", .from_us = NOW, .n = 1},
         "UTC0",
         false,
         "*:0/15\n"
         "  Normalized *-*-* *:00/15:00\n"
         "  Meaning    every 15 minutes, Europe/Berlin\n"
         "  Clock      it follows real time when the clock goes forward or back\n"
         "Europe/Berlin                LOCAL                        IN\n"
         "Sat 2026-11-21 11:45:00 CET  Sat 2026-11-21 10:45:00 UTC  3min 20s\n"},
};

static void set_zone(const char *zone) {
        setlocale(LC_CTYPE, "C.UTF-8");
        setenv("TZ", zone, 1);
        tzset();
}

static struct explanation must_read(const char *expression, const struct explain_wish *wish, struct zones *zones) {
        struct explanation e = {};
        struct pattern_error error;

        if (explain_read(expression, wish, zones, &e, &error) < 0)
                ck_abort_msg("\"%s\": %s", expression, error.text);
        return e;
}

START_TEST(screen_is_as_it_should_be) {
        const struct row *row = &rows[_i];
        struct view view = {.now_us = NOW, .width = 80, .has_legend = true, .is_utf8 = true};
        struct zones zones = {};
        char *text = NULL;
        size_t size;

        set_zone(row->local);
        struct explanation e = must_read(row->expression, &row->wish, &zones);
        FILE *out = open_memstream(&text, &size);
        ck_assert_int_eq(screen_explain(&view, &e, row->is_short, out), 0);
        fclose(out);
        ck_assert_str_eq(text, row->screen);
        free(text);
        explain_done(&e);
        zones_done(&zones);
}
END_TEST

static const struct {
        const char *expression;
        bool is_cron;
        size_t at;
        const char *why; /* part of it */
} refusals[] = {
        {"Mon..Fri 25:30", false, 9, "hour 25"},
        {"75 * * * *", false, 0, "minute 75"},
        {"0 0 * * Mo", false, 8, "weekday"},
        {"@fortnightly", false, 0, "none of @yearly"},
        {"* * * *", false, 0, "too few fields"},
        {"30 2", false, 0, "too few fields"},
        {"@reboot", false, 0, "OnBoot=yes"},
        {"daily", true, 0, "too few fields"},
        {"02:30 Berlin  ", false, 6, "Europe/Berlin"},
        {"5min", false, 0, "Every="},
        {"every 2h", false, 0, "Every="},
        {"", false, 0, "empty"},
};

START_TEST(what_is_wrong_is_told_with_its_place) {
        struct explain_wish wish = {.is_cron = refusals[_i].is_cron, .from_us = NOW, .n = 1};
        struct pattern_error error = {.at = SIZE_MAX};
        struct explanation e = {};
        struct zones zones = {};

        ck_assert_int_eq(explain_read(refusals[_i].expression, &wish, &zones, &e, &error), -EINVAL);
        ck_assert_msg(error.at == refusals[_i].at && strstr(error.text, refusals[_i].why), "\"%s\": %zu: %s",
                      refusals[_i].expression, error.at, error.text);
        explain_done(&e);
        zones_done(&zones);
}
END_TEST

START_TEST(json_has_slots_and_notes) {
        static const char wanted[] =
                "{\"expression\":\"02:30\",\"normalized\":\"*-*-* 02:30:00\",\"zone\":\"Europe/Berlin\",\"meaning\":\"at 02:30 "
                "every day\","
                "\"next\":[{\"slotUsec\":1806111000000000},{\"slotUsec\":1806195600000000,\"note\":\"after the gap\"}],"
                "\"clockChange\":{\"atUsec\":1806195600000000,\"note\":\"the clock goes forward on Sun 2027-03-28 from 02:00 "
                "to 03:00: "
                "02:30 is skipped; it runs right after (Gap=run-after)\"}}";
        struct explain_wish wish = {.zone = "Europe/Berlin", .from_us = MARCH_27, .n = 2};
        struct zones zones = {};
        struct explanation e = must_read("02:30", &wish, &zones);
        json_t *reply = explain_json(&e);
        char *text = json_dumps(reply, JSON_COMPACT);

        ck_assert_str_eq(text, wanted);
        free(text);
        json_decref(reply);
        explain_done(&e);
        zones_done(&zones);
}
END_TEST

START_TEST(an_expression_is_known_by_what_no_name_has) {
        ck_assert(explain_is_expression("*:0/15"));
        ck_assert(explain_is_expression("0 0 * * *"));
        ck_assert(explain_is_expression("*-*~1"));
        ck_assert(explain_is_expression("@daily"));
        ck_assert(!explain_is_expression("db-*"));
        ck_assert(!explain_is_expression("daily"));
        ck_assert(!explain_is_expression("a.b:c_d"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("explain");
        TCase *tcase = tcase_create("expressions");

        tcase_add_loop_test(tcase, screen_is_as_it_should_be, 0, COUNT(rows));
        tcase_add_loop_test(tcase, what_is_wrong_is_told_with_its_place, 0, COUNT(refusals));
        tcase_add_test(tcase, json_has_slots_and_notes);
        tcase_add_test(tcase, an_expression_is_known_by_what_no_name_has);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
