// SPDX-License-Identifier: MIT
// sim: a seeded adversary drives the engine through a simulated month of trouble and checks every invariant after each step.
// Usage: sim [--seeds N] [--first SEED] [--steps M] [--plant BUG] [--ledger] [--verbose] [--trace JOB]. A failing seed is printed and reproduces.

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/calendars.h"
#include "tests/sim/passed.h"
#include "tests/sim/world.h"

struct adversary {
        uint64_t state;
        bool is_verbose;
};

/* splitmix64 (Vigna): one word of state, so a seed is the whole story. */
static uint64_t next(struct adversary *a) {
        uint64_t z = (a->state += UINT64_C(0x9E3779B97F4A7C15));
        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        return z ^ (z >> 31);
}

static int64_t between(struct adversary *a, int64_t low, int64_t high) {
        return low + (int64_t)(next(a) % (uint64_t)(high - low + 1));
}

static bool one_in(struct adversary *a, int64_t n) {
        return between(a, 1, n) == 1;
}

static int64_t span(struct adversary *a) {
        static const int64_t spans[] = {50 * USEC_PER_MSEC,  USEC_PER_SEC,  10 * USEC_PER_SEC, USEC_PER_MINUTE,
                                        7 * USEC_PER_MINUTE, USEC_PER_HOUR, 6 * USEC_PER_HOUR};
        return one_in(a, 40) ? DURATION_MAX : spans[between(a, 0, 6)];
}

static void random_overlap(struct adversary *a, struct job_when *when) {
        when->overlap = one_in(a, 4) ? JOB_OVERLAP_QUEUE : one_in(a, 4) ? JOB_OVERLAP_REPLACE : JOB_OVERLAP_SKIP;
        if (when->overlap == JOB_OVERLAP_SKIP && one_in(a, 4))
                when->overlap = JOB_OVERLAP_PARALLEL;
        when->max_parallel = when->overlap == JOB_OVERLAP_PARALLEL ? (uint32_t)between(a, 2, 4) : 1;
        when->queue_max = when->overlap == JOB_OVERLAP_QUEUE && one_in(a, 2) ? (uint32_t)between(a, 2, 6) : 1;
}

/* Often and rarely, even and uneven, in zones whose clocks are about to be set when the world begins, and one that ends. */
static const char *const calendars[] = {
        "OnCalendar=*:*:*\n",
        "Cron=*/10 * * * * *\n",
        "OnCalendar=*:0/7:30\n",
        "OnCalendar=*:00,01,20,59\nTimeZone=Europe/Berlin\n",
        "OnCalendar=hourly\nCron=*/15 2 * * *\nTimeZone=Europe/Berlin\n",
        "OnCalendar=02:30\nTimeZone=Europe/Berlin\nGap=skip\nFold=both\n",
        "OnCalendar=02:30\nOnCalendar=03:00\nTimeZone=Europe/Berlin\nFold=second\n",
        "Cron=0 0 * * 1-5\nTimeZone=Australia/Lord_Howe\n",
        "OnCalendar=2026-*-* 00/6:00\nTimeZone=America/New_York\n",
        "OnCalendar=2026-03-20..25 12:0/20\nTimeZone=UTC\n",
};

