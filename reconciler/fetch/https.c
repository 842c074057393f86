/*
 * https.c - see https.h.  Runs in reconcile-fetch; all but https_start() after
 * its sandbox.  Heads and bodies of answers are hostile.
 */
#include "reconciler/fetch/https.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/text.h"
#include "reconciler/fetch/https_tls.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CA_BYTES ((size_t)4 << 20)
#define REQUEST_BYTES ((size_t)1 << 20)
#define ANSWER_BYTES ((size_t)256 << 10) /* waiting to be read */
#define STALL_BYTES_S 16L /* upload-pack's signs of life are 5 bytes in 5 s */
#define STALL_S 30L
#define SETUP_MS (DIALER_MS + 15000L)
#define DIALER_MS 20000L
#define LIFE_S 3600L
#define WAIT_MS 1000
#define DRAIN_TURNS 4
#ifndef GUARD_OFF_REDIRECT
#define FOLLOW 0
#else
#define FOLLOW 1
#endif

#define TYPE "application/x-git-upload-pack-"

struct turn_kind {
	const char *path, *type; /* NULL: a GET */
	const char *answer;	 /* the only content type that is read */
	bool v2;
};

static const struct turn_kind turns[] = {
	[WIRE_ADVERT] = {"/info/refs?service=git-upload-pack", NULL,
			 TYPE "advertisement", false},
	[WIRE_ADVERT_V2] = {"/info/refs?service=git-upload-pack", NULL,
			    TYPE "advertisement", true},
	[WIRE_UPLOAD] = {"/git-upload-pack", "Content-Type: " TYPE "request",
			 TYPE "result", false},
	[WIRE_COMMAND] = {"/git-upload-pack", "Content-Type: " TYPE "request",
			  TYPE "result", true},
};

static struct https *of(struct wire *w)
{
	return (struct https *)((char *)w - offsetof(struct https, wire));
}

/* --- the answer ------------------------------------------------------------
 */

static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
	struct https *h = ctx;

	(void)one;
	return https_answer_header(&h->head, line, n, &h->wire.budget->why) < 0
		       ? 0
		       : n;
}

/* Whether this is what was asked for, before a byte of its body is read. */
static int check_head(struct https *h, struct err *err)
{
	long status = 0;

	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	return https_answer_check(&h->head, status, turns[h->turn].answer, err);
}

static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
	struct https *h = ctx;

	(void)one;
	if (check_head(h, &h->wire.budget->why) < 0)
		return 0;
	if (h->answer.len - h->answer_at + n > ANSWER_BYTES) {
		h->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	buf_put(&h->answer, bytes, n);
	return buf_check(&h->answer, &h->wire.budget->why) < 0 ? 0 : n;
}

/* --- the request -----------------------------------------------------------
 */

static curl_socket_t on_socket(void *ctx, curlsocktype purpose,
			       struct curl_sockaddr *address)
{
	struct https *h = ctx;
	int fd = -1;

	(void)purpose;
	(void)address; /* made up; reconcile-dial knows the real one */
	if (dialer_connect(&h->dialer, budget_left_ms(h->wire.budget), &fd,
			   &h->wire.budget->why) < 0)
		return CURL_SOCKET_BAD;
	return fd;
}

