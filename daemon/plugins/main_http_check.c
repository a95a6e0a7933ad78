// SPDX-License-Identifier: MIT
// http-check: a plugin that makes an HTTP request and says what came of it: status, size, and where the time went.
// libcurl works in the host's loop: it says which sockets and which instant it waits for. Each check looks the name up and connects
// anew, as a visitor would. Everything from the server is bounded: redirects, size, time.

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/plugin.h"
#include "daemon/plugins/http.h"

#define HEADERS_MAX    (16 * 1024)
#define REDIRECTS_MAX  20
#define MILLISECOND_US 1000

enum { METHOD_GET, METHOD_HEAD, METHOD_POST };
static const char *const methods[] = {[METHOD_GET] = "GET", [METHOD_HEAD] = "HEAD", [METHOD_POST] = "POST", NULL};

static const struct chimed_option options[] = {
        {.name = "url",
         .type = CHIMED_STRING,
         .is_required = 1,
         .min = 1,
         .max = 4096,
         .help = "What is asked for: http:// or https://."},
        {.name = "method", .type = CHIMED_CHOICE, .choices = methods, .default_value = "GET", .help = "GET, HEAD or POST."},
        {.name = "body", .type = CHIMED_STRING, .max = 4096, .help = "What is sent with POST."},
        {.name = "header-file",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 1,
         .help = "A file of lines Name: value that are sent along, read for each check."},
        {.name = "expect-status",
         .type = CHIMED_STRING,
         .max = 255,
         .default_value = "200-299",
         .help = "The statuses that are right, as 200-299 404."},
        {.name = "expect-text",
         .type = CHIMED_STRING,
         .min = 1,
         .max = HTTP_FIND_MAX,
         .help = "A text that the answer must hold."},
        {.name = "timeout",
         .type = CHIMED_DURATION,
         .min = MILLISECOND_US,
         .max = INT64_C(3600) * 1000000,
         .default_value = "10s",
         .help = "How long all of it may take."},
        {.name = "max-size",
         .type = CHIMED_SIZE,
         .min = 1,
         .max = INT64_C(1) << 40,
         .default_value = "1M",
         .help = "How long an answer may be."},
        {.name = "max-redirects",
         .type = CHIMED_INTEGER,
         .max = REDIRECTS_MAX,
         .default_value = "5",
         .help = "How many redirects are followed; 0: a redirect is the answer."},
        {.name = "verify", .type = CHIMED_BOOL, .default_value = "yes", .help = "Check the server's certificate and name."},
        {.name = "ca",
         .type = CHIMED_STRING,
         .min = 1,
         .max = PATH_MAX - 1,
         .help = "A file of certificates to check by, in place of the system's."},
};

struct http_check {
        struct chimed_job *job;
        CURLM *multi;
        CURL *easy;
        struct chimed_timer *timer;
        struct curl_slist *headers; /* of the check under way */
        char *shown;                /* the URL without what may be secret */
        const char *header_file, *expect_text;
        struct http_statuses statuses;
        const char *expect_status;
        int64_t size_max;
        uint64_t run; /* of the check under way; 0: none */
        int64_t size;
        struct http_find find;
        char error[CURL_ERROR_SIZE];
};

/* ---- libcurl in the host's loop ---- */

static void finish(struct http_check *h, CURLcode code);

/* Takes what libcurl is done with; it has one request. */
static void take_done(struct http_check *h) {
        const CURLMsg *message;
        int n_left;

        while ((message = curl_multi_info_read(h->multi, &n_left)))
                if (message->msg == CURLMSG_DONE)
                        finish(h, message->data.result);
}

static void on_socket_ready(struct chimed_job *job, int fd, uint32_t events, void *userdata) {
        struct http_check *h = userdata;
        int n_running;

        (void)job;
        (void)curl_multi_socket_action(h->multi, fd,
                                       (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                                               (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0),
                                       &n_running);
        take_done(h);
}

static void on_time(struct chimed_job *job, void *userdata) {
        struct http_check *h = userdata;
        int n_running;

        (void)job;
        (void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &n_running);
        take_done(h);
}

/* libcurl says which events of a socket it waits for. -1: the request fails. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *of_socket) {
        struct http_check *h = userdata;
        struct chimed_watch *watch = of_socket;
        uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

        (void)easy;
        if (what == CURL_POLL_REMOVE) {
                chimed_watch_free(watch);
                return 0;
        }
        if (watch)
                return chimed_watch_set(watch, events) < 0 ? -1 : 0;
        if (chimed_watch_add(h->job, fd, events, on_socket_ready, h, &watch) < 0)
                return -1;
        curl_multi_assign(h->multi, fd, watch);
        return 0;
}

static int on_timer(CURLM *multi, long in_ms, void *userdata) {
        struct http_check *h = userdata;

        (void)multi;
        return chimed_timer_set(h->timer, in_ms < 0 ? CHIMED_NEVER : chimed_now() + (int64_t)in_ms * MILLISECOND_US) < 0 ? -1
                                                                                                                         : 0;
}

static size_t on_body(char *piece, size_t one, size_t size, void *userdata) {
        struct http_check *h = userdata;

        (void)one;
        h->size += (int64_t)size;
        if (h->size > h->size_max)
                return 0; /* that is an error */
        if (h->expect_text)
                http_find(&h->find, piece, size);
        return size;
}

