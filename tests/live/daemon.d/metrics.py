# SPDX-License-Identifier: BSD-2-Clause
"""The page of metrics: exact after real denials; bad settings, taken ports, slow clients."""
import json
import os
import signal
import socket
import subprocess
import time

import exposition
import feeds
import stage

SETTINGS = "/etc/picket/telemetry.yaml"
PORT, OTHER = 19464, 19465


def settings(text):
    stage.write(SETTINGS, f"picket: 1\n{text}", 0o644)


def reload(host):
    return host.picket("root", "reload")


def curl(*words, port=PORT):
    """Status and type, and the page or what curl says."""
    done = subprocess.run(["curl", "-sS", "-m", "20", "-w", "\n%{http_code} %{content_type}", *words,
                           f"http://127.0.0.1:{port}/metrics"],
                          capture_output=True, text=True, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return status, done.stderr if done.returncode else body


def page(port=PORT):
    return exposition.Page(curl(port=port)[1])


def metrics_of(host):
    return json.loads(host.picket("root", "status", "--json").stdout).get("metrics")


def counts(tap, host):
    settings(f"metrics: 127.0.0.1:{PORT}\n")
    reload(host)
    status, body = curl()
    tap.equal("metrics: a reload switches them on", status,
              "200 text/plain; version=0.0.4; charset=utf-8", body)
    before = exposition.Page(body)
    tap.equal("metrics: enforcement is proven", before.get("picket_proof_ok"), 1)
    tap.check("metrics: lately", 0 <= time.time() - before.get("picket_proof_timestamp_seconds") < 1000)
    process, agent = feeds.start(host)
    feeds.say(process, "try", "7")
    now = page()
    tap.equal("metrics: denials are counted exactly",
              now.get("picket_decisions_total", agent=agent, section="egress", verdict="deny"), 7)
    tap.equal("metrics: nothing else of that agent", now.get("picket_decisions_total", agent=agent), 7)
    tap.equal("metrics: as the kernel counts",
              now.get("picket_kernel_decisions_total", agent=agent, verdict="deny"), 7)
    tap.equal("metrics: none is lost", now.get("picket_events_lost_total", agent=agent), 0)
    info = [dict(labels) for name, labels in now.samples if name == "picket_agent_info"]
    tap.check("metrics: what the agent is called", [one for one in info if one["agent"] == agent and
              one["policy"] == "work" and one["mode"] == "enforce" and len(one["digest"]) == 64], info)
    total = now.get("picket_decisions_total")
    process.communicate("", timeout=stage.PATIENCE)
    stage.wait_until(lambda: not host.agents())
    after = page()
    tap.equal("metrics: an agent that ended is not shown",
              [labels for _, labels in after.samples if ("agent", agent) in labels], [])
    tap.check("metrics: what it counted is in the sum", after.get("picket_decisions_total") >= total and
              after.get("picket_decisions_total", agent="ended") -
              before.get("picket_decisions_total", agent="ended") == 7, after.samples)


def histograms(tap, host):
    """Only when asked for: one decision in 64 is timed."""
    process, _ = feeds.start(host)
    feeds.say(process, "try", "1500")
    tap.check("metrics: no histograms unless asked for",
              "picket_decision_duration_seconds" not in page().types)
    settings(f"metrics: 127.0.0.1:{PORT}\nhistograms: true\n")
    reload(host)
    before = page().get("picket_decision_duration_seconds_count", op="connect")
    feeds.say(process, "try", "3000")
    count = page().get("picket_decision_duration_seconds_count", op="connect") - before
    tap.check("metrics: histograms of a sample", 5 <= count <= 200, count)
    settings(f"metrics: 127.0.0.1:{PORT}\n")
    reload(host)
    process.communicate("", timeout=stage.PATIENCE)
    stage.wait_until(lambda: not host.agents())


def requests(tap, host):
    tap.equal("metrics: POST", curl("-X", "POST", "-d", "x")[0][:3], "405")
    done = subprocess.run(["curl", "-sS", "-i", f"http://127.0.0.1:{PORT}/other"], capture_output=True,
                          text=True, check=False)
    tap.check("metrics: another path", done.stdout.startswith("HTTP/1.1 404"), done)
    tap.equal("metrics: a page of another site", curl("-H", "Host: evil.example")[0][:3], "421")
    done = subprocess.run(["curl", "-sSI", f"http://127.0.0.1:{PORT}/metrics"], capture_output=True,
                          text=True, check=False)
    tap.check("metrics: HEAD", done.stdout.startswith("HTTP/1.1 200"), done)
    done = host.picket("plain", "run", "--quiet", "-p", "work", "--", "curl", "-sS", "-m", "5",
                       f"http://127.0.0.1:{PORT}/metrics")
    tap.check("metrics: no agent reaches them without a rule", done.returncode == 7 and
              "picket_" not in done.stdout, done)
    host.policy("scraper", more_egress=f'    - allow: "127.0.0.1:{PORT}"\n')
    done = host.picket("plain", "run", "--quiet", "-p", "scraper", "--", "curl", "-sS", "-m", "5",
                       f"http://127.0.0.1:{PORT}/metrics")
    tap.check("metrics: one whose policy allows it does", "picket_build_info" in done.stdout, done)


def slow(tap, host):
    """As many as there can be, each sending a byte now and then."""
    clients = [socket.create_connection(("127.0.0.1", PORT), 5) for _ in range(20)]
    for client in clients:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n")
    begin, latest, turns = time.monotonic(), 0, 0
    while time.monotonic() - begin < 3:
        for client in clients:
            client.sendall(b"X")
        start = time.monotonic()
        with stage.Rpc() as rpc:
            rpc.call("hello")
        latest = max(latest, time.monotonic() - start)
        turns += 1
    tap.check("metrics: slow clients slow nobody", latest < 5 and curl()[0][:3] == "200",
              f"{latest:.3f} s, {turns} turns")
    cut = 0
    for client in clients:
        client.settimeout(15)
        try:
            cut += client.recv(4096) == b""
        except ConnectionError:
            cut += 1
        client.close()
    tap.equal("metrics: they are cut", cut, len(clients))
    tap.check("metrics: soon enough", time.monotonic() - begin < 14, time.monotonic() - begin)
    tap.equal("metrics: and counted", page().get("picket_http_cut_total"), len(clients))


def faults(tap, host):
    settings("metrics: 0.0.0.0:9464\n")
    done = reload(host)
    log = host.log()
    tap.check("metrics: an address that others reach: its place is told",
              f"{SETTINGS}:2:10: error:" in log, log[-2000:] + str(done))
    tap.equal("metrics: and they go on where they were", curl()[0][:3], "200")
    taken = socket.create_server(("127.0.0.1", OTHER))
    settings(f"metrics: 127.0.0.1:{OTHER}\n")
    reload(host)
    status = metrics_of(host)
    tap.check("metrics: a port that is taken: the status says it", status and
              "cannot listen on" in status.get("error", ""), status)
    with stage.Rpc() as rpc:
        tap.check("metrics: picketd goes on", "result" in rpc.call("hello"))
    tap.check("metrics: not where they were", "Failed to connect" in curl()[1] or
              "refused" in curl()[1], curl())
    taken.close()
    tap.check("metrics: as soon as the port is free",
              stage.wait_until(lambda: curl(port=OTHER)[0][:3] == "200", 25), host.log()[-500:])
    os.unlink(SETTINGS)
    reload(host)
    tap.check("metrics: a reload switches them off", curl(port=OTHER)[0][:3] != "200" and
              metrics_of(host) is None, metrics_of(host))


def restarts(tap, host):
    settings(f"metrics: 127.0.0.1:{PORT}\n")
    process, agent = feeds.start(host)
    feeds.say(process, "try", "3")
    host.end_daemon(signal.SIGKILL)
    host.start_daemon()
    tap.equal("metrics: there after a start", curl()[0][:3], "200")
    tap.equal("metrics: the kernel's counts are of the agent's whole life",
              page().get("picket_kernel_decisions_total", agent=agent, verdict="deny"), 3)
    process.communicate("", timeout=stage.PATIENCE)
    stage.wait_until(lambda: not host.agents())
    os.unlink(SETTINGS)
    reload(host)


def metrics(tap, host):
    counts(tap, host)
    histograms(tap, host)
    requests(tap, host)
    slow(tap, host)
    faults(tap, host)
    restarts(tap, host)
