/* tell.h - the steps that tell a caller which process it is, see run.h. */
#ifndef ENGINE_RUN_TELL_H
#define ENGINE_RUN_TELL_H

#include "engine/run/run.h"

int tell_pidfd(struct run *r, struct err *err);
int tell_pid_file(struct run *r, struct err *err);
void tell_undo_pid_file(struct run *r);

#endif
