"""Two user models of a project's own, both of which Latchkey must refuse."""

import uuid

from django.contrib.auth.models import AbstractBaseUser
from django.db import models


class Member(AbstractBaseUser):
    """A table of its own, with an integer key."""

    name = models.CharField(max_length=150, unique=True)
    USERNAME_FIELD = "name"


class Person(AbstractBaseUser):
    """Django's table name, with another key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=150, unique=True)
    USERNAME_FIELD = "name"

    class Meta:
        db_table = "auth_user"
