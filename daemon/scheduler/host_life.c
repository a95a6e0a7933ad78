// SPDX-License-Identifier: MIT
// host_life: one host process, from the order to start it to its end, and what its death means for the ticks that it had.

#include "daemon/scheduler/hosts_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "config/duration.h"
#include "daemon/core/util.h"

int host_send(struct host *host, enum tick_type type) {
        struct pack *pack = &host->hosts->pack;
        int r = pack_result(pack);
        if (r == 0)
                r = host->ticks ? channel_send(host->ticks, type, pack->data, pack->size) : -EPIPE;
        pack_clear(pack);
        host_dirty(host);
        return r;
}

void host_dirty(struct host *host) {
        if (host->is_dirty)
                return;
        host->is_dirty = true;
        host->hosts->dirty[host->hosts->n_dirty++] = host->row;
}

void host_unload(struct host *host, struct hosted *hosted) {
        if (!hosted_is_loaded(hosted, host))
                return;
        tick_put_handle(&host->hosts->pack, hosted->handle);
        if (host_send(host, TICK_UNLOAD) == 0) /* else it goes with its host */
                hosted->loaded_run = 0;
}

/* ---- start ---- */

/* There will be no more hosts. */
static int fail_all(struct host *host, struct clock_sample now) {
        int r = 0;
        while (r == 0 && host->first != INDEX_NONE)
                r = ticks_fail(host->hosts, host->first, now, RUN_RESULT_START_FAILED, RUN_STEP_LINK, ECANCELED);
        return r;
}

int host_want(struct host *host, struct clock_sample now) {
        struct hosts *hosts = host->hosts;
        if (host->state != HOST_DOWN || host->first == INDEX_NONE || !hosts->is_synced)
                return 0;
        if (hosts->is_quitting)
                return fail_all(host, now);
        if (host->not_before_bt_us > now.bt_us) {
                hosts_look_by(hosts, host->not_before_bt_us);
                return 0;
        }
        const struct tick *t = &hosts->ticks[host->first];
        struct wire_start start = {
                .run = hosts->shell.take_run(hosts->userdata),
                .hash = hosts->hosted[t->hosted].hash,
                .slot_rt_us = t->start.slot_rt_us,
                .item = WIRE_ITEM_TRIGGER,
                .cause = t->start.cause,
                .attempt = 1,
                .is_host = true,
        };
        int r = host_index_run(host, start.run);
        if (r == 0)
                r = hosts->shell.start(hosts->userdata, &start);
        if (r == -ENOBUFS) { /* the runner does not read */
                (void)host_index_run(host, 0);
                host->not_before_bt_us = now.bt_us + HOSTS_BACKOFF_US;
                hosts_look_by(hosts, host->not_before_bt_us);
                return 0;
        }
        if (r == 0) {
                host->state = HOST_STARTING;
                host->up_bt_us = now.bt_us;
        }
        return r;
}

/* Gives it all that waits. */
static int send_waiting(struct host *host, struct clock_sample now) {
        struct hosts *hosts = host->hosts;
        int r = 0;
        for (uint32_t tick = host->first, next; r == 0 && tick != INDEX_NONE && host->state == HOST_UP; tick = next) {
                next = hosts->ticks[tick].next;
                if (hosts->ticks[tick].state == TICK_STATE_WAITS)
                        r = ticks_send(hosts, tick, now);
        }
        return r;
}

static int on_room(void *userdata) {
        struct host *host = userdata;
        struct clock_sample now;
        int r = host->hosts->shell.read_clock(host->hosts->userdata, &now);
        return r < 0 ? r : send_waiting(host, now);
}

static int map_page(int fd, const struct tick_page **ret) {
        struct stat st;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < (off_t)sizeof(struct tick_page))
                return -EBADMSG;
        void *p = mmap(NULL, sizeof(struct tick_page), PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        return 0;
}

/* The host whose process this is; one is made where nobody asks for it any more. */
static struct host *find_owner(struct hosts *hosts, uint64_t run, const struct hash128 *hash) {
        struct host *host = hosts_find_by_run(hosts, run);
        if (host)
                return host;
        host = hosts_find_by_hash(hosts, hash);
        if (host && host->state != HOST_DOWN)
                return NULL;
        if (hosts->is_synced) /* its end came before */
                return NULL;
        if (!host)
                host = hosts_add(hosts, hash, "?");
        return host && host_index_run(host, run) == 0 ? host : NULL;
}

