/*
 * reader.c - see reader.h.  sudo says in SUDO_UID who called it; whoever can
 * become the manager's user in another way could read its state anyhow.
 */
#include "reconciler/cli/reader.h"

#include "lib/num.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int reader_caller(struct cli *cli, const char **out, struct err *err)
{
	const char *text = getenv("SUDO_UID");
	const struct passwd *pw = NULL;
	uint64_t uid = 0;

	*out = NULL;
	if (text == NULL)
		return 0;
	if (!num_parse_u64(text, strlen(text), UINT32_MAX - 1, &uid))
		return err_set(err, ERR_DENIED,
			       "T158 SUDO_UID is not what sudo writes");
	if (uid == 0 || uid == geteuid())
		return 0;
	pw = getpwuid((uid_t)uid);
	if (pw == NULL)
		return err_set(err, ERR_DENIED,
			       "T158 the user %llu who called sudo is not "
			       "known here",
			       (unsigned long long)uid);
	*out = arena_strdup(cli->arena, pw->pw_name);
	return 0;
}

/* Only root and the manager's user write configurations for others. */
static int open_config(const char *path, int *out, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, ERR_DENIED,
			       "T158 --config %s cannot be opened: %s", path,
			       strerror(errno));
#ifdef GUARD_OFF_READER_CONFIG
	*out = fd;
	return 0;
#endif
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0) {
		*out = fd;
		return 0;
	}
	(void)close(fd);
	return err_set(err, ERR_DENIED,
		       "T158 through sudo --config must name a file that only "
		       "root or the manager's user can write");
}

int reader_load(struct cli *cli, struct err *err)
{
	const char *path = opt_get(&cli->values, "config");
	const char *who = NULL;
	int fd = -1;
	int r = reader_caller(cli, &who, err);

	if (r < 0 || who == NULL || path == NULL)
		return r < 0 ? r : cli_load(cli, err);
	r = open_config(path, &fd, err);
	if (r < 0)
		return r;
	/* what was looked at is what is read */
	r = core_conf_load_fd(fd, path, cli->arena, &cli->conf, err);
	(void)close(fd);
	return cli_no_such(r, err);
}

int reader_roles(struct cli *cli, struct state *state, struct readers *out,
		 struct err *err)
{
	const char *who = NULL;
	int r = reader_caller(cli, &who, err);

	*out = (struct readers){0};
	if (r < 0 || state == NULL)
		return r;
	return readers_open(state, &cli->conf, who, cli->arena, out, err);
}

int reader_open(struct cli *cli, struct core *out, struct readers *out_readers,
		struct err *err)
{
	int r = reader_load(cli, err);

	if (r == 0)
		r = core_open(&cli->conf, &cli->ui, true, out, err);
	if (r < 0)
		return r;
	r = reader_roles(cli, out->state, out_readers, err);
	if (r < 0)
		core_close(out);
	return r;
}

/* kind, "list": the namespace is filled in. */
static struct access_ask to_list(const char *resource)
{
	return (struct access_ask){"list", "", resource, "", "", ""};
}

int reader_filter(const struct readers *r, struct world *io, bool *out_cut,
		  struct err *err)
{
	struct access_ask pods = to_list("pods");
	struct access_ask services = to_list("services");
	struct access_ask nodes = to_list("nodes");
	size_t before = io->n_pods + io->n_services + io->n_hosts;
	size_t n = 0;

	if (!readers_may_somewhere(r, &pods) &&
	    !readers_may_somewhere(r, &services) && !readers_may(r, &nodes))
		return readers_refuse(r, &pods, err);
	for (size_t i = 0; i < io->n_pods; i++) {
		pods.namespace = io->pods[i].namespace;
		if (readers_may(r, &pods))
			io->pods[n++] = io->pods[i];
	}
	io->n_pods = n;
	n = 0;
	for (size_t i = 0; i < io->n_services; i++) {
		services.namespace = io->services[i].namespace;
		if (readers_may(r, &services))
			io->services[n++] = io->services[i];
	}
	io->n_services = n;
	if (!readers_may(r, &nodes))
		io->n_hosts = 0;
	*out_cut = io->n_pods + io->n_services + io->n_hosts != before;
	return 0;
}
