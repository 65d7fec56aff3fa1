//! Plain data as the templates read it.

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use rival10_sdk::{Estimate, Report};
use sha2::{Digest, Sha256};

use super::{
    Order, Page, PageError, Part, Pictures, RunPart,
    figures::{self, Figure},
    heading_of, ink,
    methods::{self, Reference},
    number::{Style, count},
    plot::{Plot, TITLE},
    saved::data_url,
    table::Shown,
};

/// Pixels that every screen has.
const WIDE: u32 = 400;

const STYLE: &str = include_str!("templates/style.css");
const SCRIPT: &str = include_str!("templates/script.js");

/// What every page has: its style, its script, and the policy by which a browser fetches nothing.
pub(super) struct Frame {
    pub(super) style: String,
    pub(super) script: &'static str,
    pub(super) policy: String,
}

impl Frame {
    pub(super) fn new() -> Self {
        let digest = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
        Self {
            style: format!("{}{STYLE}", ink::style()),
            script: SCRIPT,
            policy: format!(
                "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; \
                 base-uri 'none'; form-action 'none'"
            ),
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "page.html", config = "src/report/askama.toml")]
struct PageView {
    frame: Frame,
    title: String,
    subtitle: String,
    version: &'static str,
    contents: Vec<(String, String)>,
    headlines: Vec<HeadlineView>,
    before: Vec<PartView>,
    runs: Vec<RunView>,
    behind: Vec<PartView>,
    made: Vec<MadeView>,
    works: Vec<Reference>,
}

/// The few numbers of one run that matter most.
struct HeadlineView {
    heading: String,
    caption: String,
    run: String,
    /// Whether any estimate has an interval.
    bounded: bool,
    estimates: Vec<EstimateView>,
}

struct EstimateView {
    name: String,
    model: String,
    value: String,
    interval: String,
    n: String,
    mark: Option<Mark>,
}

/// Where a number and its interval lie on a scale of 120 pixels.
struct Mark {
    low: String,
    high: String,
    value: String,
    zero: String,
}

struct RunView {
    id: String,
    heading: String,
    summary: String,
    reading: &'static str,
    figures: Vec<FigureView>,
    pictures: Vec<PicturesView>,
    tables: Vec<Shown>,
    notes: Vec<String>,
    method: &'static str,
    cites: Vec<(usize, &'static str)>,
}

struct PartView {
    id: String,
    heading: String,
    paragraphs: Vec<String>,
    first: Vec<Shown>,
    figures: Vec<FigureView>,
    pictures: Vec<PicturesView>,
    tables: Vec<Shown>,
    notes: Vec<String>,
}

struct FigureView {
    id: String,
    title: String,
    note: String,
    legend: Vec<(String, String)>,
    /// Whether it needs the page's whole width.
    broad: bool,
    plots: Vec<PlotView>,
    csv: (String, String),
}

struct PlotView {
    svg: String,
    width: u32,
    /// Wider than a phone: it is moved, not shrunk.
    wide: bool,
    alt: String,
    file: (String, String),
}

pub(super) struct PicturesView {
    pub(super) title: String,
    pub(super) note: String,
    pub(super) cases: Vec<CaseView>,
}

pub(super) struct CaseView {
    pub(super) heading: String,
    pub(super) tiles: Vec<TileView>,
}

pub(super) struct TileView {
    pub(super) url: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) alt: String,
    pub(super) caption: String,
}

/// How a run is made again.
struct MadeView {
    heading: String,
    run: String,
    command: String,
    facts: Vec<(String, String)>,
}

/// The page as one HTML document.
pub(super) fn page(page: &Page) -> Result<String, PageError> {
    let works = cited(&page.runs);
    let parts = |parts: &[Part]| parts.iter().map(|one| part(one, &page.order)).collect::<Result<Vec<_>, _>>();
    let (before, behind) = (parts(&page.before)?, parts(&page.behind)?);
    let runs: Vec<RunView> = page.runs.iter().map(|one| run(one, page, &works)).collect::<Result<_, _>>()?;
    let mut contents = Vec::new();
    if !runs.is_empty() {
        contents.push(("headline".to_owned(), "What was found".to_owned()));
    }
    contents.extend(before.iter().map(|part| (part.id.clone(), part.heading.clone())));
    contents.extend(runs.iter().map(|run| (run.id.clone(), run.heading.clone())));
    contents.extend(behind.iter().map(|part| (part.id.clone(), part.heading.clone())));
    if !runs.is_empty() {
        contents.push(("again".to_owned(), "How to get the same numbers again".to_owned()));
    }
    if !works.is_empty() {
        contents.push(("works".to_owned(), "Works cited".to_owned()));
    }
    let view = PageView {
        frame: Frame::new(),
        title: page.title.clone(),
        subtitle: page.subtitle.clone(),
        version: env!("CARGO_PKG_VERSION"),
        contents,
        headlines: page.runs.iter().map(|run| headline(run, &page.runs)).collect(),
        before,
        made: page.runs.iter().map(|run| made(run, &page.runs)).collect(),
        runs,
        behind,
        works,
    };
    Ok(view.render()?)
}

/// The works that the methods of `runs` cite, each once, in the order of their mention.
fn cited(runs: &[RunPart]) -> Vec<Reference> {
    let mut works: Vec<Reference> = Vec::new();
    let methods = runs.iter().filter_map(|run| methods::find(&run.report.provenance.plugin));
    for work in methods.flat_map(|method| method.cites).filter_map(|key| methods::reference(key)) {
        if !works.contains(work) {
            works.push(*work);
        }
    }
    works
}

/// A run's heading: its analysis, and where there are several of that, which of them it is.
fn heading(run: &RunPart, all: &[RunPart]) -> String {
    let analysis = &run.report.provenance.plugin;
    let name = heading_of(analysis);
    if all.iter().filter(|other| other.report.provenance.plugin == *analysis).count() > 1 {
        format!("{name} (run {})", short(&run.id))
    } else {
        name
    }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn anchor(run: &RunPart) -> String {
    format!("{}-{}", run.report.provenance.plugin, short(&run.id))
}

fn headline(run: &RunPart, all: &[RunPart]) -> HeadlineView {
    let report = &run.report;
    let reach: Vec<f64> = report
        .headline
        .iter()
        .flat_map(|e| [e.value, e.interval.map(|i| i.0), e.interval.map(|i| i.1)])
        .flatten()
        .collect();
    let from = if reach.iter().any(|x| *x < 0.0) { -1.0 } else { 0.0 };
    let shares = reach.iter().all(|x| (-1.0..=1.0).contains(x));
    let bounded = report.headline.iter().any(|e| e.interval.is_some());
    let style = if report.counts_alone() { Style::Whole } else { Style::Fraction };
    let estimate = |estimate: &Estimate| {
        let number = |x: f64| style.write(x);
        let place = |x: f64| format!("{:.1}", 4.0 + 112.0 * (x - from) / (1.0 - from));
        let mark = estimate.value.filter(|_| shares).map(|value| {
            let (low, high) = estimate.interval.unwrap_or((value, value));
            Mark { low: place(low), high: place(high), value: place(value), zero: place(0.0) }
        });
        EstimateView {
            name: estimate.name.clone(),
            model: estimate.model.clone().unwrap_or_default(),
            value: estimate.value.map_or_else(|| "undefined".to_owned(), number),
            interval: estimate
                .interval
                .map_or_else(|| "–".to_owned(), |(low, high)| format!("{} to {}", number(low), number(high))),
            n: count(estimate.n),
            mark,
        }
    };
    let mut ways: Vec<&str> = report.headline.iter().map(|e| e.interval_method.as_str()).collect();
    ways.retain(|way| !way.is_empty());
    ways.dedup();
    let intervals = if ways.is_empty() { String::new() } else { format!(" Intervals: {}.", ways.join("; ")) };
    HeadlineView {
        heading: heading(run, all),
        caption: format!("Profile {}.{intervals}", report.provenance.profile),
        run: anchor(run),
        bounded,
        estimates: report.headline.iter().map(estimate).collect(),
    }
}

fn run(run: &RunPart, page: &Page, works: &[Reference]) -> Result<RunView, PageError> {
    let figures = figures::figures(&run.report, &page.groups, &page.order)?;
    let (report, id) = (&run.report, anchor(run));
    let method = methods::find(&report.provenance.plugin);
    let cites = method.map_or(&[][..], |method| method.cites).iter().filter_map(|key| {
        let at = works.iter().position(|work| work.key == *key)?;
        Some((at + 1, *key))
    });
    Ok(RunView {
        heading: heading(run, &page.runs),
        summary: summary(report),
        reading: method.map_or("", |method| method.reading),
        figures: figures.iter().map(|figure| figure_view(figure, &id)).collect(),
        pictures: run.pictures.iter().map(PicturesView::of).collect(),
        tables: report
            .tables
            .iter()
            .filter(|table| !table.rows.is_empty())
            .map(|table| Shown::of(table, &format!("{id}-{}", table.name)))
            .collect(),
        notes: report.notes.clone(),
        method: method.map_or("", |method| method.text),
        cites: cites.collect(),
        id,
    })
}

/// What a run is of, in a sentence.
fn summary(report: &Report) -> String {
    let provenance = &report.provenance;
    let names: Vec<&str> = provenance.models.iter().map(|(name, _)| name.as_str()).collect();
    let models = match names.as_slice() {
        [] => String::new(),
        [one] => format!(" of {one}"),
        several => format!(" of {} models ({})", several.len(), several.join(", ")),
    };
    let images = if provenance.n == 1 { "image" } else { "images" };
    format!(
        "Run{models} on {} {images}, profile {}, seed {}.",
        count(provenance.n),
        provenance.profile,
        provenance.seed
    )
}

fn part(part: &Part, order: &Order) -> Result<PartView, PageError> {
    let mut figures = Vec::new();
    for table in &part.tables {
        figures
            .extend(figures::of_part(&part.name, table, order)?.iter().map(|figure| figure_view(figure, &part.name)));
    }
    let mut tables: Vec<Shown> =
        part.tables.iter().map(|table| Shown::of(table, &format!("{}-{}", part.name, table.name))).collect();
    let rest = tables.split_off(tables.len().min(1));
    Ok(PartView {
        id: part.name.clone(),
        heading: part.heading.clone(),
        paragraphs: part.paragraphs.clone(),
        first: tables,
        figures,
        pictures: part.pictures.iter().map(PicturesView::of).collect(),
        tables: rest,
        notes: part.notes.clone(),
    })
}

fn figure_view(figure: &Figure, within: &str) -> FigureView {
    let words: String =
        figure.title.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let id = format!("{within}-figure-{words}");
    let plot = |(at, plot): (usize, &Plot)| {
        let number = if figure.plots.len() > 1 { format!("-{}", at + 1) } else { String::new() };
        PlotView {
            svg: dressed(plot, plot.title == figure.title),
            width: plot.width,
            wide: plot.width > WIDE,
            alt: plot.alt.clone(),
            file: (format!("{id}{number}.svg"), data_url("image/svg+xml", plot.svg.as_bytes())),
        }
    };
    FigureView {
        title: figure.title.clone(),
        note: figure.note.clone(),
        legend: figure.legend.iter().map(|(name, ink)| (name.clone(), ink.variable())).collect(),
        plots: figure.plots.iter().enumerate().map(plot).collect(),
        broad: figure.plots.len() > 1 || figure.plots.iter().any(|plot| plot.width > WIDE),
        csv: (format!("{id}.csv"), data_url("text/csv", figure.csv.as_bytes())),
        id,
    }
}

/// A plot as it stands in the page: as wide as its place, in the page's colours, silent beside the words that stand for it,
/// and without its title where the figure says the same.
fn dressed(plot: &Plot, titled: bool) -> String {
    let (top, height) = if titled { (TITLE, plot.units.1.saturating_sub(TITLE)) } else { (0, plot.units.1) };
    let body = plot.svg.find('>').map_or("", |at| &plot.svg[at..]);
    let width = plot.units.0;
    format!("<svg class=\"plot\" aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 {top} {width} {height}\"{body}")
}

impl PicturesView {
    pub(super) fn of(pictures: &Pictures) -> Self {
        let tile = |tile: &super::Tile| TileView {
            url: data_url("image/jpeg", &tile.jpeg),
            width: tile.size.0,
            height: tile.size.1,
            alt: tile.alt.clone(),
            caption: tile.caption.clone(),
        };
        let case = |case: &super::Case| CaseView {
            heading: case.heading.clone(),
            tiles: case.tiles.iter().map(tile).collect(),
        };
        Self {
            title: pictures.title.clone(),
            note: pictures.note.clone(),
            cases: pictures.cases.iter().map(case).collect(),
        }
    }
}

fn made(run: &RunPart, all: &[RunPart]) -> MadeView {
    let provenance = &run.report.provenance;
    let mut facts = vec![
        ("run".to_owned(), run.id.clone()),
        ("analysis".to_owned(), format!("{} version {}", provenance.plugin, provenance.plugin_version)),
        ("rival10".to_owned(), provenance.rival10_version.clone()),
        ("seed, trials".to_owned(), format!("{}, {}", provenance.seed, provenance.trials)),
        ("data".to_owned(), provenance.data.clone()),
    ];
    facts.extend(provenance.models.iter().map(|(name, digest)| (format!("model {name}"), digest.clone())));
    facts.extend(run.digests.iter().cloned());
    let parameters: Vec<String> = provenance.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !parameters.is_empty() {
        facts.push(("parameters".to_owned(), parameters.join(" ")));
    }
    MadeView { heading: heading(run, all), run: anchor(run), command: run.command.clone(), facts }
}
