/*
 * hostframe.c - see hostframe.h.  What a host says is checked text (the channel
 * unpacked it and checked every field), but only its word, and only about it.
 */
#include "reconciler/core/hostframe.h"

#include "lib/text.h"
#include "reconciler/core/membership.h"
#include "reconciler/core/record.h"

#include <stdlib.h>
#include <string.h>

static int on_hello(struct core *c, struct fleet_host *h, const uint8_t *bytes,
		    size_t len, struct err *err)
{
	(void)c;
	(void)err;
	channel__hello__free_unpacked(h->hello, NULL);
	h->hello = channel__hello__unpack(NULL, len, bytes);
	return 0;
}

/* A replay, or of another session than the one that said Hello. */
static bool is_old(const struct fleet_host *h, const Channel__Report *m)
{
	if (h->hello != NULL && h->hello->session != m->session)
		return true;
	return h->report != NULL && h->report->session == m->session &&
	       h->report->sequence >= m->sequence;
}

static int on_report(struct core *c, struct fleet_host *h, const uint8_t *bytes,
		     size_t len, struct err *err)
{
	Channel__Report *m = channel__report__unpack(NULL, len, bytes);

	(void)c;
	(void)err;
	if (m == NULL)
		return 0;
	if (is_old(h, m)) {
		channel__report__free_unpacked(m, NULL);
		return 0;
	}
	channel__report__free_unpacked(h->report, NULL);
	h->report = m;
	return 0;
}

static int on_refusal(struct core *c, struct fleet_host *h,
		      const uint8_t *bytes, size_t len, struct err *err)
{
	Channel__Refusal *m = channel__refusal__unpack(NULL, len, bytes);
	char what[700];
	char why[700];
	int r = 0;

	if (m == NULL)
		return 0;
	(void)text_safe(what, sizeof(what), m->pod, strlen(m->pod));
	(void)text_safe(why, sizeof(why), m->reason, strlen(m->reason));
	if (c->audit != NULL) {
		struct record one = {
			.type = "host.refuse",
			.phase = RECORD_FACT,
			.actor = h->name,
			.object = what,
			.commit = m->commit,
			.host = h->name,
			.result = m->code,
			.reason = why,
		};

		r = record_put(c, &one, 1, err);
	}
	core_say(c, "host %s refuses %s%s%s: %s", h->name, what,
		 what[0] != '\0' ? " " : "", m->code, why);
	free(h->refusal);
	h->refusal = strdup(why);
	h->refused_epoch = m->epoch;
	channel__refusal__free_unpacked(m, NULL);
	return r;
}

static int on_cert_request(struct core *c, struct fleet_host *h,
			   const uint8_t *bytes, size_t len, struct err *err)
{
	Channel__CertRequest *m =
		channel__cert_request__unpack(NULL, len, bytes);
	struct err why = {0};
	int r;

	if (m == NULL || c->audit == NULL)
		return 0;
	r = membership_renew(c, h->name, m, &why);
	channel__cert_request__free_unpacked(m, NULL);
	if (r == ERR_AUDIT) {
		*err = why;
		return r;
	}
	if (r < 0)
		core_say(c, "host %s: no new certificate: %s", h->name,
			 why.msg);
	return 0;
}

static int on_log_data(struct core *c, struct fleet_host *h,
		       const uint8_t *bytes, size_t len, struct err *err)
{
	Channel__LogData *m = channel__log_data__unpack(NULL, len, bytes);
	struct fleet *f = c->fleet;

	(void)err;
	if (m == NULL || m->id != f->log_id ||
	    strcmp(f->log_host, h->name) != 0) { /* nobody asked this host */
		channel__log_data__free_unpacked(m, NULL);
		return 0;
	}
	buf_put(&f->log, m->data.data, m->data.len);
	(void)text_safe(f->log_error, sizeof(f->log_error), m->error,
			strlen(m->error));
	f->log_done = m->last || m->error[0] != '\0';
	channel__log_data__free_unpacked(m, NULL);
	return 0;
}

/* Judged by witness.c at the end of a pass. */
static int on_cosignature(struct core *c, struct fleet_host *h,
			  const uint8_t *bytes, size_t len, struct err *err)
{
	(void)c;
	(void)err;
	channel__cosignature__free_unpacked(h->cosignature, NULL);
	h->cosignature = channel__cosignature__unpack(NULL, len, bytes);
	return 0;
}

static const struct {
	uint32_t type;
	int (*handle)(struct core *c, struct fleet_host *h,
		      const uint8_t *bytes, size_t len, struct err *err);
} host_frames[] = {
	{CHANNEL__MSG_TYPE__MSG_HELLO, on_hello},
	{CHANNEL__MSG_TYPE__MSG_REPORT, on_report},
	{CHANNEL__MSG_TYPE__MSG_REFUSAL, on_refusal},
	{CHANNEL__MSG_TYPE__MSG_CERT_REQUEST, on_cert_request},
	{CHANNEL__MSG_TYPE__MSG_LOG_DATA, on_log_data},
	{CHANNEL__MSG_TYPE__MSG_COSIGNATURE, on_cosignature},
};

int hostframe_handle(struct core *c, struct fleet_host *h, uint32_t type,
		     const uint8_t *bytes, size_t len, struct err *err)
{
	for (size_t i = 0; i < sizeof(host_frames) / sizeof(host_frames[0]);
	     i++)
		if (host_frames[i].type == type)
			return host_frames[i].handle(c, h, bytes, len, err);
	return 0;
}
