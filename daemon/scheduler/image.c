// SPDX-License-Identifier: MIT
// image: one list of members, walked by the writer and by the reader, so that they can't come apart.

#include "daemon/scheduler/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/parameters.h"

/* Either end of the codec: one of the two is set. */
struct ends {
        struct pack *to;
        struct unpack *from;
        uint8_t version;
};

static void i64(struct ends *x, int64_t *v) {
        if (x->to)
                pack_i64(x->to, *v);
        else
                *v = unpack_i64(x->from);
}

static void u64(struct ends *x, uint64_t *v) {
        if (x->to)
                pack_u64(x->to, *v);
        else
                *v = unpack_u64(x->from);
}

static void u16(struct ends *x, uint16_t *v) {
        if (x->to)
                pack_u16(x->to, *v);
        else
                *v = unpack_u16(x->from);
}

static void u32(struct ends *x, uint32_t *v) {
        if (x->to)
                pack_u32(x->to, *v);
        else
                *v = unpack_u32(x->from);
}

/* A number below max; a greater one marks the image as bad. */
static unsigned below(struct ends *x, unsigned v, unsigned max) {
        if (x->to) {
                pack_u8(x->to, (uint8_t)v);
                return v;
        }
        v = unpack_u8(x->from);
        if (v >= max)
                x->from->bad = true;
        return x->from->bad ? 0 : v;
}

static void flag(struct ends *x, bool *v) {
        *v = below(x, *v, 2);
}

static void walk_run(struct ends *x, struct job_run *run) {
        u64(x, &run->run);
        run->item = below(x, run->item, WIRE_ITEM_MAX);
        run->cause = below(x, run->cause, RUN_CAUSE_MAX);
        u32(x, &run->segment);
        i64(x, &run->key);
        i64(x, &run->slot_rt_us);
        i64(x, &run->lag_us);
        i64(x, &run->begun_bt_us);
        i64(x, &run->start_rt_us);
        i64(x, &run->start_bt_us);
        u64(x, &run->missed);
        flag(x, &run->is_told);
}

static void walk_waiting(struct ends *x, struct job_waiting *w) {
        flag(x, &w->is_slot);
        u32(x, &w->segment);
        i64(x, &w->anchor_us);
        i64(x, &w->key);
        i64(x, &w->slot_us);
        i64(x, &w->slot_rt_us);
        i64(x, &w->due_bt_us);
}

/* What it waits for, and how long. */
static void walk_wait(struct ends *x, struct job_waiting *w) {
        w->awaits = below(x, w->awaits, JOB_AWAITS_MAX);
        i64(x, &w->from_bt_us);
        i64(x, &w->until_bt_us);
        w->until_reason = (uint8_t)below(x, w->until_reason, UINT8_MAX);
        flag(x, &w->is_caught_up);
}

static void walk_text(struct ends *x, char *text, size_t room) {
        size_t size = 0;
        if (x->to) {
                pack_string(x->to, text);
                return;
        }
        const void *from = unpack_bytes(x->from, &size);
        if (size >= room)
                x->from->bad = true;
        else if (from)
                memcpy(text, from, size);
}

static void walk_i32(struct ends *x, int *v) {
        uint32_t bits = (uint32_t)*v;
        u32(x, &bits);
        *v = (int)bits;
}

/* Most have none. */
static void walk_parent(struct ends *x, struct run_parent *parent) {
        parent->event = below(x, parent->event, RUN_EVENT_MAX);
        if (parent->event == RUN_EVENT_NONE)
                return;
        parent->result = below(x, parent->result, RUN_RESULT_MAX);
        walk_i32(x, &parent->exit_code);
        walk_i32(x, &parent->signal);
        u16(x, &parent->attempt);
        u64(x, &parent->run);
        i64(x, &parent->slot_rt_us);
        u64(x, &parent->missed);
        walk_text(x, parent->reason, sizeof(parent->reason));
        walk_text(x, parent->job, sizeof(parent->job));
}

static void walk_line(struct ends *x, struct job_image *image) {
        u32(x, &image->n_line);
        if (image->n_line == 0)
                return;
        if (x->from && image->n_line > JOB_QUEUE_MAX + 1)
                x->from->bad = true;
        if (x->from && !x->from->bad) {
                image->line = calloc(1, sizeof(*image->line) + image->n_line * sizeof(image->line->slots[0]));
                if (!image->line)
                        x->from->bad = true;
        }
        if (x->from && x->from->bad)
                return;
        if (x->from)
                image->line->n = image->line->allocated = image->n_line;
        for (uint32_t i = 0; i < image->n_line; i++) {
                struct job_waiting slot = image->line->slots[i];
                walk_waiting(x, &slot);
                slot.item = below(x, slot.item, WIRE_ITEM_MAX);
                u16(x, &slot.attempt);
                walk_wait(x, &slot);
                walk_parent(x, &slot.parent);
                if (x->from)
                        image->line->slots[i] = slot;
        }
}

