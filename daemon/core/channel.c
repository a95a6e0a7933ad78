// SPDX-License-Identifier: MIT
// channel: a message is a header {magic, version, size} and records {type, size, payload}, all in the host's byte order.
// What is sent gathers in one buffer, which is the last message of the queue: it goes out when it is full or flushed, and while
// the peer does not read it goes on gathering. A message is checked as a whole before its first record is handed out.

#include "daemon/core/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "daemon/core/util.h"

#define FRAME_MAGIC     ((uint16_t)('C' | 'H' << 8))
#define FRAME_VERSION   1
#define MESSAGES_A_PASS 16   /* read from one peer before others have their turn */
#define MESSAGES_A_POLL 1024 /* more than a socket's buffer can hold */

struct frame_header {
        uint16_t magic;
        uint8_t version;
        uint8_t reserved;
        uint32_t size; /* of the whole message */
};

struct record_header {
        uint8_t type;
        uint8_t reserved;
        uint16_t size; /* of the payload */
};

_Static_assert(sizeof(struct frame_header) + sizeof(struct record_header) + CHANNEL_RECORD_MAX <= CHANNEL_MESSAGE_MAX,
               "the largest record fits into a message");
_Static_assert(CHANNEL_RECORD_MAX <= UINT16_MAX, "its size fits into its header");

struct message {
        struct message *next;
        size_t size;
        uint8_t data[];
};

struct channel {
        struct loop *loop;
        struct loop_source *source;
        int fd;
        struct channel_callbacks callbacks;
        void *userdata;

        struct message *first, **end; /* full messages that wait */
        size_t queued;                /* bytes, in the list and in out */
        size_t queue_limit;
        bool is_over;    /* over half the limit, and on_room not called since */
        bool is_armed;   /* watches for EPOLLOUT */
        bool is_resting; /* and not for EPOLLIN */

        bool is_unread;     /* something was written, and not seen to be read */
        bool is_write_dead; /* nothing can be sent any more; what came is still read */
        int error;          /* why, for on_closed */
        bool is_closed;     /* on_closed was called */
        bool is_reading;
        bool is_freed;
        unsigned busy; /* callbacks under way; the memory stays as long */

        size_t out_size;
        uint8_t out[CHANNEL_MESSAGE_MAX]; /* the message in the making */
        uint8_t in[CHANNEL_MESSAGE_MAX];
};

static int on_ready(void *userdata, uint32_t events);

int channel_new(struct loop *loop, int fd, size_t queue_limit, const struct channel_callbacks *callbacks, void *userdata,
                struct channel **ret) {
        _cleanup_close_ int fd_owned = fd; /* taken */
        int size = 4 * CHANNEL_MESSAGE_MAX;
        if (util_set_nonblocking(fd) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        /* the system's default may be smaller than a message; what is granted is enough */
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));

        struct channel *ch = calloc(1, sizeof(*ch));
        if (!ch)
                return -ENOMEM;
        ch->loop = loop;
        ch->fd = fd;
        ch->queue_limit = queue_limit;
        ch->callbacks = *callbacks;
        ch->userdata = userdata;
        ch->end = &ch->first;
        int r = loop_add_io(loop, fd, EPOLLIN, on_ready, ch, &ch->source);
        if (r < 0) {
                free(ch);
                return r;
        }
        fd_owned = -1;
        *ret = ch;
        return 0;
}

static void drop_queue(struct channel *ch) {
        while (ch->first) {
                struct message *message = ch->first;
                ch->first = message->next;
                free(message);
        }
        ch->end = &ch->first;
        ch->out_size = ch->queued = 0;
}

struct channel *channel_free(struct channel *ch) {
        if (!ch || ch->is_freed)
                return NULL;
        drop_queue(ch);
        ch->source = loop_source_free(ch->source);
        ch->fd = util_close(ch->fd);
        ch->is_freed = true;
        if (!ch->busy)
                free(ch);
        return NULL;
}

/* Brackets whatever may call back: the channel may be freed inside, its memory goes with the last bracket. */
static void enter(struct channel *ch) {
        ch->busy++;
}

static void leave(struct channel *ch) {
        if (--ch->busy == 0 && ch->is_freed)
                free(ch);
}

static int close_channel(struct channel *ch, int error) {
        if (ch->is_closed || ch->is_freed)
                return 0;
        ch->is_closed = true;
        ch->source = loop_source_free(ch->source);
        drop_queue(ch);
        return ch->callbacks.on_closed(ch->userdata, error);
}

size_t channel_queued(const struct channel *ch) {
        return ch->queued;
}

bool channel_is_read(struct channel *ch) {
        int unread;

        if (ch->is_unread)
                ch->is_unread = ioctl(ch->fd, SIOCOUTQ, &unread) == 0 && unread > 0;
        return !ch->is_unread;
}

static bool is_dead(const struct channel *ch) {
        return ch->is_write_dead || ch->is_closed;
}