static void forget_expected(struct hosts *hosts, uint64_t run) {
        for (size_t i = 0; i < hosts->n_expected; i++)
                if (hosts->expected[i] == run) {
                        hosts->expected[i] = hosts->expected[--hosts->n_expected];
                        return;
                }
}

int hosts_on_run(struct hosts *hosts, const struct wire_run *run) {
        if (hosts_find_by_run(hosts, run->start.run)) /* its descriptors were faster */
                return 0;
        uint64_t *p = realloc(hosts->expected, (hosts->n_expected + 1) * sizeof(*p));
        if (!p)
                return -ENOMEM;
        hosts->expected = p;
        p[hosts->n_expected++] = run->start.run;
        return 0;
}

/* Asks for all that it knows. 0, -ENOMEM, or what host_send() returns otherwise. */
static int greet(struct host *host) {
        tick_put_hello(&host->hosts->pack, &(struct tick_hello){.version = TICK_VERSION, .epoch = host->hosts->epoch});
        return host_send(host, TICK_HELLO);
}

int hosts_on_descriptors(struct hosts *hosts, struct clock_sample now, uint64_t run, const struct hash128 *host_hash,
                         int ticks_fd, int page_fd) {
        static const struct channel_callbacks callbacks = {
                .on_record = ticks_on_record, .on_closed = host_on_closed, .on_room = on_room, .on_message = ticks_on_message};
        _cleanup_close_ int to_close = ticks_fd, page = page_fd;
        struct host *host = find_owner(hosts, run, host_hash);
        if (!host || host->ticks)
                return hosts->shell.kill(hosts->userdata, run);
        bool is_fresh = host->state == HOST_STARTING;
        forget_expected(hosts, run);
        int r = map_page(page, &host->page);
        if (r < 0)
                return host_kill(host);
        to_close = -1;
        r = channel_new(hosts->loop, ticks_fd, HOSTS_QUEUE_LIMIT, &callbacks, host, &host->ticks);
        if (r < 0)
                return r;
        hosts_pace(hosts, false); /* it is one more */
        host->state = is_fresh ? HOST_UP : HOST_SYNC;
        host->up_bt_us = now.bt_us;
        if (is_fresh || hosts->sync_bt_us > 0)
                r = greet(host);
        if (r == -ENOMEM)
                return r;
        if (hosts->is_quitting)
                host_quit(host);
        return is_fresh ? send_waiting(host, now) : 0;
}

/* ---- hosts of before ---- */

static bool is_busy(const struct host *host) {
        return host->page && __atomic_load_n(&host->page->current, __ATOMIC_RELAXED) > 0;
}

/* Nothing more is to be awaited: a host that executes a plugin's code answers when that returns. */
static bool is_synced(const struct hosts *hosts, struct clock_sample now) {
        bool has_waited = now.bt_us >= hosts->sync_bt_us - HOSTS_SYNC_US + HOSTS_BUSY_US;
        for (size_t i = 0; i < hosts->n_hosts; i++) {
                const struct host *host = hosts->list[i];
                if (host && host->state == HOST_SYNC && !(has_waited && is_busy(host)))
                        return false;
        }
        return hosts->n_expected == 0;
}

/* Behind all that the runner knows, so that no host can say that it has another's run. */
static void greet_all(struct hosts *hosts, struct clock_sample now) {
        hosts->sync_bt_us = now.bt_us + HOSTS_SYNC_US;
        for (size_t i = 0; i < hosts->n_hosts; i++)
                if (hosts->list[i] && hosts->list[i]->state == HOST_SYNC)
                        (void)greet(hosts->list[i]);
}

/* The time to wait for hosts of before is over. */
static void give_up(struct hosts *hosts, struct clock_sample now) {
        for (size_t i = 0; i < hosts->n_hosts; i++) {
                struct host *host = hosts->list[i];
                if (!host || host->state != HOST_SYNC)
                        continue;
                host->is_late = true;
                host->kill_bt_us = now.bt_us + HOSTS_LATE_US;
                hosts_look_by(hosts, host->kill_bt_us);
        }
        for (size_t i = 0; i < hosts->n_expected; i++)
                (void)hosts->shell.kill(hosts->userdata, hosts->expected[i]);
}

