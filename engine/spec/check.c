/* check.c - see check.h. */
#include "engine/spec/check.h"

#include <string.h>
#include <sys/stat.h>

#define CHECK_NETDEV_MAX 15
#define CHECK_MODE_MAX 07777
#define CHECK_UMASK_MAX 0777

static bool check_above(const struct decode_u64 *v, uint64_t max)
{
	return v->set && v->v > max;
}

static int check_hook_list(const struct spec_hook_list *list, const char *name,
			   struct err *err)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct spec_hook *h = &list->v[i];

		if (h->path[0] != '/')
			return err_set(err, ERR_INPUT,
				       "config: hooks.%s[%zu].path: want an "
				       "absolute path",
				       name, i);
		if (h->timeout.set &&
		    (h->timeout.v <= 0 || h->timeout.v > INT32_MAX / 1000))
			return err_set(err, ERR_INPUT,
				       "config: hooks.%s[%zu].timeout: want 1 "
				       "to %d seconds",
				       name, i, INT32_MAX / 1000);
	}
	return 0;
}

static int check_hooks(const struct spec_hooks *h, struct err *err)
{
	const struct {
		const char *name;
		const struct spec_hook_list *list;
	} all[] = {
		{"prestart", &h->prestart},
		{"createRuntime", &h->create_runtime},
		{"createContainer", &h->create_container},
		{"startContainer", &h->start_container},
		{"poststart", &h->poststart},
		{"poststop", &h->poststop},
	};
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(all) / sizeof(all[0]) && r == 0; i++)
		r = check_hook_list(all[i].list, all[i].name, err);
	return r;
}

/* The kernel's numbers have 12 and 20 bits. */
static bool check_number(const struct decode_i64 *n, int64_t max)
{
	return n->set && n->v >= 0 && n->v <= max;
}

/* Clients hand on st_mode as it is, with the type of the file in it. */
static bool check_mode(const struct spec_device *d)
{
	const uint64_t type = d->type[0] == 'b'	  ? S_IFBLK
			      : d->type[0] == 'p' ? S_IFIFO
						  : S_IFCHR;

	return !d->mode.set || d->mode.v <= CHECK_MODE_MAX ||
	       (d->mode.v & ~(uint64_t)CHECK_MODE_MAX) == type;
}

static int check_device(const struct spec_device *d, const char **out_want)
{
	bool fifo = strcmp(d->type, "p") == 0;

	if (strlen(d->type) != 1 || strchr("bcup", d->type[0]) == NULL)
		*out_want = "type: want c, b, u or p";
	else if (d->path[0] != '/')
		*out_want = "path: want an absolute path";
	else if (!fifo && !check_number(&d->major, 0xfff))
		*out_want = "major: want it, 0 to 4095";
	else if (!fifo && !check_number(&d->minor, 0xfffff))
		*out_want = "minor: want it, 0 to 1048575";
	else if (!check_mode(d))
		*out_want = "fileMode: want at most 4095 (07777), beside the "
			    "type of the device";
	else if (check_above(&d->uid, UINT32_MAX - 1))
		*out_want = "uid: want at most 4294967294";
	else if (check_above(&d->gid, UINT32_MAX - 1))
		*out_want = "gid: want at most 4294967294";
	else
		return 0;
	return ERR_INPUT;
}

static int check_devices(const struct spec_linux *l, struct err *err)
{
	const char *want = NULL;
	size_t i;

	for (i = 0; i < l->n_devices; i++)
		if (check_device(&l->devices[i], &want) < 0)
			return err_set(err, ERR_INPUT,
				       "config: linux.devices[%zu].%s", i,
				       want);
	return 0;
}

static int check_paths(const struct decode_strv *paths, const char *name,
		       struct err *err)
{
	size_t i;

	for (i = 0; i < paths->n; i++)
		if (paths->v[i][0] != '/')
			return err_set(err, ERR_INPUT,
				       "config: linux.%s[%zu]: want an "
				       "absolute path",
				       name, i);
	return 0;
}

/* As the kernel has it; a template may number the device in the container. */
static bool check_netdev_name(const char *name, bool template)
{
	const char *percent = strchr(name, '%');
	size_t len = strlen(name);

	if (len == 0 || len > CHECK_NETDEV_MAX || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || strpbrk(name, "/: \t\n\v\f\r") != NULL)
		return false;
	return percent == NULL || (template && percent[1] == 'd' &&
				   strchr(percent + 1, '%') == NULL);
}

static int check_netdevs(const struct spec *s, struct err *err)
{
	const struct spec_linux *l = &s->linux_;
	size_t i;

	if (l->n_netdevs > 0 && spec_ns_find(s, SPEC_NS_NET) == NULL)
		return err_set(err, ERR_INPUT,
			       "config: linux.netDevices wants a network "
			       "namespace");
	for (i = 0; i < l->n_netdevs; i++) {
		const struct spec_netdev *d = &l->netdevs[i];
		bool named = d->name != NULL && d->name[0] != '\0';

		if (!check_netdev_name(d->key, false) ||
		    (named && !check_netdev_name(d->name, true)))
			return err_set(
				err, ERR_INPUT,
				"config: linux.netDevices: want names of "
				"1 to %d characters without space, / "
				"and :, in a new name %%d once",
				CHECK_NETDEV_MAX);
	}
	return 0;
}

int check_spec(const struct spec *s, struct err *err)
{
	int r = check_hooks(&s->hooks, err);

	if (r == 0)
		r = check_devices(&s->linux_, err);
	if (r == 0)
		r = check_netdevs(s, err);
	if (r == 0)
		r = check_paths(&s->linux_.masked, "maskedPaths", err);
	if (r == 0)
		r = check_paths(&s->linux_.readonly, "readonlyPaths", err);
	return r;
}

int check_process(const struct spec_process *p, struct err *err)
{
	size_t i, k;

	if (check_above(&p->user.umask, CHECK_UMASK_MAX))
		return err_set(err, ERR_INPUT,
			       "config: process.user.umask: want at most 511 "
			       "(0777)");
	for (i = 0; i < p->n_rlimits; i++)
		for (k = 0; k < i; k++)
			if (strcmp(p->rlimits[i].type, p->rlimits[k].type) == 0)
				return err_set(err, ERR_INPUT,
					       "config: process.rlimits[%zu]: "
					       "the type of [%zu] again",
					       i, k);
	return 0;
}
