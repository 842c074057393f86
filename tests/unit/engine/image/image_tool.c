/*
 * image_tool.c - the image store on a command line, for the shell suites
 * (tests/integration/image*.t, tests/attack/image*.t, tests/bench/).  Not
 * installed.
 *
 *   image_tool ensure STORE LIBEXEC REFERENCE [key=value...]
 *   image_tool unpack STORE LIBEXEC BLOB MEDIA_TYPE DIFF_ID [key=value...]
 *
 * Prints "ok ..." and the result, or "CODE: message" on standard error with
 * the code's exit status.
 */
#include "engine/image/image.h"
#include "engine/image/image_child.h"
#include "engine/image/image_store.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/msg.h"
#include "lib/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UID_BASE 200000u

struct options {
	struct image_request request;
	struct buf ca;
	unsigned int uid_base;
	uint64_t depth, name;
};

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	if (!num_parse_u64(text, strlen(text), UINT64_MAX, &n)) {
		(void)fprintf(stderr, "not a number: %s\n", text);
		exit(2);
	}
	return n;
}

static const char *value_of(const char *arg, const char *key)
{
	size_t n = strlen(key);

	return strncmp(arg, key, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

static void read_ca(struct options *o, const char *path)
{
	struct err e = {0};

	if (file_read(AT_FDCWD, path, 1u << 20, &o->ca, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.msg);
		exit(2);
	}
	o->request.ca_pem = o->ca.data;
	o->request.ca_len = o->ca.len;
}

static void option(struct options *o, const char *arg)
{
	struct image_request *q = &o->request;
	const char *v;

	if ((v = value_of(arg, "ca")))
		read_ca(o, v);
	else if ((v = value_of(arg, "http")))
		q->insecure_http = number(v) != 0;
	else if ((v = value_of(arg, "user")))
		q->username = v;
	else if ((v = value_of(arg, "pass")))
		q->password = v;
	else if ((v = value_of(arg, "resolve")))
		q->resolve_only = number(v) != 0;
	else if ((v = value_of(arg, "base")))
		o->uid_base = (unsigned int)number(v);
	else if ((v = value_of(arg, "max_layer")))
		q->max_layer_bytes = number(v);
	else if ((v = value_of(arg, "max_bytes")))
		q->max_unpacked_bytes = number(v);
	else if ((v = value_of(arg, "max_entries")))
		q->max_entries = number(v);
	else if ((v = value_of(arg, "max_ratio")))
		q->max_ratio = (uint32_t)number(v);
	else if ((v = value_of(arg, "max_depth")))
		o->depth = number(v);
	else if ((v = value_of(arg, "stall")))
		q->stall_seconds = (uint32_t)number(v);
	else if ((v = value_of(arg, "total")))
		q->total_seconds = (uint32_t)number(v);
	else {
		(void)fprintf(stderr, "unknown option: %s\n", arg);
		exit(2);
	}
}

static int fail(const struct err *e)
{
	(void)fprintf(stderr, "%s: %s\n", err_name(e->code), e->msg);
	return err_exit_status(e->code);
}

static void print_list(const char *name, const struct image_strings *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		(void)printf("%s=%s\n", name, s->items[i]);
}

static void print_info(const struct image_info *info)
{
	const struct image_config *c = &info->config;

	(void)printf("ok reference=%s\n", info->reference_digest);
	if (!info->manifest_digest[0])
		return;
	(void)printf("manifest=%s\nconfig=%s\n", info->manifest_digest,
		     info->config_digest);
	print_list("lower", &info->lower_dirs);
	print_list("entrypoint", &c->entrypoint);
	print_list("cmd", &c->cmd);
	print_list("env", &c->env);
	print_list("volume", &c->volumes);
	print_list("port", &c->exposed_ports);
	(void)printf("user=%s\nworkdir=%s\nsignal=%s\n", c->user,
		     c->working_dir, c->stop_signal);
}

static int ensure(struct image_store *s, struct options *o, const char *ref)
{
	struct image_info info = {0};
	struct err e = {0};

	o->request.reference = ref;
	if (image_ensure(s, &o->request, &info, &e) < 0)
		return fail(&e);
	print_info(&info);
	image_info_release(&info);
	return 0;
}

static int wait_frame(struct image_child *c, struct msg *m, uint16_t want,
		      struct err *e)
{
	int r = msg_recv(c->sock, m, 120000, e);

	if (r == 0 && m->type == IMAGE__FRAME__FRAME_FAILED) {
		Image__Failed *f = image__failed__unpack(
			NULL, m->payload.len, (const uint8_t *)m->payload.data);

		r = f ? err_set(e, f->code, "%s", f->msg)
		      : err_set(e, ERR_PROTO, "unreadable failure");
		image__failed__free_unpacked(f, NULL);
	} else if (r == 0 && m->type != want) {
		r = err_set(e, ERR_PROTO, "frame %d", (int)m->type);
	} else if (r == ERR_NOTFOUND) {
		int status = -1;

		(void)proc_wait(&c->proc, 1000, &status, NULL);
		r = err_set(e, ERR_SYS, "child ended with status %d", status);
	}
	return r;
}

static int talk(struct image_store *s, struct image_child *c, struct options *o,
		char **argv, struct msg *m, struct err *e)
{
	const struct image_request *q = &o->request;
	Image__UnpackRequest u = IMAGE__UNPACK_REQUEST__INIT;
	int r;

	u.media_type = argv[5];
	u.diff_id = argv[6];
	u.max_bytes = q->max_unpacked_bytes ? q->max_unpacked_bytes
					    : (uint64_t)8 << 30;
	u.max_entries = q->max_entries ? q->max_entries : 1000000;
	u.max_name_bytes = 4095;
	u.max_depth = o->depth ? (uint32_t)o->depth : 512;
	u.max_ratio = q->max_ratio ? q->max_ratio : 200;
	r = wait_frame(c, m, IMAGE__FRAME__FRAME_UNPACK_MAPPED, e);
	if (r == 0)
		r = image_child_map(c, s, &u, e);
	if (r == 0)
		r = wait_frame(c, m, IMAGE__FRAME__FRAME_UNPACK_DONE, e);
	return r;
}

/* The layer ends in layers/<hex of the diff id>, or nothing is left. */
static int unpack(struct image_store *s, struct options *o, char **argv)
{
	struct image_layer_temp t = {.lock = -1, .fs = -1};
	struct image_child c;
	struct err e = {0};
	struct msg m;
	int blob = open(argv[4], O_RDONLY | O_CLOEXEC);
	int r;

	image_child_init(&c);
	msg_init(&m, 1u << 16);
	r = blob < 0 ? err_sys(&e, errno, "open %s", argv[4])
		     : image_store_temp_init(s, &t, &e);
	if (r == 0)
		r = image_child_unpack(&c, s, blob, t.fs, &e);
	if (r == 0)
		r = talk(s, &c, o, argv, &m, &e);
	if (r == 0)
		r = image_store_temp_commit(s, &t, argv[6], &e);
	if (r == 0) {
		Image__UnpackDone *d = image__unpack_done__unpack(
			NULL, m.payload.len, (const uint8_t *)m.payload.data);

		(void)printf("ok bytes=%llu entries=%llu whiteouts=%llu "
			     "xattrs_dropped=%llu\n",
			     (unsigned long long)d->bytes,
			     (unsigned long long)d->entries,
			     (unsigned long long)d->whiteouts,
			     (unsigned long long)d->xattrs_dropped);
		image__unpack_done__free_unpacked(d, NULL);
	}
	image_child_release(&c);
	image_store_temp_release(s, &t);
	msg_release(&m);
	(void)close(blob);
	return r < 0 ? fail(&e) : 0;
}

int main(int argc, char **argv)
{
	bool ens = argc >= 5 && strcmp(argv[1], "ensure") == 0;
	bool unp = argc >= 7 && strcmp(argv[1], "unpack") == 0;
	struct options o = {.uid_base = UID_BASE};
	struct image_store *s = NULL;
	struct err e = {0};
	int i, status;

	if (!ens && !unp) {
		(void)fprintf(stderr, "usage: see the head of image_tool.c\n");
		return 2;
	}
	buf_init(&o.ca, 1u << 20);
	for (i = ens ? 5 : 7; i < argc; i++)
		option(&o, argv[i]);
	struct image_store_config config = {.path = argv[2],
					    .libexec = argv[3],
					    .uid_base = o.uid_base,
					    .gid_base = o.uid_base};

	if (image_store_new(&config, &s, &e) < 0)
		return fail(&e);
	status = ens ? ensure(s, &o, argv[4]) : unpack(s, &o, argv);
	image_store_free(s);
	buf_release(&o.ca);
	return status;
}
