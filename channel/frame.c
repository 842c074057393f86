/*
 * frame.c - the table of frames and the gate that holds a session to it.
 * See frame.h.  The shapes below are in the order of the fields in agent.proto.
 */
#include "channel/frame.h"

#include "channel/agent.pb-c.h"

#include <assert.h>

/* --- shapes -------------------------------------------------------------- */
static const struct shape_rule capacity_rules[] = {
	{"cpu_m", SHAPE_NOT_NEG, 0, 0, NULL},
	{"memory", SHAPE_NOT_NEG, 0, 0, NULL},
	{"pods", SHAPE_NOT_NEG, 0, 0, NULL},
};
static const struct shape capacity_shape =
	SHAPE_OF(channel__capacity__descriptor, capacity_rules);

static const struct shape_rule key_value_rules[] = {
	{"key", SHAPE_TEXT, 317, 0, NULL},
	{"value", SHAPE_TEXT, FRAME_REASON_MAX, 0, NULL},
};
static const struct shape key_value_shape =
	SHAPE_OF(channel__key_value__descriptor, key_value_rules);

static const struct shape_rule hello_rules[] = {
	{"version", SHAPE_WORD_OR_EMPTY, 64, 0, NULL},
	{"epoch", SHAPE_NUMBER, 0, 0, NULL},
	{"accepted_commit", SHAPE_COMMIT_OR_EMPTY, 64, 0, NULL},
	{"capacity", SHAPE_MESSAGE, 0, 0, &capacity_shape},
	{"boot_id", SHAPE_WORD_OR_EMPTY, 64, 0, NULL},
	{"session", SHAPE_NOT_ZERO, 0, 0, NULL},
	{"runtime", SHAPE_TEXT, FRAME_REASON_MAX, 0, NULL},
	{"witness_key", SHAPE_BYTES, 1024, 0, NULL},
};
static const struct shape hello_shape =
	SHAPE_OF(channel__hello__descriptor, hello_rules);

static const struct shape_rule welcome_rules[] = {
	{"unix_ms", SHAPE_NOT_NEG, 0, 0, NULL},
};
static const struct shape welcome_shape =
	SHAPE_OF(channel__welcome__descriptor, welcome_rules);

static const struct shape_rule container_rules[] = {
	{"name", SHAPE_LABEL, 63, 0, NULL},
	{"image_digest", SHAPE_DIGEST_OR_EMPTY, 71, 0, NULL},
	{"init", SHAPE_NUMBER, 0, 0, NULL},
	{"running", SHAPE_NUMBER, 0, 0, NULL},
	{"ready", SHAPE_NUMBER, 0, 0, NULL},
	{"started", SHAPE_NUMBER, 0, 0, NULL},
	{"restarts", SHAPE_NUMBER, 0, 0, NULL},
	{"exit_code", SHAPE_NUMBER, 0, 0, NULL},
	{"reason", SHAPE_TEXT, FRAME_REASON_MAX, 0, NULL},
	{"message", SHAPE_TEXT, FRAME_TEXT_MAX, 0, NULL},
};
static const struct shape container_shape =
	SHAPE_OF(channel__container_status__descriptor, container_rules);

static const struct shape_rule pod_rules[] = {
	{"uid", SHAPE_UID, 32, 0, NULL},
	{"namespace", SHAPE_LABEL, 63, 0, NULL},
	{"name", SHAPE_SUBDOMAIN, 253, 0, NULL},
	{"owner_kind", SHAPE_WORD_OR_EMPTY, 63, 0, NULL},
	{"owner_name", SHAPE_SUBDOMAIN_OR_EMPTY, 253, 0, NULL},
	{"template_hash", SHAPE_WORD_OR_EMPTY, 64, 0, NULL},
	{"commit", SHAPE_COMMIT_OR_EMPTY, 64, 0, NULL},
	{"phase", SHAPE_ENUM, 0, 0, NULL},
	{"ready", SHAPE_NUMBER, 0, 0, NULL},
	{"ip", SHAPE_ADDRESS_OR_EMPTY, 45, 0, NULL},
	{"started_ms", SHAPE_NOT_NEG, 0, 0, NULL},
	{"ready_ms", SHAPE_NOT_NEG, 0, 0, NULL},
	{"reason", SHAPE_TEXT, FRAME_REASON_MAX, 0, NULL},
	{"message", SHAPE_TEXT, FRAME_TEXT_MAX, 0, NULL},
	{"containers", SHAPE_MESSAGE, 0, 64, &container_shape},
};
static const struct shape pod_shape =
	SHAPE_OF(channel__pod_status__descriptor, pod_rules);

