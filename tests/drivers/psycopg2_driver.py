"""psycopg 2: simple queries with literals inlined, errors as classes with the server's fields."""
import io
import os
import threading
import time

import psycopg2
from psycopg2 import errors, extras


def connect(port, **more):
    return psycopg2.connect(host="127.0.0.1", port=os.environ[port], user="postgres",
                            dbname=os.environ["DRIVER_DATABASE"], **more)


def one(link, sql, *values):
    with link.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def expect(kind, link, sql, *values):
    try:
        with link.cursor() as cursor:
            cursor.execute(sql, values)
    except kind as error:
        return error.diag
    raise AssertionError(f"{sql}: no {kind.__name__}")


def cancel_when_asleep(who):
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    watcher = connect("PGTELLER_TEST_PORT")
    watcher.autocommit = True
    while not one(watcher, asleep):
        time.sleep(0.02)
    watcher.close()
    who.cancel()


def read_then_write(link, direct, row):
    """Reads, another one takes 30, writes what was computed from the read."""
    balance = one(link, "SELECT balance FROM wallets WHERE id = %s", row)
    with direct.cursor() as cursor:
        cursor.execute("UPDATE wallets SET balance = balance - 30 WHERE id = %s", (row,))
    return balance - 10


def lost_update(here, direct):
    write = "UPDATE wallets SET balance = %s WHERE id = 1"
    there = connect("PGTELLER_TEST_PORT")
    computed = read_then_write(there, direct, 1)
    with there.cursor() as cursor:
        cursor.execute(write, (computed,))
    there.commit()
    assert one(direct, "SELECT balance FROM wallets WHERE id = 1") == 90, "directly, 30 are lost"

    computed = read_then_write(here, direct, 1)
    told = expect(errors.SerializationFailure, here, write, computed)
    assert (told.schema_name, told.table_name, told.constraint_name) == (
        "public", "wallets", "wallet-balance"), told
    expect(errors.InFailedSqlTransaction, here, "SELECT 1")
    here.rollback()
    assert one(here, "SELECT balance FROM wallets WHERE id = 1") == 60
    with here.cursor() as cursor:
        cursor.execute(write, (50,))
    here.commit()
    assert one(direct, "SELECT balance FROM wallets WHERE id = 1") == 50


def strategies(here, direct):
    told = expect(errors.CheckViolation, here, "UPDATE wallets SET balance = balance - %s WHERE id = 2", 1000)
    assert (told.column_name, told.constraint_name) == ("balance", "wallet-balance")
    here.rollback()
    points = one(here, "SELECT points FROM points WHERE id = 1")
    with direct.cursor() as cursor:
        cursor.execute("UPDATE points SET points = points - 30 WHERE id = 1")
    with here.cursor() as cursor:
        cursor.execute("UPDATE points SET points = %s WHERE id = 1", (points - 10,))
    here.commit()
    assert one(direct, "SELECT points FROM points WHERE id = 1") == 60, "both count"
    assert one(here, "SELECT stock FROM items WHERE id = 1") == 100
    other = connect("PGTELLER_PROXY_PORT")
    told = expect(errors.LockNotAvailable, other, "UPDATE items SET stock = stock - 1 WHERE id = 1")
    assert told.constraint_name == "item-stock"
    other.close()
    here.commit()


def rest(here, direct):
    with here.cursor() as cursor:
        cursor.execute("PREPARE take AS UPDATE wallets SET balance = balance - $1 WHERE id = $2")
        for _ in range(7):
            cursor.execute("EXECUTE take (1, 3)")
        extras.execute_batch(cursor, "UPDATE wallets SET balance = balance - %s WHERE id = %s", [(1, 4)] * 20)
        rows = extras.execute_values(
            cursor, "INSERT INTO wallets VALUES %s RETURNING id", [(n, n) for n in range(100, 150)], fetch=True)
        assert len(rows) == 50
    here.commit()
    with here.cursor() as cursor:
        cursor.execute("UPDATE wallets SET balance = 1 WHERE id = 3")
    here.rollback()
    assert one(here, "SELECT balance FROM wallets WHERE id = 3") == 93
    assert one(here, "SELECT balance FROM wallets WHERE id = 4") == 80
    with here.cursor() as cursor:
        cursor.copy_expert("COPY wallets FROM STDIN", io.StringIO("".join(f"{n}\t7\n" for n in range(200, 1200))))
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT balance FROM wallets WHERE id >= 200) TO STDOUT", out)
    assert out.getvalue() == "7.00\n" * 1000
    here.commit()
    with here.cursor("by_name") as cursor:
        cursor.execute("SELECT balance FROM wallets WHERE id >= 200")
        assert len(cursor.fetchmany(10)) == 10
    expect(errors.UndefinedTable, here, "SELECT * FROM nowhere")
    here.rollback()
    threading.Thread(target=cancel_when_asleep, args=(here,)).start()
    expect(errors.QueryCanceled, here, "SELECT balance, pg_sleep(30) FROM wallets WHERE id = 5")
    here.rollback()
    assert one(here, "SELECT 7") == 7


directly = connect("PGTELLER_TEST_PORT")
directly.autocommit = True
proxied = connect("PGTELLER_PROXY_PORT")
lost_update(proxied, directly)
strategies(proxied, directly)
rest(proxied, directly)
proxied.close()
print("psycopg", psycopg2.__version__)
