/*
 * sqv_fake.c - stands in the place of /usr/bin/sqv and does what it must not;
 * which, is the last line of the file itself, because it is given neither
 * arguments nor an environment.  Ends with 0 and nothing printed when the act
 * works, with 50 + errno when it is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FINGERPRINT "0123456789ABCDEF0123456789ABCDEF01234567"

static const struct {
	const char *name, *text;
} says[] = {
	{"nothing", ""},
	{"good", FINGERPRINT "\n"},
	{"twice", FINGERPRINT "\n" FINGERPRINT "\n"},
	{"no-newline", FINGERPRINT},
	{"lower", "0123456789abcdef0123456789abcdef01234567\n"},
	{"long", "0" FINGERPRINT "\n"},
	{"space", FINGERPRINT " \n"},
	{"before", "\n" FINGERPRINT "\n"},
	{"status", "[GNUPG:] VALIDSIG " FINGERPRINT "\n"},
	{"tail", FINGERPRINT "\nx"},
};

static int done(long r)
{
	return r >= 0 ? 0 : 50 + errno;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int flood(void)
{
	char text[1000];

	memset(text, 'A', sizeof(text));
	for (int i = 0; i < 100; i++)
		if (write(1, text, sizeof(text)) < 0)
			return 1;
	return 0;
}

static int act(const char *what, char **argv, char **envp)
{
	char *none[] = {NULL};

	if (strcmp(what, "fork") == 0)
		return done(fork());
	if (strcmp(what, "socket") == 0)
		return done(socket(AF_INET, SOCK_STREAM, 0));
	if (strcmp(what, "read") == 0)
		return done(open("/etc/passwd", O_RDONLY));
	if (strcmp(what, "write") == 0)
		return done(open("/tmp/x", O_WRONLY | O_CREAT, 0600));
	if (strcmp(what, "exec") == 0)
		return done(execve("/bin/true", none, none));
	if (strcmp(what, "kill") == 0)
		return done(kill(getppid(), SIGTERM));
	if (strcmp(what, "ptrace") == 0)
		return done(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	if (strcmp(what, "memfd") == 0)
		return done(memfd_create("x", 0));
	if (strcmp(what, "change") == 0)
		return mmap(NULL, 1, PROT_WRITE, MAP_SHARED, 3, 0) == MAP_FAILED
			       ? 50 + errno
			       : 0;
	if (strcmp(what, "memory") == 0)
		return mmap(NULL, (size_t)2 << 30, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
			       ? 50 + errno
			       : 0;
	if (strcmp(what, "spin") == 0)
		for (;;)
			;
	if (strcmp(what, "sleep") == 0) {
		(void)close(1);
		for (;;)
			(void)sleep(1000);
	}
	if (strcmp(what, "sleep-open") == 0)
		for (;;)
			(void)sleep(1000);
	if (strcmp(what, "flood") == 0)
		return flood();
	if (strcmp(what, "given") == 0) /* 0, 1, 2, two files, one keyring */
		return open_fds() == 6 && envp[0] == NULL &&
				       strcmp(argv[1], "--keyring") == 0
			       ? 0
			       : 49;
	return 48;
}

int main(int argc, char **argv, char **envp)
{
	int fd = open("/usr/bin/sqv", O_RDONLY | O_CLOEXEC);
	char line[32] = "";
	char *what;

	(void)argc;
	if (fd < 0 || lseek(fd, -31, SEEK_END) < 0 || read(fd, line, 31) != 31)
		return 47;
	(void)close(fd);
	what = strrchr(line, ' ') + 1;
	what[strcspn(what, "\n")] = '\0';
	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		if (strcmp(what, says[i].name) == 0) {
			(void)!write(1, says[i].text, strlen(says[i].text));
			return 0;
		}
	if (strcmp(what, "good-but-1") == 0) {
		(void)!write(1, FINGERPRINT "\n", 41);
		return 1;
	}
	if (strcmp(what, "good-but-killed") == 0) {
		(void)!write(1, FINGERPRINT "\n", 41);
		for (;;)
			(void)raise(SIGKILL);
	}
	return act(what, argv, envp);
}
