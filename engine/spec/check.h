/*
 * check.h - what the specification demands of values beyond their types: said
 * before anything is made, and not when a hook or a device comes to its turn.
 */
#ifndef ENGINE_SPEC_CHECK_H
#define ENGINE_SPEC_CHECK_H

#include "engine/spec/spec.h"

/* ERR_INPUT with the member's whole path and what was wanted. */
int check_spec(const struct spec *s, struct err *err);
/* The same for what `exec --process` brings. */
int check_process(const struct spec_process *p, struct err *err);

#endif
