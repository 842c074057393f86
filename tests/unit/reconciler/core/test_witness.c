/*
 * test_witness.c - answers of witnesses that come when no round is under way:
 * A95, A96 late refusals end the pass as early ones do, late cosignatures count
 * when they are of the checkpoint that was offered and of the pinned key.
 */
#include "reconciler/core/witness.h"
#include "reconciler/core/witness_check.h"

#include "audit/client.h"
#include "audit/key.h"
#include "audit/witness.h"
#include "lib/file.h"
#include "reconciler/core/audit_log.h"
#include "reconciler/core/fleet.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "host-1"
#define NAME "reconcile/host/" HOST

struct place {
	char path[40], bin[4200];
	struct core_conf conf;
	struct core core;
	struct fleet fleet;
	struct fleet_host host;
	struct audit_key *key; /* the host's */
	struct audit_vkey vkey;
	struct audit_vkey log;
	const char *log_text;
	char *note; /* offered */
	struct arena *arena;
	char said[2048];
};

static void hear(void *ctx, const char *line)
{
	struct place *p = ctx;

	(void)snprintf(p->said, sizeof(p->said), "%s", line);
}

/* BUILD/unit/reconciler/core/test_x -> BUILD/bin */
static void find_programs(struct place *p)
{
	const char *given = getenv("PROGRAMS");
	char exe[2048] = "";
	char *cut;

	if (given != NULL) {
		(void)snprintf(p->bin, sizeof(p->bin), "%s", given);
		return;
	}
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	cut = strstr(exe, "/unit/reconciler/");
	assert_non_null(cut);
	*cut = '\0';
	(void)snprintf(p->bin, sizeof(p->bin), "%s/bin", exe);
}

