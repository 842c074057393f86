/* test_msg.c - frames, descriptors, and peers that break the rules (T: K01). */
#include "lib/msg.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct pair {
	int a, b;
	struct msg m;
};

static int set_up(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int sv[2];

	assert_non_null(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv),
			 0);
	p->a = sv[0];
	p->b = sv[1];
	msg_init(&p->m, 1000);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *p = *state;

	msg_release(&p->m);
	(void)close(p->a);
	(void)close(p->b);
	free(p);
	return 0;
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void frame_with_descriptors(void **state)
{
	struct pair *p = *state;
	int before = count_fds();
	int fds[2] = {STDIN_FILENO, STDERR_FILENO};
	struct err e = {0};

	assert_int_equal(msg_send(p->a, 7, "hello", 5, fds, 2, &e), 0);
	assert_int_equal(msg_send(p->a, 65535, NULL, 0, NULL, 0, &e), 0);
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), 0);
	assert_int_equal(p->m.type, 7);
	assert_int_equal(p->m.n_fds, 2);
	assert_int_equal(p->m.payload.len, 5);
	assert_string_equal(p->m.payload.data, "hello");
	assert_true(fcntl(p->m.fds[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), 0);
	assert_int_equal(p->m.type, 65535);
	assert_int_equal(p->m.payload.len, 0);
	assert_int_equal(p->m.n_fds, 0);
	assert_int_equal(count_fds(), before); /* the first two were closed */
}

static void nothing_within_the_time(void **state)
{
	struct pair *p = *state;
	struct err e = {0};

	assert_int_equal(msg_recv(p->b, &p->m, 10, &e), ERR_AGAIN);
	assert_string_equal(e.msg, "no frame within 10 ms");
}

static void closed_between_and_within(void **state)
{
	struct pair *p = *state;
	struct err e = {0};

	assert_int_equal(write(p->a, "\5\0\0\0\1\0\0\0ab", 10), 10);
	assert_int_equal(shutdown(p->a, SHUT_WR), 0);
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), ERR_PROTO);
	assert_string_equal(e.msg, "peer closed within a frame");
	assert_int_equal(p->m.payload.len, 0);
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), ERR_NOTFOUND);
	assert_string_equal(e.msg, "peer closed the socket");
}

static void closed_within_the_header(void **state)
{
	struct pair *p = *state;
	struct err e = {0};

	assert_int_equal(write(p->a, "\5\0\0", 3), 3);
	assert_int_equal(shutdown(p->a, SHUT_WR), 0);
	assert_int_equal(msg_recv(p->b, &p->m, -1, &e), ERR_PROTO);
}

static void too_long(void **state)
{
	struct pair *p = *state;
	struct err e = {0};

	assert_int_equal(write(p->a, "\xe9\3\0\0\1\0\0\0", 8), 8); /* 1001 */
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), ERR_PROTO);
	assert_string_equal(e.msg, "frame: want at most 1000 bytes, have 1001");
	assert_int_equal(write(p->a, "\xff\xff\xff\xff\1\0\0\0", 8), 8);
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), ERR_PROTO);
}

static void wrong_number_of_descriptors(void **state)
{
	struct pair *p = *state;
	int before = count_fds();
	struct err e = {0};

	assert_int_equal(write(p->a, "\0\0\0\0\1\0\1\0", 8), 8);
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), ERR_PROTO);
	assert_string_equal(e.msg, "frame: want 1 descriptors, have 0");
	assert_int_equal(write(p->a, "\0\0\0\0\1\0\xff\xff", 8), 8);
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), ERR_PROTO);
	assert_int_equal(count_fds(), before);
}

/* More descriptors than the header may say: none may leak. */
static void flood_of_descriptors(void **state)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 20)];
	} c = {0};
	struct pair *p = *state;
	char header[8] = {0, 0, 0, 0, 1, 0, 0, 0};
	struct iovec iov = {header, 8};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.bytes,
			    .msg_controllen = sizeof(c.bytes)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&mh);
	int before = count_fds();
	int fds[20] = {0};
	struct err e = {0};

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(h), fds, sizeof(fds));
	assert_int_equal(sendmsg(p->a, &mh, 0), 8);
	assert_int_equal(msg_recv(p->b, &p->m, 1000, &e), ERR_PROTO);
	assert_string_equal(e.msg,
			    "frame: want at most 8 descriptors, have more");
	assert_int_equal(count_fds(), before);
}

static void large_frame_through_a_small_socket(void **state)
{
	struct pair *p = *state;
	size_t len = 8u << 20;
	char *data = malloc(len);
	struct err e = {0};
	int status = 1;
	pid_t pid;

	assert_non_null(data);
	memset(data, 'x', len);
	msg_release(&p->m);
	msg_init(&p->m, len);
	pid = fork();
	if (pid == 0) {
		(void)fcntl(p->a, F_SETFL, O_NONBLOCK);
		_exit(msg_send(p->a, 1, data, len, NULL, 0, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(msg_recv(p->b, &p->m, 5000, &e), 0);
	assert_int_equal(p->m.payload.len, len);
	assert_memory_equal(p->m.payload.data, data, len);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free(data);
}

static void sending_to_the_dead(void **state)
{
	struct pair *p = *state;
	struct err e = {0};

	(void)close(p->b);
	p->b = -1;
	assert_int_equal(msg_send(p->a, 1, "x", 1, NULL, 0, &e), ERR_SYS);
	assert_string_equal(e.msg, "send to sibling: Broken pipe");
	assert_int_equal(
		msg_send(p->a, 1, "x", MSG_PAYLOAD_MAX + 1, NULL, 0, &e),
		ERR_LIMIT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frame_with_descriptors),
		TEST(nothing_within_the_time),
		TEST(closed_between_and_within),
		TEST(closed_within_the_header),
		TEST(too_long),
		TEST(wrong_number_of_descriptors),
		TEST(flood_of_descriptors),
		TEST(large_frame_through_a_small_socket),
		TEST(sending_to_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
