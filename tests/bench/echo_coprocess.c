// SPDX-License-Identifier: MIT
// echo_coprocess: the least that a coprocess can do: a line for each line.

#include <unistd.h>

int main(void) {
        char line[65536];
        ssize_t n;
        while ((n = read(STDIN_FILENO, line, sizeof(line))) > 0)
                if (line[n - 1] == '\n' && write(STDOUT_FILENO, "ok\n", 3) != 3)
                        return 1;
        return 0;
}
