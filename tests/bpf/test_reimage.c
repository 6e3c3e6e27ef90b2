/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another image is published while an agent's sockets are open: the next packet is judged by that one.
 * A connection that it denies is over, whatever image comes later; of datagrams each is judged anew.
 * What a connection said first is kept, and its name is judged by the new image.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <picket.skel.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "engine/features.h"
#include "engine/loader.h"
#include "engine/place.h"
#include "engine/publish.h"
#include "engine/spawn.h"
#include "policy/compile.h"
#include "policy/load.h"

#define SLOT 6
/* For what must come, also in a slow guest; for what must not. */
#define COMES_MS 15000
#define STAYS_AWAY_MS 700

static const char banned[] = "GET / HTTP/1.1\r\nHost: banned.test\r\n\r\n";

/** The engine with one agent, a process that sends what it is told to, and whom it sends to. */
struct fixture {
	struct features features;
	struct place_roots roots;
	struct diag_list diags;
	struct loader loader;
	struct place place;
	struct agent agent;
	struct ring_buffer *ring;
	struct pk_event last; /* the newest record of a denial */
	unsigned int denials;
	int type; /* SOCK_STREAM or SOCK_DGRAM */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at; /* where the receiver is */
	socklen_t length;
	int listener; /* -1: there is none */
	int receiver;
	int orders; /* our end of the agent's */
	pid_t pid;
};

static int keep(void *context, void *bytes, size_t size)
{
	struct fixture *f = context;
	const struct pk_event *event = bytes;

	assert_true(size >= sizeof(f->last));
	if (event->agent != SLOT || event->verdict == PK_VERDICT_ALLOW)
		return 0;
	memcpy(&f->last, bytes, sizeof(f->last));
	f->denials++;
	return 0;
}

/* Wait for input no longer than so. */
static void wait_at_most(int fd, int ms)
{
	const struct timeval wait = { ms / 1000, ms % 1000 * 1000L };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
}

/* The receiver of datagrams, or who waits for the connection. */
static void open_receiver(struct fixture *f, int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	f->type = type;
	memset(&f->at, 0, sizeof(f->at));
	f->at.any.sa_family = (sa_family_t)family;
	f->length = family == AF_INET ? sizeof(f->at.v4) : sizeof(f->at.v6);
	if (family == AF_INET)
		f->at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		f->at.v6.sin6_addr = in6addr_loopback;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &f->at.any, f->length), 0);
	assert_int_equal(getsockname(fd, &f->at.any, &f->length), 0);
	f->listener = type == SOCK_STREAM ? fd : -1;
	f->receiver = type == SOCK_STREAM ? -1 : fd;
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
}

/* The agent: connects, then sends each message that it is given; its answer is an errno. */
static int obey(const struct fixture *f, int orders)
{
	int fd = socket(f->at.any.sa_family, f->type | SOCK_CLOEXEC, 0);
	int error = fd < 0 || connect(fd, &f->at.any, f->length) ? errno : 0;
	char message[256];
	ssize_t n;

	while (send(orders, &error, sizeof(error), MSG_NOSIGNAL) == sizeof(error)) {
		n = recv(orders, message, sizeof(message), 0);
		if (n <= 0)
			break;
		error = send(fd, message, (size_t)n, MSG_NOSIGNAL) == n ? 0 : errno;
	}
	return 0;
}

/* The errno that the agent tells. */
static int hear(const struct fixture *f)
{
	int error = -1;

	assert_int_equal(recv(f->orders, &error, sizeof(error), 0), sizeof(error));
	return error;
}

static int tell(const struct fixture *f, const char *message)
{
	size_t length = strlen(message);

	assert_int_equal(send(f->orders, message, length, MSG_NOSIGNAL), length);
	return hear(f);
}

static void start_agent(struct fixture *f)
{
	CLEAN_FD int pidfd = -1;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f->pid = spawn_fork(f->place.cgroup, &pidfd);
	if (f->pid == 0) {
		(void)close(pair[0]);
		_exit(obey(f, pair[1]));
	}
	assert_true(f->pid > 0);
	(void)close(pair[1]);
	f->orders = pair[0];
	wait_at_most(f->orders, COMES_MS);
	assert_int_equal(hear(f), 0);
	if (f->type != SOCK_STREAM)
		return;
	f->receiver = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(f->receiver >= 0);
}

