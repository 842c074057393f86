/*
 * shape.c - unpack, check, pack again.  See shape.h.
 *
 * Memory: protobuf-c turns two bytes of an empty submessage into a whole
 * struct, so the allocator given to it stops at a multiple of the frame.
 */
#include "channel/shape.h"

#include "lib/num.h"
#include "lib/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	MEMORY_BASE_BYTES = 64 * 1024,
	MEMORY_FACTOR = 40,
	DEPTH_MAX = 4,
};

struct budget {
	size_t left;
	bool over;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *b = data;

#ifndef GUARD_OFF_FRAME_MEMORY
	if (size > b->left) {
		b->over = true;
		return NULL;
	}
	b->left -= size;
#else
	(void)b;
#endif
	return malloc(size);
}

static void budget_free(void *data, void *p)
{
	(void)data;
	free(p);
}

static bool hex(const char *s, size_t n)
{
	return text_is_hex(s, n);
}

static bool is_text(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return false;
	}
	return text_is_utf8(s, len);
}

static bool is_subdomain_or_empty(const char *s)
{
	return *s == '\0' || text_is_dns_subdomain(s);
}

static bool is_pod_or_empty(const char *s)
{
	char namespace[64];
	const char *slash;
	size_t n;

	if (*s == '\0')
		return true;
	slash = strchr(s, '/');
	if (!slash)
		return false;
	n = (size_t)(slash - s);
	if (n >= sizeof(namespace))
		return false;
	memcpy(namespace, s, n);
	namespace[n] = '\0';
	return text_is_dns_label(namespace) && text_is_dns_subdomain(slash + 1);
}

static bool is_commit(const char *s)
{
	return hex(s, 40) || hex(s, 64);
}

static bool is_commit_or_empty(const char *s)
{
	return *s == '\0' || is_commit(s);
}

static bool is_uid(const char *s)
{
	return hex(s, 32);
}

static bool is_word_or_empty(const char *s)
{
	for (; *s; s++) {
		bool letter =
			(*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');

		if (!letter && !(*s >= '0' && *s <= '9') && *s != '.' &&
		    *s != '_' && *s != '-')
			return false;
	}
	return true;
}

static bool is_digest_or_empty(const char *s)
{
	return *s == '\0' || (strncmp(s, "sha256:", 7) == 0 && hex(s + 7, 64));
}

static bool is_address_or_empty(const char *s)
{
	unsigned char a[16];

	return *s == '\0' || inet_pton(AF_INET, s, a) == 1 ||
	       inet_pton(AF_INET6, s, a) == 1;
}

static bool is_cidr_or_empty(const char *s)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	uint64_t bits;
	size_t n;

	if (*s == '\0')
		return true;
	if (!slash || slash == s)
		return false;
	n = (size_t)(slash - s);
	if (n >= sizeof(address))
		return false;
	memcpy(address, s, n);
	address[n] = '\0';
	return is_address_or_empty(address) &&
	       num_parse_u64(slash + 1, strlen(slash + 1),
			     strchr(address, ':') ? 128 : 32, &bits);
}

/* One row a kind, in the order of enum shape_kind. */
static const struct {
	const char *want;
	bool (*text)(const char *s); /* of a string */
	size_t bytes_exact;	     /* of bytes; 0: any */
} kinds[] = {
	[SHAPE_NUMBER] = {"a number", NULL, 0},
	[SHAPE_NOT_NEG] = {"a number not below 0", NULL, 0},
	[SHAPE_NOT_ZERO] = {"a number above 0", NULL, 0},
	[SHAPE_ENUM] = {"a known value", NULL, 0},
	[SHAPE_BYTES] = {"bytes", NULL, 0},
	[SHAPE_BYTES_16] = {"16 bytes", NULL, 16},
	[SHAPE_BYTES_32] = {"32 bytes", NULL, 32},
	[SHAPE_TEXT] = {"UTF-8 text without control characters", is_text, 0},
	[SHAPE_LABEL] = {"an RFC 1123 label", text_is_dns_label, 0},
	[SHAPE_SUBDOMAIN] = {"an RFC 1123 name", text_is_dns_subdomain, 0},
	[SHAPE_SUBDOMAIN_OR_EMPTY] = {"an RFC 1123 name or nothing",
				      is_subdomain_or_empty, 0},
	[SHAPE_POD_OR_EMPTY] = {"namespace/name or nothing", is_pod_or_empty,
				0},
	[SHAPE_COMMIT] = {"40 or 64 hex digits", is_commit, 0},
	[SHAPE_COMMIT_OR_EMPTY] = {"40 or 64 hex digits or nothing",
				   is_commit_or_empty, 0},
	[SHAPE_UID] = {"32 hex digits", is_uid, 0},
	[SHAPE_WORD_OR_EMPTY] = {"letters, digits and ._-", is_word_or_empty,
				 0},
	[SHAPE_DIGEST_OR_EMPTY] = {"sha256: and 64 hex digits",
				   is_digest_or_empty, 0},
	[SHAPE_ADDRESS_OR_EMPTY] = {"a numeric address", is_address_or_empty,
				    0},
	[SHAPE_CIDR_OR_EMPTY] = {"address/prefix", is_cidr_or_empty, 0},
	[SHAPE_MESSAGE] = {"a message", NULL, 0},
};

