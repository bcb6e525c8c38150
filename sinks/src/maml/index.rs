//! Where segments begin, for seeking by time.

/// Most entries kept; beyond, every other one is dropped.
const MAX_ENTRIES: usize = 1 << 16;
const ENTRY_LEN: usize = 28;

/// One segment: its number, its first record and time, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) segment: u32,
    /// `seq` of the SEGMENT record.
    pub(crate) seq: u64,
    /// Time of its first frame, in nanoseconds since the Unix epoch.
    pub(crate) time_nanos: i64,
    /// Where the SEGMENT record begins, in bytes from the first record.
    pub(crate) offset: u64,
}

/// All segments, or every 2ⁿ-th once there are too many: memory stays bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    entries: Vec<Entry>,
    stride: u32,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            stride: 1,
        }
    }
}

impl Index {
    pub(crate) fn push(&mut self, entry: Entry) {
        if !entry.segment.is_multiple_of(self.stride) {
            return;
        }
        self.entries.push(entry);
        if self.entries.len() > MAX_ENTRIES {
            self.stride *= 2;
            let stride = self.stride;
            self.entries.retain(|entry| entry.segment.is_multiple_of(stride));
        }
    }

    /// Forgets segments that begin at `offset` or later.
    pub(crate) fn cut(&mut self, offset: u64) {
        self.entries.retain(|entry| entry.offset < offset);
    }

    /// The last entry that begins at `time_nanos` or before; else the first.
    pub(crate) fn find(&self, time_nanos: i64) -> Option<&Entry> {
        let after = self
            .entries
            .partition_point(|entry| entry.time_nanos <= time_nanos);
        self.entries.get(after.saturating_sub(1))
    }

    /// Bytes that [`Self::encode`] gives.
    pub(crate) fn encoded_len(&self) -> usize {
        4 + self.entries.len() * ENTRY_LEN
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        bytes.extend_from_slice(&(self.entries.len() as u32).to_le_bytes());
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.segment.to_le_bytes());
            bytes.extend_from_slice(&entry.seq.to_le_bytes());
            bytes.extend_from_slice(&entry.time_nanos.to_le_bytes());
            bytes.extend_from_slice(&entry.offset.to_le_bytes());
        }
        bytes
    }

    /// Nothing if the bytes are not exactly an index. The reader makes its own index and compares
    /// the bytes, so only tests read one.
    #[cfg(test)]
    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = super::cursor::Cursor::new(bytes);
        let count = cursor.u32()? as usize;
        if count > MAX_ENTRIES || bytes.len() != 4 + count * ENTRY_LEN {
            return None;
        }
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(Entry {
                segment: cursor.u32()?,
                seq: cursor.u64()?,
                time_nanos: cursor.i64()?,
                offset: cursor.u64()?,
            });
        }
        Some(Self { entries, stride: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(segment: u32) -> Entry {
        Entry {
            segment,
            seq: u64::from(segment) * 12,
            time_nanos: i64::from(segment) * 1_000_000_000 - 5,
            offset: u64::from(segment) * 9000,
        }
    }

    #[test]
    fn an_index_leads_back_and_finds() {
        let mut index = Index::default();
        assert_eq!(index.find(0), None);
        (0..10).for_each(|segment| index.push(entry(segment)));
        let bytes = index.encode();
        assert_eq!(Index::decode(&bytes).unwrap(), index);
        for end in 0..bytes.len() {
            assert_eq!(Index::decode(&bytes[..end]), None, "cut at {end}");
        }
        assert_eq!(index.find(i64::MIN).unwrap().segment, 0);
        assert_eq!(index.find(3_999_999_995).unwrap().segment, 4);
        assert_eq!(index.find(3_999_999_994).unwrap().segment, 3);
        assert_eq!(index.find(i64::MAX).unwrap().segment, 9);
    }

    #[test]
    fn a_long_record_keeps_a_bounded_index() {
        let mut index = Index::default();
        (0..300_000).for_each(|segment| index.push(entry(segment)));
        assert!(index.entries.len() <= MAX_ENTRIES && index.entries.len() > MAX_ENTRIES / 2);
        assert_eq!(index.stride, 8);
        assert!(index.entries.iter().all(|entry| entry.segment % 8 == 0));
    }

    #[test]
    fn a_giant_count_is_refused_before_it_is_allocated() {
        assert_eq!(Index::decode(&u32::MAX.to_le_bytes()), None);
    }
}