/* ---- what came of it ---- */

static int64_t time_of(const struct http_check *h, CURLINFO info) {
        curl_off_t us = 0;

        (void)curl_easy_getinfo(h->easy, info, &us);
        return us;
}

static int64_t between(int64_t from_us, int64_t to_us) {
        return to_us > from_us ? to_us - from_us : 0;
}

static void set_value(struct http_check *h, long status) {
        int64_t dns_us = time_of(h, CURLINFO_NAMELOOKUP_TIME_T), connect_us = time_of(h, CURLINFO_CONNECT_TIME_T);
        int64_t tls_us = time_of(h, CURLINFO_APPCONNECT_TIME_T), first_us = time_of(h, CURLINFO_STARTTRANSFER_TIME_T);
        int64_t total_us = time_of(h, CURLINFO_TOTAL_TIME_T);
        long n_redirects = 0;

        (void)curl_easy_getinfo(h->easy, CURLINFO_REDIRECT_COUNT, &n_redirects);
        (void)chimed_value_printf(
                h->job, h->run,
                "{\"status\":%ld,\"total_usec\":%lld,\"dns_usec\":%lld,\"connect_usec\":%lld,\"tls_usec\":%lld,"
                "\"wait_usec\":%lld,\"transfer_usec\":%lld,\"size\":%lld,\"redirects\":%ld}",
                status, (long long)total_us, (long long)dns_us, (long long)between(dns_us, connect_us),
                (long long)between(connect_us, tls_us), (long long)between(tls_us > connect_us ? tls_us : connect_us, first_us),
                (long long)between(first_us, total_us), (long long)h->size, n_redirects);
}

static enum chimed_result judge(struct http_check *h, CURLcode code) {
        long status = 0;

        (void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
        if (h->size > h->size_max)
                return chimed_fail(h->job, h->run, "%s: the answer is longer than %lld bytes", h->shown,
                                   (long long)h->size_max);
        if (code != CURLE_OK) {
                text_tame(h->error); /* it may have words of the server */
                return chimed_fail(h->job, h->run, "%s: %s%s%s", h->shown, curl_easy_strerror(code), *h->error ? ": " : "",
                                   h->error);
        }
        if (!http_has_status(&h->statuses, status))
                return chimed_fail(h->job, h->run, "%s: status %ld in place of %s", h->shown, status, h->expect_status);
        if (h->expect_text && !h->find.is_found)
                return chimed_fail(h->job, h->run, "%s: status %ld, but the text is not in the answer of %lld bytes", h->shown,
                                   status, (long long)h->size);
        set_value(h, status);
        return CHIMED_SUCCESS;
}

/* The request is over or given up: nothing of it is left in libcurl. */
static uint64_t drop(struct http_check *h) {
        uint64_t run = h->run;

        h->run = 0;
        (void)curl_multi_remove_handle(h->multi, h->easy);
        (void)curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
        curl_slist_free_all(h->headers);
        h->headers = NULL;
        return run;
}

static void finish(struct http_check *h, CURLcode code) {
        if (h->run == 0)
                return;
        enum chimed_result result = judge(h, code);
        chimed_answer(h->job, drop(h), result);
}

/* ---- a tick ---- */

/* Reads the file of headers. NULL, or what is wrong with it. */
static const char *read_headers(struct http_check *h) {
        char buffer[HEADERS_MAX + 1], *from = buffer;
        bool is_bad = false;
        int fd = open(h->header_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd < 0)
                return strerror(errno);
        ssize_t n = read(fd, buffer, sizeof(buffer));
        int error = errno;
        close(fd);
        if (n < 0)
                return strerror(error);
        if (n > HEADERS_MAX || memchr(buffer, '\0', (size_t)n))
                return "it is no file of headers, or longer than 16 KiB";
        buffer[n] = '\0';
        for (const char *line; (line = http_next_header(&from, &is_bad));) {
                struct curl_slist *longer = is_bad ? NULL : curl_slist_append(h->headers, line);
                if (!longer)
                        return is_bad ? "a line of it is not Name: value" : "no memory";
                h->headers = longer;
        }
        return NULL;
}

static int http_check_tick(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        struct http_check *h = data;
        const char *wrong = h->header_file ? read_headers(h) : NULL;

        h->size = 0;
        h->error[0] = '\0';
        h->find = (struct http_find){.text = h->expect_text};
        h->run = tick->run;
        if (wrong) {
                drop(h);
                return chimed_fail(job, tick->run, "%s: %s", h->header_file, wrong);
        }
        (void)curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
        CURLMcode code = curl_multi_add_handle(h->multi, h->easy);
        if (code != CURLM_OK) {
                drop(h);
                return chimed_fail(job, tick->run, "%s", curl_multi_strerror(code));
        }
        return CHIMED_LATER; /* the timer that libcurl has set begins it */
}

static void http_check_cancel(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        struct http_check *h = data;

        if (h->run != tick->run)
                return;
        chimed_fail(job, tick->run, "%s: given up", h->shown);
        chimed_answer(job, drop(h), CHIMED_FAILED);
}

/* ---- load and unload ---- */

static void http_check_unload(struct chimed_job *job, void *data) {
        struct http_check *h = data;

        (void)job;
        if (h->multi && h->easy)
                drop(h);
        curl_easy_cleanup(h->easy);
        curl_multi_cleanup(h->multi);
        chimed_timer_free(h->timer);
        curl_free(h->shown);
        free(h);
        curl_global_cleanup();
}

/* The URL without user, password and query, for messages; says where it is none of http. */
static int check_url(struct http_check *h, const char *url) {
        char *scheme = NULL;
        CURLU *u = curl_url();
        CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, url, 0) : CURLUE_OUT_OF_MEMORY;

