//! GEOSEARCH and what came before it: the elements inside a circle or a box, answered or stored.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::grid::Place;
use super::place::{self, distance_text, write_coordinate};
use super::shape::{Form, Shape};
use crate::base::number::{parse_f64, parse_i64};
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Collection, Edge, SortedSet, SortedSetEdit, SortedSetView};

const NO_SUCH_MEMBER: CommandError =
    CommandError::Said("ERR could not decode requested zset member");
const NO_RADIUS: CommandError = CommandError::Said("ERR need numeric radius");
const NO_WIDTH: CommandError = CommandError::Said("ERR need numeric width");
const NO_HEIGHT: CommandError = CommandError::Said("ERR need numeric height");
const NEGATIVE_RADIUS: CommandError = CommandError::Said("ERR radius cannot be negative");
const NEGATIVE_BOX: CommandError = CommandError::Said("ERR height or width cannot be negative");
const NO_COUNT: CommandError = CommandError::Said("ERR COUNT must be > 0");
const ANY_WITHOUT_COUNT: CommandError =
    CommandError::Said("ERR the ANY argument requires COUNT argument");

/// Which command is asking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grammar {
    /// GEORADIUS: coordinates and a radius in fixed places.
    Coordinates,
    /// GEORADIUSBYMEMBER: a member and a radius.
    Member,
    /// GEOSEARCH: everything is an option.
    Options,
}

#[derive(Clone, Copy)]
struct Command {
    grammar: Grammar,
    /// GEOSEARCHSTORE, whose first key is the destination.
    stores: bool,
    /// Whether STORE and STOREDIST are options.
    may_store: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Unsorted,
    Ascending,
    Descending,
}

/// A request read to its end.
struct Query<'a> {
    center: Option<Place>,
    form: Option<(Form, f64)>,
    with_distance: bool,
    with_hash: bool,
    with_place: bool,
    order: Order,
    /// Elements at most; 0 is all of them.
    count: usize,
    any: bool,
    destination: Option<&'a [u8]>,
    store_distance: bool,
    /// FROMMEMBER or FROMLONLAT was given, whether or not it led to a place.
    from: Option<&'static str>,
}

/// An element inside the shape.
struct Found<'s> {
    member: &'s [u8],
    score: f64,
    place: Place,
    distance_m: f64,
}

