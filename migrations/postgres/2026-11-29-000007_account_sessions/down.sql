INSERT INTO latchkey_challenge (token_hash, purpose, user_id, what, network, state, tries, created_at, expires_at)
SELECT token_hash, 'visit', user_id, CASE WHEN by_factor THEN 'factor' ELSE 'password' END, network, state, 0,
    created_at, expires_at
FROM latchkey_account_session;
DROP TABLE latchkey_account_session;
