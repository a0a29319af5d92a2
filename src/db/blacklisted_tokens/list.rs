//! The panel's list of blacklisted tokens: filtered, ordered, one page at a time.

use super::{COLUMNS, Listed};
use crate::db::list::{Conditions, List, Order, Period};
use crate::db::outstanding_tokens::list::newest_of;
use crate::db::page::{Cursor, MAX_SCANNED, Page, Paging};
use crate::db::types::{RowId, UserId};
use crate::db::user_table::UserTable;
use crate::db::{Conn, DbError};

/// What the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By primary key, which is the order of blacklisting.
    Blacklisted,
    /// By the token's `expires_at`.
    Expires,
}

/// Which blacklisted tokens are wanted: all conditions hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these users.
    pub owners: Option<Vec<UserId>>,
    /// With this jti.
    pub jti: Option<String>,
    /// Of this session.
    pub session: Option<String>,
    /// For this reason (`latchkey_token.blacklist_reason`); empty for tokens blacklisted by Django, which keeps none.
    pub reason: Option<String>,
    /// Blacklisted in this period.
    pub blacklisted: Option<Period>,
    /// Expiring in this period.
    pub expires: Option<Period>,
}

/// The table with the column of the order and its index.
#[derive(Clone, Copy)]
enum First {
    /// The blacklist entries.
    Entries,
    /// The tokens.
    Tokens,
    /// `latchkey_token`, which has an index on the reason.
    Reasons,
}

impl First {
    fn tables(self, users: &UserTable) -> (&'static str, String) {
        let users = users.source();
        match self {
            Self::Entries => (
                "token_blacklist_blacklistedtoken b",
                format!(
                    "token_blacklist_blacklistedtoken b JOIN token_blacklist_outstandingtoken o ON o.id = b.token_id \
                 LEFT JOIN latchkey_token k ON k.token_id = b.token_id LEFT JOIN {users} u ON u.id = o.user_id \
                 LEFT JOIN latchkey_session s ON s.id = k.session_id"
                ),
            ),
            Self::Tokens => (
                "token_blacklist_outstandingtoken o",
                format!(
                    "token_blacklist_outstandingtoken o JOIN token_blacklist_blacklistedtoken b ON b.token_id = o.id \
                 LEFT JOIN latchkey_token k ON k.token_id = o.id LEFT JOIN {users} u ON u.id = o.user_id \
                 LEFT JOIN latchkey_session s ON s.id = k.session_id"
                ),
            ),
            Self::Reasons => (
                "latchkey_token k",
                format!(
                    "latchkey_token k JOIN token_blacklist_blacklistedtoken b ON b.token_id = k.token_id \
                 JOIN token_blacklist_outstandingtoken o ON o.id = k.token_id LEFT JOIN {users} u ON u.id = o.user_id \
                 LEFT JOIN latchkey_session s ON s.id = k.session_id"
                ),
            ),
        }
    }
}

impl Filter {
    /// Whether "newest first" refers to the tokens: that is the order of the indexes that find the tokens of a user or of a
    /// session, or those blacklisted for a reason.
    pub fn is_by_token(&self) -> bool {
        self.is_of_few() || self.blacklisted.is_none() && self.has_rare_reason()
    }

    fn is_of_few(&self) -> bool {
        self.owners.is_some() || self.jti.is_some() || self.session.is_some()
    }

    /// Whether there is an index for the reason: not for rotations, which are too many.
    fn has_rare_reason(&self) -> bool {
        self.reason.as_deref().is_some_and(|reason| !reason.is_empty() && reason != "rotated")
    }
}

/// A page of blacklisted tokens. At most 2 statements.
pub fn search(
    conn: &mut Conn,
    users: &UserTable,
    filter: &Filter,
    paging: &Paging<Sort>,
) -> Result<Page<Listed>, DbError> {
    let by_expiry = paging.sort == Sort::Expires;
    let cut = if by_expiry { newest_of(conn, filter.owners.as_deref())? } else { None };
    let (first, order) = if by_expiry && filter.is_of_few() {
        // The tokens of a user are found through another index, and then sorted.
        (First::Tokens, Order::Time("coalesce(o.expires_at, NULL)", "o.id"))
    } else if by_expiry {
        (First::Tokens, Order::Time("o.expires_at", "o.id"))
    } else if filter.is_of_few() {
        (First::Tokens, Order::Key("o.id"))
    } else if filter.blacklisted.is_some() {
        (First::Entries, Order::Time("b.blacklisted_at", "b.id"))
    } else if filter.has_rare_reason() {
        (First::Reasons, Order::Key("k.token_id"))
    } else {
        (First::Entries, Order::Key("b.id"))
    };
    let mut list = conditions(users, filter, first, order);
    if let Some(from) = cut {
        list.indexed.and("o.id >= ?", [RowId(from).into()]);
    }
    let page = list.page(conn, paging, |row: &Listed| match order {
        Order::Time(..) if by_expiry => Cursor::at(row.expires_at, row.token_id),
        Order::Time(..) => Cursor::at(row.blacklisted_at, row.id),
        Order::Key("b.id") => Cursor::key(row.id),
        _ => Cursor::key(row.token_id),
    })?;
    Ok(Page { looked_at: page.looked_at.or(cut.map(|_| MAX_SCANNED)), ..page })
}

fn conditions(users: &UserTable, filter: &Filter, first: First, order: Order) -> List {
    let (mut indexed, mut others) = (Conditions::default(), Conditions::default());
    // Only conditions on the first table can use its index.
    let of_tokens = if matches!(first, First::Tokens) { &mut indexed } else { &mut others };
    if let Some(owners) = &filter.owners {
        of_tokens.and_in("o.user_id", owners.iter().map(|id| (*id).into()));
    }
    if let Some(jti) = &filter.jti {
        of_tokens.and("o.jti = ?", [jti.clone().into()]);
    }
    if let Some(session) = &filter.session {
        of_tokens.and("o.id IN (SELECT token_id FROM latchkey_token WHERE session_id = ?)", [session.clone().into()]);
    }
    of_tokens.and_within("o.expires_at", filter.expires.unwrap_or_default());
    let of_entries = if matches!(first, First::Entries) { &mut indexed } else { &mut others };
    of_entries.and_within("b.blacklisted_at", filter.blacklisted.unwrap_or_default());
    match filter.reason.as_deref() {
        Some("") => others.and("k.blacklist_reason IS NULL", []),
        // The index excludes rotations, and SQLite uses it only if the query does too.
        Some(reason) if matches!(first, First::Reasons) => {
            indexed.and("k.blacklist_reason = ? AND k.blacklist_reason <> 'rotated'", [reason.to_owned().into()]);
        }
        Some(reason) => others.and("k.blacklist_reason = ?", [reason.to_owned().into()]),
        None => {}
    }
    let (first, from) = first.tables(users);
    List { columns: COLUMNS, from, first: first.to_owned(), order, indexed, others }
}
