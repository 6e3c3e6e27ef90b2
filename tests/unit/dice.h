/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random policies and keys for the differential tests: keys are made from the policy's patterns, so
 * that most of them hit something. The choices come from a seed, or from a fuzzer's bytes.
 */
#ifndef PICKET_TESTS_DICE_H
#define PICKET_TESTS_DICE_H

#include <stdint.h>

#include "policy/model.h"

struct dice {
	uint64_t state; /* seed */
	const uint8_t *data; /* fuzzer's bytes, or NULL */
	size_t size;
};

/** A number from 0 to @bound - 1; zero when the fuzzer's bytes are used up. */
uint32_t dice_roll(struct dice *dice, uint32_t bound);

/** One layer with all three sections more or less; free with policy_free(). */
struct policy *dice_policy(struct dice *dice);

/** Room for a path made by dice_path(). */
#define DICE_PATH_MAX 512

/** A valid path that often matches a pattern of one of @layers. */
void dice_path(struct dice *dice, struct policy *const *layers, size_t count,
	       char path[DICE_PATH_MAX]);

/** Most words of a command made by dice_command(). */
#define DICE_WORDS_MAX 8

/** Words of a command line, the last one NULL. */
struct dice_command {
	char program[DICE_PATH_MAX];
	char words[DICE_WORDS_MAX][64];
	char *argv[DICE_WORDS_MAX + 1];
};

/** A command that often matches a pattern of exec of one of @layers. */
void dice_command(struct dice *dice, struct policy *const *layers, size_t count,
		  struct dice_command *ret_command);

/** The path of a program that is often one of a rule's `by`. */
void dice_program(struct dice *dice, struct policy *const *layers, size_t count,
		  char path[DICE_PATH_MAX]);

/** An address that is often at the edge of a range of @layers. */
void dice_address(struct dice *dice, struct policy *const *layers, size_t count,
		  uint8_t address[16]);

/** Room for a host pattern or name made here. */
#define DICE_HOST_MAX 64

/** A host pattern in its canonical form. */
void dice_pattern(struct dice *dice, char host[DICE_HOST_MAX]);

/** A host name, never empty, that often matches a host pattern of one of @layers. */
void dice_name(struct dice *dice, struct policy *const *layers, size_t count,
	       char name[DICE_HOST_MAX]);

/** A port that is often at the edge of a range of ports in use. */
uint16_t dice_port(struct dice *dice);

#endif
