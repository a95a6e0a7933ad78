// SPDX-License-Identifier: MIT
// job_when: the keys that say when a job runs: read, checked together, printed as canonical text and read back.
// The text is what the scheduler gets; it reads it with the same functions as the reader, so both understand the same.

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"

#define LOG_CHANGES_BELOW USEC_PER_MINUTE

_Static_assert(sizeof(struct job_when) == 192 + 5 * JOB_ALLOW_MAX, "policies are compared as bytes: no padding");

static const char *const mode_names[] = {[JOB_MODE_FIXED_DELAY] = "fixed-delay", [JOB_MODE_FIXED_RATE] = "fixed-rate", NULL};
static const char *const log_names[] = {[JOB_LOG_ALL] = "all",
                                        [JOB_LOG_CHANGES] = "changes",
                                        [JOB_LOG_FAILURES] = "failures",
                                        [JOB_LOG_SUMMARY] = "summary",
                                        NULL};

void job_when_init(struct job_when *when) {
        memset(when, 0, sizeof(*when));
        when->mode = JOB_MODE_FIXED_DELAY;
        when->align = JOB_ALIGN_START;
        when->overlap = JOB_OVERLAP_SKIP;
        when->queue_max = 1;
        when->max_parallel = 1;
        when->retry_delay_us = JOB_RETRY_DELAY_DEFAULT;
        when->retry_max_delay_us = JOB_RETRY_MAX_DELAY;
        when->retry_backoff_ppm = JOB_BACKOFF_ONE_PPM;
        when->catch_up = JOB_CATCH_UP_ONE;
        when->log = JOB_LOG_ALL;
        when->on_boot_us = -1;
        when->until_us = INT64_MAX;
        when->start_deadline_us = JOB_DEADLINE_NEXT;
        when->catch_up_max = JOB_CATCH_UP_MAX_DEFAULT;
        when->history_runs = JOB_HISTORY_RUNS_DEFAULT;
        when->history_us = JOB_HISTORY_DEFAULT_US;
        when->is_enabled = true;
}

void job_when_done(struct job_when *when) {
        when->agenda = agenda_unref(when->agenda);
        when->days = days_unref(when->days);
        when->ties = ties_unref(when->ties);
}

int parse_description(struct job_draft *d, const struct job_setting *s) {
        return draft_copy(s->value, &d->job->description);
}

int parse_every(struct job_draft *d, const struct job_setting *s) {
        int64_t every_us;
        int r = draft_span(d, s, false, &every_us);

        if (r)
                return r;
        if (every_us < JOB_EVERY_MIN)
                return draft_error(d, s, 0, "the interval must be at least 1ms");
        d->job->when.every_us = every_us;
        return 0;
}

int parse_mode(struct job_draft *d, const struct job_setting *s) {
        return draft_choice(d, s, mode_names, &d->job->when.mode);
}

int parse_initial_delay(struct job_draft *d, const struct job_setting *s) {
        return draft_span(d, s, false, &d->job->when.initial_delay_us);
}

int parse_jitter(struct job_draft *d, const struct job_setting *s) {
        if (!strchr(s->value, '%'))
                return draft_error(d, s, 0, "the jitter is a part of the wait, such as 10%%");
        return draft_percent(d, s, &d->job->when.jitter_ppm);
}

int parse_randomized_delay(struct job_draft *d, const struct job_setting *s) {
        if (strchr(s->value, '%'))
                return draft_percent(d, s, &d->job->when.random_delay_ppm);
        return draft_span(d, s, false, &d->job->when.random_delay_us);
}

int parse_fixed_random_delay(struct job_draft *d, const struct job_setting *s) {
        bool is_fixed;
        int r = draft_boolean(d, s, &is_fixed);

        if (r == 0)
                d->job->when.is_delay_fixed = is_fixed;
        return r;
}

