/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small alphabets and few names, so that patterns overlap in every way.
 */
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "dice.h"
#include "policy/glob.h"

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof(*(array)))

uint32_t dice_roll(struct dice *dice, uint32_t bound)
{
	uint64_t z;

	if (dice->data) {
		if (!dice->size || bound < 2)
			return 0;
		dice->size--;
		return *dice->data++ % bound;
	}
	/* splitmix64 */
	z = dice->state += 0x9e3779b97f4a7c15ULL;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return (uint32_t)(((z >> 32) * bound) >> 32);
}

/* Room for a glob. */
#define GLOB_ROOM 256

static void append(char *glob, const char *text)
{
	size_t length = strlen(glob);

	(void)snprintf(glob + length, GLOB_ROOM - length, "%s", text);
}

/* A glob of component pieces; most are valid. */
static void roll_components(struct dice *dice, char *glob)
{
	static const char *const pieces[] = {
		"a",	    "b",      "ab",    "ba",	".env",	       "usr",	   "*",
		"*",	    "a*",     "*b",    "*a*",	"?",	       "?b",	   "[ab]",
		"[!a]b",    "[a-c]*", "{a,b}", "{,a}b", "{a*,b}",      "{a/b,c}",  "\\*a",
		"{a,{b,}}", "[!a-c]", "a?*",   "\\[a",	"x{a,b}{a,b}", "\303\244", "[\\]a]",
	};
	uint32_t count = 1 + dice_roll(dice, 4);

	*glob = '\0';
	for (uint32_t i = 0; i < count; i++) {
		bool deep = dice_roll(dice, 4) == 0;

		if (i || !deep || dice_roll(dice, 2))
			append(glob, "/");
		append(glob, deep ? "**" : pieces[dice_roll(dice, COUNT(pieces))]);
	}
}

static void roll_soup(struct dice *dice, char *glob)
{
	static const char soup[] = "aab/*?[]{},\\!-./**{}ab,/a";
	uint32_t length = dice_roll(dice, 12);

	*glob++ = '/';
	for (uint32_t i = 0; i < length; i++)
		*glob++ = soup[dice_roll(dice, sizeof(soup) - 1)];
	*glob = '\0';
}

static void roll_glob(struct dice *dice, char *glob)
{
	for (int tries = 0; tries < 8; tries++) {
		if (dice_roll(dice, 4))
			roll_components(dice, glob);
		else
			roll_soup(dice, glob);
		if (glob_check(glob, NULL, NULL))
			return;
	}
	(void)snprintf(glob, GLOB_ROOM, "/**");
}

static void roll_ports(struct dice *dice, struct policy *policy)
{
	uint32_t count = dice_roll(dice, 4);

	for (uint32_t i = 0; i < count; i++) {
		uint16_t low = dice_port(dice);
		uint16_t high = dice_roll(dice, 2) ? low : dice_port(dice);

		build_ports(policy, low < high ? low : high, low < high ? high : low);
	}
}

/* CIDR blocks around a few bases, with nesting and shared edges; now and then an odd range. */
static struct policy_pattern *roll_range(struct dice *dice, struct policy *policy)
{
	static const char *const bases[] = { "10.0.0.0",	"10.0.1.128", "127.0.0.1",
					     "0.0.0.0",		"2001:db8::", "::1",
					     "255.255.255.255", "::" };
	static const int bits[] = { 32, 31, 30, 25, 24, 16, 8, 0 };
	const char *base = bases[dice_roll(dice, COUNT(bases))];
	int prefix = bits[dice_roll(dice, COUNT(bits))];
	struct policy_range range;
	char cidr[64];

	if (dice_roll(dice, 4) == 0) {
		build_address(base, range.low);
		build_address(base, range.high);
		range.low[15] = (uint8_t)dice_roll(dice, 16);
		range.high[15] = (uint8_t)(range.low[15] + dice_roll(dice, 200));
		return build_raw_range(policy, &range);
	}
	snprintf(cidr, sizeof(cidr), "%s/%d", base, strchr(base, ':') ? prefix * 4 : prefix);
	return build_range(policy, cidr);
}

static struct policy_pattern *roll_destination(struct dice *dice, struct policy *policy)
{
	char host[DICE_HOST_MAX];

