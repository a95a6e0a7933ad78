// SPDX-License-Identifier: MIT
// story_state: the records of holds, of the clocks, and of a ledger that is late.

#include "daemon/scheduler/story_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/timestamp.h"

static enum event_kind hold_kind(enum hold_change change) {
        if (change == HOLD_FINISHED)
                return EVENT_JOB_STOPPED;
        if (change == HOLD_FAILED)
                return EVENT_JOB_FAILED;
        return change == HOLD_PAUSED || change == HOLD_CANCELLED || change == HOLD_REMINDER ? EVENT_HELD : EVENT_ARMED;
}

void story_tell_hold(const struct story *s, const struct engine *e, const struct book *b, struct clock_sample now,
                     const struct action *a) {
        const struct book_job *known = book_find(b, a->job);
        const struct book_hold *hold = known && known->hold.by ? &known->hold : NULL;
        const char *job = engine_job_name(e, a->job);
        char until[40] = "", every[96];
        struct job_view view;
        engine_view(e, now, a->job, &view);
        struct journal_record r = story_begin(s, hold_kind(a->hold), job);
        journal_field(&r, "CHIMED_REASON", "%s", hold_change_to_string(a->hold));
        if (hold)
                journal_field(&r, "CHIMED_BY", "%s", hold->by);
        if (a->hold == HOLD_INTERVAL_SET || a->hold == HOLD_INTERVAL_RESET) {
                duration_print(engine_job_when(e, a->job)->every_us, every);
                journal_send(&r, "%s: the interval is now %s%s", job, every,
                             a->hold == HOLD_INTERVAL_RESET ? ", as its definition says" : "");
                return;
        }
        if (a->hold == HOLD_FAILED) {
                journal_field(&r, "CHIMED_COUNT", "%u", engine_job_when(e, a->job)->stop_after_failures);
                journal_send(&r, "%s: stopped, its runs have failed in %u slots in a row; chimectl start %s arms it again", job,
                             engine_job_when(e, a->job)->stop_after_failures, job);
                return;
        }
        if (hold_kind(a->hold) == EVENT_ARMED) {
                journal_send(&r, "%s: %s", job, a->hold == HOLD_STARTED ? "armed again" : "the pause is over");
                return;
        }
        if (a->hold == HOLD_FINISHED) {
                journal_send(&r, "%s: its schedule is over; chimectl start %s arms it again", job, job);
                return;
        }
        if (hold && hold->until_rt_us < INT64_MAX)
                timestamp_print_utc(hold->until_rt_us, until);
        journal_send(&r, "%s: %s%s%s%s%s%s%s%s", job, a->hold == HOLD_REMINDER ? "still " : "",
                     view.is_cancelled ? "cancelled"
                     : view.is_failed  ? "stopped, for it failed too often"
                                       : "paused",
                     hold ? " by " : "", hold ? hold->by : "", *until ? " until " : "", until, hold && hold->reason ? ": " : "",
                     hold && hold->reason ? hold->reason : "");
}

void story_tell_group_hold(struct story *s, const struct engine *e, struct clock_sample now, const struct action *a) {
        const struct group *group = &engine_groups(e)->list[a->group_hold.group];
        const struct group_hold *hold = &group->hold;
        enum hold_change change = a->group_hold.change;
        char until[40] = "";
        if (!story_may_tell(&s->group_commands, now, STORY_COMMANDS_MAX)) {
                s->group_commands_untold++;
                return;
        }
        char name[JOB_NAME_MAX + 2];
        snprintf(name, sizeof(name), "@%s", group->name);
        struct journal_record r = story_begin(s, hold_kind(change), name);
        journal_field(&r, "CHIMED_REASON", "%s", hold_change_to_string(change));
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, s->group_commands_untold + 1);
        s->group_commands_untold = 0;
        if (!hold->is_on) {
                journal_send(&r, "%s: the pause is over", name);
                return;
        }
        journal_field(&r, "CHIMED_BY", "%s", hold->by);
        if (hold->until_bt_us < INT64_MAX)
                timestamp_print_utc(hold->until_bt_us + now.rt_us - now.bt_us, until);
        journal_send(&r, "%s: %spaused by %s%s%s%s%s", name, change == HOLD_REMINDER ? "still " : "", hold->by,
                     *until ? " until " : "", until, hold->reason ? ": " : "", hold->reason ? hold->reason : "");
}

static void tell_sleep(struct story *s, int64_t slept_us) {
        char span[96];
        struct journal_record r = journal_begin(s->journal, EVENT_RESUMED);
        journal_field_i64(&r, "CHIMED_DURATION_USEC", slept_us);
        journal_send(&r, "The machine was suspended for %s", story_print_rounded(slept_us, span));
}

void story_tell_steps(struct story *s, struct clock_sample now) {
        char by[96], times[48] = "";
        int64_t by_us = s->step_us;
        struct journal_record r = journal_begin(s->journal, EVENT_CLOCK_STEP);
        journal_field_i64(&r, "CHIMED_STEP_USEC", by_us);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, s->steps);
        if (s->steps > 1)
                snprintf(times, sizeof(times), " %" PRIu64 " times, in all", s->steps);
        story_print_rounded(by_us > 0 ? by_us : -by_us, by);
        journal_send(&r, "The wall clock %s%s %s by %s%s",
                     s->is_first_sync_untold ? "is synchronised since now: it was set" : "was set", times,
                     by_us > 0 ? "forward" : "back", by,
                     s->is_time_line_untold ? ": a new time line, schedules on it begin anew" : "");
        s->steps = 0;
        s->step_us = 0;
        s->is_first_sync_untold = s->is_time_line_untold = false;
        s->clock_told_bt_us = now.bt_us;
}

void story_tell_clock(struct story *s, struct clock_sample now, const struct clockstep *change) {
        if (change->slept_us > 0)
                tell_sleep(s, change->slept_us);
        if (change->step_us < CLOCKSTEP_MIN_US && change->step_us > -CLOCKSTEP_MIN_US)
                return;
        s->steps++;
        s->step_us += change->step_us;
        s->is_first_sync_untold = s->is_first_sync_untold || change->kind == CLOCKSTEP_SYNC;
        s->is_time_line_untold = s->is_time_line_untold || change->step_us < -CLOCKSTEP_LIMIT_US;
        if (now.bt_us - s->clock_told_bt_us >= STORY_HOLD_US)
                story_tell_steps(s, now);
}

void story_tell_unclaimed(struct story *s, struct clock_sample now, const char *job) {
        s->unclaimed++;
        if (now.bt_us - s->unclaimed_told_bt_us < STORY_HOLD_US)
                return;
        struct journal_record r = journal_begin(s->journal, EVENT_DEGRADED);
        journal_field(&r, "CHIMED_COUNT", "%" PRIu64, s->unclaimed);
        if (s->unclaimed > 1)
                journal_send(&r, "The ledger takes too long: %" PRIu64 " slots started without it, the latest of job %s",
                             s->unclaimed, job);
        else
                journal_send(&r, "The ledger takes too long: a slot of job %s started without it", job);
        s->unclaimed = 0;
        s->unclaimed_told_bt_us = now.bt_us;
}
