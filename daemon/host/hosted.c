// SPDX-License-Identifier: MIT
// hosted: the ticks of a job, whoever does the work: in turn, one at a time, each answered once.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/parameters.h"
#include "config/utf8.h"
#include "daemon/core/util.h"
#include "daemon/host/coprocess.h"
#include "daemon/host/host_internal.h"

int hosted_new(struct host *h, const struct order_load *order, struct chimed_job **ret) {
        struct chimed_job *job = calloc(1, sizeof(*job));
        int r;

        if (!job)
                return -ENOMEM;
        *job = (struct chimed_job){
                .host = h, .handle = order->handle, .hash = order->hash, .owner = order->owner, .n_untrusted = HOST_TRUST};
        r = job_what_decode(order->what, order->what_size, &job->what);
        if (r == 0 && !job_work_is_hosted(job->what.work))
                r = -EBADMSG;
        job->name = r == 0 ? strdup(order->name) : NULL;
        if (r == 0 && !job->name)
                r = -ENOMEM;
        if (r < 0) {
                hosted_free(job);
                return r;
        }
        job->value_max = job->what.capture_max < TICK_VALUE_MAX ? job->what.capture_max : TICK_VALUE_MAX;
        job->value.limit = job->value_max;
        *ret = job;
        return 0;
}

struct chimed_job *hosted_free(struct chimed_job *job) {
        if (!job)
                return NULL;
        for (struct tick *tick = job->waiting_first; tick; tick = tick->next_waiting)
                tick->job = NULL; /* the next host's */
        work_plugin_unload(job);
        job->coprocess = coprocess_free(job->coprocess);
        pack_done(&job->value);
        free(job->parameters);
        job_what_done(&job->what);
        free(job->name);
        free(job);
        return NULL;
}

bool hosted_is_idle(const struct chimed_job *job) {
        return !job->current && !(job->coprocess && coprocess_is_there(job->coprocess));
}

void hosted_stop_work(struct chimed_job *job) {
        if (job->coprocess && !job->current)
                coprocess_stop(job->coprocess, job->host->end == HOST_END_DYING);
}

int hosted_set_value(struct chimed_job *job, const void *value, size_t size) {
        size_t kept = size < job->value_max ? size : job->value_max;

        pack_clear(&job->value);
        if (kept < size) /* not within a character */
                while (kept > 0 && ((const uint8_t *)value)[kept] >> 6 == 2)
                        kept--;
        pack_raw(&job->value, value, kept);
        return pack_result(&job->value) < 0 ? -ENOMEM : kept < size ? -EMSGSIZE : 0;
}

void hosted_set_message(struct chimed_job *job, const char *text, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < size && n < MESSAGE_MAX; n++) {
                size_t good = utf8_find_bad(text + i, size - i < 4 ? size - i : 4);
                unsigned char c = (unsigned char)text[i];
                size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
                bool is_good = good >= length && c >= ' ' && c != 0x7f;
                if (is_good && length > MESSAGE_MAX - n)
                        break;
                if (is_good)
                        memcpy(job->message + n, text + i, length);
                else
                        job->message[n] = c < 0x80 ? ' ' : '?';
                i += is_good ? length : 1;
                n += is_good ? length - 1 : 0;
        }
        job->message[n] = '\0';
}

void hosted_tell_stray(struct chimed_job *job) {
        int64_t now = host_now(job->host);

        job->n_stray++;
        if (job->stray_bt_us != 0 && now - job->stray_bt_us < USEC_PER_MINUTE)
                return;
        host_log(job->host, job, 4, "%s: %u answer%s to no tick that is under way, thrown away", job->name, job->n_stray,
                 job->n_stray == 1 ? "" : "s");
        job->n_stray = 0;
        job->stray_bt_us = now;
}

void hosted_end(struct chimed_job *job, struct tick_answer *answer) {
        struct tick *tick = job->current;
        struct host *h = job->host;
        bool is_good = run_result_is_good(answer->result);

        if (tick->wish != RUN_RESULT_NONE) { /* it ends as it was asked to, whatever it says */
                answer->result = tick->wish;
                is_good = false;
        }
        answer->begin_bt_us = tick->begin_bt_us;
        answer->duration_us = tick->begin_bt_us != 0 ? (uint64_t)(host_now(h) - tick->begin_bt_us) : 0;
        answer->value = is_good ? (const void *)job->value.data : job->message;
        answer->value_size = is_good ? job->value.size : strlen(job->message);
        job->current = NULL;
        host_answer(h, tick, answer);
        pack_clear(&job->value);
        job->message[0] = '\0';
        if (job->waiting_first || job->is_leaving || h->end != HOST_END_NONE)
                host_list(job);
}

