/* example.h - an example for each code: what was wrong and what is right, or
 * the command that helps.  Pure, static. */
#ifndef RECONCILER_REPORT_EXAMPLE_H
#define RECONCILER_REPORT_EXAMPLE_H

/* NULL if there is none.  code NULL: none. */
const char *example_of(const char *code);

#endif
