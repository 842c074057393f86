/*
 * assign.c - see assign.h.  Runs in reconcile-agent.  The assignment is
 * hostile; the snapshot is what this host's own reconcile-verify accepted.
 */
#include "agent/assign.h"
#include "engine/monitor/monitor.h"
#include "lib/num.h"
#include "lib/text.h"
#include "policy/admission/admission.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UID_HEX 32
#define HASH_HEX_SHOWN 10
#define INDEX_MAX 1000000

bool assign_ipv4(const char *text, uint32_t *out)
{
	uint32_t ip = 0;

	for (int i = 0; i < 4; i++) {
		size_t n = strcspn(text, ".");
		uint64_t v;

		if (!num_parse_u64(text, n, 255, &v))
			return false;
		ip = ip << 8 | (uint32_t)v;
		text += n;
		if (i < 3 && *text++ != '.')
			return false;
	}
	if (*text != '\0')
		return false;
	*out = ip;
	return true;
}

bool assign_cidr(const char *text, uint32_t *out_net, uint32_t *out_prefix)
{
	const char *slash = strchr(text, '/');
	char addr[16];
	uint64_t prefix;
	uint32_t net;
	size_t n = slash ? (size_t)(slash - text) : 0;

	if (n == 0 || n >= sizeof(addr))
		return false;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (!assign_ipv4(addr, &net) ||
	    !num_parse_u64(slash + 1, strlen(slash + 1), 30, &prefix) ||
	    prefix < 8 || (net & (~0u >> prefix)) != 0)
		return false;
	*out_net = net;
	*out_prefix = (uint32_t)prefix;
	return true;
}

bool assign_accepts(const Channel__Assignment *a,
		    const struct assign_host *host, enum code_id *out_code)
{
	bool newer = a->epoch > host->epoch;
	bool ours = strcmp(a->host, host->name) == 0;

#ifdef GUARD_OFF_EPOCH
	newer = true;
#endif
#ifdef GUARD_OFF_WRONG_HOST
	ours = true;
#endif
	*out_code = newer ? CODE_WRONG_HOST : CODE_REPLAY;
	return newer && ours;
}

const char *assign_pod_name(struct arena *arena, const struct object *owner,
			    unsigned int index, const char *host)
{
	const struct pod_template *t = manifest_template(owner);

	switch (owner->kind) {
	case MANIFEST_DEPLOYMENT:
		return arena_printf(arena, "%s-%.*s-%u", owner->meta.name,
				    HASH_HEX_SHOWN, t->hash, index);
	case MANIFEST_DAEMONSET:
		return arena_printf(arena, "%s-%.*s-%s", owner->meta.name,
				    HASH_HEX_SHOWN, t->hash, host);
	case MANIFEST_JOB:
		return arena_printf(arena, "%s-%u", owner->meta.name, index);
	case MANIFEST_POD:
		return owner->meta.name;
	default:
		return "";
	}
}

/* Of an int or "NN%" (of n, rounded up). */
static uint64_t amount(const struct int_or_string *v, uint64_t n)
{
	uint64_t percent = 0;
	size_t len;

	if (!v->is_string)
		return v->num > 0 ? (uint64_t)v->num : 0;
	len = v->text ? strlen(v->text) : 0;
	if (len < 2 || v->text[len - 1] != '%' ||
	    !num_parse_u64(v->text, len - 1, 100000, &percent))
		return 0;
	return (n * percent + 99) / 100;
}

static unsigned int clamp(uint64_t n)
{
	return n < INDEX_MAX ? (unsigned int)n : INDEX_MAX;
}

unsigned int assign_pods_max(const struct object *owner)
{
	uint64_t n;

	switch (owner->kind) {
	case MANIFEST_DEPLOYMENT:
		n = (uint64_t)owner->deployment.replicas;
		if (strcmp(owner->deployment.strategy, "Recreate") != 0)
			n += amount(&owner->deployment.max_surge, n);
		return clamp(n);
	case MANIFEST_JOB:
		/* every completion may fail, and be tried again */
		return clamp((uint64_t)owner->job.completions +
			     (uint64_t)owner->job.backoff_limit +
			     (uint64_t)owner->job.parallelism);
	case MANIFEST_DAEMONSET:
	case MANIFEST_POD:
		return 1;
	default:
		return 0;
	}
}

static bool refuse(struct assign_verdict *v, enum code_id code, const char *fmt,
		   ...) __attribute__((format(printf, 3, 4)));
