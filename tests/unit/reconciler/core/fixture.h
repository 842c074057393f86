/*
 * fixture.h - a core with a real store in a temporary folder, and doubles of
 * what it speaks to: the writer of the audit log and the channel.  Both note
 * what they get in one journal, so that a test sees the order of things.
 *
 * The doubles take the place of audit/client.c and channel/client.c in the
 * link; include this file once, before any test.
 */
#include "audit/client.h"
#include "channel/client.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/record.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COMMIT "1111111111111111111111111111111111111111"
#define UID(c) #c #c #c #c #c #c #c #c

struct fixture {
	char path[48];
	struct arena *arena;
	struct core_conf conf;
	struct core core;
	struct fleet fleet;
	struct fleet_host hosts[4];
	Channel__Report reports[4];
	Channel__PodStatus pods[4][8];
	Channel__PodStatus *lists[4][8];
	char journal[8192]; /* "audit TYPE PHASE OBJECT RESULT REASON\n" ... */
	/* the next event of the channel, false: none */
	bool (*next)(struct fixture *f, struct channel_event *out);
	size_t n_events;
	bool quiet;	  /* no journal */
	int append_fails; /* the n-th append from now on, 1: the next */
	size_t rows_at_append, rows_at_send;
	uint8_t answer[65536]; /* the last JoinReply */
	size_t answer_len;
	struct err err;
};

/* Doubles have no context: the one fixture of the running test. */
static struct fixture *current;

__attribute__((format(printf, 2, 3))) static void note(struct fixture *f,
						       const char *fmt, ...)
{
	size_t n = strlen(f->journal);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(f->journal + n, sizeof(f->journal) - n, fmt, ap);
	va_end(ap);
}

static size_t rows(struct fixture *f)
{
	struct arena *arena = arena_new(1u << 22);
	struct world w = {0};
	size_t n;

	assert_int_equal(state_world(f->core.state, arena, &w, &f->err), 0);
	n = w.n_pods;
	arena_free(arena);
	return n;
}

int audit_client_open(const char *libexec, const char *dir,
		      const char *key_path, const char *origin,
		      struct audit_client **out, struct err *err)
{
	(void)libexec, (void)dir, (void)key_path, (void)origin, (void)out;
	return err_set(err, ERR_AUDIT, "no writer in this test");
}

int audit_client_append(struct audit_client *c,
			const struct audit_event *events, size_t n,
			uint64_t *out_last_seq, struct err *err)
{
	static const char *const phases[] = {
		[AUDIT_FACT] = "fact",
		[AUDIT_INTENT] = "intent",
		[AUDIT_OUTCOME] = "outcome",
	};
	struct fixture *f = current;

	(void)c, (void)out_last_seq;
	if (n > AUDIT_BATCH_MAX)
		return err_set(err, ERR_INPUT, "too many events");
	if (f->quiet)
		return 0;
	if (f->append_fails > 0 && --f->append_fails == 0)
		return err_set(err, ERR_AUDIT, "no space left");
	f->rows_at_append = rows(f);
	for (size_t i = 0; i < n; i++) {
		note(f, "audit %s %s %s", events[i].type,
		     phases[events[i].phase],
		     events[i].object == NULL ? "-" : events[i].object);
		for (size_t k = 0; k < events[i].n_detail; k++)
			note(f, " %s", events[i].detail[k].value);
		note(f, "\n");
	}
	return 0;
}

int audit_client_checkpoint(struct audit_client *c, char **out_note,
			    struct err *err)
{
	(void)c, (void)out_note;
	return err_set(err, ERR_AUDIT, "no writer in this test");
}

void audit_client_close(struct audit_client *c)
{
	(void)c;
}

int channel_client_open(const char *path, int timeout_ms,
			struct channel_client **out, struct err *err)
{
	(void)path, (void)timeout_ms, (void)out;
	return err_set(err, ERR_AGAIN, "no channel in this test");
}

void channel_client_close(struct channel_client *c)
{
	(void)c;
}

int channel_client_recv(struct channel_client *c, int timeout_ms,
			struct channel_event *out, struct err *err)
{
	(void)c, (void)timeout_ms;
	if (current->next != NULL && current->next(current, out))
		return 0;
	return err_set(err, ERR_AGAIN, "nothing came");
}

void channel_client_event_release(struct channel_event *event)
{
	(void)event;
}

