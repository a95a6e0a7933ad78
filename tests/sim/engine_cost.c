// SPDX-License-Identifier: MIT
// engine_cost: what a slot costs in the engine alone (due, started, ended, next), and what a job costs in its tables.
// Usage: engine_cost [JOBS [SLOTS [MAXRUNNING]]]. Run under callgrind for instructions. With a limit, 0 for none, all slots come in one
// second of each minute, and no run ends before all have started that may.

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/scheduler/engine.h"

static int64_t cpu_ns(void) {
        struct timespec ts;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
        return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Ends each run as it starts. Returns how many there were. */
static uint64_t take(struct engine *e, struct clock_sample now) {
        const struct action *a;
        uint64_t n = 0;
        while ((a = engine_next_action(e))) {
                if (a->kind != ACTION_START)
                        continue;
                uint64_t run = a->start.run;
                struct wire_started started = {.run = run, .start_bt_us = now.bt_us, .start_rt_us = now.rt_us};
                struct wire_ended ended = {.run = run, .end = {.result = RUN_RESULT_SUCCESS, .end_bt_us = now.bt_us}};
                engine_started(e, now, &started);
                engine_ended(e, now, &ended);
                n++;
        }
        return n;
}

/* Starts what may start, then ends it, until nothing is left. Returns how many runs there were. */
static uint64_t take_burst(struct engine *e, struct clock_sample now, uint64_t *runs) {
        const struct action *a;
        uint64_t n = 0, ended = 0;
        do {
                while (engine_advance(e, now) > 0)
                        ;
                while ((a = engine_next_action(e)))
                        if (a->kind == ACTION_START)
                                runs[n++] = a->start.run;
                for (uint64_t until = n; ended < until; ended++) {
                        struct wire_ended end = {.run = runs[ended],
                                                 .end = {.result = RUN_RESULT_SUCCESS, .end_bt_us = now.bt_us}};
                        engine_ended(e, now, &end);
                }
                while (engine_advance(e, now) > 0)
                        ;
                while ((a = engine_next_action(e)))
                        if (a->kind == ACTION_START)
                                runs[n++] = a->start.run;
        } while (ended < n);
        return n;
}

static void define(struct engine *e, int64_t jobs, int64_t max_running, struct clock_sample now) {
        for (int64_t i = 0; i < jobs; i++) {
                char name[32];
                struct job_when when;
                snprintf(name, sizeof(name), "job-%" PRId64, i);
                job_when_init(&when);
                when.mode = JOB_MODE_FIXED_RATE;
                when.catch_up = JOB_CATCH_UP_NONE;
                when.every_us = max_running < 0 ? 50 * USEC_PER_MSEC : USEC_PER_MINUTE;
                when.initial_delay_us = i % (max_running < 0 ? 50 : 1000) * USEC_PER_MSEC;
                struct wire_define d = {.name = name, .since_rt_us = now.rt_us, .since_bt_us = now.bt_us};
                if (engine_define(e, &d, &when, NULL) < 0)
                        abort();
        }
        engine_set_max_running(e, max_running > 0 ? (uint32_t)max_running : 0);
        if (engine_commit(e, now, &(struct wire_commit){.generation = 1}) < 0)
                abort();
}

int main(int argc, char **argv) {
        int64_t jobs = argc > 1 ? atoll(argv[1]) : 10000;
        uint64_t slots = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, n = 0;
        int64_t max_running = argc > 3 ? atoll(argv[3]) : -1;
        uint64_t *runs = calloc((size_t)jobs + 1, sizeof(*runs));
        struct clock_sample now = {.rt_us = INT64_C(1774000000000000), .bt_us = 1000000};
        struct wire_hello hello = {.next_run = 1};
        struct engine *e;
        if (jobs <= 0 || !runs || engine_new(&hello, &e) < 0)
                return 2;
        size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
        int64_t t0 = cpu_ns();
        define(e, jobs, max_running, now);
        while (engine_next_action(e))
                ;
        int64_t t1 = cpu_ns();
        size_t idle = mallinfo2().uordblks + mallinfo2().hblkhd - before;
        while (n < slots) {
                int64_t bt_us, rt_us;
                engine_next_wake(e, &bt_us, &rt_us);
                now.rt_us += bt_us - now.bt_us;
                now.bt_us = bt_us;
                if (max_running >= 0) {
                        now.rt_us += USEC_PER_SEC;
                        now.bt_us += USEC_PER_SEC; /* all of the minute are due */
                        n += take_burst(e, now, runs);
                        continue;
                }
                while (engine_advance(e, now) > 0)
                        n += take(e, now);
                n += take(e, now);
        }
        int64_t t2 = cpu_ns();
        printf("%" PRId64 " jobs: %.0f ns and %.0f bytes a job to define; %" PRIu64 " slots: %.0f ns a slot\n", jobs,
               (double)(t1 - t0) / (double)jobs, (double)idle / (double)jobs, n, (double)(t2 - t1) / (double)n);
        engine_free(e);
        free(runs);
        return 0;
}
