/*
 * fuzz_assign - assignments of a manager that was taken over, against a fixed
 * signed snapshot.  Whatever it sends, a pod that may be made has an owner in
 * the snapshot, that owner's template, and the one name of its index.
 */
#include "agent/assign.h"
#include "channel/frame.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)256 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char manifests[] =
	"apiVersion: apps/v1\nkind: Deployment\n"
	"metadata: {name: web, namespace: shop}\n"
	"spec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n"
	"  template:\n    metadata: {labels: {app: web}}\n"
	"    spec:\n      containers:\n      - name: c\n"
	"        image: registry.example/web@sha256:"
	"0000000000000000000000000000000000000000000000000000000000000000\n"
	"---\napiVersion: v1\nkind: Service\n"
	"metadata: {name: web, namespace: shop}\n"
	"spec:\n  selector: {app: web}\n  ports: [{port: 80}]\n"
	"---\napiVersion: v1\nkind: Pod\n"
	"metadata: {name: lone, namespace: shop}\n"
	"spec:\n  containers:\n  - name: c\n"
	"    image: registry.example/web@sha256:"
	"0000000000000000000000000000000000000000000000000000000000000000\n";

static void snapshot_make(struct arena *arena, struct snapshot *out)
{
	struct manifest_input in = {.path = "fuzz.yaml",
				    .bytes = manifests,
				    .len = sizeof(manifests) - 1};
	struct diags diags;
	struct err err;

	*out = (struct snapshot){
		.commit = "1111111111111111111111111111111111111111"};
	diags_init(&diags, arena, 20);
	if (manifest_load(&in, 1, "default", arena, &diags, &out->objects,
			  &err) < 0)
		abort();
}

static void judge(const Channel__Assignment *a, const struct snapshot *want,
		  const struct assign_host *host, struct arena *arena)
{
	struct assign_verdict *v;
	enum code_id code;

	if (!assign_accepts(a, host, &code))
		return;
	if (strcmp(a->host, host->name) != 0 || a->epoch <= host->epoch)
		abort();
	v = assign_judge(a, want, host, NULL, 0, arena);
	for (size_t i = 0; i < a->n_pods; i++) {
		const Channel__PodAssignment *p = a->pods[i];

		if (v[i].result != ASSIGN_MAKE)
			continue;
		if (!v[i].owner ||
		    strcmp(p->name, assign_pod_name(arena, v[i].owner, p->index,
						    host->name)) != 0 ||
		    p->index >= assign_pods_max(v[i].owner))
			abort();
	}
	for (size_t i = 0; i < a->n_services; i++)
		(void)assign_service_ok(a, i, want, host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assign_host host = {
		.name = "host-a",
		.epoch = 4,
		.service_cidr = 0x0a600000,
		.service_prefix = 16,
	};
	struct arena *arena = arena_new(ARENA_BYTES);
	const struct frame_type *row =
		frame_find(CHANNEL__MSG_TYPE__MSG_ASSIGNMENT);
	ProtobufCMessage *msg = NULL;
	struct snapshot want;
	struct err err;
	uint32_t net, bits;

	snapshot_make(arena, &want);
	if (shape_open(row->shape, data, size, &msg, &err) == 0) {
		judge((const Channel__Assignment *)(const void *)msg, &want,
		      &host, arena);
		shape_close(msg);
	}
	(void)assign_ipv4(arena_strndup(arena, (const char *)data, size), &net);
	(void)assign_cidr(arena_strndup(arena, (const char *)data, size), &net,
			  &bits);
	arena_free(arena);
	return 0;
}
