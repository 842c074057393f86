/*
 * trust_ask.c - for the shell suites: one request to reconcile-verify or
 * reconcile-fetch, the answer as lines of text.
 *
 *   trust_ask LIBEXEC verify repo= signers= revoked= id= ref= target=
 *             [accepted=] [now=] [mode=untrusted|proposal] [head_only=1]
 *             [policy=sha256:HEX] [anchor=] [openpgp=1] [commits=1]
 *             [snapshot=1]
 *             [repeat=N] [status=1]
 *   trust_ask LIBEXEC mirror url= ref= store= [key=] [hosts=] [max=] [timeout=]
 *             [ca=] [pin=] [credential=] [env=NAME=VALUE]...
 *   trust_ask LIBEXEC poll (as mirror, without store) [repeat=N] [wait=MS]
 *             N answers, with a pause between two
 *   trust_ask LIBEXEC pack store= want= [have=] out=FILE
 *   trust_ask LIBEXEC ingest store= want= in=FILE [max=]
 */
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/msg.h"
#include "lib/num.h"
#include "lib/proc.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/fetch/fetch.pb-c.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_BYTES ((size_t)1 << 30)
#define ENV_MAX 32

struct ask {
	int argc;
	char **argv;
	const char *libexec;
	struct proc proc;
	int sock;
	struct msg m;
	struct err err;
};

static char *get(const struct ask *a, const char *name)
{
	size_t n = strlen(name);

	for (int i = 3; i < a->argc; i++)
		if (strncmp(a->argv[i], name, n) == 0 && a->argv[i][n] == '=')
			return a->argv[i] + n + 1;
	return (char *)(uintptr_t) "";
}

static uint64_t get_number(const struct ask *a, const char *name, uint64_t def)
{
	const char *text = get(a, name);
	uint64_t n = def;

	if (*text != '\0' && !num_parse_u64(text, strlen(text), UINT64_MAX, &n))
		exit(2);
	return n;
}

static int die(const struct ask *a)
{
	printf("broken %s %s\n", err_name(a->err.code), a->err.msg);
	return 1;
}

static void get_file(struct ask *a, const char *name, struct buf *out)
{
	const char *path = get(a, name);

	buf_init(out, FILE_BYTES);
	if (*path != '\0' &&
	    file_read(AT_FDCWD, path, FILE_BYTES, out, &a->err) < 0)
		exit(die(a));
}

static int sibling(struct ask *a, const char *name)
{
	const char *args[] = {NULL};

	return proc_sibling(a->libexec, name, args, &a->proc, &a->sock,
			    &a->err);
}

static int send_message(struct ask *a, uint16_t type, const ProtobufCMessage *p)
{
	size_t len = protobuf_c_message_get_packed_size(p);
	uint8_t *bytes = malloc(len + 1);
	int r;

	if (bytes == NULL)
		exit(2);
	(void)protobuf_c_message_pack(p, bytes);
	r = msg_send(a->sock, type, bytes, len, NULL, 0, &a->err);
	free(bytes);
	return r;
}

static int receive(struct ask *a)
{
	msg_release(&a->m);
	msg_init(&a->m, MSG_PAYLOAD_MAX);
	return msg_recv(a->sock, &a->m, 120000, &a->err);
}

static void print_list(const char *name, char **items, size_t n)
{
	printf(" %s=", name);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i > 0 ? "," : "", items[i]);
}

static void print_requirement(const Verify__Requirement *q)
{
	printf("rule %s %.8s..%.8s %s want=%u", *q->rule ? q->rule : "-",
	       q->from, q->to, q->met ? "met" : q->code, q->threshold);
	print_list("have", q->have, q->n_have);
	print_list("could", q->could, q->n_could);
	print_list("paths", q->paths, q->n_paths);
	printf(" of %u fix: %s\n", q->paths_total, q->fix);
}

