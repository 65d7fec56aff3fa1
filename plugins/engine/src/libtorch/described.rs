//! What a module says of itself: the JSON that its method `rival10` returns, if it has one.
//!
//! A TorchScript file tells neither the size of its pictures nor what its outputs are. `python/export.py --torchscript`
//! therefore gives the module a method that does:
//!
//! ```json
//! {"rival10_module": 1, "source": "torchvision 0.26.0 resnet18", "input": {"width": 224, "height": 224},
//!  "layers": [{"name": "features"}, {"name": "layer4.1", "grid": {"height": 7, "width": 7, "channels": 512,
//!   "before": 0, "after": 0, "channels_last": false}}]}
//! ```
//!
//! Layers stand in the order of the tuple that `forward` returns, the logits left out.

use rival10_sdk::{Grid, Size};
use serde::Deserialize;

/// The version of descriptions that this crate reads.
const VERSION: u32 = 1;

/// What a module says of itself.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Described {
    rival10_module: u32,
    /// Where it comes from, in the exporter's words.
    #[serde(default)]
    pub source: String,
    /// Width and height of its pictures.
    #[serde(default)]
    pub input: Option<Size>,
    /// Its layers, in the order of the tuple.
    #[serde(default)]
    pub layers: Vec<DescribedLayer>,
}

/// What a module says of one layer.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct DescribedLayer {
    /// Its name.
    pub name: String,
    /// How its numbers lie over the picture.
    #[serde(default)]
    pub grid: Option<Grid>,
}

impl Described {
    /// Reads what the method returned.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let invalid = |reason: String| format!("what its method rival10 says is no description: {reason}");
        let described: Self = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        if described.rival10_module != VERSION {
            return Err(invalid(format!(
                "it is of version {}; this program reads {VERSION}",
                described.rival10_module
            )));
        }
        for (at, layer) in described.layers.iter().enumerate() {
            if layer.name.is_empty() || described.layers[..at].iter().any(|other| other.name == layer.name) {
                return Err(invalid(format!("{:?} is no name of its own for a layer", layer.name)));
            }
        }
        Ok(described)
    }

    /// The name and the grid of the layer at place `at` of `layers` that a forward returns, whose shape for one picture is
    /// `shape`.
    pub(super) fn layer(
        described: Option<&Self>,
        at: usize,
        layers: usize,
        shape: &[usize],
    ) -> Result<DescribedLayer, String> {
        let Some(described) = described else {
            let name = if layers == 1 { "features".to_owned() } else { format!("output{}", at + 1) };
            return Ok(DescribedLayer { name, grid: plain_grid(shape) });
        };
        if described.layers.len() != layers {
            return Err(format!(
                "it returns the activations of {layers} layers and describes {}",
                described.layers.len()
            ));
        }
        let layer = described.layers[at].clone();
        if let Some(grid) = layer.grid
            && numbers_of(&grid) != Some(shape.iter().product::<usize>())
        {
            return Err(format!(
                "layer {:?} has the shape {shape:?}, which its grid does not fill: {grid:?}",
                layer.name
            ));
        }
        Ok(layer)
    }
}

/// How many numbers a grid has; none if it has no positions, or more numbers than can be counted.
fn numbers_of(grid: &Grid) -> Option<usize> {
    let positions = grid.height.checked_mul(grid.width).filter(|&positions| positions > 0)?;
    positions.checked_add(grid.before)?.checked_add(grid.after)?.checked_mul(grid.channels)
}

/// Where the numbers of `[1, channels, height, width]` lie, if there is more than one position; of other shapes nobody can
/// tell.
fn plain_grid(shape: &[usize]) -> Option<Grid> {
    let &[1, channels, height, width] = shape else { return None };
    let grid = Grid { height, width, channels, before: 0, after: 0, channels_last: false };
    (grid.positions() > 1).then_some(grid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read_and_held_against_the_shapes() {
        let text = r#"{"rival10_module": 1, "input": {"width": 32, "height": 16}, "layers": [{"name": "features"},
            {"name": "norm1", "grid": {"height": 2, "width": 4, "channels": 6, "before": 1, "after": 0, "channels_last": true}}]}"#;
        let described = Described::parse(text).unwrap();
        assert_eq!(described.input, Some(Size::new(32, 16)));
        let layer = |at, layers, shape: &[usize]| Described::layer(Some(&described), at, layers, shape);
        assert_eq!(layer(0, 2, &[1, 6]).unwrap(), DescribedLayer { name: "features".to_owned(), grid: None });
        assert_eq!(layer(1, 2, &[1, 9, 6]).unwrap().grid.unwrap().positions(), 8);
        assert!(layer(1, 2, &[1, 8, 6]).unwrap_err().contains("does not fill"));
        assert!(layer(0, 1, &[1, 6]).unwrap_err().contains("1 layers and describes 2"));
        let endless = text.replace("\"height\": 2", &format!("\"height\": {}", usize::MAX));
        let endless = Described::parse(&endless).unwrap();
        assert!(Described::layer(Some(&endless), 1, 2, &[1, 9, 6]).unwrap_err().contains("does not fill"));
    }

    #[test]
    fn what_is_no_description_is_refused() {
        for (text, expected) in [
            ("", "EOF"),
            ("{}", "rival10_module"),
            (r#"{"rival10_module": 2}"#, "version 2"),
            (r#"{"rival10_module": 1, "layers": [{"name": "a"}, {"name": "a"}]}"#, "no name of its own"),
            (r#"{"rival10_module": 1, "layers": [{"name": ""}]}"#, "no name of its own"),
        ] {
            let error = Described::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_module_that_says_nothing_has_its_maps_found_by_their_shape() {
        let layer = |at, layers, shape: &[usize]| Described::layer(None, at, layers, shape).unwrap();
        assert_eq!(layer(0, 1, &[1, 8]), DescribedLayer { name: "features".to_owned(), grid: None });
        let maps = layer(1, 2, &[1, 8, 3, 5]);
        assert_eq!((maps.name.as_str(), maps.grid.map(|grid| (grid.height, grid.width))), ("output2", Some((3, 5))));
        assert_eq!(layer(0, 1, &[1, 8, 1, 1]).grid, None);
        assert_eq!(layer(0, 1, &[1, 50, 8]).grid, None);
    }
}
