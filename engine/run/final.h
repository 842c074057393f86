/*
 * final.h - the last steps of a process before its program runs; used by the
 * first process (table in steps.c) and by exec.
 */
#ifndef ENGINE_RUN_FINAL_H
#define ENGINE_RUN_FINAL_H

#include "engine/run/run.h"

int final_limits(struct run *r, struct err *err);
int final_bounding(struct run *r, struct err *err);
int final_label(struct run *r, struct err *err);
int final_filter_early(struct run *r, struct err *err);
int final_user(struct run *r, struct err *err);
int final_cwd(struct run *r, struct err *err);
int final_cwd_again(struct run *r, struct err *err);
int final_caps(struct run *r, struct err *err);
int final_close(struct run *r, struct err *err);
int final_nnp(struct run *r, struct err *err);
int final_filter_late(struct run *r, struct err *err);
int final_program(struct run *r, struct err *err);
int final_exec(struct run *r, struct err *err);
/* run: a struct run after final_user(), in a process of its own. */
int final_confine(void *run, struct err *err);
/* 0, 1 and 2 become tty, which becomes owner's and the controlling
 * terminal. */
int final_terminal(int tty, uid_t owner, struct err *err);

#endif
