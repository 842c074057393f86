/*
 * test_client.c - the writer as a process: R01 (an acknowledged entry survives
 * SIGKILL at any moment), R05, K01 and what a hostile client gets.  PROGRAMS is
 * the folder of the built programs (tests/unit/run sets it).
 */
#include "tests/unit/audit/place.h"

#include "audit/audit.pb-c.h"
#include "audit/client.h"
#include "audit/show.h"
#include "lib/clock.h"
#include "lib/msg.h"
#include "lib/proc.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define KILLS 200

/* Where the writer is: found once, before any fork; a forked child must not
 * assert, or it would go on as a second test run. */
static char program_dir[4096];

static int find_programs(void **state)
{
	const char *given = getenv("PROGRAMS");
	char exe[2048] = "", path[4200];
	char *cut;

	(void)state;
	if (given) {
		(void)snprintf(program_dir, sizeof(program_dir), "%s", given);
	} else { /* BUILD/unit/audit/test_client -> BUILD/bin */
		if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
			return -1;
		cut = strstr(exe, "/unit/audit/");
		if (!cut)
			return -1;
		*cut = '\0';
		(void)snprintf(program_dir, sizeof(program_dir), "%s/bin", exe);
	}
	(void)snprintf(path, sizeof(path), "%s/reconcile-audit", program_dir);
	if (access(path, X_OK) == 0)
		return 0;
	print_error("no %s; set PROGRAMS\n", path);
	return -1;
}

static const char *programs(void)
{
	return program_dir;
}

static void log_dir(struct place *p, char out[80])
{
	(void)snprintf(out, 80, "%s/log.d", p->path);
}

static int open_client(struct place *p, struct audit_client **c, struct err *e)
{
	char dir[80];

	log_dir(p, dir);
	return audit_client_open(programs(), dir, p->key_path, ORIGIN, c, e);
}

static void verify_good(struct place *p, const char *dir,
			struct audit_verdict *v, bool with_key)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = {0};

	assert_true(fd >= 0);
	if (audit_verify_log(fd, with_key ? p->vkey : NULL, NULL, v, &e) != 0)
		assert_string_equal(e.msg, "");
	(void)close(fd);
}

static void append_and_checkpoint(void **state)
{
	const struct audit_event ev[2] = {
		{.type = "pod.start", .phase = AUDIT_INTENT, .change = "c1"},
		{.type = "pod.start", .phase = AUDIT_OUTCOME, .change = "c1"}};
	struct place *p = *state;
	struct audit_client *c = NULL;
	struct audit_verdict v = {0};
	struct err e = {0};
	uint64_t seq = 0;
	char dir[80], *note = NULL;

	log_dir(p, dir);
	assert_int_equal(open_client(p, &c, &e), 0);
	assert_int_equal(audit_client_append(c, ev, 2, &seq, &e), 0);
	assert_int_equal(seq, 3);
	assert_int_equal(audit_client_checkpoint(c, &note, &e), 0);
	assert_ptr_equal(strstr(note, ORIGIN "\n3\n"), note);
	free(note);
	assert_int_equal(audit_client_append(c, ev, 1, NULL, &e), 0);
	verify_good(p, dir, &v, true);
	assert_int_equal(v.entries, 4);
	assert_int_equal(v.signed_to, 3);
	audit_client_close(c); /* signs the last one */
	verify_good(p, dir, &v, true);
	assert_int_equal(v.signed_to, 4);
	assert_int_equal(open_client(p, &c, &e), 0);
	assert_int_equal(audit_client_append(c, ev, 1, &seq, &e), 0);
	assert_int_equal(seq, 5);
	audit_client_close(c);
	audit_client_close(NULL);
}

static void open_fails_with_the_reason(void **state)
{
	struct place *p = *state;
	struct audit_client *c = NULL, *second = NULL;
	struct err e = {0};
	char dir[80];

	log_dir(p, dir);
	assert_int_equal(audit_client_open("/nonexistent", dir, p->key_path,
					   ORIGIN, &c, &e),
			 ERR_AUDIT);
	assert_non_null(strstr(e.msg, "No such file or directory"));
	assert_int_equal(audit_client_open(programs(), dir, "/nonexistent",
					   ORIGIN, &c, &e),
			 ERR_AUDIT);
	assert_string_equal(e.msg, "open audit key /nonexistent: No such file "
				   "or directory");
	assert_int_equal(chmod(p->key_path, 0644), 0);
	assert_int_equal(open_client(p, &c, &e), ERR_AUDIT);
	assert_non_null(strstr(e.msg, "want a file of mode 0600, have 0644"));
	assert_int_equal(chmod(p->key_path, 0600), 0);
	assert_null(c);
	assert_int_equal(open_client(p, &c, &e), 0);
	assert_int_equal(open_client(p, &second, &e), ERR_AUDIT);
	assert_string_equal(e.msg, "audit log: lock: held by another process");
	audit_client_close(c);
}

