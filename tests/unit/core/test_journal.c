// SPDX-License-Identifier: MIT
// Records to a socket that plays journald, to pipes, sockets and files as standard error, and the three formats by table.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/core/journal.h"
#include "daemon/core/journal_format.h"
#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"

#define PATTERN "/tmp/chimed-test-XXXXXX"

static struct loop *loop;
static struct journal *journal;
static char folder[] = PATTERN;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int journald = -1;
static unsigned n_files; /* records that came as a file */
static int width;        /* of a field of each line */

static void bind_journald(void) {
        journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(journald, 0);
        ck_assert_int_eq(bind(journald, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void end_journald(void) {
        journald = util_close(journald);
        unlink(address.sun_path);
}

static void setup(void) {
        width = 100;
        n_files = 0;
        strcpy(folder, PATTERN);
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
        signal(SIGPIPE, SIG_IGN);
        ck_assert_int_eq(loop_new(&loop), 0);
        bind_journald();
}

static void teardown(void) {
        journal = journal_free(journal);
        loop = loop_free(loop);
        end_journald();
        rmdir(folder);
}

static void open_journal(enum journal_target target) {
        ck_assert_int_eq(journal_new(loop, target, "chimed", address.sun_path, &journal), 0);
}

/* The next record that journald has, NUL-terminated; its size, or -1. */
static ssize_t receive(char *buffer, size_t size) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec iov = {.iov_base = buffer, .iov_len = size - 1};
        struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(journald, &header, MSG_DONTWAIT);
        struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&header);
        if (c) {
                int fd;
                memcpy(&fd, CMSG_DATA(c), sizeof(fd));
                ck_assert_int_eq(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
                n = pread(fd, buffer, size - 1, 0);
                n_files++;
                util_close(fd);
        }
        buffer[n < 0 ? 0 : n] = 0;
        return n;
}

static bool has_line(const char *record, const char *line) {
        size_t length = strlen(line);
        for (const char *at = record; (at = strstr(at, line)); at++)
                if ((at == record || at[-1] == '\n') && at[length] == '\n')
                        return true;
        return false;
}

static void send_line(unsigned number) {
        struct journal_record r = journal_begin(journal, EVENT_MISSED);
        journal_field(&r, "CHIMED_JOB", "%0*u", width, number);
        journal_send(&r, "number %u", number);
}

static void settle(void) {
        int r;
        for (unsigned i = 0; i < 100000 && (r = loop_run_once(loop, 0)) > 0; i++)
                ;
        ck_assert_int_eq(r, 0);
}

START_TEST(a_record_has_its_kinds_fields_and_those_given) {
        char buffer[1000];
        open_journal(JOURNAL_AUTO);
        ck_assert_int_eq(journal_target(journal), JOURNAL_JOURNAL);
        struct journal_record r = journal_begin(journal, EVENT_MISSED);
        journal_field(&r, "CHIMED_JOB", "%s", "backup");
        journal_field_i64(&r, "CHIMED_COUNT", -5);
        int line = __LINE__ + 1;
        journal_send(&r, "missed %d", 5);
        ck_assert_ptr_null(r.fields.data);
        ck_assert_int_gt(receive(buffer, sizeof(buffer)), 0);
        const char *lines[] = {"MESSAGE=missed 5",    "PRIORITY=4",        "SYSLOG_IDENTIFIER=chimed",
                               "CHIMED_EVENT=missed", "CHIMED_JOB=backup", "CHIMED_COUNT=-5"};
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                ck_assert_msg(has_line(buffer, lines[i]), "no %s in\n%s", lines[i], buffer);
        char id[64];
        snprintf(id, sizeof(id), "MESSAGE_ID=%s", event_row(EVENT_MISSED)->message_id);
        ck_assert(has_line(buffer, id));
        snprintf(id, sizeof(id), "CODE_LINE=%d", line);
        ck_assert_msg(has_line(buffer, id) && strstr(buffer, "test_journal.c\n"), "no place in\n%s", buffer);
        ck_assert_int_eq(receive(buffer, sizeof(buffer)), -1);
}
END_TEST

START_TEST(a_job_s_line_has_the_job_s_name_and_any_bytes) {
        char buffer[1000];
        open_journal(JOURNAL_JOURNAL);
        struct journal_record r = journal_begin_line(journal, 3, "backup");
        journal_send_bytes(&r, "a\0b\xff", 4);
        ssize_t n = receive(buffer, sizeof(buffer));
        ck_assert_int_gt(n, 0);
        ck_assert_ptr_nonnull(memmem(buffer, (size_t)n, "MESSAGE=a\0b\xff\n", 13));
        ck_assert_ptr_nonnull(memmem(buffer, (size_t)n, "PRIORITY=3\n", 11));
        ck_assert_ptr_nonnull(memmem(buffer, (size_t)n, "SYSLOG_IDENTIFIER=backup\n", 25));
        ck_assert_ptr_null(memmem(buffer, (size_t)n, "MESSAGE_ID", 10));
}
END_TEST

START_TEST(fields_beyond_the_bound_are_left_out) {
        char buffer[4000];
        open_journal(JOURNAL_JOURNAL);
        struct journal_record r = journal_begin_line(journal, 6, NULL);
        for (int i = 0; i < 2 * JOURNAL_FIELDS_MAX; i++)
                journal_field_i64(&r, "CHIMED_COUNT", i);
        journal_send(&r, "many");
        unsigned n = 0;
        ck_assert_int_gt(receive(buffer, sizeof(buffer)), 0);
        for (const char *at = buffer; (at = strchr(at, '\n')); at++)
                n++;
        ck_assert_uint_eq(n, JOURNAL_FIELDS_MAX + 1); /* and MESSAGE */
        ck_assert(has_line(buffer, "MESSAGE=many"));
}
END_TEST

static const size_t sizes[] = {100, 200000, 600000, JOURNAL_QUEUE_LIMIT - 1000, JOURNAL_QUEUE_LIMIT};

START_TEST(a_record_of_any_size_up_to_the_bound_arrives) {
        static char value[JOURNAL_QUEUE_LIMIT], buffer[JOURNAL_QUEUE_LIMIT + 1000];
        bool is_over = sizes[_i] == JOURNAL_QUEUE_LIMIT;
        memset(value, 'v', sizes[_i]);
        open_journal(JOURNAL_JOURNAL);
        struct journal_record r = journal_begin_line(journal, 6, NULL);
        journal_send_bytes(&r, value, sizes[_i]);
        ck_assert_msg((receive(buffer, sizeof(buffer)) < 0) == is_over, "%zu bytes", sizes[_i]);
        ck_assert_uint_eq(journal_dropped(journal), is_over);
        ck_assert_msg(n_files == (sizes[_i] > 300000 && !is_over), "%zu bytes: %u files", sizes[_i], n_files);
        ck_assert_msg(is_over || memmem(buffer, sizeof(buffer), value, sizes[_i]), "%zu bytes: not whole", sizes[_i]);
}
END_TEST

/* What became of records with the numbers 0..n-1, from a reader that gives one record a call. */
struct account {
        unsigned n_seen, n_told, n_tellings, next;
};

static void account_for(struct account *a, const char *text) {
        unsigned n;
        const char *at = strstr(text, "number ");
        if (at) {
                ck_assert_int_eq(sscanf(at, "number %u", &n), 1);
                ck_assert_msg(n == a->next, "number %u after %u: what was dropped is told in its place", n, a->next);
                a->next++;
                a->n_seen++;
                return;
        }
        at = strstr(text, "CHIMED_COUNT=");
        ck_assert_msg(at, "neither a number nor a count: %s", text);
        ck_assert_int_eq(sscanf(at, "CHIMED_COUNT=%u", &n), 1);
        ck_assert_ptr_nonnull(strstr(text, event_row(EVENT_DEGRADED)->name));
        a->next += n;
        a->n_told += n;
        a->n_tellings++;
}

START_TEST(a_stopped_journald_holds_nobody_and_is_told_what_was_dropped) {
        char buffer[1000];
        struct account a = {};
        open_journal(JOURNAL_JOURNAL);
        for (unsigned i = 0; i < 20000; i++)
                send_line(i);
        ck_assert_uint_gt(journal_dropped(journal), 1000);
        ck_assert_uint_lt(journal_dropped(journal), 19000); /* the queue holds thousands */
        settle();                                           /* waiting costs no passes */

        /* it goes on, slowly, and more records come */
        unsigned sent = 20000;
        for (unsigned i = 0; i < 40000; i++) {
                if (receive(buffer, sizeof(buffer)) > 0)
                        account_for(&a, buffer);
                if (sent < 22000)
                        send_line(sent++);
                ck_assert_int_ge(loop_run_once(loop, 0), 0);
        }
        ck_assert_uint_eq(a.next, 22000);
        ck_assert_uint_eq(a.n_told, journal_dropped(journal));
        ck_assert_uint_eq(a.n_tellings, 1); /* not again for each place that becomes free */
        ck_assert_uint_eq(a.n_seen + a.n_told, 22000);
        settle();
}
END_TEST

START_TEST(drops_are_told_when_the_queue_is_empty_also_without_new_records) {
        char buffer[1000];
        struct account a = {};
        open_journal(JOURNAL_JOURNAL);
        for (unsigned i = 0; i < 10000; i++)
                send_line(i);
        for (unsigned i = 0; i < 20000; i++) {
                if (receive(buffer, sizeof(buffer)) > 0)
                        account_for(&a, buffer);
                ck_assert_int_ge(loop_run_once(loop, 0), 0);
        }
        ck_assert_uint_gt(a.n_told, 0);
        ck_assert_uint_eq(a.next, 10000);
}
END_TEST

START_TEST(without_a_loop_what_cannot_be_written_is_dropped) {
        char buffer[1000];
        struct account a = {};
        ck_assert_int_eq(journal_new(NULL, JOURNAL_JOURNAL, "chimed", address.sun_path, &journal), 0);
        for (unsigned i = 0; i < 1000; i++)
                send_line(i);
        while (receive(buffer, sizeof(buffer)) > 0)
                account_for(&a, buffer);
        send_line(1000);
        while (receive(buffer, sizeof(buffer)) > 0)
                account_for(&a, buffer);
        ck_assert_uint_eq(a.next, 1001);
        ck_assert_uint_gt(a.n_told, 0);
}
END_TEST

START_TEST(a_new_journald_gets_what_the_old_one_did_not_take) {
        char buffer[1000];
        open_journal(JOURNAL_JOURNAL);
        send_line(0);
        end_journald();
        for (unsigned i = 1; i < 10; i++)
                send_line(i);
        ck_assert_uint_eq(journal_dropped(journal), 0);
        settle();
        bind_journald();
        for (unsigned i = 0; i < 100 && receive(buffer, sizeof(buffer)) < 0; i++)
                ck_assert_int_ge(loop_run_once(loop, 100000), 0);
        struct account a = {.next = 1};
        do
                account_for(&a, buffer);
        while (receive(buffer, sizeof(buffer)) > 0);
        ck_assert_uint_eq(a.next, 10);
        send_line(10);
        ck_assert_int_gt(receive(buffer, sizeof(buffer)), 0);
}
END_TEST

START_TEST(a_journald_bound_anew_is_found_at_once) {
        char buffer[1000];
        open_journal(JOURNAL_JOURNAL);
        end_journald();
        bind_journald();
        send_line(0);
        ck_assert_int_gt(receive(buffer, sizeof(buffer)), 0);
}
END_TEST

START_TEST(without_journald_auto_means_lines) {
        end_journald();
        ck_assert_int_eq(journal_new(loop, JOURNAL_JOURNAL, "chimed", address.sun_path, &journal), -ENOENT);
        ck_assert_ptr_null(journal);
        open_journal(JOURNAL_AUTO);
        ck_assert_int_eq(journal_target(journal), JOURNAL_LOGFMT);
        journal = journal_free(journal);
        char path[200];
        memset(path, 'x', sizeof(path));
        path[sizeof(path) - 1] = 0;
        ck_assert_int_eq(journal_new(loop, JOURNAL_JOURNAL, "chimed", path, &journal), -ENAMETOOLONG);
}
END_TEST

/* Standard error as something, and the other end of it. */
enum error_kind { AS_PIPE, AS_SOCKET, AS_PIPE_KEPT, AS_FILE };

static const struct {
        const char *what;
        enum error_kind kind;
        enum journal_target target;
        int width; /* of a line, about; over PIPE_BUF it can be written in part */
} errors[] = {
        {"logfmt to a pipe", AS_PIPE, JOURNAL_LOGFMT, 100},
        {"json to a pipe", AS_PIPE, JOURNAL_JSON, 9000},
        {"logfmt to a socket", AS_SOCKET, JOURNAL_LOGFMT, 100},
        {"json to a pipe that can't be opened anew", AS_PIPE_KEPT, JOURNAL_JSON, 9000},
        {"logfmt to a file", AS_FILE, JOURNAL_LOGFMT, 100},
};

static int open_error(enum error_kind kind, enum journal_target target) {
        int fds[2];
        struct rlimit limit, none = {};
        if (kind == AS_SOCKET)
                ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        else if (kind == AS_FILE) {
                char path[64];
                fds[1] = open("/tmp", O_TMPFILE | O_RDWR, 0600);
                snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[1]);
                fds[0] = open(path, O_RDONLY); /* an offset of its own */
        } else
                ck_assert_int_eq(pipe(fds), 0);
        dup2(fds[1], STDERR_FILENO);
        util_close(fds[1]);
        if (kind == AS_PIPE_KEPT) { /* /proc/self/fd/2 cannot be opened where no descriptor is left */
                getrlimit(RLIMIT_NOFILE, &limit);
                none.rlim_max = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &none);
                ck_assert_int_eq(journal_new(NULL, target, "chimed", NULL, &journal), 0);
                setrlimit(RLIMIT_NOFILE, &limit);
        } else
                open_journal(target);
        return fds[0];
}

