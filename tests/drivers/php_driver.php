<?php
// PDO: a named statement for each prepare(), DEALLOCATE behind each, also inside a transaction. What PDO cannot do,
// cancelling and the fields of an error, is done with PHP's other interface, pgsql.
declare(strict_types=1);

function where(string $port): string {
  return 'host=127.0.0.1 port=' . getenv($port) . ' dbname=' . getenv('DRIVER_DATABASE');
}

function connect(string $port): PDO {
  return new PDO('pgsql:' . where($port), 'postgres', '', [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
}

function run(PDO $link, string $sql, array $values = []): PDOStatement {
  $statement = $link->prepare($sql);
  $statement->execute($values);
  return $statement;
}

function one(PDO $link, string $sql, array $values = []): mixed {
  return run($link, $sql, $values)->fetchColumn();
}

function same(mixed $expected, mixed $found, string $what): void {
  if ($expected !== $found) {
    throw new Exception("$what: " . var_export($found, true) . ', not ' . var_export($expected, true));
  }
}

function expect(string $sqlstate, PDO $link, string $sql, array $values = []): string {
  try {
    run($link, $sql, $values);
  } catch (PDOException $error) {
    same($sqlstate, $error->getCode(), $error->getMessage());
    return $error->getMessage();
  }
  throw new Exception("$sql: no $sqlstate");
}

const READ = 'SELECT balance FROM wallets WHERE id = ?';
const WRITE = 'UPDATE wallets SET balance = ? WHERE id = ?';

function read_and_disturb(PDO $link, PDO $direct): string {
  $balance = one($link, READ, [1]);
  $direct->exec('UPDATE wallets SET balance = balance - 30 WHERE id = 1');
  return (string)($balance - 10);
}

function lost_update(PDO $here, PDO $direct): void {
  $there = connect('PGTELLER_TEST_PORT');
  run($there, WRITE, [read_and_disturb($there, $direct), 1]);
  same('90.00', one($direct, READ, [1]), 'directly, 30 are lost');
  foreach ([true, false] as $begins) {
    if ($begins) $here->beginTransaction();
    $computed = read_and_disturb($here, $direct);
    $told = expect('40001', $here, WRITE, [$computed, 1]);
    same(true, str_contains($told, 'rule "wallet-balance"'), $told);
    if (!$begins) continue;
    expect('25P02', $here, 'SELECT 1');
    $here->rollBack();
  }
  run($here, WRITE, [one($here, READ, [1]) - 10, 1]);
  same('20.00', one($direct, READ, [1]), 'after a retry');
}

function strategies(PDO $here, PDO $direct): void {
  expect('23514', $here, 'UPDATE wallets SET balance = balance - ? WHERE id = 2', [1000]);
  $points = one($here, 'SELECT points FROM points WHERE id = ?', [1]);
  $direct->exec('UPDATE points SET points = points - 30 WHERE id = 1');
  run($here, 'UPDATE points SET points = ? WHERE id = ?', [$points - 10, 1]);
  same(60, one($direct, 'SELECT points FROM points WHERE id = 1'), 'both count');
  $here->beginTransaction();
  same(100, one($here, 'SELECT stock FROM items WHERE id = ?', [1]), 'stock');
  expect('55P03', connect('PGTELLER_PROXY_PORT'), 'UPDATE items SET stock = stock - ? WHERE id = 1', [1]);
  $here->commit();
}

function rest(PDO $here): void {
  $take = $here->prepare('UPDATE wallets SET balance = balance - ? WHERE id = ?');
  for ($i = 0; $i < 7; ++$i) $take->execute([1, 3]);
  $here->exec(str_repeat('UPDATE wallets SET balance = balance - 1 WHERE id = 4; ', 20));
  $here->beginTransaction();
  run($here, WRITE, [1, 3]);
  $here->rollBack();
  same('93.00', one($here, READ, [3]), 'after a rollback');
  same('80.00', one($here, READ, [4]), 'after several in one string');
  $rows = array_map(fn($id) => "$id\t7", range(200, 1199));
  same(true, $here->pgsqlCopyFromArray('wallets', $rows), 'COPY FROM');
  $seen = $here->pgsqlCopyToArray('(SELECT balance FROM wallets WHERE id >= 200)');
  same(array_fill(0, 1000, "7.00\n"), $seen, 'COPY TO');
  expect('42P01', $here, 'SELECT * FROM nowhere');
  $here->setAttribute(PDO::ATTR_EMULATE_PREPARES, true);
  same('93.00', one($here, READ, [3]), 'with literals inlined');
}

function other_interface(PDO $direct): void {
  $link = pg_connect(where('PGTELLER_PROXY_PORT') . ' user=postgres');
  pg_send_query($link, 'UPDATE wallets SET balance = balance - 1000 WHERE id = 6');
  $told = pg_get_result($link);
  same('23514', pg_result_error_field($told, PGSQL_DIAG_SQLSTATE), 'sqlstate');
  same('wallet-balance', pg_result_error_field($told, PGSQL_DIAG_CONSTRAINT_NAME), 'constraint');
  while (pg_get_result($link)) continue;
  // Longer than the test may take: pg_cancel_query itself waits for the end of the query.
  pg_send_query($link, 'SELECT balance, pg_sleep(3600) FROM wallets WHERE id = 5');
  $asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
  while (one($direct, $asleep) === 0) usleep(20000);
  same(true, pg_cancel_query($link), 'cancel');
  $asked = pg_query($link, 'SELECT 7');
  same('7', pg_fetch_result($asked, 0, 0), 'after a cancel');
}

$direct = connect('PGTELLER_TEST_PORT');
$here = connect('PGTELLER_PROXY_PORT');
lost_update($here, $direct);
strategies($here, $direct);
rest($here);
other_interface($direct);
echo 'PHP ', PHP_VERSION, "\n";
