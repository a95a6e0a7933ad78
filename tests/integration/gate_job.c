// SPDX-License-Identifier: MIT
// gate_job FILE STATUS: a job that waits until nobody holds a lock on FILE, and then ends with STATUS, or from 256 on by the signal
// STATUS - 256.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv) {
        int fd = argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
        int status = argc == 3 ? atoi(argv[2]) : 2;

        if (fd < 0 || flock(fd, LOCK_SH) < 0) {
                fputs("usage: gate_job FILE STATUS\n", stderr);
                return 2;
        }
        if (status >= 256) {
                signal(status - 256, SIG_DFL);
                raise(status - 256);
        }
        _exit(status);
}
