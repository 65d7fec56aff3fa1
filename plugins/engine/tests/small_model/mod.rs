//! Small ONNX files, written field by field: what the engine's tests open, spoil and run.
#![allow(dead_code)] // Each test takes what it needs.

use std::path::{Path, PathBuf};

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// Logits of the small model.
pub(crate) const CLASSES: usize = 5;

/// A model under construction.
#[derive(Clone)]
pub(crate) struct Small(pub(crate) ModelProto);

impl Small {
    /// A convolution, relu, global pool and linear layer over `[free, 3, height, width]`; weights drawn from a formula.
    pub(crate) fn new(height: i64, width: i64) -> Self {
        let draw = |shape: &[i64], salt: i64| {
            let count: i64 = shape.iter().product();
            (0..count).map(|i| ((i * 37 + salt * 11) % 29) as f32 / 29.0 - 0.45).collect::<Vec<f32>>()
        };
        let graph = GraphProto {
            name: "small".to_owned(),
            node: vec![
                with(node("first", "Conv", &["x", "w1", "b1"], &["conv"]), ints("pads", &[1, 1, 1, 1])),
                node("act", "Relu", &["conv"], &["relu"]),
                node("pooling", "GlobalAveragePool", &["relu"], &["pool"]),
                node("flatten", "Flatten", &["pool"], &["flat"]),
                with(node("head", "Gemm", &["flat", "w2", "b2"], &["logits"]), int("transB", 1)),
            ],
            initializer: vec![
                floats("w1", &[6, 3, 3, 3], draw(&[6, 3, 3, 3], 1)),
                floats("b1", &[6], draw(&[6], 2)),
                floats("w2", &[CLASSES as i64, 6], draw(&[CLASSES as i64, 6], 3)),
                floats("b2", &[CLASSES as i64], draw(&[CLASSES as i64], 4)),
            ],
            input: vec![value("x", &[None, Some(3), Some(height), Some(width)])],
            output: vec![value("logits", &[None, Some(CLASSES as i64)])],
            ..GraphProto::default()
        };
        let opset = OperatorSetIdProto { domain: String::new(), version: 13 };
        Self(ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..ModelProto::default() })
    }

    pub(crate) fn graph(&mut self) -> &mut GraphProto {
        self.0.graph.as_mut().unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    /// Writes the model into `folder`.
    pub(crate) fn save(&self, folder: &Path) -> PathBuf {
        save_bytes(folder, &self.bytes())
    }
}

pub(crate) fn save_bytes(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("model.onnx");
    std::fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn node(name: &str, operator: &str, input: &[&str], output: &[&str]) -> NodeProto {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    NodeProto {
        name: name.to_owned(),
        op_type: operator.to_owned(),
        input: own(input),
        output: own(output),
        ..NodeProto::default()
    }
}

pub(crate) fn with(mut node: NodeProto, attribute: AttributeProto) -> NodeProto {
    node.attribute.push(attribute);
    node
}

pub(crate) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    let kind = AttributeType::Ints as i32;
    AttributeProto { name: name.to_owned(), ints: values.to_vec(), r#type: kind, ..AttributeProto::default() }
}

pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    let kind = AttributeType::Int as i32;
    AttributeProto { name: name.to_owned(), i: value, r#type: kind, ..AttributeProto::default() }
}

pub(crate) fn floats(name: &str, shape: &[i64], data: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: shape.to_vec(),
        data_type: DataType::Float as i32,
        float_data: data,
        ..TensorProto::default()
    }
}

pub(crate) fn integers(name: &str, shape: &[i64], data: Vec<i64>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: shape.to_vec(),
        data_type: DataType::Int64 as i32,
        int64_data: data,
        ..TensorProto::default()
    }
}

