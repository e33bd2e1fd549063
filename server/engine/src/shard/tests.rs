//! A node of one, two and four cores answers as one server: order, atomicity, isolation, and
//! effects that tell the whole truth.

mod blocking;
mod cut;
mod dump;
mod eviction;
mod flood;
mod growth;
mod isolation;
mod loading;
mod order;
mod pubsub;
mod replay;
mod routing;
mod saves;
mod slow_readers;
mod transactions;
mod watching;