static void print_reply(const Verify__VerifyReply *v)
{
	static const char *const verdicts[] = {"ACCEPTED", "REFUSED_TRUST",
					       "REFUSED_MANIFEST",
					       "REFUSED_POLICY", "FAILED"};

	printf("verdict %s\n", verdicts[v->verdict]);
	printf("commit %s\n", v->commit);
	printf("verified %llu\n", (unsigned long long)v->commits_verified);
	for (size_t i = 0; i < v->n_commits; i++)
		printf("by %s %s signer=%s key=%s %s%s%s\n",
		       v->commits[i]->commit, v->commits[i]->code,
		       v->commits[i]->signer, v->commits[i]->key,
		       v->commits[i]->reason,
		       *v->commits[i]->subject != '\0' ? " subject=" : "",
		       v->commits[i]->subject);
	for (size_t i = 0; i < v->n_diagnostics; i++)
		printf("diag %s %s:%u:%u %s (fix: %s)\n",
		       v->diagnostics[i]->code, v->diagnostics[i]->path,
		       v->diagnostics[i]->line, v->diagnostics[i]->column,
		       v->diagnostics[i]->message, v->diagnostics[i]->fix);
	for (size_t i = 0; i < v->n_requirements; i++)
		print_requirement(v->requirements[i]);
	for (size_t i = 0; i < v->n_proposal; i++)
		printf("fact %s\n", v->proposal[i]);
	if (v->trust_version != 0)
		printf("trust %llu fresh %lld\n",
		       (unsigned long long)v->trust_version,
		       (long long)v->fresh_until);
	if (v->statement.len > 0)
		printf("%.*s", (int)v->statement.len,
		       (const char *)v->statement.data);
	printf("snapshot %zu\n", v->snapshot.len);
	if (*v->error_code != '\0')
		printf("error %s %s\n", v->error_code, v->error);
}

/* What the kernel says about the program while it waits for a request. */
static void print_status(const struct ask *a)
{
	static const char *const wanted[] = {
		"NoNewPrivs:", "Seccomp:", "CapEff:", "CapPrm:", "CapBnd:"};
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)a->proc.pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
				printf("status %s", line);
	if (f != NULL)
		fclose(f);
}

static int ask_verify(struct ask *a)
{
	Verify__VerifyRequest req = VERIFY__VERIFY_REQUEST__INIT;
	Verify__TrustRoot root = VERIFY__TRUST_ROOT__INIT;
	uint64_t repeat = get_number(a, "repeat", 1);
	Verify__VerifyReply *reply = NULL;
	struct buf signers, revoked;

	get_file(a, "signers", &signers);
	get_file(a, "revoked", &revoked);
	root.repository_id = get(a, "id");
	root.ref = get(a, "ref");
	root.allowed_signers.data = (uint8_t *)signers.data;
	root.allowed_signers.len = signers.len;
	root.revoked_keys.data = (uint8_t *)revoked.data;
	root.revoked_keys.len = revoked.len;
	root.trust_policy = get(a, "policy");
	root.anchor = get(a, "anchor");
	root.openpgp = get_number(a, "openpgp", 0) != 0;
	req.want_commits = get_number(a, "commits", 0) != 0;
	req.root = &root;
	req.repository_path = get(a, "repo");
	req.target = get(a, "target");
	req.accepted = get(a, "accepted");
	req.now =
		(int64_t)get_number(a, "now", (uint64_t)clock_unix_ms() / 1000);
	req.head_only = get_number(a, "head_only", 0) != 0;
	req.want_snapshot = get_number(a, "snapshot", 0) != 0;
	if (strcmp(get(a, "mode"), "untrusted") == 0)
		req.mode = VERIFY__VERIFY_REQUEST__MODE__UNTRUSTED;
	if (strcmp(get(a, "mode"), "proposal") == 0)
		req.mode = VERIFY__VERIFY_REQUEST__MODE__PROPOSAL;
	if (sibling(a, "reconcile-verify") < 0)
		return die(a);
	while (repeat-- > 0) {
		if (send_message(a, VERIFY__MSG_TYPE__MSG_VERIFY_REQUEST,
				 &req.base) < 0 ||
		    receive(a) < 0)
			return die(a);
	}
	reply = verify__verify_reply__unpack(
		NULL, a->m.payload.len, (const uint8_t *)a->m.payload.data);
	if (reply == NULL)
		return 1;
	print_reply(reply);
	if (get_number(a, "status", 0) != 0)
		print_status(a);
	verify__verify_reply__free_unpacked(reply, NULL);
	buf_release(&signers);
	buf_release(&revoked);
	return 0;
}

