// SPDX-License-Identifier: MIT
// job_border: the keys that say when a schedule begins and ends. Times without an offset are those of TimeZone=, which may stand
// anywhere in the job, so they are placed once all keys are read.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/civil.h"
#include "config/job_draft.h"

static int parse_time(struct job_draft *d, const struct job_setting *s, struct timestamp *ret) {
        const char *why;

        return timestamp_read(s->value, ret, &why) < 0 ? draft_error(d, s, 0, "\"%.40s\": %s", s->value, why) : 0;
}

int parse_not_before(struct job_draft *d, const struct job_setting *s) {
        return parse_time(d, s, &d->not_before);
}

int parse_until(struct job_draft *d, const struct job_setting *s) {
        return parse_time(d, s, &d->until);
}

int parse_max_runs(struct job_draft *d, const struct job_setting *s) {
        return draft_count(d, s, 1, JOB_MAX_RUNS_MAX, &d->job->when.max_runs);
}

/* The instant of a time as it was written: a gap is passed at its end, of a fold it is the first or the second. */
static int64_t place(const struct zone *zone, const struct timestamp *t, bool is_second) {
        if (!t->is_civil || !zone)
                return t->us;
        struct zone_instants at = zone_resolve(zone, t->us / USEC_PER_SEC);
        int64_t us = t->us % USEC_PER_SEC;
        return at.utc_s[at.n == 2 && is_second] * USEC_PER_SEC + (at.n == 0 ? 0 : us);
}

bool draft_has_civil_border(const struct job_draft *d) {
        return (d->set[KEY_NOT_BEFORE] && d->not_before.is_civil) || (d->set[KEY_UNTIL] && d->until.is_civil);
}

/* The zone of times that were written without one; NULL where none is needed, or none can be looked up. */
static int find_zone(struct job_draft *d, const struct job_setting *s, struct zone **ret) {
        *ret = NULL;
        return draft_has_civil_border(d) ? draft_find_zone(d, s, 0, d->agenda.zone, ret) : 0;
}

int draft_finish_borders(struct job_draft *d) {
        const struct job_setting *from = d->set[KEY_NOT_BEFORE], *to = d->set[KEY_UNTIL];
        struct job_when *when = &d->job->when;
        struct zone *zone;

        if (d->set[KEY_MAX_RUNS] && !job_when_has_schedule(when))
                draft_warn(d, d->set[KEY_MAX_RUNS], 0, "MaxRuns= counts scheduled runs, and nothing schedules this job");
        if (!from && !to)
                return 0;
        int r = find_zone(d, to ? to : from, &zone);
        if (r != 0)
                return r;
        if (from)
                when->not_before_us = place(zone, &d->not_before, false);
        if (to && !d->until.has_clock) { /* the day is included */
                d->until.us += CIVIL_DAY_S * USEC_PER_SEC;
                when->until_us = place(zone, &d->until, false) - 1;
        } else if (to)
                when->until_us = place(zone, &d->until, true);
        zone_unref(zone);
        if (from && when->until_us < when->not_before_us)
                return draft_error(d, to, 0, "Until= is before NotBefore=: no slot could ever come");
        return 0;
}

static bool print_instant(int64_t us, int64_t if_not, char buf[static JOB_VALUE_MAX]) {
        char text[40];

        return us != if_not && print_text(timestamp_print_utc(us, text), buf);
}

bool print_not_before(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_instant(when->not_before_us, 0, buf);
}

bool print_until(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_instant(when->until_us, INT64_MAX, buf);
}

bool print_max_runs(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_number(when->max_runs, 0, buf);
}
