//! A card's samples as bytes of a declared kind. Integers are aligned at their highest bit, as full scale is one
//! thing for all of them: more bits than declared are cut, of fewer there is no asking.

use crate::waves::Kind;

/// Samples as a card gives them, all channels of one moment, then of the next.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "sound-card"),
    allow(dead_code, reason = "only a card gives them")
)]
pub(super) enum Taken<'a> {
    I16(&'a [i16]),
    /// From -2²³ to 2²³ - 1.
    I24(&'a [i32]),
    I32(&'a [i32]),
    F32(&'a [f32]),
}

/// The bytes of these samples as the kind says. Floats are floats of any kind that is asked for.
#[cfg_attr(
    not(feature = "sound-card"),
    allow(dead_code, reason = "only a card needs it")
)]
pub(super) fn bytes(kind: Kind, taken: Taken<'_>) -> Vec<u8> {
    match taken {
        Taken::I16(samples) => whole(kind, samples.iter().map(|sample| i32::from(*sample) << 16)),
        Taken::I24(samples) => whole(kind, samples.iter().map(|sample| sample << 8)),
        Taken::I32(samples) => whole(kind, samples.iter().copied()),
        Taken::F32(samples) => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
    }
}

/// Samples that are aligned at the highest of 32 bits.
fn whole(kind: Kind, samples: impl Iterator<Item = i32>) -> Vec<u8> {
    let (width, big) = match kind {
        Kind::Int { bytes, big } => (bytes, big),
        Kind::Float => (4, false),
    };
    let mut written = Vec::with_capacity(width * samples.size_hint().0);
    for sample in samples {
        let highest_first = sample.to_be_bytes();
        match big {
            true => written.extend(&highest_first[..width]),
            false => written.extend(highest_first[..width].iter().rev()),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waves::Form;

    /// What the reader of a stream makes of the bytes, as numbers.
    fn read(word: &str, taken: Taken<'_>) -> Vec<f64> {
        let form = Form::named(word).unwrap();
        match form.rows(&bytes(form.kind, taken)).0 {
            beluga_types::SampleValues::RealI16(values) => values.into_iter().map(f64::from).collect(),
            beluga_types::SampleValues::RealF32(values) => values.into_iter().map(f64::from).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn samples_come_back_as_the_reader_of_the_declared_kind_has_them() {
        let narrow = [0, 1, -2, i16::MAX, i16::MIN];
        for word in ["S16LE/8000/1", "S16BE/8000/1", "L16/8000/1"] {
            assert_eq!(read(word, Taken::I16(&narrow)), narrow.map(f64::from), "{word}");
        }
        let middle = [0, 1, -2, 8_388_607, -8_388_608];
        for word in ["S24LE/8000/1", "S24BE/8000/1"] {
            assert_eq!(read(word, Taken::I24(&middle)), middle.map(f64::from), "{word}");
        }
        let wide = [0, 1 << 20, i32::MIN];
        assert_eq!(read("S32LE/8000/1", Taken::I32(&wide)), wide.map(f64::from));
        let floats = [0.0, -0.25, 1.0];
        assert_eq!(read("F32LE/8000/1", Taken::F32(&floats)), floats.map(f64::from));
    }

    #[test]
    fn full_scale_stays_full_scale_where_bits_are_cut() {
        // A converter of 24 bits in words of 32.
        let wide = [0x7fff_ff00, i32::MIN, 0x100, -0x100, 0xff];
        let expected = [8_388_607.0, -8_388_608.0, 1.0, -1.0, 0.0];
        assert_eq!(read("S24LE/8000/1", Taken::I32(&wide)), expected);
        assert_eq!(
            read("S16BE/8000/1", Taken::I32(&wide)),
            [32_767.0, -32_768.0, 0.0, -1.0, 0.0]
        );
        assert_eq!(
            read("S16LE/8000/1", Taken::I24(&[0x7f_ffff, -256])),
            [32_767.0, -1.0]
        );
        assert_eq!(
            bytes(Kind::Int { bytes: 3, big: true }, Taken::I32(&[0x0102_0304])),
            [1, 2, 3]
        );
    }
}
