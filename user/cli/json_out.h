/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON for the --json of commands: text made safe, findings as objects, one document to stdout.
 */
#ifndef PICKET_CLI_JSON_OUT_H
#define PICKET_CLI_JSON_OUT_H

#include <jansson.h>

#include "base/diag.h"
#include "policy/image.h"
#include "policy/managed.h"

/** A string of @text as it stands, or escaped (base/escape.h) where it could deceive. */
json_t *json_out_text(const char *text);

/** All findings as a list of {severity, file, line, column, length, message, hint}. */
json_t *json_out_diags(const struct diag_list *diags);

/** A rule of an image: {number, verdict, section, access, approvers, file, line, column, text, id, reason}. */
json_t *json_out_rule(const struct policy_image *image, __u32 number);

/** The access bits of a section as a list of names. */
json_t *json_out_access(__u32 section, __u32 access);

/** The policies by which an agent of the policy may start agents, a list. */
json_t *json_out_nested(const struct policy *policy);

/** Who may use a policy, {users, groups} as written, or null. */
json_t *json_out_usable_by(const struct policy *policy);

/** What an image says of approvals, {on_ask, timeout, approvers, hook}; null where nothing asks. */
json_t *json_out_approvals(const struct policy_image *image);

/** The files of the layers above a policy, from the top. */
json_t *json_out_managed(const struct managed *managed);

/**
 * Print @root (taken over; NULL or incomplete: out of memory) for @command. Returns CLI_OK or
 * CLI_FAILED.
 */
int json_out_print(const char *command, json_t *root);

#endif
