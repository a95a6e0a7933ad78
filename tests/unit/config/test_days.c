// SPDX-License-Identifier: MIT
// days: which days words mean; on which of them slots may run and until when, in zones whose days are no 24 hours; equal ones are one.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/civil.h"
#include "config/day_list.h"
#include "config/days.h"
#include "config/job.h"
#include "config/timestamp.h"
#include "tests/unit/config/other_zone.h"
#include "tests/unit/run_suite.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static struct zones zones;
static struct agendas agendas = {.find_zone = zones_find_for_agendas, .userdata = &zones};

static int64_t at(const char *text) {
        const char *why;
        int64_t rt_us = 0;

        if (timestamp_parse(text, &rt_us, &why) < 0)
                ck_abort_msg("%s: %s", text, why);
        return rt_us;
}

/* ---- lists of days ---- */

static const struct {
        const char *words, *canonical, *days; /* the first days of it from 2026-12-24 on */
} lists[] = {
        {"2026-12-24", "2026-12-24", "2026-12-24"},
        {"2026-12-31..2027-01-02", "2026-12-31..2027-01-02", "2026-12-31 2027-01-01 2027-01-02"},
        {"2026-12-30..2026-12-30", "2026-12-30", "2026-12-30"},
        {"  2027-01-01\t2026-12-25 ", "2027-01-01 2026-12-25", "2026-12-25 2027-01-01"},
        {"*-12-25", "*-12-25", "2026-12-25 2027-12-25 2028-12-25"},
        {"12-25", "*-12-25", "2026-12-25 2027-12-25"},
        {"*-12-24..26", "*-12-24..26", "2026-12-24 2026-12-25 2026-12-26 2027-12-24"},
        {"2027..2028-01-01", "2027..2028-01-01", "2027-01-01 2028-01-01"},
        {"*-11..12-30", "*-11..12-30", "2026-12-30 2027-11-30 2027-12-30"},
        {"*-*-01", "*-*-01", "2027-01-01 2027-02-01 2027-03-01"},
        {"*-*~1", "*-*~01", "2026-12-31 2027-01-31 2027-02-28"},
        {"*-02-29", "*-02-29", "2028-02-29 2032-02-29"},
        {"2027-1-5", "2027-01-05", "2027-01-05"},
        {"sat Sunday", "Sat Sun", "2026-12-26 2026-12-27 2027-01-02 2027-01-03"},
        {"Sat,Sun", "Sat,Sun", "2026-12-26 2026-12-27 2027-01-02"},
        {"Mon-Fri", "Mon..Fri", "2026-12-24 2026-12-25 2026-12-28"},
        {"Mon..Sun", "*-*-*", "2026-12-24 2026-12-25 2026-12-26"},
        {"2199-12-30..2199-12-31", "2199-12-30..2199-12-31", "2199-12-30 2199-12-31 never"},
        {"1970-01-01", "1970-01-01", "never"},
        {"", "", "never"},
};

START_TEST(words_mean_days) {
        struct day_list list = {}, again = {};
        struct pattern_error error;
        int64_t day = at("2026-12-24 UTC") / 1000000 / CIVIL_DAY_S;
        char days[200], *rest = days;

        if (day_list_add(&list, lists[_i].words, &error) != 0)
                ck_abort_msg("\"%s\": %s", lists[_i].words, error.text);
        ck_assert_str_eq(day_list_text(&list), lists[_i].canonical);
        ck_assert_int_eq(day_list_add(&again, day_list_text(&list), &error), 0);
        ck_assert_str_eq(day_list_text(&again), lists[_i].canonical);
        snprintf(days, sizeof(days), "%s", lists[_i].days);
        for (const char *wanted; (wanted = strsep(&rest, " ")); day++) {
                char found[40] = "never";
                day = day_list_next(&list, day);
                struct civil c = civil_of_days(day);
                if (day != DAY_LIST_NEVER)
                        snprintf(found, sizeof(found), "%04d-%02d-%02d", (int)c.year, c.month, c.day);
                if (strcmp(found, wanted) != 0)
                        ck_abort_msg("\"%s\": %s, not %s", lists[_i].words, found, wanted);
        }
        day_list_done(&list);
        day_list_done(&again);
}
END_TEST

