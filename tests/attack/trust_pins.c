/*
 * trust_pins.c - for the shell suites: one signature against pins of a trust
 * policy, without a repository around it.
 *
 *   trust_pins armor=FILE payload=FILE pins=FILE [revoked=FILE] [when=S]
 *              [now=S] [accepted=1] [namespace=NAME] [sqv=LIBEXEC] [repeat=N]
 *              [flip=1]
 *
 * pins: a line each, "NAME x509 IDENTITY ISSUER|- PEM-FILE [AFTER BEFORE]" or
 * "NAME openpgp FINGERPRINT FILE [AFTER BEFORE]", times in unix seconds.
 * Prints "OK NAME key=..." or "Tnnn reason key=...".  flip: changes each bit of
 * the signature in turn and prints "flipped N accepted M at OFFSET...".
 */
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/encode.h"
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

struct question {
	struct signature_time time;
	struct commit_span parts[2];
	struct signature_ask ask;
};

static void read_question(const struct pins *p, const struct openpgp_run *run,
			  struct question *q)
{
	size_t len = 0;

	q->time.now = get_number(p, "now", clock_unix_ms() / 1000);
	q->time.openpgp = run;
	q->time.first_seen = get_number(p, "accepted", 0) == 0;
	q->ask = (struct signature_ask){.parts = q->parts, .n_parts = 2};
	q->ask.armor.at = read_file(p, get(p, "armor", ""), &len);
	/* plain lines, no last newline */
	q->ask.armor.len = len > 0 ? len - 1 : 0;
	q->parts[0].at = read_file(p, get(p, "payload", ""), &len);
	q->parts[0].len = len / 2; /* as a commit has it: before and behind */
	q->parts[1] =
		(struct commit_span){q->parts[0].at + len / 2, len - len / 2};
	q->ask.namespace = get(p, "namespace", "git");
	q->ask.when = get_number(p, "when", q->time.now);
}

static uint32_t crc24(const char *bytes, size_t len)
{
	uint32_t crc = 0xb704ce;

	for (size_t i = 0; i < 8 * len; i++) {
		uint32_t bit = (uint8_t)bytes[i / 8] >> (7 - i % 8) & 1;

		crc = crc << 1 ^ ((crc >> 23 & 1) != bit ? 0x1864cfbu : 0);
		crc &= 0xffffff;
	}
	return crc;
}

static void put_armor(struct buf *out, enum armor_kind kind, const char *bytes,
		      size_t len)
{
	const char *name =
		kind == ARMOR_CMS ? "SIGNED MESSAGE" : "PGP SIGNATURE";
	uint32_t crc = crc24(bytes, len);
	const char sum[] = {(char)(crc >> 16), (char)(crc >> 8), (char)crc};
	struct buf text;

	buf_reset(out);
	buf_init(&text, FILE_BYTES);
	encode_base64(&text, bytes, len);
	buf_printf(out, "-----BEGIN %s-----\n%s", name,
		   kind == ARMOR_CMS ? "" : "\n");
	for (size_t i = 0; i < text.len; i += 64)
		buf_printf(out, "%.64s\n", text.data + i);
	if (kind == ARMOR_OPENPGP) {
		buf_puts(out, "=");
		encode_base64(out, sum, sizeof(sum));
		buf_puts(out, "\n");
	}
	buf_printf(out, "-----END %s-----", name);
	buf_release(&text);
}

/* Each bit of what is inside the armor, in turn. */
static int flip(struct pins *p, const struct signers *s, struct question *q)
{
	enum armor_kind kind = ARMOR_SSH;
	struct signature_by by;
	size_t accepted = 0;
	struct buf bytes, armor, where;

	buf_init(&bytes, FILE_BYTES);
	buf_init(&armor, FILE_BYTES);
	buf_init(&where, FILE_BYTES);
	if (armor_kind(&q->ask.armor, &kind, &p->v) < 0 ||
	    armor_read(&q->ask.armor, kind, &bytes, &p->v) < 0)
		return ERR_TRUST;
	put_armor(&armor, kind, bytes.data, bytes.len);
	q->ask.armor = (struct commit_span){armor.data, armor.len};
	if (signature_check_bytes(s, &q->ask, &q->time, &by, &p->v) < 0)
		return ERR_TRUST; /* the control */
	for (size_t i = 0; i < 8 * bytes.len; i++) {
		bytes.data[i / 8] ^= (char)(1 << i % 8);
		put_armor(&armor, kind, bytes.data, bytes.len);
		bytes.data[i / 8] ^= (char)(1 << i % 8);
		q->ask.armor = (struct commit_span){armor.data, armor.len};
		if (signature_check_bytes(s, &q->ask, &q->time, &by, &p->v) ==
		    0) {
			accepted++;
			buf_printf(&where, " %zu", i / 8);
		}
	}
	printf("flipped %zu accepted %zu at%s\n", 8 * bytes.len, accepted,
	       where.len > 0 ? where.data : "");
	p->v = (struct verdict){0};
	buf_release(&bytes);
	buf_release(&armor);
	buf_release(&where);
	return 0;
}

int main(int argc, char **argv)
{
	struct pins p = {.argc = argc, .argv = argv};
	struct openpgp_runner runner = {0};
	const struct signers *s = NULL;
	struct signature_by by = {0};
	struct question q = {0};
	struct revoked revoked;
	struct err err = {0};
	const char *sqv;
	int64_t n = 0;
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
	if (r == 0) {
		s = signers_of(p.items, p.n, &revoked, p.arena);
		read_question(&p, sqv != NULL ? &runner.run : NULL, &q);
	}
	if (r == 0 && get_number(&p, "flip", 0) != 0)
		r = flip(&p, s, &q);
	else if (r == 0)
		n = get_number(&p, "repeat", 1);
	for (; r == 0 && n > 0; n--)
		r = signature_check_bytes(s, &q.ask, &q.time, &by, &p.v);
	if (r == 0 && get_number(&p, "flip", 0) == 0)
		printf("OK %s key=%s\n", by.principal, by.key);
	else if (r < 0)
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
