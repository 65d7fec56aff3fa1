//! How each value's numbers lie over the picture.
//!
//! Convolutions and pools say where channels and positions stand; transpositions move them; whatever keeps a shape keeps
//! the meaning of its axes. A list of tokens lies over the picture if it is as long as a grid that was seen before, or if
//! tokens without a place were joined to such a list. A reshape to `[1, height, width, channels]` is believed where height
//! and width divide the picture's by one factor, as patch merging does.

use std::collections::HashMap;

use rival10_sdk::Grid;

use super::{Grids, Step};
use crate::{interface::Input, preprocessing::Layout};

/// Operators whose four-dimensional results are `[batch, channels, height, width]` by ONNX's definition.
const CHANNELS_FIRST: &[&str] = &[
    "AveragePool",
    "BatchNormalization",
    "Conv",
    "ConvTranspose",
    "DepthToSpace",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "InstanceNormalization",
    "LRN",
    "MaxPool",
    "SpaceToDepth",
];

/// Operators whose results' axes do not mean what their inputs' do.
const REARRANGING: &[&str] = &["Einsum", "Flatten", "Gather", "Gemm", "Reshape", "Squeeze", "Unsqueeze"];

/// The place of tokens in a list: what stands before the grid, the grid, and what stands behind it.
#[derive(Clone, Copy)]
struct List {
    height: usize,
    width: usize,
    before: usize,
    after: usize,
}

/// By step: how it lies over the picture; none for a single position.
pub(super) fn find(steps: &[Step<'_>], input: &Input) -> Grids {
    let mut channels_last: Vec<Option<bool>> = Vec::with_capacity(steps.len());
    let mut grids: Grids = Vec::with_capacity(steps.len());
    let mut lists: HashMap<usize, List> = HashMap::new();
    let (picture_height, picture_width) = (input.size.height as usize, input.size.width as usize);
    for step in steps {
        let source = |place: usize| match place.checked_sub(1) {
            None => Some(input.layout == Layout::Nhwc),
            Some(i) => channels_last[i],
        };
        let mut last = None;
        let mut grid = None;
        match *step.shape.as_slice() {
            [1, a, b, c] => {
                last = order(step, source);
                let divides = picture_height.is_multiple_of(a.max(1))
                    && picture_width.is_multiple_of(b.max(1))
                    && picture_height / a.max(1) == picture_width / b.max(1);
                if last.is_none() && step.operator() == "Reshape" && divides {
                    last = Some(true);
                }
                let (channels, height, width) = if last == Some(true) { (c, a, b) } else { (a, b, c) };
                if let Some(channels_last) = last {
                    grid = Some(Grid { height, width, channels, before: 0, after: 0, channels_last });
                }
            }
            [1, a, b] => {
                if let Some(list) = joined(step, a, &grids) {
                    lists.insert(a, list);
                }
                let of = |list: &List, channels: usize, channels_last: bool| {
                    let List { height, width, before, after } = *list;
                    Grid { height, width, channels, before, after, channels_last }
                };
                grid = match (lists.get(&a), lists.get(&b)) {
                    (Some(list), _) => Some(of(list, b, true)),
                    (None, Some(list)) if list.before + list.after == 0 => Some(of(list, a, false)),
                    _ => None,
                };
            }
            _ => {}
        }
        let grid = grid.filter(|grid| grid.positions() > 1 && step.is_layer);
        if let Some(Grid { height, width, before: 0, after: 0, .. }) = grid {
            lists.insert(height * width, List { height, width, before: 0, after: 0 });
        }
        channels_last.push(last);
        grids.push(grid);
    }
    grids
}

/// Whether the channels of a four-dimensional value come last; none where its wiring does not tell.
fn order(step: &Step<'_>, source: impl Fn(usize) -> Option<bool>) -> Option<bool> {
    let operator = step.operator();
    if CHANNELS_FIRST.contains(&operator) {
        return Some(false);
    }
    let known = step.inputs().find_map(source);
    match operator {
        "Transpose" => {
            let order = step.node.attribute.iter().find(|attribute| attribute.name == "perm")?.ints.as_slice();
            match (known?, order) {
                (false, [0, 2, 3, 1]) => Some(true),
                (true, [0, 3, 1, 2]) => Some(false),
                (last, [0, 1, 2, 3]) => Some(last),
                _ => None,
            }
        }
        // A product with weights works on the last axis, which then holds the channels.
        "MatMul" => known.filter(|&last| last && step.weighted()),
        operator if REARRANGING.contains(&operator) => None,
        _ => known,
    }
}

/// Where the grid stands in the list of `length` tokens that `step` joins: the one list among its inputs that is a whole
/// grid, with everything else in front of it or behind it.
fn joined(step: &Step<'_>, length: usize, grids: &[Option<Grid>]) -> Option<List> {
    if step.operator() != "Concat" {
        return None;
    }
    let whole = |(place, source): (usize, &Option<usize>)| {
        let grid = grids.get((*source)?.checked_sub(1)?).copied().flatten();
        Some((place, grid.filter(|grid| grid.channels_last && grid.before + grid.after == 0)?))
    };
    let (place, grid) = step.sources.iter().enumerate().find_map(whole)?;
    let others = length.checked_sub(grid.positions()).filter(|&others| others > 0)?;
    let (height, width) = (grid.height, grid.width);
    match place {
        0 => Some(List { height, width, before: 0, after: others }),
        place if place + 1 == step.sources.len() => Some(List { height, width, before: others, after: 0 }),
        _ => None,
    }
}
