// SPDX-License-Identifier: MIT
// import_timer: a timer of systemd and the service that it starts as one job. Where all that the service says has a place in a job, the
// job runs the program; else it has systemd start the service, so that nothing of it is lost.

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/duration.h"
#include "config/exit_status.h"
#include "config/job.h"
#include "daemon/core/util.h"
#include "daemon/ctl/import.h"

#define TIMER   "Timer"
#define SERVICE "Service"

#define RESTART_FAILED   "on-failure"
#define RESTART_BURST    5 /* DefaultStartLimitBurst= and DefaultStartLimitIntervalSec= as systemd has them */
#define RESTART_INTERVAL (10 * USEC_PER_SEC)

#define HINDRANCES_MAX  4 /* keys that are named */
#define HINDRANCES_SIZE 512

char *import_timer_starts(const char *name, const struct unit_file *timer) {
        const char *unit = unit_file_get(timer, TIMER, "Unit");
        char *own;

        if (unit)
                return strdup(unit);
        return asprintf(&own, "%s.service", name) < 0 ? NULL : own;
}

/* ---- when ---- */

struct schedule {
        struct import *i;
        const struct unit_file *timer;
        bool has_calendar, is_fixed_rate;
        int64_t every_us; /* 0: no interval */
};

/* Reads a span; false: chimed can't (told). */
static bool read_span(struct schedule *s, const char *key, const char *value, int64_t *ret_us) {
        const char *why = NULL;

        if (duration_parse(value, ret_us, &why) == 0 && *ret_us < DURATION_INFINITY)
                return true;
        import_lose(s->i, "not imported: %s=%s%s%s", key, value, why ? ": " : "", why ? why : "");
        return false;
}

static void put_span(struct schedule *s, const char *key, int64_t us) {
        char text[96];

        import_key(s->i, key, "%s", duration_print(us, text));
}

static void put_calendars(struct schedule *s) {
        for (size_t k = 0; k < s->timer->n; k++) {
                const struct unit_setting *setting = &s->timer->list[k];
                struct pattern_error error = {};
                struct pattern *p = NULL;
                if (strcmp(setting->section, TIMER) != 0 || strcmp(setting->key, "OnCalendar") != 0)
                        continue;
                int r = calendar_parse(setting->value, &p, &error);
                pattern_free(p);
                if (r < 0) {
                        import_lose(s->i, "not imported: OnCalendar=%s: %s", setting->value, error.text);
                        continue;
                }
                import_words(s->i, setting->key, setting->value);
                s->has_calendar = true;
        }
}

/* An interval from the start or the end of a run. */
static void put_every(struct schedule *s, const char *key, bool is_fixed_rate) {
        const char *value = unit_file_get(s->timer, TIMER, key);
        int64_t us;

        if (!value || !read_span(s, key, value, &us))
                return;
        if (s->has_calendar || s->every_us > 0 || us < JOB_EVERY_MIN) {
                import_lose(s->i, "not imported: %s=%s: %s", key, value,
                            us < JOB_EVERY_MIN ? "that is no interval"
                                               : "a job has a calendar or one interval; write another job");
                return;
        }
        put_span(s, "Every", us);
        import_key(s->i, "Mode", "%s", is_fixed_rate ? "fixed-rate" : "fixed-delay");
        s->every_us = us;
        s->is_fixed_rate = is_fixed_rate;
}

static void put_boot(struct schedule *s) {
        static const char *const keys[] = {"OnBootSec", "OnStartupSec"};
        bool is_first = true;

        for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
                const char *value = unit_file_get(s->timer, TIMER, keys[k]);
                int64_t us;
                if (!value || !read_span(s, keys[k], value, &us))
                        continue;
                if (!is_first)
                        import_lose(s->i, "not imported: %s=%s: a job has one OnBoot=", keys[k], value);
                else if (us == 0)
                        import_key(s->i, "OnBoot", "yes");
                else
                        put_span(s, "OnBoot", us);
                is_first = false;
        }
}

static void put_active(struct schedule *s) {
        static const char key[] = "OnActiveSec";
        const char *value = unit_file_get(s->timer, TIMER, key);
        int64_t us;

        if (!value || !read_span(s, key, value, &us))
                return;
        if (s->every_us > 0)
                put_span(s, "InitialDelay", us);
        else
                import_lose(s->i, "not imported: %s=%s: a job begins with its file; see OnBoot=", key, value);
}

