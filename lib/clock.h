/* clock.h - time as an argument: production passes clock_real(). */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_unix_ms(void); /* CLOCK_REALTIME */
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME */
#define CLOCK_RFC3339_BYTES 32
/* "2026-11-22T08:11:00.123Z" */
const char *clock_rfc3339(int64_t unix_ms, char out[CLOCK_RFC3339_BYTES]);
/* RFC 3339 with 'Z' only; false if not. */
bool clock_parse_rfc3339(const char *text, int64_t *out_unix_ms);
/* A number above 0 and s, m, h or d: "90m"; at most 3650 days.  Seconds. */
bool clock_parse_span(const char *text, int64_t *out_s);

#endif
