//! Files that were written and signed as no writer does.

use super::cases::{Kit, story, tamper, told};
use super::forge::{BEGIN, Plan, SECOND, device, forged, forged_on, frame, reworded};
use crate::maml::end::End;
use crate::maml::layout::Kind;
use crate::maml::opening::Opening;
use crate::maml::sign::{FileSigner, introduce};
use crate::maml::stanza::{self, Stanza};
use crate::maml::writer::Writer;

/// What is done to an END before it is sealed.
type Change<'a> = &'a dyn Fn(&mut End);

impl Kit {
    /// Documents that were written so, with length, hash and MAC that fit.
    pub(super) fn documents(&mut self) {
        let made = |reword: &dyn Fn(&str) -> String| {
            forged_on(Plan::default(), |opening| reworded(opening, reword), told)
        };
        let stanzas = |readers: &dyn Fn(Stanza) -> Vec<Stanza>| {
            made(&|text: &str| {
                let fence =
                    crate::maml::fence::only(&crate::maml::fence::fences(text), "maml-recipients").unwrap();
                let own = stanza::parse(&text[fence.inner.clone()]).unwrap().remove(0);
                let mut reworded = text.to_owned();
                reworded.replace_range(fence.inner, &stanza::join(&readers(own)));
                reworded
            })
        };
        let bad = |reason: &str| format!("BAD-HEAD({reason})");
        let two = made(&|text| text.replace("## History\n", "```maml-recipients\n```\n## History\n"));
        self.both(
            "two_lists_of_readers",
            two,
            &bad("the document has two ```maml-recipients blocks"),
            0,
        );
        let none = made(&|text| text.replace("```maml-signers", "```maml-signer"));
        let missing = bad("the document has no closed ```maml-signers block");
        self.both("no_signers", none, &missing, 0);
        let old = made(&|text| text.replace("-> device ml-dsa-65", "-> device ml-dsa-44"));
        let words = bad("the signer stanzas are not those of ML-DSA-65 and ML-DSA-44");
        self.both("signers_of_another_kind", old, &words, 0);
        let other = |opening: Opening| {
            let id = opening.pre.file_id;
            let by = |seed| introduce(&device(seed), &FileSigner::from_seed(&[9; 32].into()), &id);
            let (own, stranger) = (stanza::join(&by(1)[2..]), stanza::join(&by(2)[2..]));
            reworded(opening, |text| {
                let begin = text.find("-> certificate").unwrap();
                format!("{}{stranger}{}", &text[..begin], &text[begin + own.len()..])
            })
        };
        let certificate = bad("the device's certificate for the file's key does not hold");
        self.both(
            "certificate_of_another_device",
            forged_on(Plan::default(), other, told),
            &certificate,
            0,
        );
        let word = Stanza::new(&["somebody", "else"], vec![1; 40]);
        let with = |more: usize| {
            let word = word.clone();
            move |own: Stanza| [vec![own], vec![word.clone(); more]].concat()
        };
        self.both("unknown_reader_beside", stanzas(&with(1)), "SEALED", 4);
        self.both("sixty_four_readers", stanzas(&with(63)), "SEALED", 4);
        self.add(
            "sixty_five_readers",
            stanzas(&with(64)),
            "SEALED",
            &bad("more than 64 stanzas"),
            0,
        );
        let argon = |cost: &str| Stanza::new(&["argon2id", cost], vec![1; 64]);
        let beside = stanzas(&|own| vec![own, argon("m=65536,t=3,p=1")]);
        let alone = bad("a passphrase stands beside other readers, expected it alone");
        self.add("passphrase_beside_a_key", beside, "SEALED", &alone, 0);
        let bomb = stanzas(&|_| vec![argon("m=4194304,t=3,p=1")]);
        let most = bad("an argon2id stanza asks for m=4194304,t=3,p=1, allowed is up to m=1048576,t=10,p=16");
        self.add("passphrase_of_four_gigabytes", bomb, "SEALED", &most, 0);
        let slow = stanzas(&|_| vec![argon("m=65536,t=99,p=1")]);
        let most = bad("an argon2id stanza asks for m=65536,t=99,p=1, allowed is up to m=1048576,t=10,p=16");
        self.add("passphrase_of_ninety_nine_passes", slow, "SEALED", &most, 0);
        let word = made(&|text| text.replace("-> keyfile ", "keyfile "));
        self.add(
            "stanza_without_arrow",
            word,
            "SEALED",
            &bad("a stanza does not begin with `-> `"),
            0,
        );
    }

