// SPDX-License-Identifier: MIT
// hash: SipHash-2-4 (Aumasson, Bernstein 2012), 64 and 128 bit.
// Input is read as little-endian words, so the results are the published ones on any machine.

#include "config/hash.h"

#include <endian.h>
#include <string.h>

struct sip {
        uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned bits) {
        return x << bits | x >> (64 - bits);
}

static inline uint64_t load_le64(const uint8_t *p) {
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        return le64toh(v);
}

static inline void sip_rounds(struct sip *s, int n) {
        while (n-- > 0) {
                s->v0 += s->v1;
                s->v1 = rotl(s->v1, 13) ^ s->v0;
                s->v0 = rotl(s->v0, 32);
                s->v2 += s->v3;
                s->v3 = rotl(s->v3, 16) ^ s->v2;
                s->v0 += s->v3;
                s->v3 = rotl(s->v3, 21) ^ s->v0;
                s->v2 += s->v1;
                s->v1 = rotl(s->v1, 17) ^ s->v2;
                s->v2 = rotl(s->v2, 32);
        }
}

static inline void sip_word(struct sip *s, uint64_t word) {
        s->v3 ^= word;
        sip_rounds(s, 2);
        s->v0 ^= word;
}

static struct sip sip_absorb(const uint8_t key[static 16], const uint8_t *data, size_t size, uint64_t v1_mark) {
        uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
        struct sip s = {
                .v0 = k0 ^ UINT64_C(0x736f6d6570736575),
                .v1 = k1 ^ UINT64_C(0x646f72616e646f6d) ^ v1_mark,
                .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
                .v3 = k1 ^ UINT64_C(0x7465646279746573),
        };
        uint64_t last = (uint64_t)size << 56;

        for (; size >= 8; size -= 8, data += 8)
                sip_word(&s, load_le64(data));
        for (size_t i = 0; i < size; i++)
                last |= (uint64_t)data[i] << (8 * i);
        sip_word(&s, last);
        return s;
}

static inline uint64_t sip_out(const struct sip *s) {
        return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_64(const uint8_t key[static 16], const void *data, size_t size) {
        struct sip s = sip_absorb(key, data, size, 0);
        s.v2 ^= 0xff;
        sip_rounds(&s, 4);
        return sip_out(&s);
}

struct hash128 hash_128(const uint8_t key[static 16], const void *data, size_t size) {
        struct sip s = sip_absorb(key, data, size, 0xee);
        struct hash128 result;
        s.v2 ^= 0xee;
        sip_rounds(&s, 4);
        result.word[0] = sip_out(&s);
        s.v1 ^= 0xdd;
        sip_rounds(&s, 4);
        result.word[1] = sip_out(&s);
        return result;
}
