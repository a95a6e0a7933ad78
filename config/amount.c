// SPDX-License-Identifier: MIT
// amount: how much of something a job may have.

#include "config/amount.h"

#include <errno.h>
#include <string.h>

#include "config/size.h"

#define DIGITS "0123456789"

int amount_parse_share(const char *text, uint64_t max, uint64_t *ret) {
        size_t n_digits = strspn(text, DIGITS), n_behind = 0;
        uint64_t parts = 0;

        if (n_digits == 0)
                return -EINVAL;
        if (text[n_digits] == '.' && (n_behind = strspn(text + n_digits + 1, DIGITS)) == 0)
                return -EINVAL;
        const char *behind = text + n_digits + (n_behind > 0 ? n_behind + 1 : 0);
        if (n_behind > 2 || strcmp(behind, "%") != 0)
                return -EINVAL;
        for (const char *at = text; at < behind; at++)
                if (*at != '.' && parts <= max)
                        parts = 10 * parts + (uint64_t)(*at - '0');
        for (size_t i = n_behind; i < 2 && parts <= max; i++)
                parts *= 10;
        if (parts == 0 || parts > max)
                return -ERANGE;
        *ret = parts;
        return 0;
}

int amount_parse(const char *text, bool is_size, struct amount *ret) {
        size_t size = strlen(text);
        struct amount amount = {.is_share = size > 0 && text[size - 1] == '%'};
        int r = 0;

        if (strcmp(text, "infinity") != 0) {
                if (amount.is_share)
                        r = amount_parse_share(text, AMOUNT_SHARE_ONE, &amount.n);
                else if (!is_size && text[strspn(text, DIGITS)])
                        r = -EINVAL;
                else
                        r = size_parse(text, INT64_MAX, &amount.n);
                if (r == 0 && amount.n == 0)
                        r = -ERANGE;
        }
        if (r == 0)
                *ret = amount;
        return r;
}

uint64_t amount_of(const struct amount *amount, uint64_t whole) {
        if (!amount->is_share || amount->n == 0)
                return amount->n;
        uint64_t part = whole / AMOUNT_SHARE_ONE * amount->n + whole % AMOUNT_SHARE_ONE * amount->n / AMOUNT_SHARE_ONE;
        return part > 0 ? part : 1;
}
