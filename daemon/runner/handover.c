// SPDX-License-Identifier: MIT
// handover: a file of chunks, each with its size and a hash, so that damage is found before anything of it is believed, and so that a
// million definitions need no second copy of themselves in one piece. The first chunk says what the runner itself knows, the second is the
// run table, the others hold the definitions.

#include "daemon/runner/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/hash.h"
#include "daemon/core/util.h"

#define HANDOVER_MAGIC   0x43484d444f564552 /* "CHMDOVER" */
#define HANDOVER_VERSION 3
#define CHUNK_SIZE       (1024 * 1024) /* a chunk of definitions is closed at */
#define TEXTS_MAX        1000000

static const uint8_t chunk_key[16] = "chimed handover";

void handover_print_forms(char forms[static HANDOVER_FORMS_MAX]) {
        snprintf(forms, HANDOVER_FORMS_MAX, "takes over: handover %d, runs %d, wire %d", HANDOVER_VERSION, RUN_TABLE_VERSION,
                 WIRE_VERSION);
}

/* ---- writing ---- */

static int write_whole(int fd, const void *data, size_t size) {
        for (const char *at = data; size > 0;) {
                ssize_t n = write(fd, at, size);
                if (n < 0 && errno != EINTR)
                        return -errno;
                at += n > 0 ? n : 0;
                size -= n > 0 ? (size_t)n : 0;
        }
        return 0;
}

/* What is in the writer becomes a chunk; the writer is then empty. */
static int write_chunk(int fd, struct pack *p) {
        int r = pack_result(p);
        uint64_t head[2] = {p->size, hash_64(chunk_key, p->data ? p->data : (const uint8_t *)"", p->size)};

        if (r == 0)
                r = write_whole(fd, head, sizeof(head));
        if (r == 0)
                r = write_whole(fd, p->data, p->size);
        pack_clear(p);
        return r;
}

static void put_sized(struct pack *p, struct pack *inner) {
        if (pack_result(inner) < 0)
                p->error = p->error ? p->error : pack_result(inner);
        pack_u32(p, (uint32_t)inner->size);
        pack_raw(p, inner->data, inner->size);
        pack_done(inner);
}

static void put_texts(struct pack *p, char **texts, size_t n) {
        pack_u32(p, (uint32_t)n);
        for (size_t i = 0; i < n; i++)
                pack_string(p, texts[i]);
}

static void put_groups(struct pack *p, const struct group_list *groups) {
        pack_u32(p, (uint32_t)groups->n);
        for (size_t i = 0; i < groups->n; i++) {
                const struct group_text *group = &groups->list[i];
                pack_string(p, group->name);
                pack_string(p, group->description);
                pack_string(p, group->file);
                pack_u32(p, group->max_running);
        }
}

static void put_settings(struct pack *p, const struct config_settings *settings) {
        pack_i64(p, settings->stop_wait_us);
        pack_i64(p, settings->time_sync_wait_us);
        pack_u8(p, settings->on_ledger_failure);
        pack_u64(p, settings->ledger_max_size);
        pack_string(p, settings->sendmail);
        pack_u32(p, settings->max_running);
}

/* Processes that are known to be of runs that are being ended. */
static void put_members(struct pack *p, const struct tree_members *members) {
        pack_u32(p, (uint32_t)members->n);
        for (size_t i = 0; i < members->n; i++) {
                const struct tree_member *m = &members->list[i];
                pack_u64(p, m->run);
                pack_u64(p, m->start_time);
                pack_u32(p, (uint32_t)m->pid);
        }
}

static void put_runner(struct pack *p, const struct runner *runner) {
        struct pack commit = {};

        pack_u64(p, HANDOVER_MAGIC);
        pack_u32(p, HANDOVER_VERSION);
        pack_u32(p, WIRE_VERSION); /* the form of the commit and of definitions */
        pack_raw(p, runner->instance, sizeof(runner->instance));
        pack_raw(p, runner->secret, sizeof(runner->secret));
        pack_u64(p, runner->link.epoch);
        pack_u32(p, (uint32_t)runner->folder.fd);
        pack_u32(p, (uint32_t)runner->folder.lock_fd);
        pack_u32(p, (uint32_t)runner->folder.listen_fd);
        pack_u8(p, runner->folder.is_first_of_boot);
        pack_u8(p, runner->is_told);
        pack_u8(p, runner->is_ready_told);
        wire_put_commit(&commit, &runner->commit);
        put_sized(p, &commit);
        put_settings(p, &runner->settings);
        put_groups(p, &runner->groups);
        put_texts(p, runner->diags, runner->n_diags);
        put_texts(p, runner->zones, runner->n_zones);
        put_members(p, runner->tree ? tree_members(runner->tree) : &(struct tree_members){});
        pack_u64(p, runner->definitions.current.n + runner->definitions.n_retired);
}

