/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picket: the command table. Knows the name, the one-line help and the function of every command,
 * and nothing of what they do.
 */
#include "cli/cli.h"

static const struct cli_command commands[] = {
	{ "run", "confine a command and everything it starts", cmd_run },
	{ "check", "check policies: errors, limits, inline tests", cmd_check },
	{ "presets", "list or print what policies can include", cmd_presets },
	{ "explain", "say what a policy decides, and which rule", cmd_explain },
	{ "diff", "compare two policies by what they decide", cmd_diff },
	{ "show", "take a policy or a compiled image apart", cmd_show },
	{ "schema", "print the policy language for editors (JSON Schema)", cmd_schema },
	{ "fmt", "write policies in the one form that all have", cmd_fmt },
	{ "init", "write a starting policy for a project", cmd_init },
	{ "keygen", "make a key to sign policies with", cmd_keygen },
	{ "sign", "sign a policy and all that it includes", cmd_sign },
	{ "verify", "is a policy the one that was signed?", cmd_verify },
	{ "test", "run the tests of policies", cmd_test },
	{ "learn", "make a policy from recorded events", cmd_learn },
	{ "replay", "what policies would have meant for recorded events", cmd_replay },
	{ "import", "make a policy of another program's", cmd_import },
	{ "export", "print what systemd or Landlock can say of a policy", cmd_export },
	{ "attach", "confine processes that run already", cmd_attach },
	{ "detach", "set the processes of an attached agent free", cmd_detach },
	{ "ps", "list the agents of this host", cmd_ps },
	{ "tail", "show what agents are denied, as it happens", cmd_tail },
	{ "log", "show the events that were kept", cmd_log },
	{ "report", "write what an agent did as one HTML file", cmd_report },
	{ "requests", "list what waits for an approver", cmd_requests },
	{ "approve", "let happen what waits", cmd_approve },
	{ "refuse", "do not let happen what waits", cmd_refuse },
	{ "grants", "list what was approved and still holds", cmd_grants },
	{ "revoke", "take an approval back", cmd_revoke },
	{ "why", "tell what was denied last, and what would allow it", cmd_why },
	{ "note", "say, inside an agent, which tool call begins or ends", cmd_note },
	{ "top", "the agents, live", cmd_top },
	{ "names", "show which addresses names stand for", cmd_names },
	{ "reload", "read the policies of agents again", cmd_reload },
	{ "status", "how picketd is", cmd_status },
	{ "audit", "verify and show the trail of who did what", cmd_audit },
	{ "daemon", "look after all agents of this host", cmd_daemon },
	{ "doctor", "probe what this kernel can enforce", cmd_doctor },
};

int main(int argc, char **argv)
{
	return cli_dispatch(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
