// SPDX-License-Identifier: MIT
// socket_cost N SOCKET CALL [STAMPS]: calls a server N times, each call ended by a NUL byte, and prints the median and the 99th percentile
// of a round trip in nanoseconds: up to the last reply of the call (one that does not say that it continues). With STAMPS it prints
// instead how long after the call the program that it starts wrote its stamp.
// socket_cost N --floor SIZE CALL [STAMPS PROGRAM ARGUMENT...]: the same beside a server that does the least: it reads up to a NUL, starts
// the program and waits for it, if there is one, and answers with SIZE bytes.

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define REPLY_MAX (1024 * 1024)

struct stamp {
        uint64_t realtime_ns;
        uint32_t id, pid;
};

static void die(const char *what) {
        fprintf(stderr, "socket_cost: %s: %s\n", what, strerror(errno));
        exit(1);
}

static int64_t now_ns(clockid_t clock) {
        struct timespec ts;
        clock_gettime(clock, &ts);
        return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void send_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);
                if (n < 0)
                        die("write");
                data += n;
                size -= (size_t)n;
        }
}

/* Reads whole messages into buf; how many bytes, 0 at the end. */
static size_t receive(int fd, char *buf) {
        size_t size = 0;
        while (size == 0 || buf[size - 1] != '\0') {
                ssize_t n = read(fd, buf + size, REPLY_MAX - size);
                if (n <= 0)
                        return 0;
                size += (size_t)n;
        }
        return size;
}

/* The last message of what was read ends the call, unless it says that more follow. */
static bool is_last(const char *buf, const char *end) {
        const char *last = buf;
        for (const char *p = buf; p < end; p += strlen(p) + 1)
                last = p;
        return !strstr(last, "\"continues\":true") && !strstr(last, "\"continues\": true");
}

static void call(int fd, const char *text, char *buf) {
        send_all(fd, text, strlen(text) + 1);
        size_t size;
        do {
                size = receive(fd, buf);
                if (size == 0)
                        die("the server closed the connection");
        } while (!is_last(buf, buf + size));
        if (strstr(buf, "\"error\":\"io.") || strstr(buf, "\"error\":\"org.")) {
                fprintf(stderr, "socket_cost: %s\n", buf);
                exit(1);
        }
}

static int connect_to(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
                die(path);
        strcpy(address.sun_path, path);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                die(path);
        return fd;
}

static void serve(int fd, size_t size, char **argv) {
        extern char **environ;
        static char buf[REPLY_MAX];
        while (receive(fd, buf) > 0) {
                pid_t pid = *argv ? vfork() : -1;
                if (pid == 0) {
                        execve(argv[0], argv, environ);
                        _exit(127);
                }
                if (pid > 0)
                        waitpid(pid, NULL, 0);
                memset(buf, ' ', size - 1);
                buf[size - 1] = '\0';
                send_all(fd, buf, size);
        }
        _exit(0);
}

static int connect_to_floor(size_t size, char **argv) {
        int pair[2];
        if (size < 1 || size > REPLY_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                die("floor");
        pid_t pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(pair[0]);
                serve(pair[1], size, argv);
        }
        close(pair[1]);
        return pair[0];
}

static int by_value(const void *a, const void *b) {
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

static void take_stamps(const char *path, int64_t *ns, size_t n) {
        FILE *f = fopen(path, "re");
        struct stamp stamp;
        if (!f)
                die(path);
        for (size_t i = 0; i < n; i++) {
                if (fread(&stamp, sizeof(stamp), 1, f) != 1) {
                        fprintf(stderr, "socket_cost: %s: %zu of %zu runs left a stamp\n", path, i, n);
                        exit(1);
                }
                ns[i] = (int64_t)stamp.realtime_ns - ns[i];
        }
        fclose(f);
}

int main(int argc, char **argv) {
        static char buf[REPLY_MAX];
        bool is_floor = argc > 4 && strcmp(argv[2], "--floor") == 0;
        char **rest = argv + (is_floor ? 4 : 3);
        if (argc < 4) {
                fputs("usage: socket_cost N SOCKET CALL [STAMPS]\n"
                      "       socket_cost N --floor SIZE CALL [STAMPS PROGRAM ARGUMENT...]\n",
                      stderr);
                return 2;
        }
        size_t n = strtoul(argv[1], NULL, 10), warm = n / 10 + 1;
        const char *text = rest[0], *stamps = rest[1];
        int fd = is_floor ? connect_to_floor(strtoul(argv[3], NULL, 10), stamps ? rest + 2 : rest + 1) : connect_to(argv[2]);
        int64_t *ns = calloc(n, sizeof(*ns));
        if (!ns || n == 0)
                die("memory");
        for (size_t i = 0; !stamps && i < warm; i++)
                call(fd, text, buf);
        clockid_t clock = stamps ? CLOCK_REALTIME : CLOCK_MONOTONIC;
        for (size_t i = 0; i < n; i++) {
                int64_t began_ns = now_ns(clock);
                call(fd, text, buf);
                ns[i] = stamps ? began_ns : now_ns(clock) - began_ns;
        }
        if (stamps)
                take_stamps(stamps, ns, n);
        qsort(ns, n, sizeof(*ns), by_value);
        printf("%lld %lld\n", (long long)ns[n / 2], (long long)ns[n - 1 - n / 100]);
        free(ns);
        return 0;
}
