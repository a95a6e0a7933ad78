// SPDX-License-Identifier: MIT
// myplugin: counts down, one value a tick, and takes its time for each. A frame to begin a plugin of your own with.

#include <stdlib.h>

#include <chimed/plugin.h>

/* What can be set in the job as Option.NAME=. The host checks values by this table before load() is called. */
static const struct chimed_option options[] = {
        {.name = "from",
         .type = CHIMED_INTEGER,
         .min = 1,
         .max = 1000000,
         .default_value = "10",
         .help = "Where the count begins."},
        {.name = "delay", .type = CHIMED_DURATION, .default_value = "0", .help = "How long a tick takes."},
};

/* What belongs to one job. */
struct countdown {
        int64_t left;
        int64_t delay_us;
        struct chimed_timer *timer;
        uint64_t run; /* under way; 0: none */
};

static int yield(struct chimed_job *job, uint64_t run, struct countdown *c) {
        chimed_value_printf(job, run, "%lld", (long long)c->left);
        return c->left-- > 0 ? CHIMED_SUCCESS : CHIMED_FINISHED; /* finished: the job gets no more ticks */
}

/* The delay is over: answer the tick. */
static void on_time(struct chimed_job *job, void *userdata) {
        struct countdown *c = userdata;
        uint64_t run = c->run;

        c->run = 0;
        if (run)
                chimed_answer(job, run, (enum chimed_result)yield(job, run, c));
}

static int countdown_load(struct chimed_job *job, void **ret_data) {
        struct countdown *c = calloc(1, sizeof(*c));

        if (!c || chimed_timer_add(job, on_time, c, &c->timer) < 0) {
                free(c);
                return chimed_fail(job, 0, "no memory");
        }
        c->left = chimed_option_integer(job, "from");
        c->delay_us = chimed_option_integer(job, "delay");
        *ret_data = c;
        return 0;
}

/* Returns at once; what takes long waits in the host's loop. */
static int countdown_tick(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        struct countdown *c = data;

        if (c->delay_us == 0)
                return yield(job, tick->run, c);
        if (chimed_timer_set(c->timer, chimed_now() + c->delay_us) < 0)
                return chimed_fail(job, tick->run, "the timer could not be set");
        c->run = tick->run;
        return CHIMED_LATER;
}

/* The time of a tick is over, or somebody cancelled it. */
static void countdown_cancel(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        struct countdown *c = data;

        if (c->run != tick->run)
                return;
        c->run = 0;
        chimed_timer_set(c->timer, CHIMED_NEVER);
        chimed_answer(job, tick->run, CHIMED_FAILED);
}

static void countdown_unload(struct chimed_job *job, void *data) {
        struct countdown *c = data;

        (void)job;
        chimed_timer_free(c->timer);
        free(c);
}

/* The one symbol that the host looks for. */
const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .n_options = sizeof(options) / sizeof(*options),
        .name = "myplugin",
        .description = "Counts down, one value a tick.",
        .options = options,
        .load = countdown_load,
        .tick = countdown_tick,
        .cancel = countdown_cancel,
        .unload = countdown_unload,
};