static const struct shape_rule report_rules[] = {
	{"session", SHAPE_NOT_ZERO, 0, 0, NULL},
	{"sequence", SHAPE_NOT_ZERO, 0, 0, NULL},
	{"epoch", SHAPE_NUMBER, 0, 0, NULL},
	{"accepted_commit", SHAPE_COMMIT_OR_EMPTY, 64, 0, NULL},
	{"pods", SHAPE_MESSAGE, 0, FRAME_PODS_MAX, &pod_shape},
	{"capacity", SHAPE_MESSAGE, 0, 0, &capacity_shape},
	{"settled", SHAPE_NUMBER, 0, 0, NULL},
};
static const struct shape report_shape =
	SHAPE_OF(channel__report__descriptor, report_rules);

static const struct shape_rule refusal_rules[] = {
	{"epoch", SHAPE_NUMBER, 0, 0, NULL},
	{"commit", SHAPE_COMMIT_OR_EMPTY, 64, 0, NULL},
	{"pod", SHAPE_POD_OR_EMPTY, 317, 0, NULL},
	{"code", SHAPE_WORD_OR_EMPTY, 64, 0, NULL},
	{"reason", SHAPE_TEXT, FRAME_TEXT_MAX, 0, NULL},
};
static const struct shape refusal_shape =
	SHAPE_OF(channel__refusal__descriptor, refusal_rules);

static const struct shape_rule pin_rules[] = {
	{"container", SHAPE_LABEL, 63, 0, NULL},
	{"digest", SHAPE_DIGEST_OR_EMPTY, 71, 0, NULL},
};
static const struct shape pin_shape =
	SHAPE_OF(channel__image_pin__descriptor, pin_rules);

static const struct shape_rule pod_assignment_rules[] = {
	{"uid", SHAPE_UID, 32, 0, NULL},
	{"namespace", SHAPE_LABEL, 63, 0, NULL},
	{"name", SHAPE_SUBDOMAIN, 253, 0, NULL},
	{"owner_kind", SHAPE_WORD_OR_EMPTY, 63, 0, NULL},
	{"owner_name", SHAPE_SUBDOMAIN_OR_EMPTY, 253, 0, NULL},
	{"template_hash", SHAPE_WORD_OR_EMPTY, 64, 0, NULL},
	{"index", SHAPE_NUMBER, 0, 0, NULL},
	{"commit", SHAPE_COMMIT, 64, 0, NULL},
	{"images", SHAPE_MESSAGE, 0, 64, &pin_shape},
};
static const struct shape pod_assignment_shape =
	SHAPE_OF(channel__pod_assignment__descriptor, pod_assignment_rules);

static const struct shape_rule service_rules[] = {
	{"namespace", SHAPE_LABEL, 63, 0, NULL},
	{"name", SHAPE_SUBDOMAIN, 253, 0, NULL},
	{"cluster_ip", SHAPE_ADDRESS_OR_EMPTY, 45, 0, NULL},
};
static const struct shape service_shape =
	SHAPE_OF(channel__service_assignment__descriptor, service_rules);

static const struct shape_rule assignment_rules[] = {
	{"epoch", SHAPE_NOT_ZERO, 0, 0, NULL},
	{"commit", SHAPE_COMMIT, 64, 0, NULL},
	{"host", SHAPE_SUBDOMAIN, 253, 0, NULL},
	{"pods", SHAPE_MESSAGE, 0, FRAME_PODS_MAX, &pod_assignment_shape},
	{"services", SHAPE_MESSAGE, 0, 16384, &service_shape},
	{"tag", SHAPE_COMMIT_OR_EMPTY, 64, 0, NULL},
};
static const struct shape assignment_shape =
	SHAPE_OF(channel__assignment__descriptor, assignment_rules);

static const struct shape_rule pack_rules[] = {
	{"commit", SHAPE_COMMIT, 64, 0, NULL},
	{"chunk", SHAPE_NUMBER, 0, 0, NULL},
	{"last", SHAPE_NUMBER, 0, 0, NULL},
	{"data", SHAPE_BYTES, FRAME_PACK_DATA_MAX, 0, NULL},
};
static const struct shape pack_shape =
	SHAPE_OF(channel__pack__descriptor, pack_rules);