static void walk_parcels(struct ends *x, struct job_image *image) {
        uint32_t n = image->n_parcels;
        u32(x, &n);
        if (x->from && n > PARCELS_OF_JOB_MAX)
                x->from->bad = true;
        for (uint32_t i = 0; x->to && i < n; i++) {
                pack_u64(x->to, image->parcels[i].run);
                pack_bytes(x->to, image->parcels[i].parcel->data, image->parcels[i].parcel->size);
        }
        if (x->to || x->from->bad || n == 0)
                return;
        image->parcels = calloc(n, sizeof(*image->parcels));
        x->from->bad = !image->parcels;
        for (uint32_t i = 0; i < n && !x->from->bad; i++) {
                size_t size;
                image->parcels[i].run = unpack_u64(x->from);
                const void *data = unpack_bytes(x->from, &size);
                if (!data || size == 0 || !parameters_are_valid(data, size)) {
                        x->from->bad = true;
                        return;
                }
                image->parcels[i].parcel = parcel_new(data, size);
                x->from->bad = !image->parcels[i].parcel;
                image->n_parcels = i + !x->from->bad;
        }
}

static void walk_retry(struct ends *x, struct job_retry *r) {
        flag(x, &r->is_waiting);
        flag(x, &r->is_short);
        u16(x, &r->attempt);
        u16(x, &r->n_short);
        i64(x, &r->at_bt_us);
        i64(x, &r->due_bt_us);
        u32(x, &r->segment);
        i64(x, &r->key);
        i64(x, &r->slot_rt_us);
        u64(x, &r->run);
        r->result = below(x, r->result, RUN_RESULT_MAX);
        walk_i32(x, &r->exit_code);
        walk_i32(x, &r->signal);
        walk_parent(x, &r->parent);
}

static void walk_beside(struct ends *x, struct job_image *image) {
        u32(x, &image->n_beside);
        if (x->from && image->n_beside > JOB_PARALLEL_MAX)
                x->from->bad = true;
        if (x->from && !x->from->bad && image->n_beside > 0) {
                image->beside = calloc(image->n_beside, sizeof(*image->beside));
                x->from->bad = !image->beside;
        }
        if (x->from && x->from->bad) {
                image->n_beside = 0;
                return;
        }
        for (uint32_t i = 0; i < image->n_beside; i++) {
                walk_run(x, &image->beside[i]);
                u16(x, &image->beside[i].attempt);
                flag(x, &image->beside[i].is_unclaimed);
                walk_parent(x, &image->beside[i].parent);
        }
}

static void walk_range(struct ends *x, struct job_range *r) {
        flag(x, &r->is_open);
        r->reason = (uint8_t)below(x, r->reason, UINT8_MAX);
        u32(x, &r->segment);
        i64(x, &r->first);
        i64(x, &r->last);
        i64(x, &r->first_us);
        i64(x, &r->last_us);
        i64(x, &r->open_us);
}