struct reader {
        int fd;
        size_t size;
        char text[20000];
};

/* The next line, NUL-terminated instead of its newline; false where none is whole. */
static bool read_line(struct reader *r, char line[static sizeof(r->text)]) {
        char *end = memchr(r->text, '\n', r->size);
        if (!end) {
                ssize_t n = read(r->fd, r->text + r->size, sizeof(r->text) - r->size);
                r->size += n > 0 ? (size_t)n : 0;
                end = memchr(r->text, '\n', r->size);
        }
        if (!end)
                return false;
        size_t length = (size_t)(end - r->text);
        memcpy(line, r->text, length);
        line[length] = 0;
        r->size -= length + 1;
        memmove(r->text, end + 1, r->size);
        return true;
}

START_TEST(a_line_is_whole_and_standard_error_is_left_as_it_was) {
        static char line[sizeof(struct reader)];
        int fd = open_error(errors[_i].kind, errors[_i].target);
        ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
        struct journal_record r = journal_begin(journal, EVENT_FAILED);
        journal_field(&r, "CHIMED_JOB", "backup");
        journal_send(&r, "exit status %d", 1);
        if (errors[_i].kind == AS_FILE)
                lseek(fd, 0, SEEK_SET);
        struct reader reader = {.fd = fd};
        fcntl(fd, F_SETFL, O_NONBLOCK);
        ck_assert_msg(read_line(&reader, line), "%s: no line", errors[_i].what);
        const char *wanted = errors[_i].target == JOURNAL_LOGFMT
                                     ? "time=* level=err MESSAGE=\"exit status 1\" CHIMED_EVENT=failed CHIMED_JOB=backup"
                                     : "{\"time\":\"*\",\"level\":\"err\",\"MESSAGE\":\"exit status 1\",\"PRIORITY\":\"3\","
                                       "\"SYSLOG_IDENTIFIER\":\"chimed\",\"MESSAGE_ID\":\"f075cc7d26754a23bb2fdbb6d0ac9fef\","
                                       "\"CHIMED_EVENT\":\"failed\",\"CHIMED_JOB\":\"backup\"}";
        char *time = strstr(line, "20");
        ck_assert_ptr_nonnull(time);
        unsigned us;
        ck_assert_int_eq(sscanf(time, "%*4u-%*2u-%*2uT%*2u:%*2u:%*2u.%6uZ", &us), 1);
        ck_assert_int_eq(time[26], 'Z');
        memmove(time + 1, time + 27, strlen(time + 27) + 1);
        *time = '*';
        ck_assert_msg(strcmp(line, wanted) == 0, "%s: %s", errors[_i].what, line);
        util_close(fd);
}
END_TEST

