"""mysqlclient (libmariadb) through the gateway. Argument and login as in with_pymysql.py."""
import sys

import MySQLdb
import MySQLdb.cursors
from mysql_login import DATABASE, HOST, PASSWORD, PORT, USER

masked = sys.argv[1]
connection = MySQLdb.connect(host=HOST, port=PORT, user=USER, passwd=PASSWORD, db=DATABASE, charset="utf8mb4")
cursor = connection.cursor()
cursor.execute("SELECT id, name, email FROM users WHERE id < %s ORDER BY id", (3,))
rows = cursor.fetchall()
assert len(rows) == 2 and rows[0][1] == "name 1", rows
assert (rows[0][2] == "user1@example.com") == (masked != "the table read"), rows
cursor.execute("SELECT 'süß'")
assert cursor.fetchone() == ("süß",)
try:
    cursor.execute("UPDATE users SET name = 'x'")
    raise AssertionError
except MySQLdb.Error as error:
    assert error.args[0] == 1142, error
try:
    cursor.execute("SELECT nonsense FROM users")
    raise AssertionError
except MySQLdb.Error as error:
    assert error.args[0] in (1054, 1142), error
connection.ping()
connection.autocommit(True)
stream = connection.cursor(MySQLdb.cursors.SSCursor)
stream.execute("SELECT id FROM orders ORDER BY id")
assert len(stream.fetchall()) == 100
stream.close()
connection.close()
