/*
 * fuzz_frame - the frames of the agent channel.  Two bytes: direction
 * and state; the rest is the byte stream of the peer.  What gets through is
 * canonical: it gets through again and comes out unchanged.
 */
#include "channel/frame.h"

#include <stdlib.h>
#include <string.h>

#define OUT_BYTES ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct frame_type *type, const struct buf *first)
{
	ProtobufCMessage *msg = NULL;
	struct err err;
	struct buf out;

	buf_init(&out, OUT_BYTES);
	if (shape_open(type->shape, first->data ? first->data : "", first->len,
		       &msg, &err) < 0 ||
	    shape_pack(msg, &out, &err) < 0 || out.len != first->len ||
	    (out.len && memcmp(out.data, first->data, out.len) != 0))
		abort();
	shape_close(msg);
	buf_release(&out);
}

static void stream(struct frame_gate *gate, const uint8_t *data, size_t size)
{
	const struct frame_type *type;
	struct err err;
	struct buf out;
	uint32_t len;

	buf_init(&out, OUT_BYTES);
	while (size >= FRAME_HEADER_BYTES &&
	       frame_gate_header(gate, data, 1000, &type, &len, &err) == 0) {
		data += FRAME_HEADER_BYTES;
		size -= FRAME_HEADER_BYTES;
		if (len > type->max_bytes)
			abort();
		if (len > size)
			break;
		buf_reset(&out);
		if (frame_gate_payload(gate, type, data, len, &out, &err) < 0)
			break;
		again(type, &out);
		data += len;
		size -= len;
	}
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_gate gate;

	if (size < 2)
		return 0;
	frame_gate_init(&gate,
			data[0] & 1 ? FRAME_FROM_MANAGER : FRAME_FROM_HOST,
			(enum frame_state)(1 << (data[1] & 3)));
	stream(&gate, data + 2, size - 2);
	return 0;
}
