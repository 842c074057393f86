/*
 * images.c - images of a pod's containers, by non-blocking jobs.
 *
 * What runs is what this host resolves: a reference by digest names itself; a
 * tag is resolved here and must be the digest that the plan showed (pin).
 */
#include "agent/main/agent.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define CA_BYTES_MAX (1u << 20)
#define PASSWORD_BYTES_MAX 4096

static void end_job(struct agent_pod *io, size_t i)
{
	if (io->job_events[i])
		event_free(io->job_events[i]);
	image_job_free(io->jobs[i]);
	io->job_events[i] = NULL;
	io->jobs[i] = NULL;
}

static void failed(struct pod *p, struct pod_container *c, enum code_id code,
		   const char *why, const char *message)
{
	struct agent *a = agent_io(p)->agent;

	c->pulling = false;
	c->pull_fails++;
	c->pull_at =
		agent_now() +
		(c->pull_fails == 1 ? 1000 : machine_backoff_ms(c->pull_fails));
	c->why = why;
	agent_coded(c->message, code, message);
	log_line(LOG_LEVEL_WARN, "image.pull",
		 "pod=%s container=%s reason=\"%s\"", p->name, c->name,
		 c->message);
	if (c->pull_fails == 1 || code == CODE_PIN)
		record_fact(a, "image.pull", AUDIT_FACT, p, code_id(code),
			    c->message);
	agent_kick(a);
}

static bool pin_ok(struct pod *p, struct pod_container *c,
		   const struct image_info *info)
{
	struct agent *a = agent_io(p)->agent;
	char name[400], why[ASSIGN_WHY_BYTES];
	enum code_id code = CODE_PIN;

	if (strchr(c->spec->image, '@'))
		return true;
#ifndef GUARD_OFF_PIN
	if (strcmp(c->pin, info->reference_digest) == 0)
		return true;
#else
	return true;
#endif
	if (c->pin[0] == '\0')
		code = CODE_NO_PIN;
	(void)snprintf(why, sizeof(why), "%.80s: want %s, have %.72s",
		       c->spec->image, info->reference_digest,
		       c->pin[0] ? c->pin : "none");
	(void)snprintf(name, sizeof(name), "%s/%s", p->namespace, p->name);
	if (c->pull_fails == 0)
		link_refuse(a, a->epoch, p->commit, name, code, why);
	failed(p, c, code, "ImagePin", why);
	return false;
}

static void take(struct pod *p, struct pod_container *c, size_t i)
{
	struct agent_pod *io = agent_io(p);
	struct image_info info = {0};

	image_job_take(io->jobs[i], &info);
	end_job(io, i);
	if (!pin_ok(p, c, &info)) {
		image_info_release(&info);
		return;
	}
	io->infos[i] = info;
	c->pulling = false;
	c->pull_fails = 0;
	c->image_ready = true;
	(void)snprintf(c->digest, sizeof(c->digest), "%s",
		       info.reference_digest);
	agent_kick(io->agent);
}

static void step(struct pod *p, size_t i)
{
	struct agent_pod *io = agent_io(p);
	struct err err = {0};
	bool done = false;
	int r = image_job_step(io->jobs[i], &done, &err);

	if (r < 0) {
		end_job(io, i);
		failed(p, &p->c[i], CODE_IMAGE, "ImagePull", err.msg);
	} else if (done) {
		take(p, &p->c[i], i);
	}
}

static void on_job(evutil_socket_t fd, short what, void *ctx)
{
	struct pod_container *c = ctx;
	struct pod *p = c->owner;

	(void)fd;
	(void)what;
	step(p, (size_t)(c - p->c));
}

static int read_file(const char *path, size_t max, struct buf *out,
		     struct err *err)
{
	int r = file_read(AT_FDCWD, path, max, out, err);

	return r < 0 ? err_wrap(err, "%s", path) : 0;
}

static int start(struct pod *p, struct pod_container *c, size_t i,
		 struct err *err)
{
	struct agent_pod *io = agent_io(p);
	struct agent *a = io->agent;
	struct config_registry reg;
	struct image_ref ref;
	struct image_request q = {.reference = c->spec->image};
	struct buf ca, password;
	int r;

	buf_init(&ca, CA_BYTES_MAX);
	buf_init(&password, PASSWORD_BYTES_MAX);
	r = image_ref_parse(c->spec->image, &ref, err);
	if (r == 0)
		r = config_registry_of(&a->conf, ref.host, p->arena, &reg, err);
	if (r == 0 && reg.ca_file)
		r = read_file(reg.ca_file, CA_BYTES_MAX, &ca, err);
	if (r == 0 && reg.password_file)
		r = read_file(reg.password_file, PASSWORD_BYTES_MAX, &password,
			      err);
	if (r == 0) {
		if (password.data)
			password.data[strcspn(password.data, "\r\n")] = '\0';
		q.ca_pem = ca.data;
		q.ca_len = ca.len;
		q.insecure_http = reg.http;
		q.username = reg.user;
		q.password = password.data;
		r = image_job_new(a->images, &q, &io->jobs[i], err);
	}
	if (r == 0) {
		io->job_events[i] =
			event_new(a->base, image_job_fd(io->jobs[i]),
				  EV_READ | EV_PERSIST, on_job, c);
		if (!io->job_events[i] ||
		    event_add(io->job_events[i], NULL) < 0)
			r = err_set(err, ERR_NOMEM, "out of memory");
	}
	if (password.data)
		explicit_bzero(password.data, password.cap);
	buf_release(&ca);
	buf_release(&password);
	return r;
}

void images_pull(struct pod *p, struct pod_container *c)
{
	size_t i = (size_t)(c - p->c);
	struct err err = {0};

	if (start(p, c, i, &err) < 0) {
		end_job(agent_io(p), i);
		failed(p, c, CODE_IMAGE, "ImagePull", err.msg);
		return;
	}
	step(p, i);
}

void images_release(struct agent_pod *io)
{
	for (size_t i = 0; i < io->pod->n; i++) {
		if (io->jobs)
			end_job(io, i);
		if (io->infos && io->infos[i].arena)
			image_info_release(&io->infos[i]);
	}
}
