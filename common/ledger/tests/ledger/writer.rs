//! The writer's promises: durable before done, in order, one answer for each append, and heartbeats that are true.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ccpor_ledger::{
    AppendError, Appended, Body, Hlc, MAX_BODY_BYTES, StartError, Writer, WriterOptions, verify_directory,
};

use crate::court::{Court, all, at, body, clock};

/// Within `done`, an independent reader of the files finds the record and all before it.
#[test]
fn done_comes_after_the_record_is_in_the_file() {
    let court = Arc::new(Court::with_segments(4 << 10));
    let ledger = court.open();
    let writer = court.writer(&ledger);
    let answered = Arc::new(AtomicU64::new(0));
    for number in 0..60 {
        let (court, ledger, answered) = (Arc::clone(&court), Arc::clone(&ledger), Arc::clone(&answered));
        writer.append(
            body(number),
            Box::new(move |result| {
                let appended = result.unwrap();
                let position = appended.head.position;
                assert_eq!(ledger.hash_at(position).unwrap(), Some(appended.head.hash));
                let report = verify_directory(court.root.path(), &court.verify_options()).unwrap();
                assert!(report.origins[0].head.unwrap().position >= position);
                // In the order of the ledger; number 1 is the epoch's start.
                assert_eq!(answered.fetch_add(1, Ordering::SeqCst) + 2, position.seq);
            }),
        );
    }
    writer.close();
    assert_eq!(
        answered.load(Ordering::SeqCst),
        60,
        "an assertion within done failed, or done was not called"
    );
}

#[test]
fn many_writers_each_get_their_own_place() {
    let court = Court::with_segments(64 << 10);
    let ledger = court.open();
    let writer = court.writer(&ledger);
    let places = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in 0..16 {
            let (writer, places) = (&writer, &places);
            scope.spawn(move || {
                for number in 0..50 {
                    let body = format!("{thread} {number}").into_bytes();
                    let appended = writer.append_wait(body.clone()).unwrap();
                    places.lock().unwrap().push((appended.head.position, body));
                }
            });
        }
    });
    writer.close();
    let mut places = places.into_inner().unwrap();
    places.sort();
    let records = all(&ledger);
    assert_eq!(places.len(), 800);
    for (signed, (position, body)) in records[1..].iter().zip(&places) {
        let record = signed.decode().unwrap();
        assert_eq!(
            (record.position(), &record.body),
            (*position, &Body::Event(body.clone()))
        );
    }
    verify_directory(court.root.path(), &court.verify_options()).unwrap();
}

/// Waits for a record as somebody does who asks for the next one after it.
fn write(writer: &Writer, asker: u64, body: Vec<u8>) -> Result<Appended, AppendError> {
    let (tell, told) = sync_channel(1);
    writer.append_for(asker, body, Box::new(move |result| tell.send(result).unwrap()));
    told.recv().unwrap()
}

#[test]
fn who_asks_alone_is_answered_on_its_own_thread_and_before_it_goes_on() {
    let court = Court::with_segments(64 << 10);
    let ledger = court.open();
    let writer = court.writer(&ledger);
    let here = thread::current().id();
    let append = |body| {
        let (tell, told) = sync_channel(1);
        let done = move |result| tell.send((result, thread::current().id())).unwrap();
        writer.append_for(1, body, Box::new(done));
        told.try_recv().unwrap()
    };
    for number in 0..5 {
        let (appended, on) = append(body(number));
        assert_eq!((ledger.head(), on), (Some(appended.unwrap().head), here));
    }
    let (refused, _) = append(vec![0; MAX_BODY_BYTES + 1]);
    assert!(matches!(refused, Err(AppendError::TooLong { .. })));
    writer.close();
    assert_eq!(append(body(9)).0, Err(AppendError::Closed));
}

/// Of many who came lately only a few come again: nobody completes a batch, and all of it is written all the same.
#[test]
fn what_nobody_completes_is_written_by_the_thread() {
    let court = Court::with_segments(64 << 10);
    let ledger = court.open();
    let writer = court.writer(&ledger);
    let (tell, told) = sync_channel(100);
    for round in 0..20 {
        for asker in 0..5 {
            let tell = tell.clone();
            let done = move |result: Result<Appended, _>| tell.send(result.is_ok()).unwrap();
            writer.append_for(asker, body(round), Box::new(done));
        }
        for _ in 0..5 {
            assert!(told.recv_timeout(Duration::from_secs(10)).unwrap());
        }
    }
    assert_eq!(ledger.records(), 101);
}

