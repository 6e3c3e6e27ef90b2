# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2317 # `check` calls what is here
#
# Part of tests/package/boot: the record of approvals, rotated as the package's file for logrotate says.

rotate() {
	if command -v logrotate; then
		logrotate -f /etc/logrotate.d/picket
	else
		# What logrotate does by that file.
		mv /var/lib/picket/grants.jsonl /var/lib/picket/grants.jsonl.1
	fi
	[ ! -e /var/lib/picket/grants.jsonl ] && [ -s /var/lib/picket/grants.jsonl.1 ]
}

not_written_to() {
	[ "$(cksum </var/lib/picket/grants.jsonl.1)" = "$1" ]
}

rotated() {
	local before

	check 'the record of approvals is rotated' rotate
	before=$(cksum </var/lib/picket/grants.jsonl.1)
	check 'the next approval' reads hooked
	check 'is in a new one' recorded 'it ran as 65534'
	check 'and the old one is left alone' not_written_to "$before"
}
