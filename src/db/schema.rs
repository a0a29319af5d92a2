//! The tables: Django's two of tokens under our names, and ours (`latchkey_*`). See `migrations/`.
#![allow(missing_docs, reason = "the columns are named for what they hold")]

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    #[sql_name = "token_blacklist_outstandingtoken"]
    outstanding_tokens (id) {
        id -> Key,
        token -> Text,
        created_at -> Nullable<Moment>,
        expires_at -> Moment,
        user_id -> Nullable<UserKey>,
        jti -> Text,
    }
}

table! {
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    #[sql_name = "token_blacklist_blacklistedtoken"]
    blacklisted_tokens (id) {
        id -> Key,
        blacklisted_at -> Moment,
        token_id -> Key,
    }
}

table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// What we know about a user besides Django's columns.
    latchkey_user (user_id) {
        user_id -> UserKey,
        uuid -> Text,
        confirmed_email -> Nullable<Text>,
        email_confirmed_at -> Nullable<Moment>,
        second_factor_required -> Bool,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// What we know about an outstanding token besides Django's columns.
    latchkey_token (token_id) {
        token_id -> Key,
        rotated_from -> Nullable<Key>,
        rotated_at -> Nullable<Moment>,
        blacklist_reason -> Nullable<Text>,
        blacklisted_by -> Nullable<Text>,
        kid -> Nullable<Text>,
        session_id -> Nullable<Text>,
        retry_key -> Nullable<Text>,
        ip -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Sessions: logins and what follows from them.
    latchkey_session (id) {
        id -> Text,
        user_id -> UserKey,
        created_at -> Moment,
        last_refreshed_at -> Nullable<Moment>,
        expires_at -> Moment,
        ended_at -> Nullable<Moment>,
        end_reason -> Nullable<Text>,
        ended_by -> Nullable<Text>,
        ip -> Nullable<Text>,
        user_agent -> Text,
        label -> Text,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Logins to the panel.
    latchkey_admin_session (id) {
        id -> Key,
        key_hash -> Text,
        user_id -> UserKey,
        state -> Text,
        created_at -> Moment,
        last_seen_at -> Moment,
        expires_at -> Moment,
        ip -> Nullable<Text>,
        user_agent -> Text,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Who did what, and when.
    latchkey_audit_log (id) {
        id -> Key,
        at -> Moment,
        action -> Text,
        actor_id -> Nullable<UserKey>,
        actor -> Text,
        ip -> Nullable<Text>,
        user_id -> Nullable<UserKey>,
        object -> Text,
        detail -> Text,
        count -> Integer,
        last_at -> Nullable<Moment>,
        source -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Integer, Text};
    use crate::db::types::Moment;

    /// How often each event happened in each hour.
    latchkey_rollup (event, hour, shard) {
        event -> Text,
        hour -> Moment,
        shard -> Integer,
        count -> BigInt,
    }
}

table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::db::types::Moment;

    /// Counts that take too long for a page.
    latchkey_statistic (name) {
        name -> Text,
        value -> BigInt,
        counted_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Queued mail, and the result of each.
    latchkey_mail (id) {
        id -> Key,
        created_at -> Moment,
        user_id -> Nullable<UserKey>,
        recipient -> Text,
        subject -> Text,
        template -> Text,
        parameters -> Text,
        secret -> Nullable<Text>,
        status -> Text,
        attempts -> Integer,
        next_at -> Nullable<Moment>,
        give_up_at -> Moment,
        claim -> Nullable<Text>,
        done_at -> Nullable<Moment>,
        error -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::Text;
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Mailed links.
    latchkey_link (token_hash) {
        token_hash -> Text,
        purpose -> Text,
        user_id -> UserKey,
        email -> Text,
        state -> Text,
        network -> Text,
        created_at -> Moment,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::Text;
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Where users logged in from.
    latchkey_device (user_id, network, name) {
        user_id -> UserKey,
        network -> Text,
        name -> Text,
        first_login_at -> Moment,
        last_login_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{BigInt, Integer};
    use crate::db::types::Moment;

    /// Counts of login attempts.
    latchkey_throttle (bucket) {
        bucket -> BigInt,
        failures -> Integer,
        last_at -> Moment,
        free_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Confirmed second factors.
    latchkey_second_factor (id) {
        id -> Key,
        user_id -> UserKey,
        kind -> Text,
        name -> Text,
        data -> Text,
        credential_id -> Nullable<Text>,
        last_step -> Nullable<BigInt>,
        created_at -> Moment,
        last_used_at -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Recovery codes.
    latchkey_recovery_code (user_id, code_hash) {
        user_id -> UserKey,
        code_hash -> Text,
        created_at -> Moment,
        used_at -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Pending challenges.
    latchkey_challenge (token_hash) {
        token_hash -> Text,
        purpose -> Text,
        user_id -> UserKey,
        what -> Text,
        network -> Text,
        state -> Text,
        tries -> Integer,
        code_hash -> Nullable<Text>,
        code_expires_at -> Nullable<Moment>,
        secret -> Nullable<Text>,
        created_at -> Moment,
        expires_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Remembered browsers.
    latchkey_browser (token_hash) {
        token_hash -> Text,
        id -> Text,
        user_id -> UserKey,
        state -> Text,
        created_at -> Moment,
        last_used_at -> Moment,
        expires_at -> Moment,
        ip -> Nullable<Text>,
        user_agent -> Text,
    }
}

table! {
    use diesel::sql_types::{Bool, Text};
    use crate::db::types::{Key, Moment};
    use crate::db::user_id::UserKey;

    /// Logins to the account pages.
    latchkey_account_session (token_hash) {
        token_hash -> Text,
        user_id -> UserKey,
        by_factor -> Bool,
        network -> Text,
        state -> Text,
        created_at -> Moment,
        expires_at -> Moment,
    }
}

joinable!(blacklisted_tokens -> outstanding_tokens (token_id));
allow_tables_to_appear_in_same_query!(
    outstanding_tokens,
    blacklisted_tokens,
    latchkey_user,
    latchkey_token,
    latchkey_session,
    latchkey_admin_session,
    latchkey_audit_log,
    latchkey_rollup,
    latchkey_statistic,
    latchkey_mail,
    latchkey_link,
    latchkey_device,
    latchkey_throttle,
    latchkey_second_factor,
    latchkey_recovery_code,
    latchkey_challenge,
    latchkey_browser,
    latchkey_account_session,
);
