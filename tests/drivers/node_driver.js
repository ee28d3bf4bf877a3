// node-postgres: one batch a statement, text parameters, named statements on request, COPY by streams.
'use strict';
const assert = require('assert');
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const { Client } = require('pg');
const copy = require('pg-copy-streams');
const version = require('pg/package.json').version;

function settings(port) {
  const env = process.env;
  return { host: '127.0.0.1', port: Number(env[port]), user: 'postgres', database: env.DRIVER_DATABASE };
}

async function connect(port) {
  const client = new Client(settings(port));
  await client.connect();
  return client;
}

async function one(link, sql, values) {
  return Object.values((await link.query(sql, values)).rows[0])[0];
}

async function expect(code, running) {
  try {
    await running;
  } catch (error) {
    assert.strictEqual(error.code, code, error.stack);
    return error;
  }
  throw new Error(`no ${code}`);
}

const read = 'SELECT balance FROM wallets WHERE id = $1';
const write = 'UPDATE wallets SET balance = $1 WHERE id = $2';

async function readAndDisturb(link, direct) {
  const balance = await one(link, read, [1]);
  await direct.query('UPDATE wallets SET balance = balance - 30 WHERE id = 1');
  return Number(balance) - 10;
}

async function lostUpdate(here, direct) {
  const there = await connect('PGTELLER_TEST_PORT');
  await there.query(write, [await readAndDisturb(there, direct), 1]);
  await there.end();
  assert.strictEqual(await one(direct, read, [1]), '90.00', 'directly, 30 are lost');
  for (const begins of [true, false]) {
    if (begins) await here.query('BEGIN');
    const computed = await readAndDisturb(here, direct);
    const told = await expect('40001', here.query(write, [computed, 1]));
    assert.deepStrictEqual([told.schema, told.table, told.constraint], ['public', 'wallets', 'wallet-balance']);
    if (begins) {
      await expect('25P02', here.query('SELECT 1'));
      await here.query('ROLLBACK');
    }
  }
  await here.query(write, [Number(await one(here, read, [1])) - 10, 1]);
  assert.strictEqual(await one(direct, read, [1]), '20.00');
}

async function strategies(here, direct) {
  const take = 'UPDATE wallets SET balance = balance - $1 WHERE id = 2';
  const told = await expect('23514', here.query(take, [1000]));
  assert.deepStrictEqual([told.column, told.constraint], ['balance', 'wallet-balance']);
  const points = await one(here, 'SELECT points FROM points WHERE id = $1', [1]);
  await direct.query('UPDATE points SET points = points - 30 WHERE id = 1');
  await here.query('UPDATE points SET points = $1 WHERE id = $2', [points - 10, 1]);
  assert.strictEqual(await one(direct, 'SELECT points FROM points WHERE id = 1'), 60, 'both count');
  const other = await connect('PGTELLER_PROXY_PORT');
  await here.query('BEGIN');
  assert.strictEqual(await one(here, 'SELECT stock FROM items WHERE id = $1', [1]), 100);
  const late = await expect('55P03', other.query('UPDATE items SET stock = stock - $1 WHERE id = 1', [1]));
  assert.strictEqual(late.constraint, 'item-stock');
  await here.query('COMMIT');
  await other.end();
}

async function statements(here) {
  const take = { name: 'take', text: 'UPDATE wallets SET balance = balance - $1 WHERE id = $2' };
  for (let i = 0; i < 7; ++i) await here.query({ ...take, values: [1, 3] });
  await Promise.all(Array.from({ length: 20 }, () => here.query({ ...take, values: [1, 4] })));
  await here.query('BEGIN; UPDATE wallets SET balance = 1 WHERE id = 3; ROLLBACK');
  assert.strictEqual(await one(here, read, [3]), '93.00');
  assert.strictEqual(await one(here, read, [4]), '80.00');
  await expect('42P01', here.query('SELECT * FROM nowhere'));
}

async function copies(here) {
  const lines = Array.from({ length: 1000 }, (_, i) => `${200 + i}\t7\n`);
  await pipeline(Readable.from(lines), here.query(copy.from('COPY wallets FROM STDIN')));
  let seen = '';
  const out = here.query(copy.to('COPY (SELECT balance FROM wallets WHERE id >= 200) TO STDOUT'));
  for await (const chunk of out) seen += chunk;
  assert.strictEqual(seen, '7.00\n'.repeat(1000));
}

async function cancel(here, direct) {
  const running = expect('57014', here.query('SELECT balance, pg_sleep(30) FROM wallets WHERE id = 5'));
  const asleep = `SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'PgSleep'
    AND datname = current_database()`;
  while ((await one(direct, asleep)) === 0) await new Promise((done) => setTimeout(done, 20));
  const canceller = new Client(settings('PGTELLER_PROXY_PORT'));
  canceller.cancel(here, here.activeQuery);
  await running;
  assert.strictEqual(await one(here, 'SELECT 7'), 7);
}

async function main() {
  const direct = await connect('PGTELLER_TEST_PORT');
  const here = await connect('PGTELLER_PROXY_PORT');
  await lostUpdate(here, direct);
  await strategies(here, direct);
  await statements(here);
  await copies(here);
  await cancel(here, direct);
  await here.end();
  await direct.end();
  console.log(`pg ${version}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
