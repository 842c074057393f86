/*
 * channel_tool.h - one test program with the parts that the channel's suites
 * play against it: a certificate authority, a manager program, an agent.
 */
#ifndef TESTS_TOOLS_CHANNEL_TOOL_H
#define TESTS_TOOLS_CHANNEL_TOOL_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdint.h>

int channel_ca(int argc, char **argv, struct err *err);
int channel_server(int argc, char **argv, struct err *err);
int channel_crl(int argc, char **argv, struct err *err);
int channel_issue(int argc, char **argv, struct err *err);
int channel_token(int argc, char **argv, struct err *err);
int channel_frame(int argc, char **argv, struct err *err);
int channel_core(int argc, char **argv, struct err *err);
int channel_agent(int argc, char **argv, struct err *err);
int channel_flood(int argc, char **argv, struct err *err);
int channel_latency(int argc, char **argv, struct err *err);

int64_t channel_tool_number(const char *text);
int channel_tool_dir(const char *path);
/* Appends the packed payload of a frame made of words, e.g. hello 7, report 7 1
 * 20.  Returns its type, 0 when the words are unknown. */
uint16_t channel_tool_payload(int n, char **words, struct buf *out);
/* Splits a line in place; returns the number of words. */
int channel_tool_words(char *line, char **words, int max);

#endif
