//! A process that is killed at any instant, and started again, ends as one that nobody disturbed.
//!
//! CI kills a few times; `cargo xtask kill --times N --seed S` sets `KILL_TIMES` and `KILL_SEED` for more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use notion_connector::app::App;
use notion_connector::config::Config;
use notion_connector::data_dir::DataDir;
use notion_connector::store::{Crawl, CrawlState, Scope};
use notion_emulator::files::NewFile;
use notion_emulator::{Behavior, Emulator, Listeners, Options};
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use uuid::Uuid;

use crate::program::Home;
use crate::support::{Dice, Fact, Server, assert_holds_with_files, files_of, generated, subtree, truth_of};
use crate::truth::{change_at_random, edited, page, renamed};

const CONCURRENCY: usize = 4;
/// Files that are in pages before the first crawl, beside those that were generated.
const FIRST_FILES: usize = 12;
const DOCX: &[u8] = include_bytes!("../../../plaintext/tests/samples/text.docx");
/// Reads that two items may have in common, without a kill: a synced block is read for each of its copies.
const SHARED_READS: usize = 3;
const MINUTES: Duration = Duration::from_secs(600);

/// The longest that a process lives before it is killed: in its start, in its midst, or near its end.
const LIVES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(1_200), Duration::from_millis(4_000)];

/// What a crawl covers from one round to the next, and how often it is killed at most.
const ROUNDS: [(Scope, usize); 4] =
    [(Scope::Full, 8), (Scope::Incremental, 5), (Scope::ForceReindex, 8), (Scope::Incremental, 5)];

/// A number that `cargo xtask kill` may set.
fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// Whose processes are killed, and the Notion that they crawl.
struct Victim {
    notion: Emulator,
    server: Server,
    /// Address of the host of files.
    host: String,
    home: Home,
    dice: Dice,
    /// What was trashed or unshared, and may come back.
    gone: Vec<Uuid>,
    /// In which phase of a crawl, or outside of one, processes died.
    died: BTreeMap<String, usize>,
}

/// What a round came to.
struct Round {
    kills: usize,
    crawl: Crawl,
    /// Requests for one object or list that were answered before.
    repeated: usize,
    requests: usize,
    /// The files that were fetched, each once, and how many fetches were repeated.
    fetched: BTreeSet<Uuid>,
    fetched_again: usize,
}

impl Victim {
    async fn new(seed: usize) -> Self {
        let behavior = Behavior { latency_ms: 8, ..Behavior::default() };
        let world = generated(&format!("pages=150,seed={seed}"));
        let notion = Emulator::new(world, Options { behavior, ..Options::default() });
        let server = Server::start(&notion).await;
        let Listeners { files, .. } = Listeners::loopback().await.unwrap();
        let host = files.local_addr().unwrap().to_string();
        notion.set_files_url(&format!("http://{host}"));
        tokio::spawn(axum::serve(files, notion.files_router()).into_future());
        let home = home(&server, &host).await;
        let dice = Dice::new(seed as u64);
        let mut victim = Self { notion, server, host, home, dice, gone: Vec::new(), died: BTreeMap::new() };
        for number in 0..FIRST_FILES {
            victim.add_file(&format!("zf{number}"));
        }
        victim
    }

    /// Adds a file to some page.
    fn add_file(&mut self, marker: &str) {
        let truth = truth_of(&self.notion);
        let pages: Vec<Uuid> = truth.values().filter(|fact| fact.has_body()).map(|fact| fact.id).collect();
        let new = match self.dice.below(3) {
            0 => NewFile::new(&format!("A document {marker}.docx"), DOCX.to_vec()),
            _ => NewFile {
                markers: vec![marker.to_owned()],
                ..NewFile::new(&format!("Notes {}.txt", self.dice.below(1_000)), noted(marker))
            },
        };
        self.notion.add_file(self.dice.pick(&pages), new).unwrap();
    }

    /// Somebody adds, replaces or removes a file.
    fn change_file(&mut self, marker: &str) {
        let files: Vec<Uuid> = files_of(&self.notion).into_keys().collect();
        match self.dice.below(4) {
            0 | 1 if !files.is_empty() => {
                let file = self.dice.pick(&files);
                let text = !self.notion.file(file).unwrap().0.ends_with(".docx");
                let content = if text { noted(marker) } else { DOCX.to_vec() };
                let markers = text.then(|| marker.to_owned()).into_iter().collect();
                self.notion.replace_file(file, content.into(), markers).unwrap();
            }
            2 if !files.is_empty() => self.notion.remove_file(self.dice.pick(&files)).unwrap(),
            _ => self.add_file(marker),
        }
    }

    /// The files that were fetched since the log was cleared, and how many fetches were repeated.
    fn count_fetches(&self) -> (BTreeSet<Uuid>, usize) {
        let log = self.notion.file_requests();
        let answered = log.iter().filter(|entry| entry.status == 200);
        let ids: Vec<Uuid> =
            answered.map(|entry| entry.path.split('/').nth(2).unwrap().parse().unwrap()).collect();
        let each: BTreeSet<Uuid> = ids.iter().copied().collect();
        let repeated = ids.len() - each.len();
        (each, repeated)
    }

