// SPDX-License-Identifier: MIT
// heartbeat: a plugin that shows that this machine's scheduler lives: touches a file, replaces one with a few lines, or sends a
// message. It may first look whether another heart still beats.

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/plugin.h"
#include "daemon/plugins/beat.h"
#include "daemon/plugins/file.h"
#include "daemon/plugins/send.h"

static const char *const formats[] = {[BEAT_PAIRS] = "pairs", [BEAT_JSON] = "json", [BEAT_NOTIFY] = "notify", NULL};

static const struct chimed_option options[] = {
        {.name = "touch",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 1,
         .help = "A file whose time is set to now; made where missing."},
        {.name = "write",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 16,
         .help = "A file that is replaced by the beat."},
        {.name = "send",
         .type = CHIMED_STRING,
         .min = 1,
         .max = 255,
         .help = "A socket that gets the beat: /PATH, @NAME or udp:ADDRESS:PORT."},
        {.name = "format",
         .type = CHIMED_CHOICE,
         .choices = formats,
         .default_value = "pairs",
         .help = "How the beat is written: pairs, json, or notify as sd_notify(3) does."},
        {.name = "watch",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 1,
         .help = "A file that must be young, else the run fails and there is no beat."},
        {.name = "max-age",
         .type = CHIMED_DURATION,
         .min = 1000,
         .max = INT64_C(366) * 86400 * 1000000,
         .default_value = "1min",
         .help = "How old the watched file may be."},
};

struct heartbeat {
        const char *touch, *write, *watch;
        struct send_address to; /* size 0: none */
        int64_t max_age_us;
        enum beat_format format;
};

static void heartbeat_unload(struct chimed_job *job, void *data) {
        (void)job;
        free(data);
}

static int heartbeat_load(struct chimed_job *job, void **ret_data) {
        struct heartbeat h = {
                .touch = chimed_option_string(job, "touch"),
                .write = chimed_option_string(job, "write"),
                .watch = chimed_option_string(job, "watch"),
                .max_age_us = chimed_option_integer(job, "max-age"),
                .format = (enum beat_format)chimed_option_choice(job, "format"),
        };
        const char *address = chimed_option_string(job, "send");

        if (!h.touch && !h.write && !address && !h.watch)
                return chimed_fail(job, 0, "one of the options touch, write, send and watch is needed");
        if (address) {
                int r = send_parse(address, &h.to);
                if (r < 0)
                        return chimed_fail(
                                job, 0, "send=%s: %s", address,
                                r == -ENAMETOOLONG
                                        ? "a socket's path has at most 107 bytes"
                                        : "this is neither /PATH, @NAME nor udp:ADDRESS:PORT with a numeric address");
        }
        struct heartbeat *data = malloc(sizeof(*data));
        if (!data)
                return chimed_fail(job, 0, "no memory");
        *data = h;
        *ret_data = data;
        return 0;
}

static int look(struct chimed_job *job, const struct chimed_tick *tick, const struct heartbeat *h, int64_t now_rt_us) {
        int64_t age_us;
        int r = file_age(h->watch, now_rt_us, &age_us);

        if (r < 0)
                return chimed_fail(job, tick->run, "%s: %s", h->watch, strerror(-r));
        if (age_us > h->max_age_us)
                return chimed_fail(job, tick->run, "%s was written %lld s ago, which is too long", h->watch,
                                   (long long)(age_us / 1000000));
        return CHIMED_SUCCESS;
}

static int heartbeat_tick(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        const struct heartbeat *h = data;
        char memory[1024], host[HOST_NAME_MAX + 1] = "";
        struct text text = TEXT_IN(memory);
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        (void)gethostname(host, sizeof(host) - 1);
        struct beat beat = {
                .job = chimed_job_name(job),
                .host = host,
                .run = tick->run,
                .now_rt_us = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000,
                .slot_rt_us = tick->slot_us,
        };
        if (h->watch && look(job, tick, h, beat.now_rt_us) != CHIMED_SUCCESS)
                return CHIMED_FAILED;
        beat_write(&beat, h->format, &text);
        int r = h->touch ? file_touch(h->touch) : 0;
        if (r < 0)
                return chimed_fail(job, tick->run, "%s could not be touched: %s", h->touch, strerror(-r));
        r = h->write ? file_replace(h->write, text.to, text.used) : 0;
        if (r < 0)
                return chimed_fail(job, tick->run, "%s could not be written: %s", h->write, strerror(-r));
        r = h->to.size ? send_message(&h->to, text.to, text.used) : 0;
        if (r < 0)
                return chimed_fail(job, tick->run, "the beat could not be sent: %s",
                                   r == -EAGAIN ? "the reader is behind" : strerror(-r));
        (void)chimed_value(job, tick->run, text.to, text.used - 1);
        return CHIMED_SUCCESS;
}

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .n_options = sizeof(options) / sizeof(*options),
        .name = "heartbeat",
        .description = "Touches a file, writes one or sends a message, to show that it lives.",
        .options = options,
        .load = heartbeat_load,
        .tick = heartbeat_tick,
        .unload = heartbeat_unload,
};