START_TEST(whoever_shares_a_file_writes_behind_our_lines) {
        static char line[sizeof(struct reader)];
        struct reader reader = {.fd = open_error(AS_FILE, JOURNAL_LOGFMT)};
        struct journal_record r = journal_begin(journal, EVENT_READY);
        journal_send(&r, "ours");
        ck_assert_int_eq(write(STDERR_FILENO, "theirs\n", 7), 7);
        ck_assert(read_line(&reader, line));
        ck_assert_msg(strstr(line, "MESSAGE=ours") != NULL, "%s", line);
        ck_assert(read_line(&reader, line));
        ck_assert_str_eq(line, "theirs");
        util_close(reader.fd);
}
END_TEST

START_TEST(a_full_standard_error_tears_no_line) {
        static char line[sizeof(struct reader)];
        struct account a = {};
        int fd = open_error(errors[_i].kind, JOURNAL_LOGFMT);
        width = errors[_i].width;
        unsigned sent = width > 1000 ? 2000 : 20000;
        for (unsigned i = 0; i < sent; i++)
                send_line(i);
        ck_assert_msg(journal_dropped(journal) > 1000 || errors[_i].kind == AS_FILE, "%s: nothing dropped", errors[_i].what);
        if (errors[_i].kind == AS_FILE)
                lseek(fd, 0, SEEK_SET);
        struct reader reader = {.fd = fd};
        fcntl(fd, F_SETFL, O_NONBLOCK);
        unsigned last = sent + 100;
        for (unsigned i = 0; i < 40000 && a.next < last; i++) {
                if (read_line(&reader, line)) {
                        bool is_whole = strncmp(line, "time=", 5) == 0 && !strstr(line + 5, "time=");
                        ck_assert_msg(is_whole, "%s: torn: %.60s", errors[_i].what, line);
                        account_for(&a, line);
                } else if (sent < last)
                        send_line(sent++);
                ck_assert_int_ge(loop_run_once(loop, 0), 0);
        }
        ck_assert_msg(a.next == last, "%s: %u accounted for", errors[_i].what, a.next);
        util_close(fd);
}
END_TEST

