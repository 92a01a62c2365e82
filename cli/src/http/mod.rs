//! One HTTP/1.1 connection to one endpoint, kept lean because the client often shares the machine with the server
//! that it measures.

mod body;
mod connection;
mod endpoint;

pub use body::RequestBody;
pub use connection::{Connection, ConnectionError};
pub use endpoint::{Endpoint, EndpointError};
