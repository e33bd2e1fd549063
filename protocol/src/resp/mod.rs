//! RESP2, RESP3 and inline lines: requests in ([`mod@parse`]), replies out ([`reply`]), and the
//! client's side of both ([`value`]).

mod inline;
pub mod number;
pub mod parse;
pub mod reply;
pub mod value;

pub use parse::{Resume, parse};
pub use reply::Reply;
pub use value::Value;
