import uuid

from django.db import migrations, models


def user_model(name, key, **options):
    return migrations.CreateModel(
        name=name,
        fields=[
            ("id", key),
            ("password", models.CharField(max_length=128)),
            ("last_login", models.DateTimeField(blank=True, null=True)),
            ("name", models.CharField(max_length=150, unique=True)),
        ],
        options=options,
    )


class Migration(migrations.Migration):
    initial = True
    operations = [
        user_model("Member", models.BigAutoField(primary_key=True, serialize=False)),
        user_model("Person", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False), db_table="auth_user"),
    ]
