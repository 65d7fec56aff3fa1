//! Which table of which analysis is drawn, and how: a list of data. An analysis that is not in it is shown by its tables.
//!
//! A row of [`FIGURES`] names columns; a report that lacks them, because it is of another version or was made with other
//! settings, has no such figure and keeps its table.

use rival10_sdk::{Report, Table};
use serde_json::Value;

use super::{
    Group,
    ink::{BACKGROUND, FOREGROUND, Ink, series},
    plot::{
        Axis, Bounded, Plot, PlotError,
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

/// A table that is drawn.
struct Spec {
    /// The analysis, or the part of the page, whose table it is.
    analysis: &'static str,
    table: &'static str,
    title: &'static str,
    /// How to read it.
    note: &'static str,
    form: Form,
}

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

const FIGURES: &[Spec] = &[
    Spec {
        analysis: "noise-sensitivity",
        table: "by-level",
        title: "Accuracy under noise",
        note: "The wider the gap between the two lines, the more the network rests on the region whose line falls lower. \
               Bands are the intervals.",
        form: Form::Curves {
            x: "level",
            y: "accuracy",
            lines: &[
                ("foreground noise", "noise on object", FOREGROUND),
                ("background noise", "noise behind it", BACKGROUND),
            ],
        },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "by-model",
        title: "Foreground against background",
        note: "Accuracy under noise on the background (across) and on the foreground (upwards), over all levels. A network \
               above the line loses more by noise behind the object than on it.",
        form: Form::Scatter {
            x: "background noise",
            y: "foreground noise",
            sides: ("loses more by noise behind", "loses more by noise on the object"),
        },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "by-model",
        title: "Relative foreground sensitivity by model",
        note: "Over all levels. Above 0 a network rests on the object, below 0 on what is behind it.",
        form: Form::Models { estimate: "RFS", percent: false },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "by-level",
        title: "Relative foreground sensitivity by level",
        note: "Above 0 a network loses more by noise on the object, below 0 by noise behind it.",
        form: Form::Lines { x: "level", estimate: "RFS" },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "irfs-distribution",
        title: "Images by their own sensitivity (floored iRFS)",
        note: "Images to the left of 0 lose more probability by noise behind the object.",
        form: Form::Histogram { from: "from", to: "to", count: "images by floored iRFS", x: "floored iRFS" },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "by-class",
        title: "Relative foreground sensitivity by class",
        note: "Of the images of each true class.",
        form: Form::Bars { name: &["class"], estimate: "RFS", percent: false },
    },
    Spec {
        analysis: "ablation",
        table: "by-fill",
        title: "Accuracy lost without background or object",
        note: "By what stands in the place of what was taken away.",
        form: Form::Bars { name: &["without", "fill"], estimate: "accuracy drop", percent: true },
    },
    Spec {
        analysis: "ablation",
        table: "by-attribute",
        title: "What an attribute is worth",
        note: "Probability of the true class lost without the attribute, beyond what as many pixels elsewhere in the object \
               cost: above 0, the attribute matters more than its area.",
        form: Form::Bars { name: &["attribute", "fill"], estimate: "probability drop beyond control", percent: true },
    },
    Spec {
        analysis: "ablation",
        table: "by-attribute-and-class",
        title: "Attribute by class: probability lost without it",
        note: "In percent of probability of the true class; a dot where no image of the class has the attribute's mask.",
        form: Form::Heat {
            row: "attribute",
            column: "class",
            value: "probability drop",
            apart: &["fill"],
            percent: true,
        },
    },
    Spec {
        analysis: "ablation",
        table: "shapley",
        title: "What each region brings (Shapley values)",
        note: "Parts of the true class's probability, over all orders in which regions may be shown.",
        form: Form::Bars { name: &["region"], estimate: "Shapley value", percent: true },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "alignment",
        title: "Saliency on the object by model (IoU)",
        note: "Of each model's first method.",
        form: Form::Models { estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "alignment",
        title: "Alignment: IoU",
        note: "Of the map above half of its maximum. The maps that need no network stand beside it: what they reach is the object's being in the middle.",
        form: Form::Bars { name: &["method"], estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "alignment",
        title: "Alignment: delta density",
        note: "Mean brightness inside the object less outside of it.",
        form: Form::Bars { name: &["method"], estimate: "delta density", percent: false },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "alignment",
        title: "Alignment: average precision",
        note: "Of the map as a ranking of pixels.",
        form: Form::Bars { name: &["method"], estimate: "average precision", percent: false },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "by-class",
        title: "Alignment by class (delta density)",
        note: "By the class that the map explains.",
        form: Form::Heat { row: "class", column: "method", value: "delta density", apart: &[], percent: false },
    },
    Spec {
        analysis: "spurious-features",
        table: "candidates",
        title: "Candidates: what their background moves",
        note: "The logarithm of the class's odds on images of other classes, beyond a control of equal area, when the background is pasted or swapped in.",
        form: Form::Bars { name: &["class", "background"], estimate: "transplanted", percent: false },
    },
    Spec {
        analysis: "neural-features",
        table: "units",
        title: "How well units mark attributes (IoU)",
        note: "The unit was chosen on one part of the images, and is scored on the other.",
        form: Form::Bars { name: &["attribute"], estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "neural-features",
        table: "concepts",
        title: "How well directions tell attributes",
        note: "How often a linear direction tells features inside an attribute's mask from those outside; 50% is chance.",
        form: Form::Bars { name: &["attribute"], estimate: "accuracy", percent: true },
    },
    Spec {
        analysis: "mask-agreement",
        table: "by-layer",
        title: "Agreement of masks by layer",
        note: "Mean IoU of what two annotators drew of one layer.",
        form: Form::Bars { name: &["layer"], estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "mask-agreement",
        table: "by-pair",
        title: "Agreement of masks by pair of annotators",
        note: "Mean IoU.",
        form: Form::Bars { name: &["pair"], estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "study",
        table: "groups",
        title: "Groups: foreground against background",
        note: "Mean accuracy of each group's models under noise on the background (across) and on the foreground (upwards).",
        form: Form::Scatter {
            x: "background noise",
            y: "foreground noise",
            sides: ("loses more by noise behind", "loses more by noise on the object"),
        },
    },
    Spec {
        analysis: "study",
        table: "groups",
        title: "Groups: relative foreground sensitivity",
        note: "Means over each group's models.",
        form: Form::Models { estimate: "RFS", percent: false },
    },
    Spec {
        analysis: "study",
        table: "groups-by-level",
        title: "Groups: relative foreground sensitivity by level",
        note: "Means over each group's models.",
        form: Form::Lines { x: "level", estimate: "RFS" },
    },
    Spec {
        analysis: "data",
        table: "attribute-by-class",
        title: "How often a class has an attribute",
        note: "In percent of the images of the class that were judged.",
        form: Form::Heat { row: "attribute", column: "class", value: "share", apart: &[], percent: true },
    },
];

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
pub(super) fn figures(report: &Report, groups: &[Group]) -> Result<Vec<Figure>, PlotError> {
    let inks = Inks::of(report, groups);
    let mut figures = Vec::new();
    for spec in FIGURES.iter().filter(|spec| spec.analysis == report.provenance.plugin) {
        if let Some(table) = report.tables.iter().find(|table| table.name == spec.table) {
            figures.extend(spec.draw(table, &inks)?);
        }
    }
    Ok(figures)
}

/// The figures of `table` in the part of the page called `part`.
pub(super) fn of_part(part: &str, table: &Table) -> Result<Vec<Figure>, PlotError> {
    let read = Read { table };
    let mut inks = Inks { models: Vec::new(), groups: &[] };
    for name in table.rows.iter().filter_map(|row| read.text(row, "model")) {
        if !inks.models.contains(&name) {
            inks.models.push(name);
        }
    }
    let mut figures = Vec::new();
    for spec in FIGURES.iter().filter(|spec| spec.analysis == part && spec.table == table.name) {
        figures.extend(spec.draw(table, &inks)?);
    }
    Ok(figures)
}

impl Spec {
    fn draw(&self, table: &Table, inks: &Inks<'_>) -> Result<Option<Figure>, PlotError> {
        let read = Read { table };
        let named = self.form.columns(read.at("model").is_some());
        if named.iter().any(|name| read.at(name).is_none()) {
            return Ok(None);
        }
        let plots = self.form.plots(self.title, &read, inks)?;
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

    fn plots(self, title: &str, read: &Read<'_>, inks: &Inks<'_>) -> Result<Vec<Plot>, PlotError> {
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
                    let grid = read.grid(rows, row, column, value);
                    let range = if by_model { None } else { Some((0.0, 1.0)) };
                    plots.extend(heat::draw(&head(name), &Axis { range, ..axis(value, percent) }, &grid)?);
                }
            }
        }
        Ok(plots)
    }
}

/// A table that is read by the names of its columns.
struct Read<'a> {
    table: &'a Table,
}

impl<'a> Read<'a> {
    /// The place of column `name`; a table of groups names these where another names its models.
    fn at(&self, name: &str) -> Option<usize> {
        let place = |name: &str| self.table.columns.iter().position(|column| column == name);
        place(name).or_else(|| if name == "model" { place("group") } else { None })
    }

    fn all(&self) -> Vec<&'a [Value]> {
        self.table.rows.iter().map(Vec::as_slice).collect()
    }

    fn number(&self, row: &[Value], name: &str) -> Option<f64> {
        row.get(self.at(name)?)?.as_f64()
    }

    fn text<'r>(&self, row: &'r [Value], name: &str) -> Option<&'r str> {
        row.get(self.at(name)?)?.as_str()
    }

    /// The number in column `name` with the bounds behind it, if there are any.
    fn bounded(&self, row: &[Value], name: &str) -> Option<Bounded> {
        let at = self.at(name)?;
        let bounds = self.table.shown_columns().contains(&(at, true));
        let bound = |at: usize| row.get(at).and_then(Value::as_f64).filter(|_| bounds);
        Some(Bounded { value: row.get(at)?.as_f64()?, interval: bound(at + 1).zip(bound(at + 2)) })
    }

    fn points(&self, rows: &[&[Value]], x: &str, estimate: &str) -> Vec<(f64, Bounded)> {
        rows.iter().filter_map(|row| Some((self.number(row, x)?, self.bounded(row, estimate)?))).collect()
    }

    /// Whether column `name` differs between `rows`.
    fn varies(&self, rows: &[&[Value]], name: &str) -> bool {
        let at = self.at(name);
        rows.windows(2).any(|pair| at.is_some_and(|at| pair[0].get(at) != pair[1].get(at)))
    }

    /// The rows by what they have in the columns `keys`, in the order of their appearance. What is the same in every part
    /// is no part of the name, but for the first key's.
    fn parts(&self, keys: &[&str]) -> Vec<(String, Vec<&'a [Value]>)> {
        let all = self.all();
        let naming: Vec<&str> =
            keys.iter().enumerate().filter(|(i, key)| *i == 0 || self.varies(&all, key)).map(|(_, key)| *key).collect();
        let mut parts: Vec<(String, Vec<&'a [Value]>)> = Vec::new();
        for row in all {
            let words: Vec<&str> = naming.iter().filter_map(|key| self.text(row, key)).collect();
            let name = words.join(", ");
            match parts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rows)) => rows.push(row),
                None => parts.push((name, vec![row])),
            }
        }
        parts
    }

    fn grid(&self, rows: &[&[Value]], row: &str, column: &str, value: &str) -> heat::Grid {
        let names = |key: &str| {
            let mut names: Vec<String> = Vec::new();
            for text in rows.iter().filter_map(|row| self.text(row, key)) {
                if !names.iter().any(|name| name == text) {
                    names.push(text.to_owned());
                }
            }
            names
        };
        let (down, across) = (names(row), names(column));
        let find = |down: &String, across: &String| {
            let is =
                |cells: &&&[Value]| self.text(cells, row) == Some(down) && self.text(cells, column) == Some(across);
            rows.iter().find(is).and_then(|cells| self.number(cells, value))
        };
        let cells = down.iter().map(|down| across.iter().map(|across| find(down, across)).collect()).collect();
        heat::Grid { rows: down, columns: across, cells }
    }

    /// The table with the columns `names` and their bounds alone.
    fn only(&self, names: &[&str]) -> Table {
        let shown = self.table.shown_columns();
        let mut kept: Vec<usize> = Vec::new();
        for at in names.iter().filter_map(|name| self.at(name)) {
            let width = if shown.contains(&(at, true)) { 3 } else { 1 };
            kept.extend(at..at + width);
        }
        let cells = |row: &Vec<Value>| kept.iter().map(|&at| row.get(at).cloned().unwrap_or(Value::Null)).collect();
        Table {
            columns: kept.iter().map(|&at| self.table.columns[at].clone()).collect(),
            rows: self.table.rows.iter().map(cells).collect(),
            name: self.table.name.clone(),
            caption: self.table.caption.clone(),
        }
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
        let figures = figures(&report, &[]).unwrap();
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
            figures(&report, &[]).unwrap().len()
        };
        assert_eq!((of("noise-sensitivity", &table), of("somebody-elses", &by_level())), (0, 0));
    }

    #[test]
    fn models_of_one_group_share_its_colour_and_the_legend_names_it() {
        let group = |name: &str, model: &str| Group { name: name.to_owned(), models: vec![model.to_owned()] };
        let groups = [group("ResNets", "a"), group("ViTs", "b"), group("unused", "c")];
        let report = Report { tables: vec![by_level()], ..report("noise-sensitivity", &["a", "b"]) };
        let figures = figures(&report, &groups).unwrap();
        let legend: Vec<_> = figures[1].legend.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(legend, ["ResNets", "ViTs"]);
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