static void put_definition(struct pack *p, const struct definition *d) {
        struct pack define = {}, what = {};

        definition_put_define(d, &define);
        put_sized(p, &define);
        definition_put_what(d, &what);
        put_sized(p, &what);
        pack_string(p, definition_file(d));
        pack_u32(p, d->line);
        pack_u8(p, d->state == DEFINITION_RETIRED);
}

static int write_definitions(int fd, const struct definitions *definitions, struct pack *p) {
        const struct definition *d;
        int r = 0;

        for (size_t cursor = 0; r == 0 && (d = definitions_walk(definitions, &cursor));) {
                put_definition(p, d);
                if (p->size >= CHUNK_SIZE)
                        r = write_chunk(fd, p);
        }
        for (size_t i = 0; r == 0 && i < definitions->n_retired; i++)
                put_definition(p, definitions->retired[i]);
        return r == 0 ? write_chunk(fd, p) : r;
}

int handover_write(const struct runner *runner, int *ret_fd) {
        _cleanup_close_ int fd = memfd_create("chimed-handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct pack p = {};
        int r = fd < 0 ? -errno : 0;

        if (r == 0) {
                put_runner(&p, runner);
                r = write_chunk(fd, &p);
        }
        if (r == 0)
                r = run_table_write(&runner->runs, &p);
        if (r == 0)
                r = write_chunk(fd, &p);
        if (r == 0)
                r = write_definitions(fd, &runner->definitions, &p);
        if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                r = -errno;
        pack_done(&p);
        if (r < 0)
                return r;
        *ret_fd = fd;
        fd = -1; /* given */
        return 0;
}

/* ---- reading ---- */

static int read_chunk(struct unpack *file, struct unpack *ret) {
        uint64_t size = unpack_u64(file), hash = unpack_u64(file);
        const void *data = unpack_raw(file, size);

        if (!data || hash_64(chunk_key, data, size) != hash)
                return -EBADMSG;
        *ret = unpack_from(data, size);
        return 0;
}

static struct unpack get_sized(struct unpack *u) {
        uint32_t size = unpack_u32(u);
        const void *data = unpack_raw(u, size);

        return unpack_from(data ? data : "", data ? size : 0);
}

static int get_texts(struct unpack *u, char ***ret, size_t *ret_n) {
        uint32_t n = unpack_u32(u);
        int r = 0;

        if (u->bad || n > TEXTS_MAX)
                return -EBADMSG;
        *ret = calloc(n + 1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        for (*ret_n = 0; *ret_n < n && r == 0; *ret_n += r == 0)
                r = unpack_string(u, &(*ret)[*ret_n]);
        return r;
}

static int get_groups(struct unpack *u, struct group_list *ret) {
        uint32_t n = unpack_u32(u);
        int r = 0;

        for (uint32_t i = 0; i < n && r == 0; i++) {
                struct group_text text = {};
                r = unpack_string(u, &text.name);
                if (r == 0)
                        r = unpack_string(u, &text.description);
                if (r == 0)
                        r = unpack_string(u, &text.file);
                text.max_running = unpack_u32(u);
                int taken = group_list_take(ret, &text); /* in any case */
                r = r < 0 ? r : taken;
        }
        return r;
}

static int get_settings(struct unpack *u, struct config_settings *ret) {
        _cleanup_free_ char *sendmail = NULL;

        ret->stop_wait_us = unpack_i64(u);
        ret->time_sync_wait_us = unpack_i64(u);
        ret->on_ledger_failure = (enum config_ledger_failure)unpack_u8(u);
        ret->ledger_max_size = unpack_u64(u);
        int r = unpack_string(u, &sendmail);
        if (r == 0 && strlen(sendmail) >= sizeof(ret->sendmail))
                r = -EBADMSG;
        if (r == 0)
                strcpy(ret->sendmail, sendmail);
        ret->max_running = unpack_u32(u);
        return r;
}

static int get_members(struct unpack *u, struct tree_members *ret) {
        uint32_t n = unpack_u32(u);

        if (u->bad || n > TREE_MEMBERS_MAX)
                return -EBADMSG;
        ret->list = calloc(n + 1, sizeof(*ret->list));
        if (!ret->list)
                return -ENOMEM;
        ret->allocated = n + 1;
        for (; ret->n < n; ret->n++) {
                struct tree_member *m = &ret->list[ret->n];
                m->run = unpack_u64(u);
                m->start_time = unpack_u64(u);
                m->pid = (pid_t)unpack_u32(u);
        }
        return u->bad ? -EBADMSG : 0;
}

static int get_head(struct unpack *u) {
        if (unpack_u64(u) != HANDOVER_MAGIC)
                return -EBADMSG;
        bool is_known = unpack_u32(u) == HANDOVER_VERSION;
        is_known &= unpack_u32(u) == WIRE_VERSION;
        return u->bad ? -EBADMSG : is_known ? 0 : -EPROTONOSUPPORT;
}

static int get_runner(struct unpack *u, struct runner *runner, uint64_t *ret_n) {
        int r = get_head(u);
        const void *instance = r == 0 ? unpack_raw(u, sizeof(runner->instance)) : NULL;
        const void *secret = r == 0 ? unpack_raw(u, sizeof(runner->secret)) : NULL;

        if (!instance || !secret)
                return r < 0 ? r : -EBADMSG;
        memcpy(runner->instance, instance, sizeof(runner->instance));
        memcpy(runner->secret, secret, sizeof(runner->secret));
        runner->link.epoch = unpack_u64(u);
        runner->folder.fd = (int)unpack_u32(u);
        runner->folder.lock_fd = (int)unpack_u32(u);
        runner->folder.listen_fd = (int)unpack_u32(u);
        runner->folder.is_first_of_boot = unpack_u8(u);
        runner->is_told = unpack_u8(u);
        runner->is_ready_told = unpack_u8(u);
        struct unpack commit = get_sized(u);
        r = wire_get_commit(commit.at, (size_t)(commit.end - commit.at), &runner->commit);
        if (r == 0)
                r = get_settings(u, &runner->settings);
        if (r == 0)
                r = get_groups(u, &runner->groups);
        if (r == 0)
                r = get_texts(u, &runner->diags, &runner->n_diags);
        if (r == 0)
                r = get_texts(u, &runner->zones, &runner->n_zones);
        if (r == 0)
                r = get_members(u, &runner->members);
        *ret_n = unpack_u64(u);
        return r < 0 ? r : unpack_finish(u);
}

static int get_definition(struct unpack *u, struct runner *runner) {
        struct unpack packed = get_sized(u), what = get_sized(u);
        _cleanup_free_ char *file = NULL;
        struct wire_define define = {};
        int r = wire_get_define(packed.at, (size_t)(packed.end - packed.at), &define);

        if (r == 0)
                r = unpack_string(u, &file);
        struct definition_text text = {.hash = define.hash,
                                       .name = define.name,
                                       .file = file,
                                       .line = unpack_u32(u),
                                       .when = define.when,
                                       .when_size = define.when_size,
                                       .what = what.at,
                                       .what_size = (size_t)(what.end - what.at)};
        bool is_retired = unpack_u8(u);
        if (r == 0 && job_what_manner_size(text.what, text.what_size) == 0) {
                text.what_size = 0; /* another form: not to be run */
                runner->commit.generation = 0;
        }
        if (r == 0)
                r = u->bad ? -EBADMSG : definitions_restore(&runner->definitions, &text, &define, is_retired);
        wire_define_done(&define);
        return r;
}

static int get_definitions(struct unpack *file, struct runner *runner, uint64_t n) {
        struct unpack chunk = unpack_from("", 0);
        int r = 0;

        for (uint64_t i = 0; i < n && r == 0; i++) {
                if (chunk.at == chunk.end)
                        r = read_chunk(file, &chunk);
                if (r == 0)
                        r = get_definition(&chunk, runner);
        }
        return r;
}

/* Each run in flight finds its definition, which it holds. */
static int hold_definitions(struct runner *runner) {
        for (struct run *run = run_table_walk(&runner->runs, NULL); run; run = run_table_walk(&runner->runs, run)) {
                if (run->phase == RUN_PHASE_ENDED)
                        continue;
                run->definition = definitions_by_hash(&runner->definitions, &run->start.hash);
                if (!run->definition)
                        return -EBADMSG;
                run->definition->n_uses++;
        }
        return 0;
}

static int get_all(struct unpack *file, struct runner *runner) {
        struct unpack chunk;
        uint64_t n_definitions;
        int r = read_chunk(file, &chunk);

        if (r == 0)
                r = get_runner(&chunk, runner, &n_definitions);
        if (r == 0)
                r = read_chunk(file, &chunk);
        if (r == 0)
                r = run_table_read(&runner->runs, chunk.at, (size_t)(chunk.end - chunk.at));
        if (r == 0)
                r = get_definitions(file, runner, n_definitions);
        return r == 0 ? hold_definitions(runner) : r;
}

/* The folder's descriptors and those of the runs are there, and no other program gets them. */
static int keep_to_ourselves(const struct runner *runner) {
        int r = folder_keep(&runner->folder, false);

        return r == 0 ? run_table_keep(&runner->runs, false) : r;
}

int handover_read(struct runner *runner, int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        size_t size = (size_t)st.st_size;
        void *data = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
        if (data == MAP_FAILED)
                return size > 0 ? -errno : -EBADMSG;
        struct unpack file = unpack_from(data, size);
        int r = get_all(&file, runner);
        munmap(data, size);
        if (r == 0)
                r = keep_to_ourselves(runner);
        return r;
}
