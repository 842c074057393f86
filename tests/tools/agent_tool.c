/*
 * agent_tool - the other end of reconcile-agent in its tests.
 *
 * Put into a libexec folder as `reconcile-link` it plays the manager: it reads
 * lines from DIR/cmd (a FIFO), sends the frames that they say, true or
 * hostile, and writes what the agent says as lines to DIR/out:
 *	up | down
 *	pack COMMIT FILE
 *	assign EPOCH COMMIT HOST [POD...] [service=NS/NAME=IP...]
 *	    POD: UID,NS,NAME,KIND,OWNER,HASH,INDEX,COMMIT[,CONTAINER=DIGEST...]
 *	logs NS POD CONTAINER LINES
 * As itself:
 *	agent_tool trust OUT REPOSITORY_ID REF SIGNERS_FILE|sha256:POLICY
 *	agent_tool join OUT POD_CIDR SERVICE_CIDR [label:K=V...]
 *[taint:K=V:E...] agent_tool templates VERIFY REPOSITORY TRUST COMMIT prints
 *"KIND NS NAME HASH", a workload a line
 */
#include "channel/agent.pb-c.h"
#include "lib/file.h"
#include "lib/msg.h"
#include "lib/proc.h"
#include "manifest/manifest.h"
#include "policy/verify/verify.pb-c.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 262144
#define WORDS_MAX 512
#define AGENT_FD 3

static char empty[] = "";

static void die(const char *what, const struct err *err)
{
	(void)fprintf(stderr, "agent_tool: %s: %s\n", what, err->msg);
	exit(7);
}

static void put(const char *path, const void *bytes, size_t len)
{
	struct err err = {0};

	if (file_replace(AT_FDCWD, path, 0600, bytes, len, &err) < 0)
		die(path, &err);
}

static struct buf get(const char *path)
{
	struct err err = {0};
	struct buf b;

	buf_init(&b, 64u << 20);
	if (file_read(AT_FDCWD, path, 64u << 20, &b, &err) < 0)
		die(path, &err);
	return b;
}

static int make_trust(char **argv)
{
	Verify__TrustRoot t = VERIFY__TRUST_ROOT__INIT;
	char none[] = "# none\n";
	bool in_git = strncmp(argv[5], "sha256:", 7) == 0;
	struct buf signers = in_git ? (struct buf){0} : get(argv[5]);
	uint8_t *packed;

	t.repository_id = argv[3];
	t.ref = argv[4];
	if (in_git) {
		t.trust_policy = argv[5];
	} else {
		t.allowed_signers.data = (uint8_t *)signers.data;
		t.allowed_signers.len = signers.len;
		t.revoked_keys.data = (uint8_t *)none;
		t.revoked_keys.len = strlen(none);
	}
	packed = malloc(verify__trust_root__get_packed_size(&t));
	put(argv[2], packed, verify__trust_root__pack(&t, packed));
	free(packed);
	buf_release(&signers);
	return 0;
}

static Channel__KeyValue *pair(char *text)
{
	Channel__KeyValue *kv = malloc(sizeof(*kv));
	char *eq = strchr(text, '=');

	channel__key_value__init(kv);
	*eq = '\0';
	kv->key = text;
	kv->value = eq + 1;
	return kv;
}

static int make_join(int argc, char **argv)
{
	Channel__JoinReply j = CHANNEL__JOIN_REPLY__INIT;
	Channel__KeyValue *labels[32], *taints[32];
	uint8_t packed[8192];

	j.pod_cidr = argv[3];
	j.service_cidr = argv[4];
	j.labels = labels;
	j.taints = taints;
	for (int i = 5; i < argc && i < 32; i++) {
		if (strncmp(argv[i], "label:", 6) == 0)
			labels[j.n_labels++] = pair(argv[i] + 6);
		else if (strncmp(argv[i], "taint:", 6) == 0)
			taints[j.n_taints++] = pair(argv[i] + 6);
	}
	put(argv[2], packed, channel__join_reply__pack(&j, packed));
	return 0;
}

