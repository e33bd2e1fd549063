//! Commands about the server as a whole that need no figures from other cores.

use freehold_protocol::{Args, Reply};

use super::context::Cx;
use super::error::CommandError;
use super::spec::{
    ADMINISTRATION, Arity, CONNECTION, DANGEROUS, Done, FAST, LOADING, NOSCRIPT, READONLY, Run,
    STALE, Spec,
};
use crate::base::number::parse_i64;

pub const TABLE: &[Spec] = &[
    Spec {
        name: "TIME",
        arity: Arity::Exactly(1),
        flags: LOADING | STALE | FAST,
        tips: &["nondeterministic_output"],
        run: Run::Here(time),
        since: "2.6.0",
        group: "server",
        summary: "Return the current server time",
        examples: &[("TIME", "*2\r\n*")],
        ..Spec::ROW
    },
    Spec {
        name: "LOLWUT",
        arity: Arity::AtLeast(1),
        flags: READONLY | FAST,
        run: Run::Here(lolwut),
        since: "5.0.0",
        group: "server",
        summary: "Display some computer art and the Redis version",
        complexity: "",
        examples: &[("LOLWUT", "$*")],
        ..Spec::ROW
    },
    Spec {
        name: "ROLE",
        arity: Arity::Exactly(1),
        flags: NOSCRIPT | LOADING | STALE | FAST,
        acl: ADMINISTRATION | DANGEROUS,
        run: Run::Here(role),
        since: "2.8.12",
        group: "server",
        summary: "Return the role of the instance in the context of replication",
        examples: &[("ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "WAIT",
        arity: Arity::Exactly(3),
        flags: NOSCRIPT,
        acl: CONNECTION,
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        run: Run::Here(wait),
        since: "3.0.0",
        group: "generic",
        summary: "Wait for the synchronous replication of all the write commands sent in the \
            context of the current connection",
        examples: &[
            ("WAIT 0 10", ":0\r\n"),
            ("WAIT x 10", "-ERR value is not an integer or out of range\r\n"),
            ("WAIT 0 -1", "-ERR timeout is negative\r\n"),
            ("WAIT 0 x", "-ERR timeout is not an integer or out of range\r\n"),
        ],
        ..Spec::ROW
    },
];

fn time(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now_ms = cx.now_ms().0;
    reply.array(2);
    reply.bulk_int(now_ms.div_euclid(1000));
    reply.bulk_int(now_ms.rem_euclid(1000) * 1000);
    Ok(())
}

/// A house a core: as many as the server has, in a row, each with its own windows lit.
fn lolwut(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let houses = usize::from(cx.core.cores).min(8);
    let mut picture = String::new();
    for line in ["   /\\   ", "  /  \\  ", " /____\\ "] {
        picture.push_str(&line.repeat(houses));
        picture.push('\n');
    }
    for _ in 0..3 {
        for _ in 0..houses {
            let lit = |cx: &mut Cx<'_>| if cx.core.random.below(2) == 0 { '#' } else { '.' };
            let (left, right) = (lit(cx), lit(cx));
            picture.push_str(&format!(" |{left}  {right}| "));
        }
        picture.push('\n');
    }
    picture.push_str("\nOne roof a core, nothing shared but the street.\n");
    picture.push_str(&format!("Redis ver. {}\n", cx.core.config.compat_version));
    reply.verbatim("txt", picture.as_bytes());
    Ok(())
}

fn role(_cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.array(3);
    reply.text("master");
    reply.integer(0);
    reply.array(0);
    Ok(())
}

/// Nothing replicates yet, so no replica can ever acknowledge: the answer is known at once.
fn wait(_cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    parse_i64(args.get(1)).ok_or(CommandError::NotAnInteger)?;
    let timeout = parse_i64(args.get(2))
        .ok_or(CommandError::Said("ERR timeout is not an integer or out of range"))?;
    if timeout < 0 {
        return Err(CommandError::Said("ERR timeout is negative"));
    }
    reply.integer(0);
    Ok(())
}
