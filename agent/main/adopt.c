/*
 * adopt.c - the list of pods; finding running ones again after a start of the
 * agent (promise 7: pods outlive it).
 */
#include "agent/main/agent.h"
#include "agent/main/watch.h"
#include "agent/pod/volume.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POD_JSON_BYTES_MAX (8u << 20)

int adopt_add(struct agent *a, struct pod *p, struct err *err)
{
	struct agent_pod *io = arena_alloc(p->arena, sizeof(*io));
	int r;

	io->agent = a;
	io->pod = p;
	io->run_fd = io->disk_fd = io->conn = -1;
	io->jobs = arena_calloc(p->arena, p->n + 1, sizeof(*io->jobs));
	io->job_events =
		arena_calloc(p->arena, p->n + 1, sizeof(*io->job_events));
	io->infos = arena_calloc(p->arena, p->n + 1, sizeof(*io->infos));
	p->io = io;
	if (a->n_pods == AGENT_PODS_MAX)
		r = err_set(err, ERR_LIMIT, "want at most %d pods",
			    AGENT_PODS_MAX);
	else
		r = prepare_open(a, p, err);
	if (r < 0) {
		pod_free(p);
		return r;
	}
	a->pods[a->n_pods++] = p;
	return 0;
}

void adopt_drop(struct agent *a, struct pod *p)
{
	struct agent_pod *io = agent_io(p);

	for (size_t i = 0; i < a->n_pods; i++)
		if (a->pods[i] == p) {
			memmove(&a->pods[i], &a->pods[i + 1],
				(a->n_pods - i - 1) * sizeof(a->pods[0]));
			a->n_pods--;
			break;
		}
	probes_drop(a, p);
	images_release(io);
	watch_release(io);
	if (io->run_fd >= 0)
		(void)close(io->run_fd);
	if (io->disk_fd >= 0)
		(void)close(io->disk_fd);
	pod_free(p);
	a->dirty = true;
}

static int claim(struct agent *a, struct pod *p, struct err *err)
{
	int r = 0;

	if (p->cleaned) {
		p->has_ip = p->has_range = false;
		return 0;
	}
	if (p->has_range)
		r = pool_claim(&a->ranges, p->range, err);
	if (r == 0 && p->has_ip) {
		r = pool_claim(&a->addresses, p->ip - a->pod_cidr, err);
		if (r < 0 && p->has_range)
			pool_give(&a->ranges, p->range);
	}
	return r;
}

/* After a boot nothing of it runs: the folders go, and if the manager still
 * wants it, the assignment that is judged again makes it anew. */
static void forget(struct agent *a, const char *uid)
{
	char rel[64];

	(void)snprintf(rel, sizeof(rel), "pods/%s", uid);
	(void)file_remove_tree(a->run_fd, rel, NULL);
	(void)file_remove_tree(a->state_fd, rel, NULL);
}

static void take_up(struct pod *p, bool same_boot)
{
	struct agent_pod *io = agent_io(p);
	struct err err = {0};

	if (p->cleaned)
		return; /* a final pod: only its record */
	p->started_ms = 0;
	io->start_told = true;
	if (p->prepared && same_boot && watch_connect(p, &err) < 0 &&
	    !p->stopping && !p->final) {
		watch_release(io);
		/* It was being started when the agent died: begin again. */
		if (faccessat(io->run_fd, MONITOR_STATE, F_OK, 0) == 0)
			watch_lost(p, err.msg);
	} else if (io->conn >= 0) {
		p->busy = true; /* until the monitor has told all */
		p->net_up = true;
	}
}

static void adopt_one(struct agent *a, int dir, const char *uid)
{
	struct err err = {0};
	struct pod *p = NULL;
	bool same_boot = false;
	struct buf b;
	char rel[64];
	int r;

	(void)snprintf(rel, sizeof(rel), "%s/pod.json", uid);
	buf_init(&b, POD_JSON_BYTES_MAX);
	r = file_read(dir, rel, POD_JSON_BYTES_MAX, &b, &err);
	if (r == 0)
		r = pod_decode(b.data, b.len, a->boot_id, &p, &same_boot, &err);
	buf_release(&b);
	if (r == 0 && strcmp(p->uid, uid) != 0)
		r = err_set(&err, ERR_INPUT, "pod.json of another pod");
	if (r == 0 && !same_boot && !p->cleaned)
		r = ERR_NOTFOUND;
	if (r == 0)
		r = claim(a, p, &err);
	if (r < 0) {
		if (r != ERR_NOTFOUND)
			log_line(LOG_LEVEL_WARN, "pod.adopt",
				 "uid=%s reason=\"%s\"", uid, err.msg);
		pod_free(p);
		forget(a, uid);
		return;
	}
	r = adopt_add(a, p, &err);
	if (r == 0)
		take_up(p, same_boot);
}

int adopt_all(struct agent *a, struct err *err)
{
	struct dirent *e;
	int fd, r = file_mkdirs(a->state_fd, "pods", 0711, &fd, err);
	DIR *d = r < 0 ? NULL : fdopendir(fd);

	if (!d)
		return r < 0 ? r : err_sys(err, errno, "list pods");
	while ((e = readdir(d)))
		if (text_is_hex(e->d_name, POD_UID_BYTES - 1))
			adopt_one(a, dirfd(d), e->d_name);
	(void)closedir(d);
	return 0;
}
