// SPDX-License-Identifier: MIT
// fake_host: the functions of daemon/plugin.h for one plugin that is linked into the test, with a loop of its own.

#include "tests/unit/plugins/fake_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "config/plugin_option.h"

#define SOURCES_MAX 64

struct chimed_watch {
        int fd;
        chimed_watch_fn fn;
        void *userdata;
};

struct chimed_timer {
        int64_t at_us;
        chimed_timer_fn fn;
        void *userdata;
};

struct chimed_job {
        void *data;
        const struct fake_option *options;
        struct fake_run run;
        struct chimed_tick tick;
};

static struct chimed_job job;
static struct chimed_watch *watches[SOURCES_MAX];
static struct chimed_timer *timers[SOURCES_MAX];
static int epoll_fd = -1;

int64_t chimed_now(void) {
        struct timespec t;

        clock_gettime(CLOCK_BOOTTIME, &t);
        return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* ---- options ---- */

static const struct chimed_option *find_option(const char *name) {
        for (uint32_t i = 0; i < chimed_plugin.n_options; i++)
                if (strcmp(chimed_plugin.options[i].name, name) == 0)
                        return &chimed_plugin.options[i];
        fprintf(stderr, "no option %s\n", name);
        abort();
}

/* Whether a text is a value of it, by the same rules as the real host's. */
static int parse_option(const struct chimed_option *option, const char *text, int64_t *ret) {
        char choices[256] = "", why[160];
        struct plugin_option o = {
                .name = option->name,
                .type = (enum plugin_option_type)option->type,
                .is_required = option->is_required,
                .min = option->min,
                .max = option->max,
                .choices = choices,
                .default_text = option->default_value ? option->default_value : "",
                .help = option->help,
        };

        for (size_t i = 0; option->choices && option->choices[i]; i++)
                snprintf(choices + strlen(choices), sizeof(choices) - strlen(choices), "%s%s", i ? " " : "",
                         option->choices[i]);
        int r = plugin_option_parse(&o, text, ret, why);
        if (r < 0)
                fprintf(stderr, "%s=%s: %s\n", option->name, text, why);
        return r;
}

int fake_count_bad_options(void) {
        int64_t value;
        int n = 0;

        for (uint32_t i = 0; i < chimed_plugin.n_options; i++) {
                const struct chimed_option *o = &chimed_plugin.options[i];
                n += !plugin_option_name_is_valid(o->name) || !o->help || o->help[strlen(o->help) - 1] != '.' ||
                     (o->default_value && parse_option(o, o->default_value, &value) < 0);
        }
        return n;
}

const char *chimed_option_string(const struct chimed_job *j, const char *name) {
        for (const struct fake_option *o = j->options; o->name; o++)
                if (strcmp(o->name, name) == 0)
                        return o->value;
        return find_option(name)->default_value;
}

int chimed_option_is_set(const struct chimed_job *j, const char *name) {
        return chimed_option_string(j, name) != find_option(name)->default_value;
}

static int64_t number_of(const struct chimed_job *j, const char *name, int64_t otherwise) {
        const char *text = chimed_option_string(j, name);
        int64_t value = otherwise;

        if (text && parse_option(find_option(name), text, &value) < 0)
                abort();
        return value;
}

int64_t chimed_option_integer(const struct chimed_job *j, const char *name) {
        return number_of(j, name, 0);
}

int chimed_option_bool(const struct chimed_job *j, const char *name) {
        return (int)number_of(j, name, 0);
}

int chimed_option_choice(const struct chimed_job *j, const char *name) {
        return (int)number_of(j, name, -1);
}

const char *chimed_job_name(const struct chimed_job *j) {
        (void)j;
        return "fake";
}

/* ---- answers ---- */

int chimed_value(struct chimed_job *j, uint64_t run, const void *value, size_t size) {
        if (run != j->tick.run)
                return -ESTALE;
        snprintf(j->run.value, sizeof(j->run.value), "%.*s", (int)size, (const char *)value);
        return 0;
}

int chimed_value_printf(struct chimed_job *j, uint64_t run, const char *format, ...) {
        char text[2048];
        va_list ap;

        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        return chimed_value(j, run, text, strlen(text));
}

int chimed_fail(struct chimed_job *j, uint64_t run, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        if (run == j->tick.run)
                vsnprintf(j->run.message, sizeof(j->run.message), format, ap);
        va_end(ap);
        return CHIMED_FAILED;
}

int chimed_answer(struct chimed_job *j, uint64_t run, enum chimed_result result) {
        if (run != j->tick.run || j->run.n_answers > 0)
                return -ESTALE;
        j->run.result = (int)result;
        j->run.n_answers++;
        return 0;
}

/* ---- the loop ---- */

int chimed_watch_add(struct chimed_job *j, int fd, uint32_t events, chimed_watch_fn fn, void *userdata,
                     struct chimed_watch **ret) {
        size_t i = 0;

        (void)j;
        while (i < SOURCES_MAX && watches[i])
                i++;
        if (i == SOURCES_MAX)
                return -ENOSPC;
        struct chimed_watch *watch = malloc(sizeof(*watch));
        *watch = (struct chimed_watch){fd, fn, userdata};
        struct epoll_event event = {.events = events, .data.u64 = i};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
                free(watch);
                return -errno;
        }
        watches[i] = *ret = watch;
        return 0;
}