static int on_socket_options(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	(void)ctx;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static CURLcode on_tls(CURL *easy, void *tls, void *ctx)
{
	struct https *h = ctx;

	(void)easy;
	return https_tls_restrict(tls, h->url.host) == 0
		       ? CURLE_OK
		       : CURLE_ABORTED_BY_CALLBACK;
}

/* What no server and no configuration can change. */
static CURLcode set_fixed(CURL *e)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_FOLLOWLOCATION, FOLLOW},
		{CURLOPT_NETRC, CURL_NETRC_IGNORED},
		{CURLOPT_NOSIGNAL, 1},
		/* it waits so long, blind, for a second address */
		{CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, 1},
		{CURLOPT_TCP_NODELAY, 0}, /* reconcile-dial has set it */
		{CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
		{CURLOPT_HTTP_CONTENT_DECODING, 0},
		{CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
		{CURLOPT_PATH_AS_IS, 1},
		{CURLOPT_MAXAGE_CONN, LIFE_S},
		{CURLOPT_MAXLIFETIME_CONN, LIFE_S},
		{CURLOPT_MAXCONNECTS, 1},
		{CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_S},
		{CURLOPT_LOW_SPEED_TIME, STALL_S},
		{CURLOPT_CONNECTTIMEOUT_MS, SETUP_MS},
		{CURLOPT_BUFFERSIZE, 65536},
	};
	CURLcode c = CURLE_OK;

	for (size_t i = 0;
	     c == CURLE_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		c = curl_easy_setopt(e, numbers[i].option, numbers[i].value);
	if (c == CURLE_OK)
		c = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
	if (c == CURLE_OK)
		c = curl_easy_setopt(e, CURLOPT_PROXY, "");
	if (c == CURLE_OK)
		c = curl_easy_setopt(e, CURLOPT_USERAGENT,
				     "reconcile/" RECONCILE_VERSION);
	return c;
}

static CURLcode set_callbacks(struct https *h)
{
	CURL *e = h->easy;
	CURLcode c = curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);

#define SET(option, value)                                                     \
	if (c == CURLE_OK)                                                     \
	c = curl_easy_setopt(e, option, value)
	SET(CURLOPT_HEADERDATA, h);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, h);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
	SET(CURLOPT_OPENSOCKETDATA, h);
	SET(CURLOPT_SOCKOPTFUNCTION, on_socket_options);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_tls);
	SET(CURLOPT_SSL_CTX_DATA, h);
	SET(CURLOPT_ERRORBUFFER, h->detail);
	SET(CURLOPT_RESOLVE, h->address);
#undef SET
	return c;
}

static int add_header(struct https *h, const char *line)
{
	struct curl_slist *more = curl_slist_append(h->headers, line);

	if (more == NULL)
		return -1;
	h->headers = more;
	return 0;
}

static void drop_headers(struct https *h)
{
	for (struct curl_slist *p = h->headers; p != NULL; p = p->next)
		explicit_bzero(p->data, strlen(p->data));
	curl_slist_free_all(h->headers);
	h->headers = NULL;
}

static int set_headers(struct https *h)
{
	const struct turn_kind *k = &turns[h->turn];
	char accept[160];
	int r;

	drop_headers(h);
	(void)snprintf(accept, sizeof(accept), "Accept: %s", k->answer);
	r = add_header(h, accept);
	if (r == 0 && k->v2)
		r = add_header(h, "Git-Protocol: version=2");
	if (r == 0 && k->type != NULL)
		r = add_header(h, k->type);
	if (r == 0 && k->type != NULL)
		r = add_header(h, "Expect:");
	if (r == 0 && h->credential[0] != '\0')
		r = add_header(h, h->credential);
	return r;
}

static int set_turn(struct https *h)
{
	const struct turn_kind *k = &turns[h->turn];
	char url[HTTPS_URL_BYTES];
	CURLcode c;

	(void)snprintf(url, sizeof(url), "https://%s:%u%s%s", h->url.host,
		       h->url.port, h->url.path, k->path);
	c = curl_easy_setopt(h->easy, CURLOPT_URL, url);
	if (c == CURLE_OK && k->type == NULL)
		c = curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
	if (c == CURLE_OK && k->type != NULL) {
		c = curl_easy_setopt(h->easy, CURLOPT_POST, 1L);
		if (c == CURLE_OK)
			c = curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE,
					     (long)h->request.len);
		if (c == CURLE_OK)
			c = curl_easy_setopt(
				h->easy, CURLOPT_POSTFIELDS,
				h->request.data != NULL ? h->request.data : "");
	}
	if (c == CURLE_OK && set_headers(h) < 0)
		c = CURLE_OUT_OF_MEMORY;
	if (c == CURLE_OK)
		c = curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
	if (c == CURLE_OK)
		c = curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS,
				     (long)budget_left_ms(h->wire.budget) + 1);
	return c == CURLE_OK ? 0 : -1;
}

/* --- what went wrong -------------------------------------------------------
 */

static const struct {
	CURLcode curl;
	int code;
	const char *hint;
} failures[] = {
	{CURLE_PEER_FAILED_VERIFICATION, ERR_TRUST,
	 " (its authority must be in repository.ca_file)"},
	{CURLE_SSL_PINNEDPUBKEYNOTMATCH, ERR_TRUST,
	 " (the server's key is not one of repository.server_key)"},
	{CURLE_SSL_CONNECT_ERROR, ERR_TRUST, ""},
	{CURLE_SSL_CIPHER, ERR_TRUST, ""},
	{CURLE_SSL_CACERT_BADFILE, ERR_TRUST,
	 " (repository.ca_file must be certificates in PEM)"},
	{CURLE_SSL_INVALIDCERTSTATUS, ERR_TRUST, ""},
	{CURLE_WEIRD_SERVER_REPLY, ERR_PROTO, ""},
	{CURLE_UNSUPPORTED_PROTOCOL, ERR_PROTO, ""},
	{CURLE_OUT_OF_MEMORY, ERR_NOMEM, ""},
};

