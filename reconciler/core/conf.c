/* conf.c - the one table of the manager's configuration keys. */
#include "reconciler/core/conf.h"

#include "lib/text.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(struct core_conf, field)

static const struct conf_key keys[] = {
	{"repository.url", CONF_STRING, AT(repository_url), NULL, 0, 0,
	 "Where the manifests are pulled from: https://, ssh:// or file://."},
	{"repository.id", CONF_STRING, AT(repository_id), NULL, 0, 0,
	 "Name of the repository; commits carry it in .reconcile/policy.yaml, "
	 "so that a commit signed for another repository is refused."},
	{"repository.ref", CONF_STRING, AT(repository_ref), "refs/heads/main",
	 0, 0, "The one ref that is followed."},
	{"repository.ssh_key", CONF_STRING, AT(ssh_key), "", 0, 0,
	 "Private key for ssh:// (read by ssh, never by reconcile)."},
	{"repository.ssh_known_hosts", CONF_STRING, AT(ssh_known_hosts), "", 0,
	 0, "Known host keys for ssh://; an unknown host is refused."},
	{"repository.ca_file", CONF_STRING, AT(ca_file), "", 0, 0,
	 "Certificate authorities for https://, in PEM; the system's are not "
	 "asked unless their file is named here."},
	{"repository.server_key", CONF_STRING, AT(server_key), "", 0, 0,
	 "Key that the server of https:// must have: sha256//BASE64, more "
	 "separated by ;."},
	{"repository.credential_file", CONF_STRING, AT(credential_file), "", 0,
	 0,
	 "Credential for https://: a line \"bearer TOKEN\" or \"basic "
	 "USER:PASSWORD\", for nobody else to read."},
	{"repository.timeout_s", CONF_INT, AT(fetch_timeout_s), "60", 1, 3600,
	 "How long a transfer from the repository may take, in seconds."},
	{"trust.policy", CONF_STRING, AT(trust_policy), "", 0, 0,
	 "sha256:HEX of .reconcile/trust.yaml where trust begins; who may sign "
	 "stands in git from then on, see reconcile-trust(5)."},
	{"trust.anchor", CONF_STRING, AT(trust_anchor), "", 0, 0,
	 "The commit where trust begins, with trust.policy; empty: the root "
	 "commit, judged by its own file."},
	{"trust.openpgp", CONF_BOOL, AT(trust_openpgp), "false", 0, 0,
	 "Look at OpenPGP signatures, with sqv."},
	{"trust.allowed_signers", CONF_STRING, AT(allowed_signers), "", 0, 0,
	 "Without trust.policy: who may sign, in the format of "
	 "allowed_signers; empty: " RECONCILE_SYSCONF "/allowed_signers; see "
	 "reconcile-allowed-signers(5)."},
	{"trust.revoked_keys", CONF_STRING, AT(revoked_keys), "", 0, 0,
	 "Without trust.policy: revoked keys; a missing or empty file is an "
	 "error; empty: " RECONCILE_SYSCONF "/revoked_keys."},
	{"state.dir", CONF_PATH, AT(state_dir), "/var/lib/reconcile", 0, 0,
	 "Folder of the state, the mirror of the repository, the certificates "
	 "and the audit log."},
	{"run.dir", CONF_PATH, AT(run_dir), "/run/reconcile", 0, 0,
	 "Folder of the channel's socket."},
	{"libexec.dir", CONF_STRING, AT(libexec), "", 0, 0,
	 "Folder of the sibling programs; empty: where reconcile itself is, "
	 "else the one of the build."},
	{"channel.listen", CONF_STRING, AT(listen), "0.0.0.0:7443", 0, 0,
	 "Address and port on which hosts are accepted."},
	{"channel.advertise", CONF_STRING, AT(advertise), "", 0, 0,
	 "Address and port that join tokens name; empty: channel.listen."},
	{"pod.cidr", CONF_CIDR, AT(pod_cidr), "10.244.0.0/16", 0, 0,
	 "Addresses of pods; each host gets a /24 of it."},
	{"service.cidr", CONF_CIDR, AT(service_cidr), "10.96.0.0/16", 0, 0,
	 "Addresses of Services."},
	{"registry", CONF_LIST, AT(registries), "", 0, 0,
	 "host[:port] ca=FILE: certificate authority of a registry; may "
	 "repeat."},
	{"access.user", CONF_LIST, AT(access_users), "", 0, 0,
	 "UNIXUSER PRINCIPAL: who in the trust policy this user is, when roles "
	 "decide what may be seen through sudo; see READERS in reconcile(1); "
	 "may repeat."},
	{"host.wait_s", CONF_INT, AT(host_wait_s), "10", 0, 3600,
	 "How long a pass waits for known hosts to connect, in seconds."},
	{"pass.timeout_s", CONF_INT, AT(pass_timeout_s), "600", 1, 86400,
	 "How long a pass waits for the hosts to converge, in seconds."},
	{"daemon.interval_s", CONF_INT, AT(interval_s), "60", 1, 86400,
	 "How often the daemon looks for new commits, in seconds."},
	{"cert.hours", CONF_INT, AT(cert_hours), "24", 1, 168,
	 "Validity of host certificates, in hours; hosts renew at two thirds."},
};

