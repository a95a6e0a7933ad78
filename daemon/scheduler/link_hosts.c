// SPDX-License-Identifier: MIT
// link_hosts: what hosts ask of the runner and tell of their ticks, as the link's: starts to records, ends to the engine.

#include "daemon/scheduler/link_internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/core/descriptors.h"
#include "daemon/core/util.h"

#define ACKNOWLEDGE_US (200 * USEC_PER_MSEC) /* without a ledger: at once, but where ticks are many so often */

/* ---- to the runner ---- */

static int do_start(void *userdata, const struct wire_start *start) {
        struct link *link = userdata;
        wire_put_start(&link->pack, start);
        return link_send(link, WIRE_START);
}

static int do_load(void *userdata, const struct wire_host_load *load) {
        struct link *link = userdata;
        wire_put_host_load(&link->pack, load);
        return link_send(link, WIRE_HOST_LOAD);
}

static int do_kill(void *userdata, uint64_t run) {
        struct link *link = userdata;
        wire_put_kill(&link->pack, &(struct wire_kill_run){.run = run, .how = WIRE_KILL_FORCE});
        return link_send(link, WIRE_KILL);
}

static uint64_t take_run(void *userdata) {
        struct link *link = userdata;
        return engine_take_run(link->engine);
}

/* ---- of their ticks ---- */

static int read_clock(void *userdata, struct clock_sample *ret) {
        return link_read_clock(userdata, ret);
}

static int on_known(void *userdata, struct clock_sample now, const struct wire_run *run) {
        struct link *link = userdata;
        int r = engine_adopt(link->engine, now, run);
        if (r == 0) /* the host has it, so it will be done: when it begins, or has begun, its end tells */
                engine_started(
                        link->engine, now,
                        &(struct wire_started){.run = run->start.run, .start_rt_us = now.rt_us, .start_bt_us = now.bt_us});
        return r;
}

static int on_begun(void *userdata, struct clock_sample now, const struct wire_started *started) {
        struct link *link = userdata;
        engine_started(link->engine, now, started);
        return link_take_some(link, now);
}

/* A tick that could not even be sent ends while actions are taken: the engine hears of it, its actions come behind. */
static int on_ended(void *userdata, struct clock_sample now, const struct wire_ended *ended, const void *value,
                    size_t value_size) {
        struct link *link = userdata;
        if (link->is_taking) {
                (void)engine_ended(link->engine, now, ended);
                return 0;
        }
        link->has_answers = true;
        pack_clear(&link->value);
        link->value.limit = JOB_CAPTURE_MAX;
        pack_raw(&link->value, value, value_size);
        link->value_run = value_size > 0 ? ended->run : 0;
        (void)engine_ended(link->engine, now, ended);
        int r = link_take_some(link, now);
        pack_clear(&link->value);
        link->value_run = 0;
        return r;
}

static int on_synced(void *userdata) {
        struct link *link = userdata;
        return link->is_commit_waiting ? link_commit_now(link) : 0;
}

/* ---- their descriptors ---- */

static int on_arrival(void *userdata, uint32_t events) {
        struct link *link = userdata;
        struct wire_host_arrival arrival;
        int fds[2];
        (void)events;
        for (;;) {
                arrival.run = 0;
                int r = descriptors_receive(link->hosts_fd, &arrival, sizeof(arrival), fds, 2);
                if (r == -EAGAIN)
                        return 0;
                if (r == -EBADMSG &&
                    hosts_owns(link->hosts, arrival.run)) { /* we have no room for them: the next one may have it */
                        struct journal_record record = journal_begin(link->journal, EVENT_DEGRADED);
                        journal_send(&record, "A host process can't be used: too many open files");
                        r = do_kill(link, arrival.run);
                        if (r < 0 && r != -ENOBUFS)
                                return r;
                        continue;
                }
                if (r != 0) { /* the link itself will end, too */
                        link->hosts_source = loop_source_free(link->hosts_source);
                        return r == 1 ? 0 : r;
                }
                struct clock_sample now;
                r = link_read_clock(link, &now);
                if (r < 0) {
                        util_close(fds[0]);
                        util_close(fds[1]);
                } else
                        r = hosts_on_descriptors(link->hosts, now, arrival.run, &arrival.host_hash, fds[0], fds[1]);
                if (r < 0)
                        return r;
        }
}

void link_explain_host(const struct link *link, struct clock_sample now, const char *job, char *text, size_t size) {
        hosts_explain(link->hosts, now, job, text, size);
}

void link_hosts_settle(struct link *link, struct clock_sample now) {
        if (vault_is_on(link->vault)) {
                uint64_t era = vault_era(link->vault);
                if (era > link->marked_era) {
                        link->marked_era = era;
                        hosts_mark(link->hosts, era);
                }
        } else if (link->has_answers && (!link->is_paced || now.bt_us - link->acknowledged_bt_us >= ACKNOWLEDGE_US)) {
                link->has_answers = false;
                link->acknowledged_bt_us = now.bt_us;
                hosts_mark(link->hosts, 1);
                hosts_acknowledge(link->hosts, 1);
        }
}

int link_hosts_new(struct link *link, int fd) {
        static const struct hosts_shell shell = {
                .read_clock = read_clock,
                .start = do_start,
                .load = do_load,
                .kill = do_kill,
                .take_run = take_run,
                .on_known = on_known,
                .on_begun = on_begun,
                .on_ended = on_ended,
                .on_synced = on_synced,
        };
        link->hosts_fd = fd;
        int r = hosts_new(link->loop, link->journal, &shell, link, &link->hosts);
        if (r == 0 && fd >= 0)
                r = loop_add_io(link->loop, fd, EPOLLIN, on_arrival, link, &link->hosts_source);
        return r;
}

void link_hosts_done(struct link *link) {
        loop_source_free(link->hosts_source);
        util_close(link->hosts_fd);
        link->hosts = hosts_free(link->hosts);
}