static void random_calendar(struct adversary *a, struct job_when *when) {
        int n = (int)(sizeof(calendars) / sizeof(calendars[0]));
        bool has_delay = one_in(
                a, 3); /* beside it; each of its runs looks at all that waits to be caught up, so not beside what is often */
        when->agenda = sim_when(calendars[between(a, has_delay ? 2 : 0, n - 1)]).agenda;
        when->catch_up = (uint8_t)between(a, JOB_CATCH_UP_NONE, JOB_CATCH_UP_ALL);
        when->is_catch_up_set = true;
        if (when->catch_up == JOB_CATCH_UP_ALL)
                when->catch_up_max = (uint32_t)(one_in(a, 2) ? between(a, 1, 5) : JOB_CATCH_UP_MAX_DEFAULT);
        if (one_in(a, 4))
                when->catch_up_spread_us = between(a, 1, USEC_PER_HOUR);
        if (one_in(a, 4))
                when->random_delay_us = between(a, 1, USEC_PER_HOUR);
        if (one_in(a, 6))
                when->start_deadline_us = between(a, 0, USEC_PER_HOUR);
        random_overlap(a, when);
        when->is_enabled = !one_in(a, 12);
        when->is_interrupted_retried = one_in(a, 5);
        if (has_delay) {
                when->every_us = span(a);
                if (when->every_us < 10 * USEC_PER_SEC) /* each end looks at all that waits to be caught up */
                        when->every_us = 10 * USEC_PER_SEC;
                when->mode = JOB_MODE_FIXED_DELAY;
                when->jitter_ppm = one_in(a, 2) ? 100000 : 0;
                when->initial_delay_us = one_in(a, 4) ? between(a, 0, USEC_PER_DAY) : 0;
        }
}

/* On the wall clock, of UTC or of a zone. */
static void random_align(struct adversary *a, struct job_when *when) {
        static const char *const zones[] = {
                "Every=1d\nMode=fixed-rate\nAlign=day\nTimeZone=Europe/Berlin\n",
                "Every=1d\nMode=fixed-rate\nAlign=day\nTimeZone=America/New_York\nGap=skip\nFold=both\n",
                "Every=1d\nMode=fixed-rate\nAlign=day\nTimeZone=Australia/Lord_Howe\nFold=second\n",
        };
        when->align = one_in(a, 2) ? JOB_ALIGN_WALL : JOB_ALIGN_CIVIL;
        when->align_us = one_in(a, 2) ? 0 : between(a, 0, USEC_PER_DAY);
        if (when->align == JOB_ALIGN_CIVIL)
                when->agenda = sim_when(zones[between(a, 0, 2)]).agenda;
        if (when->align == JOB_ALIGN_CIVIL && one_in(a, 2))
                when->every_us = between(a, 1, 3) * USEC_PER_DAY;
}

/* A calendar beside the grid. */
static void random_mix(struct adversary *a, struct job_when *when) {
        char text[300];
        int n = (int)(sizeof(calendars) / sizeof(calendars[0]));
        bool is_civil = when->align == JOB_ALIGN_CIVIL;
        int first = when->every_us < USEC_PER_SEC ? 2 : 0; /* what is often beside what is often can only be walked */
        snprintf(text, sizeof(text), "Every=1d\nMode=fixed-rate\n%s%s", is_civil ? "Align=day\n" : "",
                 calendars[between(a, first, n - 1)]);
        struct job_when mix = sim_when(text);
        when->agenda = mix.agenda;
        when->align = is_civil ? mix.align : when->align;
        if (when->initial_delay_us >= when->every_us)
                when->initial_delay_us = 0;
}

/* A job has one zone: that of its calendar, where it has one. */
static void random_days(struct adversary *a, struct job_when *when) {
        static const char *const days[] = {
                "Except=weekend: Sat Sun\n",
                "Only=term: 2026-03-20..2026-03-22 2026-03-24 Wed\n",
                "Only=weekdays: Mon..Fri\nExcept=holidays: 2026-03-20 2026-03-25..2026-03-27\n",
                "Except=odd: *-*-21 *-*-23 *-*-25 *-*-27 *-*-29\n",
        };
        static const char *const zones[] = {"Europe/Berlin\n", "America/New_York\n", "Australia/Lord_Howe\n", "UTC\n"};
        const char *zone = when->agenda ? strstr(agenda_text(when->agenda), "TimeZone=") : NULL;
        char text[300];
        if (when->agenda && !zone)
                return;
        zone = zone ? zone + strlen("TimeZone=") : zones[between(a, 0, 3)];
        snprintf(text, sizeof(text), "Every=1h\n%sTimeZone=%.*s\n", days[between(a, 0, 3)], (int)strcspn(zone, "\n"), zone);
        when->days = sim_when(text).days;
}