	if (dice_roll(dice, 2))
		return roll_range(dice, policy);
	dice_pattern(dice, host);
	return build_host(policy, host);
}

/* Words behind the program of the last pattern. */
static void roll_words(struct dice *dice, struct policy_pattern *pattern, enum pk_verdict verdict)
{
	static const char *const words[] = { "a",     "b",   "...",	"*",	"a*",	"?",
					     "[!a]",  "a/b", "{a,b}",	"[a/]", "\\*a", "*/*",
					     "{,a*}", "ab",  "{a,b}/?", "..." };
	uint32_t count = dice_roll(dice, 4);

	for (uint32_t i = 0; i < count; i++) {
		const char *word = words[dice_roll(dice, COUNT(words))];

		pattern->words =
			reallocarray(pattern->words, pattern->word_count + 1, sizeof(char *));
		pattern->words[pattern->word_count++] = strdup(word);
	}
	if (count && verdict != PK_VERDICT_ALLOW) {
		free(pattern->glob);
		pattern->glob = NULL;
	}
}

static void roll_by(struct dice *dice, struct policy *policy)
{
	static const char *const programs[] = { "/a", "/ab", "**/a", "/usr/**", "/b/?" };
	uint32_t count = dice_roll(dice, 4) ? 0 : 1 + dice_roll(dice, 2);

	for (uint32_t i = 0; i < count; i++)
		build_by(policy, programs[dice_roll(dice, COUNT(programs))]);
}

static void roll_rule(struct dice *dice, struct policy *policy)
{
	static const uint8_t all[] = { PK_ACCESS_EGRESS, PK_ACCESS_FILES, PK_ACCESS_RUN,
				       PK_ACCESS_ABSTRACT };
	enum pk_section section = dice_roll(dice, COUNT(all));
	enum pk_verdict verdict = dice_roll(dice, PK_VERDICT__MAX);
	uint8_t access = all[section];
	uint32_t patterns = 1 + dice_roll(dice, 2);
	struct policy_pattern *pattern;
	char glob[GLOB_ROOM];

	if (section <= PK_SECTION_FILES && dice_roll(dice, 3))
		access = (uint8_t)(1 + dice_roll(dice, access));
	build_rule(policy, section, verdict, access)->access_said = dice_roll(dice, 2);
	roll_by(dice, policy);
	for (uint32_t i = 0; i < patterns; i++) {
		if (section == PK_SECTION_EGRESS) {
			pattern = roll_destination(dice, policy);
			roll_ports(dice, policy);
		} else {
			roll_glob(dice, glob);
			pattern = build_glob(policy, glob);
			if (dice_roll(dice, 8) == 0) {
				roll_glob(dice, glob);
				pattern->also = strdup(glob);
			}
			if (section == PK_SECTION_EXEC)
				roll_words(dice, pattern, verdict);
		}
		/* Repetitions are refused within a file: these patterns are of none. */
		pattern->pos.file = NULL;
	}
}

struct policy *dice_policy(struct dice *dice)
{
	struct policy *policy = build_policy("dice");
	uint32_t rules = dice_roll(dice, 13);

	for (int i = 0; i < PK_SECTION__MAX; i++)
		if (dice_roll(dice, 5))
			build_section(policy, i, dice_roll(dice, PK_VERDICT__MAX));
	for (uint32_t i = 0; i < rules; i++)
		roll_rule(dice, policy);
	return policy;
}

/* Output of an instantiation. */
struct text {
	char *bytes;
	size_t length;
};

static void put(struct text *text, char byte)
{
	if (text->length < DICE_PATH_MAX - 2)
		text->bytes[text->length++] = byte;
}

static void put_any(struct dice *dice, struct text *text, uint32_t most, const char *from)
{
	uint32_t count = dice_roll(dice, most + 1);

	for (uint32_t i = 0; i < count; i++)
		put(text, from[dice_roll(dice, (uint32_t)strlen(from))]);
}

static const char *after_class(const char *at)
{
	for (at++; *at && *at != ']'; at++)
		at += *at == '\\' && at[1];
	return *at ? at + 1 : at;
}

