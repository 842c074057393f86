/* logs.c - `reconcile logs`: a container's output, made inert for a terminal.
 */
#include "reconciler/cli/reader.h"

#include "lib/clock.h"
#include "lib/num.h"
#include "lib/text.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/observe.h"

#include <stdio.h>
#include <string.h>

#define OUT_MAX ((size_t)64 << 20)
#define LOGS_WAIT_MS 10000

/* [NAMESPACE/]POD */
static void split(struct cli *cli, const char *operand, const char **out_ns,
		  const char **out_name)
{
	const char *slash = strchr(operand, '/');

	*out_name = slash == NULL ? operand : slash + 1;
	*out_ns = slash == NULL ? "default"
				: arena_strndup(cli->arena, operand,
						(size_t)(slash - operand));
}

static const struct world_pod *find_pod(struct cli *cli, const struct world *w,
					const char *operand, struct err *err)
{
	const char *name = NULL;
	const char *ns = NULL;
	char safe[300];

	split(cli, operand, &ns, &name);
	for (size_t i = 0; i < w->n_pods; i++)
		if (strcmp(w->pods[i].name, name) == 0 &&
		    strcmp(w->pods[i].namespace, ns) == 0)
			return &w->pods[i];
	(void)err_set(err, ERR_INPUT,
		      "no pod \"%s\"; `reconcile status` lists them",
		      text_safe(safe, sizeof(safe), operand, strlen(operand)));
	return NULL;
}

/* Refused alike whether there is such a pod or not. */
static int check_reader(struct cli *cli, const struct readers *readers,
			struct err *err)
{
	struct access_ask q = {"get", "", "pods", "log", "", ""};

	split(cli, cli_operand(cli, 0), &q.namespace, &q.name);
	return readers_may(readers, &q) ? 0 : readers_refuse(readers, &q, err);
}

static bool is_connected(const struct core *core, const char *host)
{
	const struct fleet_host *h = fleet_find(core->fleet, host);

	return h != NULL && h->connected;
}

static int logs_ask(struct cli *cli, struct core *core,
		    const struct world_pod *pod, struct err *err)
{
	Channel__LogRequest q;
	const char *container = opt_get(&cli->values, "container");
	const char *tail = opt_get(&cli->values, "tail");
	uint64_t lines = 100;

	channel__log_request__init(&q);
	if (tail != NULL &&
	    (!num_parse_u64(tail, strlen(tail), 10000, &lines) || lines == 0))
		return err_set(err, ERR_INPUT,
			       "want --tail from 1 to 10000, have \"%s\"",
			       tail);
	if (!is_connected(core, pod->host))
		return err_set(err, ERR_AGAIN, "host %s is not connected",
			       pod->host);
	q.id = (uint64_t)clock_unix_ms();
	core->fleet->log_id = q.id;
	(void)snprintf(core->fleet->log_host, sizeof(core->fleet->log_host),
		       "%s", pod->host);
	q.namespace_ = arena_strdup(cli->arena, pod->namespace);
	q.pod = arena_strdup(cli->arena, pod->name);
	q.container =
		arena_strdup(cli->arena, container == NULL ? "" : container);
	q.tail_lines = (uint32_t)lines;
	return fleet_send(core, pod->host, CHANNEL__MSG_TYPE__MSG_LOG_REQUEST,
			  &q.base, err);
}

/* Output may have any bytes, also NUL. */
static void escape_lines(const struct buf *log, struct buf *out)
{
	for (size_t at = 0; at < log->len;) {
		const char *end = memchr(log->data + at, '\n', log->len - at);
		size_t n = end == NULL ? log->len - at
				       : (size_t)(end - log->data) - at;

		text_escape(out, log->data + at, n);
		buf_putc(out, '\n');
		at += n + 1;
	}
}

static int logs_print(struct cli *cli, struct core *core, struct err *err)
{
	int64_t until = clock_boot_ms() + LOGS_WAIT_MS;
	struct buf safe;
	bool changed = false;
	int r = 0;

	(void)cli;
	while (r == 0 && !core->fleet->log_done) {
		int64_t left = until - clock_boot_ms();

		if (left <= 0)
			return err_set(err, ERR_AGAIN,
				       "the host did not answer in %d s",
				       LOGS_WAIT_MS / 1000);
		r = fleet_poll(core, (int)left, &changed, err);
	}
	if (r < 0)
		return r;
	if (core->fleet->log_error[0] != '\0')
		return err_set(err, ERR_NOTFOUND, "%s", core->fleet->log_error);
	buf_init(&safe, OUT_MAX);
	r = buf_check(&core->fleet->log, err); /* a host may send anything */
	if (r == 0)
		escape_lines(&core->fleet->log, &safe);
	if (r == 0)
		r = cli_print(&safe, err);
	buf_release(&safe);
	return r;
}

int logs_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const struct world_pod *pod = NULL;
	struct readers readers;
	struct core core;
	struct world w;
	int r = reader_open(cli, &core, &readers, err);

	if (r < 0)
		return r;
	r = check_reader(cli, &readers, err);
	if (r == 0)
		r = fleet_open(&core, false, err);
	if (r == ERR_NOTFOUND)
		r = err_set(err, ERR_AGAIN,
			    "no reconcile-channel is running: hosts cannot be "
			    "asked");
	if (r == 0)
		r = observe_world(&core, cli->arena, &w, err);
	if (r == 0) {
		pod = find_pod(cli, &w, cli_operand(cli, 0), err);
		r = pod == NULL ? ERR_INPUT : 0;
	}
	if (r == 0)
		r = logs_ask(cli, &core, pod, err);
	if (r == 0)
		r = logs_print(cli, &core, err);
	core_close(&core);
	return r;
}
