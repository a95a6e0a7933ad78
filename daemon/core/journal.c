// SPDX-License-Identifier: MIT
// journal: why not sd_journal_sendv(): it blocks when journald is stopped. Here a record that can't be written waits in a queue,
// which the loop empties when the socket has room (a connected datagram socket is writable only where its peer takes more).
// Beyond the queue's bound records are dropped until half of it is free again; then the number is told first, in its place.

#include "daemon/core/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/core/clock.h"
#include "daemon/core/journal_format.h"
#include "daemon/core/util.h"

#define SOCKET_PATH  "/run/systemd/journal/socket"
#define SNDBUF_SIZE  (8 * 1024 * 1024)
#define DATAGRAM_MAX (256 * 1024) /* a larger one needs much contiguous kernel memory, or does not fit the buffer */
#define RETRY_US     100000       /* where nothing tells when to try again */

enum sink {
        SINK_JOURNALD,
        SINK_FILE,     /* standard error, opened anew so that it can be non-blocking for us alone */
        SINK_SOCKET,   /* standard error is a socket */
        SINK_REGULAR,  /* standard error is a regular file: a record is one write, which no other process's can tear */
        SINK_BORROWED, /* standard error as it is: asked before each write */
};

struct entry {
        struct entry *next;
        char *data;
        size_t size, written;
};

struct journal {
        struct loop *loop;
        enum journal_target target;
        enum sink sink;
        char *identifier;
        struct sockaddr_un address;
        int fd; /* -1: journald's socket is not connected */
        struct loop_source *io, *timer;
        struct entry *first, **end;
        size_t queued;
        uint64_t n_dropped, n_untold;
};

static const struct {
        enum journal_target target;
        const char *name;
} target_rows[] = {
        {JOURNAL_JOURNAL, "journal"},
        {JOURNAL_LOGFMT, "logfmt"},
        {JOURNAL_JSON, "json"},
};

int journal_target_from_string(const char *s, enum journal_target *ret) {
        for (size_t i = 0; i < ARRAY_SIZE(target_rows); i++)
                if (strcmp(s, target_rows[i].name) == 0) {
                        *ret = target_rows[i].target;
                        return 0;
                }
        return -EINVAL;
}

const char *journal_target_to_string(enum journal_target target) {
        for (size_t i = 0; i < ARRAY_SIZE(target_rows); i++)
                if (target == target_rows[i].target)
                        return target_rows[i].name;
        return "auto";
}

enum journal_target journal_target(const struct journal *j) {
        return j->target;
}

size_t journal_queued(const struct journal *j) {
        return j->queued;
}

uint64_t journal_dropped(const struct journal *j) {
        return j->n_dropped;
}

/* Connects to journald's socket. */
static int connect_socket(struct journal *j) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        int size = SNDBUF_SIZE;
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        if (connect(fd, (struct sockaddr *)&j->address, sizeof(j->address)) < 0)
                return -errno;
        j->fd = fd;
        fd = -1;
        return 0;
}

static void disconnect(struct journal *j) {
        j->io = loop_source_free(j->io);
        j->fd = util_close(j->fd);
}

/* A pipe or terminal gets an open file description of our own: O_NONBLOCK on the shared one would hit whoever gave it. A regular
 * file keeps the shared one, and with it the offset at which its other writers go on. */
static void open_standard_error(struct journal *j) {
        struct stat st;
        j->sink = SINK_BORROWED;
        j->fd = STDERR_FILENO;
        if (fstat(STDERR_FILENO, &st) < 0)
                return;
        if (S_ISSOCK(st.st_mode)) {
                j->sink = SINK_SOCKET;
                return;
        }
        if (S_ISREG(st.st_mode)) {
                j->sink = SINK_REGULAR;
                return;
        }
        int fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0) {
                j->sink = SINK_FILE;
                j->fd = fd;
        }
}

