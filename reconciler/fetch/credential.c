/* credential.c - see credential.h. */
#include "reconciler/fetch/credential.h"

#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES 4096

static int check_file(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s is not a file", path);
#ifndef GUARD_OFF_CREDENTIAL_FILE
	if ((st.st_mode & 077) != 0 ||
	    (st.st_uid != 0 && st.st_uid != geteuid()))
		return err_set(err, ERR_DENIED,
			       "%s can be read by others: want mode 600 and "
			       "owner root or user %u, have mode %o and user "
			       "%u",
			       path, geteuid(), st.st_mode & 07777, st.st_uid);
#endif
	return 0;
}

/* Printable ASCII alone: nothing that could end a header. */
static int is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < '!' || *text > '~')
			return 0;
	return 1;
}

static int make_header(char *line, const char *path, char *out, struct err *err)
{
	static const char form[] = "want one line, \"bearer TOKEN\" or \"basic "
				   "USER:PASSWORD\"";
	size_t len = strlen(line);

	if (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	if (strncmp(line, "bearer ", 7) == 0 && len > 7 && is_plain(line + 7)) {
		(void)snprintf(out, CREDENTIAL_HEADER_BYTES,
			       "Authorization: Bearer %s", line + 7);
		return 0;
	}
	if (strncmp(line, "basic ", 6) == 0 && is_plain(line + 6) &&
	    strchr(line + 6, ':') != NULL) {
		int n = snprintf(out, CREDENTIAL_HEADER_BYTES,
				 "Authorization: Basic ");

		(void)EVP_EncodeBlock((unsigned char *)out + n,
				      (const unsigned char *)line + 6,
				      (int)len - 6);
		return 0;
	}
	return err_set(err, ERR_INPUT, "%s: %s", path, form);
}

int credential_read(const char *path, char out[CREDENTIAL_HEADER_BYTES],
		    struct err *err)
{
	struct buf text;
	int fd, r;

	if (path[0] != '/')
		return err_set(err, ERR_INPUT,
			       "credential file: want an absolute path");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_sys(err, errno, "credential file %s", path);
	buf_init(&text, FILE_BYTES);
	(void)buf_reserve(&text, FILE_BYTES - 1); /* never moved: no copies */
	r = check_file(fd, path, err);
	if (r == 0)
		r = file_read_fd(fd, FILE_BYTES, &text, err);
	if (r == 0 && text.len == 0)
		buf_putc(&text, '\n');
	if (r == 0 && memchr(text.data, '\0', text.len) != NULL)
		text.data[0] = '\0';
	if (r == 0)
		r = make_header(text.data, path, out, err);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	buf_release(&text);
	(void)close(fd);
	return r;
}
