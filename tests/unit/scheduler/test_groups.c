// SPDX-License-Identifier: MIT
// The groups: their table, and what holds their members.

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/scheduler/engine.h"
#include "tests/unit/run_suite.h"

START_TEST(a_group_is_what_the_latest_list_says) {
        struct groups g = {0};
        ck_assert_int_eq(groups_announce(&g, "a", "first", 2), 0);
        ck_assert_int_eq(groups_announce(&g, "b", NULL, 0), 0);
        ck_assert_int_eq(groups_announce(&g, "a", "second", 3), 0);
        uint32_t a = groups_find(&g, "a"), b = groups_find(&g, "b");
        ck_assert_uint_ne(a, INDEX_NONE);
        ck_assert(!g.list[a].is_defined);
        groups_commit(&g);
        ck_assert(g.list[a].is_defined && g.list[b].is_defined);
        ck_assert_str_eq(g.list[a].description, "second");
        ck_assert_uint_eq(g.list[a].max_running, 3);

        ck_assert_int_eq(groups_announce(&g, "a", NULL, 1), 0);
        ck_assert_uint_eq(g.list[a].max_running, 3); /* until the commit */
        groups_commit(&g);
        ck_assert_uint_eq(groups_find(&g, "a"), a);
        ck_assert_uint_eq(g.list[a].max_running, 1);
        ck_assert_ptr_null(g.list[a].description);
        ck_assert_uint_eq(groups_find(&g, "b"), INDEX_NONE);
        groups_done(&g);
}
END_TEST

START_TEST(a_hold_belongs_to_the_name) {
        struct groups g = {0};
        uint32_t a;
        ck_assert_int_eq(groups_announce(&g, "a", NULL, 0), 0);
        groups_commit(&g);
        a = groups_find(&g, "a");
        ck_assert_int_eq(groups_hold(&g, a, "root", "why not", 5, INT64_MAX, 9), 0);
        ck_assert_int_eq(groups_hold(&g, a, "ops", NULL, 6, 70, 10), 0);
        ck_assert_uint_eq(g.n_held, 1);
        groups_commit(&g); /* its definition has gone */
        ck_assert_uint_eq(groups_find(&g, "a"), a);
        ck_assert(!g.list[a].is_defined && g.list[a].hold.is_on);
        ck_assert_str_eq(g.list[a].hold.by, "ops");
        ck_assert_int_eq(groups_announce(&g, "a", NULL, 0), 0);
        groups_commit(&g);
        ck_assert(g.list[a].is_defined && g.list[a].hold.is_on);
        groups_commit(&g);
        groups_release(&g, a);
        groups_commit(&g);
        ck_assert_uint_eq(groups_find(&g, "a"), INDEX_NONE);
        ck_assert_uint_eq(g.n_held, 0);
        groups_done(&g);
}
END_TEST

START_TEST(holds_of_names_that_are_gone_are_bounded_and_their_numbers_used_again) {
        struct groups g = {0};
        char name[16];
        uint32_t number;
        for (int i = 0; i < GROUPS_HELD_MAX + 100; i++) {
                snprintf(name, sizeof(name), "g%d", i);
                ck_assert_int_eq(groups_add(&g, name, &number), 0);
                ck_assert_int_eq(groups_hold(&g, number, "root", NULL, 1, INT64_MAX, 1), 0);
        }
        groups_commit(&g);
        ck_assert_uint_eq(g.n_held, GROUPS_HELD_MAX);
        ck_assert_uint_eq(groups_find(&g, name), INDEX_NONE);
        size_t n = g.n;
        for (int i = 0; i < 100; i++) {
                snprintf(name, sizeof(name), "h%d", i);
                ck_assert_int_eq(groups_announce(&g, name, NULL, 1), 0);
        }
        ck_assert_uint_eq(g.n, n);
        groups_done(&g);
}
END_TEST

/* ---- the engine ---- */

#define MIN (60 * USEC_PER_SEC)
#define T0  (INT64_C(1774000260) * USEC_PER_SEC) /* a minute after a slot */

