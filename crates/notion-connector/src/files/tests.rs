//! Fetches from the emulator's hosts of files: in process, where time is paused, and over sockets, where the real client is.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, Response};
use hyper_util::client::proxy::matcher::Matcher;
use notion_api::{TransportError, TransportErrorKind};
use notion_emulator::files::faults::{FileFailure, FileFault};
use notion_emulator::files::{Host, NewFile};
use notion_emulator::world::World;
use notion_emulator::{DEFAULT_BASE_MS, DEFAULT_TOKEN, Emulator, Listeners, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::ServiceExt as _;
use url::Url;

use super::transport::{ByteStream, FileTransport, Way, WayError};
use super::{FetchOutcome, FetchSettings, Fetcher, HttpFiles, Lookup, Refusal};
use crate::config::FilesConfig;
use crate::model::Validators;
use crate::runtime::Runtime;

const NOTION: &str = "127.0.0.1:9000";
const EXTERNAL: &str = "127.0.0.1:9001";

/// The emulator's hosts without a network.
struct InProcess {
    emulator: Emulator,
    way: Way,
    bytes_read: Arc<AtomicUsize>,
}

#[async_trait]
impl FileTransport for InProcess {
    fn way_to(&self, _: &Url) -> Way {
        self.way
    }

    async fn get(&self, url: &Url, headers: HeaderMap, _: Way) -> Result<Response<ByteStream>, WayError> {
        let place = format!("{}:{}", url.host_str().unwrap(), url.port_or_known_default().unwrap());
        let router = match place.as_str() {
            NOTION => self.emulator.files_router(),
            EXTERNAL => self.emulator.external_router(),
            _ => return Err(TransportError::new(TransportErrorKind::Connect, "nobody is there").into()),
        };
        let mut request = http::Request::get(&url[url::Position::BeforePath..]);
        *request.headers_mut().unwrap() = headers;
        let answer = router.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let counter = Arc::clone(&self.bytes_read);
        let cut = |_| WayError::from(TransportError::new(TransportErrorKind::BodyCut, "cut"));
        let bytes = body.into_data_stream().map_err(cut).inspect_ok(move |piece| {
            counter.fetch_add(piece.len(), Ordering::Relaxed);
        });
        Ok(Response::from_parts(head, bytes.boxed()))
    }
}

/// An emulator with one page that shows one file, and who fetches from it.
struct Scene {
    emulator: Emulator,
    page: String,
    fetcher: Arc<Fetcher>,
    bytes_read: Arc<AtomicUsize>,
}

fn settings() -> FetchSettings {
    FetchSettings {
        test_hosts: vec![NOTION.to_owned()],
        test_other_hosts: vec![EXTERNAL.to_owned()],
        ..FetchSettings::new(&FilesConfig::default(), 1_000_000)
    }
}

impl Scene {
    fn new(host: Host, content: &[u8], settings: FetchSettings, way: Way) -> Self {
        let emulator = Emulator::new(World::new("Test", 3, DEFAULT_BASE_MS), Options::default());
        emulator.set_files_url(&format!("http://{NOTION}"));
        emulator.set_external_url(&format!("http://{EXTERNAL}"));
        let page = add_page(&emulator);
        let new = NewFile { host, ..NewFile::new("grey seal.txt", content.to_vec()) };
        emulator.add_file(page.parse().unwrap(), new).unwrap();
        let bytes_read = Arc::new(AtomicUsize::new(0));
        let transport = InProcess { emulator: emulator.clone(), way, bytes_read: Arc::clone(&bytes_read) };
        let runtime = Runtime::simulated(jiff::Timestamp::from_second(1_800_000_000).unwrap(), 5);
        let fetcher = Arc::new(Fetcher::new(settings, Arc::new(transport), runtime));
        Self { emulator, page, fetcher, bytes_read }
    }

    fn hosted(content: &[u8]) -> Self {
        Self::new(Host::Notion, content, settings(), Way::Direct)
    }

    fn external() -> Self {
        let settings = FetchSettings { other_hosts: true, ..settings() };
        Self::new(Host::External, b"outside", settings, Way::Direct)
    }

    /// The file's address, as a crawl reads it.
    async fn url(&self) -> String {
        let path = format!("/v1/blocks/{}/children", self.page);
        let answer = ask(&self.emulator, &path).await;
        let block = &answer["results"][0]["file"];
        let kind = block["type"].as_str().unwrap();
        block[kind]["url"].as_str().unwrap().to_owned()
    }

    fn fails(&self, failure: FileFailure, count: u32) {
        self.emulator.push_file_fault(FileFault { count, ..FileFault::once(failure) });
    }

    async fn fetch(&self) -> FetchOutcome {
        let url = self.url().await;
        self.fetcher.fetch(&url, &Validators::default()).await
    }

    /// What comes of a fetch whose requests all fail so, and how many there were.
    async fn fetch_failing(&self, failure: FileFailure) -> (FetchOutcome, usize) {
        self.emulator.clear_file_faults();
        self.emulator.clear_file_requests();
        self.fails(failure, 1_000);
        let outcome = self.fetch().await;
        (outcome, self.emulator.file_requests().len())
    }
}

fn add_page(emulator: &Emulator) -> String {
    let page = json!([{"page": {"title": "Test page"}}]);
    let content: Vec<notion_emulator::seed::Content> = serde_json::from_value(page).unwrap();
    emulator.seed(None, &content, &notion_emulator::world::plant::SeedFiles::new()).unwrap()[0].to_string()
}

async fn ask(emulator: &Emulator, path: &str) -> Value {
    let request = http::Request::get(path)
        .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
        .header("notion-version", "2026-03-11")
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = emulator.router().oneshot(request).await.unwrap();
    serde_json::from_slice(&axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap()).unwrap()
}

#[track_caller]
fn content(outcome: FetchOutcome) -> Vec<u8> {
    match outcome {
        FetchOutcome::Fetched(file) => file.bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refusal(outcome: FetchOutcome) -> Refusal {
    match outcome {
        FetchOutcome::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_arrives_whole_with_what_its_host_says_of_it() {
    let scene = Scene::hosted(b"a grey seal");
    let FetchOutcome::Fetched(file) = scene.fetch().await else { panic!() };
    assert_eq!(&file.bytes[..], b"a grey seal");
    assert_eq!(file.media_type.as_deref(), Some("text/plain"));
    assert!(file.validators.etag.is_some() && file.validators.last_modified.is_some());
    let lie = FileFailure::ContentType { content_type: "image/png; x=y".to_owned() };
    scene.fails(lie, 1);
    let FetchOutcome::Fetched(file) = scene.fetch().await else { panic!() };
    assert_eq!((&file.bytes[..], file.media_type.as_deref()), (&b"a grey seal"[..], Some("image/png")));
    assert_eq!(content(Scene::hosted(b"").fetch().await), b"");
}

#[tokio::test(start_paused = true)]
async fn a_request_carries_no_secret_no_cookie_and_no_referrer() {
    let scene = Scene::hosted(b"x");
    content(scene.fetch().await);
    let asked = scene.emulator.file_requests().pop().unwrap();
    assert_eq!(asked.headers, ["accept", "accept-encoding"]);
}

#[tokio::test(start_paused = true)]
async fn an_expired_signature_is_told_and_not_repeated() {
    let scene = Scene::hosted(b"x");
    let url = scene.url().await;
    scene.emulator.advance(Duration::from_secs(3_601));
    let known = Validators::default();
    assert!(matches!(scene.fetcher.fetch(&url, &known).await, FetchOutcome::Expired));
    assert_eq!(content(scene.fetch().await), b"x");
    for failure in [FileFailure::Expired, FileFailure::AccessDenied] {
        let (outcome, requests) = scene.fetch_failing(failure).await;
        assert!(matches!(outcome, FetchOutcome::Expired), "{outcome:?}");
        assert_eq!(requests, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_or_forbidden_is_not_asked_for_again() {
    let scene = Scene::hosted(b"x");
    let (gone, requests) = scene.fetch_failing(FileFailure::NotFound).await;
    assert!(matches!(gone, FetchOutcome::Gone) && requests == 1, "{gone:?}");
    // 304 is no answer to who knows nothing.
    for status in [204, 206, 304, 416, 418] {
        let (odd, requests) = scene.fetch_failing(FileFailure::Status { status }).await;
        assert!(matches!(odd, FetchOutcome::Failed { retryable: false, .. }) && requests == 1, "{odd:?}");
    }
    let outside = Scene::external();
    let (forbidden, requests) = outside.fetch_failing(FileFailure::Status { status: 401 }).await;
    assert_eq!((refusal(forbidden), requests), (Refusal::Forbidden { status: 401 }, 1));
}

#[tokio::test(start_paused = true)]
async fn trouble_that_passes_leaves_no_trace() {
    for failure in [
        FileFailure::InternalError,
        FileFailure::SlowDown { retry_after_s: Some(3) },
        FileFailure::Status { status: 502 },
        FileFailure::Status { status: 429 },
        FileFailure::Slow { delay_ms: 20_000 },
        FileFailure::Slow { delay_ms: 40_000 },
        FileFailure::SlowBody { piece_bytes: 1, delay_ms: 2_000 },
        FileFailure::Stall,
        FileFailure::Cut,
        FileFailure::Disconnect,
        FileFailure::WrongLength { by: 10 },
    ] {
        let scene = Scene::hosted(b"a grey seal");
        scene.fails(failure.clone(), 2);
        assert_eq!(content(scene.fetch().await), b"a grey seal", "{failure:?}");
        if let FileFailure::WrongLength { .. } | FileFailure::Cut = failure {
            assert_eq!(scene.emulator.file_requests().len(), 3, "{failure:?}: less than declared is not all");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_that_stays_ends_after_four_tries() {
    let scene = Scene::hosted(b"a grey seal");
    for failure in [FileFailure::InternalError, FileFailure::Cut, FileFailure::Stall] {
        let (outcome, requests) = scene.fetch_failing(failure.clone()).await;
        assert!(matches!(outcome, FetchOutcome::Failed { retryable: true, .. }), "{failure:?} {outcome:?}");
        assert_eq!(requests, 4, "{failure:?}");
    }
    let (outcome, requests) = scene.fetch_failing(FileFailure::SlowDown { retry_after_s: Some(600) }).await;
    let FetchOutcome::Failed { retry_after, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((retry_after, requests), (Some(Duration::from_secs(600)), 1));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_drips_is_left_after_the_time_for_one_file() {
    let scene = Scene::hosted(&[b'x'; 1_000]);
    let begun = tokio::time::Instant::now();
    let drip = FileFailure::SlowBody { piece_bytes: 1, delay_ms: 20_000 };
    let (outcome, requests) = scene.fetch_failing(drip).await;
    assert!(matches!(outcome, FetchOutcome::Failed { retryable: true, .. }), "{outcome:?}");
    assert_eq!((begun.elapsed().as_secs(), requests), (300, 1));
}

#[tokio::test(start_paused = true)]
async fn too_large_files_are_not_read_beyond_the_limit() {
    let scene = Scene::hosted(&[b'x'; 1_000_001]);
    let outcome = scene.fetch().await;
    let FetchOutcome::TooLarge { declared_bytes } = outcome else { panic!("{outcome:?}") };
    assert_eq!((declared_bytes, scene.bytes_read.load(Ordering::Relaxed)), (Some(1_000_001), 0));
    for failure in [
        FileFailure::Endless { declared: None },
        FileFailure::Endless { declared: Some(10) },
        FileFailure::Endless { declared: Some(4 << 30) },
    ] {
        let (outcome, requests) = scene.fetch_failing(failure.clone()).await;
        assert!(matches!(outcome, FetchOutcome::TooLarge { .. }), "{failure:?} {outcome:?}");
        assert_eq!(requests, 1);
        assert!(scene.bytes_read.swap(0, Ordering::Relaxed) < 1_100_000);
    }
    assert_eq!(content(Scene::hosted(&[b'x'; 1_000_000]).fetch().await).len(), 1_000_000);
}

#[tokio::test(start_paused = true)]
async fn compressed_bytes_are_refused() {
    let scene = Scene::hosted(b"x");
    let (outcome, _) =
        scene.fetch_failing(FileFailure::ContentEncoding { encoding: "gzip".to_owned() }).await;
    assert_eq!(refusal(outcome), Refusal::Encoded);
    let plain = FileFailure::ContentEncoding { encoding: "identity".to_owned() };
    assert_eq!(content(scene.fetch_failing(plain).await.0), b"x");
}

#[tokio::test(start_paused = true)]
async fn redirects_are_followed_where_the_first_request_could_have_gone() {
    let scene = Scene::external();
    let to = |to: &str| FileFailure::Redirect { to: Some(to.to_owned()), status: 302 };
    let there = scene.url().await;
    scene.fails(to(&there), 2);
    assert_eq!(content(scene.fetch().await), b"outside");
    for (target, expected) in [
        ("http://example.org/a", Refusal::NotEncrypted),
        ("https://169.254.169.254/latest/meta-data", Refusal::PrivateAddress),
        ("https://[::ffff:10.0.0.1]/", Refusal::PrivateAddress),
        ("https://127.0.0.1:9002/a", Refusal::PrivateAddress),
        ("https://a:b@example.org/", Refusal::Credentials),
        ("file:///etc/passwd", Refusal::Address),
        ("", Refusal::Redirects),
    ] {
        let (outcome, _) = scene.fetch_failing(to(target)).await;
        assert_eq!(refusal(outcome), expected, "{target}");
    }
    let (outcome, requests) = scene.fetch_failing(FileFailure::Redirect { to: None, status: 307 }).await;
    assert_eq!((refusal(outcome), requests), (Refusal::Redirects, 6));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_from_notions_host_to_another_needs_the_switch() {
    let scene = Scene::hosted(b"x");
    let away = FileFailure::Redirect { to: Some("https://example.org/a".to_owned()), status: 302 };
    assert_eq!(refusal(scene.fetch_failing(away).await.0), Refusal::OtherHost);
}

#[tokio::test(start_paused = true)]
async fn other_hosts_are_asked_when_switched_on_and_not_through_a_proxy_that_is_not_trusted() {
    let off = Scene::new(Host::External, b"outside", settings(), Way::Direct);
    assert_eq!(refusal(off.fetch().await), Refusal::OtherHost);
    assert!(off.emulator.file_requests().is_empty());
    assert_eq!(content(Scene::external().fetch().await), b"outside");
    let on = FetchSettings { other_hosts: true, ..settings() };
    let proxied = Scene::new(Host::External, b"outside", on.clone(), Way::Proxy);
    assert_eq!(refusal(proxied.fetch().await), Refusal::Proxy);
    let trusted = FetchSettings { other_hosts_by_proxy: true, ..on };
    let proxied = Scene::new(Host::External, b"outside", trusted, Way::Proxy);
    assert_eq!(content(proxied.fetch().await), b"outside");
    let notion = Scene::new(Host::Notion, b"inside", settings(), Way::Proxy);
    assert_eq!(content(notion.fetch().await), b"inside");
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_asked_for_by_its_validators() {
    let scene = Scene::external();
    let FetchOutcome::Fetched(file) = scene.fetch().await else { panic!() };
    let url = scene.url().await;
    let known = file.validators.clone();
    assert!(matches!(scene.fetcher.fetch(&url, &known).await, FetchOutcome::Unchanged));
    let by_time = Validators { etag: None, ..known.clone() };
    assert!(matches!(scene.fetcher.fetch(&url, &by_time).await, FetchOutcome::Unchanged));
    let file = url.split('/').nth(4).unwrap().parse().unwrap();
    scene.emulator.replace_file(file, b"other".to_vec().into(), Vec::new()).unwrap();
    assert_eq!(content(scene.fetcher.fetch(&url, &known).await), b"other");
    let hostile = Validators { etag: Some("a\r\nx: y".to_owned()), last_modified: None };
    assert_eq!(content(scene.fetcher.fetch(&url, &hostile).await), b"other");
}

#[tokio::test(start_paused = true)]
async fn a_file_keeps_its_place_until_it_is_dropped() {
    let two = FetchSettings { concurrency: 2, ..settings() };
    let scene = Scene::new(Host::Notion, b"x", two, Way::Direct);
    let (one, another) = (scene.fetch().await, scene.fetch().await);
    let (fetcher, url) = (Arc::clone(&scene.fetcher), scene.url().await);
    let third = tokio::spawn(async move { fetcher.fetch(&url, &Validators::default()).await });
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!third.is_finished());
    assert_eq!(scene.emulator.file_requests().len(), 2);
    drop(one);
    assert_eq!(content(third.await.unwrap()), b"x");
    drop(another);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_address_of_a_host_is_refused() {
    let scene = Scene::hosted(b"x");
    for text in ["", "report.pdf", "attachment:0b3f:report.pdf", "data:,x"] {
        let outcome = scene.fetcher.fetch(text, &Validators::default()).await;
        assert_eq!(refusal(outcome), Refusal::Address, "{text}");
    }
}

/// The emulator over sockets, and a fetcher with the real client. The third is what names resolve to.
async fn served(resolves_to: &[&str]) -> (Emulator, Fetcher, Arc<Mutex<Vec<String>>>) {
    let emulator = Emulator::new(World::new("Test", 3, DEFAULT_BASE_MS), Options::default());
    let listeners = Listeners::loopback().await.unwrap();
    let place = |listener: &tokio::net::TcpListener| listener.local_addr().unwrap().to_string();
    let settings = FetchSettings {
        test_hosts: vec![place(&listeners.files)],
        test_other_hosts: vec![place(&listeners.external)],
        other_hosts: true,
        idle_timeout: Duration::from_millis(500),
        ..FetchSettings::new(&FilesConfig::default(), 1_000_000)
    };
    let serving = emulator.clone();
    tokio::spawn(async move { serving.serve(listeners, std::future::pending()).await });
    let asked = Arc::new(Mutex::new(Vec::new()));
    let addresses: Vec<IpAddr> = resolves_to.iter().map(|text| text.parse().unwrap()).collect();
    let told = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |name| {
        told.lock().unwrap().push(name);
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    });
    let transport =
        HttpFiles::with(Duration::from_secs(2), &[], lookup, Matcher::builder().build(), None).unwrap();
    let fetcher = Fetcher::new(settings, Arc::new(transport), Runtime::real());
    (emulator, fetcher, asked)
}

/// A file of so many bytes; its address once the emulator serves.
async fn add_file(emulator: &Emulator, host: Host, bytes: usize) -> String {
    let page = add_page(emulator);
    let new = NewFile { host, ..NewFile::new("a b.bin", vec![b'x'; bytes]) };
    emulator.add_file(page.parse().unwrap(), new).unwrap();
    loop {
        let answer = ask(emulator, &format!("/v1/blocks/{page}/children")).await;
        let block = &answer["results"][0]["file"];
        let url = block[block["type"].as_str().unwrap()]["url"].as_str().unwrap().to_owned();
        if url.starts_with("http://127.0.0.1") {
            return url;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn over_sockets_the_bytes_arrive_and_the_real_client_says_nothing_more() {
    let (emulator, fetcher, asked) = served(&[]).await;
    for host in [Host::Notion, Host::External] {
        let url = add_file(&emulator, host, 700_000).await;
        let known = Validators::default();
        assert_eq!(content(fetcher.fetch(&url, &known).await).len(), 700_000);
        let headers = emulator.file_requests().pop().unwrap().headers;
        assert_eq!(headers.len(), 4, "{headers:?}");
        for name in ["accept", "accept-encoding", "host", "user-agent"] {
            assert!(headers.iter().any(|header| header == name), "{name} is missing in {headers:?}");
        }
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn over_sockets_every_fault_ends_as_in_process() {
    let (emulator, fetcher, _) = served(&[]).await;
    let url = add_file(&emulator, Host::Notion, 1_000).await;
    for failure in [
        FileFailure::Cut,
        FileFailure::Disconnect,
        FileFailure::Stall,
        FileFailure::WrongLength { by: 100 },
        FileFailure::Slow { delay_ms: 1_000 },
    ] {
        emulator.push_file_fault(FileFault::once(failure.clone()));
        let outcome = fetcher.fetch(&url, &Validators::default()).await;
        assert_eq!(content(outcome).len(), 1_000, "{failure:?}");
    }
    for failure in [FileFailure::Endless { declared: None }, FileFailure::Endless { declared: Some(4 << 30) }]
    {
        emulator.push_file_fault(FileFault::once(failure.clone()));
        let outcome = fetcher.fetch(&url, &Validators::default()).await;
        assert!(matches!(outcome, FetchOutcome::TooLarge { .. }), "{failure:?} {outcome:?}");
    }
    emulator.push_file_fault(FileFault::once(FileFailure::ContentEncoding { encoding: "gzip".to_owned() }));
    assert_eq!(refusal(fetcher.fetch(&url, &Validators::default()).await), Refusal::Encoded);
}

#[tokio::test]
async fn a_name_that_resolves_to_private_addresses_is_refused_and_nobody_is_connected_to() {
    for address in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1", "64:ff9b::7f00:1"]
    {
        let (_, fetcher, asked) = served(&[address]).await;
        let outcome = fetcher.fetch("https://rebound.example/a.pdf", &Validators::default()).await;
        assert_eq!(refusal(outcome), Refusal::PrivateAddress, "{address}");
        assert_eq!(*asked.lock().unwrap(), ["rebound.example"], "{address}");
    }
}

#[tokio::test]
async fn a_redirect_to_a_name_of_a_private_address_is_refused() {
    let (emulator, fetcher, asked) = served(&["192.168.0.1", "127.0.0.1"]).await;
    let url = add_file(&emulator, Host::External, 10).await;
    let to = Some("https://inside.example/secret".to_owned());
    emulator.push_file_fault(FileFault::once(FileFailure::Redirect { to, status: 301 }));
    let outcome = fetcher.fetch(&url, &Validators::default()).await;
    assert_eq!(refusal(outcome), Refusal::PrivateAddress);
    assert_eq!(*asked.lock().unwrap(), ["inside.example"]);
}

#[tokio::test]
async fn through_a_proxy_notions_hosts_are_asked_and_others_are_not() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let (seen, mut asked) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4_096];
            let length = stream.read(&mut head).await.unwrap();
            let line = String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned();
            seen.send(line).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let lookup: Lookup = Arc::new(|name| panic!("{name} is the proxy's to resolve"));
    let matcher = Matcher::builder().all(proxy.as_str()).build();
    let all = reqwest::Proxy::all(&proxy).unwrap();
    let transport = HttpFiles::with(Duration::from_secs(2), &[], lookup, matcher, Some(all)).unwrap();
    let here = Url::parse("http://127.0.0.1:9000/a").unwrap();
    assert_eq!(transport.way_to(&here), Way::Direct);
    let settings = FetchSettings { other_hosts: true, ..settings() };
    let fetcher = Fetcher::new(settings, Arc::new(transport), Runtime::real());
    let known = Validators::default();
    assert_eq!(refusal(fetcher.fetch("https://example.org/a", &known).await), Refusal::Proxy);
    let url = "https://prod-files-secure.s3.us-west-2.amazonaws.com/w/f/a.pdf?X-Amz-Signature=verysecret";
    let fetching = fetcher.fetch(url, &known);
    let FetchOutcome::Failed { reason, .. } = fetching.await else { panic!() };
    assert!(!reason.contains("verysecret") && !reason.contains("/w/f"), "{reason}");
    assert_eq!(
        asked.recv().await.unwrap(),
        "CONNECT prod-files-secure.s3.us-west-2.amazonaws.com:443 HTTP/1.1"
    );
}

#[tokio::test]
async fn localhost_is_a_name_like_others() {
    let transport = HttpFiles::new(Duration::from_secs(2), &[]).unwrap();
    let url = Url::parse("https://localhost:9/a").unwrap();
    let outcome = transport.get(&url, HeaderMap::new(), Way::Direct).await;
    assert!(matches!(outcome, Err(WayError::PrivateAddress)), "{:?}", outcome.err());
}
