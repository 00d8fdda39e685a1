//! Images and scans: text that programs of the system recognise in them, and descriptions by a model's endpoint, for which a
//! stand-in on loopback speaks the protocol.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use notion_connector::config::{CaptionsConfig, ExtractConfig};
use notion_connector::extract::{Extractor, Generated, Outcome};
use plaintext::Status;
use serde_json::{Value, json};

use crate::program::{Home, PROGRAM};

/// Scans of a sample of `plaintext`: one page as an image, and twice as a page without text.
fn scan(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scans").join(name)).unwrap()
}

async fn read(settings: ExtractConfig, name: &str, bytes: &[u8]) -> Outcome {
    let extractor = Extractor::of_program(settings, PathBuf::from(PROGRAM));
    extractor.extract(name, bytes).await.unwrap()
}

fn reason(outcome: &Outcome) -> &str {
    outcome.extraction.reason.as_deref().unwrap_or_default()
}

/// Whether the tests that need these programs run: in CI they have to.
fn are_installed(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap();
    let is_there =
        |program: &&&str| !std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing: Vec<_> = programs.iter().filter(is_there).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing:?} are missing");
    println!("skipped: {missing:?} are missing");
    false
}

#[tokio::test]
async fn images_and_scans_say_that_they_have_no_text_layer() {
    for name in ["scan.png", "scan.pdf"] {
        let outcome = read(ExtractConfig::default(), name, &scan(name)).await;
        assert_eq!(
            (outcome.extraction.status, reason(&outcome)),
            (Status::NoText, "no text layer"),
            "{name}"
        );
        assert_eq!(outcome.generated, []);
    }
}

#[tokio::test]
async fn letters_in_images_and_scans_are_recognised_when_that_is_wanted() {
    if !are_installed(&["tesseract", "pdftoppm"]) {
        return;
    }
    let settings = ExtractConfig { ocr: true, ..ExtractConfig::default() };
    let image = read(settings.clone(), "scan.png", &scan("scan.png")).await;
    let pages = read(settings.clone(), "scan.pdf", &scan("scan.pdf")).await;
    for (outcome, times) in [(&image, 1), (&pages, 2)] {
        assert_eq!(outcome.extraction.status, Status::Text, "{outcome:?}");
        assert_eq!(outcome.generated, [Generated::Ocr]);
        let text = &outcome.extraction.text;
        assert_eq!(text.matches("Quarterly security review").count(), times, "{text}");
    }
    assert_eq!(pages.extraction.left_out, [""; 0]);
    // A text of its own is left as it is.
    let document = read(settings.clone(), "a.txt", b"Quarterly").await;
    assert_eq!((document.extraction.text.as_str(), document.generated), ("Quarterly", vec![]));
    // What cannot be looked at says why.
    let broken = read(settings.clone(), "a.png", b"\x89PNG\r\n\x1a\n and no image").await;
    assert!(reason(&broken).starts_with("no text layer; tesseract could not read it"), "{broken:?}");
    let slow = ExtractConfig { ocr_seconds: 1, ..settings.clone() };
    let late = read(slow, "scan.pdf", &sixty_pages()).await;
    let told = late.extraction.left_out.iter().any(|why| why.contains("longer than 1 seconds"));
    assert!(told || reason(&late).contains("longer than 1 seconds"), "{late:?}");
}

