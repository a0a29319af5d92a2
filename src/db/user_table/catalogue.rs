//! What the database's catalogue says of the user table: its columns, which of them are unique, and which tables refer to it.
//! Only reads.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use crate::db::{Conn, DbError};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name, unquoted.
    pub name: String,
    /// The type, as far as it matters here.
    pub kind: Kind,
    /// The type as the database writes it, without a length: `character varying`, `citext`, `char(32)`.
    pub sql_type: String,
    /// Whether it accepts NULL.
    pub is_nullable: bool,
    /// Whether the database fills it in by itself.
    pub has_default: bool,
    /// Whether a unique index covers it alone.
    pub is_unique: bool,
    /// Of a text column with a limit: how many characters it takes.
    pub max_length: Option<usize>,
}

/// The types of columns that Django's fields have, as far as Latchkey reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `integer`, `bigint`
    Integer,
    /// `uuid`; on SQLite `char(32)`
    Uuid,
    /// `varchar`, `text`
    Text,
    /// `citext`: text that compares without case
    CiText,
    /// Text whose collation takes different texts for equal (PostgreSQL only); it has no `LIKE`.
    FoldedText,
    /// `boolean`
    Boolean,
    /// `timestamptz`; on SQLite `datetime`
    Moment,
    /// Anything else.
    Other,
}

impl Kind {
    /// Whether it is a text of some kind.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::CiText | Self::FoldedText)
    }
}

/// A foreign key: from a column of some table to a column of another.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct ForeignKey {
    /// The referring table, unquoted.
    #[diesel(sql_type = Text)]
    pub table: String,
    /// Its column, unquoted.
    #[diesel(sql_type = Text)]
    pub column: String,
    /// The schema of the table that it refers to, where the search path does not lead there.
    #[diesel(sql_type = Nullable<Text>)]
    pub target_schema: Option<String>,
    /// The table that it refers to, unquoted.
    #[diesel(sql_type = Text)]
    pub target: String,
    /// The column there.
    #[diesel(sql_type = Text)]
    pub target_column: String,
    /// How many columns the key has.
    #[diesel(sql_type = BigInt)]
    pub width: i64,
}

#[derive(QueryableByName)]
#[expect(clippy::struct_excessive_bools, reason = "columns of the query")]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    sql_type: String,
    #[diesel(sql_type = Bool)]
    is_nullable: bool,
    #[diesel(sql_type = Bool)]
    has_default: bool,
    #[diesel(sql_type = Bool)]
    is_unique: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    max_length: Option<i64>,
    #[diesel(sql_type = Bool)]
    is_nondeterministic: bool,
}

const POSTGRES_COLUMNS: &str = "\
    SELECT a.attname::text AS name, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL) AS sql_type, \
    NOT (a.attnotnull OR t.typnotnull) AS is_nullable, \
    (a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL) AS has_default, \
    EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid \
    AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS is_unique, \
    CASE WHEN a.atttypid IN (1042, 1043) AND a.atttypmod > 4 THEN (a.atttypmod - 4)::bigint END AS max_length, \
    NOT coalesce(c.collisdeterministic, true) AS is_nondeterministic \
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation \
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const SQLITE_COLUMNS: &str = "\
    SELECT c.name, lower(c.type) AS sql_type, c.\"notnull\" = 0 AND c.pk = 0 AS is_nullable, \
    c.dflt_value IS NOT NULL OR (c.pk = 1 AND lower(c.type) = 'integer') AS has_default, \
    (c.pk = 1 AND NOT EXISTS (SELECT 1 FROM pragma_table_info(?1) o WHERE o.pk > 1)) \
    OR EXISTS (SELECT 1 FROM pragma_index_list(?1) l WHERE l.\"unique\" = 1 AND l.partial = 0 \
    AND (SELECT count(*) FROM pragma_index_info(l.name)) = 1 \
    AND (SELECT i.name FROM pragma_index_info(l.name) i) = c.name) AS is_unique, \
    CAST(nullif(substr(c.type, instr(c.type, '(') + 1), c.type) AS integer) AS max_length, \
    false AS is_nondeterministic FROM pragma_table_info(?1) c ORDER BY c.cid";

