// SPDX-License-Identifier: MIT
// start_floor N MICROSECONDS PROGRAM [ARGUMENT...]: starts the program N times, one after the other or so far apart, with a pipe for
// each of its outputs, reads both to their ends and reaps it: the least that a start costs whoever keeps what a program says. Prints
// the nanoseconds of CPU that this process took a start, those of its children not included.

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what) {
        perror(what);
        exit(1);
}

static int64_t cpu_ns(void) {
        struct timespec ts;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
        return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void start(char **argv) {
        int out[2], err[2], status;
        char buffer[4096];
        if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
                die("pipe2");
        pid_t pid = vfork();
        if (pid < 0)
                die("vfork");
        if (pid == 0) {
                dup2(out[1], STDOUT_FILENO);
                dup2(err[1], STDERR_FILENO);
                execve(argv[0], argv, environ);
                _exit(127);
        }
        close(out[1]);
        close(err[1]);
        while (read(out[0], buffer, sizeof(buffer)) > 0)
                ;
        while (read(err[0], buffer, sizeof(buffer)) > 0)
                ;
        close(out[0]);
        close(err[0]);
        if (waitpid(pid, &status, 0) != pid || status != 0)
                die(argv[0]);
}

static void start_all(long n, long apart_us, char **argv) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        for (long i = 0; i < n; i++) {
                at.tv_nsec += apart_us * 1000;
                at.tv_sec += at.tv_nsec / 1000000000;
                at.tv_nsec %= 1000000000;
                if (apart_us > 0)
                        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
                start(argv);
        }
}

int main(int argc, char **argv) {
        long n = argc > 3 ? strtol(argv[1], NULL, 10) : 0, apart_us = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
        if (n < 1) {
                fputs("usage: start_floor N MICROSECONDS PROGRAM [ARGUMENT...]\n", stderr);
                return 2;
        }
        start_all(n / 10, apart_us, argv + 3); /* warm */
        int64_t began = cpu_ns();
        start_all(n, apart_us, argv + 3);
        printf("%lld\n", (long long)(cpu_ns() - began) / n);
        return 0;
}
