/*
 * planout.c - pieces of the renderers.  Pure; every text here may come from a
 * hostile commit or host (K18, A98, A100, A101).
 */
#include "reconciler/plan/planout.h"

#include "lib/text.h"

#include <assert.h>
#include <string.h>

/* Is the character at i more than text_escape() already takes care of? */
static bool is_active(const char *text, size_t i)
{
	char c = text[i], before = i > 0 ? text[i - 1] : '\0';

	return c == '`' || c == '<' || (c == ':' && before == ':') ||
	       (c == '#' && before == '#');
}

void planout_safe(struct buf *out, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	size_t from = 0;

#ifndef GUARD_OFF_PLAN_ESCAPE
	for (size_t i = 0; i < len; i++) {
		if (!is_active(text, i))
			continue;
		text_escape(out, text + from, i - from);
		buf_printf(out, "\\x%02x", (unsigned char)text[i]);
		from = i + 1;
	}
	if (len > from)
		text_escape(out, text + from, len - from);
#else
	(void)is_active, (void)from;
	buf_put(out, text, len);
#endif
}

const char *planout_action(int action)
{
	static const char *const names[] = {"create", "update", "delete",
					    "start", "stop"};

	assert(action >= PLAN_CREATE && action <= PLAN_STOP);
	return names[action];
}

const char *planout_cause(int cause)
{
	return cause == PLAN_DRIFT ? "drift" : "intent";
}

const char *planout_severity(enum diag_severity s)
{
	static const char *const names[] = {"error", "warning", "note"};

	assert(s <= DIAG_NOTE);
	return names[s];
}

bool planout_shows_hash(const struct plan_change *c)
{
#ifndef GUARD_OFF_PLAN_SECRET_HASH
	return c->kind != MANIFEST_SECRET;
#else
	(void)c;
	return true;
#endif
}

const char *planout_digest(const char *image, const struct world *w)
{
	const char *at = image ? strchr(image, '@') : NULL;

	if (at)
		return at + 1;
	for (size_t i = 0; image && w && i < w->n_pins; i++)
		if (strcmp(w->pins[i].image, image) == 0)
			return w->pins[i].digest;
	return NULL;
}

const struct object *planout_object(const struct snapshot *want,
				    const struct plan_change *c)
{
	if (!want || !c->name)
		return NULL;
	return manifest_find(&want->objects, c->kind, c->namespace, c->name);
}
