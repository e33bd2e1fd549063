//! Searches by request: what the examples of the rows cannot say.

use super::grid::Place;
use crate::base::random::Random;
use crate::shard::testing::TestNode;

/// Members p0, p1, … at random places, in a set of either layout.
fn scattered(node: &mut TestNode, count: usize, random: &mut Random) -> Vec<Place> {
    let mut places = Vec::new();
    for number in 0..count {
        let place = Place {
            longitude: (random.f64() - 0.5) * 360.0,
            latitude: (random.f64() - 0.5) * 170.0,
        };
        let Place { longitude, latitude } = place;
        node.run(&format!("GEOADD g {longitude} {latitude} p{number}"));
        places.push(Place::of_score(place.score()));
    }
    places
}

fn names(answer: &str) -> Vec<String> {
    answer.split("\r\n").filter(|line| line.starts_with('p')).map(str::to_owned).collect()
}

#[test]
fn a_circle_finds_what_a_look_at_every_element_finds() {
    for (seed, count) in [(1, 100), (2, 600)] {
        let mut random = Random::new(seed);
        let mut node = TestNode::new(1);
        let places = scattered(&mut node, count, &mut random);
        for _ in 0..60 {
            let center = Place {
                longitude: (random.f64() - 0.5) * 300.0,
                latitude: (random.f64() - 0.5) * 120.0,
            };
            let radius_m = 10f64.powf(4.0 + 2.3 * random.f64());
            let Place { longitude, latitude } = center;
            let at = format!("FROMLONLAT {longitude} {latitude}");
            let mut found = names(&node.run(&format!("GEOSEARCH g {at} BYRADIUS {radius_m} m")));
            found.sort();
            let inside = places.iter().enumerate();
            let inside = inside.filter(|(_, place)| center.distance_m(**place) <= radius_m);
            let mut expected: Vec<String> = inside.map(|(at, _)| format!("p{at}")).collect();
            expected.sort();
            assert_eq!(found, expected, "seed {seed}: {at} {radius_m}");
        }
    }
}

#[test]
fn count_means_the_nearest_and_any_means_whichever_come_first() {
    let mut random = Random::new(3);
    let mut node = TestNode::new(1);
    scattered(&mut node, 300, &mut random);
    let all = names(&node.run("GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 9000 km ASC"));
    let three = names(&node.run("GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 9000 km COUNT 3"));
    assert_eq!(three, all[..3]);
    let farthest = names(&node.run("GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 9000 km COUNT 3 DESC"));
    assert_eq!(farthest[0], all[all.len() - 1]);
    let any = names(&node.run("GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 9000 km COUNT 3 ANY"));
    assert_eq!(any.len(), 3);
    assert!(any.iter().all(|name| all.contains(name)));
}

#[test]
fn a_search_stores_across_cores() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        node.run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
        for target in ["a", "b", "c", "d"] {
            let search = format!("GEORADIUS g 15 37 100 km STORE {target}");
            assert_eq!(node.run(&search), ":1\r\n");
            assert_eq!(node.run(&format!("ZRANGE {target} 0 -1")), "*1\r\n$7\r\nCatania\r\n");
        }
    }
}

#[test]
fn coordinates_are_doubles_in_resp3_and_distances_are_not() {
    let mut node = TestNode::new(1);
    node.run("GEOADD g 13.361389 38.115556 p");
    let place = ",13.36138933897018433\r\n,38.11555639549629859\r\n";
    assert_eq!(node.run("HELLO 3\nGEOPOS g p x"), format!("*2\r\n*2\r\n{place}_\r\n"));
    let found = node.run("HELLO 3\nGEOSEARCH g FROMMEMBER p BYRADIUS 1 m WITHDIST WITHCOORD");
    assert_eq!(found, format!("*1\r\n*3\r\n$1\r\np\r\n$6\r\n0.0000\r\n*2\r\n{place}"));
}