static const struct {
        const char *words;
        size_t at;
        const char *text;
} bad_lists[] = {
        {"Sat 2026-02-30", 4, "2026-02-30 is no date of the years 1970 to 2199"},
        {"2200-01-01", 0, "2200-01-01 is no date of the years 1970 to 2199"},
        {"2027-01-02..2026-12-31", 0, "the range goes backwards: 2027-01-02 is after 2026-12-31"},
        {"2026-02-01..2026-02-29", 0, "2026-02-29 is no date of the years 1970 to 2199"},
        {"*-12-24..*-12-31", 0,
         "a range leads from one date to another, as 2026-12-31..2027-01-02; *-12-24..31 is of every year"},
        {"2026-12-31..01-02", 0,
         "a range leads from one date to another, as 2026-12-31..2027-01-02; *-12-24..31 is of every year"},
        {"*-02-30", 0, "this can never match: there is no such day from 1970 to 2199"},
        {"*-13-01", 2, "month 13 is out of range 1..12"},
        {"daily", 0, "\"daily\" is no day: write 2026-12-24, *-12-25, Mon..Fri or Sat,Sun"},
        {"Sat 02:30", 4, "\"02:30\" is no day: write 2026-12-24, *-12-25, Mon..Fri or Sat,Sun"},
        {"@86400", 0, "\"@86400\" is no day: write 2026-12-24, *-12-25, Mon..Fri or Sat,Sun"},
        {"Fri..Mon", 0, "the range Fri..Mon goes backwards: a week begins with Mon; write a list"},
        {"Saturn", 0, "\"Saturn\" is no day: write 2026-12-24, *-12-25, Mon..Fri or Sat,Sun"},
};

START_TEST(wrong_words_are_told_at_their_place) {
        struct day_list list = {};
        struct pattern_error error = {};

        ck_assert_int_eq(day_list_add(&list, bad_lists[_i].words, &error), -EINVAL);
        ck_assert_str_eq(error.text, bad_lists[_i].text);
        ck_assert_uint_eq(error.at, bad_lists[_i].at);
        day_list_done(&list);
}
END_TEST

START_TEST(a_calendar_has_so_many_days) {
        struct day_list list = {};
        struct pattern_error error;
        size_t n = 0;

        int r;

        while ((r = day_list_add(&list, "2026-12-24", &error)) == 0)
                n++;
        ck_assert_int_eq(r, 1);
        ck_assert_uint_eq(n, DAY_LIST_TEXT_MAX / sizeof("2026-12-24"));
        ck_assert_uint_eq(list.n, n);
        ck_assert_ptr_nonnull(strstr(error.text, "too many days"));
        day_list_done(&list);
}
END_TEST

/* ---- instants ---- */

/* Calendars are separated by semicolons; a minus stands before one of Except=. */
static int try_compile(const char *calendars, const char *zone, const struct days **ret) {
        struct days_draft draft = {};
        char copy[800], why[ZONE_WHY_MAX] = "", *rest = copy;

        snprintf(copy, sizeof(copy), "%s", calendars);
        snprintf(draft.zone, sizeof(draft.zone), "%s", zone);
        for (const char *text; (text = strsep(&rest, ";"));)
                ck_assert_int_eq(days_draft_add(&draft, *text == '-', text + (*text == '-')), 0);
        int r = days_compile(&agendas, &draft, ret, why);
        days_draft_done(&draft);
        return r;
}

static const struct days *compile(const char *calendars, const char *zone) {
        const struct days *d = NULL;
        ck_assert_int_eq(try_compile(calendars, zone, &d), 0);
        return d;
}

