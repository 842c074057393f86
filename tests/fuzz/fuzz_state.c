/*
 * fuzz_state - what is found in a container's folder by a later command: the
 * input up to its first NUL is state.json, the rest init.json.  They are read
 * or refused in words; a pid is never negative.
 */
#include "engine/state/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(int dir, const char *name, const void *bytes, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/fuzz-state.XXXXXX";
	const uint8_t *end = memchr(data, 0, size);
	size_t first = end != NULL ? (size_t)(end - data) : size;
	size_t skip = end != NULL ? first + 1 : size;
	struct arena *arena = arena_new(ARENA_BYTES);
	struct state s;
	struct err err = {0};
	int dir;

	if (mkdtemp(path) == NULL)
		abort();
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(dir, "state.json", data, first);
	put(dir, "init.json", data + skip, size - skip);
	if (state_read(dir, arena, &s, &err) == 0) {
		if (s.pid < 0)
			abort();
	} else if (err.code >= 0 || err.msg[0] == '\0') {
		abort();
	}
	(void)unlinkat(dir, "state.json", 0);
	(void)unlinkat(dir, "init.json", 0);
	(void)close(dir);
	(void)rmdir(path);
	arena_free(arena);
	return 0;
}
