//! Networks for tests: real sockets on the loopback interface, and one that lives in memory.

mod loopback;
mod memory;

pub use loopback::LoopbackNetwork;
pub use memory::MemoryNetwork;
