// SPDX-License-Identifier: MIT
// reader: the runner's end: starts the child, checks what it writes, and is done when both its socket and its process have ended.
// The child runs the same binary, but what it parsed was written by others: every record is checked for length and meaning.

#include "daemon/runner/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/pack.h"
#include "daemon/core/channel.h"
#include "daemon/core/clock.h"
#include "daemon/core/descriptors.h"
#include "daemon/core/util.h"
#include "daemon/runner/environment.h"
#include "daemon/runner/reader_records.h"

#define FOLDERS_MAX 10000
#define PLACES_MAX  (4 * ZONES_MAX)

struct reader {
        struct definitions *definitions;
        reader_fn on_done;
        void *userdata;
        struct channel *channel;
        struct loop *loop;
        struct loop_source *timer, *pidfd_source;
        int pidfd;
        int32_t pid;
        bool is_launching, is_closed, is_reaped, is_done, has_definition;
        struct reading reading;
        /* of the DEFINITION whose WHAT must follow */
        struct hash128 hash;
        char *file;
        uint32_t line;
        char *name;
        char *when;
        size_t when_size;
};

static void fail(struct reader *reader, int error) {
        if (reader->reading.error == 0)
                reader->reading.error = error;
}

static int handle_definition(struct reader *reader, struct unpack *u) {
        size_t size;

        reader->hash.word[0] = unpack_u64(u);
        reader->hash.word[1] = unpack_u64(u);
        free(reader->file);
        free(reader->name);
        reader->file = reader->name = NULL;
        int r = unpack_string(u, &reader->file);
        reader->line = unpack_u32(u);
        if (r == 0)
                r = unpack_string(u, &reader->name);
        const void *when = unpack_bytes(u, &size);
        if (r == 0)
                r = unpack_finish(u);
        if (r < 0)
                return r;
        free(reader->when);
        reader->when = malloc(size + 1);
        if (!reader->when)
                return -ENOMEM;
        memcpy(reader->when, when, size);
        reader->when_size = size;
        reader->has_definition = true;
        return 0;
}

static int handle_what(struct reader *reader, const void *payload, size_t size) {
        struct job_what what;
        int r = job_what_decode(payload, size, &what);

        if (r < 0)
                return r;
        job_what_done(&what);
        reader->has_definition = false;
        return definitions_add(reader->definitions, &(struct definition_text){.hash = reader->hash,
                                                                              .name = reader->name,
                                                                              .file = reader->file,
                                                                              .line = reader->line,
                                                                              .when = reader->when,
                                                                              .when_size = reader->when_size,
                                                                              .what = payload,
                                                                              .what_size = size});
}

/* Appends a text to a list that may hold max. */
static int keep_text(struct unpack *u, char ***list, size_t *n, size_t max) {
        char *text;
        int r = unpack_string(u, &text);

        if (r < 0)
                return r;
        r = unpack_finish(u);
        char **longer = r == 0 && *n < max ? reallocarray(*list, *n + 1, sizeof(*longer)) : NULL;
        if (!longer) {
                free(text);
                return r < 0 ? r : *n < max ? -ENOMEM : 0;
        }
        *list = longer;
        longer[(*n)++] = text;
        return 0;
}

static int handle_broken(struct reader *reader, struct unpack *u) {
        uint64_t key = unpack_u64(u);
        int r = unpack_finish(u);

        return r < 0 ? r : definitions_add_broken(reader->definitions, key);
}

static int handle_group(struct reader *reader, struct unpack *u) {
        struct group_text text = {};
        int r = unpack_string(u, &text.name);

        if (r == 0)
                r = unpack_string(u, &text.description);
        if (r == 0)
                r = unpack_string(u, &text.file);
        text.max_running = unpack_u32(u);
        text.is_broken = unpack_u8(u) > 0;
        if (r == 0)
                r = unpack_finish(u);
        int taken = group_list_take(&reader->reading.groups, &text);
        return r < 0 ? r : taken;
}

