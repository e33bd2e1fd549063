use crate::base::random::Random;
use crate::shard::testing::TestNode;

/// The bulk strings of an array answer; nil as `(nil)`.
fn strings(answer: &str) -> Vec<String> {
    let mut lines = answer.split("\r\n").skip(1);
    let mut found = Vec::new();
    while let Some(header) = lines.next().filter(|header| !header.is_empty()) {
        let text = if header == "$-1" { "(nil)" } else { lines.next().expect("a bulk string") };
        found.push(text.to_owned());
    }
    found
}

/// Elements with weights at other keys; elements and weights as numbers.
fn furnished(node: &mut TestNode, random: &mut Random) -> Vec<(u32, Option<u32>)> {
    let count = 1 + random.below(12) as u32;
    let mut elements = Vec::new();
    for number in 0..count {
        let weight = (random.below(4) > 0).then(|| random.below(6) as u32);
        node.run(&format!("RPUSH list {number}"));
        node.run(&format!("HSET hash:{number}:x name n{number}"));
        if let Some(weight) = weight {
            node.run(&format!("SET weight:{number} {weight}"));
        }
        elements.push((number, weight));
    }
    elements
}

#[test]
fn patterns_reach_the_keys_of_every_core() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let cores = 1 + random.below(3) as u16;
        let mut node = TestNode::new(cores);
        let mut elements = furnished(&mut node, &mut random);
        elements.sort_by_key(|&(number, weight)| (weight.unwrap_or(0), number.to_string()));
        let (from, count) = (random.below(6) as usize, random.below(6) as usize);
        let expected: Vec<String> = elements
            .iter()
            .skip(from)
            .take(count)
            .flat_map(|(number, weight)| {
                let weight = weight.map_or("(nil)".to_owned(), |weight| weight.to_string());
                [number.to_string(), weight, format!("n{number}")]
            })
            .collect();
        let words = "GET # GET weight:* GET hash:*:x->name";
        let request = format!("SORT list BY weight:* LIMIT {from} {count} {words}");
        let before = node.digest();
        let answer = node.run(&request);
        assert_eq!(strings(&answer), expected, "seed {seed}, {cores} cores: {request}");
        assert_eq!(node.digest(), before, "seed {seed}: what was lent is back");

        assert_eq!(
            node.run(&format!("{request} STORE target")),
            format!(":{}\r\n", expected.len())
        );
        let stored = strings(&node.run("LRANGE target 0 -1"));
        let expected: Vec<String> = expected
            .iter()
            .map(|text| if text == "(nil)" { "" } else { text }.to_owned())
            .collect();
        assert_eq!(stored, expected, "seed {seed}, {cores} cores");
    }
}

#[test]
fn a_sort_over_several_cores_counts_as_one_call() {
    let mut node = TestNode::new(3);
    furnished(&mut node, &mut Random::new(1));
    node.run("CONFIG RESETSTAT");
    node.run("SORT list BY weight:*");
    let stats = node.run("INFO commandstats");
    assert!(stats.contains("cmdstat_sort:calls=1,"), "{stats}");
}

#[test]
fn a_pattern_that_names_only_the_sorted_key_ends() {
    let mut node = TestNode::new(3);
    node.run("SET x 5");
    node.run("RPUSH list 1");
    assert_eq!(node.run("SORT list GET li*"), "*1\r\n$-1\r\n");
    node.run("RPUSH st st");
    assert_eq!(node.run("SORT st BY *"), "*1\r\n$2\r\nst\r\n", "its own key is a list");
}

#[test]
fn the_order_is_that_of_numbers_and_of_bytes_under_alpha() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut node = TestNode::new(1);
        let mut numbers: Vec<i64> =
            (0..20).map(|_| random.below(2000) as i64 - 1000).collect::<Vec<_>>();
        let words: String = numbers.iter().map(|number| format!(" {number}")).collect();
        node.run(&format!("RPUSH list{words}"));
        numbers.sort_unstable();
        let mut texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
        assert_eq!(strings(&node.run("SORT list")), texts, "seed {seed}");
        texts.reverse();
        assert_eq!(strings(&node.run("SORT list DESC")), texts, "seed {seed}");
        texts.sort_unstable();
        assert_eq!(strings(&node.run("SORT list ALPHA")), texts, "seed {seed}");
    }
}

#[test]
fn keys_on_other_cores_cannot_be_reached_through_a_cores_own_port() {
    use crate::command::session::PortKind;
    let mut node = TestNode::new(2);
    let mut refused = 0;
    for number in 0..20 {
        node.run(&format!("RPUSH list:{number} 1 2 3"));
        for core in 0..2 {
            let client = node.connect_through(core, PortKind::Core);
            let request = format!("SORT list:{number} BY w*\r\n");
            let answer = node.exchange(client, request.as_bytes());
            let answer = String::from_utf8_lossy(&answer).into_owned();
            refused += usize::from(answer.starts_with("-CROSSSLOT"));
            let known = ["-MOVED", "-CROSSSLOT", "*3"].iter().any(|p| answer.starts_with(p));
            assert!(known, "{answer}");
        }
    }
    assert!(refused > 0);
}
