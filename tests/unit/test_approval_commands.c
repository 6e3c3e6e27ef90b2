/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands about approvals, `why` and `top`, against a server whose answers are made up: what is
 * asked of it, what is printed, exit codes, and what hostile texts do to the output.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/duration.h"
#include "control/server.h"

#include "commands.h"
#include "serving.h"

#define SOCKET "socket"
#define LOCK "socket.lock"

static pid_t server_pid;

#define REQUEST(id, agent)                                                                                          \
	"{\"schema\":\"picket.request/1\",\"id\":\"" id                                                             \
	"\",\"state\":\"waiting\",\"agent\":\"" agent                                                               \
	"\",\"agent_name\":\"builder\",\"policy\":\"build\",\"op\":\"connect\",\"object\":\"git.example:22/tcp\","  \
	"\"address\":\"192.0.2.7\",\"rule\":{\"text\":\"*:22\",\"id\":\"ssh\",\"reason\":\"people push\","          \
	"\"file\":\"/etc/build.yaml\",\"line\":9},\"held\":true,\"count\":3,\"since\":1,\"expires\":2,"             \
	"\"approvers\":2,\"approved_by\":[{\"who\":\"alice\",\"uid\":1001}],\"processes\":[{\"pid\":4121,"          \
	"\"exe\":\"/usr/bin/ssh\",\"argv\":[\"ssh\",\"a\\\\nb\",\"\\u001b[2J\"],\"cwd\":\"/srv/app\",\"uid\":1000," \
	"\"chain\":[{\"pid\":4100,\"comm\":\"git\"},{\"pid\":4090,\"comm\":\"bash\"}]}]}"

static const char requests[] = "{\"requests\":[" REQUEST("r-aaaaaaaa1111", "a-1-x") "," REQUEST(
	"r-aaaaaaaa2222", "a-1-x") "," REQUEST("r-bbbbbbbb3333",
					       "a-1-x") "," REQUEST("r-bbbbbbbb3333", "a-2-y") "]}";

#define DENIAL                                                                                              \
	"{\"schema\":\"picket.event/1\",\"kind\":\"decision\",\"reason\":\"rule\",\"rule\":{\"verdict\":"   \
	"\"deny\",\"text\":\"**/.env\",\"file\":\"/etc/build.yaml\",\"line\":7,\"reason\":\"no secrets\"}," \
	"\"text\":\"12:00:00 DENIED open /w/.env\",\"suggest\":[\"- {allow: /w/.env, access: [read]}\"]}"
#define SHOWN                                                                                      \
	"12:00:00 DENIED open /w/.env\n"                                                           \
	"    rule   deny **/.env at /etc/build.yaml:7\n"                                           \
	"    why    no secrets\n"                                                                  \
	"    allow  - {allow: /w/.env, access: [read]}\n"

static int answer_text(struct control_answer *answer, const char *text)
{
	answer->result = json_loads(text, 0, NULL);
	return answer->result ? 0 : -EINVAL;
}

static int do_requests(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	(void)call;
	return answer_text(answer, requests);
}

static int do_grants(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	(void)call;
	return answer_text(
		answer, "{\"grants\":[{\"grant\":12,\"agent\":\"a-1-x\",\"mode\":\"agent\",\"op\":"
			"\"connect\",\"object\":\"git.example:22/tcp\",\"approved_by\":[{\"who\":"
			"\"alice\",\"uid\":1001},{\"who\":\"hook\"}]}]}");
}

/* What was asked is kept in the reason that it was asked with: the file `asked`. */
static int do_approve(void *context, struct call *call, struct control_answer *answer)
{
	json_t *params = call->request->params;
	CLEAN_FREE char *text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS);
	const char *reason = json_string_value(json_object_get(params, "reason"));

	(void)context;
	write_file("asked", text);
	if (reason && strcmp(reason, "mine") == 0) {
		answer->code = CONTROL_DENIED;
		answer->message = strdup("nobody approves for himself");
		answer->data = json_pack("{s:s}", "hint", "ask somebody else");
		return 0;
	}
	if (json_object_get(params, "preview"))
		return answer_text(answer, "{\"diff\":\"+ a line\\n+ more\\n\",\"file\":\"/f\"}");
	if (reason && strcmp(reason, "two") == 0)
		return answer_text(answer, "{\"state\":\"waiting\",\"missing\":1}");
	return answer_text(answer, "{\"state\":\"approved\",\"grant\":12}");
}

