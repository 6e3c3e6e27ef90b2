/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picketd is trusted, its words are not taken as they are: a message may quote a file name.
 */
#include "cli/daemon_call.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"

int daemon_is_missing(const char *command)
{
	bool runs = strcmp(command, "run") == 0;

	return cli_error(command, "picketd is not running: systemctl start picket%s",
			 runs ? ", or picket run --embedded" : "");
}

int daemon_connect(const char *command, struct control *ret_control)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = control_connect(NULL, ret_control, &diags);

	if (r == 0)
		return CLI_OK;
	if (r == -ENOENT || r == -ECONNREFUSED)
		return daemon_is_missing(command);
	if (!diag_has_errors(&diags)) {
		errno = -r;
		return cli_error(command, "cannot talk to picketd: %m");
	}
	cli_print_diags(&diags);
	return CLI_FAILED;
}

const char *daemon_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_int_t daemon_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* It does not know the method, or a parameter of it. */
static bool is_other_version(const struct control_answer *answer)
{
	static const char unknown[] = "wrong parameters";

	return answer->code == CONTROL_METHOD ||
	       (answer->code == CONTROL_PARAMS && answer->message &&
		strncmp(answer->message, unknown, sizeof(unknown) - 1) == 0);
}

int daemon_refused(const char *command, const struct control_answer *answer)
{
	const char *hint = daemon_text(answer->data, "hint");
	const char *findings = daemon_text(answer->data, "findings");
	int code = answer->code == CONTROL_KERNEL ? CLI_KERNEL : CLI_FAILED;

	/* Made for a terminal, escapes and all, by diag_print(); message and hint are in it. */
	(void)fputs(findings, stderr);
	if (*findings)
		return code;
	(void)cli_error(command, "%s", answer->message ? answer->message : "it failed");
	if (is_other_version(answer))
		(void)fputs("Hint: picketd is of another version than this picket, " PICKET_VERSION
			    "; see: picket status, systemctl restart picket\n",
			    stderr);
	if (*hint) {
		(void)fputs("Hint: ", stderr);
		escape_write(stderr, hint, strlen(hint), 0);
		(void)fputs("\n", stderr);
	}
	return code;
}

int daemon_call(const char *command, struct control *control, const char *method, json_t *params,
		json_t **ret_result)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(control_answer_reset) struct control_answer answer = { 0 };
	int r = params ? control_call(control, method, params, NULL, 0, DAEMON_ANSWER_MS, &answer,
				      &diags) :
			 -ENOMEM;

	json_decref(params);
	if (r) {
		cli_print_diags(&diags);
		errno = -r;
		if (!diag_has_errors(&diags))
			(void)cli_error(command, "cannot ask picketd: %m");
		return CLI_FAILED;
	}
	if (!answer.result)
		return daemon_refused(command, &answer);
	*ret_result = TAKE_PTR(answer.result);
	return CLI_OK;
}

int daemon_ask(const char *command, const char *method, json_t *params, json_t **ret_result)
{
	CLEAN(control_close) struct control control = CONTROL_NONE;
	int code = daemon_connect(command, &control);

	if (code) {
		json_decref(params);
		return code;
	}
	return daemon_call(command, &control, method, params, ret_result);
}

json_t *daemon_variables(const struct policy_args *args)
{
	json_t *set = json_object();

	for (size_t i = 0; i < args->override_count; i++) {
		json_t *value = json_string(args->overrides[i].value);

		if (json_object_set_new(set, args->overrides[i].name, value)) {
			json_decref(set);
			return NULL;
		}
	}
	return set;
}
