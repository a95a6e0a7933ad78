// SPDX-License-Identifier: MIT
// Fuzzes spans: what is read is in range, and its print reads back as the same.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1), buf[96];
        int64_t us, back;
        const char *why = NULL;

        memcpy(text, data, size);
        text[size] = 0;
        if (duration_parse(text, &us, &why) == 0) {
                if (us < 0 || (us > DURATION_MAX && us != DURATION_INFINITY))
                        abort();
                if (duration_parse(duration_print(us, buf), &back, &why) < 0 || back != us)
                        abort();
        } else if (!why)
                abort();
        free(text);
        return 0;
}
