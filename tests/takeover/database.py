"""A database seen from beside Django and Latchkey: its schema and its rows, as stored, and what changed between two looks."""

import hashlib
import sqlite3
from urllib.parse import urlsplit

# Everything that Latchkey makes for itself; the second is the migration library's own table.
OURS = ("latchkey_", "__diesel_schema_migrations")


def is_ours(name):
    return name.startswith(OURS)


class Sqlite:
    def __init__(self, folder, name):
        self.path = folder / f"{name}.sqlite3"
        self.url = f"sqlite:///{self.path}"

    def query(self, sql):
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute(sql).fetchall()
        connection.close()
        return rows

    def script(self, sql):
        connection = sqlite3.connect(self.path)
        connection.executescript(sql)
        connection.close()

    def tables(self):
        return sorted(name for (name,) in self.query("SELECT name FROM sqlite_master WHERE type = 'table'"))

    def columns(self, table):
        return [row[1] for row in self.query(f'PRAGMA table_info("{table}")')]

    def schema(self):
        """Each thing's definition by its name."""
        found = self.query("SELECT type, name, tbl_name, sql FROM sqlite_master")
        return {f"{kind} {name}": (table, sql) for kind, name, table, sql in found}

    def fingerprint(self):
        """Changes with every byte of the file."""
        beside = [self.path.with_name(self.path.name + end).exists() for end in ("-wal", "-shm")]
        return hashlib.sha256(self.path.read_bytes()).hexdigest(), beside


class Postgres:
    def __init__(self, server, name):
        import psycopg

        self.name, self.server = f"takeover_{name}", server
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.name}"')
            connection.execute(f'CREATE DATABASE "{self.name}"')
        self.url = urlsplit(server)._replace(path=f"/{self.name}").geturl()

    def query(self, sql):
        import psycopg

        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def script(self, sql):
        self.query(sql)

    def tables(self):
        return sorted(name for (name,) in self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))

    def columns(self, table):
        return [name for (name,) in self.query(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' "
            f"AND table_name = '{table}' ORDER BY ordinal_position"
        )]

    def schema(self):
        """Each thing's definition by its name."""
        parts = {
            "column": "SELECT table_name || '.' || column_name, table_name, concat_ws(' ', ordinal_position, data_type, "
            "character_maximum_length, is_nullable, column_default, identity_generation, collation_name) "
            "FROM information_schema.columns WHERE table_schema = 'public'",
            "constraint": "SELECT conrelid::regclass || '.' || conname, conrelid::regclass::text, pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0",
            "index": "SELECT indexname, tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "sequence": "SELECT sequencename, sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'public'",
            "trigger": "SELECT tgrelid::regclass || '.' || tgname, tgrelid::regclass::text, pg_get_triggerdef(oid) "
            "FROM pg_trigger WHERE NOT tgisinternal",
            "table": "SELECT relname, relname, concat_ws(' ', relkind, relowner, relacl::text, relrowsecurity) FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i' AND relkind <> 'S'",
            "function": "SELECT proname, proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        }
        return {
            f"{kind} {name}": (table, sql) for kind, look in parts.items() for name, table, sql in self.query(look)
        }

    def fingerprint(self):
        """Changes with every row and every definition."""
        return self.schema(), rows(self, only_djangos=False)


def rows(database, only_djangos=True):
    """All rows of Django's (or of all) tables as stored: {table: {primary key: {column: value}}}."""
    found = {}
    for table in database.tables():
        if table.startswith("sqlite_") or (only_djangos and is_ours(table)):
            continue
        columns = database.columns(table)
        key = "id" if "id" in columns else columns[0]
        as_dicts = (dict(zip(columns, row)) for row in database.query(f'SELECT * FROM "{table}"'))
        found[table] = {row[key]: row for row in as_dicts}
    return found


def djangos(schema):
    """The part of a schema that is Django's: whatever is not named latchkey_* and on no table of Latchkey's."""
    return {
        name: (table, sql)
        for name, (table, sql) in schema.items()
        if not is_ours(table) and not (name.startswith("index ") and is_ours(name.removeprefix("index ")))
    }


def changes(before, after):
    """What is different: a sorted list of 'table: +key', 'table: -key', 'table: key.column'."""
    found = []
    for table in sorted(before.keys() | after.keys()):
        old, new = before.get(table, {}), after.get(table, {})
        found += [f"{table}: -{key}" for key in old.keys() - new.keys()]
        found += [f"{table}: +{key}" for key in new.keys() - old.keys()]
        found += [
            f"{table}: {key}.{column}"
            for key in old.keys() & new.keys()
            for column in old[key]
            if old[key][column] != new[key].get(column)
        ]
    return sorted(found)