static void print_templates(const Verify__VerifyReply *m)
{
	struct arena *arena = arena_new(256u << 20);
	struct err err = {0};
	struct snapshot s;

	if (snapshot_decode((const char *)m->snapshot.data, m->snapshot.len,
			    arena, &s, &err) < 0)
		die("snapshot", &err);
	for (size_t i = 0; i < s.objects.n; i++) {
		const struct object *o = &s.objects.items[i];
		const struct pod_template *t = manifest_template(o);

		if (t)
			(void)printf("%s %s %s %s\n",
				     manifest_kind_name(o->kind),
				     o->meta.namespace, o->meta.name, t->hash);
	}
	arena_free(arena);
}

static int templates(char **argv)
{
	Verify__VerifyRequest q = VERIFY__VERIFY_REQUEST__INIT;
	struct buf trust = get(argv[4]);
	Verify__VerifyReply *m;
	struct err err = {0};
	struct proc proc;
	uint8_t *packed;
	struct msg in;
	int sock;

	q.repository_path = argv[3];
	q.root = verify__trust_root__unpack(NULL, trust.len,
					    (uint8_t *)trust.data);
	q.accepted = empty;
	q.target = argv[5];
	q.now = time(NULL);
	q.want_snapshot = true;
	msg_init(&in, 64u << 20);
	packed = malloc(verify__verify_request__get_packed_size(&q));
	if (proc_sibling(argv[2], "reconcile-verify", NULL, &proc, &sock,
			 &err) < 0 ||
	    msg_send(sock, VERIFY__MSG_TYPE__MSG_VERIFY_REQUEST, packed,
		     verify__verify_request__pack(&q, packed), NULL, 0,
		     &err) < 0 ||
	    msg_recv(sock, &in, 30000, &err) < 0)
		die("reconcile-verify", &err);
	m = verify__verify_reply__unpack(NULL, in.payload.len,
					 (uint8_t *)in.payload.data);
	if (!m || m->verdict != VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED) {
		(void)fprintf(stderr, "refused: %s %s\n",
			      m && m->n_commits ? m->commits[0]->reason : "",
			      m && m->n_diagnostics ? m->diagnostics[0]->message
						    : (m ? m->error : ""));
		return 4;
	}
	print_templates(m);
	proc_kill(&proc);
	free(packed);
	verify__verify_reply__free_unpacked(m, NULL);
	msg_release(&in);
	buf_release(&trust);
	return 0;
}

/* --- the manager
 * --------------------------------------------------------------- */

static void send_frame(uint16_t type, const void *bytes, size_t len)
{
	struct err err = {0};

	if (msg_send(AGENT_FD, type, bytes, len, NULL, 0, &err) < 0)
		exit(0);
}

static void send_state(int up)
{
	Channel__LinkState m = CHANNEL__LINK_STATE__INIT;
	uint8_t packed[64];

	m.connected = up;
	send_frame(CHANNEL__MSG_TYPE__MSG_LINK_STATE, packed,
		   channel__link_state__pack(&m, packed));
}

static void send_pack(char *commit, const char *path)
{
	struct buf b = get(path);
	uint32_t chunk = 0;
	size_t at = 0;

	do {
		Channel__Pack m = CHANNEL__PACK__INIT;
		size_t n = b.len - at < 1000000 ? b.len - at : 1000000;
		uint8_t *packed;

		m.commit = commit;
		m.chunk = chunk++;
		m.data.data = (uint8_t *)b.data + at;
		m.data.len = n;
		at += n;
		m.last = at == b.len;
		packed = malloc(channel__pack__get_packed_size(&m));
		send_frame(CHANNEL__MSG_TYPE__MSG_PACK, packed,
			   channel__pack__pack(&m, packed));
		free(packed);
	} while (at < b.len);
	buf_release(&b);
}

