/*
 * sweep_act.c - the commands of reconcile-engine that sweep.c goes through,
 * what each starts from, and what must hold after it, whatever failed:
 *
 *   (1) it ends within its time;
 *   (2) it says why, with a status that is not 0; or it works, and then the
 *       call is one of those below that may fail;
 *   (3) `create` that failed has left nothing;
 *   (4) `delete --force` works then and leaves nothing: no process, no cgroup,
 *       no mount, no file; nor does it take anything from another container.
 */
#include "tests/fault/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ID "swept"
#define PATIENCE_MS 5000

static const struct act acts[] = {
	{.name = "create",
	 .words = {"create", "--bundle", "@", "--pid-file", "%", ID},
	 .leaves = true},
	{.name = "run",
	 .words = {"run", "--bundle", "@", ID},
	 .ends_alone = true},
	{.name = "start",
	 .words = {"start", ID},
	 .from = CREATED,
	 .with_init = true},
	{.name = "exec", .words = {"exec", ID, "/bin/true"}, .from = RUNNING},
	{.name = "kill", .words = {"kill", ID, "CONT"}, .from = RUNNING},
	{.name = "kill-all",
	 .words = {"kill", "--all", ID, "CONT"},
	 .from = RUNNING},
	{.name = "pause", .words = {"pause", ID}, .from = RUNNING},
	{.name = "resume", .words = {"resume", ID}, .from = PAUSED},
	{.name = "update",
	 .words = {"update", "--pids-limit", "50", ID},
	 .from = RUNNING},
	{.name = "state", .words = {"state", ID}, .from = RUNNING},
	{.name = "ps", .words = {"ps", ID}, .from = RUNNING},
	{.name = "list", .words = {"list"}, .from = RUNNING},
	{.name = "delete",
	 .words = {"delete", "--force", ID},
	 .from = CREATED,
	 .ends_alone = true},
};

static int complain(struct sweep *s, const struct trial *t, const char *what)
{
	char *call =
		seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)t->nr);
	size_t len = strcspn(t->text, "\n");

	s->bad++;
	(void)printf("%s: process %zu, call %lu, %s(%s) %s: %s: status %#x "
		     "\"%.*s\"\n",
		     s->act->name, t->who, t->ordinal, call, t->subject,
		     t->how == FAIL	  ? strerrorname_np(t->error)
		     : t->how == KILL_ONE ? "killed"
					  : "all killed",
		     what, (unsigned int)t->status, (int)len, t->text);
	free(call);
	return -1;
}

/* --- the engine without faults ----------------------------------------------
 */

static void fill(struct sweep *s, const char *const *words, char **argv)
{
	size_t i;

	argv[0] = (char *)s->engine;
	argv[1] = (char *)"--root";
	argv[2] = (char *)s->state;
	for (i = 0; words[i] != NULL; i++)
		argv[3 + i] = strcmp(words[i], "@") == 0   ? (char *)s->bundle
			      : strcmp(words[i], "%") == 0 ? s->pid_file
							   : (char *)words[i];
	argv[3 + i] = NULL;
}

static int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static int engine(struct sweep *s, const char *const *words)
{
	char *argv[ARGS_MAX + 4];
	pid_t pid;

	fill(s, words, argv);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	return wait_status(pid);
}

static const char *const create_words[] = {
	"create", "--bundle", "@", "--pid-file", "%", ID, NULL};
static const char *const start_words[] = {"start", ID, NULL};
static const char *const pause_words[] = {"pause", ID, NULL};
static const char *const resume_words[] = {"resume", ID, NULL};
static const char *const delete_words[] = {"delete", "--force", ID, NULL};

static void nap(void)
{
	const struct timespec t = {.tv_nsec = 1000000};

	(void)nanosleep(&t, NULL);
}

/* --- what is there
 * ------------------------------------------------------------ */

static pid_t read_pid(const struct sweep *s)
{
	FILE *f = fopen(s->pid_file, "re");
	long pid = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%ld", &pid) != 1)
		pid = 0;
	(void)fclose(f);
	return (pid_t)pid;
}

