-- Superusers of the panel, where the user table has no column that says who is one.
CREATE TABLE latchkey_superuser (
    user_id bigint NOT NULL PRIMARY KEY REFERENCES auth_user (id) ON DELETE CASCADE
);
