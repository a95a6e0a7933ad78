// SPDX-License-Identifier: MIT
// Both ends of a channel, or one end and a raw socket, in one loop.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/core/channel.h"
#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"

#define LIMIT (256 * 1024)

/* One end and what happened to it. */
struct end {
        struct channel *ch;
        unsigned n_records, n_closed, n_rooms;
        size_t n_bytes;
        uint64_t next; /* the number that the next record must hold */
        bool is_in_order;
        int error;
        int result;      /* of on_record */
        bool is_freeing; /* in on_record */
        bool is_polling; /* in on_record */
        unsigned n_to_send;
};

static struct loop *loop;
static struct end a, b;
static int raw; /* the other end of a where b is no channel */

static int on_record(void *userdata, uint8_t type, const void *payload, size_t size) {
        struct end *end = userdata;
        uint64_t number = 0;
        memcpy(&number, payload, size < sizeof(number) ? size : sizeof(number));
        if (type != 7 || number != end->next++)
                end->is_in_order = false;
        end->n_records++;
        end->n_bytes += size;
        if (end->is_polling)
                ck_assert_int_eq(channel_poll(end->ch), 0);
        if (end->is_freeing)
                end->ch = channel_free(end->ch);
        return end->result;
}

static int on_closed(void *userdata, int error) {
        struct end *end = userdata;
        end->n_closed++;
        end->error = error;
        if (end->is_freeing)
                end->ch = channel_free(end->ch);
        return 0;
}

static int send_number(struct end *end, uint64_t number, size_t size) {
        static char payload[CHANNEL_RECORD_MAX + 1];
        memcpy(payload, &number, sizeof(number));
        return channel_send(end->ch, 7, payload, size);
}

static int on_room(void *userdata) {
        struct end *end = userdata;
        end->n_rooms++;
        while (end->n_to_send && send_number(end, end->next, 1000) == 0) {
                end->next++;
                end->n_to_send--;
        }
        return 0;
}

static const struct channel_callbacks callbacks = {.on_record = on_record, .on_closed = on_closed, .on_room = on_room};

static void setup(void) {
        int fds[2];
        a = b = (struct end){.is_in_order = true};
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
        ck_assert_int_eq(channel_new(loop, fds[0], LIMIT, &callbacks, &a, &a.ch), 0);
        raw = fds[1];
}

static void setup_both(void) {
        setup();
        ck_assert_int_eq(channel_new(loop, raw, LIMIT, &callbacks, &b, &b.ch), 0);
        raw = -1;
}

static void teardown(void) {
        channel_free(a.ch);
        channel_free(b.ch);
        util_close(raw);
        loop = loop_free(loop);
}

/* Passes until nothing is ready. */
static void settle(void) {
        int r;
        for (unsigned i = 0; i < 100000 && (r = loop_run_once(loop, 0)) > 0; i++)
                ;
        ck_assert_int_eq(r, 0);
}

START_TEST(what_comes_to_one_that_rests_is_taken) {
        channel_rest(a.ch, true);
        for (uint64_t i = 0; i < 3; i++)
                ck_assert_int_eq(send_number(&b, i, 100), 0);
        ck_assert_int_eq(channel_flush(b.ch), 0);
        settle();
        ck_assert_uint_eq(a.n_records, 0);
        ck_assert_int_eq(channel_take(a.ch), 0);
        ck_assert_uint_eq(a.n_records, 3);
        ck_assert(a.is_in_order);
        ck_assert_int_eq(send_number(&b, 3, 100), 0);
        ck_assert_int_eq(channel_flush(b.ch), 0);
        settle();
        ck_assert_uint_eq(a.n_records, 3);
        channel_rest(a.ch, false);
        settle();
        ck_assert_uint_eq(a.n_records, 4);
        channel_rest(a.ch, true);
        ck_assert_int_eq(send_number(&b, 4, 100), 0);
        ck_assert_int_eq(channel_flush(b.ch), 0);
        b.ch = channel_free(b.ch); /* the end is heard, behind what came before it */
        settle();
        ck_assert_uint_eq(a.n_records, 5);
        ck_assert_uint_eq(a.n_closed, 1);
}
END_TEST

