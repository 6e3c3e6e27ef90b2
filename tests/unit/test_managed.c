/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The managed layers. The folder: what is read in which order, and each thing that stops loading. Their
 * weight: for random layers and random policies below them, nothing that the layers alone refuse by the
 * reference is let through by the image of all. PICKET_SEED overrides the seed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "builder.h"
#include "dice.h"
#include "naive.h"
#include "policies.h"
#include "policy/compile.h"
#include "policy/decide.h"
#include "policy/guarded.h"
#include "policy/managed.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define POLICIES 400
#define KEYS 60

/* A fresh folder that only we may write, and the files put into it. */
struct folder {
	char top[32];
	char path[64];
};

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	(void)snprintf(folder->top, sizeof(folder->top), "/tmp/picket-managed-XXXXXX");
	if (!mkdtemp(folder->top))
		return -1;
	(void)snprintf(folder->path, sizeof(folder->path), "%s/managed.d", folder->top);
	*state = folder;
	return mkdir(folder->path, 0755) || chmod(folder->path, 0755);
}

static int remove_folder(void **state)
{
	CLEAN_FREE struct folder *folder = *state;
	CLEAN_FREE char *command = NULL;

	if (asprintf(&command, "rm -rf '%s'", folder->top) < 0)
		return -1;
	return system(command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe): a name of our own */
}

static char *path_of(const struct folder *folder, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", folder->path, name) > 0);
	return path;
}

static void put(const struct folder *folder, const char *name, const char *text)
{
	CLEAN_FREE char *path = path_of(folder, name);
	CLEAN_FILE FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fchmod(fileno(file), 0644), 0);
}

static int load(const struct folder *folder, struct managed *managed, struct diag_list *diags)
{
	const struct policy_context context = { .guarded = true, .owner = geteuid() };

	return managed_load(folder->path, &context, managed, diags);
}

#define FILES "files: {default: allow, rules: [{deny: \"/srv/**\"}]}\n"

static void no_folder_is_no_layer(void **state)
{
	struct folder *folder = *state;
	struct managed managed = { 0 };
	struct diag_list diags = { 0 };

	assert_int_equal(rmdir(folder->path), 0);
	assert_int_equal(load(folder, &managed, &diags), 0);
	assert_int_equal(managed.count, 0);
	assert_int_equal(diags.count, 0);
	(void)snprintf(folder->path, sizeof(folder->path), "%s/managed.d/deeper", folder->top);
	assert_int_equal(load(folder, &managed, &diags), 0);
	assert_int_equal(managed.count, 0);
}

static void sorted_by_bytes_and_by_name(void **state)
{
	static const char *const names[] = { "10-site", "9-late", "B", "a" };
	const struct folder *folder = *state;
	struct managed managed = { 0 };
	struct diag_list diags = { 0 };

	put(folder, "a.yaml", "picket: 1\n" FILES);
	put(folder, "9-late.yaml", "picket: 1\n" FILES);
	put(folder, "B.yaml", "picket: 1\n" FILES);
	put(folder, "10-site.yaml", "picket: 1\n" FILES);
	put(folder, ".hidden.yaml", "not a policy");
	put(folder, "README", "not a policy");
	put(folder, "a.yaml.dpkg-new", "not a policy");
	assert_int_equal(load(folder, &managed, &diags), 0);
	assert_int_equal(diags.count, 0);
	assert_int_equal(managed.count, COUNT(names));
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(managed.layers[i]->name, names[i]);
	managed_reset(&managed);
	assert_int_equal(managed.count, 0);
}

/* Loading must stop with a finding that has @words in it, and a hint that has @hint. */
static void refused(const struct folder *folder, const char *words, const char *hint)
{
	struct managed managed = { 0 };
	struct diag_list diags = { 0 };
	const struct diag *diag;

	assert_true(load(folder, &managed, &diags) < 0);
	assert_int_equal(managed.count, 0);
	assert_true(diags.count >= 1);
	diag = &diags.items[diags.count - 1];
	if (!strstr(diag->message, words) || (hint && !(diag->hint && strstr(diag->hint, hint)))) {
		diag_print(&diags, stderr);
		fail_msg("not the finding '%s', hint '%s'", words, hint ? hint : "");
	}
	diag_list_reset(&diags);
}

