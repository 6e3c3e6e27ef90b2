/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Request lines of any bytes: refused with a code and a reason, or taken apart into what can be
 * answered in lines that are lines.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "control/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
	if (!holds)
		abort();
}

/* One line of clean text that is JSON; frees it. */
static void expect_line(char *line)
{
	size_t length = line ? strlen(line) : 0;
	json_t *back;

	expect(length > 1 && line[length - 1] == '\n' && escape_is_utf8(line, length));
	for (size_t i = 0; i + 1 < length; i++)
		expect((unsigned char)line[i] >= 0x20);
	back = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	expect(json_is_object(back));
	json_decref(back);
	free(line);
}

/* A request written again means the same. */
static void expect_same(const struct control_request *request)
{
	json_t *again = json_pack("{s:s, s:s, s:O, s:O*}", "jsonrpc", "2.0", "method",
				  request->method, "params", request->params, "id", request->id);
	CLEAN_FREE char *line = json_dumps(again, 0);
	CLEAN(control_request_reset) struct control_request back = { 0 };
	const char *message;
	int code;

	expect(line && control_request_parse(line, strlen(line), &back, &code, &message) == 0);
	expect(strcmp(back.method, request->method) == 0 &&
	       json_equal(back.params, request->params) && !back.id == !request->id &&
	       (!back.id || json_equal(back.id, request->id)));
	json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEAN(control_request_reset) struct control_request request = { 0 };
	CLEAN_FREE char *text = malloc(size + 1);
	const char *message = NULL;
	int code = 0;

	expect(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	/* Bytes of any kind as an error's text. */
	expect_line(control_error_line(NULL, CONTROL_FAILED, text, NULL));
	if (control_request_parse((const char *)data, size, &request, &code, &message) < 0) {
		expect(message && *message && code < 0 && !request.method && !request.params);
		expect_line(control_error_line(request.id, code, message, NULL));
		return 0;
	}
	expect(request.method && *request.method && json_is_object(request.params));
	expect(!request.id || json_is_string(request.id) || json_is_integer(request.id));
	expect_line(control_result_line(request.id, request.params));
	expect_line(control_notification_line(request.method, request.params));
	expect_same(&request);
	return 0;
}
