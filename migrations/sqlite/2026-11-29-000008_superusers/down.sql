DROP TABLE latchkey_superuser;
