"""Latchkey: started by the hook of the conformance player, asked over one connection that stays open."""

import http.client
import json
import os
import socket
import subprocess
import time

import reference

HERE = os.path.dirname(os.path.abspath(__file__))
LAUNCH = os.path.join(HERE, "..", "..", "scripts", "conformance", "launch")


class Latchkey:
    def __init__(self, folder):
        users = os.path.join(folder, "users.json")
        with open(users, "w", encoding="utf-8") as handle:
            json.dump(reference.USERS, handle)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        env = dict(os.environ, PORT=str(self.port), USERS_FILE=users, SIGNING_KEY=reference.KEY, EXTRA_CLAIMS="none")
        env.update(DATABASE_URL="sqlite:///" + os.path.join(folder, "differential.sqlite3"), PBKDF2_ITERATIONS="1")
        self.log = open(os.path.join(folder, "latchkey.log"), "w+b")
        self.child = subprocess.Popen([LAUNCH], env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.connection = None
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
                return
            except OSError:
                if self.child.poll() is not None or time.monotonic() > deadline:
                    self.log.seek(0)
                    raise SystemExit("latchkey did not start: " + self.log.read().decode("utf-8", "replace"))
                time.sleep(0.05)

    def ask(self, method, target, headers, body):
        """Status, headers (lower case) and body of one request. `headers` is a list of pairs of bytes."""
        for fresh in (self.connection is None, True):
            if fresh:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection = self.connection
                connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in headers:
                    connection.putheader(name, value)
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body or None)
                response = connection.getresponse()
                answer = response.read()
                if response.will_close:
                    self.connection = None
                return response.status, {name.lower(): value for name, value in response.getheaders()}, answer
            except (OSError, http.client.HTTPException):
                self.connection = None
                if fresh:
                    raise

    def stop(self):
        self.child.terminate()
        self.child.wait(20)
        self.log.close()
