/* pace.c - how far a sender may be ahead of a host.  See pace.h. */
#include "channel/pace.h"

#include "channel/client.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct kept {
	struct kept *next;
	size_t len;
	uint16_t type;
	unsigned char bytes[];
};

struct host {
	struct host *next;
	uint64_t sent, taken; /* bytes of payload in this session */
	size_t kept;
	struct kept *first, **last;
	char name[];
};

struct pace {
	struct host *hosts;
};

struct pace *pace_new(void)
{
	return calloc(1, sizeof(struct pace));
}

static struct host **find(struct pace *p, const char *name)
{
	struct host **at = &p->hosts;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static struct kept *take_first(struct host *h)
{
	struct kept *k = h->first;

	h->first = k->next;
	if (!h->first)
		h->last = &h->first;
	h->kept -= k->len;
	return k;
}

static void forget(struct host *h)
{
	while (h->first)
		free(take_first(h));
	free(h);
}

void pace_free(struct pace *p)
{
	struct host *h;

	if (!p)
		return;
	while ((h = p->hosts)) {
		p->hosts = h->next;
		forget(h);
	}
	free(p);
}

void pace_down(struct pace *p, const char *host)
{
	struct host **at = find(p, host);
	struct host *h = *at;

	if (!h)
		return;
	*at = h->next;
	forget(h);
}

int pace_up(struct pace *p, const char *host, struct err *err)
{
	size_t len = strlen(host) + 1;
	struct host *h;

	pace_down(p, host);
	h = calloc(1, sizeof(*h) + len);
	if (!h)
		return err_set(err, ERR_NOMEM, "host %s", host);
	memcpy(h->name, host, len);
	h->last = &h->first;
	h->next = p->hosts;
	p->hosts = h;
	return 0;
}

static bool may_go(const struct host *h, size_t len)
{
	uint64_t ahead = h->sent - h->taken;

	return ahead <= PACE_FREE_BYTES ||
	       ahead + len <= CHANNEL_CLIENT_AHEAD_MAX;
}

static int keep(struct host *h, uint16_t type, const void *payload, size_t len,
		struct err *err)
{
	struct kept *k;

	if (h->kept + len > CHANNEL_CLIENT_KEPT_MAX)
		return err_set(err, ERR_LIMIT,
			       "host %s: more than %u bytes wait for it",
			       h->name, CHANNEL_CLIENT_KEPT_MAX);
	k = malloc(sizeof(*k) + len);
	if (!k)
		return err_set(err, ERR_NOMEM, "frame of %zu bytes", len);
	k->next = NULL;
	k->type = type;
	k->len = len;
	if (len)
		memcpy(k->bytes, payload, len);
	*h->last = k;
	h->last = &k->next;
	h->kept += len;
	return 0;
}

int pace_send(struct pace *p, const char *host, uint16_t type,
	      const void *payload, size_t len, pace_out *out, void *ctx,
	      struct err *err)
{
	struct host *h = *find(p, host);

	if (!h)
		return 0;
	if (h->first || !may_go(h, len))
		return keep(h, type, payload, len, err);
	h->sent += len;
	return out(ctx, host, type, payload, len, err);
}

int pace_room(struct pace *p, const char *host, uint64_t taken, pace_out *out,
	      void *ctx, struct err *err)
{
	struct host *h = *find(p, host);
	int r = 0;

	if (!h || taken > h->sent)
		return 0;
	h->taken = taken;
	while (r == 0 && h->first && may_go(h, h->first->len)) {
		struct kept *k = take_first(h);

		h->sent += k->len;
		r = out(ctx, host, k->type, k->bytes, k->len, err);
		free(k);
	}
	return r;
}
