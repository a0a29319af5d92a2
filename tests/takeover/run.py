"""The take-over, step by step, on one database after another. Started by scripts/takeover with a Python that has Django.

    run.py sqlite|postgres …      LATCHKEY_BIN and, for postgres, LATCHKEY_TEST_POSTGRES_URL are set

One line per check; at the end "N passed, M failed" and the exit code that belongs to it.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from world import PROJECT, World, check, part


def all_of_it(kind, folder):
    """The whole story on one database. Runs in a process of its own, because it becomes a Django itself."""
    import custom_user
    from database import Postgres, Sqlite

    def make_database(name):
        return Sqlite(folder, name) if kind == "sqlite" else Postgres(os.environ["LATCHKEY_TEST_POSTGRES_URL"], name)

    world = World(folder, make_database("stock"))
    try:
        with part("the take-over"):
            take_over(world)
        custom_user.refuse(folder, make_database)
    finally:
        world.stop()


def take_over(world):
    import django_side
    import moving_in
    import moving_out
    import operator_side
    import seed
    import tokens
    from database import rows
    from http_client import Api, Browser

    code, out = world.manage("migrate", "-v0")
    check("a stock Django makes its database", code == 0, out)
    become_django(world)
    project = seed.fill(world)
    first = SimpleNamespace(schema=world.database.schema(), rows=rows(world.database))

    moving_in.migrate(world, first)
    before = rows(world.database)
    latchkey = Api(world.start_latchkey().base)
    check("starting it changes no row of Django's and makes no user", rows(world.database) == before)
    pairs = moving_in.log_in(world, project, latchkey)
    gina = moving_in.panel(world, project, latchkey, Browser)
    tokens.rotate(project, latchkey, pairs)
    tokens.old_shapes(project, latchkey)
    tokens.forged(project, latchkey)
    tokens.revoke(project, latchkey)
    tokens.inactive(project, latchkey)
    admin = django_side.lists(project, latchkey)
    django_side.delete_user(world, project, latchkey, admin, gina)
    django_side.delete_tokens(world, latchkey)
    operator_side.delete_user(world, project)
    operator_side.users(world, project, latchkey)
    moving_out.leave(world, project, latchkey, first)
    moving_out.way_back(world, project, first)
    moving_out.again(world, project, Api)


def become_django(world):
    """This process looks through Django's eyes too: its models, its token classes."""
    os.environ.update(world.django_env)
    sys.path.insert(0, str(PROJECT))
    import django

    django.setup()


def main(kinds):
    passed = failed = 0
    for kind in kinds:
        print(f"## {kind}", flush=True)
        with tempfile.TemporaryDirectory(prefix="latchkey-takeover-") as folder:
            command = [sys.executable, __file__, "--child", kind, folder]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
                try:
                    for line in child.stdout:
                        print(line, end="", flush=True)
                        passed += line.startswith("ok ")
                        failed += line.startswith("FAIL ")
                except BaseException:
                    child.terminate()
                    raise
            if child.returncode != 0:
                failed += 1
                print(f"FAIL {kind}: broke off with exit code {child.returncode}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    # So that the servers are stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if sys.argv[1] == "--child":
        all_of_it(sys.argv[2], Path(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
