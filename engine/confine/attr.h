/*
 * attr.h - how the kernel schedules a process and places its memory: process
 * .scheduler, .ioPriority, .execCPUAffinity, linux.memoryPolicy,
 * linux.personality, and limits that only the host may raise (runtime-spec,
 * config.md and config-linux.md).
 *
 * attr_check() runs before anything is made.  The functions with a pid run in
 * the engine on the host: a process in a user namespace may not raise itself.
 */
#ifndef ENGINE_CONFINE_ATTR_H
#define ENGINE_CONFINE_ATTR_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#include <sys/types.h>

#define ATTR_MASK_BITS 8192
#define ATTR_MASK_WORDS (ATTR_MASK_BITS / (8 * sizeof(unsigned long)))

struct attr_mask { /* of CPUs or memory nodes */
	unsigned long word[ATTR_MASK_WORDS];
	bool any;
};

/* "0-3,7"; NULL and "" are the empty mask.  ERR_INPUT; where is for the
 * message. */
int attr_mask_read(const char *list, const char *where, struct attr_mask *out,
		   struct err *err);

/* Pure: is all of it understood?   ERR_INPUT. */
int attr_check(const struct spec_process *p, const struct spec_linux *linux_,
	       struct err *err);
/* Scheduler, io priority, and hard limits above those that pid has. */
int attr_apply(pid_t pid, const struct spec_process *p, struct err *err);
/* CPUs of pid (0: ourselves); an empty list changes nothing. */
int attr_affinity(pid_t pid, const char *list, struct err *err);
/* For ourselves: personality and memory policy. */
int attr_self(const struct spec_linux *linux_, struct err *err);
/* Names for `features`; NULL past the end. */
const char *attr_memory_mode(size_t i);
const char *attr_memory_flag(size_t i);

#endif