/* Watches for room while something waits, and once more after that if on_room is owed. */
static int watch(struct channel *ch, bool is_armed, bool is_resting) {
        if (!ch->source || (ch->is_armed == is_armed && ch->is_resting == is_resting))
                return 0;
        int r = loop_set_events(ch->source, (is_resting ? 0 : EPOLLIN) | (is_armed ? EPOLLOUT : 0));
        if (r < 0)
                return r;
        ch->is_armed = is_armed;
        ch->is_resting = is_resting;
        return 0;
}

static int watch_room(struct channel *ch) {
        return watch(ch, ch->queued > 0 || ch->is_over, ch->is_resting);
}

/* Sends one message. 0; -EAGAIN where it must wait; -EPIPE where nothing can be sent any more. */
static int write_message(struct channel *ch, const void *data, size_t size) {
        ssize_t n;
        do
                n = send(ch->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n >= 0) { /* SEQPACKET takes all or nothing */
                ch->is_unread = true;
                return 0;
        }
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
                return -EAGAIN;
        ch->error = errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN ? 0 : -errno;
        ch->is_write_dead = true;
        drop_queue(ch);
        /* so that the end comes after what the peer sent, also where only its reading has ended */
        (void)shutdown(ch->fd, SHUT_RDWR);
        return -EPIPE;
}

static int write_list(struct channel *ch) {
        while (ch->first) {
                struct message *message = ch->first;
                int r = write_message(ch, message->data, message->size);
                if (r < 0)
                        return r;
                ch->queued -= message->size;
                ch->first = message->next;
                if (!ch->first)
                        ch->end = &ch->first;
                free(message);
        }
        return 0;
}

static void seal(struct channel *ch) {
        struct frame_header header = {.magic = FRAME_MAGIC, .version = FRAME_VERSION, .size = (uint32_t)ch->out_size};
        memcpy(ch->out, &header, sizeof(header));
}

/* Writes all that the socket takes: 0, -EAGAIN or -EPIPE. */
static int write_all(struct channel *ch) {
        int r = write_list(ch);
        if (r < 0 || ch->out_size == 0)
                return r;
        seal(ch);
        r = write_message(ch, ch->out, ch->out_size);
        if (r < 0)
                return r;
        ch->queued -= ch->out_size;
        ch->out_size = 0;
        return 0;
}

int channel_flush(struct channel *ch) {
        if (is_dead(ch))
                return -EPIPE;
        int r = write_all(ch);
        if (r == -EPIPE)
                return r;
        return watch_room(ch);
}

/* Empties the full message in the making: sends it or puts it at the end of the list. */
static int push_out(struct channel *ch) {
        int r = channel_flush(ch);
        if (r < 0 || ch->out_size == 0)
                return r;
        struct message *message = malloc(sizeof(*message) + ch->out_size);
        if (!message)
                return -ENOMEM;
        seal(ch);
        *message = (struct message){.size = ch->out_size};
        memcpy(message->data, ch->out, ch->out_size);
        *ch->end = message;
        ch->end = &message->next;
        ch->out_size = 0;
        return 0;
}

/* What a record of size adds to the queue. */
static size_t growth(const struct channel *ch, size_t size) {
        return (ch->out_size ? 0 : sizeof(struct frame_header)) + sizeof(struct record_header) + size;
}

static bool is_within_limit(const struct channel *ch, size_t size) {
        if (ch->queued == 0) /* whatever the limit: else it would never be taken */
                return true;
        return ch->queued <= ch->queue_limit && growth(ch, size) <= ch->queue_limit - ch->queued;
}

/* Makes room for one more record in the message in the making. */
static int make_room(struct channel *ch, size_t size) {
        int r = 0;
        if (growth(ch, size) > CHANNEL_MESSAGE_MAX - ch->out_size)
                r = push_out(ch);
        if (r >= 0 && !is_within_limit(ch, size)) {
                /* what has gathered may just not have been written yet */
                r = channel_flush(ch);
                if (r >= 0 && !is_within_limit(ch, size)) {
                        ch->is_over = true;
                        r = watch_room(ch);
                        return r < 0 ? r : -ENOBUFS;
                }
        }
        return r;
}

int channel_send(struct channel *ch, uint8_t type, const void *payload, size_t size) {
        if (is_dead(ch))
                return -EPIPE;
        if (size > CHANNEL_RECORD_MAX)
                return -EMSGSIZE;
        int r = make_room(ch, size);
        if (r < 0)
                return r;
        struct record_header header = {.type = type, .size = (uint16_t)size};
        ch->queued += growth(ch, size);
        if (ch->out_size == 0)
                ch->out_size = sizeof(struct frame_header);
        memcpy(ch->out + ch->out_size, &header, sizeof(header));
        if (size)
                memcpy(ch->out + ch->out_size + sizeof(header), payload, size);
        ch->out_size += sizeof(header) + size;
        if (ch->queued > ch->queue_limit / 2)
                ch->is_over = true;
        return 0;
}