/* All that the engine started and nobody waited for are our children. */
static pid_t stray(const struct sweep *s)
{
	char path[64];
	long pid;
	FILE *f;
	pid_t found = 0;

	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children",
		       getpid());
	f = fopen(path, "re");
	while (f != NULL && fscanf(f, "%ld", &pid) == 1)
		if (pid != s->init)
			found = (pid_t)pid;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static bool has_file(const struct sweep *s)
{
	DIR *d = opendir(s->state);
	const struct dirent *e;
	bool found = false;

	/* compiled filters stay for the next start */
	while (d != NULL && (e = readdir(d)) != NULL)
		found = found || (e->d_name[0] != '.' ||
				  (strcmp(e->d_name, ".") != 0 &&
				   strcmp(e->d_name, "..") != 0 &&
				   (strncmp(e->d_name, ".filter-", 8) != 0 ||
				    strlen(e->d_name) != 10)));
	if (d != NULL)
		(void)closedir(d);
	return found || access(s->pid_file, F_OK) == 0;
}

static bool has_cgroup(const struct sweep *s)
{
	char pattern[4096];
	glob_t found;

	(void)snprintf(pattern, sizeof(pattern), "/sys/fs/cgroup{,/*}/%s",
		       s->cgroup);
	if (glob(pattern, GLOB_NOSORT | GLOB_BRACE, NULL, &found) != 0)
		return false;
	globfree(&found);
	return true;
}

static bool has_mount(const struct sweep *s)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[8192];
	bool any = false;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		any = any || strstr(line, s->bundle) != NULL;
	if (f != NULL)
		(void)fclose(f);
	return any;
}

static const char *remains(const struct sweep *s)
{
	const char *what = "?";

	for (int i = 0; i < PATIENCE_MS && what != NULL; i++) {
		what = stray(s) > 0    ? "a process remains"
		       : s->init > 0   ? NULL
		       : has_file(s)   ? "a file remains"
		       : has_cgroup(s) ? "a cgroup remains"
		       : has_mount(s)  ? "a mount remains"
				       : NULL;
		if (what != NULL)
			nap();
	}
	return what;
}

/* --- before
 * --------------------------------------------------------------------- */

int sweep_act_init(struct sweep *s, const char *name)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, name) == 0)
			s->act = &acts[i];
	if (s->act == NULL)
		return -1;
	(void)snprintf(s->pid_file, sizeof(s->pid_file), "%s.pid", s->state);
	fill(s, s->act->words, s->argv);
	return 0;
}

/* What runs already stays for the next trial. */
int sweep_act_before(struct sweep *s)
{
	if (s->act->from == FRESH)
		return 0;
	if (s->init == 0) {
		if (engine(s, create_words) != 0)
			return -1;
		s->init = read_pid(s);
		if (s->act->from >= RUNNING && engine(s, start_words) != 0)
			return -1;
	}
	if (s->act->from == PAUSED && engine(s, pause_words) != 0)
		return -1;
	return s->init > 0 ? 0 : -1;
}

/* --- after
 * ---------------------------------------------------------------------- */

#define ANY (-1)
#define LATE "the first process ends, as `start` will say"
#define PARENT "the next container takes the empty parent away"

