/*
 * bench_manifest - documents a second through manifest_load(), and the time of
 * a snapshot of 1,000 objects there and back.  Prints, asserts nothing.
 */
#include "manifest/manifest.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARENA_BYTES ((size_t)2 << 30)
#define SNAPSHOT_BYTES ((size_t)256 << 20)
#define DOCUMENTS 10000
#define SNAPSHOT_OBJECTS 1000
#define ROUNDS 5

static const char deployment[] =
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata:\n"
	"  name: web-%d\n"
	"  namespace: shop\n"
	"  labels:\n"
	"    app.kubernetes.io/name: web-%d\n"
	"    app.kubernetes.io/part-of: shop\n"
	"spec:\n"
	"  replicas: 3\n"
	"  selector:\n"
	"    matchLabels:\n"
	"      app: web-%d\n"
	"  template:\n"
	"    metadata:\n"
	"      labels:\n"
	"        app: web-%d\n"
	"    spec:\n"
	"      securityContext:\n"
	"        runAsNonRoot: true\n"
	"        runAsUser: 1000\n"
	"        seccompProfile:\n"
	"          type: RuntimeDefault\n"
	"      containers:\n"
	"      - name: server\n"
	"        image: registry.example:5000/shop/web:1.2.3\n"
	"        args: [--listen, ':8080', --log-level=info]\n"
	"        env:\n"
	"        - name: POD_IP\n"
	"          valueFrom:\n"
	"            fieldRef:\n"
	"              fieldPath: status.podIP\n"
	"        - name: LEVEL\n"
	"          value: info\n"
	"        ports:\n"
	"        - name: http\n"
	"          containerPort: 8080\n"
	"        resources:\n"
	"          requests: {cpu: 100m, memory: 64Mi}\n"
	"          limits: {memory: 128Mi}\n"
	"        readinessProbe:\n"
	"          httpGet:\n"
	"            path: /healthz\n"
	"            port: http\n"
	"        securityContext:\n"
	"          allowPrivilegeEscalation: false\n"
	"          readOnlyRootFilesystem: true\n"
	"          capabilities:\n"
	"            drop: [ALL]\n"
	"        volumeMounts:\n"
	"        - name: tmp\n"
	"          mountPath: /tmp\n"
	"      volumes:\n"
	"      - name: tmp\n"
	"        emptyDir: {}\n";

static const char service[] = "apiVersion: v1\n"
			      "kind: Service\n"
			      "metadata:\n"
			      "  name: web-%d\n"
			      "  namespace: shop\n"
			      "spec:\n"
			      "  selector:\n"
			      "    app: web-%d\n"
			      "  ports:\n"
			      "  - name: http\n"
			      "    port: 80\n"
			      "    targetPort: http\n";

static const char configmap[] = "apiVersion: v1\n"
				"kind: ConfigMap\n"
				"metadata:\n"
				"  name: web-%d\n"
				"  namespace: shop\n"
				"data:\n"
				"  LEVEL: info\n"
				"  app.conf: |\n"
				"    listen = 8080\n"
				"    workers = 4\n"
				"    cache = /tmp/cache\n";

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The mix of the field: half of the documents are workloads. */
static char *document(struct arena *a, int i)
{
	if (i % 4 < 2)
		return arena_printf(a, deployment, i, i, i, i);
	return i % 4 == 2 ? arena_printf(a, service, i, i)
			  : arena_printf(a, configmap, i);
}

static void bench_load(struct arena *a, const struct manifest_input *in)
{
	double best = 1e9;
	size_t bytes = 0;

	for (int i = 0; i < DOCUMENTS; i++)
		bytes += in[i].len;
	for (int round = 0; round < ROUNDS; round++) {
		struct arena *run = arena_new(ARENA_BYTES);
		struct objects set = {0};
		struct diags diags;
		struct err err;
		double t = now();

		diags_init(&diags, run, 10);
		if (manifest_load(in, DOCUMENTS, "default", run, &diags, &set,
				  &err) < 0 ||
		    diags.n_errors > 0 || set.n != DOCUMENTS)
			abort();
		t = now() - t;
		best = t < best ? t : best;
		arena_free(run);
	}
	(void)printf("manifest_load    %d documents, %zu KiB: %.0f ms, %.0f "
		     "documents/s\n",
		     DOCUMENTS, bytes >> 10, best * 1e3, DOCUMENTS / best);
	(void)a;
}

static void bench_snapshot(struct arena *a, const struct manifest_input *in)
{
	struct snapshot s = {
		.repository_id = "r",
		.ref = "refs/heads/main",
		.commit = "c",
		.signer = "s",
		.policy = {.repository_id = "r", .ref = "refs/heads/main"}};
	double best_in = 1e9, best_out = 1e9;
	size_t bytes = 0;
	struct diags diags;
	struct err err;

	diags_init(&diags, a, 10);
	if (manifest_load(in, SNAPSHOT_OBJECTS, "default", a, &diags,
			  &s.objects, &err) < 0)
		abort();
	for (int round = 0; round < ROUNDS; round++) {
		struct arena *run = arena_new(ARENA_BYTES);
		struct snapshot back;
		struct buf out;
		double t = now(), u;

		buf_init(&out, SNAPSHOT_BYTES);
		if (snapshot_encode(&s, &out, &err) < 0)
			abort();
		u = now();
		if (snapshot_decode(out.data, out.len, run, &back, &err) < 0)
			abort();
		best_out = u - t < best_out ? u - t : best_out;
		t = now() - u;
		best_in = t < best_in ? t : best_in;
		bytes = out.len;
		buf_release(&out);
		arena_free(run);
	}
	(void)printf("snapshot         %d objects, %zu KiB: encode %.2f ms, "
		     "decode %.2f ms\n",
		     SNAPSHOT_OBJECTS, bytes >> 10, best_out * 1e3,
		     best_in * 1e3);
}

int main(void)
{
	struct arena *a = arena_new(ARENA_BYTES);
	struct manifest_input *in = arena_calloc(a, DOCUMENTS, sizeof(*in));

	for (int i = 0; i < DOCUMENTS; i++) {
		in[i].path = arena_printf(a, "apps/web-%d.yaml", i);
		in[i].bytes = document(a, i);
		in[i].len = strlen(in[i].bytes);
	}
	bench_load(a, in);
	bench_snapshot(a, in);
	arena_free(a);
	return 0;
}
