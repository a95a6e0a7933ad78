// SPDX-License-Identifier: MIT
// host_ticks: ticks in flight: a table with a list for each host in the order in which it gets them. A host begins what it was sent in that
// order; what it has begun and not answered it tells (BEGUN), or it is the one whose code its page names.

#include "daemon/scheduler/hosts_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"

static uint64_t tick_hash(const void *table, uint32_t row) {
        return index_hash_number(((const struct hosts *)table)->ticks[row].start.run);
}

static bool tick_equal(const void *table, uint32_t row, const void *wanted) {
        return ((const struct hosts *)table)->ticks[row].start.run == *(const uint64_t *)wanted;
}

uint32_t ticks_find(const struct hosts *hosts, uint64_t run) {
        return index_find(&hosts->by_tick, index_hash_number(run), tick_equal, hosts, &run);
}

uint32_t ticks_add(struct hosts *hosts, uint32_t hosted, const struct wire_start *start) {
        if (hosts->free_tick == INDEX_NONE) {
                if (hosts->n_ticks == hosts->allocated_ticks) {
                        size_t n = hosts->allocated_ticks * 2 + 64;
                        struct tick *p = realloc(hosts->ticks, n * sizeof(*p));
                        if (!p)
                                return INDEX_NONE;
                        hosts->ticks = p;
                        hosts->allocated_ticks = n;
                }
                hosts->ticks[hosts->n_ticks].next = INDEX_NONE;
                hosts->free_tick = (uint32_t)hosts->n_ticks++;
        }
        uint32_t row = hosts->free_tick;
        struct tick *t = &hosts->ticks[row];
        uint32_t next_free = t->next;
        void *parameters = NULL;
        if (start->parameters_size > 0) {
                parameters = malloc(start->parameters_size);
                if (!parameters)
                        return INDEX_NONE;
                memcpy(parameters, start->parameters, start->parameters_size);
        }
        struct host *host = hosts_row(hosts, hosts->hosted[hosted].host);
        *t = (struct tick){
                .state = TICK_STATE_WAITS,
                .hosted = hosted,
                .host = host->row,
                .next = INDEX_NONE,
                .previous = host->last,
                .deadline_bt_us = INT64_MAX,
                .start = *start,
        };
        t->start.parameters = parameters;
        if (index_add(&hosts->by_tick, index_hash_number(start->run), row, tick_hash, hosts) < 0) {
                free(parameters);
                *t = (struct tick){.next = next_free};
                return INDEX_NONE;
        }
        hosts->free_tick = next_free;
        if (host->last != INDEX_NONE)
                hosts->ticks[host->last].next = row;
        else
                host->first = row;
        host->last = row;
        hosts->hosted[hosted].n_ticks++;
        return row;
}

static void remove_tick(struct hosts *hosts, uint32_t row) {
        struct tick *t = &hosts->ticks[row];
        struct host *host = hosts_row(hosts, t->host);
        index_remove(&hosts->by_tick, index_hash_number(t->start.run), row, tick_hash, hosts);
        if (t->previous != INDEX_NONE)
                hosts->ticks[t->previous].next = t->next;
        else
                host->first = t->next;
        if (t->next != INDEX_NONE)
                hosts->ticks[t->next].previous = t->previous;
        else
                host->last = t->previous;
        hosts->hosted[t->hosted].n_ticks--;
        free((void *)t->start.parameters);
        t->start.parameters = NULL;
        t->state = TICK_STATE_FREE;
        t->start.run = 0;
        t->next = hosts->free_tick;
        hosts->free_tick = row;
}

int ticks_end(struct hosts *hosts, uint32_t tick, struct clock_sample now, struct wire_ended *ended, const void *value,
              size_t value_size) {
        uint32_t row = hosts->ticks[tick].hosted, host = hosts->ticks[tick].host;
        size_t kept = hosts->hosted[row].capture_max;
        ended->run = hosts->ticks[tick].start.run;
        remove_tick(hosts, tick);
        if (ended->end.result == RUN_RESULT_FINISHED)
                host_unload(hosts_row(hosts, host), &hosts->hosted[row]);
        hosts->hosted[row].n_ticks++; /* what follows from the end does not take the definition away, */
        if (value_size > kept)
                value = (const char *)value + (value_size - kept);
        int r = hosts->shell.on_ended(hosts->userdata, now, ended, value, value_size < kept ? value_size : kept);
        hosts->hosted[row].n_ticks--;
        hosts_release(hosts, row); /* now it may */
        return r;
}

