# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2317 # `check` calls what is here
#
# Part of tests/package/boot: the audit trail, as the unit's daemon wrote it.

trail_is_good() {
	picket audit verify
}

trail_has() {
	picket audit show --what "$1" | grep -q .
}

rotated() {
	check 'the audit trail is as it was written' trail_is_good
	check 'the next approval' reads hooked
	check 'is in it' recorded 'it ran as 65534'
	check 'approvals are in it' trail_has approved
	check 'so are agents' trail_has agent-start
	check 'and it still is as it was written' trail_is_good
}
