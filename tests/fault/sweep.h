/*
 * sweep.h - one trial of sweep.c (a command with one fault in it), and what
 * sweep_act.c knows of the commands: how each is prepared and judged.
 */
#ifndef TESTS_FAULT_SWEEP_H
#define TESTS_FAULT_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESSES_MAX 32
#define CALLS_MAX 4096
#define ARGS_MAX 16

enum how { FAIL, KILL_ONE, KILL_ALL };

struct process {
	pid_t pid;
	unsigned long calls, rdi;
	bool traced, failing;
};

/* The calls of a trial without a fault, as they ended. */
struct log {
	unsigned long n[PROCESSES_MAX];
	long result[PROCESSES_MAX][CALLS_MAX];
};

struct trial {
	enum how how;
	size_t who;
	unsigned long ordinal;
	int error;
	struct log *log; /* filled, if given */
	/* out */
	bool begun, hit, ended, hung;
	int status; /* of waitpid */
	long nr;    /* the call that was hit, and its file */
	char subject[256];
	char text[1024];
	size_t n;
	struct process p[PROCESSES_MAX];
};

struct sweep;

struct act {
	const char *name;
	const char *words[ARGS_MAX]; /* "@" the bundle, "%" the pid file */
	enum { FRESH, CREATED, RUNNING, PAUSED } from;
	bool with_init;	 /* the first process is followed too */
	bool ends_alone; /* afterwards there is nothing: run, delete */
	bool leaves;	 /* what fails leaves nothing, before any delete */
};

struct sweep {
	const char *engine, *state, *bundle, *cgroup;
	const struct act *act;
	char *argv[ARGS_MAX + 4];
	char pid_file[4096];
	bool kill, all, verbose;
	unsigned long every, seed;
	pid_t init; /* first process of the container, 0: none */
	unsigned long trials, failed, killed, went_on, bad;
};

/* Runs argv with the trial's fault; `also` is followed as process 1. */
int sweep_trial(struct trial *t, char *const *argv, pid_t also);

int sweep_act_init(struct sweep *s, const char *name);
/* Makes what the act starts from. */
int sweep_act_before(struct sweep *s);
/* Judges, cleans up, judges what is left. */
void sweep_act_after(struct sweep *s, const struct trial *t);
void sweep_act_end(struct sweep *s);

#endif
