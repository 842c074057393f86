/* call.c - see call.h. */
#include "reconciler/core/call.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 600000
#define END_MS 2000

int call_start(struct call *c, const char *libexec, const char *name,
	       struct err *err)
{
	static const char *const none[] = {NULL};

	c->sock = -1;
	c->proc = (struct proc){.pid = -1, .pidfd = -1};
	msg_init(&c->msg, MSG_PAYLOAD_MAX);
	return proc_sibling(libexec, name, none, &c->proc, &c->sock, err);
}

void call_end(struct call *c)
{
	int status = 0;

	msg_release(&c->msg);
	if (c->sock >= 0)
		(void)close(c->sock);
	if (c->proc.pid > 0 && proc_wait(&c->proc, END_MS, &status, NULL) < 0)
		proc_kill(&c->proc);
}

int call_next(struct call *c, struct err *err)
{
	int r;

	msg_release(&c->msg);
	msg_init(&c->msg, MSG_PAYLOAD_MAX);
	r = msg_recv(c->sock, &c->msg, ANSWER_MS, err);
	if (r == ERR_NOTFOUND)
		return err_set(err, ERR_PROTO, "it ended without an answer");
	return r;
}

int call_send(struct call *c, uint16_t type, const ProtobufCMessage *m,
	      struct err *err)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *bytes = malloc(len > 0 ? len : 1);
	int r;

	if (bytes == NULL)
		return err_set(err, ERR_NOMEM, "request");
	(void)protobuf_c_message_pack(m, bytes);
	r = msg_send(c->sock, type, bytes, len, NULL, 0, err);
	free(bytes);
	return r;
}

int call_code(const char *name)
{
	for (int code = -1; code >= -ERR_CODE_COUNT; code--)
		if (strcmp(err_name(code), name) == 0)
			return code;
	return ERR_SYS;
}

char *call_text(struct arena *arena, const char *s)
{
	return arena_strdup(arena, s == NULL ? "" : s);
}
