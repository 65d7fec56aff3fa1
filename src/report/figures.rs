//! Which table of which analysis is drawn, and how: a list of data ([`list`]). An analysis that is not in it is shown by its
//! tables. [`read`] reads tables by their columns' names; this module draws.
//!
//! A row of [`FIGURES`] names columns; a report that lacks them, because it is of another version or was made with other
//! settings, has no such figure and keeps its table.

mod list;
mod read;

use rival10_sdk::{Report, Table};
use serde_json::Value;

use self::{
    list::{FIGURES, Spec},
    read::Read,
};
use super::{
    Group, Order,
    ink::{Ink, series},
    plot::{
        Axis, Plot, PlotError,
        bars::{self, Bar},
        heat, histogram,
        histogram::Bin,
        lines::{self, Line},
        scatter::{self, Point},
    },
    saved::csv,
};

/// Plots of one figure: with more models than that, the table tells of the rest.
const MOST_PLOTS: usize = 24;

/// How a table is drawn; the texts name its columns.
#[derive(Clone, Copy)]
enum Form {
    /// A plot a model with a line for each of `lines` (column, name on the plot, ink) over `x`.
    Curves { x: &'static str, y: &'static str, lines: &'static [(&'static str, &'static str, Ink)] },
    /// One plot with a line a model of `estimate` over `x`.
    Lines { x: &'static str, estimate: &'static str },
    /// One plot with a point a model; shares of 1 both, and what lies above and below the line of equals.
    Scatter { x: &'static str, y: &'static str, sides: (&'static str, &'static str) },
    /// One plot with a row a model of `estimate`; none of a single model, whose number the headline has.
    Models { estimate: &'static str, percent: bool },
    /// A plot a model: `estimate` of every row.
    Bars { name: &'static [&'static str], estimate: &'static str, percent: bool },
    /// A plot a model of `count` from `from` to `to`.
    Histogram { from: &'static str, to: &'static str, count: &'static str, x: &'static str },
    /// A plot a model, and for each of what else `apart` names: `value` by `row` and `column`.
    Heat { row: &'static str, column: &'static str, value: &'static str, apart: &'static [&'static str], percent: bool },
}

/// A figure.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) note: String,
    pub(super) plots: Vec<Plot>,
    /// The numbers behind it.
    pub(super) csv: String,
    /// Colours that stand for groups of models.
    pub(super) legend: Vec<(String, Ink)>,
}

/// Whose colour a model has: its group's where there are groups, else its own.
pub(super) struct Inks<'a> {
    models: Vec<&'a str>,
    groups: &'a [Group],
}

impl<'a> Inks<'a> {
    pub(super) fn of(report: &'a Report, groups: &'a [Group]) -> Self {
        Self { models: report.provenance.models.iter().map(|(name, _)| name.as_str()).collect(), groups }
    }

    fn ink(&self, model: &str) -> Ink {
        let group = self.groups.iter().position(|group| group.models.iter().any(|name| name == model));
        series(group.or_else(|| self.models.iter().position(|name| *name == model)).unwrap_or(0))
    }

    fn legend(&self) -> Vec<(String, Ink)> {
        let used = |group: &&Group| group.models.iter().any(|model| self.models.contains(&model.as_str()));
        let all = self.groups.iter().enumerate().filter(|(_, group)| used(group));
        all.map(|(at, group)| (group.name.clone(), series(at))).collect()
    }
}

/// Every figure of `report`.
pub(super) fn figures(report: &Report, groups: &[Group], order: &Order) -> Result<Vec<Figure>, PlotError> {
    let inks = Inks::of(report, groups);
    let mut figures = Vec::new();
    for spec in FIGURES.iter().filter(|spec| spec.analysis == report.provenance.plugin) {
        if let Some(table) = report.tables.iter().find(|table| table.name == spec.table) {
            figures.extend(spec.draw(table, &inks, order)?);
        }
    }
    Ok(figures)
}

/// The figures of `table` in the part of the page called `part`.
pub(super) fn of_part(part: &str, table: &Table, order: &Order) -> Result<Vec<Figure>, PlotError> {
    let read = Read { table };
    let mut inks = Inks { models: Vec::new(), groups: &[] };
    for name in table.rows.iter().filter_map(|row| read.text(row, "model")) {
        if !inks.models.contains(&name) {
            inks.models.push(name);
        }
    }
    let mut figures = Vec::new();
    for spec in FIGURES.iter().filter(|spec| spec.analysis == part && spec.table == table.name) {
        figures.extend(spec.draw(table, &inks, order)?);
    }
    Ok(figures)
}

impl Spec {
    fn draw(&self, table: &Table, inks: &Inks<'_>, order: &Order) -> Result<Option<Figure>, PlotError> {
        let read = Read { table };
        let named = self.form.columns(read.at("model").is_some());
        if named.iter().any(|name| read.at(name).is_none()) {
            return Ok(None);
        }
        let plots = self.form.plots(self.title, &read, inks, order)?;
        let by_colour = !matches!(self.form, Form::Curves { .. } | Form::Heat { .. });
        let figure = Figure {
            title: self.title.to_owned(),
            note: self.note.to_owned(),
            csv: csv(&read.only(&named)),
            legend: if by_colour { inks.legend() } else { Vec::new() },
            plots,
        };
        Ok(Some(figure).filter(|figure| !figure.plots.is_empty()))
    }
}

impl Form {
    /// The columns that it reads, the model's first if the table is `by_model`.
    fn columns(self, by_model: bool) -> Vec<&'static str> {
        let mut columns = match self {
            Self::Curves { x, lines, .. } => [vec![x], lines.iter().map(|line| line.0).collect()].concat(),
            Self::Lines { x, estimate } => vec![x, estimate],
            Self::Scatter { x, y, .. } => vec![x, y],
            Self::Models { estimate, .. } => vec![estimate],
            Self::Bars { name, estimate, .. } => [name, &[estimate]].concat(),
            Self::Histogram { from, to, count, .. } => vec![from, to, count],
            Self::Heat { row, column, value, apart, .. } => [apart, &[row, column, value]].concat(),
        };
        if by_model {
            columns.insert(0, "model");
        }
        columns
    }

    fn plots(self, title: &str, read: &Read<'_>, inks: &Inks<'_>, order: &Order) -> Result<Vec<Plot>, PlotError> {
        let axis = |label: &str, percent: bool| Axis { label: label.to_owned(), range: None, percent };
        let share = |label: &str| Axis { range: Some((0.0, 1.0)), ..axis(label, true) };
        // A plot of one model is named after it; where there is but one, the figure's title says enough.
        let by_model = read.at("model").is_some();
        let parts = if by_model { read.parts(&["model"]) } else { vec![(String::new(), read.all())] };
        let parts = &parts[..parts.len().min(MOST_PLOTS)];
        let head = |model: &str| if model.is_empty() { title.to_owned() } else { model.to_owned() };
        let mut plots = Vec::new();
        match self {
            Self::Curves { x, y, lines } => {
                for (model, rows) in parts {
                    let line = |&(column, name, ink): &(&str, &str, Ink)| Line {
                        name: name.to_owned(),
                        ink,
                        points: read.points(rows, x, column),
                    };
                    let lines: Vec<Line> = lines.iter().map(line).collect();
                    plots.extend(lines::draw(&head(model), &axis(x, false), &share(y), &lines)?);
                }
            }
            Self::Lines { x, estimate } => {
                let line = |(model, rows): &(String, Vec<&[Value]>)| Line {
                    name: model.clone(),
                    ink: inks.ink(model),
                    points: read.points(rows, x, estimate),
                };
                let lines: Vec<Line> = parts.iter().map(line).collect();
                plots.extend(lines::draw(title, &axis(x, false), &axis(estimate, false), &lines)?);
            }
            Self::Scatter { x, y, sides } => {
                let point = |(model, rows): &(String, Vec<&[Value]>)| {
                    let row = rows.first()?;
                    let at = (read.number(row, x)?, read.number(row, y)?);
                    Some(Point { name: model.clone(), ink: inks.ink(model), at })
                };
                let points: Vec<Point> = parts.iter().filter_map(point).collect();
                let label = |name: &str| share(&format!("accuracy under {name}"));
                plots.extend(scatter::draw(title, &label(x), &label(y), sides, &points)?);
            }
            Self::Models { estimate, percent } => {
                let bar = |(model, rows): &(String, Vec<&[Value]>)| {
                    let bounded = read.bounded(rows.first()?, estimate)?;
                    Some(Bar { group: String::new(), name: model.clone(), ink: inks.ink(model), bounded })
                };
                let bars: Vec<Bar> = parts.iter().filter_map(bar).collect();
                if bars.len() > 1 {
                    plots.extend(bars::draw(title, &axis(estimate, percent), &bars)?);
                }
            }
            Self::Bars { name, estimate, percent } => {
                for (model, rows) in parts {
                    let telling = |column: &&&str| name.len() == 1 || read.varies(rows, column);
                    let names: Vec<&str> = name.iter().filter(telling).copied().collect();
                    let bar = |row: &&[Value]| {
                        let words: Vec<&str> = names.iter().filter_map(|column| read.text(row, column)).collect();
                        let bounded = read.bounded(row, estimate)?;
                        Some(Bar { group: String::new(), name: words.join(", "), ink: inks.ink(model), bounded })
                    };
                    let bars: Vec<Bar> = rows.iter().filter_map(bar).collect();
                    plots.extend(bars::draw(&head(model), &axis(estimate, percent), &bars)?);
                }
            }
            Self::Histogram { from, to, count, x } => {
                for (model, rows) in parts {
                    let bin = |row: &&[Value]| {
                        let (from, to) = (read.number(row, from)?, read.number(row, to)?);
                        Some(Bin { from, to, count: read.number(row, count)? })
                    };
                    let bins: Vec<Bin> = rows.iter().filter_map(bin).collect();
                    plots.extend(histogram::draw(
                        &head(model),
                        &axis(x, false),
                        &axis("images", false),
                        inks.ink(model),
                        &bins,
                    )?);
                }
            }
            Self::Heat { row, column, value, apart, percent } => {
                let mut keys: Vec<&str> = apart.to_vec();
                if by_model {
                    keys.insert(0, "model");
                }
                for (name, rows) in read.parts(&keys).iter().take(MOST_PLOTS) {
                    let grid = read.grid(rows, (row, column, value), order);
                    let range = if by_model { None } else { Some((0.0, 1.0)) };
                    plots.extend(heat::draw(&head(name), &Axis { range, ..axis(value, percent) }, &grid)?);
                }
            }
        }
        Ok(plots)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::tests::report;

    fn by_level() -> Table {
        let columns = [
            "model",
            "level",
            "foreground noise",
            "foreground noise low",
            "foreground noise high",
            "background noise",
            "background noise low",
            "background noise high",
            "RFS",
            "RFS low",
            "RFS high",
        ];
        let row = |model: &str, level: f64, fg: f64, bg: f64| {
            let mut row = vec![json!(model), json!(level)];
            row.extend([fg, fg - 0.1, fg + 0.1, bg, bg - 0.1, bg + 0.1, bg - fg, -0.2, 0.4].map(Value::from));
            row
        };
        Table {
            name: "by-level".to_owned(),
            caption: "By level.".to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: vec![
                row("a", 30.0, 0.8, 0.9),
                row("a", 60.0, 0.5, 0.8),
                row("b", 30.0, 0.7, 0.6),
                row("b", 60.0, 0.6, 0.2),
            ],
        }
    }

    #[test]
    fn a_report_has_the_figures_that_the_list_names_for_its_tables() {
        let report = Report { tables: vec![by_level()], ..report("noise-sensitivity", &["a", "b"]) };
        let figures = figures(&report, &[], &Order::default()).unwrap();
        let titles: Vec<_> = figures.iter().map(|figure| (figure.title.as_str(), figure.plots.len())).collect();
        assert_eq!(titles, [("Accuracy under noise", 2), ("Relative foreground sensitivity by level", 1)]);
        assert!(figures[1].csv.starts_with("model,level,RFS,RFS low,RFS high\r\n"), "{}", figures[1].csv);
        assert!(figures[1].plots[0].alt.contains("b goes from −0.10 at 30"), "{}", figures[1].plots[0].alt);
    }

    #[test]
    fn a_table_of_other_columns_or_an_unknown_analysis_has_no_figure() {
        let table = Table { columns: vec!["model".to_owned(), "level".to_owned()], rows: Vec::new(), ..by_level() };
        let of = |analysis: &str, table: &Table| {
            let report = Report { tables: vec![table.clone()], ..report(analysis, &["a"]) };
            figures(&report, &[], &Order::default()).unwrap().len()
        };
        assert_eq!((of("noise-sensitivity", &table), of("somebody-elses", &by_level())), (0, 0));
    }

    #[test]
    fn models_of_one_group_share_its_colour_and_the_legend_names_it() {
        let group = |name: &str, model: &str| Group { name: name.to_owned(), models: vec![model.to_owned()] };
        let groups = [group("ResNets", "a"), group("ViTs", "b"), group("unused", "c")];
        let report = Report { tables: vec![by_level()], ..report("noise-sensitivity", &["a", "b"]) };
        let figures = figures(&report, &groups, &Order::default()).unwrap();
        let legend: Vec<_> = figures[1].legend.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(legend, ["ResNets", "ViTs"]);
    }

    #[test]
    fn a_heat_map_has_classes_and_attributes_in_their_taxonomys_order() {
        let table = Table {
            name: "by-attribute-and-class".to_owned(),
            caption: "By both.".to_owned(),
            columns: ["model", "fill", "attribute", "class", "probability drop"].map(str::to_owned).to_vec(),
            rows: [("wings", "plane"), ("beak", "bird"), ("wings", "bird"), ("mane", "unheard-of")]
                .map(|(attribute, class)| vec![json!("a"), json!("gray"), json!(attribute), json!(class), json!(0.5)])
                .to_vec(),
        };
        let names = |names: [&str; 3]| names.map(str::to_owned).to_vec();
        let order = Order { classes: names(["bird", "cat", "plane"]), attributes: names(["beak", "tail", "wings"]) };
        let rows: Vec<&[Value]> = table.rows.iter().map(Vec::as_slice).collect();
        let grid = Read { table: &table }.grid(&rows, ("attribute", "class", "probability drop"), &order);
        assert_eq!(
            (grid.rows, grid.columns),
            (names(["beak", "wings", "mane"]), names(["bird", "plane", "unheard-of"]))
        );
        assert_eq!(grid.cells[1], [Some(0.5), Some(0.5), None]);
        let report = Report { tables: vec![table], ..report("ablation", &["a"]) };
        let svg = &figures(&report, &[], &order).unwrap()[0].plots[0].svg;
        let at = |name: &str| svg.find(&format!(">{name}</text>")).unwrap();
        assert!(at("bird") < at("plane") && at("beak") < at("wings"));
    }

    #[test]
    fn parts_are_named_by_what_tells_them_apart() {
        let columns = ["model", "fill", "x"].map(str::to_owned).to_vec();
        let table = |fills: [&str; 2]| Table {
            name: "t".to_owned(),
            caption: "t".to_owned(),
            columns: columns.clone(),
            rows: fills.iter().map(|fill| vec![json!("a"), json!(fill), json!(1)]).collect(),
        };
        let names = |table: &Table| {
            Read { table }.parts(&["model", "fill"]).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&table(["gray", "gray"])), ["a"]);
        assert_eq!(names(&table(["gray", "blur"])), ["a, gray", "a, blur"]);
    }
}
