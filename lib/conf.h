/*
 * conf.h - the configuration files of the daemons: "key = value" lines, '#'
 * comments, one table of keys that drives reading, defaults, checks, messages
 * with file:line:column and the man page.  Local, root-owned input.
 */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include "lib/arena.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdio.h>

enum conf_type {
	CONF_STRING, /* const char *, in the arena */
	CONF_PATH,   /* as STRING, absolute */
	CONF_INT,    /* int64_t, min..max */
	CONF_BOOL,   /* bool */
	CONF_LIST,   /* struct conf_list; the key may repeat */
	CONF_CIDR,   /* const char *, IPv4 "a.b.c.d/n" */
};

struct conf_list {
	const char **items;
	size_t n;
};

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;	      /* in the target struct */
	const char *fallback; /* default as text; NULL: required */
	int64_t min, max;
	const char *doc; /* one sentence for the man page */
};

/* Reads path into target (defaults first).  path NULL: defaults only. */
int conf_load(const char *path, const struct conf_key *keys, size_t n_keys,
	      void *target, struct arena *arena, struct err *err);
/* As conf_load(), from what is open already; fd -1: path.  Not closed. */
int conf_load_fd(int fd, const char *path, const struct conf_key *keys,
		 size_t n_keys, void *target, struct arena *arena,
		 struct err *err);
void conf_print_mdoc(const struct conf_key *keys, size_t n_keys, FILE *out);

#endif
