"""psycopg 3 through the gateway: everything is bound, prepared after a few rounds, and pipelined where asked.

Arguments and login as in with_psycopg2.py."""
import json
import logging
import sys

import psycopg
from psycopg.rows import dict_row

masked = sys.argv[1]
# It warns where a refusal comes back while it is still sending what is behind in the pipeline.
logging.getLogger("psycopg").setLevel(logging.ERROR)


def check(row):
    assert row["id"] == 3 and row["name"] == "name 3", row
    if masked == "the table read":
        assert row["email"].endswith(".com") and "user" not in row["email"], row
        assert isinstance(row["age"], int) and row["age"] != 23, row
        assert row["born"].year != 2000 and row["note"] is None, row
    else:
        assert row["email"] == "user3@example.com" and row["age"] == 23, row


with psycopg.connect("", autocommit=True) as connection:
    for binary in (False, True):
        with connection.cursor(binary=binary, row_factory=dict_row) as cursor:
            for _ in range(8):  # from the sixth time on it is a prepared statement
                cursor.execute("SELECT id, name, email, age, born, note FROM users WHERE id = %s", (3,))
                check(cursor.fetchone())
            row = cursor.execute(
                "SELECT %s::int8 AS i, %t AS t, %b::int[] AS a, 1.25::numeric AS n, now() AS ts, 'x'::bytea AS b",
                (2**40, "text", [1, 2]),
            ).fetchone()
            assert row["i"] == 2**40 and row["t"] == "text" and row["a"] == [1, 2] and row["b"] == b"x", row

    connection.execute("DELETE FROM scratch")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO scratch VALUES (%s, %s)", [(i, "w") for i in range(20)])
        cursor.executemany("INSERT INTO scratch VALUES (%s, %s) RETURNING id", [(i, "r") for i in range(20, 25)], returning=True)
        with cursor.copy("COPY scratch FROM STDIN") as copy:
            for i in range(25, 100):
                copy.write_row((i, "copied"))
        with cursor.copy("COPY scratch (id, word) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "text"])
            copy.write_row((100, "binary"))
        with cursor.copy("COPY (SELECT id FROM scratch ORDER BY id) TO STDOUT") as copy:
            assert [int(row[0]) for row in copy.rows()] == list(range(101))

    with connection.pipeline() as pipeline, connection.cursor() as cursor:
        first = connection.execute("SELECT 1")
        second = connection.execute("SELECT id FROM users WHERE id = %s", (2,))
        pipeline.sync()
        assert first.fetchone() == (1,) and second.fetchone() == (2,)

    # A refusal in a pipeline: what came before counts, what comes after is skipped until the next sync.
    try:
        with connection.pipeline():
            connection.execute("SELECT 1")
            connection.execute("DROP TABLE users")
            connection.execute("SELECT 2")
        raise AssertionError
    except psycopg.errors.InsufficientPrivilege as error:
        assert json.loads(error.diag.message_detail)["decision"] == "deny"
        assert "sallyport grants request" in error.diag.message_hint
    assert connection.execute("SELECT 3").fetchone() == (3,)

with psycopg.connect("sslmode=require channel_binding=require") as connection:
    with connection.cursor(name="portal") as cursor:
        cursor.itersize = 7
        cursor.execute("SELECT id FROM orders WHERE id > %s ORDER BY id", (5,))
        assert [row[0] for row in cursor] == list(range(6, 101))
    with connection.transaction():
        connection.execute("INSERT INTO scratch VALUES (%s, %s)", (5000, "kept"))
        try:
            with connection.transaction():
                connection.execute("INSERT INTO scratch VALUES (%s, %s)", (5001, "undone"))
                connection.execute("UPDATE users SET name = %s", ("x",))
            raise AssertionError
        except psycopg.errors.InsufficientPrivilege:
            pass
    rows = connection.execute("SELECT id FROM scratch WHERE id >= 5000").fetchall()
    assert rows == [(5000,)], rows
    for row in connection.cursor().stream("SELECT id FROM users ORDER BY id"):
        assert len(row) == 1
    for name in ("mood", "hstore", "users"):
        psycopg.types.TypeInfo.fetch(connection, name)
    psycopg.types.enum.EnumInfo.fetch(connection, "mood")
    psycopg.types.composite.CompositeInfo.fetch(connection, "users")
    psycopg.types.range.RangeInfo.fetch(connection, "int4range")
