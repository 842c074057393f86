/*
 * life.h - what happens to a container after it was made: start, signals,
 * pause, limits, end; and what can be read of it.
 */
#ifndef ENGINE_RUN_LIFE_H
#define ENGINE_RUN_LIFE_H

#include "engine/cgroup/cgroup.h"
#include "engine/spec/spec.h"
#include "engine/state/state.h"
#include "lib/warn.h"

struct life {		     /* an opened container */
	struct arena *arena; /* owned */
	int root_fd, dir_fd; /* owned */
	struct state state;
	struct spec spec; /* of config.json in the state directory */
	bool has_spec;
	struct cgroup cgroup; /* opened where it exists */
	enum state_status status;
	struct warn warn; /* for the caller to set after life_open() */
	const char *self; /* argv[0], where /proc/self/exe tells nothing */
};

/* ERR_NOTFOUND if there is none. */
int life_open(struct life *l, const char *root, const char *id,
	      struct err *err);
/* The two halves of life_open(): what is recorded, and then the cgroups with
 * what they tell (paused). */
int life_find(struct life *l, const char *root, const char *id,
	      struct err *err);
int life_groups(struct life *l, struct err *err);
/* What is recorded and the status alone: cheaper, but no cgroups to work
 * with. */
int life_look(struct life *l, const char *root, const char *id,
	      struct err *err);
void life_release(struct life *l);

/* Fills l->spec from the state directory. */
int life_read_spec(struct life *l, struct err *err);
int life_start(struct life *l, struct err *err);
/* all: every process of its cgroup. */
int life_kill(struct life *l, int sig, bool all, struct err *err);
/* Undoes everything; id for a state that cannot be read. */
int life_delete(struct life *l, bool force, struct err *err);
int life_pause(struct life *l, bool frozen, struct err *err);
int life_update(struct life *l, const struct spec_resources *res,
		struct err *err);
/* Number or name with or without "SIG"; -1. */
int life_signal(const char *text);

#endif
