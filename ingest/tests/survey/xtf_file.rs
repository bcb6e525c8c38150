//! A writer of small XTF files, for tests: byte by byte as Triton's format description lays them out, and
//! R2Sonic's for the pings inside.

/// Nanoseconds since 1970 of 2015-07-08 23:52:15 UTC.
pub(crate) const START_NANOS: i64 = 1_436_399_535_000_000_000;

/// Bytes that are written at places of their own.
pub(crate) struct Sheet(pub(crate) Vec<u8>);

impl Sheet {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(vec![0; bytes])
    }

    pub(crate) fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(crate) fn u16(self, at: usize, number: u16) -> Self {
        self.put(at, &number.to_le_bytes())
    }

    pub(crate) fn u32(self, at: usize, number: u32) -> Self {
        self.put(at, &number.to_le_bytes())
    }

    pub(crate) fn f32(self, at: usize, number: f32) -> Self {
        self.put(at, &number.to_le_bytes())
    }

    pub(crate) fn f64(self, at: usize, number: f64) -> Self {
        self.put(at, &number.to_le_bytes())
    }

    /// Year, month, day, hour, minute, second.
    fn date(self, at: usize) -> Self {
        self.u16(at, 2015).put(at + 2, &[7, 8, 23, 52, 15])
    }
}

/// The file's header: port and starboard of two bytes a sample, and a multibeam.
pub(crate) fn header() -> Vec<u8> {
    let sheet = Sheet::new(1024)
        .put(0, &[123, 1])
        .put(2, b"TEST")
        .u16(164, 3)
        .u16(166, 2)
        .u16(168, 1);
    // The antenna 1 m forward and 3 m up.
    let sheet = sheet.f32(216, 1.0).f32(224, -3.0);
    let channel = |sheet: Sheet, at: usize, kind: u8, name: &[u8]| {
        sheet.put(at, &[kind]).u16(at + 6, 2).put(at + 12, name)
    };
    let sheet = channel(sheet, 256, 1, b"PORT");
    let sheet = channel(sheet, 384, 2, b"STARBOARD");
    // Beams of 0.5° along, 40° below the horizontal, 50° across; 0.3 m to starboard and 1 m down.
    let sheet = sheet
        .f32(384 + 36, 0.5)
        .f32(384 + 40, 40.0)
        .f32(384 + 44, 50.0)
        .f32(384 + 48, 0.3)
        .f32(384 + 56, 1.0);
    // Forward 2 m, down 1.5 m, turned 2° to starboard.
    channel(sheet, 512, 3, b"BATHY")
        .f32(512 + 52, 2.0)
        .f32(512 + 56, 1.5)
        .f32(512 + 60, 2.0)
        .0
}

/// A packet of this type around a body that already has room for its head.
pub(crate) fn packet(kind: u8, channels: u16, body: Vec<u8>) -> Vec<u8> {
    let length = body.len() as u32;
    Sheet(body)
        .put(0, &[0xce, 0xfa, kind, 0])
        .u16(4, channels)
        .u32(10, length)
        .0
}

/// Type 0: a ping of both sides, so many hundredths of a second after the start.
pub(crate) fn side_scan(hundredths: u8, number: u32, place: [f64; 2]) -> Vec<u8> {
    let sheet = Sheet::new(256)
        .date(14)
        .put(21, &[hundredths])
        .u32(28, number)
        .f32(32, 750.0);
    let sheet = sheet
        .f64(160, place[0])
        .f64(168, place[1])
        .f32(192, 2.0)
        .f32(196, 5.0);
    let mut body = sheet.f32(204, -1.0).f32(208, 2.0).f32(212, 90.0).0;
    for channel in [0u16, 1] {
        let samples: Vec<u8> = (0..20u16)
            .flat_map(|sample| (100 * channel + sample).to_le_bytes())
            .collect();
        body.extend(Sheet::new(64).u16(0, channel).f32(4, 30.0).u32(42, 20).0);
        body.extend(samples);
    }
    packet(0, 2, body)
}

/// Type 3, so many milliseconds after the start: a vessel that heads east.
pub(crate) fn attitude(millis: u16) -> Vec<u8> {
    let sheet = Sheet::new(64)
        .f32(30, 1.0)
        .f32(34, -2.0)
        .f32(38, 0.25)
        .f32(50, 90.0);
    packet(3, 0, sheet.date(54).u16(61, millis).0)
}

