/* channel_words.c - frames spelled as words, for the command lines of tests. */
#include "channel/agent.pb-c.h"
#include "channel/frame.h"
#include "lib/encode.h"
#include "tests/tools/channel_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void pack(const ProtobufCMessage *msg, struct buf *out)
{
	struct err err = {0};

	if (shape_pack(msg, out, &err) < 0) {
		(void)fprintf(stderr, "channel-tool: %s\n", err.msg);
		exit(64);
	}
}

/* hello SESSION */
static void hello(int n, char **w, struct buf *out)
{
	Channel__Hello m;

	channel__hello__init(&m);
	(void)n;
	m.version = (char[]){"0.1.0"};
	m.session = (uint64_t)channel_tool_number(w[1]);
	pack(&m.base, out);
}

/* report SESSION SEQUENCE PODS */
static void report(int n, char **w, struct buf *out)
{
	char uid[] = "0123456789abcdef0123456789abcdef";
	char namespace[] = "default", name[] = "web-0";
	Channel__Report m;
	size_t pods = n > 3 ? (size_t)channel_tool_number(w[3]) : 0;
	Channel__PodStatus *all = calloc(pods + 1, sizeof(*all));
	Channel__PodStatus **list = calloc(pods + 1, sizeof(*list));

	channel__report__init(&m);
	m.session = (uint64_t)channel_tool_number(w[1]);
	m.sequence = (uint64_t)channel_tool_number(w[2]);
	for (size_t i = 0; all && list && i < pods; i++) {
		channel__pod_status__init(&all[i]);
		all[i].uid = uid;
		all[i].namespace_ = namespace;
		all[i].name = name;
		all[i].phase = CHANNEL__PHASE__RUNNING;
		list[i] = &all[i];
	}
	m.pods = list;
	m.n_pods = pods;
	pack(&m.base, out);
	free(list);
	free(all);
}

/* refusal CODE */
static void refusal(int n, char **w, struct buf *out)
{
	Channel__Refusal m;

	channel__refusal__init(&m);
	(void)n;
	m.code = w[1];
	m.reason = (char[]){"no"};
	pack(&m.base, out);
}

/* logdata ID BYTES */
static void logdata(int n, char **w, struct buf *out)
{
	Channel__LogData m;
	size_t len = n > 2 ? (size_t)channel_tool_number(w[2]) : 0;
	uint8_t *data = calloc(len + 1, 1);

	channel__log_data__init(&m);
	m.id = (uint64_t)channel_tool_number(w[1]);
	m.data = (ProtobufCBinaryData){len, data};
	pack(&m.base, out);
	free(data);
}

/* welcome MS */
static void welcome(int n, char **w, struct buf *out)
{
	Channel__Welcome m;

	channel__welcome__init(&m);
	(void)n;
	m.unix_ms = channel_tool_number(w[1]);
	pack(&m.base, out);
}

/* assign EPOCH HOST */
static void assign(int n, char **w, struct buf *out)
{
	Channel__Assignment m;

	channel__assignment__init(&m);
	m.epoch = (uint64_t)channel_tool_number(w[1]);
	m.host = n > 2 ? w[2] : (char[]){"host-a"};
	m.commit = (char[]){"0123456789012345678901234567890123456789"};
	pack(&m.base, out);
}

/* pack CHUNK BYTES */
static void pack_chunk(int n, char **w, struct buf *out)
{
	Channel__Pack m;
	size_t len = n > 2 ? (size_t)channel_tool_number(w[2]) : 0;
	uint8_t *data = calloc(len + 1, 1);

	channel__pack__init(&m);
	m.commit = (char[]){"0123456789012345678901234567890123456789"};
	m.chunk = (uint32_t)channel_tool_number(w[1]);
	m.data = (ProtobufCBinaryData){len, data};
	pack(&m.base, out);
	free(data);
}

static const struct {
	const char *name;
	uint16_t type;
	int words;
	void (*fn)(int n, char **w, struct buf *out);
} kinds[] = {
	{"hello", CHANNEL__MSG_TYPE__MSG_HELLO, 2, hello},
	{"report", CHANNEL__MSG_TYPE__MSG_REPORT, 3, report},
	{"refusal", CHANNEL__MSG_TYPE__MSG_REFUSAL, 2, refusal},
	{"logdata", CHANNEL__MSG_TYPE__MSG_LOG_DATA, 2, logdata},
	{"welcome", CHANNEL__MSG_TYPE__MSG_WELCOME, 2, welcome},
	{"assign", CHANNEL__MSG_TYPE__MSG_ASSIGNMENT, 2, assign},
	{"pack", CHANNEL__MSG_TYPE__MSG_PACK, 2, pack_chunk},
};

uint16_t channel_tool_payload(int n, char **words, struct buf *out)
{
	if (n >= 2 && strcmp(words[0], "raw") == 0) {
		const char *hex = n > 2 ? words[2] : "";
		size_t len = strlen(hex) / 2;
		char *at = buf_reserve(out, len);

		if (at && encode_unhex(at, hex, len * 2))
			buf_commit(out, len);
		return (uint16_t)channel_tool_number(words[1]);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (n >= kinds[i].words &&
		    strcmp(words[0], kinds[i].name) == 0) {
			kinds[i].fn(n, words, out);
			return kinds[i].type;
		}
	return 0;
}

/* Writes whole frames to standard output; "," between their words.  "header
 * LEN TYPE LAST" writes a header alone, "bytes HEX" just bytes. */
static void put_one(int n, char **w)
{
	uint8_t header[FRAME_HEADER_BYTES];
	struct buf payload;
	uint16_t type;

	buf_init(&payload, 64 << 20);
	if (n >= 4 && strcmp(w[0], "header") == 0) {
		uint16_t last = (uint16_t)channel_tool_number(w[3]);

		frame_header(header, (uint16_t)channel_tool_number(w[2]),
			     (uint32_t)channel_tool_number(w[1]));
		header[6] = (uint8_t)(last & 0xff);
		header[7] = (uint8_t)(last >> 8);
		(void)fwrite(header, 1, sizeof(header), stdout);
	} else if (n >= 2 && strcmp(w[0], "bytes") == 0) {
		char word[] = "raw", zero[] = "0";
		char *raw[] = {word, zero, w[1]};

		(void)channel_tool_payload(3, raw, &payload);
		(void)fwrite(payload.data, 1, payload.len, stdout);
	} else {
		type = channel_tool_payload(n, w, &payload);
		frame_header(header, type, (uint32_t)payload.len);
		(void)fwrite(header, 1, sizeof(header), stdout);
		if (payload.len)
			(void)fwrite(payload.data, 1, payload.len, stdout);
	}
	buf_release(&payload);
}

int channel_frame(int argc, char **argv, struct err *err)
{
	int from = 0;

	(void)err;
	for (int i = 0; i <= argc; i++)
		if (i == argc || strcmp(argv[i], ",") == 0) {
			if (i > from)
				put_one(i - from, argv + from);
			from = i + 1;
		}
	return fflush(stdout) == 0 ? 0 : ERR_SYS;
}
