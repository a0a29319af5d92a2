-- Latchkey's own tables. Their references to Django's tables cascade, because Django does not know these tables.
CREATE TABLE latchkey_user (
    user_id integer NOT NULL PRIMARY KEY REFERENCES auth_user (id) ON DELETE CASCADE,
    uuid varchar(36) NOT NULL UNIQUE
);

CREATE TABLE latchkey_token (
    token_id bigint NOT NULL PRIMARY KEY REFERENCES token_blacklist_outstandingtoken (id) ON DELETE CASCADE,
    -- No foreign key: the older token may be flushed first, and a cascade over a long chain would block the database.
    rotated_from bigint NULL,
    rotated_at datetime NULL,
    blacklist_reason varchar(40) NULL,
    blacklisted_by varchar(150) NULL,
    kid varchar(64) NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_token_rotated_from ON latchkey_token (rotated_from) WHERE rotated_from IS NOT NULL;

CREATE TABLE latchkey_admin_session (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    key_hash varchar(64) NOT NULL UNIQUE,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    state text NOT NULL,
    created_at datetime NOT NULL,
    last_seen_at datetime NOT NULL,
    expires_at datetime NOT NULL,
    ip varchar(45) NULL,
    user_agent varchar(512) NOT NULL
);
CREATE INDEX latchkey_admin_session_user_id ON latchkey_admin_session (user_id);
CREATE INDEX latchkey_admin_session_expires_at ON latchkey_admin_session (expires_at);

CREATE TABLE latchkey_audit_log (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    at datetime NOT NULL,
    action varchar(40) NOT NULL,
    -- No foreign keys: an entry outlives the users that it names.
    actor_id bigint NULL,
    actor varchar(150) NOT NULL,
    ip varchar(45) NULL,
    user_id bigint NULL,
    object varchar(255) NOT NULL,
    detail text NOT NULL
);
CREATE INDEX latchkey_audit_log_user_id ON latchkey_audit_log (user_id, id);