static int do_revoke(void *context, struct call *call, struct control_answer *answer)
{
	CLEAN_FREE char *text = json_dumps(call->request->params, JSON_COMPACT | JSON_SORT_KEYS);

	(void)context;
	write_file("asked", text);
	return answer_text(answer, "{\"grant\":{\"grant\":12,\"op\":\"connect\",\"object\":"
				   "\"git.example:22/tcp\"}}");
}

static int do_denials(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	(void)call;
	return answer_text(answer, "{\"denials\":[" DENIAL "],\"dropped\":4}");
}

/* Its numbers rise with each call. */
static int do_list(void *context, struct call *call, struct control_answer *answer)
{
	static int calls;

	(void)context;
	if (!json_is_true(json_object_get(call->request->params, "time")))
		return -EINVAL;
	calls++;
	answer->result = json_pack("{s:[{s:s, s:s, s:i}, {s:s, s:s, s:i, s:i, s:i, s:i}]}",
				   "agents", "agent", "a-1-idle", "policy", "work", "asked", 100,
				   "agent", "a-2-busy", "name", "odd\033name", "denied", 10 * calls,
				   "granted", calls, "timed", 4 * calls, "timed_ns", 10000 * calls);
	return 0;
}

static const struct method methods[] = {
	{ "request.list", PEER_NOBODY, do_requests },
	{ "request.approve", PEER_NOBODY, do_approve },
	{ "request.refuse", PEER_NOBODY, do_approve },
	{ "grant.list", PEER_NOBODY, do_grants },
	{ "grant.revoke", PEER_NOBODY, do_revoke },
	{ "agent.denials", PEER_NOBODY, do_denials },
	{ "agent.list", PEER_NOBODY, do_list },
};

static void start_server(void)
{
	server_pid = serving_begin(SOCKET, methods, sizeof(methods) / sizeof(*methods));
}

/* One call, and parts of what it must print ("" = nothing, NULL = whatever) and ask. */
struct expected {
	const char *args[ARGS_MAX];
	int code;
	const char *out;
	const char *err;
	const char *asked; /* NULL: nothing about it */
};

