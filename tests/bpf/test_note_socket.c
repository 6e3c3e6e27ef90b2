/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unix socket for an agent's notes: it is that agent's whatever its policy says, and nobody else's; and
 * none of them can put another one in its place. A socket beside it, for which the policy counts, is the
 * control.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hub_world.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <picket.skel.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/own.h"

#define FOLDER "/tmp/note-socket"

/** What an agent tries with a socket. */
enum act { SEND, CONNECT, UNLINK, MODE };

/** What the tests share. */
struct world {
	struct hub hub;
	struct policy_image strict; /* no socket may be reached */
	struct hub_agent owner; /* of the notes; strict */
	struct hub_agent other; /* strict */
	struct hub_agent lenient; /* its policy has no say about sockets */
	int listeners[4];
	size_t count; /* of them */
};

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): what tests have */
static struct world world = { .hub = HUB_NONE };

static void path_of(const char *name, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), FOLDER "/%s", name);
}

static void listen_at(const char *name, int type)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	path_of(name, &address);
	(void)unlink(address.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	world.listeners[world.count++] = fd;
}

/* The socket @name becomes the one for notes of @agent. */
static void enter(const char *name, const struct hub_agent *agent)
{
	struct sockaddr_un address;
	CLEAN_FD int fd = -1;

	path_of(name, &address);
	fd = open(address.sun_path, O_PATH | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(own_enter_feed(bpf_map__fd(world.hub.loader.skel->maps.pk_own), fd,
					agent->slot),
			 0);
}

/* 0 or the errno. */
static int act_on(enum act act, const char *name, int type)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	long r = -1;

	path_of(name, &address);
	if (fd < 0)
		return errno;
	if (act == SEND)
		r = sendto(fd, "note", 4, 0, (struct sockaddr *)&address, sizeof(address));
	else if (act == CONNECT)
		r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	else if (act == UNLINK)
		r = unlink(address.sun_path);
	else
		r = chmod(address.sun_path, 0600);
	return r < 0 ? errno : 0;
}

/* A child of ours does it as @agent. Returns 0 or the errno. */
static int as(const struct hub_agent *agent, enum act act, const char *name, int type)
{
	int go[2];
	int status = 0;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(go[1]);
		(void)!read(go[0], &byte, 1);
		_exit(act_on(act, name, type));
	}
	(void)close(go[0]);
	assert_int_equal(hub_agent_join(&world.hub, agent, pid), 0);
	(void)close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void owner_reaches_it_whatever_its_policy(void **state)
{
	(void)state;
	assert_int_equal(as(&world.owner, SEND, "notes", SOCK_DGRAM), 0);
	assert_int_equal(as(&world.owner, CONNECT, "notes", SOCK_DGRAM), 0);
	assert_int_equal(as(&world.owner, CONNECT, "stream", SOCK_STREAM), 0);
	/* The control: the policy counts. */
	assert_int_equal(as(&world.owner, SEND, "beside", SOCK_DGRAM), EACCES);
	assert_int_equal(as(&world.owner, CONNECT, "beside", SOCK_DGRAM), EACCES);
	assert_int_equal(as(&world.owner, CONNECT, "stream-beside", SOCK_STREAM), EACCES);
}

static void others_do_not(void **state)
{
	(void)state;
	assert_int_equal(as(&world.other, SEND, "notes", SOCK_DGRAM), EACCES);
	assert_int_equal(as(&world.other, CONNECT, "stream", SOCK_STREAM), EACCES);
	/* Not even where a policy lets them reach all sockets, or has no say. */
	assert_int_equal(as(&world.lenient, SEND, "notes", SOCK_DGRAM), EACCES);
	assert_int_equal(as(&world.lenient, CONNECT, "notes", SOCK_DGRAM), EACCES);
	assert_int_equal(as(&world.lenient, CONNECT, "stream", SOCK_STREAM), EACCES);
	assert_int_equal(as(&world.lenient, SEND, "beside", SOCK_DGRAM), 0);
	assert_int_equal(as(&world.lenient, CONNECT, "stream-beside", SOCK_STREAM), 0);
}

static void nobody_changes_it(void **state)
{
	(void)state;
	assert_int_equal(as(&world.owner, UNLINK, "notes", SOCK_DGRAM), EACCES);
	assert_int_equal(as(&world.lenient, UNLINK, "notes", SOCK_DGRAM), EACCES);
	assert_int_equal(as(&world.lenient, MODE, "notes", SOCK_DGRAM), EACCES);
	assert_int_equal(as(&world.lenient, MODE, "beside", SOCK_DGRAM), 0);
}

static int start(void **state)
{
	(void)hub_world_start(state);
	hub_world_take(&world.hub);
	hub_world_compile("picket: 1\n"
			  "name: strict\n"
			  "process: {profile: 'off'}\n"
			  "files: {default: deny, rules: [{allow: '/nowhere/**', access: read}]}\n"
			  "unix: {default: deny}\n",
			  &world.strict);
	hub_world_make(&world.hub, &world.strict, &world.owner);
	hub_world_make(&world.hub, &world.strict, &world.other);
	hub_world_make(&world.hub, &hub_world.allow, &world.lenient);
	(void)mkdir(FOLDER, 0755);
	listen_at("notes", SOCK_DGRAM);
	listen_at("beside", SOCK_DGRAM);
	listen_at("stream", SOCK_STREAM);
	listen_at("stream-beside", SOCK_STREAM);
	enter("notes", &world.owner);
	enter("stream", &world.owner);
	return 0;
}

static int finish(void **state)
{
	for (size_t i = 0; i < world.count; i++)
		(void)close(world.listeners[i]);
	hub_world_drop(&world.hub, &world.owner);
	hub_world_drop(&world.hub, &world.other);
	hub_world_drop(&world.hub, &world.lenient);
	hub_world_return(&world.hub);
	image_reset(&world.strict);
	return hub_world_end(state);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owner_reaches_it_whatever_its_policy),
		cmocka_unit_test(others_do_not),
		cmocka_unit_test(nobody_changes_it),
	};

	return cmocka_run_group_tests(tests, start, finish);
}

int main(int argc, char **argv)
{
	return hub_world_hooks_main(argc, argv, "note_socket", run);
}
