-- The rows of scripts/fill, for SQLite and PostgreSQL. The script replaces the :names, and gives both databases
-- numbers(n), moment(microseconds), base64url(text) and md5(text).
--
-- Tokens are numbered in the order in which they were made, one every :step microseconds. Number n sits in slot
-- n % :slots, and each slot gets a token in each of 20 rounds. A slot is one of four kinds (its number modulo 20):
-- 0 to 7 are tokens that Django wrote and that are not rotated, 8 to 10 sessions of one token, 11 to 14 sessions of four,
-- and 15 to 19 sessions of ten. So everything about a token can be computed from its number.

-- ---- words

CREATE TEMPORARY TABLE word (kind text NOT NULL, k integer NOT NULL, word text NOT NULL, PRIMARY KEY (kind, k));
INSERT INTO word (kind, k, word) VALUES
    ('first', 0, 'Alice'), ('first', 1, 'Lena'), ('first', 2, 'Tomas'), ('first', 3, 'Priya'), ('first', 4, 'Jonas'),
    ('first', 5, 'Mei'), ('first', 6, 'Omar'), ('first', 7, 'Zofia'), ('first', 8, 'Ines'), ('first', 9, 'Kofi'),
    ('last', 0, 'Weiss'), ('last', 1, 'Reis'), ('last', 2, 'Nakamura'), ('last', 3, 'Okafor'), ('last', 4, 'Lindqvist'),
    ('last', 5, 'Moreau'), ('last', 6, 'Kowalska'), ('last', 7, 'Haddad'), ('last', 8, 'Murphy'), ('last', 9, 'Silva'),
    ('agent', 0, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'),
    ('agent', 1, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'),
    ('agent', 2, 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15'),
    ('agent', 3, 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'),
    ('agent', 4, 'okhttp/4.12.0'),
    -- The events in the rollup, with their frequency. It also counts the reasons below.
    ('event', 40, 'login'), ('event', 12, 'login.failed'), ('event', 90, 'token.refresh'), ('event', 130, 'token.create'),
    ('event', 1, 'session.reuse'), ('event', 3, 'user.create'), ('event', 88, 'blacklisted.rotated'),
    -- Why a session or a token ended, except for rotation; frequent reasons are repeated.
    ('reason', 0, 'logout'), ('reason', 1, 'logout'), ('reason', 2, 'logout'), ('reason', 3, 'logout'),
    ('reason', 4, 'logout'), ('reason', 5, 'logout'), ('reason', 6, 'logout'), ('reason', 7, 'logout_all'),
    ('reason', 8, 'logout_others'), ('reason', 9, 'blacklist'), ('reason', 10, 'blacklist'), ('reason', 11, 'revoke'),
    ('reason', 12, 'session_end'), ('reason', 13, 'session_end'), ('reason', 14, 'password_change'),
    ('reason', 15, 'admin'), ('reason', 16, 'idle'), ('reason', 17, 'max_age'), ('reason', 18, 'deactivated'),
    ('reason', 19, 'reuse');

-- ---- users: 20 superusers, 200 staff, one in fifty inactive. Number 7 is a robot with 1% of the tokens.

INSERT INTO auth_user (id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff,
                       is_active, date_joined)
SELECT n, ':password', CASE WHEN n % 10 < 9 THEN moment(:now - (n * 7919 % 5184000) * 1000000) END, n <= 20,
       CASE WHEN n = 1 THEN 'admin' WHEN n = 7 THEN 'robot' ELSE lower(f.word || '.' || l.word) || n END,
       f.word, l.word, lower(f.word || '.' || l.word) || n || '@example.com', n <= 200, n <= 200 OR n % 50 <> 0,
       moment(:now - (60 + (:users - n) * 1000 / :users) * 86400000000)
FROM numbers JOIN word f ON f.kind = 'first' AND f.k = n % 10 JOIN word l ON l.kind = 'last' AND l.k = n / 10 % 10
WHERE n <= :users ORDER BY n;

INSERT INTO latchkey_user (user_id, uuid)
SELECT n, substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-'
       || substr(h, 21, 12)
FROM (SELECT n, md5('user' || n) AS h FROM numbers WHERE n <= :users) hashed ORDER BY n;

-- ---- tokens

-- The place of a token: slot, round, length of its chains, position in its chain (from 0), and a pseudo-random number.
CREATE TEMPORARY VIEW place AS
SELECT n, slot, round, chain, (round + slot / 20) % chain AS step, n * 2654435761 % 4294967296 / 65536 AS chance,
       :start + n * :step AS created
FROM (SELECT n, n % :slots AS slot, (n - 1) / :slots AS round,
             CASE WHEN n % :slots % 20 < 11 THEN 1 WHEN n % :slots % 20 < 15 THEN 4 ELSE 10 END AS chain
      FROM numbers WHERE n <= :tokens) numbered;

-- Its fate: `origin` is the first token of its chain, `ends` is when it is blacklisted.
CREATE TEMPORARY VIEW fate AS
SELECT *, CASE WHEN step < round THEN n - step * :slots ELSE n - round * :slots END AS origin,
       step < chain - 1 AND round < 19 AS is_rotated,
       NOT (step < chain - 1 AND round < 19) AND chance % 1000 < :ended AS is_ended,
       CASE WHEN step < chain - 1 AND round < 19 THEN created + :round
            ELSE created + chance % 997 * (CASE WHEN round < 19 THEN :round ELSE :now - created END / 1000) END AS ends
FROM place;

-- The user of a chain: NULL if Django deleted them.
CREATE TEMPORARY VIEW token AS
SELECT fate.*, CASE WHEN slot % 1000 = 13 THEN NULL WHEN slot % 100 = 17 THEN 7
                    ELSE 1 + origin * 2654435761 % 4294967296 % :users END AS user_id,
       slot % 20 >= 8 AND slot % 1000 <> 13 AS is_ours, reason.word AS reason
FROM fate LEFT JOIN word reason ON reason.kind = 'reason' AND reason.k = chance / 1000 % 20;

INSERT INTO token_blacklist_outstandingtoken (id, token, created_at, expires_at, user_id, jti)
SELECT n, 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.' || base64url('{"token_type":"refresh","exp":'
       || (created / 1000000 + :life) || ',"iat":' || (created / 1000000) || ',"jti":"' || jti || '","user_id":"'
       || coalesce(user_id, 0) || '"}'), moment(created), moment((created / 1000000 + :life) * 1000000), user_id, jti
FROM (SELECT *, md5('token' || n) AS jti FROM token) made ORDER BY n;

INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id)
SELECT moment(ends), n FROM token WHERE is_rotated OR is_ended ORDER BY ends, n;

INSERT INTO latchkey_token (token_id, rotated_from, rotated_at, blacklist_reason, blacklisted_by, kid, session_id, ip)
SELECT n, CASE WHEN n <> origin THEN n - :slots END, CASE WHEN is_rotated THEN moment(ends) END,
       CASE WHEN is_rotated THEN 'rotated' WHEN is_ended THEN reason END,
       CASE WHEN is_ended AND reason = 'admin' THEN 'admin' WHEN is_rotated OR is_ended THEN 'Latchkey' END,
       'c5b6dfb2e0f14b1f9d0d6c1c6a5fbd10', md5('session' || origin), '198.51.100.' || origin % 256
FROM token WHERE is_ours ORDER BY n;

-- Each session is written from the last token of its chain.
INSERT INTO latchkey_session (id, user_id, created_at, last_refreshed_at, expires_at, ended_at, end_reason, ended_by,
                              ip, user_agent, label)
SELECT md5('session' || origin), user_id, moment(:start + origin * :step),
       CASE WHEN n <> origin THEN moment(created) END, moment((created / 1000000 + :life) * 1000000),
       CASE WHEN is_ended THEN moment(ends) END, CASE WHEN is_ended THEN reason END,
       CASE WHEN is_ended THEN CASE reason WHEN 'admin' THEN 'admin' ELSE 'Latchkey' END END,
       '198.51.100.' || (origin % 256), agent.word, CASE WHEN origin % 50 = 0 THEN 'Laptop at work' ELSE '' END
FROM token JOIN word agent ON agent.kind = 'agent' AND agent.k = chance % 5
WHERE is_ours AND NOT is_rotated ORDER BY origin;

-- ---- audit log: two thirds are logins, one sixth failed logins, the rest mostly actions of administrators

INSERT INTO latchkey_audit_log (at, action, actor_id, actor, ip, user_id, object, detail, count, last_at, source)
SELECT moment(at), action, CASE WHEN is_admin THEN 1 ELSE u.id END, CASE WHEN is_admin THEN 'admin' ELSE u.username END,
       '203.0.113.' || (n % 256), u.id, CASE WHEN is_token THEN md5('token' || (1 + n % :tokens)) ELSE u.username END, '{}',
       CASE WHEN action = 'login.failed' THEN 1 + n % 40 ELSE 1 END,
       CASE WHEN action = 'login.failed' THEN moment(at + 40000000) END,
       CASE WHEN action = 'login.failed' THEN 'source ' || n END
FROM (SELECT n, :now - (:entries - n) * (31536000000000 / :entries) AS at, 1 + n * 2654435761 % 4294967296 % :users AS user_id,
             CASE WHEN n % 6 < 4 THEN 'login' WHEN n % 6 = 4 THEN 'login.failed' WHEN n % 600 = 5 THEN 'session.reuse'
                  WHEN n % 60 = 11 THEN 'user.change' WHEN n % 60 = 17 THEN 'token.blacklist' WHEN n % 60 = 23 THEN 'token.reveal'
                  WHEN n % 60 = 29 THEN 'admin.login' ELSE 'logout' END AS action,
             n % 60 IN (11, 17, 23, 29) AS is_admin, n % 60 IN (17, 23) OR n % 600 = 5 AS is_token
      FROM numbers WHERE n <= :entries) entry
JOIN auth_user u ON u.id = entry.user_id ORDER BY n;

-- ---- rollup: 400 days by the hour, more by day than by night; and the hourly statistics

INSERT INTO latchkey_rollup (event, hour, shard, count)
SELECT event, moment((:now / 3600000000 - n + 1) * 3600000000), 0,
       often * (10 + n * 7919 % 13) * CASE WHEN (:now / 3600000000 - n) % 24 BETWEEN 7 AND 20 THEN 4 ELSE 1 END / 10
FROM numbers
CROSS JOIN (SELECT word AS event, k AS often FROM word WHERE kind = 'event'
            UNION ALL SELECT 'blacklisted.' || word, 1 + count(*) FROM word WHERE kind = 'reason' GROUP BY word) counted
WHERE n <= 9600;

DELETE FROM latchkey_statistic;
INSERT INTO latchkey_statistic (name, value, counted_at)
SELECT name, value, moment(:now) FROM (
    SELECT 'users' AS name, count(*) AS value FROM auth_user
    UNION ALL SELECT 'active_sessions', count(*) FROM latchkey_session
              WHERE expires_at > moment(:now) AND ended_at IS NULL
    UNION ALL SELECT 'outstanding', count(*) FROM token_blacklist_outstandingtoken
    UNION ALL SELECT 'blacklisted', count(*) FROM token_blacklist_blacklistedtoken
    UNION ALL SELECT 'rotated', count(*) FROM latchkey_token WHERE rotated_at IS NOT NULL
    UNION ALL SELECT 'expired_waiting', count(*) FROM token_blacklist_outstandingtoken WHERE expires_at <= moment(:now)
    UNION ALL SELECT 'live', count(*) FROM token_blacklist_outstandingtoken o WHERE expires_at > moment(:now)
              AND NOT EXISTS (SELECT 1 FROM token_blacklist_blacklistedtoken b WHERE b.token_id = o.id)) counted;
