/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference matcher. Slow and plain on purpose.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "naive.h"

/* One byte against the class at *glob; moves *glob behind it. */
static bool match_class(const char **glob, char byte, enum naive_fault fault)
{
	const char *at = *glob + 1;
	bool inverted = *at == '!';
	bool found = false;

	at += inverted;
	while (*at != ']') {
		char low;
		char high;

		at += *at == '\\';
		low = high = *at++;
		if (at[0] == '-' && at[1] != ']') {
			at++;
			at += *at == '\\';
			high = *at++;
		}
		if ((unsigned char)byte >= (unsigned char)low &&
		    (unsigned char)byte <= (unsigned char)high)
			found = true;
	}
	*glob = at + 1;
	if (fault == NAIVE_CLASS_FLIPPED)
		inverted = false;
	return found != inverted;
}

/* One component (no '/') of a glob against one of a path. */
static bool match_component(const char *glob, const char *glob_end, const char *path,
			    const char *path_end, enum naive_fault fault)
{
	if (glob == glob_end)
		return path == path_end;
	if (*glob == '*') {
		for (const char *rest = path; rest <= path_end; rest++)
			if (match_component(glob + 1, glob_end, rest, path_end, fault))
				return true;
		return false;
	}
	if (path == path_end)
		return false;
	if (*glob == '[') {
		if (!match_class(&glob, *path, fault))
			return false;
		return match_component(glob, glob_end, path + 1, path_end, fault);
	}
	if (*glob != '?') {
		glob += *glob == '\\';
		if (*glob != *path)
			return false;
	}
	return match_component(glob + 1, glob_end, path + 1, path_end, fault);
}

/* Both are "" or start with '/'; the root is "". */
static bool match_components(const char *glob, const char *path, enum naive_fault fault)
{
	size_t length;

	if (!*glob)
		return !*path;
	length = strcspn(glob + 1, "/");
	if (length == 2 && strncmp(glob + 1, "**", 2) == 0) {
		bool last = !glob[3];

		if (last && !*path && fault == NAIVE_DEEP_NEEDS_ONE)
			return false;
		for (;;) {
			if (match_components(glob + 3, path, fault))
				return true;
			if (!*path)
				return false;
			path += 1 + strcspn(path + 1, "/");
		}
	}
	if (!*path)
		return false;
	for (const char *end = path + 1;; end++) {
		end += strcspn(end, "/");
		if (match_component(glob + 1, glob + 1 + length, path + 1, end, fault) &&
		    match_components(glob + 1 + length, end, fault))
			return true;
		if (!*end || fault != NAIVE_STAR_CROSSES)
			return false;
	}
}

static bool match_plain(const char *glob, const char *path, enum naive_fault fault)
{
	char *rooted;
	bool matched;

	if (strcmp(glob, "/") == 0)
		return strcmp(path, "/") == 0;
	rooted = malloc(strlen(glob) + 2);
	if (!rooted)
		abort();
	(void)snprintf(rooted, strlen(glob) + 2, "%s%s", glob[0] == '/' ? "" : "/", glob);
	matched = match_components(rooted, strcmp(path, "/") == 0 ? "" : path, fault);
	free(rooted);
	return matched;
}

/* The next byte of a glob that is neither escaped nor in a class; @at itself may be it. */
static const char *skip_quoted(const char *at)
{
	while (*at == '\\' || *at == '[') {
		if (*at == '\\') {
			at += 2;
			continue;
		}
		for (at++; *at != ']'; at++)
			at += *at == '\\';
		at++;
	}
	return at;
}

/* What matches a glob without braces. */
typedef bool (*plain_matcher)(const char *glob, const char *text, enum naive_fault fault);

/* A brace group in a glob. */
struct group {
	const char *glob;
	const char *open;
	const char *close;
	plain_matcher plain;
	enum naive_fault fault;
};

static bool match_braces(const char *glob, const char *text, plain_matcher plain,
			 enum naive_fault fault);

