//! The pages that are passed around: a report of runs, and the sheet that a delivery is signed off on.
//!
//! Owned here: how reports, tables and pictures become one HTML file that needs nothing outside of itself: no network, no
//! other file, no script to be read. Refused: opening a file, running an analysis, deciding what is shown. What is shown is
//! handed in as plain data ([`Page`], [`SignOff`]), and the same data gives the same bytes.
//!
//! - `figures`: which table is drawn, and how. `plot`: the drawing. `ink`: the colours of page and plots.
//! - `table`, `number`, `saved`: tables as people read them, and as CSV and LaTeX to take along.
//! - `methods`: what each analysis measures, and whom to cite.
//! - `view`: plain data as the templates read it; the templates and the style sheet lie under `templates/`.

mod figures;
mod ink;
mod methods;
mod number;
mod plot;
mod saved;
mod sign_off;
mod table;
mod view;

use rival10_sdk::{Report, Table};

pub use sign_off::{SignOff, sign_off};

/// A page that can't be made.
#[derive(Debug, thiserror::Error)]
#[error("the page can't be made: {0}")]
pub struct PageError(String);

impl From<plot::PlotError> for PageError {
    fn from(error: plot::PlotError) -> Self {
        Self(error.to_string())
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        Self(error.to_string())
    }
}

/// Everything that a page shows.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What it is about: the project's or the study's name.
    pub title: String,
    /// What kind of page it is, in a line under the title.
    pub subtitle: String,
    /// The runs, in the order in which they are shown.
    pub runs: Vec<RunPart>,
    /// Parts before the runs: what a study claims.
    pub before: Vec<Part>,
    /// Parts behind them: the data, how far annotators agree.
    pub behind: Vec<Part>,
    /// Models that belong together and share a colour.
    pub groups: Vec<Group>,
    /// In which order classes and attributes stand.
    pub order: Order,
}

/// The names of classes and attributes, in the order in which they are shown: their taxonomy's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The classes.
    pub classes: Vec<String>,
    /// The attributes.
    pub attributes: Vec<String>,
}

/// Models that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// The names they go by.
    pub models: Vec<String>,
}

/// One run, as the page shows it.
#[derive(Clone, Debug)]
pub struct RunPart {
    /// Its id.
    pub id: String,
    /// What it says.
    pub report: Report,
    /// Pictures of single images.
    pub pictures: Vec<Pictures>,
    /// The command that gives the same run again.
    pub command: String,
    /// Digests of what it was made from and of what it left, by name.
    pub digests: Vec<(String, String)>,
}

/// A part of the page behind which no single run stands.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// A short name, by which `figures` knows its tables: `data`, `agreement`, `study`.
    pub name: String,
    /// Its heading.
    pub heading: String,
    /// What it says.
    pub paragraphs: Vec<String>,
    /// Its tables; the first is shown at once, the others on demand.
    pub tables: Vec<Table>,
    /// Pictures of single images.
    pub pictures: Vec<Pictures>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// Pictures that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pictures {
    /// What they show.
    pub title: String,
    /// How they were chosen, and how to read them.
    pub note: String,
    /// One case after the other.
    pub cases: Vec<Case>,
}

/// An image and what was done to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Which it is, and what is told of it.
    pub heading: String,
    /// Side by side.
    pub tiles: Vec<Tile>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// A JPEG file.
    pub jpeg: Vec<u8>,
    /// Pixels across and down.
    pub size: (u32, u32),
    /// What is seen on it, for whoever sees it not.
    pub alt: String,
    /// What stands under it.
    pub caption: String,
}

/// The page as one HTML document.
///
/// # Errors
/// [`PageError`] if a plot can't be drawn.
pub fn render(page: &Page) -> Result<String, PageError> {
    view::page(page)
}

