/*
 * scan.h - which characters may stand in a manifest at all (manifests.md 6.1,
 * threats A51, A52, A53): UTF-8; no NUL, C0 (but TAB, LF and CR LF), DEL, C1,
 * NEL, line and paragraph separators, bidirectional controls, zero-width or
 * noncharacters.
 */
#ifndef MANIFEST_SCAN_H
#define MANIFEST_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum scan_result {
	SCAN_OK,
	SCAN_NOT_UTF8,
	SCAN_BAD_CHAR,
	SCAN_BAD_BREAK, /* CR without LF */
};

struct scan_at {
	unsigned int line, column; /* 1-based, columns in characters */
	unsigned int codepoint;	   /* of SCAN_BAD_CHAR */
};

/* First fault of bytes; *at is set unless SCAN_OK. */
enum scan_result scan_bytes(const char *bytes, size_t len, struct scan_at *at);
/* As above for a value after its escapes: a lone CR is allowed. */
bool scan_value_ok(const char *bytes, size_t len);

#endif