/* The glob with the alternative from @from to @to in the group's place, matched. */
static bool match_alternative(const struct group *group, const char *from, const char *to,
			      const char *path)
{
	size_t size = strlen(group->glob) + 1;
	char *text = malloc(size);
	bool matched;

	if (!text)
		abort();
	(void)snprintf(text, size, "%.*s%.*s%s", (int)(group->open - group->glob), group->glob,
		       (int)(to - from), from, group->close + 1);
	matched = match_braces(text, path, group->plain, group->fault);
	free(text);
	return matched;
}

static bool match_braces(const char *glob, const char *text, plain_matcher plain,
			 enum naive_fault fault)
{
	struct group group = { .glob = glob, .plain = plain, .fault = fault };
	const char *from;
	int depth = 0;

	for (group.open = skip_quoted(glob); *group.open && *group.open != '{';
	     group.open = skip_quoted(group.open + 1))
		;
	if (!*group.open)
		return plain(glob, text, fault);
	for (group.close = group.open;; group.close++) {
		group.close = skip_quoted(group.close);
		depth += (*group.close == '{') - (*group.close == '}');
		if (!depth)
			break;
	}
	from = group.open + 1;
	for (const char *at = from;; at++) {
		at = skip_quoted(at);
		if ((*at == ',' && !depth) || at == group.close) {
			if (match_alternative(&group, from, at, text))
				return true;
			from = at + 1;
		}
		if (at == group.close)
			return false;
		depth += (*at == '{') - (*at == '}');
	}
}

bool naive_glob(const char *glob, const char *path, enum naive_fault fault)
{
	return match_braces(glob, path, match_plain, fault);
}

/* In an argument '/' is a byte like any other: one component without end. */
static bool match_argument(const char *glob, const char *text, enum naive_fault fault)
{
	return match_component(glob, glob + strlen(glob), text, text + strlen(text), fault);
}

/* The words behind the program; when they are used up, anything may follow. */
static bool match_words(char *const *words, size_t count, char *const *argv, enum naive_fault fault)
{
	if (!count)
		return fault != NAIVE_WORDS_EXACT || !*argv;
	if (strcmp(words[0], "...") == 0) {
		if (fault == NAIVE_ANY_NEEDS_ONE && !*argv++)
			return false;
		for (;; argv++) {
			if (match_words(words + 1, count - 1, argv, fault))
				return true;
			if (!*argv)
				return false;
		}
	}
	return *argv && match_braces(words[0], *argv, match_argument, fault) &&
	       match_words(words + 1, count - 1, argv + 1, fault);
}

/* What is asked: a path (of a command the program's), or an address and a port. */
struct question {
	enum pk_section section;
	__u8 access;
	const char *path;
	char *const *argv; /* of a command: NULL-terminated */
	const char *by; /* the program that asks, or NULL */
	const char *host; /* or NULL */
	bool has_address;
	__u8 address[16];
	__u16 port;
};

static bool in_ranges(const struct policy_pattern *pattern, const __u8 address[16])
{
	for (size_t i = 0; i < pattern->range_count; i++)
		if (memcmp(pattern->ranges[i].low, address, 16) <= 0 &&
		    memcmp(pattern->ranges[i].high, address, 16) >= 0)
			return true;
	return false;
}

/* Is the pattern about the destination, whatever the port? */
static bool is_about(const struct policy_rule *rule, const struct policy_pattern *pattern,
		     const struct question *q, enum naive_fault fault)
{
	__u8 v4[16];

	if (pattern->host)
		return q->host && naive_host(pattern->host, q->host, fault);
	if (!q->has_address)
		return false;
	return in_ranges(pattern, q->address) ||
	       (rule->verdict != PK_VERDICT_ALLOW && fault != NAIVE_NOT_EMBEDDED &&
		naive_embedded(q->address, v4) && in_ranges(pattern, v4));
}

