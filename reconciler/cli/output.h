/*
 * output.h - where a report goes: -o FORMAT[=PATH], which may repeat.
 */
#ifndef RECONCILER_CLI_OUTPUT_H
#define RECONCILER_CLI_OUTPUT_H

#include "reconciler/cli/cli.h"
#include "reconciler/report/format.h"

#define OUTPUT_MAX 32

struct output {
	struct {
		const struct format *format;
		const char *path; /* NULL: standard output */
	} items[OUTPUT_MAX];
	size_t n;
};

/* All --output of the command line; text to standard output if there is none.
 * ERR_INPUT when two would go to one place. */
int output_parse(const struct cli *cli, struct output *out, struct err *err);
/* Renders all, then writes all: each file appears whole or not at all.  What is
 * refused is said on standard error where no text goes to standard output. */
int output_write(struct cli *cli, const struct output *o,
		 const struct report *r, struct err *err);

#endif
