/* pins.c - see pins.h.  Hosts compare a pin with what they resolve themselves.
 */
#include "reconciler/core/pins.h"

#include "reconciler/core/siblings.h"

#include <string.h>

static bool has_digest(const char *image)
{
	return strchr(image, '@') != NULL;
}

static bool known(const struct world *w, const char *image)
{
	for (size_t i = 0; i < w->n_pins; i++)
		if (strcmp(w->pins[i].image, image) == 0)
			return true;
	return false;
}

static int pin_one(struct core *c, const struct container *k,
		   struct manifest_pos at, struct world *w, struct arena *arena,
		   struct diags *diags, struct err *err)
{
	const char *key = arena_printf(arena, "pin:%s", k->image);
	const char *digest = NULL;
	struct err why = {0};
	int r_why = 0;
	int r = siblings_resolve(c->conf, c->libexec, k->image, arena, &digest,
				 &why);

	if (r == 0 && c->lock_fd >= 0) {
		r = state_set(c->state, key, digest, err);
		if (r < 0)
			return r;
	} else if (r < 0) {
		r_why = r;
		r = state_get(c->state, key, arena, &digest, err);
		if (r < 0)
			return r;
		diags_add(diags,
			  digest != NULL       ? "R401"
			  : r_why == ERR_AGAIN ? PINS_UNREACHABLE
					       : "R402",
			  digest != NULL ? DIAG_WARNING : DIAG_ERROR, at, NULL,
			  "write the image with its digest",
			  "image %s could not be resolved: %s%s", k->image,
			  why.msg,
			  digest != NULL ? "; the digest of before is used"
					 : "");
	}
	if (digest != NULL)
		w->pins[w->n_pins++] = (struct world_pin){k->image, digest};
	return 0;
}

/* Where: the image, else (snapshots keep places of objects only) its object. */
static int pin_list(struct core *c, const struct object *o,
		    const struct container *list, size_t n, struct world *w,
		    struct arena *arena, struct diags *diags, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (!has_digest(list[i].image) && !known(w, list[i].image))
			r = pin_one(c, &list[i],
				    list[i].image_pos.line > 0
					    ? list[i].image_pos
					    : o->pos,
				    w, arena, diags, err);
	return r;
}

static size_t count_images(const struct objects *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct pod_template *t =
			manifest_template(&set->items[i]);

		if (t != NULL)
			n += t->spec.n_containers + t->spec.n_init_containers;
	}
	return n;
}

int pins_resolve(struct core *c, const struct snapshot *want, struct world *w,
		 struct arena *arena, struct diags *diags, struct err *err)
{
	int r = 0;

	w->pins = arena_calloc(arena, count_images(&want->objects),
			       sizeof(*w->pins));
	w->n_pins = 0;
	for (size_t i = 0; r == 0 && i < want->objects.n; i++) {
		const struct pod_template *t =
			manifest_template(&want->objects.items[i]);

		if (t == NULL)
			continue;
		r = pin_list(c, &want->objects.items[i],
			     t->spec.init_containers, t->spec.n_init_containers,
			     w, arena, diags, err);
		if (r == 0)
			r = pin_list(c, &want->objects.items[i],
				     t->spec.containers, t->spec.n_containers,
				     w, arena, diags, err);
	}
	return r;
}
