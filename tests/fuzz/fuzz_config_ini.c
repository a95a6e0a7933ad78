// SPDX-License-Identifier: MIT
// Fuzzes job files in memory: sections to jobs. Each diagnostic has a line of the text, values are what stands there, and every
// job that is built goes through both of its forms unchanged.

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/ini.h"
#include "config/job.h"

#define SETTINGS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
        struct diags diags;
        struct job_setting settings[SETTINGS_MAX];
        size_t n;
        unsigned line;
        unsigned last_line; /* of the text */
};

static void check(bool is_true) {
        if (!is_true)
                abort();
}

/* No name and UTC are zones: what is read from files is fuzzed elsewhere. */
static int find_zone(void *userdata, const char *name, struct zone **ret, char why[static ZONE_WHY_MAX]) {
        (void)userdata;
        if (!name || strcmp(name, "UTC") == 0)
                return zone_open(NULL, "UTC", ret);
        why[0] = 0;
        return 1;
}

static struct agendas agendas = {.find_zone = find_zone};

static void check_forms(struct job *job, struct diags *diags) {
        char *text, *description;
        struct job_when when;
        struct job_what what;
        struct pack p = {}, again = {};

        if (job_seal(job, diags) != 0)
                return;
        check(job_when_print(&job->when, job->description, &text) == 0);
        check(job_when_parse(text, strlen(text), &agendas, &when, &description) == 0);
        check(memcmp(&when, &job->when, sizeof(when)) == 0);
        job_when_done(&when);
        check((description == NULL) == (job->description == NULL) &&
              (!description || strcmp(description, job->description) == 0));
        free(text);
        free(description);
        job_what_encode(&job->what, &p);
        check(job_what_decode(p.data, p.size, &what) == 0);
        job_what_encode(&what, &again);
        check(again.size == p.size && memcmp(again.data, p.data, p.size) == 0);
        job_what_done(&what);
        pack_done(&p);
        pack_done(&again);
}

static void flush(struct reading *r) {
        struct job *job = NULL;

        if (r->n > 0 && job_build("j", "f", r->line, r->settings, r->n, &agendas, &r->diags, &job) == 0)
                check_forms(job, &r->diags);
        job_free(job);
        for (size_t i = 0; i < r->n; i++) {
                free((char *)r->settings[i].key);
                free((char *)r->settings[i].value);
        }
        r->n = 0;
}

static void on_section(void *userdata, unsigned line, const char *kind, const char *name) {
        struct reading *r = userdata;
        const char *why;

        flush(r);
        check(line >= 1 && line <= r->last_line && strlen(kind) + strlen(name) < INI_LINE_MAX);
        job_name_is_valid(name, &why);
        r->line = line;
}

static void on_key(void *userdata, unsigned line, unsigned column, const char *key, const char *value) {
        struct reading *r = userdata;

        check(line >= 1 && line <= r->last_line && column >= 1 && r->line > 0);
        if (r->n < SETTINGS_MAX)
                r->settings[r->n++] = (struct job_setting){
                        .key = strdup(key), .value = strdup(value), .file = "f", .line = line, .column = column};
}

static void on_broken(void *userdata, unsigned line) {
        struct reading *r = userdata;
        check(line >= 1 && line <= r->last_line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const struct ini_events events = {.header = "[h]", .section = on_section, .key = on_key, .broken = on_broken};
        struct reading r = {.last_line = 1};

        for (size_t i = 0; i < size; i++)
                r.last_line += data[i] == '\n';
        check(ini_parse_text("f", (const char *)data, size, &events, &r, &r.diags) == 0);
        flush(&r);
        check(!r.diags.out_of_memory);
        for (size_t i = 0; i < r.diags.n; i++)
                check(r.diags.list[i].line >= 1 && r.diags.list[i].line <= r.last_line && !strchr(r.diags.list[i].text, '\n'));
        diags_done(&r.diags);
        return 0;
}