static int explain_result(struct https *h, struct err *err)
{
	const char *detail = h->detail[0] != '\0'
				     ? h->detail
				     : curl_easy_strerror(h->result);
	char shown[300];
	int code = ERR_AGAIN;
	const char *hint = "";

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].curl == h->result) {
			code = failures[i].code;
			hint = failures[i].hint;
		}
	/* cut off in the handshake: nobody has proved anything */
	if (h->result == CURLE_SSL_CONNECT_ERROR &&
	    strstr(detail, "SSL_ERROR_SYSCALL") != NULL)
		code = ERR_AGAIN;
	return err_set(err, code, "%s port %u: %s%s", h->url.host, h->url.port,
		       text_safe(shown, sizeof(shown), detail, strlen(detail)),
		       hint);
}

/* The cause that was noted first stays. */
static int finish(struct https *h)
{
	struct err *why = &h->wire.budget->why;

	if (h->result == CURLE_OK && why->code == 0)
		(void)check_head(h, why); /* an answer without a body */
	else if (why->code == 0)
		(void)explain_result(h, why);
	return why->code;
}

/* --- the turn --------------------------------------------------------------
 */

/* Lets libcurl work until there is something to read, or the turn is over. */
static int work(struct https *h)
{
	int left = budget_left_ms(h->wire.budget);
	int running = 0;
	int n = 0;
	const CURLMsg *m;

	if (curl_multi_perform(h->multi, &running) != CURLM_OK)
		return err_set(&h->wire.budget->why, ERR_SYS,
			       "libcurl does not work");
	while ((m = curl_multi_info_read(h->multi, &n)) != NULL)
		if (m->msg == CURLMSG_DONE) {
			h->done = true;
			h->result = m->data.result;
		}
	if (h->done || h->answer.len > h->answer_at)
		return 0;
	if (left == 0)
		return err_set(&h->wire.budget->why, ERR_AGAIN,
			       "the server did not answer in time");
	if (curl_multi_poll(h->multi, NULL, 0, left < WAIT_MS ? left : WAIT_MS,
			    NULL) != CURLM_OK)
		return err_set(&h->wire.budget->why, ERR_SYS,
			       "libcurl cannot wait");
	return 0;
}

/* The reader may have stopped at the last line, before the end of the answer;
 * a turn that is not over would cost its connection. */
static void end_turn(struct https *h)
{
	for (int i = 0;
	     i < DRAIN_TURNS && h->started && !h->done &&
	     h->answer.len == h->answer_at && h->wire.budget->why.code == 0;
	     i++)
		if (work(h) < 0)
			break;
	if (h->started)
		(void)curl_multi_remove_handle(h->multi, h->easy);
	h->started = false;
	h->paused = false;
	h->done = false;
	drop_headers(h);
}

