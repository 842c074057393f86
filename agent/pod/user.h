/*
 * user.h - which ids a container runs with.
 *
 * The image says USER as "name", "id", "name:group" and so on; names are
 * looked up in the image's own /etc/passwd and /etc/group, which are hostile
 * (threats E24, E26): read only when they are regular files of at most 1 MiB,
 * never through a link, by an own strict parser (no getpwnam: E08).
 */
#ifndef AGENT_POD_USER_H
#define AGENT_POD_USER_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USER_FILE_BYTES_MAX (1u << 20)
#define USER_GROUPS_MAX 64
#define USER_ID_MAX 65535 /* what a pod's range has */

struct user_ids {
	uint32_t uid, gid;
	uint32_t groups[USER_GROUPS_MAX]; /* of the user in /etc/group */
	size_t n_groups;
	const char *home; /* NULL, or borrowed from the text: not NUL
			   * terminated at home_len */
	size_t home_len;
};

/* Pure.  user: the image's text ("" is root); passwd and group may be empty.
 * ERR_INPUT: malformed, or a name or id that is not there or out of range. */
int user_parse(const char *user, const struct buf *passwd,
	       const struct buf *group, struct user_ids *out, struct err *err);
/* Appends /etc/NAME of the topmost layer that has it; *out stays empty when
 * none has it.  layers: absolute folders, topmost first. */
int user_file(const char *const *layers, size_t n_layers, const char *name,
	      struct buf *out, struct err *err);

#endif
