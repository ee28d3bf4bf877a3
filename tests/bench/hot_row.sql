-- Everybody takes one off the same row.
UPDATE wallets SET balance = balance - 1 WHERE id = 1;
