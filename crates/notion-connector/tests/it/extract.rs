//! Files that strangers wrote: read by a process that can do nothing else, and that may die of them.

#[path = "../../../plaintext/tests/hostile/mod.rs"]
mod hostile;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notion_connector::config::ExtractConfig;
use notion_connector::extract::{Attempt, COMMAND, Extractor, Outcome};
use plaintext::Status;

use crate::program::{Home, PROGRAM};

fn extractor(settings: ExtractConfig) -> Extractor {
    Extractor::of_program(settings, PathBuf::from(PROGRAM))
}

/// One worker, and little time.
fn hasty() -> Extractor {
    extractor(ExtractConfig { workers: 1, seconds: 3, ..ExtractConfig::default() })
}

async fn reads(extractor: &Extractor) {
    let outcome = extractor.extract("a.txt", b"still here").await.unwrap();
    assert_eq!((outcome.extraction.status, outcome.extraction.text.as_str()), (Status::Text, "still here"));
}

fn reason(outcome: &Outcome) -> &str {
    outcome.extraction.reason.as_deref().unwrap_or_default()
}

/// The workers of this process, by what the system knows of its children. Other tests have theirs beside.
#[cfg(target_os = "linux")]
fn workers_of(extractor_settings: &ExtractConfig) -> Vec<u32> {
    let seconds = (11 + extractor_settings.seconds).to_string();
    let memory = extractor_settings.memory_bytes().to_string();
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_ours = |process: &u32| {
        let read = |name| fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
        let parent = format!("PPid:\t{}\n", std::process::id());
        let line = read("cmdline");
        let mut arguments = line.split('\0').skip(1);
        read("status").contains(&parent)
            && [COMMAND, &memory, &seconds].iter().all(|argument| arguments.next() == Some(argument))
    };
    processes.filter(is_ours).collect()
}

#[cfg(target_os = "linux")]
mod on_linux {
    use std::process::Command;

    use super::*;

    /// Settings that no other test of this process has, so that its workers can be told apart.
    fn own(memory_mb: u64) -> ExtractConfig {
        ExtractConfig { workers: 1, memory_mb, ..ExtractConfig::default() }
    }

    fn the_worker(settings: &ExtractConfig) -> u32 {
        let workers = workers_of(settings);
        assert_eq!(workers.len(), 1, "{workers:?}");
        workers[0]
    }

    fn kill(process: u32, signal: &str) {
        assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
    }

    #[tokio::test]
    async fn from_inside_a_worker_nothing_can_be_reached() {
        let extractor = extractor(ExtractConfig { workers: 1, ..ExtractConfig::default() });
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        fs::write(path("there"), "secret").unwrap();
        for attempt in [
            Attempt::Socket,
            Attempt::Exec,
            Attempt::Fork,
            Attempt::Open(path("there")),
            Attempt::Open("/proc/self/environ".to_owned()),
            Attempt::Write(path("there")),
            Attempt::Write(path("new")),
            Attempt::Inherited,
            Attempt::Signal(std::process::id()),
        ] {
            let outcome = extractor.attempt(attempt.clone()).await.unwrap();
            let refused =
                reason(&outcome).starts_with("refused: ") && reason(&outcome).contains("(os error 1)");
            assert!(refused, "{attempt:?}: {outcome:?}");
        }
        assert_eq!(fs::read_to_string(path("there")).unwrap(), "secret");
        assert!(!Path::new(&path("new")).exists());
        reads(&extractor).await;
        assert_eq!(extractor.counters().started, 1, "one worker survived it all");
    }

