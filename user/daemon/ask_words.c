/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-2-4 with 128 bits, as the kernel's programs have it, over what they put into it for a command.
 */
#include "daemon/ask_words.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/ask_process.h"
#include "daemon/proc.h"

#define PROC_PATH_SIZE 64

/* --- The hash ------------------------------------------------------------------------------------- */

static __u64 turn(__u64 x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static void mix(__u64 v[4])
{
	v[0] += v[1];
	v[1] = turn(v[1], 13) ^ v[0];
	v[0] = turn(v[0], 32);
	v[2] += v[3];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = turn(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = turn(v[1], 17) ^ v[2];
	v[2] = turn(v[2], 32);
}

static void add(__u64 v[4], __u64 word)
{
	v[3] ^= word;
	mix(v);
	mix(v);
	v[0] ^= word;
}

static __u64 end(__u64 v[4])
{
	for (int i = 0; i < 4; i++)
		mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Its length first. */
static void add_text(__u64 v[4], const char *bytes, size_t length)
{
	add(v, length);
	for (size_t at = 0; at < length; at += sizeof(__u64)) {
		__u64 word = 0;

		memcpy(&word, bytes + at, length - at < sizeof(word) ? length - at : sizeof(word));
		add(v, word);
	}
}

void ask_words_hash(__u64 seed, const struct ask_words *words, __u64 ret_hash[2])
{
	__u64 more = turn(seed, 29) ^ 0x9e3779b97f4a7c15ULL;
	__u64 v[4] = {
		seed ^ 0x736f6d6570736575ULL,
		more ^ 0x646f72616e646f6dULL ^ 0xee,
		seed ^ 0x6c7967656e657261ULL,
		more ^ 0x7465646279746573ULL,
	};

	add(v, (__u64)PK_SECTION_EXEC << 16 | (__u64)PK_ACCESS_COMMAND << 8 | PK_OP_COMMAND);
	/* No other process, no number, no name of another process. */
	for (int i = 0; i < 3; i++)
		add(v, 0);
	add_text(v, words->path, words->path_length);
	add_text(v, words->bytes, words->length);
	v[2] ^= 0xee;
	ret_hash[0] = end(v);
	v[1] ^= 0xdd;
	ret_hash[1] = end(v);
}

static bool verify(__u64 seed, const struct event *event, struct ask_words *words)
{
	__u64 hash[2];

	ask_words_hash(seed, words, hash);
	words->verified = memcmp(hash, event->head.ask, sizeof(hash)) == 0;
	return words->verified;
}

/* --- Where words are ------------------------------------------------------------------------------ */

static int copy_path(const struct event *event, struct ask_words *words)
{
	words->path = malloc(event->path.length + 1);
	if (!words->path)
		return -ENOMEM;
	if (event->path.length)
		memcpy(words->path, event->path.bytes, event->path.length);
	words->path_length = event->path.length;
	return 0;
}

/* As they are when no word has a blank in it. */
static int take_text(const struct event *event, struct ask_words *words)
{
	int r = copy_path(event, words);

	if (r)
		return r;
	words->bytes = malloc(event->path2.length + 1);
	if (!words->bytes)
		return -ENOMEM;
	memcpy(words->bytes, event->path2.bytes, event->path2.length);
	words->bytes[event->path2.length] = '\0';
	words->length = event->path2.length + 1;
	for (size_t i = 0; i < words->length; i++)
		words->bytes[i] = words->bytes[i] == ' ' ? '\0' : words->bytes[i];
	return 0;
}

static int read_program(pid_t pid, struct ask_words *words)
{
	char path[PROC_PATH_SIZE];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	words->path = malloc(PK_PATH_MAX);
	if (!words->path)
		return -ENOMEM;
	length = readlink(path, words->path, PK_PATH_MAX);
	words->path_length = length < 0 ? 0 : (size_t)length;
	return length < 0 ? -ENOENT : 0;
}

/* A line that is longer than what can be asked about is another one. */
static int read_words(pid_t pid, struct ask_words *words)
{
	char path[PROC_PATH_SIZE];
	CLEAN_FD int fd = -1;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	words->bytes = malloc(PK_PATH_MAX);
	if (!words->bytes)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, words->bytes, PK_PATH_MAX);
	words->length = length < 0 ? 0 : (size_t)length;
	return length > 0 ? 0 : -ENOENT;
}

static int take_process(const struct event *event, struct ask_words *words)
{
	CLEAN_FD int pidfd = ask_process_open(&event->head);
	int r;

	if (pidfd < 0)
		return -ENOENT;
	r = event->path.length ? copy_path(event, words) :
				 read_program((pid_t)event->head.tgid, words);
	if (r == 0)
		r = read_words((pid_t)event->head.tgid, words);
	/* Read of the process that it was. */
	return r == 0 && !proc_is_alive(pidfd) ? -ENOENT : r;
}

int ask_words_find(__u64 seed, const struct event *event, struct ask_words *ret_words)
{
	CLEAN(ask_words_reset) struct ask_words words = { 0 };
	int r = event->path2.length ? take_text(event, &words) : -ENOENT;

	if (r == 0 && !verify(seed, event, &words))
		r = -ENOENT;
	if (r == -ENOENT) {
		ask_words_reset(&words);
		r = take_process(event, &words);
		/* What the kernel told is worth more than what cannot be verified. */
		if (r == 0 && !verify(seed, event, &words) && event->path2.length)
			r = -ENOENT;
	}
	if (r)
		return r;
	*ret_words = words;
	words = (struct ask_words){ 0 };
	return 0;
}

struct event ask_words_event(const struct event *event, const struct ask_words *words)
{
	struct event whole = *event;

	whole.path = (struct event_path){ .bytes = words->path, .length = words->path_length };
	whole.path2 = (struct event_path){ .bytes = words->bytes, .length = words->length };
	return whole;
}

void ask_words_reset(struct ask_words *words)
{
	free(words->path);
	free(words->bytes);
	*words = (struct ask_words){ 0 };
}
