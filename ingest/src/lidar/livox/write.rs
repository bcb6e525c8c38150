//! Packets made from the specification: synthetic.

/// A packet of so many samples, 475 µs from first to last; coordinates in the kind's own units.
pub(crate) fn packet(
    kind: u8,
    number: u16,
    nanos: u64,
    samples: u16,
    of: impl Fn(u16) -> ([i32; 3], u8),
) -> Vec<u8> {
    let mut data = Vec::new();
    for sample in 0..samples {
        let (values, reflectivity) = of(sample);
        match kind {
            0 => data.extend(
                values
                    .iter()
                    .chain(&values)
                    .flat_map(|value| (*value as f32 * 1e-3).to_le_bytes()),
            ),
            1 => data.extend(values.iter().flat_map(|value| value.to_le_bytes())),
            2 => data.extend(values.iter().flat_map(|value| (*value as i16).to_le_bytes())),
            _ => {
                data.extend(values[0].to_le_bytes());
                data.extend(values[1..].iter().flat_map(|value| (*value as u16).to_le_bytes()));
            }
        }
        if kind > 0 {
            data.extend([reflectivity, 0]);
        }
    }
    let mut bytes = vec![0];
    bytes.extend((36 + data.len() as u16).to_le_bytes());
    bytes.extend(4750_u16.to_le_bytes());
    bytes.extend(samples.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend([0, kind, 0]);
    bytes.extend([0; 12]);
    let checked: Vec<u8> = nanos.to_le_bytes().into_iter().chain(data).collect();
    // A Mid-360 sends a check sum with its IMU's samples only.
    let crc = if kind == 0 { crc32fast::hash(&checked) } else { 0 };
    bytes.extend(crc.to_le_bytes());
    bytes.extend(checked);
    bytes
}