#[test]
fn what_is_written_by_several_threads_makes_one_chain() {
    let court = Court::with_segments(64 << 10);
    let ledger = court.open();
    let writer = court.writer(&ledger);
    let places = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for asker in 0..6_u64 {
            let (writer, places) = (&writer, &places);
            scope.spawn(move || {
                for number in 0..100 {
                    // Two of them are one asker for a while, and one of them is alone at the end.
                    let body = format!("{asker} {number}").into_bytes();
                    let appended = write(writer, asker / 2, body.clone()).unwrap();
                    places.lock().unwrap().push((appended.head.position, body));
                    if asker > 0 && number == 30 {
                        return;
                    }
                }
            });
        }
    });
    writer.close();
    let mut places = places.into_inner().unwrap();
    places.sort();
    let records = all(&ledger);
    assert_eq!(records.len(), places.len() + 1);
    for (signed, (position, body)) in records.iter().skip(1).zip(&places) {
        let record = signed.decode().unwrap();
        assert_eq!(record.position(), *position);
        assert_eq!(record.body, Body::Event(body.clone()));
    }
    let report = verify_directory(court.root.path(), &court.verify_options()).unwrap();
    assert_eq!(report.origins[0].head, ledger.head());
}

/// The mark is the work of the writer's thread, which sleeps while somebody else writes.
#[test]
fn what_is_written_at_once_is_marked_durable_when_it_is_quiet() {
    let court = Court::with_segments(64 << 10);
    let ledger = court.open();
    let writer = court.writer(&ledger);
    for number in 0..3 {
        let appended = write(&writer, 1, body(number)).unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        let marked = || {
            let mark = fs::read(court.dir().join("durable")).unwrap_or_default();
            mark.windows(32).any(|bytes| bytes == appended.head.hash.0)
        };
        while !marked() {
            assert!(Instant::now() < until, "record {number} is not marked durable");
            thread::yield_now();
        }
    }
}

#[test]
fn every_append_is_answered_exactly_once() {
    let court = Court::new();
    let ledger = court.open();
    let writer = Arc::new(court.writer_with(
        &ledger,
        WriterOptions {
            queue: 2,
            ..WriterOptions::default()
        },
    ));
    let answers = Arc::new(AtomicU64::new(0));
    let barrier = Barrier::new(5);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                barrier.wait();
                for number in 0..100 {
                    let answers = Arc::clone(&answers);
                    writer.append(
                        body(number),
                        Box::new(move |_| {
                            answers.fetch_add(1, Ordering::SeqCst);
                        }),
                    );
                }
            });
        }
        barrier.wait();
        thread::sleep(Duration::from_millis(3));
        writer.close();
    });
    assert_eq!(writer.append_wait(body(1)), Err(AppendError::Closed));
    assert!(writer.heartbeat_wait().is_err());
    drop(writer);
    assert_eq!(answers.load(Ordering::SeqCst), 400);
}

#[test]
fn a_bad_body_or_callback_harms_nobody_else() {
    let court = Court::new();
    let ledger = court.open();
    let writer = court.writer(&ledger);
    writer.append(body(1), Box::new(|_| panic!("a caller's mistake")));
    let long = vec![0; MAX_BODY_BYTES + 1];
    assert_eq!(
        writer.append_wait(long),
        Err(AppendError::TooLong {
            bytes: MAX_BODY_BYTES + 1
        })
    );
    let longest = writer.append_wait(vec![1; MAX_BODY_BYTES]).unwrap();
    assert_eq!(longest.head.position, at(1, 3));
    assert_eq!(ledger.read(at(1, 3)).unwrap().hash(), longest.head.hash);
    assert_eq!(writer.append_wait(Vec::new()).unwrap().head.position, at(1, 4));
}