static struct engine *e;
static struct agendas agendas;
static struct clock_sample now;
static char told[2048];
static struct wire_commit commit = {.time_sync_wait_us = 0};

static void set_up(void) {
        struct wire_hello hello = {.next_run = 1, .is_synchronised = true};
        ck_assert_int_eq(engine_new(&hello, &e), 0);
        now = (struct clock_sample){.rt_us = T0, .bt_us = 1000 * MIN};
        told[0] = 0;
}

static void tear_down(void) {
        engine_free(e);
        agendas_done(&agendas);
}

static void define(const char *name, const char *text) {
        struct wire_define define = {
                .name = name, .since_rt_us = now.rt_us, .since_bt_us = now.bt_us, .hash = {{1, strlen(text)}}};
        struct job_when when;
        char *description;
        ck_assert_int_eq(job_when_parse(text, strlen(text), &agendas, &when, &description), 0);
        ck_assert_int_eq(engine_define(e, &define, &when, NULL), 0);
        job_when_done(&when);
        free(description);
}

static void commit_groups(const char *names) {
        char *copy = strdup(names), *rest = copy, *name;
        while ((name = strsep(&rest, " ")))
                ck_assert_int_eq(engine_define_group(e, name, NULL, 0), 0);
        free(copy);
        commit.generation++;
        ck_assert_int_eq(engine_commit(e, now, &commit), 0);
}

static uint32_t job_of(const char *name) {
        uint32_t job = engine_find_job(e, name);
        ck_assert_uint_ne(job, INDEX_NONE);
        return job;
}

static int compare_texts(const void *a, const void *b) {
        return strcmp(a, b);
}

/* What has happened, sorted, as "job: what; "; a run that starts has ended at once. */
static const char *story(void) {
        const struct action *next;
        char lines[32][64] = {};
        size_t n = 0;
        while ((next = engine_next_action(e))) {
                struct action a = *next;
                char *at = lines[n];
                size_t room = sizeof(lines[n]);
                const char *name = a.job == INDEX_NONE ? "" : engine_job_name(e, a.job);
                if (a.kind == ACTION_START) {
                        struct wire_ended ended = {.run = a.start.run,
                                                   .end = {.result = RUN_RESULT_SUCCESS, .end_bt_us = now.bt_us}};
                        snprintf(at, room, "%s: ran; ", name);
                        ck_assert_int_eq(engine_ended(e, now, &ended), 0);
                } else if (a.kind == ACTION_OUTCOME && a.outcome.outcome != SLOT_RAN)
                        snprintf(at, room, "%s: %s %" PRIu64 "; ", name, slot_reason_to_string(a.outcome.reason), a.outcome.n);
                else if (a.kind == ACTION_HOLD)
                        snprintf(at, room, "%s: %s; ", name, hold_change_to_string(a.hold));
                else if (a.kind == ACTION_GROUP_HOLD)
                        snprintf(at, room, "@%s: %s; ", engine_groups(e)->list[a.group_hold.group].name,
                                 hold_change_to_string(a.group_hold.change));
                n += *at != 0;
                ck_assert_uint_lt(n, 32);
        }
        qsort(lines, n, sizeof(lines[0]), compare_texts);
        told[0] = 0;
        for (size_t i = 0; i < n; i++)
                strcat(told, lines[i]);
        return told;
}

static const char *pass(int64_t us) {
        now.rt_us += us;
        now.bt_us += us;
        ck_assert_int_eq(engine_advance(e, now), 0);
        return story();
}

static uint32_t group_of(const char *name) {
        uint32_t group = engine_find_group(e, name);
        ck_assert_uint_ne(group, INDEX_NONE);
        return group;
}

#define GRID "Every=10min\nMode=fixed-rate\nAlign=epoch\nCatchUp=none\n"

static void begin(void) {
        define("a", GRID "MemberOf=g h\n");
        define("b", GRID "MemberOf=g\n");
        define("c", GRID);
        commit_groups("g h");
        ck_assert_str_eq(pass(0), "");
        ck_assert_str_eq(pass(10 * MIN), "a: ran; b: ran; c: ran; ");
}