static bool pattern_matches(const struct policy_rule *rule, const struct policy_pattern *pattern,
			    const struct question *q, enum naive_fault fault)
{
	bool in_ports = false;

	if (q->argv)
		return (naive_glob(pattern->words[0], q->path, fault) ||
			(pattern->also && naive_glob(pattern->also, q->path, fault))) &&
		       match_words(pattern->words + 1, pattern->word_count - 1, q->argv + 1, fault);
	if (q->section != PK_SECTION_EGRESS)
		return pattern->glob &&
		       (naive_glob(pattern->glob, q->path, fault) ||
			(pattern->also && naive_glob(pattern->also, q->path, fault)));
	for (size_t i = 0; i < pattern->port_count; i++)
		if (q->port >= pattern->ports[i].low &&
		    q->port + (fault == NAIVE_PORT_OPEN_END) <= pattern->ports[i].high)
			in_ports = true;
	return in_ports && is_about(rule, pattern, q, fault);
}

/* Is the rule for the program that asks? */
static bool concerns(const struct policy_rule *rule, const struct question *q,
		     enum naive_fault fault)
{
	for (size_t i = 0; i < rule->by_count && q->by; i++)
		if (naive_glob(rule->by[i], q->by, NAIVE_RIGHT))
			return true;
	return !rule->by_count || fault == NAIVE_BY_IGNORED;
}

/* Rules of exec are about the program and about the command; names let TCP through. */
static __u8 access_of(const struct policy_rule *rule, const struct policy_pattern *pattern,
		      enum naive_fault fault)
{
	if (pattern->host && rule->verdict != PK_VERDICT_DENY && !rule->access_said &&
	    fault != NAIVE_HOST_UDP)
		return PK_ACCESS_TCP;
	return rule->section == PK_SECTION_EXEC ? PK_ACCESS_RUN | PK_ACCESS_COMMAND : rule->access;
}

/* The strictest that was seen, and the first that said it. */
struct best {
	bool any;
	enum pk_verdict verdict;
	__u32 rule;
};

static void take(struct best *best, enum pk_verdict verdict, __u32 rule, enum naive_fault fault)
{
	if (best->any && fault == NAIVE_FIRST_WINS)
		return;
	if (best->any &&
	    (verdict < best->verdict || (verdict == best->verdict && fault != NAIVE_LAST_NAMED)))
		return;
	*best = (struct best){ true, verdict, rule };
}

/* One layer by its own rules and default; rules of lower layers are numbered before @number. */
static struct best judge_layer(const struct naive *naive, size_t layer, __u32 number,
			       const struct question *q)
{
	const struct policy *policy = naive->layers[layer];
	const struct policy_section *section = &policy->sections[q->section];
	struct best best = { 0 };
	__u8 covered = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		for (size_t j = 0; j < rule->pattern_count; j++, number++) {
			const struct policy_pattern *pattern = &rule->patterns[j];
			__u8 access = access_of(rule, pattern, naive->fault);

			if (rule->section != q->section || !(access & q->access) ||
			    !concerns(rule, q, naive->fault) ||
			    !pattern_matches(rule, pattern, q, naive->fault))
				continue;
			take(&best, rule->verdict, number, naive->fault);
			covered |= naive->fault == NAIVE_ANY_ACCESS ? 0xf : access;
		}
	}
	if (section->present && (q->access & ~covered) &&
	    (!best.any || section->default_verdict > best.verdict))
		best = (struct best){ true, section->default_verdict,
				      PK_RULE_DEFAULT | (__u32)layer << 8 | q->section };
	return best;
}

static struct naive_answer judge(const struct naive *naive, const struct question *q)
{
	struct naive_answer answer = { PK_VERDICT_ALLOW, PK_RULE_NONE };
	struct best rules = { 0 };
	struct best defaults = { 0 };
	__u32 number = 0;