/* A schedule may begin later, or end. */
static void random_borders(struct adversary *a, int64_t rt_us, struct job_when *when) {
        if (one_in(a, 8))
                when->not_before_us = rt_us + between(a, -USEC_PER_DAY, USEC_PER_DAY);
        if (one_in(a, 8))
                when->until_us = rt_us + between(a, -USEC_PER_HOUR, 2 * USEC_PER_DAY);
        if (when->until_us < when->not_before_us)
                when->not_before_us = 0;
        if (one_in(a, 10))
                when->max_runs = (uint32_t)between(a, 1, 20);
        when->is_on_wake = one_in(a, 6);
        when->is_delay_fixed = one_in(a, 3) && (when->random_delay_us > 0 || when->random_delay_ppm > 0);
}

static void random_schedule(struct adversary *a, struct job_when *when) {
        job_when_init(when);
        when->log = JOB_LOG_CHANGES;
        if (one_in(a, 5))
                when->on_boot_us = one_in(a, 2) ? 0 : between(a, 0, 20 * USEC_PER_MINUTE);
        if (when->on_boot_us >= 0 && one_in(a, 2))
                return;
        if (one_in(a, 5)) {
                random_calendar(a, when);
                return;
        }
        when->every_us = span(a);
        when->is_enabled = !one_in(a, 12);
        if (one_in(a, 4))
                when->initial_delay_us = between(a, 0, when->every_us < USEC_PER_DAY ? when->every_us * 2 : DURATION_MAX);
        if (one_in(a, 6))
                when->start_deadline_us = between(a, 0, when->every_us);
        if (one_in(a, 3)) {
                when->mode = JOB_MODE_FIXED_DELAY;
                when->jitter_ppm = one_in(a, 2) ? 100000 : 0;
                return;
        }
        when->mode = JOB_MODE_FIXED_RATE;
        when->catch_up = when->every_us >= USEC_PER_HOUR ? JOB_CATCH_UP_ONE : JOB_CATCH_UP_NONE;
        if (one_in(a, 3)) {
                when->is_catch_up_set = true;
                when->catch_up = (uint8_t)between(a, JOB_CATCH_UP_NONE, JOB_CATCH_UP_ALL);
                if (when->catch_up == JOB_CATCH_UP_ALL)
                        when->catch_up_max = (uint32_t)(one_in(a, 2) ? between(a, 1, 5) : JOB_CATCH_UP_MAX_DEFAULT);
        }
        if (one_in(a, 4))
                when->catch_up_spread_us =
                        between(a, 1, one_in(a, 2) || when->every_us > DURATION_MAX / 2 ? USEC_PER_HOUR : 2 * when->every_us);
        if (one_in(a, 3))
                random_align(a, when);
        if (one_in(a, 4))
                random_mix(a, when);
        if (one_in(a, 4))
                when->random_delay_us = between(a, 1, when->every_us - 1);
        random_overlap(a, when);
        when->is_interrupted_retried = one_in(a, 5);
}

/* Attempts, and what many failures come to. */
static void random_failure(struct adversary *a, struct job_when *when) {
        int64_t every_us = when->every_us > 0 && when->every_us < USEC_PER_DAY ? when->every_us : USEC_PER_HOUR;
        if (one_in(a, 2)) {
                when->retries = (uint32_t)between(a, 1, 5);
                when->retry_delay_us = between(a, 0, one_in(a, 2) ? every_us / 8 : every_us);
                when->retry_backoff_ppm = (uint32_t)(one_in(a, 2) ? JOB_BACKOFF_ONE_PPM
                                                                  : between(a, JOB_BACKOFF_ONE_PPM, 3 * JOB_BACKOFF_ONE_PPM));
                when->retry_max_delay_us = one_in(a, 2) ? JOB_RETRY_MAX_DELAY : between(a, 0, every_us);
        }
        if (one_in(a, 8))
                when->stop_after_failures = (uint32_t)between(a, 1, 4);
        if (one_in(a, 4))
                when->expect_within_us = between(a, USEC_PER_MINUTE, 2 * USEC_PER_DAY);
}

