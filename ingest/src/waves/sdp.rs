//! What a stream's description says of its samples: `m=audio 5004 RTP/AVP 96` and
//! `a=rtpmap:96 L24/96000/4`.
//!
//! Source: RFC 8866 (SDP).

use super::form::Form;

/// The payload type and samples of a description's first audio that is read here.
///
/// # Errors
/// If it has none.
pub(crate) fn form_of(text: &str) -> Result<(u8, Form), String> {
    let mut kinds: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(media) = line.strip_prefix("m=audio ") {
            kinds = media.split_whitespace().skip(2).collect();
        } else if line.starts_with("m=") {
            kinds.clear();
        }
        let map = line.strip_prefix("a=rtpmap:").and_then(|map| map.split_once(' '));
        let Some((kind, form)) = map.filter(|(kind, _)| kinds.contains(kind)) else {
            continue;
        };
        let form = Form::named(form.trim()).filter(Form::is_rtp);
        if let (Ok(kind), Some(form)) = (kind.parse(), form) {
            return Ok((kind, form));
        }
    }
    Err("no audio of L16 or L24 with its rate and channels".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_audio_of_waveforms_is_taken() {
        let text = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5002 RTP/AVP 97\r\na=rtpmap:97 L16/8000/1\r\n\
                    m=audio 5004 RTP/AVP 95 96\r\na=rtpmap:95 opus/48000/2\r\na=rtpmap:96 L24/96000/4\r\n";
        assert_eq!(form_of(text).unwrap(), (96, Form::named("L24/96000/4").unwrap()));
        assert!(form_of("v=0\nm=audio 5004 RTP/AVP 96\n").is_err());
    }
}
