-- The three tables of Django 5.2 and SimpleJWT 5.5, column for column; a Django database already has them.
CREATE TABLE IF NOT EXISTS auth_user (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    password varchar(128) NOT NULL,
    last_login datetime NULL,
    is_superuser bool NOT NULL,
    username varchar(150) NOT NULL UNIQUE,
    last_name varchar(150) NOT NULL,
    email varchar(254) NOT NULL,
    is_staff bool NOT NULL,
    is_active bool NOT NULL,
    date_joined datetime NOT NULL,
    first_name varchar(150) NOT NULL
);

CREATE TABLE IF NOT EXISTS token_blacklist_outstandingtoken (
    token text NOT NULL,
    created_at datetime NULL,
    expires_at datetime NOT NULL,
    user_id integer NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED,
    jti varchar(255) NOT NULL UNIQUE,
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT
);
CREATE INDEX IF NOT EXISTS token_blacklist_outstandingtoken_user_id_83bc629a
    ON token_blacklist_outstandingtoken (user_id);

CREATE TABLE IF NOT EXISTS token_blacklist_blacklistedtoken (
    blacklisted_at datetime NOT NULL,
    token_id bigint NOT NULL UNIQUE REFERENCES token_blacklist_outstandingtoken (id) DEFERRABLE INITIALLY DEFERRED,
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT
);
