/*
 * replay.c - runs one fuzz target over the files of a folder, without
 * libFuzzer.  Each input has a process of its own with a time limit, so that
 * one that crashes is named and the rest still run.
 *
 *   replay DIR...     closing line: "N passed, N failed, N skipped"
 */
#include "lib/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)64 << 20)
#define SECONDS 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_one(int dirfd, const char *name)
{
	struct buf bytes;
	struct err err;

	buf_init(&bytes, INPUT_MAX);
	if (file_read(dirfd, name, INPUT_MAX, &bytes, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	(void)LLVMFuzzerTestOneInput(
		(const uint8_t *)(bytes.data ? bytes.data : ""), bytes.len);
	buf_release(&bytes);
	return 0;
}

static bool in_child(int dirfd, const char *name)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)alarm(SECONDS);
		exit(run_one(dirfd, name));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void run_folder(const char *path, size_t *passed, size_t *failed)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d) {
		(void)fprintf(stderr, "no folder %s\n", path);
		(*failed)++;
		return;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (in_child(dirfd(d), e->d_name)) {
			(*passed)++;
			continue;
		}
		(void)printf("failed: %s/%s\n", path, e->d_name);
		(*failed)++;
	}
	(void)closedir(d);
}

int main(int argc, char **argv)
{
	size_t passed = 0, failed = 0;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		run_folder(argv[i], &passed, &failed);
	(void)printf("%zu passed, %zu failed, 0 skipped\n", passed, failed);
	return failed || !passed;
}