static const struct shape_rule cert_request_rules[] = {
	{"csr_der", SHAPE_BYTES, 2048, 0, NULL},
};
static const struct shape cert_request_shape =
	SHAPE_OF(channel__cert_request__descriptor, cert_request_rules);

static const struct shape_rule cert_reply_rules[] = {
	{"chain_der", SHAPE_BYTES, 4096, 4, NULL},
};
static const struct shape cert_reply_shape =
	SHAPE_OF(channel__cert_reply__descriptor, cert_reply_rules);

static const struct shape_rule checkpoint_rules[] = {
	{"note", SHAPE_BYTES, 8192, 0, NULL},
	{"consistency", SHAPE_BYTES_32, 32, 128, NULL},
	{"old_size", SHAPE_NUMBER, 0, 0, NULL},
};
static const struct shape checkpoint_shape =
	SHAPE_OF(channel__checkpoint__descriptor, checkpoint_rules);

static const struct shape_rule cosignature_rules[] = {
	{"note", SHAPE_BYTES, 8192, 0, NULL},
	{"refused", SHAPE_TEXT, FRAME_TEXT_MAX, 0, NULL},
	{"verdict", SHAPE_ENUM, 0, 0, NULL},
	{"size", SHAPE_NUMBER, 0, 0, NULL},
};
static const struct shape cosignature_shape =
	SHAPE_OF(channel__cosignature__descriptor, cosignature_rules);

static const struct shape_rule log_request_rules[] = {
	{"id", SHAPE_NOT_ZERO, 0, 0, NULL},
	{"namespace", SHAPE_LABEL, 63, 0, NULL},
	{"pod", SHAPE_SUBDOMAIN, 253, 0, NULL},
	{"container", SHAPE_WORD_OR_EMPTY, 63, 0, NULL},
	{"tail_lines", SHAPE_NUMBER, 0, 0, NULL},
};
static const struct shape log_request_shape =
	SHAPE_OF(channel__log_request__descriptor, log_request_rules);

static const struct shape_rule log_data_rules[] = {
	{"id", SHAPE_NOT_ZERO, 0, 0, NULL},
	{"data", SHAPE_BYTES, 256 * 1024, 0, NULL},
	{"last", SHAPE_NUMBER, 0, 0, NULL},
	{"error", SHAPE_TEXT, FRAME_TEXT_MAX, 0, NULL},
};
static const struct shape log_data_shape =
	SHAPE_OF(channel__log_data__descriptor, log_data_rules);

static const struct shape_rule token_rules[] = {
	{"id", SHAPE_BYTES_16, 16, 0, NULL},
	{"secret", SHAPE_BYTES_16, 16, 0, NULL},
	{"ca_sha256", SHAPE_BYTES_32, 32, 0, NULL},
	{"trust_sha256", SHAPE_BYTES_32, 32, 0, NULL},
	{"host", SHAPE_SUBDOMAIN, 253, 0, NULL},
	{"expires", SHAPE_NOT_NEG, 0, 0, NULL},
	{"manager", SHAPE_TEXT, FRAME_REASON_MAX + 8, 0, NULL},
};
static const struct shape token_shape =
	SHAPE_OF(channel__join_token__descriptor, token_rules);

static const struct shape_rule join_request_rules[] = {
	{"token_id", SHAPE_BYTES_16, 16, 0, NULL},
	{"token_secret", SHAPE_BYTES_16, 16, 0, NULL},
	{"host", SHAPE_SUBDOMAIN, 253, 0, NULL},
	{"csr_der", SHAPE_BYTES, 2048, 0, NULL},
	{"version", SHAPE_WORD_OR_EMPTY, 64, 0, NULL},
};
static const struct shape join_request_shape =
	SHAPE_OF(channel__join_request__descriptor, join_request_rules);

static const struct shape_rule join_reply_rules[] = {
	{"pending", SHAPE_NUMBER, 0, 0, NULL},
	{"error_code", SHAPE_WORD_OR_EMPTY, 64, 0, NULL},
	{"error", SHAPE_TEXT, FRAME_TEXT_MAX, 0, NULL},
	{"chain_der", SHAPE_BYTES, 4096, 4, NULL},
	{"trust_root", SHAPE_BYTES, 1u << 20, 0, NULL},
	{"pod_cidr", SHAPE_CIDR_OR_EMPTY, 49, 0, NULL},
	{"service_cidr", SHAPE_CIDR_OR_EMPTY, 49, 0, NULL},
	{"labels", SHAPE_MESSAGE, 0, 128, &key_value_shape},
	{"taints", SHAPE_MESSAGE, 0, 128, &key_value_shape},
	{"audit_key", SHAPE_BYTES, 1024, 0, NULL},
};
static const struct shape join_reply_shape =
	SHAPE_OF(channel__join_reply__descriptor, join_reply_rules);

