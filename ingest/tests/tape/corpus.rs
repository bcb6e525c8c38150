//! What fuzzing found or starts from, read once more by an ordinary test.

use std::path::Path;

use crate::read;
use crate::specimens::{Seeded, rig};
use crate::taped;

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/tape")
}

#[test]
fn the_corpus_is_read_without_a_panic() {
    let mut files: Vec<_> = std::fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut opened = 0;
    for file in &files {
        let found = read(&std::fs::read(file).unwrap());
        opened += usize::from(found.is_some());
        if file.ends_with("plain.mcap") {
            let run = Seeded(31).run(14);
            assert_eq!(
                found.unwrap()[..14],
                run,
                "what fuzzing starts from reaches every kind"
            );
        }
    }
    assert!(
        files.len() >= 5 && opened >= 2,
        "{opened} of {} open",
        files.len()
    );
}

/// The corpus is made here, so that it can be made anew when the format changes: set
/// `BELUGA_MAKE_CORPUS`.
#[test]
fn the_corpus_can_be_made_anew() {
    if std::env::var_os("BELUGA_MAKE_CORPUS").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut small = rig();
    small.sensors.iter_mut().for_each(|spec| spec.beams = None);
    small.water = beluga_types::Water::Unknown;
    let run = Seeded(31).run(14);
    let (_, all) = taped(folder.path(), &small, &run);
    std::fs::remove_file(folder.path().join("run.mcap")).unwrap();
    let (_, one) = taped(folder.path(), &small, &run[10..11]);
    let chunk = all.windows(8).position(|w| w == b"\x04\0\0\0zstd").unwrap() - 37;
    std::fs::create_dir_all(corpus()).unwrap();
    let mut bent = one.clone();
    let middle = one.len() / 2;
    bent[middle] ^= 0x10;
    for (name, bytes) in [
        ("one-depth.mcap", &one[..]),
        ("bent.mcap", &bent[..middle + 200]),
        ("cut-in-a-chunk.mcap", &all[..chunk + 900]),
        ("no-chunk.mcap", &all[..chunk]),
        ("text.mcap", b"Dear diary,\n"),
        ("plain.mcap", &plain(&all, &small)),
    ] {
        std::fs::write(corpus().join(name), bytes).unwrap();
    }
}

/// The same messages in a chunk that is neither packed nor summed, so that bent bytes reach what
/// reads the messages; without the texts of the schemas, which nobody reads.
fn plain(tape: &[u8], rig: &beluga_types::Rig) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rig.toml");
    beluga_ingest::rig_toml::write(&path, rig).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    let options = mcap::WriteOptions::new()
        .compression(None)
        .chunk_size(None)
        .calculate_chunk_crcs(false)
        .calculate_attachment_crcs(false)
        .emit_summary_records(false)
        .emit_summary_offsets(false);
    let mut writer = options.create(&mut bytes).unwrap();
    let attachment = mcap::Attachment {
        log_time: 0,
        create_time: 0,
        name: "rig.toml".into(),
        media_type: String::new(),
        data: std::fs::read(path).unwrap().into(),
    };
    writer.attach(&attachment).unwrap();
    for message in mcap::MessageStream::new(tape).unwrap() {
        let message = message.unwrap();
        let channel = &message.channel;
        let schema = writer
            .add_schema(&channel.schema.as_ref().unwrap().name, "ros2msg", b"")
            .unwrap();
        let channel_id = writer
            .add_channel(schema, &channel.topic, "cdr", &channel.metadata)
            .unwrap();
        let header = mcap::records::MessageHeader {
            channel_id,
            sequence: message.sequence,
            log_time: message.log_time,
            publish_time: message.publish_time,
        };
        writer.write_to_known_channel(&header, &message.data).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes.into_inner()
}
