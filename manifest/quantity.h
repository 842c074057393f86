/*
 * quantity.h - Kubernetes quantities (manifests.md 6.10), 128-bit checked.
 */
#ifndef MANIFEST_QUANTITY_H
#define MANIFEST_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

enum quantity_result { QUANTITY_OK, QUANTITY_BAD, QUANTITY_RANGE };

/* value of text times 10^decimals (3: milli-CPU, 0: bytes), rounded up.
 * RANGE: negative or over INT64_MAX.  *out_fraction: text was no whole number
 * of units and has been rounded; NULL allowed. */
enum quantity_result quantity_parse(const char *text, int decimals,
				    int64_t *out, bool *out_fraction);

#endif
