// SPDX-License-Identifier: MIT
// ctl: chimectl as a whole.

#include "daemon/ctl/ctl.h"

int ctl_run(int argc, char **argv) {
        (void)argc;
        (void)argv;
        return 1;
}
