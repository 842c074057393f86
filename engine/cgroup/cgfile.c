/* cgfile.c - see cgfile.h. */
#include "engine/cgroup/cgfile.h"

#include "lib/num.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Line by line: the kernel reads one setting from each write. */
static int cgfile_lines(int fd, const char *value)
{
	size_t len;
	ssize_t n;

	do {
		len = strcspn(value, "\n");
		n = write(fd, value, len);
		if (n < 0)
			return -1;
		if (n != (ssize_t)len) {
			errno = EIO;
			return -1;
		}
		value += len;
		while (*value == '\n')
			value++;
	} while (*value != '\0');
	return 0;
}

int cgfile_put(int dirfd, const char *file, const char *value)
{
	int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int r, saved;

	if (fd < 0)
		return -1;
	r = cgfile_lines(fd, value);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return r;
}

int cgfile_write(int dirfd, const char *file, const char *value,
		 struct err *err)
{
	char safe[64];

	if (cgfile_put(dirfd, file, value) == 0)
		return 0;
	return err_sys(err, errno, "cgroup: write \"%s\" to %s",
		       text_safe(safe, sizeof(safe), value, strlen(value)),
		       file);
}

long cgfile_get(int dirfd, const char *file, char *out, size_t len)
{
	int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t used = 0;
	ssize_t n = 1;

	out[0] = '\0';
	if (fd < 0)
		return -1;
	while (used < len - 1 && n > 0) {
		n = read(fd, out + used, len - 1 - used);
		if (n > 0)
			used += (size_t)n;
	}
	(void)close(fd);
	out[used] = '\0';
	return n < 0 ? -1 : (long)used;
}

long long cgfile_number(int dirfd, const char *file)
{
	char text[32];
	long n = cgfile_get(dirfd, file, text, sizeof(text));
	int64_t v = 0;

	if (n <= 1 || !num_parse_i64(text, (size_t)n - 1, 0, INT64_MAX, &v))
		return -1;
	return v;
}

bool cgfile_has(int dirfd, const char *file, const char *line)
{
	char text[1024];
	size_t len = strlen(line);
	const char *at = text;

	if (cgfile_get(dirfd, file, text, sizeof(text)) < 0)
		return false;
	while ((at = strstr(at, line)) != NULL) {
		if ((at == text || at[-1] == '\n') &&
		    (at[len] == '\n' || at[len] == '\0'))
			return true;
		at += len;
	}
	return false;
}

bool cgfile_listed(const char *list, const char *word, size_t len, char sep)
{
	const char ends[] = {sep, '\n', '\0'};
	size_t n;

	for (; *list != '\0'; list += n + (list[n] != '\0')) {
		n = strcspn(list, ends);
		if (len > 0 && n == len && memcmp(list, word, n) == 0)
			return true;
	}
	return false;
}
