/*
 * rate.h - how often an address may connect: token buckets in a table of fixed
 * size, so that a million addresses cost no more memory than one.  Addresses
 * that share a slot share its bucket; the slot is chosen with a random key.
 * IPv6 addresses count by their /64.  Pure but for the key.
 */
#ifndef CHANNEL_SERVER_RATE_H
#define CHANNEL_SERVER_RATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct rate;

/* per_second and burst are above zero; key from the kernel's generator. */
struct rate *rate_new(uint32_t per_second, uint32_t burst, uint64_t key);
void rate_free(struct rate *r); /* NULL allowed */
/* Takes one; false when there is none left.  now_ms is monotonic. */
bool rate_take(struct rate *r, const struct sockaddr *from, int64_t now_ms);

#endif
