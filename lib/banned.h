/*
 * banned.h - C library functions that nobody here may call: each becomes an
 * undeclared identifier, so a use does not compile (as git does; a `poison`
 * pragma would warn on names that are macros).  Included at the end of err.h.
 *
 * The headers that declare them are included first, because a macro in front
 * of a declaration would break the header itself.
 */
#ifndef LIB_BANNED_H
#define LIB_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wordexp.h>

#undef strcpy
#define strcpy(...) BANNED_use_memcpy_or_buf_instead_of_strcpy
#undef strcat
#define strcat(...) BANNED_use_buf_instead_of_strcat
#undef sprintf
#define sprintf(...) BANNED_use_snprintf_or_buf_instead_of_sprintf
#undef vsprintf
#define vsprintf(...) BANNED_use_vsnprintf_instead_of_vsprintf
#undef gets
#define gets(...) BANNED_use_getline_instead_of_gets
#undef strtok
#define strtok(...) BANNED_use_strchr_or_strtok_r_instead_of_strtok
#undef system
#define system(...) BANNED_use_proc_spawn_instead_of_system
#undef popen
#define popen(...) BANNED_use_proc_spawn_instead_of_popen
#undef execlp
#define execlp(...) BANNED_use_an_absolute_path_instead_of_execlp
#undef execvp
#define execvp(...) BANNED_use_an_absolute_path_instead_of_execvp
#undef atoi
#define atoi(...) BANNED_use_num_parse_instead_of_atoi
#undef mktemp
#define mktemp(...) BANNED_use_mkstemp_instead_of_mktemp
#undef tmpnam
#define tmpnam(...) BANNED_use_mkstemp_instead_of_tmpnam
#undef alloca
#define alloca(...) BANNED_use_an_arena_instead_of_alloca
#undef wordexp
#define wordexp(...) BANNED_words_are_not_expanded_by_a_shell

#endif
