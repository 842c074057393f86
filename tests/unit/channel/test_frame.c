/* test_frame.c - the table of frames, the gate and the shapes. */
#include "channel/agent.pb-c.h"
#include "channel/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HELLO CHANNEL__MSG_TYPE__MSG_HELLO
#define REPORT CHANNEL__MSG_TYPE__MSG_REPORT

static int header(struct frame_gate *gate, uint32_t len, uint16_t type,
		  uint16_t last, int64_t now, struct err *err)
{
	const struct frame_type *row = NULL;
	uint8_t bytes[FRAME_HEADER_BYTES];
	uint32_t out = 0;

	frame_header(bytes, type, len);
	bytes[6] = (uint8_t)(last & 0xff);
	bytes[7] = (uint8_t)(last >> 8);
	memset(err, 0, sizeof(*err));
	return frame_gate_header(gate, bytes, now, &row, &out, err);
}

static int payload(struct frame_gate *gate, uint16_t type, const void *bytes,
		   size_t len, struct err *err)
{
	struct buf out;
	int r;

	memset(err, 0, sizeof(*err));
	buf_init(&out, 8 << 20);
	r = frame_gate_payload(gate, frame_find(type), bytes, len, &out, err);
	buf_release(&out);
	return r;
}

static int message(struct frame_gate *gate, uint16_t type,
		   const ProtobufCMessage *msg, struct err *err)
{
	struct buf packed;
	int r;

	buf_init(&packed, 32 << 20);
	assert_int_equal(shape_pack(msg, &packed, err), 0);
	r = payload(gate, type, packed.data, packed.len, err);
	buf_release(&packed);
	return r;
}

/* Every row has a shape; every shape has one rule a field, by its name. */
static void walk(const struct shape *shape, int depth)
{
	assert_true(depth < 5);
	assert_int_equal(shape->n_rules, shape->desc->n_fields);
	for (unsigned int i = 0; i < shape->desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &shape->desc->fields[i];
		const struct shape_rule *rule = &shape->rules[i];
		bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;
		bool sized = f->type == PROTOBUF_C_TYPE_STRING ||
			     f->type == PROTOBUF_C_TYPE_BYTES;

		assert_string_equal(rule->field, f->name);
		assert_int_equal(repeated, rule->max_count > 0);
		assert_int_equal(sized, rule->max_len > 0);
		assert_int_equal(f->type == PROTOBUF_C_TYPE_MESSAGE,
				 rule->kind == SHAPE_MESSAGE);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
			assert_ptr_equal(f->descriptor, rule->sub->desc);
			walk(rule->sub, depth + 1);
		}
		if (f->type == PROTOBUF_C_TYPE_ENUM)
			assert_int_equal(rule->kind, SHAPE_ENUM);
	}
}

static void test_table_is_whole(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct frame_type *row; (row = frame_row(n)); n++) {
		assert_ptr_equal(frame_find(row->type), row);
		assert_true(row->states != 0);
		assert_true(row->max_bytes > 0 && row->per_second > 0);
		walk(row->shape, 0);
	}
	walk(frame_token_shape(), 0);
	/* all of the enum but NONE and LINK_STATE */
	assert_int_equal(n, channel__msg_type__descriptor.n_values - 2);
	assert_null(frame_row(n));
}

/* E64 A80: each length field at its edges. */
static void test_E64_lengths(void **state)
{
	static const uint32_t lengths[] = {4097,       65535,	   65536,
					   0x7fffffff, 0x80000000, 0xffffffff};
	struct frame_gate gate;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		frame_gate_init(&gate, FRAME_FROM_HOST, FRAME_FRESH);
		assert_int_equal(header(&gate, lengths[i], HELLO, 0, 0, &err),
				 ERR_LIMIT);
		assert_non_null(strstr(err.msg, "want at most 4096 bytes"));
	}
	frame_gate_init(&gate, FRAME_FROM_HOST, FRAME_FRESH);
	assert_int_equal(header(&gate, 4096, HELLO, 0, 0, &err), 0);
	assert_int_equal(header(&gate, 0, HELLO, 0, 0, &err), 0);
	assert_int_equal(header(&gate, 0, HELLO, 1, 0, &err), ERR_PROTO);
	assert_int_equal(header(&gate, 0, HELLO, 65535, 0, &err), ERR_PROTO);
}

