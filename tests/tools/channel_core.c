/*
 * channel_core.c - a manager program for the suites: prints every event of the
 * channel as a line and does what lines on standard input say.
 *
 *   cut HOST | reload | send HOST WORDS... | burst HOST N BYTES | quit
 *   force HOST N BYTES   (as burst, without the client's pace)
 *   mode ok|pending|altered|otherhost|deny   (how joins are answered)
 */
#include "channel/agent.pb-c.h"
#include "channel/client.h"
#include "channel/local.pb-c.h"
#include "channel/pki.h"
#include "channel/shape.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/msg.h"
#include "tests/tools/channel_tool.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct core {
	struct channel_client *client;
	struct pki *ca;
	struct buf trust;
	const char *book;
	int64_t valid_s;
	char mode[16];
	char used[64][33]; /* token ids */
	size_t n_used;
};

/* NULL, or the code of a refusal. */
static const char *judge(struct core *c, const Channel__JoinRequest *req)
{
	char id[33], secret[33], line[512];
	FILE *book = fopen(c->book, "r");
	const char *code = "J01";

	encode_hex(id, req->token_id.data, 16);
	encode_hex(secret, req->token_secret.data, 16);
	while (book && fgets(line, sizeof(line), book)) {
		char *w[8];

		if (channel_tool_words(line, w, 8) != 4 ||
		    strcmp(w[0], id) != 0)
			continue;
		code = NULL;
		if (CRYPTO_memcmp(w[1], secret, 32) != 0)
			code = "J02";
		else if (strcmp(w[2], req->host) != 0)
			code = "J03";
		else if (channel_tool_number(w[3]) < clock_unix_ms() / 1000)
			code = "J04";
	}
	if (book)
		(void)fclose(book);
	for (size_t i = 0; i < c->n_used && !code; i++)
		if (strcmp(c->used[i], id) == 0)
			code = "J05";
	if (!code && c->n_used < 64)
		memcpy(c->used[c->n_used++], id, sizeof(id));
	return strcmp(c->mode, "deny") == 0 ? "J06" : code;
}

static void answer(struct core *c, uint64_t id, const Channel__JoinReply *reply)
{
	struct err err = {0};
	struct buf packed;

	buf_init(&packed, 2 << 20);
	if (shape_pack(&reply->base, &packed, &err) == 0)
		(void)channel_client_join_answer(c->client, id, packed.data,
						 packed.len, &err);
	buf_release(&packed);
}

static void join(struct core *c, const struct channel_event *e)
{
	Channel__JoinReply reply;
	Channel__JoinRequest *req =
		channel__join_request__unpack(NULL, e->len, e->payload);
	ProtobufCBinaryData chain[2];
	struct pki_issued issued = {.not_after = 0};
	struct err err = {0};
	char other[] = "other-host", words[] = "token refused";
	char shown[4] = "";
	const char *code = judge(c, req);
	bool pending = strcmp(c->mode, "pending") == 0;

	channel__join_reply__init(&reply);
	(void)printf("join id=%llu host=%s %s\n", (unsigned long long)e->id,
		     req->host, code ? code : "ok");
	if (pending) {
		Channel__JoinReply wait;

		channel__join_reply__init(&wait);
		wait.pending = 1;
		answer(c, e->id, &wait);
	}
	if (code) {
		memcpy(shown, code, sizeof(shown));
		reply.error_code = shown;
		reply.error = words;
	} else if (pki_host_issue(c->ca, req->csr_der.data, req->csr_der.len,
				  strcmp(c->mode, "otherhost") == 0 ? other
								    : req->host,
				  clock_unix_ms() / 1000, c->valid_s, &issued,
				  &err) < 0) {
		(void)printf("issue %s\n", err.msg);
	} else {
		chain[0].data = (uint8_t *)issued.leaf_der.data;
		chain[0].len = issued.leaf_der.len;
		chain[1].data = (uint8_t *)issued.ca_der.data;
		chain[1].len = issued.ca_der.len;
		reply.chain_der = chain;
		reply.n_chain_der = 2;
		reply.trust_root.data = (uint8_t *)c->trust.data;
		reply.trust_root.len = c->trust.len;
		if (strcmp(c->mode, "altered") == 0)
			c->trust.data[0] ^= 1;
	}
	answer(c, e->id, &reply);
	if (strcmp(c->mode, "altered") == 0)
		c->trust.data[0] ^= 1;
	if (issued.not_after)
		pki_issued_release(&issued);
	channel__join_request__free_unpacked(req, NULL);
}

static void renew(struct core *c, const struct channel_event *e)
{
	Channel__CertReply reply;
	Channel__CertRequest *req =
		channel__cert_request__unpack(NULL, e->len, e->payload);
	ProtobufCBinaryData chain[1];
	struct pki_issued issued;
	struct err err = {0};
	struct buf packed;

	channel__cert_reply__init(&reply);
	buf_init(&packed, 65536);
	if (pki_host_issue(c->ca, req->csr_der.data, req->csr_der.len, e->host,
			   clock_unix_ms() / 1000, 3600, &issued, &err) == 0) {
		chain[0].data = (uint8_t *)issued.leaf_der.data;
		chain[0].len = issued.leaf_der.len;
		reply.chain_der = chain;
		reply.n_chain_der = 1;
		(void)printf("renew host=%s serial=%s\n", e->host,
			     issued.serial);
		if (shape_pack(&reply.base, &packed, &err) == 0)
			(void)channel_client_send_host(
				c->client, e->host,
				CHANNEL__MSG_TYPE__MSG_CERT_REPLY, packed.data,
				packed.len, &err);
		pki_issued_release(&issued);
	}
	buf_release(&packed);
	channel__cert_request__free_unpacked(req, NULL);
}

