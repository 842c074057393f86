/* address.c - see address.h; IPv4 only (IPv6 Services are a manifest error). */
#include "reconciler/core/address.h"

#include "lib/hash.h"
#include "lib/num.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct pool {
	uint32_t base; /* host byte order */
	uint32_t size; /* addresses, network address included */
};

static int pool_parse(const char *cidr, struct pool *out, struct err *err)
{
	const char *slash = strchr(cidr, '/');
	char text[INET_ADDRSTRLEN];
	struct in_addr a;
	uint64_t bits = 0;

	if (slash == NULL || (size_t)(slash - cidr) >= sizeof(text) ||
	    !num_parse_u64(slash + 1, strlen(slash + 1), 30, &bits) || bits < 8)
		return err_set(err, ERR_INPUT,
			       "want an IPv4 pool a.b.c.d/8..30, have \"%s\"",
			       cidr);
	memcpy(text, cidr, (size_t)(slash - cidr));
	text[slash - cidr] = '\0';
	if (inet_pton(AF_INET, text, &a) != 1)
		return err_set(err, ERR_INPUT, "not an IPv4 address: \"%s\"",
			       text);
	out->size = (uint32_t)1 << (32 - bits);
	out->base = ntohl(a.s_addr) & ~(out->size - 1);
	return 0;
}

static const char *dotted(struct arena *arena, uint32_t address)
{
	return arena_printf(arena, "%u.%u.%u.%u", address >> 24,
			    (address >> 16) & 255, (address >> 8) & 255,
			    address & 255);
}

int address_host_block(const char *cidr, int64_t index, struct arena *arena,
		       const char **out, struct err *err)
{
	struct pool pool;
	int r = pool_parse(cidr, &pool, err);

	if (r < 0)
		return err_wrap(err, "pod.cidr");
	if (index < 0 || (uint64_t)(index + 1) * 256 > pool.size)
		return err_set(err, ERR_LIMIT,
			       "pod.cidr %s has no /24 left for another host: "
			       "widen it",
			       cidr);
	*out = arena_printf(arena, "%s/24",
			    dotted(arena, pool.base + (uint32_t)index * 256));
	return 0;
}

struct taken { /* addresses in use: one bit each */
	unsigned char *bits;
	struct pool pool;
};

static bool taken_test_set(struct taken *t, uint32_t offset)
{
	unsigned char mask = (unsigned char)(1u << (offset & 7));
	bool was = (t->bits[offset / 8] & mask) != 0;

	t->bits[offset / 8] = (unsigned char)(t->bits[offset / 8] | mask);
	return was;
}

static bool pool_offset(const struct pool *pool, const char *ip, uint32_t *out)
{
	struct in_addr a;
	uint32_t v;

	if (inet_pton(AF_INET, ip, &a) != 1)
		return false;
	v = ntohl(a.s_addr);
	if (v <= pool->base || v - pool->base >= pool->size - 1)
		return false;
	*out = v - pool->base;
	return true;
}

static const char *address_before(const struct world *w, const struct object *o)
{
	for (size_t i = 0; i < w->n_services; i++)
		if (strcmp(w->services[i].name, o->meta.name) == 0 &&
		    strcmp(w->services[i].namespace, o->meta.namespace) == 0)
			return w->services[i].cluster_ip;
	return NULL;
}

static const char *address_new(struct taken *t, const struct object *o,
			       struct arena *arena)
{
	uint8_t digest[HASH_BYTES];
	char *id =
		arena_printf(arena, "%s/%s", o->meta.namespace, o->meta.name);
	uint32_t start;

	hash_sha256(id, strlen(id), digest);
	memcpy(&start, digest, sizeof(start));
	for (uint32_t i = 0; i < t->pool.size; i++) {
		uint32_t offset = (start % t->pool.size + i) % t->pool.size;

		if (offset == 0 || offset == t->pool.size - 1)
			continue;
		if (!taken_test_set(t, offset))
			return dotted(arena, t->pool.base + offset);
	}
	return NULL;
}

static bool wants_address(const struct object *o)
{
	return o->kind == MANIFEST_SERVICE &&
	       (o->service.cluster_ip == NULL ||
		strcmp(o->service.cluster_ip, "None") != 0);
}

/* Literal and old addresses first, so that new ones avoid them. */
static void claim(struct taken *t, const struct objects *set,
		  const struct world *old, struct diags *diags,
		  const char **ips)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct object *o = &set->items[i];
		const char *ip;
		uint32_t offset = 0;

		if (!wants_address(o))
			continue;
		ip = o->service.cluster_ip != NULL ? o->service.cluster_ip
						   : address_before(old, o);
		if (ip == NULL)
			continue;
		if (!pool_offset(&t->pool, ip, &offset)) {
			if (o->service.cluster_ip != NULL)
				diags_add(diags, "R301", DIAG_ERROR, o->pos,
					  "/spec/clusterIP",
					  "leave clusterIP out",
					  "clusterIP %s is outside "
					  "service.cidr",
					  ip);
			continue;
		}
		if (taken_test_set(t, offset)) {
			diags_add(diags, "R302", DIAG_ERROR, o->pos,
				  "/spec/clusterIP", "leave clusterIP out",
				  "clusterIP %s belongs to another Service",
				  ip);
			continue;
		}
		ips[i] = ip;
	}
}

int address_services(const struct objects *set, const struct world *old,
		     const char *cidr, struct arena *arena, struct diags *diags,
		     struct world_service **out, size_t *out_n, struct err *err)
{
	const char **ips = arena_calloc(arena, set->n, sizeof(*ips));
	struct taken t;
	size_t n = 0;
	int r = pool_parse(cidr, &t.pool, err);

	if (r < 0)
		return err_wrap(err, "service.cidr");
	t.bits = calloc(t.pool.size / 8 + 1, 1);
	if (t.bits == NULL)
		return err_set(err, ERR_NOMEM, "service addresses");
	claim(&t, set, old, diags, ips);
	*out = arena_calloc(arena, set->n, sizeof(**out));
	for (size_t i = 0; i < set->n; i++) {
		const struct object *o = &set->items[i];

		if (!wants_address(o))
			continue;
		if (ips[i] == NULL && o->service.cluster_ip == NULL)
			ips[i] = address_new(&t, o, arena);
		if (ips[i] != NULL)
			(*out)[n++] = (struct world_service){
				.namespace = o->meta.namespace,
				.name = o->meta.name,
				.cluster_ip = ips[i],
			};
	}
	free(t.bits);
	*out_n = n;
	return 0;
}
