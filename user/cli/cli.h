/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every command shares: the command table's shape, exit codes, usage errors and the printing
 * of findings. It knows no command; main.c holds the table.
 */
#ifndef PICKET_CLI_CLI_H
#define PICKET_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/** Exit codes of every command; `run` otherwise exits with the status of what it ran. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1, /* the answer is no, or something went wrong */
	CLI_USAGE = 2, /* the command line is wrong */
	CLI_KERNEL = 3, /* this kernel, or our rights on it, cannot do what was asked */
};

/**
 * One row of the command table. @run gets argv[0] = "picket NAME" and returns the exit code.
 * Every command takes --help (cli_help()), so that `picket help NAME` is `picket NAME --help`.
 */
struct cli_command {
	const char *name;
	const char *summary; /* one line of `picket help` */
	int (*run)(int argc, char **argv);
};

/** `picket check`: would `run` take these policies? */
int cmd_check(int argc, char **argv);
/** `picket keygen`: a key to sign policies with. */
int cmd_keygen(int argc, char **argv);
/** `picket sign`: make a policy's signature. */
int cmd_sign(int argc, char **argv);
/** `picket verify`: is a policy the one that was signed? */
int cmd_verify(int argc, char **argv);
/** `picket import`: a policy of another program as one of picket. */
int cmd_import(int argc, char **argv);
/** `picket export`: what systemd or Landlock can say of a policy. */
int cmd_export(int argc, char **argv);
/** `picket audit`: is the audit trail as it was written? */
int cmd_audit(int argc, char **argv);
/** `picket daemon`: picketd. */
int cmd_daemon(int argc, char **argv);
/** `picket doctor`: what can this kernel enforce? */
int cmd_doctor(int argc, char **argv);
/** `picket presets`: what can a policy include? */
int cmd_presets(int argc, char **argv);
/** `picket explain`: what does a policy decide about one act? */
int cmd_explain(int argc, char **argv);
/** `picket run`: confine a command. */
int cmd_run(int argc, char **argv);
/** `picket diff`: what changes from one policy to another? */
int cmd_diff(int argc, char **argv);
/** `picket show`: what is in an image? */
int cmd_show(int argc, char **argv);
/** `picket schema`: the language for editors. */
int cmd_schema(int argc, char **argv);
/** `picket fmt`: policies in one form. */
int cmd_fmt(int argc, char **argv);
/** `picket init`: a policy to begin with. */
int cmd_init(int argc, char **argv);
/** `picket test`: do policies decide as their tests say? */
int cmd_test(int argc, char **argv);
/** `picket learn`: a policy from what was recorded. */
int cmd_learn(int argc, char **argv);
/** `picket replay`: what would a policy have meant for what happened? */
int cmd_replay(int argc, char **argv);
/** `picket attach`: confine processes that run already. */
int cmd_attach(int argc, char **argv);
/** `picket detach`: set attached processes free. */
int cmd_detach(int argc, char **argv);
/** `picket requests`: what waits for an approver? */
int cmd_requests(int argc, char **argv);
/** `picket approve`: let what waits happen. */
int cmd_approve(int argc, char **argv);
/** `picket refuse`: do not let what waits happen. */
int cmd_refuse(int argc, char **argv);
/** `picket grants`: what was approved and still holds? */
int cmd_grants(int argc, char **argv);
/** `picket revoke`: take an approval back. */
int cmd_revoke(int argc, char **argv);
/** `picket why`: what was denied last, and why? */
int cmd_why(int argc, char **argv);
/** `picket note`: which tool call does an agent work on? */
int cmd_note(int argc, char **argv);
/** `picket top`: the agents, live. */
int cmd_top(int argc, char **argv);
/** `picket names`: which addresses do names stand for? */
int cmd_names(int argc, char **argv);
/** `picket ps`: the agents of this host. */
int cmd_ps(int argc, char **argv);
/** `picket reload`: read policies again. */
int cmd_reload(int argc, char **argv);
/** `picket status`: how is picketd? */
int cmd_status(int argc, char **argv);
/** `picket tail`: events as they come. */
int cmd_tail(int argc, char **argv);
/** `picket log`: events that were kept. */
int cmd_log(int argc, char **argv);
/** `picket report`: what an agent did, as one HTML file. */
int cmd_report(int argc, char **argv);

/**
 * Run the command that @argv (of main) names, among @count @commands; `help [COMMAND]`, --help and
 * --version are answered here. Returns the exit code. An output that could not be written
 * (a closed stdout) turns CLI_OK into CLI_FAILED.
 */
int cli_dispatch(const struct cli_command *commands, size_t count, int argc, char **argv);

/** Print the help @text of a command to stdout; returns CLI_OK. */
int cli_help(const char *text);

/**
 * Print `picket COMMAND: message` and where to find the help to stderr; returns CLI_USAGE.
 * For getopt's own complaints (it has printed them already) pass a NULL format.
 */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Print `picket COMMAND: message` to stderr; returns CLI_FAILED. %m works. */
int cli_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Print findings to stderr. */
void cli_print_diags(const struct diag_list *diags);

/** True when colours may be written to @fd: a terminal, NO_COLOR unset or empty, TERM not dumb. */
bool cli_use_colour(int fd);

/** The name of @names that @word is most likely a misspelling of, or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *names, size_t count);

#endif
