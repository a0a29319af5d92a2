DROP INDEX latchkey_mail_due;
DROP TABLE latchkey_browser;
DROP TABLE latchkey_challenge;
DROP TABLE latchkey_recovery_code;
DROP TABLE latchkey_second_factor;
ALTER TABLE latchkey_user DROP COLUMN second_factor_required;