int channel_send_alone(int fd, uint8_t type, const void *payload, size_t size) {
        struct record_header record = {.type = type, .size = (uint16_t)size};
        struct frame_header frame = {.magic = FRAME_MAGIC, .version = FRAME_VERSION};
        struct iovec pieces[] = {{&frame, sizeof(frame)}, {&record, sizeof(record)}, {(void *)payload, size}};
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = ARRAY_SIZE(pieces)};
        if (size > CHANNEL_RECORD_MAX)
                return -EMSGSIZE;
        frame.size = (uint32_t)(sizeof(frame) + sizeof(record) + size);
        return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Reads the header of the next record: 0 and *at behind it, or -EBADMSG. */
static int next_record(const uint8_t *data, size_t size, size_t *at, struct record_header *ret) {
        if (size - *at < sizeof(*ret))
                return -EBADMSG;
        memcpy(ret, data + *at, sizeof(*ret));
        *at += sizeof(*ret);
        return ret->reserved || ret->size > CHANNEL_RECORD_MAX || ret->size > size - *at ? -EBADMSG : 0;
}

static int check_frame(const uint8_t *data, size_t size) {
        struct frame_header header;
        struct record_header record;
        if (size <= sizeof(header) || size > CHANNEL_MESSAGE_MAX)
                return -EBADMSG;
        memcpy(&header, data, sizeof(header));
        if (header.magic != FRAME_MAGIC || header.version != FRAME_VERSION || header.reserved || header.size != size)
                return -EBADMSG;
        for (size_t at = sizeof(header); at < size; at += record.size) {
                int r = next_record(data, size, &at, &record);
                if (r < 0)
                        return r;
        }
        return 0;
}

int channel_split(const void *message, size_t size, channel_record_fn fn, void *userdata) {
        const uint8_t *data = message;
        struct record_header record;
        int r = check_frame(data, size);
        if (r < 0)
                return r;
        for (size_t at = sizeof(struct frame_header); at < size; at += record.size) {
                (void)next_record(data, size, &at, &record);
                r = fn(userdata, record.type, data + at, record.size);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Hands a record out; stops the message when the callback has freed the channel. */
static int hand_out(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct channel *ch = userdata;
        int r = ch->callbacks.on_record(ch->userdata, type, payload, size);
        return ch->is_freed ? -ECANCELED : r;
}

/* True where the peer has closed; else a message of no bytes has arrived, which recvmsg() reports alike. */
static bool is_at_end(const struct channel *ch) {
        struct pollfd p = {.fd = ch->fd, .events = POLLRDHUP};
        return poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

/* Reads one message into in. Its size; 0 at the end; -EAGAIN; -EBADMSG or another error. */
static ssize_t read_message(struct channel *ch) {
        struct iovec iov = {.iov_base = ch->in, .iov_len = sizeof(ch->in)};
        struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1}; /* without room for descriptors: the kernel closes them */
        ssize_t n;
        do /* ECONNRESET: the peer closed without having read all; said once, then comes what it had sent */
                n = recvmsg(ch->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        if (n < 0)
                return -errno;
        if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                return -EBADMSG;
        if (n == 0 && !is_at_end(ch))
                return -EBADMSG;
        return n;
}

static int read_some(struct channel *ch, unsigned n_max) {
        int r = 0;
        if (ch->is_reading) /* polled inside on_record: its message comes first */
                return 0;
        ch->is_reading = true;
        for (unsigned i = 0; i < n_max && !ch->is_closed && !ch->is_freed; i++) {
                ssize_t n = read_message(ch);
                if (n == -EAGAIN)
                        break;
                if (n <= 0) {
                        r = close_channel(ch, n == 0 ? ch->error : (int)n);
                        break;
                }
                int error = ch->callbacks.on_message ? ch->callbacks.on_message(ch->userdata) : 0;
                if (error >= 0)
                        error = channel_split(ch->in, (size_t)n, hand_out, ch);
                if (error < 0) {
                        r = close_channel(ch, error);
                        break;
                }
        }
        ch->is_reading = false;
        return r;
}

static int write_on(struct channel *ch) {
        int r = channel_flush(ch);
        if (r < 0)
                return r == -EPIPE ? 0 : r; /* the end is read by the next pass */
        if (!ch->is_over || ch->queued > ch->queue_limit / 2)
                return 0;
        ch->is_over = false;
        r = ch->callbacks.on_room ? ch->callbacks.on_room(ch->userdata) : 0;
        if (r < 0 || ch->is_freed || ch->is_closed)
                return r;
        r = channel_flush(ch);
        return r == -EPIPE ? 0 : r;
}

static int on_ready(void *userdata, uint32_t events) {
        struct channel *ch = userdata;
        int r = 0;
        enter(ch);
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                r = read_some(ch, MESSAGES_A_PASS);
        if (r >= 0 && events & EPOLLOUT && !ch->is_freed && !is_dead(ch))
                r = write_on(ch);
        leave(ch);
        return r;
}

void channel_rest(struct channel *ch, bool is_resting) {
        (void)watch(ch, ch->is_armed, is_resting); /* else it goes on as it did */
}

int channel_take(struct channel *ch) {
        enter(ch);
        int r = read_some(ch, MESSAGES_A_PASS);
        leave(ch);
        return r;
}

int channel_poll(struct channel *ch) {
        enter(ch);
        int r = read_some(ch, MESSAGES_A_POLL);
        leave(ch);
        return r;
}
