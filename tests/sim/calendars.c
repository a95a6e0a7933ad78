// SPDX-License-Identifier: MIT

#include "tests/sim/calendars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX      128
#define TIES_KEPT_MAX 8192

static struct zones zones;
struct agendas sim_agendas = {.find_zone = zones_find_for_agendas, .userdata = &zones};
static const struct agenda *kept[KEPT_MAX];
static size_t n_kept;

static const struct agenda *keep(const struct agenda *agenda) {
        for (size_t i = 0; i < n_kept; i++)
                if (kept[i] == agenda)
                        return agenda_unref(agenda), kept[i];
        if (n_kept == KEPT_MAX)
                abort();
        return kept[n_kept++] = agenda;
}

struct job_when sim_when(const char *text) {
        struct job_when when;
        char *description = NULL;
        if (job_when_parse(text, strlen(text), &sim_agendas, &when, &description) != 0) {
                fprintf(stderr, "no policy: %s", text);
                abort();
        }
        if (when.agenda)
                when.agenda = keep(when.agenda);
        return when;
}

void sim_tie(struct job_when *when, const char *line) {
        static const struct ties *kept_ties[TIES_KEPT_MAX];
        static size_t n;
        char text[600];
        snprintf(text, sizeof(text), "%s%s", when->ties ? when->ties->text : "", line);
        const struct ties *ties = sim_when(text).ties;
        when->ties = ties;
        for (size_t i = 0; i < n; i++)
                if (kept_ties[i] == ties) {
                        ties_unref(ties);
                        return;
                }
        if (n == TIES_KEPT_MAX)
                abort();
        kept_ties[n++] = ties;
}

void sim_join(struct job_when *when, const char *groups) {
        char text[200];
        snprintf(text, sizeof(text), "MemberOf=%s\n", groups);
        sim_tie(when, text);
}
