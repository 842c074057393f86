/*
 * shape.h - what confines and shapes the process, on the host's side; the same
 * for the first process and for exec.
 */
#ifndef ENGINE_RUN_SHAPE_H
#define ENGINE_RUN_SHAPE_H

#include "engine/run/run.h"

/* Checks r->spec before anything is made: attributes, filter, labels; and what
 * of the capabilities can be given. */
int shape_read(struct run *r, struct err *err);
/* Gives r->child what it may not take itself. */
int shape_apply(struct run *r, struct err *err);

#endif
