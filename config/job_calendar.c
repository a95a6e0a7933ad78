// SPDX-License-Identifier: MIT
// job_calendar: OnCalendar= and Cron= with the keys about them: each expression is read at its place, all together become the agenda.

#include <errno.h>
#include <string.h>

#include "config/calendar.h"
#include "config/cron.h"
#include "config/job_draft.h"

static const char *const days_names[] = {"or", "and", NULL};
static const char *const gap_names[] = {[WALL_GAP_RUN_AFTER] = "run-after", [WALL_GAP_SKIP] = "skip", NULL};
static const char *const fold_names[] = {
        [WALL_FOLD_FIRST] = "first", [WALL_FOLD_SECOND] = "second", [WALL_FOLD_BOTH] = "both", NULL};

int draft_find_zone(struct job_draft *d, const struct job_setting *s, size_t offset, const char *name, struct zone **ret) {
        char why[ZONE_WHY_MAX];

        *ret = NULL;
        int r = d->agendas ? d->agendas->find_zone(d->agendas->userdata, *name ? name : NULL, ret, why) : 0;
        d->is_zone_missing = d->is_zone_missing || r == 1;
        return r == 1 ? draft_error(d, s, offset, "%s", why) : r;
}

static int check_zone(struct job_draft *d, const struct job_setting *s, size_t offset, const char *name) {
        struct zone *zone;
        int r = draft_find_zone(d, s, offset, name, &zone);

        zone_unref(zone);
        return r;
}

static bool is_too_fine(const struct pattern *p) {
        for (size_t i = 0; i < p->n_runs; i++)
                if (p->runs[i].first_us < p->runs[i].last_us && p->runs[i].step_us < AGENDA_STEP_MIN)
                        return true;
        return false;
}

/* Takes what a parser gave: r, and a pattern or an error. */
static int take_pattern(struct job_draft *d, const struct job_setting *s, int r, struct pattern *p,
                        const struct pattern_error *error, bool is_cron) {
        if (r == -EINVAL)
                return draft_error(d, s, error->at, "%s", error->text);
        if (r < 0)
                return r;
        const char *zone = p->zone ? strrchr(s->value, ' ') : NULL; /* it is the last word */
        r = is_too_fine(p) ? draft_error(d, s, 0, "the steps of a second must be at least 1ms") : 0;
        if (r == 0 && zone)
                r = check_zone(d, s, (size_t)(zone - s->value) + 1, p->zone);
        if (r == 0 && p->warning)
                draft_warn(d, s, 0, "%s", p->warning);
        if (r != 0)
                pattern_free(p);
        else if (agenda_draft_add(&d->agenda, p, is_cron))
                r = draft_error(d, s, 0, "too many of OnCalendar= and Cron= in one job: there may be %d, of %d bytes together",
                                AGENDA_LINES_MAX, AGENDA_TEXT_MAX);
        return r;
}

int parse_on_calendar(struct job_draft *d, const struct job_setting *s) {
        struct pattern *p = NULL;
        struct pattern_error error;
        int r = calendar_parse(s->value, &p, &error);

        return take_pattern(d, s, r, p, &error, false);
}

int parse_cron(struct job_draft *d, const struct job_setting *s) {
        struct pattern *p = NULL;
        struct pattern_error error;
        int r = cron_parse(s->value, d->agenda.days_and, &p, &error);

        return take_pattern(d, s, r, p, &error, true);
}

int parse_cron_days(struct job_draft *d, const struct job_setting *s) {
        uint8_t is_and;
        int r = draft_choice(d, s, days_names, &is_and);

        if (r == 0)
                d->agenda.days_and = is_and;
        return r;
}

int parse_time_zone(struct job_draft *d, const struct job_setting *s) {
        if (strlen(s->value) > ZONE_NAME_MAX)
                return draft_error(d, s, 0, "\"%.40s...\" is no name of a time zone", s->value);
        strcpy(d->agenda.zone, s->value);
        return check_zone(d, s, 0, s->value);
}

int parse_gap(struct job_draft *d, const struct job_setting *s) {
        return draft_choice(d, s, gap_names, &d->agenda.gap);
}

int parse_fold(struct job_draft *d, const struct job_setting *s) {
        return draft_choice(d, s, fold_names, &d->agenda.fold);
}

/* Keys about calendars, in a job that has none: some are about grids, too. */
static void warn_useless(struct job_draft *d) {
        static const enum job_key_index about[] = {KEY_CRON_DAYS, KEY_TIME_ZONE, KEY_GAP, KEY_FOLD};
        bool has_grid = d->job->when.align != JOB_ALIGN_START;

        for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++) {
                const struct job_setting *s = d->set[about[i]];
                bool is_cron = about[i] == KEY_CRON_DAYS;
                bool has_own_days = d->set[KEY_ONLY] || d->set[KEY_EXCEPT];
                bool is_of_days = about[i] == KEY_TIME_ZONE && (has_own_days || draft_has_civil_border(d));
                if (s && !s->is_default && (is_cron || !has_grid) && !is_of_days)
                        draft_warn(d, s, 0, "%s= means nothing without %s", s->key,
                                   is_cron ? "Cron=" : "OnCalendar=, Cron= or Align=");
        }
}

int draft_finish_agenda(struct job_draft *d) {
        const struct job_setting *s = d->set[KEY_ON_CALENDAR] ? d->set[KEY_ON_CALENDAR] : d->set[KEY_CRON];
        char why[ZONE_WHY_MAX];

        if (d->agenda.n == 0)
                warn_useless(d);
        if (d->agenda.n == 0 && !d->agenda.has_grid)
                return 0;
        if (!d->agendas)
                return 0;
        int r = agenda_compile(d->agendas, &d->agenda, &d->job->when.agenda, why);
        d->is_zone_missing = d->is_zone_missing || r == 1;
        return r == 1 ? draft_error(d, s ? s : d->set[KEY_ALIGN], 0, "%s", why) : r;
}
