/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listening socket: given by a service manager, or made where nothing else is.
 */
#include "control/server_private.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/mem.h"

static int refuse_path(struct diag_list *diags, const char *path, int error, const char *why)
{
	(void)diag_add(diags, DIAG_ERROR, NULL, "cannot listen on '%s': %s", path,
		       why ? why : strerror(error));
	return -error;
}

static int make_address(const char *path, struct sockaddr_un *ret_address, struct diag_list *diags)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret_address->sun_path))
		return refuse_path(diags, path, ENAMETOOLONG, NULL);
	memcpy(ret_address->sun_path, path, strlen(path) + 1);
	return 0;
}

/* Who else can write there could put another socket in our place. */
static int check_folder(const char *path, struct diag_list *diags)
{
	CLEAN_FREE char *copy = strdup(path);
	struct stat status;

	if (!copy)
		return -ENOMEM;
	if (stat(dirname(copy), &status))
		return refuse_path(diags, path, errno, NULL);
	if ((status.st_uid != 0 && status.st_uid != geteuid()) || status.st_mode & 022)
		return refuse_path(
			diags, path, EPERM,
			"others than root can write to its folder; make it root's, mode 0755");
	return 0;
}

/* Remove a socket that nobody serves any more. Anything else there stays, and is an error. */
static int clear_path(const char *path, const struct sockaddr_un *address, struct diag_list *diags)
{
	CLEAN_FD int fd = -1;
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT ? 0 : refuse_path(diags, path, errno, NULL);
	if (!S_ISSOCK(status.st_mode))
		return refuse_path(diags, path, EEXIST,
				   "something that is not a socket is there; move it away");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refuse_path(diags, path, errno, NULL);
	/* EAGAIN and the like: somebody serves it and is busy. */
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	    errno != ECONNREFUSED)
		return refuse_path(diags, path, EADDRINUSE, "another process serves it");
	if (unlink(path))
		return refuse_path(diags, path, errno, NULL);
	return 0;
}

static int bind_path(int fd, const char *path, struct server *server, struct diag_list *diags)
{
	struct sockaddr_un address;
	struct stat status;
	int r = make_address(path, &address, diags);

	if (!r)
		r = check_folder(path, diags);
	if (!r)
		r = clear_path(path, &address, diags);
	if (r)
		return r;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		return refuse_path(diags, path, errno, NULL);
	if (chmod(path, 0666) || lstat(path, &status) || listen(fd, SOMAXCONN)) {
		r = refuse_path(diags, path, errno, NULL);
		(void)unlink(path);
		return r;
	}
	server->path = strdup(path);
	server->dev = status.st_dev;
	server->ino = status.st_ino;
	return server->path ? 0 : -ENOMEM;
}

static bool option_is(int fd, int option, int wanted)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

/* A descriptor that somebody says is our listening socket. */
static int check_given(int fd, struct diag_list *diags)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || !option_is(fd, SO_DOMAIN, AF_UNIX) ||
	    !option_is(fd, SO_TYPE, SOCK_STREAM) || !option_is(fd, SO_ACCEPTCONN, 1)) {
		(void)diag_add(diags, DIAG_ERROR, NULL,
			       "descriptor %d is not a listening unix stream socket", fd);
		return -EINVAL;
	}
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	return 0;
}

int server_listen(struct server *server, struct diag_list *diags)
{
	int given = server->options.fd;
	int on = 1;
	CLEAN_FD int made = -1;
	int r;

	if (given < 0)
		made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (given < 0 && made < 0)
		return refuse_path(diags, server->options.path, errno, NULL);
	r = given < 0 ? 0 : check_given(given, diags);
	/* Before anyone can send: each message tells who sent it. Accepted sockets inherit this. */
	if (!r && setsockopt(given < 0 ? made : given, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)))
		r = refuse_path(diags, server->options.path, errno, NULL);
	if (!r && given < 0)
		r = bind_path(made, server->options.path, server, diags);
	if (!r)
		server->listen_fd = given < 0 ? TAKE_FD(made) : given;
	return r;
}

void server_unlisten(struct server *server)
{
	struct stat status;

	/* Another server may have taken the place. */
	if (server->path && lstat(server->path, &status) == 0 && status.st_dev == server->dev &&
	    status.st_ino == server->ino)
		(void)unlink(server->path);
	free(TAKE_PTR(server->path));
	mem_close_fd(&server->listen_fd);
}
