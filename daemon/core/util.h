// SPDX-License-Identifier: MIT
// util: the few helpers that every file of the daemon shares.
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Clean-up attributes: _cleanup_(fn) calls fn on the address of the variable at the end of its scope. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void util_free(void *p) {
        free(*(void **)p);
}

/* Closes fd if it is one, keeps errno, returns -1 for assignment. */
int util_close(int fd);

/* A read, write or accept on the descriptor never waits; nor on another one of the same open file. 0 or a negative error. */
int util_set_nonblocking(int fd);

/* Closes all descriptors of this number and above. */
void util_close_from(int first);

/* Whether what st tells of can be changed only by root and by whom we run as. */
bool util_is_protected(const struct stat *st);

static inline void util_close_ptr(int *fd) {
        util_close(*fd);
}

#define _cleanup_free_  _cleanup_(util_free)
#define _cleanup_close_ _cleanup_(util_close_ptr)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
