/*
 * lsrefs.c - see lsrefs.h.  Runs in reconcile-fetch after its sandbox; every
 * line is hostile.
 */
#include "reconciler/fetch/lsrefs.h"

#include "lib/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ID_HEX (LSREFS_ID - 1)

void lsrefs_init(struct lsrefs *l, const char *ref, enum lsrefs_state state)
{
	assert(state == LSREFS_ADVERT || state == LSREFS_LIST);
	*l = (struct lsrefs){.ref = ref, .state = state};
}

static bool begins(const struct pktline *p, const char *with)
{
	size_t n = strlen(with);

	return p->len >= n && memcmp(p->data, with, n) == 0;
}

/* A line without its newline, which servers may leave out. */
static bool is_line(const struct pktline *p, const char *text)
{
	size_t n = strlen(text);

	return begins(p, text) &&
	       (p->len == n || (p->len == n + 1 && p->data[n] == '\n'));
}

/* What servers say, in the words of git and of the forges. */
static const struct {
	const char *part;
	int code;
} causes[] = {
	{"not found", ERR_NOTFOUND},
	{"does not appear to be a git repository", ERR_NOTFOUND},
	{"not exported", ERR_NOTFOUND},
	{"denied", ERR_DENIED},
	{"unauthorized", ERR_DENIED},
};

static int server_error(const struct pktline *p, struct err *err)
{
	char shown[400];
	int code = ERR_AGAIN;

	(void)text_safe(shown, sizeof(shown), p->data + 4, p->len - 4);
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strcasestr(shown, causes[i].part) != NULL)
			code = causes[i].code;
	return err_set(err, code, "the server says: %s", shown);
}

static int unexpected(const struct pktline *p, const char *want,
		      struct err *err)
{
	static const char *const kinds[] = {"", "a flush", "a delimiter",
					    "an end"};
	char shown[120];

	if (p->kind != PKTLINE_DATA)
		return err_set(err, ERR_PROTO, "want %s, have %s", want,
			       kinds[p->kind]);
	return err_set(err, ERR_PROTO, "want %s, have \"%s\"", want,
		       text_safe(shown, sizeof(shown), p->data, p->len));
}

/* "ID NAME", the name ended by one of ends or the end of the line. */
static int take_ref(struct lsrefs *l, const struct pktline *p, const char *ends,
		    struct err *err)
{
	char id[LSREFS_ID];
	const char *name = p->data + ID_HEX + 1;
	size_t n = 0;

	if (p->len < ID_HEX + 2 || p->data[ID_HEX] != ' ')
		return unexpected(p, "an id and a ref", err);
	memcpy(id, p->data, ID_HEX);
	id[ID_HEX] = '\0';
	if (!text_is_hex(id, ID_HEX))
		return unexpected(p, "an id of 40 hex digits", err);
	while (ID_HEX + 1 + n < p->len && name[n] != '\n' && name[n] != '\0' &&
	       strchr(ends, name[n]) == NULL)
		n++;
	if (n != strlen(l->ref) || memcmp(name, l->ref, n) != 0)
		return 0;
	if (l->found)
		return err_set(err, ERR_PROTO,
			       "the server names %s more than once", l->ref);
	l->found = true;
	memcpy(l->id, id, sizeof(id));
	return 0;
}

static int take_advert(struct lsrefs *l, const struct pktline *p,
		       struct err *err)
{
	if (!l->service && is_line(p, "# service=git-upload-pack")) {
		l->service = true;
		l->state = LSREFS_SERVICE;
		return 0;
	}
	if (is_line(p, "version 2")) {
		l->state = LSREFS_CAPS;
		return 0;
	}
	if (is_line(p, "version 1"))
		return 0; /* version 0 follows */
	l->state = LSREFS_REFS;
	return take_ref(l, p, "", err);
}

static int take_capability(struct lsrefs *l, const struct pktline *p,
			   struct err *err)
{
	if (is_line(p, "ls-refs") || begins(p, "ls-refs="))
		l->v2 = true;
	else if (is_line(p, "object-format=sha1"))
		l->object_format = true;
	else if (begins(p, "object-format="))
		return unexpected(p, "a repository of SHA-1 objects", err);
	return 0;
}

static int end_of_part(struct lsrefs *l, struct err *err)
{
	if (l->state == LSREFS_SERVICE) {
		l->state = LSREFS_ADVERT;
		return 0;
	}
	if (l->state == LSREFS_CAPS && !l->v2)
		return err_set(err, ERR_PROTO,
			       "the server speaks version 2 without ls-refs");
	/* nothing at all: a version 0 server with no ref to show */
	l->state = LSREFS_DONE;
	return 1;
}

int lsrefs_take(struct lsrefs *l, const struct pktline *p, struct err *err)
{
	assert(l->state != LSREFS_DONE);
#ifndef GUARD_OFF_LINES
	if (++l->lines > LSREFS_LINES_MAX)
		return err_set(err, ERR_LIMIT,
			       "the server answers more than %u lines",
			       LSREFS_LINES_MAX);
#endif
	if (p->kind == PKTLINE_FLUSH)
		return end_of_part(l, err);
	if (p->kind != PKTLINE_DATA)
		return unexpected(p, "a line", err);
	if (begins(p, "ERR "))
		return server_error(p, err);
	switch (l->state) {
	case LSREFS_ADVERT:
		return take_advert(l, p, err);
	case LSREFS_CAPS:
		return take_capability(l, p, err);
	case LSREFS_REFS:
		return begins(p, "shallow ")
			       ? err_set(err, ERR_INPUT,
					 "the server's repository lacks "
					 "history")
			       : take_ref(l, p, "", err);
	case LSREFS_LIST:
		return take_ref(l, p, " ", err);
	default:
		return unexpected(p, "a flush", err);
	}
}

size_t lsrefs_request(const struct lsrefs *l, char out[LSREFS_REQUEST_BYTES])
{
	char line[300];
	size_t n;

	n = pktline_format(out, LSREFS_REQUEST_BYTES, "command=ls-refs\n");
	if (l->object_format)
		n += pktline_format(out + n, LSREFS_REQUEST_BYTES - n,
				    "object-format=sha1\n");
	memcpy(out + n, "0001", PKTLINE_HEAD);
	n += PKTLINE_HEAD;
	(void)snprintf(line, sizeof(line), "ref-prefix %s\n", l->ref);
	n += pktline_format(out + n, LSREFS_REQUEST_BYTES - n, line);
	memcpy(out + n, "0000", PKTLINE_HEAD);
	return n + PKTLINE_HEAD;
}