const struct conf_key *core_conf_keys(size_t *out_n)
{
	*out_n = sizeof(keys) / sizeof(keys[0]);
	return keys;
}

/* "host[:port] ca=FILE": nothing else, so that nothing is ignored. */
static int check_registry(const char *path, const char *entry, struct err *err)
{
	size_t n = strcspn(entry, " \t");
	const char *rest = entry + n + strspn(entry + n, " \t");

	if (n > 0 && strncmp(rest, "ca=/", 4) == 0 &&
	    rest[strcspn(rest, " \t")] == '\0')
		return 0;
	return err_set(err, ERR_INPUT,
		       "%s: registry: want HOST[:PORT] ca=/FILE, have \"%s\"",
		       path, entry);
}

/* "UNIXUSER PRINCIPAL" */
static int check_user(const char *path, const char *entry, struct err *err)
{
	size_t n = strcspn(entry, " \t");
	const char *rest = entry + n + strspn(entry + n, " \t");

	if (n > 0 && rest[0] != '\0' && rest[strcspn(rest, " \t")] == '\0')
		return 0;
	return err_set(err, ERR_INPUT,
		       "%s: access.user: want UNIXUSER PRINCIPAL, have \"%s\"",
		       path, entry);
}

static int want(const char *path, const char *what, const char *have,
		struct err *err)
{
	return err_set(err, ERR_INPUT, "%s: want %s, have \"%s\"", path, what,
		       have);
}

/* Who may sign stands in one place: in git, or in two pinned lists. */
static int check_trust(const char *path, struct core_conf *c, struct err *err)
{
	bool policy = c->trust_policy[0] != '\0';
	const char **lists[] = {&c->allowed_signers, &c->revoked_keys};
	static const char *const defaults[] = {
		RECONCILE_SYSCONF "/allowed_signers",
		RECONCILE_SYSCONF "/revoked_keys"};

	if (policy && (strncmp(c->trust_policy, "sha256:", 7) != 0 ||
		       !text_is_hex(c->trust_policy + 7, 64)))
		return want(path, "trust.policy = sha256: and 64 hex digits",
			    c->trust_policy, err);
	if (c->trust_anchor[0] != '\0' &&
	    (!policy || !text_is_hex(c->trust_anchor, 40)))
		return want(path,
			    "trust.anchor = 40 hex digits, beside "
			    "trust.policy",
			    c->trust_anchor, err);
	for (size_t i = 0; i < 2; i++) {
		if (policy && **lists[i] != '\0')
			return want(path,
				    "trust.policy, or trust.allowed_signers "
				    "and trust.revoked_keys, never both",
				    *lists[i], err);
		if (!policy && **lists[i] == '\0')
			*lists[i] = defaults[i];
		if (!policy && **lists[i] != '/')
			return want(path,
				    "absolute paths of trust.allowed_signers "
				    "and trust.revoked_keys",
				    *lists[i], err);
	}
	return 0;
}

int core_conf_load(const char *path, struct arena *arena, struct core_conf *out,
		   struct err *err)
{
	return core_conf_load_fd(-1, path, arena, out, err);
}

int core_conf_load_fd(int fd, const char *path, struct arena *arena,
		      struct core_conf *out, struct err *err)
{
	int r;

	if (path == NULL)
		path = RECONCILE_SYSCONF "/reconcile.conf";
	r = conf_load_fd(fd, path, keys, sizeof(keys) / sizeof(keys[0]), out,
			 arena, err);
	if (r == ERR_NOTFOUND)
		r = err_set(err, ERR_INPUT,
			    "configuration %s is missing: write it, see "
			    "reconcile.conf(5), or name another with --config",
			    path);
	if (r == 0)
		r = check_trust(path, out, err);
	for (size_t i = 0; r == 0 && i < out->registries.n; i++)
		r = check_registry(path, out->registries.items[i], err);
	for (size_t i = 0; r == 0 && i < out->access_users.n; i++)
		r = check_user(path, out->access_users.items[i], err);
	return r;
}
