# SPDX-License-Identifier: BSD-2-Clause
"""Sinks over the network, with real servers: OTLP and webhooks over HTTP, rsyslog over TCP and TLS."""
import gzip
import hashlib
import hmac
import http.server
import json
import os
import ssl
import subprocess
import threading
import time

import sinks
import stage

PROTO = os.path.abspath(f"{stage.HERE}/../../data/schemas/otlp.proto")
# Some act: its bytes are in each record of a connection to 18002.
SIGN = b"18002"


class Receiver:
    """Takes what is posted; answers what it is told to, one after the other, then 200."""

    def __init__(self, port, certificate=None):
        self.bodies, self.heads, self.times = [], [], []
        self.answers = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, head = receiver.answers.pop(0) if receiver.answers else (200, {})
                receiver.times.append(time.monotonic())
                if status == 200:
                    receiver.heads.append(dict(self.headers))
                    receiver.bodies.append(body)
                self.send_response(status)
                for name, value in {**head, "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def make_certificate(host, name):
    """Of an authority of its own, for localhost; (certificate, key)."""
    made = f"{host.base}/{name}.pem", f"{host.base}/{name}.key"
    stage.sh(f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {made[1]} -out {made[0]}"
             " -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null")
    return made


def decode(body):
    done = subprocess.run(["protoc", f"-I{os.path.dirname(PROTO)}",
                           "--decode=otlp.ExportLogsServiceRequest", os.path.basename(PROTO)],
                          input=body, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.stdout if done.returncode == 0 else b""


def otlp(host, tap, agent):
    server = Receiver(4601)
    server.answers = [(503, {}), (429, {"Retry-After": "2"})]
    stage.write(f"{host.base}/headers", "Authorization: Bearer secret-word\n", 0o600)
    sinks.configure(host, 'name: otlp, type: otlp, url: "http://127.0.0.1:4601/v1/logs",'
                          f' headers: "{host.base}/headers", compress: gzip')
    agent.deny(30)

    def arrived():
        return sum(decode(gzip.decompress(body)).count(b"log_records {") for body in server.bodies)
    stage.wait_until(lambda: server.bodies and sinks.idle("otlp"))
    sink = sinks.state("otlp")
    tap.check("otlp: protobuf, gzip: protoc reads each record",
              arrived() == sink["sent"] >= 30, (arrived(), sink))
    tap.check("otlp: of what was denied",
              sum(decode(gzip.decompress(body)).count(SIGN) for body in server.bodies) >= 30)
    tap.check("otlp: 503 and 429 were tried again", sink["retries"] == 2, sink)
    tap.check("otlp: not before Retry-After", server.times[2] - server.times[1] >= 1.9, server.times)
    tap.equal("otlp: with the headers of the file",
              {head.get("Authorization") for head in server.heads}, {"Bearer secret-word"})
    told = json.dumps(sink) + host.log() + stage.read(f"/proc/{sink['pid']}/cmdline")
    tap.check("otlp: which nobody is told", "secret-word" not in told)
    tap.check("otlp: the account is exact", sinks.is_exact(sink) and not any(sink["lost"].values()),
              sink)
    server.answers = [(400, {})]
    agent.deny(1)
    stage.wait_until(lambda: sum(sinks.state("otlp")["lost"].values()))
    sink = sinks.state("otlp")
    tap.check("otlp: 400 refuses records, which are counted as lost, not tried again",
              sum(sink["lost"].values()) >= 1 and sinks.is_exact(sink), sink)
    tap.equal("otlp: that is said once", host.log().count("answered 400"), 1)


def webhook(host, tap, agent):
    key = b"0123456789abcdef"
    server = Receiver(4602)
    stage.write(f"{host.base}/key", key.decode() + "\n", 0o600)
    sinks.configure(host, 'name: hook, type: webhook, url: "http://127.0.0.1:4602/x",'
                          f' hmac_key: "{host.base}/key"')
    agent.deny(20)
    stage.wait_until(lambda: server.bodies and sinks.idle("hook"))
    found = [event for body in server.bodies for event in json.loads(body)]
    tap.check("webhook: JSON arrays of all denials",
              len([event for event in found if event.get("port") == stage.CLOSED]) == 20, found[:1])
    tap.check("webhook: each is signed",
              all(head.get("Picket-Signature") ==
                  "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
                  for head, body in zip(server.heads, server.bodies)), server.heads[:1])


def certificates(host, tap, agent):
    good, other = make_certificate(host, "good"), make_certificate(host, "other")
    os.chmod(other[0], 0o644)
    server = Receiver(4603, good)
    sinks.configure(host, 'name: tls, type: webhook, url: "https://localhost:4603/",'
                          f' ca: "{other[0]}"')
    agent.deny(5)
    stage.wait_until(lambda: sinks.state("tls").get("retries"))
    sink = sinks.state("tls")
    tap.check("https: a certificate that nobody vouches for is refused",
              sink["sent"] == 0 and "certificate" in sink.get("error", ""), sink)
    os.chmod(good[0], 0o644)
    sinks.configure(host, 'name: tls, type: webhook, url: "https://localhost:4603/",'
                          f' ca: "{good[0]}"')
    tap.check("https: with the right one what waited arrives",
              stage.wait_until(lambda: sum(body.count(SIGN) for body in server.bodies) >= 5),
              sinks.state("tls"))
    sinks.configure(host, 'name: tls, type: webhook, url: "https://127.0.0.1:4603/",'
                          f' ca: "{good[0]}"')
    agent.deny(1)
    stage.wait_until(lambda: "subject name" in sinks.state("tls").get("error", ""))
    tap.check("https: another name than the certificate's is refused",
              "subject name" in sinks.state("tls").get("error", ""), sinks.state("tls"))
    return good, other


def start_rsyslog(host, certificate):
    """On 4604 with TLS, on 4605 without; what comes is in FILE."""
    file = f"{host.base}/rsyslog.out"
    stage.write(f"{host.base}/rsyslog.conf", f"""
global(workDirectory="{host.base}" maxMessageSize="64k"
       defaultNetstreamDriverCAFile="{certificate[0]}"
       defaultNetstreamDriverCertFile="{certificate[0]}"
       defaultNetstreamDriverKeyFile="{certificate[1]}")
module(load="imtcp")
input(type="imtcp" port="4604" ruleset="all" streamDriver.name="ossl" streamDriver.mode="1"
      streamDriver.authMode="anon")
input(type="imtcp" port="4605" ruleset="all")
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="all") {{ action(type="omfile" file="{file}" template="raw") }}
""")
    log = open(f"{host.base}/rsyslog.log", "ab")  # pylint: disable=consider-using-with
    server = subprocess.Popen(["rsyslogd", "-n", "-f", f"{host.base}/rsyslog.conf",
                               "-i", f"{host.base}/rsyslog.pid"], stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log, preexec_fn=stage.die_with_parent)
    log.close()
    host.children.append(server)
    return server, file


def rsyslog(host, tap, agent, good, other):
    server, file = start_rsyslog(host, good)

    def arrived():
        return sum("18002" in line for line in stage.read(file).splitlines())
    sinks.configure(host, 'name: tcp, type: syslog, address: "tcp:127.0.0.1:4605"')
    agent.deny(50)
    tap.check("rsyslog over TCP: each denial", stage.wait_until(lambda: arrived() == 50),
              (arrived(), sinks.state("tcp"), stage.read(f"{host.base}/rsyslog.log")[-600:]))
    secure = 'name: secure, type: syslog, address: "tls:localhost:4604"'
    sinks.configure(host, f'{secure}, ca: "{other[0]}"')
    agent.deny(10)
    stage.wait_until(lambda: sinks.state("secure").get("retries"))
    tap.check("rsyslog over TLS: a certificate that nobody vouches for is refused",
              "certificate" in sinks.state("secure").get("error", "") and arrived() == 50,
              sinks.state("secure"))
    sinks.configure(host, f'{secure}, ca: "{good[0]}", server_name: elsewhere')
    stage.wait_until(lambda: "mismatch" in sinks.state("secure").get("error", ""))
    tap.check("rsyslog over TLS: nor another name",
              "mismatch" in sinks.state("secure").get("error", ""), sinks.state("secure"))
    sinks.configure(host, f'{secure}, ca: "{good[0]}"')
    tap.check("rsyslog over TLS: what waited arrives", stage.wait_until(lambda: arrived() == 60),
              (arrived(), sinks.state("secure"), stage.read(f"{host.base}/rsyslog.log")[-600:]))
    server.kill()
    server.wait()
    agent.deny(10)
    stage.wait_until(lambda: sinks.state("secure").get("retries"))
    _, file = start_rsyslog(host, good)
    tap.check("rsyslog is killed and comes back: what was denied meanwhile arrives",
              stage.wait_until(lambda: arrived() >= 70), (arrived(), sinks.state("secure")))
    sink = sinks.state("secure")
    tap.check("the account is exact", sinks.is_exact(sink) and not any(sink["lost"].values()), sink)


def peers(tap, host):
    agent = sinks.Agent(host)
    otlp(host, tap, agent)
    webhook(host, tap, agent)
    good, other = certificates(host, tap, agent)
    rsyslog(host, tap, agent, good, other)
    sinks.configure(host)
    agent.end()
