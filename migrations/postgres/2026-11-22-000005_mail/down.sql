DROP TABLE latchkey_throttle;
DROP TABLE latchkey_device;
DROP TABLE latchkey_link;
DROP TABLE latchkey_mail;
ALTER TABLE latchkey_user DROP COLUMN email_confirmed_at;
ALTER TABLE latchkey_user DROP COLUMN confirmed_email;
