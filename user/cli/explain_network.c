/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Destinations and ways in: parsed from the options, asked, and told in words.
 */
#include "cli/explain_network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "policy/host.h"
#include "telemetry/names.h"

static int refuse(const char *option, const char *given, const struct address_error *error)
{
	return cli_usage("explain", "--%s '%s': %s%s%s", option, given, error->message,
			 error->hint[0] ? "; " : "", error->hint);
}

static int out_of_memory(void)
{
	return cli_error("explain", "out of memory");
}

static int read_protocol(const struct explain_network *options, bool icmp, __u8 *ret_access)
{
	const char *given = options->protocol ? options->protocol : "tcp";

	*ret_access = strcmp(given, "tcp") == 0		 ? PK_ACCESS_TCP :
		      strcmp(given, "udp") == 0		 ? PK_ACCESS_UDP :
		      icmp && strcmp(given, "icmp") == 0 ? PK_ACCESS_ICMP :
							   0;
	if (*ret_access)
		return CLI_OK;
	return cli_usage("explain", "--protocol '%s' is none of tcp, udp%s", given,
			 icmp ? ", icmp" : "");
}

/* An address without a port: of icmp, or who connects. */
static int read_address(const char *option, const char *given, __u8 ret_address[16])
{
	struct address_error error = { 0 };
	struct policy_range range;
	int r = address_parse_alone(given, &range, &error);

	if (r == -EINVAL)
		return refuse(option, given, &error);
	memcpy(ret_address, range.low, 16);
	return CLI_OK;
}

static int read_name(const char *given, char **ret_host)
{
	const struct address_part part = { given, strlen(given), 0 };
	struct address_error error = { 0 };
	int r = host_name_parse(&part, ret_host, &error);

	if (r == -EINVAL)
		return refuse("name", given, &error);
	return r < 0 ? out_of_memory() : CLI_OK;
}

static int read_target(const char *given, struct explain_answer *answer)
{
	struct address_target target = { 0 };
	struct address_error error = { 0 };
	int r = address_parse_target(given, &target, &error);

	if (r == -EINVAL)
		return refuse(answer->act, given, &error);
	if (r < 0)
		return out_of_memory();
	answer->host = target.host;
	answer->has_address = !target.host;
	answer->port = target.port;
	if (answer->has_address)
		memcpy(answer->address, target.address.low, 16);
	return CLI_OK;
}

int explain_ask_connect(const struct explain_network *options, struct explain_answer *answer)
{
	struct explain_part part = { .section = PK_SECTION_EGRESS };
	int code = read_protocol(options, true, &part.access);

	if (code == CLI_OK && part.access == PK_ACCESS_ICMP) {
		code = read_address("connect", options->target, answer->address);
		answer->has_address = true;
	} else if (code == CLI_OK) {
		code = read_target(options->target, answer);
	}
	if (code == CLI_OK && options->name && answer->host)
		code = cli_usage("explain", "--name '%s' is for an address; '%s' is a name itself",
				 options->name, options->target);
	else if (code == CLI_OK && options->name)
		code = read_name(options->name, &answer->host);
	answer->parts[answer->count++] = part;
	return code;
}

int explain_ask_listen(const struct explain_network *options, struct explain_answer *answer)
{
	struct explain_part part = { .section = PK_SECTION_LISTEN };
	struct address_error error = { 0 };
	struct policy_range address;
	int code = read_protocol(options, false, &part.access);
	int r;

	if (code != CLI_OK)
		return code;
	r = address_parse_one(options->target, &address, &answer->port, &error);
	if (r == -EINVAL)
		return refuse("listen", options->target, &error);
	if (r < 0)
		return out_of_memory();
	memcpy(answer->address, address.low, sizeof(answer->address));
	answer->parts[answer->count++] = part;
	if (!options->from)
		return CLI_OK;
	part.section = PK_SECTION_ACCEPT;
	answer->parts[answer->count++] = part;
	return read_address("from", options->from, answer->from);
}

int explain_network_fill(struct explain_answer *answer, struct explain_part *part,
			 const struct pk_query *query, const struct policy_image *image)
{
	const struct decide_target to = {
		.address = answer->has_address ? answer->address : NULL,
		.host = answer->host,
	};
	int r = 0;

	if (part->section == PK_SECTION_LISTEN)
		return explain_address_query(image, answer->address, query, &part->explanation);
	if (part->section == PK_SECTION_ACCEPT)
		return explain_address_query(image, answer->from, query, &part->explanation);
	/* An address that was learned was asked for before. */
	if (answer->host && !answer->has_address)
		r = decide_name(image, answer->host, &answer->question);
	return r < 0 ? r :
		       explain_destination(image, &to, query, &answer->decided, &part->explanation);
}