int parse_on_boot(struct job_draft *d, const struct job_setting *s) {
        bool is_wanted;

        if (s->value[0] >= '0' && s->value[0] <= '9') {
                if (strspn(s->value, "0123456789") == strlen(s->value))
                        return draft_error(
                                d, s, 0, "%.20s could be a number of seconds or a switch; write yes, no or a span such as 30s",
                                s->value);
                return draft_span(d, s, false, &d->job->when.on_boot_us);
        }
        int r = draft_boolean(d, s, &is_wanted);
        if (r == 0)
                d->job->when.on_boot_us = is_wanted ? 0 : -1;
        return r;
}

int parse_on_wake(struct job_draft *d, const struct job_setting *s) {
        bool is_wanted;
        int r = draft_boolean(d, s, &is_wanted);

        if (r == 0)
                d->job->when.is_on_wake = is_wanted;
        return r;
}

int parse_start_deadline(struct job_draft *d, const struct job_setting *s) {
        return draft_span(d, s, true, &d->job->when.start_deadline_us);
}

int parse_enabled(struct job_draft *d, const struct job_setting *s) {
        bool is_enabled;
        int r = draft_boolean(d, s, &is_enabled);

        if (r == 0)
                d->job->when.is_enabled = is_enabled;
        return r;
}

int parse_log(struct job_draft *d, const struct job_setting *s) {
        return draft_choice(d, s, log_names, &d->job->when.log);
}

static uint8_t log_default(const struct job_when *when) {
        bool is_fast = when->every_us > 0 && when->every_us < LOG_CHANGES_BELOW;
        return is_fast || (when->agenda && agenda_is_fast(when->agenda)) ? JOB_LOG_CHANGES : JOB_LOG_ALL;
}

int draft_check_mode(struct job_draft *d, enum job_key_index key, enum job_mode mode, const char *advice) {
        const struct job_setting *s = d->set[key];
        const struct job_when *when = &d->job->when;
        bool is_for_calendars = mode == JOB_MODE_FIXED_RATE && key != KEY_ALIGN;

        if ((when->every_us > 0 && when->mode == mode) || (is_for_calendars && draft_has_calendar(d)))
                return 0;
        if (s->is_default)
                return 1;
        if (when->every_us > 0) {
                draft_error(d, s, 0, "%s= is for Mode=%s%s", s->key, mode_names[mode], advice);
                return 2;
        }
        draft_warn(d, s, 0, "%s= means nothing without Every=%s", s->key, is_for_calendars ? ", OnCalendar= or Cron=" : "");
        return 1;
}

static bool check_randomized_delay(struct job_draft *d) {
        struct job_when *when = &d->job->when;
        const struct job_setting *s = d->set[KEY_RANDOMIZED_DELAY];
        int r = draft_check_mode(d, KEY_RANDOMIZED_DELAY, JOB_MODE_FIXED_RATE, "; the wait of fixed-delay varies by Jitter=");

        if (r) {
                when->random_delay_us = 0;
                when->random_delay_ppm = 0;
        } else if (when->every_us > 0 && when->mode == JOB_MODE_FIXED_RATE && when->random_delay_us >= when->every_us) {
                char every[96];
                draft_error(d, s, 0, "the delay must be shorter than Every=%s", duration_print(when->every_us, every));
                return false;
        }
        return r < 2;
}

/* The delay of an interval's first slot must not delay the calendars: it can only be the grid's phase. */
static bool check_initial_delay(struct job_draft *d) {
        struct job_when *when = &d->job->when;
        const struct job_setting *s = d->set[KEY_INITIAL_DELAY];
        bool is_beside = when->every_us > 0 && when->mode == JOB_MODE_FIXED_RATE && draft_has_calendar(d);

        if (when->every_us == 0 || (is_beside && when->align != JOB_ALIGN_START)) {
                draft_warn(d, s, 0, "InitialDelay= means nothing %s",
                           is_beside ? "beside OnCalendar= and Cron= but with Align=start" : "without Every=");
                when->initial_delay_us = 0;
        }
        if (!is_beside || when->initial_delay_us < when->every_us)
                return true;
        draft_error(d, s, 0, "beside OnCalendar= and Cron= the delay must be shorter than Every=");
        return false;
}

