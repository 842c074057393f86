/* rate.c - token buckets by address.  See rate.h. */
#include "channel/server/rate.h"

#include "lib/err.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096 };

struct bucket {
	int64_t at_ms;
	uint64_t milli; /* thousandths of a token that are left */
	bool used;
};

struct rate {
	uint32_t per_second, burst;
	uint64_t key;
	struct bucket buckets[SLOTS];
};

struct rate *rate_new(uint32_t per_second, uint32_t burst, uint64_t key)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->per_second = per_second;
	r->burst = burst;
	r->key = key;
	return r;
}

void rate_free(struct rate *r)
{
	free(r);
}

/* FNV-1a over key and address; no secret hangs on it. */
static size_t slot_of(const struct rate *r, const struct sockaddr *from)
{
	const uint64_t prime = 0x100000001b3ULL;
	uint64_t h = 0xcbf29ce484222325ULL ^ r->key;
	unsigned char bytes[8] = {0};

	if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 a;

		memcpy(&a, from, sizeof(a));
		memcpy(bytes, &a.sin6_addr, sizeof(bytes));
	} else if (from->sa_family == AF_INET) {
		struct sockaddr_in a;

		memcpy(&a, from, sizeof(a));
		memcpy(bytes, &a.sin_addr, sizeof(a.sin_addr));
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		h = (h ^ bytes[i]) * prime;
	return (size_t)((h ^ h >> 32) % SLOTS);
}

bool rate_take(struct rate *r, const struct sockaddr *from, int64_t now_ms)
{
	struct bucket *b = &r->buckets[slot_of(r, from)];
	const uint64_t full = (uint64_t)r->burst * 1000;
	int64_t past = now_ms - b->at_ms;

	if (!b->used || past < 0 || past > 3600 * 1000) {
		b->used = true;
		b->milli = full;
	} else {
		b->milli += (uint64_t)past * r->per_second;
		if (b->milli > full)
			b->milli = full;
	}
	b->at_ms = now_ms;
	if (b->milli < 1000)
		return false;
	b->milli -= 1000;
	return true;
}
