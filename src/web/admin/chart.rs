//! Bar charts drawn on the server, and the same figures as a table. An SVG contains only bars, because it is stretched to
//! its card; all text around it is HTML. The template is `includes/chart.html`.

use super::words::commas;

/// Width of a bar with its gap, and of the bar alone.
const BAR_PITCH: usize = 10;
const BAR_WIDTH: usize = 8;
/// The height below which a bar could not be seen.
const MIN_HEIGHT: f64 = 1.0;

/// A bar chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// The text for screen readers.
    pub label: String,
    /// The width of the view box.
    pub width: usize,
    /// The height of the view box.
    pub height: usize,
    /// The y coordinate of the zero line, if there is one.
    pub zero: Option<String>,
    /// One group for each period.
    pub groups: Vec<Group>,
}

/// The bars of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The tooltip.
    pub title: String,
    /// The bars; zero has none.
    pub rects: Vec<Rect>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Rect {
    /// The class that colours it, or nothing.
    pub class: &'static str,
    /// The left edge.
    pub x: usize,
    /// The top edge.
    pub y: String,
    /// The width.
    pub width: usize,
    /// The height.
    pub height: String,
}

/// The counts of one kind of event, period by period.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// The name in the tooltip of a bar.
    pub name: &'a str,
    /// The count of each period.
    pub values: &'a [i64],
    /// The class of its bars.
    pub class: &'static str,
}

impl Series<'_> {
    /// The total.
    pub fn sum(&self) -> i64 {
        self.values.iter().sum()
    }

    /// The highest count of a period.
    pub fn peak(&self) -> i64 {
        self.values.iter().copied().max().unwrap_or(0)
    }
}

/// One series. Its highest bar fills the row.
pub fn row(label: String, periods: &[String], series: Series<'_>) -> Bars {
    const HEIGHT: usize = 48;
    let unit = units(HEIGHT - 2, series.peak());
    let groups = periods.iter().zip(series.values).enumerate().map(|(at, (period, value))| Group {
        title: format!("{period}: {}", commas(*value)),
        rects: Column { at, unit }
            .bar(series.class, *value, |height| coordinate(HEIGHT) - height)
            .into_iter()
            .collect(),
    });
    Bars { label, width: periods.len() * BAR_PITCH, height: HEIGHT, zero: None, groups: groups.collect() }
}

/// One series upwards and one downwards, on the same scale.
pub fn up_and_down(label: String, periods: &[String], up: Series<'_>, down: Series<'_>) -> Bars {
    const HEIGHT: usize = 150;
    let whole = (up.peak() + down.peak()).max(1);
    let unit = units(HEIGHT - 8, whole);
    // Keeps room for the smallest bars on both sides.
    let zero = (figure(up.peak()) * unit + 3.5).clamp(6.0, coordinate(HEIGHT) - 6.0);
    let groups = periods.iter().enumerate().map(|(at, period)| {
        let (above, below) = (value(up, at), value(down, at));
        let column = Column { at, unit };
        let up_bar = column.bar(up.class, above, |height| zero - 1.5 - height);
        let rects = up_bar.into_iter().chain(column.bar(down.class, below, |_| zero + 1.5));
        let title = format!("{period}: {} {}, {} {}", commas(above), up.name, commas(below), down.name);
        Group { title, rects: rects.collect() }
    });
    let groups = groups.collect();
    Bars { label, width: periods.len() * BAR_PITCH, height: HEIGHT, zero: Some(decimal(zero)), groups }
}

fn value(series: Series<'_>, at: usize) -> i64 {
    series.values.get(at).copied().unwrap_or(0)
}

/// The place of a period, and the height of one event.
#[derive(Clone, Copy)]
struct Column {
    at: usize,
    unit: f64,
}

impl Column {
    /// The bar of a value, unless it is zero; `y` computes its top from its height.
    fn bar(self, class: &'static str, value: i64, y: impl Fn(f64) -> f64) -> Option<Rect> {
        let height = (figure(value) * self.unit).max(MIN_HEIGHT);
        let (x, y) = (self.at * BAR_PITCH + 1, decimal(y(height)));
        (value > 0).then(|| Rect { class, x, y, width: BAR_WIDTH, height: decimal(height) })
    }
}

/// The height of one event if `peak` events fill this height.
fn units(height: usize, peak: i64) -> f64 {
    coordinate(height) / figure(peak.max(1))
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
    /// The caption.
    pub caption: String,
    /// The head of the first column: `Hour`, `Day`.
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
