/* netcall.c - requests to reconcile-net, answered in order. */
#include "agent/main/agent.h"
#include "lib/hash.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLY_BYTES_MAX 4096

static int open_net(struct agent *a, struct err *err);

static struct agent_net_call *pop_call(struct agent *a)
{
	struct agent_net_call *c = a->net_first;

	if (c) {
		a->net_first = c->next;
		if (!a->net_first)
			a->net_last = NULL;
	}
	return c;
}

/* Everything that waits gets an answer, so that nobody waits for ever. */
static void fail_all(struct agent *a)
{
	struct net_reply r = {.code = ERR_AGAIN};
	struct agent_net_call *c;

	(void)snprintf(r.text, sizeof(r.text), "reconcile-net ended");
	while ((c = pop_call(a))) {
		if (c->done)
			c->done(a, c->ctx, &r, -1);
		free(c);
	}
}

static void respawn(evutil_socket_t fd, short what, void *ctx)
{
	struct agent *a = ctx;
	struct err err = {0};

	(void)fd;
	(void)what;
	if (open_net(a, &err) < 0)
		log_line(LOG_LEVEL_ERROR, "net.start", "reason=\"%s\"",
			 err.msg);
}

static void on_net(evutil_socket_t fd, short what, void *ctx)
{
	struct timeval tv = {.tv_sec = 1};
	struct agent *a = ctx;
	struct net_reply reply;
	struct agent_net_call *c;
	struct err err = {0};
	int r = msg_recv(a->net.sock, &a->net.in, 0, &err);
	int got = -1;

	(void)fd;
	(void)what;
	if (r == ERR_AGAIN)
		return;
	if (r < 0 || a->net.in.type != NET_REPLY ||
	    a->net.in.payload.len != sizeof(reply)) {
		log_line(LOG_LEVEL_ERROR, "net.end", "reason=\"%s\"", err.msg);
		a->net_ready = false;
		sibling_stop(&a->net);
		fail_all(a);
		if (!a->net_timer)
			a->net_timer = evtimer_new(a->base, respawn, a);
		(void)evtimer_add(a->net_timer, &tv);
		return;
	}
	memcpy(&reply, a->net.in.payload.data, sizeof(reply));
	reply.text[sizeof(reply.text) - 1] = '\0';
	if (a->net.in.n_fds > 0) {
		got = a->net.in.fds[0];
		a->net.in.fds[0] = -1;
	}
	c = pop_call(a);
	if (c && c->done)
		c->done(a, c->ctx, &reply, got);
	else if (got >= 0)
		(void)close(got);
	if (reply.code < 0)
		log_line(LOG_LEVEL_WARN, "net.reply", "reason=\"%s\"",
			 reply.text);
	free(c);
}

void netcall_send(struct agent *a, uint16_t type, void *frame, size_t len,
		  int fd,
		  void (*done)(struct agent *, void *, const struct net_reply *,
			       int),
		  void *ctx)
{
	struct agent_net_call *c = calloc(1, sizeof(*c));
	struct net_reply failed = {.code = ERR_AGAIN};
	struct err err = {0};
	uint32_t id = ++a->net_id;

	memcpy(frame, &id, sizeof(id)); /* id comes first in every frame */
	if (c && sibling_is_up(&a->net) &&
	    msg_send(a->net.sock, type, frame, len, &fd, fd >= 0 ? 1 : 0,
		     &err) == 0) {
		c->done = done;
		c->ctx = ctx;
		if (a->net_last)
			a->net_last->next = c;
		else
			a->net_first = c;
		a->net_last = c;
		return;
	}
	free(c);
	(void)snprintf(failed.text, sizeof(failed.text),
		       "reconcile-net: %.200s",
		       err.msg[0] ? err.msg : "not running");
	if (done)
		done(a, ctx, &failed, -1);
}

static void set_up(struct agent *a, void *ctx, const struct net_reply *reply,
		   int fd)
{
	(void)ctx;
	if (fd >= 0)
		(void)close(fd);
	a->net_ready = reply->code == 0;
	memset(a->services_hash, 0, sizeof(a->services_hash));
	agent_kick(a);
}

static void send_routes(struct agent *a)
{
	size_t n = a->conf.routes.n;
	struct net_routes *q;
	uint32_t used = 0;

	if (n > NET_ROUTES_MAX)
		n = NET_ROUTES_MAX;
	q = calloc(1, sizeof(*q) + n * sizeof(q->items[0]));
	if (!q)
		return;
	for (size_t i = 0; i < n; i++) {
		char cidr[32], via[32];
		struct net_route *r = &q->items[used];

		if (sscanf(a->conf.routes.items[i], "%31s via %31s", cidr,
			   via) == 2 &&
		    assign_cidr(cidr, &r->cidr, &r->prefix) &&
		    assign_ipv4(via, &r->via))
			used++;
		else
			log_line(LOG_LEVEL_ERROR, "conf.route",
				 "reason=\"want a.b.c.d/n via a.b.c.d\"");
	}
	q->n = used;
	if (used > 0)
		netcall_send(a, NET_ROUTES, q,
			     sizeof(*q) + used * sizeof(q->items[0]), -1, NULL,
			     NULL);
	free(q);
}

