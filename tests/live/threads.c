/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads PORT [THREADS]: a program whose threads all work while one of them connects. Prints what
 * connecting gave ("ok" or an errno), and then, of the others, how many went on afterwards.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS_MAX 64

/* One that counts. */
struct worker {
	pthread_t thread;
	atomic_ulong turns;
};

static atomic_bool done;

static void *work(void *context)
{
	struct worker *worker = context;

	while (!atomic_load(&done)) {
		atomic_fetch_add(&worker->turns, 1);
		(void)usleep(1000);
	}
	return NULL;
}

/* Returns 0 or the errno. */
static int try_connect(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((in_port_t)strtoul(port, NULL, 10)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		r = errno;
	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* How many of the @count counted on since now. */
static unsigned long count_alive(struct worker *workers, unsigned long count)
{
	unsigned long before[THREADS_MAX];
	unsigned long alive = 0;

	for (unsigned long i = 0; i < count; i++)
		before[i] = atomic_load(&workers[i].turns);
	for (int round = 0; round < 100 && alive < count; round++) {
		(void)usleep(20000);
		alive = 0;
		for (unsigned long i = 0; i < count; i++)
			alive += atomic_load(&workers[i].turns) > before[i];
	}
	return alive;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 8;
	int r;

	if (argc < 2 || count > THREADS_MAX)
		return 2;
	for (unsigned long i = 0; i < count; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 3;
	r = try_connect(argv[1]);
	(void)printf("%s, %lu of %lu threads go on\n", r ? strerrorname_np(r) : "ok",
		     count_alive(workers, count), count);
	atomic_store(&done, true);
	for (unsigned long i = 0; i < count; i++)
		(void)pthread_join(workers[i].thread, NULL);
	return r != 0;
}
