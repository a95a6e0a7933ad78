// SPDX-License-Identifier: MIT
// fake_scheduler: a scheduler whose name says what it does (a mode of test_link.c's rows) and that writes down what it sees, in the
// file "log" beside it.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/unit/runner/fake_host.h"

/* Bytes that are no message of the link. */
static void send_raw(const void *data, size_t size) {
        if (send(3, data, size, MSG_NOSIGNAL) < 0)
                _exit(1);
}

static void send_random(struct fake *f) {
        uint8_t data[4096];

        srand((unsigned)f->n_lives);
        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t)rand();
        send_raw(data, sizeof(data));
}

/* A descriptor that must not reach the runner. */
static void send_descriptor(void) {
        uint8_t data[16] = {0};
        struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
        union {
                struct cmsghdr header;
                uint8_t space[CMSG_SPACE(sizeof(int))];
        } control = {0};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        int fd = 0;

        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        if (sendmsg(3, &message, MSG_NOSIGNAL) < 0)
                _exit(1);
}

static int send_hello(struct fake *f, uint16_t version, uint64_t epoch) {
        struct wire_hello hello = f->hello;

        hello.version = version;
        hello.epoch = epoch;
        wire_put_hello(&f->pack, &hello);
        return put(f, WIRE_HELLO);
}

static int send_start(struct fake *f, uint64_t run, struct hash128 hash) {
        wire_put_start(&f->pack, &(struct wire_start){.run = run, .hash = hash, .attempt = 1, .cause = RUN_CAUSE_SCHEDULE});
        return put(f, WIRE_START);
}

static int send_parameters(struct fake *f, uint64_t run, const char *parameters, size_t size) {
        wire_put_start(&f->pack, &(struct wire_start){.run = run,
                                                      .hash = f->hash,
                                                      .attempt = 1,
                                                      .item = WIRE_ITEM_TRIGGER,
                                                      .cause = RUN_CAUSE_TRIGGER,
                                                      .parameters = parameters,
                                                      .parameters_size = size});
        return put(f, WIRE_START);
}

static int send_reload(struct fake *f, uint64_t number) {
        wire_put_number(&f->pack, number);
        return put(f, WIRE_RELOAD);
}

static int send_watch(struct fake *f, bool is_on) {
        wire_put_watch(&f->pack, &(struct wire_watch_run){.run = f->run, .is_on = is_on});
        return put(f, WIRE_WATCH);
}

enum { WORD_TWO = 2, WORD_THREE = 3 }; /* numbers of the questions that the words of "talk" wait for */

static int send_describe(struct fake *f, uint64_t number, const char *name) {
        wire_put_describe(&f->pack, &(struct wire_describe){.number = number, .name = name});
        return put(f, WIRE_DESCRIBE);
}

static void touch(const struct fake *f, const char *name) {
        char path[160];

        snprintf(path, sizeof(path), "%s/%s", f->folder, name);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static int on_hello(struct fake *f) {
        f->run = f->hello.next_run;
        note(f, "life %d\n", f->n_lives);
        if (is_mode(f, "random") && f->n_lives < 3)
                send_random(f);
        else if (is_mode(f, "descriptor") && f->n_lives < 2)
                send_descriptor();
        else if (is_mode(f, "version") && f->n_lives < 2)
                return send_hello(f, WIRE_VERSION + 1, f->hello.epoch + 1);
        else if (is_mode(f, "epoch") && f->n_lives == 2)
                return send_hello(f, WIRE_VERSION, f->hello.epoch);
        else if (is_mode(f, "early") && f->n_lives < 2)
                return send_start(f, f->run, f->hash);
        else
                return send_hello(f, WIRE_VERSION, f->hello.epoch + 1);
        return 0;
}

/* Whether the runner may open descriptors. */
static void let_open(bool is_allowed) {
        struct rlimit limit;

        if (prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit) < 0)
                _exit(1);
        limit.rlim_cur = is_allowed ? limit.rlim_max : 3;
        if (prlimit(getppid(), RLIMIT_NOFILE, &limit, NULL) < 0)
                _exit(1);
}

