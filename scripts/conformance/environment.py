"""Translates the variables of run.py into Latchkey's settings, and names the database of a profile.

Shared by `launch` and `admin`, so that both use the same server. Standard library only.
"""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DJANGO_HEADERS = "accept,authorization,content-type,user-agent,x-csrftoken,x-requested-with"

# SimpleJWT's defaults where Latchkey's are stricter, and settings that would only slow down a test run.
UNDONE = {
    "ALLOWED_HOSTS": "*",
    "CORS_ALLOW_HEADERS": DJANGO_HEADERS,
    "END_SESSIONS_ON_USER_CHANGE": "false",
    "JWT_BLACKLIST_AFTER_ROTATION": "false",
    "JWT_EXTRA_CLAIMS": "email,username",
    "JWT_ROTATE_REFRESH_TOKENS": "false",
    "JWT_SESSION_CLAIM": "none",
    "JWT_UPDATE_LAST_LOGIN": "false",
    "LOGIN_THROTTLE": "false",
    "PASSWORD_HASHER": "pbkdf2_sha256",
    "PASSWORD_RULES": "none",
    "RUST_LOG": "warn",
    "SECRET_KEY": "conformance-secret-key-0123456789abcdef0123456789abcdef",
}
AS_THEY_ARE = """PASSWORD_HASHER PBKDF2_ITERATIONS BCRYPT_ROUNDS USERNAME_FIELD
CORS_ALLOWED_ORIGINS CORS_ALLOW_ALL_ORIGINS CORS_ALLOW_CREDENTIALS""".split()
WITH_PREFIX = """SIGNING_KEY VERIFYING_KEY ALGORITHM ACCESS_TOKEN_LIFETIME REFRESH_TOKEN_LIFETIME
SLIDING_TOKEN_LIFETIME SLIDING_TOKEN_REFRESH_LIFETIME LEEWAY ROTATE_REFRESH_TOKENS BLACKLIST_AFTER_ROTATION
UPDATE_LAST_LOGIN CHECK_REVOKE_TOKEN CHECK_USER_IS_ACTIVE AUDIENCE ISSUER AUTH_HEADER_NAME AUTH_HEADER_TYPES
USER_ID_FIELD USER_ID_CLAIM TOKEN_TYPE_CLAIM JTI_CLAIM SLIDING_TOKEN_REFRESH_EXP_CLAIM REVOKE_TOKEN_CLAIM""".split()
TOKEN_CLASSES = {"AccessToken": "access", "SlidingToken": "sliding"}
# Variables that a process needs; the caller's own settings are not passed on.
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "RUST_BACKTRACE", "RUST_LOG")


def settings():
    """Latchkey's environment for that of run.py."""
    env = os.environ
    out = dict(UNDONE)
    out.update({name: env[name] for name in INHERITED if name in env})
    out.update({name: env[name] for name in AS_THEY_ARE if env.get(name)})
    out.update({"JWT_" + name: env[name] for name in WITH_PREFIX if env.get(name)})
    if env.get("USER_ID_TYPE") == "uuid":
        out["JWT_USER_ID_FIELD"] = "uuid"
    if env.get("AUTH_TOKEN_CLASSES"):
        names = [name.strip() for name in env["AUTH_TOKEN_CLASSES"].split(",")]
        out["JWT_AUTH_TOKEN_CLASSES"] = ",".join(TOKEN_CLASSES.get(name, name) for name in names)
    if env.get("EXTRA_CLAIMS") == "none":
        del out["JWT_EXTRA_CLAIMS"]
    elif env.get("EXTRA_CLAIMS"):
        out["JWT_EXTRA_CLAIMS"] = env["EXTRA_CLAIMS"]
    out["DATABASE_URL"] = database_url()
    return out


def binary():
    """The program under test."""
    path = os.environ.get("LATCHKEY_BIN") or os.path.join(ROOT, "target", "release", "latchkey")
    if not os.access(path, os.X_OK):
        sys.exit("%s not found: build it (cargo build --release) or set LATCHKEY_BIN" % path)
    return os.path.abspath(path)


def directory():
    """The folder for this profile's files, which has no `.env`."""
    return os.path.dirname(urlsplit(os.environ["DATABASE_URL"]).path) or "/"


def on_postgres():
    return os.environ.get("CONFORMANCE_DATABASE") == "postgres"


def server_url():
    url = os.environ.get("CONFORMANCE_POSTGRES_URL")
    if not url:
        sys.exit("CONFORMANCE_DATABASE=postgres needs CONFORMANCE_POSTGRES_URL=postgres://… of a role that may create databases")
    return url


def database_name():
    """One name per profile and run, the same in `launch` and in `admin`."""
    return "conformance_" + hashlib.sha256(os.environ["DATABASE_URL"].encode()).hexdigest()[:16]


def database_url():
    if not on_postgres():
        return os.environ["DATABASE_URL"]
    return urlsplit(server_url())._replace(path="/" + database_name()).geturl()


def psql(statement):
    """Runs one statement on the server named by CONFORMANCE_POSTGRES_URL."""
    program = shutil.which("psql") or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"), reverse=True)), None)
    if not program:
        sys.exit("psql not found: install postgresql-client")
    subprocess.run([program, "-qX", "-v", "ON_ERROR_STOP=1", "-d", server_url(), "-c", statement], check=True)
