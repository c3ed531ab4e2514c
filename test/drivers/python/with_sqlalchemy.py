"""SQLAlchemy through the gateway: its first statements, reflection, the ORM's reads and writes.

Arguments and login as in with_psycopg2.py."""
import sys

import sqlalchemy as sa
from sqlalchemy.orm import Session

masked = sys.argv[1]

engine = sa.create_engine("postgresql+psycopg2://", pool_size=2)
inspector = sa.inspect(engine)
assert {"users", "orders", "scratch"} <= set(inspector.get_table_names())
assert inspector.get_view_names() == ["big_orders"]
assert inspector.get_schema_names() == ["information_schema", "public"]
assert inspector.get_pk_constraint("users")["constrained_columns"] == ["id"]
assert inspector.get_foreign_keys("orders")[0]["referred_table"] == "users"
assert inspector.get_indexes("orders")[0]["name"] == "orders_by_user"
assert inspector.get_unique_constraints("users")[0]["column_names"] == ["email"]
assert inspector.get_check_constraints("users")[0]["sqltext"] == "age >= 0"
assert inspector.get_table_comment("users")["text"] == "people"
assert inspector.get_enums()[0]["labels"] == ["sad", "ok", "happy"]
assert inspector.has_table("users") and inspector.get_sequence_names()
assert "total > " in inspector.get_view_definition("big_orders")

metadata = sa.MetaData()
metadata.reflect(engine)
users = metadata.tables["users"]
scratch = metadata.tables["scratch"]

with engine.connect() as connection:
    row = connection.execute(sa.select(users).where(users.c.id == 3)).one()
    if masked == "the table read":
        assert "user" not in row.email and row.age != 23, row
    else:
        assert row.email == "user3@example.com", row
    streamed = connection.execution_options(stream_results=True).execute(sa.select(users.c.id).order_by(users.c.id))
    assert len(streamed.all()) == 20

with engine.begin() as connection:
    connection.execute(sa.delete(scratch))
    connection.execute(sa.insert(scratch), [{"id": i, "word": "w"} for i in range(10)])
with Session(engine) as session:
    assert session.scalar(sa.select(sa.func.count()).select_from(scratch)) == 10
    try:
        session.execute(sa.delete(users))
        raise AssertionError
    except sa.exc.ProgrammingError as error:
        assert error.orig.pgcode == "42501"
for level in ("AUTOCOMMIT", "SERIALIZABLE", "READ COMMITTED"):
    with engine.connect().execution_options(isolation_level=level) as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
