/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is at the other end of the control socket and what it may do; and the place of the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/server_private.h"
#include "serving.h"

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}\n"
#define RESULT "{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":1}\n"
#define NOBODY 65534

/* What a peer of @role hears for @line. */
static const char *as_role(struct serving *serving, enum peer_role role, const char *line)
{
	CLEAN_FD int fd = serving_connect(serving);

	serving->role = role;
	(void)serving_send(fd, line, strlen(line), NULL, 0);
	serving_work(serving);
	return serving_hear(fd);
}

static void test_methods_by_role(void **state)
{
	static const struct {
		const char *line;
		enum peer_role least;
	} methods[] = { { CALL("echo"), PEER_NOBODY },
			{ CALL("look"), PEER_OBSERVER },
			{ CALL("change"), PEER_OPERATOR } };
	struct serving *serving = *state;

	for (size_t m = 0; m < sizeof(methods) / sizeof(*methods); m++) {
		for (enum peer_role role = PEER_NOBODY; role < PEER__ROLES; role++) {
			const char *heard = as_role(serving, role, methods[m].line);

			if (role >= methods[m].least)
				assert_string_equal(heard, RESULT);
			else
				assert_non_null(
					strstr(heard, "\"code\":2,\"message\":\"only root"));
		}
		assert_non_null(strstr(as_role(serving, PEER_CONFINED, methods[m].line),
				       "\"code\":2,\"message\":\"a confined process has no say "
				       "here\"},\"id\":null}\nEOF"));
	}
	assert_int_equal(serving_counts(serving).refused_clients, 3);
}

static void test_names_of_roles(void **state)
{
	(void)state;
	assert_string_equal(peer_role_name(PEER_CONFINED), "confined");
	assert_string_equal(peer_role_name(PEER_OPERATOR), "operator");
	assert_string_equal(peer_role_name(PEER__ROLES), "unknown");
}

/* An open connection is worth nothing once its process is an agent's. */
static void test_confined_later(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);

	serving_work(serving);
	serving->role = PEER_CONFINED;
	assert_true(serving_send(fd, CALL("echo"), strlen(CALL("echo")), NULL, 0) > 0);
	serving_work(serving);
	assert_non_null(strstr(serving_hear(fd), "is confined or has ended\"},\"id\":null}\nEOF"));
	assert_int_equal(serving->gone, 1);
}

/* The role of user nobody, in groups that exist only here. */
static int tell_own_role(struct serving *serving)
{
	const struct peer_groups groups = { .observe = 61001, .operate = 61002 };
	CLEAN(peer_reset) struct peer peer = PEER_NONE;
	int fds[2];

	(void)serving;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) || peer_identify(fds[0], &groups, &peer))
		return 100;
	if (peer.uid != NOBODY || peer.gid != NOBODY || peer.pid != getpid() ||
	    !peer_is_alive(&peer))
		return 101;
	return (int)peer.role;
}

static void test_roles_by_group(void **state)
{
	static const gid_t groups[] = { 61000, 61001, 61002 };
	struct serving *serving = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(serving_as_nobody(groups, 0, tell_own_role, serving), PEER_NOBODY);
	assert_int_equal(serving_as_nobody(groups, 1, tell_own_role, serving), PEER_NOBODY);
	assert_int_equal(serving_as_nobody(groups, 2, tell_own_role, serving), PEER_OBSERVER);
	assert_int_equal(serving_as_nobody(groups, 3, tell_own_role, serving), PEER_OPERATOR);
	assert_int_equal(serving_as_nobody(groups + 2, 1, tell_own_role, serving), PEER_OPERATOR);
}

static void test_no_such_group(void **state)
{
	const struct peer_groups none = { PEER_NO_GROUP, PEER_NO_GROUP };
	struct peer peer = PEER_NONE;
	struct peer_groups groups;

	(void)state;
	peer.uid = NOBODY;
	peer.gid = PEER_NO_GROUP;
	assert_false(peer_in_group(&peer, none.observe));
	peer_groups_read(&groups);
}

/* 0 = the connection was ended when another process than the one that made it sent something. */
static int use_inherited(struct serving *serving)
{
	int fd = serving_connect(serving);
	char heard[300] = "";
	pid_t child;

	(void)fcntl(fd, F_SETFL, 0);
	if (serving_send(fd, CALL("echo"), strlen(CALL("echo")), NULL, 0) < 0 ||
	    read(fd, heard, sizeof(heard) - 1) < 0 || strcmp(heard, RESULT) != 0)
		return 1;
	child = fork();
	if (child == 0)
		_exit(serving_send(fd, CALL("echo"), strlen(CALL("echo")), NULL, 0) < 0);
	(void)waitpid(child, NULL, 0);
	memset(heard, 0, sizeof(heard));
	if (read(fd, heard, sizeof(heard) - 1) < 0 ||
	    !strstr(heard, "for the process that made it"))
		return 2;
	return read(fd, heard, sizeof(heard)) > 0 ? 3 : 0;
}

static void test_inherited(void **state)
{
	struct serving *serving = *state;
	gid_t none = 0;

	if (geteuid() != 0)
		skip();
	assert_int_equal(serving_as_nobody(&none, 0, use_inherited, serving), 0);
	assert_int_equal(serving->gone, 1);
}

