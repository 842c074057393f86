/*
 * tree.c - see tree.h.
 */
#include "policy/trust/tree.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	enum tree_mode mode;
	const char *name;
} modes[] = {
	{"40000", TREE_DIR, "folder"},
	{"100644", TREE_FILE, "file"},
	{"100755", TREE_EXEC, "executable file"},
	{"120000", TREE_LINK, "symbolic link"},
	{"160000", TREE_SUBMODULE, "submodule"},
};

const char *tree_mode_text(enum tree_mode mode)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (modes[i].mode == mode)
			return modes[i].name;
	return "unknown";
}

/* Ranges that have no place in a file name: controls, marks that combine (two
 * spellings of one name), jamo (likewise), invisible and bidi characters. */
static const struct {
	uint32_t from, to;
} no_name[] = {
	{0x0000, 0x001f}, {0x007f, 0x009f},   {0x00ad, 0x00ad},
	{0x0300, 0x036f}, {0x061c, 0x061c},   {0x1100, 0x11ff},
	{0x180e, 0x180e}, {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff},
	{0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
	{0x20d0, 0x20ff}, {0x3099, 0x309a},   {0xd7b0, 0xd7ff},
	{0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},   {0xfeff, 0xfeff},
	{0xfff0, 0xffff}, {0xe0000, 0xe0fff},
};

/* Ranges of capital letters and the distance to their small ones. */
static const struct {
	uint32_t from, to, plus;
} folds[] = {
	{'A', 'Z', 32},	    {0xc0, 0xd6, 32},	  {0xd8, 0xde, 32},
	{0x391, 0x3a9, 32}, {0x410, 0x42f, 32},	  {0x400, 0x40f, 80},
	{0x531, 0x556, 48}, {0xff21, 0xff3a, 32},
};

/* Next code point of valid UTF-8. */
static uint32_t next_char(const unsigned char **at)
{
	const unsigned char *p = *at;
	uint32_t c = p[0];
	int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (more > 0)
		c &= 0x3fu >> more;
	for (int i = 1; i <= more; i++)
		c = c << 6 | (p[i] & 0x3fu);
	*at = p + more + 1;
	return c;
}

static uint32_t fold(uint32_t c)
{
	for (size_t i = 0; i < sizeof(folds) / sizeof(folds[0]); i++)
		if (c >= folds[i].from && c <= folds[i].to)
			return c + folds[i].plus;
	if (c >= 0x100 && c <= 0x137) /* pairs of Latin Extended-A */
		return c | 1;
	return c;
}

static bool is_git_alias(const struct commit_span *n)
{
	if (n->len >= 4 && strncasecmp(n->at, ".git", 4) == 0 &&
	    (n->len == 4 || strchr(" .:", n->at[4]) != NULL))
		return true;
	return n->len >= 5 && strncasecmp(n->at, "git~", 4) == 0 &&
	       n->at[4] >= '0' && n->at[4] <= '9';
}

static int bad_name(const struct commit_span *name, const char *why,
		    struct verdict *v)
{
	char shown[160];

	return verdict_fail(
		v, TCODE_TREE_NAME, "name \"%s\": %s",
		text_safe(shown, sizeof(shown), name->at, name->len), why);
}

int tree_check_name(const struct commit_span *name, struct verdict *v)
{
	const unsigned char *at = (const unsigned char *)name->at;
	const unsigned char *end = at + name->len;
	char last = name->at[name->len - 1];

	if (name->len > TREE_NAME_MAX)
		return bad_name(name, "longer than 255 bytes", v);
	if (!text_is_utf8(name->at, name->len))
		return bad_name(name, "not UTF-8", v);
	if (memchr(name->at, '/', name->len) != NULL ||
	    memchr(name->at, '\\', name->len) != NULL)
		return bad_name(name, "has a slash or backslash", v);
	if (is_git_alias(name))
		return bad_name(name, "is .git on some file system", v);
	if (last == '.' || last == ' ')
		return bad_name(name, "ends in a dot or space", v);
	while (at < end) {
		uint32_t c = next_char(&at);

		for (size_t i = 0; i < sizeof(no_name) / sizeof(no_name[0]);
		     i++)
			if (c >= no_name[i].from && c <= no_name[i].to)
				return bad_name(name,
						"has a control, combining or "
						"invisible character",
						v);
	}
	return 0;
}

static int compare_folded(const void *a, const void *b)
{
	const struct commit_span *x = a;
	const struct commit_span *y = b;
	const unsigned char *p = (const unsigned char *)x->at;
	const unsigned char *q = (const unsigned char *)y->at;
	const unsigned char *p_end = p + x->len;
	const unsigned char *q_end = q + y->len;

	while (p < p_end && q < q_end) {
		uint32_t c = fold(next_char(&p));
		uint32_t d = fold(next_char(&q));

		if (c != d)
			return c < d ? -1 : 1;
	}
	return (p < p_end) - (q < q_end);
}

static int check_clashes(struct commit_span *names, size_t n, struct verdict *v)
{
	char one[100];
	char two[100];

	if (n == 0)
		return 0;
	qsort(names, n, sizeof(names[0]), compare_folded);
	for (size_t i = 1; i < n; i++)
		if (compare_folded(&names[i - 1], &names[i]) == 0)
			return verdict_fail(
				v, TCODE_TREE_CLASH,
				"\"%s\" and \"%s\" are one name where case "
				"does not count",
				text_safe(one, sizeof(one), names[i - 1].at,
					  names[i - 1].len),
				text_safe(two, sizeof(two), names[i].at,
					  names[i].len));
	return 0;
}

static int grammar(struct verdict *v, const char *what)
{
	return verdict_fail(v, TCODE_TREE_GRAMMAR, "tree object: %s", what);
}

/* Reads one entry at *at; *at moves behind it. */
static int read_entry(const char **at, const char *end, struct tree_entry *e,
		      struct verdict *v)
{
	const char *space = memchr(*at, ' ', (size_t)(end - *at));
	const char *nul;
	size_t mode_len;

	if (space == NULL)
		return grammar(v, "an entry without a mode");
	mode_len = (size_t)(space - *at);
	nul = memchr(space, '\0', (size_t)(end - space));
	if (nul == NULL || end - nul - 1 < COMMIT_ID_BYTES || nul == space + 1)
		return grammar(v, "an entry without a name or an id");
	e->name = (struct commit_span){space + 1, (size_t)(nul - space - 1)};
	memcpy(e->id.bytes, nul + 1, COMMIT_ID_BYTES);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strlen(modes[i].text) == mode_len &&
		    memcmp(modes[i].text, *at, mode_len) == 0) {
			e->mode = modes[i].mode;
			*at = nul + 1 + COMMIT_ID_BYTES;
			return 0;
		}
	}
	return grammar(v, "an entry with a mode that git does not write");
}