/// The name of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// The schema, where the search path does not lead to the table.
    pub schema: Option<String>,
    /// The name, unquoted.
    pub name: String,
}

impl TableName {
    /// As it stands in a statement.
    pub fn quoted(&self) -> String {
        self.schema.iter().map(|schema| quoted(schema) + ".").chain([quoted(&self.name)]).collect()
    }
}

/// A name as it stands in a statement, on either database.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The columns of a table, in their order; none if there is no such table.
pub fn columns(conn: &mut Conn, table: &TableName) -> Result<Vec<Column>, DbError> {
    let (text, name) =
        if conn.is_postgres() { (POSTGRES_COLUMNS, table.quoted()) } else { (SQLITE_COLUMNS, table.name.clone()) };
    let rows: Vec<Row> = sql_query(text).bind::<Text, _>(name).load(conn)?;
    Ok(rows.into_iter().map(Column::from).collect())
}

impl From<Row> for Column {
    fn from(row: Row) -> Self {
        let kind = match kind(&row.sql_type) {
            Kind::Text if row.is_nondeterministic => Kind::FoldedText,
            kind => kind,
        };
        let max_length = row.max_length.and_then(|length| usize::try_from(length).ok()).filter(|_| kind.is_text());
        Self {
            name: row.name,
            kind,
            sql_type: row.sql_type,
            is_nullable: row.is_nullable,
            has_default: row.has_default,
            is_unique: row.is_unique,
            max_length,
        }
    }
}

/// The kind of a type, by the names that PostgreSQL's `format_type` and Django's SQLite use.
fn kind(sql_type: &str) -> Kind {
    let name = sql_type.split('(').next().unwrap_or_default().trim();
    match (name, sql_type) {
        ("integer" | "bigint" | "smallint" | "int" | "integer unsigned" | "bigint unsigned", _) => Kind::Integer,
        ("uuid", _) | (_, "char(32)") => Kind::Uuid,
        ("character varying" | "character" | "varchar" | "char" | "text", _) => Kind::Text,
        ("citext", _) => Kind::CiText,
        ("boolean" | "bool", _) => Kind::Boolean,
        ("timestamp with time zone" | "datetime", _) => Kind::Moment,
        _ => Kind::Other,
    }
}

const POSTGRES_KEYS: &str = "\
    SELECT t.relname::text AS \"table\", c.attname::text AS \"column\", \
    CASE WHEN NOT pg_table_is_visible(r.oid) THEN n.nspname::text END AS target_schema, r.relname::text AS target, \
    a.attname::text AS target_column, array_length(k.conkey, 1)::bigint AS width \
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid \
    JOIN pg_namespace n ON n.oid = r.relnamespace \
    JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1] \
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = k.confkey[1] \
    WHERE k.contype = 'f' AND k.conparentid = 0 AND pg_table_is_visible(t.oid) ORDER BY 1, 2, 3";

const SQLITE_KEYS: &str = "\
    SELECT m.name AS \"table\", f.\"from\" AS \"column\", NULL AS target_schema, f.\"table\" AS target, \
    coalesce(f.\"to\", (SELECT p.name FROM pragma_table_info(f.\"table\") p WHERE p.pk = 1), '') AS target_column, \
    (SELECT count(*) FROM pragma_foreign_key_list(m.name) o WHERE o.id = f.id) AS width \
    FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' AND f.seq = 0 ORDER BY 1, 2, 3";

/// All foreign keys of the tables that are in sight.
pub fn foreign_keys(conn: &mut Conn) -> Result<Vec<ForeignKey>, DbError> {
    Ok(sql_query(if conn.is_postgres() { POSTGRES_KEYS } else { SQLITE_KEYS }).load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_by_their_names_on_both_databases() {
        for (name, expected) in [
            ("integer", Kind::Integer),
            ("bigint", Kind::Integer),
            ("uuid", Kind::Uuid),
            ("char(32)", Kind::Uuid),
            ("varchar(150)", Kind::Text),
            ("character varying", Kind::Text),
            ("citext", Kind::CiText),
            ("bool", Kind::Boolean),
            ("datetime", Kind::Moment),
            ("timestamp with time zone", Kind::Moment),
            ("timestamp without time zone", Kind::Other),
            ("jsonb", Kind::Other),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
