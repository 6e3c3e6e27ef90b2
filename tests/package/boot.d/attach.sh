# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2317 # `check` calls what is here
#
# Part of tests/package/boot: a service that runs already is confined, by the name of its unit.

service() {
	cat >/etc/systemd/system/service.service <<-'END'
		[Service]
		ExecStart=/bin/bash -c 'while sleep 0.5; do cat /srv/secret || echo denied; done'
		StandardOutput=append:/tmp/service.log
	END
	systemctl daemon-reload && systemctl start service.service
}

last_is() {
	[ "$(tail -1 /tmp/service.log)" = "$1" ]
}

# service_says WORD NEVER: it says the one soon, and the other not any more.
service_says() {
	until_true 60 last_is "$1" || return 1
	: >/tmp/service.log
	until_true 60 last_is "$1" && sleep 3 && ! grep -x "$2" /tmp/service.log
}

# Prints the agent's id.
attach_service() {
	boss picket attach -p p --unit service.service >/tmp/attached && cat /tmp/attached
}

attached_id() {
	picket ps --json | python3 -c 'import json, sys
print(next((a["agent"] for a in json.load(sys.stdin)["agents"] if a["kind"] == "attach"), "none"))'
}

refused_unit() {
	local out

	out=$(boss picket attach -p p --unit "$1" 2>&1) && return 1
	printf '%s\n' "$out"
	[[ $out == *"$2"* ]]
}

attached() {
	check 'a service runs' service
	check 'it reads what a policy would deny' service_says x denied
	check 'a unit that is not there is no target' refused_unit no.service "no unit 'no.service'"
	check 'nor one that does not run' refused_unit rescue.service 'rescue.service'
	check 'nor half a name' refused_unit service "write it as"
	check 'a user may not attach it' not dev picket attach -p p --unit service.service
	check 'an operator attaches it while it runs' attach_service
	check 'it is denied from then on' service_says denied x
	check 'and goes on' systemctl is-active service.service
	check 'picket ps has it' bash -c "picket ps --json | grep '\"kind\": *\"attach\"'"
	check 'it is detached' boss picket detach "$(attached_id)"
	check 'and reads again' service_says x denied
	systemctl stop service.service
}