static void random_groups(struct adversary *a, struct job_when *when) {
        static const char *const groups[] = {"disk", "net", "disk net", "net tape", "disk net tape", "unlimited disk"};
        if (one_in(a, 3))
                sim_join(when, groups[between(a, 0, 5)]);
        when->priority = one_in(a, 3) ? (int32_t)between(a, -2, 2) : 0;
}

/* Limits come, go and change. */
static void random_limits(struct adversary *a, struct world *w) {
        static const char *const groups[] = {"disk", "net", "tape"};
        for (size_t i = 0; i < 3; i++)
                if (w->n_groups < 3 || one_in(a, 4))
                        world_group(w, groups[i], one_in(a, 4) ? 0 : (uint32_t)between(a, 1, 3));
        if (one_in(a, 6))
                w->next_max_running = one_in(a, 2) ? 0 : (uint32_t)between(a, 2, 10);
}

static void random_policy(struct adversary *a, int64_t rt_us, struct job_when *when) {
        random_schedule(a, when);
        random_borders(a, rt_us, when);
        random_failure(a, when);
        if (one_in(a, 6))
                random_days(a, when);
        random_groups(a, when);
        if (one_in(a, 5)) {
                when->has_conditions = true;
                when->condition_wait_us = one_in(a, 2) ? 0 : span(a);
        }
}

/* Of jobs 0 to 15 a parent has the lower number, so none follows itself. */
static void random_ties(struct adversary *a, const char *name, struct job_when *when) {
        static const char *const of_parent[] = {"OnSuccess", "OnFailure", "OnEnd", "OnRecovery", "OnMissed", "OnFinished"};
        static const char *const of_child[] = {"OnSuccessOf", "OnFailureOf", "OnEndOf"};
        int number = atoi(name + strlen("job"));
        char line[64];
        if (number > 0 && one_in(a, 4)) {
                const char *key = of_child[between(a, 0, 2)]; /* one draw a statement: arguments have no order */
                snprintf(line, sizeof(line), "%s=job%d\n", key, (int)between(a, 0, number - 1));
                sim_tie(when, line);
        }
        if (number < 15 && one_in(a, 4)) {
                const char *key = of_parent[between(a, 0, 5)];
                snprintf(line, sizeof(line), "%s=job%d\n", key, (int)between(a, number + 1, 15));
                sim_tie(when, line);
        }
}

static void run_of(void *userdata, struct world *w, struct world_job *job, int64_t *ret_duration_us, struct run_end *ret_end) {
        struct adversary *a = userdata;
        (void)w;
        int64_t every_us = job->when.every_us > 0 ? job->when.every_us : USEC_PER_MINUTE;
        if (job->start.asks_conditions && one_in(a, 3)) {
                *ret_duration_us = one_in(a, 2) ? 0 : between(a, 0, every_us);
                ret_end->result = RUN_RESULT_CONDITION;
                return;
        }
        switch (between(a, 0, 9)) {
        case 0: /* hangs for long */
                *ret_duration_us = between(a, every_us, 40 * every_us);
                break;
        case 1: /* exactly to a slot's instant */
                *ret_duration_us = every_us * between(a, 1, 3);
                break;
        case 2: /* overlaps a few */
                *ret_duration_us = between(a, every_us / 2, 4 * every_us);
                break;
        case 3:
                *ret_duration_us = 0;
                ret_end->result = RUN_RESULT_START_FAILED;
                ret_end->error = one_in(a, 2) ? EAGAIN : ENOENT;
                break;
        default:
                *ret_duration_us = between(a, 1, every_us / 2);
                if (one_in(a, 4))
                        ret_end->result = one_in(a, 500) ? RUN_RESULT_FINISHED : RUN_RESULT_FAILED;
                else if (one_in(a, 8))
                        ret_end->result = RUN_RESULT_SKIPPED;
        }
}

