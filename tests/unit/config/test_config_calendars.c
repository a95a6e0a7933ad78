// SPDX-License-Identifier: MIT
// config_calendars: calendars of all files are there for the jobs of all files, and one with an error costs the jobs that name it.

#include "config/config_origins.h"
#include "tests/unit/config/config_fixture.h"
#include "tests/unit/run_suite.h"

#define CALENDAR(name, days) "[calendar " name "]\nDays=" days "\n"

static const char *text_of(const char *job) {
        for (size_t i = 0; i < config->n_jobs; i++)
                if (strcmp(config->jobs[i]->name, job) == 0)
                        return config->jobs[i]->when.days ? days_text(config->jobs[i]->when.days) : "none";
        return "no such job";
}

START_TEST(calendars_of_all_files_are_there_for_jobs_of_all_files) {
        put("conf", CALENDAR("own", "Sun") "[defaults]\nExcept=own\n");
        put("etc/a.ini", JOB("a") "Except=z\nOnly=m\n" CALENDAR("m", "Mon..Fri"));
        put("run/z.ini", CALENDAR("z", "2026-12-24") JOB("z"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a z");
        ck_assert_str_eq(text_of("a"), "Only=m: Mon..Fri\nExcept=own: Sun\nExcept=z: 2026-12-24\n");
        ck_assert_str_eq(text_of("z"), "Except=own: Sun\n");
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(a_drop_in_adds_days_or_begins_anew) {
        put("etc/a.ini", CALENDAR("more", "Sat") CALENDAR("new", "Sat") JOB("a") "Except=more new\n");
        mkdir("etc/a.ini.d", 0755);
        put("etc/a.ini.d/b.conf", CALENDAR("more", "Sun") CALENDAR("new", "\nDays=Sun"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(text_of("a"), "Except=more: Sat Sun\nExcept=new: Sun\n");
        put("etc/a.ini.d/b.conf", CALENDAR("other", "Sun"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(diag(0), "etc/a.ini.d/b.conf:1: there is no calendar other that this could add to");
        ck_assert_str_eq(text_of("a"), "Except=more: Sat\nExcept=new: Sat\n");
}
END_TEST

START_TEST(of_two_calendars_of_one_name_neither_is_taken) {
        put("etc/a.ini", CALENDAR("h", "Sat") JOB("a") "Except=h\n" JOB("good"));
        put("run/b.ini", "\n" CALENDAR("h", "Sun") CALENDAR("h", "Mon") JOB("b") "Only=h\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "good ! a b");
        ck_assert_str_eq(config->broken[0].file, "etc/a.ini");
        ck_assert_str_eq(diag(1), "run/b.ini:2: calendar h is defined at etc/a.ini:1, too; neither is taken");
        ck_assert_str_eq(diag(2), "run/b.ini:4: calendar h is defined at etc/a.ini:1, too; neither is taken");
        put("run/b.ini", CALENDAR("a", "Mon") CALENDAR("h", "Sun") JOB("b") "Only=h\n"); /* a search meets another first */
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "good ! a b");
}
END_TEST

START_TEST(a_calendar_with_an_error_costs_those_who_name_it) {
        put("etc/a.ini", CALENDAR("bad", "2026-02-30") CALENDAR("good", "Sat") JOB("a") "Except=good\n" JOB("b") "Only=bad\n");
        put("etc/b.ini", JOB("c") "Except=good bad\n" JOB("d"));
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a d ! b c");
        ck_assert_uint_eq(diags.n, 3);
        ck_assert_str_eq(diag(2), "etc/b.ini:4:13: calendar bad at etc/a.ini:1 has errors");
}
END_TEST

START_TEST(a_calendar_whose_file_cannot_be_read_costs_those_who_name_it) {
        put("etc/a.ini", CALENDAR("h", "Sat"));
        put("etc/b.ini", JOB("b") "Except=h\n" JOB("good"));
        chmod("etc/a.ini", 0666);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "good ! etc/a.ini b");
        ck_assert_str_eq(diag(1), "etc/b.ini:4:8: there is no calendar h; write one: [calendar h]");
        put("etc/a.ini", "[defaults]\nUser\n" CALENDAR("h", "Sat"));
        chmod("etc/a.ini", 0644);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "good ! etc/a.ini b");
}
END_TEST

START_TEST(other_days_are_another_definition) {
        struct hash128 hash;

        put("etc/a.ini", JOB("a") "Except=h\n" CALENDAR("h", "Sat"));
        ck_assert_int_eq(load(), 0);
        hash = config->jobs[0]->hash;
        ck_assert_int_eq(load(), 0);
        ck_assert_mem_eq(&hash, &config->jobs[0]->hash, sizeof(hash));
        put("etc/a.ini", JOB("a") "Except=h\n" CALENDAR("h", "Sun"));
        ck_assert_int_eq(load(), 0);
        ck_assert_mem_ne(&hash, &config->jobs[0]->hash, sizeof(hash));
}
END_TEST

START_TEST(the_calendars_of_one_job_have_a_bound) {
        char text[10000] = JOB("a") "Except=b c\n";

        for (const char *name = "bc"; *name; name++) {
                sprintf(text + strlen(text), "[calendar %c]\nDays=", *name);
                for (int i = 0; i < 350; i++)
                        strcat(text, "2026-12-24 ");
                strcat(text, "\n");
        }
        put("etc/a.ini", text);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "! a");
        ck_assert_str_eq(diag(0), "etc/a.ini:4:10: the calendars of one job have more than 6000 bytes together");
}
END_TEST

START_TEST(the_origins_of_a_job_say_that_its_calendar_is_broken) {
        static const char *const folders[] = {"etc"};
        struct config_paths paths = {.folders = folders, .n_folders = 1};
        struct config_origins origins;

        put("etc/a.ini", JOB("a") "Except=h\n");
        ck_assert_int_eq(config_load_origins(&paths, "a", &diags, &origins), 0);
        ck_assert(origins.is_found && origins.is_broken);
        config_origins_done(&origins);
}
END_TEST

int main(void) {
        Suite *s = suite_create("config_calendars");
        TCase *t = tcase_create("config_calendars");
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_test(t, calendars_of_all_files_are_there_for_jobs_of_all_files);
        tcase_add_test(t, a_drop_in_adds_days_or_begins_anew);
        tcase_add_test(t, of_two_calendars_of_one_name_neither_is_taken);
        tcase_add_test(t, a_calendar_with_an_error_costs_those_who_name_it);
        tcase_add_test(t, a_calendar_whose_file_cannot_be_read_costs_those_who_name_it);
        tcase_add_test(t, other_days_are_another_definition);
        tcase_add_test(t, the_calendars_of_one_job_have_a_bound);
        tcase_add_test(t, the_origins_of_a_job_say_that_its_calendar_is_broken);
        suite_add_tcase(s, t);
        return run_suite(s);
}
