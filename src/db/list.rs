//! Lists: rows in the order of a key, from a position on, under conditions. Each list supplies its SQL, the values are bound here.
//! For any request, a list reads at most `MAX_SCANNED` candidates per page, so that none takes long.

use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::conn::MultiBackend;
use super::page::{Cursor, MAX_SCANNED, Page, Paging};
use super::sql::{Sql, Value};
use super::types::{Instant, Moment, RowId, UserId};
use super::{Conn, DbError};

/// From the first (included) to the second (excluded); either end may be open.
pub type Period = (Option<Instant>, Option<Instant>);

/// Conditions, all of which must hold. The SQL is ours; the values are foreign and are always bound.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    text: String,
    values: Vec<Value<'static>>,
}

impl Conditions {
    /// Adds a condition, with a `?` for each value.
    pub(super) fn and(&mut self, text: &str, values: impl IntoIterator<Item = Value<'static>>) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.text.push_str(text);
        self.values.extend(values);
    }

    /// Adds the condition that a column has one of these values.
    pub(super) fn and_in(&mut self, column: &str, values: impl IntoIterator<Item = Value<'static>>) {
        let values: Vec<_> = values.into_iter().collect();
        // SQL has no empty lists, and nothing is equal to NULL.
        let marks = if values.is_empty() { "NULL".to_owned() } else { vec!["?"; values.len()].join(", ") };
        self.and(&format!("{column} IN ({marks})"), values);
    }

    /// Adds the condition that a time is within a period.
    pub(super) fn and_within(&mut self, column: &str, (from, to): Period) {
        if let Some(from) = from {
            self.and(&format!("{column} >= ?"), [from.into()]);
        }
        if let Some(to) = to {
            self.and(&format!("{column} < ?"), [to.into()]);
        }
    }

    /// The rows of a `SELECT … FROM …` for which the conditions hold.
    pub(super) fn select<T>(&self, conn: &mut Conn, select: &str, order: &str) -> Result<Vec<T>, DbError>
    where
        T: QueryableByName<MultiBackend> + 'static,
    {
        Ok(Sql::varying(&format!("{select}{} {order}", self.text), &self.values).load(conn)?)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds all of these conditions.
    pub(super) fn and_all(&mut self, more: &Self) {
        if !more.is_empty() {
            self.and(more.text.trim_start_matches(" WHERE "), more.values.clone());
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn values(&self) -> &[Value<'static>] {
        &self.values
    }

    fn with(&self, more: &Self) -> Self {
        let mut all = self.clone();
        all.and_all(more);
        all
    }
}

/// The order of a list. The primary key breaks ties.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// By primary key alone, a number.
    Key(&'static str),
    /// By primary key alone, that of a user.
    UserKey(&'static str),
    /// By a time, then by the primary key of a user.
    TimeUser(&'static str, &'static str),
    /// By a time, then by the primary key, a number.
    Time(&'static str, &'static str),
    /// By a time, then by the primary key, a text.
    TimeText(&'static str, &'static str),
    /// By a text that is unique.
    Text(&'static str),
}

impl Order {
    fn columns(self) -> Vec<&'static str> {
        match self {
            Self::Key(id) | Self::UserKey(id) | Self::Text(id) => vec![id],
            Self::Time(at, id) | Self::TimeUser(at, id) | Self::TimeText(at, id) => vec![at, id],
        }
    }

    fn by(self, descending: bool) -> String {
        let direction = if descending { " DESC" } else { "" };
        self.columns().iter().map(|column| format!("{column}{direction}")).collect::<Vec<_>>().join(", ")
    }

    /// Adds the condition that a row is beyond a position. A position that does not fit this order is ignored.
    fn beyond(self, conditions: &mut Conditions, sign: &str, place: &Cursor) {
        let number = || place.id.parse().ok().map(|id| RowId(id).into());
        let user = || UserId::parse(&place.id).map(Value::from);
        let text = |text: &str| Some(text.to_owned().into());
        let at = || place.instant().map(Value::from);
        let values: Option<Vec<Value<'static>>> = match self {
            Self::Key(_) => [number()].into_iter().collect(),
            Self::UserKey(_) => [user()].into_iter().collect(),
            Self::TimeUser(..) => [at(), user()].into_iter().collect(),
            Self::Text(_) => [text(&place.value)].into_iter().collect(),
            Self::Time(..) => [at(), number()].into_iter().collect(),
            Self::TimeText(..) => [at(), text(&place.id)].into_iter().collect(),
        };
        if let Some(values) = values {
            let marks = vec!["?"; values.len()].join(", ");
            conditions.and(&format!("({}) {sign} ({marks})", self.columns().join(", ")), values);
        }
    }

    /// The columns from which the position of a row is read: its time and its key.
    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Key(id) | Self::UserKey(id) => ("NULL", id),
            Self::Time(at, id) | Self::TimeUser(at, id) | Self::TimeText(at, id) => (at, id),
            Self::Text(text) => ("NULL", text),
        }
    }
}

/// A list.
pub(super) struct List {
    /// The columns of `SELECT`.
    pub(super) columns: &'static str,
    /// The tables of `FROM`, with all joins; `order` and `indexed` refer to the first one.
    pub(super) from: String,
    /// The first table of `from` alone.
    pub(super) first: String,
    /// The order.
    pub(super) order: Order,
    /// Conditions that the index behind `order` answers.
    pub(super) indexed: Conditions,
    /// All others.
    pub(super) others: Conditions,
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Nullable<Moment>)]
    at: Option<Instant>,
    #[diesel(sql_type = Text)]
    id: String,
}

