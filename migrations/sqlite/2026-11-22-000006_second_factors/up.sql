-- Whether a superuser requires a second factor of this user, from the next login on.
ALTER TABLE latchkey_user ADD COLUMN second_factor_required bool NOT NULL DEFAULT 0;

-- Confirmed second factors.
CREATE TABLE latchkey_second_factor (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- email, totp or passkey
    kind varchar(10) NOT NULL,
    -- The user's name for it.
    name varchar(100) NOT NULL,
    -- TOTP: the secret, encrypted. Passkey: its public key and counter, as JSON. Email: the address.
    data text NOT NULL,
    -- Only for a passkey.
    credential_id varchar(1400) NULL UNIQUE,
    -- Only for TOTP: the time step of the last code, so that each code works once.
    last_step bigint NULL,
    created_at datetime NOT NULL,
    last_used_at datetime NULL
);
CREATE INDEX latchkey_second_factor_user_id ON latchkey_second_factor (user_id);
CREATE UNIQUE INDEX latchkey_second_factor_kind ON latchkey_second_factor (user_id, kind) WHERE kind <> 'passkey';

-- Ten codes on paper, each valid once. Stored as HMACs.
CREATE TABLE latchkey_recovery_code (
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    code_hash varchar(64) NOT NULL,
    created_at datetime NOT NULL,
    used_at datetime NULL,
    PRIMARY KEY (user_id, code_hash)
) WITHOUT ROWID;

-- Logins and other actions that wait for a second factor. Only a hash of the token is stored.
CREATE TABLE latchkey_challenge (
    token_hash varchar(64) NOT NULL PRIMARY KEY,
    -- login, enrolment (a login that has to enrol first), enrol, first, first_in_login (in such a login), confirm,
    -- visit (an account session, until migration 7) or enrol_in_visit
    purpose varchar(20) NOT NULL,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- For a login its target: refresh, sliding, panel or visit. For an enrolment the kind: email, totp or passkey. For a
    -- visit what opened it: password or factor.
    what varchar(10) NOT NULL,
    -- The network that it was begun from.
    network varchar(43) NOT NULL,
    -- A fingerprint of the user's password: the challenge ends when it changes.
    state varchar(64) NOT NULL,
    -- Answers that were checked.
    tries integer NOT NULL,
    -- HMAC of the mailed code, and its expiry.
    code_hash varchar(64) NULL,
    code_expires_at datetime NULL,
    -- The secret to check the answer with: WebAuthn's state, or the secret of TOTP. Encrypted.
    secret text NULL,
    created_at datetime NOT NULL,
    expires_at datetime NOT NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_challenge_user_id ON latchkey_challenge (user_id);
CREATE INDEX latchkey_challenge_expires_at ON latchkey_challenge (expires_at);

-- Browsers that users chose to remember and that need no second factor. Only a hash of the token is stored.
CREATE TABLE latchkey_browser (
    token_hash varchar(64) NOT NULL PRIMARY KEY,
    -- A random id, for lists.
    id varchar(32) NOT NULL UNIQUE,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- A fingerprint of the user's password: the browser is forgotten when it changes.
    state varchar(64) NOT NULL,
    created_at datetime NOT NULL,
    last_used_at datetime NOT NULL,
    expires_at datetime NOT NULL,
    ip varchar(45) NULL,
    user_agent varchar(255) NOT NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_browser_user_id ON latchkey_browser (user_id);
CREATE INDEX latchkey_browser_expires_at ON latchkey_browser (expires_at);

-- The order in which mail is sent: links and codes first, because a user is waiting for them.
CREATE INDEX latchkey_mail_due ON latchkey_mail ((secret IS NULL), next_at, id) WHERE status = 'queued';