int ticks_fail(struct hosts *hosts, uint32_t tick, struct clock_sample now, enum run_result result, enum run_step step,
               int error) {
        struct wire_ended ended = {0};
        ended.end = (struct run_end){
                .result = result,
                .exit_code = -1,
                .step = step,
                .error = error,
                .end_rt_us = now.rt_us,
                .end_bt_us = now.bt_us,
        };
        if (hosts->ticks[tick].state != TICK_STATE_WAITS && result != RUN_RESULT_START_FAILED) {
                ended.end.start_bt_us = hosts->ticks[tick].sent_bt_us < now.bt_us ? hosts->ticks[tick].sent_bt_us : now.bt_us;
                ended.end.start_rt_us = now.rt_us - (now.bt_us - ended.end.start_bt_us);
        }
        return ticks_end(hosts, tick, now, &ended, NULL, 0);
}

/* Nobody but a scheduler of this runner can make it: a host can't tell of ticks that it was never given. */
static uint64_t seal(const struct hosts *hosts, const struct hash128 *definition, const struct wire_start *start) {
        struct {
                struct hash128 definition;
                uint64_t run, missed;
                int64_t anchor_us, key, slot_us, slot_rt_us;
                uint32_t segment;
                uint16_t attempt;
                uint8_t item, cause, last_result, zeros[7];
        } sealed = {
                .definition = *definition,
                .run = start->run,
                .missed = start->missed,
                .anchor_us = start->anchor_us,
                .key = start->key,
                .slot_us = start->slot_us,
                .slot_rt_us = start->slot_rt_us,
                .segment = start->segment,
                .attempt = start->attempt,
                .item = (uint8_t)start->item,
                .cause = (uint8_t)start->cause,
                .last_result = (uint8_t)start->last_result,
        };
        _Static_assert(sizeof(sealed) == 80, "no padding");
        return hash_64(hosts->secret, &sealed, sizeof(sealed));
}

/* ---- to the host ---- */

/* How far it says that it has come. */
static uint64_t noted(const struct host *host) {
        return host->page ? __atomic_load_n(&host->page->noted, __ATOMIC_RELAXED) : 0;
}

static void set_deadline(struct hosts *hosts, struct tick *t, struct clock_sample now, int64_t after_us) {
        if (after_us == DURATION_INFINITY || after_us >= INT64_MAX - now.bt_us)
                return;
        t->deadline_bt_us = now.bt_us + after_us;
        t->noted = noted(hosts_row(hosts, t->host));
        hosts_look_by(hosts, t->deadline_bt_us);
}

/* Tells the runner to tell the host, before it gets the first tick. */
static int load(struct hosts *hosts, struct host *host, struct hosted *hosted) {
        if (hosted_is_loaded(hosted, host))
                return 0;
        uint32_t handle = host->last_handle + 1;
        int r = hosts->shell.load(hosts->userdata,
                                  &(struct wire_host_load){.run = host->run, .handle = handle, .hash = hosted->hash});
        if (r < 0)
                return r;
        host->last_handle = hosted->handle = handle;
        hosted->loaded_run = host->run;
        return 0;
}

int ticks_send(struct hosts *hosts, uint32_t tick, struct clock_sample now) {
        struct tick *t = &hosts->ticks[tick];
        struct host *host = hosts_row(hosts, t->host);
        struct hosted *hosted = &hosts->hosted[t->hosted];
        int r = load(hosts, host, hosted);
        if (r == 0) {
                struct tick_run run = {.handle = hosted->handle,
                                       .start = t->start,
                                       .seal = seal(hosts, &hosted->hash, &t->start),
                                       .parameters = t->start.parameters,
                                       .parameters_size = t->start.parameters_size};
                tick_put_run(&hosts->pack, &run);
                r = host_send(host, TICK_RUN);
        }
        if (r == -ENOBUFS || r == -EPIPE) { /* until there is room, or it has another host */
                host->is_stuck = true;
                hosts_look_by(hosts, now.bt_us + HOSTS_LOOK_US);
                return 0;
        }
        if (r < 0)
                return ticks_fail(hosts, tick, now, RUN_RESULT_START_FAILED, RUN_STEP_LINK, -r);
        t->state = TICK_STATE_SENT;
        t->n_sends++;
        hosts->n_sent++;
        t->sent_bt_us = now.bt_us;
        set_deadline(hosts, t, now, hosted->timeout_us);
        return 0;
}

