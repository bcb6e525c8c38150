//! A writer of small KMALL files, for tests: byte by byte as Kongsberg's 410224 lays datagrams out.

/// Seconds of the first datagram's time, since 1970.
pub(crate) const START_S: u32 = 1_700_000_000;
/// The text of what is installed: a transmitter that is turned round, a receiver, an attitude sensor.
pub(crate) const INSTALLATION: &str = "EMXV:EM2042,\nTRAI_TX1:N=1;X=-0.5;Y=-0.1;Z=1.7;R=0.1;P=0.9;H=178.0;S=0.7;IPX=0;IPY=-0.05;IPZ=-0.01;\
    ICX=0;ICY=0;ICZ=0;ISX=0;ISY=0.05;ISZ=-0.01,TRAI_RX1:N=2;X=-0.2;Y=0.1;Z=1.6;R=0;P=0;H=0;IX=-0.01;IY=0;IZ=0,\
    POSI_1:X=0;Y=0;Z=0;U=ACTIVE,ATTI_1:X=1.0;Y=0;Z=-2.0;R=0;P=0;H=0;D=0;U=ACTIVE,EMXI:SWLZ=0.5,\n";

/// A whole datagram, so many milliseconds after the start.
pub(crate) fn datagram(kind: &[u8; 4], version: u8, millis: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 24).to_le_bytes();
    let (seconds, nanos) = (START_S + millis / 1000, millis % 1000 * 1_000_000);
    let head = [&length[..], kind, &[version, 40], &2042u16.to_le_bytes()].concat();
    [
        &head[..],
        &seconds.to_le_bytes(),
        &nanos.to_le_bytes(),
        body,
        &length,
    ]
    .concat()
}

/// Numbers one after the other.
#[derive(Default)]
pub(crate) struct Body(pub(crate) Vec<u8>);

impl Body {
    pub(crate) fn u8s(mut self, numbers: &[u8]) -> Self {
        self.0.extend(numbers);
        self
    }