pub(crate) fn value(name: &str, shape: &[Option<i64>]) -> ValueInfoProto {
    let dim = |length: &Option<i64>| Dimension {
        value: Some(match length {
            Some(length) => dimension::Value::DimValue(*length),
            None => dimension::Value::DimParam("n".to_owned()),
        }),
        ..Dimension::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto { dim: shape.iter().map(dim).collect() }),
    };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: name.to_owned(), r#type: Some(kind), ..ValueInfoProto::default() }
}

/// A transformer of one block with a class token over 2 x 3 patches of a `[free, 3, 4, 6]` picture: patch embedding,
/// `joined` (class token first, if there is one), `norm1`, attention of one head with a way around it, `norm2` and a linear
/// layer with a way around it, `final`, and a head that reads the class token, or else the tokens' mean.
pub(crate) fn transformer(class_token: bool) -> Small {
    const WIDTH: i64 = 4;
    let draw = |shape: &[i64], salt: i64| {
        let count: i64 = shape.iter().product();
        (0..count).map(|i| ((i * 31 + salt * 17) % 23) as f32 / 23.0 - 0.45).collect::<Vec<f32>>()
    };
    let weights = |name: &str, shape: &[i64], salt: i64| floats(name, shape, draw(shape, salt));
    let square = [WIDTH, WIDTH];
    let mut small = Small::new(4, 6);
    small.0.opset_import[0].version = 17;
    let norm = |name: &str, from: &str| {
        with(node(name, "LayerNormalization", &[from, "scale", "shift"], &[name]), int("axis", -1))
    };
    let mut nodes = vec![
        with(
            with(node("embed", "Conv", &["x", "we"], &["patches"]), ints("strides", &[2, 2])),
            ints("kernel_shape", &[2, 2]),
        ),
        node("flat", "Reshape", &["patches", "list"], &["listed"]),
        with(node("turn", "Transpose", &["listed"], &["tokens"]), ints("perm", &[0, 2, 1])),
    ];
    if class_token {
        nodes.push(with(node("join", "Concat", &["class", "tokens"], &["joined"]), int("axis", 1)));
    } else {
        nodes.push(node("join", "Identity", &["tokens"], &["joined"]));
    }
    nodes.extend([
        norm("norm1", "joined"),
        node("q", "MatMul", &["norm1", "wq"], &["queries"]),
        node("k", "MatMul", &["norm1", "wk"], &["keys"]),
        node("v", "MatMul", &["norm1", "wv"], &["values"]),
        with(node("kt", "Transpose", &["keys"], &["turned"]), ints("perm", &[0, 2, 1])),
        node("qk", "MatMul", &["queries", "turned"], &["likeness"]),
        with(node("soft", "Softmax", &["likeness"], &["attention"]), int("axis", -1)),
        node("av", "MatMul", &["attention", "values"], &["attended"]),
        node("around", "Add", &["joined", "attended"], &["block"]),
        norm("norm2", "block"),
        node("mlp", "MatMul", &["norm2", "wm"], &["mixed"]),
        node("past", "Add", &["block", "mixed"], &["out"]),
        norm("final", "out"),
        if class_token {
            with(node("read", "Gather", &["final", "first"], &["read"]), int("axis", 1))
        } else {
            with(with(node("read", "ReduceMean", &["final"], &["read"]), ints("axes", &[1])), int("keepdims", 0))
        },
        with(node("head", "Gemm", &["read", "wh", "bh"], &["logits"]), int("transB", 1)),
    ]);
    let graph = small.graph();
    graph.node = nodes;
    graph.initializer = vec![
        weights("we", &[WIDTH, 3, 2, 2], 1),
        integers("list", &[3], vec![1, WIDTH, 6]),
        weights("class", &[1, 1, WIDTH], 2),
        weights("scale", &[WIDTH], 3),
        weights("shift", &[WIDTH], 4),
        weights("wq", &square, 5),
        weights("wk", &square, 6),
        weights("wv", &square, 7),
        weights("wm", &square, 8),
        integers("first", &[], vec![0]),
        weights("wh", &[CLASSES as i64, WIDTH], 9),
        weights("bh", &[CLASSES as i64], 10),
    ];
    small
}
