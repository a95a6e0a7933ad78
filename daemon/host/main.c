// SPDX-License-Identifier: MIT
// chimed-host, the program that does the work of jobs with Plugin= and Coprocess=: its arguments.

#include <getopt.h>
#include <stdio.h>

static const char help[] = "Usage: chimed-host JOB\n"
                           "       chimed-host --describe=FILE\n"
                           "Do the work of jobs with Plugin= or Coprocess=. chimed-runner starts this by itself.\n"
                           "\n"
                           "  --describe=FILE  check a plugin and print its options\n"
                           "  --help, --version\n"
                           "\n"
                           "See chimed-host(8).\n";

int main(int argc, char **argv) {
        enum { DESCRIBE = 256, HELP, VERSION };
        static const struct option options[] = {
                {"describe", required_argument, NULL, DESCRIBE},
                {"help", no_argument, NULL, HELP},
                {"version", no_argument, NULL, VERSION},
                {0},
        };

        for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                if (c == HELP || c == VERSION)
                        return (c == HELP ? fputs(help, stdout) : puts("chimed-host " CHIMED_VERSION)) < 0;
        }
        fputs("Try 'chimed-host --help'.\n", stderr);
        return 2;
}