/* A policy about the receiver: allowed ("+") or denied ("-"), with the rules that follow the sign. */
static void compile(struct fixture *f, const char *rules, struct policy_image *ret_image)
{
	const struct policy_context context = { 0 };
	struct policy *policy = NULL;
	char text[1024];
	int r;

	(void)snprintf(text, sizeof(text),
		       "picket: 1\nname: reimage\nprocess: {profile: 'off'}\negress:\n"
		       "  dns: {resolvers: ['192.0.2.53']}\n"
		       "  default: deny\n  rules:\n"
		       "    - {%s: ['127.0.0.1:%u', '[::1]:%u']}\n%s",
		       rules[0] == '-' ? "deny" : "allow", ntohs(f->at.v4.sin_port),
		       ntohs(f->at.v4.sin_port), rules + 1);
	r = policy_load_text("reimage", text, strlen(text), &context, &policy, &f->diags);
	if (r == 0)
		r = policy_compile((const struct policy *const *)&policy, 1, NULL, ret_image,
				   &f->diags);
	if (r)
		diag_print(&f->diags, stderr);
	assert_int_equal(r, 0);
	policy_free(&policy);
}

/* What compile() makes of @rules is the agent's policy from now on. */
static void publish(struct fixture *f, const char *rules)
{
	struct policy_image image = { 0 };
	int r;

	compile(f, rules, &image);
	if (f->agent.slot)
		r = publish_image(bpf_map__fd(f->loader.skel->maps.pk_images), SLOT, &image,
				  &f->diags);
	else {
		f->agent.slot = SLOT;
		r = agent_create(&f->loader, &f->agent, f->place.cgroup, &image, &f->diags);
	}
	if (r)
		diag_print(&f->diags, stderr);
	assert_int_equal(r, 0);
	image_reset(&image);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct place_lock lock = PLACE_LOCK_NONE;
	struct loader_request request = { .packets_out = true, .packets_in = true, .names = true };

	assert_non_null(f);
	f->place = (struct place)PLACE_NONE;
	assert_int_equal(features_probe(PK_TIER__MAX - 1, &f->features), 0);
	f->roots.cgroup = f->features.cgroup_root;
	f->roots.bpffs = f->features.bpffs;
	request.tier = (enum pk_tier)f->features.tier;
	assert_int_equal(place_lock(&f->roots, &lock, &f->diags), 0);
	assert_int_equal(place_create(&f->roots, &lock, &f->place, &f->diags), 0);
	place_unlock(&f->roots, &lock);
	assert_int_equal(loader_load_request(&request, &f->loader, &f->diags), 0);
	assert_int_equal(loader_attach(&f->loader, f->place.cgroup, &f->diags), 0);
	f->ring = ring_buffer__new(bpf_map__fd(f->loader.skel->maps.pk_decisions), keep, f, NULL);
	assert_non_null(f->ring);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(agent_remove(&f->loader, &f->agent), 0);
	ring_buffer__free(f->ring);
	loader_close(&f->loader);
	assert_int_equal(place_remove(&f->roots, &f->place, &f->diags), 0);
	features_reset(&f->features);
	diag_list_reset(&f->diags);
	free(f);
	return 0;
}

/* A receiver, and the agent's process that has a socket to it by the first image. */
static void start(struct fixture *f, int family, int type, const char *rules)
{
	open_receiver(f, family, type);
	publish(f, rules);
	start_agent(f);
}

static void stop(struct fixture *f)
{
	mem_close_fd(&f->orders);
	/* Not by cgroup.kill: kernels then kill what is started in that cgroup later, too. */
	assert_int_equal(kill(f->pid, SIGKILL), 0);
	assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
	if (f->listener >= 0)
		mem_close_fd(&f->listener);
	mem_close_fd(&f->receiver);
	assert_int_equal(cgroup_wait_empty(f->place.cgroup, 5000), 0);
}

/* A message gets to the receiver, and nothing is said about it. */
static void arrives(struct fixture *f, const char *message)
{
	unsigned int before = f->denials;
	char bytes[256] = { 0 };

	assert_int_equal(tell(f, message), 0);
	wait_at_most(f->receiver, COMES_MS);
	assert_int_equal(recv(f->receiver, bytes, sizeof(bytes) - 1, 0), strlen(message));
	assert_string_equal(bytes, message);
	assert_true(ring_buffer__consume(f->ring) >= 0);
	assert_int_equal(f->denials, before);
}

