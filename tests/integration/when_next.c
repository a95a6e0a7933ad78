// SPDX-License-Identifier: MIT
// when_next: the answers of calendars and crons, for the comparison with others: questions on standard input, a line each.
//
//   KIND ZONE AFTER_US N TEXT    KIND is calendar, cron or cron-and; the answer has the N next instants
//   -> TEXT | fixed or free | US[!NOTE] ...     the canonical text; NOTE: "second" pass of a fold, end of a "gap"
//   -> error | COLUMN | TEXT

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/cron.h"
#include "config/wall.h"

#define USEC_PER_SEC INT64_C(1000000)

static struct zone *zone;
static char zone_known[256];

static int zone_take(const char *name) {
        if (zone && strcmp(zone_known, name) == 0)
                return 0;
        zone = zone_unref(zone);
        snprintf(zone_known, sizeof(zone_known), "%s", name);
        return zone_open(NULL, name, &zone);
}

static const char *note_of(const struct pattern *p, int64_t at_us) {
        int64_t utc_s = at_us / USEC_PER_SEC, offset_s = zone_offset(zone, utc_s, NULL, NULL);
        int64_t civil_us = at_us + offset_s * USEC_PER_SEC;
        struct zone_instants shown = zone_resolve(zone, utc_s + offset_s);

        if (pattern_next_civil(p, civil_us) != civil_us)
                return "!gap";
        return shown.n == 2 && shown.utc_s[1] == utc_s ? "!second" : "";
}

static void answer(const struct pattern *p, int64_t at_us, int n) {
        struct wall wall = {.zone = zone, .gap = WALL_GAP_RUN_AFTER, .fold = WALL_FOLD_FIRST};

        printf("%s | %s |", p->text, p->is_fixed ? "fixed" : "free");
        for (; n > 0; n--) {
                at_us = wall_next_of_pattern(&wall, p, at_us);
                if (at_us == PATTERN_NEVER)
                        break;
                printf(" %lld%s", (long long)at_us, note_of(p, at_us));
        }
        printf("\n");
}

int main(void) {
        char line[4096], kind[16], name[256];
        long long after_us;
        int n, offset;

        while (fgets(line, sizeof(line), stdin)) {
                struct pattern *p = NULL;
                struct pattern_error error;
                line[strcspn(line, "\n")] = 0;
                if (sscanf(line, "%15s %255s %lld %d %n", kind, name, &after_us, &n, &offset) != 4) {
                        fprintf(stderr, "when_next: not understood: %s\n", line);
                        return 2;
                }
                const char *text = line + offset;
                int e = strcmp(kind, "calendar") == 0 ? calendar_parse(text, &p, &error)
                                                      : cron_parse(text, strcmp(kind, "cron-and") == 0, &p, &error);
                if (e < 0)
                        printf("error | %zu | %s\n", error.at, error.text);
                else if (zone_take(p->zone ? p->zone : name) < 0)
                        printf("error | 0 | no zone %s\n", zone_known);
                else
                        answer(p, after_us, n);
                p = pattern_free(p);
        }
        zone_unref(zone);
        return 0;
}