impl<'a> Query<'a> {
    fn read(
        command: Command,
        args: Args<'a>,
        set: Option<SortedSetView<'_>>,
    ) -> Result<Query<'a>, CommandError> {
        let mut query = Query {
            center: None,
            form: None,
            with_distance: false,
            with_hash: false,
            with_place: false,
            order: Order::Unsorted,
            count: 0,
            any: false,
            destination: command.stores.then(|| args.get(1)),
            store_distance: false,
            from: None,
        };
        let options = match command.grammar {
            Grammar::Coordinates => {
                query.center = Some(place::read(args.get(2), args.get(3))?);
                query.form = Some(circle(args.get(4), args.get(5))?);
                6
            }
            Grammar::Member => {
                // Without a set Redis only looks at the options, for the form of the answer.
                if let Some(set) = set {
                    query.center = Some(place_of(set, args.get(2))?);
                    query.form = Some(circle(args.get(3), args.get(4))?);
                }
                5
            }
            Grammar::Options => 2 + usize::from(command.stores),
        };
        query.read_options(command, args.tail(options), set)?;
        query.check(command, args)?;
        Ok(query)
    }

    fn sort(&mut self, order: Order) -> usize {
        self.order = order;
        1
    }

    fn store(&mut self, key: &'a [u8], distance: bool) -> usize {
        (self.destination, self.store_distance) = (Some(key), distance);
        2
    }

    fn read_options(
        &mut self,
        command: Command,
        words: Args<'a>,
        set: Option<SortedSetView<'_>>,
    ) -> Result<(), CommandError> {
        let searches = command.grammar == Grammar::Options;
        let mut at = 0;
        while let Some(word) = words.try_get(at) {
            let left = words.len() - at - 1;
            let next = |offset: usize| words.get(at + offset);
            at += match word.to_ascii_lowercase().as_slice() {
                b"withdist" => flag(&mut self.with_distance),
                b"withhash" => flag(&mut self.with_hash),
                b"withcoord" => flag(&mut self.with_place),
                b"any" => flag(&mut self.any),
                b"asc" => self.sort(Order::Ascending),
                b"desc" => self.sort(Order::Descending),
                b"count" if left >= 1 => {
                    let count = parse_i64(next(1)).ok_or(CommandError::NotAnInteger)?;
                    let count = usize::try_from(count).ok().filter(|&count| count > 0);
                    self.count = count.ok_or(NO_COUNT)?;
                    2
                }
                b"store" if left >= 1 && command.may_store => self.store(next(1), false),
                b"storedist" if left >= 1 && command.may_store => self.store(next(1), true),
                b"storedist" if command.stores => flag(&mut self.store_distance),
                b"frommember" if searches && left >= 1 && self.from != Some("lonlat") => {
                    if let Some(set) = set {
                        self.center = Some(place_of(set, next(1))?);
                    }
                    self.from = Some("member");
                    2
                }
                b"fromlonlat" if searches && left >= 2 && self.from != Some("member") => {
                    self.center = Some(place::read(next(1), next(2))?);
                    self.from = Some("lonlat");
                    3
                }
                b"byradius"
                    if searches
                        && left >= 2
                        && !matches!(self.form, Some((Form::Box { .. }, _))) =>
                {
                    self.form = Some(circle(next(1), next(2))?);
                    3
                }
                b"bybox"
                    if searches
                        && left >= 3
                        && !matches!(self.form, Some((Form::Circle { .. }, _))) =>
                {
                    self.form = Some(rectangle(next(1), next(2), next(3))?);
                    4
                }
                _ => return Err(CommandError::Syntax),
            };
        }
        Ok(())
    }

    /// Refuses what does not go together.
    fn check(&self, command: Command, args: Args<'_>) -> Result<(), CommandError> {
        if self.destination.is_some() && (self.with_distance || self.with_hash || self.with_place) {
            let who = if command.stores { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            let line = format!(
                "ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            );
            return Err(CommandError::SaidOf(line));
        }
        let name = || String::from_utf8_lossy(args.name());
        if command.grammar == Grammar::Options && self.from.is_none() {
            let which = "FROMMEMBER or FROMLONLAT";
            let line = format!("ERR exactly one of {which} can be specified for {}", name());
            return Err(CommandError::SaidOf(line));
        }
        if command.grammar == Grammar::Options && self.form.is_none() {
            let which = "BYRADIUS and BYBOX";
            let line = format!("ERR exactly one of {which} can be specified for {}", name());
            return Err(CommandError::SaidOf(line));
        }
        if self.any && self.count == 0 { Err(ANY_WITHOUT_COUNT) } else { Ok(()) }
    }

    /// The elements in the order of the answer, and how many metres the unit has.
    fn run<'s>(&self, set: SortedSetView<'s>) -> (Vec<Found<'s>>, f64) {
        let (Some(center), Some((form, unit_m))) = (self.center, self.form) else {
            return (Vec::new(), 1.0);
        };
        let shape = Shape { center, form, unit_m };
        let most = if self.any { self.count } else { usize::MAX };
        let mut found = collect(set, &shape, most);
        // The nearest ones are meant when only so many are asked for.
        let order = match self.order {
            Order::Unsorted if self.count > 0 && !self.any => Order::Ascending,
            order => order,
        };
        match order {
            Order::Unsorted => {}
            Order::Ascending => found.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m)),
            Order::Descending => found.sort_by(|a, b| b.distance_m.total_cmp(&a.distance_m)),
        }
        if self.count > 0 {
            found.truncate(self.count);
        }
        (found, unit_m)
    }

    fn answer(&self, found: &[Found<'_>], unit_m: f64, reply: &mut Reply<'_>) {
        let extras = [self.with_distance, self.with_hash, self.with_place];
        let extras = extras.into_iter().filter(|&with| with).count();
        reply.array(found.len());
        for element in found {
            if extras > 0 {
                reply.array(1 + extras);
            }
            reply.bulk(element.member);
            if self.with_distance {
                reply.text(&distance_text(element.distance_m / unit_m));
            }
            if self.with_hash {
                reply.integer(element.score as i64);
            }
            if self.with_place {
                reply.array(2);
                write_coordinate(element.place.longitude, reply);
                write_coordinate(element.place.latitude, reply);
            }
        }
    }
}

