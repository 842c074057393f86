/* cli.c - see cli.h: the table of commands and options. */
#include "engine/main/cli.h"

#include <stdlib.h>
#include <string.h>

static const struct opt cli_globals[] = {
	{"root", 0, "DIR", "where containers are remembered"},
	{"log", 0, "FILE", "append errors here"},
	{"log-format", 0, "text|json", "how they are written there"},
	{"debug", 0, NULL, "write each step too"},
	{"cgroup-manager", 0, "cgroupfs|systemd",
	 "who makes control groups (cgroupfs)"},
	{"systemd-cgroup", 0, NULL, "the same as --cgroup-manager systemd"},
	{"rootless", 0, "auto|true|false", "without the host's root (auto)"},
	{"criu", 0, "FILE", "accepted; there is no checkpoint"},
	{"version", 'v', NULL, "print the version"},
	{"steps", 0, NULL, "print the table of set-up steps"},
};

#define CREATE_OPTS                                                            \
	{"bundle", 'b', "DIR", "the bundle (default: where we are)"},          \
		{"config", 'f', "FILE", "instead of config.json in it"},       \
		{"pid-file", 0, "FILE", "write the first process's pid here"}, \
		{"console-socket", 0, "SOCK", "where its terminal is sent"},   \
		{"pidfd-socket", 0, "SOCK", "where a pidfd of it is sent"},    \
		{"preserve-fds", 0, "N", "descriptors 3..N+2 are passed on"},  \
		{"no-pivot", 0, NULL, "chroot instead: for an initramfs"},     \
		{"no-new-keyring", 0, NULL,                                    \
		 "keep the session keyring of ours"},                          \
	{                                                                      \
		"overlay", 0, "FILE", "the root is this overlay"               \
	}

static const struct opt cli_create[] = {CREATE_OPTS};
static const struct opt cli_run[] = {
	CREATE_OPTS,
	{"detach", 'd', NULL, "return when it runs"},
	{"keep", 0, NULL, "do not delete it at its end"},
	{"no-subreaper", 0, NULL, "accepted; we are none"}};
static const struct opt cli_exec[] = {
	{"process", 'p', "FILE", "a process object of the specification"},
	{"cwd", 0, "DIR", "working directory"},
	{"env", 'e', "NAME=VALUE", "may be repeated"},
	{"user", 'u', "UID[:GID]", "decimal ids"},
	{"additional-gids", 'g', "GID", "one more group, may be repeated"},
	{"cap", 'c', "CAP_X", "one more capability, may be repeated"},
	{"tty", 't', NULL, "with a terminal"},
	{"console-socket", 0, "SOCK", "where the terminal is sent"},
	{"pid-file", 0, "FILE", "write the pid here"},
	{"pidfd-socket", 0, "SOCK", "where a pidfd is sent"},
	{"detach", 'd', NULL, "return when it runs"},
	{"preserve-fds", 0, "N", "descriptors 3..N+2 are passed on"},
	{"no-new-privs", 0, NULL, "set no_new_privs"},
	{"apparmor", 0, "PROFILE", "AppArmor profile"},
	{"process-label", 0, "LABEL", "SELinux label"},
	{"cgroup", 0, "[CONTROLLERS:]PATH",
	 "a group below the container's, may be repeated"},
	{"ignore-paused", 0, NULL, "also in a paused container"}};
static const struct opt cli_kill[] = {
	{"all", 'a', NULL, "every process of the container"}};
static const struct opt cli_delete[] = {
	{"force", 'f', NULL, "kill it first; nothing there is no error"}};
static const struct opt cli_list[] = {{"format", 'f', "table|json", "how"},
				      {"quiet", 'q', NULL, "ids only"}};
static const struct opt cli_ps[] = {{"format", 'f', "table|json", "how"}};
static const struct opt cli_events[] = {
	{"stats", 0, NULL, "once, then end"},
	{"interval", 0, "DURATION", "between two, 5s unless said otherwise"}};
static const struct opt cli_update[] = {
	{"resources", 'r', "FILE",
	 "resources of the specification, - for "
	 "standard input"},
	{"memory", 0, "BYTES", "memory limit"},
	{"memory-swap", 0, "BYTES", "memory and swap, -1: no limit"},
	{"memory-reservation", 0, "BYTES", "soft limit"},
	{"kernel-memory", 0, "BYTES", "accepted; the kernel has it no more"},
	{"kernel-memory-tcp", 0, "BYTES", "limit of TCP buffers"},
	{"cpu-period", 0, "US", "CFS period"},
	{"cpu-quota", 0, "US", "CFS quota"},
	{"cpu-burst", 0, "US", "CFS burst"},
	{"cpu-share", 0, "N", "cpu shares"},
	{"cpu-rt-period", 0, "US", "real-time period"},
	{"cpu-rt-runtime", 0, "US", "real-time runtime"},
	{"cpu-idle", 0, "0|1", "SCHED_IDLE for all"},
	{"cpuset-cpus", 0, "LIST", "cpus"},
	{"cpuset-mems", 0, "LIST", "memory nodes"},
	{"pids-limit", 0, "N", "processes, -1: no limit"},
	{"blkio-weight", 0, "N", "10 to 1000"},
	{"l3-cache-schema", 0, "TEXT", "refused: no Intel RDT"},
	{"mem-bw-schema", 0, "TEXT", "refused: no Intel RDT"}};
