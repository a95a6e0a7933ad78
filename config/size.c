// SPDX-License-Identifier: MIT
// size: a number of bytes as people write it.

#include "config/size.h"

#include <errno.h>
#include <string.h>

int size_parse(const char *text, uint64_t max, uint64_t *ret) {
        static const char units[] = "KMGTPE";
        size_t n_digits = strspn(text, "0123456789");
        const char *unit = text[n_digits] ? strchr(units, text[n_digits]) : NULL;
        unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
        uint64_t bytes = 0;

        if (n_digits == 0 || text[n_digits + (unit != NULL)])
                return -EINVAL;
        if (max > INT64_MAX)
                max = INT64_MAX;
        for (size_t i = 0; i < n_digits && bytes <= max; i++)
                bytes = bytes > max / 10 ? max + 1 : bytes * 10 + (uint64_t)(text[i] - '0');
        if (bytes > max >> shift)
                return -ERANGE;
        *ret = bytes << shift;
        return 0;
}
