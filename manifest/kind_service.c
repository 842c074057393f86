/* kind_service.c - Service (core/v1; manifests.md 5.3). */
#include "manifest/kind.h"

#include <string.h>

static const char *check_cluster_ip(const char *s)
{
	if (strcmp(s, "None") == 0 || !*s || !check_ipv4(s))
		return NULL;
	return "None or an IPv4 address";
}

static void finish_port(struct decode *d, const struct node *n, void *obj)
{
	struct service_port *p = obj;

	(void)d, (void)n;
	if (!p->target_port.is_string && p->target_port.num == 0)
		p->target_port.num = p->port;
	p->node_port = MANIFEST_UNSET;
}

static const struct field port_fields[] = {
	FIELD_CHECKED(FIELD_STR, "appProtocol", .class = FIELD_INERT,
		      .doc = "A note for proxies."),
	FIELD_AT(FIELD_STR, "name", service_port, name,
		 .check = check_dns_label,
		 .doc = "Required when there is more than one."),
	FIELD_LATER("nodePort", "1.0", "delete it"),
	FIELD_AT(FIELD_INT, "port", service_port, port, FIELD_REQ, .min = 1,
		 .max = 65535, .doc = "Port of the Service."),
	FIELD_AT(FIELD_STR, "protocol", service_port, protocol,
		 .fallback = "TCP", .values = FIELD_VALUES("TCP", "UDP"),
		 .later = FIELD_VALUES("SCTP"), .since = "1.2",
		 .hint = "use TCP or UDP", .doc = "Upper case."),
	FIELD_AT(FIELD_INT_OR_STR, "targetPort", service_port, target_port,
		 .min = 1, .max = 65535, .check = check_port_name,
		 .doc = "Number, or name looked up in each pod; unset: port."),
};
static const struct table port_table = {
	.name = "ServicePort",
	.fields = port_fields,
	.n = FIELD_COUNT(port_fields),
	.size = sizeof(struct service_port),
	.finish = finish_port,
};

/* Port i has the number (or name) of an earlier one. */
static bool is_twin(const struct service *s, size_t i, bool name)
{
	const struct service_port *a = &s->ports[i];

	for (size_t j = 0; j < i; j++) {
		const struct service_port *b = &s->ports[j];

		if (name ? a->name && b->name && strcmp(a->name, b->name) == 0
			 : a->port > 0 && a->port == b->port &&
				    strcmp(a->protocol, b->protocol) == 0)
			return true;
	}
	return false;
}

static void check_ports(struct decode *d, const struct node *n,
			const struct service *s)
{
	if (s->n_ports == 0 &&
	    !(s->cluster_ip && strcmp(s->cluster_ip, "None") == 0))
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, n, "ports",
			   "add a port", "want at least one port, have none");
	for (size_t i = 0; i < s->n_ports; i++) {
		const struct service_port *p = &s->ports[i];

		if (!p->name && s->n_ports > 1)
			decode_say_item(d, CODE_REQUIRED, DIAG_ERROR, n,
					"ports", i, NULL, "add a name",
					"want a name for each of several "
					"ports");
		if (is_twin(s, i, true))
			decode_say_item(d, CODE_DUPLICATE_ITEM, DIAG_ERROR, n,
					"ports", i, "name", NULL,
					"two ports are named '%s'", p->name);
		if (is_twin(s, i, false))
			decode_say_item(d, CODE_DUPLICATE_ITEM, DIAG_ERROR, n,
					"ports", i, "port", NULL,
					"port %lld/%s is given twice",
					(long long)p->port, p->protocol);
	}
}

static void finish_spec(struct decode *d, const struct node *n, void *obj)
{
	struct service *s = obj;

	if (s->cluster_ip && !s->cluster_ip[0])
		s->cluster_ip = NULL;
	check_ports(d, n, s);
}

static const struct field spec_fields[] = {
	FIELD_LATER("allocateLoadBalancerNodePorts", "1.2", "delete it"),
	FIELD_AT(FIELD_STR, "clusterIP", service, cluster_ip,
		 .check = check_cluster_ip,
		 .doc = "Unset: allocated; None: headless; an address must lie "
			"in the pool."),
	FIELD_LATER("clusterIPs", "1.1", "use clusterIP"),
	FIELD_NEVER("externalIPs",
		    "a Service may not take over addresses; delete it"),
	FIELD_LATER("externalName", "1.1", "use the name itself"),
	FIELD_LATER("externalTrafficPolicy", "1.1", "delete it"),
	FIELD_LATER("healthCheckNodePort", "1.2", "delete it"),
	FIELD_CHECKED(FIELD_STR, "internalTrafficPolicy", .class = FIELD_INERT,
		      .values = FIELD_VALUES("Cluster"),
		      .later = FIELD_VALUES("Local"), .since = "1.1",
		      .hint = "delete it", .doc = "Only Cluster."),
	FIELD_CHECKED(FIELD_STRS, "ipFamilies", .class = FIELD_INERT,
		      .values = FIELD_VALUES("IPv4"),
		      .later = FIELD_VALUES("IPv6"), .since = "1.1",
		      .hint = "delete it", .doc = "Only IPv4."),
	FIELD_CHECKED(
		FIELD_STR, "ipFamilyPolicy", .class = FIELD_INERT,
		.values = FIELD_VALUES("SingleStack"),
		.later = FIELD_VALUES("PreferDualStack", "RequireDualStack"),
		.since = "1.1", .hint = "delete it",
		.doc = "Only SingleStack."),
	FIELD_LATER("loadBalancerClass", "1.2", "delete it"),
	FIELD_LATER("loadBalancerIP", "1.2", "delete it"),
	FIELD_LATER("loadBalancerSourceRanges", "1.2", "delete it"),
	FIELD_LIST_AT(FIELD_OBJS, "ports", service, ports, n_ports,
		      .table = &port_table, .doc = "At least one."),
	FIELD_LATER("publishNotReadyAddresses", "1.1", "delete it"),
	FIELD_AT(FIELD_MAP, "selector", service, selector, FIELD_REQ,
		 .check_key = check_label_key, .check = check_label_value,
		 .doc = "Labels of the pods behind it."),
	FIELD_AT(FIELD_STR, "sessionAffinity", service, session_affinity,
		 .fallback = "None", .values = FIELD_VALUES("None"),
		 .later = FIELD_VALUES("ClientIP"), .since = "1.1",
		 .hint = "delete it", .doc = "Only None."),
	FIELD_LATER("sessionAffinityConfig", "1.1", "delete it"),
	FIELD_NEVER("topologyKeys", "delete it"),
	FIELD_LATER("trafficDistribution", "1.2", "delete it"),
	FIELD_AT(FIELD_STR, "type", service, type, .fallback = "ClusterIP",
		 .values = FIELD_VALUES("ClusterIP"),
		 .later = FIELD_VALUES("NodePort", "LoadBalancer",
				       "ExternalName"),
		 .since = "1.0",
		 .hint = "use ClusterIP; no address outside the hosts is "
			 "assigned",
		 .doc = "Only ClusterIP in this release."),
};
static const struct table spec_table = {
	.name = "ServiceSpec",
	.fields = spec_fields,
	.n = FIELD_COUNT(spec_fields),
	.finish = finish_spec,
};

static const struct field service_fields[] = {
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_table),
	FIELD_AT(FIELD_OBJ, "spec", object, service, FIELD_REQ,
		 .table = &spec_table, .doc = "Ports and selector."),
	FIELD_NOISE("status"),
};
const struct table kind_service_table = {
	.name = "Service",
	.fields = service_fields,
	.n = FIELD_COUNT(service_fields),
};
