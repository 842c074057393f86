/* wire.c - see wire.h. */
#include "reconciler/fetch/wire.h"

#include "lib/text.h"

#include <string.h>

int wire_ask(struct wire *w, enum wire_turn turn)
{
	return w->ops->ask(w, turn);
}

int wire_send(struct wire *w, const void *bytes, size_t len)
{
	return w->ops->send(w, bytes, len);
}

int wire_receive(struct wire *w, void *buffer, size_t len, size_t *out_n)
{
	int r;

	*out_n = 0;
	r = w->ops->receive(w, buffer, len, out_n);
	return r < 0 ? r : budget_take(w->budget, *out_n);
}

int wire_explain(struct wire *w, const char *step, const char *said,
		 struct err *err)
{
	char shown[300];

	if (w->budget->why.code != 0) {
		*err = w->budget->why;
		return err->code;
	}
	if (w->ops->explain != NULL)
		return w->ops->explain(w, step, said, err);
	if (said == NULL)
		said = "the answer ends early";
	return err_set(err, ERR_AGAIN, "%s: %s", step,
		       text_safe(shown, sizeof(shown), said, strlen(said)));
}
