// SPDX-License-Identifier: MIT
// first: a container's clock and boot id are those of the machine, which may be up for months; but nothing of a container outlives its
// first process.

#include "daemon/runner/first.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "config/duration.h"
#include "config/hash.h"
#include "daemon/core/util.h"

static bool is_first(void) {
        return getpid() == 1;
}

void first_hold_signals(const sigset_t *set) {
        if (is_first())
                sigprocmask(SIG_BLOCK, set, NULL);
}

/* When this process began, in ticks of the machine's clock; 0: not known. */
static unsigned long long find_start(void) {
        _cleanup_close_ int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
        char text[1024];
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        unsigned long long start = 0;

        if (n <= 0)
                return 0;
        text[n] = '\0';
        const char *at = strrchr(text, ')'); /* the name before it may hold anything */
        if (at)
                sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &start);
        return start;
}

int first_boot(uint8_t ret_id[static 16], int64_t *ret_bt_us) {
        unsigned long long start = is_first() ? find_start() : 0;
        sd_id128_t boot;
        int r = sd_id128_get_boot(&boot);

        if (r < 0)
                return r;
        if (start > 0) {
                struct hash128 hash = hash_128(boot.bytes, &start, sizeof(start));
                memcpy(&boot, &hash, sizeof(boot));
        }
        memcpy(ret_id, boot.bytes, sizeof(boot.bytes));
        *ret_bt_us = (int64_t)start * USEC_PER_SEC / sysconf(_SC_CLK_TCK);
        return 0;
}
