// SPDX-License-Identifier: MIT
// fake: what a fake scheduler knows and says, whatever its mode.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/channel.h"
#include "daemon/core/util.h"
#include "daemon/core/wire.h"

struct fake {
        struct loop *loop;
        struct channel *control, *output;
        struct pack pack;
        const char *mode;
        char folder[128];
        int n_lives; /* with this one */
        struct wire_hello hello;
        struct hash128 hash; /* of the job "mark", or "talk" */
        uint64_t run;
        int n_commits, n_ended;
        struct hash128 hosted, second, deaf, host_hash; /* of jobs of these names, and of the host of a mode */
        struct channel *ticks;
        uint64_t host_run;
};

static void note(const struct fake *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(const struct fake *f, const char *format, ...) {
        char path[160], text[256];
        va_list arguments;

        snprintf(path, sizeof(path), "%s/log", f->folder);
        va_start(arguments, format);
        int n = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (write(fd, text, (size_t)n) < 0)
                _exit(1);
        close(fd);
}

static int put(struct fake *f, enum wire_type type) {
        int r = pack_result(&f->pack);

        if (r == 0)
                r = channel_send(f->control, (uint8_t)type, f->pack.data, f->pack.size);
        pack_clear(&f->pack);
        return r == 0 ? channel_flush(f->control) : r;
}

static bool is_mode(const struct fake *f, const char *mode) {
        return strcmp(f->mode, mode) == 0;
}
