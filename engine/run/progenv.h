/*
 * progenv.h - the environment of the program: that of process.env, each name
 * once (the last of it counts), HOME from the container's /etc/passwd where the
 * config has none, LISTEN_FDS of socket activation.
 *
 * Runs in the container, as its user.  Hostile: /etc/passwd (E24).
 */
#ifndef ENGINE_RUN_PROGENV_H
#define ENGINE_RUN_PROGENV_H

#include "engine/run/run.h"

#define PROGENV_PASSWD_MAX_BYTES (1u << 20)

/* Pure: the home of uid in the text of a passwd file; in the arena, NULL if
 * there is none that begins with '/'. */
const char *progenv_home(const char *text, size_t len, uint32_t uid,
			 struct arena *arena);
/* NULL terminated; in the arena. */
char **progenv_make(const struct run *r);

#endif