static const struct opt cli_spec[] = {
	{"bundle", 'b', "DIR", "where config.json is written"},
	{"rootless", 0, NULL, "for the user who calls"}};

#define OPTS(table) (table), sizeof(table) / sizeof((table)[0])

static const struct opt_command cli_commands[] = {
	{"", "", "", NULL, 0, 0, 0, about_plain},
	{"create", "ID", "make a container, ready to start", OPTS(cli_create),
	 1, 1, make_create},
	{"start", "ID", "run the program of a created container", NULL, 0, 1, 1,
	 change_start},
	{"run", "ID", "create and start", OPTS(cli_run), 1, 1, make_run},
	{"exec", "ID [COMMAND...]", "one more process in a container",
	 OPTS(cli_exec), 1, -1, make_exec},
	{"state", "ID", "print the state as JSON", NULL, 0, 1, 1, query_state},
	{"kill", "ID [SIGNAL]", "send a signal (SIGTERM)", OPTS(cli_kill), 1, 2,
	 change_kill},
	{"delete", "ID", "remove what is left of a container", OPTS(cli_delete),
	 1, 1, change_delete},
	{"list", "", "list containers", OPTS(cli_list), 0, 0, query_list},
	{"ps", "ID [OPTIONS OF PS...]", "processes of a container",
	 OPTS(cli_ps), 1, -1, ps_command},
	{"events", "ID", "what a container uses, and its OOM kills",
	 OPTS(cli_events), 1, 1, events_command},
	{"pause", "ID", "freeze all its processes", NULL, 0, 1, 1,
	 change_pause},
	{"resume", "ID", "thaw them", NULL, 0, 1, 1, change_resume},
	{"update", "ID", "change limits", OPTS(cli_update), 1, 1,
	 change_update},
	{"features", "", "what this runtime can do, as JSON", NULL, 0, 0, 0,
	 about_features},
	{"spec", "", "write a config.json to start from", OPTS(cli_spec), 0, 0,
	 about_spec},
	{"help", "[COMMAND]", "what a command does", NULL, 0, 0, 1, about_help},
	{"checkpoint", "...", "refused: not offered", NULL, 0, 0, -1,
	 about_refused},
	{"restore", "...", "refused: not offered", NULL, 0, 0, -1,
	 about_refused},
};

static const struct opt_program cli_table = {
	.name = "reconcile-engine",
	.doc = "OCI runtime: makes containers from bundles",
	.globals = cli_globals,
	.n_globals = sizeof(cli_globals) / sizeof(cli_globals[0]),
	.commands = cli_commands,
	.n_commands = sizeof(cli_commands) / sizeof(cli_commands[0]),
};

const struct opt_program *cli_program(void)
{
	return &cli_table;
}

bool cli_is_systemd(const struct opt_values *v)
{
	const char *manager = opt_get(v, "cgroup-manager");

	return opt_get(v, "systemd-cgroup") != NULL ||
	       (manager != NULL && strcmp(manager, "systemd") == 0);
}

static bool cli_takes_value(const struct opt *opts, size_t n, const char *word)
{
	size_t i, len = strlen(word);

	if (strchr(word, '=') != NULL)
		return false;
	for (i = 0; i < n; i++) {
		bool is = word[1] == '-' ? strcmp(word + 2, opts[i].name) == 0
					 : word[len - 1] == opts[i].letter;

		if (is)
			return opts[i].arg != NULL;
	}
	return false;
}

/* Index of the first operand from i on. */
static int cli_skip(int argc, char **argv, int i, const struct opt *opts,
		    size_t n)
{
	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0' &&
	       strcmp(argv[i], "--") != 0)
		i += cli_takes_value(opts, n, argv[i]) ? 2 : 1;
	return i;
}

/* Where the words begin that are not for us; argc: nowhere. */
static int cli_stop(int argc, char **argv, int at)
{
	const struct opt_command *cmd = NULL;
	size_t i;

	for (i = 0; at < argc && i < cli_table.n_commands; i++)
		if (strcmp(argv[at], cli_commands[i].name) == 0)
			cmd = &cli_commands[i];
	if (cmd == NULL)
		return argc;
	if (cmd->run == about_refused)
		return at + 1;
	if (cmd->run != make_exec && cmd->run != ps_command)
		return argc;
	return cli_skip(argc, argv, at + 1, cmd->opts, cmd->n_opts);
}

char **cli_stop_at_id(int argc, char **argv, int *out_argc)
{
	int at = cli_skip(argc, argv, 1, cli_globals,
			  sizeof(cli_globals) / sizeof(cli_globals[0]));
	char **out, *stop;
	int i, n = 0;

	at = cli_stop(argc, argv, at);
	if (at < argc && strcmp(argv[at], "--") == 0)
		at = argc;
	/* the pointers and behind them the text of the one that is put in */
	out = calloc((size_t)argc + 3, sizeof(*out));
	if (out == NULL)
		return NULL;
	stop = (char *)(out + argc + 2);
	memcpy(stop, "--", 3);
	for (i = 0; i < argc; i++) {
		if (i == at)
			out[n++] = stop;
		out[n++] = argv[i];
	}
	*out_argc = n;
	return out;
}