/* K15: no type but those of the table, in the right direction and state. */
static void test_K15_every_type_in_every_state(void **state)
{
	static const enum frame_state states[] = {FRAME_JOINING, FRAME_ASKED,
						  FRAME_FRESH, FRAME_OPEN};
	struct frame_gate gate;
	struct err err;

	(void)state;
	for (unsigned int type = 0; type < 300; type++)
		for (int from = FRAME_FROM_HOST; from <= FRAME_FROM_MANAGER;
		     from++)
			for (size_t s = 0; s < 4; s++) {
				const struct frame_type *row =
					frame_find((uint16_t)type);
				bool ok =
					row &&
					row->from == (enum frame_from)from &&
					(row->states & (unsigned int)states[s]);

				frame_gate_init(&gate, (enum frame_from)from,
						states[s]);
				assert_int_equal(header(&gate, 1,
							(uint16_t)type, 0, 0,
							&err),
						 ok ? 0 : ERR_PROTO);
			}
}

static void test_A80_rate(void **state)
{
	struct frame_gate gate;
	struct err err;
	int n = frame_find(REPORT)->per_second;

	(void)state;
	frame_gate_init(&gate, FRAME_FROM_HOST, FRAME_OPEN);
	for (int i = 0; i < n; i++)
		assert_int_equal(header(&gate, 1, REPORT, 0, 5000, &err), 0);
	assert_int_equal(header(&gate, 1, REPORT, 0, 5999, &err), ERR_LIMIT);
	assert_non_null(strstr(err.msg, "Report: want at most 200 a second"));
	assert_int_equal(header(&gate, 1, REPORT, 0, 6000, &err), 0);
}

/* S04: a report is of this session and newer than the last. */
static void test_S04_replay(void **state)
{
	Channel__Hello hello = CHANNEL__HELLO__INIT;
	Channel__Report report = CHANNEL__REPORT__INIT;
	struct frame_gate gate;
	struct err err;

	(void)state;
	frame_gate_init(&gate, FRAME_FROM_HOST, FRAME_FRESH);
	hello.session = 7;
	assert_int_equal(message(&gate, HELLO, &hello.base, &err), 0);
	assert_int_equal(gate.state, FRAME_OPEN);
	report.session = 8;
	report.sequence = 1;
	assert_int_equal(message(&gate, REPORT, &report.base, &err), ERR_PROTO);
	assert_string_equal(err.msg, "Report: of another session");
	report.session = 7;
	report.sequence = 5;
	assert_int_equal(message(&gate, REPORT, &report.base, &err), 0);
	assert_int_equal(message(&gate, REPORT, &report.base, &err), ERR_PROTO);
	assert_string_equal(err.msg, "Report: sequence did not rise");
	report.sequence = 6;
	assert_int_equal(message(&gate, REPORT, &report.base, &err), 0);
}

static void test_A80_fields(void **state)
{
	Channel__Refusal m = CHANNEL__REFUSAL__INIT;
	static char big[9000];
	struct frame_gate gate;
	struct err err;
	char *const texts[] = {(char[]){"a/b"}, (char[]){"A/b"},
			       (char[]){"../b"}, (char[]){"a"},
			       (char[]){"a/b/c"}};

	(void)state;
	frame_gate_init(&gate, FRAME_FROM_HOST, FRAME_OPEN);
	for (size_t i = 0; i < 5; i++) {
		m.pod = texts[i];
		assert_int_equal(message(&gate, CHANNEL__MSG_TYPE__MSG_REFUSAL,
					 &m.base, &err),
				 i == 0 ? 0 : ERR_PROTO);
	}
	assert_string_equal(err.msg,
			    "Refusal.pod: want namespace/name or nothing");
	m.pod = texts[0];
	m.reason = (char[]){"\xff\xfe"};
	assert_int_equal(
		message(&gate, CHANNEL__MSG_TYPE__MSG_REFUSAL, &m.base, &err),
		ERR_PROTO);
	m.reason = (char[]){"\x1b[31m"};
	assert_int_equal(
		message(&gate, CHANNEL__MSG_TYPE__MSG_REFUSAL, &m.base, &err),
		ERR_PROTO);
	memset(big, 'a', sizeof(big) - 1);
	m.reason = big;
	assert_int_equal(
		message(&gate, CHANNEL__MSG_TYPE__MSG_REFUSAL, &m.base, &err),
		ERR_LIMIT);
	assert_non_null(strstr(err.msg, "Refusal.reason: want at most 4096"));
}