static const struct expected calls[] = {
	{ { "requests" },
	  0,
	  "    agent     a-1-x (builder), policy build\n"
	  "    wants     connect git.example:22/tcp (192.0.2.7)\n"
	  "    process   ssh[4121] < git[4100] < bash[4090]  uid 1000  in /srv/app\n"
	  "    command   ssh a\\nb \\x1b[2J\n"
	  "    rule      ask *:22 at /etc/build.yaml:9 (ssh) \"people push\"\n"
	  "    meanwhile it is stopped; asked 3 times\n"
	  "    approved  1 of 2: alice (uid 1001)\n",
	  "",
	  NULL },
	{ { "requests", "--json" }, 0, "\"r-aaaaaaaa1111\"", "", NULL },
	{ { "requests", "--wach" }, 2, "", "--wach", NULL },
	{ { "requests", "a", "b" }, 2, "", "'b' is one word too many", NULL },

	{ { "approve", "r-aaaaaaaa1" },
	  0,
	  "connect git.example:22/tcp (192.0.2.7): approved for those that wait now\n",
	  "",
	  "{\"agent\":\"a-1-x\",\"id\":\"r-aaaaaaaa1111\",\"mode\":\"once\"}" },
	{ { "approve", "aaaaaaaa1", "--for", "10m", "--reason", "ok" },
	  0,
	  ": approved for 10 min\n",
	  "",
	  "\"mode\":\"for\",\"reason\":\"ok\",\"seconds\":600}" },
	{ { "approve", "bbbbbbbb", "a-2-y", "--agent" },
	  0,
	  ": approved until the agent ends\n",
	  "",
	  "{\"agent\":\"a-2-y\",\"id\":\"r-bbbbbbbb3333\",\"mode\":\"agent\"}" },
	{ { "approve", "r-aaaaaaaa" },
	  1,
	  "",
	  "2 requests begin with 'r-aaaaaaaa': give more",
	  NULL },
	{ { "approve", "r-bbbbbbbb3333" },
	  1,
	  "",
	  "2 agents wait for 'r-bbbbbbbb3333': give the",
	  NULL },
	{ { "approve", "r-" }, 1, "", "'r-' is too short: give the id, or its first 8", NULL },
	{ { "approve", "" }, 1, "", "'' is too short", NULL },
	{ { "approve", "r-aaaaaaaa1", "a-2-y" }, 1, "", "there is no request", NULL },
	{ { "approve", "aaaaaaaa1", "--reason", "mine" },
	  1,
	  "",
	  "picket approve: nobody approves for himself\nHint: ask somebody else\n",
	  NULL },
	{ { "approve", "aaaaaaaa1", "--reason", "two" },
	  0,
	  "approved by you; 1 more must\n",
	  "",
	  NULL },
	{ { "approve", "aaaaaaaa1", "--always" },
	  1,
	  "/f\n+ a line\n+ more\n",
	  "give --yes",
	  "preview" },
	{ { "approve", "aaaaaaaa1", "--always", "--yes" },
	  0,
	  "+ a line\n+ more\nconnect git.example:22/tcp (192.0.2.7): approved always\n",
	  "",
	  "{\"agent\":\"a-1-x\",\"id\":\"r-aaaaaaaa1111\",\"mode\":\"always\"}" },
	{ { "approve" }, 2, "", "no request given: `picket requests` lists them", NULL },
	{ { "approve", "a", "b", "c" }, 2, "", "'c' is one word too many", NULL },
	{ { "approve", "a", "--yes" }, 2, "", "--yes is for --always", NULL },
	{ { "approve", "a", "--once", "--agent" }, 2, "", "give one of --once,", NULL },
	{ { "approve", "a", "--for", "10" }, 2, "", "--for '10' is no time", NULL },
	{ { "approve", "a", "--for", "31d" }, 2, "", "--for '31d' is no time", NULL },
	{ { "approve", "a", "--for", "-1s" }, 2, "", "--for '-1s' is no time", NULL },

	{ { "refuse", "aaaaaaaa2", "--reason", "no" },
	  0,
	  "connect git.example:22/tcp (192.0.2.7): refused\n",
	  "",
	  "{\"agent\":\"a-1-x\",\"id\":\"r-aaaaaaaa2222\",\"reason\":\"no\"}" },
	{ { "refuse" }, 2, "", "no request given", NULL },
	{ { "refuse", "a", "b", "c" }, 2, "", "'c' is one word too many", NULL },
	{ { "refuse", "zzzzzzzz" }, 1, "", "there is no request 'zzzzzzzz'", NULL },

	{ { "grants" },
	  0,
	  "GRANT  AGENT  MODE   USES  ENDS            BY                      WHAT\n"
	  "   12  a-1-x  agent   any  with the agent  alice (uid 1001), hook  connect "
	  "git.example:22/tcp\n",
	  "",
	  NULL },
	{ { "grants", "--json" }, 0, "\"grant\": 12", "", NULL },
	{ { "revoke", "12", "--reason", "x" },
	  0,
	  "connect git.example:22/tcp: taken back\n",
	  "",
	  "{\"grant\":12,\"reason\":\"x\"}" },
	{ { "revoke" }, 2, "", "no grant given", NULL },
	{ { "revoke", "g-1" }, 2, "", "'g-1' is no number of a grant", NULL },
	{ { "revoke", "0" }, 2, "", "no number", NULL },
	{ { "revoke", "1", "2" }, 2, "", "'2' is one word too many", NULL },

	{ { "why", "a-1-x" }, 0, "(4 older or lost denials are not kept)\n" SHOWN, "", NULL },
	{ { "why", "a-1-x", "--json" }, 0, "\"dropped\": 4", "", NULL },
	{ { "why", "0" }, 2, "", "'0' is no number of denials", NULL },
	{ { "why", "1001" }, 2, "", "'1001' is no number of denials", NULL },
	{ { "why", "a", "x" }, 2, "", "'x' is no number of denials", NULL },
	{ { "why", "a", "1", "x" }, 2, "", "'x' is one word too many", NULL },
	{ { "why" }, 1, "", "$PICKET_DENIALS is not set\nHint: `picket why AGENT`", NULL },

	{ { "top", "-n", "0" }, 2, "", "-n '0' is no number", NULL },
	{ { "top", "-d", "nan" }, 2, "", "-d 'nan' is no number", NULL },
	{ { "top", "-d", "0" }, 2, "", "-d '0' is no number", NULL },
	{ { "top", "x" }, 2, "", "'x' is one word too many", NULL },
};

