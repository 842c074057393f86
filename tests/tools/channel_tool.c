/* channel_tool.c - commands of the channel's test program. */
#include "tests/tools/channel_tool.h"

#include "channel/tls.h"
#include "lib/log.h"
#include "lib/num.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
	const char *name;
	const char *args;
	int min_args;
	int (*run)(int argc, char **argv, struct err *err);
} commands[] = {
	{"ca", "DIR DOMAIN", 2, channel_ca},
	{"server", "CADIR OUTDIR [VALID_S]", 2, channel_server},
	{"crl", "CADIR OUTDIR VALID_S [SERIAL...]", 3, channel_crl},
	{"issue", "CADIR HOST VALID_S AGE_S OUT", 5, channel_issue},
	{"token", "CADIR TRUSTFILE HOST MANAGER VALID_S BOOK", 6,
	 channel_token},
	{"frame", "WORD...", 1, channel_frame},
	{"core", "SOCKET CADIR TRUSTFILE BOOK VALID_S", 5, channel_core},
	{"agent", "LINK DIR", 2, channel_agent},
	{"flood", "CADIR ADDR N", 3, channel_flood},
	{"latency", "SOCKET LINK DIR N", 4, channel_latency},
};

int64_t channel_tool_number(const char *text)
{
	int64_t n;

	if (!num_parse_i64(text, strlen(text), INT64_MIN + 1, INT64_MAX, &n)) {
		(void)fprintf(stderr, "channel-tool: not a number: %s\n", text);
		exit(64);
	}
	return n;
}

int channel_tool_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		exit(64);
	}
	return fd;
}

int channel_tool_words(char *line, char **words, int max)
{
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \n", &save); w && n < max;
	     w = strtok_r(NULL, " \n", &save))
		words[n++] = w;
	return n;
}

int main(int argc, char **argv)
{
	struct err err = {0};
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	log_init("channel-tool", LOG_LEVEL_WARN);
	if (tls_start(&err) < 0)
		return 70;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (argc < 2 || strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (argc - 2 < commands[i].min_args) {
			(void)fprintf(stderr, "usage: channel-tool %s %s\n",
				      commands[i].name, commands[i].args);
			return 64;
		}
		r = commands[i].run(argc - 2, argv + 2, &err);
		if (r < 0)
			(void)fprintf(stderr, "channel-tool: %s: %s\n",
				      err_name(r), err.msg);
		return err_exit_status(r);
	}
	(void)fprintf(stderr, "channel-tool: unknown command\n");
	return 64;
}
