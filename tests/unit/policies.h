/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy text to image for tests that are about neither.
 */
#ifndef PICKET_TESTS_UNIT_POLICIES_H
#define PICKET_TESTS_UNIT_POLICIES_H

#include "policy/image.h"
#include "policy/model.h"

/**
 * Compile the policy @text, called @name. A policy that does not compile fails the test with its
 * findings printed. The caller resets the image.
 */
struct policy_image policy_text_compile(const char *name, const char *text);

/**
 * Load the policy @text with HOME /home/u, USER u and CWD /work. One with errors fails the test with
 * its findings printed. The caller frees it.
 */
struct policy *policy_text_load(const char *name, const char *text);

#endif
