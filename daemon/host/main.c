// SPDX-License-Identifier: MIT
// chimed-host, the program that does the work of jobs with Plugin= and Coprocess=: its arguments.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/host/api.h"
#include "daemon/host/describe.h"
#include "daemon/host/host.h"

static const char help[] = "Usage: chimed-host NAME\n"
                           "       chimed-host --describe=FILE\n"
                           "Do the work of jobs with Plugin= or Coprocess=. chimed-runner starts this by itself.\n"
                           "\n"
                           "  --describe=FILE  check a plugin and print its options\n"
                           "  --help, --version\n"
                           "\n"
                           "See chimed-host(8).\n";

/* Ends without what libraries of plugins would do at exit: they have had their unload(). */
__attribute__((noreturn)) static void leave(int status) {
        fflush(NULL);
        _exit(status);
}

static int serve(void) {
        struct host *host;
        int r = host_new(&host);

        if (r < 0) {
                fprintf(stderr, "<3>chimed-host: %s; only chimed-runner can start it\n", strerror(-r));
                return EXIT_FAILURE;
        }
        r = host_run(host);
        if (r < 0)
                fprintf(stderr, "<3>chimed-host: %s\n", strerror(-r));
        host_free(host);
        leave(r < 0 ? EXIT_FAILURE : r);
}

int main(int argc, char **argv) {
        enum { DESCRIBE = 256, HELP, VERSION };
        static const struct option options[] = {
                {"describe", required_argument, NULL, DESCRIBE},
                {"help", no_argument, NULL, HELP},
                {"version", no_argument, NULL, VERSION},
                {0},
        };

        api_link();
        for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                if (c == DESCRIBE)
                        leave(describe_main(optarg));
                if (c == HELP || c == VERSION)
                        return (c == HELP ? fputs(help, stdout) : puts("chimed-host " CHIMED_VERSION)) < 0;
                break;
        }
        if (optind == argc - 1)
                return serve();
        fputs("Try 'chimed-host --help'.\n", stderr);
        return 2;
}