    #[tokio::test]
    async fn a_worker_has_nothing_it_does_not_need() {
        let settings = own(600);
        let extractor = extractor(settings.clone());
        assert_eq!(extractor.confinement().await.unwrap().missing, [""; 0]);
        reads(&extractor).await;
        let process = the_worker(&settings);
        let read = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}")).unwrap();
        let status = read("status");
        for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "Threads:\t1"] {
            assert!(status.contains(line), "{line} is missing in\n{status}");
        }
        let limits = read("limits");
        for (limit, value) in [
            ("Max address space", "600000000"),
            ("Max cpu time", "31"),
            ("Max file size", "0"),
            ("Max open files", "0"),
            ("Max core file size", "0"),
        ] {
            let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
            let soft = line[limit.len()..].split_whitespace().next().unwrap();
            assert_eq!(soft, value, "{line}");
        }
        // What `environ` and `cwd` tell is for the same user only where a process may be traced; root may read all.
        if let Ok(environment) = fs::read_to_string(format!("/proc/{process}/environ")) {
            let mut variables = environment.split_terminator('\0');
            assert!(variables.all(|variable| variable.starts_with("MIMALLOC_")), "{environment:?}");
        }
        if let Ok(folder) = fs::read_link(format!("/proc/{process}/cwd")) {
            assert_eq!(folder, Path::new("/"));
        }
        // A group of its own: an interrupt at the terminal is not for it.
        let group = read("stat").rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap().to_owned();
        assert_eq!(group, process.to_string());
    }

    #[test]
    fn a_worker_whose_parent_is_gone_ends_by_itself() {
        use std::io::Write as _;
        use std::os::unix::process::ExitStatusExt as _;
        use std::process::Stdio;

        let start = |cpu_seconds: &str| {
            let mut command = Command::new(PROGRAM);
            command.args([COMMAND, "512000000", cpu_seconds]).env("MIMALLOC_ARENA_RESERVE", "32768");
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        };
        let mut idle = start("9");
        drop(idle.stdin.take());
        assert!(idle.wait().unwrap().success());
        // One that computes for ever: the kernel knows how long it may.
        let mut busy = start("1");
        let request = br#"{"Attempt":"Compute"}"#;
        let mut input = busy.stdin.take().unwrap();
        input.write_all(&u32::try_from(request.len()).unwrap().to_le_bytes()).unwrap();
        input.write_all(request).unwrap();
        input.write_all(&0_u64.to_le_bytes()).unwrap();
        drop(input);
        assert_eq!(busy.wait().unwrap().signal(), Some(24), "SIGXCPU");
    }

    #[tokio::test]
    async fn a_worker_killed_between_documents_is_replaced_and_nobody_notices() {
        let settings = own(601);
        let extractor = extractor(settings.clone());
        reads(&extractor).await;
        kill(the_worker(&settings), "-9");
        reads(&extractor).await;
        let counters = extractor.counters();
        assert_eq!((counters.documents, counters.started, counters.died), (2, 2, 1));
    }

    #[tokio::test]
    async fn a_document_whose_worker_somebody_kills_is_read_once_more_and_then_told_of() {
        let settings = own(602);
        let extractor = extractor(settings.clone());
        let never_ends = extractor.attempt(Attempt::Compute);
        let killer = async {
            let mut killed = Vec::new();
            while killed.len() < 2 {
                tokio::time::sleep(Duration::from_millis(300)).await;
                let next = workers_of(&settings).into_iter().find(|process| !killed.contains(process));
                if let Some(process) = next {
                    // As a service is stopped, and as the system makes room.
                    kill(process, if killed.is_empty() { "-TERM" } else { "-9" });
                    killed.push(process);
                }
            }
        };
        let (outcome, ()) = tokio::join!(never_ends, killer);
        let outcome = outcome.unwrap();
        assert_eq!(outcome.extraction.status, Status::Broken);
        assert!(reason(&outcome).contains("signal: 9"), "{outcome:?}");
        reads(&extractor).await;
        assert_eq!((extractor.counters().started, extractor.counters().died), (3, 2));
    }

    #[tokio::test]
    async fn no_process_stays_behind() {
        let settings = own(603);
        let extractor = extractor(settings.clone());
        reads(&extractor).await;
        extractor.attempt(Attempt::Memory(2 << 30)).await.unwrap();
        assert_eq!(workers_of(&settings), [0; 0], "the dead one is no zombie, and a new one not needed yet");
        reads(&extractor).await;
        // Given up in the middle.
        let abandoned =
            tokio::time::timeout(Duration::from_millis(300), extractor.attempt(Attempt::Compute)).await;
        assert!(abandoned.is_err());
        reads(&extractor).await;
        drop(extractor);
        for _ in 0..100 {
            if workers_of(&settings).is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("left behind: {:?}", workers_of(&settings));
    }
}

#[tokio::test]
async fn a_document_that_ends_its_worker_costs_its_own_outcome_alone() {
    let extractor = hasty();
    for (attempt, status, what) in [
        (Attempt::Panic, Status::Broken, "a fault of this program, at src/extract/attempts.rs:"),
        (Attempt::Memory(2 << 30), Status::Limit, "more than 512 MB of memory"),
        (Attempt::Recurse, Status::Limit, "nested too deeply"),
        (Attempt::Compute, Status::Limit, "longer than 3 seconds"),
    ] {
        let outcome = extractor.attempt(attempt.clone()).await.unwrap();
        assert_eq!(outcome.extraction.status, status, "{attempt:?}: {outcome:?}");
        assert!(reason(&outcome).contains(what), "{attempt:?}: {outcome:?}");
        reads(&extractor).await;
    }
    let counters = extractor.counters();
    assert_eq!((counters.documents, counters.killed, counters.died), (8, 1, 3));
    assert_eq!(
        counters.started, 5,
        "only the want of memory is met twice: the second time by a worker that held nothing"
    );
}

