// SPDX-License-Identifier: MIT
// simulate: an engine to which the definitions are new.

#include "daemon/simulator/simulate.h"

#include "daemon/scheduler/machine.h"

#define UPTIME_US (365 * USEC_PER_DAY) /* of the machine when the period begins */

static int define(struct engine *e, const struct config *config, struct clock_sample now) {
        struct wire_commit commit = {.generation = 1, .n_jobs = (uint32_t)config->n_jobs, .time_sync_wait_us = 0};

        for (size_t i = 0; i < config->n_jobs; i++) {
                const struct job *job = config->jobs[i];
                struct wire_define d = {
                        .hash = job->hash, .name = job->name, .since_rt_us = now.rt_us, .since_bt_us = now.bt_us};
                int r = engine_define(e, &d, &job->when, job->description);
                if (r < 0)
                        return r;
        }
        return engine_commit(e, now, &commit);
}

/* Jobs are numbered in the order of their definitions. */
static int add_all(struct simulation *s, const struct config *config, const struct simulate_wish *wish) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < config->n_jobs; i++) {
                const struct job *job = config->jobs[i];
                r = simulation_add(s, (uint32_t)i, wish->took(wish->userdata, job->name), job->what.timeout_us);
        }
        return r;
}

int simulate(const struct config *config, const struct simulate_wish *wish) {
        struct clock_sample now = {.rt_us = wish->from_us, .bt_us = UPTIME_US};
        struct wire_hello hello = {.next_run = 1, .is_synchronised = true};
        struct engine *engine = NULL;
        struct simulation *s = NULL;
        int r = engine_new(&hello, &engine);

        if (r == 0) {
                uint8_t machine[16];
                machine_key(machine);
                engine_set_machine(engine, machine);
                r = define(engine, config, now);
        }
        if (r < 0) {
                engine_free(engine);
                return r;
        }
        r = simulation_new(engine, now, wish->to_us, wish->row, wish->userdata, &s);
        if (r == 0)
                r = add_all(s, config, wish);
        if (r == 0)
                do
                        r = simulation_step(s);
                while (r == 1);
        simulation_free(s);
        return r;
}
