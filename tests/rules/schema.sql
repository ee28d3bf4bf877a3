-- The tables that shop_catalog() in fixtures.cpp describes, for trying preludes by hand.
CREATE TABLE wallets (
  id bigint PRIMARY KEY, user_id bigint, balance numeric(12, 2), reserved numeric(12, 2) DEFAULT 0,
  status text DEFAULT 'active', version integer DEFAULT 1, email text UNIQUE);
CREATE SCHEMA app;
CREATE TABLE app.accounts (id uuid PRIMARY KEY, owner text, balance double precision);
CREATE TABLE vouchers (code text PRIMARY KEY, remaining integer);
CREATE TABLE "Stock Items" (shop_id integer, "SKU" text, quantity integer, PRIMARY KEY (shop_id, "SKU"));
CREATE TABLE tills (id integer PRIMARY KEY, cash money, "order" integer);
CREATE TABLE keyless (balance integer);
CREATE SCHEMA north;
CREATE SCHEMA south;
CREATE TABLE north.ledgers (id integer PRIMARY KEY, total integer);
CREATE TABLE south.ledgers (no integer PRIMARY KEY, total integer);
CREATE VIEW wallet_view AS SELECT * FROM wallets;
CREATE TABLE wallets_2024 () INHERITS (wallets);
CREATE TABLE users (id bigint PRIMARY KEY, name text, active boolean DEFAULT true);
CREATE TABLE orders (id bigint PRIMARY KEY, wallet_id bigint, amount numeric);
CREATE TABLE transactions (
  id bigserial PRIMARY KEY, order_id bigint, kind varchar(20), amount numeric(12, 2), note text);
CREATE VIEW transaction_view AS SELECT * FROM transactions;
CREATE FUNCTION draw_number() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 4';
INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 4) n;
INSERT INTO wallets (id, user_id, balance, email)
  SELECT n, (n + 1) / 2, n * 10, 'w' || n || '@example.org' FROM generate_series(1, 8) n;
INSERT INTO orders SELECT n, n, n FROM generate_series(1, 8) n;
INSERT INTO app.accounts VALUES ('11111111-1111-1111-1111-111111111111', 'ann', 5);
INSERT INTO vouchers VALUES ('a/b!', 3), ('c', 1);
INSERT INTO "Stock Items" VALUES (1, 'x', 5), (1, 'y', 6), (2, 'x', 7);
INSERT INTO tills VALUES (1, '12.00', 1);