int ticks_cancel(struct hosts *hosts, uint32_t tick, struct clock_sample now, enum run_result result) {
        struct tick *t = &hosts->ticks[tick];
        struct host *host = hosts_row(hosts, t->host);
        if (t->is_cancelled)
                return 0;
        if (t->state == TICK_STATE_WAITS)
                return ticks_fail(hosts, tick, now, result, RUN_STEP_NONE, 0);
        t->is_cancelled = true;
        t->cancel = result;
        t->deadline_bt_us = INT64_MAX;
        tick_put_cancel(&hosts->pack, &(struct tick_cancel){.run = t->start.run, .result = result});
        (void)host_send(host, TICK_CANCEL); /* where it hears nothing it is killed when the grace is over */
        set_deadline(hosts, t, now, hosts->hosted[t->hosted].grace_us);
        return 0;
}

/* Whether the time of a tick that was sent is the time that it took itself: it is under way, or nothing is. While another tick's code
 * is being executed it waits, and it is that one whose limit counts. */
static bool is_hung(const struct host *host, const struct tick *t) {
        uint64_t current = host->page ? __atomic_load_n(&host->page->current, __ATOMIC_RELAXED) : 0;
        if (t->state == TICK_STATE_BEGUN || current == t->start.run)
                return true;
        uint32_t other = current > 0 ? ticks_find(host->hosts, current) : INDEX_NONE;
        bool is_other = other != INDEX_NONE && host->hosts->ticks[other].host == host->row;
        return !is_other && noted(host) == t->noted;
}

int ticks_check(struct hosts *hosts, struct clock_sample now, int64_t *ret_next_bt_us) {
        int64_t next = INT64_MAX;
        int r = 0;
        for (uint32_t i = 0; r == 0 && i < hosts->n_ticks; i++) {
                struct tick *t = &hosts->ticks[i];
                if (t->state == TICK_STATE_FREE || t->deadline_bt_us == INT64_MAX)
                        continue;
                struct host *host = hosts_row(hosts, t->host);
                if (t->deadline_bt_us > now.bt_us)
                        ;
                else if (t->is_cancelled) {
                        t->deadline_bt_us = INT64_MAX;
                        r = host_kill(host);
                } else if (is_hung(host, t))
                        r = ticks_cancel(hosts, i, now, RUN_RESULT_TIMEOUT);
                else
                        set_deadline(hosts, t, now, hosts->hosted[t->hosted].timeout_us);
                if (hosts->ticks[i].state != TICK_STATE_FREE && hosts->ticks[i].deadline_bt_us < next)
                        next = hosts->ticks[i].deadline_bt_us;
        }
        *ret_next_bt_us = next;
        return r;
}

/* ---- from the host ---- */

/* The host's instant, kept within what can be. */
static int64_t believe(int64_t told_bt_us, int64_t from_bt_us, int64_t now_bt_us) {
        return told_bt_us < from_bt_us ? from_bt_us : told_bt_us > now_bt_us ? now_bt_us : told_bt_us;
}

/* What a host may say of a tick; others are failures. */
static enum run_result believe_result(const struct tick *t, enum run_result told) {
        switch (told) {
        case RUN_RESULT_SUCCESS:
        case RUN_RESULT_SKIPPED:
        case RUN_RESULT_FINISHED:
        case RUN_RESULT_FAILED:
        case RUN_RESULT_SIGNAL:
        case RUN_RESULT_START_FAILED:
                return told;
        case RUN_RESULT_TIMEOUT:
        case RUN_RESULT_CANCELLED:
                return t->is_cancelled ? t->cancel : RUN_RESULT_FAILED;
        case RUN_RESULT_NONE:
        case RUN_RESULT_OOM:
        case RUN_RESULT_INTERRUPTED:
        case RUN_RESULT_CONDITION:
        case RUN_RESULT_MAX:
                break;
        }
        return RUN_RESULT_FAILED;
}

