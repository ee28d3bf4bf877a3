\set id random(1, :rows)
SELECT balance FROM wallets WHERE id = :id;