/// Sets a flag; it is one word long.
fn flag(flag: &mut bool) -> usize {
    *flag = true;
    1
}

fn place_of(set: SortedSetView<'_>, member: &[u8]) -> Result<Place, CommandError> {
    set.score(member).map(Place::of_score).ok_or(NO_SUCH_MEMBER)
}

fn circle(radius: &[u8], unit: &[u8]) -> Result<(Form, f64), CommandError> {
    let radius = parse_f64(radius).ok_or(NO_RADIUS)?;
    if radius < 0.0 {
        return Err(NEGATIVE_RADIUS);
    }
    Ok((Form::Circle { radius }, place::unit_m(unit)?))
}

fn rectangle(width: &[u8], height: &[u8], unit: &[u8]) -> Result<(Form, f64), CommandError> {
    let width = parse_f64(width).ok_or(NO_WIDTH)?;
    let height = parse_f64(height).ok_or(NO_HEIGHT)?;
    if width < 0.0 || height < 0.0 {
        return Err(NEGATIVE_BOX);
    }
    Ok((Form::Box { width, height }, place::unit_m(unit)?))
}

/// The elements inside the shape, cell by cell, `most` at most.
fn collect<'s>(set: SortedSetView<'s>, shape: &Shape, most: usize) -> Vec<Found<'s>> {
    let mut found = Vec::new();
    let mut last = None;
    for (at, cell) in shape.cells().into_iter().enumerate() {
        let Some(cell) = cell else { continue };
        // In a coarse grid neighbours coincide. Redis compares with the last one only, and not
        // with the first cell.
        if last == Some(cell) {
            continue;
        }
        let (from, to) = cell.scores();
        let ranks = set.ranks(Edge::BeforeScore(from), Edge::BeforeScore(to));
        for (member, score) in set.walk(ranks.start, ranks.len()) {
            let place = Place::of_score(score);
            if let Some(distance_m) = shape.distance_m(place) {
                found.push(Found { member, score, place, distance_m });
                if found.len() >= most {
                    return found;
                }
            }
        }
        last = (at > 0).then_some(cell);
    }
    found
}

fn search(command: Command, cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let rules = cx.core.keyspace.rules().clone();
    let source = args.get(1 + usize::from(command.stores));
    let set = cx.read_collection::<SortedSet>(source)?;
    let query = Query::read(command, args, set)?;
    let (found, unit_m) = set.map_or((Vec::new(), 1.0), |set| query.run(set));
    let Some(destination) = query.destination else {
        query.answer(&found, unit_m, reply);
        return Ok(());
    };
    let mut result = SortedSet::default();
    for Found { member, score, distance_m, .. } in found {
        let score = if query.store_distance { distance_m / unit_m } else { score };
        result.apply(SortedSetEdit::Set { member, score }, &rules);
    }
    let event =
        if command.grammar == Grammar::Options { "geosearchstore" } else { "georadiusstore" };
    let stored = cx.store(destination, result, NotifyClasses::SORTED_SET, event)?;
    reply.integer(stored as i64);
    Ok(())
}

pub(super) fn georadius(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let command = Command { grammar: Grammar::Coordinates, stores: false, may_store: true };
    search(command, cx, args, reply)
}

pub(super) fn georadius_ro(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let command = Command { grammar: Grammar::Coordinates, stores: false, may_store: false };
    search(command, cx, args, reply)
}

pub(super) fn georadiusbymember(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let command = Command { grammar: Grammar::Member, stores: false, may_store: true };
    search(command, cx, args, reply)
}

pub(super) fn georadiusbymember_ro(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let command = Command { grammar: Grammar::Member, stores: false, may_store: false };
    search(command, cx, args, reply)
}

pub(super) fn geosearch(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let command = Command { grammar: Grammar::Options, stores: false, may_store: false };
    search(command, cx, args, reply)
}

pub(super) fn geosearchstore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let command = Command { grammar: Grammar::Options, stores: true, may_store: false };
    search(command, cx, args, reply)
}
