"""asyncpg: named statements described before they are run, everything in binary, Execute with a row limit."""
import asyncio
import os

import asyncpg
from asyncpg import exceptions as errors


def connect(port):
    return asyncpg.connect(host="127.0.0.1", port=int(os.environ[port]), user="postgres",
                           database=os.environ["DRIVER_DATABASE"], ssl=False)


async def expect(kind, running):
    try:
        await running
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


async def read_and_disturb(link, direct, row):
    balance = await link.fetchval("SELECT balance FROM wallets WHERE id = $1", row)
    await direct.execute("UPDATE wallets SET balance = balance - 30 WHERE id = $1", row)
    return balance - 10


async def lost_update(here, direct):
    write = "UPDATE wallets SET balance = $1 WHERE id = $2"
    there = await connect("PGTELLER_TEST_PORT")
    async with there.transaction():
        await there.execute(write, await read_and_disturb(there, direct, 1), 1)
    await there.close()
    assert await direct.fetchval("SELECT balance FROM wallets WHERE id = 1") == 90, "directly, 30 are lost"
    for begins in (True, False):  # in a transaction, and each statement its own
        computed = await read_and_disturb(here, direct, 1)
        transaction = here.transaction()
        if begins:
            await transaction.start()
        told = await expect(errors.SerializationError, here.execute(write, computed, 1))
        assert (told.schema_name, told.table_name, told.constraint_name) == (
            "public", "wallets", "wallet-balance"), told.as_dict()
        if begins:
            await expect(errors.InFailedSQLTransactionError, here.execute("SELECT 1"))
            await transaction.rollback()
    async with here.transaction():
        balance = await here.fetchval("SELECT balance FROM wallets WHERE id = $1", 1)
        await here.execute(write, balance - 10, 1)
    assert await direct.fetchval("SELECT balance FROM wallets WHERE id = 1") == 20


async def strategies(here, direct):
    take = "UPDATE wallets SET balance = balance - $1 WHERE id = 2"
    told = await expect(errors.CheckViolationError, here.execute(take, 1000))
    assert (told.column_name, told.constraint_name) == ("balance", "wallet-balance")
    points = await here.fetchval("SELECT points FROM points WHERE id = $1", 1)
    await direct.execute("UPDATE points SET points = points - 30 WHERE id = 1")
    await here.execute("UPDATE points SET points = $1 WHERE id = $2", points - 10, 1)
    assert await direct.fetchval("SELECT points FROM points WHERE id = 1") == 60, "both count"
    other = await connect("PGTELLER_PROXY_PORT")
    async with here.transaction():
        assert await here.fetchval("SELECT stock FROM items WHERE id = $1", 1) == 100
        told = await expect(errors.LockNotAvailableError,
                            other.execute("UPDATE items SET stock = stock - $1 WHERE id = 1", 1))
        assert told.constraint_name == "item-stock"
    await other.close()


async def rest(here):
    take = await here.prepare("UPDATE wallets SET balance = balance - $1 WHERE id = $2 RETURNING balance")
    for _ in range(7):
        await take.fetchval(1, 3)
    await here.executemany("UPDATE wallets SET balance = balance - $1 WHERE id = $2", [(1, 4)] * 20)
    await expect(errors.CheckViolationError, here.executemany(
        "UPDATE wallets SET balance = balance - $1 WHERE id = $2", [(1, 4), (1000, 4), (1, 4)]))
    assert await here.fetchval("SELECT balance FROM wallets WHERE id = 3") == 93
    assert await here.fetchval("SELECT balance FROM wallets WHERE id = 4") == 80
    records = [(number, 7) for number in range(200, 1200)]
    await here.copy_records_to_table("wallets", records=records)
    seen = []

    async def collect(data):
        seen.append(data)

    await here.copy_from_query("SELECT balance FROM wallets WHERE id >= $1", 200, output=collect)
    assert b"".join(seen) == b"7.00\n" * 1000
    async with here.transaction():
        cursor = await here.cursor("SELECT balance FROM wallets WHERE id >= $1", 200)
        assert len(await cursor.fetch(10)) == 10
    await expect(errors.UndefinedTableError, here.fetch("SELECT * FROM nowhere"))
    await expect(asyncio.TimeoutError,
                 here.fetch("SELECT balance, pg_sleep(30) FROM wallets WHERE id = 5", timeout=0.3))
    assert await here.fetchval("SELECT 7") == 7
    await here.reset()
    assert await here.fetchval("SELECT balance FROM wallets WHERE id = 3") == 93


async def main():
    direct = await connect("PGTELLER_TEST_PORT")
    here = await connect("PGTELLER_PROXY_PORT")
    await lost_update(here, direct)
    await strategies(here, direct)
    await rest(here)
    await here.close()
    await direct.close()


asyncio.run(asyncio.wait_for(main(), 50))
print("asyncpg", asyncpg.__version__)
