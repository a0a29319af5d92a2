"""The project before Latchkey: users with hashes of two schemes, what refers to them, and live tokens of two SimpleJWTs."""

import uuid
from datetime import timedelta
from types import SimpleNamespace

from http_client import Api
from world import DJANGO_KEY, check

# Name: flags. Passwords: see `password`.
PEOPLE = {
    "admin": {"is_staff": True, "is_superuser": True},
    "ana": {},
    "ben": {},  # bcrypt_sha256
    "cleo": {},
    "dora": {},  # the two who are deleted, one by each side, and what refers to them
    "dino": {},
    "gina": {"is_staff": True, "is_superuser": True},
    "ida": {"is_active": False},
    "otto": {},  # has an order
    "sam": {"is_staff": True},
    "uma": {},  # no usable password
}


def password(name):
    return f"{name}'s Pa$$word #1 é"


def fill(world):
    """Makes users, what refers to them and tokens; answers them."""
    from django.contrib.admin.models import CHANGE, LogEntry
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.contenttypes.models import ContentType
    from shop.models import Order

    users = {name: User.objects.create_user(name, f"{name}@Example.com", password(name), **flags) for name, flags in PEOPLE.items()}
    users["ben"].password = make_password(password("ben"), hasher="bcrypt_sha256")
    users["ben"].save()
    users["uma"].set_unusable_password()
    users["uma"].save()
    editors = Group.objects.create(name="editors")
    for name in ("dora", "dino"):
        users[name].groups.add(editors)
        users[name].user_permissions.add(Permission.objects.get(codename="view_order"))
        kind = ContentType.objects.get_for_model(User)
        LogEntry.objects.create(
            user=users[name], content_type=kind, object_id=users["ana"].pk, object_repr="ana", action_flag=CHANGE
        )
    Order.objects.create(customer=users["otto"], article="a key")
    return SimpleNamespace(ids={name: user.pk for name, user in users.items()}, **tokens(world, users))


def tokens(world, users):
    """Live, used, blacklisted and expired tokens, each made by Django."""
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
    from rest_framework_simplejwt.tokens import RefreshToken

    server = world.start_django()
    django = Api(server.base)
    pairs = [django.login("ana", password("ana")).json for _ in range(3)]
    used = pairs.pop()["refresh"]
    successor = django.refresh(used).json["refresh"]
    blacklisted = str(RefreshToken.for_user(users["ana"]))
    check("Django alone: logs in, refreshes, blacklists", django.blacklist(blacklisted).status == 200 and successor)
    others = {name: [str(RefreshToken.for_user(users[name])) for _ in range(2)] for name in ("ben", "cleo", "dora", "dino")}
    expired = RefreshToken.for_user(users["ben"])
    OutstandingToken.objects.filter(jti=expired["jti"]).update(expires_at=expired.current_time - timedelta(days=1))
    # A day ago, so that the next login writes it: Latchkey does at most once a minute.
    type(users["ana"]).objects.update(last_login=expired.current_time - timedelta(days=1))
    return {
        "django": django,
        "ana": pairs,
        "used": used,
        "successor": successor,
        "blacklisted": blacklisted,
        "others": others,
        "old": [old_token(users["ana"], recorded=True), old_token(users["ana"], recorded=False)],
    }


def old_token(user, recorded):
    """As SimpleJWT wrote them up to 5.0: the user's id is a number, and (up to 4.6) there is no iat."""
    import jwt
    from django.utils import timezone
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

    now, jti = timezone.now(), uuid.uuid4().hex
    until = now + timedelta(days=1)
    claims = {"token_type": "refresh", "exp": int(until.timestamp()), "jti": jti, "user_id": user.pk}
    token = jwt.encode(claims, DJANGO_KEY, algorithm="HS256")
    if recorded:
        OutstandingToken.objects.create(user=user, jti=jti, token=token, created_at=now, expires_at=until)
    return token