static const struct {
        const char *calendars, *zone, *instant;
        bool is_open;
        const char *until, *which;
} instants[] = {
        {"-h: 2026-12-24", "UTC", "2026-12-23T23:59:59Z", true, "2026-12-24T00:00:00Z", NULL},
        {"-h: 2026-12-24", "UTC", "2026-12-24T00:00:00Z", false, "2026-12-25T00:00:00Z", "h"},
        {"-h: 2026-12-24", "UTC", "2026-12-25T00:00:00Z", true, "never", NULL},
        {"-h: 2026-12-24", "Europe/Berlin", "2026-12-23T23:00:00Z", false, "2026-12-24T23:00:00Z", "h"},
        {"-h: 2026-12-24", "Pacific/Auckland", "2026-12-23T11:00:00Z", false, "2026-12-24T11:00:00Z", "h"},
        {"work: Mon..Fri;-h: 2026-12-25", "UTC", "2026-12-26T12:00:00Z", false, "2026-12-28T00:00:00Z", "work"},
        {"work: Mon..Fri;-h: 2026-12-25", "UTC", "2026-12-25T12:00:00Z", false, "2026-12-28T00:00:00Z", "h"},
        {"a: *-01-01;b: *-07-01", "UTC", "2026-11-21T00:00:00Z", false, "2027-01-01T00:00:00Z", "a"},
        {"a: *-01-01;b: *-07-01", "UTC", "2026-07-01T00:00:00Z", true, "2026-07-02T00:00:00Z", NULL},
        {"a: 2025-01-01..2025-06-30", "UTC", "2026-07-01T00:00:00Z", false, "never", "a"},
        {"a: *-*-*;-b: *-*-*", "UTC", "2026-07-01T00:00:00Z", false, "never", "b"},
        {"a: *-*-*", "UTC", "2026-07-01T00:00:00Z", true, "2200-01-01T00:00:00Z", NULL},
        {"a: *-*-*", "UTC", "2200-01-01T00:00:00Z", false, "never", "a"},
        {"-a: *-*-*", "UTC", "2026-07-01T00:00:00Z", false, "2200-01-01T00:00:00Z", "a"},
        {"-a: *-*-*", "UTC", "2201-01-01T00:00:00Z", true, "never", NULL},
        /* 23 and 25 hours */
        {"-h: 2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z", false, "2026-03-29T22:00:00Z", "h"},
        {"-h: 2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z", false, "2026-10-25T23:00:00Z", "h"},
        /* 00:00 is not shown: the day begins at 01:00 */
        {"-h: 2018-11-04", "America/Sao_Paulo", "2018-11-03T12:00:00Z", true, "2018-11-04T03:00:00Z", NULL},
        {"-h: 2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z", false, "2018-11-05T02:00:00Z", "h"},
        /* its last hour is shown twice */
        {"-h: 2018-02-17", "America/Sao_Paulo", "2018-02-18T01:30:00Z", false, "2018-02-18T03:00:00Z", "h"},
        {"-h: 2018-02-17", "America/Sao_Paulo", "2018-02-18T02:30:00Z", false, "2018-02-18T03:00:00Z", "h"},
        /* a day that is left out: the instant may be a change, and is none */
        {"-h: 2011-12-30", "Pacific/Apia", "2011-12-30T09:00:00Z", true, "2011-12-30T10:00:00Z", NULL},
        {"-h: 2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z", true, "never", NULL},
        {"-h: 2011-12-30..2011-12-31", "Pacific/Apia", "2011-12-30T09:00:00Z", true, "2011-12-30T10:00:00Z", NULL},
        {"-h: 2011-12-30..2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00Z", false, "2011-12-31T10:00:00Z", "h"},
        /* the first minute of the day, then the day before once more */
        {"-h: 2010-11-06", "America/St_Johns", "2010-11-07T02:00:00Z", false, "2010-11-07T02:30:00Z", "h"},
        {"-h: 2010-11-06", "America/St_Johns", "2010-11-07T02:30:30Z", true, "2010-11-07T02:31:00Z", NULL},
        {"-h: 2010-11-06", "America/St_Johns", "2010-11-07T02:31:00Z", false, "2010-11-07T03:30:00Z", "h"},
        {"-h: 2010-11-06", "America/St_Johns", "2010-11-07T03:30:00Z", true, "never", NULL},
};

START_TEST(an_instant_is_open_or_not_until_another) {
        const struct days *d = compile(instants[_i].calendars, instants[_i].zone);
        int64_t until_us = -1;
        char until[40] = "never", row[200];

        snprintf(row, sizeof(row), "%s %s %s", instants[_i].calendars, instants[_i].zone, instants[_i].instant);
        bool is_open = days_is_open(d, at(instants[_i].instant), &until_us);
        if (until_us != DAYS_NEVER)
                timestamp_print_utc(until_us, until);
        if (is_open != instants[_i].is_open || strcmp(until, instants[_i].until) != 0)
                ck_abort_msg("%s: %d until %s", row, is_open, until);
        const char *which = days_which(d, at(instants[_i].instant));
        if (!which != !instants[_i].which || (which && strcmp(which, instants[_i].which) != 0))
                ck_abort_msg("%s: closed by %s", row, which ? which : "none");
        days_unref(d);
}
END_TEST