    pub(crate) fn u16s(mut self, numbers: &[u16]) -> Self {
        self.0
            .extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    pub(crate) fn u32s(mut self, numbers: &[u32]) -> Self {
        self.0
            .extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    pub(crate) fn f32s(mut self, numbers: &[f32]) -> Self {
        self.0
            .extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    pub(crate) fn f64s(mut self, numbers: &[f64]) -> Self {
        self.0
            .extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    pub(crate) fn zeros(mut self, count: usize) -> Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }
}

/// `#IIP` with this text.
pub(crate) fn installation(text: &str) -> Vec<u8> {
    let body = Body::default()
        .u16s(&[text.len() as u16 + 6, 0, 0])
        .u8s(text.as_bytes());
    datagram(b"#IIP", 0, 0, &body.0)
}

/// `#SVP`: 1480 m/s at the surface, 1490 at 20 m.
pub(crate) fn profile() -> Vec<u8> {
    let body = Body::default()
        .u16s(&[28, 2])
        .u8s(b"S00\0")
        .u32s(&[START_S])
        .f64s(&[54.0, 12.0]);
    let body = [[0.0, 1480.0], [20.0, 1490.0]]
        .into_iter()
        .fold(body, |body, level| {
            body.f32s(&level).u32s(&[0]).f32s(&[10.0, 0.0])
        });
    datagram(b"#SVP", 1, 1, &body.0)
}

/// `#SKM` of samples every 10 ms from this millisecond on: a level vessel that heads east.
pub(crate) fn motions(millis: u32, count: u16) -> Vec<u8> {
    motions_of(0, millis, count)
}

/// The same with these bits of what is invalid.
pub(crate) fn motions_of(status: u32, millis: u32, count: u16) -> Vec<u8> {
    let body = Body::default()
        .u16s(&[12])
        .u8s(&[0, 1])
        .u16s(&[1, count, 132, 127]);
    let body = (0..u32::from(count)).fold(body, |body, index| {
        let at = millis + 10 * index;
        body.u8s(b"#KMB")
            .u16s(&[132, 1])
            .u32s(&[START_S + at / 1000, at % 1000 * 1_000_000, status])
            .f64s(&[54.0, 12.0])
            .f32s(&[42.0, 0.0, 0.0, 90.0, 0.05])
            .f32s(&[0.1, 0.2, 0.3, 0.0, 1.0, 0.0])
            .f32s(&[0.01, 0.02, 0.03, 0.1, 0.1, 0.2, -1.0, 0.0, 0.0, 0.0])
            .u32s(&[0, 0])
            .f32s(&[0.0])
    });
    datagram(b"#SKM", 1, millis, &body.0)
}

/// `#SPO` at this millisecond; the sensor's own clock is 3 ms behind.
pub(crate) fn position(millis: u32, latitude_deg: f64) -> Vec<u8> {
    let own = millis - 3;
    let body = Body::default()
        .u16s(&[8, 0, 0x0601, 0])
        .u32s(&[START_S + own / 1000, own % 1000 * 1_000_000])
        .f32s(&[0.07])
        .f64s(&[latitude_deg, 12.0])
        .f32s(&[1.0, 90.0, 42.0])
        .u8s(b"$INGGA,*00\r\n");
    datagram(b"#SPO", 0, millis, &body.0)
}

/// `#SVT` at this millisecond.
pub(crate) fn sound_speed(millis: u32, m_per_s: f32) -> Vec<u8> {
    let body = Body::default().u16s(&[20, 1, 1, 1, 24, 3]).f32s(&[60.0, 0.0]);
    let body = body
        .u32s(&[START_S + millis / 1000, millis % 1000 * 1_000_000])
        .f32s(&[m_per_s, 10.0, -9999.0, -9999.0]);
    datagram(b"#SVT", 0, millis, &body.0)
}

/// One sounding: kind of detection, sector, angle in degrees to port, two-way time in seconds.
pub(crate) type Beam = (u8, u8, f32, f32);

/// Beams that a swath has if nothing else is said; the last is no detection.
pub(crate) const BEAMS: [Beam; 4] = [
    (0, 0, 40.0, 0.012),
    (0, 1, 0.0, 0.009),
    (1, 1, -20.0, 0.006),
    (2, 0, -40.0, 0.011),
];

/// What follows the partition of an `#MRZ`.
pub(crate) fn swath_body(counter: u16, speed_m_per_s: f32, beams: &[Beam]) -> Vec<u8> {
    let body = Body::default()
        .u16s(&[12, counter])
        .u8s(&[1, 0, 1, 0, 0, 0, 1, 0]);
    // The ping: widths at 72, sectors at 92, heading and the rest at 96.
    let body = body
        .u16s(&[144])
        .zeros(70)
        .f32s(&[0.7, 0.9])
        .zeros(12)
        .u16s(&[2, 48]);
    let body = body.f32s(&[90.0, speed_m_per_s, 1.2, 0.5, 0.0, 0.0]).u8s(&[0; 4]);
    let body = body.f64s(&[54.0, 12.0]).f32s(&[42.0]);
    let body = [(0u8, 2u8, 0.0f32, -0.8f32), (1, 1, 0.001, -0.9)]
        .into_iter()
        .fold(body, |body, (number, part, delay_s, tilt_deg)| {
            body.u8s(&[number, 0, part, 0])
                .f32s(&[delay_s, tilt_deg, 210.0, 5.0, 300e3, 15e3, 1e-4])
                .u8s(&[50, 0, 0, 0])
                .f32s(&[0.0, 0.0, 5e-5])
        });
    let count = beams.len() as u16;
    let body = body
        .u16s(&[32, count, count, 120])
        .zeros(16)
        .u16s(&[0, 0, 1, 4])
        .zeros(4);
    let body = beams
        .iter()
        .enumerate()
        .fold(body, |body, (index, &(kind, sector, angle, time))| {
            body.u16s(&[index as u16])
                .u8s(&[sector, kind, 1, 0, 0, 0, 0, 0, 0, 0])
                .f32s(&[100.0, 0.5, 0.02, 0.02, 1e-4, 1e-4])
                .u16s(&[0, 0])
                .f32s(&[0.0, 90.0, -30.0, -20.0, -200.0, 210.0, 0.0, 60.0])
                .f32s(&[angle, 0.0, time, 0.0, 0.0, 0.0, 6.0, -5.0, 0.1, 0.0])
                .u16s(&[0, 0, 0, 2])
        });
    // The seabed image: two samples of each.
    body.zeros(4 * beams.len()).0
}

/// `#MRZ` in one part.
pub(crate) fn swath(millis: u32, counter: u16, beams: &[Beam]) -> Vec<u8> {
    let body = [&[1u8, 0, 1, 0][..], &swath_body(counter, 1478.0, beams)].concat();
    datagram(b"#MRZ", 3, millis, &body)
}

/// The same in so many parts, as a recording of UDP packets has it.
pub(crate) fn swath_in_parts(millis: u32, counter: u16, parts: u16) -> Vec<u8> {
    let body = swath_body(counter, 1478.0, &BEAMS);
    let size = body.len().div_ceil(usize::from(parts));
    let split = body.chunks(size).enumerate();
    split
        .flat_map(|(index, chunk)| {
            let head = Body::default().u16s(&[parts, index as u16 + 1]);
            datagram(b"#MRZ", 3, millis, &[&head.0[..], chunk].concat())
        })
        .collect()
}

/// A file of two pings at 100 and 300 ms with all that belongs to them, and what is passed over.
pub(crate) fn file() -> Vec<u8> {
    [
        installation(INSTALLATION),
        datagram(b"#IOP", 0, 0, b"\x0c\0\0\0\0\0abcdef"),
        profile(),
        motions(0, 60),
        sound_speed(20, 1478.5),
        position(50, 54.0),
        datagram(b"#MWC", 2, 100, &[7; 40]),
        swath(300, 8, &BEAMS),
        swath(100, 7, &BEAMS),
        datagram(b"#XYZ", 9, 350, b"whatever"),
    ]
    .concat()
}
