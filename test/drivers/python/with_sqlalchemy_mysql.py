"""SQLAlchemy over PyMySQL through the gateway: its first statements, reflection, the ORM's reads and writes.

Argument and login as in with_pymysql.py."""
import sys

import sqlalchemy as sa
from mysql_login import DATABASE, HOST, PASSWORD, PORT, USER
from sqlalchemy.orm import Session

masked = sys.argv[1]
engine = sa.create_engine(f"mysql+pymysql://{USER}:{PASSWORD}@{HOST}:{PORT}/{DATABASE}", pool_size=2, pool_pre_ping=True)
inspector = sa.inspect(engine)
assert {"users", "orders", "scratch"} <= set(inspector.get_table_names())
assert inspector.get_view_names() == ["big_orders"]
assert inspector.get_pk_constraint("users")["constrained_columns"] == ["id"]
assert inspector.get_foreign_keys("orders")[0]["referred_table"] == "users"
assert inspector.get_indexes("orders")[0]["name"] == "by_user"
assert inspector.get_table_comment("users")["text"] == "people"
assert inspector.has_table("users") and not inspector.has_table("nothing")
assert "shop" in inspector.get_schema_names()

metadata = sa.MetaData()
metadata.reflect(engine)
users = metadata.tables["users"]
scratch = metadata.tables["scratch"]

with engine.connect() as connection:
    row = connection.execute(sa.select(users).where(users.c.id == 3)).one()
    if masked == "the table read":
        assert "user" not in row.email and row.age == 0, row
    else:
        assert row.email == "user3@example.com", row

with engine.begin() as connection:
    connection.execute(sa.delete(scratch))
    connection.execute(sa.insert(scratch), [{"id": i, "word": "w"} for i in range(10)])
with Session(engine) as session:
    assert session.scalar(sa.select(sa.func.count()).select_from(scratch)) == 10
    try:
        session.execute(sa.delete(users))
        raise AssertionError
    except sa.exc.DBAPIError as error:
        assert error.orig.args[0] == 1142, error
    session.rollback()
    session.execute(sa.delete(scratch))
    session.commit()
for level in ("AUTOCOMMIT", "SERIALIZABLE", "READ COMMITTED"):
    with engine.connect().execution_options(isolation_level=level) as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
engine.dispose()
