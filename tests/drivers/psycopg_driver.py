"""psycopg 3: parameters on the wire, statements prepared by themselves, pipelines."""
import os
import threading
import time

import psycopg
from psycopg import errors


def connect(port, **more):
    return psycopg.connect(host="127.0.0.1", port=os.environ[port], user="postgres",
                           dbname=os.environ["DRIVER_DATABASE"], **more)


def one(link, sql, *values):
    return link.execute(sql, values).fetchone()[0]


def expect(kind, link, sql, *values):
    try:
        link.execute(sql, values)
    except kind as error:
        return error.diag
    raise AssertionError(f"{sql}: no {kind.__name__}")


def cancel_when_asleep(who):
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    with connect("PGTELLER_TEST_PORT", autocommit=True) as watcher:
        while not one(watcher, asleep):
            time.sleep(0.02)
    who.cancel()


def read_and_disturb(link, direct, row):
    balance = one(link, "SELECT balance FROM wallets WHERE id = %s", row)
    direct.execute("UPDATE wallets SET balance = balance - 30 WHERE id = %s", (row,))
    return balance - 10


def lost_update(here, direct):
    write = "UPDATE wallets SET balance = %s WHERE id = %s"
    with connect("PGTELLER_TEST_PORT") as there:
        there.execute(write, (read_and_disturb(there, direct, 1), 1))
    assert one(direct, "SELECT balance FROM wallets WHERE id = 1") == 90, "directly, 30 are lost"
    computed = read_and_disturb(here, direct, 1)
    told = expect(errors.SerializationFailure, here, write, computed, 1)
    assert (told.schema_name, told.table_name, told.constraint_name) == (
        "public", "wallets", "wallet-balance"), told
    expect(errors.InFailedSqlTransaction, here, "SELECT 1")
    here.rollback()
    here.execute(write, (one(here, "SELECT balance FROM wallets WHERE id = 1") - 10, 1))
    here.commit()
    assert one(direct, "SELECT balance FROM wallets WHERE id = 1") == 50


def strategies(here, direct):
    told = expect(errors.CheckViolation, here, "UPDATE wallets SET balance = balance - %s WHERE id = 2", 1000)
    assert (told.column_name, told.constraint_name) == ("balance", "wallet-balance")
    here.rollback()
    points = one(here, "SELECT points FROM points WHERE id = %s", 1)
    direct.execute("UPDATE points SET points = points - 30 WHERE id = 1")
    here.execute("UPDATE points SET points = %s WHERE id = %s", (points - 10, 1))
    here.commit()
    assert one(direct, "SELECT points FROM points WHERE id = 1") == 60, "both count"
    assert one(here, "SELECT stock FROM items WHERE id = %s", 1) == 100
    with connect("PGTELLER_PROXY_PORT", autocommit=True) as other:
        told = expect(errors.LockNotAvailable, other, "UPDATE items SET stock = stock - %s WHERE id = 1", 1)
        assert told.constraint_name == "item-stock"
    here.commit()


def pipelines(here):
    with here.pipeline():
        cursors = [here.execute("UPDATE wallets SET balance = balance - %s WHERE id = %s RETURNING balance",
                                (1, 4), prepare=True) for _ in range(20)]
    assert [each.fetchone()[0] for each in cursors] == list(range(99, 79, -1))
    here.commit()
    try:
        with here.pipeline():
            here.execute("UPDATE wallets SET balance = balance - 1 WHERE id = 4")
            here.execute("UPDATE wallets SET balance = balance - 1000 WHERE id = 4")
            here.execute("UPDATE wallets SET balance = 7 WHERE id = 4")
    except errors.CheckViolation as error:
        assert error.diag.constraint_name == "wallet-balance"
    else:
        raise AssertionError("the floor of the second does not hold")
    here.rollback()
    assert one(here, "SELECT balance FROM wallets WHERE id = 4") == 80
    here.commit()


def rest(here):
    for _ in range(8):
        here.execute("UPDATE wallets SET balance = balance - %s WHERE id = %s", (1, 3))
        here.commit()
    with here.transaction(), here.transaction(force_rollback=True):
        here.execute("UPDATE wallets SET balance = 1 WHERE id = 3")
    assert one(here, "SELECT balance FROM wallets WHERE id = 3") == 92
    with here.cursor() as cursor, cursor.copy("COPY wallets FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int8", "numeric"])
        for number in range(200, 1200):
            copy.write_row((number, 7))
    with here.cursor() as cursor, cursor.copy("COPY (SELECT balance FROM wallets WHERE id >= 200) TO STDOUT") as copy:
        assert b"".join(bytes(each) for each in copy) == b"7.00\n" * 1000
    here.commit()
    with here.cursor("by_name", binary=True) as cursor:
        cursor.execute("SELECT balance FROM wallets WHERE id >= 200")
        assert len(cursor.fetchmany(10)) == 10
    expect(errors.UndefinedTable, here, "SELECT * FROM nowhere")
    here.rollback()
    threading.Thread(target=cancel_when_asleep, args=(here,)).start()
    expect(errors.QueryCanceled, here, "SELECT balance, pg_sleep(30) FROM wallets WHERE id = 5")
    here.rollback()
    assert one(here, "SELECT 7") == 7
    here.commit()


with connect("PGTELLER_TEST_PORT", autocommit=True) as directly, connect("PGTELLER_PROXY_PORT") as proxied:
    lost_update(proxied, directly)
    strategies(proxied, directly)
    pipelines(proxied)
    rest(proxied)
print("psycopg", psycopg.__version__)
