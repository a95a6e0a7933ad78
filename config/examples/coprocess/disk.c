// SPDX-License-Identifier: MIT
// disk: a coprocess in C that yields how long a disk takes to keep 4 KiB: the last time and the longest so far, in microseconds.
// It fails a tick by an answer, and the job by its exit.
//
//     cc -O2 -o disk disk.c && ./disk /srv/probe

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* 0, or an errno. */
static int probe(int fd) {
        static const char block[4096];

        errno = ENOSPC; /* of a write that is short */
        return pwrite(fd, block, sizeof(block), 0) == (ssize_t)sizeof(block) && fdatasync(fd) == 0 ? 0 : errno;
}

int main(int argc, char **argv) {
        int fd = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
        long long longest_us = 0;
        char line[65536]; /* no line is longer */

        if (fd < 0) {
                fprintf(stderr, "disk: %s: %s\n", argc == 2 ? argv[1] : "FILE", strerror(argc == 2 ? errno : EINVAL));
                return 1;
        }
        while (fgets(line, sizeof(line), stdin)) {
                long long began_us = now_us();
                int error = probe(fd);
                long long took_us = now_us() - began_us;
                if (took_us > longest_us)
                        longest_us = took_us;
                if (error)
                        printf("{\"status\":\"failed\",\"message\":\"%s\"}\n", strerror(error));
                else
                        printf("{\"value\":{\"usec\":%lld,\"longest_usec\":%lld}}\n", took_us, longest_us);
                fflush(stdout); /* or nobody hears it */
        }
        return 0;
}
