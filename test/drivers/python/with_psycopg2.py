"""psycopg2 through the gateway. Arguments: which table is masked (nothing, another table, the table read).

Login by libpq's environment, whose grant writes to scratch and reads everything."""
import json
import sys
import io

import psycopg2
import psycopg2.errorcodes
import psycopg2.extensions
import psycopg2.extras

masked = sys.argv[1]


def refused(run):
    try:
        run()
    except psycopg2.errors.InsufficientPrivilege as error:
        detail = json.loads(error.diag.message_detail)
        assert detail["decision"] == "deny", detail
        assert "sallyport grants request" in error.diag.message_hint, error.diag.message_hint
        assert error.pgcode == "42501" and error.diag.severity == "ERROR"
        return detail
    raise AssertionError("it was not refused")


def with_transactions():
    connection = psycopg2.connect("", application_name="a script")
    assert connection.get_parameter_status("server_encoding") == "UTF8"
    connection.set_client_encoding("UTF8")
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM scratch WHERE %s", (True,))
        cursor.executemany("INSERT INTO scratch VALUES (%s, %s)", [(i, "word %d" % i) for i in range(50)])
        psycopg2.extras.execute_values(cursor, "INSERT INTO scratch VALUES %s", [(i, "v") for i in range(50, 100)])
        psycopg2.extras.execute_batch(cursor, "UPDATE scratch SET word = %s WHERE id = %s", [("u", i) for i in range(5)])
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(word) FROM scratch")
        assert cursor.fetchone() == (100, "u")
        cursor.execute("SELECT %s::text, %s::int[], %s::jsonb, %s::bytea", ("ü'\\", [1, 2], '{"a": 1}', b"\x00\xff"))
        row = cursor.fetchone()
        assert row[0] == "ü'\\" and row[1] == [1, 2] and row[2] == {"a": 1} and bytes(row[3]) == b"\x00\xff", row

    # A refusal leaves the transaction as it is: nothing has failed in the database.
    cursor = connection.cursor()
    cursor.execute("INSERT INTO scratch VALUES (1000, 'kept')")
    detail = refused(lambda: cursor.execute("DROP TABLE users"))
    assert detail["verbs"] == ["ddl"] and detail["relations"] == ["public.users"], detail
    assert connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_INTRANS
    cursor.execute("SELECT word FROM scratch WHERE id = 1000")
    assert cursor.fetchone() == ("kept",)
    connection.commit()

    # An error of the database fails it, and rollback mends it.
    try:
        cursor.execute("SELECT 1 / 0")
        raise AssertionError
    except psycopg2.errors.DivisionByZero:
        pass
    assert connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_INERROR
    connection.rollback()
    connection.set_session(isolation_level="SERIALIZABLE", readonly=True, deferrable=True)
    cursor.execute("SHOW transaction_isolation")
    assert cursor.fetchone() == ("serializable",)
    connection.rollback()
    connection.close()


def with_server_side_cursors():
    connection = psycopg2.connect("")
    with connection.cursor("portal") as cursor:
        cursor.itersize = 9
        cursor.execute("SELECT id FROM orders ORDER BY id")
        assert [row[0] for row in cursor] == list(range(1, 101))
    with connection.cursor("scrolled", scrollable=True) as cursor:
        cursor.execute("SELECT id FROM orders ORDER BY id")
        cursor.scroll(10)
        assert cursor.fetchone() == (11,)
        cursor.scroll(-5)
        assert cursor.fetchmany(2) == [(7,), (8,)]
    connection.rollback()
    connection.close()


def with_autocommit():
    connection = psycopg2.connect("", sslmode="require", options="-c statement_timeout=30000")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SHOW statement_timeout")
    assert cursor.fetchone() == ("30s",)
    refused(lambda: cursor.execute("TRUNCATE users"))
    cursor.execute("DELETE FROM scratch")
    text = "".join("%d\tword %d\n" % (i, i) for i in range(1000))
    cursor.copy_expert("COPY scratch FROM STDIN", io.StringIO(text))
    assert cursor.rowcount == 1000
    out = io.StringIO()
    cursor.copy_expert("COPY (SELECT * FROM scratch ORDER BY id) TO STDOUT WITH CSV", out)
    assert out.getvalue().splitlines()[7] == "7,word 7"
    cursor.copy_from(io.StringIO("1\ta\n"), "scratch", columns=("id", "word"))
    refused(lambda: cursor.copy_expert("COPY users (id) FROM STDIN", io.StringIO("1\n")))
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == (1,)

    cursor.execute("LISTEN news")
    cursor.execute("NOTIFY news, 'payload'")
    connection.poll()
    [heard] = connection.notifies
    assert heard.payload == ("payload" if masked == "nothing" else "[redacted]"), heard
    connection.close()


def with_dictionaries():
    connection = psycopg2.connect("", cursor_factory=psycopg2.extras.RealDictCursor)
    psycopg2.extras.register_uuid()
    psycopg2.extras.register_default_jsonb(connection)
    psycopg2.extras.register_composite("users", connection)
    cursor = connection.cursor()
    cursor.execute("SELECT id, name, email, age, born, note FROM users WHERE id = %s", (3,))
    row = cursor.fetchone()
    assert row["id"] == 3 and row["name"] == "name 3"
    if masked == "the table read":
        assert row["email"].endswith(".com") and "user" not in row["email"], row
        assert isinstance(row["age"], int) and row["age"] != 23, row
        assert row["born"].year != 2000 and row["note"] is None, row
    else:
        assert row["email"] == "user3@example.com" and row["age"] == 23, row
    connection.close()


with_transactions()
with_server_side_cursors()
with_autocommit()
with_dictionaries()
