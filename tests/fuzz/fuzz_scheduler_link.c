// SPDX-License-Identifier: MIT
// Whatever a runner says, the scheduler neither crashes nor leaks: bytes as records, before and after a proper beginning.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/core/wire.h"
#include "daemon/scheduler/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A journald that never reads: what is too much is dropped. */
static const char *silent_journald(void) {
        static struct sockaddr_un address = {.sun_family = AF_UNIX};
        static int fd = -1;
        if (fd < 0) {
                char folder[] = "/tmp/fuzz-journal-XXXXXX";
                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                if (fd < 0 || !mkdtemp(folder))
                        abort();
                snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
                if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                        abort();
        }
        return address.sun_path;
}

static void begin_properly(struct link *link) {
        struct pack p = {0};
        struct wire_hello hello = {.version = WIRE_VERSION, .next_run = 1, .is_first_of_boot = true};
        wire_put_hello(&p, &hello);
        link_handle_record(link, WIRE_HELLO, p.data, p.size);
        pack_clear(&p);
        struct wire_define define = {.hash = {{1, 2}}, .since_bt_us = 1, .name = "job", .when = "Every=1s\n", .when_size = 9};
        wire_put_define(&p, &define);
        link_handle_record(link, WIRE_DEFINE, p.data, p.size);
        pack_clear(&p);
        struct wire_commit commit = {.generation = 1, .n_jobs = 1};
        wire_put_commit(&p, &commit);
        link_handle_record(link, WIRE_COMMIT, p.data, p.size);
        pack_done(&p);
        link_advance(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        int control[2], output[2];
        struct loop *loop = NULL;
        struct journal *journal = NULL;
        struct link *link = NULL;
        if (size < 1 || loop_new(&loop) < 0)
                return 0;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 ||
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, output) < 0)
                abort();
        if (journal_new(NULL, JOURNAL_JOURNAL, "fuzz", silent_journald(), &journal) < 0 ||
            link_new(loop, journal, control[0], output[0], -1, &link) < 0)
                abort();
        if (data[0] & 1)
                begin_properly(link);
        data++, size--;
        /* each record: type, length, payload */
        while (size >= 2) {
                size_t n = data[1] < size - 2 ? data[1] : size - 2;
                if (link_handle_record(link, data[0], data + 2, n) < 0)
                        break;
                link_advance(link);
                data += 2 + n;
                size -= 2 + n;
        }
        link_free(link);
        journal_free(journal);
        loop_free(loop);
        close(control[1]);
        close(output[1]);
        return 0;
}
