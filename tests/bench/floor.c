// SPDX-License-Identifier: MIT
// floor FILE: the least that a scheduler could do, as the measure beside chimed: reads lines "MILLISECONDS PROGRAM ARGUMENT...",
// starts each program at the multiples of its interval since 1970 (0: never), forgets the result. No accounting, no output, no
// safety. Says "ready" on standard error. SIGTERM ends it.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 15
#define NEVER         INT64_MAX

struct entry {
        int64_t at_ns;
        uint32_t job;
};

struct job {
        uint32_t command; /* offset in the text */
        uint32_t every_ms;
};

struct floor {
        char *text;
        struct job *jobs;
        struct entry *heap; /* binary, the earliest first */
        uint32_t n;
        sigset_t old_mask;
};

static void die(const char *what) {
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        exit(1);
}

static int64_t now_ns(void) {
        struct timespec ts;
        clock_gettime(CLOCK_REALTIME, &ts);
        return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void sift_up(struct entry *heap, uint32_t i, struct entry e) {
        while (i > 0 && heap[(i - 1) / 2].at_ns > e.at_ns) {
                heap[i] = heap[(i - 1) / 2];
                i = (i - 1) / 2;
        }
        heap[i] = e;
}

static void sift_down(struct entry *heap, uint32_t n, struct entry e) {
        uint32_t i = 0, child;
        while ((child = i * 2 + 1) < n) {
                if (child + 1 < n && heap[child + 1].at_ns < heap[child].at_ns)
                        child++;
                if (heap[child].at_ns >= e.at_ns)
                        break;
                heap[i] = heap[child];
                i = child;
        }
        heap[i] = e;
}

static char *read_whole(const char *path) {
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                die(path);
        char *text = malloc((size_t)st.st_size + 1);
        if (!text)
                die("memory");
        size_t n = 0;
        while (n < (size_t)st.st_size) {
                ssize_t r = read(fd, text + n, (size_t)st.st_size - n);
                if (r <= 0)
                        die(path);
                n += (size_t)r;
        }
        close(fd);
        text[n] = '\0';
        return text;
}

static void load(struct floor *f, const char *path) {
        uint32_t n_lines = 0;
        f->text = read_whole(path);
        for (const char *p = f->text; (p = strchr(p, '\n')); p++)
                n_lines++;
        f->jobs = malloc((n_lines + 1) * sizeof(*f->jobs));
        f->heap = malloc((n_lines + 1) * sizeof(*f->heap));
        if (!f->jobs || !f->heap)
                die("memory");
        int64_t now = now_ns();
        for (char *line = f->text, *end; (end = strchr(line, '\n')); line = end + 1) {
                char *command;
                *end = '\0';
                uint32_t every_ms = (uint32_t)strtoul(line, &command, 10);
                int64_t every_ns = every_ms * INT64_C(1000000);
                f->jobs[f->n] = (struct job){.command = (uint32_t)(command + 1 - f->text), .every_ms = every_ms};
                sift_up(f->heap, f->n, (struct entry){every_ns ? (now / every_ns + 1) * every_ns : NEVER, f->n});
                f->n++;
        }
}

static void start(const struct floor *f, const struct job *job) {
        extern char **environ;
        char words[4096], *argv[ARGUMENTS_MAX + 1], *save = NULL;
        size_t n = 0;
        snprintf(words, sizeof(words), "%s", f->text + job->command);
        for (char *w = strtok_r(words, " ", &save); w && n < ARGUMENTS_MAX; w = strtok_r(NULL, " ", &save))
                argv[n++] = w;
        argv[n] = NULL;
        pid_t pid = n > 0 ? vfork() : -1;
        if (pid == 0) {
                sigprocmask(SIG_SETMASK, &f->old_mask, NULL);
                execve(argv[0], argv, environ);
                _exit(127);
        }
}

static void start_due(struct floor *f) {
        int64_t now = now_ns();
        while (f->n > 0 && f->heap[0].at_ns <= now) {
                struct entry e = f->heap[0];
                e.at_ns += f->jobs[e.job].every_ms * INT64_C(1000000);
                sift_down(f->heap, f->n, e);
                start(f, &f->jobs[e.job]);
        }
}

/* Reaps what has ended; true if it is time to leave. */
static bool take_signals(int fd) {
        struct signalfd_siginfo si;
        bool is_end = false;
        while (read(fd, &si, sizeof(si)) == sizeof(si))
                is_end = is_end || si.ssi_signo == SIGTERM;
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        return is_end;
}

static void watch(int epoll, int fd) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                die("epoll");
}

int main(int argc, char **argv) {
        struct floor f = {0};
        sigset_t mask;
        if (argc != 2) {
                fputs("usage: floor FILE\n", stderr);
                return 2;
        }
        load(&f, argv[1]);
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        sigaddset(&mask, SIGTERM);
        sigprocmask(SIG_BLOCK, &mask, &f.old_mask);
        int epoll = epoll_create1(EPOLL_CLOEXEC), signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
        int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        if (epoll < 0 || signals < 0 || timer < 0)
                die("descriptors");
        watch(epoll, signals);
        watch(epoll, timer);
        fputs("ready\n", stderr);
        for (;;) {
                struct epoll_event event;
                uint64_t ticks;
                start_due(&f);
                if (f.n > 0 && f.heap[0].at_ns != NEVER) {
                        struct itimerspec at = {.it_value = {f.heap[0].at_ns / 1000000000, f.heap[0].at_ns % 1000000000}};
                        timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
                }
                if (epoll_wait(epoll, &event, 1, -1) < 1)
                        continue;
                if (event.data.fd == signals && take_signals(signals))
                        return 0;
                if (event.data.fd == timer && read(timer, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
                        die("timer");
        }
}
