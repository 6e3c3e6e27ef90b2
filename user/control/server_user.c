/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all clients of a user may take together, so that many connections are no way around the limits
 * of one, nor connecting again.
 */
#include "control/server_private.h"

#include <stdlib.h>
#include <time.h>

#define THOUSAND 1000U

__u64 server_now_us(void)
{
	struct timespec now;

	/* Time of the day jumps; this does not, and one second is added so that it is never 0. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((__u64)now.tv_sec + 1) * THOUSAND * THOUSAND + (__u64)now.tv_nsec / THOUSAND;
}

__u64 server_now_ms(void)
{
	return server_now_us() / THOUSAND;
}

void bucket_init(struct bucket *bucket, __u64 rate, __u64 now_ms)
{
	*bucket = (struct bucket){ .filled_ms = now_ms, .tokens = rate * THOUSAND };
}

/* @rate requests a second are as many thousandths a millisecond. */
static void fill(struct bucket *bucket, __u64 rate, __u64 now_ms)
{
	__u64 most = rate * THOUSAND;
	__u64 gained;

	/* A round goes by the time of its begin: somebody may have come in since. */
	if (now_ms <= bucket->filled_ms)
		return;
	gained = (now_ms - bucket->filled_ms) * rate;
	bucket->tokens = bucket->tokens + gained > most ? most : bucket->tokens + gained;
	bucket->filled_ms = now_ms;
}

bool bucket_take(struct bucket *bucket, __u64 requests, __u64 rate, __u64 now_ms)
{
	fill(bucket, rate, now_ms);
	if (bucket->tokens < requests * THOUSAND)
		return false;
	bucket->tokens -= requests * THOUSAND;
	return true;
}

bool bucket_is_full(struct bucket *bucket, __u64 rate, __u64 now_ms)
{
	fill(bucket, rate, now_ms);
	return bucket->tokens == rate * THOUSAND;
}

struct user *server_user(struct server *server, uid_t uid, __u64 now_ms)
{
	struct user *user = server->users;

	while (user && user->uid != uid)
		user = user->next;
	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	user->next = server->users;
	bucket_init(&user->bucket, SERVER_RATE_OF_USER, now_ms);
	server->users = user;
	return user;
}

void server_forget_users(struct server *server, __u64 now_ms)
{
	struct user **at = &server->users;

	while (*at) {
		struct user *user = *at;

		/* An empty bucket is remembered: who comes back does not get a full one. */
		if (user->clients || !bucket_is_full(&user->bucket, SERVER_RATE_OF_USER, now_ms)) {
			at = &user->next;
			continue;
		}
		*at = user->next;
		free(user);
	}
}
