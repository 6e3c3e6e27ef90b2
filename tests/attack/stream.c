/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on how a greeting gets into a connection: piece by piece, in the sender's own segments, out of
 * files and out of pages that change behind its back. "ok" means that the peer got and returned it.
 */
#include "greeting.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define TRIES 300

/* What send() has not yet taken, in pieces, none of which waits for an answer. */
static int in_pieces(int fd, const struct bytes *b, size_t part, int flags)
{
	size_t n;

	for (size_t at = 0; at < b->length; at += n) {
		n = b->length - at < part ? b->length - at : part;
		if (send(fd, b->at + at, n, MSG_NOSIGNAL | (at + n < b->length ? flags : 0)) !=
		    (ssize_t)n)
			return missed();
	}
	return hear(fd, b->length);
}

/* more ADDRESS PORT KIND NAME BYTES: pieces that the kernel is asked to put together. */
static int act_more(char **a)
{
	struct bytes b = made(a[2], a[3]);
	int fd = open_to(a);

	return fd < 0 ? missed() : in_pieces(fd, &b, (size_t)number(a[4]), MSG_MORE);
}

/* burst ADDRESS PORT KIND NAME BYTES: pieces that leave at once, or together when they can. */
static int act_burst(char **a)
{
	struct bytes b = made(a[2], a[3]);
	int fd = open_to(a);

	return fd < 0 ? missed() : in_pieces(fd, &b, (size_t)number(a[4]), 0);
}

/* segments ADDRESS PORT KIND NAME BYTES: one call, cut by TCP itself. */
static int act_segments(char **a)
{
	struct bytes b = made(a[2], a[3]);
	struct place to = place_of(a[0], a[1]);
	int fd = socket_to(&to, SOCK_STREAM), size = (int)number(a[4]);

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &size, sizeof(size)) ||
	    connect(fd, raw(&to), to.length))
		return missed();
	return in_pieces(fd, &b, b.length, 0);
}

/* Out of a file, which reaches the socket by other ways than send does. */
static int act_from_file(char **a)
{
	struct bytes b = made(a[2], a[3]);
	int file = memfd_create("greeting", MFD_CLOEXEC), fd = open_to(a);
	off_t at = 0;

	if (fd < 0 || file < 0 || write(file, b.at, b.length) != (ssize_t)b.length)
		return missed();
	if (sendfile(fd, file, &at, b.length) < 0)
		return missed();
	return hear(fd, b.length);
}

/* Pages that hold what was sent, until the peer has come to read it. */
struct pages {
	uint8_t *at;
	int file; /* whose they are, -1: of no file */
	int ends[2]; /* of a pipe */
};

static int make_pages(struct pages *p, const struct bytes *b)
{
	p->file = memfd_create("greeting", MFD_CLOEXEC);
	if (p->file < 0 || ftruncate(p->file, SIZE) || pipe2(p->ends, O_CLOEXEC))
		return -1;
	p->at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, p->file, 0);
	if (p->at == MAP_FAILED)
		return -1;
	memcpy(p->at, b->at, b->length);
	return 0;
}

static void drop_pages(struct pages *p)
{
	munmap(p->at, SIZE);
	close(p->file);
	close(p->ends[0]);
	close(p->ends[1]);
}

/* Their first @count bytes into the socket, without a copy. */
static ssize_t send_pages(const char *how, int fd, struct pages *p, size_t count)
{
	struct iovec iov = { p->at, count };
	off_t at = 0;

	if (!strcmp(how, "file"))
		return sendfile(fd, p->file, &at, count);
	if (!strcmp(how, "zero-copy"))
		return set(fd, SOL_SOCKET, SO_ZEROCOPY) ?
			       -1 :
			       send(fd, p->at, count, MSG_ZEROCOPY | MSG_NOSIGNAL);
	if (vmsplice(p->ends[1], &iov, 1, SPLICE_F_GIFT) != (ssize_t)count)
		return -1;
	return splice(p->ends[0], NULL, fd, NULL, count, 0);
}

/* Send @good and change the pages to @bad at once: 0 when the peer saw that, 2 when not. */
static int swap_once(char **a, const struct bytes *good, const struct bytes *bad)
{
	struct bytes seen = { 0 };
	struct pages p;
	int fd = open_to(a + 1);
	ssize_t n;

	if (fd < 0 || make_pages(&p, good))
		return missed();
	n = send_pages(a[0], fd, &p, good->length);
	memcpy(p.at, bad->at, bad->length);
	if (n < 0)
		return missed();
	for (; seen.length < good->length; seen.length += (size_t)n) {
		n = recv(fd, seen.at + seen.length, SIZE - seen.length, 0);
		if (n <= 0)
			return n < 0 ? missed() : say("closed");
	}
	close(fd);
	drop_pages(&p);
	return memcmp(seen.at, bad->at, bad->length) ? 2 : 0;
}

/*
 * swap HOW ADDRESS PORT KIND NAME OTHER: the peer reads a page when it comes to it, which may be after
 * it was checked. HOW: file, pipe, zero-copy. Names of one length. "ok" when the peer saw the other
 * name once.
 */
static int act_swap(char **a)
{
	struct bytes good = made(a[3], a[4]), bad = made(a[3], a[5]);
	int r = 2;

	for (int i = 0; i < TRIES && r == 2; i++)
		r = swap_once(a, &good, &bad);
	return r == 2 ? say("lost") : r;
}

static const struct act acts[] = {
	{ "more", 5, act_more },	 { "burst", 5, act_burst },
	{ "segments", 5, act_segments }, { "from-file", 4, act_from_file },
	{ "swap", 6, act_swap },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
