/* child.h - the first process's own steps, see run.h. */
#ifndef ENGINE_RUN_CHILD_H
#define ENGINE_RUN_CHILD_H

#include "engine/run/run.h"

/* Entry after the clone; runs the RUN_CHILD steps, waits, runs RUN_START. */
int child_main(void *run);

int child_hide(struct run *r, struct err *err);
int child_cgroup(struct run *r, struct err *err);
int child_time_ns(struct run *r, struct err *err);
int child_label(struct run *r, struct err *err); /* also of exec */
int child_wait(struct run *r, struct err *err);
int child_ids(struct run *r, struct err *err);
int child_session(struct run *r, struct err *err);
int child_cgroup_ns(struct run *r, struct err *err);
int child_names(struct run *r, struct err *err);
int child_loopback(struct run *r, struct err *err);
int child_root(struct run *r, struct err *err);
int child_mounts(struct run *r, struct err *err);
int child_dev(struct run *r, struct err *err);
int child_console(struct run *r, struct err *err);
int child_hooks(struct run *r, struct err *err);
int child_make_cwd(struct run *r, struct err *err);
int child_sysctl(struct run *r, struct err *err);
int child_pivot(struct run *r, struct err *err);
int child_masks(struct run *r, struct err *err);
int child_finish(struct run *r, struct err *err);
int child_join_mounts(struct run *r, struct err *err);
int child_find(struct run *r, struct err *err);
int child_ready(struct run *r, struct err *err);

int child_start_hooks(struct run *r, struct err *err);

#endif
