"""An agent at work: proves who it is, asks for a grant, works under it with psycopg, is cut off, asks again.

SALLYPORT_API and SALLYPORT_TOKEN say where and who; PGHOST and PGPORT where the database port is. Prints a line a step."""
import json
import os
import urllib.error
import urllib.request

try:
    import psycopg as driver
    refused = lambda error: (error.sqlstate, json.loads(error.diag.message_detail), error.diag.message_hint)
except ImportError:
    import psycopg2 as driver
    refused = lambda error: (error.pgcode, json.loads(error.diag.message_detail), error.diag.message_hint)

API = os.environ["SALLYPORT_API"]
TOKEN = os.environ["SALLYPORT_TOKEN"]


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data, method=method)
    request.add_header("authorization", "Bearer " + TOKEN)
    if data is not None:
        request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def ask(ttl, scope="db:db:read"):
    return call("POST", "/v1/grants", {
        "connection": "db", "scopes": [scope], "ttl": ttl, "task": "late-orders", "reason": "numbers for Monday",
    })


def connect(user, password):
    connection = driver.connect(dbname="db", user=user, password=password, sslmode="require", connect_timeout=20)
    connection.autocommit = True
    return connection


def orders(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders WHERE total > %s", (0,))
        return cursor.fetchone()[0]


try:
    ask("5m", "db:db:write")
    raise AssertionError("a scope was granted that no rule gives")
except urllib.error.HTTPError as error:
    problem = json.load(error)
    assert error.code == 403 and "nearest: db:db:read" in problem["detail"], problem
print("too wide: refused")

grant = ask("5m")
with_grant = connect(grant["user"], grant["password"])
assert orders(with_grant) == 100
with_token = connect("oidc", TOKEN)
assert orders(with_token) == 100
print("works by grant and by token")

for connection in (with_grant, with_token):
    try:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE orders SET total = 0")
        raise AssertionError("it wrote outside its scope")
    except driver.errors.InsufficientPrivilege as error:
        sqlstate, detail, hint = refused(error)
        assert sqlstate == "42501" and detail["decision"] == "deny" and detail["grant"] == grant["id"], detail
        assert "sallyport grants request" in hint, hint
    assert orders(connection) == 100
print("outside its scope: refused, and the session lives on")

with with_token.cursor() as cursor:
    cursor.execute("SALLYPORT STATUS")
    status = dict(zip([column[0] for column in cursor.description], cursor.fetchone()))
    assert status["grant"] == grant["id"] and status["task"] == "late-orders", status
    try:
        cursor.execute("SALLYPORT COMPLETE")
        cursor.execute("SELECT 1")
        raise AssertionError("it works on after it said that it is done")
    except driver.OperationalError:
        pass
assert call("GET", "/v1/grants/" + grant["id"])["state"] == "completed"
for login in ((grant["user"], grant["password"]), ("oidc", TOKEN)):
    try:
        connect(*login)
        raise AssertionError("it was let in between two tasks")
    except driver.OperationalError:
        pass
print("done: between tasks nothing works")

grant = ask("2s")
connection = connect("oidc", TOKEN)
try:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
    raise AssertionError("it slept beyond its deadline")
except driver.OperationalError as error:
    assert grant["id"] in str(error) and "sallyport grants request" in str(error), error
print("cut off at the deadline")

grant = ask("5m")
assert orders(connect(grant["user"], grant["password"])) == 100
assert orders(connect("oidc:late-orders", TOKEN)) == 100
call("POST", "/v1/grants/" + grant["id"] + "/complete", {})
print("asked again, let in, done")