/* --- the table ----------------------------------------------------------- */
#define FROM_HOST FRAME_FROM_HOST
#define FROM_MANAGER FRAME_FROM_MANAGER
#define CERTIFIED (FRAME_FRESH | FRAME_OPEN)
#define TYPE(n) CHANNEL__MSG_TYPE__MSG_##n

/* type, per second, name, from, states, most bytes, keep, shape */
static const struct frame_type table[] = {
	{TYPE(HELLO), 20, "Hello", FROM_HOST, CERTIFIED, 4096, FRAME_KEEP_LAST,
	 &hello_shape},
	{TYPE(REPORT), 200, "Report", FROM_HOST, FRAME_OPEN, FRAME_REPORT_MAX,
	 FRAME_KEEP_LAST, &report_shape},
	{TYPE(REFUSAL), 500, "Refusal", FROM_HOST, FRAME_OPEN, 8192,
	 FRAME_KEEP_QUEUE, &refusal_shape},
	{TYPE(CERT_REQUEST), 2, "CertRequest", FROM_HOST, FRAME_OPEN, 4096,
	 FRAME_KEEP_LAST, &cert_request_shape},
	{TYPE(COSIGNATURE), 200, "Cosignature", FROM_HOST, FRAME_OPEN, 16384,
	 FRAME_KEEP_LAST, &cosignature_shape},
	{TYPE(LOG_DATA), 500, "LogData", FROM_HOST, FRAME_OPEN, 272 * 1024,
	 FRAME_KEEP_NONE, &log_data_shape},
	{TYPE(JOIN_REQUEST), 1, "JoinRequest", FROM_HOST, FRAME_JOINING, 4096,
	 FRAME_KEEP_NONE, &join_request_shape},
	{TYPE(WELCOME), 20, "Welcome", FROM_MANAGER, CERTIFIED, 64,
	 FRAME_KEEP_NONE, &welcome_shape},
	{TYPE(PACK), 2000, "Pack", FROM_MANAGER, CERTIFIED,
	 FRAME_PACK_DATA_MAX + 256, FRAME_KEEP_NONE, &pack_shape},
	{TYPE(ASSIGNMENT), 500, "Assignment", FROM_MANAGER, CERTIFIED,
	 FRAME_ASSIGN_MAX, FRAME_KEEP_NONE, &assignment_shape},
	{TYPE(CERT_REPLY), 4, "CertReply", FROM_MANAGER, CERTIFIED, 16384,
	 FRAME_KEEP_NONE, &cert_reply_shape},
	{TYPE(CHECKPOINT), 200, "Checkpoint", FROM_MANAGER, CERTIFIED, 16384,
	 FRAME_KEEP_NONE, &checkpoint_shape},
	{TYPE(LOG_REQUEST), 100, "LogRequest", FROM_MANAGER, CERTIFIED, 1024,
	 FRAME_KEEP_NONE, &log_request_shape},
	{TYPE(JOIN_REPLY), 20, "JoinReply", FROM_MANAGER, FRAME_ASKED,
	 (1u << 20) + 65536, FRAME_KEEP_NONE, &join_reply_shape},
};
#define ROWS (sizeof(table) / sizeof(table[0]))
_Static_assert(ROWS <= FRAME_TYPES, "counters of a gate");

const struct frame_type *frame_row(size_t i)
{
	return i < ROWS ? &table[i] : NULL;
}

const struct frame_type *frame_find(uint16_t type)
{
	for (size_t i = 0; i < ROWS; i++)
		if (table[i].type == type)
			return &table[i];
	return NULL;
}

const struct shape *frame_token_shape(void)
{
	return &token_shape;
}

void frame_gate_init(struct frame_gate *gate, enum frame_from from,
		     enum frame_state state)
{
	*gate = (struct frame_gate){.from = from, .state = state};
}