static void walk(struct ends *x, struct job_image *image) {
        if (x->to)
                pack_raw(x->to, image->boot_id, sizeof(image->boot_id));
        else {
                const void *id = unpack_raw(x->from, sizeof(image->boot_id));
                if (id)
                        memcpy(image->boot_id, id, sizeof(image->boot_id));
        }
        i64(x, &image->offset_us);
        u32(x, &image->segment);
        i64(x, &image->anchor_us);
        i64(x, &image->key);
        i64(x, &image->next_us);
        i64(x, &image->since_us);
        flag(x, &image->is_planned);
        flag(x, &image->is_boot_done);
        flag(x, &image->is_paused);
        flag(x, &image->is_cancelled);
        i64(x, &image->paused_until_rt_us);
        i64(x, &image->every_us);
        walk_run(x, &image->run);
        walk_waiting(x, &image->waiting);
        walk_range(x, &image->merging);
        u64(x, &image->missed_since_run);
        u64(x, &image->ended_run);
        i64(x, &image->end_bt_us);
        i64(x, &image->last_slot_us);
        image->last_result = below(x, image->last_result, RUN_RESULT_MAX);
        if (x->version < 2)
                return;
        flag(x, &image->is_late);
        i64(x, &image->late_key);
        image->waiting.item = below(x, image->waiting.item, WIRE_ITEM_MAX);
        u16(x, &image->waiting.attempt);
        u16(x, &image->run.attempt);
        flag(x, &image->run.is_unclaimed);
        if (x->version < 3)
                return;
        flag(x, &image->is_finished);
        u32(x, &image->n_scheduled);
        i64(x, &image->delay_bt_us);
        if (x->version < 4)
                return;
        u64(x, &image->calendar.word[0]);
        u64(x, &image->calendar.word[1]);
        if (x->version < 5)
                return;
        walk_wait(x, &image->waiting);
        walk_line(x, image);
        flag(x, &image->is_failed);
        u32(x, &image->n_failed);
        i64(x, &image->good_bt_us);
        i64(x, &image->overdue_bt_us);
        walk_retry(x, &image->retry);
        walk_parent(x, &image->run.parent);
        walk_parent(x, &image->waiting.parent);
        walk_beside(x, image);
        if (x->version < 6)
                return;
        u64(x, &image->waiting.run);
        if (x->version < 7)
                return;
        flag(x, &image->retry.is_claimed);
        if (x->version < 8)
                return;
        i64(x, &image->retry.refused_bt_us);
        if (x->version < 9)
                return;
        walk_parcels(x, image);
}

void image_encode(const struct job_image *image, struct pack *p) {
        struct job_image copy = *image;
        pack_u8(p, IMAGE_VERSION);
        walk(&(struct ends){.to = p, .version = IMAGE_VERSION}, &copy);
}

int image_decode(const void *data, size_t size, struct job_image *ret) {
        struct unpack u = unpack_from(data, size);
        struct job_image image = {0};
        uint8_t version = unpack_u8(&u);
        if (version < 1 || version > IMAGE_VERSION)
                return -EBADMSG;
        walk(&(struct ends){.from = &u, .version = version}, &image);
        int r = unpack_finish(&u);
        if (r < 0) {
                image_done(&image);
                return r;
        }
        *ret = image;
        return 0;
}

int image_copy_line(const struct job_line *from, uint32_t at_most, struct job_line **ret) {
        uint32_t n = !from ? 0 : from->n < at_most ? from->n : at_most;
        struct job_line *copy = n > 0 ? malloc(sizeof(*copy) + n * sizeof(copy->slots[0])) : NULL;
        if (n > 0 && !copy)
                return -ENOMEM;
        if (copy) {
                memcpy(copy->slots, from->slots, n * sizeof(copy->slots[0]));
                copy->n = copy->allocated = n;
        }
        *ret = copy;
        return 0;
}

/* With a use more of each. 0, -ENOMEM. */
static int copy_parcels(const struct parcel_of *from, uint32_t n, struct parcel_of **ret) {
        struct parcel_of *copy = n > 0 ? malloc(n * sizeof(*copy)) : NULL;
        if (n > 0 && !copy)
                return -ENOMEM;
        for (uint32_t i = 0; i < n; i++)
                copy[i] = (struct parcel_of){from[i].run, parcel_use(from[i].parcel)};
        *ret = copy;
        return 0;
}

int image_copy(const struct job_image *image, struct job_image *ret) {
        struct job_image copy = *image;
        size_t size = image->n_beside * sizeof(*image->beside);
        copy.beside = size > 0 ? malloc(size) : NULL;
        copy.line = NULL;
        copy.parcels = NULL;
        copy.n_parcels = 0;
        int r = (size > 0 && !copy.beside) ? -ENOMEM : image_copy_line(image->line, image->n_line, &copy.line);
        if (r == 0)
                r = copy_parcels(image->parcels, image->n_parcels, &copy.parcels);
        if (r < 0) {
                image_done(&copy);
                return -ENOMEM;
        }
        copy.n_parcels = image->n_parcels;
        if (size > 0)
                memcpy(copy.beside, image->beside, size);
        *ret = copy;
        return 0;
}

void image_done(struct job_image *image) {
        for (uint32_t i = 0; i < image->n_parcels; i++)
                parcel_drop(image->parcels[i].parcel);
        free(image->parcels);
        image->parcels = NULL;
        image->n_parcels = 0;
        free(image->line);
        free(image->beside);
        image->line = NULL;
        image->beside = NULL;
        image->n_line = image->n_beside = 0;
}

/* 0 means none: what was before this boot is told as its beginning. */
static void shift(int64_t *instant_us, int64_t by_us) {
        if (*instant_us > 0 && *instant_us < INT64_MAX)
                *instant_us = *instant_us + by_us > 0 ? *instant_us + by_us : 1;
}