/* Fields of a comma list; missing ones are empty. */
static void fields(char *text, char *out[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *comma = text ? strchr(text, ',') : NULL;

		out[i] = text ? text : empty;
		if (comma)
			*comma = '\0';
		text = comma ? comma + 1 : NULL;
	}
}

static Channel__PodAssignment *parse_pod(char *text)
{
	Channel__PodAssignment *p = malloc(sizeof(*p));
	char *f[16];

	channel__pod_assignment__init(p);
	fields(text, f, 16);
	p->uid = f[0];
	p->namespace_ = f[1];
	p->name = f[2];
	p->owner_kind = f[3];
	p->owner_name = f[4];
	p->template_hash = f[5];
	p->index = (uint32_t)strtoul(f[6], NULL, 10);
	p->commit = f[7];
	p->images = calloc(8, sizeof(*p->images));
	for (size_t i = 8; i < 16 && *f[i]; i++) {
		Channel__ImagePin *pin = malloc(sizeof(*pin));
		char *eq = strchr(f[i], '=');

		channel__image_pin__init(pin);
		*eq = '\0';
		pin->container = f[i];
		pin->digest = eq + 1;
		p->images[p->n_images++] = pin;
	}
	return p;
}

static Channel__ServiceAssignment *parse_service(char *text)
{
	Channel__ServiceAssignment *s = malloc(sizeof(*s));
	char *slash = strchr(text, '/'), *eq = strchr(text, '=');

	channel__service_assignment__init(s);
	*slash = *eq = '\0';
	s->namespace_ = text;
	s->name = slash + 1;
	s->cluster_ip = eq + 1;
	return s;
}

static void send_assignment(char **w, size_t n)
{
	Channel__Assignment m = CHANNEL__ASSIGNMENT__INIT;
	Channel__PodAssignment *pods[WORDS_MAX];
	Channel__ServiceAssignment *services[WORDS_MAX];
	uint8_t *packed;

	m.epoch = strtoull(w[1], NULL, 10);
	m.commit = w[2];
	m.host = w[3];
	m.pods = pods;
	m.services = services;
	for (size_t i = 4; i < n; i++) {
		if (strncmp(w[i], "service=", 8) == 0)
			services[m.n_services++] = parse_service(w[i] + 8);
		else
			pods[m.n_pods++] = parse_pod(w[i]);
	}
	packed = malloc(channel__assignment__get_packed_size(&m));
	send_frame(CHANNEL__MSG_TYPE__MSG_ASSIGNMENT, packed,
		   channel__assignment__pack(&m, packed));
	free(packed); /* the rest goes with the process */
}

static void send_log_request(char **w)
{
	Channel__LogRequest m = CHANNEL__LOG_REQUEST__INIT;
	uint8_t packed[1024];

	m.id = 7;
	m.namespace_ = w[1];
	m.pod = w[2];
	m.container = w[3];
	m.tail_lines = (uint32_t)strtoul(w[4], NULL, 10);
	send_frame(CHANNEL__MSG_TYPE__MSG_LOG_REQUEST, packed,
		   channel__log_request__pack(&m, packed));
}

static void command(char *line)
{
	char *words[WORDS_MAX], *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(line, " ", &save); w && n < WORDS_MAX - 1;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	words[n] = empty;
	if (n == 0)
		return;
	if (strcmp(words[0], "up") == 0 || strcmp(words[0], "down") == 0)
		send_state(words[0][0] == 'u');
	else if (strcmp(words[0], "pack") == 0 && n == 3)
		send_pack(words[1], words[2]);
	else if (strcmp(words[0], "assign") == 0 && n >= 4)
		send_assignment(words, n);
	else if (strcmp(words[0], "logs") == 0 && n == 5)
		send_log_request(words);
}

