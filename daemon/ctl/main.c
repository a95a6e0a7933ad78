// SPDX-License-Identifier: MIT
// chimectl, the program.

#include "daemon/ctl/ctl.h"

int main(int argc, char **argv) {
        return ctl_run(argc, argv);
}