/* Calls whose failure changes nothing that anybody relies on. */
static const struct {
	const char *act; /* pattern of acts */
	long nr;
	const char *subject, *why; /* pattern of what it is about */
} tolerated[] = {
	{"*", SYS_close, "*", "it is closed all the same"},
	{"*", SYS_munmap, "*", "the process ends soon"},
	{"*", SYS_mmap, "", "malloc has another way"},
	{"*", SYS_brk, "", "malloc has another way"},
	{"*", SYS_madvise, "", "memory is only given back"},
	{"*", SYS_poll, "", "libc's own start; or what is waited for is read"},
	{"*", SYS_fcntl, "*", "O_CLOEXEC once more, by opendir(), fdopen()"},
	{"*", SYS_ioctl, "/dev/null", "is standard output a terminal"},
	{"*", SYS_writev, "", "written again, by stdio"},
	{"*", SYS_stat, "", "the next folder of PATH; no compiled filter"},
	{"*", SYS_fstat, "*/state", "no compiled filter is kept"},
	{"*", SYS_fstat, "*/.filter-*", "compiled again"},
	{"*", SYS_openat, ".filter-*", "compiled again"},
	{"*", SYS_read, "*/.filter-*", "compiled again"},
	{"*", SYS_fstat, "*/reconcile-engine", "executed again"},
	{"*", SYS_fstatfs, "*/reconcile-engine", "executed again"},
	{"*", SYS_read, "*/?id_map", "its end; executed again"},
	{"*", SYS_openat2, "/etc/passwd", "HOME is / then"},
	{"*", SYS_openat, "/", "HOME is / then"},
	{"*", SYS_read, "pipe:*", "a hook's words"},
	{"*", SYS_chdir, "", "a hook starts in / then"},
	{"*", SYS_read, "*/cpuset*", "its end; filled again"},
	{"*", SYS_openat, "cpuset.*", "filled again"},
	{"*", SYS_openat, "cgroup.freeze", "looks whether it is paused"},
	{"*", SYS_faccessat, "cgroup.freeze", "looks whether it is paused"},
	{"*", SYS_read, "*/cgroup.freeze", "looks whether it is paused"},
	{"*", SYS_openat2, "/", "tried again, as the user"},
	{"*", SYS_fchdir, "", "tried again, as the user"},
	{"*", SYS_getcwd, "", "tried again, as the user"},
	{"s*", SYS_openat, "/sys/fs/cgroup", "looks whether it is paused"},
	{"s*", SYS_openat2, "*/reconcile-*", "looks whether it is paused"},
	{"state", SYS_fstat, "*/state/*", "the owner is not told"},
	{"*", SYS_setgroups, "", "set again, with the user"},
	{"*", SYS_openat, "*/rootfs", "hooks do not find the root by its path"},
	{"exec", SYS_read, "anon_inode:*", "a signal is passed on later"},
	{"run", SYS_read, "anon_inode:*", "a signal is passed on later"},
	{"*", SYS_setsid, "", "EPERM: a leader already"},
	{"create", SYS_accept4, "", LATE},
	{"create", SYS_recvmsg, "", LATE},
	{"create", SYS_dup3, "", LATE},
	{"create", SYS_close_range, "", LATE},
	{"*", SYS_keyctl, "", "EPERM: the kernel offers none here"},
	{"*", SYS_access, "", "the next folder of PATH; a link is left out"},
	{"*", SYS_openat2, "/tmp", "the mode is the file system's own"},
	{"*", SYS_fstat, "*/rootfs/tmp", "the mode is the file system's own"},
	{"*", SYS_fstat, "/tmp", "the mode is the file system's own"},
	{"kill-all", SYS_pidfd_open, "", "it has gone"},
	{"kill-all", SYS_pidfd_send_signal, "", "it has gone"},
	{"run", SYS_openat, "cgroup.events", "looked at again"},
	{"run", SYS_read, "*/cgroup.events", "looked at again"},
	{"[dr]*", SYS_unlinkat, "start.sock", "the folder goes as a tree then"},
	{"[dr]*", SYS_unlinkat, "*.json", "the folder goes as a tree then"},
	{"[dr]*", SYS_unlinkat, ID, "the folder goes as a tree then"},
	{"ps", SYS_execve, "", "the next folder"},
	{"ps", SYS_open, "", "of a process that has gone"},
	{"ps", SYS_readv, "", "of a process that has gone"},
	{"ps", SYS_read, "/proc/*", "of a process that has gone"},
	{"list", ANY, "*", "one that cannot be read is left out"},
	{"start", SYS_unlinkat, "start.sock", "it runs all the same"},
	{"resume", SYS_openat, "cgroup.events", "written again"},
	{"resume", SYS_read, "*/cgroup.events", "written again"},
	{"*", SYS_openat, "freezer.state", "looks whether it is paused"},
	{"*", SYS_read, "*/freezer.state", "looks whether it is paused"},
	{"delete", SYS_write, "*/freezer.state", "it was not frozen"},
	{"delete", SYS_write, "*/cgroup.freeze", "it was not frozen"},
	{"[drs]*", SYS_openat, "config.json", "no hooks, no annotations"},
	{"[drs]*", SYS_fstat, "*/config.json", "no hooks, no annotations"},
	{"[drs]*", SYS_read, "*/config.json", "no hooks, no annotations"},
	{"delete", SYS_openat, "cgroup.*", "killed by pid; then looked again"},
	{"delete", SYS_write, "*/cgroup.kill", "killed by pid"},
	{"delete", SYS_read, "*/cgroup.*", "looked at again"},
	{"delete", SYS_openat, ".", "looked at again"},
	{"delete", SYS_fstat, "/sys/fs/cgroup/*", "looked at again"},
	{"delete", SYS_getdents64, "/sys/fs/cgroup/*", "looked at again"},
	{"delete", SYS_nanosleep, "", "does not wait"},
	{"delete", SYS_pidfd_send_signal, "", "the group is killed too"},
	{"*", SYS_unlinkat, "reconcile-*", PARENT},
	{"*", SYS_openat, ".cgroup:*", PARENT},
	{"*", SYS_unlinkat, ".cgroup:*", PARENT},
	{"*", SYS_flock, "*/.cgroup:*", PARENT},
	{"*", SYS_pread64, "*/.cgroup:*", PARENT},
	{"*", SYS_fstat, "*/.cgroup:*", PARENT},
};

