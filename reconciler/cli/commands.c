/* commands.c - the one table of reconcile's commands and options. */
#include "reconciler/cli/cli.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct opt globals[] = {
	{"config", 'c', "FILE",
	 "configuration (default: " RECONCILE_SYSCONF "/reconcile.conf)"},
	{"help", 'h', NULL, "this help; after a command, that command's"},
};

static const struct opt pass_opts[] = {
	{"dry-run", 'n', NULL, "print the plan, change nothing"},
	{"daemon", 'd', NULL, "keep going; react to hosts and new commits"},
	{"from", 0, "REV", "with --to: what a pull request does and lacks"},
	{"to", 0, "REV", "the revision to compare with --from"},
	{"repo", 0, "DIR", "repository of --from and --to (default: .)"},
	{"output", 'o', "FORMAT[=FILE]",
	 "of a dry run, may repeat: text, json, markdown, github, gitlab, "
	 "sarif, junit"},
	{"out", 0, "FILE", "with --dry-run: save the plan for `apply`"},
	{"detailed-exitcode", 0, NULL, "exit 2 when changes are pending"},
	{"allow-deletes", 0, NULL, "delete more than the policy's share"},
	{"timeout", 't', "SECONDS", "how long to wait for convergence"},
};

static const struct opt output_opts[] = {
	{"output", 'o', "FORMAT", "text or json"},
};

static const struct opt token_opts[] = {
	{"ttl", 0, "SECONDS", "validity, 1 to 86400 (default 600)"},
	{"label", 'l', "KEY=VALUE", "label of the host; may repeat"},
	{"taint", 0, "KEY=VALUE:EFFECT", "taint of the host; may repeat"},
};

static const struct opt revoke_opts[] = {
	{"reason", 0, "TEXT", "why, for the audit log"},
};

static const struct opt apply_opts[] = {
	{"allow-deletes", 0, NULL, "delete more than the policy's share"},
	{"timeout", 't', "SECONDS", "how long to wait for convergence"},
};

static const struct opt look_opts[] = {
	{"repo", 0, "DIR", "the clone (default: .)"},
	{"explain", 0, NULL, "each rule, who could lift it, and how"},
	{"output", 'o', "FORMAT", "text or json"},
};

static const struct opt rollback_opts[] = {
	{"to", 0, "REV", "what to go back to"},
	{"repo", 0, "DIR", "the clone (default: .)"},
};

static const struct opt schema_opts[] = {
	{"dir", 0, "DIR", "write one file a kind, as kubeconform names them"},
};

static const struct opt anchor_opts[] = {
	{"reason", 0, "TEXT", "why, for the audit log"},
};

static const struct opt approve_opts[] = {
	{"base", 0, "REV",
	 "what is in force (default: origin/HEAD); -: nothing"},
	{"key", 0, "FILE", "SSH key that signs (default: git's signing key)"},
	{"name", 0, "NAME", "name of the file (default: git's user.email)"},
	{"repo", 0, "DIR", "the clone (default: .)"},
};

static const struct opt audit_opts[] = {
	{"log", 0, "DIR", "folder of the log (default: the manager's)"},
	{"type", 0, "TYPE", "only this type; a prefix ends in '.'"},
	{"host", 0, "NAME", "only this host"},
	{"last", 0, "N", "only the last N entries"},
	{"output", 'o', "FORMAT", "text or json (one object a line)"},
};

static const struct opt verify_opts[] = {
	{"log", 0, "DIR", "folder of the log (default: the manager's)"},
	{"key", 0, "TEXT",
	 "public key of the log (default: of log.key beside it)"},
	{"checkpoint", 0, "FILE", "a checkpoint kept elsewhere"},
};

static const struct opt trust_opts[] = {
	{"repo", 0, "DIR", "repository (default: where you stand)"},
	{"output", 'o', "FORMAT", "text or json"},
};

static const struct opt logs_opts[] = {
	{"container", 0, "NAME", "container (default: the first)"},
	{"tail", 0, "LINES", "last lines, 1 to 10000 (default 100)"},
};

static const struct opt_command commands[] = {
	{"", "", "one pass: pull, verify, plan, apply, wait", pass_opts,
	 COUNT(pass_opts), 0, 0, pass_command},
	{"apply", "FILE", "carry out a saved plan, exactly or not at all",
	 apply_opts, COUNT(apply_opts), 1, 1, apply_command},
	{"rollback", "",
	 "make a signed commit with the content of an older one", rollback_opts,
	 COUNT(rollback_opts), 0, 0, rollback_command},
	{"init", "", "make the certificate authority, keys and state", NULL, 0,
	 0, 0, misc_init},
	{"status", "", "hosts, workloads and pods", output_opts,
	 COUNT(output_opts), 0, 0, status_command},
	{"host list", "", "hosts and the state of their life", output_opts,
	 COUNT(output_opts), 0, 0, host_list_command},
	{"host token", "NAME", "print a single-use token for a new host",
	 token_opts, COUNT(token_opts), 1, 1, host_token_command},
	{"host cordon", "NAME", "place no new pods there", NULL, 0, 1, 1,
	 host_cordon_command},
	{"host uncordon", "NAME", "place pods there again", NULL, 0, 1, 1,
	 host_uncordon_command},
	{"host drain", "NAME", "move its pods away in the next pass", NULL, 0,
	 1, 1, host_drain_command},
	{"host revoke", "NAME", "end its certificate for good", revoke_opts,
	 COUNT(revoke_opts), 1, 1, host_revoke_command},
	{"trust show", "[REV]", "who may change what; the digest to pin",
	 trust_opts, COUNT(trust_opts), 0, 1, trust_show_command},
	{"trust check", "[FILE|REV]", "what is wrong with a trust policy",
	 trust_opts, COUNT(trust_opts), 0, 1, trust_check_command},
	{"trust anchor", "COMMIT", "go on from this commit, on your word",
	 anchor_opts, COUNT(anchor_opts), 1, 1, trust_anchor_command},
	{"trust approve", "[REV]", "sign that you agree with a change",
	 approve_opts, COUNT(approve_opts), 0, 1, trust_approve_command},
	{"audit show", "", "entries of the audit log", audit_opts,
	 COUNT(audit_opts), 0, 0, audit_show_command},
	{"audit verify", "", "prove the log, or name the first bad entry",
	 verify_opts, COUNT(verify_opts), 0, 0, audit_verify_command},
	{"verify", "[A..B]", "who signed it, and may it come after A",
	 look_opts, COUNT(look_opts), 0, 1, verify_command},
	{"lint", "PATH...", "check files before they are committed",
	 output_opts, COUNT(output_opts), 1, -1, lint_command},
	{"explain", "FIELD|CODE|RULE", "what it means, the fix, an example",
	 NULL, 0, 1, 1, explain_command},
	{"schema", "[KIND]", "JSON Schema of the manifests, for editors",
	 schema_opts, COUNT(schema_opts), 0, 1, schema_command},
	{"logs", "[NAMESPACE/]POD", "output of a pod's container", logs_opts,
	 COUNT(logs_opts), 1, 1, logs_command},
	{"completion", "SHELL", "completion for bash, zsh or fish", NULL, 0, 1,
	 1, misc_completion},
	{"version", "", "version and formats", NULL, 0, 0, 0, misc_version},
};

const struct opt_program commands_program = {
	.name = "reconcile",
	.doc = "runs what signed commits say, and nothing else",
	.globals = globals,
	.n_globals = COUNT(globals),
	.commands = commands,
	.n_commands = COUNT(commands),
};
