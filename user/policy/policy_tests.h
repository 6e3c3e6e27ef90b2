/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inline tests of a policy against its own image.
 */
#ifndef PICKET_POLICY_POLICY_TESTS_H
#define PICKET_POLICY_POLICY_TESTS_H

#include "policy/decide.h"
#include "policy/model.h"

/**
 * Judge what each test of @policy asks by @image. Returns 0 with the number of tests that passed in
 * *@ret_passed, -EINVAL with a finding for each test that failed, or -ENOMEM.
 */
int policy_tests_run(const struct policy *policy, const struct policy_image *image,
		     size_t *ret_passed, struct diag_list *diags);

/** Ask @image what @test asks; *@ret_result is its answer. Returns 0 or -ENOMEM. */
int policy_test_judge(const struct policy_test *test, const struct policy_image *image,
		      struct pk_result *ret_result);

/** What a test does, for people: "connect to". */
const char *policy_test_act(enum policy_test_kind kind);

#endif