static void show(struct core *c, const struct channel_event *e)
{
	switch (e->kind) {
	case CHANNEL_EVENT_HOST_UP:
		(void)printf("up host=%s serial=%s address=%s\n", e->host,
			     e->serial, e->address);
		break;
	case CHANNEL_EVENT_HOST_DOWN:
		(void)printf("down host=%s code=%s same=%d reason=%s\n",
			     e->host, e->code, e->same_certificate, e->reason);
		break;
	case CHANNEL_EVENT_HOST_FRAME:
		(void)printf("frame host=%s type=%u len=%zu\n", e->host,
			     e->type, e->len);
		if (e->type == CHANNEL__MSG_TYPE__MSG_CERT_REQUEST)
			renew(c, e);
		break;
	case CHANNEL_EVENT_JOIN_ASKED:
		join(c, e);
		break;
	case CHANNEL_EVENT_READY:
		(void)printf("ready\n");
		break;
	case CHANNEL_EVENT_HOST_ROOM:
		(void)printf("room host=%s sent=%llu\n", e->host,
			     (unsigned long long)e->sent);
		break;
	case CHANNEL_EVENT_DENIED:
		(void)printf("denied address=%s reason=%s\n", e->address,
			     e->reason);
		break;
	case CHANNEL_EVENT_RELOADED:
		(void)printf("reloaded ok=%d %s\n", e->ok, e->reason);
		break;
	}
}

static void send_words(struct core *c, const char *host, int n, char **w,
		       struct err *err)
{
	struct buf payload;
	uint16_t type;

	buf_init(&payload, 64 << 20);
	type = channel_tool_payload(n, w, &payload);
	(void)channel_client_send_host(c->client, host, type,
				       payload.data ? payload.data : "",
				       payload.len, err);
	buf_release(&payload);
}

static void burst(struct core *c, char **w, struct err *err)
{
	char name[] = "pack", chunk[] = "0";
	char *words[] = {name, chunk, w[3]};

	for (int64_t i = channel_tool_number(w[2]); i > 0; i--)
		send_words(c, w[1], 3, words, err);
}

static void force(struct core *c, char **w, struct err *err)
{
	char name[] = "pack", chunk[] = "0";
	char *words[] = {name, chunk, w[3]};
	struct buf payload, packed;
	Local__HostSend msg;

	local__host_send__init(&msg);
	buf_init(&payload, 8 << 20);
	buf_init(&packed, 8 << 20);
	msg.host = w[1];
	msg.type = channel_tool_payload(3, words, &payload);
	msg.payload.data = (uint8_t *)payload.data;
	msg.payload.len = payload.len;
	if (shape_pack(&msg.base, &packed, err) == 0)
		for (int64_t i = channel_tool_number(w[2]); i > 0; i--)
			(void)msg_send(channel_client_fd(c->client),
				       LOCAL__MSG_TYPE__MSG_HOST_SEND,
				       packed.data, packed.len, NULL, 0, err);
	buf_release(&payload);
	buf_release(&packed);
}

/* False: the end. */
static bool command(struct core *c, char *line)
{
	struct err err = {0};
	char *w[32];
	int n = channel_tool_words(line, w, 32);

	if (n == 0)
		return true;
	if (strcmp(w[0], "quit") == 0)
		return false;
	if (strcmp(w[0], "cut") == 0 && n > 1)
		(void)channel_client_cut(c->client, w[1], "asked", &err);
	else if (strcmp(w[0], "reload") == 0)
		(void)channel_client_reload(c->client, &err);
	else if (strcmp(w[0], "send") == 0 && n > 2)
		send_words(c, w[1], n - 2, w + 2, &err);
	else if (strcmp(w[0], "burst") == 0 && n > 3)
		burst(c, w, &err);
	else if (strcmp(w[0], "force") == 0 && n > 3)
		force(c, w, &err);
	else if (strcmp(w[0], "mode") == 0 && n > 1)
		(void)snprintf(c->mode, sizeof(c->mode), "%s", w[1]);
	if (err.code)
		(void)printf("error %s\n", err.msg);
	(void)printf("did %s\n", w[0]);
	return true;
}

static int serve(struct core *c, struct err *err)
{
	struct channel_event e;
	char line[4096];
	int r = 0;

	for (;;) {
		struct pollfd p[2] = {
			{.fd = channel_client_fd(c->client), .events = POLLIN},
			{.fd = 0, .events = POLLIN},
		};

		if (channel_client_pending(c->client))
			p[0].revents = POLLIN;
		else if (poll(p, 2, -1) < 0)
			return 0;
		if (p[0].revents) {
			r = channel_client_recv(c->client, 1000, &e, err);
			if (r < 0)
				return r;
			show(c, &e);
			channel_client_event_release(&e);
		}
		if (p[1].revents &&
		    (!fgets(line, sizeof(line), stdin) || !command(c, line)))
			return 0;
	}
}

int channel_core(int argc, char **argv, struct err *err)
{
	struct core c = {.book = argv[3], .mode = "ok"};
	int r;

	(void)argc;
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	buf_init(&c.trust, 1 << 20);
	c.valid_s = channel_tool_number(argv[4]);
	r = pki_open(channel_tool_dir(argv[1]), &c.ca, err);
	if (r == 0)
		r = file_read(-100, argv[2], 1 << 20, &c.trust, err);
	if (r == 0)
		r = channel_client_open(argv[0], 5000, &c.client, err);
	if (r == 0)
		r = serve(&c, err);
	channel_client_close(c.client);
	pki_free(c.ca);
	buf_release(&c.trust);
	return r;
}
