/*
 * people_file.h - a trust policy that works, pieces of which a unit test
 * replaces one by one.
 */
#ifndef TESTS_UNIT_POLICY_TRUST_PEOPLE_FILE_H
#define TESTS_UNIT_POLICY_TRUST_PEOPLE_FILE_H

#include "policy/trust/people.h"

#include "lib/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ED "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"
#define KEY_A ED "INUwZm/do/MvyncS24cHi9dEZS3dfsFP1zhFCyplF6MV"
#define KEY_B ED "IHJQiIb8h3+htAi1mtVOka64HlkBoMdsL/5E1Cl/9/dZ"
#define KEY_C ED "ILnJM4OpeMwptv9UlE1ifRQxHG9Ek2kJYq3TBCzqKTQN"
#define KEY_CA ED "II4Vr9Fcc8LCLl+I73qt9m0inxGBjhTWxwGsHyBdKW8C"
#define KEY_SK                                                                 \
	"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t"  \
	"AAAAIHJQiIb8h3+htAi1mtVOka64HlkBoMdsL/5E1Cl/9/dZAAAABHNzaDo="
#define KEY_RSA_2048                                                           \
	"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC8ZkLTvfCX5Z59BtXvqb/RQCicFCO9" \
	"auJC0zePHCpJgIkuXVaFGuj38Dqp+wU2/F60Wf7z/4HMQJcglgyfwAc8eYBKS/Kwk75E" \
	"r1tr7n8vhB9tUHQmbPIuQ040vI+hkjbERbshWT7RMwyTCzW5WYKzo8+366rxWI6CI2n8" \
	"6CLczCxI2WXUYrhMmQ6IJHbhFAawVDnV6Q8x4WdCcUID/TW0Rjx9/0upH/qpFtSOtBz9" \
	"kZd7aEktYiQcdFuVEUl0tm1Gmz5kN+XX+Th1zS0icdUweghb9w2lPcUcAElYjZENrktR" \
	"nEBImd7IeqgUyI9lIAVYijRQF8KR9jW6ZVMkguwl"

/* The file that works: pieces of it are replaced one by one. */
struct file {
	const char *alice, *bob, *carol; /* items of keys */
	const char *rules, *more, *revoked;
	int version;
};
static const struct file works = {
	.alice = "{ssh: " KEY_A "}",
	.bob = "{ssh: " KEY_SK ", validBefore: \"2027-01-01T00:00:00Z\"}",
	.carol = "{sshCertificateAuthority: " KEY_CA ", principals: [c, cc]}",
	.rules = "  - paths: [.reconcile/**]\n"
		 "    roles: [admins]\n"
		 "    threshold: 2\n"
		 "  - paths: [web/**, '*.yaml']\n"
		 "    people: [carol]\n"
		 "  - paths: [prod/**]\n"
		 "    roles: [admins]\n"
		 "    people: [carol]\n"
		 "    require: [Touch]\n",
	.more = "  carriers:\n"
		"  - name: forge\n"
		"    accept: [Merge]\n"
		"    keys: [{ssh: " KEY_C "}]\n"
		"  freshness: {maxAge: 48h}\n",
	.revoked = "    keys: []\n",
	.version = 1,
};

struct world {
	struct arena *arena;
	struct diags diags;
	struct verdict v;
	struct people *p;
	int r;
};

static void world_end(struct world *w)
{
	people_free(w->p);
	arena_free(w->arena);
}

static struct world read_bytes(const char *text, size_t len)
{
	struct world w = {.arena = arena_new((size_t)64 << 20)};
	struct manifest_input in = {
		.path = PEOPLE_PATH, .bytes = text, .len = len};

	diags_init(&w.diags, w.arena, 100);
	w.r = people_read(&in, w.arena, &w.diags, &w.p, &w.v);
	return w;
}

static struct world read_file(const struct file *f)
{
	static const char form[] = "apiVersion: reconcile/v1alpha1\n"
				   "kind: TrustPolicy\n"
				   "metadata: {name: trust}\n"
				   "spec:\n"
				   "  version: %d\n"
				   "  expires: \"2027-11-28T00:00:00Z\"\n"
				   "  people:\n"
				   "  - {name: alice, keys: [%s]}\n"
				   "  - {name: bob, keys: [%s]}\n"
				   "  - {name: carol, keys: [%s]}\n"
				   "  roles:\n"
				   "  - {name: admins, people: [alice, bob]}\n"
				   "  root: {roles: [admins], threshold: 2}\n"
				   "  rules:\n%s"
				   "%s"
				   "  revocations:\n"
				   "    asOf: \"2026-11-28T00:00:00Z\"\n%s";
	char text[16384];
	int n = snprintf(text, sizeof(text), form, f->version, f->alice, f->bob,
			 f->carol, f->rules, f->more, f->revoked);

	assert_in_range(n, 1, sizeof(text) - 1);
	return read_bytes(text, (size_t)n);
}

static struct world good(void)
{
	struct world w = read_file(&works);

	if (w.r < 0)
		fail_msg("%s", w.v.reason);
	assert_int_equal(w.diags.n, 0);
	return w;
}

/* Refused with this code and these words; n diagnostics. */
static void refused(const struct file *f, enum tcode code, const char *words,
		    size_t n)
{
	struct world w = read_file(f);

	if (w.r != ERR_TRUST || w.v.code != code ||
	    !strstr(w.v.reason, words) || w.diags.n_errors != n || w.p != NULL)
		fail_msg("want %s %s and %zu errors, have %d %s %s and %zu",
			 verdict_name(code), words, n, w.r,
			 verdict_name(w.v.code), w.v.reason, w.diags.n_errors);
	world_end(&w);
}

#endif