START_TEST(the_descriptor_is_made_safe) {
        int fds[2];
        struct channel *ch;
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
        ck_assert_int_eq(channel_new(loop, fds[0], LIMIT, &callbacks, &a, &ch), 0);
        ck_assert(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        channel_free(ch);
        ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
        util_close(fds[1]);
        ck_assert_int_eq(channel_new(loop, -1, LIMIT, &callbacks, &a, &ch), -EBADF);
}
END_TEST

START_TEST(records_arrive_whole_and_in_order) {
        for (uint64_t i = 0; i < 1000; i++)
                ck_assert_int_eq(send_number(&a, i, 8 + i % 50), 0);
        settle();
        ck_assert_uint_eq(b.n_records, 0); /* nothing goes out unflushed */
        ck_assert_int_eq(channel_flush(a.ch), 0);
        ck_assert_uint_eq(channel_queued(a.ch), 0);
        settle();
        ck_assert_uint_eq(b.n_records, 1000);
        ck_assert(b.is_in_order);
}
END_TEST

START_TEST(a_record_alone_needs_no_channel) {
        static char payload[CHANNEL_RECORD_MAX + 1];
        ck_assert_int_eq(channel_send_alone(raw, 7, payload, CHANNEL_RECORD_MAX + 1), -EMSGSIZE);
        ck_assert_int_eq(channel_send_alone(raw, 7, payload, CHANNEL_RECORD_MAX), 0);
        settle();
        ck_assert_uint_eq(a.n_bytes, CHANNEL_RECORD_MAX);
        ck_assert_int_eq(channel_send_alone(raw, 7, &(uint64_t){1}, sizeof(uint64_t)), 0);
        settle();
        ck_assert_uint_eq(a.n_records, 2);
        ck_assert(a.is_in_order);
        int r = 0;
        for (int n = 0; n < 1000 && r == 0; n++)
                r = channel_send_alone(raw, 7, payload, CHANNEL_RECORD_MAX);
        ck_assert_int_eq(r, -EAGAIN);
        a.ch = channel_free(a.ch);
        ck_assert_int_lt(channel_send_alone(raw, 7, payload, 1), 0); /* what it had not read is lost, which is told first */
        ck_assert_int_eq(channel_send_alone(raw, 7, payload, 1), -EPIPE);
}
END_TEST

static const size_t sizes[] = {0, 1, 8, 1000, 32768, CHANNEL_RECORD_MAX - 1, CHANNEL_RECORD_MAX, CHANNEL_RECORD_MAX + 1};

START_TEST(a_record_has_any_size_up_to_the_largest) {
        int wanted = sizes[_i] > CHANNEL_RECORD_MAX ? -EMSGSIZE : 0;
        ck_assert_int_eq(send_number(&a, 0, sizes[_i]), wanted);
        ck_assert_int_eq(channel_flush(a.ch), 0);
        settle();
        ck_assert_msg(b.n_records == (wanted == 0), "%zu: %u records", sizes[_i], b.n_records);
        ck_assert_msg(wanted || b.n_bytes == sizes[_i], "%zu: %zu bytes", sizes[_i], b.n_bytes);
        ck_assert_uint_eq(b.n_closed, 0);
}
END_TEST

START_TEST(a_thousand_small_records_are_one_message) {
        char buffer[CHANNEL_MESSAGE_MAX];
        for (uint64_t i = 0; i < 1000; i++)
                ck_assert_int_eq(send_number(&a, i, 40), 0);
        ck_assert_int_eq(channel_flush(a.ch), 0);
        ck_assert_int_eq(recv(raw, buffer, sizeof(buffer), MSG_DONTWAIT), 8 + 1000 * 44);
        ck_assert_int_eq(recv(raw, buffer, sizeof(buffer), MSG_DONTWAIT), -1);
        ck_assert_int_eq(channel_split(buffer, 8 + 1000 * 44, on_record, &b), 0);
        ck_assert_uint_eq(b.n_records, 1000);
        ck_assert(b.is_in_order);
}
END_TEST

START_TEST(what_a_peer_does_not_read_waits_up_to_the_limit) {
        uint64_t n = 0;
        int r;
        while ((r = send_number(&a, n, 1000)) == 0 && n < 100000) {
                n++;
                ck_assert_int_eq(channel_flush(a.ch), 0);
                ck_assert_uint_le(channel_queued(a.ch), LIMIT);
        }
        ck_assert_int_eq(r, -ENOBUFS);
        ck_assert_uint_gt(channel_queued(a.ch), LIMIT - 2000);
        settle(); /* waiting costs no passes */
        ck_assert_uint_eq(a.n_rooms, 0);

        /* the peer reads again: all arrives, and room is told once */
        ck_assert_int_eq(channel_new(loop, raw, LIMIT, &callbacks, &b, &b.ch), 0);
        raw = -1;
        settle();
        ck_assert_uint_eq(b.n_records, n);
        ck_assert(b.is_in_order);
        ck_assert_uint_eq(a.n_rooms, 1);
        ck_assert_uint_eq(channel_queued(a.ch), 0);
}
END_TEST

START_TEST(a_sender_that_goes_on_when_there_is_room_sends_all) {
        a.n_to_send = 20000;
        on_room(&a);
        ck_assert_uint_gt(a.n_to_send, 0);
        settle();
        ck_assert_uint_eq(a.n_to_send, 0);
        ck_assert_int_eq(channel_flush(a.ch), 0);
        settle();
        ck_assert_uint_eq(b.n_records, 20000);
        ck_assert(b.is_in_order);
}
END_TEST

/* Replaces a by a channel with that limit. */
static void set_limit(size_t limit) {
        int fds[2];
        a.ch = channel_free(a.ch);
        util_close(raw);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
        ck_assert_int_eq(channel_new(loop, fds[0], limit, &callbacks, &a, &a.ch), 0);
        raw = fds[1];
}

START_TEST(room_is_told_also_where_a_flush_has_written_all) {
        set_limit(1000);
        ck_assert_int_eq(send_number(&a, 0, 600), 0);
        ck_assert_int_eq(channel_flush(a.ch), 0);
        ck_assert_uint_eq(channel_queued(a.ch), 0);
        ck_assert_uint_eq(a.n_rooms, 0);
        settle();
        ck_assert_uint_eq(a.n_rooms, 1);
}
END_TEST

START_TEST(a_record_larger_than_the_limit_is_taken_where_nothing_waits) {
        char buffer[2000];
        set_limit(100);
        ck_assert_int_eq(send_number(&a, 0, 1000), 0);
        ck_assert_int_eq(send_number(&a, 1, 1000), 0); /* the first was written for it */
        ck_assert_int_eq(channel_flush(a.ch), 0);
        ck_assert_int_eq(recv(raw, buffer, sizeof(buffer), MSG_DONTWAIT), 1012);
        ck_assert_int_eq(recv(raw, buffer, sizeof(buffer), MSG_DONTWAIT), 1012);
}
END_TEST

START_TEST(what_was_sent_before_closing_arrives_before_the_end) {
        for (uint64_t i = 0; i < 100; i++) {
                ck_assert_int_eq(send_number(&a, i, 500), 0);
                ck_assert_int_eq(channel_flush(a.ch), 0);
        }
        a.ch = channel_free(a.ch);
        settle();
        ck_assert_uint_eq(b.n_records, 100);
        ck_assert_uint_eq(b.n_closed, 1);
        ck_assert_int_eq(b.error, 0);
        ck_assert_int_eq(send_number(&b, 0, 8), -EPIPE);
        ck_assert_int_eq(channel_flush(b.ch), -EPIPE);
}
END_TEST

START_TEST(what_came_is_read_also_when_writing_has_failed) {
        /* b has not read, and closes: a's first write fails, and the kernel reports a reset to a */
        for (uint64_t i = 0; i < 40; i++) {
                ck_assert_int_eq(send_number(&b, i, 500), 0);
                ck_assert_int_eq(channel_flush(b.ch), 0);
        }
        ck_assert_int_eq(send_number(&a, 0, 8), 0);
        ck_assert_int_eq(channel_flush(a.ch), 0);
        b.ch = channel_free(b.ch);
        ck_assert_int_eq(send_number(&a, 1, 8), 0);
        ck_assert_int_eq(channel_flush(a.ch), -EPIPE);
        ck_assert_int_eq(send_number(&a, 2, 8), -EPIPE);
        ck_assert_uint_eq(a.n_closed, 0);
        settle();
        ck_assert_uint_eq(a.n_records, 40);
        ck_assert(a.is_in_order);
        ck_assert_uint_eq(a.n_closed, 1);
        ck_assert_int_eq(a.error, 0);
}
END_TEST

START_TEST(what_came_is_read_also_when_the_peer_left_something_unread) {
        for (uint64_t i = 0; i < 40; i++) {
                ck_assert_int_eq(send_number(&b, i, 500), 0);
                ck_assert_int_eq(channel_flush(b.ch), 0);
        }
        ck_assert_int_eq(send_number(&a, 0, 8), 0);
        ck_assert_int_eq(channel_flush(a.ch), 0);
        b.ch = channel_free(b.ch);
        settle();
        ck_assert_uint_eq(a.n_records, 40);
        ck_assert_uint_eq(a.n_closed, 1);
        ck_assert_int_eq(a.error, 0);
}
END_TEST

START_TEST(a_peer_that_only_stops_reading_ends_the_channel) {
        ck_assert_int_eq(shutdown(raw, SHUT_RD), 0);
        ck_assert_int_eq(send_number(&a, 1, 8), 0);
        ck_assert_int_eq(channel_flush(a.ch), -EPIPE);
        settle();
        ck_assert_uint_eq(a.n_closed, 1);
        ck_assert_int_eq(a.error, 0);
}
END_TEST

START_TEST(polling_reads_what_is_there) {
        for (uint64_t i = 0; i < 50; i++) {
                ck_assert_int_eq(send_number(&a, i, 8), 0);
                if (i % 5 == 4)
                        ck_assert_int_eq(channel_flush(a.ch), 0);
        }
        b.is_polling = true;
        ck_assert_int_eq(channel_poll(b.ch), 0);
        ck_assert_uint_eq(b.n_records, 50);
        ck_assert(b.is_in_order);
        a.ch = channel_free(a.ch);
        ck_assert_int_eq(channel_poll(b.ch), 0);
        ck_assert_uint_eq(b.n_closed, 1);
        ck_assert_int_eq(channel_poll(b.ch), 0);
        ck_assert_uint_eq(b.n_closed, 1);
}
END_TEST

START_TEST(one_peer_does_not_hold_the_loop) {
        for (uint64_t i = 0; i < 100; i++) {
                ck_assert_int_eq(send_number(&a, i, 8), 0);
                ck_assert_int_eq(channel_flush(a.ch), 0);
        }
        ck_assert_int_eq(loop_run_once(loop, -1), 1);
        ck_assert_uint_gt(b.n_records, 0);
        ck_assert_uint_lt(b.n_records, 50);
        settle();
        ck_assert_uint_eq(b.n_records, 100);
}
END_TEST

START_TEST(a_channel_may_be_freed_in_its_callbacks) {
        bool is_by_end = _i == 1, is_by_poll = _i == 2;
        for (uint64_t i = 0; i < 3 && !is_by_end; i++)
                ck_assert_int_eq(send_number(&a, i, 8), 0);
        channel_flush(a.ch);
        a.ch = channel_free(a.ch);
        b.is_freeing = true;
        if (is_by_poll)
                ck_assert_int_eq(channel_poll(b.ch), 0);
        settle();
        ck_assert_ptr_null(b.ch);
        ck_assert_uint_eq(b.n_records, !is_by_end);
        ck_assert_uint_eq(b.n_closed, is_by_end);
}
END_TEST

START_TEST(an_error_of_on_record_closes_with_it) {
        b.result = -EDOM;
        ck_assert_int_eq(send_number(&a, 0, 8), 0);
        ck_assert_int_eq(send_number(&a, 1, 8), 0);
        ck_assert_int_eq(channel_flush(a.ch), 0);
        settle();
        ck_assert_uint_eq(b.n_records, 1);
        ck_assert_uint_eq(b.n_closed, 1);
        ck_assert_int_eq(b.error, -EDOM);
}
END_TEST

/* "CH", version 1, size 20, then records {7, 0, size, payload}; one thing wrong in each. */
#define HEAD(size) 'C', 'H', 1, 0, size, 0, 0, 0
static const struct {
        const char *what;
        size_t size;
        uint8_t bytes[24];
        unsigned n_records; /* 0: bad */
} frames[] = {
        {"one record", 16, {HEAD(16), 7, 0, 4, 0, 0, 0, 0, 0}, 1},
        {"two records", 20, {HEAD(20), 7, 0, 4, 0, 0, 0, 0, 0, 7, 0, 0, 0}, 2},
        {"nothing", 0, {}, 0},
        {"one byte", 1, {'C'}, 0},
        {"header cut", 7, {HEAD(7)}, 0},
        {"no record", 8, {HEAD(8)}, 0},
        {"magic", 16, {'C', 'h', 1, 0, 16, 0, 0, 0, 7, 0, 4, 0, 0, 0, 0, 0}, 0},
        {"version", 16, {'C', 'H', 2, 0, 16, 0, 0, 0, 7, 0, 4, 0, 0, 0, 0, 0}, 0},
        {"reserved of the frame", 16, {'C', 'H', 1, 1, 16, 0, 0, 0, 7, 0, 4, 0, 0, 0, 0, 0}, 0},
        {"size too small", 16, {HEAD(15), 7, 0, 4, 0, 0, 0, 0, 0}, 0},
        {"size too large", 16, {HEAD(17), 7, 0, 4, 0, 0, 0, 0, 0}, 0},
        {"record header cut", 11, {HEAD(11), 7, 0, 0}, 0},
        {"payload cut", 15, {HEAD(15), 7, 0, 4, 0, 0, 0, 0}, 0},
        {"bytes behind", 17, {HEAD(17), 7, 0, 4, 0, 0, 0, 0, 0, 9}, 0},
        {"reserved of a record", 16, {HEAD(16), 7, 1, 4, 0, 0, 0, 0, 0}, 0},
        {"second record bad", 20, {HEAD(20), 7, 0, 4, 0, 0, 0, 0, 0, 7, 0, 1, 0}, 0},
};

START_TEST(a_frame_is_exact_or_refused_as_a_whole) {
        int r = channel_split(frames[_i].bytes, frames[_i].size, on_record, &b);
        ck_assert_msg(r == (frames[_i].n_records ? 0 : -EBADMSG), "%s: %d", frames[_i].what, r);
        ck_assert_msg(b.n_records == frames[_i].n_records, "%s: %u records", frames[_i].what, b.n_records);
}
END_TEST

START_TEST(a_bad_frame_closes_the_channel) {
        ck_assert_int_eq(send(raw, frames[_i].bytes, frames[_i].size, 0), (ssize_t)frames[_i].size);
        settle();
        unsigned n = frames[_i].n_records;
        ck_assert_msg(a.n_records == n, "%s: %u records", frames[_i].what, a.n_records);
        ck_assert_msg(a.n_closed == !n, "%s: closed %u times", frames[_i].what, a.n_closed);
        ck_assert_msg(a.error == (n ? 0 : -EBADMSG), "%s: %d", frames[_i].what, a.error);
}
END_TEST

START_TEST(a_message_over_the_limit_closes_the_channel) {
        static char message[CHANNEL_MESSAGE_MAX + 1] = {HEAD(0)};
        uint32_t size = sizeof(message);
        memcpy(message + 4, &size, sizeof(size));
        ck_assert_int_eq(send(raw, message, sizeof(message), 0), sizeof(message));
        settle();
        ck_assert_int_eq(a.error, -EBADMSG);
        ck_assert_uint_eq(a.n_closed, 1);
}
END_TEST

/* Sends a good message with fd attached. */
static void send_descriptor(int fd) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
        struct iovec iov = {.iov_base = (void *)frames[0].bytes, .iov_len = frames[0].size};
        struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        ck_assert_int_eq(sendmsg(raw, &header, 0), (ssize_t)frames[0].size);
}

