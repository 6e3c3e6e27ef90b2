/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host entry points of the one matcher. Nothing is decided here but what to do when the matcher
 * cannot be asked: deny.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/decide.h"

static int run_path(const struct policy_image *image, const char *path, size_t length,
		    struct pk_states *states)
{
	struct pk_view view = image_view(image);

	if (length > PK_PATH_MAX)
		return -ENAMETOOLONG;
	return pk_path_run(&view, image_head(image), (const __u8 *)path, (__u32)length, states) ?
		       -EIO :
		       0;
}

int image_path_states(const struct policy_image *image, const char *path,
		      struct pk_states *ret_states)
{
	struct pk_states states = pk_path_start(image_head(image));
	int r = run_path(image, path, strlen(path), &states);

	if (!r)
		*ret_states = states;
	return r;
}

int decide_path_sets(const struct policy_image *image, const char *path, struct pk_sets *ret_sets)
{
	struct pk_view view = image_view(image);
	struct pk_states states;
	int r;

	r = image_path_states(image, path, &states);
	if (r)
		return r;
	return pk_path_sets(&view, &states, ret_sets) ? -EIO : 0;
}

struct pk_address decide_address_key(const __u8 address[16])
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	__u64 hi = 0;
	__u64 lo = 0;

	for (int i = 0; i < 8; i++) {
		hi = hi << 8 | address[i];
		lo = lo << 8 | address[i + 8];
	}
	return memcmp(address, mapped, sizeof(mapped)) == 0 ? pk_address_v4((__u32)lo) :
							      pk_address_v6(hi, lo);
}

int decide_address_sets(const struct policy_image *image, const __u8 address[16],
			struct pk_sets *ret_sets)
{
	struct pk_view view = image_view(image);

	return pk_address_sets(&view, image_head(image), decide_address_key(address), ret_sets) ?
		       -EIO :
		       0;
}

static struct pk_result denial(int error)
{
	return (struct pk_result){
		.verdict = PK_VERDICT_DENY,
		.reason = error == -ENAMETOOLONG ? PK_REASON_PATH_LONG : PK_REASON_IMAGE,
		.rule = PK_RULE_NONE,
	};
}

int decide_path_query(const struct policy_image *image, const char *path,
		      const struct pk_query *query, struct pk_result *ret_result)
{
	struct pk_view view = image_view(image);
	struct pk_sets sets;
	int r;

	r = decide_path_sets(image, path, &sets);
	if (r) {
		*ret_result = denial(r);
		return r;
	}
	*ret_result = pk_judge_sets(&view, image_head(image), &sets, query);
	return 0;
}

int decide_path(const struct policy_image *image, enum pk_section section, __u8 access,
		const char *path, struct pk_result *ret_result)
{
	struct pk_query query = { .section = section, .access = access };

	return decide_path_query(image, path, &query, ret_result);
}

int decide_abstract(const struct policy_image *image, const char *name, __u32 subjects,
		    struct pk_result *ret_result)
{
	struct pk_query query = {
		.section = PK_SECTION_UNIX,
		.access = PK_ACCESS_ABSTRACT,
		.subjects = subjects,
	};
	char path[PK_PATH_MAX + 2];

	/* Over-long ones stay over-long. */
	(void)snprintf(path, sizeof(path), "/%s", name);
	return decide_path_query(image, path, &query, ret_result);
}

int decide_subjects(const struct policy_image *image, const char *path, __u32 *ret_subjects)
{
	struct pk_view view = image_view(image);
	struct pk_sets sets;
	int r;

	*ret_subjects = 0;
	r = decide_path_sets(image, path, &sets);
	if (!r)
		*ret_subjects = pk_subjects(&view, image_head(image), &sets);
	return r;
}

