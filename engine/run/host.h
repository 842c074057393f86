/* host.h - the engine's own steps, see run.h. */
#ifndef ENGINE_RUN_HOST_H
#define ENGINE_RUN_HOST_H

#include "engine/run/run.h"

int host_decode(struct run *r, struct err *err);
int host_cover(struct run *r, struct err *err);
int host_claim(struct run *r, struct err *err);
int host_record(struct run *r, struct err *err);
/* What host_sources() does, by whichever side may. */
int host_take_sources(struct run *r, struct err *err);
int host_sources(struct run *r, struct err *err);
int host_sockets(struct run *r, struct err *err);
int host_clone(struct run *r, struct err *err);
int host_remember(struct run *r, struct err *err);
int host_oom(struct run *r, struct err *err);
int host_go(struct run *r, struct err *err);
int host_filter(struct run *r, struct err *err);
int host_await(struct run *r, struct err *err);
int host_ready(struct run *r, struct err *err);
int host_keep(struct run *r, struct err *err);

int host_check_terminal(const struct run *r, struct err *err);
int host_console(struct run *r, struct err *err);

void host_undo_claim(struct run *r);
void host_undo_clone(struct run *r);

#endif
