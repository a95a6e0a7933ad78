// SPDX-License-Identifier: MIT
// coprocess_floor N MILLISECONDS SECONDS PROGRAM [ARGUMENT...]: asks each of N programs a line every so many milliseconds, spread evenly, and
// reads a line from it, over pipes: the least that anybody can do who has coprocesses. Prints the microseconds of CPU of a question, of this
// process and of the programs.

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define N_MAX 1000

extern char **environ;

static struct program {
        clockid_t clock;
        int in, out;
} programs[N_MAX];

static void die(const char *what) {
        perror(what);
        exit(1);
}

static int64_t read_clock(clockid_t id) {
        struct timespec ts;
        if (clock_gettime(id, &ts) < 0)
                die("clock_gettime");
        return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void start(struct program *p, char **argv) {
        int in[2], out[2];
        if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
                die("pipe2");
        pid_t pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0) {
                dup2(in[0], STDIN_FILENO);
                dup2(out[1], STDOUT_FILENO);
                execve(argv[0], argv, environ);
                _exit(127);
        }
        close(in[0]);
        close(out[1]);
        *p = (struct program){.in = in[1], .out = out[0]};
        if (clock_getcpuclockid(pid, &p->clock) != 0)
                die("clock_getcpuclockid");
}

static void arm(int timer, int64_t at_ns) {
        struct itimerspec spec = {.it_value = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000}};
        if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL) < 0)
                die("timerfd_settime");
}

static void add(int epoll, int fd) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                die("epoll_ctl");
}

static int64_t cpu_ns(int n) {
        int64_t sum_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < n; i++)
                sum_ns += read_clock(programs[i].clock);
        return sum_ns;
}

/* Asks until an instant. Returns how many have answered. */
static long ask_until(int epoll, int timer, int n, int64_t apart_ns, int64_t until_ns) {
        static const char question[] =
                "{\"job\":\"t\",\"slot\":\"2026-01-01T00:00:00.000000Z\",\"slotUsec\":1767225600000000,\"cause\":"
                "\"schedule\",\"attempt\":1,\"missed\":0}\n";
        int64_t due_ns = read_clock(CLOCK_MONOTONIC) + apart_ns;
        long n_answers = 0;
        char buffer[4096];
        arm(timer, due_ns);
        for (int next = 0; due_ns < until_ns;) {
                struct epoll_event events[64];
                int n_events = epoll_wait(epoll, events, 64, -1);
                for (int i = 0; i < n_events; i++) {
                        if (read(events[i].data.fd, buffer, sizeof(buffer)) <= 0)
                                die("read");
                        n_answers += events[i].data.fd != timer;
                }
                while (due_ns <= read_clock(CLOCK_MONOTONIC)) {
                        if (write(programs[next].in, question, strlen(question)) < 0)
                                die("write");
                        next = (next + 1) % n;
                        due_ns += apart_ns;
                        arm(timer, due_ns);
                }
        }
        return n_answers;
}

int main(int argc, char **argv) {
        int n = argc > 4 ? (int)strtol(argv[1], NULL, 10) : 0;
        if (n < 1 || n > N_MAX) {
                fputs("usage: coprocess_floor N MILLISECONDS SECONDS PROGRAM [ARGUMENT...]\n", stderr);
                return 2;
        }
        int64_t apart_ns = strtol(argv[2], NULL, 10) * INT64_C(1000000) / n,
                span_ns = strtol(argv[3], NULL, 10) * INT64_C(1000000000);
        int epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        if (epoll < 0 || timer < 0)
                die("epoll");
        add(epoll, timer);
        for (int i = 0; i < n; i++) {
                start(&programs[i], argv + 4);
                add(epoll, programs[i].out);
        }
        (void)ask_until(epoll, timer, n, apart_ns, read_clock(CLOCK_MONOTONIC) + span_ns / 4);
        int64_t began_ns = cpu_ns(n);
        long n_answers = ask_until(epoll, timer, n, apart_ns, read_clock(CLOCK_MONOTONIC) + span_ns);
        printf("%.2f\n", (double)(cpu_ns(n) - began_ns) / (double)(n_answers > 0 ? n_answers : 1) / 1e3);
        return 0;
}
