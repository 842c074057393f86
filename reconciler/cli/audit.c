/* audit.c - `reconcile audit show|verify`: reading the chain, proving it. */
#include "reconciler/cli/reader.h"

#include "audit/key.h"
#include "audit/show.h"
#include "audit/verify.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/num.h"
#include "lib/text.h"
#include "reconciler/core/audit_log.h"
#include "reconciler/core/witness_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT_MAX ((size_t)1 << 30)
#define NOTE_MAX (1u << 16)

static int open_log(struct cli *cli, int *out, struct err *err)
{
	const char *dir = opt_get(&cli->values, "log");
	int r = 0;

	if (dir == NULL) {
		r = cli_load(cli, err);
		if (r < 0)
			return r;
		dir = audit_log_dir(&cli->conf, cli->arena);
	}
	*out = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out < 0 ? err_sys(err, errno, "open %s", dir) : 0;
}

struct show {
	const struct readers *readers;
	struct buf out;
	bool json;
	uint64_t skip; /* entries before the last N */
	uint64_t seen;
};

/* Entries about an object of a namespace are for its readers; the others for
 * those of the cluster.  object: "NAMESPACE/KIND/NAME". */
static bool may_see(const struct readers *r, const char *object)
{
	struct access_ask q = {"list", "reconcile", "audits", "", "", ""};
	const char *slash = object == NULL ? NULL : strchr(object, '/');
	char ns[256];

	if (readers_may(r, &q))
		return true;
	if (slash == NULL || strchr(slash + 1, '/') == NULL ||
	    (size_t)(slash - object) >= sizeof(ns))
		return false;
	(void)snprintf(ns, sizeof(ns), "%.*s", (int)(slash - object), object);
	q.namespace = ns;
	return readers_may(r, &q);
}

static int count_entry(void *ctx, const struct audit_entry *entry,
		       struct err *err)
{
	struct show *s = ctx;

	(void)err;
	s->seen += may_see(s->readers, entry->event.object);
	return 0;
}

static void put_field(struct buf *out, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_printf(out, " %s=", name);
	text_escape(out, value, strlen(value));
}

static int show_entry(void *ctx, const struct audit_entry *e, struct err *err)
{
	static const char *const phases[] = {"fact", "intent", "outcome"};
	struct show *s = ctx;
	char when[CLOCK_RFC3339_BYTES];

	if (!may_see(s->readers, e->event.object) || s->seen++ < s->skip)
		return 0;
	if (s->json) {
		buf_put(&s->out, e->line, e->line_len);
		buf_putc(&s->out, '\n');
		return buf_check(&s->out, err);
	}
	buf_printf(&s->out, "%6llu %s %-8s %-16s", (unsigned long long)e->seq,
		   clock_rfc3339(e->time_ms, when), phases[e->event.phase],
		   e->event.type);
	put_field(&s->out, "by", e->event.actor);
	put_field(&s->out, "object", e->event.object);
	put_field(&s->out, "host", e->event.host);
	put_field(&s->out, "commit", e->event.commit);
	for (size_t i = 0; i < e->event.n_detail; i++)
		put_field(&s->out, e->event.detail[i].key,
			  e->event.detail[i].value);
	buf_putc(&s->out, '\n');
	return buf_check(&s->out, err);
}

/* The manager's own log is for whom roles let read it; a log elsewhere is read
 * with the rights of whoever calls, which through sudo are not theirs. */
static int open_readers(struct cli *cli, struct readers *out, struct err *err)
{
	struct access_ask q = {"list", "reconcile", "audits", "", "", ""};
	struct state *state = NULL;
	const char *who = NULL;
	int r = reader_caller(cli, &who, err);

	if (r < 0 || who == NULL)
		return r;
	r = reader_load(cli, err);
	if (r == 0)
		r = state_open(cli->conf.state_dir, true, &state, err);
	if (r == ERR_NOTFOUND)
		r = 0; /* no pass has run yet */
	if (r == 0)
		r = reader_roles(cli, state, out, err);
	state_close(state);
	if (r < 0 || !out->bound)
		return r;
	if (opt_get(&cli->values, "log") != NULL)
		return err_set(
			err, ERR_DENIED,
			"T158 roles decide what may be seen: through "
			"sudo only the manager's own log, without --log");
	return readers_may_somewhere(out, &q) ? 0
					      : readers_refuse(out, &q, err);
}

