# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2317 # `check` calls what is here
#
# Part of tests/package/boot: the daemon as the service manager treats it: reloaded, found dead, killed
# again and again. Its agents are confined all the while.

field_of_reload() {
	picket status --json | python3 -c 'import json, sys
print(json.load(sys.stdin).get("reload", {}).get(sys.argv[1]))' "$1"
}

reloaded_since() {
	[ "$(field_of_reload at)" != "$1" ]
}

reloads() {
	local before pid

	before=$(field_of_reload at) pid=$(daemon_pid)
	sleep 1.1
	systemctl reload picket.service && until_true 60 reloaded_since "$before" &&
		[ "$(daemon_pid)" = "$pid" ] && [ "$(field_of_reload ok)" = True ]
}

# restarted PID: it has another one, and answers.
restarted() {
	[ "$(daemon_pid)" != 0 ] && [ "$(daemon_pid)" != "$1" ] && picket status
}

# The loop that answers no more is ended by the service manager.
hangs() {
	local pid

	pid=$(daemon_pid)
	kill -STOP "$pid"
	until_true 200 restarted "$pid" &&
		[ "$(systemctl show -p NRestarts --value picket.service)" -gt 0 ]
}

failed() {
	[ "$(systemctl show -p ActiveState --value picket.service)" = failed ]
}

crash_loop() {
	local pid

	for _ in 1 2 3 4; do
		pid=$(daemon_pid)
		[ "$pid" != 0 ] || break
		kill -9 "$pid"
		until_true 120 eval "failed || restarted $pid" || return 1
	done
	failed
}

refused_without_daemon() {
	touch /tmp/go
	until_true 60 test -s /tmp/err
	was_refused
}

# In one sentence; systemctl start then says what more is to be done.
said_to_be_down() {
	local out

	out=$(picket status 2>&1) && return 1
	printf '%s\n' "$out"
	[[ $out == *'picketd is not running: systemctl start picket'* ]]
}

upgrade_after_crashes() {
	package -i .output/picket_*.deb && systemctl is-active picket.service && picket status
}

lives() {
	check 'systemctl reload reads the policies again' reloads
	printf '[Service]\nWatchdogSec=20\nTimeoutAbortSec=5\n' | drop_in watchdog
	check 'with a watchdog it starts' systemctl restart picket.service
	check 'an agent goes on' waiting
	check 'the daemon hangs, and is replaced' hangs
	check 'the agent was confined all the while' still_confined
	rm "$DROPINS/watchdog.conf"
	printf '[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=3\n' | drop_in limit
	systemctl restart picket.service
	check 'an agent goes on' waiting
	check 'a daemon that crashes again and again is given up' crash_loop
	check 'the agent is confined, nobody looks after it' refused_without_daemon
	check 'picket status says so, and what to do' said_to_be_down
	rm "$DROPINS/limit.conf"
	systemctl daemon-reload
	check 'another version of the package starts it again' upgrade_after_crashes
	wait "$AGENT"
	check 'it has ended what was left' until_true 60 bash -c '! picket ps | grep -q " p "'
}
