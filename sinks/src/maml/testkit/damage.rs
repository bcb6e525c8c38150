//! Whole files cut, flipped, and put together otherwise.

use super::cases::{Kit, Map, tamper, told, torn};
use super::forge::{Plan, forged};
use crate::maml::layout::Suite;

impl Kit {
    pub(super) fn cuts(&mut self) {
        let records = self.map.records.clone();
        let (pre, foot, whole) = (self.map.pre, self.map.foot, self.edge.len());
        let cut = |kit: &Self, at: usize| kit.edge[..at].to_vec();
        let no_marker = "BAD-HEAD(no MAML record: the line that ends the document is missing)";
        self.both("cut_to_nothing", Vec::new(), no_marker, 0);
        self.both("cut_in_document", cut(self, 700), no_marker, 0);
        self.both(
            "cut_in_pre",
            cut(self, pre + 99),
            "BAD-HEAD(the file ends inside PRE)",
            0,
        );
        self.both("cut_before_records", cut(self, pre + 100), "UNSEALED", 0);
        self.both(
            "cut_in_first_header",
            cut(self, records[0].start + 7),
            "TORN(7 bytes)",
            0,
        );
        self.both(
            "cut_in_frame",
            cut(self, records[4].end - 1),
            &torn(records[4].end - 1 - records[2].end),
            0,
        );
        self.both(
            "cut_after_frame",
            cut(self, records[4].end),
            &torn(records[4].end - records[2].end),
            0,
        );
        self.both("cut_at_checkpoint", cut(self, records[5].end), "UNSEALED", 2);
        self.both(
            "cut_before_end",
            cut(self, records[9].end),
            &torn(records[9].end - records[5].end),
            2,
        );
        self.both(
            "cut_in_end",
            cut(self, foot - 1),
            &torn(foot - 1 - records[5].end),
            2,
        );
        self.both("cut_before_foot", cut(self, foot), "UNSEALED", 4);
        self.both("cut_in_foot", cut(self, whole - 1), "TORN(39 bytes)", 4);
        let at = records[5].end;
        let zeros = [&self.edge[..at], &[0; 5000]].concat();
        self.both("zeros_after_checkpoint", zeros, "TORN(5000 bytes)", 2);
        let garbage = [&self.edge[..at], &[0x55; 50]].concat();
        self.both(
            "garbage_after_checkpoint",
            garbage,
            &format!("CORRUPT(offset {at})"),
            2,
        );
        let longer = [&self.edge[..], b"x"].concat();
        self.both("byte_after_foot", longer, &format!("CORRUPT(offset {foot})"), 4);
    }

    pub(super) fn flips(&mut self) {
        let records = self.map.records.clone();
        let foot = self.map.foot;
        for (name, at) in [
            ("sync_changed", 0),
            ("type_changed", 4),
            ("seq_changed", 16),
            ("time_changed", 24),
            ("header_crc_changed", 36),
        ] {
            let begin = records[4].start;
            self.both(
                name,
                self.flipped(begin + at),
                &format!("CORRUPT(offset {begin})"),
                0,
            );
        }
        for (name, at, seq, frames) in [
            ("salt_changed", records[0].start + 40, 0, 0),
            ("commit_changed", records[0].start + 72, 0, 0),
            ("meta_changed", records[1].end - 20, 0, 0),
            ("ciphertext_changed", records[3].start + 41, 3, 0),
            ("tag_changed", records[4].end - 1, 3, 0),
            ("note_text_changed", records[5].start + 45, 3, 0),
            ("note_signature_changed", records[5].end - 300, 3, 0),
            ("tree_root_of_segment_changed", records[6].end - 1, 6, 2),
            ("last_ciphertext_changed", records[8].end - 17, 6, 2),
            ("index_changed", records[9].end - 17, 6, 2),
            ("end_count_changed", records[10].start + 48, 10, 2),
            ("end_note_changed", records[10].start + 40 + 200, 6, 2),
            ("end_note_signature_changed", foot - 3309 - 300, 6, 2),
            ("end_seal_changed", foot - 5, 10, 2),
        ] {
            self.both(name, self.flipped(at), &tamper(seq), frames);
        }
        for (name, at) in [
            ("foot_offset_changed", 0),
            ("foot_crc_changed", 24),
            ("foot_word_changed", 39),
        ] {
            self.both(
                name,
                self.flipped(foot + at),
                &format!("CORRUPT(offset {foot})"),
                4,
            );
        }
        let begin = records[4].start;
        let corrupt = format!("CORRUPT(offset {begin})");
        self.both("length_above_the_cap", self.rehead(4, 11, 0x40), &corrupt, 0);
        self.both("flag_unknown", self.rehead(4, 5, 4), &corrupt, 0);
        self.both("header_version_unknown", self.rehead(4, 6, 2), &corrupt, 0);
        self.both("type_unknown", self.rehead(4, 4, 6), &corrupt, 0);
        self.both("time_and_crc_changed", self.rehead(4, 24, 9), &tamper(3), 0);
        self.both("zstd_flag_and_crc_changed", self.rehead(4, 5, 1), &tamper(3), 0);
    }

