/*
 * reconcile-pull - gets one image from a registry into the blob store.
 *
 * Started by the image store (in reconcile-agent) with descriptor 3, frames of
 * image.proto, and descriptor 4, the folder of the blobs.  Parses what the
 * registry answers (hostile), holds the registry credential of this one pull,
 * has no capability, may connect and write below descriptor 4; Landlock and
 * seccomp hold it to that.  It ends after one request.
 *
 * Exit status: that of the error's code; 0 also when the error was told.
 */
#include "engine/image/image.pb-c.h"
#include "engine/image/pull/pull.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/sandbox.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SOCK_FD 3
#define BLOBS_FD 4
#define REQUEST_BYTES_MAX (8u << 20)
#define REQUEST_WAIT_MS 10000

/* The resolver's and OpenSSL's files, and nothing else of the host. */
static const struct sandbox_path paths[] = {
	{"/proc/self/fd/4", true},
	{"/etc/resolv.conf", false},
	{"/etc/hosts", false},
	{"/etc/host.conf", false},
	{"/etc/nsswitch.conf", false},
	{"/etc/gai.conf", false},
	{"/etc/services", false},
	{"/etc/ssl", false},
	{"/usr/share/ca-certificates", false},
	{"/usr/local/share/ca-certificates", false},
	{"/usr/lib/ssl", false},
};

static const struct sandbox profile = {
	.name = "reconcile-pull",
	.allow = SANDBOX_FILE_READ | SANDBOX_FILE_WRITE | SANDBOX_CONNECT |
		 SANDBOX_THREAD, /* libcurl resolves names in a thread */
	.paths = paths,
	.n_paths = sizeof(paths) / sizeof(paths[0]),
	.landlock = true,
	.max_memory = (size_t)512 << 20,
	.max_files = 64,
};

/* The manager asks for digests only and passes no store: descriptor 4 is not
 * there then, and must not be taken for whatever is opened next. */
static bool has_store(void)
{
	struct stat st;

	return fstat(BLOBS_FD, &st) == 0 && S_ISDIR(st.st_mode);
}

static int enter_sandbox(bool store, struct err *err)
{
	struct sandbox own = profile;

	if (!store) {
		own.paths++;
		own.n_paths--;
		own.allow &= ~(uint32_t)SANDBOX_FILE_WRITE;
	}
	return sandbox_enter(&own, err);
}

static int serve(struct msg *m, bool store, struct err *err)
{
	Image__PullRequest *q = NULL;
	int r;

	r = msg_recv(SOCK_FD, m, REQUEST_WAIT_MS, err);
	if (r < 0)
		return r;
	if (m->type != IMAGE__FRAME__FRAME_PULL_REQUEST)
		return err_set(err, ERR_PROTO, "want a pull request");
	q = image__pull_request__unpack(NULL, m->payload.len,
					(const uint8_t *)m->payload.data);
	if (!q)
		return err_set(err, ERR_PROTO, "pull request: not readable");
	if (store || q->resolve_only)
		r = pull_run(q, BLOBS_FD, SOCK_FD, err);
	else
		r = err_set(err, ERR_PROTO,
			    "want the store as descriptor 4 for a pull");
	if (q->password.data)
		explicit_bzero(q->password.data, q->password.len);
	if (m->payload.data)
		explicit_bzero(m->payload.data, m->payload.len);
	image__pull_request__free_unpacked(q, NULL);
	return r;
}

static int report(const struct err *e)
{
	Image__Failed f;
	uint8_t packed[ERR_MSG_BYTES + 128];
	char name[32], text[ERR_MSG_BYTES];

	(void)snprintf(name, sizeof(name), "%s", err_name(e->code));
	(void)snprintf(text, sizeof(text), "%s", e->msg);
	image__failed__init(&f);
	f.code = e->code;
	f.name = name;
	f.msg = text;
	f.sys_errno = e->sys_errno;
	return msg_send(SOCK_FD, IMAGE__FRAME__FRAME_FAILED, packed,
			image__failed__pack(&f, packed), NULL, 0, NULL);
}

int main(void)
{
	bool store = has_store(); /* before anything else is opened */
	struct err err = {0};
	struct msg m;
	int r;

	log_init("reconcile-pull", LOG_LEVEL_INFO);
	msg_init(&m, REQUEST_BYTES_MAX);
	/* OpenSSL reads its configuration and algorithms while it may */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = err_set(&err, ERR_SYS, "libcurl does not start");
	else
		r = enter_sandbox(store, &err);
	if (r == 0)
		r = serve(&m, store, &err);
	if (r < 0 && report(&err) == 0)
		r = 0;
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "pull.end",
			 "code=%s reason=\"%s\" hint=\"started by "
			 "reconcile-agent, of no use by hand\"",
			 err_name(r), err.msg);
	msg_release(&m);
	return err_exit_status(r);
}
