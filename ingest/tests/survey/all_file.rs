//! A writer of small `.all` files, for tests: byte by byte as Kongsberg's 160692 lays datagrams out, in
//! either byte order.

/// The date of all datagrams, and the milliseconds of the first: 200 ms before midnight.
pub(crate) const DATE: u32 = 20_221_109;
pub(crate) const START_MS: u32 = 86_399_800;
/// The same in nanoseconds since 1970.
pub(crate) const START_NANOS: i64 = 1_667_952_000_000_000_000 + 86_399_800_000_000;
/// Two receivers beside one transmitter that is turned round.
pub(crate) const INSTALLATION: &str = "WLZ=-2.5,SMH=101,STC=3,S1X=0.4,S1Y=0.0,S1Z=0.4,S1H=180,S1P=0,S1R=0,\
    S2X=0.2,S2Y=-0.4,S2Z=0.3,S2H=0,S2P=0,S2R=35,S3X=0.2,S3Y=0.4,S3Z=0.3,S3H=0,S3P=0,S3R=-35,R1S=101,R2S=102,\
    P1X=-8,P1Y=1,P1Z=-6,MSX=0,MSY=0,MSZ=0,MSR=0,MSP=0,MSG=0,";

/// Writes datagrams in one byte order.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) big: bool,
}

/// Numbers one after the other.
pub(crate) struct Body {
    big: bool,
    bytes: Vec<u8>,
}

macro_rules! numbers {
    ($($name:ident: $kind:ty),*) => {$(
        pub(crate) fn $name(mut self, numbers: &[$kind]) -> Self {
            for number in numbers {
                let bytes = if self.big { number.to_be_bytes() } else { number.to_le_bytes() };
                self.bytes.extend(bytes);
            }
            self
        }
    )*};
}

impl Body {
    numbers!(u8s: u8, u16s: u16, i16s: i16, u32s: u32, i32s: i32, f32s: f32);
}

impl Order {
    pub(crate) fn body(self) -> Body {
        Body {
            big: self.big,
            bytes: Vec::new(),
        }
    }