	for (size_t i = 0; i < naive->count; i++) {
		struct best layer = judge_layer(naive, i, number, q);

		for (size_t j = 0; j < naive->layers[i]->rule_count; j++)
			number += (__u32)naive->layers[i]->rules[j].pattern_count;
		if (!layer.any)
			continue;
		if (naive->fault == NAIVE_LAYERS_WIDEN && rules.any &&
		    layer.verdict < rules.verdict)
			rules.any = false;
		take(layer.rule & PK_RULE_DEFAULT ? &defaults : &rules, layer.verdict, layer.rule,
		     naive->fault);
	}
	/* A rule says it before a default does. */
	if (rules.any && (!defaults.any || rules.verdict >= defaults.verdict))
		answer = (struct naive_answer){ rules.verdict, rules.rule };
	else if (defaults.any)
		answer = (struct naive_answer){ defaults.verdict, defaults.rule };
	return answer;
}

struct naive_answer naive_path(const struct naive *naive, enum pk_section section, __u8 access,
			       const char *path)
{
	struct question q = { section, access, .path = path, .by = naive->by };

	return judge(naive, &q);
}

struct naive_answer naive_command(const struct naive *naive, const char *program, char *const *argv)
{
	struct question q = { PK_SECTION_EXEC, PK_ACCESS_COMMAND, program, argv, .by = naive->by };

	return judge(naive, &q);
}

/* As a destination the unspecified address is the loopback address. */
static void normalise(__u8 address[16])
{
	static const __u8 mapped_zero[16] = { [10] = 0xff, [11] = 0xff };
	static const __u8 zero[16] = { 0 };

	if (memcmp(address, zero, 16) == 0)
		address[15] = 1;
	if (memcmp(address, mapped_zero, 16) == 0) {
		address[12] = 127;
		address[15] = 1;
	}
}

struct naive_answer naive_address(const struct naive *naive, const __u8 address[16], __u16 port,
				  __u8 access)
{
	return naive_destination(naive, address, NULL, port, access);
}

/* Has a rule spoken? */
static bool is_ruled(const struct naive_answer *answer)
{
	return !(answer->rule & PK_RULE_DEFAULT);
}

struct naive_answer naive_destination(const struct naive *naive, const __u8 *address,
				      const char *host, __u16 port, __u8 access)
{
	struct question q = { PK_SECTION_EGRESS, access, .by = naive->by, .port = port };
	struct naive_answer by_address;
	struct naive_answer by_name;

	q.has_address = address != NULL;
	if (address) {
		memcpy(q.address, address, 16);
		normalise(q.address);
	}
	by_address = judge(naive, &q);
	q.host = host;
	by_name = judge(naive, &q);
	if (!host)
		return by_address;
	if (!address)
		return by_name;
	if (by_address.verdict == PK_VERDICT_ALLOW)
		return by_address;
	if (by_address.verdict == PK_VERDICT_DENY && is_ruled(&by_address) &&
	    naive->fault != NAIVE_NAME_FIRST)
		return by_address;
	if (naive->fault == NAIVE_NAME_FIRST) {
		q.has_address = false;
		by_name = judge(naive, &q);
	}
	if (by_name.verdict != by_address.verdict)
		return by_name.verdict < by_address.verdict ? by_name : by_address;
	return is_ruled(&by_name) && !is_ruled(&by_address) ? by_name : by_address;
}

/* What one layer says of asking for a name: the first rule of each kind. */
struct asking {
	__u32 allow; /* lets something through */
	__u32 ask; /* asks */
	__u32 deny; /* denies all of it */
	bool held; /* all of it is asked about */
};

/* Is the pattern about every port, by one range or by several? */
static bool has_all_ports(const struct policy_pattern *pattern)
{
	unsigned int next = 0;

	for (size_t i = 0; i < pattern->port_count; i++)
		for (size_t j = 0; j < pattern->port_count; j++)
			if (pattern->ports[j].low <= next && pattern->ports[j].high >= next)
				next = pattern->ports[j].high + 1U;
	return next == 0x10000;
}