static void name_any(struct adversary *a, char name[static 16]) {
        snprintf(name, 16, "job%d", (int)between(a, 0, 15));
}

static void trigger(struct adversary *a, struct world *w) {
        char name[16];
        uint64_t run = 0;
        name_any(a, name);
        struct engine_trigger how = {.if_running = (enum trigger_if_running)between(a, 0, 4)};
        how.is_forced = one_in(a, 4);
        how.is_rebase = one_in(a, 5);
        passed_draw(w, &how);
        world_trigger(w, name, &how, &run);
}

static void hold_group(struct adversary *a, struct world *w) {
        static const char *const groups[] = {"disk", "net", "tape"};
        const char *group = groups[between(a, 0, 2)];
        if (one_in(a, 2))
                world_resume_group(w, group);
        else
                world_pause_group(w, group, one_in(a, 2) ? INT64_MAX : w->now.bt_us + between(a, 0, 3 * USEC_PER_HOUR));
}

/* Somebody gives commands, often several to one job in an instant. */
static void command(struct adversary *a, struct world *w) {
        char name[16];
        name_any(a, name);
        if (one_in(a, 6)) {
                hold_group(a, w);
                return;
        }
        w->kill_us = one_in(a, 2) ? 0 : between(a, 0, 30 * USEC_PER_SEC);
        switch (between(a, 0, 9)) {
        case 0:
                world_cancel(w, name, false);
                break;
        case 1:
        case 2:
                world_cancel(w, name, true);
                break;
        case 3:
        case 4:
                world_start(w, name);
                break;
        case 5:
                world_pause(w, name, one_in(a, 2) ? INT64_MAX : w->now.bt_us + between(a, 0, 3 * USEC_PER_HOUR));
                break;
        case 6:
        case 7:
                world_resume(w, name);
                break;
        default:
                world_set_interval(w, name, one_in(a, 4) ? 0 : span(a));
        }
}

static void commands(struct adversary *a, struct world *w) {
        for (int64_t n = between(a, 1, 8); n > 0 && !w->error[0]; n--) {
                if (one_in(a, 2))
                        trigger(a, w);
                else
                        command(a, w);
        }
}

/* A change that is none to the plan. */
static void keep_plan(struct adversary *a, struct job_when *when) {
        when->log = (uint8_t)between(a, 0, 3);
        if (one_in(a, 3))
                when->is_enabled = !when->is_enabled;
        if (one_in(a, 3) && (when->mode == JOB_MODE_FIXED_RATE || when->agenda))
                random_overlap(a, when);
        if (one_in(a, 4) && (when->mode == JOB_MODE_FIXED_RATE || when->agenda)) {
                when->is_catch_up_set = true;
                when->catch_up = (uint8_t)between(a, JOB_CATCH_UP_NONE, JOB_CATCH_UP_ALL);
        }
        if (one_in(a, 4))
                when->start_deadline_us =
                        one_in(a, 2) ? JOB_DEADLINE_NEXT : between(a, 0, when->agenda ? USEC_PER_HOUR : when->every_us);
}

static void reload(struct adversary *a, struct world *w) {
        for (int64_t n = between(a, 1, 4); n > 0; n--) {
                char name[16];
                snprintf(name, sizeof(name), "job%d", (int)between(a, 0, 15));
                struct world_job *job = world_find(w, name);
                struct job_when when;
                if (job && job->is_defined && one_in(a, 4)) {
                        world_remove(w, name);
                        continue;
                }
                random_policy(a, w->now.rt_us, &when);
                random_ties(a, name, &when);
                if (job && one_in(a, 2)) {
                        when = job->defined;
                        keep_plan(a, &when);
                }
                if (one_in(a, 8))
                        random_groups(a, &when);
                world_define(w, name, &when);
        }
        if (one_in(a, 3))
                random_limits(a, w);
        if (one_in(a, 4)) /* between the first DEFINE and the COMMIT */
                commands(a, w);
        world_commit(w);
}

