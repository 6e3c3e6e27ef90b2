/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Command lines: the words of a new program against the rules of the exec section.
 */
#ifndef PICKET_COMMAND_BPF_H
#define PICKET_COMMAND_BPF_H

#include "maps.bpf.h"

/** Most words that interpreters of scripts put before a script's name: two for each of five. */
#define PK_SCRIPTS_MAX 12

/**
 * Judge the command line described by s->command of the program with the first path, count,
 * report. For the task that will run it, when its new memory is in place. Returns as pk_decide(); where a
 * rule asks, the caller has prepared the task's label for waiting.
 */
int pk_decide_command(struct pk_scratch *s);

/**
 * Note in s->command the state of the command automaton behind the first path, for the case that the
 * file is a script: by the time its words are judged only its interpreter's path is known.
 */
int pk_script_note(struct pk_scratch *s);

#endif
