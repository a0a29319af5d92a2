"""Latchkey comes: it looks before it writes, makes only what is its own, and lets people in as Django would."""

from datetime import timedelta

from database import Sqlite, changes, djangos, is_ours, rows
from seed import password
from world import check, part


def migrate(world, first):
    """`latchkey migrate` beside the running Django."""
    database = world.database
    with part("latchkey migrate"):
        untouched = database.fingerprint()
        code, out = world.latchkey("migrate", "--plan")
        check("migrate --plan names what it would do", code == 0 and "latchkey_tables" in out, out)
        code, out = world.latchkey("migrate", "--check")
        check("migrate --check exits with 1", code == 1, out)
        world.latchkey("check")
        if not isinstance(database, Sqlite):
            code, out = world.latchkey("runserver", "127.0.0.1:0")
            check("runserver refuses to start before migrate", code == 1 and "latchkey migrate" in out, out)
        check("none of them changed anything", database.fingerprint() == untouched)

        code, out = world.latchkey("migrate")
        check("migrate exits with 0", code == 0, out)
        schema, data = database.schema(), rows(database)
        check("the schema of Django's tables is as before, but for indexes named latchkey_*",
              djangos(schema) == first.schema, changes_of(first.schema, djangos(schema)))
        made = sorted({table for table, _ in schema.values()} - {table for table, _ in first.schema.values()})
        check("what it made is named latchkey_*", made and all(map(is_ours, made)), made)
        check("no row of Django's was changed", data == first.rows, changes(first.rows, data))
        code, out = world.latchkey("migrate")
        check("migrate again does nothing", code == 0 and "No migrations to apply" in out and database.schema() == schema, out)
        code, out = world.latchkey("migrate", "--check")
        check("migrate --check exits with 0", code == 0, out)
        code, out = world.latchkey("check")
        check("check finds nothing wrong", code == 0 and "shared with Django" in out, out)
        check("Django finds nothing to migrate", world.manage("migrate", "--check")[0] == 0)


def changes_of(before, after):
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return "\n     ".join(f"{name}: {before.get(name)} -> {after.get(name)}" for name in names)


def log_in(world, project, latchkey):
    """Only Latchkey writes here, so every change has its cause."""
    from django.contrib.auth.models import User
    from django.utils import timezone
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
    from rest_framework_simplejwt.tokens import RefreshToken

    with part("logging in through Latchkey"):
        ids, before, began = project.ids, rows(world.database), timezone.now()
        known = before["auth_user"]
        check("the hashes are of two schemes", {known[ids["ana"]]["password"][:8], known[ids["ben"]]["password"][:8]}
              == {"pbkdf2_s", "bcrypt_s"})
        pairs = {}
        for name in ("ana", "ben", "admin"):
            answer = latchkey.login(name, password(name))
            scheme = known[ids[name]]["password"].split("$")[0]
            check(f"{name} logs in ({scheme})", answer.status == 200 and {*answer.json} == {"access", "refresh"}, answer)
            pairs[name] = answer.json
        refused = {"detail": "No active account found with the given credentials"}
        for name, word in [("ana", "wrong"), ("ida", password("ida")), ("uma", "!"), ("nobody", "x"), ("ANA", password("ana"))]:
            answer, theirs = latchkey.login(name, word), project.django.login(name, word)
            check(f"{name} with {word!r} is refused as by Django",
                  (answer.status, answer.json) == (401, refused) == (theirs.status, theirs.json), answer)

        after = rows(world.database)
        made = sorted(after["token_blacklist_outstandingtoken"].keys() - before["token_blacklist_outstandingtoken"].keys())
        expected = [f"auth_user: {ids[name]}.last_login" for name in pairs]
        expected += [f"token_blacklist_outstandingtoken: +{key}" for key in made]
        check("three rows for three logins and last_login, nothing else; hashes stay as they are",
              len(made) == 3 and changes(before, after) == sorted(expected), changes(before, after))
        for name in pairs:
            user = User.objects.get(username=name)
            check(f"last_login of {name} is now, as Django reads it",
                  began - timedelta(seconds=1) <= user.last_login <= timezone.now(), user.last_login)
        token = RefreshToken(pairs["ben"]["refresh"])
        row = OutstandingToken.objects.get(jti=token["jti"])
        check("Django reads the recorded token", row.user_id == ids["ben"] and int(row.expires_at.timestamp()) == token["exp"]
              and int(row.created_at.timestamp()) == token["iat"], vars(row))
        check("what is recorded is no usable token", row.token == pairs["ben"]["refresh"].rpartition(".")[0], row.token)
        theirs = RefreshToken(project.others["ben"][0])
        check("claims are those of SimpleJWT", theirs.payload.keys() <= token.payload.keys()
              and token["user_id"] == theirs["user_id"] and token["exp"] - token["iat"] == theirs["exp"] - theirs["iat"],
              (theirs.payload, token.payload))
    return pairs


def panel(world, project, latchkey, browser):
    """Who may open Latchkey's panel beside a Django."""
    with part("Latchkey's panel"):
        sam = browser(latchkey.base)
        check("staff cannot log in to the panel", sam.log_in("sam", password("sam")).status != 302)
        check("and see none of it", sam.get("/admin/").status in (302, 303, 403))
        admin = browser(latchkey.base)
        answer = admin.log_in("admin", password("admin"))
        check("a superuser logs in", answer.status in (302, 303) and "login" not in answer.location, answer)
        jti = jti_of(project.ana[0]["refresh"])
        for path, text in [
            ("/admin/", "dmin"),
            ("/admin/auth/user/", "cleo"),
            (f"/admin/auth/user/{project.ids['cleo']}/change/", "cleo@"),
            (f"/admin/token_blacklist/outstandingtoken/?q={jti}", jti),
            (f"/admin/token_blacklist/blacklistedtoken/?q={jti_of(project.blacklisted)}", jti_of(project.blacklisted)),
        ]:
            page = admin.get(path)
            check(f"it shows {path.split('?')[0]}", page.status == 200 and text in page.text, page)
        gina = browser(latchkey.base)
        gina.log_in("gina", password("gina"))
        check("a second superuser logs in", gina.get("/admin/").status == 200)
    return gina


def jti_of(token):
    import jwt

    return jwt.decode(token, options={"verify_signature": False})["jti"]