static void shift_waiting(struct job_waiting *w, bool is_wall, int64_t by_us) {
        w->due_bt_us += by_us;
        shift(&w->from_bt_us, by_us);
        shift(&w->until_bt_us, by_us);
        bool is_of_plan = w->item == WIRE_ITEM_SCHEDULE || w->item == WIRE_ITEM_RETRY; /* the others are on BOOTTIME */
        if (!is_wall || !is_of_plan)
                w->slot_us += by_us;
        if (!is_wall)
                w->anchor_us += by_us;
}

/* The same for what may be before this boot. */
static void shift_back(int64_t *instant_us, int64_t by_us) {
        if (*instant_us != 0 && *instant_us != -by_us)
                *instant_us += by_us;
}

void image_shift(struct job_image *image, bool is_wall, int64_t by_us) {
        image->since_us += by_us;
        shift(&image->run.begun_bt_us, by_us);
        shift(&image->run.start_bt_us, by_us);
        for (uint32_t i = 0; i < image->n_beside; i++) {
                shift(&image->beside[i].begun_bt_us, by_us);
                shift(&image->beside[i].start_bt_us, by_us);
        }
        shift(&image->end_bt_us, by_us);
        shift_back(&image->delay_bt_us, by_us);
        shift_back(&image->good_bt_us, by_us);
        shift_back(&image->overdue_bt_us, by_us);
        shift_back(&image->retry.refused_bt_us, by_us);
        image->retry.at_bt_us += by_us;
        image->retry.due_bt_us += by_us;
        shift_waiting(&image->waiting, is_wall, by_us);
        for (uint32_t i = 0; i < image->n_line; i++)
                shift_waiting(&image->line->slots[i], is_wall, by_us);
        image->offset_us -= by_us;
        if (is_wall)
                return;
        image->anchor_us += by_us;
        if (image->next_us < INT64_MAX)
                image->next_us += by_us;
        shift(&image->last_slot_us, by_us);
        image->merging.first_us += by_us;
        image->merging.last_us += by_us;
}

static bool is_within(enum wire_item item, uint32_t of, int64_t key, uint32_t segment, int64_t first, int64_t last) {
        return item == WIRE_ITEM_SCHEDULE && of == segment && key >= first && key <= last;
}

static bool is_untold(const struct job_run *run) {
        return run->run > 0 && !run->is_told;
}

static int64_t first_waiting(const struct job_image *image, const struct job_waiting *slot, int64_t key) {
        return slot->is_slot && is_within(slot->item, slot->segment, slot->key, image->segment, INT64_MIN, key) ? slot->key
                                                                                                                : key;
}

int64_t image_first_open(const struct job_image *image) {
        int64_t key = first_waiting(image, &image->waiting, image->key);
        for (uint32_t i = 0; i < image->n_line; i++)
                key = first_waiting(image, &image->line->slots[i], key);
        if (is_untold(&image->run) &&
            is_within(image->run.item, image->run.segment, image->run.key, image->segment, INT64_MIN, key))
                key = image->run.key;
        for (uint32_t i = 0; i < image->n_beside; i++) {
                const struct job_run *run = &image->beside[i];
                if (is_untold(run) && is_within(run->item, run->segment, run->key, image->segment, INT64_MIN, key))
                        key = run->key;
        }
        if (image->merging.is_open && image->merging.segment == image->segment && image->merging.first < key)
                key = image->merging.first;
        return key;
}

uint64_t image_count_open(const struct job_image *image, uint32_t segment, int64_t first, int64_t last) {
        const struct job_waiting *w = &image->waiting;
        const struct job_run *run = &image->run;
        uint64_t n = w->is_slot && is_within(w->item, w->segment, w->key, segment, first, last);
        n += is_untold(run) && is_within(run->item, run->segment, run->key, segment, first, last);
        for (uint32_t i = 0; i < image->n_line; i++) {
                w = &image->line->slots[i];
                n += is_within(w->item, w->segment, w->key, segment, first, last);
        }
        for (uint32_t i = 0; i < image->n_beside; i++) {
                run = &image->beside[i];
                n += is_untold(run) && is_within(run->item, run->segment, run->key, segment, first, last);
        }
        return n;
}

bool image_has_run(const struct job_image *image, uint64_t run) {
        for (uint32_t i = 0; i < image->n_beside; i++)
                if (image->beside[i].run == run)
                        return true;
        return image->run.run == run;
}
