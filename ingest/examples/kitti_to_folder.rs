//! Turns a folder of KITTI `.bin` or `.xyz32` scans into a folder recording:
//! `cargo run -p beluga-ingest --example kitti_to_folder -- SOURCE DESTINATION`

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [source, destination] = arguments.as_slice() else {
        tell("usage: kitti_to_folder SOURCE DESTINATION");
        return ExitCode::from(2);
    };
    match beluga_ingest::kitti::convert(Path::new(source), Path::new(destination)) {
        Ok(scans) => {
            tell(&format!("{scans} scans written"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a program may speak to people")]
fn tell(text: &str) {
    eprintln!("{text}");
}
