// SPDX-License-Identifier: MIT
// blob: open addressing; removal moves the followers up.

#include "daemon/runner/blob.h"

#include <stdlib.h>
#include <string.h>

#include "config/hash.h"

static const uint8_t blob_key[16] = "chimed blob";

static void put(struct blob **slots, size_t mask, struct blob *blob) {
        size_t at = blob->key & mask;

        while (slots[at])
                at = (at + 1) & mask;
        slots[at] = blob;
}

/* Room for one more; at most three quarters are in use. */
static int reserve(struct blobs *b) {
        if (b->n + 1 <= b->allocated - b->allocated / 4 && b->allocated > 0)
                return 0;
        size_t allocated = b->allocated > 0 ? 2 * b->allocated : 16;
        struct blob **slots = calloc(allocated, sizeof(*slots));
        if (!slots)
                return -1;
        for (size_t i = 0; i < b->allocated; i++)
                if (b->slots[i])
                        put(slots, allocated - 1, b->slots[i]);
        free(b->slots);
        b->slots = slots;
        b->allocated = allocated;
        return 0;
}

struct blob *blobs_take(struct blobs *b, const void *data, size_t size) {
        uint64_t key = hash_64(blob_key, data, size);

        if (reserve(b) < 0)
                return NULL;
        for (size_t at = key & (b->allocated - 1); b->slots[at]; at = (at + 1) & (b->allocated - 1)) {
                struct blob *found = b->slots[at];
                if (found->key == key && found->size == size && memcmp(found->data, data, size) == 0) {
                        found->n_uses++;
                        return found;
                }
        }
        struct blob *blob = malloc(sizeof(*blob) + size);
        if (!blob)
                return NULL;
        *blob = (struct blob){.key = key, .n_uses = 1, .size = (uint32_t)size};
        if (size > 0)
                memcpy(blob->data, data, size);
        put(b->slots, b->allocated - 1, blob);
        b->n++;
        return blob;
}

static void take_out(struct blobs *b, const struct blob *blob) {
        size_t mask = b->allocated - 1, at = blob->key & mask;

        while (b->slots[at] != blob)
                at = (at + 1) & mask;
        b->slots[at] = NULL;
        for (size_t next = (at + 1) & mask; b->slots[next]; next = (next + 1) & mask) {
                size_t home = b->slots[next]->key & mask;
                if (((next - home) & mask) >= ((next - at) & mask)) {
                        b->slots[at] = b->slots[next];
                        b->slots[next] = NULL;
                        at = next;
                }
        }
        b->n--;
}

void blobs_give(struct blobs *b, struct blob *blob) {
        if (!blob || --blob->n_uses > 0)
                return;
        take_out(b, blob);
        free(blob);
        if (b->n == 0) {
                free(b->slots);
                *b = (struct blobs){};
        }
}