bool shape_text_ok(enum shape_kind kind, const char *text)
{
	return kinds[kind].text && kinds[kind].text(text);
}

static int bad(const struct shape *shape, const struct shape_rule *rule,
	       struct err *err)
{
	return err_set(err, ERR_PROTO, "%s.%s: want %s",
		       shape->desc->short_name, rule->field,
		       kinds[rule->kind].want);
}

static int over(const struct shape *shape, const struct shape_rule *rule,
		const char *what, size_t have, size_t want, struct err *err)
{
	return err_set(err, ERR_LIMIT, "%s.%s: want at most %zu %s, have %zu",
		       shape->desc->short_name, rule->field, want, what, have);
}

static int check_string(const struct shape *shape,
			const struct shape_rule *rule, const char *s,
			struct err *err)
{
	size_t len = strlen(s);

	if (len > rule->max_len)
		return over(shape, rule, "bytes", len, rule->max_len, err);
	if (!kinds[rule->kind].text || !kinds[rule->kind].text(s))
		return bad(shape, rule, err);
	return 0;
}

static int check_bytes(const struct shape *shape, const struct shape_rule *rule,
		       const ProtobufCBinaryData *data, struct err *err)
{
	size_t exact = kinds[rule->kind].bytes_exact;

	if (data->len > rule->max_len)
		return over(shape, rule, "bytes", data->len, rule->max_len,
			    err);
	if (exact && data->len != exact)
		return bad(shape, rule, err);
	return 0;
}

static int check_number(const struct shape *shape,
			const struct shape_rule *rule,
			const ProtobufCFieldDescriptor *field, const void *at,
			struct err *err)
{
	const ProtobufCEnumDescriptor *names;
	int64_t i64;
	uint64_t u64;
	int value;

	switch (rule->kind) {
	case SHAPE_NOT_NEG:
		memcpy(&i64, at, sizeof(i64));
		return i64 < 0 ? bad(shape, rule, err) : 0;
	case SHAPE_NOT_ZERO:
		memcpy(&u64, at, sizeof(u64));
		return u64 == 0 ? bad(shape, rule, err) : 0;
	case SHAPE_ENUM:
		memcpy(&value, at, sizeof(value));
		names = field->descriptor;
		if (!protobuf_c_enum_descriptor_get_value(names, value))
			return bad(shape, rule, err);
		return 0;
	default:
		return rule->kind == SHAPE_NUMBER ? 0 : bad(shape, rule, err);
	}
}

static int check_message(const struct shape *shape, ProtobufCMessage *msg,
			 int depth, bool *unknown, struct err *err);

/* One value: at points to a char *, a ProtobufCBinaryData, a
 * ProtobufCMessage * or a number. */
static int check_value(const struct shape *shape, const struct shape_rule *rule,
		       const ProtobufCFieldDescriptor *field, void *at,
		       int depth, bool *unknown, struct err *err)
{
	ProtobufCMessage *sub;
	ProtobufCBinaryData data;
	char *text;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		memcpy(&text, at, sizeof(text));
		return check_string(shape, rule, text ? text : "", err);
	case PROTOBUF_C_TYPE_BYTES:
		memcpy(&data, at, sizeof(data));
		return check_bytes(shape, rule, &data, err);
	case PROTOBUF_C_TYPE_MESSAGE:
		memcpy(&sub, at, sizeof(sub));
		if (!sub)
			return 0;
		return check_message(rule->sub, sub, depth + 1, unknown, err);
	default:
		return check_number(shape, rule, field, at, err);
	}
}