/// An analysis's name as a heading.
fn heading_of(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{Estimate, Provenance};
    use serde_json::json;

    use super::*;

    /// A report that says nothing.
    pub(super) fn report(analysis: &str, models: &[&str]) -> Report {
        let provenance = Provenance {
            plugin: analysis.to_owned(),
            plugin_version: 1,
            rival10_version: "0.1.0".to_owned(),
            profile: "strict".to_owned(),
            seed: 0,
            trials: 3,
            n: 12,
            models: models.iter().map(|name| ((*name).to_owned(), "digest".to_owned())).collect(),
            data: "data".to_owned(),
            parameters: std::collections::BTreeMap::new(),
        };
        Report { provenance, headline: Vec::new(), tables: Vec::new(), notes: Vec::new() }
    }

    fn run(analysis: &str) -> RunPart {
        let estimate = Estimate {
            name: "agreement & more".to_owned(),
            model: Some("<net>".to_owned()),
            value: Some(-0.25),
            interval: Some((-0.5, 0.125)),
            interval_method: "95% bootstrap".to_owned(),
            n: 12,
        };
        let table = Table {
            name: "by-model".to_owned(),
            caption: "What it found.".to_owned(),
            columns: vec!["model".to_owned(), "score".to_owned()],
            rows: vec![vec![json!("<net>"), json!(0.5)]],
        };
        let tile =
            Tile { jpeg: vec![0xff, 0xd8], size: (4, 3), alt: "a \"dog\"".to_owned(), caption: "clean".to_owned() };
        RunPart {
            id: format!("{analysis}0123456789abcdef"),
            report: Report {
                headline: vec![estimate],
                tables: vec![table],
                notes: vec!["Mind the gap.".to_owned()],
                ..report(analysis, &["<net>"])
            },
            pictures: vec![Pictures {
                title: "Cases".to_owned(),
                note: "By hand.".to_owned(),
                cases: vec![Case { heading: "dog".to_owned(), tiles: vec![tile] }],
            }],
            command: format!("rival10 analyze --plugin {analysis}"),
            digests: vec![("report.json".to_owned(), "abc".to_owned())],
        }
    }

    fn page() -> Page {
        Page { title: "photos".to_owned(), runs: vec![run("somebody-elses"), run("ablation")], ..Page::default() }
    }

    #[test]
    fn any_report_is_shown_and_what_it_says_is_escaped() {
        let html = render(&page()).unwrap();
        for expected in [
            "Somebody elses",
            "agreement &#38; more",
            "&#60;net&#62;",
            "−0.250",
            "−0.500 to 0.125",
            "What it found.",
            "Mind the gap.",
            "data:image/jpeg;base64,/9g=",
            "alt=\"a &#34;dog&#34;\"",
            "rival10 analyze --plugin somebody-elses",
        ] {
            assert!(html.contains(expected), "{expected} is missing");
        }
        assert!(!html.contains("<net>"));
    }

    #[test]
    fn a_headline_without_intervals_has_no_column_of_them_and_counts_are_whole() {
        let mut page = page();
        assert!(render(&page).unwrap().contains("<th scope=\"col\">Interval</th>"));
        page.runs.truncate(1);
        for estimate in &mut page.runs[0].report.headline {
            (estimate.value, estimate.interval) = (Some(2.0), None);
        }
        let html = render(&page).unwrap();
        assert!(!html.contains("<th scope=\"col\">Interval</th>") && html.contains("<td class=\"n strong\">2</td>"));
    }

    #[test]
    fn the_page_names_nothing_outside_of_itself_but_works_that_it_cites() {
        let html = render(&page()).unwrap();
        for attribute in ["src=\"", "url("] {
            for (at, _) in html.match_indices(attribute) {
                assert!(html[at + attribute.len()..].starts_with("data:"), "{}", &html[at..at + 60]);
            }
        }
        for (at, _) in html.match_indices("href=\"") {
            let address = html[at + 6..].split('"').next().unwrap();
            let inside = address.starts_with("data:") || address.starts_with('#');
            assert!(inside || methods::REFERENCES.iter().any(|work| work.url == address), "{address}");
        }
    }

    #[test]
    fn every_anchor_is_there_once_and_the_same_data_gives_the_same_bytes() {
        let html = render(&page()).unwrap();
        let ids: Vec<&str> =
            html.match_indices(" id=\"").map(|(at, _)| html[at + 5..].split('"').next().unwrap()).collect();
        let unique: std::collections::HashSet<&&str> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        for (at, _) in html.match_indices("href=\"#") {
            let name = html[at + 7..].split('"').next().unwrap();
            assert!(ids.contains(&name), "#{name} leads nowhere");
        }
        assert_eq!(render(&page()).unwrap(), html);
    }
}