static int start_turn(struct https *h)
{
	h->detail[0] = '\0';
	h->head = (struct https_answer){0};
	h->result = CURLE_OK;
	buf_reset(&h->answer);
	h->answer_at = 0;
	if (set_turn(h) < 0 ||
	    curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		return err_set(&h->wire.budget->why, ERR_SYS,
			       "libcurl refuses an option");
	h->started = true;
	return 0;
}

static int on_ask(struct wire *w, enum wire_turn turn)
{
	struct https *h = of(w);

	end_turn(h);
	h->turn = turn;
	buf_reset(&h->request);
	return 0;
}

static int on_send(struct wire *w, const void *bytes, size_t len)
{
	struct https *h = of(w);

	buf_put(&h->request, bytes, len);
	return buf_check(&h->request, &w->budget->why);
}

static int on_receive(struct wire *w, void *buffer, size_t len, size_t *out_n)
{
	struct https *h = of(w);
	int r = h->started || h->done ? 0 : start_turn(h);
	size_t n;

	while (r == 0 && h->answer.len == h->answer_at) {
		buf_reset(&h->answer);
		h->answer_at = 0;
		if (h->done) {
			r = finish(h);
			break;
		}
		if (h->paused) {
			h->paused = false;
			(void)curl_easy_pause(h->easy, CURLPAUSE_CONT);
		}
		r = work(h);
	}
	if (r < 0)
		return r;
	n = h->answer.len - h->answer_at;
	n = n < len ? n : len;
	if (n > 0)
		memcpy(buffer, h->answer.data + h->answer_at, n);
	h->answer_at += n;
	*out_n = n;
	return 0;
}

static void on_release(struct wire *w)
{
	struct https *h = of(w);

	if (h->multi != NULL)
		end_turn(h);
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	curl_slist_free_all(h->address);
	buf_release(&h->ca);
	buf_release(&h->request);
	buf_release(&h->answer);
	explicit_bzero(h->credential, sizeof(h->credential));
	dialer_release(&h->dialer);
	h->easy = NULL;
	h->multi = NULL;
	h->address = NULL;
}

static const struct wire_ops ops = {.ask = on_ask,
				    .send = on_send,
				    .receive = on_receive,
				    .release = on_release};

/* --- before the sandbox ----------------------------------------------------
 */

/* libcurl would take anything else for the name of a file. */
static int check_server_key(const char *text, struct err *err)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	const char *at = text;

	while (strncmp(at, "sha256//", 8) == 0 &&
	       strspn(at + 8, digits) == 43 && at[51] == '=') {
		if (at[52] == '\0')
			return 0;
		if (at[52] != ';')
			break;
		at += 53;
	}
	return err_set(
		err, ERR_INPUT,
		"repository.server_key: want sha256//BASE64 of 32 bytes, "
		"more separated by ;");
}

static int read_files(struct https *h, const struct https_files *files,
		      struct err *err)
{
	int r = 0;

	if (files->ca[0] != '/')
		return err_set(err, ERR_INPUT,
			       "want an absolute path of the server's "
			       "certificate authority (repository.ca_file); "
			       "the system's authorities are in "
			       "/etc/ssl/certs/ca-certificates.crt");
	r = file_read(AT_FDCWD, files->ca, CA_BYTES, &h->ca, err);
	if (r == 0 && h->ca.len == 0)
		r = err_set(err, ERR_INPUT, "the file is empty");
	if (r < 0)
		return err_wrap(err, "repository.ca_file %s", files->ca);
	if (files->server_key[0] != '\0')
		r = check_server_key(files->server_key, err);
	if (r == 0 &&
	    (size_t)snprintf(h->server_key, sizeof(h->server_key), "%s",
			     files->server_key) >= sizeof(h->server_key))
		r = err_set(err, ERR_LIMIT, "repository.server_key: too long");
	if (r == 0 && files->credential[0] != '\0')
		r = credential_read(files->credential, h->credential, err);
	return r;
}

/* libcurl looks up no name: it gets an address that is never used. */
static struct curl_slist *no_lookup(const struct url *url)
{
	char entry[sizeof(url->host) + 32];

	(void)snprintf(entry, sizeof(entry), "%s:%u:127.0.0.1", url->host,
		       url->port);
	return curl_slist_append(NULL, entry);
}

static int set_up(struct https *h, struct err *err)
{
	CURLcode c = CURLE_OUT_OF_MEMORY;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		h->multi = curl_multi_init();
		h->easy = curl_easy_init();
		h->address = no_lookup(&h->url);
	}
	if (h->multi != NULL && h->easy != NULL && h->address != NULL)
		c = set_fixed(h->easy);
	if (c == CURLE_OK)
		c = set_callbacks(h);
	if (c == CURLE_OK)
		c = https_tls_set(h->easy, h->ca.data, h->ca.len,
				  h->server_key);
	if (c != CURLE_OK)
		return err_set(err, ERR_SYS, "libcurl: %s",
			       curl_easy_strerror(c));
	return 0;
}

int https_start(struct https *h, const struct url *url,
		const struct https_files *files, struct budget *budget,
		struct err *err)
{
	int r;

	*h = (struct https){
		.wire = {.ops = &ops, .budget = budget, .rpc = true},
		.url = *url,
		.dialer = {.sock = -1},
	};
	h->url.port = url->port != 0 ? url->port : 443;
	buf_init(&h->ca, CA_BYTES);
	buf_init(&h->request, REQUEST_BYTES);
	buf_init(&h->answer, ANSWER_BYTES);
	r = dialer_start(&h->dialer, h->url.host, h->url.port, err);
	if (r == 0)
		r = read_files(h, files, err);
	return r < 0 ? r : set_up(h, err);
}