static void others_may_not_write(void **state)
{
	const struct folder *folder = *state;
	CLEAN_FREE char *path = path_of(folder, "site.yaml");
	struct managed managed = { 0 };
	struct diag_list diags = { 0 };

	put(folder, "site.yaml", "picket: 1\n" FILES);
	assert_int_equal(chmod(path, 0664), 0);
	refused(folder, "site.yaml': others than its owner may write it (mode 0664)",
		"chmod go-w '");
	assert_int_equal(chmod(path, 0646), 0);
	refused(folder, "(mode 0646)", "chmod go-w '");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chmod(folder->path, 01777), 0);
	refused(folder, "managed.d': others than its owner may write it (mode 1777)",
		"chmod go-w '");
	assert_int_equal(chmod(folder->path, 0755), 0);
	assert_int_equal(chmod(folder->top, 0770), 0);
	refused(folder, "above it: others than its owner may write it (mode 0770)", "chmod go-w '");
	assert_int_equal(chmod(folder->top, 0700), 0);
	assert_int_equal(load(folder, &managed, &diags), 0);
	assert_int_equal(managed.count, 1);
	managed_reset(&managed);
}

static void owner_must_be_root(void **state)
{
	const struct folder *folder = *state;
	CLEAN_FREE char *path = path_of(folder, "site.yaml");

	if (geteuid() != 0)
		skip(); /* only root can give files away */
	put(folder, "site.yaml", "picket: 1\n" FILES);
	assert_int_equal(chown(path, 12345, 0), 0);
	refused(folder, "it belongs to the user 12345, and only root's may be used",
		"chown root '");
	assert_int_equal(chown(path, 0, 12345), 0);
	assert_int_equal(chown(folder->path, 12345, 0), 0);
	refused(folder, "it belongs to the user 12345, and only root's may be used",
		"chown root '");
}

