/*
 * terminal_push.c - a program that wants to type into the terminal of whoever
 * started it (E35): TIOCSTI, then TIOCLINUX's paste.  Static, so that it runs
 * in any root.  Prints what each said; nothing is expected to succeed but in
 * the control of the suite.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	static const char text[] = "pushed\n";
	char paste[] = {3};
	const char *c;
	int r = 0;

	for (c = text; *c != '\0' && r == 0; c++)
		r = ioctl(0, TIOCSTI, c);
	(void)printf("TIOCSTI %s\n", r == 0 ? "done" : strerror(errno));
	r = ioctl(0, TIOCLINUX, paste);
	(void)printf("TIOCLINUX %s\n", r == 0 ? "done" : strerror(errno));
	return 0;
}
