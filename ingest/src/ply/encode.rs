//! A scan as the bytes of a PLY file.

use beluga_types::LidarScan;

use super::DROPPED;

/// The bytes of a binary little-endian PLY file with the scan's columns.
pub fn encode(scan: &LidarScan) -> Vec<u8> {
    let mut header = String::from("ply\nformat binary_little_endian 1.0\n");
    if scan.dropped() > 0 {
        header += &format!("obj_info {DROPPED} {}\n", scan.dropped());
    }
    header += &format!("element vertex {}\n", scan.len());
    header += "property float x\nproperty float y\nproperty float z\n";
    let mut stride = 12;
    if scan.intensity().is_some() {
        header += "property float intensity\n";
        stride += 4;
    }
    if scan.ring().is_some() {
        header += "property ushort ring\n";
        stride += 2;
    }
    if scan.offset_nanos().is_some() {
        header += "property int offset_nanos\n";
        stride += 4;
    }
    header += "end_header\n";
    let mut bytes = header.into_bytes();
    bytes.reserve(stride * scan.len());
    for index in 0..scan.len() {
        for column in [scan.x(), scan.y(), scan.z()].into_iter().chain(scan.intensity()) {
            bytes.extend_from_slice(&column[index].to_le_bytes());
        }
        if let Some(ring) = scan.ring() {
            bytes.extend_from_slice(&ring[index].to_le_bytes());
        }
        if let Some(offset_nanos) = scan.offset_nanos() {
            bytes.extend_from_slice(&offset_nanos[index].to_le_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::columns::Columns;
    use crate::ply::layout::Layout;
    use crate::ply::{general, parse};

    fn scan() -> LidarScan {
        LidarScan::new(vec![1.0, -2.5, 1e-7], vec![0.0, 3.0, 4.0], vec![5.0, -0.0, 7.0])
            .unwrap()
            .with_intensity(vec![0.5, 255.0, 0.0])
            .unwrap()
            .with_ring(vec![0, 63, 65_535])
            .unwrap()
            .with_offset_nanos(vec![-1, 0, 99_999_999])
            .unwrap()
            .with_dropped(3)
    }

    fn check(bytes: &[u8], expected: &LidarScan) {
        assert_eq!(&parse(bytes, Path::new("x.ply")).unwrap(), expected);
        let layout = Layout::parse(bytes, Path::new("x.ply")).unwrap();
        let general: Columns = general::columns(bytes, &layout).unwrap();
        assert_eq!(
            &general.cloud(layout.dropped, None).unwrap().scan,
            expected,
            "through ply_rs_bw alone"
        );
    }

    fn refused(bytes: &[u8]) -> String {
        parse(bytes, Path::new("x.ply")).unwrap_err().to_string()
    }

    #[test]
    fn a_scan_reads_back_the_same_both_ways() {
        check(&encode(&scan()), &scan());
        check(&encode(&LidarScan::default()), &LidarScan::default());
    }

    #[test]
    fn ascii_with_foreign_properties_and_elements_before_and_after() {
        let text = b"ply\r\nformat ascii 1.0\r\ncomment by hand\r\nelement camera 1\r\nproperty list uchar int id\r\n\
            element vertex 2\r\nproperty uchar red\r\nproperty double z\r\nproperty float y\r\nproperty int x\r\n\
            property float Scalar_Intensity\r\nproperty float time\r\nelement face 1\r\n\
            property list uchar int vertex_indices\r\nend_header\r\n2 7 8\r\n255 3.5 2 1 0.25 0.001\r\n0 -3 0 4 9 0\r\n3 0 1 1\r\n";
        let expected = LidarScan::new(vec![1.0, 4.0], vec![2.0, 0.0], vec![3.5, -3.0])
            .unwrap()
            .with_intensity(vec![0.25, 9.0])
            .unwrap()
            .with_offset_nanos(vec![1_000_000, 0])
            .unwrap();
        check(text, &expected);
    }

    #[test]
    fn big_endian_and_lists_among_the_vertices() {
        let mut big = b"ply\nformat binary_big_endian 1.0\nelement vertex 1\nproperty double x\nproperty short y\nproperty float z\nproperty uint t\nend_header\n".to_vec();
        big.extend(1.5f64.to_be_bytes());
        big.extend((-2i16).to_be_bytes());
        big.extend(3f32.to_be_bytes());
        big.extend(5u32.to_be_bytes());
        let expected = LidarScan::new(vec![1.5], vec![-2.0], vec![3.0]).unwrap();
        let expected = expected.with_offset_nanos(vec![5]).unwrap();
        check(&big, &expected);
        let mut listed = b"ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty list uchar short flags\nproperty float x\nproperty float y\nproperty float z\nend_header\n".to_vec();
        listed.extend([2, 1, 0, 2, 0]);
        for value in [1f32, 2.0, 3.0] {
            listed.extend(value.to_le_bytes());
        }
        check(&listed, &LidarScan::new(vec![1.0], vec![2.0], vec![3.0]).unwrap());
    }

    #[test]
    fn points_that_are_not_finite_are_left_out_and_counted() {
        let mut bytes = encode(&scan());
        let first_x = bytes.len() - 3 * 22;
        bytes[first_x..first_x + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        let second_intensity = first_x + 22 + 12;
        bytes[second_intensity..second_intensity + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        let left = LidarScan::new(vec![1e-7], vec![4.0], vec![7.0]).unwrap();
        let left = left
            .with_intensity(vec![0.0])
            .unwrap()
            .with_ring(vec![65_535])
            .unwrap();
        check(
            &bytes,
            &left.with_offset_nanos(vec![99_999_999]).unwrap().with_dropped(5),
        );
        let ascii = b"ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\nend_header\nnan 1 2\n1 2 3\n";
        check(
            ascii,
            &LidarScan::new(vec![1.0], vec![2.0], vec![3.0])
                .unwrap()
                .with_dropped(1),
        );
    }

    #[test]
    fn counts_that_the_file_contradicts_are_refused() {
        let bytes = encode(&scan());
        let said = |count: &str| {
            let text = String::from_utf8_lossy(&bytes[..bytes.len() - 66]).replace("vertex 3", count);
            [text.as_bytes(), &bytes[bytes.len() - 66..]].concat()
        };
        assert!(refused(&said("vertex 4")).contains("expected at least"));
        assert!(refused(&said("vertex 2")).contains("bytes for 2 vertices"));
        assert!(refused(&said("vertex 18446744073709551615")).contains("expected at least"));
        for end in 0..bytes.len() {
            assert!(parse(&bytes[..end], Path::new("x.ply")).is_err(), "{end} bytes");
        }
        let ascii = "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\nend_header\n1.5 2.5 3.5\n4.5 5.5 6.5\n";
        assert!(refused(ascii.as_bytes()).contains("line 9: expected 1 vertices, found more lines"));
        let short = ascii.replace("vertex 1", "vertex 3");
        let error = refused(short.as_bytes());
        assert!(
            error.contains("line 10: expected 3 of 3 of `vertex`, found the end of the file"),
            "{error}"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        let header = |properties: &str| {
            format!("ply\nformat ascii 1.0\nelement vertex 1\n{properties}end_header\n1 2 3 70000\n")
        };
        let xyz = "property float x\nproperty float y\nproperty float z\n";
        let error = refused(header(&format!("{xyz}property int ring\n")).as_bytes());
        assert!(
            error.contains("point 0: expected a ring, 0 to 65535, found 70000"),
            "{error}"
        );
        let untimed = parse(
            header(&format!("{xyz}property float time\n")).as_bytes(),
            Path::new("x.ply"),
        );
        assert!(
            untimed.unwrap().offset_nanos().is_none(),
            "4-byte reals know 70000 s to 8 ms"
        );
        let error = refused(
            header("property float x\nproperty float y\nproperty float w\nproperty int v\n").as_bytes(),
        );
        assert!(
            error.contains("expected a number `z` in `vertex`, found `x y w v`"),
            "{error}"
        );
        let error = refused(header(&format!("{xyz}property int x\n")).as_bytes());
        assert!(error.contains("a name twice"), "{error}");
        assert!(refused(b"PLY").contains("byte 0: expected `ply`"));
    }
}
