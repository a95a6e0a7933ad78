// SPDX-License-Identifier: MIT
// run_codec: the one versioned writer and reader of the run table.
// Starts and ends go in the link's own form. What is read must make sense and leave nothing over.

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>

#include "daemon/core/util.h"
#include "daemon/runner/run_table.h"

static void write_nested(struct pack *p, const struct pack *inner) {
        pack_u32(p, (uint32_t)inner->size);
        pack_raw(p, inner->data, inner->size);
}

static void write_start(struct pack *p, const struct run *run) {
        struct pack start = {};

        wire_put_start(&start, &run->start);
        if (pack_result(&start) < 0)
                p->error = p->error ? p->error : pack_result(&start);
        write_nested(p, &start);
        pack_string(p, run->name);
        pack_done(&start);
}

void run_put_ended(const struct run *run, struct pack *p) {
        struct wire_ended ended = {.run = run->start.run, .end = run->end};

        memcpy(ended.condition, run->condition, sizeof(ended.condition));
        wire_put_ended(p, &ended);
}

static void write_end(struct pack *p, const struct run *run) {
        struct pack end = {};

        if (run->phase == RUN_PHASE_ENDED)
                run_put_ended(run, &end);
        if (pack_result(&end) < 0)
                p->error = p->error ? p->error : pack_result(&end);
        write_nested(p, &end);
        pack_done(&end);
}

static void write_stream(struct pack *p, const struct output_stream *stream) {
        pack_u32(p, (uint32_t)stream->fd);
        pack_bytes(p, stream->partial, stream->partial_size);
        pack_u8(p, stream->is_continued);
        pack_u8(p, stream->level);
}

static void write_tail(struct pack *p, const struct output_tail *tail) {
        const char *data;
        size_t n;

        pack_u32(p, (uint32_t)tail->limit);
        pack_u32(p, (uint32_t)tail->size);
        for (size_t offset = 0; (n = output_tail_read(tail, offset, SIZE_MAX, &data)) > 0; offset += n)
                pack_raw(p, data, n);
}

static void write_run(struct pack *p, const struct run *run) {
        write_start(p, run);
        pack_u8(p, run->phase);
        pack_u32(p, (uint32_t)run->pid);
        pack_i64(p, run->start_rt_us);
        pack_i64(p, run->start_bt_us);
        pack_i64(p, run->start_awake_us);
        pack_i64(p, run->timeout_us);
        pack_i64(p, run->kill_grace_us);
        pack_u32(p, (uint32_t)run->kill_signal);
        exit_classes_pack(&run->exits, p);
        pack_u8(p, run->stop);
        pack_u8(p, run->stop_result);
        pack_i64(p, run->stop_bt_us);
        pack_i64(p, run->deadline_bt_us);
        pack_u8(p, run->n_questions);
        pack_u8(p, run->n_answered);
        pack_u8(p, run->is_unit);
        pack_u8(p, run->is_main_gone);
        pack_string(p, run->cgroup);
        pack_i64(p, run->cgroup_cpu_us);
        pack_u64(p, run->cgroup_oom_kills);
        pack_i64(p, run->end.end_rt_us);
        pack_i64(p, run->end.end_bt_us);
        pack_u32(p, (uint32_t)run->pidfd);
        run_host_put(run->host, p);
        write_stream(p, &run->streams[0]);
        write_stream(p, &run->streams[1]);
        write_tail(p, &run->tail);
        pack_u64(p, run->budget.n_lines_out);
        pack_u64(p, run->budget.n_bytes_out);
        write_end(p, run);
}

int run_table_write(const struct run_table *t, struct pack *p) {
        for (struct run *run = run_table_walk(t, NULL); run; run = run_table_walk(t, run))
                if (run->phase == RUN_PHASE_LAUNCHING)
                        return -EBUSY;
        pack_u16(p, RUN_TABLE_VERSION);
        pack_u16(p, WIRE_VERSION);
        pack_u64(p, t->numbers.next);
        pack_u32(p, (uint32_t)t->n);
        for (struct run *run = run_table_walk(t, NULL); run; run = run_table_walk(t, run))
                write_run(p, run);
        return pack_result(p);
}