static void bad_event_is_input_and_harmless(void **state)
{
	const struct audit_event bad = {.type = "NO"}, good = {.type = "ok"};
	struct place *p = *state;
	struct audit_client *c = NULL;
	struct err e = {0};
	uint64_t seq = 0;

	assert_int_equal(open_client(p, &c, &e), 0);
	assert_int_equal(audit_client_append(c, &bad, 1, &seq, &e), ERR_INPUT);
	assert_int_equal(audit_client_append(c, &good, 1, &seq, &e), 0);
	assert_int_equal(seq, 2);
	audit_client_close(c);
}

/* --- R01 ------------------------------------------------------------------ */

struct shared {
	volatile uint64_t acked; /* last acknowledged sequence number */
	volatile uint64_t mark;	 /* and what it said */
};

static void work(struct place *p, struct shared *s)
{
	struct audit_client *c = NULL;

	(void)setpgid(0, 0);
	if (open_client(p, &c, NULL) < 0)
		_exit(1);
	for (uint64_t i = s->mark + 1;; i++) {
		struct audit_event ev[3] = {
			{.type = "pod.start", .phase = AUDIT_INTENT},
			{.type = "pod.start", .phase = AUDIT_OUTCOME},
			{.type = "mark"}};
		uint64_t seq = 0;
		char mark[32];

		(void)snprintf(mark, sizeof(mark), "%llu",
			       (unsigned long long)i);
		ev[2].object = mark;
		if (audit_client_append(c, ev, 3, &seq, NULL) < 0)
			_exit(1);
		s->mark = i;
		__sync_synchronize();
		s->acked = seq;
		if (i % 7 == 0)
			(void)audit_client_checkpoint(c, NULL, NULL);
	}
}

static int is_mark(void *ctx, const struct audit_entry *entry, struct err *err)
{
	char mark[32], next[32];
	const struct shared *s = ctx;

	(void)err;
	(void)snprintf(mark, sizeof(mark), "%llu", (unsigned long long)s->mark);
	(void)snprintf(next, sizeof(next), "%llu",
		       (unsigned long long)s->mark - 1);
	/* killed between the two stores, mark is one ahead */
	assert_true(strcmp(entry->event.object, mark) == 0 ||
		    strcmp(entry->event.object, next) == 0);
	return 1;
}

static void check_after_kill(struct place *p, struct shared *s)
{
	struct audit_filter f = {.first = s->acked, .last = s->acked};
	struct audit_verdict v = {0};
	struct err e = {0};
	char dir[80];
	int fd;

	log_dir(p, dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		assert_int_equal(s->acked, 0);
		return;
	}
	if (faccessat(fd, AUDIT_FILE_LOG, F_OK, 0) == 0) {
		bool sealed =
			faccessat(fd, AUDIT_FILE_CHECKPOINT, F_OK, 0) == 0;

		verify_good(p, dir, &v, sealed);
	}
	assert_true(v.entries >= s->acked);
	if (s->acked > 0)
		assert_int_equal(audit_show(fd, &f, is_mark, s, &e), 1);
	(void)close(fd);
}

/* Client and writer die together at a random moment; the next pair goes on. */
static void R01_no_acknowledged_entry_is_lost(void **state)
{
	struct place *p = *state;
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int seed = 20261122;

	assert_ptr_not_equal(s, MAP_FAILED);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	for (int i = 0; i < KILLS; i++) {
		struct timespec pause = {0};
		pid_t pid = fork();

		if (pid == 0)
			work(p, s);
		(void)setpgid(pid, pid);
		seed = seed * 1103515245 + 12345;
		pause.tv_nsec = (long)(seed >> 8) % 24000000;
		(void)nanosleep(&pause, NULL);
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL);
		while (waitpid(-1, NULL, 0) > 0) /* the writer too */
			;
		check_after_kill(p, s);
	}
	print_message("# %llu entries acknowledged over %d kills\n",
		      (unsigned long long)s->acked, KILLS);
#if !defined(RECONCILE_SAN) /* whose writer takes longer to start */
	assert_true(s->acked > KILLS);
#endif
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	(void)munmap(s, sizeof(*s));
}

/* --- R05, through the processes ------------------------------------------- */