static void expect_part(const struct expected *call, const char *stream, const char *text,
			const char *part)
{
	if (part && (part[0] ? !strstr(text, part) : text[0] != '\0'))
		fail_msg("picket %s %s: %s should have '%s':\n%s", call->args[0],
			 call->args[1] ? call->args[1] : "", stream, part, text);
}

static void commands_say_and_exit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, calls[i].args, NULL);
		CLEAN_FREE char *asked = NULL;

		if (outcome.code != calls[i].code)
			fail_msg("call %zu: picket %s: exit %d, not %d:\n%s%s", i, calls[i].args[0],
				 outcome.code, calls[i].code, outcome.out, outcome.err);
		expect_part(&calls[i], "stdout", outcome.out, calls[i].out);
		expect_part(&calls[i], "stderr", outcome.err, calls[i].err);
		if (!calls[i].asked)
			continue;
		asked = read_file("asked");
		expect_part(&calls[i], "what was asked", asked, calls[i].asked);
	}
}

/* Inside an agent: the last ones of a file, whatever else is in it. */
static void the_feed_is_read(void **state)
{
	static const char *const last[ARGS_MAX] = { "why" };
	static const char *const two[ARGS_MAX] = { "why", "2" };
	CLEAN(outcome_reset) struct outcome one = { 0 };
	CLEAN(outcome_reset) struct outcome more = { 0 };
	CLEAN(outcome_reset) struct outcome none = { 0 };
	CLEAN(outcome_reset) struct outcome missing = { 0 };

	(void)state;
	write_file(
		"feed",
		"{\"schema\":\"picket.denials/1\",\"dropped\":2}\n"
		"{\"kind\":\"decision\",\"reason\":\"held\",\"text\":\"old\",\"request\":\"r-a\"}\n"
		"no JSON\n{\"kind\":\"activity\",\"text\":\"opened\"}\n" DENIAL "\n");
	assert_int_equal(setenv("PICKET_DENIALS", "feed", 1), 0);
	one = run(NULL, last, NULL);
	more = run(NULL, two, NULL);
	write_file("feed", "");
	none = run(NULL, last, NULL);
	(void)unlink("feed");
	missing = run(NULL, last, NULL);
	(void)unsetenv("PICKET_DENIALS");
	assert_string_equal(one.out, "(2 older or lost denials are not kept)\n" SHOWN);
	assert_string_equal(more.out, "(2 older or lost denials are not kept)\n"
				      "old\n    asked  it waits for approval: request r-a\n" SHOWN);
	assert_int_equal(none.code, 0);
	assert_string_equal(none.out, "nothing was denied\n");
	assert_int_equal(missing.code, 1);
	assert_non_null(strstr(missing.err, "cannot read 'feed'"));
}