/// The scan with its page sixty times.
fn sixty_pages() -> Vec<u8> {
    let scan = scan("scan.pdf");
    let find = |bytes: &[u8]| scan.windows(bytes.len()).position(|window| window == bytes).unwrap();
    let image = &scan[find(b"5 0 obj\n") + 8..find(b"\nendobj\nxref")];
    let page =
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I 4 0 R>>>>/Contents 3 0 R>>";
    let kids: String = (5..65).map(|page| format!("{page} 0 R ")).collect();
    let content = b"<</Length 28>>stream\nq 595 0 0 842 0 0 cm /I Do Q\nendstream";
    let pages = format!("<</Type/Pages/Kids[{kids}]/Count 60>>").into_bytes();
    let mut objects = vec![&b"<</Type/Catalog/Pages 2 0 R>>"[..], &pages, content, image];
    objects.extend([&page[..]; 60]);
    let (mut pdf, mut table) = (b"%PDF-1.4\n".to_vec(), String::new());
    for (number, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.extend(format!("{} 0 obj\n", number + 1).bytes().chain(object.iter().copied()));
        pdf.extend(b"\nendobj\n");
    }
    let (start, size) = (pdf.len(), objects.len() + 1);
    let end = format!(
        "xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    pdf.extend(end.bytes());
    pdf
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_programs_that_look_at_pictures_have_limits_and_no_sockets() {
    use tokio::process::Command;

    let run = async |memory: &str, script: &str| {
        let mut command = Command::new(PROGRAM);
        command
            .args(["extract-launch", memory, "5", "/bin/bash", "-c", script])
            .env("SECRET", "here")
            .env_clear();
        let output = command.output().await.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (_, limits) = run("300000000", "cat /proc/self/limits /proc/self/status").await;
    for (limit, value) in [
        ("Max address space", "300000000"),
        ("Max cpu time", "5"),
        ("Max file size", "0"),
        ("Max core file", "0"),
    ] {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        assert!(line.split_whitespace().any(|word| word == value), "{line}");
    }
    assert!(limits.contains("NoNewPrivs:\t1") && limits.contains("Seccomp:\t2"), "{limits}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let reach = format!("exec 3<>/dev/tcp/127.0.0.1/{}", listener.local_addr().unwrap().port());
    assert!(!run("300000000", &reach).await.0, "a socket");
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(!run("300000000", &format!("echo text > {}", file.path().display())).await.0, "a file");
    assert_eq!(fs::read(file.path()).unwrap(), b"");
}

/// What the stand-in was asked.
type Asked = Arc<Mutex<Vec<(Option<String>, Value)>>>;

/// A stand-in for a model: it says this, with this status.
async fn model(status: StatusCode, answer: Value) -> (String, Asked) {
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    let complete = async move |headers: HeaderMap, Json(body): Json<Value>| {
        let key = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        heard.lock().unwrap().push((key, body));
        (status, Json(answer))
    };
    let router = axum::Router::new()
        .route("/v1/chat/completions", post(complete))
        .layer(axum::extract::DefaultBodyLimit::disable());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

fn said(content: &str) -> Value {
    json!({ "id": "c", "object": "chat.completion", "choices": [
        { "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": content } } ] })
}

#[tokio::test]
async fn images_are_described_by_the_model_of_the_settings() {
    let (url, asked) = model(StatusCode::OK, said(" A page with headings.\n")).await;
    let key = tempfile::NamedTempFile::new().unwrap();
    fs::write(key.path(), "sk-test\n").unwrap();
    let captions = CaptionsConfig { url, model: "seer".to_owned(), key_file: Some(key.path().to_owned()) };
    let settings = ExtractConfig { captions: Some(captions), ..ExtractConfig::default() };
    let png = scan("scan.png");
    let outcome = read(settings.clone(), "scan.png", &png).await;
    assert_eq!(
        (outcome.extraction.text.as_str(), outcome.extraction.status),
        ("A page with headings.", Status::Text)
    );
    assert_eq!(outcome.generated, [Generated::Caption]);
    // What is no image is not sent anywhere.
    read(settings.clone(), "a.txt", b"a secret").await;
    read(settings, "scan.pdf", &scan("scan.pdf")).await;
    let asked = asked.lock().unwrap().clone();
    let [(key, body)] = asked.as_slice() else { panic!("{} requests", asked.len()) };
    assert_eq!(key.as_deref(), Some("Bearer sk-test"));
    assert_eq!(body["model"], "seer");
    let content = &body["messages"][0]["content"];
    assert_eq!((&content[0]["type"], &content[1]["type"]), (&"text".into(), &"image_url".into()));
    let sent =
        content[1]["image_url"]["url"].as_str().unwrap().strip_prefix("data:image/png;base64,").unwrap();
    assert_eq!(STANDARD.decode(sent).unwrap(), png);
}

#[tokio::test]
async fn a_model_that_does_not_answer_costs_the_description_alone() {
    for (status, answer, what) in [
        (StatusCode::INTERNAL_SERVER_ERROR, json!({}), "status 500"),
        (StatusCode::OK, json!({ "choices": [] }), "nothing was said"),
        (StatusCode::OK, json!("hello"), "not with a chat completion"),
        (StatusCode::OK, said(&"long ".repeat(400_000)), "more than 1048576 bytes"),
    ] {
        let (url, _) = model(status, answer).await;
        let captions = CaptionsConfig { url, model: "seer".to_owned(), key_file: None };
        let settings = ExtractConfig { captions: Some(captions), ..ExtractConfig::default() };
        let outcome = read(settings, "scan.png", &scan("scan.png")).await;
        assert_eq!(outcome.extraction.status, Status::NoText);
        assert!(
            reason(&outcome).starts_with("no text layer; ") && reason(&outcome).contains(what),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn the_command_marks_what_was_generated() {
    let (url, _) = model(StatusCode::OK, said("A bird.")).await;
    let mut home = Home::new();
    home.set("NOTION_CONNECTOR__EXTRACT__CAPTIONS", &format!("{{ url = \"{url}\", model = \"seer\" }}"));
    let path = home.path().join("bird.png");
    fs::write(&path, scan("scan.png")).unwrap();
    let line = home.expect(0, &["extract", &path.display().to_string(), "--json"]).await.json();
    assert_eq!((&line["text"], &line["generated"]), (&"A bird.".into(), &json!(["caption"])), "{line}");
}
