/*
 * trust_pins.c - for the shell suites: one signature against pins of a trust
 * policy, without a repository around it.
 *
 *   trust_pins armor=FILE payload=FILE pins=FILE [revoked=FILE] [when=S]
 *              [now=S] [accepted=1] [namespace=NAME] [sqv=LIBEXEC] [repeat=N]
 *
 * pins: a line each, "NAME x509 IDENTITY ISSUER|- PEM-FILE [AFTER BEFORE]" or
 * "NAME openpgp FINGERPRINT FILE [AFTER BEFORE]", times in unix seconds.
 * Prints "OK NAME key=..." or "Tnnn reason key=...".
 */
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/num.h"
#include "policy/trust/cmscert.h"
#include "policy/trust/revoked.h"
#include "policy/trust/signature.h"
#include "policy/verify/openpgp_run.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES ((size_t)4 << 20)
#define PINS_MAX 100

struct pins {
	int argc;
	char **argv;
	struct arena *arena;
	struct signer *items;
	size_t n;
	struct verdict v;
};

static const char *get(const struct pins *p, const char *name, const char *def)
{
	size_t n = strlen(name);

	/* the last one counts */
	for (int i = p->argc - 1; i > 0; i--)
		if (strncmp(p->argv[i], name, n) == 0 && p->argv[i][n] == '=')
			return p->argv[i] + n + 1;
	return def;
}

static int64_t get_number(const struct pins *p, const char *name, int64_t def)
{
	const char *text = get(p, name, NULL);

	return text != NULL ? strtoll(text, NULL, 10) : def;
}

static char *read_file(const struct pins *p, const char *path, size_t *out_len)
{
	struct err err = {0};
	struct buf b;
	char *copy;

	buf_init(&b, FILE_BYTES);
	if (file_read(AT_FDCWD, path, FILE_BYTES, &b, &err) < 0) {
		printf("broken %s\n", err.msg);
		exit(2);
	}
	copy = arena_strndup(p->arena, b.len > 0 ? b.data : "", b.len);
	*out_len = b.len;
	buf_release(&b);
	return copy;
}

static int add_pin(struct pins *p, char *line)
{
	struct signer *s = &p->items[p->n];
	char *words[8] = {NULL};
	size_t n = 0, len = 0;

	while (n < 8 && (words[n] = strsep(&line, " ")) != NULL)
		n++;
	*s = (struct signer){.line = (unsigned int)p->n + 1,
			     .name = words[0],
			     .valid_after = INT64_MIN,
			     .valid_before = INT64_MAX};
	p->n++;
	if (n >= 5 && strcmp(words[1], "x509") == 0) {
		struct signer_x509 *x = arena_alloc(p->arena, sizeof(*x));
		struct cmscert_authority *a = NULL;
		char *pem = read_file(p, words[4], &len);

		s->kind = ARMOR_CMS;
		s->x509 = x;
		if (cmscert_authority_new(pem, len, &a, &p->v) < 0)
			return ERR_TRUST;
		*x = (struct signer_x509){.identity = words[2], .authority = a};
		x->issuer = strcmp(words[3], "-") == 0 ? NULL : words[3];
	} else {
		struct signer_openpgp *o = arena_alloc(p->arena, sizeof(*o));
		char have[OPENPGP_FINGERPRINT];

		s->kind = ARMOR_OPENPGP;
		s->openpgp = o;
		o->fingerprint = words[2];
		o->certificate = read_file(p, words[3], &len);
		if (openpgp_certificate(o->certificate, len, have, &p->v) < 0)
			return ERR_TRUST;
		if (strcmp(have, o->fingerprint) != 0)
			return verdict_fail(&p->v, TCODE_OPENPGP,
					    "certificate: want %s, have %s",
					    o->fingerprint, have);
		words[5] = words[4];
		words[6] = words[5] != NULL ? words[5] + strlen(words[5]) + 1
					    : NULL;
		n++;
	}
	if (n >= 7) {
		s->valid_after = strtoll(words[5], NULL, 10);
		s->valid_before = strtoll(words[6], NULL, 10);
	}
	return 0;
}

static int add_pins(struct pins *p)
{
	size_t len = 0;
	char *text = read_file(p, get(p, "pins", ""), &len);
	char *line;
	int r = 0;

	p->items = arena_calloc(p->arena, PINS_MAX, sizeof(p->items[0]));
	while (r == 0 && (line = strsep(&text, "\n")) != NULL)
		if (*line != '\0' && p->n < PINS_MAX)
			r = add_pin(p, line);
	return r;
}

static int add_revoked(struct pins *p, struct revoked *out)
{
	const char *path = get(p, "revoked", NULL);
	const char *text = "# nothing\n";
	size_t len = strlen(text);
	int r;

	if (path != NULL)
		text = read_file(p, path, &len);
	revoked_init(out, p->arena);
	r = revoked_add(out, text, len, &p->v);
	revoked_finish(out);
	return r;
}

static int check(struct pins *p, const struct signers *s,
		 const struct openpgp_run *run, struct signature_by *by)
{
	int64_t now = get_number(p, "now", clock_unix_ms() / 1000);
	const struct signature_time t = {
		.now = now,
		.openpgp = run,
		.first_seen = get_number(p, "accepted", 0) == 0};
	struct commit_span parts[2];
	struct signature_ask ask = {.parts = parts, .n_parts = 2};
	size_t len = 0;

	ask.armor.at = read_file(p, get(p, "armor", ""), &len);
	/* plain lines, no last newline */
	ask.armor.len = len > 0 ? len - 1 : 0;
	parts[0].at = read_file(p, get(p, "payload", ""), &len);
	parts[0].len = len / 2; /* as a commit has it: before and behind */
	parts[1] = (struct commit_span){parts[0].at + len / 2, len - len / 2};
	ask.namespace = get(p, "namespace", "git");
	ask.when = get_number(p, "when", now);
	return signature_check_bytes(s, &ask, &t, by, &p->v);
}

int main(int argc, char **argv)
{
	struct pins p = {.argc = argc, .argv = argv};
	struct openpgp_runner runner = {0};
	struct signature_by by = {0};
	struct revoked revoked;
	struct err err = {0};
	const char *sqv;
	int status = 0;
	int r;

	p.arena = arena_new((size_t)64 << 20);
	sqv = get(&p, "sqv", NULL);
	if (sqv != NULL && openpgp_run_start(&runner, sqv, &err) < 0) {
		printf("broken %s\n", err.msg);
		return 2;
	}
	r = add_pins(&p);
	if (r == 0)
		r = add_revoked(&p, &revoked);
	for (int64_t n = get_number(&p, "repeat", 1); r == 0 && n > 0; n--) {
		const struct signers *s =
			signers_of(p.items, p.n, &revoked, p.arena);

		r = check(&p, s, sqv != NULL ? &runner.run : NULL, &by);
	}
	if (r == 0)
		printf("OK %s key=%s\n", by.principal, by.key);
	else
		printf("%s %s key=%s\n", verdict_name(p.v.code), p.v.reason,
		       by.key);
	openpgp_run_stop(&runner);
	if (sqv != NULL && proc_wait(&runner.proc, 20000, &status, &err) < 0)
		printf("broken %s\n", err.msg);
	if (status != 0)
		printf("broken exit %d\n", status);
	for (size_t i = 0; i < p.n; i++)
		if (p.items[i].kind == ARMOR_CMS && p.items[i].x509 != NULL)
			cmscert_authority_free(
				(struct cmscert_authority *)(uintptr_t)p
					.items[i]
					.x509->authority);
	arena_free(p.arena);
	return 0;
}
