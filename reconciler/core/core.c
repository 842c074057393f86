/* core.c - opening and closing the manager's parts in their order. */
#include "reconciler/core/core.h"

#include "audit/client.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "reconciler/core/audit_log.h"
#include "reconciler/core/fetcher.h"
#include "reconciler/core/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_BYTES 2048
#define ORPHAN_MS 1500

/* We hold the lock of the state, so a writer that is still there belongs to a
 * core that was killed: it ends by itself when it notices. */
static int open_audit(struct core *c, struct err *err)
{
	int64_t until = clock_boot_ms() + ORPHAN_MS;
	int r;

	while ((r = audit_log_client(c->conf, c->libexec, &c->audit, err)) ==
		       ERR_AUDIT &&
	       clock_boot_ms() < until)
		(void)usleep(20000);
	return r;
}

int core_open(const struct core_conf *conf, const struct core_ui *ui,
	      bool readonly, struct core *out, struct err *err)
{
	struct core c = {
		.conf = conf,
		.libexec = conf->libexec[0] != '\0' ? conf->libexec : NULL,
		.ui = *ui,
		.lock_fd = -1,
		.patience_s = -1,
	};
	int dir = -1;
	int r = 0;

	dir = open(conf->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, ERR_INPUT,
			       "state folder %s is missing: run `reconcile "
			       "init` first",
			       conf->state_dir);
	if (faccessat(dir, "ca", F_OK, 0) < 0 && errno == ENOENT)
		r = err_set(err, ERR_INPUT,
			    "state folder %s is not set up: run `reconcile "
			    "init` first",
			    conf->state_dir);
	if (r == 0 && !readonly)
		r = file_lock(dir, "lock", &c.lock_fd, err);
	if (r == ERR_AGAIN)
		r = err_set(err, ERR_AGAIN,
			    "another reconcile is at work on %s",
			    conf->state_dir);
	if (r == 0)
		r = state_open(conf->state_dir, readonly, &c.state, err);
	if (r == 0 && !readonly)
		r = open_audit(&c, err);
	(void)close(dir);
	if (r < 0) {
		core_close(&c);
		return r;
	}
	*out = c;
	return 0;
}

void core_close(struct core *c)
{
	if (c->fleet != NULL)
		fleet_close(c);
	fetcher_free(c->fetcher);
	c->fetcher = NULL;
	audit_client_close(c->audit);
	c->audit = NULL;
	state_close(c->state);
	c->state = NULL;
	if (c->lock_fd >= 0)
		(void)close(c->lock_fd);
	c->lock_fd = -1;
}

void core_say(const struct core *c, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (c->ui.line != NULL)
		c->ui.line(c->ui.ctx, line);
}

void core_progress(const struct core *c, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (c->ui.progress != NULL)
		c->ui.progress(c->ui.ctx, line);
}
