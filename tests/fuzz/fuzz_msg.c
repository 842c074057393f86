/*
 * fuzz_msg - frames between siblings: any byte stream is a row of whole frames,
 * an end between two of them, or a breach of the protocol (E64).
 */
#include "lib/file.h"
#include "lib/msg.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM_MAX 65536
#define PAYLOAD_MAX ((size_t)32768)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t taken = 0;
	struct err err;
	struct msg m;
	int pair[2], r;

	if (size > STREAM_MAX ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 0;
	if (file_write_fd(pair[0], data, size, &err) < 0)
		abort();
	(void)close(pair[0]);
	msg_init(&m, PAYLOAD_MAX);
	while ((r = msg_recv(pair[1], &m, 1000, &err)) == 0) {
		taken += MSG_HEADER_BYTES + m.payload.len;
		if (taken > size || m.payload.len > PAYLOAD_MAX || m.n_fds)
			abort();
	}
	if (r == ERR_NOTFOUND ? taken != size : r != ERR_PROTO)
		abort();
	msg_release(&m);
	(void)close(pair[1]);
	return 0;
}