static int handle_done(struct reader *reader, struct unpack *u) {
        struct reading *reading = &reader->reading;
        struct config_settings *settings = &reading->settings;

        settings->stop_wait_us = unpack_i64(u);
        settings->time_sync_wait_us = unpack_i64(u);
        settings->on_ledger_failure = unpack_u8(u) == 0 ? CONFIG_LEDGER_FAILURE_RUN : CONFIG_LEDGER_FAILURE_HOLD;
        settings->ledger_max_size = unpack_u64(u);
        settings->max_running = unpack_u32(u);
        reading->n_files = unpack_u32(u);
        reading->n_errors = unpack_u32(u);
        reading->n_warnings = unpack_u32(u);
        reader->is_done = true;
        return settings->stop_wait_us < 0 || settings->time_sync_wait_us < 0 ? -EBADMSG : unpack_finish(u);
}

int reader_handle(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct reader *reader = userdata;
        struct unpack u = unpack_from(payload, size);

        if (reader->is_done || reader->has_definition != (type == READER_RECORD_WHAT))
                return -EBADMSG;
        switch (type) {
        case READER_RECORD_DEFINITION:
                return handle_definition(reader, &u);
        case READER_RECORD_WHAT:
                return handle_what(reader, payload, size);
        case READER_RECORD_BROKEN:
                return handle_broken(reader, &u);
        case READER_RECORD_GROUP:
                return handle_group(reader, &u);
        case READER_RECORD_DIAG:
                return keep_text(&u, &reader->reading.diags, &reader->reading.n_diags, DIAGS_MAX);
        case READER_RECORD_FOLDER:
                return keep_text(&u, &reader->reading.folders, &reader->reading.n_folders, FOLDERS_MAX);
        case READER_RECORD_ZONE:
                return keep_text(&u, &reader->reading.zones, &reader->reading.n_zones, ZONES_MAX);
        case READER_RECORD_PLACE:
                return keep_text(&u, &reader->reading.places, &reader->reading.n_places, PLACES_MAX);
        case READER_RECORD_DONE:
                return handle_done(reader, &u);
        }
        return -EBADMSG;
}

static int report(struct reader *reader) {
        if (!reader->is_closed || !reader->is_reaped)
                return 0;
        if (!reader->is_done)
                fail(reader, -ENODATA);
        reader->on_done(reader->userdata, &reader->reading);
        return 0;
}

static void kill_child(struct reader *reader) {
        if (reader->pidfd >= 0)
                syscall(SYS_pidfd_send_signal, reader->pidfd, SIGKILL, NULL, 0);
}

static int on_closed(void *userdata, int error) {
        struct reader *reader = userdata;

        if (error < 0) {
                fail(reader, error);
                kill_child(reader);
        }
        reader->is_closed = true;
        return report(reader);
}

static int on_exit_ready(void *userdata, uint32_t events) {
        struct reader *reader = userdata;
        siginfo_t info = {};

        (void)events;
        if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)reader->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
                return 0;
        if (info.si_code != CLD_EXITED || info.si_status != 0)
                fail(reader, -ECHILD);
        reader->pidfd_source = loop_source_free(reader->pidfd_source);
        reader->is_reaped = true;
        return report(reader);
}

static int on_time(void *userdata, bool is_clock_change) {
        struct reader *reader = userdata;

        (void)is_clock_change;
        fail(reader, -ETIMEDOUT);
        kill_child(reader);
        return 0;
}

static void on_launched(void *userdata, struct launch *l) {
        struct reader *reader = userdata;
        int r = -l->error;

        reader->is_launching = false;
        if (l->step == RUN_STEP_NONE) {
                reader->pid = l->pid;
                reader->pidfd = l->pidfd;
                l->pidfd = -1; /* taken */
                r = loop_add_io(reader->loop, reader->pidfd, EPOLLIN, on_exit_ready, reader, &reader->pidfd_source);
        }
        launch_free(l); /* with it goes our copy of the child's end */
        if (r < 0) {
                fail(reader, r);
                kill_child(reader);
                reader->is_reaped = true;
                report(reader);
        }
}

static int add_argument(char **argv, size_t *n, const char *option, const char *value) {
        if (asprintf(&argv[*n], "%s%s", option, value) < 0) {
                argv[*n] = NULL;
                return -ENOMEM;
        }
        ++*n;
        return 0;
}

