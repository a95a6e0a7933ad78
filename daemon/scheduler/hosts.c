// SPDX-License-Identifier: MIT
// hosts: the tables: definitions by hash and by name, hosts by their hash and by their run.

#include "daemon/scheduler/hosts_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"

/* ---- the indexes ---- */

static uint64_t hash_text(const char *text) {
        static const uint8_t key[16];
        return hash_64(key, text, strlen(text));
}

static uint64_t definition_hash(const void *table, uint32_t row) {
        return ((const struct hosts *)table)->hosted[row].hash.word[0];
}

static bool definition_equal(const void *table, uint32_t row, const void *wanted) {
        return memcmp(&((const struct hosts *)table)->hosted[row].hash, wanted, sizeof(struct hash128)) == 0;
}

static uint64_t name_hash(const void *table, uint32_t row) {
        return hash_text(((const struct hosts *)table)->hosted[row].name);
}

static bool name_equal(const void *table, uint32_t row, const void *wanted) {
        return strcmp(((const struct hosts *)table)->hosted[row].name, wanted) == 0;
}

static uint64_t host_hash(const void *table, uint32_t row) {
        return hosts_row(table, row)->hash.word[0];
}

static bool host_equal(const void *table, uint32_t row, const void *wanted) {
        return memcmp(&hosts_row(table, row)->hash, wanted, sizeof(struct hash128)) == 0;
}

static uint64_t run_hash(const void *table, uint32_t row) {
        return index_hash_number(hosts_row(table, row)->run);
}

static bool run_equal(const void *table, uint32_t row, const void *wanted) {
        return hosts_row(table, row)->run == *(const uint64_t *)wanted;
}

uint32_t hosts_find_definition(const struct hosts *hosts, const struct hash128 *hash) {
        return index_find(&hosts->by_definition, hash->word[0], definition_equal, hosts, hash);
}

static uint32_t find_name(const struct hosts *hosts, const char *name) {
        return index_find(&hosts->by_name, hash_text(name), name_equal, hosts, name);
}

struct host *hosts_find_by_hash(const struct hosts *hosts, const struct hash128 *hash) {
        uint32_t row = index_find(&hosts->by_hash, hash->word[0], host_equal, hosts, hash);
        return row != INDEX_NONE ? hosts_row(hosts, row) : NULL;
}

struct host *hosts_find_by_run(const struct hosts *hosts, uint64_t run) {
        uint32_t row = index_find(&hosts->by_run, index_hash_number(run), run_equal, hosts, &run);
        return row != INDEX_NONE ? hosts_row(hosts, row) : NULL;
}

/* ---- hosts ---- */

static int reserve_host(struct hosts *hosts, uint32_t *ret) {
        for (size_t i = 0; i < hosts->n_hosts && hosts->n_hosts == hosts->allocated_hosts; i++)
                if (!hosts->list[i]) {
                        *ret = (uint32_t)i;
                        return 0;
                }
        if (hosts->n_hosts == hosts->allocated_hosts) {
                size_t n = hosts->allocated_hosts * 2 + 16;
                struct host **list = realloc(hosts->list, n * sizeof(struct host *));
                if (!list)
                        return -ENOMEM;
                hosts->list = list;
                uint32_t *dirty = realloc(hosts->dirty, n * sizeof(*dirty));
                if (!dirty)
                        return -ENOMEM;
                hosts->dirty = dirty;
                hosts->allocated_hosts = n;
        }
        hosts->list[hosts->n_hosts] = NULL;
        *ret = (uint32_t)hosts->n_hosts++;
        return 0;
}

struct host *hosts_add(struct hosts *hosts, const struct hash128 *hash, const char *name) {
        uint32_t row;
        struct host *host = calloc(1, sizeof(*host));
        if (!host || reserve_host(hosts, &row) < 0 || !(host->name = strdup(name))) {
                free(host);
                return NULL;
        }
        host->hosts = hosts;
        host->row = row;
        host->hash = *hash;
        host->first = host->last = INDEX_NONE;
        hosts->list[row] = host;
        if (index_add(&hosts->by_hash, hash->word[0], row, host_hash, hosts) < 0) {
                hosts->list[row] = NULL;
                free(host->name);
                free(host);
                return NULL;
        }
        return host;
}

