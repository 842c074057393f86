/*
 * source.c - see source.h.
 */
#include "reconciler/fetch/source.h"
#include "lib/file.h"
#include "lib/text.h"
#include "reconciler/fetch/url.h"

#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REF_BYTES 1024
#define PACKED_REFS_BYTES ((size_t)64 << 20)
#define SYMREF_DEPTH 5

static bool is_folder(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int check_owner(const char *dir, const char *name, struct err *err)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (stat(path, &st) < 0)
		return err_sys(err, errno, "%s", path);
#ifndef GUARD_OFF_SOURCE_OWNER
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, ERR_DENIED,
			       "%s belongs to user %u: want root or user %u",
			       path, st.st_uid, geteuid());
#endif
	return 0;
}

static int check_whole(const char *dir, struct err *err)
{
	static const char *const refused[] = {"objects/info/alternates",
					      "objects/info/http-alternates",
					      "shallow"};
	char path[4096];
	struct stat st;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, refused[i]);
		if (lstat(path, &st) == 0)
			return err_set(err, ERR_INPUT,
				       "%s: a repository that borrows objects "
				       "or lacks history; use a plain clone",
				       path);
	}
	return 0;
}

int source_find(const char *path, char *out, size_t out_len, struct err *err)
{
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return err_set(err,
			       errno == ENOENT || errno == ENOTDIR ? ERR_AGAIN
								   : ERR_DENIED,
			       "%s: %s", path, strerror(errno));
	if (is_folder(path, "objects") && is_folder(path, "refs"))
		(void)snprintf(out, out_len, "%s", path);
	else if (is_folder(path, ".git/objects"))
		(void)snprintf(out, out_len, "%s/.git", path);
	else
		return err_set(err, ERR_INPUT, "%s is not a git repository",
			       path);
	r = check_owner(out, ".", err);
	if (r == 0)
		r = check_owner(out, "objects", err);
	if (r == 0)
		r = check_whole(out, err);
	return r;
}

/* Line "<40 hex> <ref>" of packed-refs. */
static bool read_packed(const char *git_dir, const char *ref, git_oid *out)
{
	char path[4096];
	struct buf text;
	bool found = false;
	char *rest;
	char *line;

	(void)snprintf(path, sizeof(path), "%s/packed-refs", git_dir);
	buf_init(&text, PACKED_REFS_BYTES);
	if (file_read(AT_FDCWD, path, PACKED_REFS_BYTES, &text, NULL) == 0 &&
	    text.len > 0 && memchr(text.data, '\0', text.len) == NULL) {
		rest = text.data;
		while (!found && (line = strsep(&rest, "\n")) != NULL)
			if (strlen(line) > BUFSIZ)
				break;
			else if (strlen(line) > 41 && line[40] == ' ' &&
				 strcmp(line + 41, ref) == 0) {
				line[40] = '\0';
				found = text_is_hex(line, 40) &&
					git_oid_fromstr(out, line) == 0;
			}
	}
	buf_release(&text);
	return found;
}

/* Loose file: an id, or "ref: NAME" whose name goes to *ref. */
static int read_loose(const char *git_dir, char *ref, size_t ref_len,
		      git_oid *out, bool *out_again)
{
	char path[4096];
	struct buf text;
	int r;

	*out_again = false;
	(void)snprintf(path, sizeof(path), "%s/%s", git_dir, ref);
	buf_init(&text, REF_BYTES);
	r = file_read(AT_FDCWD, path, REF_BYTES, &text, NULL);
	if (r == 0 && text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (r == 0 && text.len > 5 && strncmp(text.data, "ref: ", 5) == 0) {
		*out_again = url_check_ref(text.data + 5, NULL) == 0;
		r = *out_again ? 0 : ERR_NOTFOUND;
		(void)snprintf(ref, ref_len, "%s", text.data + 5);
	} else if (r == 0) {
		r = text.len == 40 && text_is_hex(text.data, 40) &&
				    git_oid_fromstr(out, text.data) == 0
			    ? 0
			    : ERR_NOTFOUND;
	}
	buf_release(&text);
	return r;
}

int source_read_ref(const char *git_dir, const char *ref, git_oid *out,
		    struct err *err)
{
	char name[REF_BYTES];
	bool again = true;
	int r = ERR_NOTFOUND;

	(void)snprintf(name, sizeof(name), "%s", ref);
	for (int i = 0; again && i < SYMREF_DEPTH; i++)
		r = read_loose(git_dir, name, sizeof(name), out, &again);
	if (!again && r == 0)
		return 0;
	if (!again && read_packed(git_dir, name, out))
		return 0;
	return err_set(err, ERR_NOTFOUND, "%s has no ref %s", git_dir, ref);
}
