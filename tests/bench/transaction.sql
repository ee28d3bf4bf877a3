\set id random(1, 8)
BEGIN;
SELECT balance FROM wallets WHERE id = :id \gset
UPDATE wallets SET balance = :balance - 1 WHERE id = :id;
COMMIT;
