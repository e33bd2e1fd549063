//! Replies keep the order of their requests on a pipelined connection, whichever core answers,
//! whether the request is one core's, another's, or several cores'.

use freehold_protocol::resp::value::Value;
use freehold_tests::random::Random;
use freehold_tests::server::freehold;

on_one_and_two_cores!(
    pipelined_replies_keep_their_order,
    replies_keep_their_order_around_commands_of_several_cores,
    many_pipelines_at_once_keep_their_order,
    a_client_that_half_closes_gets_all_replies,
);

fn request(words: &[String]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.clone().into_bytes()).collect()
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

fn pipelined_replies_keep_their_order(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    let count = 20_000;

    let writes: Vec<_> =
        (0..count).map(|n| request(&["SET".into(), format!("k{n}"), n.to_string()])).collect();
    assert!(client.pipeline(&writes).iter().all(|reply| *reply == Value::Simple(b"OK".to_vec())));
    let reads: Vec<_> = (0..count).map(|n| request(&["GET".into(), format!("k{n}")])).collect();
    for (n, reply) in client.pipeline(&reads).iter().enumerate() {
        assert_eq!(*reply, bulk(&n.to_string()));
    }
}

/// Mixes cheap local answers with single keys everywhere and with commands over many keys; the
/// expected reply of each follows from its number alone.
fn mixed(random: &mut Random, scope: &str, number: usize) -> (Vec<Vec<u8>>, Value) {
    let key = |n: usize| format!("{scope}:{n}");
    match random.below(5) {
        0 => (request(&["ECHO".into(), number.to_string()]), bulk(&number.to_string())),
        1 => {
            let text = number.to_string();
            let words = ["SET".into(), key(number), text, "GET".into()];
            (request(&words), Value::Null)
        }
        2 => {
            let keys = (0..6).map(|n| key(900_000 + number * 10 + n));
            let words: Vec<String> = std::iter::once("MGET".to_owned()).chain(keys).collect();
            (request(&words), Value::Array(vec![Value::Null; 6]))
        }
        3 => {
            let pairs = (0..6).flat_map(|n| [key(500_000 + n), number.to_string()]);
            let words: Vec<String> = std::iter::once("MSET".to_owned()).chain(pairs).collect();
            (request(&words), Value::Simple(b"OK".to_vec()))
        }
        _ => {
            let words = ["EXISTS".into(), key(800_000), key(800_001), key(800_002)];
            (request(&words), Value::Integer(0))
        }
    }
}

fn replies_keep_their_order_around_commands_of_several_cores(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    let mut random = Random::new(11);

    let (requests, expected): (Vec<_>, Vec<_>) =
        (0..5_000).map(|number| mixed(&mut random, "m", number)).unzip();
    let replies = client.pipeline(&requests);

    for (number, (reply, expected)) in replies.iter().zip(&expected).enumerate() {
        assert_eq!(reply, expected, "reply {number} to {:?}", requests[number]);
    }
}

fn many_pipelines_at_once_keep_their_order(cores: u16) {
    let server = freehold(cores).start();
    std::thread::scope(|scope| {
        for id in 0..8_u64 {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.client();
                let mut random = Random::new(id);
                for round in 0..20 {
                    let name = format!("c{id}r{round}");
                    let (requests, expected): (Vec<_>, Vec<_>) =
                        (0..200).map(|number| mixed(&mut random, &name, number)).unzip();
                    assert_eq!(client.pipeline(&requests), expected, "client {id}");
                }
            });
        }
    });
}

fn a_client_that_half_closes_gets_all_replies(cores: u16) {
    let server = freehold(cores).start();
    let mut raw = server.raw();

    raw.send("INCR n\r\nGET elsewhere\r\n".repeat(200).as_bytes()).expect("open");
    raw.finish().expect("open");

    let expected: String = (1..=200).map(|n| format!(":{n}\r\n$-1\r\n")).collect();
    assert_eq!(String::from_utf8_lossy(&raw.rest()), expected);
}
