/* capture.c - see capture.h. */
#include "reconciler/cli/capture.h"

#include "lib/file.h"
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

int capture_run(const char *const *argv, const char *input, size_t input_len,
		struct buf *out, int *out_status, struct err *err)
{
	struct proc_spec spec = {.path = argv[0],
				 .argv = argv,
				 .envp = (const char *const *)environ,
				 .err = STDERR_FILENO};
	struct proc proc = {.pid = -1, .pidfd = -1};
	int to[2] = {-1, -1};
	int from[2] = {-1, -1};
	int r = 0;

	if (input_len > CAPTURE_INPUT_MAX)
		return err_set(err, ERR_LIMIT, "%s: too much input", argv[0]);
	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		r = err_sys(err, errno, "pipe");
	spec.in = to[0];
	spec.out = from[1];
	if (r == 0)
		r = proc_spawn(&spec, &proc, err);
	shut(&to[0]);
	shut(&from[1]);
	if (r == 0)
		r = file_write_fd(to[1], input, input_len, err);
	shut(&to[1]);
	if (r == 0)
		r = file_read_fd(from[0], out->max, out, err);
	shut(&from[0]);
	if (proc.pid > 0) {
		if (r < 0)
			proc_kill(&proc);
		else
			r = proc_wait(&proc, -1, out_status, err);
	}
	return r < 0 ? err_wrap(err, "%s", argv[0]) : 0;
}
