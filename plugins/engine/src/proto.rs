//! The pieces that ONNX files of our own are made of.

use tract_onnx::pb::{
    AttributeProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// A node called after its first output.
pub(crate) fn node(operator: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        name: format!("{output}/{operator}"),
        op_type: operator.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute,
        ..NodeProto::default()
    }
}

/// An attribute of one whole number.
pub(crate) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i, r#type: AttributeType::Int as i32, ..AttributeProto::default() }
}

/// An attribute of several whole numbers.
pub(crate) fn ints(name: &str, ints: impl IntoIterator<Item = usize>) -> AttributeProto {
    let ints = ints.into_iter().map(|n| n as i64).collect();
    AttributeProto { name: name.to_owned(), ints, r#type: AttributeType::Ints as i32, ..AttributeProto::default() }
}

/// An attribute of text.
pub(crate) fn text(name: &str, text: &str) -> AttributeProto {
    let s = text.as_bytes().to_vec();
    AttributeProto { name: name.to_owned(), s, r#type: AttributeType::String as i32, ..AttributeProto::default() }
}

/// An attribute of one tensor.
pub(crate) fn tensor_attribute(name: &str, t: TensorProto) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        t: Some(t),
        r#type: AttributeType::Tensor as i32,
        ..AttributeProto::default()
    }
}

/// A tensor of `data_type` whose numbers are `raw_data`, little-endian.
pub(crate) fn raw_tensor(name: &str, shape: &[usize], data_type: DataType, raw_data: Vec<u8>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: shape.iter().map(|&n| n as i64).collect(),
        data_type: data_type as i32,
        raw_data,
        ..TensorProto::default()
    }
}

/// A tensor of single precision.
pub(crate) fn tensor(name: &str, shape: &[usize], data: &[f32]) -> TensorProto {
    raw_tensor(name, shape, DataType::Float, data.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A tensor of 64-bit integers along one axis.
pub(crate) fn integers(name: &str, data: &[i64]) -> TensorProto {
    raw_tensor(name, &[data.len()], DataType::Int64, data.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// An input or output of single precision; an axis without a length is `batch`.
pub(crate) fn port(name: &str, shape: &[Option<usize>]) -> ValueInfoProto {
    let dim = |&length: &Option<usize>| {
        let value = match length {
            Some(length) => dimension::Value::DimValue(length as i64),
            None => dimension::Value::DimParam("batch".to_owned()),
        };
        Dimension { value: Some(value), ..Dimension::default() }
    };
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto { dim: shape.iter().map(dim).collect() }),
    };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: name.to_owned(), r#type: Some(kind), ..ValueInfoProto::default() }
}