bool hosts_sync(struct hosts *hosts, struct clock_sample now) {
        if (hosts->sync_bt_us == 0)
                greet_all(hosts, now);
        if (!is_synced(hosts, now) && now.bt_us < hosts->sync_bt_us) {
                hosts_look_by(hosts, duration_lower(now.bt_us + HOSTS_BUSY_US, hosts->sync_bt_us));
                return false;
        }
        give_up(hosts, now);
        hosts->sync_bt_us = 0;
        hosts->is_synced = true;
        hosts_look_by(hosts, 0); /* what waited for that */
        for (size_t i = 0; i < hosts->n_hosts; i++)
                if (hosts->list[i] && hosts->list[i]->n_hosted == 0)
                        host_quit(hosts->list[i]);
        return true;
}

int host_synced(struct host *host, struct clock_sample now) {
        struct hosts *hosts = host->hosts;
        free(host->by_handle);
        host->by_handle = NULL;
        host->n_by_handle = 0;
        if (host->state != HOST_SYNC)
                return 0;
        host->state = HOST_UP;
        host->kill_bt_us = 0;
        if (hosts->is_synced)
                return send_waiting(host, now);
        host->is_stuck = true; /* the runner takes nothing before it was told of the commit */
        return hosts->sync_bt_us > 0 && hosts_sync(hosts, now) ? hosts->shell.on_synced(hosts->userdata) : 0;
}

/* ---- end ---- */

static void kill_by(struct host *host, int64_t at_bt_us) {
        host->kill_bt_us = at_bt_us;
        hosts_look_by(host->hosts, at_bt_us);
}

int host_kill(struct host *host) {
        int64_t now_bt_us = clock_now().bt_us;
        if (host->is_killed || host->run == 0)
                return 0;
        int r = host->hosts->shell.kill(host->hosts->userdata, host->run);
        host->is_killed = r == 0;
        host->state = HOST_LEAVING;
        kill_by(host, now_bt_us + (r == 0 ? HOSTS_LATE_US : HOSTS_CLOSED_US));
        return r == -ENOBUFS ? 0 : r;
}

void host_quit(struct host *host) {
        if (host->ticks && host->state != HOST_LEAVING && host_send(host, TICK_QUIT) != -ENOMEM) {
                host->state = HOST_LEAVING;
                if (host->n_hosted == 0) /* at a stop it is the runner that knows how long is waited */
                        kill_by(host, clock_now().bt_us + HOSTS_QUIT_US);
        }
        host_dirty(host); /* where it has no process it can go */
}

int host_on_closed(void *userdata, int error) {
        struct host *host = userdata;
        host->ticks = channel_free(host->ticks);
        host->state = HOST_LEAVING;
        if (error < 0) /* it speaks nonsense */
                return host_kill(host);
        kill_by(host, clock_now().bt_us + HOSTS_CLOSED_US); /* most likely it is dead, and the runner will say how it died */
        return 0;
}

int host_look(struct host *host, struct clock_sample now) {
        if (host->state == HOST_UP && host->is_stuck) {
                host->is_stuck = false;
                return send_waiting(host, now);
        }
        if (host->kill_bt_us == 0)
                return host_want(host, now);
        if (now.bt_us < host->kill_bt_us) {
                hosts_look_by(host->hosts, host->kill_bt_us);
                return 0;
        }
        host->kill_bt_us = 0;
        if (host->state == HOST_SYNC && is_busy(host)) { /* for as long as it may be */
                int64_t longest_us = hosts_longest(host->hosts, host);
                if (longest_us == DURATION_INFINITY || now.bt_us - host->up_bt_us <= longest_us + HOSTS_LATE_US) {
                        kill_by(host, now.bt_us + HOSTS_LATE_US);
                        return 0;
                }
        }
        if (!host->is_killed)
                return host_kill(host);
        struct wire_ended ended = {.run = host->run}; /* nobody will tell its end */
        ended.end = (struct run_end){
                .result = RUN_RESULT_CANCELLED, .exit_code = -1, .end_rt_us = now.rt_us, .end_bt_us = now.bt_us};
        return hosts_on_ended(host->hosts, now, &ended);
}

/* What a dead host has done, told or not: from its page, which may say anything. */
static int take_notes(struct host *host, const struct tick_page *page, struct clock_sample now) {
        struct hosts *hosts = host->hosts;
        uint64_t first = page->noted > TICK_RING ? page->noted - TICK_RING + 1 : 1;
        int r = 0;
        for (uint64_t n = 0, i = first; r == 0 && n < TICK_RING && n < page->noted; n++, i++) {
                enum run_result result = page->ring[i % TICK_RING].result;
                uint32_t tick = ticks_find(hosts, page->ring[i % TICK_RING].run);
                if (tick == INDEX_NONE || hosts->ticks[tick].host != host->row || hosts->ticks[tick].state == TICK_STATE_WAITS)
                        continue;
                if (result == RUN_RESULT_NONE)
                        hosts->ticks[tick].state = TICK_STATE_BEGUN;
                else if (result == RUN_RESULT_SUCCESS || result == RUN_RESULT_SKIPPED || result == RUN_RESULT_FINISHED ||
                         result == RUN_RESULT_FAILED)
                        r = ticks_fail(hosts, tick, now, result, RUN_STEP_NONE, 0);
        }
        return r;
}

