// SPDX-License-Identifier: MIT
// api: the functions that plugins call. Each is called from within a call of a plugin's function; a child that the plugin has forked
// gets nowhere with them.

#include "daemon/host/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"
#include "daemon/host/host_internal.h"

void api_link(void) {
}

static void refuse_child(const struct chimed_job *job) {
        if (guard_is_child(&job->host->guard))
                _exit(EXIT_FAILURE);
}

/* Whether run is the tick under way. */
static bool is_current(const struct chimed_job *job, uint64_t run) {
        return job->current && job->current->run == run && !(job->is_in_tick && job->has_early);
}

const char *chimed_job_name(const struct chimed_job *job) {
        return job->name;
}

/* An option that was declared, as one of the types (bits); else NULL, and told. */
static const struct hosted_value *find_value(const struct chimed_job *job, const char *name, unsigned types) {
        const struct plugin_option *option = plugin_option_find(&job->file->description, name);

        if (option && types & 1U << option->type)
                return &job->values[option - job->file->description.options];
        host_log(job->host, job, 4, "%s: %s asks for option %.64s, which it has not declared%s", job->name,
                 job->file->description.name, name, option ? " so" : "");
        return NULL;
}

#define TYPE(name) (1U << PLUGIN_OPTION_##name)
#define TYPES_ALL  ((1U << PLUGIN_OPTION_TYPE_MAX) - 1)

int chimed_option_is_set(const struct chimed_job *job, const char *name) {
        const struct hosted_value *value = find_value(job, name, TYPES_ALL);

        return value && value->is_set;
}

const char *chimed_option_string(const struct chimed_job *job, const char *name) {
        const struct hosted_value *value = find_value(job, name, TYPES_ALL);

        return value ? value->text : NULL;
}

int64_t chimed_option_integer(const struct chimed_job *job, const char *name) {
        const struct hosted_value *value = find_value(job, name, TYPE(INTEGER) | TYPE(DURATION) | TYPE(SIZE));

        return value ? value->number : 0;
}

int chimed_option_bool(const struct chimed_job *job, const char *name) {
        const struct hosted_value *value = find_value(job, name, TYPE(BOOL));

        return value ? (int)value->number : 0;
}

int chimed_option_choice(const struct chimed_job *job, const char *name) {
        const struct hosted_value *value = find_value(job, name, TYPE(CHOICE));

        return value && value->text ? (int)value->number : -1;
}

const char *chimed_parameter(const struct chimed_tick *tick, const char *name) {
        size_t n = strlen(name);

        for (uint32_t i = 0; i < tick->n_parameters; i++)
                if (strncmp(tick->parameters[i], name, n) == 0 && tick->parameters[i][n] == '=')
                        return tick->parameters[i] + n + 1;
        return NULL;
}

int chimed_value(struct chimed_job *job, uint64_t run, const void *value, size_t size) {
        refuse_child(job);
        return is_current(job, run) ? hosted_set_value(job, value, size) : -ESTALE;
}

int chimed_value_printf(struct chimed_job *job, uint64_t run, const char *format, ...) {
        char *text;
        va_list arguments;

        va_start(arguments, format);
        int n = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (n < 0)
                return -ENOMEM;
        int r = chimed_value(job, run, text, (size_t)n);
        free(text);
        return r;
}

int chimed_fail(struct chimed_job *job, uint64_t run, const char *format, ...) {
        char text[MESSAGE_MAX + 8];
        va_list arguments;

        refuse_child(job);
        if (run != 0 && !is_current(job, run))
                return CHIMED_FAILED;
        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        hosted_set_message(job, text, strlen(text));
        return CHIMED_FAILED;
}

int chimed_answer(struct chimed_job *job, uint64_t run, enum chimed_result result) {
        refuse_child(job);
        if ((unsigned)result >= CHIMED_LATER)
                return -EINVAL;
        if (!is_current(job, run)) {
                hosted_tell_stray(job);
                return -ESTALE;
        }
        if (job->is_in_tick) {
                job->has_early = true;
                job->early = result;
                return 0;
        }
        work_plugin_end(job, (int)result);
        return 0;
}

void chimed_logv(struct chimed_job *job, int priority, const char *format, va_list arguments) {
        refuse_child(job);
        host_logv(job->host, job, priority & 7, format, arguments);
}

void chimed_log(struct chimed_job *job, int priority, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        chimed_logv(job, priority, format, arguments);
        va_end(arguments);
}

static int on_events(void *userdata, uint32_t events) {
        struct chimed_watch *watch = userdata;
        struct chimed_job *job = watch->job;

        host_enter(job->host, TICK_PHASE_RUN, job);
        watch->on_events(job, watch->fd, events, watch->userdata);
        host_leave(job->host, job);
        return 0;
}

static int on_time(void *userdata, bool is_clock_change) {
        struct chimed_watch *watch = userdata;
        struct chimed_job *job = watch->job;

        (void)is_clock_change;
        host_enter(job->host, TICK_PHASE_RUN, job);
        watch->on_time(job, watch->userdata);
        host_leave(job->host, job);
        return 0;
}

static int new_watch(struct chimed_job *job, int fd, uint32_t events, void *userdata, struct chimed_watch **ret) {
        struct chimed_watch *watch;
        int r;

        refuse_child(job);
        if (job->n_watches == WATCHES_MAX)
                return -ENOSPC;
        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        *watch = (struct chimed_watch){.job = job, .fd = fd, .userdata = userdata, .next = job->watches};
        r = fd >= 0 ? loop_add_io(job->host->loop, fd, events, on_events, watch, &watch->source)
                    : loop_add_timer(job->host->loop, LOOP_CLOCK_BOOT, on_time, watch, &watch->source);
        if (r < 0) {
                free(watch);
                return r;
        }
        if (watch->next)
                watch->next->previous = watch;
        job->watches = watch;
        job->n_watches++;
        *ret = watch;
        return 0;
}

int chimed_watch_add(struct chimed_job *job, int fd, uint32_t events, chimed_watch_fn fn, void *userdata,
                     struct chimed_watch **ret) {
        struct chimed_watch *watch;
        int r = fd < 0 || !fn ? -EBADF : new_watch(job, fd, events, userdata, &watch);

        if (r < 0)
                return r;
        watch->on_events = fn;
        *ret = watch;
        return 0;
}

int chimed_watch_set(struct chimed_watch *watch, uint32_t events) {
        return loop_set_events(watch->source, events);
}

struct chimed_watch *chimed_watch_free(struct chimed_watch *watch) {
        return work_plugin_free_watch(watch);
}

/* A timer is a watch without a descriptor; plugins are given two types, so that one is not taken for the other. */
static struct chimed_watch *of_timer(struct chimed_timer *timer) {
        return (struct chimed_watch *)(void *)timer;
}

int chimed_timer_add(struct chimed_job *job, chimed_timer_fn fn, void *userdata, struct chimed_timer **ret) {
        struct chimed_watch *watch;
        int r = fn ? new_watch(job, -1, 0, userdata, &watch) : -EINVAL;

        if (r < 0)
                return r;
        watch->on_time = fn;
        *ret = (struct chimed_timer *)(void *)watch;
        return 0;
}

int chimed_timer_set(struct chimed_timer *timer, int64_t at_us) {
        return loop_arm_timer(of_timer(timer)->source, at_us);
}

struct chimed_timer *chimed_timer_free(struct chimed_timer *timer) {
        work_plugin_free_watch(timer ? of_timer(timer) : NULL);
        return NULL;
}

int64_t chimed_now(void) {
        return clock_now().bt_us;
}
