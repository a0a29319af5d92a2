-- A superuser wants this user to have a second factor: asked for at the next login.
ALTER TABLE latchkey_user ADD COLUMN second_factor_required bool NOT NULL DEFAULT 0;

-- Second factors that were confirmed.
CREATE TABLE latchkey_second_factor (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- email, totp or passkey
    kind varchar(10) NOT NULL,
    -- What its user calls it.
    name varchar(100) NOT NULL,
    -- Of TOTP the secret, encrypted; of a passkey its public key and counter, as JSON; of email the address.
    data text NOT NULL,
    -- Of a passkey.
    credential_id varchar(1400) NULL UNIQUE,
    -- Of TOTP: the step of the last code. Each code is good once.
    last_step bigint NULL,
    created_at datetime NOT NULL,
    last_used_at datetime NULL
);
CREATE INDEX latchkey_second_factor_user_id ON latchkey_second_factor (user_id);
CREATE UNIQUE INDEX latchkey_second_factor_kind ON latchkey_second_factor (user_id, kind) WHERE kind <> 'passkey';

-- Ten codes on paper, each good once. An HMAC of each is kept.
CREATE TABLE latchkey_recovery_code (
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    code_hash varchar(64) NOT NULL,
    created_at datetime NOT NULL,
    used_at datetime NULL,
    PRIMARY KEY (user_id, code_hash)
) WITHOUT ROWID;

-- Something that was begun and has to be finished with a second factor. Of the token only a hash is kept.
CREATE TABLE latchkey_challenge (
    token_hash varchar(64) NOT NULL PRIMARY KEY,
    -- login, enrolment (a login that has to enrol first), enrol, first, first_in_login (of such a login), confirm,
    -- visit (to one's own account) or enrol_in_visit
    purpose varchar(20) NOT NULL,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- What a login gives: refresh, sliding, panel or visit. What is enrolled: email, totp or passkey. What opened a visit:
    -- password or factor.
    what varchar(10) NOT NULL,
    -- Where it was begun.
    network varchar(43) NOT NULL,
    -- A fingerprint of the user's password: a challenge dies when it changes.
    state varchar(64) NOT NULL,
    -- Answers that were looked at.
    tries integer NOT NULL,
    -- HMAC of the code that was mailed, and until when it is good.
    code_hash varchar(64) NULL,
    code_expires_at datetime NULL,
    -- What the answer is checked with: the state of WebAuthn, or the secret of TOTP. Encrypted.
    secret text NULL,
    created_at datetime NOT NULL,
    expires_at datetime NOT NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_challenge_user_id ON latchkey_challenge (user_id);
CREATE INDEX latchkey_challenge_expires_at ON latchkey_challenge (expires_at);

-- Browsers that a user chose to remember: no second factor is asked for there. Of the token only a hash is kept.
CREATE TABLE latchkey_browser (
    token_hash varchar(64) NOT NULL PRIMARY KEY,
    -- Random, for lists.
    id varchar(32) NOT NULL UNIQUE,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- A fingerprint of the user's password: it is asked again when that changes.
    state varchar(64) NOT NULL,
    created_at datetime NOT NULL,
    last_used_at datetime NOT NULL,
    expires_at datetime NOT NULL,
    ip varchar(45) NULL,
    user_agent varchar(255) NOT NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_browser_user_id ON latchkey_browser (user_id);
CREATE INDEX latchkey_browser_expires_at ON latchkey_browser (expires_at);

-- The order in which mail is sent: links and codes first, for somebody waits for them.
CREATE INDEX latchkey_mail_due ON latchkey_mail ((secret IS NULL), next_at, id) WHERE status = 'queued';