    /// What this test reads of the data directory while no process has it.
    fn app(&self) -> App {
        App::open(Config::default(), DataDir::existing(&self.home.data_dir()).unwrap()).unwrap()
    }

    /// Lets processes crawl and kills them, at most so often, until a crawl has ended.
    async fn round(&mut self, scope: Scope, at_most: usize) -> Round {
        self.notion.clear_requests();
        self.notion.clear_file_requests();
        let last = self.last_crawl().map(|crawl| crawl.id);
        let mut kills = 0;
        loop {
            let serves = self.dice.below(4) == 0 && kills > 0;
            let crawl = ["crawl", "--scope", &scope.to_string(), "--json"];
            let serve = ["serve", "--listen", "127.0.0.1:0", "--json"];
            let child = self.home.spawn(if serves { &serve } else { &crawl });
            let life = self.dice.pick(&LIVES);
            let life = if kills == at_most { Duration::from_secs(120) } else { self.dice.duration(life) };
            let ended = live(child, life).await;
            if let Some((status, output)) = &ended {
                assert!(!serves && status.success(), "{status}: {output}");
            }
            let crawl = self.last_crawl().filter(|crawl| Some(crawl.id) != last);
            if ended.is_none() {
                kills += 1;
                let phase = match &crawl {
                    None => "before the crawl".to_owned(),
                    Some(crawl) if crawl.state.is_open() => format!("{scope}: {}", crawl.phase),
                    Some(_) => "after the crawl".to_owned(),
                };
                *self.died.entry(phase).or_default() += 1;
            }
            let Some(crawl) = crawl.filter(|crawl| !crawl.state.is_open()) else { continue };
            let (repeated, requests) = self.count_requests();
            // What a killed process did not deliver, the next one delivers.
            self.home.expect(0, &["rerender"]).await;
            let (fetched, fetched_again) = self.count_fetches();
            return Round { kills, crawl, repeated, requests, fetched, fetched_again };
        }
    }

    fn last_crawl(&self) -> Option<Crawl> {
        if !self.home.data_dir().join("store.sqlite").is_file() {
            return None;
        }
        self.app().store.load_crawls(1).unwrap().pop()
    }

    /// Answered requests for what was answered before, and all.
    fn count_requests(&self) -> (usize, usize) {
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        let log = self.notion.request_log();
        // Each process asks once who it is.
        let reads = log.iter().filter(|entry| entry.method == "GET" && !entry.path.contains("/users/me"));
        for entry in reads.filter(|entry| entry.status == 200) {
            *asked.entry(entry.path.clone()).or_default() += 1;
        }
        (asked.values().map(|times| times - 1).sum(), log.len())
    }

    /// Work in Notion between two crawls: for an incremental one only what such a crawl follows.
    fn change(&mut self, scope: Scope, round: usize) {
        for change in 0..6 {
            let marker = format!("zq{round}x{change}");
            if scope != Scope::Incremental {
                change_at_random(&self.notion, &mut self.dice, &mut self.gone, &marker);
                continue;
            }
            let truth = truth_of(&self.notion);
            let pages: Vec<Uuid> =
                truth.values().filter(|fact| fact.has_body()).map(|fact| fact.id).collect();
            let page_id = self.dice.pick(&pages);
            let (notion, files) = (&self.notion, BTreeMap::new());
            match self.dice.below(4) {
                0 => drop(notion.edit(page_id, edited(&marker), &files).unwrap()),
                1 => {
                    drop(notion.edit(page_id, renamed(&format!("Renamed {marker}")), &files).unwrap());
                }
                2 if subtree(&truth, page_id).len() < 6 => notion.trash(page_id).unwrap(),
                _ => {
                    // Its title stands in the text of its holder too: the marker must not.
                    let new = page("A new page", &marker, Vec::new());
                    drop(notion.seed(Some(page_id), &[new], &files).unwrap());
                }
            }
        }
        for change in 0..3 {
            self.change_file(&format!("zf{round}x{change}"));
        }
        // Then nothing is read within its stamp's minute, and nothing is to be read once more.
        self.notion.advance(MINUTES);
    }
}

/// What is in a file.
fn noted(marker: &str) -> Vec<u8> {
    format!("What was agreed upon: {marker}.\n").into_bytes()
}

async fn home(server: &Server, host: &str) -> Home {
    let mut home = Home::new();
    home.set("NOTION_CONNECTOR__FILES__TEST_HOSTS", &format!("[\"{host}\"]"));
    home.set("NOTION_CONNECTOR__FILES__CONCURRENCY", &CONCURRENCY.to_string());
    home.set("NOTION_CONNECTOR__NOTION__CONCURRENCY", &CONCURRENCY.to_string());
    home.set("NOTION_CONNECTOR__INDEX__COMMIT_SECONDS", "1");
    home.connect(&server.url).await;
    home
}