START_TEST(a_closed_standard_error_costs_no_passes) {
        int fd = open_error(errors[_i].kind, errors[_i].target);
        for (unsigned i = 0; i < 2000; i++)
                send_line(i);
        util_close(fd);
        settle();
        for (unsigned i = 0; i < 2000; i++)
                send_line(i);
        settle();
        ck_assert_msg(journal_dropped(journal) >= 2000 || errors[_i].kind == AS_FILE, "%s: %lu dropped", errors[_i].what,
                      (unsigned long)journal_dropped(journal));
}
END_TEST

static const struct {
        const char *what, *value;
        size_t size;
        const char *native, *logfmt, *json;
        size_t native_size;
} values[] = {
#define V(what, value, native, logfmt, json)                                                                                   \
        { what, value, sizeof(value) - 1, native, logfmt, json, sizeof(native) - 1 }
        V("plain", "abc", "F=abc\n", " F=abc", ",\"F\":\"abc\""),
        V("empty", "", "F=\n", " F=\"\"", ",\"F\":\"\""),
        V("blank", "a b", "F=a b\n", " F=\"a b\"", ",\"F\":\"a b\""),
        V("equals sign", "a=b", "F=a=b\n", " F=\"a=b\"", ",\"F\":\"a=b\""),
        V("quote", "a\"b", "F=a\"b\n", " F=\"a\\\"b\"", ",\"F\":\"a\\\"b\""),
        V("backslash", "a\\b", "F=a\\b\n", " F=a\\b", ",\"F\":\"a\\\\b\""),
        V("newline", "a\nb", "F\n\3\0\0\0\0\0\0\0a\nb\n", " F=\"a\\nb\"", ",\"F\":\"a\\nb\""),
        V("controls", "\t\r\b\f", "F=\t\r\b\f\n", " F=\"\\t\\r\\b\\f\"", ",\"F\":\"\\t\\r\\b\\f\""),
        V("escape, NUL, DEL", "\x1b\0\x7f", "F=\x1b\0\x7f\n", " F=\"\\u001b\\u0000\\u007f\"",
          ",\"F\":\"\\u001b\\u0000\\u007f\""),
        V("C1", "\xc2\x9b", "F=\xc2\x9b\n", " F=\"\\u009b\"", ",\"F\":\"\\u009b\""),
        V("UTF-8 of 2, 3 and 4 bytes", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x95\xb0", "F=\xc3\xbc\xe2\x82\xac\xf0\x9f\x95\xb0\n",
          " F=\xc3\xbc\xe2\x82\xac\xf0\x9f\x95\xb0", ",\"F\":\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x95\xb0\""),
        V("no UTF-8", "\xff", "F=\xff\n", " F=\"\xef\xbf\xbd\"", ",\"F\":\"\xef\xbf\xbd\""),
        V("cut", "\xe2\x82", "F=\xe2\x82\n", " F=\"\xef\xbf\xbd\xef\xbf\xbd\"", ",\"F\":\"\xef\xbf\xbd\xef\xbf\xbd\""),
        V("too long a form", "\xc0\xaf", "F=\xc0\xaf\n", " F=\"\xef\xbf\xbd\xef\xbf\xbd\"",
          ",\"F\":\"\xef\xbf\xbd\xef\xbf\xbd\""),
        V("surrogate", "\xed\xa0\x80", "F=\xed\xa0\x80\n", " F=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
          ",\"F\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
        V("beyond the last", "\xf4\x90\x80\x80", "F=\xf4\x90\x80\x80\n",
          " F=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
          ",\"F\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
};

static const struct {
        const char *name;
        enum journal_target target;
} formats[] = {{"native", JOURNAL_JOURNAL}, {"logfmt", JOURNAL_LOGFMT}, {"json", JOURNAL_JSON}};

START_TEST(a_value_is_written_so_that_it_can_be_read_back) {
        for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
                const char *wanted[] = {values[_i].native, values[_i].logfmt, values[_i].json};
                size_t size = i == 0 ? values[_i].native_size : strlen(wanted[i]);
                struct pack p = {};
                char *value = malloc(values[_i].size + 1); /* so that a sanitizer sees the end */
                ck_assert_ptr_nonnull(value);
                memcpy(value, values[_i].value, values[_i].size);
                journal_format_field(&p, formats[i].target, "F", value, values[_i].size);
                ck_assert_msg(pack_result(&p) == 0 && p.size == size && memcmp(p.data, wanted[i], size) == 0, "%s as %s: %.*s",
                              values[_i].what, formats[i].name, (int)p.size, (const char *)p.data);
                pack_done(&p);
                free(value);
        }
}
END_TEST

START_TEST(a_target_s_name_reads_back) {
        const enum journal_target targets[] = {JOURNAL_JOURNAL, JOURNAL_LOGFMT, JOURNAL_JSON};
        for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
                enum journal_target target = JOURNAL_AUTO;
                ck_assert_int_eq(journal_target_from_string(journal_target_to_string(targets[i]), &target), 0);
                ck_assert_int_eq(target, targets[i]);
        }
        enum journal_target untouched = JOURNAL_JSON;
        ck_assert_int_eq(journal_target_from_string("syslog", &untouched), -EINVAL);
        ck_assert_int_eq(untouched, JOURNAL_JSON);
}
END_TEST