int audit_show_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *last = opt_get(&cli->values, "last");
	struct audit_filter filter = {
		.type = opt_get(&cli->values, "type"),
		.host = opt_get(&cli->values, "host"),
	};
	struct readers readers = {0};
	struct show s = {.readers = &readers};
	uint64_t want = 0;
	int fd = -1;
	int r = cli_json(cli, &s.json, err);

	if (r == 0 && last != NULL &&
	    !num_parse_u64(last, strlen(last), 100000000, &want))
		r = err_set(err, ERR_INPUT, "want --last N, have \"%s\"", last);
	if (r == 0)
		r = open_readers(cli, &readers, err);
	if (r == 0)
		r = open_log(cli, &fd, err);
	if (r < 0)
		return r;
	buf_init(&s.out, OUT_MAX);
	if (last != NULL)
		r = audit_show(fd, &filter, count_entry, &s, err);
	if (r == 0 && last != NULL) {
		s.skip = s.seen > want ? s.seen - want : 0;
		s.seen = 0;
	}
	if (r == 0)
		r = audit_show(fd, &filter, show_entry, &s, err);
	if (r == 0)
		r = cli_print(&s.out, err);
	buf_release(&s.out);
	(void)close(fd);
	return r;
}

/* The first line of the folder's checkpoint: the log's name. */
static int folder_origin(struct cli *cli, int fd, const char **out,
			 struct err *err)
{
	struct buf note;
	int r;

	buf_init(&note, NOTE_MAX);
	r = file_read(fd, "checkpoint", NOTE_MAX, &note, err);
	if (r == 0)
		*out = arena_strndup(cli->arena, note.data,
				     strcspn(note.data, "\n"));
	buf_release(&note);
	return r;
}

/* The log's public key: --key, else that of log.key beside the log. */
static int verify_key(struct cli *cli, int fd, const char **out,
		      struct err *err)
{
	struct audit_key *key = NULL;
	struct audit_vkey vkey;
	char text[AUDIT_VKEY_BYTES];
	const char *origin = NULL;
	int key_fd;
	int r;

	*out = opt_get(&cli->values, "key");
	if (*out != NULL)
		return 0;
	key_fd = openat(fd, "log.key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (key_fd < 0)
		return err_set(err, ERR_INPUT,
			       "there is no log.key beside the log: name its "
			       "public key with --key");
	r = folder_origin(cli, fd, &origin, err);
	if (r == 0)
		r = audit_key_load_fd(key_fd, &key, err);
	(void)close(key_fd);
	if (r == 0)
		r = audit_key_public(key, AUDIT_KEY_LOG, origin, &vkey, err);
	audit_key_free(key);
	if (r < 0)
		return r;
	audit_key_format(&vkey, text);
	*out = arena_strdup(cli->arena, text);
	return 0;
}

/* Ours is what the hosts cosigned, or ERR_AUDIT; a log elsewhere has none. */
static int verify_witnesses(struct cli *cli, int fd, const char *vkey,
			    struct err *err)
{
	struct witness_tally t = {0};
	struct state *state = NULL;
	int r;

	if (opt_get(&cli->values, "log") != NULL)
		return 0;
	r = state_open(cli->conf.state_dir, true, &state, err);
	if (r == ERR_NOTFOUND)
		return 0; /* no pass has run yet */
	if (r == 0)
		r = witness_check(state, fd, vkey, cli->arena, &t, err);
	state_close(state);
	if (r == 0 && t.size > 0)
		(void)printf("%llu entries cosigned by %zu of %zu witnesses\n",
			     (unsigned long long)t.size, t.cosigned, t.known);
	else if (r == 0)
		(void)printf("no checkpoint is cosigned yet, %zu witnesses\n",
			     t.known);
	return r;
}

int audit_verify_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *file = opt_get(&cli->values, "checkpoint");
	const char *vkey = NULL;
	struct audit_verdict v = {0};
	struct buf note;
	int fd = -1;
	int r = open_log(cli, &fd, err);

	if (r < 0)
		return r;
	buf_init(&note, NOTE_MAX);
	r = verify_key(cli, fd, &vkey, err);
	if (r == 0 && file != NULL)
		r = file_read(AT_FDCWD, file, NOTE_MAX, &note, err);
	if (r == 0)
		r = audit_verify_log(fd, vkey, file == NULL ? NULL : note.data,
				     &v, err);
	if (r == 0)
		(void)printf("%s\n", v.text);
	if (r == 0)
		r = verify_witnesses(cli, fd, vkey, err);
	buf_release(&note);
	(void)close(fd);
	return r;
}
