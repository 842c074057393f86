/*
 * group.h - the steps of run.h and of life.h that are about control groups, by
 * either driver: files alone, or a scope of systemd and files.
 */
#ifndef ENGINE_RUN_GROUP_H
#define ENGINE_RUN_GROUP_H

#include "engine/run/life.h"
#include "engine/run/run.h"

int group_look(struct run *r, struct err *err);
int group_make(struct run *r, struct err *err);
void group_undo(struct run *r);
int group_limits(struct run *r, struct err *err);
int group_attach(struct run *r, struct err *err);

/* When its processes are gone. */
int group_remove(struct life *l, struct err *err);
int group_update(struct life *l, const struct spec_resources *res,
		 struct err *err);

#endif