static const char *is_tolerated(const struct sweep *s, const struct trial *t)
{
	/* hooks after the fact */
	if (strstr(t->text, "level=warning msg=\"error running post") != NULL)
		return "a warning";
	for (size_t i = 0; i < sizeof(tolerated) / sizeof(tolerated[0]); i++)
		if ((tolerated[i].nr == t->nr || tolerated[i].nr == ANY) &&
		    fnmatch(tolerated[i].act, s->act->name, 0) == 0 &&
		    fnmatch(tolerated[i].subject, t->subject, 0) == 0)
			return tolerated[i].why;
	return NULL;
}

static bool died(const struct trial *t)
{
	return WIFSIGNALED(t->status);
}

static void judge_end(struct sweep *s, const struct trial *t)
{
	s->trials++;
	if (t->hung)
		(void)complain(s, t, "it hangs");
	else if (t->how != FAIL || died(t))
		s->killed++;
	else if (WEXITSTATUS(t->status) == 0)
		s->went_on++;
	else
		s->failed++;
	if (t->how != FAIL || died(t) || t->hung)
		return;
	if (WEXITSTATUS(t->status) == 0 && is_tolerated(s, t) == NULL)
		(void)complain(s, t, "went on");
	if (WEXITSTATUS(t->status) != 0 &&
	    strstr(t->text, "reconcile-engine: ") == NULL &&
	    t->nr != SYS_writev) /* of the message itself */
		(void)complain(s, t, "says nothing");
}

static void delete_all(struct sweep *s, const struct trial *t)
{
	const char *what, *why = is_tolerated(s, t);

	if (engine(s, delete_words) != 0)
		(void)complain(s, t, "delete --force fails");
	(void)unlink(s->pid_file);
	s->init = 0;
	if (why != NULL && strcmp(why, PARENT) == 0) {
		(void)engine(s, create_words);
		(void)engine(s, delete_words);
		(void)unlink(s->pid_file);
	}
	what = remains(s);
	if (what != NULL)
		(void)complain(s, t, what);
}

static void judge_rest(struct sweep *s, const struct trial *t)
{
	bool failed = t->hit && t->how == FAIL && !died(t) && t->status != 0;
	const char *what = NULL;

	if (s->act->from >= RUNNING && !s->act->ends_alone) {
		if (s->act->from == PAUSED ||
		    strcmp(s->act->name, "pause") == 0)
			(void)engine(s, resume_words);
		what = remains(s);
		if (kill(s->init, 0) < 0)
			what = "the container is gone";
		if (what != NULL)
			(void)complain(s, t, what);
		return;
	}
	if (failed && s->act->leaves) {
		what = remains(s);
		if (what != NULL)
			(void)complain(s, t, what);
	}
	delete_all(s, t);
}

void sweep_act_after(struct sweep *s, const struct trial *t)
{
	if (t->hit) {
		judge_end(s, t);
		if (s->verbose)
			(void)complain(s, t, "trial"), s->bad--;
	}
	judge_rest(s, t);
}

void sweep_act_end(struct sweep *s)
{
	const struct trial none = {.hit = false};

	if (s->init > 0)
		delete_all(s, &none);
}