static void put_delay(struct schedule *s) {
        static const char key[] = "RandomizedDelaySec";
        const char *value = unit_file_get(s->timer, TIMER, key);
        int64_t us;

        if (!value || !read_span(s, key, value, &us) || us == 0)
                return;
        if (s->has_calendar || (s->is_fixed_rate && us < s->every_us)) {
                put_span(s, "RandomizedDelay", us);
                if (unit_file_is(s->timer, TIMER, "FixedRandomDelay"))
                        import_key(s->i, "FixedRandomDelay", "yes");
        } else
                import_lose(s->i, "not imported: %s=%s: %s", key, value,
                            s->is_fixed_rate ? "it is longer than the interval"
                                             : "only calendars and grids have RandomizedDelay=");
}

/* Keys of [Timer] that have no place in a job. */
static void tell_rest(struct schedule *s) {
        static const struct {
                const char *key, *text;
                bool is_switch, is_lost; /* a switch that is off says nothing */
        } rest[] = {
                {"AccuracySec", "slots are exact; RandomizedDelay= spreads them", false, false},
                {"WakeSystem", "chimed does not wake the machine", true, true},
                {"OnClockChange", "a job does not run because the clock is set", true, true},
                {"OnTimezoneChange", "a job does not run because the time zone is another one", true, true},
                {"RandomizedOffsetSec", "see RandomizedDelay=", false, true},
                {"DeferReactivation", "see Overlap=", true, false},
        };

        for (size_t k = 0; k < ARRAY_SIZE(rest); k++) {
                const char *value = unit_file_get(s->timer, TIMER, rest[k].key);
                if (!value || (rest[k].is_switch && !unit_file_is(s->timer, TIMER, rest[k].key)))
                        continue;
                if (rest[k].is_lost)
                        import_lose(s->i, "not imported: %s=%s: %s", rest[k].key, value, rest[k].text);
                else
                        import_comment(s->i, "%s=%s: %s", rest[k].key, value, rest[k].text);
        }
}

static void put_schedule(struct import *i, const struct unit_file *timer) {
        struct schedule s = {.i = i, .timer = timer};

        put_calendars(&s);
        put_every(&s, "OnUnitActiveSec", true);
        put_every(&s, "OnUnitInactiveSec", false);
        put_boot(&s);
        put_active(&s);
        if (s.has_calendar)
                import_key(i, "CatchUp", "%s", unit_file_is(timer, TIMER, "Persistent") ? "one" : "none");
        put_delay(&s);
        tell_rest(&s);
}

/* ---- what ---- */

static bool is_literal(const char *value) {
        return !strpbrk(value, "%$");
}

static bool is_any(const char *value) {
        (void)value;
        return true;
}

static bool is_limit(const char *value) {
        int64_t us;

        return duration_parse(value, &us, NULL) == 0;
}

static bool is_delay(const char *value) {
        int64_t us;

        return duration_parse(value, &us, NULL) == 0 && us < DURATION_INFINITY;
}

static bool is_type(const char *value) {
        return strcmp(value, "oneshot") == 0 || strcmp(value, "simple") == 0 || strcmp(value, "exec") == 0;
}

/* No prefixes, specifiers or variables, and no second command. */
static bool is_program(const char *value) {
        return is_literal(value) && *value == '/' && !strstr(value, " ; ");
}

static bool is_output(const char *value) {
        return is_literal(value) &&
               (strcmp(value, "journal") == 0 || strcmp(value, "null") == 0 || strncmp(value, "file:/", 6) == 0 ||
                strncmp(value, "append:/", 8) == 0 || strncmp(value, "truncate:/", 10) == 0);
}

static bool is_error_output(const char *value) {
        return is_output(value) || strcmp(value, "inherit") == 0;
}

static bool is_folder(const char *value) {
        return is_literal(value) && value[*value == '-'] != '\0' && strchr("/~", value[*value == '-']);
}

/* A path that must be there, or must not; "|" is systemd's or. */
static bool is_path_condition(const char *value) {
        return is_literal(value) && value[*value == '!'] == '/';
}

