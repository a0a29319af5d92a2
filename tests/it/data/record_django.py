"""Makes django_sqlite.sql and django_postgres.sql anew: what a stock Django + SimpleJWT leaves in its database.

    pip install django==5.2.* djangorestframework-simplejwt psycopg
    scripts/with-postgres python3 tests/it/data/record_django.py

The users' passwords are their names backwards and "-1"; the hashes have few rounds, so that tests are quick.
The tests set their clock to NOW.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)
HERE = Path(__file__).parent


def record(database):
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="django-insecure-recorded-key-of-the-tests-0123456789",
        DATABASES={"default": database},
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"],
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "rest_framework",
            "rest_framework_simplejwt.token_blacklist",
        ],
        SIMPLE_JWT={"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True},
    )
    django.setup()
    from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from rest_framework_simplejwt.tokens import RefreshToken

    PBKDF2PasswordHasher.iterations = 1000
    with mock.patch("django.utils.timezone.now", lambda: NOW):
        call_command("migrate", verbosity=0)
        for name, flags in [("alice", {}), ("bob", {"is_active": False}), ("carol", {"is_staff": True, "is_superuser": True})]:
            user = User.objects.create(
                username=name, email=f"{name}@example.com", password=make_password(name[::-1] + "-1"), date_joined=NOW, **flags
            )
            for number in range(2):
                token = RefreshToken.for_user(user)
                token.current_time = NOW
                token.set_iat(at_time=NOW)
                token.set_exp(from_time=NOW, lifetime=timedelta(days=1))
                save(token, user)
                if number:
                    token.blacklist()


def save(token, user):
    """The row of a token whose times were set after it was recorded."""
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

    OutstandingToken.objects.filter(jti=token["jti"]).update(
        token=str(token), created_at=NOW, expires_at=NOW + timedelta(days=1)
    )


def header(name):
    return f"-- Recorded from Django + SimpleJWT on {name} by record_django.py; not to be edited by hand.\n"


def on_sqlite():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "django.sqlite3"
        record({"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)})
        lines = list(sqlite3.connect(path).iterdump())
    (HERE / "django_sqlite.sql").write_text(header("SQLite") + "\n".join(lines) + "\n")


def on_postgres(url):
    where = urlsplit(url)
    subprocess.run(["psql", "-q", url, "-c", "CREATE DATABASE recorded_django"], check=True)
    record({
        "ENGINE": "django.db.backends.postgresql", "NAME": "recorded_django",
        "HOST": where.hostname, "PORT": where.port, "USER": where.username,
    })
    dump = subprocess.run(
        ["pg_dump", "--inserts", "--no-owner", "--no-privileges", "--no-comments", "-d", url.rsplit("/", 1)[0] + "/recorded_django"],
        check=True, capture_output=True, text=True,
    ).stdout
    lines = [line for line in dump.splitlines() if line and not line.startswith(("--", "\\", "SET ", "SELECT pg_catalog.set_config"))]
    (HERE / "django_postgres.sql").write_text(header("PostgreSQL") + "\n".join(lines) + "\n")


if len(sys.argv) > 1:
    on_sqlite() if sys.argv[1] == "sqlite" else on_postgres(os.environ["LATCHKEY_TEST_POSTGRES_URL"])
else:
    for which in ("sqlite", "postgres"):
        subprocess.run([sys.executable, __file__, which], check=True)