/* The C library says what date an instant has. */
static const char *const oracle_zones[] = {"Europe/Berlin",    "America/Sao_Paulo", "America/St_Johns", "Pacific/Apia",
                                           "America/Havana",   "Asia/Tehran",       "Africa/Cairo",     "Pacific/Kwajalein",
                                           "Antarctica/Troll", "Asia/Gaza"};

START_TEST(each_half_hour_of_forty_years_is_as_the_c_library_says) {
        setenv("TZ", oracle_zones[_i], 1);
        tzset();
        const struct days *d = compile("odd: *-*-01/2;-sundays: Sun", oracle_zones[_i]);
        int64_t until_us = 0;
        bool was_open = false;
        for (time_t t = 315532800; t < 1577836800; t += 1800) {
                struct tm tm;
                localtime_r(&t, &tm);
                bool is_wanted = tm.tm_mday % 2 == 1 && tm.tm_wday != 0;
                bool is_sure = until_us > (int64_t)t * 1000000; /* that nothing has changed */
                if (is_sure && is_wanted != was_open)
                        ck_abort_msg("%s: %lld changes too early", oracle_zones[_i], (long long)t);
                if (is_sure)
                        continue;
                was_open = days_is_open(d, (int64_t)t * 1000000, &until_us);
                if (was_open != is_wanted || until_us <= (int64_t)t * 1000000)
                        ck_abort_msg("%s: %lld", oracle_zones[_i], (long long)t);
        }
        days_unref(d);
}
END_TEST

/* ---- as one ---- */

START_TEST(equal_ones_are_one) {
        const struct days *a = compile("w: Mon..Fri;-h: 2026-12-24 Sat", "Europe/Berlin");
        const struct days *b = compile("w: Mon..Fri;-h: 2026-12-24 Sat", "Europe/Berlin");
        const struct days *others[] = {compile("w: Mon..Fri;-h: 2026-12-24 Sat", "Europe/Busingen"),
                                       compile("w: Mon..Fri;-g: 2026-12-24 Sat", "Europe/Berlin"),
                                       compile("-h: 2026-12-24 Sat", "Europe/Berlin"),
                                       compile("h: 2026-12-24 Sat", "Europe/Berlin")};

        ck_assert_ptr_eq(a, b);
        for (int i = 0; i < ROWS(others); i++) {
                ck_assert_ptr_ne(a, others[i]);
                days_unref(others[i]);
        }
        ck_assert_str_eq(days_text(a), "Only=w: Mon..Fri\nExcept=h: 2026-12-24 Sat\n");
        ck_assert_str_eq(days_words(a), "only on w, not on h");
        ck_assert_str_eq(days_zone(a), "Europe/Berlin");
        ck_assert_ptr_eq(days_ref(a), b);
        for (int i = 0; i < 3; i++)
                a = days_unref(b);
        ck_assert_ptr_null(a);
        ck_assert_uint_eq(agendas.days.n, 0);
}
END_TEST

START_TEST(other_data_of_its_zone_make_another_definition) {
        char berlin[] = "/usr/share/zoneinfo/Europe/Berlin", tokyo[] = "/usr/share/zoneinfo/Asia/Tokyo", x[] = "x";
        char *argv[] = {x, NULL};
        struct job jobs[2] = {};
        struct diags diags = {};

        for (int i = 0; i < 2; i++) {
                agendas = (struct agendas){.find_zone = find_other, .userdata = i == 0 ? berlin : tokyo};
                job_when_init(&jobs[i].when);
                job_what_init(&jobs[i].what);
                jobs[i].name = jobs[i].file = x;
                jobs[i].what.argv = argv;
                jobs[i].when.days = compile("-h: Sat", "Here");
                ck_assert_int_eq(job_seal(&jobs[i], &diags), 0);
                job_when_done(&jobs[i].when);
                agendas_done(&agendas);
        }
        ck_assert_mem_ne(&jobs[0].hash, &jobs[1].hash, sizeof(jobs[0].hash));
}
END_TEST

static const char *const not_canonical[] = {"h",           "h: ",         "h:2026-12-24", ": Sat", "h: sat",
                                            "h: Sat  Sun", "h: nonsense", "-h: Sat",      "h Sat"};