#[tokio::test]
async fn memory_is_counted_for_each_document_and_a_worker_that_took_much_makes_room() {
    let extractor = extractor(ExtractConfig { workers: 1, ..ExtractConfig::default() });
    let peak = async |attempt: Attempt| extractor.attempt(attempt).await.unwrap().peak_bytes.unwrap_or(1);
    let large = peak(Attempt::Memory(100_000_000)).await;
    let small = peak(Attempt::Memory(1)).await;
    if cfg!(target_os = "linux") {
        assert!((100_000_000..200_000_000).contains(&large), "{large}");
        assert!(small < 90_000_000, "{small}");
    }
    // What went before leaves a document no less memory than a new worker has.
    let outcome = extractor.attempt(Attempt::Memory(300_000_000)).await.unwrap();
    assert_eq!(outcome.extraction.status, Status::Text, "{outcome:?}");
    assert_eq!(extractor.counters().retired > 0, cfg!(target_os = "linux"), "{:?}", extractor.counters());
}

#[tokio::test]
async fn a_worker_reads_in_every_format_what_the_library_reads() {
    let settings = ExtractConfig { workers: 2, ..ExtractConfig::default() };
    let limits = plaintext::Limits {
        input_bytes: usize::try_from(settings.file_bytes()).unwrap(),
        text_bytes: usize::try_from(settings.text_bytes()).unwrap(),
        ..plaintext::Limits::default()
    };
    let extractor = extractor(settings);
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plaintext/tests/samples");
    let mut formats = std::collections::BTreeSet::new();
    for entry in fs::read_dir(samples).unwrap().map(Result::unwrap) {
        let (name, bytes) = (entry.file_name().display().to_string(), fs::read(entry.path()).unwrap());
        let outcome = extractor.extract(&name, &bytes).await.unwrap();
        let mut expected = plaintext::extract(&bytes, &name, &limits);
        if (expected.format, expected.status) == (Some(plaintext::Format::Pdf), Status::NoText) {
            expected.reason = Some("no text layer".to_owned());
        }
        assert_eq!(outcome.extraction, expected, "{name}");
        formats.extend(outcome.extraction.format);
    }
    assert!(formats.len() >= 15, "{formats:?}");
    assert_eq!(extractor.counters().died, 0);
}

#[tokio::test]
async fn many_callers_share_few_workers() {
    let extractor = extractor(ExtractConfig { workers: 2, ..ExtractConfig::default() });
    let readings = (0..40).map(|number| {
        let text = format!("document {number} ").repeat(number * 1_000 + 1);
        let extractor = &extractor;
        async move {
            let outcome = extractor.extract("a.txt", text.as_bytes()).await.unwrap();
            assert_eq!(outcome.extraction.text.trim_end(), text.trim_end());
        }
    });
    futures::future::join_all(readings).await;
    let counters = extractor.counters();
    assert_eq!((counters.documents, counters.started), (40, 2));
}

#[tokio::test]
async fn limits_of_the_settings_hold() {
    let settings = ExtractConfig { workers: 1, file_mb: 2, text_mb: 1, ..ExtractConfig::default() };
    let extractor = extractor(settings);
    let large = extractor.extract("a.txt", &vec![b'a'; 2_000_001]).await.unwrap();
    assert_eq!(large.extraction.status, Status::TooLarge);
    let long = extractor.extract("a.txt", &"word ".repeat(300_000).into_bytes()).await.unwrap();
    assert_eq!((long.extraction.status, long.extraction.text.len()), (Status::Text, 1_000_000));
    assert!(long.extraction.cut_bytes >= 499_000, "{}", long.extraction.cut_bytes);
}

