"""A database with a user model of the project's own: Latchkey refuses it and touches nothing."""

from world import World, check, part

# What it is: the model, what is done to the tables first, what the refusal must name.
CASES = {
    "custom-table": ("members.Member", "DROP TABLE auth_user", "auth_user"),
    "custom-table-beside-auth-user": ("members.Member", "", "members_member"),
    "custom-key": ("members.Person", "", "auth_user"),
}


def refuse(folder, make_database):
    for name, (model, first, named) in CASES.items():
        with part(f"a custom user model ({name})"):
            world = World(folder, make_database(name.replace("-", "_")), model)
            code, out = world.manage("migrate", "-v0")
            check("Django makes the database", code == 0, out)
            if first:
                world.database.script(first)
            before = world.database.fingerprint()
            for command in (["migrate"], ["migrate", "--plan"], ["runserver", "127.0.0.1:0"], ["check"], ["users", "list"]):
                code, out = world.latchkey(*command)
                check(f"{' '.join(command)}: exit 1, and says why", code == 1 and named in out and "support" in out, f"{code}: {out}")
            check("nothing was changed", world.database.fingerprint() == before)
