DROP INDEX latchkey_token_session_id;
ALTER TABLE latchkey_token DROP COLUMN ip;
ALTER TABLE latchkey_token DROP COLUMN retry_key;
ALTER TABLE latchkey_token DROP COLUMN session_id;
DROP TABLE latchkey_session;
