/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a policy says about recorded acts that are more than a path or a destination: renames that widen, connections
 * from outside, system calls; and that what a recording does not tell is not judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "author/judge.h"
#include "author/recording.h"
#include "author/replay.h"
#include "base/mem.h"
#include "policies.h"

#define LINE(verdict, section, op, access, reason, keys)                                           \
	"{\"schema\":\"picket.event/1\",\"time\":\"t\",\"verdict\":\"" verdict "\",\"op\":\"" op   \
	"\",\"section\":\"" section "\",\"access\":[" access "],\"reason\":\"" reason              \
	"\",\"process\":{\"comm\":\"c\",\"id\":\"1-1\"}," keys "}\n"
#define MOVE(op, reason, from, to)                                                                 \
	LINE("deny", "files", op, "\"write\"", reason, "\"path\":\"" from "\",\"path2\":\"" to "\"")
#define RENAME(from, to) MOVE("rename", "default", from, to)
#define REFUSED(from, to) MOVE("rename", "widens", from, to)
#define LINK(from, to) MOVE("link", "default", from, to)
#define ACCEPT(section, peer, local)                                                               \
	LINE("deny", section, "accept", "\"tcp\"", "default",                                      \
	     "\"address\":\"" peer "\"," local "\"port\":443")
#define AT "\"local_address\":\"192.0.2.1\",\"local_port\":443,"
#define CALL(reason, name)                                                                         \
	LINE("deny", "syscalls", "syscall", "", reason, "\"number\":1,\"syscall\":\"" name "\"")

/* Write only, both, both with programs, and a folder with other rules inside. */
#define FILES                                                                                      \
	"picket: 1\nfiles:\n  default: deny\n  rules:\n"                                           \
	"    - {allow: [\"/wo\", \"/wo/**\"], access: [write]}\n"                                  \
	"    - {allow: [\"/rw\", \"/rw/**\"], access: [read, write]}\n"                            \
	"    - {allow: [\"/rx\", \"/rx/**\"], access: [read, write, exec]}\n"                      \
	"    - {deny: \"/rw/b/secret\"}\n"
#define COMMANDS                                                                                   \
	"picket: 1\nfiles:\n  default: allow\n  rules: [{deny: \"/quiet/*\", access: [read]}]\n"   \
	"exec:\n  default: allow\n  rules:\n    - {deny: /opt/tool push}\n"
#define LISTEN                                                                                     \
	"picket: 1\nlisten:\n  default: deny\n  rules:\n"                                          \
	"    - {allow: \"192.0.2.1:443\", from: 10.0.0.0/8}\n"
#define CALLS "picket: 1\nsyscalls: {deny: [mount, \"@swap\"]}\n"

#define ALLOWED true, PK_VERDICT_ALLOW
#define DENIED true, PK_VERDICT_DENY
#define UNTOLD false, PK_VERDICT_ALLOW, PK_REASON_UNJUDGED

/* An event, a policy, and what that says of it. */
static const struct {
	const char *event, *policy;
	bool judged;
	enum pk_verdict verdict;
	enum pk_reason reason;
} acts[] = {
	{ RENAME("/rw/a", "/rw/c"), FILES, ALLOWED, PK_REASON_RULE },
	{ RENAME("/rw/a", "/rx/a"), FILES, ALLOWED, PK_REASON_RULE },
	{ RENAME("/rw/a", "/wo/a"), FILES, ALLOWED, PK_REASON_RULE },
	{ RENAME("/wo/a", "/wo/b"), FILES, ALLOWED, PK_REASON_RULE },
	{ RENAME("/wo/a", "/rw/a"), FILES, DENIED, PK_REASON_WIDENS },
	{ RENAME("/wo/a", "/no/a"), FILES, DENIED, PK_REASON_DEFAULT },
	{ RENAME("/rw/a", "/rw/b/secret"), FILES, DENIED, PK_REASON_RULE },
	{ RENAME("/wo/a", "/rw/a"), "picket: 1\nfiles: {default: allow}\n", ALLOWED,
	  PK_REASON_DEFAULT },
	/* What was refused for it may be no regular file: then only what holds for each is said. */
	{ REFUSED("/rw/c", "/rw/d"), FILES, ALLOWED, PK_REASON_RULE },
	{ REFUSED("/wo/a", "/rw/a"), FILES, DENIED, PK_REASON_WIDENS },
	{ REFUSED("/rw/a", "/rx/a"), FILES, UNTOLD },
	{ REFUSED("/rw/a", "/rw/b"), FILES, UNTOLD },
	{ REFUSED("/rx/a", "/rw/c"), FILES, UNTOLD },
	{ REFUSED("/no/a", "/rw/c"), FILES, DENIED, PK_REASON_DEFAULT },
	/* A link is another name for the same file: no copy could have stood for it. */
	{ LINK("/rw/a", "/rw/c"), FILES, ALLOWED, PK_REASON_RULE },
	{ LINK("/rx/a", "/rw/a"), FILES, ALLOWED, PK_REASON_RULE },
	{ LINK("/rw/a", "/rx/a"), FILES, DENIED, PK_REASON_WIDENS },
	{ MOVE("link", "widens", "/rx/a", "/rw/a"), FILES, ALLOWED, PK_REASON_RULE },
	/* Other rules for its command lines are another right. */
	{ LINK("/opt/tool", "/opt/other"), COMMANDS, DENIED, PK_REASON_WIDENS },
	{ LINK("/opt/x", "/opt/other"), COMMANDS, ALLOWED, PK_REASON_DEFAULT },
	{ RENAME("/opt/tool", "/opt/other"), COMMANDS, ALLOWED, PK_REASON_DEFAULT },
	{ RENAME("/quiet/a", "/opt/tool"), COMMANDS, DENIED, PK_REASON_WIDENS },

	{ ACCEPT("listen", "10.1.2.3", AT), LISTEN, ALLOWED, PK_REASON_RULE },
	{ ACCEPT("accept", "10.1.2.3", AT), LISTEN, ALLOWED, PK_REASON_RULE },
	{ ACCEPT("listen", "203.0.113.7", AT), LISTEN, DENIED, PK_REASON_DEFAULT },
	{ ACCEPT("accept", "203.0.113.7", AT), LISTEN, DENIED, PK_REASON_DEFAULT },
	{ ACCEPT("listen", "10.1.2.3", "\"local_address\":\"192.0.2.2\","), LISTEN, DENIED,
	  PK_REASON_DEFAULT },
	{ ACCEPT("listen", "10.1.2.3", ""), LISTEN, UNTOLD },

	{ CALL("rule", "mount"), CALLS, DENIED, PK_REASON_RULE },
	{ CALL("rule", "swapon"), CALLS, DENIED, PK_REASON_RULE },
	{ CALL("rule", "ptrace"), CALLS, ALLOWED, PK_REASON_DEFAULT },
	{ CALL("rule", "mount"), "picket: 1\n", ALLOWED, PK_REASON_DEFAULT },
	{ CALL("image", "unknown"), CALLS, UNTOLD },
	{ CALL("rule", ""), CALLS, UNTOLD },
};

