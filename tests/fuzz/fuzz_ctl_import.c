// SPDX-License-Identifier: MIT
// Fuzzes the import of crontabs and timers: whatever comes of them is well-formed, each job has a valid name of its own, and each time is
// one that chimed reads. The first byte says what the rest is.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/cron.h"
#include "config/ini.h"
#include "daemon/ctl/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
        if (!is_true)
                abort();
}

struct seen {
        const struct import *i;
        size_t n;
};

static void see_section(void *userdata, unsigned line, const char *kind, const char *name) {
        struct seen *seen = userdata;

        (void)line;
        check(strcmp(kind, "job") == 0 && seen->n < seen->i->n && strcmp(name, seen->i->jobs[seen->n].name) == 0);
        seen->n++;
}

static void see_key(void *userdata, unsigned line, unsigned column, const char *key, const char *value) {
        struct pattern_error error;
        struct pattern *p = NULL;

        (void)userdata;
        (void)line;
        (void)column;
        if (strcmp(key, "Cron") == 0)
                check(cron_parse(value, false, &p, &error) == 0);
        else if (strcmp(key, "OnCalendar") == 0)
                check(calendar_parse(value, &p, &error) == 0);
        pattern_free(p);
}

static void see_broken(void *userdata, unsigned line) {
        (void)userdata;
        (void)line;
        abort();
}

static bool is_account(const char *name) {
        return *name == 'r';
}

static bool is_program(const char *name) {
        return *name == 't';
}

static void import_text(struct import *i, char kind, const char *text) {
        struct import_crontab how = {.origin = "x", .has_users = kind & 1};
        struct unit_file unit;

        if (kind & 2) {
                how.has_users = import_crontab_find_users(text, is_account, is_program) == IMPORT_USERS_ALL;
                import_crontab(i, text, &how);
        } else if (kind & 4) {
                import_crontab(i, text, &how);
        } else if (import_is_clean(text)) {
                check(unit_file_parse(text, &unit) == 0);
                import_timer(i, "x", &unit, kind & 1 ? &unit : NULL);
                unit_file_done(&unit);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const struct ini_events events = {"[h]", see_section, see_key, see_broken};
        struct diags diags = {};
        struct import i;

        if (size == 0)
                return 0;
        char *text = strndup((const char *)data + 1, size - 1);
        check(text && import_begin(&i) == 0);
        import_text(&i, (char)data[0], text);
        check(import_finish(&i) == 0);
        struct seen seen = {.i = &i};
        check(ini_parse_text("x", i.text, i.size, &events, &seen, &diags) == 0);
        check(diags.n_errors == 0 && seen.n == i.n);
        diags_done(&diags);
        import_done(&i);
        free(text);
        return 0;
}
