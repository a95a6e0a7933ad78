// SPDX-License-Identifier: MIT
// pack: the one binary codec: bounded growing writer, sticky-error reader.
// Both errors stick, so callers write or read a whole record and ask once.

#include "config/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void pack_done(struct pack *p) {
        if (!p)
                return;
        free(p->data);
        *p = (struct pack){};
}

void pack_clear(struct pack *p) {
        p->size = 0;
        p->error = 0;
}

int pack_result(const struct pack *p) {
        return p->error;
}

/* Makes room for size more bytes and gives their place, or sets the error. */
static uint8_t *pack_extend(struct pack *p, size_t size) {
        if (p->error)
                return NULL;
        if (size > SIZE_MAX / 2 - p->size || (p->limit && size > p->limit - p->size)) {
                p->error = -EMSGSIZE;
                return NULL;
        }
        if (p->size + size > p->allocated) {
                size_t wanted = p->allocated ? p->allocated * 2 : 64;
                if (wanted < p->size + size)
                        wanted = p->size + size;
                uint8_t *data = realloc(p->data, wanted);
                if (!data) {
                        p->error = -ENOMEM;
                        return NULL;
                }
                p->data = data;
                p->allocated = wanted;
        }
        uint8_t *place = p->data + p->size;
        p->size += size;
        return place;
}

void pack_raw(struct pack *p, const void *data, size_t size) {
        if (size == 0)
                return;
        uint8_t *place = pack_extend(p, size);
        if (place)
                memcpy(place, data, size);
}

void pack_u8(struct pack *p, uint8_t v) {
        pack_raw(p, &v, sizeof(v));
}

void pack_u16(struct pack *p, uint16_t v) {
        pack_raw(p, &v, sizeof(v));
}

void pack_u32(struct pack *p, uint32_t v) {
        pack_raw(p, &v, sizeof(v));
}

void pack_u64(struct pack *p, uint64_t v) {
        pack_raw(p, &v, sizeof(v));
}

void pack_i64(struct pack *p, int64_t v) {
        pack_raw(p, &v, sizeof(v));
}

void pack_bytes(struct pack *p, const void *data, size_t size) {
        if (size > UINT16_MAX) {
                if (!p->error)
                        p->error = -EMSGSIZE;
                return;
        }
        pack_u16(p, (uint16_t)size);
        pack_raw(p, data, size);
}

void pack_string(struct pack *p, const char *s) {
        pack_bytes(p, s, s ? strlen(s) : 0);
}

struct unpack unpack_from(const void *data, size_t size) {
        /* never NULL inside, so that a NULL result always means "not there" */
        static const uint8_t nothing;
        const uint8_t *at = data ? data : &nothing;
        return (struct unpack){.at = at, .end = at + (data ? size : 0)};
}

const void *unpack_raw(struct unpack *u, size_t size) {
        if (u->bad || size > (size_t)(u->end - u->at)) {
                u->bad = true;
                return NULL;
        }
        const uint8_t *place = u->at;
        u->at += size;
        return place;
}

static void unpack_copy(struct unpack *u, void *ret, size_t size) {
        const void *place = unpack_raw(u, size);
        if (place)
                memcpy(ret, place, size);
}

uint8_t unpack_u8(struct unpack *u) {
        uint8_t v = 0;
        unpack_copy(u, &v, sizeof(v));
        return v;
}

uint16_t unpack_u16(struct unpack *u) {
        uint16_t v = 0;
        unpack_copy(u, &v, sizeof(v));
        return v;
}

uint32_t unpack_u32(struct unpack *u) {
        uint32_t v = 0;
        unpack_copy(u, &v, sizeof(v));
        return v;
}

uint64_t unpack_u64(struct unpack *u) {
        uint64_t v = 0;
        unpack_copy(u, &v, sizeof(v));
        return v;
}

int64_t unpack_i64(struct unpack *u) {
        int64_t v = 0;
        unpack_copy(u, &v, sizeof(v));
        return v;
}

const void *unpack_bytes(struct unpack *u, size_t *ret_size) {
        size_t size = unpack_u16(u);
        const void *place = unpack_raw(u, size);
        if (place)
                *ret_size = size;
        return place;
}

int unpack_string(struct unpack *u, char **ret) {
        size_t size = 0;
        const void *place = unpack_bytes(u, &size);
        if (!place || memchr(place, 0, size)) {
                u->bad = true;
                return -EBADMSG;
        }
        char *copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, place, size);
        copy[size] = 0;
        *ret = copy;
        return 0;
}

int unpack_finish(const struct unpack *u) {
        return u->bad || u->at != u->end ? -EBADMSG : 0;
}