    /// A whole datagram, so many milliseconds after the start.
    pub(crate) fn datagram(self, kind: u8, millis: u32, counter: u16, serial: u16, body: Body) -> Vec<u8> {
        let ms = START_MS + millis;
        let (date, ms) = if ms >= 86_400_000 {
            (DATE + 1, ms - 86_400_000)
        } else {
            (DATE, ms)
        };
        let head = self
            .body()
            .u8s(&[kind])
            .u16s(&[2040])
            .u32s(&[date, ms])
            .u16s(&[counter, serial])
            .bytes;
        let summed = [head, body.bytes].concat();
        let sum = summed
            .iter()
            .fold(0u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
        let start = self.body().u32s(&[summed.len() as u32 + 4]).u8s(&[2]).bytes;
        [start, summed, self.body().u8s(&[3]).u16s(&[sum]).bytes].concat()
    }

    pub(crate) fn installation(self, text: &str) -> Vec<u8> {
        let mut text = text.as_bytes().to_vec();
        // The end byte lies where the text ends at an odd number of bytes.
        text.resize(text.len() + text.len() % 2, 0);
        self.datagram(b'I', 0, 1, 101, self.body().u16s(&[102]).u8s(&text))
    }

    /// `U`: 1490 m/s at the surface, 1495 at 30 m, in decimetres.
    pub(crate) fn profile(self) -> Vec<u8> {
        let body = self
            .body()
            .u32s(&[DATE, 3600])
            .u16s(&[2, 10])
            .u32s(&[0, 14_900, 300, 14_950]);
        self.datagram(b'U', 1, 1, 101, body.u8s(&[0]))
    }

    /// `R`: beams of 0.5° and 1.0°.
    pub(crate) fn runtime(self) -> Vec<u8> {
        let body = self.body().u8s(&[0; 14]).u16s(&[5]).u8s(&[0, 10]).u8s(&[0; 18]);
        self.datagram(b'R', 2, 1, 101, body)
    }

    /// `A`: samples every 50 ms, a vessel heading east that heaves a little; whether the sounder uses it.
    pub(crate) fn attitudes(self, millis: u32, count: u16, sensor: u8, used: bool) -> Vec<u8> {
        let body = (0..count).fold(self.body().u16s(&[count]), |body, index| {
            body.u16s(&[50 * index, 0x9090]).i16s(&[0, 0, 10]).u16s(&[9000])
        });
        let which = (sensor - 1) << 4 | if used { 1 } else { 0x0e };
        self.datagram(b'A', millis, 1, 101, body.u8s(&[which]))
    }

    /// `n`: two samples 100 ms apart with bytes of the sensor's own.
    pub(crate) fn network_attitudes(self, millis: u32) -> Vec<u8> {
        let body = self.body().u16s(&[2]).u8s(&[0x2e, 0]);
        let body = [(0u16, 3u8), (100, 4)]
            .into_iter()
            .fold(body, |body, (offset, own)| {
                let body = body.u16s(&[offset]).i16s(&[100, -50, -20]).u16s(&[9000]);
                body.u8s(&[own]).u8s(&vec![7; usize::from(own)])
            });
        self.datagram(b'n', millis, 1, 101, body)
    }

    /// `P`: the antenna with a sentence that has a height and this time of day.
    pub(crate) fn position(self, millis: u32, latitude_deg: f64, time: &str) -> Vec<u8> {
        let text = format!("GPGGA,{time},5400.0,N,01200.0,E,4,12,0.7,10.0,M,40.0,M,1.0,1390*4E");
        let place = [(latitude_deg * 2e7) as i32, 120_000_000];
        let body = self.body().i32s(&place).u16s(&[7, 100, 9000, 9000]);
        let body = body.u8s(&[0xc1, text.len() as u8]).u8s(text.as_bytes());
        self.datagram(b'P', millis, 1, 101, body)
    }

    /// `G`: two samples a second apart.
    pub(crate) fn surface_speeds(self, millis: u32) -> Vec<u8> {
        let body = self.body().u16s(&[2, 0, 14_880, 1, 14_881]).u8s(&[0]);
        self.datagram(b'G', millis, 1, 101, body)
    }

    /// `N` of these beams: angle in 0.01° to port, detection info, two-way time in seconds.
    pub(crate) fn ranges(
        self,
        millis: u32,
        counter: u16,
        serial: u16,
        speed: u16,
        beams: &[(i16, u8, f32)],
    ) -> Vec<u8> {
        let count = beams.len() as u16;
        let body = self
            .body()
            .u16s(&[speed, 1, count, count])
            .f32s(&[30e3])
            .u32s(&[0]);
        let body = body
            .i16s(&[125])
            .u16s(&[127])
            .f32s(&[2e-4, 0.002, 300e3])
            .u16s(&[7764])
            .u8s(&[0, 1])
            .f32s(&[6e3]);
        let body = beams.iter().fold(body, |body, &(angle, info, time)| {
            body.i16s(&[angle])
                .u8s(&[0, info])
                .u16s(&[12])
                .u8s(&[25, 0])
                .f32s(&[time])
                .i16s(&[-250])
                .u8s(&[0, 0])
        });
        self.datagram(b'N', millis, counter, serial, body.u8s(&[0]))
    }

    /// `X` of one sounding.
    pub(crate) fn soundings(self, millis: u32, counter: u16, serial: u16) -> Vec<u8> {
        let body = self
            .body()
            .u16s(&[9000, 14_880])
            .f32s(&[2.9])
            .u16s(&[1, 1])
            .f32s(&[30e3])
            .u8s(&[0; 4]);
        let body = body
            .f32s(&[9.5, -3.5, 8.0])
            .u16s(&[12])
            .u8s(&[25, 0, 0, 0])
            .i16s(&[-250])
            .u8s(&[0]);
        self.datagram(b'X', millis, counter, serial, body)
    }

    /// A file over midnight of two pings of two heads each, with all that belongs to them.
    pub(crate) fn file(self) -> Vec<u8> {
        let ranges = |millis, counter, serial| self.ranges(millis, counter, serial, 14_880, &BEAMS);
        [
            self.installation(INSTALLATION),
            self.profile(),
            self.runtime(),
            self.attitudes(0, 30, 1, true),
            self.position(50, 54.0, "235959.80"),
            ranges(100, 65_535, 101),
            self.soundings(100, 65_535, 101),
            ranges(100, 65_535, 102),
            self.surface_speeds(150),
            self.datagram(b'k', 160, 9, 101, self.body().u8s(&[1; 31])),
            ranges(500, 0, 101),
            ranges(500, 0, 102),
            self.attitudes(0, 30, 2, false),
            self.network_attitudes(700),
            self.position(850, 54.0, "000000.60"),
            self.datagram(b'C', 900, 3, 101, self.body().u32s(&[DATE + 1, 700]).u8s(&[1])),
        ]
        .concat()
    }
}

/// Beams that a ping has: the last without a detection.
pub(crate) const BEAMS: [(i16, u8, f32); 3] = [(2000, 0, 0.013), (-3500, 1, 0.012), (-4000, 0x80, 0.011)];
