"""The two servers over one database, their command lines, and the list of what was checked."""

import os
import socket
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).parent / "project"
# As Django's startproject makes them, with characters that a careless reader of settings cuts off.
DJANGO_KEY = "django-insecure-#7$w+k@v!&takeover=(proof)*of-50-characters^"
LATCHKEY_KEY = "a key of its own for sessions and forms, 0123456789"


def check(name, holds, detail=""):
    """One line per check; the caller counts them."""
    print(f"ok   {name}" if holds else f"FAIL {name}" + (f"\n     {detail}" if str(detail) else ""), flush=True)
    return holds


@contextmanager
def part(title):
    """A group of checks; what breaks it off is a failure of its own."""
    print(f"# {title}", flush=True)
    try:
        yield
    except Exception:
        check(f"{title}: to its end", False, traceback.format_exc())


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server on a free port of this machine."""

    def __init__(self, name, log, command, env):
        self.name, self.log, self.port = name, log, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command(self.port), env=env, cwd=log.parent, stdout=out, stderr=out)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"{name} does not listen:\n{log.read_text()[-3000:]}") from None
                time.sleep(0.05)

    def stop(self):
        """Its exit code after SIGTERM; None if it had to be killed."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return None
        return self.process.returncode


class World:
    """One database with a Django, and the means to put a Latchkey beside it."""

    def __init__(self, folder, database, user_model=""):
        self.folder, self.database, self.servers = folder, database, []
        # Nothing of the caller's own settings may reach either of the two.
        plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self.django_env = plain | {
            "TAKEOVER_DATABASE_URL": database.url,
            "TAKEOVER_SECRET_KEY": DJANGO_KEY,
            "TAKEOVER_USER_MODEL": user_model,
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "stock.settings",
        }
        self.latchkey_env = plain | {
            "DATABASE_URL": database.url,
            "SECRET_KEY": LATCHKEY_KEY,
            "JWT_SIGNING_KEY": DJANGO_KEY,
            # The settings of the project, said again (docs/django.md).
            "JWT_ACCESS_TOKEN_LIFETIME": "10m",
            "JWT_REFRESH_TOKEN_LIFETIME": "7 days",
            "PASSWORD_RULES": "django",
        }
        self.binary = os.environ["LATCHKEY_BIN"]

    def manage(self, *arguments):
        """`manage.py …`: (exit code, output)."""
        return run([sys.executable, str(PROJECT / "manage.py"), *arguments], self.django_env, self.folder)

    def latchkey(self, *arguments, stdin="", **env):
        """`latchkey …`: (exit code, output)."""
        return run([self.binary, *arguments], self.latchkey_env | env, self.folder, stdin)

    def start_django(self):
        def command(port):
            return [sys.executable, str(PROJECT / "manage.py"), "runserver", "--noreload", f"127.0.0.1:{port}"]

        return self.start("django", command, self.django_env)

    def start_latchkey(self):
        return self.start("latchkey", lambda port: [self.binary, "runserver", f"127.0.0.1:{port}"], self.latchkey_env)

    def start(self, name, command, env):
        server = Server(name, self.folder / f"{name}.log", command, env)
        self.servers.append(server)
        return server

    def stop(self):
        for server in self.servers:
            server.stop()


def run(command, env, folder, stdin=""):
    done = subprocess.run(command, env=env, cwd=folder, input=stdin, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr
