// SPDX-License-Identifier: MIT
// control_watch: a table of the runs whose output the runner passes on because somebody here wants it. It also keeps what was cut
// between two pieces, so each piece is made text once, for all who read it.

#include "daemon/scheduler/control_watch.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/scheduler/control_feed.h"
#include "daemon/scheduler/control_follow.h"
#include "daemon/scheduler/control_wait.h"

static uint64_t hash_of(const void *table, uint32_t row) {
        return index_hash_number(((const struct control_watch *)table)[row].run);
}

static bool is_run(const void *table, uint32_t row, const void *wanted) {
        return ((const struct control_watch *)table)[row].run == *(const uint64_t *)wanted;
}

static struct control_watch *find(const struct control *c, uint64_t run) {
        uint32_t row = c->n_watches > 0 ? index_find(&c->by_run, index_hash_number(run), is_run, c->watches, &run) : INDEX_NONE;
        return row == INDEX_NONE ? NULL : &c->watches[row];
}

static void drop(struct control *c, struct control_watch *watch) {
        uint32_t row = (uint32_t)(watch - c->watches), last = (uint32_t)c->n_watches - 1;
        index_remove(&c->by_run, index_hash_number(watch->run), row, hash_of, c->watches);
        c->n_watches = last;
        if (row == last)
                return;
        /* the last one moves to its place; there is room, for one was just removed */
        index_remove(&c->by_run, hash_of(c->watches, last), last, hash_of, c->watches);
        *watch = c->watches[last];
        (void)index_add(&c->by_run, index_hash_number(watch->run), row, hash_of, c->watches);
}

bool control_watch_is_wanted(const struct control *c, uint32_t job, uint64_t run) {
        const struct engine *e = link_engine(c->link);
        if (c->n_output_wanted == 0 || !e)
                return false;
        for (const struct control_wait *wait = c->waits; wait; wait = wait->next) {
                if (wait->kind == CONTROL_WAIT_TRIGGER && control_follow_wants_output(wait, job, run))
                        return true;
                if (wait->kind == CONTROL_WAIT_FEED && control_feed_wants_output(wait, e, job))
                        return true;
        }
        return false;
}

int control_watch_begin(struct control *c, uint32_t job, uint64_t run, bool is_start) {
        if (find(c, run))
                return 0;
        if (c->n_watches == c->allocated_watches) {
                size_t n = c->allocated_watches ? c->allocated_watches * 2 : 16;
                struct control_watch *watches = reallocarray(c->watches, n, sizeof(*watches));
                if (!watches)
                        return -ENOMEM;
                c->watches = watches;
                c->allocated_watches = n;
        }
        c->watches[c->n_watches] = (struct control_watch){.run = run, .job = job};
        int r = index_add(&c->by_run, index_hash_number(run), (uint32_t)c->n_watches, hash_of, c->watches);
        if (r < 0)
                return r;
        c->n_watches++;
        r = is_start ? 0 : link_watch(c->link, run, true);
        return r < 0 && r != -ENOBUFS ? r : 0; /* a runner that does not read its orders: nothing is seen of this run */
}

static void hand_out(struct control *c, struct clock_sample now, const struct control_watch *watch,
                     const struct wire_bytes *piece, struct pack *text) {
        pack_u8(text, 0);
        if (pack_result(text) == 0 && (text->size > 1 || piece->dropped > 0)) {
                control_wait_output(c, now, watch->job, piece, (const char *)text->data);
                control_feed_output(c, now, watch->job, piece, (const char *)text->data);
        }
        pack_done(text);
}

void control_watch_output(struct control *c, struct clock_sample now, const struct wire_bytes *piece) {
        struct control_watch *watch = find(c, piece->run);
        struct pack text = {0};
        if (!watch || !link_engine(c->link) || piece->stream < 1 || piece->stream > 2)
                return;
        struct text_carry *carry = &watch->carry[piece->stream - 1];
        if (piece->dropped > 0) /* what was cut has lost its rest */
                text_put_utf8(&text, carry, NULL, 0, true);
        text_put_utf8(&text, carry, piece->data, piece->size, false);
        hand_out(c, now, watch, piece, &text);
}

void control_watch_ended(struct control *c, uint64_t run) {
        struct control_watch *watch = find(c, run);
        if (watch)
                drop(c, watch);
}

void control_watch_finish(struct control *c, struct clock_sample now, uint64_t run) {
        struct control_watch *watch = find(c, run);
        for (uint8_t stream = 1; watch && stream <= 2; stream++) {
                struct pack text = {0};
                struct wire_bytes piece = {.run = run, .stream = stream};
                text_put_utf8(&text, &watch->carry[stream - 1], NULL, 0, true);
                hand_out(c, now, watch, &piece, &text);
        }
}

int control_watch_clean(struct control *c) {
        if (!c->is_watch_stale)
                return 0;
        c->is_watch_stale = false;
        for (size_t i = 0; i < c->n_watches;) {
                struct control_watch *watch = &c->watches[i];
                if (control_watch_is_wanted(c, watch->job, watch->run)) {
                        i++;
                        continue;
                }
                uint64_t run = watch->run;
                drop(c, watch);
                int r = link_watch(c->link, run, false);
                if (r < 0 && r != -ENOBUFS)
                        return r;
        }
        return 0;
}
