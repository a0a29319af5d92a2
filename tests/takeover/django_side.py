"""Django beside Latchkey: its admin lists and deletes what Latchkey wrote, its commands clean up after both."""

from datetime import timedelta

from database import rows
from http_client import Browser
from moving_in import jti_of
from seed import password
from world import check, part

OUTSTANDING, BLACKLISTED = "/admin/token_blacklist/outstandingtoken/", "/admin/token_blacklist/blacklistedtoken/"


def count(world, table, condition="true"):
    return world.database.query(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0]


def lists(project, latchkey):
    """Django's admin shows Latchkey's rows. Answers who is logged in to it."""
    from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

    admin = Browser(project.django.base)
    with part("Django's admin"):
        answer = admin.log_in("admin", password("admin"))
        check("the superuser logs in to it", answer.status == 302 and answer.location == "/admin/", answer)
        token = latchkey.login("ben", password("ben")).json["refresh"]
        jti = jti_of(token)
        row = OutstandingToken.objects.get(jti=jti)
        check("its list of outstanding tokens has Latchkey's", jti in admin.get(OUTSTANDING).text)
        check("its search finds one", jti in admin.get(f"{OUTSTANDING}?q={jti}").text)
        page = admin.get(f"{OUTSTANDING}{row.pk}/change/")
        check("and its page opens", page.status == 200 and row.token in page.text, page)
        latchkey.refresh(token)
        entry = BlacklistedToken.objects.get(token__jti=jti)
        check("its list of blacklisted tokens has Latchkey's", jti in admin.get(BLACKLISTED).text)
        check("and its page opens", admin.get(f"{BLACKLISTED}{entry.pk}/change/").status == 200)
        check("its users' list opens", "cleo" in admin.get("/admin/auth/user/").text)

        answer = admin.submit(f"{BLACKLISTED}{entry.pk}/delete/", {"post": "yes"}, "post")
        gone = not BlacklistedToken.objects.filter(pk=entry.pk).exists()
        check("it deletes an entry of Latchkey's", answer.status == 302 and gone, answer)
        check("so that the token is good again", latchkey.refresh(token).status == 200)
        check("and used up again", latchkey.refresh(token).status == 401)
    return admin


def delete_user(world, project, latchkey, admin, gina):
    """Django's admin deletes a user to whom Latchkey's tables refer."""
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

    with part("Django deletes a user who uses Latchkey"):
        key = project.ids["gina"]
        first = latchkey.login("gina", password("gina")).json["refresh"]
        latest = latchkey.refresh(first).json["refresh"]
        check("Latchkey has rows of hers", count(world, "latchkey_admin_session", f"user_id = {key}") > 0)
        answer = admin.submit(f"/admin/auth/user/{key}/delete/", {"post": "yes"}, "post")
        check("its admin deletes her", answer.status == 302 and count(world, "auth_user", f"id = {key}") == 0, answer)
        left = OutstandingToken.objects.filter(jti__in=[jti_of(first), jti_of(latest)])
        check("her tokens stay on record without an owner, as with Django alone", [row.user_id for row in left] == [None, None])
        for table in ("latchkey_user", "latchkey_admin_session"):
            check(f"nothing of hers is left in {table}", count(world, table, f"user_id = {key}") == 0)
        answer = latchkey.refresh(latest)
        check("Latchkey refuses her token", answer.status == 401, answer)
        check("and her session in the panel", gina.get("/admin/").status in (302, 303, 403))


def delete_tokens(world, latchkey):
    """Django deletes tokens, singly and by its command."""
    from django.utils import timezone
    from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

    with part("Django deletes tokens of Latchkey's"):
        chain = [latchkey.login("ana", password("ana")).json["refresh"]]
        for _ in range(3):
            chain.append(latchkey.refresh(chain[-1]).json["refresh"])
        middle = OutstandingToken.objects.get(jti=jti_of(chain[1]))
        key = middle.pk
        had = count(world, "latchkey_token", f"token_id = {key}")
        middle.delete()
        left = count(world, "latchkey_token", f"token_id = {key}")
        check("one from the middle of a chain", not OutstandingToken.objects.filter(pk=key).exists() and (had, left) == (1, 0), (had, left))
        check("the last of the chain is good", latchkey.refresh(chain[3]).status == 200)

        for name, command in [("manage.py", world.manage), ("latchkey", world.latchkey)]:
            pair = latchkey.login("ana", password("ana")).json
            latchkey.refresh(pair["refresh"])
            old = [jti_of(pair["refresh"]), *OutstandingToken.objects.filter(expires_at__lte=timezone.now()).values_list("jti", flat=True)]
            OutstandingToken.objects.filter(jti=old[0]).update(expires_at=timezone.now() - timedelta(hours=1))
            before = rows(world.database)
            code, out = command("flushexpiredtokens")
            after = rows(world.database)
            gone = {row["jti"] for key, row in before["token_blacklist_outstandingtoken"].items()
                    if key not in after["token_blacklist_outstandingtoken"]}
            check(f"{name} flushexpiredtokens deletes those that have expired, and no other", code == 0 and gone == set(old), out)
            orphans = BlacklistedToken.objects.filter(token__isnull=True).count()
            orphans += count(world, "latchkey_token", "token_id NOT IN (SELECT id FROM token_blacklist_outstandingtoken)")
            check("and what belongs to them", orphans == 0 and not BlacklistedToken.objects.filter(token__jti__in=old).exists())