START_TEST(only_canonical_calendars_are_taken) {
        const struct days *d = NULL;
        const char *text = not_canonical[_i];
        char except[40];

        snprintf(except, sizeof(except), "-%s", text);
        ck_assert_int_eq(try_compile(*text == '-' ? except : text, "UTC", &d), -EBADMSG);
        ck_assert_ptr_null(d);
        ck_assert_uint_eq(agendas.days.n, 0);
}
END_TEST

START_TEST(a_draft_is_bounded) {
        struct days_draft draft = {};
        int n = 0;
        char calendar[DAYS_TEXT_MAX / 3];

        for (; days_draft_add(&draft, false, "a: Sat") == 0;)
                n++;
        ck_assert_int_eq(n, DAYS_CALENDARS_MAX);
        days_draft_done(&draft);
        memset(calendar, 'x', sizeof(calendar) - 1);
        calendar[sizeof(calendar) - 1] = 0;
        for (n = 0; days_draft_add(&draft, true, calendar) == 0;)
                n++;
        ck_assert_int_eq(n, 2);
        days_draft_done(&draft);
}
END_TEST

/* ---- when-texts ---- */

static const char *const when_texts[] = {
        "Every=1h\nMode=fixed-rate\nExcept=holidays: 2026-12-24 2026-12-31..2027-01-02 Sat Sun\nTimeZone=Europe/Berlin\n",
        "OnCalendar=*-*-* 02:30:00\nTimeZone=Europe/Berlin\nOnly=a:b: Mon..Fri\nOnly=c: *-*-01\nExcept=h: Sat\n",
        "OnCalendar=*-*-* 02:30:00 Asia/Tokyo\nOnly=w: Mon..Fri\nTimeZone=Europe/Berlin\n",
};

START_TEST(a_when_text_reads_back_as_itself) {
        struct job_when when, again;
        char *description = NULL, *text = NULL;

        ck_assert_int_eq(job_when_parse(when_texts[_i], strlen(when_texts[_i]), &agendas, &when, &description), 0);
        ck_assert_int_eq(job_when_print(&when, description, &text), 0);
        ck_assert_str_eq(text, when_texts[_i]);
        ck_assert_str_eq(days_zone(when.days), "Europe/Berlin");
        ck_assert_int_eq(job_when_parse(text, strlen(text), &agendas, &again, &description), 0);
        ck_assert_mem_eq(&when, &again, sizeof(when));
        job_when_done(&when);
        job_when_done(&again);
        free(text);
        ck_assert_uint_eq(agendas.days.n, 0);
}
END_TEST

START_TEST(a_when_text_with_a_wrong_calendar_is_none) {
        static const char *const texts[] = {"Every=1h\nOnly=holidays\n", "Every=1h\nExcept=holidays: sat\n",
                                            "Every=1h\nExcept=holidays: Sat\nTimeZone=Nowhere/Land\n"};
        struct job_when when;
        char *description;

        for (int i = 0; i < ROWS(texts); i++) {
                int r = job_when_parse(texts[i], strlen(texts[i]), &agendas, &when, &description);
                if (r != (i == 2 ? 1 : -EBADMSG))
                        ck_abort_msg("%s: %d", texts[i], r);
        }
        agendas_done(&agendas);
        zones_done(&zones);
}
END_TEST

int main(void) {
        Suite *s = suite_create("days");
        TCase *t = tcase_create("days");
        tcase_add_loop_test(t, words_mean_days, 0, ROWS(lists));
        tcase_add_loop_test(t, wrong_words_are_told_at_their_place, 0, ROWS(bad_lists));
        tcase_add_test(t, a_calendar_has_so_many_days);
        tcase_add_loop_test(t, an_instant_is_open_or_not_until_another, 0, ROWS(instants));
        tcase_add_loop_test(t, each_half_hour_of_forty_years_is_as_the_c_library_says, 0, ROWS(oracle_zones));
        tcase_add_test(t, equal_ones_are_one);
        tcase_add_test(t, other_data_of_its_zone_make_another_definition);
        tcase_add_loop_test(t, only_canonical_calendars_are_taken, 0, ROWS(not_canonical));
        tcase_add_test(t, a_draft_is_bounded);
        tcase_add_loop_test(t, a_when_text_reads_back_as_itself, 0, ROWS(when_texts));
        tcase_add_test(t, a_when_text_with_a_wrong_calendar_is_none);
        suite_add_tcase(s, t);
        return run_suite(s);
}