static int open_sink(struct journal *j, const char *socket_path) {
        if (j->target == JOURNAL_AUTO || j->target == JOURNAL_JOURNAL) {
                size_t length = strlen(socket_path);
                int r = -ENAMETOOLONG;
                if (length < sizeof(j->address.sun_path)) {
                        j->address.sun_family = AF_UNIX;
                        memcpy(j->address.sun_path, socket_path, length + 1);
                        r = connect_socket(j);
                }
                if (r < 0 && j->target == JOURNAL_JOURNAL)
                        return r;
                j->target = r < 0 ? JOURNAL_LOGFMT : JOURNAL_JOURNAL;
        }
        if (j->target == JOURNAL_JOURNAL)
                j->sink = SINK_JOURNALD;
        else
                open_standard_error(j);
        return 0;
}

static int on_retry(void *userdata, bool is_clock_change);

int journal_new(struct loop *loop, enum journal_target target, const char *identifier, const char *socket_path,
                struct journal **ret) {
        struct journal *j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        *j = (struct journal){.loop = loop, .target = target, .fd = -1, .end = &j->first};
        j->identifier = strdup(identifier);
        int r = j->identifier ? 0 : -ENOMEM;
        if (r >= 0)
                r = open_sink(j, socket_path ? socket_path : SOCKET_PATH);
        if (r >= 0 && loop)
                r = loop_add_timer(loop, LOOP_CLOCK_BOOT, on_retry, j, &j->timer);
        if (r < 0) {
                journal_free(j);
                return r;
        }
        *ret = j;
        return 0;
}