static void R05_full_disk_is_refused_and_recovers(void **state)
{
	const struct audit_event ev = {.type = "pod.start"};
	struct place *p = *state;
	struct audit_client *c = NULL;
	struct audit_verdict v = {0};
	struct err e = {0};
	uint64_t acked = 0;
	char dir[80], filler[96];
	int fd, r = 0;

	if (geteuid() != 0)
		return;
	log_dir(p, dir);
	(void)snprintf(filler, sizeof(filler), "%s/filler", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mount("tmpfs", dir, "tmpfs", 0, "size=1m"), 0);
	fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)fallocate(fd, 0, 0, 900 << 10);
	(void)close(fd);
	if (open_client(p, &c, &e) == 0)
		for (int i = 0; i < 10000 && r == 0; i++)
			r = audit_client_append(c, &ev, 1, &acked, &e);
	(void)unlink(filler);
	fd = audit_client_append(c, &ev, 1, &acked, &e);
	audit_client_close(c);
	verify_good(p, dir, &v, true);
	(void)umount2(dir, MNT_DETACH);
	assert_int_equal(r, ERR_AUDIT);
	assert_int_equal(fd, 0); /* there was room again */
	assert_int_equal(v.entries, acked);
}

static void R05_dead_writer_means_no(void **state)
{
	const struct audit_event ev = {.type = "pod.start"};
	struct place *p = *state;
	struct audit_client *c = NULL;
	struct err e = {0};
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) { /* its only child is the writer */
		char path[64], text[32] = "";
		FILE *f;

		if (open_client(p, &c, &e) < 0)
			_exit(2);
		(void)snprintf(path, sizeof(path),
			       "/proc/self/task/%d/children", getpid());
		f = fopen(path, "re");
		if (!f || !fgets(text, sizeof(text), f))
			_exit(3);
		(void)kill((pid_t)strtol(text, NULL, 10), SIGKILL);
		for (int i = 0; i < 3; i++)
			if (audit_client_append(c, &ev, 1, NULL, &e) !=
			    ERR_AUDIT)
				_exit(4);
		if (!strstr(e.msg, "not usable since an error"))
			_exit(5);
		audit_client_close(c);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- a hostile client ------------------------------------------------------
 */

static int talk(struct place *p, uint16_t type, const void *bytes, size_t len)
{
	char dir[80];
	const char *args[] = {"--dir",	  dir,	  "--key", p->key_path,
			      "--origin", ORIGIN, NULL};
	struct err e = {0};
	struct proc proc;
	struct msg m;
	int sock = -1, status = -1;

	log_dir(p, dir);
	assert_int_equal(proc_sibling(programs(), "reconcile-audit", args,
				      &proc, &sock, &e),
			 0);
	msg_init(&m, 10000);
	assert_int_equal(msg_recv(sock, &m, 10000, &e), 0);
	assert_int_equal(m.type, AUDIT__FRAME__FRAME_READY);
	assert_int_equal(msg_send(sock, type, bytes, len, NULL, 0, &e), 0);
	if (msg_recv(sock, &m, 10000, &e) == 0)
		status = 1000 + m.type;
	(void)close(sock);
	msg_release(&m);
	if (status == -1)
		assert_int_equal(proc_wait(&proc, 10000, &status, &e), 0);
	else
		proc_kill(&proc);
	return status;
}

static void K01_forbidden_frames_end_the_writer(void **state)
{
	static const uint16_t forbidden[] = {0, AUDIT__FRAME__FRAME_READY,
					     AUDIT__FRAME__FRAME_ACK, 23,
					     65535};
	struct place *p = *state;
	char dir[80];

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		assert_int_equal(talk(p, forbidden[i], "", 0),
				 err_exit_status(ERR_PROTO));
	/* a batch that is no message ends it, an empty one is refused */
	assert_int_equal(talk(p, AUDIT__FRAME__FRAME_APPEND, "\xff\xff", 2),
			 err_exit_status(ERR_PROTO));
	assert_int_equal(talk(p, AUDIT__FRAME__FRAME_APPEND, "", 0),
			 1000 + AUDIT__FRAME__FRAME_ERROR);
	/* phase 9: an enum value that we do not know */
	assert_int_equal(talk(p, AUDIT__FRAME__FRAME_APPEND,
			      "\x0a\x05\x0a\x01"
			      "a\x10\x09",
			      7),
			 1000 + AUDIT__FRAME__FRAME_ERROR);
	struct audit_verdict v = {0};

	log_dir(p, dir);
	verify_good(p, dir, &v, false);
	assert_int_equal(v.entries, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(append_and_checkpoint),
		PLACE_TEST(open_fails_with_the_reason),
		PLACE_TEST(bad_event_is_input_and_harmless),
		PLACE_TEST(R01_no_acknowledged_entry_is_lost),
		PLACE_TEST(R05_full_disk_is_refused_and_recovers),
		PLACE_TEST(R05_dead_writer_means_no),
		PLACE_TEST(K01_forbidden_frames_end_the_writer),
	};

	return cmocka_run_group_tests(tests, find_programs, NULL);
}
