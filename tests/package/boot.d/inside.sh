# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2317 # `check` calls what is here
#
# Part of tests/package/boot: what an agent itself may ask picketd, which is little.

nesting_policies() {
	echo x >/srv/inner
	cat >/etc/picket/policies/outer.yaml <<-'END'
		picket: 1
		usable_by: {users: dev}
		nested: [inner]
		files:
		  default: allow
		  rules: [{deny: /srv/secret, id: secret}]
	END
	cat >/etc/picket/policies/inner.yaml <<-'END'
		picket: 1
		files:
		  default: allow
		  rules: [{deny: /srv/inner, id: inner}]
	END
	picket check /etc/picket/policies/outer.yaml /etc/picket/policies/inner.yaml
}

# in_outer WANT TEXT: what an agent of `outer` says of TEXT, given to a shell.
in_outer() {
	local out

	out=$(dev picket run --quiet -p outer -- sh -c "$2" 2>&1)
	printf '%s\n' "$out"
	[[ $out =~ $1 ]]
}

inside() {
	check 'policies for nested agents are taken' nesting_policies
	check 'the outer agent reads it' in_outer '^x' 'cat /srv/inner'
	check 'the agent inside does not' in_outer '/srv/inner: Permission denied' \
		'picket run --quiet -p inner -- cat /srv/inner'
	check 'nor what the outer one may not' in_outer '/srv/secret: Permission denied' \
		'picket run --quiet -p inner -- cat /srv/secret'
	check 'another policy is not for it' in_outer "no policy 'p'" 'picket run -p p -- true'
	check 'it asks why, and is told' in_outer 'secret' \
		'cat /srv/secret 2>/dev/null; picket why 2>&1'
}
