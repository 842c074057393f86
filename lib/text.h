/* text.h - untrusted text: escaping for people, did-you-mean, name grammars. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include "lib/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends bytes so that they are inert on a terminal and in a log line:
 * printable UTF-8 stays; C0, DEL, C1, bidi and zero-width characters, invalid
 * UTF-8 and backslash become \xNN / \u{N}. */
void text_escape(struct buf *out, const char *bytes, size_t len);
/* Same into a caller's array (truncated with "..."), for messages; returns dst.
 */
const char *text_safe(char *dst, size_t dst_len, const char *bytes, size_t len);
/* As text_escape(), and inert in the log of a CI service too, which obeys lines
 * that begin with "::command" and "##[command]" in any: the second character of
 * "::" is escaped where the text begins, that of "##" anywhere.
 * escaped: what is hostile in it has been escaped before, a backslash stays. */
void text_inert(struct buf *out, const char *text, size_t len, bool escaped);
/* Length in bytes of the UTF-8 character that bytes begin with (len > 0), its
 * code point in *out; 0 if they begin with none. */
size_t text_step(const char *bytes, size_t len, uint32_t *out);
/* Is it a character that text_escape() escapes? */
bool text_is_hidden(uint32_t code);
/* Valid UTF-8 without NUL, surrogates and overlong forms. */
bool text_is_utf8(const char *bytes, size_t len);
/* Nearest of n names to word by Damerau-Levenshtein distance <= max(1, len/3),
 * case folded; NULL if none.  Borrowed from names. */
const char *text_nearest(const char *word, const char *const *names, size_t n);
/* RFC 1123 label (<= 63) and subdomain (<= 253), lower case. */
bool text_is_dns_label(const char *s);
bool text_is_dns_subdomain(const char *s);
/* Exactly n_hex lower-case hex digits and then NUL. */
bool text_is_hex(const char *s, size_t n_hex);

#endif
