//! ONNX files as the tests write them: bytes by hand, so that nothing of the engine takes part.

/// Protobuf wire format, as far as an ONNX file needs it.
pub(crate) mod wire {
    fn varint(mut value: u64, out: &mut Vec<u8>) {
        while value > 0x7f {
            out.push((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    pub(crate) fn number(field: u64, value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        varint(field << 3, &mut out);
        varint(value, &mut out);
        out
    }

    pub(crate) fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        varint((field << 3) | 2, &mut out);
        varint(value.len() as u64, &mut out);
        out.extend_from_slice(value);
        out
    }

    pub(crate) fn message(field: u64, parts: &[Vec<u8>]) -> Vec<u8> {
        bytes(field, &parts.concat())
    }
}

pub(crate) fn text(field: u64, value: &str) -> Vec<u8> {
    wire::bytes(field, value.as_bytes())
}

/// A NodeProto of the graph: inputs 1, outputs 2, name 3, operator 4.
pub(crate) fn node(name: &str, operator: &str, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    let inputs = inputs.iter().map(|name| text(1, name));
    let outputs = outputs.iter().map(|name| text(2, name));
    let parts: Vec<_> = inputs.chain(outputs).chain([text(3, name), text(4, operator)]).collect();
    wire::message(1, &parts)
}

/// A ValueInfoProto of single precision as the graph's `field` (input 11, output 12).
pub(crate) fn value(field: u64, name: &str, dims: &[u64]) -> Vec<u8> {
    let dims: Vec<_> = dims.iter().map(|&dim| wire::message(1, &[wire::number(1, dim)])).collect();
    let tensor = wire::message(1, &[wire::number(1, 1), wire::message(2, &dims)]);
    wire::message(field, &[text(1, name), wire::message(2, &[tensor])])
}

/// A node with one attribute of a whole number: attributes 5; of those name 1, number 3, kind 20.
pub(crate) fn node_with(name: &str, operator: &str, inputs: &[&str], outputs: &[&str], number: (&str, u64)) -> Vec<u8> {
    let attribute = wire::message(5, &[text(1, number.0), wire::number(3, number.1), wire::number(20, 2)]);
    let inputs = inputs.iter().map(|name| text(1, name));
    let outputs = outputs.iter().map(|name| text(2, name));
    let parts: Vec<_> = inputs.chain(outputs).chain([text(3, name), text(4, operator), attribute]).collect();
    wire::message(1, &parts)
}

/// A weight of single precision with these numbers.
pub(crate) fn floats(name: &str, dims: &[u64], numbers: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut parts: Vec<_> = dims.iter().map(|&dim| wire::number(1, dim)).collect();
    parts.extend([wire::number(2, 1), text(8, name), wire::bytes(9, &raw)]);
    wire::message(5, &parts)
}

/// A weight of whole numbers; without dimensions a single one.
pub(crate) fn integers(name: &str, dims: &[u64], numbers: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut parts: Vec<_> = dims.iter().map(|&dim| wire::number(1, dim)).collect();
    parts.extend([wire::number(2, 7), text(8, name), wire::bytes(9, &raw)]);
    wire::message(5, &parts)
}

/// An input or output of which some axes have no fixed length.
pub(crate) fn free_value(field: u64, name: &str, dims: &[Option<u64>]) -> Vec<u8> {
    let dim = |dim: &Option<u64>| match dim {
        Some(length) => wire::message(1, &[wire::number(1, *length)]),
        None => wire::message(1, &[text(2, "n")]),
    };
    let dims: Vec<_> = dims.iter().map(dim).collect();
    let tensor = wire::message(1, &[wire::number(1, 1), wire::message(2, &dims)]);
    wire::message(field, &[text(1, name), wire::message(2, &[tensor])])
}

/// A file of opset 13 with this graph.
pub(crate) fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut graph = parts.to_vec();
    graph.push(text(2, "net"));
    [wire::number(1, 8), wire::message(7, &graph), wire::message(8, &[wire::number(2, 13)])].concat()
}