struct pk_result decide_guard(const struct policy_image *image, enum pk_guard guard)
{
	const struct pk_guards *guards = &image_head(image)->guards;
	__u32 verdict = guards->deny >> guard & 1 ? PK_VERDICT_DENY :
			guards->ask >> guard & 1  ? PK_VERDICT_ASK :
						    PK_VERDICT_ALLOW;
	__u32 rule = guards->rule[guard];

	return (struct pk_result){
		.verdict = verdict,
		.reason = verdict != PK_VERDICT_ALLOW ? PK_REASON_GUARD :
			  rule & PK_RULE_DEFAULT      ? PK_REASON_DEFAULT :
							PK_REASON_RULE,
		.rule = rule,
	};
}

struct pk_result decide_syscall(const struct policy_image *image, const char *name)
{
	__u32 rules = image_head(image)->part[PK_PART_RULES].size / (__u32)sizeof(struct pk_rule);

	for (__u32 i = 0; i < rules; i++) {
		const struct pk_rule *rule = image_rule(image, i);

		if (rule->section == PK_SECTION_SYSCALLS &&
		    strcmp(image_string(image, rule->text), name) == 0)
			return (struct pk_result){ rule->verdict, PK_REASON_RULE, i };
	}
	return (struct pk_result){ PK_VERDICT_ALLOW, PK_REASON_DEFAULT,
				   PK_RULE_DEFAULT | PK_SECTION_SYSCALLS };
}

struct pk_result decide_stricter(const struct pk_result *first, const struct pk_result *second)
{
	if (first->verdict != second->verdict)
		return first->verdict > second->verdict ? *first : *second;
	if (first->verdict != PK_VERDICT_ALLOW || second->reason == PK_REASON_UNJUDGED)
		return *first;
	return *second;
}

int decide_exec_as(const struct policy_image *image, const char *path, __u32 subjects,
		   struct pk_result *ret_result)
{
	struct pk_query query = { PK_SECTION_FILES, PK_ACCESS_EXEC, 0, subjects, 0 };
	struct pk_result file;
	struct pk_result program;
	int r;

	r = decide_path_query(image, path, &query, &file);
	query.section = PK_SECTION_EXEC;
	query.access = PK_ACCESS_RUN;
	if (!r)
		r = decide_path_query(image, path, &query, &program);
	*ret_result = r ? file : decide_stricter(&file, &program);
	return r;
}

int decide_exec(const struct policy_image *image, const char *path, struct pk_result *ret_result)
{
	return decide_exec_as(image, path, 0, ret_result);
}

int decide_address(const struct policy_image *image, const __u8 address[16], __u16 port,
		   __u8 access, struct pk_result *ret_result)
{
	struct pk_query query = { .section = PK_SECTION_EGRESS, .access = access, .port = port };

	return decide_address_query(image, address, &query, ret_result);
}

int decide_address_query(const struct policy_image *image, const __u8 address[16],
			 const struct pk_query *query, struct pk_result *ret_result)
{
	struct pk_view view = image_view(image);
	struct pk_sets sets;
	int r;

	r = decide_address_sets(image, address, &sets);
	if (r) {
		*ret_result = denial(r);
		return r;
	}
	*ret_result = pk_judge_sets(&view, image_head(image), &sets, query);
	return 0;
}

bool image_same_below(const struct policy_image *image, const char *path_a, const char *path_b)
{
	struct pk_states a;
	struct pk_states b;
	__u32 commands_a;
	__u32 commands_b;

	if (image_command_state(image, path_a, '/', &commands_a) ||
	    image_command_state(image, path_b, '/', &commands_b) || commands_a != commands_b)
		return false;
	if (image_path_states(image, path_a, &a) || image_path_states(image, path_b, &b))
		return false;
	/* The root's own path already ends in the slash. */
	if (strcmp(path_a, "/") != 0 && run_path(image, "/", 1, &a))
		return false;
	if (strcmp(path_b, "/") != 0 && run_path(image, "/", 1, &b))
		return false;
	return memcmp(&a, &b, sizeof(a)) == 0;
}
