//! Colours in linear light, in which all light is added up, and their way to 8 bits.

use std::sync::LazyLock;

use crate::geometry::{Vec3, vec3};

/// The colour that a screen shows for `0xrrggbb`, in linear light.
pub(crate) fn srgb(hex: u32) -> Vec3 {
    // Surfaces name their colours at every sample: a table makes that cheap.
    static CHANNEL: LazyLock<[f32; 256]> = LazyLock::new(|| std::array::from_fn(|value| decode(value as f32 / 255.0)));
    let channel = |shift: u32| CHANNEL[(hex >> shift & 0xff) as usize];
    vec3(channel(16), channel(8), channel(0))
}

/// IEC 61966-2-1, from a screen's value in [0, 1] to linear light.
fn decode(value: f32) -> f32 {
    if value <= 0.04045 { value / 12.92 } else { libm::powf((value + 0.055) / 1.055, 2.4) }
}

/// IEC 61966-2-1, from linear light in [0, 1] to a screen's value.
fn encode(value: f32) -> f32 {
    if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * libm::powf(value, 1.0 / 2.4) - 0.055 }
}

/// Linear light to a screen's value in [0, 255], highlights rolled off.
///
/// A table over the square root of the light: even steps there are nearly even steps on the screen, so that no power
/// function is needed at every pixel.
pub(crate) struct Encoder(Vec<f32>);

impl Encoder {
    const STEPS: usize = 2048;
    /// Light from here on is white.
    const WHITE: f32 = 4.0;

    /// The table, made once.
    pub(crate) fn table() -> &'static Self {
        static TABLE: LazyLock<Encoder> = LazyLock::new(|| {
            let value = |step: usize| {
                let root = step as f32 / Encoder::STEPS as f32;
                255.0 * encode(roll_off(root * root * Encoder::WHITE))
            };
            Encoder((0..=Encoder::STEPS).map(value).collect())
        });
        &TABLE
    }

    /// The screen's value, not rounded.
    pub(crate) fn encode(&self, light: f32) -> f32 {
        let root = (light.max(0.0) / Self::WHITE).sqrt().min(1.0);
        self.0[(root * Self::STEPS as f32 + 0.5) as usize]
    }
}

/// Linear up to 0.6, then bent so that 4.0 just reaches 1.
fn roll_off(light: f32) -> f32 {
    const KNEE: f32 = 0.6;
    if light <= KNEE {
        return light;
    }
    let (over, range) = (light - KNEE, Encoder::WHITE - KNEE);
    // Reinhard's extended curve on what lies above the knee, slope 1 at the knee.
    let room = 1.0 - KNEE;
    let (x, w) = (over / room, range / room);
    KNEE + room * x * (1.0 + x / (w * w)) / (1.0 + x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screen_values_survive_the_way_to_light_and_back_below_the_knee() {
        for value in 0..=200u32 {
            let light = srgb(value << 16 | value << 8 | value);
            if light.x < 0.6 {
                let back = Encoder::table().encode(light.x);
                assert!((back - value as f32).abs() < 0.6, "{value}: {back}");
            }
        }
    }

    #[test]
    fn brighter_light_is_never_darker_and_white_is_white() {
        let table = Encoder::table();
        let values: Vec<_> = (0..500).map(|i| table.encode(i as f32 * 0.01)).collect();
        assert!(values.is_sorted());
        assert_eq!((table.encode(0.0), table.encode(-1.0)), (0.0, 0.0));
        assert!((table.encode(9.0) - 255.0).abs() < 1e-3);
    }
}
