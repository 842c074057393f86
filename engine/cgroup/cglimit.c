/* cglimit.c - see cgroup.h: writing the limits. */
#include "engine/cgroup/cgfile.h"
#include "engine/cgroup/cgroup.h"
#include "engine/cgroup/devices.h"
#include "engine/cgroup/limits.h"
#include "lib/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cglimit {
	struct cgroup *c;
	int dir[LIMITS_CONTROLLERS]; /* borrowed; -1: there is none */
	unsigned int v1;	     /* bits as limits_list() wants them */
};

static const struct cgroup_hierarchy *cglimit_v1(const struct cgroup *c,
						 const char *controller)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!c->h[i].v2 && c->h[i].dir >= 0 &&
		    cgfile_listed(c->h[i].name, controller, strlen(controller),
				  ','))
			return &c->h[i];
	return NULL;
}

static void cglimit_find(struct cgroup *c, struct cglimit *out)
{
	const struct cgroup_hierarchy *h;
	size_t i;

	*out = (struct cglimit){.c = c};
	for (i = 0; i < LIMITS_CONTROLLERS; i++) {
		h = i == LIMITS_UNIFIED
			    ? NULL
			    : cglimit_v1(c,
					 limits_name((enum limits_controller)i,
						     false));
		out->dir[i] = h != NULL ? h->dir : cgroup_v2_dir(c);
		if (h != NULL)
			out->v1 |= 1u << i;
	}
}

/* The controller of an item in v2, which a hybrid system may have bound to
 * v1: a file of `unified` says it itself. */
static const char *cglimit_name(const struct limits_item *item,
				char out[LIMITS_FILE_BYTES])
{
	if (item->controller != LIMITS_UNIFIED)
		return limits_name(item->controller, item->v2);
	(void)snprintf(out, LIMITS_FILE_BYTES, "%.*s",
		       (int)strcspn(item->file, "."), item->file);
	return out;
}

static int cglimit_failed(int dir, const struct limits_item *item,
			  struct err *err)
{
	char have[256] = "", name[LIMITS_FILE_BYTES], safe[64];
	const char *controller = cglimit_name(item, name);
	int saved = errno;

	if (item->v2 && strcmp(controller, "cgroup") != 0 &&
	    (dir < 0 ||
	     (cgfile_get(dir, "cgroup.controllers", have, sizeof(have)) >= 0 &&
	      !cgfile_listed(have, controller, strlen(controller), ' '))))
		return err_set(err, ERR_NOTFOUND,
			       "cgroup: %s is asked for, but the controller "
			       "\"%s\" is not there",
			       item->file, controller);
	return err_sys(
		err, saved, "cgroup: write \"%s\" to %s",
		text_safe(safe, sizeof(safe), item->value, strlen(item->value)),
		item->file);
}

/* "QUOTA PERIOD": the first word stays what it is. */
static int cglimit_second_word(int dir, const struct limits_item *item)
{
	char have[LIMITS_VALUE_BYTES], value[2 * LIMITS_VALUE_BYTES];

	if (cgfile_get(dir, item->file, have, sizeof(have)) <= 0)
		return -1;
	have[strcspn(have, " \n")] = '\0';
	(void)snprintf(value, sizeof(value), "%s %s", have, item->value);
	return cgfile_put(dir, item->file, value);
}

/* One item: -1 with errno. */
static int cglimit_put(int dir, const struct limits_item *item)
{
	int r;

	if (item->keep_first)
		return cglimit_second_word(dir, item);
	r = cgfile_put(dir, item->file, item->value);
	if (r < 0 && errno == ENOENT && item->optional)
		return 0;
	if (r == 0 || item->other == NULL ||
	    (errno != ENOENT && errno != EOPNOTSUPP))
		return r;
	return cgfile_put(dir, item->other,
			  item->other_value[0] != '\0' ? item->other_value
						       : item->value);
}

/* n items that are checked against each other.  The kernel takes each value
 * only where it fits to the others that are there: those that it refuses are
 * tried again, as long as another one was taken in between. */
static int cglimit_group(int dir, const struct limits_item *v, size_t n,
			 struct err *err)
{
	bool written[LIMITS_MAX] = {false};
	size_t i, left = n, before = n + 1;

	while (left > 0) {
		bool last = left == before;

		before = left;
		for (i = 0; i < n; i++) {
			if (written[i])
				continue;
			if (cglimit_put(dir, &v[i]) == 0) {
				written[i] = true;
				left--;
			} else if (last || n == 1 ||
				   (errno != EINVAL && errno != EBUSY)) {
				return cglimit_failed(dir, &v[i], err);
			}
		}
	}
	return 0;
}

/* In a hybrid set-up the v2 half has to be told which of its controllers to
 * hand down; only those that a limit needs. */
static void cglimit_enable(struct cgroup *c, const struct limits *list)
{
	char word[LIMITS_FILE_BYTES + 1] = "+", name[LIMITS_FILE_BYTES];
	size_t i;

	for (i = 0; i < list->n && !c->v2_only; i++) {
		if (!list->v[i].v2 ||
		    (i > 0 &&
		     list->v[i].controller == list->v[i - 1].controller &&
		     list->v[i].controller != LIMITS_UNIFIED))
			continue;
		(void)snprintf(word + 1, sizeof(word) - 1, "%s",
			       cglimit_name(&list->v[i], name));
		cgmake_hand_down(c, word);
	}
}

