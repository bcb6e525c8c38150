//! Writes captures and packets as they are described, for tests: every byte is put down here.

#![allow(dead_code, reason = "each test takes what it needs")]

/// UDP datagrams on their way into a capture.
pub(crate) struct Udp<'a> {
    pub(crate) source: [u8; 4],
    pub(crate) port: u16,
    pub(crate) payload: &'a [u8],
}

impl Udp<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from(7500_u16.to_be_bytes());
        bytes.extend(self.port.to_be_bytes());
        bytes.extend((8 + self.payload.len() as u16).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(self.payload);
        bytes
    }

    /// The IPv4 packet of all of it.
    pub(crate) fn ipv4(&self) -> Vec<u8> {
        ipv4(self.source, 1, 0, &self.bytes())
    }

    /// The IPv6 packet of all of it; the address ends in the four bytes.
    pub(crate) fn ipv6(&self) -> Vec<u8> {
        let udp = self.bytes();
        self.ipv6_of(17, &udp)
    }

    fn ipv6_of(&self, next: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0];
        bytes.extend((content.len() as u16).to_be_bytes());
        bytes.extend([next, 64]);
        bytes.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(self.source);
        bytes.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend(content);
        bytes
    }

    /// Pieces of `length` bytes, a multiple of eight, as IPv4 cuts them.
    pub(crate) fn ipv4_pieces(&self, identification: u16, length: usize) -> Vec<Vec<u8>> {
        let udp = self.bytes();
        let count = udp.len().div_ceil(length);
        let piece = |(number, bytes): (usize, &[u8])| {
            let more = if number + 1 < count { 0x2000 } else { 0 };
            ipv4(
                self.source,
                identification,
                more | (number * length / 8) as u16,
                bytes,
            )
        };
        udp.chunks(length).enumerate().map(piece).collect()
    }

    /// As [`Self::ipv4_pieces`], as IPv6 cuts them.
    pub(crate) fn ipv6_pieces(&self, identification: u32, length: usize) -> Vec<Vec<u8>> {
        let udp = self.bytes();
        let count = udp.len().div_ceil(length);
        let piece = |(number, bytes): (usize, &[u8])| {
            let more = u16::from(number + 1 < count);
            let mut content = vec![17, 0];
            content.extend(((number * length) as u16 | more).to_be_bytes());
            content.extend(identification.to_be_bytes());
            content.extend(bytes);
            self.ipv6_of(44, &content)
        };
        udp.chunks(length).enumerate().map(piece).collect()
    }
}

fn ipv4(source: [u8; 4], identification: u16, fragment: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + content.len() as u16).to_be_bytes());
    bytes.extend(identification.to_be_bytes());
    bytes.extend(fragment.to_be_bytes());
    bytes.extend([64, 17, 0, 0]);
    bytes.extend(source);
    bytes.extend([192, 168, 1, 2]);
    bytes.extend(content);
    bytes
}

/// An Ethernet frame with these tags.
pub(crate) fn ethernet(ip: &[u8], tags: &[u16]) -> Vec<u8> {
    let mut bytes = vec![2; 12];
    for tag in tags {
        bytes.extend(tag.to_be_bytes());
        bytes.extend([0, 7]);
    }
    let kind: u16 = if ip[0] >> 4 == 6 { 0x86dd } else { 0x0800 };
    bytes.extend(kind.to_be_bytes());
    bytes.extend(ip);
    bytes
}

/// How a pcap file is written.
#[derive(Clone, Copy)]
pub(crate) struct Pcap {
    pub(crate) nanos: bool,
    pub(crate) big_endian: bool,
    pub(crate) link: u32,
}

impl Pcap {
    /// As captures mostly are.
    pub(crate) const USUAL: Pcap = Pcap {
        nanos: false,
        big_endian: false,
        link: 1,
    };

    /// A file of packets, each with its time in nanoseconds.
    pub(crate) fn file(self, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
        let u32 = |value: u32| match self.big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        let magic = if self.nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        let version = if self.big_endian { 0x0002_0004 } else { 0x0004_0002 };
        let mut file = Vec::new();
        for word in [magic, version, 0, 0, 262_144, self.link] {
            file.extend(u32(word));
        }
        for (time, bytes) in packets {
            let unit = if self.nanos { 1 } else { 1000 };
            file.extend(u32((time / 1_000_000_000) as u32));
            file.extend(u32((time % 1_000_000_000 / unit) as u32));
            file.extend(u32(bytes.len() as u32));
            file.extend(u32(bytes.len() as u32));
            file.extend(bytes);
        }
        file
    }
}

