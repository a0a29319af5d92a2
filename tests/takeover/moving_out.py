"""Latchkey goes: Django works as before, and what is left can be dropped as docs/django.md says."""

import re
from pathlib import Path

from database import Sqlite, changes, djangos, is_ours, rows
from http_client import Browser
from moving_in import changes_of
from seed import password
from world import check, part

GUIDE = Path(__file__).parents[2] / "docs" / "django.md"

# What the checks before gave cause to change in rows that were there first; the rest must be untouched.
CAUSES = [
    r"auth_user: \d+\.last_login",
    r"auth_user: (ana|ben)\.password",  # changed on purpose, on either side
    r"auth_user: -(dora|dino|gina)",
    r"auth_user(_groups|_user_permissions): -\d+",  # dora's and dino's
    r"django_admin_log: -\d+",
    r"token_blacklist_outstandingtoken: (dora|dino|gina)\.user_id",
    r"token_blacklist_outstandingtoken: -expired",
]
# Tables to which rows were added; in all others nothing may appear.
GROWN = r"(auth_user|token_blacklist_(outstanding|blacklisted)token|django_session|django_admin_log): \+.+"


def leave(world, project, latchkey, first):
    """Stops it in the middle of things and goes on with Django alone."""
    django = project.django
    with part("Django alone again"):
        held = latchkey.login("cleo", password("cleo")).json["refresh"]
        used = latchkey.login("cleo", password("cleo")).json["refresh"]
        latchkey.refresh(used)
        code = world.servers[-1].stop()
        check("Latchkey stops with exit code 0", code == 0, code)
        check("a login", django.login("cleo", password("cleo")).status == 200)
        answer = django.refresh(held)
        check("a refresh with Latchkey's last token", answer.status == 200 and django.refresh(held).status == 401, answer)
        check("a token that Latchkey rotated is refused", django.refresh(used).status == 401)
        check("a login to the admin", Browser(django.base).log_in("admin", password("admin")).status == 302)
        for command in (["migrate", "--check"], ["check"], ["makemigrations", "--check", "--dry-run"]):
            code, out = world.manage(*command)
            check(f"manage.py {' '.join(command)}", code == 0, out)
        schema = djangos(world.database.schema())
        check("the schema of Django's tables is as at first, but for indexes named latchkey_*",
              schema == first.schema, changes_of(first.schema, schema))
        left = uncaused(project, first.rows, rows(world.database))
        check("no row of Django's was changed without cause", not left, left)


def uncaused(project, before, after):
    """Changes that none of the checks explains."""
    names = {str(key): name for name, key in project.ids.items()}
    tokens = before["token_blacklist_outstandingtoken"]

    def readable(change):
        table, _, what = change.partition(": ")
        key, dot, column = what.lstrip("+-").partition(".")
        if table == "auth_user" and column != "last_login":
            key = names.get(key, key)
        if table == "token_blacklist_outstandingtoken" and int(key) in tokens:
            if what[0] == "-":
                key = "expired" if tokens[int(key)]["expires_at"] < first_login(before) else key
            else:
                key = names.get(str(tokens[int(key)]["user_id"]), key)
        sign = what[0] if what[0] in "+-" else ""
        return f"{table}: {sign}{key}{dot}{column}"

    described = map(readable, changes(before, after))
    return [change for change in described if not re.fullmatch("|".join([*CAUSES, GROWN]), change)]


def first_login(data):
    return min(row["date_joined"] for row in data["auth_user"].values())


def way_back(world, project, first):
    """The SQL of the guide, as it stands there."""
    from django.db import connections

    database = world.database
    with part("the way back of docs/django.md"):
        connections.close_all()  # ours would keep SQLite in its mode
        before = rows(database)
        blocks = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(), re.S)
        sqlite = isinstance(database, Sqlite)
        for sql in blocks:
            if sqlite or "PRAGMA" not in sql:
                database.script(sql)
        schema = database.schema()
        check("nothing of Latchkey's is left", not any(is_ours(name.partition(" ")[2]) for name in schema), sorted(schema))
        check("the whole schema is as at first", schema == first.schema, changes_of(first.schema, schema))
        check("no row of Django's was changed by it", rows(database) == before)
        if sqlite:
            check("the file is out of WAL mode", database.query("PRAGMA journal_mode") == [("delete",)])
        check("Django logs in", project.django.login("cleo", password("cleo")).status == 200)


def again(world, project, api):
    """A second time; and a Django migration of a table that Latchkey's refer to."""
    from django.contrib.auth.models import User
    from django.db import connection, models

    with part("a Django migration beside Latchkey"):
        code, out = world.latchkey("migrate")
        check("Latchkey is taken in again", code == 0, out)
        server = world.start_latchkey()
        latchkey = api(server.base)
        pair = latchkey.login("cleo", password("cleo")).json
        rows_of_ours = "SELECT count(*) FROM latchkey_token"
        recorded = world.database.query(rows_of_ours)
        longer = models.EmailField(blank=True, max_length=300)
        longer.set_attributes_from_name("email")
        with connection.schema_editor() as editor:
            editor.alter_field(User, User._meta.get_field("email"), longer)
        check("a longer e-mail column, while Latchkey runs, and its rows stay", world.database.query(rows_of_ours) == recorded)
        check("it goes on: refresh", latchkey.refresh(pair["refresh"]).status == 200)
        check("it goes on: login", latchkey.login("cleo", password("cleo")).status == 200)
        if isinstance(world.database, Sqlite):
            # SQLite remakes the table, and our indexes on it are gone.
            code, out = world.latchkey("check")
            check("latchkey check tells of the lost indexes", "latchkey_user_lower_email" in out, out)
        world.latchkey("migrate")
        code, out = world.latchkey("check")
        check("after latchkey migrate all are there", code == 0 and "missing" not in out, out)
        check("Latchkey stops with exit code 0", server.stop() == 0)