/* What the mode does once it may start runs. */
static int on_commit(struct fake *f) {
        struct hash128 unknown = {.word = {1, 2}};

        note(f, "up %d\n", f->n_lives);
        if (is_mode(f, "epoch") && f->n_lives == 1)
                _exit(0);
        if (strncmp(f->mode, "host", 4) == 0)
                return begin_hosts(f);
        if (is_mode(f, "unknown"))
                return send_start(f, f->run, unknown);
        if (is_mode(f, "short") && f->n_lives < 2) {
                pack_u32(&f->pack, 1);
                return put(f, WIRE_START);
        }
        if (is_mode(f, "type") && f->n_lives < 2) {
                pack_u32(&f->pack, 1);
                return put(f, WIRE_DEFINE);
        }
        if (is_mode(f, "kill")) {
                int r = send_start(f, f->run, f->hash);
                wire_put_kill(&f->pack, &(struct wire_kill_run){.run = f->run, .how = WIRE_KILL_FORCE});
                return r < 0 ? r : put(f, WIRE_KILL);
        }
        if (is_mode(f, "huge") && f->n_lives < 2)
                return send_start(f, UINT64_MAX - 1, f->hash);
        if (is_mode(f, "last-words") && f->n_lives < 2) {
                send_start(f, f->run, f->hash);
                kill(getpid(), SIGKILL);
        }
        if ((is_mode(f, "replay") || is_mode(f, "order")) && f->n_lives < 2)
                return send_start(f, f->run, f->hash);
        if (is_mode(f, "promise")) { /* a number that was promised is used after a later one */
                int r = send_start(f, f->run + 1, f->hash);
                return r < 0 ? r : send_start(f, f->run, f->hash);
        }
        if (is_mode(f, "watch"))
                return send_start(f, f->run, f->hash);
        if (is_mode(f, "parameters")) { /* the job accepts FROM, and not TO */
                int r = send_parameters(f, f->run, "FROM=a\0TO=b", sizeof("FROM=a\0TO=b"));
                return r < 0 ? r : send_parameters(f, f->run + 1, "FROM=a b", sizeof("FROM=a b"));
        }
        if (is_mode(f, "trigger") && f->n_lives < 2) {
                wire_put_start(&f->pack,
                               &(struct wire_start){.run = f->run, .hash = f->hash, .attempt = 1, .segment = 3, .key = 7});
                return put(f, WIRE_START);
        }
        if (is_mode(f, "describe")) {
                int r = send_describe(f, 5, "other");
                if (r == 0)
                        r = send_describe(f, 6, "absent");
                return r < 0 ? r : send_describe(f, 7, "mark");
        }
        if (is_mode(f, "reload") && f->n_commits == 1) {
                int r = send_reload(f, 1); /* begins a reading at once, so it is not the second one's */
                return r < 0 ? r : send_reload(f, 2);
        }
        if (is_mode(f, "reload-fails") && f->n_commits == 1) {
                touch(f, "reader-fails");
                return send_reload(f, 1);
        }
        if (is_mode(f, "reload-begins-not")) {
                let_open(f->n_commits > 1);
                return f->n_commits > 1 ? 0 : send_reload(f, 1);
        }
        if (is_mode(f, "reload-dies") && f->n_lives < 2) {
                send_reload(f, 7);
                kill(getpid(), SIGKILL);
        }
        if (is_mode(f, "reload-dies") && f->n_commits == 1)
                return send_reload(f, 1);
        return 0;
}

static int on_described(struct fake *f, const void *payload, size_t size) {
        struct wire_described d;

        if (wire_get_described(payload, size, &d) < 0)
                return -EBADMSG;
        note(f, "described %llu: %s line %u %.30s user '%s' in %s\n", (unsigned long long)d.number,
             d.is_known ? "known" : "unknown", d.line, d.command, d.user, *d.file ? d.file + strlen(f->folder) : "-");
        if (is_mode(f, "watch")) /* what was sent before the question has been heard */
                touch(f, d.number == WORD_TWO ? "go-two" : "go-three");
        wire_described_done(&d);
        return 0;
}

static int on_files(struct fake *f, const void *payload, size_t size) {
        char *text = NULL;

        if (f->n_commits > 0 || wire_get_text(payload, size, &text) < 0)
                return -EBADMSG;
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
                note(f, "file %s\n", line + strlen(f->folder));
        free(text);
        return 0;
}

/* The run of "talk": its output is wanted from here on. */
static int on_started(struct fake *f) {
        note(f, "started\n");
        if (!is_mode(f, "watch"))
                return 0;
        int r = send_watch(f, true);
        return r < 0 ? r : send_describe(f, WORD_TWO, "talk");
}

/* And after its first word no more. */
static int on_output(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct fake *f = userdata;
        struct wire_bytes piece;

        if (type != WIRE_OUTPUT || wire_get_bytes(payload, size, &piece) < 0)
                return -EBADMSG;
        note(f, "output %.*s", (int)piece.size, (const char *)piece.data);
        int r = send_watch(f, false);
        return r < 0 ? r : send_describe(f, WORD_THREE, "talk");
}

