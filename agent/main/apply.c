/*
 * apply.c - an assignment whose commit this host accepted: judge each pod,
 * record, persist, then change the list of pods.  The machine does the rest.
 *
 * Order: note, audit intent -> ratchet and assignment on disk -> memory.  After
 * a crash in between the same assignment is judged again: nothing is done
 * twice.
 */
#include "agent/main/agent.h"
#include "agent/pod/volume.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define ASSIGNMENT "assignment.pb"
#define ASSIGNMENT_BYTES_MAX (8u << 20)
#define JUDGE_ARENA_BYTES (32u << 20)

static void drop_next(struct agent *a)
{
	if (a->next)
		channel__assignment__free_unpacked(a->next, NULL);
	a->next = NULL;
}

void apply_refused(struct agent *a, enum code_id code, const char *why)
{
	char commit[80];
	uint64_t epoch = a->next->epoch;

	(void)snprintf(commit, sizeof(commit), "%s", a->next->commit);
	drop_next(a);
	link_refuse(a, epoch, commit, "", code, why);
	(void)record_flush(a, NULL);
}

int apply_store(struct agent *a, const Channel__Assignment *as, struct err *err)
{
	size_t n = channel__assignment__get_packed_size(as);
	uint8_t *packed = malloc(n ? n : 1);
	int r;

	if (!packed)
		return err_set(err, ERR_NOMEM, "out of memory");
	(void)channel__assignment__pack(as, packed);
	r = trust_accepted(a, as->commit, err);
	if (r == 0)
		r = file_replace(a->state_fd, ASSIGNMENT, 0600, packed, n, err);
	free(packed);
	return r;
}

int apply_restore(struct agent *a, struct err *err)
{
	struct buf b;
	int r;

	buf_init(&b, ASSIGNMENT_BYTES_MAX);
	r = trust_load(a, err);
	if (r == 0)
		r = agent_read(a->state_fd, ASSIGNMENT, ASSIGNMENT_BYTES_MAX,
			       &b, err);
	if (r == 0) {
		a->next = channel__assignment__unpack(NULL, b.len,
						      (uint8_t *)b.data);
		if (!a->next)
			r = err_set(err, ERR_INPUT,
				    ASSIGNMENT ": not as this program writes "
					       "it");
	}
	if (r == 0) {
		a->epoch = a->host.epoch = a->next->epoch;
		a->next_is_restore = true;
	}
	buf_release(&b);
	return r == ERR_NOTFOUND ? 0 : r;
}

static struct assign_known *known_pods(const struct agent *a,
				       struct arena *arena)
{
	struct assign_known *k = arena_calloc(arena, a->n_pods + 1, sizeof(*k));

	for (size_t i = 0; i < a->n_pods; i++)
		k[i] = (struct assign_known){
			a->pods[i]->uid, a->pods[i]->namespace,
			a->pods[i]->name, a->pods[i]->template_hash};
	return k;
}

static const struct assign_verdict *find_verdict(const struct assign_verdict *v,
						 size_t n, const char *uid)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].pod->uid, uid) == 0)
			return &v[i];
	return NULL;
}

/* Stops what is not listed.  A refused pod that runs already stays. */
static void stop_unlisted(struct agent *a, const struct assign_verdict *v,
			  size_t n)
{
	for (size_t i = 0; i < a->n_pods; i++) {
		struct pod *p = a->pods[i];

		if (find_verdict(v, n, p->uid) || p->stopping)
			continue;
		record_fact(a, "pod.stop", AUDIT_INTENT, p, "", "");
		machine_stop(p, agent_now());
	}
}

static void make_pods(struct agent *a, const struct assign_verdict *v, size_t n)
{
	struct err err = {0};
	struct pod *p;

	for (size_t i = 0; i < n; i++) {
		if (v[i].result != ASSIGN_MAKE)
			continue;
		if (pod_new(v[i].pod, v[i].owner->canonical,
			    v[i].owner->canonical_len, &p, &err) < 0 ||
		    adopt_add(a, p, &err) < 0) {
			log_line(LOG_LEVEL_ERROR, "pod.make", "reason=\"%s\"",
				 err.msg);
			continue;
		}
		p->created_ms = agent_now();
		record_fact(a, "pod.start", AUDIT_INTENT, p, "", "");
		p->audited = true; /* the flush comes before any act */
	}
}

static void tell_refused(struct agent *a, const struct assign_verdict *v,
			 size_t n)
{
	char name[400], ns[80], pod[260];

	for (size_t i = 0; i < n; i++) {
		if (v[i].result != ASSIGN_REFUSE)
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s",
			       text_safe(ns, sizeof(ns), v[i].pod->namespace_,
					 strlen(v[i].pod->namespace_)),
			       text_safe(pod, sizeof(pod), v[i].pod->name,
					 strlen(v[i].pod->name)));
		link_refuse(a, a->next->epoch, a->next->commit, name, v[i].code,
			    v[i].why);
	}
}

/* ConfigMaps and Secrets of running pods follow the new commit. */
static void update_volumes(struct agent *a)
{
	struct volume_env env;
	struct err err = {0};

	for (size_t i = 0; i < a->n_pods; i++) {
		struct pod *p = a->pods[i];

		if (!p->prepared || p->stopping || p->final || p->lost)
			continue;
		prepare_volume_env(p, &env);
		if (volume_update(p, &env, &err) < 0)
			log_line(LOG_LEVEL_WARN, "volume.update",
				 "pod=%s reason=\"%s\"", p->name, err.msg);
	}
}

static void take_snapshot(struct agent *a, struct agent_snapshot *snap)
{
	if (!snap)
		return;
	arena_free(a->snap.arena);
	a->snap = *snap;
	update_volumes(a);
}

static void put_in_force(struct agent *a, struct agent_snapshot *snap)
{
	take_snapshot(a, snap);
	if (a->now)
		channel__assignment__free_unpacked(a->now, NULL);
	a->now = a->next;
	a->next = NULL;
	a->epoch = a->host.epoch = a->now->epoch;
	(void)snprintf(a->accepted, sizeof(a->accepted), "%s", a->now->commit);
}

void apply_accepted(struct agent *a, struct agent_snapshot *snap)
{
	const struct snapshot *want = snap ? &snap->want : &a->snap.want;
	struct arena *arena = arena_new(JUDGE_ARENA_BYTES);
	struct assign_verdict *v;
	struct err err = {0};
	size_t n = a->next->n_pods;
	char epoch[24];
	int r;

	(void)snprintf(epoch, sizeof(epoch), "%llu",
		       (unsigned long long)a->next->epoch);
	a->host.restoring = a->next_is_restore;
	v = assign_judge(a->next, want, &a->host, known_pods(a, arena),
			 a->n_pods, arena);
	if (!a->next_is_restore)
		record_about(a, "assignment.accept", AUDIT_INTENT, epoch,
			     a->next->commit, "", want->signer);
	tell_refused(a, v, n);
	r = trust_accepting(a, a->next->commit, &err);
	if (r == 0)
		r = record_flush(a, &err);
	if (r == 0 && !a->next_is_restore)
		r = apply_store(a, a->next, &err);
	if (r < 0) {
		if (snap)
			arena_free(snap->arena);
		apply_refused(a, CODE_AUDIT, err.msg);
		arena_free(arena);
		return;
	}
	stop_unlisted(a, v, n);
	make_pods(a, v, n);
	(void)record_flush(a, NULL); /* intents; act_turn() tries again */
	put_in_force(a, snap);
	arena_free(arena);
	agent_kick(a);
}
