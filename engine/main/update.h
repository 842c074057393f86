/* update.h - the resources that `update` was given, by file or by options. */
#ifndef ENGINE_MAIN_UPDATE_H
#define ENGINE_MAIN_UPDATE_H

#include "engine/spec/spec.h"
#include "lib/opt.h"

/* Texts in out are the arena's.  ERR_INPUT names the option. */
int update_resources(const struct opt_values *v, struct arena *arena,
		     struct spec_resources *out, struct err *err);

#endif
