/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON-RPC 2.0, one object a line: what a line may be, and how one is made. No sockets here.
 */
#ifndef PICKET_CONTROL_MESSAGE_H
#define PICKET_CONTROL_MESSAGE_H

#include <jansson.h>
#include <stddef.h>

/** Version of the protocol, told by the method `hello`. */
#define CONTROL_VERSION 1
/** Most bytes of a request line, its newline included. */
#define CONTROL_REQUEST_MAX (64U << 10)
/** Most bytes of an answer or notification line. */
#define CONTROL_ANSWER_MAX (4U << 20)

/** Error codes: those of JSON-RPC, and picket's own. */
enum control_code {
	CONTROL_PARSE = -32700,
	CONTROL_INVALID = -32600,
	CONTROL_METHOD = -32601,
	CONTROL_PARAMS = -32602,
	CONTROL_INTERNAL = -32603,
	CONTROL_FAILED = 1, /* it was tried and went wrong */
	CONTROL_DENIED = 2, /* the peer's role does not allow it */
	CONTROL_MISSING = 3, /* no such agent, policy ... */
	CONTROL_BUSY = 4, /* over a limit: later, perhaps */
	CONTROL_POLICY = 5, /* a policy has errors; data.findings holds the text of diag_print() */
	CONTROL_KERNEL = 6, /* this kernel cannot */
};

/** A request. control_request_reset() frees. */
struct control_request {
	json_t *id; /* string or number; owned; NULL = a notification: no answer */
	char *method; /* owned */
	json_t *params; /* object; owned; never NULL */
};

/** An answer to one. control_answer_reset() frees. */
struct control_answer {
	json_t *result; /* owned, or NULL: it failed */
	int code; /* enum control_code */
	char *message; /* owned; one sentence, no full stop */
	json_t *data; /* owned, or NULL */
};

/**
 * Take apart a request line of @length bytes (without the newline). Returns 0 (caller resets), or
 * -EINVAL with *@ret_code the enum control_code to answer with and *@ret_message why (constant);
 * an id that could be read is in @ret_request in that case too.
 */
int control_request_parse(const char *line, size_t length, struct control_request *ret_request,
			  int *ret_code, const char **ret_message);

/** Free and make empty. */
void control_request_reset(struct control_request *request);
void control_answer_reset(struct control_answer *answer);

/** The lines, newline included, malloc'ed; NULL = out of memory. @result, @data, @params: borrowed. */
char *control_result_line(const json_t *id, json_t *result);
char *control_error_line(const json_t *id, int code, const char *message, json_t *data);
char *control_notification_line(const char *method, json_t *params);

#endif