START_TEST(a_descriptor_is_refused) {
        int fds[2];
        char byte;
        ck_assert_int_eq(pipe(fds), 0);
        send_descriptor(fds[1]);
        util_close(fds[1]);
        settle();
        ck_assert_uint_eq(a.n_records, 0);
        ck_assert_int_eq(a.error, -EBADMSG);
        /* nobody holds the writing end any more */
        ck_assert_int_eq(read(fds[0], &byte, 1), 0);
        util_close(fds[0]);
}
END_TEST

static uint32_t random_next(uint32_t *state) {
        *state = *state * 1664525 + 1013904223;
        return *state >> 8;
}

START_TEST(random_messages_never_hurt) {
        uint32_t state = (uint32_t)_i + 1;
        uint8_t message[128];
        for (unsigned n = 0; n < 2000; n++) {
                size_t size = random_next(&state) % sizeof(message);
                for (size_t i = 0; i < size; i++)
                        message[i] = (uint8_t)random_next(&state);
                /* half of them with a good header, so that the records are looked at */
                if (size >= 8 && n % 2)
                        memcpy(message, (uint8_t[]){HEAD((uint8_t)size)}, 8);
                uint8_t *copy = malloc(size ? size : 1); /* so that a sanitizer sees the end */
                ck_assert_ptr_nonnull(copy);
                memcpy(copy, message, size);
                int r = channel_split(copy, size, on_record, &b);
                ck_assert_msg(r == 0 || r == -EBADMSG, "seed %d, message %u: %d", _i, n, r);
                free(copy);
        }
}
END_TEST

