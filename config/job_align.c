// SPDX-License-Identifier: MIT
// job_align: where the grid of Every= lies. A time may be one of TimeZone=, which stands behind it in the file, so all is placed once the
// keys are read. What counts on the clock of a zone that is never set is a plain grid of instants.

#include <stdio.h>
#include <string.h>

#include "config/civil.h"
#include "config/job_draft.h"

#define ANCHOR_MAX (100 * 366 * USEC_PER_DAY) /* no interval is longer: a point below it can be found, printed and read back */

static const char *const names[] = {[DRAFT_ALIGN_START] = "start",
                                    [DRAFT_ALIGN_HOUR] = "hour",
                                    [DRAFT_ALIGN_DAY] = "day",
                                    [DRAFT_ALIGN_EPOCH] = "epoch",
                                    NULL};

int parse_align(struct job_draft *d, const struct job_setting *s) {
        const char *why = NULL;

        for (size_t i = 0; names[i]; i++)
                if (strcmp(s->value, names[i]) == 0) {
                        d->align = (enum draft_align)i;
                        return 0;
                }
        if (timestamp_read(s->value, &d->align_time, &why) < 0)
                return draft_error(d, s, 0, "\"%.40s\" is neither start, hour, day, epoch nor a time: %s", s->value, why);
        d->align = DRAFT_ALIGN_TIME;
        return 0;
}

/* Whether the grid counts on the clock of a zone: an instant is of none, unless a zone is named for it. */
static bool is_of_zone(const struct job_draft *d) {
        if (d->align == DRAFT_ALIGN_HOUR || d->align == DRAFT_ALIGN_DAY)
                return true;
        if (d->align == DRAFT_ALIGN_TIME && d->align_time.is_civil)
                return true;
        return d->set[KEY_TIME_ZONE] && !d->is_canonical;
}

static int64_t offset_us(const struct zone *zone, int64_t rt_us) {
        return zone_offset(zone, rt_us / USEC_PER_SEC, NULL, NULL) * USEC_PER_SEC;
}

/* Another point of the same grid, where one lies beyond what a time can be read as. */
static int64_t within_years(int64_t anchor_us, int64_t every_us) {
        bool is_within = anchor_us >= 0 && anchor_us < ANCHOR_MAX;
        return is_within ? anchor_us : (anchor_us % every_us + every_us) % every_us;
}

/* Puts the grid onto the clock of a zone; NULL: one that is not known here. */
static void place(struct job_draft *d, const struct zone *zone) {
        struct job_when *when = &d->job->when;
        bool is_time = d->align == DRAFT_ALIGN_TIME;
        int64_t civil_us = is_time ? d->align_time.us : 0;
        bool is_instant = d->align == DRAFT_ALIGN_EPOCH || (is_time && !d->align_time.is_civil);

        if (is_instant && zone)
                civil_us += offset_us(zone, civil_us);
        bool is_plain = zone && zone_next_change(zone, INT64_MIN) == INT64_MAX;
        if (is_plain)
                civil_us -= offset_us(zone, 0);
        when->align = is_plain ? JOB_ALIGN_WALL : JOB_ALIGN_CIVIL;
        when->align_us = within_years(civil_us, when->every_us);
        d->agenda.has_grid = !is_plain;
}

/* A grid of minutes that do not come again each hour, or of hours each day, is not what these words promise. */
static void warn_uneven(struct job_draft *d, const struct job_setting *s) {
        bool is_hour = d->align == DRAFT_ALIGN_HOUR;
        int64_t every_us = d->job->when.every_us, whole_us = is_hour ? USEC_PER_HOUR : USEC_PER_DAY,
                unit_us = whole_us / (is_hour ? 60 : 24);
        char every[96], advice[64] = "";

        if ((d->align != DRAFT_ALIGN_DAY && !is_hour) || whole_us % every_us == 0 || every_us % whole_us == 0)
                return;
        if (every_us < whole_us && every_us % unit_us == 0)
                snprintf(advice, sizeof(advice),
                         is_hour ? "; OnCalendar=*:0/%d starts anew each hour" : "; OnCalendar=0/%d:00 starts anew each day",
                         (int)(every_us / unit_us));
        draft_warn(d, s, 0, "%s %s %s: slots are not at the same %s of each %s%s", duration_print(every_us, every),
                   every_us < whole_us ? "does not divide" : "is no multiple of", is_hour ? "an hour" : "a day",
                   is_hour ? "minutes" : "times", is_hour ? "hour" : "day", advice);
}

static void warn_of_change(struct job_draft *d, const struct job_setting *s, const struct zone *zone) {
        if (d->align != DRAFT_ALIGN_TIME || !d->align_time.is_civil || !zone)
                return;
        struct zone_instants shown = zone_resolve(zone, d->align_time.us / USEC_PER_SEC);
        if (shown.n == 0)
                draft_warn(d, s, 0,
                           "that day the clock of %s is set forward over this time; the grid counts from it all the same",
                           zone_name(zone));
        if (shown.n == 2)
                draft_warn(d, s, 0, "that day the clock of %s shows this time twice; the grid counts from it all the same",
                           zone_name(zone));
}

int draft_finish_align(struct job_draft *d) {
        const struct job_setting *s = d->set[KEY_ALIGN];
        struct job_when *when = &d->job->when;
        struct zone *zone;

        if (!s || d->align == DRAFT_ALIGN_START)
                return 0;
        int r = draft_check_mode(d, KEY_ALIGN, JOB_MODE_FIXED_RATE, "; write Mode=fixed-rate");
        if (r != 0)
                return r < 2 ? 0 : 1;
        if (!is_of_zone(d)) {
                when->align = JOB_ALIGN_WALL;
                when->align_us = d->align == DRAFT_ALIGN_TIME ? d->align_time.us : 0;
                return 0;
        }
        r = draft_find_zone(d, s, 0, d->agenda.zone, &zone);
        if (r != 0)
                return r;
        place(d, zone);
        warn_uneven(d, s);
        warn_of_change(d, s, zone);
        zone_unref(zone);
        return 0;
}

bool print_align(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        switch ((enum job_align)when->align) {
        case JOB_ALIGN_START:
                return false;
        case JOB_ALIGN_WALL:
                if (when->align_us == 0)
                        return print_text("epoch", buf);
                timestamp_print_utc(when->align_us, buf);
                return true;
        case JOB_ALIGN_CIVIL:
                if (when->align_us == 0)
                        return print_text("day", buf);
                timestamp_print_civil(when->align_us, buf);
                return true;
        }
        return false;
}