/// Type 107, so many tenths of a millisecond after the start.
pub(crate) fn position(tenths: u16, latitude_deg: f64) -> Vec<u8> {
    let sheet = Sheet::new(64).date(14).u16(21, tenths);
    packet(107, 0, sheet.f64(23, latitude_deg).f64(31, 12.0).f64(39, 40.0).0)
}

/// Type 65: a ping of an R2Sonic with these points: time in steps of 10 µs, quality.
pub(crate) fn r2sonic(millis: u32, number: u32, speed: f32, points: &[(u16, u8)]) -> Vec<u8> {
    let count = points.len();
    let big16 =
        |values: &mut dyn Iterator<Item = u16>| values.flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let section =
        |name: &[u8; 2], body: Vec<u8>| [&name[..], &(body.len() as u16 + 4).to_be_bytes(), &body].concat();
    let mut header = vec![0; 112];
    let mut put = |at: usize, bytes: [u8; 4]| header[at - 16..at - 12].copy_from_slice(&bytes);
    put(40, 1_436_399_535u32.to_be_bytes());
    put(44, (millis * 1_000_000).to_be_bytes());
    put(48, number.to_be_bytes());
    put(56, speed.to_be_bytes());
    put(60, 400e3f32.to_be_bytes());
    put(72, 0.0175f32.to_be_bytes());
    put(76, 0.0087f32.to_be_bytes());
    put(80, 0.05f32.to_be_bytes());
    put(124, (count as u32).to_be_bytes());
    let ranges = [
        &1e-5f32.to_be_bytes()[..],
        &big16(&mut points.iter().map(|point| point.0)),
    ]
    .concat();
    let mut steps = [&(-0.6f32).to_be_bytes()[..], &1e-4f32.to_be_bytes(), &[0; 24]].concat();
    steps.extend(big16(
        &mut (0..count).map(|index| if index == 0 { 0 } else { 4000 }),
    ));
    let strengths = [&1f32.to_be_bytes()[..], &big16(&mut points.iter().map(|_| 100))].concat();
    let quality: Vec<u8> = points
        .chunks(8)
        .flat_map(|eight| {
            let word = eight.iter().zip(0..).fold(0u32, |word, (point, index)| {
                word | u32::from(point.1) << (28 - 4 * index)
            });
            word.to_be_bytes()
        })
        .collect();
    let sections = [
        section(b"H0", header),
        section(b"R0", ranges),
        section(b"A2", steps),
        section(b"I1", strengths),
        section(b"G0", vec![0; 12]),
        section(b"Q0", quality),
    ]
    .concat();
    let length = sections.len() as u32 + 12;
    let ping = [&b"BTH0"[..], &length.to_be_bytes(), &[0; 4], &sections].concat();
    let mut body = Sheet::new(256).date(14).u32(28, number).0;
    body.extend(ping);
    body.extend([0; 32]);
    packet(65, 1, body)
}

/// Points that a ping has: the third has no time, the fourth has passed no test.
pub(crate) const POINTS: [(u16, u8); 4] = [(1200, 11), (1000, 5), (0, 0), (1300, 8)];

/// A file of a multibeam with navigation.
pub(crate) fn multibeam() -> Vec<u8> {
    let mut bytes = header();
    for step in 0..10u16 {
        bytes.extend(position(200 + 1000 * step, 54.0));
        bytes.extend(attitude(20 + 100 * step));
        bytes.extend(r2sonic(
            50 + 100 * u32::from(step),
            7 + u32::from(step),
            1480.0,
            &POINTS,
        ));
    }
    bytes.extend(packet(199, 0, vec![9; 40]));
    bytes
}

/// A file of a side-scan: its first ping has no position.
pub(crate) fn sides() -> Vec<u8> {
    let pings = (0..5u8).map(|ping| {
        let place = if ping == 0 { [0.0; 2] } else { [54.0, 12.0] };
        side_scan(10 * ping, u32::from(ping), place)
    });
    [header()].into_iter().chain(pings).flatten().collect()
}
