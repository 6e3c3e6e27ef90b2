/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each act is one system call, or one request through io_uring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Before cmocka makes a macro of fail(). */
#include "../attack/ring.h"

#include <cmocka.h>

#include "ask_kinds.h"

#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "ask_acts.h"
#include "base/mem.h"
#include "hub_world.h"

#define ABSTRACT "picket-ask"
/* Anybody but root: a program that gives ids gives him something. */
#define PLAIN_UID 61001

const char ask_kinds_policy[] =
	"picket: 1\n"
	"name: kinds\n"
	"process: {profile: 'off', namespaces: ask, perf: ask, setuid: ask, terminal: ask, ptrace: ask,\n"
	"          signals: ask, keyrings: ask, kernel: ask, modules: ask, io_uring: ask}\n"
	"egress: {default: ask}\n"
	"unix: {default: allow, rules: [{ask: " ABSTRACT "}]}\n"
	"files:\n"
	"  default: allow\n"
	"  rules: [{ask: '" ASK_FOLDER "/**', access: [write, connect]}]\n";

const char ask_kinds_mounts[] = "picket: 1\n"
				"name: mounts\n"
				"process: {profile: 'off', mounts: ask}\n";

/* What the acts are about. */
struct found {
	int listeners[3];
	pid_t outsider; /* a process that is not the agent's, and not picket */
};

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): what the test has */
static struct found found = { { -1, -1, -1 }, 0 };

static socklen_t name_socket(struct sockaddr_un *ret_name, const char *path)
{
	const size_t head = offsetof(struct sockaddr_un, sun_path);

	*ret_name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path) {
		(void)snprintf(ret_name->sun_path, sizeof(ret_name->sun_path), "%s", path);
		return sizeof(*ret_name);
	}
	memcpy(ret_name->sun_path + 1, ABSTRACT, strlen(ABSTRACT));
	return (socklen_t)(head + 1 + strlen(ABSTRACT));
}

static int listen_at(int type, const char *path)
{
	struct sockaddr_un name;
	socklen_t length = name_socket(&name, path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, length), 0);
	assert_true(type == SOCK_DGRAM || listen(fd, 64) == 0);
	return fd;
}

static void start_outsider(void)
{
	found.outsider = fork();
	assert_true(found.outsider >= 0);
	if (found.outsider)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	hub_world_leave();
	for (;;)
		(void)pause();
}

void ask_kinds_make(void)
{
	/* Whatever /tmp is mounted with: programs may give ids here. */
	assert_int_equal(mount("tmpfs", ASK_FOLDER, "tmpfs", 0, "size=16m,mode=755"), 0);
	found.listeners[0] = listen_at(SOCK_STREAM, ASK_FOLDER "/stream");
	found.listeners[1] = listen_at(SOCK_DGRAM, ASK_FOLDER "/datagrams");
	found.listeners[2] = listen_at(SOCK_STREAM, NULL);
	assert_int_equal(system("cp /bin/sleep " ASK_FOLDER "/setid && chmod 4755 " ASK_FOLDER
				"/setid && mkdir " ASK_FOLDER "/empty " ASK_FOLDER "/mounted"),
			 0);
	start_outsider();
}

void ask_kinds_mount(void)
{
	while (umount2(ASK_FOLDER "/mounted", MNT_DETACH) == 0)
		;
	assert_int_equal(mount("tmpfs", ASK_FOLDER "/mounted", "tmpfs", 0, "size=64k"), 0);
}

void ask_kinds_clear(void)
{
	for (size_t i = 0; i < COUNT(found.listeners); i++)
		mem_close_fd(&found.listeners[i]);
	(void)kill(found.outsider, SIGKILL);
	(void)waitpid(found.outsider, NULL, 0);
	(void)umount2(ASK_FOLDER, MNT_DETACH);
}

static int result_of(long r)
{
	return r < 0 ? errno : 0;
}

/* --- io_uring ---------------------------------------------------------------------------------- */

static int by_ring(const struct io_uring_sqe *sqe, unsigned int flags)
{
	struct ring ring;

	return open_ring(&ring, flags) || submit(&ring, sqe) ? errno : 0;
}

static struct io_uring_sqe ring_open(void)
{
	const struct io_uring_sqe sqe = { .opcode = IORING_OP_OPENAT,
					  .fd = AT_FDCWD,
					  .addr = (unsigned long)ASK_FOLDER "/file",
					  .open_flags = O_WRONLY };

	return sqe;
}

static int act_ring_open(void)
{
	const struct io_uring_sqe sqe = ring_open();

	return by_ring(&sqe, 0);
}

/* By a worker thread of the kernel. */
static int act_ring_worker(void)
{
	struct io_uring_sqe sqe = ring_open();

	sqe.flags = IOSQE_ASYNC;
	return by_ring(&sqe, 0);
}

static int act_ring_connect(void)
{
	CLEAN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct io_uring_sqe sqe = { .opcode = IORING_OP_CONNECT,
					  .fd = fd,
					  .addr = (unsigned long)&hub_world.address,
					  .off = sizeof(hub_world.address) };

	return by_ring(&sqe, 0);
}

