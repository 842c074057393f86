/*
 * bundle.h - config.json of a container (OCI runtime-spec 1.2).  Pure: plain
 * values in, bytes out.
 *
 * Deviations D1..D4 of docs/manifests.md are decided by the caller; here is
 * only the form.
 */
#ifndef AGENT_POD_BUNDLE_H
#define AGENT_POD_BUNDLE_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUNDLE_MOUNTS_MAX 128
#define BUNDLE_BYTES_MAX (4u << 20)

struct bundle_mount {
	const char *destination, *source;
	const char *type;    /* "bind", or a kernel file system */
	const char *options; /* comma separated, our own literals */
};

/* A namespace to join by its path; path NULL: a new one. */
struct bundle_ns {
	const char *type, *path;
};

struct bundle {
	const char *root; /* folder; "" with an overlay */
	bool read_only_root;
	const char *const *args;
	size_t n_args;
	const char *const *env;
	size_t n_env;
	const char *cwd, *hostname; /* hostname NULL: inherited */
	uint32_t uid, gid;
	const uint32_t *groups;
	size_t n_groups;
	const char *const *caps; /* "CAP_CHOWN" */
	size_t n_caps;
	bool no_new_privs, privileged;
	const char *seccomp; /* JSON object; NULL: unconfined */
	struct bundle_ns ns[8];
	size_t n_ns;
	uint32_t id_base, id_size; /* size 0: no mapping */
	struct bundle_mount mounts[BUNDLE_MOUNTS_MAX];
	size_t n_mounts;
	const char *cgroup;
	int64_t cpu_request_m, cpu_limit_m; /* MANIFEST_UNSET */
	int64_t memory_limit;		    /* bytes, MANIFEST_UNSET */
	int64_t pids;
	int oom_score_adj;
	const char *const *masked;
	size_t n_masked;
	const char *const *read_only;
	size_t n_read_only;
	const char *const *sysctls; /* key, value, ... */
	size_t n_sysctls;
};

/* Adds a mount; false when there are too many. */
bool bundle_mount(struct bundle *b, const char *destination, const char *source,
		  const char *type, const char *options);
int bundle_encode(const struct bundle *b, struct buf *out, struct err *err);
/* The --overlay file. */
int bundle_overlay(const char *const *lowers, size_t n, const char *upper,
		   const char *work, uint32_t lower_base, struct buf *out,
		   struct err *err);

#endif