int host_index_run(struct host *host, uint64_t run) {
        struct hosts *hosts = host->hosts;
        if (host->run > 0)
                index_remove(&hosts->by_run, index_hash_number(host->run), host->row, run_hash, hosts);
        host->run = run;
        return run > 0 ? index_add(&hosts->by_run, index_hash_number(run), host->row, run_hash, hosts) : 0;
}

void host_release(struct host *host) {
        struct hosts *hosts = host->hosts;
        if (host->state != HOST_DOWN || host->n_hosted > 0 || host->first != INDEX_NONE || host->is_dirty)
                return;
        (void)host_index_run(host, 0);
        index_remove(&hosts->by_hash, host->hash.word[0], host->row, host_hash, hosts);
        hosts->list[host->row] = NULL;
        free(host->name);
        free(host);
}

/* ---- definitions ---- */

void hosts_release(struct hosts *hosts, uint32_t row) {
        struct hosted *hosted = &hosts->hosted[row];
        struct host *host = hosts_row(hosts, hosted->host);
        if (!hosted->is_gone || hosted->n_ticks > 0)
                return;
        host_unload(host, hosted);
        index_remove(&hosts->by_definition, hosted->hash.word[0], row, definition_hash, hosts);
        free(hosted->name);
        *hosted = (struct hosted){.host = hosts->free_hosted};
        hosts->free_hosted = row;
        if (--host->n_hosted == 0)
                host_quit(host);
}

static int reserve_hosted(struct hosts *hosts, uint32_t *ret) {
        if (hosts->free_hosted != INDEX_NONE) {
                *ret = hosts->free_hosted;
                return 0;
        }
        if (hosts->n_hosted == hosts->allocated_hosted) {
                size_t n = hosts->allocated_hosted * 2 + 16;
                struct hosted *p = realloc(hosts->hosted, n * sizeof(*p));
                if (!p)
                        return -ENOMEM;
                hosts->hosted = p;
                hosts->allocated_hosted = n;
        }
        *ret = (uint32_t)hosts->n_hosted;
        return 0;
}

static void take_reserved(struct hosts *hosts, uint32_t row) {
        if (row == hosts->free_hosted)
                hosts->free_hosted = hosts->hosted[row].host;
        else
                hosts->n_hosted++;
}

/* The definition, which is not known yet, gets its host. */
static int add_definition(struct hosts *hosts, const struct wire_define *define) {
        uint32_t row;
        struct host *host = hosts_find_by_hash(hosts, &define->host_hash);
        char *name = strdup(define->name);
        int r = name ? reserve_hosted(hosts, &row) : -ENOMEM;
        if (r == 0 && !host)
                r = (host = hosts_add(hosts, &define->host_hash, define->host)) ? 0 : -ENOMEM;
        if (r < 0) {
                free(name);
                return r;
        }
        take_reserved(hosts, row);
        hosts->hosted[row] = (struct hosted){.hash = define->hash, .name = name, .host = host->row};
        r = index_add(&hosts->by_definition, define->hash.word[0], row, definition_hash, hosts);
        if (r == 0)
                r = index_add(&hosts->by_name, hash_text(name), row, name_hash, hosts);
        host->n_hosted++;
        return r; /* without memory all ends */
}

/* Another definition takes its name, or none does: with the commit. */
static int set_gone(struct hosts *hosts, uint32_t row) {
        struct hosted *hosted = &hosts->hosted[row];
        uint32_t *p = realloc(hosts->going, (hosts->n_going + 1) * sizeof(*p));
        if (!p)
                return -ENOMEM;
        hosts->going = p;
        p[hosts->n_going++] = row;
        hosted->n_ticks++; /* it stays until then */
        hosted->is_gone = true;
        index_remove(&hosts->by_name, hash_text(hosted->name), row, name_hash, hosts);
        return 0;
}