/* It does not; the sender is told @error, and of @told records the last one is about @op. */
static void is_dropped(struct fixture *f, const char *message, int error, unsigned int told,
		       __u32 op)
{
	unsigned int before = f->denials;
	char byte;

	assert_int_equal(tell(f, message), error);
	wait_at_most(f->receiver, STAYS_AWAY_MS);
	assert_int_equal(recv(f->receiver, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(ring_buffer__consume(f->ring) >= 0);
	assert_int_equal(f->denials, before + told);
	/* Where there are hooks, the call is refused before there is a packet. */
	if (op == PK_OP_NONE)
		return;
	assert_int_equal(f->last.op, op);
	assert_int_equal(f->last.section, PK_SECTION_EGRESS);
	assert_int_equal(f->last.port, ntohs(f->at.v4.sin_port));
	assert_int_equal(f->last.family, f->at.any.sa_family);
}

static void connection_follows(struct fixture *f, int family)
{
	start(f, family, SOCK_STREAM, "+");

	arrives(f, "one");
	/* Another image that allows it as well. */
	publish(f, "+    - {allow: '192.0.2.1:443'}\n");
	arrives(f, "two");
	publish(f, "-");
	is_dropped(f, "three", 0, 1, PK_OP_PACKET);
	/* That was said; it stays so, for what was dropped is sent again. */
	publish(f, "+");
	is_dropped(f, "four", 0, 0, PK_OP_NONE);
	stop(f);
}

static void datagrams_follow(struct fixture *f, int family)
{
	start(f, family, SOCK_DGRAM, "+");

	arrives(f, "one");
	publish(f, "+    - {allow: '192.0.2.1:443'}\n");
	arrives(f, "two");
	publish(f, "-");
	is_dropped(f, "three", EPERM, 1, PK_OP_PACKET);
	is_dropped(f, "four", EPERM, 1, PK_OP_PACKET);
	publish(f, "+");
	arrives(f, "five");
	/* No image at all denies. */
	assert_int_equal(publish_clear(bpf_map__fd(f->loader.skel->maps.pk_images), SLOT), 0);
	is_dropped(f, "six", EPERM, 1, PK_OP_NONE);
	stop(f);
}

static void said_name_follows(struct fixture *f, int family)
{
	start(f, family, SOCK_STREAM, "+    - {deny: 'other.test'}\n");

	arrives(f, banned);
	publish(f, "+    - {deny: ['other.test', 'third.test']}\n");
	arrives(f, "more");
	publish(f, "+    - {deny: 'banned.test'}\n");
	is_dropped(f, "and more", 0, 1, PK_OP_NAME);
	stop(f);
}

/* What a connection said before anybody wanted to know is not held against it. */
static void silence_holds(struct fixture *f, int family)
{
	start(f, family, SOCK_STREAM, "+");
	arrives(f, banned);
	publish(f, "+    - {deny: 'banned.test'}\n");
	arrives(f, "more");
	arrives(f, banned);
	stop(f);
}

static void connection_follows_the_image(void **state)
{
	connection_follows(*state, AF_INET);
}

static void connection_follows_the_image_v6(void **state)
{
	connection_follows(*state, AF_INET6);
}

static void datagrams_follow_the_image(void **state)
{
	datagrams_follow(*state, AF_INET);
}

static void datagrams_follow_the_image_v6(void **state)
{
	datagrams_follow(*state, AF_INET6);
}

static void name_once_said_follows_the_image(void **state)
{
	said_name_follows(*state, AF_INET);
}

static void name_once_said_follows_the_image_v6(void **state)
{
	said_name_follows(*state, AF_INET6);
}

static void name_said_unseen_is_left_alone(void **state)
{
	silence_holds(*state, AF_INET);
	silence_holds(*state, AF_INET6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_follows_the_image),
		cmocka_unit_test(connection_follows_the_image_v6),
		cmocka_unit_test(datagrams_follow_the_image),
		cmocka_unit_test(datagrams_follow_the_image_v6),
		cmocka_unit_test(name_once_said_follows_the_image),
		cmocka_unit_test(name_once_said_follows_the_image_v6),
		cmocka_unit_test(name_said_unseen_is_left_alone),
	};

	return cmocka_run_group_tests_name("reimage", tests, setup, teardown);
}