static bool are_statuses(const char *value) {
        char *rest, *word, *words = strdup(value);
        bool is_good = words != NULL;
        struct exit_status status;

        for (word = words ? strtok_r(words, " \t", &rest) : NULL; word; word = strtok_r(NULL, " \t", &rest))
                is_good = is_good && exit_status_read(word, &status);
        free(words);
        return is_good;
}

static bool is_restart(const char *value) {
        return strcmp(value, "no") == 0 || strcmp(value, RESTART_FAILED) == 0;
}

/* What of a service has a place in a job. */
static const struct part {
        const char *section, *key;
        bool (*is_carried)(const char *value);
        const char *job_key; /* NULL: it needs none */
        bool is_list, is_span;
} parts[] = {
        {SERVICE, "ExecStart", is_program, "Command", false, false},
        {SERVICE, "User", is_literal, "User", false, false},
        {SERVICE, "Group", is_literal, "Group", false, false},
        {SERVICE, "WorkingDirectory", is_folder, "WorkingDirectory", false, false},
        {SERVICE, "Environment", is_literal, "Environment", true, false},
        {SERVICE, "EnvironmentFile", is_folder, "EnvironmentFile", true, false},
        {SERVICE, "StandardOutput", is_output, "StandardOutput", false, false},
        {SERVICE, "StandardError", is_error_output, "StandardError", false, false},
        {SERVICE, "TimeoutStartSec", is_limit, "Timeout", false, true},
        {SERVICE, "RuntimeMaxSec", is_limit, "Timeout", false, true},
        {SERVICE, "TimeoutStopSec", is_limit, "KillGrace", false, true},
        {SERVICE, "KillSignal", is_literal, "KillSignal", false, false},
        {SERVICE, "SuccessExitStatus", are_statuses, "SuccessExitStatus", true, false},
        {SERVICE, "Restart", is_restart, NULL, false, false},
        {SERVICE, "RestartSec", is_delay, NULL, false, false},
        {SERVICE, "Type", is_type, NULL, false, false},
        {SERVICE, "SyslogIdentifier", is_any, NULL, false, false},
        {"Unit", "Description", is_any, NULL, false, false},
        {"Unit", "Documentation", is_any, NULL, false, false},
        {"Unit", "After", is_any, NULL, false, false},
        {"Unit", "Before", is_any, NULL, false, false},
        {"Unit", "Wants", is_any, NULL, false, false},
        {"Unit", "ConditionPathExists", is_path_condition, "ConditionPathExists", true, false},
};

static const struct part *find_part(const struct unit_setting *s) {
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (strcmp(parts[i].section, s->section) == 0 && strcmp(parts[i].key, s->key) == 0)
                        return &parts[i];
        return NULL;
}

static bool is_oneshot(const struct unit_file *service) {
        const char *type = unit_file_get(service, SERVICE, "Type");

        return type && strcmp(type, "oneshot") == 0;
}

/* Whether a setting keeps the service from being a job. Where a run is not the start, some signals are no failures. */
static bool is_hindrance(const struct unit_file *service, const struct unit_setting *s) {
        const struct part *part = find_part(s);

        if (part && part->is_carried == is_restart && strcmp(s->value, RESTART_FAILED) == 0 && !is_oneshot(service))
                return true;
        return strcmp(s->section, "Install") != 0 && !(part && part->is_carried(s->value));
}

/* The keys that keep the service from being a job; empty: none do. */
static void find_hindrances(const struct unit_file *service, char ret[static HINDRANCES_SIZE]) {
        size_t n = 0, size = 0;

        ret[0] = '\0';
        if (unit_file_count(service, SERVICE, "ExecStart") != 1)
                size += (size_t)snprintf(ret, HINDRANCES_SIZE, "not one ExecStart=");
        for (size_t k = 0; k < service->n; k++) {
                const char *key = service->list[k].key;
                if (!is_hindrance(service, &service->list[k]) || strstr(ret, key))
                        continue;
                if (n++ < HINDRANCES_MAX && size + strlen(key) + 40 < HINDRANCES_SIZE)
                        size += (size_t)snprintf(ret + size, HINDRANCES_SIZE - size, "%s%s=", size > 0 ? ", " : "", key);
        }
        if (n > HINDRANCES_MAX)
                snprintf(ret + size, HINDRANCES_SIZE - size, " and others");
}