int main(void) {
        TCase *tcase = tcase_create("journald");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 30);
        tcase_add_test(tcase, a_record_has_its_kinds_fields_and_those_given);
        tcase_add_test(tcase, a_job_s_line_has_the_job_s_name_and_any_bytes);
        tcase_add_test(tcase, fields_beyond_the_bound_are_left_out);
        tcase_add_loop_test(tcase, a_record_of_any_size_up_to_the_bound_arrives, 0, ARRAY_SIZE(sizes));
        tcase_add_test(tcase, a_stopped_journald_holds_nobody_and_is_told_what_was_dropped);
        tcase_add_test(tcase, drops_are_told_when_the_queue_is_empty_also_without_new_records);
        tcase_add_test(tcase, without_a_loop_what_cannot_be_written_is_dropped);
        tcase_add_test(tcase, a_new_journald_gets_what_the_old_one_did_not_take);
        tcase_add_test(tcase, a_journald_bound_anew_is_found_at_once);
        tcase_add_test(tcase, without_journald_auto_means_lines);

        TCase *lines = tcase_create("standard error");
        tcase_add_checked_fixture(lines, setup, teardown);
        tcase_set_timeout(lines, 30);
        tcase_add_loop_test(lines, a_line_is_whole_and_standard_error_is_left_as_it_was, 0, ARRAY_SIZE(errors));
        tcase_add_test(lines, whoever_shares_a_file_writes_behind_our_lines);
        tcase_add_loop_test(lines, a_full_standard_error_tears_no_line, 0, ARRAY_SIZE(errors));
        tcase_add_loop_test(lines, a_closed_standard_error_costs_no_passes, 0, ARRAY_SIZE(errors));

        TCase *format = tcase_create("formats");
        tcase_add_loop_test(format, a_value_is_written_so_that_it_can_be_read_back, 0, ARRAY_SIZE(values));
        tcase_add_test(format, a_target_s_name_reads_back);

        Suite *suite = suite_create("journal");
        suite_add_tcase(suite, tcase);
        suite_add_tcase(suite, lines);
        suite_add_tcase(suite, format);
        return run_suite(suite);
}