    pub(super) fn moves(&mut self) {
        let records = self.map.records.clone();
        let bytes = |kit: &Self, record: usize| kit.edge[records[record].clone()].to_vec();
        for (name, record, seq, frames) in [
            ("meta_dropped", 1, 1, 0),
            ("frame_dropped", 3, 3, 0),
            ("checkpoint_dropped", 5, 5, 0),
            ("segment_dropped", 6, 6, 2),
            ("index_dropped", 9, 9, 2),
        ] {
            self.both(
                name,
                self.spliced(records[record].clone(), &[]),
                &tamper(seq),
                frames,
            );
        }
        let twice = [bytes(self, 3), bytes(self, 3)].concat();
        self.both(
            "frame_doubled",
            self.spliced(records[3].clone(), &twice),
            &tamper(4),
            0,
        );
        let swapped = [bytes(self, 4), bytes(self, 3)].concat();
        let there = records[3].start..records[4].end;
        self.both("frames_swapped", self.spliced(there, &swapped), &tamper(3), 0);
        let core = forged(
            Plan {
                suite: Suite::Core512,
                ..Plan::default()
            },
            told,
        );
        let other = core[Map::of(&core).records[3].clone()].to_vec();
        self.both(
            "frame_of_another_file",
            self.spliced(records[3].clone(), &other),
            &tamper(3),
            0,
        );
        let begin = records[0].start;
        let records_of_another = [&self.edge[..begin], &core[Map::of(&core).records[0].start..]].concat();
        self.both("records_of_another_file", records_of_another, &tamper(0), 0);
    }

    pub(super) fn heads(&mut self) {
        let pre = self.map.pre;
        let text = self.edge[..pre].to_vec();
        let crlf = String::from_utf8(text)
            .unwrap()
            .replace('\n', "\r\n")
            .into_bytes();
        let no_marker = "BAD-HEAD(no MAML record: the line that ends the document is missing)";
        self.both("crlf_in_document", self.spliced(0..pre, &crlf), no_marker, 0);
        let word = self.word("Intent");
        let other = "BAD-HEAD(the document is not the one that was recorded)";
        self.both("document_changed", self.flipped(word), other, 0);
        let none = "BAD-HEAD(the bytes after the document are not those of a record)";
        self.both("magic_changed", self.flipped(pre), none, 0);
        let set = |kit: &Self, at: usize, value: u8| kit.spliced(pre + at..pre + at + 1, &[value]);
        let version = "BAD-HEAD(container version 2 is unknown, expected 1)";
        self.both("version_unknown", set(self, 9, 2), version, 0);
        let suite = "BAD-HEAD(suite 7 is unknown, expected 1 (edge-256) or 2 (core-512))";
        self.both("suite_unknown", set(self, 10, 7), suite, 0);
        self.both("suite_of_the_other", set(self, 10, 2), &tamper(0), 0);
        let flags = "BAD-HEAD(flags are set that this version does not know)";
        self.both("pre_flag_unknown", set(self, 15, 1), flags, 0);
        let length = format!("BAD-HEAD(PRE says {} bytes of document, found {pre})", pre ^ 1);
        self.both("head_length_changed", self.flipped(pre + 16), &length, 0);
        self.both("file_id_changed", self.flipped(pre + 60), &tamper(0), 0);
        let mac = "BAD-HEAD(the list of readers or the header MAC was changed)";
        self.add("header_mac_changed", self.flipped(pre + 99), "SEALED", mac, 0);
        let reader = self.word("-> keyfile ") + 11;
        let other_name = self.spliced(reader..reader + 1, b"z");
        self.add("reader_renamed", other_name, "SEALED", "NO-KEY", 0);
        let wrapped = reader + 30;
        let value = if self.edge[wrapped] == b'A' { b"B" } else { b"A" };
        self.add(
            "wrapped_key_changed",
            self.spliced(wrapped..wrapped + 1, value),
            "SEALED",
            "NO-KEY",
            0,
        );
    }
}