/* A time limit; 0 is none, as is infinity. That of a start is one of the run where the run is the start; else RuntimeMaxSec= is. */
static void put_limit(struct import *i, const struct part *part, const struct unit_file *service, const char *value) {
        char text[96];
        int64_t us;

        if (strcmp(part->key, is_oneshot(service) ? "RuntimeMaxSec" : "TimeoutStartSec") == 0)
                return;
        if (duration_parse(value, &us, NULL) == 0 && us > 0 && us < DURATION_INFINITY)
                import_key(i, part->job_key, "%s", duration_print(us, text));
}

/* systemd starts a service that has failed until it succeeds, but 5 times within 10 s at most. */
static void put_retries(struct import *i, const struct unit_file *service) {
        const char *restart = unit_file_get(service, SERVICE, "Restart"),
                   *delay = unit_file_get(service, SERVICE, "RestartSec");
        int64_t us = 100 * USEC_PER_MSEC;
        char text[96];

        if (!restart || strcmp(restart, RESTART_FAILED) != 0)
                return;
        if (delay)
                (void)duration_parse(delay, &us, NULL); /* it can be read: else systemd would start the service */
        import_key(i, "Retries", "%d", us * RESTART_BURST < RESTART_INTERVAL ? RESTART_BURST - 1 : JOB_RETRIES_MAX);
        import_key(i, "RetryDelay", "%s", duration_print(us, text));
}

static void put_program(struct import *i, const struct unit_file *service) {
        for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
                const struct part *part = &parts[p];
                for (size_t k = 0; part->is_list && k < service->n; k++)
                        if (find_part(&service->list[k]) == part)
                                import_key(i, part->job_key, "%s", service->list[k].value);
                const char *value = unit_file_get(service, part->section, part->key);
                if (part->is_list || !part->job_key || !value)
                        continue;
                if (part->is_span)
                        put_limit(i, part, service, value);
                else
                        import_key(i, part->job_key, "%s", value);
        }
        put_retries(i, service);
        if (unit_file_get(service, SERVICE, "User") && !unit_file_get(service, SERVICE, "WorkingDirectory"))
                import_key(i, "WorkingDirectory", "/");
}

static void put_command(struct import *i, const char *unit, const struct unit_file *service) {
        char hindrances[HINDRANCES_SIZE] = "";

        if (service)
                find_hindrances(service, hindrances);
        if (service && !*hindrances) {
                put_program(i, service);
                return;
        }
        if (service)
                import_comment(i, "systemd starts it as before, since a job has no place for all of it:\n%s", hindrances);
        else
                import_comment(i, "systemd starts it as before: what %s does is not known here", unit);
        if (job_unit_is_service(unit))
                import_key(i, "Unit", "%s", unit);
        else
                import_key(i, "Command", "systemctl start --wait -- %s", unit);
}

static void print_head(struct import *i) {
        import_comment(i, "Imported by chimectl from timers of systemd.\n\n"
                          "What is otherwise than with systemd: a fixed time that the clock skips runs\n"
                          "right after (Gap=skip is systemd's way), and what repeats goes on in an hour\n"
                          "that comes twice.");
        import_gap(i);
}

void import_timer(struct import *i, const char *name, const struct unit_file *timer, const struct unit_file *service) {
        _cleanup_free_ char *unit = import_timer_starts(name, timer);
        const char *description = service ? unit_file_get(service, "Unit", "Description") : NULL;

        if (!unit) {
                i->has_failed = true;
                return;
        }
        if (i->size == 0)
                print_head(i);
        if (*name && name[strlen(name) - 1] == '@') {
                import_lose(i, "not imported: %s.timer: it is a template; give one that is made of it", name);
                import_gap(i);
                return;
        }
        import_comment(i, "From %s.timer. Turn that off:\nsystemctl disable --now %s.timer", name, name);
        import_section(i, name);
        if (!description)
                description = unit_file_get(timer, "Unit", "Description");
        if (description && is_literal(description))
                import_key(i, "Description", "%s", description);
        put_schedule(i, timer);
        put_command(i, unit, service);
        import_end(i);
}
