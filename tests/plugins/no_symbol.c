// SPDX-License-Identifier: MIT
// A shared object that is no plugin.

int some_function(void);

int some_function(void) {
        return 1;
}