int tree_compare(const struct tree_entry *a, const struct tree_entry *b)
{
	size_t n = a->name.len < b->name.len ? a->name.len : b->name.len;
	int c = memcmp(a->name.at, b->name.at, n);
	unsigned char x = a->mode == TREE_DIR ? '/' : 0;
	unsigned char y = b->mode == TREE_DIR ? '/' : 0;

	if (c != 0)
		return c;
	if (a->name.len > n)
		x = (unsigned char)a->name.at[n];
	if (b->name.len > n)
		y = (unsigned char)b->name.at[n];
	return (int)x - (int)y;
}

static int check_all(const char *bytes, size_t len, bool names,
		     struct commit_span *list, struct verdict *v)
{
	const char *end = bytes + len;
	struct tree_entry prev = {0};
	size_t n = 0;
	int r;

	for (const char *at = bytes; at < end; n++) {
		struct tree_entry e = {0};

		r = read_entry(&at, end, &e, v);
		if (r < 0)
			return r;
		if (n > 0 && tree_compare(&prev, &e) >= 0)
			return grammar(v, "entries out of order or doubled");
#ifndef GUARD_OFF_TREE_NAME
		r = names ? tree_check_name(&e.name, v) : 0;
		if (r < 0)
			return r;
#endif
		list[n] = e.name;
		prev = e;
	}
#ifndef GUARD_OFF_TREE_CLASH
	return names ? check_clashes(list, n, v) : 0;
#else
	(void)check_clashes;
	return 0;
#endif
}

int tree_each(const char *bytes, size_t len, bool names, tree_visit *visit,
	      void *ctx, struct verdict *v)
{
	/* the shortest entry has 5+1+1+1+20 bytes */
	struct commit_span *list = NULL;
	const char *end = bytes + len;
	int r;

	if (len > TREE_BYTES_MAX)
		return verdict_fail(v, TCODE_TREE_LIMIT,
				    "want a tree of at most %u bytes, have %zu",
				    TREE_BYTES_MAX, len);
	list = calloc(len / 28 + 1, sizeof(*list));
	if (list == NULL)
		return verdict_fail(v, TCODE_TREE_LIMIT, "out of memory");
	r = check_all(bytes, len, names, list, v);
	for (const char *at = bytes; r == 0 && at < end;) {
		struct tree_entry e = {0};

		r = read_entry(&at, end, &e, v);
		if (r == 0)
			r = visit(ctx, &e, v);
	}
	free(list);
	return r;
}