#[test]
fn appends_from_within_done_do_not_hang() {
    let court = Court::new();
    let ledger = court.open();
    let writer = Arc::new(court.writer_with(
        &ledger,
        WriterOptions {
            queue: 1,
            ..WriterOptions::default()
        },
    ));
    let busy = Arc::new(AtomicBool::new(false));
    let (inner, seen) = (Arc::clone(&writer), Arc::clone(&busy));
    writer.append(
        body(1),
        Box::new(move |_| {
            for number in 0..3 {
                let seen = Arc::clone(&seen);
                let note = move |result| {
                    seen.fetch_or(result == Err(AppendError::Busy), Ordering::SeqCst);
                };
                inner.append(body(number), Box::new(note));
            }
        }),
    );
    writer.append_wait(body(2)).unwrap();
    writer.close();
    assert!(busy.load(Ordering::SeqCst));
}

/// Its ledger is free afterwards, whichever thread that was.
#[test]
fn a_writer_that_is_dropped_or_closed_within_done_ends() {
    let court = Court::new();
    for on_its_own_thread in [true, false] {
        let writer = Arc::new(court.writer(&court.open()));
        let (last, (tell, told)) = (Arc::clone(&writer), sync_channel(1));
        let (drops, dropped) = sync_channel::<()>(0);
        let done = move |result: Result<Appended, _>| {
            let _ = dropped.recv();
            if !on_its_own_thread {
                last.close();
            }
            drop(last);
            tell.send(result.is_ok()).unwrap();
        };
        if on_its_own_thread {
            writer.append(body(1), Box::new(done));
        } else {
            let asker = Arc::clone(&writer);
            thread::spawn(move || asker.append_for(1, body(1), Box::new(done)));
        }
        drop((writer, drops));
        assert!(told.recv_timeout(Duration::from_secs(10)).unwrap());
        let until = Instant::now() + Duration::from_secs(10);
        while court.try_open().is_err() {
            assert!(Instant::now() < until, "the ledger is still in use");
            thread::yield_now();
        }
    }
}

#[test]
fn heartbeats_close_what_is_past() {
    let court = Court::new();
    let ledger = court.open();
    let writer = court.writer(&ledger);
    let mut closed = Hlc::ZERO;
    thread::scope(|scope| {
        let appends = scope.spawn(|| {
            for number in 0..200 {
                if number % 2 == 0 {
                    writer.append_wait(body(number)).unwrap();
                } else {
                    write(&writer, 1, body(number)).unwrap();
                }
            }
        });
        let mut heartbeats = Vec::new();
        while !appends.is_finished() {
            let signed = writer.heartbeat_wait().unwrap();
            let heartbeat = signed.verify(&ledger.epoch_key(1).unwrap()).unwrap();
            assert!(heartbeat.closed > closed);
            closed = heartbeat.closed;
            heartbeats.push(heartbeat);
        }
        let records: Vec<_> = all(&ledger)
            .iter()
            .map(|signed| signed.decode().unwrap())
            .collect();
        for heartbeat in heartbeats {
            let head = heartbeat.head.unwrap().position;
            assert!(
                records
                    .iter()
                    .all(|record| (record.hlc <= heartbeat.closed) == (record.position() <= head))
            );
        }
    });
}

#[test]
fn the_clock_goes_on_from_the_ledger() {
    let court = Court::new();
    let ledger = court.open();
    let future = clock();
    future.observe(Hlc::from_millis(9_000_000_000_000));
    let writer = Writer::start(Arc::clone(&ledger), court.key(), vec![], future).unwrap();
    let last = writer.append_wait(body(1)).unwrap();
    drop((writer, ledger));
    let ledger = court.open();
    let next = court.writer(&ledger).append_wait(body(2)).unwrap();
    assert!(next.hlc > last.hlc);
}

#[test]
fn a_key_that_is_not_admitted_begins_nothing() {
    let court = Court::new();
    let ledger = court.open();
    let stranger = ccpor_ledger::SigningKey::generate().unwrap();
    let result = Writer::start(Arc::clone(&ledger), stranger, vec![], clock());
    assert!(matches!(result, Err(StartError::Epoch(_))));
    assert_eq!(ledger.head(), None);
}