/// How a process ended within that time, and what it said; none if it had to be killed.
async fn live(mut child: Child, life: Duration) -> Option<(ExitStatus, String)> {
    let Ok(ended) = tokio::time::timeout(life, child.wait()).await else {
        child.kill().await.unwrap();
        return None;
    };
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).await.unwrap();
    child.stderr.take().unwrap().read_to_string(&mut output).await.unwrap();
    Some((ended.unwrap(), output))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crawls_killed_at_random_instants_lose_nothing_and_do_nothing_twice() {
    let (times, seed) = (number("KILL_TIMES", 12), number("KILL_SEED", 1));
    let mut victim = Victim::new(seed).await;
    let (mut kills, mut round) = (0, 0);
    let mut before: BTreeMap<Uuid, Fact> = BTreeMap::new();
    while kills < times {
        let (scope, at_most) = ROUNDS[round % ROUNDS.len()];
        let truth = truth_of(&victim.notion);
        let files = files_of(&victim.notion);
        let done = victim.round(scope, at_most.min(times - kills)).await;
        kills += done.kills;
        let counters = done.crawl.counters;
        println!(
            "round {round}: {scope}, killed {} times, resumed {} times, {} items, {} added, {} updated, {} deleted; \
             {} requests, {} of them asked again; {} files, {} of them fetched, {} fetched again",
            done.kills,
            done.crawl.resumed,
            counters.discovered(),
            counters.added,
            counters.updated,
            counters.deleted,
            done.requests,
            done.repeated,
            files.len(),
            done.fetched.len(),
            done.fetched_again
        );
        assert_eq!(done.crawl.state, CrawlState::Completed, "seed {seed}, round {round}");
        assert_holds_with_files(&victim.app(), &truth, &files);
        if scope != Scope::ForceReindex {
            let known: Vec<&Uuid> = done.fetched.iter().filter(|file| before.contains_key(*file)).collect();
            assert!(known.is_empty(), "read before, and fetched again: {known:?}");
        }
        assert!(
            done.fetched_again <= done.kills * CONCURRENCY,
            "more than what was under way was fetched again"
        );
        let truth: BTreeMap<Uuid, Fact> = truth.into_iter().chain(files).collect();
        let count = |from: &BTreeMap<_, _>, without: &BTreeMap<Uuid, _>| {
            from.keys().filter(|id| !without.contains_key(*id)).count() as u64
        };
        assert_eq!(counters.added, count(&truth, &before), "counted twice, or not at all");
        assert_eq!(counters.deleted, count(&before, &truth), "counted twice, or not at all");
        if scope.lists_all() {
            assert_eq!(counters.discovered(), truth.len() as u64);
        }
        let bound = done.kills * CONCURRENCY + SHARED_READS;
        assert!(done.repeated <= bound, "more than what was under way was asked again");
        before = truth;
        round += 1;
        victim.change(ROUNDS[round % ROUNDS.len()].0, round);
    }
    println!("{kills} kills in {round} rounds, seed {seed}: {:?}", victim.died);
    // And as if nobody had ever disturbed it. Read again, because pages name others as those were called when they were read.
    victim.home.expect(0, &["crawl", "--scope", "force-reindex"]).await;
    let undisturbed = home(&victim.server, &victim.host).await;
    undisturbed.expect(0, &["crawl"]).await;
    let export = |home: &Home| lines(home.data_dir().as_path());
    assert_eq!(export(&victim.home), export(&undisturbed));
}

/// Everything that a data directory holds, without what depends on when it was read.
fn lines(data_dir: &Path) -> Vec<String> {
    let app = App::open(Config::default(), DataDir::existing(data_dir).unwrap()).unwrap();
    let lines = crate::support::export_of(&app);
    lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_and_restores_killed_at_random_instants_are_whole_or_not_there() {
    let (times, seed) = (number("KILL_TIMES", 12).div_ceil(4), number("KILL_SEED", 1));
    let mut victim = Victim::new(seed).await;
    victim.home.expect(0, &["crawl"]).await;
    let whole = lines(&victim.home.data_dir());
    let (mut killed, longest) = (0, Duration::from_millis(60));
    for attempt in 0..times {
        let file = victim.home.path().join(format!("{attempt}.backup"));
        let path = file.to_str().unwrap();
        let life = victim.dice.duration(longest);
        if live(victim.home.spawn(&["backup", path]), life).await.is_none() {
            killed += 1;
            if !file.exists() {
                victim.home.expect(0, &["backup", path]).await;
            }
        }
        let mut other = Home::new();
        other.environment.clone_from(&victim.home.environment);
        if attempt % 2 == 0 {
            // As one left it that was killed while it copied.
            std::fs::create_dir(other.data_dir()).unwrap();
            std::fs::write(other.data_dir().join("store.sqlite.partial"), "half of a copy").unwrap();
        }
        let life = victim.dice.duration(longest);
        if live(other.spawn(&["restore", path]), life).await.is_none() {
            killed += 1;
            if !other.data_dir().join("store.sqlite").exists() {
                other.expect(0, &["restore", path]).await;
            }
        }
        assert_eq!(lines(&other.data_dir()), whole, "seed {seed}, attempt {attempt}");
    }
    println!("{killed} of {times} backups and {times} restores were killed, seed {seed}");
}
