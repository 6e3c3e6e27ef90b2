/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects in OCSF events: processes with their ancestors, files, endpoints, questions, findings; and
 * what none of them has room for.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "format/ocsf.h"

/* file.type_id */
#define FILE_UNKNOWN 0
#define FILE_REGULAR 1
#define FILE_FOLDER 2
#define FILE_LINK 7

void ocsf_put_time(struct build *build, json_t *to, const char *key, const json_t *object,
		   const char *from)
{
	int64_t ns;

	if (value_time(object, from, &ns))
		build_number(build, to, key, ns / 1000000);
}

/* A file of this path, below @key. */
static json_t *put_file(struct build *build, json_t *to, const char *key, const char *path)
{
	const char *slash = strrchr(path, '/');
	json_t *file = build_below(build, to, key);

	build_text(build, file, "name", slash && slash[1] ? slash + 1 : path);
	build_text(build, file, "path", path);
	build_number(build, file, "type_id", FILE_UNKNOWN);
	return file;
}

/* Of each process in the chain: the same keys. */
static void put_process_keys(struct build *build, json_t *to, const json_t *process)
{
	build_copy_number(build, to, "pid", process, "pid");
	build_copy_text(build, to, "uid", process, "id");
	build_copy_text(build, to, "name", process, "comm");
	ocsf_put_time(build, to, "created_time", process, "start");
	if (value_text(process, "exe"))
		build_number(build, put_file(build, to, "file", value_text(process, "exe")),
			     "type_id", FILE_REGULAR);
}

/* The words of the program, with blanks between. */
static void put_words(struct build *build, json_t *to, const json_t *words)
{
	CLEAN_FREE char *line = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&line, &size);

	if (!text) {
		build->failed = true;
		return;
	}
	for (size_t i = 0; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));

		(void)fprintf(text, "%s%s", i ? " " : "", word ? word : "");
	}
	if (fclose(text) != 0)
		build->failed = true;
	else if (json_array_size(words) > 0)
		build_text(build, to, "cmd_line", line);
}

/* All ancestors, each inside of its child. */
static void put_ancestors(struct build *build, json_t *to, const json_t *event)
{
	const json_t *chain = value_list(event, "chain");
	const json_t *parent = value_object(event, "parent");

	for (size_t i = 0; i < json_array_size(chain); i++) {
		const json_t *ancestor = json_array_get(chain, i);

		if (!json_is_object(ancestor) || json_object_size(ancestor) == 0)
			return;
		to = build_below(build, to, "parent_process");
		put_process_keys(build, to, ancestor);
	}
	if (json_array_size(chain) == 0 && parent)
		put_process_keys(build, build_below(build, to, "parent_process"), parent);
}

static void put_user(struct build *build, json_t *to, const json_t *process)
{
	if (json_object_get(process, "uid"))
		build_copy_words(build, build_below(build, to, "user"), "uid", process, "uid");
}

/* The process of the record, with its ancestors. */
static void put_process(struct build *build, json_t *to, const json_t *event)
{
	const json_t *process = value_object(event, "process");

	put_process_keys(build, to, process);
	build_copy_number(build, to, "tid", process, "tid");
	put_words(build, to, value_list(process, "argv"));
	put_user(build, to, process);
	if (value_text(process, "container"))
		build_copy_text(build, build_below(build, to, "container"), "uid", process,
				"container");
	put_ancestors(build, to, event);
}

void ocsf_put_actor(struct build *build, json_t *to, const json_t *event)
{
	const json_t *process = value_object(event, "process");
	json_t *actor;

	if (!process && !json_object_get(event, "agent"))
		return;
	actor = build_below(build, to, "actor");
	/* The program that the agent's process tree is the work of. */
	build_copy_words(build, actor, "app_name", event, "agent");
	if (!process)
		return;
	put_process(build, build_below(build, actor, "process"), event);
	put_user(build, actor, process);
}

static void put_files(struct build *build, json_t *to, const json_t *event)
{
	bool folder = value_is(event, "op", "mkdir") || value_is(event, "op", "rmdir");
	json_t *file = put_file(build, to, "file", value_text(event, "path"));

	if (folder)
		build_number(build, file, "type_id", FILE_FOLDER);
	if (value_is(event, "op", "symlink"))
		build_number(build, file, "type_id", FILE_LINK);
	if (value_text(event, "path2"))
		(void)put_file(build, to, "file_result", value_text(event, "path2"));
}

/* A process that was made or is to become another program. */
static void put_launched(struct build *build, json_t *to, const json_t *event)
{
	const char *path = value_text(event, "path");
	json_t *process = build_below(build, to, "process");

	put_process(build, process, event);
	if (path)
		build_number(build, put_file(build, process, "file", path), "type_id",
			     FILE_REGULAR);
	build_copy_text(build, process, "cmd_line", event, "command");
	build_copy_number(build, to, "exit_code", value_object(event, "status"), "code");
}

static void put_endpoint(struct build *build, json_t *to, const char *key, const json_t *event,
			 const char *prefix)
{
	CLEAN_FREE char *address = NULL;
	CLEAN_FREE char *port = NULL;
	json_t *endpoint;

	if (asprintf(&address, "%saddress", prefix) < 0) {
		address = NULL;
		build->failed = true;
		return;
	}
	if (asprintf(&port, "%sport", prefix) < 0) {
		port = NULL;
		build->failed = true;
		return;
	}
	if (!value_text(event, address))
		return;
	endpoint = build_below(build, to, key);
	build_copy_text(build, endpoint, "ip", event, address);
	build_copy_number(build, endpoint, "port", event, port);
}