static size_t value_bytes(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 0; /* no message here repeats a number */
	}
}

static int check_repeated(const struct shape *shape,
			  const struct shape_rule *rule,
			  const ProtobufCFieldDescriptor *field,
			  ProtobufCMessage *msg, int depth, bool *unknown,
			  struct err *err)
{
	size_t size = value_bytes(field);
	char *list;
	size_t n;
	int r = 0;

	memcpy(&n, (char *)msg + field->quantifier_offset, sizeof(n));
	memcpy(&list, (char *)msg + field->offset, sizeof(list));
	if (n > rule->max_count)
		return over(shape, rule, "entries", n, rule->max_count, err);
	if (size == 0)
		return n ? bad(shape, rule, err) : 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = check_value(shape, rule, field, list + i * size, depth,
				unknown, err);
	return r;
}

/* Unknown fields would be packed again by protobuf-c: they go. */
static void drop_unknown(ProtobufCMessage *msg, bool *unknown)
{
	if (msg->n_unknown_fields == 0)
		return;
	for (unsigned int i = 0; i < msg->n_unknown_fields; i++)
		free(msg->unknown_fields[i].data);
	free(msg->unknown_fields);
	msg->unknown_fields = NULL;
	msg->n_unknown_fields = 0;
	*unknown = true;
}

static int check_message(const struct shape *shape, ProtobufCMessage *msg,
			 int depth, bool *unknown, struct err *err)
{
	const ProtobufCMessageDescriptor *desc = shape->desc;
	int r = 0;

	/* agent.proto has grown and frame.c has not: no byte is believed. */
	assert(shape->n_rules == desc->n_fields);
	if (depth > DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "%s: nested deeper than %d",
			       desc->short_name, DEPTH_MAX);
	drop_unknown(msg, unknown);
	for (unsigned int i = 0; i < desc->n_fields && r == 0; i++) {
		const ProtobufCFieldDescriptor *field = &desc->fields[i];
		const struct shape_rule *rule = &shape->rules[i];

		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			r = check_repeated(shape, rule, field, msg, depth,
					   unknown, err);
		else
			r = check_value(shape, rule, field,
					(char *)msg + field->offset, depth,
					unknown, err);
	}
	return r;
}

int shape_open(const struct shape *shape, const void *bytes, size_t len,
	       ProtobufCMessage **out_msg, struct err *err)
{
	struct budget budget = {.left = MEMORY_BASE_BYTES};
	ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
	ProtobufCMessage *msg;
	bool unknown = false;
	size_t room;
	int r;

	if (!num_mul(len, MEMORY_FACTOR, &room) ||
	    !num_add(room, budget.left, &budget.left))
		return err_set(err, ERR_LIMIT, "%s: %zu bytes are too many",
			       shape->desc->short_name, len);
	msg = protobuf_c_message_unpack(shape->desc, &allocator, len, bytes);
	if (!msg && budget.over)
		return err_set(err, ERR_LIMIT,
			       "%s: %zu bytes want too much memory",
			       shape->desc->short_name, len);
	if (!msg)
		return err_set(err, ERR_PROTO, "%s: not a protobuf message",
			       shape->desc->short_name);
	r = check_message(shape, msg, 0, &unknown, err);
	if (r == 0 && !unknown &&
	    protobuf_c_message_get_packed_size(msg) != len)
		r = err_set(err, ERR_PROTO, "%s: not packed canonically",
			    shape->desc->short_name);
	if (r < 0) {
		shape_close(msg);
		return r;
	}
	*out_msg = msg;
	return 0;
}

void shape_close(ProtobufCMessage *msg)
{
	ProtobufCAllocator allocator = {budget_alloc, budget_free, NULL};

	if (msg)
		protobuf_c_message_free_unpacked(msg, &allocator);
}

int shape_pack(const ProtobufCMessage *msg, struct buf *out, struct err *err)
{
	size_t size = protobuf_c_message_get_packed_size(msg);
	char *at = buf_reserve(out, size);

	if (!at)
		return buf_check(out, err) < 0
			       ? err_wrap(err, "%s",
					  msg->descriptor->short_name)
			       : err_set(err, ERR_LIMIT, "%s: no room",
					 msg->descriptor->short_name);
	buf_commit(out, protobuf_c_message_pack(msg, (uint8_t *)at));
	return 0;
}