static int read_start(struct unpack *u, struct run_table *t, struct run **ret) {
        struct wire_start start;
        uint32_t size = unpack_u32(u);
        const void *data = unpack_raw(u, size);
        _cleanup_free_ char *name = NULL;
        const char *why;
        int r = data ? wire_get_start(data, size, &start) : -EBADMSG;

        if (r == 0)
                r = unpack_string(u, &name);
        if (r < 0)
                return r;
        if (run_table_find(t, start.run) || (name[0] && !job_name_is_valid(name, &why))) /* "": its hash is unknown */
                return -EBADMSG;
        return run_table_add(t, &start, name, ret);
}

static int read_end(struct unpack *u, struct run_table *t, struct run *run) {
        struct wire_ended ended;
        uint32_t size = unpack_u32(u);
        const void *data = unpack_raw(u, size);

        if (run->phase != RUN_PHASE_ENDED)
                return data && size == 0 ? 0 : -EBADMSG;
        run->phase = RUN_PHASE_RUNNING;
        run_table_end(t, run);
        int r = data ? wire_get_ended(data, size, &ended) : -EBADMSG;
        if (r == 0 && ended.run != run->start.run)
                r = -EBADMSG;
        if (r == 0) {
                run->end = ended.end;
                memcpy(run->condition, ended.condition, sizeof(run->condition));
        }
        return r;
}

static bool is_descriptor(int fd) {
        return fd == -1 || fd > STDERR_FILENO;
}

static int read_fd(struct unpack *u) {
        int fd = (int)unpack_u32(u);

        u->bad = u->bad || !is_descriptor(fd);
        return fd;
}

static int read_host(struct unpack *u, struct run *run) {
        int r = run_host_get(u, &run->host);

        if (r < 0 || !run->host)
                return r;
        bool are_descriptors =
                is_descriptor(run->host->ticks_fd) && is_descriptor(run->host->page_fd) && is_descriptor(run->host->orders_fd);
        return are_descriptors && run->start.is_host ? 0 : -EBADMSG;
}

static int read_stream(struct unpack *u, struct output_stream *stream) {
        size_t size;

        stream->fd = read_fd(u);
        const void *data = unpack_bytes(u, &size);
        stream->is_continued = unpack_u8(u);
        stream->level = unpack_u8(u);
        if (!data || size >= OUTPUT_LINE_MAX || stream->level > LOG_DEBUG)
                return -EBADMSG;
        if (size == 0)
                return 0;
        stream->partial = malloc(OUTPUT_LINE_MAX);
        if (!stream->partial)
                return -ENOMEM;
        memcpy(stream->partial, data, size);
        stream->partial_size = size;
        return 0;
}

static int read_tail(struct unpack *u, struct run_table *t, struct run *run) {
        run->tail.limit = unpack_u32(u);
        uint32_t size = unpack_u32(u);
        const void *data = unpack_raw(u, size);

        if (!data || run->tail.limit > JOB_CAPTURE_MAX || size > run->tail.limit)
                return -EBADMSG;
        run_table_add_tail(t, run, data, size);
        run->budget.n_lines_out = unpack_u64(u);
        run->budget.n_bytes_out = unpack_u64(u);
        return 0;
}

static void read_cgroup(struct unpack *u, struct run *run) {
        size_t size, job_size = strlen(run->name);
        const char *name = unpack_bytes(u, &size);

        run->cgroup_cpu_us = unpack_i64(u);
        run->cgroup_oom_kills = unpack_u64(u);
        if (!name || size >= sizeof(run->cgroup) ||
            (size > 0 && (strncmp(name, run->name, job_size) != 0 || name[job_size] != '@'))) {
                u->bad = true;
                return;
        }
        memcpy(run->cgroup, name, size);
}