/* A80: two bytes must not become a struct each without end. */
static void test_A80_memory(void **state)
{
	static uint8_t bytes[2 << 20];
	struct frame_gate gate;
	struct err err;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(bytes); i += 2) {
		bytes[i] = 5 << 3 | 2; /* pods, of length 0 */
		bytes[i + 1] = 0;
	}
	frame_gate_init(&gate, FRAME_FROM_HOST, FRAME_OPEN);
	assert_int_equal(payload(&gate, REPORT, bytes, sizeof(bytes), &err),
			 ERR_LIMIT);
	assert_non_null(strstr(err.msg, "want too much memory"));
}

/* Unknown fields are dropped; a doubled or padded known one is refused. */
static void test_A80_canonical(void **state)
{
	static const uint8_t unknown[] = {6 << 3, 7, 0xf8, 0x07, 1};
	static const uint8_t twice[] = {6 << 3, 7, 6 << 3, 7};
	static const uint8_t longer[] = {6 << 3, 0x87, 0x00};
	static const uint8_t nul[] = {1 << 3 | 2, 3, 'a', 0, 'b', 6 << 3, 7};
	struct frame_gate gate;
	struct buf out;
	struct err err;

	(void)state;
	frame_gate_init(&gate, FRAME_FROM_HOST, FRAME_FRESH);
	buf_init(&out, 4096);
	assert_int_equal(frame_gate_payload(&gate, frame_find(HELLO), unknown,
					    sizeof(unknown), &out, &err),
			 0);
	assert_int_equal(out.len, 2);
	assert_memory_equal(out.data, unknown, 2);
	buf_release(&out);
	assert_int_equal(payload(&gate, HELLO, twice, sizeof(twice), &err),
			 ERR_PROTO);
	assert_int_equal(payload(&gate, HELLO, longer, sizeof(longer), &err),
			 ERR_PROTO);
	assert_int_equal(payload(&gate, HELLO, nul, sizeof(nul), &err),
			 ERR_PROTO);
	assert_string_equal(err.msg, "Hello: not packed canonically");
}

/* A80: cut after each byte: refused or smaller, never a crash. */
static void test_A80_truncated(void **state)
{
	Channel__Hello hello = CHANNEL__HELLO__INIT;
	struct frame_gate gate;
	struct buf packed;
	struct err err;

	(void)state;
	buf_init(&packed, 4096);
	hello.session = 0xffffffffffffffffULL;
	hello.boot_id = (char[]){"b-1"};
	hello.accepted_commit =
		(char[]){"0123456789012345678901234567890123456789"};
	assert_int_equal(shape_pack(&hello.base, &packed, &err), 0);
	for (size_t n = 0; n < packed.len; n++) {
		frame_gate_init(&gate, FRAME_FROM_HOST, FRAME_FRESH);
		/* without the last field, session, it is no Hello */
		assert_int_equal(payload(&gate, HELLO, packed.data, n, &err),
				 ERR_PROTO);
	}
	buf_release(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_whole),
		cmocka_unit_test(test_E64_lengths),
		cmocka_unit_test(test_K15_every_type_in_every_state),
		cmocka_unit_test(test_A80_rate),
		cmocka_unit_test(test_S04_replay),
		cmocka_unit_test(test_A80_fields),
		cmocka_unit_test(test_A80_memory),
		cmocka_unit_test(test_A80_canonical),
		cmocka_unit_test(test_A80_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