static int print_answer(struct ask *a)
{
	const uint8_t *bytes = (const uint8_t *)a->m.payload.data;

	if (a->m.type == FETCH__MSG_TYPE__MSG_HEAD) {
		Fetch__Head *h =
			fetch__head__unpack(NULL, a->m.payload.len, bytes);

		if (h == NULL)
			return 1;
		printf("head %s changed=%d\n", h->commit, h->changed);
		if (h->whole_list)
			printf("whole list\n");
		printf("bytes %llu\n", (unsigned long long)h->bytes);
		fetch__head__free_unpacked(h, NULL);
		return 0;
	}
	if (a->m.type == FETCH__MSG_TYPE__MSG_ERROR) {
		Fetch__Error *e =
			fetch__error__unpack(NULL, a->m.payload.len, bytes);

		if (e == NULL)
			return 1;
		printf("error %s %s\n", e->code, e->message);
		fetch__error__free_unpacked(e, NULL);
		return 0;
	}
	printf("broken frame %u\n", a->m.type);
	return 1;
}

/* As a starter would that hands on its own environment. */
static int fetch_with(struct ask *a)
{
	const char *envp[ENV_MAX] = {"PATH=/usr/bin:/bin"};
	char path[4096];
	const char *argv[] = {path, NULL};
	struct proc_spec spec = {.path = path,
				 .argv = argv,
				 .envp = envp,
				 .n_fds = 1,
				 .in = -1,
				 .out = -1,
				 .err = STDERR_FILENO};
	size_t n = 1;
	int pair[2];
	int r;

	for (int i = 3; i < a->argc && n < ENV_MAX - 1; i++)
		if (strncmp(a->argv[i], "env=", 4) == 0)
			envp[n++] = a->argv[i] + 4;
	if (n == 1)
		return sibling(a, "reconcile-fetch");
	snprintf(path, sizeof(path), "%s/reconcile-fetch", a->libexec);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		exit(2);
	spec.fds = &pair[1];
	r = proc_spawn(&spec, &a->proc, &a->err);
	(void)close(pair[1]);
	a->sock = pair[0];
	return r;
}

static void fill_mirror(const struct ask *a, Fetch__MirrorRequest *req)
{
	fetch__mirror_request__init(req);
	req->url = get(a, "url");
	req->ref = get(a, "ref");
	req->store_path = get(a, "store");
	req->ssh_key = get(a, "key");
	req->ssh_known_hosts = get(a, "hosts");
	req->ca_file = get(a, "ca");
	req->server_key = get(a, "pin");
	req->credential_file = get(a, "credential");
	req->max_bytes = get_number(a, "max", 0);
	req->timeout_ms = (uint32_t)get_number(a, "timeout", 0);
}

static int ask_mirror(struct ask *a)
{
	Fetch__MirrorRequest req;

	fill_mirror(a, &req);
	if (fetch_with(a) < 0 ||
	    send_message(a, FETCH__MSG_TYPE__MSG_MIRROR, &req.base) < 0 ||
	    receive(a) < 0)
		return die(a);
	return print_answer(a);
}

static int ask_poll(struct ask *a)
{
	uint64_t repeat = get_number(a, "repeat", 1);
	useconds_t pause = (useconds_t)get_number(a, "wait", 0) * 1000;
	Fetch__MirrorRequest req;
	int r;

	fill_mirror(a, &req);
	if (fetch_with(a) < 0)
		return die(a);
	r = send_message(a, FETCH__MSG_TYPE__MSG_POLL, &req.base);
	for (;;) {
		if (r < 0 || receive(a) < 0)
			return die(a);
		r = print_answer(a);
		if (r != 0 || --repeat == 0)
			return r;
		(void)fflush(stdout);
		(void)usleep(pause);
		r = msg_send(a->sock, FETCH__MSG_TYPE__MSG_POLL, "", 0, NULL, 0,
			     &a->err);
	}
}

