"""One set of tokens between two servers: what one issues the other takes, what one has used or revoked both refuse."""

from moving_in import jti_of
from seed import password
from world import DJANGO_KEY, check, part

BLACKLISTED = {"detail": "Token is blacklisted", "code": "token_not_valid"}


def refused_by_both(what, token, *apis):
    """A refresh token that neither server takes."""
    for name, api in zip(("Latchkey", "Django"), apis):
        answer = api.refresh(token)
        check(f"{what}: refused by {name}", (answer.status, answer.json) == (401, BLACKLISTED), answer)


def rotate(project, latchkey, pairs):
    """Refreshing on either side."""
    django = project.django
    with part("refreshing"):
        old = project.ana[0]["refresh"]
        answer = latchkey.refresh(old)
        check("a refresh token of Django's refreshes in Latchkey and rotates",
              answer.status == 200 and {*answer.json} == {"access", "refresh"}, answer)
        refused_by_both("its second use", old, latchkey, django)
        new = answer.json
        check("Django verifies the new access token", django.verify(new["access"]).status == 200)
        check("Django verifies the new refresh token", django.verify(new["refresh"]).status == 200)
        for name, api in [("Django", django), ("Latchkey", latchkey)]:
            check(f"{name} knows who has the access token", api.me(new["access"]).json.get("username") == "ana")
        check("Latchkey verifies an access token of Django's", latchkey.verify(project.ana[0]["access"]).status == 200)
        check("and knows whose it is", latchkey.me(project.ana[0]["access"]).json.get("id") == project.ids["ana"])

        back = django.refresh(new["refresh"])
        check("a refresh token of Latchkey's refreshes in Django", back.status == 200 and "refresh" in back.json, back)
        refused_by_both("its second use", new["refresh"], latchkey, django)
        again = latchkey.refresh(back.json["refresh"])
        check("and Django's next one in Latchkey", again.status == 200, again)

        answer = django.refresh(pairs["ben"]["refresh"])
        check("a token of a login through Latchkey refreshes in Django", answer.status == 200, answer)
        refused_by_both("a token that Django had rotated before", project.used, latchkey, django)
        check("its successor refreshes in Latchkey", latchkey.refresh(project.successor).status == 200)
        refused_by_both("a token that Django had blacklisted before", project.blacklisted, latchkey, django)


def old_shapes(project, latchkey):
    """Tokens of SimpleJWT 4.x and 5.0 that are still live."""
    with part("tokens of older SimpleJWTs"):
        for what, token in zip(("recorded", "never recorded"), project.old):
            answer = latchkey.refresh(token)
            check(f"a number as user_id, no iat, {what}: refreshes in Latchkey", answer.status == 200, answer)
            refused_by_both(f"its second use ({what})", token, latchkey, project.django)
            if answer.status == 200:
                after = project.django.refresh(answer.json["refresh"])
                check(f"what came of it refreshes in Django ({what})", after.status == 200, after)


def forged(project, latchkey):
    """The key decides, not the payload."""
    import jwt

    with part("forged tokens"):
        claims = jwt.decode(project.ana[1]["refresh"], DJANGO_KEY, algorithms=["HS256"])
        for what, token in [
            ("another key", jwt.encode(claims, DJANGO_KEY + "x", algorithm="HS256")),
            ("another algorithm", jwt.encode(claims, DJANGO_KEY + "x" * 20, algorithm="HS512")),
            ("no signature", jwt.encode(claims, None, algorithm="none")),
        ]:
            ours, theirs = latchkey.refresh(token), project.django.refresh(token)
            check(f"{what}: refused as by Django", (ours.status, ours.json) == (theirs.status, theirs.json) and ours.status == 401,
                  f"{ours} and {theirs}")


def revoke(project, latchkey):
    """Blacklisting and logging out on either side."""
    from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

    django = project.django
    with part("revoking"):
        mine, theirs = project.others["cleo"][0], latchkey.login("cleo", password("cleo")).json
        check("Latchkey blacklists a token of Django's", latchkey.blacklist(mine).status == 200)
        refused_by_both("blacklisted by Latchkey", mine, latchkey, django)
        for name, api in [("Latchkey", latchkey), ("Django", django)]:
            answer = api.verify(mine)
            check(f"{name} says so in verify", (answer.status, answer.json) == (400, {"non_field_errors": ["Token is blacklisted"]}), answer)
        check("Django blacklists a token of Latchkey's", django.blacklist(theirs["refresh"]).status == 200)
        refused_by_both("blacklisted by Django", theirs["refresh"], latchkey, django)
        check("each is one row", BlacklistedToken.objects.filter(token__jti__in=[jti_of(mine), jti_of(theirs["refresh"])]).count() == 2)

        one, two = latchkey.login("cleo", password("cleo")).json, django.login("cleo", password("cleo")).json
        answer = latchkey.call("/logout_token/", {"refresh_token": one["refresh"]}, access=one["access"])
        check("logging out", (answer.status, answer.json) == (200, {"status": "OK, goodbye"}), answer)
        refused_by_both("logged out", one["refresh"], latchkey, django)
        answer = latchkey.call("/logout_token/", {"all": "1"}, access=two["access"])
        check("logging out everywhere, with an access token of Django's", answer.status == 200, answer)
        for what, token in [("Django's login", two["refresh"]), ("the token from before", project.others["cleo"][1])]:
            refused_by_both(f"logged out everywhere, {what}", token, latchkey, django)


def inactive(project, latchkey):
    """Django locks somebody out."""
    from django.contrib.auth.models import User

    with part("a user whom Django deactivates"):
        pair = latchkey.login("sam", password("sam")).json
        User.objects.filter(username="sam").update(is_active=False)
        for what, send in [("refresh", lambda api: api.refresh(pair["refresh"])), ("login", lambda api: api.login("sam", password("sam"))),
                           ("me", lambda api: api.me(pair["access"]))]:
            ours, theirs = send(latchkey), send(project.django)
            check(f"{what}: refused as by Django", (ours.status, ours.json) == (theirs.status, theirs.json) and ours.status == 401,
                  f"{ours} and {theirs}")
        User.objects.filter(username="sam").update(is_active=True)
        check("active again, the token is good", latchkey.refresh(pair["refresh"]).status == 200)
