//! The queue between the callers and a disk's threads.

use std::time::Duration;

use crate::store::queue::{PushError, Queue};

#[test]
fn a_queue_is_bounded_and_hands_out_what_waits_after_closing() {
    let queue = Queue::new(2);
    assert_eq!((queue.push(1), queue.push(2), queue.push(3)), (Ok(()), Ok(()), Err(PushError::Full)));
    queue.close();
    assert_eq!(queue.push(4), Err(PushError::Closed));
    let mut items = Vec::new();
    assert!(queue.drain(10, &mut items));
    assert_eq!(items, [1, 2]);
    assert!(!queue.drain(10, &mut items));
    assert_eq!(queue.pop(), None);
}

#[test]
fn workers_are_bounded_and_those_that_block_do_not_count() {
    let queue = Queue::with_workers(10, 1);
    (1..=3).for_each(|item| queue.push(item).unwrap());
    let (mut first, mut second) = (queue.worker(), queue.worker());
    assert_eq!(first.next(), Some(1));
    first.will_block();
    assert_eq!(second.next(), Some(2));
    std::thread::scope(|scope| {
        // It has to wait for the second, which is working.
        let third = scope.spawn(|| first.next());
        std::thread::sleep(Duration::from_millis(20));
        assert!(!third.is_finished());
        second.will_block();
        assert_eq!(third.join().unwrap(), Some(3));
    });
    queue.close();
    assert_eq!((first.next(), second.next()), (None, None));
}
