// SPDX-License-Identifier: MIT
// guard: what a plugin's code may have changed of the process that it shares with others, and puts right.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define GUARD_FDS 3

struct guard {
        mode_t umask;
        sigset_t mask;
        uid_t uid, euid;
        gid_t gid, egid;
        int cwd_fd;
        struct {
                dev_t dev;
                ino_t ino;
        } cwd, fds[GUARD_FDS];  /* of TICK_FD and those that follow */
        volatile uint8_t *mark; /* a page that a forked child finds empty */
};

enum guard_found {
        GUARD_CLEAN,
        GUARD_PUT_BACK, /* something was changed, and is as before */
        GUARD_LOST,     /* descriptors or the user: the process can't go on */
};

/* Notes how things are. 0 or a negative errno. */
int guard_init(struct guard *g);
void guard_done(struct guard *g);
/* Puts right what has changed; *ret_what says what was found last, static text. A few system calls. */
enum guard_found guard_check(struct guard *g, const char **ret_what);
/* Whether this is a child that a plugin has forked. No system call. */
static inline bool guard_is_child(const struct guard *g) {
        return g->mark && !*g->mark;
}