static int on_ended(struct fake *f, const struct wire_ended *ended) {
        note(f, "ended %s %s %s\n", run_result_to_string(ended->end.result), run_step_to_string(ended->end.step),
             ended->end.error > 0 ? strerrorname_np(ended->end.error) : "-");
        if (is_mode(f, "replay") && f->n_lives < 2)
                return send_start(f, ended->run, f->hash);
        if (is_mode(f, "order") && f->n_lives < 2) { /* it leaves a result that it has not acknowledged, and a second run */
                send_start(f, ended->run + 1, f->hash);
                kill(getpid(), SIGKILL);
        }
        wire_put_number(&f->pack, ended->run);
        int r = put(f, WIRE_ACK);
        if (r < 0 || !is_mode(f, "trigger"))
                return r;
        if (f->n_ended++ == 1)
                _exit(0);
        wire_put_start(&f->pack, &(struct wire_start){.run = ended->run + 1,
                                                      .hash = f->hash,
                                                      .attempt = 1,
                                                      .item = WIRE_ITEM_TRIGGER,
                                                      .cause = RUN_CAUSE_TRIGGER,
                                                      .slot_us = 5,
                                                      .slot_rt_us = 1763694000000000});
        return put(f, WIRE_START);
}

static int on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct fake *f = userdata;
        struct wire_define define;
        struct wire_commit commit;
        struct wire_ended ended;
        struct wire_run run;

        switch (type) {
        case WIRE_HELLO:
                return wire_get_hello(payload, size, &f->hello) < 0 ? -EBADMSG : on_hello(f);
        case WIRE_DEFINE:
                if (wire_get_define(payload, size, &define) < 0)
                        return -EBADMSG;
                if (strcmp(define.name, is_mode(f, "watch") ? "talk" : "mark") == 0) {
                        f->hash = define.hash;
                        note(f, "known\n");
                }
                if (define.has_trail)
                        note(f, "trail %u %lld run %llu %s\n", define.trail.segment, (long long)define.trail.key,
                             (unsigned long long)define.trail.run, run_result_to_string(define.trail.last_result));
                note_hosted(f, &define);
                wire_define_done(&define);
                return 0;
        case WIRE_COMMIT:
                if (wire_get_commit(payload, size, &commit) < 0)
                        return -EBADMSG;
                f->n_commits++;
                if (is_mode(f, "quiet"))
                        note(f, "settings %d %lld %llu\n", commit.holds_slots, (long long)commit.time_sync_wait_us,
                             (unsigned long long)commit.ledger_max_size);
                note(f, "asked %llu, %u jobs\n", (unsigned long long)commit.asked, commit.n_jobs);
                wire_put_number(&f->pack, commit.generation);
                return put(f, WIRE_COMMITTED) < 0 ? -EPIPE : on_commit(f);
        case WIRE_RUN:
                if (wire_get_run(payload, size, &run) < 0)
                        return -EBADMSG;
                note(f, "run %llu\n", (unsigned long long)run.start.run);
                wire_run_done(&run);
                return 0;
        case WIRE_STARTED:
                return on_started(f);
        case WIRE_HOST_UNLOADED:
                return on_unloaded(f, payload, size);
        case WIRE_FILES:
                return on_files(f, payload, size);
        case WIRE_DESCRIBED:
                return on_described(f, payload, size);
        case WIRE_ENDED:
                return wire_get_ended(payload, size, &ended) < 0 ? -EBADMSG : on_ended(f, &ended);
        }
        return 0;
}

static int on_closed(void *userdata, int error) {
        (void)userdata, (void)error;
        _exit(0);
}

/* How often we were started: the log tells. */
static int count_lives(const char *folder) {
        char path[160], line[256];
        int n = 0;

        snprintf(path, sizeof(path), "%s/log", folder);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                n += strncmp(line, "life", 4) == 0;
        if (file)
                fclose(file);
        return n;
}

static int be_scheduler(const char *name) {
        static const struct channel_callbacks callbacks = {.on_record = on_record, .on_closed = on_closed};
        static const struct channel_callbacks output = {.on_record = on_output, .on_closed = on_closed};
        static struct fake f;
        const char *slash = strrchr(name, '/');

        f.mode = slash + 1;
        snprintf(f.folder, sizeof(f.folder), "%.*s", (int)(slash - name), name);
        f.n_lives = count_lives(f.folder) + 1;
        if (loop_new(&f.loop) < 0 || channel_new(f.loop, dup(3), 16 * CHANNEL_MESSAGE_MAX, &callbacks, &f, &f.control) < 0 ||
            channel_new(f.loop, dup(4), CHANNEL_MESSAGE_MAX, &output, &f, &f.output) < 0)
                return 1;
        return loop_run(f.loop) < 0;
}