static int open_net(struct agent *a, struct err *err)
{
	static const char *const args[] = {NULL};
	struct net_setup s = {
		.gateway = a->gateway,
		.cidr = a->pod_cidr,
		.prefix = a->pod_prefix,
		.service_cidr = a->host.service_cidr,
		.service_prefix = a->host.service_prefix,
	};
	int r = sibling_start(a, &a->net, "reconcile-net", args,
			      REPLY_BYTES_MAX, on_net, err);

	if (r < 0)
		return r;
	(void)snprintf(s.bridge, sizeof(s.bridge), "%.15s", a->conf.bridge);
	(void)snprintf(s.table, sizeof(s.table), "reconcile_%.50s",
		       a->conf.name);
	for (char *p = s.table; *p; p++)
		if (*p == '.' || *p == '-')
			*p = '_';
	netcall_send(a, NET_SETUP, &s, sizeof(s), -1, set_up, NULL);
	send_routes(a);
	return 0;
}

int netcall_open(struct agent *a, struct err *err)
{
	return open_net(a, err);
}

/* --- services ----------------------------------------------------------------
 */

static uint16_t target_port(const struct pod *p, const struct service_port *sp)
{
	const struct int_or_string *t = &sp->target_port;

	if (!t->is_string)
		return (uint16_t)(t->num > 0 ? t->num : sp->port);
	for (size_t i = p->n_init; i < p->n; i++) {
		const struct container *c = p->c[i].spec;

		for (size_t k = 0; k < c->n_ports; k++)
			if (c->ports[k].name &&
			    strcmp(c->ports[k].name, t->text) == 0)
				return (uint16_t)c->ports[k].port;
	}
	return 0;
}

static void add_port(struct agent *a, const struct object *svc, uint32_t vip,
		     const struct service_port *sp, struct net_services *q)
{
	struct net_backend b = {
		.vip = vip,
		.port = (uint16_t)sp->port,
		.protocol =
			strcmp(sp->protocol, "UDP") == 0 ? NET_UDP : NET_TCP,
	};
	bool any = false;

	for (size_t i = 0; i < a->n_pods; i++) {
		struct pod *p = a->pods[i];

		if (!p->has_ip || !pod_ready(p) ||
		    strcmp(p->namespace, svc->meta.namespace) != 0 ||
		    svc->service.selector.n == 0 ||
		    !manifest_labels_match(&svc->service.selector,
					   &p->tpl->meta.labels))
			continue;
		b.ip = p->ip;
		b.target_port = target_port(p, sp);
		if (b.target_port == 0 || q->n == NET_BACKENDS_MAX)
			continue;
		q->items[q->n++] = b;
		any = true;
	}
	b.ip = b.target_port = 0;
	if (!any && q->n < NET_BACKENDS_MAX)
		q->items[q->n++] = b;
}

static int by_key(const void *x, const void *y)
{
	const struct net_backend *a = x, *b = y;

	if (a->vip != b->vip)
		return a->vip < b->vip ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return a->ip < b->ip ? -1 : a->ip > b->ip;
}

static void collect(struct agent *a, struct net_services *q)
{
	for (size_t i = 0; i < a->now->n_services; i++) {
		const Channel__ServiceAssignment *s = a->now->services[i];
		const struct object *o;
		uint32_t vip;

		if (!assign_service_ok(a->now, i, &a->snap.want, &a->host) ||
		    !assign_ipv4(s->cluster_ip, &vip))
			continue;
		o = manifest_find(&a->snap.want.objects, MANIFEST_SERVICE,
				  s->namespace_, s->name);
		for (size_t k = 0; k < o->service.n_ports; k++)
			add_port(a, o, vip, &o->service.ports[k], q);
	}
	qsort(q->items, q->n, sizeof(q->items[0]), by_key);
}

void netcall_services(struct agent *a)
{
	struct net_services *q;
	uint8_t hash[HASH_BYTES];
	size_t len;

	if (!a->net_ready || !a->now || !a->snap.arena)
		return;
	q = calloc(1, sizeof(*q) + NET_BACKENDS_MAX * sizeof(q->items[0]));
	if (!q)
		return;
	collect(a, q);
	len = sizeof(*q) + q->n * sizeof(q->items[0]);
	hash_sha256(q, len, hash);
	if (memcmp(hash, a->services_hash, sizeof(hash)) != 0) {
		bool was_none = q->n == 0;

		for (size_t i = 0; i < sizeof(hash) && was_none; i++)
			was_none = a->services_hash[i] == 0;
		memcpy(a->services_hash, hash, sizeof(hash));
		if (!was_none)
			netcall_send(a, NET_SERVICES, q, len, -1, NULL, NULL);
	}
	free(q);
}
