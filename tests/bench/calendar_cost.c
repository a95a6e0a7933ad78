// SPDX-License-Identifier: MIT
// calendar_cost: what it costs to ask an expression for its next time.
//
//   calendar_cost N              ns of the dearest ordinary expression, ns of the dearest rare one; a mean of N questions each
//   calendar_cost N --each       a line for each expression

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/calendar.h"
#include "config/cron.h"
#include "config/wall.h"

#define YEAR_2026_US INT64_C(1767225600000000)
#define RANGE_US     (INT64_C(86400000000) * 365 * 20) /* from which instants are asked */
#define ROUNDS       9

static const char place[] = "America/New_York";

static const struct {
        const char *text;
        bool is_cron, is_rare;
} expressions[] = {
        {"*-*-* 02:30", false, false},
        {"Mon..Fri 09:00", false, false},
        {"*:0/15", false, false},
        {"minutely", false, false},
        {"weekly", false, false},
        {"monthly", false, false},
        {"yearly", false, false},
        {"Sat *-*-1..7 04:00", false, false},
        {"*-*~1 23:59:59", false, false},
        {"*:*:0/0.25", false, false},
        {"*/5 * * * *", true, false},
        {"0 3 * * 1-5", true, false},
        {"30 4 1,15 * 5", true, false},
        {"0 12 LW * *", true, false},
        {"0 12 * * 5#2", true, false},
        /* rare, or with much that is in vain */
        {"*-02-29", false, true},
        {"Mon *-02-29 02:30", false, true},
        {"Mon *-02-29 02:0/30", false, true},
        {"Mon *-*~28/1,7 12:00", false, true},
        {"2199-12-31 23:59:59", false, true},
        {"2020-*-* 00:00", false, true},
        {"Sun *-03-8..14 02:0/30", false, true}, /* New York's gap: never */
        {"Sun *-03-8..14 02:30:*", false, true},
        {"0 0 29W 2 5#5", true, true}, /* with CronDays=and */
        {"0 0 29 2 1L", true, true},
        {"0 0 LW,31W,30W,29W,28W,1W 2 1#1,1L,2#5", true, true},
        {"*:*:0/59.999999,1/58.999999,2/57.999999,3/56.999999,4/55.999999,5/54.999999,6/53.999999,7/52.999999,8/51.999999,9/"
         "50.999999",
         false, true},
};

static int64_t now_ns(void) {
        struct timespec t;
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The least of some rounds: what others do on the machine is not the expression's. */
static int64_t cost_ns(const struct wall *w, const struct pattern *p, int n) {
        int64_t least = INT64_MAX, sum = 0;

        for (int round = 0; round < ROUNDS; round++) {
                int64_t began = now_ns();
                for (int i = 0; i < n; i++)
                        sum += wall_next_of_pattern(w, p, YEAR_2026_US + RANGE_US / n * i) >> 60;
                int64_t took = (now_ns() - began) / n;
                least = took < least ? took : least;
        }
        return sum == -1 ? -1 : least; /* the sum is used, so the calls stay */
}

int main(int argc, char **argv) {
        int n = argc > 1 ? atoi(argv[1]) : 0;
        bool is_each = argc > 2 && strcmp(argv[2], "--each") == 0;
        struct wall w = {.gap = WALL_GAP_RUN_AFTER, .fold = WALL_FOLD_FIRST};
        struct zone *z = NULL;
        int64_t dearest[2] = {0, 0};

        if (n < 1 || zone_open(NULL, place, &z) < 0) {
                fprintf(stderr, "usage: calendar_cost N [--each]; needs the zone %s\n", place);
                return 2;
        }
        w.zone = z;
        for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
                struct pattern *p = NULL;
                struct pattern_error error;
                int e = expressions[i].is_cron ? cron_parse(expressions[i].text, expressions[i].is_rare, &p, &error)
                                               : calendar_parse(expressions[i].text, &p, &error);
                if (e < 0) {
                        fprintf(stderr, "calendar_cost: %s: %s\n", expressions[i].text, error.text);
                        return 1;
                }
                int64_t ns = cost_ns(&w, p, n);
                if (is_each)
                        printf("%6lld %s\n", (long long)ns, expressions[i].text);
                if (ns > dearest[expressions[i].is_rare])
                        dearest[expressions[i].is_rare] = ns;
                pattern_free(p);
        }
        if (!is_each)
                printf("%lld %lld\n", (long long)dearest[0], (long long)dearest[1]);
        zone_unref(z);
        return 0;
}
