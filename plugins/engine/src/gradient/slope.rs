//! Derivatives that are algebraic in a function's input or output, as one operator: dx = dy * f'(v).
//!
//! One pass over the numbers, where the engine's own operators would need two to five with a temporary each.

use tract_onnx::tract_core::internal::*;

/// f', as a function of the function's input x or of its output y, whichever is cheaper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slope {
    /// y = max(x, lower) or min(x, upper), of y: 1 strictly between the bounds, else 0.
    Between { lower: f32, upper: f32 },
    /// y = |x|, of x: sign(x), 0 at 0.
    Sign,
    /// y = e^x, of y: y.
    Itself,
    /// y = ln x, of x: 1 / x.
    Inverse,
    /// y = x^2, of x: 2 x.
    Twice,
    /// y = sqrt x, of y: 1 / (2 y).
    HalfInverse,
    /// y = x^-1/2, of y: -y^3 / 2.
    HalfCube,
    /// y = 1 / x, of y: -y^2.
    MinusSquare,
    /// y = tanh x, of y: 1 - y^2.
    Tanh,
    /// y = 1 / (1 + e^-x), of y: y (1 - y).
    Sigmoid,
    /// y = x clip(x / 6 + 1/2, 0, 1), of x: 0 up to -3, 1 from 3 on, x / 3 + 1/2 between.
    HardSwish,
    /// y = x for x > 0 else alpha x, of x.
    Leaky { alpha: f32 },
    /// 0 everywhere: steps.
    Zero,
}

impl Eq for Slope {}

impl Hash for Slope {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Between { lower, upper } => (lower.to_bits(), upper.to_bits()).hash(state),
            Self::Leaky { alpha } => alpha.to_bits().hash(state),
            _ => {}
        }
    }
}

impl Slope {
    /// f' at `v`.
    pub(super) fn at(self, v: f32) -> f32 {
        match self {
            Self::Between { lower, upper } => f32::from(v > lower && v < upper),
            Self::Sign => f32::from(v > 0.0) - f32::from(v < 0.0),
            Self::Itself => v,
            Self::Inverse => v.recip(),
            Self::Twice => 2.0 * v,
            Self::HalfInverse => 0.5 / v,
            Self::HalfCube => -0.5 * v * v * v,
            Self::MinusSquare => -v * v,
            Self::Tanh => 1.0 - v * v,
            Self::Sigmoid => v * (1.0 - v),
            Self::HardSwish if v <= -3.0 => 0.0,
            Self::HardSwish if v >= 3.0 => 1.0,
            Self::HardSwish => v / 3.0 + 0.5,
            Self::Leaky { alpha } => {
                if v > 0.0 {
                    1.0
                } else {
                    alpha
                }
            }
            Self::Zero => 0.0,
        }
    }
}

impl Op for Slope {
    fn name(&self) -> StaticName {
        "Slope".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Slope {
    op_out_of_plan!();

    /// Inputs: the cotangent, and v of the same shape.
    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (cotangent, at) = args_2!(inputs);
        let mut gradient = cotangent.into_tensor();
        let at = at.to_plain_array_view::<f32>()?;
        let at = at.as_slice().context("a tensor that is not in one piece")?;
        let mut view = gradient.try_as_plain_ram_mut()?;
        let numbers = view.as_slice_mut::<f32>()?;
        ensure!(numbers.len() == at.len(), "a cotangent of {} numbers for {}", numbers.len(), at.len());
        let slope = *self;
        match slope {
            // The common ones have a loop of their own, so that the choice is made once and not for each number.
            Self::Between { lower, upper } => numbers.iter_mut().zip(at).for_each(|(number, v)| {
                *number = if *v > lower && *v < upper { *number } else { 0.0 };
            }),
            _ => numbers.iter_mut().zip(at).for_each(|(number, v)| *number *= slope.at(*v)),
        }
        Ok(tvec!(gradient.into_tvalue()))
    }
}

impl TypedOp for Slope {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value()))
    }

    as_op!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_the_functions_central_differences() {
        type Function = fn(f64) -> f64;
        type Point = fn(f64, f64) -> f64;
        let by_input: Point = |x, _y| x;
        let by_output: Point = |_x, y| y;
        let cases: [(Slope, Function, Point); 13] = [
            (Slope::Between { lower: 0.0, upper: f32::INFINITY }, |x| x.max(0.0), by_output),
            (Slope::Between { lower: f32::NEG_INFINITY, upper: 1.5 }, |x| x.min(1.5), by_output),
            (Slope::Sign, f64::abs, by_input),
            (Slope::Itself, f64::exp, by_output),
            (Slope::Inverse, f64::ln, by_input),
            (Slope::Twice, |x| x * x, by_input),
            (Slope::HalfInverse, f64::sqrt, by_output),
            (Slope::HalfCube, |x| x.sqrt().recip(), by_output),
            (Slope::MinusSquare, f64::recip, by_output),
            (Slope::Tanh, f64::tanh, by_output),
            (Slope::Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), by_output),
            (Slope::HardSwish, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0), by_input),
            (Slope::Leaky { alpha: 0.1 }, |x| if x > 0.0 { x } else { 0.1 * x }, by_input),
        ];
        for (slope, f, point) in cases {
            for step in -40..=40 {
                // No point falls on a kink.
                let x = f64::from(step) * 0.103 + 0.0017;
                let exact = (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;
                if exact.is_nan() {
                    continue;
                }
                let ours = f64::from(slope.at(point(x, f(x)) as f32));
                assert!((ours - exact).abs() <= 1e-4 * exact.abs().max(1.0), "{slope:?} at {x}: {ours} {exact}");
            }
        }
    }

    #[test]
    fn kinks_have_no_slope() {
        assert_eq!(Slope::Between { lower: 0.0, upper: 6.0 }.at(0.0), 0.0);
        assert_eq!(Slope::Between { lower: 0.0, upper: 6.0 }.at(6.0), 0.0);
        assert_eq!(Slope::Sign.at(0.0), 0.0);
    }
}