int draft_finish_when(struct job_draft *d) {
        struct job_when *when = &d->job->when;
        int r = draft_finish_align(d);

        if (r == 0)
                r = draft_finish_agenda(d);
        if (r == 0)
                r = draft_finish_days(d);
        if (r == 0)
                r = draft_finish_ties(d);
        if (r == 0)
                r = draft_finish_borders(d);
        if (r < 0)
                return r;
        bool is_good = r == 0;
        if (d->set[KEY_JITTER] && when->jitter_ppm > 0) {
                r = draft_check_mode(d, KEY_JITTER, JOB_MODE_FIXED_DELAY, "; a grid has RandomizedDelay=");
                is_good = is_good && r < 2;
                if (r)
                        when->jitter_ppm = 0;
        }
        if (d->set[KEY_RANDOMIZED_DELAY] && (when->random_delay_us > 0 || when->random_delay_ppm > 0))
                is_good = check_randomized_delay(d) && is_good;
        if (when->is_delay_fixed && when->random_delay_us == 0 && when->random_delay_ppm == 0) {
                if (!d->set[KEY_FIXED_RANDOM_DELAY]->is_default)
                        draft_warn(d, d->set[KEY_FIXED_RANDOM_DELAY], 0,
                                   "FixedRandomDelay= means nothing without RandomizedDelay=");
                when->is_delay_fixed = false;
        }
        if (d->set[KEY_INITIAL_DELAY] && when->initial_delay_us > 0)
                is_good = check_initial_delay(d) && is_good;
        if (when->every_us == 0)
                when->mode = JOB_MODE_FIXED_DELAY;
        if (!d->set[KEY_LOG])
                when->log = log_default(when);
        is_good = draft_finish_catch_up(d) && is_good;
        draft_finish_policy(d);
        draft_finish_conditions(d);
        return is_good ? 0 : 1;
}

void job_when_set_every(struct job_when *when, int64_t every_us) {
        uint8_t log = log_default(when);

        when->every_us = every_us;
        if (when->log == log)
                when->log = log_default(when);
        job_when_default_catch_up(when);
}

bool print_span(int64_t us, int64_t if_not, char buf[static JOB_VALUE_MAX]) {
        if (us == if_not)
                return false;
        duration_print(us, buf);
        return true;
}

bool print_text(const char *text, char buf[static JOB_VALUE_MAX]) {
        snprintf(buf, JOB_VALUE_MAX, "%s", text);
        return true;
}

bool print_number(int64_t n, int64_t if_not, char buf[static JOB_VALUE_MAX]) {
        if (n == if_not)
                return false;
        snprintf(buf, JOB_VALUE_MAX, "%" PRId64, n);
        return true;
}

void print_decimal(uint32_t value, uint32_t one, char buf[static JOB_VALUE_MAX]) {
        int n = snprintf(buf, JOB_VALUE_MAX, "%u.", value / one);

        for (uint32_t rest = value % one, step = one / 10; rest > 0; rest %= step, step /= 10)
                buf[n++] = (char)('0' + rest / step);
        buf[buf[n - 1] == '.' ? n - 1 : n] = 0;
}

static bool print_percent(uint32_t ppm, char buf[static JOB_VALUE_MAX]) {
        if (ppm == 0)
                return false;
        print_decimal(ppm, PPM_PER_PERCENT, buf);
        strcat(buf, "%");
        return true;
}

bool print_every(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_span(when->every_us, 0, buf);
}

bool print_mode(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->mode != JOB_MODE_FIXED_DELAY && print_text(mode_names[when->mode], buf);
}

bool print_initial_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_span(when->initial_delay_us, 0, buf);
}

bool print_jitter(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_percent(when->jitter_ppm, buf);
}

bool print_randomized_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_percent(when->random_delay_ppm, buf) || print_span(when->random_delay_us, 0, buf);
}

bool print_fixed_random_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->is_delay_fixed && print_text("yes", buf);
}

bool print_on_boot(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        if (when->on_boot_us == 0)
                return print_text("yes", buf);
        return print_span(when->on_boot_us, -1, buf);
}

bool print_on_wake(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->is_on_wake && print_text("yes", buf);
}

bool print_start_deadline(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_span(when->start_deadline_us, JOB_DEADLINE_NEXT, buf);
}