/* Whose code was being executed when it died. */
static uint32_t find_culprit(const struct host *host, const struct tick_page *page) {
        const struct hosts *hosts = host->hosts;
        if (page->phase == TICK_PHASE_IDLE || page->phase >= TICK_PHASE_RENEW)
                return INDEX_NONE;
        uint32_t tick = page->current > 0 ? ticks_find(hosts, page->current) : INDEX_NONE;
        if (page->current > 0) /* what was noted of it before it was dead has ended it */
                return tick != INDEX_NONE && hosts->ticks[tick].host == host->row ? tick : INDEX_NONE;
        for (tick = host->first; tick != INDEX_NONE; tick = hosts->ticks[tick].next) {
                const struct hosted *hosted = &hosts->hosted[hosts->ticks[tick].hosted];
                if (hosted_is_loaded(hosted, host) && hosted->handle == page->handle)
                        return tick;
        }
        return INDEX_NONE;
}

/* A tick ends as its host did. */
static int end_with_host(struct hosts *hosts, uint32_t tick, struct clock_sample now, const struct run_end *end,
                         uint32_t phase) {
        struct wire_ended ended = {.end = *end};
        const struct tick *t = &hosts->ticks[tick];
        char text[160] = "";
        ended.end.start_bt_us = t->sent_bt_us < end->end_bt_us ? t->sent_bt_us : end->end_bt_us;
        ended.end.start_rt_us = now.rt_us - (now.bt_us - ended.end.start_bt_us);
        ended.end.cpu_us = 0; /* they were the host's */
        ended.end.memory_peak = 0;
        if (t->is_cancelled)
                ended.end.result = t->cancel;
        else if (run_result_is_good(end->result) || end->result == RUN_RESULT_CANCELLED || end->result == RUN_RESULT_TIMEOUT)
                ended.end.result = RUN_RESULT_FAILED;
        int n = snprintf(text, sizeof(text), "its host process died (%s) while it was %s", run_result_to_string(end->result),
                         phase == TICK_PHASE_LOAD ? "being loaded" : "being run");
        return ticks_end(hosts, tick, now, &ended, text, n > 0 ? (size_t)n : 0);
}

/* What becomes of what it had. */
static int settle_ticks(struct host *host, struct clock_sample now, const struct run_end *end, const struct tick_page *page,
                        uint32_t *ret_n_lost) {
        struct hosts *hosts = host->hosts;
        uint32_t culprit = page ? find_culprit(host, page) : INDEX_NONE;
        uint32_t phase = page ? page->phase : TICK_PHASE_IDLE;
        int r = 0;
        *ret_n_lost = 0;
        for (uint32_t tick = host->first, next; r == 0 && tick != INDEX_NONE; tick = next) {
                struct tick *t = &hosts->ticks[tick];
                next = t->next;
                if (end->result == RUN_RESULT_START_FAILED)
                        r = ticks_fail(hosts, tick, now, end->result, end->step, end->error);
                else if (t->state == TICK_STATE_WAITS)
                        continue;
                else if (tick == culprit || t->is_cancelled)
                        r = end_with_host(hosts, tick, now, end, phase);
                else if (t->state == TICK_STATE_BEGUN)
                        r = ticks_fail(hosts, tick, now, RUN_RESULT_INTERRUPTED, RUN_STEP_NONE, 0);
                else if (t->n_sends >= HOSTS_SENDS_MAX)
                        r = end_with_host(hosts, tick, now, end, phase);
                else {
                        t->state = TICK_STATE_WAITS;
                        t->deadline_bt_us = INT64_MAX;
                        t->n_sends -= culprit != INDEX_NONE; /* another's fault */
                        continue;
                }
                (*ret_n_lost)++;
        }
        return r;
}

