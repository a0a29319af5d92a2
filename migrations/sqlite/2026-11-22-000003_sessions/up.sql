-- A login and all tokens that grew from it. This row decides whether it has ended, not a claim.
CREATE TABLE latchkey_session (
    id varchar(32) NOT NULL PRIMARY KEY,
    user_id integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
    created_at datetime NOT NULL,
    last_refreshed_at datetime NULL,
    -- When its latest token expires, which ends the session too.
    expires_at datetime NOT NULL,
    ended_at datetime NULL,
    end_reason varchar(40) NULL,
    ended_by varchar(150) NULL,
    -- Where it was last used.
    ip varchar(45) NULL,
    user_agent varchar(255) NOT NULL,
    label varchar(100) NOT NULL
) WITHOUT ROWID;
CREATE INDEX latchkey_session_user_id ON latchkey_session (user_id);
CREATE INDEX latchkey_session_expires_at ON latchkey_session (expires_at);

-- No foreign key: a session may be deleted before its last token.
ALTER TABLE latchkey_token ADD COLUMN session_id varchar(32) NULL;
-- HMAC of the Idempotency-Key that it was rotated with.
ALTER TABLE latchkey_token ADD COLUMN retry_key varchar(64) NULL;
-- The address that it was issued to.
ALTER TABLE latchkey_token ADD COLUMN ip varchar(45) NULL;
CREATE INDEX latchkey_token_session_id ON latchkey_token (session_id) WHERE session_id IS NOT NULL;