void hosts_commit(struct hosts *hosts) {
        for (size_t i = 0; i < hosts->n_going; i++) {
                hosts->hosted[hosts->going[i]].n_ticks--;
                hosts_release(hosts, hosts->going[i]);
        }
        hosts->n_going = 0;
}

int hosts_define(struct hosts *hosts, const struct wire_define *define) {
        uint32_t row = hosts_find_definition(hosts, &define->hash), other = find_name(hosts, define->name);
        int r = 0;
        if (other != INDEX_NONE && (other != row || !*define->host))
                r = set_gone(hosts, other);
        if (r < 0 || !*define->host)
                return r;
        if (row == INDEX_NONE) {
                r = add_definition(hosts, define);
                row = hosts_find_definition(hosts, &define->hash);
        } else if (row != other) { /* one that was gone is there again */
                hosts->hosted[row].is_gone = false;
                r = index_add(&hosts->by_name, hash_text(define->name), row, name_hash, hosts);
        }
        if (r < 0)
                return r;
        struct hosted *hosted = &hosts->hosted[row];
        hosted->timeout_us = define->host_timeout_us;
        hosted->grace_us = define->host_grace_us;
        hosted->capture_max = define->host_capture_max;
        return 0;
}

int hosts_remove(struct hosts *hosts, const char *name) {
        uint32_t row = find_name(hosts, name);
        return row != INDEX_NONE ? set_gone(hosts, row) : 0;
}

bool hosts_has(const struct hosts *hosts, const struct hash128 *definition) {
        return hosts_find_definition(hosts, definition) != INDEX_NONE;
}

/* ---- ticks ---- */

static uint32_t find_again(struct hosts *hosts, uint32_t job, const struct hash128 *hash) {
        uint32_t latest = job < hosts->n_by_job ? hosts->by_job[job] : INDEX_NONE;
        if (latest < hosts->n_hosted && hosts->hosted[latest].name && definition_equal(hosts, latest, hash))
                return latest;
        uint32_t row = hosts_find_definition(hosts, hash);
        if (row != INDEX_NONE && job >= hosts->n_by_job) {
                size_t n = (size_t)job + job / 4 + 64;
                uint32_t *p = realloc(hosts->by_job, n * sizeof(*p));
                if (!p)
                        return row;
                memset(p + hosts->n_by_job, 0xff, (n - hosts->n_by_job) * sizeof(*p));
                hosts->by_job = p;
                hosts->n_by_job = n;
        }
        if (row != INDEX_NONE)
                hosts->by_job[job] = row;
        return row;
}

int hosts_tick(struct hosts *hosts, struct clock_sample now, uint32_t job, const struct wire_start *start) {
        uint32_t row = find_again(hosts, job, &start->hash);
        if (row == INDEX_NONE)
                return 1;
        uint32_t tick = ticks_add(hosts, row, start);
        if (tick == INDEX_NONE) {
                struct wire_ended ended = {.run = start->run};
                ended.end = (struct run_end){.result = RUN_RESULT_START_FAILED,
                                             .exit_code = -1,
                                             .step = RUN_STEP_LINK,
                                             .error = ENOMEM,
                                             .end_rt_us = now.rt_us,
                                             .end_bt_us = now.bt_us};
                return hosts->shell.on_ended(hosts->userdata, now, &ended, NULL, 0);
        }
        struct host *host = hosts_row(hosts, hosts->hosted[row].host);
        return host->state == HOST_UP ? ticks_send(hosts, tick, now) : host_want(host, now);
}

int hosts_cancel(struct hosts *hosts, struct clock_sample now, uint64_t run) {
        uint32_t tick = ticks_find(hosts, run);
        return tick != INDEX_NONE ? ticks_cancel(hosts, tick, now, RUN_RESULT_CANCELLED) : 1;
}

