"""The command line beside a Django: users that it makes, changes and deletes are Django's users."""

from database import changes, rows
from http_client import Browser
from seed import password
from world import check, part


def delete_user(world, project):
    """`latchkey users delete` leaves what Django's own deletion leaves, and the tokens blacklisted."""
    from django.contrib.auth.models import User

    with part("latchkey users delete"):
        before = rows(world.database)
        code, out = world.latchkey("users", "delete", "dora", "--yes")
        after = rows(world.database)
        check("exits with 0", code == 0, out)
        User.objects.get(username="dino").delete()
        by_django = shapes(after, rows(world.database))
        by_latchkey = shapes(before, after)
        entries = ["token_blacklist_blacklistedtoken +"] * 2
        check("does what Django does with the twin (groups, permissions, admin log, tokens' owner), and blacklists both tokens",
              by_latchkey == sorted(by_django + entries), f"{by_latchkey} and {by_django}")
        before = rows(world.database)
        code, out = world.latchkey("users", "delete", "otto", "--yes")
        check("refuses a user to whom another table of the project refers", code == 1 and "refer" in out, out)
        check("and changes nothing", rows(world.database) == before, changes(before, rows(world.database)))


def shapes(before, after):
    """The changes without their keys: 'table +', 'table -', 'table column'."""
    found = []
    for change in changes(before, after):
        table, _, what = change.partition(": ")
        found.append(f"{table} {what[0]}" if what[0] in "+-" else f"{table} {what.partition('.')[2]}")
    return sorted(found)


def users(world, project, latchkey):
    """Made and changed on one side, good on the other."""
    from django.contrib.auth.models import User

    django = project.django
    with part("users of both"):
        code, out = world.latchkey("users", "create", "eve", "--email", "eve@EXAMPLE.com", "--password-stdin", stdin="eve's w0rd, long\n")
        eve = User.objects.filter(username="eve").first()
        check("latchkey users create", code == 0 and eve is not None and eve.email == "eve@example.com", out)
        check("its hash is one that every Django can check", eve.password.startswith("pbkdf2_sha256$1000000$"), eve.password[:22])
        check("and she logs in to Django", django.login("eve", "eve's w0rd, long").status == 200)
        check("which has nothing to change in the hash", User.objects.get(username="eve").password == eve.password)

        answers = {"USERNAME": "root", "EMAIL": "root@example.com", "PASSWORD": "a root's w0rd"}
        env = {f"DJANGO_SUPERUSER_{name}": value for name, value in answers.items()}
        code, out = world.latchkey("createsuperuser", "--noinput", **env)
        check("latchkey createsuperuser --noinput", code == 0, out)
        check("and it logs in to Django's admin", Browser(django.base).log_in("root", "a root's w0rd").status == 302)

        held = latchkey.login("ana", password("ana")).json["refresh"]
        code, out = world.latchkey("changepassword", "ana", "--password-stdin", stdin="another w0rd\n")
        check("latchkey changepassword", code == 0, out)
        for name, api in [("Django", django), ("Latchkey", latchkey)]:
            check(f"{name} takes the new password and not the old one",
                  (api.login("ana", "another w0rd").status, api.login("ana", password("ana")).status) == (200, 401))
            check(f"{name} refuses the token from before", api.refresh(held).status == 401)

        ben = User.objects.get(username="ben")
        ben.set_password("ben's next w0rd")
        ben.save()
        check("a password that Django changes is the one for Latchkey",
              (latchkey.login("ben", "ben's next w0rd").status, latchkey.login("ben", password("ben")).status) == (200, 401))
        User.objects.create_user("finn", "finn@example.com", "finn's w0rd")
        pair = latchkey.login("finn", "finn's w0rd")
        check("a user whom Django makes logs in to Latchkey", pair.status == 200, pair)
        code, out = world.latchkey("users", "deactivate", "finn")
        check("latchkey users deactivate keeps him out of Django",
              code == 0 and django.login("finn", "finn's w0rd").status == 401 and django.refresh(pair.json["refresh"]).status == 401, out)