/* The end of the alternative at @at: an unnested comma or close, or the end of the text. */
static const char *alternative_end(const char *at)
{
	int depth = 0;

	while (*at && (depth || (*at != ',' && *at != '}'))) {
		if (*at == '[') {
			at = after_class(at);
			continue;
		}
		depth += (*at == '{') - (*at == '}');
		at += *at == '\\' && at[1] ? 2 : 1;
	}
	return at;
}

static void instantiate(struct dice *dice, struct text *text, const char *at, const char *end);

/* One alternative of the group at @at; returns what follows the group. */
static const char *instantiate_group(struct dice *dice, struct text *text, const char *at)
{
	const char *starts[16];
	const char *ends[16];
	uint32_t count = 0;
	uint32_t chosen;

	do {
		starts[count] = ++at;
		ends[count] = at = alternative_end(at);
		count += count < 15;
	} while (*at == ',');
	chosen = dice_roll(dice, count);
	instantiate(dice, text, starts[chosen], ends[chosen]);
	return *at ? at + 1 : at;
}

/* A text that the glob between @at and @end most likely matches. */
static void instantiate(struct dice *dice, struct text *text, const char *at, const char *end)
{
	while (at < end) {
		switch (*at) {
		case '*':
			put_any(dice, text, 3, at[1] == '*' ? "ab/.a/" : "ab.x");
			at += at[1] == '*' ? 2 : 1;
			break;
		case '?':
			put(text, "abx"[dice_roll(dice, 3)]);
			at++;
			break;
		case '[':
			put(text, "abcx]"[dice_roll(dice, 5)]);
			at = after_class(at);
			break;
		case '{':
			at = instantiate_group(dice, text, at);
			break;
		case '\\':
			at++;
			__attribute__((fallthrough));
		default:
			put(text, *at++);
		}
	}
}

static void mutate(struct dice *dice, struct text *text)
{
	size_t at = dice_roll(dice, (uint32_t)text->length + 1);

	switch (dice_roll(dice, 8)) {
	case 0:
		put(text, '/');
		put_any(dice, text, 3, "ab/.env");
		break;
	case 1:
		text->length = at;
		break;
	case 2:
		if (at < text->length)
			text->bytes[at] = "ab/x."[dice_roll(dice, 5)];
		break;
	case 3:
		put_any(dice, text, 4, "ab.x\303");
		break;
	default:
		break;
	}
}

/* Make any bytes a path as the kernel shows them: no empty component, no slash at the end. */
static void normalise(char *path, const struct text *text)
{
	size_t length = 0;

	path[length++] = '/';
	for (size_t i = 0; i < text->length; i++)
		if (text->bytes[i] != '/' || path[length - 1] != '/')
			path[length++] = text->bytes[i];
	if (length > 1 && path[length - 1] == '/')
		length--;
	path[length] = '\0';
}

static const struct policy_pattern *pick(struct dice *dice, struct policy *const *layers,
					 size_t count, bool egress)
{
	const struct policy *policy = layers[dice_roll(dice, (uint32_t)count)];
	const struct policy_rule *rule;

	if (!policy->rule_count)
		return NULL;
	rule = &policy->rules[dice_roll(dice, (uint32_t)policy->rule_count)];
	if ((rule->section == PK_SECTION_EGRESS) != egress)
		return NULL;
	return &rule->patterns[dice_roll(dice, (uint32_t)rule->pattern_count)];
}

static const char *glob_of(struct dice *dice, const struct policy_pattern *pattern)
{
	if (pattern->also && dice_roll(dice, 2))
		return pattern->also;
	return pattern->word_count ? pattern->words[0] : pattern->glob;
}

void dice_path(struct dice *dice, struct policy *const *layers, size_t count,
	       char path[DICE_PATH_MAX])
{
	const struct policy_pattern *pattern = NULL;
	char bytes[DICE_PATH_MAX];
	struct text text = { bytes, 0 };
	const char *glob = "/**";

	for (int tries = 0; tries < 4 && !pattern; tries++)
		pattern = pick(dice, layers, count, false);
	if (pattern)
		glob = glob_of(dice, pattern);
	instantiate(dice, &text, glob, glob + strlen(glob));
	mutate(dice, &text);
	normalise(path, &text);
}