START_TEST(the_hold_of_a_group_withholds_the_slots_of_its_members) {
        begin();
        ck_assert_int_eq(engine_pause_group(e, now, group_of("g"), "ops", "moving", INT64_MAX), 1);
        ck_assert_int_eq(engine_pause_group(e, now, group_of("g"), "ops", "moving", INT64_MAX), 0);
        ck_assert_str_eq(story(), "@g: paused; ");
        struct job_view view;
        engine_view(e, now, job_of("a"), &view);
        ck_assert(view.is_paused && !view.is_held && view.status == JOB_STATUS_PAUSED);
        ck_assert_uint_eq(view.group, group_of("g"));
        ck_assert_str_eq(pass(20 * MIN), "c: deadline 1; c: ran; ");
        ck_assert_int_eq(engine_resume(e, now, job_of("a")), 0); /* that is another hold */
        ck_assert_int_eq(engine_resume_group(e, now, group_of("g")), 1);
        ck_assert_int_eq(engine_resume_group(e, now, group_of("g")), 0);
        ck_assert_str_eq(story(), "@g: resumed; a: paused 2; b: paused 2; ");
        ck_assert_str_eq(pass(10 * MIN), "a: ran; b: ran; c: ran; ");
}
END_TEST

START_TEST(holds_of_groups_and_of_a_job_are_separate) {
        begin();
        ck_assert_int_eq(engine_pause(e, now, job_of("a"), INT64_MAX), 1);
        ck_assert_int_eq(engine_pause_group(e, now, group_of("g"), "ops", NULL, INT64_MAX), 1);
        ck_assert_int_eq(engine_pause_group(e, now, group_of("h"), "ops", NULL, INT64_MAX), 1);
        ck_assert_str_eq(story(), "@g: paused; @h: paused; a: paused; ");
        pass(10 * MIN);
        ck_assert_int_eq(engine_resume(e, now, job_of("a")), 1);
        ck_assert_int_eq(engine_resume_group(e, now, group_of("g")), 1);
        ck_assert_str_eq(story(), "@g: resumed; a: resumed; b: paused 1; ");
        ck_assert_str_eq(pass(10 * MIN), "b: ran; c: ran; ");
        ck_assert_int_eq(engine_resume_group(e, now, group_of("h")), 1);
        ck_assert_str_eq(story(), "@h: resumed; a: paused 2; ");
        ck_assert_str_eq(pass(10 * MIN), "a: ran; b: ran; c: ran; ");
}
END_TEST

START_TEST(a_pause_of_a_group_ends_at_its_instant_however_late_that_is_seen) {
        static const struct {
                int64_t own_min, group_min; /* after which each ends */
                const char *a;              /* 40 min later: slots after 9, 19, 29, 39 min */
        } rows[] = {
                {0, 15, "a: paused 1; "},
                {5, 15, "a: paused 1; "},
                {25, 15, "a: paused 2; "},
                {15, 15, "a: paused 1; "},
        };
        begin();
        if (rows[_i].own_min > 0)
                ck_assert_int_eq(engine_pause(e, now, job_of("a"), now.bt_us + rows[_i].own_min * MIN), 1);
        ck_assert_int_eq(engine_pause_group(e, now, group_of("g"), "ops", NULL, now.bt_us + rows[_i].group_min * MIN), 1);
        story();
        int64_t bt_us, rt_us;
        engine_next_wake(e, &bt_us, &rt_us);
        ck_assert_int_le(bt_us, now.bt_us + rows[_i].group_min * MIN);
        pass(40 * MIN);
        ck_assert_ptr_nonnull(strstr(told, "@g: expired; "));
        ck_assert_msg(strstr(told, rows[_i].a) != NULL, "%s", told);
        ck_assert_msg(strstr(told, "b: paused 1; ") != NULL, "%s", told);
        ck_assert_ptr_null(strstr(told, "paused 3"));
}
END_TEST