/// A pcapng file of one section and one Ethernet interface with times in nanoseconds.
pub(crate) fn pcapng(packets: &[(u64, Vec<u8>)], big_endian: bool) -> Vec<u8> {
    let u32 = |value: u32| match big_endian {
        true => value.to_be_bytes(),
        false => value.to_le_bytes(),
    };
    let u16 = |value: u16| match big_endian {
        true => value.to_be_bytes(),
        false => value.to_le_bytes(),
    };
    let block = |kind: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let length = u32(12 + padded as u32);
        let mut bytes = Vec::from(u32(kind));
        bytes.extend(length);
        bytes.extend(body);
        bytes.resize(8 + padded, 0);
        bytes.extend(length);
        bytes
    };
    let mut section = Vec::from(u32(0x1a2b_3c4d));
    section.extend(u16(1));
    section.extend(u16(0));
    section.extend([0xff; 8]);
    let mut interface = Vec::from(u16(1));
    interface.extend([0; 6]);
    interface.extend(u16(9));
    interface.extend(u16(1));
    interface.extend([9, 0, 0, 0]);
    interface.extend([0; 4]);
    let mut file = block(0x0a0d_0d0a, &section);
    file.extend(block(1, &interface));
    // Names that somebody wrote into the file.
    file.extend(block(4, &[0; 4]));
    for (time, bytes) in packets {
        let mut packet = Vec::from(u32(0));
        packet.extend(u32((time >> 32) as u32));
        packet.extend(u32(*time as u32));
        packet.extend(u32(bytes.len() as u32));
        packet.extend(u32(bytes.len() as u32));
        packet.extend(bytes);
        file.extend(block(6, &packet));
    }
    file
}

/// A small Ouster with 16 rows, 64 columns, packets of 16 columns and pixels of 4 bytes.
pub(crate) const SMALL_METADATA: &str = r#"{
  "prod_line": "OS-1-16", "prod_sn": "122201000998", "build_rev": "v2.3.0", "initialization_id": 7,
  "lidar_mode": "1024x10", "lidar_origin_to_beam_origin_mm": 15.806,
  "beam_altitude_angles": [15, 13, 11, 9, 7, 5, 3, 1, -1, -3, -5, -7, -9, -11, -13, -15],
  "beam_azimuth_angles": [4, 1, -1, -4, 4, 1, -1, -4, 4, 1, -1, -4, 4, 1, -1, -4],
  "lidar_to_sensor_transform": [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 36.18, 0, 0, 0, 1],
  "imu_to_sensor_transform": [1, 0, 0, 6.253, 0, 1, 0, -11.775, 0, 0, 1, 7.645, 0, 0, 0, 1],
  "data_format": { "columns_per_frame": 64, "columns_per_packet": 16, "pixels_per_column": 16,
    "column_window": [0, 63], "udp_profile_lidar": "RNG15_RFL8_NIR8", "udp_profile_imu": "LEGACY" }
}"#;

/// What a packet of the small Ouster says.
#[derive(Clone, Copy)]
pub(crate) struct Small {
    pub(crate) frame: u16,
    /// Which of the four packets of a frame.
    pub(crate) number: u16,
    pub(crate) serial: u64,
    pub(crate) initialisation: u32,
    /// The sensor's time of frame 0's first column, in nanoseconds.
    pub(crate) epoch: u64,
}

impl Small {
    pub(crate) const FIRST: Small = Small {
        frame: 0,
        number: 0,
        serial: 122_201_000_998,
        initialisation: 7,
        epoch: 1_000_000_000,
    };

    /// The sensor's time of its first column: a frame takes 0.1 s, a column a 64th of it.
    pub(crate) fn time(&self) -> u64 {
        self.epoch + u64::from(self.frame) * 100_000_000 + u64::from(self.number) * 16 * 1_562_500
    }

    /// Each pixel has a range of 8 m + 8 mm × row, and its row as reflectivity.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from(1_u16.to_le_bytes());
        bytes.extend(self.frame.to_le_bytes());
        bytes.extend(&self.initialisation.to_le_bytes()[..3]);
        bytes.extend(&self.serial.to_le_bytes()[..5]);
        bytes.resize(32, 0);
        for column in 0..16_u16 {
            bytes.extend((self.time() + u64::from(column) * 1_562_500).to_le_bytes());
            bytes.extend((self.number * 16 + column).to_le_bytes());
            bytes.extend(1_u16.to_le_bytes());
            for row in 0..16_u32 {
                bytes.extend(((1000 + row) | row << 16).to_le_bytes());
            }
        }
        bytes.resize(bytes.len() + 32, 0);
        bytes
    }

    /// In a capture, 20 ms behind its last column by a host whose clock says 2022.
    pub(crate) fn heard(&self, source: [u8; 4]) -> (u64, Vec<u8>) {
        let payload = self.bytes();
        let udp = Udp {
            source,
            port: 7502,
            payload: &payload,
        };
        let heard = 1_650_000_000_000_000_000 + self.time() - self.epoch + 45_000_000;
        (heard, ethernet(&udp.ipv4(), &[]))
    }
}

/// The packets of some frames, in order.
pub(crate) fn frames(first: Small, count: u16) -> Vec<Small> {
    let of = |frame| {
        (0..4).map(move |number| Small {
            frame,
            number,
            ..first
        })
    };
    (0..count)
        .flat_map(|more| of(first.frame.wrapping_add(more)))
        .collect()
}

/// A capture of these packets from one address.
pub(crate) fn capture(packets: &[Small]) -> Vec<u8> {
    let heard: Vec<_> = packets.iter().map(|packet| packet.heard([10, 0, 0, 1])).collect();
    Pcap::USUAL.file(&heard)
}
