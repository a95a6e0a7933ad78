// SPDX-License-Identifier: MIT
// job_unit: the key that names a systemd unit to be started, the names of units, and what systemd may have against one.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/job_draft.h"

#define UNIT_NAME_MAX 255
#define SERVICE       ".service"

bool job_unit_name_is_valid(const char *name) {
        static const char of_units[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";

        return *name && *name != '-' && strlen(name) <= UNIT_NAME_MAX && name[strspn(name, of_units)] == 0;
}

static bool is_template(const char *name) {
        const char *at = strchr(name, '@');

        return at && strcmp(at + 1, SERVICE) == 0;
}

bool job_unit_is_service(const char *name) {
        size_t size = strlen(name), end = strlen(SERVICE);

        return job_unit_name_is_valid(name) && size > end && *name != '@' && strcmp(name + size - end, SERVICE) == 0 &&
               !is_template(name);
}

/* ".timer"; NULL for a service, also where that is not written. */
static const char *other_type(const char *name) {
        static const char *const types[] = {".automount", ".device", ".mount", ".path",   ".scope",
                                            ".slice",     ".socket", ".swap",  ".target", ".timer"};
        const char *dot = strrchr(name, '.');

        for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
                if (strcmp(dot, types[i]) == 0)
                        return types[i];
        return NULL;
}

int parse_unit(struct job_draft *d, const struct job_setting *s) {
        const char *type = other_type(s->value), *dot = strrchr(s->value, '.');
        bool is_whole = dot && strcmp(dot, SERVICE) == 0;
        char name[UNIT_NAME_MAX + sizeof(SERVICE)];

        if (!job_unit_name_is_valid(s->value))
                return draft_error(d, s, 0, "\"%.60s\" is no name of a systemd unit", s->value);
        if (type)
                return draft_error(d, s, (size_t)(dot - s->value), "%.100s: only services are started here, not a %s%s",
                                   s->value, type + 1, strcmp(type, ".timer") == 0 ? "; write the service that it starts" : "");
        snprintf(name, sizeof(name), "%s%s", s->value, is_whole ? "" : SERVICE);
        if (is_template(name))
                return draft_error(d, s, 0, "%.100s is a template; write an instance of it, NAME@INSTANCE", s->value);
        if (!job_unit_is_service(name))
                return draft_error(d, s, 0, "\"%.60s\" is no name of a systemd service", s->value);
        return strv_of(strdup(name), &d->command);
}

static const struct {
        const char *load_state; /* NULL: of a run only */
        int error;
        const char *words;
} rows[] = {
        {"not-found", ENOENT, "there is no such unit"},
        {"masked", ERFKILL, "the unit is masked"},
        {"bad-setting", ENOEXEC, "the unit's file has errors"},
        {"error", EBADMSG, "the unit's file can't be read"},
        {NULL, EHOSTDOWN, "systemd does not run here, or does not answer"},
        {NULL, EALREADY, "RemainAfterExit=yes: such a unit does not end, and starts but once"},
        {NULL, EBUSY, "it was started too often (StartLimitBurst=)"},
        {NULL, EPROTO, "an assertion of the unit does not hold"},
        {NULL, EIO, "systemd lacked resources for it"},
        {NULL, ECANCELED, "systemd did not start it; the run's output says why"},
};

int job_unit_load_error(const char *load_state) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (rows[i].load_state && strcmp(rows[i].load_state, load_state) == 0)
                        return rows[i].error;
        return 0;
}

const char *job_unit_error_to_string(int error) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (rows[i].error == error)
                        return rows[i].words;
        return NULL;
}