static int make_arguments(const struct reader_paths *paths, char ***ret) {
        char **argv = calloc(paths->n_folders + 7, sizeof(*argv));
        size_t n = 0;

        if (!argv)
                return -ENOMEM;
        *ret = argv;
        int r = add_argument(argv, &n, "/proc/self/exe", "");
        if (r == 0)
                r = add_argument(argv, &n, "--read", "");
        if (r == 0 && paths->settings_file)
                r = add_argument(argv, &n, "--config=", paths->settings_file);
        for (size_t i = 0; i < paths->n_folders && r == 0; i++)
                r = add_argument(argv, &n, "--jobs=", paths->folders[i]);
        if (r == 0 && paths->is_user)
                r = add_argument(argv, &n, "--user", "");
        if (r == 0 && paths->controllers >= 0) {
                char controllers[16];
                snprintf(controllers, sizeof(controllers), "%d", paths->controllers);
                r = add_argument(argv, &n, "--controllers=", controllers);
        }
        return r;
}

/* Ours, of which the reader needs the folders, the zone and the language; the rest does it no harm. */
static int copy_environment(char ***ret) {
        struct environment e = {};
        int r = 0;

        for (char **variable = environ; *variable && r == 0; variable++)
                if (strncmp(*variable, "NOTIFY_SOCKET=", strlen("NOTIFY_SOCKET=")) != 0)
                        r = environment_set(&e, *variable);
        if (r == 0)
                *ret = e.list; /* given */
        else
                environment_done(&e);
        return r;
}

static int launch_child(struct reader *reader, struct launch_pool *pool, const struct reader_paths *paths, int fd) {
        struct launch *l = launch_new();
        int r = l ? 0 : -ENOMEM;

        if (r == 0) {
                job_what_init(&l->what);
                l->is_own_program = true;
                l->on_done = on_launched;
                l->userdata = reader;
                l->pass[0] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                r = l->pass[0] < 0 ? -errno : make_arguments(paths, &l->what.argv);
        }
        if (r == 0)
                r = copy_environment(&l->base);
        if (r == 0)
                r = launch_submit(pool, l);
        if (r < 0)
                launch_free(l);
        else
                reader->is_launching = true;
        return r;
}

int reader_new(struct loop *loop, struct launch_pool *pool, struct definitions *definitions, const struct reader_paths *paths,
               reader_fn on_done, void *userdata, struct reader **ret) {
        static const struct channel_callbacks callbacks = {.on_record = reader_handle, .on_closed = on_closed};
        struct reader *reader = calloc(1, sizeof(*reader));
        int fds[2] = {-1, -1};
        int r;

        if (!reader)
                return -ENOMEM;
        *reader = (struct reader){
                .loop = loop, .definitions = definitions, .on_done = on_done, .userdata = userdata, .pidfd = -1};
        r = descriptors_pair(&fds[0], &fds[1]);
        if (r == 0)
                r = channel_new(loop, fds[0], CHANNEL_MESSAGE_MAX, &callbacks, reader, &reader->channel);
        if (r == 0)
                r = loop_add_timer(loop, LOOP_CLOCK_BOOT, on_time, reader, &reader->timer);
        if (r == 0)
                r = loop_arm_timer(reader->timer, clock_now().bt_us + READER_TIME_US);
        if (r == 0)
                r = launch_child(reader, pool, paths, fds[1]);
        util_close(fds[1]);
        if (r < 0) {
                reader_free(reader);
                return r;
        }
        *ret = reader;
        return 0;
}

static void texts_free(char **list, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(list[i]);
        free(list);
}

struct reader *reader_free(struct reader *reader) {
        if (!reader)
                return NULL;
        if (!reader->is_reaped)
                kill_child(reader);
        channel_free(reader->channel);
        loop_source_free(reader->timer);
        loop_source_free(reader->pidfd_source);
        util_close(reader->pidfd);
        group_list_done(&reader->reading.groups);
        texts_free(reader->reading.diags, reader->reading.n_diags);
        texts_free(reader->reading.folders, reader->reading.n_folders);
        texts_free(reader->reading.zones, reader->reading.n_zones);
        texts_free(reader->reading.places, reader->reading.n_places);
        free(reader->file);
        free(reader->name);
        free(reader->when);
        free(reader);
        return NULL;
}

bool reader_is_launching(const struct reader *reader) {
        return reader->is_launching;
}

bool reader_owns_pid(const struct reader *reader, int32_t pid) {
        return reader && !reader->is_reaped && reader->pid == pid;
}