int chimed_watch_set(struct chimed_watch *watch, uint32_t events) {
        struct epoll_event event = {.events = events};

        while (watches[event.data.u64] != watch)
                event.data.u64++;
        return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0 ? -errno : 0;
}

struct chimed_watch *chimed_watch_free(struct chimed_watch *watch) {
        for (size_t i = 0; watch && i < SOURCES_MAX; i++) {
                if (watches[i] == watch) {
                        (void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
                        watches[i] = NULL;
                        free(watch);
                        break;
                }
        }
        return NULL;
}

int chimed_timer_add(struct chimed_job *j, chimed_timer_fn fn, void *userdata, struct chimed_timer **ret) {
        size_t i = 0;

        (void)j;
        while (i < SOURCES_MAX && timers[i])
                i++;
        if (i == SOURCES_MAX)
                return -ENOSPC;
        timers[i] = *ret = malloc(sizeof(**ret));
        **ret = (struct chimed_timer){CHIMED_NEVER, fn, userdata};
        return 0;
}

int chimed_timer_set(struct chimed_timer *timer, int64_t at_us) {
        timer->at_us = at_us;
        return 0;
}

struct chimed_timer *chimed_timer_free(struct chimed_timer *timer) {
        for (size_t i = 0; timer && i < SOURCES_MAX; i++) {
                if (timers[i] == timer) {
                        timers[i] = NULL;
                        free(timer);
                        break;
                }
        }
        return NULL;
}

static void run_timers(int64_t now_us) {
        for (size_t i = 0; i < SOURCES_MAX; i++) {
                if (timers[i] && timers[i]->at_us <= now_us) {
                        timers[i]->at_us = CHIMED_NEVER;
                        timers[i]->fn(&job, timers[i]->userdata);
                }
        }
}

/* Until the next timer, but not beyond an instant; milliseconds, rounded up. */
static int wait_ms(int64_t now_us, int64_t until_us) {
        for (size_t i = 0; i < SOURCES_MAX; i++)
                if (timers[i] && timers[i]->at_us < until_us)
                        until_us = timers[i]->at_us;
        return until_us <= now_us ? 0 : (int)((until_us - now_us + 999) / 1000);
}

bool fake_wait(int64_t us) {
        int64_t until_us = chimed_now() + us, now_us;
        struct epoll_event event;

        while (job.run.result == CHIMED_LATER && (now_us = chimed_now()) < until_us) {
                if (epoll_wait(epoll_fd, &event, 1, wait_ms(now_us, until_us)) == 1 && watches[event.data.u64]) {
                        struct chimed_watch *watch = watches[event.data.u64];
                        watch->fn(&job, watch->fd, event.events, watch->userdata);
                }
                run_timers(chimed_now());
        }
        return job.run.result != CHIMED_LATER;
}

/* ---- the plugin ---- */

const struct fake_run *fake_run(void) {
        return &job.run;
}

int fake_load(const struct fake_option *options) {
        int64_t value;

        job = (struct chimed_job){.options = options};
        for (const struct fake_option *o = options; o->name; o++)
                if (parse_option(find_option(o->name), o->value, &value) < 0)
                        return -1;
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        return chimed_plugin.load(&job, &job.data);
}

void fake_begin(void) {
        uint64_t run = job.tick.run + 1;

        job.run = (struct fake_run){.run = run, .result = CHIMED_LATER};
        job.tick = (struct chimed_tick){.size = sizeof(job.tick), .run = run, .slot_us = 1500000, .attempt = 1};
        int result = chimed_plugin.tick(&job, &job.tick, job.data);
        if (result != CHIMED_LATER)
                chimed_answer(&job, run, (enum chimed_result)result);
}

const struct fake_run *fake_tick(void) {
        fake_begin();
        while (!fake_wait(INT64_C(3600) * 1000000)) {
        }
        return &job.run;
}

void fake_cancel(void) {
        chimed_plugin.cancel(&job, &job.tick, job.data);
}

int fake_unload(void) {
        int n = 0;

        chimed_plugin.unload(&job, job.data);
        for (size_t i = 0; i < SOURCES_MAX; i++)
                n += !!watches[i] + !!timers[i];
        close(epoll_fd);
        return n;
}