int main(void) {
        TCase *pair = tcase_create("both ends");
        tcase_add_checked_fixture(pair, setup_both, teardown);
        tcase_add_test(pair, what_comes_to_one_that_rests_is_taken);
        tcase_set_timeout(pair, 30);
        tcase_add_test(pair, the_descriptor_is_made_safe);
        tcase_add_test(pair, records_arrive_whole_and_in_order);
        tcase_add_loop_test(pair, a_record_has_any_size_up_to_the_largest, 0, ARRAY_SIZE(sizes));
        tcase_add_test(pair, a_sender_that_goes_on_when_there_is_room_sends_all);
        tcase_add_test(pair, what_was_sent_before_closing_arrives_before_the_end);
        tcase_add_test(pair, what_came_is_read_also_when_writing_has_failed);
        tcase_add_test(pair, what_came_is_read_also_when_the_peer_left_something_unread);
        tcase_add_test(pair, polling_reads_what_is_there);
        tcase_add_test(pair, one_peer_does_not_hold_the_loop);
        tcase_add_loop_test(pair, a_channel_may_be_freed_in_its_callbacks, 0, 3);
        tcase_add_test(pair, an_error_of_on_record_closes_with_it);

        TCase *single = tcase_create("one end");
        tcase_add_checked_fixture(single, setup, teardown);
        tcase_set_timeout(single, 30);
        tcase_add_test(single, a_record_alone_needs_no_channel);
        tcase_add_test(single, a_thousand_small_records_are_one_message);
        tcase_add_test(single, what_a_peer_does_not_read_waits_up_to_the_limit);
        tcase_add_test(single, room_is_told_also_where_a_flush_has_written_all);
        tcase_add_test(single, a_record_larger_than_the_limit_is_taken_where_nothing_waits);
        tcase_add_test(single, a_peer_that_only_stops_reading_ends_the_channel);
        tcase_add_loop_test(single, a_frame_is_exact_or_refused_as_a_whole, 0, ARRAY_SIZE(frames));
        tcase_add_loop_test(single, a_bad_frame_closes_the_channel, 0, ARRAY_SIZE(frames));
        tcase_add_test(single, a_message_over_the_limit_closes_the_channel);
        tcase_add_test(single, a_descriptor_is_refused);
        tcase_add_loop_test(single, random_messages_never_hurt, 0, 5);

        Suite *suite = suite_create("channel");
        suite_add_tcase(suite, pair);
        suite_add_tcase(suite, single);
        return run_suite(suite);
}
