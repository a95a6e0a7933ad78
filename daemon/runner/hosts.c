// SPDX-License-Identifier: MIT
// hosts: runs that are hosts: processes that do the work of many runs of jobs, a tick each.
// Ticks do not pass through here: scheduler and host have a socket of their own, of which both ends are made here and the scheduler's is
// kept, so that a host and what it has answered outlive a scheduler. What a host is to load comes from here alone, out of what was read:
// the scheduler names it by its hash. A host that does not read its orders holds up nobody: what it is to load waits as it was asked for.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "config/job_draft.h"
#include "daemon/core/tick.h"
#include "daemon/core/util.h"
#include "daemon/runner/runner_internal.h"

#define LOADS_MAX (1024 * 1024) /* that wait, of all hosts */
#define END_US    (2 * USEC_PER_SEC)

/* ---- the start ---- */

/* The host is a program of ours, but with all that the job says of a process. */
static int make_program(struct launch *l, const char *program, const char *name) {
        char **argv = NULL;
        int r = strv_take(&argv, 0, strdup("chimed-host"));

        if (r == 0)
                r = strv_take(&argv, 1, strdup(name));
        if (r == 0 && !(l->program = strdup(program)))
                r = -ENOMEM;
        if (r < 0) {
                strv_free(argv);
                return r;
        }
        strv_free(l->what.argv);
        l->what.argv = argv; /* given */
        return 0;
}

int hosts_prepare(const struct runner *runner, struct run *run, struct launch *l) {
        const char *name = definition_host_name(run->definition, &l->what);
        struct hash128 hash;
        int r = job_host_hash(&l->what, run->start.hash, &hash);

        if (r == 0)
                r = run_host_new(name, &hash, l->pass, &run->host);
        if (r == 0)
                r = make_program(l, runner->options->host, name);
        if (r < 0)
                return r;
        run->timeout_us = DURATION_INFINITY; /* Timeout= is that of a tick */
        run->kill_signal = SIGTERM;          /* which it knows, and passes on as KillSignal= says */
        run->kill_grace_us = run->kill_grace_us < DURATION_MAX - END_US ? run->kill_grace_us + END_US : DURATION_MAX;
        run->exits = (struct exit_classes){};
        run->tail.limit = 0;
        return 0;
}

/* ---- what it is to load ---- */

static int send_load(struct runner *runner, const struct run *run, const struct host_load *load) {
        const struct definition *definition = definitions_by_hash(&runner->definitions, &load->hash);
        struct pack what = {}, order = {};
        struct hash128 hash;

        if (!definition)
                return -ENOENT;
        int r = definition_host_hash(definition, &hash);
        if (r == 0 && memcmp(&hash, &run->host->hash, sizeof(hash)) != 0)
                r = -EPERM;
        if (r == 0) {
                definition_put_what(definition, &what);
                r = pack_result(&what);
        }
        if (r == 0) {
                order_put_load(&order, &(struct order_load){.handle = load->handle,
                                                            .hash = load->hash,
                                                            .owner = geteuid(),
                                                            .name = definition_name(definition),
                                                            .what = what.data,
                                                            .what_size = what.size});
                r = pack_result(&order);
        }
        if (r == 0)
                r = channel_send_alone(run->host->orders_fd, ORDER_LOAD, order.data, order.size);
        pack_done(&what);
        pack_done(&order);
        return r;
}

static void drop_loads(struct runner *runner, struct run_host *host, size_t n) {
        runner->n_host_loads -= n;
        run_host_drop_loads(host, n);
        if (host->n_loads == 0)
                host->source = loop_source_free(host->source);
}

/* It has read: what waits is sent, as much as there is room for. */
static int on_room(void *userdata, uint32_t events) {
        struct run *run = userdata;
        struct run_host *host = run->host;
        size_t n = 0;

        (void)events;
        for (int r = 0; n < host->n_loads && r != -EAGAIN; n += r != -EAGAIN) {
                r = send_load(run->owner, run, &host->loads[n]);
                if (r < 0 && r != -EAGAIN)
                        link_tell_unloaded(run->owner, run->start.run, host->loads[n].handle, r);
        }
        drop_loads(run->owner, host, n);
        return 0;
}

static int wait_for_room(struct runner *runner, struct run *run) {
        if (run->host->source)
                return 0;
        return loop_add_io(runner->loop, run->host->orders_fd, EPOLLOUT, on_room, run, &run->host->source);
}

/* It has not read enough. */
static int keep_load(struct runner *runner, struct run *run, const struct host_load *load) {
        int r = runner->n_host_loads < LOADS_MAX ? wait_for_room(runner, run) : -ENOBUFS;

        if (r == 0)
                r = run_host_keep_load(run->host, load);
        runner->n_host_loads += r == 0;
        return r;
}

void hosts_load(struct runner *runner, const struct wire_host_load *load) {
        const struct host_load ask = {.handle = load->handle, .hash = load->hash};
        struct run *run = run_table_find(&runner->runs, load->run);
        int r = -ESRCH;

        if (run && run->host && run->host->orders_fd >= 0)
                r = run->host->n_loads > 0 ? -EAGAIN : send_load(runner, run, &ask);
        if (r == -EAGAIN)
                r = keep_load(runner, run, &ask);
        if (r < 0)
                link_tell_unloaded(runner, load->run, load->handle, r);
}

/* ---- its life ---- */

void hosts_forget_loads(struct runner *runner) {
        for (struct run *run = run_table_walk(&runner->runs, NULL); run && runner->n_host_loads > 0;
             run = run_table_walk(&runner->runs, run))
                if (run->host)
                        drop_loads(runner, run->host, run->host->n_loads);
}

void hosts_end(struct runner *runner, struct run *run) {
        if (!run->host)
                return;
        drop_loads(runner, run->host, run->host->n_loads);
        run->host->orders_fd = util_close(run->host->orders_fd);
}