static void show_report(const Channel__Report *m, FILE *out)
{
	(void)fprintf(out, "report epoch=%llu settled=%d pods=%zu commit=%s\n",
		      (unsigned long long)m->epoch, m->settled, m->n_pods,
		      m->accepted_commit);
	for (size_t i = 0; i < m->n_pods; i++)
		(void)fprintf(out, "pod %s/%s phase=%d ready=%d ip=%s\n",
			      m->pods[i]->namespace_, m->pods[i]->name,
			      (int)m->pods[i]->phase, m->pods[i]->ready,
			      m->pods[i]->ip);
}

static void show(const struct msg *in, FILE *out)
{
	const uint8_t *d = (const uint8_t *)in->payload.data;
	size_t n = in->payload.len;
	Channel__Refusal *refusal;
	Channel__Report *report;
	Channel__LogData *log;
	Channel__Hello *hello;

	switch (in->type) {
	case CHANNEL__MSG_TYPE__MSG_HELLO:
		hello = channel__hello__unpack(NULL, n, d);
		(void)fprintf(out, "hello epoch=%llu accepted=%s\n",
			      (unsigned long long)hello->epoch,
			      hello->accepted_commit);
		channel__hello__free_unpacked(hello, NULL);
		break;
	case CHANNEL__MSG_TYPE__MSG_REPORT:
		report = channel__report__unpack(NULL, n, d);
		show_report(report, out);
		channel__report__free_unpacked(report, NULL);
		break;
	case CHANNEL__MSG_TYPE__MSG_REFUSAL:
		refusal = channel__refusal__unpack(NULL, n, d);
		(void)fprintf(out, "refusal epoch=%llu pod=%s code=%s %s\n",
			      (unsigned long long)refusal->epoch, refusal->pod,
			      refusal->code, refusal->reason);
		channel__refusal__free_unpacked(refusal, NULL);
		break;
	case CHANNEL__MSG_TYPE__MSG_LOG_DATA:
		log = channel__log_data__unpack(NULL, n, d);
		(void)fprintf(out, "log last=%d error=%s\n%.*s", log->last,
			      log->error, (int)log->data.len,
			      (const char *)log->data.data);
		channel__log_data__free_unpacked(log, NULL);
		break;
	default:
		(void)fprintf(out, "frame %u\n", in->type);
	}
	(void)fflush(out);
}

static int play_manager(const char *dir)
{
	char path[4096], line[LINE_BYTES];
	size_t have = 0;
	struct err err = {0};
	struct msg in;
	FILE *out;
	int fifo;

	(void)snprintf(path, sizeof(path), "%s/cmd", dir);
	fifo = open(path, O_RDWR | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%s/out", dir);
	out = fopen(path, "a");
	if (fifo < 0 || !out)
		return 7;
	msg_init(&in, 8u << 20);
	send_state(1);
	for (;;) {
		struct pollfd p[2] = {{AGENT_FD, POLLIN, 0}, {fifo, POLLIN, 0}};
		char *nl;
		ssize_t n;

		if (poll(p, 2, -1) < 0)
			return 7;
		if (p[0].revents) {
			if (msg_recv(AGENT_FD, &in, 1000, &err) < 0)
				return 0;
			show(&in, out);
		}
		if (!p[1].revents)
			continue;
		n = read(fifo, line + have, sizeof(line) - 1 - have);
		if (n <= 0)
			continue;
		have += (size_t)n;
		line[have] = '\0';
		while ((nl = strchr(line, '\n'))) {
			*nl = '\0';
			command(line);
			have -= (size_t)(nl + 1 - line);
			memmove(line, nl + 1, have + 1);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--dir") == 0)
		return play_manager(argv[2]);
	if (argc == 6 && strcmp(argv[1], "trust") == 0)
		return make_trust(argv);
	if (argc >= 5 && strcmp(argv[1], "join") == 0)
		return make_join(argc, argv);
	if (argc == 6 && strcmp(argv[1], "templates") == 0)
		return templates(argv);
	(void)fprintf(stderr, "agent_tool: see the head of its source\n");
	return 3;
}
