/*
 * race.c - times whole commands against each other: each round runs every
 * command once, in turn, so that a machine whose speed drifts slows all of them
 * alike.  Prints one line a command: median, lower and upper quartile of the
 * wall time in microseconds, median of the processor time (with all that it
 * waited for), and the largest peak of resident memory of one process in KiB.
 *
 *   race [-j N] ROUNDS COMMAND [ARG...] [-- COMMAND [ARG...]]...
 *
 * "@" inside a word becomes a number that no other run has.  What is timed may
 * be a sequence of commands, separated by "+".  -j starts N of a command at
 * once and times until the last has ended.  Standard output of what is timed
 * goes nowhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RACERS_MAX 16
#define ROUNDS_MAX 2000
#define WORDS_MAX 96
#define WORD_BYTES 512

struct racer {
	char **words;
	int n;
	long us[ROUNDS_MAX], cpu_us[ROUNDS_MAX];
	long peak_kib;
};

static struct racer racers[RACERS_MAX];

static long now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static long micro(struct timeval t)
{
	return t.tv_sec * 1000000L + t.tv_usec;
}

static int start(char *const *argv, const posix_spawn_file_actions_t *quiet)
{
	pid_t pid;

	errno = posix_spawnp(&pid, argv[0], quiet, NULL, argv, environ);
	if (errno == 0)
		return 0;
	perror(argv[0]);
	return -1;
}

/* Waits for n children, whichever they are. */
static int reap(struct racer *r, int round, int n, const char *name)
{
	struct rusage use;
	int status, bad = 0;

	while (n > 0) {
		if (wait4(-1, &status, 0, &use) < 0) {
			if (errno != EINTR)
				return -1;
			continue;
		}
		n--;
		r->cpu_us[round] += micro(use.ru_utime) + micro(use.ru_stime);
		if (use.ru_maxrss > r->peak_kib)
			r->peak_kib = use.ru_maxrss;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			bad++;
	}
	if (bad > 0)
		(void)fprintf(stderr, "race: %d of %s failed\n", bad, name);
	return bad > 0 ? -1 : 0;
}

static void fill(char *out, const char *word, int number)
{
	const char *at = strchr(word, '@');

	if (at == NULL)
		(void)snprintf(out, WORD_BYTES, "%s", word);
	else
		(void)snprintf(out, WORD_BYTES, "%.*s%d%s", (int)(at - word),
			       word, number, at + 1);
}

/* words[from..to), jobs times at once. */
static int run_words(struct racer *r, int round, int from, int to, int jobs,
		     const posix_spawn_file_actions_t *quiet)
{
	static char text[WORDS_MAX][WORD_BYTES];
	char *argv[WORDS_MAX + 1];
	int i, job, n;

	for (job = 0; job < jobs; job++) {
		for (i = from, n = 0; i < to; i++, n++) {
			fill(text[n], r->words[i], round * jobs + job);
			argv[n] = text[n];
		}
		argv[n] = NULL;
		if (n == 0 || start(argv, quiet) < 0)
			return -1;
	}
	return reap(r, round, jobs, argv[0]);
}

static int run_round(struct racer *r, int round, int jobs,
		     const posix_spawn_file_actions_t *quiet)
{
	long from_us;
	int i, from = 0;

	r->cpu_us[round] = 0;
	from_us = now_us();
	for (i = 0; i <= r->n; i++) {
		if (i < r->n && strcmp(r->words[i], "+") != 0)
			continue;
		if (run_words(r, round, from, i, jobs, quiet) < 0)
			return -1;
		from = i + 1;
	}
	r->us[round] = now_us() - from_us;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static int gather(int argc, char **argv, int i)
{
	int n = 0;

	for (; i < argc && n < RACERS_MAX; i++) {
		racers[n].words = argv + i;
		while (i < argc && strcmp(argv[i], "--") != 0 &&
		       racers[n].n < WORDS_MAX) {
			racers[n].n++;
			i++;
		}
		n++;
	}
	return n;
}

static void print(struct racer *r, int rounds)
{
	qsort(r->us, (size_t)rounds, sizeof(r->us[0]), by_size);
	qsort(r->cpu_us, (size_t)rounds, sizeof(r->cpu_us[0]), by_size);
	(void)printf("%ld %ld %ld %ld %ld\n", r->us[rounds / 2],
		     r->us[rounds / 4], r->us[rounds * 3 / 4],
		     r->cpu_us[rounds / 2], r->peak_kib);
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t quiet;
	int jobs = 1, at = 1, rounds, n, i, k;

	if (argc > 3 && strcmp(argv[1], "-j") == 0) {
		jobs = atoi(argv[2]);
		at = 3;
	}
	rounds = argc > at + 1 ? atoi(argv[at]) : 0;
	if (rounds < 1 || rounds >= ROUNDS_MAX || jobs < 1)
		return 2;
	n = gather(argc, argv, at + 1);
	(void)posix_spawn_file_actions_init(&quiet);
	/* not /dev/null: crun 1.8 gives it away to the container's user */
	(void)posix_spawn_file_actions_adddup2(
		&quiet, memfd_create("out", MFD_CLOEXEC), 1);
	(void)posix_spawn_file_actions_adddup2(
		&quiet, memfd_create("in", MFD_CLOEXEC), 0);
	for (i = 0; i < n; i++) { /* warm, not counted */
		if (run_round(&racers[i], rounds, 1, &quiet) < 0)
			return 1;
		racers[i].peak_kib = 0;
	}
	for (k = 0; k < rounds; k++)
		for (i = 0; i < n; i++)
			if (run_round(&racers[i], k, jobs, &quiet) < 0)
				return 1;
	for (i = 0; i < n; i++)
		print(&racers[i], rounds);
	return 0;
}