static bool is_destination(const struct explain_answer *answer)
{
	return answer->count && answer->parts[0].section == PK_SECTION_EGRESS;
}

static void print_question(const struct explain_answer *answer, const struct policy_image *image)
{
	bool allowed = answer->question.verdict == PK_VERDICT_ALLOW;

	if (!image_head(image)->dns.resolver_count) {
		(void)puts("note: questions to resolvers are not looked at, and no names are "
			   "learned");
		return;
	}
	(void)printf("note: a resolver may %sbe asked for %s: ", allowed ? "" : "not ",
		     answer->host);
	explain_answer_put(image, &answer->question);
	(void)putchar('\n');
}

/* A name that would do for another protocol. */
static void print_protocol(const struct explain_answer *answer, const struct policy_image *image)
{
	const struct pk_query query = {
		.section = PK_SECTION_EGRESS,
		.access = PK_ACCESS_TCP,
		.port = answer->port,
		.subjects = answer->subjects,
	};
	struct pk_result result;

	if (answer->parts[0].access == PK_ACCESS_TCP ||
	    decide_host(image, answer->host, &query, &result) ||
	    result.verdict != PK_VERDICT_ALLOW || result.reason != PK_REASON_RULE)
		return;
	(void)puts("note: a host name in a rule is for tcp only, unless the rule has 'protocol'");
}

static void print_name(const struct explain_answer *answer, const struct policy_image *image)
{
	const struct decided *decided = &answer->decided;

	if (host_was_converted(answer->target, answer->host))
		(void)printf("note: programs ask for %s\n", answer->host);
	if (answer->has_address)
		(void)printf("note: %s %s\n", answer->host,
			     decided->by == DECIDE_BY_NAME ?
				     "was looked at too: the address alone is not allowed" :
				     "does not matter: the address alone decides");
	else
		print_question(answer, image);
	if (decided->result.verdict != PK_VERDICT_ALLOW)
		print_protocol(answer, image);
	else if (!answer->has_address && decided->check == DECIDE_CHECK_NAME)
		(void)puts("note: it holds for addresses that a resolver answered with, as long as "
			   "the answer does; a rule that denies such an address still denies it");
}

void explain_network_print(const struct explain_answer *answer, const struct policy_image *image)
{
	const struct decided *decided = &answer->decided;

	if (!is_destination(answer))
		return;
	if (decided->by == DECIDE_BY_RESOLVER)
		(void)puts("note: it is a resolver of the policy: each question is judged by the "
			   "name it is for");
	else if (answer->host)
		print_name(answer, image);
	if (decided->check == DECIDE_CHECK_NAME)
		(void)puts("note: the first bytes sent must say a server's name that is allowed "
			   "(TLS, or HTTP on port 80)");
	if (decided->check == DECIDE_CHECK_DENIED)
		(void)puts("note: a server's name in the first bytes sent must not be one that a "
			   "rule denies");
}

void explain_network_json(const struct explain_answer *answer, const struct policy_image *image,
			  json_t *object)
{
	static const char *const by[] = {
		[DECIDE_BY_ADDRESS] = "address",
		[DECIDE_BY_NAME] = "name",
		[DECIDE_BY_RESOLVER] = "resolver",
	};
	static const char *const checks[] = {
		[DECIDE_CHECK_NONE] = "none",
		[DECIDE_CHECK_NAME] = "name",
		[DECIDE_CHECK_DENIED] = "denied",
	};
	json_t *question;

	if (!is_destination(answer))
		return;
	(void)json_object_set_new(object, "decided_by", json_string(by[answer->decided.by]));
	(void)json_object_set_new(object, "first_bytes",
				  json_string(checks[answer->decided.check]));
	if (!answer->host)
		return;
	(void)json_object_set_new(object, "host", json_string(answer->host));
	if (answer->has_address)
		return;
	question = json_pack("{s:s, s:s}", "verdict", names_verdict(answer->question.verdict),
			     "reason", names_reason(answer->question.reason));
	if (answer->question.rule != PK_RULE_NONE)
		explain_answer_set(question, image, answer->question.rule);
	(void)json_object_set_new(object, "question", question);
}
