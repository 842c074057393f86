/*
 * trust_mutate.c - the differential of threat G10: many odd commits, of each
 * what `git verify-commit` says and what we say.
 *
 *   trust_mutate keys DIR                 keys and both lists of signers
 *   trust_mutate run DIR REPO SEED N JOBS the comparison, see below
 *   trust_mutate show DIR SEED I          one object, on standard output
 *   trust_mutate change SEED I <object    the object with one change, of any
 * kind of signature; prints what was changed on standard error
 *
 * run prints a line for each thing that must not be:
 *   hole I ID HOW                we accept what git refuses
 *   unnamed I ID CODE HOW: TEXT  git accepts what we refuse, for no known
 * reason and then counts: "both N", "neither N", "NAME N" of each known reason.
 */
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/num.h"
#include "policy/trust/signature.h"
#include "tests/attack/mutate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#define JOBS_MAX 16

/* Why we refuse what git accepts.  text: words of our reason; how: the change
 * that it must come from, where our words could hide a mistake of ours. */
static const struct {
	enum tcode code;
	const char *text, *name, *how;
} reasons[] = {
	/* the object: git reads what it looks for and passes over the rest */
	{TCODE_GRAMMAR, "is not known", "unknown-header", NULL},
	{TCODE_GRAMMAR, "want header", "headers-in-another-order", NULL},
	{TCODE_GRAMMAR, "want an empty line", "headers-without-end", NULL},
	{TCODE_GRAMMAR, "has no end", "headers-without-end", NULL},
	{TCODE_GRAMMAR, "want \"key value\"", "header-without-value", NULL},
	{TCODE_GRAMMAR, "carriage return", "carriage-return", NULL},
	{TCODE_GRAMMAR, "NUL byte", "nul", NULL},
	{TCODE_GRAMMAR, "more than 64 parents", "many-parents", NULL},
	{TCODE_GRAMMAR, "want 40 hex digits", "loose-id", NULL},
	{TCODE_GRAMMAR, "want \"Name <email>", "loose-ident", NULL},
	{TCODE_GRAMMAR, "control or bracket", "control-in-name", NULL},
	{TCODE_TOO_LARGE, "", "large", NULL},
	{TCODE_ENCODING, "encoding UTF-8", "other-encoding", NULL},
	{TCODE_ENCODING, "not valid UTF-8", "not-utf8", NULL},
	{TCODE_DATE, "want a date", "loose-date", NULL},
	{TCODE_AMBIGUOUS, "want one gpgsig", "several-gpgsig", NULL},
	/* the armor: git hands it to a program that reads white space and what
	 * follows as nothing */
	{TCODE_ARMOR, "in lines of 70", "loose-armor", NULL},
	/* the blob: OpenSSH 9.2 does not look at the number, and its ed25519
	 * takes s + order for s */
	{TCODE_SSHSIG, "want version 1, have 0", "version-0", NULL},
	{TCODE_SSHSIG, "ECDSA signature is malformed", "loose-number",
	 "leading-zero"},
	{TCODE_BAD_SIGNATURE, "does not match", "ed25519-not-reduced",
	 "other-number"},
	/* the key: git has no rules about it */
	{TCODE_KEY_TYPE, "made for \"ssh:\"", "sk-application", NULL},
	{TCODE_KEY_TYPE, "want RSA of", "rsa-short", NULL},
	{TCODE_PRESENCE, "want the key touched", "not-touched", NULL},
	{TCODE_PRESENCE, "want a PIN", "no-pin", NULL},
	{TCODE_CERT_OPTION, "critical option", "critical-option", NULL},
	{TCODE_UNKNOWN_KEY, "nobody's who may", "line-without-namespaces",
	 "anyspace"},
	{TCODE_FUTURE, "more than 600 s", "future", NULL},
	{TCODE_EXPIRED_NOW, "not valid now", "not-valid-now", NULL},
	{TCODE_CERT_WINDOW, "not valid now", "certificate-not-valid-now", NULL},
};
#define N_REASONS (sizeof(reasons) / sizeof(reasons[0]))

struct mutant {
	struct buf object;
	char how[MUTATE_HOW_BYTES];
	char id[41];
};

struct job {
	pid_t pid; /* 0: free */
	uint64_t i;
	char id[41], how[MUTATE_HOW_BYTES];
	bool ours;
	struct verdict why;
};