/* ---- the runner ---- */

bool hosts_owns(const struct hosts *hosts, uint64_t run) {
        for (size_t i = 0; i < hosts->n_expected; i++)
                if (hosts->expected[i] == run)
                        return true;
        return hosts_find_by_run(hosts, run) != NULL;
}

int hosts_on_unloaded(struct hosts *hosts, struct clock_sample now, const struct wire_host_unloaded *unloaded) {
        struct host *host = hosts_find_by_run(hosts, unloaded->run);
        int r = 0;
        for (uint32_t tick = host ? host->first : INDEX_NONE, next; r == 0 && tick != INDEX_NONE; tick = next) {
                struct tick *t = &hosts->ticks[tick];
                next = t->next;
                struct hosted *hosted = &hosts->hosted[t->hosted];
                if (t->state == TICK_STATE_WAITS || !hosted_is_loaded(hosted, host) || hosted->handle != unloaded->handle)
                        continue;
                hosted->loaded_run = 0;
                r = ticks_fail(hosts, tick, now, RUN_RESULT_START_FAILED, RUN_STEP_DEFINITION, unloaded->error);
                break; /* a definition has one tick at a time */
        }
        return r;
}

const char *hosts_walk_known(const struct hosts *hosts, size_t *cursor) {
        while (*cursor < hosts->n_hosted) {
                const struct hosted *hosted = &hosts->hosted[(*cursor)++];
                if (hosted->name && hosts_row(hosts, hosted->host)->state == HOST_UP)
                        return hosted->name;
        }
        return NULL;
}

int64_t hosts_longest(const struct hosts *hosts, const struct host *host) {
        int64_t longest_us = 0;
        for (size_t i = 0; i < hosts->n_hosted; i++) {
                const struct hosted *hosted = &hosts->hosted[i];
                if (!hosted->name || hosted->host != host->row)
                        continue;
                if (hosted->timeout_us == DURATION_INFINITY)
                        return DURATION_INFINITY;
                if (hosted->timeout_us > longest_us)
                        longest_us = hosted->timeout_us;
        }
        return longest_us;
}

/* ---- time ---- */

int hosts_advance(struct hosts *hosts, struct clock_sample now) {
        if (now.bt_us < hosts->look_bt_us)
                return 0;
        int64_t next;
        int r = ticks_check(hosts, now, &next);
        if (hosts->sync_bt_us > 0 && hosts_sync(hosts, now) && r == 0)
                r = hosts->shell.on_synced(hosts->userdata);
        hosts->look_bt_us = hosts->sync_bt_us > 0 && hosts->sync_bt_us < next ? hosts->sync_bt_us : next;
        for (size_t i = 0; r == 0 && i < hosts->n_hosts; i++)
                if (hosts->list[i])
                        r = host_look(hosts->list[i], now);
        if (hosts->look_bt_us < now.bt_us + HOSTS_LOOK_US)
                hosts->look_bt_us = now.bt_us + HOSTS_LOOK_US;
        return r;
}

void hosts_pace(struct hosts *hosts, bool is_paced) {
        size_t n = 0;
        for (size_t i = 0; is_paced && i < hosts->n_hosts && n <= HOSTS_PACED_MAX; i++)
                n += hosts->list[i] && hosts->list[i]->ticks;
        is_paced &= n <= HOSTS_PACED_MAX;
        if (hosts->is_paced == is_paced)
                return;
        hosts->is_paced = is_paced;
        for (size_t i = 0; i < hosts->n_hosts; i++)
                if (hosts->list[i] && hosts->list[i]->ticks)
                        channel_rest(hosts->list[i]->ticks, is_paced);
}

int hosts_take(struct hosts *hosts) {
        int r = 0;
        for (size_t i = 0; hosts->is_paced && r == 0 && i < hosts->n_hosts; i++)
                if (hosts->list[i] && hosts->list[i]->ticks)
                        r = channel_take(hosts->list[i]->ticks);
        return r;
}

