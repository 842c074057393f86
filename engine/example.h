/* example.h - a whole config.json to start from (`spec`). */
#ifndef ENGINE_EXAMPLE_H
#define ENGINE_EXAMPLE_H

#include "lib/buf.h"

void example_config(struct buf *out);

#endif