struct run {
	const char *dir, *repo;
	struct mutate_keys keys;
	struct signers *signers;
	int64_t now;
	uint64_t seed;
	struct job jobs[JOBS_MAX];
	size_t n_jobs;
	size_t both, neither, holes, unnamed, named[N_REASONS];
};

static void make(const struct run *run, uint64_t i, struct mutant *m)
{
	struct mutate_rng r = {run->seed * 1000003 + i};
	struct buf payload, armor;
	unsigned int odd = (unsigned int)mutate_next(&r, 31) + 1;

	m->how[0] = '\0';
	buf_init(&payload, MUTATE_BYTES_MAX);
	buf_init(&armor, MUTATE_BYTES_MAX);
	buf_init(&m->object, MUTATE_BYTES_MAX);
	/* One or two of the five places, for most. */
	if (mutate_next(&r, 3) != 0)
		odd &= 1u << mutate_next(&r, 5) | 1u << mutate_next(&r, 5);
	mutate_payload(&payload, &r, run->now, odd & 1, m->how);
	mutate_sign(&run->keys, &payload, &r, odd & 2, &armor, m->how);
	if ((odd & 4) != 0)
		mutate_armor(&armor, &r, m->how);
	mutate_join(&payload, &armor, &r, odd & 8, &m->object, m->how);
	if ((odd & 16) != 0)
		mutate_bytes(&m->object, &r, m->how);
	buf_release(&payload);
	buf_release(&armor);
}

/* A loose object, as git would write it. */
static void store(const struct run *run, struct mutant *m)
{
	char head[32], path[4096];
	int n = snprintf(head, sizeof(head), "commit %zu", m->object.len);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t id[20];
	uLongf len;
	struct buf all;
	Bytef *room;
	struct err err;

	buf_init(&all, MUTATE_BYTES_MAX + 64);
	buf_put(&all, head, (size_t)n + 1);
	buf_put(&all, m->object.data, m->object.len);
	EVP_DigestInit_ex(c, EVP_sha1(), NULL);
	EVP_DigestUpdate(c, all.data, all.len);
	EVP_DigestFinal_ex(c, id, NULL);
	EVP_MD_CTX_free(c);
	encode_hex(m->id, id, sizeof(id));
	len = compressBound((uLong)all.len);
	room = malloc(len);
	mutate_need(room != NULL &&
			    compress2(room, &len, (const Bytef *)all.data,
				      (uLong)all.len, 1) == Z_OK,
		    "deflate");
	snprintf(path, sizeof(path), "%s/objects/%.2s", run->repo, m->id);
	mutate_need(mkdir(path, 0755) == 0 || errno == EEXIST, path);
	snprintf(path, sizeof(path), "%s/objects/%.2s/%s", run->repo, m->id,
		 m->id + 2);
	mutate_need(file_replace(AT_FDCWD, path, 0644, room, len, &err) == 0,
		    path);
	free(room);
	buf_release(&all);
}

static bool accept(const struct run *run, const struct mutant *m,
		   struct verdict *why)
{
	struct signature_time t = {.now = run->now, .first_seen = true};
	struct signature_by by;
	struct commit c;

	*why = (struct verdict){0};
	return commit_parse(m->object.data, m->object.len, &c, why) == 0 &&
	       signature_check(run->signers, &c, &t, &by, why) == 0;
}

static void note_reason(struct run *run, const struct job *j)
{
	char shown[600];

	for (size_t i = 0; i < N_REASONS; i++)
		if (reasons[i].code == j->why.code &&
		    strstr(j->why.reason, reasons[i].text) != NULL &&
		    (reasons[i].how == NULL ||
		     strstr(j->how, reasons[i].how) != NULL)) {
			run->named[i]++;
			return;
		}
	run->unnamed++;
	snprintf(shown, sizeof(shown), "%s", j->why.reason);
	printf("unnamed %llu %s %s %s: %s\n", (unsigned long long)j->i, j->id,
	       verdict_name(j->why.code), j->how, shown);
}

static void finish_one(struct run *run)
{
	int status = 0;
	pid_t pid = waitpid(-1, &status, 0);
	bool gits = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	mutate_need(pid > 0 && WIFEXITED(status), "git died");
	for (size_t k = 0; k < run->n_jobs; k++) {
		struct job *j = &run->jobs[k];

		if (j->pid != pid)
			continue;
		j->pid = 0;
		run->both += gits && j->ours;
		run->neither += !gits && !j->ours;
		if (!gits && j->ours) {
			run->holes++;
			printf("hole %llu %s %s\n", (unsigned long long)j->i,
			       j->id, j->how);
		}
		if (gits && !j->ours)
			note_reason(run, j);
		return;
	}
	mutate_need(false, "a process that is not ours");
}

