/* cglimit.c - see cgroup.h: writing the limits. */
#include "engine/cgroup/cgfile.h"
#include "engine/cgroup/cgroup.h"
#include "engine/cgroup/devices.h"
#include "engine/cgroup/limits.h"

#include <errno.h>
#include <string.h>

/* True if word is one of the parts of list separated by sep. */
static bool cglimit_listed(const char *list, const char *word, char sep)
{
	size_t len = strlen(word);
	const char *at = list;

	while (len > 0 && (at = strstr(at, word)) != NULL) {
		if ((at == list || at[-1] == sep) &&
		    (at[len] == sep || at[len] == '\0' || at[len] == '\n'))
			return true;
		at += len;
	}
	return false;
}

static const struct cgroup_hierarchy *cglimit_v1(const struct cgroup *c,
						 const char *controller)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!c->h[i].v2 && c->h[i].dir >= 0 &&
		    cglimit_listed(c->h[i].name, controller, ','))
			return &c->h[i];
	return NULL;
}

/* "QUOTA PERIOD": the first word stays what it is. */
static int cglimit_second_word(int dir, const struct limits_item *item,
			       struct err *err)
{
	char have[LIMITS_VALUE_BYTES], value[2 * LIMITS_VALUE_BYTES];

	if (cgfile_get(dir, item->file, have, sizeof(have)) <= 0)
		return err_sys(err, errno, "cgroup: read %s", item->file);
	have[strcspn(have, " \n")] = '\0';
	(void)snprintf(value, sizeof(value), "%s %s", have, item->value);
	return cgfile_write(dir, item->file, value, err);
}

static int cglimit_item(int dir, const struct limits_item *item,
			struct err *err)
{
	if (item->keep_first)
		return cglimit_second_word(dir, item, err);
	if (cgfile_put(dir, item->file, item->value) == 0)
		return 0;
	if ((errno == ENOENT || errno == EOPNOTSUPP) && item->other != NULL)
		return cgfile_write(dir, item->other,
				    item->other_value[0] != '\0'
					    ? item->other_value
					    : item->value,
				    err);
	return err_sys(err, errno, "cgroup: write \"%s\" to %s", item->value,
		       item->file);
}

/* memory and memory+swap must not cross: raising wants the second first. */
static int cglimit_pair(int dir, const struct limits_item *limit,
			const struct limits_item *swap, struct err *err)
{
	if (cgfile_put(dir, limit->file, limit->value) == 0)
		return cglimit_item(dir, swap, err);
	if (errno != EINVAL && errno != EBUSY)
		return cglimit_item(dir, limit, err);
	if (cglimit_item(dir, swap, err) < 0)
		return err->code;
	return cglimit_item(dir, limit, err);
}

static bool cglimit_is(const struct limits_item *item, const char *file)
{
	return strcmp(item->file, file) == 0;
}

/* The period is checked against the old quota and the other way round. */
static bool cglimit_is_pair(const struct limits_item *a,
			    const struct limits_item *b)
{
	return (cglimit_is(a, "memory.limit_in_bytes") &&
		cglimit_is(b, "memory.memsw.limit_in_bytes")) ||
	       (cglimit_is(a, "cpu.cfs_period_us") &&
		cglimit_is(b, "cpu.cfs_quota_us"));
}

static int cglimit_all_v1(const struct cgroup *c, const struct limits *list,
			  bool *out_rest, struct err *err)
{
	const struct cgroup_hierarchy *h;
	size_t i;
	int r = 0;

	for (i = 0; i < list->n && r == 0; i++) {
		const struct limits_item *item = &list->v[i];

		h = cglimit_v1(c, item->controller);
		if (h == NULL) {
			*out_rest = true;
			continue;
		}
		if (i + 1 < list->n && cglimit_is_pair(item, item + 1)) {
			r = cglimit_pair(h->dir, item, item + 1, err);
			i++;
			continue;
		}
		r = cglimit_item(h->dir, item, err);
	}
	return r;
}

static int cglimit_v2_item(const struct cgroup *c, int dir,
			   const struct limits_item *item, struct err *err)
{
	char have[256], name[LIMITS_FILE_BYTES];

	(void)snprintf(name, sizeof(name), "%s",
		       item->controller[0] != '\0' ? item->controller
						   : item->file);
	name[strcspn(name, ".")] = '\0';
	if (cglimit_v1(c, name) != NULL && item->controller[0] != '\0')
		return 0; /* written there already */
	if (dir < 0 ||
	    cgfile_get(dir, "cgroup.controllers", have, sizeof(have)) < 0)
		have[0] = '\0';
	if (!cglimit_listed(have, name, ' ') && strcmp(name, "cgroup") != 0)
		return err_set(err, ERR_NOTFOUND,
			       "cgroup: %s is asked for, but the controller "
			       "\"%s\" is not there",
			       item->file, name);
	return cglimit_item(dir, item, err);
}

/* In a hybrid set-up the v2 half has to be told which of its controllers to
 * hand down; only those that a limit needs. */
static void cglimit_enable(const struct cgroup *c, const struct limits *list)
{
	char word[LIMITS_FILE_BYTES + 1];
	size_t i, k;

	for (k = 0; k < c->n; k++) {
		if (!c->h[k].v2 || c->v2_only)
			continue;
		for (i = 0; i < list->n; i++) {
			char part[CGROUP_PATH_BYTES];
			char *slash = part;
			const char *name = list->v[i].controller[0] != '\0'
						   ? list->v[i].controller
						   : list->v[i].file;

			if (cglimit_v1(c, list->v[i].controller) != NULL)
				continue;
			(void)snprintf(word, sizeof(word), "+%.*s",
				       (int)strcspn(name, "."), name);
			(void)cgfile_put(c->h[k].root, "cgroup.subtree_control",
					 word);
			(void)snprintf(part, sizeof(part), "%s", c->path);
			while ((slash = strchr(slash, '/')) != NULL) {
				char file[CGROUP_PATH_BYTES + 32];

				*slash = '\0';
				(void)snprintf(file, sizeof(file),
					       "%s/cgroup.subtree_control",
					       part);
				(void)cgfile_put(c->h[k].root, file, word);
				*slash++ = '/';
			}
		}
	}
}

static int cglimit_devices(const struct cgroup *c,
			   const struct spec_resources *res, struct err *err)
{
	const struct cgroup_hierarchy *h = cglimit_v1(c, "devices");
	int dir = cgroup_v2_dir(c);

	if (h != NULL)
		return devices_write_v1(h->dir, res, err);
	if (dir >= 0)
		return devices_attach_v2(dir, res, err);
	return err_set(err, ERR_NOTFOUND,
		       "cgroup: nothing here can restrict devices");
}

int cglimit_write(struct cgroup *c, const struct spec_resources *res,
		  bool with_devices, struct err *err)
{
	bool rest = c->v2_only || res->unified.n > 0;
	struct limits list;
	size_t i;
	int r = 0;

	if (!c->v2_only) {
		r = limits_list(res, false, &list, err);
		if (r == 0)
			r = cglimit_all_v1(c, &list, &rest, err);
	}
	if (r == 0 && rest) {
		r = limits_list(res, true, &list, err);
		if (r == 0)
			cglimit_enable(c, &list);
		for (i = 0; r == 0 && i < list.n; i++)
			r = cglimit_v2_item(c, cgroup_v2_dir(c), &list.v[i],
					    err);
	}
	if (r == 0 && with_devices)
		r = cglimit_devices(c, res, err);
	return r;
}