static void make_host(struct place *p)
{
	struct state_host h = {.host = {.name = HOST, .state = HOST_READY}};
	char path[80], text[AUDIT_VKEY_BYTES];
	struct err e = {0};

	(void)snprintf(path, sizeof(path), "%s/host.key", p->path);
	assert_int_equal(audit_key_generate(path, &e), 0);
	assert_int_equal(audit_key_load(path, &p->key, &e), 0);
	assert_int_equal(
		audit_key_public(p->key, AUDIT_KEY_WITNESS, NAME, &p->vkey, &e),
		0);
	audit_key_format(&p->vkey, text);
	assert_int_equal(state_host_put(p->core.state, &h, &e), 0);
	assert_int_equal(state_set(p->core.state,
				   witness_key_name(HOST, p->arena), text, &e),
			 0);
	p->host.name = strdup(HOST);
	p->fleet.hosts = &p->host;
	p->fleet.n_hosts = 1;
	p->core.fleet = &p->fleet;
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct err e = {0};
	int fd = -1;

	assert_non_null(p);
	find_programs(p);
	(void)snprintf(p->path, sizeof(p->path), "/tmp/test-witness-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->arena = arena_new(16u << 20);
	p->conf = (struct core_conf){.state_dir = p->path,
				     .repository_id = "test"};
	p->core = (struct core){.conf = &p->conf,
				.ui = {.line = hear, .ctx = p},
				.lock_fd = -1};
	assert_int_equal(file_mkdirs(AT_FDCWD,
				     audit_log_dir(&p->conf, p->arena), 0700,
				     &fd, &e),
			 0);
	(void)close(fd);
	assert_int_equal(
		audit_key_generate(audit_log_key(&p->conf, p->arena), &e), 0);
	assert_int_equal(audit_log_vkey(&p->conf, p->arena, &p->log_text, &e),
			 0);
	assert_int_equal(audit_key_parse(p->log_text, &p->log, &e), 0);
	assert_int_equal(state_open(p->path, false, &p->core.state, &e), 0);
	assert_int_equal(audit_log_client(&p->conf, p->bin, &p->core.audit, &e),
			 0);
	assert_int_equal(audit_client_checkpoint(p->core.audit, &p->note, &e),
			 0);
	assert_int_equal(state_set(p->core.state, "witness-offer", p->note, &e),
			 0);
	make_host(p);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	audit_client_close(p->core.audit);
	state_close(p->core.state);
	audit_key_free(p->key);
	assert_null(p->host.cosignature); /* all were taken */
	free(p->host.name);
	free(p->note);
	arena_free(p->arena);
	assert_int_equal(file_remove_tree(AT_FDCWD, p->path, NULL), 0);
	free(p);
	return 0;
}

/* The host's answer has arrived. */
static void arrives(struct place *p, int verdict, const char *line,
		    const char *refused, uint64_t size)
{
	Channel__Cosignature m;
	uint8_t bytes[4096];
	size_t n;

	channel__cosignature__init(&m);
	m.verdict = (Channel__Cosignature__Verdict)verdict;
	m.note.data = (uint8_t *)(uintptr_t)line;
	m.note.len = strlen(line);
	m.refused = (char *)(uintptr_t)refused;
	m.size = size;
	n = channel__cosignature__pack(&m, bytes);
	p->host.cosignature = channel__cosignature__unpack(NULL, n, bytes);
	assert_non_null(p->host.cosignature);
}

static void cosigns(struct place *p, const char *name, uint64_t size)
{
	struct audit_witness_state s = {0};
	const struct audit_proof none = {.n = 0};
	struct err e = {0};
	struct buf line;

	buf_init(&line, 4096);
	assert_int_equal(audit_witness_sign(&s, p->note, &p->log, &none, p->key,
					    name, 1795335060, &line, &e),
			 0);
	arrives(p, CHANNEL__COSIGNATURE__VERDICT__COSIGNED, line.data, "",
		size == 0 ? s.size : size);
	buf_release(&line);
}

static const char *offer(struct place *p)
{
	const char *refusal = NULL;
	struct err e = {0};
	int r = witness_offer(&p->core, false, p->arena, &refusal, &e);

	if (r != 0)
		print_error("%s\n", e.msg);
	assert_int_equal(r, 0);
	return refusal;
}

static struct witness_tally check(struct place *p)
{
	struct witness_tally t = {0};
	struct err e = {0};
	int fd = open(audit_log_dir(&p->conf, p->arena),
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(
		witness_check(p->core.state, fd, p->log_text, p->arena, &t, &e),
		0);
	(void)close(fd);
	return t;
}

static void late_cosignature_counts(void **state)
{
	struct place *p = *state;
	struct witness_tally t = check(p);
	struct err e = {0};
	struct buf file;
	size_t n = 0;

	assert_int_equal(t.known, 1);
	assert_int_equal(t.size, 0);
	cosigns(p, NAME, 0);
	assert_null(offer(p));
	t = check(p);
	assert_int_equal(t.cosigned, 1);
	assert_int_equal(t.size, 1);
	buf_init(&file, 65536);
	assert_int_equal(file_read(AT_FDCWD,
				   arena_printf(p->arena, "%s/audit/%s",
						p->path, WITNESS_FILE),
				   65536, &file, &e),
			 0);
	assert_int_equal(
		audit_witness_count(file.data, &p->log, &p->vkey, 1, &n, &e),
		0);
	assert_int_equal(n, 1);
	buf_release(&file);
	/* a host that joins anew has a new key */
	assert_int_equal(witness_forget(&p->core, HOST, &e), 0);
	t = check(p);
	assert_int_equal(t.known, 0);
	assert_int_equal(t.cosigned, 0);
}

static void what_does_not_count(void **state)
{
	struct place *p = *state;

	cosigns(p, "reconcile/host/host-2", 0); /* in another's name */
	assert_null(offer(p));
	assert_string_equal(p->said,
			    "host host-1: its cosignature is not good");
	p->said[0] = '\0';
	cosigns(p, NAME, 7); /* of another checkpoint */
	assert_null(offer(p));
	arrives(p, CHANNEL__COSIGNATURE__VERDICT__COSIGNED, "no line\n", "", 1);
	assert_null(offer(p));
	assert_string_equal(p->said,
			    "host host-1: its cosignature is not good");
	arrives(p, CHANNEL__COSIGNATURE__VERDICT__STALE, "", "stale", 0);
	assert_null(offer(p));
	arrives(p, CHANNEL__COSIGNATURE__VERDICT__FAILED, "", "full disk", 0);
	assert_null(offer(p));
	assert_string_equal(p->said, "host host-1 could not cosign: full disk");
	assert_int_equal(check(p).size, 0);
}

static void A95_A96_late_refusal_is_no_less_loud(void **state)
{
	static const int refusals[] = {
		CHANNEL__COSIGNATURE__VERDICT__ROLLBACK,
		CHANNEL__COSIGNATURE__VERDICT__FORK,
		CHANNEL__COSIGNATURE__VERDICT__UNSIGNED,
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		p->said[0] = '\0';
		arrives(p, refusals[i], "", "H303 a \033[31mfork", 9);
		assert_string_equal(offer(p),
				    "host host-1 refuses to cosign the audit "
				    "log: H303 a \\x1b[31mfork");
		assert_ptr_equal(strstr(p->said, "ALARM: host host-1 refuses"),
				 p->said);
	}
	assert_int_equal(check(p).size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(late_cosignature_counts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_count, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			A95_A96_late_refusal_is_no_less_loud, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