/* A child connects and ends; we hold what it connected. */
static void test_process_ended(void **state)
{
	struct serving *serving = *state;
	int ends[2];
	int go[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(go), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	child = fork();
	if (child == 0) {
		int fd = serving_connect(serving);

		(void)serving_send(ends[1], "x", 1, &fd, 1);
		_exit(read(go[0], &byte, 1) != 1);
	}
	/* Left in the other socket's queue, the connection stays open. */
	while (recv(ends[0], &byte, 1, MSG_PEEK) != 1)
		;
	serving_work(serving);
	assert_int_equal(serving_counts(serving).accepted, 1);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	serving_work(serving);
	assert_int_equal(serving->gone, 1);
	/* Ended before it was looked at. */
	child = fork();
	if (child == 0) {
		int fd = serving_connect(serving);

		_exit(serving_send(ends[1], "x", 1, &fd, 1) != 1);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	serving_work(serving);
	assert_int_equal(serving_counts(serving).accepted, 1);
	assert_int_equal(serving_counts(serving).refused_clients, 1);
	close(ends[0]);
	close(ends[1]);
	close(go[0]);
	close(go[1]);
}

/* Open another server as the options say and expect it to fail with @wanted and @part. */
static void expect_refused(const struct server_options *options, int wanted, const char *part)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct server *server = NULL;

	assert_int_equal(server_open(options, &server, &diags), wanted);
	assert_null(server);
	assert_int_equal(diags.count, 1);
	if (!strstr(diags.items[0].message, part))
		fail_msg("'%s' is not in '%s'", part, diags.items[0].message);
}

static void test_place_taken(void **state)
{
	struct serving *serving = *state;
	struct server_options options = serving->options;
	char path[200];
	struct stat status;

	expect_refused(&options, -EADDRINUSE, "another process serves it");
	assert_int_equal(stat(serving->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0666);

	options.path = path;
	(void)snprintf(path, sizeof(path), "%s/file", serving->folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	expect_refused(&options, -EEXIST, "not a socket");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("socket", path), 0);
	expect_refused(&options, -EEXIST, "not a socket");
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/none/socket", serving->folder);
	expect_refused(&options, -ENOENT, "No such file");
	(void)snprintf(path, sizeof(path), "%s/%0120d", serving->folder, 1);
	expect_refused(&options, -ENAMETOOLONG, "too long");
	(void)snprintf(path, sizeof(path), "%s/other", serving->folder);
	assert_int_equal(chmod(serving->folder, 0775), 0);
	expect_refused(&options, -EPERM, "others than root can write");
	if (geteuid() == 0) {
		assert_int_equal(chmod(serving->folder, 0755), 0);
		assert_int_equal(chown(serving->folder, NOBODY, NOBODY), 0);
		expect_refused(&options, -EPERM, "others than root can write");
	}
}

static void expect_served(struct serving *serving)
{
	CLEAN_FD int fd = serving_connect(serving);

	assert_true(serving_send(fd, CALL("echo"), strlen(CALL("echo")), NULL, 0) > 0);
	serving_work(serving);
	assert_string_equal(serving_hear(fd), RESULT);
}

/* What a killed server leaves. */
static void test_stale_socket(void **state)
{
	struct serving *serving = *state;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	mem_close_fd(&serving->server->listen_fd);
	free(TAKE_PTR(serving->server->path));
	server_free(&serving->server);
	assert_int_equal(access(serving->path, F_OK), 0);
	assert_int_equal(server_open(&serving->options, &serving->server, &diags), 0);
	expect_served(serving);
}

/* Somebody removed the file and another server has the place: the old one leaves it alone. */
static void test_replaced_socket(void **state)
{
	struct serving *serving = *state;
	struct server *old = TAKE_PTR(serving->server);
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	assert_int_equal(unlink(serving->path), 0);
	assert_int_equal(server_open(&serving->options, &serving->server, &diags), 0);
	server_free(&old);
	expect_served(serving);
}

static void test_given_socket(void **state)
{
	struct serving *serving = *state;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int pair[2];
	int given;

	serving->options.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	expect_refused(&serving->options, -EINVAL, "not a listening unix stream socket");
	close(serving->options.fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	serving->options.fd = pair[0];
	expect_refused(&serving->options, -EINVAL, "not a listening unix stream socket");
	/* Not ours until it is taken. */
	assert_int_equal(close(pair[0]), 0);
	close(pair[1]);

	given = dup(serving->server->listen_fd);
	free(TAKE_PTR(serving->server->path));
	server_free(&serving->server);
	serving->options.fd = given;
	assert_int_equal(server_open(&serving->options, &serving->server, &diags), 0);
	expect_served(serving);
	server_free(&serving->server);
	/* The file is the service manager's. */
	assert_int_equal(unlink(serving->path), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, serving_set_up, serving_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_methods_by_role), TEST(test_names_of_roles), TEST(test_confined_later),
		TEST(test_roles_by_group),  TEST(test_no_such_group),  TEST(test_inherited),
		TEST(test_process_ended),   TEST(test_place_taken),    TEST(test_stale_socket),
		TEST(test_replaced_socket), TEST(test_given_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
