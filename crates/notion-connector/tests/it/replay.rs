//! One seed, one story: a whole crawl on a paused clock, with limits and faults, happens at the same instants again.

use std::sync::{Arc, Mutex};

use notion_connector::store::Store;
use notion_emulator::faults::{Failure, Fault};
use notion_emulator::{Behavior, Options};
use rusqlite::Connection;
use tokio::time::Instant;

use crate::support::{Line, generated};

/// Writes down every transition of a task and every row of the outbox, in the order in which they happen.
const TRIGGERS: &str = "
    CREATE TABLE trace (number INTEGER PRIMARY KEY, what TEXT NOT NULL);
    CREATE TRIGGER task_made AFTER INSERT ON tasks BEGIN
      INSERT INTO trace (what) VALUES ('task made ' || new.id || ' ' || new.kind || ' ' || coalesce(hex(new.target), '-'));
    END;
    CREATE TRIGGER task_moved AFTER UPDATE ON tasks BEGIN
      INSERT INTO trace (what) VALUES ('task moved ' || new.id || ' ' || new.state || ' ' || coalesce(new.cursor, '-') || ' '
        || new.attempts || ' ' || new.not_before);
    END;
    CREATE TRIGGER task_done AFTER DELETE ON tasks BEGIN
      INSERT INTO trace (what) VALUES ('task done ' || old.id);
    END;
    CREATE TRIGGER outbox_grows AFTER INSERT ON outbox BEGIN
      INSERT INTO trace (what) VALUES ('outbox ' || new.sequence || ' ' || new.key);
    END;
    CREATE TRIGGER outbox_shrinks AFTER DELETE ON outbox BEGIN
      INSERT INTO trace (what) VALUES ('delivered ' || old.sequence);
    END;";

/// Takes the trace out of the database whenever everything waits, which is just before the paused clock moves: so each
/// row gets the instant at which it was written.
struct Tracer {
    connection: Connection,
    origin: Instant,
    last: i64,
    lines: Vec<String>,
}

impl Tracer {
    fn attach(line: &Line) -> Self {
        drop(Store::open(&line.data_dir()).unwrap());
        let connection = Connection::open(line.data_dir().join("store.sqlite")).unwrap();
        connection.execute_batch(TRIGGERS).unwrap();
        Self { connection, origin: Instant::now(), last: 0, lines: Vec::new() }
    }

    fn drain(&mut self) {
        let now = self.origin.elapsed();
        let mut select =
            self.connection.prepare_cached("SELECT number, what FROM trace WHERE number > ?1").unwrap();
        let rows = select.query_map([self.last], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        for row in rows {
            let (number, what): (i64, String) = row.unwrap();
            self.last = number;
            self.lines.push(format!("{now:?} {what}"));
        }
    }
}

/// Crawls twice, with changes between, and returns all that happened.
fn tell(faults_skip: u32) -> Vec<String> {
    let tracer: Arc<Mutex<Option<Tracer>>> = Arc::default();
    let parked = Arc::clone(&tracer);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .on_thread_park(move || {
            if let Some(tracer) = parked.lock().unwrap().as_mut() {
                tracer.drain();
            }
        })
        .build()
        .unwrap();
    runtime.block_on(async {
        let behavior = Behavior { latency_ms: 35, ..Behavior::default() };
        let window = Some("90/5".parse().unwrap());
        let line = Line::in_process(
            generated("pages=200,seed=91"),
            Options { window, behavior, ..Options::default() },
        )
        .await;
        for failure in
            [Failure::BadGateway, Failure::InternalServerError, Failure::Drop, Failure::ServiceUnavailable]
        {
            let fault = Fault {
                failure,
                count: 3,
                skip: faults_skip,
                method: None,
                path_prefix: Some("/v1/pages".to_owned()),
            };
            line.notion.push_fault(fault);
        }
        let attached = Tracer::attach(&line);
        let origin = attached.origin;
        *tracer.lock().unwrap() = Some(attached);
        line.witness.take();
        line.crawl().await;
        line.notion.advance(std::time::Duration::from_secs(3600));
        let some = *line.truth().keys().nth(9).unwrap();
        line.notion.trash(some).unwrap();
        line.crawl().await;
        let mut lines = tracer
            .lock()
            .unwrap()
            .take()
            .map(|mut tracer| {
                tracer.drain();
                tracer.lines
            })
            .unwrap();
        let requests = line.witness.take().into_iter();
        lines.extend(requests.map(|exchange| {
            format!("{:?} {} {} {:?}", exchange.at - origin, exchange.method, exchange.path, exchange.status)
        }));
        lines
    })
}

#[test]
fn a_crawl_replays_identically_from_its_seed() {
    let (once, again) = (tell(20), tell(20));
    let differs = once.iter().zip(&again).position(|(one, other)| one != other);
    if let Some(at) = differs {
        panic!("they part at {at}:\n{}\n{}", once[at], again[at]);
    }
    assert_eq!(once.len(), again.len());
    assert!(
        once.iter().any(|line| line.contains("outbox")) && once.iter().any(|line| line.contains("delivered"))
    );
    assert_ne!(once, tell(25), "the trace shows what differs");
}
