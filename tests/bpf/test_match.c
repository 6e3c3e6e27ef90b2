/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The matcher in the kernel's JIT against the same lines on the host: random policies, keys made
 * from their patterns, verdict and rule compared. And the map's promises: an image cannot be
 * changed once published, an empty slot answers nothing.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <test_match.skel.h>

#include "engine/publish.h"
#include "policy/compile.h"
#include "policy/decide.h"
#include "policy/load.h"

#include "match.h"

#define POLICIES 60
#define KEYS 300
#define SLOT 1U

static const char *const pieces[] = { "usr",  "lib",   ".env",	"src", "a",   "b",    "main.c",
				      ".git", "hooks", "x.key", "sub", "tmp", "home", "u" };
static const char *const globs[] = { "usr",	      "**",	   "*",	    ".env", "a*",
				     "*.key",	      "{a,b}",	   "[a-c]", "src",  "?",
				     ".git/hooks/**", "home/u/**", "*a*b" };
static const char *const accesses[] = { "read", "write", "exec", "all" };

static const char *const programs[] = { "/usr/**", "/usr/a", "**/b, /src/*", "**/main.c" };
static const char *const commands[] = { "git", "/usr/**", "/usr/{a,b}", "/*/git", "gh" };
static const char *const words[] = { "a", "*", "?", "{a,b}", "[!a]", "a*b", "x", "--*" };
static const char *const spoken[] = { "a", "b", "x", "a/b", "--x", "", "ab" };

#define PICK(table) ((table)[(size_t)random() % (sizeof(table) / sizeof((table)[0]))])

static void add_path_rules(FILE *to, const char *section, int with_access)
{
	fprintf(to, "%s:\n  default: %s\n  rules:\n", section, random() % 3 ? "deny" : "allow");
	for (long n = 1 + random() % 12; n > 0; n--) {
		fprintf(to, "    - {%s: \"", random() % 3 ? "allow" : "deny");
		for (long depth = 1 + random() % 4; depth > 0; depth--)
			fprintf(to, "/%s", PICK(globs));
		fprintf(to, "\"");
		if (with_access)
			fprintf(to, ", access: [%s]", PICK(accesses));
		if (random() % 4 == 0)
			fprintf(to, ", by: [%s]", PICK(programs));
		fprintf(to, ", reason: r%ld}\n", random());
	}
}

static void add_commands(FILE *to)
{
	fprintf(to, "    - {deny: \"git ... %s\", reason: r%ld}\n", PICK(words), random());
	for (long n = 1 + random() % 8; n > 0; n--) {
		fprintf(to, "    - {%s: \"%s", random() % 3 ? "allow" : "deny", PICK(commands));
		for (long count = random() % 4; count > 0; count--)
			fprintf(to, " %s", PICK(words));
		fprintf(to, " x\", reason: r%ld}\n", random());
	}
}

static void add_unix(FILE *to)
{
	fprintf(to, "unix:\n  default: %s\n  rules:\n", random() % 3 ? "deny" : "allow");
	for (long n = 1 + random() % 4; n > 0; n--)
		fprintf(to, "    - {%s: \"%s/%s\", reason: r%ld}\n",
			random() % 3 ? "allow" : "deny", PICK(pieces), PICK(globs), random());
}

static void add_egress(FILE *to)
{
	fprintf(to, "egress:\n  default: %s\n  rules:\n", random() % 3 ? "deny" : "allow");
	for (long n = 1 + random() % 20; n > 0; n--)
		fprintf(to, "    - {%s: \"10.%ld.0.0/16:%ld-%ld\", protocol: %s, reason: r%ld}\n",
			random() % 3 ? "allow" : "deny", random() % 4, 1 + random() % 50,
			51 + random() % 100, random() % 2 ? "tcp" : "[tcp, udp]", random());
}

/* A random policy; one in which a rule is refused as useless is drawn again. */
static void draw_image(struct policy_image *image)
{
	const struct policy_context context = { 0 };

	for (int tries = 0; tries < 100; tries++) {
		struct diag_list diags = { 0 };
		struct policy *policy = NULL;
		char *text = NULL;
		size_t length = 0;
		FILE *to = open_memstream(&text, &length);
		const struct compile_options options = { 0 };
		int r;

		assert_non_null(to);
		fprintf(to, "picket: 1\nname: random\n");
		add_egress(to);
		add_path_rules(to, "files", 1);
		add_path_rules(to, "exec", 0);
		add_commands(to);
		add_unix(to);
		fclose(to);
		r = policy_load_text("random", text, length, &context, &policy, &diags);
		if (!r)
			r = policy_compile((const struct policy *const *)&policy, 1, &options,
					   image, &diags);
		policy_free(&policy);
		diag_list_reset(&diags);
		free(text);
		if (!r)
			return;
	}
	fail_msg("no valid random policy in 100 draws");
}

static const __u32 sections[] = { PK_SECTION_EGRESS, PK_SECTION_FILES, PK_SECTION_FILES,
				  PK_SECTION_EXEC,   PK_SECTION_EXEC,  PK_SECTION_UNIX,
				  PK_SECTION_SUBJECT };

static int is_command(const struct match_io *io)
{
	return io->section == PK_SECTION_EXEC && io->access == PK_ACCESS_COMMAND;
}

/* The key of a command; returns its length. */
static size_t draw_command(struct match_io *io)
{
	static const char *const names[] = { "/usr/bin/git", "/git", "/usr/a", "/usr/a/b",
					     "/opt/gh" };
	size_t at = strlen(strcpy((char *)io->key, PICK(names))) + 1;

	for (long count = random() % 5; count > 0; count--)
		at += strlen(strcpy((char *)io->key + at, PICK(spoken))) + 1;
	io->cut = (__u32)((size_t)random() % (at + 1));
	return at;
}