static void links_and_other_kinds(void **state)
{
	const struct folder *folder = *state;
	CLEAN_FREE char *path = path_of(folder, "site.yaml");
	CLEAN_FREE char *elsewhere = path_of(folder, "elsewhere");
	struct folder by_link = *folder;

	put(folder, "elsewhere", "picket: 1\n" FILES);
	assert_int_equal(symlink(elsewhere, path), 0);
	refused(folder, "site.yaml': it is a symbolic link", "put the file itself there");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	refused(folder, "site.yaml': it is not a regular file", NULL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	refused(folder, "site.yaml': it is not a regular file", NULL);
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(by_link.path, sizeof(by_link.path), "%s/link", folder->top);
	assert_int_equal(symlink(folder->path, by_link.path), 0);
	refused(&by_link, "link': it is a symbolic link", "put the folder itself there");
}

static void includes_are_guarded_too(void **state)
{
	const struct folder *folder = *state;
	CLEAN_FREE char *path = path_of(folder, "common");
	struct managed managed = { 0 };
	struct diag_list diags = { 0 };

	put(folder, "common", "files: {rules: [{deny: \"/srv/**\"}]}\n");
	put(folder, "site.yaml", "picket: 1\ninclude: ./common\n");
	assert_int_equal(load(folder, &managed, &diags), 0);
	assert_int_equal(managed.layers[0]->rule_count, 1);
	managed_reset(&managed);
	assert_int_equal(chmod(path, 0666), 0);
	refused(folder, "common': others than its owner may write it", "chmod go-w '");
}

static void faulty_layers_stop_all(void **state)
{
	const struct folder *folder = *state;

	put(folder, "a.yaml", "picket: 1\n" FILES);
	put(folder, "b.yaml", "picket: 1\nfiles: {default: maybe}\n");
	refused(folder, "unknown default 'maybe'", NULL);
	put(folder, "b.yaml", "picket: 1\nusable_by: {users: root}\n" FILES);
	refused(folder, "a managed layer may not have 'usable_by'", "above every policy");
	put(folder, "b.yaml", "picket: 1\nnested: build\n" FILES);
	refused(folder, "a managed layer may not have 'nested'", "above every policy");
	put(folder, "b.yaml", "picket: 1\n" FILES);
	put(folder, "c.yml", "picket: 1\n" FILES);
	refused(folder, "c.yml' is no managed layer, and looks like one", "'.yaml'");
}

static void too_many_layers(void **state)
{
	const struct folder *folder = *state;
	struct managed managed = { 0 };
	struct diag_list diags = { 0 };
	char name[32];

	for (unsigned int i = 0; i < MANAGED_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%u.yaml", i);
		put(folder, name, "picket: 1\n" FILES);
	}
	assert_int_equal(load(folder, &managed, &diags), 0);
	assert_int_equal(managed.count, MANAGED_MAX);
	managed_reset(&managed);
	put(folder, "more.yaml", "picket: 1\n" FILES);
	refused(folder, "there are 8 managed layers in", "one file may include others");
}

/* A layer about files only leaves the switches to the policy; one with a section refuses for good. */
static void switches_of_layers(void **state)
{
	const struct folder *folder = *state;
	struct policy *policy = policy_text_load("p.yaml", "picket: 1\nprocess: {profile: off}\n");
	const struct policy *layers[PK_LAYERS_MAX];
	struct managed managed = { 0 };
	struct diag_list diags = { 0 };
	struct policy_image image;

	put(folder, "a.yaml", "picket: 1\n" FILES);
	assert_int_equal(load(folder, &managed, &diags), 0);
	image = build_image((struct policy *const *)layers,
			    managed_above(&managed, policy, layers));
	assert_int_equal(image_head(&image)->guards.deny, 0);
	assert_true(image_head(&image)->guards.capabilities == 0);
	assert_int_equal(
		image_rule(&image, image_head(&image)->guards.rule[PK_GUARD_PTRACE])->layer, 1);
	image_reset(&image);
	managed_reset(&managed);

	put(folder, "b.yaml", "picket: 1\nprocess: {profile: off, ptrace: deny}\n");
	assert_int_equal(load(folder, &managed, &diags), 0);
	image = build_image((struct policy *const *)layers,
			    managed_above(&managed, policy, layers));
	assert_int_equal(image_head(&image)->guards.deny, 1U << PK_GUARD_PTRACE);
	assert_int_equal(
		image_rule(&image, image_head(&image)->guards.rule[PK_GUARD_PTRACE])->layer, 1);
	image_reset(&image);
	managed_reset(&managed);
	policy_free(&policy);
}

static void who_enforces(void **state)
{
	const struct folder *folder = *state;
	struct managed managed = { 0 };
	struct diag_list diags = { 0 };

	assert_null(managed_enforcing(&managed));
	put(folder, "a.yaml", "picket: 1\nmode: audit\n" FILES);
	assert_int_equal(load(folder, &managed, &diags), 0);
	assert_null(managed_enforcing(&managed));
	managed_reset(&managed);
	put(folder, "b.yaml", "picket: 1\n" FILES);
	assert_int_equal(load(folder, &managed, &diags), 0);
	assert_string_equal(managed_enforcing(&managed)->name, "b");
	managed_reset(&managed);
}

/* Layers and a policy below them. */
struct stack {
	struct dice *dice;
	struct managed managed;
	struct policy *policy;
	const struct policy *layers[PK_LAYERS_MAX];
	size_t count;
	struct policy_image image;
	size_t asked;
	size_t narrowed; /* the policy alone would have let more through */
};

static struct naive above(const struct stack *s)
{
	return (struct naive){ s->layers, s->count - 1, NAIVE_RIGHT, NULL };
}

static struct naive below(const struct stack *s)
{
	return (struct naive){ &s->layers[s->count - 1], 1, NAIVE_RIGHT, NULL };
}

static void narrow(struct stack *s, enum pk_verdict got, enum pk_verdict high, enum pk_verdict low)
{
	s->asked++;
	s->narrowed += low < high;
	assert_true(got >= high);
	assert_true(got >= low);
}

static void narrow_path(struct stack *s)
{
	static const enum pk_section sections[] = { PK_SECTION_FILES, PK_SECTION_EXEC,
						    PK_SECTION_UNIX };
	enum pk_section section = sections[dice_roll(s->dice, 3)];
	uint8_t access = section == PK_SECTION_FILES ? (uint8_t)(1U << dice_roll(s->dice, 4)) :
			 section == PK_SECTION_UNIX  ? PK_ACCESS_ABSTRACT :
						       PK_ACCESS_RUN;
	struct pk_query query = { .section = section, .access = access };
	struct naive high = above(s), low = below(s);
	char path[DICE_PATH_MAX];
	struct pk_result got;

	dice_path(s->dice, (struct policy *const *)s->layers, s->count, path);
	assert_int_equal(decide_path_query(&s->image, path, &query, &got), 0);
	narrow(s, got.verdict, naive_path(&high, section, access, path).verdict,
	       naive_path(&low, section, access, path).verdict);
}

static void narrow_address(struct stack *s)
{
	uint8_t access = (uint8_t)(1 + dice_roll(s->dice, 3));
	uint16_t port = dice_port(s->dice);
	struct pk_query query = { .section = PK_SECTION_EGRESS, .access = access, .port = port };
	struct naive high = above(s), low = below(s);
	uint8_t address[16];
	struct pk_result got;

	dice_address(s->dice, (struct policy *const *)s->layers, s->count, address);
	assert_int_equal(decide_address_query(&s->image, address, &query, &got), 0);
	narrow(s, got.verdict, naive_address(&high, address, port, access).verdict,
	       naive_address(&low, address, port, access).verdict);
}

static void narrow_host(struct stack *s)
{
	uint8_t access = (uint8_t)(1 + dice_roll(s->dice, 3));
	uint16_t port = dice_port(s->dice);
	struct pk_query query = { .section = PK_SECTION_EGRESS, .access = access, .port = port };
	struct naive high = above(s), low = below(s);
	char name[DICE_HOST_MAX];
	uint8_t address[16];
	struct decide_target to = { .host = name, .address = address };
	struct decided got;

	if (!image_head(&s->image)->host_start)
		return;
	dice_name(s->dice, (struct policy *const *)s->layers, s->count, name);
	dice_address(s->dice, (struct policy *const *)s->layers, s->count, address);
	assert_int_equal(decide_destination(&s->image, &to, &query, &got), 0);
	narrow(s, got.result.verdict, naive_destination(&high, address, name, port, access).verdict,
	       naive_destination(&low, address, name, port, access).verdict);
}

static void make_stack(struct stack *s)
{
	size_t layers = 1 + dice_roll(s->dice, 3);

	s->managed = (struct managed){ .count = layers };
	for (size_t i = 0; i < layers; i++)
		s->managed.layers[i] = dice_policy(s->dice);
	s->policy = dice_policy(s->dice);
	s->count = managed_above(&s->managed, s->policy, s->layers);
	s->image = build_image((struct policy *const *)s->layers, s->count);
}

static void a_policy_never_widens(void **state)
{
	const char *seed = getenv("PICKET_SEED");
	const uint64_t start = seed ? strtoull(seed, NULL, 0) : 20260801;
	struct dice dice = { .state = start };
	struct stack s = { .dice = &dice };

	(void)state;
	for (size_t i = 0; i < POLICIES; i++) {
		make_stack(&s);
		for (size_t j = 0; j < KEYS; j++) {
			narrow_path(&s);
			narrow_address(&s);
			narrow_host(&s);
		}
		image_reset(&s.image);
		policy_free(&s.policy);
		managed_reset(&s.managed);
	}
	print_message("# seed %llu: %zu questions, %zu where the layers took something away\n",
		      (unsigned long long)start, s.asked, s.narrowed);
	assert_true(s.asked > 40000);
	assert_true(s.narrowed > s.asked / 20);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(no_folder_is_no_layer),	 IN_FOLDER(sorted_by_bytes_and_by_name),
		IN_FOLDER(others_may_not_write),	 IN_FOLDER(owner_must_be_root),
		IN_FOLDER(links_and_other_kinds),	 IN_FOLDER(includes_are_guarded_too),
		IN_FOLDER(faulty_layers_stop_all),	 IN_FOLDER(too_many_layers),
		IN_FOLDER(switches_of_layers),		 IN_FOLDER(who_enforces),
		cmocka_unit_test(a_policy_never_widens),
	};

	return cmocka_run_group_tests_name("managed", tests, NULL, NULL);
}
