-- The address that the user has confirmed. It counts only while it is the user's current address.
ALTER TABLE latchkey_user ADD COLUMN confirmed_email varchar(254) NULL;
ALTER TABLE latchkey_user ADD COLUMN email_confirmed_at datetime NULL;

-- The mail queue: written in the transaction that causes a mail, sent in the background.
CREATE TABLE latchkey_mail (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    created_at datetime NOT NULL,
    user_id integer NULL REFERENCES auth_user (id) ON DELETE SET NULL,
    recipient varchar(254) NOT NULL,
    subject varchar(250) NOT NULL,
    template varchar(40) NOT NULL,
    -- The parameters of the template: JSON, nothing secret.
    parameters text NOT NULL,
    -- The secret of the mail, encrypted; erased once it is sent or has failed.
    secret text NULL,
    -- queued, sent or failed
    status varchar(10) NOT NULL,
    attempts integer NOT NULL,
    -- While it is queued: the next attempt. A worker moves this on before it tries, so that no other worker does.
    next_at datetime NULL,
    give_up_at datetime NOT NULL,
    -- The worker that tries it; random.
    claim varchar(32) NULL,
    done_at datetime NULL,
    error varchar(500) NULL
);
CREATE INDEX latchkey_mail_next_at ON latchkey_mail (next_at, id) WHERE status = 'queued';
CREATE INDEX latchkey_mail_created_at ON latchkey_mail (created_at, id);
CREATE INDEX latchkey_mail_status ON latchkey_mail (status, created_at, id);
CREATE INDEX latchkey_mail_recipient ON latchkey_mail (lower(recipient), created_at, id);
CREATE INDEX latchkey_mail_user_id ON latchkey_mail (user_id);

-- Links that were mailed. Only a hash of the token is stored.
CREATE TABLE latchkey_link (
    token_hash varchar(64) NOT NULL PRIMARY KEY,
    -- password_reset or email_change
    purpose varchar(20) NOT NULL,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- The address that it was mailed to.
    email varchar(254) NOT NULL,
    -- A fingerprint of the user's password and address: the link stops working when they change.
    state varchar(64) NOT NULL,
    -- The network that requested it: a login from there invalidates it. Empty if a superuser sent it.
    network varchar(43) NOT NULL,
    created_at datetime NOT NULL,
    expires_at datetime NOT NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_link_user_id ON latchkey_link (user_id, purpose);
CREATE INDEX latchkey_link_expires_at ON latchkey_link (expires_at);

-- Where users logged in from, for 30 days: guessing from elsewhere does not keep them out.
CREATE TABLE latchkey_device (
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    -- An IPv4 address or an IPv6 /64; empty if it is unknown.
    network varchar(43) NOT NULL,
    -- Browser and system in words.
    name varchar(100) NOT NULL,
    first_login_at datetime NOT NULL,
    last_login_at datetime NOT NULL,
    PRIMARY KEY (user_id, network, name)
) WITHOUT ROWID;
CREATE INDEX latchkey_device_last_login_at ON latchkey_device (last_login_at);

-- Counted attempts. The subject of a row is hashed into a fixed number of buckets, which limits the number of rows.
CREATE TABLE latchkey_throttle (
    bucket bigint NOT NULL PRIMARY KEY,
    failures integer NOT NULL,
    last_at datetime NOT NULL,
    -- When the next attempt is allowed.
    free_at datetime NOT NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_throttle_last_at ON latchkey_throttle (last_at);