/* One blow of the adversary; what it did, for the log. */
static const char *strike(struct adversary *a, struct world *w) {
        int64_t down_us;
        w->slow_us = one_in(a, 2) ? between(a, 0, 20 * USEC_PER_MSEC) : 0;
        switch (between(a, 0, 25)) {
        case 25:
                world_suspend(w, between(a, USEC_PER_SEC, one_in(a, 3) ? 9 * USEC_PER_HOUR : USEC_PER_HOUR));
                return "sleep";
        case 24:
                world_stop(w);
                for (int64_t n = between(a, 0, 3); n > 0; n--)
                        world_run_to(w, w->now.bt_us + between(a, 0, 10 * USEC_PER_MINUTE));
                commands(a, w);
                world_crash(w, between(a, 0, USEC_PER_MINUTE));
                return "stop";
        case 0:
        case 1:
                world_crash(w, between(a, 0, USEC_PER_SEC));
                return "crash";
        case 2:
                world_crash(w, between(a, 0, one_in(a, 4) ? USEC_PER_DAY : USEC_PER_HOUR));
                return "long crash";
        case 3:
        case 4:
                reload(a, w);
                return "reload";
        case 5:
                world_step_clock(w, between(a, -USEC_PER_HOUR, USEC_PER_HOUR));
                return "small step";
        case 6:
                if (one_in(a, 3)) {
                        world_step_clock(w, between(a, -30 * USEC_PER_HOUR, 30 * USEC_PER_HOUR));
                        return "large step";
                }
                return "nothing";
        case 7:
        case 8:
                world_stall(w, between(a, 0, 100 * USEC_PER_MSEC));
                return "stall";
        case 9:
                world_stall(w, between(a, 0, 2 * USEC_PER_HOUR));
                return "long stall";
        case 10:
                world_run_to(w, w->now.bt_us + between(a, USEC_PER_MINUTE, 10 * USEC_PER_MINUTE));
                return "minutes";
        case 11:
                world_reach_wake(w);
                reload(a, w);
                return "reload in the instant of a wake";
        case 12:
                down_us = between(a, 0, USEC_PER_HOUR); /* one after the other: compilers differ in the order of arguments */
                world_crash_and_step(w, down_us, between(a, -8 * USEC_PER_HOUR, 8 * USEC_PER_HOUR));
                return "crash with a step";
        case 13:
        case 14:
        case 15:
        case 16:
                commands(a, w);
                return "commands";
        case 17:
                world_reach_wake(w);
                commands(a, w);
                world_stall(w, 0);
                return "commands in the instant of a wake";
        default:
                world_run_to(w, w->now.bt_us + between(a, 0, 30 * USEC_PER_SEC));
                return "seconds";
        }
}

/* What only a world with a ledger bears. */
static const char *strike_deep(struct adversary *a, struct world *w) {
        if (w->store && !w->hello.is_synchronised && one_in(a, 4)) {
                world_synchronise(w, one_in(a, 2) ? between(a, -2 * USEC_PER_SEC, 2 * USEC_PER_SEC)
                                                  : between(a, -5 * USEC_PER_DAY, 5 * USEC_PER_DAY));
                return "the clock is synchronised";
        }
        if (!w->store || !one_in(a, 4))
                return strike(a, w);
        switch (between(a, 0, 5)) {
        case 0:
                w->hello.is_synchronised = one_in(a, 2);
                world_power_cut(w, between(a, 0, one_in(a, 3) ? 3 * USEC_PER_DAY : USEC_PER_HOUR), true);
                return "power cut";
        case 1:
                world_power_cut(w, between(a, 0, one_in(a, 3) ? USEC_PER_HOUR : USEC_PER_MINUTE), false);
                return "both programs killed";
        case 2:
                world_slow_disk(w, (uint64_t)between(a, 0, 3));
                return "a slow disk";
        case 3:
                w->holds_started = one_in(a, 2);
                return "a slow runner";
        default:
                w->holds_started = false;
                world_slow_disk(w, 0);
                return strike(a, w);
        }
}