/// A debug build takes several times as long as the product, and other tests run beside: what is held is that each has its
/// outcome at the deadline, within the memory, and costs nobody else's.
#[tokio::test]
async fn hostile_files_end_in_time_within_their_memory_and_hold_nothing_of_other_files() {
    let settings = ExtractConfig { workers: 2, ..ExtractConfig::default() };
    let whole = ExtractConfig { file_mb: hostile::INPUT_BYTES as u64 / 1_000_000 + 1, ..settings.clone() };
    let (extractor, whole) = (extractor(settings.clone()), extractor(whole));
    let mut slowest = Vec::new();
    for hostile in hostile::ALL {
        let bytes = (hostile.make)();
        // What is refused for its size is also read as if it were not.
        let is_large = bytes.len() as u64 > settings.file_bytes();
        for extractor in [Some(&extractor), is_large.then_some(&whole)].into_iter().flatten() {
            let Outcome { extraction, millis, peak_bytes, .. } =
                extractor.extract(hostile.name, &bytes).await.unwrap();
            slowest.push((millis, hostile.name, extraction.status, peak_bytes));
            assert!(millis <= settings.seconds * 1_000 + 5_000, "{}: {millis} ms", hostile.name);
            assert!(
                peak_bytes.is_none_or(|peak| peak <= settings.memory_bytes()),
                "{}: {peak_bytes:?}",
                hostile.name
            );
            assert!(!extraction.text.contains(hostile::SECRET), "{}", hostile.name);
        }
    }
    slowest.sort_by_key(|(millis, ..)| std::cmp::Reverse(*millis));
    println!("{:#?}\n{:?}", &slowest[..10], extractor.counters());
    reads(&extractor).await;
    assert_eq!(extractor.counters().documents, hostile::ALL.len() as u64 + 1);
}

#[tokio::test]
async fn what_is_no_worker_is_an_error_and_no_outcome() {
    let missing = Extractor::of_program(ExtractConfig::default(), PathBuf::from("/nowhere/at/all"));
    let error = missing.extract("a.txt", b"text").await.unwrap_err();
    assert!(error.to_string().contains("could not be started"), "{error}");
    let another = Extractor::of_program(ExtractConfig::default(), PathBuf::from("/bin/false"));
    let error = another.extract("a.txt", b"text").await.unwrap_err();
    assert!(error.to_string().contains("ends before it reads anything"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn without_processes_the_same_is_read() {
    let extractor = Extractor::in_process(ExtractConfig::default());
    reads(&extractor).await;
    assert_eq!(extractor.confinement().await.unwrap().missing, ["worker processes"]);
    assert_eq!(extractor.counters().started, 0);
}

#[tokio::test]
async fn the_command_writes_a_line_for_each_file() {
    let home = Home::new();
    let file = |name: &str, bytes: &[u8]| {
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let page = file("page.html", b"<title>T</title><h1>Plan</h1><p>See <a href='https://a.example/'>it</a>");
    let latin = file("latin.txt", b"Stra\xDFe und \xC4pfel, gr\xFC\xDFe aus M\xFCnchen");
    let picture = file("picture.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01");
    let empty = file("empty.md", b"");
    let ended = home.expect(0, &["extract", &page, &latin, &picture, &empty, "--json"]).await;
    let lines = ended.json_lines();
    let column = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("file"), [page.as_str(), &latin, &picture, &empty]);
    assert_eq!(column("status"), ["text", "text", "no_text", "no_text"]);
    assert_eq!(lines[0]["format"], "html");
    assert_eq!(lines[0]["metadata"]["title"], "T");
    assert_eq!(lines[0]["metadata"]["links"][0], "https://a.example/");
    assert_eq!(lines[1]["text"], "Straße und Äpfel, grüße aus München");
    assert!(lines.iter().all(|line| line["millis"].is_u64()), "{ended:?}");
    if cfg!(target_os = "linux") {
        assert!(lines.iter().all(|line| line["peak_bytes"].as_u64().is_some_and(|peak| peak > 1_000_000)));
    }
    // For people: the text of the only file, a table of several.
    let one = home.expect(0, &["extract", &page]).await;
    assert!(one.stdout.contains("Plan") && !one.stdout.contains("html"), "{one:?}");
    let many = home.expect(0, &["extract", &page, &empty]).await;
    assert!(many.stdout.contains("no_text") && many.stdout.contains("it is empty"), "{many:?}");
    assert!(many.stderr.contains("2 files in ") && many.stderr.contains(" 0 died"), "{many:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_has_an_error_and_the_others_their_lines() {
    let mut home = Home::new();
    let path = home.path().join("a.txt");
    fs::write(&path, "text").unwrap();
    let (path, folder) = (path.display().to_string(), home.path().display().to_string());
    let ended = home.expect(1, &["extract", "/nowhere.txt", &folder, &path, "--json"]).await;
    let lines = ended.json_lines();
    assert!(lines[0]["error"].as_str().unwrap().contains("could not be read"), "{ended:?}");
    assert!(lines[1]["error"].as_str().unwrap().contains("directory"), "{ended:?}");
    assert_eq!(lines[2]["text"], "text");
    home.set("NOTION_CONNECTOR__EXTRACT__SECONDS", "0");
    let ended = home.expect(2, &["extract", &path]).await;
    assert!(ended.stderr.contains("extract.seconds"), "{ended:?}");
}
