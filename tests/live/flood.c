/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood: as many allowed acts as fit, from several processes, and a refused one at a steady pace among
 * them. The acts are connect(2) of datagram sockets: each is judged and told, and nothing is sent.
 *
 *   flood SECONDS PROCESSES RATE PORT CLOSED MS
 *
 * PROCESSES connect to 127.0.0.1:PORT, RATE times a second in all (0: as fast as it goes); one more connects
 * a stream socket to 127.0.0.1:CLOSED every MS milliseconds. Prints "ALLOWED REFUSED" at the end: what the
 * kernel let through, and how often it said EPERM. Then it waits for the end of standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What is counted, shared with all processes. */
struct counts {
	unsigned long allowed;
	unsigned long refused;
};

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((unsigned short)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pause_until(double when)
{
	double left = when - now();
	const struct timespec time = {
		.tv_sec = (time_t)left,
		.tv_nsec = (long)((left - (double)(time_t)left) * 1e9),
	};

	if (left > 0)
		(void)nanosleep(&time, NULL);
}

/* @rate a second until @end, in steps of a millisecond; 0: without a pause. */
static unsigned long connect_allowed(int port, double rate, double end)
{
	const struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	double begin = now();
	unsigned long allowed = 0;

	while (fd >= 0 && now() < end) {
		for (int i = 0; i < 64; i++)
			allowed += connect(fd, (const struct sockaddr *)&address,
					   sizeof(address)) == 0;
		if (rate > 0 && (double)allowed > (now() - begin) * rate)
			pause_until(begin + (double)allowed / rate);
	}
	return allowed;
}

static unsigned long connect_refused(int port, double step, double end)
{
	const struct sockaddr_in address = loopback(port);
	unsigned long refused = 0;

	for (double next = now(); next < end; next += step) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		refused += connect(fd, (const struct sockaddr *)&address, sizeof(address)) &&
			   errno == EPERM;
		(void)close(fd);
		pause_until(next + step);
	}
	return refused;
}

int main(int argc, char **argv)
{
	struct counts *counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double end = now() + (argc == 7 ? strtod(argv[1], NULL) : 0);
	char byte;

	if (argc != 7 || counts == MAP_FAILED) {
		(void)fputs("usage: flood SECONDS PROCESSES RATE PORT CLOSED MS\n", stderr);
		return 2;
	}
	for (int i = 0, count = atoi(argv[2]); i < count; i++) {
		if (fork() == 0) {
			unsigned long allowed =
				connect_allowed(atoi(argv[4]), strtod(argv[3], NULL) / count, end);

			(void)__atomic_fetch_add(&counts->allowed, allowed, __ATOMIC_RELAXED);
			_exit(0);
		}
	}
	counts->refused = connect_refused(atoi(argv[5]), strtod(argv[6], NULL) / 1000, end);
	while (wait(NULL) > 0)
		;
	(void)printf("%lu %lu\n", counts->allowed, counts->refused);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