int channel_client_send_host(struct channel_client *c, const char *host,
			     uint16_t type, const void *payload, size_t len,
			     struct err *err)
{
	(void)c, (void)payload, (void)len, (void)err;
	if (current->quiet)
		return 0;
	current->rows_at_send = rows(current);
	note(current, "send %s %d\n", host, type);
	return 0;
}

int channel_client_cut(struct channel_client *c, const char *host,
		       const char *reason, struct err *err)
{
	(void)c, (void)err;
	note(current, "cut %s %s\n", host, reason);
	return 0;
}

int channel_client_join_answer(struct channel_client *c, uint64_t id,
			       const void *reply, size_t len, struct err *err)
{
	(void)c, (void)id, (void)err;
	assert_true(len <= sizeof(current->answer));
	memcpy(current->answer, reply, len);
	current->answer_len = len;
	note(current, "answer\n");
	return 0;
}

int channel_client_reload(struct channel_client *c, struct err *err)
{
	(void)c, (void)err;
	note(current, "reload\n");
	return 0;
}

static void hear(void *ctx, const char *line)
{
	(void)ctx, (void)line;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/test-core-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->arena = arena_new((size_t)1 << 30);
	f->conf = (struct core_conf){.state_dir = f->path,
				     .repository_id = "test",
				     .repository_ref = "refs/heads/main",
				     .listen = "127.0.0.1:7443",
				     .advertise = "",
				     .pod_cidr = "10.244.0.0/16",
				     .service_cidr = "10.96.0.0/16",
				     .cert_hours = 24};
	f->core = (struct core){.conf = &f->conf,
				.ui = {.line = hear},
				.lock_fd = -1,
				.audit = (struct audit_client *)f,
				.fleet = &f->fleet};
	assert_int_equal(state_open(f->path, false, &f->core.state, &f->err),
			 0);
	f->fleet.hosts = f->hosts;
	current = f;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	state_close(f->core.state);
	for (size_t i = 0; i < f->fleet.n_hosts; i++) {
		free(f->hosts[i].name);
		free(f->hosts[i].sent_commit);
	}
	arena_free(f->arena);
	assert_int_equal(file_remove_tree(AT_FDCWD, f->path, NULL), 0);
	free(f);
	current = NULL;
	return 0;
}

/* A host that the store knows and that is connected with an empty report. */
__attribute__((unused)) static struct fleet_host *
add_host(struct fixture *f, const char *name, uint64_t epoch)
{
	struct state_host row = {.host = {.name = name,
					  .state = HOST_READY,
					  .epoch = epoch,
					  .accepted_commit = COMMIT},
				 .cidr_index = (int64_t)f->fleet.n_hosts};
	size_t i = f->fleet.n_hosts++;
	struct fleet_host *h = &f->hosts[i];

	assert_int_equal(state_host_put(f->core.state, &row, &f->err), 0);
	assert_int_equal(state_set(f->core.state, "epoch", "10", &f->err), 0);
	*h = (struct fleet_host){
		.name = strdup(name), .connected = true, .sent_epoch = epoch};
	channel__report__init(&f->reports[i]);
	f->reports[i].epoch = epoch;
	f->reports[i].accepted_commit = (char *)(uintptr_t)COMMIT;
	f->reports[i].pods = f->lists[i];
	h->report = &f->reports[i];
	return h;
}

__attribute__((unused)) static void report_pod(struct fixture *f, size_t host,
					       const char *uid,
					       const char *name, int phase,
					       bool ready)
{
	Channel__Report *r = &f->reports[host];
	Channel__PodStatus *s = &f->pods[host][r->n_pods];

	channel__pod_status__init(s);
	s->uid = (char *)(uintptr_t)uid;
	s->namespace_ = (char *)(uintptr_t) "default";
	s->name = (char *)(uintptr_t)name;
	s->phase = (Channel__Phase)phase;
	s->ready = ready;
	f->lists[host][r->n_pods++] = s;
}

__attribute__((unused)) static void
store_pod(struct fixture *f, const char *uid, const char *kind,
	  const char *name, const char *host, int phase, bool ready)
{
	struct world_pod p = {.uid = uid,
			      .namespace = "default",
			      .name = name,
			      .owner_kind = kind,
			      .owner_name = "web",
			      .template_hash = "hash",
			      .host = host,
			      .commit = COMMIT,
			      .assigned = true,
			      .phase = phase,
			      .ready = ready};

	assert_int_equal(state_pod_put(f->core.state, &p, &f->err), 0);
}
