/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the two halves of the variables: names, values, and what is defined where.
 */
#ifndef PICKET_POLICY_VARS_NAMES_H
#define PICKET_POLICY_VARS_NAMES_H

#include "policy/front.h"

/** Bytes that a variable's name may have; the first is no digit. */
#define VARS_NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
/** Longest name of a variable. */
#define VARS_NAME_MAX 64
/** Longest value of a variable, and most variables of one file. */
#define VARS_VALUE_MAX 4095U
#define VARS_COUNT_MAX 256U
/** Longest value in which a cycle of definitions is looked for. */
#define VARS_FOLLOW_MAX 256

/** True when @length bytes at @name can be the name of a variable. */
bool vars_is_name(const char *name, size_t length);

/** Why @value cannot be the value of a variable: the end of a sentence, or NULL when it can. */
const char *vars_value_fault(const char *value);

/** The value without '/' at its end ("/" stays); malloc'ed or NULL. */
char *vars_trim(const char *value);

/** The variable that the current file sees under @name, or NULL. */
const struct variable *vars_find(const struct front *front, const char *name);

/** The value of a built-in variable, or NULL. */
const char *vars_builtin(const struct front *front, const char *name);

/**
 * When @name is defined in the `vars` map that is being read, but not above the definition that
 * uses it, report that at byte @at of @text and return true.
 */
bool vars_report_later(struct front *front, const struct node *text, size_t at, const char *name);

#endif
