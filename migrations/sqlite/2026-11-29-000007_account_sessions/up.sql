-- Logins to the account pages, which were challenges before. Only a hash of the token is stored.
CREATE TABLE latchkey_account_session (
    token_hash varchar(64) NOT NULL PRIMARY KEY,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- Whether a second factor was used, or the first one was enrolled in this session.
    by_factor bool NOT NULL,
    -- Where the login came from: an IPv4 address or an IPv6 /64.
    network varchar(43) NOT NULL,
    -- A fingerprint of the user's password: the session ends when it changes.
    state varchar(64) NOT NULL,
    created_at datetime NOT NULL,
    expires_at datetime NOT NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_account_session_user_id ON latchkey_account_session (user_id);
CREATE INDEX latchkey_account_session_expires_at ON latchkey_account_session (expires_at);

INSERT INTO latchkey_account_session (token_hash, user_id, by_factor, network, state, created_at, expires_at)
SELECT token_hash, user_id, what = 'factor', network, state, created_at, expires_at
FROM latchkey_challenge WHERE purpose = 'visit';
DELETE FROM latchkey_challenge WHERE purpose = 'visit';