    /// What only a key tells: signed, and yet no payload of this format.
    pub(super) fn signed_nonsense(&mut self) {
        let frame_says = |write: &dyn Fn(&mut Writer)| {
            forged(Plan::default(), |writer| {
                writer.say("audit").frame(0, 0);
                write(writer);
                writer.check().frame(2, SECOND).close();
            })
        };
        let bomb = zstd::bulk::compress(&vec![0; 4 << 20], 3).unwrap();
        let body = frame(1).to_body().unwrap();
        let length = body.len() as u32;
        let payloads: [(&'static str, u8, u32, &[u8]); 6] = [
            ("zstd_bomb", 1, 10, &bomb),
            ("zstd_of_nothing_known", 1, 10, &[0x55; 30]),
            ("raw_length_too_long", 0, length + 1, &body),
            ("raw_length_too_short", 0, length - 1, &body),
            ("raw_length_above_the_cap", 1, u32::MAX, &bomb),
            ("zstd_flag_on_plain_bytes", 1, length, &body),
        ];
        for (name, flags, raw_len, bytes) in payloads {
            let forged = frame_says(&|writer| {
                writer.payload(Kind::Frame, flags, raw_len, bytes);
            });
            self.add(name, forged, "SEALED", &tamper(4), 1);
        }
        let short = frame_says(&|writer| {
            writer.plaintext(Kind::Frame, 0, &[1, 2]);
        });
        self.add("plaintext_without_length", short, "SEALED", &tamper(4), 1);
        let mut lying = body.clone();
        lying[0] = 200;
        let longer = [&body[..], b"x"].concat();
        for (name, bytes) in [
            ("frame_of_lying_lengths", &lying),
            ("frame_with_a_byte_more", &longer),
        ] {
            let raw_len = bytes.len() as u32;
            let forged = frame_says(&|writer| {
                writer.payload(Kind::Frame, 0, raw_len, bytes);
            });
            self.add(name, forged, "SEALED", &tamper(4), 1);
        }
        let metas: [(&'static str, &str); 5] = [
            ("meta_that_is_no_json", "{\"kind\":\"a\""),
            (
                "meta_with_a_member_more",
                "{\"kind\":\"a\",\"more\":1,\"time_nanos\":1,\"value\":1}",
            ),
            ("meta_without_value", "{\"kind\":\"a\",\"time_nanos\":1}"),
            (
                "meta_of_a_loud_kind",
                "{\"kind\":\"A\",\"time_nanos\":1,\"value\":1}",
            ),
            (
                "meta_of_half_a_nanosecond",
                "{\"kind\":\"a\",\"time_nanos\":1.5,\"value\":1}",
            ),
        ];
        for (name, text) in metas {
            let raw_len = text.len() as u32;
            let forged = frame_says(&|writer| {
                writer.payload(Kind::Meta, 0, raw_len, text.as_bytes());
            });
            self.add(name, forged, "SEALED", &tamper(4), 1);
        }
        let index = forged(Plan::default(), |writer| {
            story(writer);
            let offset = writer.offset;
            writer.payload(Kind::Index, 0, 4, &[0; 4]);
            writer.end_as(offset, 1, |_| {});
        });
        self.add("index_of_nothing", index, "SEALED", &tamper(9), 4);
        let commit = forged(Plan::default(), |writer| {
            writer.say("audit").frame(0, 0).check();
            let body = [[1; 32], [2; 32], writer.tree.root()].concat();
            let number = writer.ratchet.segment();
            let segment = writer.segment.as_mut().unwrap();
            (segment.number, segment.idx, segment.has_frame) = (number, 0, true);
            writer.counts.segments += 1;
            writer.open(Kind::Segment, &body, |_| {}).check().close();
        });
        self.add("commitment_to_no_key", commit, "SEALED", &tamper(5), 1);
    }

    /// What is signed, in an order that no writer makes.
    pub(super) fn signed_disorder(&mut self) {
        let private = forged(Plan::default(), |writer| {
            writer
                .say("audit")
                .open(Kind::Private(0x80), b"ours", |_| {})
                .frame(0, 0)
                .close();
        });
        self.both("private_record_passed_over", private, "SEALED", 1);
        let parts = forged(Plan::default(), |writer| {
            let body = frame(1).to_body().unwrap();
            writer
                .say("audit")
                .frame(0, 0)
                .payload(Kind::Frame, 2, 9, &body[..9]);
            writer.payload(Kind::Frame, 0, body.len() as u32 - 9, &body[9..]);
            writer.close();
        });
        self.both("frame_of_two_parts", parts, "SEALED", 2);
        let disorder = |write: &dyn Fn(&mut Writer)| {
            forged(Plan::default(), |writer| {
                writer.say("audit").frame(0, 0).check();
                write(writer);
            })
        };
        let next = |write: &dyn Fn(&mut Writer)| {
            disorder(&|writer| {
                write(writer);
                writer.check().close();
            })
        };
        let part = [7; 9];
        let interrupted = next(&|writer| {
            writer.payload(Kind::Frame, 2, 9, &part);
        });
        self.both("frame_interrupted_by_checkpoint", interrupted, &tamper(6), 1);
        let said = next(&|writer| {
            writer.payload(Kind::Frame, 2, 9, &part).say("between");
        });
        self.both("frame_interrupted_by_meta", said, &tamper(6), 1);
        let unended = disorder(&|writer| writer.payload(Kind::Frame, 2, 9, &part).close());
        self.both("frame_without_its_last_part", unended, &tamper(6), 1);
        let times = next(&|writer| {
            writer
                .payload(Kind::Frame, 2, 9, &part)
                .frame_as(1, |header| header.time_nanos += 1);
        });
        self.both("parts_of_two_times", times, &tamper(6), 1);
        let idx = next(&|writer| {
            writer.frame_as(1, |header| header.idx = 0);
        });
        self.both("idx_used_twice", idx, &tamper(5), 1);
        let seq = next(&|writer| {
            writer.frame_as(1, |header| header.seq += 1);
        });
        self.both("seq_that_jumps", seq, &tamper(5), 1);
        let segment = next(&|writer| {
            writer.frame_as(1, |header| header.segment = 7);
        });
        self.both("segment_that_jumps", segment, &tamper(5), 1);
        let early = forged(Plan::default(), |writer| {
            writer
                .open(Kind::Checkpoint, b"a note", |_| {})
                .say("audit")
                .close();
        });
        self.both("checkpoint_before_any_segment", early, &tamper(0), 0);
        let late = disorder(&|writer| {
            let index = writer.index.encode();
            let offset = writer.offset;
            writer
                .payload(Kind::Index, 0, index.len() as u32, &index)
                .frame(1, 1);
            writer.end_as(offset, 1, |_| {});
        });
        self.both("frame_after_index", late, &tamper(6), 1);
        let none = disorder(&|writer| {
            let offset = writer.offset;
            writer.end_as(offset, 1, |_| {});
        });
        self.both("end_without_index", none, &tamper(5), 1);
        let ends: [(&'static str, Change<'_>); 5] = [
            ("end_of_more_frames", &|end| end.counts.frames += 1),
            ("end_of_fewer_records", &|end| end.counts.records -= 1),
            ("end_of_other_times", &|end| {
                end.counts.times_nanos = Some((BEGIN, BEGIN + 9))
            }),
            ("end_with_another_root", &|end| end.root = [3; 32]),
            ("end_with_another_index", &|end| end.index_offset += 1),
        ];
        for (name, change) in ends {
            let forged = disorder(&|writer| writer.close_as(1, change));
            self.both(name, forged, &tamper(6), 1);
        }
        let stranger = disorder(&|writer| writer.close_as(2, |_| {}));
        self.both("end_sealed_by_another_device", stranger, &tamper(6), 1);
    }
}
