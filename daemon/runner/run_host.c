// SPDX-License-Identifier: MIT
// run_host: what the runner keeps of a run that is a host.
// The page is sealed at its size before the host has it: whoever has it mapped can't be harmed by a file that shrinks.

#include "daemon/runner/run_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/channel.h"
#include "daemon/core/descriptors.h"
#include "daemon/core/tick.h"
#include "daemon/core/util.h"

static int make_page(int *ret) {
        _cleanup_close_ int fd = memfd_create("chimed-host", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0 || ftruncate(fd, sizeof(struct tick_page)) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) < 0)
                return -errno;
        *ret = fd;
        fd = -1; /* given */
        return 0;
}

int run_host_new(const char *name, const struct hash128 *hash, int ret_fds[static 3], struct run_host **ret) {
        struct run_host *host = calloc(1, sizeof(*host));
        int fds[3] = {-1, -1, -1}, size = 4 * CHANNEL_MESSAGE_MAX;

        if (!host)
                return -ENOMEM;
        *host = (struct run_host){.hash = *hash, .ticks_fd = -1, .page_fd = -1, .orders_fd = -1};
        strncpy(host->name, name, JOB_NAME_MAX);
        int r = descriptors_pair(&host->ticks_fd, &fds[0]);
        if (r == 0)
                r = descriptors_pair(&host->orders_fd, &fds[1]);
        if (r == 0)
                r = make_page(&host->page_fd);
        if (r == 0 && (fds[2] = fcntl(host->page_fd, F_DUPFD_CLOEXEC, 3)) < 0)
                r = -errno;
        if (r < 0) {
                for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                        util_close(fds[i]);
                run_host_free(host);
                return r;
        }
        /* the system's default may be smaller than a message; what is granted is enough */
        (void)setsockopt(host->orders_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        memcpy(ret_fds, fds, sizeof(fds));
        *ret = host;
        return 0;
}

struct run_host *run_host_free(struct run_host *host) {
        if (!host)
                return NULL;
        host->source = loop_source_free(host->source);
        util_close(host->ticks_fd);
        util_close(host->page_fd);
        util_close(host->orders_fd);
        free(host->loads);
        free(host);
        return NULL;
}

int run_host_keep_load(struct run_host *host, const struct host_load *load) {
        if (host->n_loads == host->allocated_loads) {
                size_t allocated = host->allocated_loads ? 2 * host->allocated_loads : 16;
                struct host_load *loads = reallocarray(host->loads, allocated, sizeof(*loads));
                if (!loads)
                        return -ENOMEM;
                host->loads = loads;
                host->allocated_loads = allocated;
        }
        host->loads[host->n_loads++] = *load;
        return 0;
}

void run_host_drop_loads(struct run_host *host, size_t n) {
        host->n_loads -= n;
        if (host->n_loads > 0) {
                memmove(host->loads, host->loads + n, host->n_loads * sizeof(*host->loads));
                return;
        }
        free(host->loads);
        host->loads = NULL;
        host->allocated_loads = 0;
}

/* ---- the form of the run table ---- */

void run_host_put(const struct run_host *host, struct pack *p) {
        pack_u8(p, host != NULL);
        if (!host)
                return;
        pack_string(p, host->name);
        pack_u64(p, host->hash.word[0]);
        pack_u64(p, host->hash.word[1]);
        pack_u32(p, (uint32_t)host->ticks_fd);
        pack_u32(p, (uint32_t)host->page_fd);
        pack_u32(p, (uint32_t)host->orders_fd);
}

static int get(struct unpack *u, struct run_host *host) {
        _cleanup_free_ char *name = NULL;
        const char *why;
        int r = unpack_string(u, &name);

        if (r < 0)
                return r;
        host->hash.word[0] = unpack_u64(u);
        host->hash.word[1] = unpack_u64(u);
        host->ticks_fd = (int)unpack_u32(u);
        host->page_fd = (int)unpack_u32(u);
        host->orders_fd = (int)unpack_u32(u);
        if (u->bad || !job_name_is_valid(name, &why))
                return -EBADMSG;
        strcpy(host->name, name);
        return 0;
}

int run_host_get(struct unpack *u, struct run_host **ret) {
        uint8_t is_host = unpack_u8(u);

        if (u->bad || is_host > 1)
                return -EBADMSG;
        if (!is_host)
                return 0;
        struct run_host *host = calloc(1, sizeof(*host));
        int r = host ? get(u, host) : -ENOMEM;
        if (r == 0) {
                *ret = host;
                return 0;
        }
        if (host)
                host->ticks_fd = host->page_fd = host->orders_fd = -1; /* not ours yet */
        run_host_free(host);
        return r;
}
