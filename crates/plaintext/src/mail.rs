//! Messages (RFC 5322, MIME): who, when, about what, the text, the names of what is attached, and
//! messages that are.

use mail_parser::{Address, Message, MessageParser, MimeHeaders as _};

use crate::text::Text;
use crate::{Failure, Reading, html};

/// Reads a message.
pub(crate) fn read(bytes: &[u8], text: &mut Text) -> Result<Reading, Failure> {
    let message = MessageParser::default()
        .parse(bytes)
        .filter(|message| message.from().is_some() || message.subject().is_some() || message.date().is_some())
        .ok_or_else(|| Failure::broken("it has no head of a message"))?;
    let mut reading = Reading::default();
    reading.metadata.title = message.subject().map(str::to_owned);
    reading.metadata.author = message.from().map(people);
    reading.metadata.created = message.date().map(mail_parser::DateTime::to_rfc3339);
    write(&message, 0, text, &mut reading);
    Ok(reading)
}

/// Messages in messages that are read.
const MAX_DEPTH: usize = 5;

fn write(message: &Message<'_>, depth: usize, text: &mut Text, reading: &mut Reading) {
    if let Some(subject) = message.subject() {
        text.headed(u8::try_from(depth + 1).unwrap_or(u8::MAX), subject);
    }
    for people in [message.from(), message.to(), message.cc()].into_iter().flatten().map(people) {
        text.flow(&people);
        text.line();
    }
    text.paragraph();
    // A message often says the same twice, as text and as HTML.
    let plain = message.text_body.iter().filter_map(|id| message.part(*id)).filter(|part| part.is_text());
    for part in plain {
        if part.is_text_html() {
            for link in html::read(part.text_contents().unwrap_or_default(), text).links {
                reading.metadata.add_link(&link);
            }
        } else {
            text.verbatim(part.text_contents().unwrap_or_default());
        }
        text.paragraph();
    }
    for attachment in message.attachments() {
        if let Some(name) = attachment.attachment_name() {
            text.flow(name);
            text.line();
        }
        if let Some(inner) = attachment.message().filter(|_| depth < MAX_DEPTH) {
            write(inner, depth + 1, text, reading);
        }
    }
}

/// Names and addresses, as they are written.
fn people(address: &Address<'_>) -> String {
    let each = address.iter().map(|one| match (&one.name, &one.address) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (Some(only), None) | (None, Some(only)) => only.to_string(),
        (None, None) => String::new(),
    });
    each.filter(|one| !one.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_message(message: &str) -> (String, Reading) {
        let mut text = Text::new(10_000);
        let reading = read(message.replace('\n', "\r\n").as_bytes(), &mut text).unwrap();
        (text.finish().0, reading)
    }

    #[test]
    fn head_body_and_names_of_attachments_are_read() {
        let (text, reading) = read_message(
            "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\nTo: Ann <ann@example.org>, bob@example.org\n\
             Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\nDate: Wed, 11 Mar 2026 09:00:00 +0100\nMIME-Version: 1.0\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=iso-8859-1\n\
             Content-Transfer-Encoding: quoted-printable\n\nSch=F6ne=20Stra=DFe\n\n--b\n\
             Content-Type: application/pdf\nContent-Disposition: attachment; filename=plan.pdf\n\nxx\n--b--\n",
        );
        assert_eq!(
            text,
            "Grüße\n\nJürgen <j@example.org>\nAnn <ann@example.org>, bob@example.org\n\nSchöne Straße\n\nplan.pdf"
        );
        assert_eq!(reading.metadata.title.as_deref(), Some("Grüße"));
        assert_eq!(reading.metadata.created.as_deref(), Some("2026-03-11T09:00:00+01:00"));
    }

    #[test]
    fn html_is_read_where_there_is_no_plain_text() {
        let (text, reading) = read_message(
            "From: a@example.org\nSubject: s\nContent-Type: text/html\n\n<p>Hello <a href='https://e.org/'>there</a></p>",
        );
        assert_eq!(text, "s\n\na@example.org\n\nHello there");
        assert_eq!(reading.metadata.links, ["https://e.org/"]);
    }

    #[test]
    fn messages_that_are_attached_are_read() {
        let (text, reading) = read_message(
            "From: a@example.org\nSubject: outer\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nSee both.\n--b\nContent-Type: message/rfc822\n\nSubject: first\n\none\n\
             --b\nContent-Type: message/rfc822\n\nSubject: second\n\ntwo\n--b--\n",
        );
        assert_eq!(text, "outer\n\na@example.org\n\nSee both.\n\nfirst\n\none\n\nsecond\n\ntwo");
        assert_eq!(reading.metadata.title.as_deref(), Some("outer"));
    }

    #[test]
    fn what_has_no_head_is_no_message() {
        assert!(read(b"just a line of text", &mut Text::new(100)).is_err());
    }
}
