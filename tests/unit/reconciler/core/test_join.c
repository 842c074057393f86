/*
 * test_join.c - S01, A76: who may become a host, with a real authority: tokens
 * that are unknown, used, expired, for another name or of a revoked host; a
 * second join; renewal of certificates; revocation.
 */
#include "reconciler/core/join.h"
#include "reconciler/core/membership.h"

#include "channel/pki.h"
#include "channel/token.h"
#include "lib/hash.h"

#include "tests/unit/reconciler/core/fixture.h"

#define ASK_BYTES 4096

static void write_file(struct fixture *f, const char *name, const char *text,
		       const char **out)
{
	int fd = -1;
	int dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	(void)close(dir);
	*out = arena_printf(f->arena, "%s/%s", f->path, name);
}

static int set_up_authority(void **state)
{
	struct fixture *f;

	(void)set_up(state);
	f = *state;
	f->conf.trust_policy = f->conf.trust_anchor = "";
	write_file(f, "signers", "# none\n", &f->conf.allowed_signers);
	write_file(f, "revoked", "# none\n", &f->conf.revoked_keys);
	assert_int_equal(membership_init(&f->conf, &f->err), 0);
	return 0;
}

static Channel__JoinToken *issue(struct fixture *f, const char *host)
{
	struct membership_token want = {.host = host, .ttl_s = 60};
	Channel__JoinToken *t = NULL;
	const char *text = NULL;

	assert_int_equal(
		membership_token(&f->core, &want, f->arena, &text, &f->err), 0);
	assert_int_equal(token_decode(text, &t, &f->err), 0);
	return t;
}

/* Asks with what the token says, as `host`; "" or the error of the answer. */
static const char *ask(struct fixture *f, const Channel__JoinToken *t,
		       const char *host)
{
	Channel__JoinRequest q;
	Channel__JoinReply *m;
	uint8_t bytes[ASK_BYTES];
	struct buf key, csr;
	const char *said;

	buf_init(&key, ASK_BYTES);
	buf_init(&csr, ASK_BYTES);
	assert_int_equal(pki_csr_make(&key, &csr, &f->err), 0);
	channel__join_request__init(&q);
	q.token_id = t->id;
	q.token_secret = t->secret;
	q.host = (char *)(uintptr_t)host;
	q.csr_der.data = (uint8_t *)csr.data;
	q.csr_der.len = csr.len;
	assert_int_equal(join_request(&f->core, 1, bytes,
				      channel__join_request__pack(&q, bytes),
				      "10.0.0.9", &f->err),
			 0);
	buf_release(&key);
	buf_release(&csr);
	m = channel__join_reply__unpack(NULL, f->answer_len, f->answer);
	assert_non_null(m);
	assert_int_equal(m->n_chain_der, m->error[0] == '\0' ? 2 : 0);
	said = arena_strdup(f->arena, m->error);
	channel__join_reply__free_unpacked(m, NULL);
	return said;
}

static void expect_refused(struct fixture *f, const Channel__JoinToken *t,
			   const char *host, const char *why)
{
	f->journal[0] = '\0';
	assert_non_null(strstr(ask(f, t, host), why));
	assert_non_null(strstr(f->journal, "audit host.join fact 10.0.0.9"));
	assert_non_null(strstr(f->journal, "refused"));
	assert_null(strstr(f->journal, "intent"));
}

static void test_S01_a_good_token_once(void **in)
{
	struct fixture *f = *in;
	Channel__JoinToken *t = issue(f, "host-1");
	struct state_host row;
	const char *intent, *answer, *outcome;

	assert_string_equal(ask(f, t, "host-1"), "");
	intent = strstr(f->journal, "audit host.join intent");
	answer = strstr(f->journal, "answer\n");
	outcome = strstr(f->journal, "audit host.join outcome - ok");
	assert_non_null(intent);
	assert_true(intent < answer);
	assert_true(answer < outcome);
	assert_int_equal(state_host_get(f->core.state, "host-1", f->arena, &row,
					&f->err),
			 0);
	assert_int_equal(row.host.state, HOST_JOINED);
	expect_refused(f, t, "host-1", "used before");
	token_free(t);
}

static void test_S01_wrong_secret_and_unknown_token(void **in)
{
	struct fixture *f = *in;
	Channel__JoinToken *t = issue(f, "host-1");

	t->secret.data[3] ^= 1;
	expect_refused(f, t, "host-1", "not valid");
	t->secret.data[3] ^= 1;
	t->id.data[3] ^= 1;
	expect_refused(f, t, "host-1", "not valid");
	t->id.data[3] ^= 1;
	assert_string_equal(ask(f, t, "host-1"), "");
	token_free(t);
}

static void test_A76_expired(void **in)
{
	struct fixture *f = *in;
	Channel__JoinToken *t = issue(f, "host-1");
	struct state_token late = {.id = "00000000000000000000000000000000",
				   .host = "host-1"};
	char digest[HASH_HEX];

	hash_sha256_hex(t->secret.data, t->secret.len, digest);
	late.secret_sha256 = digest;
	late.expires = clock_unix_ms() / 1000 - 1;
	assert_int_equal(state_token_put(f->core.state, &late, &f->err), 0);
	memset(t->id.data, 0, t->id.len);
	expect_refused(f, t, "host-1", "has expired");
	token_free(t);
}

static void test_A76_another_name(void **in)
{
	struct fixture *f = *in;
	Channel__JoinToken *t = issue(f, "host-1");

	expect_refused(f, t, "host-2", "another host name");
	token_free(t);
}