static int ask_pack(struct ask *a)
{
	Fetch__PackRequest req = FETCH__PACK_REQUEST__INIT;
	char *have = get(a, "have");
	struct buf pack;
	int r;

	buf_init(&pack, FILE_BYTES);
	req.store_path = get(a, "store");
	req.want = get(a, "want");
	req.have = &have;
	req.n_have = *have != '\0';
	if (sibling(a, "reconcile-fetch") < 0 ||
	    send_message(a, FETCH__MSG_TYPE__MSG_PACK, &req.base) < 0)
		return die(a);
	while ((r = receive(a)) == 0 &&
	       a->m.type == FETCH__MSG_TYPE__MSG_PACK_DATA)
		buf_put(&pack, a->m.payload.data, a->m.payload.len);
	if (r < 0)
		return die(a);
	if (a->m.type != FETCH__MSG_TYPE__MSG_DONE)
		return print_answer(a);
	if (file_replace(AT_FDCWD, get(a, "out"), 0600,
			 pack.data != NULL ? pack.data : "", pack.len,
			 &a->err) < 0)
		return die(a);
	printf("pack %zu\n", pack.len);
	buf_release(&pack);
	return 0;
}

static int ask_ingest(struct ask *a)
{
	Fetch__IngestRequest req = FETCH__INGEST_REQUEST__INIT;
	struct buf pack;
	int r;

	get_file(a, "in", &pack);
	req.store_path = get(a, "store");
	req.want = get(a, "want");
	req.max_bytes = get_number(a, "max", 0);
	if (sibling(a, "reconcile-fetch") < 0)
		return die(a);
	r = send_message(a, FETCH__MSG_TYPE__MSG_INGEST, &req.base);
	for (size_t at = 0; r == 0 && at < pack.len;) {
		size_t n = pack.len - at;

		n = n < 1u << 20 ? n : 1u << 20;
		r = msg_send(a->sock, FETCH__MSG_TYPE__MSG_PACK_DATA,
			     pack.data + at, n, NULL, 0, &a->err);
		at += n;
	}
	if (r == 0)
		(void)msg_send(a->sock, FETCH__MSG_TYPE__MSG_DONE, "", 0, NULL,
			       0, &a->err);
	buf_release(&pack);
	if (receive(a) < 0)
		return die(a);
	return print_answer(a);
}

/* The program must end by itself, and not by a signal or a sanitizer. */
static int farewell(struct ask *a, int r)
{
	int status = 0;

	(void)close(a->sock);
	if (proc_wait(&a->proc, 20000, &status, &a->err) < 0) {
		proc_kill(&a->proc);
		return die(a);
	}
	if (status == 1 || status == 23 || status >= 128) {
		printf("broken exit %d\n", status);
		return 1;
	}
	return r;
}

int main(int argc, char **argv)
{
	struct ask a = {.argc = argc, .argv = argv};
	int r = 2;

	if (argc < 3)
		return 2;
	a.libexec = argv[1];
	msg_init(&a.m, MSG_PAYLOAD_MAX);
	if (strcmp(argv[2], "verify") == 0)
		r = ask_verify(&a);
	else if (strcmp(argv[2], "mirror") == 0)
		r = ask_mirror(&a);
	else if (strcmp(argv[2], "poll") == 0)
		r = ask_poll(&a);
	else if (strcmp(argv[2], "pack") == 0)
		r = ask_pack(&a);
	else if (strcmp(argv[2], "ingest") == 0)
		r = ask_ingest(&a);
	msg_release(&a.m);
	if (a.proc.pid > 0)
		r = farewell(&a, r);
	return r;
}
