//! `std_msgs/Header`: when, and in which space.

use beluga_types::Stamp;

use super::Layout;
use crate::range::is_time;
use crate::tape::cdr::{Decoder, Wrong};

/// When a message was measured, if it says so: nothing where its time is zero, as drivers leave it
/// that have none. The name of its space is passed over.
///
/// Source: `std_msgs/msg/Header` of ROS 2 `common_interfaces` 5.3; in ROS 1 a count stands first.
pub(super) fn stamp(decoder: &mut Decoder<'_>, layout: Layout) -> Result<Option<Stamp>, Wrong> {
    let stamp = begun(decoder, layout)?;
    decoder.bytes()?;
    Ok(stamp)
}

/// When, and in which space.
pub(super) fn read<'a>(decoder: &mut Decoder<'a>, layout: Layout) -> Result<(Option<Stamp>, &'a str), Wrong> {
    let stamp = begun(decoder, layout)?;
    Ok((stamp, decoder.text()?))
}

/// Up to the name of the space.
fn begun(decoder: &mut Decoder<'_>, layout: Layout) -> Result<Option<Stamp>, Wrong> {
    if layout == Layout::Ros1 {
        decoder.get::<u32>()?;
    }
    time(decoder, layout)
}

/// `builtin_interfaces/Time`; in ROS 1 its seconds have no sign.
pub(super) fn time(decoder: &mut Decoder<'_>, layout: Layout) -> Result<Option<Stamp>, Wrong> {
    const SECOND: i64 = 1_000_000_000;
    let seconds = match layout {
        Layout::Cdr => i64::from(decoder.get::<i32>()?),
        Layout::Ros1 => i64::from(decoder.get::<u32>()?),
    };
    let nanos = i64::from(decoder.get::<u32>()?);
    if nanos >= SECOND {
        return Err(Wrong::Value(
            "less than 1000000000 nanoseconds beside the seconds of a time",
        ));
    }
    let stamp = Stamp::from_nanos(seconds * SECOND + nanos);
    Ok(Some(stamp).filter(|stamp| stamp.nanos() != 0 && is_time(*stamp)))
}
