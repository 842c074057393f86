/* example.h - a whole config.json to start from (`spec`). */
#ifndef ENGINE_EXAMPLE_H
#define ENGINE_EXAMPLE_H

#include "lib/buf.h"

#include <stdint.h>

/* rootless: the user who shall be root inside, -1: a config for root. */
void example_config(struct buf *out, int64_t rootless);

#endif
