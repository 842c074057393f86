/* dialer.c - see dialer.h. */
#include "reconciler/fetch/dialer.h"

#include "lib/msg.h"
#include "lib/text.h"
#include "reconciler/dial/dial.h"

#include <stdio.h>
#include <unistd.h>

int dialer_start(struct dialer *d, const char *host, uint16_t port,
		 struct err *err)
{
	const char *args[] = {host, NULL, NULL};
	char number[8];

	*d = (struct dialer){.sock = -1};
	(void)snprintf(number, sizeof(number), "%u", port);
	args[1] = number;
	return proc_sibling(NULL, "reconcile-dial", args, &d->proc, &d->sock,
			    err);
}

int dialer_connect(struct dialer *d, int timeout_ms, int *out_fd,
		   struct err *err)
{
	char shown[300];
	struct msg m;
	int r;

	msg_init(&m, ERR_MSG_BYTES);
	r = msg_send(d->sock, DIAL_ASK, "", 0, NULL, 0, err);
	if (r == 0)
		r = msg_recv(d->sock, &m,
			     timeout_ms < DIAL_WAIT_MS ? timeout_ms
						       : DIAL_WAIT_MS,
			     err);
	if (r == ERR_AGAIN) {
		r = err_set(err, r, "the server could not be reached in time");
	} else if (r == 0 && m.type == DIAL_DONE && m.n_fds == 1) {
		*out_fd = m.fds[0];
		m.fds[0] = -1;
		m.n_fds = 0;
	} else if (r == 0 && m.type == DIAL_FAILED && m.n_fds == 0) {
		r = err_set(err, ERR_AGAIN, "%s",
			    text_safe(shown, sizeof(shown), m.payload.data,
				      m.payload.len));
	} else if (r == 0) {
		r = err_set(err, ERR_PROTO, "reconcile-dial answers %u",
			    m.type);
	}
	msg_release(&m);
	return r;
}

void dialer_release(struct dialer *d)
{
	if (d->sock >= 0)
		(void)close(d->sock);
	d->sock = -1;
}
