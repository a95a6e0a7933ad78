// SPDX-License-Identifier: MIT
// blob: byte strings that many share, kept once and counted.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct blob {
        uint64_t key; /* hash of the bytes */
        uint32_t n_uses;
        uint32_t size;
        uint8_t data[];
};

/* A hash table of blobs; zero-initialise. Empty again when the last use of each is given back. */
struct blobs {
        struct blob **slots;
        size_t n, allocated; /* allocated is 0 or a power of two */
};

/* One use more of a blob of these bytes, made if there is none; NULL without memory. */
struct blob *blobs_take(struct blobs *b, const void *data, size_t size);
/* Gives a use back; the last one frees the blob. Takes NULL. */
void blobs_give(struct blobs *b, struct blob *blob);