static void tell_death(struct host *host, struct clock_sample now, const struct run_end *end, uint32_t n_lost) {
        char how[64] = "";
        if (end->signal > 0)
                snprintf(how, sizeof(how), " %d", end->signal);
        else if (end->exit_code >= 0)
                snprintf(how, sizeof(how), ", exit status %d", end->exit_code);
        if (host->told_bt_us > 0 && now.bt_us - host->told_bt_us < HOSTS_TELL_US)
                return;
        host->told_bt_us = now.bt_us;
        struct journal_record r = journal_begin(host->hosts->journal, EVENT_DEGRADED);
        journal_field(&r, "CHIMED_HOST", "%s", host->name);
        journal_send(&r, "The host process of %s has died (%s%s), with %" PRIu32 " run%s; deaths in a row: %" PRIu32,
                     host->name, host->is_killed ? "killed: it did not answer" : run_result_to_string(end->result),
                     host->is_killed ? "" : how, n_lost, n_lost == 1 ? "" : "s", host->n_deaths);
}

/* When the next one may be started. */
static void back_off(struct host *host, struct clock_sample now) {
        int64_t delay_us = HOSTS_BACKOFF_US;
        host->n_deaths = now.bt_us - host->up_bt_us >= HOSTS_GOOD_LIFE_US ? 1 : host->n_deaths + 1;
        for (uint32_t i = 2; i < host->n_deaths && delay_us < HOSTS_BACKOFF_MAX; i++)
                delay_us *= 2;
        if (delay_us > HOSTS_BACKOFF_MAX)
                delay_us = HOSTS_BACKOFF_MAX;
        host->not_before_bt_us = host->n_deaths > 1 ? now.bt_us + delay_us : 0;
}

int hosts_on_ended(struct hosts *hosts, struct clock_sample now, const struct wire_ended *ended) {
        struct host *host = hosts_find_by_run(hosts, ended->run);
        forget_expected(hosts, ended->run);
        if (!host)
                return 0;
        bool was_told = host->state == HOST_LEAVING && !host->is_killed;
        host->state = HOST_LEAVING;                          /* nothing more is sent */
        int r = host->ticks ? channel_poll(host->ticks) : 0; /* it may free the channel */
        struct tick_page *page = host->page ? malloc(sizeof(*page)) : NULL;
        if (host->page && !page)
                return -ENOMEM;
        if (page)
                memcpy(page, host->page, sizeof(*page));
        uint32_t n_lost = 0;
        if (r == 0 && page)
                r = take_notes(host, page, now);
        if (r == 0)
                r = settle_ticks(host, now, &ended->end, page, &n_lost);
        bool is_orderly = ended->end.exit_code == 0 && n_lost == 0 && (was_told || (page && page->phase == TICK_PHASE_RENEW));
        free(page);
        if (!is_orderly) {
                back_off(host, now);
                tell_death(host, now, &ended->end, n_lost);
        } else
                host->n_deaths = 0;
        host->ticks = channel_free(host->ticks);
        if (host->page)
                munmap((void *)host->page, sizeof(*host->page));
        host->page = NULL;
        host->state = HOST_DOWN;
        host->is_killed = host->is_greeted = host->is_late = host->is_stuck = false;
        host->kill_bt_us = 0;
        host->n_by_handle = 0;
        host->answered = host->acknowledged = host->mark_era = 0;
        host->last_handle = 0;
        (void)host_index_run(host, 0);
        if (r == 0)
                r = host_want(host, now);
        host_dirty(host); /* it may go */
        return r;
}

struct hosts *hosts_free(struct hosts *hosts) {
        if (!hosts)
                return NULL;
        for (size_t i = 0; i < hosts->n_hosts; i++) {
                struct host *host = hosts->list[i];
                if (!host)
                        continue;
                channel_free(host->ticks);
                if (host->page)
                        munmap((void *)host->page, sizeof(*host->page));
                free(host->by_handle);
                free(host->name);
                free(host);
        }
        for (size_t i = 0; i < hosts->n_hosted; i++)
                free(hosts->hosted[i].name);
        free(hosts->by_job);
        free(hosts->list);
        free(hosts->dirty);
        free(hosts->hosted);
        free(hosts->going);
        for (size_t i = 0; i < hosts->n_ticks; i++)
                free((void *)hosts->ticks[i].start.parameters);
        free(hosts->ticks);
        free(hosts->expected);
        index_done(&hosts->by_definition);
        index_done(&hosts->by_name);
        index_done(&hosts->by_hash);
        index_done(&hosts->by_run);
        index_done(&hosts->by_tick);
        pack_done(&hosts->pack);
        free(hosts);
        return NULL;
}
