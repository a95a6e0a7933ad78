// SPDX-License-Identifier: MIT
// watch: tells when job files or settings have changed (inotify), once things have settled.
// A watch is a folder and a name in it that matters (none: all). inotify gives one number for a folder however often it is added,
// so several entries may share it. Entries of folders that are gone go with them.

#include "daemon/runner/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/clock.h"
#include "daemon/core/util.h"

#define EVENTS                                                                                                                 \
        (IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |       \
         IN_MOVE_SELF | IN_ONLYDIR)

struct entry {
        int wd;
        char *name; /* NULL: all that is not hidden */
};

struct watch {
        watch_fn fn;
        void *userdata;
        int fd;
        struct loop_source *source, *timer;
        int64_t settle_us;
        int64_t first_bt_us; /* of the changes that settle; 0: none */
        struct entry *entries;
        size_t n, allocated;
};

static bool has_entry(const struct watch *watch, int wd, const char *name) {
        for (size_t i = 0; i < watch->n; i++) {
                const struct entry *e = &watch->entries[i];
                if (e->wd == wd && (e->name == name || (e->name && name && strcmp(e->name, name) == 0)))
                        return true;
        }
        return false;
}

static void drop_entries(struct watch *watch, int wd) {
        size_t n = 0;

        for (size_t i = 0; i < watch->n; i++) {
                if (watch->entries[i].wd == wd)
                        free(watch->entries[i].name);
                else
                        watch->entries[n++] = watch->entries[i];
        }
        watch->n = n;
}

/* An editor's. What the files of a Kubernetes config map are links to is not: "..data", which changes them all at once. */
static bool is_hidden(const char *name) {
        return name[0] == '.' && name[1] != '.';
}

/* Whether an event is about something that matters. */
static bool matters(const struct watch *watch, const struct inotify_event *event) {
        const char *name = event->len > 0 ? event->name : "";

        if (event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
                return true;
        for (size_t i = 0; i < watch->n; i++) {
                const struct entry *e = &watch->entries[i];
                if (e->wd != event->wd)
                        continue;
                if (e->name ? strcmp(e->name, name) == 0 : !is_hidden(name))
                        return true;
        }
        return false;
}

static int settle(struct watch *watch) {
        int64_t now_bt_us = clock_now().bt_us, at_bt_us = now_bt_us + watch->settle_us;

        if (watch->first_bt_us == 0)
                watch->first_bt_us = now_bt_us;
        if (at_bt_us > watch->first_bt_us + WATCH_LIMIT_US)
                at_bt_us = watch->first_bt_us + WATCH_LIMIT_US;
        return loop_arm_timer(watch->timer, at_bt_us);
}

static int on_events(void *userdata, uint32_t events) {
        struct watch *watch = userdata;
        char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
        ssize_t n = read(watch->fd, buffer, sizeof(buffer));
        bool has_changed = false;

        (void)events;
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        for (const char *at = buffer; at < buffer + n;) {
                const struct inotify_event *event = (const void *)at;
                has_changed |= matters(watch, event);
                if (event->mask & IN_MOVE_SELF)
                        inotify_rm_watch(watch->fd, event->wd); /* it is no longer where it was */
                if (event->mask & IN_IGNORED)
                        drop_entries(watch, event->wd);
                at += sizeof(*event) + event->len;
        }
        return has_changed ? settle(watch) : 0;
}

static int on_settled(void *userdata, bool is_clock_change) {
        struct watch *watch = userdata;

        (void)is_clock_change;
        watch->first_bt_us = 0;
        watch->fn(watch->userdata);
        return 0;
}

int watch_new(struct loop *loop, int64_t settle_us, watch_fn fn, void *userdata, struct watch **ret) {
        struct watch *watch = calloc(1, sizeof(*watch));
        int r = 0;

        if (!watch)
                return -ENOMEM;
        watch->settle_us = settle_us;
        watch->fn = fn;
        watch->userdata = userdata;
        watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watch->fd < 0)
                r = -errno;
        if (r == 0)
                r = loop_add_io(loop, watch->fd, EPOLLIN, on_events, watch, &watch->source);
        if (r == 0)
                r = loop_add_timer(loop, LOOP_CLOCK_BOOT, on_settled, watch, &watch->timer);
        if (r < 0) {
                watch_free(watch);
                return r;
        }
        *ret = watch;
        return 0;
}

struct watch *watch_free(struct watch *watch) {
        if (!watch)
                return NULL;
        loop_source_free(watch->source);
        loop_source_free(watch->timer);
        util_close(watch->fd);
        for (size_t i = 0; i < watch->n; i++)
                free(watch->entries[i].name);
        free(watch->entries);
        free(watch);
        return NULL;
}

/* As watch_folder() for a folder that must be there; name NULL: all. */
static int add(struct watch *watch, const char *folder, const char *name) {
        int wd = inotify_add_watch(watch->fd, folder, EVENTS);

        if (wd < 0)
                return -errno;
        if (has_entry(watch, wd, name))
                return 0;
        if (watch->n == watch->allocated) {
                size_t allocated = watch->allocated ? 2 * watch->allocated : 16;
                struct entry *entries = watch->n < WATCH_MAX ? reallocarray(watch->entries, allocated, sizeof(*entries)) : NULL;
                if (!entries)
                        return watch->n < WATCH_MAX ? -ENOMEM : 0;
                watch->entries = entries;
                watch->allocated = allocated;
        }
        char *copy = name ? strdup(name) : NULL;
        if (name && !copy)
                return -ENOMEM;
        watch->entries[watch->n++] = (struct entry){.wd = wd, .name = copy};
        return 1;
}

int watch_name(struct watch *watch, const char *path) {
        _cleanup_free_ char *folder = strdup(path);
        _cleanup_free_ char *name = NULL;
        int r = -ENOENT;

        if (!folder)
                return -ENOMEM;
        while (r == -ENOENT || r == -ENOTDIR) {
                char *slash = strrchr(folder, '/');
                while (slash && slash > folder && !slash[1]) { /* slashes at the end */
                        *slash = '\0';
                        slash = strrchr(folder, '/');
                }
                free(name);
                name = strdup(slash ? slash + 1 : folder);
                if (!name)
                        return -ENOMEM;
                if (!slash)
                        return add(watch, ".", name);
                slash[slash == folder] = '\0';
                r = add(watch, folder, name);
                if (strcmp(folder, "/") == 0)
                        break;
        }
        return r;
}

int watch_folder(struct watch *watch, const char *path) {
        int r = add(watch, path, NULL);

        return r == -ENOENT || r == -ENOTDIR ? watch_name(watch, path) : r;
}

int watch_file(struct watch *watch, const char *path) {
        struct stat st;

        /* /dev/null as settings: everybody writes to it, and it says nothing new */
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
                return 0;
        return watch_name(watch, path);
}