/* connection_info.direction_id */
#define INBOUND 1
#define OUTBOUND 2

static void put_connection(struct build *build, json_t *to, const json_t *event)
{
	bool inward = value_is(event, "op", "accept") || value_is(event, "op", "answer");
	const char *address = value_text(event, "address");
	json_t *info = build_below(build, to, "connection_info");

	build_number(build, info, "direction_id", inward ? INBOUND : OUTBOUND);
	build_text(build, info, "direction", inward ? "Inbound" : "Outbound");
	build_copy_text(build, info, "protocol_name", event, "protocol");
	if (address)
		build_number(build, info, "protocol_ver_id", strchr(address, ':') ? 6 : 4);
}

static void put_network(struct build *build, json_t *to, const json_t *event)
{
	json_t *peer;

	put_connection(build, to, event);
	if (value_is(event, "op", "accept")) {
		/* The address is the peer's, the port this side's. */
		peer = build_below(build, to, "src_endpoint");
		build_copy_text(build, peer, "ip", event, "address");
		build_copy_number(build, peer, "port", event, "peer_port");
		peer = build_below(build, to, "dst_endpoint");
		build_text(build, peer, "name", "localhost");
		build_copy_number(build, peer, "port", event, "port");
		return;
	}
	put_endpoint(build, to, "src_endpoint", event, "local_");
	put_endpoint(build, to, "dst_endpoint", event, "");
	peer = build_below(build, to, "dst_endpoint");
	build_copy_text(build, peer, "hostname", event, "host");
	build_copy_text(build, peer, "name", event, "path");
}

static void put_query(struct build *build, json_t *to, const json_t *event)
{
	bool answered = value_is(event, "op", "answer") && value_is(event, "reason", "dns-private");
	json_t *query = build_below(build, to, "query");
	json_t *answer;

	build_copy_text(build, query, "hostname", event, "host");
	build_copy_words(build, query, "type", event, "query_type");
	put_connection(build, to, event);
	if (!answered) {
		put_endpoint(build, to, "dst_endpoint", event, "");
		return;
	}
	/* Here the address is what was answered, and no endpoint. */
	answer = json_object();
	build_copy_text(build, answer, "rdata", event, "address");
	build_value(build, to, "answers", json_pack("[o]", answer));
}

static void put_finding(struct build *build, json_t *to, const json_t *event)
{
	const char *op = value_text(event, "op");
	const char *id = value_text(value_object(event, "process"), "id");
	const char *time = value_text(event, "time");
	const json_t *rule = value_object(event, "rule");
	json_t *info = build_below(build, to, "finding_info");
	json_t *evidence = json_object();

	build_value(build, info, "title",
		    json_sprintf("%s refused by the policy", op ? op : "act"));
	build_value(build, info, "uid",
		    json_sprintf("%s/%s/%s", time ? time : "-", id ? id : "-", op ? op : "-"));
	ocsf_put_time(build, info, "created_time", event, "time");
	if (rule) {
		json_t *analytic = build_below(build, info, "analytic");

		build_number(build, analytic, "type_id", 1);
		build_text(build, analytic, "type", "Rule");
		build_copy_words(build, analytic, "uid", rule,
				 value_text(rule, "id") ? "id" : "number");
		build_copy_text(build, analytic, "name", rule, "text");
	}
	ocsf_put_actor(build, evidence, event);
	if (json_object_size(evidence) == 0)
		build_value(build, evidence, "data", json_object());
	build_value(build, to, "evidences", json_pack("[o]", evidence));
}

void ocsf_put_act(struct build *build, json_t *to, const json_t *event, enum ocsf_uid uid)
{
	switch (uid) {
	case OCSF_FILE:
		put_files(build, to, event);
		break;
	case OCSF_PROCESS:
		put_launched(build, to, event);
		break;
	case OCSF_NETWORK:
		put_network(build, to, event);
		break;
	case OCSF_DNS:
		put_query(build, to, event);
		break;
	case OCSF_FINDING:
		put_finding(build, to, event);
		break;
	case OCSF_BASE:
		break;
	}
}

/* True when the class has an attribute for the key. */
static bool is_mapped(const char *key, enum ocsf_uid uid)
{
	static const struct {
		enum ocsf_uid uid;
		const char *keys;
	} rows[] = {
		{ OCSF_FILE, " path path2 " },
		{ OCSF_PROCESS, " path command " },
		{ OCSF_NETWORK,
		  " address port peer_port local_address local_port protocol path host " },
		{ OCSF_DNS, " host query_type " },
	};
	static const char always[] = " schema time seq process parent chain agent ";
	char word[32];

	if (snprintf(word, sizeof(word), " %s ", key) >= (int)sizeof(word))
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].uid == uid && strstr(rows[i].keys, word))
			return true;
	}
	return strstr(always, word) != NULL;
}

void ocsf_put_unmapped(struct build *build, json_t *to, const json_t *event, enum ocsf_uid uid)
{
	const json_t *process = value_object(event, "process");
	json_t *rest = build_below(build, to, "unmapped");
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)event, key, value) {
		if (!is_mapped(key, uid))
			build_copy(build, rest, key, event, key);
	}
	build_copy(build, rest, "cwd", process, "cwd");
	build_copy(build, rest, "incomplete", process, "incomplete");
}