impl List {
    /// One page. At most 2 statements.
    pub(super) fn page<T, C>(
        mut self,
        conn: &mut Conn,
        paging: &Paging<C>,
        place: impl Fn(&T) -> Cursor,
    ) -> Result<Page<T>, DbError>
    where
        T: QueryableByName<MultiBackend> + 'static,
    {
        let descending = paging.descending != paging.is_backwards();
        if let Some(from) = paging.cursor() {
            self.order.beyond(&mut self.indexed, if descending { "<" } else { ">" }, from);
        }
        let order = self.order.by(descending);
        let end = if self.others.is_empty() { None } else { self.end(conn, &order)? };
        let (text, values) = if end.is_some() {
            self.with_window(&order)
        } else {
            let all = self.indexed.with(&self.others);
            (format!("{}{}", self.from, all.text), all.values)
        };
        let text = format!("SELECT {} FROM {text} ORDER BY {order} LIMIT {}", self.columns, paging.limit());
        let rows = Sql::varying(&text, &values).load::<T>(conn)?;
        Ok(Page::new(rows, paging, end, place))
    }

    /// Selects the candidates in a subquery: neither database can tell from a bound how few they are, and would join whole tables
    /// or use the index of another condition.
    fn with_window(&self, order: &str) -> (String, Vec<Value<'static>>) {
        let name = self.first.rsplit(' ').next().unwrap_or_default();
        let window = format!(
            "(SELECT * FROM {}{} ORDER BY {order} LIMIT {MAX_SCANNED}) AS {name}",
            self.first, self.indexed.text
        );
        let text = format!("{}{}", self.from.replacen(&self.first, &window, 1), self.others.text);
        (text, [&self.indexed.values[..], &self.others.values].concat())
    }

    /// The position where the search stops, if the list is longer.
    fn end(&self, conn: &mut Conn, order: &str) -> Result<Option<Cursor>, DbError> {
        let (at, id) = self.order.place();
        // A bare NULL has no type on PostgreSQL.
        let at = if at == "NULL" && conn.is_postgres() { "NULL::timestamptz" } else { at };
        let text = format!(
            "SELECT {at} AS at, CAST({id} AS text) AS id FROM {}{} ORDER BY {order} LIMIT 1 OFFSET {}",
            self.first,
            self.indexed.text,
            MAX_SCANNED - 1
        );
        let place = Sql::varying(&text, &self.indexed.values).get_result::<Place>(conn).optional()?;
        Ok(place.map(|Place { at, id }| match (self.order, at) {
            (Order::Text(_), _) => Cursor { value: id, id: String::new() },
            (_, Some(at)) => Cursor::at(at, id),
            (_, None) => Cursor::key(id),
        }))
    }
}
