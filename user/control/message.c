/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line, one object, nothing unknown in it: a typing error in a member's name must not become a
 * request that means something else.
 */
#include "control/message.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

/* Objects and arrays within each other: no method has parameters deeper than this. */
#define DEPTH_MAX 16
/* A method's name and a text id are echoed and kept: short. */
#define METHOD_MAX 64
#define ID_MAX 128

/*
 * Deepest nesting of a JSON text. Before the parser, which recurses. What is not JSON is counted
 * somehow: the parser refuses it.
 */
static unsigned int nesting(const char *line, size_t length)
{
	unsigned int depth = 0;
	unsigned int deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		if (quoted && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			quoted = !quoted;
		else if (!quoted && (line[i] == '{' || line[i] == '['))
			deepest = ++depth > deepest ? depth : deepest;
		else if (!quoted && depth && (line[i] == '}' || line[i] == ']'))
			depth--;
	}
	return deepest;
}

static bool id_is_valid(const json_t *id)
{
	return json_is_integer(id) || (json_is_string(id) && json_string_length(id) <= ID_MAX);
}

/* What is wrong with the members of a request, or NULL. */
static const char *judge(json_t *root)
{
	json_t *method = json_object_get(root, "method");
	json_t *params = json_object_get(root, "params");
	json_t *version = json_object_get(root, "jsonrpc");
	json_t *id = json_object_get(root, "id");
	size_t known = (method ? 1U : 0) + (params ? 1U : 0) + (version ? 1U : 0) + (id ? 1U : 0);

	if (id && !id_is_valid(id))
		return "'id' must be an integer or a string of at most 128 bytes";
	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return "'jsonrpc' must be \"2.0\"";
	if (!json_is_string(method) || json_string_length(method) == 0 ||
	    json_string_length(method) > METHOD_MAX)
		return "'method' must be a string of 1 to 64 bytes";
	if (params && !json_is_object(params))
		return "'params' must be an object: parameters go by name";
	if (json_object_size(root) != known)
		return "a request has the members 'jsonrpc', 'method', 'params' and 'id' only";
	return NULL;
}

static int take(json_t *root, struct control_request *ret_request)
{
	json_t *params = json_object_get(root, "params");

	ret_request->params = params ? json_incref(params) : json_object();
	ret_request->method = strdup(json_string_value(json_object_get(root, "method")));
	return ret_request->params && ret_request->method ? 0 : -ENOMEM;
}

int control_request_parse(const char *line, size_t length, struct control_request *ret_request,
			  int *ret_code, const char **ret_message)
{
	json_error_t error;
	json_t *root;
	json_t *id;

	*ret_request = (struct control_request){ 0 };
	*ret_code = CONTROL_PARSE;
	*ret_message = "the line is nested too deeply";
	if (nesting(line, length) > DEPTH_MAX)
		return -EINVAL;
	*ret_message = "the line is not JSON, or has a member twice";
	root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return -EINVAL;
	*ret_code = CONTROL_INVALID;
	*ret_message = json_is_array(root) ? "batches are not taken: send one request a line" :
					     judge(root);
	id = json_object_get(root, "id");
	if (id && id_is_valid(id))
		ret_request->id = json_incref(id);
	if (!*ret_message && take(root, ret_request) < 0) {
		*ret_code = CONTROL_INTERNAL;
		*ret_message = "out of memory";
	}
	json_decref(root);
	return *ret_message ? -EINVAL : 0;
}

void control_request_reset(struct control_request *request)
{
	json_decref(request->id);
	json_decref(request->params);
	free(request->method);
	*request = (struct control_request){ 0 };
}

void control_answer_reset(struct control_answer *answer)
{
	json_decref(answer->result);
	json_decref(answer->data);
	free(answer->message);
	*answer = (struct control_answer){ 0 };
}

/* The object as a line; takes the reference. */
static char *to_line(json_t *object)
{
	size_t length;
	char *line;

	if (!object)
		return NULL;
	/* Twice, once to measure: a copy only to append the newline would cost as much. */
	length = json_dumpb(object, NULL, 0, JSON_COMPACT);
	line = length ? malloc(length + 2) : NULL;
	if (line) {
		(void)json_dumpb(object, line, length, JSON_COMPACT);
		memcpy(line + length, "\n", 2);
	}
	json_decref(object);
	return line;
}

/* Text from anywhere: what is not UTF-8 is escaped. */
static json_t *text(const char *message)
{
	CLEAN_FREE char *escaped = NULL;

	if (escape_is_utf8(message, strlen(message)))
		return json_string(message);
	escaped = escape_string(message, strlen(message), 0);
	return escaped ? json_string(escaped) : NULL;
}

static json_t *id_or_null(const json_t *id)
{
	/* Only the reference count changes. */
	return id ? json_incref((json_t *)id) : json_null();
}

char *control_result_line(const json_t *id, json_t *result)
{
	return to_line(json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "result", result, "id",
				 id_or_null(id)));
}

char *control_error_line(const json_t *id, int code, const char *message, json_t *data)
{
	json_t *said = text(message ? message : "it failed");
	json_t *error =
		said ? json_pack("{s:i, s:o, s:O*}", "code", code, "message", said, "data", data) :
		       NULL;

	if (!error)
		return NULL;
	return to_line(json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "error", error, "id",
				 id_or_null(id)));
}

char *control_notification_line(const char *method, json_t *params)
{
	return to_line(
		json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0", "method", method, "params", params));
}
