/* table.h - the decode tables of config.json (data only, see table.c). */
#ifndef ENGINE_SPEC_TABLE_H
#define ENGINE_SPEC_TABLE_H

#include "engine/spec/decode.h"

const struct decode_field *table_spec(void);
const struct decode_field *table_process(void);
const struct decode_field *table_resources(void);

#endif
