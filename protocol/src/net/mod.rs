//! The network as a parameter: code that opens or accepts connections is given a [`Connect`] or a [`Listen`].
//!
//! Only `server` has the real one. A test can hand every role of a cluster the same network in memory, so that the
//! whole cluster runs in one thread.

mod connect;
mod listen;
mod stream;
pub mod testing;

pub use connect::Connect;
pub use listen::{Listen, Listener};
pub use stream::{BoxedStream, Stream};