static int cglimit_items(struct cglimit *l, const struct limits *list,
			 struct err *err)
{
	size_t i, n;
	int r = 0;

	cglimit_enable(l->c, list);
	for (i = 0; i < list->n && r == 0; i += n) {
		const struct limits_item *item = &list->v[i];

		n = 1;
		while (item->group != LIMITS_ALONE && i + n < list->n &&
		       item[n].group == item->group)
			n++;
		r = cglimit_group(l->dir[item->controller], item, n, err);
	}
	return r;
}

int cglimit_write(struct cgroup *c, const struct spec_resources *res,
		  struct err *err)
{
	struct cglimit l;
	struct limits list;
	int r = cgroup_open(c, err);

	if (r < 0)
		return r;
	cglimit_find(c, &l);
	r = limits_list(res, l.v1, &list, err);
	return r < 0 ? r : cglimit_items(&l, &list, err);
}

int cglimit_devices(struct cgroup *c, const struct spec_resources *res,
		    bool update, struct err *err)
{
	const struct cgroup_hierarchy *h;
	int r = cgroup_open(c, err);

	if (r < 0)
		return r;
	h = cglimit_v1(c, "devices");
	if (h != NULL)
		return update ? devices_update_v1(h->dir, res, err)
			      : devices_write_v1(h->dir, res, err);
	if (cgroup_v2_dir(c) < 0)
		return err_set(err, ERR_NOTFOUND,
			       "cgroup: nothing here can restrict devices");
	return devices_attach_v2(cgroup_v2_dir(c), res, update || c->reused,
				 err);
}

/* memory.checkBeforeUpdate: v1 refuses by itself what is in use. */
static int cglimit_check_usage(int dir, const struct spec_memory *m,
			       struct err *err)
{
	long long used;

	if (!m->check.v || ((!m->limit.set || m->limit.v <= 0) &&
			    (!m->swap.set || m->swap.v <= 0)))
		return 0;
	used = cgfile_number(dir, "memory.current");
	if (used < 0)
		return 0;
	if ((m->limit.set && m->limit.v > 0 && m->limit.v <= used) ||
	    (m->swap.set && m->swap.v > 0 && m->swap.v <= used))
		return err_set(err, ERR_CONFLICT,
			       "resources: memory: want a limit over the %lld "
			       "bytes that are in use",
			       used);
	return 0;
}

/* Memory and swap together are one number in the config. */
static void cglimit_both_memory(int dir, struct spec_memory *m)
{
	bool limit = m->limit.set && m->limit.v != 0;
	bool swap = m->swap.set && m->swap.v != 0;
	long long have, rest;

	if (limit == swap || (limit && m->limit.v < 0))
		return;
	have = cgfile_number(dir, "memory.max");
	if (swap) {
		m->limit = (struct decode_i64){.v = have, .set = true};
		return;
	}
	/* A group without any swap stays one. */
	rest = cgfile_number(dir, "memory.swap.max");
	if (have >= 0 && rest > 0)
		m->swap = (struct decode_i64){.v = have + rest, .set = true};
}

/* A quota is nothing without its period. */
static void cglimit_both_cpu(int dir, bool v2, struct spec_cpu *cpu)
{
	bool quota = cpu->quota.set && cpu->quota.v != 0;
	bool period = cpu->period.set && cpu->period.v != 0;
	long long have_quota, have_period;
	char text[64];

	if (quota == period)
		return;
	if (v2) {
		if (cgfile_get(dir, "cpu.max", text, sizeof(text)) <= 0 ||
		    strchr(text, ' ') == NULL)
			return;
		have_period = strtoll(strchr(text, ' '), NULL, 10);
		have_quota = text[0] == 'm' ? -1 : strtoll(text, NULL, 10);
	} else {
		have_quota = cgfile_number(dir, "cpu.cfs_quota_us");
		have_period = cgfile_number(dir, "cpu.cfs_period_us");
	}
	if (have_period <= 0)
		return;
	if (quota)
		cpu->period = (struct decode_u64){.v = (uint64_t)have_period,
						  .set = true};
	else
		cpu->quota = (struct decode_i64){.v = have_quota, .set = true};
}

int cglimit_complete(struct cgroup *c, struct spec_resources *res,
		     struct err *err)
{
	struct cglimit l;
	int r = cgroup_open(c, err);

	if (r < 0)
		return r;
	cglimit_find(c, &l);
	if (l.dir[LIMITS_CPU] >= 0)
		cglimit_both_cpu(l.dir[LIMITS_CPU],
				 (l.v1 & 1u << LIMITS_CPU) == 0, &res->cpu);
	if ((l.v1 & 1u << LIMITS_MEMORY) != 0 || l.dir[LIMITS_MEMORY] < 0)
		return 0;
	r = cglimit_check_usage(l.dir[LIMITS_MEMORY], &res->memory, err);
	if (r == 0)
		cglimit_both_memory(l.dir[LIMITS_MEMORY], &res->memory);
	return r;
}

int cglimit_update(struct cgroup *c, const struct spec_resources *res,
		   struct err *err)
{
	int r = cglimit_write(c, res, err);

	if (r == 0 && res->n_devices > 0)
		r = cglimit_devices(c, res, true, err);
	return r;
}
