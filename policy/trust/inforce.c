/*
 * inforce.c - see inforce.h.
 */
#include "policy/trust/inforce.h"

static int read_file(struct inforce *f, struct inforce_policy *p,
		     struct verdict *v)
{
	struct manifest_input in = {.path = PEOPLE_PATH};
	struct diags diags;
	int r = f->src->blob(f->src->ctx, &p->blob, &in.bytes, &in.len, v);

	if (r < 0)
		return r;
	in.bytes = arena_strndup(f->arena, in.bytes, in.len);
	people_digest(in.bytes, in.len, p->digest);
	diags_init(&diags, f->arena, 20);
	if (people_read(&in, f->arena, &diags, &p->people, &p->why) < 0)
		p->people = NULL;
	return 0;
}

int inforce_read(struct inforce *f, const struct commit_id *blob,
		 const struct inforce_policy **out, struct verdict *v)
{
	struct inforce_policy *p;
	int r;

	for (p = f->list; p != NULL; p = p->next)
		if (commit_id_equal(&p->blob, blob)) {
			*out = p;
			return 0;
		}
	p = arena_alloc(f->arena, sizeof(*p));
	p->blob = *blob;
	r = read_file(f, p, v);
	if (r < 0)
		return r;
	p->next = f->list;
	f->list = p;
	*out = p;
	return 0;
}

void inforce_release(struct inforce *f)
{
	for (struct inforce_policy *p = f->list; p != NULL; p = p->next)
		people_free(p->people);
	f->list = NULL;
}