static void draw_question(struct match_io *io)
{
	size_t at = 0;

	memset(io, 0, sizeof(*io));
	io->slot = SLOT;
	io->section = PICK(sections);
	io->subjects = random() % 2 ? 0 : 1U << (random() % 6);
	if (io->section == PK_SECTION_EGRESS) {
		io->access = random() % 2 ? PK_ACCESS_TCP : PK_ACCESS_UDP;
		io->port = (__u32)random() % 160;
		io->address_lo = 0x0000ffff0a000000ULL | (__u64)(random() % 5) << 16;
		return;
	}
	io->access = io->section == PK_SECTION_EXEC ? 1 + (__u32)random() % 2 :
		     io->section == PK_SECTION_UNIX ? PK_ACCESS_ABSTRACT :
						      1 + (__u32)random() % 15;
	for (long depth = random() % 6; depth > 0; depth--)
		at += (size_t)snprintf((char *)io->key + at, sizeof(io->key) - at, "/%s",
				       PICK(pieces));
	if (!at)
		io->key[at++] = '/';
	if (is_command(io))
		at = draw_command(io);
	io->length = (__u32)at;
}

static void host_answer(const struct policy_image *image, const struct match_io *io,
			struct pk_result *ret_result)
{
	const struct pk_query query = { io->section, io->access, io->port, io->subjects, 0 };
	__u8 address[16];
	char path[PK_PATH_MAX + 1];

	if (is_command(io)) {
		assert_int_equal(decide_command_key(image, io->key, io->length, &query, ret_result),
				 0);
		return;
	}
	memcpy(path, io->key, io->length);
	path[io->length] = 0;
	if (io->section == PK_SECTION_SUBJECT) {
		*ret_result = (struct pk_result){ 0 };
		assert_int_equal(decide_subjects(image, path, &ret_result->rule), 0);
		return;
	}
	if (io->section != PK_SECTION_EGRESS) {
		assert_int_equal(decide_path_query(image, path, &query, ret_result), 0);
		return;
	}
	for (int i = 0; i < 8; i++) {
		address[i] = (__u8)(io->address_hi >> (56 - 8 * i));
		address[8 + i] = (__u8)(io->address_lo >> (56 - 8 * i));
	}
	assert_int_equal(decide_address_query(image, address, &query, ret_result), 0);
}

static void ask_kernel(struct test_match_bpf *skel, struct match_io *io)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int fd = bpf_map__fd(skel->maps.match_io);
	__u32 zero = 0;

	assert_int_equal(bpf_map_update_elem(fd, &zero, io, 0), 0);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.match_one), &options),
			 0);
	assert_int_equal(options.retval, 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, io), 0);
}

static int setup(void **state)
{
	struct test_match_bpf *skel = test_match_bpf__open_and_load();

	*state = skel;
	return skel ? 0 : -1;
}

static int teardown(void **state)
{
	test_match_bpf__destroy(*state);
	return 0;
}

static void kernel_agrees_with_host(void **state)
{
	struct test_match_bpf *skel = *state;
	struct diag_list diags = { 0 };
	int denied = 0, allowed = 0, named = 0;

	srandom(20240229);
	for (int p = 0; p < POLICIES; p++) {
		struct policy_image image = { 0 };

		draw_image(&image);
		assert_int_equal(
			publish_image(bpf_map__fd(skel->maps.pk_images), SLOT, &image, &diags), 0);
		for (int k = 0; k < KEYS; k++) {
			struct pk_result host;
			struct match_io io;

			draw_question(&io);
			host_answer(&image, &io, &host);
			ask_kernel(skel, &io);
			assert_int_equal(io.broken, 0);
			assert_int_equal(io.verdict, host.verdict);
			assert_int_equal(io.rule, host.rule);
			assert_int_equal(io.reason, host.reason);
			named += io.section == PK_SECTION_SUBJECT && io.rule;
			if (io.section == PK_SECTION_SUBJECT)
				continue;
			denied += host.verdict == PK_VERDICT_DENY;
			allowed += host.verdict == PK_VERDICT_ALLOW;
		}
		image_reset(&image);
	}
	/* A comparison of one answer only would prove little. */
	assert_true(denied > POLICIES * KEYS / 10 && allowed > POLICIES * KEYS / 10);
	assert_true(named > POLICIES);
	diag_list_reset(&diags);
}

static void empty_slot_answers_nothing(void **state)
{
	struct test_match_bpf *skel = *state;
	struct match_io io = {
		.slot = 77, .section = PK_SECTION_FILES, .access = 1, .length = 1, .key = "/"
	};

	ask_kernel(skel, &io);
	assert_int_equal(io.broken, 1);
}

static void overlong_key_is_refused(void **state)
{
	struct test_match_bpf *skel = *state;
	struct match_io io = {
		.slot = SLOT, .section = PK_SECTION_FILES, .access = 1, .length = PK_PATH_MAX + 1
	};

	ask_kernel(skel, &io);
	assert_int_equal(io.broken, 1);
}

static void published_image_is_frozen(void **state)
{
	struct test_match_bpf *skel = *state;
	__u32 slot = SLOT, id, zero = 0;
	static __u8 page[PK_PAGE_SIZE];
	int fd;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skel->maps.pk_images), &slot, &id), 0);
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, page), 0);
	assert_int_equal(bpf_map_update_elem(fd, &zero, page, 0), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_agrees_with_host),
		cmocka_unit_test(empty_slot_answers_nothing),
		cmocka_unit_test(overlong_key_is_refused),
		cmocka_unit_test(published_image_is_frozen),
	};

	return cmocka_run_group_tests_name("match", tests, setup, teardown);
}
