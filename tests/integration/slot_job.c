// SPDX-License-Identifier: MIT
// slot_job FILE [MILLISECONDS [ENDED]]: a job that appends its slot and run to FILE in one write, then lives on for a while; the last
// thing that it does is the same to ENDED.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int append(const char *path, const char *slot, const char *run) {
        char line[256];
        int n = snprintf(line, sizeof(line), "%s %s\n", slot, run);
        int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, line, (size_t)n) != n) {
                fprintf(stderr, "slot_job: %s: %s\n", path, strerror(errno));
                return -1;
        }
        return close(fd);
}

int main(int argc, char **argv) {
        const char *slot = getenv("CHIMED_SLOT_USEC"), *run = getenv("CHIMED_RUN_ID");
        if (argc < 2 || !slot || !run) {
                fputs("usage: slot_job FILE [MILLISECONDS [ENDED]], as a job of chimed\n", stderr);
                return 2;
        }
        if (append(argv[1], slot, run) < 0)
                return 1;
        long ms = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
        struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
        nanosleep(&wait, NULL);
        return argc > 3 && append(argv[3], slot, run) < 0;
}
