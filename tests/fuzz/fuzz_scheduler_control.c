// SPDX-License-Identifier: MIT
// Whatever clients send, the control socket neither crashes nor leaks nor grows: bytes of three connections, mixed with what the
// runner says and with hang-ups, before an engine with jobs. The dictionary of the calls is in the corpus.

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/core/util.h"
#include "daemon/core/wire.h"
#include "daemon/scheduler/control_internal.h"

#define N_PEERS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sockaddr_un journal_address = {.sun_family = AF_UNIX}, control_address = {.sun_family = AF_UNIX};
static struct loop *loop;
static struct journal *journal;
static struct link *link_;
static struct control *control;
static int peers[N_PEERS];
static uint64_t last_run;

/* A folder for the sockets, and a journald that never reads: what is too much is dropped. */
static void make_places(void) {
        static int fd = -1;
        if (fd >= 0)
                return;
        char folder[] = "/tmp/fuzz-control-XXXXXX";
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || !mkdtemp(folder))
                abort();
        snprintf(journal_address.sun_path, sizeof(journal_address.sun_path), "%s/journal", folder);
        snprintf(control_address.sun_path, sizeof(control_address.sun_path), "%s/control", folder);
        if (bind(fd, (struct sockaddr *)&journal_address, sizeof(journal_address)) < 0)
                abort();
}

static int listen_somewhere(void) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        unlink(control_address.sun_path);
        if (fd < 0 || bind(fd, (struct sockaddr *)&control_address, sizeof(control_address)) < 0 || listen(fd, 8) < 0)
                abort();
        return fd;
}

static void record(enum wire_type type, struct pack *p) {
        (void)link_handle_record(link_, (uint8_t)type, p->data, p->size);
        pack_clear(p);
}

static void define(struct pack *p, const char *name, const char *when) {
        wire_put_define(p, &(struct wire_define){.hash = {{1, (uint64_t)name[0]}},
                                                 .since_bt_us = 1,
                                                 .name = name,
                                                 .when = when,
                                                 .when_size = strlen(when)});
        record(WIRE_DEFINE, p);
}

static void begin(void) {
        struct pack p = {0};
        wire_put_hello(&p, &(struct wire_hello){.version = WIRE_VERSION, .next_run = 1, .is_first_of_boot = true});
        record(WIRE_HELLO, &p);
        define(&p, "a", "Every=1h\nMode=fixed-rate\n");
        define(&p, "b", "");
        define(&p, "c", "Every=1h\nEnabled=no\n");
        wire_put_commit(&p, &(struct wire_commit){.generation = 1, .n_jobs = 3});
        record(WIRE_COMMIT, &p);
        pack_done(&p);
        last_run = 1;
}

static void pass(void) {
        struct clock_sample now = clock_now();
        if (loop_run_once(loop, 0) < 0 || link_advance(link_) < 0)
                abort();
        if (control_advance(control, now) < 0 || control_flush(control) < 0 || link_flush(link_) < 0)
                abort();
        if (control->bytes > CONTROL_BUFFERS_MAX)
                abort();
}

static void dial(int i) {
        util_close(peers[i]);
        peers[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (peers[i] < 0 || connect(peers[i], (struct sockaddr *)&control_address, sizeof(control_address)) < 0)
                abort();
        pass();
        if (i == 1 && control->clients) { /* one that may only look */
                control->clients->is_admin = false;
                control->clients->peer = (struct control_peer){.uid = 5, .gid = 5};
        }
}

static void drain(int fd) {
        char buf[65536];
        while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
                ;
}

/* What the runner says, by a byte. */
static void runner_says(uint8_t what) {
        struct pack p = {0};
        struct clock_sample now = clock_now();
        switch (what % 8) {
        case 0:
                wire_put_started(&p, &(struct wire_started){
                                             .run = last_run, .pid = 9, .start_rt_us = now.rt_us, .start_bt_us = now.bt_us});
                record(WIRE_STARTED, &p);
                break;
        case 1:
                wire_put_ended(
                        &p, &(struct wire_ended){.run = last_run++, .end = {.result = RUN_RESULT_FAILED, .exit_code = what}});
                record(WIRE_ENDED, &p);
                break;
        case 2:
                wire_put_bytes(&p, &(struct wire_bytes){.run = last_run, .data = "\xff\0x", .size = 3});
                record(WIRE_VALUE, &p);
                break;
        case 3:
                wire_put_text(&p, "<3>x:1: wrong");
                record(WIRE_DIAG, &p);
                break;
        case 4:
                wire_put_text(&p, what & 16 ? "a" : "b");
                record(WIRE_REMOVE, &p);
                break;
        case 5:
                define(&p, what & 16 ? "a" : "b", what & 32 ? "Every=1ms\n" : "Every=1h\nEnabled=no\n");
                break;
        case 6:
                wire_put_commit(&p, &(struct wire_commit){.generation = 2, .asked = what >> 3, .n_jobs = 3});
                record(WIRE_COMMIT, &p);
                break;
        case 7:
                wire_put_described(&p, &(struct wire_described){
                                               .number = what >> 3, .is_known = true, .command = "x", .user = "", .file = "f"});
                record(WIRE_DESCRIBED, &p);
                break;
        }
        pack_done(&p);
}

static void open_all(int ends[static 2]) {
        int orders[2], output[2];
        make_places();
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders) < 0 ||
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, output) < 0)
                abort();
        struct control_settings settings = {.listen_fd = listen_somewhere(), .admin_gid = (gid_t)-1};
        if (loop_new(&loop) < 0 || journal_new(NULL, JOURNAL_JOURNAL, "fuzz", journal_address.sun_path, &journal) < 0 ||
            link_new(loop, journal, orders[0], output[0], -1, &link_) < 0 ||
            control_new(loop, journal, link_, &settings, &control) < 0)
                abort();
        ends[0] = orders[1];
        ends[1] = output[1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        int ends[2];
        if (size < 1)
                return 0;
        open_all(ends);
        if (data[0] & 1)
                begin();
        for (int i = 0; i < N_PEERS; i++) {
                peers[i] = -1;
                dial(i);
        }
        data++, size--;
        /* each step: what, length, bytes */
        while (size >= 2) {
                size_t n = data[1] < size - 2 ? data[1] : size - 2;
                int peer = (data[0] >> 4) % N_PEERS;
                switch (data[0] & 15) {
                case 0:
                        dial(peer);
                        break;
                case 1:
                        drain(peers[peer]);
                        break;
                case 2:
                        shutdown(peers[peer], SHUT_WR);
                        break;
                case 3:
                case 4:
                case 5:
                        runner_says(data[1]);
                        n = 0;
                        break;
                default: /* bytes, and a NUL more often than not */
                        (void)send(peers[peer], data + 2, n, MSG_NOSIGNAL);
                        if (data[0] & 1)
                                (void)send(peers[peer], "", 1, MSG_NOSIGNAL);
                        break;
                }
                pass();
                drain(ends[0]);
                data += 2 + n;
                size -= 2 + n;
        }
        pass();
        for (int i = 0; i < N_PEERS; i++)
                util_close(peers[i]);
        pass();
        pass();
        control_free(control);
        link_free(link_);
        journal_free(journal);
        loop_free(loop);
        close(ends[0]);
        close(ends[1]);
        return 0;
}
