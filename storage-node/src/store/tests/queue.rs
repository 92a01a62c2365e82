//! The queue between the callers and a disk's threads.

use crate::store::queue::{PushError, Queue};

#[test]
fn it_is_bounded_and_hands_out_what_waits_after_closing() {
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