/* Reads the plain members; whether they make sense is left to is_sane(). */
static void read_plain(struct unpack *u, struct run *run) {
        run->phase = (enum run_phase)unpack_u8(u);
        run->pid = (int32_t)unpack_u32(u);
        run->start_rt_us = unpack_i64(u);
        run->start_bt_us = unpack_i64(u);
        run->start_awake_us = unpack_i64(u);
        run->timeout_us = unpack_i64(u);
        run->kill_grace_us = unpack_i64(u);
        run->kill_signal = (int32_t)unpack_u32(u);
        exit_classes_unpack(u, &run->exits);
        run->stop = (enum run_stop)unpack_u8(u);
        run->stop_result = (enum run_result)unpack_u8(u);
        run->stop_bt_us = unpack_i64(u);
        run->deadline_bt_us = unpack_i64(u);
        run->n_questions = unpack_u8(u);
        run->n_answered = unpack_u8(u);
        run->is_unit = unpack_u8(u);
        run->is_main_gone = unpack_u8(u);
        read_cgroup(u, run);
        run->end.end_rt_us = unpack_i64(u); /* of a main process that left others behind */
        run->end.end_bt_us = unpack_i64(u);
        run->pidfd = read_fd(u);
}

static bool is_sane(const struct run *run) {
        return (run->phase == RUN_PHASE_RUNNING || run->phase == RUN_PHASE_ENDED) && run->stop < RUN_STOP_MAX &&
               run->n_questions <= JOB_CONDITIONS_MAX && run->stop_result < RUN_RESULT_MAX && run->kill_signal >= 0 &&
               run->kill_signal <= 64 && run->timeout_us >= 0 && run->kill_grace_us >= 0 &&
               (run->phase == RUN_PHASE_ENDED || (run->pid > 1 && run->pidfd >= 3));
}

static int read_run(struct unpack *u, struct run_table *t) {
        struct run *run;
        int r = read_start(u, t, &run);

        if (r < 0)
                return r;
        read_plain(u, run);
        r = read_host(u, run);
        if (r == 0)
                r = read_stream(u, &run->streams[0]);
        if (r == 0)
                r = read_stream(u, &run->streams[1]);
        if (r == 0)
                r = read_tail(u, t, run);
        if (r == 0 && (u->bad || !is_sane(run)))
                r = -EBADMSG;
        return r == 0 ? read_end(u, t, run) : r;
}

/* All descriptors of a run, -1 among them. */
struct descriptors {
        int *fds[6];
        size_t n;
};

static struct descriptors descriptors_of(struct run *run) {
        struct descriptors d = {{&run->pidfd, &run->streams[0].fd, &run->streams[1].fd}, 3};

        if (run->host) {
                d.fds[d.n++] = &run->host->ticks_fd;
                d.fds[d.n++] = &run->host->page_fd;
                d.fds[d.n++] = &run->host->orders_fd;
        }
        return d;
}

/* So that a table that is no good closes nothing. */
static void forget_descriptors(struct run_table *t) {
        for (struct run *run = run_table_walk(t, NULL); run; run = run_table_walk(t, run)) {
                struct descriptors d = descriptors_of(run);
                for (size_t i = 0; i < d.n; i++)
                        *d.fds[i] = -1;
        }
}

int run_table_keep(const struct run_table *t, bool is_kept) {
        for (struct run *run = run_table_walk(t, NULL); run; run = run_table_walk(t, run)) {
                struct descriptors d = descriptors_of(run);
                for (size_t i = 0; i < d.n; i++)
                        if (*d.fds[i] >= 0 && fcntl(*d.fds[i], F_SETFD, is_kept ? 0 : FD_CLOEXEC) < 0)
                                return -errno;
        }
        return 0;
}

int run_table_read(struct run_table *t, const void *data, size_t size) {
        struct unpack u = unpack_from(data, size);
        bool is_known = unpack_u16(&u) == RUN_TABLE_VERSION;

        is_known &= unpack_u16(&u) == WIRE_VERSION;
        if (u.bad || !is_known)
                return u.bad ? -EBADMSG : -EPROTONOSUPPORT;
        uint64_t next_run = unpack_u64(&u);
        uint32_t n = unpack_u32(&u);
        int r = n <= RUN_TABLE_MAX ? 0 : -EBADMSG;
        for (uint32_t i = 0; i < n && r == 0; i++)
                r = read_run(&u, t);
        if (r == 0)
                r = unpack_finish(&u);
        if (r == 0 && next_run < t->numbers.next)
                r = -EBADMSG;
        if (r < 0) {
                forget_descriptors(t);
                run_table_done(t);
                return r;
        }
        t->numbers.next = next_run;
        return 0;
}
