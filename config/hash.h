// SPDX-License-Identifier: MIT
// hash: SipHash-2-4 (Aumasson, Bernstein 2012), 64 and 128 bit.
// Names a definition, draws jitter, keys the hash tables.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash128 {
        uint64_t word[2];
};

/* 64-bit SipHash-2-4 of data under a 16-byte key. */
uint64_t hash_64(const uint8_t key[static 16], const void *data, size_t size);
/* 128-bit SipHash-2-4 of data under a 16-byte key. */
struct hash128 hash_128(const uint8_t key[static 16], const void *data, size_t size);
