/*
 * race.c - times whole commands against each other: each round runs every
 * command once, in turn, so that a machine whose speed drifts slows all of them
 * alike.  Prints one line a command: median, lower and upper quartile of the
 * wall time in microseconds, median of the processor time (with all that it
 * waited for), and the largest peak of resident memory of one process in KiB.
 *
 *   race ROUNDS COMMAND [ARG...] [-- COMMAND [ARG...]]...
 *
 * "@" inside a word becomes the round's number.  A part of a line may be a
 * sequence of commands, separated by "+": they are timed as one.  Standard
 * output of what is timed goes nowhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RACERS_MAX 16
#define ROUNDS_MAX 2000
#define WORDS_MAX 64
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

static int run_one(struct racer *r, int round, char *const *argv,
		   const posix_spawn_file_actions_t *quiet)
{
	struct rusage use;
	int status;
	pid_t pid;

	errno = posix_spawnp(&pid, argv[0], quiet, NULL, argv, environ);
	if (errno != 0) {
		perror(argv[0]);
		return -1;
	}
	while (wait4(pid, &status, 0, &use) < 0)
		if (errno != EINTR)
			return -1;
	r->cpu_us[round] += micro(use.ru_utime) + micro(use.ru_stime);
	if (use.ru_maxrss > r->peak_kib)
		r->peak_kib = use.ru_maxrss;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	(void)fprintf(stderr, "race: %s failed (%d)\n", argv[0], status);
	return -1;
}

static void fill(char *out, const char *word, int round)
{
	const char *at = strchr(word, '@');

	if (at == NULL)
		(void)snprintf(out, WORD_BYTES, "%s", word);
	else
		(void)snprintf(out, WORD_BYTES, "%.*s%d%s", (int)(at - word),
			       word, round, at + 1);
}

static int run_round(struct racer *r, int round,
		     const posix_spawn_file_actions_t *quiet)
{
	static char text[WORDS_MAX][WORD_BYTES];
	char *argv[WORDS_MAX + 1];
	long start;
	int i, n = 0;

	for (i = 0; i < r->n; i++)
		fill(text[i], r->words[i], round);
	r->cpu_us[round] = 0;
	start = now_us();
	for (i = 0; i <= r->n; i++) {
		if (i < r->n && strcmp(r->words[i], "+") != 0) {
			argv[n++] = text[i];
			continue;
		}
		argv[n] = NULL;
		n = 0;
		if (run_one(r, round, argv, quiet) < 0)
			return -1;
	}
	r->us[round] = now_us() - start;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t quiet;
	int rounds = argc > 2 ? atoi(argv[1]) : 0, n = 0, i, k;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	for (i = 2; i < argc && n < RACERS_MAX; i++) {
		racers[n].words = argv + i;
		while (i < argc && strcmp(argv[i], "--") != 0 &&
		       racers[n].n < WORDS_MAX) {
			racers[n].n++;
			i++;
		}
		n++;
	}
	(void)posix_spawn_file_actions_init(&quiet);
	(void)posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY,
					       0);
	for (i = 0; i < n; i++) /* warm, not counted */
		if (run_round(&racers[i], 0, &quiet) < 0)
			return 1;
	for (k = 0; k < rounds; k++)
		for (i = 0; i < n; i++)
			if (run_round(&racers[i], k, &quiet) < 0)
				return 1;
	for (i = 0; i < n; i++) {
		long *v = racers[i].us, *cpu = racers[i].cpu_us;

		qsort(v, (size_t)rounds, sizeof(*v), by_size);
		qsort(cpu, (size_t)rounds, sizeof(*cpu), by_size);
		(void)printf("%ld %ld %ld %ld %ld\n", v[rounds / 2],
			     v[rounds / 4], v[rounds * 3 / 4], cpu[rounds / 2],
			     racers[i].peak_kib);
	}
	return 0;
}
