// SPDX-License-Identifier: MIT
// The plugin http-check against a server of many minds on the loopback.

#include "tests/unit/plugins/fake_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/run_suite.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"

static int server;
static int port;
static char url[128], path[64];

/* ---- the server: one process a connection, which ends with its test ---- */

static void say(int fd, const char *words) {
        (void)!write(fd, words, strlen(words));
}

/* Sends the words again and again, until nobody hears them. */
static void say_for_ever(int fd, const char *words, useconds_t pause_us) {
        while (write(fd, words, strlen(words)) > 0)
                usleep(pause_us);
}

static void serve(int fd) {
        char request[4096] = "", what[64] = "", location[128];
        size_t used = 0;
        const struct linger reset = {1, 0};

        while (!strstr(request, "\r\n\r\n")) {
                ssize_t n = read(fd, request + used, sizeof(request) - 1 - used);
                if (n <= 0)
                        _exit(0);
                used += (size_t)n;
                request[used] = '\0';
        }
        sscanf(request, "%*s /%63[^ ]", what);
        if (strcmp(what, "ok") == 0 || strcmp(what, "ok?secret") == 0)
                say(fd, strncmp(request, "HEAD", 4) == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" : OK);
        else if (strcmp(what, "echo") == 0) { /* what was asked */
                snprintf(location, sizeof(location), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", used);
                say(fd, location);
                say(fd, request);
        } else if (strcmp(what, "hop") == 0)
                say(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
        else if (strcmp(what, "loop") == 0)
                say(fd, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
        else if (strcmp(what, "file") == 0)
                say(fd, "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n");
        else if (strcmp(what, "missing") == 0)
                say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
        else if (strcmp(what, "hang") == 0)
                pause();
        else if (strcmp(what, "drip") == 0) {
                say(fd, "HTTP/1.1 200 OK\r\n\r\n");
                say_for_ever(fd, "x", 10000);
        } else if (strcmp(what, "flood") == 0) {
                say(fd, "HTTP/1.1 200 OK\r\n\r\n");
                say_for_ever(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0);
        } else if (strcmp(what, "headers") == 0) {
                say(fd, "HTTP/1.1 200 OK\r\n");
                say_for_ever(fd, "X-More: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", 0);
        } else if (strcmp(what, "short") == 0)
                say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
        else if (strcmp(what, "noise") == 0)
                say(fd, "\x1b[31m\r\n\xff\xfe no http at all\r\n");
        else if (strcmp(what, "reset") == 0) {
                say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
                (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        }
        close(fd); /* "silence" has nothing more */
        _exit(0);
}

static void set_up(void) {
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(name);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        unsetenv("http_proxy");
        unsetenv("https_proxy");
        unsetenv("all_proxy");
        signal(SIGPIPE, SIG_IGN); /* as the host does */
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, size), 0);
        ck_assert_int_eq(listen(fd, 64), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
        port = ntohs(name.sin_port);
        server = fork();
        ck_assert_int_ge(server, 0);
        if (server == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                signal(SIGCHLD, SIG_IGN);
                for (;;) {
                        int peer = accept(fd, NULL, NULL);
                        if (peer >= 0 && fork() == 0) {
                                prctl(PR_SET_PDEATHSIG, SIGKILL);
                                serve(peer);
                        }
                        close(peer);
                }
        }
        close(fd);
        snprintf(path, sizeof(path), "/tmp/chimed-headers.%d", (int)getpid());
}

static void tear_down(void) {
        kill(server, SIGKILL);
        unlink(path);
}

static const char *at(const char *what) {
        snprintf(url, sizeof(url), "http://127.0.0.1:%d/%s", port, what);
        return url;
}

static void assert_message(const char *part) {
        ck_assert_msg(strstr(fake_run()->message, part), "'%s' is not in '%s'", part, fake_run()->message);
}

/* ---- what is told of each ---- */

static const struct {
        const char *what;
        int result;
        const char *message; /* a part */
        struct fake_option options[3];
} checks[] = {
        {"ok", CHIMED_SUCCESS, "", {}},
        {"ok", CHIMED_SUCCESS, "", {{"method", "HEAD"}}},
        {"ok", CHIMED_SUCCESS, "", {{"expect-text", "o w"}, {"expect-status", "200 404"}}},
        {"ok?secret",
         CHIMED_FAILED,
         "/ok: status 200, but the text is not in the answer of 11 bytes",
         {{"expect-text", "bye"}}},
        {"ok", CHIMED_FAILED, "status 200 in place of 204", {{"expect-status", "204"}}},
        {"echo", CHIMED_SUCCESS, "", {{"method", "POST"}, {"body", "a=b"}, {"expect-text", "POST /echo"}}},
        {"missing", CHIMED_FAILED, "status 404 in place of 200-299", {}},
        {"missing", CHIMED_SUCCESS, "", {{"expect-status", "404"}, {"expect-text", "gone"}}},
        {"hop", CHIMED_SUCCESS, "", {{"expect-text", "hello"}}},
        {"hop", CHIMED_SUCCESS, "", {{"max-redirects", "0"}, {"expect-status", "302"}}},
        {"loop", CHIMED_FAILED, "redirects", {}},
        {"file", CHIMED_FAILED, "protocol", {}},
        {"hang", CHIMED_FAILED, "Timeout", {{"timeout", "100ms"}}},
        {"drip", CHIMED_FAILED, "Timeout", {{"timeout", "200ms"}}},
        {"flood", CHIMED_FAILED, "the answer is longer than 1048576 bytes", {}},
        {"headers", CHIMED_FAILED, "", {{"timeout", "300ms"}}}, /* too large, or out of time */
        {"short", CHIMED_FAILED, "", {}},
        {"noise", CHIMED_FAILED, "", {}},
        {"reset", CHIMED_FAILED, "", {}},
        {"silence", CHIMED_FAILED, "Server returned nothing", {}},
};

START_TEST(a_check_says_what_came_of_it) {
        struct fake_option options[5] = {{"url", at(checks[_i].what)}};

        memcpy(options + 1, checks[_i].options, sizeof(checks[_i].options));
        ck_assert_msg(fake_load(options) == 0, "%s", fake_run()->message);
        for (int i = 0; i < 2; i++) { /* and once more, with what the first one has left */
                const struct fake_run *run = fake_tick();
                ck_assert_msg(run->result == checks[_i].result, "%s: %d, %s %s", checks[_i].what, run->result, run->message,
                              run->value);
                ck_assert_int_eq(run->n_answers, 1);
                assert_message(checks[_i].message);
                ck_assert_ptr_null(strstr(run->message, "secret"));
                for (const char *s = run->message; *s; s++)
                        ck_assert_msg(*s >= 0x20 && *s < 0x7f, "%s", run->message);
        }
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

START_TEST(the_value_has_the_parts_of_the_time) {
        const struct fake_option options[] = {{"url", at("hop")}, {}};
        long long total, dns, connect, tls, wait, transfer;
        int n = 0;

        ck_assert_int_eq(fake_load(options), 0);
        const struct fake_run *run = fake_tick();
        sscanf(run->value,
               "{\"status\":200,\"total_usec\":%lld,\"dns_usec\":%lld,\"connect_usec\":%lld,\"tls_usec\":%lld,\"wait_usec\":%"
               "lld,"
               "\"transfer_usec\":%lld,\"size\":11,\"redirects\":1}%n",
               &total, &dns, &connect, &tls, &wait, &transfer, &n);
        ck_assert_msg(n == (int)strlen(run->value), "%s", run->value);
        ck_assert_int_eq(tls, 0);
        ck_assert_int_gt(total, 0);
        ck_assert_int_le(dns + connect + wait + transfer, total);
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

START_TEST(a_check_can_be_given_up_and_the_next_one_is_clean) {
        struct fake_option options[] = {{"url", at("hang")}, {"timeout", "1h"}, {}};

        ck_assert_int_eq(fake_load(options), 0);
        fake_begin(); /* does not wait */
        ck_assert(!fake_wait(20000));
        fake_cancel();
        ck_assert_int_eq(fake_run()->result, CHIMED_FAILED);
        assert_message("given up");
        fake_begin();
        ck_assert(!fake_wait(20000));
        ck_assert_int_eq(fake_unload(), 0); /* in the midst of it */
}
END_TEST

START_TEST(nobody_listens) {
        const struct fake_option options[] = {{"url", at("ok")}, {}};

        kill(server, SIGKILL);
        ck_assert_int_eq(waitpid(server, NULL, 0), server);
        ck_assert_int_eq(fake_load(options), 0);
        ck_assert_int_eq(fake_tick()->result, CHIMED_FAILED);
        assert_message("connect");
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

static const struct {
        const char *content, *message; /* message NULL: it is sent */
} header_files[] = {
        {"# of the shop\nX-Key: a b\r\n", NULL},
        {NULL, "No such file"},
        {"X-Key a\n", "a line of it is not Name: value"},
        {"X-Key: a\rX-Other: b\n", "a line of it is not Name: value"},
};

START_TEST(headers_come_from_a_file) {
        const struct fake_option options[] = {{"url", at("echo")}, {"header-file", path}, {"expect-text", "X-Key: a b"}, {}};

        ck_assert_int_eq(fake_load(options), 0);
        if (header_files[_i].content) {
                FILE *f = fopen(path, "w");
                fputs(header_files[_i].content, f);
                fclose(f);
        }
        int result = fake_tick()->result;
        ck_assert_int_eq(result, header_files[_i].message ? CHIMED_FAILED : CHIMED_SUCCESS);
        if (header_files[_i].message)
                assert_message(header_files[_i].message);
        ck_assert_int_eq(fake_unload(), 0);
}
END_TEST

static const struct {
        struct fake_option options[3];
        const char *message;
} wrong[] = {
        {{{"url", "ftp://x/"}}, "the url is none of http:// or https://"},
        {{{"url", "/etc/passwd"}}, "the url is none of http:// or https://"},
        {{{"url", "file:///etc/passwd"}}, "the url is none of http:// or https://"},
        {{{"url", "http://[::1"}}, "the url is none of http:// or https://"},
        {{{"url", "http://x/"}, {"expect-status", "2xx"}}, "expect-status=2xx"},
        {{{"url", "http://x/"}, {"body", "x"}}, "the option body is sent with method=POST only"},
};

START_TEST(what_cannot_be_is_told_at_load) {
        struct fake_option options[4] = {};

        memcpy(options, wrong[_i].options, sizeof(wrong[_i].options));
        ck_assert_int_ne(fake_load(options), 0);
        assert_message(wrong[_i].message);
}
END_TEST

START_TEST(a_host_takes_the_options) {
        ck_assert_int_eq(fake_count_bad_options(), 0);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void) {
        Suite *suite = suite_create("http_check");
        TCase *c = tcase_create("checks");

        tcase_set_timeout(c, 30);
        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_loop_test(c, a_check_says_what_came_of_it, 0, COUNT(checks));
        tcase_add_test(c, the_value_has_the_parts_of_the_time);
        tcase_add_test(c, a_check_can_be_given_up_and_the_next_one_is_clean);
        tcase_add_test(c, nobody_listens);
        tcase_add_loop_test(c, headers_come_from_a_file, 0, COUNT(header_files));
        tcase_add_loop_test(c, what_cannot_be_is_told_at_load, 0, COUNT(wrong));
        tcase_add_test(c, a_host_takes_the_options);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
