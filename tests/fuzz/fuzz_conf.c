/* fuzz_conf - configuration files of the daemons, every type of key. */
#include "lib/conf.h"
#include "lib/file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
	const char *text, *path, *net;
	int64_t number;
	bool yes;
	struct conf_list list;
};

static const struct conf_key keys[] = {
	{"text", CONF_STRING, offsetof(struct target, text), "", 0, 0, "."},
	{"path", CONF_PATH, offsetof(struct target, path), "/", 0, 0, "."},
	{"net", CONF_CIDR, offsetof(struct target, net), "10.0.0.0/8", 0, 0,
	 "."},
	{"number", CONF_INT, offsetof(struct target, number), "5", -3, 9, "."},
	{"yes", CONF_BOOL, offsetof(struct target, yes), "false", 0, 0, "."},
	{"list", CONF_LIST, offsetof(struct target, list), "", 0, 0, "."},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/fuzz-conf.XXXXXX";
	struct arena *arena = arena_new(ARENA_BYTES);
	struct target t = {0};
	struct err err;
	int fd = mkstemp(path);

	if (fd < 0)
		abort();
	if (file_write_fd(fd, data, size, &err) == 0 &&
	    conf_load(path, keys, sizeof(keys) / sizeof(keys[0]), &t, arena,
		      &err) == 0) {
		if (t.number < -3 || t.number > 9 || t.path[0] != '/' ||
		    !t.text || !strchr(t.net, '/'))
			abort();
		for (size_t i = 0; i < t.list.n; i++)
			(void)strlen(t.list.items[i]);
	}
	(void)close(fd);
	(void)unlink(path);
	arena_free(arena);
	return 0;
}
