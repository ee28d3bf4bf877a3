\set id random(1, 8)
BEGIN;
SELECT balance FROM wallets WHERE id = :id FOR UPDATE \gset
UPDATE wallets SET balance = :balance - 1 WHERE id = :id;
COMMIT;