/* Words that an argument glob, or "...", most likely matches. */
static void put_word(struct dice *dice, struct dice_command *command, const char *glob)
{
	size_t number = 0;
	struct text text;

	while (command->argv[number])
		number++;
	if (number == DICE_WORDS_MAX)
		return;
	command->argv[number] = command->words[number];
	text = (struct text){ command->words[number], 0 };
	instantiate(dice, &text, glob, glob + strlen(glob));
	if (dice_roll(dice, 8) == 0)
		put_any(dice, &text, 2, "ab/*");
	command->words[number][text.length] = '\0';
}

void dice_command(struct dice *dice, struct policy *const *layers, size_t count,
		  struct dice_command *ret_command)
{
	const struct policy_pattern *pattern = NULL;
	char bytes[DICE_PATH_MAX];
	struct text text = { bytes, 0 };
	const char *glob;

	*ret_command = (struct dice_command){ 0 };
	for (int tries = 0; tries < 16 && (!pattern || !pattern->word_count); tries++)
		pattern = pick(dice, layers, count, false);
	put_word(dice, ret_command, "a");
	if (!pattern || !pattern->word_count) {
		dice_path(dice, layers, count, ret_command->program);
		return;
	}
	glob = glob_of(dice, pattern);
	instantiate(dice, &text, glob, glob + strlen(glob));
	normalise(ret_command->program, &text);
	for (size_t i = 1; i < pattern->word_count; i++) {
		bool any = strcmp(pattern->words[i], "...") == 0;
		uint32_t words = any ? dice_roll(dice, 3) : 1;

		for (uint32_t j = 0; j < words; j++)
			put_word(dice, ret_command, any ? "{a,b,*}" : pattern->words[i]);
	}
	if (dice_roll(dice, 4) == 0)
		put_word(dice, ret_command, "{a,b,?}");
}

void dice_program(struct dice *dice, struct policy *const *layers, size_t count,
		  char path[DICE_PATH_MAX])
{
	static const char *const programs[] = { "/a", "/ab", "/x/a", "/usr/b", "/b/c", "/b" };

	if (dice_roll(dice, 4))
		(void)snprintf(path, DICE_PATH_MAX, "%s",
			       programs[dice_roll(dice, COUNT(programs))]);
	else
		dice_path(dice, layers, count, path);
}

/* Add 1, 0 or -1 to a 128-bit number. */
static void nudge(uint8_t address[16], int by)
{
	for (int i = 15; i >= 0 && by; i--) {
		int sum = address[i] + by;

		address[i] = (uint8_t)sum;
		by = sum > 255 ? 1 : sum < 0 ? -1 : 0;
	}
}

/* An IPv6 form of what may be an IPv4 address. */
static void embed(struct dice *dice, uint8_t address[16])
{
	static const char *const prefixes[] = { "64:ff9b::", "::", "2002::" };
	uint32_t form = dice_roll(dice, COUNT(prefixes));
	uint8_t v4[4];

	memcpy(v4, address + 12, 4);
	build_address(prefixes[form], address);
	memcpy(address + (form == 2 ? 2 : 12), v4, 4);
	if (form == 2)
		address[15] = (uint8_t)dice_roll(dice, 256);
}

void dice_address(struct dice *dice, struct policy *const *layers, size_t count,
		  uint8_t address[16])
{
	const struct policy_pattern *pattern = NULL;

	for (int tries = 0; tries < 8 && (!pattern || !pattern->range_count); tries++)
		pattern = pick(dice, layers, count, true);
	build_address("10.0.0.7", address);
	if (pattern && pattern->range_count)
		memcpy(address,
		       dice_roll(dice, 2) ? pattern->ranges[0].low : pattern->ranges[0].high, 16);
	nudge(address, (int)dice_roll(dice, 3) - 1);
	if (dice_roll(dice, 4) == 0)
		address[15] = (uint8_t)dice_roll(dice, 256);
	if (dice_roll(dice, 8) == 0)
		embed(dice, address);
	if (dice_roll(dice, 16) == 0)
		build_address(dice_roll(dice, 2) ? "0.0.0.0" : "::", address);
}

uint16_t dice_port(struct dice *dice)
{
	static const uint16_t ports[] = { 0, 1, 22, 79, 80, 81, 443, 8000, 8001, 65534, 65535 };

	return ports[dice_roll(dice, COUNT(ports))];
}
