-- Failed logins of one source within a minute share one row, which is found by its source and has a count.
ALTER TABLE latchkey_audit_log ADD COLUMN count integer NOT NULL DEFAULT 1;
ALTER TABLE latchkey_audit_log ADD COLUMN last_at datetime NULL;
ALTER TABLE latchkey_audit_log ADD COLUMN source varchar(100) NULL;
CREATE UNIQUE INDEX latchkey_audit_log_source ON latchkey_audit_log (source) WHERE source IS NOT NULL;
CREATE INDEX latchkey_audit_log_at ON latchkey_audit_log (at, id);
CREATE INDEX latchkey_audit_log_action ON latchkey_audit_log (action, id);
CREATE INDEX latchkey_audit_log_actor ON latchkey_audit_log (actor, id);

-- How often an event happened in an hour, written in the event's own transaction. Shards keep connections apart.
CREATE TABLE latchkey_rollup (
    event varchar(40) NOT NULL,
    hour datetime NOT NULL,
    shard integer NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (event, hour, shard)
) WITHOUT ROWID;

-- Counts that take too long for a page, taken regularly in the background.
CREATE TABLE latchkey_statistic (
    name varchar(40) NOT NULL PRIMARY KEY,
    value bigint NOT NULL,
    counted_at datetime NOT NULL
) WITHOUT ROWID;

-- Tokens up to these keys are not in the rollup yet: the server counts them in the background.
INSERT INTO latchkey_statistic (name, value, counted_at)
    SELECT 'backfill.outstanding', coalesce(max(id), 0), strftime('%Y-%m-%d %H:%M:%S', 'now') FROM token_blacklist_outstandingtoken;
INSERT INTO latchkey_statistic (name, value, counted_at)
    SELECT 'backfill.blacklisted', coalesce(max(id), 0), strftime('%Y-%m-%d %H:%M:%S', 'now') FROM token_blacklist_blacklistedtoken;

-- Indexes for the filters and orders of the panel's lists.
CREATE INDEX latchkey_token_blacklist_reason ON latchkey_token (blacklist_reason, token_id)
    WHERE blacklist_reason <> 'rotated';
DROP INDEX latchkey_session_user_id;
CREATE INDEX latchkey_session_user_id ON latchkey_session (user_id, created_at, id);
CREATE INDEX latchkey_session_created_at ON latchkey_session (created_at, id);
CREATE INDEX latchkey_session_end_reason ON latchkey_session (end_reason, created_at, id) WHERE end_reason IS NOT NULL;
