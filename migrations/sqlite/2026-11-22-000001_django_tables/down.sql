-- Django's tables are never dropped by Latchkey: they may be a Django's.
SELECT 1;