START_TEST(who_becomes_a_member_of_a_held_group_is_paused) {
        begin();
        ck_assert_int_eq(engine_pause_group(e, now, group_of("h"), "ops", NULL, INT64_MAX), 1);
        define("c", GRID "MemberOf=h\n");
        define("a", GRID "MemberOf=g\n");
        define("new", GRID "MemberOf=h\n");
        commit_groups("g h");
        story();
        ck_assert_str_eq(pass(10 * MIN), "a: ran; b: ran; ");
        define("c", GRID);
        commit_groups("g h");
        ck_assert_str_eq(story(), "c: paused 1; ");
        ck_assert_str_eq(pass(10 * MIN), "a: ran; b: ran; c: ran; ");
        commit_groups("g"); /* the hold stays with the name */
        ck_assert_int_eq(engine_resume_group(e, now, group_of("h")), 1);
        ck_assert_str_eq(story(), "@h: resumed; new: paused 2; ");
}
END_TEST

START_TEST(all_members_are_armed_or_none) {
        uint64_t run;
        uint32_t job = INDEX_NONE;
        begin();
        ck_assert_int_eq(engine_start_group(e, now, group_of("g"), &job), 0);
        ck_assert_int_eq(engine_cancel(e, now, job_of("a"), false, &run), 1);
        ck_assert_int_eq(engine_cancel(e, now, job_of("b"), false, &run), 1);
        define("b", GRID "MemberOf=g\nEnabled=no\n");
        commit_groups("g h");
        story();
        ck_assert_int_eq(engine_start_group(e, now, group_of("g"), &job), ENGINE_REFUSED_DISABLED);
        ck_assert_uint_eq(job, job_of("b"));
        struct engine_trigger how = {.if_running = TRIGGER_JOIN};
        ck_assert_int_eq(engine_check_trigger(e, now, group_of("g"), &how, &job), TRIGGER_NOT_ARMED);
        ck_assert_uint_eq(job, job_of("a"));
        ck_assert_str_eq(pass(10 * MIN), "c: ran; ");
        define("b", GRID "MemberOf=g\n");
        commit_groups("g h");
        ck_assert_int_eq(engine_pause_group(e, now, group_of("h"), "ops", NULL, INT64_MAX), 1);
        story();
        ck_assert_int_eq(engine_start_group(e, now, group_of("g"), &job), 1);
        ck_assert_str_eq(story(), "a: started; b: started; ");
        ck_assert_str_eq(pass(10 * MIN), "b: ran; c: ran; "); /* a is armed, and paused by the other group */
        ck_assert_int_eq(engine_check_trigger(e, now, group_of("g"), &how, &job), TRIGGER_STARTED);
}
END_TEST

START_TEST(a_hold_is_told_again_each_day) {
        begin();
        ck_assert_int_eq(engine_pause_group(e, now, group_of("g"), "ops", NULL, INT64_MAX), 1);
        story();
        ck_assert_str_eq(pass(24 * 60 * MIN - 1), "c: deadline 143; c: ran; ");
        ck_assert_str_eq(pass(1), "@g: reminder; a: paused 144; b: paused 144; ");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("groups");
        TCase *tc = tcase_create("table");
        tcase_add_test(tc, a_group_is_what_the_latest_list_says);
        tcase_add_test(tc, a_hold_belongs_to_the_name);
        tcase_add_test(tc, holds_of_names_that_are_gone_are_bounded_and_their_numbers_used_again);
        suite_add_tcase(suite, tc);
        tc = tcase_create("engine");
        tcase_add_checked_fixture(tc, set_up, tear_down);
        tcase_add_test(tc, the_hold_of_a_group_withholds_the_slots_of_its_members);
        tcase_add_test(tc, holds_of_groups_and_of_a_job_are_separate);
        tcase_add_loop_test(tc, a_pause_of_a_group_ends_at_its_instant_however_late_that_is_seen, 0, 4);
        tcase_add_test(tc, who_becomes_a_member_of_a_held_group_is_paused);
        tcase_add_test(tc, all_members_are_armed_or_none);
        tcase_add_test(tc, a_hold_is_told_again_each_day);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
