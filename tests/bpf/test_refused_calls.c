/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that refuses system calls to agents without a seccomp filter: killed in every table of
 * calls, with a record that names the rule; other calls, other processes and audit mode are left
 * alone.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <bpf/libbpf.h>
#include <cmocka.h>
#include <picket.skel.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "engine/features.h"
#include "engine/loader.h"
#include "engine/place.h"
#include "engine/refused_calls.h"
#include "engine/spawn.h"
#include "policy/compile.h"
#include "policy/load.h"

#define SLOT 5

static const char enforce[] = "picket: 1\n"
			      "name: refused\n"
			      "process: {profile: 'off'}\n"
			      "syscalls: {deny: [personality, getpriority]}\n";
static const char audit[] = "picket: 1\n"
			    "name: refused\n"
			    "mode: audit\n"
			    "process: {profile: 'off'}\n"
			    "syscalls: {deny: [personality, getpriority]}\n";

/** The engine with one agent. */
struct fixture {
	struct features features;
	struct place_roots roots;
	struct diag_list diags;
	struct loader loader;
	struct place place;
	struct agent agent;
	struct ring_buffer *ring;
	struct policy_image image;
	struct pk_event last; /* the newest record */
	unsigned int records;
};

static int keep(void *context, void *bytes, size_t size)
{
	struct fixture *f = context;

	assert_true(size >= sizeof(f->last));
	memcpy(&f->last, bytes, sizeof(f->last));
	f->records++;
	return 0;
}

static void compile(const char *text, struct policy_image *ret_image, struct diag_list *diags)
{
	const struct policy_context context = { 0 };
	struct policy *policy = NULL;
	int r = policy_load_text("refused", text, strlen(text), &context, &policy, diags);

	if (r == 0)
		r = policy_compile((const struct policy *const *)&policy, 1, NULL, ret_image,
				   diags);
	if (r)
		diag_print(diags, stderr);
	assert_int_equal(r, 0);
	policy_free(&policy);
}

static struct fixture *start(const char *text)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct place_lock lock = PLACE_LOCK_NONE;
	int r;

	assert_non_null(f);
	f->place = (struct place)PLACE_NONE;
	assert_int_equal(features_probe(PK_TIER_NETWORK, &f->features), 0);
	f->roots.cgroup = f->features.cgroup_root;
	f->roots.bpffs = f->features.bpffs;
	compile(text, &f->image, &f->diags);
	assert_int_equal(place_lock(&f->roots, &lock, &f->diags), 0);
	assert_int_equal(place_create(&f->roots, &lock, &f->place, &f->diags), 0);
	place_unlock(&f->roots, &lock);
	assert_int_equal(loader_load_prepared(PK_TIER_NETWORK, refused_calls_prepare, NULL,
					      &f->loader, &f->diags),
			 0);
	assert_int_equal(loader_attach(&f->loader, f->place.cgroup, &f->diags), 0);
	f->agent.slot = SLOT;
	r = refused_calls_publish(&f->loader, SLOT, &f->image, &f->diags);
	if (r == 0)
		r = agent_create(&f->loader, &f->agent, f->place.cgroup, &f->image, &f->diags);
	if (r)
		diag_print(&f->diags, stderr);
	assert_int_equal(r, 0);
	f->ring = ring_buffer__new(bpf_map__fd(f->loader.skel->maps.pk_decisions), keep, f, NULL);
	assert_non_null(f->ring);
	return f;
}

static void stop(struct fixture *f)
{
	assert_int_equal(agent_remove(&f->loader, &f->agent), 0);
	ring_buffer__free(f->ring);
	loader_close(&f->loader);
	assert_int_equal(place_remove(&f->roots, &f->place, &f->diags), 0);
	image_reset(&f->image);
	features_reset(&f->features);
	diag_list_reset(&f->diags);
	free(f);
}

/* The call by its number of the 32-bit table, which 64-bit programs can reach too. */
static void call_32(long number)
{
#ifdef __x86_64__
	long result = number;

	__asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0) : "memory");
#else
	(void)number;
#endif
}

/** How a child makes its call. */
enum way { WAY_64, WAY_X32, WAY_32 };

/* Run a child that makes one call, in the cgroup @cgroup or (-1) where we are; its wait status. */
static int act(int cgroup, enum way way, long number)
{
	CLEAN_FD int pidfd = -1;
	pid_t pid = cgroup < 0 ? fork() : spawn_fork(cgroup, &pidfd);
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (way == WAY_32)
			call_32(number);
		else
			(void)syscall(way == WAY_X32 ? number | 0x40000000 : number, 0, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_killed(struct fixture *f, enum way way, long number, const char *name)
{
	unsigned int before = f->records;
	int status = act(f->place.cgroup, way, number);
	const struct pk_rule *rule;

	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(ring_buffer__consume(f->ring) >= 0);
	assert_int_equal(f->records, before + 1);
	assert_int_equal(f->last.op, PK_OP_SYSCALL);
	assert_int_equal(f->last.section, PK_SECTION_SYSCALLS);
	assert_int_equal(f->last.detail, number);
	rule = image_rule(&f->image, f->last.rule);
	assert_non_null(rule);
	assert_string_equal(image_string(&f->image, rule->text), name);
}

static void refused_call_kills(void **state)
{
	struct fixture *f = start(enforce);

	(void)state;
	/* Who is no agent makes all of them. */
	assert_int_equal(act(-1, WAY_64, SYS_getpriority), 0);
	expect_killed(f, WAY_64, SYS_getpriority, "getpriority");
	expect_killed(f, WAY_64, SYS_personality, "personality");
	/* A call that is not refused. */
	assert_int_equal(act(f->place.cgroup, WAY_64, SYS_getppid), 0);
#ifdef __x86_64__
	assert_int_equal(act(-1, WAY_32, 96), 0);
	expect_killed(f, WAY_32, 96, "getpriority");
	expect_killed(f, WAY_X32, SYS_getpriority, "getpriority");
	/* 140 is getpriority of the 64-bit table and _llseek of the 32-bit one. */
	assert_int_equal(act(f->place.cgroup, WAY_32, SYS_getpriority), 0);
#endif
	stop(f);
}

static void audit_mode_only_reports(void **state)
{
	struct fixture *f = start(audit);

	(void)state;
	assert_int_equal(act(f->place.cgroup, WAY_64, SYS_getpriority), 0);
	assert_true(ring_buffer__consume(f->ring) >= 0);
	assert_int_equal(f->records, 1);
	assert_int_equal(f->last.audit, 1);
	assert_int_equal(f->last.error, 0);
	stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_call_kills),
		cmocka_unit_test(audit_mode_only_reports),
	};

	return cmocka_run_group_tests_name("refused_calls", tests, NULL, NULL);
}
