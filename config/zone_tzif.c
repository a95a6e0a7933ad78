// SPDX-License-Identifier: MIT
// zone_tzif: reads a TZif file (RFC 9636). Version 1 has one block with 32-bit times; later ones repeat it with 64-bit times, and
// only that second block and the rule behind it count. What the file says of its own sizes is believed only as far as it has bytes.

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/zone_internal.h"

#define CHANGES_MAX 2000
#define TYPES_MAX   256
#define HEADER_SIZE 44
#define TYPE_SIZE   6

static const uint8_t hash_key[16] = "chimed zone data";

/* The counts in the order of the file. */
enum count { COUNT_IS_UT, COUNT_IS_STANDARD, COUNT_LEAPS, COUNT_CHANGES, COUNT_TYPES, COUNT_CHARACTERS, COUNTS_N };

struct block {
        uint32_t n[COUNTS_N];
        size_t time_size; /* 4 or 8 bytes */
        uint8_t version;
        const uint8_t *at_s, *change_types, *types, *characters; /* into the file */
};

struct bytes {
        const uint8_t *p;
        size_t left;
};

static uint32_t load_be32(const uint8_t *p) {
        uint32_t v;
        memcpy(&v, p, sizeof(v));
        return be32toh(v);
}

static uint64_t load_be64(const uint8_t *p) {
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        return be64toh(v);
}

/* NULL if there are not so many. */
static const uint8_t *take(struct bytes *b, uint64_t size) {
        const uint8_t *p = b->p;

        if (size > b->left)
                return NULL;
        b->p += size;
        b->left -= size;
        return p;
}

/* Finds the parts of the block that comes next. */
static int block_read(struct bytes *b, size_t time_size, struct block *ret) {
        const uint8_t *header = take(b, HEADER_SIZE);
        struct block block = {.time_size = time_size};

        if (!header || memcmp(header, "TZif", 4) != 0)
                return -EBADMSG;
        block.version = header[4];
        for (size_t i = 0; i < COUNTS_N; i++)
                block.n[i] = load_be32(header + 20 + 4 * i);
        block.at_s = take(b, block.n[COUNT_CHANGES] * (uint64_t)time_size);
        block.change_types = take(b, block.n[COUNT_CHANGES]);
        block.types = take(b, block.n[COUNT_TYPES] * (uint64_t)TYPE_SIZE);
        block.characters = take(b, block.n[COUNT_CHARACTERS]);
        const uint8_t *leaps = take(b, block.n[COUNT_LEAPS] * (uint64_t)(time_size + 4));
        const uint8_t *marks = take(b, (uint64_t)block.n[COUNT_IS_STANDARD] + block.n[COUNT_IS_UT]);
        if (!block.at_s || !block.change_types || !block.types || !block.characters || !leaps || !marks)
                return -EBADMSG;
        *ret = block;
        return 0;
}

static int type_read(const struct block *block, size_t i, struct zone_type *ret) {
        const uint8_t *p = block->types + i * TYPE_SIZE;
        int32_t offset_s = (int32_t)load_be32(p);
        size_t at = p[5];

        if (offset_s < ZONE_OFFSET_MIN || offset_s > ZONE_OFFSET_MAX || p[4] > 1 || at >= block->n[COUNT_CHARACTERS])
                return -EBADMSG;
        const char *text = (const char *)block->characters + at;
        size_t room = block->n[COUNT_CHARACTERS] - at, size = strnlen(text, room);
        if (size == room || size > ZONE_ABBREVIATION_MAX)
                return -EBADMSG;
        *ret = (struct zone_type){.offset_s = offset_s, .is_dst = p[4]};
        memcpy(ret->abbreviation, text, size);
        return 0;
}

static int types_read(const struct block *block, struct zone *z) {
        z->n_types = block->n[COUNT_TYPES];
        if (z->n_types == 0 || z->n_types > TYPES_MAX)
                return -EBADMSG;
        z->types = calloc(z->n_types, sizeof(*z->types));
        if (!z->types)
                return -ENOMEM;
        for (size_t i = 0; i < z->n_types; i++) {
                int r = type_read(block, i, &z->types[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int changes_read(const struct block *block, struct zone *z) {
        z->n_changes = block->n[COUNT_CHANGES];
        if (z->n_changes > CHANGES_MAX)
                return -EBADMSG;
        z->changes = calloc(z->n_changes + 1, sizeof(*z->changes));
        if (!z->changes)
                return -ENOMEM;
        for (size_t i = 0; i < z->n_changes; i++) {
                struct zone_change *c = &z->changes[i];
                const uint8_t *p = block->at_s + i * block->time_size;
                c->at_s = block->time_size == 8 ? (int64_t)load_be64(p) : (int32_t)load_be32(p);
                c->type = block->change_types[i];
                if (c->at_s < -ZONE_BORDER || c->at_s > ZONE_BORDER || (i > 0 && c->at_s <= c[-1].at_s) ||
                    c->type >= z->n_types)
                        return -EBADMSG;
        }
        return 0;
}

/* A line break, the rule or nothing, a line break. */
static int footer_read(struct bytes *b, struct zone *z) {
        const uint8_t *first = take(b, 1), *end = first ? memchr(b->p, '\n', b->left) : NULL;

        if (!end || *first != '\n')
                return -EBADMSG;
        if (end == b->p)
                return 0;
        z->has_rule = true;
        return zone_rule_parse((const char *)b->p, (size_t)(end - b->p), &z->rule);
}

static void widen(struct zone *z, const struct zone_type *type) {
        if (type->offset_s < z->offset_min_s)
                z->offset_min_s = type->offset_s;
        if (type->offset_s > z->offset_max_s)
                z->offset_max_s = type->offset_s;
}

static void find_widest(struct zone *z) {
        z->offset_min_s = z->offset_max_s = z->types[0].offset_s;
        for (size_t i = 1; i < z->n_types; i++)
                widen(z, &z->types[i]);
        if (z->has_rule)
                widen(z, &z->rule.standard);
        if (z->has_rule && z->rule.has_daylight)
                widen(z, &z->rule.daylight);
}

static int file_read(const void *data, size_t size, struct zone *z) {
        struct bytes b = {.p = data, .left = size};
        struct block block;

        if (size > ZONE_FILE_MAX)
                return -EBADMSG;
        int r = block_read(&b, 4, &block);
        bool has_footer = r == 0 && block.version >= '2';
        if (has_footer)
                r = block_read(&b, 8, &block);
        if (r < 0)
                return r;
        if (block.n[COUNT_LEAPS] > 0)
                return -ENOTSUP;
        r = types_read(&block, z);
        if (r == 0)
                r = changes_read(&block, z);
        if (r == 0 && has_footer)
                r = footer_read(&b, z);
        if (r == 0)
                find_widest(z);
        return r;
}

int zone_parse(const void *data, size_t size, const char *name, struct zone **ret) {
        size_t name_size = strlen(name) + 1;
        struct zone *z = calloc(1, sizeof(*z) + name_size);

        if (!z)
                return -ENOMEM;
        z->refs = 1;
        memcpy(z->name, name, name_size);
        int r = file_read(data, size, z);
        if (r < 0) {
                zone_unref(z);
                return r;
        }
        z->hash = hash_128(hash_key, data, size);
        *ret = z;
        return 0;
}