/* Loads what is to be called. False: it can't be, message says why. */
static bool make_ready(struct chimed_job *job) {
        int64_t now = host_now(job->host);

        if (job->state == HOSTED_BROKEN && now < job->retry_bt_us) {
                memcpy(job->message, job->why_broken, sizeof(job->message));
                return false;
        }
        int r = job->what.work == JOB_WORK_PLUGIN ? work_plugin_load(job) : coprocess_new(job, &job->coprocess);
        if (r == 0) {
                job->state = HOSTED_READY;
                return true;
        }
        if (r < 0)
                hosted_set_message(job, strerror(-r), strlen(strerror(-r)));
        memcpy(job->why_broken, job->message, sizeof(job->message));
        job->state = HOSTED_BROKEN;
        job->retry_bt_us = host_now(job->host) + HOST_RETRY_US;
        return false;
}

/* The scheduler may pass what root has allowed, and no more. */
static bool are_accepted(const struct chimed_job *job, const struct tick_run *run) {
        struct parameter parameter;
        size_t at = 0;
        if (!parameters_are_valid(run->parameters, run->parameters_size))
                return false;
        while (parameters_next(run->parameters, run->parameters_size, &at, &parameter))
                if (!parameter_is_accepted(&parameter, job->what.accepted))
                        return false;
        return true;
}

/* The tick can't begin: the job's message says why. */
static void refuse(struct chimed_job *job) {
        job->current->begin_bt_us = 0;
        hosted_end(job, &(struct tick_answer){.result = RUN_RESULT_START_FAILED, .exit_code = -1, .step = RUN_STEP_PLUGIN});
}

static void begin(struct chimed_job *job, struct tick *tick, const struct tick_run *run) {
        static const char not_accepted[] = "a parameter that its AcceptParameters= does not name";
        tick->begin_bt_us = host_now(job->host);
        job->current = tick;
        if (run->parameters_size > 0 && !are_accepted(job, run)) {
                hosted_set_message(job, not_accepted, sizeof(not_accepted) - 1);
                refuse(job);
                return;
        }
        if (job->state != HOSTED_READY && !make_ready(job)) {
                refuse(job);
                return;
        }
        if (job->what.work == JOB_WORK_PLUGIN)
                work_plugin_begin(job, run);
        else
                coprocess_begin(job->coprocess, run);
}

/* Whether a tick may begin now. */
static bool is_free(struct chimed_job *job) {
        struct host *h = job->host;

        if (job->current || h->is_behind || h->resync != RESYNC_NONE || h->end != HOST_END_NONE || job->is_leaving)
                return false;
        if (job->what.work != JOB_WORK_PLUGIN || !work_plugin_is_outdated(job))
                return true;
        host_log(h, job, 6, "%s: %s has changed; what is under way ends, then another process begins", job->name,
                 job->what.argv[0]);
        host_begin_end(h, HOST_END_RENEW);
        return false;
}

void hosted_take(struct chimed_job *job, struct tick *tick, const struct tick_run *run) {
        tick->job = job;
        if (!job->waiting_first && is_free(job)) {
                begin(job, tick, run);
                return;
        }
        if (job->waiting_last)
                job->waiting_last->next_waiting = tick;
        else
                job->waiting_first = tick;
        job->waiting_last = tick;
}

static struct tick *take_waiting(struct chimed_job *job) {
        struct tick *tick = job->waiting_first;

        job->waiting_first = tick->next_waiting;
        if (!job->waiting_first)
                job->waiting_last = NULL;
        tick->next_waiting = NULL;
        return tick;
}

void hosted_go_on(struct chimed_job *job) {
        while (job->waiting_first && is_free(job)) {
                struct tick *tick = take_waiting(job);
                struct tick_run run = tick_read(tick);
                begin(job, tick, &run);
        }
}

static void end_unbegun(struct chimed_job *job, struct tick *tick, enum run_result result) {
        struct tick_answer answer = {.result = result, .exit_code = -1};

        host_answer(job->host, tick, &answer);
}

static void cancel_current(struct chimed_job *job, enum run_result wish) {
        if (job->current->wish != RUN_RESULT_NONE) /* the first reason counts */
                return;
        job->current->wish = wish;
        if (job->what.work == JOB_WORK_PLUGIN)
                work_plugin_cancel(job);
        else
                coprocess_cancel(job->coprocess);
}

void hosted_cancel(struct chimed_job *job, struct tick *tick, enum run_result wish) {
        if (tick == job->current) {
                cancel_current(job, wish);
                return;
        }
        for (struct tick **at = &job->waiting_first, *previous = NULL; *at; previous = *at, at = &(*at)->next_waiting)
                if (*at == tick) {
                        *at = tick->next_waiting;
                        if (job->waiting_last == tick)
                                job->waiting_last = previous;
                        end_unbegun(job, tick, wish);
                        return;
                }
}

void hosted_cancel_all(struct chimed_job *job, bool with_current) {
        while (job->waiting_first)
                end_unbegun(job, take_waiting(job), RUN_RESULT_CANCELLED);
        if (with_current && job->current)
                cancel_current(job, RUN_RESULT_CANCELLED);
}
