/*
 * crash_tool.c - what the suites under tests/crash and tests/fault kill and
 * disturb.
 *
 *   crash_tool audit LIBEXEC DIR KEY ORIGIN N   N appends, one at a time, a
 *       checkpoint after each third; prints "ack SEQ" for each that is durable
 *       and "refused CODE: MESSAGE" for each that is not; ends 0 if all were
 *   crash_tool replace DIR N                    file_replace() of DIR/file by N
 *       contents in turn: 4096 times the same letter, the next each time
 */
#include "audit/client.h"
#include "lib/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTENT_BYTES 4096
#define LETTERS 26

static int complain(const struct err *err)
{
	(void)printf("refused %s: %s\n", err_name(err->code), err->msg);
	return 1;
}

static int appends(struct audit_client *c, int n)
{
	int status = 0;

	for (int i = 1; i <= n; i++) {
		char number[16];
		struct audit_pair pair = {"number", number};
		struct audit_event e = {.type = "test.append",
					.phase = AUDIT_INTENT,
					.object = "default/Pod/a",
					.detail = &pair,
					.n_detail = 1};
		struct err err = {0};
		uint64_t seq = 0;

		(void)snprintf(number, sizeof(number), "%d", i);
		if (audit_client_append(c, &e, 1, &seq, &err) < 0)
			status = complain(&err);
		else
			(void)printf("ack %llu %d\n", (unsigned long long)seq,
				     i);
		if (i % 3 == 0 && audit_client_checkpoint(c, NULL, &err) < 0)
			status = complain(&err);
	}
	return status;
}

static int audit(char **argv)
{
	struct audit_client *c = NULL;
	struct err err = {0};
	int status;

	if (audit_client_open(argv[0], argv[1], argv[2], argv[3], &c, &err) < 0)
		return complain(&err);
	status = appends(c, (int)strtol(argv[4], NULL, 10));
	audit_client_close(c);
	return status;
}

static int replace(char **argv)
{
	int dirfd = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = (int)strtol(argv[1], NULL, 10), status = 0;
	char content[CONTENT_BYTES];

	for (int i = 0; i < n; i++) {
		struct err err = {0};

		memset(content, 'a' + i % LETTERS, sizeof(content));
		if (file_replace(dirfd, "file", 0600, content, sizeof(content),
				 &err) < 0)
			status = complain(&err);
	}
	(void)close(dirfd);
	return status;
}

int main(int argc, char **argv)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 7 && strcmp(argv[1], "audit") == 0)
		return audit(argv + 2);
	if (argc == 4 && strcmp(argv[1], "replace") == 0)
		return replace(argv + 2);
	(void)fprintf(stderr, "usage: see the head of crash_tool.c\n");
	return 2;
}