static int on_answer(struct host *host, const void *payload, size_t size) {
        struct hosts *hosts = host->hosts;
        struct tick_answer a;
        int r = tick_get_answer(payload, size, &a);
        if (r < 0)
                return r;
        host->answered++;
        uint32_t tick = ticks_find(hosts, a.run);
        if (tick == INDEX_NONE || hosts->ticks[tick].host != host->row)
                return 0;
        const struct tick *t = &hosts->ticks[tick];
        struct clock_sample now = hosts->heard;
        int64_t offset_us = now.rt_us - now.bt_us;
        int64_t begin_us = believe(a.begin_bt_us, t->is_adopted ? 0 : t->sent_bt_us, now.bt_us);
        int64_t room_us = now.bt_us - begin_us;
        int64_t end_us = begin_us + (a.duration_us < (uint64_t)room_us ? (int64_t)a.duration_us : room_us);
        enum run_result result = believe_result(t, a.result);
        bool has_begun = a.begin_bt_us > 0 && result != RUN_RESULT_START_FAILED;
        struct wire_ended ended = {0};
        ended.end = (struct run_end){
                .result = result,
                .exit_code = a.exit_code >= 0 && a.exit_code <= 255 ? a.exit_code : -1,
                .signal = result == RUN_RESULT_SIGNAL ? a.signal : 0,
                .step = result == RUN_RESULT_START_FAILED ? a.step : RUN_STEP_NONE,
                .error = result == RUN_RESULT_START_FAILED && a.error <= INT32_MAX ? (int)a.error : 0,
                .start_bt_us = has_begun ? begin_us : 0,
                .start_rt_us = has_begun ? begin_us + offset_us : 0,
                .end_bt_us = end_us,
                .end_rt_us = end_us + offset_us,
        };
        return ticks_end(hosts, tick, now, &ended, a.value, a.value_size);
}

static int on_begun(struct host *host, const void *payload, size_t size) {
        struct hosts *hosts = host->hosts;
        struct tick_begun begun;
        int r = tick_get_begun(payload, size, &begun);
        if (r < 0)
                return r;
        uint32_t tick = ticks_find(hosts, begun.run);
        struct tick *t = tick != INDEX_NONE ? &hosts->ticks[tick] : NULL;
        if (!t || t->host != host->row || t->state != TICK_STATE_SENT)
                return 0;
        struct clock_sample now = hosts->heard;
        int64_t begin_us = believe(begun.begin_bt_us, t->is_adopted ? 0 : t->sent_bt_us, now.bt_us);
        t->state = TICK_STATE_BEGUN;
        t->sent_bt_us = begin_us;
        int64_t timeout_us = hosts->hosted[t->hosted].timeout_us;
        if (!t->is_cancelled && timeout_us != DURATION_INFINITY)
                set_deadline(hosts, t, now, timeout_us - (now.bt_us - begin_us));
        struct wire_started started = {
                .run = begun.run, .start_bt_us = begin_us, .start_rt_us = begin_us + (now.rt_us - now.bt_us)};
        return hosts->shell.on_begun(hosts->userdata, now, &started);
}

/* ---- what a host of before tells ---- */

static int on_hello(struct host *host, const void *payload, size_t size) {
        struct tick_hello hello;
        int r = tick_get_hello(payload, size, &hello);
        if (r < 0)
                return r;
        if (hello.version != TICK_VERSION)
                return -EPROTO;
        if (hello.epoch != host->hosts->epoch)
                return 0; /* its answer to one before us */
        host->is_greeted = true;
        host->n_by_handle = 0;
        host->answered = host->acknowledged = hello.answered;
        return 0;
}

