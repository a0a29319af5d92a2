DROP TABLE latchkey_audit_log;
DROP TABLE latchkey_admin_session;
DROP TABLE latchkey_token;
DROP TABLE latchkey_user;
