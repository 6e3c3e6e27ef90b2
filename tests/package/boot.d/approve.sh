# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2317 # `check` calls what is here
#
# Part of tests/package/boot: approvals under the hardening of the unit, by people and by a program.

asking_policies() {
	echo asked >/srv/asked
	for name in asks hooked; do
		cat >"/etc/picket/policies/$name.yaml" <<-END
			picket: 1
			usable_by: {users: dev}
			approvals: {timeout: 30m$([ $name = asks ] || echo ', hook: /usr/local/bin/answer')}
			files:
			  default: allow
			  rules: [{ask: /srv/asked, access: [read], id: asked}]
			egress: {default: allow}
		END
	done
	mkdir -p /usr/local/bin
	cat >/usr/local/bin/answer <<-'END'
		#!/bin/sh
		read -r request
		case $request in *srv/asked*) ;; *) exit 1 ;; esac
		echo "{\"verdict\": \"approve\", \"reason\": \"it ran as $(id -u)\"}"
	END
	chmod 755 /usr/local/bin/answer
	picket check /etc/picket/policies/asks.yaml /etc/picket/policies/hooked.yaml
}

# The requests that wait: a field of the first.
request_has() {
	boss picket requests --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["requests"][0][sys.argv[1]])' "$1" 2>/dev/null
}

request_waits() {
	[ -n "$(request_has id)" ]
}

# In the background: an agent that reads what is asked about.
asks() {
	rm -f /tmp/asked
	dev picket run -p asks -- cat /srv/asked >/tmp/asked 2>&1 &
	ASKS=$!
	until_true 120 request_waits
}

held() {
	asks && sleep 2 && ! grep -qx asked /tmp/asked && grep -q '^State:.*stopped' \
		"/proc/$(pgrep -x -u dev cat)/status"
}

shown() {
	local out

	out=$(boss picket requests)
	printf '%s\n' "$out"
	[[ $out == *'open /srv/asked'* && $out == *'cat /srv/asked'* && $out == *'rule'*asks.yaml* ]]
}

# answered COMMAND...: by the operator; the held call ends with what it then says.
answered() {
	local want=$1
	shift
	boss picket "$@" "$(request_has id)" && { wait "$ASKS" || true; } && cat /tmp/asked &&
		grep -q "$want" /tmp/asked
}

reads() {
	local out

	out=$(dev timeout 120 picket run -p "$1" -- cat /srv/asked 2>&1)
	printf '%s\n' "$out"
	grep -qx asked <<<"$out"
}

recorded() {
	cat /var/lib/picket/audit/trail-*.jsonl
	[ "$(stat -c '%U %a' /var/lib/picket/audit/trail-000001.jsonl)" = 'root 600' ] &&
		cat /var/lib/picket/audit/trail-*.jsonl | grep -q "$1"
}

for_always() {
	asks && answered asked approve --always --yes && cat /etc/picket/policies/asks.local.yaml &&
		grep -q /srv/asked /etc/picket/policies/asks.local.yaml
}

approvals() {
	check 'policies that ask are taken' asking_policies
	check 'without picket nobody is asked' dev cat /srv/asked
	check 'what is asked about is held, stopped' held
	check 'the operator sees who wants what' shown
	check 'who started the agent may not approve' not dev picket approve "$(request_has id)"
	check 'the operator approves, and the call succeeds' answered '^asked$' approve
	check 'it is on record' recorded '"what":"approved"'
	check 'again: held' held
	check 'refused, it fails' answered 'Permission denied' refuse
	check 'it is approved for always' for_always
	check 'and not asked about again' reads asks
	check 'a program approves' reads hooked
	check 'which ran as nobody' recorded 'it ran as 65534'
	check 'the daemon is well' picket status
}
