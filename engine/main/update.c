/* update.c - see update.h. */
#include "engine/main/update.h"

#include "engine/run/self.h"
#include "lib/num.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

/* Kinds of values; the first two may be -1, "no limit". */
enum { UPDATE_BYTES, UPDATE_NUMBER, UPDATE_COUNT, UPDATE_TEXT };

static const struct update_row {
	const char *option;
	int kind;
	size_t at; /* in struct spec_resources */
} update_rows[] = {
#define ROW(option, kind, member)                                              \
	{                                                                      \
		(option), UPDATE_##kind,                                       \
			offsetof(struct spec_resources, member)                \
	}
	ROW("memory", BYTES, memory.limit),
	ROW("memory-swap", BYTES, memory.swap),
	ROW("memory-reservation", BYTES, memory.reservation),
	ROW("kernel-memory-tcp", BYTES, memory.kernel_tcp),
	ROW("cpu-period", COUNT, cpu.period),
	ROW("cpu-quota", NUMBER, cpu.quota),
	ROW("cpu-burst", COUNT, cpu.burst),
	ROW("cpu-share", COUNT, cpu.shares),
	ROW("cpu-rt-period", COUNT, cpu.rt_period),
	ROW("cpu-rt-runtime", NUMBER, cpu.rt_runtime),
	ROW("cpu-idle", NUMBER, cpu.idle),
	ROW("cpuset-cpus", TEXT, cpu.cpus),
	ROW("cpuset-mems", TEXT, cpu.mems),
	ROW("pids-limit", NUMBER, pids.limit),
	ROW("blkio-weight", COUNT, block.weight),
#undef ROW
};

/* "64M", "1.5g", "512kB": binary units, as clients of runc write them. */
static bool update_bytes(const char *text, int64_t *out)
{
	static const char units[] = "kmgtp";
	size_t len = strlen(text), dot = strcspn(text, ".");
	uint64_t whole = 0, tenths = 0;
	const char *unit;
	unsigned int shift = 0;

	if (len > 1 && (text[len - 1] | 0x20) == 'b')
		len--;
	unit = len > 1 ? strchr(units, text[len - 1] | 0x20) : NULL;
	if (unit != NULL) {
		shift = 10 * (unsigned int)(unit - units + 1);
		len--;
	}
	if (dot < len && (dot + 2 != len || shift == 0 ||
			  !num_parse_u64(text + dot + 1, 1, 9, &tenths)))
		return false;
	if (!num_parse_u64(text, dot < len ? dot : len,
			   (uint64_t)INT64_MAX >> shift, &whole))
		return false;
	*out = (int64_t)((whole << shift) + ((tenths << shift) / 10));
	return *out >= 0;
}

static int update_value(const struct update_row *row, const char *text,
			struct arena *arena, void *target, struct err *err)
{
	struct decode_i64 *number = target;
	struct decode_u64 *count = target;
	char **words = target;
	int64_t v = 0;
	bool good = true;

	if (row->kind == UPDATE_TEXT)
		*words = arena_strdup(arena, text);
	else if (row->kind == UPDATE_BYTES && strcmp(text, "-1") != 0)
		good = update_bytes(text, &v);
	else
		good = num_parse_i64(text, strlen(text),
				     row->kind == UPDATE_COUNT ? 0 : -1,
				     INT64_MAX, &v);
	if (!good)
		return err_set(err, ERR_INPUT,
			       row->kind == UPDATE_COUNT
				       ? "--%s: want at least 0"
				       : "--%s: want an integer of at least -1",
			       row->option);
	if (row->kind == UPDATE_COUNT)
		*count = (struct decode_u64){.v = (uint64_t)v, .set = true};
	else if (row->kind != UPDATE_TEXT)
		*number = (struct decode_i64){.v = v, .set = true};
	return 0;
}

static int update_options(const struct opt_values *v, struct arena *arena,
			  struct spec_resources *out, struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(update_rows) / sizeof(update_rows[0]) && r == 0;
	     i++) {
		const struct update_row *row = &update_rows[i];
		const char *text = opt_get(v, row->option);

		if (text != NULL && text[0] != '\0')
			r = update_value(row, text, arena,
					 (char *)out + row->at, err);
	}
	return r;
}

int update_resources(const struct opt_values *v, struct arena *arena,
		     struct spec_resources *out, struct err *err)
{
	const char *file = opt_get(v, "resources");
	struct buf b;
	int r;

	*out = (struct spec_resources){.devices = NULL};
	if (opt_get(v, "l3-cache-schema") != NULL ||
	    opt_get(v, "mem-bw-schema") != NULL)
		return err_set(err, ERR_INPUT,
			       "--l3-cache-schema, --mem-bw-schema: this "
			       "runtime has no Intel RDT; leave them out");
	if (file == NULL)
		return update_options(v, arena, out, err);
	buf_init(&b, SPEC_MAX_BYTES);
	r = self_read(file, SPEC_MAX_BYTES, &b, err);
	if (r == 0)
		r = spec_read_resources(b.data, b.len, arena, out, err);
	buf_release(&b);
	return r;
}