static int act_ring_poll(void)
{
	const struct io_uring_sqe sqe = { .opcode = IORING_OP_NOP };

	return by_ring(&sqe, IORING_SETUP_SQPOLL);
}

/* --- unix sockets ------------------------------------------------------------------------------ */

static int connect_unix(const char *path)
{
	CLEAN_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name;
	socklen_t length = name_socket(&name, path);

	return result_of(connect(fd, (struct sockaddr *)&name, length));
}

static int act_unix(void)
{
	return connect_unix(ASK_FOLDER "/stream");
}

static int act_abstract(void)
{
	return connect_unix(NULL);
}

static int act_unix_send(void)
{
	CLEAN_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name;
	socklen_t length = name_socket(&name, ASK_FOLDER "/datagrams");

	return result_of(sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&name, length));
}

/* --- switches that wait ------------------------------------------------------------------------ */

/* Becomes a program that gives ids to somebody who has none. */
static int act_setid(void)
{
	if (setresgid(PLAIN_UID, PLAIN_UID, PLAIN_UID) ||
	    setresuid(PLAIN_UID, PLAIN_UID, PLAIN_UID))
		return EIO;
	execl(ASK_FOLDER "/setid", ASK_FOLDER "/setid", "0", (char *)NULL);
	return errno;
}

static int act_perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_TASK_CLOCK };
	CLEAN_FD int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	return result_of(fd);
}

static int act_terminal(void)
{
	CLEAN_FD int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return EIO;
	return result_of(ioctl(fd, TIOCSTI, "x"));
}

static int act_control(void)
{
	CLEAN_FD int fd = open("/proc/sys/kernel/hostname", O_WRONLY | O_CLOEXEC);

	return result_of(fd);
}

/* What is no module is one no more than before, once it may be looked at. */
static int act_module(void)
{
	static char nonsense[4096];

	return result_of(syscall(SYS_init_module, nonsense, sizeof(nonsense), ""));
}

static int act_fork_namespace(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	int status = 0;

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	return waitpid(pid, &status, 0) == pid ? status : EIO;
}

static int act_mount(void)
{
	return result_of(mount("tmpfs", ASK_FOLDER "/empty", "tmpfs", 0, "size=64k"));
}

static int act_umount(void)
{
	return result_of(umount2(ASK_FOLDER "/mounted", MNT_DETACH));
}

/* --- switches that do not ---------------------------------------------------------------------- */

static int act_signal(void)
{
	return result_of(kill(found.outsider, 0));
}

static int act_priority(void)
{
	return result_of(setpriority(PRIO_PROCESS, (id_t)found.outsider, 0));
}

static int act_trace(void)
{
	return result_of(ptrace(PTRACE_SEIZE, found.outsider, NULL, NULL));
}

static int act_key(void)
{
	return result_of(syscall(SYS_add_key, "user", "picket", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static int act_unshare(void)
{
	return result_of(unshare(CLONE_NEWUTS));
}

static int act_enter(void)
{
	CLEAN_FD int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? EIO : result_of(setns(fd, 0));
}

static int act_move_mount(void)
{
	CLEAN_FD int fd = (int)syscall(SYS_fsopen, "tmpfs", 0);

	return result_of(fd);
}

/* name, run, refused, done, held, mounts, network */
const struct ask_kind ask_kinds[] = {
	{ "connect through io_uring", act_ring_connect, EPERM, 0, false, false, true },
	{ "open through io_uring", act_ring_open, EACCES, 0, false, false, false },
	{ "open by a worker of io_uring", act_ring_worker, EACCES, 0, false, false, false },
	{ "polling thread of io_uring", act_ring_poll, EPERM, 0, false, false, false },
	{ "unix stream", act_unix, EACCES, 0, true, false, false },
	{ "unix datagram", act_unix_send, EACCES, 0, true, false, false },
	{ "abstract unix stream", act_abstract, EACCES, 0, true, false, false },
	{ "program that gives ids", act_setid, EPERM, 0, true, false, false },
	{ "perf event", act_perf, EPERM, 0, true, false, false },
	{ "typing into a terminal", act_terminal, EPERM, 0, true, false, false },
	{ "control of the kernel", act_control, EACCES, 0, true, false, false },
	{ "module", act_module, EPERM, ENOEXEC, true, false, false },
	{ "child in a namespace", act_fork_namespace, EPERM, 0, true, false, false },
	{ "mount", act_mount, EPERM, 0, true, true, false },
	{ "umount", act_umount, EPERM, 0, true, true, false },
	{ "signal", act_signal, EPERM, 0, false, false, false },
	{ "priority", act_priority, EPERM, 0, false, false, false },
	{ "trace", act_trace, EPERM, 0, false, false, false },
	{ "key", act_key, EPERM, 0, false, false, false },
	{ "unshare", act_unshare, EPERM, 0, false, false, false },
	{ "enter a namespace", act_enter, EPERM, 0, false, false, false },
	{ "new file system", act_move_mount, EPERM, 0, false, true, false },
};

const size_t ask_kind_count = COUNT(ask_kinds);
