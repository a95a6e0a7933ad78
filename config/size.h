// SPDX-License-Identifier: MIT
// size: a number of bytes as people write it: 4096, 16K, 100M, 2G, up to E.
// Pure.
#pragma once

#include <stdint.h>

/* Reads a size of at most max bytes. 0; -EINVAL: it is none, -ERANGE: it is larger, or more than 2^63 - 1; *ret is untouched then. */
int size_parse(const char *text, uint64_t max, uint64_t *ret);
