"""PyMySQL through the gateway: types, server-side cursors, several statements, refusals.

Argument: what is masked. The login comes from the environment."""
import datetime
import sys

import pymysql
import pymysql.cursors
from mysql_login import DATABASE, HOST, PASSWORD, PORT, USER

masked = sys.argv[1]


def connect(**more):
    return pymysql.connect(host=HOST, port=PORT, user=USER, password=PASSWORD, database=DATABASE, **more)


connection = connect()
with connection.cursor() as cursor:
    cursor.execute("SELECT id, name, email, age, born, note FROM users WHERE id = %s", (3,))
    row = cursor.fetchone()
    if masked == "the table read":
        assert row == (3, "name 3", "*************.com", 0, datetime.date(1970, 1, 1), None), row
    else:
        assert row == (3, "name 3", "user3@example.com", 23, datetime.date(2000, 1, 4), None), row
    cursor.execute("SELECT %s, HEX(_binary %s), %s, %s", ("it's", b"\x00\xff", None, datetime.datetime(2020, 1, 2, 3, 4, 5)))
    assert cursor.fetchone()[0] == "it's"
    try:
        cursor.execute("DELETE FROM orders")
        raise AssertionError
    except pymysql.err.MySQLError as error:
        assert error.args[0] == 1142, error
        assert '"decision":"deny"' in error.args[1], error
    cursor.execute("SELECT 1")
    assert cursor.fetchall() == ((1,),)
    cursor.executemany("INSERT INTO scratch VALUES (%s, %s)", [(i, f"w{i}") for i in range(50)])
    assert cursor.rowcount == 50
connection.rollback()
connection.ping()
connection.select_db(DATABASE)
assert connection.get_server_info()
connection.close()

streaming = connect(cursorclass=pymysql.cursors.SSDictCursor)
with streaming.cursor() as cursor:
    cursor.execute("SELECT a.id FROM orders a, orders b")
    assert sum(1 for _ in cursor) == 10_000
streaming.close()

several = connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS, autocommit=True)
with several.cursor() as cursor:
    cursor.execute("SELECT 1; SELECT 2")
    assert cursor.fetchall() == ((1,),) and cursor.nextset() and cursor.fetchall() == ((2,),)
several.close()

secure = connect(ssl={"check_hostname": False, "verify_mode": False})
with secure.cursor() as cursor:
    cursor.execute("SELECT COUNT(*) FROM users")
    assert cursor.fetchone() == (20,)
secure.close()
