//! Bars drawn on the server, and the same figures as a table. An SVG holds bars only, with their sizes as attributes; it
//! is stretched to its card, so every word around it is HTML. The template is `includes/chart.html`.

use super::words::commas;

/// Width of a bar with the gap behind it, and of the bar alone.
const STEP: usize = 10;
const BAR: usize = 8;
/// The least height of a bar that is not zero: it must be seen.
const LEAST: f64 = 1.0;

/// A picture of bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// The sentence for those who cannot see it.
    pub label: String,
    /// Its coordinates.
    pub width: usize,
    /// Its coordinates.
    pub height: usize,
    /// Where the line between up and down is.
    pub zero: Option<String>,
    /// One group for each period.
    pub groups: Vec<Group>,
}

/// The bars of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What they say when they are pointed at.
    pub title: String,
    /// The bars; none for zero.
    pub rects: Vec<Rect>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Rect {
    /// Its colour's class, or nothing.
    pub class: &'static str,
    /// Its place.
    pub x: usize,
    /// Its place.
    pub y: String,
    /// Its size.
    pub width: usize,
    /// Its size.
    pub height: String,
}

/// What is drawn: how often it happened in each period.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// What it is called, in the title of a bar.
    pub name: &'a str,
    /// The figures, as many as periods.
    pub values: &'a [i64],
    /// The class of its bars.
    pub class: &'static str,
}

impl Series<'_> {
    /// All together.
    pub fn sum(&self) -> i64 {
        self.values.iter().sum()
    }

    /// The most in one period.
    pub fn peak(&self) -> i64 {
        self.values.iter().copied().max().unwrap_or(0)
    }
}

/// A row of bars, as high as the row is at the most.
pub fn row(label: String, periods: &[String], series: Series<'_>) -> Bars {
    const HEIGHT: usize = 48;
    let unit = units(HEIGHT - 2, series.peak());
    let groups = periods.iter().zip(series.values).enumerate().map(|(at, (period, value))| Group {
        title: format!("{period}: {}", commas(*value)),
        rects: bar(series.class, at, *value, unit, |height| coordinate(HEIGHT) - height).into_iter().collect(),
    });
    Bars { label, width: periods.len() * STEP, height: HEIGHT, zero: None, groups: groups.collect() }
}

/// One series up and one down, to the same scale, so that both can be compared.
pub fn up_and_down(label: String, periods: &[String], up: Series<'_>, down: Series<'_>) -> Bars {
    const HEIGHT: usize = 150;
    let whole = (up.peak() + down.peak()).max(1);
    let unit = units(HEIGHT - 8, whole);
    // Between the least bars the line keeps a distance to both ends.
    let zero = (figure(up.peak()) * unit + 3.5).clamp(6.0, coordinate(HEIGHT) - 6.0);
    let groups = periods.iter().enumerate().map(|(at, period)| {
        let (above, below) = (value(up, at), value(down, at));
        let rects = bar(up.class, at, above, unit, |height| zero - 1.5 - height).into_iter().chain(bar(
            down.class,
            at,
            below,
            unit,
            |_| zero + 1.5,
        ));
        let title = format!("{period}: {} {}, {} {}", commas(above), up.name, commas(below), down.name);
        Group { title, rects: rects.collect() }
    });
    let groups = groups.collect();
    Bars { label, width: periods.len() * STEP, height: HEIGHT, zero: Some(decimal(zero)), groups }
}

fn value(series: Series<'_>, at: usize) -> i64 {
    series.values.get(at).copied().unwrap_or(0)
}

fn bar(class: &'static str, at: usize, value: i64, unit: f64, y: impl Fn(f64) -> f64) -> Option<Rect> {
    let height = (figure(value) * unit).max(LEAST);
    let rect = || Rect { class, x: at * STEP + 1, y: decimal(y(height)), width: BAR, height: decimal(height) };
    (value > 0).then(rect)
}

/// How high one is, where `most` fill the room.
fn units(room: usize, most: i64) -> f64 {
    coordinate(room) / figure(most.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "a pixel of a picture")]
fn figure(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn coordinate(value: usize) -> f64 {
    value as f64
}

fn decimal(value: f64) -> String {
    format!("{value:.1}")
}

/// The same figures as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// What the first column is: `Hour`, `Day`.
    pub period: &'static str,
    /// The other columns.
    pub columns: Vec<String>,
    /// The period, and a figure for each column.
    pub rows: Vec<(String, Vec<String>)>,
}

/// The table of some series.
pub fn table(caption: String, period: &'static str, periods: &[String], series: &[(&str, &[i64])]) -> Table {
    let figures = |at: usize| series.iter().map(|(_, values)| commas(values.get(at).copied().unwrap_or(0))).collect();
    Table {
        caption,
        period,
        columns: series.iter().map(|(name, _)| (*name).to_owned()).collect(),
        rows: periods.iter().enumerate().map(|(at, period)| (period.clone(), figures(at))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn periods() -> Vec<String> {
        ["10:00", "11:00", "12:00"].map(str::to_owned).to_vec()
    }

    #[test]
    fn the_highest_bar_fills_its_row_and_zero_has_none() {
        let series = Series { name: "issued", values: &[0, 46, 1000], class: "" };
        let bars = row("Issued".to_owned(), &periods(), series);
        assert_eq!((bars.width, bars.height, bars.groups[0].rects.len()), (30, 48, 0));
        assert_eq!(bars.groups[2].title, "12:00: 1,000");
        let rect = &bars.groups[2].rects[0];
        assert_eq!((rect.x, &*rect.y, &*rect.height), (21, "2.0", "46.0"));
        assert_eq!(bars.groups[1].rects[0].height, "2.1");
    }

    #[test]
    fn a_bar_that_is_not_zero_can_be_seen() {
        let series = Series { name: "x", values: &[1, i64::MAX, 0], class: "" };
        assert_eq!(row(String::new(), &periods(), series).groups[0].rects[0].height, "1.0");
    }

    #[test]
    fn up_and_down_share_a_scale_and_stay_within_the_picture() {
        for (up, down) in
            [([5, 0, 9], [0, 3, 1]), ([0, 0, 0], [0, 0, 0]), ([0, 0, 0], [7, 1, 0]), ([4, 1, 0], [0, 0, 0])]
        {
            let series = |name, values| Series { name, values, class: "" };
            let bars = up_and_down(String::new(), &periods(), series("up", &up), series("down", &down));
            for rect in bars.groups.iter().flat_map(|group| &group.rects) {
                let (y, height): (f64, f64) = (rect.y.parse().unwrap(), rect.height.parse().unwrap());
                assert!(y >= 0.0 && y + height <= 150.0, "{up:?} {down:?} {rect:?}");
            }
        }
    }

    #[test]
    fn a_table_has_every_figure() {
        let table =
            table("x".to_owned(), "Hour", &periods(), &[("Issued", &[1, 2, 3000]), ("Blacklisted", &[0, 0, 4])]);
        assert_eq!(table.columns, ["Issued", "Blacklisted"]);
        assert_eq!(table.rows[2], ("12:00".to_owned(), vec!["3,000".to_owned(), "4".to_owned()]));
    }
}
