//! What comes out of libtorch: tensors, their numbers, and errors.

use tch::{IValue, Kind, TchError, Tensor as Value};

use crate::guard::guarded;

/// The tensors that a module returned, the logits first.
pub(super) fn tensors(returned: IValue) -> Result<Vec<Value>, String> {
    const EXPECTED: &str = "it returns tensors alone: logits, or a tuple of logits and then activations";
    let values = match returned {
        IValue::Tensor(logits) => vec![logits],
        IValue::TensorList(values) => values,
        IValue::Tuple(values) | IValue::GenericList(values) => {
            let tensor = |value: IValue| match value {
                IValue::Tensor(value) => Ok(value),
                other => Err(format!("there is {} among what it returns; {EXPECTED}", kind_of(&other))),
            };
            values.into_iter().map(tensor).collect::<Result<_, _>>()?
        }
        other => return Err(format!("it returns {}; {EXPECTED}", kind_of(&other))),
    };
    if values.is_empty() {
        return Err(format!("it returns nothing; {EXPECTED}"));
    }
    for (at, value) in values.iter().enumerate() {
        let kind = if value.defined() { value.f_kind().map_err(|error| told(&error))? } else { Kind::Bool };
        if !matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16) {
            return Err(format!("value {at} of what it returns holds no floating-point numbers; {EXPECTED}"));
        }
    }
    Ok(values)
}

/// What a value is, for an error.
fn kind_of(value: &IValue) -> &'static str {
    match value {
        IValue::None => "None",
        IValue::Tensor(_) => "a tensor",
        IValue::Tuple(_) => "a tuple",
        IValue::GenericDict(_) => "a dict",
        IValue::GenericList(_) | IValue::TensorList(_) => "a list",
        IValue::String(_) => "a text",
        IValue::Object(_) => "an object",
        _ => "a number, or several",
    }
}

pub(super) fn shape_of(value: &Value) -> Vec<usize> {
    value.size().into_iter().map(|n| usize::try_from(n).unwrap_or_default()).collect()
}

/// A tensor's numbers, row-major, in single precision.
pub(super) fn numbers(value: &Value) -> Result<Vec<f32>, TchError> {
    let value = value.f_detach()?.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut numbers = vec![0f32; value.numel()];
    value.f_copy_data(&mut numbers, value.numel())?;
    Ok(numbers)
}

/// Runs `work` on libtorch; what it or the bindings throw becomes a sentence.
pub(super) fn caught<T, E: Told>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match guarded(work) {
        Ok(outcome) => outcome.map_err(E::told),
        Err(reason) => Err(format!("libtorch's bindings stopped inside: {reason}")),
    }
}

/// An error that can be told in a sentence.
pub(super) trait Told {
    fn told(self) -> String;
}

impl Told for String {
    fn told(self) -> String {
        self
    }
}

impl Told for TchError {
    fn told(self) -> String {
        told(&self)
    }
}

/// What libtorch said, without the stack of C++ calls that it puts behind.
pub(super) fn told(error: &TchError) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("Internal torch error: ").unwrap_or(&text);
    let text = text.split("Exception raised from").next().unwrap_or(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    // Errors inside of a module's code end in the error itself, below the lines of code that led to it.
    let last = lines.clone().rfind(|line| line.starts_with("RuntimeError: "));
    last.or_else(|| lines.next()).unwrap_or("no reason was given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_without_the_stack() {
        let told = |text: &str| told(&TchError::Torch(text.to_owned()));
        assert_eq!(told("bad file\nException raised from f at a.cpp:3\nframe #0"), "bad file");
        assert_eq!(
            told("The following operation failed.\nTraceback:\n  x @ y\nRuntimeError: sizes differ\n"),
            "RuntimeError: sizes differ"
        );
        assert_eq!(told(""), "no reason was given");
    }

    #[test]
    fn what_is_returned_is_tensors_or_refused_by_its_kind() {
        let tensor = || Value::from_slice(&[1f32, 2.0]);
        assert_eq!(tensors(IValue::Tensor(tensor())).unwrap().len(), 1);
        assert_eq!(tensors(IValue::Tuple(vec![IValue::Tensor(tensor()), IValue::Tensor(tensor())])).unwrap().len(), 2);
        for (returned, expected) in [
            (IValue::GenericDict(Vec::new()), "a dict"),
            (IValue::None, "None"),
            (IValue::Tuple(Vec::new()), "nothing"),
            (IValue::Tuple(vec![IValue::Tensor(tensor()), IValue::Int(3)]), "a number"),
            (IValue::Tensor(Value::from_slice(&[1i64])), "no floating-point"),
        ] {
            let error = tensors(returned).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
