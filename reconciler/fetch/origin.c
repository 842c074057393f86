/* origin.c - see origin.h. */
#include "reconciler/fetch/origin.h"

#include "reconciler/fetch/source.h"

int origin_open(const Fetch__MirrorRequest *req, bool poll, struct origin *out,
		struct err *err)
{
	const struct ssh_files ssh = {req->ssh_key, req->ssh_known_hosts};
	const struct https_files https = {req->ca_file, req->server_key,
					  req->credential_file};
	int r;

	out->folder[0] = '\0';
	out->wire = NULL;
	r = url_parse(req->url, &out->url, err);
	if (r == 0)
		r = url_check_ref(req->ref, err);
	if (r < 0)
		return r;
	budget_init(&out->budget, req->max_bytes, req->timeout_ms);
	switch (out->url.kind) {
	case URL_FILE:
		return source_find(out->url.path, out->folder,
				   sizeof(out->folder), err);
	case URL_SSH:
		out->wire = &out->as.ssh.wire;
		return ssh_start(&out->as.ssh, &out->url, &ssh, poll,
				 &out->budget, err);
	case URL_HTTPS:
		out->wire = &out->as.https.wire;
		return https_start(&out->as.https, &out->url, &https,
				   &out->budget, err);
	}
	return err_set(err, ERR_INPUT, "unknown kind of URL");
}

void origin_release(struct origin *o)
{
	if (o->wire != NULL && o->wire->ops != NULL)
		o->wire->ops->release(o->wire);
	o->wire = NULL;
}