static int on_loaded(struct host *host, const void *payload, size_t size) {
        struct hosts *hosts = host->hosts;
        struct tick_loaded loaded;
        int r = tick_get_loaded(payload, size, &loaded);
        if (r < 0)
                return r;
        if (loaded.handle == 0 || loaded.handle > UINT32_MAX - 2)
                return -EBADMSG;
        if (host->state != HOST_SYNC) /* it was given that just now, before our HELLO */
                return 0;
        uint32_t row = hosts_find_definition(hosts, &loaded.hash);
        if (loaded.handle > host->last_handle)
                host->last_handle = loaded.handle;
        if (row != INDEX_NONE && hosts->hosted[row].host == host->row) {
                hosts->hosted[row].handle = loaded.handle;
                hosts->hosted[row].loaded_run = host->run;
        } else { /* nobody asks for it any more */
                tick_put_handle(&hosts->pack, loaded.handle);
                return host_send(host, TICK_UNLOAD) == -ENOMEM ? -ENOMEM : 0;
        }
        if (host->n_by_handle >= hosts->n_hosted) /* it tells one twice */
                return -EBADMSG;
        uint32_t *p = realloc(host->by_handle, (host->n_by_handle + 1) * sizeof(*p));
        if (!p)
                return -ENOMEM;
        host->by_handle = p;
        size_t at = host->n_by_handle++;
        for (; at > 0 && hosts->hosted[p[at - 1]].handle > loaded.handle; at--) /* as a rule they come in their order */
                p[at] = p[at - 1];
        p[at] = row;
        return 0;
}

static uint32_t find_handle(const struct host *host, uint32_t handle) {
        size_t low = 0, high = host->n_by_handle;
        while (low < high) {
                size_t middle = (low + high) / 2;
                uint32_t at = host->hosts->hosted[host->by_handle[middle]].handle;
                if (at == handle)
                        return host->by_handle[middle];
                if (at < handle)
                        low = middle + 1;
                else
                        high = middle;
        }
        return INDEX_NONE;
}

/* A tick that it has from an earlier scheduler. */
static int on_run(struct host *host, const void *payload, size_t size) {
        struct hosts *hosts = host->hosts;
        struct tick_run run;
        int r = tick_get_run(payload, size, &run);
        if (r < 0)
                return r;
        if (host->state != HOST_SYNC || run.start.run == 0)
                return -EBADMSG;
        uint32_t row = find_handle(host, run.handle);
        if (row == INDEX_NONE || host->is_late)
                return 0;
        if (run.seal != seal(hosts, &hosts->hosted[row].hash, &run.start)) /* nobody has given it that */
                return -EBADMSG;
        if (ticks_find(hosts, run.start.run) != INDEX_NONE)
                return 0;
        run.start.hash = hosts->hosted[row].hash;
        run.start.parameters = run.parameters;
        run.start.parameters_size = run.parameters_size;
        r = hosts->shell.on_known(hosts->userdata, hosts->heard,
                                  &(struct wire_run){.start = run.start, .name = hosts->hosted[row].name});
        if (r < 0)
                return r;
        uint32_t tick = ticks_add(hosts, row, &run.start);
        if (tick == INDEX_NONE)
                return -ENOMEM;
        hosts->ticks[tick].state = TICK_STATE_SENT;
        hosts->ticks[tick].n_sends = 1;
        hosts->ticks[tick].is_adopted = true;
        struct clock_sample now = hosts->heard;
        hosts->ticks[tick].sent_bt_us = now.bt_us; /* when it began its end says, if it comes to that */
        set_deadline(hosts, &hosts->ticks[tick], now, hosts->hosted[row].timeout_us);
        return 0;
}

static int on_synced(struct host *host, const void *payload, size_t size) {
        (void)payload;
        if (size > 0)
                return -EBADMSG;
        return host_synced(host, host->hosts->heard);
}

int ticks_on_message(void *userdata) {
        struct hosts *hosts = ((struct host *)userdata)->hosts;
        return hosts->shell.read_clock(hosts->userdata, &hosts->heard);
}

int ticks_on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct host *host = userdata;
        if (host->state == HOST_SYNC && !host->is_greeted && type != TICK_HELLO && type < TICK_TYPE_MAX)
                return 0; /* said to one before us, and told again */
        switch ((enum tick_type)type) {
        case TICK_HELLO:
                return on_hello(host, payload, size);
        case TICK_LOADED:
                return on_loaded(host, payload, size);
        case TICK_RUN:
                return on_run(host, payload, size);
        case TICK_BEGUN:
                return on_begun(host, payload, size);
        case TICK_ANSWER:
                return on_answer(host, payload, size);
        case TICK_SYNCED:
                return on_synced(host, payload, size);
        case TICK_ACK:
        case TICK_CANCEL:
        case TICK_UNLOAD:
        case TICK_QUIT:
        case TICK_TYPE_MAX:
                break;
        }
        return -EBADMSG;
}
