/* kind_probe.c - probes (core/v1 Probe; manifests.md 5.3). */
#include "manifest/kind.h"

static const struct field exec_fields[] = {
	FIELD_AT(FIELD_STRS, "command", probe, exec, FIELD_REQ,
		 .doc = "Run in the container without a shell; 0 is success."),
};
static const struct table exec_table = {
	.name = "ExecAction",
	.fields = exec_fields,
	.n = FIELD_COUNT(exec_fields),
};

static const struct field header_fields[] = {
	FIELD_AT(FIELD_STR, "name", probe_header, name, FIELD_REQ,
		 .check = check_header_name, .doc = "Header name."),
	FIELD_AT(FIELD_STR, "value", probe_header, value, FIELD_REQ,
		 .doc = "Header value."),
};
static const struct table header_table = {
	.name = "HTTPHeader",
	.fields = header_fields,
	.n = FIELD_COUNT(header_fields),
	.size = sizeof(struct probe_header),
};

#define PROBE_HOST                                                             \
	FIELD_AT(FIELD_STR, "host", probe, host, .class = FIELD_GATED,         \
		 .check = check_hostname,                                      \
		 .doc = "Unset: the pod's address; another is gated.")
#define PROBE_PORT                                                             \
	FIELD_AT(FIELD_INT_OR_STR, "port", probe, port, FIELD_REQ, .min = 1,   \
		 .max = 65535, .check = check_port_name,                       \
		 .doc = "Number, or name of a port of the container.")

static const struct field http_fields[] = {
	PROBE_HOST,
	FIELD_LIST_AT(FIELD_OBJS, "httpHeaders", probe, headers, n_headers,
		      .table = &header_table, .doc = "Headers to send."),
	FIELD_AT(FIELD_STR, "path", probe, path, .fallback = "/",
		 .check = check_http_path, .doc = "Path to get."),
	PROBE_PORT,
	FIELD_AT(FIELD_STR, "scheme", probe, scheme, .fallback = "HTTP",
		 .values = FIELD_VALUES("HTTP"), .later = FIELD_VALUES("HTTPS"),
		 .since = "1.0",
		 .hint = "probe plain HTTP, or use tcpSocket or exec",
		 .doc = "HTTPS comes with release 1.0."),
};
static const struct table http_table = {
	.name = "HTTPGetAction",
	.fields = http_fields,
	.n = FIELD_COUNT(http_fields),
};

static const struct field tcp_fields[] = {
	PROBE_HOST,
	PROBE_PORT,
};
static const struct table tcp_table = {
	.name = "TCPSocketAction",
	.fields = tcp_fields,
	.n = FIELD_COUNT(tcp_fields),
};

static void finish_probe(struct decode *d, const struct node *n, void *obj)
{
	struct probe *p = obj;
	const struct node *exec = node_get(n, "exec");
	const struct node *words = node_get(exec, "command");

	if (p->kind == PROBE_EXEC && words && words->type == NODE_SEQ &&
	    words->n == 0)
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, exec, "exec", NULL,
			   "want a command of at least one word, have none");
}

static const struct field probe_fields[] = {
	FIELD_INTO("exec", &exec_table, .variant = 1 + PROBE_EXEC,
		   .doc = "Runs a command in the container."),
	FIELD_AT(FIELD_INT, "failureThreshold", probe, failure_threshold,
		 .fallback = "3", .min = 1, .max = 2147483647,
		 .doc = "Failures in a row that count."),
	FIELD_LATER("grpc", "1.0", "use tcpSocket or exec until then"),
	FIELD_INTO("httpGet", &http_table, .variant = 1 + PROBE_HTTP,
		   .doc = "Gets a page; 200 to 399 is success."),
	FIELD_AT(FIELD_INT, "initialDelaySeconds", probe, initial_delay_s,
		 .fallback = "0", .doc = "Seconds before the first try."),
	FIELD_AT(FIELD_INT, "periodSeconds", probe, period_s, .fallback = "10",
		 .min = 1, .max = 2147483647, .doc = "Seconds between tries."),
	FIELD_AT(FIELD_INT, "successThreshold", probe, success_threshold,
		 .fallback = "1", .min = 1, .max = 2147483647,
		 .doc = "Successes in a row that count; 1 for liveness and "
			"startup."),
	FIELD_INTO("tcpSocket", &tcp_table, .variant = 1 + PROBE_TCP,
		   .doc = "Opens a connection."),
	FIELD_AT(FIELD_INT, "terminationGracePeriodSeconds", probe, grace_s,
		 .min = 1, .max = 2147483647,
		 .doc = "Instead of the pod's; not for readiness."),
	FIELD_AT(FIELD_INT, "timeoutSeconds", probe, timeout_s, .fallback = "1",
		 .min = 1, .max = 2147483647, .doc = "Seconds a try may take."),
};
const struct table kind_probe_table = {
	.name = "Probe",
	.fields = probe_fields,
	.n = FIELD_COUNT(probe_fields),
	.variant = 1 + offsetof(struct probe, kind),
	.variant_required = true,
	.finish = finish_probe,
};
