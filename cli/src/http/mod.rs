//! One HTTP/1.1 connection to one endpoint, as lean as hyper allows: the client shares the machine with the server
//! that it measures.

mod body;
mod connection;
mod endpoint;

pub use body::RequestBody;
pub use connection::{Connection, ConnectionError};
pub use endpoint::{Endpoint, EndpointError};