static bool run_seed(uint64_t seed, int64_t steps, int planted, bool is_verbose, bool has_ledger, const char *traced,
                     uint64_t *actions) {
        struct adversary a = {.state = seed, .is_verbose = is_verbose};
        struct world *w = malloc(sizeof(*w));
        if (!w)
                abort();
        int64_t rt_us = INT64_C(1774000000) * USEC_PER_SEC + between(&a, 0, USEC_PER_DAY);
        world_init(w, rt_us, between(&a, 0, USEC_PER_HOUR));
        if (has_ledger)
                world_begin_ledger(w);
        w->planted = planted;
        w->sync_wait_us = has_ledger ? 90 * USEC_PER_SEC : 0;
        w->traced = traced;
        w->run_of = run_of;
        w->userdata = &a;
        for (int i = 0; i < 12; i++) {
                char name[16];
                struct job_when when;
                snprintf(name, sizeof(name), "job%d", i);
                random_policy(&a, w->now.rt_us, &when);
                random_ties(&a, name, &when);
                world_define(w, name, &when);
        }
        world_commit(w);
        if (w->error[0])
                printf("seed %llu, at the beginning: %s\n", (unsigned long long)seed, w->error);
        for (int64_t step = 0; step < steps && !w->error[0]; step++) {
                const char *what = strike_deep(&a, w);
                if (is_verbose)
                        printf("%lld: bt %lld rt %lld: %s\n", (long long)step, (long long)w->now.bt_us, (long long)w->now.rt_us,
                               what);
                if (!world_check(w))
                        printf("seed %llu, step %lld (%s): %s\n", (unsigned long long)seed, (long long)step, what, w->error);
        }
        if (!w->error[0] && w->store && store_audit(w->store, w->now) > 0 && w->store->error[0])
                printf("seed %llu, at the end: %s\n", (unsigned long long)seed, w->store->error);
        bool ok = !w->error[0] && !(w->store && w->store->error[0]);
        *actions += w->n_actions;
        world_done(w);
        free(w);
        return ok;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"seeds", required_argument, NULL, 'n'}, {"first", required_argument, NULL, 'f'},
                {"steps", required_argument, NULL, 's'}, {"plant", required_argument, NULL, 'p'},
                {"verbose", no_argument, NULL, 'v'},     {"trace", required_argument, NULL, 't'},
                {"ledger", no_argument, NULL, 'l'},      {0}};
        uint64_t seeds = 100, first = 1, actions = 0, failed = 0;
        int64_t steps = 150;
        int c, planted = 0;
        bool is_verbose = false, has_ledger = false;
        const char *traced = NULL;
        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (c == 'n')
                        seeds = strtoull(optarg, NULL, 10);
                else if (c == 'f')
                        first = strtoull(optarg, NULL, 10);
                else if (c == 's')
                        steps = strtoll(optarg, NULL, 10);
                else if (c == 'p')
                        planted = atoi(optarg);
                else if (c == 't')
                        traced = optarg;
                else if (c == 'l')
                        has_ledger = true;
                else if (c == 'v')
                        is_verbose = true;
                else
                        return 2;
        }
        for (uint64_t seed = first; seed < first + seeds; seed++)
                failed += !run_seed(seed, steps, planted, is_verbose, has_ledger, traced, &actions);
        printf("%llu seeds, %llu failed, %llu actions checked\n", (unsigned long long)seeds, (unsigned long long)failed,
               (unsigned long long)actions);
        return failed > 0;
}
