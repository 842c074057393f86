/* pattern.c - see pattern.h.  Pure; names are hostile, patterns may be. */
#include "lib/pattern.h"

#include <stdint.h>
#include <string.h>

#define PATTERN_BYTES_MAX 4096

/* Iterative: on a mismatch only the last star takes one byte more, because
 * what stood before it fitted the shortest text that it could. */
bool pattern_name(const char *p, size_t p_len, const char *s, size_t s_len)
{
	size_t star = SIZE_MAX;
	size_t mark = 0;
	size_t pi = 0;
	size_t si = 0;

	while (si < s_len) {
		if (pi < p_len && p[pi] != '*' &&
		    (p[pi] == '?' || p[pi] == s[si])) {
			pi++;
			si++;
		} else if (pi < p_len && p[pi] == '*') {
			star = pi++;
			mark = si;
		} else if (star != SIZE_MAX) {
			pi = star + 1;
			si = ++mark;
		} else {
			return false;
		}
	}
	while (pi < p_len && p[pi] == '*')
		pi++;
	return pi == p_len;
}

/* One name of a path; at NULL: behind the last. */
struct name {
	const char *at;
	size_t len;
};

static struct name first(const char *path)
{
	return (struct name){path, strcspn(path, "/")};
}

static struct name next(struct name n)
{
	if (n.at[n.len] == '\0')
		return (struct name){0};
	return first(n.at + n.len + 1);
}

static bool is_deep(struct name n)
{
	return n.at && n.len == 2 && memcmp(n.at, "**", 2) == 0;
}

static bool pay(size_t *left, struct name p, struct name s)
{
	size_t cost = 1 + p.len;

	if (!left)
		return true;
	if (p.len > 0 && memchr(p.at, '*', p.len))
		cost += p.len * s.len;
	*left -= cost < *left ? cost : *left;
	return *left > 0;
}

/* As pattern_name(), with names for bytes and "**" for the star.  In a text
 * that is itself a pattern, "**" is fitted by "**" alone. */
static bool fits(const char *pattern, const char *text, bool text_is_pattern,
		 size_t *left)
{
	struct name p = first(pattern), s = first(text);
	struct name deep = {0}, mark = {0};

	while (s.at) {
		if (!pay(left, p, s))
			return false;
		if (is_deep(p)) {
			deep = p;
			mark = s;
			p = next(p);
			if (!p.at) /* takes all that is left, one at least */
				return true;
		} else if (p.at && !(text_is_pattern && is_deep(s)) &&
			   pattern_name(p.at, p.len, s.at, s.len)) {
			p = next(p);
			s = next(s);
		} else if (deep.at) {
			p = next(deep);
			mark = next(mark);
			s = mark;
		} else {
			return false;
		}
	}
	return !p.at;
}

bool pattern_path(const char *pattern, const char *path)
{
	return fits(pattern, path, false, NULL);
}

bool pattern_covers(const char *wide, const char *narrow, size_t *left)
{
	return fits(wide, narrow, true, left);
}

const char *pattern_check(const char *pattern)
{
	struct name n = first(pattern);

	if (strlen(pattern) > PATTERN_BYTES_MAX)
		return "a pattern of at most 4096 bytes";
	if (pattern[strcspn(pattern, "?[]{}\\!")] != '\0')
		return "a pattern with '*' and '**' only (no ? [ ] { } \\ !)";
	for (; n.at; n = next(n)) {
		if (n.len == 0)
			return "a path without '/' at its ends or twice";
		if ((n.len == 1 && n.at[0] == '.') ||
		    (n.len == 2 && memcmp(n.at, "..", 2) == 0))
			return "a path from the root of the tree, without '.' "
			       "and '..'";
		if (n.len != 2 && memmem(n.at, n.len, "**", 2) != NULL)
			return "'**' as a name of its own, as in a/**/b";
	}
	return NULL;
}