/* The mean of what was timed between two looks; none at the first look, and none of who was idle. */
static void top_has_latencies(void **state)
{
	static const char *const table[ARGS_MAX] = { "top", "-n", "2", "-d", "0.1" };
	static const char *const lines[ARGS_MAX] = { "top", "--json", "-n", "2", "-d", "0.1" };
	CLEAN(outcome_reset) struct outcome looks = run(NULL, table, NULL);
	CLEAN(outcome_reset) struct outcome both = run(NULL, lines, NULL);
	const char *second = strchr(both.out, '\n');
	const char *found = strstr(looks.out, "2.5us");

	(void)state;
	assert_int_equal(looks.code, 0);
	assert_non_null(strstr(looks.out, "LATENCY"));
	assert_non_null(found);
	assert_null(strstr(found + strlen("2.5us"), "us\n"));
	assert_int_equal(both.code, 0);
	assert_non_null(second);
	found = strstr(both.out, "\"latency_us\":2.5");
	assert_true(found && found > second);
	assert_null(strstr(found + strlen("\"latency_us"), "latency_us"));
}

static void top_has_rates(void **state)
{
	static const char *const table[ARGS_MAX] = { "top", "-n", "2", "-d", "0.1" };
	static const char *const lines[ARGS_MAX] = { "top", "--json", "-n", "1" };
	CLEAN(outcome_reset) struct outcome looks = run(NULL, table, NULL);
	CLEAN(outcome_reset) struct outcome line = run(NULL, lines, NULL);
	const char *second = strstr(looks.out + 1, "2 agents");
	json_t *json = json_loads(line.out, 0, NULL);

	(void)state;
	assert_int_equal(looks.code, 0);
	assert_non_null(second);
	second = strstr(second + 1, "2 agents");
	assert_non_null(second);
	/* First look: no rates, more decisions first. Second: the busy one first. */
	assert_true(strstr(looks.out, "a-1-idle") < strstr(looks.out, "a-2-busy"));
	assert_true(strstr(second, "a-2-busy") < strstr(second, "a-1-idle"));
	assert_non_null(strstr(looks.out, "odd\\x1bname"));
	assert_int_equal(line.code, 0);
	assert_string_equal(json_string_value(json_object_get(json, "schema")), "picket.top/1");
	assert_int_equal(json_array_size(json_object_get(json, "agents")), 2);
	json_decref(json);
}

static void durations(void **state)
{
	static const char *const bad[] = { "",	   "s",	  "10",	 "10x",
					   "10ms", "0s",  "-1s", " 1s",
					   "+1s",  "1 s", "31d", "99999999999999999999s" };
	char text[32];
	long seconds = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(bad[i], &seconds), -1);
	assert_int_equal(duration_parse("90s", &seconds), 0);
	assert_int_equal(seconds, 90);
	assert_int_equal(duration_parse("2h", &seconds), 0);
	assert_int_equal(seconds, 7200);
	assert_int_equal(duration_parse("30d", &seconds), 0);
	assert_int_equal(seconds, DURATION_MAX);
	assert_string_equal(duration_text(-5, text, sizeof(text)), "0 s");
	assert_string_equal(duration_text(119, text, sizeof(text)), "119 s");
	assert_string_equal(duration_text(7199, text, sizeof(text)), "119 min");
	assert_string_equal(duration_text(86400, text, sizeof(text)), "24 h");
}

static char folder[] = "/tmp/picket-approvals-XXXXXX";

static int enter_folder(void **state)
{
	char path[PATH_MAX];

	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/" SOCKET, folder);
	(void)unsetenv("PICKET_DENIALS");
	if (setenv("PICKET_SOCKET", path, 1) < 0)
		return -1;
	start_server();
	return 0;
}

static int leave_folder(void **state)
{
	static const char *const names[] = { SOCKET, LOCK,	   "asked",
					     "feed", "stdout.txt", "stderr.txt" };

	(void)state;
	serving_end(server_pid);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_say_and_exit),
		cmocka_unit_test(the_feed_is_read),
		cmocka_unit_test(top_has_rates),
		cmocka_unit_test(top_has_latencies),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