static bool is_whole(const struct policy_rule *rule, const struct policy_pattern *pattern)
{
	return !rule->by_count && has_all_ports(pattern) &&
	       (access_of(rule, pattern, NAIVE_RIGHT) & PK_ACCESS_EGRESS) == PK_ACCESS_EGRESS;
}

static void hear_rule(struct asking *asking, const struct policy_rule *rule,
		      const struct policy_pattern *pattern, __u32 number)
{
	__u32 *first = rule->verdict == PK_VERDICT_ALLOW ? &asking->allow :
		       rule->verdict == PK_VERDICT_ASK	 ? &asking->ask :
							   &asking->deny;

	if (rule->verdict == PK_VERDICT_DENY && !is_whole(rule, pattern))
		return;
	if (rule->verdict == PK_VERDICT_ASK && is_whole(rule, pattern))
		asking->held = true;
	if (number < *first)
		*first = number;
}

static struct asking ask_layer(const struct policy *policy, const char *host, __u32 number,
			       enum naive_fault fault)
{
	struct asking asking = { PK_RULE_NONE, PK_RULE_NONE, PK_RULE_NONE, false };

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		for (size_t j = 0; j < rule->pattern_count; j++, number++)
			if (rule->patterns[j].host &&
			    naive_host(rule->patterns[j].host, host, fault))
				hear_rule(&asking, rule, &rule->patterns[j], number);
	}
	return asking;
}

/* What all layers say, by what is to be named. */
struct hearing {
	__u32 denied, asked, allowed; /* the first rule */
	__u32 shut, closed, present; /* the first default: that denies, that is no allow, any */
	bool held; /* some layer asks about all of it, or about all that it knows */
};

static void hear_layer(struct hearing *h, const struct policy *policy, const struct asking *asking,
		       size_t layer)
{
	const struct policy_section *section = &policy->sections[PK_SECTION_EGRESS];
	__u32 reference = PK_RULE_DEFAULT | (__u32)layer << 8 | PK_SECTION_EGRESS;
	bool open = asking->allow != PK_RULE_NONE || !section->present ||
		    section->default_verdict == PK_VERDICT_ALLOW;
	bool asks = asking->ask != PK_RULE_NONE;

	if (asking->deny < h->denied)
		h->denied = asking->deny;
	if (asking->ask < h->asked)
		h->asked = asking->ask;
	if (asking->allow < h->allowed)
		h->allowed = asking->allow;
	h->held = h->held || asking->held || (!open && asks);
	if (!open && !asks && section->default_verdict == PK_VERDICT_DENY && h->shut > reference)
		h->shut = reference;
	if (!open && h->closed > reference)
		h->closed = reference;
	if (section->present && h->present > reference)
		h->present = reference;
}

struct naive_answer naive_name(const struct naive *naive, const char *host)
{
	struct hearing h = { PK_RULE_NONE, PK_RULE_NONE, PK_RULE_NONE, PK_RULE_NONE,
			     PK_RULE_NONE, PK_RULE_NONE, false };
	__u32 number = 0;

	for (size_t i = 0; i < naive->count; i++) {
		const struct policy *policy = naive->layers[i];
		struct asking asking = ask_layer(policy, host, number, naive->fault);

		for (size_t j = 0; j < policy->rule_count; j++)
			number += (__u32)policy->rules[j].pattern_count;
		hear_layer(&h, policy, &asking, i);
	}
	if (h.denied != PK_RULE_NONE)
		return (struct naive_answer){ PK_VERDICT_DENY, h.denied };
	if (h.shut != PK_RULE_NONE)
		return (struct naive_answer){ PK_VERDICT_DENY, h.shut };
	if (h.held)
		return (struct naive_answer){ PK_VERDICT_ASK, h.asked };
	if (h.closed != PK_RULE_NONE)
		return (struct naive_answer){ PK_VERDICT_ASK, h.closed };
	return (struct naive_answer){ PK_VERDICT_ALLOW,
				      h.allowed != PK_RULE_NONE ? h.allowed : h.present };
}
