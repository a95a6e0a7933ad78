// SPDX-License-Identifier: MIT
// job_days: Only= and Except=. In files they name calendars, which may stand in other files: they are looked up once all are read. The canonical
// text has their days, so that the scheduler needs no files.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/job_draft.h"

#define BLANKS " \t\n"

/* "NAME: DAYS" of the canonical text. */
static int take_days(struct job_draft *d, bool is_except, const char *calendar) {
        int r = days_draft_add(&d->days, is_except, calendar);
        return r > 0 ? -EBADMSG : r;
}

static int take_name(struct job_draft *d, const struct job_setting *s, bool is_except, const char *at, size_t size) {
        struct job_mentions *calendars = &d->job->calendars;
        struct job_mention *calendar;
        char name[JOB_NAME_MAX + 2]; /* one more than there may be */
        const char *why;
        size_t offset = (size_t)(at - s->value);

        snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : sizeof(name)), at);
        if (!job_name_is_valid(name, &why))
                return draft_error(d, s, offset, "\"%s\" is no name of a calendar; names are separated by blanks", name);
        for (size_t i = 0; i < calendars->n; i++)
                if (calendars->list[i].is_except == is_except && strcmp(calendars->list[i].name, name) == 0)
                        return 0;
        if (calendars->n == DAYS_CALENDARS_MAX)
                return draft_error(d, s, offset, "more than %d calendars; put their days into one", DAYS_CALENDARS_MAX);
        int r = draft_mention(s, offset, name, calendars, &calendar);
        if (r == 0)
                calendar->is_except = is_except;
        return r;
}

static int parse_calendars(struct job_draft *d, const struct job_setting *s, bool is_except) {
        int r = 0;

        if (d->is_canonical)
                return take_days(d, is_except, s->value);
        for (const char *at = s->value + strspn(s->value, BLANKS); *at && r == 0; at += strspn(at, BLANKS)) {
                size_t size = strcspn(at, BLANKS);
                r = take_name(d, s, is_except, at, size);
                at += size;
        }
        return r;
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