        if (code == CURLUE_OK)
                code = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
        int r = code == CURLUE_OK && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) ? 0 : -EINVAL;
        static const CURLUPart secrets[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY,
                                            CURLUPART_FRAGMENT};
        for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
                (void)curl_url_set(u, secrets[i], NULL, 0);
        if (r < 0)
                chimed_fail(h->job, 0, "the url is none of http:// or https://%s%s", code ? ": " : "",
                            code ? curl_url_strerror(code) : "");
        else if (curl_url_get(u, CURLUPART_URL, &h->shown, 0) != CURLUE_OK)
                r = chimed_fail(h->job, 0, "no memory");
        curl_free(scheme);
        curl_url_cleanup(u);
        return r;
}

static int set_options(struct http_check *h, struct chimed_job *job) {
        const char *ca = chimed_option_string(job, "ca"), *body = chimed_option_string(job, "body");
        int method = chimed_option_choice(job, "method"), verify = chimed_option_bool(job, "verify");
        int64_t n_redirects = chimed_option_integer(job, "max-redirects");
        CURLcode code = CURLE_OK;

        if (body && method != METHOD_POST)
                return chimed_fail(job, 0, "the option body is sent with method=POST only");
#define SET(option, value) (code = code ? code : curl_easy_setopt(h->easy, option, value))
        SET(CURLOPT_URL, chimed_option_string(job, "url"));
        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_USERAGENT, "chimed-http-check");
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_QUICK_EXIT, 1L); /* a name server that is silent is not waited for */
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
        SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
        SET(CURLOPT_NOBODY, method == METHOD_HEAD ? 1L : 0L);
        if (method == METHOD_POST)
                SET(CURLOPT_COPYPOSTFIELDS, body ? body : "");
        SET(CURLOPT_FOLLOWLOCATION, n_redirects > 0 ? 1L : 0L);
        SET(CURLOPT_MAXREDIRS, (long)n_redirects);
        SET(CURLOPT_TIMEOUT_MS, (long)(chimed_option_integer(job, "timeout") / MILLISECOND_US));
        SET(CURLOPT_SSL_VERIFYPEER, verify == 1 ? 1L : 0L);
        SET(CURLOPT_SSL_VERIFYHOST, verify == 1 ? 2L : 0L);
        if (ca)
                SET(CURLOPT_CAINFO, ca);
        SET(CURLOPT_ERRORBUFFER, h->error);
        SET(CURLOPT_WRITEFUNCTION, on_body);
        SET(CURLOPT_WRITEDATA, h);
#undef SET
        return code == CURLE_OK ? 0 : chimed_fail(job, 0, "libcurl: %s", curl_easy_strerror(code));
}

static int begin(struct http_check *h, struct chimed_job *job) {
        h->multi = curl_multi_init();
        h->easy = curl_easy_init();
        if (!h->multi || !h->easy || chimed_timer_add(job, on_time, h, &h->timer) < 0)
                return chimed_fail(job, 0, "no memory");
        (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
        (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
        (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
        if (http_parse_statuses(h->expect_status, &h->statuses) < 0)
                return chimed_fail(job, 0, "expect-status=%s: wanted numbers and ranges of 100 to 599, as 200-299 404",
                                   h->expect_status);
        int r = check_url(h, chimed_option_string(job, "url"));
        return r ? r : set_options(h, job);
}

static int http_check_load(struct chimed_job *job, void **ret_data) {
        struct http_check *h = calloc(1, sizeof(*h));

        if (!h)
                return chimed_fail(job, 0, "no memory");
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                free(h);
                return chimed_fail(job, 0, "libcurl does not start");
        }
        h->job = job;
        h->header_file = chimed_option_string(job, "header-file");
        h->expect_text = chimed_option_string(job, "expect-text");
        h->expect_status = chimed_option_string(job, "expect-status");
        h->size_max = chimed_option_integer(job, "max-size");
        int r = begin(h, job);
        if (r != 0) {
                http_check_unload(job, h);
                return r;
        }
        *ret_data = h;
        return 0;
}

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .n_options = sizeof(options) / sizeof(*options),
        .name = "http-check",
        .description = "Makes an HTTP request and says what came of it.",
        .options = options,
        .load = http_check_load,
        .tick = http_check_tick,
        .cancel = http_check_cancel,
        .unload = http_check_unload,
};