void frame_header(uint8_t out[FRAME_HEADER_BYTES], uint16_t type, uint32_t len)
{
	for (unsigned int i = 0; i < 4; i++)
		out[i] = (uint8_t)(len >> (8 * i) & 0xff);
	out[4] = (uint8_t)(type & 0xff);
	out[5] = (uint8_t)(type >> 8);
	out[6] = 0;
	out[7] = 0;
}

void frame_split(const uint8_t header[FRAME_HEADER_BYTES], uint32_t *out_len,
		 uint16_t *out_type, uint16_t *out_last)
{
	*out_len = (uint32_t)header[0] | (uint32_t)header[1] << 8 |
		   (uint32_t)header[2] << 16 | (uint32_t)header[3] << 24;
	*out_type = (uint16_t)(header[4] | header[5] << 8);
	*out_last = (uint16_t)(header[6] | header[7] << 8);
}

/* --- the gate ------------------------------------------------------------ */
static int count(struct frame_gate *gate, const struct frame_type *row,
		 int64_t now_ms, struct err *err)
{
	size_t i = (size_t)(row - table);

	if (now_ms - gate->window_ms >= 1000 || now_ms < gate->window_ms) {
		for (size_t k = 0; k < FRAME_TYPES; k++)
			gate->count[k] = 0;
		gate->window_ms = now_ms;
	}
	if (gate->count[i] >= row->per_second)
		return err_set(err, ERR_LIMIT,
			       "%s: want at most %u a second, have more",
			       row->name, row->per_second);
	gate->count[i]++;
	return 0;
}

int frame_gate_header(struct frame_gate *gate,
		      const uint8_t header[FRAME_HEADER_BYTES], int64_t now_ms,
		      const struct frame_type **out_type, uint32_t *out_len,
		      struct err *err)
{
	const struct frame_type *row;
	uint16_t type, last;
	uint32_t len;
	int r;

	frame_split(header, &len, &type, &last);
	row = frame_find(type);
	if (!row)
		return err_set(err, ERR_PROTO, "frame of unknown type %u",
			       type);
	if (last != 0)
		return err_set(err, ERR_PROTO,
			       "%s: want 0 in the last header field, have %u",
			       row->name, last);
#ifndef GUARD_OFF_FRAME_DIRECTION
	if (row->from != gate->from)
		return err_set(err, ERR_PROTO, "%s: not from this side",
			       row->name);
#endif
#ifndef GUARD_OFF_FRAME_STATE
	if (!(row->states & (unsigned int)gate->state))
		return err_set(err, ERR_PROTO,
			       "%s: not in this state of the session",
			       row->name);
#endif
#ifndef GUARD_OFF_FRAME_LENGTH
	if (len > row->max_bytes)
		return err_set(err, ERR_LIMIT,
			       "%s: want at most %u bytes, have %u", row->name,
			       row->max_bytes, len);
#endif
	r = count(gate, row, now_ms, err);
	if (r < 0)
		return r;
	*out_type = row;
	*out_len = len;
	return 0;
}

/* What a table cannot say: the session's number and the rising sequence. */
static int follow(struct frame_gate *gate, const struct frame_type *type,
		  const ProtobufCMessage *msg, struct err *err)
{
	const Channel__Hello *hello;
	const Channel__Report *report;

	switch (type->type) {
	case TYPE(HELLO):
		hello = (const Channel__Hello *)msg;
		gate->session = hello->session;
		gate->sequence = 0;
		gate->state = FRAME_OPEN;
		return 0;
	case TYPE(REPORT):
		report = (const Channel__Report *)msg;
#ifndef GUARD_OFF_FRAME_REPLAY
		if (report->session != gate->session)
			return err_set(err, ERR_PROTO,
				       "Report: of another session");
		if (report->sequence <= gate->sequence)
			return err_set(err, ERR_PROTO,
				       "Report: sequence did not rise");
#else
		(void)err;
#endif
		gate->sequence = report->sequence;
		return 0;
	case TYPE(JOIN_REQUEST):
		gate->state = FRAME_ASKED;
		return 0;
	default:
		return 0;
	}
}

int frame_gate_payload(struct frame_gate *gate, const struct frame_type *type,
		       const void *bytes, size_t len, struct buf *out,
		       struct err *err)
{
	ProtobufCMessage *msg = NULL;
	int r;

	assert(type >= table && type < table + ROWS);
	r = shape_open(type->shape, bytes, len, &msg, err);
	if (r < 0)
		return r;
	r = follow(gate, type, msg, err);
	if (r == 0)
		r = shape_pack(msg, out, err);
	shape_close(msg);
	return r;
}
