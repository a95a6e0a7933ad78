// SPDX-License-Identifier: MIT
// job_days: Only= and Except=. In files they name calendars, which may stand in other files: they are looked up once all are read. The canonical
// text has their days, so that the scheduler needs no files.

#include <errno.h>
#include <string.h>

#include "config/job_draft.h"

/* "NAME: DAYS" of the canonical text. */
static int take_days(struct job_draft *d, bool is_except, const char *calendar) {
        int r = days_draft_add(&d->days, is_except, calendar);
        return r > 0 ? -EBADMSG : r;
}

static int parse_calendars(struct job_draft *d, const struct job_setting *s, bool is_except) {
        if (d->is_canonical)
                return take_days(d, is_except, s->value);
        return draft_names(d, s, is_except, &d->job->calendars, DAYS_CALENDARS_MAX, "calendar",
                           "calendars; put their days into one");
}

int parse_only(struct job_draft *d, const struct job_setting *s) {
        return parse_calendars(d, s, false);
}

int parse_except(struct job_draft *d, const struct job_setting *s) {
        return parse_calendars(d, s, true);
}

int draft_finish_days(struct job_draft *d) {
        char why[ZONE_WHY_MAX];

        if (d->job->calendars.n > 0 && *d->agenda.zone)
                return draft_copy(d->agenda.zone, &d->job->time_zone);
        if (d->days.n == 0 || !d->agendas)
                return 0;
        strcpy(d->days.zone, d->agenda.zone);
        int r = days_compile(d->agendas, &d->days, &d->job->when.days, why);
        d->is_zone_missing = d->is_zone_missing || r == 1;
        return r;
}
