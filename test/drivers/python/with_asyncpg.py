"""asyncpg through the gateway: always binary, always prepared, and it reads types from the catalog when it meets them.

Arguments and login as in with_psycopg2.py."""
import asyncio
import json
import sys

import asyncpg

masked = sys.argv[1]


async def main():
    for ssl in ("disable", "require"):
        connection = await asyncpg.connect(ssl=ssl, timeout=20)
        for _ in range(3):
            row = await connection.fetchrow("SELECT id, name, email, age, born, note FROM users WHERE id = $1", 3)
            assert row["id"] == 3
            if masked == "the table read":
                assert row["email"].endswith(".com") and "user" not in row["email"], row
                assert isinstance(row["age"], int) and row["age"] != 23, row
                assert row["born"].year != 2000 and row["note"] is None, row
            else:
                assert row["email"] == "user3@example.com" and row["age"] == 23, row

        # Types that it does not know are looked up; composites and ranges are decoded by what it finds.
        row = await connection.fetchrow("SELECT 'happy'::mood AS m, ARRAY['ok']::mood[] AS a, int4range(1, 3) AS r, 1.5::numeric AS n")
        assert row["m"] == "happy" and row["a"] == ["ok"] and row["n"] == __import__("decimal").Decimal("1.5"), row
        if masked != "the table read":
            assert (await connection.fetchval("SELECT o FROM orders o WHERE id = 1"))["id"] == 1
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        assert await connection.fetchval("SELECT $1::jsonb", {"a": 1}) == {"a": 1}

        async with connection.transaction(isolation="repeatable_read"):
            ids = [row["id"] async for row in connection.cursor("SELECT id FROM orders ORDER BY id", prefetch=13)]
            assert ids == list(range(1, 101))
            cursor = await connection.cursor("SELECT id FROM orders ORDER BY id")
            await cursor.forward(10)
            assert (await cursor.fetchrow())["id"] == 11
        await connection.execute("DELETE FROM scratch")
        await connection.executemany("INSERT INTO scratch VALUES ($1, $2)", [(i, "w") for i in range(500)])
        await connection.copy_records_to_table("scratch", records=[(i, "c") for i in range(500, 1000)])
        assert await connection.fetchval("SELECT count(*) FROM scratch") == 1000
        assert await connection.execute("SELECT 1; SELECT 2") == "SELECT 1"

        try:
            await connection.execute("DROP TABLE users")
            raise AssertionError
        except asyncpg.InsufficientPrivilegeError as error:
            assert json.loads(error.detail)["decision"] == "deny"
            assert "sallyport grants request" in error.hint
        try:
            async with connection.transaction():
                await connection.fetch("UPDATE users SET name = $1", "x")
            raise AssertionError
        except asyncpg.InsufficientPrivilegeError:
            pass
        assert await connection.fetchval("SELECT 7") == 7
        await connection.reload_schema_state()
        await connection.close()

    # A pool resets what comes back to it; the next who gets it finds it as new.
    async with asyncpg.create_pool(ssl="disable", timeout=20, min_size=1, max_size=1) as pool:
        for _ in range(3):
            async with pool.acquire() as pooled:
                assert await pooled.fetchval("SHOW work_mem") == "4MB"
                assert await pooled.fetchval("SHOW search_path") == '"$user", public'
                assert await pooled.fetchval("SELECT count(*) FROM orders WHERE id <= $1", 10) == 10
                await pooled.execute("SET work_mem = '8MB'; SET search_path = pg_catalog")


asyncio.run(main())
