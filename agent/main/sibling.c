/* sibling.c - the programs next to this one, each on its socketpair. */
#include "agent/main/agent.h"

#include <fcntl.h>
#include <unistd.h>

int sibling_start(struct agent *a, struct agent_sibling *s, const char *name,
		  const char *const *args, size_t max_frame,
		  event_callback_fn on_read, struct err *err)
{
	int r = proc_sibling(a->conf.libexec, name, args, &s->proc, &s->sock,
			     err);

	if (r < 0)
		return r;
	msg_init(&s->in, max_frame);
	s->event =
		event_new(a->base, s->sock, EV_READ | EV_PERSIST, on_read, a);
	if (!s->event || event_add(s->event, NULL) < 0) {
		sibling_stop(s);
		return err_set(err, ERR_NOMEM, "out of memory");
	}
	return 0;
}

void sibling_stop(struct agent_sibling *s)
{
	if (s->event)
		event_free(s->event);
	if (s->sock > 0)
		(void)close(s->sock);
	if (s->proc.pid > 0)
		proc_kill(&s->proc);
	msg_release(&s->in);
	*s = (struct agent_sibling){0};
}

bool sibling_is_up(const struct agent_sibling *s)
{
	return s->event != NULL;
}