uint64_t hosts_sent(const struct hosts *hosts) {
        return hosts->n_sent;
}

bool hosts_is_busy(const struct hosts *hosts) {
        return hosts->by_tick.n > 0;
}

int64_t hosts_next_wake(const struct hosts *hosts) {
        return hosts->look_bt_us;
}

int hosts_flush(struct hosts *hosts) {
        for (size_t i = 0; i < hosts->n_dirty; i++) {
                struct host *host = hosts_row(hosts, hosts->dirty[i]);
                host->is_dirty = false;
                if (host->ticks)
                        (void)channel_flush(host->ticks); /* the loop will hear of an end */
                host_release(host);
        }
        hosts->n_dirty = 0;
        return 0;
}

void hosts_quit(struct hosts *hosts) {
        hosts->is_quitting = true;
        hosts_look_by(hosts, 0); /* what waits for a host waits no more */
        for (size_t i = 0; i < hosts->n_hosts; i++)
                if (hosts->list[i])
                        host_quit(hosts->list[i]);
}

void hosts_unload(struct hosts *hosts, const char *name) {
        uint32_t row = find_name(hosts, name);
        if (row != INDEX_NONE)
                host_unload(hosts_row(hosts, hosts->hosted[row].host), &hosts->hosted[row]);
}

/* ---- what is durable ---- */

void hosts_mark(struct hosts *hosts, uint64_t era) {
        for (size_t i = 0; i < hosts->n_hosts; i++) {
                struct host *host = hosts->list[i];
                if (!host || host->mark_era > 0 || host->answered == host->acknowledged)
                        continue;
                host->mark_era = era;
                host->marked = host->answered;
        }
}

void hosts_acknowledge(struct hosts *hosts, uint64_t kept_era) {
        for (size_t i = 0; i < hosts->n_hosts; i++) {
                struct host *host = hosts->list[i];
                if (!host || host->mark_era == 0 || host->mark_era > kept_era)
                        continue;
                host->mark_era = 0;
                wire_put_number(&hosts->pack, host->marked);
                if (host_send(host, TICK_ACK) == 0)
                        host->acknowledged = host->marked;
        }
}

void hosts_explain(const struct hosts *hosts, struct clock_sample now, const char *job, char *text, size_t size) {
        uint32_t row = find_name(hosts, job);
        const struct host *host = row != INDEX_NONE ? hosts_row(hosts, hosts->hosted[row].host) : NULL;
        char wait[96];
        *text = '\0';
        if (!host || host->state == HOST_UP || host->first == INDEX_NONE)
                return;
        if (host->state != HOST_DOWN)
                snprintf(text, size, "Its host process %s.", host->state == HOST_LEAVING ? "is ending" : "is starting");
        else if (host->not_before_bt_us > now.bt_us) {
                (void)duration_print(host->not_before_bt_us - now.bt_us, wait);
                snprintf(text, size, "Its host process has died %" PRIu32 " time%s in a row: it is started again in %s.",
                         host->n_deaths, host->n_deaths == 1 ? "" : "s", wait);
        }
}

/* ---- life ---- */

void hosts_set_epoch(struct hosts *hosts, uint64_t epoch, const uint8_t secret[static 16]) {
        hosts->epoch = epoch;
        memcpy(hosts->secret, secret, sizeof(hosts->secret));
}

int hosts_new(struct loop *loop, struct journal *journal, const struct hosts_shell *shell, void *userdata, struct hosts **ret) {
        struct hosts *hosts = calloc(1, sizeof(*hosts));
        if (!hosts)
                return -ENOMEM;
        hosts->loop = loop;
        hosts->journal = journal;
        hosts->shell = *shell;
        hosts->userdata = userdata;
        hosts->free_hosted = hosts->free_tick = INDEX_NONE;
        hosts->look_bt_us = INT64_MAX;
        *ret = hosts;
        return 0;
}