static void test_A76_revoked_is_for_good(void **in)
{
	struct fixture *f = *in;
	Channel__JoinToken *t = issue(f, "host-1");
	Channel__JoinToken *kept = issue(f, "host-1");
	struct membership_token want = {.host = "host-1", .ttl_s = 60};
	const char *text = NULL;
	const char **serials = NULL;
	size_t n = 0;

	assert_string_equal(ask(f, t, "host-1"), "");
	f->journal[0] = '\0';
	assert_int_equal(
		membership_revoke(&f->core, "host-1", "stolen", &f->err), 0);
	assert_non_null(strstr(f->journal, "audit host.revoke intent"));
	assert_non_null(strstr(f->journal, "reload\ncut host-1 revoked"));
	assert_non_null(strstr(f->journal, "audit host.revoke outcome - ok"));
	assert_int_equal(state_revoked_list(f->core.state, 0, f->arena,
					    &serials, &n, &f->err),
			 0);
	assert_int_equal(n, 1);
	expect_refused(f, kept, "host-1", "used before");
	assert_int_equal(
		membership_token(&f->core, &want, f->arena, &text, &f->err),
		ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "revoked for good"));
	token_free(t);
	token_free(kept);
}

/* Whatever token there may be. */
static void test_A76_a_revoked_name_is_refused(void **in)
{
	struct fixture *f = *in;
	Channel__JoinToken *t = issue(f, "host-1");
	struct state_host row = {
		.host = {.name = "host-1", .state = HOST_REVOKED}};

	assert_int_equal(state_host_put(f->core.state, &row, &f->err), 0);
	expect_refused(f, t, "host-1", "was revoked");
	token_free(t);
}

static void test_a_second_join_ends_the_first_certificate(void **in)
{
	struct fixture *f = *in;
	Channel__JoinToken *t = issue(f, "host-1");
	Channel__JoinToken *again = issue(f, "host-1");
	struct state_host first, second;
	const char **serials = NULL;
	size_t n = 0;

	assert_string_equal(ask(f, t, "host-1"), "");
	assert_int_equal(state_host_get(f->core.state, "host-1", f->arena,
					&first, &f->err),
			 0);
	f->journal[0] = '\0';
	assert_string_equal(ask(f, again, "host-1"), "");
	assert_int_equal(state_host_get(f->core.state, "host-1", f->arena,
					&second, &f->err),
			 0);
	assert_string_not_equal(first.serial, second.serial);
	assert_int_equal(first.cidr_index, second.cidr_index);
	assert_int_equal(state_revoked_list(f->core.state, 0, f->arena,
					    &serials, &n, &f->err),
			 0);
	assert_int_equal(n, 1);
	assert_string_equal(serials[0], first.serial);
	assert_non_null(strstr(f->journal, "reload\ncut host-1 joined again"));
	token_free(t);
	token_free(again);
}

static int renew(struct fixture *f)
{
	Channel__CertRequest q;
	struct buf key, csr;
	int r;

	buf_init(&key, ASK_BYTES);
	buf_init(&csr, ASK_BYTES);
	assert_int_equal(pki_csr_make(&key, &csr, &f->err), 0);
	channel__cert_request__init(&q);
	q.csr_der.data = (uint8_t *)csr.data;
	q.csr_der.len = csr.len;
	r = membership_renew(&f->core, "host-1", &q, &f->err);
	buf_release(&key);
	buf_release(&csr);
	return r;
}

static void test_S03_renewal(void **in)
{
	struct fixture *f = *in;
	struct state_host row;
	struct err *e = &f->err;

	(void)add_host(f, "host-1", 3);
	f->journal[0] = '\0';
	assert_int_equal(renew(f), 0);
	assert_non_null(strstr(f->journal, "audit host.renew intent"));
	assert_non_null(strstr(f->journal, "send host-1"));
	assert_non_null(strstr(f->journal, "audit host.renew outcome - ok"));
	assert_int_equal(
		state_host_get(f->core.state, "host-1", f->arena, &row, e), 0);
	assert_non_null(row.serial);
	assert_true(row.not_after > clock_unix_ms() / 1000 + 23 * 3600);
	assert_int_equal(row.host.epoch, 3);
	f->journal[0] = '\0';
	f->append_fails = 1; /* R04: no record, no certificate */
	assert_int_equal(renew(f), ERR_AUDIT);
	assert_string_equal(f->journal, "");
	row.host.state = HOST_REVOKED;
	assert_int_equal(state_host_put(f->core.state, &row, e), 0);
	assert_int_equal(renew(f), ERR_DENIED);
	assert_non_null(strstr(f->err.msg, "revoked"));
	assert_string_equal(f->journal, "");
}

static void test_R04_no_record_no_join(void **in)
{
	struct fixture *f = *in;
	Channel__JoinToken *t = issue(f, "host-1");
	Channel__JoinRequest q;
	struct state_host row;
	uint8_t bytes[ASK_BYTES];

	channel__join_request__init(&q);
	q.token_id = t->id;
	q.token_secret = t->secret;
	q.host = t->host;
	f->append_fails = 1;
	assert_int_equal(join_request(&f->core, 1, bytes,
				      channel__join_request__pack(&q, bytes),
				      "10.0.0.9", &f->err),
			 ERR_AUDIT);
	assert_int_equal(f->answer_len, 0);
	assert_int_equal(state_host_get(f->core.state, "host-1", f->arena, &row,
					&f->err),
			 ERR_NOTFOUND);
	token_free(t);
}

#define T(x) cmocka_unit_test_setup_teardown(x, set_up_authority, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_S01_a_good_token_once),
		T(test_S01_wrong_secret_and_unknown_token),
		T(test_A76_expired),
		T(test_A76_another_name),
		T(test_A76_revoked_is_for_good),
		T(test_A76_a_revoked_name_is_refused),
		T(test_a_second_join_ends_the_first_certificate),
		T(test_S03_renewal),
		T(test_R04_no_record_no_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