bool print_enabled(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return !when->is_enabled && print_text("no", buf);
}

bool print_log(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->log != log_default(when) && print_text(log_names[when->log], buf);
}

int job_when_print(const struct job_when *when, const char *description, char **ret_text) {
        size_t n, size = 0;
        const struct job_key *keys = job_keys(&n);
        const char *agenda = when->agenda ? agenda_text(when->agenda) : "", *days = when->days ? days_text(when->days) : "";
        const char *ties = when->ties ? when->ties->text : "";
        const char *zone = when->days && !strstr(agenda, "TimeZone=") ? days_zone(when->days) : NULL;
        size_t room = (description ? strlen(description) : 0) + strlen(agenda) + strlen(days) + strlen(ties) +
                      (zone ? strlen(zone) : 0) + 32 + n * (JOB_VALUE_MAX + 32);
        char value[JOB_VALUE_MAX], *text = malloc(room);

        if (!text)
                return -ENOMEM;
        text[0] = 0;
        if (description)
                size = (size_t)snprintf(text, room, "%s=%s\n", keys[KEY_DESCRIPTION].name, description);
        for (size_t i = 0; i < n; i++)
                if (keys[i].print && keys[i].print(when, value))
                        size += (size_t)snprintf(text + size, room - size, "%s=%s\n", keys[i].name, value);
        size += (size_t)snprintf(text + size, room - size, "%s%s%s", ties, agenda, days);
        if (zone)
                size += (size_t)snprintf(text + size, room - size, "TimeZone=%s\n", zone);
        char *fitted = realloc(text, size + 1);
        *ret_text = fitted ? fitted : text;
        return 0;
}

/* Takes one "Key=value" line over. The draft keeps the setting, whose pointers end with the caller's line. */
static int when_line(struct job_draft *d, struct job_setting *s, char *line) {
        char *equals = strchr(line, '=');

        if (!equals)
                return -EBADMSG;
        *equals = 0;
        *s = (struct job_setting){.key = line, .value = equals + 1};
        const struct job_key *keys, *key = job_key_find(line);
        size_t n;
        keys = job_keys(&n);
        if (!key || key->half != JOB_HALF_WHEN || (d->set[key - keys] && !(key->is_list && !key->print)) || !*s->value)
                return -EBADMSG;
        d->set[key - keys] = s;
        int r = key->parse(d, s);
        return r > 0 ? -EBADMSG : r;
}

/* Reads all lines of a when-text, which is cut into them. */
static int when_lines(struct job_draft *d, char *text) {
        struct job_setting settings[KEYS_N + AGENDA_LINES_MAX + DAYS_CALENDARS_MAX];
        int r = 0;

        job_when_init(&d->job->when);
        for (size_t n = 0; r == 0 && *text; n++) {
                char *end = strchr(text, '\n');
                *end = 0;
                r = n < sizeof(settings) / sizeof(settings[0]) ? when_line(d, &settings[n], text) : -EBADMSG;
                text = end + 1;
        }
        return r == 0 ? draft_finish_when(d) : r;
}

int job_when_parse(const char *text, size_t size, struct agendas *agendas, struct job_when *ret_when, char **ret_description) {
        struct job job = {};
        struct job_draft draft = {.job = &job, .agendas = agendas, .is_canonical = true};
        char buf[JOB_WHEN_TEXT_MAX + 1];

        if (size > JOB_WHEN_TEXT_MAX || memchr(text, 0, size) || (size > 0 && text[size - 1] != '\n'))
                return -EBADMSG;
        memcpy(buf, text, size);
        buf[size] = 0;
        int r = when_lines(&draft, buf);
        agenda_draft_done(&draft.agenda);
        days_draft_done(&draft.days);
        if (r != 0) {
                free(job.description);
                job_when_done(&job.when);
                mentions_done(&job.ties);
                return draft.is_zone_missing && r != -ENOMEM ? 1 : r < 0 ? r : -EBADMSG;
        }
        mentions_done(&job.ties);
        *ret_when = job.when;
        *ret_description = job.description;
        return 0;
}