static void read_text(const char *text, struct recording *recording)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FILE FILE *from = fmemopen((void *)text, strlen(text), "r");

	assert_int_equal(recording_read(recording, from, "r.jsonl", &diags), 0);
	assert_int_equal(recording_finish(recording), 0);
}

static void acts_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		CLEAN(recording_reset) struct recording recording = { 0 };
		CLEAN(image_reset)
		struct policy_image image = policy_text_compile("p", acts[i].policy);
		struct pk_result result = { 0 };
		bool judged;

		read_text(acts[i].event, &recording);
		assert_int_equal(recording.count, 1);
		judged = judge_act(&image, &recording.items[0], &result);
		if (judged != acts[i].judged || (judged && (result.verdict != acts[i].verdict ||
							    result.reason != acts[i].reason)))
			fail_msg("act %zu: judged %d, verdict %u, reason %u: %s", i, judged,
				 result.verdict, result.reason, acts[i].event);
	}
}

/* Whichever section said no, it is one connection; and it is told apart from others. */
static void connections_are_one(void **state)
{
	static const char text[] = ACCEPT("listen", "203.0.113.7", AT)
		ACCEPT("accept", "203.0.113.7", AT) ACCEPT("listen", "203.0.113.8", AT);
	CLEAN(recording_reset) struct recording recording = { 0 };
	CLEAN_FREE char *words = NULL;

	(void)state;
	read_text(text, &recording);
	assert_int_equal(recording.count, 2);
	assert_int_equal(recording.items[0].seen.count, 2);
	words = observation_text(&recording.items[0]);
	assert_string_equal(words, "192.0.2.1:443 from 203.0.113.7");
}

static void a_replay_tells_of_them(void **state)
{
	static const char text[] = RENAME("/wo/a", "/rw/a") CALL("rule", "mount")
		REFUSED("/rw/a", "/rx/a") RENAME("/rw/a", "/rw/c");
	CLEAN(recording_reset) struct recording recording = { 0 };
	CLEAN(image_reset) struct policy_image open = policy_text_compile("a", "picket: 1\n");
	CLEAN(image_reset)
	struct policy_image closed = policy_text_compile("b", FILES "syscalls: {deny: [mount]}\n");
	CLEAN(replay_reset) struct replay replay = { 0 };

	(void)state;
	read_text(text, &recording);
	assert_int_equal(replay_run(&recording, &open, &closed, &replay), 0);
	assert_int_equal(replay.count, 2);
	assert_string_equal(replay.changes[0].text, "/wo/a -> /rw/a");
	assert_int_equal(replay.changes[0].after.reason, PK_REASON_WIDENS);
	assert_string_equal(replay.changes[1].text, "mount");
	assert_int_equal(replay.changes[1].section, PK_SECTION_SYSCALLS);
	assert_int_equal(replay.same, 1);
	assert_int_equal(replay.fixed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acts_are_judged),
		cmocka_unit_test(connections_are_one),
		cmocka_unit_test(a_replay_tells_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