/* One datagram to journald. 0 or a negative error. */
static int send_datagram(int fd, const void *data, size_t size) {
        return send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* What is too large for a datagram goes as a sealed file, as in systemd's "Native Journal Protocol". */
static int send_file(int fd, const char *data, size_t size) {
        _cleanup_close_ int file = memfd_create("chimed-record", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (file < 0)
                return -errno;
        for (size_t at = 0; at < size;) {
                ssize_t n = write(file, data + at, size - at);
                if (n < 0)
                        return -errno;
                at += (size_t)n;
        }
        if (fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
        memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
        struct msghdr header = {.msg_control = &control, .msg_controllen = sizeof(control)};
        return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Sends a record, connecting anew where journald's socket is another one by now. 0, -EAGAIN, or the error that loses it. */
static int write_journald(struct journal *j, const char *data, size_t size) {
        for (unsigned attempt = 0; attempt < 2; attempt++) {
                if (j->fd < 0 && connect_socket(j) < 0)
                        return -EAGAIN;
                int r = size > DATAGRAM_MAX ? -EMSGSIZE : send_datagram(j->fd, data, size);
                if (r == -EMSGSIZE || r == -ENOBUFS)
                        r = send_file(j->fd, data, size);
                if (r != -ECONNREFUSED && r != -ENOENT && r != -ENOTCONN && r != -ECONNRESET && r != -EPIPE)
                        return r;
                disconnect(j);
        }
        return -EAGAIN;
}

static ssize_t write_piece(struct journal *j, const char *data, size_t size) {
        switch (j->sink) {
        case SINK_SOCKET:
                return send(j->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        case SINK_BORROWED: {
                struct pollfd p = {.fd = j->fd, .events = POLLOUT};
                if (poll(&p, 1, 0) == 0) {
                        errno = EAGAIN;
                        return -1;
                }
                return write(j->fd, data, size < PIPE_BUF ? size : PIPE_BUF);
        }
        case SINK_FILE:
        case SINK_REGULAR:
        case SINK_JOURNALD:
                break;
        }
        return write(j->fd, data, size);
}

/* Writes an entry, or more of it. 0, -EAGAIN where it must wait, or the error that loses it. */
static int write_entry(struct journal *j, struct entry *entry) {
        if (j->sink == SINK_JOURNALD)
                return write_journald(j, entry->data, entry->size);
        while (entry->written < entry->size) {
                ssize_t n = write_piece(j, entry->data + entry->written, entry->size - entry->written);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0)
                        entry->written += (size_t)n;
        }
        return 0;
}

/* An entry of a finished record, which is taken. NULL where it could not be made whole, or without memory. */
static struct entry *entry_new(struct pack *text) {
        struct entry *entry = pack_result(text) < 0 ? NULL : malloc(sizeof(*entry));
        if (!entry) {
                pack_done(text);
                return NULL;
        }
        *entry = (struct entry){.data = (char *)text->data, .size = text->size};
        *text = (struct pack){};
        return entry;
}

static void entry_free(struct entry *entry) {
        free(entry->data);
        free(entry);
}

void journal_count_dropped(struct journal *j, uint64_t n) {
        j->n_dropped += n;
        j->n_untold += n;
}

static void count_drop(struct journal *j) {
        journal_count_dropped(j, 1);
}

static int on_writable(void *userdata, uint32_t events);

/* Arranges to be called when more can be written. */
static void watch(struct journal *j) {
        if (!j->loop)
                return;
        if (!j->first)
                j->io = loop_source_free(j->io);
        else if (!j->io && j->fd >= 0)
                (void)loop_add_io(j->loop, j->fd, EPOLLOUT, on_writable, j, &j->io);
        /* no connection, or a file, which epoll refuses */
        (void)loop_arm_timer(j->timer, j->first && !j->io ? clock_now().bt_us + RETRY_US : LOOP_NEVER);
}

/* Takes a finished record: writes it, or puts it at the end of the queue. False where it is lost. */
static bool put(struct journal *j, struct pack *text) {
        struct entry *entry = entry_new(text);
        if (!entry)
                return false;
        int r = j->first ? -EAGAIN : write_entry(j, entry);
        bool is_waiting = r == -EAGAIN;
        /* half a line must be ended, whatever the bound */
        if (!is_waiting || (!entry->written && (!j->loop || j->queued + entry->size > JOURNAL_QUEUE_LIMIT))) {
                entry_free(entry);
                return r == 0;
        }
        char *exact = realloc(entry->data, entry->size); /* the writer's spare room would go uncounted */
        if (exact)
                entry->data = exact;
        *j->end = entry;
        j->end = &entry->next;
        j->queued += entry->size;
        if (j->first == entry)
                watch(j);
        return true;
}

/* Puts message and end to a record, which is then empty. */
static struct pack finish(struct journal_record *r, const void *message, size_t size) {
        struct pack text = {.limit = JOURNAL_QUEUE_LIMIT};
        enum journal_target format = r->journal->target;
        journal_format_begin(&text, format, clock_now().rt_us, r->priority);
        journal_format_field(&text, format, "MESSAGE", message, size);
        pack_raw(&text, r->fields.data, r->fields.size);
        journal_format_end(&text, format);
        if (pack_result(&r->fields) < 0)
                text.error = pack_result(&r->fields);
        pack_done(&r->fields);
        *r = (struct journal_record){};
        return text;
}

/* After records were dropped: tells how many, once half of the queue is free. False where none can be taken yet. */
static bool tell_drops(struct journal *j) {
        uint64_t n = j->n_untold;
        char message[64];
        if (j->queued > JOURNAL_QUEUE_LIMIT / 2)
                return false;
        int length = snprintf(message, sizeof(message), "%llu journal record%s dropped", (unsigned long long)n,
                              n == 1 ? " was" : "s were");
        struct journal_record r = journal_begin(j, EVENT_DEGRADED);
        journal_field_i64(&r, "CHIMED_COUNT", (int64_t)n);
        struct pack text = finish(&r, message, (size_t)length);
        if (!put(j, &text))
                return false;
        j->n_untold -= n;
        return true;
}

/* Writes what waits, as far as that goes. */
static void drain(struct journal *j) {
        while (j->first) {
                struct entry *entry = j->first;
                int r = write_entry(j, entry);
                if (r == -EAGAIN)
                        break;
                if (r < 0)
                        count_drop(j);
                j->queued -= entry->size;
                j->first = entry->next;
                if (!j->first)
                        j->end = &j->first;
                entry_free(entry);
        }
        if (!j->first && j->n_untold)
                (void)tell_drops(j);
        watch(j);
}

static int on_writable(void *userdata, uint32_t events) {
        (void)events;
        drain(userdata);
        return 0;
}

static int on_retry(void *userdata, bool is_clock_change) {
        (void)is_clock_change;
        drain(userdata);
        return 0;
}

struct journal *journal_free(struct journal *j) {
        if (!j)
                return NULL;
        if (j->first || j->n_untold)
                drain(j);
        while (j->first) {
                struct entry *entry = j->first;
                j->first = entry->next;
                entry_free(entry);
        }
        loop_source_free(j->io);
        loop_source_free(j->timer);
        if (j->sink == SINK_JOURNALD || j->sink == SINK_FILE)
                util_close(j->fd);
        free(j->identifier);
        free(j);
        return NULL;
}

struct journal_record journal_begin_line(struct journal *j, int priority, const char *identifier) {
        struct journal_record r = {.journal = j, .priority = priority, .fields = {.limit = JOURNAL_QUEUE_LIMIT}};
        journal_field_i64(&r, "PRIORITY", priority);
        /* our own name in every line would tell nothing */
        if (identifier || j->target != JOURNAL_LOGFMT)
                journal_field(&r, "SYSLOG_IDENTIFIER", "%s", identifier ? identifier : j->identifier);
        return r;
}

struct journal_record journal_begin(struct journal *j, enum event_kind kind) {
        const struct event_row *row = event_row(kind);
        struct journal_record r = journal_begin_line(j, row->priority, NULL);
        journal_field(&r, "MESSAGE_ID", "%s", row->message_id);
        journal_field(&r, "CHIMED_EVENT", "%s", row->name);
        return r;
}

#ifndef NDEBUG
static bool is_field_name(const char *name) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
        return *name >= 'A' && *name <= 'Z' && strlen(name) <= 64 && !name[strspn(name, allowed)];
}
#endif

void journal_field_bytes(struct journal_record *r, const char *name, const void *value, size_t size) {
        assert(is_field_name(name));
        if (r->n_fields == JOURNAL_FIELDS_MAX)
                return;
        r->n_fields++;
        journal_format_field(&r->fields, r->journal->target, name, value, size);
}

void journal_field_i64(struct journal_record *r, const char *name, int64_t value) {
        journal_field(r, name, "%lld", (long long)value);
}

void journal_field(struct journal_record *r, const char *name, const char *format, ...) {
        char *value;
        va_list ap;
        va_start(ap, format);
        int length = vasprintf(&value, format, ap);
        va_end(ap);
        if (length < 0) {
                r->fields.error = -ENOMEM;
                return;
        }
        journal_field_bytes(r, name, value, (size_t)length);
        free(value);
}

void journal_send_bytes(struct journal_record *r, const void *message, size_t size) {
        struct journal *j = r->journal;
        struct pack text = finish(r, message, size);
        if (j->first && !j->loop)
                drain(j);
        if (j->n_untold && !tell_drops(j)) {
                pack_done(&text);
                count_drop(j);
        } else if (!put(j, &text))
                count_drop(j);
}

void journal_send_from(struct journal_record *r, const char *file, int line, const char *function, const char *format, ...) {
        char *message;
        va_list ap;
        if (r->journal->target == JOURNAL_JOURNAL) {
                journal_field(r, "CODE_FILE", "%s", file);
                journal_field_i64(r, "CODE_LINE", line);
                journal_field(r, "CODE_FUNC", "%s", function);
        }
        va_start(ap, format);
        int length = vasprintf(&message, format, ap);
        va_end(ap);
        if (length < 0) {
                r->fields.error = -ENOMEM;
                message = NULL;
                length = 0;
        }
        journal_send_bytes(r, message, (size_t)length);
        free(message);
}
