/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listener of a filter that somebody else has, too: whoever answers is not held up by calls that the
 * other one takes.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/seccomp.h"
#include "serving.h"

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A child whose getppid() asks; it sends the listener to @to, calls once and waits. */
static void asking_child(int to)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = 4, .filter = code };
	int listener;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0 || serving_send(to, "x", 1, &listener, 1) != 1)
		_exit(1);
	(void)syscall(SYS_getppid);
	for (;;)
		pause();
}

static void unexpected(void *context, const void *bytes, size_t size)
{
	(void)context;
	(void)bytes;
	(void)size;
	fail();
}

static void test_taken_by_another(void **state)
{
	struct seccomp_watch watch = { .shared = true, .record = unexpected };
	struct seccomp_notif_sizes sizes;
	struct sigaction action;
	CLEAN_FREE void *call = NULL;
	CLEAN_FD int listener = -1;
	sigset_t before;
	sigset_t mask;
	int ends[2];
	long begin;
	pid_t child;

	(void)state;
	assert_int_equal(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes), 0);
	call = calloc(1, sizes.seccomp_notif);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (child == 0)
		asking_child(ends[1]);
	listener = serving_take(ends[0]);
	assert_true(listener >= 0);
	/* The control: a call comes, and we are the other one. */
	assert_int_equal(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, call), 0);

	watch.listener = listener;
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &before), 0);
	begin = now_ms();
	for (int i = 0; i < 3; i++)
		assert_int_equal(seccomp_answer(&watch), -EINTR);
	assert_in_range(now_ms() - begin, 0, 5000);
	/* Signals are as they were. */
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&before, SIGALRM), sigismember(&mask, SIGALRM));
	assert_int_equal(sigaction(SIGALRM, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_taken_by_another) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