static bool refuse(struct assign_verdict *v, enum code_id code, const char *fmt,
		   ...)
{
	va_list ap;

	v->result = ASSIGN_REFUSE;
	v->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(v->why, sizeof(v->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool grammar_ok(struct assign_verdict *v)
{
	const Channel__PodAssignment *p = v->pod;

	if (!text_is_hex(p->uid, UID_HEX) ||
	    !text_is_dns_label(p->namespace_) ||
	    !text_is_dns_subdomain(p->name) ||
	    !text_is_hex(p->template_hash, 16) ||
	    !text_is_dns_subdomain(p->owner_name))
		return refuse(v, CODE_GRAMMAR,
			      "want uid of 32 hex, namespace and names as of "
			      "RFC 1123, template hash of 16 hex");
	return true;
}

static bool owner_ok(struct assign_verdict *v, const struct snapshot *want)
{
	const Channel__PodAssignment *p = v->pod;
	enum manifest_kind kind;

	if (manifest_kind_from_name(p->owner_kind, &kind) == 0)
		v->owner = manifest_find(&want->objects, kind, p->namespace_,
					 p->owner_name);
	if (!v->owner || !manifest_template(v->owner)) {
		char kind_text[40];

		return refuse(v, CODE_OWNER, "%s %s/%s is not in commit %.12s",
			      text_safe(kind_text, sizeof(kind_text),
					p->owner_kind, strlen(p->owner_kind)),
			      p->namespace_, p->owner_name, want->commit);
	}
	return true;
}

static bool derived_ok(struct assign_verdict *v, const struct assign_host *host,
		       struct arena *arena)
{
	const struct pod_template *t = manifest_template(v->owner);
	const Channel__PodAssignment *p = v->pod;
	const char *name;

#ifndef GUARD_OFF_TEMPLATE
	if (strcmp(t->hash, p->template_hash) != 0)
		return refuse(v, CODE_TEMPLATE, "want %s, have %s", t->hash,
			      p->template_hash);
#endif
	if (p->index >= assign_pods_max(v->owner))
		return refuse(v, CODE_INDEX, "want below %u, have %u",
			      assign_pods_max(v->owner), p->index);
	name = assign_pod_name(arena, v->owner, p->index, host->name);
#ifdef GUARD_OFF_POD_NAME
	name = p->name;
#endif
	if (strcmp(name, p->name) != 0)
		return refuse(v, CODE_NAME, "want %s, have %s", name, p->name);
	if (t->spec.n_containers + t->spec.n_init_containers >=
	    MONITOR_CONTAINERS_MAX)
		return refuse(v, CODE_MANY, "want at most %d, have %zu",
			      MONITOR_CONTAINERS_MAX - 1,
			      t->spec.n_containers + t->spec.n_init_containers);
	return true;
}

static bool fit_ok(struct assign_verdict *v, const struct assign_host *host)
{
	const struct pod_template *t = manifest_template(v->owner);
	struct buf why;
	bool fits;

	buf_init(&why, ASSIGN_WHY_BYTES * 4);
	fits = admission_host_fits(&t->spec, &host->labels, host->taint_keys,
				   host->taint_values, host->taint_effects,
				   host->n_taints, &why);
#ifdef GUARD_OFF_HOST_FITS
	fits = true;
#endif
	if (!fits)
		(void)refuse(v, CODE_FIT, "%s",
			     why.data ? why.data : "labels or taints");
	buf_release(&why);
	return fits;
}

static const struct assign_known *find_known(const struct assign_known *known,
					     size_t n, const char *uid)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(known[i].uid, uid) == 0)
			return &known[i];
	return NULL;
}

static bool unique_ok(struct assign_verdict *all, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		const Channel__PodAssignment *a = all[j].pod, *b = all[i].pod;

		if (strcmp(a->uid, b->uid) == 0 ||
		    (strcmp(a->name, b->name) == 0 &&
		     strcmp(a->namespace_, b->namespace_) == 0))
			return refuse(&all[i], CODE_TWICE,
				      "uid or name of pod %zu again", j);
	}
	return true;
}

static void judge(struct assign_verdict *all, size_t i,
		  const struct snapshot *want, const struct assign_host *host,
		  const struct assign_known *known, size_t n_known,
		  struct arena *arena)
{
	struct assign_verdict *v = &all[i];
	const struct assign_known *k;

	if (!grammar_ok(v) || !unique_ok(all, i))
		return;
	k = find_known(known, n_known, v->pod->uid);
	if (k && strcmp(k->template_hash, v->pod->template_hash) == 0 &&
	    strcmp(k->name, v->pod->name) == 0 &&
	    strcmp(k->namespace, v->pod->namespace_) == 0) {
		v->result = ASSIGN_KEEP;
		return;
	}
	if (k) {
		(void)refuse(v, CODE_TWICE,
			     "uid belongs to another pod of this host");
		return;
	}
	if (!host->restoring && strcmp(v->pod->commit, want->commit) != 0) {
		(void)refuse(v, CODE_OLD, "want %.12s, have %.12s",
			     want->commit,
			     text_is_hex(v->pod->commit, 40) ? v->pod->commit
							     : "no commit");
		return;
	}
	if (owner_ok(v, want) && derived_ok(v, host, arena) && fit_ok(v, host))
		v->result = ASSIGN_MAKE;
}

struct assign_verdict *assign_judge(const Channel__Assignment *a,
				    const struct snapshot *want,
				    const struct assign_host *host,
				    const struct assign_known *known,
				    size_t n_known, struct arena *arena)
{
	struct assign_verdict *all =
		arena_calloc(arena, a->n_pods + 1, sizeof(*all));

	for (size_t i = 0; i < a->n_pods; i++)
		all[i].pod = a->pods[i];
	for (size_t i = 0; i < a->n_pods; i++)
		judge(all, i, want, host, known, n_known, arena);
	return all;
}

bool assign_service_ok(const Channel__Assignment *a, size_t i,
		       const struct snapshot *want,
		       const struct assign_host *host)
{
	const Channel__ServiceAssignment *s = a->services[i];
	const struct object *o = manifest_find(&want->objects, MANIFEST_SERVICE,
					       s->namespace_, s->name);
	uint32_t ip, other, mask;

	if (!o || host->service_cidr == 0 || !assign_ipv4(s->cluster_ip, &ip))
		return false;
	mask = ~0u << (32 - host->service_prefix);
	if ((ip & mask) != host->service_cidr || ip == host->service_cidr)
		return false;
	if (o->service.cluster_ip &&
	    strcmp(o->service.cluster_ip, s->cluster_ip) != 0)
		return false;
	for (size_t j = 0; j < i; j++)
		if (assign_ipv4(a->services[j]->cluster_ip, &other) &&
		    other == ip)
			return false;
	return true;
}
