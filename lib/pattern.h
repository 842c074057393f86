/*
 * pattern.h - patterns of names and of paths, matched byte by byte.
 *
 * A name pattern has '*' (any bytes, also none) and '?' (one byte).  A path
 * pattern is names joined by '/'; a name "**" stands for any number of names,
 * also none, and at the end for at least one, so that "a/" "**" is what is
 * below a and not a itself.  No pattern costs more than its length times that
 * of the text, squared for paths of many "**".
 */
#ifndef LIB_PATTERN_H
#define LIB_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

bool pattern_name(const char *pattern, size_t pattern_len, const char *name,
		  size_t len);
bool pattern_path(const char *pattern, const char *path);
/* Whether wide fits everything that narrow fits.  May say no where it does.
 * *left: what the comparison may cost, in letters against letters; taken off,
 * and 0 when it was not enough (then no). */
bool pattern_covers(const char *wide, const char *narrow, size_t *left);
/* NULL, or what a path pattern wants to be, as words behind "want": relative,
 * no empty, "." or ".." name, "**" alone in its name, '*' the only special
 * letter.  */
const char *pattern_check(const char *pattern);

#endif