static struct job *free_job(struct run *run)
{
	for (;;) {
		for (size_t k = 0; k < run->n_jobs; k++)
			if (run->jobs[k].pid == 0)
				return &run->jobs[k];
		finish_one(run);
	}
}

static void start(struct run *run, struct job *j)
{
	extern char **environ;
	char git[] = "git", c[] = "-C", verify[] = "verify-commit";
	char repo[4096];
	char *argv[] = {git, c, repo, verify, j->id, NULL};
	posix_spawn_file_actions_t quiet;

	snprintf(repo, sizeof(repo), "%s", run->repo);
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	mutate_need(posix_spawnp(&j->pid, "git", &quiet, NULL, argv, environ) ==
			    0,
		    "start git");
	posix_spawn_file_actions_destroy(&quiet);
}

static void load(struct run *run, const char *dir, uint64_t seed)
{
	char path[4096];
	struct verdict v = {0};
	struct buf text;
	struct err err;

	run->dir = dir;
	run->seed = seed;
	run->now = clock_unix_ms() / 1000;
	mutate_keys_load(dir, &run->keys);
	snprintf(path, sizeof(path), "%s/ours", dir);
	buf_init(&text, 1u << 20);
	mutate_need(file_read(AT_FDCWD, path, 1u << 20, &text, &err) == 0,
		    path);
	mutate_need(signers_new(text.data, text.len, "# none\n", 7,
				&run->signers, &v) == 0,
		    v.reason);
	buf_release(&text);
}

static int run_all(struct run *run, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct job *j = free_job(run);
		struct mutant m;

		make(run, i, &m);
		store(run, &m);
		j->i = i;
		memcpy(j->id, m.id, sizeof(j->id));
		memcpy(j->how, m.how, sizeof(j->how));
		j->ours = accept(run, &m, &j->why);
		buf_release(&m.object);
		start(run, j);
	}
	for (size_t k = 0; k < run->n_jobs; k++)
		while (run->jobs[k].pid != 0)
			finish_one(run);
	printf("both %zu\nneither %zu\nholes %zu\nunnamed %zu\n", run->both,
	       run->neither, run->holes, run->unnamed);
	for (size_t i = 0; i < N_REASONS; i++)
		printf("%s %s %zu\n", verdict_name(reasons[i].code),
		       reasons[i].name, run->named[i]);
	return run->holes + run->unnamed > 0;
}

static int change(uint64_t seed, uint64_t i)
{
	struct mutate_rng r = {seed * 1000003 + i};
	char how[MUTATE_HOW_BYTES] = "";
	struct buf object;
	struct err err;

	buf_init(&object, MUTATE_BYTES_MAX);
	mutate_need(file_read_fd(0, MUTATE_BYTES_MAX, &object, &err) == 0,
		    "standard input");
	mutate_signed(&object, &r, how);
	fwrite(object.data, 1, object.len, stdout);
	fprintf(stderr, "%s\n", how);
	return 0;
}

static bool number(const char *text, uint64_t *out)
{
	return num_parse_u64(text, strlen(text), UINT32_MAX, out);
}

int main(int argc, char **argv)
{
	static struct run run;
	uint64_t seed = 0, n = 0, jobs = 1;
	struct mutant m;

	if (argc == 3 && strcmp(argv[1], "keys") == 0) {
		mutate_keys_make(argv[2]);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "change") == 0 &&
	    number(argv[2], &seed) && number(argv[3], &n))
		return change(seed, n);
	if (argc < 5 || !number(argv[argc == 5 ? 3 : 4], &seed) ||
	    !number(argv[argc == 5 ? 4 : 5], &n))
		return 2;
	load(&run, argv[2], seed);
	if (argc == 5 && strcmp(argv[1], "show") == 0) {
		make(&run, n, &m);
		fwrite(m.object.data, 1, m.object.len, stdout);
		fprintf(stderr, "%s\n", m.how);
		return 0;
	}
	if (argc != 7 || strcmp(argv[1], "run") != 0 ||
	    !number(argv[6], &jobs) || jobs == 0 || jobs > JOBS_MAX)
		return 2;
	run.repo = argv[3];
	run.n_jobs = jobs;
	return run_all(&run, n);
}
